//! rig's messages as the conventions have them.

use otel_genai::{FinishReason, Message, Modality, Part, ToolDefinition, Usage};
use rig_core::completion::{self, message};
use rig_core::message::{AssistantContent, DocumentSourceKind, MimeType, ToolResultContent, UserContent};
use rig_core::tool::ToolOutput;
use serde_json::{Map, Value};

/// What is said to an agent; `None` for what tells it how to behave.
pub(crate) fn said(message: &message::Message) -> Option<Message> {
    match message {
        message::Message::System { .. } => None,
        message::Message::User { content } => {
            let answers = content.iter().any(|content| matches!(content, UserContent::ToolResult(_)));
            let role = if answers { "tool" } else { "user" };
            Some(Message::new(role, content.iter().map(user)))
        }
        message::Message::Assistant(turn) => {
            Some(Message::assistant_parts(turn.content.iter().map(assistant)))
        }
    }
}

/// What tells an agent how to behave.
pub(crate) fn instruction(message: &message::Message) -> Option<Part> {
    match message {
        message::Message::System { content } => Some(Part::text(content)),
        _ => None,
    }
}

/// What a model or an agent answered.
pub(crate) fn answered(content: &[AssistantContent]) -> Message {
    Message::assistant_parts(content.iter().map(assistant))
}

fn user(content: &UserContent) -> Part {
    match content {
        UserContent::Text(text) => Part::text(&text.text),
        UserContent::ToolResult(result) => {
            Part::tool_call_response(result.call.to_string(), content_value(&result.content))
        }
        UserContent::Image(image) => {
            media(Modality::Image, image.media_type.as_ref().map(MimeType::to_mime_type), &image.data)
        }
        UserContent::Audio(audio) => {
            media(Modality::Audio, audio.media_type.as_ref().map(MimeType::to_mime_type), &audio.data)
        }
        UserContent::Video(video) => {
            media(Modality::Video, video.media_type.as_ref().map(MimeType::to_mime_type), &video.data)
        }
        UserContent::Document(document) => generic("document", document),
    }
}

fn assistant(content: &AssistantContent) -> Part {
    match content {
        AssistantContent::Text(text) => Part::text(&text.text),
        AssistantContent::ToolCall(call) => {
            let arguments = match &call.function.invalid_arguments {
                Some(text) => Value::String(text.clone()),
                None => Value::Object(call.function.arguments.clone()),
            };
            Part::tool_call(call.id.to_string(), call.function.name.to_string(), arguments)
        }
        AssistantContent::Reasoning(reasoning) => Part::reasoning(&reasoning.text),
        AssistantContent::Image(image) => {
            media(Modality::Image, image.media_type.as_ref().map(MimeType::to_mime_type), &image.data)
        }
        AssistantContent::Opaque(opaque) => generic("provider_item", &opaque.item),
        other => generic("other", other),
    }
}

fn media(modality: Modality, mime_type: Option<&str>, data: &DocumentSourceKind) -> Part {
    match data {
        DocumentSourceKind::Url(url) => Part::uri(modality, url),
        DocumentSourceKind::Base64(data) => Part::blob_base64(modality, mime_type, data),
        DocumentSourceKind::FileId(id) => Part::file(modality, id),
        DocumentSourceKind::Raw(data) => Part::blob(modality, mime_type, data),
        DocumentSourceKind::Unknown => Part::generic(modality.to_string(), Map::new()),
    }
}

/// What the conventions have no name for, as rig writes it.
fn generic(kind: &str, content: &impl serde::Serialize) -> Part {
    let properties = match serde_json::to_value(content) {
        Ok(Value::Object(mut properties)) => {
            // It is the part's own.
            properties.remove("type");
            properties
        }
        Ok(other) => Map::from_iter([("value".to_owned(), other)]),
        Err(_) => Map::new(),
    };
    Part::generic(kind, properties)
}

/// What a tool answered: JSON where it says so, text where it is nothing else.
pub(crate) fn output(output: &ToolOutput) -> Value {
    content_value(output.as_content())
}

fn content_value(content: &[ToolResultContent]) -> Value {
    match content {
        [ToolResultContent::Text(text)] => Value::String(text.text.clone()),
        [ToolResultContent::Json { value }] => value.clone(),
        several => serde_json::to_value(several).unwrap_or_default(),
    }
}

/// A tool that is offered to the model.
pub(crate) fn definition(tool: &completion::ToolDefinition) -> ToolDefinition {
    let mut definition = ToolDefinition::function(tool.name.to_string());
    definition.description = Some(tool.description.clone()).filter(|text| !text.is_empty());
    definition.parameters = Some(tool.parameters.clone());
    definition
}

/// Why a model stopped.
pub(crate) fn finish_reason(reason: &completion::FinishReason) -> FinishReason {
    match reason {
        completion::FinishReason::Stop => FinishReason::Stop,
        completion::FinishReason::Length => FinishReason::Length,
        completion::FinishReason::ToolCalls => FinishReason::ToolCall,
        completion::FinishReason::ContentFilter => FinishReason::ContentFilter,
        completion::FinishReason::Other(other) => other.as_str().into(),
        other => format!("{other:?}").to_lowercase().into(),
    }
}

/// Adds what one more call used. What no call told stays untold.
pub(crate) fn add(total: &mut Usage, call: &completion::Usage) {
    fn add(into: &mut Option<u64>, tokens: Option<u64>) {
        if let Some(tokens) = tokens {
            *into = Some(into.unwrap_or(0).saturating_add(tokens));
        }
    }
    add(&mut total.input_tokens, call.input_tokens);
    add(&mut total.output_tokens, call.output_tokens);
    add(&mut total.cache_read_input_tokens, call.cached_input_tokens);
    add(&mut total.cache_write_input_tokens, call.cache_creation_input_tokens);
    add(&mut total.reasoning_output_tokens, call.reasoning_tokens);
}
