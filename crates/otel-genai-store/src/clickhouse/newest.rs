//! Which traces can be the newest of a day, so that a page of them does not take adding up all the day's.
//!
//! The table of traces has a row for each insert in which a trace was, until they are merged, none of which began before the
//! trace did. So a trace that began after the last of the latest rows did is one of those that have such a row.

use super::line::number;
use crate::id::{Day, Nanos};

/// So many of the latest rows are looked at for each trace that is wanted: a run that lasts is in many inserts.
const ROWS: usize = 64;
/// Before every beginning.
const NONE: i64 = -1;

/// The latest rows of the traces that are first met on a day.
pub(super) struct Newest {
    rows: String,
    most: usize,
}

impl Newest {
    /// Of those that began until then, so many.
    pub(super) fn of(day: Day, until: Option<Nanos>, wanted: usize) -> Self {
        // One that is kept under its reception may have begun before what of it came a day earlier, or long after the day.
        let next = day.0 + 1;
        let rows = match until {
            Some(until) => {
                format!(
                    "day >= toDate({}) AND day <= toDate({next}) AND start_ns <= {}",
                    day.0,
                    number(until.0)
                )
            }
            None => format!(
                "(day = toDate({}) OR day = toDate({next}) AND start_ns < {})",
                day.0,
                number(Day(next).start().0)
            ),
        };
        Self { rows, most: ROWS * wanted }
    }

    fn latest(&self, columns: &str) -> String {
        format!(
            "(SELECT {columns}, start_ns FROM trace WHERE {} ORDER BY start_ns DESC LIMIT {})",
            self.rows, self.most
        )
    }

    /// The condition that a trace has one of these rows.
    pub(super) fn condition(&self) -> String {
        format!("trace_id IN (SELECT trace_id FROM {})", self.latest("trace_id"))
    }

    /// After this all that began have such a row.
    pub(super) fn least(&self) -> String {
        format!(
            "ifNull((SELECT if(count() < {}, toInt64({NONE}), min(start_ns)) FROM {}), toInt64({NONE}))",
            self.most,
            self.latest("day")
        )
    }

    /// Whether those that were found, in order, the last of which began then, are the newest of all.
    pub(super) fn are(found: usize, wanted: usize, last: Option<(i64, i64)>) -> bool {
        last.is_some_and(|(start, least)| start > least && (found == wanted || least == NONE))
    }
}
