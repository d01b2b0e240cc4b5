//! Traces, in one line and whole.

use otel_genai_store::{Nanos, TraceState as StoredState, TraceSummary};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::number::{after, duration};
use super::{ContentState, Cost, Dialect, List, Op, Row, Usage, is_false, millis};

/// A trace in one line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TraceRow {
    /// Its id.
    pub id: String,
    /// Another number whenever it has changed.
    pub rev: u64,
    /// A session of which only log records tell.
    #[serde(default, skip_serializing_if = "is_false")]
    pub synthetic: bool,
    /// When its first span began.
    pub start_ms: f64,
    /// Until its last span ended, as far as it is known.
    pub duration_ms: f64,
    /// Whether more will come.
    pub state: TraceState,
    /// The name of its root span; empty while that is not known.
    pub name: String,
    /// The root span's service.
    pub service: String,
    /// What the root span did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op: Option<Op>,
    /// The root span.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// The first line a user said.
    #[serde(skip_serializing_if = "Option::is_none")]
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
    /// How many spans.
    pub spans: u64,
    /// Spans with an error.
    pub errors: u64,
    /// How many log records.
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
    /// What it cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// Calls with tokens and without a price.
    pub unpriced: u64,
    /// Until the first chunk of the first answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttft_ms: Option<f64>,
    /// Whether what was said is there.
    pub content: ContentState,
    /// A small picture.
    pub bars: Vec<Bar>,
}

/// Whether more of a trace will come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TraceState {
    /// It will, as far as one can tell.
    Running,
    /// Its root has ended, and no span is known that runs; or nothing came for 10 minutes.
    Done,
}

/// The first few of a list, and how many there are besides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Few {
    /// At most five.
    pub list: Vec<String>,
    /// How many others.
    pub more: u32,
}

/// A span in the small picture of a trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bar {
    /// What it did.
    pub op: Op,
    /// Whether it failed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub error: bool,
    /// Its row.
    pub lane: u8,
    /// Where it begins, from 0 to 1 of the trace.
    pub at: f64,
    /// How wide it is, from 0 to 1 of the trace.
    pub width: f64,
}

/// A page of traces.
pub type TraceList = List<TraceRow>;

/// A trace, drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Trace {
    /// In one line.
    pub summary: TraceRow,
    /// When its first span began, in nanoseconds.
    pub start_ns: String,
    /// Its spans in drawing order.
    pub rows: Vec<Row>,
    /// Where the next rows begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// How many spans there are.
    pub total_rows: u64,
    /// By how much the clocks of its services differ at least: a span began so much before the one that called it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skew_ms: Option<f64>,
}

impl From<&TraceSummary> for TraceRow {
    fn from(summary: &TraceSummary) -> Self {
        let root = summary.root.as_ref();
        let service = root.map(|root| &root.service).or_else(|| summary.services.list.first());
        let length = summary.end.0.saturating_sub(summary.start.0).max(1) as f64;
        let share = |moment: Nanos| (moment.0.saturating_sub(summary.start.0) as f64 / length).min(1.0);
        let bar = |bar: &otel_genai_store::Bar| {
            let at = share(bar.start);
            Some(Bar {
                op: Op::of(bar.op)?,
                error: bar.error,
                lane: bar.lane,
                at,
                width: (share(bar.end.max(bar.start)) - at).max(0.0),
            })
        };
        Self {
            id: summary.id.to_string(),
            rev: summary.updated,
            synthetic: summary.spans == 0 && summary.logs > 0,
            start_ms: millis(summary.start),
            duration_ms: after(summary.end.max(summary.start), summary.start),
            state: match summary.state {
                StoredState::Running => TraceState::Running,
                StoredState::Done => TraceState::Done,
            },
            name: root.map_or_else(|| of_session(summary), |root| root.name.as_ref().to_owned()),
            service: service.map(|service| service.as_ref().to_owned()).unwrap_or_default(),
            op: root.and_then(|root| root.op).and_then(Op::of),
            root: root.map(|root| root.span.to_string()),
            title: summary.title.clone(),
            services: Few::from(&summary.services),
            agents: Few::from(&summary.agents),
            models: Few::from(&summary.models),
            tools: Few::from(&summary.tools),
            conversations: Few::from(&summary.conversations),
            dialects: summary.dialects.iter().filter_map(|dialect| Dialect::of(*dialect)).collect(),
            spans: summary.spans,
            errors: summary.errors,
            logs: summary.logs,
            llm_calls: summary.llm_calls,
            llm_errors: summary.llm_errors,
            tool_calls: summary.tool_calls,
            tool_errors: summary.tool_errors,
            usage: Usage::from(&summary.usage),
            cost: summary.cost.as_ref().map(Cost::from),
            unpriced: summary.unpriced,
            ttft_ms: summary.first_chunk.map(duration),
            content: ContentState::of(summary.content).unwrap_or(ContentState::Unknown),
            bars: summary.bars.iter().filter_map(bar).collect(),
        }
    }
}

/// What a trace without a root is called: nothing, unless it is a session that only log records tell of.
fn of_session(summary: &TraceSummary) -> String {
    let by = |dialect| summary.spans == 0 && summary.dialects.contains(&dialect);
    if by(otel_genai_store::Dialect::ClaudeCode) {
        "Claude Code".to_owned()
    } else if by(otel_genai_store::Dialect::Codex) {
        "Codex".to_owned()
    } else {
        String::new()
    }
}

impl From<&otel_genai_store::Few> for Few {
    fn from(few: &otel_genai_store::Few) -> Self {
        Self { list: few.list.iter().map(|one| one.as_ref().to_owned()).collect(), more: few.more }
    }
}
