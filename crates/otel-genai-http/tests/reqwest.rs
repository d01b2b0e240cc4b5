//! A bare reqwest client, and one with middleware.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod support;

use std::time::Duration;

use async_trait::async_trait;
use http::Extensions;
use opentelemetry::trace::FutureExt as _;
use otel_genai_http::reqwest::RequestBuilderExt as _;
use otel_genai_http::reqwest_middleware::GenAiMiddleware;
use reqwest::{Body, Client, Request, RequestBuilder, Response};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};
use support::{ANSWER, EVENTS, NO_KEY, REFUSAL, Server, Told, World, json, silence, stream};

const REQUEST: &str = r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hi"}]}"#;
const STREAMED: &str = r#"{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#;

fn post(server: &Server, body: impl Into<Body>) -> RequestBuilder {
    // A key in the URL, as Gemini has it.
    Client::new().post(server.url("/v1/chat/completions?key=sk-url")).bearer_auth("sk-secret").body(body)
}

#[tokio::test]
async fn a_whole_answer_is_told_below_its_caller_and_stays_the_same_response() {
    let answer = json(200, ANSWER).header("x-request-id", "req-1");
    let (world, server) = (World::new(), Server::start(vec![answer]).await);
    let parent = world.parent();
    let call = post(&server, REQUEST).send_genai_with(&world.observer).with_context(parent.clone());
    let response = call.await.unwrap();
    assert_eq!(response.url().as_str(), server.url("/v1/chat/completions?key=sk-url"));
    assert_eq!(response.headers()["x-request-id"], "req-1");
    assert_eq!(response.remote_addr(), Some(server.address));
    let answer: serde_json::Value = response.json().await.unwrap();
    assert_eq!(answer["id"], "chatcmpl-1");
    assert_eq!(server.asked()[0].body, REQUEST);
    let call = world.call();
    assert!(call.is_child_of(&parent));
    assert_eq!(call.0.name, "chat gpt-4o-mini");
    call.has("gen_ai.response.id", "chatcmpl-1");
    call.has("gen_ai.usage.output_tokens", "3");
    assert_eq!(call.error(), None);
    let told = format!("{call:?}");
    assert!(!told.contains("sk-secret") && !told.contains("sk-url"));
}

#[tokio::test]
async fn a_body_that_is_a_stream_is_read_while_it_is_sent() {
    let (world, server) = (World::new(), Server::start(vec![json(200, ANSWER)]).await);
    let (first, last) = REQUEST.split_at(20);
    let pieces =
        [first, last].map(|piece| Ok::<_, std::io::Error>(http_body::Frame::data(bytes::Bytes::from(piece))));
    let body = Body::wrap(http_body_util::StreamBody::new(futures_util::stream::iter(pieces)));
    post(&server, body).send_genai_with(&world.observer).await.unwrap().bytes().await.unwrap();
    assert_eq!(server.asked()[0].body, REQUEST);
    assert!(world.call().get("gen_ai.input.messages").unwrap().contains("Hi"));
}

#[tokio::test]
async fn a_stream_to_its_end_and_one_that_is_dropped_half_way() {
    let answers = vec![stream(&EVENTS), stream(&EVENTS[..1]).hang()];
    let (world, server) = (World::new(), Server::start(answers).await);
    let response = post(&server, STREAMED).send_genai_with(&world.observer).await.unwrap();
    assert_eq!(response.text().await.unwrap(), EVENTS.concat());
    let call = world.call();
    assert!(call.get("gen_ai.output.messages").unwrap().contains("Hello"));
    assert!(call.get("gen_ai.response.time_to_first_chunk").is_some());
    assert_eq!(call.error(), None);

    let mut response = post(&server, STREAMED).send_genai_with(&world.observer).await.unwrap();
    response.chunk().await.unwrap().unwrap();
    drop(response);
    let call = world.calls().remove(1);
    assert_eq!(call.error().as_deref(), Some("cancelled"));
    assert!(call.get("gen_ai.output.messages").unwrap().contains("Hel"));
}

#[tokio::test]
async fn timeouts_before_the_answer_and_within_it() {
    for (answer, request) in [(silence(), REQUEST), (stream(&EVENTS[..1]).hang(), STREAMED)] {
        let (world, server) = (World::new(), Server::start(vec![answer]).await);
        let call = post(&server, request).timeout(Duration::from_millis(200));
        let error = match call.send_genai_with(&world.observer).await {
            Ok(response) => response.bytes().await.unwrap_err(),
            Err(error) => error,
        };
        assert!(error.is_timeout(), "{error:?}");
        assert_eq!(world.call().error().as_deref(), Some("timeout"), "{request}");
    }
}

#[tokio::test]
async fn what_is_refused_and_where_nobody_listens() {
    for (status, body, code) in [(401, NO_KEY, "invalid_api_key"), (429, REFUSAL, "rate_limit_exceeded")] {
        let (world, server) = (World::new(), Server::start(vec![json(status, body)]).await);
        let response = post(&server, REQUEST).send_genai_with(&world.observer).await.unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(response.text().await.unwrap(), body);
        assert_eq!(world.call().error().as_deref(), Some(code));
    }
    let world = World::new();
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let call = Client::new().post(format!("http://{address}/v1/chat/completions?key=sk-url")).body(REQUEST);
    assert!(call.send_genai_with(&world.observer).await.unwrap_err().is_connect());
    let call = world.call();
    assert_eq!(call.error().as_deref(), Some("connection_refused"));
    assert!(!format!("{call:?}").contains("sk-url"));
}

#[tokio::test]
async fn a_redirect_is_followed_with_its_body() {
    let moved = json(307, "").header("location", "/v2/chat/completions");
    let (world, server) = (World::new(), Server::start(vec![moved, json(200, ANSWER)]).await);
    let response = post(&server, REQUEST).send_genai_with(&world.observer).await.unwrap();
    assert_eq!(response.url().path(), "/v2/chat/completions");
    response.bytes().await.unwrap();
    assert_eq!(server.asked()[1].body, REQUEST);
    assert_eq!(world.call().error(), None);
}

#[tokio::test]
async fn without_a_word_the_global_observer_is_asked() {
    let (world, server) = (World::new(), Server::start(vec![json(200, ANSWER)]).await);
    world.observer.clone().set_global().unwrap();
    post(&server, REQUEST).send_genai().await.unwrap().bytes().await.unwrap();
    world.call().has("gen_ai.response.id", "chatcmpl-1");
}

/// Tries again what was refused.
struct Again;

#[async_trait]
impl Middleware for Again {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        let again = request.try_clone().expect("a body that can be sent again");
        let response = next.clone().run(request, extensions).await?;
        if response.status() == 429 { next.run(again, extensions).await } else { Ok(response) }
    }
}

async fn ask(client: &ClientWithMiddleware, server: &Server) -> reqwest_middleware::Result<Response> {
    client.post(server.url("/v1/chat/completions")).body(REQUEST).send().await
}

#[tokio::test]
async fn a_middleware_before_the_one_that_tries_again_tells_a_call_once() {
    let answers = vec![json(429, REFUSAL), json(200, ANSWER)];
    let (world, server) = (World::new(), Server::start(answers).await);
    let genai = GenAiMiddleware::with(world.observer.clone());
    // The second one sees what is observed already.
    let client = ClientBuilder::new(Client::new()).with(genai.clone()).with(Again).with(genai).build();
    let parent = world.parent();
    let response = ask(&client, &server).with_context(parent.clone()).await.unwrap();
    assert_eq!(response.text().await.unwrap(), ANSWER);
    assert_eq!(server.asked().len(), 2);
    let call = world.call();
    assert!(call.is_child_of(&parent));
    assert_eq!(call.error(), None);
    call.has("gen_ai.response.id", "chatcmpl-1");
}

#[tokio::test]
async fn a_middleware_after_it_tells_each_attempt() {
    let answers = vec![json(429, REFUSAL), json(200, ANSWER)];
    let (world, server) = (World::new(), Server::start(answers).await);
    let genai = GenAiMiddleware::with(world.observer.clone());
    let client = ClientBuilder::new(Client::new()).with(Again).with(genai).build();
    ask(&client, &server).await.unwrap().text().await.unwrap();
    let mut errors: Vec<_> = world.calls().iter().map(Told::error).collect();
    errors.sort();
    assert_eq!(errors, [None, Some("429".to_owned())]);
}

#[tokio::test]
async fn a_call_through_middleware_that_fails_or_is_given_up() {
    let (world, server) = (World::new(), Server::start(vec![silence()]).await);
    let genai = GenAiMiddleware::with(world.observer.clone());
    let client = ClientBuilder::new(Client::new()).with(genai).build();
    tokio::select! {
        _ = ask(&client, &server) => panic!("the server says nothing"),
        () = async { while server.asked().is_empty() { tokio::task::yield_now().await } } => {}
    }
    assert_eq!(world.call().error().as_deref(), Some("cancelled"));
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = client.post(format!("http://{address}/v1/chat/completions")).body(REQUEST);
    assert!(nobody.send().await.unwrap_err().is_connect());
    assert_eq!(world.calls()[1].error().as_deref(), Some("connection_refused"));
}
