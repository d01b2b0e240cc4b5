//! Metrics: what there is, and the points of one.

use std::collections::HashMap;
use std::sync::Arc;

use clickhouse::Row;
use serde::Deserialize;

use super::line::number;
use super::point::{read_point, read_series};
use super::read::{Db, Where, bytes, one_of};
use crate::error::StoreError;
use crate::id::{Day, Nanos, SpanId, TraceId};
use crate::instruments::Instruments;
use crate::measured::Measured;
use crate::metric::{Exemplar, Series};
use crate::query::{MetricInfo, Range, SeriesData, SeriesQuery};
use crate::steps::{self, Line, MOST_POINTS};

/// More series are not named one by one in a query.
const MOST_NAMED: usize = 1_000;
/// Measurements of a span are looked for in so many points at most.
const MOST_MEASURED: usize = 10_000;

/// A series as it is asked for.
#[derive(Row, Deserialize)]
pub(super) struct SeriesRow {
    hash: [u8; 16],
    origin: [u8; 16],
    #[serde(with = "serde_bytes")]
    body: Vec<u8>,
    last: i64,
}

#[derive(Row, Deserialize)]
struct Named {
    hash: [u8; 16],
    name: String,
}

#[derive(Row, Deserialize)]
struct PointRow<'a> {
    series: [u8; 16],
    time_ns: i64,
    #[serde(with = "serde_bytes")]
    body: &'a [u8],
}

/// The columns of a [`SeriesRow`] but for its last point, which stands in for what is not asked for.
pub(super) const SERIES: &str = "hash, any(origin) AS origin, any(body) AS body";

/// The hours of the days in which a record of this time is kept; from so many days before.
fn hours(range: Range, before: i32) -> String {
    let seconds = |day: i32| (i64::from(day) * 86_400).clamp(0, i64::from(u32::MAX));
    format!(
        "hour >= toDateTime({}, 'UTC') AND hour <= toDateTime({}, 'UTC')",
        seconds(Day::of(range.from).0 - before),
        seconds(Day::of(range.to).0.saturating_add(1))
    )
}

impl Db {
    /// The metrics that have points in this time.
    pub(super) async fn metrics(&self, range: Option<Range>) -> Result<Vec<MetricInfo>, StoreError> {
        let mut when = Where::default();
        when.range("time_ns", range);
        if let Some(range) = range {
            when.and(hours(range, 0));
        }
        let sql = format!(
            "SELECT hash, origin, body, last FROM (SELECT {SERIES} FROM series GROUP BY hash) AS told
             INNER JOIN (SELECT series, max(time_ns) AS last FROM point WHERE {} GROUP BY series) AS heard
             ON heard.series = told.hash",
            when.sql()
        );
        let mut all = Instruments::default();
        for (hash, (series, last)) in self.series_of(self.client.query_raw(&sql)).await? {
            all.add(&series, &hash, last);
        }
        Ok(all.list())
    }

    /// Series by their hashes, and when their last point was.
    pub(super) async fn series_of(
        &self,
        query: clickhouse::query::Query,
    ) -> Result<HashMap<[u8; 16], (Series, Nanos)>, StoreError> {
        let mut rows = Vec::new();
        self.each::<SeriesRow>(query, |row| {
            rows.push(row);
            Ok(())
        })
        .await?;
        let shelf = self.origins(&rows.iter().map(|row| row.origin).collect()).await?;
        let series = |row: SeriesRow| {
            let series = read_series(&row.body, &shelf.origin(&row.origin)?)?;
            Ok((row.hash, (series, Nanos(u64::try_from(row.last).unwrap_or(0)))))
        };
        rows.into_iter().map(series).collect()
    }

    /// The measurements that were taken in a span, as points of this range tell them.
    pub(super) async fn exemplars(
        &self,
        trace: TraceId,
        span: SpanId,
        range: Range,
    ) -> Result<Vec<(Arc<str>, Exemplar)>, StoreError> {
        let mut when = Where::default();
        when.and(hours(range, 0));
        when.range("time_ns", Some(range));
        // Whoever has the id of the span in it may be one of its measurements.
        when.and(format!("position(body, {}) > 0", bytes(span.bytes())));
        let sql =
            format!("SELECT series, time_ns, body FROM point WHERE {} LIMIT {MOST_MEASURED}", when.sql());
        let mut points = Vec::new();
        self.each::<PointRow<'_>>(self.client.query_raw(&sql), |row| {
            points.push((row.series, read_point(row.body)?));
            Ok(())
        })
        .await?;
        let mut names: HashMap<[u8; 16], Arc<str>> = HashMap::new();
        let mut hashes: Vec<[u8; 16]> = points.iter().map(|(series, _)| *series).collect();
        hashes.sort_unstable();
        hashes.dedup();
        for some in hashes.chunks(MOST_NAMED) {
            let of = one_of("hash", some.iter().map(<[u8; 16]>::as_slice));
            let sql = format!("SELECT hash, any(name) AS name FROM series WHERE {of} GROUP BY hash");
            self.each::<Named>(self.client.query_raw(&sql), |named| {
                names.insert(named.hash, named.name.into());
                Ok(())
            })
            .await?;
        }
        let mut measured = Measured::new(trace, span);
        for (series, point) in points {
            if let Some(name) = names.get(&series) {
                measured.add(name, point);
            }
        }
        Ok(measured.told())
    }

    /// The points of a metric in steps of time.
    pub(super) async fn series(&self, query: &SeriesQuery) -> Result<Vec<SeriesData>, StoreError> {
        steps::check(query)?;
        let mut named = Where::default();
        let name = named.text(&query.name);
        named.and(format!("name = {name}"));
        let sql =
            format!("SELECT {SERIES}, toInt64(0) AS last FROM series WHERE {} GROUP BY hash", named.sql());
        let mut lines: HashMap<[u8; 16], Line> = HashMap::new();
        for (hash, (series, _)) in self.series_of(named.query(self, &sql)).await? {
            if steps::fits(&series, query) {
                lines.insert(hash, Line { series, points: Vec::new() });
            }
        }
        if lines.is_empty() {
            return Ok(Vec::new());
        }
        let these = if lines.len() <= MOST_NAMED {
            one_of("series", lines.keys().map(<[u8; 16]>::as_slice))
        } else {
            format!("series IN (SELECT hash FROM series WHERE {})", named.sql())
        };
        // The day before has the last totals before a range that begins at midnight.
        let of = format!("{these} AND {}", hours(query.range, 1));
        let (from, to) = (number(query.range.from.0), number(query.range.to.0));
        let sql = format!(
            "SELECT series, time_ns, body FROM point WHERE {of} AND time_ns < {to} AND (time_ns >= {from} OR
               (series, time_ns) IN (
                 SELECT series, max(time_ns) FROM point WHERE {of} AND time_ns < {from} GROUP BY series))
             ORDER BY series, time_ns, start_ns, received_ns LIMIT 1 BY series, time_ns, start_ns LIMIT {}",
            MOST_POINTS + 1
        );
        let mut points = 0;
        self.each::<PointRow<'_>>(named.query(self, &sql), |row| {
            points += 1;
            if let Some(line) = lines.get_mut(&row.series) {
                line.points.push((u64::try_from(row.time_ns).unwrap_or(0), read_point(row.body)?));
            }
            Ok(())
        })
        .await?;
        if points > MOST_POINTS {
            return Err(steps::too_many(query));
        }
        let mut lines: Vec<([u8; 16], Line)> = lines.into_iter().collect();
        lines.sort_by_key(|(hash, _)| *hash);
        let lines: Vec<Line> = lines.into_iter().map(|(_, line)| line).collect();
        Ok(steps::told(query, &lines))
    }
}
