//! What answers here, and how it says no.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What answers here. Whoever does not bring the token is told the first three only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct About {
    /// `otel-genai`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Whether a token is asked for.
    pub needs_token: bool,
    /// Another one for each process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<String>,
    /// Since when it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_ms: Option<f64>,
    /// Where the page is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// Where OTLP is received.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otlp: Option<Otlp>,
    /// Where the store is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<String>,
    /// Whether nothing can be stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    /// The currency of costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// As of when the prices are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prices_date: Option<String>,
}

/// Where OTLP is received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Otlp {
    /// Over HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<String>,
    /// Over gRPC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grpc: Option<String>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApiError {
    /// Why.
    pub error: Told,
}

/// What failed, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Told {
    /// For programs.
    pub code: ErrorCode,
    /// For a person: what failed.
    pub message: String,
    /// For a person: what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The parameter that cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
}

/// What failed, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorCode {
    /// A parameter that is not known, or cannot be read.
    BadParameter,
    /// A cursor of another query.
    BadCursor,
    /// A query that makes no sense.
    BadQuery,
    /// Nothing has this id or name.
    NotFound,
    /// A name that is not ours.
    WrongHost,
    /// A page of another origin, or a change without its header.
    WrongOrigin,
    /// A token is needed.
    NoToken,
    /// This is another token.
    WrongToken,
    /// Nothing can be stored.
    ReadOnly,
    /// More was asked or sent than can be done.
    Busy,
    /// It took too long.
    Timeout,
    /// More than is taken.
    TooLarge,
    /// This store cannot do it.
    Unsupported,
    /// Anything else.
    Internal,
}
