//! The words for what is stored as a number.

use super::{Dialect, Op};

impl Op {
    /// One word for it, as the conventions have it where they do.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::TextCompletion => "text_completion",
            Self::GenerateContent => "generate_content",
            Self::Embeddings => "embeddings",
            Self::CreateAgent => "create_agent",
            Self::InvokeAgent => "invoke_agent",
            Self::ExecuteTool => "execute_tool",
            Self::Retrieval => "retrieval",
            Self::Rerank => "rerank",
            Self::InvokeWorkflow => "invoke_workflow",
            Self::Plan => "plan",
            Self::FetchResponse => "fetch_response",
            Self::Memory => "memory",
            Self::Entry => "entry",
            Self::ReactStep => "react_step",
            Self::Mcp => "mcp",
            Self::Chain => "chain",
            Self::Guardrail => "guardrail",
            Self::Evaluator => "evaluator",
            Self::Prompt => "prompt",
            Self::Http => "http",
            Self::Database => "database",
            Self::Rpc => "rpc",
        }
    }
}

impl Dialect {
    /// One word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2026_08 => "2026-08",
            Self::V2026_10 => "2026-10",
            Self::LoongSuite => "loongsuite",
            Self::V1_30 => "v1.30",
            Self::GenAiOther => "gen_ai",
            Self::OpenInference => "openinference",
            Self::OpenLlmetry => "openllmetry",
            Self::Vercel => "vercel",
            Self::Logfire => "logfire",
            Self::MlFlow => "mlflow",
            Self::ClaudeCode => "claude_code",
            Self::Codex => "codex",
        }
    }
}
