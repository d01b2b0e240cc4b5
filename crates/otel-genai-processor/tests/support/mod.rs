//! A processor whose telemetry stays in memory, and spans made by hand.
#![allow(dead_code, reason = "each test binary asks for its own part")]

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use opentelemetry::logs::AnyValue;
use opentelemetry::trace::{Event, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{Array, InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::{InMemoryLogExporter, SdkLoggerProvider};
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ScopeMetrics};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use opentelemetry_sdk::trace::{
    InMemorySpanExporter, SimpleSpanProcessor, SpanData, SpanEvents, SpanLinks, SpanProcessor as _,
};
use otel_genai::{Builder, Config};
use otel_genai_conformance::{Checker, Finding, Telemetry};
use otel_genai_processor::GenAiSpanProcessor;

/// A span as somebody's library leaves it, a second long.
pub(crate) fn span(name: &'static str, attributes: impl IntoIterator<Item = KeyValue>) -> SpanData {
    nested(name, 1, 0, attributes)
}

/// The same with an id, within another.
pub(crate) fn nested(
    name: &'static str,
    id: u64,
    parent: u64,
    attributes: impl IntoIterator<Item = KeyValue>,
) -> SpanData {
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let trace = TraceId::from(7_u128);
    SpanData {
        span_context: SpanContext::new(
            trace,
            SpanId::from(id),
            TraceFlags::SAMPLED,
            false,
            TraceState::default(),
        ),
        parent_span_id: SpanId::from(parent),
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: name.into(),
        start_time: start,
        end_time: start + Duration::from_secs(1),
        attributes: attributes.into_iter().collect(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::builder("somebody's library").build(),
    }
}

pub(crate) fn with_event(
    mut span: SpanData,
    name: &'static str,
    attributes: impl IntoIterator<Item = KeyValue>,
) -> SpanData {
    let at = span.end_time;
    span.events.events.push(Event::new(name, at, attributes.into_iter().collect(), 0));
    span
}

pub(crate) fn texts(texts: &[&'static str]) -> Value {
    Value::Array(Array::String(texts.iter().map(|text| (*text).into()).collect()))
}

/// Attributes, count of values, sum.
pub(crate) type Point = (BTreeMap<String, String>, u64, f64);

pub(crate) struct Pipeline {
    pub(crate) processor: GenAiSpanProcessor<SimpleSpanProcessor<InMemorySpanExporter>>,
    spans: InMemorySpanExporter,
    logs: InMemoryLogExporter,
    metrics: InMemoryMetricExporter,
    meters: SdkMeterProvider,
}

impl Pipeline {
    pub(crate) fn new(build: impl FnOnce(Builder) -> Builder) -> Self {
        let (spans, logs, metrics) = (
            InMemorySpanExporter::default(),
            InMemoryLogExporter::default(),
            InMemoryMetricExporter::default(),
        );
        let empty = || Resource::builder_empty().build();
        let loggers =
            SdkLoggerProvider::builder().with_resource(empty()).with_simple_exporter(logs.clone()).build();
        let meters = SdkMeterProvider::builder()
            .with_resource(empty())
            .with_periodic_exporter(metrics.clone())
            .build();
        let processor = GenAiSpanProcessor::new(SimpleSpanProcessor::new(spans.clone())).handler(|builder| {
            build(builder.config(Config::default()).logger_provider(&loggers).meter_provider(&meters))
        });
        Pipeline { processor, spans, logs, metrics, meters }
    }

    pub(crate) fn map(
        self,
        change: impl FnOnce(
            GenAiSpanProcessor<SimpleSpanProcessor<InMemorySpanExporter>>,
        ) -> GenAiSpanProcessor<SimpleSpanProcessor<InMemorySpanExporter>>,
    ) -> Self {
        Pipeline { processor: change(self.processor), ..self }
    }

    /// Lets a span end, and gives it as it is exported.
    pub(crate) fn end(&self, span: SpanData) -> Seen {
        self.spans.reset();
        self.processor.on_end(span);
        let data = self.spans.get_finished_spans().unwrap().remove(0);
        Seen { data }
    }

    /// Event names with their attributes as text.
    pub(crate) fn events(&self) -> Vec<(String, BTreeMap<String, String>)> {
        let logs = self.logs.get_emitted_logs().unwrap();
        logs.iter()
            .map(|log| {
                let attributes = log.record.attributes_iter().map(|(key, value)| {
                    let text = match value {
                        AnyValue::String(text) => text.to_string(),
                        other => format!("{other:?}"),
                    };
                    (key.to_string(), text)
                });
                (log.record.event_name().unwrap_or_default().to_owned(), attributes.collect())
            })
            .collect()
    }

    pub(crate) fn metrics(&self) -> BTreeMap<String, Vec<Point>> {
        self.meters.force_flush().unwrap();
        let mut found = BTreeMap::new();
        let finished = self.metrics.get_finished_metrics().unwrap();
        let Some(last) = finished.last() else { return found };
        for metric in last.scope_metrics().flat_map(ScopeMetrics::metrics) {
            macro_rules! points {
                ($histogram:expr) => {
                    $histogram
                        .data_points()
                        .map(|p| (strings(p.attributes()), p.count(), p.sum() as f64))
                        .collect()
                };
            }
            let points = match metric.data() {
                AggregatedMetrics::F64(MetricData::Histogram(histogram)) => points!(histogram),
                AggregatedMetrics::U64(MetricData::Histogram(histogram)) => points!(histogram),
                AggregatedMetrics::U64(MetricData::Sum(sum)) => sum
                    .data_points()
                    .map(|p| (strings(p.attributes()), p.value(), p.value() as f64))
                    .collect(),
                other => panic!("{other:?}"),
            };
            found.insert(metric.name().to_owned(), points);
        }
        found
    }

    /// The sum of a metric, over all its points.
    pub(crate) fn sum(&self, metric: &str) -> f64 {
        self.metrics().get(metric).into_iter().flatten().map(|(_, _, sum)| sum).sum()
    }

    /// What the conventions' judge finds wrong with all that was told, and this span.
    pub(crate) fn findings(&self, span: &Seen, checker: &Checker) -> Vec<Finding> {
        self.meters.force_flush().unwrap();
        let mut telemetry = Telemetry::default();
        telemetry.add_spans([&span.data]);
        telemetry.add_logs(&self.logs.get_emitted_logs().unwrap());
        telemetry.add_metrics(&self.metrics.get_finished_metrics().unwrap());
        checker.check(&telemetry)
    }
}

/// A span as it is exported.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) data: SpanData,
}

impl Seen {
    /// The value as text; `None` where there is none. Each key is there once.
    pub(crate) fn get(&self, key: &str) -> Option<String> {
        let mut found = self.data.attributes.iter().filter(|attribute| attribute.key.as_str() == key);
        let first = found.next().map(|attribute| attribute.value.to_string());
        assert!(found.next().is_none(), "{key} is there twice");
        first
    }

    #[track_caller]
    pub(crate) fn says(&self, expected: &[(&str, &str)]) {
        for (key, value) in expected {
            let found = self.get(key);
            assert_eq!(found.as_deref(), Some(*value), "{key} of {:#?}", self.data.attributes);
        }
    }

    pub(crate) fn keys(&self) -> Vec<&str> {
        self.data.attributes.iter().map(|attribute| attribute.key.as_str()).collect()
    }
}

fn strings<'a>(attributes: impl Iterator<Item = &'a KeyValue>) -> BTreeMap<String, String> {
    attributes.map(|attribute| (attribute.key.to_string(), attribute.value.to_string())).collect()
}
