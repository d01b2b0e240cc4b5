//! Everything of a range, piece by piece: day by day its spans, then its log records, then its points.

use std::sync::Arc;

use prost::Message as _;
use rusqlite::{Row, params};

use super::content::Shelf;
use super::fault;
use super::list::may_have;
use super::metrics::read_series;
use super::point::read_point;
use super::read;
use super::reader::{File, Reader};
use super::segment::number;
use crate::cursor::{Cursor, Position};
use crate::error::StoreError;
use crate::id::{Day, Nanos, TraceId};
use crate::metric::{Point, Series};
use crate::query::Range;
use crate::store::Batch;

/// A piece is about so large; a single record may be larger.
const MOST_BYTES: usize = 4 << 20;

/// What comes next, as [`Position::value`]; from 0 on it is the time of the last point of the series in the row.
const SPANS: i64 = -3;
const LOGS: i64 = -2;
const POINTS: i64 = -1;

/// A piece, and where the next begins.
pub(super) fn dump(
    reader: &mut Reader,
    range: Range,
    cursor: Option<&Cursor>,
) -> Result<(Batch, Option<Cursor>), StoreError> {
    let asked = Cursor::of_query(&("dump", range));
    let first = Position { value: SPANS, day: Day(i32::MIN), row: 0 };
    let from = cursor.map_or(Ok(first), |cursor| cursor.position(asked))?;
    let mut batch = Batch { received: Nanos::now(), ..Batch::default() };
    for day in reader.days()? {
        if day < from.day || !may_have(day, range) {
            continue;
        }
        let Some(file) = reader.file(day)? else { continue };
        let mut at = if day == from.day { from } else { Position { day, ..first } };
        while let Some(next) = fill(&file, range, at, &mut batch)? {
            at = next;
            if batch.bytes >= MOST_BYTES {
                return Ok((batch, Some(Cursor::new(at, asked))));
            }
        }
    }
    Ok((batch, None))
}

/// The last moment of a range: of all time, one that is beyond SQLite's numbers, too.
fn last(range: Range) -> i64 {
    range.to.0.checked_sub(1).map_or(-1, number)
}

/// Adds records of one kind behind a position; `None` when the file has no more.
fn fill(file: &File, range: Range, at: Position, batch: &mut Batch) -> Result<Option<Position>, StoreError> {
    let bounds = (number(range.from.0), last(range));
    let rows = match at.value {
        SPANS => records(file, &span_rows(), bounds, at.row, batch, span)?,
        LOGS => records(file, LOG_ROWS, bounds, at.row, batch, log)?,
        _ => return points(file, bounds, at, batch),
    };
    // Spans come first, then log records, then points.
    Ok(Some(rows.map_or(Position { value: at.value + 1, row: 0, ..at }, |row| Position { row, ..at })))
}

const LOG_ROWS: &str = "SELECT id, time_ns, received_ns, trace_id, origin, rest, refs FROM log
     WHERE id > ? AND time_ns >= ? AND time_ns <= ? ORDER BY id";

fn span_rows() -> String {
    format!(
        "SELECT {}, (SELECT trace_id FROM trace WHERE trace.id = span.trace), id
         FROM span WHERE id > ? AND start_ns >= ? AND start_ns <= ? ORDER BY id",
        read::whole_columns()
    )
}

/// Adds the records of a table; the last row, if there may be others behind it.
fn records(
    file: &File,
    sql: &str,
    (from, to): (i64, i64),
    after: i64,
    batch: &mut Batch,
    add: fn(&File, &mut Shelf, &Row<'_>, &mut Batch) -> Result<(), StoreError>,
) -> Result<Option<i64>, StoreError> {
    let told = |error| file.fault(error);
    let mut find = file.connection.prepare_cached(sql).map_err(told)?;
    let mut rows = find.query(params![after, from, to]).map_err(told)?;
    let mut shelf = Shelf::default();
    while let Some(row) = rows.next().map_err(told)? {
        add(file, &mut shelf, row, batch)?;
        if batch.bytes >= MOST_BYTES {
            return row.get("id").map(Some).map_err(told);
        }
    }
    Ok(None)
}

fn span(file: &File, shelf: &mut Shelf, row: &Row<'_>, batch: &mut Batch) -> Result<(), StoreError> {
    let told = |error| file.fault(error);
    let trace = row.get_ref(read::BEHIND_WHOLE).map_err(told)?.as_blob_or_null();
    let trace = trace.ok().flatten().and_then(TraceId::new);
    let key = trace.and_then(|trace| read::key(trace, row).transpose()).transpose().map_err(told)?;
    if let Some(key) = key {
        let span = read::whole(file, shelf, key, row)?;
        batch.bytes += span.to_otlp().encoded_len();
        batch.spans.push(span);
    }
    Ok(())
}

fn log(file: &File, shelf: &mut Shelf, row: &Row<'_>, batch: &mut Batch) -> Result<(), StoreError> {
    let log = read::log(file, shelf, row)?;
    batch.bytes += log.to_otlp().encoded_len();
    batch.logs.push(log);
    Ok(())
}

/// The points of the series at hand, or of the next.
fn points(
    file: &File,
    (from, to): (i64, i64),
    at: Position,
    batch: &mut Batch,
) -> Result<Option<Position>, StoreError> {
    let told = |error| file.fault(error);
    // A series of which all points are told has no time.
    let (compare, after) = if at.value < 0 { (">", i64::MIN) } else { (">=", at.value) };
    let sql = format!("SELECT id, name, origin, body FROM series WHERE id {compare} ? ORDER BY id LIMIT 1");
    let mut find = file.connection.prepare_cached(&sql).map_err(told)?;
    let mut rows = find.query([at.row]).map_err(told)?;
    let Some(row) = rows.next().map_err(told)? else { return Ok(None) };
    let id: i64 = row.get("id").map_err(told)?;
    let after = if id == at.row { after } else { i64::MIN };
    let series: Arc<Series> = Arc::new(read_series(file, row)?);
    let mut list: Vec<Point> = Vec::new();
    let mut next = Position { value: POINTS, row: id, ..at };
    let mut find = file
        .connection
        .prepare_cached(
            "SELECT time_ns, body FROM point WHERE series = ? AND time_ns > ? AND time_ns >= ? AND time_ns <= ?
             ORDER BY time_ns, start_ns",
        )
        .map_err(told)?;
    let mut rows = find.query([id, after, from, to]).map_err(told)?;
    let mut last = None;
    while let Some(row) = rows.next().map_err(told)? {
        let time: i64 = row.get(0).map_err(told)?;
        // Points of one moment stay together.
        if batch.bytes >= MOST_BYTES && last != Some(time) {
            next.value = last.unwrap_or(time.saturating_sub(1)).max(0);
            break;
        }
        let body =
            row.get_ref(1).map_err(told)?.as_blob().map_err(|_| fault::unreadable("cannot read a point"))?;
        batch.bytes += body.len();
        list.push(read_point(body).ok_or_else(|| fault::unreadable("cannot read a point"))?);
        last = Some(time);
    }
    if !list.is_empty() {
        batch.points.push((series, list));
    }
    Ok(Some(next))
}
