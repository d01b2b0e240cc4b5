//! What can be asked, and what is answered besides summaries and spans.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::cursor::Cursor;
use crate::facts::{Cost, Dialect, Op, Usage};
use crate::histogram::Histogram;
use crate::id::{ContentHash, LogId, Nanos, SpanId, TraceId};
use crate::metric::{Exemplar, Instrument};
use crate::summary::TraceSummary;

/// A stretch of time: from the first moment to before the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first moment in it.
    pub from: Nanos,
    /// The first moment after it.
    pub to: Nanos,
}

/// What is looked for. An empty list asks for nothing; of several entries any will do; of several fields all must hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// When it began.
    pub range: Option<Range>,
    /// Names of services.
    pub service: Vec<String>,
    /// Operations.
    pub op: Vec<Op>,
    /// Providers.
    pub provider: Vec<String>,
    /// Models: the one that answered, else the one asked for.
    pub model: Vec<String>,
    /// Names of agents.
    pub agent: Vec<String>,
    /// Names of tools.
    pub tool: Vec<String>,
    /// The id of a conversation.
    pub conversation: Option<String>,
    /// Vocabularies.
    pub dialect: Vec<Dialect>,
    /// With an error, or without.
    pub error: Option<bool>,
    /// With an operation of generative AI, or without.
    pub genai: Option<bool>,
    /// At least so long.
    pub min_duration: Option<Duration>,
    /// At most so long.
    pub max_duration: Option<Duration>,
    /// Words that were said.
    pub text: Option<String>,
    /// Part of the root span's name.
    pub name: Option<String>,
}

/// By what traces are put in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TraceSort {
    /// When they began.
    #[default]
    Start,
    /// How long they took.
    Duration,
    /// How long until the first chunk.
    FirstChunk,
    /// Tokens, in and out.
    Tokens,
    /// What they cost.
    Cost,
    /// Errors.
    Errors,
    /// Calls of models.
    LlmCalls,
    /// Spans.
    Spans,
}

/// Asks for traces.
#[derive(Clone, Debug, Default)]
pub struct TraceQuery {
    /// Which.
    pub filter: Filter,
    /// In what order.
    pub sort: TraceSort,
    /// The least first; else the greatest.
    pub ascending: bool,
    /// How many on a page; at most 500. 0: none, only [`Page::total`], where the store counts.
    pub limit: u32,
    /// The page to go on from.
    pub cursor: Option<Cursor>,
}

/// Asks for log records, newest first; those of one trace oldest first.
#[derive(Clone, Debug, Default)]
pub struct LogQuery {
    /// This one.
    pub id: Option<LogId>,
    /// When they happened.
    pub range: Option<Range>,
    /// Of this trace.
    pub trace: Option<TraceId>,
    /// Of this span.
    pub span: Option<SpanId>,
    /// Names of events.
    pub event: Vec<String>,
    /// At least so severe, by OTLP's numbers.
    pub min_severity: Option<i32>,
    /// Names of services.
    pub service: Vec<String>,
    /// Words in them.
    pub text: Option<String>,
    /// How many on a page; at most 500, of one trace 50,000.
    pub limit: u32,
    /// The page to go on from.
    pub cursor: Option<Cursor>,
}

/// Asks for sums.
#[derive(Clone, Debug, Default)]
pub struct StatsQuery {
    /// Of which calls.
    pub filter: Filter,
    /// A row for each of these.
    pub by: Vec<Dimension>,
    /// And for each step of time.
    pub step: Option<Duration>,
}

/// What calls can be told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dimension {
    /// The operation.
    Op,
    /// The service.
    Service,
    /// The provider.
    Provider,
    /// The model.
    Model,
    /// The agent.
    Agent,
    /// The tool.
    Tool,
    /// The conversation.
    Conversation,
    /// The vocabulary.
    Dialect,
}

/// Sums of some calls.
#[derive(Clone, Debug, Default)]
pub struct StatsRow {
    /// The step's first moment.
    pub at: Option<Nanos>,
    /// What the calls have in common.
    pub key: Vec<(Dimension, Option<Arc<str>>)>,
    /// How many.
    pub calls: u64,
    /// Of them with an error.
    pub errors: u64,
    /// Tokens.
    pub usage: Usage,
    /// What they cost.
    pub cost: Option<Cost>,
    /// Of them with tokens and without a price.
    pub unpriced: u64,
    /// How long they took, in nanoseconds.
    pub duration: Histogram,
    /// How long until the first chunk, in nanoseconds.
    pub first_chunk: Histogram,
    /// Output tokens a second, times 1,000.
    pub output_rate: Histogram,
    /// Why models stopped, and how often.
    pub finish: Vec<(Arc<str>, u64)>,
}

impl StatsRow {
    /// By time; of one step those with the most calls first.
    pub(crate) fn put_in_order(rows: &mut [Self]) {
        let key = |row: &Self| row.key.iter().map(|(_, word)| word.clone()).collect::<Vec<_>>();
        rows.sort_by(|one, other| {
            (one.at, other.calls).cmp(&(other.at, one.calls)).then_with(|| key(one).cmp(&key(other)))
        });
    }
}

/// Asks for conversations, the one that ended last first.
#[derive(Clone, Debug, Default)]
pub struct ConversationQuery {
    /// Which.
    pub filter: Filter,
    /// How many on a page; at most 500.
    pub limit: u32,
    /// The page to go on from.
    pub cursor: Option<Cursor>,
}

/// Asks for the points of a metric in steps of time.
#[derive(Clone, Debug)]
pub struct SeriesQuery {
    /// The instrument's name.
    pub name: String,
    /// When.
    pub range: Range,
    /// How long a step is.
    pub step: Duration,
    /// A series for each value of these attributes.
    pub by: Vec<String>,
    /// Attributes that must have these values.
    pub matches: Vec<(String, String)>,
    /// How many series at most.
    pub limit: u32,
}

/// Asks for words.
#[derive(Clone, Debug, Default)]
pub struct SearchQuery {
    /// Words, all of which must be there; those in quotes in this order.
    pub text: String,
    /// When they were said.
    pub range: Option<Range>,
    /// Names of services.
    pub service: Vec<String>,
    /// How many on a page.
    pub limit: u32,
    /// The page to go on from.
    pub cursor: Option<Cursor>,
}

impl SearchQuery {
    /// A trace is found by so many of the first digits of its id.
    pub const FEWEST_DIGITS: usize = 8;
}

/// What was found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Hit {
    /// Words that were said.
    Content {
        /// In this trace,
        trace: TraceId,
        /// in this span first,
        span: SpanId,
        /// in this piece,
        hash: ContentHash,
        /// about here,
        snippet: Snippet,
        /// at this time.
        at: Nanos,
    },
    /// Words of a log record.
    Log {
        /// Which record,
        id: LogId,
        /// its trace,
        trace: Option<TraceId>,
        /// its span,
        span: Option<SpanId>,
        /// the words,
        snippet: Snippet,
        /// its time.
        at: Nanos,
    },
    /// A trace by its id or name.
    Trace {
        /// The trace.
        summary: Box<TraceSummary>,
    },
    /// A service, provider, model, agent, tool or conversation by its name.
    Name {
        /// What it names.
        dimension: Dimension,
        /// The name.
        text: Arc<str>,
        /// In how many traces.
        traces: u64,
    },
}

/// Text around words that were found.
#[derive(Clone, Debug)]
pub struct Snippet {
    /// The text.
    pub text: String,
    /// Where the words begin and end, counted in UTF-16 units, as JavaScript does.
    pub marks: Vec<(u32, u32)>,
}

/// One page of an answer.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next one begins; `None` on the last.
    pub next: Option<Cursor>,
    /// How many there are on all pages, where that is known.
    pub total: Option<u64>,
}

/// Which spans of a trace.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Which {
    /// All.
    All,
    /// Those with these ids.
    Only(Vec<SpanId>),
    /// The first by their start: no more than fit into memory with what was said in them.
    First {
        /// At most so many.
        spans: u32,
        /// Only those of generative AI.
        genai: bool,
    },
}

/// How long records are kept, and how many; nothing: for ever, and any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Days that ended earlier are deleted.
    pub max_age: Option<Duration>,
    /// So much room they may take, in bytes; beyond it the oldest are deleted.
    pub max_bytes: Option<u64>,
}

/// What is to be deleted.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Delete {
    /// Everything.
    All,
    /// Whole days before this moment.
    Before(Nanos),
    /// One trace.
    Trace(TraceId),
}

/// What was deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// So many traces.
    pub traces: u64,
    /// So much room on the disk.
    pub bytes: u64,
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// Spans that are new, or replaced a running one.
    pub spans: u64,
    /// Log records that are new.
    pub logs: u64,
    /// Points that are new.
    pub points: u64,
    /// Records that had been stored before.
    pub known: u64,
    /// Spans that came with the ids of eight others, and were not kept.
    pub refused: u64,
}

/// How a store is.
#[derive(Clone, Debug, Default)]
pub struct StoreStatus {
    /// How many it holds.
    pub spans: u64,
    /// How many it holds.
    pub logs: u64,
    /// How many it holds.
    pub points: u64,
    /// How many it holds.
    pub traces: u64,
    /// Room on the disk.
    pub bytes: u64,
    /// How much room it may take.
    pub limit_bytes: Option<u64>,
    /// How long it keeps.
    pub max_age: Option<Duration>,
    /// The oldest record.
    pub oldest: Option<Nanos>,
    /// Records a second, lately.
    pub per_second: f64,
    /// Received and not stored yet.
    pub queued_bytes: u64,
    /// Pieces of content that cannot be searched yet.
    pub index_behind: u64,
    /// Files that were damaged and are kept aside.
    pub damaged: Vec<PathBuf>,
    /// Where it is.
    pub location: String,
    /// Whether nothing can be written.
    pub read_only: bool,
}

/// What is known of a service.
#[derive(Clone, Debug)]
pub struct ServiceInfo {
    /// Its name.
    pub name: Arc<str>,
    /// How many resources have it.
    pub instances: u32,
    /// `telemetry.sdk.language`.
    pub language: Option<Arc<str>>,
    /// Name and version of its SDK.
    pub sdk: Option<Arc<str>>,
    /// Instrumentation scopes: name, version, spans.
    pub scopes: Vec<(Arc<str>, Arc<str>, u64)>,
    /// Vocabularies, and spans told in them.
    pub dialects: Vec<(Dialect, u64)>,
    /// How many.
    pub spans: u64,
    /// How many.
    pub logs: u64,
    /// How many.
    pub points: u64,
    /// Calls of models.
    pub calls: u64,
    /// Of them with content.
    pub with_content: u64,
    /// When it was heard first.
    pub first: Nanos,
    /// When it was heard last.
    pub last: Nanos,
    /// Schemas of its records.
    pub schema_urls: Vec<Arc<str>>,
}

/// What is known of a metric.
#[derive(Clone, Debug)]
pub struct MetricInfo {
    /// Its name.
    pub name: Arc<str>,
    /// Its unit.
    pub unit: Arc<str>,
    /// Its description.
    pub description: Arc<str>,
    /// Its points.
    pub kind: Instrument,
    /// OTLP's `AggregationTemporality`.
    pub temporality: i32,
    /// Whether a sum only grows.
    pub monotonic: bool,
    /// How many series.
    pub series: u64,
    /// Names of their attributes.
    pub keys: Vec<Arc<str>>,
    /// Its last point.
    pub last: Nanos,
}

/// A series in steps of time.
#[derive(Clone, Debug)]
pub struct SeriesData {
    /// What sets it apart.
    pub labels: Vec<(Arc<str>, Arc<str>)>,
    /// A point for each step that has one.
    pub points: Vec<StepPoint>,
    /// Bounds of its buckets.
    pub bounds: Option<Arc<[f64]>>,
    /// Single measurements.
    pub exemplars: Vec<Exemplar>,
}

/// What was measured in a step: differences, never running totals; a total that was reset counts from 0.
#[derive(Clone, Debug)]
pub struct StepPoint {
    /// The step's first moment.
    pub at: Nanos,
    /// The last value of a gauge, or of a total that also falls.
    pub value: Option<f64>,
    /// How many measurements; of gauges and sums how many points.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// By bucket.
    pub counts: Vec<u64>,
}
