//! OTLP at the door: JSON in both directions, and what of a request is kept.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod support;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::{ResourceMetrics, ScopeMetrics};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use otel_genai_store::Nanos;
use otel_genai_store::otlp::{self, Refused};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use support::metrics;

fn one_span(span: Span) -> ExportTraceServiceRequest {
    let scope_spans = vec![ScopeSpans { spans: vec![span], ..Default::default() }];
    ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..Default::default() }] }
}

fn only_span(request: &ExportTraceServiceRequest) -> &Span {
    &request.resource_spans[0].scope_spans[0].spans[0]
}

fn traces() -> impl Strategy<Value = ExportTraceServiceRequest> {
    let scope = (option::of(support::scope()), vec(support::span(), 0..3), support::text())
        .prop_map(|(scope, spans, schema_url)| ScopeSpans { scope, spans, schema_url });
    let resource = (option::of(support::resource()), vec(scope, 0..3), support::text())
        .prop_map(|(resource, scope_spans, schema_url)| ResourceSpans { resource, scope_spans, schema_url });
    vec(resource, 0..3).prop_map(|resource_spans| ExportTraceServiceRequest { resource_spans })
}

fn logs() -> impl Strategy<Value = ExportLogsServiceRequest> {
    let scope = (option::of(support::scope()), vec(support::log(), 0..3), support::text())
        .prop_map(|(scope, log_records, schema_url)| ScopeLogs { scope, log_records, schema_url });
    let resource = (option::of(support::resource()), vec(scope, 0..3), support::text())
        .prop_map(|(resource, scope_logs, schema_url)| ResourceLogs { resource, scope_logs, schema_url });
    vec(resource, 0..3).prop_map(|resource_logs| ExportLogsServiceRequest { resource_logs })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn traces_come_back_from_json(request in traces()) {
        let text = otlp::to_json(&request);
        prop_assert_eq!(otlp::from_json::<ExportTraceServiceRequest>(&text).unwrap(), request);
    }

    #[test]
    fn logs_come_back_from_json(request in logs()) {
        let text = otlp::to_json(&request);
        prop_assert_eq!(otlp::from_json::<ExportLogsServiceRequest>(&text).unwrap(), request);
    }

    #[test]
    fn metrics_come_back_from_json(metrics in vec(metrics::metric(), 0..3), schema_url in support::text()) {
        let scope_metrics = vec![ScopeMetrics { metrics, schema_url, ..Default::default() }];
        let resource_metrics = vec![ResourceMetrics { scope_metrics, ..Default::default() }];
        let request = ExportMetricsServiceRequest { resource_metrics };
        let text = otlp::to_json(&request);
        prop_assert_eq!(otlp::from_json::<ExportMetricsServiceRequest>(&text).unwrap(), request);
    }

    /// An unknown key at any place is passed over, whatever its value.
    #[test]
    fn unknown_keys_are_passed_over(request in traces(), at in any::<prop::sample::Index>(), odd in 0usize..4) {
        let text = String::from_utf8(otlp::to_json(&request)).unwrap();
        let odd = [r#""x":null"#, r#""x":[{"y":[1,"}"]}]"#, r#""x":"resourceSpans""#, r#""resource_spans":[]"#][odd];
        let places = objects(&text);
        let place = places[at.index(places.len())];
        let comma = if text[place..].starts_with('}') { "" } else { "," };
        let more = format!("{}{odd}{comma}{}", &text[..place], &text[place..]);
        prop_assert_eq!(otlp::from_json::<ExportTraceServiceRequest>(more.as_bytes()).unwrap(), request);
    }

    #[test]
    fn anything_is_read_or_refused(text in "\\PC{0,80}", at in any::<prop::sample::Index>(), request in traces()) {
        let _ = otlp::from_json::<ExportTraceServiceRequest>(text.as_bytes());
        let mut damaged = otlp::to_json(&request);
        let at = at.index(damaged.len());
        damaged.truncate(at);
        prop_assert!(otlp::from_json::<ExportTraceServiceRequest>(&damaged).is_err());
    }

    #[test]
    fn what_is_accepted_is_what_came(request in traces()) {
        let told: Vec<&Span> =
            request.resource_spans.iter().flat_map(|group| &group.scope_spans).flat_map(|group| &group.spans).collect();
        let accepted = otlp::traces(request.clone(), Nanos(7));
        prop_assert_eq!(accepted.batch.spans.len() as u64 + accepted.rejected, told.len() as u64);
        let mut told = told.into_iter();
        for span in &accepted.batch.spans {
            let exact = span.to_otlp();
            prop_assert!(told.any(|told| *told == exact));
        }
    }
}

/// Where objects of JSON begin, outside of strings.
fn objects(text: &str) -> Vec<usize> {
    let (mut places, mut within, mut escaped) = (Vec::new(), false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => within = !within,
            b'{' if !within => places.push(at + 1),
            _ => {}
        }
    }
    places
}

#[test]
fn what_senders_write_is_read() {
    let text = r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},
      "scopeSpans":[{"scope":{"name":"my.library","version":null},"spans":[{
        "traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"eee19b7ec3c1b174","parentSpanId":"",
        "name":"a \u00e9 \ud83d\ude00","kind":"SPAN_KIND_CLIENT","startTimeUnixNano":1544712660000000000,
        "endTimeUnixNano":"1544712661000000000","flags":1.0,"droppedAttributesCount":"3","status":{"code":"STATUS_CODE_ERROR"},
        "attributes":[
          {"key":"int","value":{"intValue":-7}},{"key":"long","value":{"intValue":"9223372036854775807"}},
          {"key":"bytes","value":{"bytesValue":"-_8"}},{"key":"nan","value":{"doubleValue":"NaN"}},
          {"key":"whole","value":{"doubleValue":2}},{"key":"none","value":null},{"key":"empty","value":{}},
          null,{"key":"list","value":{"arrayValue":{"values":[{"boolValue":false},{},null]}}}],
        "events":null,"links":[]},null,null]}]}]}"#;
    let request: ExportTraceServiceRequest = otlp::from_json(text.as_bytes()).unwrap();
    let span = only_span(&request);
    assert_eq!(span.trace_id[..2], [0x5b, 0x8e]);
    assert_eq!((span.kind, span.flags, span.dropped_attributes_count), (3, 1, 3));
    assert_eq!(span.name, "a é 😀");
    assert_eq!(
        (span.start_time_unix_nano, span.end_time_unix_nano),
        (1_544_712_660_000_000_000, 1_544_712_661_000_000_000)
    );
    assert_eq!(span.status.as_ref().unwrap().code, 2);
    let value = |at: usize| span.attributes[at].value.clone().and_then(|value| value.value);
    assert_eq!(value(0), Some(Value::IntValue(-7)));
    assert_eq!(value(1), Some(Value::IntValue(i64::MAX)));
    assert_eq!(value(2), Some(Value::BytesValue(vec![0xfb, 0xff])));
    assert!(matches!(value(3), Some(Value::DoubleValue(nan)) if nan.is_nan()));
    assert_eq!(value(4), Some(Value::DoubleValue(2.0)));
    assert_eq!(
        (span.attributes[5].value.clone(), span.attributes[6].value.clone()),
        (None, Some(AnyValue::default()))
    );
    // In a list of values `null` is one, among messages it is none.
    assert_eq!(span.attributes.len(), 8);
    let Some(Value::ArrayValue(list)) = value(7) else { panic!("{:?}", value(7)) };
    assert_eq!(list.values[1..], [AnyValue::default(), AnyValue::default()]);
}

#[test]
fn what_is_wrong_is_told_by_its_place_and_not_repeated() {
    for (text, told) in [
        (r#"{"resourceSpans":"sk-secret"}"#, "an array"),
        (r#"{"resourceSpans":["sk-secret"]}"#, "an object"),
        (
            r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"sk-secret"}]}]}]}"#,
            "odd number of digits",
        ),
        (r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"spanId":"sk-secrets"}]}]}]}"#, "hexadecimal"),
        (r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"kind":"sk-secret"}]}]}]}"#, "enumeration"),
        (
            r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"endTimeUnixNano":"sk-secret"}]}]}]}"#,
            "whole number",
        ),
        (r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"flags":4294967296}]}]}]}"#, "out of range"),
        (r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":3}]}]}]}"#, "string"),
        (r#"{"resourceSpans":[]} sk-secret"#, "trailing"),
        ("", "EOF"),
        ("sk-secret", "expected value"),
    ] {
        let error = otlp::from_json::<ExportTraceServiceRequest>(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(told) && error.contains("line 1 column"), "{text}: {error}");
        assert!(!error.contains("secret"), "{error}");
    }
}

fn nested(levels: usize) -> String {
    let open = r#"{"kvlistValue":{"values":[{"key":"k","value":"#;
    let (open, close) = (open.repeat(levels - 1), "}]}}".repeat(levels - 1));
    format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"{}","spanId":"{}","attributes":[{{"key":"deep","value":{open}{{}}{close}}}]}}]}}]}}]}}"#,
        "11".repeat(16),
        "22".repeat(8)
    )
}

#[test]
fn depth_is_bounded() {
    let read = |levels| otlp::from_json::<ExportTraceServiceRequest>(nested(levels).as_bytes());
    assert!(read(64).is_ok());
    for levels in [65, 10_000, 1_000_000] {
        assert!(read(levels).unwrap_err().to_string().contains("64 levels"));
    }
    // What is passed over may be as deep as it likes.
    let unknown = format!(r#"{{"x":{}{}}}"#, "[".repeat(1_000_000), "]".repeat(1_000_000));
    assert!(otlp::from_json::<ExportTraceServiceRequest>(unknown.as_bytes()).is_ok());

    let accepted = |levels| otlp::traces(read(levels).unwrap(), Nanos(7));
    assert_eq!(accepted(32).batch.spans.len(), 1);
    assert_eq!(accepted(33).why, [(Refused::TooDeep, 1)]);
}

#[test]
fn what_cannot_be_kept_is_refused_one_by_one() {
    let span =
        |trace: u8, id: u8| Span { trace_id: vec![trace; 16], span_id: vec![id; 8], ..Default::default() };
    let mut request = one_span(span(1, 1));
    request.resource_spans[0].scope_spans[0].spans.extend([span(0, 1), span(1, 0), span(1, 2), span(0, 0)]);
    let large = Value::StringValue("x".repeat((64 << 20) + 1));
    let mut too_large = span(1, 3);
    too_large.attributes = vec![attribute(Value::ArrayValue(ArrayValue { values: vec![value_of(large)] }))];
    request.resource_spans[0].scope_spans[0].spans.push(too_large);

    let accepted = otlp::traces(request, Nanos(7));
    assert_eq!(accepted.batch.spans.len(), 2);
    assert_eq!(accepted.rejected, 4);
    assert_eq!(accepted.why, [(Refused::TraceId, 2), (Refused::SpanId, 1), (Refused::TooLarge, 1)]);
    assert!(
        accepted.reasons().starts_with("2 refused: the trace id is not 16 bytes"),
        "{}",
        accepted.reasons()
    );
    assert!(accepted.batch.bytes > 64 << 20);
    assert_eq!(accepted.batch.spans[0].received, Nanos(7));
}

#[test]
fn a_resource_that_is_too_deep_takes_its_records_along() {
    let mut deep = AnyValue::default();
    for _ in 0..32 {
        deep = value_of(Value::KvlistValue(KeyValueList {
            values: vec![attribute(deep.value.unwrap_or(Value::BoolValue(true)))],
        }));
    }
    let log_records = vec![LogRecord::default(), LogRecord::default()];
    let mut request = ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            resource: Some(opentelemetry_proto::tonic::resource::v1::Resource::default()),
            scope_logs: vec![ScopeLogs { log_records, ..Default::default() }],
            ..Default::default()
        }],
    };
    assert_eq!(otlp::logs(request.clone(), Nanos(7)).batch.logs.len(), 2);
    request.resource_logs[0].resource.as_mut().unwrap().attributes =
        vec![KeyValue { value: Some(deep), ..attribute(Value::BoolValue(true)) }];
    let accepted = otlp::logs(request, Nanos(7));
    assert_eq!((accepted.batch.logs.len(), accepted.why), (0, vec![(Refused::TooDeep, 2)]));
}

/// Series come back as the instrument they were of, point by point.
#[test]
fn points_are_kept_by_series_and_come_back() {
    use opentelemetry_proto::tonic::metrics::v1::{Metric, metric::Data};

    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = 0;
    for _ in 0..200 {
        let metric = Strategy::new_tree(&metrics::metric(), &mut runner);
        let mut metric: Metric = proptest::strategy::ValueTree::current(&metric.unwrap());
        // Numbers of exemplars are told as doubles, and ids of no use are not told.
        let tidy = |exemplars: &mut Vec<opentelemetry_proto::tonic::metrics::v1::Exemplar>| exemplars.clear();
        match &mut metric.data {
            Some(Data::Gauge(data)) => {
                data.data_points.iter_mut().for_each(|point| tidy(&mut point.exemplars));
            }
            Some(Data::Sum(data)) => data.data_points.iter_mut().for_each(|point| tidy(&mut point.exemplars)),
            Some(Data::Histogram(data)) => {
                data.data_points.iter_mut().for_each(|point| tidy(&mut point.exemplars));
            }
            Some(Data::ExponentialHistogram(data)) => {
                data.data_points.iter_mut().for_each(|point| tidy(&mut point.exemplars));
            }
            _ => {}
        }
        let scope_metrics = vec![ScopeMetrics { metrics: vec![metric.clone()], ..Default::default() }];
        let resource_metrics = vec![ResourceMetrics { scope_metrics, ..Default::default() }];
        let accepted = otlp::metrics(ExportMetricsServiceRequest { resource_metrics }, Nanos(7));
        assert_eq!(accepted.rejected, 0);
        let told = points_of(&metric);
        seen += told.len();
        let mut kept: Vec<_> = accepted.batch.points.iter().collect();
        assert_eq!(kept.iter().map(|(_, points)| points.len()).sum::<usize>(), told.len());
        for point in told {
            // Each point is found in its own series, in the order they came.
            let place = kept.iter_mut().position(|(series, points)| {
                let whole = series.to_otlp(points);
                whole.name == metric.name && points_of(&whole).contains(&point)
            });
            assert!(place.is_some(), "{point}");
        }
    }
    assert!(seen > 50, "{seen}");

    fn points_of(metric: &Metric) -> Vec<String> {
        match &metric.data {
            None => Vec::new(),
            Some(Data::Gauge(data)) => data.data_points.iter().map(|point| format!("{point:?}")).collect(),
            Some(Data::Sum(data)) => data.data_points.iter().map(|point| format!("{point:?}")).collect(),
            Some(Data::Histogram(data)) => {
                data.data_points.iter().map(|point| format!("{point:?}")).collect()
            }
            Some(Data::ExponentialHistogram(data)) => {
                data.data_points.iter().map(|point| format!("{point:?}")).collect()
            }
            Some(Data::Summary(data)) => data.data_points.iter().map(|point| format!("{point:?}")).collect(),
        }
    }
}

#[test]
fn a_point_that_is_too_deep_is_refused_alone() {
    use opentelemetry_proto::tonic::metrics::v1::{Gauge, Metric, NumberDataPoint, metric::Data};

    let deep = (0..40).fold(value_of(Value::IntValue(1)), |inner, _| {
        value_of(Value::ArrayValue(ArrayValue { values: vec![inner] }))
    });
    let point = |value: AnyValue| NumberDataPoint {
        attributes: vec![KeyValue { key: "k".to_owned(), value: Some(value), key_strindex: 0 }],
        ..Default::default()
    };
    let data_points = vec![point(deep), point(value_of(Value::IntValue(1)))];
    let metric = Metric { data: Some(Data::Gauge(Gauge { data_points })), ..Default::default() };
    let scope_metrics = vec![ScopeMetrics { metrics: vec![metric], ..Default::default() }];
    let resource_metrics = vec![ResourceMetrics { scope_metrics, ..Default::default() }];
    let accepted = otlp::metrics(ExportMetricsServiceRequest { resource_metrics }, Nanos(7));
    assert_eq!((accepted.rejected, accepted.batch.points.len()), (1, 1));
    assert_eq!(accepted.why, [(Refused::TooDeep, 1)]);
}

fn value_of(value: Value) -> AnyValue {
    AnyValue { value: Some(value) }
}

fn attribute(value: Value) -> KeyValue {
    KeyValue { key: "k".to_owned(), value: Some(value_of(value)), key_strindex: 0 }
}

#[test]
fn answers_are_written_as_the_specification_wants() {
    let partial = ExportTracePartialSuccess { rejected_spans: 2, error_message: "2 \"refused\"".to_owned() };
    let answer = ExportTraceServiceResponse { partial_success: Some(partial) };
    let text = otlp::to_json(&answer);
    assert_eq!(
        String::from_utf8(text).unwrap(),
        r#"{"partialSuccess":{"rejectedSpans":"2","errorMessage":"2 \"refused\""}}"#
    );
    assert_eq!(otlp::to_json(&ExportTraceServiceResponse::default()), b"{}");
}
