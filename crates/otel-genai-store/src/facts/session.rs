//! Sessions that only log records tell of: Claude Code's and Codex's, where they send no spans.

use super::Dialect;
use crate::id::TraceId;
use crate::log::LogRecord;

/// The trace in which a record without one is shown: that of its session, and of the prompt that it answers where that is
/// told. The same session has the same id in every store.
pub(crate) fn trace_of(log: &LogRecord) -> Option<TraceId> {
    if log.trace.is_some() {
        return None;
    }
    let facts = &log.facts;
    let is_agent = matches!(facts.dialect, Some(Dialect::ClaudeCode | Dialect::Codex));
    if !is_agent && facts.op.is_none() {
        return None;
    }
    let conversation = facts.conversation.as_deref()?;
    let prompt = log.attributes.text("prompt.id").unwrap_or_default();
    let mut hash = blake3::Hasher::new();
    for part in ["otel-genai session", log.origin.resource.service.as_ref(), conversation, prompt.as_ref()] {
        // With its length, so that no two lists of parts are alike.
        hash.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    TraceId::new(hash.finalize().as_bytes().get(..16)?)
}
