//! How answers are written: JSON, with an `ETag` where the page asks again and again.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;

use super::Failure;
use crate::view::ErrorCode;

/// What an endpoint answers.
pub(crate) type Answer = Result<Response, Failure>;

/// A value as JSON.
pub(crate) fn json(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(bytes) => {
            let mut response = Response::new(Body::from(bytes));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
        Err(error) => {
            let message = format!("the answer cannot be written: {error}");
            Failure::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::Internal, message).into_response()
        }
    }
}

/// What an answer depends on, in short.
pub(crate) struct ETag(HeaderValue);

impl ETag {
    /// Of everything that the answer is made from.
    pub(crate) fn of(parts: &[&dyn std::fmt::Display]) -> Self {
        let text = parts.iter().map(ToString::to_string).collect::<Vec<_>>().join("/");
        let hash = blake3::hash(text.as_bytes()).to_hex();
        let short = hash.get(..20).unwrap_or_default();
        Self(HeaderValue::from_str(&format!("\"{short}\"")).unwrap_or(HeaderValue::from_static("\"\"")))
    }

    /// The short answer for whoever has this one already.
    pub(crate) fn known(&self, headers: &HeaderMap) -> Option<Response> {
        let told = headers.get(IF_NONE_MATCH)?.to_str().ok()?;
        let ours = self.0.to_str().ok()?;
        let same = told.split(',').any(|one| one.trim().trim_start_matches("W/") == ours);
        same.then(|| self.put(StatusCode::NOT_MODIFIED.into_response()))
    }

    /// Adds it to an answer. A browser keeps the answer, and asks whether it still holds.
    pub(crate) fn put(&self, mut response: Response) -> Response {
        response.headers_mut().insert(ETAG, self.0.clone());
        let again = HeaderValue::from_static("private, no-cache");
        response.headers_mut().insert(http::header::CACHE_CONTROL, again);
        response
    }
}
