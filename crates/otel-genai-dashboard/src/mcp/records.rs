//! Calls that failed, and of which only log records tell: coding agents send no spans.

use std::sync::Arc;

use otel_genai_store::{LogRecord, TraceId};
use serde_json::{Value, json};

use crate::api::span::all_logs_of;
use crate::shared::Shared;
use crate::transcript::failure;
use crate::view::{Op, millis};

/// A failed call: what it was, and why it failed in the words of who was called.
pub(super) struct Failed {
    pub(super) call: Value,
    pub(super) message: Option<String>,
}

/// Those of a trace in order of time, without those that its rows tell of.
pub(super) async fn failed(
    shared: &Arc<Shared>,
    trace: TraceId,
    rows: &[Value],
) -> Result<Vec<Failed>, String> {
    let logs = all_logs_of(shared, trace, None).await.map_err(|failure| failure.told.message)?;
    let mut found: Vec<&LogRecord> = logs
        .iter()
        .filter(|log| log.facts.error.is_some() && !rows.iter().any(|row| tells(row, log)))
        .collect();
    found.sort_by_key(|log| log.moment());
    Ok(found.into_iter().filter_map(of).collect())
}

/// Whether a row is that of the call of which a record tells. A record of a session names no span.
fn tells(row: &Value, log: &LogRecord) -> bool {
    let is = |key: &str, told: Option<&str>| told.is_some() && row.get(key).and_then(Value::as_str) == told;
    if !log.is_of_session() {
        return is("span", log.span.map(|span| span.to_string()).as_deref());
    }
    let facts = &log.facts;
    if facts.tool_call.is_some() {
        return is("toolCall", facts.tool_call.as_deref());
    }
    row.get("error") == Some(&Value::Bool(true))
        && is("service", Some(&log.origin.resource.service))
        && is("op", facts.op.and_then(Op::of).map(Op::as_str))
}

fn of(log: &LogRecord) -> Option<Failed> {
    let facts = &log.facts;
    let op = facts.op.and_then(Op::of)?;
    let model = facts.response_model.as_deref().or(facts.request_model.as_deref());
    let told = [
        ("log", Some(Value::from(log.id.to_string()))),
        ("event", log.event.as_deref().map(Value::from)),
        ("op", Some(Value::from(op.as_str()))),
        ("model", model.map(Value::from)),
        ("tool", facts.tool.as_deref().map(Value::from)),
        ("errorType", facts.error.as_deref().map(Value::from)),
        ("durationMs", log.attributes.float("duration_ms").map(Value::from)),
        ("atMs", Some(json!(millis(log.moment())))),
    ];
    let call = told.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect();
    Some(Failed { call: Value::Object(call), message: failure(log) })
}
