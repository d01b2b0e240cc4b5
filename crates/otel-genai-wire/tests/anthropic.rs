//! Anthropic's Messages: what was read is what the bodies say.
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
use otel_genai::{Failure, Inference, Part};
use otel_genai_wire::{Call, Options, RequestReader, ResponseReader, Route, detect};
use serde_json::{Value, json};

fn route() -> Route {
    let url: Uri = "https://api.anthropic.com/v1/messages?beta=true".parse().unwrap();
    detect(&Method::POST, &url, &HeaderMap::new()).unwrap()
}

fn request(json: &Value, options: Options) -> Inference {
    let mut reader = RequestReader::new(&route(), options);
    reader.push(json.to_string().as_bytes());
    let Some(Call::Inference(chat)) = reader.finish() else { panic!() };
    *chat
}

/// The answer of this body to a request that says nothing.
fn answer(status: u16, content_type: &str, body: &str, options: Options) -> (Inference, Option<Failure>) {
    let mut chat = Inference::new("chat", "anthropic");
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_str(content_type).unwrap());
    let mut reader = ResponseReader::new(&route(), status, &headers, &chat.clone().into(), options);
    reader.push(body.as_bytes());
    let failure = reader.finish(&mut chat);
    (chat, failure)
}

fn whole(json: &Value) -> Inference {
    let (chat, failure) = answer(200, "application/json", &json.to_string(), Options::new(true));
    assert_eq!(failure, None);
    chat
}

fn stream(events: &[Value]) -> (Inference, Option<Failure>) {
    let event = |event: &Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap());
    let body: String = events.iter().map(event).collect();
    answer(200, "text/event-stream; charset=utf-8", &body, Options::new(true))
}

fn told(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

/// The parts of the one message that was answered.
fn parts(chat: &Inference) -> Value {
    told(&chat.response.output_messages)[0]["parts"].clone()
}

#[test]
fn a_request() {
    let sent = json!({
        "model": "claude-opus-4-8", "max_tokens": 1024, "stream": true, "temperature": 0.5, "top_p": 0.9, "top_k": 40,
        "stop_sequences": ["END"], "service_tier": "auto", "metadata": {"user_id": "u"},
        "thinking": {"type": "adaptive"},
        "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": {}}},
        "mcp_servers": [{"type": "url", "url": "https://mcp.example", "authorization_token": "secret"}],
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "tools": [
            {"name": "track", "description": "Finds an order.", "input_schema": {"type": "object"}},
            {"type": "custom", "name": "other", "input_schema": {"type": "object"}},
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 5},
            {"type": "mcp_toolset", "mcp_server_name": "files"}
        ],
        "messages": [{"role": "user", "content": "Where is my order?"}]
    });
    let chat = request(&sent, Options::new(true));
    let asked = &chat.request;
    assert_eq!((chat.operation.as_str(), chat.provider.as_str()), ("chat", "anthropic"));
    assert_eq!((asked.model.as_deref(), asked.stream), (Some("claude-opus-4-8"), true));
    assert_eq!(
        (asked.temperature, asked.top_p, asked.top_k, asked.max_tokens),
        (Some(0.5), Some(0.9), Some(40), Some(1024))
    );
    assert_eq!(
        (asked.stop_sequences.as_slice(), asked.reasoning_level.as_deref()),
        (&["END".to_owned()][..], Some("high"))
    );
    assert_eq!(asked.output_type, Some(otel_genai::OutputType::Json));
    assert_eq!(told(&asked.system_instructions), json!([{"type": "text", "content": "Be brief."}]));
    assert_eq!(
        told(&asked.input_messages),
        json!([{"role": "user", "parts": [{"type": "text", "content": "Where is my order?"}]}])
    );
    assert_eq!(
        told(&asked.tool_definitions),
        json!([
            {"type": "function", "name": "track", "description": "Finds an order.", "parameters": {"type": "object"}},
            {"type": "function", "name": "other", "parameters": {"type": "object"}},
            {"type": "web_search_20250305", "name": "web_search"},
            {"type": "mcp_toolset", "name": "files"},
        ])
    );
    assert_eq!(chat.openai, otel_genai::OpenAi::default(), "OpenAI's attributes are OpenAI's");
    assert!(!format!("{chat:?}").contains("secret"));

    let mut without = request(&sent, Options::new(false));
    assert!(without.request.input_messages.is_empty() && without.request.system_instructions.is_empty());
    without.request.input_messages.clone_from(&asked.input_messages);
    without.request.system_instructions.clone_from(&asked.system_instructions);
    without.request.tool_definitions.clone_from(&asked.tool_definitions);
    assert_eq!(without, chat, "the settings are the same");
    let plain = json!({"system": "Be brief.", "output_format": {"type": "json_schema"}});
    let plain = request(&plain, Options::new(true)).request;
    assert_eq!(told(&plain.system_instructions), json!([{"type": "text", "content": "Be brief."}]));
    assert_eq!(plain.output_type, Some(otel_genai::OutputType::Json));
}

#[test]
fn everything_that_a_message_may_hold() {
    let sent = json!({"messages": [
        {"role": "user", "content": [
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}},
            {"type": "image", "source": {"type": "url", "url": "https://u:p@h.example/i.png?sig=s"}},
            {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
            {"type": "document", "title": "A", "source": {"type": "base64", "media_type": "application/pdf", "data": "QUJD"}},
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "plain"}},
            {"type": "document", "title": "B", "source": {"type": "content", "content": [
                {"type": "text", "text": "one"}, {"type": "text", "text": "two"}]}},
            {"type": "document", "source": {"type": "content", "content": "three"}},
            {"type": "container_upload", "file_id": "file_2"},
            {"type": "search_result", "source": "https://h.example/?k=1", "title": "S", "content": [{"type": "text", "text": "t"}]},
            {"type": "tool_result", "tool_use_id": "t1", "content": "sunny"},
            {"type": "tool_result", "tool_use_id": "t2", "is_error": true, "content": [{"type": "text", "text": "no"}]},
            {"type": "tool_result", "tool_use_id": "t3"},
            {"type": "text", "text": "go", "cache_control": {"type": "ephemeral"}},
            {"type": "image"}, 7, null
        ]},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
            {"type": "redacted_thinking", "data": "ZW5j"},
            {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Ulm"}, "caller": {"type": "direct"}},
            {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "q"}},
            {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [
                {"type": "web_search_result", "url": "https://h.example/a?b=c", "encrypted_content": "ZW5j"}]},
            {"type": "web_search_tool_result", "tool_use_id": "s2",
             "content": {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"}},
            {"type": "mcp_tool_use", "id": "m1", "name": "read", "server_name": "files", "input": {"path": "/a"}},
            {"type": "mcp_tool_result", "tool_use_id": "m1", "is_error": true, "content": [{"type": "text", "text": "none"}]},
            {"type": "compaction", "content": "We spoke of orders."},
            {"type": "brand_new", "url": "https://h.example/?key=1", "encrypted_stuff": "x"}
        ]},
        {"role": "system", "content": "From now on in French."},
        {"role": "user", "content": []}
    ]});
    let chat = request(&sent, Options::new(true));
    let messages = told(&chat.request.input_messages);
    assert_eq!(
        messages[0]["parts"],
        json!([
            {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "QUJD"},
            {"type": "uri", "modality": "image", "uri": "https://h.example/i.png"},
            {"type": "file", "modality": "image", "file_id": "file_1"},
            {"type": "blob", "modality": "document", "mime_type": "application/pdf", "content": "QUJD", "title": "A"},
            {"type": "text", "content": "plain"},
            {"type": "text", "content": "one", "title": "B"},
            {"type": "text", "content": "two", "title": "B"},
            {"type": "text", "content": "three"},
            {"type": "file", "modality": "document", "file_id": "file_2"},
            {"type": "search_result", "source": "https://h.example/", "title": "S", "content": [{"type": "text", "text": "t"}]},
            {"type": "tool_call_response", "id": "t1", "response": "sunny"},
            {"type": "tool_call_response", "id": "t2", "response": [{"type": "text", "text": "no"}], "is_error": true},
            {"type": "tool_call_response", "id": "t3", "response": null},
            {"type": "text", "content": "go"},
        ])
    );
    assert_eq!(
        messages[1]["parts"],
        json!([
            {"type": "reasoning", "content": "hm"},
            {"type": "redacted_thinking"},
            {"type": "tool_call", "id": "t1", "name": "weather", "arguments": {"city": "Ulm"}},
            {"type": "server_tool_call", "id": "s1", "name": "web_search",
             "server_tool_call": {"type": "web_search", "input": {"query": "q"}}},
            {"type": "server_tool_call_response", "id": "s1", "server_tool_call_response": {
                "type": "web_search_tool_result",
                "content": [{"type": "web_search_result", "url": "https://h.example/a"}]}},
            {"type": "server_tool_call_response", "id": "s2", "server_tool_call_response": {
                "type": "web_search_tool_result",
                "content": {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"}}},
            {"type": "server_tool_call", "id": "m1", "name": "read",
             "server_tool_call": {"type": "mcp_tool_use", "server_name": "files", "input": {"path": "/a"}}},
            {"type": "server_tool_call_response", "id": "m1", "server_tool_call_response": {
                "type": "mcp_tool_result", "content": [{"type": "text", "text": "none"}], "is_error": true}},
            {"type": "compaction", "content": "We spoke of orders."},
            {"type": "brand_new", "url": "https://h.example/"},
        ])
    );
    assert_eq!(messages[2]["role"], "system");
    assert_eq!(messages.as_array().unwrap().len(), 3, "an empty message says nothing");
    assert!(chat.response.conversation_compacted);
}

#[test]
fn a_whole_answer() {
    let body = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-opus-4-8-20260101",
        "content": [{"type": "text", "text": "On its way.", "citations": null},
                    {"type": "tool_use", "id": "t", "name": "f", "input": {}}],
        "stop_reason": "tool_use", "stop_sequence": null, "container": {"id": "c"},
        "usage": {"input_tokens": 5, "cache_creation_input_tokens": 10, "cache_read_input_tokens": 100, "output_tokens": 4}
    });
    let chat = whole(&body);
    assert_eq!(chat.response.id.as_deref(), Some("msg_1"));
    assert_eq!(chat.response.model.as_deref(), Some("claude-opus-4-8-20260101"));
    assert_eq!(chat.response.finish_reasons, ["tool_use"]);
    assert_eq!((chat.usage.input_tokens, chat.usage.output_tokens), (Some(115), Some(4)));
    assert_eq!(
        told(&chat.response.output_messages),
        json!([{"role": "assistant", "finish_reason": "tool_call", "parts": [
            {"type": "text", "content": "On its way."},
            {"type": "tool_call", "id": "t", "name": "f", "arguments": {}}]}])
    );
    for options in [Options::new(false), Options::new(true).limit(100)] {
        let (bare, failure) = answer(200, "application/json", &body.to_string(), options);
        assert_eq!((&bare.response.id, bare.usage, failure), (&chat.response.id, chat.usage, None));
        assert_eq!(bare.response.finish_reasons, ["tool_use"]);
        assert!(bare.response.output_messages.is_empty());
    }
}

#[test]
fn reasons_to_stop() {
    for (given, meant) in [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_call"),
        ("refusal", "content_filter"),
        ("compaction", "compaction"),
        ("pause_turn", "pause_turn"),
    ] {
        let chat = whole(&json!({"type": "message", "content": [], "stop_reason": given}));
        assert_eq!(chat.response.finish_reasons, [given]);
        assert_eq!(told(&chat.response.output_messages)[0]["finish_reason"], meant, "{given}");
    }
}

#[test]
fn a_stream_says_what_a_whole_answer_would() {
    let body = include_str!("streams/AnthropicMessages.sse");
    let (chat, failure) = answer(200, "text/event-stream", body, Options::new(true));
    assert_eq!(failure, None);
    assert_eq!(
        told(&chat.response.output_messages),
        json!([{"role": "assistant", "finish_reason": "tool_call", "parts": [
            {"type": "reasoning", "content": "Ist das schön? 🌍"},
            {"type": "redacted_thinking"},
            {"type": "server_tool_call", "id": "srvtoolu_1", "name": "web_search",
             "server_tool_call": {"type": "web_search", "input": {"query": "sky"}}},
            {"type": "server_tool_call_response", "id": "srvtoolu_1", "server_tool_call_response": {
                "type": "web_search_tool_result",
                "content": [{"type": "web_search_result", "url": "https://sky.example/why", "title": "Why"}]}},
            {"type": "text", "content": "Grüße, 世界", "citations": [
                {"type": "web_search_result_location", "cited_text": "blue", "url": "https://sky.example/why"}]},
            {"type": "tool_call", "id": "toolu_1", "name": "track", "arguments": {"order": 7}},
        ]}])
    );
    assert_eq!((chat.usage.input_tokens, chat.usage.output_tokens), (Some(123), Some(89)));
    assert_eq!(
        (chat.usage.cache_read_input_tokens, chat.usage.cache_write_input_tokens),
        (Some(100), Some(3))
    );
    assert_eq!(chat.usage.reasoning_output_tokens, Some(30));

    let (bare, failure) = answer(200, "text/event-stream", body, Options::new(false));
    assert_eq!(
        (bare.usage, &bare.response.finish_reasons, failure),
        (chat.usage, &chat.response.finish_reasons, None)
    );
    assert!(bare.response.output_messages.is_empty());
}

fn start() -> Value {
    json!({"type": "message_start", "message": {"id": "m", "model": "c", "role": "assistant", "content": [],
        "usage": {"input_tokens": 3, "output_tokens": 1}}})
}

fn begin(index: u64, block: &Value) -> Value {
    json!({"type": "content_block_start", "index": index, "content_block": block})
}

fn delta(index: u64, delta: &Value) -> Value {
    json!({"type": "content_block_delta", "index": index, "delta": delta})
}

fn say(index: u64, text: &str) -> Value {
    delta(index, &json!({"type": "text_delta", "text": text}))
}

fn text() -> Value {
    json!({"type": "text", "text": ""})
}

fn end(reason: &str) -> Value {
    json!({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 9}})
}

fn stop() -> Value {
    json!({"type": "message_stop"})
}

#[test]
fn events_out_of_order_twice_or_lost() {
    let over = |index: u64| json!({"type": "content_block_stop", "index": index});
    let one = json!([{"type": "text", "content": "ab"}]);
    // The beginning comes twice.
    let twice =
        [start(), begin(0, &text()), begin(0, &text()), say(0, "a"), say(0, "b"), end("end_turn"), stop()];
    assert_eq!(parts(&stream(&twice).0), one);
    // It is lost.
    let lost = [say(0, "a"), say(0, "b"), end("end_turn"), stop()];
    assert_eq!(parts(&stream(&lost).0), one);
    // Blocks at the same time.
    let both = [
        start(),
        begin(0, &text()),
        begin(1, &text()),
        say(1, "b"),
        say(0, "a"),
        over(0),
        over(1),
        end("end_turn"),
    ];
    assert_eq!(
        parts(&stream(&both).0),
        json!([{"type": "text", "content": "a"}, {"type": "text", "content": "b"}])
    );
    // Every block has the same number.
    let same =
        [begin(0, &text()), say(0, "a"), over(0), begin(0, &text()), say(0, "b"), over(0), end("end_turn")];
    assert_eq!(
        parts(&stream(&same).0),
        json!([{"type": "text", "content": "a"}, {"type": "text", "content": "b"}])
    );
    // The wrong types everywhere.
    let odd = [
        json!({"type": "message_start", "message": 7}),
        json!({"type": "content_block_start", "index": "0", "content_block": null}),
        json!({"type": "content_block_delta", "index": {}, "delta": "x"}),
        json!({"type": "message_delta", "delta": {"stop_reason": null}, "usage": []}),
        stop(),
    ];
    let (chat, failure) = stream(&odd);
    assert_eq!((failure, chat.response.finish_reasons), (None, vec!["error".to_owned()]));
}

#[test]
fn a_compaction() {
    let events = [
        start(),
        begin(0, &json!({"type": "compaction"})),
        delta(0, &json!({"type": "compaction_delta", "content": "We spoke of orders."})),
        begin(1, &text()),
        say(1, "Go on."),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9, "iterations": [
            {"type": "compaction", "input_tokens": 100, "output_tokens": 50},
            {"type": "message", "input_tokens": 3, "output_tokens": 9}]}}),
        stop(),
    ];
    let (chat, _) = stream(&events);
    assert_eq!(
        parts(&chat),
        json!([{"type": "compaction", "content": "We spoke of orders."}, {"type": "text", "content": "Go on."}])
    );
    assert!(chat.response.conversation_compacted);
    assert_eq!((chat.usage.input_tokens, chat.usage.output_tokens), (Some(103), Some(59)));
}

#[test]
fn failures() {
    let overloaded = json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "r"});
    let expected = Some(Failure::new("overloaded_error").message("Overloaded"));
    for (status, content_type) in
        [(529, "application/json"), (200, "application/json"), (200, "text/event-stream")]
    {
        let (chat, failure) = answer(status, content_type, &overloaded.to_string(), Options::new(true));
        assert_eq!(failure, expected, "{status} {content_type}");
        assert!(chat.response.finish_reasons.is_empty(), "nothing was begun");
    }
    let (chat, failure) = stream(&[start(), begin(0, &text()), say(0, "Hel"), overloaded.clone()]);
    assert_eq!((failure, &chat.response.finish_reasons), (expected, &vec!["error".to_owned()]));
    assert_eq!(parts(&chat), json!([{"type": "text", "content": "Hel"}]));
    assert_eq!(stream(&[overloaded]).0.response.finish_reasons, Vec::<String>::new());

    let kind = |body: &str| {
        answer(200, "application/json", body, Options::new(true))
            .1
            .map(|failure| failure.error_type.into_owned())
    };
    assert_eq!(kind("{}").as_deref(), Some("malformed_response"));
    assert_eq!(kind("").as_deref(), Some("malformed_response"));
    assert_eq!(kind(r#"{"type":"message","content":[{"type":"te"#).as_deref(), Some("truncated_response"));
    assert_eq!(kind(r#"{"type":"message","content":null}"#), None);
    let kind = |events: &[Value]| stream(events).1.map(|failure| failure.error_type.into_owned());
    assert_eq!(kind(&[start(), begin(0, &text()), say(0, "Hel")]).as_deref(), Some("truncated_response"));
    assert_eq!(kind(&[start(), end("end_turn")]), None, "all has been said");
}

#[test]
fn a_long_stream_keeps_what_there_is_room_for() {
    let mut chat = Inference::new("chat", "anthropic");
    let mut reader = ResponseReader::new(
        &route(),
        200,
        &HeaderMap::new(),
        &request(&json!({"stream": true}), Options::new(true)).into(),
        Options::new(true).limit(10),
    );
    for event in
        [start(), begin(0, &text()), say(0, "1234567"), say(0, "890abc"), say(0, "def"), end("end_turn")]
    {
        reader.push(format!("data: {event}\n\n").as_bytes());
    }
    assert!(reader.is_complete());
    assert_eq!(reader.finish(&mut chat), None);
    assert_eq!(parts(&chat), json!([{"type": "text", "content": "1234567890"}]));
    assert_eq!(chat.usage.output_tokens, Some(9));
    assert_eq!(reader.note().as_deref(), Some("the answer is too long: content was left out"));
}

#[test]
fn a_path_that_others_use_too_needs_a_body_that_names_a_model() {
    let detect = |header: bool| {
        let mut headers = HeaderMap::new();
        if header {
            headers.insert("anthropic-version", HeaderValue::from_static("2023-06-01"));
        }
        detect(&Method::POST, &"https://chat.example/v1/messages".parse().unwrap(), &headers).unwrap()
    };
    let read = |route: &Route, body: &[u8]| {
        let mut reader = RequestReader::new(route, Options::new(true));
        reader.push(body);
        reader.finish().is_some()
    };
    assert!(!read(&detect(false), br#"{"to":"+49","text":"Hello"}"#));
    assert!(read(&detect(false), br#"{"model":"claude","messages":[]}"#));
    assert!(read(&detect(true), b""));
}

#[test]
fn vertex_takes_model_and_stream_out_of_the_body() {
    let url = "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/publishers/anthropic/models/claude-opus-4-8@20260101:streamRawPredict";
    let route = detect(&Method::POST, &url.parse().unwrap(), &HeaderMap::new()).unwrap();
    let mut reader = RequestReader::new(&route, Options::new(true));
    reader.push(br#"{"anthropic_version":"vertex-2023-10-16","max_tokens":5,"messages":[]}"#);
    let Some(Call::Inference(chat)) = reader.finish() else { panic!() };
    assert_eq!(chat.provider.as_str(), "gcp.vertex_ai");
    assert_eq!(
        (chat.request.model.as_deref(), chat.request.stream),
        (Some("claude-opus-4-8@20260101"), true)
    );
}

#[test]
fn recorded_exchanges_say_what_their_bodies_say() {
    for exchange in common::exchanges("anthropic") {
        let Some(route) = exchange.route("api.anthropic.com") else { panic!("{}", exchange.name) };
        check(&exchange, &route);
    }
}

fn check(exchange: &Exchange, route: &Route) {
    let name = &exchange.name;
    let bare = exchange.play_all_ways(route, Options::new(false)).unwrap();
    let played = exchange.play_all_ways(route, Options::new(true)).unwrap();
    assert_eq!((played.skipped, &played.note), (0, &None), "{name}");
    let Call::Inference(chat) = &played.call else { panic!("{name}") };
    let Call::Inference(without) = &bare.call else { panic!("{name}") };
    assert_eq!(
        (bare.chunks, bare.ended, &bare.failure),
        (played.chunks, played.ended, &played.failure),
        "{name}"
    );
    assert_eq!(
        (without.usage, &without.response.finish_reasons),
        (chat.usage, &chat.response.finish_reasons),
        "{name}"
    );

    // What was asked.
    let (sent, asked) = (&exchange.request, &chat.request);
    assert_eq!(asked.model.as_deref(), sent["model"].as_str(), "{name}");
    assert_eq!(asked.max_tokens, sent["max_tokens"].as_i64(), "{name}");
    assert_eq!(asked.temperature, sent["temperature"].as_f64(), "{name}");
    assert_eq!((asked.top_p, asked.top_k), (sent["top_p"].as_f64(), sent["top_k"].as_i64()), "{name}");
    assert_eq!(asked.stream, sent["stream"] == true, "{name}");
    assert_eq!(
        json!(asked.stop_sequences),
        if sent["stop_sequences"].is_null() { json!([]) } else { sent["stop_sequences"].clone() },
        "{name}"
    );
    assert_eq!(asked.tool_definitions.len(), sent["tools"].as_array().map_or(0, Vec::len), "{name}");
    assert_eq!(asked.system_instructions.len(), sent["system"].as_array().map_or(0, Vec::len), "{name}");
    let messages = sent["messages"].as_array().unwrap();
    assert_eq!(asked.input_messages.len(), messages.len(), "{name}");
    for (read, sent) in asked.input_messages.iter().zip(messages) {
        let blocks = blocks(&sent["content"]);
        assert_eq!(told(&read.role), sent["role"], "{name}");
        compare(name, &read.parts, &blocks);
    }

    // What was answered.
    let documents = exchange.documents();
    if exchange.status >= 400 {
        let error = &documents[0]["error"];
        let failure = played.failure.unwrap_or_else(|| panic!("{name}: {} is a failure", exchange.status));
        assert_eq!(failure.error_type, error["type"].as_str().unwrap(), "{name}");
        assert_eq!(failure.message.as_deref(), error["message"].as_str(), "{name}");
        assert_eq!(chat.response, otel_genai::InferenceResponse::default(), "{name}");
        return;
    }
    assert_eq!(played.failure, None, "{name}");
    let is_stream = sent["stream"] == true;
    assert_eq!(played.ended, is_stream, "{name}");
    let said = if is_stream { assemble(&documents) } else { documents[0].clone() };
    assert_eq!(chat.response.id.as_deref(), said["id"].as_str(), "{name}");
    assert_eq!(chat.response.model.as_deref(), said["model"].as_str(), "{name}");
    assert_eq!(chat.response.finish_reasons, [said["stop_reason"].as_str().unwrap()], "{name}");
    let count = |key: &str| said["usage"][key].as_u64();
    let cached = [count("cache_read_input_tokens"), count("cache_creation_input_tokens")];
    assert_eq!([chat.usage.cache_read_input_tokens, chat.usage.cache_write_input_tokens], cached, "{name}");
    let input = count("input_tokens").map(|own| own + cached.into_iter().flatten().sum::<u64>());
    assert_eq!(
        (chat.usage.input_tokens, chat.usage.output_tokens),
        (input, count("output_tokens")),
        "{name}"
    );
    let thought = said["usage"]["output_tokens_details"]["thinking_tokens"].as_u64();
    assert_eq!(chat.usage.reasoning_output_tokens, thought, "{name}");
    let [message] = chat.response.output_messages.as_slice() else { panic!("{name}: one message") };
    compare(name, &message.parts, &blocks(&said["content"]));
}

fn blocks(content: &Value) -> Vec<Value> {
    match content {
        Value::String(text) => vec![json!({"type": "text", "text": text})],
        content => content.as_array().unwrap().clone(),
    }
}

/// Every block is one part that says the same.
fn compare(name: &str, parts: &[Part], blocks: &[Value]) {
    assert_eq!(parts.len(), blocks.len(), "{name}: {parts:?}");
    for (part, block) in parts.iter().zip(blocks) {
        let part = told(part);
        let kind = block["type"].as_str().unwrap();
        let (expected, keys): (&str, &[(&str, &str)]) = match kind {
            "text" => ("text", &[("content", "text")]),
            "thinking" => ("reasoning", &[("content", "thinking")]),
            "redacted_thinking" => ("redacted_thinking", &[]),
            "tool_use" => ("tool_call", &[("id", "id"), ("name", "name"), ("arguments", "input")]),
            "tool_result" => ("tool_call_response", &[("id", "tool_use_id"), ("response", "content")]),
            "server_tool_use" => ("server_tool_call", &[("id", "id"), ("name", "name")]),
            "web_search_tool_result" => ("server_tool_call_response", &[("id", "tool_use_id")]),
            "document" if block["source"]["type"] == "text" => ("text", &[]),
            "document" if block["source"]["type"] == "url" => ("uri", &[]),
            "document" => ("blob", &[]),
            other => panic!("{name}: {other}"),
        };
        assert_eq!(part["type"], expected, "{name}");
        for (ours, theirs) in keys {
            assert_eq!(part[ours], block[theirs], "{name}: {kind} {ours}");
        }
        if kind == "server_tool_use" {
            assert_eq!(part["server_tool_call"]["input"], block["input"], "{name}");
        }
        let citations = block["citations"].as_array().map_or(0, Vec::len);
        assert_eq!(part["citations"].as_array().map_or(0, Vec::len), citations, "{name}");
    }
}

/// The message that a stream makes, put together in the plainest way.
fn assemble(events: &[Value]) -> Value {
    let mut message = Value::Null;
    let mut json = String::new();
    for event in events {
        let at = event["index"].as_u64().unwrap_or(0) as usize;
        let delta = &event["delta"];
        match event["type"].as_str().unwrap() {
            "message_start" => message = event["message"].clone(),
            "content_block_start" => {
                json.clear();
                message["content"].as_array_mut().unwrap().push(event["content_block"].clone());
            }
            "content_block_delta" => {
                let block = &mut message["content"][at];
                let append = |into: &mut Value, text: &Value| {
                    *into = json!(into.as_str().unwrap_or_default().to_owned() + text.as_str().unwrap());
                };
                match delta["type"].as_str().unwrap() {
                    "text_delta" => append(&mut block["text"], &delta["text"]),
                    "thinking_delta" => append(&mut block["thinking"], &delta["thinking"]),
                    "citations_delta" => {
                        block["citations"].as_array_mut().unwrap().push(delta["citation"].clone());
                    }
                    "input_json_delta" => json += delta["partial_json"].as_str().unwrap(),
                    _ => {}
                }
            }
            "content_block_stop" if !json.is_empty() => {
                message["content"][at]["input"] = serde_json::from_str(&json).unwrap();
                json.clear();
            }
            "message_delta" => {
                message["stop_reason"] = delta["stop_reason"].clone();
                for (key, value) in event["usage"].as_object().unwrap() {
                    message["usage"][key] = value.clone();
                }
            }
            _ => {}
        }
    }
    message
}

#[test]
fn a_managed_agent_is_created() {
    let url = "https://api.anthropic.com/v1/agents".parse().unwrap();
    let route = detect(&Method::POST, &url, &HeaderMap::new()).unwrap();
    for (model, content) in
        [(r#""claude-opus-4-8""#, true), (r#"{"id":"claude-opus-4-8","speed":"fast"}"#, false)]
    {
        let options = Options::new(content);
        let mut reader = RequestReader::new(&route, options);
        let sent = format!(
            r#"{{"name":"Support","description":"Answers.","model":{model},"system":"Be kind.","tools":[]}}"#
        );
        reader.push(sent.as_bytes());
        let mut call = reader.finish().unwrap();
        let mut reader = ResponseReader::new(&route, 200, &HeaderMap::new(), &call, options);
        reader.push(br#"{"type":"agent","id":"agent_01","version":3,"name":"Support"}"#);
        assert_eq!(reader.finish(&mut call), None);
        let Call::CreateAgent(agent) = call else { panic!() };
        assert_eq!((agent.id.as_deref(), agent.version.as_deref()), (Some("agent_01"), Some("3")));
        assert_eq!(
            (agent.name.as_deref(), agent.model.as_deref()),
            (Some("Support"), Some("claude-opus-4-8"))
        );
        assert_eq!(agent.system_instructions.len(), usize::from(content));
    }
}
