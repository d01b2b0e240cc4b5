//! The one line for programs whose spans are made by others.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, SpanBuilder, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SimpleSpanProcessor};
use otel_genai::sdk::Exporter;
use otel_genai::{ConventionName, GenAi, Redactor};
use otel_genai_processor::GenAiSpanProcessor;

/// What `setup` says of the handler holds for spans of others as it does for those of the library.
#[test]
fn what_the_handler_is_told_counts_for_the_spans_of_others() {
    let exporter = InMemorySpanExporter::default();
    let processor = GenAiSpanProcessor::new(SimpleSpanProcessor::new(exporter.clone()));
    let telemetry = otel_genai::setup()
        .sdk(|sdk| sdk.vars(|_| None).default_exporter(Exporter::None).set_globals(false))
        .wrap_spans(|_, handler| processor.handler(|_| handler))
        .handler(|genai| genai.convention(ConventionName::V2026_10).redact(Redactor::all()))
        .init()
        .unwrap();
    let tracer = telemetry.tracer_provider().tracer("somebody's library");
    let attributes = vec![
        KeyValue::new("gen_ai.operation.name", "chat"),
        KeyValue::new("gen_ai.system", "openai"),
        KeyValue::new("gen_ai.request.model", "gpt-4o"),
        KeyValue::new("gen_ai.prompt.0.role", "user"),
        KeyValue::new("gen_ai.prompt.0.content", "I am jo@example.com"),
    ];
    tracer.build(SpanBuilder::from_name("chat").with_attributes(attributes)).end();
    GenAi::global().chat("openai", "gpt-4o-mini").start().finish();
    let spans = exporter.get_finished_spans().unwrap();
    let names: Vec<_> = spans.iter().map(|span| span.name.as_ref()).collect();
    assert_eq!(names, ["chat gpt-4o", "chat gpt-4o-mini"]);
    let told = format!("{:?}", spans[0]);
    assert!(told.contains("gen_ai.input.messages") && !told.contains("jo@example.com"), "{told}");
}
