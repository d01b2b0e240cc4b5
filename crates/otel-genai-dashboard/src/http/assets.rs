//! The page's files. Every other path without a dot is the page too: it reads what to show from its address.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode, Uri, header::CONTENT_TYPE};

use super::Failure;
use crate::view::ErrorCode;

const NOT_BUILT: &str = "<!doctype html><meta charset=\"utf-8\"><title>otel-genai</title>\
    <p>The page was not built. OTLP, the API under /api/v1 and <code>otel-genai traces</code> work.</p>";

/// The hash of the page's inline script.
pub(crate) fn boot() -> Option<&'static str> {
    None
}

/// Whatever no route has.
pub(crate) async fn serve(method: Method, uri: Uri) -> Response {
    let path = uri.path();
    if path.starts_with("/api/") || path == "/api" || path == "/v1" {
        return Failure::not_found(format!("there is no {path}")).into_response();
    }
    if method != Method::GET && method != Method::HEAD {
        let failure = Failure::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::BadQuery, "GET is meant");
        return failure.into_response();
    }
    if path.rsplit('/').next().is_some_and(|last| last.contains('.')) {
        return Failure::not_found(format!("there is no {path}")).into_response();
    }
    let mut response = Response::new(Body::from(NOT_BUILT));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}
