//! How operations begin, nest, hand down and end, whatever convention tells of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod telemetry;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::convert::Infallible;

use futures_util::{StreamExt as _, stream};
use opentelemetry::Context;
use opentelemetry::trace::{SpanId, SpanKind, Status, TraceContextExt as _};
use opentelemetry_sdk::trace::Sampler;
use otel_genai::limit::ContentLimits;
use otel_genai::redact::Redactor;
use otel_genai::{
    Capture, Completion, CompletionHook, Document, Failure, GenAi, McpMethodName, Message, Part, mcp,
};
use serde_json::json;
use telemetry::{Telemetry, telemetry, telemetry_with};

#[tokio::test]
async fn an_agent_with_its_calls_is_one_tree_and_counts_them() {
    let t = telemetry();
    let genai = &t.genai;
    genai
        .invoke_agent("Support")
        .conversation("c-1")
        .scope(async |agent| {
            agent.input([Message::user("Where is my order?")]);
            genai.chat("openai", "gpt-4o").scope(async |_| Ok::<_, Infallible>(())).await?;
            let theirs = genai.clone();
            let tool = async move {
                let track = theirs.execute_tool("track");
                track
                    .scope(async |tool| {
                        tool.arguments(json!({"order": 7}));
                        // A call within the tool is the tool's own, and the agent's.
                        let call = theirs.chat("openai", "gpt-4o-mini");
                        call.scope(async |_| Ok::<_, Infallible>(())).await?;
                        tool.result("on its way");
                        Ok::<_, Infallible>(())
                    })
                    .await
            };
            tokio::spawn(agent.run(tool)).await.unwrap()?;
            genai.chat("openai", "gpt-4o").start().fail("overloaded");
            Ok::<_, Infallible>(())
        })
        .await
        .unwrap();

    let spans = t.spans();
    let parents: BTreeMap<&str, SpanId> =
        spans.iter().map(|span| (span.name.as_str(), span.parent)).collect();
    let agent = t.span_named("invoke_agent Support");
    let tool = t.span_named("execute_tool track");
    assert_eq!(agent.kind, SpanKind::Internal);
    assert_eq!(agent.parent, SpanId::INVALID);
    assert_eq!(parents["execute_tool track"], agent.id);
    assert_eq!(parents["chat gpt-4o-mini"], tool.id);
    assert_eq!(parents["chat gpt-4o"], agent.id);
    assert_eq!(tool.get("gen_ai.agent.name"), Some("Support"), "set once outside, known inside");
    assert_eq!(t.span_named("chat gpt-4o-mini").get("gen_ai.conversation.id"), Some("c-1"));
    assert_eq!(tool.get("gen_ai.tool.call.arguments"), Some(r#"{"order":7}"#));
    assert_eq!(tool.get("gen_ai.tool.call.result"), Some("on its way"));

    let metrics = t.metrics();
    let of_agent = BTreeMap::from([("gen_ai.agent.name".to_owned(), "Support".to_owned())]);
    assert_eq!(metrics["gen_ai.invoke_agent.inference_calls"], [(of_agent.clone(), 1, 3.0)]);
    assert_eq!(metrics["gen_ai.invoke_agent.tool_calls"], [(of_agent.clone(), 1, 1.0)]);
    assert_eq!(metrics["gen_ai.invoke_agent.duration"][0].0, of_agent);
    assert_eq!(metrics["gen_ai.execute_tool.duration"].len(), 1);
}

#[tokio::test]
async fn an_agent_within_an_agent_counts_its_own_calls() {
    let t = telemetry();
    let genai = &t.genai;
    let inner = async |_: &mut otel_genai::Active<otel_genai::InvokeAgent>| {
        genai.chat("openai", "m").start().finish();
        Ok::<_, Infallible>(())
    };
    genai
        .invoke_agent("outer")
        .scope(async |_| {
            genai.chat("openai", "m").start().finish();
            genai.chat("openai", "m").start().finish();
            let mut unnamed = genai.invoke_agent("");
            unnamed = unnamed.with(|agent| agent.name = None);
            unnamed.scope(inner).await
        })
        .await
        .unwrap();
    let calls = &t.metrics()["gen_ai.invoke_agent.inference_calls"];
    let of = |name: &str| calls.iter().find(|point| point.0.values().any(|value| value == name));
    assert_eq!(of("outer").unwrap().2, 2.0);
    let unnamed = calls.iter().find(|point| point.0.is_empty()).unwrap();
    assert_eq!(unnamed.2, 1.0, "an unnamed agent has not the name of the one around it");
}

#[tokio::test]
async fn a_call_that_two_layers_see_is_told_once() {
    let t = telemetry();
    let genai = &t.genai;
    genai
        .chat("openai", "gpt-4o")
        .scope(async |outer| {
            outer.response_mut().id = Some("outer's".into());
            let mut inner = genai.chat("azure.ai.openai", "deployment").start();
            inner.response_mut().id = Some("inner's".into());
            inner.response_mut().model = Some("gpt-4o-2024-08-06".into());
            inner.output([Message::assistant("On its way.").finish("stop")]);
            inner.usage(7, 9);
            inner.finish();
            // Not the same kind: a call of its own.
            genai.embeddings("openai", "text-embedding-3-small").start().finish();
            Ok::<_, Infallible>(())
        })
        .await
        .unwrap();
    assert_eq!(t.names(), ["embeddings text-embedding-3-small", "chat gpt-4o"]);
    let chat = t.span_named("chat gpt-4o");
    assert_eq!(chat.get("gen_ai.provider.name"), Some("openai"), "the outer layer decides");
    assert_eq!(chat.get("gen_ai.response.id"), Some("outer's"));
    assert_eq!(chat.get("gen_ai.response.model"), Some("gpt-4o-2024-08-06"), "the inner one fills gaps");
    assert_eq!(chat.get("gen_ai.usage.output_tokens"), Some("9"));
    assert!(chat.get("gen_ai.output.messages").unwrap().contains("On its way."));
    assert_eq!(t.metrics()["gen_ai.client.operation.duration"].len(), 2, "one a call");
}

#[test]
fn a_call_that_outlives_the_one_around_it_is_one_of_its_own() {
    let t = telemetry();
    let first = t.genai.chat("openai", "first").start();
    let guard = first.attach();
    let mut second = t.genai.chat("openai", "second").start();
    first.finish();
    second.output([Message::assistant("Still here.").finish("stop")]);
    second.usage(1, 2);
    second.finish();
    drop(guard);
    assert_eq!(t.names(), ["chat first", "chat second"]);
    let second = t.span_named("chat second");
    assert_eq!(second.parent, t.span_named("chat first").id);
    assert_eq!(second.get("gen_ai.usage.output_tokens"), Some("2"));
    assert!(second.data.start_time < second.data.end_time);
    assert_eq!(t.metrics()["gen_ai.client.operation.duration"].len(), 2);
}

#[tokio::test]
async fn an_mcp_call_of_a_tool_is_part_of_it() {
    let t = telemetry();
    let genai = &t.genai;
    genai
        .execute_tool("search")
        .scope(async |_| {
            let call = genai.mcp_client(McpMethodName::ToolsCall).tool("search").session("s-1").start();
            let mut params = serde_json::Map::new();
            mcp::inject(call.context(), &mut params);
            let server = mcp::extract(&Context::new(), &params);
            genai.mcp_server(McpMethodName::ToolsCall).tool("search").parent(server).start().finish();
            call.finish();
            genai.mcp_client(McpMethodName::ToolsList).start().finish();
            Ok::<_, Infallible>(())
        })
        .await
        .unwrap();
    let tool = t.span_named("execute_tool search");
    assert_eq!(tool.get("mcp.session.id"), Some("s-1"));
    assert_eq!(tool.get("mcp.method.name"), Some("tools/call"));
    let server = t.span_named("tools/call search");
    assert_eq!((server.kind.clone(), server.parent), (SpanKind::Server, tool.id));
    assert_eq!(t.span_named("tools/list").kind, SpanKind::Client, "not a tool call: a span of its own");
    assert_eq!(t.metrics()["mcp.client.operation.duration"].len(), 2);
    genai.mcp_client_session().start().finish();
    assert_eq!(t.metrics()["mcp.client.session.duration"].len(), 1);
    assert_eq!(t.spans().len(), 3, "a session has no span");
}

#[tokio::test]
async fn a_stream_is_timed_and_ends_by_its_meaning() {
    let t = telemetry();
    let read = |call: &mut otel_genai::Active<otel_genai::Inference>, chunk: &&'static str| {
        if *chunk == "stop" {
            call.response.finish_reasons = vec!["stop".into()];
        }
    };
    let chat = |model: &str| t.genai.chat("openai", model).request(|r| r.stream = true).start();
    let good =
        |chunks: &'static [&'static str]| stream::iter(chunks.iter().copied().map(Ok::<_, std::io::Error>));

    let whole: Vec<_> = chat("whole").stream(good(&["a", "b", "stop"]), read).collect().await;
    assert_eq!(whole.len(), 3);
    let mut complete = chat("complete").stream(good(&["a", "stop", "[never read]"]), read);
    assert!(complete.next().await.is_some() && complete.next().await.is_some());
    drop(complete);
    let mut dropped = chat("dropped").stream(good(&["a", "b"]), read);
    assert!(dropped.next().await.is_some());
    drop(dropped);
    let broken = stream::iter([Ok("a"), Err(std::io::Error::other("reset"))]);
    let broken: Vec<_> = chat("broken").stream(broken, read).collect().await;
    assert!(broken[1].is_err(), "the error reaches the reader");

    for (name, error) in [
        ("chat whole", None),
        ("chat complete", None),
        ("chat dropped", Some("cancelled")),
        ("chat broken", Some("std::io::error::Error")),
    ] {
        let span = t.span_named(name);
        assert_eq!(span.get("error.type"), error, "{name}");
        assert!(span.get("gen_ai.response.time_to_first_chunk").is_some(), "{name}");
    }
    let chunks = &t.metrics()["gen_ai.client.operation.time_per_output_chunk"];
    assert_eq!(chunks.iter().map(|point| point.1).sum::<u64>(), 2 + 1, "one a chunk after the first");
}

#[derive(Debug, thiserror::Error)]
#[error("status {0}")]
struct ApiError(u16);

#[tokio::test]
async fn errors_have_the_type_that_they_were_taught() {
    let t = telemetry_with(Sampler::AlwaysOn, |builder| {
        builder.error_type(|error: &ApiError| Some(Cow::Owned(error.0.to_string())))
    });
    let erased: Result<(), Box<dyn std::error::Error + Send + Sync>> = Err(Box::new(ApiError(429)));
    let kept = t.genai.chat("openai", "erased").scope(async |_| erased).await;
    assert_eq!(kept.unwrap_err().to_string(), "status 429", "the error is passed on");
    t.genai.chat("openai", "typed").start().fail(&ApiError(503));
    t.genai.chat("openai", "text").start().fail("went wrong");
    t.genai.chat("openai", "code").start().fail(Failure::new("rate_limit_exceeded"));
    for (name, error_type, message) in [
        ("chat erased", "429", "status 429"),
        ("chat typed", "503", "status 503"),
        ("chat text", "_OTHER", "went wrong"),
        ("chat code", "rate_limit_exceeded", ""),
    ] {
        let span = t.span_named(name);
        assert_eq!(span.get("error.type"), Some(error_type), "{name}");
        assert_eq!(span.status, Status::error(message), "{name}");
    }
}

/// Adds an attribute, and takes an order's number out of what was asked.
struct Hook;

impl CompletionHook for Hook {
    fn on_completion(&self, completion: &mut Completion<'_>) {
        assert!(!completion.input_messages.is_empty(), "a hook sees content although none is recorded");
        if completion.operation == "invoke_agent" {
            panic!("a hook may fail");
        }
        completion.input_messages[0] = Message::user("[changed]");
        completion.attributes.push(opentelemetry::KeyValue::new("gen_ai.input.messages_ref", "file:///x"));
    }
}

fn hooked(capture: Capture) -> Telemetry {
    telemetry_with(Sampler::AlwaysOn, |builder| builder.capture(capture).completion_hook(Hook))
}

#[test]
fn a_hook_sees_all_content_and_decides_what_is_recorded() {
    let asked = [Message::user("order 7")];
    let t = hooked(Capture::NoContent);
    let mut call = t.genai.chat("openai", "m").start();
    call.input(asked.clone());
    call.finish();
    let span = t.span();
    assert_eq!(span.get("gen_ai.input.messages"), None);
    assert_eq!(span.get("gen_ai.input.messages_ref"), Some("file:///x"));

    let t = hooked(Capture::SpanAndEvent);
    let mut call = t.genai.chat("openai", "m").start();
    call.input(asked.clone());
    call.finish();
    assert!(t.span().get("gen_ai.input.messages").unwrap().contains("[changed]"));
    assert!(t.events()[0].1["gen_ai.input.messages"].contains("[changed]"));
    assert_eq!(t.events()[0].1["gen_ai.input.messages_ref"], "file:///x");
}

#[test]
fn after_a_hook_that_panics_the_call_is_told_without_content() {
    let t = hooked(Capture::SpanAndEvent);
    let mut agent = t.genai.invoke_agent("A").start();
    agent.input([Message::user("secret")]);
    agent.finish();
    let span = t.span();
    assert_eq!(span.status, Status::Unset);
    assert_eq!(span.get("gen_ai.input.messages"), None, "nobody knows what the hook was about to take out");
}

#[test]
fn secrets_are_taken_out_before_anything_sees_them() {
    let t = telemetry_with(Sampler::AlwaysOn, |builder| {
        builder.capture(Capture::SpanAndEvent).redact(Redactor::all())
    });
    let secret = "jo@example.com";
    let mut call = t.genai.chat("openai", "m").start();
    call.input([Message::user(format!("I am {secret}"))]);
    call.instructions([Part::text(format!("Ask {secret}"))]);
    call.output([Message::assistant_parts([Part::tool_call("1", "mail", json!({"to": [secret]}))])]);
    call.finish();
    let mut tool = t.genai.execute_tool("mail").start();
    tool.arguments(json!({"to": secret}));
    tool.result(json!({"sent": [secret]}));
    tool.finish();
    let mut retrieval = t.genai.retrieval("kb").start();
    retrieval.query(format!("orders of {secret}"));
    retrieval.documents([Document::new("d1", 0.5).content(format!("by {secret}"))]);
    retrieval.finish();
    for span in t.spans() {
        let said = format!("{:?}", span.attributes);
        assert!(!said.contains(secret) && said.contains("[email]"), "{said}");
    }
    let events = format!("{:?}", t.events());
    assert!(!events.contains(secret) && events.contains("[email]"), "{events}");
}

#[test]
fn content_beyond_the_limits_is_cut_and_stays_json() {
    let mut limits = ContentLimits::default();
    limits.attribute_bytes = Some(1000);
    let t = telemetry_with(Sampler::AlwaysOn, |builder| builder.capture(Capture::SpanOnly).limits(limits));
    let mut call = t.genai.chat("openai", "m").start();
    call.input([Message::user("x".repeat(100_000))]);
    call.finish();
    let span = t.span();
    let content = span.get("gen_ai.input.messages").unwrap();
    assert!(content.len() <= 1000, "{}", content.len());
    let json: serde_json::Value = serde_json::from_str(content).unwrap();
    assert_eq!(json[0]["role"], "user");
}

#[test]
fn an_evaluation_belongs_to_the_call_that_it_judges() {
    let t = telemetry();
    let call = t.genai.chat("openai", "m").start();
    let context = call.context().clone();
    call.finish();
    t.genai.evaluation("relevance").score(0.5).label("fair").explanation("Half of it.").of(&context).record();
    t.genai.evaluation("toxicity").score(f64::NAN).of(&context).fail("judge is down");
    let events = t.events();
    let [_, (name, relevance), (_, toxicity)] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(name, "gen_ai.evaluation.result");
    assert_eq!(relevance["gen_ai.evaluation.name"], "relevance");
    assert_eq!(relevance["gen_ai.evaluation.score.label"], "fair");
    assert_eq!(toxicity.get("gen_ai.evaluation.score.value"), None);
    assert_eq!(toxicity["error.type"], "_OTHER");
}

#[test]
fn bad_values_leave_nothing_invalid() {
    let t = telemetry();
    let mut call = t.genai.chat("", "").attribute("gen_ai.operation.name", "mine").start();
    call.request_mut().temperature = Some(f64::NAN);
    call.request_mut().top_p = Some(f64::INFINITY);
    call.usage(u64::MAX, 0);
    call.attribute("gen_ai.operation.name", "too late").attribute("error.type", "mine");
    call.request_mut().model = Some("known late".into());
    call.fail(Failure::new("real"));
    let span = t.span();
    assert_eq!(span.name, "chat known late");
    assert_eq!(span.get("gen_ai.request.temperature"), None);
    assert_eq!(span.get("gen_ai.request.top_p"), None);
    assert_eq!(span.get("gen_ai.provider.name"), None);
    assert_eq!(span.get("gen_ai.usage.input_tokens"), Some("9223372036854775807"));
    assert_eq!(span.get("gen_ai.operation.name"), Some("mine"), "the user's own wins");
    assert_eq!(span.get("error.type"), Some("real"), "but not over what really happened");
}

#[test]
fn after_shutdown_nothing_breaks() {
    let t = telemetry();
    let call = t.genai.chat("openai", "m").start();
    t.tracers.shutdown().unwrap();
    call.finish();
    t.genai.execute_tool("late").start().fail("late");
    GenAi::builder().build().chat("openai", "m").start().finish();
}

#[test]
fn the_current_operation_is_the_parent_and_restored() {
    let t = telemetry();
    let agent = t.genai.invoke_agent("A").start();
    let guard = agent.attach();
    let plan = t.genai.plan().start();
    assert_eq!(
        plan.context().span().span_context().trace_id(),
        agent.context().span().span_context().trace_id()
    );
    plan.finish();
    drop(guard);
    assert!(!Context::current().has_active_span());
    agent.finish();
    assert_eq!(t.span_named("plan A").parent, t.span_named("invoke_agent A").id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_agents_at_once_keep_their_trees_apart() {
    let t = telemetry();
    let tasks: Vec<_> = (0..1000)
        .map(|number| {
            let genai = t.genai.clone();
            tokio::spawn(async move {
                let inner = genai.clone();
                let outer = genai.invoke_agent(format!("outer {number}"));
                outer
                    .scope(async move |_| {
                        tokio::task::yield_now().await;
                        let leaf = inner.clone();
                        let agent = inner.invoke_agent(format!("inner {number}"));
                        agent
                            .scope(async move |agent| {
                                let call = leaf.chat("openai", format!("model {number}"));
                                let call = call.scope(async |_| {
                                    tokio::task::yield_now().await;
                                    Ok::<_, Infallible>(())
                                });
                                // On another task, which may be on another thread.
                                let _ = agent;
                                call.await
                            })
                            .await
                    })
                    .await
                    .unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let spans: BTreeMap<String, telemetry::Told> =
        t.spans().into_iter().map(|span| (span.name.clone(), span)).collect();
    assert_eq!(spans.len(), 3000);
    for number in 0..1000 {
        let outer = &spans[&format!("invoke_agent outer {number}")];
        let inner = &spans[&format!("invoke_agent inner {number}")];
        let chat = &spans[&format!("chat model {number}")];
        assert_eq!((outer.parent, inner.parent, chat.parent), (SpanId::INVALID, outer.id, inner.id));
    }
    let calls = &t.metrics()["gen_ai.invoke_agent.inference_calls"];
    assert!(calls.iter().all(|(attributes, _, sum)| {
        let is_inner = attributes["gen_ai.agent.name"].starts_with("inner");
        *sum == if is_inner { 1.0 } else { 0.0 }
    }));
}

/// Nests a list so deep that recursion without a bound would overflow the stack.
fn deep() -> serde_json::Value {
    (0..2_000).fold(json!(1), |inner, _| serde_json::Value::Array(vec![inner]))
}

#[test]
fn deep_json_overflows_no_stack_in_any_convention() {
    for convention in otel_genai::ConventionName::ALL {
        let t = telemetry_with(Sampler::AlwaysOn, |builder| {
            builder.convention(convention).capture(Capture::SpanAndEvent)
        });
        let mut chat = t.genai.chat("openai", "m").start();
        chat.input([Message::tool("id", deep())]);
        chat.finish();
        let mut tool = t.genai.execute_tool("x").start();
        tool.result(deep());
        tool.finish();
        let mut memory = t.genai.search_memory().start();
        memory.loongsuite.output = Some(deep());
        memory.finish();
        assert!(t.spans().len() >= 3, "{convention}");
    }
}

/// Panics at whatever it sees.
struct Broken;

impl otel_genai::Redact for Broken {
    fn text<'a>(&self, _: &'a str) -> Cow<'a, str> {
        panic!("redaction is broken")
    }
}

#[test]
fn a_redaction_that_panics_breaks_no_call_and_lets_nothing_through() {
    let t =
        telemetry_with(Sampler::AlwaysOn, |builder| builder.capture(Capture::SpanAndEvent).redact(Broken));
    let mut call = t.genai.chat("openai", "m").start();
    call.input([Message::user("secret")]);
    call.fail("secret");
    let span = t.span();
    assert_eq!(span.get("gen_ai.input.messages"), None);
    assert_eq!(span.get("error.type"), Some("_OTHER"));
    assert!(!format!("{:?} {:?}", span.data, t.events()).contains("secret"));
}

#[test]
fn errors_are_redacted_and_no_longer_than_a_few_pages() {
    let t = telemetry_with(Sampler::AlwaysOn, |builder| builder.redact(Redactor::all()));
    t.genai.chat("openai", "m").start().fail(format!("I am jo@example.com {}", "x".repeat(100_000)));
    let Status::Error { description } = t.span().status else { panic!("an error") };
    assert!(description.starts_with("I am [email]") && description.len() < 5_000, "{}", description.len());
}

#[test]
fn other_tools_called_by_a_tool_are_calls_of_their_own() {
    let t = telemetry();
    let tool = t.genai.execute_tool("research").start();
    let guard = tool.attach();
    t.genai.mcp_client(McpMethodName::ToolsCall).tool("search").start().finish();
    let mut fetch = t.genai.mcp_client(McpMethodName::ToolsCall).tool("fetch").start();
    fetch.response_status_code = Some("-32603".into());
    fetch.finish();
    t.genai.chat("groq", "guard").distinct().start().finish();
    drop(guard);
    tool.finish();
    assert_eq!(t.span_named("tools/call fetch").get("error.type"), Some("-32603"), "its code is its error");
    assert_eq!(t.names(), ["tools/call search", "tools/call fetch", "chat guard", "execute_tool research"]);
}

#[test]
fn what_is_asked_not_to_be_captured_is_not_an_opt_in() {
    let t = telemetry_with(Sampler::AlwaysOn, |builder| {
        builder.convention(otel_genai::ConventionName::LoongSuite).capture(Capture::NoContent)
    });
    let mut call = t.genai.chat("openai", "m").start();
    call.tools([otel_genai::ToolDefinition::function("look")]);
    call.finish();
    assert_eq!(t.span().get("gen_ai.tool.definitions"), None);
}

#[test]
fn a_port_is_told_with_its_address_only() {
    let t = telemetry();
    t.genai.chat("openai", "none").server("", 8080).start().finish();
    t.genai.chat("openai", "both").server("localhost", 8080).start().finish();
    assert_eq!(t.span_named("chat none").get("server.port"), None);
    assert_eq!(t.span_named("chat both").get("server.port"), Some("8080"));
}
