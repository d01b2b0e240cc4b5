//! What agents and workflows did: themselves, and with all below them.

use otel_genai_store::{Cost, CostSource, Nanos, Op, SpanRow, SpanState, Usage};

use super::{Node, Options, end};

/// Calls with their tokens and costs. Each call counts once: what its agent or its framework tells of it besides is left
/// out.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Sum {
    /// Tokens.
    pub usage: Usage,
    /// What it cost in 10⁻⁹ of the currency's unit, and what caching took off; `None` where nothing has a price.
    pub cost: Option<(i64, i64)>,
    /// Whether a cost in it was told by a span, and whether one is of the table.
    pub sources: (bool, bool),
    /// Calls of models, be it for text, embeddings or ranks.
    pub llm_calls: u64,
    /// Runs of tools.
    pub tool_calls: u64,
}

/// What an agent or a workflow did.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Sums {
    /// Itself: without the agents and workflows below it.
    pub own: Sum,
    /// How long it ran without any of those, in nanoseconds.
    pub own_nanos: u64,
    /// With all below it.
    pub total: Sum,
}

impl Sum {
    fn count(&mut self, span: &SpanRow, wrapper: bool) {
        let facts = &span.facts;
        let Some(op) = facts.op else { return };
        self.tool_calls += u64::from(op == Op::ExecuteTool);
        if wrapper || !op.counts_tokens() {
            return;
        }
        self.llm_calls += 1;
        if span.state == SpanState::Ended {
            self.usage.add(&facts.usage);
            self.pay(facts.cost);
        }
    }

    fn pay(&mut self, cost: Option<Cost>) {
        let Some(cost) = cost else { return };
        let (nanos, saved) = self.cost.unwrap_or_default();
        self.cost = Some((nanos.saturating_add(cost.nanos), saved.saturating_add(cost.saved)));
        match cost.source {
            CostSource::Reported => self.sources.0 = true,
            CostSource::Table => self.sources.1 = true,
        }
    }

    fn add(&mut self, other: &Self) {
        self.usage.add(&other.usage);
        if let Some((nanos, saved)) = other.cost {
            let before = self.cost.unwrap_or_default();
            self.cost = Some((before.0.saturating_add(nanos), before.1.saturating_add(saved)));
        }
        self.sources = (self.sources.0 | other.sources.0, self.sources.1 | other.sources.1);
        self.llm_calls += other.llm_calls;
        self.tool_calls += other.tool_calls;
    }
}

/// Gives each agent and workflow its sums.
pub(super) fn add(spans: &[SpanRow], nodes: &mut [Node], options: &Options) {
    // For each row the nearest agent around it, and for each agent those next below it.
    let mut around: Vec<Option<usize>> = Vec::with_capacity(nodes.len());
    let mut nested: Vec<(usize, Nanos, Nanos)> = Vec::new();
    for index in 0..nodes.len() {
        let Some(node) = nodes.get_mut(index) else { break };
        let Some(span) = node.span(spans) else {
            around.push(None);
            continue;
        };
        let mine = matches!(span.facts.op, Some(Op::InvokeAgent | Op::InvokeWorkflow));
        if mine {
            node.sums = Some(Box::default());
        }
        let (parent, wrapper) = (node.parent, node.wrapper);
        let outer = parent.and_then(|parent| match nodes.get(parent)?.sums {
            Some(_) => Some(parent),
            None => around.get(parent).copied().flatten(),
        });
        around.push(outer);
        let Some(outer) = outer else { continue };
        if mine {
            nested.push((outer, span.start, end(span, options.until)));
        }
        if let Some(sums) = nodes.get_mut(outer).and_then(|outer| outer.sums.as_mut()) {
            sums.own.count(span, wrapper);
        }
    }
    for (index, outer) in around.iter().enumerate().rev() {
        let Some(sums) = nodes.get_mut(index).and_then(|node| node.sums.as_mut()) else { continue };
        // What is below came first: its total is in already.
        let own = sums.own;
        sums.total.add(&own);
        let total = sums.total;
        if let Some(outer) =
            outer.and_then(|outer| nodes.get_mut(outer)).and_then(|outer| outer.sums.as_mut())
        {
            outer.total.add(&total);
        }
    }
    nested.sort_by_key(|(outer, start, _)| (*outer, *start));
    let mut nested = nested.into_iter().peekable();
    for (index, node) in nodes.iter_mut().enumerate() {
        let Some((start, until)) = node.span(spans).map(|span| (span.start, end(span, options.until))) else {
            continue;
        };
        let Some(sums) = node.sums.as_mut() else { continue };
        let mut own = until.0.saturating_sub(start.0);
        let mut seen = start;
        while let Some((_, from, to)) = nested.next_if(|(outer, ..)| *outer == index) {
            let (from, to) = (from.max(seen), to.min(until));
            own = own.saturating_sub(to.0.saturating_sub(from.0));
            seen = seen.max(to);
        }
        sums.own_nanos = own;
    }
}
