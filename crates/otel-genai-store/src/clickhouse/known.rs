//! What was stored lately, so that what comes again is told apart and content is written once a day.
//!
//! What is remembered may be gone: others delete days and traces in the same database, and an administrator drops partitions.
//! So whatever was left out of an insert is looked for before the insert is acknowledged.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use clickhouse::Row;
use serde::Deserialize;

use super::calls::{HOUR_SECONDS, time};
use super::line::{self, number, row};
use super::read::{Db, fixed, hours, one_of};
use super::writer::Job;
use crate::error::StoreError;
use crate::id::{SpanId, TraceId};
use crate::recent::Recent;

/// So many records are remembered as stored, and once or twice as many: who was not answered sends again soon.
const MOST_RECORDS: usize = 32 << 10;
/// Likewise of pieces: what a conversation begins with comes again as long as it goes on.
const MOST_PIECES: usize = 64 << 10;
/// Of a day so many pieces stand for all: they go together, but on several servers each has its share.
const WITNESSES: usize = 4;
/// So many are looked for at a time.
const AT_A_TIME: usize = 1_000;
/// A log record that tells neither a time nor a trace is looked for in the hours before it came, so many,
const HOURS_BEFORE: u32 = 7 * 24;
/// unless these have more records than can be looked through before each insert.
const MOST_BEFORE: &str = "50000000";

/// What is not remembered may be stored again, which changes nothing.
pub(super) struct Known {
    /// Records by what they say, and the hour that they are kept under.
    pub(super) prints: Recent<[u8; 16], u32>,
    /// How many spans with these ids have ended.
    pub(super) ended: Recent<(TraceId, SpanId), u8>,
    pieces: Recent<(u16, [u8; 16]), ()>,
    witnesses: BTreeMap<u16, Vec<[u8; 16]>>,
}

/// The trace of a span, and the hash of all that it says.
type SpanKey = ([u8; 16], [u8; 16]);
/// The series of a point, its time, and when it began.
type PointKey = ([u8; 16], i64, i64);

/// What an insert leaves out because it is taken for stored.
#[derive(Default)]
pub(super) struct LeftOut {
    /// By their hours.
    spans: BTreeMap<u32, BTreeSet<SpanKey>>,
    logs: BTreeMap<u32, BTreeSet<i64>>,
    points: BTreeMap<u32, BTreeSet<PointKey>>,
    /// Days of which pieces are left out.
    days: BTreeSet<u16>,
}

impl LeftOut {
    pub(super) fn span(&mut self, hour: u32, trace: TraceId, print: [u8; 16]) {
        self.spans.entry(hour).or_default().insert((*trace.bytes(), print));
    }

    pub(super) fn log(&mut self, hour: u32, row: i64) {
        self.logs.entry(hour).or_default().insert(row);
    }

    pub(super) fn point(&mut self, hour: u32, series: [u8; 16], time: i64, start: i64) {
        self.points.entry(hour).or_default().insert((series, time, start));
    }
}

#[derive(Row, Deserialize)]
struct Placed {
    print: [u8; 16],
    hour: u32,
}

#[derive(Row, Deserialize)]
struct PlacedRow {
    row: i64,
    hour: u32,
}

#[derive(Row, Deserialize)]
struct PlacedPoint {
    series: [u8; 16],
    time_ns: i64,
    start_ns: i64,
    hour: u32,
}

impl Known {
    pub(super) fn new() -> Self {
        Self {
            prints: Recent::new(MOST_RECORDS),
            ended: Recent::new(MOST_RECORDS),
            pieces: Recent::new(MOST_PIECES),
            witnesses: BTreeMap::new(),
        }
    }

    /// Whether this is new, of a day; from now on it is not.
    pub(super) fn is_new(&mut self, day: u16, hash: [u8; 16], left_out: &mut LeftOut) -> bool {
        if self.pieces.get(&(day, hash)).is_some() {
            left_out.days.insert(day);
            return false;
        }
        self.pieces.insert((day, hash), ());
        true
    }

    /// The same of a piece of content.
    pub(super) fn is_new_piece(&mut self, day: u16, hash: [u8; 16], left_out: &mut LeftOut) -> bool {
        let new = self.is_new(day, hash, left_out);
        if new {
            let witnesses = self.witnesses.entry(day).or_default();
            if witnesses.len() < WITNESSES {
                witnesses.push(hash);
            }
        }
        new
    }

    /// Whether everything that was left out is there.
    pub(super) async fn holds(&self, db: &Db, left_out: &LeftOut) -> Result<bool, StoreError> {
        let LeftOut { spans, logs, points, days } = left_out;
        let witnesses: Vec<(u16, &Vec<[u8; 16]>)> =
            days.iter().filter_map(|day| Some((*day, self.witnesses.get(day)?))).collect();
        if !witnesses.is_empty() {
            let of = |(day, hashes): &(u16, &Vec<[u8; 16]>)| {
                let one_of = one_of("hash", hashes.iter().map(<[u8; 16]>::as_slice));
                format!("day = toDate({day}) AND {one_of}")
            };
            let of: Vec<String> = witnesses.iter().map(of).collect();
            let sql = format!("SELECT uniqExact(day, hash) FROM piece WHERE {}", of.join(" OR "));
            let wanted = witnesses.iter().map(|(_, hashes)| hashes.len()).sum();
            if !db.counts(&sql, wanted).await? {
                return Ok(false);
            }
        }
        let all_are_there = db
            .has_all(spans, |hour, some| {
                let traces: BTreeSet<&[u8]> = some.iter().map(|(trace, _)| trace.as_slice()).collect();
                format!(
                    "SELECT uniqExact(print) FROM span WHERE hour = {hour} AND {} AND {}",
                    one_of("trace_id", traces),
                    one_of("print", some.iter().map(|(_, print)| print.as_slice()))
                )
            })
            .await?
            && db
                .has_all(logs, |hour, some| {
                    let rows = numbers("row", some.iter().copied());
                    format!("SELECT uniqExact(row) FROM log WHERE hour = {hour} AND {rows}")
                })
                .await?
            && db
                .has_all(points, |hour, some| {
                    let points = any_point(some.iter().copied());
                    format!("SELECT uniqExact(series, time_ns, start_ns) FROM point WHERE hour = {hour} AND {points}")
                })
                .await?;
        Ok(all_are_there)
    }

    /// Looks for records that are kept under the hour of their reception, for they tell no time that can be: sent again, they
    /// would stand in another hour, too. Tells whether there are spans and log records of that kind.
    pub(super) async fn look_for(&mut self, db: &Db, jobs: &[Job]) -> Result<bool, StoreError> {
        let (mut spans, mut logs, mut points) = (Vec::new(), Vec::new(), Vec::new());
        for Job { batch, pressed, .. } in jobs {
            for (span, record) in batch.spans.iter().zip(&pressed.spans) {
                if line::has_no_hour(span.start, span.received) && self.prints.get(&record.print).is_none() {
                    spans.push((*span.key.trace.bytes(), record.print));
                }
            }
            for (log, record) in batch.logs.iter().zip(&pressed.logs) {
                let told = log.time.or(log.observed);
                if line::has_no_hour(told, log.received) && self.prints.get(&record.print).is_none() {
                    logs.push((log, told, record.print));
                }
            }
            for ((_, of_series), heard) in batch.points.iter().zip(&pressed.points) {
                for point in of_series {
                    let key = (heard.hash, number(point.time.0), number(point.start.0));
                    // One without any time is another whenever it comes.
                    if point.time.0 > 0
                        && line::has_no_hour(point.time, batch.received)
                        && self.prints.get(&super::point::print(&key.0, key.1, key.2)).is_none()
                    {
                        points.push(key);
                    }
                }
            }
        }
        for some in spans.chunks(AT_A_TIME) {
            let traces: BTreeSet<&[u8]> = some.iter().map(|(trace, _)| trace.as_slice()).collect();
            let of = one_of("trace_id", traces);
            let prints = one_of("print", some.iter().map(|(_, print)| print.as_slice()));
            let sql = format!(
                "SELECT print, toUnixTimestamp(hour) AS hour FROM span WHERE {of} AND {} AND {prints}",
                hours(&of)
            );
            db.each::<Placed>(db.client.query_raw(&sql), |Placed { print, hour }| {
                self.prints.insert(print, hour);
                Ok(())
            })
            .await?;
        }
        for some in logs.chunks(AT_A_TIME) {
            let by_row: HashMap<i64, [u8; 16]> =
                some.iter().map(|(_, _, print)| (row(print), *print)).collect();
            let rows = numbers("row", by_row.keys());
            let traces: BTreeSet<&[u8]> = some
                .iter()
                .filter_map(|(log, ..)| log.trace.as_ref())
                .map(|id| id.bytes().as_slice())
                .collect();
            let of = one_of("trace_id", traces);
            let times: BTreeSet<i64> =
                some.iter().filter(|(_, told, _)| told.0 > 0).map(|(_, told, _)| number(told.0)).collect();
            let came = some.iter().map(|(log, ..)| line::hour(log.received, log.received));
            let since = came.min().unwrap_or_default().saturating_sub(HOURS_BEFORE * HOUR_SECONDS);
            let sql = format!(
                "SELECT row, toUnixTimestamp(hour) AS hour FROM log WHERE {rows}
                   AND ({of} AND {} OR {} OR hour >= {})",
                hours(&of),
                numbers("time_ns", &times),
                time(since)
            );
            let look = db.client.query_raw(&sql).with_setting("max_rows_to_read", MOST_BEFORE);
            let looked = db.each::<PlacedRow>(look, |PlacedRow { row, hour }| {
                if let Some(print) = by_row.get(&row) {
                    self.prints.insert(*print, hour);
                }
                Ok(())
            });
            match looked.await {
                // Rather stored twice than refused for ever.
                Ok(()) | Err(StoreError::Timeout(_) | StoreError::BadQuery(_)) => {}
                Err(error) => return Err(error),
            }
        }
        for some in points.chunks(AT_A_TIME) {
            let sql = format!(
                "SELECT series, time_ns, start_ns, toUnixTimestamp(hour) AS hour FROM point WHERE {}",
                any_point(some)
            );
            db.each::<PlacedPoint>(
                db.client.query_raw(&sql),
                |PlacedPoint { series, time_ns, start_ns, hour }| {
                    self.prints.insert(super::point::print(&series, time_ns, start_ns), hour);
                    Ok(())
                },
            )
            .await?;
        }
        Ok(!spans.is_empty() || !logs.is_empty())
    }
}

impl Db {
    /// Whether all these are there, by their hours: `count` counts some of an hour.
    async fn has_all<K>(
        &self,
        all: &BTreeMap<u32, BTreeSet<K>>,
        count: impl Fn(&str, &[&K]) -> String,
    ) -> Result<bool, StoreError> {
        for (hour, keys) in all {
            for some in keys.iter().collect::<Vec<_>>().chunks(AT_A_TIME) {
                if !self.counts(&count(&time(*hour), some), some.len()).await? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    async fn counts(&self, sql: &str, wanted: usize) -> Result<bool, StoreError> {
        Ok(self.one::<u64>(sql).await? == Some(wanted as u64))
    }
}

fn numbers<'a>(column: &str, all: impl IntoIterator<Item = &'a i64>) -> String {
    let all: Vec<String> = all.into_iter().map(ToString::to_string).collect();
    if all.is_empty() { "0".to_owned() } else { format!("{column} IN ({})", all.join(",")) }
}

/// Points by their series and times, in the order of the table.
fn any_point<'a>(all: impl IntoIterator<Item = &'a PointKey>) -> String {
    let of = |(series, time, start): &PointKey| format!("({}, {time}, {start})", fixed(series));
    let all: Vec<String> = all.into_iter().map(of).collect();
    format!("(series, time_ns, start_ns) IN ({})", all.join(","))
}
