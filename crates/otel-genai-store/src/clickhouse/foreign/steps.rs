//! Which stretches of time have been read.

use std::collections::BTreeMap;

use crate::id::Nanos;
use crate::query::Range;

/// Time is read in steps of five minutes.
pub(super) const STEP: u64 = 300_000_000_000;

/// The step that a moment is in.
pub(super) fn step(moment: Nanos) -> u64 {
    moment.0 / STEP
}

/// The steps that a stretch of time touches, as the first and the one after the last; of all time those until now.
pub(super) fn steps(range: Option<Range>, now: Nanos) -> (u64, u64) {
    let end = step(now) + 1;
    match range {
        Some(Range { from, to }) => (step(from), to.0.div_ceil(STEP).min(end)),
        None => (0, end),
    }
}

/// Stretches of time from the end of another back to its beginning, each longer than the one before: what is asked for is mostly
/// near the end.
#[derive(Debug)]
pub(super) struct Windows {
    from: u64,
    to: u64,
    steps: u64,
}

impl Windows {
    /// The first has so many steps.
    pub(super) fn new(from: u64, to: u64, steps: u64) -> Self {
        Self { from, to, steps }
    }
}

impl Iterator for Windows {
    type Item = (u64, u64);

    fn next(&mut self) -> Option<(u64, u64)> {
        let end = self.to;
        if end <= self.from {
            return None;
        }
        self.to = end.saturating_sub(self.steps).max(self.from);
        self.steps = self.steps.saturating_mul(4);
        Some((self.to, end))
    }
}

/// A set of steps, as stretches that do not touch: their first step, and the one after their last.
#[derive(Debug, Default)]
pub(super) struct Steps(BTreeMap<u64, u64>);

impl Steps {
    pub(super) fn add(&mut self, mut from: u64, mut to: u64) {
        if from >= to {
            return;
        }
        let touched: Vec<u64> =
            self.0.range(..=to).filter(|(_, end)| **end >= from).map(|(start, _)| *start).collect();
        for start in touched {
            if let Some(end) = self.0.remove(&start) {
                (from, to) = (from.min(start), to.max(end));
            }
        }
        self.0.insert(from, to);
    }

    /// Takes out everything from this step on.
    pub(super) fn cut(&mut self, from: u64) {
        self.0.split_off(&from);
        if let Some(mut last) = self.0.last_entry()
            && *last.get() > from
        {
            last.insert(from);
        }
    }

    /// What of a stretch is not in the set, the oldest first.
    pub(super) fn gaps(&self, from: u64, to: u64) -> Vec<(u64, u64)> {
        let mut gaps = Vec::new();
        let mut at = from;
        for (start, end) in self.0.range(..to).filter(|(_, end)| **end > from) {
            if *start > at {
                gaps.push((at, *start));
            }
            at = at.max(*end);
        }
        if at < to {
            gaps.push((at, to));
        }
        gaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_join_and_leave_gaps() {
        let mut steps = Steps::default();
        assert_eq!(steps.gaps(0, 10), [(0, 10)]);
        steps.add(4, 6);
        steps.add(8, 9);
        steps.add(7, 7);
        assert_eq!(steps.gaps(0, 10), [(0, 4), (6, 8), (9, 10)]);
        assert_eq!(steps.gaps(5, 6), []);
        assert_eq!(steps.gaps(5, 8), [(6, 8)]);
        steps.add(6, 8);
        assert_eq!(steps.gaps(0, 10), [(0, 4), (9, 10)]);
        steps.cut(7);
        assert_eq!(steps.gaps(0, 10), [(0, 4), (7, 10)]);
        steps.cut(2);
        assert_eq!(steps.gaps(0, 10), [(0, 10)]);
    }

    #[test]
    fn windows_are_all_of_a_stretch() {
        let all: Vec<(u64, u64)> = Windows::new(3, 70, 10).collect();
        assert_eq!(all, [(60, 70), (20, 60), (3, 20)]);
        assert_eq!(Windows::new(5, 5, 1).next(), None);
    }

    #[test]
    fn a_moment_is_in_a_step() {
        let now = Nanos(10 * STEP + 5);
        assert_eq!(steps(None, now), (0, 11));
        let range = Range { from: Nanos(3 * STEP + 1), to: Nanos(5 * STEP) };
        assert_eq!(steps(Some(range), now), (3, 5));
        assert_eq!(steps(Some(Range { to: Nanos(u64::MAX), ..range }), now), (3, 11));
    }
}
