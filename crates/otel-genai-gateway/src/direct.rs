//! Plain HTTP/1.1 to a provider, without a task in between.
//!
//! hyper's pooled client gives each connection a task of its own, so that every piece of an answer wakes two tasks and
//! crosses two channels. Here the connection is driven by whoever waits for it: the client's own connection polls the
//! response body, and that polls the provider's socket. It is also what makes a client's departure close the
//! connection to the provider at once. (HTTP/2 shares one connection between many calls and needs that task; so
//! TLS, where it is negotiated, goes the other way.)

use std::collections::HashMap;
use std::error::Error as StdError;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::uri::Authority;
use http::{Request, Response, Uri};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service as _;

use crate::failure::SendError;
use crate::forward::UpstreamBody;

/// The plain connections to all providers.
pub(crate) struct Direct {
    tcp: HttpConnector,
    protocol: http1::Builder,
    idle: Arc<Idle>,
}

impl Direct {
    pub(crate) fn new(tcp: HttpConnector, keep: Duration) -> Self {
        let mut protocol = http1::Builder::new();
        protocol.preserve_header_case(true);
        Self { tcp, protocol, idle: Arc::new(Idle { keep, connections: Mutex::default() }) }
    }

    /// Sends a request, whose address is still absolute, on an idle connection or a new one.
    pub(crate) async fn send(
        &self,
        mut request: Request<UpstreamBody>,
    ) -> Result<Response<Driven>, SendError> {
        let uri = request.uri().clone();
        let (Some(authority), Some(path)) = (uri.authority(), uri.path_and_query()) else {
            return Err(SendError::Connect("the address has no host".into()));
        };
        *request.uri_mut() = Uri::from(path.clone());
        while let Some(mut connection) = self.idle.take(authority) {
            match connection.exchange(request).await {
                Ok(response) => return Ok(self.drive(connection, authority, response)),
                // The provider closed it while it was idle, and nothing of the request is gone.
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(SendError::Http(error.into_error())),
                },
            }
        }
        let mut connection = self.connect(&uri).await?;
        match connection.exchange(request).await {
            Ok(response) => Ok(self.drive(connection, authority, response)),
            Err(error) => Err(SendError::Http(error.into_error())),
        }
    }

    async fn connect(&self, uri: &Uri) -> Result<Box<Live>, SendError> {
        let stream = self.tcp.clone().call(uri.clone()).await;
        let stream =
            stream.map_err(|error| SendError::Connect(Box::<dyn StdError + Send + Sync>::from(error)))?;
        let (sender, connection) = self.protocol.handshake(stream).await.map_err(SendError::Http)?;
        Ok(Box::new(Live { sender, connection: Some(connection), idle_since: Instant::now() }))
    }

    fn drive(
        &self,
        connection: Box<Live>,
        authority: &Authority,
        response: Response<Incoming>,
    ) -> Response<Driven> {
        response.map(|incoming| {
            let home = Some((self.idle.clone(), authority.clone()));
            let mut driven = Driven { incoming, connection: Some(connection), home };
            driven.settle_if_complete();
            driven
        })
    }

    /// Closes connections that were idle for too long.
    pub(crate) fn prune(&self) {
        self.idle.prune();
    }
}

struct Idle {
    keep: Duration,
    connections: Mutex<Connections>,
}

/// Boxed, because a connection is large and goes from one user to the next as it is.
type Connections = HashMap<Authority, Vec<Box<Live>>>;

impl Idle {
    /// The connection used last, if the provider has not closed it.
    fn take(&self, authority: &Authority) -> Option<Box<Live>> {
        loop {
            let mut connection = self.lock().get_mut(authority)?.pop()?;
            if connection.idle_since.elapsed() < self.keep && connection.is_idle() {
                return Some(connection);
            }
        }
    }

    fn put(&self, authority: Authority, mut connection: Box<Live>) {
        connection.idle_since = Instant::now();
        self.lock().entry(authority).or_default().push(connection);
    }

    fn prune(&self) {
        self.lock().retain(|_, connections| {
            connections
                .retain_mut(|connection| connection.idle_since.elapsed() < self.keep && connection.is_idle());
            !connections.is_empty()
        });
    }

    fn lock(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection, and the handle by which it is given requests.
struct Live {
    sender: SendRequest<UpstreamBody>,
    /// `None` once it has ended.
    connection: Option<http1::Connection<TokioIo<TcpStream>, UpstreamBody>>,
    idle_since: Instant,
}

impl Live {
    async fn exchange(
        &mut self,
        request: Request<UpstreamBody>,
    ) -> Result<Response<Incoming>, TrySendError<Request<UpstreamBody>>> {
        let mut answer = pin!(self.sender.try_send_request(request));
        let connection = &mut self.connection;
        poll_fn(|cx| {
            drive(connection, cx);
            match answer.as_mut().poll(&mut quietly()) {
                // Only a connection that is gone leaves its requests to be answered by nobody.
                Poll::Pending if connection.is_none() => answer.as_mut().poll(cx),
                polled => polled,
            }
        })
        .await
    }

    /// Whether it is open, and waits for a request. Also makes it forget the task that drove it before.
    fn is_idle(&mut self) -> bool {
        drive(&mut self.connection, &mut quietly());
        self.connection.is_some() && self.sender.is_ready()
    }
}

/// Lets a connection read and write what it can; ends it when it is done. Why it ended, the request or the body learns.
fn drive(connection: &mut Option<http1::Connection<TokioIo<TcpStream>, UpstreamBody>>, cx: &mut Context<'_>) {
    if connection.as_mut().is_some_and(|connection| Pin::new(connection).poll(cx).is_ready()) {
        *connection = None;
    }
}

/// For the far ends of a connection's channels: they change only while it is driven, and are looked at right after.
fn quietly() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

/// A response's body, which drives its connection, and gives it back when it is complete.
pub(crate) struct Driven {
    incoming: Incoming,
    connection: Option<Box<Live>>,
    home: Option<(Arc<Idle>, Authority)>,
}

impl Driven {
    /// hyper does not poll a body any more that says it is at its end.
    fn settle_if_complete(&mut self) {
        if self.incoming.is_end_stream() {
            self.settle();
        }
    }

    fn settle(&mut self) {
        if let (Some(mut connection), Some((idle, authority))) = (self.connection.take(), self.home.take())
            && connection.is_idle()
        {
            idle.put(authority, connection);
        }
    }
}

impl Body for Driven {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = &mut *self;
        let mut polled = Pin::new(&mut this.incoming).poll_frame(&mut quietly());
        if polled.is_pending()
            && let Some(live) = &mut this.connection
        {
            drive(&mut live.connection, cx);
            polled = Pin::new(&mut this.incoming).poll_frame(&mut quietly());
        }
        match polled {
            Poll::Ready(Some(Ok(_))) => this.settle_if_complete(),
            Poll::Ready(None) => this.settle(),
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
