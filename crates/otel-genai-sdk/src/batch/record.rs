//! Spans and log records in OTLP's protobuf, without a tree of messages in between: one pass, no allocation of its own.
//!
//! The two signals' requests are built alike: a resource, in it scopes, in them records.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry::logs::AnyValue;
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status};
use opentelemetry::{Array, InstrumentationScope, Key, KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLogRecord;
use opentelemetry_sdk::trace::SpanData;

use super::proto::{
    bytes, bytes_even_if_empty, field_length, fixed32, fixed64, fixed64_even_if_zero, head, message, uint,
    uint_even_if_zero,
};

/// Bits of a span's and a link's flags: whether the parent came from elsewhere, and that this is known.
const IS_REMOTE_KNOWN: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

/// `opentelemetry.proto.trace.v1.Span`
pub(crate) fn span(out: &mut Vec<u8>, span: &SpanData) {
    let context = &span.span_context;
    ids(out, context);
    if span.parent_span_id != SpanId::INVALID {
        bytes(out, 4, &span.parent_span_id.to_bytes());
    }
    text(out, 5, &span.name);
    uint(out, 6, kind(&span.span_kind));
    fixed64(out, 7, nanoseconds(span.start_time));
    fixed64(out, 8, nanoseconds(span.end_time));
    attributes(out, 9, &span.attributes);
    uint(out, 10, span.dropped_attributes_count.into());
    for event in span.events.iter() {
        message(out, 11, |out| {
            fixed64(out, 1, nanoseconds(event.timestamp));
            text(out, 2, &event.name);
            attributes(out, 3, &event.attributes);
            uint(out, 4, event.dropped_attributes_count.into());
        });
    }
    uint(out, 12, span.events.dropped_count.into());
    for link in span.links.iter() {
        message(out, 13, |out| {
            ids(out, &link.span_context);
            attributes(out, 4, &link.attributes);
            uint(out, 5, link.dropped_attributes_count.into());
            fixed32(out, 6, flags(link.span_context.is_remote(), &link.span_context));
        });
    }
    uint(out, 14, span.links.dropped_count.into());
    message(out, 15, |out| match &span.status {
        Status::Unset => {}
        Status::Ok => uint(out, 3, 1),
        Status::Error { description } => {
            text(out, 2, description);
            uint(out, 3, 2);
        }
    });
    fixed32(out, 16, flags(span.parent_span_is_remote, context));
}

/// `opentelemetry.proto.logs.v1.LogRecord`
pub(crate) fn log(out: &mut Vec<u8>, record: &SdkLogRecord) {
    fixed64(out, 1, record.timestamp().map_or(0, nanoseconds));
    uint(out, 2, record.severity_number().map_or(0, |severity| severity as u64));
    text(out, 3, record.severity_text().unwrap_or_default());
    if let Some(body) = record.body() {
        message(out, 5, |out| any_value(out, body));
    }
    for (name, value) in record.attributes_iter() {
        any_pair(out, 6, name, value);
    }
    if let Some(context) = record.trace_context() {
        fixed32(out, 8, context.trace_flags.map_or(0, |flags| flags.to_u8().into()));
        bytes(out, 9, &context.trace_id.to_bytes());
        bytes(out, 10, &context.span_id.to_bytes());
    }
    fixed64(out, 11, record.observed_timestamp().map_or(0, nanoseconds));
    text(out, 12, record.event_name().unwrap_or_default());
}

/// `opentelemetry.proto.resource.v1.Resource`
pub(crate) fn resource(out: &mut Vec<u8>, resource: &Resource) {
    for (name, value) in resource.iter() {
        pair(out, 1, name, value);
    }
}

/// `opentelemetry.proto.common.v1.InstrumentationScope`. `name` stands for the scope's own where there is one.
pub(crate) fn scope(out: &mut Vec<u8>, scope: &InstrumentationScope, name: Option<&str>) {
    text(out, 1, name.unwrap_or(scope.name()));
    text(out, 2, scope.version().unwrap_or_default());
    for attribute in scope.attributes() {
        pair(out, 3, &attribute.key, &attribute.value);
    }
}

pub(crate) fn text(out: &mut Vec<u8>, field: u8, text: &str) {
    bytes(out, field, text.as_bytes());
}

fn ids(out: &mut Vec<u8>, context: &SpanContext) {
    bytes(out, 1, &context.trace_id().to_bytes());
    bytes(out, 2, &context.span_id().to_bytes());
    text(out, 3, &context.trace_state().header());
}

fn flags(is_remote: bool, context: &SpanContext) -> u32 {
    let remote = if is_remote { IS_REMOTE } else { 0 };
    u32::from(context.trace_flags().to_u8()) | IS_REMOTE_KNOWN | remote
}

fn kind(kind: &SpanKind) -> u64 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    }
}

fn attributes(out: &mut Vec<u8>, field: u8, attributes: &[KeyValue]) {
    for attribute in attributes {
        pair(out, field, &attribute.key, &attribute.value);
    }
}

/// `opentelemetry.proto.common.v1.KeyValue`
fn pair(out: &mut Vec<u8>, field: u8, name: &Key, value: &Value) {
    match value {
        Value::String(value) => text_pair(out, field, name, value.as_str()),
        other => message(out, field, |out| {
            text(out, 1, name.as_str());
            message(out, 2, |out| any_of(out, other));
        }),
    }
}

fn any_pair(out: &mut Vec<u8>, field: u8, name: &Key, value: &AnyValue) {
    match value {
        AnyValue::String(value) => text_pair(out, field, name, value.as_str()),
        other => message(out, field, |out| {
            text(out, 1, name.as_str());
            message(out, 2, |out| any_value(out, other));
        }),
    }
}

/// Texts hold the content: they are copied once and moved never.
fn text_pair(out: &mut Vec<u8>, field: u8, name: &Key, value: &str) {
    let (name, any) = (name.as_str(), field_length(1, value.len()));
    let name_length = if name.is_empty() { 0 } else { field_length(1, name.len()) };
    head(out, field, name_length + field_length(2, any));
    text(out, 1, name);
    head(out, 2, any);
    bytes_even_if_empty(out, 1, value.as_bytes());
}

/// `opentelemetry.proto.common.v1.AnyValue` of an attribute of a span, scope or resource.
fn any_of(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Bool(value) => boolean(out, *value),
        Value::I64(value) => integer(out, *value),
        Value::F64(value) => double(out, *value),
        Value::String(value) => bytes_even_if_empty(out, 1, value.as_str().as_bytes()),
        Value::Array(array) => message(out, 5, |out| match array {
            Array::Bool(values) => list(out, values, |out, value| boolean(out, *value)),
            Array::I64(values) => list(out, values, |out, value| integer(out, *value)),
            Array::F64(values) => list(out, values, |out, value| double(out, *value)),
            Array::String(values) => {
                list(out, values, |out, value| bytes_even_if_empty(out, 1, value.as_str().as_bytes()));
            }
            // A kind that the API does not have yet: an empty list.
            _ => {}
        }),
        // The same: a value that says nothing.
        _ => {}
    }
}

/// `opentelemetry.proto.common.v1.AnyValue` of a log record.
fn any_value(out: &mut Vec<u8>, value: &AnyValue) {
    match value {
        AnyValue::Int(value) => integer(out, *value),
        AnyValue::Double(value) => double(out, *value),
        AnyValue::String(value) => bytes_even_if_empty(out, 1, value.as_str().as_bytes()),
        AnyValue::Boolean(value) => boolean(out, *value),
        AnyValue::Bytes(value) => bytes_even_if_empty(out, 7, value),
        AnyValue::ListAny(values) => message(out, 5, |out| list(out, values, any_value)),
        AnyValue::Map(pairs) => message(out, 6, |out| {
            for (name, value) in pairs.iter() {
                any_pair(out, 1, name, value);
            }
        }),
        _ => {}
    }
}

fn list<T>(out: &mut Vec<u8>, values: &[T], write: impl Fn(&mut Vec<u8>, &T)) {
    for value in values {
        message(out, 1, |out| write(out, value));
    }
}

fn boolean(out: &mut Vec<u8>, value: bool) {
    uint_even_if_zero(out, 2, value.into());
}

fn integer(out: &mut Vec<u8>, value: i64) {
    uint_even_if_zero(out, 3, value.cast_unsigned());
}

fn double(out: &mut Vec<u8>, value: f64) {
    fixed64_even_if_zero(out, 4, value.to_bits());
}

fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
