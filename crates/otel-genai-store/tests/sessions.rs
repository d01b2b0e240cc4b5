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
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use otel_genai_store::{
    ContentState, ConversationQuery, CostSource, Delete, Dialect, Dimension, Filter, LogQuery, Nanos, Op,
    PriceTable, Range, SqliteOptions, SqliteStore, StatsQuery, Store, TraceQuery, otlp,
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

fn store() -> SqliteStore {
    SqliteOptions::temporary().pricing(Arc::new(PriceTable::builtin())).open().unwrap()
}

/// A name, how many calls, how many of them with errors, tokens in and out, and the cost in millionths.
type Sum = (String, u64, u64, Option<u64>, Option<u64>, Option<i64>);

/// What calls come to.
async fn told(store: &SqliteStore, by: Dimension, filter: Filter) -> Vec<Sum> {
    let op = if by == Dimension::Tool { Op::ExecuteTool } else { Op::Chat };
    let filter = Filter { op: vec![op], ..filter };
    let rows = store.stats(&StatsQuery { filter, by: vec![by], step: None }).await.unwrap();
    let each = |row: &otel_genai_store::StatsRow| {
        let name = row.key[0].1.as_deref().unwrap_or_default().to_owned();
        let cost = row.cost.map(|cost| cost.nanos / 1_000);
        (name, row.calls, row.errors, row.usage.input, row.usage.output, cost)
    };
    rows.iter().map(each).collect()
}

fn models() -> Vec<Sum> {
    vec![
        ("claude-opus-4-1-20250805".to_owned(), 2, 1, Some(3060), Some(200), Some(250_000)),
        ("gpt-5-codex".to_owned(), 1, 0, Some(1000), Some(100), Some(1_800)),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_only_log_records_tell_of_are_in_the_statistics() {
    let store = store();
    ingest(&store).await;
    ingest(&store).await;
    assert_eq!(told(&store, Dimension::Model, Filter::default()).await, models());
    let bash = vec![("Bash".to_owned(), 1, 1, None, None, None)];
    assert_eq!(told(&store, Dimension::Tool, Filter::default()).await, bash);

    // Also where no quarter of an hour is whole, and where none tells: by conversation, duration and error.
    let seconds = |from: u64, to: u64| Filter {
        range: Some(Range {
            from: Nanos(START + from * 1_000_000_000),
            to: Nanos(START + to * 1_000_000_000),
        }),
        ..Filter::default()
    };
    assert_eq!(told(&store, Dimension::Model, seconds(1, 200)).await, models());
    assert_eq!(told(&store, Dimension::Model, seconds(50, 70)).await[0].1, 1, "the one that failed");
    let of = |conversation: &str| Filter { conversation: Some(conversation.to_owned()), ..Filter::default() };
    assert_eq!(told(&store, Dimension::Model, of("s-1")).await, models()[..1]);
    assert_eq!(told(&store, Dimension::Model, of("c-1")).await, models()[1..]);
    let failed = Filter { error: Some(true), ..Filter::default() };
    assert_eq!(told(&store, Dimension::Model, failed).await[0].1, 1);
    let rows = store.stats(&StatsQuery::default()).await.unwrap();
    assert!(rows[0].duration.quantile(1.0).unwrap() > 1_400_000_000, "it took 1.5 s");

    let first =
        store.traces(&TraceQuery { ascending: true, limit: 1, ..TraceQuery::default() }).await.unwrap();
    store.delete(Delete::Trace(first.items[0].id)).await.unwrap();
    let left = told(&store, Dimension::Model, Filter::default()).await;
    assert_eq!((left[0].1, left[1].1), (1, 1), "what is deleted is in no sum: {left:?}");
    assert!(told(&store, Dimension::Tool, Filter::default()).await.is_empty());
}

/// The same calls as spans: Claude Code's own, with the ids of requests and tools; and a gateway's, which knows neither.
fn spans() -> ExportTraceServiceRequest {
    let text = |key: &str, value: &str| attribute(key, Value::StringValue(value.to_owned()));
    let int = |key: &str, value: i64| attribute(key, Value::IntValue(value));
    let span = |id: u8, name: &str, (from, to): (u64, u64), attributes: Vec<KeyValue>| Span {
        trace_id: vec![8; 16],
        span_id: vec![id; 8],
        name: name.to_owned(),
        start_time_unix_nano: START + from * 100_000_000,
        end_time_unix_nano: START + to * 100_000_000,
        attributes,
        ..Span::default()
    };
    let model = "claude-opus-4-1-20250805";
    let request = vec![
        text("span.type", "llm_request"),
        text("model", model),
        text("session.id", "s-1"),
        text("request_id", "r-1"),
        text("cost_usd", "0.25"),
        int("input_tokens", 10),
        int("output_tokens", 200),
        int("cache_read_tokens", 3000),
        int("cache_creation_tokens", 50),
    ];
    let tool = vec![
        text("span.type", "tool"),
        text("tool_name", "Bash"),
        text("tool_use_id", "t-1"),
        text("success", "false"),
        text("session.id", "s-1"),
    ];
    let chat = vec![
        text("gen_ai.operation.name", "chat"),
        text("gen_ai.provider.name", "openai"),
        text("gen_ai.request.model", "gpt-5-codex"),
        text("gen_ai.response.id", "resp_7"),
        int("gen_ai.usage.input_tokens", 1000),
        int("gen_ai.usage.cache_read.input_tokens", 400),
        int("gen_ai.usage.output_tokens", 100),
    ];
    let spans = vec![
        span(1, "claude_code.llm_request", (14, 29), request),
        span(2, "claude_code.tool", (34, 40), tool),
        Span { trace_id: vec![9; 16], ..span(3, "chat gpt-5-codex", (1_011, 1_019), chat) },
    ];
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            scope_spans: vec![ScopeSpans { spans, ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        }],
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_spans_tell_of_too_count_once() {
    let send = async |store: &SqliteStore| {
        let batch = otlp::traces(spans(), Nanos(START + 300_000_000_000)).batch;
        assert_eq!(store.ingest(batch).await.unwrap().spans, 3);
    };
    for spans_first in [false, true] {
        let store = store();
        if spans_first {
            send(&store).await;
        }
        ingest(&store).await;
        if !spans_first {
            assert_eq!(told(&store, Dimension::Model, Filter::default()).await, models());
            send(&store).await;
        }
        assert_eq!(told(&store, Dimension::Model, Filter::default()).await, models(), "{spans_first}");
        let tools = told(&store, Dimension::Tool, Filter::default()).await;
        assert_eq!((tools.len(), tools[0].1, tools[0].2), (1, 1, 1));
        let of_session = Filter { conversation: Some("s-1".to_owned()), ..Filter::default() };
        assert_eq!(told(&store, Dimension::Model, of_session).await, models()[..1]);

        let talks = ConversationQuery { limit: 10, ..ConversationQuery::default() };
        let talks = store.conversations(&talks).await.unwrap().items;
        let talk = talks.iter().find(|talk| talk.id.as_ref() == "s-1").unwrap();
        assert_eq!((talk.llm_calls, talk.usage.input, talk.usage.output), (2, Some(3060), Some(200)));
        assert_eq!(talk.cost.unwrap().nanos, 250_000_000);
    }
}
