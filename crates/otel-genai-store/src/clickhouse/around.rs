//! What other processes wrote to and deleted from the same database: looked for now and then, as long as anybody watches.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use clickhouse::Row;
use serde::Deserialize;
use tokio::time::Instant;

use super::fault;
use super::line::number;
use super::read::Db;
use crate::error::StoreError;
use crate::id::{Day, Nanos, TraceId};
use crate::query::Range;

/// Writers have clocks that differ, and take a moment to write: so far back is looked again.
const MARGIN: i64 = 10_000_000_000;

/// Whoever may not see what others delete asks again after so long.
const REFUSED: Duration = Duration::from_secs(60);

/// Where a look stands.
#[derive(Debug, Default)]
pub(super) struct Around {
    /// Records up to here have been told of, by when they were received.
    until: Option<i64>,
    /// When something of these traces was received last, as far as it was told.
    told: HashMap<TraceId, i64>,
    kept: Option<Kept>,
    /// Until then it is not asked what was deleted: not everybody may know.
    refused: Option<Instant>,
}

/// What tells whether something of the table of traces was deleted.
#[derive(Debug, Row, Deserialize)]
struct Kept {
    days: Vec<u16>,
    /// The number of the last change of rows that is done.
    change: i64,
}

/// Several servers tell each of its own share: on them it is not known here.
const KEPT: &str = "SELECT arraySort(groupUniqArray(toUInt16(toDateOrZero(partition)))) AS days,
     toInt64(ifNull((SELECT max(arrayMax(block_numbers.number)) FROM system.mutations
       WHERE database = currentDatabase() AND table = 'trace' AND is_done), 0)) AS change
   FROM system.parts WHERE active AND rows > 0 AND database = currentDatabase() AND table = 'trace'";

#[derive(Row, Deserialize)]
struct Written {
    trace_id: [u8; 16],
    last: i64,
}

impl Around {
    /// Takes note of what is told of a trace.
    pub(super) fn tell(&mut self, trace: TraceId, last: Nanos) {
        self.told.insert(trace, number(last.0));
    }

    /// The traces that were written to since the last look, and of which nobody here has told; and whether there may
    /// be more, because so many were looked at. The first look finds what comes from now on.
    pub(super) async fn look(&mut self, db: &Db, most: usize) -> Result<(Vec<TraceId>, bool), StoreError> {
        let now = Nanos::now();
        let Some(until) = self.until else {
            self.until = Some(number(now.0));
            return Ok((Vec::new(), false));
        };
        let since = until.saturating_sub(MARGIN);
        // Of days long past something may come, too; it is seen when the page is loaded again.
        let sql = format!(
            "SELECT trace_id, max(last_ns) AS last FROM trace WHERE day >= toDate({}) AND last_ns > {since}
             GROUP BY trace_id LIMIT {}",
            (Day::of(now).0 - 1).max(0),
            most + 1
        );
        let (mut found, mut latest, mut rows) = (Vec::new(), until, 0);
        let told = &self.told;
        db.each::<Written>(db.client.query_raw(&sql), |Written { trace_id, last }| {
            latest = latest.max(last);
            rows += 1;
            let new = |trace: &TraceId| told.get(trace).is_none_or(|told| *told < last);
            found.extend(TraceId::new(&trace_id).filter(new));
            Ok(())
        })
        .await?;
        // A clock that runs ahead must not hide what others write.
        self.until = Some(latest.min(number(now.0)));
        self.told.retain(|_, last| *last > since);
        Ok((found, rows > most))
    }

    /// Of what time something was deleted since the last look: by anybody, unless it was told already.
    pub(super) async fn deleted(&mut self, db: &Db) -> Result<Option<Range>, StoreError> {
        if self.refused.is_some_and(|until| Instant::now() < until) {
            return Ok(None);
        }
        let asked = db.place.in_time(db.client.query_raw(KEPT).fetch_one::<Kept>()).await;
        let refused = |error| fault::code(error) == Some(fault::ACCESS_DENIED);
        self.refused = asked.as_ref().is_err_and(refused).then(|| Instant::now() + REFUSED);
        let now = asked.map_err(|error| db.place.fault(fault::READ, error))?;
        let before = self.kept.replace(now);
        let (Some(before), Some(now)) = (before, &self.kept) else { return Ok(None) };
        if before.change != now.change {
            // Which rows went is not known any more.
            return Ok(Some(Range { from: Nanos(0), to: Nanos(u64::MAX) }));
        }
        let kept: BTreeSet<u16> = now.days.iter().copied().collect();
        let gone: Vec<Day> =
            before.days.iter().filter(|day| !kept.contains(day)).map(|day| Day((*day).into())).collect();
        let (Some(first), Some(last)) = (gone.first(), gone.last()) else { return Ok(None) };
        Ok(Some(Range { from: first.start(), to: Day(last.0.saturating_add(1)).start() }))
    }

    /// What was deleted until now is told.
    pub(super) fn told_of_deletes(&mut self) {
        self.kept = None;
    }

    /// Nobody watches: what is written meanwhile is not told.
    pub(super) fn rest(&mut self) {
        *self = Self::default();
    }
}
