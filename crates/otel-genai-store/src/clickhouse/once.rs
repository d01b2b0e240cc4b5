//! Spans of a few traces, each once, as `spans_sql` has the server tell them of many: a server takes longer to plan that than to
//! read a trace.

use std::collections::{HashMap, HashSet};

use super::line::{SESSION, SpanLine};
use super::read::span_tie;
use crate::span::SpanState;

/// Of spans of the same ids so many are kept.
const MOST: usize = 8;

/// What a row becomes, and what decides whether it is told, and where.
pub(super) struct Told<T> {
    trace: [u8; 16],
    span: [u8; 8],
    print: [u8; 16],
    state: u8,
    received: i64,
    seq: u32,
    start: i64,
    pub(super) what: T,
}

impl<T> Told<T> {
    pub(super) fn new(line: &SpanLine<'_>, what: T) -> Self {
        Self {
            trace: line.trace_id,
            span: line.span_id,
            print: line.print,
            state: line.state,
            received: line.received_ns,
            seq: line.seq,
            start: line.start_ns,
            what,
        }
    }
}

/// Each once, by its start, with its variant: what was stored twice, word of a beginning whose end is there, and what is more
/// than eight of the same ids are left out.
pub(super) fn once<T>(mut all: Vec<Told<T>>) -> impl Iterator<Item = (T, u8)> {
    all.sort_unstable_by_key(|one| (one.state, one.received, one.seq, one.print));
    // Of what was stored twice the one that came first is told.
    let mut known = HashSet::new();
    all.retain(|one| known.insert((one.trace, one.span, one.print)));
    let ended = |one: &Told<T>| one.state == SpanState::Ended as u8;
    // How many there are of the same ids, and of them ended.
    let mut counts: HashMap<_, (usize, usize)> = HashMap::new();
    for one in &all {
        let count = counts.entry((one.trace, one.span)).or_default();
        count.0 += 1;
        count.1 += usize::from(ended(one));
    }
    let mut places: HashMap<_, usize> = HashMap::new();
    let mut told = Vec::with_capacity(all.len());
    for one in all {
        let ids = (one.trace, one.span);
        let place = places.entry(ids).or_default();
        let nth = *place;
        *place += 1;
        let (count, of_ended) = counts.get(&ids).copied().unwrap_or_default();
        let is_told = if one.state == SESSION {
            true
        } else if of_ended > 0 {
            ended(&one) && nth < MOST
        } else {
            nth + 1 == count
        };
        if is_told {
            let variant = if of_ended > 0 { u8::try_from(nth).unwrap_or(u8::MAX) } else { 0 };
            told.push((one, variant));
        }
    }
    told.sort_by_key(|(one, _)| (one.start, span_tie(one.print)));
    told.into_iter().map(|(one, variant)| (one.what, variant))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which is the first of several with the same ids is not told by the place at which one of two copies is read.
    #[test]
    fn of_two_copies_the_first_that_came_is_told() {
        let told = |print: u8, received: i64| Told {
            trace: [1; 16],
            span: [1; 8],
            print: [print; 16],
            state: SpanState::Ended as u8,
            received,
            seq: 0,
            start: i64::from(print),
            what: (print, received),
        };
        let (early, late, other) = (told(1, 10), told(1, 30), told(2, 20));
        let expected = [((1, 10), 0), ((2, 20), 1)];
        assert_eq!(once(vec![late, other, early]).collect::<Vec<_>>(), expected);
    }
}
