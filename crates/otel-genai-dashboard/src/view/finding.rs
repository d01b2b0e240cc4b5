//! What is wrong with telemetry, why that matters, and how to fix it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ContentState, Dialect, is_false};

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Severity {
    /// Something is lost or wrong.
    Error,
    /// Something that one would want to see is not there, or not right.
    Warning,
    /// It could be better.
    Info,
}

/// Something that is wrong with what was received.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Which it is, such as `content_off`.
    pub code: String,
    /// How much it matters.
    pub severity: Severity,
    /// What was seen.
    pub title: String,
    /// Why it matters.
    pub why: String,
    /// What to do.
    pub fix: String,
    /// The setting, environment variable or attribute that does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub setting: Option<String>,
    /// A trace in which it was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// The first span on which it was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<String>,
    /// The service that it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The instrumentation that it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// How often it was seen.
    pub count: u64,
}

/// What is wrong, and how each service tells its story.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Findings {
    /// What is wrong, the worst first.
    pub items: Vec<Finding>,
    /// The services.
    pub services: Vec<ServiceHealth>,
    /// In how much of what was asked for it was looked for.
    pub looked: Looked,
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Looked {
    /// So many traces, the newest.
    pub traces: u64,
    /// There are others. Asked again, more of them are looked at.
    #[serde(default, skip_serializing_if = "is_false")]
    pub more: bool,
}

/// How a service tells its story.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceHealth {
    /// Its name.
    pub service: String,
    /// The vocabularies that it speaks.
    pub dialects: Vec<Dialect>,
    /// Whether it tells what was said.
    pub capture: ContentState,
    /// Calls of models.
    pub calls: u64,
    /// Of them with content.
    pub with_content: u64,
    /// What it sends.
    pub signals: Signals,
    /// How many findings it has.
    pub findings: u64,
}

/// What a service sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Signals {
    /// Spans.
    pub traces: bool,
    /// Log records.
    pub logs: bool,
    /// Metrics.
    pub metrics: bool,
}
