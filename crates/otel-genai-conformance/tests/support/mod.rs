//! Telemetry without findings, for tests to spoil.
#![allow(dead_code, reason = "no test file uses all of it")]

use otel_genai_conformance::{Attributes, Event, Instrument, Metric, Point, Span, SpanKind, Value};

pub(crate) fn text(value: &str) -> Value {
    Value::String(value.to_owned())
}

pub(crate) fn texts(values: &[&str]) -> Value {
    Value::Array(values.iter().map(|value| text(value)).collect())
}

pub(crate) fn map(entries: &[(&str, Value)]) -> Value {
    Value::Map(attributes(entries))
}

pub(crate) fn attributes(entries: &[(&str, Value)]) -> Attributes {
    entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
}

/// Replaces or adds.
pub(crate) fn set(attributes: &mut Attributes, key: &str, value: Value) {
    remove(attributes, key);
    attributes.push((key.to_owned(), value));
}

pub(crate) fn remove(attributes: &mut Attributes, key: &str) {
    attributes.retain(|(name, _)| name != key);
}

/// A successful model call with everything that is expected of it.
pub(crate) fn chat() -> Span {
    Span {
        name: "chat m".to_owned(),
        kind: SpanKind::Client,
        start: 1,
        end: 2,
        attributes: attributes(&[
            ("gen_ai.operation.name", text("chat")),
            ("gen_ai.provider.name", text("openai")),
            ("gen_ai.request.model", text("m")),
            ("gen_ai.response.finish_reasons", texts(&["stop"])),
            ("gen_ai.response.id", text("r")),
            ("gen_ai.response.model", text("m-1")),
            ("gen_ai.usage.input_tokens", Value::Int(1)),
            ("gen_ai.usage.output_tokens", Value::Int(2)),
            ("server.address", text("h")),
            ("server.port", Value::Int(443)),
        ]),
        ..Span::default()
    }
}

/// A span of an operation with these attributes.
pub(crate) fn span(name: &str, kind: SpanKind, operation: &str, others: &[(&str, Value)]) -> Span {
    let mut all = attributes(others);
    all.push(("gen_ai.operation.name".to_owned(), text(operation)));
    Span { name: name.to_owned(), kind, start: 1, end: 2, attributes: all, ..Span::default() }
}

/// The event with a call's details.
pub(crate) fn details() -> Event {
    let part = map(&[("type", text("text")), ("content", text("Hello."))]);
    let message = map(&[("role", text("user")), ("parts", Value::Array(vec![part]))]);
    Event {
        name: "gen_ai.client.inference.operation.details".to_owned(),
        attributes: attributes(&[
            ("gen_ai.operation.name", text("chat")),
            ("gen_ai.provider.name", text("openai")),
            ("gen_ai.input.messages", Value::Array(vec![message])),
        ]),
    }
}

/// The duration of a call, in both conventions.
pub(crate) fn duration() -> Metric {
    let attributes =
        attributes(&[("gen_ai.operation.name", text("chat")), ("gen_ai.provider.name", text("openai"))]);
    Metric {
        name: "gen_ai.client.operation.duration".to_owned(),
        unit: "s".to_owned(),
        instrument: Instrument::Histogram,
        points: vec![Point { attributes, lowest: Some(0.5), exemplars: Vec::new() }],
    }
}
