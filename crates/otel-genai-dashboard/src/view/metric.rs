//! Metrics and their points.

use std::collections::BTreeMap;

use otel_genai_store::{Exemplar, Instrument, MetricInfo as Info, SeriesData, StepPoint};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{List, is_false, millis};

/// What is known of a metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MetricInfo {
    /// Its name.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// Its description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What kind of points it has.
    pub kind: Kind,
    /// Whether its points are differences or running totals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temporality: Option<Temporality>,
    /// How many series.
    pub series: u64,
    /// Names of their attributes.
    pub keys: Vec<String>,
    /// Its last point.
    pub last_ms: f64,
    /// It is of the conventions for generative AI.
    #[serde(default, skip_serializing_if = "is_false")]
    pub preset: bool,
}

/// What kind of points a metric has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A value as it is now.
    Gauge,
    /// A sum.
    Sum,
    /// Counts by bounds.
    Histogram,
    /// Counts by powers of a base.
    ExponentialHistogram,
    /// Quantiles made by the sender.
    Summary,
}

/// Whether points are differences or running totals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Temporality {
    /// Differences.
    Delta,
    /// Running totals.
    Cumulative,
}

/// The metrics that were heard.
pub type MetricList = List<MetricInfo>;

/// The points of a metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SeriesAnswer {
    /// The metric.
    pub info: MetricInfo,
    /// How long a step is.
    pub step_ms: f64,
    /// Its series.
    pub series: Vec<Series>,
    /// Bounds of buckets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bounds: Option<Vec<f64>>,
    /// Single measurements.
    pub exemplars: Vec<ExemplarRow>,
}

/// A series in steps of time. Lists are as long as `at`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Series {
    /// What sets it apart.
    pub labels: BTreeMap<String, String>,
    /// The first moments of its steps.
    pub at: Vec<f64>,
    /// The last values of a gauge; null where a step has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Vec<Option<f64>>>,
    /// How many measurements.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<Vec<u64>>,
    /// Their sums.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sum: Option<Vec<f64>>,
    /// By bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counts: Option<Vec<Vec<u64>>>,
    /// Half of them are no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50: Option<Vec<Option<f64>>>,
    /// 95 of 100 are no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p95: Option<Vec<Option<f64>>>,
    /// 99 of 100 are no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99: Option<Vec<Option<f64>>>,
}

/// A single measurement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExemplarRow {
    /// When.
    pub at: f64,
    /// What was measured.
    pub value: f64,
    /// In which trace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// In which span.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<String>,
    /// What sets its series apart.
    pub labels: BTreeMap<String, String>,
}

impl From<&Info> for MetricInfo {
    fn from(info: &Info) -> Self {
        Self {
            name: info.name.as_ref().to_owned(),
            unit: info.unit.as_ref().to_owned(),
            description: Some(info.description.as_ref().to_owned()).filter(|text| !text.is_empty()),
            kind: match info.kind {
                Instrument::Sum => Kind::Sum,
                Instrument::Histogram => Kind::Histogram,
                Instrument::ExponentialHistogram => Kind::ExponentialHistogram,
                Instrument::Summary => Kind::Summary,
                _ => Kind::Gauge,
            },
            temporality: match info.temporality {
                1 => Some(Temporality::Delta),
                2 => Some(Temporality::Cumulative),
                _ => None,
            },
            series: info.series,
            keys: info.keys.iter().map(|key| key.as_ref().to_owned()).collect(),
            last_ms: millis(info.last),
            preset: info.name.starts_with("gen_ai.") || info.name.starts_with("mcp."),
        }
    }
}

impl Series {
    pub(crate) fn of(data: &SeriesData, kind: Kind) -> Self {
        let points = data.points.as_slice();
        let each = |quantile: f64| {
            let bounds = data.bounds.as_deref()?;
            Some(points.iter().map(|point| self::quantile(bounds, &point.counts, quantile)).collect())
        };
        let told = |yes: bool| yes.then_some(());
        let counts = matches!(kind, Kind::Histogram | Kind::ExponentialHistogram | Kind::Summary);
        let buckets = data.bounds.is_some() && counts;
        let all = |of: fn(&StepPoint) -> u64| points.iter().map(of).collect();
        Self {
            labels: labels(data),
            at: points.iter().map(|point| millis(point.at)).collect(),
            value: told(kind == Kind::Gauge).map(|()| points.iter().map(|point| point.value).collect()),
            count: told(counts).map(|()| all(|point| point.count)),
            sum: told(kind != Kind::Gauge).map(|()| points.iter().map(|point| point.sum).collect()),
            counts: told(buckets).map(|()| points.iter().map(|point| point.counts.clone()).collect()),
            p50: told(buckets).and_then(|()| each(0.5)),
            p95: told(buckets).and_then(|()| each(0.95)),
            p99: told(buckets).and_then(|()| each(0.99)),
        }
    }
}

impl ExemplarRow {
    pub(crate) fn of(exemplar: &Exemplar, labels: &BTreeMap<String, String>) -> Self {
        Self {
            at: millis(exemplar.time),
            value: exemplar.value,
            trace: exemplar.trace.map(|trace| trace.to_string()),
            span: exemplar.span.map(|span| span.to_string()),
            labels: labels.clone(),
        }
    }
}

pub(crate) fn labels(data: &SeriesData) -> BTreeMap<String, String> {
    data.labels.iter().map(|(key, value)| (key.as_ref().to_owned(), value.as_ref().to_owned())).collect()
}

/// A quantile by counts in buckets; within a bucket measurements are taken to lie evenly. What lies above the last bound is
/// told as that bound: nobody knows more.
fn quantile(bounds: &[f64], counts: &[u64], quantile: f64) -> Option<f64> {
    let total: u64 = counts.iter().sum();
    if total == 0 {
        return None;
    }
    let rank = quantile * total as f64;
    let mut below = 0.0;
    for (index, count) in counts.iter().enumerate() {
        let count = *count as f64;
        if count > 0.0 && below + count >= rank {
            let Some(upper) = bounds.get(index) else { return bounds.last().copied() };
            let lower = match index.checked_sub(1).and_then(|before| bounds.get(before)) {
                Some(lower) => *lower,
                None => upper.min(0.0),
            };
            return Some(lower + (upper - lower) * ((rank - below) / count).clamp(0.0, 1.0));
        }
        below += count;
    }
    bounds.last().copied()
}

#[cfg(test)]
mod tests {
    use super::quantile;

    #[test]
    fn quantiles_lie_in_their_buckets() {
        let bounds = [1.0, 2.0, 4.0];
        assert_eq!(quantile(&bounds, &[0, 10, 0, 0], 0.5), Some(1.5));
        assert_eq!(quantile(&bounds, &[5, 5, 0, 0], 0.95), Some(1.9));
        assert_eq!(quantile(&bounds, &[0, 0, 0, 3], 0.5), Some(4.0), "above all bounds");
        assert_eq!(quantile(&bounds, &[0, 0, 0, 0], 0.5), None);
        assert_eq!(quantile(&[], &[4], 0.5), None);
        assert_eq!(quantile(&bounds, &[4, 0, 0, 0], 0.5), Some(0.5));
    }
}
