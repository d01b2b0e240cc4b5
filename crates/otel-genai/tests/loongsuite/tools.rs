//! What agents use: tools, stores, rerankers, memories.

use opentelemetry::trace::SpanKind;
use otel_genai::ConventionName::{LoongSuite, V1_30, V2026_08, V2026_10};
use otel_genai::{Capture, Document, GenAi, Skill};
use serde_json::{Value as Json, json};

use super::telemetry::told;
use super::{in_mode, opened, with};

#[test]
fn a_tool_has_its_skill_and_its_content_on_request() {
    let tool = |genai: &GenAi| {
        let mut skill = Skill::new("weather");
        skill.id = Some("  ".into());
        skill.version = Some("1.2.0".into());
        let pending = genai.execute_tool("get_weather").kind("function").call_id("call_1").skill(skill);
        let mut tool = pending.description("").start();
        tool.arguments(json!({"city": "北京"}));
        tool.result("sunny");
        tool.finish();
    };
    let bare = json!({
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.span.kind": "TOOL",
        "gen_ai.tool.name": "get_weather",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": "call_1",
        // Set, if to nothing.
        "gen_ai.tool.description": "",
        // A blank id is none.
        "gen_ai.skill.name": "weather",
        "gen_ai.skill.version": "1.2.0",
    });
    let told = in_mode(Capture::EventOnly, tool);
    assert_eq!(
        (told.span().name.as_str(), &told.span().kind),
        ("execute_tool get_weather", &SpanKind::Internal)
    );
    assert_eq!(*told.attributes(), bare);
    assert_eq!(told.events, [], "no event of LoongSuite's tells a tool");
    let content = json!({
        "gen_ai.tool.call.arguments": r#"{"city":"北京"}"#,
        "gen_ai.tool.call.result": "sunny",
    });
    assert_eq!(*in_mode(Capture::SpanOnly, tool).attributes(), with(bare, content));
}

#[test]
fn a_retrieval_tells_ids_and_scores_without_content_and_nothing_without_the_opt_in() {
    let retrieval = |genai: &GenAi| {
        let mut retrieval = genai.retrieval("kb-1").provider("chroma").model("bge-m3").top_k(5).start();
        retrieval.query = Some("What is OpenTelemetry?".into());
        retrieval.documents([Document::new("doc1", 0.95).content("secret")]);
        retrieval.finish();
    };
    let bare = json!({
        "gen_ai.operation.name": "retrieval",
        "gen_ai.span.kind": "RETRIEVER",
        "gen_ai.data_source.id": "kb-1",
        "gen_ai.provider.name": "chroma",
        "gen_ai.request.model": "bge-m3",
        "gen_ai.request.top_k": 5.0,
    });
    let without = told(LoongSuite, None, None, retrieval);
    assert_eq!((without.span().name.as_str(), &without.span().kind), ("retrieval kb-1", &SpanKind::Internal));
    assert_eq!(*without.attributes(), bare);
    let brief = json!({"gen_ai.retrieval.documents": [{"id": "doc1", "score": 0.95}]});
    assert_eq!(opened(in_mode(Capture::NoContent, retrieval).attributes()), with(bare.clone(), brief));
    let content = json!({
        "gen_ai.retrieval.query.text": "What is OpenTelemetry?",
        "gen_ai.retrieval.documents": [{"id": "doc1", "score": 0.95, "content": "secret"}],
    });
    assert_eq!(opened(in_mode(Capture::SpanOnly, retrieval).attributes()), with(bare, content));
}

fn rerank(genai: &GenAi) {
    let mut rerank = genai.rerank("cohere", "rerank-v3").top_k(3).start();
    rerank.scoring_prompt = Some("Score 0-1".into());
    rerank.return_documents = Some(true);
    rerank.normalize = Some(false);
    rerank.temperature = Some(0.0);
    rerank.batch_size = Some(32);
    rerank.device = Some("cuda".into());
    rerank.input_documents([json!({"id": "doc1", "text": "secret"})]);
    rerank.output_documents([json!({"index": 0, "relevance_score": 0.95})]);
    rerank.finish();
}

fn rerank_attributes() -> Json {
    json!({
        "gen_ai.operation.name": "rerank_documents",
        "gen_ai.span.kind": "RERANKER",
        "gen_ai.provider.name": "cohere",
        "gen_ai.request.model": "rerank-v3",
        "gen_ai.request.top_k": 3,
        "gen_ai.request.temperature": 0.0,
        "gen_ai.rerank.documents.count": 1,
        "gen_ai.rerank.return_documents": true,
        "gen_ai.rerank.normalize": false,
        "gen_ai.rerank.batch_size": 32,
        "gen_ai.rerank.device": "cuda",
    })
}

#[test]
fn a_reranks_prompt_is_content() {
    let told = in_mode(Capture::EventOnly, rerank);
    assert_eq!(
        (told.span().name.as_str(), &told.span().kind),
        ("rerank_documents rerank-v3", &SpanKind::Internal)
    );
    assert_eq!(*told.attributes(), rerank_attributes());
    let content = json!({
        "gen_ai.rerank.scoring_prompt": "Score 0-1",
        "gen_ai.rerank.input_documents": [{"id": "doc1", "text": "secret"}],
        "gen_ai.rerank.output_documents": [{"index": 0, "relevance_score": 0.95}],
    });
    assert_eq!(
        opened(in_mode(Capture::SpanAndEvent, rerank).attributes()),
        with(rerank_attributes(), content)
    );
}

#[test]
fn a_memory_operation_has_one_name_and_its_content_as_text() {
    let memory = |genai: &GenAi| {
        let mut memory = genai.search_memory().server("mem.local", 7000).record("m1").start();
        memory.loongsuite.user_id = Some("u1".into());
        memory.loongsuite.top_k = Some(5);
        memory.loongsuite.threshold = Some(0.5);
        memory.loongsuite.rerank = Some(true);
        memory.loongsuite.input = Some("what did I say?".into());
        memory.loongsuite.output = Some(json!([{"memory": "你好"}]));
        memory.finish();
    };
    let event = json!({
        "gen_ai.operation.name": "memory_operation",
        "gen_ai.memory.operation": "search",
        "gen_ai.memory.user_id": "u1",
        "gen_ai.memory.id": "m1",
        "gen_ai.memory.top_k": 5,
        "gen_ai.memory.threshold": 0.5,
        "gen_ai.memory.rerank": true,
    });
    let span = with(
        event.clone(),
        json!({"gen_ai.span.kind": "MEMORY", "server.address": "mem.local", "server.port": 7000}),
    );
    let content = json!({
        "gen_ai.memory.input.messages": "what did I say?",
        "gen_ai.memory.output.messages": r#"[{"memory":"你好"}]"#,
    });
    let bare = told(LoongSuite, None, None, memory);
    assert_eq!(
        (bare.span().name.as_str(), &bare.span().kind),
        ("memory_operation search", &SpanKind::Client)
    );
    assert_eq!(*bare.attributes(), span);
    let told = in_mode(Capture::SpanAndEvent, memory);
    assert_eq!(*told.attributes(), with(span, content.clone()));
    assert_eq!(told.events, [("gen_ai.memory.operation.details".to_owned(), with(event, content))]);
}

#[test]
fn other_conventions_tell_what_they_lack_in_these_words_without_an_opt_in() {
    for convention in [V2026_08, V2026_10, V1_30] {
        let content = told(convention, None, None, rerank);
        assert_eq!(content.span().name, "rerank_documents rerank-v3", "{convention}");
        assert_eq!(content.attributes()["gen_ai.rerank.scoring_prompt"], "Score 0-1", "{convention}");
        let point = json!({
            "gen_ai.operation.name": "rerank_documents",
            "gen_ai.provider.name": "cohere",
            "gen_ai.request.model": "rerank-v3",
        });
        assert_eq!(content.metrics["gen_ai.client.operation.duration"], [point], "{convention}");
        let bare = told(convention, Some(Capture::NoContent), None, rerank);
        assert_eq!(*bare.attributes(), rerank_attributes(), "{convention}");
    }
}

#[test]
fn the_oldest_convention_tells_agents_and_tools_so() {
    let work = |genai: &GenAi| {
        let agent = genai.invoke_agent("Planner").start();
        let current = agent.attach();
        let mut tool = genai.execute_tool("search").start();
        tool.arguments = Some(json!({"q": "secret"}));
        tool.finish();
        drop(current);
        agent.finish();
    };
    let bare = told(V1_30, Some(Capture::NoContent), None, work);
    let tool = json!({
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.span.kind": "TOOL",
        "gen_ai.tool.name": "search",
        "gen_ai.agent.name": "Planner",
    });
    assert_eq!(bare.named("execute_tool search").attributes, tool);
    assert_eq!(bare.named("invoke_agent Planner").attributes["gen_ai.span.kind"], "AGENT");
    let metrics: Vec<&str> = bare.metrics.keys().map(String::as_str).collect();
    let of_agents =
        ["duration", "inference_calls", "tool_calls"].map(|of| format!("gen_ai.invoke_agent.{of}"));
    let all: Vec<&str> =
        ["gen_ai.execute_tool.duration"].into_iter().chain(of_agents.iter().map(String::as_str)).collect();
    assert_eq!(metrics, all);
    let content = told(V1_30, Some(Capture::SpanOnly), None, work);
    let arguments = json!({"gen_ai.tool.call.arguments": {"q": "secret"}});
    assert_eq!(opened(&content.named("execute_tool search").attributes), with(tool, arguments));
}
