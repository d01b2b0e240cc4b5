//! OTLP, of whichever signal.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use otel_genai_store::Nanos;
use otel_genai_store::otlp::{self, Accepted};
use prost::Message as _;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Unreadable;

/// A fixture holds an export, and that the requests.
const NESTED: u8 = 2;

/// What stands at the top of a document, unread.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Top<'a> {
    #[serde(borrow)]
    resource_spans: Option<&'a RawValue>,
    #[serde(borrow)]
    resource_logs: Option<&'a RawValue>,
    #[serde(borrow)]
    resource_metrics: Option<&'a RawValue>,
    // What this dashboard exports.
    #[serde(borrow)]
    traces: Option<&'a RawValue>,
    #[serde(borrow)]
    logs: Option<&'a RawValue>,
    #[serde(borrow)]
    otlp: Option<&'a RawValue>,
}

pub(super) fn json(bytes: &[u8]) -> Result<Vec<Accepted>, Unreadable> {
    read(bytes, NESTED)?.ok_or_else(|| {
        let wanted = "it has none of resourceSpans, resourceLogs and resourceMetrics";
        Unreadable(format!("not the JSON of OTLP: {wanted}"))
    })
}

/// `None`: nothing of it is OTLP.
fn read(bytes: &[u8], nested: u8) -> Result<Option<Vec<Accepted>>, Unreadable> {
    let top: Top<'_> = serde_json::from_slice(bytes)
        .map_err(|error| Unreadable(format!("not the JSON of OTLP: {error}")))?;
    if top.resource_spans.is_some() || top.resource_logs.is_some() || top.resource_metrics.is_some() {
        return document(bytes, &top).map(Some);
    }
    let mut all: Option<Vec<Accepted>> = None;
    let parts = [top.traces, top.logs, top.otlp].into_iter().flatten();
    for part in parts.filter(|_| nested > 0) {
        // A trace without log records has an empty document for them.
        all.get_or_insert_default().extend(read(part.get().as_bytes(), nested - 1)?.unwrap_or_default());
    }
    Ok(all)
}

/// Usually of one signal; some write all into one.
fn document(bytes: &[u8], top: &Top<'_>) -> Result<Vec<Accepted>, Unreadable> {
    let wrong = |error: otlp::NotOtlp| Unreadable(format!("not the JSON of OTLP: {error}"));
    let now = Nanos::now();
    let mut read = Vec::new();
    if top.resource_spans.is_some() {
        read.push(otlp::traces(otlp::from_json::<ExportTraceServiceRequest>(bytes).map_err(wrong)?, now));
    }
    if top.resource_logs.is_some() {
        read.push(otlp::logs(otlp::from_json::<ExportLogsServiceRequest>(bytes).map_err(wrong)?, now));
    }
    if top.resource_metrics.is_some() {
        read.push(otlp::metrics(otlp::from_json::<ExportMetricsServiceRequest>(bytes).map_err(wrong)?, now));
    }
    Ok(read)
}

pub(super) fn lines(bytes: &[u8]) -> Result<Vec<Accepted>, Unreadable> {
    let mut read = Vec::new();
    let lines = bytes.split(|byte| *byte == b'\n').enumerate();
    for (number, line) in lines.filter(|(_, line)| !line.trim_ascii().is_empty()) {
        read.extend(json(line).map_err(|why| Unreadable(format!("line {}: {why}", number + 1)))?);
    }
    Ok(read)
}

/// Requests of the three signals look alike: the one that nothing is wrong with is meant.
pub(super) fn protobuf(bytes: &Bytes) -> Result<Vec<Accepted>, Unreadable> {
    let now = Nanos::now();
    let traces = ExportTraceServiceRequest::decode(bytes.clone()).map(|request| otlp::traces(request, now));
    let logs = ExportLogsServiceRequest::decode(bytes.clone()).map(|request| otlp::logs(request, now));
    let metrics =
        ExportMetricsServiceRequest::decode(bytes.clone()).map(|request| otlp::metrics(request, now));
    let count = |read: &Accepted| read.batch.spans.len() + read.batch.logs.len() + read.batch.points.len();
    let all = [traces, logs, metrics].into_iter().flatten().filter(|read| count(read) > 0);
    let best = all.min_by_key(|read| read.rejected);
    best.map(|read| vec![read]).ok_or_else(|| Unreadable("not the protobuf of an OTLP request".to_owned()))
}
