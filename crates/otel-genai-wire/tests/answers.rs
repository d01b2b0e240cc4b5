//! What compatible servers really send, read as it is meant.
#![allow(
    clippy::needless_pass_by_value,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking, and read best with plain values"
)]

use http::{HeaderMap, HeaderValue, Method, Uri};
use otel_genai::{Embeddings, Failure, Inference};
use otel_genai_wire::{Call, Options, RequestReader, ResponseReader, detect};
use serde_json::{Value, json};

fn read(
    path: &str,
    request: &str,
    status: u16,
    content_type: &str,
    body: &str,
    options: Options,
) -> (Call, Option<Failure>, bool) {
    let url: Uri = format!("https://model.example/v1/{path}").parse().unwrap();
    let route = detect(&Method::POST, &url, &HeaderMap::new()).unwrap();
    let mut reader = RequestReader::new(&route, options);
    reader.push(request.as_bytes());
    let mut call = reader.finish().unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_str(content_type).unwrap());
    let mut reader = ResponseReader::new(&route, status, &headers, &call, options);
    let ended = reader.push(body.as_bytes()).ended;
    let failure = reader.finish(&mut call);
    (call, failure, ended)
}

fn chat(content_type: &str, body: &str, options: Options) -> (Inference, Option<Failure>, bool) {
    let (call, failure, ended) =
        read("chat/completions", r#"{"model":"m","stream":true}"#, 200, content_type, body, options);
    let Call::Inference(chat) = call else { panic!() };
    (*chat, failure, ended)
}

/// A stream of these chunks.
fn stream(chunks: &[Value]) -> (Inference, Option<Failure>, bool) {
    let body: String = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
    chat("text/event-stream", &body, Options::new(true))
}

/// The parts that one choice of these deltas becomes.
fn parts(deltas: &[Value]) -> Value {
    let chunks: Vec<Value> =
        deltas.iter().map(|delta| json!({"choices": [{"index": 0, "delta": delta}]})).collect();
    serde_json::to_value(&stream(&chunks).0.response.output_messages).unwrap()[0]["parts"].clone()
}

fn call(id: Option<&str>, name: &str, arguments: Value) -> Value {
    let mut part = json!({"type": "tool_call", "name": name, "arguments": arguments});
    if let Some(id) = id {
        part["id"] = json!(id);
    }
    part
}

fn piece(json: Value) -> Value {
    json!({"tool_calls": [json]})
}

#[test]
fn pieces_of_tool_calls_find_each_other() {
    // By index, as OpenAI does.
    let pieces = [
        piece(json!({"index": 1, "id": "b", "function": {"name": "g", "arguments": ""}})),
        piece(json!({"index": 0, "id": "a", "function": {"name": "f", "arguments": "{\"x\""}})),
        piece(json!({"index": 1, "function": {"arguments": "{}"}})),
        piece(json!({"index": 0, "function": {"arguments": ":1}"}})),
    ];
    assert_eq!(
        parts(&pieces),
        json!([call(Some("b"), "g", json!({})), call(Some("a"), "f", json!({"x": 1}))])
    );
    // A name in pieces, an id that comes late, a name that is repeated.
    let pieces = [
        piece(json!({"index": 0, "function": {"name": "get_", "arguments": ""}})),
        piece(json!({"index": 0, "id": "late", "function": {"name": "weather", "arguments": "{"}})),
        piece(json!({"index": 0, "id": "late", "function": {"name": "get_weather", "arguments": "}"}})),
    ];
    assert_eq!(parts(&pieces), json!([call(Some("late"), "get_weather", json!({}))]));
    // The same index for every call, told apart by their ids ...
    let pieces = [
        piece(json!({"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}})),
        piece(json!({"index": 0, "id": "b", "function": {"name": "f", "arguments": "{}"}})),
    ];
    assert_eq!(parts(&pieces), json!([call(Some("a"), "f", json!({})), call(Some("b"), "f", json!({}))]));
    // ... or by nothing but being complete.
    let pieces = [
        piece(json!({"index": 0, "function": {"name": "f", "arguments": "{\"a\":1}"}})),
        piece(json!({"index": 0, "function": {"name": "f", "arguments": "{\"a\":2}"}})),
    ];
    assert_eq!(parts(&pieces), json!([call(None, "f", json!({"a": 1})), call(None, "f", json!({"a": 2}))]));
    // No index at all.
    let pieces = [
        piece(json!({"id": "a", "function": {"name": "f", "arguments": "{\"a\""}})),
        piece(json!({"function": {"arguments": ":1}"}})),
        piece(json!({"id": "b", "function": {"name": "g", "arguments": {"plain": true}}})),
        piece(json!({"id": "c", "type": "custom", "custom": {"name": "h", "input": "free "}})),
        piece(json!({"id": "c", "custom": {"input": "text"}})),
    ];
    assert_eq!(
        parts(&pieces),
        json!([
            call(Some("a"), "f", json!({"a": 1})),
            call(Some("b"), "g", json!({"plain": true})),
            call(Some("c"), "h", json!("free text")),
        ])
    );
    // The older function calling.
    let pieces = [
        json!({"content": null, "function_call": {"name": "f", "arguments": ""}}),
        json!({"function_call": {"arguments": "{}"}}),
    ];
    assert_eq!(parts(&pieces), json!([call(None, "f", json!({}))]));
}

#[test]
fn everything_that_a_model_may_say() {
    let deltas = [
        json!({"role": "assistant", "reasoning": "a", "reasoning_content": "a"}),
        json!({"reasoning": "b"}),
        json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "c"}]}, {"type": "text", "text": "Hi"}]}),
        json!({"content": " you", "annotations": [{"type": "url_citation"}]}),
        json!({"audio": {"id": "au", "transcript": "spoken", "data": "UklG"}}),
        json!({"audio": {"data": "Rg=="}}),
        json!({"images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}]}),
    ];
    assert_eq!(
        parts(&deltas),
        json!([
            {"type": "reasoning", "content": "abc"},
            {"type": "text", "content": "Hi you", "annotations": [{"type": "url_citation"}]},
            {"type": "text", "content": "spoken"},
            {"type": "blob", "modality": "audio", "content": "UklGRg=="},
            {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "QUJD"},
        ])
    );
}

#[test]
fn usage_wherever_it_comes() {
    let usage = |chunks: &[Value]| {
        let usage = stream(chunks).0.usage;
        (usage.input_tokens, usage.output_tokens, usage.cache_read_input_tokens)
    };
    let report =
        |output: u64| json!({"prompt_tokens": 10, "completion_tokens": output, "total_tokens": 10 + output});
    let known = (Some(10), Some(3), None);
    assert_eq!(usage(&[json!({"choices": [], "usage": report(3)})]), known);
    assert_eq!(usage(&[json!({"choices": null, "usage": report(3)})]), known);
    assert_eq!(
        usage(&[json!({"usage": report(1)}), json!({"usage": report(3)}), json!({"usage": null})]),
        known
    );
    assert_eq!(usage(&[json!({"x_groq": {"id": "r", "usage": report(3)}})]), known);
    assert_eq!(usage(&[json!({"choices": []})]), (None, None, None), "unknown is not zero");
    assert_eq!(
        usage(&[
            json!({"usage": {"prompt_tokens": 10, "prompt_cache_hit_tokens": 4}}),
            json!({"usage": report(3)})
        ]),
        (Some(10), Some(3), Some(4)),
        "what a later report leaves out stays"
    );
}

#[test]
fn errors_within_a_stream() {
    let chunk = json!({"choices": [{"index": 0, "delta": {"content": "Hel"}}]});
    let error = json!({"error": {"message": "overloaded", "code": "server_overloaded"}});
    let expected = Some(Failure::new("server_overloaded").message("overloaded"));
    let (chat_read, failure, ended) = stream(&[chunk.clone(), error.clone()]);
    assert_eq!((failure, ended), (expected.clone(), true));
    assert_eq!(chat_read.response.finish_reasons, ["error"]);
    // OpenRouter: within a choice.
    let choice = json!({"choices": [{"index": 0, "finish_reason": "error", "error": {"code": 502, "message": "gone"}}]});
    assert_eq!(stream(&[choice]).1, Some(Failure::new("502").message("gone")));
    // By the event's name, in whatever form.
    let named = format!(
        "data: {chunk}\n\nevent: error\ndata: {{\"message\":\"overloaded\",\"code\":\"server_overloaded\"}}\n\n"
    );
    assert_eq!(chat("text/event-stream", &named, Options::new(true)).1, expected);
    let text = "event: error\ndata: out of memory\n\n";
    assert_eq!(
        chat("text/event-stream", text, Options::new(true)).1,
        Some(Failure::new(Failure::OTHER).message("out of memory"))
    );
    // Without content just as well.
    let body = format!("data: {chunk}\n\ndata: {error}\n\n");
    assert_eq!(chat("text/event-stream", &body, Options::new(false)).1, expected);
}

#[test]
fn a_body_is_read_as_what_it_is() {
    let whole = r#"{"id":"c","model":"m-1","choices":[{"message":{"content":""},"finish_reason":"stop"}]}"#;
    let events = format!("data: {whole}\n\ndata: [DONE]\n\n");
    for content_type in ["application/json; charset=utf-8", "text/event-stream", "text/plain", "what?"] {
        for body in [whole, &events] {
            if body.starts_with("data") && content_type.starts_with("application/json") {
                continue;
            }
            let (chat, failure, _) = chat(content_type, body, Options::new(true));
            assert_eq!(failure, None, "{content_type}: {body}");
            assert_eq!(chat.response.model.as_deref(), Some("m-1"), "{content_type}: {body}");
            let parts = &chat.response.output_messages[0].parts;
            assert_eq!(serde_json::to_value(parts).unwrap(), json!([{"type": "text", "content": ""}]));
        }
    }
}

#[test]
fn a_message_beside_deltas_is_said_once() {
    let chunk = |delta: &str, message: &str| json!({"choices": [{"index": 0, "delta": {"content": delta}, "message": {"content": message}}]});
    let streamed = stream(&[chunk("Hel", "Hel"), chunk("lo", "Hello"), chunk("", "Hello")]).0;
    let whole = chat("application/json", &chunk("", "Hello").to_string(), Options::new(true)).0;
    for chat in [streamed, whole] {
        let parts = &chat.response.output_messages[0].parts;
        assert_eq!(serde_json::to_value(parts).unwrap(), json!([{"type": "text", "content": "Hello"}]));
    }
}

#[test]
fn choices_of_a_whole_answer_are_not_merged() {
    let choice = |text: &str| json!({"index": 0, "message": {"content": text}, "finish_reason": "stop"});
    let body = json!({"choices": [choice("a"), choice("b")]}).to_string();
    let chat = chat("application/json", &body, Options::new(true)).0;
    assert_eq!(chat.response.finish_reasons, ["stop", "stop"]);
    assert_eq!(chat.response.output_messages.len(), 2);
}

#[test]
fn an_answer_that_is_none_is_a_failure() {
    for (body, kind) in [
        (r#"{"error":{"message":"m","type":"t","code":null}}"#, Some("t")),
        (r#"{"object":"error","message":"m","type":"BadRequestError","code":400}"#, Some("BadRequestError")),
        (r#"{"error":null,"choices":[]}"#, None),
        (r#"{"choices":null}"#, None),
        (r#"{"choices":{"0":"x"}}"#, None),
        ("[]", Some("malformed_response")),
        (r#"[1,"two",null]"#, Some("malformed_response")),
        (r#"{"hello":"world"}"#, Some("malformed_response")),
        (r#"{"error":null}"#, Some("malformed_response")),
        ("{}", Some("malformed_response")),
        ("\n", Some("malformed_response")),
        ("", Some("malformed_response")),
        ("OK", Some("malformed_response")),
        (r#"{"choices":[{"message":{"content":"half"#, Some("truncated_response")),
    ] {
        for content in [true, false] {
            let failure = chat("application/json", body, Options::new(content)).1;
            assert_eq!(failure.map(|failure| failure.error_type.into_owned()).as_deref(), kind, "{body}");
        }
    }
}

#[test]
fn a_stream_ends_when_all_has_been_said() {
    let reason = |index: u64, reason: Option<&str>| {
        format!("data: {}\n\n", json!({"choices": [{"index": index, "finish_reason": reason}]}))
    };
    let (begun, ended, other) = (reason(0, None), reason(0, Some("stop")), reason(1, Some("stop")));
    for (n, body, is_complete, kind) in [
        (1, String::new(), false, Some("truncated_response")),
        (1, ": waiting\n\n".to_owned(), false, Some("truncated_response")),
        (1, "data: [DONE]\n\n".to_owned(), true, None),
        (1, begun.clone(), false, Some("truncated_response")),
        (1, format!("{begun}data: [DONE]\n\n"), true, None),
        (1, format!("{begun}{ended}"), true, None),
        (2, format!("{begun}{ended}"), false, None),
        (2, format!("{begun}{other}"), false, Some("truncated_response")),
        (2, format!("{begun}{other}{ended}"), true, None),
        (1, "data: {\"choices\":[],\"usage\":{}}\n\n".to_owned(), false, Some("truncated_response")),
    ] {
        for content in [true, false] {
            let options = Options::new(content);
            let url: Uri = "https://model.example/v1/chat/completions".parse().unwrap();
            let route = detect(&Method::POST, &url, &HeaderMap::new()).unwrap();
            let mut request = RequestReader::new(&route, options);
            request.push(json!({"model": "m", "stream": true, "n": n}).to_string().as_bytes());
            let mut call = request.finish().unwrap();
            let read = |call: &Call| {
                let mut reader = ResponseReader::new(&route, 200, &HeaderMap::new(), call, options);
                reader.push(body.as_bytes());
                reader
            };
            assert_eq!(read(&call).is_complete(), is_complete, "{n}: {body}");
            assert_eq!(read(&call).abandon(&mut call), None, "{n}: {body}");
            let failure = read(&call).finish(&mut call).map(|failure| failure.error_type);
            assert_eq!(failure.as_deref(), kind, "{n}: {body}");
        }
    }
    // A page where a stream was asked for.
    let failure = chat("text/html", "<html></html>", Options::new(true)).1;
    assert_eq!(failure.map(|failure| failure.error_type).as_deref(), Some("malformed_response"));
}

#[test]
fn half_an_answer_tells_what_came() {
    let body =
        r#"{"id":"c","model":"m-1","usage":{"prompt_tokens":3},"choices":[{"message":{"content":"half"#;
    for content in [true, false] {
        let chat = chat("application/json", body, Options::new(content)).0;
        assert_eq!((chat.response.id.as_deref(), chat.usage.input_tokens), (Some("c"), Some(3)));
    }
}

#[test]
fn content_beyond_the_limit_ends_there() {
    let chunk = |text: &str| json!({"choices": [{"index": 0, "delta": {"content": text}}]});
    let end = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 1}});
    let body: String = [chunk("12345"), chunk("678ä"), chunk("rest"), end]
        .iter()
        .map(|chunk| format!("data: {chunk}\n\n"))
        .collect();
    let (chat, failure, _) = chat("text/event-stream", &body, Options::new(true).limit(9));
    assert_eq!(
        serde_json::to_value(&chat.response.output_messages[0].parts).unwrap()[0]["content"],
        "12345678"
    );
    assert_eq!(
        (chat.response.finish_reasons, chat.usage.input_tokens, failure),
        (vec!["stop".to_owned()], Some(1), None)
    );
}

#[test]
fn a_body_of_any_size_gives_settings_identity_and_usage() {
    let filler = "x".repeat(1 << 20);
    let request = format!(
        r#"{{"messages":[{{"role":"user","content":"{filler}"}}],"model":"m","seed":7,"stream":false}}"#
    );
    let answer = format!(
        r#"{{"choices":[{{"index":0,"message":{{"content":"{filler}"}},"finish_reason":"stop"}}],"id":"c","usage":{{"prompt_tokens":5}}}}"#
    );
    let (call, failure, _) =
        read("chat/completions", &request, 200, "application/json", &answer, Options::new(true).limit(1000));
    let Call::Inference(chat) = call else { panic!() };
    assert_eq!((chat.request.model.as_deref(), chat.request.seed, failure), (Some("m"), Some(7), None));
    assert_eq!((chat.response.id.as_deref(), chat.usage.input_tokens), (Some("c"), Some(5)));
    assert_eq!(chat.response.finish_reasons, ["stop"]);
    assert!(chat.request.input_messages.is_empty());
    assert!(chat.response.output_messages.is_empty());
}

fn embeddings(request: &str, answer: &str) -> (Embeddings, Option<Failure>) {
    let (call, failure, _) = read("embeddings", request, 200, "application/json", answer, Options::new(true));
    let Call::Embeddings(embeddings) = call else { panic!() };
    (*embeddings, failure)
}

#[test]
fn dimensions_of_vectors() {
    let answer = |vector: &str| {
        format!(r#"{{"data":[{{"embedding":{vector}}}],"model":"e-1","usage":{{"total_tokens":4}}}}"#)
    };
    let (read, failure) = embeddings(
        r#"{"model":"e","input":["a"],"encoding_format":"float","dimensions":8}"#,
        &answer("[0.1, -2e-3,3]"),
    );
    assert_eq!((read.model.as_deref(), read.response_model.as_deref()), (Some("e"), Some("e-1")));
    assert_eq!((read.dimension_count, read.input_tokens, failure), (Some(3), Some(4), None));
    assert_eq!(read.encoding_formats, ["float"]);
    // 1536 floats of four bytes are 8192 letters of base64.
    let text = format!("\"{}\"", "A".repeat(8192));
    assert_eq!(embeddings("{}", &answer(&text)).0.dimension_count, Some(1536));
    assert_eq!(embeddings("{}", &answer("\"AACAPwAAAEA=\"")).0.dimension_count, Some(2));
    assert_eq!(embeddings(r#"{"dimensions":8}"#, r#"{"data":[]}"#).0.dimension_count, Some(8));
    for (body, kind) in [
        (r#"{"data":null}"#, None),
        ("{}", Some("malformed_response")),
        ("", Some("malformed_response")),
        ("OK", Some("malformed_response")),
        (r#"{"data":[{"embedding":[1,2"#, Some("truncated_response")),
    ] {
        let failure = embeddings("{}", body).1.map(|failure| failure.error_type);
        assert_eq!(failure.as_deref(), kind, "{body}");
    }
    let (_, failure) = embeddings("{}", r#"{"error":{"message":"m","code":"c"}}"#);
    assert_eq!(failure, Some(Failure::new("c").message("m")));
}
