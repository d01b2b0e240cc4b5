//! A handler whose telemetry is kept in memory, and that telemetry as JSON.

use std::collections::BTreeMap;

use opentelemetry::logs::AnyValue;
use opentelemetry::trace::SpanKind;
use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_sdk::logs::{InMemoryLogExporter, SdkLoggerProvider};
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ScopeMetrics};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use otel_genai::{Capture, Config, Conventions, GenAi};
use serde_json::{Map, Value as Json, json};

/// What was exported, in the order in which it ended.
pub(crate) struct Told {
    pub(crate) spans: Vec<Span>,
    pub(crate) events: Vec<(String, Json)>,
    /// The points' attributes, by metric.
    pub(crate) metrics: BTreeMap<String, Vec<Json>>,
}

#[derive(Debug)]
pub(crate) struct Span {
    pub(crate) name: String,
    pub(crate) kind: SpanKind,
    pub(crate) attributes: Json,
}

impl Told {
    /// The only span.
    pub(crate) fn span(&self) -> &Span {
        assert_eq!(self.spans.len(), 1, "{:#?}", self.spans);
        &self.spans[0]
    }

    /// The only span's attributes.
    pub(crate) fn attributes(&self) -> &Json {
        &self.span().attributes
    }

    /// The span of this name.
    pub(crate) fn named(&self, name: &str) -> &Span {
        self.spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("{:#?}", self.spans))
    }
}

/// What `work` makes a handler tell in this capture mode. `None`: without the opt-in.
pub(crate) fn told(
    conventions: impl Into<Conventions>,
    mode: Option<Capture>,
    emit_event: Option<bool>,
    work: impl FnOnce(&GenAi),
) -> Told {
    let (spans, logs, metrics) =
        (InMemorySpanExporter::default(), InMemoryLogExporter::default(), InMemoryMetricExporter::default());
    let tracers = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
    let loggers = SdkLoggerProvider::builder().with_simple_exporter(logs.clone()).build();
    let meters = SdkMeterProvider::builder().with_periodic_exporter(metrics.clone()).build();
    let mut config = Config::default();
    config.convention = conventions.into();
    config.opt_in = mode.is_some();
    // Without the opt-in no mode counts.
    config.capture = mode.unwrap_or(Capture::SpanAndEvent);
    config.emit_event = emit_event;
    let genai = GenAi::builder()
        .tracer_provider(&tracers)
        .logger_provider(&loggers)
        .meter_provider(&meters)
        .config(config)
        .build();
    work(&genai);
    meters.force_flush().unwrap();

    let spans = spans.get_finished_spans().unwrap().into_iter().map(|span| Span {
        name: span.name.into_owned(),
        kind: span.span_kind,
        attributes: attributes(span.attributes.iter()),
    });
    let events = logs.get_emitted_logs().unwrap().into_iter().map(|log| {
        assert!(log.record.body().is_none(), "no event has a body");
        let attributes = log.record.attributes_iter().map(|(key, value)| (key.to_string(), any(value)));
        (log.record.event_name().unwrap_or_default().to_owned(), Json::Object(attributes.collect()))
    });
    let mut points = BTreeMap::new();
    for resource in metrics.get_finished_metrics().unwrap() {
        for metric in resource.scope_metrics().flat_map(ScopeMetrics::metrics) {
            let of_metric = match metric.data() {
                AggregatedMetrics::F64(MetricData::Histogram(data)) => {
                    data.data_points().map(|point| attributes(point.attributes())).collect()
                }
                AggregatedMetrics::U64(MetricData::Histogram(data)) => {
                    data.data_points().map(|point| attributes(point.attributes())).collect()
                }
                other => panic!("{other:?}"),
            };
            points.insert(metric.name().to_owned(), of_metric);
        }
    }
    Told { spans: spans.collect(), events: events.collect(), metrics: points }
}

fn attributes<'a>(attributes: impl Iterator<Item = &'a KeyValue>) -> Json {
    let mut all = Map::new();
    for attribute in attributes {
        let doubled = all.insert(attribute.key.to_string(), json_of(&attribute.value));
        assert!(doubled.is_none(), "{} is told twice", attribute.key);
    }
    Json::Object(all)
}

fn json_of(value: &Value) -> Json {
    match value {
        Value::Bool(value) => json!(value),
        Value::I64(value) => json!(value),
        Value::F64(value) => json!(value),
        Value::String(value) => json!(value.as_str()),
        Value::Array(Array::String(values)) => values.iter().map(StringValue::as_str).collect(),
        other => panic!("{other:?}"),
    }
}

fn any(value: &AnyValue) -> Json {
    match value {
        AnyValue::Boolean(value) => json!(value),
        AnyValue::Int(value) => json!(value),
        AnyValue::Double(value) => json!(value),
        AnyValue::String(value) => json!(value.as_str()),
        AnyValue::ListAny(values) => values.iter().map(any).collect(),
        AnyValue::Map(entries) => {
            Json::Object(entries.iter().map(|(key, value)| (key.to_string(), any(value))).collect())
        }
        other => panic!("{other:?}"),
    }
}
