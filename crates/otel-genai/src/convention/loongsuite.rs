//! `loongsuite`: what LoongSuite's handler emits.

use otel_genai_semconv::schema_url;

use super::describe::Convention;
use crate::capture::Capture;

pub(super) static CONVENTION: Convention = Convention {
    schema_url: schema_url::LOONGSUITE,
    capture_by_convention: Capture::SpanAndEvent,
    needs_opt_in: false,
    always_events: false,
    exception: None,
    evaluation: None,
    operations: &[],
};
