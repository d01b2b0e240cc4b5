//! The Model Context Protocol over streamable HTTP: what was read is what the messages say.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use otel_genai::{Failure, McpCall, McpSide};
use otel_genai_wire::{Call, Options, Protocol, RequestReader, ResponseReader, Route, detect};
use serde_json::{Value, json};

const BOTH: (&str, &str) = ("accept", "application/json, text/event-stream;q=0.9");
const SESSION: (&str, &str) = ("mcp-session-id", "s-1");
const VERSION: (&str, &str) = ("mcp-protocol-version", "2025-06-18");

fn headers(headers: &[(&'static str, &str)]) -> HeaderMap {
    let header = |(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
    };
    headers.iter().map(header).collect()
}

fn detected(url: &str, head: &[(&'static str, &str)]) -> Option<Route> {
    detect(&Method::POST, &url.parse::<Uri>().unwrap(), &headers(head))
}

fn route(head: &[(&'static str, &str)]) -> Route {
    detected("https://tools.example/mcp?key=secret", head).unwrap()
}

fn sent(head: &[(&'static str, &str)], body: &str, options: Options) -> Option<McpCall> {
    let mut reader = RequestReader::new(&route(head), options);
    reader.push(body.as_bytes());
    match reader.finish()? {
        Call::McpCall(op) => Some(*op),
        other => panic!("{other:?}"),
    }
}

fn request(method: &str, params: &Value) -> McpCall {
    let body = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).to_string();
    let full = sent(&[BOTH, SESSION, VERSION], &body, Options::new(true)).unwrap();
    let mut brief = sent(&[BOTH, SESSION, VERSION], &body, Options::new(false)).unwrap();
    assert!(brief.arguments.is_none() && brief.prompt_variables.is_empty());
    brief.arguments.clone_from(&full.arguments);
    brief.prompt_variables.clone_from(&full.prompt_variables);
    assert_eq!(brief, full, "the rest is the same");
    full
}

fn answered(
    op: &McpCall,
    status: u16,
    head: &[(&'static str, &str)],
    body: &str,
) -> (McpCall, Option<Failure>) {
    let mut op = op.clone();
    let call = op.clone().into();
    let mut reader = ResponseReader::new(&route(&[BOTH]), status, &headers(head), &call, Options::new(true));
    reader.push(body.as_bytes());
    let failure = reader.finish(&mut op);
    (op, failure)
}

const JSON: (&str, &str) = ("content-type", "application/json");
const SSE: (&str, &str) = ("content-type", "text/event-stream");

fn tool_call() -> McpCall {
    request("tools/call", &json!({"name": "track", "arguments": {"order": 17}}))
}

#[test]
fn headers_and_body_together_make_a_call() {
    for head in [&[BOTH][..], &[SESSION], &[VERSION], &[("accept", "text/event-stream,application/json")]] {
        assert_eq!(route(head).protocol, Protocol::Mcp, "{head:?}");
    }
    for head in [&[][..], &[("accept", "application/json")], &[("accept", "*/*")]] {
        assert_eq!(detected("https://tools.example/mcp", head), None, "{head:?}");
    }
    let chat = detected("https://api.openai.com/v1/chat/completions", &[BOTH]).unwrap();
    assert_eq!(chat.protocol, Protocol::OpenAiChat, "what is known stays so");
    for body in [
        r#"{"model":"m","messages":[]}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[]}"#,
        r#"{"id":1,"method":"tools/call"}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
        "not JSON",
        "",
    ] {
        for content in [true, false] {
            assert_eq!(sent(&[BOTH], body, Options::new(content)), None, "{body}");
        }
    }
    let new =
        sent(&[SESSION], r#"{"jsonrpc":"2.0","id":1,"method":"tasks/get"}"#, Options::new(true)).unwrap();
    assert_eq!(new.method.as_str(), "tasks/get", "within a session");
}

#[test]
fn requests() {
    let call = tool_call();
    assert_eq!((call.side, call.method.as_str()), (McpSide::Client, "tools/call"));
    assert_eq!((call.tool_name.as_deref(), call.request_id.as_deref()), (Some("track"), Some("7")));
    assert_eq!(call.arguments, Some(json!({"order": 17})));
    assert_eq!(
        (call.session_id.as_deref(), call.protocol_version.as_deref()),
        (Some("s-1"), Some("2025-06-18"))
    );
    assert_eq!(call.jsonrpc_version, None);
    let server = call.server.clone().unwrap();
    assert_eq!((server.address.as_str(), server.port), ("tools.example", Some(443)));
    assert_eq!(
        (call.network.transport.as_deref(), call.network.protocol_name.as_deref()),
        (Some("tcp"), Some("http"))
    );
    assert!(!format!("{call:?}").contains("secret"));

    let prompt = request("prompts/get", &json!({"name": "greet", "arguments": {"who": "Ann", "times": 2}}));
    assert_eq!(prompt.prompt_name.as_deref(), Some("greet"));
    assert_eq!(prompt.prompt_variables, [("times".into(), "2".into()), ("who".into(), "Ann".into())]);
    assert_eq!((prompt.tool_name, prompt.arguments), (None, None));

    for method in ["resources/read", "resources/subscribe", "resources/unsubscribe"] {
        assert_eq!(request(method, &json!({"uri": "file:///a"})).resource_uri.as_deref(), Some("file:///a"));
    }
    let complete = request("completion/complete", &json!({"ref": {"type": "ref/prompt", "name": "greet"}}));
    assert_eq!(complete.prompt_name.as_deref(), Some("greet"));
    let list = request("tools/list", &Value::Null);
    assert_eq!((list.tool_name, list.resource_uri), (None, None));

    let body = r#"{"jsonrpc":"1.0","id":"abc","method":"ping"}"#;
    let ping = sent(&[BOTH], body, Options::new(true)).unwrap();
    assert_eq!((ping.request_id.as_deref(), ping.jsonrpc_version.as_deref()), (Some("abc"), Some("1.0")));
    let batch = format!("[{body},{body}]");
    assert_eq!(sent(&[BOTH], &batch, Options::new(true)).unwrap(), ping, "the first of a batch");
    assert_eq!(sent(&[BOTH], &batch, Options::new(false)).unwrap(), ping);
}

#[test]
fn a_session_begins() {
    let body = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2099-01-01","clientInfo":{"name":"c"}}}"#;
    let asked = sent(&[BOTH], body, Options::new(true)).unwrap();
    assert_eq!(asked.protocol_version.as_deref(), Some("2099-01-01"), "as proposed");
    let answer =
        r#"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-06-18","serverInfo":{"name":"s"}}}"#;
    let (op, failure) = answered(&asked, 200, &[JSON, ("mcp-session-id", "s-2")], answer);
    assert_eq!(failure, None);
    assert_eq!((op.session_id.as_deref(), op.protocol_version.as_deref()), (Some("s-2"), Some("2025-06-18")));
    assert_eq!(op.result, None, "only tools have results");
}

#[test]
fn answers() {
    let result = json!({"content": [{"type": "text", "text": "see https://shop.example/?id=1"},
        {"type": "resource_link", "uri": "https://u:p@files.example/a?key=1"}], "isError": false, "_meta": {"x": 1}});
    let cleaned = json!({"content": [{"type": "text", "text": "see https://shop.example/?id=1"},
        {"type": "resource_link", "uri": "https://files.example/a"}], "isError": false});
    let reply = json!({"jsonrpc": "2.0", "id": 7, "result": result});
    for (head, body) in [
        (JSON, reply.to_string()),
        (JSON, format!("[{{\"jsonrpc\":\"2.0\",\"id\":6,\"result\":{{}}}},{reply}]")),
        (SSE, format!("data:\n\ndata: {reply}\n\n")),
        (SSE, format!("data: {{\"jsonrpc\":\"2.0\",\"id\":6,\"result\":{{}}}}\n\ndata: [{reply}]\n\n")),
    ] {
        let (op, failure) = answered(&tool_call(), 200, &[head], &body);
        assert_eq!((failure, op.result.as_ref()), (None, Some(&cleaned)), "{body}");
    }
}

#[test]
fn failures() {
    let text = json!({"jsonrpc": "2.0", "id": 7, "result": {"isError": true, "content": [{"type": "text", "text": "no such order"}]}});
    let (op, failure) = answered(&tool_call(), 200, &[JSON], &text.to_string());
    assert_eq!(failure, Some(Failure::new("tool_error").message("no such order")));
    assert!(op.result.is_some() && op.response_status_code.is_none());

    for (head, body) in [
        (JSON, json!({"jsonrpc": "2.0", "id": 7, "error": {"code": -32602, "message": "Unknown tool"}}).to_string()),
        (JSON, json!({"jsonrpc": "2.0", "id": null, "error": {"code": -32602, "message": "Unknown tool"}}).to_string()),
        (SSE, "data: {\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32602,\"message\":\"Unknown tool\"}}\n\n".to_owned()),
    ] {
        let (op, failure) = answered(&tool_call(), 200, &[head], &body);
        assert_eq!(failure, Some(Failure::new("-32602").message("Unknown tool")), "{body}");
        assert_eq!(op.response_status_code.as_deref(), Some("-32602"));
    }
    let (_, failure) = answered(
        &tool_call(),
        400,
        &[JSON],
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"No session"}}"#,
    );
    assert_eq!(failure, Some(Failure::new("-32600").message("No session")));
    let (_, failure) = answered(&tool_call(), 404, &[JSON], "");
    assert_eq!(failure.unwrap().error_type, "404");

    let kind = |head, body| answered(&tool_call(), 200, &[head], body).1.unwrap().error_type;
    assert_eq!(
        kind(SSE, "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}\n\n"),
        "truncated_response"
    );
    assert_eq!(kind(JSON, r#"{"jsonrpc":"2.0","id":9,"result":{}}"#), "malformed_response");
    assert_eq!(kind(JSON, ""), "malformed_response");
}

#[test]
fn a_notification_has_no_answer() {
    let body = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    let told = sent(&[BOTH, SESSION], body, Options::new(true)).unwrap();
    assert_eq!((told.method.as_str(), told.request_id.as_deref()), ("notifications/initialized", None));
    for head in [&[][..], &[JSON], &[SSE]] {
        let (_, failure) = answered(&told, 202, head, "");
        assert_eq!(failure, None, "{head:?}");
    }
}

#[test]
fn where_there_are_no_sessions_each_request_says_the_version_whether_content_is_read_or_not() {
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28"});
    let body =
        json!({"jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": {"_meta": meta}}).to_string();
    for content in [true, false] {
        let op = sent(&[BOTH], &body, Options::new(content)).unwrap();
        assert_eq!(op.protocol_version.as_deref(), Some("2026-07-28"), "content: {content}");
    }
}
