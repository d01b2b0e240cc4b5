//! The trace's way through the Model Context Protocol: in `params._meta` of a request.
//!
//! The conventions (*MCP*, after SEP-414) fix the keys `traceparent`, `tracestate` and `baggage`, without a prefix.
//! The first two are written and read here whatever propagators are set; baggage only where the global propagator
//! carries it, because it leaves the process.

use std::collections::HashMap;

use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState};
use opentelemetry::{Context, global};
use serde_json::{Map, Value};

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";
const BAGGAGE: &str = "baggage";

/// Writes the trace of this context into the `_meta` of a request's `params`. Does nothing without a span.
///
/// ```
/// # use otel_genai::{GenAi, mcp};
/// # let genai = GenAi::global();
/// let call = genai.mcp_client("tools/call").tool("search").start();
/// let mut params = serde_json::Map::new();
/// params.insert("name".into(), "search".into());
/// mcp::inject(call.context(), &mut params);
/// ```
pub fn inject(context: &Context, params: &mut Map<String, Value>) {
    let mut entries = Map::new();
    let span = context.span();
    let span = span.span_context();
    if span.is_valid() {
        entries.insert(TRACEPARENT.into(), traceparent(span).into());
        let state = span.trace_state().header();
        if !state.is_empty() {
            entries.insert(TRACESTATE.into(), state.into());
        }
    }
    let mut carried = Carrier::default();
    global::get_text_map_propagator(|propagator| propagator.inject_context(context, &mut carried));
    if let Some(baggage) = carried.0.remove(BAGGAGE) {
        entries.insert(BAGGAGE.into(), baggage.into());
    }
    if entries.is_empty() {
        return;
    }
    // A `_meta` that is no object is somebody's mistake, and not ours to mend.
    if let Value::Object(meta) = params.entry("_meta").or_insert_with(|| Value::Object(Map::new())) {
        meta.extend(entries);
    }
}

/// Reads the trace from the `_meta` of a request's `params`: the parent of the server's span. Where there is none, or
/// none that can be read, the context comes back as it is.
///
/// The conventions ask to link what was the parent otherwise (the transport's span):
/// [`Pending::link`](crate::Pending::link).
#[must_use]
pub fn extract(context: &Context, params: &Map<String, Value>) -> Context {
    let Some(Value::Object(meta)) = params.get("_meta") else { return context.clone() };
    let text = |key: &str| meta.get(key).and_then(Value::as_str);
    let mut context = context.clone();
    if let Some(baggage) = text(BAGGAGE) {
        let carrier = Carrier(HashMap::from([(BAGGAGE.to_owned(), baggage.to_owned())]));
        context =
            global::get_text_map_propagator(|propagator| propagator.extract_with_context(&context, &carrier));
    }
    match text(TRACEPARENT).and_then(|parent| parse(parent, text(TRACESTATE))) {
        Some(span) => context.with_remote_span_context(span),
        None => context,
    }
}

/// As W3C Trace Context writes it, version 00.
fn traceparent(span: &SpanContext) -> String {
    format!("00-{}-{}-{:02x}", span.trace_id(), span.span_id(), span.trace_flags() & TraceFlags::SAMPLED)
}

/// As W3C Trace Context reads it: later versions may have more fields, the first four stay.
fn parse(parent: &str, state: Option<&str>) -> Option<SpanContext> {
    let mut fields = parent.trim().split('-');
    let (version, trace_id, span_id, flags) =
        (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let is_hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_known = is_hex(version, 2) && version != "ff" && (version != "00" || fields.next().is_none());
    if !is_known || !is_hex(trace_id, 32) || !is_hex(span_id, 16) || !is_hex(flags, 2) {
        return None;
    }
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED;
    let state = state.and_then(|state| state.parse::<TraceState>().ok()).unwrap_or_default();
    let span = SpanContext::new(
        TraceId::from_hex(trace_id).ok()?,
        SpanId::from_hex(span_id).ok()?,
        flags,
        true,
        state,
    );
    span.is_valid().then_some(span)
}

#[derive(Default)]
struct Carrier(HashMap<String, String>);

impl Injector for Carrier {
    fn set(&mut self, key: &str, value: String) {
        self.0.insert(key.to_owned(), value);
    }
}

impl Extractor for Carrier {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn params(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_trace_goes_there_and_back() {
        let sent = params(&json!({"name": "search", "_meta": {
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "tracestate": "vendor=1",
            "progressToken": 7,
        }}));
        let context = extract(&Context::new(), &sent);
        assert!(context.span().span_context().is_remote());
        let mut received = params(&json!({"name": "search", "_meta": {"progressToken": 7}}));
        inject(&context, &mut received);
        assert_eq!(received, sent);
    }

    #[test]
    fn without_a_trace_nothing_is_written_and_nothing_is_read() {
        let mut untouched = params(&json!({"name": "search"}));
        inject(&Context::new(), &mut untouched);
        assert_eq!(untouched, params(&json!({"name": "search"})));
        for meta in [
            json!({}),
            json!({"_meta": "text"}),
            json!({"_meta": {"traceparent": 1}}),
            json!({"_meta": {"traceparent": ""}}),
            json!({"_meta": {"traceparent": "00-00000000000000000000000000000000-b7ad6b7169203331-01"}}),
            json!({"_meta": {"traceparent": "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"}}),
            json!({"_meta": {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more"}}),
            json!({"_meta": {"traceparent": "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}),
        ] {
            assert!(!extract(&Context::new(), &params(&meta)).has_active_span(), "{meta}");
        }
    }
}
