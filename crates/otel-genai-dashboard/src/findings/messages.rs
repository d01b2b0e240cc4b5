//! Messages that are not written as the convention says, and tools of which only messages tell.

use std::collections::{HashMap, HashSet};

use otel_genai_store::{Held, Op, Span};
use serde_json::Value as Json;

use super::Trace;
use super::found::Found;
use super::rule::{ATTRIBUTE_CUT, BAD_MESSAGES_JSON, TOOL_CALL_WITHOUT_SPAN};

/// Attributes with messages, or with parts.
const MESSAGES: [(&str, Shape); 4] = [
    ("gen_ai.input.messages", Shape::Messages),
    ("gen_ai.output.messages", Shape::Messages),
    ("gen_ai.system_instructions", Shape::Parts),
    ("gen_ai.tool.definitions", Shape::Objects),
];

/// So much text of a trace is read. Histories repeat themselves: what is wrong shows early.
const MOST: usize = 8 << 20;

#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Messages,
    Parts,
    Objects,
}

pub(super) fn check(trace: &Trace<'_>, found: &mut Found) {
    let mut left = MOST;
    // Tools that models asked for, by the id of the call, and those whose answer was told.
    let mut asked: HashMap<String, &Span> = HashMap::new();
    let mut answered: HashSet<String> = HashSet::new();
    for span in trace.spans.iter().filter(|span| span.facts.op.is_some_and(Op::is_genai)) {
        for (key, shape) in MESSAGES {
            let Some(held) = span.attributes.get(key) else { continue };
            let Some(rest) = left.checked_sub(size(held)) else { return };
            left = rest;
            match read(held) {
                Ok(json) => {
                    if let Some(wrong) = wrong(&json, shape) {
                        found.say_as(&BAD_MESSAGES_JSON, span, format!("{key}{wrong}"), Some(key));
                    }
                    if shape == Shape::Messages {
                        tools(&json, |kind, id| match kind {
                            "tool_call" => {
                                asked.entry(id.to_owned()).or_insert(span);
                            }
                            "tool_call_response" => {
                                answered.insert(id.to_owned());
                            }
                            _ => {}
                        });
                    }
                }
                Err(Broken::Cut) => {
                    found.say_as(&ATTRIBUTE_CUT, span, format!("{key} was cut before it was sent"), None);
                }
                Err(Broken::NoJson) => {
                    found.say_as(&BAD_MESSAGES_JSON, span, format!("{key} is no JSON"), Some(key));
                }
            }
        }
    }
    // A span without the call's id may be the one: then nothing is said.
    let tools = || trace.spans.iter().filter(|span| matches!(span.facts.op, Some(Op::ExecuteTool | Op::Mcp)));
    if tools().any(|tool| tool.facts.tool_call.is_none()) {
        return;
    }
    let told: HashSet<&str> = tools().filter_map(|tool| tool.facts.tool_call.as_deref()).collect();
    for (id, span) in asked {
        if answered.contains(&id) && !told.contains(id.as_str()) {
            found.say(&TOOL_CALL_WITHOUT_SPAN, span);
        }
    }
}

enum Broken {
    /// It ends before it is whole.
    Cut,
    NoJson,
}

fn read(held: &Held) -> Result<Json, Broken> {
    let Some(text) = held.text() else { return held.json().ok_or(Broken::NoJson) };
    serde_json::from_str(&text)
        .map_err(|error| if error.is_eof() && !text.is_empty() { Broken::Cut } else { Broken::NoJson })
}

fn size(held: &Held) -> usize {
    match held {
        Held::Pieces(pieces) => pieces.list.iter().map(|piece| piece.bytes.len()).sum(),
        Held::Whole(_) => held.text().map_or(1024, |text| text.len()),
    }
}

/// Where it is not as the convention says.
fn wrong(json: &Json, shape: Shape) -> Option<String> {
    let Json::Array(list) = json else { return Some(" is no array".to_owned()) };
    list.iter().enumerate().find_map(|(at, one)| {
        let wrong = match shape {
            Shape::Messages => message(one),
            Shape::Parts => part(one),
            Shape::Objects => (!one.is_object()).then(|| " is no object".to_owned()),
        };
        wrong.map(|wrong| format!("[{at}]{wrong}"))
    })
}

fn message(json: &Json) -> Option<String> {
    if !json.get("role").is_some_and(Json::is_string) {
        return Some(" has no role".to_owned());
    }
    let Some(Json::Array(parts)) = json.get("parts") else { return Some(" has no parts".to_owned()) };
    parts.iter().enumerate().find_map(|(at, one)| part(one).map(|wrong| format!(".parts[{at}]{wrong}")))
}

fn part(json: &Json) -> Option<String> {
    (!json.get("type").is_some_and(Json::is_string)).then(|| " has no type".to_owned())
}

fn tools(json: &Json, mut each: impl FnMut(&str, &str)) {
    let parts = json.as_array().into_iter().flatten().filter_map(|message| message.get("parts")?.as_array());
    for part in parts.flatten() {
        let text = |key: &str| part.get(key).and_then(Json::as_str);
        if let (Some(kind), Some(id)) = (text("type"), text("id")) {
            each(kind, id);
        }
    }
}
