//! The tower layer around hyper's client.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod support;

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry::trace::FutureExt as _;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use otel_genai_http::Tap;
use otel_genai_http::tower::{BoxError, GenAiLayer, GenAiService};
use support::{ANSWER, EVENTS, NO_KEY, REFUSAL, Server, World, json, silence, stream};
use tower::{Layer as _, Service, ServiceBuilder, ServiceExt as _};

const REQUEST: &str = r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hi"}]}"#;
const STREAMED: &str = r#"{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#;

type Hyper = Client<HttpConnector, Tap<Full<Bytes>>>;

fn hyper_client() -> Hyper {
    Client::builder(TokioExecutor::new()).build_http()
}

fn client(world: &World) -> GenAiService<Hyper> {
    GenAiLayer::with(world.observer.clone()).layer(hyper_client())
}

fn post(server: &Server, body: &'static str) -> Request<Full<Bytes>> {
    Request::post(server.url("/v1/chat/completions"))
        .header("authorization", "Bearer sk-secret")
        .body(Full::new(Bytes::from_static(body.as_bytes())))
        .unwrap()
}

async fn text(response: Response<Tap<Incoming>>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn a_whole_answer_is_told_below_its_caller() {
    let (world, server) = (World::new(), Server::start(vec![json(200, ANSWER)]).await);
    let parent = world.parent();
    let call = client(&world).oneshot(post(&server, REQUEST)).with_context(parent.clone());
    assert_eq!(text(call.await.unwrap()).await, ANSWER);
    assert_eq!(server.asked()[0].body, REQUEST);
    assert!(!server.asked()[0].headers.contains_key("traceparent"), "providers are told nothing unasked");
    let call = world.call();
    assert!(call.is_child_of(&parent));
    assert_eq!(call.0.name, "chat gpt-4o-mini");
    call.has("gen_ai.response.id", "chatcmpl-1");
    call.has("gen_ai.usage.input_tokens", "9");
    call.has("server.address", "127.0.0.1");
    assert!(call.get("gen_ai.input.messages").unwrap().contains("Hi"));
    assert_eq!(call.error(), None);
    assert!(!format!("{call:?}").contains("sk-secret"));
}

#[tokio::test]
async fn a_stream_to_its_end() {
    let (world, server) = (World::new(), Server::start(vec![stream(&EVENTS)]).await);
    let response = client(&world).oneshot(post(&server, STREAMED)).await.unwrap();
    assert_eq!(text(response).await, EVENTS.concat());
    let call = world.call();
    assert!(call.get("gen_ai.output.messages").unwrap().contains("Hello"));
    assert!(call.get("gen_ai.response.time_to_first_chunk").is_some());
    assert_eq!(call.error(), None);
}

#[tokio::test]
async fn a_stream_that_is_dropped_half_way() {
    let (world, server) = (World::new(), Server::start(vec![stream(&EVENTS[..1]).hang()]).await);
    let mut response = client(&world).oneshot(post(&server, STREAMED)).await.unwrap();
    response.body_mut().frame().await.unwrap().unwrap();
    drop(response);
    let call = world.call();
    assert_eq!(call.error().as_deref(), Some("cancelled"));
    assert!(call.get("gen_ai.output.messages").unwrap().contains("Hel"));
}

#[tokio::test]
async fn a_call_that_is_given_up_before_its_answer() {
    let (world, server) = (World::new(), Server::start(vec![silence()]).await);
    let call = client(&world).oneshot(post(&server, REQUEST));
    let mut call = Box::pin(call);
    // Given up once the server has the request.
    tokio::select! {
        _ = &mut call => panic!("the server says nothing"),
        () = async { while server.asked().is_empty() { tokio::task::yield_now().await } } => {}
    }
    drop(call);
    let call = world.call();
    assert_eq!(call.error().as_deref(), Some("cancelled"));
    call.has("gen_ai.request.model", "gpt-4o-mini");
}

#[tokio::test]
async fn a_timeout_within_is_told_as_one() {
    let (world, server) = (World::new(), Server::start(vec![silence()]).await);
    let client = ServiceBuilder::new()
        .layer(GenAiLayer::with(world.observer.clone()).boxed_errors())
        .timeout(Duration::from_millis(50))
        .service(hyper_client());
    let error: BoxError = client.oneshot(post(&server, REQUEST)).await.unwrap_err();
    assert!(error.is::<tower::timeout::error::Elapsed>(), "the caller sees the same error");
    assert_eq!(world.call().error().as_deref(), Some("timeout"));
}

#[tokio::test]
async fn a_refused_connection() {
    let world = World::new();
    // A port that was free a moment ago.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let request = Request::post(format!("http://{address}/v1/chat/completions"));
    let request = request.body(Full::new(Bytes::from(REQUEST))).unwrap();
    let error = client(&world).oneshot(request).await.unwrap_err();
    assert!(error.is_connect());
    assert_eq!(world.call().error().as_deref(), Some("connection_refused"));
}

#[tokio::test]
async fn what_a_provider_refuses() {
    for (status, body, code) in [(401, NO_KEY, "invalid_api_key"), (429, REFUSAL, "rate_limit_exceeded")] {
        let (world, server) = (World::new(), Server::start(vec![json(status, body)]).await);
        let response = client(&world).oneshot(post(&server, REQUEST)).await.unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(text(response).await, body);
        assert_eq!(world.call().error().as_deref(), Some(code));
    }
}

#[derive(Clone)]
struct Thrice;

impl<B: Clone, R, E> tower::retry::Policy<Request<B>, Response<R>, E> for Thrice {
    type Future = std::future::Ready<()>;

    fn retry(
        &mut self,
        _: &mut Request<B>,
        result: &mut Result<Response<R>, E>,
    ) -> Option<std::future::Ready<()>> {
        matches!(result, Ok(response) if response.status() == 429).then(|| std::future::ready(()))
    }

    fn clone_request(&mut self, request: &Request<B>) -> Option<Request<B>> {
        Some(request.clone())
    }
}

#[tokio::test]
async fn inside_a_retry_layer_each_attempt_is_told() {
    let answers = vec![json(429, REFUSAL), json(200, ANSWER)];
    let (world, server) = (World::new(), Server::start(answers).await);
    let client = ServiceBuilder::new()
        .retry(Thrice)
        .layer(GenAiLayer::with(world.observer.clone()))
        .service(hyper_client());
    let response = client.oneshot(post(&server, REQUEST)).await.unwrap();
    assert_eq!(text(response).await, ANSWER);
    let mut errors: Vec<_> = world.calls().iter().map(support::Told::error).collect();
    errors.sort();
    // The refusal's body was never read.
    assert_eq!(errors, [None, Some("429".to_owned())]);
}

#[tokio::test]
async fn outside_a_retry_layer_a_call_is_one_span() {
    let answers = vec![json(429, REFUSAL), json(200, ANSWER)];
    let (world, server) = (World::new(), Server::start(answers).await);
    let client = ServiceBuilder::new()
        .layer(GenAiLayer::with(world.observer.clone()))
        .retry(Thrice)
        .service(hyper_client());
    let response = client.oneshot(post(&server, REQUEST)).await.unwrap();
    assert_eq!(text(response).await, ANSWER);
    let asked = server.asked();
    assert_eq!((asked.len(), &asked[1].body[..]), (2, REQUEST.as_bytes()));
    let call = world.call();
    assert_eq!(call.error(), None);
    assert_eq!(call.get("gen_ai.input.messages").unwrap().matches("Hi").count(), 1);
    call.has("gen_ai.response.id", "chatcmpl-1");
}

#[tokio::test]
async fn two_layers_tell_a_call_once() {
    let (world, server) = (World::new(), Server::start(vec![json(200, ANSWER)]).await);
    let client = ServiceBuilder::new()
        .layer(GenAiLayer::with(world.observer.clone()))
        .layer(GenAiLayer::with(world.observer.clone()))
        .service(Client::builder(TokioExecutor::new()).build_http::<Tap<Tap<Full<Bytes>>>>());
    let response = client.oneshot(post(&server, REQUEST)).await.unwrap();
    response.into_body().collect().await.unwrap();
    world.call();
}

#[tokio::test]
async fn other_requests_and_suppressed_ones_pass() {
    let (world, server) = (World::new(), Server::start(vec![json(200, "[]"), json(200, ANSWER)]).await);
    let client = client(&world);
    let request = Request::get(server.url("/status")).body(Full::default()).unwrap();
    assert_eq!(text(client.clone().oneshot(request).await.unwrap()).await, "[]");
    let suppressed = opentelemetry::Context::current().with_telemetry_suppressed();
    let response = client.oneshot(post(&server, REQUEST)).with_context(suppressed).await.unwrap();
    assert_eq!(text(response).await, ANSWER);
    assert!(world.calls().is_empty());
}

#[tokio::test]
async fn the_trace_is_carried_on_when_asked() {
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    let answers = vec![json(200, ANSWER), json(200, ANSWER), json(200, "[]")];
    let (world, server) = (World::new(), Server::start(answers).await);
    let client = GenAiLayer::with(world.observer.clone()).propagate(true).layer(hyper_client());
    let parent = world.parent();
    let mut own = post(&server, REQUEST);
    own.headers_mut().insert("traceparent", "00-own".parse().unwrap());
    let other = Request::get(server.url("/status")).body(Full::default()).unwrap();
    for request in [post(&server, REQUEST), own, other] {
        text(client.clone().oneshot(request).with_context(parent.clone()).await.unwrap()).await;
    }
    let asked = server.asked();
    let span = opentelemetry::trace::TraceContextExt::span(&parent).span_context().clone();
    let carried = format!("00-{}-{}-01", span.trace_id(), span.span_id());
    assert_eq!(asked[0].headers["traceparent"], carried);
    assert_eq!(asked[1].headers["traceparent"], "00-own", "what the caller set stays");
    assert!(!asked[2].headers.contains_key("traceparent"), "no model call");
}

#[tokio::test]
async fn a_url_without_a_host_is_completed() {
    let world = World::new();
    let echo = tower::service_fn(async |request: Request<Tap<Full<Bytes>>>| {
        assert_eq!(request.uri(), "/v1/chat/completions");
        request.into_body().collect().await.unwrap();
        Ok::<_, std::io::Error>(Response::new(Full::new(Bytes::from(ANSWER))))
    });
    let mut client = GenAiLayer::with(world.observer.clone()).layer(echo);
    let request = Request::post("/v1/chat/completions").header("host", "api.openai.com");
    let response = client.call(request.body(Full::new(Bytes::from(REQUEST))).unwrap()).await.unwrap();
    response.into_body().collect().await.unwrap();
    let call = world.call();
    call.has("server.address", "api.openai.com");
    call.has("server.port", "443");
}

/// A body whose length nobody knows, in pieces.
fn pieces(text: &'static str) -> impl http_body::Body<Data = Bytes, Error = std::io::Error> + Send + Unpin {
    let pieces = text.as_bytes().chunks(7).map(|piece| Ok(Frame::data(Bytes::from_static(piece))));
    StreamBody::new(futures_util::stream::iter(pieces))
}

#[tokio::test]
async fn bodies_of_unknown_length_are_streamed_both_ways() {
    let (world, server) = (World::new(), Server::start(vec![stream(&EVENTS)]).await);
    // As applications name them: a boxed body, whose error has to be an error, and not a box of one.
    type Boxed = http_body_util::combinators::UnsyncBoxBody<Bytes, std::io::Error>;
    let body: Boxed =
        pieces(STREAMED).map_err(|error| std::io::Error::other(BoxError::from(error))).boxed_unsync();
    assert_eq!(http_body::Body::size_hint(&body).exact(), None);
    let client = GenAiLayer::with(world.observer.clone())
        .layer(Client::builder(TokioExecutor::new()).build_http::<Tap<Boxed>>());
    let request = Request::post(server.url("/v1/chat/completions")).body(body).unwrap();
    let response = client.oneshot(request).await.unwrap();
    assert_eq!(http_body::Body::size_hint(response.body()).exact(), None);
    assert_eq!(text(response).await, EVENTS.concat());
    let asked = &server.asked()[0];
    assert_eq!((&asked.body[..], asked.headers.get("content-length")), (STREAMED.as_bytes(), None));
    let call = world.call();
    assert!(call.get("gen_ai.input.messages").unwrap().contains("Hi"));
    assert!(call.get("gen_ai.output.messages").unwrap().contains("Hello"));
    assert_eq!(call.error(), None);
}

/// Bytes of another type.
struct Text(std::collections::VecDeque<&'static str>);

impl http_body::Body for Text {
    type Data = std::io::Cursor<&'static str>;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        std::task::Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(std::io::Cursor::new(piece)))))
    }
}

#[tokio::test]
async fn bodies_of_other_bytes_are_turned_into_bytes_first() {
    let (world, server) = (World::new(), Server::start(vec![json(200, ANSWER)]).await);
    let (first, last) = REQUEST.split_at(20);
    let body = Text([first, last].into()).map_frame(|frame| {
        frame.map_data(|data: std::io::Cursor<&'static str>| Bytes::from_static(data.into_inner().as_bytes()))
    });
    let client =
        GenAiLayer::with(world.observer.clone()).layer(Client::builder(TokioExecutor::new()).build_http());
    let request = Request::post(server.url("/v1/chat/completions")).body(body).unwrap();
    assert_eq!(text(client.oneshot(request).await.unwrap()).await, ANSWER);
    assert_eq!(server.asked()[0].body, REQUEST);
    assert!(world.call().get("gen_ai.input.messages").unwrap().contains("Hi"));
}
