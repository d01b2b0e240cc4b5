//! Everything of generative AI in a range, piece by piece, straight from the tables: table by table, second by second, and in a
//! second trace by trace or metric by metric.
//!
//! What there is of a day is counted first, so that pieces are small however much there is; the days are as short as they must
//! be for that to be answered in time.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use clickhouse::Row;
use serde::Deserialize;

use super::discover::{Kind, Table};
use super::load::{DAY, EVENTS, Loader, any_trace, marked, telling, without_time};
use super::points::{self, PointTold};
use super::rows::{Ends, LogTold, Maker, SpanTold, at, log_columns, nanos, span_columns};
use crate::cursor::Cursor;
use crate::error::StoreError;
use crate::facts;
use crate::id::{Nanos, TraceId};
use crate::query::Range;
use crate::store::Batch;

use super::super::read::Where;

/// A piece is about so large, or so large as what was told together.
const MOST_BYTES: usize = 4 << 20;
/// So many rows are asked for at a time.
const MOST_ROWS: u64 = 500;
/// So many groups are counted at a time.
const MOST_GROUPS: usize = 100_000;
/// Where there is nothing of generative AI, an empty piece tells how far it was looked.
const LONG: Duration = Duration::from_secs(5);
const SECOND: u64 = 1_000_000_000;
/// A day, in seconds; and the least that is counted at a time.
const WHOLE_DAY: i64 = 86_400;
const LEAST: i64 = 60;

/// Where the next piece begins: in this second, or behind the group of it that has this key.
#[derive(Clone, Debug, PartialEq, Eq)]
struct At {
    table: u8,
    second: i64,
    behind: Option<String>,
}

impl At {
    fn cursor(&self, asked: u64) -> Cursor {
        let mut place = vec![self.table, self.behind.is_some().into()];
        place.extend(self.second.to_be_bytes());
        place.extend(self.behind.iter().flat_map(String::as_bytes));
        Cursor::at_place(&place, asked)
    }

    fn read(cursor: &Cursor, asked: u64) -> Result<Self, StoreError> {
        let place = cursor.place(asked)?;
        let read = || {
            let [table, behind, rest @ ..] = place.as_slice() else { return None };
            let (second, key) = rest.split_first_chunk()?;
            let key = String::from_utf8(key.to_vec()).ok()?;
            let second = i64::from_be_bytes(*second);
            Some(Self { table: *table, second, behind: (*behind == 1).then_some(key) })
        };
        read().ok_or(StoreError::BadCursor)
    }
}

/// Rows of one second that belong together.
#[derive(Clone, Debug, Row, Deserialize)]
struct Group {
    second: i64,
    key: String,
    rows: u64,
    /// Whether all rows are told, or only those that tell of generative AI themselves.
    whole: u8,
}

/// What was counted: of a question, from a place on, up to a second.
#[derive(Debug)]
struct Plan {
    asked: u64,
    from: At,
    groups: Vec<Group>,
    /// Where what was not counted begins.
    then: At,
}

/// What was counted last, and how many seconds can be counted at a time.
#[derive(Debug)]
pub(super) struct Plans(Mutex<(Option<Plan>, i64)>);

impl Default for Plans {
    fn default() -> Self {
        Self(Mutex::new((None, WHOLE_DAY)))
    }
}

/// A table that is told.
#[derive(Clone, Copy)]
enum Which<'a> {
    Spans(&'a Table),
    Logs(&'a Table),
    Points(Kind, &'a Table),
}

impl<'a> Which<'a> {
    fn table(self) -> &'a Table {
        let (Self::Spans(table) | Self::Logs(table) | Self::Points(_, table)) = self;
        table
    }

    /// The columns of time, and of what is told together.
    fn columns(self) -> (&'static str, &'static str) {
        match self {
            Self::Spans(_) | Self::Logs(_) => ("Timestamp", "TraceId"),
            Self::Points(..) => ("TimeUnix", "MetricName"),
        }
    }

    fn second(self) -> String {
        format!("intDiv({}, {SECOND})", nanos(self.columns().0))
    }
}

impl Loader {
    /// A piece, and where the next begins.
    pub(super) async fn dump(
        &self,
        plans: &Plans,
        range: Range,
        cursor: Option<&Cursor>,
    ) -> Result<(Batch, Option<Cursor>), StoreError> {
        let asked = Cursor::of_query(&("dump", range));
        // Records of which it is not kept when they were are told with their spans.
        let first = i64::try_from(range.from.0 / SECOND).unwrap_or(i64::MAX).max(1);
        let begin = |table| At { table, second: first, behind: None };
        let mut at = cursor.map_or(Ok(begin(0)), |cursor| At::read(cursor, asked))?;
        let mut batch = Batch { received: Nanos::now(), ..Batch::default() };
        let began = Instant::now();
        loop {
            let Some(which) = self.which(at.table) else {
                facts::know(&mut batch, self.db.pricing.as_ref());
                return Ok((batch, None));
            };
            let Some((groups, then)) = self.groups(plans, asked, range, which, &at).await? else {
                at = begin(at.table.saturating_add(1));
                continue;
            };
            self.fetch(which, range, &groups, &mut batch).await?;
            at = then;
            if batch.bytes >= MOST_BYTES || began.elapsed() > LONG {
                facts::know(&mut batch, self.db.pricing.as_ref());
                return Ok((batch, Some(at.cursor(asked))));
            }
        }
    }

    /// The tables in the order in which they are told. A place outlives the process, so that one that is not there has its
    /// number all the same.
    fn which(&self, number: u8) -> Option<Which<'_>> {
        let traces = self.tables.traces.as_ref().map(Which::Spans);
        let logs = self.tables.logs.as_ref().map(Which::Logs);
        let points = self.tables.metrics.iter().map(|(kind, table)| Which::Points(*kind, table));
        traces.into_iter().chain(logs).chain(points).nth(number.into())
    }

    /// The next groups, and the place behind them; none if the table has no more.
    async fn groups(
        &self,
        plans: &Plans,
        asked: u64,
        range: Range,
        which: Which<'_>,
        at: &At,
    ) -> Result<Option<(Vec<Group>, At)>, StoreError> {
        let (known, length) = {
            let mut plans = plans.0.lock().unwrap_or_else(PoisonError::into_inner);
            let known = plans.0.take().filter(|plan| plan.asked == asked && plan.from == *at);
            (known, plans.1)
        };
        let (mut plan, length) = match known {
            Some(plan) => (plan, length),
            None => match self.count_groups(asked, range, which, at, length).await? {
                Some(counted) => counted,
                None => return Ok(None),
            },
        };
        let mut rows = 0;
        let fits = plan.groups.iter().take_while(|group| {
            rows += group.rows;
            rows <= MOST_ROWS
        });
        let these: Vec<Group> = {
            let count = fits.count().max(1).min(plan.groups.len());
            plan.groups.drain(..count).collect()
        };
        let then = match these.last() {
            Some(last) if !plan.groups.is_empty() => {
                At { table: at.table, second: last.second, behind: Some(last.key.clone()) }
            }
            _ => plan.then.clone(),
        };
        plan.from = then.clone();
        let rest = (!plan.groups.is_empty()).then_some(plan);
        *plans.0.lock().unwrap_or_else(PoisonError::into_inner) = (rest, length);
        Ok(Some((these, then)))
    }

    /// Counts what comes next; with how many seconds could be counted.
    async fn count_groups(
        &self,
        asked: u64,
        range: Range,
        which: Which<'_>,
        at: &At,
        mut length: i64,
    ) -> Result<Option<(Plan, i64)>, StoreError> {
        let (time, key) = which.columns();
        let last = i64::try_from(range.to.0.div_ceil(SECOND)).unwrap_or(i64::MAX);
        let name = which.table().name;
        let second = which.second();
        let sql = format!(
            "SELECT minOrNull({second}) FROM {name} WHERE {time} >= {} AND {time} < {}",
            moment(at.second),
            moment(last)
        );
        let Some(first) = self.db.one::<Option<i64>>(&sql).await?.flatten() else { return Ok(None) };
        loop {
            // Up to the end of its day: that is a file of its own.
            let end = (first / length).saturating_add(1).saturating_mul(length).min(last);
            let mut of = Where::default();
            of.and(within(time, first, end, range));
            let whole = match which {
                Which::Spans(table) => {
                    of.and(self.chosen(table, first, end));
                    "toUInt8(1)".to_owned()
                }
                Which::Logs(table) => {
                    let chosen = self.tables.traces.as_ref().map(|traces| self.chosen(traces, first, end));
                    let chosen = chosen.unwrap_or_else(|| "0".to_owned());
                    of.and(format!("({} OR {chosen})", telling(table)));
                    format!("toUInt8(max({chosen}))")
                }
                Which::Points(..) => {
                    of.and(format!("match(MetricName, '{EVENTS}')"));
                    "toUInt8(1)".to_owned()
                }
            };
            if let Some(behind) = &at.behind {
                let text = of.text(behind);
                of.and(format!("({second}, toString({key})) > ({}, {text})", at.second));
            }
            let sql = format!(
                "SELECT toInt64({second}) AS second, toString({key}) AS key, count() AS rows, {whole} AS whole
                 FROM {name} WHERE {} GROUP BY second, key ORDER BY second, key LIMIT {MOST_GROUPS}",
                of.sql()
            );
            let mut groups = Vec::new();
            let counted = self
                .db
                .each::<Group>(of.query(&self.db, &sql), |group| {
                    groups.push(group);
                    Ok(())
                })
                .await;
            match counted {
                Ok(()) => {}
                // Less of it may be counted in time.
                Err(StoreError::Timeout(_) | StoreError::BadQuery(_)) if length > LEAST => {
                    length /= 4;
                    continue;
                }
                Err(error) => return Err(error),
            }
            let then = match groups.last() {
                Some(Group { second, key, .. }) if groups.len() == MOST_GROUPS => {
                    At { table: at.table, second: *second, behind: Some(key.clone()) }
                }
                _ => At { table: at.table, second: end, behind: None },
            };
            return Ok(Some((Plan { asked, from: at.clone(), groups, then }, length)));
        }
    }

    /// The traces that have spans of generative AI in some seconds, and a day before and after.
    fn chosen(&self, table: &Table, first: i64, end: i64) -> String {
        let day = i64::try_from(DAY / SECOND).unwrap_or_default();
        format!(
            "TraceId IN (SELECT TraceId FROM {} WHERE Timestamp >= {} AND Timestamp < {} AND {})",
            table.name,
            moment(first.saturating_sub(day).max(0)),
            moment(end.saturating_add(day)),
            marked(table)
        )
    }

    /// Adds the records of some groups, which follow each other.
    async fn fetch(
        &self,
        which: Which<'_>,
        range: Range,
        groups: &[Group],
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        let (Some(first), Some(last)) = (groups.first(), groups.last()) else { return Ok(()) };
        let (time, column) = which.columns();
        let mut of = Where::default();
        of.and(within(time, first.second, last.second.saturating_add(1), range));
        let (from, to) = (of.text(&first.key), of.text(&last.key));
        let place = format!("({}, toString({column}))", which.second());
        of.and(format!("{place} >= ({}, {from}) AND {place} <= ({}, {to})", first.second, last.second));
        let mut whole: Vec<&str> =
            groups.iter().filter(|group| group.whole == 1).map(|group| group.key.as_str()).collect();
        whole.sort_unstable();
        whole.dedup();
        let whole: Vec<String> = whole
            .into_iter()
            .map(|key| match key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) {
                true => format!("'{key}'"),
                false => of.text(key),
            })
            .collect();
        let one_of = match whole.as_slice() {
            [] => "0".to_owned(),
            keys => format!("{column} IN ({})", keys.join(",")),
        };
        let mut maker = Maker::default();
        match which {
            Which::Spans(table) => {
                of.and(&one_of);
                let sql = format!("SELECT {} FROM {} WHERE {}", span_columns(table), table.name, of.sql());
                let mut ends = Ends::new();
                self.db
                    .each::<SpanTold<'_>>(of.query(&self.db, &sql), |told| {
                        maker.add_span(table, &told, &mut ends, batch);
                        Ok(())
                    })
                    .await?;
                let Some(logs) = &self.tables.logs else { return Ok(()) };
                self.told_at_no_time(logs, &ends, batch).await
            }
            Which::Logs(table) => {
                of.and(format!("({} OR {one_of})", telling(table)));
                let sql = format!("SELECT {} FROM {} WHERE {}", log_columns(table), table.name, of.sql());
                let ends = Ends::new();
                self.db
                    .each::<LogTold<'_>>(of.query(&self.db, &sql), |told| {
                        maker.add_log(table, &told, &ends, batch);
                        Ok(())
                    })
                    .await
            }
            Which::Points(kind, table) => {
                of.and(&one_of);
                let columns = points::columns(table);
                let sql = format!("SELECT {columns} FROM {} WHERE {}", table.name, of.sql());
                self.db
                    .each::<PointTold<'_>>(of.query(&self.db, &sql), |told| {
                        told.add(&mut maker, kind, table, batch);
                        Ok(())
                    })
                    .await
            }
        }
    }

    /// Adds the log records of some spans of which it is not kept when they were.
    async fn told_at_no_time(&self, table: &Table, ends: &Ends, batch: &mut Batch) -> Result<(), StoreError> {
        let traces: BTreeSet<TraceId> = ends.keys().map(|(trace, _)| *trace).collect();
        if traces.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "SELECT {} FROM {} WHERE {} AND {}",
            log_columns(table),
            table.name,
            without_time(),
            any_trace(&traces)
        );
        let mut maker = Maker::default();
        self.db
            .each::<LogTold<'_>>(self.db.client.query_raw(&sql), |told| {
                maker.add_log(table, &told, ends, batch);
                Ok(())
            })
            .await
    }
}

/// A second in a query.
fn moment(second: i64) -> String {
    at(u64::try_from(second).unwrap_or(0).saturating_mul(SECOND))
}

/// From a second up to another, as far as it is in a range.
fn within(time: &str, first: i64, end: i64, range: Range) -> String {
    format!(
        "{time} >= {} AND {time} < {} AND {time} >= {} AND {time} < {}",
        moment(first),
        moment(end),
        at(range.from.0),
        at(range.to.0)
    )
}
