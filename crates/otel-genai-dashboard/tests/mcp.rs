//! Coding agents ask over MCP.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod support;

use serde_json::{Value, json};
use support::{Answer, JSON, Served, TRACE, ask};

async fn post(served: &Served, message: &Value) -> Answer {
    ask(served.page, "POST", "/mcp", &[JSON], message.to_string().as_bytes()).await
}

async fn call(served: &Served, tool: &str, arguments: Value) -> (String, bool) {
    let params = json!({ "name": tool, "arguments": arguments });
    let answer =
        post(served, &json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params }))
            .await
            .json();
    let result = &answer["result"];
    (
        result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned(),
        result["isError"] == true,
    )
}

async fn with_a_failure() -> Served {
    let served = Served::start().await;
    let text = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
    let messages =
        json!([{ "role": "user", "parts": [{ "type": "text", "content": "Where is my order?" }] }]);
    let span = |id: &str, parent: &str, name: &str, op: &str| {
        json!({ "traceId": TRACE, "spanId": id, "parentSpanId": parent, "name": name,
            "startTimeUnixNano": "1795363720000000000", "endTimeUnixNano": "1795363721000000000",
            "status": { "code": 2, "message": "it took too long" },
            "attributes": [text("gen_ai.operation.name", op), text("gen_ai.request.model", "gpt-5"), text("error.type", "timeout"),
                text("gen_ai.input.messages", &messages.to_string())],
            "events": [{ "name": "exception", "attributes": [text("exception.message", "no answer within 30 s")] }] })
    };
    let spans = [
        span("0000000000000001", "", "invoke_agent shop", "invoke_agent"),
        span("0000000000000002", "0000000000000001", "chat gpt-5", "chat"),
    ];
    let file = json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": spans }] }] });
    let answer = ask(served.http, "POST", "/v1/traces", &[JSON], file.to_string().as_bytes()).await;
    assert_eq!(answer.status, 200);
    served
}

#[tokio::test]
async fn a_client_is_greeted_and_told_the_tools() {
    let served = Served::start().await;
    let hello = json!({ "jsonrpc": "2.0", "id": "a", "method": "initialize",
        "params": { "protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } } });
    let answer = post(&served, &hello).await.json();
    assert_eq!((&answer["id"], &answer["result"]["protocolVersion"]), (&json!("a"), &json!("2025-03-26")));
    let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    let answer = post(&served, &ready).await;
    assert_eq!((answer.status, answer.body.len()), (202, 0));
    let list = post(&served, &json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" })).await.json();
    let tools = list["result"]["tools"].as_array().unwrap();
    let names: Vec<_> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["list_traces", "get_trace", "get_transcript", "search", "stats", "why_failed"]);
    assert!(
        tools.iter().all(
            |tool| tool["annotations"]["readOnlyHint"] == true && tool["inputSchema"]["type"] == "object"
        )
    );
    for (message, code) in [
        (json!({ "jsonrpc": "2.0", "id": 1, "method": "resources/list" }), -32601),
        (json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "rm" } }), -32602),
        (json!([]), -32600),
    ] {
        assert_eq!(post(&served, &message).await.json()["error"]["code"], code, "{message}");
    }
    assert_eq!(ask(served.page, "POST", "/mcp", &[JSON], b"{").await.json()["error"]["code"], -32700);
}

#[tokio::test]
async fn an_agent_learns_why_its_run_failed() {
    let served = with_a_failure().await;
    let (told, failed) = call(&served, "why_failed", json!({})).await;
    assert!(!failed, "{told}");
    for words in [TRACE, "chat gpt-5", "timeout", "it took too long", "no answer within 30 s"] {
        assert!(told.contains(words), "{words:?} is missing in:\n{told}");
    }
    let inner = told.find("chat gpt-5").unwrap();
    assert!(inner < told.rfind("invoke_agent shop").unwrap(), "where it began comes first:\n{told}");

    let (told, _) = call(&served, "list_traces", json!({ "errors": true, "limit": 5 })).await;
    assert!(told.contains(TRACE) && told.lines().count() == 1, "{told}");
    let (told, _) = call(&served, "get_trace", json!({ "id": "last" })).await;
    assert!(told.contains("chat gpt-5") && !told.contains("Where is my order?"), "{told}");
    let (told, _) = call(&served, "get_transcript", json!({ "id": TRACE })).await;
    assert!(told.contains("Where is my order?") && told.contains("untrusted"), "{told}");
    let (told, _) = call(&served, "stats", json!({ "by": "model" })).await;
    assert!(told.contains("gpt-5"), "{told}");
    let (told, failed) = call(&served, "get_trace", json!({ "id": "nothing" })).await;
    assert!(failed && told.contains("nothing"), "{told}");
}

/// What a coding agent tells of a prompt by log records: a call that was answered, a tool and a call that failed.
async fn with_a_session() -> Served {
    let served = Served::start().await;
    let text = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
    let record = |second: u64, event: &str, told: &[(&str, &str)]| {
        let more = [("event.name", event), ("session.id", "s-1"), ("prompt.id", "p-1")];
        let told = more.iter().chain(told).map(|(key, value)| match value.parse::<u32>() {
            Ok(number) => json!({ "key": key, "value": { "intValue": number.to_string() } }),
            Err(_) => text(key, value),
        });
        let all: Vec<_> = told.collect();
        json!({ "timeUnixNano": (1_795_363_720 + second).to_string() + "000000000", "attributes": all,
            "body": { "stringValue": format!("claude_code.{event}") } })
    };
    let model = ("model", "claude-opus-4-1");
    let records = [
        record(0, "user_prompt", &[("prompt", "Fix the tests")]),
        record(
            2,
            "api_request",
            &[
                model,
                ("input_tokens", "10"),
                ("output_tokens", "5"),
                ("cost_usd", "0.25"),
                ("duration_ms", "1500"),
            ],
        ),
        record(
            3,
            "tool_result",
            &[("tool_name", "Bash"), ("tool_use_id", "t1"), ("success", "false"), ("error", "no such file")],
        ),
        record(5, "api_error", &[model, ("status_code", "529"), ("error", "Overloaded")]),
    ];
    let scope = json!({ "name": "com.anthropic.claude_code.events" });
    let resource = json!({ "attributes": [text("service.name", "claude-code")] });
    let file = json!({ "resourceLogs": [{ "resource": resource, "scopeLogs": [{ "scope": scope, "logRecords": records }] }] });
    let answer = ask(served.http, "POST", "/v1/logs", &[JSON], file.to_string().as_bytes()).await;
    assert_eq!(answer.status, 200);
    served
}

#[tokio::test]
async fn calls_of_which_only_log_records_tell_are_calls_too() {
    let served = with_a_session().await;
    let (told, failed) = call(&served, "why_failed", json!({})).await;
    assert!(!failed && !told.contains("No span"), "{told}");
    for words in ["api_error", "claude-opus-4-1", "529", "Overloaded", "Bash", "no such file"] {
        assert!(told.contains(words), "{words:?} is missing in:\n{told}");
    }
    let (told, _) = call(&served, "get_trace", json!({ "id": "last" })).await;
    let ran = told.split("## What ran").nth(1).unwrap();
    for words in [
        "chat `claude-opus-4-1`, 1.50 s, 10 tokens in, 5 out, $0.25",
        "tool `Bash`",
        "**failed**: `529` Overloaded",
    ] {
        assert!(ran.contains(words), "{words:?} is missing in:\n{told}");
    }
    assert!(!told.contains("Fix the tests"), "{told}");
    let services = served.json("/api/v1/services").await;
    assert_eq!((&services["items"][0]["calls"], &services["items"][0]["spans"]), (&json!(2), &json!(0)));
    let findings = served.json("/api/v1/findings?from=1795363000000&to=1795364000000").await;
    let health = findings.pointer("/services/0").unwrap();
    assert_eq!((&health["calls"], &health["capture"]), (&json!(2), &json!("here")), "{findings}");
}

/// Else an agent that guesses a name would be told of another trace than it means.
#[tokio::test]
async fn what_a_tool_does_not_take_is_refused_with_the_name_that_is_meant() {
    let served = with_a_failure().await;
    for (tool, arguments, words) in [
        ("get_trace", json!({ "trace": TRACE }), &["no argument trace", "takes id"][..]),
        ("get_trace", json!({}), &["id is needed", "last"]),
        ("get_transcript", json!({ "id": null }), &["id is needed"]),
        ("why_failed", json!({ "trace": TRACE }), &["no argument trace", "takes id"]),
        ("list_traces", json!({ "bogus": 1 }), &["no argument bogus", "limit", "since", "service"]),
        ("list_traces", json!({ "limit": "five" }), &["limit", "whole number"]),
        ("list_traces", json!({ "since": "bad" }), &["since=bad", "24h"]),
        ("search", json!({}), &["text is needed"]),
        ("stats", json!({ "by": "colour" }), &["by=colour", "model, agent, tool"]),
        ("stats", json!([]), &["object", "by"]),
    ] {
        let (told, failed) = call(&served, tool, arguments.clone()).await;
        assert!(failed && words.iter().all(|word| told.contains(word)), "{tool} {arguments}: {told}");
    }
    let (told, failed) = call(&served, "why_failed", json!({ "id": null })).await;
    assert!(!failed && told.contains(TRACE), "what is left out may be null: {told}");
}

#[tokio::test]
async fn the_beginning_of_an_id_is_enough() {
    let served = with_a_failure().await;
    for id in [&TRACE[..8], &TRACE[..20].to_uppercase(), TRACE, "last"] {
        for tool in ["get_trace", "get_transcript", "why_failed"] {
            let (told, failed) = call(&served, tool, json!({ "id": id })).await;
            assert!(!failed && told.contains(TRACE), "{tool} {id}: {told}");
        }
    }
    for (id, words) in [
        (&TRACE[..7], "8 or more of its 32 hexadecimal digits"),
        ("01234567", "no trace whose id begins with 01234567"),
        ("00000000000000000000000000000000", "not all of them 0"),
    ] {
        let (told, failed) = call(&served, "get_trace", json!({ "id": id })).await;
        assert!(failed && told.contains(words), "{id}: {told}");
    }
}

#[tokio::test]
async fn the_token_is_asked_for_here_too() {
    let served = Served::with(|builder| builder.token("secret")).await;
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    assert_eq!(post(&served, &list).await.status, 401);
    let headers = [JSON, ("authorization", "Bearer secret")];
    let answer = ask(served.page, "POST", "/mcp", &headers, list.to_string().as_bytes()).await;
    assert_eq!(answer.status, 200);
    let foreign = [JSON, ("authorization", "Bearer secret"), ("origin", "https://elsewhere.test")];
    assert_eq!(ask(served.page, "POST", "/mcp", &foreign, list.to_string().as_bytes()).await.status, 403);
}
