//! What readers of answers share: texts gathered from pieces, within bounds.

use std::borrow::Cow;

use otel_genai::Part;
use serde_json::{Map, Value};

use crate::json::{self, Raw};

/// Longer identifiers are cut, in bytes.
const MAX_TEXT: usize = 1024;

/// Keeps the first that says something: some servers begin with an empty chunk, and Azure's router names the model
/// once.
pub(crate) fn first(known: &mut Option<String>, told: Option<Cow<'_, str>>) {
    if let (None, Some(told)) = (&known, told.filter(|told| !told.is_empty())) {
        *known = Some(json::prefix(&told, MAX_TEXT).to_owned());
    }
}

/// Keeps the last that says something: the tier that served may be known at the end only.
pub(crate) fn last(known: &mut Option<String>, told: Option<Cow<'_, str>>) {
    let Some(told) = told.filter(|told| !told.is_empty()) else { return };
    if known.as_deref() != Some(&*told) {
        *known = Some(json::prefix(&told, MAX_TEXT).to_owned());
    }
}

/// The text, if it says something.
pub(crate) fn owned(text: Option<Cow<'_, str>>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(Cow::into_owned)
}

/// How many bytes of content may still be held.
#[derive(Debug)]
pub(crate) struct Room {
    left: usize,
    is_full: bool,
}

impl Room {
    pub(crate) fn new(bytes: usize) -> Self {
        Room { left: bytes, is_full: false }
    }

    /// Appends as much as there is room for. What has been cut off once stays cut: nothing is appended after a gap.
    pub(crate) fn append(&mut self, into: &mut String, text: &str) {
        let fits = json::prefix(text, self.left);
        into.push_str(fits);
        if fits.len() < text.len() {
            *self = Room { left: 0, is_full: true };
        } else {
            self.left -= fits.len();
        }
    }

    /// Takes the room that a value needs, if there is enough.
    pub(crate) fn spend(&mut self, value: Raw<'_>) -> bool {
        self.take(value.get().map_or(0, str::len))
    }

    /// Takes room for so many bytes, if there is enough.
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        let left = self.left.checked_sub(bytes);
        match left {
            Some(left) => self.left = left,
            None => self.is_full = true,
        }
        left.is_some()
    }

    /// What was held so far is held no more, in bytes.
    pub(crate) fn give_back(&mut self, bytes: usize) {
        // What has been cut off once stays cut.
        if !self.is_full {
            self.left += bytes;
        }
    }

    /// Whether there is none left.
    pub(crate) fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// Whether something was left out.
    pub(crate) fn is_full(&self) -> bool {
        self.is_full
    }
}

/// A tool call's part, of which everything but the name may be unknown.
pub(crate) fn tool_call(id: Option<String>, name: String, arguments: Option<Value>) -> Part {
    let mut part = Part::tool_call("", name, Value::Null);
    if let Part::ToolCall(call) = &mut part {
        call.id = id.filter(|id| !id.is_empty());
        call.arguments = arguments;
    }
    part
}

/// The JSON in a text; the text itself where it is none; nothing where it is empty.
pub(crate) fn parse_arguments(text: String) -> Option<Value> {
    if text.trim().is_empty() {
        return None;
    }
    Some(serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// A call of a tool that the provider runs. What `call` holds is the provider's own; its `type` tells the tool.
pub(crate) fn server_tool_call(id: Option<String>, name: &str, call: Map<String, Value>) -> Part {
    part("server_tool_call", id, [("name", name.into()), ("server_tool_call", call.into())])
}

/// What a tool of the provider answered, likewise.
pub(crate) fn server_tool_response(id: Option<String>, response: Map<String, Value>) -> Part {
    part("server_tool_call_response", id, [("server_tool_call_response", response.into())])
}

/// A summary in place of what was said before, where it is not encrypted.
pub(crate) fn compaction(id: Option<String>, summary: Option<String>) -> Part {
    part("compaction", id, summary.map(|summary| ("content", summary.into())))
}

/// A part as the conventions write it.
fn part(kind: &str, id: Option<String>, fields: impl IntoIterator<Item = (&'static str, Value)>) -> Part {
    let id = id.filter(|id| !id.is_empty()).map(|id| ("id", id.into()));
    let fields = fields.into_iter().chain(id).map(|(name, value)| (name.to_owned(), value));
    let typed = std::iter::once(("type".to_owned(), kind.into())).chain(fields);
    serde_json::from_value(Value::Object(typed.collect())).unwrap_or_else(|_| Part::generic(kind, Map::new()))
}
