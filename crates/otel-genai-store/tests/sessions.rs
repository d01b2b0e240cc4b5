//! Coding agents that send log records alone: each prompt of a session is a trace, and the records stay as they came.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::sync::Arc;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use otel_genai_store::{
    ContentState, CostSource, Dialect, LogQuery, Nanos, Op, PriceTable, SqliteOptions, SqliteStore, Store,
    TraceQuery, otlp,
};

/// 2025-12-20, when all models told here had a price.
const START: u64 = 1_766_232_000_000_000_000;

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), key_strindex: 0 }
}

fn record(second: u64, body: Option<&str>, told: &[(&str, &str)], counts: &[(&str, i64)]) -> LogRecord {
    let texts = told.iter().map(|(key, text)| attribute(key, Value::StringValue((*text).to_owned())));
    let counts = counts.iter().map(|(key, count)| attribute(key, Value::IntValue(*count)));
    LogRecord {
        time_unix_nano: START + second * 1_000_000_000,
        severity_number: 9,
        body: body.map(|body| AnyValue { value: Some(Value::StringValue(body.to_owned())) }),
        attributes: texts.chain(counts).collect(),
        ..LogRecord::default()
    }
}

/// Claude Code's: the short name is an attribute, the whole one the body.
fn claude(
    second: u64,
    event: &str,
    prompt: &str,
    told: &[(&str, &str)],
    counts: &[(&str, i64)],
) -> LogRecord {
    let mut all = vec![("event.name", event), ("session.id", "s-1"), ("prompt.id", prompt)];
    all.extend(told);
    record(second, Some(&format!("claude_code.{event}")), &all, counts)
}

fn codex(second: u64, event: &str, told: &[(&str, &str)], counts: &[(&str, i64)]) -> LogRecord {
    let mut all = vec![("event.name", event), ("conversation.id", "c-1"), ("model", "gpt-5-codex")];
    all.extend(told);
    record(second, None, &all, counts)
}

fn sent() -> Vec<(&'static str, Vec<LogRecord>)> {
    let usage = [
        ("input_tokens", 10),
        ("output_tokens", 200),
        ("cache_read_tokens", 3000),
        ("cache_creation_tokens", 50),
        ("duration_ms", 1500),
    ];
    let model = ("model", "claude-opus-4-1-20250805");
    let of_claude = vec![
        claude(0, "user_prompt", "p-1", &[("prompt", "Fix the tests\nplease")], &[]),
        claude(3, "api_request", "p-1", &[model, ("cost_usd", "0.25"), ("request_id", "r-1")], &usage),
        claude(
            4,
            "tool_result",
            "p-1",
            &[("tool_name", "Bash"), ("tool_use_id", "t-1"), ("success", "false")],
            &[("duration_ms", 500)],
        ),
        claude(6, "something_new", "p-1", &[], &[]),
        claude(60, "user_prompt", "p-2", &[("prompt", "<REDACTED>")], &[]),
        claude(61, "api_error", "p-2", &[model, ("status_code", "529")], &[]),
    ];
    let tokens = [("input_token_count", 1000), ("cached_token_count", 400), ("output_token_count", 100)];
    let of_codex = vec![
        codex(100, "codex.user_prompt", &[("prompt", "Where is the bug?")], &[]),
        codex(101, "codex.sse_event", &[("event.kind", "response.created")], &[]),
        codex(102, "codex.sse_event", &[("event.kind", "response.completed")], &tokens),
    ];
    // A program's log is no session, and a record with a trace of its own belongs to that.
    let mut own = record(200, Some("claude_code.api_request"), &[("session.id", "s-1")], &[]);
    own.trace_id = vec![5; 16];
    let others = vec![record(201, Some("listening"), &[("session.id", "s-1")], &[]), own];
    vec![("claude-code", of_claude), ("codex_cli_rs", of_codex), ("shop", others)]
}

async fn ingest(store: &SqliteStore) -> u64 {
    let resource_logs = sent().into_iter().map(|(service, log_records)| ResourceLogs {
        resource: Some(Resource {
            attributes: vec![attribute("service.name", Value::StringValue(service.to_owned()))],
            ..Resource::default()
        }),
        scope_logs: vec![ScopeLogs { log_records, ..ScopeLogs::default() }],
        ..ResourceLogs::default()
    });
    let request = ExportLogsServiceRequest { resource_logs: resource_logs.collect() };
    store.ingest(otlp::logs(request, Nanos(START + 300_000_000_000)).batch).await.unwrap().logs
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_prompt_of_a_session_is_a_trace() {
    let folder = tempfile::tempdir().unwrap();
    let prices = Arc::new(PriceTable::builtin());
    let store = SqliteOptions::new(folder.path()).pricing(prices).open().unwrap();
    assert_eq!(ingest(&store).await, 11);
    assert_eq!(ingest(&store).await, 0, "sent again, nothing is new");

    let query = TraceQuery { ascending: true, limit: 10, ..TraceQuery::default() };
    let traces = store.traces(&query).await.unwrap().items;
    let told: Vec<_> = traces.iter().map(|trace| (trace.title.as_deref(), trace.logs, trace.spans)).collect();
    let expected =
        [(Some("Fix the tests"), 4, 0), (None, 2, 0), (Some("Where is the bug?"), 3, 0), (None, 1, 0)];
    assert_eq!(told, expected, "what was redacted is no title");

    let first = &traces[0];
    assert_eq!((first.llm_calls, first.tool_calls, first.tool_errors, first.errors), (1, 1, 1, 1));
    assert_eq!((first.usage.input, first.usage.output), (Some(3060), Some(200)));
    assert_eq!((first.cost.unwrap().nanos, first.cost.unwrap().source), (250_000_000, CostSource::Reported));
    assert_eq!(first.content, ContentState::Here);
    assert_eq!(first.dialects, [Dialect::ClaudeCode]);
    assert_eq!((&*first.services.list[0], &*first.conversations.list[0]), ("claude-code", "s-1"));
    assert_eq!((&*first.models.list[0], &*first.tools.list[0]), ("claude-opus-4-1-20250805", "Bash"));
    assert_eq!((first.start.0, first.end.0), (START, START + 6_000_000_000));
    let call = first.bars.iter().find(|bar| bar.op == Op::Chat).unwrap();
    assert_eq!(
        (call.start.0, call.end.0),
        (START + 1_500_000_000, START + 3_000_000_000),
        "as long as it took"
    );
    assert_eq!((traces[1].llm_calls, traces[1].llm_errors), (1, 1));
    let codex = &traces[2];
    assert_eq!((codex.llm_calls, codex.dialects.as_slice()), (1, [Dialect::Codex].as_slice()));
    // 600 of input, 400 from the cache, 100 of output, by the table.
    assert_eq!(codex.cost.unwrap().nanos, 750_000 + 50_000 + 1_000_000);
    assert_eq!(traces[3].llm_calls, 0, "its spans tell of its calls");

    let both = store.conversation("s-1", 10).await.unwrap();
    assert_eq!(both.len(), 2, "the prompts of a session are one conversation");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_records_of_a_session_stay_as_they_came() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteOptions::new(folder.path()).open().unwrap();
    ingest(&store).await;
    let query = TraceQuery { ascending: true, limit: 10, ..TraceQuery::default() };
    let traces = store.traces(&query).await.unwrap().items;
    let logs = LogQuery { trace: Some(traces[0].id), limit: 100, ..LogQuery::default() };
    let logs = store.logs(&logs).await.unwrap().items;
    let sent = &sent()[0].1[..4];
    let given: Vec<_> = logs.iter().map(otel_genai_store::LogRecord::to_otlp).collect();
    assert_eq!(given, sent);
    assert!(logs.iter().all(|log| log.is_of_session() && log.trace == Some(traces[0].id)));
    let request = &logs[1].facts;
    assert_eq!((request.op, request.usage.input), (Some(Op::Chat), Some(3060)), "facts come with them");
    assert_eq!(request.conversation.as_deref(), Some("s-1"));
    let all = store.logs(&LogQuery { limit: 100, ..LogQuery::default() }).await.unwrap().items;
    let without: Vec<_> = all.iter().filter(|log| log.trace.is_none()).collect();
    assert_eq!(without.len(), 1, "a program's log is no session");
    assert!(!all.iter().find(|log| log.to_otlp().trace_id == [5; 16]).unwrap().is_of_session());
}
