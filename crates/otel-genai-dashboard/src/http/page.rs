//! The router of the page and of everything it asks, behind the guard.

use std::io::Write as _;
use std::sync::Arc;

use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post};
use axum::{Router, body};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, SET_COOKIE, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use otel_genai_store::StoreError;

use super::guard::MCP;
use super::headers::{policy, secure};
use super::{Failure, Refusal, assets};
use crate::serve::Doors;
use crate::shared::Shared;
use crate::view::ErrorCode;
use crate::{api, mcp};

/// Answers shorter than this are sent as they are,
const WORTH: u64 = 1024;
/// and longer ones are compressed where they hold up nobody.
const LONG: usize = 256 << 10;

/// The page, and `/api/v1`.
pub(crate) fn page(shared: Arc<Shared>) -> Router {
    let policy = policy(crate::page::boot());
    Router::new()
        .merge(api::router())
        .route(MCP, post(mcp::take))
        .route("/v1/{*signal}", any(elsewhere))
        .fallback(assets::serve)
        .layer(from_fn_with_state((Arc::clone(&shared), policy), door))
        .with_state(shared)
}

/// Who sends OTLP to the page's port is told where it belongs.
async fn elsewhere(State(shared): State<Arc<Shared>>) -> Failure {
    if let Ok(status) = shared.store.status().await
        && status.read_only
    {
        return StoreError::ReadOnly(status.location.into()).into();
    }
    let failure = Failure::not_found("nothing is received here");
    match shared.doors.http.map(Doors::url) {
        Some(url) => {
            failure.hint(format!("Send OTLP to {url}/v1/traces, {url}/v1/logs and {url}/v1/metrics."))
        }
        None => failure,
    }
}

async fn door(
    State((shared, policy)): State<(Arc<Shared>, HeaderValue)>,
    request: Request,
    next: Next,
) -> Response {
    let packs = takes_gzip(request.headers());
    let mut response = match admit(&shared, request) {
        Ok(request) => next.run(request).await,
        Err(response) => *response,
    };
    if packs {
        response = pack(response).await;
    }
    secure(response.headers_mut(), &policy);
    response
}

fn admit(shared: &Shared, request: Request) -> Result<Request, Box<Response>> {
    let refused = |refusal: Refusal| Box::new(Failure::from(refusal).into_response());
    let (head, body) = request.into_parts();
    shared.guard.place(&head).map_err(refused)?;
    if let Some((token, bare)) = token_in(&head.uri)
        && head.method == Method::GET
        && !head.uri.path().starts_with("/api/")
    {
        return Err(Box::new(let_in(shared, &token, &bare)));
    }
    // The page itself is no secret, and has to say that a token is asked for.
    let path = head.uri.path();
    if path == MCP || path.starts_with("/api/") && path != "/api/v1/about" {
        shared.guard.knows(&head.headers).map_err(refused)?;
    }
    Ok(Request::from_parts(head, body))
}

/// A link with the token gives the browser a cookie, and takes the token out of what is seen and kept.
fn let_in(shared: &Shared, token: &str, bare: &str) -> Response {
    if !shared.guard.is_token(token) {
        return Failure::from(Refusal::WrongToken).into_response();
    }
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    headers.insert(LOCATION, HeaderValue::from_str(bare).unwrap_or(HeaderValue::from_static("/")));
    if let Some(cookie) = shared.guard.cookie().and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
        headers.insert(SET_COOKIE, cookie);
    }
    response
}

/// The token of a link, and the link without it.
fn token_in(uri: &Uri) -> Option<(String, String)> {
    let query = uri.query()?;
    let is_token = |part: &&str| part.starts_with("token=");
    let token = query.split('&').find(is_token)?.strip_prefix("token=")?;
    let rest: Vec<_> = query.split('&').filter(|part| !is_token(part)).collect();
    // A path of two slashes would lead to another host.
    let path = format!("/{}", uri.path().trim_start_matches('/'));
    let bare = if rest.is_empty() { path } else { format!("{path}?{}", rest.join("&")) };
    Some((token.replace("%3D", "=").replace("%2B", "+").replace("%2F", "/"), bare))
}

pub(crate) fn takes_gzip(headers: &HeaderMap) -> bool {
    let told = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|told| told.to_str().ok());
    let mut each = told.flat_map(|told| told.split(',')).map(|one| one.split(';').map(str::trim));
    each.any(|mut one| {
        let name = one.next().unwrap_or_default();
        let refused =
            one.any(|weight| matches!(weight.replace(' ', "").as_str(), "q=0" | "q=0.0" | "q=0.00"));
        (name.eq_ignore_ascii_case("gzip") || name == "*") && !refused
    })
}

/// Compresses text of some length. Streams, whose length nobody knows, go out as they come.
async fn pack(response: Response) -> Response {
    let text = response.headers().get(CONTENT_TYPE).and_then(|told| told.to_str().ok()).is_some_and(|told| {
        told.starts_with("application/json")
            || told.starts_with("text/")
            || told.starts_with("application/x-ndjson")
    });
    let length = response.body().size_hint().exact().unwrap_or(0);
    if !text || length < WORTH || response.headers().contains_key(CONTENT_ENCODING) {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let Ok(bytes) = body::to_bytes(body, usize::MAX).await else {
        let lost = "the answer was lost on its way";
        return Failure::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::Internal, lost).into_response();
    };
    let whole = bytes.clone();
    let packed = if bytes.len() > LONG {
        tokio::task::spawn_blocking(move || gzip(&bytes)).await.ok().flatten()
    } else {
        gzip(&bytes)
    };
    let Some(packed) = packed else { return Response::from_parts(head, Body::from(whole)) };
    head.headers.remove(CONTENT_LENGTH);
    head.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    head.headers.append(VARY, HeaderValue::from_static("accept-encoding"));
    Response::from_parts(head, Body::from(packed))
}

fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}
