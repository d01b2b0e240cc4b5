//! The points of a metric in steps of time: what was measured in each, whether it was told as differences or as totals.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::buckets::{self, Grid};
use crate::error::StoreError;
use crate::id::Nanos;
use crate::metric::{Exemplar, Instrument, Point, PointValue, Series};
use crate::query::{SeriesData, SeriesQuery, StepPoint};

/// More points are not added up for one answer.
pub(crate) const MOST_POINTS: usize = 500_000;
/// So many single measurements are told with a series.
const MOST_EXEMPLARS: usize = 100;
/// OTLP's `AggregationTemporality`: totals since a start, not differences.
const CUMULATIVE: i32 = 2;

/// One series with its points over all days, in order of time. The first may lie before the range: totals are
/// counted from it.
pub(crate) struct Line {
    pub(crate) series: Series,
    pub(crate) points: Vec<(u64, Point)>,
}

/// Whether a query can be answered at all.
pub(crate) fn check(query: &SeriesQuery) -> Result<(), StoreError> {
    match query.step {
        Duration::ZERO => Err(StoreError::BadQuery("a step of time must be longer than 0".to_owned())),
        _ => Ok(()),
    }
}

pub(crate) fn too_many(query: &SeriesQuery) -> StoreError {
    StoreError::BadQuery(format!(
        "{} has more than {MOST_POINTS} points in this time; narrow the time range",
        query.name
    ))
}

/// Whether a series has the attributes that are asked for.
pub(crate) fn fits(series: &Series, query: &SeriesQuery) -> bool {
    query.matches.iter().all(|(key, value)| label(series, key).as_ref() == Some(value))
}

/// The answer: a series for each value of the attributes that are asked for.
pub(crate) fn told(query: &SeriesQuery, lines: &[Line]) -> Vec<SeriesData> {
    let step = u64::try_from(query.step.as_nanos()).unwrap_or(u64::MAX);
    let mut groups: BTreeMap<(u8, Vec<String>), Vec<&Line>> = BTreeMap::new();
    for line in lines {
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
    found.into_iter().map(|(_, data)| data).collect()
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
