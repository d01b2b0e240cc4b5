//! One span of each vocabulary, told in the newest conventions.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod support;

use opentelemetry::KeyValue as Kv;
use opentelemetry::trace::SpanKind;
use otel_genai::Capture;
use otel_genai_conformance::{Checker, Convention};
use support::{Pipeline, Seen, span, texts, with_event};

/// A processor that tells everything, in the convention's words alone.
fn pipeline() -> Pipeline {
    Pipeline::new(|builder| builder.capture(Capture::SpanAndEvent))
        .map(otel_genai_processor::GenAiSpanProcessor::drop_originals)
}

/// The judge finds nothing wrong, beyond attributes that are somebody else's, or that the span's maker did not say.
#[track_caller]
fn judged(pipeline: &Pipeline, seen: &Seen, excused: &[&str]) {
    let checker =
        excused.iter().fold(Checker::new(Convention::V2026_08), |checker, name| checker.allow(*name));
    let mut findings = pipeline.findings(seen, &checker);
    findings.retain(|finding| finding.attribute.as_deref().is_none_or(|name| !excused.contains(&name)));
    assert!(findings.is_empty(), "{findings:#?} in {:#?}", seen.data.attributes);
}

/// The metrics of a call of a model that took a second.
#[track_caller]
fn measured(pipeline: &Pipeline, provider: &str, tokens: f64) {
    let metrics = pipeline.metrics();
    let (attributes, count, sum) = &metrics["gen_ai.client.operation.duration"][0];
    assert_eq!((*count, *sum), (1, 1.0));
    assert_eq!(attributes["gen_ai.provider.name"], provider);
    assert_eq!(pipeline.sum("gen_ai.client.token.usage"), tokens);
}

#[track_caller]
fn has_details(pipeline: &Pipeline, question: &str) {
    let events = pipeline.events();
    assert_eq!(events.len(), 1, "{events:#?}");
    assert_eq!(events[0].0, "gen_ai.client.inference.operation.details");
    assert!(events[0].1["gen_ai.input.messages"].contains(question), "{events:#?}");
}

#[test]
fn the_crate_genai() {
    let pipeline = pipeline();
    let mut call = span(
        "chat gpt-4o-mini",
        [
            Kv::new("gen_ai.operation.name", "chat"),
            Kv::new("gen_ai.provider.name", "openai"),
            Kv::new("gen_ai.request.model", "gpt-4o-mini"),
            Kv::new("gen_ai.request.temperature", 0.2),
            Kv::new("gen_ai.response.id", "chatcmpl-1"),
            Kv::new("gen_ai.response.model", "gpt-4o-mini-2024-07-18"),
            // Spans of `tracing` carry no lists.
            Kv::new("gen_ai.response.finish_reasons", r#"["stop"]"#),
            Kv::new("gen_ai.response.time_to_first_chunk", 0.25),
            Kv::new("gen_ai.request.stream", true),
            Kv::new("gen_ai.usage.input_tokens", 12),
            Kv::new("gen_ai.usage.output_tokens", 3),
            Kv::new("server.address", "api.openai.com"),
            Kv::new("server.port", 443),
            Kv::new(
                "gen_ai.input.messages",
                r#"[{"role":"user","parts":[{"type":"text","content":"Where is my order?"}]}]"#,
            ),
            Kv::new("thread.id", 7),
        ],
    );
    call.span_kind = SpanKind::Client;
    let seen = pipeline.end(call);
    seen.says(&[
        ("gen_ai.response.finish_reasons", r#"["stop"]"#),
        ("gen_ai.response.time_to_first_chunk", "0.25"),
        ("thread.id", "7"),
    ]);
    let reasons = seen.data.attributes.iter().find(|a| a.key.as_str() == "gen_ai.response.finish_reasons");
    assert_eq!(reasons.unwrap().value, texts(&["stop"]), "a list, and no text");
    assert_eq!(seen.data.span_kind, SpanKind::Client);
    judged(&pipeline, &seen, &["thread.id"]);
    measured(&pipeline, "openai", 15.0);
    assert_eq!(pipeline.sum("gen_ai.client.operation.time_to_first_chunk"), 0.25);
    has_details(&pipeline, "Where is my order?");
}

#[test]
fn rig() {
    let pipeline = pipeline();
    let seen = pipeline.end(span(
        "chat",
        [
            Kv::new("gen_ai.operation.name", "chat"),
            Kv::new("gen_ai.provider.name", "azure.openai"),
            Kv::new("gen_ai.request.model", "gpt-5"),
            Kv::new("gen_ai.response.id", "r-1"),
            Kv::new("gen_ai.response.model", "gpt-5"),
            Kv::new("gen_ai.usage.input_tokens", 40),
            Kv::new("gen_ai.usage.output_tokens", 20),
            Kv::new("gen_ai.usage.reasoning_tokens", 8),
            Kv::new("gen_ai.usage.tool_use_prompt_tokens", 1),
            Kv::new("gen_ai.prompt", r#"[{"role":"user","content":"Plan a trip"}]"#),
            Kv::new(
                "gen_ai.output.messages",
                r#"[{"role":"assistant","parts":[{"type":"text","content":"Rome"}],"finish_reason":"stop"}]"#,
            ),
        ],
    ));
    assert_eq!(seen.data.name, "chat gpt-5");
    assert_eq!(seen.data.span_kind, SpanKind::Client);
    seen.says(&[
        ("gen_ai.provider.name", "azure.ai.openai"),
        ("gen_ai.usage.reasoning.output_tokens", "8"),
        ("gen_ai.usage.tool_use_prompt_tokens", "1"),
        ("gen_ai.response.finish_reasons", r#"["stop"]"#),
    ]);
    assert_eq!(seen.get("gen_ai.prompt"), None);
    // rig does not say where it called, and nobody makes it up.
    judged(&pipeline, &seen, &["gen_ai.usage.tool_use_prompt_tokens", "server.address"]);
    measured(&pipeline, "azure.ai.openai", 60.0);
    has_details(&pipeline, "Plan a trip");

    let tool = pipeline.end(span(
        "execute_tool",
        [
            Kv::new("gen_ai.operation.name", "execute_tool"),
            Kv::new("gen_ai.tool.name", "search"),
            Kv::new("gen_ai.tool.call.arguments", r#"{"q":"rome"}"#),
            Kv::new("gen_ai.tool.error.type", "Timeout"),
        ],
    ));
    assert_eq!(tool.data.name, "execute_tool search");
    tool.says(&[("error.type", "Timeout"), ("gen_ai.tool.call.arguments", r#"{"q":"rome"}"#)]);
    assert!(matches!(tool.data.status, opentelemetry::trace::Status::Error { .. }));
}

#[test]
fn older_names() {
    let pipeline = pipeline();
    let call = span(
        "openai.chat",
        [
            Kv::new("gen_ai.system", "vertex_ai"),
            Kv::new("gen_ai.request.model", "gemini-1.5"),
            Kv::new("gen_ai.request.max_tokens", 100),
            Kv::new("gen_ai.response.model", "gemini-1.5-001"),
            Kv::new("gen_ai.response.id", "r-2"),
            Kv::new("gen_ai.response.finish_reasons", texts(&["STOP"])),
            Kv::new("gen_ai.usage.prompt_tokens", 9),
            Kv::new("gen_ai.usage.completion_tokens", 1),
            Kv::new("server.address", "aiplatform.googleapis.com"),
        ],
    );
    let call = with_event(call, "gen_ai.content.prompt", [Kv::new("gen_ai.prompt", "Say hi")]);
    let call = with_event(call, "gen_ai.content.completion", [Kv::new("gen_ai.completion", "hi")]);
    let seen = pipeline.end(call);
    assert_eq!(seen.data.name, "chat gemini-1.5");
    seen.says(&[
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "gcp.vertex_ai"),
        ("gen_ai.usage.input_tokens", "9"),
        ("gen_ai.usage.output_tokens", "1"),
        (
            "gen_ai.output.messages",
            r#"[{"role":"assistant","parts":[{"type":"text","content":"hi"}],"finish_reason":"stop"}]"#,
        ),
    ]);
    for gone in ["gen_ai.system", "gen_ai.usage.prompt_tokens"] {
        assert_eq!(seen.get(gone), None);
    }
    measured(&pipeline, "gcp.vertex_ai", 10.0);
    has_details(&pipeline, "Say hi");
}

#[test]
fn openllmetry() {
    let pipeline = pipeline();
    let seen = pipeline.end(span(
        "openai.chat",
        [
            Kv::new("llm.request.type", "chat"),
            Kv::new("gen_ai.system", "OpenAI"),
            Kv::new("gen_ai.request.model", "gpt-4o"),
            Kv::new("gen_ai.response.model", "gpt-4o-2024"),
            Kv::new("gen_ai.response.id", "r-3"),
            Kv::new("server.address", "api.openai.com"),
            Kv::new("llm.is_streaming", false),
            Kv::new("gen_ai.prompt.0.role", "system"),
            Kv::new("gen_ai.prompt.0.content", "Be brief."),
            Kv::new("gen_ai.prompt.1.role", "user"),
            Kv::new("gen_ai.prompt.1.content", "Weather in Rome?"),
            Kv::new("gen_ai.completion.0.role", "assistant"),
            Kv::new("gen_ai.completion.0.finish_reason", "tool_calls"),
            Kv::new("gen_ai.completion.0.tool_calls.0.id", "call_1"),
            Kv::new("gen_ai.completion.0.tool_calls.0.name", "weather"),
            Kv::new("gen_ai.completion.0.tool_calls.0.arguments", r#"{"city":"Rome"}"#),
            Kv::new("llm.request.functions.0.name", "weather"),
            Kv::new("llm.request.functions.0.parameters", r#"{"type":"object"}"#),
            Kv::new("gen_ai.usage.prompt_tokens", 20),
            Kv::new("gen_ai.usage.completion_tokens", 5),
            Kv::new("llm.usage.total_tokens", 25),
            Kv::new("traceloop.association.properties.user", "jo"),
        ],
    ));
    assert_eq!(seen.data.name, "chat gpt-4o");
    seen.says(&[
        ("gen_ai.provider.name", "openai"),
        ("gen_ai.response.finish_reasons", r#"["tool_calls"]"#),
        (
            "gen_ai.input.messages",
            r#"[{"role":"system","parts":[{"type":"text","content":"Be brief."}]},{"role":"user","parts":[{"type":"text","content":"Weather in Rome?"}]}]"#,
        ),
        (
            "gen_ai.output.messages",
            r#"[{"role":"assistant","parts":[{"type":"tool_call","id":"call_1","name":"weather","arguments":{"city":"Rome"}}],"finish_reason":"tool_call"}]"#,
        ),
        ("traceloop.association.properties.user", "jo"),
        ("llm.usage.total_tokens", "25"),
    ]);
    assert!(seen.keys().iter().all(|key| !key.starts_with("gen_ai.prompt.")), "{:?}", seen.keys());
    judged(&pipeline, &seen, &["traceloop.*", "llm.*"]);
    measured(&pipeline, "openai", 25.0);
    has_details(&pipeline, "Weather in Rome?");

    let workflow = pipeline.end(span(
        "trip.workflow",
        [Kv::new("traceloop.span.kind", "workflow"), Kv::new("traceloop.entity.name", "trip")],
    ));
    assert_eq!(workflow.data.name, "invoke_workflow trip");
    let task = [Kv::new("traceloop.span.kind", "task"), Kv::new("traceloop.entity.name", "parse")];
    let plain = span("parse.task", task);
    assert_eq!(pipeline.end(plain.clone()).data, plain, "a task is no operation");
}

#[test]
fn openinference() {
    let pipeline = pipeline();
    let seen = pipeline.end(span(
        "ChatCompletion",
        [
            Kv::new("openinference.span.kind", "LLM"),
            Kv::new("llm.system", "mistralai"),
            Kv::new("llm.model_name", "mistral-large"),
            Kv::new("llm.invocation_parameters", r#"{"temperature":0.5,"max_tokens":64,"logprobs":true}"#),
            Kv::new("llm.input_messages.0.message.role", "user"),
            Kv::new("llm.input_messages.0.message.contents.0.message_content.type", "text"),
            Kv::new("llm.input_messages.0.message.contents.0.message_content.text", "What is this?"),
            Kv::new("llm.input_messages.0.message.contents.1.message_content.type", "image"),
            Kv::new(
                "llm.input_messages.0.message.contents.1.message_content.image.image.url",
                "https://example.com/a.png",
            ),
            Kv::new("llm.output_messages.0.message.role", "assistant"),
            Kv::new("llm.output_messages.0.message.tool_calls.0.tool_call.id", "c1"),
            Kv::new("llm.output_messages.0.message.tool_calls.0.tool_call.function.name", "look"),
            Kv::new("llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments", "{}"),
            Kv::new("llm.token_count.prompt", 30),
            Kv::new("llm.token_count.completion", 10),
            Kv::new("llm.token_count.prompt_details.cache_read", 4),
            Kv::new("llm.token_count.total", 40),
            Kv::new("session.id", "s-1"),
        ],
    ));
    assert_eq!(seen.data.name, "chat mistral-large");
    seen.says(&[
        ("gen_ai.provider.name", "mistral_ai"),
        ("gen_ai.request.temperature", "0.5"),
        ("gen_ai.request.max_tokens", "64"),
        ("gen_ai.conversation.id", "s-1"),
        ("session.id", "s-1"),
        ("gen_ai.usage.cache_read.input_tokens", "4"),
        ("openinference.span.kind", "LLM"),
        (
            "gen_ai.input.messages",
            r#"[{"role":"user","parts":[{"type":"text","content":"What is this?"},{"type":"uri","modality":"image","uri":"https://example.com/a.png"}]}]"#,
        ),
    ]);
    let said = seen.get("gen_ai.output.messages").unwrap();
    assert!(said.contains(r#"{"type":"tool_call","id":"c1","name":"look","arguments":{}}"#), "{said}");
    measured(&pipeline, "mistral_ai", 40.0);
    has_details(&pipeline, "What is this?");

    let found = pipeline.end(span(
        "VectorStore",
        [
            Kv::new("openinference.span.kind", "RETRIEVER"),
            Kv::new("input.value", "refunds"),
            Kv::new("retrieval.documents.0.document.id", "d-1"),
            Kv::new("retrieval.documents.0.document.score", 0.9),
            Kv::new("retrieval.documents.0.document.content", "A week."),
        ],
    ));
    assert_eq!(found.data.name, "retrieval");
    found.says(&[
        ("gen_ai.retrieval.query.text", "refunds"),
        ("gen_ai.retrieval.documents", r#"[{"content":"A week.","id":"d-1","score":0.9}]"#),
    ]);
    let agent = pipeline.end(span(
        "Agent.run",
        [Kv::new("openinference.span.kind", "AGENT"), Kv::new("agent.name", "planner")],
    ));
    assert_eq!(agent.data.name, "invoke_agent planner");
    let reranked = pipeline.end(span(
        "Rerank",
        [
            Kv::new("openinference.span.kind", "RERANKER"),
            Kv::new("reranker.model_name", "rerank-3"),
            Kv::new("reranker.top_k", 2),
            Kv::new("reranker.query", "refunds"),
            Kv::new("reranker.input_documents.0.document.content", "A week."),
        ],
    ));
    reranked.says(&[("gen_ai.request.model", "rerank-3")]);
    let chain = span("Chain", [Kv::new("openinference.span.kind", "CHAIN"), Kv::new("input.value", "x")]);
    assert_eq!(pipeline.end(chain.clone()).data, chain, "a chain is no operation");
}

#[test]
fn vercel() {
    let pipeline = pipeline();
    let seen = pipeline.end(span(
        "ai.streamText.doStream",
        [
            Kv::new("operation.name", "ai.streamText.doStream support"),
            Kv::new("ai.operationId", "ai.streamText.doStream"),
            Kv::new("ai.model.id", "claude-4"),
            Kv::new("ai.model.provider", "anthropic.messages"),
            Kv::new("ai.settings.maxOutputTokens", 200),
            Kv::new(
                "ai.prompt.messages",
                r#"[{"role":"system","content":"Be kind."},{"role":"user","content":[{"type":"text","text":"Hi"}]},
                    {"role":"tool","content":[{"type":"tool-result","toolCallId":"t1","toolName":"f","output":{"ok":true}}]}]"#,
            ),
            Kv::new("ai.prompt.tools", texts(&[r#"{"type":"function","name":"f","inputSchema":{"type":"object"}}"#])),
            Kv::new("ai.response.text", "Hello"),
            Kv::new("ai.response.toolCalls", r#"[{"toolCallId":"t2","toolName":"f","input":{"a":1}}]"#),
            Kv::new("ai.response.finishReason", "tool-calls"),
            Kv::new("ai.response.id", "msg_1"),
            Kv::new("ai.response.model", "claude-4-1"),
            Kv::new("ai.response.msToFirstChunk", 125.0),
            Kv::new("ai.response.avgOutputTokensPerSecond", 10.5),
            Kv::new("ai.usage.inputTokens", 50),
            Kv::new("ai.usage.outputTokens", 6),
        ],
    ));
    assert_eq!(seen.data.name, "chat claude-4");
    seen.says(&[
        ("gen_ai.provider.name", "anthropic"),
        ("gen_ai.request.stream", "true"),
        ("gen_ai.response.time_to_first_chunk", "0.125"),
        ("gen_ai.response.finish_reasons", r#"["tool-calls"]"#),
        ("ai.response.avgOutputTokensPerSecond", "10.5"),
        (
            "gen_ai.input.messages",
            r#"[{"role":"system","parts":[{"type":"text","content":"Be kind."}]},{"role":"user","parts":[{"type":"text","content":"Hi"}]},{"role":"tool","parts":[{"type":"tool_call_response","id":"t1","response":{"ok":true}}]}]"#,
        ),
        (
            "gen_ai.output.messages",
            r#"[{"role":"assistant","parts":[{"type":"text","content":"Hello"},{"type":"tool_call","id":"t2","name":"f","arguments":{"a":1}}],"finish_reason":"tool-calls"}]"#,
        ),
    ]);
    assert!(seen.get("gen_ai.tool.definitions").unwrap().contains("\"f\""));
    judged(&pipeline, &seen, &["ai.*", "operation.name", "server.address"]);
    measured(&pipeline, "anthropic", 56.0);
    has_details(&pipeline, "Hi");

    let tool = pipeline.end(span(
        "ai.toolCall",
        [
            Kv::new("ai.operationId", "ai.toolCall"),
            Kv::new("ai.toolCall.name", "f"),
            Kv::new("ai.toolCall.id", "t2"),
            Kv::new("ai.toolCall.args", r#"{"a":1}"#),
            Kv::new("ai.toolCall.result", "done"),
        ],
    ));
    assert_eq!(tool.data.name, "execute_tool f");
    tool.says(&[("gen_ai.tool.call.id", "t2"), ("gen_ai.tool.call.result", "done")]);
    let vectors = pipeline.end(span(
        "ai.embed.doEmbed",
        [
            Kv::new("ai.operationId", "ai.embed.doEmbed"),
            Kv::new("ai.model.id", "text-embedding-3-small"),
            Kv::new("ai.model.provider", "openai.embedding"),
            Kv::new("ai.usage.tokens", 8),
        ],
    ));
    assert_eq!(vectors.data.name, "embeddings text-embedding-3-small");
    vectors.says(&[("gen_ai.usage.input_tokens", "8"), ("gen_ai.provider.name", "openai")]);
}
