//! An OTLP receiver made of hyper and prost alone: HTTP and gRPC on one port, protobuf and JSON, gzip or not.

use std::convert::Infallible;
use std::io::Read;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::{Buf, Bytes};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

pub(crate) mod certificates;

/// What the receiver does with a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Manner {
    Accept,
    /// Reads the request and never answers.
    Hang,
    /// Answers no request before [`Receiver::open`].
    Wait,
    /// Takes every request, and says that it left two records out.
    AcceptInPart,
    /// Answers so many requests with this status, then accepts.
    Refuse(u16, usize),
}

#[derive(Default)]
pub(crate) struct Received {
    pub(crate) traces: Vec<ExportTraceServiceRequest>,
    pub(crate) metrics: Vec<ExportMetricsServiceRequest>,
    pub(crate) logs: Vec<ExportLogsServiceRequest>,
    /// Path and headers of every request, answered or not.
    pub(crate) requests: Vec<(String, HeaderMap)>,
}

pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    pub(crate) received: Arc<Mutex<Received>>,
    gate: Arc<Semaphore>,
    _runtime: tokio::runtime::Runtime,
}

impl Receiver {
    pub(crate) fn start(manner: Manner) -> Self {
        Self::start_with(manner, None)
    }

    pub(crate) fn start_with(manner: Manner, tls: Option<TlsAcceptor>) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Received::default()));
        let shared = Arc::clone(&received);
        let gate = Arc::new(Semaphore::new(0));
        let door = Arc::clone(&gate);
        runtime.spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (shared, door, tls) = (Arc::clone(&shared), Arc::clone(&door), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, manner, shared, door).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, manner, shared, door).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, received, gate, _runtime: runtime }
    }

    /// Lets what waits through, and all that comes.
    pub(crate) fn open(&self) {
        self.gate.close();
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn span_names(&self) -> Vec<String> {
        let received = self.received.lock().unwrap();
        let scopes = received.traces.iter().flat_map(|r| &r.resource_spans).flat_map(|r| &r.scope_spans);
        scopes.flat_map(|s| &s.spans).map(|span| span.name.clone()).collect()
    }

    pub(crate) fn event_names(&self) -> Vec<String> {
        let received = self.received.lock().unwrap();
        let scopes = received.logs.iter().flat_map(|r| &r.resource_logs).flat_map(|r| &r.scope_logs);
        scopes.flat_map(|s| &s.log_records).map(|record| record.event_name.clone()).collect()
    }

    pub(crate) fn metric_names(&self) -> Vec<String> {
        let received = self.received.lock().unwrap();
        let scopes = received.metrics.iter().flat_map(|r| &r.resource_metrics).flat_map(|r| &r.scope_metrics);
        scopes.flat_map(|s| &s.metrics).map(|metric| metric.name.clone()).collect()
    }
}

async fn serve<S>(stream: S, manner: Manner, received: Arc<Mutex<Received>>, gate: Arc<Semaphore>)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let service =
        service_fn(move |request| answer(request, manner, Arc::clone(&received), Arc::clone(&gate)));
    let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    request: Request<Incoming>,
    manner: Manner,
    received: Arc<Mutex<Received>>,
    gate: Arc<Semaphore>,
) -> Result<Response<BoxBody<Bytes, Infallible>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let so_far = {
        let mut received = received.lock().unwrap();
        received.requests.push((parts.uri.path().to_owned(), parts.headers.clone()));
        received.requests.len()
    };
    match manner {
        Manner::Hang => return std::future::pending().await,
        Manner::Refuse(status, times) if so_far <= times => {
            let mut response = Response::new(Full::new(Bytes::new()).boxed());
            *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
            return Ok(response);
        }
        // It is closed, not filled.
        Manner::Wait => drop(gate.acquire().await),
        _ => {}
    }
    let header = |name: &str| parts.headers.get(name).map_or("", |value| value.to_str().unwrap());
    let kind = header("content-type");
    let is_grpc = kind == "application/grpc";
    let body = if is_grpc {
        let (mut head, message) = body.as_ref().split_at(5);
        let is_gzip = head.get_u8() == 1;
        assert_eq!(head.get_u32() as usize, message.len());
        if is_gzip {
            assert_eq!(header("grpc-encoding"), "gzip");
        }
        plain(message, is_gzip)
    } else {
        plain(&body, header("content-encoding") == "gzip")
    };
    let mut received = received.lock().unwrap();
    let json = kind == "application/json";
    match parts.uri.path() {
        "/v1/traces" | "/opentelemetry.proto.collector.trace.v1.TraceService/Export" => {
            received.traces.push(decoded(&body, json));
        }
        "/v1/metrics" | "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" => {
            received.metrics.push(decoded(&body, json));
        }
        "/v1/logs" | "/opentelemetry.proto.collector.logs.v1.LogsService/Export" => {
            received.logs.push(decoded(&body, json));
        }
        other => panic!("unexpected path {other}"),
    }
    let mut response = if is_grpc {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        let empty_message = Full::new(Bytes::from_static(&[0; 5]));
        Response::new(empty_message.with_trailers(async { Some(Ok(trailers)) }).boxed())
    } else {
        let answer: &'static [u8] = match (json, manner) {
            (true, Manner::AcceptInPart) => {
                br#"{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}"#
            }
            (true, _) => b"{}",
            // Field 1, a message of field 1 = 2 and field 2 = "too old".
            (false, Manner::AcceptInPart) => b"\x0a\x0b\x08\x02\x12\x07too old",
            (false, _) => b"",
        };
        Response::new(Full::new(Bytes::from_static(answer)).boxed())
    };
    response.headers_mut().insert("content-type", HeaderValue::from_str(kind).unwrap());
    Ok(response)
}

fn decoded<M: Message + Default + DeserializeOwned>(body: &[u8], json: bool) -> M {
    if json { serde_json::from_slice(body).unwrap() } else { M::decode(body).unwrap() }
}

fn plain(body: &[u8], is_gzip: bool) -> Vec<u8> {
    if !is_gzip {
        return body.to_vec();
    }
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(body).read_to_end(&mut plain).unwrap();
    plain
}
