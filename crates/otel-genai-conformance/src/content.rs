//! The shape of structured content, by rules of ours: stricter than the conventions' JSON schemas, which let a part of a
//! known type pass without its keys because any object with a `type` is a generic part to them.

use otel_genai_semconv::attribute::{
    GEN_AI_INPUT_MESSAGES, GEN_AI_MEMORY_RECORDS, GEN_AI_OUTPUT_MESSAGES, GEN_AI_RETRIEVAL_DOCUMENTS,
    GEN_AI_SYSTEM_INSTRUCTIONS, GEN_AI_TOOL_DEFINITIONS,
};
use serde_json::{Map, Value as Json};

use crate::checker::Convention;

/// The attributes that hold structured content, each with the file of its JSON schema.
///
/// A tool's arguments and result are content too, and the conventions have schemas for them ("an object"), but no judge
/// applies these: tools answer with whatever they like.
pub(crate) const SCHEMAS: [(&str, &str); 6] = [
    (GEN_AI_INPUT_MESSAGES, "gen-ai-input-messages.json"),
    (GEN_AI_MEMORY_RECORDS, "gen-ai-memory-records.json"),
    (GEN_AI_OUTPUT_MESSAGES, "gen-ai-output-messages.json"),
    (GEN_AI_RETRIEVAL_DOCUMENTS, "gen-ai-retrieval-documents.json"),
    (GEN_AI_SYSTEM_INSTRUCTIONS, "gen-ai-system-instructions.json"),
    (GEN_AI_TOOL_DEFINITIONS, "gen-ai-tool-definitions.json"),
];

/// What is wrong, after the path to it such as `[0].parts[1]`.
type Problem = String;

/// Whether the attribute holds structured content.
pub(crate) fn is_content(attribute: &str) -> bool {
    SCHEMAS.iter().any(|(name, _)| *name == attribute)
}

/// Holds the content of an attribute against its shape; the error is the first problem, with its path.
pub(crate) fn check(attribute: &str, content: &Json, convention: Convention) -> Result<(), Problem> {
    match attribute {
        GEN_AI_INPUT_MESSAGES => each(content, "", "a message", message),
        GEN_AI_OUTPUT_MESSAGES => each(content, "", "a message", |message, path| {
            self::message(message, path)?;
            match convention {
                Convention::V2026_08 => text(message, path, "finish_reason"),
                Convention::V2026_10 => optional_text(message, path, "finish_reason"),
            }
        }),
        GEN_AI_SYSTEM_INSTRUCTIONS => each(content, "", "a part", part),
        GEN_AI_TOOL_DEFINITIONS => each(content, "", "a tool definition", |tool, path| {
            text(tool, path, "type")?;
            text(tool, path, "name")?;
            if tool.get("type").is_some_and(|r#type| r#type == "function") {
                optional_text(tool, path, "description")?;
            }
            Ok(())
        }),
        GEN_AI_RETRIEVAL_DOCUMENTS => each(content, "", "a document", |document, path| {
            optional_text(document, path, "id")?;
            optional_number(document, path, "score")
        }),
        GEN_AI_MEMORY_RECORDS => each(content, "", "a memory record", |record, path| {
            present(record, path, "content")?;
            optional_text(record, path, "id")?;
            optional_number(record, path, "score")
        }),
        _ => Ok(()),
    }
}

fn message(message: &Map<String, Json>, path: &str) -> Result<(), Problem> {
    text(message, path, "role")?;
    if message.get("role").and_then(Json::as_str) == Some("") {
        return Err(at(path, "the role is empty"));
    }
    optional_text(message, path, "name")?;
    let parts = message.get("parts").ok_or_else(|| at(path, "needs `parts`"))?;
    each(parts, &format!("{path}.parts"), "a part", part)
}

fn part(part: &Map<String, Json>, path: &str) -> Result<(), Problem> {
    text(part, path, "type")?;
    let needs: &[&str] = match part.get("type").and_then(Json::as_str).unwrap_or_default() {
        "text" | "reasoning" => &["content"],
        "tool_call" => &["name"],
        "tool_call_response" => {
            return present(part, path, "response").and_then(|()| optional_text(part, path, "id"));
        }
        "server_tool_call" => {
            text(part, path, "name")?;
            return server_tool(part, path, "server_tool_call");
        }
        "server_tool_call_response" => return server_tool(part, path, "server_tool_call_response"),
        "blob" => &["modality", "content"],
        "file" => &["modality", "file_id"],
        "uri" => &["modality", "uri"],
        "compaction" => {
            optional_text(part, path, "content")?;
            &[]
        }
        // Any other part is a generic one, with keys of its own.
        _ => return Ok(()),
    };
    needs.iter().try_for_each(|key| text(part, path, key))?;
    ["id", "mime_type"].iter().try_for_each(|key| optional_text(part, path, key))
}

fn server_tool(part: &Map<String, Json>, path: &str, key: &str) -> Result<(), Problem> {
    let tool = part.get(key).and_then(Json::as_object);
    text(
        tool.ok_or_else(|| at(path, format_args!("needs the object `{key}`")))?,
        &format!("{path}.{key}"),
        "type",
    )?;
    optional_text(part, path, "id")
}

/// Applies a check to every member of a list of objects.
fn each(
    list: &Json,
    path: &str,
    member: &str,
    check: impl Fn(&Map<String, Json>, &str) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let members = list.as_array().ok_or_else(|| at(path, "is no list"))?;
    members.iter().enumerate().try_for_each(|(index, value)| {
        let path = format!("{path}[{index}]");
        let object = value.as_object().ok_or_else(|| at(&path, format_args!("{member} is an object")))?;
        check(object, &path)
    })
}

fn present(object: &Map<String, Json>, path: &str, key: &str) -> Result<(), Problem> {
    if object.contains_key(key) { Ok(()) } else { Err(at(path, format_args!("needs `{key}`"))) }
}

fn text(object: &Map<String, Json>, path: &str, key: &str) -> Result<(), Problem> {
    match object.get(key) {
        Some(Json::String(_)) => Ok(()),
        Some(_) => Err(at(path, format_args!("`{key}` is no string"))),
        None => Err(at(path, format_args!("needs `{key}`"))),
    }
}

fn optional_text(object: &Map<String, Json>, path: &str, key: &str) -> Result<(), Problem> {
    match object.get(key) {
        None | Some(Json::String(_) | Json::Null) => Ok(()),
        Some(_) => Err(at(path, format_args!("`{key}` is no string"))),
    }
}

fn optional_number(object: &Map<String, Json>, path: &str, key: &str) -> Result<(), Problem> {
    match object.get(key) {
        None | Some(Json::Number(_) | Json::Null) => Ok(()),
        Some(_) => Err(at(path, format_args!("`{key}` is no number"))),
    }
}

fn at(path: &str, problem: impl std::fmt::Display) -> Problem {
    if path.is_empty() { problem.to_string() } else { format!("{path} {problem}") }
}
