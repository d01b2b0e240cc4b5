//! One event a message, as the conventions had it until 1.36: `gen_ai.user.message`, `gen_ai.choice` and their like, as log
//! records and as span events.

use std::collections::BTreeMap;
use std::sync::Arc;

use otel_genai::Message;
use otel_genai_dialect::message as dialect;
use otel_genai_store::{Attributes, Held, LogRecord, Span};
use serde_json::{Map, Value as Json};

use super::{of_log, of_span, plain};
use crate::transcript::book::Book;
use crate::transcript::telling::{From, Line, Slot, Told};
use crate::transcript::{Carrier, Matched};

/// Where a legacy event stands among the others of its call.
pub(crate) enum Position {
    /// Among what was asked.
    Input,
    /// Among the answers.
    Choice,
}

/// Which of the two an event of this name is.
pub(crate) fn position(event: &str) -> Option<Position> {
    match event {
        "gen_ai.choice" => Some(Position::Choice),
        other => role(other).map(|_| Position::Input),
    }
}

pub(super) fn is_legacy(event: &str) -> bool {
    role(event).is_some()
}

/// Who speaks in an event of this name. Some have one for each role that an API knows.
fn role(event: &str) -> Option<&str> {
    if event == "gen_ai.choice" {
        return Some("assistant");
    }
    let role = event.strip_prefix("gen_ai.")?.strip_suffix(".message")?;
    (!role.is_empty() && !role.contains('.')).then_some(role)
}

/// What a body of such an event says, and for an answer its number among them.
pub(super) fn message(event: &str, body: &Json) -> Option<(Slot, u64, Vec<Message>)> {
    let role = role(event)?;
    let slot = if event == "gen_ai.choice" { Slot::Output } else { Slot::Input };
    let index = body.get("index").and_then(Json::as_u64).unwrap_or(0);
    let mut body = body.clone();
    if let Json::Object(object) = &mut body {
        complete(object, role);
    }
    let mut messages = match &body {
        Json::Null => Vec::new(),
        body => dialect::messages(body, role).unwrap_or_default(),
    };
    if messages.is_empty() && says_something(&body) {
        let Json::Object(properties) = body else { return None };
        messages.push(Message::new(role, [otel_genai::Part::generic(event, properties)]));
    }
    Some((slot, index, messages))
}

/// A choice whose message is plain text, or whose tool calls stand beside its message.
fn complete(object: &mut Map<String, Json>, role: &str) {
    if let Some(Json::String(text)) = object.get("message") {
        let message = serde_json::json!({"role": role, "content": text});
        object.insert("message".to_owned(), message);
    }
    let beside = object.get("tool_calls").cloned();
    if let (Some(Json::Object(message)), Some(calls)) = (object.get_mut("message"), beside) {
        message.entry("tool_calls").or_insert(calls);
    }
}

fn says_something(body: &Json) -> bool {
    let Json::Object(object) = body else { return false };
    let known = [
        "index",
        "finish_reason",
        "role",
        "id",
        "name",
        "type",
        "message",
        "event.name",
        "gen_ai.message.index",
    ];
    object
        .iter()
        .any(|(key, value)| !known.contains(&key.as_str()) && !value.is_null() && value.as_str() != Some(""))
}

/// A line, where it belongs, and its number among the answers.
type Said = (Slot, u64, Line);

pub(super) fn read_logs(book: &mut Book, logs: &[(&LogRecord, Matched)], told: &mut Told) {
    let mut legacy: Vec<_> =
        logs.iter().filter(|(log, _)| log.event.as_deref().is_some_and(is_legacy)).collect();
    legacy.sort_by_key(|(log, _)| (log.moment(), log.observed, log.id));
    // Two instrumentations that tell the same call are told apart by their scopes.
    let mut by_scope: BTreeMap<(Arc<str>, Matched), (From, Vec<Said>)> = BTreeMap::new();
    for (log, matched) in legacy {
        let Some(event) = &log.event else { continue };
        let scope = Arc::clone(&log.origin.scope.name);
        let from = From { part: Arc::clone(&scope), log: None, ..of_log(log, Carrier::LogLegacy, *matched) };
        let (_, said) = by_scope.entry((scope, *matched)).or_insert((from, Vec::new()));
        said.extend(lines(book, event, &body(log.body.as_ref(), &log.attributes), Some(log)));
    }
    for (from, said) in by_scope.into_values() {
        add(book, told, &from, said);
    }
}

pub(super) fn read_events(book: &mut Book, span: &Span, told: &mut Told) {
    let mut events: Vec<_> = span.events.iter().filter(|event| is_legacy(&event.name)).collect();
    events.sort_by_key(|event| event.time);
    let mut said = Vec::new();
    for event in events {
        said.extend(lines(book, &event.name, &body(None, &event.attributes), None));
    }
    add(book, told, &of_span(span, Carrier::SpanEventLegacy), said);
}

/// The body of an event: as such, as JSON in an attribute, or spread over attributes.
fn body(body: Option<&Held>, attributes: &Attributes) -> Json {
    if let Some(body) = body.and_then(Held::json)
        && !body.is_null()
        // Some give the event's name as the body.
        && !body.as_str().is_some_and(is_legacy)
    {
        return body;
    }
    if let Some(body) = attributes.json("gen_ai.event.content") {
        return body;
    }
    let mut object = Map::new();
    for key in ["content", "role", "id", "index", "finish_reason", "name"] {
        object.extend(attributes.get(key).and_then(plain).map(|value| (key.to_owned(), value)));
    }
    for key in ["tool_calls", "message"] {
        object.extend(attributes.json(key).map(|value| (key.to_owned(), value)));
    }
    if let Some(Ok(index)) = object.get("index").and_then(Json::as_str).map(str::parse::<u64>) {
        object.insert("index".to_owned(), index.into());
    }
    Json::Object(object)
}

fn lines(book: &mut Book, event: &Arc<str>, body: &Json, log: Option<&LogRecord>) -> Vec<Said> {
    let Some((slot, index, messages)) = message(event, body) else { return Vec::new() };
    let lines = messages.into_iter().filter_map(|message| {
        let line = Line {
            message: book.enter(message)?,
            name: Arc::clone(event),
            index: None,
            log: log.map(|log| log.id),
            partial: false,
        };
        Some((slot, index, line))
    });
    lines.collect()
}

/// Adds lines that stand in the order of their times; answers in that of their numbers.
pub(super) fn add(book: &Book, told: &mut Told, from: &From, said: Vec<Said>) {
    let (mut outputs, inputs): (Vec<_>, Vec<_>) =
        said.into_iter().partition(|(slot, ..)| *slot == Slot::Output);
    outputs.sort_by_key(|(_, index, _)| *index);
    told.add(book, Slot::Input, from, inputs.into_iter().map(|(.., line)| line).collect());
    told.add(book, Slot::Output, from, outputs.into_iter().map(|(.., line)| line).collect());
}
