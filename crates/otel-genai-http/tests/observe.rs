//! What an observed exchange leaves in telemetry, and that the body passes untouched.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Response, Uri};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Empty, Full};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use otel_genai::{Capture, GenAi};
use otel_genai_http::{Call, Exchange, Observer, Options};

const URL: &str = "https://api.openai.com/v1/chat/completions";
const REQUEST: &str = r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hi"}]}"#;
const ANSWER: &str = concat!(
    r#"{"id":"chatcmpl-1","object":"chat.completion","model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"#,
    r#""message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"#,
    r#""usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}"#
);
const EVENTS: [&str; 4] = [
    "data: {\"id\":\"c1\",\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"Hel\"}}]}\n\n",
    "data: {\"id\":\"c1\",\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"lo\"}}]}\n\n",
    "data: {\"id\":\"c1\",\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    "data: [DONE]\n\n",
];
const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
const SSE: &[(&str, &str)] = &[("content-type", "text/event-stream; charset=utf-8")];

struct World {
    observer: Observer,
    spans: InMemorySpanExporter,
}

fn world() -> World {
    world_with(Options::default())
}

fn world_with(options: Options) -> World {
    let spans = InMemorySpanExporter::default();
    let tracers = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
    let genai = GenAi::builder().tracer_provider(&tracers).capture(Capture::SpanOnly).build();
    World { observer: Observer::new(genai, options).unwrap(), spans }
}

impl World {
    fn begin(&self) -> Exchange {
        let uri: Uri = URL.parse().unwrap();
        self.observer.begin(&Call::new(&Method::POST, &uri, &HeaderMap::new())).expect("a model call")
    }

    async fn ask(&self) -> Exchange {
        let exchange = self.begin();
        let sent = exchange.request_body(Full::new(Bytes::from(REQUEST))).collect().await.unwrap().to_bytes();
        assert_eq!(sent, REQUEST);
        exchange
    }

    fn span(&self) -> SpanData {
        assert!(self.observer.drain(Duration::from_secs(10)));
        let spans = self.spans.get_finished_spans().unwrap();
        assert_eq!(spans.len(), 1, "{spans:#?}");
        spans.into_iter().next().unwrap()
    }

    fn attributes(&self) -> BTreeMap<String, String> {
        let span = self.span();
        span.attributes.iter().map(|a| (a.key.to_string(), a.value.to_string())).collect()
    }
}

fn head(status: u16, headers: &[(&str, &str)]) -> http::response::Parts {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(()).unwrap().into_parts().0
}

/// Frames, then an error, the end, or silence for ever.
struct Script {
    frames: std::collections::VecDeque<Bytes>,
    last: Last,
}

enum Last {
    End,
    Error(Option<io::ErrorKind>),
    Silence,
}

fn script(frames: &[&str], last: Last) -> Script {
    Script { frames: frames.iter().map(|text| Bytes::copy_from_slice(text.as_bytes())).collect(), last }
}

impl Body for Script {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(bytes) = self.frames.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        match &mut self.last {
            Last::End => Poll::Ready(None),
            Last::Error(kind) => Poll::Ready(kind.take().map(|kind| Err(io::Error::new(kind, "gone")))),
            Last::Silence => Poll::Pending,
        }
    }
}

async fn read(body: &mut (impl Body<Data = Bytes, Error = io::Error> + Unpin), frames: usize) -> String {
    let mut text = String::new();
    for _ in 0..frames {
        let frame = body.frame().await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
    }
    text
}

#[tokio::test]
async fn a_unary_call() {
    let world = world();
    let exchange = world.ask().await;
    let body = exchange.response(&head(200, JSON), Full::new(Bytes::from(ANSWER)));
    assert_eq!(body.size_hint().exact(), Some(ANSWER.len() as u64), "content-length stays known");
    assert_eq!(body.collect().await.unwrap().to_bytes(), ANSWER);
    let attributes = world.attributes();
    for (key, value) in [
        ("gen_ai.request.model", "gpt-4o-mini"),
        ("gen_ai.response.model", "gpt-4o-mini-2024-07-18"),
        ("gen_ai.response.id", "chatcmpl-1"),
        ("gen_ai.usage.input_tokens", "9"),
        ("gen_ai.usage.output_tokens", "3"),
        ("server.address", "api.openai.com"),
        ("server.port", "443"),
    ] {
        assert_eq!(attributes.get(key).map(String::as_str), Some(value), "{key}: {attributes:#?}");
    }
    assert!(attributes["gen_ai.input.messages"].contains("Hi"));
    assert!(attributes["gen_ai.output.messages"].contains("Hello"));
    assert!(!attributes.contains_key("error.type"));
    assert!(!attributes.contains_key("gen_ai.response.time_to_first_chunk"));
}

#[tokio::test]
async fn a_client_that_stops_at_the_terminal_event_has_its_whole_answer() {
    let world = world();
    let mut body = world.ask().await.response(&head(200, SSE), script(&EVENTS, Last::Silence));
    assert_eq!(read(&mut body, 4).await, EVENTS.concat());
    drop(body);
    let attributes = world.attributes();
    assert!(!attributes.contains_key("error.type"), "{attributes:#?}");
    assert!(attributes.contains_key("gen_ai.response.time_to_first_chunk"));
    assert!(attributes["gen_ai.output.messages"].contains("Hello"));
}

#[tokio::test]
async fn a_client_that_stops_at_the_last_word_has_its_whole_answer() {
    let world = world();
    let mut body = world.ask().await.response(&head(200, SSE), script(&EVENTS, Last::Silence));
    read(&mut body, 3).await;
    drop(body);
    let attributes = world.attributes();
    assert!(!attributes.contains_key("error.type"), "{attributes:#?}");
    assert!(attributes["gen_ai.output.messages"].contains("Hello"));
}

#[tokio::test]
async fn an_answer_that_ends_half_way_is_truncated() {
    for (kind, frames) in [(JSON, &[&ANSWER[..100]][..]), (SSE, &EVENTS[..2]), (SSE, &[])] {
        let world = world();
        let body = world.ask().await.response(&head(200, kind), script(frames, Last::End));
        body.collect().await.unwrap();
        let attributes = world.attributes();
        assert_eq!(attributes["error.type"], "truncated_response", "{frames:?}");
        assert_eq!(attributes.contains_key("gen_ai.response.id"), !frames.is_empty(), "{frames:?}");
    }
}

#[tokio::test]
async fn a_body_that_is_no_answer_is_malformed() {
    for body in ["", "<html>", "{}", r#"{"hello":"world"}"#] {
        let world = world();
        world.ask().await.response(&head(200, JSON), Full::new(Bytes::from(body))).collect().await.unwrap();
        assert_eq!(world.attributes()["error.type"], "malformed_response", "{body}");
    }
}

#[tokio::test]
async fn what_was_left_before_it_came_or_cannot_be_read_is_not_judged() {
    let world = world();
    drop(world.ask().await.response(&head(200, JSON), script(&[ANSWER], Last::Silence)));
    assert_eq!(world.attributes()["error.type"], "cancelled");

    let world = self::world();
    let headers = [("content-type", "application/json"), ("content-encoding", "compress")];
    world
        .ask()
        .await
        .response(&head(200, &headers), script(&["\x1f..."], Last::End))
        .collect()
        .await
        .unwrap();
    assert!(!world.attributes().contains_key("error.type"));
}

#[tokio::test]
async fn a_stream_dropped_half_way_is_cancelled_and_keeps_what_came() {
    let world = world();
    let mut body = world.ask().await.response(&head(200, SSE), script(&EVENTS, Last::Silence));
    read(&mut body, 1).await;
    drop(body);
    let attributes = world.attributes();
    assert_eq!(attributes["error.type"], "cancelled");
    assert!(attributes["gen_ai.output.messages"].contains("Hel"));
    assert_eq!(attributes["gen_ai.response.id"], "c1");
}

#[tokio::test]
async fn a_broken_connection_is_told_by_name_and_passed_on() {
    let world = world();
    let broken = script(&EVENTS[..2], Last::Error(Some(io::ErrorKind::ConnectionReset)));
    let mut body = world.ask().await.response(&head(200, SSE), broken);
    read(&mut body, 2).await;
    let error = body.frame().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "the reader sees the same error");
    assert_eq!(world.attributes()["error.type"], "connection_reset");
}

#[tokio::test]
async fn a_stream_without_a_terminal_event_ends_with_its_body() {
    let world = world();
    let body = world.ask().await.response(&head(200, SSE), script(&EVENTS[..3], Last::End));
    body.collect().await.unwrap();
    assert!(!world.attributes().contains_key("error.type"));
}

#[tokio::test]
async fn what_the_provider_says_of_a_failure_beats_how_the_connection_ended() {
    let world = world();
    let answer = r#"{"error":{"message":"slow down","type":"requests","code":"rate_limit_exceeded"}}"#;
    let mut body = world.ask().await.response(&head(429, JSON), script(&[answer], Last::Silence));
    read(&mut body, 1).await;
    drop(body);
    assert_eq!(world.attributes()["error.type"], "rate_limit_exceeded");
}

#[tokio::test]
async fn an_empty_answer_ends_without_being_polled() {
    let world = world();
    let body = world.ask().await.response(&head(503, &[]), Empty::<Bytes>::new());
    assert!(body.is_end_stream());
    assert_eq!(world.attributes()["error.type"], "503");
}

#[tokio::test]
async fn a_call_without_an_answer() {
    let world = world();
    let exchange = world.ask().await;
    exchange.fail(otel_genai::Failure::new("connection_refused").message("nobody listens"));
    assert_eq!(world.attributes()["error.type"], "connection_refused");

    let world = self::world();
    drop(world.ask().await);
    let attributes = world.attributes();
    assert_eq!(attributes["error.type"], "cancelled");
    assert_eq!(attributes["gen_ai.request.model"], "gpt-4o-mini");
}

#[tokio::test]
async fn calls_are_counted_whatever_becomes_of_their_telemetry() {
    let genai = GenAi::builder().convention(otel_genai::ConventionName::V2026_10).build();
    let world = World { observer: Observer::new(genai, Options::default()).unwrap(), ..world() };
    let body = world.ask().await.response(&head(200, JSON), Full::new(Bytes::from(ANSWER)));
    body.collect().await.unwrap();
    let body = world.ask().await.response(&head(429, JSON), Full::new(Bytes::from("{}")));
    body.collect().await.unwrap();
    drop(world.ask().await);
    assert!(world.observer.drain(Duration::from_secs(10)));
    let totals = world.observer.totals();
    assert_eq!(
        (totals.calls, totals.errors, totals.input_tokens, totals.output_tokens),
        (3, 2, 9, 3),
        "{totals:?}"
    );
}

#[tokio::test]
async fn an_answer_that_comes_before_the_request_is_complete() {
    let world = world();
    let exchange = world.begin();
    let mut request = exchange.request_body(script(&["{\"model\":\"gpt-4o-mini\",", "\"n\":1}"], Last::End));
    read(&mut request, 1).await;
    let body = exchange.response(&head(401, JSON), Full::new(Bytes::from("{}")));
    body.collect().await.unwrap();
    read(&mut request, 1).await;
    drop(request);
    assert_eq!(world.attributes()["error.type"], "401");
}

#[tokio::test]
async fn compressed_answers_are_read_and_passed_compressed() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(ANSWER.as_bytes()).unwrap();
    let packed = Bytes::from(gzip.finish().unwrap());
    let world = world();
    let headers = [("content-type", "application/json"), ("content-encoding", "gzip")];
    let body = world.ask().await.response(&head(200, &headers), Full::new(packed.clone()));
    assert_eq!(body.collect().await.unwrap().to_bytes(), packed);
    assert_eq!(world.attributes()["gen_ai.usage.input_tokens"], "9");
}

#[tokio::test]
async fn what_finds_no_room_is_counted_and_the_call_still_ends() {
    let mut options = Options::default();
    options.backlog = 16;
    let world = world_with(options);
    let body = world.ask().await.response(&head(200, JSON), Full::new(Bytes::from(ANSWER)));
    assert_eq!(body.collect().await.unwrap().to_bytes(), ANSWER, "traffic never waits for telemetry");
    let span = world.span();
    assert_eq!(span.name, "chat");
    assert_eq!(world.observer.losses().frames, 2);
}

#[tokio::test]
async fn the_parent_is_the_one_that_was_given() {
    let world = world();
    let uri: Uri = URL.parse().unwrap();
    let parent = SpanContext::new(
        TraceId::from(7_u128),
        SpanId::from(8_u64),
        TraceFlags::SAMPLED,
        true,
        TraceState::default(),
    );
    let headers = HeaderMap::new();
    let call = Call::new(&Method::POST, &uri, &headers)
        .parent(opentelemetry::Context::new().with_remote_span_context(parent));
    let exchange = world.observer.begin(&call).unwrap();
    exchange.request_body(Full::new(Bytes::from(REQUEST))).collect().await.unwrap();
    exchange.response(&head(200, JSON), Full::new(Bytes::from(ANSWER))).collect().await.unwrap();
    let span = world.span();
    assert_eq!(span.span_context.trace_id(), TraceId::from(7_u128));
    assert_eq!(span.parent_span_id, SpanId::from(8_u64));
}

#[tokio::test]
async fn other_traffic_and_suppressed_traffic_is_not_observed() {
    let world = world();
    let headers = HeaderMap::new();
    let files: Uri = "https://api.openai.com/v1/files".parse().unwrap();
    assert!(world.observer.begin(&Call::new(&Method::POST, &files, &headers)).is_none());
    let uri: Uri = URL.parse().unwrap();
    let _suppressed = opentelemetry::Context::enter_telemetry_suppressed_scope();
    assert!(world.observer.begin(&Call::new(&Method::POST, &uri, &headers)).is_none());
}

#[tokio::test]
async fn a_hundred_calls_at_once_leave_a_hundred_spans() {
    let world = world();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let exchange = world.begin();
        calls.spawn(async move {
            exchange.request_body(Full::new(Bytes::from(REQUEST))).collect().await.unwrap();
            let body = exchange.response(&head(200, SSE), script(&EVENTS, Last::End));
            body.collect().await.unwrap();
        });
    }
    calls.join_all().await;
    assert!(world.observer.drain(Duration::from_secs(10)));
    assert_eq!(world.spans.get_finished_spans().unwrap().len(), 100);
}

#[tokio::test]
async fn calls_beyond_what_can_be_read_are_counted_and_pass_unobserved() {
    let mut options = Options::default();
    options.waiting = 0;
    let world = world_with(options);
    let uri: Uri = URL.parse().unwrap();
    assert!(world.observer.begin(&Call::new(&Method::POST, &uri, &HeaderMap::new())).is_none());
    assert_eq!(world.observer.losses().calls, 1);
}

#[tokio::test]
async fn a_key_that_the_provider_repeats_is_not_told() {
    let world = world();
    let uri: Uri = URL.parse().unwrap();
    let headers =
        [(http::header::AUTHORIZATION, "Bearer sk-0123456789".parse().unwrap())].into_iter().collect();
    let exchange = world.observer.begin(&Call::new(&Method::POST, &uri, &headers)).unwrap();
    exchange.request_body(Full::new(Bytes::from(REQUEST))).collect().await.unwrap();
    let answer =
        r#"{"error":{"message":"Incorrect API key provided: sk-0123456789.","code":"invalid_api_key"}}"#;
    exchange.response(&head(401, JSON), Full::new(Bytes::from(answer))).collect().await.unwrap();
    let span = world.span();
    let told = format!("{span:?}");
    assert!(told.contains("Incorrect API key provided: [redacted]."), "{told}");
    assert!(!told.contains("sk-0123456789"), "{told}");
}
