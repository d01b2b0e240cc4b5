//! Telemetry ends while calls are open.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod support;

use std::time::Duration;

use otel_genai_http::reqwest::RequestBuilderExt as _;
use support::{EVENTS, Server, World, stream};

const STREAMED: &str = r#"{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#;

/// A client's task may still hold a stream that nobody reads any more.
#[tokio::test]
async fn what_is_open_when_telemetry_ends_is_told_as_cancelled_with_what_came() {
    let (world, server) = (World::new(), Server::start(vec![stream(&EVENTS[..1]).hang()]).await);
    let request = reqwest::Client::new().post(server.url("/v1/chat/completions")).body(STREAMED);
    let mut response = request.send_genai_with(&world.observer).await.unwrap();
    response.chunk().await.unwrap().unwrap();
    world.genai.close();
    assert!(world.genai.drain(Duration::from_secs(30)));
    let call = world.call();
    assert_eq!(call.error().as_deref(), Some("cancelled"));
    assert!(call.get("gen_ai.output.messages").unwrap().contains("Hel"));
    // It ended once: what comes after that is the client's own affair.
    drop(response);
    assert_eq!(world.calls().len(), 1);
}
