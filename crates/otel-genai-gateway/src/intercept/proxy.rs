//! Requests of programs that take the gateway for their proxy: `CONNECT host:443`, and `GET http://host/path`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::{HOST, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION};
use http::uri::{Authority, Scheme};
use http::{Method, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt as _;
use tokio_rustls::LazyConfigAcceptor;

use super::Intercept;
use crate::body::ResponseBody;
use crate::failure::{UpstreamError, answer};
use crate::forward::{Shared, Sight, send};
use crate::gateway::{Phase, serve_connection};
use crate::tunnel;

/// How long a program may take to agree on TLS; nothing but its own work is waited for.
const HANDSHAKE: Duration = Duration::from_secs(30);

/// Whether the request is one to a proxy: over HTTP/1.1 only these name the host before the path.
pub(crate) fn is_for_proxy<B>(request: &Request<B>, gateway: SocketAddr) -> bool {
    if request.method() == Method::CONNECT {
        return true;
    }
    let Some(authority) = request.uri().authority().filter(|_| request.version() <= Version::HTTP_11) else {
        return false;
    };
    let host = authority.host().trim_matches(['[', ']']);
    let is_here = host.eq_ignore_ascii_case("localhost") || host == gateway.ip().to_string();
    !(is_here && authority.port_u16() == Some(gateway.port()))
}

/// Answers such a request.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    intercept: Intercept,
    mut request: Request<Incoming>,
) -> Result<Response<ResponseBody>, UpstreamError> {
    if !intercept.knows(request.headers()) {
        let said = "this proxy serves one program, which knows its password";
        let mut response =
            answer(StatusCode::PROXY_AUTHENTICATION_REQUIRED, "proxy_error", "unauthorized", said);
        let challenge = HeaderValue::from_static("Basic realm=\"otel-genai\"");
        response.headers_mut().insert(PROXY_AUTHENTICATE, challenge);
        return Ok(response);
    }
    request.headers_mut().remove(PROXY_AUTHORIZATION);
    if request.method() == Method::CONNECT {
        return Ok(connect(shared, intercept, request).await);
    }
    let uri = request.uri();
    let target = match (uri.scheme(), uri.authority(), uri.path_and_query()) {
        (Some(scheme), Some(authority), Some(path)) => intercept
            .target(scheme, authority, path.as_str())
            .map(|target| (target, authority.host().to_owned())),
        _ => None,
    };
    match target {
        Some((target, host)) => {
            let sight = if intercept.reads(&host) { Sight::Intercepted } else { Sight::None };
            send(shared, request, target, sight).await
        }
        None => Ok(misdirected("a proxy is asked for http://HOST/PATH or https://HOST/PATH")),
    }
}

async fn connect(
    shared: Arc<Shared>,
    intercept: Intercept,
    mut request: Request<Incoming>,
) -> Response<ResponseBody> {
    let authority = request.uri().authority().filter(|authority| authority.port_u16().is_some()).cloned();
    let Some(authority) = authority else {
        return misdirected("CONNECT needs HOST:PORT");
    };
    if authority.port_u16() == Some(443) && intercept.reads(authority.host()) {
        let client = hyper::upgrade::on(&mut request);
        tokio::spawn(terminate(shared, intercept, client, authority));
        return Response::new(ResponseBody::own(""));
    }
    match shared.connector.tunnel(&authority).await {
        Ok(upstream) => {
            let client = hyper::upgrade::on(&mut request);
            tokio::spawn(tunnel::carry_to(client, upstream, shared.phase.subscribe()));
            Response::new(ResponseBody::own(""))
        }
        Err(error) => UpstreamError::of_connection(&authority, &*error).into_response(),
    }
}

/// Speaks TLS in the host's name, and forwards what comes to the host itself.
async fn terminate(shared: Arc<Shared>, intercept: Intercept, client: OnUpgrade, authority: Authority) {
    let mut phase = shared.phase.subscribe();
    let agreed = tokio::time::timeout(HANDSHAKE, handshake(&intercept, client, authority.host()));
    let stream = tokio::select! {
        agreed = agreed => agreed,
        _ = phase.wait_for(|phase| *phase != Phase::Serving) => return,
    };
    let Ok(Some(stream)) = stream else { return };
    let served = shared.clone();
    let service =
        service_fn(move |request| forward(served.clone(), intercept.clone(), authority.clone(), request));
    serve_connection(&shared.server, TokioIo::new(stream), service, phase).await;
}

type Client = tokio_rustls::server::TlsStream<TokioIo<hyper::upgrade::Upgraded>>;

async fn handshake(intercept: &Intercept, client: OnUpgrade, host: &str) -> Option<Client> {
    let client = TokioIo::new(client.await.ok()?);
    // Who goes before it has begun, or speaks something else, has refused nothing.
    let hello = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), client).await.ok()?;
    let host = host.to_ascii_lowercase();
    let config = match intercept.inner.authority.config(&host) {
        Ok(config) => config,
        Err(error) => {
            tracing::warn!(target: "otel_genai_gateway", "no certificate could be made for {host}: {error}");
            intercept.inner.refusals.count_unmade(&host, error.to_string());
            return None;
        }
    };
    match hello.into_stream(config).into_fallible().await {
        Ok(stream) => {
            intercept.inner.refusals.forgive(&host);
            Some(stream)
        }
        Err((error, mut client)) => {
            tracing::debug!(target: "otel_genai_gateway", "TLS in the name of {host} was not agreed on: {error}");
            intercept.inner.refusals.count(&host, &error);
            let _ = client.shutdown().await;
            None
        }
    }
}

/// A request that came through such a connection.
async fn forward(
    shared: Arc<Shared>,
    intercept: Intercept,
    authority: Authority,
    request: Request<Incoming>,
) -> Result<Response<ResponseBody>, UpstreamError> {
    let named = match request.uri().authority() {
        Some(named) => Some(named.as_str()),
        None => request.headers().get(HOST).and_then(|host| host.to_str().ok()),
    };
    // The host that was connected to is the one that is asked; a program that means another has to connect to it.
    if !named.is_some_and(|named| is_same_host(named, authority.host())) {
        return Ok(misdirected("this connection is to another host"));
    }
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    match intercept.target(&Scheme::HTTPS, &authority, path) {
        Some(target) => send(shared, request, target, Sight::Intercepted).await,
        None => Ok(misdirected("the host cannot be addressed")),
    }
}

fn is_same_host(named: &str, host: &str) -> bool {
    let name = named.rsplit_once(':').map_or(named, |(name, _)| name);
    name.eq_ignore_ascii_case(host)
}

fn misdirected(message: &str) -> Response<ResponseBody> {
    answer(StatusCode::MISDIRECTED_REQUEST, "proxy_error", "misdirected", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_of_a_proxy() {
        let gateway: SocketAddr = ([127, 0, 0, 1], 4080).into();
        let is_for_proxy = |method: &str, uri: &str, version| {
            let request = Request::builder().method(method).uri(uri).version(version).body(()).unwrap();
            is_for_proxy(&request, gateway)
        };
        assert!(is_for_proxy("CONNECT", "api.openai.com:443", Version::HTTP_11));
        assert!(is_for_proxy("CONNECT", "api.openai.com:443", Version::HTTP_2));
        assert!(is_for_proxy("GET", "http://example.com/x", Version::HTTP_11));
        assert!(is_for_proxy("GET", "http://127.0.0.1:4081/x", Version::HTTP_11));
        assert!(!is_for_proxy("GET", "http://127.0.0.1:4080/openai/x", Version::HTTP_11));
        assert!(!is_for_proxy("GET", "http://localhost:4080/openai/x", Version::HTTP_11));
        assert!(!is_for_proxy("GET", "/openai/x", Version::HTTP_11));
        assert!(!is_for_proxy("GET", "http://gateway/openai/x", Version::HTTP_2));
    }
}
