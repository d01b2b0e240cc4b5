//! Whatever stands on a span, nothing panics and nothing that is not understood is lost.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod support;

use opentelemetry::trace::{SpanKind, Status};
use opentelemetry::{Array, KeyValue, Value};
use otel_genai::Capture;
use otel_genai_processor::{GenAiSpanProcessor, recognise};
use proptest::prelude::*;
use support::{Pipeline, span, with_event};

/// Names that mean something, next to some that do not.
const NAMES: &[&str] = &[
    "gen_ai.operation.name",
    "gen_ai.system",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.request.temperature",
    "gen_ai.request.top_k",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.prompt_tokens",
    "gen_ai.response.finish_reasons",
    "gen_ai.response.time_to_first_chunk",
    "ai.response.msToFirstChunk",
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
    "gen_ai.prompt",
    "gen_ai.prompt.0.role",
    "gen_ai.prompt.0.content",
    "gen_ai.prompt.0.content.deeper.9",
    "gen_ai.prompt.99999999999999999999.role",
    "gen_ai.completion.1.tool_calls.0.name",
    "llm.input_messages.0.message.contents.0.message_content.type",
    "llm.invocation_parameters",
    "llm.request.type",
    "openinference.span.kind",
    "traceloop.span.kind",
    "traceloop.entity.name",
    "ai.operationId",
    "ai.response.toolCalls",
    "input.value",
    "output.value",
    "retrieval.documents.0.document.metadata",
    "server.port",
    "error.type",
    "acme.note",
    "http.request.method",
];

const WORDS: &[&str] = &[
    "chat",
    "embeddings",
    "execute_tool",
    "invoke_agent",
    "retrieval",
    "rerank",
    "create_memory",
    "LLM",
    "TOOL",
    "AGENT",
    "RETRIEVER",
    "completion",
    "workflow",
    "ai.streamText",
    "ai.embed.doEmbed",
    "",
    "[",
    "null",
    "{}",
    "[[[[[[\"deep\"]]]]]]",
    r#"[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:;base64,"}},7,null]}]"#,
    r#"{"messages":[{"role":"tool","content":null}],"message":{"message":{}}}"#,
    r#"[{"name":"f","function":{"name":1}}]"#,
];

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        prop::sample::select(WORDS).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        prop::collection::vec(".{0,6}", 0..3)
            .prop_map(|texts| Value::Array(Array::String(texts.into_iter().map(Into::into).collect()))),
        prop::collection::vec(any::<f64>(), 0..3).prop_map(|numbers| Value::Array(Array::F64(numbers))),
    ]
}

fn attribute() -> impl Strategy<Value = KeyValue> {
    let name = prop_oneof![4 => prop::sample::select(NAMES).prop_map(str::to_owned), 1 => "[a-z.0-9]{1,12}"];
    (name, value()).prop_map(|(name, value)| KeyValue::new(name, value))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost(
        attributes in prop::collection::vec(attribute(), 0..24),
        of_event in prop::collection::vec(attribute(), 0..4),
        error in prop::option::of(".{0,8}"),
        client in any::<bool>(),
        drops in any::<bool>(),
        captured in any::<bool>(),
    ) {
        let mut made = with_event(span("made", attributes), "gen_ai.choice", of_event);
        made.span_kind = if client { SpanKind::Client } else { SpanKind::Internal };
        if let Some(error) = error {
            made.status = Status::error(error);
        }
        let recognised = recognise(&made);
        let understood: Vec<String> =
            recognised.iter().flat_map(otel_genai_processor::Recognised::understood).map(str::to_owned).collect();
        let capture = if captured { Capture::SpanAndEvent } else { Capture::NoContent };
        let pipeline = Pipeline::new(|builder| builder.capture(capture));
        let pipeline = if drops { pipeline.map(GenAiSpanProcessor::drop_originals) } else { pipeline };
        let seen = pipeline.end(made.clone());
        prop_assert_eq!(&seen.data.span_context, &made.span_context);
        prop_assert_eq!(seen.data.events.len(), made.events.len());
        for attribute in &made.attributes {
            let key = attribute.key.as_str();
            let stays = seen.data.attributes.iter().any(|seen| seen.key.as_str() == key);
            prop_assert!(stays || understood.iter().any(|name| name == key), "{} is lost", key);
        }
        match recognised {
            None => prop_assert_eq!(&seen.data.attributes, &made.attributes),
            // A span that was rewritten is of the convention: it says which operation it is.
            Some(_) => prop_assert!(seen.data.attributes.iter().any(|a| a.key.as_str() == "gen_ai.operation.name")),
        }
    }
}
