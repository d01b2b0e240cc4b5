//! The convention `2026-10`, where it differs from `2026-08`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod exported;

use std::collections::BTreeMap;

use exported::{attributes, exported, map, with_events};
use opentelemetry::logs::Severity;
use opentelemetry::trace::Status;
use otel_genai::{
    Active, Capture, Command, Failure, GenAi, Inference, Message, ModalityUsage, ResponseStatus, Skill, Usage,
};
use serde_json::json;

fn chat(genai: &GenAi) -> Active<Inference> {
    let mut call = genai.chat("openai", "gpt-4o").server("api.openai.com", 443).start();
    call.response_mut().id = Some("chatcmpl-1".into());
    call.response_mut().model = Some("gpt-4o-2024-08-06".into());
    call
}

fn modality(input: u64, output: u64, cache_read: u64) -> ModalityUsage {
    let mut usage = ModalityUsage::default();
    usage.input_tokens = Some(input).filter(|count| *count > 0);
    usage.output_tokens = Some(output).filter(|count| *count > 0);
    usage.cache_read_input_tokens = Some(cache_read).filter(|count| *count > 0);
    usage
}

const USAGE: &str = "gen_ai.client.inference.usage";
const MODALITY: &str = "gen_ai.token.modality";

fn sums(pairs: &[(&str, u64)]) -> BTreeMap<String, u64> {
    pairs.iter().map(|(modality, sum)| ((*modality).to_owned(), *sum)).collect()
}

/// The registry's own example: 100 text tokens, 40 of them cached, and an image of 200.
#[test]
fn tokens_are_told_by_modality() {
    let t = exported("2026-10", Capture::NoContent);
    let mut call = chat(&t.genai);
    call.usage = Usage::new(300, 50);
    call.usage.cache_read_input_tokens = Some(40);
    call.usage.cache_write_input_tokens = Some(7);
    call.usage.reasoning_output_tokens = Some(20);
    call.usage.text = modality(100, 50, 40);
    call.usage.image = modality(200, 0, 0);
    call.finish();

    let span = t.attributes();
    let usage: BTreeMap<_, _> = span
        .iter()
        .filter_map(|(key, value)| Some((key.strip_prefix("gen_ai.usage.")?, value.as_u64().unwrap())))
        .collect();
    assert_eq!(
        usage,
        BTreeMap::from([
            ("input_tokens", 300),
            ("output_tokens", 50),
            ("cache_read.input_tokens", 40),
            ("cache_write.input_tokens", 7),
            ("reasoning.output_tokens", 20),
            ("text.input_tokens", 100),
            ("text.output_tokens", 50),
            ("text.cache_read.input_tokens", 40),
            ("image.input_tokens", 200),
        ])
    );
    let counted = |name: &str| t.sums(&format!("{USAGE}.{name}"), MODALITY);
    assert_eq!(counted("input_tokens"), sums(&[("text", 100), ("image", 200)]));
    assert_eq!(counted("output_tokens"), sums(&[("text", 50)]));
    assert_eq!(counted("cache_read.input_tokens"), sums(&[("text", 40)]));
    assert_eq!(counted("cache_write.input_tokens"), sums(&[("unknown", 7)]));
    assert_eq!(counted("reasoning.output_tokens"), sums(&[("unknown", 20)]));

    let client = map(json!({
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "server.address": "api.openai.com",
        "server.port": 443,
    }));
    for (name, sum) in
        [("operation.input_tokens", Some(300)), ("operation.output_tokens", Some(50)), ("duration", None)]
    {
        let points = t.points(&format!("gen_ai.client.inference.{name}"));
        let [point] = points.as_slice() else { panic!("{name}: {points:?}") };
        assert_eq!((&point.attributes, point.count, point.sum), (&client, 1, sum), "{name}");
    }
    let metrics = t.metrics();
    for gone in ["gen_ai.client.operation.duration", "gen_ai.client.token.usage"] {
        assert!(!metrics.contains_key(gone), "{gone} is not for inference");
    }
}

#[test]
fn no_token_is_counted_twice_or_lost() {
    for (text, audio, counted) in [
        // No split, a part of one, a whole one, one that cannot be.
        (0, 0, sums(&[("unknown", 10)])),
        (0, 4, sums(&[("audio", 4), ("unknown", 6)])),
        (6, 4, sums(&[("text", 6), ("audio", 4)])),
        (10, 4, sums(&[("unknown", 10)])),
    ] {
        let t = exported("2026-10", Capture::NoContent);
        let mut call = chat(&t.genai);
        call.usage = Usage::new(10, 10);
        call.usage.text = modality(text, text, 0);
        call.usage.audio = modality(audio, audio, 0);
        call.finish();
        for direction in ["input_tokens", "output_tokens"] {
            assert_eq!(t.sums(&format!("{USAGE}.{direction}"), MODALITY), counted, "{text} {audio}");
        }
    }
}

#[test]
fn tokens_that_no_one_counted_are_not_told() {
    let t = exported("2026-10", Capture::NoContent);
    chat(&t.genai).fail(Failure::new("rate_limit_exceeded"));
    let metrics = t.metrics();
    assert_eq!(metrics.keys().collect::<Vec<_>>(), ["gen_ai.client.inference.duration"]);
    let points = &metrics["gen_ai.client.inference.duration"];
    assert_eq!(points[0].attributes["error.type"], "rate_limit_exceeded");
}

#[test]
fn chunks_have_the_new_names() {
    let t = exported("2026-10", Capture::NoContent);
    let mut call = chat(&t.genai);
    (0..3).for_each(|_| call.chunk());
    call.finish();
    let metrics = t.metrics();
    assert_eq!(metrics["gen_ai.client.inference.time_to_first_chunk"][0].count, 1);
    assert_eq!(metrics["gen_ai.client.inference.time_per_output_chunk"][0].count, 2);
    assert!(metrics.keys().all(|name| !name.starts_with("gen_ai.client.operation.")), "{metrics:?}");
}

#[test]
fn the_details_event_is_there_by_default_at_debug() {
    let t = exported("2026-10", Capture::NoContent);
    let mut call = chat(&t.genai);
    call.input([Message::user("secret")]);
    call.finish();
    let events = t.events();
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(event.name, "gen_ai.client.inference.operation.details");
    assert_eq!(event.severity, Some(Severity::Debug));
    assert_eq!(event.attributes["gen_ai.response.id"], "chatcmpl-1");
    assert!(!event.attributes.contains_key("gen_ai.input.messages"));
    assert_eq!(event.body, None);

    let t = with_events("2026-10", Capture::NoContent, Some(false));
    chat(&t.genai).finish();
    assert!(t.events().is_empty());
}

#[test]
fn reasons_are_positional() {
    // An answer that came to its end says what it says.
    let t = exported("2026-10", Capture::SpanOnly);
    let mut call = chat(&t.genai);
    call.output([Message::assistant("Hello")]);
    call.finish();
    let span = t.attributes();
    assert!(!span.contains_key("gen_ai.response.finish_reasons"));
    assert_eq!(
        span["gen_ai.output.messages"],
        r#"[{"role":"assistant","parts":[{"type":"text","content":"Hello"}]}]"#,
        "no reason is made up"
    );

    let t = exported("2026-10", Capture::SpanOnly);
    let mut call = chat(&t.genai);
    call.output([Message::assistant("Hello").finish("stop"), Message::assistant("Hi").finish("length")]);
    call.finish();
    assert_eq!(t.attributes()["gen_ai.response.finish_reasons"], json!(["stop", "length"]));

    // A well-ended call without an answer, and an empty place in the list.
    let t = exported("2026-10", Capture::NoContent);
    chat(&t.genai).finish();
    assert!(!t.attributes().contains_key("gen_ai.response.finish_reasons"));
    let t = exported("2026-10", Capture::NoContent);
    let mut call = chat(&t.genai);
    call.response_mut().finish_reasons = vec![String::new(), "stop".into()];
    call.finish();
    assert_eq!(t.attributes()["gen_ai.response.finish_reasons"], json!(["error", "stop"]));

    // Of two that were asked for, the second broke off.
    let t = exported("2026-10", Capture::NoContent);
    let mut call = chat(&t.genai);
    call.request.choice_count = Some(2);
    call.response_mut().finish_reasons = vec!["stop".into()];
    call.chunk();
    drop(call);
    assert_eq!(t.attributes()["gen_ai.response.finish_reasons"], json!(["stop", "error"]));

    // The first one has no reason and the second has.
    let t = exported("2026-10", Capture::SpanOnly);
    let mut call = chat(&t.genai);
    call.output([Message::assistant("Hel"), Message::assistant("Hello").finish("length")]);
    call.fail("connection lost");
    assert_eq!(t.attributes()["gen_ai.response.finish_reasons"], json!(["error", "length"]));

    // Nothing ever came.
    let t = exported("2026-10", Capture::NoContent);
    t.genai.chat("openai", "gpt-4o").start().fail("no route");
    assert!(!t.attributes().contains_key("gen_ai.response.finish_reasons"));

    // A number of choices that cannot be.
    let t = exported("2026-10", Capture::NoContent);
    let mut call = chat(&t.genai);
    call.request.choice_count = Some(i64::MAX);
    call.fail("connection lost");
    let reasons = t.attributes()["gen_ai.response.finish_reasons"].as_array().unwrap().len();
    assert!(reasons < 1000, "{reasons}");
}

#[test]
fn embeddings_have_a_duration_and_no_tokens() {
    let t = exported("2026-10", Capture::NoContent);
    let mut call = t.genai.embeddings("openai", "text-embedding-3-small").start();
    call.input_tokens = Some(8);
    call.finish();
    assert_eq!(t.attributes()["gen_ai.usage.input_tokens"], 8);
    assert_eq!(t.metrics().keys().collect::<Vec<_>>(), ["gen_ai.client.operation.duration"]);
}

#[test]
fn the_other_clients_keep_their_duration() {
    let t = exported("2026-10", Capture::NoContent);
    t.genai.retrieval("docs").start().finish();
    t.genai.create_agent("Planner").start().finish();
    t.genai.search_memory().start().finish();
    let mut fetch = t.genai.fetch_response("openai", "resp_1").start();
    fetch.status = Some(ResponseStatus::Completed);
    fetch.finish();
    let mut agent = t.genai.invoke_agent("Planner").remote("openai").start();
    agent.usage = Usage::new(3, 4);
    agent.finish();
    let metrics = t.metrics();
    assert_eq!(metrics.keys().collect::<Vec<_>>(), ["gen_ai.client.operation.duration"]);
    let mut operations: Vec<_> = metrics["gen_ai.client.operation.duration"]
        .iter()
        .map(|point| point.attributes["gen_ai.operation.name"].as_str().unwrap())
        .collect();
    operations.sort_unstable();
    assert_eq!(operations, ["create_agent", "fetch_response", "invoke_agent", "retrieval", "search_memory"]);
}

#[test]
fn agents_of_this_process_tell_tokens_and_not_what_they_are_made_of() {
    let usage = || {
        let mut usage = Usage::new(30, 5);
        usage.cache_read_input_tokens = Some(20);
        usage.text = modality(30, 5, 20);
        usage
    };
    let told = |remote: bool| {
        let t = exported("2026-10", Capture::NoContent);
        let agent = t.genai.invoke_agent("Planner");
        let mut agent = if remote { agent.remote("openai") } else { agent }.start();
        agent.usage = usage();
        agent.finish();
        t.attributes().into_keys().filter(|key| key.starts_with("gen_ai.usage.")).collect::<Vec<_>>()
    };
    assert_eq!(told(false), ["gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"]);
    assert_eq!(told(true).len(), 6);
}

#[test]
fn tools_plans_and_workflows_belong_to_a_conversation_and_an_agent() {
    let t = exported("2026-10", Capture::NoContent);
    let workflow = t.genai.invoke_workflow("checkout").conversation("conv_1").start();
    let guard = workflow.attach();
    let agent = t.genai.invoke_agent("Planner").start();
    let inner = agent.attach();
    t.genai.execute_tool("search").start().finish();
    t.genai.plan().start().finish();
    drop(inner);
    agent.finish();
    drop(guard);
    workflow.finish();

    let spans: BTreeMap<String, _> =
        t.spans().iter().map(|span| (span.name.to_string(), attributes(&span.attributes))).collect();
    for name in ["execute_tool search", "invoke_agent Planner", "invoke_workflow checkout"] {
        assert_eq!(spans[name]["gen_ai.conversation.id"], "conv_1", "{name}");
    }
    for name in ["execute_tool search", "plan Planner"] {
        assert_eq!(spans[name]["gen_ai.agent.name"], "Planner", "{name}");
    }
    let metrics = t.metrics();
    assert_eq!(
        metrics["gen_ai.invoke_workflow.duration"][0].attributes,
        map(json!({"gen_ai.workflow.name": "checkout"}))
    );
    assert!(!metrics.contains_key("gen_ai.workflow.duration"));
}

#[test]
fn skills_and_commands_refine_tools() {
    let named = |skill: Option<&str>, resource: Option<&str>, program: Option<&str>| {
        let t = exported("2026-10", Capture::NoContent);
        let mut tool = t.genai.execute_tool("bash");
        if skill.or(resource).is_some() {
            let mut used = Skill::default();
            used.name = skill.map(str::to_owned);
            used.resource_name = resource.map(str::to_owned);
            tool = tool.skill(used);
        }
        if let Some(program) = program {
            tool = tool.with(|tool| tool.command = Some(Command::new(program)));
        }
        tool.start().finish();
        t.span().name.to_string()
    };
    let (pdf, fill, python) = (Some("pdf"), Some("fill.py"), Some("python"));
    assert_eq!(named(None, None, None), "execute_tool bash");
    assert_eq!(named(pdf, None, None), "execute_tool bash pdf");
    assert_eq!(named(pdf, fill, None), "execute_tool bash pdf fill.py");
    assert_eq!(named(None, fill, None), "execute_tool bash fill.py");
    assert_eq!(named(None, None, python), "execute_tool bash python");
    assert_eq!(named(None, fill, python), "execute_tool bash fill.py");
    assert_eq!(named(pdf, fill, python), "execute_tool bash pdf fill.py");
    assert_eq!(named(pdf, None, python), "execute_tool bash python");

    let t = exported("2026-10", Capture::NoContent);
    let mut tool = t.genai.execute_tool("bash").start();
    // What is known only later names the span too.
    let mut skill = Skill::new("pdf");
    skill.description = Some("Fills forms".into());
    skill.source_uri = Some("file:///skills/pdf".into());
    skill.resource_name = Some("fill.py".into());
    skill.version = Some("2".into());
    tool.skill = Some(skill);
    let mut command = Command::new("python");
    command.executable_path = Some("/usr/bin/python".into());
    command.exit_code = Some(0);
    tool.command = Some(command);
    tool.finish();
    assert_eq!(t.span().name, "execute_tool bash pdf fill.py");
    assert_eq!(
        t.attributes(),
        map(json!({
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "bash",
            "gen_ai.skill.name": "pdf",
            "gen_ai.skill.resource.name": "fill.py",
            "gen_ai.skill.description": "Fills forms",
            "gen_ai.skill.source.uri": "file:///skills/pdf",
            "process.executable.name": "python",
            "process.executable.path": "/usr/bin/python",
            "process.exit.code": 0,
        }))
    );
}

#[test]
fn a_servers_answer_to_a_callers_mistake_is_no_error_of_the_server() {
    for (code, is_error) in [("-32602", false), ("-32601", false), ("-32002", false), ("-32603", true)] {
        let t = exported("2026-10", Capture::NoContent);
        for (at, call) in
            [t.genai.mcp_server("tools/list"), t.genai.mcp_client("tools/list")].into_iter().enumerate()
        {
            let mut call = call.start();
            call.response_status_code = Some(code.into());
            call.fail(Failure::new(code).message("no"));
            let span = t.spans().pop().unwrap();
            let told = attributes(&span.attributes);
            let is_client = at == 1;
            assert_eq!(told["rpc.response.status_code"], code);
            assert_eq!(told.contains_key("error.type"), is_error || is_client, "{code}");
            assert_eq!(matches!(span.status, Status::Error { .. }), is_error || is_client, "{code}");
        }
        let server = t.points("mcp.server.operation.duration");
        assert_eq!(server[0].attributes.contains_key("error.type"), is_error, "{code}");
        assert_eq!(t.points("mcp.client.operation.duration")[0].attributes["error.type"], code);
    }

    // An error whose type is that of a Rust type, and one that is not the caller's.
    let t = exported("2026-10", Capture::NoContent);
    let mut call = t.genai.mcp_server("tools/list").start();
    call.response_status_code = Some("-32602".into());
    call.fail(&std::io::Error::other("invalid params"));
    assert_eq!(t.span().status, Status::Unset);

    let t = exported("2026-10", Capture::NoContent);
    let mut call = t.genai.mcp_server("tools/list").start();
    call.response_status_code = Some("-32602".into());
    drop(call);
    assert_eq!(t.attributes()["error.type"], "cancelled");

    // At 2026-08 any code is an error.
    let t = exported("2026-08", Capture::NoContent);
    t.genai.mcp_server("tools/list").start().fail(Failure::new("-32602"));
    assert_eq!(t.attributes()["error.type"], "-32602");
}
