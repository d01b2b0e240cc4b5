//! What other processes wrote to the same database: looked for now and then, as long as anybody watches.

use std::collections::HashMap;

use clickhouse::Row;
use serde::Deserialize;

use super::line::number;
use super::read::Db;
use crate::error::StoreError;
use crate::id::{Day, Nanos, TraceId};

/// Writers have clocks that differ, and take a moment to write: so far back is looked again.
const MARGIN: i64 = 10_000_000_000;

/// Where a look stands.
#[derive(Debug, Default)]
pub(super) struct Around {
    /// Records up to here have been told of, by when they were received.
    until: Option<i64>,
    /// When something of these traces was received last, as far as it was told.
    told: HashMap<TraceId, i64>,
}

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

    /// The traces that were written to since the last look, and of which nobody here has told; at most so many and one more.
    /// The first look finds what comes from now on.
    pub(super) async fn look(&mut self, db: &Db, most: usize) -> Result<Vec<TraceId>, StoreError> {
        let now = Nanos::now();
        let Some(until) = self.until else {
            self.until = Some(number(now.0));
            return Ok(Vec::new());
        };
        let since = until.saturating_sub(MARGIN);
        // Of days long past something may come, too; it is seen when the page is loaded again.
        let sql = format!(
            "SELECT trace_id, max(last_ns) AS last FROM trace WHERE day >= toDate({}) AND last_ns > {since}
             GROUP BY trace_id LIMIT {}",
            (Day::of(now).0 - 1).max(0),
            most + 1
        );
        let (mut found, mut latest) = (Vec::new(), until);
        let told = &self.told;
        db.each::<Written>(db.client.query_raw(&sql), |Written { trace_id, last }| {
            latest = latest.max(last);
            let new = |trace: &TraceId| told.get(trace).is_none_or(|told| *told < last);
            found.extend(TraceId::new(&trace_id).filter(new));
            Ok(())
        })
        .await?;
        // A clock that runs ahead must not hide what others write.
        self.until = Some(latest.min(number(now.0)));
        self.told.retain(|_, last| *last > since);
        Ok(found)
    }

    /// Nobody watches: what is written meanwhile is not told.
    pub(super) fn rest(&mut self) {
        *self = Self::default();
    }
}
