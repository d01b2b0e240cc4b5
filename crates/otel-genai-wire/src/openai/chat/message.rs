//! Messages as OpenAI's chat API writes them, in requests and, in the same words, in answers.

use std::borrow::Cow;

use otel_genai::{Message, Modality, Part, Role};
use serde_json::Value;

use crate::gather::{parse_arguments, tool_call};
use crate::json::{Content, Raw, object};
use crate::media;

object! {
    /// A message of the history.
    struct Sent<'a> {
        "role" => role: Option<Cow<'a, str>>,
        "content" => content: Content<'a>,
        "name" => name: Option<Cow<'a, str>>,
        "tool_call_id" => tool_call_id: Option<Cow<'a, str>>,
        "tool_calls" => tool_calls: Vec<ToolCall<'a>>,
        "function_call" => function_call: Option<Function<'a>>,
        "refusal" => refusal: Option<Cow<'a, str>>,
        "reasoning_content" => reasoning_content: Option<Cow<'a, str>>,
        "reasoning" => reasoning: Option<Cow<'a, str>>,
        "audio" => audio: Option<Audio<'a>>,
    }

    /// A tool call, or a piece of one.
    struct ToolCall<'a> {
        "index" => index: Option<u64>,
        "id" => id: Option<Cow<'a, str>>,
        "function" => function: Option<Function<'a>>,
        "custom" => custom: Option<Custom<'a>>,
    }

    struct Function<'a> {
        "name" => name: Option<Cow<'a, str>>,
        "arguments" => arguments: Raw<'a>,
    }

    struct Custom<'a> {
        "name" => name: Option<Cow<'a, str>>,
        "input" => input: Option<Cow<'a, str>>,
    }

    struct Audio<'a> {
        "id" => id: Option<Cow<'a, str>>,
        "data" => data: Option<Cow<'a, str>>,
        "transcript" => transcript: Option<Cow<'a, str>>,
    }

    struct ContentPart<'a> {
        "type" => kind: Option<Cow<'a, str>>,
        "text" => text: Option<Cow<'a, str>>,
        "refusal" => refusal: Option<Cow<'a, str>>,
        "thinking" => thinking: Raw<'a>,
        "image_url" => image_url: Raw<'a>,
        "video_url" => video_url: Raw<'a>,
        "audio_url" => audio_url: Raw<'a>,
        "document_url" => document_url: Raw<'a>,
        "input_audio" => input_audio: Option<InputAudio<'a>>,
        "file" => file: Option<File<'a>>,
    }

    struct InputAudio<'a> {
        "data" => data: Option<Cow<'a, str>>,
        "format" => format: Option<Cow<'a, str>>,
    }

    struct File<'a> {
        "file_id" => id: Option<Cow<'a, str>>,
        "file_data" => data: Option<Cow<'a, str>>,
        "filename" => name: Option<Cow<'a, str>>,
    }

    struct Address<'a> {
        "url" => url: Option<Cow<'a, str>>,
    }
}

impl Sent<'_> {
    /// The message in the conventions' words; `None` if it says nothing at all.
    pub(crate) fn message(self) -> Option<Message> {
        let role: Role = self.role.as_deref().unwrap_or("user").into();
        let mut parts = Vec::new();
        if role == Role::Tool || role == "function" {
            parts.push(tool_response(self.tool_call_id, self.content));
        } else {
            let reasoning = self.reasoning_content.filter(|text| !text.is_empty()).or(self.reasoning);
            if let Some(reasoning) = reasoning.filter(|text| !text.is_empty()) {
                parts.push(Part::reasoning(reasoning));
            }
            match self.content {
                Content::None => {}
                Content::Text(text) => parts.push(Part::text(text)),
                Content::List(items) => parts.extend(items.into_iter().filter_map(part)),
            }
            if let Some(refusal) = self.refusal.filter(|text| !text.is_empty()) {
                parts.push(Part::text(refusal));
            }
            if let Some(id) = self.audio.and_then(|audio| audio.id) {
                parts.push(Part::file(Modality::Audio, id));
            }
            parts.extend(self.tool_calls.into_iter().filter_map(ToolCall::part));
            parts.extend(self.function_call.map(|function| {
                tool_call(None, function.name.unwrap_or_default().into_owned(), arguments(function.arguments))
            }));
        }
        if parts.is_empty() {
            return None;
        }
        let mut message = Message::new(role, parts);
        message.name = self.name.map(Cow::into_owned);
        Some(message)
    }
}

impl ToolCall<'_> {
    pub(crate) fn part(self) -> Option<Part> {
        let id = self.id.map(Cow::into_owned);
        match (self.function, self.custom) {
            (Some(function), _) => {
                let name = function.name.unwrap_or_default().into_owned();
                Some(tool_call(id, name, arguments(function.arguments)))
            }
            (None, Some(custom)) => {
                let input = custom.input.map(|input| Value::String(input.into_owned()));
                Some(tool_call(id, custom.name.unwrap_or_default().into_owned(), input))
            }
            (None, None) => None,
        }
    }
}

/// Arguments as they are meant: OpenAI writes JSON into a text, others write it plainly.
fn arguments(arguments: Raw<'_>) -> Option<Value> {
    match arguments.value()? {
        Value::String(text) => parse_arguments(text),
        value => Some(value),
    }
}

fn tool_response(id: Option<Cow<'_, str>>, content: Content<'_>) -> Part {
    let response = match content {
        Content::None => Value::Null,
        Content::Text(text) => Value::String(text.into_owned()),
        Content::List(items) => items.into_iter().filter_map(Raw::value).map(response_item).collect(),
    };
    let mut part = Part::tool_call_response("", response);
    if let Part::ToolCallResponse(answered) = &mut part {
        answered.id = id.map(Cow::into_owned);
    }
    part
}

/// An item of a tool's response: a text is told as it is, the address of anything else without its secrets.
pub(crate) fn response_item(item: Value) -> Value {
    let is_text = item.is_string() || item.get("type").is_some_and(|kind| kind == "text");
    if is_text { item } else { media::value_without_secrets(item) }
}

/// One item of a list of content. `None` where it holds nothing that can be told.
pub(crate) fn part(item: Raw<'_>) -> Option<Part> {
    if item.get()?.starts_with('"') {
        return item.to::<Option<Cow<'_, str>>>().map(Part::text);
    }
    let content: ContentPart<'_> = item.to::<Option<ContentPart<'_>>>()?;
    match content.kind.as_deref() {
        Some("text" | "input_text" | "output_text") | None => content.text.map(Part::text),
        Some("refusal") => content.refusal.or(content.text).map(Part::text),
        Some("thinking" | "reasoning") => thinking(content.thinking).or(content.text).map(Part::reasoning),
        Some("image_url" | "input_image") => media::at(Modality::Image, &address(content.image_url)?),
        Some("video_url") => media::at(Modality::Video, &address(content.video_url)?),
        Some("audio_url") => media::at(Modality::Audio, &address(content.audio_url)?),
        Some("document_url") => media::at(Modality::Document, &address(content.document_url)?),
        Some("input_audio") => {
            let audio = content.input_audio?;
            media::audio(&audio.data?, audio.format.as_deref())
        }
        Some("file") => {
            let file = content.file?;
            media::file(file.id.as_deref(), file.data.as_deref(), file.name.as_deref())
        }
        Some(kind) => {
            let Some(Value::Object(mut properties)) = item.value() else { return None };
            properties.remove("type");
            properties.values_mut().for_each(media::clean);
            Some(Part::generic(kind, properties))
        }
    }
}

/// Mistral's reasoning: a text, or a list of texts.
fn thinking(thinking: Raw<'_>) -> Option<Cow<'_, str>> {
    match thinking.to::<Content<'_>>() {
        Content::Text(text) => Some(text),
        Content::List(items) => {
            let texts = items.into_iter().filter_map(|item| item.to::<ContentPart<'_>>().text);
            Some(Cow::Owned(texts.collect()))
        }
        Content::None => None,
    }
}

/// `{"url": ...}`, or the address alone.
fn address(value: Raw<'_>) -> Option<Cow<'_, str>> {
    value.to::<Option<Cow<'_, str>>>().or_else(|| value.to::<Address<'_>>().url)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::json;

    fn message(json: &str) -> Value {
        serde_json::to_value(json::read::<Sent<'_>>(json.as_bytes()).unwrap().message()).unwrap()
    }

    fn part(json: &str) -> Value {
        message(&format!(r#"{{"role":"user","content":[{json}]}}"#))["parts"][0].clone()
    }

    #[test]
    fn every_role() {
        for role in ["system", "developer", "user", "assistant"] {
            assert_eq!(
                message(&format!(r#"{{"role":"{role}","content":"hi","name":"bob"}}"#)),
                json!({"role": role, "parts": [{"type": "text", "content": "hi"}], "name": "bob"})
            );
        }
        assert_eq!(
            message(r#"{"role":"tool","tool_call_id":"c1","content":[{"type":"text","text":"r"}]}"#),
            json!({"role": "tool", "parts": [
                {"type": "tool_call_response", "id": "c1", "response": [{"type": "text", "text": "r"}]}
            ]})
        );
        let listed = r#"{"role":"tool","tool_call_id":"c1","content":[
            {"type":"text","text":"https://h.example?a=1"}, {"type":"image_url","image_url":{"url":"https://h.example/i?sig=s"}}]}"#;
        assert_eq!(
            message(listed)["parts"][0]["response"],
            json!([
                {"type": "text", "text": "https://h.example?a=1"},
                {"type": "image_url", "image_url": {"url": "https://h.example/i"}},
            ])
        );
        assert_eq!(
            message(r#"{"role":"function","name":"f","content":"r"}"#),
            json!({"role": "function", "name": "f", "parts": [{"type": "tool_call_response", "response": "r"}]})
        );
        assert_eq!(message(r#"{"role":"user","content":null}"#), Value::Null);
    }

    #[test]
    fn an_assistant_that_reasoned_spoke_and_called() {
        let sent = r#"{"role":"assistant","content":"calling","reasoning_content":"hm","refusal":null,"tool_calls":[
            {"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\": 1}"}},
            {"id":"b","type":"function","function":{"name":"g","arguments":"{bad"}},
            {"id":"c","type":"function","function":{"name":"h","arguments":""}},
            {"id":"d","type":"function","function":{"name":"i","arguments":{"plain":true}}},
            {"id":"e","type":"custom","custom":{"name":"j","input":"free text"}},
            {"id":"z","type":"other"}]}"#;
        assert_eq!(
            message(sent)["parts"],
            json!([
                {"type": "reasoning", "content": "hm"},
                {"type": "text", "content": "calling"},
                {"type": "tool_call", "id": "a", "name": "f", "arguments": {"x": 1}},
                {"type": "tool_call", "id": "b", "name": "g", "arguments": "{bad"},
                {"type": "tool_call", "id": "c", "name": "h"},
                {"type": "tool_call", "id": "d", "name": "i", "arguments": {"plain": true}},
                {"type": "tool_call", "id": "e", "name": "j", "arguments": "free text"},
            ])
        );
        assert_eq!(
            message(
                r#"{"role":"assistant","function_call":{"name":"f","arguments":"{}"},"audio":{"id":"au"}}"#
            )["parts"],
            json!([{"type": "file", "modality": "audio", "file_id": "au"}, {"type": "tool_call", "name": "f", "arguments": {}}])
        );
    }

    #[test]
    fn parts() {
        assert_eq!(part(r#""plain""#), json!({"type": "text", "content": "plain"}));
        assert_eq!(part(r#"{"type":"refusal","refusal":"no"}"#), json!({"type": "text", "content": "no"}));
        assert_eq!(
            part(r#"{"type":"thinking","thinking":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}"#),
            json!({"type": "reasoning", "content": "ab"})
        );
        assert_eq!(
            part(
                r#"{"type":"image_url","image_url":{"url":"https://u:p@h.example/i.png?sig=s","detail":"low"}}"#
            ),
            json!({"type": "uri", "modality": "image", "uri": "https://h.example/i.png"})
        );
        assert_eq!(
            part(r#"{"type":"image_url","image_url":"data:image/png;base64,QUJD"}"#),
            json!({"type": "blob", "modality": "image", "mime_type": "image/png", "content": "QUJD"})
        );
        assert_eq!(
            part(r#"{"type":"input_audio","input_audio":{"data":"UklGRg==","format":"wav"}}"#),
            json!({"type": "blob", "modality": "audio", "mime_type": "audio/wav", "content": "UklGRg=="})
        );
        assert_eq!(
            part(r#"{"type":"file","file":{"file_id":"file-1","filename":"a.pdf"}}"#),
            json!({"type": "file", "modality": "document", "mime_type": "application/pdf", "file_id": "file-1"})
        );
        assert_eq!(part(r#"{"type":"new","a":[1]}"#), json!({"type": "new", "a": [1]}));
        assert_eq!(
            part(
                r#"{"type":"new","a":{"url":"https://u:p@h.example/x?sig=s"},"list":["see https://h.example?k=1 now?"]}"#
            ),
            json!({"type": "new", "a": {"url": "https://h.example/x"}, "list": ["see https://h.example now?"]})
        );
        assert_eq!(part(r#"{"type":"image_url"}"#), Value::Null);
        assert_eq!(part("17"), Value::Null);
    }
}
