//! What is answered from the day files.

use opentelemetry_proto::tonic::{logs::v1 as otlp_logs, trace::v1 as otlp_trace};
use prost::Message as _;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension as _, Row, params, params_from_iter};

use super::content::Shelf;
use super::fault;
use super::filter::{Where, int};
use super::list::MOST_ON_PAGE;
use super::reader::{File, Reader};
use super::record;
use super::rest::unpack;
use super::schema::{self, INDEXED_CONTENT, INDEXED_LOG};
use super::search::{self, Matching};
use crate::cursor::{Cursor, Position};
use crate::error::StoreError;
use crate::facts::{Facts, Op};
use crate::id::{Day, LogId, Nanos, SpanId, SpanKey, TraceId};
use crate::log::LogRecord;
use crate::pack;
use crate::query::{LogQuery, Page, StoreStatus, Which};
use crate::span::{Span, SpanRow, SpanState};

/// The first spans of a trace have so much content at most.
const MOST_CONTENT: usize = 256 << 20;
/// An answer has at most so many rows of one trace.
const MOST_ROWS: u32 = 50_000;

/// The files that have a trace, oldest first, and its row in each.
fn files_of(reader: &mut Reader, trace: TraceId) -> Result<Vec<(std::rc::Rc<File>, i64)>, StoreError> {
    let mut files = Vec::new();
    for day in reader.days()? {
        let Some(file) = reader.file(day)? else { continue };
        let row = (|| {
            let mut find = file.connection.prepare_cached("SELECT id FROM trace WHERE trace_id = ?")?;
            find.query_row([trace.bytes()], |row| row.get(0)).optional()
        })();
        if let Some(row) = row.map_err(|error| file.fault(error))? {
            files.push((file, row));
        }
    }
    Ok(files)
}

/// The rows of a trace by their start.
pub(super) fn rows(
    reader: &mut Reader,
    trace: TraceId,
    limit: u32,
    cursor: Option<&Cursor>,
) -> Result<Page<SpanRow>, StoreError> {
    let asked = Cursor::of_query(&("rows", trace));
    let from = cursor.map(|cursor| cursor.position(asked)).transpose()?;
    let limit = limit.clamp(1, MOST_ROWS) as usize;
    let mut page = Page { items: Vec::new(), next: None, total: Some(0) };
    let mut last = None;
    for (file, row) in files_of(reader, trace)? {
        let told = |error| file.fault(error);
        let count = (|| {
            let mut count = file.connection.prepare_cached("SELECT spans FROM trace WHERE id = ?")?;
            count.query_row([row], |row| row.get::<_, u32>(0))
        })();
        page.total = page.total.zip(Some(u64::from(count.map_err(told)?))).map(|(sum, more)| sum + more);
        if page.next.is_some() || from.is_some_and(|from| file.day < from.day) {
            continue;
        }
        let from =
            from.filter(|from| from.day == file.day).map_or((i64::MIN, 0), |from| (from.value, from.row));
        let sql = format!(
            "SELECT {}, span_id, variant, parent, origin, id, start_ns, end_ns, name, kind, status, state, events, links
             FROM span WHERE trace = ? AND (start_ns, id) > (?, ?) ORDER BY start_ns, id LIMIT ?",
            record::FACTS
        );
        let mut find = file.connection.prepare_cached(&sql).map_err(told)?;
        // One more says that there are more.
        let most = i64::try_from(limit - page.items.len()).unwrap_or(i64::MAX).saturating_add(1);
        let mut rows = find.query(params![row, from.0, from.1, most]).map_err(told)?;
        while let Some(row) = rows.next().map_err(told)? {
            if page.items.len() == limit {
                page.next = last.map(|position| Cursor::new(position, asked));
                break;
            }
            let Some(item) = span_row(&file, trace, row)? else { continue };
            last = Some(Position {
                value: row.get(START).map_err(told)?,
                day: file.day,
                row: row.get(ID).map_err(told)?,
            });
            page.items.push(item);
        }
    }
    Ok(page)
}

/// Where the columns stand behind those of the facts: in every query of spans these,
const SPAN: usize = record::WIDTH;
const VARIANT: usize = SPAN + 1;
const PARENT: usize = SPAN + 2;
const ORIGIN: usize = SPAN + 3;
/// then those of a row,
const ID: usize = SPAN + 4;
const START: usize = SPAN + 5;
/// or those of a whole span.
const RECEIVED: usize = SPAN + 4;
const REST: usize = SPAN + 5;
const REFS: usize = SPAN + 6;

/// What [`whole`] reads. More may follow, from [`BEHIND_WHOLE`] on.
pub(super) fn whole_columns() -> String {
    format!("{}, span_id, variant, parent, origin, received_ns, rest, refs", record::FACTS)
}

/// The first column behind [`whole_columns`].
pub(super) const BEHIND_WHOLE: usize = REFS + 1;

fn span_row(file: &File, trace: TraceId, row: &Row<'_>) -> Result<Option<SpanRow>, StoreError> {
    let told = |error| file.fault(error);
    let Some(key) = key(trace, row).map_err(told)? else { return Ok(None) };
    let origin = file.origin(row.get(ORIGIN).map_err(told)?)?;
    let moment = |at: usize| row.get::<_, i64>(at).map(|moment| Nanos(u64::try_from(moment).unwrap_or(0)));
    let read = || -> rusqlite::Result<SpanRow> {
        let running = row.get::<_, u8>(START + 5)? == SpanState::Running as u8;
        Ok(SpanRow {
            key,
            parent: row.get_ref(PARENT)?.as_blob_or_null()?.and_then(SpanId::new),
            name: file.word(row.get(START + 2)?)?,
            service: std::sync::Arc::clone(&origin.resource.service),
            scope: std::sync::Arc::clone(&origin.scope.name),
            kind: row.get(START + 3)?,
            start: moment(START)?,
            end: moment(START + 1)?,
            state: if running { SpanState::Running } else { SpanState::Ended },
            error: row.get::<_, i32>(START + 4)? == otlp_trace::status::StatusCode::Error as i32,
            n_events: row.get(START + 6)?,
            n_links: row.get(START + 7)?,
            facts: facts(file, row)?,
        })
    };
    read().map(Some).map_err(told)
}

pub(super) fn key(trace: TraceId, row: &Row<'_>) -> rusqlite::Result<Option<SpanKey>> {
    let variant = row.get(VARIANT)?;
    Ok(SpanId::new(row.get_ref(SPAN)?.as_blob()?).map(|span| SpanKey { trace, span, variant }))
}

fn facts(file: &File, row: &Row<'_>) -> rusqlite::Result<Facts> {
    record::facts(row, &mut |id| file.word(id))
}

/// Whole spans by their start.
pub(super) fn spans(reader: &mut Reader, trace: TraceId, which: &Which) -> Result<Vec<Span>, StoreError> {
    let mut all = Where::default();
    match which {
        Which::All => {}
        Which::First { genai: true, .. } => all.and("op < ?", [Value::Integer(Op::Http as i64)]),
        Which::First { .. } => {}
        // Few are asked for one by one; with many it is cheaper to read all.
        Which::Only(ids) if ids.len() <= 500 => {
            let marks = vec!["?"; ids.len()].join(",");
            all.and(format!("span_id IN ({marks})"), ids.iter().map(|id| Value::Blob(id.bytes().to_vec())));
        }
        Which::Only(_) => {}
    }
    let wanted = |span: SpanId| match which {
        Which::Only(ids) => ids.len() <= 500 || ids.contains(&span),
        _ => true,
    };
    let (most, most_bytes) = match which {
        Which::First { spans, .. } => (*spans as usize, MOST_CONTENT),
        _ => (usize::MAX, usize::MAX),
    };
    let (mut spans, mut shelf) = (Vec::new(), Shelf::default());
    for (file, row) in files_of(reader, trace)? {
        let told = |error| file.fault(error);
        let sql = format!(
            "SELECT {} FROM span WHERE {} AND trace = ? ORDER BY start_ns, id LIMIT ?",
            whole_columns(),
            all.sql()
        );
        let mut find = file.connection.prepare_cached(&sql).map_err(told)?;
        let left = i64::try_from(most - spans.len()).unwrap_or(i64::MAX);
        let values = all.values.iter().cloned().chain([row.into(), left.into()]);
        let mut rows = find.query(params_from_iter(values)).map_err(told)?;
        while let Some(row) = rows.next().map_err(told)? {
            if shelf.bytes() > most_bytes {
                return Ok(spans);
            }
            let Some(key) = key(trace, row).map_err(told)?.filter(|key| wanted(key.span)) else { continue };
            spans.push(whole(&file, &mut shelf, key, row)?);
        }
    }
    Ok(spans)
}

pub(super) fn whole(file: &File, shelf: &mut Shelf, key: SpanKey, row: &Row<'_>) -> Result<Span, StoreError> {
    let told = |error| file.fault(error);
    let damaged = || fault::unreadable("cannot read a span");
    let origin = file.origin(row.get(ORIGIN).map_err(told)?)?;
    let received = row.get::<_, i64>(RECEIVED).map_err(told)?;
    let rest =
        unpack(row.get_ref(REST).map_err(told)?.as_blob().map_err(|_| damaged())?).ok_or_else(damaged)?;
    let mut bytes = otlp_trace::Span::decode(rest.as_ref()).map_err(|_| damaged())?;
    if bytes.trace_id.is_empty() {
        bytes.trace_id = key.trace.bytes().to_vec();
        bytes.span_id = key.span.bytes().to_vec();
        let parent = row.get_ref(PARENT).map_err(told)?.as_blob_or_null().map_err(|_| damaged())?;
        bytes.parent_span_id = parent.map(<[u8]>::to_vec).unwrap_or_default();
    }
    let received = Nanos(u64::try_from(received).unwrap_or(0));
    let refs = row.get_ref(REFS).map_err(told)?.as_blob_or_null().map_err(|_| damaged())?;
    let holes = shelf.holes(file, refs)?;
    let mut fill = |value| pack::filled(value, &holes);
    let mut span = Span::from_otlp_with(bytes, &origin, received, &mut fill).map_err(|_| damaged())?;
    span.key = key;
    span.facts = facts(file, row).map_err(told)?;
    Ok(span)
}

/// Log records: of one trace oldest first, else newest first.
pub(super) fn logs(reader: &mut Reader, query: &LogQuery) -> Result<Page<LogRecord>, StoreError> {
    let matching = query.text.as_deref().map(Matching::new).transpose()?;
    let LogQuery { id, range, trace, span, event, min_severity, service, text, .. } = query;
    let asked = Cursor::of_query(&(id, range, trace, span, event, min_severity, service, text));
    let from = query.cursor.as_ref().map(|cursor| cursor.position(asked)).transpose()?;
    let ascending = trace.is_some();
    let limit = query.limit.clamp(1, if ascending { MOST_ROWS } else { MOST_ON_PAGE }) as usize;
    let mut days = reader.days()?;
    if !ascending {
        days.reverse();
    }
    let passed = |day: Day| from.is_some_and(|from| if ascending { day < from.day } else { day > from.day });
    days.retain(|day| id.is_none_or(|id| id.day == *day));
    let mut page = Page { items: Vec::new(), next: None, total: None };
    let mut shelf = Shelf::default();
    let mut last = None;
    for day in days.into_iter().filter(|day| !passed(*day)) {
        let Some(file) = reader.file(day)? else { continue };
        let told = |error| file.fault(error);
        let Some(mut all) = log_conditions(&file, query).map_err(told)? else { continue };
        if let Some(matching) = matching.as_ref().filter(|_| trace.is_none()) {
            all.and(search::IN_LIST, [search::list(&matching.logs(reader, &file)?)]);
        }
        let (sign, order) = if ascending { (">", "ASC") } else { ("<", "DESC") };
        if let Some(from) = from.filter(|from| from.day == day) {
            all.and(format!("(time_ns, id) {sign} (?, ?)"), [from.value.into(), from.row.into()]);
        }
        let sql = format!(
            "SELECT id, time_ns, received_ns, trace_id, origin, rest, refs FROM log WHERE {}
             ORDER BY time_ns {order}, id {order}",
            all.sql()
        );
        let mut find = file.connection.prepare_cached(&sql).map_err(told)?;
        let mut rows = find.query(params_from_iter(&all.values)).map_err(told)?;
        while let Some(row) = rows.next().map_err(told)? {
            if page.items.len() == limit {
                page.next = last.map(|position| Cursor::new(position, asked));
                return Ok(page);
            }
            let log = log(&file, &mut shelf, row)?;
            // The records of a trace are few enough to look at.
            if matching.as_ref().is_some_and(|matching| trace.is_some() && !matching.is_in(&log)) {
                continue;
            }
            last = Some(Position { value: row.get("time_ns").map_err(told)?, day, row: log.id.row });
            page.items.push(log);
        }
    }
    Ok(page)
}

/// `None`: no record of the day can fit.
fn log_conditions(file: &File, query: &LogQuery) -> rusqlite::Result<Option<Where>> {
    let mut all = Where::default();
    if let Some(id) = query.id {
        all.and("id = ?", [id.row.into()]);
    }
    if let Some(range) = query.range {
        all.and("time_ns >= ? AND time_ns < ?", [int(range.from.0), int(range.to.0)]);
    }
    if let Some(trace) = query.trace {
        all.and("trace_id = ?", [Value::Blob(trace.bytes().to_vec())]);
    }
    if let Some(span) = query.span {
        all.and("span_id = ?", [Value::Blob(span.bytes().to_vec())]);
    }
    if let Some(least) = query.min_severity {
        all.and("severity >= ?", [Value::Integer(least.into())]);
    }
    for (names, condition) in
        [(&query.event, "event IN"), (&query.service, "origin IN (SELECT id FROM origin WHERE service IN")]
    {
        if names.is_empty() {
            continue;
        }
        let ids = names.iter().map(|name| file.id_of(name)).collect::<rusqlite::Result<Vec<_>>>()?;
        let ids: Vec<Value> = ids.into_iter().flatten().map(Value::Integer).collect();
        if ids.is_empty() {
            return Ok(None);
        }
        let close = if condition.contains('(') { "))" } else { ")" };
        all.and(format!("{condition} ({}{close}", vec!["?"; ids.len()].join(",")), ids);
    }
    Ok(Some(all))
}

pub(super) fn log(file: &File, shelf: &mut Shelf, row: &Row<'_>) -> Result<LogRecord, StoreError> {
    let told = |error| file.fault(error);
    let damaged = || fault::unreadable("cannot read a log record");
    let origin = file.origin(row.get("origin").map_err(told)?)?;
    let rest =
        unpack(row.get_ref("rest").map_err(told)?.as_blob().map_err(|_| damaged())?).ok_or_else(damaged)?;
    let bytes = otlp_logs::LogRecord::decode(rest.as_ref()).map_err(|_| damaged())?;
    let received = row.get::<_, i64>("received_ns").map_err(told)?;
    let received = Nanos(u64::try_from(received).unwrap_or(0));
    let refs = row.get_ref("refs").map_err(told)?.as_blob_or_null().map_err(|_| damaged())?;
    let holes = shelf.holes(file, refs)?;
    let mut fill = |value| pack::filled(value, &holes);
    let mut log = LogRecord::from_otlp_with(bytes, &origin, received, &mut fill).map_err(|_| damaged())?;
    log.id = LogId { day: file.day, row: row.get("id").map_err(told)? };
    let trace = row.get_ref("trace_id").map_err(told)?.as_blob_or_null().map_err(|_| damaged())?;
    if let Some(session) = trace.and_then(TraceId::new) {
        log.show_in(session);
    }
    Ok(log)
}

/// How much there is.
pub(super) fn status(reader: &mut Reader) -> Result<StoreStatus, StoreError> {
    let mut status = StoreStatus { bytes: reader.bytes(), ..StoreStatus::default() };
    let days = reader.days()?;
    for day in &days {
        let Some(file) = reader.file(*day)? else { continue };
        let traces_begun = if days.first() != Some(day) {
            "SELECT (SELECT count(*) FROM trace) - (SELECT count(*) FROM trace WHERE also IN (1, 3))"
        } else {
            "SELECT count(*) FROM trace"
        };
        let count = |sql: &str| {
            file.connection.prepare_cached(sql)?.query_row([], |row| row.get::<_, Option<i64>>(0))
        };
        let counts = (|| {
            Ok([
                count("SELECT sum(spans) FROM heard")?,
                count("SELECT sum(logs) FROM heard")?,
                count("SELECT sum(points) FROM heard")?,
                // Each trace by its first day.
                count(traces_begun)?,
                count("SELECT min(start_ns) FROM trace")?,
                count("SELECT min(time_ns) FROM log")?,
            ])
        })();
        let [spans, logs, points, traces, start, time] = counts.map_err(|error| file.fault(error))?;
        let unsigned = |number: i64| u64::try_from(number).unwrap_or(0);
        let behind = |table: &str, mark: &str| {
            let last = count(&format!("SELECT max(id) FROM {table}"))?.unwrap_or(0);
            Ok::<_, rusqlite::Error>((last - schema::meta(&file.connection, mark)?).max(0))
        };
        let behind = behind("content", INDEXED_CONTENT)
            .and_then(|pieces| Ok(pieces + behind("log", INDEXED_LOG)?))
            .map_err(|error| file.fault(error))?;
        status.index_behind += u64::try_from(behind).unwrap_or(0);
        status.spans += spans.map_or(0, unsigned);
        status.logs += logs.map_or(0, unsigned);
        status.points += points.map_or(0, unsigned);
        status.traces += traces.map_or(0, unsigned);
        let oldest = start.into_iter().chain(time).min().map(|moment| Nanos(unsigned(moment)));
        status.oldest = status.oldest.into_iter().chain(oldest).min();
    }
    Ok(status)
}
