//! Recorded exchanges with many OpenAI-compatible servers: what was read is what the bodies say.
//!
//! The recordings lie outside of the repository: in `../shared/golden/pairs` beside it, or where
//! `OTEL_GENAI_PAIRS_DIR` says. Without them there is nothing to test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use otel_genai::{Message, Part};
use otel_genai_wire::{Call, Options, RequestReader, ResponseReader, detect};
use serde_json::Value;

#[test]
fn recorded_exchanges_say_what_their_bodies_say() {
    let folder = match std::env::var_os("OTEL_GENAI_PAIRS_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden/pairs"),
    };
    let mut files = Vec::new();
    collect(&folder, &mut files);
    let mut read = 0;
    for file in &files {
        let case: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        for (at, exchange) in case["exchanges"].as_array().unwrap_or(&Vec::new()).iter().enumerate() {
            read += usize::from(check(exchange, &format!("{} #{at}", file.display())));
        }
    }
    match files.is_empty() {
        true => println!(
            "skipped: there are no recorded exchanges; OTEL_GENAI_PAIRS_DIR may name a folder of them"
        ),
        false => println!("{read} exchanges of {} files were read", files.len()),
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
}

/// Whether the exchange is of a protocol that is read.
fn check(exchange: &Value, name: &str) -> bool {
    let (request, response) = (&exchange["request"], &exchange["response"]);
    let url = request["url"].as_str().unwrap_or_default();
    let url = if url.starts_with('/') { format!("https://model.example{url}") } else { url.to_owned() };
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let Some(route) = detect(&Method::POST, &uri, &HeaderMap::new()) else { return false };

    let options = Options::new(true);
    let mut reader = RequestReader::new(&route, options);
    let body = if request["json"].is_object() { request["json"].to_string() } else { String::new() };
    reader.push(body.as_bytes());
    let mut call = reader.finish();
    assert_eq!(call.request_model(), request["json"]["model"].as_str(), "{name}");
    if let Call::Inference(chat) = &call {
        let sent = request["json"]["messages"].as_array().map_or(0, Vec::len);
        assert_eq!(chat.request.input_messages.len(), sent, "{name}: every message says something");
        let offered = request["json"]["tools"].as_array().map_or(0, Vec::len);
        assert_eq!(chat.request.tool_definitions.len(), offered, "{name}");
    }

    let status = response["status"].as_u64().unwrap() as u16;
    let mut headers = HeaderMap::new();
    for (key, value) in response["headers"].as_object().into_iter().flatten() {
        let key = HeaderName::from_bytes(key.as_bytes()).unwrap();
        headers.insert(key, HeaderValue::from_str(value.as_str().unwrap()).unwrap());
    }
    let text = match (&response["sse_chunks"], &response["body"]) {
        (Value::Array(chunks), _) => chunks.iter().map(|chunk| chunk.as_str().unwrap()).collect(),
        (_, Value::String(body)) => body.clone(),
        _ => return false,
    };
    let mut reader = ResponseReader::new(&route, status, &headers, &call, options);
    for piece in text.as_bytes().chunks(100) {
        reader.push(piece);
    }
    assert_eq!(reader.skipped(), 0, "{name}");
    let failure = reader.finish(&mut call);

    let documents = documents(&text);
    if status >= 400 {
        let failure = failure.unwrap_or_else(|| panic!("{name}: {status} is a failure"));
        let message = failure.message.unwrap_or_default();
        assert!(!message.is_empty() && !failure.error_type.is_empty(), "{name}");
        return true;
    }
    if text.is_empty() {
        // The recorder lost these.
        let kind = failure.map(|failure| failure.error_type);
        assert_eq!(kind.as_deref(), Some("malformed_response"), "{name}");
        return true;
    }
    assert_eq!(failure, None, "{name}");
    let model =
        documents.iter().find_map(|document| document["model"].as_str().filter(|model| !model.is_empty()));
    let usage = documents.iter().rev().find_map(|document| {
        [&document["usage"], &document["x_groq"]["usage"]].into_iter().find(|usage| usage.is_object())
    });
    let input = usage.and_then(|usage| usage["prompt_tokens"].as_u64());
    match call {
        Call::Inference(chat) => {
            assert_eq!(chat.response.model.as_deref(), model, "{name}");
            assert_eq!(chat.usage.input_tokens, input, "{name}");
            let output = usage.and_then(|usage| usage["completion_tokens"].as_u64());
            let reasoning = chat.usage.reasoning_output_tokens.unwrap_or(0);
            let beside = output.map(|output| output + reasoning);
            assert!(chat.usage.output_tokens == output || chat.usage.output_tokens == beside, "{name}");
            let choices = choices(&documents, text.starts_with("data") || text.starts_with(':'));
            assert_eq!(chat.response.output_messages.len(), choices.len(), "{name}");
            assert_eq!(chat.response.finish_reasons.len(), choices.len(), "{name}");
            for ((message, reason), choice) in
                chat.response.output_messages.iter().zip(&chat.response.finish_reasons).zip(choices)
            {
                assert_eq!(text_of(message), choice.text, "{name}");
                assert_eq!(*reason, choice.reason, "{name}");
                let calls = message.parts.iter().filter(|part| matches!(part, Part::ToolCall(_))).count();
                assert_eq!(calls, choice.calls, "{name}");
            }
        }
        Call::Embeddings(embeddings) => {
            assert_eq!(embeddings.response_model.as_deref(), model, "{name}");
            assert_eq!(embeddings.input_tokens, input, "{name}");
            assert!(embeddings.dimension_count.is_some_and(|count| count >= 64), "{name}");
        }
        other => panic!("{other:?}"),
    }
    true
}

fn documents(text: &str) -> Vec<Value> {
    if let Ok(document) = serde_json::from_str(text) {
        return vec![document];
    }
    text.lines().filter_map(|line| serde_json::from_str(line.strip_prefix("data:")?).ok()).collect()
}

#[derive(Debug, Default)]
struct Choice {
    text: String,
    reason: String,
    calls: usize,
}

/// The choices, put together in the plainest way.
fn choices(documents: &[Value], is_stream: bool) -> Vec<Choice> {
    let mut choices: Vec<Choice> = Vec::new();
    for choice in documents.iter().flat_map(|document| document["choices"].as_array().into_iter().flatten()) {
        let index = choice["index"].as_u64().unwrap_or(0) as usize;
        while choices.len() <= index {
            choices.push(Choice { reason: "error".to_owned(), ..Choice::default() });
        }
        let into = &mut choices[index];
        // Perplexity repeats beside each delta all that was said before, and has an empty delta in whole answers.
        let said = if is_stream { &choice["delta"] } else { &choice["message"] };
        into.text.push_str(said["content"].as_str().unwrap_or_default());
        for call in said["tool_calls"].as_array().into_iter().flatten() {
            // Pieces of a call have an index, whole calls have none, or one of their own.
            let number = call["index"].as_u64().map_or(into.calls, |index| index as usize);
            into.calls = into.calls.max(number + 1);
        }
        if let Some(reason) = choice["finish_reason"].as_str() {
            reason.clone_into(&mut into.reason);
        }
    }
    choices
}

fn text_of(message: &Message) -> String {
    let texts = message.parts.iter().filter_map(|part| match part {
        Part::Text(text) => Some(text.content.as_str()),
        _ => None,
    });
    texts.collect()
}
