//! Sums: by agent and tool, by model, over time; and the document that tells what can be asked.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod support;

use std::sync::Arc;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::Link;
use otel_genai_store::StoreError;
use serde_json::{Value, json};
use support::unwilling::Unwilling;
use support::{START, Served, ask, int, request, span, text};

fn agent(name: &str) -> Vec<KeyValue> {
    vec![text("gen_ai.operation.name", "invoke_agent"), text("gen_ai.agent.name", name)]
}

fn chat(input: i64, output: i64) -> Vec<KeyValue> {
    vec![
        text("gen_ai.operation.name", "chat"),
        text("gen_ai.provider.name", "openai"),
        text("gen_ai.request.model", "gpt-4o"),
        int("gen_ai.usage.input_tokens", input),
        int("gen_ai.usage.output_tokens", output),
    ]
}

fn tool(name: &str) -> Vec<KeyValue> {
    vec![text("gen_ai.operation.name", "execute_tool"), text("gen_ai.tool.name", name)]
}

/// An agent that asks a second one by a tool, and calls a tool that fails once.
fn spans() -> Vec<Span> {
    let mut failing = span(
        6,
        1,
        "execute_tool find",
        (700, 750),
        [tool("find"), vec![text("error.type", "timeout")]].concat(),
    );
    failing.status = Some(opentelemetry_proto::tonic::trace::v1::Status { code: 2, message: String::new() });
    vec![
        span(1, 0, "invoke_agent Boss", (0, 1000), agent("Boss")),
        span(2, 1, "chat gpt-4o", (10, 110), chat(100, 10)),
        span(3, 1, "execute_tool delegate", (120, 600), tool("delegate")),
        span(4, 3, "invoke_agent Helper", (130, 590), agent("Helper")),
        span(5, 4, "chat gpt-4o", (140, 540), chat(1000, 100)),
        failing,
        span(7, 1, "execute_tool find", (760, 800), tool("find")),
    ]
}

fn find<'j>(items: &'j Value, key: &str, name: &str) -> &'j Value {
    items.as_array().unwrap().iter().find(|one| one[key] == name).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn agents_are_told_with_what_they_did_themselves_and_in_all() {
    let served = Served::start().await;
    served.send(&request(spans())).await;
    let agents = served.json("/api/v1/agents").await;
    let boss = find(&agents["items"], "agent", "Boss");
    assert_eq!(
        (&boss["runs"], &boss["totalMs"], &boss["service"]),
        (&json!(1), &json!(1000.0), &json!("shop"))
    );
    assert_eq!((&boss["own"]["calls"], &boss["own"]["usage"]["input"]), (&json!(1), &json!(100)));
    assert_eq!((&boss["total"]["calls"], &boss["total"]["usage"]["input"]), (&json!(2), &json!(1100)));
    let helper = find(&agents["items"], "agent", "Helper");
    assert_eq!((&helper["own"]["usage"]["output"], &helper["totalMs"]), (&json!(100), &json!(460.0)));
    assert_eq!(agents["edges"], json!([{ "from": "Boss", "to": "Helper", "calls": 1, "kind": "tool" }]));
    let matrix = json!([
        { "agent": "Boss", "tool": "delegate", "calls": 1, "errors": 0 },
        { "agent": "Boss", "tool": "find", "calls": 2, "errors": 1 },
    ]);
    assert_eq!(agents["matrix"], matrix);
    assert!(agents.get("sampled").is_none(), "all of them were looked at");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn agents_and_models_without_a_name_have_their_numbers_too() {
    let served = Served::start().await;
    let nameless = |op: &str| vec![text("gen_ai.operation.name", op), int("gen_ai.usage.input_tokens", 7)];
    served
        .send(&request(vec![
            span(1, 0, "invoke_agent", (0, 100), nameless("invoke_agent")),
            span(2, 1, "chat", (10, 50), nameless("chat")),
            span(3, 1, "embeddings", (60, 90), nameless("embeddings")),
            span(4, 1, "execute_tool find", (90, 95), tool("find")),
        ]))
        .await;
    let agents = served.json("/api/v1/agents").await;
    let one = find(&agents["items"], "agent", "");
    assert_eq!(
        (&one["runs"], &one["total"]["calls"], &one["total"]["usage"]["input"]),
        (&json!(1), &json!(2), &json!(14))
    );
    assert_eq!(agents["matrix"], json!([{ "agent": "", "tool": "find", "calls": 1, "errors": 0 }]));
    let models = served.json("/api/v1/models").await;
    assert_eq!(find(&models["items"], "model", "")["stat"]["calls"], 2);
    // The list counts what the sums count.
    assert_eq!(served.json("/api/v1/traces").await["items"][0]["llmCalls"], 2);
}

/// A span of another trace.
fn elsewhere(of: Span, trace: u8) -> Span {
    Span { trace_id: vec![trace; 16], ..of }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn agents_are_told_with_their_versions_and_who_handed_over_to_them() {
    let served = Served::start().await;
    let versioned =
        |name: &str, version: &str| [agent(name), vec![text("gen_ai.agent.version", version)]].concat();
    // The tool of the front desk names who goes on in the same trace; and the day before its span was named in another.
    let mut specialist = span(3, 0, "invoke_agent Specialist", (200, 300), versioned("Specialist", "2"));
    specialist.links.push(Link {
        trace_id: specialist.trace_id.clone(),
        span_id: vec![1, 0, 0, 0, 0, 0, 0, 2],
        ..Link::default()
    });
    let mut again =
        elsewhere(span(1, 0, "invoke_agent Specialist", (60_000, 60_100), versioned("Specialist", "3")), 7);
    again.links.push(specialist.links[0].clone());
    // Who names itself goes on; who names what never came names nobody.
    again.links.push(Link { span_id: vec![1, 0, 0, 0, 0, 0, 0, 3], ..specialist.links[0].clone() });
    again.links.push(Link { trace_id: vec![9; 16], span_id: vec![9; 8], ..Link::default() });
    served
        .send(&request(vec![
            span(1, 0, "invoke_agent Front desk", (0, 150), agent("Front desk")),
            span(2, 1, "execute_tool transfer", (100, 140), tool("transfer")),
            specialist,
            again,
        ]))
        .await;
    let agents = served.json("/api/v1/agents").await;
    let linked = json!([{ "from": "Front desk", "to": "Specialist", "calls": 2, "kind": "link" }]);
    assert_eq!(agents["edges"], linked);
    assert_eq!(find(&agents["items"], "agent", "Specialist")["versions"], json!(["3", "2"]), "newest first");
    assert_eq!(find(&agents["items"], "agent", "Front desk")["versions"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tools_are_told_with_how_much_goes_in_and_comes_out() {
    let served = Served::start().await;
    let run = |id: u8, arguments: usize, result: usize| {
        let told = vec![
            text("gen_ai.tool.type", "function"),
            text("gen_ai.tool.call.arguments", &"a".repeat(arguments)),
            text("gen_ai.tool.call.result", &"r".repeat(result)),
        ];
        let at = u64::from(id) * 100;
        span(id, 0, "execute_tool find", (at, at + 50), [tool("find"), told].concat())
    };
    let plain = span(9, 0, "execute_tool other", (900, 950), tool("other"));
    served.send(&request(vec![run(1, 10, 20_000), run(2, 30, 5), run(3, 900, 7), plain])).await;
    let tools = served.json("/api/v1/tools").await;
    let found = find(&tools["items"], "tool", "find");
    assert_eq!(
        (&found["argumentsP50"], &found["resultP50"], &found["kind"]),
        (&json!(30), &json!(7), &json!("function"))
    );
    let other = find(&tools["items"], "tool", "other");
    assert_eq!((other.get("argumentsP50"), other.get("resultP50"), other.get("kind")), (None, None, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_added_up_over_time_by_model_and_by_tool() {
    let served = Served::start().await;
    let empty = served.json("/api/v1/overview").await;
    assert!(empty["empty"]["connect"].to_string().contains(&served.http.to_string()), "{empty}");
    assert_eq!((&empty["stat"]["calls"], empty.get("before")), (&json!(0), None));

    let mut all = spans();
    all[1].attributes.push(text("gen_ai.conversation.id", "talk 1/a"));
    served.send(&request(all)).await;
    let (from, to) = (START / 1_000_000 - 60_000, START / 1_000_000 + 60_000);
    let range = format!("from={from}&to={to}");
    let overview = served.json(&format!("/api/v1/overview?{range}&step=1m")).await;
    assert!(overview.get("empty").is_none());
    assert_eq!((&overview["stat"]["calls"], &overview["traces"]), (&json!(2), &json!(1)));
    assert_eq!(overview["stat"]["usage"], json!({ "input": 1100, "output": 110 }));
    assert!(overview["stat"]["cost"]["amount"].as_f64().unwrap() > 0.0, "gpt-4o has a price");
    assert_eq!(overview["range"]["stepMs"], 60_000.0);
    let steps = overview["steps"].as_array().unwrap();
    assert_eq!(steps.iter().map(|step| step["calls"].as_u64().unwrap()).sum::<u64>(), 2);
    let half = overview["stat"]["p50Ms"].as_f64().unwrap();
    assert!((95.0..=410.0).contains(&half), "{half}");
    assert_eq!(overview["newest"][0]["name"], "invoke_agent Boss");
    assert_eq!(overview["failingTools"][0]["tool"], "find");

    let models = served.json("/api/v1/models").await;
    let model = &models["items"][0];
    assert_eq!(
        (&model["provider"], &model["model"], &model["priced"]),
        (&json!("openai"), &json!("gpt-4o"), &json!(true))
    );
    assert_eq!((&models["currency"], &models["unpriced"]), (&json!("USD"), &json!([])));
    let tools = served.json("/api/v1/tools").await;
    let tool = find(&tools["items"], "tool", "find");
    assert_eq!((&tool["stat"]["calls"], &tool["stat"]["errors"]), (&json!(2), &json!(1)));
    assert_eq!((&tool["retries"], &tool["lastError"]), (&json!(1), &json!("timeout")));

    let facets = served.json("/api/v1/facets?of=model&of=tool&of=conversation").await;
    assert_eq!(facets.as_object().unwrap().len(), 3);
    assert_eq!(facets["model"][0]["value"], "gpt-4o");
    let services = served.json("/api/v1/services").await;
    assert_eq!((&services["items"][0]["name"], &services["items"][0]["spans"]), (&json!("shop"), &json!(7)));

    let talks = served.json("/api/v1/conversations").await;
    assert_eq!((&talks["items"][0]["id"], &talks["items"][0]["traces"]), (&json!("talk 1/a"), &json!(1)));
    let talk = served.json("/api/v1/conversations/talk%201%2Fa").await;
    assert_eq!(talk["traces"][0]["name"], "invoke_agent Boss");
    let said = served.json("/api/v1/conversations/talk%201%2Fa?transcript=1").await;
    assert_eq!(said["transcript"]["calls"].as_array().unwrap().len(), 2);
    assert_eq!(served.get("/api/v1/conversations/other").await.status, 404);

    // Filters, and what they leave out.
    let none = served.json("/api/v1/overview?model=other&from=-30d").await;
    assert_eq!((&none["stat"]["calls"], none.get("empty")), (&json!(0), None));
    assert_eq!(
        served.json("/api/v1/traces?tool=find&sort=tokens").await["items"].as_array().unwrap().len(),
        1
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_store_cannot_do_is_said_so() {
    let cannot = || StoreError::Unsupported("do this");
    let served =
        Served::over(Arc::new(Unwilling(cannot)), tempfile::tempdir().unwrap(), |builder| builder).await;
    let paths = [
        "overview",
        "models",
        "agents",
        "tools",
        "conversations",
        "conversations/a",
        "services",
        "metrics",
        "metrics/series?name=a",
        "search?q=a",
        "facets",
        "traces",
        "logs",
        "status",
        "settings",
    ];
    for path in paths {
        let answer = served.get(&format!("/api/v1/{path}")).await;
        assert_eq!((answer.status, answer.code().as_str()), (501, "unsupported"), "{path}");
    }
    for (path, parameter) in [
        ("search", "q"),
        ("metrics/series", "name"),
        ("facets?of=color", "of"),
        ("overview?step=often", "step"),
        ("metrics/series?name=a&match=b", "match"),
        ("agents?agnet=a", "agnet"),
        ("traces?limit=501", "limit"),
        ("logs?limit=501", "limit"),
        ("conversations?limit=501", "limit"),
        ("search?q=a&limit=501", "limit"),
    ] {
        let answer = served.get(&format!("/api/v1/{path}")).await;
        assert_eq!((answer.status, &answer.json()["error"]["parameter"]), (400, &json!(parameter)), "{path}");
    }
    let delete = async |query: &str| {
        ask(served.page, "DELETE", &format!("/api/v1/data{query}"), &[("x-otel-genai", "1")], b"")
            .await
            .status
    };
    assert_eq!(delete("").await, 400);
    assert_eq!(delete("?all=1&before=-1d").await, 400);
    assert_eq!(delete("?all=1").await, 501);
}

/// A store with more than can be read in time can be looked at all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_much_there_is_is_said_though_there_is_no_time_to_read_it() {
    let late = || StoreError::Timeout(std::time::Duration::from_secs(10));
    let served =
        Served::over(Arc::new(Unwilling(late)), tempfile::tempdir().unwrap(), |builder| builder).await;
    assert_eq!(served.get("/api/v1/services").await.status, 504);
    let status = served.json("/api/v1/status").await;
    assert_eq!(
        (&status["spans"], &status["dialects"], &status["findings"]),
        (&json!(7), &json!([]), &json!(0))
    );
    for path in ["about", "settings"] {
        assert_eq!(served.get(&format!("/api/v1/{path}")).await.status, 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_can_be_asked_is_in_the_document() {
    let served = Served::start().await;
    let document = served.json("/api/v1/openapi.json").await;
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().unwrap() {
            assert!(!operation["summary"].as_str().unwrap().is_empty(), "{method} {path}");
            for parameter in operation["parameters"].as_array().unwrap() {
                let told = parameter["in"] == "path" || parameter["description"].is_string();
                assert!(told, "{method} {path}: {parameter} says what it is");
            }
            // Whatever the document tells of can be asked: the address is known, and so are its parameters.
            if method == "get" && !path.contains("stream") {
                let asked = path.replace(['{', '}'], "");
                let answer = served.get(&format!("/api/v1{asked}?no-such-parameter=1")).await;
                let error = &answer.json()["error"];
                assert!(
                    error["parameter"].is_string() || error["code"] == "not_found" && path.contains('{'),
                    "{path}: {error}"
                );
            }
        }
    }
    // Every shape that is named is there.
    let text = document.to_string();
    for part in text.split("\"$ref\":\"#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(document["components"]["schemas"][name].is_object(), "{name}");
    }
    assert!(paths.contains_key("/traces/{trace}") && paths["/data"]["delete"].is_object());
}

/// No agent is called as a workflow is: its traces are found by what it does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workflows_stand_with_the_agents_and_are_told_apart() {
    let served = Served::start().await;
    let workflow =
        vec![text("gen_ai.operation.name", "invoke_workflow"), text("gen_ai.workflow.name", "nightly")];
    served
        .send(&request(vec![
            span(1, 0, "invoke_workflow nightly", (0, 900), workflow),
            span(2, 1, "invoke_agent Boss", (10, 800), agent("Boss")),
        ]))
        .await;
    let agents = served.json("/api/v1/agents").await;
    assert_eq!(find(&agents["items"], "agent", "nightly")["workflow"], json!(true));
    assert!(find(&agents["items"], "agent", "Boss").get("workflow").is_none());
    for (query, found) in [("agent=nightly", 0), ("op=invoke_workflow&service=shop", 1), ("agent=Boss", 1)] {
        let traces = served.json(&format!("/api/v1/traces?{query}")).await;
        assert_eq!(traces["items"].as_array().unwrap().len(), found, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prices_are_told_with_the_models_that_have_none() {
    let served = Served::start().await;
    let mut unknown = chat(100, 10);
    unknown[2] = text("gen_ai.request.model", "house-model");
    served.send(&request(vec![span(1, 0, "chat house-model", (0, 100), unknown)])).await;
    let prices = served.json("/api/v1/prices").await;
    assert_eq!((&prices["currency"], &prices["source"]), (&json!("USD"), &json!("list prices")));
    let gpt = find(&prices["rows"], "model", "gpt-5");
    let expected = json!({
        "provider": "openai", "model": "gpt-5", "from": "2025-08-07", "input": 1.25, "output": 10.0,
        "cacheRead": 0.125, "per": 1_000_000,
    });
    assert_eq!(gpt, &expected);
    assert!(find(&prices["rows"], "model", "text-embedding-3-small").get("output").is_none());
    assert_eq!(prices["unpriced"], json!([{ "provider": "openai", "model": "house-model", "calls": 1 }]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_no_name_is_counted_too() {
    let served = Served::start().await;
    let run = |name: &str| text("gen_ai.operation.name", name);
    let nameless = vec![run("chat"), int("gen_ai.usage.input_tokens", 10)];
    served
        .send(&request(vec![
            span(1, 0, "invoke_agent", (0, 100), vec![run("invoke_agent")]),
            span(2, 1, "chat", (10, 50), nameless),
            span(3, 1, "execute_tool", (50, 90), vec![run("execute_tool")]),
        ]))
        .await;
    let agents = served.json("/api/v1/agents").await;
    let row = &agents["items"][0];
    assert_eq!((&row["agent"], &row["runs"], &row["own"]["calls"]), (&json!(""), &json!(1), &json!(1)));
    assert_eq!((&agents["matrix"][0]["agent"], &agents["matrix"][0]["calls"]), (&json!(""), &json!(1)));
    let models = served.json("/api/v1/models").await;
    assert_eq!((&models["items"][0]["model"], &models["items"][0]["stat"]["calls"]), (&json!(""), &json!(1)));
}
