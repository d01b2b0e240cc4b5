//! The three signals, and how a request of each becomes what is stored.

use std::sync::atomic::Ordering::Relaxed;

use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use otel_genai_store::otlp::{self, Accepted, Json};
use otel_genai_store::{Batch, Nanos, StoreError, Stored};
use prost::Message;

use super::weigh::Records;
use crate::shared::Shared;

/// Traces, logs or metrics.
pub(crate) trait Signal: 'static {
    type Request: Message + Default + Json + Send + 'static;
    type Answer: Message + Default + Json + Send + 'static;

    /// What its requests have.
    const RECORDS: Records;

    /// What can be stored, and how much cannot.
    fn accept(request: Self::Request) -> Accepted;

    /// What to answer; the specification wants no partial success where everything was accepted.
    fn answer(rejected: u64, why: String) -> Self::Answer;
}

macro_rules! signals {
    ($($signal:ident of $records:ident: $accept:path, $request:ident -> $answer:ident, $partial:ident { $rejected:ident })*) => {$(
        pub(crate) enum $signal {}

        impl Signal for $signal {
            type Request = $request;
            type Answer = $answer;

            const RECORDS: Records = Records::$records;

            fn accept(request: Self::Request) -> Accepted {
                $accept(request, Nanos::now())
            }

            fn answer(rejected: u64, why: String) -> Self::Answer {
                let partial = $partial { $rejected: count(rejected), error_message: why };
                $answer { partial_success: (rejected > 0).then_some(partial) }
            }
        }
    )*};
}

signals! {
    Traces of Spans: otlp::traces, ExportTraceServiceRequest -> ExportTraceServiceResponse,
        ExportTracePartialSuccess { rejected_spans }
    Logs of Logs: otlp::logs, ExportLogsServiceRequest -> ExportLogsServiceResponse,
        ExportLogsPartialSuccess { rejected_log_records }
    Metrics of Metrics: otlp::metrics, ExportMetricsServiceRequest -> ExportMetricsServiceResponse,
        ExportMetricsPartialSuccess { rejected_data_points }
}

fn count(rejected: u64) -> i64 {
    i64::try_from(rejected).unwrap_or(i64::MAX)
}

/// Stores what was accepted. The answer is given when it is durable.
pub(crate) async fn store<S: Signal>(shared: &Shared, accepted: Accepted) -> Result<S::Answer, StoreError> {
    let mut why = accepted.reasons();
    let mut rejected = accepted.rejected;
    let batch = accepted.batch;
    if !(batch.spans.is_empty() && batch.logs.is_empty() && batch.points.is_empty()) {
        let refused = ingest(shared, batch).await?.refused;
        if refused > 0 {
            rejected += refused;
            let more = format!("{refused} refused: {}", otlp::Refused::TooManyVariants);
            why = if why.is_empty() { more } else { format!("{why}; {more}") };
        }
    }
    Ok(S::answer(rejected, why))
}

/// Stores, and says once when the store goes away, and when it is back.
async fn ingest(shared: &Shared, batch: Batch) -> Result<Stored, StoreError> {
    let result = shared.store.ingest(batch).await;
    match &result {
        Err(error @ StoreError::Away { .. }) if !shared.away.swap(true, Relaxed) => {
            tracing::warn!(
                target: "otel_genai_dashboard",
                "{error}; until it is back, whoever sends is told to send again"
            );
        }
        Ok(_) if shared.away.swap(false, Relaxed) => {
            tracing::warn!(target: "otel_genai_dashboard", "the store is back: what is sent is stored again");
        }
        _ => {}
    }
    result
}
