//! Content is kept once, and comes back as it came.

use std::collections::HashMap;
use std::sync::Arc;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::logs::v1 as otlp_logs;
use opentelemetry_proto::tonic::trace::v1 as otlp;
use otel_genai_store::{Attributes, ContentHash, Form, Held, LogRecord, Nanos, Span, Store, Which};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::{batch, noon, of_trace, origin, span as span_of, span_id, trace_id};
use crate::support::{self, string};

fn some(value: Value) -> Option<AnyValue> {
    Some(AnyValue { value: Some(value) })
}

/// Values that are content or look like it, and bytes that pretend to be a hole.
fn value() -> impl Strategy<Value = Option<AnyValue>> {
    let element =
        "(\\{\"role\":\"user\",\"content\":\"[a-z \\\\\"\\]]{0,40}\"\\}|[0-9]{1,9}| ?\"[a-z]{30,90}\" ?)";
    let list = (vec(element, 0..8), prop_oneof![Just(","), Just(", "), Just(",\n  ")])
        .prop_map(|(elements, joint)| format!("[{}]", elements.join(joint)));
    let text = prop_oneof![list, support::text(), "[a-z ]{500,700}"];
    let forged = vec(any::<u8>(), 0..8).prop_map(|rest| [b"\xf5OGhole\x01".to_vec(), rest].concat());
    let bytes = prop_oneof![forged, vec(any::<u8>(), 0..700)];
    prop_oneof![
        4 => text.prop_map(|text| some(Value::StringValue(text))),
        1 => bytes.prop_map(|bytes| some(Value::BytesValue(bytes))),
        1 => vec(support::value(), 0..6).prop_map(|values| some(Value::ArrayValue(ArrayValue { values }))),
        1 => vec((support::text(), support::value()), 0..6).prop_map(|pairs| {
            let pair = |(key, value)| KeyValue { key, value: Some(value), key_strindex: 0 };
            some(Value::KvlistValue(KeyValueList { values: pairs.into_iter().map(pair).collect() }))
        }),
        1 => Just(None),
    ]
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    let key = prop_oneof![
        Just("gen_ai.input.messages"),
        Just("gen_ai.system_instructions"),
        Just("llm.input_messages.0.message.content"),
        Just("event.name"),
        Just("logfire.span_type"),
        Just("app.note"),
    ];
    let one =
        (key, value()).prop_map(|(key, value)| KeyValue { key: key.to_owned(), value, key_strindex: 0 });
    vec(one, 0..6)
}

fn span() -> impl Strategy<Value = otlp::Span> {
    (attributes(), vec(attributes(), 0..3), vec(attributes(), 0..2)).prop_map(
        |(attributes, events, links)| {
            let event = |attributes| otlp::span::Event { attributes, ..Default::default() };
            let link = |attributes| otlp::span::Link { attributes, ..Default::default() };
            otlp::Span {
                attributes,
                events: events.into_iter().map(event).collect(),
                links: links.into_iter().map(link).collect(),
                end_time_unix_nano: 5,
                ..Default::default()
            }
        },
    )
}

fn log() -> impl Strategy<Value = otlp_logs::LogRecord> {
    let event_name = prop_oneof![Just(String::new()), Just("gen_ai.choice".to_owned())];
    (attributes(), value(), event_name).prop_map(|(attributes, body, event_name)| otlp_logs::LogRecord {
        attributes,
        body,
        event_name,
        ..Default::default()
    })
}

/// Whatever is said comes back, and what was read can be stored again as it is.
pub(crate) async fn whatever_is_said_comes_back(store: &impl Store) {
    let mut runner = TestRunner::deterministic();
    for trace in 0..24 {
        let mut spans = vec(span(), 1..8).new_tree(&mut runner).unwrap().current();
        let mut logs = vec(log(), 1..8).new_tree(&mut runner).unwrap().current();
        for (number, span) in (0..).zip(&mut spans) {
            span.trace_id = trace_id(trace).bytes().to_vec();
            span.span_id = span_id(number).bytes().to_vec();
        }
        for (number, log) in (1..).zip(&mut logs) {
            log.time_unix_nano = number;
            log.trace_id = trace_id(trace).bytes().to_vec();
        }
        let origin = origin("shop");
        let told = |span: &otlp::Span| Span::from_otlp(span.clone(), &origin, Nanos(7)).unwrap();
        let noted =
            |log: &otlp_logs::LogRecord| LogRecord::from_otlp(log.clone(), &origin, Nanos(7)).unwrap();
        let all = batch(spans.iter().map(told).collect(), logs.iter().map(noted).collect());
        let stored = store.ingest(all.clone()).await.unwrap();
        let mut found = store.spans(trace_id(trace), Which::All).await.unwrap();
        found.sort_by_key(|span| span.key);
        assert_eq!(found.iter().map(Span::to_otlp).collect::<Vec<_>>(), spans);
        let records = of_trace(store, trace_id(trace)).await;
        assert_eq!(records.iter().map(LogRecord::to_otlp).collect::<Vec<_>>(), logs);
        let events = |logs: &[LogRecord]| logs.iter().map(|log| log.event.clone()).collect::<Vec<_>>();
        assert_eq!(events(&records), events(&all.logs));
        let copied = batch(found, records);
        assert_eq!(store.ingest(all).await.unwrap().known, stored.spans + stored.logs);
        assert_eq!(store.ingest(copied).await.unwrap().known, stored.spans + stored.logs);
    }
}

/// Text that compresses about as text does.
fn words(seed: u64, count: u64) -> String {
    let words =
        "the model answers order where is my parcel tool weather Berlin please tomorrow maybe seven of nine";
    let words: Vec<&str> = words.split(' ').collect();
    let word = |at: u64| {
        let mixed = (seed * 1_000 + at).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        format!("{}{}", words[usize::try_from(mixed).unwrap() % words.len()], mixed % 97)
    };
    (0..count).map(word).collect::<Vec<_>>().join(" ")
}

fn message(number: u64) -> String {
    let role = if number % 2 == 1 { "user" } else { "assistant" };
    format!(r#"{{"role": "{role}", "parts": [{{"type": "text", "content": "{}"}}]}}"#, words(number, 60))
}

/// A conversation whose every call tells all that was said before.
pub(crate) fn growing(calls: u64) -> Vec<Span> {
    let tools =
        format!(r#"[{{"type": "function", "name": "search", "description": "{}"}}]"#, words(7_777, 200));
    let call = |number: u64| {
        let history: Vec<String> = (0..number * 2 + 1).map(message).collect();
        let told = otlp::Span {
            trace_id: trace_id(1).bytes().to_vec(),
            span_id: span_id(number).bytes().to_vec(),
            name: "chat gpt-5".to_owned(),
            start_time_unix_nano: noon() + number,
            end_time_unix_nano: noon() + number + 1,
            attributes: vec![
                string("gen_ai.operation.name", "chat"),
                string("gen_ai.tool.definitions", &tools),
                string("gen_ai.input.messages", &format!("[{}]", history.join(", "))),
                string("gen_ai.output.messages", &format!("[{}]", message(number * 2 + 1))),
            ],
            ..otlp::Span::default()
        };
        Span::from_otlp(told, &origin("shop"), Nanos::now()).unwrap()
    };
    (0..calls).map(call).collect()
}

/// A history that is told a thousand times is in memory once.
pub(crate) async fn a_history_told_often_is_in_memory_once(store: &impl Store) {
    let calls = 200;
    store.ingest(batch(growing(calls), vec![])).await.unwrap();
    let spans = store.spans(trace_id(1), Which::All).await.unwrap();
    let mut pieces = HashMap::new();
    for span in &spans {
        for attribute in &span.attributes.0 {
            if let Held::Pieces(held) = &attribute.value {
                for piece in &held.list {
                    pieces.insert(Arc::as_ptr(piece), piece.bytes.len());
                }
            }
        }
    }
    let unique: usize = (0..calls * 2 + 1).map(|number| message(number).len()).sum();
    let held: usize = pieces.values().sum();
    assert!(held >= unique && held < unique + 4_000, "{held} bytes for {unique}");
}

/// A piece is found by its hash, whatever trace is told to have it.
pub(crate) async fn content_is_found_by_its_hash(store: &impl Store) {
    store.ingest(batch(growing(2), vec![])).await.unwrap();
    let text = message(2);
    let hash = ContentHash::of(Form::Text as u8, text.as_bytes());
    for near in [None, Some(trace_id(1)), Some(trace_id(2))] {
        let piece = store.content(hash, near).await.unwrap().unwrap();
        assert_eq!((piece.hash, piece.form, piece.bytes.as_ref()), (hash, Form::Text, text.as_bytes()));
    }
    let other = ContentHash::of(Form::Value as u8, text.as_bytes());
    assert!(store.content(other, None).await.unwrap().is_none());
}

/// Content is part of what a span says: another one under the same ids is kept beside it.
pub(crate) async fn other_content_is_another_span(store: &impl Store) {
    let said = |words: &str| {
        let mut span = span_of(1, 1, None, noon());
        span.attributes = Attributes::from_otlp(vec![string("gen_ai.input.messages", words)]);
        span
    };
    let (one, other) = (said("It was the best of times, it was"), said("the worst of times, it was the age"));
    assert_eq!(store.ingest(batch(vec![one.clone()], vec![])).await.unwrap().spans, 1);
    assert_eq!(store.ingest(batch(vec![other.clone()], vec![])).await.unwrap().spans, 1);
    assert_eq!(store.ingest(batch(vec![other, one], vec![])).await.unwrap().known, 2);
    assert_eq!(store.spans(trace_id(1), Which::All).await.unwrap().len(), 2);
}
