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
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
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

    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
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
        let is_json = request.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
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
            Ok(answer) if answer.status().is_success() => {
                if let Some((records, why)) = rejected(answer.body(), is_json) {
                    self.health.rejected(records, &why);
                }
                Ok(answer)
            }
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

/// A receiver may take a request and leave out some of its records: how many, and its words.
fn rejected(answer: &[u8], is_json: bool) -> Option<(u64, String)> {
    let (records, why) = if is_json {
        let answer: serde_json::Value = serde_json::from_slice(answer).ok()?;
        let part = answer.get("partialSuccess")?;
        let records = ["rejectedSpans", "rejectedDataPoints", "rejectedLogRecords"]
            .iter()
            .find_map(|name| part.get(name));
        // 64-bit numbers are texts in protobuf's JSON.
        let records = records.and_then(|records| match records {
            serde_json::Value::String(digits) => digits.parse().ok(),
            number => number.as_i64(),
        });
        let why = part.get("errorMessage").and_then(serde_json::Value::as_str).unwrap_or_default();
        (records.unwrap_or(0), why.to_owned())
    } else {
        // The three signals' answers have the same layout.
        let part = ExportTraceServiceResponse::decode(answer).ok()?.partial_success?;
        (part.rejected_spans, part.error_message)
    };
    let records = u64::try_from(records).unwrap_or(0);
    (records > 0 || !why.is_empty()).then_some((records, why))
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
