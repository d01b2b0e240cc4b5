//! Agents, and what surrounds them.

use opentelemetry::trace::SpanKind;
use otel_genai::ConventionName::LoongSuite;
use otel_genai::{Capture, Failure, GenAi, Message};
use serde_json::json;

use super::telemetry::told;
use super::{ask, asked, in_mode, opened, parsed, usage, used, with};

fn agent(genai: &GenAi, remote: bool) {
    let pending = genai.invoke_agent("Trip Planner");
    let pending = if remote { pending.remote("openai") } else { pending.provider("openai") };
    let mut agent = pending
        .model("gpt-4o")
        .id("agent-1")
        .description("Plans trips")
        .conversation("conv-9")
        .data_source("ds-7")
        .server("agents.example.com", 8443)
        .request(ask)
        .attribute("custom.k", "v")
        .start();
    agent.response_mut().finish_reasons = vec!["tool_calls".into(), "stop".into(), "stop".into()];
    agent.response_mut().output_messages = vec![Message::assistant("Fertig.").finish("stop")];
    agent.usage = usage();
    agent.finish();
}

#[test]
fn an_agents_event_has_less_than_its_span() {
    let event = json!({
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.span.kind": "AGENT",
        "gen_ai.provider.name": "openai",
        "gen_ai.agent.name": "Trip Planner",
        "gen_ai.agent.id": "agent-1",
        "gen_ai.agent.description": "Plans trips",
        "gen_ai.conversation.id": "conv-9",
        "gen_ai.data_source.id": "ds-7",
        "gen_ai.request.model": "gpt-4o",
        // As given.
        "gen_ai.response.finish_reasons": ["tool_calls", "stop", "stop"],
    });
    let event = with(with(event, asked()), used());
    let span = with(
        event.clone(),
        json!({
            "server.address": "agents.example.com",
            "server.port": 8443,
            "gen_ai.request.choice.count": 2,
            "gen_ai.output.type": "text",
            "custom.k": "v",
        }),
    );

    let told = told(LoongSuite, None, None, |genai| agent(genai, false));
    assert_eq!(
        (told.span().name.as_str(), &told.span().kind),
        ("invoke_agent Trip Planner", &SpanKind::Internal)
    );
    assert_eq!(*told.attributes(), span);

    let told = in_mode(Capture::EventOnly, |genai| agent(genai, false));
    let (name, attributes) = &told.events[0];
    assert_eq!(name, "gen_ai.client.agent.invoke.operation.details");
    let content = json!({
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Wo ist es?"}]}],
        "gen_ai.output.messages":
            [{"role": "assistant", "parts": [{"type": "text", "content": "Fertig."}], "finish_reason": "stop"}],
        "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
    });
    assert_eq!(*attributes, with(event, content));

    let told = in_mode(Capture::SpanOnly, |genai| agent(genai, true));
    assert_eq!(told.span().kind, SpanKind::Internal, "LoongSuite tells remote agents alike");
    assert_eq!(parsed(told.attributes(), "gen_ai.tool.definitions")[0]["description"], "Weather by city");
    assert_eq!(told.events, []);
}

#[test]
fn agents_are_measured() {
    let told = told(LoongSuite, None, None, |genai| {
        let planner = genai.invoke_agent("Planner").model("gpt-4o").start();
        let _current = planner.attach();
        genai.chat("openai", "gpt-4o").start().finish();
        genai.execute_tool("search").kind("function").start().fail(Failure::new("Timeout"));
        drop(_current);
        planner.finish();
    });
    let of_agent = json!({"gen_ai.agent.name": "Planner"});
    let with_model = with(of_agent.clone(), json!({"gen_ai.request.model": "gpt-4o"}));
    assert_eq!(told.metrics["gen_ai.invoke_agent.duration"], [with_model]);
    assert_eq!(told.metrics["gen_ai.invoke_agent.inference_calls"], std::slice::from_ref(&of_agent));
    assert_eq!(told.metrics["gen_ai.invoke_agent.tool_calls"], std::slice::from_ref(&of_agent));
    let tool = json!({"gen_ai.tool.name": "search", "gen_ai.tool.type": "function", "error.type": "Timeout"});
    assert_eq!(told.metrics["gen_ai.execute_tool.duration"], [with(of_agent, tool)]);

    let told = in_mode(Capture::NoContent, |genai| agent(genai, true));
    assert_eq!(told.metrics["gen_ai.client.operation.duration"].len(), 1);
    assert_eq!(told.metrics["gen_ai.client.token.usage"].len(), 2);
}

#[test]
fn creating_an_agent() {
    let told = in_mode(Capture::SpanAndEvent, |genai| {
        let pending = genai.create_agent("Trip Planner").provider("openai").model("gpt-4o").id("agent-1");
        pending.description("Plans trips").server("api.openai.com", 8443).start().finish();
    });
    assert_eq!(
        (told.span().name.as_str(), &told.span().kind),
        ("create_agent Trip Planner", &SpanKind::Client)
    );
    assert_eq!(
        *told.attributes(),
        json!({
            "gen_ai.operation.name": "create_agent",
            "gen_ai.span.kind": "AGENT",
            "gen_ai.provider.name": "openai",
            "gen_ai.agent.name": "Trip Planner",
            "gen_ai.agent.id": "agent-1",
            "gen_ai.agent.description": "Plans trips",
            "gen_ai.request.model": "gpt-4o",
            "server.address": "api.openai.com",
            "server.port": 8443,
        })
    );
    assert_eq!(told.events, []);
    assert_eq!(
        told.metrics["gen_ai.client.operation.duration"],
        [json!({
            "gen_ai.operation.name": "create_agent",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o",
            "server.address": "api.openai.com",
            "server.port": 8443,
        })]
    );
}

#[test]
fn what_an_entry_and_an_agent_say_reaches_the_spans_within() {
    let told = in_mode(Capture::SpanAndEvent, |genai| {
        let mut entry = genai.entry().session("s1").user("u1").start();
        entry.input([Message::user("hi")]);
        let in_entry = entry.attach();
        let agent = genai.invoke_agent("Planner").start();
        let in_agent = agent.attach();
        let mut step = genai.react_step(1).start();
        step.finish_reason("continue");
        let in_step = step.attach();
        genai.chat("openai", "gpt-4o").start().finish();
        genai.create_agent("Child").start().finish();
        drop(in_step);
        step.finish();
        drop(in_agent);
        agent.finish();
        drop(in_entry);
        entry.finish();
    });
    let request = json!({"gen_ai.session.id": "s1", "gen_ai.user.id": "u1"});
    let entry = told.named("enter_ai_application_system");
    assert_eq!(entry.kind, SpanKind::Internal);
    let messages =
        json!({"gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]});
    let own = json!({"gen_ai.operation.name": "enter", "gen_ai.span.kind": "ENTRY"});
    assert_eq!(opened(&entry.attributes), with(with(own, messages), request.clone()));

    let step = told.named("react step");
    assert_eq!(step.kind, SpanKind::Internal);
    let own = json!({
        "gen_ai.operation.name": "react",
        "gen_ai.span.kind": "STEP",
        "gen_ai.react.round": 1,
        "gen_ai.react.finish_reason": "continue",
        "gen_ai.agent.name": "Planner",
    });
    assert_eq!(step.attributes, with(own, request.clone()));

    let call = told.named("chat gpt-4o");
    let own = json!({
        "gen_ai.operation.name": "chat",
        "gen_ai.span.kind": "LLM",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
    });
    let within = with(json!({"gen_ai.agent.name": "Planner"}), request);
    assert_eq!(call.attributes, with(own.clone(), within));
    assert_eq!(told.events[0], ("gen_ai.client.inference.operation.details".to_owned(), own));
    assert_eq!(told.named("create_agent Child").attributes["gen_ai.agent.name"], "Child");
}
