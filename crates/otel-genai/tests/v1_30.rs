//! The convention `v1.30`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod exported;

use std::collections::BTreeMap;

use exported::{Event, attributes, exported, map, with_events};
use opentelemetry::trace::{SpanKind, Status};
use otel_genai::{Active, Capture, Failure, GenAi, Inference, Message, Part};
use serde_json::{Value as Json, json};

/// A call with all that the convention knows.
fn full(genai: &GenAi) -> Active<Inference> {
    let mut call = genai
        .chat("openai", "gpt-4o-mini")
        .server("api.openai.com", 443)
        .conversation("conv_1")
        .request(|request| {
            request.temperature = Some(0.5);
            request.top_p = Some(0.9);
            request.top_k = Some(40);
            request.max_tokens = Some(50);
            request.presence_penalty = Some(0.1);
            request.frequency_penalty = Some(0.2);
            request.seed = Some(42);
            request.choice_count = Some(2);
            request.stop_sequences = vec!["END".into()];
        })
        .start();
    call.openai.response_format = Some("json_object".into());
    call.openai.request_service_tier = Some("flex".into());
    call.openai.response_service_tier = Some("default".into());
    call.openai.system_fingerprint = Some("fp_1".into());
    call.response_mut().id = Some("chatcmpl-1".into());
    call.response_mut().model = Some("gpt-4o-mini-2024-07-18".into());
    call.response_mut().finish_reasons = vec!["tool_calls".into(), "stop".into()];
    call.usage(15, 20);
    call
}

#[test]
fn a_call_is_told_in_the_words_of_its_time() {
    let t = exported("v1.30", Capture::ByConvention);
    full(&t.genai).finish();
    let span = t.span();
    assert_eq!(
        (&*span.name, span.span_kind.clone(), span.status.clone()),
        ("chat gpt-4o-mini", SpanKind::Client, Status::Unset)
    );
    assert_eq!(span.instrumentation_scope.schema_url(), Some("https://opentelemetry.io/schemas/1.30.0"));
    assert_eq!(
        attributes(&span.attributes),
        map(json!({
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "openai",
            "gen_ai.request.model": "gpt-4o-mini",
            "server.address": "api.openai.com",
            "gen_ai.request.temperature": 0.5,
            "gen_ai.request.top_p": 0.9,
            "gen_ai.request.top_k": 40.0,
            "gen_ai.request.max_tokens": 50,
            "gen_ai.request.presence_penalty": 0.1,
            "gen_ai.request.frequency_penalty": 0.2,
            "gen_ai.request.seed": 42,
            "gen_ai.request.choice.count": 2,
            "gen_ai.request.stop_sequences": ["END"],
            "gen_ai.openai.request.response_format": "json_object",
            "gen_ai.openai.request.service_tier": "flex",
            "gen_ai.openai.response.service_tier": "default",
            "gen_ai.response.id": "chatcmpl-1",
            "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
            "gen_ai.response.finish_reasons": ["tool_calls", "stop"],
            "gen_ai.usage.input_tokens": 15,
            "gen_ai.usage.output_tokens": 20,
        }))
    );
    let common = map(json!({
        "gen_ai.operation.name": "chat",
        "gen_ai.system": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
        "gen_ai.openai.response.service_tier": "default",
        "gen_ai.openai.response.system_fingerprint": "fp_1",
        "server.address": "api.openai.com",
    }));
    let metrics = t.metrics();
    assert_eq!(metrics.len(), 2, "{metrics:?}");
    let [duration] = metrics["gen_ai.client.operation.duration"].as_slice() else { panic!("{metrics:?}") };
    assert_eq!((&duration.attributes, duration.count), (&common, 1));
    let tokens: BTreeMap<String, u64> = t.sums("gen_ai.client.token.usage", "gen_ai.token.type");
    assert_eq!(tokens, BTreeMap::from([("input".into(), 15), ("output".into(), 20)]));
}

#[test]
fn only_a_port_that_is_not_the_default_one_is_told() {
    let t = exported("v1.30", Capture::NoContent);
    t.genai.chat("openai", "gpt-4o").server("localhost", 8080).start().finish();
    assert_eq!(t.attributes()["server.port"], 8080);
}

#[test]
fn providers_have_the_names_of_that_time() {
    for (provider, system) in [
        ("openai", "openai"),
        ("azure.ai.openai", "az.ai.openai"),
        ("x_ai", "xai"),
        ("gcp.gemini", "gemini"),
        ("anthropic", "anthropic"),
    ] {
        let t = exported("v1.30", Capture::NoContent);
        let mut call = t.genai.chat(provider, "m").start();
        call.response_mut().finish_reasons = vec!["stop".into()];
        call.finish();
        assert_eq!(t.attributes()["gen_ai.system"], system);
        assert_eq!(t.events()[0].attributes, map(json!({"gen_ai.system": system})));
    }
}

#[test]
fn embeddings() {
    let t = exported("v1.30", Capture::ByConvention);
    let mut call = t.genai.embeddings("openai", "text-embedding-3-small").start();
    call.dimension_count = Some(512);
    call.encoding_formats = vec!["float".into()];
    call.response_model = Some("text-embedding-3-small".into());
    call.response_id = Some("e1".into());
    call.input_tokens = Some(8);
    call.finish();
    assert_eq!(t.span().name, "embeddings text-embedding-3-small");
    assert_eq!(
        t.attributes(),
        map(json!({
            "gen_ai.operation.name": "embeddings",
            "gen_ai.system": "openai",
            "gen_ai.request.model": "text-embedding-3-small",
            "gen_ai.response.model": "text-embedding-3-small",
            "gen_ai.embeddings.dimension.count": 512,
            "gen_ai.request.encoding_formats": ["float"],
            "gen_ai.usage.input_tokens": 8,
        }))
    );
    assert_eq!(
        t.sums("gen_ai.client.token.usage", "gen_ai.token.type"),
        BTreeMap::from([("input".into(), 8)])
    );
    assert!(t.events().is_empty());
}

#[test]
fn a_failure() {
    let t = exported("v1.30", Capture::ByConvention);
    let mut call = t.genai.chat("openai", "gpt-4o").start();
    call.input([Message::user("Hi")]);
    call.fail(Failure::new("model_not_found").message("no such model"));
    assert_eq!(t.attributes()["error.type"], "model_not_found");
    assert_eq!(t.span().status, Status::error("no such model"));
    assert_eq!(t.points("gen_ai.client.operation.duration")[0].attributes["error.type"], "model_not_found");
    assert_eq!(t.event_names(), ["gen_ai.user.message"], "no choice, and no event for the exception");
}

/// A conversation with all kinds of messages.
fn conversation(call: &mut Active<Inference>) {
    call.instructions([Part::text("Be brief.")]);
    call.input([
        Message::system("You help."),
        Message::user("What is the weather?"),
        Message::assistant_parts([
            Part::text("Let me see."),
            Part::reasoning("hm"),
            Part::tool_call("call_1", "weather", json!({"city": "Rome"})),
            Part::tool_call("call_2", "weather", "not\nJSON"),
        ]),
        Message::tool("call_1", "sunny"),
        Message::new(
            "user",
            [Part::tool_call_response("call_2", json!([{"type": "text", "text": "?"}])), Part::text("So?")],
        ),
        Message::new("developer", [Part::text("Stay calm.")]),
        Message::new("critic", [Part::text("Hm.")]),
    ]);
    call.output([
        Message::assistant_parts([Part::tool_call("call_3", "weather", json!({}))]).finish("tool_call"),
        Message::assistant("It is sunny.").finish("stop"),
    ]);
}

fn told(events: Vec<Event>) -> Vec<(String, Option<Json>)> {
    events.into_iter().map(|event| (event.name, event.body)).collect()
}

fn event(name: &str, body: Json) -> (String, Option<Json>) {
    (format!("gen_ai.{name}"), Some(body).filter(|body| !body.is_null()))
}

#[test]
fn each_message_is_an_event_with_its_content() {
    let t = exported("v1.30", Capture::ByConvention);
    let mut call = t.genai.chat("openai", "gpt-4o").start();
    conversation(&mut call);
    call.finish();
    assert_eq!(
        told(t.events()),
        [
            event("system.message", json!({"content": "Be brief."})),
            event("system.message", json!({"content": "You help."})),
            event("user.message", json!({"content": "What is the weather?"})),
            event(
                "assistant.message",
                json!({"content": "Let me see.", "tool_calls": [
                    {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Rome\"}"}},
                    {"id": "call_2", "type": "function", "function": {"name": "weather", "arguments": "notJSON"}},
                ]})
            ),
            event("tool.message", json!({"content": "sunny", "id": "call_1"})),
            event(
                "tool.message",
                json!({"content": [{"type": "text", "text": "?"}], "role": "user", "id": "call_2"})
            ),
            event("user.message", json!({"content": "So?"})),
            event("developer.message", json!({"content": "Stay calm."})),
            event("user.message", json!({"content": "Hm.", "role": "critic"})),
            event(
                "choice",
                json!({"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "tool_calls": [
                    {"id": "call_3", "type": "function", "function": {"name": "weather", "arguments": "{}"}},
                ]}})
            ),
            event(
                "choice",
                json!({"index": 1, "finish_reason": "stop", "message": {"role": "assistant", "content": "It is sunny."}})
            ),
        ]
    );
    let span = t.span();
    assert!(attributes(&span.attributes).keys().all(|key| !key.contains("messages")));
}

#[test]
fn without_content_the_events_tell_what_there_was() {
    let t = exported("v1.30", Capture::NoContent);
    let mut call = t.genai.chat("openai", "gpt-4o").start();
    conversation(&mut call);
    call.finish();
    let call = |id: &str| json!({"id": id, "type": "function", "function": {"name": "weather"}});
    assert_eq!(
        told(t.events()),
        [
            event("system.message", Json::Null),
            event("system.message", Json::Null),
            event("user.message", Json::Null),
            event("assistant.message", json!({"tool_calls": [call("call_1"), call("call_2")]})),
            event("tool.message", json!({"id": "call_1"})),
            event("tool.message", json!({"role": "user", "id": "call_2"})),
            event("user.message", Json::Null),
            event("developer.message", Json::Null),
            event("user.message", json!({"role": "critic"})),
            event(
                "choice",
                json!({"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "tool_calls": [call("call_3")]}})
            ),
            event("choice", json!({"index": 1, "finish_reason": "stop", "message": {"role": "assistant"}})),
        ]
    );
}

#[test]
fn content_goes_into_events_only_where_it_is_captured_there() {
    for (capture, has_content) in [
        (Capture::NoContent, false),
        (Capture::SpanOnly, false),
        (Capture::EventOnly, true),
        (Capture::SpanAndEvent, true),
        (Capture::ByConvention, true),
    ] {
        let t = exported("v1.30", capture);
        let mut call = t.genai.chat("openai", "gpt-4o").start();
        call.input([Message::user("secret")]);
        call.finish();
        assert_eq!(t.events()[0].body.is_some(), has_content, "{capture:?}");
        assert!(!format!("{:?}", t.span()).contains("secret"), "{capture:?}");
    }
    let t = with_events("v1.30", Capture::ByConvention, Some(false));
    let mut call = t.genai.chat("openai", "gpt-4o").start();
    call.input([Message::user("secret")]);
    call.finish();
    assert!(t.events().is_empty());
}

#[test]
fn what_is_more_than_text_is_told_as_the_api_takes_it() {
    let t = exported("v1.30", Capture::ByConvention);
    let mut call = t.genai.chat("openai", "gpt-4o").start();
    call.input([
        Message::new(
            "user",
            [
                Part::text("Look"),
                Part::uri("image", "https://example.com/a.png"),
                Part::blob_base64("image", Some("image/png"), "AAAA"),
                Part::blob_base64("audio", Some("audio/mpeg"), "BBBB"),
                Part::file("document", "file-1"),
            ],
        ),
        Message::user(""),
        Message::new("user", []),
    ]);
    call.output([Message::assistant("")]);
    call.finish();
    assert_eq!(
        told(t.events()),
        [
            event(
                "user.message",
                json!({"content": [
                    {"type": "text", "text": "Look"},
                    {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                    {"type": "input_audio", "input_audio": {"data": "BBBB", "format": "mp3"}},
                    {"type": "file", "file": {"file_id": "file-1"}},
                ]})
            ),
            event("user.message", Json::Null),
            event("user.message", Json::Null),
            event("choice", json!({"index": 0, "finish_reason": "error", "message": {"role": "assistant"}})),
        ]
    );
}

#[test]
fn other_operations_are_told_as_loongsuite_does() {
    let t = exported("v1.30", Capture::NoContent);
    t.genai.invoke_agent("Planner").start().finish();
    assert_eq!(t.attributes()["gen_ai.span.kind"], "AGENT");
}
