//! The conventions' own words: on the span, in the log record of an operation's details, in a span event of its name.

use std::sync::Arc;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use otel_genai_store::{AnyValue, Attributes, Held, KeyValue, LogRecord, Span};

use super::{name, of_log, of_span};
use crate::transcript::book::Book;
use crate::transcript::telling::{From, Slot, Told};
use crate::transcript::{Carrier, Matched};

const TOOLS: &str = "gen_ai.tool.definitions";

const SLOTS: [(&str, Slot); 3] = [
    ("gen_ai.system_instructions", Slot::System),
    ("gen_ai.input.messages", Slot::Input),
    ("gen_ai.output.messages", Slot::Output),
];

pub(super) fn read_span(book: &mut Book, span: &Span, told: &mut Told) {
    read(book, &span.attributes, &of_span(span, Carrier::SpanAttribute), None, told);
    for (at, event) in span.events.iter().enumerate() {
        if is_here(&event.attributes) {
            let part = Arc::from(format!("{} {} {at}", event.name, event.time.0));
            let from = From { part, ..of_span(span, Carrier::SpanEvent) };
            read(book, &event.attributes, &from, Some(&event.name), told);
        }
    }
}

pub(super) fn read_log(book: &mut Book, log: &LogRecord, matched: Matched, told: &mut Told) {
    let from = of_log(log, Carrier::LogDetails, matched);
    let event = log.event.clone().unwrap_or_else(|| name("log"));
    if is_here(&log.attributes) {
        read(book, &log.attributes, &from, Some(&event), told);
    }
    if let Some(body) = body(log).filter(is_here) {
        read(book, &body, &from, Some(&event), told);
    }
}

pub(super) fn is_details(log: &LogRecord) -> bool {
    is_here(&log.attributes) || body(log).is_some_and(|body| is_here(&body))
}

fn is_here(attributes: &Attributes) -> bool {
    attributes.0.iter().any(|attribute| {
        attribute.key.starts_with("gen_ai.")
            && (attribute.key.as_ref() == TOOLS
                || SLOTS.iter().any(|(key, _)| *key == attribute.key.as_ref()))
    })
}

/// Some put into the body what belongs into the attributes.
fn body(log: &LogRecord) -> Option<Attributes> {
    let value = match log.body.as_ref()? {
        Held::Whole(Some(AnyValue { value: Some(Value::KvlistValue(list)) })) => list.values.clone(),
        Held::Whole(_) => return None,
        pieces @ Held::Pieces(_) => match pieces.value()?.into_owned().value? {
            Value::KvlistValue(list) => list.values,
            _ => return None,
        },
    };
    Some(Attributes::from_otlp(
        value.into_iter().filter(|pair: &KeyValue| pair.key.starts_with("gen_ai.")).collect(),
    ))
}

fn read(book: &mut Book, attributes: &Attributes, from: &From, event: Option<&Arc<str>>, told: &mut Told) {
    for (key, slot) in SLOTS {
        if let Some(value) = attributes.get(key) {
            let name = event.cloned().unwrap_or_else(|| name(key));
            told.add_value(book, slot, from, &name, value);
        }
    }
    if let Some(value) = attributes.get(TOOLS) {
        let tools = book.read_tools(value);
        told.add_tools(from, tools);
    }
}
