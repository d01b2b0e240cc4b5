//! The page's files. Every other path without a dot is the page too: it reads what to show from its address. So is what has
//! an id in it, which may be any text.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode, Uri};

use super::Failure;
use super::page::takes_gzip;
use crate::page;
use crate::view::ErrorCode;

/// Whatever no route has.
pub(crate) async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path();
    let missing = || Failure::not_found(format!("there is no {path}")).into_response();
    if path.starts_with("/api/") || path == "/api" || path == "/v1" {
        return missing();
    }
    if method != Method::GET && method != Method::HEAD {
        let failure = Failure::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::BadQuery, "GET is meant");
        return failure.into_response();
    }
    let has_id = ["/trace/", "/conversation/"].iter().any(|place| path.starts_with(place));
    let named = !has_id && path.rsplit('/').next().is_some_and(|last| last.contains('.'));
    let file = if named { page::file(path) } else { page::index() };
    file.map_or_else(missing, |file| file.answer(&headers, takes_gzip(&headers)))
}
