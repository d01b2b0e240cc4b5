//! What a handler exports, in a shape that tests can ask.
#![allow(dead_code, unreachable_pub, reason = "not every test asks everything")]

use std::collections::BTreeMap;

use opentelemetry::logs::{AnyValue, Severity};
use opentelemetry::{Array, KeyValue, Value};
use opentelemetry_sdk::logs::{InMemoryLogExporter, SdkLoggerProvider};
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ResourceMetrics, ScopeMetrics};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use otel_genai::{Capture, Config, GenAi};
use serde_json::{Value as Json, json};

pub type Attributes = BTreeMap<String, Json>;

pub struct Exported {
    pub genai: GenAi,
    pub config: Config,
    _tracers: SdkTracerProvider,
    meters: SdkMeterProvider,
    spans: InMemorySpanExporter,
    logs: InMemoryLogExporter,
    metrics: InMemoryMetricExporter,
}

#[derive(Debug)]
pub struct Event {
    pub name: String,
    pub severity: Option<Severity>,
    pub attributes: Attributes,
    pub body: Option<Json>,
}

/// A point of a metric. Of durations only the count is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    pub attributes: Attributes,
    pub count: u64,
    pub sum: Option<u64>,
}

/// A handler of these conventions, written as in `OTEL_GENAI_CONVENTION`.
pub fn exported(conventions: &str, capture: Capture) -> Exported {
    with_events(conventions, capture, None)
}

pub fn with_events(conventions: &str, capture: Capture, emit_event: Option<bool>) -> Exported {
    let (spans, logs, metrics) =
        (InMemorySpanExporter::default(), InMemoryLogExporter::default(), InMemoryMetricExporter::default());
    let tracers = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
    let loggers = SdkLoggerProvider::builder().with_simple_exporter(logs.clone()).build();
    let meters = SdkMeterProvider::builder().with_periodic_exporter(metrics.clone()).build();
    let mut config = Config::default();
    config.capture = capture;
    config.emit_event = emit_event;
    config.convention = conventions.parse().unwrap();
    let genai = GenAi::builder()
        .tracer_provider(&tracers)
        .logger_provider(&loggers)
        .meter_provider(&meters)
        .config(config.clone())
        .build();
    Exported { genai, config, _tracers: tracers, meters, spans, logs, metrics }
}

impl Exported {
    pub fn spans(&self) -> Vec<SpanData> {
        self.spans.get_finished_spans().unwrap()
    }

    pub fn span(&self) -> SpanData {
        let spans = self.spans();
        assert_eq!(spans.len(), 1, "exactly one span a call: {spans:#?}");
        spans.into_iter().next().unwrap()
    }

    pub fn attributes(&self) -> Attributes {
        attributes(&self.span().attributes)
    }

    pub fn events(&self) -> Vec<Event> {
        let logs = self.logs.get_emitted_logs().unwrap();
        logs.iter()
            .map(|log| Event {
                name: log.record.event_name().unwrap_or_default().to_owned(),
                severity: log.record.severity_number(),
                attributes: log
                    .record
                    .attributes_iter()
                    .map(|(key, value)| (key.to_string(), of_any(value)))
                    .collect(),
                body: log.record.body().map(of_any),
            })
            .collect()
    }

    pub fn event_names(&self) -> Vec<String> {
        self.events().into_iter().map(|event| event.name).collect()
    }

    /// The points of each metric.
    pub fn metrics(&self) -> BTreeMap<String, Vec<Point>> {
        self.meters.force_flush().unwrap();
        let all = self.metrics.get_finished_metrics().unwrap();
        let all = all.iter().flat_map(ResourceMetrics::scope_metrics).flat_map(ScopeMetrics::metrics);
        all.map(|metric| {
            let points = match metric.data() {
                AggregatedMetrics::F64(MetricData::Histogram(histogram)) => histogram
                    .data_points()
                    .map(|point| Point {
                        attributes: attributes(point.attributes()),
                        count: point.count(),
                        sum: None,
                    })
                    .collect(),
                AggregatedMetrics::U64(MetricData::Histogram(histogram)) => histogram
                    .data_points()
                    .map(|point| Point {
                        attributes: attributes(point.attributes()),
                        count: point.count(),
                        sum: Some(point.sum()),
                    })
                    .collect(),
                AggregatedMetrics::U64(MetricData::Sum(sum)) => sum
                    .data_points()
                    .map(|point| Point {
                        attributes: attributes(point.attributes()),
                        count: 1,
                        sum: Some(point.value()),
                    })
                    .collect(),
                other => panic!("{}: {other:?}", metric.name()),
            };
            (metric.name().to_owned(), points)
        })
        .collect()
    }

    pub fn points(&self, metric: &str) -> Vec<Point> {
        self.metrics().remove(metric).unwrap_or_default()
    }

    /// A counter's or histogram's sums by the value of this attribute.
    pub fn sums(&self, metric: &str, by: &str) -> BTreeMap<String, u64> {
        let points = self.points(metric).into_iter();
        points.map(|point| (point.attributes[by].as_str().unwrap().to_owned(), point.sum.unwrap())).collect()
    }
}

pub fn attributes<'a>(attributes: impl IntoIterator<Item = &'a KeyValue>) -> Attributes {
    let mut all = Attributes::new();
    for attribute in attributes {
        let before = all.insert(attribute.key.to_string(), of_value(&attribute.value));
        assert!(before.is_none(), "{} is there twice", attribute.key);
    }
    all
}

/// A map of names and values.
pub fn map(json: Json) -> Attributes {
    let Json::Object(fields) = json else { panic!("{json} is no object") };
    fields.into_iter().collect()
}

fn of_value(value: &Value) -> Json {
    match value {
        Value::Bool(value) => json!(value),
        Value::I64(value) => json!(value),
        Value::F64(value) => json!(value),
        Value::String(value) => json!(value.as_str()),
        Value::Array(Array::String(values)) => values.iter().map(|value| json!(value.as_str())).collect(),
        other => panic!("{other:?}"),
    }
}

fn of_any(value: &AnyValue) -> Json {
    match value {
        AnyValue::Boolean(value) => json!(value),
        AnyValue::Int(value) => json!(value),
        AnyValue::Double(value) => json!(value),
        AnyValue::String(value) => json!(value.as_str()),
        AnyValue::ListAny(items) => items.iter().map(of_any).collect(),
        AnyValue::Map(fields) => fields
            .iter()
            .map(|(key, value)| (key.to_string(), of_any(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => panic!("{other:?}"),
    }
}
