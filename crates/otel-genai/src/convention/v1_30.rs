//! `v1.30`: what OpenTelemetry's first OpenAI instrumentation emitted.

use otel_genai_semconv::schema_url;

use super::describe::Convention;
use crate::capture::Capture;

pub(super) static CONVENTION: Convention = Convention {
    schema_url: schema_url::V1_30,
    capture_by_convention: Capture::SpanAndEvent,
    needs_opt_in: false,
    always_events: false,
    exception: None,
    evaluation: None,
    operations: &[],
};
