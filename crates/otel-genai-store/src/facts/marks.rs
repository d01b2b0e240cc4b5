//! Whose words a span or log record speaks, and whether it holds content: told by the names of its attributes alone,
//! never by the scope, which anybody may name as they like.

use opentelemetry_proto::tonic::common::v1::{AnyValue, any_value::Value};
use otel_genai_dialect::is_in_tree;

use super::{ContentState, Dialect};
use crate::value::Held;

/// What the names told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks {
    seen: u32,
}

macro_rules! marks {
    ($($name:ident = $bit:literal,)*) => { $(const $name: u32 = 1 << $bit;)* };
}

marks! {
    GEN_AI = 0,
    OPERATION = 1,
    PROVIDER = 2,
    SYSTEM = 3,
    LOONGSUITE = 4,
    OCTOBER = 5,
    OLD_NAMES = 6,
    OPENINFERENCE = 7,
    OPENLLMETRY = 8,
    VERCEL = 9,
    LOGFIRE = 10,
    MLFLOW = 11,
    MCP = 12,
    CONTENT = 13,
    REFERENCE = 14,
    TRANSPORT = 15,
}

impl Marks {
    /// Takes note of an attribute. `is_content`: by its name it holds some.
    pub(super) fn see(&mut self, key: &str, is_content: bool, value: &Held) {
        self.seen |= of_name(key);
        if is_content && !self.has(CONTENT) && !is_beside(key) && says_something(value) {
            self.seen |= CONTENT;
        }
    }

    /// Content came another way, in an event or a body.
    pub(super) fn see_content(&mut self) {
        self.seen |= CONTENT;
    }

    fn has(self, mark: u32) -> bool {
        self.seen & mark != 0
    }

    /// Whether it may tell of generative AI.
    pub(super) fn is_genai(self) -> bool {
        self.has(GEN_AI | OPENINFERENCE | OPENLLMETRY | VERCEL | MLFLOW | MCP | OPERATION | PROVIDER | SYSTEM)
    }

    pub(super) fn is_logfire(self) -> bool {
        self.has(LOGFIRE)
    }

    /// Whether it may tell of HTTP, a database or a remote call.
    pub(super) fn is_transport(self) -> bool {
        self.has(TRANSPORT)
    }

    /// Whose words these are; of several the most peculiar.
    pub(super) fn dialect(self, schema_url: &str) -> Option<Dialect> {
        self.peculiar().next().or_else(|| self.conventions(schema_url))
    }

    /// All whose words these are.
    pub(super) fn dialects(self, schema_url: &str) -> Vec<Dialect> {
        let mut all: Vec<_> = self.peculiar().collect();
        // The conventions' words beside LoongSuite's, Logfire's and the AI SDK's are how those tell it.
        let mixes = |dialect: &Dialect| matches!(dialect, Dialect::OpenInference | Dialect::OpenLlmetry);
        if all.iter().all(mixes) && self.has(OPERATION) {
            all.extend(self.conventions(schema_url));
        }
        all
    }

    fn peculiar(self) -> impl Iterator<Item = Dialect> {
        let found = [
            (self.has(VERCEL), Dialect::Vercel),
            (self.has(OPENINFERENCE), Dialect::OpenInference),
            (self.has(OPENLLMETRY), Dialect::OpenLlmetry),
            (self.has(MLFLOW), Dialect::MlFlow),
            (self.has(LOONGSUITE), Dialect::LoongSuite),
            // Logfire speaks of everything: only where generative AI is told too.
            (self.has(LOGFIRE) && self.is_genai(), Dialect::Logfire),
        ];
        found.into_iter().filter_map(|(is, dialect)| is.then_some(dialect))
    }

    fn conventions(self, schema_url: &str) -> Option<Dialect> {
        if !self.has(GEN_AI | MCP | OPERATION | PROVIDER | SYSTEM) {
            return None;
        }
        Some(if self.has(OCTOBER) {
            Dialect::V2026_10
        } else if self.has(OLD_NAMES) {
            Dialect::GenAiOther
        } else if schema_url.ends_with("/1.30.0") && self.has(OPERATION) {
            Dialect::V1_30
        } else if self.has(PROVIDER) {
            Dialect::V2026_08
        } else if self.has(SYSTEM) {
            if self.has(OPERATION) { Dialect::V1_30 } else { Dialect::GenAiOther }
        } else if self.has(OPERATION | MCP) {
            Dialect::V2026_08
        } else {
            Dialect::GenAiOther
        })
    }

    /// Whether what was said is here; an operation without content did not capture it.
    pub(super) fn content(self, is_operation: bool) -> ContentState {
        if self.has(CONTENT) {
            ContentState::Here
        } else if self.has(REFERENCE) {
            ContentState::ByReference
        } else if is_operation {
            ContentState::Absent
        } else {
            ContentState::Unknown
        }
    }
}

/// What a name alone tells.
fn of_name(key: &str) -> u32 {
    if let Some(rest) = key.strip_prefix("gen_ai.") {
        return match rest {
            "operation.name" => OPERATION,
            "provider.name" => PROVIDER,
            "system" => SYSTEM,
            "span.kind" => LOONGSUITE | GEN_AI,
            "usage.prompt_tokens" | "usage.completion_tokens" | "prompt" | "completion" => OLD_NAMES | GEN_AI,
            "usage.cache_write.input_tokens" => OCTOBER | GEN_AI,
            "input.messages_ref" | "output.messages_ref" => REFERENCE | GEN_AI,
            _ if rest.starts_with("skill.") => OCTOBER | GEN_AI,
            _ if is_in_tree(rest, "prompt.") || is_in_tree(rest, "completion.") => OPENLLMETRY,
            _ if by_modality(rest) => OCTOBER | GEN_AI,
            _ => GEN_AI,
        };
    }
    match key.split('.').next().unwrap_or_default() {
        "openinference" => OPENINFERENCE,
        "llm" => match key {
            "llm.request.type" | "llm.vendor" | "llm.is_streaming" => OPENLLMETRY,
            _ if key.starts_with("llm.usage.") || key.starts_with("llm.request.functions.") => OPENLLMETRY,
            _ if key.starts_with("llm.token_count.") || key.starts_with("llm.input_messages.") => {
                OPENINFERENCE
            }
            "llm.model_name" => OPENINFERENCE,
            _ => 0,
        },
        "traceloop" if key.starts_with("traceloop.span.") || key.starts_with("traceloop.entity.") => {
            OPENLLMETRY
        }
        "ai" if matches!(key, "ai.operationId" | "ai.model.id") => VERCEL,
        "logfire" | "pydantic_ai" => LOGFIRE,
        "mlflow" if key == "mlflow.spanType" => MLFLOW,
        "mcp" if key == "mcp.method.name" => MCP,
        "http" if matches!(key, "http.request.method" | "http.method") => TRANSPORT,
        "db" if matches!(key, "db.system" | "db.system.name") => TRANSPORT,
        "rpc" if matches!(key, "rpc.system" | "rpc.system.name") => TRANSPORT,
        _ => 0,
    }
}

/// `usage.{text,image,audio}.…`, which came in October 2026.
fn by_modality(rest: &str) -> bool {
    let Some(rest) = rest.strip_prefix("usage.") else { return false };
    ["text.", "image."].iter().any(|modality| rest.starts_with(modality))
}

/// Content that was never said by anyone: what was offered to the model, and how it is to answer.
fn is_beside(key: &str) -> bool {
    matches!(
        key,
        "gen_ai.tool.definitions"
            | "gen_ai.system_instructions"
            | "ai.prompt.tools"
            | "ai.prompt.toolChoice"
            | "ai.schema"
            | "embedding.vector"
    ) || ["llm.tools.", "llm.request.functions."].iter().any(|prefix| key.starts_with(prefix))
}

/// Whether there is anything in it.
pub(super) fn says_something(held: &Held) -> bool {
    match held {
        Held::Pieces(_) => true,
        Held::Whole(Some(AnyValue { value: Some(value) })) => match value {
            Value::StringValue(text) => !matches!(text.trim(), "" | "[]" | "{}" | "null"),
            Value::ArrayValue(array) => !array.values.is_empty(),
            Value::KvlistValue(list) => !list.values.is_empty(),
            _ => true,
        },
        Held::Whole(_) => false,
    }
}
