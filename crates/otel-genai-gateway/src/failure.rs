//! When a provider gives no answer: what it was, and how the client learns of it.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

use http::header::{CONTENT_TYPE, HeaderValue};
use http::uri::Authority;
use http::{Response, StatusCode, Uri};
use hyper_util::client::legacy;

use otel_genai::Failure;
use otel_genai_http::{causes, transport_failure};

use crate::body::ResponseBody;

/// What the client sees when the provider could not be reached, or broke off before it answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UpstreamFailure {
    /// Its connection is closed without an answer, as the provider would have done: an unobserved program and its retry
    /// logic would have seen a broken connection too.
    #[default]
    Abort,
    /// `502 Bad Gateway` or `504 Gateway Timeout` with a JSON body that names the upstream and the cause.
    BadGateway,
}

/// A provider that gave no answer.
#[derive(Debug)]
pub(crate) struct UpstreamError {
    /// One of a handful of words, fit for `error.type`.
    pub(crate) kind: Cow<'static, str>,
    /// `https://host:port`, no path, no query.
    upstream: String,
    cause: String,
}

impl UpstreamError {
    pub(crate) fn new(uri: &Uri, error: &legacy::Error) -> Self {
        let upstream = match (uri.scheme_str(), uri.authority()) {
            (Some(scheme), Some(authority)) => format!("{scheme}://{authority}"),
            _ => "the upstream".to_owned(),
        };
        // The outermost error only says that a request failed.
        let root = error.source().unwrap_or(error);
        Self { kind: kind(root), upstream, cause: cause(root) }
    }

    /// No connection could be made to where a program wanted to go.
    pub(crate) fn of_connection(authority: &Authority, error: &(dyn StdError + 'static)) -> Self {
        Self { kind: kind(error), upstream: authority.to_string(), cause: cause(error) }
    }

    /// The same for the telemetry, where the provider's address stands already.
    pub(crate) fn to_failure(&self) -> Failure {
        Failure::new(self.kind.clone()).message(self.cause.clone())
    }

    pub(crate) fn into_response(self) -> Response<ResponseBody> {
        let status =
            if self.kind == "timeout" { StatusCode::GATEWAY_TIMEOUT } else { StatusCode::BAD_GATEWAY };
        answer(status, "upstream_error", &self.kind, &self.to_string())
    }
}

impl fmt::Display for UpstreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} gave no answer: {}", self.upstream, self.cause)
    }
}

impl StdError for UpstreamError {}

/// A short answer of the gateway's own, in the shape that the SDKs of most providers print.
pub(crate) fn answer(status: StatusCode, kind: &str, code: &str, message: &str) -> Response<ResponseBody> {
    let body = serde_json::json!({ "error": { "message": message, "type": kind, "code": code } });
    let mut response = Response::new(ResponseBody::own(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// What TLS and HTTP know better than the connection.
fn kind(error: &(dyn StdError + 'static)) -> Cow<'static, str> {
    for cause in causes(error) {
        if cause.is::<rustls::Error>() {
            return "tls".into();
        }
        if let Some(http) = cause.downcast_ref::<hyper::Error>() {
            if http.is_incomplete_message() || http.is_closed() {
                return "connection_closed".into();
            }
            if http.is_parse() {
                return "invalid_response".into();
            }
            if http.is_timeout() {
                return "timeout".into();
            }
        }
    }
    transport_failure(error).error_type
}

/// All causes in a row, but none twice.
fn cause(error: &(dyn StdError + 'static)) -> String {
    let mut text = String::new();
    for cause in causes(error) {
        let words = cause.to_string();
        if text.contains(&words) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&words);
    }
    text
}
