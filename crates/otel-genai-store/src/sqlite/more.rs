//! What a trace's row says in bytes: the names in it, and the bars of its small picture.

use prost::encoding::{decode_varint, encode_varint};

use crate::facts::Op;
use crate::id::{Nanos, SpanId};
use crate::summary::Bar;

/// What a word of a trace names. The numbers are stored: never renumber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Kind {
    Service = 0,
    /// The word is the operation's number.
    Op = 1,
    Provider = 2,
    Model = 3,
    Agent = 4,
    Tool = 5,
    Conversation = 6,
    /// The word is the dialect's number.
    Dialect = 7,
}

/// So many names are kept with a trace; more can be filtered by, but are not told with it.
const MOST_NAMES: usize = 256;
/// So many bars.
const MOST_BARS: usize = 24;

/// A name, and when the first span that has it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) kind: u8,
    pub(super) word: i64,
    pub(super) first: u64,
}

/// A span in the small picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) op: u8,
    pub(crate) error: bool,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) span: SpanId,
}

/// Names and bars of a trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct More {
    pub(super) names: Vec<Name>,
    pub(super) stretches: Vec<Stretch>,
}

impl More {
    /// Adds a name; `false` if it is there already.
    pub(super) fn name(&mut self, kind: u8, word: i64, first: u64) -> bool {
        match self.names.iter_mut().find(|name| name.kind == kind && name.word == word) {
            Some(name) => {
                name.first = name.first.min(first);
                false
            }
            None => {
                if self.names.len() < MOST_NAMES {
                    self.names.push(Name { kind, word, first });
                }
                true
            }
        }
    }

    /// Adds a span to the picture, if it is one of the longest.
    pub(crate) fn stretch(&mut self, stretch: Stretch) {
        let order = |one: &Stretch| {
            (std::cmp::Reverse(one.end.saturating_sub(one.start)), one.start, one.span, one.op)
        };
        if self.stretches.len() >= MOST_BARS
            && self.stretches.last().is_some_and(|last| order(last) <= order(&stretch))
        {
            return;
        }
        let at = self.stretches.partition_point(|other| order(other) <= order(&stretch));
        self.stretches.insert(at, stretch);
        self.stretches.truncate(MOST_BARS);
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(12 * self.names.len() + 28 * self.stretches.len() + 4);
        encode_varint(self.names.len() as u64, &mut bytes);
        for name in &self.names {
            bytes.push(name.kind);
            encode_varint(name.word.cast_unsigned(), &mut bytes);
            encode_varint(name.first, &mut bytes);
        }
        encode_varint(self.stretches.len() as u64, &mut bytes);
        for stretch in &self.stretches {
            bytes.extend([stretch.op, u8::from(stretch.error)]);
            encode_varint(stretch.start, &mut bytes);
            encode_varint(stretch.end.saturating_sub(stretch.start), &mut bytes);
            bytes.extend(stretch.span.bytes());
        }
        bytes
    }

    /// From bytes; none if they are damaged.
    pub(super) fn decode(mut bytes: &[u8]) -> Option<Self> {
        fn byte(bytes: &mut &[u8]) -> Option<u8> {
            let (first, rest) = bytes.split_first()?;
            *bytes = rest;
            Some(*first)
        }
        let bytes = &mut bytes;
        let mut more = Self::default();
        for _ in 0..decode_varint(bytes).ok()? {
            let kind = byte(bytes)?;
            let word = decode_varint(bytes).ok()?.cast_signed();
            more.names.push(Name { kind, word, first: decode_varint(bytes).ok()? });
        }
        for _ in 0..decode_varint(bytes).ok()? {
            let (op, error) = (byte(bytes)?, byte(bytes)? != 0);
            let start = decode_varint(bytes).ok()?;
            let end = start.saturating_add(decode_varint(bytes).ok()?);
            let (span, rest) = bytes.split_first_chunk::<8>()?;
            *bytes = rest;
            more.stretches.push(Stretch { op, error, start, end, span: SpanId::new(span)? });
        }
        Some(more)
    }

    /// The picture: bars that overlap lie in different lanes.
    pub(crate) fn bars(&self) -> Vec<Bar> {
        let mut bars = self.stretches.clone();
        bars.sort_unstable_by_key(|bar| (bar.start, std::cmp::Reverse(bar.end), bar.span));
        let mut lanes: Vec<u64> = Vec::new();
        let place = |bar: Stretch| {
            let free = lanes.iter().position(|end| *end <= bar.start).unwrap_or(lanes.len());
            match lanes.get_mut(free) {
                Some(end) => *end = bar.end,
                None => lanes.push(bar.end),
            }
            Some(Bar {
                op: Op::from_number(bar.op)?,
                error: bar.error,
                lane: u8::try_from(free).unwrap_or(u8::MAX),
                start: Nanos(bar.start),
                end: Nanos(bar.end),
            })
        };
        bars.into_iter().filter_map(place).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(number: u64, start: u64, end: u64) -> Stretch {
        let span = SpanId::new(&number.to_be_bytes()).unwrap();
        Stretch { op: Op::Chat as u8, error: number.is_multiple_of(2), start, end, span }
    }

    #[test]
    fn the_longest_spans_make_the_picture_in_whatever_order_they_come() {
        let spans: Vec<Stretch> =
            (1..60).map(|number| stretch(number, number * 3 % 40, number * 3 % 40 + number % 13)).collect();
        let (mut one, mut other) = (More::default(), More::default());
        spans.iter().for_each(|span| one.stretch(*span));
        spans.iter().rev().for_each(|span| other.stretch(*span));
        assert_eq!(one, other);
        assert_eq!(one.stretches.len(), MOST_BARS);
        assert!(one.name(1, 7, 5) && !one.name(1, 7, 3) && one.name(2, 7, 9));
        assert_eq!(More::decode(&one.encode()).as_ref(), Some(&one));
        assert_eq!(one.names[0].first, 3);
        let bytes = one.encode();
        assert!((0..bytes.len()).all(|length| More::decode(&bytes[..length]).is_none()));

        let bars = one.bars();
        for (at, bar) in bars.iter().enumerate() {
            let beside = bars[at + 1..].iter().filter(|other| other.lane == bar.lane);
            assert!(
                beside
                    .clone()
                    .all(|other| other.start >= bar.end || other.end <= bar.start || bar.start == bar.end)
            );
        }
    }
}
