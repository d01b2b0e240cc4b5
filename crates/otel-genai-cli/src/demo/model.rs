//! The scripted model: what it answers, in the shapes of the OpenAI API. Small, and the same every time.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// A model of this name is always overloaded.
pub(crate) const BUSY: &str = "gpt-busy";

/// 2026-01-01, for ever.
const CREATED: u64 = 1_767_225_600;

/// What there is to answer to a request.
pub(crate) enum Answer {
    /// One JSON document.
    Whole(u16, Value),
    /// Events, one after the other.
    Stream(Vec<Value>),
}

pub(crate) fn answer(method: &str, path: &str, body: &[u8]) -> Answer {
    let path = path.trim_end_matches('/');
    let shape = path.rsplit("/v1").next().unwrap_or(path);
    match (method, shape) {
        ("GET", "/models") => Answer::Whole(200, models()),
        ("POST", path) if path.ends_with("/chat/completions") => asked(body, chat),
        ("POST", path) if path.ends_with("/embeddings") => {
            asked(body, |body| Answer::Whole(200, embeddings(body)))
        }
        _ => error(
            404,
            "invalid_request_error",
            "unknown_url",
            &format!("Unknown request URL: {method} {path}"),
        ),
    }
}

fn asked(body: &[u8], answer: impl FnOnce(&Value) -> Answer) -> Answer {
    match serde_json::from_slice::<Value>(body) {
        Ok(body) if body.is_object() => answer(&body),
        _ => error(
            400,
            "invalid_request_error",
            "invalid_json",
            "We could not parse the JSON body of your request.",
        ),
    }
}

fn chat(body: &Value) -> Answer {
    let model = part(body, "/model").as_str().unwrap_or("gpt-4o-mini");
    if model == BUSY {
        let message = "Rate limit reached for gpt-busy: 3 requests per minute. Please try again in 1s.";
        return error(429, "requests", "rate_limit_exceeded", message);
    }
    let (message, reason) = reply(body);
    let asked = tokens(part(body, "/messages")) + tokens(part(body, "/tools"));
    let said = tokens(part(&message, "/content")) + tokens(part(&message, "/tool_calls"));
    let usage = json!({ "prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said });
    let document = |object: &str, choices: Value, usage: Option<&Value>| {
        let mut document = json!({
            "id": "chatcmpl-demo", "object": object, "created": CREATED, "model": format!("{model}-demo"),
            "choices": choices,
        });
        if let (Some(document), Some(usage)) = (document.as_object_mut(), usage) {
            document.insert("usage".to_owned(), usage.clone());
        }
        document
    };
    if part(body, "/stream") != &json!(true) {
        let choices = json!([{ "index": 0, "message": message, "logprobs": null, "finish_reason": reason }]);
        return Answer::Whole(200, document("chat.completion", choices, Some(&usage)));
    }
    let chunk = |choices, usage| document("chat.completion.chunk", choices, usage);
    let mut chunks: Vec<_> = deltas(&message)
        .into_iter()
        .map(|delta| json!([{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": null }]))
        .chain([json!([{ "index": 0, "delta": {}, "logprobs": null, "finish_reason": reason }])])
        .map(|choices| chunk(choices, None))
        .collect();
    if part(body, "/stream_options/include_usage") == &json!(true) {
        chunks.push(chunk(json!([]), Some(&usage)));
    }
    Answer::Stream(chunks)
}

/// The assistant's message, and why it ended: a call of the first tool that is offered, or some words.
fn reply(body: &Value) -> (Value, &'static str) {
    let last =
        part(body, "/messages").as_array().and_then(|messages| messages.last()).unwrap_or(&Value::Null);
    let said = text(part(last, "/content"));
    let role = part(last, "/role").as_str().unwrap_or_default();
    if role == "user"
        && let Some(name) = part(body, "/tools/0/function/name").as_str()
    {
        let parameters = part(body, "/tools/0/function/parameters/properties").as_object();
        let arguments: serde_json::Map<_, _> = parameters
            .into_iter()
            .flatten()
            .map(|(name, schema)| (name.clone(), value_of(schema, &said)))
            .collect();
        let call = json!({
            "id": "call_demo", "type": "function",
            "function": { "name": name, "arguments": Value::Object(arguments).to_string() },
        });
        return (json!({ "role": "assistant", "content": null, "tool_calls": [call] }), "tool_calls");
    }
    let asked = said.to_lowercase();
    let words = if role == "tool" {
        format!("It says: {said}.")
    } else if asked.contains("capital of france") {
        "The capital of France is Paris.".to_owned()
    } else if asked.contains("haiku") {
        "A trace in the dark: each span a small lantern lit along the whole path.".to_owned()
    } else {
        format!("You said: {said}")
    };
    (json!({ "role": "assistant", "content": words }), "stop")
}

/// An argument for a tool: the place that is asked about, or something of the right type.
fn value_of(schema: &Value, said: &str) -> Value {
    match part(schema, "/type").as_str() {
        Some("number" | "integer") => json!(1),
        Some("boolean") => json!(true),
        Some("array") => json!([]),
        Some("object") => json!({}),
        _ => match part(schema, "/enum").get(0) {
            Some(first) => first.clone(),
            None => {
                let place = said.rsplit_once(" in ").map_or(said, |(_, place)| place);
                json!(place.trim_end_matches(['?', '.', '!']))
            }
        },
    }
}

/// A message in the pieces of a stream.
fn deltas(message: &Value) -> Vec<Value> {
    let mut all = vec![json!({ "role": "assistant", "content": "" })];
    let words = part(message, "/content").as_str().unwrap_or_default();
    all.extend(words.split_inclusive(' ').map(|word| json!({ "content": word })));
    for (index, call) in part(message, "/tool_calls").as_array().into_iter().flatten().enumerate() {
        let function = json!({ "name": part(call, "/function/name"), "arguments": "" });
        let start =
            json!({ "index": index, "id": part(call, "/id"), "type": "function", "function": function });
        let rest = json!({ "index": index, "function": { "arguments": part(call, "/function/arguments") } });
        all.extend([start, rest].map(|piece| json!({ "tool_calls": [piece] })));
    }
    all
}

fn embeddings(body: &Value) -> Value {
    const DIMENSIONS: u64 = 8;
    let inputs = match part(body, "/input") {
        Value::Array(inputs) if inputs.iter().all(|input| input.is_string() || input.is_array()) => {
            inputs.clone()
        }
        input => vec![input.clone()],
    };
    let dimensions = part(body, "/dimensions").as_u64().unwrap_or(DIMENSIONS).clamp(1, 4096);
    let vector = |input: &Value| -> Vec<f32> {
        let seed = input.to_string().bytes().map(f32::from).sum::<f32>();
        (1_u16..)
            .take(usize::try_from(dimensions).unwrap_or(8))
            .map(|at| (seed * f32::from(at)).sin())
            .collect()
    };
    let data: Vec<_> = inputs
        .iter()
        .enumerate()
        .map(|(index, input)| {
            let vector = vector(input);
            let embedding = if part(body, "/encoding_format") == &json!("base64") {
                json!(
                    STANDARD
                        .encode(vector.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<_>>())
                )
            } else {
                json!(vector)
            };
            json!({ "object": "embedding", "index": index, "embedding": embedding })
        })
        .collect();
    let used = inputs.iter().map(tokens).sum::<usize>();
    json!({
        "object": "list", "data": data, "model": part(body, "/model"),
        "usage": { "prompt_tokens": used, "total_tokens": used },
    })
}

fn models() -> Value {
    let model =
        |id: &str| json!({ "id": id, "object": "model", "created": CREATED, "owned_by": "otel-genai" });
    json!({ "object": "list", "data": [model("gpt-4o-mini"), model("text-embedding-3-small"), model(BUSY)] })
}

fn error(status: u16, kind: &str, code: &str, message: &str) -> Answer {
    Answer::Whole(
        status,
        json!({ "error": { "message": message, "type": kind, "param": null, "code": code } }),
    )
}

/// A part of a document by its JSON pointer; null where there is none.
fn part<'a>(document: &'a Value, pointer: &str) -> &'a Value {
    document.pointer(pointer).unwrap_or(&Value::Null)
}

/// The text of a message's content, which may be a list of parts.
fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            parts.iter().filter_map(|item| part(item, "/text").as_str()).collect::<Vec<_>>().join(" ")
        }
        _ => String::new(),
    }
}

/// About as many as a real model would count.
fn tokens(value: &Value) -> usize {
    match value {
        Value::Null => 0,
        Value::String(text) => text.len().div_ceil(4),
        Value::Array(items) => items.iter().map(tokens).sum(),
        Value::Object(fields) => fields.values().map(tokens).sum::<usize>() + 2,
        _ => 1,
    }
}
