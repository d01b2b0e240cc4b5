//! The rows of a trace in one line.

use std::collections::HashSet;
use std::sync::Arc;

use crate::facts::{ContentState, Cost, CostSource, Op, Usage};
use crate::id::{Nanos, SpanKey, TraceId};
use crate::span::{SpanRow, SpanState};
use crate::sqlite::more::{More, Stretch};
use crate::summary::{Few, Root, TraceState, TraceSummary};
use crate::usage;

/// A trace is done when its root has ended and no span is known that runs, or when nothing came for so long: a root may be
/// elsewhere.
const SILENT: u64 = 600_000_000_000;

/// What is known of a trace besides its rows.
#[derive(Clone, Debug)]
pub(super) struct Frame<'a> {
    pub(super) id: TraceId,
    pub(super) start: Nanos,
    pub(super) end: Nanos,
    /// When anything of it was received last.
    pub(super) last: Nanos,
    pub(super) logs: u64,
    /// Whether what was said is in these, by their numbers.
    pub(super) content: &'a [u8],
    /// What a user asked.
    pub(super) title: Option<String>,
}

/// The rows of a trace in order of their start.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) all: Vec<SpanRow>,
    /// So many of them are no spans: log records tell them of a session.
    pub(super) of_sessions: u64,
    /// Those of them whose calls spans tell, too: they count in no sum.
    pub(super) again: HashSet<SpanKey>,
}

/// The summary of a trace.
pub(super) fn summary(frame: &Frame<'_>, rows: &Rows, now: Nanos) -> TraceSummary {
    let Rows { all: rows, of_sessions, again } = rows;
    let mut sum = TraceSummary {
        id: frame.id,
        start: frame.start,
        end: frame.end,
        state: TraceState::Running,
        root: None,
        title: frame.title.clone(),
        services: Few::default(),
        agents: Few::default(),
        models: Few::default(),
        tools: Few::default(),
        conversations: Few::default(),
        dialects: Vec::new(),
        spans: (rows.len() as u64).saturating_sub(*of_sessions),
        errors: 0,
        logs: frame.logs,
        llm_calls: 0,
        llm_errors: 0,
        tool_calls: 0,
        tool_errors: 0,
        usage: Usage::default(),
        cost: None,
        unpriced: 0,
        first_chunk: None,
        content: frame
            .content
            .iter()
            .map(|number| ContentState::from_number(*number))
            .max_by_key(|content| rank(*content))
            .unwrap_or_default(),
        bars: Vec::new(),
        updated: frame.last.0,
    };
    let mut names: [Names<'_>; 5] = Default::default();
    let (mut root_ended, mut running) = (false, false);
    let mut picture = More::default();
    let wrappers: HashSet<SpanKey> = usage::wrappers(rows).into_iter().collect();
    for row in rows {
        let ended = row.state == SpanState::Ended;
        running |= !ended;
        if row.parent.is_none() && sum.root.is_none() {
            sum.root = Some(Root {
                span: row.key.span,
                name: Arc::clone(&row.name),
                service: Arc::clone(&row.service),
                op: row.facts.op,
            });
            root_ended = ended;
        }
        let [services, agents, models, tools, conversations] = &mut names;
        let facts = &row.facts;
        note(services, Some(&row.service));
        note(agents, facts.agent.as_ref());
        note(conversations, facts.conversation.as_ref());
        if ended {
            note(models, facts.response_model.as_ref().or(facts.request_model.as_ref()));
            note(tools, facts.tool.as_ref());
            let told = match (again.contains(&row.key), wrappers.contains(&row.key)) {
                (true, _) => Told::Elsewhere,
                (false, true) => Told::Inside,
                (false, false) => Told::Once,
            };
            add(&mut sum, row, told);
            if let Some(op) = row.facts.op.filter(|op| op.is_genai()) {
                picture.stretch(stretch(row, op));
            }
        }
    }
    let [services, agents, models, tools, conversations] = names.map(few);
    (sum.services, sum.agents, sum.models) = (services, agents, models);
    (sum.tools, sum.conversations) = (tools, conversations);
    sum.bars = picture.bars();
    let silence = now.0.saturating_sub(frame.last.0);
    if (root_ended && !running) || silence > SILENT {
        sum.state = TraceState::Done;
    }
    sum
}

fn stretch(row: &SpanRow, op: Op) -> Stretch {
    Stretch {
        op: op as u8,
        error: row.error || row.facts.error.is_some(),
        start: row.start.0,
        end: row.end.0.max(row.start.0),
        span: row.key.span,
    }
}

/// Where a call is told again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Once,
    /// By a span inside it.
    Inside,
    /// By a span of any trace, where this is a record of a session.
    Elsewhere,
}

/// A span that has ended.
fn add(sum: &mut TraceSummary, row: &SpanRow, told: Told) {
    let facts = &row.facts;
    let error = u64::from(row.error || facts.error.is_some());
    sum.errors += error;
    if rank(facts.content) > rank(sum.content) {
        sum.content = facts.content;
    }
    if let Some(dialect) = facts.dialect
        && !sum.dialects.contains(&dialect)
    {
        sum.dialects.push(dialect);
    }
    let Some(op) = facts.op.filter(|op| op.is_genai() && told != Told::Elsewhere) else { return };
    if op.is_inference() {
        // Rows come in order: the first has it.
        sum.first_chunk = sum.first_chunk.or(facts.first_chunk);
    }
    if op == Op::ExecuteTool {
        sum.tool_calls += 1;
        sum.tool_errors += error;
    }
    if op.counts_tokens() && told == Told::Once {
        sum.llm_calls += 1;
        sum.llm_errors += error;
        sum.usage.add(&facts.usage);
        match (facts.cost, sum.cost) {
            (Some(one), Some(other)) => {
                let reported = [one, other].iter().any(|cost| cost.source == CostSource::Reported);
                sum.cost = Some(Cost {
                    nanos: one.nanos.saturating_add(other.nanos),
                    saved: one.saved.saturating_add(other.saved),
                    source: if reported { CostSource::Reported } else { CostSource::Table },
                });
            }
            (Some(one), None) => sum.cost = Some(one),
            (None, _) => {
                sum.unpriced += u64::from(facts.usage.input.is_some() || facts.usage.output.is_some());
            }
        }
    }
}

/// Content that is there outweighs content that is elsewhere, and that outweighs none.
fn rank(content: ContentState) -> u8 {
    match content {
        ContentState::Unknown => 0,
        ContentState::Absent => 1,
        ContentState::ByReference => 2,
        ContentState::Here => 3,
    }
}

/// Names, first seen first.
#[derive(Default)]
struct Names<'a> {
    list: Vec<&'a Arc<str>>,
    seen: HashSet<&'a str>,
}

fn note<'a>(names: &mut Names<'a>, name: Option<&'a Arc<str>>) {
    if let Some(name) = name
        && names.seen.insert(name)
    {
        names.list.push(name);
    }
}

fn few(names: Names<'_>) -> Few {
    let more = u32::try_from(names.list.len().saturating_sub(5)).unwrap_or(u32::MAX);
    Few { list: names.list.into_iter().take(5).cloned().collect(), more }
}
