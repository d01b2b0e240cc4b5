//! Blocks of content, which are the same in requests and in answers.

use std::borrow::Cow;

use otel_genai::{Modality, Part};
use serde_json::{Map, Value};

use crate::gather::{self, tool_call};
use crate::json::{Content, Raw, object};
use crate::media;

object! {
    struct Block<'a> {
        "type" => kind: Option<Cow<'a, str>>,
        "id" => id: Option<Cow<'a, str>>,
        "name" => name: Option<Cow<'a, str>>,
        "server_name" => server_name: Option<Cow<'a, str>>,
        "input" => input: Raw<'a>,
        "text" => text: Option<Cow<'a, str>>,
        "thinking" => thinking: Option<Cow<'a, str>>,
        "citations" => citations: Raw<'a>,
        "source" => source: Option<Source<'a>>,
        "title" => title: Option<Cow<'a, str>>,
        "tool_use_id" => tool_use_id: Option<Cow<'a, str>>,
        "content" => content: Raw<'a>,
        "is_error" => is_error: Option<bool>,
        "file_id" => file_id: Option<Cow<'a, str>>,
    }

    /// Where an image or a document comes from.
    struct Source<'a> {
        "type" => kind: Option<Cow<'a, str>>,
        "media_type" => media_type: Option<Cow<'a, str>>,
        "data" => data: Option<Cow<'a, str>>,
        "url" => url: Option<Cow<'a, str>>,
        "file_id" => file_id: Option<Cow<'a, str>>,
        "content" => content: Content<'a>,
    }
}

/// The parts that a block is: one in general, several where a document is made of blocks, none where it says nothing.
pub(super) fn parts(item: Raw<'_>, into: &mut Vec<Part>) {
    let Some(block) = item.to::<Option<Block<'_>>>() else { return };
    if block.kind.as_deref() == Some("document") {
        return block.document(into);
    }
    into.extend(block.part(item));
}

impl Block<'_> {
    fn part(self, item: Raw<'_>) -> Option<Part> {
        match self.kind.as_deref()? {
            "text" => Some(text(self.text?.into_owned(), self.citations.value())),
            "thinking" => Some(Part::reasoning(self.thinking?)),
            "image" => self.source?.part(Modality::Image),
            "tool_use" => {
                let id = self.id.map(Cow::into_owned);
                Some(tool_call(id, self.name.unwrap_or_default().into_owned(), self.input.value()))
            }
            "tool_result" => Some(self.result()),
            "container_upload" => Some(Part::file(Modality::Document, self.file_id?)),
            "compaction" => {
                let summary = self.content.to::<Option<Cow<'_, str>>>();
                Some(gather::compaction(None, summary.map(Cow::into_owned)))
            }
            // What it holds is encrypted.
            "redacted_thinking" => Some(Part::generic("redacted_thinking", Map::new())),
            kind @ ("server_tool_use" | "mcp_tool_use") => {
                let id = self.id.map(Cow::into_owned);
                let name = self.name.unwrap_or_default();
                let server = self.server_name.map(Cow::into_owned);
                Some(server_tool_call(kind, id, &name, server, self.input.value()))
            }
            kind if kind == "mcp_tool_result" || kind.ends_with("_tool_result") => {
                let mut answer = Map::new();
                answer.insert("type".to_owned(), kind.into());
                answer.extend(self.content.value().map(|content| ("content".to_owned(), cleaned(content))));
                answer.extend(
                    self.is_error.filter(|is_error| *is_error).map(|_| ("is_error".to_owned(), true.into())),
                );
                Some(gather::server_tool_response(self.tool_use_id.map(Cow::into_owned), answer))
            }
            kind => {
                let Value::Object(mut properties) = cleaned(item.value()?) else { return None };
                properties.remove("type");
                Some(Part::generic(kind, properties))
            }
        }
    }

    /// What a tool of the application answered.
    fn result(self) -> Part {
        let response = match self.content.value() {
            // A text is told as it is.
            Some(Value::Array(items)) => items.into_iter().map(result_item).collect(),
            content => content.unwrap_or_default(),
        };
        let mut part = Part::tool_call_response("", response);
        if let Part::ToolCallResponse(answered) = &mut part {
            answered.id = self.tool_use_id.map(Cow::into_owned);
            if self.is_error == Some(true) {
                answered.extra.insert("is_error".to_owned(), true.into());
            }
        }
        part
    }

    fn document(self, into: &mut Vec<Part>) {
        let Some(source) = self.source else { return };
        let start = into.len();
        match source.content {
            Content::Text(text) => into.push(Part::text(text)),
            Content::List(items) => items.into_iter().for_each(|item| {
                // A document within a document is none.
                let block: Block<'_> = item.to::<Option<Block<'_>>>().unwrap_or_default();
                into.extend(block.part(item));
            }),
            Content::None => into.extend(source.part(Modality::Document)),
        }
        let Some(title) = self.title.filter(|title| !title.is_empty()) else { return };
        for part in into.iter_mut().skip(start) {
            let extra = match part {
                Part::Text(part) => &mut part.extra,
                Part::Blob(part) => &mut part.extra,
                Part::Uri(part) => &mut part.extra,
                Part::File(part) => &mut part.extra,
                _ => continue,
            };
            extra.insert("title".to_owned(), title.as_ref().into());
        }
    }
}

impl Source<'_> {
    fn part(self, modality: Modality) -> Option<Part> {
        let media_type = self.media_type.as_deref();
        match self.kind.as_deref()? {
            "base64" => media::blob(modality, media_type, &self.data?),
            "url" => {
                let mut part = media::at(modality, &self.url?)?;
                if let (Part::Uri(uri), Some(media_type)) = (&mut part, media_type) {
                    uri.mime_type = Some(media_type.to_owned());
                }
                Some(part)
            }
            "file" => Some(Part::file(modality, self.file_id?)),
            // A document of plain text.
            "text" => Some(Part::text(self.data?)),
            _ => None,
        }
    }
}

/// A text, with the sources that it quotes.
pub(super) fn text(text: String, citations: Option<Value>) -> Part {
    let mut part = Part::text(text);
    let citations = citations.filter(|citations| citations.as_array().is_some_and(|list| !list.is_empty()));
    if let (Part::Text(text), Some(citations)) = (&mut part, citations) {
        text.extra.insert("citations".to_owned(), cleaned(citations));
    }
    part
}

/// A call of a tool that the provider runs: its own, or one of an MCP server.
pub(super) fn server_tool_call(
    kind: &str,
    id: Option<String>,
    name: &str,
    server: Option<String>,
    input: Option<Value>,
) -> Part {
    let mut call = Map::new();
    // Anthropic's own tools are known by their name.
    let kind = if kind == "server_tool_use" { name } else { kind };
    call.insert("type".to_owned(), kind.into());
    call.extend(server.map(|server| ("server_name".to_owned(), server.into())));
    call.extend(input.map(|input| ("input".to_owned(), input)));
    gather::server_tool_call(id, name, call)
}

fn result_item(item: Value) -> Value {
    let is_text = item.get("type").is_some_and(|kind| kind == "text");
    if is_text { item } else { cleaned(item) }
}

/// A value without the secrets of its addresses, and without what is encrypted for Anthropic alone.
pub(super) fn cleaned(value: Value) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(strip),
            Value::Object(fields) => {
                fields.retain(|name, _| !name.starts_with("encrypted_") && name != "cache_control");
                fields.values_mut().for_each(strip);
            }
            _ => {}
        }
    }
    let mut value = media::value_without_secrets(value);
    strip(&mut value);
    value
}
