//! What an operation is, to the eye: a letter and a colour, as on the page.

use crate::view::Op;

/// The class that names its colour, its letter, and a word for it.
pub(super) fn kind(op: Option<Op>) -> (&'static str, char, &'static str) {
    let Some(op) = op else { return ("other", '·', "span") };
    match op {
        Op::Chat | Op::TextCompletion | Op::GenerateContent => ("llm", 'L', "LLM call"),
        Op::FetchResponse => ("llm", 'L', "response fetched"),
        Op::Embeddings => ("embedding", 'E', "embeddings"),
        Op::CreateAgent => ("agent", 'A', "agent created"),
        Op::InvokeAgent => ("agent", 'A', "agent"),
        Op::InvokeWorkflow => ("agent", 'W', "workflow"),
        Op::Plan => ("agent", 'P', "plan"),
        Op::ReactStep => ("agent", 'I', "step"),
        Op::Entry => ("agent", 'N', "entry"),
        Op::ExecuteTool => ("tool", 'T', "tool"),
        Op::Mcp => ("mcp", 'M', "MCP"),
        Op::Retrieval => ("retrieval", 'R', "retrieval"),
        Op::Rerank => ("retrieval", 'K', "rerank"),
        Op::Memory => ("memory", 'S', "memory"),
        Op::Chain => ("other", 'C', "chain"),
        Op::Guardrail => ("other", 'G', "guardrail"),
        Op::Evaluator => ("other", 'V', "evaluator"),
        Op::Prompt => ("other", 'P', "prompt"),
        Op::Http => ("http", 'H', "HTTP"),
        Op::Database => ("http", 'D', "database"),
        Op::Rpc => ("http", 'R', "RPC"),
    }
}

/// The letter in its colour.
pub(super) fn glyph(op: Option<Op>) -> String {
    let (class, letter, word) = kind(op);
    format!("<b class=\"g k-{class}\" title=\"{word}\">{letter}</b>")
}
