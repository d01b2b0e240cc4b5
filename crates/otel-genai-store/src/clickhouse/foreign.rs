//! What others wrote: the tables of the OpenTelemetry Collector's exporter, which are only read.
//!
//! They know nothing of generative AI, so that no question can be answered by them alone. What a question is about is read
//! (the traces with generative AI in a stretch of time, a trace by its id) and goes through the same door as what is
//! received, into a store for the time being that answers. Nothing has to be made or changed in the database, a user who may
//! only read is enough, and nothing is lost when this process ends.

mod discover;
mod dump;
mod load;
mod log_ids;
mod points;
mod room;
mod rows;
mod steps;
mod told;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use clickhouse::Row;
use futures_util::FutureExt as _;
use futures_util::stream::{BoxStream, StreamExt as _};
use serde::Deserialize;

use self::discover::Tables;
use self::dump::Plans;
use self::load::{DAY, Loader, reaching};
use super::read::Db;
use crate::change::Change;
use crate::cursor::Cursor;
use crate::error::StoreError;
use crate::id::{ContentHash, Nanos, SpanId, TraceId};
use crate::log::LogRecord;
use crate::metric::Exemplar;
use crate::query::{
    ConversationQuery, Delete, Deleted, Dimension, Filter, Hit, LogQuery, MetricInfo, Page, Range,
    SearchQuery, SeriesData, SeriesQuery, ServiceInfo, StatsQuery, StatsRow, StoreStatus, Stored, TraceQuery,
    TraceSort, Which,
};
use crate::span::{Span, SpanRow};
use crate::sqlite::SqliteOptions;
use crate::store::{Batch, Store};
use crate::summary::{ConversationSummary, TraceSummary};
use crate::value::Piece;

/// How often those who watch are told what is new.
const PAUSE: Duration = Duration::from_secs(1);
/// Those who watch want to know of this much of the past.
const LATELY: u64 = 300_000_000_000;

/// The tables of a Collector's exporter.
pub(super) struct Foreign {
    loader: Arc<Loader>,
    plans: Plans,
    /// There as long as anybody watches.
    watched: Mutex<Weak<()>>,
}

impl fmt::Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Foreign").field("location", &self.loader.db.place.location).finish_non_exhaustive()
    }
}

impl Foreign {
    /// Whether the database has such tables, and none of otel-genai's own.
    pub(super) async fn is_there(db: &Db) -> Result<bool, StoreError> {
        Ok(discover::tables(db).await?.is_some())
    }

    /// If the database has such tables, and none of otel-genai's own.
    pub(super) async fn find(db: &Db, most_bytes: u64) -> Result<Option<Self>, StoreError> {
        let Some(tables) = discover::tables(db).await? else { return Ok(None) };
        let scratch = SqliteOptions::scratch().pricing(Arc::clone(&db.pricing)).open()?;
        let loader = Arc::new(Loader::new(db.clone(), tables, scratch, most_bytes));
        Ok(Some(Self { loader, plans: Plans::default(), watched: Mutex::new(Weak::new()) }))
    }

    fn read_only(&self) -> StoreError {
        StoreError::Unwritable {
            place: self.loader.db.place.location.clone(),
            why: "these tables are a Collector's; send to it, or to a dashboard with a database of its own"
                .to_owned(),
        }
    }
}

/// Reads what is new, as long as anybody watches.
async fn watch(loader: Weak<Loader>, watched: Weak<()>) {
    while watched.strong_count() > 0 {
        let Some(loader) = loader.upgrade() else { return };
        let now = Nanos::now();
        let lately = Range { from: Nanos(now.0.saturating_sub(LATELY)), to: now };
        let read = loader.range(Some(lately)).await.is_ok();
        drop(loader);
        tokio::time::sleep(if read { PAUSE } else { 5 * PAUSE }).await;
    }
}

#[async_trait::async_trait]
impl Store for Foreign {
    async fn ingest(&self, _: Batch) -> Result<Stored, StoreError> {
        Err(self.read_only())
    }

    async fn traces(&self, query: &TraceQuery) -> Result<Page<TraceSummary>, StoreError> {
        let scratch = &self.loader.scratch;
        if query.sort != TraceSort::Start || query.ascending {
            let _read = self.loader.range(reaching(query.filter.range)).await?;
            return scratch.traces(query).await;
        }
        // A page of the newest needs no more than the newest.
        let page = || async {
            let page = scratch.traces(query).await?;
            let oldest = page.items.last().filter(|_| page.next.is_some()).map(|trace| trace.start);
            Ok((page, oldest))
        };
        self.loader.newest(reaching(query.filter.range), || page().boxed()).await
    }

    async fn summaries(&self, ids: &[TraceId]) -> Result<Vec<TraceSummary>, StoreError> {
        let known = self.loader.scratch.summaries(ids).await?;
        let missing: Vec<TraceId> =
            ids.iter().copied().filter(|id| known.iter().all(|summary| summary.id != *id)).collect();
        if missing.is_empty() {
            return Ok(known);
        }
        for id in missing {
            drop(self.loader.trace(id).await?);
        }
        self.loader.scratch.summaries(ids).await
    }

    async fn rows(
        &self,
        trace: TraceId,
        limit: u32,
        cursor: Option<Cursor>,
    ) -> Result<Page<SpanRow>, StoreError> {
        let _read = self.loader.trace(trace).await?;
        self.loader.scratch.rows(trace, limit, cursor).await
    }

    async fn spans(&self, trace: TraceId, which: Which) -> Result<Vec<Span>, StoreError> {
        let _read = self.loader.trace(trace).await?;
        self.loader.scratch.spans(trace, which).await
    }

    async fn logs(&self, query: &LogQuery) -> Result<Page<LogRecord>, StoreError> {
        let scratch = &self.loader.scratch;
        if let Some(trace) = query.trace {
            let _read = self.loader.trace(trace).await?;
            return Ok(log_ids::known(scratch.logs(query).await?));
        }
        if let Some(id) = query.id {
            return self.loader.log(id).await;
        }
        let page = || async {
            let page = scratch.logs(query).await?;
            let oldest = page.items.last().filter(|_| page.next.is_some()).map(LogRecord::moment);
            Ok((page, oldest))
        };
        Ok(log_ids::known(self.loader.newest(query.range, || page().boxed()).await?))
    }

    async fn content(&self, hash: ContentHash, near: Option<TraceId>) -> Result<Option<Piece>, StoreError> {
        if let Some(found) = self.loader.scratch.content(hash, near).await? {
            return Ok(Some(found));
        }
        let Some(trace) = near else { return Ok(None) };
        let _read = self.loader.trace(trace).await?;
        self.loader.scratch.content(hash, near).await
    }

    async fn conversations(
        &self,
        query: &ConversationQuery,
    ) -> Result<Page<ConversationSummary>, StoreError> {
        let _read = match &query.filter.conversation {
            Some(id) => self.loader.conversation(id, reaching(query.filter.range)).await?,
            None => self.loader.range(reaching(query.filter.range)).await?,
        };
        self.loader.scratch.conversations(query).await
    }

    async fn conversation(&self, id: &str, limit: u32) -> Result<Vec<TraceSummary>, StoreError> {
        let _read = self.loader.conversation(id, None).await?;
        self.loader.scratch.conversation(id, limit).await
    }

    async fn stats(&self, query: &StatsQuery) -> Result<Vec<StatsRow>, StoreError> {
        let _read = self.loader.range(query.filter.range).await?;
        self.loader.scratch.stats(query).await
    }

    async fn facets(
        &self,
        filter: &Filter,
        dimension: Dimension,
        limit: u32,
    ) -> Result<Vec<(Arc<str>, u64)>, StoreError> {
        let _read = self.loader.range(filter.range).await?;
        self.loader.scratch.facets(filter, dimension, limit).await
    }

    async fn search(&self, query: &SearchQuery) -> Result<Page<Hit>, StoreError> {
        let _read = self.loader.range(query.range).await?;
        self.loader.with_ids(self.loader.scratch.search(query).await?).await
    }

    /// Of no range: those that have been read.
    async fn services(&self, range: Option<Range>) -> Result<Vec<ServiceInfo>, StoreError> {
        if let Some(range) = range {
            drop(self.loader.metrics(range).await?);
            let _read = self.loader.range(Some(range)).await?;
            return self.loader.scratch.services(Some(range)).await;
        }
        self.loader.scratch.services(range).await
    }

    /// Of no range: those of the last day, and all that have been read.
    async fn metrics(&self, range: Option<Range>) -> Result<Vec<MetricInfo>, StoreError> {
        let now = Nanos::now();
        let wanted = range.unwrap_or(Range { from: Nanos(now.0.saturating_sub(DAY)), to: now });
        let _read = self.loader.metrics(wanted).await?;
        self.loader.scratch.metrics(range).await
    }

    async fn series(&self, query: &SeriesQuery) -> Result<Vec<SeriesData>, StoreError> {
        let _read = self.loader.metrics(query.range).await?;
        self.loader.scratch.series(query).await
    }

    async fn exemplars(
        &self,
        trace: TraceId,
        span: SpanId,
        range: Range,
    ) -> Result<Vec<(Arc<str>, Exemplar)>, StoreError> {
        let _read = self.loader.metrics(range).await?;
        self.loader.scratch.exemplars(trace, span, range).await
    }

    async fn dump(
        &self,
        range: Range,
        cursor: Option<Cursor>,
    ) -> Result<(Batch, Option<Cursor>), StoreError> {
        self.loader.dump(&self.plans, range, cursor.as_ref()).await
    }

    fn changes(&self) -> BoxStream<'static, Change> {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let token = watched.upgrade().unwrap_or_else(|| {
            let token = Arc::new(());
            *watched = Arc::downgrade(&token);
            tokio::spawn(watch(Arc::downgrade(&self.loader), Arc::downgrade(&token)));
            token
        });
        let told = self.loader.scratch.changes();
        told.map(move |change| {
            let _ = &token;
            change
        })
        .boxed()
    }

    async fn status(&self) -> Result<StoreStatus, StoreError> {
        let Loader { db, tables, scratch, .. } = &*self.loader;
        let held = scratch.status().await?;
        let counts = counts(db, tables).await?;
        Ok(StoreStatus {
            spans: counts.spans,
            logs: counts.logs,
            points: counts.points,
            // Of those that were read: the tables do not know how many there are.
            traces: held.traces,
            index_behind: held.index_behind,
            bytes: counts.bytes,
            oldest: Some(Nanos(u64::try_from(counts.oldest).unwrap_or(0))).filter(|oldest| oldest.0 > 0),
            location: db.place.location.clone(),
            read_only: true,
            ..StoreStatus::default()
        })
    }

    async fn delete(&self, _: Delete) -> Result<Deleted, StoreError> {
        Err(self.read_only())
    }

    async fn close(&self) {
        self.loader.scratch.close().await;
    }
}

#[derive(Default, Row, Deserialize)]
struct Counts {
    spans: u64,
    logs: u64,
    points: u64,
    bytes: u64,
    oldest: i64,
}

async fn counts(db: &Db, tables: &Tables) -> Result<Counts, StoreError> {
    let of = |name: &str| format!("ifNull((SELECT count() FROM {name}), 0)");
    let table = |table: &Option<discover::Table>| {
        table.as_ref().map_or_else(|| "toUInt64(0)".to_owned(), |table| of(table.name))
    };
    let points: Vec<String> = tables.metrics.iter().map(|(_, table)| of(table.name)).collect();
    let oldest = tables.traces.as_ref().or(tables.logs.as_ref()).map_or_else(
        || "toInt64(0)".to_owned(),
        |table| {
            format!(
                "ifNull((SELECT toUnixTimestamp64Nano(toDateTime64(min(Timestamp), 9)) FROM {}), 0)",
                table.name
            )
        },
    );
    let sql = format!(
        "SELECT toUInt64({}) AS spans, toUInt64({}) AS logs, toUInt64({}) AS points, toUInt64(ifNull((SELECT sum(total_bytes)
           FROM system.tables WHERE database = '{}' AND startsWith(name, 'otel_')), 0)) AS bytes, toInt64({oldest}) AS oldest",
        table(&tables.traces),
        table(&tables.logs),
        if points.is_empty() { "0".to_owned() } else { points.join(" + ") },
        db.place.database,
    );
    let mut found = Counts::default();
    db.each::<Counts>(db.client.query_raw(&sql), |counts| {
        found = counts;
        Ok(())
    })
    .await?;
    Ok(found)
}
