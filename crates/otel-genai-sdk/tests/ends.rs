//! However a program ends, what it recorded is exported: the guard is dropped.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::error::Error;
use std::process::Command;

use opentelemetry::logs::{LogRecord, Logger, LoggerProvider};
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{Tracer, TracerProvider};
use otel_genai_sdk::Telemetry;
use tokio::runtime::{Builder, Runtime};

#[allow(
    dead_code,
    reason = "the receiver's other uses are in tests/export.rs, tests/honoured.rs and tests/tls.rs"
)]
mod receiver;
use receiver::{Manner, Receiver};

const ROLE: &str = "OTEL_GENAI_SDK_TEST_END";

/// How a program ends, and whether it fails by that.
const ENDS: [(&str, bool); 9] = [
    ("returns without a runtime", false),
    ("returns from a current-thread runtime", false),
    ("returns from a multi-thread runtime", false),
    ("returns early", true),
    ("panics without a runtime", true),
    ("panics in a current-thread runtime", true),
    ("panics in a multi-thread runtime", true),
    ("panics in a task", false),
    ("panics in a thread that has the guard", false),
];

#[test]
fn however_a_program_ends_everything_is_exported() {
    if let Ok(end) = std::env::var(ROLE) {
        return run(&end).unwrap();
    }
    for protocol in ["http/protobuf", "grpc"] {
        for (end, fails) in ENDS {
            let receiver = Receiver::start(Manner::Accept);
            let child = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "however_a_program_ends_everything_is_exported"])
                .env(ROLE, end)
                .env("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url())
                .env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
                .output()
                .unwrap();
            assert_eq!(child.status.success(), !fails, "{end}: {child:?}");
            // The span that is open when the program ends is ended by its drop, before the guard's.
            assert_eq!(receiver.span_names(), ["work", "open"], "{protocol}: {end}");
            assert_eq!(receiver.event_names(), ["happened"], "{protocol}: {end}");
            assert_eq!(receiver.metric_names(), ["works"], "{protocol}: {end}");
        }
    }
}

fn run(end: &str) -> Result<(), Box<dyn Error>> {
    let (manner, runtime) = match end.split_once(" in ").or_else(|| end.split_once(" from ")) {
        Some((manner, place)) if place.ends_with("runtime") => (manner, Some(runtime(place))),
        _ => (end.trim_end_matches(" without a runtime"), None),
    };
    let work = || -> Result<(), Box<dyn Error>> {
        let telemetry = otel_genai_sdk::init()?;
        record(&telemetry);
        let _open = telemetry.tracer_provider().tracer("test").start("open");
        match manner {
            "returns" => Ok(()),
            "returns early" => Err("nothing more to do".into()),
            "panics" => panic!("as it should"),
            other => unreachable!("{other}"),
        }
    };
    match (manner, runtime) {
        ("panics in a task", _) => runtime_of(2).block_on(async {
            let telemetry = otel_genai_sdk::init()?;
            record(&telemetry);
            let tracer = telemetry.tracer_provider().tracer("test");
            let task = tokio::spawn(async move {
                let _open = tracer.start("open");
                panic!("as it should");
            });
            assert!(task.await.unwrap_err().is_panic());
            Ok(())
        }),
        ("panics in a thread that has the guard", _) => {
            let thread = std::thread::spawn(|| {
                let telemetry = otel_genai_sdk::init().unwrap();
                record(&telemetry);
                let _open = telemetry.tracer_provider().tracer("test").start("open");
                panic!("as it should");
            });
            assert!(thread.join().is_err());
            Ok(())
        }
        (_, Some(runtime)) => runtime.block_on(async { work() }),
        (_, None) => work(),
    }
}

fn runtime(place: &str) -> Runtime {
    runtime_of(if place.contains("current-thread") { 1 } else { 2 })
}

fn runtime_of(threads: usize) -> Runtime {
    if threads == 1 {
        return Builder::new_current_thread().enable_all().build().unwrap();
    }
    Builder::new_multi_thread().worker_threads(threads).enable_all().build().unwrap()
}

fn record(telemetry: &Telemetry) {
    telemetry.tracer_provider().tracer("test").start("work");
    telemetry.meter_provider().meter("test").u64_counter("works").build().add(1, &[]);
    let logger = telemetry.logger_provider().logger("test");
    let mut event = logger.create_log_record();
    event.set_event_name("happened");
    logger.emit(event);
}
