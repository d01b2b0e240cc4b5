//! Any metric.

use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint,
    Metric, NumberDataPoint, Sum, Summary, SummaryDataPoint, exemplar, metric::Data, number_data_point,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::support::{attributes, double, id, text};

fn exemplars() -> impl Strategy<Value = Vec<Exemplar>> {
    let value = option::of(prop_oneof![
        double().prop_map(exemplar::Value::AsDouble),
        any::<i64>().prop_map(exemplar::Value::AsInt),
    ]);
    let one = (attributes(), any::<u64>(), id(8), id(16), value).prop_map(
        |(filtered_attributes, time_unix_nano, span_id, trace_id, value)| Exemplar {
            filtered_attributes,
            time_unix_nano,
            span_id,
            trace_id,
            value,
        },
    );
    vec(one, 0..2)
}

fn numbers() -> impl Strategy<Value = Vec<NumberDataPoint>> {
    let value = option::of(prop_oneof![
        double().prop_map(number_data_point::Value::AsDouble),
        any::<i64>().prop_map(number_data_point::Value::AsInt),
    ]);
    let one = (attributes(), any::<(u64, u64, u32)>(), exemplars(), value).prop_map(
        |(attributes, (start_time_unix_nano, time_unix_nano, flags), exemplars, value)| NumberDataPoint {
            attributes,
            start_time_unix_nano,
            time_unix_nano,
            exemplars,
            flags,
            value,
        },
    );
    vec(one, 0..3)
}

fn histograms() -> impl Strategy<Value = Vec<HistogramDataPoint>> {
    let told = (option::of(double()), option::of(double()), option::of(double()));
    let lists = (vec(any::<u64>(), 0..4), vec(double(), 0..4), exemplars());
    let one = (attributes(), any::<(u64, u64, u64, u32)>(), told, lists).prop_map(
        |(attributes, n, told, lists)| HistogramDataPoint {
            attributes,
            start_time_unix_nano: n.0,
            time_unix_nano: n.1,
            count: n.2,
            sum: told.0,
            bucket_counts: lists.0,
            explicit_bounds: lists.1,
            exemplars: lists.2,
            flags: n.3,
            min: told.1,
            max: told.2,
        },
    );
    vec(one, 0..3)
}

fn exponential() -> impl Strategy<Value = Vec<ExponentialHistogramDataPoint>> {
    let buckets = || {
        option::of(
            (any::<i32>(), vec(any::<u64>(), 0..4))
                .prop_map(|(offset, bucket_counts)| Buckets { offset, bucket_counts }),
        )
    };
    let told = (option::of(double()), option::of(double()), option::of(double()), double());
    let numbers = any::<(u64, u64, u64, u64, i32, u32)>();
    let one = (attributes(), numbers, told, buckets(), buckets(), exemplars()).prop_map(
        |(attributes, n, told, positive, negative, exemplars)| ExponentialHistogramDataPoint {
            attributes,
            start_time_unix_nano: n.0,
            time_unix_nano: n.1,
            count: n.2,
            sum: told.0,
            scale: n.4,
            zero_count: n.3,
            positive,
            negative,
            flags: n.5,
            exemplars,
            min: told.1,
            max: told.2,
            zero_threshold: told.3,
        },
    );
    vec(one, 0..3)
}

fn summaries() -> impl Strategy<Value = Vec<SummaryDataPoint>> {
    let quantiles =
        vec((double(), double()).prop_map(|(quantile, value)| ValueAtQuantile { quantile, value }), 0..3);
    let one = (attributes(), any::<(u64, u64, u64, u32)>(), double(), quantiles).prop_map(
        |(attributes, n, sum, quantile_values)| SummaryDataPoint {
            attributes,
            start_time_unix_nano: n.0,
            time_unix_nano: n.1,
            count: n.2,
            sum,
            quantile_values,
            flags: n.3,
        },
    );
    vec(one, 0..3)
}

pub(crate) fn metric() -> impl Strategy<Value = Metric> {
    let data = prop_oneof![
        numbers().prop_map(|data_points| Data::Gauge(Gauge { data_points })),
        (numbers(), any::<i32>(), any::<bool>()).prop_map(
            |(data_points, aggregation_temporality, is_monotonic)| {
                Data::Sum(Sum { data_points, aggregation_temporality, is_monotonic })
            }
        ),
        (histograms(), any::<i32>()).prop_map(|(data_points, aggregation_temporality)| {
            Data::Histogram(Histogram { data_points, aggregation_temporality })
        }),
        (exponential(), any::<i32>()).prop_map(|(data_points, aggregation_temporality)| {
            Data::ExponentialHistogram(ExponentialHistogram { data_points, aggregation_temporality })
        }),
        summaries().prop_map(|data_points| Data::Summary(Summary { data_points })),
    ];
    (text(), text(), text(), attributes(), option::of(data)).prop_map(
        |(name, description, unit, metadata, data)| Metric { name, description, unit, metadata, data },
    )
}
