//! What is answered where something cannot be answered: what failed, and what to do.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use otel_genai_store::StoreError;

use super::guard::{CHANGES, Refusal};
use crate::view::{ApiError, ErrorCode, Told};

/// Why there is no answer.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    pub(crate) told: Told,
    pub(crate) retry_after: Option<Duration>,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, code: ErrorCode, message: impl Into<String>) -> Self {
        let told = Told { code, message: message.into(), hint: None, parameter: None };
        Self { status, told, retry_after: None }
    }

    /// What to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.told.hint = Some(hint.into());
        self
    }

    /// A parameter that cannot be read.
    pub(crate) fn parameter(name: &str, message: impl Into<String>) -> Self {
        let mut failure = Self::new(StatusCode::BAD_REQUEST, ErrorCode::BadParameter, message);
        failure.told.parameter = Some(name.to_owned());
        failure
    }

    /// Nothing has this id or name.
    pub(crate) fn not_found(what: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, ErrorCode::NotFound, what)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let (status, code) = match &error {
            StoreError::Busy { .. }
            | StoreError::Full { .. }
            | StoreError::Away { .. }
            | StoreError::Closed => (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Busy),
            StoreError::ReadOnly(_) | StoreError::Unwritable { .. } | StoreError::Denied { .. } => {
                (StatusCode::FORBIDDEN, ErrorCode::ReadOnly)
            }
            StoreError::Timeout(_) => (StatusCode::GATEWAY_TIMEOUT, ErrorCode::Timeout),
            StoreError::BadCursor => (StatusCode::BAD_REQUEST, ErrorCode::BadCursor),
            StoreError::BadQuery(_) => (StatusCode::BAD_REQUEST, ErrorCode::BadQuery),
            StoreError::Unsupported(_) => (StatusCode::NOT_IMPLEMENTED, ErrorCode::Unsupported),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::Internal),
        };
        let mut failure = Self::new(status, code, error.to_string());
        match error {
            StoreError::Busy { retry_after }
            | StoreError::Full { retry_after, .. }
            | StoreError::Away { retry_after, .. } => {
                failure.retry_after = Some(retry_after);
            }
            StoreError::ReadOnly(_) => {
                failure = failure.hint(
                    "This dashboard only shows what is there: send to one without --read-only that may write.",
                );
            }
            StoreError::BadCursor => {
                failure = failure.hint("A cursor goes with the query that gave it: begin again without one.");
            }
            _ if status.is_server_error() && code == ErrorCode::Internal => {
                tracing::warn!(target: "otel_genai_dashboard", "{error}");
            }
            _ => {}
        }
        failure
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::WrongHost(host) => Self::new(
                StatusCode::MISDIRECTED_REQUEST,
                ErrorCode::WrongHost,
                format!("this dashboard is not called {host:?}"),
            )
            .hint("Use localhost or the address that otel-genai printed, or start it with --allow-host NAME."),
            Refusal::WrongOrigin => Self::new(
                StatusCode::FORBIDDEN,
                ErrorCode::WrongOrigin,
                "pages of other origins may not ask here",
            ),
            Refusal::NoChangeHeader => Self::new(
                StatusCode::FORBIDDEN,
                ErrorCode::WrongOrigin,
                format!("a request that changes something needs the header {CHANGES}: 1"),
            ),
            Refusal::NoToken => Self::new(
                StatusCode::UNAUTHORIZED,
                ErrorCode::NoToken,
                "this dashboard asks for its token",
            )
            .hint("Open the link with ?token=… that otel-genai printed, or send Authorization: Bearer TOKEN."),
            Refusal::WrongToken => Self::new(
                StatusCode::UNAUTHORIZED,
                ErrorCode::WrongToken,
                "this is not the token of this dashboard",
            )
            .hint("Open the link with ?token=… that otel-genai printed: a new token is made whenever it starts."),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = super::json(&ApiError { error: self.told });
        *response.status_mut() = self.status;
        if let Some(after) = self.retry_after {
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
