//! Sums of calls: what a quarter of an hour is added up to, and what statistics are made of.

use std::collections::BTreeMap;

use prost::encoding::{decode_varint, encode_varint};
use rusqlite::Row;

use super::record::cost_source;
use super::settle::WRAPPER;
use crate::facts::{Cost, CostSource, Op, Usage};
use crate::histogram::Histogram;

/// A call as sums need it. Names are the ids of words in its file; 0 is none.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) names: Names,
    pub(super) error: bool,
    pub(super) usage: Usage,
    pub(super) cost: Option<Cost>,
    pub(super) first_chunk: Option<u64>,
    pub(super) finish: i64,
    /// Its row, and the row's flags; 0 for one that has none yet.
    pub(super) row: i64,
    pub(super) flags: u8,
    /// Conversation and dialect.
    pub(super) conversation: i64,
    pub(super) dialect: u8,
}

/// What [`Call::read`] reads,
pub(super) const COLUMNS: &str = "s.start_ns, s.end_ns, ifnull(s.op, 0), o.service, ifnull(s.provider, 0), \
     ifnull(ifnull(s.resp_model, s.req_model), 0), ifnull(s.agent, 0), ifnull(s.tool, 0), \
     s.status = 2 OR s.error IS NOT NULL, s.in_tok, s.out_tok, s.cache_r, s.cache_w, s.reason_tok, s.audio_in, s.audio_out, \
     s.cost, s.saved, s.ttfc_ns, ifnull(s.finish, 0), s.id, s.flags, ifnull(s.conv, 0), ifnull(s.dialect, 0)";
/// from here.
pub(super) const TABLES: &str = "span s JOIN origin o ON o.id = s.origin";

/// What calls can be told apart by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Names {
    pub(super) op: u8,
    pub(super) service: i64,
    pub(super) provider: i64,
    pub(super) model: i64,
    pub(super) agent: i64,
    pub(super) tool: i64,
}

/// Sums of calls.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sums {
    pub(super) calls: u64,
    pub(super) errors: u64,
    pub(super) usage: Usage,
    /// What they cost, and what caching took off.
    pub(super) cost: Option<(i64, i64)>,
    /// Whether some of them told their cost themselves.
    pub(super) reported: bool,
    pub(super) unpriced: u64,
    pub(super) duration: Histogram,
    pub(super) first_chunk: Histogram,
    pub(super) rate: Histogram,
    /// Why models stopped: the word, and how often.
    pub(super) finish: BTreeMap<i64, u64>,
}

impl Call {
    /// Reads a row of [`COLUMNS`].
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let count = |at: usize| -> rusqlite::Result<Option<u64>> {
            Ok(row.get::<_, Option<i64>>(at)?.map(|count| u64::try_from(count).unwrap_or(0)))
        };
        let flags = row.get(21)?;
        let saved = row.get::<_, Option<i64>>(17)?.unwrap_or(0);
        Ok(Self {
            start: count(0)?.unwrap_or(0),
            end: count(1)?.unwrap_or(0),
            names: Names {
                op: row.get(2)?,
                service: row.get(3)?,
                provider: row.get(4)?,
                model: row.get(5)?,
                agent: row.get(6)?,
                tool: row.get(7)?,
            },
            error: row.get(8)?,
            usage: Usage {
                input: count(9)?,
                output: count(10)?,
                cache_read: count(11)?,
                cache_write: count(12)?,
                reasoning: count(13)?,
                audio_input: count(14)?,
                audio_output: count(15)?,
            },
            cost: row.get::<_, Option<i64>>(16)?.map(|nanos| Cost {
                nanos,
                saved,
                source: cost_source(flags),
            }),
            first_chunk: count(18)?,
            finish: row.get(19)?,
            row: row.get(20)?,
            flags,
            conversation: row.get(22)?,
            dialect: row.get(23)?,
        })
    }

    pub(super) fn is_wrapper(&self) -> bool {
        self.flags & WRAPPER != 0
    }

    fn op(&self) -> Option<Op> {
        Op::from_number(self.names.op)
    }

    fn duration(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Output tokens a second, times 1,000.
    fn rate(&self) -> Option<u64> {
        let tokens = self.usage.output.filter(|tokens| *tokens > 0)?;
        let duration = Some(self.duration()).filter(|duration| *duration > 0)?;
        u64::try_from(u128::from(tokens) * 1_000_000_000_000 / u128::from(duration)).ok()
    }

    /// Whether it has tokens and no price.
    pub(super) fn is_unpriced(&self) -> bool {
        self.cost.is_none() && (self.usage.input.is_some() || self.usage.output.is_some())
    }
}

impl Sums {
    /// Adds a call.
    pub(super) fn add(&mut self, call: &Call) {
        self.calls += 1;
        self.errors += u64::from(call.error);
        self.duration.add(call.duration());
        if let Some(first) = call.first_chunk {
            self.first_chunk.add(first);
        }
        if call.op().is_some_and(Op::is_inference) {
            if let Some(rate) = call.rate() {
                self.rate.add(rate);
            }
            if call.finish != 0 {
                *self.finish.entry(call.finish).or_default() += 1;
            }
        }
        // Tokens of agents are those of their calls.
        if call.op().is_some_and(Op::counts_tokens) {
            self.usage.add(&call.usage);
            self.unpriced += u64::from(call.is_unpriced());
            if let Some(cost) = call.cost {
                let (nanos, saved) = self.cost.unwrap_or_default();
                self.cost = Some((nanos.saturating_add(cost.nanos), saved.saturating_add(cost.saved)));
                self.reported |= cost.source == CostSource::Reported;
            }
        }
    }

    /// Takes a call away that was added before.
    pub(super) fn take(&mut self, call: &Call) {
        self.calls = self.calls.saturating_sub(1);
        self.errors = self.errors.saturating_sub(u64::from(call.error));
        self.duration.take(call.duration());
        if let Some(first) = call.first_chunk {
            self.first_chunk.take(first);
        }
        if call.op().is_some_and(Op::is_inference) {
            if let Some(rate) = call.rate() {
                self.rate.take(rate);
            }
            if let Some(count) = self.finish.get_mut(&call.finish) {
                *count = count.saturating_sub(1);
            }
            self.finish.retain(|_, count| *count > 0);
        }
        if call.op().is_some_and(Op::counts_tokens) {
            less(&mut self.usage, &call.usage);
            self.unpriced = self.unpriced.saturating_sub(u64::from(call.is_unpriced()));
            if let (Some((nanos, saved)), Some(cost)) = (&mut self.cost, call.cost) {
                *nanos = nanos.saturating_sub(cost.nanos);
                *saved = saved.saturating_sub(cost.saved);
            }
        }
    }

    /// Adds what others come to.
    pub(super) fn merge(&mut self, other: &Self) {
        self.merge_numbers(other);
        for (word, count) in &other.finish {
            *self.finish.entry(*word).or_default() += count;
        }
    }

    /// Adds what others come to, but for why models stopped, which is told in words of their file.
    pub(super) fn merge_numbers(&mut self, other: &Self) {
        self.calls += other.calls;
        self.errors += other.errors;
        self.usage.add(&other.usage);
        if let Some((nanos, saved)) = other.cost {
            let (ours, ours_saved) = self.cost.unwrap_or_default();
            self.cost = Some((ours.saturating_add(nanos), ours_saved.saturating_add(saved)));
        }
        self.reported |= other.reported;
        self.unpriced += other.unpriced;
        self.duration.merge(&other.duration);
        self.first_chunk.merge(&other.first_chunk);
        self.rate.merge(&other.rate);
    }

    /// What they cost.
    pub(super) fn told_cost(&self) -> Option<Cost> {
        let source = if self.reported { CostSource::Reported } else { CostSource::Table };
        self.cost.map(|(nanos, saved)| Cost { nanos, saved, source })
    }

    /// As bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(128);
        for number in [self.calls, self.errors, self.unpriced, u64::from(self.reported)] {
            encode_varint(number, &mut bytes);
        }
        for count in counts(&self.usage) {
            encode_varint(count.map_or(0, |count| count.saturating_add(1)), &mut bytes);
        }
        encode_varint(u64::from(self.cost.is_some()), &mut bytes);
        if let Some((nanos, saved)) = self.cost {
            encode_varint(nanos.cast_unsigned(), &mut bytes);
            encode_varint(saved.cast_unsigned(), &mut bytes);
        }
        for histogram in [&self.duration, &self.first_chunk, &self.rate] {
            encode_varint(histogram.count, &mut bytes);
            encode_varint(histogram.sum, &mut bytes);
            encode_varint(histogram.buckets.len() as u64, &mut bytes);
            for (bucket, count) in &histogram.buckets {
                encode_varint(u64::from(*bucket), &mut bytes);
                encode_varint(*count, &mut bytes);
            }
        }
        encode_varint(self.finish.len() as u64, &mut bytes);
        for (word, count) in &self.finish {
            encode_varint(word.cast_unsigned(), &mut bytes);
            encode_varint(*count, &mut bytes);
        }
        bytes
    }

    /// From bytes; none if they are damaged.
    pub(super) fn decode(mut bytes: &[u8]) -> Option<Self> {
        let bytes = &mut bytes;
        let mut next = || decode_varint(bytes).ok();
        let mut sums = Self { calls: next()?, errors: next()?, unpriced: next()?, ..Self::default() };
        sums.reported = next()? != 0;
        let mut usage = || next().map(|count| count.checked_sub(1));
        sums.usage = Usage {
            input: usage()?,
            output: usage()?,
            cache_read: usage()?,
            cache_write: usage()?,
            reasoning: usage()?,
            audio_input: usage()?,
            audio_output: usage()?,
        };
        if next()? != 0 {
            sums.cost = Some((next()?.cast_signed(), next()?.cast_signed()));
        }
        for histogram in [&mut sums.duration, &mut sums.first_chunk, &mut sums.rate] {
            (histogram.count, histogram.sum) = (next()?, next()?);
            for _ in 0..next()? {
                histogram.buckets.push((u16::try_from(next()?).ok()?, next()?));
            }
        }
        for _ in 0..next()? {
            let word = next()?.cast_signed();
            sums.finish.insert(word, next()?);
        }
        Some(sums)
    }
}

fn counts(usage: &Usage) -> [Option<u64>; 7] {
    let Usage { input, output, cache_read, cache_write, reasoning, audio_input, audio_output } = *usage;
    [input, output, cache_read, cache_write, reasoning, audio_input, audio_output]
}

fn less(from: &mut Usage, usage: &Usage) {
    let take = |from: &mut Option<u64>, count: Option<u64>| {
        *from = from.map(|from| from.saturating_sub(count.unwrap_or(0)));
    };
    take(&mut from.input, usage.input);
    take(&mut from.output, usage.output);
    take(&mut from.cache_read, usage.cache_read);
    take(&mut from.cache_write, usage.cache_write);
    take(&mut from.reasoning, usage.reasoning);
    take(&mut from.audio_input, usage.audio_input);
    take(&mut from.audio_output, usage.audio_output);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_come_back_and_calls_can_be_taken_away() {
        let call = |number: u64| Call {
            start: 1_000,
            end: 1_000 + number * 1_000_000,
            names: Names { op: Op::Chat as u8, ..Names::default() },
            error: number.is_multiple_of(2),
            usage: Usage { input: Some(number), output: (number > 3).then_some(7), ..Usage::default() },
            cost: (number > 2).then_some(Cost { nanos: 5, saved: -1, source: CostSource::Reported }),
            first_chunk: (number > 1).then_some(number),
            finish: i64::try_from(number % 3).unwrap(),
            row: 0,
            flags: 0,
            conversation: 0,
            dialect: 0,
        };
        let mut few = Sums::default();
        (0..4).for_each(|number| few.add(&call(number)));
        let mut all = few.clone();
        (4..9).for_each(|number| all.add(&call(number)));
        assert_eq!(Sums::decode(&all.encode()).as_ref(), Some(&all));
        assert_eq!(Sums::decode(&Sums::default().encode()), Some(Sums::default()));
        let bytes = all.encode();
        assert!((0..bytes.len()).all(|length| Sums::decode(&bytes[..length]).is_none()));
        (4..9).for_each(|number| all.take(&call(number)));
        // That there were output tokens is not forgotten.
        assert_eq!(all.usage.output.take(), Some(0));
        assert_eq!(all, few);
    }
}
