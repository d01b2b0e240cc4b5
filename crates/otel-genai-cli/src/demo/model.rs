//! The scripted model: what it answers, in the shapes of the OpenAI API, and of Ollama's by [`ollama`]. Small, and the same
//! every time.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::ollama;

/// A model of this name is always overloaded.
pub(crate) const BUSY: &str = "gpt-busy";
/// One of this name refuses every third request, for programs that try again.
const BUSY_AT_TIMES: &str = "text-embedding-busy";

/// 2026-01-01, for ever.
const CREATED: u64 = 1_767_225_600;

/// What there is to answer to a request.
pub(crate) enum Answer {
    /// One JSON document.
    Whole(u16, Value),
    /// Pieces, one after the other.
    Stream(Framing, Vec<Value>),
}

/// How pieces of a stream are told apart.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Framing {
    /// Server-sent events, `[DONE]` the last.
    Events,
    /// A line each.
    Lines,
}

pub(crate) fn answer(method: &str, path: &str, body: &[u8]) -> Answer {
    let path = path.trim_end_matches('/');
    let shape = path.rsplit("/v1").next().unwrap_or(path);
    match (method, shape) {
        ("GET", "/models") => Answer::Whole(200, models()),
        ("POST", path) if path.ends_with("/chat/completions") => asked(body, chat),
        ("POST", path) if path.ends_with("/embeddings") => asked(body, embeddings),
        ("POST", "/api/chat") => asked(body, ollama::chat),
        ("GET", "/api/tags") => Answer::Whole(200, ollama::models()),
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
        return overloaded(BUSY);
    }
    let (message, reason) = message(reply(body));
    let (asked, said) = counted(body, &message);
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
    Answer::Stream(Framing::Events, chunks)
}

/// What the model has to say.
pub(super) enum Reply {
    Words(String),
    /// Tools by their names, with what they are called with.
    Calls(Vec<(String, Value)>),
}

/// Calls of the tools that a question is about, or some words.
pub(super) fn reply(body: &Value) -> Reply {
    let messages = part(body, "/messages").as_array().map(Vec::as_slice).unwrap_or_default();
    let last = messages.last().unwrap_or(&Value::Null);
    let said = text(part(last, "/content"));
    let role = part(last, "/role").as_str().unwrap_or_default();
    let asked = said.to_lowercase();
    if role == "user" {
        let calls = calls(part(body, "/tools"), &said);
        if !calls.is_empty() {
            return Reply::Calls(calls);
        }
    }
    Reply::Words(if role == "tool" {
        let tools = messages.iter().rev().take_while(|message| part(message, "/role") == "tool");
        let mut told: Vec<String> = tools.map(|message| text(part(message, "/content"))).collect();
        told.reverse();
        format!("It says: {}.", told.join("; "))
    } else if asked.contains("capital of france") {
        "The capital of France is Paris.".to_owned()
    } else if asked.contains("haiku") {
        "A trace in the dark: each span a small lantern lit along the whole path.".to_owned()
    } else {
        format!("You said: {said}")
    })
}

/// The tools with a word of the question in their names; if there is none, the first one.
fn calls(tools: &Value, said: &str) -> Vec<(String, Value)> {
    let asked = said.to_lowercase();
    let is_meant = |name: &str| {
        let mut words = name.split(|c: char| !c.is_alphanumeric());
        words.any(|word| word.len() > 3 && asked.contains(&word.to_lowercase()))
    };
    let tools: Vec<_> = tools.as_array().into_iter().flatten().map(|tool| part(tool, "/function")).collect();
    let named = |tool: &&&Value| part(tool, "/name").as_str().is_some_and(is_meant);
    let mut meant: Vec<_> = tools.iter().filter(named).collect();
    if meant.is_empty() {
        meant.extend(tools.first());
    }
    let call = |tool: &&Value| {
        let parameters = part(tool, "/parameters/properties").as_object().into_iter().flatten();
        let arguments = parameters.map(|(name, schema)| (name.clone(), value_of(schema, said)));
        Some((part(tool, "/name").as_str()?.to_owned(), Value::Object(arguments.collect())))
    };
    meant.into_iter().filter_map(call).collect()
}

/// The assistant's message, and why it ended.
fn message(reply: Reply) -> (Value, &'static str) {
    let calls = match reply {
        Reply::Words(words) => return (json!({ "role": "assistant", "content": words }), "stop"),
        Reply::Calls(calls) => calls,
    };
    let call = |(at, (name, arguments)): (usize, (String, Value))| {
        let id = if at == 0 { "call_demo".to_owned() } else { format!("call_demo_{}", at + 1) };
        json!({ "id": id, "type": "function", "function": { "name": name, "arguments": arguments.to_string() } })
    };
    let calls: Vec<_> = calls.into_iter().enumerate().map(call).collect();
    (json!({ "role": "assistant", "content": null, "tool_calls": calls }), "tool_calls")
}

/// Tokens of what was asked, and of the message that answers it.
pub(super) fn counted(body: &Value, message: &Value) -> (usize, usize) {
    let asked = tokens(part(body, "/messages")) + tokens(part(body, "/tools"));
    (asked, tokens(part(message, "/content")) + tokens(part(message, "/tool_calls")))
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

fn embeddings(body: &Value) -> Answer {
    const DIMENSIONS: u64 = 8;
    static ASKED: AtomicU64 = AtomicU64::new(0);
    if part(body, "/model") == BUSY_AT_TIMES && ASKED.fetch_add(1, Ordering::Relaxed) % 3 == 2 {
        return overloaded(BUSY_AT_TIMES);
    }
    let inputs = match part(body, "/input") {
        Value::Array(inputs) if inputs.iter().all(|input| input.is_string() || input.is_array()) => {
            inputs.clone()
        }
        input => vec![input.clone()],
    };
    if inputs.iter().any(|input| input == "") {
        return error(400, "invalid_request_error", "invalid_value", "Input cannot be an empty string.");
    }
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
    let document = json!({
        "object": "list", "data": data, "model": part(body, "/model"),
        "usage": { "prompt_tokens": used, "total_tokens": used },
    });
    Answer::Whole(200, document)
}

fn models() -> Value {
    let model =
        |id: &str| json!({ "id": id, "object": "model", "created": CREATED, "owned_by": "otel-genai" });
    let models = ["gpt-4o-mini", "text-embedding-3-small", BUSY, BUSY_AT_TIMES].map(model);
    json!({ "object": "list", "data": models })
}

fn overloaded(model: &str) -> Answer {
    let message = format!("Rate limit reached for {model}: 3 requests per minute. Please try again in 1s.");
    error(429, "requests", "rate_limit_exceeded", &message)
}

fn error(status: u16, kind: &str, code: &str, message: &str) -> Answer {
    Answer::Whole(
        status,
        json!({ "error": { "message": message, "type": kind, "param": null, "code": code } }),
    )
}

/// A part of a document by its JSON pointer; null where there is none.
pub(super) fn part<'a>(document: &'a Value, pointer: &str) -> &'a Value {
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
