//! Reads what the in-memory exporters of the OpenTelemetry SDK keep.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry::logs::AnyValue;
use opentelemetry::trace::{SpanKind as SdkKind, Status as SdkStatus};
use opentelemetry::{Array, InstrumentationScope, KeyValue, Value as SdkValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::in_memory_exporter::LogDataWithResource;
use opentelemetry_sdk::metrics::data::{
    AggregatedMetrics, Exemplar, Metric as SdkMetric, MetricData, ResourceMetrics,
};
use opentelemetry_sdk::trace::SpanData;

use crate::telemetry::{
    Attributes, Event, Instrument, Metric, Point, Scope, Span, SpanEvent, SpanKind, Status, Telemetry, Value,
};

impl Telemetry {
    /// Adds finished spans, as `InMemorySpanExporter::get_finished_spans` returns them.
    ///
    /// They do not know their resource; [`Telemetry::add_resource`] adds it where it matters.
    pub fn add_spans<'a>(&mut self, spans: impl IntoIterator<Item = &'a SpanData>) {
        for span in spans {
            self.scopes.push(scope(&span.instrumentation_scope));
            self.spans.push(Span {
                name: span.name.clone().into_owned(),
                kind: match span.span_kind {
                    SdkKind::Internal => SpanKind::Internal,
                    SdkKind::Server => SpanKind::Server,
                    SdkKind::Client => SpanKind::Client,
                    SdkKind::Producer => SpanKind::Producer,
                    SdkKind::Consumer => SpanKind::Consumer,
                },
                status: match span.status {
                    SdkStatus::Unset => Status::Unset,
                    SdkStatus::Ok => Status::Ok,
                    SdkStatus::Error { .. } => Status::Error,
                },
                start: nanoseconds(span.start_time),
                end: nanoseconds(span.end_time),
                attributes: attributes(&span.attributes),
                events: span
                    .events
                    .iter()
                    .map(|event| SpanEvent {
                        name: event.name.clone().into_owned(),
                        attributes: attributes(&event.attributes),
                    })
                    .collect(),
                links: span.links.iter().map(|link| attributes(&link.attributes)).collect(),
            });
        }
    }

    /// Adds log records, as `InMemoryLogExporter::get_emitted_logs` returns them.
    pub fn add_logs<'a>(&mut self, logs: impl IntoIterator<Item = &'a LogDataWithResource>) {
        for log in logs {
            self.add_resource(&log.resource);
            self.scopes.push(scope(&log.instrumentation));
            let attributes = log.record.attributes_iter();
            self.events.push(Event {
                name: log.record.event_name().unwrap_or_default().to_owned(),
                attributes: attributes.map(|(key, value)| (key.to_string(), any_value(value))).collect(),
            });
        }
    }

    /// Adds metrics, as `InMemoryMetricExporter::get_finished_metrics` returns them.
    pub fn add_metrics<'a>(&mut self, metrics: impl IntoIterator<Item = &'a ResourceMetrics>) {
        for group in metrics {
            self.add_resource(group.resource());
            for block in group.scope_metrics() {
                self.scopes.push(scope(block.scope()));
                self.metrics.extend(block.metrics().map(metric));
            }
        }
    }

    /// Adds the attributes of a resource.
    pub fn add_resource(&mut self, resource: &Resource) {
        let attributes = resource.iter().map(|(key, value)| (key.to_string(), self::value(value)));
        self.resources.push(attributes.collect());
    }
}

fn metric(metric: &SdkMetric) -> Metric {
    let (instrument, points) = match metric.data() {
        AggregatedMetrics::F64(data) => points(data, |number| number),
        AggregatedMetrics::U64(data) => points(data, |number| number as f64),
        AggregatedMetrics::I64(data) => points(data, |number| number as f64),
    };
    Metric { name: metric.name().to_owned(), unit: metric.unit().to_owned(), instrument, points }
}

fn points<T: Copy>(data: &MetricData<T>, to_double: impl Fn(T) -> f64) -> (Instrument, Vec<Point>) {
    let lower = |sum: T, min: Option<T>| {
        let sum = to_double(sum);
        Some(min.map_or(sum, |min| sum.min(to_double(min))))
    };
    match data {
        MetricData::Gauge(gauge) => {
            let points = gauge.data_points().map(|point| Point {
                attributes: attributes(point.attributes()),
                lowest: Some(to_double(point.value())),
                exemplars: exemplars(point.exemplars()),
            });
            (Instrument::Gauge, points.collect())
        }
        MetricData::Sum(sum) => {
            let points = sum.data_points().map(|point| Point {
                attributes: attributes(point.attributes()),
                lowest: Some(to_double(point.value())),
                exemplars: exemplars(point.exemplars()),
            });
            let grows = sum.is_monotonic();
            (if grows { Instrument::Counter } else { Instrument::UpDownCounter }, points.collect())
        }
        MetricData::Histogram(histogram) => {
            let points = histogram.data_points().map(|point| Point {
                attributes: attributes(point.attributes()),
                lowest: lower(point.sum(), point.min()),
                exemplars: exemplars(point.exemplars()),
            });
            (Instrument::Histogram, points.collect())
        }
        MetricData::ExponentialHistogram(histogram) => {
            let points = histogram.data_points().map(|point| Point {
                attributes: attributes(point.attributes()),
                lowest: lower(point.sum(), point.min()),
                exemplars: exemplars(point.exemplars()),
            });
            (Instrument::Histogram, points.collect())
        }
    }
}

fn exemplars<'a, T: 'a>(exemplars: impl Iterator<Item = &'a Exemplar<T>>) -> Vec<Attributes> {
    exemplars.map(|exemplar| attributes(exemplar.filtered_attributes())).collect()
}

fn scope(scope: &InstrumentationScope) -> Scope {
    Scope { name: scope.name().to_owned(), attributes: attributes(scope.attributes()) }
}

fn attributes<'a>(pairs: impl IntoIterator<Item = &'a KeyValue>) -> Attributes {
    pairs.into_iter().map(|pair| (pair.key.to_string(), value(&pair.value))).collect()
}

fn value(value: &SdkValue) -> Value {
    match value {
        SdkValue::Bool(value) => Value::Bool(*value),
        SdkValue::I64(number) => Value::Int(*number),
        SdkValue::F64(number) => Value::Double(*number),
        SdkValue::String(text) => Value::String(text.to_string()),
        SdkValue::Array(list) => Value::Array(match list {
            Array::Bool(values) => values.iter().copied().map(Value::Bool).collect(),
            Array::I64(numbers) => numbers.iter().copied().map(Value::Int).collect(),
            Array::F64(numbers) => numbers.iter().copied().map(Value::Double).collect(),
            Array::String(texts) => texts.iter().map(|text| Value::String(text.to_string())).collect(),
            _ => Vec::new(),
        }),
        // The enum may grow; what is not known yet is of no type that the conventions have.
        _ => Value::Empty,
    }
}

fn any_value(value: &AnyValue) -> Value {
    match value {
        AnyValue::Int(number) => Value::Int(*number),
        AnyValue::Double(number) => Value::Double(*number),
        AnyValue::String(text) => Value::String(text.to_string()),
        AnyValue::Boolean(value) => Value::Bool(*value),
        AnyValue::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
        AnyValue::ListAny(values) => Value::Array(values.iter().map(any_value).collect()),
        AnyValue::Map(entries) => {
            Value::Map(entries.iter().map(|(key, value)| (key.to_string(), any_value(value))).collect())
        }
        _ => Value::Empty,
    }
}

/// Since 1970; times before that count as 1970.
fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
