//! Sessions that only log records tell of.

use std::sync::Arc;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use otel_genai_store::{
    Batch, ContentState, ConversationQuery, CostSource, Dimension, Filter, Nanos, Op, Range, StatsQuery,
    Store, TraceQuery, TraceSort, Which, otlp,
};

use super::{SECOND, newest, noon};
use crate::support::string;

fn record(
    second: u64,
    event: &str,
    prompt: &str,
    told: &[(&str, &str)],
    counts: &[(&str, i64)],
) -> LogRecord {
    let texts = [("event.name", event), ("session.id", "s-1"), ("prompt.id", prompt)];
    let texts = [&texts, told].concat();
    LogRecord {
        time_unix_nano: noon() + second * SECOND,
        body: string("", &format!("claude_code.{event}")).value,
        attributes: attributes(&texts, counts),
        ..LogRecord::default()
    }
}

fn attributes(texts: &[(&str, &str)], counts: &[(&str, i64)]) -> Vec<KeyValue> {
    let count = |(key, count): &(&str, i64)| KeyValue {
        key: (*key).to_owned(),
        value: Some(AnyValue { value: Some(Value::IntValue(*count)) }),
        key_strindex: 0,
    };
    texts.iter().map(|(key, text)| string(key, text)).chain(counts.iter().map(count)).collect()
}

fn logs_of(service: &str, log_records: Vec<LogRecord>) -> Batch {
    let request = ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            resource: Some(Resource {
                attributes: vec![string("service.name", service)],
                ..Resource::default()
            }),
            scope_logs: vec![ScopeLogs { log_records, ..ScopeLogs::default() }],
            ..ResourceLogs::default()
        }],
    };
    otlp::logs(request, Nanos::now()).batch
}

/// Each prompt of a session is a trace, whose calls count though there is no span.
pub(crate) async fn what_records_tell_of_a_session_counts(store: &impl Store) {
    let model = ("model", "claude-opus-4-1");
    let usage = [("input_tokens", 10), ("output_tokens", 200), ("duration_ms", 1500)];
    let log_records = vec![
        record(0, "user_prompt", "p-1", &[("prompt", "Fix the tests\nplease")], &[]),
        record(3, "api_request", "p-1", &[model, ("cost_usd", "0.25")], &usage),
        record(
            4,
            "tool_result",
            "p-1",
            &[("tool_name", "Bash"), ("success", "false")],
            &[("duration_ms", 500)],
        ),
        record(60, "user_prompt", "p-2", &[("prompt", "And now?")], &[]),
        record(61, "api_error", "p-2", &[model, ("status_code", "529")], &[]),
    ];
    let batch = logs_of("agent", log_records);
    assert_eq!(store.ingest(batch.clone()).await.unwrap().logs, 5);
    assert_eq!(store.ingest(batch).await.unwrap().known, 5);

    let traces = store.traces(&TraceQuery { ascending: true, ..newest(10) }).await.unwrap().items;
    let titles: Vec<_> = traces.iter().map(|trace| trace.title.as_deref()).collect();
    assert_eq!(titles, [Some("Fix the tests"), Some("And now?")]);
    let first = &traces[0];
    assert_eq!((first.spans, first.logs, first.root.is_none()), (0, 3, true));
    assert_eq!((first.llm_calls, first.tool_calls, first.tool_errors, first.errors), (1, 1, 1, 1));
    assert_eq!((first.usage.input, first.usage.output), (Some(10), Some(200)));
    let cost = first.cost.unwrap();
    assert_eq!((cost.nanos, cost.source), (250_000_000, CostSource::Reported));
    assert_eq!(first.content, ContentState::Here);
    assert_eq!((first.start.0, first.end.0), (noon(), noon() + 4 * SECOND));
    let call = first.bars.iter().find(|bar| bar.op == Op::Chat).unwrap();
    assert_eq!(
        (call.start.0, call.end.0),
        (noon() + 3 * SECOND / 2, noon() + 3 * SECOND),
        "as long as it took"
    );
    assert_eq!((traces[1].llm_calls, traces[1].llm_errors), (1, 1));
    assert!(store.spans(first.id, Which::All).await.unwrap().is_empty());
    assert_eq!(store.rows(first.id, 10, None).await.unwrap().total, Some(0));
    assert_eq!(store.status().await.unwrap().spans, 0);

    let dear = TraceQuery { sort: TraceSort::Cost, ..newest(10) };
    assert_eq!(store.traces(&dear).await.unwrap().items[0].id, first.id);
    let models = store.facets(&Filter::default(), Dimension::Model, 10).await.unwrap();
    assert_eq!(models, [("claude-opus-4-1".into(), 2)]);
    let services = store.services(None).await.unwrap();
    let service = &services[0];
    assert_eq!((services.len(), service.spans, service.logs), (1, 0, 5));
    assert_eq!((service.calls, service.with_content), (2, 2), "both were asked something that is told");
    let page =
        store.conversations(&ConversationQuery { limit: 5, ..ConversationQuery::default() }).await.unwrap();
    assert_eq!((page.items.len(), page.items[0].id.as_ref(), page.items[0].traces), (1, "s-1", 2));
    assert_eq!(store.conversation("s-1", 10).await.unwrap().len(), 2);
}

/// A record comes when its call has ended; the call counts in the hour in which it began.
pub(crate) async fn what_a_record_tells_counts_when_it_began(store: &impl Store) {
    let usage = [("output_tokens", 200), ("duration_ms", 1500)];
    let told = record(1, "api_request", "p-1", &[("model", "claude-opus-4-1")], &usage);
    store.ingest(logs_of("agent", vec![told])).await.unwrap();
    let hour = 3_600 * SECOND;
    for (from, calls) in [(noon() - hour, 1), (noon(), 0)] {
        let range = Some(Range { from: Nanos(from), to: Nanos(from + hour) });
        let query = StatsQuery { filter: Filter { range, ..Filter::default() }, ..StatsQuery::default() };
        let rows = store.stats(&query).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.calls).sum::<u64>(), calls);
    }
}

/// What a session's records tell, at this second after noon: a call and a tool of Claude Code, and a call of Codex.
fn told_by_records(number: u64, second: u64) -> Vec<Batch> {
    let (request, tool) = (format!("req_{number}"), format!("toolu_{number}"));
    let usage = [("input_tokens", 10), ("output_tokens", 200), ("duration_ms", 1500)];
    let model = ("model", "claude-opus-4-1");
    let prompt = format!("prompt-{number}");
    let of_claude = vec![
        record(second, "user_prompt", &prompt, &[("prompt", "Fix the tests")], &[]),
        record(
            second + 3,
            "api_request",
            &prompt,
            &[model, ("cost_usd", "0.25"), ("request_id", &request)],
            &usage,
        ),
        record(
            second + 4,
            "tool_result",
            &prompt,
            &[("tool_name", "Bash"), ("tool_use_id", &tool), ("success", "false")],
            &[("duration_ms", 500)],
        ),
    ];
    let tokens = [("input_token_count", 1000), ("output_token_count", 100)];
    let texts = [
        ("event.name", "codex.sse_event"),
        ("conversation.id", "c-1"),
        ("model", "gpt-5-codex"),
        ("event.kind", "response.completed"),
    ];
    let of_codex = LogRecord {
        time_unix_nano: noon() + (second + 10) * SECOND,
        attributes: attributes(&texts, &tokens),
        ..LogRecord::default()
    };
    vec![logs_of("claude-code", of_claude), logs_of("codex_cli_rs", vec![of_codex])]
}

/// The same as spans: Claude Code's own, with the ids of requests and tools; and a gateway's, which knows neither.
fn told_by_spans(number: u64, second: u64) -> Batch {
    let (request, tool) = (format!("req_{number}"), format!("toolu_{number}"));
    let trace = u8::try_from(100 + number).unwrap();
    let span = |id: u8, name: &str, (from, to): (u64, u64), attributes: Vec<KeyValue>| Span {
        trace_id: vec![trace; 16],
        span_id: vec![id; 8],
        name: name.to_owned(),
        start_time_unix_nano: noon() + second * SECOND + from * SECOND / 10,
        end_time_unix_nano: noon() + second * SECOND + to * SECOND / 10,
        attributes,
        ..Span::default()
    };
    let texts = [
        ("span.type", "llm_request"),
        ("model", "claude-opus-4-1"),
        ("session.id", "s-1"),
        ("request_id", &request),
        ("cost_usd", "0.25"),
    ];
    let call = attributes(&texts, &[("input_tokens", 10), ("output_tokens", 200)]);
    let texts = [
        ("span.type", "tool"),
        ("tool_name", "Bash"),
        ("tool_use_id", &tool),
        ("success", "false"),
        ("session.id", "s-1"),
    ];
    let ran = attributes(&texts, &[]);
    let texts = [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "openai"),
        ("gen_ai.request.model", "gpt-5-codex"),
        ("gen_ai.response.id", "resp_7"),
    ];
    let tokens = [("gen_ai.usage.input_tokens", 1000), ("gen_ai.usage.output_tokens", 100)];
    let chat = attributes(&texts, &tokens);
    let spans = vec![
        span(1, "claude_code.llm_request", (14, 29), call),
        span(2, "claude_code.tool", (34, 40), ran),
        Span { trace_id: vec![trace + 50; 16], ..span(3, "chat gpt-5-codex", (91, 99), chat) },
    ];
    let request = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            scope_spans: vec![ScopeSpans { spans, ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        }],
    };
    otlp::traces(request, Nanos::now()).batch
}

/// A call of which a record and a span tell counts once, whichever comes first, and however long the other one is not there.
pub(crate) async fn what_spans_tell_too_counts_once(store: &impl Store) {
    let sums = async |by: Dimension| -> Vec<(Arc<str>, u64, Option<u64>)> {
        let query = StatsQuery { by: vec![by], ..StatsQuery::default() };
        let rows = store.stats(&query).await.unwrap().into_iter();
        let mut sums: Vec<_> =
            rows.filter_map(|row| Some((row.key[0].1.clone()?, row.calls, row.usage.output))).collect();
        sums.sort();
        sums
    };
    let until = async |calls: u64| {
        let models = [
            ("claude-opus-4-1".into(), calls, Some(200 * calls)),
            ("gpt-5-codex".into(), calls, Some(100 * calls)),
        ];
        let patience = Instant::now() + Duration::from_secs(60);
        loop {
            let (told, tools) = (sums(Dimension::Model).await, sums(Dimension::Tool).await);
            if told == models && tools.iter().map(|tool| tool.1).sum::<u64>() == calls {
                return;
            }
            assert!(Instant::now() < patience, "{calls} calls: {told:?} {tools:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    for batch in told_by_records(1, 0) {
        store.ingest(batch).await.unwrap();
    }
    until(1).await;
    store.ingest(told_by_spans(1, 0)).await.unwrap();
    store.ingest(told_by_spans(2, 300)).await.unwrap();
    until(2).await;
    for batch in told_by_records(2, 300) {
        store.ingest(batch).await.unwrap();
    }
    // Told by none of the spans.
    for batch in told_by_records(3, 600) {
        store.ingest(batch).await.unwrap();
    }
    until(3).await;

    let talks = ConversationQuery { limit: 10, ..ConversationQuery::default() };
    let talks = store.conversations(&talks).await.unwrap().items;
    let talk = talks.iter().find(|talk| talk.id.as_ref() == "s-1").unwrap();
    assert_eq!((talk.llm_calls, talk.usage.output, talk.usage.input), (3, Some(600), Some(30)));
    assert_eq!(talk.cost.unwrap().nanos, 750_000_000);
    // What failed is said by both.
    assert_eq!(talk.errors, 5);
    let calls: u64 = store.services(None).await.unwrap().iter().map(|service| service.calls).sum();
    assert_eq!(calls, 6, "four spans, and two records whose calls no span tells");
}
