//! What a gateway with an observer leaves, and that it leaves the traffic alone.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use opentelemetry::global;
use opentelemetry::trace::SpanId;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use otel_genai::{Capture, GenAi};
use otel_genai_gateway::{Gateway, Route, UpstreamProxy};
use otel_genai_http::{Observer, Options};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;

use crate::support::{Running, read_body, read_head, read_until, server, soon};

pub(crate) const BODY: &str = r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hi"}]}"#;
pub(crate) const ANSWER: &str = concat!(
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 243\r\n\r\n",
    r#"{"id":"chatcmpl-1","object":"chat.completion","model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"#,
    r#""message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"#,
    r#""usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}"#
);

struct World {
    gateway: Running,
    observer: Observer,
    spans: InMemorySpanExporter,
}

impl World {
    async fn before(upstream: SocketAddr) -> Self {
        let (genai, spans) = spans_of();
        let observer = Observer::new(genai, Options::default()).unwrap();
        let route = Route::new("/openai", &format!("http://{upstream}").parse().unwrap()).unwrap();
        let builder =
            Gateway::builder(Some(observer.clone())).route(route).upstream_proxy(UpstreamProxy::Direct);
        Self { gateway: Running::start(builder).await, observer, spans }
    }

    /// The one span that the calls so far left.
    async fn span(&self) -> (SpanData, BTreeMap<String, String>) {
        one_span(&self.observer, &self.spans).await
    }
}

/// A handler, and where its spans go.
pub(crate) fn spans_of() -> (GenAi, InMemorySpanExporter) {
    let spans = InMemorySpanExporter::default();
    let tracers = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
    (GenAi::builder().tracer_provider(&tracers).capture(Capture::SpanOnly).build(), spans)
}

/// The only span there is, once it is there.
pub(crate) async fn one_span(
    observer: &Observer,
    spans: &InMemorySpanExporter,
) -> (SpanData, BTreeMap<String, String>) {
    let spans = soon(async {
        loop {
            let observer = observer.clone();
            let drained = tokio::task::spawn_blocking(move || observer.drain(Duration::from_secs(10))).await;
            assert!(drained.unwrap());
            let spans = spans.get_finished_spans().unwrap();
            if !spans.is_empty() {
                return spans;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    assert_eq!(spans.len(), 1, "{spans:#?}");
    let attributes = spans[0].attributes.iter();
    let attributes = attributes.map(|a| (a.key.to_string(), a.value.to_string())).collect();
    (spans.into_iter().next().unwrap(), attributes)
}

fn request(extra: &str) -> String {
    format!(
        "POST /openai/v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{extra}\
         Content-Length: {}\r\n\r\n{BODY}",
        BODY.len()
    )
}

async fn answering() -> SocketAddr {
    server(|mut stream| async move {
        while let Some(head) = read_head(&mut stream).await {
            assert_eq!(read_body(&mut stream, &head).await, BODY.as_bytes());
            stream.write_all(ANSWER.as_bytes()).await.unwrap();
        }
    })
    .await
}

#[tokio::test]
async fn a_call_is_one_span_of_the_provider_and_unchanged_on_the_wire() {
    global::set_text_map_propagator(TraceContextPropagator::new());
    let upstream = answering().await;
    let world = World::before(upstream).await;
    let mut client = world.gateway.connect().await;
    let traced = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n";
    client.write_all(request(traced).as_bytes()).await.unwrap();
    assert_eq!(read_until(&mut client, "}}").await.unwrap(), ANSWER);
    let (span, attributes) = world.span().await;
    assert_eq!(span.name, "chat gpt-4o-mini");
    assert_eq!(span.parent_span_id, SpanId::from_hex("b7ad6b7169203331").unwrap());
    assert_eq!(attributes["server.address"], "127.0.0.1");
    assert_eq!(attributes["server.port"], upstream.port().to_string());
    assert_eq!(attributes["gen_ai.usage.output_tokens"], "3");
    assert!(attributes["gen_ai.output.messages"].contains("Hello"), "{attributes:?}");
}

#[tokio::test]
async fn a_refused_call_is_an_error_with_its_reason() {
    let refusing = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let world = World::before(refusing).await;
    let mut client = world.gateway.connect().await;
    client.write_all(request("").as_bytes()).await.unwrap();
    assert_eq!(read_head(&mut client).await, None);
    let (_, attributes) = world.span().await;
    assert_eq!(attributes["error.type"], "connection_refused");
}

#[tokio::test]
async fn a_call_whose_client_leaves_is_cancelled() {
    let (hand, mut handed) = mpsc::unbounded_channel();
    let upstream = server(move |stream| {
        hand.send(stream).unwrap();
        async {}
    })
    .await;
    let world = World::before(upstream).await;
    let mut client = world.gateway.connect().await;
    client.write_all(request("").as_bytes()).await.unwrap();
    let mut upstream = soon(handed.recv()).await.unwrap();
    let head = read_head(&mut upstream).await.unwrap();
    read_body(&mut upstream, &head).await;
    drop(client);
    let (_, attributes) = world.span().await;
    assert_eq!(attributes["error.type"], "cancelled");
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_an_error() {
    let upstream = server(|mut stream| async move {
        let head = read_head(&mut stream).await.unwrap();
        read_body(&mut stream, &head).await;
        let start = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
        let event = "data: {\"id\":\"c1\",\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hel\"}}]}\n\n";
        let part = format!("{start}{:X}\r\n{event}\r\n", event.len());
        stream.write_all(part.as_bytes()).await.unwrap();
    })
    .await;
    let world = World::before(upstream).await;
    let mut client = world.gateway.connect().await;
    client.write_all(request("").as_bytes()).await.unwrap();
    assert!(crate::support::read_rest(&mut client).await.ends_with("}\n\n\r\n"));
    let (_, attributes) = world.span().await;
    assert_eq!(attributes["error.type"], "connection_closed");
    assert!(attributes["gen_ai.output.messages"].contains("Hel"), "{attributes:?}");
}

#[tokio::test]
async fn what_is_not_a_model_call_leaves_nothing() {
    let upstream = crate::support::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await;
    let world = World::before(upstream).await;
    let mut client = world.gateway.connect().await;
    client.write_all(b"GET /openai/v1/files HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    read_until(&mut client, "{}").await.unwrap();
    drop(client);
    let observer = world.observer.clone();
    let drained = tokio::task::spawn_blocking(move || observer.drain(Duration::from_secs(10))).await;
    assert!(drained.unwrap());
    assert!(world.spans.get_finished_spans().unwrap().is_empty());
}
