//! Which attributes hold content: what was said, by people, models and tools.

use crate::index::is_content_name;
use crate::slot::Slot;
use crate::vocabulary::TREES;

/// Further attributes that hold content; a dot at the end stands for any rest.
pub(crate) const CONTENT: &[&str] = &[
    "gen_ai.prompt.variable.",
    "gen_ai.rerank.scoring_prompt",
    "gen_ai.memory.input.messages",
    "gen_ai.memory.output.messages",
    "ai.response.text",
    "ai.response.object",
    "ai.response.toolCalls",
    "ai.response.reasoning",
    "ai.result.",
    "ai.value",
    "ai.values",
    "ai.embedding",
    "ai.embeddings",
    "ai.prompt.toolChoice",
    "ai.schema",
    "embedding.text",
    "embedding.vector",
    "embedding.embeddings.",
    "tool.parameters",
    "llm.prompt_template.template",
    "llm.prompt_template.variables",
    "llm.function_call",
    "pydantic_ai.all_messages",
    "all_messages_events",
    "mlflow.spanInputs",
    "mlflow.spanOutputs",
    "gen_ai.event.content",
];

/// Slots that hold content, and the attribute that tells it in the conventions.
#[must_use]
pub fn content_name(slot: Slot) -> Option<&'static str> {
    use otel_genai_semconv::attribute::*;
    Some(match slot {
        Slot::InputMessages => GEN_AI_INPUT_MESSAGES,
        Slot::OutputMessages => GEN_AI_OUTPUT_MESSAGES,
        Slot::SystemInstructions => GEN_AI_SYSTEM_INSTRUCTIONS,
        Slot::ToolDefinitions => GEN_AI_TOOL_DEFINITIONS,
        Slot::ToolArguments => GEN_AI_TOOL_CALL_ARGUMENTS,
        Slot::ToolResult => GEN_AI_TOOL_CALL_RESULT,
        Slot::Query => GEN_AI_RETRIEVAL_QUERY_TEXT,
        Slot::Documents => GEN_AI_RETRIEVAL_DOCUMENTS,
        Slot::InputDocuments => GEN_AI_RERANK_INPUT_DOCUMENTS,
        Slot::OutputDocuments => GEN_AI_RERANK_OUTPUT_DOCUMENTS,
        Slot::MemoryRecords => GEN_AI_MEMORY_RECORDS,
        _ => return None,
    })
}

/// Those of [`CONTENT`] that stand for any rest.
const HEADS: [&str; 3] = ["gen_ai.prompt.variable.", "ai.result.", "embedding.embeddings."];

/// Whether the attribute of this name holds content. Asked of every attribute of every span: it costs one look-up.
#[must_use]
pub fn is_content(key: &str) -> bool {
    is_content_name(key) || is_content_tree(key)
}

/// Whether it is one of many attributes that hold content together.
pub(crate) fn is_content_tree(key: &str) -> bool {
    // The index behind the name of a tree.
    let index = key.as_bytes().windows(2).position(|pair| matches!(pair, [b'.', b'0'..=b'9']));
    let tree = index.and_then(|at| key.get(..=at));
    tree.is_some_and(|tree| TREES.iter().any(|(prefix, _)| *prefix == tree))
        || HEADS.iter().any(|head| key.starts_with(head))
}

/// Whether the attribute is a leaf of a tree: its prefix and then an index, so that `gen_ai.prompt.name` is none.
#[must_use]
pub fn is_in_tree(key: &str, prefix: &str) -> bool {
    key.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

/// Span events that hold a message each, or all of them.
pub const MESSAGE_EVENTS: &[&str] = &[
    "gen_ai.system.message",
    "gen_ai.user.message",
    "gen_ai.assistant.message",
    "gen_ai.tool.message",
    "gen_ai.choice",
    "gen_ai.content.prompt",
    "gen_ai.content.completion",
    "gen_ai.client.inference.operation.details",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_and_heads_are_content() {
        let heads: Vec<_> = CONTENT.iter().filter(|name| name.ends_with('.')).copied().collect();
        assert_eq!(heads, HEADS);
        for (prefix, _) in TREES {
            assert!(is_content(&format!("{prefix}0")) && is_content(&format!("{prefix}12.a.3.b")));
            assert!(!is_content(&format!("{prefix}name")) && !is_content(&format!("x.{prefix}0")));
        }
        assert!(is_content("ai.result.text") && is_content("gen_ai.input.messages"));
        assert!(!is_content("gen_ai.request.model") && !is_content("app.7"));
    }
}
