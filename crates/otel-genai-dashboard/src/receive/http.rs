//! OTLP over HTTP: `POST /v1/traces`, `/v1/logs`, `/v1/metrics`.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::any;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, CONTENT_ENCODING, CONTENT_LENGTH,
    CONTENT_TYPE, RETRY_AFTER, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use http_body_util::BodyExt as _;
use otel_genai_store::otlp;
use prost::Message as _;
use prost::bytes::{Bytes, BytesMut};

use super::decode::{Encoding, Form, MOST_INFLATED, decode};
use super::refused::{Code, Refused};
use super::room::Room;
use super::signal::{Logs, Metrics, Signal, Traces, store};
use crate::shared::Shared;

/// A compressed request may be so large.
const MOST_PACKED: usize = 32 << 20;
/// Plain requests up to this size are read where they arrive: that takes less than going elsewhere.
const SHORT: usize = 64 << 10;
/// So much room is made for a request on its word alone.
const MOST_TRUSTED: usize = 8 << 20;
/// How long a sender may be silent within a request.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where OTLP is received over HTTP.
pub(crate) fn http(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/traces", any(receive::<Traces>))
        .route("/v1/logs", any(receive::<Logs>))
        .route("/v1/metrics", any(receive::<Metrics>))
        .with_state(shared)
}

async fn receive<S: Signal>(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let page = shared.guard.allowed_origin(&head.headers).and_then(|page| HeaderValue::from_str(page).ok());
    let told = text(&head.headers, &CONTENT_TYPE);
    // Whoever sent something else gets JSON, which a person can read.
    let form = Form::of(told);
    let mut response = if head.method == Method::OPTIONS && page.is_some() {
        preflight(&head.headers)
    } else {
        match take::<S>(&shared, &head.method, &head.headers, form, body).await {
            Ok((form, answer)) => {
                let bytes = match form {
                    Form::Protobuf => answer.encode_to_vec(),
                    Form::Json => otlp::to_json(&answer),
                };
                respond(StatusCode::OK, form, bytes.into())
            }
            Err(refused) => refuse(&refused, form.unwrap_or(Form::Json)),
        }
    };
    let headers = response.headers_mut();
    if let Some(page) = page {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, page);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
        headers.insert(VARY, HeaderValue::from_static("origin"));
    }
    response
}

async fn take<S: Signal>(
    shared: &Shared,
    method: &Method,
    headers: &HeaderMap,
    form: Option<Form>,
    body: Body,
) -> Result<(Form, S::Answer), Refused> {
    shared.guard.sends(headers)?;
    if method != Method::POST {
        let message = "OTLP is sent by POST";
        return Err(Refused::new(StatusCode::METHOD_NOT_ALLOWED, Code::Unimplemented, message));
    }
    let form = form.ok_or_else(|| {
        Refused::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Code::InvalidArgument,
            "the content type is neither application/x-protobuf nor application/json",
        )
    })?;
    let encoding = Encoding::of(text(headers, &CONTENT_ENCODING))?;
    let most = if encoding == Encoding::Identity { MOST_INFLATED } else { MOST_PACKED };
    let mut room = Room::new(&shared.room);
    let bytes = collect(body, headers, (most, 1), &mut room).await?;
    let accepted = if encoding == Encoding::Identity && bytes.len() <= SHORT {
        decode::<S>(form, encoding, bytes, &mut room)?
    } else {
        let read = tokio::task::spawn_blocking(move || {
            let accepted = decode::<S>(form, encoding, bytes, &mut room);
            (accepted, room)
        });
        let (accepted, held) = read.await.map_err(|_| {
            Refused::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, "the request could not be read")
        })?;
        room = held;
        accepted?
    };
    let answer = store::<S>(shared, accepted).await?;
    drop(room);
    Ok((form, answer))
}

/// The whole body, unless it is too large or comes too slowly.
///
/// It takes `share` times as much room as it has bytes.
pub(crate) async fn collect(
    body: Body,
    headers: &HeaderMap,
    (most, share): (usize, usize),
    room: &mut Room,
) -> Result<Bytes, Refused> {
    let too_large = || Refused::too_large(format!("the request is larger than {} MiB", most >> 20));
    let told: Option<usize> = text(headers, &CONTENT_LENGTH).parse().ok();
    if told.is_some_and(|told| told > most) {
        return Err(too_large());
    }
    let told = told.unwrap_or(0);
    room.grow(told.min(MOST_TRUSTED))?;
    let mut body = body;
    let mut all = BytesMut::with_capacity(told.min(MOST_TRUSTED));
    loop {
        let Ok(next) = tokio::time::timeout(PATIENCE, body.frame()).await else {
            return Err(Refused::later("the rest of the request did not come", Duration::from_secs(1)));
        };
        let Some(frame) = next else { return Ok(all.freeze()) };
        let frame = frame.map_err(|error| Refused::malformed(format!("the request broke off: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        if all.len() + data.len() > most {
            return Err(too_large());
        }
        room.grow(share * (all.len() + data.len()))?;
        all.extend_from_slice(&data);
    }
}

/// The header of a name, if it is text.
fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> &'h str {
    headers.get(name).and_then(|told| told.to_str().ok()).unwrap_or_default()
}

fn respond(status: StatusCode, form: Form, bytes: Bytes) -> Response {
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(form.media()));
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn refuse(refused: &Refused, form: Form) -> Response {
    let bytes = match form {
        Form::Protobuf => refused.to_protobuf(),
        Form::Json => refused.to_json(),
    };
    let mut response = respond(refused.status, form, bytes);
    let headers = response.headers_mut();
    if let Some(after) = refused.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
    }
    if refused.status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

/// What a browser asks before a page of another origin sends.
fn preflight(headers: &HeaderMap) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let answer = response.headers_mut();
    let allowed = "content-type, content-encoding, authorization, x-otel-genai-token";
    answer.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(allowed));
    answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("7200"));
    // Chromium asks whether a public page may reach an address of this network.
    if headers.contains_key("access-control-request-private-network") {
        let name = HeaderName::from_static("access-control-allow-private-network");
        answer.insert(name, HeaderValue::from_static("true"));
    }
    response
}
