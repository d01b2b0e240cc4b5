//! The schema URL that each convention publishes, for instrumentation scopes.

/// The convention `2026-08`.
pub const V2026_08: &str = "https://opentelemetry.io/schemas/gen-ai-dev/1.42.0-dev";
/// The convention `2026-10`, which did not change the URL.
pub const V2026_10: &str = "https://opentelemetry.io/schemas/gen-ai-dev/1.42.0-dev";
/// The convention `loongsuite`.
pub const LOONGSUITE: &str = "https://opentelemetry.io/schemas/1.37.0";
/// The convention `v1.30`.
pub const V1_30: &str = "https://opentelemetry.io/schemas/1.30.0";
