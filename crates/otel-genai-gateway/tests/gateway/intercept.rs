//! Programs that take the gateway for their HTTPS proxy. A scripted proxy stands for the network: whatever host is asked
//! of it, it leads to one provider on loopback.

use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use otel_genai_gateway::{Gateway, GatewayBuilder, Intercept, RefusalKind, UpstreamProxy};
use otel_genai_http::{Observer, Options};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::observed::{ANSWER, BODY, spans_of};
use crate::support::{Running, answering, ask, read_body, read_head, read_rest, server, soon, wait_for_end};
use crate::tls::Secure;

const HOST: &str = "api.openai.com";

struct World {
    gateway: Running,
    intercept: Intercept,
    /// The heads of the requests that the scripted proxy got.
    asked: mpsc::UnboundedReceiver<String>,
}

impl World {
    /// A gateway that intercepts `*.openai.com`, in front of a network where every host is `provider`.
    async fn before(provider: &Secure) -> Self {
        Self::with(provider.address, |builder| builder.extra_roots(provider.authority_pem.as_bytes())).await
    }

    async fn with(upstream: SocketAddr, change: impl FnOnce(GatewayBuilder) -> GatewayBuilder) -> Self {
        let (network, asked) = network(upstream).await;
        let intercept = Intercept::new(["openai.com"]).unwrap();
        let builder = Gateway::builder(None)
            .upstream_proxy(UpstreamProxy::Url(format!("http://user:word@{network}")))
            .intercept(intercept.clone());
        Self { gateway: Running::start(change(builder)).await, intercept, asked }
    }

    fn credentials(&self) -> String {
        let url = self.intercept.proxy_url(self.gateway.address);
        let user = url.strip_prefix("http://").unwrap().split_once('@').unwrap().0;
        format!("Proxy-Authorization: Basic {}\r\n", BASE64_STANDARD.encode(user))
    }

    /// What the gateway says to `CONNECT`, and the connection.
    async fn connect(&self, host: &str) -> (String, TcpStream) {
        let mut stream = self.gateway.connect().await;
        let asked = format!("CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n{}\r\n", self.credentials());
        stream.write_all(asked.as_bytes()).await.unwrap();
        (read_head(&mut stream).await.unwrap(), stream)
    }

    /// TLS to `host` by way of the gateway, by a program that trusts `authority`.
    async fn secure(
        &self,
        host: &str,
        authority: &str,
        protocols: &[&str],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let (head, stream) = self.connect(&format!("{host}:443")).await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        let config = Arc::new(trusting(authority, protocols));
        let name = ServerName::try_from(host.to_owned()).unwrap();
        soon(TlsConnector::from(config).connect(name, stream)).await
    }

    /// A program that goes after its first words, without one more. The gateway has seen it when this returns.
    async fn break_off(&self, authority: &str) {
        let (_, mut stream) = self.connect(&format!("{HOST}:443")).await;
        let name = ServerName::try_from(HOST).unwrap();
        let mut client = ClientConnection::new(Arc::new(trusting(authority, &[])), name).unwrap();
        let mut hello = Vec::new();
        client.write_tls(&mut hello).unwrap();
        stream.write_all(&hello).await.unwrap();
        stream.shutdown().await.unwrap();
        wait_for_end(&mut stream).await;
    }
}

fn trusting(authority: &str, protocols: &[&str]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    config
}

/// A proxy to which every host is the same, and what it was asked.
async fn network(upstream: SocketAddr) -> (SocketAddr, mpsc::UnboundedReceiver<String>) {
    let (ask, asked) = mpsc::unbounded_channel();
    let address = server(move |mut stream| {
        let ask = ask.clone();
        async move {
            let Some(head) = read_head(&mut stream).await else { return };
            let is_tunnel = head.starts_with("CONNECT ");
            ask.send(head).unwrap();
            let mut upstream = TcpStream::connect(upstream).await.unwrap();
            if is_tunnel {
                stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await.unwrap();
            } else {
                upstream.write_all(b"GET / HTTP/1.1\r\nHost: plain\r\n\r\n").await.unwrap();
            }
            let _ = copy_bidirectional(&mut stream, &mut upstream).await;
        }
    })
    .await;
    (address, asked)
}

async fn read_all(mut stream: TlsStream<TcpStream>) -> String {
    let mut read = Vec::new();
    // A close without TLS's own goodbye is an error here, and no news.
    let _ = soon(stream.read_to_end(&mut read)).await;
    String::from_utf8(read).unwrap()
}

#[tokio::test]
async fn a_known_host_is_read_and_asked_as_the_program_asked_it() {
    let provider = Secure::named(HOST).await;
    let mut world = World::before(&provider).await;
    let authority = world.intercept.authority_pem();
    let mut stream = world.secure(HOST, &authority, &["http/1.1"]).await.unwrap();
    stream
        .write_all(
            b"POST /v1//x?y=%20 HTTP/1.1\r\nHost: api.openai.com\r\nX-A: 1\r\nContent-Length: 2\r\nConnection: \
              close\r\n\r\n{}",
        )
        .await
        .unwrap();
    let got = read_all(stream).await;
    let wanted =
        "\r\n\r\nHTTP/2.0 POST /v1//x?y=%20 Some(\"api.openai.com\") [\"x-a\", \"content-length\"] {}";
    assert!(got.starts_with("HTTP/1.1 200 OK\r\n") && got.ends_with(wanted), "{got}");
    // The company's proxy leads there, and never sees our password.
    let asked = soon(world.asked.recv()).await.unwrap();
    assert!(asked.starts_with("CONNECT api.openai.com:443 HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains(&format!("Basic {}", BASE64_STANDARD.encode("user:word"))), "{asked}");
    assert!(!asked.contains(world.credentials().trim()), "{asked}");
    assert_eq!(world.intercept.refusals(), []);
}

#[tokio::test]
async fn http2_is_spoken_to_programs_that_want_it() {
    let provider = Secure::named(HOST).await;
    let world = World::before(&provider).await;
    let authority = world.intercept.authority_pem();
    let stream = world.secure(HOST, &authority, &["h2", "http/1.1"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    for number in 0..3 {
        let request = Request::post(format!("https://{HOST}/v1/{number}")).header("x-a", "1");
        let request = request.body(Full::new(Bytes::from("{}"))).unwrap();
        let answer = soon(sender.send_request(request)).await.unwrap();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let wanted =
            format!("HTTP/2.0 POST /v1/{number} Some(\"{HOST}\") [\"x-a\", \"content-length\"] {{}}");
        assert_eq!(body, wanted.as_bytes());
    }
}

#[tokio::test]
async fn a_call_says_that_it_was_intercepted() {
    let provider = Secure::answering(HOST, ANSWER).await;
    let (genai, spans) = spans_of();
    let observer = Observer::new(genai, Options::default()).unwrap();
    let (network, _asked) = network(provider.address).await;
    let intercept = Intercept::new(["openai.com"]).unwrap();
    let builder = Gateway::builder(Some(observer.clone()))
        .upstream_proxy(UpstreamProxy::Url(format!("http://{network}")))
        .extra_roots(provider.authority_pem.as_bytes())
        .intercept(intercept.clone());
    let world =
        World { gateway: Running::start(builder).await, intercept, asked: mpsc::unbounded_channel().1 };
    let authority = world.intercept.authority_pem();
    let mut stream = world.secure(HOST, &authority, &["http/1.1"]).await.unwrap();
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nConnection: \
         close\r\nContent-Length: {}\r\n\r\n{BODY}",
        BODY.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    assert!(read_all(stream).await.ends_with("}}"));
    let (span, attributes) = crate::observed::one_span(&observer, &spans).await;
    assert_eq!(span.name, "chat gpt-4o-mini");
    assert_eq!(attributes["server.address"], HOST);
    assert_eq!(attributes["otel_genai.intercepted"], "true");
}

#[tokio::test]
async fn every_other_host_is_tunnelled_byte_for_byte() {
    let sent: Vec<u8> = (0..200_000u32).map(|number| (number * 7 % 251) as u8).collect();
    let echo = server(|mut stream| async move {
        let (mut from, mut to) = stream.split();
        let _ = tokio::io::copy(&mut from, &mut to).await;
        let _ = to.shutdown().await;
    })
    .await;
    let mut world = World::with(echo, |builder| builder).await;
    // A known host at another port is not the provider's API.
    for host in ["example.com:443", "example.com:22", "api.openai.com:8443"] {
        let (head, stream) = world.connect(host).await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        let (mut from, mut to) = stream.into_split();
        let writing = sent.clone();
        let writer = tokio::spawn(async move {
            to.write_all(&writing).await.unwrap();
            to.shutdown().await.unwrap();
        });
        let mut got = Vec::new();
        soon(from.read_to_end(&mut got)).await.unwrap();
        writer.await.unwrap();
        assert_eq!(got, sent, "{host}");
        let asked = soon(world.asked.recv()).await.unwrap();
        assert!(asked.starts_with(&format!("CONNECT {host} ")), "{asked}");
    }
}

#[tokio::test]
async fn an_unknown_host_shows_its_own_certificate() {
    let provider = Secure::named("example.com").await;
    let world = World::before(&provider).await;
    let mut stream = world.secure("example.com", &provider.authority_pem, &["http/1.1"]).await.unwrap();
    stream.write_all(b"GET /x HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n").await.unwrap();
    assert!(read_all(stream).await.contains("HTTP/1.1 GET /x "));
    let refused = world.secure("example.com", &world.intercept.authority_pem(), &[]).await.unwrap_err();
    assert!(refused.to_string().contains("UnknownIssuer"), "{refused}");
}

#[tokio::test]
async fn a_program_that_refuses_our_certificate_gets_the_hosts_own_the_next_time() {
    let provider = Secure::named(HOST).await;
    let world = World::before(&provider).await;
    let refused = world.secure(HOST, &provider.authority_pem, &[]).await.unwrap_err();
    assert!(refused.to_string().contains("UnknownIssuer"), "{refused}");
    let refusals = soon(async {
        while world.intercept.refusals().is_empty() {
            tokio::task::yield_now().await;
        }
        world.intercept.refusals()
    })
    .await;
    assert_eq!((refusals[0].host.as_str(), refusals[0].connections), (HOST, 1));
    assert_eq!(refusals[0].reason, "unknown authority");
    let mut stream = world.secure(HOST, &provider.authority_pem, &["http/1.1"]).await.unwrap();
    stream.write_all(b"GET /x HTTP/1.1\r\nHost: api.openai.com\r\nConnection: close\r\n\r\n").await.unwrap();
    assert!(read_all(stream).await.contains("HTTP/1.1 GET /x "));
    assert_eq!(world.intercept.refusals().len(), 1);
}

#[tokio::test]
async fn one_broken_connection_does_not_end_it() {
    let provider = Secure::named(HOST).await;
    let world = World::before(&provider).await;
    let authority = world.intercept.authority_pem();
    for _ in 0..2 {
        for _ in 0..2 {
            world.break_off(&authority).await;
        }
        let mut stream = world.secure(HOST, &authority, &["http/1.1"]).await.unwrap();
        let request = b"GET /x HTTP/1.1\r\nHost: api.openai.com\r\nConnection: close\r\n\r\n";
        stream.write_all(request).await.unwrap();
        assert!(read_all(stream).await.contains("HTTP/2.0 GET /x "), "read and forwarded");
        assert_eq!(world.intercept.refusals(), []);
    }
    for _ in 0..3 {
        world.break_off(&authority).await;
    }
    let refusals = world.intercept.refusals();
    assert_eq!((refusals[0].connections, refusals[0].kind), (3, RefusalKind::Broken));
    world.secure(HOST, &provider.authority_pem, &[]).await.unwrap();
}

#[tokio::test]
async fn a_connection_to_one_host_is_not_for_another() {
    let provider = Secure::named(HOST).await;
    let world = World::before(&provider).await;
    let authority = world.intercept.authority_pem();
    let mut stream = world.secure(HOST, &authority, &["http/1.1"]).await.unwrap();
    stream.write_all(b"GET /x HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n").await.unwrap();
    assert!(read_all(stream).await.starts_with("HTTP/1.1 421 "));
}

#[tokio::test]
async fn websockets_pass_through_intercepted_tls() {
    let provider = Secure::named(HOST).await;
    let world = World::before(&provider).await;
    let authority = world.intercept.authority_pem();
    let mut stream = world.secure(HOST, &authority, &["http/1.1"]).await.unwrap();
    stream
        .write_all(
            b"GET /v1/realtime HTTP/1.1\r\nHost: api.openai.com\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n",
        )
        .await
        .unwrap();
    let mut read = Vec::new();
    while !read.ends_with(b"upgraded.") {
        read.push(soon(stream.read_u8()).await.unwrap());
    }
    assert!(read.starts_with(b"HTTP/1.1 101 "));
}

#[tokio::test]
async fn plain_http_is_forwarded_in_absolute_form() {
    let upstream = answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain").await;
    let mut world = World::with(upstream, |builder| builder).await;
    let request = format!(
        "GET http://example.com/x?y HTTP/1.1\r\nHost: example.com\r\n{}Connection: close\r\n\r\n",
        world.credentials()
    );
    let got = ask(&world.gateway, &request).await;
    assert!(got.ends_with("\r\n\r\nplain"), "{got}");
    let asked = soon(world.asked.recv()).await.unwrap();
    assert!(asked.starts_with("GET http://example.com/x?y HTTP/1.1\r\nHost: example.com\r\n"), "{asked}");
    assert!(!asked.contains(world.credentials().trim()), "{asked}");
}

#[tokio::test]
async fn nobody_goes_out_without_the_password() {
    let upstream = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let mut world = World::with(upstream, |builder| builder).await;
    for credentials in
        ["", "Proxy-Authorization: Basic b3RlbC1nZW5haTp4\r\n", "Proxy-Authorization: Basic\r\n"]
    {
        for asked in ["CONNECT example.com:443", "CONNECT api.openai.com:443", "GET http://example.com/"] {
            let request = format!("{asked} HTTP/1.1\r\nHost: x\r\n{credentials}Connection: close\r\n\r\n");
            let got = ask(&world.gateway, &request).await;
            assert!(got.starts_with("HTTP/1.1 407 ") && got.contains("\r\nproxy-authenticate: "), "{got}");
        }
    }
    assert!(world.asked.try_recv().is_err(), "nothing left the machine");
}

#[tokio::test]
async fn a_host_that_cannot_be_reached_is_said() {
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let world = World::with(nobody, |builder| builder.upstream_proxy(UpstreamProxy::Direct)).await;
    let (head, mut stream) = world.connect(&nobody.to_string()).await;
    assert!(head.starts_with("HTTP/1.1 502 "), "{head}");
    let body = read_body(&mut stream, &head).await;
    assert!(String::from_utf8(body).unwrap().contains("connection_refused"));
}

#[tokio::test]
async fn without_interception_the_gateway_is_no_proxy() {
    let upstream = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let gateway = Running::before(upstream).await;
    let mut stream = gateway.connect().await;
    stream
        .write_all(b"CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    assert!(read_rest(&mut stream).await.starts_with("HTTP/1.1 404 "));
}
