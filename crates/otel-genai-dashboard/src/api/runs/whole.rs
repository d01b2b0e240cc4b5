//! What only whole spans tell of agents and tools: versions, how much goes in and comes out, and who handed over to whom.

use std::collections::{BTreeMap, HashMap};

use otel_genai_dialect::{Slot, names_of};
use otel_genai_store::{Attributes, Held, Op, Span, SpanId, SpanLink, SpanRow, StoreError, TraceId};

use super::{ROWS, Runs, key};
use crate::shared::Shared;
use crate::view::EdgeKind;

/// So many spans are read whole for one answer,
const SPANS: usize = 1_000;
/// those of so many traces at a time, for their content is read with them,
const AT_A_TIME: usize = 20;
/// and so many other traces are looked into for spans that are named.
const TRACES: usize = 50;
/// An agent has so many versions at most, as far as they are told.
const VERSIONS: usize = 8;
/// Nobody nests deeper.
const DEPTH: usize = 64;

/// Of which spans more is wanted than their rows tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whole {
    /// Of none.
    None,
    Agents,
    Tools,
}

/// What was read of whole spans so far.
pub(super) struct Reading {
    what: Whole,
    left: usize,
    /// Spans of traces that were not at hand, and the agents that name them.
    elsewhere: BTreeMap<TraceId, Vec<(SpanId, String)>>,
}

impl Reading {
    pub(super) fn new(what: Whole) -> Self {
        Self { what, left: SPANS, elsewhere: BTreeMap::new() }
    }

    /// Reads the spans of traces that tell more; the newest traces come first.
    pub(super) async fn read(
        &mut self,
        shared: &Shared,
        traces: &[(TraceId, &[SpanRow])],
        runs: &mut Runs,
    ) -> Result<(), StoreError> {
        let is_wanted = |row: &&SpanRow| match self.what {
            Whole::None => false,
            Whole::Agents => matches!(row.facts.op, Some(Op::InvokeAgent | Op::InvokeWorkflow)),
            Whole::Tools => row.facts.op == Some(Op::ExecuteTool),
        };
        let mut named = Vec::new();
        for (trace, rows) in traces {
            let ids: Vec<SpanId> =
                rows.iter().filter(is_wanted).map(|row| row.key.span).take(self.left).collect();
            self.left -= ids.len();
            if !ids.is_empty() {
                named.push((*trace, ids));
            }
        }
        let rows: HashMap<TraceId, &[SpanRow]> = traces.iter().copied().collect();
        for some in named.chunks(AT_A_TIME) {
            for span in shared.store.spans_of_each(some).await? {
                let rows = rows.get(&span.key.trace).copied().unwrap_or_default();
                match self.what {
                    Whole::Tools => runs.tool_told(&span),
                    _ => self.agent_told(&span, rows, runs),
                }
            }
        }
        Ok(())
    }

    fn agent_told(&mut self, span: &Span, rows: &[SpanRow], runs: &mut Runs) {
        let own = key(&span.row());
        let version = names_of(Slot::AgentVersion).find_map(|name| span.attributes.text(name));
        if let Some(version) = version.filter(|version| !version.is_empty()) {
            let versions = &mut runs.agents.entry(own.clone()).or_default().versions;
            if versions.len() < VERSIONS && !versions.iter().any(|known| *known == version) {
                versions.push(version.into_owned());
            }
        }
        if span.links.is_empty() {
            return;
        }
        let by_id = by_id(rows);
        for SpanLink { trace_id, span_id, .. } in &span.links {
            let (Some(trace), Some(named)) = (TraceId::new(trace_id), SpanId::new(span_id)) else { continue };
            if trace == span.key.trace {
                runs.handed_over(agent_at(&by_id, named), &own.0);
            } else if self.elsewhere.len() < TRACES || self.elsewhere.contains_key(&trace) {
                self.elsewhere.entry(trace).or_default().push((named, own.0.clone()));
            }
        }
    }

    /// Looks for the spans that are named in other traces, which may be older than what was asked for.
    pub(super) async fn done(self, shared: &Shared, runs: &mut Runs) -> Result<(), StoreError> {
        for (trace, named) in self.elsewhere {
            let rows = shared.store.rows(trace, ROWS, None).await?.items;
            let by_id = by_id(&rows);
            for (span, to) in named {
                runs.handed_over(agent_at(&by_id, span), &to);
            }
        }
        Ok(())
    }
}

impl Runs {
    /// An agent names a span of another one.
    fn handed_over(&mut self, from: Option<String>, to: &str) {
        // One that goes on where it was itself was handed nothing.
        if let Some(from) = from.filter(|from| from != to) {
            *self.edges.entry((from, to.to_owned(), EdgeKind::Link)).or_default() += 1;
        }
    }

    fn tool_told(&mut self, span: &Span) {
        let name = span.facts.tool.as_deref().unwrap_or_default();
        let tool = self.tools.entry(name.to_owned()).or_default();
        let told = &span.attributes;
        tool.arguments.extend(size(told, Slot::ToolArguments));
        tool.results.extend(size(told, Slot::ToolResult));
        if tool.kind.is_none() {
            tool.kind = names_of(Slot::ToolType)
                .find_map(|name| told.text(name))
                .filter(|kind| !kind.is_empty())
                .map(std::borrow::Cow::into_owned);
        }
    }
}

fn by_id(rows: &[SpanRow]) -> HashMap<SpanId, &SpanRow> {
    rows.iter().map(|row| (row.key.span, row)).collect()
}

/// The agent whose span it is, or in whose run it is.
fn agent_at(by_id: &HashMap<SpanId, &SpanRow>, span: SpanId) -> Option<String> {
    let mut next = Some(span);
    for _ in 0..DEPTH {
        let row = by_id.get(&next?)?;
        if let Some(Op::InvokeAgent | Op::InvokeWorkflow) = row.facts.op {
            return Some(key(row).0);
        }
        next = row.parent;
    }
    None
}

/// How large it is as text, in bytes.
fn size(told: &Attributes, slot: Slot) -> Option<u64> {
    let held = names_of(slot).find_map(|name| told.get(name))?;
    let bytes = match held {
        Held::Pieces(pieces) => pieces.list.iter().map(|piece| piece.bytes.len()).sum(),
        Held::Whole(_) => match held.text() {
            Some(text) => text.len(),
            None => held.json()?.to_string().len(),
        },
    };
    Some(bytes as u64)
}

/// What half of them are at most.
pub(super) fn half(sizes: &[u64]) -> Option<u64> {
    let mut sizes = sizes.to_vec();
    sizes.sort_unstable();
    sizes.get(sizes.len().saturating_sub(1) / 2).copied()
}
