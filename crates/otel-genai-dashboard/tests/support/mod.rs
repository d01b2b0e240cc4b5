//! A dashboard on free ports over a store in a folder of its own, and a client that says exactly what it is told.
#![allow(dead_code, reason = "each test file uses some of it")]

pub(crate) mod unwilling;

use std::net::SocketAddr;
use std::sync::Arc;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use otel_genai_dashboard::{Dashboard, DashboardBuilder};
use otel_genai_store::{PriceTable, SqliteOptions, Store};
use prost::Message as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
pub(crate) const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");

/// A dashboard that serves until it is dropped.
pub(crate) struct Served {
    pub(crate) page: SocketAddr,
    pub(crate) http: SocketAddr,
    pub(crate) grpc: SocketAddr,
    pub(crate) token: Option<String>,
    pub(crate) store: Arc<dyn Store>,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<()>>,
    _folder: tempfile::TempDir,
}

impl Served {
    pub(crate) async fn start() -> Self {
        Self::with(|builder| builder).await
    }

    pub(crate) async fn with(describe: impl FnOnce(DashboardBuilder) -> DashboardBuilder) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(
            SqliteOptions::new(folder.path()).pricing(Arc::new(PriceTable::builtin())).open().unwrap(),
        );
        Self::over(store, folder, describe).await
    }

    pub(crate) async fn over(
        store: Arc<dyn Store>,
        folder: tempfile::TempDir,
        describe: impl FnOnce(DashboardBuilder) -> DashboardBuilder,
    ) -> Self {
        let free = "127.0.0.1:0".parse().unwrap();
        let builder = Dashboard::builder(Arc::clone(&store)).page(free).http(Some(free)).grpc(Some(free));
        let dashboard = describe(builder).bind().await.unwrap();
        let (stop, stopped) = oneshot::channel();
        let local = |address: SocketAddr| SocketAddr::from(([127, 0, 0, 1], address.port()));
        Self {
            page: local(dashboard.page_addr()),
            http: local(dashboard.http_addr().unwrap()),
            grpc: local(dashboard.grpc_addr().unwrap()),
            token: dashboard.token().map(str::to_owned),
            store,
            stop: Some(stop),
            served: Some(tokio::spawn(dashboard.serve(async {
                let _ = stopped.await;
            }))),
            _folder: folder,
        }
    }

    /// Tells it to stop, and waits until it has.
    pub(crate) async fn stop(mut self) {
        self.stop.take();
        self.served.take().unwrap().await.unwrap();
    }

    /// Asks the page's port.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        ask(self.page, "GET", path, &[], b"").await
    }

    /// Asks, and reads the JSON of a good answer.
    pub(crate) async fn json(&self, path: &str) -> serde_json::Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// Sends spans as protobuf; they are stored when this returns.
    pub(crate) async fn send(&self, request: &ExportTraceServiceRequest) {
        let answer = ask(self.http, "POST", "/v1/traces", &[PROTOBUF], &request.encode_to_vec()).await;
        assert_eq!((answer.status, answer.body.as_slice()), (200, b"".as_slice()));
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The code of an error of the API.
    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap().to_owned()
    }
}

/// One request on a connection of its own. `Host` is the address, unless it is told.
pub(crate) async fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "host") {
        head += &format!("host: {address}\r\n");
    }
    if !headers.iter().any(|(name, _)| *name == "content-length") && (method == "POST" || !body.is_empty()) {
        head += &format!("content-length: {}\r\n", body.len());
    }
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    say(address, &[head.as_bytes(), b"\r\n", body]).await
}

/// Says these bytes, and reads what comes until the other end closes.
pub(crate) async fn say(address: SocketAddr, parts: &[&[u8]]) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let whole = parts.concat();
    // A server that has heard enough may close before everything is said.
    let _ = stream.write_all(&whole).await;
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    read(&bytes)
}

fn read(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or_else(|| {
        panic!("no answer: {:?}", String::from_utf8_lossy(bytes));
    });
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut body = bytes[end + 4..].to_vec();
    if headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked") {
        body = unchunk(&body);
    }
    Answer { status, headers, body }
}

fn unchunk(mut rest: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        let from = end + 2;
        whole.extend_from_slice(&rest[from..from + length]);
        rest = &rest[from + length + 2..];
    }
    whole
}

/// An attribute with a text.
pub(crate) fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value.to_owned()))
}

/// An attribute with a number.
pub(crate) fn int(key: &str, value: i64) -> KeyValue {
    attribute(key, Value::IntValue(value))
}

pub(crate) fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

pub(crate) const START: u64 = 1_763_800_000_000_000_000;

/// A span of [`TRACE`] that took from `at` to `to`, in milliseconds after the trace's start.
pub(crate) fn span(id: u8, parent: u8, name: &str, (at, to): (u64, u64), attributes: Vec<KeyValue>) -> Span {
    Span {
        trace_id: 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128.to_be_bytes().to_vec(),
        span_id: vec![1, 0, 0, 0, 0, 0, 0, id],
        parent_span_id: if parent == 0 { Vec::new() } else { vec![1, 0, 0, 0, 0, 0, 0, parent] },
        name: name.to_owned(),
        kind: 3,
        start_time_unix_nano: START + at * 1_000_000,
        end_time_unix_nano: START + to * 1_000_000,
        attributes,
        status: Some(Status::default()),
        ..Span::default()
    }
}

/// Spans of the service `shop`.
pub(crate) fn request(spans: Vec<Span>) -> ExportTraceServiceRequest {
    let scope = InstrumentationScope { name: "tests".to_owned(), ..InstrumentationScope::default() };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource {
                attributes: vec![text("service.name", "shop")],
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        }],
    }
}
