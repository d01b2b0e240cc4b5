//! Any OTLP message, as proptest makes it: odd numbers, doubled keys, empty values, ids of no use.

pub(crate) mod metrics;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z._]{0,12}",
        2 => "\\PC{0,16}",
        1 => any::<String>(),
        1 => Just("[{\"role\": \"user\"}, {\"role\": \"assistant\"}]".to_owned()),
    ]
}

/// Without "not a number", which is equal to nothing.
pub(crate) fn double() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>().prop_filter("equal to itself", |double| !double.is_nan()),
        any::<i32>().prop_map(f64::from),
        Just(f64::INFINITY),
        Just(-0.0),
    ]
}

pub(crate) fn value() -> impl Strategy<Value = AnyValue> {
    let leaf = prop_oneof![
        Just(None),
        text().prop_map(|text| Some(Value::StringValue(text))),
        any::<bool>().prop_map(|yes| Some(Value::BoolValue(yes))),
        any::<i64>().prop_map(|int| Some(Value::IntValue(int))),
        double().prop_map(|double| Some(Value::DoubleValue(double))),
        vec(any::<u8>(), 0..20).prop_map(|bytes| Some(Value::BytesValue(bytes))),
        any::<i32>().prop_map(|index| Some(Value::StringValueStrindex(index))),
    ]
    .prop_map(|value| AnyValue { value });
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4)
                .prop_map(|values| AnyValue { value: Some(Value::ArrayValue(ArrayValue { values })) }),
            vec(pair(inner), 0..4)
                .prop_map(|values| AnyValue { value: Some(Value::KvlistValue(KeyValueList { values })) }),
        ]
    })
}

fn pair(value: impl Strategy<Value = AnyValue>) -> impl Strategy<Value = KeyValue> {
    let key = prop_oneof![3 => text(), 1 => Just("event.name".to_owned()), 1 => Just("logfire.span_type".to_owned())];
    let strindex = prop_oneof![9 => Just(0), 1 => any::<i32>()];
    (key, option::weighted(0.9, value), strindex).prop_map(|(key, value, key_strindex)| KeyValue {
        key,
        value,
        key_strindex,
    })
}

pub(crate) fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    (vec(pair(value()), 0..6), any::<bool>()).prop_map(|(mut list, doubled)| {
        if doubled && let Some(first) = list.first().cloned() {
            list.push(first);
        }
        list
    })
}

/// The bytes of an id: often right, sometimes absent, all zero or of another length.
pub(crate) fn id(length: usize) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => vec(1u8.., length..=length),
        1 => Just(Vec::new()),
        1 => Just(vec![0; length]),
        1 => vec(any::<u8>(), 0..20),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    (any::<u64>(), text(), attributes(), any::<u32>()).prop_map(
        |(time_unix_nano, name, attributes, dropped_attributes_count)| Event {
            time_unix_nano,
            name,
            attributes,
            dropped_attributes_count,
        },
    )
}

fn link() -> impl Strategy<Value = Link> {
    (id(16), id(8), text(), attributes(), any::<u32>(), any::<u32>()).prop_map(
        |(trace_id, span_id, trace_state, attributes, dropped_attributes_count, flags)| Link {
            trace_id,
            span_id,
            trace_state,
            attributes,
            dropped_attributes_count,
            flags,
        },
    )
}

pub(crate) fn span() -> impl Strategy<Value = Span> {
    let ids = (id(16), id(8), id(8), text());
    let when = (any::<u64>(), prop_oneof![Just(0), any::<u64>()]);
    let status = option::of((text(), any::<i32>()).prop_map(|(message, code)| Status { message, code }));
    let lists = (attributes(), vec(event(), 0..3), vec(link(), 0..3));
    let numbers = (any::<u32>(), any::<i32>(), any::<u32>(), any::<u32>(), any::<u32>());
    // A span that Logfire tells before its end.
    let pending =
        option::weighted(0.1, prop_oneof![Just("0000000000000000".to_owned()), "[0-9a-f]{16}", text()]);
    (ids, text(), when, lists, numbers, status, pending).prop_map(
        |((trace_id, span_id, parent_span_id, trace_state), name, when, lists, numbers, status, pending)| {
            let (mut attributes, events, links) = lists;
            if let Some(parent) = pending {
                attributes.push(string("logfire.span_type", "pending_span"));
                attributes.push(string("logfire.pending_parent_id", &parent));
            }
            Span {
                trace_id,
                span_id,
                trace_state,
                parent_span_id,
                flags: numbers.0,
                name,
                kind: numbers.1,
                start_time_unix_nano: when.0,
                end_time_unix_nano: when.1,
                attributes,
                dropped_attributes_count: numbers.2,
                events,
                dropped_events_count: numbers.3,
                links,
                dropped_links_count: numbers.4,
                status,
            }
        },
    )
}

pub(crate) fn string(key: &str, text: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(text.to_owned())) });
    KeyValue { key: key.to_owned(), value, key_strindex: 0 }
}

pub(crate) fn log() -> impl Strategy<Value = LogRecord> {
    let event_name = prop_oneof![Just(String::new()), text()];
    let body = prop_oneof![value().boxed(), Just(string("", "gen_ai.choice").value.unwrap()).boxed()];
    let when = (any::<u64>(), any::<u64>());
    (
        when,
        any::<i32>(),
        text(),
        option::of(body),
        attributes(),
        any::<(u32, u32)>(),
        id(16),
        id(8),
        event_name,
    )
        .prop_map(
            |(
                when,
                severity_number,
                severity_text,
                body,
                attributes,
                numbers,
                trace_id,
                span_id,
                event_name,
            )| {
                LogRecord {
                    time_unix_nano: when.0,
                    observed_time_unix_nano: when.1,
                    severity_number,
                    severity_text,
                    body,
                    attributes,
                    dropped_attributes_count: numbers.0,
                    flags: numbers.1,
                    trace_id,
                    span_id,
                    event_name,
                }
            },
        )
}

pub(crate) fn resource() -> impl Strategy<Value = Resource> {
    let entity = (text(), text(), vec(text(), 0..3), vec(text(), 0..3)).prop_map(
        |(schema_url, r#type, id_keys, description_keys)| EntityRef {
            schema_url,
            r#type,
            id_keys,
            description_keys,
        },
    );
    (attributes(), any::<u32>(), vec(entity, 0..3)).prop_map(
        |(attributes, dropped_attributes_count, entity_refs)| Resource {
            attributes,
            dropped_attributes_count,
            entity_refs,
        },
    )
}

pub(crate) fn scope() -> impl Strategy<Value = InstrumentationScope> {
    (text(), text(), attributes(), any::<u32>()).prop_map(
        |(name, version, attributes, dropped_attributes_count)| InstrumentationScope {
            name,
            version,
            attributes,
            dropped_attributes_count,
        },
    )
}
