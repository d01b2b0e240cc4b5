//! What has been read, and how much room it takes: there is a bound, beyond which everything is forgotten and read anew.

use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use clickhouse::query::Query;
use clickhouse::{Row, RowRead};
use futures_util::future::BoxFuture;
use tokio::sync::RwLockReadGuard;

use super::load::Loader;
use super::steps::Steps;
use crate::error::StoreError;
use crate::id::{Nanos, TraceId};
use crate::query::{Delete, Stored};
use crate::store::{Batch, Store as _};

/// So many records are held at a time.
const MOST_HELD: u64 = 1_000_000;
/// What was fetched is put away when it has so many bytes.
const HANDFUL: usize = 8 << 20;
/// So many traces are remembered as read, and as not there.
const MOST_KNOWN: usize = 10_000;
/// A trace that is not there is looked for again after so long.
const AGAIN: Duration = Duration::from_secs(60);
/// A store for the time being that is busy is asked again, so often.
const TRIES: u32 = 30;

/// What has been read.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Of spans and log records.
    pub(super) steps: Steps,
    /// Of metrics.
    pub(super) points: Steps,
    /// Traces that were read by their ids, and when.
    traces: HashMap<TraceId, Instant>,
    /// Traces that were looked for in all log records.
    looked_for: HashMap<TraceId, Instant>,
    records: u64,
    bytes: u64,
    /// Until when late records have been read.
    pub(super) until: Option<(Instant, Nanos)>,
    pub(super) points_until: Option<(Instant, Nanos)>,
}

impl Held {
    pub(super) fn is_fresh(&self, trace: TraceId, fresh: Duration) -> bool {
        self.traces.get(&trace).is_some_and(|read| read.elapsed() < fresh)
    }

    pub(super) fn has_read(&mut self, trace: TraceId) {
        remember(&mut self.traces, trace);
    }

    /// Whether a trace that is not there is to be looked for in log records; not again for a while.
    pub(super) fn looks_for(&mut self, trace: TraceId) -> bool {
        let lately = self.looked_for.get(&trace).is_some_and(|last| last.elapsed() < AGAIN);
        if !lately {
            remember(&mut self.looked_for, trace);
        }
        !lately
    }
}

fn remember(traces: &mut HashMap<TraceId, Instant>, trace: TraceId) {
    if traces.len() >= MOST_KNOWN {
        traces.clear();
    }
    traces.insert(trace, Instant::now());
}

/// Why reading stopped.
pub(super) enum Stop {
    /// There is no room for more; and what is to be said if there is none for this alone.
    Full(StoreError),
    Told(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full { .. } => Self::Full(error),
            error => Self::Told(error),
        }
    }
}

/// What was read stays as long as this is there. Nobody may ask for another one meanwhile.
pub(super) type Read<'a> = RwLockReadGuard<'a, ()>;

impl Loader {
    pub(super) fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what reads. If there is no room for it, everything is forgotten, and it is done once more.
    pub(super) async fn in_room<'w, T>(
        &self,
        work: impl Fn() -> BoxFuture<'w, Result<T, Stop>>,
    ) -> Result<(Read<'_>, T), StoreError> {
        let mut anew = false;
        loop {
            let read = self.stays.read().await;
            match work().await {
                Ok(told) => return Ok((read, told)),
                Err(Stop::Full(_)) if !anew => anew = true,
                Err(Stop::Full(error) | Stop::Told(error)) => return Err(error),
            }
            drop(read);
            // Nobody answers from it any more.
            let _alone = self.stays.write().await;
            self.scratch.delete(Delete::All).await?;
            *self.held() = Held::default();
        }
    }

    /// Asks, and puts away what is answered. Returns how many records there were.
    pub(super) async fn pour<T: Row + RowRead>(
        &self,
        query: Query,
        mut take: impl FnMut(T::Value<'_>, &mut Batch),
    ) -> Result<u64, Stop> {
        let patience = self.db.place.patience;
        let told = |error| self.db.place.fault(super::super::fault::READ, error);
        let mut cursor = query.fetch::<T>().map_err(told)?;
        let (mut count, mut batch) = (0, Batch { received: Nanos::now(), ..Batch::default() });
        loop {
            let next = tokio::time::timeout(2 * patience, cursor.next());
            let more = match next.await.map_err(|_| StoreError::Timeout(patience))?.map_err(told)? {
                Some(row) => {
                    take(row, &mut batch);
                    count += 1;
                    true
                }
                None => false,
            };
            if batch.bytes >= HANDFUL || !more {
                let received = batch.received;
                let handful = std::mem::replace(&mut batch, Batch { received, ..Batch::default() });
                self.put_away(handful).await?;
            }
            if !more {
                return Ok(count);
            }
        }
    }

    async fn put_away(&self, batch: Batch) -> Result<(), Stop> {
        let bytes = batch.bytes as u64;
        let mut tries = 1;
        let Stored { spans, logs, points, known, .. } = loop {
            match self.scratch.ingest(batch.clone()).await {
                // Others put away what they read, too.
                Err(StoreError::Busy { .. }) if tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                stored => break stored?,
            }
        };
        let new = spans + logs + points;
        let mut held = self.held();
        held.records += new;
        // What was there already takes no more room.
        held.bytes += (bytes / (new + known).max(1)).saturating_mul(new);
        if held.records > MOST_HELD || held.bytes > self.most_bytes {
            return Err(Stop::Full(StoreError::BadQuery(format!(
                "this is about more than can be read at a time from the tables of a Collector's exporter ({MOST_HELD} records, {} \
                 MiB): narrow the time range, or copy it with `otel-genai store copy`",
                self.most_bytes >> 20
            ))));
        }
        Ok(())
    }
}
