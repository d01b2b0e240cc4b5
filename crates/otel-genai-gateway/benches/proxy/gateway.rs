//! What is measured: the gateway with everything on.

use std::net::SocketAddr;
use std::time::Duration;

use otel_genai::{Capture, GenAi};
use otel_genai_gateway::{Gateway, Route, UpstreamProxy};
use otel_genai_http::{Observer, Options};
use otel_genai_sdk::{Signal, Telemetry};

pub(crate) async fn serve(upstream: SocketAddr, capture: Capture) {
    let route = Route::new("", &format!("http://{upstream}").parse().unwrap()).unwrap();
    // As the program does: telemetry's threads inherit the lower priority of the one that starts them.
    let background = std::thread::spawn(move || {
        rustix::process::setpriority_process(None, 10).unwrap();
        observer(upstream, capture)
    });
    let (telemetry, observer) = background.join().unwrap();
    let observed = observer.clone();
    std::thread::spawn(move || answer(&telemetry, &observed));
    let gateway = Gateway::builder(Some(observer))
        .route(route)
        .upstream_proxy(UpstreamProxy::Direct)
        .bind(([127, 0, 0, 1], 0).into())
        .await
        .unwrap();
    crate::announce(gateway.local_addr());
    gateway.serve(std::future::pending()).await;
}

/// All three signals exported to `otlp` (OTLP over HTTP).
fn observer(otlp: SocketAddr, capture: Capture) -> (Telemetry, Observer) {
    let telemetry = otel_genai_sdk::builder()
        .vars(|_| None)
        .set("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{otlp}"), "bench")
        .set("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf", "bench")
        .init()
        .unwrap();
    let genai = GenAi::builder()
        .tracer_provider(&telemetry.tracer_provider())
        .meter_provider(&telemetry.meter_provider())
        .logger_provider(&telemetry.logger_provider())
        .capture(capture)
        .build();
    (telemetry, Observer::new(genai, Options::default()).unwrap())
}

/// On demand: everything read, everything sent, and what could not be.
fn answer(telemetry: &Telemetry, observer: &Observer) {
    const LONG: Duration = Duration::from_secs(30);
    for _ in std::io::stdin().lines() {
        assert!(observer.drain(LONG), "reading takes too long");
        let report = telemetry.flush(LONG);
        let spans = report.exports.iter().find(|export| export.signal == Signal::Traces).unwrap();
        println!("unrecorded {}", observer.losses().calls + spans.dropped + spans.failed);
    }
}
