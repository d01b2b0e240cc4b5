//! Calls of other protocols than OpenAI's, and what is said where they cannot be read.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Response, Uri};
use http_body_util::{BodyExt, Full};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use otel_genai::{Capture, GenAi};
use otel_genai_http::{Call, Observer, Options};

/// The attributes of the span of one exchange, of which the answer comes as server-sent events.
async fn attributes(url: &str, request: &'static str, answer: String) -> BTreeMap<String, String> {
    let spans = InMemorySpanExporter::default();
    let tracers = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
    let genai = GenAi::builder().tracer_provider(&tracers).capture(Capture::SpanOnly).build();
    let observer = Observer::new(genai, Options::default()).unwrap();

    let url: Uri = url.parse().unwrap();
    let exchange = observer.begin(&Call::new(&Method::POST, &url, &HeaderMap::new())).expect("a model call");
    exchange.request_body(Full::new(Bytes::from(request))).collect().await.unwrap();
    let (head, ()) =
        Response::builder().header("content-type", "text/event-stream").body(()).unwrap().into_parts();
    let body = exchange.response(&head, Full::new(Bytes::from(answer.clone())));
    assert_eq!(body.collect().await.unwrap().to_bytes(), answer);

    assert!(observer.drain(Duration::from_secs(10)));
    let spans = spans.get_finished_spans().unwrap();
    assert_eq!(spans.len(), 1, "{spans:#?}");
    spans[0].attributes.iter().map(|a| (a.key.to_string(), a.value.to_string())).collect()
}

const EVENTS: [&str; 5] = [
    r#"{"type":"message_start","message":{"id":"msg_1","model":"claude-opus-4-8","role":"assistant","content":[],"usage":{"input_tokens":5,"cache_read_input_tokens":100,"cache_creation_input_tokens":10,"output_tokens":1}}}"#,
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"On its way."}}"#,
    r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":4}}"#,
    r#"{"type":"message_stop"}"#,
];
const URL: &str = "https://api.anthropic.com/v1/messages";
const REQUEST: &str = r#"{"model":"claude-opus-4-8","max_tokens":64,"top_k":3,"stream":true,"output_config":{"effort":"low"},"messages":[{"role":"user","content":"Where is my order?"}]}"#;

fn stream(events: &[&str]) -> String {
    events.iter().map(|event| format!("data: {event}\n\n")).collect()
}

#[tokio::test]
async fn anthropic() {
    let told = attributes(URL, REQUEST, stream(&EVENTS)).await;
    let expected = [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "anthropic"),
        ("gen_ai.request.model", "claude-opus-4-8"),
        ("gen_ai.request.max_tokens", "64"),
        ("gen_ai.request.top_k", "3"),
        ("gen_ai.request.reasoning.level", "low"),
        ("gen_ai.response.id", "msg_1"),
        ("gen_ai.response.model", "claude-opus-4-8"),
        ("gen_ai.response.finish_reasons", r#"["end_turn"]"#),
        ("gen_ai.usage.input_tokens", "115"),
        ("gen_ai.usage.output_tokens", "4"),
        ("gen_ai.usage.cache_read.input_tokens", "100"),
        ("gen_ai.usage.cache_creation.input_tokens", "10"),
        ("server.address", "api.anthropic.com"),
        (
            "gen_ai.output.messages",
            r#"[{"role":"assistant","parts":[{"type":"text","content":"On its way."}],"finish_reason":"stop"}]"#,
        ),
    ];
    for (name, value) in expected {
        assert_eq!(told.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert!(!told.contains_key("otel_genai.observation") && !told.contains_key("error.type"), "{told:?}");
}

#[tokio::test]
async fn a_call_that_is_tried_again_and_refused_says_so() {
    let spans = InMemorySpanExporter::default();
    let tracers = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
    let genai = GenAi::builder().tracer_provider(&tracers).build();
    let observer = Observer::new(genai, Options::default()).unwrap();
    let request = http::Request::post(URL).header("x-stainless-retry-count", "2").body(()).unwrap();
    let exchange = observer.begin(&Call::new(request.method(), request.uri(), request.headers())).unwrap();
    exchange.request_body(Full::new(Bytes::from(REQUEST))).collect().await.unwrap();
    let (head, ()) = Response::builder()
        .status(429)
        .header("request-id", "req_1")
        .header("retry-after", "7")
        .header("anthropic-ratelimit-requests-remaining", "0")
        .header("set-cookie", "session=secret")
        .body(())
        .unwrap()
        .into_parts();
    let refused = r#"{"type":"error","error":{"type":"rate_limit_error","message":"Too many."}}"#;
    exchange.response(&head, Full::new(Bytes::from(refused))).collect().await.unwrap();
    assert!(observer.drain(Duration::from_secs(10)));

    let spans = spans.get_finished_spans().unwrap();
    let told: BTreeMap<&str, String> =
        spans[0].attributes.iter().map(|a| (a.key.as_str(), a.value.to_string())).collect();
    for (name, value) in [
        ("error.type", "rate_limit_error"),
        ("http.request.resend_count", "2"),
        ("otel_genai.provider_request_id", "req_1"),
        ("otel_genai.retry_after", "7"),
        ("otel_genai.rate_limit.remaining_requests", "0"),
    ] {
        assert_eq!(told.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert!(!format!("{told:?}").contains("secret"));
}

#[tokio::test]
async fn what_could_not_be_read_is_said() {
    let mut events = EVENTS;
    events[1] = "{half an event";
    let told = attributes(URL, REQUEST, stream(&events)).await;
    assert_eq!(told["otel_genai.observation"], "one event of the stream could not be read and was left out");
    assert_eq!(told["gen_ai.usage.output_tokens"], "4");
    assert!(told["gen_ai.output.messages"].contains("On its way."));
}
