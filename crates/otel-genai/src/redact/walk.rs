//! The way through content to its texts, copying only what changes.

use std::borrow::Cow;
use std::ptr;

use serde_json::{Map, Value};

use super::{Redact, TOO_DEEP};
use crate::message::{
    BlobPart, CompactionPart, FilePart, GenericPart, Message, Part, ReasoningPart, ServerToolCallPart,
    ServerToolCallResponsePart, TextPart, ToolCallPart, ToolCallResponsePart, ToolDefinition, UriPart,
};

/// Integers below this are left alone: the shortest card number has thirteen digits.
const LONG_NUMBER: u64 = 1_000_000_000_000;

/// The new text, where it is another. A borrowed text that is not the very same one (trimmed, a constant) is another.
pub(super) fn changed(before: &str, after: Cow<'_, str>) -> Option<String> {
    match after {
        Cow::Borrowed(after) if ptr::eq(before, after) => None,
        after => Some(after.into_owned()),
    }
}

/// The new item, where it is another.
fn other<T: Clone>(before: &T, after: Cow<'_, T>) -> Option<T> {
    match after {
        Cow::Borrowed(after) if ptr::eq(before, after) => None,
        after => Some(after.into_owned()),
    }
}

/// Each item changed; copied from the first change on.
pub(super) fn each<'a, T: Clone>(
    items: &'a [T],
    mut change: impl FnMut(&'a T) -> Cow<'a, T>,
) -> Cow<'a, [T]> {
    let mut rest = items.iter().enumerate();
    while let Some((at, item)) = rest.next() {
        if let Some(new) = other(item, change(item)) {
            let mut out = Vec::with_capacity(items.len());
            out.extend(items.iter().take(at).cloned());
            out.push(new);
            out.extend(rest.map(|(_, item)| change(item).into_owned()));
            return Cow::Owned(out);
        }
    }
    Cow::Borrowed(items)
}

pub(super) fn value<'a>(redact: &(impl Redact + ?Sized), value: &'a Value, depth: usize) -> Cow<'a, Value> {
    match value {
        Value::Null | Value::Bool(_) => Cow::Borrowed(value),
        Value::Number(number) if number.as_u64().is_some_and(|number| number >= LONG_NUMBER) => {
            let digits = number.to_string();
            match changed(&digits, redact.text(&digits)) {
                Some(text) => Cow::Owned(Value::String(text)),
                None => Cow::Borrowed(value),
            }
        }
        Value::Number(_) => Cow::Borrowed(value),
        Value::String(text) => match changed(text, redact.text(text)) {
            Some(text) => Cow::Owned(Value::String(text)),
            None => Cow::Borrowed(value),
        },
        Value::Array(_) | Value::Object(_) if depth == 0 => Cow::Owned(Value::String(TOO_DEEP.to_owned())),
        Value::Array(items) => match each(items, |item| redact.value_at(item, depth - 1)) {
            Cow::Borrowed(_) => Cow::Borrowed(value),
            Cow::Owned(items) => Cow::Owned(Value::Array(items)),
        },
        Value::Object(entries) => match object(redact, entries, depth - 1) {
            Cow::Borrowed(_) => Cow::Borrowed(value),
            Cow::Owned(entries) => Cow::Owned(Value::Object(entries)),
        },
    }
}

pub(super) fn object<'a>(
    redact: &(impl Redact + ?Sized),
    entries: &'a Map<String, Value>,
    depth: usize,
) -> Cow<'a, Map<String, Value>> {
    let mut rest = entries.iter().enumerate();
    while let Some((at, (name, value))) = rest.next() {
        if let Some(new) = other(value, redact.property(name, value, depth)) {
            let mut out: Map<String, Value> =
                entries.iter().take(at).map(|(name, value)| (name.clone(), value.clone())).collect();
            out.insert(name.clone(), new);
            out.extend(
                rest.map(|(_, (name, value))| {
                    (name.clone(), redact.property(name, value, depth).into_owned())
                }),
            );
            return Cow::Owned(out);
        }
    }
    Cow::Borrowed(entries)
}

/// A field of a struct: what becomes of it, where it becomes another.
trait Field: Sized {
    fn redacted(&self, redact: &(impl Redact + ?Sized)) -> Option<Self>;
}

impl Field for String {
    fn redacted(&self, redact: &(impl Redact + ?Sized)) -> Option<Self> {
        changed(self, redact.text(self))
    }
}

impl Field for Value {
    fn redacted(&self, redact: &(impl Redact + ?Sized)) -> Option<Self> {
        other(self, redact.value(self))
    }
}

impl Field for Map<String, Value> {
    fn redacted(&self, redact: &(impl Redact + ?Sized)) -> Option<Self> {
        other(self, redact.object(self))
    }
}

impl<T: Field> Field for Option<T> {
    fn redacted(&self, redact: &(impl Redact + ?Sized)) -> Option<Self> {
        self.as_ref()?.redacted(redact).map(Some)
    }
}

/// The struct with these fields redacted and those kept; `None` where nothing changes. Field by field: a field that
/// changes is not copied before, however large or deep it is.
macro_rules! redacted {
    ($redact:ident, $from:expr => $name:ident { $($field:ident),* } keeping { $($kept:ident),* }) => {{
        let from = $from;
        $(let $field = from.$field.redacted($redact);)*
        if $($field.is_none())&&* {
            None
        } else {
            Some($name {
                $($field: $field.unwrap_or_else(|| from.$field.clone()),)*
                $($kept: from.$kept.clone(),)*
            })
        }
    }};
}

pub(super) fn part<'a>(redact: &(impl Redact + ?Sized), part: &'a Part) -> Cow<'a, Part> {
    let new = match part {
        Part::Text(part) => redacted!(redact, part => TextPart { content, extra } keeping {}).map(Part::Text),
        Part::Reasoning(part) => {
            redacted!(redact, part => ReasoningPart { content, extra } keeping {}).map(Part::Reasoning)
        }
        Part::Compaction(part) => {
            redacted!(redact, part => CompactionPart { content, extra } keeping { id }).map(Part::Compaction)
        }
        Part::ToolCall(part) => {
            redacted!(redact, part => ToolCallPart { arguments, extra } keeping { id, name })
                .map(Part::ToolCall)
        }
        Part::ToolCallResponse(part) => {
            redacted!(redact, part => ToolCallResponsePart { response, extra } keeping { id })
                .map(Part::ToolCallResponse)
        }
        Part::ServerToolCall(part) => redacted!(
            redact, part => ServerToolCallPart { server_tool_call, extra } keeping { id, name }
        )
        .map(Part::ServerToolCall),
        Part::ServerToolCallResponse(part) => redacted!(
            redact, part => ServerToolCallResponsePart { server_tool_call_response, extra } keeping { id }
        )
        .map(Part::ServerToolCallResponse),
        Part::Uri(part) if is_data(&part.uri) => {
            redacted!(redact, part => UriPart { extra } keeping { modality, uri, mime_type }).map(Part::Uri)
        }
        Part::Uri(part) => {
            redacted!(redact, part => UriPart { uri, extra } keeping { modality, mime_type }).map(Part::Uri)
        }
        Part::Blob(part) => {
            redacted!(redact, part => BlobPart { extra } keeping { modality, content, mime_type })
                .map(Part::Blob)
        }
        Part::File(part) => {
            redacted!(redact, part => FilePart { extra } keeping { modality, file_id, mime_type })
                .map(Part::File)
        }
        Part::Generic(part) => {
            redacted!(redact, part => GenericPart { properties } keeping { kind }).map(Part::Generic)
        }
    };
    new.map_or(Cow::Borrowed(part), Cow::Owned)
}

/// Whether the address is the data itself.
fn is_data(uri: &str) -> bool {
    uri.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"))
}

pub(super) fn message<'a>(redact: &(impl Redact + ?Sized), message: &'a Message) -> Cow<'a, Message> {
    let name = message.name.redacted(redact);
    let extra = message.extra.redacted(redact);
    let parts = redact.parts(&message.parts);
    let same = matches!(parts, Cow::Borrowed(parts) if ptr::eq(parts, message.parts.as_slice()));
    if name.is_none() && extra.is_none() && same {
        return Cow::Borrowed(message);
    }
    Cow::Owned(Message {
        role: message.role.clone(),
        parts: parts.into_owned(),
        name: name.unwrap_or_else(|| message.name.clone()),
        finish_reason: message.finish_reason.clone(),
        extra: extra.unwrap_or_else(|| message.extra.clone()),
    })
}

pub(super) fn tool<'a>(redact: &(impl Redact + ?Sized), tool: &'a ToolDefinition) -> Cow<'a, ToolDefinition> {
    redacted!(redact, tool => ToolDefinition { description, parameters, extra } keeping { kind, name })
        .map_or(Cow::Borrowed(tool), Cow::Owned)
}
