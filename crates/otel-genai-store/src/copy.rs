//! Copies a store into another, and looks whether everything has arrived.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use futures_util::stream::{self, TryStreamExt as _};
use prost::Message as _;

use crate::cursor::Cursor;
use crate::error::StoreError;
use crate::id::Nanos;
use crate::metric::{Point, Series};
use crate::origin::Origin;
use crate::query::Range;
use crate::span::SpanState;
use crate::store::{Batch, Store};

/// So many pieces are on their way at a time.
const IN_FLIGHT: usize = 6;
/// A store that is busy or away is tried so often before the copy ends.
const TRIES: u32 = 30;

/// All time.
pub const EVER: Range = Range { from: Nanos(0), to: Nanos(u64::MAX) };

/// How many records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Spans.
    pub spans: u64,
    /// Log records.
    pub logs: u64,
    /// Points of metrics.
    pub points: u64,
}

impl Tally {
    /// All together.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.spans + self.logs + self.points
    }

    fn of(batch: &Batch) -> Self {
        Self {
            spans: batch.spans.len() as u64,
            logs: batch.logs.len() as u64,
            points: batch.points.iter().map(|(_, points)| points.len() as u64).sum(),
        }
    }

    fn add(&mut self, other: Self) {
        self.spans += other.spans;
        self.logs += other.logs;
        self.points += other.points;
    }
}

/// Copies the records of a range, from a cursor on that an earlier copy has told. What the other store has already stays
/// there once. `told` hears after each piece how many were copied, and where to go on if this ends: all before it is stored.
///
/// # Errors
/// Those of the stores. One that is busy or away is waited for, some minutes.
pub async fn copy(
    from: &dyn Store,
    to: &dyn Store,
    range: Range,
    cursor: Option<Cursor>,
    mut told: impl FnMut(Tally, Option<&Cursor>) + Send,
) -> Result<Tally, StoreError> {
    let away = &AtomicBool::new(false);
    let pieces = pieces(from, range, cursor).map_ok(|(batch, next)| async move {
        let tally = Tally::of(&batch);
        store(to, batch, away).await?;
        Ok::<_, StoreError>((tally, next))
    });
    let mut stored = std::pin::pin!(pieces.try_buffered(IN_FLIGHT));
    let mut sum = Tally::default();
    while let Some((tally, next)) = stored.try_next().await? {
        sum.add(tally);
        told(sum, next.as_ref());
    }
    Ok(sum)
}

/// The pieces of a dump, each with the cursor behind it.
fn pieces(
    from: &dyn Store,
    range: Range,
    cursor: Option<Cursor>,
) -> impl stream::Stream<Item = Result<(Batch, Option<Cursor>), StoreError>> {
    stream::try_unfold((Some(cursor), AtomicBool::new(false)), move |(at, away)| async move {
        let Some(cursor) = at else { return Ok(None) };
        let (batch, next) = patiently(from, &away, || from.dump(range, cursor.clone())).await?;
        Ok(Some(((batch, next.clone()), (next.map(Some), away))))
    })
}

async fn store(to: &dyn Store, batch: Batch, away: &AtomicBool) -> Result<(), StoreError> {
    if Tally::of(&batch) == Tally::default() {
        return Ok(());
    }
    patiently(to, away, || to.ingest(batch.clone())).await.map(|_| ())
}

/// Again, as long as it may help. That a store is away is said once, until it answers.
async fn patiently<T, F: Future<Output = Result<T, StoreError>>>(
    store: &dyn Store,
    away: &AtomicBool,
    mut what: impl FnMut() -> F,
) -> Result<T, StoreError> {
    let mut tries = 1;
    loop {
        let wait = match what().await {
            Err(StoreError::Busy { retry_after }) if tries < TRIES => retry_after,
            Err(error @ StoreError::Away { retry_after, .. }) if tries < TRIES => {
                if !away.swap(true, Relaxed) {
                    let error = plainly(store, error).await;
                    let minutes = ((retry_after * TRIES).as_secs() + 30) / 60;
                    tracing::warn!(
                        target: "otel_genai_store",
                        "{error}; trying again for {minutes} minutes"
                    );
                }
                retry_after
            }
            Err(error) => return Err(plainly(store, error).await),
            Ok(done) => {
                away.store(false, Relaxed);
                return Ok(done);
            }
        };
        tries += 1;
        tokio::time::sleep(wait).await;
    }
}

/// Why a store is away in the words of one who asks it: a connection that broke off knows no reason.
async fn plainly(store: &dyn Store, error: StoreError) -> StoreError {
    if !matches!(error, StoreError::Away { .. }) {
        return error;
    }
    store.status().await.err().filter(|plain| matches!(plain, StoreError::Away { .. })).unwrap_or(error)
}

/// What two stores have of each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// What both have, to the last bit.
    pub same: Tally,
    /// What only the first has.
    pub missing: Tally,
    /// What only the second has.
    pub others: Tally,
}

/// Reads both stores, and compares each record by its hash: what it says and where it comes from. Word of a beginning whose
/// end has not come is not compared. It takes 8 bytes of memory for a record. `told` hears how many were read.
///
/// # Errors
/// Those of the stores.
pub async fn compare(
    first: &dyn Store,
    second: &dyn Store,
    range: Range,
    mut told: impl FnMut(u64) + Send,
) -> Result<Compared, StoreError> {
    let mut kinds: [Kind; 3] = Default::default();
    let mut read = 0;
    let mut from = std::pin::pin!(pieces(first, range, None));
    while let Some((batch, _)) = from.try_next().await? {
        for (kind, prints) in kinds.iter_mut().zip(prints(&batch)) {
            kind.prints.extend(prints);
        }
        read += Tally::of(&batch).records();
        told(read);
    }
    for kind in &mut kinds {
        kind.prints.sort_unstable();
        kind.prints.dedup();
        kind.found = vec![false; kind.prints.len()];
    }
    let mut from = std::pin::pin!(pieces(second, range, None));
    while let Some((batch, _)) = from.try_next().await? {
        for (kind, prints) in kinds.iter_mut().zip(prints(&batch)) {
            prints.into_iter().for_each(|print| kind.find(print));
        }
        read += Tally::of(&batch).records();
        told(read);
    }
    let tally = |of: fn(&Kind) -> u64| {
        let [spans, logs, points] = kinds.each_ref().map(of);
        Tally { spans, logs, points }
    };
    Ok(Compared {
        same: tally(|kind| kind.found.iter().filter(|found| **found).count() as u64),
        missing: tally(|kind| kind.found.iter().filter(|found| !**found).count() as u64),
        others: tally(|kind| kind.others),
    })
}

/// Records of one kind.
#[derive(Default)]
struct Kind {
    /// In order, each once.
    prints: Vec<u64>,
    found: Vec<bool>,
    others: u64,
}

impl Kind {
    fn find(&mut self, print: u64) {
        match self.prints.binary_search(&print).ok().and_then(|at| self.found.get_mut(at)) {
            Some(found) => *found = true,
            None => self.others += 1,
        }
    }
}

/// The hashes of a batch: of spans, log records, points.
fn prints(batch: &Batch) -> [Vec<u64>; 3] {
    let ended = batch.spans.iter().filter(|span| span.state == SpanState::Ended);
    let spans = ended.map(|span| print(&span.origin, &span.to_otlp().encode_to_vec(), &[])).collect();
    let logs = batch.logs.iter().map(|log| print(&log.origin, &log.to_otlp().encode_to_vec(), &[])).collect();
    let points = batch.points.iter().flat_map(|(series, points)| {
        let name = named(series);
        points.iter().map(move |point| print(&series.origin, &told(series, point), &name)).collect::<Vec<_>>()
    });
    [spans, logs, points.collect()]
}

/// What tells a series from others of its origin.
fn named(series: &Series) -> Vec<u8> {
    let (marks, identity) = series.marks();
    [series.name.as_bytes(), &[0], series.unit.as_bytes(), &[0], &marks, &identity].concat()
}

fn told(series: &Series, point: &Point) -> Vec<u8> {
    let data = Some(series.data(std::slice::from_ref(point), &[]));
    opentelemetry_proto::tonic::metrics::v1::Metric { data, ..Default::default() }.encode_to_vec()
}

fn print(origin: &Origin, told: &[u8], name: &[u8]) -> u64 {
    let resource = origin.resource.to_otlp().map(|resource| resource.encode_to_vec()).unwrap_or_default();
    let scope = origin.scope.to_otlp().map(|scope| scope.encode_to_vec()).unwrap_or_default();
    let (url, other) = (origin.resource.schema_url.as_bytes(), origin.scope.schema_url.as_bytes());
    let mut hasher = blake3::Hasher::new();
    for part in [&resource, &scope, url, other, name, told] {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    u64::from_le_bytes(hasher.finalize().as_bytes().first_chunk().copied().unwrap_or_default())
}
