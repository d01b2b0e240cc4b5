//! Every operation, with everything that can be known of it, judged by the conventions' registry.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod telemetry;

use opentelemetry_sdk::trace::Sampler;
use otel_genai::{
    Capture, Command, ConventionName, Document, Failure, GenAi, McpMethodName, MemoryRecord, Message,
    Modality, Network, Part, Prompt, ResponseStatus, Skill, ToolDefinition, Usage,
};
use otel_genai_conformance::{Checker, Convention, Finding};
use serde_json::json;
use telemetry::telemetry_with;

const CONVENTIONS: [(ConventionName, Convention); 2] =
    [(ConventionName::V2026_08, Convention::V2026_08), (ConventionName::V2026_10, Convention::V2026_10)];

/// What was found after all operations have been told, each ended by `end`.
fn judged(
    (ours, theirs): (ConventionName, Convention),
    capture: Capture,
    fails: bool,
    allowed: &[&str],
) -> Vec<Finding> {
    let t = telemetry_with(Sampler::AlwaysOn, |builder| builder.convention(ours).capture(capture));
    everything(&t.genai, fails);
    let checker = Checker::new(theirs).excuse_unanswered(fails);
    let checker = allowed.iter().fold(checker, |checker, name| checker.allow(*name));
    t.findings(&checker)
}

#[test]
fn nothing_is_wrong_with_an_operation_of_which_all_is_known() {
    for convention in CONVENTIONS {
        for capture in [Capture::NoContent, Capture::SpanOnly, Capture::EventOnly, Capture::SpanAndEvent] {
            for fails in [false, true] {
                let findings = judged(convention, capture, fails, EXPECTED);
                let findings: Vec<_> = findings.iter().filter(|finding| !is_meant(finding)).collect();
                assert!(findings.is_empty(), "{convention:?} {capture:?} fails={fails}: {findings:#?}");
            }
        }
    }
}

/// What is told under LoongSuite's names, because the registry has none.
#[test]
fn what_the_registry_lacks_is_all_that_it_finds() {
    for convention in CONVENTIONS {
        let found = judged(convention, Capture::SpanAndEvent, false, &[]);
        assert!(!found.is_empty(), "the judge looks");
    }
}

/// Attributes that the registry does not know: of providers' refinements, which no judge reads.
const EXPECTED: &[&str] = &[
    "azure.resource_provider.namespace",
    "process.executable.name",
    "process.executable.path",
    "process.exit.code",
];

/// An MCP tool call is named by its method, as the MCP conventions want it; the judge knows tools' names only.
fn is_meant(finding: &Finding) -> bool {
    finding.to_string().contains("tools/call")
}

/// Tells every operation of the registry, with all that can be known of it.
fn everything(genai: &GenAi, fails: bool) {
    macro_rules! end {
        ($call:expr) => {
            match fails {
                true => $call.fail(Failure::new("rate_limit_exceeded").message("slow down")),
                false => $call.finish(),
            }
        };
    }
    let mut usage = Usage::new(120, 30);
    usage.cache_read_input_tokens = Some(40);
    usage.cache_write_input_tokens = Some(10);
    usage.reasoning_output_tokens = Some(5);
    usage.text.input_tokens = Some(100);
    usage.image.input_tokens = Some(20);
    usage.text.cache_read_input_tokens = Some(40);
    usage.audio.output_tokens = Some(3);
    let question = || {
        Message::new(
            "user",
            [
                Part::text("What is in this picture?"),
                Part::blob(Modality::Image, Some("image/png"), b"\x89PNG"),
                Part::uri(Modality::Image, "https://example.com/a.png"),
                Part::file(Modality::Document, "file-1"),
            ],
        )
    };
    let answer = || {
        Message::assistant_parts([
            Part::reasoning("Let me see."),
            Part::tool_call("call-1", "look", json!({"at": 1})),
        ])
        .finish("tool_call")
    };

    let mut chat = genai.chat("openai", "gpt-4o").server("api.openai.com", 443).conversation("c-1").start();
    let request = chat.request_mut();
    request.stream = true;
    request.temperature = Some(0.2);
    request.top_p = Some(0.9);
    request.top_k = Some(40);
    request.max_tokens = Some(500);
    request.stop_sequences = vec!["END".into()];
    request.frequency_penalty = Some(0.1);
    request.presence_penalty = Some(0.1);
    request.seed = Some(7);
    request.choice_count = Some(2);
    request.output_type = Some("json".into());
    request.reasoning_level = Some("low".into());
    request.previous_response_id = Some("resp-0".into());
    let mut prompt = Prompt::new("greeting");
    prompt.version = Some("2".into());
    prompt.variables = vec![("name".into(), "Jo".into())];
    request.prompt = Some(prompt);
    chat.openai.api_type = Some("chat_completions".into());
    chat.openai.request_service_tier = Some("flex".into());
    chat.openai.response_service_tier = Some("default".into());
    chat.openai.system_fingerprint = Some("fp_1".into());
    chat.azure.resource_provider_namespace = Some("Microsoft.CognitiveServices".into());
    chat.aws.guardrail_id = Some("g-1".into());
    chat.aws.knowledge_base_id = Some("kb-1".into());
    let response = chat.response_mut();
    response.id = Some("chatcmpl-1".into());
    response.model = Some("gpt-4o-2024-08-06".into());
    response.finish_reasons = vec!["tool_calls".into(), "stop".into()];
    response.conversation_compacted = true;
    chat.chunk();
    chat.chunk();
    chat.usage = usage;
    chat.instructions([Part::text("Be brief.")]);
    chat.input([Message::system("You see."), question(), Message::tool("call-0", json!({"ok": true}))]);
    chat.tools([ToolDefinition::function("look")]);
    chat.output([answer(), Message::assistant("A cat.").finish("stop")]);
    end!(chat);

    let mut embeddings =
        genai.embeddings("openai", "text-embedding-3-small").server("api.openai.com", 443).start();
    embeddings.dimension_count = Some(1536);
    embeddings.encoding_formats = vec!["float".into()];
    embeddings.response_model = Some("text-embedding-3-small".into());
    embeddings.usage(8);
    end!(embeddings);

    let mut retrieval =
        genai.retrieval("kb-1").provider("openai").server("api.openai.com", 443).top_k(3).start();
    retrieval.query("refunds");
    retrieval
        .documents([Document::new("d-1", 0.9).content("Refunds take a week."), Document::new("d-2", None)]);
    end!(retrieval);

    let mut fetch = genai.fetch_response("openai", "resp-1").server("api.openai.com", 443).start();
    fetch.stream_cursor = Some("12".into());
    fetch.status = Some(ResponseStatus::Completed);
    fetch.response_model = Some("gpt-4o".into());
    fetch.finish_reasons = vec!["stop".into()];
    fetch.output_messages = vec![answer()];
    end!(fetch);

    for start in [
        GenAi::search_memory,
        GenAi::create_memory,
        GenAi::update_memory,
        GenAi::upsert_memory,
        GenAi::delete_memory,
        GenAi::create_memory_store,
        GenAi::delete_memory_store,
    ] {
        let mut memory =
            start(genai).provider("mem0").server("localhost", 8080).store("s-1").record("r-1").start();
        memory.query("colour");
        memory.records([MemoryRecord::new("likes blue")]);
        end!(memory);
    }

    let mut create = genai
        .create_agent("Support")
        .provider("openai")
        .server("api.openai.com", 443)
        .model("gpt-4o")
        .id("asst-1")
        .version("3")
        .description("Answers customers.")
        .start();
    create.system_instructions = vec![Part::text("Be kind.")];
    end!(create);

    for remote in [false, true] {
        let mut pending =
            genai.invoke_agent("Support").model("gpt-4o").conversation("c-1").data_source("kb-1");
        if remote {
            pending = pending.remote("openai").server("api.openai.com", 443).id("asst-1").version("3");
        }
        let mut agent = pending.description("Answers customers.").start();
        agent.request_mut().temperature = Some(0.1);
        agent.response_mut().finish_reasons = vec!["stop".into()];
        agent.usage = usage;
        agent.input([question()]);
        agent.output([Message::assistant("A cat.").finish("stop")]);
        let inside = agent.attach();
        end!(genai.plan().start());
        let mut skill = Skill::new("pdf");
        skill.description = Some("Reads PDF.".into());
        skill.source_uri = Some("file:///skills/pdf".into());
        skill.resource_name = Some("extract.py".into());
        let mut command = Command::new("python");
        command.executable_path = Some("/usr/bin/python".into());
        command.exit_code = Some(0);
        let mut tool = genai
            .execute_tool("look")
            .kind("function")
            .call_id("call-1")
            .description("Looks.")
            .conversation("c-1")
            .skill(skill)
            .with(|tool| tool.command = Some(command))
            .start();
        tool.arguments(json!({"at": 1}));
        tool.result(json!({"seen": "cat"}));
        end!(tool);
        drop(inside);
        end!(agent);
    }

    let mut workflow = genai.invoke_workflow("triage").conversation("c-1").start();
    workflow.input([question()]);
    workflow.output([Message::assistant("Done.").finish("stop")]);
    end!(workflow);

    let client =
        genai.mcp_client(McpMethodName::PromptsGet).prompt("greeting").server("mcp.example.com", 443);
    let mut client = client.network(Network::http("2")).session("s-1").resource("file:///a").start();
    client.request_id = Some("7".into());
    client.protocol_version = Some("2025-06-18".into());
    client.jsonrpc_version = Some("1.0".into());
    client.response_status_code = fails.then(|| "-32000".to_owned());
    client.prompt_variables = vec![("name".into(), "Jo".into())];
    end!(client);
    let mut server =
        genai.mcp_server(McpMethodName::ToolsCall).tool("look").network(Network::stdio()).start();
    server.client = Some(otel_genai::Server::new("10.0.0.1", 5000));
    server.arguments(json!({"at": 1}));
    server.result(json!({"seen": "cat"}));
    end!(server);
    end!(genai.mcp_client_session().network(Network::stdio()).start());
    end!(genai.mcp_server_session().network(Network::stdio()).start());
    genai
        .evaluation("relevance")
        .score(0.5)
        .label("fair")
        .explanation("Half of it.")
        .response_id("chatcmpl-1")
        .record();
}
