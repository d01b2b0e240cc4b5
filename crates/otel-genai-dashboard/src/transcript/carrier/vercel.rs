//! The Vercel AI SDK: `ai.prompt.messages`, and the answer by its parts.

use otel_genai::{Message, Part};
use otel_genai_dialect::message as dialect;
use otel_genai_store::{Held, Span};
use serde_json::Value as Json;

use super::{name, of_span};
use crate::transcript::Carrier;
use crate::transcript::book::Book;
use crate::transcript::read;
use crate::transcript::telling::{Line, Slot, Told};

pub(super) fn read(book: &mut Book, span: &Span, told: &mut Told) {
    let attributes = &span.attributes;
    let from = of_span(span, Carrier::Vercel);
    if let Some(key) =
        ["ai.prompt.messages", "ai.prompt"].into_iter().find(|key| attributes.get(key).is_some())
    {
        let value = attributes.get(key);
        if let Some(value) = value {
            told.add_value(book, Slot::Input, &from, &name(key), value);
        }
    }
    if let Some((message, key)) = answer(span) {
        let line = book.enter(message).map(|message| Line {
            message,
            name: name(key),
            index: None,
            log: None,
            partial: false,
        });
        told.add(book, Slot::Output, &from, line.into_iter().collect());
    }
    if let Some(Json::Array(tools)) = attributes.json("ai.prompt.tools") {
        told.add_tools(&from, read::tools(&Json::Array(tools)));
    }
}

fn answer(span: &Span) -> Option<(Message, &'static str)> {
    let get = |keys: [&'static str; 2]| {
        keys.into_iter().find_map(|key| span.attributes.get(key).map(|value| (key, value)))
    };
    let text = |(key, value): (&'static str, &Held)| Some((key, value.text()?.into_owned()));
    let mut parts = Vec::new();
    let mut name = None;
    if let Some((key, reasoning)) = get(["ai.response.reasoning", "ai.result.reasoning"]).and_then(text) {
        name.get_or_insert(key);
        parts.push(Part::reasoning(reasoning));
    }
    if let Some((key, text)) = get(["ai.response.text", "ai.result.text"]).and_then(text) {
        name = Some(key);
        parts.push(Part::text(text));
    }
    if let Some((key, object)) = get(["ai.response.object", "ai.result.object"]) {
        name.get_or_insert(key);
        let object =
            object.text().map(std::borrow::Cow::into_owned).or_else(|| Some(object.json()?.to_string()));
        parts.extend(object.map(Part::text));
    }
    if let Some((key, calls)) = get(["ai.response.toolCalls", "ai.result.toolCalls"]) {
        name.get_or_insert(key);
        if let Some(json) = calls.json() {
            let as_told = || vec![Part::text(json.as_str().map_or_else(|| json.to_string(), str::to_owned))];
            parts.extend(dialect::tool_calls(&json).unwrap_or_else(as_told));
        }
    }
    Some((Message::new("assistant", parts), name?))
}
