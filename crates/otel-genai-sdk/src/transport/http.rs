//! OTLP over HTTP/1.1: the client that the SDK's exporter sends its requests through.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use opentelemetry_http::{HttpClient, HttpError};
use tokio::runtime::Handle;

use super::Transport;
use super::connect::Connector;
use crate::config::Destination;
use crate::health::Health;

/// The SDK accepts no longer answer either.
const LONGEST_ANSWER: usize = 4 * 1024 * 1024;

pub(crate) type Client = legacy::Client<Connector, Full<Bytes>>;

pub(crate) fn client(connector: Connector) -> Client {
    legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(Duration::from_secs(90))
        .build(connector)
}

#[derive(Debug)]
pub(crate) struct Sender {
    runtime: Handle,
    client: Client,
    headers: HeaderMap,
    timeout: Duration,
    health: Arc<Health>,
}

impl Sender {
    pub(crate) fn new(transport: &Transport, to: &Destination, health: Arc<Health>) -> Self {
        Self {
            runtime: transport.handle().clone(),
            client: transport.client(to),
            headers: to.headers.clone(),
            timeout: to.timeout,
            health,
        }
    }

    /// The exporter lays the process environment's headers over those it was given. Ours are decided by then, so only
    /// what describes the body is taken from it.
    fn own_headers(&self, given: &HeaderMap) -> HeaderMap {
        const FROM_EXPORTER: [HeaderName; 3] = [CONTENT_TYPE, CONTENT_ENCODING, USER_AGENT];
        let mut headers = HeaderMap::with_capacity(self.headers.len() + FROM_EXPORTER.len());
        for name in FROM_EXPORTER {
            if let Some(value) = given.get(&name) {
                headers.insert(name, value.clone());
            }
        }
        headers.extend(self.headers.clone());
        headers
    }
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        if self.health.gives_up() {
            // The exporter tries anything again but a refusal.
            return Ok(refusal());
        }
        let (mut parts, body) = request.into_parts();
        parts.headers = self.own_headers(&parts.headers);
        let request = Request::from_parts(parts, Full::new(body));
        let (client, limit) = (self.client.clone(), self.timeout);
        // On our runtime, whoever polls: the SDK does so from a thread that has none.
        let exchange = self.runtime.spawn(async move {
            let exchange = async {
                let answer = client.request(request).await.map_err(|error| reason(&error))?;
                let (parts, body) = answer.into_parts();
                let body =
                    Limited::new(body, LONGEST_ANSWER).collect().await.map_err(|error| error.to_string())?;
                Ok(Response::from_parts(parts, body.to_bytes()))
            };
            match tokio::time::timeout(limit, exchange).await {
                Ok(answered) => answered,
                Err(_) => Err(format!("no answer within {limit:?}")),
            }
        });
        let answered = exchange.await.unwrap_or_else(|_| Err("the exporter is shut down".to_owned()));
        match answered {
            Ok(answer) if answer.status().is_success() => Ok(answer),
            Ok(answer) => {
                self.health.note(format!("the receiver answered {}", answer.status()));
                Ok(answer)
            }
            Err(why) => {
                self.health.note(why.clone());
                Err(why.into())
            }
        }
    }
}

fn refusal() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = http::StatusCode::REQUEST_TIMEOUT;
    response
}

/// The innermost cause says most: "connection refused" rather than "client error (Connect)".
pub(crate) fn reason(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    match innermost.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
        Some(std::io::ErrorKind::ConnectionRefused) => "connection refused".to_owned(),
        Some(std::io::ErrorKind::ConnectionReset) => "the connection was reset".to_owned(),
        Some(std::io::ErrorKind::TimedOut) => "no connection in time".to_owned(),
        _ => innermost.to_string(),
    }
}
