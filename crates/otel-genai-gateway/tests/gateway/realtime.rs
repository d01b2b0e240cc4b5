//! Models that are called over a WebSocket: a real client and a real server, with the gateway between them.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use opentelemetry::trace::Status;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use otel_genai::{Capture, GenAi};
use otel_genai_gateway::{Gateway, Route, UpstreamProxy};
use otel_genai_http::{Observer, Options};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::{Bytes, Message};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async, client_async};

use crate::support::{Running, server, soon};

type Socket = WebSocketStream<TcpStream>;

struct World {
    gateway: Running,
    observer: Observer,
    spans: InMemorySpanExporter,
}

impl World {
    /// A gateway before a server that answers each message of text by these, and then closes or drops the connection.
    async fn before(answers: &'static [&'static [&'static str]], closes: bool) -> Self {
        let upstream = server(move |stream| async move {
            #[expect(clippy::result_large_err, reason = "the callback's type is the library's")]
            let choose = |_: &Request, mut response: Response| {
                response.headers_mut().insert("sec-websocket-protocol", "realtime".parse().unwrap());
                Ok(response)
            };
            let mut socket = accept_hdr_async(stream, choose).await.unwrap();
            for answers in answers {
                loop {
                    match socket.next().await {
                        Some(Ok(Message::Text(_))) => break,
                        Some(Ok(_)) => {}
                        Some(Err(_)) | None => return,
                    }
                }
                for answer in *answers {
                    socket.send(Message::text(*answer)).await.unwrap();
                }
            }
            if closes {
                let _ = socket.close(None).await;
                while socket.next().await.is_some_and(|message| message.is_ok()) {}
            }
        })
        .await;
        let spans = InMemorySpanExporter::default();
        let tracers = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
        let genai = GenAi::builder().tracer_provider(&tracers).capture(Capture::SpanOnly).build();
        let observer = Observer::new(genai, Options::default()).unwrap();
        let route = Route::new("/openai", &format!("http://{upstream}").parse().unwrap()).unwrap();
        let builder =
            Gateway::builder(Some(observer.clone())).route(route).upstream_proxy(UpstreamProxy::Direct);
        World { gateway: Running::start(builder).await, observer, spans }
    }

    async fn connect(&self) -> Socket {
        let url = format!("ws://{}/openai/v1/realtime?model=gpt-realtime", self.gateway.address);
        let mut request = url.into_client_request().unwrap();
        let headers = request.headers_mut();
        let protocols = "realtime, openai-insecure-api-key.sk-very-secret";
        headers.insert("sec-websocket-protocol", protocols.parse().unwrap());
        headers.insert("authorization", "Bearer sk-also-secret".parse().unwrap());
        client_async(request, self.gateway.connect().await).await.unwrap().0
    }

    /// So many spans, as soon as they are there.
    async fn spans(&self, count: usize) -> Vec<SpanData> {
        soon(async {
            loop {
                let observer = self.observer.clone();
                let drain = move || observer.drain(Duration::from_secs(10));
                assert!(tokio::task::spawn_blocking(drain).await.unwrap());
                let spans = self.spans.get_finished_spans().unwrap();
                if spans.len() >= count {
                    return spans;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
    }
}

fn attributes(span: &SpanData) -> BTreeMap<&str, String> {
    span.attributes.iter().map(|pair| (pair.key.as_str(), pair.value.to_string())).collect()
}

const ASK: &str = r#"{"type":"response.create"}"#;
const CREATED: &str = r#"{"type":"response.created","response":{"id":"resp_1","status":"in_progress","conversation_id":"conv_1"}}"#;
const DELTA: &str = r#"{"type":"response.output_text.delta","response_id":"resp_1","output_index":0,"content_index":0,"delta":"Hello"}"#;
const DONE: &str = r#"{"type":"response.done","response":{"id":"resp_1","status":"completed","conversation_id":"conv_1","output":[],"usage":{"input_tokens":9,"output_tokens":3}}}"#;

#[tokio::test]
async fn each_answer_is_a_span_while_the_session_goes_on() {
    let world = World::before(&[&[CREATED, DELTA, DONE], &[CREATED, DONE], &[]], true).await;
    let mut client = world.connect().await;
    for turn in [1, 2] {
        client.send(Message::text(ASK)).await.unwrap();
        // What the client does is nobody's business: the session goes on.
        client.send(Message::Ping(Bytes::from_static(b"here"))).await.unwrap();
        while client.next().await.unwrap().unwrap().to_text().unwrap() != DONE {}
        // Nothing more passes, and yet the call is told.
        let spans = world.spans(turn).await;
        assert_eq!(spans.len(), turn);
    }
    let spans = world.spans(2).await;
    let first = attributes(&spans[0]);
    assert_eq!(spans[0].name, "chat gpt-realtime");
    assert_eq!(spans[0].status, Status::Unset);
    for (key, value) in [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "openai"),
        ("gen_ai.request.model", "gpt-realtime"),
        ("gen_ai.response.id", "resp_1"),
        ("gen_ai.conversation.id", "conv_1"),
        ("gen_ai.usage.input_tokens", "9"),
        ("gen_ai.usage.output_tokens", "3"),
        ("server.address", "127.0.0.1"),
    ] {
        assert_eq!(first.get(key).map(String::as_str), Some(value), "{key}: {first:?}");
    }
    assert!(first["gen_ai.output.messages"].contains("Hello"), "{first:?}");
    assert!(first.contains_key("gen_ai.response.time_to_first_chunk"), "{first:?}");
    assert!(spans[0].start_time <= spans[0].end_time && spans[0].end_time <= spans[1].end_time);
    let told = format!("{spans:?}");
    assert!(!told.contains("secret"), "{told}");
}

#[tokio::test]
async fn a_connection_that_drops_ends_the_answer_with_what_was_seen() {
    let world = World::before(&[&[CREATED, DELTA]], false).await;
    let mut client = world.connect().await;
    client.send(Message::text(ASK)).await.unwrap();
    while client.next().await.is_some_and(|message| message.is_ok()) {}
    let spans = world.spans(1).await;
    let told = attributes(&spans[0]);
    assert!(told["error.type"].starts_with("connection_"), "{told:?}");
    assert!(told["gen_ai.output.messages"].contains("Hello"), "{told:?}");
}

#[tokio::test]
async fn a_client_that_leaves_cancels_its_answer() {
    let world = World::before(&[&[CREATED, DELTA], &[]], true).await;
    let mut client = world.connect().await;
    client.send(Message::text(ASK)).await.unwrap();
    while client.next().await.unwrap().unwrap().to_text().unwrap() != DELTA {}
    drop(client);
    assert_eq!(attributes(&world.spans(1).await[0])["error.type"], "cancelled");
}
