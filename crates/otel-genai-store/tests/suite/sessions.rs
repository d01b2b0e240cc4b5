//! Sessions that only log records tell of.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use otel_genai_store::{
    ContentState, ConversationQuery, CostSource, Dimension, Filter, Nanos, Op, Store, TraceQuery, TraceSort,
    Which, otlp,
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
    let texts = texts.iter().chain(told).map(|(key, text)| string(key, text));
    let count = |(key, count): &(&str, i64)| KeyValue {
        key: (*key).to_owned(),
        value: Some(AnyValue { value: Some(Value::IntValue(*count)) }),
        key_strindex: 0,
    };
    LogRecord {
        time_unix_nano: noon() + second * SECOND,
        body: string("", &format!("claude_code.{event}")).value,
        attributes: texts.chain(counts.iter().map(count)).collect(),
        ..LogRecord::default()
    }
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
    let request = ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            resource: Some(Resource {
                attributes: vec![string("service.name", "agent")],
                ..Resource::default()
            }),
            scope_logs: vec![ScopeLogs { log_records, ..ScopeLogs::default() }],
            ..ResourceLogs::default()
        }],
    };
    let batch = otlp::logs(request, Nanos::now()).batch;
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
    let page =
        store.conversations(&ConversationQuery { limit: 5, ..ConversationQuery::default() }).await.unwrap();
    assert_eq!((page.items.len(), page.items[0].id.as_ref(), page.items[0].traces), (1, "s-1", 2));
    assert_eq!(store.conversation("s-1", 10).await.unwrap().len(), 2);
}
