//! A hint for who waits for telemetry in vain: the environment asks for it, and OpenTelemetry's global provider is none.

use std::sync::atomic::{AtomicBool, Ordering};

use opentelemetry::trace::SpanContext;

/// Whether anything was heard, or said, already.
static SETTLED: AtomicBool = AtomicBool::new(false);

/// Whether the global handler was asked for before there was one.
static ASKED: AtomicBool = AtomicBool::new(false);

/// Whether telemetry that `init()` set up is over, and nobody was told of a call after that.
static ENDED: AtomicBool = AtomicBool::new(false);

pub(crate) fn asked() {
    ASKED.store(true, Ordering::Relaxed);
}

#[cfg(feature = "sdk")]
pub(crate) fn was_asked_before() -> bool {
    ASKED.load(Ordering::Relaxed)
}

#[cfg(feature = "sdk")]
pub(crate) fn ended() {
    ENDED.store(true, Ordering::Relaxed);
}

/// A call begins.
pub(crate) fn begun() {
    if ENDED.load(Ordering::Relaxed) && ENDED.swap(false, Ordering::Relaxed) {
        tracing::warn!(
            target: "otel_genai",
            "a GenAI call begins after telemetry was shut down, and is not told. Keep the guard of init() to the end, in a \
             variable with a name: `let _telemetry = ...`, since `let _ = ...` drops it at once"
        );
    }
}

/// Looks at the first spans of the global provider. Without any provider, a span has its parent's context, valid or not;
/// with one, it has an id of its own, sampled or not.
pub(crate) fn listen(span: &SpanContext, parent: &SpanContext) {
    if SETTLED.load(Ordering::Relaxed) {
        return;
    }
    if span.is_valid() && span.span_id() != parent.span_id() {
        SETTLED.store(true, Ordering::Relaxed);
        return;
    }
    if !SETTLED.swap(true, Ordering::Relaxed)
        && let Some(variable) = asked_by(|name| std::env::var(name).ok())
    {
        tracing::warn!(
            target: "otel_genai",
            "{variable} is set, but calls leave no spans: `opentelemetry` 0.33 has no tracer provider in this program. Set \
             telemetry up before the first call (otel_genai::init()). If it is set up, then by another version of the \
             crate, which this library cannot see: `cargo tree -d` shows both. Use opentelemetry 0.33 and opentelemetry_sdk 0.33"
        );
    }
}

/// The variable by which somebody asks for spans.
fn asked_by(vars: impl Fn(&str) -> Option<String>) -> Option<&'static str> {
    let text = |name: &str| vars(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let is = |name: &str, value: &str| text(name).is_some_and(|text| text.eq_ignore_ascii_case(value));
    // Beside a file the other variables do not count, and what it says is not known here.
    let is_in_file =
        ["OTEL_CONFIG_FILE", "OTEL_EXPERIMENTAL_CONFIG_FILE"].iter().any(|name| text(name).is_some());
    if is_in_file || is("OTEL_SDK_DISABLED", "true") || is("OTEL_TRACES_EXPORTER", "none") {
        return None;
    }
    ["OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"]
        .into_iter()
        .find(|name| text(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_asks_for_spans_gets_the_hint() {
        let with = |all: &'static [(&str, &str)]| {
            asked_by(|name| all.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(with(&[]), None);
        assert_eq!(with(&[("OTEL_SERVICE_NAME", "shop")]), None);
        assert_eq!(with(&[("OTEL_TRACES_EXPORTER", " ")]), None);
        assert_eq!(with(&[("OTEL_TRACES_EXPORTER", "otlp")]), Some("OTEL_TRACES_EXPORTER"));
        assert_eq!(
            with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318")]),
            Some("OTEL_EXPORTER_OTLP_ENDPOINT")
        );
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");
        assert_eq!(
            asked_by(|name| [endpoint, ("OTEL_SDK_DISABLED", "TRUE")]
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())),
            None
        );
        assert_eq!(with(&[("OTEL_CONFIG_FILE", "otel.yaml"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "x")]), None);
        assert_eq!(with(&[("OTEL_TRACES_EXPORTER", "none"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "x")]), None);
    }
}
