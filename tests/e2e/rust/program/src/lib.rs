//! What the programs with clients share: telemetry set up by the product's one line, a span of their own around all they
//! do, and an agent's tool.
//!
//! Each program plays the scene that its argument names against the server of `MODEL_URL`, and prints what it got as JSON.

use std::env;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::{FutureExt as _, TraceContextExt as _, Tracer as _};
use otel_genai::{GenAi, Message, opentelemetry};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub mod anthropic;
pub mod openai;
pub mod reading;

pub type Error = Box<dyn std::error::Error + Send + Sync>;

pub const QUESTION: &str = "How is the weather in Paris?";
pub const PIECES: &str = "Say it in pieces";
pub const HELLO: &str = "Hello – ünïcödé 🦀";

/// How long the clients of the scene `timeout` wait for a server that says nothing.
pub const PATIENCE: Duration = Duration::from_millis(300);

/// What is asked for, and of whom.
pub struct Scene {
    pub name: String,
    /// The server's address, without a path and a slash at the end.
    pub server: String,
    pub key: String,
}

/// Plays the scene within the program's own span `request`, and prints what came of it. Telemetry is set up already.
pub async fn run(play: impl AsyncFnOnce(&Scene) -> Result<Value, Error>) -> Result<(), Error> {
    let scene = Scene {
        name: env::args().nth(1).ok_or("which scene? name it as the argument")?,
        server: env::var("MODEL_URL")?,
        key: env::var("MODEL_KEY")?,
    };
    let span = opentelemetry::global::tracer("program").start("request");
    let context = Context::current_with_span(span);
    let result = play(&scene).with_context(context.clone()).await;
    context.span().end();
    println!("{}", result?);
    Ok(())
}

/// What an agent comes to.
#[derive(Default)]
pub struct Answer {
    pub text: String,
    /// Tokens, of all its calls together.
    pub input: u64,
    pub output: u64,
}

impl Answer {
    pub fn used(&mut self, input: impl TryInto<u64>, output: impl TryInto<u64>) {
        self.input += input.try_into().unwrap_or_default();
        self.output += output.try_into().unwrap_or_default();
    }
}

/// An agent answers a question: what is done within is below its span.
pub async fn agent(
    provider: &'static str,
    model: &'static str,
    work: impl AsyncFnOnce() -> Result<Answer, Error>,
) -> Result<Value, Error> {
    let pending = GenAi::global().invoke_agent("Forecaster").provider(provider).model(model);
    pending
        .scope(async |agent| {
            agent.input([Message::user(QUESTION)]);
            let answer = work().await?;
            agent.output([Message::assistant(&answer.text).finish("stop")]);
            agent.response_mut().finish_reasons = vec!["stop".to_owned()];
            agent.usage(answer.input, answer.output);
            Ok(json!({ "text": answer.text }))
        })
        .await
}

/// The agent's tool.
pub async fn weather(call: Option<&str>, arguments: Value) -> Result<String, Error> {
    let mut pending = GenAi::global().execute_tool("get_weather").kind("function");
    if let Some(id) = call {
        pending = pending.call_id(id);
    }
    pending
        .scope(async |tool| {
            tool.arguments(arguments);
            let seen = "18 degrees and sunny".to_owned();
            tool.result(seen.clone());
            Ok(seen)
        })
        .await
}

/// Waits until the server has seen that the client is gone, to which it has not said all. It is the program's own question,
/// in no client's words.
pub async fn left(scene: &Scene) -> Result<(), Error> {
    let host = scene.server.strip_prefix("http://").ok_or("MODEL_URL is no http://HOST:PORT")?;
    let mut server = TcpStream::connect(host).await?;
    let request = format!("GET /left HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    server.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).await?;
    if answer.starts_with(b"HTTP/1.1 200 ") { Ok(()) } else { Err("the server does not notice".into()) }
}
