//! When two messages are the same: by their canonical form, to the letter, and but for white space.

use std::fmt;

use otel_genai::{Message, Part};
use serde::{Serialize, Serializer};
use serde_json::Value as Json;

/// What a message or a list of tools is called by: 16 bytes of the BLAKE3 hash of its canonical JSON.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageHash([u8; 16]);

impl fmt::Display for MessageHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for MessageHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for MessageHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Brings a message into its canonical form. What instrumentations write differently for one thing becomes one thing:
/// arguments as text, `data:` URLs, empty ids and names. Nothing that says something is lost.
pub(super) fn tidy(message: &mut Message) {
    let role = match message.role.as_str() {
        "model" | "ai" | "AIMessage" => Some("assistant"),
        "human" | "HumanMessage" => Some("user"),
        "function" => Some("tool"),
        _ => None,
    };
    if let Some(role) = role {
        message.role = role.into();
    }
    message.name = message.name.take().filter(|name| !name.is_empty());
    message.extra.retain(|_, value| !value.is_null());
    message
        .parts
        .retain(|part| !matches!(part, Part::Text(text) if text.content.is_empty() && text.extra.is_empty()));
    message.parts.iter_mut().for_each(tidy_part);
}

fn tidy_part(part: &mut Part) {
    fn no_empty(id: &mut Option<String>) {
        *id = id.take().filter(|id| !id.is_empty());
    }
    match part {
        Part::ToolCall(call) => {
            no_empty(&mut call.id);
            if let Some(Json::String(text)) = &call.arguments {
                match serde_json::from_str::<Json>(text) {
                    Ok(parsed @ (Json::Object(_) | Json::Array(_))) => call.arguments = Some(parsed),
                    _ if text.trim().is_empty() => call.arguments = None,
                    _ => {}
                }
            }
            if call.arguments == Some(Json::Null) {
                call.arguments = None;
            }
        }
        Part::ToolCallResponse(response) => {
            no_empty(&mut response.id);
            // A list of one text is that text.
            let only =
                response.response.as_array().filter(|list| list.len() == 1).and_then(|list| list.first());
            let text = only.and_then(Json::as_object).and_then(|part| {
                let is_text = part.get("type").and_then(Json::as_str) == Some("text") && part.len() == 2;
                part.get("text").filter(|text| is_text && text.is_string()).cloned()
            });
            if let Some(text) = text {
                response.response = text;
            }
        }
        Part::Uri(uri) => {
            if let Some((mime, data)) =
                uri.uri.strip_prefix("data:").and_then(|data| data.split_once(";base64,"))
            {
                *part = Part::blob_base64(uri.modality.clone(), Some(mime), data);
            }
        }
        _ => {}
    }
}

/// The three names of a message.
pub(super) struct Names {
    /// The same to the letter.
    pub(super) exact: MessageHash,
    /// The same but for white space, for JSON told as text, for calls told before or after text, and for `developer` in the
    /// place of `system`.
    pub(super) loose: [u8; 16],
    /// The same as it may come back to the model in the next request: without reasoning.
    pub(super) echo: [u8; 16],
}

/// The names of a tidy message. Why the model stopped is no part of what was said.
pub(super) fn names(message: &Message) -> Names {
    let parts: Vec<Json> = message.parts.iter().map(json_of).collect();
    let mut exact = Hash::new();
    exact.text(message.role.as_str());
    exact.text(message.name.as_deref().unwrap_or_default());
    exact.json(&Json::Object(message.extra.clone()));
    parts.iter().for_each(|part| exact.json(part));

    let (mut loose, mut echo) = (Hash::new(), Hash::new());
    let role = message.role.as_str();
    let role = if role == "developer" { "system" } else { role };
    loose.text(role);
    echo.text(role);
    // OpenAI's messages have no order between what is said and what is called.
    let all = || message.parts.iter().zip(&parts);
    let is_call = |part: &Part| matches!(part, Part::ToolCall(_));
    let ordered = all().filter(|(part, _)| !is_call(part)).chain(all().filter(|(part, _)| is_call(part)));
    for (part, json) in ordered {
        loose.part(part, json);
        if !matches!(part, Part::Reasoning(_)) {
            echo.part(part, json);
        }
    }
    Names { exact: MessageHash(exact.done()), loose: loose.done(), echo: echo.done() }
}

/// The name of anything that JSON can say.
pub(super) fn name_of(json: &Json) -> MessageHash {
    let mut hash = Hash::new();
    hash.json(json);
    MessageHash(hash.done())
}

/// The name of arguments or of an answer, but for white space and for JSON told as text.
pub(super) fn loose_name_of(json: &Json) -> [u8; 16] {
    let mut hash = Hash::new();
    hash.loosely(json);
    hash.done()
}

pub(super) fn json_of(part: &impl Serialize) -> Json {
    serde_json::to_value(part).unwrap_or_default()
}

/// JSON, written with a mark and a length before each thing, so that different things never give the same bytes.
struct Hash(blake3::Hasher);

impl Hash {
    fn new() -> Self {
        Self(blake3::Hasher::new())
    }

    fn done(&self) -> [u8; 16] {
        self.0.finalize().as_bytes().first_chunk().copied().unwrap_or_default()
    }

    fn mark(&mut self, mark: u8, length: usize) {
        self.0.update(&[mark]).update(&(length as u64).to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.mark(b's', text.len());
        self.0.update(text.as_bytes());
    }

    fn json(&mut self, json: &Json) {
        match json {
            Json::Null => self.mark(b'0', 0),
            Json::Bool(yes) => self.mark(b'b', usize::from(*yes)),
            Json::Number(number) => {
                let number = number.to_string();
                self.mark(b'n', number.len());
                self.0.update(number.as_bytes());
            }
            Json::String(text) => self.text(text),
            Json::Array(list) => {
                self.mark(b'a', list.len());
                list.iter().for_each(|item| self.json(item));
            }
            Json::Object(object) => {
                let mut entries: Vec<_> = object.iter().filter(|(_, value)| !value.is_null()).collect();
                entries.sort_unstable_by_key(|(key, _)| *key);
                self.mark(b'o', entries.len());
                for (key, value) in entries {
                    self.text(key);
                    self.json(value);
                }
            }
        }
    }

    fn part(&mut self, part: &Part, json: &Json) {
        match part {
            Part::Text(text) => self.loosely(&Json::String(text.content.clone())),
            Part::Reasoning(reasoning) => {
                self.mark(b'r', 0);
                self.loosely(&Json::String(reasoning.content.clone()));
            }
            Part::ToolCallResponse(response) => {
                self.mark(b't', 0);
                self.text(response.id.as_deref().unwrap_or_default());
                self.loosely(&response.response);
            }
            _ => self.loosely(json),
        }
    }

    /// White space counts as one blank, within and as none around; text that is JSON counts as what it says.
    fn loosely(&mut self, json: &Json) {
        match json {
            Json::String(text) => {
                if text.trim_start().starts_with(['{', '['])
                    && let Ok(parsed) = serde_json::from_str::<Json>(text)
                {
                    return self.loosely(&parsed);
                }
                self.mark(b's', 0);
                for word in text.split_whitespace() {
                    self.0.update(word.as_bytes()).update(b" ");
                }
                self.mark(b'.', 0);
            }
            Json::Array(list) => {
                self.mark(b'a', list.len());
                list.iter().for_each(|item| self.loosely(item));
            }
            Json::Object(object) => {
                let mut entries: Vec<_> = object.iter().filter(|(_, value)| !value.is_null()).collect();
                entries.sort_unstable_by_key(|(key, _)| *key);
                self.mark(b'o', entries.len());
                for (key, value) in entries {
                    self.text(key);
                    self.loosely(value);
                }
            }
            other => self.json(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn message(json: Json) -> Message {
        let mut message: Message = serde_json::from_value(json).unwrap();
        tidy(&mut message);
        message
    }

    #[test]
    fn what_is_told_differently_is_the_same() {
        let plain = names(&message(json!({"role": "assistant", "parts": [
            {"type": "tool_call", "id": "c", "name": "f", "arguments": {"a": 1, "b": [true]}}]})));
        let text =
            names(&message(json!({"role": "model", "name": null, "finish_reason": "tool_calls", "parts": [
            {"type": "text", "content": ""},
            {"type": "tool_call", "id": "c", "name": "f", "arguments": "{\"b\":[true],\"a\":1}"}]})));
        assert_eq!(plain.exact, text.exact);
        let other = names(&message(json!({"role": "assistant", "parts": [
            {"type": "tool_call", "id": "c", "name": "f", "arguments": {"a": "1", "b": [true]}}]})));
        assert_ne!(plain.exact, other.exact);
        assert_ne!(plain.loose, other.loose);
    }

    #[test]
    fn white_space_is_kept_and_counts_as_little() {
        let one = names(&message(json!({"role": "user", "parts": [{"type": "text", "content": " a\n b "}]})));
        let two = names(&message(json!({"role": "user", "parts": [{"type": "text", "content": "a b"}]})));
        assert_ne!(one.exact, two.exact);
        assert_eq!(one.loose, two.loose);
        let apart = names(&message(json!({"role": "user", "parts": [{"type": "text", "content": "ab"}]})));
        assert_ne!(two.loose, apart.loose);
    }

    #[test]
    fn an_echo_needs_no_reasoning() {
        let told = names(&message(json!({"role": "assistant", "parts": [
            {"type": "reasoning", "content": "hm"}, {"type": "text", "content": "yes"}]})));
        let back =
            names(&message(json!({"role": "assistant", "parts": [{"type": "text", "content": "yes"}]})));
        assert_eq!(told.echo, back.echo);
        assert_ne!(told.loose, back.loose);
    }

    #[test]
    fn data_urls_are_blobs() {
        let uri = message(
            json!({"role": "user", "parts": [{"type": "uri", "modality": "image", "uri": "data:image/png;base64,AAAA"}]}),
        );
        assert!(matches!(&uri.parts[..], [Part::Blob(blob)] if blob.content == "AAAA"));
    }
}
