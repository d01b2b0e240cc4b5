//! Metrics: series of points.

use std::sync::Arc;

use crate::id::{Nanos, SpanId, TraceId};
use crate::origin::Origin;
use crate::value::Attributes;

/// One series: an instrument with one set of attributes.
#[derive(Clone, Debug)]
pub struct Series {
    /// The instrument's name.
    pub name: Arc<str>,
    /// Its unit, by UCUM: `s`, `{token}`.
    pub unit: Arc<str>,
    /// Its description.
    pub description: Arc<str>,
    /// What kind of points it has.
    pub kind: Instrument,
    /// OTLP's `AggregationTemporality`: 1 delta, 2 cumulative; 0 where it has none.
    pub temporality: i32,
    /// Whether a sum only grows.
    pub monotonic: bool,
    /// About the instrument.
    pub metadata: Attributes,
    /// What sets the series apart.
    pub attributes: Attributes,
    /// What made and told it.
    pub origin: Arc<Origin>,
}

/// What kind of points a series has. The numbers are stored: never renumber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Instrument {
    /// A value as it is now.
    Gauge = 1,
    /// A sum.
    Sum = 2,
    /// Counts by bounds that the sender chose.
    Histogram = 3,
    /// Counts by powers of a base.
    ExponentialHistogram = 4,
    /// Quantiles made by the sender.
    Summary = 5,
}

/// One point of a series.
#[derive(Clone, Debug)]
pub struct Point {
    /// Since when it counts; 0 if not told.
    pub start: Nanos,
    /// When it was taken.
    pub time: Nanos,
    /// OTLP's `DataPointFlags`.
    pub flags: u32,
    /// What was measured.
    pub value: PointValue,
    /// Single measurements in it.
    pub exemplars: Vec<Exemplar>,
}

/// What a point measured.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum PointValue {
    /// A whole number, of a gauge or a sum.
    Int(i64),
    /// A number, of a gauge or a sum.
    Double(f64),
    /// Counts by bounds: `counts[i]` lies in `(bounds[i-1], bounds[i]]`.
    Histogram {
        /// How many measurements.
        count: u64,
        /// Their sum.
        sum: Option<f64>,
        /// The least.
        min: Option<f64>,
        /// The greatest.
        max: Option<f64>,
        /// Ascending.
        bounds: Arc<[f64]>,
        /// One more than bounds, or none.
        counts: Vec<u64>,
    },
    /// Counts by powers of `2^(2^-scale)`.
    Exponential {
        /// How many measurements.
        count: u64,
        /// Their sum.
        sum: Option<f64>,
        /// The least.
        min: Option<f64>,
        /// The greatest.
        max: Option<f64>,
        /// How fine the buckets are.
        scale: i32,
        /// How many measurements were about 0.
        zero: u64,
        /// What counts as 0.
        zero_threshold: f64,
        /// Offset and counts above 0; none if OTLP had none.
        positive: Option<(i32, Vec<u64>)>,
        /// Offset and counts below 0.
        negative: Option<(i32, Vec<u64>)>,
    },
    /// Quantiles.
    Summary {
        /// How many measurements.
        count: u64,
        /// Their sum.
        sum: f64,
        /// Quantile (0–1) and its value.
        quantiles: Vec<(f64, f64)>,
    },
    /// The point came without a value.
    None,
}

/// A single measurement that stands for others in a point.
#[derive(Clone, Debug)]
pub struct Exemplar {
    /// When it was measured.
    pub time: Nanos,
    /// What was measured.
    pub value: f64,
    /// Whether it was a whole number.
    pub int: bool,
    /// The trace it was measured in.
    pub trace: Option<TraceId>,
    /// The span it was measured in.
    pub span: Option<SpanId>,
    /// Attributes that the series does not have.
    pub attributes: Attributes,
}
