//! Connections to providers: direct or through the proxy the environment names, plain or TLS.

use std::error::Error as StdError;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::header::HeaderValue;
use http::uri::{Authority, Scheme};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::proxy::{SocksV4, SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::tls::{Protocols, Tls};

pub(crate) type BoxError = Box<dyn StdError + Send + Sync>;
type BoxFuture<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// A provider that says nothing for this long is probed by the kernel, so that a dead one is noticed.
const TCP_KEEPALIVE: Duration = Duration::from_secs(60);

/// How the gateway itself reaches the network.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum UpstreamProxy {
    /// As `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` (either case) say.
    #[default]
    Environment,
    /// Directly, whatever the environment says.
    Direct,
    /// All through this one: `http://[user:password@]host:port` or `socks5://...`.
    Url(String),
}

impl UpstreamProxy {
    fn matcher(&self) -> Matcher {
        match self {
            Self::Environment => Matcher::from_env(),
            Self::Direct => Matcher::builder().build(),
            Self::Url(url) => Matcher::builder().all(url.as_str()).build(),
        }
    }
}

/// Opens connections for the pool.
#[derive(Clone)]
pub(crate) struct Connector {
    dial: Dial,
    tls: Arc<Tls>,
    protocols: Protocols,
}

impl Connector {
    pub(crate) fn new(proxy: &UpstreamProxy, tls: Arc<Tls>, connect_timeout: Option<Duration>) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(TCP_KEEPALIVE));
        tcp.set_connect_timeout(connect_timeout);
        let dial = Dial { tcp, proxies: Arc::new(proxy.matcher()) };
        Self { dial, tls, protocols: Protocols::Newest }
    }

    /// The same, for connections that will become WebSockets.
    pub(crate) fn upgradable(&self) -> Self {
        Self { protocols: Protocols::Upgradable, ..self.clone() }
    }

    /// A connection to wherever a program wants, the way providers are reached: directly or through the proxy.
    pub(crate) async fn tunnel(&self, authority: &Authority) -> Result<Link, BoxError> {
        let uri = Uri::builder().scheme(Scheme::HTTPS).authority(authority.clone()).path_and_query("/");
        self.dial.clone().call(uri.build()?).await
    }

    /// What a proxy for plain HTTP wants to see with each request.
    pub(crate) fn proxy_authorization(&self, uri: &Uri) -> Option<HeaderValue> {
        if uri.scheme() != Some(&Scheme::HTTP) {
            return None;
        }
        let proxy = self.dial.proxies.intercept(uri).filter(|proxy| !is_socks(proxy))?;
        proxy.basic_auth().cloned()
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<Link>;
    type Error = BoxError;
    type Future = BoxFuture<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let mut dial = self.dial.clone();
        if uri.scheme() != Some(&Scheme::HTTPS) {
            return Box::pin(async move { Ok(MaybeHttpsStream::Http(dial.call(uri).await?)) });
        }
        let (tls, protocols) = (self.tls.clone(), self.protocols);
        Box::pin(async move {
            let config = tls.config(protocols).await?;
            HttpsConnector::from((dial, config)).call(uri).await
        })
    }
}

/// Opens TCP connections, by way of a proxy where one is named.
#[derive(Clone)]
struct Dial {
    tcp: HttpConnector,
    proxies: Arc<Matcher>,
}

impl Service<Uri> for Dial {
    type Response = Link;
    type Error = BoxError;
    type Future = BoxFuture<Link>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let mut tcp = self.tcp.clone();
        match self.proxies.intercept(&uri) {
            None => Box::pin(async move { Ok(Link { tcp: tcp.call(uri).await?, forward_proxy: false }) }),
            Some(proxy) => Box::pin(through_proxy(tcp, proxy, uri)),
        }
    }
}

async fn through_proxy(mut tcp: HttpConnector, proxy: Intercept, uri: Uri) -> Result<Link, BoxError> {
    let address = proxy.uri().clone();
    let link = |tcp| Link { tcp, forward_proxy: false };
    match address.scheme_str() {
        Some("socks5" | "socks5h") => {
            let local_dns = address.scheme_str() == Some("socks5");
            let mut socks = SocksV5::new(address, tcp).local_dns(local_dns);
            if let Some((user, password)) = proxy.raw_auth() {
                socks = socks.with_auth(user.to_owned(), password.to_owned());
            }
            Ok(link(socks.call(uri).await?))
        }
        Some("socks4" | "socks4a") => {
            let local_dns = address.scheme_str() == Some("socks4");
            Ok(link(SocksV4::new(address, tcp).local_dns(local_dns).call(uri).await?))
        }
        Some("http") if uri.scheme() == Some(&Scheme::HTTPS) => {
            let mut tunnel = Tunnel::new(address, tcp);
            if let Some(authorization) = proxy.basic_auth() {
                tunnel = tunnel.with_auth(authorization.clone());
            }
            Ok(link(tunnel.call(with_port(uri)?).await?))
        }
        Some("http") => Ok(Link { tcp: tcp.call(address).await?, forward_proxy: true }),
        _ => Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "the proxy for upstream connections must be http://, socks5:// or socks4://",
        )
        .into()),
    }
}

/// `CONNECT` names a port even where the address does not.
fn with_port(uri: Uri) -> Result<Uri, BoxError> {
    let (Some(host), None) = (uri.host(), uri.port()) else { return Ok(uri) };
    let authority = format!("{host}:443");
    let mut parts = uri.into_parts();
    parts.authority = Some(authority.parse()?);
    Ok(Uri::from_parts(parts)?)
}

fn is_socks(proxy: &Intercept) -> bool {
    proxy.uri().scheme_str().is_some_and(|scheme| scheme.starts_with("socks"))
}

/// A TCP connection which knows whether an ordinary http proxy is at its other end.
#[derive(Debug)]
pub(crate) struct Link {
    tcp: TokioIo<TcpStream>,
    forward_proxy: bool,
}

impl Connection for Link {
    fn connected(&self) -> Connected {
        self.tcp.connected().proxy(self.forward_proxy)
    }
}

impl Read for Link {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl Write for Link {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs)
    }
}
