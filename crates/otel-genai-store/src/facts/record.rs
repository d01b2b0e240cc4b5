//! The facts of spans and log records.

use std::sync::Arc;
use std::time::Duration;

use otel_genai_dialect::{MESSAGE_EVENTS, is_content};

use super::field::{Fields, bounded};
use super::marks::says_something;
use super::{Dialect, Facts, Op, Pricing, coding_agent, told};
use crate::log::LogRecord;
use crate::span::{Span, SpanEvent};
use crate::value::Attributes;

/// What failed in an unknown way.
pub(super) const OTHER: &str = "_OTHER";

/// Keys under which events keep a message.
const MESSAGE: [&str; 2] = ["message", "content"];

/// The facts of a span. Content in pieces is not looked into: what a span says is small, what is said in it may be large.
#[must_use]
pub fn of_span(span: &Span, pricing: &dyn Pricing) -> Facts {
    let mut fields = Fields::new(&span.attributes);
    if let Some(agent) = coding_agent::of_span(span) {
        let mut facts = coding_agent::read(agent, &span.name, &fields);
        facts.cost = told::cost(&facts, &fields, span.start.or(span.received), pricing);
        facts.error = facts.error.or_else(|| error(span, &fields));
        return facts;
    }
    if span.events.iter().any(holds_message) {
        fields.marks.see_content();
    }
    let scope = &span.origin.scope;
    let mut facts = told::read(&span.attributes, &fields, &scope.schema_url, &span.name);
    facts.error = error(span, &fields);
    let is_genai = facts.op.is_some_and(Op::is_genai);
    if is_genai {
        facts.first_chunk = facts.first_chunk.or_else(|| first_chunk_event(span));
        facts.content = fields.marks.content(may_have_content(facts.op));
    } else if facts.dialect.is_some() {
        facts.content = fields.marks.content(false);
    }
    facts.cost = told::cost(&facts, &fields, span.start.or(span.received), pricing);
    facts
}

/// In whose words a span speaks: more than one where two layers wrote on it.
#[must_use]
pub fn dialects_of(span: &Span) -> Vec<Dialect> {
    Fields::new(&span.attributes).marks.dialects(&span.origin.scope.schema_url)
}

/// The facts of a log record. Of those that tell of a call beside a span `op` is that of the call; exceptions, and
/// messages one by one, tell of no call.
#[must_use]
pub fn of_log(log: &LogRecord, pricing: &dyn Pricing) -> Facts {
    let mut fields = Fields::new(&log.attributes);
    let at = log.moment();
    if let Some((agent, event)) = coding_agent::of_log(log) {
        let mut facts = coding_agent::read(agent, &event, &fields);
        facts.cost = told::cost(&facts, &fields, at, pricing);
        return facts;
    }
    let event = log.event.as_deref().unwrap_or_default();
    if !event.starts_with("gen_ai.") && !fields.marks.is_genai() {
        return Facts { error: error_type(&fields), ..Facts::default() };
    }
    let is_message = MESSAGE_EVENTS.contains(&event) && !event.ends_with(".details");
    let body = log.body.as_ref().filter(|_| is_message);
    if body.is_some_and(|body| says_something(body) && body.text().is_none_or(|text| text != event)) {
        fields.marks.see_content();
    }
    let schema_url = &log.origin.scope.schema_url;
    let mut facts = told::read(&log.attributes, &fields, schema_url, "");
    facts.error = error_type(&fields);
    match event {
        _ if event.ends_with(".operation.details") => {}
        "gen_ai.evaluation.result" => facts.op = Some(Op::Evaluator),
        _ => facts.op = None,
    }
    // The oldest events tell of nothing but who is spoken to.
    facts.dialect = facts.dialect.or_else(|| is_message.then_some(Dialect::V1_30));
    facts.content = fields.marks.content(is_message || may_have_content(facts.op));
    if event == "gen_ai.evaluation.result" {
        facts.usage = super::Usage::default();
    }
    facts.cost = told::cost(&facts, &fields, at, pricing);
    facts
}

/// Operations in which something is said.
fn may_have_content(op: Option<Op>) -> bool {
    op.is_some_and(|op| {
        op.is_inference()
            || matches!(
                op,
                Op::Embeddings
                    | Op::InvokeAgent
                    | Op::ExecuteTool
                    | Op::Retrieval
                    | Op::Rerank
                    | Op::InvokeWorkflow
                    | Op::FetchResponse
                    | Op::Memory
                    | Op::Entry
            )
    })
}

/// Why it failed. An `error.type` says that it did, whatever the status; an exception alone may have been handled.
fn error(span: &Span, fields: &Fields<'_>) -> Option<Arc<str>> {
    error_type(fields).or_else(|| {
        if !span.status.is_error() {
            return None;
        }
        let exception = span.events.iter().rev().find(|event| event.name.as_ref() == "exception");
        let told = exception.and_then(|event| event.attributes.text("exception.type"));
        told.and_then(|told| bounded(&told)).or_else(|| Some(OTHER.into()))
    })
}

fn error_type(fields: &Fields<'_>) -> Option<Arc<str>> {
    ["error.type", "gen_ai.tool.error.type"].into_iter().find_map(|key| fields.name_of(key))
}

/// The first event that says that the answer had begun, after the span's start.
fn first_chunk_event(span: &Span) -> Option<Duration> {
    let is_first = |event: &&SpanEvent| {
        let name = event.name.as_ref();
        ["first_token", "first_chunk", "firstChunk"].iter().any(|part| name.contains(part))
            || matches!(name, "gen_ai.content.chunk" | "gen_ai.content.completion.chunk")
            || name == "llm.content.completion.chunk"
    };
    let first = span.events.iter().filter(is_first).map(|event| event.time.0).filter(|at| *at > 0).min()?;
    Some(Duration::from_nanos(first.checked_sub(span.start.0).filter(|_| span.start.0 > 0)?))
}

fn holds_message(event: &SpanEvent) -> bool {
    let is_message = MESSAGE_EVENTS.contains(&event.name.as_ref());
    let says = |attributes: &Attributes| {
        attributes.0.iter().any(|attribute| {
            let key = attribute.key.as_ref();
            (MESSAGE.contains(&key) || is_content(key)) && says_something(&attribute.value)
        })
    };
    is_message && says(&event.attributes)
}
