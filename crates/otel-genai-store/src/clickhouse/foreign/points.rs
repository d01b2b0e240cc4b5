//! Rows of metrics as series and their points.

use std::sync::Arc;

use clickhouse::Row;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint,
    Metric, NumberDataPoint, Sum, Summary, SummaryDataPoint, exemplar, number_data_point,
    summary_data_point::ValueAtQuantile,
};
use serde::Deserialize;

use super::discover::{Kind, Table};
use super::rows::{Maker, Source, nanos, nth_attributes, source};
use super::told::{Text, Texts, attributes, id, moment, text};
use crate::metric::{Point, Series};
use crate::store::Batch;

/// A point is about so large.
const ABOUT: usize = 500;

/// A row of any table of metrics; what a table does not have is empty.
#[derive(Row, Deserialize)]
pub(super) struct PointTold<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    unit: Text<'a>,
    #[serde(borrow)]
    description: Text<'a>,
    #[serde(borrow)]
    source: Source<'a>,
    #[serde(borrow)]
    keys: Texts<'a>,
    #[serde(borrow)]
    values: Texts<'a>,
    start: i64,
    time: i64,
    flags: u32,
    value: f64,
    temporality: i32,
    monotonic: u8,
    count: u64,
    sum: f64,
    min: f64,
    max: f64,
    counts: Vec<u64>,
    bounds: Vec<f64>,
    scale: i32,
    zero: u64,
    above: i32,
    above_counts: Vec<u64>,
    below: i32,
    below_counts: Vec<u64>,
    quantiles: Vec<f64>,
    quantile_values: Vec<f64>,
    exemplar_times: Vec<i64>,
    exemplar_values: Vec<f64>,
    #[serde(borrow)]
    exemplar_traces: Texts<'a>,
    #[serde(borrow)]
    exemplar_spans: Texts<'a>,
    #[serde(borrow)]
    exemplar_keys: Vec<Texts<'a>>,
    #[serde(borrow)]
    exemplar_attributes: Vec<Texts<'a>>,
}

/// The columns of [`PointTold`].
pub(super) fn columns(table: &Table) -> String {
    let [keys, values] = table.attributes("Attributes");
    let [exemplar_keys, exemplar_values] = table.lists_of_attributes("Exemplars.FilteredAttributes");
    let times = match table.column("Exemplars.TimeUnix", "") {
        "" => "emptyArrayInt64()".to_owned(),
        times => format!("arrayMap(t -> {}, {times})", nanos("t")),
    };
    let start = match table.column("StartTimeUnix", "") {
        "" => "toInt64(0)".to_owned(),
        start => nanos(start),
    };
    let mut columns = format!(
        "toString(MetricName) AS name, toString(MetricUnit) AS unit, toString({}) AS description, {}, {keys} AS keys,
         {values} AS values, {start} AS start, {} AS time",
        table.column("MetricDescription", "''"),
        source(table),
        nanos("TimeUnix"),
    );
    for (column, cast, alias) in [
        ("Flags", "UInt32", "flags"),
        ("Value", "Float64", "value"),
        ("AggregationTemporality", "Int32", "temporality"),
        ("IsMonotonic", "UInt8", "monotonic"),
        ("Count", "UInt64", "count"),
        ("Sum", "Float64", "sum"),
        ("Min", "Float64", "min"),
        ("Max", "Float64", "max"),
        ("BucketCounts", "Array(UInt64)", "counts"),
        ("ExplicitBounds", "Array(Float64)", "bounds"),
        ("Scale", "Int32", "scale"),
        ("ZeroCount", "UInt64", "zero"),
        ("PositiveOffset", "Int32", "above"),
        ("PositiveBucketCounts", "Array(UInt64)", "above_counts"),
        ("NegativeOffset", "Int32", "below"),
        ("NegativeBucketCounts", "Array(UInt64)", "below_counts"),
        ("ValueAtQuantiles.Quantile", "Array(Float64)", "quantiles"),
        ("ValueAtQuantiles.Value", "Array(Float64)", "quantile_values"),
    ] {
        let none = match column {
            // As the first versions call it.
            "AggregationTemporality" => table.column("AggTemp", "0"),
            _ if cast.starts_with("Array") => "[]",
            _ => "0",
        };
        columns.push_str(&format!(", CAST({}, '{cast}') AS {alias}", table.column(column, none)));
    }
    columns.push_str(&format!(", {times} AS exemplar_times"));
    for (column, cast, alias) in [
        ("Exemplars.Value", "Array(Float64)", "exemplar_values"),
        ("Exemplars.TraceId", "Array(String)", "exemplar_traces"),
        ("Exemplars.SpanId", "Array(String)", "exemplar_spans"),
    ] {
        columns.push_str(&format!(", CAST({}, '{cast}') AS {alias}", table.column(column, "[]")));
    }
    columns + &format!(", {exemplar_keys} AS exemplar_keys, {exemplar_values} AS exemplar_attributes")
}

impl PointTold<'_> {
    /// Adds the point to others.
    pub(super) fn add(&self, maker: &mut Maker, kind: Kind, table: &Table, batch: &mut Batch) {
        batch.points.extend(self.series(maker, kind, table));
        batch.bytes += ABOUT;
    }

    /// The series, with this point.
    fn series(
        &self,
        maker: &mut Maker,
        kind: Kind,
        table: &Table,
    ) -> impl Iterator<Item = (Arc<Series>, Vec<Point>)> + use<> {
        let metric = Metric {
            name: text(self.name),
            unit: text(self.unit),
            description: text(self.description),
            data: Some(self.data(kind, table)),
            ..Metric::default()
        };
        Series::from_otlp(metric, &maker.origin(table, &self.source)).into_iter()
    }

    fn data(&self, kind: Kind, table: &Table) -> Data {
        let attributes = attributes(table.flavour("Attributes"), &self.keys, &self.values);
        let (start_time_unix_nano, time_unix_nano) = (moment(self.start), moment(self.time));
        let (flags, exemplars) = (self.flags, self.exemplars(table));
        let number = || NumberDataPoint {
            attributes: attributes.clone(),
            start_time_unix_nano,
            time_unix_nano,
            exemplars: exemplars.clone(),
            flags,
            value: Some(number_data_point::Value::AsDouble(self.value)),
        };
        let aggregation_temporality = self.temporality;
        let buckets = |offset, counts: &[u64]| Some(Buckets { offset, bucket_counts: counts.to_vec() });
        // Least and greatest are 0 where they were not told.
        let told = (self.min != 0.0 || self.max != 0.0).then_some((self.min, self.max));
        let (min, max) = (told.map(|(min, _)| min), told.map(|(_, max)| max));
        match kind {
            Kind::Gauge => Data::Gauge(Gauge { data_points: vec![number()] }),
            Kind::Sum => Data::Sum(Sum {
                data_points: vec![number()],
                aggregation_temporality,
                is_monotonic: self.monotonic != 0,
            }),
            Kind::Histogram => Data::Histogram(Histogram {
                data_points: vec![HistogramDataPoint {
                    attributes,
                    start_time_unix_nano,
                    time_unix_nano,
                    count: self.count,
                    sum: Some(self.sum),
                    bucket_counts: self.counts.clone(),
                    explicit_bounds: self.bounds.clone(),
                    exemplars,
                    flags,
                    min,
                    max,
                }],
                aggregation_temporality,
            }),
            Kind::Exponential => Data::ExponentialHistogram(ExponentialHistogram {
                data_points: vec![ExponentialHistogramDataPoint {
                    attributes,
                    start_time_unix_nano,
                    time_unix_nano,
                    count: self.count,
                    sum: Some(self.sum),
                    scale: self.scale,
                    zero_count: self.zero,
                    positive: buckets(self.above, &self.above_counts),
                    negative: buckets(self.below, &self.below_counts),
                    flags,
                    exemplars,
                    min,
                    max,
                    zero_threshold: 0.0,
                }],
                aggregation_temporality,
            }),
            Kind::Summary => Data::Summary(Summary {
                data_points: vec![SummaryDataPoint {
                    attributes,
                    start_time_unix_nano,
                    time_unix_nano,
                    count: self.count,
                    sum: self.sum,
                    quantile_values: self.quantiles(),
                    flags,
                }],
            }),
        }
    }

    fn quantiles(&self) -> Vec<ValueAtQuantile> {
        let pairs = self.quantiles.iter().zip(&self.quantile_values);
        pairs.map(|(quantile, value)| ValueAtQuantile { quantile: *quantile, value: *value }).collect()
    }

    fn exemplars(&self, table: &Table) -> Vec<Exemplar> {
        let flavour = table.flavour("Exemplars.FilteredAttributes");
        let each = |(nth, (time, value)): (usize, (&i64, &f64))| Exemplar {
            filtered_attributes: nth_attributes(flavour, &self.exemplar_keys, &self.exemplar_attributes, nth),
            time_unix_nano: moment(*time),
            span_id: self.exemplar_spans.get(nth).map(|span| id(span)).unwrap_or_default(),
            trace_id: self.exemplar_traces.get(nth).map(|trace| id(trace)).unwrap_or_default(),
            value: Some(exemplar::Value::AsDouble(*value)),
        };
        self.exemplar_times.iter().zip(&self.exemplar_values).enumerate().map(each).collect()
    }
}
