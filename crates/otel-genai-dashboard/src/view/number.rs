//! Moments and durations as JavaScript has them.

use std::time::Duration;

use otel_genai_store::Nanos;

/// A moment in milliseconds since 1970, exact to the microsecond until 2255.
#[must_use]
pub fn millis(moment: Nanos) -> f64 {
    from_nanos(moment.0)
}

/// How far a moment lies after another, in milliseconds; negative if it lies before.
pub(crate) fn after(moment: Nanos, start: Nanos) -> f64 {
    match moment.0.checked_sub(start.0) {
        Some(nanos) => from_nanos(nanos),
        None => -from_nanos(start.0.saturating_sub(moment.0)),
    }
}

/// A duration in milliseconds.
pub(crate) fn duration(duration: Duration) -> f64 {
    from_nanos(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
}

fn from_nanos(nanos: u64) -> f64 {
    (nanos / 1_000_000) as f64 + (nanos % 1_000_000) as f64 / 1e6
}
