//! Coding agents that tell their sessions in log events: Claude Code and Codex.
//!
//! They tell what was asked, which tools ran and what a call cost, and seldom what the model said: the tools that it asked
//! for are known by their results.

use std::sync::Arc;

use otel_genai::{Message, Part};
use otel_genai_store::{Attributes, Held, LogRecord, Span};
use serde_json::{Map, Value as Json};

use super::{name, of_span};
use crate::transcript::Carrier;
use crate::transcript::book::Book;
use crate::transcript::telling::{Line, Slot, Told};

/// What an event of a session tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A person asked.
    Prompt,
    /// A model answered.
    Answer,
    /// What a model said, told by itself.
    Saying,
    /// A call failed.
    Failure,
    /// A tool that was asked for was not allowed.
    Refusal,
    /// A tool ran.
    ToolResult,
    /// All that a model was sent, told before its answer where Claude Code is to log it.
    RequestBody,
    /// All that it answered.
    ResponseBody,
}

/// An event of a session.
pub(crate) struct Event {
    pub(crate) step: Step,
    /// Which session.
    pub(crate) session: Arc<str>,
    /// Where in the session, if told.
    pub(crate) sequence: i64,
}

/// The event that a log record tells, if it is one of a coding agent's session and has a place in a conversation.
pub(crate) fn event(log: &LogRecord) -> Option<Event> {
    let attributes = &log.attributes;
    let body = log.body.as_ref().and_then(Held::text);
    let told = [log.event.as_deref(), body.as_deref()].into_iter().flatten();
    let full = told.clone().find(|name| name.starts_with("claude_code.") || name.starts_with("codex."));
    let (agent, short) = match full {
        Some(full) => full.split_once('.')?,
        None if log.origin.scope.name.contains("claude_code") => ("claude_code", log.event.as_deref()?),
        None => return None,
    };
    let refused = || {
        attributes
            .text("decision")
            .is_some_and(|decision| !matches!(&*decision, "accept" | "approved" | "approved_for_session"))
    };
    let step = match (agent, short) {
        (_, "user_prompt") => Step::Prompt,
        ("claude_code", "api_request") => Step::Answer,
        ("claude_code", "api_error") => Step::Failure,
        ("claude_code", "assistant_response") => Step::Saying,
        ("claude_code", "api_request_body") => Step::RequestBody,
        ("claude_code", "api_response_body") => Step::ResponseBody,
        ("codex", "sse_event" | "websocket_event") => match attributes.text("event.kind")?.as_ref() {
            "response.completed" => Step::Answer,
            "response.failed" => Step::Failure,
            _ => return None,
        },
        (_, "tool_decision") if refused() => Step::Refusal,
        (_, "tool_result") => Step::ToolResult,
        _ => return None,
    };
    let session = ["session.id", "conversation.id"].into_iter().find_map(|key| attributes.text(key));
    let sequence = attributes.int("event.sequence").unwrap_or(0);
    Some(Event { step, session: session.as_deref().unwrap_or_default().into(), sequence })
}

/// What it says: first what the model said, then what is said to the model.
pub(crate) fn said(log: &LogRecord, step: Step) -> (Option<Message>, Option<Message>) {
    let attributes = &log.attributes;
    match step {
        Step::Prompt => (None, told(attributes, "prompt").map(Message::user)),
        Step::Answer | Step::Saying | Step::Failure => {
            let text = ["response", "content"].into_iter().find_map(|key| told(attributes, key));
            (text.map(Message::assistant), None)
        }
        Step::Refusal | Step::ToolResult => (Some(asked(attributes)), Some(answered(attributes, step))),
        Step::RequestBody | Step::ResponseBody => (None, None),
    }
}

/// Why a call failed, in the words of who was called.
pub(crate) fn failure(log: &LogRecord) -> Option<String> {
    let keys = ["error", "error.message", "exception.message"];
    keys.into_iter().find_map(|key| told(&log.attributes, key))
}

/// What a model was sent or answered, as its provider's API has it; none of one that was cut off, or stands in a file.
pub(crate) fn body(log: &LogRecord) -> Option<Map<String, Json>> {
    serde_json::from_str(&log.attributes.text("body")?).ok()
}

/// A text; a word stands for what was not to be told.
fn told(attributes: &Attributes, key: &str) -> Option<String> {
    let text = attributes.text(key)?;
    (!matches!(&*text, "" | "<REDACTED>" | "[REDACTED]")).then(|| text.into_owned())
}

/// What a person asked, where Claude Code tells it on the span around all that came of it.
const PROMPT: &str = "user_prompt";

pub(super) fn is_here(span: &Span) -> bool {
    span.name.starts_with("claude_code.") && span.attributes.get(PROMPT).is_some()
}

pub(super) fn read_span(book: &mut Book, span: &Span, all: &mut Told) {
    let prompt = told(&span.attributes, PROMPT).filter(|_| is_here(span));
    let Some(message) = prompt.and_then(|prompt| book.enter(Message::user(prompt))) else { return };
    let line = Line { message, name: name(PROMPT), index: None, log: None, partial: false };
    all.add(book, Slot::Input, &of_span(span, Carrier::CodingAgent), vec![line]);
}

fn id(attributes: &Attributes) -> Option<String> {
    ["tool_use_id", "call_id"]
        .into_iter()
        .find_map(|key| attributes.text(key))
        .map(std::borrow::Cow::into_owned)
}

fn asked(attributes: &Attributes) -> Message {
    let name = attributes.text("tool_name").map_or_else(|| "tool".to_owned(), std::borrow::Cow::into_owned);
    let arguments =
        ["tool_input", "tool_parameters", "arguments"].into_iter().find_map(|key| attributes.json(key));
    Message::assistant_parts([Part::tool_call(
        id(attributes).unwrap_or_default(),
        name,
        arguments.unwrap_or_default(),
    )])
}

/// The tool's output where it is told; else how it went.
fn answered(attributes: &Attributes, step: Step) -> Message {
    let output = ["output", "tool_output", "error"].into_iter().find_map(|key| {
        attributes.text(key).filter(|text| !text.is_empty()).map(|text| Json::from(text.into_owned()))
    });
    let response = output.unwrap_or_else(|| {
        let mut told = Map::new();
        for key in ["decision", "source", "success", "duration_ms", "tool_result_size_bytes"] {
            if step == Step::ToolResult && key == "decision" {
                continue;
            }
            told.extend(attributes.json(key).map(|value| (key.to_owned(), value)));
        }
        Json::Object(told)
    });
    Message::tool(id(attributes).unwrap_or_default(), response)
}
