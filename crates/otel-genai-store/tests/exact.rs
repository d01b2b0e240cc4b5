//! What came as OTLP is given back without a difference.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

#[allow(dead_code, reason = "shared with the other tests")]
mod support;

use std::sync::Arc;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue};
use opentelemetry_proto::tonic::trace::v1 as otlp;
use otel_genai_store::otlp::Refused;
use otel_genai_store::{
    Attribute, Attributes, Form, Glue, Held, LogRecord, Nanos, Origin, Piece, Pieces, Resource, Scope, Span,
    SpanState, UNKNOWN_SERVICE,
};
use proptest::option;
use proptest::prelude::*;
use support::string;

fn origin() -> Arc<Origin> {
    Arc::new(Origin::default())
}

proptest! {
    #[test]
    fn spans(span in support::span()) {
        match Span::from_otlp(span.clone(), &origin(), Nanos(7)) {
            Ok(ours) => prop_assert_eq!(ours.to_otlp(), span),
            Err(Refused::TraceId) => prop_assert!(span.trace_id.len() != 16 || span.trace_id == [0; 16]),
            Err(_) => prop_assert!(span.span_id.len() != 8 || span.span_id == [0; 8]),
        }
    }

    #[test]
    fn logs(log in support::log()) {
        let ours = LogRecord::from_otlp(log.clone(), &origin(), Nanos(7)).unwrap();
        prop_assert_eq!(ours.to_otlp(), log);
    }

    #[test]
    fn origins(resource in option::of(support::resource()), scope in option::of(support::scope()), url in support::text()) {
        let ours = Resource::from_otlp(resource.clone(), url.clone());
        prop_assert_eq!(ours.to_otlp(), resource);
        prop_assert_eq!(ours.schema_url.as_ref(), &url);
        prop_assert_eq!(Scope::from_otlp(scope.clone(), url).to_otlp(), scope);
    }
}

fn any(value: Value) -> AnyValue {
    AnyValue { value: Some(value) }
}

fn attributes(pairs: Vec<(&str, Value)>) -> Attributes {
    let each = |(key, value): (&str, _)| Attribute {
        key: key.into(),
        strindex: 0,
        value: Held::Whole(Some(any(value))),
    };
    Attributes(pairs.into_iter().map(each).collect())
}

#[test]
fn numbers_are_read_however_an_exporter_wrote_them() {
    let of = attributes(vec![
        ("int", Value::IntValue(1)),
        ("int", Value::IntValue(12)),
        ("double", Value::DoubleValue(12.0)),
        ("digits", Value::StringValue(" 12 ".to_owned())),
        ("decimal", Value::StringValue("12.0".to_owned())),
        ("fraction", Value::DoubleValue(0.5)),
        ("nan", Value::StringValue("NaN".to_owned())),
        ("words", Value::StringValue("twelve".to_owned())),
        ("yes", Value::StringValue("True".to_owned())),
        ("no", Value::BoolValue(false)),
        ("large", Value::DoubleValue(1e300)),
    ]);
    for key in ["int", "double", "digits", "decimal"] {
        assert_eq!(of.int(key), Some(12), "{key}");
        assert_eq!(of.float(key), Some(12.0), "{key}");
    }
    assert_eq!((of.int("fraction"), of.float("fraction")), (None, Some(0.5)));
    assert_eq!((of.int("nan"), of.float("nan"), of.int("words"), of.int("large")), (None, None, None, None));
    assert_eq!((of.bool("yes"), of.bool("no"), of.bool("int")), (Some(true), Some(false), None));
    assert_eq!(of.text("int"), None);
}

#[test]
fn lists_are_read_as_arrays_and_as_the_text_of_one() {
    let texts = ["stop", "length"].map(|text| any(Value::StringValue(text.to_owned()))).to_vec();
    let of = attributes(vec![
        ("array", Value::ArrayValue(ArrayValue { values: texts })),
        ("text", Value::StringValue(r#"["stop", "length", 3]"#.to_owned())),
        ("broken", Value::StringValue(r#"["stop", "#.to_owned())),
    ]);
    for key in ["array", "text"] {
        assert_eq!(of.texts(key), Some(vec!["stop".to_owned(), "length".to_owned()]), "{key}");
    }
    assert_eq!(of.texts("broken"), None);
    assert_eq!(of.json("broken"), Some(r#"["stop", "#.into()));
    assert_eq!(of.json("array").unwrap()[1], "length");
}

#[test]
fn pieces_are_read_like_the_value_they_make() {
    let piece = |form, bytes: &str| Arc::new(Piece::new(form, bytes.as_bytes().to_vec().into()));
    let text = |glue, parts: &[&str]| {
        Held::Pieces(Pieces { glue, list: parts.iter().map(|part| piece(Form::Text, part)).collect() })
    };
    assert_eq!(text(Glue::One, &["as it is"]).text().unwrap(), "as it is");
    assert_eq!(text(Glue::JsonTight, &["{}", "1"]).text().unwrap(), "[{},1]");
    assert_eq!(text(Glue::JsonSpaced, &["{}", "1"]).text().unwrap(), "[{}, 1]");
    assert_eq!(text(Glue::JsonSpaced, &[]).text().unwrap(), "[]");
    assert_eq!(text(Glue::JsonTight, &["{\"a\":2}"]).json().unwrap()[0]["a"], 2);
    assert_eq!(*text(Glue::JsonTight, &["3"]).value().unwrap(), any(Value::StringValue("[3]".to_owned())));

    let values = [any(Value::IntValue(3)), AnyValue { value: None }];
    let encoded =
        |value: &AnyValue| Arc::new(Piece::new(Form::Value, prost::Message::encode_to_vec(value).into()));
    let array = Held::Pieces(Pieces { glue: Glue::Array, list: values.iter().map(encoded).collect() });
    assert_eq!(array.into_value(), Some(any(Value::ArrayValue(ArrayValue { values: values.to_vec() }))));

    let one = piece(Form::Text, "{}");
    assert_eq!(one.hash, piece(Form::Text, "{}").hash);
    assert_ne!(one.hash, piece(Form::Value, "{}").hash);
    let damaged = Pieces { glue: Glue::One, list: vec![piece(Form::Value, "not protobuf")] };
    assert!(Held::Pieces(damaged).value().is_none());
}

#[test]
fn a_span_that_logfire_tells_before_its_end_stands_for_its_parent() {
    let span = otlp::Span {
        trace_id: vec![1; 16],
        span_id: vec![9; 8],
        parent_span_id: vec![2; 8],
        end_time_unix_nano: 5,
        attributes: vec![
            string("logfire.span_type", "pending_span"),
            string("logfire.pending_parent_id", "0303030303030303"),
        ],
        ..otlp::Span::default()
    };
    let ours = Span::from_otlp(span.clone(), &origin(), Nanos(7)).unwrap();
    assert_eq!(ours.key.span.bytes(), &[2; 8]);
    assert_eq!(ours.parent.unwrap().bytes(), &[3; 8]);
    assert_eq!(ours.state, SpanState::Running);
    assert_eq!(ours.to_otlp(), span);
    // Started when it was received, as far as anybody knows.
    assert_eq!(ours.row().start, Nanos(7));
}

#[test]
fn events_are_named_by_the_name_the_attribute_or_the_body() {
    let log = |event: &str, attributes, body: Option<&str>| {
        let log = opentelemetry_proto::tonic::logs::v1::LogRecord {
            event_name: event.to_owned(),
            attributes,
            body: body.map(|text| any(Value::StringValue(text.to_owned()))),
            ..Default::default()
        };
        LogRecord::from_otlp(log, &origin(), Nanos(7)).unwrap().event
    };
    let named = || vec![string("event.name", "by.attribute")];
    assert_eq!(log("by.name", named(), None).as_deref(), Some("by.name"));
    assert_eq!(log("", named(), Some("gen_ai.choice")).as_deref(), Some("by.attribute"));
    assert_eq!(log("", vec![], Some("claude_code.api_request")).as_deref(), Some("claude_code.api_request"));
    assert_eq!(log("", vec![], Some("gen_ai.choice was made")), None);
    assert_eq!(log("", vec![], Some("hello")), None);
}

#[test]
fn a_resource_without_a_name_is_unknown() {
    assert_eq!(Resource::default().service.as_ref(), UNKNOWN_SERVICE);
    let named = otlp_resource("shop");
    assert_eq!(Resource::from_otlp(Some(named), String::new()).service.as_ref(), "shop");
    assert_eq!(Resource::from_otlp(Some(otlp_resource("")), String::new()).service.as_ref(), UNKNOWN_SERVICE);
}

fn otlp_resource(name: &str) -> opentelemetry_proto::tonic::resource::v1::Resource {
    let attributes = vec![string("service.name", name)];
    opentelemetry_proto::tonic::resource::v1::Resource { attributes, ..Default::default() }
}
