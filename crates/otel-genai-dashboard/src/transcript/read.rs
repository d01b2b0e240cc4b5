//! What a value says: messages, instructions, tools; also where it was cut off or is not quite JSON.

use std::rc::Rc;
use std::sync::Arc;

use otel_genai::{Message, Part, ToolDefinition};
use otel_genai_dialect::message as dialect;
use otel_genai_store::{Glue, Held, Piece, Pieces};
use serde_json::Value as Json;

use super::book::{As, Book, MessageId};
use super::cut;

/// A message of a value: which, where in its list, and whether the value was cut off there.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReadMessage {
    pub(super) message: MessageId,
    pub(super) index: u32,
    pub(super) partial: bool,
}

impl As {
    fn role(self) -> &'static str {
        match self {
            Self::Input => "user",
            Self::Output => "assistant",
            Self::System => "system",
        }
    }
}

impl Book {
    /// The messages of a value. Pieces that were read before are not read again.
    pub(super) fn read(&mut self, held: &Held, how: As) -> Vec<ReadMessage> {
        if let Held::Pieces(Pieces { glue, list }) = held
            && *glue != Glue::One
        {
            let mut told = Vec::with_capacity(list.len());
            for (index, piece) in (0u32..).zip(list) {
                let (messages, partial) = self.read_piece(piece, how);
                told.extend(messages.iter().map(|message| ReadMessage { message: *message, index, partial }));
            }
            return told;
        }
        match held.text() {
            Some(text) => self.read_text(&text, how),
            None => held.json().map_or_else(Vec::new, |json| self.read_json(&json, how)),
        }
    }

    /// The same of JSON at hand.
    pub(super) fn read_json(&mut self, json: &Json, how: As) -> Vec<ReadMessage> {
        match json {
            Json::String(text) => self.read_text(text, how),
            Json::Array(list) => self.read_list(list.iter(), how, 0),
            other => self.read_list(std::iter::once(other), how, 0),
        }
    }

    fn read_piece(&mut self, piece: &Arc<Piece>, how: As) -> (Rc<[MessageId]>, bool) {
        if let Some(known) = self.read.get(&(piece.hash, how)) {
            return known.clone();
        }
        let alone = Held::Pieces(Pieces { glue: Glue::One, list: vec![piece.clone()] });
        let told = match alone.text() {
            // An element of a list of JSON: never plain text, but maybe a string of JSON.
            Some(text) => match serde_json::from_str::<Json>(&text) {
                Ok(json) => self.read_list(std::iter::once(&json), how, 0),
                Err(_) => self
                    .read_text(&text, how)
                    .into_iter()
                    .map(|one| ReadMessage { partial: true, ..one })
                    .collect(),
            },
            None => alone.json().map_or_else(Vec::new, |json| self.read_list(std::iter::once(&json), how, 0)),
        };
        let partial = told.iter().any(|one| one.partial);
        let read: (Rc<[MessageId]>, bool) = (told.iter().map(|one| one.message).collect(), partial);
        self.read.insert((piece.hash, how), read.clone());
        read
    }

    fn read_text(&mut self, text: &str, how: As) -> Vec<ReadMessage> {
        let begins = text.trim_start();
        if begins.starts_with('[') {
            if let Ok(list) = serde_json::from_str::<Vec<Json>>(text) {
                return self.read_list(list.iter(), how, 0);
            }
            let found = cut::elements(text);
            let mut told = self.read_list(found.read.iter(), how, 0);
            if found.cut {
                let last = u32::try_from(found.read.len()).unwrap_or(u32::MAX).saturating_sub(1);
                told.iter_mut().filter(|one| one.index == last).for_each(|one| one.partial = true);
            }
            let index = u32::try_from(found.read.len()).unwrap_or(u32::MAX);
            // Where not even the beginning can be read, all of it stands as it came.
            let rest = if found.read.is_empty() { found.rest.map(|_| text) } else { found.rest };
            told.extend(rest.and_then(|rest| self.rest(rest, how, index)));
            return told;
        }
        if begins.starts_with(['{', '"']) {
            if let Ok(json) = serde_json::from_str::<Json>(text) {
                return match json {
                    // Text that was written as JSON twice.
                    Json::String(inner) if inner.trim_start().starts_with(['{', '[']) => {
                        self.read_text(&inner, how)
                    }
                    json => self.read_list(std::iter::once(&json), how, 0),
                };
            }
            if let Some(json) = cut::repaired(text).and_then(|text| serde_json::from_str::<Json>(&text).ok())
            {
                let mut told = self.read_list(std::iter::once(&json), how, 0);
                told.iter_mut().for_each(|one| one.partial = true);
                if !told.is_empty() {
                    return told;
                }
            }
        }
        let plain = Message::new(how.role(), [Part::text(text)]);
        self.enter(plain)
            .map(|message| ReadMessage { message, index: 0, partial: false })
            .into_iter()
            .collect()
    }

    fn read_list<'a>(
        &mut self,
        list: impl Iterator<Item = &'a Json>,
        how: As,
        from: u32,
    ) -> Vec<ReadMessage> {
        let mut told = Vec::new();
        for (index, json) in (from..).zip(list) {
            for mut message in element(json, how) {
                if message.role.as_str().is_empty() {
                    message.role = how.role().into();
                }
                told.extend(self.enter(message).map(|message| ReadMessage {
                    message,
                    index,
                    partial: false,
                }));
            }
        }
        told
    }

    fn rest(&mut self, rest: &str, how: As, index: u32) -> Option<ReadMessage> {
        let message = self.enter(Message::new(how.role(), [Part::text(rest)]))?;
        Some(ReadMessage { message, index, partial: true })
    }

    /// The tools of a value.
    pub(super) fn read_tools(&mut self, held: &Held) -> Vec<ToolDefinition> {
        if let Held::Pieces(Pieces { glue, list }) = held
            && *glue != Glue::One
        {
            let mut told = Vec::with_capacity(list.len());
            for piece in list {
                if let Some(known) = self.read_tools.get(&piece.hash) {
                    told.extend(known.iter().cloned());
                    continue;
                }
                let alone = Held::Pieces(Pieces { glue: Glue::One, list: vec![piece.clone()] });
                let read: Rc<[ToolDefinition]> =
                    alone.json().map_or_else(Vec::new, |json| tools(&json)).into();
                told.extend(read.iter().cloned());
                self.read_tools.insert(piece.hash, read);
            }
            return told;
        }
        held.json().map_or_else(Vec::new, |json| tools(&json))
    }
}

/// The messages of one element of a list. What nobody understands is a part of its own, as it came.
fn element(json: &Json, how: As) -> Vec<Message> {
    if how == As::System {
        return instructions(json);
    }
    if json.is_null() {
        return Vec::new();
    }
    dialect::messages(json, how.role()).unwrap_or_else(|| match json {
        Json::String(text) if text.is_empty() => Vec::new(),
        other => vec![Message::new(how.role(), [unknown(other)])],
    })
}

/// Instructions, each a message.
fn instructions(json: &Json) -> Vec<Message> {
    if json.get("role").is_some()
        && let Some(messages) = dialect::messages(json, "system")
    {
        return messages.into_iter().flat_map(each_part).collect();
    }
    let parts = match json {
        Json::Null => Vec::new(),
        Json::String(text) => vec![Part::text(text)],
        object => dialect::parts(&Json::Array(vec![object.clone()])).unwrap_or_else(|| vec![unknown(object)]),
    };
    parts.into_iter().map(|part| Message::new("system", [part])).collect()
}

/// A message of several parts as one message each: systems are told as parts by some and as messages by others.
pub(super) fn each_part(message: Message) -> Vec<Message> {
    let role = message.role.clone();
    if message.parts.len() < 2 {
        return vec![message];
    }
    message.parts.into_iter().map(|part| Message::new(role.clone(), [part])).collect()
}

fn unknown(json: &Json) -> Part {
    match json {
        Json::Object(object) => {
            let kind = object.get("type").and_then(Json::as_str).unwrap_or("unknown").to_owned();
            let mut properties = object.clone();
            properties.remove("type");
            Part::generic(kind, properties)
        }
        Json::String(text) => Part::text(text),
        other => Part::text(other.to_string()),
    }
}

/// The tools that a whole request offers.
pub(super) fn tools_of_request(held: &Held) -> Vec<ToolDefinition> {
    let is_request = held.text().is_none_or(|text| text.contains("\"tools\""));
    let request = if is_request { held.json() } else { None };
    request.and_then(|request| request.get("tools").map(tools)).unwrap_or_default()
}

/// The tools of a list, or of one element of it.
pub(super) fn tools(json: &Json) -> Vec<ToolDefinition> {
    let one = |json: &Json| -> Vec<ToolDefinition> {
        if json.is_null() {
            return Vec::new();
        }
        dialect::tools(&Json::Array(vec![json.clone()])).unwrap_or_else(|| {
            let text = |key: &str| json.get(key).and_then(Json::as_str);
            let kind = text("type").unwrap_or("unknown");
            let mut tool = ToolDefinition::new(kind, text("name").unwrap_or(kind));
            match json {
                Json::Object(object) => {
                    let rest = object.iter().filter(|(key, _)| !["type", "name"].contains(&key.as_str()));
                    tool.extra = rest.map(|(key, value)| (key.clone(), value.clone())).collect();
                }
                other => {
                    tool.description = Some(other.as_str().map_or_else(|| other.to_string(), str::to_owned));
                }
            }
            vec![tool]
        })
    };
    match json {
        Json::Array(list) => list.iter().flat_map(one).collect(),
        other => one(other),
    }
}
