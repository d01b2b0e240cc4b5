//! What arrives at a receiver, from every kind of caller, and what a program is told when nothing does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::sync::mpsc;
use std::time::{Duration, Instant};

use opentelemetry::KeyValue;
use opentelemetry::logs::{LogRecord, Logger, LoggerProvider};
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{Tracer, TracerProvider};
use opentelemetry_proto::tonic::metrics::v1::AggregationTemporality;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use otel_genai_sdk::{Builder, Report, Signal, Telemetry};

#[allow(dead_code, reason = "the receiver's other uses are in tests/honoured.rs and tests/tls.rs")]
mod receiver;
use receiver::{Manner, Receiver};

const LONG: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug)]
enum Caller {
    NoRuntime,
    CurrentThread,
    MultiThreadTask,
    AsyncOnCurrentThread,
    AsyncOnMultiThread,
}

#[test]
fn all_signals_arrive_over_every_protocol_from_every_caller() {
    use Caller::{AsyncOnCurrentThread, AsyncOnMultiThread, CurrentThread, MultiThreadTask, NoRuntime};
    for protocol in ["http/protobuf", "http/json", "grpc"] {
        for (caller, compression) in [
            (NoRuntime, "none"),
            (NoRuntime, "gzip"),
            (CurrentThread, "none"),
            (MultiThreadTask, "gzip"),
            (AsyncOnCurrentThread, "none"),
            (AsyncOnMultiThread, "none"),
        ] {
            let receiver = Receiver::start(Manner::Accept);
            let builder = otel_genai_sdk::builder()
                .vars(|_| None)
                .set("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url(), "test")
                .set("OTEL_EXPORTER_OTLP_PROTOCOL", protocol, "test")
                .set("OTEL_EXPORTER_OTLP_COMPRESSION", compression, "test")
                .set("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=blue%20one", "test")
                .set("OTEL_SERVICE_NAME", "shop", "test")
                .set_globals(false);
            let report = match caller {
                NoRuntime => use_and_end(builder),
                CurrentThread => runtime(1).block_on(async { use_and_end(builder) }),
                MultiThreadTask => {
                    let runtime = runtime(2);
                    let telemetry = builder.init().unwrap();
                    let task = runtime.spawn(async move {
                        record(&telemetry);
                        telemetry.shutdown(LONG)
                    });
                    runtime.block_on(task).unwrap()
                }
                AsyncOnCurrentThread => runtime(1).block_on(use_and_end_async(builder)),
                AsyncOnMultiThread => runtime(2).block_on(use_and_end_async(builder)),
            };
            let case = format!("{protocol} {caller:?} {compression}");
            assert!(report.is_complete(), "{case}: {report:?}");
            assert_eq!(receiver.span_names(), ["work"], "{case}");
            assert_eq!(receiver.event_names(), ["happened"], "{case}");
            // Once an export: the asynchronous callers flush before they end.
            assert!(receiver.metric_names().iter().all(|name| name == "works"), "{case}");
            assert!(!receiver.metric_names().is_empty(), "{case}");
            let received = receiver.received.lock().unwrap();
            assert!(received.requests.iter().all(|(_, headers)| headers["x-tenant"] == "blue one"), "{case}");
            let resource = received.traces[0].resource_spans[0].resource.as_ref().unwrap();
            let names: Vec<_> = resource.attributes.iter().map(|pair| pair.key.as_str()).collect();
            for name in ["service.name", "service.instance.id", "telemetry.sdk.language"] {
                assert!(names.contains(&name), "{case}: {names:?}");
            }
        }
    }
}

#[test]
fn a_flush_delivers_what_was_recorded_and_goes_on() {
    let receiver = Receiver::start(Manner::Accept);
    let telemetry = to(&receiver.url(), "http/protobuf").init().unwrap();
    record(&telemetry);
    assert!(telemetry.flush(LONG).is_complete());
    assert_eq!(receiver.span_names(), ["work"]);
    record(&telemetry);
    let report = telemetry.shutdown(LONG);
    assert_eq!(receiver.span_names(), ["work", "work"]);
    assert!(
        report.to_string().starts_with(&format!("2 spans to {}/v1/traces; ", receiver.url())),
        "{report}"
    );
}

#[test]
fn dropping_the_guard_delivers() {
    let receiver = Receiver::start(Manner::Accept);
    {
        let telemetry = to(&receiver.url(), "http/protobuf").init().unwrap();
        record(&telemetry);
    }
    assert_eq!(receiver.span_names(), ["work"]);
    assert_eq!(receiver.event_names(), ["happened"]);
}

#[test]
fn a_signal_s_own_endpoint_is_taken_as_it_is_and_its_headers_stand_alone() {
    let receiver = Receiver::start(Manner::Accept);
    let telemetry = to(&receiver.url(), "http/protobuf")
        .set("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9", "test")
        .set("OTEL_EXPORTER_OTLP_HEADERS", "x-all=1", "test")
        .set("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x-traces=1", "test")
        .set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", format!("{}/v1/traces", receiver.url()), "test")
        .set("OTEL_METRICS_EXPORTER", "none", "test")
        .set("OTEL_LOGS_EXPORTER", "none", "test")
        .init()
        .unwrap();
    record(&telemetry);
    assert!(telemetry.shutdown(LONG).is_complete());
    let received = receiver.received.lock().unwrap();
    let (path, headers) = &received.requests[0];
    assert_eq!((path.as_str(), headers.contains_key("x-all")), ("/v1/traces", false));
    assert_eq!(headers["x-traces"], "1");
}

#[test]
fn shutdown_is_bounded_and_says_why_when_the_receiver_hangs() {
    for protocol in ["http/protobuf", "grpc"] {
        let receiver = Receiver::start(Manner::Hang);
        let builder = to(&receiver.url(), protocol).set("OTEL_EXPORTER_OTLP_TIMEOUT", "600000", "test");
        let report = within(LONG, move || {
            let telemetry = builder.init().unwrap();
            record(&telemetry);
            telemetry.shutdown(Duration::from_millis(300))
        });
        assert!(!report.is_complete());
        assert_eq!(report.troubles().count(), 3, "{report:?}");
        let said = report.troubles().next().unwrap();
        assert!(said.contains(&receiver.address.to_string()) && said.contains("no answer"), "{said}");
    }
}

#[test]
fn shutdown_is_bounded_and_says_why_when_nobody_listens() {
    for protocol in ["http/protobuf", "http/json", "grpc"] {
        let builder = to(&nobody(), protocol);
        let report = within(LONG, move || {
            let telemetry = builder.init().unwrap();
            record(&telemetry);
            telemetry.shutdown(Duration::from_secs(10))
        });
        let said = report.troubles().next().unwrap().to_ascii_lowercase();
        assert!(
            said.contains("connection refused") && said.contains("traces cannot be exported to"),
            "{said}"
        );
        assert!(said.contains("otel_traces_exporter=none"), "{said}");
        assert_eq!(report.exports[0].signal, Signal::Traces);
        assert_eq!(report.exports[0].failed, 1);
    }
}

#[test]
fn dropping_is_bounded_inside_a_runtime_too() {
    // Both at once: each takes the three seconds that a drop may take.
    let drops = ["http/protobuf", "grpc"].map(|protocol| {
        std::thread::spawn(move || {
            let receiver = Receiver::start(Manner::Hang);
            let builder = to(&receiver.url(), protocol).set("OTEL_EXPORTER_OTLP_TIMEOUT", "600000", "test");
            within(LONG, move || {
                runtime(1).block_on(async {
                    let telemetry = builder.init().unwrap();
                    record(&telemetry);
                });
            });
        })
    });
    for drop in drops {
        drop.join().unwrap();
    }
}

#[test]
fn a_receiver_that_is_busy_is_asked_again_and_one_that_refuses_is_not() {
    let busy = Receiver::start(Manner::Refuse(503, 1));
    let telemetry = traces_alone(&busy.url()).init().unwrap();
    record(&telemetry);
    assert!(telemetry.flush(LONG).is_complete());
    assert_eq!(busy.span_names(), ["work"]);

    let closed = Receiver::start(Manner::Refuse(401, usize::MAX));
    let telemetry = traces_alone(&closed.url()).init().unwrap();
    record(&telemetry);
    let report = telemetry.shutdown(LONG);
    assert!(report.troubles().next().unwrap().contains("answered 401"), "{report:?}");
    assert_eq!(closed.received.lock().unwrap().requests.len(), 1);
}

#[test]
fn records_that_the_receiver_leaves_out_are_counted_as_failed() {
    for protocol in ["http/protobuf", "http/json"] {
        let receiver = Receiver::start(Manner::AcceptInPart);
        let telemetry = traces_alone(&receiver.url()).set("OTEL_EXPORTER_OTLP_PROTOCOL", protocol, "test");
        let telemetry = telemetry.init().unwrap();
        for _ in 0..5 {
            record(&telemetry);
        }
        let report = telemetry.shutdown(LONG);
        assert_eq!((report.exports[0].sent, report.exports[0].failed), (3, 2), "{protocol}: {report:?}");
    }
}

#[test]
fn limits_and_batches_shape_what_is_sent() {
    let receiver = Receiver::start(Manner::Accept);
    let telemetry = to(&receiver.url(), "http/protobuf")
        .set("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1", "test")
        .set("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "3", "test")
        .set("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "1", "test")
        .set("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta", "test")
        .set(
            "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
            "base2_exponential_bucket_histogram",
            "test",
        )
        .init()
        .unwrap();
    let tracer = telemetry.tracer_provider().tracer("test");
    for _ in 0..2 {
        let attributes = [KeyValue::new("first", "東京都庁"), KeyValue::new("second", 2)];
        tracer.span_builder("work").with_attributes(attributes).start(&tracer);
    }
    telemetry.meter_provider().meter("test").f64_histogram("took").build().record(0.7, &[]);
    assert!(telemetry.shutdown(LONG).is_complete());
    let received = receiver.received.lock().unwrap();
    assert_eq!(received.traces.len(), 2);
    let spans = format!("{:?}", received.traces);
    assert!(spans.contains("\"東京都\"") && !spans.contains('庁') && !spans.contains("second"), "{spans}");
    let metric = &received.metrics[0].resource_metrics[0].scope_metrics[0].metrics[0];
    let Some(Data::ExponentialHistogram(histogram)) = &metric.data else { panic!("{metric:?}") };
    assert_eq!(histogram.aggregation_temporality(), AggregationTemporality::Delta);
}

/// Where `tracing` leads back to OpenTelemetry, an export that is observed causes the next one, without end.
#[test]
fn exporting_is_not_observed() {
    use opentelemetry::Context;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use tracing_subscriber::layer::{Context as LayerContext, Layer, SubscriberExt};

    #[derive(Clone, Default)]
    struct Observer(std::sync::Arc<(AtomicUsize, AtomicUsize)>);
    impl<S: tracing::Subscriber> Layer<S> for Observer {
        fn on_new_span(
            &self,
            _: &tracing::span::Attributes<'_>,
            _: &tracing::span::Id,
            _: LayerContext<'_, S>,
        ) {
            if std::thread::current().name() == Some("otel-export") {
                self.0.0.fetch_add(1, SeqCst);
                if !Context::is_current_telemetry_suppressed() {
                    self.0.1.fetch_add(1, SeqCst);
                }
            }
        }
    }
    let observer = Observer::default();
    let subscriber = tracing_subscriber::registry().with(observer.clone());
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let receiver = Receiver::start(Manner::Accept);
    let telemetry = to(&receiver.url(), "grpc").init().unwrap();
    record(&telemetry);
    assert!(telemetry.shutdown(LONG).is_complete());
    let (seen, observed) = (observer.0.0.load(SeqCst), observer.0.1.load(SeqCst));
    assert!(seen > 0, "the libraries below do not trace any more: this test tests nothing");
    assert_eq!(observed, 0);
}

#[test]
fn large_records_leave_before_their_time() {
    let receiver = Receiver::start(Manner::Accept);
    let telemetry =
        traces_alone(&receiver.url()).set("OTEL_BSP_SCHEDULE_DELAY", "3600000", "test").init().unwrap();
    let tracer = telemetry.tracer_provider().tracer("test");
    let content = KeyValue::new("content", "word ".repeat(100_000));
    tracer.span_builder("long").with_attributes([content]).start(&tracer);
    let deadline = Instant::now() + LONG;
    while receiver.span_names().is_empty() {
        assert!(Instant::now() < deadline, "the span is still waiting");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(receiver.span_names(), ["long"]);
    assert!(telemetry.shutdown(LONG).is_complete());
}

#[test]
fn compressed_exports_arrive() {
    let receiver = Receiver::start(Manner::Accept);
    let telemetry = traces_alone(&receiver.url()).set("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", "test");
    assert!(use_and_end(telemetry).is_complete());
    assert_eq!(receiver.span_names(), ["work"]);
    let received = receiver.received.lock().unwrap();
    assert_eq!(received.requests[0].1["content-encoding"], "gzip");
}

#[test]
fn a_full_queue_drops_and_counts() {
    let receiver = Receiver::start(Manner::Hang);
    let telemetry = traces_alone(&receiver.url())
        .set("OTEL_BSP_MAX_QUEUE_SIZE", "2", "test")
        .set("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1", "test")
        .set("OTEL_EXPORTER_OTLP_TIMEOUT", "600000", "test")
        .init()
        .unwrap();
    for _ in 0..100 {
        record(&telemetry);
    }
    let report = telemetry.shutdown(Duration::from_millis(200));
    assert_eq!((report.exports[0].sent, report.exports[0].dropped), (0, 100), "{report:?}");
}

#[test]
fn no_secret_is_shown_anywhere() {
    let telemetry = otel_genai_sdk::builder()
        .vars(|name| {
            Some(
                match name {
                    "OTEL_EXPORTER_OTLP_ENDPOINT" => "http://user:hunter2@127.0.0.1:9/base?key=hunter2",
                    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" => "ftp://user:hunter2@host/?key=hunter2",
                    "OTEL_EXPORTER_OTLP_HEADERS" => {
                        "authorization=Bearer%20hunter2,hunter2,x-api-key=hunter2"
                    }
                    "OTEL_EXPORTER_OTLP_LOGS_HEADERS" => "hunter2",
                    _ => return None,
                }
                .into(),
            )
        })
        .set_globals(false)
        .init()
        .unwrap();
    record(&telemetry);
    let report = telemetry.shutdown(LONG);
    let everything =
        format!("{:?} {:?} {:?} {report:?} {report}", telemetry, telemetry.settings(), telemetry.warnings());
    assert!(!everything.contains("hunter2"), "{everything}");
    assert!(everything.contains("authorization=***"), "{everything}");
    assert!(everything.contains("http://127.0.0.1:9/base/v1/traces"), "{everything}");
}

/// A task before the end that takes all its time, and more than is left for it.
#[test]
fn who_is_slow_before_the_end_does_not_take_the_time_of_what_was_recorded() {
    let receiver = Receiver::start(Manner::Accept);
    let telemetry = otel_genai_sdk::builder()
        .vars(|_| None)
        .set("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url(), "test")
        .set_globals(false)
        .init()
        .unwrap();
    telemetry.before_flush(std::thread::sleep);
    telemetry.before_flush(|_| panic!("a task that fails"));
    record(&telemetry);
    let report = telemetry.shutdown(Duration::from_secs(4));
    assert!(report.is_complete(), "{report}");
    assert!(!receiver.span_names().is_empty());
}

/// Counts what it is asked for.
#[derive(Clone, Debug, Default)]
struct Counting(std::sync::Arc<std::sync::Mutex<Vec<&'static str>>>);

impl otel_genai_sdk::SpanProcessor for Counting {
    fn on_start(&self, _: &mut opentelemetry_sdk::trace::Span, _: &opentelemetry::Context) {}

    fn on_end(&self, _: opentelemetry_sdk::trace::SpanData) {
        self.0.lock().unwrap().push("end");
    }

    fn force_flush(&self) -> opentelemetry_sdk::error::OTelSdkResult {
        self.0.lock().unwrap().push("flush");
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> opentelemetry_sdk::error::OTelSdkResult {
        self.0.lock().unwrap().push("shutdown");
        Ok(())
    }
}

#[test]
fn who_wraps_spans_is_flushed_and_shut_down_wherever_they_go() {
    for exporter in ["none", "console"] {
        let counting = Counting::default();
        let wrapped = counting.clone();
        let telemetry = otel_genai_sdk::builder()
            .vars(|_| None)
            .default_exporter(otel_genai_sdk::Exporter::None)
            .set("OTEL_TRACES_EXPORTER", exporter, "test")
            .wrap_spans(|_, _, _| wrapped)
            .set_globals(false)
            .init()
            .unwrap();
        telemetry.tracer_provider().tracer("test").in_span("work", |_| {});
        let _ = telemetry.flush(LONG);
        drop(telemetry);
        assert_eq!(*counting.0.lock().unwrap(), ["end", "flush", "shutdown"], "{exporter}");
    }
}

/// The exporters read the process environment too. Only a process of its own can be given one.
#[test]
fn injected_values_stand_before_the_process_environment() {
    const ROLE: &str = "OTEL_GENAI_SDK_TEST_RECEIVER";
    if let Ok(url) = std::env::var(ROLE) {
        for protocol in ["http/protobuf", "grpc"] {
            let telemetry = traces_alone(&url).set("OTEL_EXPORTER_OTLP_PROTOCOL", protocol, "test");
            let telemetry =
                telemetry.set("OTEL_EXPORTER_OTLP_HEADERS", "x-who=injected", "test").init().unwrap();
            record(&telemetry);
            assert!(telemetry.shutdown(LONG).is_complete());
        }
        return;
    }
    let receiver = Receiver::start(Manner::Accept);
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "injected_values_stand_before_the_process_environment"])
        .env(ROLE, receiver.url())
        .env("OTEL_EXPORTER_OTLP_HEADERS", "x-who=environment,x-more=environment")
        .env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:9/v1/traces")
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")
        .env("OTEL_SERVICE_NAME", "environment")
        .env("OTEL_TRACES_SAMPLER", "always_off")
        .env("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "0")
        .status()
        .unwrap();
    assert!(status.success());
    assert_eq!(receiver.span_names(), ["work", "work"]);
    let received = receiver.received.lock().unwrap();
    for (_, headers) in &received.requests {
        assert_eq!(headers["x-who"], "injected");
        assert!(!headers.contains_key("x-more"));
    }
    let spans = &received.traces[0].resource_spans[0];
    assert_eq!(spans.scope_spans[0].spans[0].attributes.len(), 1);
    let resource = format!("{:?}", spans.resource);
    assert!(resource.contains("unknown_service:") && !resource.contains("environment"), "{resource}");
}

/// Without variables of its own, the environment decides, and the globals are set.
#[test]
fn init_takes_the_environment() {
    const ROLE: &str = "OTEL_GENAI_SDK_TEST_INIT";
    if std::env::var_os(ROLE).is_some() {
        let telemetry = otel_genai_sdk::init().unwrap();
        opentelemetry::global::tracer("test").start("from a global");
        opentelemetry::global::meter("test").u64_counter("counted").build().add(1, &[]);
        assert!(telemetry.shutdown(LONG).is_complete());
        return;
    }
    let receiver = Receiver::start(Manner::Accept);
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "init_takes_the_environment"])
        .env(ROLE, "1")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url())
        .status()
        .unwrap();
    assert!(status.success());
    assert_eq!(receiver.span_names(), ["from a global"]);
    assert_eq!(receiver.metric_names(), ["counted"]);
}

fn to(url: &str, protocol: &str) -> Builder {
    otel_genai_sdk::builder()
        .vars(|_| None)
        .set("OTEL_EXPORTER_OTLP_ENDPOINT", url, "test")
        .set("OTEL_EXPORTER_OTLP_PROTOCOL", protocol, "test")
        .set_globals(false)
}

fn traces_alone(url: &str) -> Builder {
    to(url, "http/protobuf").set("OTEL_METRICS_EXPORTER", "none", "test").set(
        "OTEL_LOGS_EXPORTER",
        "none",
        "test",
    )
}

/// A URL where nobody listens: the port was free a moment ago.
fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn record(telemetry: &Telemetry) {
    telemetry
        .tracer_provider()
        .tracer("test")
        .span_builder("work")
        .with_attributes([KeyValue::new("kind", "test")])
        .start(&telemetry.tracer_provider().tracer("test"));
    telemetry.meter_provider().meter("test").u64_counter("works").build().add(1, &[]);
    let logger = telemetry.logger_provider().logger("test");
    let mut event = logger.create_log_record();
    event.set_event_name("happened");
    logger.emit(event);
}

fn use_and_end(builder: Builder) -> Report {
    let telemetry = builder.init().unwrap();
    record(&telemetry);
    telemetry.shutdown(LONG)
}

async fn use_and_end_async(builder: Builder) -> Report {
    let telemetry = builder.init().unwrap();
    record(&telemetry);
    let _ = telemetry.flush_async(LONG).await;
    telemetry.shutdown_async(LONG).await
}

fn runtime(threads: usize) -> tokio::runtime::Runtime {
    if threads == 1 {
        return tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    }
    tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build().unwrap()
}

/// Fails where `work` hangs.
fn within<T: Send + 'static>(limit: Duration, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = mpsc::channel();
    std::thread::spawn(move || done.send(work()));
    result.recv_timeout(limit).expect("returns in bounded time")
}
