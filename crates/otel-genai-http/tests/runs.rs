//! Agent runs, recovered from calls that bring each other's tool answers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, Response, Uri};
use http_body_util::{BodyExt as _, Full};
use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceContextExt as _, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Context, SpanId as Id};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use otel_genai::{Capture, GenAi};
use otel_genai_http::{Call, Exchange, Observer, Options, Runs};
use serde_json::{Value, json};

const OPENAI: &str = "https://api.openai.com/v1/chat/completions";
const RESPONSES: &str = "https://api.openai.com/v1/responses";
const ANTHROPIC: &str = "https://api.anthropic.com/v1/messages";
const GEMINI: &str =
    "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent";
const OLLAMA: &str = "http://localhost:11434/api/chat";

struct World {
    observer: Observer,
    spans: InMemorySpanExporter,
}

fn world(runs: Runs, capture: Capture) -> World {
    let spans = InMemorySpanExporter::default();
    let tracers = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
    let genai = GenAi::builder().tracer_provider(&tracers).capture(capture).build();
    let mut options = Options::default();
    options.runs = runs;
    World { observer: Observer::new(genai, options).unwrap(), spans }
}

impl World {
    fn begin(&self, url: &str, headers: &[(&str, &str)], parent: Context) -> Exchange {
        let uri: Uri = url.parse().unwrap();
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            all.insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        self.observer.begin(&Call::new(&Method::POST, &uri, &all).parent(parent)).expect("a model call")
    }

    async fn finish(exchange: Exchange, request: Value, status: u16, answer: &str) {
        let body = Full::new(Bytes::from(request.to_string()));
        exchange.request_body(body).collect().await.unwrap();
        let kind = if answer.starts_with("data:") { "text/event-stream" } else { "application/json" };
        let head = Response::builder().status(status).header("content-type", kind).body(()).unwrap();
        let body = Full::new(Bytes::from(answer.to_owned()));
        exchange.response(&head.into_parts().0, body).collect().await.unwrap();
    }

    async fn call(&self, url: &str, request: Value, answer: Value) {
        self.call_as(url, &[], Context::new(), request, answer).await;
    }

    async fn call_as(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        parent: Context,
        request: Value,
        answer: Value,
    ) {
        let exchange = self.begin(url, headers, parent);
        World::finish(exchange, request, 200, &answer.to_string()).await;
    }

    /// The spans, in the order in which they began; each as `name`, indented by its depth.
    fn tree(&self) -> Vec<String> {
        let spans = self.ended();
        spans.iter().map(|span| format!("{}{}", "  ".repeat(depth(span, &spans)), span.name)).collect()
    }

    fn ended(&self) -> Vec<SpanData> {
        assert!(self.observer.drain(Duration::from_secs(10)));
        let mut spans = self.spans.get_finished_spans().unwrap();
        spans.sort_by_key(|span| span.start_time);
        let starts = spans.clone();
        // What begins at the same moment: outer ones first.
        spans.sort_by_key(|span| (span.start_time, depth(span, &starts)));
        spans
    }
}

fn depth(span: &SpanData, all: &[SpanData]) -> usize {
    let mut depth = 0;
    let mut parent = span.parent_span_id;
    while let Some(outer) = all.iter().find(|one| one.span_context.span_id() == parent) {
        assert_eq!(outer.span_context.trace_id(), span.span_context.trace_id(), "one tree is one trace");
        depth += 1;
        parent = outer.parent_span_id;
    }
    depth
}

fn attribute(span: &SpanData, key: &str) -> Option<String> {
    span.attributes.iter().find(|one| one.key.as_str() == key).map(|one| one.value.to_string())
}

fn tools() -> Value {
    json!([
        {"type": "function", "function": {"name": "weather", "description": "The weather", "parameters": {}}},
        {"type": "function", "function": {"name": "clock", "parameters": {}}}
    ])
}

fn asks(calls: &[(&str, &str, &str)]) -> Value {
    let calls: Vec<Value> = calls
        .iter()
        .map(|(id, name, arguments)| {
            json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}})
        })
        .collect();
    json!({"role": "assistant", "content": null, "tool_calls": calls})
}

fn answer(message: &Value) -> Value {
    let reason = if message["tool_calls"].is_array() { "tool_calls" } else { "stop" };
    json!({"id": "c1", "object": "chat.completion", "model": "gpt-4o-mini",
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}})
}

fn user(text: &str) -> Value {
    json!({"role": "user", "content": text})
}

fn said(text: &str) -> Value {
    json!({"role": "assistant", "content": text})
}

fn result(id: &str, text: &str) -> Value {
    json!({"role": "tool", "tool_call_id": id, "content": text})
}

fn chat(messages: &[Value]) -> Value {
    json!({"model": "gpt-4o-mini", "messages": messages, "tools": tools()})
}

/// An agent with two tools: two calls of the model, both tools between them.
async fn two_tools(world: &World, question: &str) {
    let asked = asks(&[("call_1", "weather", r#"{"city":"Oslo"}"#), ("call_2", "clock", "{}")]);
    world.call(OPENAI, chat(&[user(question)]), answer(&asked)).await;
    let messages = [user(question), asked, result("call_1", "snow"), result("call_2", "noon")];
    world.call(OPENAI, chat(&messages), answer(&said("Snow at noon."))).await;
}

const TWO_TOOLS: [&str; 5] = [
    "invoke_agent",
    "  chat gpt-4o-mini",
    "  execute_tool weather",
    "  execute_tool clock",
    "  chat gpt-4o-mini",
];

#[tokio::test]
async fn two_calls_and_the_tools_between_them_are_one_trace() {
    let world = world(Runs::OfOneProgram, Capture::SpanOnly);
    two_tools(&world, "Weather and time?").await;
    assert_eq!(world.tree(), TWO_TOOLS);

    let spans = world.ended();
    let [agent, first, weather, clock, last] = spans.as_slice() else { panic!("{spans:#?}") };
    assert_eq!(agent.parent_span_id, Id::INVALID);
    assert_eq!(agent.span_kind, SpanKind::Internal);
    assert_eq!(agent.status, Status::Unset);
    assert_eq!((agent.start_time, agent.end_time), (first.start_time, last.end_time));
    for inferred in [agent, weather, clock] {
        assert_eq!(attribute(inferred, "otel_genai.inferred").as_deref(), Some("true"), "{}", inferred.name);
    }
    for seen in [first, last] {
        assert_eq!(attribute(seen, "otel_genai.inferred"), None);
        assert_eq!(attribute(seen, "gen_ai.usage.input_tokens").as_deref(), Some("9"));
    }
    assert_eq!(attribute(agent, "gen_ai.usage.input_tokens"), None, "usage is told where it was counted");
    assert_eq!(attribute(agent, "gen_ai.agent.id"), None, "nobody gave it an id");
    assert_eq!(attribute(agent, "gen_ai.conversation.id"), None);
    assert_eq!((weather.start_time, weather.end_time), (first.end_time, last.start_time));
    assert_eq!(attribute(weather, "gen_ai.tool.call.id").as_deref(), Some("call_1"));
    assert_eq!(attribute(weather, "gen_ai.tool.description").as_deref(), Some("The weather"));
    assert_eq!(attribute(weather, "gen_ai.tool.call.arguments").as_deref(), Some(r#"{"city":"Oslo"}"#));
    assert!(attribute(weather, "gen_ai.tool.call.result").unwrap().contains("snow"));
}

#[tokio::test]
async fn without_content_the_run_is_told_and_nothing_of_what_was_said() {
    let world = world(Runs::OfOneProgram, Capture::NoContent);
    two_tools(&world, "Weather and time?").await;
    assert_eq!(world.tree(), TWO_TOOLS);
    let told = format!("{:?}", world.ended());
    for secret in ["Oslo", "snow", "noon", "Weather and"] {
        assert!(!told.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn each_further_step_belongs_to_the_same_run() {
    let world = world(Runs::OfOneProgram, Capture::NoContent);
    let mut messages = vec![user("Go")];
    for step in 0..20 {
        let id = format!("call_{step}");
        let asked = asks(&[(&id, "weather", "{}")]);
        world.call(OPENAI, chat(&messages), answer(&asked)).await;
        messages.extend([asked, result(&id, "snow")]);
    }
    world.call(OPENAI, chat(&messages), answer(&said("Done."))).await;
    // The next question is another run.
    messages.extend([said("Done."), user("Again")]);
    world.call(OPENAI, chat(&messages), answer(&said("No."))).await;
    let tree = world.tree();
    assert_eq!(tree.len(), 1 + 21 + 20 + 1, "{tree:#?}");
    assert_eq!(tree.iter().filter(|name| *name == "invoke_agent").count(), 1);
    assert_eq!(tree.last().unwrap(), "chat gpt-4o-mini");
}

#[tokio::test]
async fn a_call_that_asks_for_tools_and_gets_no_answer_is_a_call() {
    let world = world(Runs::OfOneProgram, Capture::NoContent);
    // As programs do that want structured data, and never answer.
    let asked = asks(&[("call_1", "weather", "{}")]);
    world.call(OPENAI, chat(&[user("Extract")]), answer(&asked)).await;
    world.call(OPENAI, chat(&[user("Hello")]), answer(&said("Hello"))).await;
    assert_eq!(world.tree(), ["chat gpt-4o-mini", "chat gpt-4o-mini"]);
}

#[tokio::test]
async fn runs_at_once_are_kept_apart_even_with_the_same_ids() {
    let world = world(Runs::OfOneProgram, Capture::NoContent);
    let asked = asks(&[("call_1", "weather", "{}")]);
    for question in ["A", "B"] {
        world.call(OPENAI, chat(&[user(question)]), answer(&asked)).await;
    }
    for question in ["A", "B"] {
        let messages = [user(question), asked.clone(), result("call_1", "snow")];
        world.call(OPENAI, chat(&messages), answer(&said("Snow."))).await;
    }
    let spans = world.ended();
    let mut traces: Vec<String> = spans.iter().map(|span| span.span_context.trace_id().to_string()).collect();
    traces.sort();
    assert_eq!(traces.len(), 8, "{:#?}", world.tree());
    for trace in traces.chunks(4) {
        assert!(trace.iter().all(|id| *id == trace[0]), "four spans each");
    }
}

#[tokio::test]
async fn a_step_that_fails_and_is_tried_again_stays_in_the_run_and_its_tools_are_told_once() {
    let world = world(Runs::OfOneProgram, Capture::NoContent);
    let asked = asks(&[("call_1", "weather", "{}")]);
    world.call(OPENAI, chat(&[user("Q")]), answer(&asked)).await;
    let again = chat(&[user("Q"), asked, result("call_1", "snow")]);
    let refusal =
        json!({"error": {"message": "slow down", "type": "requests", "code": "rate_limit_exceeded"}});
    let exchange = world.begin(OPENAI, &[], Context::new());
    World::finish(exchange, again.clone(), 429, &refusal.to_string()).await;
    world.call(OPENAI, again, answer(&said("Snow."))).await;
    let names = [
        "invoke_agent",
        "  chat gpt-4o-mini",
        "  execute_tool weather",
        "  chat gpt-4o-mini",
        "  chat gpt-4o-mini",
    ];
    assert_eq!(world.tree(), names);
    let spans = world.ended();
    assert_eq!(spans[0].status, Status::Unset, "it ended well");
    assert!(matches!(spans[3].status, Status::Error { .. }));
}

#[tokio::test]
async fn a_run_whose_last_step_failed_has_failed() {
    let world = world(Runs::OfOneProgram, Capture::NoContent);
    let asked = asks(&[("call_1", "weather", "{}")]);
    world.call(OPENAI, chat(&[user("Q")]), answer(&asked)).await;
    let exchange = world.begin(OPENAI, &[], Context::new());
    let last = chat(&[user("Q"), asked, result("call_1", "snow")]);
    World::finish(exchange, last, 500, r#"{"error":{"message":"down","type":"server_error"}}"#).await;
    let agent = &world.ended()[0];
    assert_eq!(agent.name, "invoke_agent");
    assert!(matches!(agent.status, Status::Error { .. }), "{agent:?}");
    assert!(attribute(agent, "error.type").is_some());
}

#[tokio::test]
async fn calls_of_other_traces_are_never_joined_and_those_of_one_span_are() {
    let span = |trace: u128, span: u64| {
        let context = SpanContext::new(
            TraceId::from(trace),
            SpanId::from(span),
            TraceFlags::SAMPLED,
            true,
            TraceState::default(),
        );
        Context::new().with_remote_span_context(context)
    };
    let asked = asks(&[("call_1", "weather", "{}")]);
    let last = chat(&[user("Q"), asked.clone(), result("call_1", "snow")]);
    for runs in [Runs::OfOneProgram, Runs::Keyed] {
        let world = world(runs, Capture::NoContent);
        world.call_as(OPENAI, &[], span(7, 1), chat(&[user("Q")]), answer(&asked)).await;
        world.call_as(OPENAI, &[], span(8, 1), last.clone(), answer(&said("Snow."))).await;
        world.call_as(OPENAI, &[], span(7, 2), last.clone(), answer(&said("Snow."))).await;
        world.call_as(OPENAI, &[], Context::new(), last.clone(), answer(&said("Snow."))).await;
        let spans = world.ended();
        assert!(spans.iter().all(|span| span.name.starts_with("chat")), "{:#?}", world.tree());

        world.spans.reset();
        world.call_as(OPENAI, &[], span(7, 1), chat(&[user("Q")]), answer(&asked)).await;
        world.call_as(OPENAI, &[], span(7, 1), last.clone(), answer(&said("Snow."))).await;
        let spans = world.ended();
        assert_eq!(spans[0].name, "invoke_agent");
        assert_eq!(spans[0].parent_span_id, SpanId::from(1));
        assert!(spans.iter().all(|span| span.span_context.trace_id() == TraceId::from(7)));
    }
}

#[tokio::test]
async fn a_gateway_of_many_joins_only_what_names_its_session() {
    let world = world(Runs::Keyed, Capture::NoContent);
    two_tools(&world, "Nobody knows whose").await;
    assert_eq!(world.tree(), ["chat gpt-4o-mini", "chat gpt-4o-mini"]);
    world.spans.reset();
    let asked = asks(&[("call_1", "weather", "{}")]);
    let last = chat(&[user("Q"), asked.clone(), result("call_1", "snow")]);
    let mine = [("x-session-id", "mine")];
    world.call_as(OPENAI, &mine, Context::new(), chat(&[user("Q")]), answer(&asked)).await;
    let other = [("x-session-id", "other")];
    world.call_as(OPENAI, &other, Context::new(), last.clone(), answer(&said("Snow."))).await;
    world.call_as(OPENAI, &mine, Context::new(), last, answer(&said("Snow."))).await;
    let mut tree = world.tree();
    tree.sort();
    assert_eq!(
        tree,
        [
            "  chat gpt-4o-mini",
            "  chat gpt-4o-mini",
            "  execute_tool weather",
            "chat gpt-4o-mini",
            "invoke_agent"
        ]
    );
}

#[tokio::test]
async fn streams_and_the_responses_of_openai() {
    let world = world(Runs::OfOneProgram, Capture::NoContent);
    let tools = json!([{"type": "function", "name": "weather", "parameters": {}}]);
    let stream = concat!(
        "data: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\",\"model\":\"gpt-5\",\"status\":\"in_progress\",\"output\":[]}}\n\n",
        "data: {\"type\":\"response.output_item.added\",\"output_index\":0,\"item\":{\"type\":\"function_call\",\"id\":\"fc_1\",\"call_id\":\"call_9\",\"name\":\"weather\",\"arguments\":\"\"}}\n\n",
        "data: {\"type\":\"response.output_item.done\",\"output_index\":0,\"item\":{\"type\":\"function_call\",\"id\":\"fc_1\",\"call_id\":\"call_9\",\"name\":\"weather\",\"arguments\":\"{}\"}}\n\n",
        "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"resp_1\",\"model\":\"gpt-5\",\"status\":\"completed\",\"output\":[{\"type\":\"function_call\",\"id\":\"fc_1\",\"call_id\":\"call_9\",\"name\":\"weather\",\"arguments\":\"{}\"}],\"usage\":{\"input_tokens\":4,\"output_tokens\":2}}}\n\n"
    );
    let exchange = world.begin(RESPONSES, &[], Context::new());
    let first = json!({"model": "gpt-5", "input": "Weather?", "tools": tools, "stream": true});
    World::finish(exchange, first, 200, stream).await;
    let second = json!({"model": "gpt-5", "previous_response_id": "resp_1", "tools": tools,
        "input": [{"type": "function_call_output", "call_id": "call_9", "output": "snow"}]});
    let last = json!({"id": "resp_2", "object": "response", "model": "gpt-5", "status": "completed",
        "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Snow."}]}]});
    world.call(RESPONSES, second, last).await;
    assert_eq!(world.tree(), ["invoke_agent", "  chat gpt-5", "  execute_tool weather", "  chat gpt-5"]);
    let spans = world.ended();
    assert!(attribute(&spans[1], "gen_ai.response.time_to_first_chunk").is_some());
}

#[tokio::test]
async fn a_tool_that_says_it_failed_has_failed() {
    let world = world(Runs::OfOneProgram, Capture::NoContent);
    let tools = json!([{"name": "weather", "input_schema": {"type": "object"}}]);
    let call = json!({"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Oslo"}});
    let message = |content: Value, reason: &str| {
        json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-4", "content": content,
            "stop_reason": reason, "usage": {"input_tokens": 5, "output_tokens": 2}})
    };
    let asked = json!({"model": "claude-4", "max_tokens": 9, "messages": [user("Q")], "tools": tools});
    world.call(ANTHROPIC, asked, message(json!([call]), "tool_use")).await;
    let failed = json!([{"type": "tool_result", "tool_use_id": "toolu_1", "is_error": true, "content": "no such city"}]);
    let history =
        json!([user("Q"), {"role": "assistant", "content": [call]}, {"role": "user", "content": failed}]);
    let next = json!({"model": "claude-4", "max_tokens": 9, "messages": history, "tools": tools});
    world.call(ANTHROPIC, next, message(json!([{"type": "text", "text": "Sorry."}]), "end_turn")).await;
    assert_eq!(
        world.tree(),
        ["invoke_agent", "  chat claude-4", "  execute_tool weather", "  chat claude-4"]
    );
    let tool = &world.ended()[2];
    assert!(matches!(tool.status, Status::Error { .. }), "{tool:?}");
    assert_eq!(attribute(tool, "error.type").as_deref(), Some("tool_error"));
}

#[tokio::test]
async fn providers_without_ids_are_followed_by_what_was_said() {
    let world = world(Runs::OfOneProgram, Capture::NoContent);
    let tools = json!([{"functionDeclarations": [{"name": "weather"}]}]);
    let question = json!({"role": "user", "parts": [{"text": "Weather in Oslo and Rome?"}]});
    let calls = json!({"role": "model", "parts": [
        {"functionCall": {"name": "weather", "args": {"city": "Oslo", "days": 1}}},
        {"functionCall": {"name": "weather", "args": {"city": "Rome", "days": 1}}}
    ]});
    // As the SDK of Python sends it back: the keys in another order, the number as a float.
    let repeated = json!({"role": "model", "parts": [
        {"functionCall": {"args": {"days": 1.0, "city": "Oslo"}, "name": "weather"}},
        {"functionCall": {"args": {"days": 1.0, "city": "Rome"}, "name": "weather"}}
    ]});
    let results = json!({"role": "user", "parts": [
        {"functionResponse": {"name": "weather", "response": {"sky": "snow"}}},
        {"functionResponse": {"name": "weather", "response": {"sky": "sun"}}}
    ]});
    let answer = |content: &Value| {
        json!({"candidates": [{"content": content, "finishReason": "STOP", "index": 0}], "modelVersion": "gemini-2.5-flash",
            "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 3, "totalTokenCount": 10}})
    };
    world.call(GEMINI, json!({"contents": [question], "tools": tools}), answer(&calls)).await;
    let text = json!({"role": "model", "parts": [{"text": "Snow and sun."}]});
    let next = json!({"contents": [question, repeated, results], "tools": tools});
    world.call(GEMINI, next, answer(&text)).await;
    let chat = "  generate_content gemini-2.5-flash";
    let tool = "  execute_tool weather";
    assert_eq!(world.tree(), ["invoke_agent", chat, tool, tool, chat]);

    world.spans.reset();
    let tools = json!([{"type": "function", "function": {"name": "clock", "parameters": {}}}]);
    let asked = json!({"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "clock", "arguments": {}}}]});
    let answer =
        |message: &Value| json!({"model": "llama3", "message": message, "done": true, "done_reason": "stop"});
    let first = json!({"model": "llama3", "messages": [user("Time?")], "tools": tools, "stream": false});
    world.call(OLLAMA, first, answer(&asked)).await;
    let history = json!([user("Time?"), asked, {"role": "tool", "tool_name": "clock", "content": "noon"}]);
    let next = json!({"model": "llama3", "messages": history, "tools": tools, "stream": false});
    world.call(OLLAMA, next, answer(&said("Noon."))).await;
    assert_eq!(world.tree(), ["invoke_agent", "  chat llama3", "  execute_tool clock", "  chat llama3"]);
}

#[tokio::test]
async fn by_default_each_call_is_told_alone() {
    let world = world(Options::default().runs, Capture::NoContent);
    two_tools(&world, "Weather and time?").await;
    assert_eq!(world.tree(), ["chat gpt-4o-mini", "chat gpt-4o-mini"]);
}

#[tokio::test]
async fn of_two_that_look_the_same_the_latest_is_meant() {
    let world = world(Runs::OfOneProgram, Capture::NoContent);
    let asked = asks(&[("call_1", "weather", "{}")]);
    // The first one was given up.
    for _ in 0..2 {
        world.call(OPENAI, chat(&[user("Q")]), answer(&asked)).await;
    }
    let messages = [user("Q"), asked, result("call_1", "snow")];
    world.call(OPENAI, chat(&messages), answer(&said("Snow."))).await;
    assert_eq!(
        world.tree(),
        [
            "chat gpt-4o-mini",
            "invoke_agent",
            "  chat gpt-4o-mini",
            "  execute_tool weather",
            "  chat gpt-4o-mini"
        ]
    );
}

#[tokio::test]
async fn what_has_been_answered_before_is_another_matter() {
    let world = world(Runs::OfOneProgram, Capture::NoContent);
    let asked = asks(&[("call_1", "weather", "{}")]);
    world.call(OPENAI, chat(&[user("Q")]), answer(&asked)).await;
    let failing = world.begin(OPENAI, &[], Context::new());
    let step = chat(&[user("Q"), asked.clone(), result("call_1", "snow")]);
    World::finish(failing, step, 500, r#"{"error":{"message":"down","type":"server_error"}}"#).await;
    // The program makes an answer up, and the person goes on.
    let history = [user("Q"), asked, result("call_1", "snow"), said("I do not know."), user("Title?")];
    world.call(OPENAI, chat(&history), answer(&said("Weather"))).await;
    let tree = world.tree();
    assert_eq!(tree.iter().filter(|name| name.starts_with("  ")).count(), 3, "{tree:#?}");
    assert_eq!(tree.last().unwrap(), "chat gpt-4o-mini");
}
