//! The words of the API for what the store counts with numbers.

use std::str::FromStr;

use otel_genai_store as store;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word that the API has for it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// The store's; `None` for one that is newer than this.
            #[must_use]
            pub fn of(stored: store::$name) -> Option<Self> {
                match stored {
                    $(store::$name::$variant => Some(Self::$variant),)*
                    #[allow(unreachable_patterns, reason = "only some of the store's enums may grow")]
                    _ => None,
                }
            }

            /// As the store has it.
            #[must_use]
            pub fn stored(self) -> store::$name {
                match self {
                    $(Self::$variant => store::$name::$variant,)*
                }
            }
        }

        impl FromStr for $name {
            type Err = String;

            /// The error lists the words there are.
            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL.iter().find(|one| one.as_str() == text).copied().ok_or_else(|| {
                    let words: Vec<_> = Self::ALL.iter().map(|one| one.as_str()).collect();
                    format!("{text:?} is none of {}", words.join(", "))
                })
            }
        }
    };
}

words! {
    /// What was done.
    Op {
        /// A chat completion.
        Chat = "chat",
        /// A text completion.
        TextCompletion = "text_completion",
        /// Content of several kinds.
        GenerateContent = "generate_content",
        /// Embeddings.
        Embeddings = "embeddings",
        /// An agent was made.
        CreateAgent = "create_agent",
        /// An agent ran.
        InvokeAgent = "invoke_agent",
        /// A tool ran.
        ExecuteTool = "execute_tool",
        /// Documents were looked for.
        Retrieval = "retrieval",
        /// Documents were put in order.
        Rerank = "rerank",
        /// A workflow ran.
        InvokeWorkflow = "invoke_workflow",
        /// A plan was made.
        Plan = "plan",
        /// A background answer was fetched.
        FetchResponse = "fetch_response",
        /// A memory was searched or changed.
        Memory = "memory",
        /// A request came in.
        Entry = "entry",
        /// One round of an agent's loop.
        ReactStep = "react_step",
        /// A request of the Model Context Protocol.
        Mcp = "mcp",
        /// A step of a framework without a meaning of its own.
        Chain = "chain",
        /// Input or output was checked.
        Guardrail = "guardrail",
        /// An answer was judged.
        Evaluator = "evaluator",
        /// A prompt was made from a template.
        Prompt = "prompt",
        /// Not GenAI: an HTTP request.
        Http = "http",
        /// Not GenAI: a database query.
        Database = "database",
        /// Not GenAI: a remote call.
        Rpc = "rpc",
    }
}

impl Op {
    /// A call of a model, whatever it makes.
    pub(crate) fn is_of_model(self) -> bool {
        self.is_call() || matches!(self, Self::Embeddings | Self::Rerank)
    }

    /// A call of a model that makes text.
    pub(crate) fn is_call(self) -> bool {
        matches!(self, Self::Chat | Self::TextCompletion | Self::GenerateContent)
    }
}

words! {
    /// In whose words a span was told.
    Dialect {
        /// The conventions as of 2026-08.
        V2026_08 = "2026-08",
        /// The conventions as of 2026-10.
        V2026_10 = "2026-10",
        /// LoongSuite's handler.
        LoongSuite = "loongsuite",
        /// The conventions of version 1.30.
        V1_30 = "v1.30",
        /// `gen_ai.*` in other ways.
        GenAiOther = "gen_ai",
        /// OpenInference.
        OpenInference = "openinference",
        /// OpenLLMetry.
        OpenLlmetry = "openllmetry",
        /// The Vercel AI SDK.
        Vercel = "vercel",
        /// Logfire and pydantic-ai.
        Logfire = "logfire",
        /// MLflow.
        MlFlow = "mlflow",
        /// Claude Code.
        ClaudeCode = "claude_code",
        /// Codex.
        Codex = "codex",
    }
}

words! {
    /// Whether what was said is there.
    ContentState {
        /// Nobody can tell.
        Unknown = "unknown",
        /// It was not captured.
        Absent = "absent",
        /// It is in the span or log record.
        Here = "here",
        /// It was uploaded elsewhere.
        ByReference = "by_reference",
    }
}

words! {
    /// Whether a span has ended.
    SpanState {
        /// It has.
        Ended = "ended",
        /// It was told before its end.
        Running = "running",
    }
}

/// What a dimension is called.
pub(crate) fn dimension(dimension: store::Dimension) -> &'static str {
    match dimension {
        store::Dimension::Op => "op",
        store::Dimension::Service => "service",
        store::Dimension::Provider => "provider",
        store::Dimension::Model => "model",
        store::Dimension::Agent => "agent",
        store::Dimension::Tool => "tool",
        _ => "other",
    }
}
