//! Metrics: what there is, and its points in steps of time.

use std::collections::HashMap;
use std::sync::Arc;

use opentelemetry_proto::tonic::metrics::v1::Metric;
use prost::Message as _;
use rusqlite::params;

use super::fault;
use super::list::may_have;
use super::point::read_point;
use super::reader::{File, Reader};
use super::rest::unpack;
use super::segment::number;
use crate::error::StoreError;
use crate::id::{Day, Nanos};
use crate::instruments::Instruments;
use crate::metric::{Point, Series};
use crate::query::{MetricInfo, Range, SeriesData, SeriesQuery};
use crate::steps::{self, Line, MOST_POINTS};

/// The metrics that have points in this time.
pub(super) fn metrics(reader: &mut Reader, range: Option<Range>) -> Result<Vec<MetricInfo>, StoreError> {
    let mut all = Instruments::default();
    for day in reader.days()? {
        if range.is_some_and(|range| !may_have(day, range)) {
            continue;
        }
        let Some(file) = reader.file(day)? else { continue };
        let told = |error| file.fault(error);
        let bounds = range.map_or((0, i64::MAX), |range| (number(range.from.0), number(range.to.0)));
        let mut find = file
            .connection
            .prepare_cached(
                "SELECT name, origin, body, hash,
                   (SELECT max(time_ns) FROM point WHERE series = series.id AND time_ns >= ?1 AND time_ns < ?2)
                 FROM series",
            )
            .map_err(told)?;
        let mut rows = find.query([bounds.0, bounds.1]).map_err(told)?;
        while let Some(row) = rows.next().map_err(told)? {
            let Some(last) = row.get::<_, Option<i64>>(4).map_err(told)? else { continue };
            let series = read_series(&file, row)?;
            let hash: Vec<u8> = row.get(3).map_err(told)?;
            all.add(&series, &hash, Nanos(u64::try_from(last).unwrap_or(0)));
        }
    }
    Ok(all.list())
}

pub(super) fn read_series(file: &File, row: &rusqlite::Row<'_>) -> Result<Series, StoreError> {
    let told = |error| file.fault(error);
    let damaged = || fault::unreadable("cannot read a metric");
    let origin = file.origin(row.get("origin").map_err(told)?)?;
    let body = row.get_ref("body").map_err(told)?.as_blob().map_err(|_| damaged())?;
    let body = unpack(body).ok_or_else(damaged)?;
    let mut metric = Metric::decode(body.as_ref()).map_err(|_| damaged())?;
    metric.name = file.word(row.get("name").map_err(told)?).map_err(told)?.as_ref().to_owned();
    let (series, _) = Series::from_otlp(metric, &origin).pop().ok_or_else(damaged)?;
    Arc::into_inner(series).ok_or_else(damaged)
}

/// The points of a metric in steps of time.
pub(super) fn series(reader: &mut Reader, query: &SeriesQuery) -> Result<Vec<SeriesData>, StoreError> {
    steps::check(query)?;
    Ok(steps::told(query, &lines(reader, query)?))
}

/// The series that are asked for.
fn lines(reader: &mut Reader, query: &SeriesQuery) -> Result<Vec<Line>, StoreError> {
    let mut all: HashMap<Vec<u8>, Line> = HashMap::new();
    let range = query.range;
    let mut points = 0;
    for day in reader.days()? {
        // The day before has the last totals before a range that begins at midnight.
        if !may_have(day, range) && !may_have(Day(day.0 + 1), range) {
            continue;
        }
        let Some(file) = reader.file(day)? else { continue };
        let told = |error| file.fault(error);
        let Some(name) = file.id_of(&query.name).map_err(told)? else { continue };
        let mut find = file
            .connection
            .prepare_cached("SELECT id, name, origin, body, hash FROM series WHERE name = ?")
            .map_err(told)?;
        let mut rows = find.query([name]).map_err(told)?;
        while let Some(row) = rows.next().map_err(told)? {
            let id: i64 = row.get("id").map_err(told)?;
            let hash: Vec<u8> = row.get("hash").map_err(told)?;
            if !all.contains_key(&hash) {
                let series = read_series(&file, row)?;
                if !steps::fits(&series, query) {
                    continue;
                }
                all.insert(hash.clone(), Line { series, points: Vec::new() });
            }
            let Some(line) = all.get_mut(&hash) else { continue };
            let before = line.points.len();
            read_points(&file, id, range, MOST_POINTS - points, &mut line.points)?;
            // The line has those of earlier days too.
            points += line.points.len() - before;
            if points > MOST_POINTS {
                return Err(steps::too_many(query));
            }
        }
    }
    let mut lines: Vec<(Vec<u8>, Line)> = all.into_iter().collect();
    lines.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (_, line) in &mut lines {
        line.points.sort_by_key(|(time, point)| (*time, point.start));
    }
    Ok(lines.into_iter().map(|(_, line)| line).collect())
}

/// Reads at most one point more than there is room for.
fn read_points(
    file: &File,
    series: i64,
    range: Range,
    room: usize,
    points: &mut Vec<(u64, Point)>,
) -> Result<(), StoreError> {
    let told = |error| file.fault(error);
    let mut find = file
        .connection
        .prepare_cached(
            "SELECT time_ns, body FROM point WHERE series = ?1 AND time_ns < ?3 AND time_ns >=
               ifnull((SELECT max(time_ns) FROM point WHERE series = ?1 AND time_ns < ?2), ?2)
             ORDER BY time_ns, start_ns LIMIT ?4",
        )
        .map_err(told)?;
    let most = i64::try_from(room).unwrap_or(i64::MAX).saturating_add(1);
    let mut rows =
        find.query(params![series, number(range.from.0), number(range.to.0), most]).map_err(told)?;
    while let Some(row) = rows.next().map_err(told)? {
        let time = row.get::<_, i64>(0).map_err(told)?;
        let body =
            row.get_ref(1).map_err(told)?.as_blob().map_err(|_| fault::unreadable("cannot read a point"))?;
        let point = read_point(body).ok_or_else(|| fault::unreadable("cannot read a point"))?;
        points.push((u64::try_from(time).unwrap_or(0), point));
    }
    Ok(())
}
