//! A provider of models that is made up. It knows nothing of telemetry, like a real one's client.

use std::time::Duration;

use futures_util::{Stream, StreamExt as _, stream};
use otel_genai::{Message, Part, Role, ToolDefinition};
use serde_json::json;

/// What the provider says where it does not answer.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct ModelError {
    /// The provider's word for it.
    pub code: &'static str,
    /// What happened, for people.
    pub message: String,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its id.
    pub id: String,
    /// The model that made it.
    pub model: String,
    /// What it says.
    pub message: Message,
    /// Tokens of what was asked, and of the answer.
    pub tokens: (u64, u64),
}

/// A piece of a streamed answer.
#[derive(Clone, Debug)]
pub enum Chunk {
    /// More text.
    Text(&'static str),
    /// That was all.
    End {
        /// Why the model stopped.
        finish_reason: &'static str,
        /// Tokens of what was asked, and of the answer.
        tokens: (u64, u64),
    },
}

/// The provider's client.
#[derive(Clone, Copy, Debug, Default)]
pub struct Model {
    latency: Duration,
}

impl Model {
    /// One that takes this long for an answer or a chunk.
    #[must_use]
    pub fn new(latency: Duration) -> Self {
        Self { latency }
    }

    /// Asks for an answer: a call of every tool that is offered, or a plan where none is.
    ///
    /// # Errors
    /// Where nothing is asked.
    pub async fn ask(&self, history: &[Message], tools: &[ToolDefinition]) -> Result<Answer, ModelError> {
        self.wait().await;
        let Some(last) = history.last() else {
            return Err(ModelError { code: "invalid_request", message: "there are no messages".to_owned() });
        };
        let arguments = json!({"order": 7, "query": "late parcels"});
        let calls = tools
            .iter()
            .enumerate()
            .map(|(number, tool)| Part::tool_call(format!("call_{number}"), &tool.name, arguments.clone()));
        let (parts, reason): (Vec<Part>, _) = match (tools.is_empty(), &last.role) {
            (false, Role::User) => (calls.collect(), "tool_call"),
            _ => (vec![Part::text("Track the order, look up the rules, answer.")], "stop"),
        };
        Ok(Answer {
            id: "chatcmpl-1".to_owned(),
            model: "gpt-4o-mini-2024-07-18".to_owned(),
            message: Message::assistant_parts(parts).finish(reason),
            tokens: (40, 12),
        })
    }

    /// Asks for an answer in pieces.
    pub fn stream(&self, _history: &[Message]) -> impl Stream<Item = Result<Chunk, ModelError>> + use<> {
        let model = *self;
        let texts = ["Your order is ", "in Hamburg. ", "It will be two days late, ", "and shipping is free."];
        let end = Chunk::End { finish_reason: "stop", tokens: (120, 21) };
        stream::iter(texts.map(Chunk::Text).into_iter().chain([end])).then(move |chunk| async move {
            model.wait().await;
            Ok(chunk)
        })
    }

    /// Turns texts into vectors. The word `poison` is more than the provider can take.
    ///
    /// # Errors
    /// Where a text is refused.
    pub async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, ModelError> {
        self.wait().await;
        if texts.iter().any(|text| text.contains("poison")) {
            return Err(ModelError { code: "content_filter", message: "a text was refused".to_owned() });
        }
        Ok(texts.iter().map(|text| vec![text.len() as f32; 4]).collect())
    }

    /// Time passes. Whoever waits is also asked again later, even where no time has to pass.
    pub async fn wait(&self) {
        if self.latency.is_zero() {
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(self.latency).await;
        }
    }
}
