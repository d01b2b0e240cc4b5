//! A trace, or a conversation, in one line.

use std::sync::Arc;
use std::time::Duration;

use crate::facts::{ContentState, Cost, CostSource, Dialect, Op, Usage};
use crate::id::{Nanos, SpanId, TraceId};

/// A trace in one line.
#[derive(Clone, Debug)]
pub struct TraceSummary {
    /// Which one it is.
    pub id: TraceId,
    /// When its first span began.
    pub start: Nanos,
    /// When its last span ended, as far as it is known.
    pub end: Nanos,
    /// Whether more will come.
    pub state: TraceState,
    /// The span that has no parent; of several the first.
    pub root: Option<Root>,
    /// What a user asked: the first line of the last message before the first call, at most 160 characters.
    pub title: Option<String>,
    /// Services that took part.
    pub services: Few,
    /// Agents that ran.
    pub agents: Few,
    /// Models that answered.
    pub models: Few,
    /// Tools that ran.
    pub tools: Few,
    /// Conversations it belongs to.
    pub conversations: Few,
    /// In whose words it was told.
    pub dialects: Vec<Dialect>,
    /// Spans, running ones included.
    pub spans: u64,
    /// Spans with an error.
    pub errors: u64,
    /// Log records.
    pub logs: u64,
    /// Calls of models, be it for text, embeddings or ranks.
    pub llm_calls: u64,
    /// Of them with an error.
    pub llm_errors: u64,
    /// Runs of tools.
    pub tool_calls: u64,
    /// Of them with an error.
    pub tool_errors: u64,
    /// Tokens, each call counted once.
    pub usage: Usage,
    /// What it cost, as far as it has a price.
    pub cost: Option<Cost>,
    /// Calls with tokens and without a price.
    pub unpriced: u64,
    /// From the request of the first model call to its first chunk.
    pub first_chunk: Option<Duration>,
    /// Whether what was said is there.
    pub content: ContentState,
    /// A small picture: at most 24 bars.
    pub bars: Vec<Bar>,
    /// Another number whenever the trace has changed, in this process.
    pub updated: u64,
}

/// The span of a trace that has no parent.
#[derive(Clone, Debug)]
pub struct Root {
    /// Its id.
    pub span: SpanId,
    /// Its name.
    pub name: Arc<str>,
    /// Its service.
    pub service: Arc<str>,
    /// What it did.
    pub op: Option<Op>,
}

/// The first few of a list, and how many there are besides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Few {
    /// At most five, first seen first.
    pub list: Vec<Arc<str>>,
    /// How many others.
    pub more: u32,
}

/// A span in the small picture of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// What it did.
    pub op: Op,
    /// Whether it failed.
    pub error: bool,
    /// Its row; bars of one row do not overlap.
    pub lane: u8,
    /// When it began.
    pub start: Nanos,
    /// When it ended.
    pub end: Nanos,
}

/// Whether more of a trace will come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum TraceState {
    /// It will, as far as one can tell.
    Running = 1,
    /// Its root has ended, and no span is known that runs; or nothing came for 10 minutes.
    Done = 2,
}

/// A conversation in one line.
#[derive(Clone, Debug)]
pub struct ConversationSummary {
    /// Its id, as told.
    pub id: Arc<str>,
    /// The service that told it first.
    pub service: Arc<str>,
    /// When its first span began.
    pub start: Nanos,
    /// When its last span ended.
    pub end: Nanos,
    /// Its traces.
    pub traces: u64,
    /// Calls of models, be it for text, embeddings or ranks.
    pub llm_calls: u64,
    /// Spans with an error.
    pub errors: u64,
    /// Tokens.
    pub usage: Usage,
    /// What it cost.
    pub cost: Option<Cost>,
    /// Calls with tokens and without a price.
    pub unpriced: u64,
    /// Models that answered.
    pub models: Few,
    /// Agents that ran.
    pub agents: Few,
    /// The title of its first trace: what a user asked first.
    pub first: Option<String>,
    /// That of its last.
    pub last: Option<String>,
}

impl Few {
    /// So many are told.
    pub(crate) const MOST: usize = 5;
}

impl ConversationSummary {
    /// What the traces of a conversation, oldest first, come to; none without traces.
    pub(crate) fn of(id: &Arc<str>, traces: &[TraceSummary]) -> Option<Self> {
        let first = traces.first()?;
        let service = first.services.list.first().cloned().unwrap_or_else(|| "".into());
        let mut usage = Usage::default();
        traces.iter().for_each(|trace| usage.add(&trace.usage));
        let costs: Vec<Cost> = traces.iter().filter_map(|trace| trace.cost).collect();
        let reported = costs.iter().any(|cost| cost.source == CostSource::Reported);
        let cost = (!costs.is_empty()).then(|| Cost {
            nanos: costs.iter().fold(0, |sum: i64, cost| sum.saturating_add(cost.nanos)),
            saved: costs.iter().fold(0, |sum: i64, cost| sum.saturating_add(cost.saved)),
            source: if reported { CostSource::Reported } else { CostSource::Table },
        });
        Some(Self {
            id: Arc::clone(id),
            service,
            start: first.start,
            end: traces.iter().map(|trace| trace.end).max().unwrap_or_default(),
            traces: traces.len() as u64,
            llm_calls: traces.iter().map(|trace| trace.llm_calls).sum(),
            errors: traces.iter().map(|trace| trace.errors).sum(),
            usage,
            cost,
            unpriced: traces.iter().map(|trace| trace.unpriced).sum(),
            models: join(traces.iter().map(|trace| &trace.models)),
            agents: join(traces.iter().map(|trace| &trace.agents)),
            first: traces.iter().find_map(|trace| trace.title.clone()),
            last: traces.iter().rev().find_map(|trace| trace.title.clone()),
        })
    }
}

/// The first few of several lists. How many there are besides is at least so many.
fn join<'a>(lists: impl Iterator<Item = &'a Few>) -> Few {
    let mut all: Vec<Arc<str>> = Vec::new();
    let mut hidden = 0;
    for few in lists {
        hidden = hidden.max(few.more);
        for text in &few.list {
            if !all.contains(text) {
                all.push(Arc::clone(text));
            }
        }
    }
    let more = u32::try_from(all.len().saturating_sub(Few::MOST)).unwrap_or(u32::MAX);
    all.truncate(Few::MOST);
    Few { list: all, more: more.max(hidden) }
}
