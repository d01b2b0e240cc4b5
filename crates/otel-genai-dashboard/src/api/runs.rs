//! What agents and tools did in the newest traces: sums that need to know what is below what, which only whole traces tell.

mod whole;

use std::collections::{BTreeMap, HashMap};

use otel_genai_store::{
    Cost, CostSource, Filter, Histogram, Nanos, Op, Page, SpanRow, SpanState, StatsRow, StoreError, TraceId,
    TraceQuery, TraceState, TraceSummary, Usage,
};

pub(crate) use self::whole::Whole;
use self::whole::{Reading, half};
use crate::shared::Shared;
use crate::tree::{self, Node, Options, What};
use crate::view::{AgentRow, AgentTool, Agents, Edge, EdgeKind, Stat};

/// So many traces are looked at,
const TRACES: u32 = 200;
/// of each so many spans,
const ROWS: u32 = 5_000;
/// so many at a time,
const AT_A_TIME: u64 = 10_000;
/// and so many in all.
const ALL_ROWS: usize = 100_000;

/// What was seen.
#[derive(Default)]
pub(crate) struct Runs {
    agents: BTreeMap<(String, String), Agent>,
    matrix: BTreeMap<(String, String), (u64, u64)>,
    edges: BTreeMap<(String, String, EdgeKind), u64>,
    tools: HashMap<String, Tool>,
    sampled: Option<u64>,
}

#[derive(Default)]
struct Agent {
    is_agent: bool,
    runs: u64,
    errors: u64,
    own_nanos: u64,
    total_nanos: u64,
    own: Sum,
    total: Sum,
    /// The newest first.
    versions: Vec<String>,
}

/// What the runs of a tool tell besides what is added up.
#[derive(Default)]
pub(crate) struct Tool {
    pub(crate) retries: u64,
    pub(crate) last_error: Option<String>,
    pub(crate) kind: Option<String>,
    /// Sizes in bytes.
    arguments: Vec<u64>,
    results: Vec<u64>,
}

impl Tool {
    pub(crate) fn arguments_p50(&self) -> Option<u64> {
        half(&self.arguments)
    }

    pub(crate) fn result_p50(&self) -> Option<u64> {
        half(&self.results)
    }
}

#[derive(Default)]
struct Sum(StatsRow);

impl Sum {
    fn count(&mut self, span: &SpanRow) {
        let row = &mut self.0;
        let facts = &span.facts;
        row.calls += 1;
        row.errors += u64::from(failed(span));
        if span.state == SpanState::Running {
            return;
        }
        row.usage.add(&facts.usage);
        match facts.cost {
            Some(cost) => add_cost(&mut row.cost, cost),
            None => row.unpriced += u64::from(facts.usage != Usage::default()),
        }
        if let Some(took) = span.end.since(span.start) {
            row.duration.add(nanos(took));
        }
        if let Some(first) = facts.first_chunk {
            row.first_chunk.add(nanos(first));
        }
    }
}

/// Adds up costs; what is partly reported counts as of the table.
pub(crate) fn add_cost(sum: &mut Option<Cost>, more: Cost) {
    let sum = sum.get_or_insert(Cost { nanos: 0, saved: 0, source: more.source });
    sum.nanos = sum.nanos.saturating_add(more.nanos);
    sum.saved = sum.saved.saturating_add(more.saved);
    if more.source == CostSource::Table {
        sum.source = CostSource::Table;
    }
}

fn nanos(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn failed(span: &SpanRow) -> bool {
    span.error || span.facts.error.is_some()
}

/// Looks at the newest traces that fit; of these spans also at what is no column of theirs.
pub(crate) async fn runs(shared: &Shared, filter: &Filter, whole_of: Whole) -> Result<Runs, StoreError> {
    runs_of(shared, &newest(shared, filter).await?, whole_of).await
}

/// The newest traces that fit.
pub(crate) async fn newest(shared: &Shared, filter: &Filter) -> Result<Page<TraceSummary>, StoreError> {
    let query = TraceQuery { filter: filter.clone(), limit: TRACES, ..TraceQuery::default() };
    shared.store.traces(&query).await
}

/// Looks at these traces.
pub(crate) async fn runs_of(
    shared: &Shared,
    page: &Page<TraceSummary>,
    whole_of: Whole,
) -> Result<Runs, StoreError> {
    let mut runs = Runs::default();
    let mut rows = 0;
    let mut seen = 0;
    let mut whole = page.next.is_none();
    let mut reading = Reading::new(whole_of);
    let mut rest = page.items.as_slice();
    while !rest.is_empty() {
        if rows > ALL_ROWS {
            whole = false;
            break;
        }
        let (some, more) = rest.split_at(at_a_time(rest));
        rest = more;
        let ids: Vec<TraceId> = some.iter().map(|summary| summary.id).collect();
        let pages = shared.store.rows_of_each(&ids, ROWS).await?;
        for (summary, spans) in some.iter().zip(&pages) {
            rows += spans.items.len();
            whole &= spans.next.is_none();
            seen += 1;
            let running = summary.state == TraceState::Running;
            runs.look(&spans.items, if running { Nanos::now() } else { summary.end }, running);
        }
        let traces = ids.iter().copied().zip(pages.iter().map(|page| page.items.as_slice()));
        reading.read(shared, &traces.collect::<Vec<_>>(), &mut runs).await?;
    }
    reading.done(shared, &mut runs).await?;
    runs.sampled = (!whole).then_some(seen);
    Ok(runs)
}

/// How many of these are asked for together: at least one.
fn at_a_time(traces: &[TraceSummary]) -> usize {
    let mut rows = 0;
    let fits = |summary: &&TraceSummary| {
        rows += summary.spans.min(ROWS.into());
        rows <= AT_A_TIME
    };
    traces.iter().take_while(fits).count().max(1)
}

impl Runs {
    fn look(&mut self, spans: &[SpanRow], until: Nanos, running: bool) {
        let nodes = tree::rows(spans, &Options { until, running, fold_http: false });
        for (index, node) in nodes.iter().enumerate() {
            let Some(span) = node.span(spans) else { continue };
            let around = around(&nodes, spans, index);
            match span.facts.op {
                Some(Op::InvokeAgent | Op::InvokeWorkflow) => self.agent(node, span, &around, until),
                Some(Op::ExecuteTool) => self.tool(node, span, &around),
                Some(op) if op.counts_tokens() && !node.wrapper => {
                    for (depth, (span_of, _)) in around.iter().enumerate() {
                        let agent = self.agents.entry(key(span_of)).or_default();
                        agent.total.count(span);
                        if depth == 0 {
                            agent.own.count(span);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn agent(&mut self, node: &Node, span: &SpanRow, around: &[Above<'_>], until: Nanos) {
        let key = key(span);
        if let Some((from, through_tool)) = around.first() {
            let kind = if *through_tool { EdgeKind::Tool } else { EdgeKind::Nested };
            *self.edges.entry((self::key(from).0, key.0.clone(), kind)).or_default() += 1;
        }
        let agent = self.agents.entry(key).or_default();
        agent.runs += 1;
        agent.is_agent |= span.facts.op == Some(Op::InvokeAgent) || span.facts.agent.is_some();
        agent.errors += u64::from(failed(span));
        agent.total_nanos += tree::end(span, until).0.saturating_sub(span.start.0);
        agent.own_nanos += node.sums.as_ref().map_or(0, |sums| sums.own_nanos);
    }

    fn tool(&mut self, node: &Node, span: &SpanRow, around: &[Above<'_>]) {
        let name = span.facts.tool.as_deref().unwrap_or_default();
        let tool = self.tools.entry(name.to_owned()).or_default();
        tool.retries += u64::from(node.retry > 0);
        if failed(span) && tool.last_error.is_none() {
            let error = span.facts.error.as_deref().unwrap_or("error");
            tool.last_error = Some(error.to_owned());
        }
        if let Some((agent, _)) = around.first() {
            let cell = self.matrix.entry((key(agent).0, name.to_owned())).or_default();
            cell.0 += 1;
            cell.1 += u64::from(failed(span));
        }
    }

    /// Retries of a tool, and how it failed last.
    pub(crate) fn of_tool(&self, tool: &str) -> Option<&Tool> {
        self.tools.get(tool)
    }

    pub(crate) fn agents(self) -> Agents {
        let ms = |nanos: u64| (nanos / 1000) as f64 / 1000.0;
        let row = |((agent, service), told): ((String, String), Agent)| AgentRow {
            agent,
            workflow: !told.is_agent,
            service,
            runs: told.runs,
            errors: told.errors,
            own_ms: ms(told.own_nanos),
            total_ms: ms(told.total_nanos),
            own: Stat::from(&told.own.0),
            total: Stat::from(&told.total.0),
            versions: told.versions,
        };
        let mut items: Vec<_> = self.agents.into_iter().map(row).collect();
        items.sort_by_key(|row| std::cmp::Reverse(row.runs));
        let cell = |((agent, tool), (calls, errors))| AgentTool { agent, tool, calls, errors };
        let edge = |((from, to, kind), calls)| Edge { from, to, calls, kind };
        Agents {
            items,
            matrix: self.matrix.into_iter().map(cell).collect(),
            edges: self.edges.into_iter().map(edge).collect(),
            sampled: self.sampled,
        }
    }
}

/// An agent above a row, and whether a tool stands between.
type Above<'s> = (&'s SpanRow, bool);

/// The agents above a row, the nearest first; one that runs within itself counts once.
fn around<'s>(nodes: &[Node], spans: &'s [SpanRow], index: usize) -> Vec<Above<'s>> {
    let mut found: Vec<Above<'s>> = Vec::new();
    let mut through_tool = false;
    let mut next = nodes.get(index).and_then(|node| node.parent);
    while let Some(node) = next.and_then(|index| nodes.get(index)) {
        next = node.parent;
        let What::Span(_) = node.what else { continue };
        let Some(span) = node.span(spans) else { continue };
        match span.facts.op {
            Some(Op::ExecuteTool) => through_tool = true,
            Some(Op::InvokeAgent | Op::InvokeWorkflow) => {
                if !found.iter().any(|(other, _)| key(other) == key(span)) {
                    found.push((span, through_tool));
                }
                through_tool = false;
            }
            _ => {}
        }
    }
    found
}

/// The name of an agent or workflow, which is empty where nobody said one, and its service.
fn key(span: &SpanRow) -> (String, String) {
    let name = span.facts.agent.as_deref().or(span.facts.workflow.as_deref()).unwrap_or_default();
    (name.to_owned(), span.service.as_ref().to_owned())
}

/// Several sums as one.
pub(crate) fn together<'r>(rows: impl Iterator<Item = &'r StatsRow>) -> StatsRow {
    let mut sum = StatsRow::default();
    let merge = |into: &mut Histogram, more: &Histogram| into.merge(more);
    for row in rows {
        sum.calls += row.calls;
        sum.errors += row.errors;
        sum.usage.add(&row.usage);
        if let Some(cost) = row.cost {
            add_cost(&mut sum.cost, cost);
        }
        sum.unpriced += row.unpriced;
        merge(&mut sum.duration, &row.duration);
        merge(&mut sum.first_chunk, &row.first_chunk);
        merge(&mut sum.output_rate, &row.output_rate);
    }
    sum
}
