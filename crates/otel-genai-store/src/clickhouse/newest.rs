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
        let rows = match until {
            // What came of it a day later may have begun before all else, and alone until then.
            Some(until) => format!(
                "day >= toDate({}) AND day <= toDate({}) AND start_ns <= {}",
                day.0,
                day.0 + 1,
                number(until.0)
            ),
            None => format!("day = toDate({})", day.0),
        };
        Self { rows, most: ROWS * wanted }
    }

    /// The condition that a trace has one of these rows; told by where they end, so that it is the same wherever it is asked.
    pub(super) fn condition(&self) -> String {
        format!(
            "trace_id IN (SELECT trace_id FROM trace WHERE {} AND start_ns > {})",
            self.rows,
            self.least()
        )
    }

    /// After this all that began have such a row.
    pub(super) fn least(&self) -> String {
        format!(
            "ifNull((SELECT if(count() < {most}, toInt64({NONE}), min(start_ns)) FROM (
               SELECT start_ns FROM trace WHERE {} ORDER BY start_ns DESC LIMIT {most})), toInt64({NONE}))",
            self.rows,
            most = self.most
        )
    }

    /// Whether those that were found, in order, the last of which began then, are the newest of all.
    pub(super) fn are(found: usize, wanted: usize, last: Option<(i64, i64)>) -> bool {
        last.is_some_and(|(start, least)| start > least && (found == wanted || least == NONE))
    }
}
