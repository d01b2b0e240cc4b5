//! The span of an operation.

use std::time::SystemTime;

use opentelemetry::global::BoxedTracer;
use opentelemetry::trace::{TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue};
use otel_genai_semconv::attribute::ERROR_TYPE;

use crate::convention::{Attributes, Content, Describe};
use crate::failure::Failure;

/// Starts the span with all that samplers may want to see. Returns the context in which it is current, and the
/// attributes that are set on it already.
pub(crate) fn start<O>(
    tracer: &BoxedTracer,
    convention: &dyn Describe<O>,
    op: &O,
    at: SystemTime,
    parent: &Context,
) -> (Context, Vec<KeyValue>) {
    let identity: Vec<KeyValue> =
        convention.identity(op).into_iter().map(|(key, value)| KeyValue::new(key, value)).collect();
    let span = tracer
        .span_builder(convention.span_name(op))
        .with_kind(convention.span_kind(op))
        .with_start_time(at)
        .with_attributes(identity.iter().cloned())
        .start_with_context(tracer, parent);
    (parent.with_span(span), identity)
}

/// The identity as it is now, if it has changed since the start.
pub(crate) fn changed_identity<O>(
    convention: &dyn Describe<O>,
    op: &O,
    identity: &[KeyValue],
) -> Option<Vec<KeyValue>> {
    let mut changed = None;
    for (key, value) in convention.identity(op) {
        if !identity.iter().any(|known| known.key.as_str() == key && value == known.value) {
            replace(changed.get_or_insert_with(|| identity.to_vec()), KeyValue::new(key, value));
        }
    }
    changed
}

/// The attributes without content that an ended operation has, each key once: the user's own win over the
/// convention's, the real error type wins over both.
pub(crate) fn finish_attributes<O>(
    convention: &dyn Describe<O>,
    op: &O,
    identity: &[KeyValue],
    failure: Option<&Failure>,
) -> Vec<KeyValue> {
    let mut attributes = Attributes::with_capacity(32);
    attributes.0.extend_from_slice(identity);
    convention.end(op, failure, &mut attributes);
    for custom in convention.custom(op) {
        replace(&mut attributes.0, custom.clone());
    }
    if let Some(failure) = failure {
        replace(&mut attributes.0, KeyValue::new(ERROR_TYPE, failure.error_type.clone()));
    }
    attributes.0
}

fn replace(attributes: &mut Vec<KeyValue>, new: KeyValue) {
    match attributes.iter_mut().find(|old| old.key == new.key) {
        Some(old) => *old = new,
        None => attributes.push(new),
    }
}

impl Content<'_> {
    /// As a span attribute: JSON in a string, because spans carry no structure.
    pub(crate) fn to_json(&self) -> Option<String> {
        match self {
            Content::Messages(messages) => serde_json::to_string(messages),
            Content::Parts(parts) => serde_json::to_string(parts),
            Content::Tools(tools) => serde_json::to_string(tools),
            Content::Text(text) => return Some((*text).to_owned()),
        }
        .ok()
    }
}
