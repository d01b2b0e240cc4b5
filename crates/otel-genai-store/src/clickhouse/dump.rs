//! Everything of a range, piece by piece: day by day its spans, then its log records, then its points, each in the order in
//! which the tables have them.

use std::sync::Arc;

use clickhouse::Row;
use opentelemetry_proto::tonic::trace::v1 as otlp;
use prost::Message as _;

use super::calls::time;
use super::line::{Half, LogLine, SESSION, SpanLine, number};
use super::metrics::SERIES;
use super::point::PointLine;
use super::read::{Db, fixed, one_of};
use crate::cursor::Cursor;
use crate::error::StoreError;
use crate::id::{Day, Nanos};
use crate::metric::{Point, Series};
use crate::query::Range;
use crate::span::SpanState;
use crate::store::Batch;

/// A piece is about so large; a single record may be larger.
const MOST_BYTES: usize = 4 << 20;
/// So many rows are asked for first, and twice as many each time until the piece is full.
const FIRST: usize = 64;
/// But no more than so many.
const MOST_ROWS: usize = 4_096;
/// Spans with the same ids and other contents; others are not told.
const MOST_VARIANTS: usize = 8;

/// Where the next piece begins: behind the record with this key, in the order of the table; an empty key is before all.
#[derive(Clone, Debug, PartialEq, Eq)]
struct At {
    day: u16,
    table: u8,
    key: Vec<u8>,
}

const SPANS: u8 = 0;
const LOGS: u8 = 1;
const POINTS: u8 = 2;

impl At {
    fn first(day: u16) -> Self {
        Self { day, table: SPANS, key: Vec::new() }
    }

    fn cursor(&self, asked: u64) -> Cursor {
        let [high, low] = self.day.to_be_bytes();
        let mut place = vec![self.table, high, low];
        place.extend(&self.key);
        Cursor::at_place(&place, asked)
    }

    fn read(cursor: &Cursor, asked: u64) -> Result<Self, StoreError> {
        match cursor.place(asked)?.as_slice() {
            [table, high, low, key @ ..] => {
                Ok(Self { table: *table, day: u16::from_be_bytes([*high, *low]), key: key.to_vec() })
            }
            _ => Err(StoreError::BadCursor),
        }
    }

    /// The hours of its day, and what comes behind its key.
    fn behind(
        &self,
        columns: &str,
        values: impl FnOnce(&[u8]) -> Option<String>,
    ) -> Result<String, StoreError> {
        let day = u32::from(self.day) * 86_400;
        let hours = format!("hour >= {} AND hour < {}", time(day), time(day.saturating_add(86_400)));
        if self.key.is_empty() {
            return Ok(hours);
        }
        let values = values(&self.key).ok_or(StoreError::BadCursor)?;
        Ok(format!("{hours} AND ({columns}) > ({values})"))
    }
}

/// The last moment of a range: of all time, one that is beyond the table's numbers, too.
fn last(range: Range) -> i64 {
    range.to.0.checked_sub(1).map_or(-1, number)
}

/// What begins a key: an hour, in seconds.
fn hour_of(key: &[u8]) -> Option<(String, &[u8])> {
    let (hour, rest) = key.split_first_chunk()?;
    Some((time(u32::from_be_bytes(*hour)), rest))
}

fn number_of(key: &[u8]) -> Option<(i64, &[u8])> {
    let (number, rest) = key.split_first_chunk()?;
    Some((i64::from_be_bytes(*number), rest))
}

impl Db {
    /// A piece, and where the next begins.
    pub(super) async fn dump(
        &self,
        range: Range,
        cursor: Option<&Cursor>,
    ) -> Result<(Batch, Option<Cursor>), StoreError> {
        let asked = Cursor::of_query(&("dump", range));
        let last = u16::try_from(Day::of(range.to).0).unwrap_or(u16::MAX);
        let at = match cursor {
            Some(cursor) => Some(At::read(cursor, asked)?),
            None => {
                self.day_from(u16::try_from(Day::of(range.from).0).unwrap_or(u16::MAX)).await?.map(At::first)
            }
        };
        let mut batch = Batch { received: Nanos::now(), ..Batch::default() };
        let Some(mut at) = at.filter(|at| at.day <= last) else { return Ok((batch, None)) };
        let mut rows = FIRST;
        loop {
            let more = match at.table {
                SPANS => self.dump_spans(range, &at, rows, &mut batch).await?,
                LOGS => self.dump_logs(range, &at, rows, &mut batch).await?,
                POINTS => self.dump_points(range, &at, rows, &mut batch).await?,
                _ => return Err(StoreError::BadCursor),
            };
            at = match (more, at) {
                (Some(key), at) => At { key, ..at },
                (None, At { day, table, .. }) if table < POINTS => {
                    At { day, table: table + 1, key: Vec::new() }
                }
                (None, At { day, .. }) => match self.day_from(day.saturating_add(1)).await? {
                    Some(next) if next <= last && next > day => At::first(next),
                    _ => return Ok((batch, None)),
                },
            };
            if batch.bytes >= MOST_BYTES {
                return Ok((batch, Some(at.cursor(asked))));
            }
            rows = (2 * rows).min(MOST_ROWS);
        }
    }

    /// The first day with records, from a day on.
    async fn day_from(&self, day: u16) -> Result<Option<u16>, StoreError> {
        let from = u32::from(day).saturating_mul(86_400);
        let of = |table: &str| {
            format!("SELECT minOrNull(hour) AS first FROM {table} WHERE hour >= toDateTime({from}, 'UTC')")
        };
        let sql = format!(
            "SELECT minOrNull(toUnixTimestamp(first)) FROM ({} UNION ALL {} UNION ALL {}) WHERE first IS NOT NULL",
            of("span"),
            of("log"),
            of("point")
        );
        let hour = self.one::<Option<u32>>(&sql).await?.flatten();
        Ok(hour.map(super::line::day))
    }

    /// The key of the last, if there may be others behind it.
    async fn dump_spans(
        &self,
        range: Range,
        at: &At,
        rows: usize,
        batch: &mut Batch,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let behind = at.behind("hour, trace_id, span_id", |key| {
            let (hour, rest) = hour_of(key)?;
            let (trace, span) = rest.split_at_checked(16)?;
            Some(format!("{hour}, {}, {}", fixed(trace), fixed(span)))
        })?;
        // All of the same ids come together.
        let sql = format!(
            "SELECT {} FROM span WHERE {behind} AND state < {SESSION} AND start_ns >= {} AND start_ns <= {}
             ORDER BY hour, trace_id, span_id LIMIT {rows} WITH TIES",
            SpanLine::COLUMN_NAMES.join(", "),
            number(range.from.0),
            last(range)
        );
        let mut told: Vec<Told> = Vec::new();
        let mut count = 0;
        self.each::<SpanLine<'_>>(self.client.query_raw(&sql), |line| {
            count += 1;
            told.push(Told::new(&line)?);
            Ok(())
        })
        .await?;
        let mut groups: Vec<(Vec<u8>, Vec<Told>)> = Vec::new();
        for told in told {
            match groups.last_mut() {
                Some((key, group)) if *key == told.key => group.push(told),
                _ => groups.push((told.key.clone(), vec![told])),
            }
        }
        let groups: Vec<(Vec<u8>, Vec<Half<otlp::Span>>)> =
            groups.into_iter().map(|(key, group)| (key, settled(group))).collect();
        let shelf = self.shelf(groups.iter().flat_map(|(_, group)| group)).await?;
        let mut last = None;
        for (key, group) in groups {
            for half in group {
                let origin = shelf.origin(&half.origin)?;
                let span = half.whole(&origin, &|hash| shelf.piece(hash))?;
                batch.bytes += span.to_otlp().encoded_len();
                batch.spans.push(span);
            }
            last = Some(key);
            if batch.bytes >= MOST_BYTES {
                return Ok(last);
            }
        }
        Ok(last.filter(|_| count >= rows))
    }

    async fn dump_logs(
        &self,
        range: Range,
        at: &At,
        rows: usize,
        batch: &mut Batch,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let behind = at.behind("hour, time_ns, row", |key| {
            let (hour, rest) = hour_of(key)?;
            let (time, rest) = number_of(rest)?;
            let (row, _) = number_of(rest)?;
            Some(format!("{hour}, {time}, {row}"))
        })?;
        let sql = format!(
            "SELECT {} FROM log WHERE {behind} AND time_ns >= {} AND time_ns <= {} ORDER BY hour, time_ns, row LIMIT {rows}",
            LogLine::COLUMN_NAMES.join(", "),
            number(range.from.0),
            last(range)
        );
        let (mut halves, mut keys, mut count) = (Vec::new(), Vec::new(), 0);
        self.each::<LogLine<'_>>(self.client.query_raw(&sql), |line| {
            count += 1;
            let key =
                [&line.hour.to_be_bytes()[..], &line.time_ns.to_be_bytes(), &line.row.to_be_bytes()].concat();
            // What was stored twice is told once.
            if keys.last() != Some(&key) {
                keys.push(key);
                halves.push(line.half()?);
            }
            Ok(())
        })
        .await?;
        let shelf = self.shelf(&halves).await?;
        let mut last = None;
        for (half, key) in halves.into_iter().zip(keys) {
            let origin = shelf.origin(&half.origin)?;
            let log = half.whole(&origin, &|hash| shelf.piece(hash), self.pricing.as_ref())?;
            batch.bytes += log.to_otlp().encoded_len();
            batch.logs.push(log);
            last = Some(key);
            if batch.bytes >= MOST_BYTES {
                return Ok(last);
            }
        }
        Ok(last.filter(|_| count >= rows))
    }

    async fn dump_points(
        &self,
        range: Range,
        at: &At,
        rows: usize,
        batch: &mut Batch,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let behind = at.behind("series, time_ns, start_ns", |key| {
            let (series, rest) = key.split_at_checked(16)?;
            let (time, rest) = number_of(rest)?;
            let (start, _) = number_of(rest)?;
            Some(format!("{}, {time}, {start}", fixed(series)))
        })?;
        let sql = format!(
            "SELECT {} FROM point WHERE {behind} AND time_ns >= {} AND time_ns <= {}
             ORDER BY series, time_ns, start_ns, received_ns LIMIT {rows}",
            PointLine::COLUMN_NAMES.join(", "),
            number(range.from.0),
            last(range)
        );
        let mut points: Vec<([u8; 16], Vec<u8>, usize, Point)> = Vec::new();
        let mut count = 0;
        self.each::<PointLine<'_>>(self.client.query_raw(&sql), |line| {
            count += 1;
            let key = [&line.series[..], &line.time_ns.to_be_bytes(), &line.start_ns.to_be_bytes()].concat();
            // Of two of the same times the first is told.
            if points.last().is_none_or(|(_, last, ..)| *last != key) {
                points.push((line.series, key, line.body.len(), line.point()?));
            }
            Ok(())
        })
        .await?;
        if points.is_empty() {
            return Ok(None);
        }
        let mut hashes: Vec<[u8; 16]> = points.iter().map(|(series, ..)| *series).collect();
        hashes.dedup();
        let mut known = std::collections::HashMap::new();
        for some in hashes.chunks(1_000) {
            let sql = format!(
                "SELECT {SERIES}, toInt64(0) AS last FROM series WHERE day = toDate({}) AND {} GROUP BY hash",
                at.day,
                one_of("hash", some.iter().map(<[u8; 16]>::as_slice))
            );
            let found = self.series_of(self.client.query_raw(&sql)).await?;
            known.extend(found.into_iter().map(|(hash, (series, _))| (hash, Arc::new(series))));
        }
        let mut last: Option<([u8; 16], Vec<u8>)> = None;
        for (hash, key, size, point) in points {
            let same = last.as_ref().is_some_and(|(before, _)| *before == hash);
            match batch.points.last_mut() {
                Some((_, list)) if same => list.push(point),
                _ => {
                    let series: &Arc<Series> = known
                        .get(&hash)
                        .ok_or_else(|| super::fault::Place::unreadable("the series of a point is missing"))?;
                    batch.points.push((Arc::clone(series), vec![point]));
                }
            }
            batch.bytes += size;
            last = Some((hash, key));
            if batch.bytes >= MOST_BYTES {
                return Ok(last.map(|(_, key)| key));
            }
        }
        Ok(last.map(|(_, key)| key).filter(|_| count >= rows))
    }
}

/// A span of a piece, before it is known whether it is told.
struct Told {
    key: Vec<u8>,
    print: [u8; 16],
    running: bool,
    /// When it came, and at which place of those that came with it.
    order: (i64, u32),
    half: Half<otlp::Span>,
}

impl Told {
    fn new(line: &SpanLine<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            key: [&line.hour.to_be_bytes()[..], &line.trace_id, &line.span_id].concat(),
            print: line.print,
            running: line.state == SpanState::Running as u8,
            order: (line.received_ns, line.seq),
            half: line.half()?,
        })
    }
}

/// Of spans with the same ids: what was stored twice, and word of a beginning whose end is there, is told once.
fn settled(mut group: Vec<Told>) -> Vec<Half<otlp::Span>> {
    group.sort_by_key(|told| (told.running, told.order, told.print));
    let mut seen = std::collections::HashSet::new();
    group.retain(|told| seen.insert(told.print));
    if group.first().is_some_and(|first| first.running) {
        return group.pop().map(|told| told.half.variant(0)).into_iter().collect();
    }
    let ended = group.into_iter().filter(|told| !told.running).take(MOST_VARIANTS);
    ended.zip(0..).map(|(told, variant)| told.half.variant(variant)).collect()
}
