//! The spans of the evidence: who is whose parent, and what stands around what.

use std::collections::HashMap;

use otel_genai_store::{Op, Span, SpanId, TraceId};

/// Spans by number, in the order in which they began.
pub(super) struct Spans<'a> {
    list: Vec<&'a Span>,
    by_id: HashMap<(TraceId, SpanId), usize>,
    parents: Vec<Option<usize>>,
    /// Parents before children.
    order: Vec<usize>,
    /// When a walk over the tree comes to a span and leaves it.
    walk: Vec<(usize, usize)>,
}

impl<'a> Spans<'a> {
    pub(super) fn new(spans: &'a [Span]) -> Self {
        let mut list: Vec<&Span> = spans.iter().collect();
        list.sort_by_key(|span| (span.start.or(span.received), span.key));
        list.dedup_by_key(|span| span.key);
        let mut by_id: HashMap<(TraceId, SpanId), usize> = HashMap::new();
        for (at, span) in list.iter().enumerate() {
            let known = by_id.entry((span.key.trace, span.key.span)).or_insert(at);
            if list.get(*known).is_some_and(|known| known.key.variant > span.key.variant) {
                *known = at;
            }
        }
        let parent = |(at, span): (usize, &&Span)| {
            let parent = *by_id.get(&(span.key.trace, span.parent?))?;
            (parent != at).then_some(parent)
        };
        let parents: Vec<_> = list.iter().enumerate().map(parent).collect();
        let (parents, order) = without_cycles(parents);
        let walk = walk(&parents, &order);
        Self { list, by_id, parents, order, walk }
    }

    pub(super) fn get(&self, at: usize) -> Option<&'a Span> {
        self.list.get(at).copied()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &'a Span)> {
        self.list.iter().copied().enumerate()
    }

    pub(super) fn find(&self, trace: TraceId, span: SpanId) -> Option<usize> {
        self.by_id.get(&(trace, span)).copied()
    }

    pub(super) fn op(&self, at: usize) -> Option<Op> {
        self.get(at)?.facts.op
    }

    pub(super) fn parent(&self, at: usize) -> Option<usize> {
        self.parents.get(at).copied().flatten()
    }

    /// For each span the nearest one above it that is meant; what `stops` ends the search.
    pub(super) fn nearest(
        &self,
        is: impl Fn(usize) -> bool,
        stops: impl Fn(usize) -> bool,
    ) -> Vec<Option<usize>> {
        let mut found = vec![None; self.list.len()];
        for at in &self.order {
            let Some(parent) = self.parent(*at) else { continue };
            let above = if is(parent) {
                Some(parent)
            } else if stops(parent) {
                None
            } else {
                found.get(parent).copied().flatten()
            };
            if let Some(place) = found.get_mut(*at) {
                *place = above;
            }
        }
        found
    }

    /// Whether a span stands around another.
    pub(super) fn is_above(&self, above: usize, below: usize) -> bool {
        let (Some(above), Some(below)) = (self.walk.get(above), self.walk.get(below)) else { return false };
        above.0 < below.0 && below.1 <= above.1
    }

    /// All, those inside before those around.
    pub(super) fn inside_out(&self) -> impl Iterator<Item = usize> {
        self.order.iter().rev().copied()
    }
}

/// For each span the number of its first and of its last span below, in an order in which what is below follows.
fn walk(parents: &[Option<usize>], order: &[usize]) -> Vec<(usize, usize)> {
    let mut sizes = vec![1usize; parents.len()];
    for at in order.iter().rev() {
        let size = sizes.get(*at).copied().unwrap_or(1);
        if let Some(sum) = parents.get(*at).copied().flatten().and_then(|parent| sizes.get_mut(parent)) {
            *sum += size;
        }
    }
    let mut walk = vec![(0, 0); parents.len()];
    // Where the next child of a span begins; of no span: the next root.
    let mut next = vec![0usize; parents.len()];
    let mut next_root = 0;
    for at in order {
        let size = sizes.get(*at).copied().unwrap_or(1);
        let place = match parents.get(*at).copied().flatten() {
            Some(parent) => next.get_mut(parent),
            None => Some(&mut next_root),
        };
        let Some(place) = place else { continue };
        let first = *place;
        *place += size;
        if let (Some(range), Some(child)) = (walk.get_mut(*at), next.get_mut(*at)) {
            *range = (first, first + size - 1);
            *child = first + 1;
        }
    }
    walk
}

/// The same parents, where a cycle is cut at the span that would close it; and all with parents first.
fn without_cycles(mut parents: Vec<Option<usize>>) -> (Vec<Option<usize>>, Vec<usize>) {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        No,
        OnTheWay,
        Done,
    }
    let mut seen = vec![Seen::No; parents.len()];
    let mut order = Vec::with_capacity(parents.len());
    let mut way = Vec::new();
    for start in 0..parents.len() {
        let mut at = start;
        while seen.get(at) == Some(&Seen::No) {
            if let Some(place) = seen.get_mut(at) {
                *place = Seen::OnTheWay;
            }
            way.push(at);
            let Some(parent) = parents.get(at).copied().flatten() else { break };
            if seen.get(parent) == Some(&Seen::OnTheWay) {
                if let Some(place) = parents.get_mut(at) {
                    *place = None;
                }
                break;
            }
            at = parent;
        }
        while let Some(at) = way.pop() {
            if let Some(place) = seen.get_mut(at) {
                *place = Seen::Done;
            }
            order.push(at);
        }
    }
    (parents, order)
}
