//! OpenAI's Responses, made and fetched: what was read is what the bodies say.
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
use otel_genai::{Failure, FetchResponse, Inference, OpenAiApiType, OutputType, Part, ResponseStatus};
use otel_genai_wire::{Call, Options, Protocol, RequestReader, ResponseReader, Route, detect};
use serde_json::{Value, json};

const URL: &str = "https://api.openai.com/v1/responses";
const FETCH: &str = "https://api.openai.com/v1/responses/resp_1?include[]=x&stream=true&starting_after=5";

fn route_to(method: &Method, url: &str) -> Option<Route> {
    detect(method, &url.parse::<Uri>().unwrap(), &HeaderMap::new())
}

fn request(json: &Value, options: Options) -> Inference {
    let mut reader = RequestReader::new(&route_to(&Method::POST, URL).unwrap(), options);
    reader.push(json.to_string().as_bytes());
    let Some(Call::Inference(chat)) = reader.finish() else { panic!() };
    *chat
}

/// The messages that are sent so.
fn sent(input: &Value) -> Value {
    told(&request(&json!({"model": "m", "input": input}), Options::new(true)).request.input_messages)
}

fn answer_to(
    route: &Route,
    headers: &[(&'static str, &str)],
    body: &str,
    options: Options,
) -> (Call, Option<Failure>) {
    let mut call = RequestReader::new(route, options).finish().unwrap();
    let mut all = HeaderMap::new();
    for (name, value) in headers {
        all.insert(*name, HeaderValue::from_str(value).unwrap());
    }
    let mut reader = ResponseReader::new(route, 200, &all, &call, options);
    reader.push(body.as_bytes());
    let failure = reader.finish(&mut call);
    (call, failure)
}

fn answer(content_type: &str, body: &str, options: Options) -> (Inference, Option<Failure>) {
    let route = route_to(&Method::POST, URL).unwrap();
    let (call, failure) = answer_to(&route, &[("content-type", content_type)], body, options);
    let Call::Inference(chat) = call else { panic!() };
    (*chat, failure)
}

fn whole(json: &Value) -> (Inference, Option<Failure>) {
    answer("application/json", &json.to_string(), Options::new(true))
}

fn stream(body: &str) -> (Inference, Option<Failure>) {
    answer("text/event-stream; charset=utf-8", body, Options::new(true))
}

fn events(events: &[Value]) -> String {
    events
        .iter()
        .map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap()))
        .collect()
}

fn fetched(body: &str) -> (FetchResponse, Option<Failure>) {
    let route = route_to(&Method::GET, FETCH).unwrap();
    let (call, failure) = answer_to(&route, &[], body, Options::new(true));
    let Call::FetchResponse(fetch) = call else { panic!() };
    (*fetch, failure)
}

fn told(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

/// The messages that such items are.
fn put_out(items: &Value) -> Value {
    let (chat, failure) = whole(&json!({"object": "response", "status": "completed", "output": items}));
    assert_eq!(failure, None);
    told(&chat.response.output_messages)
}

#[test]
fn paths() {
    for (url, provider) in [
        (URL, "openai"),
        ("https://r.openai.azure.com/openai/v1/responses?api-version=preview", "azure.ai.openai"),
        ("https://r.openai.azure.com/openai/responses?api-version=2025-04-01-preview", "azure.ai.openai"),
        ("https://api.groq.com/openai/v1/responses", "groq"),
        ("https://api.x.ai/v1/responses", "x_ai"),
        ("https://chatgpt.com/backend-api/codex/responses", "openai"),
        ("http://localhost:8000/v1/responses", "openai"),
        ("https://api.openai.com/v1/responses/compact", "openai"),
    ] {
        let route = route_to(&Method::POST, url).unwrap();
        assert_eq!((route.protocol, route.provider.as_str()), (Protocol::OpenAiResponses, provider), "{url}");
    }
    for (url, provider) in [
        (FETCH, "openai"),
        ("https://r.openai.azure.com/openai/v1/responses/resp_1", "azure.ai.openai"),
        ("https://r.openai.azure.com/openai/responses/resp_1?api-version=1", "azure.ai.openai"),
    ] {
        let route = route_to(&Method::GET, url).unwrap();
        assert_eq!(
            (route.protocol, route.provider.as_str()),
            (Protocol::OpenAiFetchResponse, provider),
            "{url}"
        );
        assert_eq!(route.parameter("response"), Some("resp_1"), "{url}");
    }
    for (method, url) in [
        (Method::POST, "https://api.openai.com/v1/responses/resp_1/cancel"),
        (Method::POST, "https://api.openai.com/v1/responses/input_tokens"),
        (Method::GET, "https://api.openai.com/v1/responses/resp_1/input_items"),
        (Method::GET, "https://api.openai.com/v1/responses"),
        (Method::DELETE, "https://api.openai.com/v1/responses/resp_1"),
    ] {
        assert_eq!(route_to(&method, url), None, "{method} {url}");
    }
    // Elsewhere it may be anything: a body without a model is no call.
    let route = route_to(&Method::POST, "https://forms.example/api/responses").unwrap();
    let mut reader = RequestReader::new(&route, Options::new(true));
    reader.push(br#"{"answers":[1,2]}"#);
    assert_eq!(reader.finish(), None);
}

#[test]
fn a_request() {
    let body = json!({
        "model": "gpt-5-mini", "stream": true, "temperature": 0.5, "top_p": 0.9, "max_output_tokens": 1024,
        "reasoning": {"effort": "low", "summary": "auto"}, "text": {"format": {"type": "json_schema", "schema": {}}},
        "service_tier": "flex", "previous_response_id": "resp_0", "conversation": {"id": "conv_1"},
        "truncation": "auto", "background": true, "store": true, "include": ["reasoning.encrypted_content"],
        "prompt": {"id": "pmpt_1", "version": "2", "variables": {
            "city": "Ulm", "name": {"type": "input_text", "text": "Eva"}, "image": {"type": "input_image", "file_id": "f"}}},
        "instructions": "Be brief.",
        "tools": [
            {"type": "function", "name": "track", "description": "Finds an order.", "parameters": {"type": "object"}, "strict": true},
            {"type": "web_search"},
            {"type": "mcp", "server_label": "s", "server_url": "https://h.example", "authorization": "secret"},
            {"type": "custom", "name": "sql"}, 7
        ],
        "input": "Where is my order?"
    });
    let chat = request(&body, Options::new(true));
    let asked = &chat.request;
    assert_eq!((chat.operation.as_str(), chat.provider.as_str()), ("chat", "openai"));
    assert_eq!((asked.model.as_deref(), asked.stream), (Some("gpt-5-mini"), true));
    assert_eq!((asked.temperature, asked.top_p, asked.max_tokens), (Some(0.5), Some(0.9), Some(1024)));
    assert_eq!(
        (asked.reasoning_level.as_deref(), &asked.output_type),
        (Some("low"), &Some(OutputType::Json))
    );
    assert_eq!(chat.openai.request_service_tier.as_deref(), Some("flex"));
    assert_eq!(chat.openai.api_type, Some(OpenAiApiType::Responses));
    assert_eq!(asked.previous_response_id.as_deref(), Some("resp_0"));
    assert_eq!(chat.conversation_id.as_deref(), Some("conv_1"));
    let prompt = asked.prompt.as_ref().unwrap();
    assert_eq!((prompt.name.as_str(), prompt.version.as_deref()), ("pmpt_1", Some("2")));
    let mut variables = prompt.variables.clone();
    variables.sort();
    assert_eq!(variables, [("city".to_owned(), "Ulm".to_owned()), ("name".to_owned(), "Eva".to_owned())]);
    assert_eq!(told(&asked.system_instructions), json!([{"type": "text", "content": "Be brief."}]));
    assert_eq!(
        told(&asked.input_messages),
        json!([{"role": "user", "parts": [{"type": "text", "content": "Where is my order?"}]}])
    );
    assert_eq!(
        told(&asked.tool_definitions),
        json!([
            {"type": "function", "name": "track", "description": "Finds an order.", "parameters": {"type": "object"}},
            {"type": "web_search", "name": "web_search"},
            {"type": "mcp", "name": "mcp"},
            {"type": "custom", "name": "sql"},
        ])
    );
    assert!(!format!("{chat:?}").contains("secret"));

    let mut without = request(&body, Options::new(false));
    assert!(without.request.input_messages.is_empty() && without.request.system_instructions.is_empty());
    without.request.input_messages.clone_from(&asked.input_messages);
    without.request.system_instructions.clone_from(&asked.system_instructions);
    without.request.tool_definitions.clone_from(&asked.tool_definitions);
    without.request.prompt.as_mut().unwrap().variables.clone_from(&prompt.variables);
    assert_eq!(without, chat, "the settings are the same");

    let plain =
        request(&json!({"conversation": "conv_2", "text": {"format": {"type": "text"}}}), Options::new(true));
    assert_eq!(plain.conversation_id.as_deref(), Some("conv_2"));
    assert_eq!(plain.request.output_type, Some(OutputType::Text));
}

#[test]
fn everything_that_a_history_may_hold() {
    assert_eq!(
        sent(&json!([
            {"role": "developer", "content": "d"},
            {"type": "message", "role": "user", "content": [
                {"type": "input_text", "text": "a"},
                {"type": "input_image", "image_url": "data:image/png;base64,QUJD", "detail": "auto"},
                {"type": "input_image", "image_url": "https://u:p@h.example/i.png?sig=s"},
                {"type": "input_image", "file_id": "file-1"},
                {"type": "input_file", "file_id": "file-2"},
                {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"},
                {"type": "input_file", "file_url": "https://h.example/a.pdf?sig=s"},
                {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}},
                7, null
            ]},
            {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "s"}], "encrypted_content": "ZW5j"},
            {"type": "reasoning", "id": "rs", "summary": [], "content": [{"type": "reasoning_text", "text": "t"}]},
            {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "ZW5j"},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "b"}, {"type": "refusal", "refusal": "no"}]},
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{\"x\":1}"},
            {"type": "custom_tool_call", "call_id": "c2", "name": "sql", "input": "select 1"},
            {"type": "function_call_output", "call_id": "c1", "output": "one"},
            {"type": "custom_tool_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "1"}]},
            {"role": "user", "content": ""},
        ])),
        json!([
            {"role": "developer", "parts": [{"type": "text", "content": "d"}]},
            {"role": "user", "parts": [
                {"type": "text", "content": "a"},
                {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "QUJD"},
                {"type": "uri", "modality": "image", "uri": "https://h.example/i.png"},
                {"type": "file", "modality": "image", "file_id": "file-1"},
                {"type": "file", "modality": "document", "file_id": "file-2"},
                {"type": "blob", "modality": "document", "mime_type": "application/pdf", "content": "QUJD"},
                {"type": "uri", "modality": "document", "uri": "https://h.example/a.pdf"},
                {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "content": "QUJD"},
            ]},
            {"role": "assistant", "parts": [{"type": "reasoning", "content": "s"}]},
            {"role": "assistant", "parts": [{"type": "reasoning", "content": "t"}]},
            {"role": "assistant", "parts": [
                {"type": "text", "content": "b"},
                {"type": "text", "content": "no"},
                {"type": "tool_call", "id": "c1", "name": "f", "arguments": {"x": 1}},
                {"type": "tool_call", "id": "c2", "name": "sql", "arguments": "select 1"},
            ]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "one"}]},
            {"role": "tool", "parts": [
                {"type": "tool_call_response", "id": "c2", "response": [{"type": "input_text", "text": "1"}]}]},
            {"role": "user", "parts": [{"type": "text", "content": ""}]},
        ])
    );
}

#[test]
fn tools_of_all_kinds() {
    assert_eq!(
        sent(&json!([
            {"type": "computer_call", "id": "cu", "call_id": "c1", "status": "completed", "action": {"type": "click", "x": 1},
             "pending_safety_checks": []},
            {"type": "computer_call_output", "call_id": "c1", "output": {"type": "computer_screenshot", "image_url": "https://h.example/s?k=1"}},
            {"type": "local_shell_call", "call_id": "c2", "action": {"type": "exec", "command": ["ls"]}},
            {"type": "local_shell_call_output", "call_id": "c2", "output": "a"},
            {"type": "shell_call", "call_id": "c3", "action": {"commands": ["ls"]}, "environment": {"type": "local"}},
            {"type": "shell_call_output", "call_id": "c3", "output": [{"stdout": "a"}]},
            {"type": "shell_call", "id": "sh", "call_id": "c4", "action": {"commands": ["ls"]}, "environment": {"type": "container_reference"}},
            {"type": "apply_patch_call", "call_id": "c5", "operation": {"type": "delete_file", "path": "a"}},
            {"type": "apply_patch_call_output", "call_id": "c5", "status": "completed"},
            {"type": "web_search_call", "id": "ws", "status": "completed", "action": {"type": "search", "query": "q"}},
            {"type": "file_search_call", "id": "fs", "queries": ["q"], "results": null},
            {"type": "code_interpreter_call", "id": "ci", "code": "1+1", "outputs": [{"type": "logs", "logs": "2"}]},
            {"type": "image_generation_call", "id": "ig", "result": "QUJD"},
            {"type": "mcp_call", "id": "mc", "name": "read", "server_label": "s", "arguments": "{}", "output": "o"},
            {"type": "mcp_list_tools", "id": "ml", "server_label": "s", "tools": []},
            {"type": "mcp_approval_request", "id": "ma", "name": "read"},
            {"type": "mcp_approval_response", "approval_request_id": "ma", "approve": true},
            {"type": "tool_search_output", "id": "to", "tools": []},
            {"type": "item_reference", "id": "msg_0"},
            {"id": "msg_1"},
            {"type": "brand_new", "url": "https://h.example?key=1", "encrypted_stuff": "x"}
        ])),
        json!([
            {"role": "assistant", "parts": [
                {"type": "tool_call", "id": "c1", "name": "computer", "arguments": {"action": {"type": "click", "x": 1}}}]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1",
                "response": {"type": "computer_screenshot", "image_url": "https://h.example/s"}}]},
            {"role": "assistant", "parts": [{"type": "tool_call", "id": "c2", "name": "local_shell",
                "arguments": {"action": {"type": "exec", "command": ["ls"]}}}]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c2", "response": "a"}]},
            {"role": "assistant", "parts": [{"type": "tool_call", "id": "c3", "name": "shell",
                "arguments": {"action": {"commands": ["ls"]}}}]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c3", "response": [{"stdout": "a"}]}]},
            {"role": "assistant", "parts": [{"type": "server_tool_call", "id": "sh", "name": "shell", "server_tool_call":
                {"type": "shell", "call_id": "c4", "action": {"commands": ["ls"]}, "environment": {"type": "container_reference"}}}]},
            {"role": "assistant", "parts": [{"type": "tool_call", "id": "c5", "name": "apply_patch",
                "arguments": {"operation": {"type": "delete_file", "path": "a"}}}]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c5", "response": {"status": "completed"}}]},
            {"role": "assistant", "parts": [{"type": "server_tool_call", "id": "ws", "name": "web_search", "server_tool_call":
                {"type": "web_search", "status": "completed", "action": {"type": "search", "query": "q"}}}]},
            {"role": "assistant", "parts": [{"type": "server_tool_call", "id": "fs", "name": "file_search", "server_tool_call":
                {"type": "file_search", "queries": ["q"]}}]},
            {"role": "assistant", "parts": [{"type": "server_tool_call", "id": "ci", "name": "code_interpreter", "server_tool_call":
                {"type": "code_interpreter", "code": "1+1", "outputs": [{"type": "logs", "logs": "2"}]}}]},
            {"role": "assistant", "parts": [{"type": "server_tool_call", "id": "ig", "name": "image_generation",
                "server_tool_call": {"type": "image_generation", "result": "QUJD"}}]},
            {"role": "assistant", "parts": [{"type": "server_tool_call", "id": "mc", "name": "read", "server_tool_call":
                {"type": "mcp", "server_label": "s", "arguments": "{}", "output": "o"}}]},
            {"role": "assistant", "parts": [{"type": "server_tool_call", "id": "ml", "name": "mcp_list_tools",
                "server_tool_call": {"type": "mcp_list_tools", "server_label": "s", "tools": []}}]},
            {"role": "assistant", "parts": [{"type": "mcp_approval_request", "id": "ma", "name": "read"}]},
            {"role": "user", "parts": [{"type": "mcp_approval_response", "approval_request_id": "ma", "approve": true}]},
            {"role": "assistant", "parts": [{"type": "server_tool_call_response", "id": "to",
                "server_tool_call_response": {"type": "tool_search_output", "tools": []}}]},
            {"role": "assistant", "parts": [{"type": "item_reference", "id": "msg_0"}]},
            {"role": "assistant", "parts": [{"type": "item_reference", "id": "msg_1"}]},
            {"role": "assistant", "parts": [{"type": "brand_new", "url": "https://h.example"}]},
        ])
    );
}

#[test]
fn compaction() {
    let chat = request(
        &json!({"input": [{"type": "compaction", "id": "cmp", "encrypted_content": "ZW5j"}]}),
        Options::new(true),
    );
    assert!(chat.response.conversation_compacted);
    assert_eq!(told(&chat.request.input_messages)[0]["parts"], json!([{"type": "compaction", "id": "cmp"}]));
    let item = json!({"type": "compaction", "id": "cmp", "encrypted_content": "ZW5j"});
    for content in [true, false] {
        let body = json!({"object": "response", "status": "completed", "output": [item]}).to_string();
        assert!(answer("application/json", &body, Options::new(content)).0.response.conversation_compacted);
        let done = events(&[json!({"type": "response.output_item.done", "output_index": 0, "item": item})]);
        assert!(answer("text/event-stream", &done, Options::new(content)).0.response.conversation_compacted);
    }
}

#[test]
fn an_answer() {
    let body = json!({
        "id": "resp_1", "object": "response", "status": "completed", "model": "gpt-5-mini-2025-08-07",
        "service_tier": "default", "conversation": {"id": "conv_1"}, "error": null, "incomplete_details": null,
        "output": [
            {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "hm"}]},
            {"type": "message", "role": "assistant", "status": "completed", "content": [
                {"type": "output_text", "text": "On its way.", "annotations": [{"type": "url_citation", "url": "https://h.example?k=1"}]}]},
            {"type": "function_call", "id": "fc", "call_id": "c1", "name": "f", "arguments": "{}", "status": "completed"},
            {"type": "function_call", "id": "fc", "call_id": "c2", "name": "g", "arguments": "oops", "status": "completed"}
        ],
        "usage": {"input_tokens": 100, "input_tokens_details": {"cached_tokens": 64, "cache_write_tokens": 9},
                  "output_tokens": 50, "output_tokens_details": {"reasoning_tokens": 32}, "total_tokens": 150}
    });
    let (chat, failure) = whole(&body);
    assert_eq!(failure, None);
    let response = &chat.response;
    assert_eq!(
        (response.id.as_deref(), response.model.as_deref()),
        (Some("resp_1"), Some("gpt-5-mini-2025-08-07"))
    );
    assert_eq!(response.finish_reasons, ["stop", "tool_calls"]);
    assert_eq!(chat.openai.response_service_tier.as_deref(), Some("default"));
    assert_eq!(chat.conversation_id.as_deref(), Some("conv_1"));
    assert_eq!((chat.usage.input_tokens, chat.usage.output_tokens), (Some(100), Some(50)));
    assert_eq!(
        (chat.usage.cache_read_input_tokens, chat.usage.cache_write_input_tokens),
        (Some(64), Some(9))
    );
    assert_eq!(chat.usage.reasoning_output_tokens, Some(32));
    assert_eq!(
        told(&response.output_messages),
        json!([
            {"role": "assistant", "finish_reason": "stop", "parts": [{"type": "reasoning", "content": "hm"}]},
            {"role": "assistant", "finish_reason": "tool_call", "parts": [
                {"type": "text", "content": "On its way.", "annotations": [{"type": "url_citation", "url": "https://h.example"}]},
                {"type": "tool_call", "id": "c1", "name": "f", "arguments": {}},
                {"type": "tool_call", "id": "c2", "name": "g", "arguments": "oops"},
            ]},
        ])
    );
    for options in [Options::new(false), Options::new(true).limit(0)] {
        let (mut without, failure) = answer("application/json", &body.to_string(), options);
        assert_eq!((failure, without.response.output_messages.len()), (None, 0));
        without.response.output_messages.clone_from(&response.output_messages);
        assert_eq!(without, chat, "everything else is the same");
    }
}

#[test]
fn why_it_ended() {
    let item = json!({"type": "message", "role": "assistant", "status": "incomplete", "content": [{"type": "output_text", "text": "h"}]});
    let ended = |status: &str, details: Value| {
        let (chat, failure) = whole(&json!({
            "object": "response", "status": status, "incomplete_details": details, "output": [item],
            "error": if status == "failed" { json!({"code": "rate_limit_exceeded", "message": "m"}) } else { Value::Null }}));
        let reason = told(&chat.response.output_messages)[0]["finish_reason"].clone();
        (chat.response.finish_reasons, reason, failure)
    };
    let reasons = |reason: &str| vec![reason.to_owned()];
    assert_eq!(
        ended("incomplete", json!({"reason": "max_output_tokens"})),
        (reasons("length"), json!("length"), None)
    );
    assert_eq!(
        ended("incomplete", json!({"reason": "content_filter"})),
        (reasons("content_filter"), json!("content_filter"), None)
    );
    assert_eq!(ended("incomplete", json!({"reason": "new"})), (reasons("new"), json!("new"), None));
    assert_eq!(ended("incomplete", Value::Null), (reasons("incomplete"), json!("incomplete"), None));
    assert_eq!(ended("cancelled", Value::Null).0, ["error"]);
    assert_eq!(ended("cancelled", Value::Null).2, None, "whoever cancelled it got what was wanted");
    assert_eq!(
        (ended("failed", Value::Null).0, ended("failed", Value::Null).2),
        (reasons("error"), Some(Failure::new("rate_limit_exceeded").message("m")))
    );
    for status in ["queued", "in_progress"] {
        let (chat, failure) =
            whole(&json!({"id": "r", "object": "response", "status": status, "output": [], "usage": null}));
        assert_eq!(
            (chat.response.finish_reasons.len(), failure),
            (0, None),
            "{status}: made in the background"
        );
        assert_eq!(chat.response.id.as_deref(), Some("r"));
    }
    let tools = json!([{"type": "web_search_call", "id": "w", "status": "completed"}]);
    let (chat, _) = whole(&json!({"status": "completed", "output": tools}));
    assert_eq!(chat.response.finish_reasons, ["stop"]);
}

#[test]
fn answers_that_are_none() {
    let failure = |body: &str| answer("application/json", body, Options::new(true)).1;
    assert_eq!(failure(r#"{"error":{"code":"c","message":"m"}}"#), Some(Failure::new("c").message("m")));
    assert_eq!(failure("{}").unwrap().error_type, "malformed_response");
    assert_eq!(failure("OK").unwrap().error_type, "malformed_response");
    assert_eq!(failure(r#"{"object":"response","output":null}"#), None);
    assert_eq!(put_out(&json!([null, 7, {"type": "message"}, {"type": "function_call"}])), json!([]));
}

#[test]
fn a_served_model_that_azure_tells() {
    let route = route_to(&Method::POST, URL).unwrap();
    let body = r#"{"object":"response","model":"router","output":[]}"#;
    let headers = [("content-type", "application/json"), ("x-ms-served-model", "gpt-4.1-mini-2025-04-14")];
    let (call, _) = answer_to(&route, &headers, body, Options::new(true));
    let Call::Inference(chat) = call else { panic!() };
    assert_eq!(chat.response.model.as_deref(), Some("gpt-4.1-mini-2025-04-14"));
}

const RICH: &str = include_str!("streams/OpenAiResponses.sse");

/// What the rich stream says, but for its broken emoji, which its last event repairs.
fn rich_messages() -> Value {
    json!([
        {"role": "assistant", "finish_reason": "stop", "parts": [
            {"type": "reasoning", "content": "**Wo ist das Paket?**"}, {"type": "reasoning", "content": "Zweitens."}]},
        {"role": "assistant", "finish_reason": "stop", "parts": [{"type": "server_tool_call", "id": "ws_1",
            "name": "web_search", "server_tool_call": {"type": "web_search", "status": "completed",
                "action": {"type": "search", "query": "Paket 🌍", "url": "https://h.example/"}}}]},
        {"role": "assistant", "finish_reason": "tool_call", "parts": [
            {"type": "text", "content": "Grüße, 世界 🌍\n", "annotations": [{"type": "url_citation",
                "url": "https://h.example/a", "title": "A", "start_index": 0, "end_index": 3}]},
            {"type": "tool_call", "id": "call_1", "name": "track", "arguments": {"order": 7}}]},
    ])
}

#[test]
fn a_stream() {
    let (chat, failure) = stream(RICH);
    assert_eq!(failure, None);
    assert_eq!(told(&chat.response.output_messages), rich_messages());
    assert_eq!(chat.response.finish_reasons, ["stop", "tool_calls"]);
    assert_eq!(chat.response.id.as_deref(), Some("resp_1"));
    assert_eq!((chat.usage.input_tokens, chat.usage.reasoning_output_tokens), (Some(100), Some(32)));
    assert_eq!(
        chat.openai.response_service_tier.as_deref(),
        Some("default"),
        "not the `auto` of the beginning"
    );
    let (without_output, failure) = stream(include_str!("streams/OpenAiResponses.without_output.sse"));
    assert_eq!(failure, None);
    assert_eq!(told(&without_output.response.output_messages), rich_messages(), "of the items alone");
    let (mut brief, _) = answer("text/event-stream", RICH, Options::new(false));
    assert!(brief.response.output_messages.is_empty());
    brief.response.output_messages.clone_from(&chat.response.output_messages);
    assert_eq!(brief, chat, "everything else is the same");
}

#[test]
fn a_stream_that_stops_keeps_what_came() {
    let until = |mark: &str| {
        let (before, _) = RICH.split_once(mark).unwrap();
        let (chat, failure) = stream(before);
        assert_eq!(failure.unwrap().error_type, "truncated_response", "{mark}");
        (chat.response.finish_reasons.clone(), told(&chat.response.output_messages))
    };
    let (reasons, messages) = until("event: response.output_item.added");
    assert_eq!((reasons.len(), messages), (0, json!([])), "nothing was begun");
    let (_, messages) = until(r#"data: {"type": "response.output_item.done", "sequence_number": 8"#);
    assert_eq!(messages[0]["finish_reason"], "error");
    assert_eq!(
        messages[0]["parts"],
        json!([{"type": "reasoning", "content": "**Wo ist das Paket?**"}, {"type": "reasoning", "content": "Zweitens."}])
    );
    let (reasons, messages) = until("event: response.output_text.done");
    assert_eq!(reasons, ["error"]);
    assert_eq!(
        messages[2],
        json!({"role": "assistant", "finish_reason": "error", "parts": [{"type": "text", "content": "Grüße, 世界 🌍\n\u{fffd}"}]})
    );
    let (_, messages) = until(r#""delta": "7}""#);
    assert_eq!(
        messages[2]["parts"][1],
        json!({"type": "tool_call", "id": "call_1", "name": "track", "arguments": "{\"order\":"}),
        "arguments that are not complete are told as they came"
    );
}

#[test]
fn a_stream_without_beginnings() {
    let body = events(&[
        json!({"type": "response.reasoning_text.delta", "output_index": 0, "content_index": 0, "delta": "hm"}),
        json!({"type": "response.output_text.delta", "output_index": 1, "content_index": 0, "delta": "a"}),
        json!({"type": "response.refusal.delta", "output_index": 1, "content_index": 1, "delta": "no"}),
        json!({"type": "response.function_call_arguments.delta", "output_index": 2, "delta": "{}"}),
        json!({"type": "response.output_item.added", "output_index": 3,
               "item": {"type": "code_interpreter_call", "id": "ci", "status": "in_progress"}}),
        json!({"type": "response.code_interpreter_call_code.delta", "output_index": 3, "delta": "1+1"}),
        json!({"type": "response.output_item.added", "output_index": 4, "item": {"type": "custom_tool_call", "call_id": "c", "name": "sql"}}),
        json!({"type": "response.custom_tool_call_input.delta", "output_index": 4, "delta": "select 1"}),
        json!({"type": "response.completed", "response": {"status": "completed"}}),
    ]);
    let (chat, failure) = stream(&body);
    assert_eq!(failure, None);
    assert_eq!(
        told(&chat.response.output_messages),
        json!([
            {"role": "assistant", "finish_reason": "stop", "parts": [{"type": "reasoning", "content": "hm"}]},
            {"role": "assistant", "finish_reason": "stop", "parts": [{"type": "text", "content": "a"}, {"type": "text", "content": "no"}]},
            {"role": "assistant", "finish_reason": "stop", "parts": [{"type": "server_tool_call", "id": "ci",
                "name": "code_interpreter", "server_tool_call": {"type": "code_interpreter", "code": "1+1"}}]},
            {"role": "assistant", "finish_reason": "tool_call", "parts": [
                {"type": "tool_call", "id": "c", "name": "sql", "arguments": "select 1"}]},
        ])
    );
}

#[test]
fn streams_that_fail() {
    let begun = json!({"type": "response.created", "response": {"id": "resp_1", "status": "in_progress", "output": []}});
    let (chat, failure) = stream(&events(&[
        begun.clone(),
        json!({"type": "response.output_text.delta", "output_index": 0, "delta": "h"}),
        json!({"type": "response.failed", "response": {"status": "failed", "error": {"code": "server_error", "message": "boom"}}}),
    ]));
    assert_eq!(failure, Some(Failure::new("server_error").message("boom")));
    assert_eq!(chat.response.finish_reasons, ["error"]);
    assert_eq!(told(&chat.response.output_messages)[0]["finish_reason"], "error");
    for (event, error_type) in [
        (json!({"type": "error", "code": "server_error", "message": "boom", "param": null}), "server_error"),
        (
            json!({"type": "error", "error": {"type": "too_many_requests", "message": "boom"}}),
            "too_many_requests",
        ),
        (json!({"type": "error", "code": null, "message": "boom"}), "_OTHER"),
    ] {
        let (_, failure) = stream(&events(&[begun.clone(), event]));
        assert_eq!(failure, Some(Failure::new(error_type).message("boom")));
    }
    let (chat, failure) = stream(&events(&[
        begun,
        json!({"type": "response.incomplete", "response": {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}}),
    ]));
    assert_eq!((failure, chat.response.finish_reasons), (None, vec!["length".to_owned()]));
}

#[test]
fn content_has_bounds() {
    let many: Vec<Value> = (0..200)
        .map(|_| json!({"type": "response.output_text.delta", "output_index": 0, "delta": "0123456789"}))
        .collect();
    let (chat, _) = answer("text/event-stream", &events(&many), Options::new(true).limit(100));
    let Part::Text(text) = &chat.response.output_messages[0].parts[0] else { panic!() };
    assert_eq!(text.content.len(), 100);
}

#[test]
fn a_fetch() {
    let (fetch, failure) = fetched("");
    assert_eq!(
        (fetch.response_id.as_str(), fetch.stream, fetch.stream_cursor.as_deref()),
        ("resp_1", true, Some("5"))
    );
    assert_eq!(failure.unwrap().error_type, "truncated_response");
    let body = json!({
        "id": "resp_1", "object": "response", "status": "failed", "model": "m-1", "service_tier": "default",
        "error": {"code": "server_error", "message": "boom"}, "output": [], "instructions": [
            {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Be brief."}]}],
        "tools": [{"type": "function", "name": "f", "parameters": {}}],
        "usage": {"input_tokens": 1, "output_tokens": 1}
    });
    let (fetch, failure) = fetched(&body.to_string());
    assert_eq!(failure, None, "the fetch went well");
    assert_eq!(
        (fetch.status, fetch.finish_reasons),
        (Some(ResponseStatus::Failed), vec!["error".to_owned()])
    );
    assert_eq!(fetch.response_model.as_deref(), Some("m-1"));
    assert_eq!(fetch.openai.response_service_tier.as_deref(), Some("default"));
    assert_eq!(fetch.openai.api_type, Some(OpenAiApiType::Responses));
    assert_eq!(told(&fetch.system_instructions), json!([{"type": "text", "content": "Be brief."}]));
    assert_eq!(told(&fetch.tool_definitions), json!([{"type": "function", "name": "f", "parameters": {}}]));
    let (fetch, failure) = fetched(RICH);
    assert_eq!((failure, fetch.status), (None, Some(ResponseStatus::Completed)));
    assert_eq!(told(&fetch.output_messages), rich_messages());
    let waiting = r#"{"id":"resp_1","object":"response","status":"in_progress","output":[]}"#;
    assert_eq!(fetched(waiting).0.status, Some(ResponseStatus::InProgress));
    assert_eq!(fetched(r#"{"error":{"code":"c","message":"m"}}"#).1, Some(Failure::new("c").message("m")));
}

#[test]
fn recorded_exchanges_say_what_their_bodies_say() {
    let exchanges = common::exchanges("");
    let read = exchanges.iter().filter(|exchange| check(exchange)).count();
    println!("{read} of {} exchanges were read", exchanges.len());
}

/// Whether the exchange is of this protocol.
fn check(exchange: &Exchange) -> bool {
    let name = &exchange.name;
    let route = exchange.route("api.x.ai").filter(|route| route.protocol == Protocol::OpenAiResponses);
    let Some(route) = route else { return false };
    let played = exchange.play_all_ways(&route, Options::new(true)).unwrap();
    let Call::Inference(chat) = &played.call else { panic!("{name}") };
    assert_eq!(chat.request.model.as_deref(), exchange.request["model"].as_str(), "{name}");
    assert_eq!((played.skipped, &played.note), (0, &None), "{name}");
    if exchange.status >= 400 {
        assert!(!played.failure.unwrap().error_type.is_empty(), "{name}");
        return true;
    }
    assert_eq!(played.failure, None, "{name}");
    let documents = exchange.documents();
    let mut responses = documents.iter().map(|document| match &document["response"] {
        Value::Object(_) => &document["response"],
        _ => document,
    });
    let last =
        responses.rfind(|response| response["status"].is_string() && response["id"].is_string()).unwrap();
    assert_eq!(chat.response.id.as_deref(), last["id"].as_str(), "{name}");
    assert_eq!(chat.response.model.as_deref(), last["model"].as_str(), "{name}");
    assert_eq!(chat.usage.input_tokens, last["usage"]["input_tokens"].as_u64(), "{name}");
    assert_eq!(chat.usage.output_tokens, last["usage"]["output_tokens"].as_u64(), "{name}");
    let deltas = documents.iter().filter(|document| document["type"] == "response.output_text.delta");
    let streamed: String = deltas.filter_map(|document| document["delta"].as_str()).collect();
    let parts = chat.response.output_messages.iter().flat_map(|message| &message.parts);
    let text: String = parts
        .clone()
        .filter_map(|part| if let Part::Text(text) = part { Some(text.content.as_str()) } else { None })
        .collect();
    if !streamed.is_empty() {
        assert_eq!(text, streamed, "{name}");
    }
    let done = documents
        .iter()
        .filter(|document| document["type"] == "response.output_item.done")
        .map(|document| &document["item"]);
    let items: Vec<&Value> = done
        .chain(last["output"].as_array().into_iter().flatten().filter(|_| documents.len() == 1))
        .collect();
    let calls = items.iter().filter(|item| item["type"] == "function_call").count();
    assert_eq!(parts.filter(|part| matches!(part, Part::ToolCall(_))).count(), calls, "{name}");
    true
}
