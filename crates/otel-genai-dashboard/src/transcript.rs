//! What was said, put together from all the ways in which it may have been told.
//!
//! Instrumentations write the content of calls to models as attributes, as events, as log records, in a dozen vocabularies,
//! and often in several of them at once. [`assemble`] reads all of them and gives one transcript: each message once, where
//! it was told, what was told differently, which tool ran for which call, and what of a growing history is new.
//!
//! It is pure: the same evidence gives the same transcript, in whatever order it came. Nothing that was told is left out:
//! what cannot be read stands as it came.

mod book;
mod canonical;
mod carrier;
mod chain;
mod collect;
mod conversation;
mod cut;
mod evaluation;
mod merge;
mod page;
mod read;
mod spans;
mod telling;
mod tools;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use otel_genai::{Message, ToolDefinition};
use otel_genai_store::{
    ContentState, Cost, LogId, LogRecord, Nanos, Op, Span, SpanKey, SpanState, TraceId, Usage,
};

pub use canonical::MessageHash;
pub(crate) use carrier::failure;

/// What is known of a trace, or of the traces of a conversation.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    /// The spans with their facts.
    pub spans: &'a [Span],
    /// The log records of the same traces.
    pub logs: &'a [LogRecord],
    /// How content that was uploaded is fetched; [`NoReferences`] fetches none.
    pub references: &'a dyn References,
}

/// Fetches content that stands elsewhere.
pub trait References {
    /// The content behind the address of a `*_ref` attribute.
    ///
    /// # Errors
    /// [`NotResolved`] where it may not be fetched, or cannot.
    fn resolve(&self, uri: &str) -> Result<Bytes, NotResolved>;
}

/// Content that stands elsewhere was not fetched.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotResolved(
    /// Why.
    pub String,
);

/// Fetches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoReferences;

impl References for NoReferences {
    fn resolve(&self, _uri: &str) -> Result<Bytes, NotResolved> {
        Err(NotResolved("references are not resolved".to_owned()))
    }
}

/// Which part of a transcript is wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The calls of this chain alone.
    pub chain: Option<u32>,
    /// From the call with this number on, as [`Transcript::next`] told.
    pub after: u32,
    /// At most so many calls; 0: as many as fit.
    pub limit: u32,
}

/// What was said.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    /// All conversations: each agent's is one.
    pub chains: Vec<Chain>,
    /// The calls that were asked for, in the order in which they began.
    pub calls: Vec<Call>,
    /// The messages of these calls, each once.
    pub messages: Vec<(MessageHash, Said)>,
    /// The lists of tools of these calls, each once.
    pub tools: Vec<(MessageHash, Vec<ToolDefinition>)>,
    /// Tools that ran, and no message asks for them.
    pub orphan_tools: Vec<OrphanTool>,
    /// There are more calls: from this number on.
    pub next: Option<u32>,
    /// What a single call had beyond what fits into an answer.
    pub cut: Option<Cut>,
}

/// A message, and what its tool calls led to.
#[derive(Clone, Debug)]
pub struct Said {
    /// What was said.
    pub message: Message,
    /// For parts that call a tool or answer a call: what they belong to, by the part's place in the message.
    pub joins: Vec<(usize, Join)>,
}

/// Where a message was told.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// In which way.
    pub carrier: Carrier,
    /// The attribute or event.
    pub name: Arc<str>,
    /// The place in its list.
    pub index: Option<u32>,
    /// On which span.
    pub span: Option<SpanKey>,
    /// In which log record.
    pub log: Option<LogId>,
    /// How the record was found to belong to the call.
    pub matched: Matched,
    /// The value was cut off, or is not quite JSON: this is what could be read.
    pub partial: bool,
    /// It was told there with other white space.
    pub loose: bool,
}

/// The ways in which content arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Carrier {
    /// A log record with an operation's details.
    LogDetails,
    /// The span's attributes, as the conventions have them.
    SpanAttribute,
    /// A span event with an operation's details.
    SpanEvent,
    /// Content that was uploaded.
    Reference,
    /// One log record a message.
    LogLegacy,
    /// One span event a message.
    SpanEventLegacy,
    /// Prompt and completion, each as a whole.
    Oldest,
    /// OpenLLMetry's attributes.
    OpenLlmetry,
    /// OpenInference's attributes.
    OpenInference,
    /// The Vercel AI SDK's attributes.
    Vercel,
    /// Logfire's and pydantic-ai's attributes.
    Logfire,
    /// MLflow's attributes.
    Mlflow,
    /// Traceloop's inputs and outputs.
    Traceloop,
    /// The log events of a coding agent.
    CodingAgent,
    /// The span of the tool itself.
    ToolSpan,
}

impl Carrier {
    /// Which one is shown where two differ: the lower.
    #[must_use]
    pub fn rank(self) -> u8 {
        match self {
            Self::LogDetails | Self::SpanAttribute => 1,
            Self::SpanEvent | Self::Reference => 2,
            Self::LogLegacy | Self::SpanEventLegacy | Self::CodingAgent => 3,
            Self::Oldest | Self::OpenLlmetry | Self::OpenInference | Self::Vercel | Self::ToolSpan => 4,
            Self::Logfire | Self::Mlflow | Self::Traceloop => 5,
        }
    }
}

/// How a record was found to belong to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Matched {
    /// It names the span, or is part of it.
    Span,
    /// It names the answer's id.
    ResponseId,
    /// It is of the same conversation and service, and of that time.
    ConversationTime,
    /// It belongs to no span.
    None,
}

/// A message of a call.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Which.
    pub message: MessageHash,
    /// Where it was told, the best first.
    pub sources: Vec<Source>,
    /// What others say that it was.
    pub versions: Vec<(MessageHash, Source)>,
    /// Logs and spans tell of the call, and only one of them of this message.
    pub only_in: Option<OnlyIn>,
}

/// Which of two signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnlyIn {
    /// Log records.
    Log,
    /// Spans.
    Span,
}

/// A call to a model, or to an agent whose calls nobody tells of.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its number in the evidence, from 0.
    pub ordinal: u32,
    /// How many calls its chain has.
    pub of: u32,
    /// Its chain's id.
    pub chain: u32,
    /// Its span; none where only logs tell of it.
    pub span: Option<SpanKey>,
    /// Its trace; none where no record names one.
    pub trace: Option<TraceId>,
    /// What was done.
    pub op: Op,
    /// When it began.
    pub at: Nanos,
    /// How long it took.
    pub duration: Option<Duration>,
    /// How long until the first chunk of the answer.
    pub first_chunk: Option<Duration>,
    /// Whether it has ended.
    pub state: SpanState,
    /// Who ran the model.
    pub provider: Option<Arc<str>>,
    /// The model that answered.
    pub model: Option<Arc<str>>,
    /// The model that was asked for.
    pub request_model: Option<Arc<str>>,
    /// Tokens.
    pub usage: Usage,
    /// What it cost.
    pub cost: Option<Cost>,
    /// Why the model stopped.
    pub finish: Option<Arc<str>>,
    /// How it failed.
    pub error: Option<Failure>,
    /// The instructions.
    pub system: Vec<Seen>,
    /// How many messages of the input were told before: it begins with so many of those of `previous` and its answer.
    pub carried: u32,
    /// The call whose conversation this one goes on with.
    pub previous: Option<u32>,
    /// What is new in the input.
    pub input: Vec<Seen>,
    /// What the model said; behind it what tools answered, where only their spans tell it.
    pub output: Vec<Seen>,
    /// The tools that were offered.
    pub tools: Option<MessageHash>,
    /// They are others than in the call before.
    pub tools_changed: bool,
    /// The history is not what it was in the call before.
    pub rewritten: Option<Break>,
    /// Whether what was said is there.
    pub content: ContentState,
    /// Which setting brings it, where it is not.
    pub hint: Option<&'static str>,
    /// How it was judged.
    pub evaluations: Vec<Evaluation>,
}

/// How a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// `error.type`, or the like.
    pub kind: Arc<str>,
    /// In words.
    pub message: Option<String>,
}

/// Where a history is not what it was: which also loses the provider's cache of the prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Break {
    /// The first message that differs.
    pub at: u32,
    /// In what.
    pub why: Why,
    /// Tokens from the cache in the call before.
    pub cached_before: Option<u64>,
    /// And in this one.
    pub cached_now: Option<u64>,
}

/// Why a history is not what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The instructions are others.
    SystemChanged,
    /// The tools are others.
    ToolsChanged,
    /// A message says something else.
    MessageChanged,
    /// A message is gone.
    MessageRemoved,
    /// Older messages were summarised.
    Compaction,
}

/// What a tool call led to, or what an answer belongs to.
#[derive(Clone, Debug)]
pub struct Join {
    /// The span of the tool.
    pub span: Option<SpanKey>,
    /// How they were found to belong together.
    pub by: JoinedBy,
    /// How long the tool ran.
    pub duration: Option<Duration>,
    /// How it failed.
    pub error: Option<Arc<str>>,
    /// What it was.
    pub kind: ToolKind,
    /// The chain of the agent that ran as this tool.
    pub chain: Option<u32>,
    /// The message that carries the answer.
    pub response: Option<MessageHash>,
    /// The message that asked.
    pub asked: Option<MessageHash>,
    /// How often the chain had called the tool with the same arguments before.
    pub repeats: u32,
}

/// How a tool call and its span or answer were found to belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinedBy {
    /// By the id of the call.
    CallId,
    /// By name, arguments and order.
    NameArguments,
}

/// What ran as a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToolKind {
    /// A function of the program.
    Tool,
    /// A tool of an MCP server.
    Mcp,
    /// Another agent.
    Agent,
    /// A search for documents.
    Retrieval,
}

/// One conversation: that of an agent, or all that belongs together otherwise.
#[derive(Clone, Debug)]
pub struct Chain {
    /// Its number.
    pub id: u32,
    /// Whose it is.
    pub agent: Option<Arc<str>>,
    /// The agent's span.
    pub span: Option<SpanKey>,
    /// The chain of the agent around.
    pub parent: Option<u32>,
    /// The call and the tool call that asked for it.
    pub asked: Option<(u32, Arc<str>)>,
    /// How many calls it has.
    pub calls: u32,
    /// Its last answer.
    pub answer: Option<MessageHash>,
    /// Tokens as the agent's own span tells them; in no sum.
    pub reported: Usage,
    /// How its context grew.
    pub growth: Vec<Growth>,
}

/// What the context of a call is made of, in bytes of content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Growth {
    /// The call.
    pub call: u32,
    /// Instructions.
    pub system: u64,
    /// Definitions of tools.
    pub tools: u64,
    /// What was asked.
    pub user: u64,
    /// What the model had said.
    pub assistant: u64,
    /// What tools had answered.
    pub tool_results: u64,
}

/// A tool that ran, and no message asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrphanTool {
    /// Its span.
    pub span: SpanKey,
    /// When it began.
    pub at: Nanos,
}

/// How an answer was judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// By what measure.
    pub name: Arc<str>,
    /// In numbers.
    pub score: Option<f64>,
    /// In a word.
    pub label: Option<String>,
    /// In words.
    pub explanation: Option<String>,
    /// When.
    pub at: Nanos,
    /// The span that was judged.
    pub span: Option<SpanKey>,
    /// What told it.
    pub by: Option<Arc<str>>,
}

/// What did not fit into an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cut {
    /// Messages.
    pub messages: u64,
    /// Bytes of them.
    pub bytes: u64,
}

/// Puts together what was said. Pure: the same evidence, in whatever order, gives the same transcript.
///
/// The work is that of reading each stretch of content once: a history that is told again with each call is not read again.
/// An answer has at most 50,000 messages and 64 MiB; [`Transcript::next`] says where to go on.
#[must_use]
pub fn assemble(evidence: &Evidence<'_>, options: &Options) -> Transcript {
    assemble_while(evidence, options, &|| true)
}

/// The same for as long as somebody waits for it; what is there when nobody does is of no use.
pub(crate) fn assemble_while(
    evidence: &Evidence<'_>,
    options: &Options,
    is_awaited: &dyn Fn() -> bool,
) -> Transcript {
    let collected = collect::collect(evidence);
    let chains = chain::chains(&collected);
    let mut conversation = conversation::tell(evidence, &collected, &chains, is_awaited);
    let joined = tools::join(&collected, &chains, &mut conversation);
    let evaluations = evaluation::evaluations(evidence);
    page::page(&collected, &chains, conversation, &joined, evaluations, options)
}
