//! What the facts of a span of 30 attributes cost: `cargo bench -p otel-genai-store --bench facts`
#![allow(clippy::unwrap_used, clippy::cast_precision_loss, reason = "a bench fails by panicking")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span as OtlpSpan;
use otel_genai_store::{Nanos, NoPrices, Origin, Span, of_span};

fn span(genai: bool) -> Span {
    let text = |text: &str| Value::StringValue(text.to_owned());
    let mut list: Vec<(String, Value)> =
        (0..16).map(|at| (format!("app.attribute.{at}"), text("some value"))).collect();
    let told = [
        ("gen_ai.operation.name", text("chat")),
        ("gen_ai.provider.name", text("openai")),
        ("gen_ai.request.model", text("gpt-5")),
        ("gen_ai.response.model", text("gpt-5-2025-08-07")),
        ("gen_ai.response.id", text("resp_0123456789")),
        ("gen_ai.response.finish_reasons", text("[\"stop\"]")),
        ("gen_ai.conversation.id", text("c-17")),
        ("gen_ai.usage.input_tokens", Value::IntValue(1200)),
        ("gen_ai.usage.output_tokens", Value::IntValue(80)),
        ("gen_ai.usage.cache_read.input_tokens", Value::IntValue(1000)),
        ("gen_ai.request.temperature", Value::DoubleValue(0.2)),
        ("server.address", text("api.openai.com")),
        ("server.port", Value::IntValue(443)),
        ("gen_ai.input.messages", text(&"x".repeat(13_500))),
    ];
    for (key, value) in told {
        list.push((if genai { key.to_owned() } else { format!("app.{key}") }, value));
    }
    let each = |(key, value)| KeyValue { key, value: Some(AnyValue { value: Some(value) }), key_strindex: 0 };
    let otlp = OtlpSpan {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        name: "chat gpt-5".to_owned(),
        attributes: list.into_iter().map(each).collect(),
        ..OtlpSpan::default()
    };
    Span::from_otlp(otlp, &Arc::new(Origin::default()), Nanos(1)).unwrap()
}

fn main() {
    for (what, genai) in [("a model's call", true), ("nothing of generative AI", false)] {
        let span = span(genai);
        let mut best = f64::INFINITY;
        for _ in 0..20 {
            let clock = Instant::now();
            for _ in 0..10_000 {
                black_box(of_span(black_box(&span), &NoPrices));
            }
            best = best.min(clock.elapsed().as_nanos() as f64 / 10_000.0);
        }
        println!("{what}, {} attributes: {best:.0} ns", span.attributes.0.len());
    }
}
