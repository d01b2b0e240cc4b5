//! The listeners: accept connections, serve them, and let them finish when asked to stop.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use otel_genai_store::Store;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::builder::DashboardBuilder;
use crate::shared::Shared;
use crate::{http, receive};

/// How long a connection may be silent between requests, or within the head of one.
const IDLE: Duration = Duration::from_secs(300);
/// How long requests under way may take to finish once the dashboard is told to stop.
const DRAIN: Duration = Duration::from_secs(5);
/// A listener has so many connections at most; further ones wait to be accepted.
const CONNECTIONS: usize = 1024;
/// After this long without a free file descriptor, accepting is tried again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How far a dashboard is on its way to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Serving,
    /// No new requests; those under way finish.
    Draining,
    /// Time is up.
    Stopped,
}

/// The addresses that a dashboard listens on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Doors {
    pub(crate) page: SocketAddr,
    pub(crate) http: Option<SocketAddr>,
    pub(crate) grpc: Option<SocketAddr>,
}

impl Doors {
    pub(crate) fn all(&self) -> impl Iterator<Item = SocketAddr> {
        [Some(self.page), self.http, self.grpc].into_iter().flatten()
    }

    /// A door as a program on this machine writes it. An address that stands for all of them is no place to go to.
    pub(crate) fn url(address: SocketAddr) -> String {
        let ip = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        format!("http://{}", SocketAddr::new(ip, address.port()))
    }
}

/// A bound, but not yet serving, dashboard.
#[must_use = "a dashboard answers only while `serve` runs"]
pub struct Dashboard {
    pub(crate) page: TcpListener,
    pub(crate) http: Option<TcpListener>,
    pub(crate) grpc: Option<TcpListener>,
    pub(crate) shared: Arc<Shared>,
}

impl Dashboard {
    /// Starts the description of a dashboard over what a store keeps.
    pub fn builder(store: Arc<dyn Store>) -> DashboardBuilder {
        DashboardBuilder::new(store)
    }

    /// Where the page is, with the port that the system chose.
    #[must_use]
    pub fn page_addr(&self) -> SocketAddr {
        self.shared.doors.page
    }

    /// Where OTLP over HTTP is received.
    #[must_use]
    pub fn http_addr(&self) -> Option<SocketAddr> {
        self.shared.doors.http
    }

    /// Where OTLP over gRPC is received.
    #[must_use]
    pub fn grpc_addr(&self) -> Option<SocketAddr> {
        self.shared.doors.grpc
    }

    /// Where to look, such as `http://127.0.0.1:18888`, without the token.
    #[must_use]
    pub fn url(&self) -> String {
        Doors::url(self.shared.doors.page)
    }

    /// The token that is asked for, if one is: given to the builder, or made up because an address is not a loopback one.
    /// It opens the page as `?token=…`, and is what senders put into the header `Authorization: Bearer …`.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.shared.guard.token()
    }

    /// Completes once nobody has been connected for so long. It watches from the first time it is polled.
    pub fn idle(&self, time: Duration) -> impl Future<Output = ()> + Send + use<> {
        let (phase, doors) = (self.shared.phase.clone(), self.shared.doors.all().count());
        async move {
            let step = (time / 10).clamp(Duration::from_millis(10), Duration::from_secs(10));
            let mut alone = Duration::ZERO;
            while alone < time {
                tokio::time::sleep(step).await;
                // Each connection holds a receiver, and so does each door.
                alone = if phase.receiver_count() > doors { Duration::ZERO } else { alone + step };
            }
        }
    }

    /// Receives and answers until `shutdown` completes, then lets requests under way finish for at most 5 seconds. The
    /// store stays open.
    ///
    /// Connections are served on the runtime that polls this future.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) {
        let Self { page, http, grpc, shared } = self;
        let mut doors = JoinSet::new();
        let served = http::page(Arc::clone(&shared));
        if let Some(listener) = http {
            let both = receive::http(Arc::clone(&shared)).merge(served.clone());
            doors.spawn(accept(listener, both, shared.phase.subscribe()));
        }
        if let Some(listener) = grpc {
            let router = receive::grpc(Arc::clone(&shared));
            doors.spawn(accept(listener, router, shared.phase.subscribe()));
        }
        doors.spawn(accept(page, served, shared.phase.subscribe()));
        shutdown.await;

        let phase = &shared.phase;
        phase.send_replace(Phase::Draining);
        while doors.join_next().await.is_some() {}
        // Each connection holds a receiver.
        if tokio::time::timeout(DRAIN, phase.closed()).await.is_err() {
            phase.send_replace(Phase::Stopped);
            phase.closed().await;
        }
    }
}

async fn accept(listener: TcpListener, router: Router, mut phase: watch::Receiver<Phase>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            biased;
            _ = phase.wait_for(|phase| *phase != Phase::Serving) => return,
            accepted = accepted => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let (router, phase) = (router.clone(), phase.clone());
                tokio::spawn(async move {
                    connection(stream, router, phase).await;
                    drop(place);
                });
            }
            // A client that was gone before it was accepted is no news. Running out of descriptors passes.
            Err(error) => {
                tracing::warn!(target: "otel_genai_dashboard", "a connection could not be accepted: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, router: Router, mut phase: watch::Receiver<Phase>) {
    let _ = stream.set_nodelay(true);
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new()).header_read_timeout(IDLE);
    server
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(128)
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20)
        .keep_alive_interval(Duration::from_secs(60));
    let mut served = pin!(server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)));
    loop {
        tokio::select! {
            biased;
            // Broken connections end here; both sides have seen all there is to see.
            _ = served.as_mut() => return,
            changed = phase.changed() => match changed.map(|()| *phase.borrow_and_update()) {
                Ok(Phase::Serving) => {}
                Ok(Phase::Draining) => served.as_mut().graceful_shutdown(),
                Ok(Phase::Stopped) | Err(_) => return,
            },
        }
    }
}
