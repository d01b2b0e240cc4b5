//! The crate `genai` with its feature `otel`, which tells its calls as spans of `tracing`. One line brings them to the
//! convention of choice, makes metrics and events of them, and keeps content where it is wanted.
//!
//! ```text
//! invoke_agent Support
//! ├── chat gpt-4o-mini
//! └── chat gpt-4o-mini        streamed
//! ```
//!
//! ```sh
//! otel-genai demo --serve &
//! OPENAI_BASE_URL=http://127.0.0.1:4081/v1 OPENAI_API_KEY=none RUST_LOG=info,genai::adapter=error \
//!     cargo run --bin genai
//! ```
//!
//! `RUST_LOG` for quiet: the crate warns of the empty piece that streams begin with. It knows
//! `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true`, and no other word for it.

use std::env;
use std::error::Error;
use std::io::{Write as _, stdout};

use futures::StreamExt as _;
use genai::chat::{ChatMessage, ChatOptions, ChatRequest, ChatStreamEvent};
use genai::otel::agent::AgentSpan;
use genai::resolver::{Endpoint, Result as Resolved, ServiceTargetResolver};
use genai::{Client, ServiceTarget};
use otel_genai::sdk::Exporter;
use tracing::Instrument as _;

const MODEL: &str = "gpt-4o-mini";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The line. To the terminal, unless OTEL_* says otherwise; `otel_genai_processor::init_with_tracing()` goes to
    // http://localhost:4318 then.
    let _telemetry = otel_genai_processor::setup()
        .sdk(|sdk| sdk.service_name_default("support").default_exporter(Exporter::Console))
        .init_with_tracing()?;
    let client = client()?;

    let agent = AgentSpan::invoke_agent().internal().with_name("Support").with_model(MODEL).start();
    async {
        let question = ChatRequest::new(vec![
            ChatMessage::system("Answer in one sentence."),
            ChatMessage::user("What is the capital of France?"),
        ]);
        let answer = client.exec_chat(MODEL, question, None).await?;
        println!("> {}", answer.first_text().unwrap_or_default());

        let haiku = ChatRequest::new(vec![ChatMessage::user("Write a haiku about tracing.")]);
        let options = ChatOptions::default().with_capture_usage(true);
        let mut stream = client.exec_chat_stream(MODEL, haiku, Some(&options)).await?.stream;
        print!("> ");
        while let Some(event) = stream.next().await {
            if let ChatStreamEvent::Chunk(chunk) = event? {
                print!("{}", chunk.content);
                stdout().flush()?;
            }
        }
        println!("\n");
        Ok::<_, Box<dyn Error>>(())
    }
    .instrument(agent)
    .await
}

/// A client of `genai`, which asks the provider's own address unless it is told another.
fn client() -> genai::Result<Client> {
    let elsewhere = env::var("OPENAI_BASE_URL").ok();
    let resolve = move |mut target: ServiceTarget| -> Resolved<ServiceTarget> {
        if let Some(url) = &elsewhere {
            // Paths are put behind it as they are.
            target.endpoint = Endpoint::from_owned(format!("{}/", url.trim_end_matches('/')));
        }
        Ok(target)
    };
    Client::builder().with_service_target_resolver(ServiceTargetResolver::from_resolver_fn(resolve)).build()
}
