//! ollama-rs, a client that takes an address and nothing else. It gets that of a gateway inside this program, which reads
//! its calls on their way to Ollama.
//!
//! ```text
//! chat llama3.2
//! invoke_agent Poet
//! └── chat llama3.2        streamed, below the agent by an address that says so
//! ```
//!
//! ```sh
//! otel-genai demo --serve &
//! OLLAMA_HOST=http://127.0.0.1:4081 cargo run --bin ollama-rs
//! ```

use std::env;
use std::error::Error;
use std::io::{Write as _, stdout};

use futures::StreamExt as _;
use ollama_rs::Ollama;
use ollama_rs::generation::chat::ChatMessage;
use ollama_rs::generation::chat::request::ChatMessageRequest;
use otel_genai::opentelemetry::Context;
use otel_genai::sdk::Exporter;
use otel_genai::{GenAi, Message};
use otel_genai_gateway::Local;

type Failed = Box<dyn Error + Send + Sync>;

const MODEL: &str = "llama3.2";

#[tokio::main]
async fn main() -> Result<(), Failed> {
    // To the terminal, unless OTEL_* says otherwise; `otel_genai::init()` goes to http://localhost:4318 then.
    let _telemetry = otel_genai::setup()
        .sdk(|sdk| sdk.service_name_default("poet").default_exporter(Exporter::Console))
        .init()?;
    let provider = env::var("OLLAMA_HOST").unwrap_or_else(|_| "http://127.0.0.1:11434".to_owned());
    let local = Local::start(&provider)?; // the line
    let ollama = Ollama::builder().url(local.url()).build();

    // What is no call of a model passes as it is.
    let models = ollama.list_local_models().await?;
    println!("models: {}", models.into_iter().map(|model| model.name).collect::<Vec<_>>().join(", "));
    let answer = ollama.send_chat_messages(ask("What is the capital of France?")).await?;
    println!("> {}", answer.message.content);
    write_haiku(&local).await
}

/// An agent's run has a client of its own, with an address whose calls are its children.
async fn write_haiku(local: &Local) -> Result<(), Failed> {
    let question = "Write a haiku about tracing.";
    GenAi::global()
        .invoke_agent("Poet")
        .model(MODEL)
        .scope(async |agent| {
            agent.input([Message::user(question)]);
            let here = local.within(&Context::current());
            let ollama = Ollama::builder().url(here.url()).build();
            let mut words = ollama.send_chat_messages_stream(ask(question)).await?;
            let mut answer = String::new();
            print!("> ");
            while let Some(word) = words.next().await {
                let word = word.map_err(|()| "the stream broke off")?.message.content;
                print!("{word}");
                stdout().flush()?;
                answer.push_str(&word);
            }
            println!("\n");
            agent.output([Message::assistant(answer).finish("stop")]);
            Ok(())
        })
        .await
}

fn ask(question: &str) -> ChatMessageRequest {
    ChatMessageRequest::new(MODEL.to_owned(), vec![ChatMessage::user(question.to_owned())])
}
