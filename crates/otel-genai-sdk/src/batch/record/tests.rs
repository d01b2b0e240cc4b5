//! What is written here is what the SDK's exporter would have sent.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use opentelemetry::logs::{LogRecord as _, Logger as _, LoggerProvider as _, Severity};
use opentelemetry::trace::{Event, Link, TraceFlags, TraceId, TraceState};
use opentelemetry_proto::tonic::common::v1 as common;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource as ResourceMessage;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::trace::{SpanEvents, SpanLinks};
use prost::Message as _;

use super::*;

fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}

fn attributes() -> Vec<KeyValue> {
    vec![
        KeyValue::new("text", "words"),
        KeyValue::new("empty", ""),
        KeyValue::new("", "nameless"),
        KeyValue::new("long", "長い".repeat(40_000)),
        KeyValue::new("false", false),
        KeyValue::new("true", true),
        KeyValue::new("zero", 0),
        KeyValue::new("negative", -7),
        KeyValue::new("half", 0.5),
        KeyValue::new("none", 0.0),
        KeyValue::new(
            "texts",
            Value::Array(Array::String(vec!["a".into(), "".into(), "b".repeat(300).into()])),
        ),
        KeyValue::new("numbers", Value::Array(Array::I64(vec![0, 1, i64::MAX, i64::MIN]))),
        KeyValue::new("fractions", Value::Array(Array::F64(vec![0.0, -1.5]))),
        KeyValue::new("answers", Value::Array(Array::Bool(vec![true, false]))),
        KeyValue::new("nothing", Value::Array(Array::I64(Vec::new()))),
    ]
}

fn context(span: u64, remote: bool) -> SpanContext {
    let state = TraceState::from_key_value([("a", "1"), ("b", "2")]).unwrap();
    SpanContext::new(TraceId::from(7), SpanId::from(span), TraceFlags::SAMPLED, remote, state)
}

fn full_span(status: Status) -> SpanData {
    let start = UNIX_EPOCH + Duration::from_nanos(1_780_000_000_123_456_789);
    let mut events = SpanEvents::default();
    events.events = vec![Event::new("happened", start, attributes(), 3), Event::with_name("again")];
    events.dropped_count = 4;
    let mut links = SpanLinks::default();
    links.links = vec![Link::new(context(9, true), attributes(), 5), Link::with_context(context(10, false))];
    links.dropped_count = 300;
    SpanData {
        span_context: context(8, false),
        parent_span_id: SpanId::from(6),
        parent_span_is_remote: true,
        span_kind: SpanKind::Client,
        name: Cow::Borrowed("chat gpt-4o"),
        start_time: start,
        end_time: start + Duration::from_secs(1),
        attributes: attributes(),
        dropped_attributes_count: 2,
        events,
        links,
        status,
        instrumentation_scope: InstrumentationScope::default(),
    }
}

#[test]
fn a_span_with_everything() {
    for status in [Status::Unset, Status::Ok, Status::error("it broke"), Status::error("")] {
        let data = full_span(status);
        let read = Span::decode(&*written(|out| span(out, &data))).unwrap();
        assert_eq!(read, Span::from(data));
    }
}

#[test]
fn a_span_with_nothing() {
    let mut data = full_span(Status::Unset);
    data.parent_span_id = SpanId::INVALID;
    data.parent_span_is_remote = false;
    data.name = Cow::Borrowed("");
    data.span_kind = SpanKind::Internal;
    data.attributes.clear();
    (data.events, data.links) = (SpanEvents::default(), SpanLinks::default());
    let read = Span::decode(&*written(|out| span(out, &data))).unwrap();
    assert_eq!(read, Span::from(data));
}

#[test]
fn a_log_record_with_everything_and_one_with_nothing() {
    let logger = SdkLoggerProvider::builder().build().logger("test");
    let nothing = {
        let mut record = logger.create_log_record();
        record.set_observed_timestamp(UNIX_EPOCH + Duration::from_secs(2));
        record
    };
    // One pair a map: their order is chance.
    let map = |name: &'static str, value: AnyValue| {
        AnyValue::Map(Box::new(HashMap::from([(Key::from_static_str(name), value)])))
    };
    let mut full = nothing.clone();
    full.set_event_name("gen_ai.client.inference.operation.details");
    full.set_timestamp(UNIX_EPOCH + Duration::from_nanos(1));
    full.set_severity_number(Severity::Info2);
    full.set_severity_text("INFO2");
    full.set_trace_context(TraceId::from(7), SpanId::from(8), Some(TraceFlags::SAMPLED));
    full.set_body(map("body", AnyValue::Int(0)));
    full.add_attribute("text", "words".repeat(100));
    full.add_attribute("bytes", AnyValue::Bytes(Box::new(vec![0, 1, 255])));
    full.add_attribute("no bytes", AnyValue::Bytes(Box::default()));
    full.add_attribute("flag", false);
    full.add_attribute("fraction", 0.0);
    full.add_attribute(
        "messages",
        AnyValue::ListAny(Box::new(vec![
            map("role", "user".into()),
            map("parts", AnyValue::ListAny(Box::new(vec![map("content", "東京".repeat(20_000).into())]))),
            map("", "".into()),
            AnyValue::ListAny(Box::default()),
        ])),
    );
    for record in [nothing, full] {
        let read = LogRecord::decode(&*written(|out| log(out, &record))).unwrap();
        assert_eq!(read, LogRecord::from(&record));
    }
}

#[test]
fn who_speaks() {
    let own = InstrumentationScope::builder("scope")
        .with_version("1.2")
        .with_schema_url("https://example.com/1")
        .with_attributes(attributes())
        .build();
    for name in [None, Some("target")] {
        let read = common::InstrumentationScope::decode(&*written(|out| scope(out, &own, name))).unwrap();
        assert_eq!(read, (&own, name.map(Cow::Borrowed)).into());
    }
    let own = Resource::builder_empty().with_attributes(attributes()).build();
    let read = ResourceMessage::decode(&*written(|out| resource(out, &own))).unwrap();
    assert_eq!(read.attributes, ResourceAttributesWithSchema::from(&own).attributes.0);
}
