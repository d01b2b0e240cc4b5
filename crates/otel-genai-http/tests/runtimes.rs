//! A client that is used from several runtimes, of which one ends before the others.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod support;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use opentelemetry::trace::FutureExt as _;
use otel_genai_http::Tap;
use otel_genai_http::reqwest::RequestBuilderExt as _;
use otel_genai_http::tower::GenAiLayer;
use support::{ANSWER, EVENTS, Server, Told, World, json, stream};
use tokio::runtime::{Builder, Runtime};
use tower::{Layer as _, ServiceExt as _};

const REQUEST: &str = r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hi"}]}"#;
const STREAMED: &str = r#"{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#;

/// As an application's threads have them.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// The server has a runtime of its own, which outlives the clients'.
fn served(answers: Vec<support::Answer>) -> (Runtime, Server) {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(Server::start(answers));
    (runtime, server)
}

/// What each of three runtimes saw: a whole answer in the first; a stream that the first leaves open when it ends; a whole
/// answer in the second, after that.
fn assert_told(world: &World, parent: &opentelemetry::Context) {
    let calls = world.calls();
    assert_eq!(calls.len(), 3, "{calls:#?}");
    assert!(calls.iter().all(|call| call.is_child_of(parent)));
    assert_eq!(calls.iter().filter(|call| call.error().is_none()).count(), 2);
    let left: Vec<&Told> = calls.iter().filter(|call| call.error().is_some()).collect();
    assert!(left[0].get("gen_ai.output.messages").unwrap().contains("Hel"), "what was read until then");
}

#[test]
fn a_tower_client_goes_on_when_the_runtime_of_its_first_calls_ends() {
    let answers = vec![json(200, ANSWER), stream(&EVENTS[..1]).hang(), json(200, ANSWER)];
    let (_serving, server) = served(answers);
    let world = World::new();
    let client = GenAiLayer::with(world.observer.clone())
        .layer(Client::builder(TokioExecutor::new()).build_http::<Tap<Full<Bytes>>>());
    let parent = world.parent();
    let ask = |body: &'static str| {
        let request = Request::post(server.url("/v1/chat/completions")).body(Full::from(body)).unwrap();
        client.clone().oneshot(request).with_context(parent.clone())
    };
    let whole =
        async |response: Response<Tap<Incoming>>| response.into_body().collect().await.unwrap().to_bytes();

    let open = std::thread::scope(|threads| {
        let first = threads.spawn(|| {
            runtime().block_on(async {
                assert_eq!(whole(ask(REQUEST).await.unwrap()).await, ANSWER);
                let mut response = ask(STREAMED).await.unwrap();
                response.body_mut().frame().await.unwrap().unwrap();
                response
            })
        });
        let open = first.join().unwrap();
        let second = threads.spawn(|| {
            runtime().block_on(async { assert_eq!(whole(ask(REQUEST).await.unwrap()).await, ANSWER) });
        });
        second.join().unwrap();
        open
    });
    // The connection was the first runtime's: there is nothing left to read.
    let broken = runtime().block_on(open.into_body().collect());
    assert!(broken.is_err());
    assert_told(&world, &parent);
}

#[test]
fn so_does_a_reqwest_client() {
    let answers = vec![json(200, ANSWER), stream(&EVENTS[..1]).hang(), json(200, ANSWER)];
    let (_serving, server) = served(answers);
    let world = World::new();
    let client = reqwest::Client::new();
    let parent = world.parent();
    let ask = |body: &'static str| {
        let request = client.post(server.url("/v1/chat/completions")).body(body);
        request.send_genai_with(&world.observer).with_context(parent.clone())
    };

    let open = std::thread::scope(|threads| {
        let first = threads.spawn(|| {
            runtime().block_on(async {
                assert_eq!(ask(REQUEST).await.unwrap().text().await.unwrap(), ANSWER);
                let mut response = ask(STREAMED).await.unwrap();
                response.chunk().await.unwrap().unwrap();
                response
            })
        });
        let open = first.join().unwrap();
        let second = threads.spawn(|| {
            runtime()
                .block_on(async { assert_eq!(ask(REQUEST).await.unwrap().text().await.unwrap(), ANSWER) });
        });
        second.join().unwrap();
        open
    });
    assert!(runtime().block_on(open.bytes()).is_err());
    assert_told(&world, &parent);
}
