//! OTLP exporters that send through an instrumented client: what they send is not told, or there would be no end to it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod support;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use opentelemetry::trace::FutureExt as _;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{
    LogExporter, MetricExporter, Protocol, SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use otel_genai::{Capture, GenAi};
use otel_genai_http::reqwest::RequestBuilderExt as _;
use otel_genai_http::tower::GenAiLayer;
use otel_genai_http::{Observer, Options};
use support::{ANSWER, Answer, Server, json};
use tokio::runtime::Handle;
use tower::{Layer as _, ServiceExt as _};

const REQUEST: &str = r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hi"}]}"#;

#[derive(Clone, Copy, Debug)]
enum Through {
    Tower,
    Reqwest,
}

/// The application's client, which the exporters send through as well.
#[derive(Clone, Debug)]
struct Instrumented {
    through: Through,
    runtime: Handle,
    /// Known once there are exporters.
    observer: Arc<OnceLock<Observer>>,
}

impl Instrumented {
    async fn send(self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let observer = self.observer.get().unwrap();
        match self.through {
            Through::Tower => {
                let client = Client::builder(TokioExecutor::new()).build_http();
                let client = GenAiLayer::with(observer.clone()).layer(client);
                let (parts, body) = client.oneshot(request.map(Full::new)).await?.into_parts();
                Ok(Response::from_parts(parts, body.collect().await?.to_bytes()))
            }
            Through::Reqwest => {
                let (parts, body) = request.into_parts();
                let client = reqwest::Client::new();
                let request = client.post(parts.uri.to_string()).headers(parts.headers).body(body);
                Ok(Response::new(request.send_genai_with(observer).await?.bytes().await?))
            }
        }
    }
}

#[async_trait]
impl HttpClient for Instrumented {
    /// Sends on the application's runtime, in the context of the exporter's thread.
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.runtime.spawn(self.clone().send(request).with_current_context()).await?
    }
}

/// All three signals, exported through such a client, and the observer that tells of its calls.
struct World {
    spans: SdkTracerProvider,
    logs: SdkLoggerProvider,
    metrics: SdkMeterProvider,
    observer: Observer,
    client: Instrumented,
}

impl World {
    /// `to` is read as a model call's address: only where it is sent from can keep an export from being told.
    fn new(through: Through, to: &str) -> Self {
        let client = Instrumented { through, runtime: Handle::current(), observer: Arc::default() };
        let spans = SpanExporter::builder().with_http().with_http_client(client.clone()).with_endpoint(to);
        let logs = LogExporter::builder().with_http().with_http_client(client.clone()).with_endpoint(to);
        let metrics =
            MetricExporter::builder().with_http().with_http_client(client.clone()).with_endpoint(to);
        let binary = Protocol::HttpBinary;
        let spans = spans.with_protocol(binary).build().unwrap();
        let logs = logs.with_protocol(binary).build().unwrap();
        let metrics = metrics.with_protocol(binary).build().unwrap();
        let spans = SdkTracerProvider::builder().with_batch_exporter(spans).build();
        let logs = SdkLoggerProvider::builder().with_batch_exporter(logs).build();
        let metrics = SdkMeterProvider::builder().with_periodic_exporter(metrics).build();
        let genai = GenAi::builder()
            .tracer_provider(&spans)
            .logger_provider(&logs)
            .meter_provider(&metrics)
            .capture(Capture::SpanAndEvent)
            .build();
        let observer = Observer::new(genai, Options::default()).unwrap();
        client.observer.set(observer.clone()).unwrap();
        World { spans, logs, metrics, observer, client }
    }

    /// Everything is told and exported. Off the async threads, which the client needs.
    async fn flush(&self) {
        let (spans, logs, metrics) = (self.spans.clone(), self.logs.clone(), self.metrics.clone());
        let observer = self.observer.clone();
        let flushed = tokio::task::spawn_blocking(move || {
            assert!(observer.drain(Duration::from_secs(10)));
            spans.force_flush().unwrap();
            logs.force_flush().unwrap();
            metrics.force_flush().unwrap();
            assert!(observer.drain(Duration::from_secs(10)));
        });
        flushed.await.unwrap();
    }
}

fn holds(body: &[u8], text: &str) -> bool {
    body.windows(text.len()).any(|window| window == text.as_bytes())
}

async fn nothing_grows(through: Through) {
    let answers: Vec<Answer> =
        std::iter::once(json(200, ANSWER)).chain((0..32).map(|_| json(200, ""))).collect();
    let server = Server::start(answers).await;
    let url = server.url("/v1/chat/completions");
    let world = World::new(through, &url);

    let question = Request::post(&url).header("content-type", "application/json");
    world.client.clone().send(question.body(Bytes::from(REQUEST)).unwrap()).await.unwrap();
    world.flush().await;
    let asked = server.asked();
    assert_eq!(asked.len(), 4, "the call, its span, its event and its metrics");
    let of_span = |asked: &&support::Asked| holds(&asked.body, "chat gpt-4o-mini");
    let export = asked.iter().find(of_span).expect("the span was exported").clone();
    for _ in 0..3 {
        world.flush().await;
    }
    assert_eq!(world.observer.totals().calls, 1, "exports are no calls");
    let asked = server.asked();
    assert_eq!(asked.iter().filter(of_span).count(), 1, "nothing was told of an export");
    assert!(asked.len() <= 4 + 3, "metrics are exported at each flush, and nothing else");

    // Sent by the application itself, the same bytes are a call.
    let again = Request::post(&url).body(export.body).unwrap();
    world.client.clone().send(again).await.unwrap();
    world.flush().await;
    assert_eq!(world.observer.totals().calls, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn through_tower() {
    nothing_grows(Through::Tower).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn through_reqwest() {
    nothing_grows(Through::Reqwest).await;
}
