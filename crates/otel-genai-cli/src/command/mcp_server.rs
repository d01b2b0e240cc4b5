//! `otel-genai mcp-server`: what was received, for coding agents, over standard input and output.

use std::io::BufRead as _;

use tokio::sync::mpsc;

use crate::dashboard::source::{Look, Source};
use crate::diagnostics;
use crate::exit::Failure;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
In an agent's configuration:
  {\"mcpServers\": {\"otel-genai\": {\"command\": \"otel-genai\", \"args\": [\"mcp-server\"]}}}

It only reads. Tools: list_traces, get_trace, get_transcript, search, stats, why_failed. A dashboard that runs answers the \
same at POST /mcp.")]
pub(super) struct McpServer {
    #[command(flatten)]
    look: Look,
}

impl McpServer {
    pub(super) fn execute(self) -> Result<u8, Failure> {
        diagnostics::begin(false);
        let runtime = super::runtime()?;
        let ended = runtime.block_on(self.serve());
        // The thread that reads standard input may wait for ever.
        runtime.shutdown_background();
        ended
    }

    async fn serve(&self) -> Result<u8, Failure> {
        let mut messages = messages()?;
        while let Some(message) = messages.recv().await {
            // Asked anew each time: a dashboard may have started or ended meanwhile, and files are nobody's for long.
            let told = match self.look.open().await {
                Ok(source) => {
                    let told = tell(&source, message.clone()).await;
                    source.close().await;
                    told
                }
                Err(failure) => Err(failure),
            };
            match told {
                Ok(answer) if answer.is_empty() => {}
                Ok(answer) => super::print(&format!("{answer}\n")),
                Err(failure) => super::print(&refusal(&message, &failure)),
            }
        }
        Ok(0)
    }
}

async fn tell(source: &Source, message: String) -> Result<String, Failure> {
    source.found.api.post("/mcp", message).await.map_err(Failure::ours)
}

/// The client must hear of it, or it waits.
fn refusal(message: &str, failure: &Failure) -> String {
    let message: serde_json::Value = serde_json::from_str(message).unwrap_or_default();
    let Some(id) = message.get("id") else { return String::new() };
    let error = serde_json::json!({ "code": -32603, "message": failure.to_string() });
    format!("{}\n", serde_json::json!({ "jsonrpc": "2.0", "id": id, "error": error }))
}

/// A line of standard input each.
fn messages() -> Result<mpsc::Receiver<String>, Failure> {
    let (sender, receiver) = mpsc::channel(16);
    let read = move || {
        let lines = std::io::stdin().lock().lines().map_while(Result::ok);
        for line in lines.filter(|line| !line.trim().is_empty()) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new()
        .name("stdin".to_owned())
        .spawn(read)
        .map_err(|error| Failure::ours(format!("the system gives no thread: {error}")))?;
    Ok(receiver)
}
