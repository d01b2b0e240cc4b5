//! A line a call, in the shape that OpenAI's fine-tuning takes: `{"messages": […], "tools": […]}`.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::view::transcript::{Call, Message, Part, Transcript};

/// All calls whose content is known, with their whole history each.
#[must_use]
pub fn jsonl(transcript: &Transcript) -> String {
    let mut out = String::new();
    let mut histories: HashMap<u32, Vec<&str>> = HashMap::new();
    for call in &transcript.calls {
        let input = history(call, &histories);
        let said = call.output.iter().map(|seen| seen.message.as_str());
        let whole: Vec<&str> = input.iter().copied().chain(said).collect();
        let system = call.system.iter().map(|seen| seen.message.as_str());
        let all = system.chain(whole.iter().copied());
        let messages: Vec<Value> =
            all.filter_map(|hash| transcript.messages.get(hash)).flat_map(messages).collect();
        histories.insert(call.ordinal, whole);
        if messages.is_empty() {
            continue;
        }
        let mut line = Map::new();
        line.insert("messages".to_owned(), messages.into());
        let tools = call.tools.as_ref().and_then(|hash| transcript.tools.get(hash));
        if let Some(tools) = tools {
            let tools = tools.iter().map(|tool| {
                let mut function = Map::new();
                function.insert("name".to_owned(), tool.name.clone().into());
                function.extend(tool.description.clone().map(|text| ("description".to_owned(), text.into())));
                function.extend(tool.parameters.clone().map(|schema| ("parameters".to_owned(), schema)));
                json!({ "type": "function", "function": function })
            });
            line.insert("tools".to_owned(), tools.collect());
        }
        out.push_str(&Value::Object(line).to_string());
        out.push('\n');
    }
    out
}

/// The whole input: what it has from the call before, and what is new.
fn history<'a>(call: &'a Call, histories: &HashMap<u32, Vec<&'a str>>) -> Vec<&'a str> {
    let before = call.previous.and_then(|before| histories.get(&before));
    let carried = before.map_or(&[][..], Vec::as_slice).iter().take(call.carried as usize).copied();
    carried.chain(call.input.iter().map(|seen| seen.message.as_str())).collect()
}

/// A message as OpenAI has it: answers of tools stand each in a message of their own.
fn messages(message: &Message) -> Vec<Value> {
    let mut out = Vec::new();
    let mut content = Vec::new();
    let mut calls = Vec::new();
    for part in &message.parts {
        match part {
            Part::Text(text) => content.push(json!({ "type": "text", "text": text.content })),
            Part::ToolCall { id, name, arguments, raw, .. } => {
                let arguments = raw.clone().or_else(|| arguments.as_ref().map(Value::to_string));
                calls.push(json!({ "id": id, "type": "function",
                    "function": { "name": name, "arguments": arguments.unwrap_or_default() } }));
            }
            Part::ToolCallResponse { id, response, .. } => {
                let text = response.as_str().map_or_else(|| response.to_string(), str::to_owned);
                out.push(json!({ "role": "tool", "tool_call_id": id, "content": text }));
            }
            Part::Media { modality, src, uri, .. } if modality == "image" => {
                if let Some(url) = src.as_ref().or(uri.as_ref()) {
                    content.push(json!({ "type": "image_url", "image_url": { "url": url } }));
                }
            }
            _ => {}
        }
    }
    if content.is_empty() && calls.is_empty() {
        return out;
    }
    let mut told = Map::new();
    told.insert("role".to_owned(), message.role.clone().into());
    told.extend(message.name.clone().map(|name| ("name".to_owned(), name.into())));
    let text = |part: &Value| part.get("text").and_then(Value::as_str).map(str::to_owned);
    let content = match content.as_slice() {
        [] => Value::Null,
        // Text alone is a string: not everybody takes lists.
        parts => match parts.iter().map(text).collect::<Option<Vec<_>>>() {
            Some(texts) => texts.join("\n").into(),
            None => content.into(),
        },
    };
    told.insert("content".to_owned(), content);
    if !calls.is_empty() {
        told.insert("tool_calls".to_owned(), calls.into());
    }
    out.insert(0, told.into());
    out
}
