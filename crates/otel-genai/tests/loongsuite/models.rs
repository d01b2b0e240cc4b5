//! Model calls and embeddings.

use std::time::Duration;

use opentelemetry::trace::SpanKind;
use otel_genai::ConventionName::LoongSuite;
use otel_genai::{Capture, Failure, GenAi, Message};
use serde_json::{Value as Json, json};

use super::telemetry::told;
use super::{ask, asked, in_mode, parsed, usage, used, with};

fn chat(genai: &GenAi) {
    let mut call = genai
        .chat("openai", "gpt-4o")
        .server("api.openai.com", 8443)
        .conversation("conv-9")
        .request(ask)
        .attribute("custom.k", "v")
        .start();
    call.response_mut().id = Some("chatcmpl-1".into());
    call.response_mut().model = Some("gpt-4o-2024-08-06".into());
    call.response_mut().output_messages =
        vec![Message::assistant("Hier.").finish("tool_calls"), Message::assistant("Dort.").finish("stop")];
    call.response_mut().time_to_first_chunk = Some(Duration::from_millis(250));
    call.usage = usage();
    call.finish();
}

fn chat_attributes() -> Json {
    let call = json!({
        "gen_ai.operation.name": "chat",
        "gen_ai.span.kind": "LLM",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "server.address": "api.openai.com",
        "server.port": 8443,
        "gen_ai.conversation.id": "conv-9",
        "gen_ai.request.top_k": 40.0,
        "gen_ai.request.choice.count": 2,
        "gen_ai.output.type": "text",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.response.finish_reasons": ["stop", "tool_calls"],
        "gen_ai.response.time_to_first_token": 250_000_000,
    });
    with(with(call, asked()), used())
}

#[test]
fn a_model_call_without_the_opt_in_has_no_content_and_no_event() {
    let told = told(LoongSuite, None, Some(true), chat);
    assert_eq!((told.span().name.as_str(), &told.span().kind), ("chat gpt-4o", &SpanKind::Client));
    assert_eq!(*told.attributes(), with(chat_attributes(), json!({"custom.k": "v"})));
    assert_eq!(told.events, []);
    let point = json!({
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "server.address": "api.openai.com",
        "server.port": 8443,
    });
    assert_eq!(told.metrics["gen_ai.client.operation.duration"], std::slice::from_ref(&point));
    let mut tokens = told.metrics["gen_ai.client.token.usage"].clone();
    tokens.sort_by_key(|point| point["gen_ai.token.type"].to_string());
    let typed = |kind: &str| with(point.clone(), json!({"gen_ai.token.type": kind}));
    assert_eq!(tokens, [typed("input"), typed("output")]);
    assert_eq!(told.metrics.len(), 2, "{:?}", told.metrics);
}

#[test]
fn a_model_call_says_in_brief_which_tools_it_offers_where_content_is_off() {
    for mode in [Capture::NoContent, Capture::EventOnly] {
        let told = in_mode(mode, chat);
        let attributes = told.attributes();
        assert_eq!(
            parsed(attributes, "gen_ai.tool.definitions"),
            json!([{"type": "function", "name": "get_weather"}, {"type": "web_search", "name": "web"}])
        );
        assert!(attributes.get("gen_ai.input.messages").is_none(), "{attributes}");
    }
}

#[test]
fn a_model_call_has_its_content_on_span_and_event() {
    let told = in_mode(Capture::SpanAndEvent, chat);
    let attributes = told.attributes();
    let content = json!({
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Wo ist es?"}]}],
        "gen_ai.output.messages": [
            {"role": "assistant", "parts": [{"type": "text", "content": "Hier."}], "finish_reason": "tool_calls"},
            {"role": "assistant", "parts": [{"type": "text", "content": "Dort."}], "finish_reason": "stop"},
        ],
        "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
        "gen_ai.tool.definitions": [
            {"type": "function", "name": "get_weather", "description": "Weather by city"},
            {"type": "web_search", "name": "web"},
        ],
    });
    for (key, content) in content.as_object().unwrap() {
        assert_eq!(parsed(attributes, key), *content, "{key}");
    }
    let (name, event) = &told.events[0];
    assert_eq!(name, "gen_ai.client.inference.operation.details");
    assert_eq!(*event, with(chat_attributes(), content), "neither custom attributes nor anything else");
    assert_eq!(told.events.len(), 1);
}

#[test]
fn an_event_without_content_has_no_tools_either() {
    let told = told(LoongSuite, Some(Capture::NoContent), Some(true), chat);
    assert_eq!(told.events[0].1, chat_attributes());
}

#[test]
fn embeddings_tell_a_total_and_no_answer() {
    let told = in_mode(Capture::SpanAndEvent, |genai| {
        let mut call = genai.embeddings("openai", "text-embedding-3-small").start();
        call.dimension_count = Some(1536);
        call.encoding_formats = vec!["float".into()];
        call.response_id = Some("emb-1".into());
        call.response_model = Some("text-embedding-3-small-v1".into());
        call.usage(50);
        call.finish();
    });
    assert_eq!(told.span().name, "embeddings text-embedding-3-small");
    assert_eq!(
        *told.attributes(),
        json!({
            "gen_ai.operation.name": "embeddings",
            "gen_ai.span.kind": "EMBEDDING",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "text-embedding-3-small",
            "gen_ai.embeddings.dimension.count": 1536,
            "gen_ai.request.encoding_formats": ["float"],
            "gen_ai.usage.input_tokens": 50,
            "gen_ai.usage.total_tokens": 50,
        })
    );
    assert_eq!(told.metrics["gen_ai.client.token.usage"][0]["gen_ai.token.type"], "input");
}

#[test]
fn errors_stand_on_span_event_and_metrics() {
    let told = in_mode(Capture::SpanAndEvent, |genai| {
        let mut call = genai.chat("p", "m").start();
        call.usage.input_tokens = Some(3);
        call.fail(Failure::new("TimeoutError").message("t"));
    });
    assert_eq!(told.attributes()["error.type"], "TimeoutError");
    assert_eq!(told.events.len(), 1, "no exception event: {:?}", told.events);
    assert_eq!(told.events[0].1["error.type"], "TimeoutError");
    for metric in ["gen_ai.client.operation.duration", "gen_ai.client.token.usage"] {
        assert_eq!(told.metrics[metric][0]["error.type"], "TimeoutError", "{metric}");
    }
}

#[test]
fn the_error_that_happened_wins_over_a_metric_attribute_of_that_name() {
    let told = in_mode(Capture::NoContent, |genai| {
        let call = genai.chat("p", "m").metric_attribute("error.type", "made up").start();
        call.fail(Failure::new("TimeoutError"));
    });
    assert_eq!(told.metrics["gen_ai.client.operation.duration"][0]["error.type"], "TimeoutError");
}

#[test]
fn a_model_that_is_known_late_is_told_once() {
    let told = in_mode(Capture::NoContent, |genai| {
        let mut call = genai.chat("openai", "").start();
        call.request_mut().model = Some("gpt-4o".into());
        call.finish();
        genai.chat("openai", "").start().finish();
    });
    assert_eq!(told.named("chat gpt-4o").attributes["gen_ai.request.model"], "gpt-4o");
    assert_eq!(told.named("chat").attributes["gen_ai.request.model"], "", "set, if to nothing");
}
