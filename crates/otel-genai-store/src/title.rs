//! What a user asked, in one line: the title of a trace.

use std::collections::HashMap;

use otel_genai_dialect::{Slot, TREES, is_in_tree, names_of, tree};
use serde_json::{Map, Value as Json};

use crate::facts::{ContentState, Op};
use crate::id::{Nanos, TraceId};
use crate::log::LogRecord;
use crate::span::Span;
use crate::store::Batch;
use crate::value::Attributes;

/// A title has so many characters at most.
const MOST: usize = 160;
/// Texts that are larger are not read for it.
const MOST_BYTES: usize = 1 << 20;
/// Nobody wraps messages deeper.
const DEEPEST: u8 = 6;

/// The titles that a batch has, by the place of the record: for each trace only that of the first record that has one.
#[derive(Debug, Default)]
pub(crate) struct Titles {
    pub(crate) spans: HashMap<usize, String>,
    pub(crate) logs: HashMap<usize, String>,
}

impl Titles {
    pub(crate) fn of(batch: &Batch) -> Self {
        let mut titles = Self::default();
        // By moment, so that the first record that has one is the only one that is read.
        let spans = batch.spans.iter().enumerate().filter(|(_, span)| asks(span));
        let spans = spans.map(|(at, span)| (span.key.trace, span.start.or(span.received), Record::Span(at)));
        let logs = batch.logs.iter().enumerate();
        let logs = logs.filter_map(|(at, log)| Some((log.trace?, log.moment(), Record::Log(at))));
        let mut records: Vec<(TraceId, Nanos, Record)> = spans.chain(logs).collect();
        records.sort_unstable_by_key(|(trace, moment, _)| (*trace, *moment));
        let mut done = None;
        for (trace, _, record) in records {
            if done == Some(trace) {
                continue;
            }
            let title = match record {
                Record::Span(at) => {
                    batch.spans.get(at).and_then(of_span).map(|title| titles.spans.insert(at, title))
                }
                Record::Log(at) => {
                    batch.logs.get(at).and_then(of_log).map(|title| titles.logs.insert(at, title))
                }
            };
            if title.is_some() {
                done = Some(trace);
            }
        }
        titles
    }
}

#[derive(Clone, Copy)]
enum Record {
    Span(usize),
    Log(usize),
}

/// Whether a span may hold what a user asked.
fn asks(span: &Span) -> bool {
    let around = |op| matches!(op, Op::InvokeAgent | Op::InvokeWorkflow | Op::Entry | Op::Chain);
    let may = span.facts.op.is_some_and(|op| op.is_inference() || around(op));
    // Where nothing is told, nothing is looked for; but for events in an attribute, which say it in words of their own.
    may && (span.facts.content != ContentState::Absent || span.attributes.get("events").is_some())
}

/// What a user asked last before this span's call: what came before was asked in calls before.
fn of_span(span: &Span) -> Option<String> {
    of_attributes(&span.attributes)
        .or_else(|| span.events.iter().rev().find_map(|event| of_event(&event.name, &event.attributes)))
}

fn of_log(log: &LogRecord) -> Option<String> {
    let event = log.event.as_deref()?;
    of_event(event, &log.attributes).or_else(|| match event {
        "gen_ai.user.message" => {
            let body = log.body.as_ref()?.json()?;
            text_of(body.as_object()?).and_then(line)
        }
        "claude_code.user_prompt" | "user_prompt" | "codex.user_prompt" => {
            // The word for what was not to be told is no question.
            let prompt = log.attributes.text("prompt")?;
            line(&prompt).filter(|line| !matches!(line.as_str(), "<REDACTED>" | "[REDACTED]"))
        }
        _ => None,
    })
}

fn of_event(name: &str, attributes: &Attributes) -> Option<String> {
    match name {
        "gen_ai.user.message" => {
            let whole = attributes.json("gen_ai.event.content");
            let content = attributes.json("content");
            content
                .and_then(|content| text(&content, DEEPEST))
                .or_else(|| whole?.as_object().and_then(text_of).map(str::to_owned))
                .and_then(|text| line(&text))
        }
        "gen_ai.content.prompt"
        | "gen_ai.client.inference.operation.details"
        | "gen_ai.client.agent.invoke.operation.details" => of_attributes(attributes),
        _ => None,
    }
}

/// Attributes that the vocabularies do not have as input messages, and that hold them.
const OTHERS: [&str; 4] = ["pydantic_ai.all_messages", "all_messages_events", "events", "mlflow.spanInputs"];

fn of_attributes(attributes: &Attributes) -> Option<String> {
    let whole = |name: &str| {
        let value = attributes.get(name)?;
        if value.text().is_some_and(|text| text.len() > MOST_BYTES) {
            return None;
        }
        asked(&value.json()?, DEEPEST).and_then(|text| line(&text))
    };
    let trees = || {
        TREES.iter().filter(|(_, slot)| *slot == Slot::InputMessages).find_map(|(prefix, _)| {
            // From the end: of several with one name the last counts, and the user's last message stands there.
            let leaves = attributes.0.iter().rev().filter(|leaf| is_in_tree(&leaf.key, prefix));
            let mut room = MOST_BYTES;
            let leaves = leaves.map_while(|leaf| {
                let length = leaf.value.text().map_or(0, |text| text.len());
                room = room.checked_sub(leaf.key.len() + length)?;
                Some(leaf)
            });
            let leaves = leaves.filter_map(|leaf| Some((leaf.key.as_ref(), leaf.value.json()?)));
            let (tree, _) = tree::unflatten(prefix, leaves);
            asked(&tree?, DEEPEST).and_then(|text| line(&text))
        })
    };
    names_of(Slot::InputMessages)
        .find_map(whole)
        .or_else(trees)
        .or_else(|| OTHERS.into_iter().find_map(whole))
}

/// The text of the last message that a user wrote.
fn asked(json: &Json, depth: u8) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    match json {
        Json::String(text) => {
            match text.trim_start().starts_with(['[', '{']).then(|| serde_json::from_str(text)) {
                Some(Ok(inner @ (Json::Array(_) | Json::Object(_)))) => asked(&inner, depth),
                _ => Some(text.clone()),
            }
        }
        Json::Array(list) => list.iter().rev().find_map(|message| asked(message, depth)),
        Json::Object(object) => {
            if let Some(inner @ Json::Object(_)) = object.get("message") {
                return asked(inner, depth);
            }
            match object.get("role").and_then(Json::as_str) {
                Some("user" | "human") => text_of(object).map(str::to_owned),
                Some(_) => None,
                None => ["messages", "prompt", "input", "inputs", "question", "query", "task"]
                    .into_iter()
                    .find_map(|key| asked(object.get(key)?, depth)),
            }
        }
        _ => None,
    }
}

/// The first text of a message.
fn text_of(message: &Map<String, Json>) -> Option<&str> {
    ["parts", "content", "contents"].into_iter().find_map(|key| first_text(message.get(key)?))
}

fn first_text(said: &Json) -> Option<&str> {
    match said {
        Json::String(text) => Some(text.as_str()).filter(|text| !text.trim().is_empty()),
        Json::Array(parts) => parts.iter().find_map(first_text),
        Json::Object(part) => {
            if let Some(inner) = part.get("message_content") {
                return first_text(inner);
            }
            let is_text = |kind: &str| matches!(kind, "text" | "input_text");
            if !part.get("type").and_then(Json::as_str).is_none_or(is_text) {
                return None;
            }
            ["text", "content"]
                .into_iter()
                .find_map(|key| part.get(key)?.as_str())
                .filter(|text| !text.trim().is_empty())
        }
        _ => None,
    }
}

fn text(said: &Json, depth: u8) -> Option<String> {
    first_text(said).map(str::to_owned).or_else(|| asked(said, depth))
}

/// The first line that says something.
fn line(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    Some(match line.char_indices().nth(MOST) {
        Some(_) => line.chars().take(MOST - 1).chain(['…']).collect(),
        None => line.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_question_is_found_in_any_shape() {
        for (shape, found) in [
            (
                r#"[{"role":"user","parts":[{"type":"text","content":"\n Where is it?\nPlease"}]}]"#,
                Some("Where is it?"),
            ),
            (
                r#"[{"role":"user","content":"first"},{"role":"assistant","content":"a"},{"role":"user","content":"second"}]"#,
                Some("second"),
            ),
            (
                r#"[{"role":"user","content":[{"type":"image_url"},{"type":"text","text":"look"}]}]"#,
                Some("look"),
            ),
            (
                r#"[{"role":"user","content":"do"},{"role":"user","content":[{"type":"tool_result","content":"42"}]}]"#,
                Some("do"),
            ),
            (r#"{"messages":[{"role":"user","content":"in a request"}]}"#, Some("in a request")),
            (r#"{"prompt":"[{\"role\":\"user\",\"content\":\"in a text\"}]"}"#, Some("in a text")),
            (
                r#"[{"message":{"role":"user","contents":[{"message_content":{"type":"text","text":"deep"}}]}}]"#,
                Some("deep"),
            ),
            (
                r#"[{"role":"model","parts":[{"text":"a"}]},{"role":"user","parts":[{"text":"gemini"}]}]"#,
                Some("gemini"),
            ),
            (r#""just a prompt""#, Some("just a prompt")),
            (r#"[{"role":"system","content":"be good"}]"#, None),
            (r#"[]"#, None),
            (r#"{"a":1}"#, None),
        ] {
            let asked = asked(&serde_json::from_str(shape).unwrap(), DEEPEST).and_then(|text| line(&text));
            assert_eq!(asked.as_deref(), found, "{shape}");
        }
        assert_eq!(line(&"x".repeat(500)).unwrap().chars().count(), MOST);
        assert_eq!(line(" \n "), None);
    }
}
