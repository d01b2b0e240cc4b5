//! How much there is. It is asked every few seconds, and is told at once however much that is: where rows are few exactly, of many
//! roughly, and of very many as the server knows it without a look at them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use clickhouse::Row;
use futures_util::future::try_join_all;
use serde::Deserialize;
use tokio::time::Instant;

use super::list::moment;
use super::read::Db;
use crate::error::StoreError;
use crate::query::StoreStatus;

/// Of so many rows it is looked up which of them count: that takes a fifth of a second.
const FEW: u64 = 200_000;
/// All spans may be looked at for a question, if they are no more.
const SMALL: u64 = 1_000_000;
/// Of more rows than these none is looked at.
const MOST: u64 = 50_000_000;
/// So many seconds the server spends on what is told roughly without, too.
const MOMENT: &str = "1";
/// What takes longer
const SLOW: Duration = Duration::from_millis(500);
/// is asked again only so long after.
const REST: Duration = Duration::from_secs(60);

/// Spans that ran and have ended since count once; what is no span, but counts as one, does not.
const SPANS: &str = "SELECT toUInt64(ifNull((SELECT uniqExact(print) FROM span), 0) - ifNull((
     SELECT uniqExact(print) - uniqExactIf((trace_id, span_id), state = 1 AND (trace_id, span_id) NOT IN (
       SELECT trace_id, span_id FROM span WHERE state = 0 AND trace_id IN (SELECT trace_id FROM span WHERE state = 1)))
     FROM span WHERE state > 0), 0))";
const ENDED: &str = "SELECT toNullable(toInt64(count())) FROM span WHERE state = 0";
const TRACES: &str = "SELECT uniq(trace_id) FROM trace";
const ABOUT_TRACES: &str = "SELECT toNullable(toInt64(uniq(trace_id))) FROM trace";
/// Of a table that is in order by the hour the first hour is found at its beginning.
const OLDEST: &str = "SELECT minOrNull(moment) FROM (
     SELECT minOrNull(start_ns) AS moment FROM span WHERE hour = (SELECT hour FROM span ORDER BY hour LIMIT 1)
     UNION ALL
     SELECT minOrNull(time_ns) FROM log WHERE hour = (SELECT hour FROM log ORDER BY hour LIMIT 1))";

/// A table as the server knows it. One that leads to those of other servers has no rows of its own.
#[derive(Row, Deserialize)]
struct Table {
    name: String,
    rows: Option<u64>,
    bytes: Option<u64>,
}

/// What was found out lately and took long, and until when it holds.
#[derive(Debug, Default)]
pub(super) struct Slow(Mutex<HashMap<&'static str, (Instant, Option<i64>)>>);

impl Slow {
    fn get(&self, sql: &str) -> Option<Option<i64>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(sql).filter(|(until, _)| Instant::now() < *until).map(|(_, found)| *found)
    }

    fn put(&self, sql: &'static str, found: Option<i64>) {
        let until = Instant::now() + REST;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(sql, (until, found));
    }

    /// Something was deleted.
    pub(super) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Db {
    /// How much there is. Of many rows the counts are rough: what was stored twice or deleted counts until the server has merged
    /// it, and a trace once for each day.
    pub(super) async fn status(&self) -> Result<StoreStatus, StoreError> {
        let tables = self.tables().await?;
        let rows = async |name: &str| match tables.iter().find(|table| table.name == name) {
            Some(Table { rows: Some(rows), .. }) => Ok(*rows),
            _ => {
                let counted = self.one::<u64>(&format!("SELECT count() FROM {name}")).await;
                Ok::<_, StoreError>(forgiven(counted)?.unwrap_or_default())
            }
        };
        let names = ["span", "log", "point", "trace"];
        let all = try_join_all(names.map(rows)).await?;
        let few = all.iter().all(|rows| *rows <= FEW);
        let [spans, logs, points, traces] = <[u64; 4]>::try_from(all).unwrap_or_default();
        let count = async |exact: &str, rough: Option<&'static str>, rows: u64| {
            let counted = match rough.filter(|_| rows <= MOST) {
                _ if rows <= FEW => forgiven(self.one::<u64>(exact).await)?,
                // Whoever may not set a limit is told the number of rows.
                Some(rough) => self.in_a_moment(rough).await.and_then(|rows| u64::try_from(rows).ok()),
                None => None,
            };
            Ok::<_, StoreError>(counted.unwrap_or(rows))
        };
        let (spans, logs, points, traces, oldest) = futures_util::try_join!(
            count(SPANS, Some(ENDED), spans),
            count("SELECT uniqExact(time_ns, row) FROM log", None, logs),
            count("SELECT uniqExact(series, time_ns, start_ns) FROM point", None, points),
            count(TRACES, Some(ABOUT_TRACES), traces),
            async {
                Ok(match few {
                    true => forgiven(self.one::<Option<i64>>(OLDEST).await)?.flatten(),
                    false => self.in_a_moment(OLDEST).await,
                })
            },
        )?;
        Ok(StoreStatus {
            spans,
            logs,
            points,
            traces,
            bytes: bytes(&tables),
            oldest: oldest.map(moment),
            location: self.place.location.clone(),
            ..StoreStatus::default()
        })
    }

    /// Room on the disk, as far as it is known.
    pub(super) async fn bytes(&self) -> Option<u64> {
        self.tables().await.ok().map(|tables| bytes(&tables))
    }

    /// Whether there are so few spans that a question may look at all.
    pub(super) async fn is_small(&self) -> Result<bool, StoreError> {
        let tables = self.tables().await?;
        let spans = tables.iter().find(|table| table.name == "span").and_then(|table| table.rows);
        Ok(spans.is_some_and(|spans| spans <= SMALL))
    }

    async fn tables(&self) -> Result<Vec<Table>, StoreError> {
        // Of this system table everybody sees what is theirs.
        let sql = "SELECT name, total_rows AS rows, total_bytes AS bytes FROM system.tables
             WHERE database = currentDatabase()";
        let mut tables = Vec::new();
        self.each::<Table>(self.client.query_raw(sql), |table| {
            tables.push(table);
            Ok(())
        })
        .await?;
        Ok(tables)
    }

    /// What the server finds out in a moment, or found out a while ago if that took long.
    async fn in_a_moment(&self, sql: &'static str) -> Option<i64> {
        if let Some(known) = self.slow.get(sql) {
            return known;
        }
        let began = Instant::now();
        let mut found = None;
        let query = self.client.query_raw(sql).with_setting("max_execution_time", MOMENT);
        let asked = self.each::<Option<i64>>(query, |row| {
            found = row;
            Ok(())
        });
        let found = asked.await.ok().and(found);
        if began.elapsed() > SLOW {
            self.slow.put(sql, found);
        }
        found
    }
}

fn bytes(tables: &[Table]) -> u64 {
    tables.iter().filter_map(|table| table.bytes).sum()
}

/// What is too much to be found out is not known, and no error.
pub(super) fn forgiven<T>(found: Result<Option<T>, StoreError>) -> Result<Option<T>, StoreError> {
    match found {
        Err(StoreError::Timeout(_) | StoreError::BadQuery(_)) => Ok(None),
        found => found,
    }
}
