use serde_json::json;

use super::*;
use crate::message::Role;

fn limits(attribute: usize) -> ContentLimits {
    ContentLimits { attribute_bytes: Some(attribute), ..ContentLimits::default() }
}

fn written(value: &(impl Serialize + ?Sized)) -> Value {
    serde_json::to_value(value).unwrap()
}

fn size(value: &(impl Serialize + ?Sized)) -> usize {
    serde_json::to_string(value).unwrap().len()
}

#[test]
fn what_fits_is_not_touched() {
    let messages = [
        Message::system("Be kind."),
        Message::user("Where is my order?"),
        Message::assistant_parts([Part::tool_call("1", "track", json!({"order": 7}))]),
        Message::tool("1", "on its way"),
        Message::user("thanks"),
    ];
    let exactly = limits(size(&messages));
    assert!(matches!(exactly.fit_messages(&messages), Cow::Borrowed(_)));
    assert!(matches!(ContentLimits::default().fit_messages(&messages), Cow::Borrowed(_)));
    let parts = [Part::text("a"), Part::blob("image", None, b"png")];
    assert!(matches!(ContentLimits::default().fit_parts(&parts), Cow::Borrowed(_)));
}

#[test]
fn a_text_says_how_much_is_left_out() {
    let messages = [Message::user("é".repeat(10_000))];
    let fit = limits(1_000).fit_messages(&messages);
    assert!(size(&*fit) <= 1_000 && size(&*fit) > 950, "{}", size(&*fit));
    let text = written(&*fit)[0]["parts"][0]["content"].as_str().unwrap().to_owned();
    let (kept, mark) = text.split_once('…').unwrap();
    assert!(kept.chars().all(|char| char == 'é'));
    assert_eq!(mark, format!("[cut: {} of 20000 bytes left out]", 20_000 - kept.len()));
}

#[test]
fn a_conversation_keeps_its_system_message_and_the_newest() {
    let mut messages = vec![Message::system("Be kind.")];
    messages.extend((0..100).map(|turn| Message::user(format!("question {turn}: {}", "x".repeat(200)))));
    let fit = limits(2_000).fit_messages(&messages);
    assert!(size(&*fit) <= 2_000);
    assert_eq!(fit[0], messages[0]);
    assert_eq!(fit.last(), messages.last());
    let mark = written(&fit[1]);
    let kept = fit.len() - 3; // beside the system message, the mark and the newest
    assert!(kept >= 3, "{fit:?}");
    assert_eq!(mark["role"], "user");
    assert_eq!(mark["parts"][0]["type"], "truncated");
    // The boundary message is cut, not left out, where there is room.
    let left_out = mark["parts"][0]["omitted_messages"].as_u64().unwrap() as usize;
    assert_eq!(left_out, 99 - kept);
    let bytes = mark["parts"][0]["omitted_bytes"].as_u64().unwrap() as usize;
    assert_eq!(bytes, size(&messages[1..=left_out]));
    assert_eq!(fit[fit.len() - 2], messages[99]);
}

#[test]
fn a_huge_newest_message_is_cut_and_leaves_room_for_the_question() {
    let messages = [
        Message::system("s".repeat(50_000)),
        Message::user("What does the file say?"),
        Message::assistant_parts([Part::tool_call("1", "read", json!({"path": "a.txt"}))]),
        Message::tool("1", "y".repeat(1_000_000)),
    ];
    let fit = limits(10_000).fit_messages(&messages);
    assert!(size(&*fit) <= 10_000 && size(&*fit) > 9_000, "{}", size(&*fit));
    assert_eq!(fit.len(), 4);
    assert_eq!(fit[1..3], messages[1..3]);
    assert!(
        written(&fit[3])["parts"][0]["response"].as_str().unwrap().ends_with("of 1000000 bytes left out]")
    );
    assert_eq!(fit[0].role, Role::System);
}

#[test]
fn large_parts_share_the_room_and_small_ones_stay() {
    let mut limits = ContentLimits { message_bytes: Some(2_000), ..ContentLimits::default() };
    let message = Message::new(
        "user",
        [Part::text("short"), Part::text("a".repeat(100_000)), Part::reasoning("b".repeat(3_000))],
    );
    let fit = limits.fit_messages(std::slice::from_ref(&message)).into_owned();
    assert!(size(&fit[0]) <= 2_000);
    assert_eq!(fit[0].parts[0], message.parts[0]);
    let (one, other) = (size(&fit[0].parts[1]), size(&fit[0].parts[2]));
    assert!(one.abs_diff(other) < 20 && one > 850, "{one} {other}");

    limits = ContentLimits { part_bytes: Some(300), ..ContentLimits::default() };
    let fit = limits.fit_messages(std::slice::from_ref(&message));
    assert!(fit[0].parts.iter().all(|part| size(part) <= 300));
    assert_eq!(fit[0].parts[0], message.parts[0]);
}

#[test]
fn json_is_pruned_within_its_structure() {
    let value = json!({
        "type": "query",
        "rows": (0..1_000).collect::<Vec<_>>(),
        "sql": "select ".repeat(1_000),
        "limit": 10,
    });
    let fit = limits(600).fit_value(&value).into_owned();
    assert!(size(&fit) <= 600, "{fit}");
    assert_eq!((&fit["type"], &fit["limit"]), (&json!("query"), &json!(10)));
    assert!(fit["sql"].as_str().unwrap().ends_with("of 7000 bytes left out]"));
    let rows = fit["rows"].as_array().unwrap();
    assert_eq!(rows[0], 0);
    assert_eq!(
        rows.last().unwrap().as_str().unwrap(),
        format!("…[cut: {} of 1000 items left out]", 1_001 - rows.len())
    );

    let wide: Value = (0..1_000).map(|key| (format!("key{key:04}"), json!("value"))).collect();
    let fit = limits(600).fit_value(&wide).into_owned();
    assert!(size(&fit) <= 600);
    let entries = fit.as_object().unwrap();
    assert_eq!(entries["key0000"], "value");
    assert_eq!(entries["…"], format!("…[cut: {} of 1000 properties left out]", 1_001 - entries.len()));
}

#[test]
fn depth_cannot_overflow_the_stack() {
    let mut deep = json!("bottom");
    for _ in 0..50_000 {
        deep = Value::Array(vec![deep]);
    }
    let messages = [Message::assistant_parts([Part::tool_call("1", "dig", deep)])];
    let fit = ContentLimits::default().fit_messages(&messages).into_owned();
    let text = serde_json::to_string(&fit).unwrap();
    assert!(text.contains("…[cut: nested too deep]"), "{text}");
    assert!(serde_json::from_str::<Value>(&text).is_ok());
    assert!(matches!(ContentLimits::default().fit_messages(&fit), Cow::Borrowed(_)));
    // Dropping such a value recurses in serde_json itself.
    std::mem::forget(messages);
}

#[test]
fn blobs_by_reference_say_what_they_were() {
    let image = Part::blob("image", Some("image/png"), b"hello");
    let messages = [Message::new("user", [Part::text("see"), image])];
    let mut limits = ContentLimits { blobs: BlobPolicy::Reference, ..ContentLimits::default() };
    let reference = json!({
        "type": "blob_reference",
        "modality": "image",
        "mime_type": "image/png",
        "bytes": 5,
        "sha256": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
    });
    assert_eq!(written(&*limits.fit_messages(&messages))[0]["parts"][1], reference);
    assert_eq!(written(&*limits.fit_parts(&messages[0].parts))[1], reference);
    limits.blobs = BlobPolicy::Omit;
    let omitted = written(&*limits.fit_messages(&messages))[0]["parts"][1].clone();
    assert_eq!(omitted["bytes"], 5);
    assert!(omitted.get("sha256").is_none());
}

#[test]
fn an_inline_blob_that_does_not_fit_becomes_a_reference_and_is_never_cut() {
    let message = Message::new(
        "user",
        [Part::text("what is this? ".repeat(20)), Part::blob("image", Some("image/png"), &vec![7; 900_000])],
    );
    let fit = limits(2_000).fit_messages(std::slice::from_ref(&message)).into_owned();
    assert_eq!(fit[0].parts[0], message.parts[0]);
    let reference = written(&fit[0].parts[1]);
    assert_eq!((&reference["type"], &reference["bytes"]), (&json!("blob_reference"), &json!(900_000)));
    assert_eq!(reference["sha256"].as_str().unwrap().len(), 64);
}

#[test]
fn tools_keep_their_names_and_a_valid_schema() {
    let mut tools = Vec::new();
    for number in 0..5 {
        let mut tool = ToolDefinition::function(format!("tool_{number}"));
        tool.description = Some("Does much. ".repeat(200));
        tool.parameters =
            Some(json!({"type": "object", "properties": {"a": {"description": "x".repeat(3_000)}}}));
        tools.push(tool);
    }
    let fit = limits(3_000).fit_tools(&tools).into_owned();
    assert!(size(&fit) <= 3_000);
    assert_eq!(fit.len(), 5);
    for (tool, before) in fit.iter().zip(&tools) {
        assert_eq!(tool.name, before.name);
        assert!(tool.description.as_deref().unwrap().starts_with("Does much."));
        let schema = tool.parameters.as_ref().unwrap();
        assert!(schema["description"].as_str().unwrap().contains("of schema left out"), "{schema}");
    }
    let fit = limits(300).fit_tools(&tools).into_owned();
    assert!(size(&fit) <= 300);
    assert!(fit.last().unwrap().name.contains("of 5 tools left out"), "{fit:?}");
}

#[test]
fn plain_texts_and_documents() {
    let limits = limits(300);
    let text = "ü".repeat(1_000);
    let fit = limits.fit_text(&text);
    assert!(fit.len() <= 300 && fit.ends_with("of 2000 bytes left out]"), "{fit}");
    assert!(matches!(limits.fit_text("short"), Cow::Borrowed("short")));
    let documents: Vec<Value> =
        (0..50).map(|id| json!({"id": id, "score": 0.5, "content": "w ".repeat(500)})).collect();
    let fit = limits.fit_values(&documents);
    assert!(size(&*fit) <= 300);
    assert_eq!(fit[0]["id"], 0);
    assert!(fit.last().unwrap().as_str().unwrap().contains("of 50 items left out"));
}

#[test]
fn the_size_is_the_one_that_serde_json_writes() {
    let value = json!({
        "a\n\"": ["\u{1}\u{8}\t\u{7f}é😀", 0, -1, 10, 99, 100, i64::MIN, u64::MAX, 1.5, 1e300, -0.0, null, true, false],
        "": {}, "e": [], "n": {"m": [[], [{}]]},
    });
    assert_eq!(json_bytes(&value, usize::MAX, 10), Some(size(&value)));
    assert_eq!(json_bytes(&value, size(&value), 10), Some(size(&value)));
    assert_eq!(json_bytes(&value, size(&value) - 1, 10), None);
    assert_eq!(json_bytes(&value, usize::MAX, 3), None);
    assert_eq!(json_bytes(&f64::NAN, 100, 1), Some(4));
    assert_eq!(json_bytes(&1.1_f32, 100, 1), Some(3));
}

#[test]
fn settings_as_people_write_them() {
    for (text, bytes) in [
        ("65536", Some(65_536)),
        (" 64KiB ", Some(65_536)),
        ("64k", Some(65_536)),
        ("1MB", Some(1_000_000)),
        ("2 MiB", Some(2 << 20)),
        ("none", None),
        ("256", Some(256)),
    ] {
        assert_eq!(byte_limit(text), Ok(bytes), "{text}");
    }
    for text in ["", "255", "-1", "a lot", "1.5MB", "99999999999999999999", "k", "9999999999999g"] {
        let error = byte_limit(text).unwrap_err().to_string();
        assert!(error.contains(&format!("{text:?}")) && error.contains("64KiB"), "{error}");
    }
    assert_eq!(" Reference".parse(), Ok(BlobPolicy::Reference));
    let error = "upload".parse::<BlobPolicy>().unwrap_err().to_string();
    assert!(error.contains("upload") && error.contains("inline, reference, omit"), "{error}");
}
