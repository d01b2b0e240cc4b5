//! Cohere: chat in its two versions, embeddings, and rerank, which others speak as well.

mod chat;
pub(crate) mod embed;
pub(crate) mod rerank;
mod usage;
mod v1;

pub(crate) use chat::Chat;
pub(crate) use embed::Embed;
pub(crate) use rerank::Rerank;
pub(crate) use v1::ChatV1;

use otel_genai::{FinishReason, Part};
use serde_json::Value;

use crate::media;

/// A reason in the conventions' words, where they have one.
fn meant(reason: &str) -> FinishReason {
    match reason {
        "COMPLETE" | "STOP_SEQUENCE" | "complete" | "stop_sequence" => FinishReason::Stop,
        "MAX_TOKENS" | "ERROR_LIMIT" | "max_tokens" | "error_limit" => FinishReason::Length,
        "TOOL_CALL" | "tool_call" => FinishReason::ToolCall,
        "ERROR_TOXIC" | "error_toxic" => FinishReason::ContentFilter,
        "ERROR" | "TIMEOUT" | "error" | "timeout" => FinishReason::Error,
        other => other.into(),
    }
}

/// A text, with the sources that it quotes.
fn quoting(text: String, citations: Vec<Value>) -> Part {
    let mut part = Part::text(text);
    if let (Part::Text(text), false) = (&mut part, citations.is_empty()) {
        text.extra.insert("citations".to_owned(), media::value_without_secrets(citations.into()));
    }
    part
}
