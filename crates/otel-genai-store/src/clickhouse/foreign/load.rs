//! What is fetched from the tables, when it is asked for.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use clickhouse::query::Query;
use clickhouse::{Row, RowRead};
use futures_util::future::BoxFuture;
use serde::Deserialize;
use tokio::sync::{RwLock, RwLockReadGuard};

use super::super::read::{Db, Where};
use super::discover::{TIMES, Table, Tables};
use super::points::{self, PointTold};
use super::rows::{Ends, LogTold, Maker, SpanTold, at, log_columns, nanos, span_columns};
use super::steps::{STEP, Steps, step, steps};
use crate::error::StoreError;
use crate::id::{Nanos, TraceId};
use crate::query::{Delete, Range, Stored};
use crate::sqlite::SqliteStore;
use crate::store::{Batch, Store as _};

/// A question may ask for so many records that were not read before.
const MOST_ASKED: u64 = 200_000;
/// More are not held at a time; then everything is read anew.
const MOST_HELD: u64 = 1_000_000;
/// They are fetched in portions of about so many records.
const PORTION: u64 = 5_000;
/// What was fetched is put away when it has so many bytes.
const HANDFUL: usize = 8 << 20;
/// The spans of a trace are looked for so long before and after those of generative AI; and for so long may spans last
/// before they are written, without being missed in a list. Whoever opens a trace sees all of it.
const AROUND: u64 = 3_600_000_000_000;
/// Records come so late after the moment that they tell of.
const LATE: u64 = 120_000_000_000;
/// What has been read is good for so long.
const FRESH: Duration = Duration::from_secs(1);
pub(super) const DAY: u64 = 24 * AROUND;
/// A conversation has so many traces at most.
const MOST_TRACES: usize = 200;
/// So many traces are remembered as read.
const MOST_KNOWN: usize = 10_000;

/// Names of attributes that tell of generative AI, in any vocabulary.
const NAMES: &str = "^(gen_ai[.]|openinference[.]|llm[.]|traceloop[.]|ai[.](operationId|model[.]id)$|mlflow[.]spanType$|mcp[.]method[.]name$|pydantic_ai[.])";
/// Names of events, metrics and spans that do.
const EVENTS: &str = "^(gen_ai|mcp|claude_code|codex)[.]";

/// What has been read.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Of spans and log records.
    steps: Steps,
    /// Of metrics.
    points: Steps,
    /// Traces that were read by their ids, and when.
    traces: HashMap<TraceId, Instant>,
    records: u64,
    /// Until when late records have been read.
    until: Option<(Instant, Nanos)>,
    points_until: Option<(Instant, Nanos)>,
}

/// Reads the tables into a store for the time being, which answers.
pub(super) struct Loader {
    pub(super) db: Db,
    pub(super) tables: Tables,
    pub(super) scratch: SqliteStore,
    held: RwLock<Held>,
}

/// What was read stays as long as this is there.
pub(super) type Read<'a> = RwLockReadGuard<'a, Held>;

#[derive(Row, Deserialize)]
struct Count {
    step: u64,
    records: u64,
}

impl Loader {
    pub(super) fn new(db: Db, tables: Tables, scratch: SqliteStore) -> Self {
        Self { db, tables, scratch, held: RwLock::default() }
    }

    /// Reads what there is of a stretch of time.
    pub(super) async fn range(&self, range: Option<Range>) -> Result<Read<'_>, StoreError> {
        let mut held = self.held.write().await;
        let held_now = &mut *held;
        self.refresh(held_now).await?;
        let (from, to) = steps(range, Nanos::now());
        let mut portions = self.portions(held_now, from, to).await?;
        let mut asked = records(&portions);
        if asked <= MOST_ASKED && self.make_room(held_now, asked).await? {
            // What was held of this time is gone, too.
            portions = self.portions(held_now, from, to).await?;
            asked = records(&portions);
        }
        if asked > MOST_ASKED {
            return Err(too_much(asked));
        }
        for portion in portions.iter().rev() {
            self.portion(held_now, portion).await?;
        }
        Ok(held.downgrade())
    }

    /// Reads a stretch of time from its end until the answer has nothing in it that is older than what was read. It says
    /// how far back it goes; `None`: all the way.
    pub(super) async fn newest<'a, T>(
        &'a self,
        range: Option<Range>,
        answer: impl Fn() -> BoxFuture<'a, Result<(T, Option<Nanos>), StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let mut held = self.held.write().await;
        let held = &mut *held;
        self.refresh(held).await?;
        let (from, to) = steps(range, Nanos::now());
        let (mut portions, mut asked, mut anew) = (None, 0, false);
        loop {
            let (answer, oldest) = answer().await?;
            let needed = oldest.map_or(from, |oldest| step(oldest).max(from));
            if held.steps.gaps(needed, to).is_empty() {
                return Ok(answer);
            }
            let rest = match &mut portions {
                Some(rest) => rest,
                none => none.insert(self.portions(held, from, to).await?),
            };
            let Some(portion) = rest.pop() else { return Ok(answer) };
            asked += portion.records;
            if asked > MOST_ASKED {
                return Err(too_much(asked));
            }
            if self.make_room(held, portion.records).await? {
                // It begins again at the end, with room for all that one question may ask for.
                if anew {
                    return Err(too_much(asked));
                }
                (portions, asked, anew) = (None, 0, true);
                continue;
            }
            self.portion(held, &portion).await?;
        }
    }

    /// Reads a trace, whole.
    pub(super) async fn trace(&self, trace: TraceId) -> Result<Read<'_>, StoreError> {
        let mut held = self.held.write().await;
        self.one_trace(&mut held, trace).await?;
        if !self.scratch.summaries(&[trace]).await?.is_empty() {
            return Ok(held.downgrade());
        }
        drop(held);
        // The trace of a session that only log records tell of has its id from here: the tables do not know it.
        let now = Nanos::now();
        let day = Range { from: Nanos(now.0.saturating_sub(DAY)), to: now };
        self.range(Some(day)).await
    }

    /// Reads the traces of a conversation.
    pub(super) async fn conversation(&self, id: &str) -> Result<Read<'_>, StoreError> {
        let mut held = self.held.write().await;
        if let Some(table) = &self.tables.traces {
            let mut of = Where::default();
            let told = of.text(id);
            of.and(table.says("SpanAttributes", &told));
            let sql = format!(
                "SELECT DISTINCT toString(TraceId) FROM {} WHERE {} LIMIT {MOST_TRACES}",
                table.name,
                of.sql()
            );
            let mut found = Vec::new();
            self.db
                .each::<String>(of.query(&self.db, &sql), |id| {
                    found.extend(id.parse::<TraceId>().ok());
                    Ok(())
                })
                .await?;
            for trace in found {
                self.one_trace(&mut held, trace).await?;
            }
        }
        Ok(held.downgrade())
    }

    /// Reads the metrics of generative AI in a stretch of time.
    pub(super) async fn metrics(&self, range: Range) -> Result<Read<'_>, StoreError> {
        let mut held = self.held.write().await;
        let now = Nanos::now();
        // Of the last minutes more may have come.
        let late = held.points_until.filter(|(read, _)| read.elapsed() >= FRESH).map(|(_, until)| until);
        if let Some(until) = late {
            held.points.cut(step(Nanos(until.0.saturating_sub(LATE))));
        }
        let (from, to) = steps(Some(range), now);
        let gaps = held.points.gaps(from, to);
        for (from, to) in gaps {
            let mut all = Vec::new();
            for (kind, table) in &self.tables.metrics {
                let which = format!("{} AND match(MetricName, '{EVENTS}')", between("TimeUnix", from, to));
                let mut counted = 0;
                let count = format!("SELECT count() FROM {} WHERE {which}", table.name);
                self.db
                    .each::<u64>(self.db.client.query_raw(&count), |count| {
                        counted = count;
                        Ok(())
                    })
                    .await?;
                if counted > MOST_ASKED {
                    return Err(too_much(counted));
                }
                all.extend((counted > 0).then_some((*kind, table, which)));
            }
            for (kind, table, which) in all {
                let sql = format!("SELECT {} FROM {} WHERE {which}", points::columns(table), table.name);
                let mut maker = Maker::default();
                let read = self.pour::<PointTold<'_>>(&sql, |told, batch| {
                    batch.points.extend(told.series(&mut maker, kind, table));
                    batch.bytes += 500;
                });
                held.records += read.await?;
            }
            held.points.add(from, to);
        }
        held.points_until = Some((Instant::now(), now));
        Ok(held.downgrade())
    }

    /// What there is in a stretch of time and was not read, the oldest first.
    async fn portions(&self, held: &Held, from: u64, to: u64) -> Result<Vec<Portion>, StoreError> {
        let mut portions = Vec::new();
        for (from, to) in held.steps.gaps(from, to) {
            let of = |table: &Table, which: &str| {
                format!(
                    "SELECT toUInt64(intDiv({}, {STEP})) AS step, count() AS records FROM {} WHERE {} AND {which} GROUP BY step",
                    nanos("Timestamp"),
                    table.name,
                    between("Timestamp", from, to)
                )
            };
            let spans = self.tables.traces.as_ref().map(|table| of(table, &marked(table)));
            let logs = self.tables.logs.as_ref().map(|table| of(table, &telling(table)));
            let mut counts = BTreeMap::<u64, u64>::new();
            for sql in spans.into_iter().chain(logs) {
                self.db
                    .each::<Count>(self.db.client.query_raw(&sql), |count| {
                        *counts.entry(count.step).or_default() += count.records;
                        Ok(())
                    })
                    .await?;
            }
            // What is empty belongs to the portion after it.
            let mut portion = Portion { from, to: from, records: 0 };
            for (step, records) in counts {
                if portion.records > 0 && portion.records + records > PORTION {
                    portions.push(portion);
                    portion = Portion { from: portion.to, to: portion.to, records: 0 };
                }
                portion.to = step + 1;
                portion.records += records;
            }
            portions.push(Portion { to, ..portion });
        }
        Ok(portions)
    }

    async fn portion(&self, held: &mut Held, portion: &Portion) -> Result<(), StoreError> {
        let Portion { from, to, records } = *portion;
        let now = Nanos::now();
        if records > 0 {
            let (first, end) = ((from * STEP).saturating_sub(AROUND), (to * STEP).saturating_add(AROUND));
            let around = format!("Timestamp >= {} AND Timestamp < {}", at(first), at(end));
            let within = between("Timestamp", from, to);
            self.records(held, &around, &within, &within).await?;
        }
        held.steps.add(from, to);
        if to > step(Nanos(now.0.saturating_sub(AROUND))) {
            held.until.get_or_insert((Instant::now(), now));
        }
        Ok(())
    }

    /// Reads what came late, of the last hour.
    async fn refresh(&self, held: &mut Held) -> Result<(), StoreError> {
        let Some((_, until)) = held.until.filter(|(read, _)| read.elapsed() >= FRESH) else {
            return Ok(());
        };
        let now = Nanos::now();
        let hour = now.0.saturating_sub(AROUND);
        // By the clock: the other one stands still where a computer sleeps.
        if now.0.saturating_sub(until.0) > AROUND / 2 {
            // Too much has passed: the end is read anew, from where it was whole.
            held.steps.cut(step(Nanos(hour.min(until.0.saturating_sub(AROUND)))));
            held.until = None;
            return Ok(());
        }
        let since = until.0.saturating_sub(LATE);
        let lately = format!("Timestamp >= {}", at(hour));
        let spans = format!("{lately} AND {} + toInt64(Duration) >= {since}", nanos("Timestamp"));
        self.records(held, &spans, &lately, &format!("Timestamp >= {}", at(since))).await?;
        held.until = Some((Instant::now(), now));
        Ok(())
    }

    /// Reads spans of the traces that have spans of generative AI when `marked` says, and log records beside them.
    async fn records(
        &self,
        held: &mut Held,
        spans: &str,
        within: &str,
        logs: &str,
    ) -> Result<(), StoreError> {
        let chosen = self.tables.traces.as_ref().map(|table| {
            let marked = marked(table);
            format!("TraceId IN (SELECT TraceId FROM {} WHERE {within} AND {marked})", table.name)
        });
        let mut ends = Ends::new();
        if let (Some(table), Some(chosen)) = (&self.tables.traces, &chosen) {
            held.records += self.spans(table, &format!("{spans} AND {chosen}"), &mut ends).await?;
        }
        if let Some(table) = &self.tables.logs {
            let telling = telling(table);
            let which = match chosen {
                Some(chosen) => {
                    format!("({logs} AND ({telling} OR {chosen}) OR {} AND {chosen})", without_time())
                }
                None => format!("{logs} AND {telling}"),
            };
            held.records += self.logs(table, &which, &ends).await?;
        }
        Ok(())
    }

    async fn one_trace(&self, held: &mut Held, trace: TraceId) -> Result<(), StoreError> {
        if held.traces.get(&trace).is_some_and(|read| read.elapsed() < FRESH) {
            return Ok(());
        }
        let of = format!("TraceId = '{trace}'");
        // When it was stands in a small table, if anywhere; there it is told in seconds.
        let when = |margin: u32| {
            let side = |unknown: &str, moment: &str| {
                format!(
                    "(SELECT if(count() = 0, toDateTime({unknown}), toDateTime({moment})) FROM {TIMES} WHERE {of})"
                )
            };
            let (first, last) = (
                format!("min(Start)) - toIntervalSecond({margin}"),
                format!("max(End)) + toIntervalSecond({margin}"),
            );
            format!("Timestamp >= {} AND Timestamp <= {}", side("0", &first), side("4102444800", &last),)
        };
        let when = |margin| if self.tables.times { when(margin) } else { "1".to_owned() };
        let (mut found, mut ends) = (0, Ends::new());
        if let Some(table) = &self.tables.traces {
            found += self.spans(table, &format!("{of} AND {}", when(2)), &mut ends).await?;
        }
        if let Some(table) = &self.tables.logs {
            let which = format!("{of} AND ({} OR {})", when(3_600), without_time());
            found += self.logs(table, &which, &ends).await?;
        }
        held.records += found;
        if held.traces.len() >= MOST_KNOWN {
            held.traces.clear();
        }
        held.traces.insert(trace, Instant::now());
        Ok(())
    }

    async fn spans(&self, table: &Table, which: &str, ends: &mut Ends) -> Result<u64, StoreError> {
        let sql =
            format!("SELECT {} FROM {} WHERE {which} LIMIT {MOST_ASKED}", span_columns(table), table.name);
        let mut maker = Maker::default();
        self.pour::<SpanTold<'_>>(&sql, |told, batch| {
            if let Some((span, bytes)) = maker.span(table, &told) {
                ends.insert((span.key.trace, span.key.span), span.end.max(span.start));
                batch.spans.push(span);
                batch.bytes += bytes;
            }
        })
        .await
    }

    async fn logs(&self, table: &Table, which: &str, ends: &Ends) -> Result<u64, StoreError> {
        let sql =
            format!("SELECT {} FROM {} WHERE {which} LIMIT {MOST_ASKED}", log_columns(table), table.name);
        let mut maker = Maker::default();
        self.pour::<LogTold<'_>>(&sql, |told, batch| {
            if let Some((log, bytes)) = maker.log(table, &told, ends) {
                batch.logs.push(log);
                batch.bytes += bytes;
            }
        })
        .await
    }

    /// Asks, and puts away what is answered. Returns how many records are new.
    async fn pour<T: Row + RowRead>(
        &self,
        sql: &str,
        mut take: impl FnMut(T::Value<'_>, &mut Batch),
    ) -> Result<u64, StoreError> {
        let patience = self.db.place.patience;
        let told = |error| self.db.place.fault("cannot read what others wrote", error);
        let query: Query = self.db.client.query_raw(sql);
        let mut cursor = query.fetch::<T>().map_err(told)?;
        let (mut new, mut batch) = (0, Batch { received: Nanos::now(), ..Batch::default() });
        loop {
            let next = tokio::time::timeout(2 * patience, cursor.next());
            let more = match next.await.map_err(|_| StoreError::Timeout(patience))?.map_err(told)? {
                Some(row) => {
                    take(row, &mut batch);
                    true
                }
                None => false,
            };
            if batch.bytes >= HANDFUL || !more {
                let received = batch.received;
                let handful = std::mem::replace(&mut batch, Batch { received, ..Batch::default() });
                let Stored { spans, logs, points, .. } = self.scratch.ingest(handful).await?;
                new += spans + logs + points;
            }
            if !more {
                return Ok(new);
            }
        }
    }

    /// Forgets everything if there is no room for more, and says whether.
    async fn make_room(&self, held: &mut Held, wanted: u64) -> Result<bool, StoreError> {
        let full = held.records + wanted > MOST_HELD;
        if full {
            self.scratch.delete(Delete::All).await?;
            *held = Held::default();
        }
        Ok(full)
    }
}

/// Some steps, and how many records of generative AI they have.
#[derive(Clone, Copy, Debug)]
struct Portion {
    from: u64,
    to: u64,
    records: u64,
}

fn records(portions: &[Portion]) -> u64 {
    portions.iter().map(|portion| portion.records).sum()
}

fn too_much(records: u64) -> StoreError {
    StoreError::BadQuery(format!(
        "there are more than {MOST_ASKED} records of generative AI to read ({records}), and the tables of a Collector's \
         exporter are read as they are: narrow the time range"
    ))
}

fn between(column: &str, from: u64, to: u64) -> String {
    format!("{column} >= {} AND {column} < {}", at(from.saturating_mul(STEP)), at(to.saturating_mul(STEP)))
}

/// Log records of which it is not kept when they were.
fn without_time() -> String {
    format!("Timestamp = {}", at(0))
}

/// Spans of generative AI.
fn marked(table: &Table) -> String {
    format!(
        "(arrayExists(name -> match(name, '{NAMES}'), {}) OR startsWith(SpanName, 'claude_code.'))",
        table.names("SpanAttributes")
    )
}

/// Log records of generative AI, whatever trace they are of.
fn telling(table: &Table) -> String {
    format!(
        "(match({}, '{EVENTS}') OR match(Body, '{EVENTS}') OR position({}, 'claude_code') > 0
          OR arrayExists(name -> match(name, '{NAMES}'), {names}) OR {})",
        table.column("EventName", "''"),
        table.column("ScopeName", "''"),
        table.event(EVENTS),
        names = table.names("LogAttributes"),
    )
}
