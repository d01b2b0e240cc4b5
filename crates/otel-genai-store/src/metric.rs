//! Metrics: series of points.

use std::collections::HashMap;
use std::sync::Arc;

use opentelemetry_proto::tonic::metrics::v1 as otlp;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;

use crate::id::{Nanos, SpanId, TraceId};
use crate::origin::Origin;
use crate::value::{Attributes, KeyValue};

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

impl Series {
    /// From OTLP: the series of an instrument, each with its points in the order they came. An instrument without points
    /// has none.
    #[must_use]
    pub fn from_otlp(metric: otlp::Metric, origin: &Arc<Origin>) -> Vec<(Arc<Self>, Vec<Point>)> {
        let otlp::Metric { name, description, unit, metadata, data } = metric;
        let Some(data) = data else { return Vec::new() };
        let (kind, temporality, monotonic) = match &data {
            Data::Gauge(_) => (Instrument::Gauge, 0, false),
            Data::Sum(sum) => (Instrument::Sum, sum.aggregation_temporality, sum.is_monotonic),
            Data::Histogram(histogram) => (Instrument::Histogram, histogram.aggregation_temporality, false),
            Data::ExponentialHistogram(histogram) => {
                (Instrument::ExponentialHistogram, histogram.aggregation_temporality, false)
            }
            Data::Summary(_) => (Instrument::Summary, 0, false),
        };
        let (name, unit, description): (Arc<str>, Arc<str>, Arc<str>) =
            (name.into(), unit.into(), description.into());
        let metadata = Attributes::from_otlp(metadata);
        let mut list: Vec<(Arc<Self>, Vec<Point>)> = Vec::new();
        let mut places = HashMap::new();
        for (attributes, point) in points(data) {
            let place = *places.entry(identity(&attributes)).or_insert_with(|| {
                let series = Self {
                    name: Arc::clone(&name),
                    unit: Arc::clone(&unit),
                    description: Arc::clone(&description),
                    kind,
                    temporality,
                    monotonic,
                    metadata: metadata.clone(),
                    attributes: Attributes::from_otlp(attributes),
                    origin: Arc::clone(origin),
                };
                list.push((Arc::new(series), Vec::new()));
                list.len() - 1
            });
            if let Some((_, points)) = list.get_mut(place) {
                points.push(point);
            }
        }
        list
    }

    /// The series as an instrument of OTLP that has these points.
    #[must_use]
    pub fn to_otlp(&self, points: &[Point]) -> otlp::Metric {
        otlp::Metric {
            name: self.name.as_ref().to_owned(),
            description: self.description.as_ref().to_owned(),
            unit: self.unit.as_ref().to_owned(),
            metadata: self.metadata.to_otlp(),
            data: Some(self.data(points, &self.attributes.to_otlp())),
        }
    }

    /// What tells it from all others, for a hash: besides its origin.
    pub(crate) fn marks(&self) -> ([u8; 3], Vec<u8>) {
        let marks = [self.kind as u8, self.temporality.to_le_bytes()[0], u8::from(self.monotonic)];
        (marks, identity(&self.attributes.to_otlp()))
    }

    /// The series as an instrument of OTLP with one point that says nothing, so that its attributes are told.
    pub(crate) fn to_otlp_alone(&self) -> otlp::Metric {
        let empty = Point {
            start: Nanos(0),
            time: Nanos(0),
            flags: 0,
            value: PointValue::None,
            exemplars: Vec::new(),
        };
        self.to_otlp(&[empty])
    }

    /// Points without what they have in common, for [`points`].
    pub(crate) fn data(&self, points: &[Point], attributes: &[KeyValue]) -> Data {
        fn each<T>(points: &[Point], attributes: &[KeyValue], of: fn(&Point, Vec<KeyValue>) -> T) -> Vec<T> {
            points.iter().map(|point| of(point, attributes.to_vec())).collect()
        }
        let aggregation_temporality = self.temporality;
        match self.kind {
            Instrument::Gauge => {
                Data::Gauge(otlp::Gauge { data_points: each(points, attributes, Point::to_number) })
            }
            Instrument::Sum => Data::Sum(otlp::Sum {
                data_points: each(points, attributes, Point::to_number),
                aggregation_temporality,
                is_monotonic: self.monotonic,
            }),
            Instrument::Histogram => Data::Histogram(otlp::Histogram {
                data_points: each(points, attributes, Point::to_histogram),
                aggregation_temporality,
            }),
            Instrument::ExponentialHistogram => Data::ExponentialHistogram(otlp::ExponentialHistogram {
                data_points: each(points, attributes, Point::to_exponential),
                aggregation_temporality,
            }),
            Instrument::Summary => {
                Data::Summary(otlp::Summary { data_points: each(points, attributes, Point::to_summary) })
            }
        }
    }
}

/// What attributes are called by, in whatever order they stand.
fn identity(attributes: &[KeyValue]) -> Vec<u8> {
    let mut each: Vec<Vec<u8>> =
        attributes.iter().map(prost::Message::encode_length_delimited_to_vec).collect();
    each.sort_unstable();
    each.concat()
}

/// The points of an instrument, each with the attributes of its series.
pub(crate) fn points(data: Data) -> Vec<(Vec<KeyValue>, Point)> {
    match data {
        Data::Gauge(gauge) => gauge.data_points.into_iter().map(from_number).collect(),
        Data::Sum(sum) => sum.data_points.into_iter().map(from_number).collect(),
        Data::Histogram(histogram) => histogram.data_points.into_iter().map(from_histogram).collect(),
        Data::ExponentialHistogram(histogram) => {
            histogram.data_points.into_iter().map(from_exponential).collect()
        }
        Data::Summary(summary) => summary.data_points.into_iter().map(from_summary).collect(),
    }
}

/// A point of OTLP's, of whatever kind: what all of them have, and its value.
macro_rules! read {
    ($point:ident, $value:expr, $exemplars:expr) => {
        Point {
            start: Nanos($point.start_time_unix_nano),
            time: Nanos($point.time_unix_nano),
            flags: $point.flags,
            value: $value,
            exemplars: $exemplars,
        }
    };
}

fn from_number(point: otlp::NumberDataPoint) -> (Vec<KeyValue>, Point) {
    let value = match point.value {
        Some(otlp::number_data_point::Value::AsInt(int)) => PointValue::Int(int),
        Some(otlp::number_data_point::Value::AsDouble(double)) => PointValue::Double(double),
        None => PointValue::None,
    };
    (point.attributes, read!(point, value, exemplars(point.exemplars)))
}

fn from_histogram(point: otlp::HistogramDataPoint) -> (Vec<KeyValue>, Point) {
    let value = PointValue::Histogram {
        count: point.count,
        sum: point.sum,
        min: point.min,
        max: point.max,
        bounds: point.explicit_bounds.into(),
        counts: point.bucket_counts,
    };
    (point.attributes, read!(point, value, exemplars(point.exemplars)))
}

fn from_exponential(point: otlp::ExponentialHistogramDataPoint) -> (Vec<KeyValue>, Point) {
    let buckets = |buckets: Option<otlp::exponential_histogram_data_point::Buckets>| {
        buckets.map(|buckets| (buckets.offset, buckets.bucket_counts))
    };
    let value = PointValue::Exponential {
        count: point.count,
        sum: point.sum,
        min: point.min,
        max: point.max,
        scale: point.scale,
        zero: point.zero_count,
        zero_threshold: point.zero_threshold,
        positive: buckets(point.positive),
        negative: buckets(point.negative),
    };
    (point.attributes, read!(point, value, exemplars(point.exemplars)))
}

fn from_summary(point: otlp::SummaryDataPoint) -> (Vec<KeyValue>, Point) {
    let quantiles = point.quantile_values.iter().map(|each| (each.quantile, each.value)).collect();
    let value = PointValue::Summary { count: point.count, sum: point.sum, quantiles };
    (point.attributes, read!(point, value, Vec::new()))
}

fn exemplars(exemplars: Vec<otlp::Exemplar>) -> Vec<Exemplar> {
    let each = |exemplar: otlp::Exemplar| {
        let (value, int) = match exemplar.value {
            #[allow(
                clippy::cast_precision_loss,
                reason = "a single measurement; those beyond 2^53 are rounded"
            )]
            Some(otlp::exemplar::Value::AsInt(int)) => (int as f64, true),
            Some(otlp::exemplar::Value::AsDouble(double)) => (double, false),
            None => (f64::NAN, false),
        };
        Exemplar {
            time: Nanos(exemplar.time_unix_nano),
            value,
            int,
            trace: TraceId::new(&exemplar.trace_id),
            span: SpanId::new(&exemplar.span_id),
            attributes: Attributes::from_otlp(exemplar.filtered_attributes),
        }
    };
    exemplars.into_iter().map(each).collect()
}

/// The same the other way: a point of OTLP's with what all of them have, and without a value.
macro_rules! told {
    ($of:ident, $point:expr, $attributes:expr $(, $field:ident: $value:expr)*) => {
        otlp::$of {
            attributes: $attributes,
            start_time_unix_nano: $point.start.0,
            time_unix_nano: $point.time.0,
            flags: $point.flags,
            $($field: $value,)*
            ..otlp::$of::default()
        }
    };
}

impl Point {
    fn to_number(&self, attributes: Vec<KeyValue>) -> otlp::NumberDataPoint {
        let mut point = told!(NumberDataPoint, self, attributes, exemplars: self.to_exemplars());
        point.value = match self.value {
            PointValue::Int(int) => Some(otlp::number_data_point::Value::AsInt(int)),
            PointValue::Double(double) => Some(otlp::number_data_point::Value::AsDouble(double)),
            _ => None,
        };
        point
    }

    fn to_histogram(&self, attributes: Vec<KeyValue>) -> otlp::HistogramDataPoint {
        let mut point = told!(HistogramDataPoint, self, attributes, exemplars: self.to_exemplars());
        if let PointValue::Histogram { count, sum, min, max, bounds, counts } = &self.value {
            (point.count, point.sum, point.min, point.max) = (*count, *sum, *min, *max);
            point.explicit_bounds = bounds.to_vec();
            point.bucket_counts.clone_from(counts);
        }
        point
    }

    fn to_exponential(&self, attributes: Vec<KeyValue>) -> otlp::ExponentialHistogramDataPoint {
        let mut point =
            told!(ExponentialHistogramDataPoint, self, attributes, exemplars: self.to_exemplars());
        if let PointValue::Exponential {
            count,
            sum,
            min,
            max,
            scale,
            zero,
            zero_threshold,
            positive,
            negative,
        } = &self.value
        {
            let buckets = |told: &Option<(i32, Vec<u64>)>| {
                told.clone().map(|(offset, bucket_counts)| otlp::exponential_histogram_data_point::Buckets {
                    offset,
                    bucket_counts,
                })
            };
            (point.count, point.sum, point.min, point.max) = (*count, *sum, *min, *max);
            (point.scale, point.zero_count, point.zero_threshold) = (*scale, *zero, *zero_threshold);
            (point.positive, point.negative) = (buckets(positive), buckets(negative));
        }
        point
    }

    fn to_summary(&self, attributes: Vec<KeyValue>) -> otlp::SummaryDataPoint {
        let mut point = told!(SummaryDataPoint, self, attributes);
        if let PointValue::Summary { count, sum, quantiles } = &self.value {
            let each = |(quantile, value): &(f64, f64)| otlp::summary_data_point::ValueAtQuantile {
                quantile: *quantile,
                value: *value,
            };
            (point.count, point.sum) = (*count, *sum);
            point.quantile_values = quantiles.iter().map(each).collect();
        }
        point
    }

    fn to_exemplars(&self) -> Vec<otlp::Exemplar> {
        let each = |exemplar: &Exemplar| otlp::Exemplar {
            filtered_attributes: exemplar.attributes.to_otlp(),
            time_unix_nano: exemplar.time.0,
            span_id: exemplar.span.map(|id| id.bytes().to_vec()).unwrap_or_default(),
            trace_id: exemplar.trace.map(|id| id.bytes().to_vec()).unwrap_or_default(),
            value: match (exemplar.int, exemplar.value) {
                #[allow(clippy::cast_possible_truncation, reason = "it was made of a whole number")]
                (true, value) => Some(otlp::exemplar::Value::AsInt(value as i64)),
                (false, value) if value.is_nan() => None,
                (false, value) => Some(otlp::exemplar::Value::AsDouble(value)),
            },
        };
        self.exemplars.iter().map(each).collect()
    }
}
