//! Records to try a store with.

use std::sync::Arc;

use opentelemetry_proto::tonic::trace::v1 as otlp;
use otel_genai_store::{
    Batch, Day, LogQuery, LogRecord, Nanos, Origin, Resource, Scope, Span, SpanId, Store, TraceId, TraceQuery,
};

use crate::support;

pub(crate) const SECOND: u64 = 1_000_000_000;

/// Noon of a day that is neither today's nor old.
pub(crate) fn noon() -> u64 {
    Day(Day::of(Nanos::now()).0 - 3).start().0 + 43_200 * SECOND
}

pub(crate) fn trace_id(number: u64) -> TraceId {
    TraceId::new(&[[7; 8], (number + 1).to_be_bytes()].concat()).unwrap()
}

pub(crate) fn span_id(number: u64) -> SpanId {
    SpanId::new(&(number + 1).to_be_bytes()).unwrap()
}

pub(crate) fn origin(service: &str) -> Arc<Origin> {
    let attributes = vec![support::string("service.name", service)];
    let resource = opentelemetry_proto::tonic::resource::v1::Resource { attributes, ..Default::default() };
    let scope = opentelemetry_proto::tonic::common::v1::InstrumentationScope {
        name: "my.library".to_owned(),
        ..Default::default()
    };
    Arc::new(Origin {
        resource: Resource::from_otlp(Some(resource), String::new()),
        scope: Scope::from_otlp(Some(scope), "https://schema".to_owned()),
    })
}

/// A span of a second that ended well.
pub(crate) fn span(trace: u64, id: u64, parent: Option<u64>, start: u64) -> Span {
    let told = otlp::Span {
        trace_id: trace_id(trace).bytes().to_vec(),
        span_id: span_id(id).bytes().to_vec(),
        parent_span_id: parent.map(|parent| span_id(parent).bytes().to_vec()).unwrap_or_default(),
        name: format!("chat model-{id}"),
        kind: 3,
        start_time_unix_nano: start,
        end_time_unix_nano: start + SECOND,
        attributes: vec![support::string("gen_ai.request.model", "model")],
        ..otlp::Span::default()
    };
    Span::from_otlp(told, &origin("shop"), Nanos::now()).unwrap()
}

pub(crate) fn log(trace: Option<u64>, event: &str, at: u64) -> LogRecord {
    let told = opentelemetry_proto::tonic::logs::v1::LogRecord {
        time_unix_nano: at,
        event_name: event.to_owned(),
        severity_number: 9,
        trace_id: trace.map(|trace| trace_id(trace).bytes().to_vec()).unwrap_or_default(),
        body: support::string("", "hello").value,
        ..Default::default()
    };
    LogRecord::from_otlp(told, &origin("shop"), Nanos::now()).unwrap()
}

pub(crate) fn batch(spans: Vec<Span>, logs: Vec<LogRecord>) -> Batch {
    let bytes = 1_000 * (spans.len() + logs.len());
    Batch { spans, logs, bytes, received: Nanos::now(), ..Batch::default() }
}

pub(crate) fn newest(limit: u32) -> TraceQuery {
    TraceQuery { limit, ..TraceQuery::default() }
}

pub(crate) async fn of_trace(store: &impl Store, trace: TraceId) -> Vec<LogRecord> {
    let query = LogQuery { trace: Some(trace), limit: 50_000, ..LogQuery::default() };
    store.logs(&query).await.unwrap().items
}
