//! What programs send: an agent's run with calls and a tool, told in two vocabularies, and a session of log records alone.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum,
    exemplar, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

pub(crate) const SECOND: u64 = 1_000_000_000;

pub(crate) fn text(key: &str, value: &str) -> KeyValue {
    of(key, Value::StringValue(value.to_owned()))
}

fn int(key: &str, value: i64) -> KeyValue {
    of(key, Value::IntValue(value))
}

fn of(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn texts(key: &str, texts: &[&str]) -> KeyValue {
    let values = texts.iter().map(|text| AnyValue { value: Some(Value::StringValue((*text).to_owned())) });
    of(key, Value::ArrayValue(ArrayValue { values: values.collect() }))
}

fn resource(service: &str) -> Option<Resource> {
    let attributes =
        vec![text("service.name", service), text("telemetry.sdk.language", "python"), int("process.pid", 7)];
    Some(Resource { attributes, ..Resource::default() })
}

fn scope() -> Option<InstrumentationScope> {
    Some(InstrumentationScope {
        name: "my.library".into(),
        version: "1.2".into(),
        ..InstrumentationScope::default()
    })
}

pub(crate) fn span(trace: u8, id: u8, parent: u8, name: &str, start: u64, attributes: Vec<KeyValue>) -> Span {
    Span {
        trace_id: vec![trace; 16],
        span_id: vec![id; 8],
        parent_span_id: if parent == 0 { Vec::new() } else { vec![parent; 8] },
        name: name.to_owned(),
        kind: 3,
        start_time_unix_nano: start,
        end_time_unix_nano: start + SECOND + u64::from(id),
        attributes,
        status: Some(Status::default()),
        ..Span::default()
    }
}

pub(crate) fn spans(service: &str, spans: Vec<Span>) -> ExportTraceServiceRequest {
    let scope_spans = vec![ScopeSpans { scope: scope(), spans, ..ScopeSpans::default() }];
    let group = ResourceSpans { resource: resource(service), scope_spans, ..ResourceSpans::default() };
    ExportTraceServiceRequest { resource_spans: vec![group] }
}

/// A call in the words of the conventions.
pub(crate) fn chat(question: &str) -> Vec<KeyValue> {
    let said = |role: &str, text: &str| {
        format!(r#"[{{"role":"{role}","parts":[{{"type":"text","content":"{text}"}}]}}]"#)
    };
    vec![
        text("gen_ai.operation.name", "chat"),
        text("gen_ai.provider.name", "openai"),
        text("gen_ai.request.model", "gpt-5"),
        text("gen_ai.response.model", "gpt-5-2026"),
        text("gen_ai.conversation.id", "c-7"),
        texts("gen_ai.response.finish_reasons", &["stop"]),
        int("gen_ai.usage.input_tokens", 1200),
        int("gen_ai.usage.output_tokens", 34),
        of("gen_ai.response.time_to_first_chunk", Value::DoubleValue(0.25)),
        of("gen_ai.request.stream", Value::BoolValue(true)),
        text("gen_ai.input.messages", &said("user", question)),
        text("gen_ai.output.messages", &said("assistant", "On its way, naïvely.")),
    ]
}

/// The spans of two services.
pub(crate) fn traces(at: u64) -> Vec<ExportTraceServiceRequest> {
    let agent = vec![text("gen_ai.operation.name", "invoke_agent"), text("gen_ai.agent.name", "Support")];
    let tool = vec![
        text("gen_ai.operation.name", "execute_tool"),
        text("gen_ai.tool.name", "find"),
        text("gen_ai.tool.call.id", "c1"),
        text("gen_ai.tool.call.arguments", r#"{"n": 7}"#),
    ];
    let mut failed = span(1, 3, 1, "execute_tool find", at + 2 * SECOND, tool);
    failed.status = Some(Status { code: 2, message: "no such order".into() });
    failed.events.push(Event {
        time_unix_nano: at + 2 * SECOND + 5,
        name: "exception".into(),
        attributes: vec![text("exception.type", "KeyError"), text("exception.message", "7")],
        ..Event::default()
    });
    failed.links.push(Link {
        trace_id: vec![9; 16],
        span_id: vec![8; 8],
        trace_state: "a=b".into(),
        attributes: vec![text("why", "retry")],
        ..Link::default()
    });
    let http = vec![text("http.request.method", "POST"), int("http.response.status_code", 200)];
    let mut root = span(1, 1, 0, "invoke_agent Support", at, agent);
    root.trace_state = "vendor=1".into();
    root.end_time_unix_nano = at + 9 * SECOND;
    let other = vec![
        text("openinference.span.kind", "LLM"),
        text("llm.model_name", "llama"),
        int("llm.token_count.prompt", 5),
        int("llm.token_count.completion", 6),
        text("llm.input_messages.0.message.role", "user"),
        text("llm.input_messages.0.message.content", "Another question"),
    ];
    vec![
        spans(
            "shop",
            vec![
                root,
                span(1, 2, 1, "chat gpt-5", at + SECOND, chat("Where is my order?")),
                failed,
                span(1, 4, 2, "POST", at + SECOND + 1, http),
            ],
        ),
        spans("notes", vec![span(2, 1, 0, "LLM", at + 20 * SECOND, other)]),
        // What has nothing to do with generative AI.
        spans(
            "notes",
            vec![span(3, 1, 0, "GET /", at + 30 * SECOND, vec![text("http.request.method", "GET")])],
        ),
    ]
}

fn log(at: u64, trace: u8, event: &str, body: &str, attributes: Vec<KeyValue>) -> LogRecord {
    LogRecord {
        time_unix_nano: at,
        severity_number: 9,
        severity_text: "INFO".into(),
        event_name: event.to_owned(),
        body: (!body.is_empty()).then(|| AnyValue { value: Some(Value::StringValue(body.to_owned())) }),
        trace_id: if trace == 0 { Vec::new() } else { vec![trace; 16] },
        span_id: if trace == 0 { Vec::new() } else { vec![2; 8] },
        attributes,
        ..LogRecord::default()
    }
}

pub(crate) fn logs(at: u64) -> ExportLogsServiceRequest {
    let session = || {
        vec![
            text("session.id", "s-1"),
            text("model", "claude-5"),
            int("input_tokens", 3),
            int("output_tokens", 4),
        ]
    };
    let prompt =
        vec![text("session.id", "s-1"), text("event.name", "user_prompt"), text("prompt", "Tidy up")];
    let log_records = vec![
        log(
            at + SECOND + 3,
            1,
            "",
            "",
            vec![text("event.name", "gen_ai.evaluation.result"), text("gen_ai.evaluation.name", "good")],
        ),
        log(at + SECOND + 4, 1, "", "just words", vec![]),
        log(at + 40 * SECOND, 0, "", "claude_code.user_prompt", prompt),
        log(at + 41 * SECOND, 0, "", "claude_code.api_request", session()),
        log(at + 50 * SECOND, 0, "", "words of somebody else", vec![]),
    ];
    let scope_logs = vec![ScopeLogs { scope: scope(), log_records, ..ScopeLogs::default() }];
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            resource: resource("shop"),
            scope_logs,
            ..ResourceLogs::default()
        }],
    }
}

pub(crate) fn metrics(at: u64) -> ExportMetricsServiceRequest {
    let attributes = vec![text("gen_ai.request.model", "gpt-5")];
    let exemplars = vec![Exemplar {
        time_unix_nano: at + 5 * SECOND,
        span_id: vec![2; 8],
        trace_id: vec![1; 16],
        value: Some(exemplar::Value::AsDouble(1.5)),
        filtered_attributes: vec![text("who", "me")],
    }];
    let histogram = HistogramDataPoint {
        attributes: attributes.clone(),
        start_time_unix_nano: at,
        time_unix_nano: at + 10 * SECOND,
        count: 3,
        sum: Some(4.5),
        bucket_counts: vec![1, 2, 0],
        explicit_bounds: vec![1.0, 2.0],
        exemplars,
        min: Some(0.5),
        max: Some(2.0),
        ..HistogramDataPoint::default()
    };
    let number = NumberDataPoint {
        attributes,
        start_time_unix_nano: at,
        time_unix_nano: at + 10 * SECOND,
        value: Some(number_data_point::Value::AsDouble(42.0)),
        ..NumberDataPoint::default()
    };
    let metric = |name: &str, unit: &str, data| Metric {
        name: name.to_owned(),
        description: "how long".to_owned(),
        unit: unit.to_owned(),
        data: Some(data),
        ..Metric::default()
    };
    let metrics = vec![
        metric(
            "gen_ai.client.operation.duration",
            "s",
            Data::Histogram(Histogram { data_points: vec![histogram], aggregation_temporality: 1 }),
        ),
        metric(
            "gen_ai.client.token.total",
            "{token}",
            Data::Sum(Sum { data_points: vec![number], aggregation_temporality: 1, is_monotonic: true }),
        ),
    ];
    let scope_metrics = vec![ScopeMetrics { scope: scope(), metrics, ..ScopeMetrics::default() }];
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: resource("shop"),
            scope_metrics,
            ..ResourceMetrics::default()
        }],
    }
}
