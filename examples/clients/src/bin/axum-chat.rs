//! A service that streams a model's answer to a browser: axum, async-openai, and `tracing` for the requests.
//!
//! A browser that goes away in the middle ends the model's call, too: its span says `cancelled`. Ctrl-C or SIGTERM let the
//! requests under way finish; then everything is delivered.
//!
//! ```text
//! POST /chat                 tower-http's layer
//! └── chat gpt-4o-mini       async-openai, by one line
//! ```
//!
//! ```sh
//! otel-genai demo --serve &
//! OPENAI_BASE_URL=http://127.0.0.1:4081/v1 OPENAI_API_KEY=none cargo run --bin axum-chat
//! curl -N http://127.0.0.1:3000/chat -H 'Content-Type: application/json' -d '{"question": "Write a haiku about tracing."}'
//! ```

use std::env;
use std::error::Error;

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::types::chat::{
    ChatCompletionRequestUserMessage, ChatCompletionStreamOptions, CreateChatCompletionRequestArgs,
};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use futures::{Stream, StreamExt as _};
use otel_genai::sdk::Exporter;
use otel_genai_http::async_openai::instrument;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tower_http::trace::TraceLayer;
use tracing::{Span, error, info, info_span};

const MODEL: &str = "gpt-4o-mini";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // To the terminal, unless OTEL_* says otherwise; `otel_genai::init_with_tracing()` goes to http://localhost:4318 then.
    let _telemetry = otel_genai::setup()
        .sdk(|sdk| sdk.service_name_default("chat").default_exporter(Exporter::Console))
        .init_with_tracing()?;
    let client = instrument(Client::new()); // the line

    let app = Router::new().route("/chat", post(chat)).with_state(client);
    let app = app.layer(TraceLayer::new_for_http().make_span_with(span_of));
    let address = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    };
    axum::serve(listener, app).with_graceful_shutdown(stop).await?;
    Ok(())
}

/// A span of a request: OpenTelemetry's kind is told in a field.
fn span_of(request: &Request) -> Span {
    let (method, path) = (request.method(), request.uri().path());
    info_span!("request", otel.name = format!("{method} {path}"), otel.kind = "server")
}

#[derive(Deserialize)]
struct Ask {
    question: String,
}

/// The answer's words, each an event, as they come.
async fn chat(
    State(client): State<Client<OpenAIConfig>>,
    Json(ask): Json<Ask>,
) -> Result<Sse<impl Stream<Item = Result<Event, OpenAIError>>>, Refused> {
    let question = ChatCompletionRequestUserMessage::from(ask.question);
    // OpenAI tells the tokens of a stream only who asks for them.
    let usage = ChatCompletionStreamOptions { include_usage: Some(true), ..Default::default() };
    let request = CreateChatCompletionRequestArgs::default()
        .model(MODEL)
        .messages([question.into()])
        .stream_options(usage)
        .build()?;
    let chunks = client.chat().create_stream(request).await?;
    info!("the model answers");
    let words = chunks.map(|chunk| {
        let choices = chunk?.choices.into_iter();
        Ok(Event::default().data(choices.filter_map(|choice| choice.delta.content).collect::<String>()))
    });
    Ok(Sse::new(words))
}

/// What the browser is told when there is no answer: not what the model's provider says, which is for the log.
struct Refused;

impl From<OpenAIError> for Refused {
    fn from(error: OpenAIError) -> Self {
        // What cannot be read as an answer is shown whole by its error, and an answer has no place in a log.
        match error {
            OpenAIError::JSONDeserialize(error, _) => error!("the model's answer cannot be read: {error}"),
            error => error!("the model does not answer: {error}"),
        }
        Refused
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (StatusCode::BAD_GATEWAY, "The model does not answer. Please try again.\n").into_response()
    }
}
