//! Messages read and write any properties without loss, whatever they are.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use otel_genai::{Message, Part};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9).prop_map(Value::from),
        "\\PC*".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-z_]{1,8}", inner, 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// Properties that no part and no message has.
fn extra() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::hash_map("x_[a-z]{1,6}", any_json(), 0..3).prop_map(|map| map.into_iter().collect())
}

fn part() -> impl Strategy<Value = Value> {
    let known = prop_oneof![
        "\\PC*".prop_map(|text| json!({"type": "text", "content": text})),
        "\\PC*".prop_map(|text| json!({"type": "reasoning", "content": text})),
        ("\\PC*", any_json().prop_filter("null arguments are absent", |v| !v.is_null())).prop_map(
            |(name, args)| json!({"type": "tool_call", "id": "1", "name": name, "arguments": args})
        ),
        any_json().prop_map(|value| json!({"type": "tool_call_response", "response": value})),
        "[A-Za-z0-9+/]*".prop_map(|data| json!({"type": "blob", "modality": "image", "content": data})),
        "\\PC*".prop_map(|uri| json!({"type": "uri", "modality": "video", "uri": uri})),
        "\\PC*".prop_map(|id| json!({"type": "file", "modality": "audio", "file_id": id})),
        ("[a-z]{1,9}", any_json())
            .prop_map(|(kind, value)| json!({"type": format!("x-{kind}"), "value": value})),
    ];
    (known, extra()).prop_map(|(mut part, extra)| {
        part.as_object_mut().unwrap().extend(extra);
        part
    })
}

proptest! {
    #[test]
    fn nothing_is_lost(
        role in "[a-z]{1,10}",
        parts in prop::collection::vec(part(), 0..4),
        extra in extra(),
    ) {
        let mut message = json!({"role": role, "parts": parts});
        message.as_object_mut().unwrap().extend(extra);
        let typed: Message = serde_json::from_value(message.clone()).unwrap();
        prop_assert_eq!(serde_json::to_value(&typed).unwrap(), message);
    }

    #[test]
    fn any_part_with_a_type_is_read(kind in "\\PC*", properties in extra()) {
        let mut part = json!({"type": kind});
        part.as_object_mut().unwrap().extend(properties);
        let typed: Part = serde_json::from_value(part.clone()).unwrap();
        prop_assert_eq!(serde_json::to_value(&typed).unwrap(), part);
    }
}
