//! One request, there and back.

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use http::header::{CONTENT_LENGTH, HeaderValue, PROXY_AUTHORIZATION, TRANSFER_ENCODING};
use http::uri::Scheme;
use http::{Method, Request, Response, StatusCode, Uri, Version, request};
use http_body::Body as _;
use http_body_util::Either;
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::TokioExecutor;
use hyper_util::server::conn::auto;
use opentelemetry::KeyValue;
use otel_genai_http::{Call, Exchange, Observer};
use tokio::sync::watch;

use crate::body::ResponseBody;
use crate::connect::Connector;
use crate::expect::{Consent, RequestBody, expects_continue};
use crate::failure::{UpstreamError, UpstreamFailure, answer};
use crate::gateway::Phase;
use crate::header::{join_cookies, leave_host, set_host, strip_hop_by_hop, wants_upgrade};
use crate::intercept::{self, Intercept};
use crate::route::{Routes, Target};
use crate::unsent::Lent;
use crate::within::Parents;
use crate::{context, tunnel};

/// On the span of a call that came out of intercepted TLS.
const INTERCEPTED: &str = "otel_genai.intercepted";

/// Unobserved requests pay nothing for the tap.
pub(crate) type UpstreamBody = Either<RequestBody, Lent>;

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) routes: Routes,
    pub(crate) observer: Option<Observer>,
    pub(crate) connector: Connector,
    pub(crate) client: Client<Connector, UpstreamBody>,
    /// HTTP/1.1 only, for requests whose connection is to become another protocol's.
    pub(crate) upgrades: Client<Connector, UpstreamBody>,
    pub(crate) failure: UpstreamFailure,
    pub(crate) phase: watch::Sender<Phase>,
    pub(crate) server: auto::Builder<TokioExecutor>,
    /// What programs need that take the gateway for their proxy, and where it is.
    pub(crate) intercept: Option<(Intercept, SocketAddr)>,
    /// Where callers in this process are, who say so by the address.
    pub(crate) parents: Option<Parents>,
}

/// How a request is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// As a model call, if it is one.
    Routed,
    /// The same, out of TLS that was meant to be the provider's alone.
    Intercepted,
    /// Not at all.
    None,
}

/// Forwards a request. An error closes the client's connection without an answer.
pub(crate) async fn forward(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<ResponseBody>, UpstreamError> {
    if let Some((intercept, address)) = &shared.intercept
        && intercept::is_for_proxy(&request, *address)
    {
        let intercept = intercept.clone();
        return Box::pin(intercept::serve(shared, intercept, request)).await;
    }
    let Some(target) = target(&shared, request.uri()) else {
        return Ok(unknown_route(&shared, &request));
    };
    send(shared, request, target, Sight::Routed).await
}

fn target(shared: &Shared, uri: &Uri) -> Option<Target> {
    let asked = uri.path_and_query()?.as_str();
    let Some(parents) = &shared.parents else {
        return shared.routes.resolve(asked);
    };
    let (asked, within) = parents.split(asked);
    let mut target = shared.routes.resolve(&asked)?;
    target.within = within;
    Some(target)
}

/// Forwards a request to where it belongs.
pub(crate) async fn send(
    shared: Arc<Shared>,
    request: Request<Incoming>,
    target: Target,
    sight: Sight,
) -> Result<Response<ResponseBody>, UpstreamError> {
    if request.version() == Version::HTTP_11 && wants_upgrade(request.headers()) {
        return Box::pin(upgrade(shared, request, target, sight)).await;
    }
    exchange(&shared, request, target, sight).await
}

async fn exchange(
    shared: &Shared,
    request: Request<Incoming>,
    target: Target,
    sight: Sight,
) -> Result<Response<ResponseBody>, UpstreamError> {
    let (mut parts, body) = request.into_parts();
    let version = parts.version;
    let observer = shared.observer.as_ref().filter(|_| sight != Sight::None);
    let exchange = observer.and_then(|observer| begin(&parts, &target, sight, |call| observer.begin(call)));

    let waits = version == Version::HTTP_11 && !body.is_end_stream() && expects_continue(&parts.headers);
    if version == Version::HTTP_2 {
        join_cookies(&mut parts.headers);
        frame_unusual_body(&mut parts, &body);
    }
    strip_hop_by_hop(&mut parts.headers, true);
    let uri = target.uri.clone();
    if uri.scheme() == Some(&Scheme::HTTPS) {
        leave_host(&mut parts.headers);
    } else {
        set_host(&mut parts.headers, target.host.clone());
    }
    address(shared, &mut parts, target);

    let (body, consent) = if waits {
        let (body, consent) = RequestBody::held(body);
        (body, Some(consent))
    } else {
        (RequestBody::new(body), None)
    };
    let (body, unsent) = match &exchange {
        Some(exchange) => {
            let body = Lent::new(exchange.request_body(body));
            // A client that waits for consent has sent nothing, and must not be asked to.
            let unsent = consent.is_none().then(|| body.keep());
            (Either::Right(body), unsent)
        }
        None => (Either::Left(body), None),
    };
    let request = Request::from_parts(parts, body);
    let sent = match &consent {
        None => shared.client.request(request).await,
        Some(consent) => Box::pin(send_with_consent(shared, request, consent)).await,
    };
    match sent {
        Ok(response) => Ok(pass(response, version, exchange, consent)),
        Err(error) => {
            let error = UpstreamError::new(&uri, &error);
            if let Some(exchange) = exchange {
                if let Some(unsent) = unsent {
                    unsent.read_rest().await;
                }
                exchange.fail(error.to_failure());
            }
            refuse(shared, error)
        }
    }
}

/// Turns the provider's answer into the client's.
fn pass(
    response: Response<Incoming>,
    version: Version,
    exchange: Option<Exchange>,
    consent: Option<Consent>,
) -> Response<ResponseBody> {
    let (mut parts, body) = response.into_parts();
    let body = match exchange {
        Some(exchange) => ResponseBody::observed(exchange.response(&parts, body)),
        None => match length_of_another(&parts) {
            Some(length) => ResponseBody::claimed(length),
            None => ResponseBody::passed(body),
        },
    };
    // The framing decides where both are stated (RFC 9112, 6.3), and a length beside it may be a lie.
    if parts.headers.contains_key(TRANSFER_ENCODING) {
        parts.headers.remove(CONTENT_LENGTH);
    }
    strip_hop_by_hop(&mut parts.headers, version == Version::HTTP_11);
    parts.version = version;
    Response::from_parts(parts, body.keeping(consent))
}

/// The length that a 304 states: that of the answer it stands for.
fn length_of_another(parts: &http::response::Parts) -> Option<u64> {
    if parts.status != StatusCode::NOT_MODIFIED {
        return None;
    }
    parts.headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// A request that wants another protocol: carried as bytes once both sides agree, and observed where models are called
/// in it.
async fn upgrade(
    shared: Arc<Shared>,
    mut request: Request<Incoming>,
    target: Target,
    sight: Sight,
) -> Result<Response<ResponseBody>, UpstreamError> {
    let client = hyper::upgrade::on(&mut request);
    let (mut parts, body) = request.into_parts();
    let observer = shared.observer.as_ref().filter(|_| sight != Sight::None);
    let wanted =
        observer.and_then(|observer| begin(&parts, &target, sight, |call| observer.begin_upgrade(call)));
    let uri = target.uri.clone();
    set_host(&mut parts.headers, target.host.clone());
    address(&shared, &mut parts, target);
    let request = Request::from_parts(parts, Either::Left(RequestBody::new(body)));
    let mut response = match shared.upgrades.request(request).await {
        Ok(response) => response,
        Err(error) => return refuse(&shared, UpstreamError::new(&uri, &error)),
    };
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Ok(pass(response, Version::HTTP_11, None, None));
    }
    let upstream = hyper::upgrade::on(&mut response);
    let (parts, _) = response.into_parts();
    let session = wanted.map(|wanted| wanted.accepted(&parts));
    tokio::spawn(tunnel::carry(client, upstream, session, shared.phase.subscribe()));
    Ok(Response::from_parts(parts, ResponseBody::own("")))
}

async fn send_with_consent(
    shared: &Shared,
    mut request: Request<UpstreamBody>,
    consent: &Consent,
) -> Result<Response<Incoming>, legacy::Error> {
    let on_informational = consent.on_informational();
    hyper::ext::on_informational(&mut request, move |interim| on_informational(interim.status()));
    let connection = capture_connection(&mut request);
    let http2 = async {
        consent.clone().given_over_http2(connection).await;
        std::future::pending().await
    };
    tokio::select! {
        sent = shared.client.request(request) => sent,
        sent = http2 => sent,
    }
}

fn refuse(shared: &Shared, error: UpstreamError) -> Result<Response<ResponseBody>, UpstreamError> {
    tracing::debug!(target: "otel_genai_gateway", kind = %error.kind, "{error}");
    match shared.failure {
        UpstreamFailure::Abort => Err(error),
        UpstreamFailure::BadGateway => Ok(error.into_response()),
    }
}

/// A defect in observing must not become one in forwarding.
fn begin<T>(
    parts: &request::Parts,
    target: &Target,
    sight: Sight,
    begin: impl FnOnce(&Call<'_>) -> Option<T>,
) -> Option<T> {
    let begun = catch_unwind(AssertUnwindSafe(|| begin(&call(parts, target, sight))));
    begun.unwrap_or_else(|_| {
        tracing::warn!(target: "otel_genai_gateway", "observing a call failed inside; it is forwarded unobserved");
        None
    })
}

/// What is told of a request to whoever observes it.
fn call<'a>(parts: &'a request::Parts, target: &'a Target, sight: Sight) -> Call<'a> {
    let call = Call::new(&parts.method, target.observed(), &parts.headers);
    let call = call.parent(context::parent(&parts.headers, target.within.as_ref()));
    match sight {
        Sight::Intercepted => call.attribute(KeyValue::new(INTERCEPTED, true)),
        _ => call,
    }
}

/// Points the request at the provider. (HTTP/2 is chosen when connecting, so the version here is only the common one.)
fn address(shared: &Shared, parts: &mut request::Parts, target: Target) {
    if let Some(authorization) = shared.connector.proxy_authorization(&target.uri) {
        parts.headers.insert(PROXY_AUTHORIZATION, authorization);
    }
    parts.uri = target.uri;
    parts.version = Version::HTTP_11;
}

/// HTTP/1.1 must be told of a body of unknown length where it does not expect any.
fn frame_unusual_body(parts: &mut request::Parts, body: &Incoming) {
    let unknown = !body.is_end_stream() && body.size_hint().exact().is_none();
    if unknown && matches!(parts.method, Method::GET | Method::HEAD) {
        parts.headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
}

fn unknown_route(shared: &Shared, request: &Request<Incoming>) -> Response<ResponseBody> {
    let asked = request.uri().path();
    let message = format!("no route for {asked}; the routes are: {}", shared.routes.describe());
    answer(StatusCode::NOT_FOUND, "unknown_route", "unknown_route", &message)
}
