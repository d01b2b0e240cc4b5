//! Messages as others write them, read into ours: OpenAI's, Anthropic's, Vercel's and OpenInference's shapes, and the
//! conventions' own.

use otel_genai::{FinishReason, Message, Modality, Part, ToolDefinition};
use serde_json::{Map, Value as Json};

/// Nobody nests messages deeper; text that does is no message.
const DEEPEST: usize = 4;

/// Messages, or `None` where this is none.
#[must_use]
pub fn messages(json: &Json, role: &str) -> Option<Vec<Message>> {
    let messages = read(json, role, DEEPEST)?;
    (!messages.is_empty()).then_some(messages)
}

fn read(json: &Json, role: &str, depth: usize) -> Option<Vec<Message>> {
    let depth = depth.checked_sub(1)?;
    match json {
        Json::String(text) => match serde_json::from_str::<Json>(text) {
            Ok(inner @ (Json::Array(_) | Json::Object(_))) => {
                Some(read(&inner, role, depth).unwrap_or_else(|| vec![plain(role, text)]))
            }
            _ if text.is_empty() => None,
            _ => Some(vec![plain(role, text)]),
        },
        // All or nothing: what is half understood stays as it was.
        Json::Array(list) => {
            let read: Option<Vec<_>> = list.iter().map(|json| read(json, role, depth)).collect();
            Some(read?.into_iter().flatten().collect())
        }
        Json::Object(object) => of_object(object, role, depth),
        _ => None,
    }
}

fn of_object(object: &Map<String, Json>, role: &str, depth: usize) -> Option<Vec<Message>> {
    // A choice, or OpenInference's envelope.
    if let Some(inner @ Json::Object(_)) = object.get("message") {
        let mut messages = read(inner, role, depth)?;
        if let (Some(reason), Some(last)) = (text(object, &["finish_reason"]), messages.last_mut()) {
            last.finish_reason.get_or_insert_with(|| reason.into());
        }
        return Some(messages);
    }
    // A whole request.
    let request = ["messages", "prompt"].into_iter().find_map(|key| object.get(key));
    if let Some(request) = request.filter(|_| !object.contains_key("role")) {
        let mut messages = Vec::new();
        messages.extend(text(object, &["system"]).map(Message::system));
        messages.extend(read(request, role, depth)?);
        return Some(messages);
    }
    let speaks = ["role", "parts", "content", "contents", "tool_calls"];
    speaks.iter().any(|key| object.contains_key(*key)).then(|| vec![message(object, role)])
}

fn plain(role: &str, text: &str) -> Message {
    Message::new(role, [Part::text(text)])
}

fn message(object: &Map<String, Json>, default_role: &str) -> Message {
    let is_ours = object.get("role").is_some_and(Json::is_string)
        && object.get("parts").and_then(Json::as_array).is_some_and(|parts| parts.iter().all(is_our_part));
    if is_ours && let Ok(ours) = serde_json::from_value(Json::Object(object.clone())) {
        return ours;
    }
    let role = match text(object, &["role"]).unwrap_or(default_role) {
        "model" | "ai" => "assistant",
        "human" => "user",
        "function" => "tool",
        role => role,
    };
    let mut parts: Vec<Part> =
        text(object, &["reasoning_content", "reasoning"]).map(Part::reasoning).into_iter().collect();
    let said = ["parts", "content", "contents"].into_iter().filter_map(|key| object.get(key));
    for said in said {
        match said {
            Json::Array(list) => parts.extend(list.iter().map(part)),
            Json::Null => {}
            Json::String(text) if text.is_empty() => {}
            // Some write the list as text.
            Json::String(text) => match serde_json::from_str::<Vec<Json>>(text) {
                Ok(list) if list.iter().all(|part| part.get("type").is_some()) => {
                    parts.extend(list.iter().map(part));
                }
                _ => parts.push(Part::text(text)),
            },
            other => parts.push(part(other)),
        }
    }
    if role == "tool" && parts.iter().all(|part| matches!(part, Part::Text(_))) {
        let id = text(object, &["tool_call_id", "id"]).unwrap_or_default();
        let said = object.get("content").or_else(|| object.get("contents")).cloned().unwrap_or_default();
        parts = vec![Part::tool_call_response(id, said)];
    }
    for call in object.get("tool_calls").and_then(Json::as_array).into_iter().flatten() {
        parts.extend(call.as_object().and_then(tool_call));
    }
    parts.extend(object.get("function_call").and_then(Json::as_object).and_then(tool_call));
    let mut message = Message::new(role, parts);
    message.name = text(object, &["name"]).map(str::to_owned);
    message.finish_reason =
        text(object, &["finish_reason"]).filter(|reason| !reason.is_empty()).map(Into::into);
    message
}

/// Whether it is a part as the conventions write it.
fn is_our_part(part: &Json) -> bool {
    let has = |key: &str| part.get(key).is_some();
    match part.get("type").and_then(Json::as_str) {
        Some("text" | "reasoning") => has("content"),
        Some("tool_call") => has("name"),
        Some("tool_call_response") => has("response"),
        Some(kind) => !FOREIGN.contains(&kind),
        None => false,
    }
}

/// Types of parts that others use for what the conventions have another type for.
const FOREIGN: &[&str] = &[
    "input_text",
    "output_text",
    "thinking",
    "tool-call",
    "tool_use",
    "tool-result",
    "tool_result",
    "image_url",
    "image",
];

fn part(json: &Json) -> Part {
    let Json::Object(object) = json else {
        return match json {
            Json::String(text) => Part::text(text),
            other => Part::text(other.to_string()),
        };
    };
    if let Some(Json::Object(inner)) = object.get("message_content") {
        return part(&Json::Object(inner.clone()));
    }
    let kind = text(object, &["type"]);
    let known = match kind {
        Some("text" | "input_text" | "output_text") => text(object, &["text", "content"]).map(Part::text),
        Some("thinking" | "reasoning") => text(object, &["thinking", "text", "content"]).map(Part::reasoning),
        Some("tool-call" | "tool_use" | "tool_call") => tool_call(object),
        Some("tool-result" | "tool_result" | "tool_call_response") => {
            let id = text(object, &["toolCallId", "tool_use_id", "tool_call_id", "id"]).unwrap_or_default();
            let answer =
                ["response", "output", "result", "content"].into_iter().find_map(|key| object.get(key));
            Some(Part::tool_call_response(id, answer.cloned().unwrap_or_default()))
        }
        Some("image_url" | "image") => image(object),
        Some(_) => None,
        None => text(object, &["text"]).map(Part::text),
    };
    known.or_else(|| serde_json::from_value(json.clone()).ok()).unwrap_or_else(|| {
        let mut properties = object.clone();
        properties.remove("type");
        Part::generic(kind.unwrap_or("unknown"), properties)
    })
}

fn image(object: &Map<String, Json>) -> Option<Part> {
    let inner = ["image_url", "image"].into_iter().find_map(|key| object.get(key))?;
    // OpenInference has an image in an image.
    let inner = inner.get("image").unwrap_or(inner);
    let url = inner.as_str().or_else(|| inner.get("url")?.as_str())?;
    Some(match url.strip_prefix("data:").and_then(|data| data.split_once(";base64,")) {
        Some((mime, data)) => Part::blob_base64(Modality::Image, Some(mime), data),
        None => Part::uri(Modality::Image, url),
    })
}

fn tool_call(object: &Map<String, Json>) -> Option<Part> {
    if let Some(Json::Object(inner)) = object.get("tool_call") {
        return tool_call(inner);
    }
    let function = object.get("function").and_then(Json::as_object).unwrap_or(object);
    // OpenInference flattens `function.name`; so do we where it did not nest.
    let name = text(function, &["name", "toolName"])?;
    let arguments = ["arguments", "args", "input"].into_iter().find_map(|key| function.get(key));
    let arguments = match arguments {
        Some(Json::String(text)) => serde_json::from_str(text).unwrap_or_else(|_| Json::from(text.as_str())),
        Some(other) => other.clone(),
        None => Json::Null,
    };
    let id = text(object, &["id", "toolCallId", "call_id"]);
    let Part::ToolCall(mut call) = Part::tool_call(id.unwrap_or_default(), name, arguments) else {
        return None;
    };
    if id.is_none() {
        call.id = None;
    }
    if call.arguments == Some(Json::Null) {
        call.arguments = None;
    }
    Some(Part::ToolCall(call))
}

/// A model's tool calls, as a list of their own.
#[must_use]
pub fn tool_calls(json: &Json) -> Option<Vec<Part>> {
    json.as_array()?.iter().map(|call| tool_call(call.as_object()?)).collect()
}

/// Instructions: a text, or parts.
#[must_use]
pub fn parts(json: &Json) -> Option<Vec<Part>> {
    match json {
        Json::String(text) => Some(vec![Part::text(text)]),
        Json::Array(list) if !list.is_empty() => Some(list.iter().map(part).collect()),
        _ => None,
    }
}

/// The tools offered.
#[must_use]
pub fn tools(json: &Json) -> Option<Vec<ToolDefinition>> {
    let list = json.as_array().filter(|list| !list.is_empty())?;
    list.iter().map(tool).collect()
}

fn tool(json: &Json) -> Option<ToolDefinition> {
    // Vercel and OpenInference write each as text.
    let json = match json {
        Json::String(text) => serde_json::from_str(text).ok()?,
        other => other.clone(),
    };
    if let Some(schema) = json.pointer("/tool/json_schema") {
        return tool(schema);
    }
    let object = json.as_object()?;
    let function = object.get("function").and_then(Json::as_object).unwrap_or(object);
    let mut tool =
        ToolDefinition::new(text(object, &["type"]).unwrap_or("function"), text(function, &["name"])?);
    tool.description = text(function, &["description"]).map(str::to_owned);
    let schema = ["parameters", "inputSchema", "input_schema"].into_iter().find_map(|key| function.get(key));
    tool.parameters = schema.map(|schema| match schema {
        Json::String(text) => serde_json::from_str(text).unwrap_or_else(|_| schema.clone()),
        other => other.clone(),
    });
    Some(tool)
}

/// OpenInference's envelope around a document, and its metadata, which are JSON text.
#[must_use]
pub fn document(json: &Json) -> Json {
    let mut document = json.get("document").unwrap_or(json).clone();
    if let Some(metadata) = document.get_mut("metadata")
        && let Some(Ok(parsed)) = metadata.as_str().map(serde_json::from_str::<Json>)
    {
        *metadata = parsed;
    }
    document
}

/// A reason in the conventions' words, where they have one.
#[must_use]
pub fn finish_reason(reason: &FinishReason) -> FinishReason {
    match reason.as_str().to_ascii_lowercase().as_str() {
        "stop" | "end_turn" | "stop_sequence" | "complete" => FinishReason::Stop,
        "length" | "max_tokens" | "max_output_tokens" => FinishReason::Length,
        "tool_calls" | "tool_use" | "function_call" => FinishReason::ToolCall,
        "content_filter" | "safety" | "refusal" => FinishReason::ContentFilter,
        _ => reason.clone(),
    }
}

fn text<'a>(object: &'a Map<String, Json>, keys: &[&str]) -> Option<&'a str> {
    keys.iter().find_map(|key| object.get(*key)?.as_str())
}
