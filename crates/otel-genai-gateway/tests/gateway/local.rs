//! A gateway inside the program, started by one line.

use std::time::Duration;

use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState};
use opentelemetry::{Context, global};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SpanData};
use otel_genai_gateway::{Local, LocalError};
use otel_genai_http::{Observer, Options};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::observed::{ANSWER, BODY, spans_of};
use crate::support::{answering, read_body, read_head, read_until, server, soon};

struct World {
    local: Local,
    observer: Observer,
    spans: InMemorySpanExporter,
}

impl World {
    fn before(provider: &str) -> Self {
        let (genai, spans) = spans_of();
        let observer = Observer::new(genai, Options::default()).unwrap();
        let local = Local::start_with(provider, observer.clone()).unwrap();
        Self { local, observer, spans }
    }

    /// What there is to tell when a program ends in the order that the documentation asks for.
    fn end(self) -> Vec<SpanData> {
        drop(self.local);
        assert!(self.observer.drain(Duration::from_secs(30)));
        self.spans.get_finished_spans().unwrap()
    }
}

/// A connection to an address of the gateway, and the path in it.
async fn connect(url: &str) -> (TcpStream, String) {
    let rest = url.strip_prefix("http://").unwrap();
    let (address, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    (TcpStream::connect(address).await.unwrap(), path.to_owned())
}

/// Asks a model, and reads what it answers.
async fn ask(url: &str, headers: &str) {
    let (mut client, base) = connect(url).await;
    let request = format!(
        "POST {base}/v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{headers}\
         Content-Length: {}\r\n\r\n{BODY}",
        BODY.len()
    );
    client.write_all(request.as_bytes()).await.unwrap();
    assert_eq!(read_until(&mut client, "}}").await.unwrap(), ANSWER);
}

fn span(trace: u128, span: u64) -> Context {
    let (trace, span) = (TraceId::from(trace), SpanId::from(span));
    let span = SpanContext::new(trace, span, TraceFlags::SAMPLED, false, TraceState::default());
    Context::new().with_remote_span_context(span)
}

#[tokio::test]
async fn a_client_that_is_pointed_at_it_is_observed() {
    let upstream = answering(ANSWER).await;
    let world = World::before(&format!("http://{upstream}/base/"));
    let url = world.local.url().to_owned();
    ask(&url, "").await;
    let spans = world.end();
    assert_eq!(spans.len(), 1, "{spans:#?}");
    assert_eq!(spans[0].name, "chat gpt-4o-mini");
    assert_eq!(spans[0].parent_span_id, SpanId::INVALID);
    let port = spans[0].attributes.iter().find(|a| a.key.as_str() == "server.port").unwrap();
    assert_eq!(port.value.as_str(), upstream.port().to_string());
    let gone = TcpStream::connect(url.strip_prefix("http://").unwrap()).await;
    assert!(gone.is_err(), "it still listens");
}

#[tokio::test]
async fn everything_else_is_forwarded() {
    let (saw, mut seen) = mpsc::unbounded_channel();
    let upstream = server(move |mut stream| {
        let saw = saw.clone();
        async move {
            saw.send(read_head(&mut stream).await.unwrap()).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await.unwrap();
        }
    })
    .await;
    let world = World::before(&format!("http://{upstream}/base/"));
    let within = world.local.within(&Context::new());
    for url in [world.local.url(), within.url()] {
        let (mut client, base) = connect(url).await;
        client
            .write_all(format!("GET {base}/api/tags?x=1 HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes())
            .await
            .unwrap();
        assert!(read_until(&mut client, "{}").await.is_some());
        let seen = soon(seen.recv()).await.unwrap();
        assert!(seen.starts_with("GET /base/api/tags?x=1 HTTP/1.1\r\n"), "{seen}");
    }
    drop(within);
    assert!(world.end().is_empty());
}

#[tokio::test]
async fn a_call_is_below_the_span_that_its_address_stands_for() {
    global::set_text_map_propagator(TraceContextPropagator::new());
    let world = World::before(&format!("http://{}", answering(ANSWER).await));
    let one = world.local.within(&span(1, 11));
    let two = world.local.within(&span(2, 22));
    ask(two.url(), "").await;
    ask(one.url(), "").await;
    ask(one.url(), "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n").await;
    let address = one.url().to_owned();
    drop((one, two));
    ask(&address, "").await;
    let spans = world.end();
    let parents: Vec<_> = spans.iter().map(|span| span.parent_span_id).collect();
    let sent = SpanId::from_hex("b7ad6b7169203331").unwrap();
    assert_eq!(parents, [SpanId::from(22), SpanId::from(11), sent, SpanId::INVALID]);
    assert_eq!(spans[0].span_context.trace_id(), TraceId::from(2));
}

#[tokio::test]
async fn a_call_under_way_goes_on_when_it_is_dropped() {
    let (hand, mut handed) = mpsc::unbounded_channel();
    let upstream = server(move |mut stream| {
        let hand = hand.clone();
        async move {
            let head = read_head(&mut stream).await.unwrap();
            read_body(&mut stream, &head).await;
            hand.send(stream).unwrap();
        }
    })
    .await;
    let world = World::before(&format!("http://{upstream}"));
    let (mut client, _) = connect(world.local.url()).await;
    let head = "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    client.write_all(format!("{head}Content-Length: {}\r\n\r\n{BODY}", BODY.len()).as_bytes()).await.unwrap();
    let mut provider = soon(handed.recv()).await.unwrap();
    let (early, late) = ANSWER.split_at(ANSWER.len() - 5);
    provider.write_all(early.as_bytes()).await.unwrap();
    assert!(read_until(&mut client, &early[early.len() - 20..]).await.is_some());

    drop(world.local);
    provider.write_all(late.as_bytes()).await.unwrap();
    assert_eq!(read_until(&mut client, late).await.unwrap(), late);
    assert!(world.observer.drain(Duration::from_secs(30)));
    let spans = world.spans.get_finished_spans().unwrap();
    assert_eq!(spans.len(), 1);
    assert!(!spans[0].attributes.iter().any(|a| a.key.as_str() == "error.type"), "{spans:#?}");
}

#[test]
fn an_address_that_is_none_is_refused_without_being_shown() {
    for address in [
        "",
        "not an address",
        "localhost:11434",
        "ftp://host",
        "https://user:sk-secret@host",
        "https://host?key=sk-secret",
    ] {
        let (genai, _) = spans_of();
        let observer = Observer::new(genai, Options::default()).unwrap();
        let error = Local::start_with(address, observer).unwrap_err();
        assert!(matches!(error, LocalError::Provider), "{address}: {error}");
        assert!(!error.to_string().contains("sk-secret"), "{error}");
    }
}
