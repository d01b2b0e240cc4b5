//! rig's model calls, without an agent.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod support;

use std::time::Duration;

use futures_util::StreamExt as _;
use opentelemetry::trace::{FutureExt as _, SpanKind};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use rig_core::completion::CompletionRequest;
use rig_core::providers::anthropic::AnthropicConfig;
use rig_core::providers::openai::OpenAIConfig;
use rig_core::transcription::TranscriptionRequestBuilder;
use rig_reqwest::ReqwestClient;
use support::{ANSWER, EVENTS, NO_KEY, REFUSAL, Server, World, json, silence, stream};

const CHAT: &str = "chat gpt-4o-mini";

#[tokio::test]
async fn a_whole_answer_is_told_below_its_caller() {
    let (world, server) = (World::new(), Server::start(vec![json(200, ANSWER)]).await);
    let parent = world.parent();
    let model = world.openai(&server).chat("gpt-4o-mini");
    let answer = model.call(CompletionRequest::new("Hi")).with_context(parent.clone()).await.unwrap();
    assert_eq!(answer.origin.response_id.as_deref(), Some("chatcmpl-1"));
    let call = world.tree().one(CHAT);
    assert!(call.is_child_of(&parent));
    assert_eq!(call.0.span_kind, SpanKind::Client);
    call.has("gen_ai.provider.name", "openai");
    call.has("gen_ai.response.id", "chatcmpl-1");
    call.has("gen_ai.usage.input_tokens", "9");
    call.has("server.address", "127.0.0.1");
    assert!(call.get("gen_ai.input.messages").unwrap().contains("Hi"));
    assert_eq!(call.error(), None);
    assert!(!format!("{call:?}").contains("sk-secret"));
    assert_eq!(world.metric("gen_ai.client.token.usage", "gen_ai.token.type").len(), 2);
    assert_eq!(world.events()[0].0, "gen_ai.client.inference.operation.details");
}

#[tokio::test]
async fn a_stream_to_its_end_and_one_that_is_dropped_half_way() {
    let answers = vec![stream(&EVENTS), stream(&EVENTS[..1]).hang()];
    let (world, server) = (World::new(), Server::start(answers).await);
    let model = world.openai(&server).chat("gpt-4o-mini");
    let mut answer = model.stream(CompletionRequest::new("Hi")).unwrap();
    while answer.next().await.is_some() {}
    drop(answer);
    let call = world.tree().one(CHAT);
    assert!(call.get("gen_ai.output.messages").unwrap().contains("Hello"));
    assert!(call.get("gen_ai.response.time_to_first_chunk").is_some());
    assert_eq!(call.error(), None);

    let mut answer = model.stream(CompletionRequest::new("Hi")).unwrap();
    answer.next().await.unwrap().unwrap();
    drop(answer);
    let call = world.tree().all(CHAT).remove(1);
    assert_eq!(call.error().as_deref(), Some("cancelled"));
    assert!(call.get("gen_ai.output.messages").unwrap().contains("Hel"));
}

#[tokio::test]
async fn timeouts_before_the_answer_and_within_it() {
    for streams in [false, true] {
        let answer = if streams { stream(&EVENTS[..1]).hang() } else { silence() };
        let (world, server) = (World::new(), Server::start(vec![answer]).await);
        let client = reqwest::Client::builder().timeout(Duration::from_millis(200)).build().unwrap();
        let model = world.openai_at(&server.url("/v1"), client).chat("gpt-4o-mini");
        if streams {
            let mut answer = model.stream(CompletionRequest::new("Hi")).unwrap();
            while let Some(Ok(_)) = answer.next().await {}
        } else {
            model.call(CompletionRequest::new("Hi")).await.unwrap_err();
        }
        assert_eq!(world.tree().one(CHAT).error().as_deref(), Some("timeout"), "streams: {streams}");
    }
}

#[tokio::test]
async fn what_is_refused_where_nobody_listens_and_what_is_given_up() {
    for (status, body, code) in [(401, NO_KEY, "invalid_api_key"), (429, REFUSAL, "rate_limit_exceeded")] {
        for streams in [false, true] {
            let (world, server) = (World::new(), Server::start(vec![json(status, body)]).await);
            let model = world.openai(&server).chat("gpt-4o-mini");
            let error = if streams {
                let mut answer = model.stream(CompletionRequest::new("Hi")).unwrap();
                loop {
                    match answer.next().await {
                        Some(Ok(_)) => {}
                        Some(Err(error)) => break error,
                        None => panic!("no error"),
                    }
                }
            } else {
                model.call(CompletionRequest::new("Hi")).await.unwrap_err()
            };
            assert_eq!(error.provider_response_body(), Some(body));
            assert_eq!(world.tree().one(CHAT).error().as_deref(), Some(code));
            // rig does not try again by itself.
            assert_eq!(server.asked().len(), 1);
        }
    }

    let world = World::new();
    // No program is given port 1 by chance.
    let nobody = world.openai_at("http://user:sk-url@127.0.0.1:1/v1", reqwest::Client::new());
    nobody.chat("gpt-4o-mini").call(CompletionRequest::new("Hi")).await.unwrap_err();
    let call = world.tree().one(CHAT);
    assert_eq!(call.error().as_deref(), Some("connection_refused"));
    assert!(!format!("{call:?}").contains("sk-url"));

    let (world, server) = (World::new(), Server::start(vec![silence()]).await);
    let model = world.openai(&server).chat("gpt-4o-mini");
    tokio::select! {
        _ = model.call(CompletionRequest::new("Hi")) => panic!("the server says nothing"),
        () = async { while server.asked().is_empty() { tokio::task::yield_now().await } } => {}
    }
    assert_eq!(world.tree().one(CHAT).error().as_deref(), Some("cancelled"));
}

#[tokio::test]
async fn other_operations_and_other_providers() {
    const VECTORS: &str = r#"{"object":"list","model":"text-embedding-3-small","data":[{"object":"embedding","index":0,"embedding":[0.5,0.5]}],"usage":{"prompt_tokens":2,"total_tokens":2}}"#;
    const MESSAGE: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4","content":[{"type":"text","text":"Hello"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":5,"output_tokens":2}}"#;
    const TEXT: &str = r#"{"text":"Hello there"}"#;
    let answers = vec![json(200, VECTORS), json(200, MESSAGE), json(200, TEXT)];
    let (world, server) = (World::new(), Server::start(answers).await);
    let openai = world.openai(&server);
    openai.embedding("text-embedding-3-small", Some(2)).embed_text("Hi").await.unwrap();
    let anthropic = AnthropicConfig::new("sk-secret")
        .with_base_url(server.url(""))
        .connect(world.http(reqwest::Client::new()));
    anthropic.completion("claude-sonnet-4").call(CompletionRequest::new("Hi").max_tokens(10)).await.unwrap();
    let sound = TranscriptionRequestBuilder::new(b"RIFF-sound".to_vec()).build();
    openai.transcription("whisper-1").call(sound).await.unwrap();
    let tree = world.tree();
    tree.one("embeddings text-embedding-3-small").has("gen_ai.usage.input_tokens", "2");
    tree.one("chat claude-sonnet-4").has("gen_ai.provider.name", "anthropic");
    // The form's fields are read, its file is not.
    let call = tree.0.iter().find(|span| span.name.contains("whisper-1")).unwrap_or_else(|| panic!("{tree}"));
    assert!(!format!("{call:?}").contains("RIFF"));
    let asked = server.asked().remove(2);
    assert!(String::from_utf8_lossy(&asked.body).contains("RIFF-sound"));
}

#[tokio::test]
async fn the_trace_goes_on_where_asked_for_and_a_call_is_told_once() {
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    let answers = vec![json(200, ANSWER), json(200, ANSWER)];
    let (world, server) = (World::new(), Server::start(answers).await);
    let parent = world.parent();
    for propagate in [false, true] {
        // Two around each other: the outer one tells.
        let http = otel_genai_rig::GenAiHttp::new(world.http(reqwest::Client::new()))
            .with(world.observer.clone())
            .propagate(propagate);
        let openai = OpenAIConfig::new("sk-secret").with_base_url(server.url("/v1")).connect(http);
        let call = openai.chat("gpt-4o-mini").call(CompletionRequest::new("Hi"));
        call.with_context(parent.clone()).await.unwrap();
    }
    assert_eq!(world.tree().all(CHAT).len(), 2);
    let asked = server.asked();
    assert!(!asked[0].headers.contains_key("traceparent"));
    assert!(asked[1].headers.contains_key("traceparent"));
}

#[tokio::test]
async fn without_a_word_the_global_observer_is_asked() {
    let (world, server) = (World::new(), Server::start(vec![json(200, ANSWER)]).await);
    world.observer.clone().set_global().unwrap();
    let http = otel_genai_rig::GenAiHttp::new(ReqwestClient::from(reqwest::Client::new()));
    let openai = OpenAIConfig::new("sk-secret").with_base_url(server.url("/v1")).connect(http);
    openai.chat("gpt-4o-mini").call(CompletionRequest::new("Hi")).await.unwrap();
    world.tree().one(CHAT).has("gen_ai.response.id", "chatcmpl-1");
}
