//! Any spans and log records: a transcript without a panic, and the same whatever order they came in.
//!
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run assemble` in `crates/otel-genai-dashboard`. An input is one OTLP `ResourceSpans` in
//! protobuf, or text that stands as the content of a call.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1 as otlp;
use otel_genai_dashboard::transcript::{Evidence, NoReferences, Options, assemble};
use otel_genai_store::{Nanos, NoPrices, Origin, Span, of_span};
use prost::Message as _;

const KEYS: [&str; 8] = [
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
    "ai.prompt.messages",
    "input.value",
    "pydantic_ai.all_messages",
    "gen_ai.prompt",
];

fuzz_target!(|input: &[u8]| {
    let mut told = match otlp::ResourceSpans::decode(input) {
        Ok(spans) => spans.scope_spans.into_iter().flat_map(|scope| scope.spans).collect(),
        Err(_) => Vec::new(),
    };
    if told.is_empty() {
        let text = String::from_utf8_lossy(input);
        let attribute = |key: &str| KeyValue {
            key: key.to_owned(),
            value: Some(AnyValue { value: Some(Value::StringValue(text.clone().into_owned())) }),
            ..KeyValue::default()
        };
        let mut attributes: Vec<_> = KEYS.into_iter().map(attribute).collect();
        attributes.push(KeyValue {
            key: "gen_ai.operation.name".to_owned(),
            value: Some(AnyValue { value: Some(Value::StringValue("chat".to_owned())) }),
            ..KeyValue::default()
        });
        told.push(otlp::Span { trace_id: vec![1; 16], span_id: vec![1; 8], attributes, ..otlp::Span::default() });
    }
    let origin = Arc::new(Origin::default());
    let read = |span| {
        let mut span = Span::from_otlp(span, &origin, Nanos(1)).ok()?;
        span.facts = of_span(&span, &NoPrices);
        Some(span)
    };
    let mut spans: Vec<Span> = told.into_iter().filter_map(read).collect();
    let hashes = |spans: &[Span]| {
        let evidence = Evidence { spans, logs: &[], references: &NoReferences };
        let transcript = assemble(&evidence, &Options::default());
        transcript.messages.iter().map(|(hash, _)| hash.to_string()).collect::<Vec<_>>()
    };
    let one = hashes(&spans);
    // Of spans with equal ids the store keeps which came first.
    let mut keys: Vec<_> = spans.iter().map(|span| span.key).collect();
    keys.sort();
    keys.dedup();
    if keys.len() == spans.len() {
        spans.reverse();
        assert_eq!(one, hashes(&spans));
    }
});
