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
    if let Some(answer) = whole_answer(object) {
        let read: Option<Vec<_>> = answer.iter().map(|json| read(json, role, depth)).collect();
        return Some(read?.into_iter().flatten().collect());
    }
    // A whole request.
    let request = ["messages", "prompt"].into_iter().find_map(|key| object.get(key));
    if let Some(request) = request.filter(|_| !object.contains_key("role")) {
        let mut messages = Vec::new();
        messages.extend(text(object, &["system"]).map(Message::system));
        messages.extend(read(request, role, depth)?);
        return Some(messages);
    }
    // An item that is no message, but what a message may consist of.
    if let Some(kind) = text(object, &["type"]).filter(|kind| ITEMS.contains(kind))
        && !object.contains_key("role")
    {
        let role = if kind == "function_call_output" { "tool" } else { "assistant" };
        return Some(vec![Message::new(role, [part(&Json::Object(object.clone()))])]);
    }
    // LangChain's own: what a message is, and in `kwargs` or `data` what it says.
    if let Some(inner) = langchain(object) {
        return Some(vec![message(&inner, role)]);
    }
    let speaks = ["role", "parts", "content", "contents", "tool_calls"];
    speaks.iter().any(|key| object.contains_key(*key)).then(|| vec![message(object, role)])
}

/// The messages of a provider's whole answer: OpenAI's, its Responses', Gemini's, Bedrock's; and LangChain's results.
fn whole_answer(object: &Map<String, Json>) -> Option<Vec<Json>> {
    if object.contains_key("role") {
        return None;
    }
    let list = |key: &str| object.get(key)?.as_array();
    if let Some(choices) = list("choices") {
        // The oldest of OpenAI's APIs has text in the place of a message.
        let choice = |choice: &Json| match choice.get("text") {
            Some(text) if choice.get("message").is_none() => text.clone(),
            _ => choice.clone(),
        };
        return Some(choices.iter().map(choice).collect());
    }
    if let Some(candidates) = list("candidates") {
        return Some(candidates.iter().map(|one| one.get("content").unwrap_or(one).clone()).collect());
    }
    if let Some(message) = object.get("output").and_then(|output| output.get("message")) {
        return Some(vec![message.clone()]);
    }
    if let Some(items) = list("output").filter(|_| text(object, &["object"]) == Some("response")) {
        return Some(items.clone());
    }
    let generations = list("generations")?.iter().flat_map(|one| match one {
        Json::Array(list) => list.clone(),
        other => vec![other.clone()],
    });
    Some(generations.collect())
}

fn langchain(object: &Map<String, Json>) -> Option<Map<String, Json>> {
    let kind = match object.get("id").and_then(Json::as_array) {
        Some(path) => path.last()?.as_str()?,
        None => text(object, &["type"])?,
    };
    let role = match kind {
        "HumanMessage" | "human" => "user",
        "AIMessage" | "AIMessageChunk" | "ai" => "assistant",
        "SystemMessage" | "system" => "system",
        "ToolMessage" | "tool" => "tool",
        _ => return None,
    };
    let inner = ["kwargs", "data"].into_iter().find_map(|key| object.get(key)?.as_object()).unwrap_or(object);
    inner.contains_key("content").then(|| {
        let mut inner = inner.clone();
        inner.remove("id");
        inner.insert("role".to_owned(), role.into());
        inner
    })
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
    parts.extend(text(object, &["refusal"]).filter(|refusal| !refusal.is_empty()).map(Part::text));
    let answers = object.get("content").or_else(|| object.get("contents"));
    let is_value = answers.is_some_and(|said| said.is_object() && !matches!(part(said), Part::Text(_)));
    if role == "tool" && (is_value || parts.iter().all(|part| matches!(part, Part::Text(_)))) {
        let id = text(object, &["tool_call_id", "id"]).unwrap_or_default();
        parts = vec![Part::tool_call_response(id, answers.cloned().unwrap_or_default())];
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

/// Types of parts that others use for what the conventions have another type for, or another shape.
const FOREIGN: &[&str] = &[
    "input_text",
    "output_text",
    "refusal",
    "thinking",
    "tool-call",
    "tool_use",
    "tool-result",
    "tool_result",
    "function_call",
    "function_call_output",
    "image_url",
    "image",
    "input_image",
    "input_audio",
    "input_file",
    "document",
];

/// Types of parts of a message that stand alone as items of a list: OpenAI's Responses have them so.
const ITEMS: &[&str] = &["function_call", "function_call_output", "reasoning", "compaction"];

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
        Some("refusal") => text(object, &["refusal", "content"]).map(Part::text),
        Some("thinking" | "reasoning") => reasoning(object),
        Some("tool-call" | "tool_use" | "tool_call" | "function_call") => tool_call(object),
        Some("tool-result" | "tool_result" | "tool_call_response" | "function_call_output") => {
            Some(tool_answer(object))
        }
        Some("image_url" | "image" | "input_image") => image(object),
        Some("input_audio") => audio(object),
        Some("file" | "input_file" | "document") => file(object),
        Some(_) => None,
        None => untyped(object),
    };
    known.or_else(|| serde_json::from_value(json.clone()).ok()).unwrap_or_else(|| {
        let mut properties = object.clone();
        properties.remove("type");
        Part::generic(kind.unwrap_or("unknown"), properties)
    })
}

/// Parts that are named by their only property: Gemini's and Bedrock's.
fn untyped(object: &Map<String, Json>) -> Option<Part> {
    if let Some(text) = text(object, &["text"]) {
        let is_thought = object.get("thought").and_then(Json::as_bool).unwrap_or_default();
        return Some(if is_thought { Part::reasoning(text) } else { Part::text(text) });
    }
    let (name, inner) = object.iter().find_map(|(name, inner)| Some((name.as_str(), inner.as_object()?)))?;
    match name {
        "functionCall" | "function_call" | "toolUse" => tool_call(inner),
        "functionResponse" | "function_response" | "toolResult" => Some(tool_answer(inner)),
        "inlineData" | "inline_data" => {
            let mime = text(inner, &["mimeType", "mime_type"]);
            Some(Part::blob_base64(modality(mime), mime, text(inner, &["data"])?))
        }
        "fileData" | "file_data" => {
            let mime = text(inner, &["mimeType", "mime_type"]);
            Some(at_address(modality(mime), text(inner, &["fileUri", "file_uri"])?))
        }
        "reasoningContent" => {
            let told = inner.get("reasoningText").and_then(Json::as_object).unwrap_or(inner);
            text(told, &["text"]).map(Part::reasoning)
        }
        _ => None,
    }
}

/// Reasoning; in OpenAI's Responses a list of summaries.
fn reasoning(object: &Map<String, Json>) -> Option<Part> {
    if let Some(told) = text(object, &["thinking", "text", "content"]) {
        return Some(Part::reasoning(told));
    }
    let lists = ["summary", "content"].into_iter().filter_map(|key| object.get(key)?.as_array());
    let told: Vec<&str> = lists.flatten().filter_map(|item| item.get("text")?.as_str()).collect();
    (!told.is_empty()).then(|| Part::reasoning(told.join("\n\n")))
}

fn tool_answer(object: &Map<String, Json>) -> Part {
    let id = text(object, &["toolCallId", "tool_use_id", "toolUseId", "tool_call_id", "call_id", "id"]);
    let answer = ["response", "output", "result", "content"].into_iter().find_map(|key| object.get(key));
    let answer = answer.cloned().unwrap_or_default();
    // Vercel's AI SDK says what kind of value it is.
    let is_wrapped = |answer: &Json| {
        matches!(
            answer.get("type").and_then(Json::as_str),
            Some("text" | "json" | "error-text" | "error-json" | "content")
        )
    };
    let answer = match &answer {
        Json::Object(wrapped) if is_wrapped(&answer) => wrapped.get("value").cloned().unwrap_or(answer),
        _ => answer,
    };
    Part::tool_call_response(id.unwrap_or_default(), answer)
}

fn image(object: &Map<String, Json>) -> Option<Part> {
    if let Some(source) = object.get("source").and_then(Json::as_object) {
        return sourced(Modality::Image, source);
    }
    if let Some(id) = text(object, &["file_id"]) {
        return Some(Part::file(Modality::Image, id));
    }
    let inner = ["image_url", "image"].into_iter().find_map(|key| object.get(key))?;
    // OpenInference has an image in an image.
    let inner = inner.get("image").unwrap_or(inner);
    let url = inner.as_str().or_else(|| inner.get("url")?.as_str())?;
    let mime = text(object, &["mediaType", "mimeType"]);
    Some(match mime.filter(|_| !url.contains(':')) {
        // Vercel's AI SDK has the data as such.
        Some(mime) => Part::blob_base64(Modality::Image, Some(mime), url),
        None => at_address(Modality::Image, url),
    })
}

fn audio(object: &Map<String, Json>) -> Option<Part> {
    let inner = object.get("input_audio").and_then(Json::as_object)?;
    let mime = match text(inner, &["format"]).unwrap_or("wav") {
        "mp3" => "audio/mpeg".to_owned(),
        format => format!("audio/{format}"),
    };
    Some(Part::blob_base64(Modality::Audio, Some(&mime), text(inner, &["data"])?))
}

/// A file: by the provider's id, by its address, or with its data. What else is told of it is kept.
fn file(object: &Map<String, Json>) -> Option<Part> {
    if let Some(source) = object.get("source").and_then(Json::as_object) {
        let mime = text(source, &["media_type"]);
        return sourced(modality(mime.or(Some("application/pdf"))), source);
    }
    let inner = object.get("file").and_then(Json::as_object).unwrap_or(object);
    if text(object, &["modality"]).is_some() {
        return None;
    }
    let mut part = if let Some(data) = text(inner, &["file_data"]) {
        let mime = data.strip_prefix("data:").and_then(|data| data.split([';', ',']).next());
        at_address(modality(mime), data)
    } else if let Some(id) = text(inner, &["file_id"]) {
        Part::file(Modality::from("document"), id)
    } else if let Some(url) = text(inner, &["file_url", "url"]) {
        at_address(Modality::from("document"), url)
    } else {
        let mime = text(inner, &["mediaType", "mimeType"])?;
        let data = text(inner, &["data"])?;
        if data.contains(':') {
            at_address(modality(Some(mime)), data)
        } else {
            Part::blob_base64(modality(Some(mime)), Some(mime), data)
        }
    };
    let extra = match &mut part {
        Part::File(file) => &mut file.extra,
        Part::Blob(blob) => &mut blob.extra,
        Part::Uri(uri) => &mut uri.extra,
        _ => return Some(part),
    };
    let name = text(inner, &["filename", "fileName"]);
    extra.extend(name.map(|name| ("filename".to_owned(), name.into())));
    Some(part)
}

/// Anthropic's sources: data, an address, or a file's id.
fn sourced(modality: Modality, source: &Map<String, Json>) -> Option<Part> {
    match text(source, &["type"])? {
        "base64" => {
            Some(Part::blob_base64(modality, text(source, &["media_type"]), text(source, &["data"])?))
        }
        "url" => Some(at_address(modality, text(source, &["url"])?)),
        "file" => Some(Part::file(modality, text(source, &["file_id"])?)),
        "text" => text(source, &["data"]).map(Part::text),
        _ => None,
    }
}

/// Data at an address; a `data:` URL is the data itself.
fn at_address(modality: Modality, url: &str) -> Part {
    let Some((head, data)) = url.strip_prefix("data:").and_then(|data| data.split_once(',')) else {
        return Part::uri(modality, url);
    };
    let mime = head.split(';').next().filter(|mime| !mime.is_empty());
    if head.ends_with(";base64") {
        Part::blob_base64(modality, mime, data)
    } else {
        Part::blob(modality, mime, &unescape(data))
    }
}

/// Bytes of a URL, `%2F` and its like as what they stand for.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.first_chunk::<2>().filter(|_| *first == b'%');
        let value = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(value.unwrap_or(*first));
        rest = if value.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    bytes
}

fn modality(mime: Option<&str>) -> Modality {
    let kind = mime.and_then(|mime| mime.split('/').next());
    match kind {
        Some(kind @ ("image" | "audio" | "video")) => kind.into(),
        _ => Modality::from("document"),
    }
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
    // An item of OpenAI's Responses has an id of its own beside that of the call.
    let id = text(object, &["call_id", "id", "toolCallId", "toolUseId"]);
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
    let schema =
        ["parameters", "inputSchema", "input_schema", "parametersJsonSchema", "parameters_json_schema"]
            .into_iter()
            .find_map(|key| function.get(key));
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
