//! What is answered from the tables.

use bytes::Bytes;
use clickhouse::query::Query;
use clickhouse::{Client, Row, RowRead};
use opentelemetry_proto::tonic::trace::v1::{self as trace, ResourceSpans};
use prost::Message as _;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::Arc;

use super::fault::{self, Place};
use super::kept::Kept;
use super::line::{self, Half, LogLine, PieceLine, SESSION, SpanLine, WHOLE, number};
use super::once::{Told, once};
use super::search::{self, Dictionary};
use super::status::Slow;
use super::writer::ORIGIN;
use crate::cursor::{Cursor, Position};
use crate::error::StoreError;
use crate::facts::Pricing;
use crate::id::{ContentHash, Day, SpanId, TraceId};
use crate::log::LogRecord;
use crate::origin::{Origin, Resource, Scope};
use crate::query::{LogQuery, Page, Range, Which};
use crate::span::{Span, SpanRow};
use crate::value::{Form, Piece};
use crate::words::Sought;

/// A page has at most so many items,
pub(super) const MOST_ON_PAGE: u32 = 500;
/// or so many rows of one trace.
const MOST_ROWS: u32 = 50_000;
/// So many rows of spans are put in order here,
const FEW: usize = 10_000;
/// and so many whole spans.
const FEW_WHOLE: usize = 1_000;
/// So many pieces are asked for at a time.
const MOST_PIECES: usize = 5_000;
/// A row, and the print of one that tells of a session.
pub(super) type OfTrace = (SpanRow, Option<[u8; 16]>);

/// The server.
#[derive(Clone)]
pub(super) struct Db {
    pub(super) client: Client,
    pub(super) place: Place,
    pub(super) pricing: Arc<dyn Pricing>,
    pub(super) dictionary: Dictionary,
    pub(super) kept: Arc<Kept>,
    pub(super) slow: Arc<Slow>,
}

/// Conditions of a query. Text that others told goes beside the query, never into it.
#[derive(Clone, Default)]
pub(super) struct Where {
    all: Vec<String>,
    texts: Vec<String>,
}

impl Where {
    pub(super) fn and(&mut self, condition: impl Into<String>) {
        self.all.push(condition.into());
    }

    /// What stands for a text in a condition.
    pub(super) fn text(&mut self, text: impl Into<String>) -> String {
        self.texts.push(text.into());
        format!("{{t{}:String}}", self.texts.len() - 1)
    }

    /// Any of these texts; of none, anything.
    pub(super) fn any(&mut self, column: &str, texts: &[String]) {
        if let Some(any) = self.any_of(column, texts) {
            self.and(any);
        }
    }

    pub(super) fn any_of(&mut self, column: &str, texts: &[String]) -> Option<String> {
        let all: Vec<String> = texts.iter().map(|text| self.text(text)).collect();
        (!all.is_empty()).then(|| format!("{column} IN ({})", all.join(",")))
    }

    pub(super) fn range(&mut self, column: &str, range: Option<Range>) {
        if let Some(Range { from, to }) = range {
            self.and(format!("{column} >= {} AND {column} < {}", number(from.0), number(to.0)));
        }
    }

    pub(super) fn sql(&self) -> String {
        if self.all.is_empty() { "1".to_owned() } else { self.all.join(" AND ") }
    }

    /// The conditions as text, to be said within another.
    pub(super) fn take(&mut self) -> String {
        let sql = self.sql();
        self.all.clear();
        sql
    }

    pub(super) fn query(&self, db: &Db, sql: &str) -> Query {
        let query = db.client.query_raw(sql);
        self.texts
            .iter()
            .enumerate()
            .fold(query, |query, (at, text)| query.param(&format!("t{at}"), text.as_str()))
    }
}

/// Bytes in a query.
pub(super) fn bytes(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len() + 3);
    text.push_str("x'");
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text.push('\'');
    text
}

/// An id or a hash in a query, for what is compared in order.
pub(super) fn fixed(id: &[u8]) -> String {
    format!("toFixedString({}, {})", bytes(id), id.len())
}

/// Those with these bytes.
pub(super) fn one_of<'a>(column: &str, all: impl IntoIterator<Item = &'a [u8]>) -> String {
    let all: Vec<String> = all.into_iter().map(bytes).collect();
    if all.is_empty() { "0".to_owned() } else { format!("{column} IN ({})", all.join(",")) }
}

/// The numbers by which equal moments are put in order.
const SPAN_TIE: &str = "reinterpretAsInt64(substring(print, 1, 8))";

pub(super) fn span_tie(print: [u8; 16]) -> i64 {
    i64::from_le_bytes(print.first_chunk().copied().unwrap_or_default())
}

fn of_variant(mut row: SpanRow, variant: u8) -> SpanRow {
    row.key.variant = variant;
    row
}

// The methods themselves are of lines of one lifetime only.
fn row_of(line: &SpanLine<'_>) -> Result<SpanRow, StoreError> {
    line.row()
}

fn half_of(line: &SpanLine<'_>) -> Result<Half<trace::Span>, StoreError> {
    line.half()
}

/// Of what is no span but counts as one: log records of sessions.
const SPANS: &str = "state < 2";

/// Rows of some spans, as they are stored.
fn lines_sql(which: &str, whole: bool) -> String {
    let stand_in = |name: &str| WHOLE.iter().find(|(column, _)| *column == name && !whole);
    let columns: Vec<String> = SpanLine::COLUMN_NAMES
        .iter()
        .map(|name| stand_in(name).map_or((*name).to_owned(), |(_, none)| format!("{none} AS {name}")))
        .collect();
    format!("SELECT {} FROM span WHERE {which}", columns.join(", "))
}

/// Spans of some traces, each once: what was stored twice, word of a beginning whose end is there, and what is more than
/// eight of the same ids are left out.
fn spans_sql(which: &str, whole: bool) -> String {
    let names = SpanLine::COLUMN_NAMES;
    let outer: Vec<&str> = names
        .iter()
        .map(|name| if *name == "seq" { "toUInt32(if(ended > 0, nth, 0)) AS seq" } else { name })
        .collect();
    format!(
        "SELECT {outer} FROM (
           SELECT *, countIf(state = 0) OVER (PARTITION BY trace_id, span_id) AS ended,
             row_number() OVER (PARTITION BY trace_id, span_id ORDER BY state, received_ns, seq, print) - 1 AS nth,
             count() OVER (PARTITION BY trace_id, span_id) AS told
           FROM ({lines} ORDER BY received_ns, seq LIMIT 1 BY trace_id, span_id, print)
         ) WHERE multiIf(state = {SESSION}, 1, ended > 0, state = 0 AND nth < 8, nth = told - 1)",
        outer = outer.join(", "),
        lines = lines_sql(which, whole),
    )
}

/// The first and the last hour, in seconds, that records may have of which a row of the table of traces tells: those of their
/// moments, or of the whole day if there are some whose clocks were wrong.
pub(super) fn around() -> (String, String) {
    let day = "toInt64(day) * 86400";
    let right =
        format!("trace.start_ns >= {day} * 1000000000 AND trace.end_ns < ({day} + 172800) * 1000000000");
    let hour = |moment: &str| format!("intDiv({moment}, 3600000000000) * 3600");
    (
        format!("if({right}, {}, {day})", hour("trace.start_ns")),
        format!("if({right}, least({}, {day} + 82800), {day} + 82800)", hour("trace.end_ns")),
    )
}

/// When these traces were, so that little is looked at.
pub(super) fn hours(traces: &str) -> String {
    let (first, last) = around();
    let around = format!("(SELECT (min({first}), max({last})) FROM trace WHERE {traces})");
    let end = |place: u8| format!("toDateTime(tupleElement({around}, {place}), 'UTC')");
    format!("hour >= {} AND hour <= {}", end(1), end(2))
}

impl Db {
    /// Asks, and takes each row of the answer.
    pub(super) async fn each<T: Row + RowRead>(
        &self,
        query: Query,
        mut take: impl FnMut(T::Value<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let told = |error| self.place.fault(fault::READ, error);
        let work = async {
            let mut cursor = query.fetch::<T>().map_err(told)?;
            while let Some(line) = cursor.next().await.map_err(told)? {
                take(line)?;
            }
            Ok(())
        };
        let patience = self.place.patience;
        // The way there and back takes a while, too.
        let over = |_| StoreError::Timeout(patience);
        tokio::time::timeout(patience.mul_f32(1.5), work).await.map_err(over)?
    }

    /// The first row.
    pub(super) async fn one<T>(&self, sql: &str) -> Result<Option<T>, StoreError>
    where
        T: for<'a> Row<Value<'a> = T> + RowRead,
    {
        let mut found = None;
        self.each::<T>(self.client.query_raw(sql), |row| {
            found.get_or_insert(row);
            Ok(())
        })
        .await?;
        Ok(found)
    }

    /// The rows of some traces by their start, if they are no more than so many. Of one that is no span but tells of a session,
    /// the print stands with it.
    pub(super) async fn rows_of(&self, of: &str, most: usize) -> Result<Option<Vec<OfTrace>>, StoreError> {
        let read = |line: &SpanLine<'_>| Ok((line.row()?, (line.state == SESSION).then_some(line.print)));
        let rows = self.few(&lines_sql(of, false), most, read).await?;
        let told = |rows| once(rows).map(|((row, session), variant)| (of_variant(row, variant), session));
        Ok(rows.map(|rows| told(rows).collect()))
    }

    /// Rows of spans, if they are no more than so many.
    async fn few<T>(
        &self,
        sql: &str,
        most: usize,
        read: impl Fn(&SpanLine<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<Vec<Told<T>>>, StoreError> {
        let limit = if most < usize::MAX { format!(" LIMIT {}", most + 1) } else { String::new() };
        let mut rows = Vec::new();
        self.each::<SpanLine<'_>>(self.client.query_raw(&format!("{sql}{limit}")), |line| {
            rows.push(Told::new(&line, read(&line)?));
            Ok(())
        })
        .await?;
        Ok((rows.len() <= most).then_some(rows))
    }

    pub(super) async fn rows(
        &self,
        trace: TraceId,
        limit: u32,
        cursor: Option<&Cursor>,
    ) -> Result<Page<SpanRow>, StoreError> {
        let asked = Cursor::of_query(&("rows", trace));
        let from = cursor.map(|cursor| cursor.position(asked)).transpose()?;
        let limit = limit.clamp(1, MOST_ROWS) as usize;
        let of = format!("trace_id = {}", bytes(trace.bytes()));
        let which = format!("{of} AND {} AND {SPANS}", hours(&of));
        if from.is_none()
            && let Some(few) = self.few(&lines_sql(&which, false), FEW.min(limit), row_of).await?
        {
            let items: Vec<SpanRow> = once(few).map(|(row, variant)| of_variant(row, variant)).collect();
            let total = Some(items.len() as u64);
            return Ok(Page { items, next: None, total });
        }
        let all = spans_sql(&which, false);
        let rest = match from {
            Some(from) => format!("(start_ns, {SPAN_TIE}) > ({}, {})", from.value, from.row),
            None => "1".to_owned(),
        };
        let sql = format!("{all} AND {rest} ORDER BY start_ns, {SPAN_TIE} LIMIT {}", limit + 1);
        let mut page = Page { items: Vec::new(), next: None, total: None };
        let (mut last, mut more) = (None, false);
        self.each::<SpanLine<'_>>(self.client.query_raw(&sql), |line| {
            if page.items.len() == limit {
                more = true;
                return Ok(());
            }
            last = Some(Position { value: line.start_ns, day: Day(0), row: span_tie(line.print) });
            page.items.push(line.row()?);
            Ok(())
        })
        .await?;
        page.next = last.filter(|_| more).map(|position| Cursor::new(position, asked));
        page.total =
            if more || from.is_some() { self.count(&of).await? } else { Some(page.items.len() as u64) };
        Ok(page)
    }

    /// The first rows of each of these traces.
    pub(super) async fn rows_of_each(
        &self,
        traces: &[TraceId],
        limit: u32,
    ) -> Result<Vec<Page<SpanRow>>, StoreError> {
        let limit = limit.clamp(1, MOST_ROWS) as usize;
        let none = || Page { items: Vec::new(), next: None, total: None };
        let mut found: HashMap<TraceId, Page<SpanRow>> = HashMap::new();
        let of = one_of("trace_id", traces.iter().map(|id| id.bytes().as_slice()));
        let which = format!("{of} AND {} AND {SPANS}", hours(&of));
        if let Some(few) = self.few(&lines_sql(&which, false), FEW, row_of).await? {
            for (row, variant) in once(few) {
                let page = found.entry(row.key.trace).or_insert_with(none);
                page.items.push(of_variant(row, variant));
            }
            if found.values().all(|page| page.items.len() <= limit) {
                return Ok(traces.iter().map(|trace| found.remove(trace).unwrap_or_else(none)).collect());
            }
            found.clear();
        }
        let sql = format!(
            "{} ORDER BY start_ns, {SPAN_TIE} LIMIT {} BY trace_id",
            spans_sql(&which, false),
            limit + 1
        );
        let mut last = HashMap::new();
        self.each::<SpanLine<'_>>(self.client.query_raw(&sql), |line| {
            let row = line.row()?;
            let trace = row.key.trace;
            let page = found.entry(trace).or_insert_with(none);
            if page.items.len() == limit {
                let position = last.get(&trace).copied();
                page.next =
                    position.map(|position| Cursor::new(position, Cursor::of_query(&("rows", trace))));
                return Ok(());
            }
            last.insert(trace, Position { value: line.start_ns, day: Day(0), row: span_tie(line.print) });
            page.items.push(row);
            Ok(())
        })
        .await?;
        Ok(traces.iter().map(|trace| found.remove(trace).unwrap_or_else(none)).collect())
    }

    /// How many rows [`spans_sql`] has of a trace.
    async fn count(&self, of: &str) -> Result<Option<u64>, StoreError> {
        let sql = format!(
            "SELECT sum(if(ended > 0, least(ended, 8), 1)) FROM (
               SELECT uniqExactIf(print, state = 0) AS ended FROM span WHERE {of} AND {SPANS} AND {} GROUP BY span_id)",
            hours(of)
        );
        self.one::<u64>(&sql).await
    }

    /// Whole spans by their start.
    pub(super) async fn spans(&self, trace: TraceId, which: &Which) -> Result<Vec<Span>, StoreError> {
        let of = format!("trace_id = {}", bytes(trace.bytes()));
        let wanted = match which {
            Which::All | Which::First { genai: false, .. } => SPANS.to_owned(),
            Which::First { .. } => format!("op > 0 AND op < 30 AND {SPANS}"),
            Which::Only(ids) => one_of("span_id", ids.iter().map(|id: &SpanId| id.bytes().as_slice())),
        };
        let wanted = format!("{of} AND {} AND {wanted}", hours(&of));
        let most = match which {
            Which::First { spans, .. } => format!(" LIMIT {spans}"),
            _ => String::new(),
        };
        let mut halves = Vec::new();
        if let Some(few) = self.few(&lines_sql(&wanted, true), FEW_WHOLE, half_of).await? {
            for (mut half, variant) in once(few) {
                half.variant = variant;
                halves.push(half);
            }
            if let Which::First { spans, .. } = which {
                halves.truncate(*spans as usize);
            }
        } else {
            let sql = format!("{} ORDER BY start_ns, {SPAN_TIE}{most}", spans_sql(&wanted, true));
            self.each::<SpanLine<'_>>(self.client.query_raw(&sql), |line| {
                halves.push(line.half()?);
                Ok(())
            })
            .await?;
        }
        self.filled(halves).await
    }

    /// With what they refer to.
    async fn filled(&self, halves: Vec<Half<trace::Span>>) -> Result<Vec<Span>, StoreError> {
        let shelf = self.shelf(&halves).await?;
        halves
            .into_iter()
            .map(|half| {
                let origin = shelf.origin(&half.origin)?;
                half.whole(&origin, &|hash| shelf.piece(hash))
            })
            .collect()
    }

    /// Whole spans of several traces, one trace after the other.
    pub(super) async fn spans_of_each(
        &self,
        named: &[(TraceId, Vec<SpanId>)],
    ) -> Result<Vec<Span>, StoreError> {
        let (mut spans, mut rest) = (Vec::new(), named);
        while !rest.is_empty() {
            let mut asked = 0;
            let fits = |(_, ids): &&(TraceId, Vec<SpanId>)| {
                asked += ids.len();
                asked <= FEW_WHOLE
            };
            let (some, more) = rest.split_at(rest.iter().take_while(fits).count().max(1));
            rest = more;
            let traces = one_of("trace_id", some.iter().map(|(trace, _)| trace.bytes().as_slice()));
            let ids = some.iter().flat_map(|(trace, ids)| ids.iter().map(|id| (*trace, *id)));
            let wanted: HashSet<(TraceId, SpanId)> = ids.collect();
            let ids = one_of("span_id", wanted.iter().map(|(_, id)| id.bytes().as_slice()));
            let which = format!("{traces} AND {} AND {ids}", hours(&traces));
            let read = |line: &SpanLine<'_>| {
                let ids = TraceId::new(&line.trace_id).zip(SpanId::new(&line.span_id));
                // A span of another trace may have the same id.
                ids.filter(|ids| wanted.contains(ids)).map(|_| line.half()).transpose()
            };
            let told = self.few(&lines_sql(&which, true), usize::MAX, read).await?.unwrap_or_default();
            let halves = once(told).filter_map(|(half, variant)| {
                let mut half = half?;
                half.variant = variant;
                Some(half)
            });
            let mut filled = self.filled(halves.collect()).await?;
            let order: HashMap<TraceId, usize> = some.iter().map(|(trace, _)| *trace).zip(0..).collect();
            filled.sort_by_key(|span| order.get(&span.key.trace).copied());
            spans.append(&mut filled);
        }
        Ok(spans)
    }

    /// Log records: of one trace oldest first, else newest first.
    pub(super) async fn logs(&self, query: &LogQuery) -> Result<Page<LogRecord>, StoreError> {
        let LogQuery { id, range, trace, span, event, min_severity, service, text, .. } = query;
        let sought = text.as_deref().map(search::sought).transpose()?;
        let asked = Cursor::of_query(&(id, range, trace, span, event, min_severity, service, text));
        let from = query.cursor.as_ref().map(|cursor| cursor.position(asked)).transpose()?;
        let ascending = trace.is_some();
        let limit = query.limit.clamp(1, if ascending { MOST_ROWS } else { MOST_ON_PAGE }) as usize;
        let mut all = Where::default();
        if let Some(id) = id {
            all.and(format!("toDate(hour) = toDate({}) AND row = {}", id.day.0.max(0), id.row));
        }
        all.range("time_ns", *range);
        if let Some(trace) = trace {
            let of = format!("trace_id = {}", bytes(trace.bytes()));
            all.and(hours(&of));
            all.and(of);
        }
        if let Some(span) = span {
            all.and(format!("span_id = {}", bytes(span.bytes())));
        }
        if let Some(least) = min_severity {
            all.and(format!("severity >= {least}"));
        }
        all.any("event", event);
        all.any("service", service);
        if let Some(sought) = &sought {
            let within = all.sql();
            let said = search::logs_that_say(&mut all, sought, &within, &self.dictionary);
            all.and(said);
        }
        let (sign, order) = if ascending { (">", "ASC") } else { ("<", "DESC") };
        if let Some(from) = from {
            // The hour stands where other stores have the day.
            all.and(format!(
                "(hour, time_ns, row) {sign} (toDateTime({}, 'UTC'), {}, {})",
                from.day.0, from.value, from.row
            ));
        }
        let sql = format!(
            "SELECT {} FROM log WHERE {} ORDER BY hour {order}, time_ns {order}, row {order} LIMIT 1 BY row LIMIT {}",
            LogLine::COLUMN_NAMES.join(", "),
            all.sql(),
            limit + 1
        );
        let (mut halves, mut last, mut more) = (Vec::new(), None, false);
        self.each::<LogLine<'_>>(all.query(self, &sql), |line| {
            if halves.len() == limit {
                more = true;
                return Ok(());
            }
            let hour = Day(i32::try_from(line.hour).unwrap_or(i32::MAX));
            last = Some(Position { value: line.time_ns, day: hour, row: line.row });
            halves.push(line.half()?);
            Ok(())
        })
        .await?;
        let shelf = self.shelf(&halves).await?;
        let items = halves.into_iter().map(|half| {
            let origin = shelf.origin(&half.origin)?;
            half.whole(&origin, &|hash| shelf.piece(hash), self.pricing.as_ref())
        });
        let mut items = items.collect::<Result<Vec<_>, StoreError>>()?;
        if let Some(sought) = sought.filter(Sought::verifies) {
            items.retain(|log| sought.is_in(log));
        }
        let next = last.filter(|_| more).map(|position| Cursor::new(position, asked));
        Ok(Page { items, next, total: None })
    }

    /// What the records of an answer refer to.
    pub(super) async fn shelf<'a, T: 'a>(
        &self,
        halves: impl IntoIterator<Item = &'a Half<T>>,
    ) -> Result<Shelf, StoreError> {
        let mut shelf = Shelf::default();
        let (mut days, mut hashes) = (BTreeSet::new(), BTreeSet::new());
        for half in halves {
            days.insert(line::day(half.hour));
            hashes.extend(half.holes.pieces.iter().chain([&half.origin]).copied());
        }
        let hashes: Vec<[u8; 16]> = hashes.into_iter().collect();
        let days: Vec<String> = days.iter().map(|day| format!("toDate({day})")).collect();
        for some in hashes.chunks(MOST_PIECES) {
            let of = one_of("hash", some.iter().map(<[u8; 16]>::as_slice));
            self.pieces(&format!("{of} AND day IN ({})", days.join(",")), &mut shelf).await?;
        }
        Ok(shelf)
    }

    /// Where records come from, wherever that was told.
    pub(super) async fn origins(&self, hashes: &BTreeSet<[u8; 16]>) -> Result<Shelf, StoreError> {
        let mut shelf = Shelf::default();
        let hashes: Vec<&[u8; 16]> = hashes.iter().collect();
        for some in hashes.chunks(MOST_PIECES) {
            let of = one_of("hash", some.iter().map(|hash| hash.as_slice()));
            self.pieces(&format!("form = {ORIGIN} AND {of}"), &mut shelf).await?;
        }
        Ok(shelf)
    }

    async fn pieces(&self, which: &str, shelf: &mut Shelf) -> Result<(), StoreError> {
        let sql = format!("SELECT day, hash, form, body FROM piece WHERE {which} LIMIT 1 BY hash");
        self.each::<PieceLine<'_>>(self.client.query_raw(&sql), |line| shelf.put(&line)).await
    }

    /// A piece by its hash: looked for when `near` was, then everywhere.
    pub(super) async fn content(
        &self,
        hash: ContentHash,
        near: Option<TraceId>,
    ) -> Result<Option<Piece>, StoreError> {
        let of = format!("hash = {} AND form != {ORIGIN}", bytes(hash.bytes()));
        let near = near
            .map(|near| format!("day IN (SELECT day FROM trace WHERE trace_id = {})", bytes(near.bytes())));
        for when in near.into_iter().chain(["1".to_owned()]) {
            let mut shelf = Shelf::default();
            self.pieces(&format!("{of} AND {when}"), &mut shelf).await?;
            if let Some(piece) = shelf.pieces.remove(hash.bytes()) {
                return Ok(Some(Arc::unwrap_or_clone(piece)));
            }
        }
        Ok(None)
    }
}

/// The pieces and origins of an answer: each is in memory once, however many records have it.
#[derive(Default)]
pub(super) struct Shelf {
    pieces: HashMap<[u8; 16], Arc<Piece>>,
    origins: HashMap<[u8; 16], Arc<Origin>>,
}

impl Shelf {
    fn put(&mut self, line: &PieceLine<'_>) -> Result<(), StoreError> {
        if line.form == ORIGIN {
            let mut told = ResourceSpans::decode(line.body)
                .map_err(|_| Place::unreadable("cannot read where records come from"))?;
            let scope = told.scope_spans.pop().unwrap_or_default();
            let origin = Origin {
                resource: Resource::from_otlp(told.resource, told.schema_url),
                scope: Scope::from_otlp(scope.scope, scope.schema_url),
            };
            self.origins.insert(line.hash, Arc::new(origin));
            return Ok(());
        }
        let hash = ContentHash::new(&line.hash)
            .ok_or_else(|| Place::unreadable("cannot read a piece of content"))?;
        let form = if line.form == Form::Text as u8 { Form::Text } else { Form::Value };
        let piece = Piece { hash, form, bytes: Bytes::copy_from_slice(line.body) };
        self.pieces.insert(line.hash, Arc::new(piece));
        Ok(())
    }

    pub(super) fn piece(&self, hash: &[u8; 16]) -> Result<Arc<Piece>, StoreError> {
        self.pieces.get(hash).cloned().ok_or_else(|| Place::unreadable("content is missing"))
    }

    pub(super) fn origin(&self, hash: &[u8; 16]) -> Result<Arc<Origin>, StoreError> {
        let origin = self.origins.get(hash).cloned();
        origin.ok_or_else(|| Place::unreadable("cannot read where records come from"))
    }
}
