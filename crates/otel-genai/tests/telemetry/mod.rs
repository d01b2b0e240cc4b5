//! A handler whose telemetry stays in memory, and what tests ask of it.
#![allow(dead_code, reason = "each test binary asks for its own part")]

use std::collections::BTreeMap;

use opentelemetry::logs::AnyValue;
use opentelemetry::trace::{SpanId, SpanKind, Status};
use opentelemetry_sdk::logs::{InMemoryLogExporter, SdkLoggerProvider};
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ScopeMetrics};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, Sampler, SdkTracerProvider, SpanData};
use otel_genai::{Builder, Capture, GenAi};
use otel_genai_conformance::{Checker, Finding, Telemetry as Judged};

pub(crate) struct Telemetry {
    pub(crate) genai: GenAi,
    pub(crate) tracers: SdkTracerProvider,
    meters: SdkMeterProvider,
    spans: InMemorySpanExporter,
    logs: InMemoryLogExporter,
    metrics: InMemoryMetricExporter,
}

/// A handler that captures content everywhere.
pub(crate) fn telemetry() -> Telemetry {
    telemetry_with(Sampler::AlwaysOn, |builder| builder.capture(Capture::SpanAndEvent))
}

pub(crate) fn telemetry_with(sampler: Sampler, build: impl FnOnce(Builder) -> Builder) -> Telemetry {
    let (spans, logs, metrics) =
        (InMemorySpanExporter::default(), InMemoryLogExporter::default(), InMemoryMetricExporter::default());
    let tracers =
        SdkTracerProvider::builder().with_sampler(sampler).with_simple_exporter(spans.clone()).build();
    let loggers = SdkLoggerProvider::builder().with_simple_exporter(logs.clone()).build();
    let meters = SdkMeterProvider::builder().with_periodic_exporter(metrics.clone()).build();
    let builder = GenAi::builder()
        .config(otel_genai::Config::default())
        .tracer_provider(&tracers)
        .logger_provider(&loggers)
        .meter_provider(&meters);
    Telemetry { genai: build(builder).build(), tracers, meters, spans, logs, metrics }
}

/// Attributes, count of values (or sum of a counter), sum.
pub(crate) type Point = (BTreeMap<String, String>, u64, f64);

/// What a span says.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) name: String,
    pub(crate) kind: SpanKind,
    pub(crate) status: Status,
    pub(crate) id: SpanId,
    pub(crate) parent: SpanId,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) data: SpanData,
}

impl Told {
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.attributes.get(key).map(String::as_str)
    }
}

impl Telemetry {
    /// All spans that ended, in the order in which they ended.
    pub(crate) fn spans(&self) -> Vec<Told> {
        self.spans.get_finished_spans().unwrap().into_iter().map(told).collect()
    }

    /// What the conventions' judge finds wrong.
    pub(crate) fn findings(&self, checker: &Checker) -> Vec<Finding> {
        self.meters.force_flush().unwrap();
        let mut telemetry = Judged::default();
        telemetry.add_spans(&self.spans.get_finished_spans().unwrap());
        telemetry.add_logs(&self.logs.get_emitted_logs().unwrap());
        telemetry.add_metrics(&self.metrics.get_finished_metrics().unwrap());
        checker.check(&telemetry)
    }

    /// The only span.
    pub(crate) fn span(&self) -> Told {
        let mut spans = self.spans();
        assert_eq!(spans.len(), 1, "{spans:#?}");
        spans.remove(0)
    }

    /// The span of this name.
    pub(crate) fn span_named(&self, name: &str) -> Told {
        let mut spans: Vec<Told> = self.spans().into_iter().filter(|span| span.name == name).collect();
        assert_eq!(spans.len(), 1, "one span {name:?} among {:?}", self.names());
        spans.remove(0)
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.spans().into_iter().map(|span| span.name).collect()
    }

    /// Event names with their attributes as text.
    pub(crate) fn events(&self) -> Vec<(String, BTreeMap<String, String>)> {
        let logs = self.logs.get_emitted_logs().unwrap();
        logs.iter()
            .map(|log| {
                let attributes =
                    log.record.attributes_iter().map(|(key, value)| (key.to_string(), text(value)));
                (log.record.event_name().unwrap_or_default().to_owned(), attributes.collect())
            })
            .collect()
    }

    /// Metric name -> points as (attributes, count of values or sum of a counter, sum).
    pub(crate) fn metrics(&self) -> BTreeMap<String, Vec<Point>> {
        self.meters.force_flush().unwrap();
        let mut found = BTreeMap::new();
        let finished = self.metrics.get_finished_metrics().unwrap();
        let Some(last) = finished.last() else { return found };
        for metric in last.scope_metrics().flat_map(ScopeMetrics::metrics) {
            macro_rules! histogram {
                ($histogram:expr) => {
                    $histogram
                        .data_points()
                        .map(|p| (sorted(p.attributes()), p.count(), p.sum() as f64))
                        .collect()
                };
            }
            let points = match metric.data() {
                AggregatedMetrics::F64(MetricData::Histogram(histogram)) => histogram!(histogram),
                AggregatedMetrics::U64(MetricData::Histogram(histogram)) => histogram!(histogram),
                AggregatedMetrics::U64(MetricData::Sum(sum)) => {
                    sum.data_points().map(|p| (sorted(p.attributes()), p.value(), p.value() as f64)).collect()
                }
                other => panic!("{other:?}"),
            };
            found.insert(metric.name().to_owned(), points);
        }
        found
    }
}

fn told(data: SpanData) -> Told {
    let mut attributes = BTreeMap::new();
    for attribute in &data.attributes {
        let doubled = attributes.insert(attribute.key.to_string(), attribute.value.to_string());
        assert!(doubled.is_none(), "{} is set twice", attribute.key);
    }
    Told {
        name: data.name.to_string(),
        kind: data.span_kind.clone(),
        status: data.status.clone(),
        id: data.span_context.span_id(),
        parent: data.parent_span_id,
        attributes,
        data,
    }
}

fn sorted<'a>(attributes: impl Iterator<Item = &'a opentelemetry::KeyValue>) -> BTreeMap<String, String> {
    attributes.map(|attribute| (attribute.key.to_string(), attribute.value.to_string())).collect()
}

fn text(value: &AnyValue) -> String {
    match value {
        AnyValue::String(text) => text.as_str().to_owned(),
        other => format!("{other:?}"),
    }
}
