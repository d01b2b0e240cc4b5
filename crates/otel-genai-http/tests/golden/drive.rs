//! Sends a recorded exchange through the observer, as a client and a server would.

use std::collections::VecDeque;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Response, Uri};
use http_body::{Body, Frame};
use opentelemetry_sdk::logs::{InMemoryLogExporter, SdkLoggerProvider};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, Sampler, SdkTracerProvider};
use otel_genai::{Capture, ConventionName, GenAi};
use otel_genai_http::{Call, Observer, Options, Runs, transport_failure};

use crate::case::{Case, Exchange, Fate};
use crate::telemetry::Telemetry;

/// The telemetry of the exchanges that are compared.
pub(crate) fn run(case: &Case, convention: ConventionName, capture: Capture) -> Telemetry {
    observe(case, case.compared(), convention, capture)
}

/// The telemetry of one exchange.
pub(crate) fn exchange(
    case: &Case,
    exchange: &Exchange,
    convention: ConventionName,
    capture: Capture,
) -> Telemetry {
    observe(case, std::slice::from_ref(exchange), convention, capture)
}

fn observe(case: &Case, exchanges: &[Exchange], convention: ConventionName, capture: Capture) -> Telemetry {
    let (spans, logs, metrics) =
        (InMemorySpanExporter::default(), InMemoryLogExporter::default(), InMemoryMetricExporter::default());
    let sampler = if case.is_unsampled() { Sampler::AlwaysOff } else { Sampler::AlwaysOn };
    let tracers =
        SdkTracerProvider::builder().with_sampler(sampler).with_simple_exporter(spans.clone()).build();
    let loggers = SdkLoggerProvider::builder().with_simple_exporter(logs.clone()).build();
    let meters = SdkMeterProvider::builder().with_periodic_exporter(metrics.clone()).build();
    let genai = GenAi::builder()
        .tracer_provider(&tracers)
        .logger_provider(&loggers)
        .meter_provider(&meters)
        .config(otel_genai::Config::default())
        .convention(convention)
        .capture(capture)
        .build();
    // What may be a step of a run is told later, and must be told the same.
    let mut options = Options::default();
    options.runs = Runs::Keyed;
    let observer = Observer::new(genai, options).unwrap();
    for (session, exchange) in exchanges.iter().enumerate() {
        play(&observer, exchange, session);
        assert!(observer.drain(Duration::from_secs(30)), "{}: reading takes too long", case.id);
    }
    assert_eq!(observer.losses(), otel_genai_http::Losses::default(), "{}", case.id);
    meters.force_flush().unwrap();
    Telemetry::actual(
        &spans.get_finished_spans().unwrap(),
        &logs.get_emitted_logs().unwrap(),
        &metrics.get_finished_metrics().unwrap(),
    )
}

fn play(observer: &Observer, recorded: &Exchange, session: usize) {
    let url: Uri = recorded.url.parse().unwrap_or_else(|error| panic!("{}: {error}", recorded.url));
    let headers = HeaderMap::from_iter([(HeaderName::from_static("x-session-id"), session.into())]);
    let exchange =
        observer.begin(&Call::new(&recorded.method, &url, &headers)).expect("every case is a model call");
    let request = Script::new([recorded.request.to_string()], false);
    read(exchange.request_body(request), usize::MAX);
    if recorded.fate == Fate::Refused {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        return exchange.fail(transport_failure(&refused));
    }
    if recorded.fate == Fate::GivenUp {
        return drop(exchange);
    }
    let mut response = Response::builder().status(recorded.status);
    for (name, value) in &recorded.headers {
        response = response.header(name, value);
    }
    let (parts, ()) = response.body(()).unwrap().into_parts();
    let (frames, cut) = match recorded.fate {
        Fate::CutAfter(frames) => (&recorded.frames[..frames], true),
        _ => (&recorded.frames[..], false),
    };
    let body = exchange.response(&parts, Script::new(frames.iter().cloned(), cut));
    let frames = if let Fate::LeftAfter(frames) = recorded.fate { frames } else { usize::MAX };
    read(body, frames);
}

/// Reads at most so many frames, then drops the body.
fn read(body: impl Body<Data = Bytes, Error = io::Error>, frames: usize) {
    let mut body = pin!(body);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..frames {
        match body.as_mut().poll_frame(&mut context) {
            Poll::Ready(Some(Ok(_))) => {}
            Poll::Ready(_) => return,
            Poll::Pending => panic!("a script never waits"),
        }
    }
}

/// A body of these frames.
struct Script {
    frames: VecDeque<Bytes>,
    cut: bool,
}

impl Script {
    fn new(frames: impl IntoIterator<Item = String>, cut: bool) -> Self {
        Script { frames: frames.into_iter().map(Bytes::from).collect(), cut }
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.frames.pop_front() {
            Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            None if std::mem::take(&mut self.cut) => {
                Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::UnexpectedEof))))
            }
            None => Poll::Ready(None),
        }
    }
}
