//! Providers behind TLS.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use otel_genai_gateway::{Gateway, GatewayBuilder, Route, UpstreamFailure, UpstreamProxy};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::support::{Running, ask, read_body, read_head, read_until};

/// A provider whose certificate an own authority signed. It answers with what it saw.
pub(crate) struct Secure {
    pub(crate) address: SocketAddr,
    pub(crate) authority_pem: String,
}

impl Secure {
    pub(crate) async fn start() -> Self {
        Self::named("localhost").await
    }

    /// One whose certificate is another host's.
    pub(crate) async fn named(host: &str) -> Self {
        Self::new(host, &["h2", "http/1.1"], None).await
    }

    /// One that answers every request with the same bytes, and no protocol but HTTP/1.1.
    pub(crate) async fn answering(host: &str, answer: &'static str) -> Self {
        Self::new(host, &["http/1.1"], Some(answer)).await
    }

    async fn speaking(protocols: &[&str]) -> Self {
        Self::new("localhost", protocols, None).await
    }

    async fn new(host: &str, protocols: &[&str], answer: Option<&'static str>) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec![host.to_owned()]).unwrap();
        let leaf = leaf.signed_by(&key, &authority).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    if let Some(answer) = answer {
                        let mut read = Vec::new();
                        while !read.ends_with(b"]}") {
                            let Ok(byte) = stream.read_u8().await else { return };
                            read.push(byte);
                        }
                        stream.write_all(answer.as_bytes()).await.unwrap();
                        stream.shutdown().await.unwrap();
                        return;
                    }
                    let server = auto::Builder::new(TokioExecutor::new());
                    let _ = server
                        .serve_connection_with_upgrades(TokioIo::new(stream), service_fn(describe))
                        .await;
                });
            }
        });
        Self { address, authority_pem: authority.as_ref().pem() }
    }

    fn route(&self) -> Route {
        Route::new("/s", &format!("https://localhost:{}", self.address.port()).parse().unwrap()).unwrap()
    }

    pub(crate) fn gateway(&self) -> GatewayBuilder {
        Gateway::builder(None)
            .route(self.route())
            .upstream_proxy(UpstreamProxy::Direct)
            .extra_roots(self.authority_pem.as_bytes())
    }
}

async fn describe(mut request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    if request.headers().contains_key("upgrade") {
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let mut stream = TokioIo::new(upgrade.await.unwrap());
            stream.write_all(b"upgraded.").await.unwrap();
        });
        let answer =
            Response::builder().status(101).header("connection", "upgrade").header("upgrade", "echo");
        return Ok(answer.body(Full::default()).unwrap());
    }
    let (parts, body) = request.into_parts();
    let host = parts.uri.authority().map(ToString::to_string);
    let body = body.collect().await?.to_bytes();
    let said = format!(
        "{:?} {} {} {:?} {:?} {}",
        parts.version,
        parts.method,
        parts.uri.path_and_query().unwrap(),
        host,
        parts.headers.keys().map(http::HeaderName::as_str).collect::<Vec<_>>(),
        String::from_utf8_lossy(&body)
    );
    Ok(Response::new(Full::from(said)))
}

#[tokio::test]
async fn a_provider_is_reached_over_http2_and_sees_the_request_as_sent() {
    let provider = Secure::start().await;
    let gateway = Running::start(provider.gateway()).await;
    let got = ask(
        &gateway,
        "POST /s/v1//x?y=%20 HTTP/1.1\r\nHost: here\r\nX-A: 1\r\nTE: trailers\r\nContent-Length: 2\r\nConnection: \
         close\r\n\r\n{}",
    )
    .await;
    let wanted = format!(
        "HTTP/2.0 POST /v1//x?y=%20 Some(\"localhost:{}\") [\"x-a\", \"te\", \"content-length\"] {{}}",
        provider.address.port()
    );
    let (head, body) = got.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert_eq!(body, wanted);
}

#[tokio::test]
async fn a_provider_without_http2_is_told_its_name_as_well() {
    let provider = Secure::speaking(&["http/1.1"]).await;
    let gateway = Running::start(provider.gateway()).await;
    let got =
        ask(&gateway, "GET /s HTTP/1.1\r\nHost: here\r\nX-A: 1\r\nX-B: 2\r\nConnection: close\r\n\r\n").await;
    assert!(got.ends_with("\r\n\r\nHTTP/1.1 GET / None [\"x-a\", \"x-b\", \"host\"] "), "{got}");
}

#[tokio::test]
async fn a_body_that_awaits_consent_is_not_held_over_http2() {
    let provider = Secure::start().await;
    let gateway = Running::start(provider.gateway()).await;
    let mut client = gateway.connect().await;
    client
        .write_all(b"POST /s HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(read_head(&mut client).await.unwrap(), "HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(b"{}").await.unwrap();
    let head = read_head(&mut client).await.unwrap();
    let body = read_body(&mut client, &head).await;
    assert!(body.ends_with(b" {}"), "{head}");
}

#[tokio::test]
async fn an_upgrade_is_possible_behind_tls() {
    let provider = Secure::start().await;
    let gateway = Running::start(provider.gateway()).await;
    let mut client = gateway.connect().await;
    client
        .write_all(b"GET /s/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
        .await
        .unwrap();
    assert!(read_head(&mut client).await.unwrap().starts_with("HTTP/1.1 101 "));
    assert_eq!(read_until(&mut client, ".").await.unwrap(), "upgraded.");
}

#[tokio::test]
async fn an_unknown_authority_is_not_trusted() {
    let provider = Secure::start().await;
    let builder = Gateway::builder(None)
        .route(provider.route())
        .upstream_proxy(UpstreamProxy::Direct)
        .upstream_failure(UpstreamFailure::BadGateway);
    let gateway = Running::start(builder).await;
    let got = ask(&gateway, "GET /s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(got.starts_with("HTTP/1.1 502 ") && got.contains("\"code\":\"tls\""), "{got}");
    assert!(got.contains("invalid peer certificate"), "{got}");
}
