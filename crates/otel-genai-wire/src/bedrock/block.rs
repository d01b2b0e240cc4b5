//! Blocks of content, which are the same in requests and in answers. A block is an object with one key, its kind.

use std::borrow::Cow;

use otel_genai::{Modality, Part};
use serde_json::{Map, Value};

use crate::gather::{self, tool_call};
use crate::json::{Raw, object};
use crate::media;

object! {
    struct Block<'a> {
        "text" => text: Option<Cow<'a, str>>,
        "image" => image: Option<Box<Media<'a>>>,
        "document" => document: Option<Box<Media<'a>>>,
        "video" => video: Option<Box<Media<'a>>>,
        "audio" => audio: Option<Box<Media<'a>>>,
        "toolUse" => tool_use: Option<Box<ToolUse<'a>>>,
        "toolResult" => tool_result: Option<Box<ToolResult<'a>>>,
        // What a guardrail is to look at.
        "guardContent" => guard: Option<Box<Guard<'a>>>,
        "reasoningContent" => reasoning: Option<Box<Reasoning<'a>>>,
        "citationsContent" => cited: Option<Box<Cited<'a>>>,
        "cachePoint" => cache_point: Raw<'a>,
    }

    struct Media<'a> {
        "format" => format: Option<Cow<'a, str>>,
        "name" => name: Option<Cow<'a, str>>,
        "source" => source: Option<Source<'a>>,
    }

    struct Source<'a> {
        "bytes" => bytes: Option<Cow<'a, str>>,
        "s3Location" => s3: Option<S3<'a>>,
        "text" => text: Option<Cow<'a, str>>,
        "content" => content: Vec<Option<Block<'a>>>,
    }

    struct S3<'a> {
        "uri" => uri: Option<Cow<'a, str>>,
    }

    struct ToolUse<'a> {
        "toolUseId" => id: Option<Cow<'a, str>>,
        "name" => name: Option<Cow<'a, str>>,
        "input" => input: Raw<'a>,
        // `server_tool_use`, of a tool that AWS runs.
        "type" => kind: Option<Cow<'a, str>>,
    }

    struct ToolResult<'a> {
        "toolUseId" => id: Option<Cow<'a, str>>,
        "content" => content: Vec<Raw<'a>>,
        "status" => status: Option<Cow<'a, str>>,
        "type" => kind: Option<Cow<'a, str>>,
    }

    struct Guard<'a> {
        "text" => text: Option<Text<'a>>,
        "image" => image: Option<Media<'a>>,
    }

    struct Text<'a> {
        "text" => text: Option<Cow<'a, str>>,
    }

    struct Reasoning<'a> {
        "reasoningText" => text: Option<Text<'a>>,
    }

    struct Cited<'a> {
        "content" => content: Vec<Option<Text<'a>>>,
        "citations" => citations: Raw<'a>,
    }
}

/// The parts that a block is.
pub(super) fn parts(item: Raw<'_>, into: &mut Vec<Part>) {
    let Some(block) = item.to::<Option<Block<'_>>>() else { return };
    let known = into.len();
    let is_read = block.parts(into);
    if !is_read && into.len() == known {
        into.extend(unknown(item));
    }
}

impl Block<'_> {
    /// Whether the block's kind is known.
    fn parts(self, into: &mut Vec<Part>) -> bool {
        if let Some(text) = self.text {
            into.push(Part::text(text));
        } else if let Some(image) = self.image {
            image.parts(Modality::Image, into);
        } else if let Some(document) = self.document {
            document.parts(Modality::Document, into);
        } else if let Some(video) = self.video {
            video.parts(Modality::Video, into);
        } else if let Some(audio) = self.audio {
            audio.parts(Modality::Audio, into);
        } else if let Some(tool) = self.tool_use {
            into.push(called(
                tool.id.map(Cow::into_owned),
                tool.name.unwrap_or_default().into_owned(),
                tool.kind.as_deref(),
                tool.input.value(),
            ));
        } else if let Some(result) = self.tool_result {
            let items = result.content.into_iter().filter_map(Raw::value).collect();
            let kind = result.kind.as_deref();
            into.push(answered(result.id.map(Cow::into_owned), items, result.status.as_deref(), kind));
        } else if let Some(guard) = self.guard {
            into.extend(guard.text.and_then(|text| text.text).map(Part::text));
            if let Some(image) = guard.image {
                image.parts(Modality::Image, into);
            }
        } else if let Some(reasoning) = self.reasoning {
            into.push(match reasoning.text.and_then(|text| text.text) {
                Some(text) => Part::reasoning(text),
                // What it holds is encrypted.
                None => redacted(),
            });
        } else if let Some(cited) = self.cited {
            let texts = cited.content.into_iter().flatten().filter_map(|text| text.text);
            into.push(quoting(texts.collect::<Vec<_>>().concat(), cited.citations.value()));
        } else {
            // It marks a place and says nothing.
            return self.cache_point.get().is_some();
        }
        true
    }
}

impl Media<'_> {
    fn parts(self, modality: Modality, into: &mut Vec<Part>) {
        let Some(source) = self.source else { return };
        let start = into.len();
        if let Some(text) = source.text {
            into.push(Part::text(text));
        } else if let Some(bytes) = source.bytes {
            let media_type = self.format.map(|format| media_type(&modality, &format));
            into.extend(media::blob(modality, media_type.as_deref(), &bytes));
        } else if let Some(uri) = source.s3.and_then(|s3| s3.uri) {
            let mut part = media::at(modality.clone(), &uri);
            if let Some(Part::Uri(uri)) = &mut part {
                uri.mime_type = self.format.map(|format| media_type(&modality, &format));
            }
            into.extend(part);
        }
        // A document within a document is none.
        let texts = source.content.into_iter().flatten().filter_map(|block| block.text);
        into.extend(texts.map(Part::text));
        let Some(name) = self.name.filter(|name| !name.is_empty()) else { return };
        for part in into.iter_mut().skip(start) {
            let extra = match part {
                Part::Text(part) => &mut part.extra,
                Part::Blob(part) => &mut part.extra,
                Part::Uri(part) => &mut part.extra,
                _ => continue,
            };
            extra.insert("title".to_owned(), name.as_ref().into());
        }
    }
}

/// The media type of a format as Bedrock names it: `png`, `pdf`, `three_gp`.
fn media_type(modality: &Modality, format: &str) -> String {
    match format {
        "mov" => "video/quicktime".to_owned(),
        "mkv" => "video/x-matroska".to_owned(),
        "three_gp" => "video/3gpp".to_owned(),
        "doc" => "application/msword".to_owned(),
        "xls" => "application/vnd.ms-excel".to_owned(),
        format => match media::media_type_of(&format!(".{format}")) {
            Some(known) => known.to_owned(),
            None if *modality == Modality::Document => "application/octet-stream".to_owned(),
            None => format!("{}/{format}", modality.as_str()),
        },
    }
}

/// A call of a tool: the application's, or one that AWS runs.
pub(super) fn called(id: Option<String>, name: String, kind: Option<&str>, input: Option<Value>) -> Part {
    if kind != Some("server_tool_use") {
        return tool_call(id, name, input);
    }
    let mut call = Map::new();
    call.insert("type".to_owned(), name.as_str().into());
    call.extend(input.map(|input| ("input".to_owned(), input)));
    gather::server_tool_call(id, &name, call)
}

/// What a tool answered: the application's, or with a `kind` of result one that AWS runs.
pub(super) fn answered(
    id: Option<String>,
    items: Vec<Value>,
    status: Option<&str>,
    kind: Option<&str>,
) -> Part {
    let is_error = status == Some("error");
    let items: Vec<Value> = items.into_iter().map(item).collect();
    if let Some(kind) = kind {
        let mut answer = Map::new();
        answer.insert("type".to_owned(), kind.into());
        answer.insert("content".to_owned(), items.into());
        answer.extend(is_error.then(|| ("is_error".to_owned(), true.into())));
        return gather::server_tool_response(id, answer);
    }
    let response = match <[Value; 1]>::try_from(items) {
        Ok([one]) => one,
        Err(items) => items.into(),
    };
    let mut part = Part::tool_call_response("", response);
    if let Part::ToolCallResponse(answered) = &mut part {
        answered.id = id;
        if is_error {
            answered.extra.insert("is_error".to_owned(), true.into());
        }
    }
    part
}

/// An item of a tool's answer: the document or the text itself where it is one.
fn item(mut item: Value) -> Value {
    for key in ["json", "text"] {
        if let Some(value) = item.get_mut(key) {
            return value.take();
        }
    }
    media::value_without_secrets(item)
}

/// A text, with the sources that it quotes.
pub(super) fn quoting(text: String, citations: Option<Value>) -> Part {
    let mut part = Part::text(text);
    let citations = citations.filter(|citations| citations.as_array().is_some_and(|list| !list.is_empty()));
    if let (Part::Text(text), Some(citations)) = (&mut part, citations) {
        text.extra.insert("citations".to_owned(), media::value_without_secrets(citations));
    }
    part
}

pub(super) fn redacted() -> Part {
    Part::generic("redacted_thinking", Map::new())
}

/// A block of a kind that nobody knows yet.
fn unknown(item: Raw<'_>) -> Option<Part> {
    let Value::Object(fields) = media::value_without_secrets(item.value()?) else { return None };
    let (kind, value) = fields.into_iter().next()?;
    let properties = match value {
        Value::Null => return None,
        Value::Object(properties) => properties.into_iter().filter(|(name, _)| name != "type").collect(),
        value => Map::from_iter([("content".to_owned(), value)]),
    };
    Some(Part::generic(kind, properties))
}
