//! Where each span stands.

use std::collections::HashMap;
use std::sync::Arc;

use otel_genai_store::{Nanos, SpanId, SpanRow};

use super::{Ghost, Node, Options, What};

/// The rows in the order of drawing, with their places and without what needs the rows around them.
pub(super) fn place(spans: &[SpanRow], options: &Options) -> Vec<Node> {
    let mut forest = Forest::plant(spans);
    forest.find_ghosts(spans, options);
    forest.cut_circles();
    let order = forest.order();
    let mut nodes = forest.draw(spans, &order);
    count_below(&mut nodes);
    nodes
}

/// Counts what is below each row.
pub(super) fn count_below(nodes: &mut [Node]) {
    for node in nodes.iter_mut() {
        node.below = 0;
    }
    for index in (0..nodes.len()).rev() {
        let Some((below, Some(parent))) = nodes.get(index).map(|node| (node.below, node.parent)) else {
            continue;
        };
        if let Some(parent) = nodes.get_mut(parent) {
            parent.below = parent.below.saturating_add(below).saturating_add(1);
        }
    }
}

/// Spans, then ghosts: each is meant by its number, as `usize::MAX` means none.
struct Forest {
    parents: Vec<usize>,
    starts: Vec<Nanos>,
    orphans: Vec<bool>,
    circles: Vec<bool>,
    ghosts: Vec<Ghost>,
}

const NONE: usize = usize::MAX;

impl Forest {
    /// Each span under the one it names, where that is here.
    fn plant(spans: &[SpanRow]) -> Self {
        let mut ids: HashMap<SpanId, (u8, usize)> = HashMap::with_capacity(spans.len());
        for (index, span) in spans.iter().enumerate() {
            let new = (span.key.variant, index);
            // Of several with the same id, children belong to the one that came first.
            let entry = ids.entry(span.key.span).or_insert(new);
            *entry = new.min(*entry);
        }
        let found = |span: &SpanRow| Some(ids.get(&span.parent?)?.1);
        Self {
            parents: spans.iter().map(|span| found(span).unwrap_or(NONE)).collect(),
            starts: spans.iter().map(|span| span.start).collect(),
            orphans: vec![false; spans.len()],
            circles: vec![false; spans.len()],
            ghosts: Vec::new(),
        }
    }

    /// Spans of one missing parent stand together under a row that stands for it.
    fn find_ghosts(&mut self, spans: &[SpanRow], options: &Options) {
        let mut missing: HashMap<SpanId, (Ghost, usize, u32)> = HashMap::new();
        let lost = |span: &SpanRow, parent: usize| span.parent.filter(|_| parent == NONE);
        for (span, parent) in spans.iter().zip(&self.parents) {
            let Some(id) = lost(span, *parent) else { continue };
            let (ghost, _, children) = missing.entry(id).or_insert_with(|| {
                let service = Arc::clone(&span.service);
                (Ghost { span: id, service, start: span.start, end: Nanos(0) }, NONE, 0)
            });
            *children += 1;
            if span.start < ghost.start {
                (ghost.start, ghost.service) = (span.start, Arc::clone(&span.service));
            }
            ghost.end = ghost.end.max(super::end(span, options.until));
        }
        for (index, span) in spans.iter().enumerate() {
            let Some(parent) = self.parents.get_mut(index) else { continue };
            let Some((ghost, place, children)) = lost(span, *parent).and_then(|id| missing.get_mut(&id))
            else {
                continue;
            };
            if let Some(orphan) = self.orphans.get_mut(index) {
                *orphan = !options.running;
            }
            // A row for a parent that will not come only holds its children together.
            if !options.running && *children == 1 {
                continue;
            }
            if *place == NONE {
                *place = spans.len() + self.ghosts.len();
                let end = if options.running { Nanos(0) } else { ghost.end };
                self.ghosts.push(Ghost { end, ..ghost.clone() });
                self.starts.push(ghost.start);
            }
            *parent = *place;
        }
        let all = spans.len() + self.ghosts.len();
        self.parents.resize(all, NONE);
        self.orphans.resize(all, false);
        self.circles.resize(all, false);
    }

    /// Cuts each circle before the one of its spans that began first.
    fn cut_circles(&mut self) {
        // Which walk came by: 0 none yet.
        let mut walks = vec![0_usize; self.parents.len()];
        for start in 0..self.parents.len() {
            let walk = start + 1;
            let mut at = start;
            while let Some(seen) = walks.get_mut(at).filter(|seen| **seen == 0) {
                *seen = walk;
                at = self.parents.get(at).copied().unwrap_or(NONE);
            }
            if walks.get(at) == Some(&walk) {
                self.cut(at);
            }
        }
    }

    fn cut(&mut self, on_it: usize) {
        let starts = |index: usize| (self.starts.get(index).copied(), index);
        let mut first = on_it;
        let mut at = on_it;
        loop {
            at = self.parents.get(at).copied().unwrap_or(on_it);
            if at == on_it {
                break;
            }
            first = if starts(at) < starts(first) { at } else { first };
        }
        if let (Some(parent), Some(circle)) = (self.parents.get_mut(first), self.circles.get_mut(first)) {
            *parent = NONE;
            *circle = true;
        }
    }

    /// All numbers, parents before children and siblings by their start.
    fn order(&self) -> Vec<usize> {
        let count = self.parents.len();
        // The last to be drawn comes first, because a stack turns the order round. They come in order of their starts,
        // mostly, which is when sorting is a single pass.
        let mut sorted: Vec<usize> = (0..count).collect();
        sorted.sort_by_key(|index| self.starts.get(*index).copied());
        // Children in lists: the first of each parent, and the next of each child.
        let mut firsts = vec![NONE; count];
        let mut nexts = vec![NONE; count];
        let mut roots = Vec::new();
        for index in sorted.into_iter().rev() {
            let parent = self.parents.get(index).copied().unwrap_or(NONE);
            match firsts.get_mut(parent) {
                Some(first) => {
                    if let Some(next) = nexts.get_mut(index) {
                        *next = std::mem::replace(first, index);
                    }
                }
                None => roots.push(index),
            }
        }
        let mut order = Vec::with_capacity(count);
        let mut left = roots;
        while let Some(index) = left.pop() {
            order.push(index);
            // First what follows the row, so that what is below it is drawn before.
            left.extend(nexts.get(index).filter(|next| **next != NONE));
            left.extend(firsts.get(index).filter(|first| **first != NONE));
        }
        order
    }

    fn draw(self, spans: &[SpanRow], order: &[usize]) -> Vec<Node> {
        let mut places = vec![NONE; self.parents.len()];
        let mut nodes: Vec<Node> = Vec::with_capacity(order.len());
        for (place, &index) in order.iter().enumerate() {
            if let Some(entry) = places.get_mut(index) {
                *entry = place;
            }
            let what = match index.checked_sub(spans.len()).and_then(|ghost| self.ghosts.get(ghost)) {
                Some(ghost) => What::Ghost(ghost.clone()),
                None => What::Span(index),
            };
            let mut node = Node::new(what);
            node.parent = self
                .parents
                .get(index)
                .and_then(|parent| places.get(*parent).copied())
                .filter(|place| *place != NONE);
            let above = node.parent.and_then(|parent| nodes.get(parent));
            node.depth = above.map_or(0, |above| above.depth.saturating_add(1));
            node.orphan = self.orphans.get(index).copied().unwrap_or(false);
            node.cycle = self.circles.get(index).copied().unwrap_or(false);
            nodes.push(node);
        }
        nodes
    }
}
