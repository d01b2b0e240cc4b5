//! What is fetched from the tables, when it is asked for.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use clickhouse::Row;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde::Deserialize;
use tokio::sync::RwLock;

use super::super::read::{Db, Where};
use super::discover::{TIMES, Table, Tables};
use super::points::{self, PointTold};
use super::room::{Held, Read, Stop};
use super::rows::{Ends, LogTold, Maker, SpanTold, at, log_columns, nanos, span_columns};
use super::steps::{STEP, Windows, step, steps};
use crate::error::StoreError;
use crate::id::{Nanos, TraceId};
use crate::query::Range;
use crate::sqlite::SqliteStore;
use crate::store::Store as _;

/// A question may ask for so many records of generative AI that were not read before.
const MOST_ASKED: u64 = 200_000;
/// They are fetched in portions of about so many records.
const PORTION: u64 = 5_000;
/// The spans of a trace are looked for so long before and after those of generative AI; and for so long may spans last
/// before they are written, without being missed in a list. Whoever opens a trace sees all of it.
const AROUND: u64 = 3_600_000_000_000;
/// Records come so late after the moment that they tell of.
const LATE: u64 = 120_000_000_000;
/// What has been read is good for so long.
const FRESH: Duration = Duration::from_secs(1);
pub(super) const DAY: u64 = 24 * AROUND;
/// What is looked for in all time is looked for in the last hour or day first, then further and further back.
const HOUR_STEPS: u64 = AROUND / STEP;
const DAY_STEPS: u64 = DAY / STEP;
/// A conversation has so many traces at most.
const MOST_TRACES: usize = 200;
/// So many traces are looked through for spans that came late, at a time.
const MOST_LATE: usize = 1_000;

/// Names of attributes that tell of generative AI, in any vocabulary.
const NAMES: &str = "^(gen_ai[.]|openinference[.]|llm[.]|traceloop[.]|ai[.](operationId|model[.]id)$|mlflow[.]spanType$|mcp[.]method[.]name$|pydantic_ai[.])";
/// Names of events, metrics and spans that do.
pub(super) const EVENTS: &str = "^(gen_ai|mcp|claude_code|codex)[.]";

/// Reads the tables into a store for the time being, which answers.
pub(super) struct Loader {
    pub(super) db: Db,
    pub(super) tables: Tables,
    pub(super) scratch: SqliteStore,
    /// It holds so many bytes at most.
    pub(super) most_bytes: u64,
    pub(super) held: Mutex<Held>,
    /// What was read stays as long as anybody reads here.
    pub(super) stays: RwLock<()>,
    /// A portion of time is read by one question, and is there for the next.
    loading: tokio::sync::Mutex<()>,
}

#[derive(Row, Deserialize)]
struct Count {
    step: u64,
    records: u64,
}

#[derive(Row, Deserialize)]
struct Spans {
    trace: String,
    spans: u64,
}

/// Traces that began in a stretch of time may come to generative AI later.
pub(super) fn reaching(range: Option<Range>) -> Option<Range> {
    range.map(|Range { from, to }| Range { from, to: Nanos(to.0.saturating_add(AROUND)) })
}

impl Loader {
    pub(super) fn new(db: Db, tables: Tables, scratch: SqliteStore, most_bytes: u64) -> Self {
        Self {
            db,
            tables,
            scratch,
            most_bytes,
            held: Mutex::default(),
            stays: RwLock::default(),
            loading: tokio::sync::Mutex::default(),
        }
    }

    /// Reads what there is of a stretch of time.
    pub(super) async fn range(&self, range: Option<Range>) -> Result<Read<'_>, StoreError> {
        let (from, to) = steps(range, Nanos::now());
        let work = || {
            async {
                self.refresh().await?;
                let (mut all, mut asked) = (Vec::new(), 0);
                for (from, to) in Windows::new(from, to, DAY_STEPS) {
                    let portions = self.portions(from, to).await?;
                    asked += portions.iter().map(|portion| portion.records).sum::<u64>();
                    if asked > MOST_ASKED {
                        return Err(too_much(asked).into());
                    }
                    all.extend(portions.into_iter().rev());
                }
                for portion in &all {
                    self.portion(portion).await?;
                }
                Ok(())
            }
            .boxed()
        };
        Ok(self.in_room(work).await?.0)
    }

    /// Reads a stretch of time from its end until the answer has nothing in it that is older than what was read. It says
    /// how far back it goes; `None`: all the way.
    pub(super) async fn newest<'a, T: Send>(
        &'a self,
        range: Option<Range>,
        answer: impl Fn() -> BoxFuture<'a, Result<(T, Option<Nanos>), StoreError>> + Send + Sync,
    ) -> Result<T, StoreError> {
        let (from, to) = steps(range, Nanos::now());
        let work = || {
            async {
                self.refresh().await?;
                let (mut windows, mut rest, mut asked) = (Windows::new(from, to, HOUR_STEPS), Vec::new(), 0);
                loop {
                    let (answer, oldest) = answer().await?;
                    let needed = oldest.map_or(from, |oldest| step(oldest).max(from));
                    if self.held().steps.gaps(needed, to).is_empty() {
                        return Ok(answer);
                    }
                    while rest.is_empty() {
                        let Some((from, to)) = windows.next() else { return Ok(answer) };
                        rest = self.portions(from, to).await?;
                    }
                    let Some(portion) = rest.pop() else { continue };
                    asked += portion.records;
                    if asked > MOST_ASKED {
                        return Err(too_much(asked).into());
                    }
                    self.portion(&portion).await?;
                }
            }
            .boxed()
        };
        Ok(self.in_room(work).await?.1)
    }

    /// Reads a trace, whole.
    pub(super) async fn trace(&self, trace: TraceId) -> Result<Read<'_>, StoreError> {
        let work = || {
            async {
                self.one_trace(trace).await?;
                if self.scratch.summaries(&[trace]).await?.is_empty() && self.held().looks_for(trace) {
                    self.session(trace).await?;
                }
                Ok(())
            }
            .boxed()
        };
        Ok(self.in_room(work).await?.0)
    }

    /// Reads the traces that have log records of this very moment, whole.
    pub(super) async fn traces_at(&self, moment: u64) -> Result<Read<'_>, StoreError> {
        let work = || {
            async {
                let Some(table) = &self.tables.logs else { return Ok(()) };
                let sql = format!(
                    "SELECT DISTINCT toString(TraceId) FROM {} WHERE Timestamp = {} AND TraceId != '' LIMIT {MOST_TRACES}",
                    table.name,
                    at(moment)
                );
                let mut found = BTreeSet::new();
                self.db
                    .each::<String>(self.db.client.query_raw(&sql), |id| {
                        found.extend(id.parse::<TraceId>().ok());
                        Ok(())
                    })
                    .await?;
                for trace in found {
                    self.one_trace(trace).await?;
                }
                Ok(())
            }
            .boxed()
        };
        Ok(self.in_room(work).await?.0)
    }

    /// The trace of a session that only log records tell of has its id from here, and the tables do not know it: those
    /// records are read until one of them is of it.
    async fn session(&self, trace: TraceId) -> Result<(), Stop> {
        let Some(table) = &self.tables.logs else { return Ok(()) };
        let mut asked = 0;
        for (from, to) in Windows::new(0, step(Nanos::now()) + 1, DAY_STEPS) {
            let which = format!("{} AND TraceId = '' AND {}", between("Timestamp", from, to), telling(table));
            match self.count(table, &which).await {
                Ok(0) => continue,
                Ok(count) => asked += count,
                // It is as good as not there.
                Err(StoreError::Timeout(_)) => break,
                Err(error) => return Err(error.into()),
            }
            if asked > MOST_ASKED {
                break;
            }
            self.logs(table, &which, &Ends::new()).await?;
            if !self.scratch.summaries(&[trace]).await?.is_empty() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Reads the traces of a conversation, as far as they are of some time.
    pub(super) async fn conversation(&self, id: &str, range: Option<Range>) -> Result<Read<'_>, StoreError> {
        let (from, to) = steps(range, Nanos::now());
        let work = || {
            async {
                let mut found = BTreeSet::new();
                for (from, to) in Windows::new(from, to, DAY_STEPS) {
                    let more = self.told_of(id, from, to, &mut found).await?;
                    // It has begun where nothing is told of it any more.
                    if found.len() >= MOST_TRACES || !found.is_empty() && !more {
                        break;
                    }
                }
                for trace in found {
                    self.one_trace(trace).await?;
                }
                Ok(())
            }
            .boxed()
        };
        Ok(self.in_room(work).await?.0)
    }

    /// Finds the traces that tell of a conversation in some time, and reads the log records without a trace that do. Whether
    /// there are any.
    async fn told_of(
        &self,
        id: &str,
        from: u64,
        to: u64,
        found: &mut BTreeSet<TraceId>,
    ) -> Result<bool, Stop> {
        let within = between("Timestamp", from, to);
        let mut more = false;
        if let Some(table) = &self.tables.traces {
            let mut of = Where::default();
            let told = of.text(id);
            of.and(table.says("SpanAttributes", &told));
            let sql = format!(
                "SELECT DISTINCT toString(TraceId) FROM {} WHERE {within} AND {} LIMIT {MOST_TRACES}",
                table.name,
                of.sql()
            );
            self.db
                .each::<String>(of.query(&self.db, &sql), |id| {
                    more = true;
                    found.extend(id.parse::<TraceId>().ok());
                    Ok(())
                })
                .await?;
        }
        if let Some(table) = &self.tables.logs {
            let mut of = Where::default();
            let told = of.text(id);
            of.and(format!("{within} AND TraceId = '' AND {}", telling(table)));
            of.and(table.says("LogAttributes", &told));
            more |= self.logs_of(table, &of, &Ends::new()).await? > 0;
        }
        Ok(more)
    }

    /// Reads the metrics of generative AI in a stretch of time.
    pub(super) async fn metrics(&self, range: Range) -> Result<Read<'_>, StoreError> {
        let work = || {
            async {
                let _loading = self.loading.lock().await;
                let now = Nanos::now();
                let (from, to) = steps(Some(range), now);
                let (gaps, whole) = {
                    let mut held = self.held();
                    // Of the last minutes more may have come.
                    let late = held.points_until.filter(|(read, _)| read.elapsed() >= FRESH);
                    if let Some((_, until)) = late {
                        held.points.cut(step(Nanos(until.0.saturating_sub(LATE))));
                    }
                    // Since then nothing was taken out that more may have come to.
                    let whole = late.is_some() || held.points_until.is_none();
                    (held.points.gaps(from, to), whole)
                };
                for (from, to) in gaps {
                    let mut all = Vec::new();
                    for (kind, table) in &self.tables.metrics {
                        let which =
                            format!("{} AND match(MetricName, '{EVENTS}')", between("TimeUnix", from, to));
                        let counted = self.count(table, &which).await?;
                        if counted > MOST_ASKED {
                            return Err(too_much(counted).into());
                        }
                        all.extend((counted > 0).then_some((*kind, table, which)));
                    }
                    for (kind, table, which) in all {
                        let sql =
                            format!("SELECT {} FROM {} WHERE {which}", points::columns(table), table.name);
                        let mut maker = Maker::default();
                        self.pour::<PointTold<'_>>(self.db.client.query_raw(&sql), |told, batch| {
                            told.add(&mut maker, kind, table, batch);
                        })
                        .await?;
                    }
                    self.held().points.add(from, to);
                }
                if whole {
                    self.held().points_until = Some((Instant::now(), now));
                }
                Ok(())
            }
            .boxed()
        };
        Ok(self.in_room(work).await?.0)
    }

    async fn count(&self, table: &Table, which: &str) -> Result<u64, StoreError> {
        let sql = format!("SELECT count() FROM {} WHERE {which}", table.name);
        Ok(self.db.one::<u64>(&sql).await?.unwrap_or_default())
    }

    /// What there is in a stretch of time and was not read, the oldest first.
    async fn portions(&self, from: u64, to: u64) -> Result<Vec<Portion>, StoreError> {
        let mut portions = Vec::new();
        let gaps = self.held().steps.gaps(from, to);
        for (from, to) in gaps {
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

    async fn portion(&self, portion: &Portion) -> Result<(), Stop> {
        let Portion { from, to, records } = *portion;
        let _loading = self.loading.lock().await;
        if self.held().steps.gaps(from, to).is_empty() {
            // Another question was about it, too.
            return Ok(());
        }
        let now = Nanos::now();
        if records > 0 {
            let (first, end) = ((from * STEP).saturating_sub(AROUND), (to * STEP).saturating_add(AROUND));
            let around = format!("Timestamp >= {} AND Timestamp < {}", at(first), at(end));
            let within = between("Timestamp", from, to);
            self.records(&around, &within, &within).await?;
        }
        let mut held = self.held();
        held.steps.add(from, to);
        if to > step(Nanos(now.0.saturating_sub(AROUND))) {
            held.until.get_or_insert((Instant::now(), now));
        }
        Ok(())
    }

    /// Reads what came late, of the last hour. What is read at the moment is waited for by nobody else: it comes with the
    /// next question.
    async fn refresh(&self) -> Result<(), Stop> {
        let Ok(_loading) = self.loading.try_lock() else { return Ok(()) };
        let now = Nanos::now();
        let hour = now.0.saturating_sub(AROUND);
        let until = {
            let mut held = self.held();
            let Some((_, until)) = held.until.filter(|(read, _)| read.elapsed() >= FRESH) else {
                return Ok(());
            };
            // By the clock: the other one stands still where a computer sleeps.
            if now.0.saturating_sub(until.0) > AROUND / 2 {
                // Too much has passed: the end is read anew, from where it was whole.
                held.steps.cut(step(Nanos(hour.min(until.0.saturating_sub(AROUND)))));
                held.until = None;
                return Ok(());
            }
            until
        };
        let since = until.0.saturating_sub(LATE);
        let lately = format!("Timestamp >= {}", at(hour));
        let spans = format!("{lately} AND {} + toInt64(Duration) >= {since}", nanos("Timestamp"));
        let ends = self.records(&spans, &lately, &format!("Timestamp >= {}", at(since))).await?;
        self.late(&lately, ends.keys().map(|(trace, _)| *trace).collect()).await?;
        self.held().until = Some((Instant::now(), now));
        Ok(())
    }

    /// Reads those of some traces whole of which more was written lately than was read: what holds traces back until they
    /// are done writes spans long after they ended.
    async fn late(&self, lately: &str, traces: BTreeSet<TraceId>) -> Result<(), Stop> {
        let Some(table) = &self.tables.traces else { return Ok(()) };
        let traces: Vec<TraceId> = traces.into_iter().collect();
        for some in traces.chunks(MOST_LATE) {
            let read: HashMap<TraceId, u64> =
                self.scratch.summaries(some).await?.iter().map(|trace| (trace.id, trace.spans)).collect();
            let sql = format!(
                "SELECT toString(TraceId) AS trace, uniqExact(SpanId) AS spans FROM {} WHERE {lately} AND {}
                 GROUP BY TraceId",
                table.name,
                any_trace(some)
            );
            let mut late = Vec::new();
            self.db
                .each::<Spans>(self.db.client.query_raw(&sql), |Spans { trace, spans }| {
                    let id = trace.parse::<TraceId>().ok();
                    late.extend(id.filter(|id| read.get(id).is_none_or(|read| *read < spans)));
                    Ok(())
                })
                .await?;
            for trace in late {
                self.one_trace(trace).await?;
            }
        }
        Ok(())
    }

    /// Reads spans of the traces that have spans of generative AI `within` some time, and log records beside them. When the
    /// spans ended.
    async fn records(&self, spans: &str, within: &str, logs: &str) -> Result<Ends, Stop> {
        let chosen = self.tables.traces.as_ref().map(|table| {
            let marked = marked(table);
            format!("TraceId IN (SELECT TraceId FROM {} WHERE {within} AND {marked})", table.name)
        });
        let mut ends = Ends::new();
        if let (Some(table), Some(chosen)) = (&self.tables.traces, &chosen) {
            self.spans(table, &format!("{spans} AND {chosen}"), &mut ends).await?;
        }
        if let Some(table) = &self.tables.logs {
            let telling = telling(table);
            let which = match chosen {
                Some(chosen) => {
                    format!("({logs} AND ({telling} OR {chosen}) OR {} AND {chosen})", without_time())
                }
                None => format!("{logs} AND {telling}"),
            };
            self.logs(table, &which, &ends).await?;
        }
        Ok(ends)
    }

    async fn one_trace(&self, trace: TraceId) -> Result<(), Stop> {
        if self.held().is_fresh(trace, FRESH) {
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
        let mut ends = Ends::new();
        if let Some(table) = &self.tables.traces {
            self.spans(table, &format!("{of} AND {}", when(2)), &mut ends).await?;
        }
        if let Some(table) = &self.tables.logs {
            let which = format!("{of} AND ({} OR {})", when(3_600), without_time());
            self.logs(table, &which, &ends).await?;
        }
        self.held().has_read(trace);
        Ok(())
    }

    async fn spans(&self, table: &Table, which: &str, ends: &mut Ends) -> Result<u64, Stop> {
        let sql = format!("SELECT {} FROM {} WHERE {which}", span_columns(table), table.name);
        let mut maker = Maker::default();
        self.pour::<SpanTold<'_>>(self.db.client.query_raw(&sql), |told, batch| {
            maker.add_span(table, &told, ends, batch);
        })
        .await
    }

    async fn logs(&self, table: &Table, which: &str, ends: &Ends) -> Result<u64, Stop> {
        let mut of = Where::default();
        of.and(which);
        self.logs_of(table, &of, ends).await
    }

    async fn logs_of(&self, table: &Table, of: &Where, ends: &Ends) -> Result<u64, Stop> {
        let sql = format!("SELECT {} FROM {} WHERE {}", log_columns(table), table.name, of.sql());
        let mut maker = Maker::default();
        self.pour::<LogTold<'_>>(of.query(&self.db, &sql), |told, batch| {
            maker.add_log(table, &told, ends, batch);
        })
        .await
    }
}

/// Some steps, and how many records of generative AI they have.
#[derive(Clone, Copy, Debug)]
struct Portion {
    from: u64,
    to: u64,
    records: u64,
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

/// Records of these traces, of which there is one at least.
pub(super) fn any_trace<'a>(traces: impl IntoIterator<Item = &'a TraceId>) -> String {
    let ids: Vec<String> = traces.into_iter().map(|id| format!("'{id}'")).collect();
    format!("TraceId IN ({})", ids.join(","))
}

/// Log records of which it is not kept when they were.
pub(super) fn without_time() -> String {
    format!("Timestamp = {}", at(0))
}

/// Spans of generative AI.
pub(super) fn marked(table: &Table) -> String {
    format!(
        "(arrayExists(name -> match(name, '{NAMES}'), {}) OR startsWith(SpanName, 'claude_code.'))",
        table.names("SpanAttributes")
    )
}

/// Log records of generative AI, whatever trace they are of.
pub(super) fn telling(table: &Table) -> String {
    format!(
        "(match({}, '{EVENTS}') OR match(Body, '{EVENTS}') OR position({}, 'claude_code') > 0
          OR arrayExists(name -> match(name, '{NAMES}'), {names}) OR {})",
        table.column("EventName", "''"),
        table.column("ScopeName", "''"),
        table.event(EVENTS),
        names = table.names("LogAttributes"),
    )
}
