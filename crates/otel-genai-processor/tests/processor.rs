//! What the processor does with spans, whatever their vocabulary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod support;

use opentelemetry::trace::{SpanKind, Status};
use opentelemetry::{InstrumentationScope, KeyValue as Kv};
use opentelemetry_sdk::trace::SpanData;
use otel_genai::{Capture, ConventionName, Redactor};
use otel_genai_processor::GenAiSpanProcessor;
use support::{Pipeline, nested, span, with_event};

const DURATION: &str = "gen_ai.client.operation.duration";

fn chat(id: u64, parent: u64) -> SpanData {
    nested(
        "chat",
        id,
        parent,
        [
            Kv::new("gen_ai.operation.name", "chat"),
            Kv::new("gen_ai.system", "openai"),
            Kv::new("gen_ai.request.model", "gpt-4o"),
            Kv::new("gen_ai.usage.input_tokens", 10),
            Kv::new("gen_ai.prompt.0.role", "user"),
            Kv::new("gen_ai.prompt.0.content", "I am jo@example.com"),
            Kv::new("acme.tenant", "t-1"),
        ],
    )
}

fn measured(pipeline: &Pipeline) -> u64 {
    pipeline.metrics().get(DURATION).into_iter().flatten().map(|(_, count, _)| count).sum()
}

#[test]
fn by_default_old_words_stay_beside_the_new_and_no_event_is_told() {
    let pipeline = Pipeline::new(|builder| builder);
    let seen = pipeline.end(chat(1, 0));
    seen.says(&[
        ("gen_ai.provider.name", "openai"),
        ("gen_ai.system", "openai"),
        ("acme.tenant", "t-1"),
        // What the program chose to record stays, once.
        (
            "gen_ai.input.messages",
            r#"[{"role":"user","parts":[{"type":"text","content":"I am jo@example.com"}]}]"#,
        ),
    ]);
    assert_eq!(seen.get("gen_ai.prompt.0.content"), None);
    assert!(pipeline.events().is_empty());
    assert_eq!(measured(&pipeline), 1);
    assert_eq!(seen.data.instrumentation_scope.name(), "somebody's library");
}

#[test]
fn strict_takes_content_off_in_any_words() {
    let mut told = chat(1, 0);
    told.attributes.push(Kv::new("ai.response.text", "secret, and of another vocabulary"));
    told.attributes.push(Kv::new("gen_ai.prompt.name", "greeting"));
    let told = with_event(told, "gen_ai.user.message", [Kv::new("content", "secret")]);
    let told = with_event(told, "cache miss", [Kv::new("gen_ai.prompt", "secret"), Kv::new("key", "k")]);

    let pipeline = Pipeline::new(|builder| builder).map(GenAiSpanProcessor::strict);
    let seen = pipeline.end(told.clone());
    let all = format!("{:?}", seen.data);
    assert!(!all.contains("secret") && !all.contains("jo@example.com"), "{all}");
    seen.says(&[("acme.tenant", "t-1"), ("gen_ai.prompt.name", "greeting")]);
    let events: Vec<_> = seen.data.events.iter().map(|event| event.name.as_ref()).collect();
    assert_eq!(events, ["cache miss"]);

    let pipeline =
        Pipeline::new(|builder| builder.capture(Capture::EventOnly)).map(GenAiSpanProcessor::strict);
    assert_eq!(pipeline.end(told).get("gen_ai.input.messages"), None);
    assert!(pipeline.events()[0].1["gen_ai.input.messages"].contains("jo@example.com"));
}

#[test]
fn content_is_redacted_understood_or_not() {
    let mut told = chat(1, 0);
    told.attributes.push(Kv::new("mlflow.spanInputs", "mail jo@example.com"));
    told.status = Status::error("refused jo@example.com");
    let told = with_event(
        told,
        "exception",
        [Kv::new("exception.type", "Refused"), Kv::new("exception.message", "refused jo@example.com")],
    );
    for convention in ConventionName::ALL {
        let pipeline = Pipeline::new(|builder| {
            builder.convention(convention).capture(Capture::SpanAndEvent).redact(Redactor::all())
        });
        let seen = pipeline.end(told.clone());
        let all = format!("{:?} {:?}", seen.data, pipeline.events());
        assert!(!all.contains("jo@example.com"), "{convention}: {all}");
        seen.says(&[("error.type", "Refused")]);
    }
}

#[test]
fn each_convention_in_its_own_words() {
    for (convention, key, name) in [
        (ConventionName::V2026_08, "gen_ai.provider.name", "chat gpt-4o"),
        (ConventionName::V2026_10, "gen_ai.provider.name", "chat gpt-4o"),
        (ConventionName::LoongSuite, "gen_ai.span.kind", "chat gpt-4o"),
        (ConventionName::V1_30, "gen_ai.system", "chat gpt-4o"),
    ] {
        let pipeline =
            Pipeline::new(|builder| builder.convention(convention)).map(GenAiSpanProcessor::drop_originals);
        let seen = pipeline.end(chat(1, 0));
        assert_eq!(seen.data.name, name, "{convention}");
        assert!(seen.get(key).is_some(), "{convention}: {:?}", seen.keys());
        assert!(!pipeline.metrics().is_empty(), "{convention}");
        let has_system = seen.get("gen_ai.system").is_some();
        assert_eq!(has_system, convention == ConventionName::V1_30, "{convention}");
    }
}

#[test]
fn what_is_no_call_of_somebody_elses_passes_untouched() {
    let pipeline = Pipeline::new(|builder| builder);
    let mut own = chat(1, 0);
    own.instrumentation_scope = InstrumentationScope::builder("otel-genai").build();
    let mut server = chat(2, 0);
    server.span_kind = SpanKind::Server;
    let http = span("GET", [Kv::new("http.request.method", "GET"), Kv::new("input.value", "x")]);
    let unknown = span(
        "draw",
        [
            Kv::new("gen_ai.operation.name", "image_generation"),
            Kv::new("gen_ai.system", "openai"),
            Kv::new("gen_ai.request.model", "m"),
        ],
    );
    for untouched in [own, server, http, unknown] {
        assert_eq!(pipeline.end(untouched.clone()).data, untouched);
    }
    assert_eq!(measured(&pipeline), 0);
}

#[test]
fn a_call_that_two_layers_tell_is_measured_once() {
    let pipeline = Pipeline::new(|builder| builder.capture(Capture::SpanAndEvent));
    // A framework's call, an HTTP span, and within it the client's own.
    pipeline.end(chat(3, 2));
    pipeline.end(nested("POST", 2, 1, [Kv::new("http.request.method", "POST")]));
    let outer = pipeline.end(chat(1, 0));
    outer.says(&[("gen_ai.provider.name", "openai")]);
    assert_eq!(measured(&pipeline), 1);
    assert_eq!(pipeline.events().len(), 1);

    // The inner one is ours: it has been measured already.
    let mut own = chat(12, 11);
    own.instrumentation_scope = InstrumentationScope::builder("otel-genai").build();
    pipeline.end(own);
    pipeline.end(chat(11, 0));
    assert_eq!(measured(&pipeline), 1);

    // A tool that asks a model is no such case.
    pipeline.end(chat(23, 22));
    let tool = [Kv::new("gen_ai.operation.name", "execute_tool"), Kv::new("gen_ai.tool.name", "ask")];
    pipeline.end(nested("tool", 22, 21, tool));
    pipeline.end(chat(21, 0));
    assert_eq!(measured(&pipeline), 3);
}

#[test]
fn an_agent_knows_its_calls() {
    let pipeline = Pipeline::new(|builder| builder);
    let agent = || [Kv::new("gen_ai.operation.name", "invoke_agent"), Kv::new("gen_ai.agent.name", "a")];
    let tool = || [Kv::new("gen_ai.operation.name", "execute_tool"), Kv::new("gen_ai.tool.name", "t")];
    pipeline.end(chat(2, 1));
    pipeline.end(nested("tool", 3, 1, tool()));
    pipeline.end(chat(4, 1));
    // An agent within has its own.
    pipeline.end(chat(6, 5));
    pipeline.end(nested("agent", 5, 1, agent()));
    pipeline.end(nested("agent", 1, 0, agent()));
    let metrics = pipeline.metrics();
    let calls: Vec<_> = metrics.iter().filter(|(name, _)| name.contains("calls")).collect();
    let sum = |what: &str| -> f64 {
        calls
            .iter()
            .filter(|(name, _)| name.contains(what))
            .flat_map(|(_, points)| *points)
            .map(|p| p.2)
            .sum()
    };
    assert_eq!((sum("inference"), sum("tool")), (3.0, 1.0), "{:?}", metrics.keys());
}

#[test]
fn errors_have_a_type_and_success_has_no_status() {
    let pipeline = Pipeline::new(|builder| builder);
    let mut failed = chat(1, 0);
    failed.status = Status::error("slow down");
    let seen = pipeline.end(failed.clone());
    seen.says(&[("error.type", "_OTHER")]);
    assert_eq!(seen.data.status, Status::error("slow down"));
    let told = pipeline.events();
    assert_eq!(told[0].0, "gen_ai.client.operation.exception");
    failed.attributes.push(Kv::new("error.type", "rate_limit"));
    pipeline.end(failed).says(&[("error.type", "rate_limit")]);
    assert!(
        pipeline.metrics()[DURATION]
            .iter()
            .any(|(a, _, _)| a.get("error.type").is_some_and(|t| t == "rate_limit"))
    );
    let mut well = chat(1, 0);
    well.status = Status::Ok;
    assert_eq!(pipeline.end(well).data.status, Status::Unset);
}

#[test]
fn rewriting_alone_measures_nothing() {
    let pipeline =
        Pipeline::new(|builder| builder.capture(Capture::SpanAndEvent)).map(GenAiSpanProcessor::rewrite_only);
    assert_eq!(pipeline.end(chat(1, 0)).data.name, "chat gpt-4o");
    assert_eq!(measured(&pipeline), 0);
    assert!(pipeline.events().is_empty());
}

#[test]
fn content_that_nobody_understands_stays() {
    let pipeline = Pipeline::new(|builder| builder).map(GenAiSpanProcessor::drop_originals);
    let mut told = chat(1, 0);
    told.attributes.retain(|attribute| !attribute.key.as_str().starts_with("gen_ai.prompt"));
    told.attributes.push(Kv::new("gen_ai.input.messages", "[{\"role\":7}, 3]"));
    told.attributes.push(Kv::new("gen_ai.request.temperature", "warm"));
    let seen = pipeline.end(told);
    seen.says(&[("gen_ai.request.temperature", "warm")]);
    assert!(seen.get("gen_ai.input.messages").is_some());
}
