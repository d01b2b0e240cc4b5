//! Metrics: what there is, and its points in steps of time.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use opentelemetry_proto::tonic::metrics::v1::Metric;
use prost::Message as _;
use rusqlite::params;

use super::buckets::{self, Grid};
use super::fault;
use super::filter::nanos;
use super::list::may_have;
use super::point::read_point;
use super::reader::{File, Reader};
use super::rest::unpack;
use super::segment::number;
use crate::error::StoreError;
use crate::id::{Day, Nanos};
use crate::metric::{Exemplar, Instrument, Point, PointValue, Series};
use crate::query::{MetricInfo, Range, SeriesData, SeriesQuery, StepPoint};

/// More points are not added up for one answer.
const MOST_POINTS: usize = 500_000;
/// So many single measurements are told with a series.
const MOST_EXEMPLARS: usize = 100;
/// OTLP's `AggregationTemporality`: totals since a start, not differences.
const CUMULATIVE: i32 = 2;

/// The metrics that have points in this time.
pub(super) fn metrics(reader: &mut Reader, range: Option<Range>) -> Result<Vec<MetricInfo>, StoreError> {
    type Key = (Arc<str>, Arc<str>, u8, i32);
    /// With the hashes of its series, and the names of their attributes.
    type Heard = (MetricInfo, HashSet<Vec<u8>>, BTreeSet<Arc<str>>);
    let mut all: BTreeMap<Key, Heard> = BTreeMap::new();
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
            let key =
                (Arc::clone(&series.name), Arc::clone(&series.unit), series.kind as u8, series.temporality);
            let (info, hashes, keys) = all.entry(key).or_insert_with(|| {
                let info = MetricInfo {
                    name: Arc::clone(&series.name),
                    unit: Arc::clone(&series.unit),
                    description: Arc::clone(&series.description),
                    kind: series.kind,
                    temporality: series.temporality,
                    monotonic: series.monotonic,
                    series: 0,
                    keys: Vec::new(),
                    last: Nanos(0),
                };
                (info, HashSet::new(), BTreeSet::new())
            });
            info.last = info.last.max(Nanos(u64::try_from(last).unwrap_or(0)));
            hashes.insert(row.get(3).map_err(told)?);
            keys.extend(series.attributes.0.iter().map(|attribute| Arc::clone(&attribute.key)));
        }
    }
    let info = |(mut info, hashes, keys): Heard| {
        info.series = hashes.len() as u64;
        info.keys = keys.into_iter().collect();
        info
    };
    Ok(all.into_values().map(info).collect())
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

/// One series with its points over all days, in order of time. The first may lie before the range: totals are
/// counted from it.
struct Line {
    series: Series,
    points: Vec<(u64, Point)>,
}

/// The points of a metric in steps of time.
pub(super) fn series(reader: &mut Reader, query: &SeriesQuery) -> Result<Vec<SeriesData>, StoreError> {
    let step = nanos(query.step);
    if step == 0 {
        return Err(StoreError::BadQuery("a step of time must be longer than 0".to_owned()));
    }
    let lines = lines(reader, query)?;
    let mut groups: BTreeMap<(u8, Vec<String>), Vec<&Line>> = BTreeMap::new();
    for line in &lines {
        let labels = query.by.iter().map(|key| label(&line.series, key).unwrap_or_default()).collect();
        groups.entry((line.series.kind as u8, labels)).or_default().push(line);
    }
    let mut found: Vec<(f64, SeriesData)> = groups
        .into_iter()
        .map(|((_, labels), lines)| {
            let labels =
                query.by.iter().map(|key| key.as_str().into()).zip(labels.into_iter().map(Arc::from));
            let data = group(query, step, labels.collect(), &lines);
            let weight = |point: &StepPoint| {
                f64::from(u32::try_from(point.count).unwrap_or(u32::MAX)) + point.sum.abs()
            };
            (data.points.iter().map(weight).sum(), data)
        })
        .filter(|(_, data)| !data.points.is_empty())
        .collect();
    // Those that say most, if there are too many.
    found.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    found.truncate(query.limit as usize);
    Ok(found.into_iter().map(|(_, data)| data).collect())
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
                let fits = |(key, value): &(String, String)| label(&series, key).as_ref() == Some(value);
                if !query.matches.iter().all(fits) {
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
                return Err(StoreError::BadQuery(format!(
                    "{} has more than {MOST_POINTS} points in this time; narrow the time range",
                    query.name
                )));
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

/// The value of an attribute of a series, or of its resource, as text.
fn label(series: &Series, key: &str) -> Option<String> {
    let value = series.attributes.json(key).or_else(|| series.origin.resource.attributes.json(key))?;
    Some(match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    })
}

/// Several series as one.
fn group(query: &SeriesQuery, step: u64, labels: Vec<(Arc<str>, Arc<str>)>, lines: &[&Line]) -> SeriesData {
    let values = || lines.iter().flat_map(|line| &line.points).map(|(_, point)| &point.value);
    let grid = Grid::of(values());
    let mut steps: BTreeMap<u64, StepPoint> = BTreeMap::new();
    let mut exemplars: Vec<Exemplar> = Vec::new();
    for line in lines {
        // What the series shows last in each step; with others of its kind it is added up, but for gauges.
        let mut shown: BTreeMap<u64, f64> = BTreeMap::new();
        let mut last: Option<(&Point, Amount)> = None;
        for (time, point) in &line.points {
            let Some(amount) = Amount::of(&point.value, &grid) else { continue };
            let inside = *time >= query.range.from.0;
            let at = time - time % step;
            let is_total = line.series.temporality == CUMULATIVE || line.series.kind == Instrument::Summary;
            let is_shown = line.series.kind == Instrument::Gauge
                || (line.series.kind == Instrument::Sum && is_total && !line.series.monotonic);
            if inside {
                exemplars.extend(point.exemplars.iter().cloned());
                let new =
                    || StepPoint { at: Nanos(at), value: None, count: 0, sum: 0.0, counts: grid.zeros() };
                let more = match &last {
                    _ if is_shown || !is_total => Some(amount.clone()),
                    Some((before, earlier)) => Some(amount.since(earlier, point.start, before.start)),
                    // Since when it counts nobody knows, or it is before what was asked for.
                    None => (point.start >= query.range.from && point.start.0 > 0).then(|| amount.clone()),
                };
                if let Some(more) = more {
                    let into = steps.entry(at).or_insert_with(new);
                    into.count += more.count;
                    into.sum += more.sum;
                    into.counts.iter_mut().zip(&more.counts).for_each(|(sum, count)| *sum += count);
                }
                if is_shown {
                    shown.insert(at, amount.sum);
                }
            }
            last = Some((point, amount));
        }
        for (at, value) in shown {
            let Some(into) = steps.get_mut(&at) else { continue };
            let together = into.value.filter(|_| line.series.kind == Instrument::Sum).unwrap_or(0.0);
            into.value = Some(together + value);
        }
    }
    exemplars.sort_by_key(|exemplar| std::cmp::Reverse(exemplar.time));
    exemplars.dedup_by(|one, other| {
        (one.time, one.span, one.value.to_bits()) == (other.time, other.span, other.value.to_bits())
    });
    exemplars.truncate(MOST_EXEMPLARS);
    SeriesData { labels, points: steps.into_values().collect(), bounds: grid.bounds(), exemplars }
}

/// What a point comes to.
#[derive(Clone, Debug)]
struct Amount {
    count: u64,
    sum: f64,
    counts: Vec<u64>,
}

impl Amount {
    /// None for a point without a value.
    fn of(value: &PointValue, grid: &Grid) -> Option<Self> {
        #[allow(clippy::cast_precision_loss, reason = "a float is what is drawn")]
        let plain = |sum: f64| Self { count: 1, sum, counts: Vec::new() };
        Some(match value {
            #[allow(clippy::cast_precision_loss, reason = "a float is what is drawn")]
            PointValue::Int(int) => plain(*int as f64),
            PointValue::Double(double) => plain(*double),
            PointValue::Histogram { count, sum, .. } | PointValue::Exponential { count, sum, .. } => {
                Self { count: *count, sum: sum.unwrap_or(0.0), counts: buckets::counts(value, grid) }
            }
            PointValue::Summary { count, sum, .. } => Self { count: *count, sum: *sum, counts: Vec::new() },
            PointValue::None => return None,
        })
    }

    /// What was added since an earlier total. After a reset it counts from 0.
    fn since(&self, earlier: &Self, start: Nanos, before: Nanos) -> Self {
        let is_number = self.counts.is_empty() && self.count == 1 && earlier.count == 1;
        let less = self.count < earlier.count
            || (is_number && self.sum < earlier.sum)
            || self.counts.iter().zip(&earlier.counts).any(|(now, then)| now < then);
        if less || (start != before && start.0 > 0 && before.0 > 0) {
            return self.clone();
        }
        Self {
            count: if is_number { 1 } else { self.count - earlier.count },
            sum: self.sum - earlier.sum,
            counts: self.counts.iter().zip(&earlier.counts).map(|(now, then)| now - then).collect(),
        }
    }
}
