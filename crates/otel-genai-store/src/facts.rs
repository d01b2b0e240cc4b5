//! What a span or log record says in terms of generative AI, whatever vocabulary it was told in.

use std::sync::Arc;
use std::time::Duration;

use crate::id::Nanos;
use crate::store::Batch;

mod coding_agent;
mod field;
mod marks;
mod op;
mod record;
mod session;
mod told;
mod word;

use self::session::trace_of;
pub use record::{dialects_of, of_log, of_span};

/// Reads the facts of records that nobody has read them of, and shows records of a session in its trace. It is the sender's
/// time, not the writer's.
pub(crate) fn know(batch: &mut Batch, pricing: &dyn Pricing) {
    let unknown = Facts::default();
    for span in batch.spans.iter_mut().filter(|span| span.facts == unknown) {
        span.facts = of_span(span, pricing);
    }
    for log in batch.logs.iter_mut().filter(|log| log.facts == unknown) {
        log.facts = of_log(log, pricing);
    }
    for log in &mut batch.logs {
        if let Some(session) = trace_of(log) {
            log.show_in(session);
        }
    }
}

/// The facts of a span, or of a log record that tells of a call (`claude_code.api_request`, `codex.sse_event`). What was
/// not told is `None`; nothing is guessed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// What was done.
    pub op: Option<Op>,
    /// In whose words it was told.
    pub dialect: Option<Dialect>,
    /// `gen_ai.provider.name`: who ran the model.
    pub provider: Option<Arc<str>>,
    /// The model that was asked for.
    pub request_model: Option<Arc<str>>,
    /// The model that answered.
    pub response_model: Option<Arc<str>>,
    /// The provider's id of the answer.
    pub response_id: Option<Arc<str>>,
    /// The agent's name.
    pub agent: Option<Arc<str>>,
    /// The agent's id.
    pub agent_id: Option<Arc<str>>,
    /// The workflow's name.
    pub workflow: Option<Arc<str>>,
    /// The tool's name.
    pub tool: Option<Arc<str>>,
    /// The id by which a model asked for the tool.
    pub tool_call: Option<Arc<str>>,
    /// The MCP method.
    pub mcp_method: Option<Arc<str>>,
    /// The MCP session.
    pub mcp_session: Option<Arc<str>>,
    /// Where documents were looked for.
    pub data_source: Option<Arc<str>>,
    /// The conversation, session or thread.
    pub conversation: Option<Arc<str>>,
    /// The user on whose behalf.
    pub user: Option<Arc<str>>,
    /// `error.type`, or the type of the exception; `None` where nothing failed.
    pub error: Option<Arc<str>>,
    /// Why the model stopped: `stop`, or `stop,tool_calls` for several choices.
    pub finish: Option<Arc<str>>,
    /// Tokens.
    pub usage: Usage,
    /// From the request to the first chunk of the answer.
    pub first_chunk: Option<Duration>,
    /// Whether the answer was streamed.
    pub stream: Option<bool>,
    /// How many: documents found, records stored, inputs embedded.
    pub count: Option<u32>,
    /// What it cost.
    pub cost: Option<Cost>,
    /// Whether what was said is there.
    pub content: ContentState,
    /// Whether otel-genai inferred the span from calls around it (`otel_genai.inferred`).
    pub inferred: bool,
}

/// Tokens of one call or of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Of the input, those of the cache included.
    pub input: Option<u64>,
    /// Of the output, reasoning included.
    pub output: Option<u64>,
    /// Of the input, read from a cache.
    pub cache_read: Option<u64>,
    /// Of the input, written to a cache.
    pub cache_write: Option<u64>,
    /// Of the output, for reasoning.
    pub reasoning: Option<u64>,
    /// Of the input, sound.
    pub audio_input: Option<u64>,
    /// Of the output, sound.
    pub audio_output: Option<u64>,
}

impl Usage {
    /// Adds another's; what neither tells stays untold.
    pub fn add(&mut self, other: &Self) {
        fn sum(into: &mut Option<u64>, more: Option<u64>) {
            if let Some(more) = more {
                *into = Some(into.unwrap_or(0).saturating_add(more));
            }
        }
        sum(&mut self.input, other.input);
        sum(&mut self.output, other.output);
        sum(&mut self.cache_read, other.cache_read);
        sum(&mut self.cache_write, other.cache_write);
        sum(&mut self.reasoning, other.reasoning);
        sum(&mut self.audio_input, other.audio_input);
        sum(&mut self.audio_output, other.audio_output);
    }
}

macro_rules! stored {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $number:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum $name {
            $($(#[$doc])* $variant = $number,)*
        }

        impl $name {
            /// By the number it is stored as; `None` for one that a newer version may know.
            #[must_use]
            pub fn from_number(number: u8) -> Option<Self> {
                match number {
                    $($number => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

stored! {
    /// What was done. The numbers are stored: never renumber.
    Op {
        /// A chat completion.
        Chat = 1,
        /// A text completion.
        TextCompletion = 2,
        /// Content of several kinds.
        GenerateContent = 3,
        /// Embeddings.
        Embeddings = 4,
        /// An agent was made.
        CreateAgent = 5,
        /// An agent ran.
        InvokeAgent = 6,
        /// A tool ran.
        ExecuteTool = 7,
        /// Documents were looked for.
        Retrieval = 8,
        /// Documents were put in order.
        Rerank = 9,
        /// A workflow ran.
        InvokeWorkflow = 10,
        /// A plan was made.
        Plan = 11,
        /// A background answer was fetched.
        FetchResponse = 12,
        /// A memory was searched or changed.
        Memory = 13,
        /// A request came in.
        Entry = 14,
        /// One round of an agent's loop.
        ReactStep = 15,
        /// A request of the Model Context Protocol.
        Mcp = 16,
        /// A step of a framework without a meaning of its own.
        Chain = 17,
        /// Input or output was checked.
        Guardrail = 18,
        /// An answer was judged.
        Evaluator = 19,
        /// A prompt was made from a template.
        Prompt = 20,
        /// Not GenAI: an HTTP request.
        Http = 30,
        /// Not GenAI: a database query.
        Database = 31,
        /// Not GenAI: a remote call.
        Rpc = 32,
    }
}

impl Op {
    /// Whether a model made text, or content of other kinds.
    #[must_use]
    pub fn is_inference(self) -> bool {
        matches!(self, Self::Chat | Self::TextCompletion | Self::GenerateContent)
    }

    /// Whether its tokens count: those of agents and workflows around are sums of calls that were told themselves.
    #[must_use]
    pub fn counts_tokens(self) -> bool {
        self.is_inference() || matches!(self, Self::Embeddings | Self::Rerank)
    }

    /// Whether it is an operation of generative AI.
    #[must_use]
    pub fn is_genai(self) -> bool {
        (self as u8) < Self::Http as u8
    }
}

stored! {
    /// In whose words a span was told. The numbers are stored: never renumber.
    Dialect {
        /// The conventions as of 2026-08.
        V2026_08 = 1,
        /// The conventions as of 2026-10.
        V2026_10 = 2,
        /// LoongSuite's handler.
        LoongSuite = 3,
        /// The conventions of version 1.30.
        V1_30 = 4,
        /// `gen_ai.*` in other ways.
        GenAiOther = 5,
        /// OpenInference.
        OpenInference = 6,
        /// OpenLLMetry.
        OpenLlmetry = 7,
        /// The Vercel AI SDK.
        Vercel = 8,
        /// Logfire and pydantic-ai.
        Logfire = 9,
        /// MLflow.
        MlFlow = 10,
        /// Claude Code.
        ClaudeCode = 11,
        /// Codex.
        Codex = 12,
    }
}

/// Whether the content of a call is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum ContentState {
    /// Nobody can tell.
    #[default]
    Unknown = 0,
    /// It was not captured.
    Absent = 1,
    /// It is in the span or log record.
    Here = 2,
    /// It was uploaded elsewhere.
    ByReference = 3,
}

impl ContentState {
    /// By the number it is stored as.
    #[must_use]
    pub fn from_number(number: u8) -> Self {
        match number {
            1 => Self::Absent,
            2 => Self::Here,
            3 => Self::ByReference,
            _ => Self::Unknown,
        }
    }
}

/// What a call cost, in 10⁻⁹ of the currency's unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// What was paid.
    pub nanos: i64,
    /// What caching took off.
    pub saved: i64,
    /// Who says so.
    pub source: CostSource,
}

/// Who says what a call cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CostSource {
    /// The span itself.
    Reported = 1,
    /// A table of prices.
    Table = 2,
}

/// Prices of models.
pub trait Pricing: Send + Sync {
    /// What a call cost; `None` if the model has no price, never a guess.
    fn cost(&self, provider: &str, model: &str, at: Nanos, usage: &Usage) -> Option<Cost>;

    /// Another number whenever the prices are others.
    fn version(&self) -> u64;
}

/// No prices at all: what is not told to have cost something has no cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoPrices;

impl Pricing for NoPrices {
    fn cost(&self, _: &str, _: &str, _: Nanos, _: &Usage) -> Option<Cost> {
        None
    }

    fn version(&self) -> u64 {
        0
    }
}
