//! Sums of hours, kept in memory for the next who asks the same of a day that begins a little later.
//!
//! The sums of an hour hold as long as it has the same calls: those that are written down (see `rollup`), or those whose
//! arrivals come to the same number.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use clickhouse::Row;
use serde::Deserialize;

use super::calls;
use super::read::Db;
use super::rollup::Rolled;
use crate::error::StoreError;
use crate::query::{Range, StatsRow};

/// So many rows are kept: some 20 MiB.
const MOST: usize = 20_000;

/// What an hour has. A call that comes or goes, and one that is found to be told twice, makes it another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// Of sums that are written down; else 0.
    written: u64,
    /// How many calls there are, and what their arrivals come to; the same of those that are told twice.
    calls: (u64, u64),
    wrappers: (u64, u64),
}

#[derive(Row, Deserialize)]
struct Arrivals {
    of_hour: u32,
    is_call: u8,
    count: u64,
    sum: u64,
}

/// What calls of an hour come to; none, if some are of another time: those are added up for each question.
type Answer = Option<Vec<StatsRow>>;

/// Sums by what was asked, and by hours.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Answers>);

#[derive(Debug, Default)]
struct Answers {
    rows: usize,
    of: HashMap<u64, HashMap<u32, (Mark, Answer)>>,
}

impl Kept {
    /// Takes what is known of these hours; those of which nothing is known are left.
    pub(super) fn take(
        &self,
        asked: u64,
        hours: &mut HashMap<u32, Mark>,
        mut found: impl FnMut(u32, Option<&[StatsRow]>),
    ) {
        let answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = answers.of.get(&asked) else { return };
        hours.retain(|hour, mark| {
            let Some((_, answer)) = known.get(hour).filter(|(known, _)| known == mark) else { return true };
            found(*hour, answer.as_deref());
            false
        });
    }

    /// Keeps what was found.
    pub(super) fn put(&self, asked: u64, found: Vec<(u32, Mark, Answer)>) {
        let size = |answer: &Answer| 1 + answer.as_ref().map_or(0, Vec::len);
        let more: usize = found.iter().map(|(.., answer)| size(answer)).sum();
        if more > MOST / 4 {
            return;
        }
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.rows + more > MOST {
            *answers = Answers::default();
        }
        answers.rows += more;
        let known = answers.of.entry(asked).or_default();
        let mut gone = 0;
        for (hour, mark, answer) in found {
            if let Some((_, old)) = known.insert(hour, (mark, answer)) {
                gone += size(&old);
            }
        }
        answers.rows -= gone;
    }
}

impl Db {
    /// The hours that lie in a range as a whole and have calls, of which some are added up.
    pub(super) async fn marks(
        &self,
        range: Option<Range>,
        rolled: &Rolled,
    ) -> Result<HashMap<u32, Mark>, StoreError> {
        let these = format!("{} AND {}", calls::whole_hours(range), rolled.others());
        let sql = format!(
            "SELECT hour AS of_hour, toUInt8(1) AS is_call, count() AS count, sum(cityHash64(received_ns, seq)) AS sum
             FROM span PREWHERE {these} AND op > 0 AND op < 30 AND state != 1 GROUP BY of_hour
             UNION ALL
             SELECT hour AS of_hour, toUInt8(0) AS is_call, count() AS count, sum(cityHash64(print, told, at)) AS sum
             FROM wrapper PREWHERE {these} GROUP BY of_hour"
        );
        let mut marks: HashMap<u32, Mark> =
            rolled.hours().map(|(hour, written)| (hour, Mark { written, ..Mark::default() })).collect();
        self.each::<Arrivals>(self.client.query_raw(&sql), |Arrivals { of_hour, is_call, count, sum }| {
            let mark = marks.entry(of_hour).or_default();
            *(if is_call > 0 { &mut mark.calls } else { &mut mark.wrappers }) = (count, sum);
            Ok(())
        })
        .await?;
        Ok(marks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_since_is_asked_for_again() {
        let kept = Kept::default();
        let mark = |count| Mark { calls: (count, 7), ..Mark::default() };
        let row = |calls| vec![StatsRow { calls, ..StatsRow::default() }];
        kept.put(
            1,
            vec![(3_600, mark(2), Some(row(2))), (7_200, mark(5), Some(row(5))), (10_800, mark(1), None)],
        );
        let mut hours: HashMap<u32, Mark> = [(3_600, mark(2)), (7_200, mark(6)), (10_800, mark(1))].into();
        let mut found = Vec::new();
        kept.take(1, &mut hours, |hour, rows| found.push((hour, rows.map(|rows| rows[0].calls))));
        found.sort_unstable();
        assert_eq!(found, [(3_600, Some(2)), (10_800, None)]);
        assert_eq!(hours.into_keys().collect::<Vec<_>>(), [7_200]);
        // Another question is another one.
        let mut hours: HashMap<u32, Mark> = [(3_600, mark(2))].into();
        kept.take(2, &mut hours, |_, _| panic!("nothing is known"));
        assert_eq!(hours.len(), 1);
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let kept = Kept::default();
        let row = |count| vec![StatsRow::default(); count];
        for asked in 0..100 {
            kept.put(asked, vec![(3_600, Mark::default(), Some(row(999)))]);
            kept.put(asked, vec![(3_600, Mark::default(), Some(row(1_999)))]);
            assert!(kept.0.lock().unwrap().rows <= MOST);
        }
        kept.put(200, vec![(3_600, Mark::default(), Some(row(MOST)))]);
        assert!(!kept.0.lock().unwrap().of.contains_key(&200));
    }
}
