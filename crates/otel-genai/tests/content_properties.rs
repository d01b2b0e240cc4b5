//! Redaction and limits hold for any content: whatever its characters, shape and size.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::borrow::Cow;

use otel_genai::limit::{BlobPolicy, ContentLimits};
use otel_genai::redact::{Redact as _, Redactor, by};
use otel_genai::{Message, Part, ToolDefinition};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        "\\PC*".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[a\\n\"]{0,300}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(any::<String>(), inner, 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn extra() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::hash_map("x_[a-z]{1,6}", any_json(), 0..3).prop_map(|map| map.into_iter().collect())
}

fn part() -> impl Strategy<Value = Part> {
    let text = || prop_oneof![any::<String>(), "(\\PC|\\n){0,200}", "[a\"]{0,3000}"];
    let known = prop_oneof![
        text().prop_map(|text| json!({"type": "text", "content": text})),
        text().prop_map(|text| json!({"type": "reasoning", "content": text})),
        (text(), any_json())
            .prop_map(|(name, args)| json!({"type": "tool_call", "id": name, "name": name, "arguments": args})),
        any_json().prop_map(|value| json!({"type": "tool_call_response", "response": value})),
        any_json().prop_map(
            |value| json!({"type": "server_tool_call", "name": "x", "server_tool_call": {"type": "y", "v": value}})
        ),
        "[A-Za-z0-9+/]{0,1000}".prop_map(|data| json!({"type": "blob", "modality": "image", "content": data})),
        (text(), text())
            .prop_map(|(uri, mime)| json!({"type": "uri", "modality": "video", "uri": uri, "mime_type": mime})),
        (text(), text()).prop_map(|(id, modality)| json!({"type": "file", "modality": modality, "file_id": id})),
        (text(), any_json()).prop_map(|(kind, value)| json!({"type": format!("x{kind}"), "value": value})),
    ];
    (known, extra()).prop_map(|(mut part, extra)| {
        part.as_object_mut().unwrap().extend(extra);
        serde_json::from_value(part).unwrap()
    })
}

fn message() -> impl Strategy<Value = Message> {
    let role = prop_oneof![Just("user".to_owned()), Just("system".to_owned()), any::<String>()];
    (role, prop::collection::vec(part(), 0..5), extra(), any::<Option<String>>()).prop_map(
        |(role, parts, extra, finish)| {
            let mut message = Message::new(role.as_str(), parts);
            message.extra = extra;
            finish.into_iter().fold(message, |message, reason| message.finish(reason.as_str()))
        },
    )
}

fn limits() -> impl Strategy<Value = ContentLimits> {
    let limit = || prop::option::of(prop_oneof![0..600_usize, 0..20_000_usize]);
    (limit(), limit(), limit(), 0..30_usize, 0..3_u8).prop_map(|(attribute, message, part, depth, blobs)| {
        let mut limits = ContentLimits::default();
        limits.attribute_bytes = attribute;
        limits.message_bytes = message;
        limits.part_bytes = part;
        limits.depth = depth;
        limits.blobs = [BlobPolicy::Inline, BlobPolicy::Reference, BlobPolicy::Omit][usize::from(blobs)];
        limits
    })
}

fn bytes(value: &(impl serde::Serialize + ?Sized)) -> usize {
    serde_json::to_string(value).unwrap().len()
}

fn allowed(limit: Option<usize>) -> usize {
    limit.map_or(usize::MAX, |limit| limit.max(ContentLimits::LEAST))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn messages_end_within_every_limit(messages in prop::collection::vec(message(), 0..8), limits in limits()) {
        let fit = limits.fit_messages(&messages);
        let text = serde_json::to_string(&*fit).unwrap();
        prop_assert!(text.len() <= allowed(limits.attribute_bytes), "{}", text.len());
        let back: Vec<Message> = serde_json::from_str(&text).unwrap();
        for message in &back {
            prop_assert!(bytes(message) <= allowed(limits.message_bytes));
            for part in &message.parts {
                prop_assert!(bytes(part) <= allowed(limits.part_bytes));
                prop_assert!(limits.blobs == BlobPolicy::Inline || !matches!(part, Part::Blob(_)));
            }
        }
        prop_assert!(messages.is_empty() || !fit.is_empty());
        prop_assert!(matches!(limits.fit_messages(&fit), Cow::Borrowed(_)), "cut twice: {text}");
    }

    #[test]
    fn other_content_ends_within_its_limit(
        parts in prop::collection::vec(part(), 0..8),
        values in prop::collection::vec(any_json(), 0..8),
        text in any::<String>(),
        limits in limits(),
    ) {
        let limit = allowed(limits.attribute_bytes);
        let fit = limits.fit_parts(&parts);
        prop_assert!(bytes(&*fit) <= limit && matches!(limits.fit_parts(&fit), Cow::Borrowed(_)));
        let fit = limits.fit_values(&values);
        prop_assert!(bytes(&*fit) <= limit && matches!(limits.fit_values(&fit), Cow::Borrowed(_)));
        let value = Value::from(values);
        let fit = limits.fit_value(&value);
        prop_assert!(bytes(&*fit) <= limit && matches!(limits.fit_value(&fit), Cow::Borrowed(_)));
        let tools: Vec<ToolDefinition> = parts.iter().map(|part| {
            let mut tool = ToolDefinition::function(text.clone());
            tool.description = Some(serde_json::to_string(part).unwrap());
            tool.parameters = Some(value.clone());
            tool
        }).collect();
        let fit = limits.fit_tools(&tools);
        prop_assert!(bytes(&*fit) <= limit && matches!(limits.fit_tools(&fit), Cow::Borrowed(_)));
        prop_assert!(limits.fit_text(&text).len() <= limit);
    }

    #[test]
    fn what_is_within_the_limits_stays(messages in prop::collection::vec(message(), 0..4)) {
        let mut limits = ContentLimits::default();
        limits.attribute_bytes = Some(bytes(&messages).max(ContentLimits::LEAST));
        prop_assert!(matches!(limits.fit_messages(&messages), Cow::Borrowed(_)));
    }

    #[test]
    fn redaction_is_idempotent(text in prop_oneof![any::<String>(), sensitive_text()]) {
        let redactor = Redactor::all();
        let once = redactor.text(&text).into_owned();
        prop_assert!(matches!(redactor.text(&once), Cow::Borrowed(_)), "{text:?} -> {once:?} -> {:?}", redactor.text(&once));
    }

    #[test]
    fn no_address_survives(
        before in "(\\PC{0,20}[ <(\"':=,\\n])?",
        local in "[a-z0-9][a-z0-9._+-]{0,10}[a-z0-9]",
        domain in "[a-z][a-z0-9-]{0,8}[a-z](\\.[a-z]{2,8}){1,3}",
        after in "([ >)\"',;:!?\\n]\\PC{0,20})?",
    ) {
        let address = format!("{local}@{domain}");
        let text = format!("{before}{address}{after}");
        let redacted = Redactor::new().email().text(&text).into_owned();
        prop_assert!(!redacted.contains(&address), "{text:?} -> {redacted:?}");
        prop_assert!(redacted.contains("[email]"));
    }

    #[test]
    fn redaction_reaches_every_text_of_a_message(message in message()) {
        let redactor = by(|text| if text.contains('a') { Cow::Owned(text.replace('a', "")) } else { Cow::Borrowed(text) });
        let redacted = redactor.message(&message);
        for part in &redacted.parts {
            if let Part::Text(text) = part {
                prop_assert!(!text.content.contains('a'));
            }
            if let Part::ToolCall(call) = part {
                prop_assert!(strings(call.arguments.as_ref().unwrap_or(&Value::Null)).iter().all(|text| !text.contains('a')));
            }
        }
        prop_assert!(matches!(redactor.message(&redacted), Cow::Borrowed(_)));
    }
}

fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(strings).collect(),
        Value::Object(entries) => entries.values().flat_map(strings).collect(),
        _ => Vec::new(),
    }
}

/// Texts made of what the patterns look for, in any order.
fn sensitive_text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "jo@example.com",
        "%40",
        "@",
        ".",
        "b.co",
        "+49 30 1234567",
        "030 1234567",
        "(212) 555-0123",
        "4111 1111 1111 1111",
        "4111111111111111",
        " ",
        "-",
        "+",
        "0",
        "12",
        "1234",
        "\n",
        "\\n",
        "\"",
        "'",
        "\\\"",
        "=",
        ":",
        ": ",
        "://",
        "/",
        "password",
        "api_key",
        "token",
        "key",
        "Authorization",
        "Bearer ",
        "Basic ",
        "sk-",
        "abcdefgh0123456789",
        "eyJ",
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "[key]",
        "[email]",
        "…",
        "é",
        "密码",
        "tel",
        ",",
        ";",
        "ghp_",
        "(",
        ")",
        "[",
        "]",
        "$",
        "<",
        ">",
        "git",
        "2x.png",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Not a measurement: what is not linear here takes minutes.
#[test]
fn anything_is_read_in_time() {
    let all = Redactor::all();
    for piece in [
        "a",
        "1",
        "@",
        "a@",
        "a.",
        "@b.co",
        "%40",
        "a%40b.co",
        "…%40b.co…",
        "+1",
        "+",
        "1 ",
        "1-",
        "0 1",
        "(1)",
        "eyJ",
        "eyJa-",
        "eyJaaaaaaaaaa.",
        "sk-",
        "sk-a-",
        "AKIA",
        "SG.",
        "password=",
        "password:",
        "password: ",
        "password=\"",
        "key=",
        "key=\"",
        "token='a",
        "Bearer ",
        "Bearer a",
        "://",
        "://a:b",
        "://a:b@",
        "-----BEGIN ",
        "-----BEGIN PRIVATE KEY-----,",
        "\\n",
        "\\\"",
        "tel",
        "tel:1234567 ",
        "é",
        "密码=",
        "4111 ",
        "4111111111111111 ",
        "a\u{a0}1",
        "[key]",
        "password=[key]",
    ] {
        let text = piece.repeat((1 << 18) / piece.len());
        let redacted = all.text(&text);
        assert!(redacted.len() <= text.len() * 4, "{piece}");
    }
}

#[test]
fn five_megabytes_of_prose_are_read_in_time() {
    let text =
        "On 2024-01-15 jo@example.com paid 12.50 (order 4711-0815), tel. +49 30 1234567.\n".repeat(64 << 10);
    let redacted = Redactor::all().text(&text).into_owned();
    assert_eq!(redacted.matches("[email] paid 12.50 (order 4711-0815), tel. [phone].").count(), 64 << 10);
}

#[test]
fn a_hundred_megabytes_are_cut_in_time() {
    let mut limits = ContentLimits::default();
    limits.attribute_bytes = Some(64 << 10);
    let messages: Vec<Message> = (0..100)
        .map(|_| Message::assistant_parts([Part::tool_call("1", "x", json!({"text": "\n".repeat(1 << 20)}))]))
        .collect();
    let fit = limits.fit_messages(&messages);
    assert!(bytes(&*fit) <= 64 << 10);
    let wide = Value::from(vec![0; 10_000_000]);
    assert!(bytes(&*limits.fit_value(&wide)) <= 64 << 10);
}
