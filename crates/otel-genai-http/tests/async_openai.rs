//! async-openai, with the one line.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod support;

use std::time::Duration;

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::middleware::ReqwestService;
use async_openai::middleware::retry::OpenAIRetryLayer;
use async_openai::types::chat::{
    ChatCompletionRequestUserMessageArgs, CreateChatCompletionRequest, CreateChatCompletionRequestArgs,
};
use futures_util::StreamExt as _;
use opentelemetry::trace::FutureExt as _;
use otel_genai_http::async_openai::{GenAiLayer, instrument_with};
use support::{ANSWER, EVENTS, NO_KEY, REFUSAL, Server, Told, World, json, silence, stream};
use tower::ServiceBuilder;

const QUOTA: &str = r#"{"error":{"message":"pay first","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#;

fn config(server: &Server) -> OpenAIConfig {
    OpenAIConfig::new().with_api_base(server.url("/v1")).with_api_key("sk-secret")
}

fn client(world: &World, server: &Server) -> Client<OpenAIConfig> {
    instrument_with(Client::with_config(config(server)), world.observer.clone())
}

fn request() -> CreateChatCompletionRequest {
    let message = ChatCompletionRequestUserMessageArgs::default().content("Hi").build().unwrap();
    CreateChatCompletionRequestArgs::default()
        .model("gpt-4o-mini")
        .messages(vec![message.into()])
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_whole_answer_is_told_below_its_caller() {
    let (world, server) = (World::new(), Server::start(vec![json(200, ANSWER)]).await);
    let (client, parent) = (client(&world, &server), world.parent());
    let answer = client.chat().create(request()).with_context(parent.clone()).await.unwrap();
    assert_eq!(answer.id, "chatcmpl-1");
    assert_eq!(server.asked().len(), 1);
    assert!(!server.asked()[0].headers.contains_key("traceparent"));
    let call = world.call();
    assert!(call.is_child_of(&parent));
    assert_eq!(call.0.name, "chat gpt-4o-mini");
    call.has("gen_ai.usage.input_tokens", "9");
    assert!(call.get("gen_ai.input.messages").unwrap().contains("Hi"));
    assert!(call.get("gen_ai.output.messages").unwrap().contains("Hello"));
    assert!(!format!("{call:?}").contains("sk-secret"));
}

#[tokio::test]
async fn a_stream_to_its_end() {
    let (world, server) = (World::new(), Server::start(vec![stream(&EVENTS)]).await);
    let (client, parent) = (client(&world, &server), world.parent());
    let stream = client.chat().create_stream(request()).with_context(parent.clone()).await.unwrap();
    let chunks: Vec<_> = stream.collect().await;
    assert_eq!(chunks.len(), 3);
    let call = world.call();
    assert!(call.is_child_of(&parent));
    assert!(call.get("gen_ai.output.messages").unwrap().contains("Hello"));
    assert!(call.get("gen_ai.response.time_to_first_chunk").is_some());
    // The client leaves at `[DONE]`, without reading the end of the body.
    assert_eq!(call.error(), None);
}

#[tokio::test]
async fn a_stream_that_is_dropped_half_way() {
    // async-openai notices that nobody listens when the next event comes.
    let answers = vec![stream(&EVENTS[..2]).hang()];
    let (world, server) = (World::new(), Server::start(answers).await);
    let client = client(&world, &server);
    let mut stream = client.chat().create_stream(request()).await.unwrap();
    stream.next().await.unwrap().unwrap();
    drop(stream);
    // A task of the client's own holds the body.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while world.calls().is_empty() && tokio::time::Instant::now() < deadline {
        tokio::task::yield_now().await;
    }
    let call = world.call();
    assert_eq!(call.error().as_deref(), Some("cancelled"));
    assert!(call.get("gen_ai.output.messages").unwrap().contains("Hel"));
}

#[tokio::test]
async fn a_call_is_one_span_however_often_it_was_tried() {
    let refused = || json(429, REFUSAL).header("retry-after", "0");
    let (world, server) = (World::new(), Server::start(vec![refused(), refused(), json(200, ANSWER)]).await);
    client(&world, &server).chat().create(request()).await.unwrap();
    let asked = server.asked();
    assert_eq!(asked.len(), 3);
    assert_eq!(asked[2].body, asked[0].body);
    let call = world.call();
    assert_eq!(call.error(), None);
    call.has("gen_ai.response.id", "chatcmpl-1");
    assert_eq!(call.get("gen_ai.input.messages").unwrap().matches("Hi").count(), 1);
}

#[tokio::test]
async fn inside_the_retry_layer_each_attempt_is_told() {
    let refused = json(429, REFUSAL).header("retry-after", "0");
    let (world, server) = (World::new(), Server::start(vec![refused, json(200, ANSWER)]).await);
    let http = ServiceBuilder::new()
        .layer(OpenAIRetryLayer::default())
        .layer(GenAiLayer::with(world.observer.clone()))
        .service(ReqwestService::new(reqwest::Client::new()));
    let client = Client::with_config(config(&server)).with_http_service(http);
    client.chat().create(request()).await.unwrap();
    let errors: Vec<_> = world.calls().iter().map(Told::error).collect();
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert_eq!(errors.iter().flatten().count(), 1);
}

#[tokio::test]
async fn what_the_provider_refuses() {
    for (status, body, code) in [(401, NO_KEY, "invalid_api_key"), (429, QUOTA, "insufficient_quota")] {
        let (world, server) = (World::new(), Server::start(vec![json(status, body)]).await);
        let error = client(&world, &server).chat().create(request()).await.unwrap_err();
        assert!(matches!(&error, OpenAIError::ApiError(_)), "{error:?}");
        assert_eq!(server.asked().len(), 1);
        assert_eq!(world.call().error().as_deref(), Some(code));
    }
}

#[tokio::test]
async fn a_timeout_in_the_stack_and_one_around_the_call() {
    let (world, server) = (World::new(), Server::start(vec![silence(), silence()]).await);
    let http = ServiceBuilder::new()
        .layer(GenAiLayer::with(world.observer.clone()))
        .timeout(Duration::from_millis(200))
        .service(ReqwestService::new(reqwest::Client::new()));
    let hasty = Client::with_config(config(&server)).with_http_service(http);
    assert!(matches!(hasty.chat().create(request()).await, Err(OpenAIError::Boxed(_))));
    let patient = client(&world, &server);
    let call =
        tokio::time::timeout(Duration::from_millis(200), async { patient.chat().create(request()).await });
    assert!(call.await.is_err());
    let errors: Vec<_> = world.calls().iter().map(Told::error).collect();
    assert_eq!(errors, [Some("timeout".to_owned()), Some("cancelled".to_owned())]);
}

#[tokio::test]
async fn rounds_of_a_tool_loop_are_siblings() {
    let answers = vec![json(200, support::TOOL_ANSWER), json(200, ANSWER)];
    let (world, server) = (World::new(), Server::start(answers).await);
    let (client, parent) = (client(&world, &server), world.parent());
    let rounds = async {
        let first = client.chat().create(request()).await.unwrap();
        assert!(first.choices[0].message.tool_calls.is_some());
        client.chat().create(request()).await.unwrap()
    };
    rounds.with_context(parent.clone()).await;
    let calls = world.calls();
    assert_eq!(calls.len(), 2);
    assert!(calls.iter().all(|call| call.is_child_of(&parent)));
    assert!(calls[0].get("gen_ai.response.finish_reasons").unwrap().contains("tool"));
}
