//! Events: log records with a name.

use std::time::SystemTime;

use opentelemetry::logs::{AnyValue, LogRecord, Logger, Severity};
use opentelemetry::trace::SpanContext;
use opentelemetry::{Array, Key, KeyValue, StringValue, Value};
use otel_genai_semconv::attribute::{EXCEPTION_MESSAGE, EXCEPTION_TYPE};

use super::any_value::any_value;
use crate::failure::Failure;
use crate::operation::Fact;

/// An event in the making.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) name: &'static str,
    pub(crate) severity: Option<Severity>,
    pub(crate) attributes: Vec<(Key, AnyValue)>,
    /// Only the oldest convention has bodies.
    pub(crate) body: Option<AnyValue>,
}

impl Record {
    /// Adds what another convention says in an event of this name.
    pub(crate) fn add_missing(&mut self, other: Record) {
        self.severity = self.severity.or(other.severity);
        for (key, value) in other.attributes {
            if self.attributes.iter().all(|(known, _)| *known != key) {
                self.attributes.push((key, value));
            }
        }
    }
}

/// Where events go. The API's `Logger` is not object-safe; this is.
pub(crate) trait EventSink: Send + Sync {
    fn emit(&self, record: Record, at: SystemTime, span: &SpanContext);
}

struct Erased<L>(L);

pub(crate) fn erase<L: Logger + Send + Sync + 'static>(logger: L) -> Box<dyn EventSink> {
    Box::new(Erased(logger))
}

impl<L: Logger + Send + Sync> EventSink for Erased<L> {
    fn emit(&self, event: Record, at: SystemTime, span: &SpanContext) {
        let mut record = self.0.create_log_record();
        record.set_event_name(event.name);
        record.set_timestamp(at);
        record.set_observed_timestamp(at);
        if let Some(severity) = event.severity {
            record.set_severity_number(severity);
            record.set_severity_text(severity.name());
        }
        if let Some(body) = event.body {
            record.set_body(body);
        }
        if span.is_valid() {
            record.set_trace_context(span.trace_id(), span.span_id(), Some(span.trace_flags()));
        }
        record.add_attributes(event.attributes);
        self.0.emit(record);
    }
}

/// The event that tells an operation's details, with structured content. Each key once: the user's own attributes win
/// over the convention's, the real error type wins over both.
pub(crate) fn details(
    name: &'static str,
    severity: Option<Severity>,
    identity: &[KeyValue],
    ended: &[KeyValue],
    content: &[(Key, Fact<'_>)],
    custom: &[KeyValue],
    error_type: Option<&KeyValue>,
) -> Record {
    let mut all = Vec::with_capacity(identity.len() + ended.len() + content.len() + custom.len() + 1);
    all.extend(
        identity.iter().chain(ended).map(|attribute| (attribute.key.clone(), structured(&attribute.value))),
    );
    all.extend(content.iter().filter_map(|(key, fact)| Some((key.clone(), structure(fact)?))));
    for attribute in custom.iter().chain(error_type) {
        let value = structured(&attribute.value);
        match all.iter_mut().find(|(key, _)| *key == attribute.key) {
            Some((_, old)) => *old = value,
            None => all.push((attribute.key.clone(), value)),
        }
    }
    Record { name, severity, attributes: all, body: None }
}

/// The event that tells of an error which ended an operation. The conventions ask for severity WARN.
pub(crate) fn exception(name: &'static str, failure: &Failure) -> Record {
    let mut attributes = vec![(Key::from_static_str(EXCEPTION_TYPE), failure.error_type.clone().into())];
    if let Some(message) = &failure.message {
        attributes.push((Key::from_static_str(EXCEPTION_MESSAGE), message.clone().into()));
    }
    Record { name, severity: Some(Severity::Warn), attributes, body: None }
}

/// A fact as structured data.
pub(crate) fn structure(fact: &Fact<'_>) -> Option<AnyValue> {
    match fact {
        Fact::Messages(messages) => any_value(messages),
        Fact::Parts(parts) => any_value(parts),
        Fact::OwnedParts(parts) => any_value(parts),
        Fact::Tools(tools) => any_value(tools),
        Fact::Json(json) => any_value(json),
        Fact::List(list) => any_value(list),
        scalar => super::span::value(scalar).map(|value| structured(&value)),
    }
}

fn structured(value: &Value) -> AnyValue {
    match value {
        Value::Bool(value) => AnyValue::Boolean(*value),
        Value::I64(value) => AnyValue::Int(*value),
        Value::F64(value) => AnyValue::Double(*value),
        Value::String(value) => AnyValue::String(value.clone()),
        Value::Array(Array::Bool(values)) => values.iter().copied().collect(),
        Value::Array(Array::I64(values)) => values.iter().copied().collect(),
        Value::Array(Array::F64(values)) => values.iter().copied().collect(),
        Value::Array(Array::String(values)) => values.iter().cloned().collect::<AnyValue>(),
        // The API may learn further kinds; their text is better than nothing.
        other => AnyValue::String(StringValue::from(other.to_string())),
    }
}
