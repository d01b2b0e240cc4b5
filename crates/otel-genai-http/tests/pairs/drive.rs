//! Sends a recorded exchange through the observer, as a client and a server would.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, Uri};
use http_body_util::{BodyExt, Full};
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use otel_genai::{Capture, ConventionName, GenAi};
use otel_genai_http::{Call, Losses, Observer, Options};

use crate::exchange::Exchange;

pub(crate) struct Telemetry {
    pub(crate) spans: Vec<SpanData>,
    pub(crate) metrics: Vec<ResourceMetrics>,
}

/// The telemetry of one exchange; `None` if it is no call.
pub(crate) async fn observe(recorded: &Exchange) -> Option<Telemetry> {
    let (spans, metrics) = (InMemorySpanExporter::default(), InMemoryMetricExporter::default());
    let tracers = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
    let meters = SdkMeterProvider::builder().with_periodic_exporter(metrics.clone()).build();
    let genai = GenAi::builder()
        .tracer_provider(&tracers)
        .meter_provider(&meters)
        .config(otel_genai::Config::default())
        .convention(ConventionName::default())
        .capture(Capture::SpanOnly)
        .build();
    let observer = Observer::new(genai, Options::default()).unwrap();

    let url: Uri = recorded.url.parse().unwrap();
    let exchange = observer.begin(&Call::new(&recorded.method, &url, &recorded.headers))?;
    let request = Full::new(Bytes::from(recorded.request.clone()));
    exchange.request_body(request).collect().await.unwrap();
    let mut response = Response::builder().status(recorded.status);
    response.headers_mut().unwrap().extend(recorded.response_headers.clone());
    let (parts, ()) = response.body(()).unwrap().into_parts();
    let body = exchange.response(&parts, Full::new(Bytes::from(recorded.body.clone())));
    let seen = body.collect().await.unwrap().to_bytes();
    assert_eq!(seen, recorded.body, "{}", recorded.name);

    assert!(observer.drain(Duration::from_secs(30)), "{}: reading takes too long", recorded.name);
    assert_eq!(observer.losses(), Losses::default(), "{}", recorded.name);
    meters.force_flush().unwrap();
    let spans = spans.get_finished_spans().unwrap();
    // A path that others use too, and no model is asked for there.
    (!spans.is_empty()).then(|| Telemetry { spans, metrics: metrics.get_finished_metrics().unwrap() })
}
