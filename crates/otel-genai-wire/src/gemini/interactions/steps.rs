//! The steps of an interaction, and the contents within them: both say what they are by their `type`.

use std::borrow::Cow;

use otel_genai::{Modality, Part, Role};
use serde_json::{Map, Value};

use crate::gather::{self, Room, parse_arguments, tool_call};
use crate::json::{Content, Raw, object};
use crate::media;

/// Contents within contents are followed no further.
const MAX_DEPTH: u8 = 4;

object! {
    struct Step<'a> {
        "type" => kind: Option<Cow<'a, str>>,
        // Of turns, which have no type.
        "role" => role: Option<Cow<'a, str>>,
        "content" => content: Content<'a>,
        "text" => text: Option<Cow<'a, str>>,
        "annotations" => annotations: Raw<'a>,
        "summary" => summary: Content<'a>,
        "data" => data: Option<Cow<'a, str>>,
        "uri" => uri: Option<Cow<'a, str>>,
        "mime_type" | "mimeType" => media_type: Option<Cow<'a, str>>,
        "id" => id: Option<Cow<'a, str>>,
        "call_id" | "callId" => call_id: Option<Cow<'a, str>>,
        "name" => name: Option<Cow<'a, str>>,
        "server_name" | "serverName" => server_name: Option<Cow<'a, str>>,
        "arguments" => arguments: Raw<'a>,
        "result" => result: Raw<'a>,
        "is_error" | "isError" => is_error: Option<bool>,
    }
}

impl Step<'_> {
    /// Who speaks.
    pub(super) fn role(&self) -> Role {
        match (self.role.as_deref(), self.kind.as_deref().unwrap_or_default()) {
            (Some("user"), _) => Role::User,
            (Some("model"), _) => Role::Assistant,
            (Some(other), _) if !other.is_empty() => other.into(),
            (_, "function_result") => Role::Tool,
            (_, "model_output" | "thought") => Role::Assistant,
            (_, kind) if kind.ends_with("_call") || kind.ends_with("_result") => Role::Assistant,
            _ => Role::User,
        }
    }

    /// The parts that the step is, as far as there is room. What is signed for Google alone is left out.
    pub(super) fn parts(self, room: &mut Room, into: &mut Vec<Part>) {
        self.parts_within(room, into, MAX_DEPTH);
    }

    fn parts_within(self, room: &mut Room, into: &mut Vec<Part>, depth: u8) {
        match self.kind.as_deref() {
            None | Some("user_input" | "model_output") => contents(self.content, false, room, into, depth),
            Some("thought") => contents(self.summary, true, room, into, depth),
            Some("text") => into.extend(self.text(room)),
            _ => into.extend(self.part(room)),
        }
    }

    fn text(self, room: &mut Room) -> Option<Part> {
        let text = self.text.filter(|text| !text.is_empty())?;
        let mut kept = String::new();
        room.append(&mut kept, &text);
        let mut part = Part::text(kept);
        if room.spend(self.annotations) {
            cite(&mut part, self.annotations.value());
        }
        Some(part)
    }

    fn part(self, room: &mut Room) -> Option<Part> {
        let kind = self.kind.as_deref()?;
        let texts = [&self.id, &self.call_id, &self.name, &self.server_name, &self.data, &self.uri];
        if !room.take(texts.iter().filter_map(|text| text.as_deref()).map(str::len).sum())
            || !room.spend(self.arguments)
            || !room.spend(self.result)
        {
            return None;
        }
        let is_error = self.is_error == Some(true);
        let owned = |text: Option<Cow<'_, str>>| text.map(Cow::into_owned).filter(|text| !text.is_empty());
        let modality = match kind {
            "image" => Some(Modality::Image),
            "audio" => Some(Modality::Audio),
            "video" => Some(Modality::Video),
            "document" => Some(Modality::Document),
            _ => None,
        };
        if let Some(modality) = modality {
            let media_type = self.media_type.as_deref();
            let Some(data) = self.data.filter(|data| !data.is_empty()) else {
                let mut part = media::at(modality, &self.uri?)?;
                if let Part::Uri(uri) = &mut part {
                    uri.mime_type = media_type.map(str::to_owned);
                }
                return Some(part);
            };
            return media::blob(modality, media_type, &data);
        }
        match kind {
            "function_call" => {
                let arguments = arguments(self.arguments);
                Some(tool_call(owned(self.id), self.name.unwrap_or_default().into_owned(), arguments))
            }
            "function_result" => {
                let mut part = Part::tool_call_response("", self.result.value().unwrap_or_default());
                if let Part::ToolCallResponse(answered) = &mut part {
                    answered.id = owned(self.call_id);
                    answered.extra.extend(owned(self.name).map(|name| ("name".to_owned(), name.into())));
                    answered.extra.extend(is_error.then(|| ("is_error".to_owned(), true.into())));
                }
                Some(part)
            }
            kind => {
                let mut said = Map::new();
                said.extend(owned(self.server_name).map(|name| ("server_name".to_owned(), name.into())));
                let id = owned(self.id);
                if let Some(tool) = kind.strip_suffix("_call") {
                    said.insert("type".to_owned(), tool.into());
                    let arguments = arguments(self.arguments).map(media::value_without_secrets);
                    said.extend(arguments.map(|arguments| ("arguments".to_owned(), arguments)));
                    let name = owned(self.name).unwrap_or_else(|| tool.to_owned());
                    return Some(gather::server_tool_call(id, &name, said));
                }
                let tool = kind.strip_suffix("_result")?;
                said.insert("type".to_owned(), tool.into());
                let result = self.result.value().map(media::value_without_secrets);
                said.extend(result.map(|result| ("result".to_owned(), result)));
                said.extend(is_error.then(|| ("is_error".to_owned(), true.into())));
                Some(gather::server_tool_response(owned(self.call_id).or(id), said))
            }
        }
    }
}

/// Contents: a text, or a list of them. Those of a thought are reasoning.
fn contents(content: Content<'_>, is_thought: bool, room: &mut Room, into: &mut Vec<Part>, depth: u8) {
    let start = into.len();
    match content {
        Content::Text(text) => {
            let step = Step { text: Some(text), ..Step::default() };
            into.extend(step.text(room));
        }
        Content::List(items) if depth > 0 => items.into_iter().for_each(|item| {
            let Some(step) = item.to::<Option<Step<'_>>>().filter(|step| step.kind.is_some()) else { return };
            step.parts_within(room, into, depth - 1);
        }),
        _ => {}
    }
    if is_thought {
        for part in into.iter_mut().skip(start) {
            if let Part::Text(text) = part {
                *part = Part::reasoning(std::mem::take(&mut text.content));
            }
        }
    }
}

/// Adds the sources that a text quotes.
pub(super) fn cite(part: &mut Part, sources: Option<Value>) {
    let Part::Text(text) = part else { return };
    let Some(Value::Array(sources)) = sources.map(media::value_without_secrets) else { return };
    if sources.is_empty() {
        return;
    }
    let known = text.extra.entry("citations").or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(known) = known {
        known.extend(sources);
    }
}

/// Arguments are an object, or its JSON in a text.
fn arguments(raw: Raw<'_>) -> Option<Value> {
    match raw.value()? {
        Value::String(text) => parse_arguments(text),
        value => Some(value),
    }
}
