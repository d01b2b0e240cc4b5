//! OTLP in JSON, in both of its spellings.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod support;

use otel_genai_conformance::{
    Event, Instrument, Metric, Point, Scope, Span, SpanEvent, SpanKind, Status, Telemetry, Value,
};
use support::{attributes, map, text, texts};

/// Ids in base64, enums by name, 64-bit numbers as text: as Python's `MessageToDict` writes.
const AS_PROTOBUF: &str = r#"
{"resourceSpans": [{
    "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "s"}}]},
    "scopeSpans": [{"scope": {"name": "lib", "attributes": [{"key": "a", "value": {}}]}, "spans": [{
        "traceId": "AAAAAAAAAAAAAAAAAAAAAQ==", "spanId": "AAAAAAAAAAI=", "name": "chat m", "kind": "SPAN_KIND_CLIENT",
        "startTimeUnixNano": "1760000000000000001", "endTimeUnixNano": "1760000000000000009",
        "status": {"code": "STATUS_CODE_ERROR", "message": "m"}, "flags": 257,
        "attributes": [
            {"key": "s", "value": {"stringValue": "1"}}, {"key": "b", "value": {"boolValue": true}},
            {"key": "i", "value": {"intValue": "-9223372036854775808"}}, {"key": "d", "value": {"doubleValue": 10.0}},
            {"key": "inf", "value": {"doubleValue": "-Infinity"}}, {"key": "x", "value": {"bytesValue": "AQI="}},
            {"key": "l", "value": {"arrayValue": {"values": [{"stringValue": "x"}, {"stringValue": "y"}]}}},
            {"key": "none", "value": {"arrayValue": {}}},
            {"key": "m", "value": {"kvlistValue": {"values": [{"key": "k", "value": {"intValue": "1"}}]}}}
        ],
        "events": [{"name": "exception", "attributes": [{"key": "e", "value": {"stringValue": "x"}}]}],
        "links": [{"attributes": [{"key": "k", "value": {"boolValue": false}}]}]
    }]}]
}]}"#;

/// Ids in hexadecimal, enums as numbers, numbers bare: as the specification has it.
const AS_SPECIFIED: &str = r#"
{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"s"}}]},"scopeSpans":[{"scope":
{"name":"lib","attributes":[{"key":"a","value":{}}]},"spans":[{"traceId":"00000000000000000000000000000001","spanId":
"0000000000000002","name":"chat m","kind":3,"startTimeUnixNano":1760000000000000001,"endTimeUnixNano":
"1760000000000000009","status":{"code":2},"attributes":[{"key":"s","value":{"stringValue":"1"}},{"key":"b","value":
{"boolValue":true}},{"key":"i","value":{"intValue":-9223372036854775808}},{"key":"d","value":{"doubleValue":10}},{"key":
"inf","value":{"doubleValue":"-Infinity"}},{"key":"x","value":{"bytesValue":"AQI="}},{"key":"l","value":{"arrayValue":
{"values":[{"stringValue":"x"},{"stringValue":"y"}]}}},{"key":"none","value":{"arrayValue":{"values":[]}}},{"key":"m",
"value":{"kvlistValue":{"values":[{"key":"k","value":{"intValue":1}}]}}}],"events":[{"name":"exception","attributes":
[{"key":"e","value":{"stringValue":"x"}}]}],"links":[{"attributes":[{"key":"k","value":{"boolValue":false}}]}]}]}]}]}"#;

#[test]
fn both_spellings_of_spans_are_read() {
    let expected = Telemetry {
        resources: vec![attributes(&[("service.name", text("s"))])],
        scopes: vec![Scope { name: "lib".into(), attributes: attributes(&[("a", Value::Empty)]) }],
        spans: vec![Span {
            name: "chat m".into(),
            kind: SpanKind::Client,
            status: Status::Error,
            start: 1_760_000_000_000_000_001,
            end: 1_760_000_000_000_000_009,
            attributes: attributes(&[
                ("s", text("1")),
                ("b", Value::Bool(true)),
                ("i", Value::Int(i64::MIN)),
                ("d", Value::Double(10.0)),
                ("inf", Value::Double(f64::NEG_INFINITY)),
                ("x", Value::Bytes(vec![1, 2])),
                ("l", texts(&["x", "y"])),
                ("none", Value::Array(vec![])),
                ("m", map(&[("k", Value::Int(1))])),
            ]),
            events: vec![SpanEvent { name: "exception".into(), attributes: attributes(&[("e", text("x"))]) }],
            links: vec![attributes(&[("k", Value::Bool(false))])],
        }],
        ..Telemetry::default()
    };
    assert_eq!(Telemetry::from_otlp_json(AS_PROTOBUF).unwrap(), expected);
    assert_eq!(Telemetry::from_otlp_json(AS_SPECIFIED).unwrap(), expected);
}

#[test]
fn logs_and_metrics_are_read() {
    let lines = r#"
{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"eventName": "e", "attributes": [{"key": "k", "value": {"intValue": "1"}}]}, {"body": {"stringValue": "x"}}]}]}]}
{"resourceMetrics": [{"scopeMetrics": [{"metrics": [
    {"name": "h", "unit": "s", "histogram": {"aggregationTemporality": "AGGREGATION_TEMPORALITY_DELTA", "dataPoints": [
        {"count": "2", "sum": 3.5, "min": -0.5, "bucketCounts": ["1", "1"], "explicitBounds": [1.0],
         "attributes": [{"key": "k", "value": {"stringValue": "v"}}],
         "exemplars": [{"asDouble": 1.0, "filteredAttributes": [{"key": "f", "value": {"stringValue": "x"}}]}]}]}},
    {"name": "x", "unit": "s", "exponentialHistogram": {"dataPoints": [{"sum": 1.0}]}},
    {"name": "c", "unit": "{token}", "sum": {"isMonotonic": true, "dataPoints": [{"asInt": "7"}]}},
    {"name": "u", "sum": {"dataPoints": [{"asDouble": -1.5}]}},
    {"name": "g", "gauge": {"dataPoints": [{"asInt": 7}]}},
    {"name": "s", "summary": {"dataPoints": [{"sum": 1}]}},
    {"name": "n"}
]}]}]}
"#;
    let metric = |name: &str, unit: &str, instrument, lowest: Option<f64>| {
        let points = lowest.map(|lowest| Point { lowest: Some(lowest), ..Point::default() });
        Metric { name: name.into(), unit: unit.into(), instrument, points: points.into_iter().collect() }
    };
    let mut histogram = metric("h", "s", Instrument::Histogram, Some(-0.5));
    histogram.points[0].attributes = attributes(&[("k", text("v"))]);
    histogram.points[0].exemplars = vec![attributes(&[("f", text("x"))])];
    let telemetry = Telemetry::from_otlp_json(lines).unwrap();
    assert_eq!(
        telemetry.events,
        [Event { name: "e".into(), attributes: attributes(&[("k", Value::Int(1))]) }, Event::default()]
    );
    assert_eq!(
        telemetry.metrics,
        [
            histogram,
            metric("x", "s", Instrument::Histogram, Some(1.0)),
            metric("c", "{token}", Instrument::Counter, Some(7.0)),
            metric("u", "", Instrument::UpDownCounter, Some(-1.5)),
            metric("g", "", Instrument::Gauge, Some(7.0)),
            metric("s", "", Instrument::Summary, Some(1.0)),
            metric("n", "", Instrument::Unknown, None),
        ]
    );
}

#[test]
fn nothing_is_nothing() {
    for text in ["", "\n", "{}", "{}\n{}", r#"{"resourceSpans": []}"#] {
        assert!(Telemetry::from_otlp_json(text).unwrap().is_empty(), "{text}");
    }
}

#[test]
fn what_is_no_otlp_is_told_with_its_place() {
    for (text, message) in [
        ("{\"resourceSpans\": [", "cannot read document 1 as OTLP JSON: EOF while parsing"),
        ("{}\n[]", "cannot read document 2 as OTLP JSON: invalid type: sequence"),
        ("{}\n{\"spans\": []}", "document 2 is no OTLP export request: it needs resourceSpans"),
        (r#"{"resourceSpans": [{"scopeSpans": [{"spans": [{"kind": "CLIENT"}]}]}]}"#, "SPAN_KIND_CLIENT"),
        (r#"{"resourceSpans": [{"scopeSpans": [{"spans": [{"kind": 9}]}]}]}"#, "SPAN_KIND_CLIENT"),
        (r#"{"resourceSpans": [{"scopeSpans": [{"spans": [{"endTimeUnixNano": "-1"}]}]}]}"#, "not negative"),
        (
            r#"{"resourceLogs": [{"resource": {"attributes": [{"key": "k", "value": {"intValue": 1.5}}]}}]}"#,
            "a whole number of 64 bits",
        ),
    ] {
        let error = Telemetry::from_otlp_json(text).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}
