//! The events of an operation: log records with an event name and attributes, no body.

use std::time::SystemTime;

use opentelemetry::logs::{AnyValue, LogRecord, Logger, Severity};
use opentelemetry::trace::SpanContext;
use opentelemetry::{Array, Key, KeyValue, StringValue, Value};
use otel_genai_semconv::attribute::{EXCEPTION_MESSAGE, EXCEPTION_TYPE};

use super::any_value::any_value;
use crate::convention::Content;
use crate::failure::Failure;

/// An event in the making.
#[derive(Debug)]
pub(crate) struct Event {
    name: &'static str,
    at: SystemTime,
    severity: Option<Severity>,
    attributes: Vec<(Key, AnyValue)>,
}

/// Where events go. The API's `Logger` is not object-safe; this is.
pub(crate) trait EventSink: Send + Sync {
    fn emit(&self, event: Event, span: &SpanContext);
}

struct Erased<L>(L);

pub(crate) fn erase<L: Logger + Send + Sync + 'static>(logger: L) -> Box<dyn EventSink> {
    Box::new(Erased(logger))
}

impl<L: Logger + Send + Sync> EventSink for Erased<L> {
    fn emit(&self, event: Event, span: &SpanContext) {
        let mut record = self.0.create_log_record();
        record.set_event_name(event.name);
        record.set_timestamp(event.at);
        record.set_observed_timestamp(event.at);
        if let Some(severity) = event.severity {
            record.set_severity_number(severity);
            record.set_severity_text(severity.name());
        }
        if span.is_valid() {
            record.set_trace_context(span.trace_id(), span.span_id(), Some(span.trace_flags()));
        }
        record.add_attributes(event.attributes);
        self.0.emit(record);
    }
}

/// The event that tells an operation's details, with structured content.
pub(crate) fn details(
    name: &'static str,
    at: SystemTime,
    attributes: &[KeyValue],
    content: &[(Key, Content<'_>)],
) -> Event {
    let mut all = Vec::with_capacity(attributes.len() + content.len());
    all.extend(attributes.iter().map(|attribute| (attribute.key.clone(), structured(&attribute.value))));
    all.extend(content.iter().filter_map(|(key, content)| Some((key.clone(), content.to_any_value()?))));
    Event { name, at, severity: None, attributes: all }
}

/// The event that tells of an error which ended an operation. The conventions ask for severity WARN.
pub(crate) fn exception(name: &'static str, at: SystemTime, failure: &Failure) -> Event {
    let mut attributes = vec![(Key::from_static_str(EXCEPTION_TYPE), failure.error_type.clone().into())];
    if let Some(message) = &failure.message {
        attributes.push((Key::from_static_str(EXCEPTION_MESSAGE), message.clone().into()));
    }
    Event { name, at, severity: Some(Severity::Warn), attributes }
}

impl Content<'_> {
    fn to_any_value(&self) -> Option<AnyValue> {
        match self {
            Content::Messages(messages) => any_value(messages),
            Content::Parts(parts) => any_value(parts),
            Content::Tools(tools) => any_value(tools),
            Content::Text(text) => Some(AnyValue::String((*text).to_owned().into())),
        }
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
