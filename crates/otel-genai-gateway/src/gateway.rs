//! The listener: accepts connections, serves them, and lets them finish when asked to stop.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use otel_genai_http::Observer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::body::ResponseBody;
use crate::builder::GatewayBuilder;
use crate::failure::UpstreamError;
use crate::forward::{Shared, forward};

/// HTTP/2 limits headers to 16 KiB by default; long tokens and baggage need more.
pub(crate) const MAX_HEADER_LIST: u32 = 256 * 1024;
/// Flow-control windows: what a slow reader may have in flight, per stream and per connection.
pub(crate) const STREAM_WINDOW: u32 = 1 << 20;
pub(crate) const CONNECTION_WINDOW: u32 = 4 << 20;
/// After this long without a free file descriptor, accepting is tried again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How far the gateway is on its way to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Serving,
    /// No new requests; those under way finish.
    Draining,
    /// Time is up.
    Stopped,
}

/// A bound, but not yet serving, gateway.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use otel_genai_gateway::{Gateway, Route};
///
/// let gateway = Gateway::builder(None)
///     .route(Route::new("/openai", &"https://api.openai.com".parse()?)?)
///     .bind(([127, 0, 0, 1], 0).into())
///     .await?;
/// println!("OPENAI_BASE_URL=http://{}/openai/v1", gateway.local_addr());
/// gateway.serve(async { tokio::signal::ctrl_c().await.unwrap_or(()) }).await;
/// # Ok(())
/// # }
/// ```
#[must_use = "a gateway forwards only while `serve` runs"]
pub struct Gateway {
    pub(crate) listener: TcpListener,
    pub(crate) local_addr: SocketAddr,
    pub(crate) drain: Duration,
    pub(crate) shared: Arc<Shared>,
}

/// How a gateway ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drained {
    /// Connections and tunnels which were still busy when the time to drain was over, and were cut.
    pub cut: usize,
}

impl Gateway {
    /// Starts the description of a gateway. Without an observer it only forwards.
    pub fn builder(observer: Option<Observer>) -> GatewayBuilder {
        GatewayBuilder::new(observer)
    }

    /// The address it listens on, with the port that the system chose.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Forwards until `shutdown` completes, then lets calls under way finish within the drain time.
    ///
    /// Connections are served on the runtime that polls this future. Dropping the future stops listening and accepting,
    /// and leaves the connections to that runtime.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> Drained {
        let Self { listener, drain, shared, .. } = self;
        let mut shutdown = pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                biased;
                () = &mut shutdown => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    tokio::spawn(connection(stream, shared.clone(), shared.phase.subscribe()));
                }
                // A client that was gone before it was accepted is no news. Running out of descriptors passes.
                Err(error) => {
                    tracing::warn!(target: "otel_genai_gateway", "a connection could not be accepted: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(listener);
        finish(&shared.phase, drain).await
    }
}

async fn finish(phase: &watch::Sender<Phase>, drain: Duration) -> Drained {
    phase.send_replace(Phase::Draining);
    // Each connection and tunnel holds a receiver.
    if tokio::time::timeout(drain, phase.closed()).await.is_ok() {
        return Drained { cut: 0 };
    }
    let cut = phase.receiver_count();
    phase.send_replace(Phase::Stopped);
    phase.closed().await;
    Drained { cut }
}

/// How HTTP is spoken to clients.
pub(crate) fn server() -> auto::Builder<TokioExecutor> {
    let mut server = auto::Builder::new(TokioExecutor::new()).preserve_header_case(true);
    server.http1().auto_date_header(false);
    server
        .http2()
        .auto_date_header(false)
        .timer(TokioTimer::new())
        .max_header_list_size(MAX_HEADER_LIST)
        .max_concurrent_streams(1024)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW);
    server
}

async fn connection(stream: TcpStream, shared: Arc<Shared>, phase: watch::Receiver<Phase>) {
    // Without it the last part of each burst waits for the client's delayed acknowledgement: 40 ms.
    let _ = stream.set_nodelay(true);
    let served = shared.clone();
    let service = service_fn(move |request| forward(served.clone(), request));
    serve_connection(&shared.server, TokioIo::new(stream), service, phase).await;
}

/// Serves one connection until it ends, or the gateway does.
pub(crate) async fn serve_connection<I, S, F>(
    server: &auto::Builder<TokioExecutor>,
    stream: I,
    service: S,
    mut phase: watch::Receiver<Phase>,
) where
    I: Read + Write + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<ResponseBody>, Error = UpstreamError, Future = F>,
    F: Future<Output = Result<Response<ResponseBody>, UpstreamError>> + Send + 'static,
{
    let mut connection = pin!(server.serve_connection_with_upgrades(stream, service));
    loop {
        tokio::select! {
            biased;
            // Broken connections and aborted answers end here; both sides have seen all there is to see.
            _ = connection.as_mut() => return,
            changed = phase.changed() => match changed.map(|()| *phase.borrow_and_update()) {
                Ok(Phase::Serving) => {}
                Ok(Phase::Draining) => connection.as_mut().graceful_shutdown(),
                Ok(Phase::Stopped) | Err(_) => return,
            },
        }
    }
}
