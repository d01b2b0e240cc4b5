//! A development tool of otel-genai, not published: judges emitted telemetry by the OpenTelemetry GenAI conventions.
//!
//! ```
//! use otel_genai_conformance::{Checker, Convention, Telemetry};
//!
//! // As an exporter sends it; the feature `sdk` reads what the SDK's in-memory exporters keep.
//! let telemetry = Telemetry::from_otlp_json(r#"{"resourceSpans": [{"scopeSpans": [{"spans": [{
//!     "name": "execute_tool", "kind": 1, "startTimeUnixNano": "1", "endTimeUnixNano": "2",
//!     "attributes": [
//!         {"key": "gen_ai.operation.name", "value": {"stringValue": "execute_tool"}},
//!         {"key": "gen_ai.tool.name", "value": {"stringValue": "get_weather"}}
//!     ]
//! }]}]}]}"#)?;
//!
//! let findings = Checker::new(Convention::V2026_08).check(&telemetry);
//! assert_eq!(findings.len(), 1);
//! assert_eq!(findings[0].id.as_str(), "genai_span_name_format");
//! # Ok::<(), otel_genai_conformance::ReadError>(())
//! ```
//!
//! [`Id`] lists what is a finding. Names, types and requirement levels come from tables of `otel-genai-semconv`, so that
//! nothing outside the repository is needed; the conventions' JSON schemas are used beyond them where they are present
//! (see [`Checker::new`]). The rules are those that the conventions' own judge follows, and a few of ours for mistakes
//! that it does not see. Neither judges values: whether `server.port` is the provider's, and whether tokens are counted
//! right, is for each test to say.

mod checker;
mod content;
mod finding;
mod otlp;
mod registry;
mod rules;
mod schema;
#[cfg(feature = "sdk")]
mod sdk;
mod telemetry;

pub use checker::{Checker, Convention, UnknownConvention, check};
pub use finding::{Finding, Id, Signal};
pub use otlp::ReadError;
pub use telemetry::{
    Attributes, Event, Instrument, Metric, Point, Scope, Span, SpanEvent, SpanKind, Status, Telemetry, Value,
};
