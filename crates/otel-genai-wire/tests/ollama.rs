//! Ollama's own protocols: what was read is what the bodies say.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod common;

use common::Exchange;
use http::{HeaderMap, HeaderValue, Method, Uri};
use otel_genai::{Failure, Inference, OutputType};
use otel_genai_wire::{Call, Options, Protocol, RequestReader, ResponseReader, Route, detect};
use serde_json::{Value, json};

fn route(path: &str) -> Route {
    let url: Uri = format!("http://localhost:11434{path}").parse().unwrap();
    detect(&Method::POST, &url, &HeaderMap::new()).unwrap()
}

fn call(path: &str, json: &Value, options: Options) -> Option<Call> {
    let mut reader = RequestReader::new(&route(path), options);
    reader.push(json.to_string().as_bytes());
    reader.finish()
}

fn request(path: &str, json: &Value, options: Options) -> Inference {
    let Some(Call::Inference(op)) = call(path, json, options) else { panic!() };
    *op
}

fn answer(path: &str, status: u16, kind: &str, body: &str, options: Options) -> (Inference, Option<Failure>) {
    let mut op = request(path, &json!({"model": "m"}), options);
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_str(kind).unwrap());
    let mut reader = ResponseReader::new(&route(path), status, &headers, &op.clone().into(), options);
    reader.push(body.as_bytes());
    let failure = reader.finish(&mut op);
    (op, failure)
}

fn told(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

#[test]
fn paths() {
    assert_eq!(route("/api/chat").protocol, Protocol::OllamaChat);
    assert_eq!(route("/ollama/api/generate").protocol, Protocol::OllamaGenerate);
    assert_eq!(route("/api/embed").protocol, Protocol::OllamaEmbeddings);
    assert_eq!(route("/api/embeddings").protocol, Protocol::OllamaEmbeddings);
    assert_eq!(route("/api/chat").provider, "ollama");
    // Other applications use such a path, too.
    assert_eq!(call("/api/chat", &json!({"id": "c", "messages": []}), Options::new(true)), None);
}

#[test]
fn a_request() {
    let sent = json!({
        "model": "qwen9:4b", "think": "high", "format": {"type": "object"}, "keep_alive": "5m",
        "options": {"temperature": 0.5, "top_p": 0.9, "top_k": 40, "num_predict": 128, "stop": ["END"], "seed": 7,
            "presence_penalty": 0.1, "frequency_penalty": 0.2, "num_ctx": 4096},
        "tools": [{"type": "function", "function": {"name": "track", "description": "Finds.", "parameters": {"type": "object"}}}],
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Where?", "images": ["QUJD", "no base64!"]},
            {"role": "assistant", "content": "", "thinking": "hm", "tool_calls": [
                {"id": "c1", "type": "function", "function": {"index": 0, "name": "track", "arguments": {"order": 7}}}]},
            {"role": "tool", "content": "there", "tool_name": "track", "tool_call_id": "c1"},
            {"role": "user"}, null
        ]
    });
    let op = request("/api/chat", &sent, Options::new(true));
    let asked = &op.request;
    assert_eq!((op.operation.as_str(), op.provider.as_str()), ("chat", "ollama"));
    assert_eq!((asked.model.as_deref(), asked.stream), (Some("qwen9:4b"), true));
    assert_eq!(
        (asked.temperature, asked.top_p, asked.top_k, asked.max_tokens),
        (Some(0.5), Some(0.9), Some(40), Some(128))
    );
    assert_eq!(
        (asked.presence_penalty, asked.frequency_penalty, asked.seed),
        (Some(0.1), Some(0.2), Some(7))
    );
    assert_eq!(
        (&asked.stop_sequences[..], asked.reasoning_level.as_deref()),
        (&["END".to_owned()][..], Some("high"))
    );
    assert_eq!(asked.output_type, Some(OutputType::Json));
    assert_eq!(
        told(&asked.input_messages),
        json!([
            {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
            {"role": "user", "parts": [{"type": "text", "content": "Where?"},
                {"type": "blob", "modality": "image", "content": "QUJD"}]},
            {"role": "assistant", "parts": [{"type": "reasoning", "content": "hm"},
                {"type": "tool_call", "id": "c1", "name": "track", "arguments": {"order": 7}}]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "there", "name": "track"}]},
        ])
    );
    assert_eq!(
        told(&asked.tool_definitions),
        json!([{"type": "function", "name": "track", "description": "Finds.", "parameters": {"type": "object"}}])
    );
    let mut without = request("/api/chat", &sent, Options::new(false));
    assert!(without.request.input_messages.is_empty());
    without.request.input_messages.clone_from(&asked.input_messages);
    without.request.tool_definitions.clone_from(&asked.tool_definitions);
    assert_eq!(without, op, "the settings are the same");

    let plain = json!({"model": "m", "stream": false, "think": true, "format": "json", "options": {"stop": "END", "num_predict": -1}});
    for options in [Options::new(true), Options::new(false)] {
        let asked = request("/api/chat", &plain, options).request;
        assert_eq!((asked.stream, &asked.output_type), (false, &Some(OutputType::Json)));
        assert_eq!((asked.reasoning_level, asked.max_tokens), (None, None), "neither a level nor a bound");
        assert_eq!(asked.stop_sequences, ["END"]);
    }
}

#[test]
fn a_completion() {
    let sent =
        json!({"model": "m", "system": "Be brief.", "prompt": "Where?", "images": ["QUJD"], "suffix": "end"});
    let op = request("/api/generate", &sent, Options::new(true));
    assert_eq!((op.operation.as_str(), op.request.stream), ("text_completion", true));
    assert_eq!(told(&op.request.system_instructions), json!([{"type": "text", "content": "Be brief."}]));
    assert_eq!(
        told(&op.request.input_messages),
        json!([{"role": "user", "parts": [{"type": "text", "content": "Where?"},
            {"type": "blob", "modality": "image", "content": "QUJD"}]}])
    );
    let body = include_str!("streams/OllamaGenerate.ndjson");
    let (op, failure) = answer("/api/generate", 200, "application/x-ndjson", body, Options::new(true));
    assert_eq!((failure, &op.response.finish_reasons[..]), (None, &["length".to_owned()][..]));
    assert_eq!((op.usage.input_tokens, op.usage.output_tokens), (Some(5), Some(4)));
    assert_eq!(
        told(&op.response.output_messages),
        json!([{"role": "assistant", "finish_reason": "length", "parts": [
            {"type": "reasoning", "content": "Hm."}, {"type": "text", "content": "Auf dem Weg 🚚"}]}])
    );
    let whole = r#"{"model":"m","response":"Hi.","done":true,"prompt_eval_count":5,"eval_count":2}"#;
    for options in [Options::new(true), Options::new(false), Options::new(true).limit(10)] {
        let (op, failure) = answer("/api/generate", 200, "application/json; charset=utf-8", whole, options);
        assert_eq!((failure, &op.response.finish_reasons[..]), (None, &["stop".to_owned()][..]));
        assert_eq!((op.usage.input_tokens, op.usage.output_tokens), (Some(5), Some(2)));
        let is_told = options == Options::new(true);
        assert_eq!(op.response.output_messages.len(), usize::from(is_told));
    }
}

#[test]
fn a_stream_says_what_a_whole_answer_would() {
    let body = include_str!("streams/OllamaChat.ndjson");
    let (op, failure) = answer("/api/chat", 200, "application/x-ndjson", body, Options::new(true));
    assert_eq!((failure, op.response.model.as_deref()), (None, Some("qwen9:4b")));
    assert_eq!(op.response.finish_reasons, ["stop"]);
    assert_eq!((op.usage.input_tokens, op.usage.output_tokens), (Some(21), Some(34)));
    let said = json!([{"role": "assistant", "finish_reason": "tool_call", "parts": [
        {"type": "reasoning", "content": "Wo steht das? 🌍"},
        {"type": "text", "content": "Grüße, 世界"},
        {"type": "tool_call", "id": "call_1", "name": "track", "arguments": {"order": 7}},
        {"type": "tool_call", "name": "now", "arguments": {}}]}]);
    assert_eq!(told(&op.response.output_messages), said);
    let whole = json!({"model": "qwen9:4b", "message": {"role": "assistant", "content": "Grüße, 世界",
        "thinking": "Wo steht das? 🌍", "tool_calls": [
            {"id": "call_1", "function": {"name": "track", "arguments": "{\"order\": 7}"}},
            {"function": {"name": "now", "arguments": {}}}]},
        "done": true, "done_reason": "stop", "prompt_eval_count": 21, "eval_count": 34});
    let (same, failure) =
        answer("/api/chat", 200, "application/json", &whole.to_string(), Options::new(true));
    assert_eq!((same, failure), (op.clone(), None));
    let (bare, _) = answer("/api/chat", 200, "application/x-ndjson", body, Options::new(false));
    assert_eq!((bare.usage, &bare.response.finish_reasons), (op.usage, &op.response.finish_reasons));
    assert!(bare.response.output_messages.is_empty());
    // Proxies forget the content type.
    assert_eq!(answer("/api/chat", 200, "text/plain", body, Options::new(true)).0, op);
}

#[test]
fn errors() {
    let (_, failure) = answer(
        "/api/chat",
        404,
        "application/json",
        r#"{"error":"model 'm' not found"}"#,
        Options::new(true),
    );
    assert_eq!(failure, Some(Failure::new("404").message("model 'm' not found")));
    let stream =
        "{\"model\":\"m\",\"message\":{\"content\":\"a\"},\"done\":false}\n{\"error\":\"out of memory\"}\n";
    let (op, failure) = answer("/api/chat", 200, "application/x-ndjson", stream, Options::new(true));
    assert_eq!(failure.unwrap().message.as_deref(), Some("out of memory"));
    assert_eq!(op.response.finish_reasons, ["error"]);
    let (_, failure) = answer("/api/chat", 200, "application/x-ndjson", &stream[..50], Options::new(true));
    assert_eq!(failure.unwrap().error_type, "truncated_response");
    let (_, failure) = answer("/api/chat", 200, "application/json", "{}", Options::new(true));
    assert_eq!(failure.unwrap().error_type, "malformed_response");
}

#[test]
fn embeddings() {
    for (path, sent, body, expected) in [
        (
            "/api/embed",
            json!({"model": "e", "input": ["a", "b"]}),
            json!({"model": "e:latest", "embeddings": [[0.1, 0.2, 0.3], [1, 2, 3]], "prompt_eval_count": 4}),
            (Some(3), Some(4)),
        ),
        (
            "/api/embed",
            json!({"model": "e", "input": "a", "dimensions": 64}),
            json!({"embeddings": []}),
            (Some(64), None),
        ),
        (
            "/api/embeddings",
            json!({"model": "e", "prompt": "a"}),
            json!({"embedding": [0.5, -1e-3]}),
            (Some(2), None),
        ),
    ] {
        let mut call = call(path, &sent, Options::new(true)).unwrap();
        let mut reader = ResponseReader::new(&route(path), 200, &HeaderMap::new(), &call, Options::new(true));
        reader.push(body.to_string().as_bytes());
        assert_eq!(reader.finish(&mut call), None);
        let Call::Embeddings(op) = call else { panic!() };
        assert_eq!((op.model.as_deref(), op.provider.as_str()), (Some("e"), "ollama"));
        assert_eq!((op.dimension_count, op.input_tokens), expected);
        assert_eq!(op.response_model.as_deref(), body["model"].as_str());
    }
}

/// What Ollama itself said.
#[test]
fn recorded_exchanges_are_read() {
    for exchange in common::exchanges("ollama") {
        match exchange.route("localhost:11434") {
            Some(route) => check(&exchange, &route),
            None => assert!(exchange.url.ends_with("/api/tags"), "{}", exchange.name),
        }
    }
}

fn check(exchange: &Exchange, route: &Route) {
    let name = &exchange.name;
    let bare = exchange.play_all_ways(route, Options::new(false)).unwrap();
    let played = exchange.play_all_ways(route, Options::new(true)).unwrap();
    assert_eq!((played.skipped, &played.note, &played.failure), (0, &None, &None), "{name}");
    assert_eq!((bare.chunks, bare.ended), (played.chunks, played.ended), "{name}");
    let (Call::Inference(op), Call::Inference(without)) = (&played.call, &bare.call) else {
        panic!("{name}")
    };
    assert_eq!(
        (without.usage, &without.response.finish_reasons),
        (op.usage, &op.response.finish_reasons),
        "{name}"
    );

    let (sent, asked) = (&exchange.request, &op.request);
    assert_eq!(asked.model.as_deref(), sent["model"].as_str(), "{name}");
    assert_eq!(asked.stream, sent["stream"] != false, "{name}");
    assert_eq!(asked.max_tokens, sent["options"]["num_predict"].as_i64(), "{name}");
    assert_eq!(asked.output_type.is_some(), sent["format"].is_object(), "{name}");
    assert_eq!(asked.tool_definitions.len(), sent["tools"].as_array().map_or(0, Vec::len), "{name}");
    assert_eq!(asked.input_messages.len(), sent["messages"].as_array().unwrap().len(), "{name}");

    let text = String::from_utf8(exchange.body.clone()).unwrap();
    let lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let last = lines.last().unwrap();
    assert_eq!(op.usage.input_tokens, last["prompt_eval_count"].as_u64(), "{name}");
    assert_eq!(op.usage.output_tokens, last["eval_count"].as_u64(), "{name}");
    assert_eq!(op.response.finish_reasons, [last["done_reason"].as_str().unwrap()], "{name}");
    if asked.stream {
        assert_eq!((played.chunks as usize, played.ended), (lines.len(), true), "{name}");
    }
    let all =
        |key: &str| -> String { lines.iter().filter_map(|line| line["message"][key].as_str()).collect() };
    let calls: Vec<Value> = lines
        .iter()
        .flat_map(|line| line["message"]["tool_calls"].as_array().into_iter().flatten())
        .map(|call| json!([call["id"], call["function"]["name"], call["function"]["arguments"]]))
        .collect();
    let message = told(&op.response.output_messages)[0].clone();
    let said = |kind: &'static str| {
        message["parts"].as_array().unwrap().iter().filter(move |part| part["type"] == kind)
    };
    let join = |kind| said(kind).map(|part| part["content"].as_str().unwrap()).collect::<String>();
    assert_eq!((join("text"), join("reasoning")), (all("content"), all("thinking")), "{name}");
    let called: Vec<Value> =
        said("tool_call").map(|part| json!([part["id"], part["name"], part["arguments"]])).collect();
    assert_eq!(called, calls, "{name}");
}
