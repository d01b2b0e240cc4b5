//! OTLP at the door: its JSON, and what of a request is kept.

mod accept;
mod json;

pub use accept::{Accepted, logs, metrics, traces};
pub use json::{Json, NotOtlp, from_json, to_json};

/// Why a record was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// A span without a trace id.
    #[error("the trace id is not 16 bytes, or all zero")]
    TraceId,
    /// A span without an id.
    #[error("the span id is not 8 bytes, or all zero")]
    SpanId,
    /// A ninth span with the same ids and other contents.
    #[error("eight other spans came with the same ids")]
    TooManyVariants,
    /// A value of more than 32 levels.
    #[error("a value is nested more than 32 levels deep")]
    TooDeep,
    /// A value of more than 64 MiB.
    #[error("a value is larger than 64 MiB")]
    TooLarge,
}
