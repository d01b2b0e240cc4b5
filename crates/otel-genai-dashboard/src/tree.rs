//! The spans of a trace in the order in which they are drawn: parents before what is below them, siblings by their start.
//!
//! Nothing of what comes is trusted: parents may be missing, may be a span itself, or may form a circle. Every span is
//! in the answer exactly once. Time and memory grow with the number of spans, whatever their shape.

mod place;
mod sums;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use otel_genai_store::{Nanos, Op, SpanId, SpanRow, SpanState, wrappers};

pub use self::sums::{Sum, Sums};

/// How a trace is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Until when spans are drawn that have not ended: now, or the end of the trace.
    pub until: Nanos,
    /// Whether more spans will come. Then a parent that is not here is one that has not ended yet; else it is one that
    /// never came.
    pub running: bool,
    /// Whether the HTTP, database and remote calls within a call are left out.
    pub fold_http: bool,
}

/// One row of the drawing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Node {
    /// What stands in it.
    pub what: What,
    /// How many rows are above it in the tree.
    pub depth: u32,
    /// How many rows below it follow: all, not only the next ones.
    pub below: u32,
    /// The row above it in the tree, by its place in the answer.
    pub parent: Option<usize>,
    /// Its parent was named and never came.
    pub orphan: bool,
    /// Its parents form a circle, which is cut before it.
    pub cycle: bool,
    /// Only HTTP, database and remote calls, within a call of a model, a tool or a server.
    pub fold: bool,
    /// Its tokens are told again by a span below it.
    pub wrapper: bool,
    /// The how manieth try it is after others that failed: 1 for the second call.
    pub retry: u32,
    /// What an agent or a workflow did itself, and with all below it.
    pub sums: Option<Box<Sums>>,
}

/// What stands in a row.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A span, by its place among those that were given.
    Span(usize),
    /// A span that others name as their parent, and that is not here.
    Ghost(Ghost),
}

/// A span of which only its children tell.
#[derive(Clone, Debug, PartialEq)]
pub struct Ghost {
    /// Its id.
    pub span: SpanId,
    /// The service of its first child.
    pub service: Arc<str>,
    /// When its first child began.
    pub start: Nanos,
    /// When its last child ended; 0 while it runs.
    pub end: Nanos,
}

/// The rows in the order of drawing.
#[must_use]
pub fn rows(spans: &[SpanRow], options: &Options) -> Vec<Node> {
    let mut nodes = place::place(spans, options);
    mark_folds(spans, &mut nodes);
    if options.fold_http {
        nodes = without_folds(nodes);
    }
    mark_retries(spans, &mut nodes);
    let wrappers: HashSet<_> = wrappers(spans).into_iter().collect();
    for node in &mut nodes {
        node.wrapper = node.span(spans).is_some_and(|span| wrappers.contains(&span.key));
    }
    sums::add(spans, &mut nodes, options);
    nodes
}

impl Node {
    fn new(what: What) -> Self {
        Self {
            what,
            depth: 0,
            below: 0,
            parent: None,
            orphan: false,
            cycle: false,
            fold: false,
            wrapper: false,
            retry: 0,
            sums: None,
        }
    }

    /// The span in it.
    #[must_use]
    pub fn span<'a>(&self, spans: &'a [SpanRow]) -> Option<&'a SpanRow> {
        match self.what {
            What::Span(index) => spans.get(index),
            What::Ghost(_) => None,
        }
    }

    fn op(&self, spans: &[SpanRow]) -> Option<Op> {
        self.span(spans)?.facts.op
    }
}

/// When a span ended: as told, but not before it began; the moment until which is drawn where it has not.
pub(crate) fn end(span: &SpanRow, until: Nanos) -> Nanos {
    let end = if span.state == SpanState::Running { until } else { span.end };
    end.max(span.start)
}

/// Marks what a person wants to see only when asked for: the plumbing below a call, with all that is below it.
fn mark_folds(spans: &[SpanRow], nodes: &mut [Node]) {
    // From the end: whether nothing of interest is in a row and below it is known once that is for the rows below.
    let plain = |node: &Node| node.span(spans).is_some_and(|span| span.facts.op.is_none_or(is_plumbing));
    let mut plain: Vec<bool> = nodes.iter().map(plain).collect();
    for (index, node) in nodes.iter().enumerate().rev() {
        let below = plain.get(index).copied().unwrap_or(false);
        if let Some(parent) = node.parent.and_then(|parent| plain.get_mut(parent)) {
            *parent &= below;
        }
    }
    for (index, plain) in plain.into_iter().enumerate() {
        let Some(node) = nodes.get(index) else { break };
        let Some(parent) = node.parent.and_then(|parent| nodes.get(parent)) else { continue };
        let begins = || parent.op(spans).is_some_and(has_plumbing) && node.op(spans).is_some_and(is_plumbing);
        let fold = plain && (parent.fold || begins());
        if let Some(node) = nodes.get_mut(index) {
            node.fold = fold;
        }
    }
}

fn is_plumbing(op: Op) -> bool {
    matches!(op, Op::Http | Op::Database | Op::Rpc)
}

/// Operations of which HTTP is how they are done, rather than what is done.
fn has_plumbing(op: Op) -> bool {
    op.counts_tokens()
        || matches!(op, Op::ExecuteTool | Op::Mcp | Op::Retrieval | Op::FetchResponse | Op::Memory)
}

fn without_folds(nodes: Vec<Node>) -> Vec<Node> {
    let mut places = Vec::with_capacity(nodes.len());
    let mut kept: Vec<Node> = Vec::with_capacity(nodes.len());
    for mut node in nodes {
        places.push(kept.len());
        if node.fold {
            continue;
        }
        // Parents come first, and what is kept has none that is not.
        node.parent = node.parent.and_then(|parent| places.get(parent).copied());
        kept.push(node);
    }
    place::count_below(&mut kept);
    kept
}

/// Calls of the same kind one after the other under the same parent are tries, as long as those before failed.
fn mark_retries(spans: &[SpanRow], nodes: &mut [Node]) {
    #[derive(PartialEq, Eq, Hash)]
    struct Call<'a> {
        parent: Option<usize>,
        op: Op,
        whom: Option<&'a str>,
    }
    /// The last of several tries.
    struct Try {
        number: u32,
        failed: bool,
        end: Nanos,
    }
    let mut tries: HashMap<Call<'_>, Try> = HashMap::new();
    for node in nodes {
        let Some(span) = node.span(spans) else { continue };
        let facts = &span.facts;
        let Some(op) = facts.op else { continue };
        let whom = match op {
            Op::ExecuteTool | Op::Mcp => facts.tool.as_deref().or(Some(&span.name)),
            _ if op.counts_tokens() => facts.request_model.as_deref(),
            _ => continue,
        };
        let failed = span.error || facts.error.is_some();
        let end = end(span, Nanos(u64::MAX));
        let before = tries.get(&Call { parent: node.parent, op, whom });
        let number = match before {
            Some(before) if before.failed && before.end <= span.start => before.number.saturating_add(1),
            _ => 0,
        };
        node.retry = number;
        tries.insert(Call { parent: node.parent, op, whom }, Try { number, failed, end });
    }
}
