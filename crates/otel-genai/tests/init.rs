//! Telemetry by one line.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry_sdk::trace::{InMemorySpanExporter, SimpleSpanProcessor};
use otel_genai::{Capture, Drain, GenAi, Setup};

/// A test of globals has a process of its own.
const ROLE: &str = "OTEL_GENAI_TEST_INIT";

fn alone(test: &str, vars: &[(&str, &str)]) -> Option<String> {
    if std::env::var_os(ROLE).is_some() {
        return None;
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", test, "--nocapture"]);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("OTEL_")) {
        child.env_remove(name);
    }
    child.env(ROLE, "child").envs(vars.iter().copied());
    let output = child.output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    Some(said)
}

fn setup(spans: &InMemorySpanExporter) -> Setup {
    let exporter = spans.clone();
    otel_genai::setup().sdk(|sdk| {
        sdk.default_exporter(otel_genai::sdk::Exporter::None)
            .wrap_spans(|_, _, _| SimpleSpanProcessor::new(exporter))
    })
}

fn names(spans: &InMemorySpanExporter) -> Vec<String> {
    spans.get_finished_spans().unwrap().into_iter().map(|span| span.name.into_owned()).collect()
}

/// Tells a call when it is asked, as observers do.
struct Late(Mutex<Option<GenAi>>);

impl Drain for Late {
    fn drain(&self, timeout: Duration) -> bool {
        assert!(timeout <= Duration::from_secs(3), "{timeout:?}");
        if let Some(genai) = self.0.lock().unwrap().take() {
            genai.chat("openai", "late").start().finish();
        }
        true
    }
}

#[test]
fn the_global_handler_writes_to_it_and_what_is_still_read_is_told_before_the_end() {
    if alone("the_global_handler_writes_to_it_and_what_is_still_read_is_told_before_the_end", &[]).is_some() {
        return;
    }
    let spans = InMemorySpanExporter::default();
    let telemetry = setup(&spans).handler(|genai| genai.capture(Capture::SpanOnly)).init().unwrap();
    let genai = GenAi::global();
    assert!(genai.captures_content());
    genai.chat("openai", "gpt-4o-mini").start().finish();
    assert_eq!(names(&spans), ["chat gpt-4o-mini"]);

    let late = Arc::new(Late(Mutex::new(Some(genai.clone()))));
    let drain: Arc<dyn Drain> = late.clone();
    genai.drain_with(Arc::downgrade(&drain));
    let _ = telemetry.flush(Duration::from_secs(3));
    assert_eq!(names(&spans), ["chat gpt-4o-mini", "chat late"]);
    *late.0.lock().unwrap() = Some(genai.clone());
    drop(telemetry);
    // The exporter forgets at shutdown, so that this is told by what it has taken last.
    assert!(late.0.lock().unwrap().is_none(), "asked before the end");
}

#[test]
fn the_first_set_up_stays_and_the_second_is_warned_of() {
    let name = "the_first_set_up_stays_and_the_second_is_warned_of";
    if let Some(said) = alone(name, &[]) {
        assert_eq!(said.matches("there is a global GenAI handler already").count(), 1, "{said}");
        return;
    }
    let (first, second) = (InMemorySpanExporter::default(), InMemorySpanExporter::default());
    let _telemetry = setup(&first).init_with_tracing().unwrap();
    let _other = setup(&second).init().unwrap();
    GenAi::global().chat("openai", "gpt-4o-mini").start().finish();
    assert_eq!(names(&first), ["chat gpt-4o-mini"]);
    assert!(names(&second).is_empty());
}

/// `let _ = init()?` drops the guard at once.
#[test]
fn who_calls_before_the_set_up_or_after_its_end_is_told() {
    let name = "who_calls_before_the_set_up_or_after_its_end_is_told";
    if let Some(said) = alone(name, &[]) {
        assert_eq!(said.matches("call was made before telemetry was set up").count(), 1, "{said}");
        assert_eq!(said.matches("begins after telemetry was shut down").count(), 1, "{said}");
        return;
    }
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    GenAi::global().chat("openai", "early").start().finish();
    drop(setup(&InMemorySpanExporter::default()).init().unwrap());
    for _ in 0..3 {
        GenAi::global().chat("openai", "late").start().finish();
    }
}

#[test]
fn what_is_disabled_records_nothing() {
    if alone("what_is_disabled_records_nothing", &[("OTEL_SDK_DISABLED", "true")]).is_some() {
        return;
    }
    let spans = InMemorySpanExporter::default();
    let telemetry = setup(&spans).init().unwrap();
    assert!(telemetry.is_disabled());
    let call = GenAi::global().chat("openai", "gpt-4o-mini").start();
    assert!(!opentelemetry::trace::TraceContextExt::span(call.context()).is_recording());
    call.finish();
}

#[test]
fn who_asks_for_spans_and_has_no_provider_is_told_once() {
    let name = "who_asks_for_spans_and_has_no_provider_is_told_once";
    let hint = "has no tracer provider in this program";
    if let Some(said) = alone(name, &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")]) {
        assert_eq!(said.matches(hint).count(), 1, "{said}");
        assert!(said.contains("cargo tree -d"), "{said}");
        assert!(!alone(name, &[]).unwrap().contains(hint));
        return;
    }
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let genai = GenAi::global();
    for _ in 0..3 {
        genai.chat("openai", "gpt-4o-mini").start().finish();
    }
}
