//! Whatever comes in: no panic, and the same findings every time.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use otel_genai_conformance::{Convention, Telemetry, check};
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

const KEYS: &[&str] = &[
    "resourceSpans",
    "resourceLogs",
    "resourceMetrics",
    "resource",
    "scopeSpans",
    "scopeLogs",
    "scopeMetrics",
    "scope",
    "spans",
    "logRecords",
    "metrics",
    "attributes",
    "key",
    "value",
    "stringValue",
    "intValue",
    "doubleValue",
    "boolValue",
    "bytesValue",
    "arrayValue",
    "kvlistValue",
    "values",
    "name",
    "kind",
    "status",
    "code",
    "startTimeUnixNano",
    "events",
    "links",
    "eventName",
    "unit",
    "sum",
    "histogram",
    "dataPoints",
    "exemplars",
    "asInt",
    "min",
    "type",
    "role",
    "parts",
];
const NAMES: &[&str] = &[
    "",
    "gen_ai.operation.name",
    "gen_ai.request.model",
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.tool.definitions",
    "gen_ai.tool.name",
    "mcp.method.name",
    "error.type",
    "server.port",
    "gen_ai.prompt.variable.",
    "gen_ai.response.time_to_first_chunk",
    "gen_ai.client.operation.duration",
    "gen_ai.client.inference.operation.details",
];
const TEXTS: &[&str] =
    &["", "chat", "execute_tool", "invoke_agent", "plan", "create_memory", "SPAN_KIND_CLIENT", "s", "NaN"];

/// Any JSON, with the keys of OTLP.
fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        (0u8..6).prop_map(Json::from),
        prop::sample::select(NAMES).prop_map(Json::from),
        prop::sample::select(TEXTS).prop_map(Json::from),
        ".{0,8}".prop_map(Json::from),
    ];
    leaf.prop_recursive(8, 64, 6, |inner| {
        let key = prop_oneof![9 => prop::sample::select(KEYS).prop_map(str::to_owned), 1 => ".{0,4}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
            prop::collection::vec((key, inner), 0..6).prop_map(|entries| Json::from(Map::from_iter(entries))),
        ]
    })
}

/// An AnyValue that reads well.
fn any_value() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(json!({})),
        any::<bool>().prop_map(|value| json!({"boolValue": value})),
        any::<i64>().prop_map(|value| json!({"intValue": value.to_string()})),
        any::<f64>().prop_map(|value| json!({"doubleValue": value.to_string()})),
        prop::sample::select(TEXTS).prop_map(|value| json!({"stringValue": value})),
        any_json().prop_map(|value| json!({"stringValue": value.to_string()})),
        ".{0,8}".prop_map(|value| json!({"bytesValue": value})),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        let key = prop::sample::select(&["type", "role", "parts", "content", "name", "finish_reason"][..]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|values| json!({"arrayValue": {"values": values}})),
            prop::collection::vec((key, inner), 0..4).prop_map(|entries| {
                let values: Vec<_> =
                    entries.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
                json!({"kvlistValue": {"values": values}})
            }),
        ]
    })
}

fn attributes() -> impl Strategy<Value = Json> {
    let attribute = (prop::sample::select(NAMES), any_value());
    let attribute = attribute.prop_map(|(key, value)| json!({"key": key, "value": value}));
    prop::collection::vec(attribute, 0..6).prop_map(Json::from)
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,64}") {
        let _ = Telemetry::from_otlp_json(&text);
    }

    #[test]
    fn any_json_is_judged_or_refused(documents in prop::collection::vec(any_json(), 0..4)) {
        let text: String = documents.iter().map(|document| format!("{document}\n")).collect();
        if let Ok(telemetry) = Telemetry::from_otlp_json(&text) {
            let _ = check(&telemetry, Convention::V2026_08);
        }
    }

    #[test]
    fn any_telemetry_is_judged_alike_every_time(
        (name, kind, code) in (prop::sample::select(TEXTS), 0u8..6, 0u8..3),
        (start, end, lowest) in (any::<u64>(), any::<u64>(), any::<f64>()),
        (of_span, of_event, of_point) in (attributes(), attributes(), attributes()),
        (event, metric, unit) in (prop::sample::select(NAMES), prop::sample::select(NAMES), prop::sample::select(TEXTS)),
    ) {
        let requests = json!({
            "resourceSpans": [{"resource": {"attributes": of_event}, "scopeSpans": [{"spans": [{
                "name": name, "kind": kind, "status": {"code": code}, "attributes": of_span,
                "startTimeUnixNano": start.to_string(), "endTimeUnixNano": end,
                "events": [{"attributes": of_point}], "links": [{"attributes": of_event}],
            }]}]}],
            "resourceLogs": [{"scopeLogs": [{"logRecords": [{"eventName": event, "attributes": of_event}]}]}],
            "resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": metric, "unit": unit, "histogram": {
                "dataPoints": [{"sum": lowest.to_string(), "attributes": of_point}],
            }}]}]}],
        });
        let telemetry = Telemetry::from_otlp_json(&requests.to_string()).unwrap();
        for convention in [Convention::V2026_08, Convention::V2026_10] {
            let findings = check(&telemetry, convention);
            prop_assert!(findings.is_sorted());
            prop_assert!(findings.iter().all(|finding| !finding.to_string().contains('\n')));
            prop_assert_eq!(findings, check(&telemetry, convention));
        }
    }
}
