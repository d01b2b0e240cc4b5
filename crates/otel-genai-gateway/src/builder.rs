//! What a gateway is made of.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use otel_genai_http::Observer;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::connect::{Connector, UpstreamProxy};
use crate::failure::UpstreamFailure;
use crate::forward::{Shared, UpstreamBody};
use crate::gateway::{CONNECTION_WINDOW, Gateway, MAX_HEADER_LIST, Phase, STREAM_WINDOW, server};
use crate::hosts::KnownHosts;
use crate::intercept::Intercept;
use crate::route::{Route, Routes};
use crate::tls::{self, Tls};
use crate::within::Parents;

/// Idle connections to providers are closed before most providers would do it: reusing one at the moment in which the
/// other end gives it up loses a call.
const POOL_IDLE: Duration = Duration::from_secs(20);
/// How long an HTTP/2 connection to a provider may be silent before it is asked whether it lives, and how long it may
/// take to answer.
const HTTP2_PING: Duration = Duration::from_secs(10);
const DRAIN: Duration = Duration::from_secs(10);

/// Describes a [`Gateway`].
#[must_use]
pub struct GatewayBuilder {
    observer: Option<Observer>,
    routes: Vec<Route>,
    hosts: bool,
    known: Option<KnownHosts>,
    failure: UpstreamFailure,
    proxy: UpstreamProxy,
    roots_pem: Vec<u8>,
    connect_timeout: Option<Duration>,
    drain: Duration,
    intercept: Option<Intercept>,
    parents: Option<Parents>,
}

/// Why a gateway could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The address is taken, or not one of this machine's.
    #[error("cannot listen on {address}: {source}; choose another port, or 0 for a free one")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The extra root certificates are not PEM certificates.
    #[error("the extra root certificates contain no readable PEM certificate (-----BEGIN CERTIFICATE-----)")]
    Roots,
}

impl GatewayBuilder {
    pub(crate) fn new(observer: Option<Observer>) -> Self {
        Self {
            observer,
            routes: Vec::new(),
            hosts: false,
            known: None,
            failure: UpstreamFailure::default(),
            proxy: UpstreamProxy::default(),
            roots_pem: Vec::new(),
            connect_timeout: None,
            drain: DRAIN,
            intercept: None,
            parents: None,
        }
    }

    /// Adds a route. The longest matching prefix decides; of two equal ones the later.
    pub fn route(mut self, route: Route) -> Self {
        self.routes.push(route);
        self
    }

    /// Whether any provider can be reached by its name, without a route: `/h/HOST[:PORT]/path` goes to
    /// `https://HOST[:PORT]/path`, `/h/http:HOST[:PORT]/path` to `http://HOST[:PORT]/path`. A leading `http:` or
    /// `https:` is always the scheme. Off by default: on a shared network this is an open proxy.
    pub fn hosts(mut self, allowed: bool) -> Self {
        self.hosts = allowed;
        self
    }

    /// Providers that can be reached by name by whoever knows a token. Before any route. By default, none.
    pub fn known_hosts(mut self, known: KnownHosts) -> Self {
        self.known = Some(known);
        self
    }

    /// What the client sees when a provider gives no answer. The default is [`UpstreamFailure::Abort`].
    pub fn upstream_failure(mut self, failure: UpstreamFailure) -> Self {
        self.failure = failure;
        self
    }

    /// How providers are reached. The default is what the environment says.
    pub fn upstream_proxy(mut self, proxy: UpstreamProxy) -> Self {
        self.proxy = proxy;
        self
    }

    /// Certificate authorities, as PEM text, to trust besides the system's.
    pub fn extra_roots(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots_pem = pem.into();
        self
    }

    /// How long connecting to a provider may take. The default is the system's limit, as for a direct connection.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = Some(limit);
        self
    }

    /// How long calls under way may take to finish once the gateway is told to stop. The default is 10 s.
    pub fn drain(mut self, limit: Duration) -> Self {
        self.drain = limit;
        self
    }

    /// Also serves programs as their HTTP proxy: of TLS to some hosts it reads what is in it, everything else is tunnelled
    /// byte for byte. The programs have to be told [`Intercept::proxy_url`] and [`Intercept::authority_pem`].
    pub fn intercept(mut self, intercept: Intercept) -> Self {
        self.intercept = Some(intercept);
        self
    }

    /// Addresses may say below which context a call belongs.
    pub(crate) fn parents(mut self, parents: Parents) -> Self {
        self.parents = Some(parents);
        self
    }

    /// Listens on `address`; port 0 lets the system choose. Clients can connect from here on, and are served once
    /// [`Gateway::serve`] runs.
    ///
    /// # Errors
    /// When the address cannot be listened on, or the extra roots are unreadable.
    pub async fn bind(self, address: SocketAddr) -> Result<Gateway, BindError> {
        let roots = if self.roots_pem.is_empty() {
            Vec::new()
        } else {
            tls::certificates(&self.roots_pem).ok_or(BindError::Roots)?
        };
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|source| BindError::Listen { address, source })?;
        let local_addr = listener.local_addr().map_err(|source| BindError::Listen { address, source })?;

        let connector = Connector::new(&self.proxy, Arc::new(Tls::new(roots)), self.connect_timeout);
        let shared = Shared {
            routes: Routes::new(self.routes, self.hosts, self.known),
            observer: self.observer,
            client: client(connector.clone()),
            upgrades: client(connector.upgradable()),
            connector,
            failure: self.failure,
            phase: watch::Sender::new(Phase::Serving),
            server: server(),
            intercept: self.intercept.map(|intercept| (intercept, local_addr)),
            parents: self.parents,
        };
        Ok(Gateway { listener, local_addr, drain: self.drain, shared: Arc::new(shared) })
    }
}

fn client(connector: Connector) -> Client<Connector, UpstreamBody> {
    Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(POOL_IDLE)
        // Only where none is set, and only over HTTP/1.1.
        .set_host(true)
        .http1_preserve_header_case(true)
        // A connection that a router forgot or a laptop slept through must not be used again.
        .http2_keep_alive_interval(HTTP2_PING)
        .http2_keep_alive_timeout(HTTP2_PING)
        .http2_max_header_list_size(MAX_HEADER_LIST)
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        .build(connector)
}
