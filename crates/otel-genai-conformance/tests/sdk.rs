//! What the SDK's in-memory exporters keep.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::collections::HashMap;

use opentelemetry::logs::{AnyValue, LogRecord as _, Logger as _, LoggerProvider as _};
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry::trace::{Span as _, SpanKind, Status, Tracer as _, TracerProvider as _};
use opentelemetry::{Array, InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::{InMemoryLogExporter, SdkLoggerProvider};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use otel_genai_conformance::{Convention, Telemetry, check};

fn lines(telemetry: &Telemetry) -> Vec<String> {
    check(telemetry, Convention::V2026_08).iter().map(ToString::to_string).collect()
}

fn starts(lines: &[String], starts: &[&str]) -> bool {
    lines.len() == starts.len() && lines.iter().zip(starts).all(|(line, start)| line.starts_with(start))
}

#[test]
fn spans_are_judged() {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let scope = InstrumentationScope::builder("lib").with_attributes([KeyValue::new("acme", 1)]).build();
    let tracer = provider.tracer_with_scope(scope);
    let mut span = tracer
        .span_builder("chat m")
        .with_kind(SpanKind::Client)
        .with_attributes([
            KeyValue::new("gen_ai.operation.name", "chat"),
            KeyValue::new("gen_ai.provider.name", "openai"),
            KeyValue::new("gen_ai.request.model", "m"),
            KeyValue::new("gen_ai.response.id", "r"),
            KeyValue::new("gen_ai.response.model", "m"),
            KeyValue::new("gen_ai.response.finish_reasons", Value::Array(Array::String(vec!["stop".into()]))),
            KeyValue::new("gen_ai.usage.input_tokens", 1),
            KeyValue::new("gen_ai.usage.output_tokens", 2.0),
            KeyValue::new("server.address", "h"),
        ])
        .start(&tracer);
    // The SDK does not look whether a key is there already.
    span.set_attribute(KeyValue::new("gen_ai.response.id", "again"));
    span.add_event("exception", vec![KeyValue::new("exception.escaped", true)]);
    span.set_status(Status::error("boom"));
    span.end();

    let mut telemetry = Telemetry::default();
    telemetry.add_spans(&exporter.get_finished_spans().unwrap());
    let found = lines(&telemetry);
    let expected = [
        "missing_attribute: scope \"lib\": acme",
        "missing_attribute: span \"chat m\" event \"exception\": exception.escaped",
        "type_mismatch: span \"chat m\": gen_ai.usage.output_tokens: is a double, must be an int",
        "error_type_missing_on_error: span \"chat m\"",
        "attribute_given_twice: span \"chat m\": gen_ai.response.id",
    ];
    assert!(starts(&found, &expected), "{found:#?}");
}

#[test]
fn events_are_judged() {
    let exporter = InMemoryLogExporter::default();
    let resource = Resource::builder_empty().with_attribute(KeyValue::new("host.name", "h")).build();
    let provider =
        SdkLoggerProvider::builder().with_resource(resource).with_simple_exporter(exporter.clone()).build();
    let logger = provider.logger("lib");
    let mut record = logger.create_log_record();
    record.set_event_name("gen_ai.client.inference.operation.details");
    record.add_attribute("gen_ai.operation.name", "chat");
    let part = HashMap::from([("type".into(), "text".into())]);
    let parts = AnyValue::ListAny(Box::new(vec![AnyValue::Map(Box::new(part))]));
    let message = HashMap::from([("role".into(), "user".into()), ("parts".into(), parts)]);
    let messages = AnyValue::ListAny(Box::new(vec![AnyValue::Map(Box::new(message))]));
    record.add_attribute("gen_ai.input.messages", messages);
    logger.emit(record);

    let mut telemetry = Telemetry::default();
    telemetry.add_logs(&exporter.get_emitted_logs().unwrap());
    let event = "event \"gen_ai.client.inference.operation.details\"";
    let found = lines(&telemetry);
    let expected = [
        "missing_attribute: resource: host.name".to_owned(),
        format!("required_attribute_not_present: {event}: gen_ai.provider.name"),
        format!("genai_content_schema: {event}: gen_ai.input.messages: [0].parts[0] needs `content`"),
    ];
    assert!(starts(&found, &expected.each_ref().map(String::as_str)), "{found:#?}");
}

#[test]
fn metrics_are_judged() {
    let exporter = InMemoryMetricExporter::default();
    let provider = SdkMeterProvider::builder()
        .with_resource(Resource::builder_empty().build())
        .with_periodic_exporter(exporter.clone())
        .build();
    let meter = provider.meter("lib");
    let attributes =
        [KeyValue::new("gen_ai.operation.name", "chat"), KeyValue::new("gen_ai.provider.name", "openai")];
    meter.f64_histogram("gen_ai.client.operation.duration").with_unit("s").build().record(0.5, &attributes);
    meter.u64_counter("gen_ai.client.token.usage").with_unit("tokens").build().add(1, &attributes);
    provider.force_flush().unwrap();

    let mut telemetry = Telemetry::default();
    telemetry.add_metrics(&exporter.get_finished_metrics().unwrap());
    let metric = "metric \"gen_ai.client.token.usage\"";
    let found = lines(&telemetry);
    let expected = [
        format!("unit_mismatch: {metric}: is in \"tokens\", must be in \"{{token}}\""),
        format!("unexpected_instrument: {metric}: is Counter, must be Histogram"),
        format!("required_attribute_not_present: {metric}: gen_ai.token.type"),
    ];
    assert!(starts(&found, &expected.each_ref().map(String::as_str)), "{found:#?}");
}
