//! Structured content against its shape, as JSON text on spans and as structure on events.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod support;

use otel_genai_conformance::{Convention, Telemetry, Value, check};
use serde_json::{Value as Json, json};
use support::{chat, details, set, text};

const INPUT: &str = "gen_ai.input.messages";
const OUTPUT: &str = "gen_ai.output.messages";
const INSTRUCTIONS: &str = "gen_ai.system_instructions";
const TOOLS: &str = "gen_ai.tool.definitions";
const DOCUMENTS: &str = "gen_ai.retrieval.documents";
const RECORDS: &str = "gen_ai.memory.records";

fn structured(json: &Json) -> Value {
    match json {
        Json::Null => Value::Empty,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Value::Int(number),
            None => Value::Double(number.as_f64().unwrap()),
        },
        Json::String(value) => text(value),
        Json::Array(values) => Value::Array(values.iter().map(structured).collect()),
        Json::Object(entries) => {
            Value::Map(entries.iter().map(|(key, value)| (key.clone(), structured(value))).collect())
        }
    }
}

/// The findings on a span that has the content as text, and on an event that has it as structure.
fn judged(attribute: &str, content: &Json) -> [Vec<String>; 2] {
    let mut span = chat();
    set(&mut span.attributes, attribute, text(&content.to_string()));
    let mut event = details();
    set(&mut event.attributes, attribute, structured(content));
    let of_span = Telemetry { spans: vec![span], ..Telemetry::default() };
    let of_event = Telemetry { events: vec![event], ..Telemetry::default() };
    [of_span, of_event].map(|telemetry| {
        let findings = check(&telemetry, Convention::V2026_08);
        assert!(findings.iter().all(|finding| finding.id.as_str() == "genai_content_schema"), "{findings:?}");
        assert!(
            findings.iter().all(|finding| finding.attribute.as_deref() == Some(attribute)),
            "{findings:?}"
        );
        findings.into_iter().map(|finding| finding.message).collect()
    })
}

fn parts(parts: &Json) -> Json {
    json!([{"role": "user", "parts": parts}])
}

#[test]
fn good_content_passes() {
    for (attribute, content) in [
        (INPUT, json!([])),
        (INPUT, json!([{"role": "critic", "parts": [], "name": null}])),
        (
            INPUT,
            parts(&json!([
                {"type": "text", "content": "Hello."},
                {"type": "reasoning", "content": "hm"},
                {"type": "tool_call", "id": "1", "name": "f", "arguments": {"a": [1, 2.5, null]}},
                {"type": "tool_call", "id": null, "name": "f", "arguments": "{"},
                {"type": "tool_call_response", "id": "1", "response": null},
                {"type": "server_tool_call", "name": "search", "server_tool_call": {"type": "web"}},
                {"type": "server_tool_call_response", "server_tool_call_response": {"type": "web", "n": 1}},
                {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "AA=="},
                {"type": "file", "modality": "document", "file_id": "f"},
                {"type": "uri", "modality": "video", "uri": "https://example.com/v"},
                {"type": "compaction"},
                {"type": "acme.thing", "content": 1},
            ])),
        ),
        (OUTPUT, json!([{"role": "assistant", "parts": [], "finish_reason": "stop"}])),
        (INSTRUCTIONS, json!([{"type": "text", "content": "Be brief."}])),
        (TOOLS, json!([{"type": "function", "name": "f", "parameters": {"type": "object"}}])),
        (TOOLS, json!([{"type": "web_search", "name": "search", "description": 1}])),
        (DOCUMENTS, json!([{"id": "d", "score": 0.5, "title": "x"}, {}])),
        (RECORDS, json!([{"content": {"any": "thing"}, "id": "r", "score": 1}])),
    ] {
        assert_eq!(
            judged(attribute, &content),
            [vec![], vec![]] as [Vec<String>; 2],
            "{attribute} {content}"
        );
    }
}

#[test]
fn bad_content_is_found_and_the_place_is_told() {
    for (attribute, content, message) in [
        (INPUT, json!({"role": "user"}), "is no list"),
        (INPUT, json!(["Hello."]), "[0] a message is an object"),
        (INPUT, json!([{"parts": []}]), "[0] needs `role`"),
        (INPUT, json!([{"role": 1, "parts": []}]), "[0] `role` is no string"),
        (INPUT, json!([{"role": "", "parts": []}]), "[0] the role is empty"),
        (INPUT, json!([{"role": "user"}]), "[0] needs `parts`"),
        (INPUT, json!([{"role": "user", "content": "Hello."}]), "[0] needs `parts`"),
        (INPUT, json!([{"role": "user", "parts": "Hello."}]), "[0].parts is no list"),
        (INPUT, parts(&json!(["Hello."])), "[0].parts[0] a part is an object"),
        (INPUT, parts(&json!([{"content": "Hello."}])), "[0].parts[0] needs `type`"),
        (INPUT, parts(&json!([{"type": "text"}])), "[0].parts[0] needs `content`"),
        (INPUT, parts(&json!([{"type": "text", "content": null}])), "[0].parts[0] `content` is no string"),
        (INPUT, parts(&json!([{"type": "compaction"}, {"type": "tool_call"}])), "[0].parts[1] needs `name`"),
        (
            INPUT,
            parts(&json!([{"type": "tool_call", "name": "f", "id": 1}])),
            "[0].parts[0] `id` is no string",
        ),
        (INPUT, parts(&json!([{"type": "tool_call_response", "id": "1"}])), "[0].parts[0] needs `response`"),
        (
            INPUT,
            parts(&json!([{"type": "server_tool_call", "name": "s"}])),
            "[0].parts[0] needs the object `server_tool_call`",
        ),
        (
            INPUT,
            parts(&json!([{"type": "server_tool_call", "name": "s", "server_tool_call": {}}])),
            "[0].parts[0].server_tool_call needs `type`",
        ),
        (
            INPUT,
            parts(&json!([{"type": "server_tool_call_response"}])),
            "[0].parts[0] needs the object `server_tool_call_response`",
        ),
        (INPUT, parts(&json!([{"type": "blob", "modality": "image"}])), "[0].parts[0] needs `content`"),
        (INPUT, parts(&json!([{"type": "blob", "content": "AA=="}])), "[0].parts[0] needs `modality`"),
        (INPUT, parts(&json!([{"type": "file", "modality": "image"}])), "[0].parts[0] needs `file_id`"),
        (INPUT, parts(&json!([{"type": "uri", "uri": "https://x"}])), "[0].parts[0] needs `modality`"),
        (OUTPUT, json!([{"role": "assistant", "parts": []}]), "[0] needs `finish_reason`"),
        (INSTRUCTIONS, json!([{"type": "text"}]), "[0] needs `content`"),
        (TOOLS, json!([{"type": "function", "function": {"name": "f"}}]), "[0] needs `name`"),
        (TOOLS, json!([{"name": "f"}]), "[0] needs `type`"),
        (DOCUMENTS, json!([{"score": "high"}]), "[0] `score` is no number"),
        (RECORDS, json!([{"id": "r"}]), "[0] needs `content`"),
    ] {
        let expected = [vec![message.to_owned()], vec![message.to_owned()]];
        assert_eq!(judged(attribute, &content), expected, "{attribute} {content}");
    }
}

/// The conventions' own schemas see a little that our rules leave to them.
#[test]
fn content_is_held_against_the_schemas_where_they_are() {
    let folder = std::env::var_os("OTEL_GENAI_SEMCONV_DIR").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/semconv"),
        std::path::PathBuf::from,
    );
    if !folder.join("model-2026-08/gen-ai").is_dir() {
        eprintln!("skipped: the conventions are not at {}", folder.display());
        return;
    }
    let content = json!([{"content": "x", "metadata": 1}]);
    for messages in judged(RECORDS, &content) {
        assert_eq!(messages.len(), 1);
        assert!(messages[0].starts_with("/0/metadata breaks `/"), "{messages:?}");
        assert!(messages[0].ends_with("` of the convention's JSON schema"), "{messages:?}");
    }
}
