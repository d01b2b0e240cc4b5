//! Two conventions at once, while a system moves from one to the other.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod exported;

use exported::{Exported, attributes, exported, map};
use opentelemetry::logs::Severity;
use otel_genai::{Active, Capture, GenAi, Inference, Message};
use serde_json::json;

fn chat(genai: &GenAi) -> Active<Inference> {
    let mut call = genai.chat("azure.ai.openai", "gpt-4o").server("example.com", 443).start();
    call.input([Message::user("Hi")]);
    call.output([Message::assistant("Hello").finish("stop")]);
    call.openai.response_service_tier = Some("default".into());
    call.response_mut().finish_reasons = vec!["stop".into()];
    call.usage(15, 20);
    call.usage.cache_write_input_tokens = Some(5);
    call
}

fn told(conventions: &str, capture: Capture) -> Exported {
    let t = exported(conventions, capture);
    let mut call = chat(&t.genai);
    call.chunk();
    call.chunk();
    call.finish();
    t
}

/// Every attribute that either convention has alone is there together; where both have one, the first decides.
#[test]
fn spans_have_the_attributes_of_both() {
    for (first, second) in
        [("2026-08", "v1.30"), ("v1.30", "2026-08"), ("2026-08", "2026-10"), ("2026-10", "v1.30")]
    {
        let both = told(&format!("{first},{second}"), Capture::SpanOnly);
        let span = both.span();
        let mut expected = attributes(&told(second, Capture::SpanOnly).span().attributes);
        expected.extend(attributes(&told(first, Capture::SpanOnly).span().attributes));
        let mut both = attributes(&span.attributes);
        // The two of them are different runs.
        let timed = "gen_ai.response.time_to_first_chunk";
        assert_eq!(both.remove(timed).is_some(), expected.remove(timed).is_some());
        assert_eq!(both, expected, "{first},{second}");
        assert_eq!(span.name, "chat gpt-4o");
    }
}

#[test]
fn a_metric_of_both_is_recorded_once_with_the_attributes_of_both() {
    let t = told("2026-08,v1.30", Capture::NoContent);
    let common = map(json!({
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.provider.name": "azure.ai.openai",
        "gen_ai.system": "az.ai.openai",
        "openai.response.service_tier": "default",
        "gen_ai.openai.response.service_tier": "default",
        "server.address": "example.com",
        "server.port": 443,
    }));
    let durations = t.points("gen_ai.client.operation.duration");
    let [duration] = durations.as_slice() else { panic!("{durations:?}") };
    assert_eq!((&duration.attributes, duration.count), (&common, 1));
    let tokens = t.points("gen_ai.client.token.usage");
    assert_eq!(tokens.iter().map(|point| point.count).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(tokens.iter().filter_map(|point| point.sum).sum::<u64>(), 35);
    for point in tokens {
        let mut attributes = point.attributes;
        attributes.remove("gen_ai.token.type").unwrap();
        assert_eq!(attributes, common);
    }
}

#[test]
fn metrics_of_either_are_recorded() {
    let names = |conventions: &str| {
        told(conventions, Capture::NoContent).metrics().into_keys().collect::<std::collections::BTreeSet<_>>()
    };
    for (first, second) in [("2026-08", "v1.30"), ("2026-08", "2026-10"), ("2026-10", "v1.30")] {
        let expected = &names(first) | &names(second);
        assert_eq!(names(&format!("{first},{second}")), expected, "{first},{second}");
    }
    let both = told("2026-08,2026-10", Capture::NoContent);
    for duration in ["gen_ai.client.operation.duration", "gen_ai.client.inference.duration"] {
        assert_eq!(both.points(duration)[0].count, 1, "{duration}");
    }
}

#[test]
fn events_of_both_are_emitted() {
    let t = told("2026-08,v1.30", Capture::SpanAndEvent);
    assert_eq!(
        t.event_names(),
        ["gen_ai.client.inference.operation.details", "gen_ai.user.message", "gen_ai.choice"]
    );
    // Without content only the older one says that there were messages.
    let t = told("2026-08,v1.30", Capture::NoContent);
    assert_eq!(t.event_names(), ["gen_ai.user.message", "gen_ai.choice"]);
}

#[test]
fn an_event_of_both_is_emitted_once() {
    let t = told("2026-08,2026-10", Capture::SpanAndEvent);
    let events = t.events();
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(event.severity, Some(Severity::Debug));
    assert_eq!(event.attributes["gen_ai.usage.cache_creation.input_tokens"], 5);
    assert_eq!(event.attributes["gen_ai.usage.cache_write.input_tokens"], 5);
    assert_eq!(event.attributes["gen_ai.input.messages"][0]["parts"][0]["content"], "Hi");
}

#[test]
fn an_operation_that_only_one_knows_is_told_by_that_one() {
    let t = exported("v1.30,2026-10", Capture::NoContent);
    t.genai.execute_tool("search").start().finish();
    assert_eq!(
        t.attributes(),
        map(json!({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}))
    );
}
