//! A program that uses `tracing` has one tree, however its spans and those of otel-genai alternate.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Error;
use std::process::Command;
use std::time::Duration;

use otel_genai::GenAi;
use otel_genai_sdk::{Builder, Telemetry};
use tracing::{Instrument, Span, error, info, info_span};

#[allow(
    dead_code,
    reason = "the receiver's other uses are in tests/export.rs, tests/honoured.rs and tests/tls.rs"
)]
mod receiver;
use receiver::{Manner, Receiver};

const LONG: Duration = Duration::from_secs(30);

/// One subscriber a process: all mixes are in one test.
#[test]
fn five_mixes_are_one_tree_each() {
    let receiver = Receiver::start(Manner::Accept);
    let telemetry = to(&receiver).init_with_tracing().unwrap();
    assert!(telemetry.warnings().is_empty(), "{:?}", telemetry.warnings());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let genai = genai(&telemetry);
    runtime.block_on(async {
        tracing_around_genai(&genai).instrument(info_span!("1 handler")).await;
        genai_around_tracing(&genai).await;
        across_spawn(&genai).instrument(info_span!("3 handler")).await;
        across_spawn_blocking(&genai).instrument(info_span!("4 handler")).await;
        with_events(&genai).instrument(info_span!("5 handler")).await;
    });
    let report = telemetry.shutdown(LONG);
    assert!(report.is_complete(), "{report:?}");

    let expected: BTreeSet<(String, String)> = [
        ("1 handler", ""),
        ("chat 1", "1 handler"),
        ("1 client", "chat 1"),
        ("invoke_agent 2", ""),
        ("2 step", "invoke_agent 2"),
        ("chat 2", "2 step"),
        ("3 handler", ""),
        ("3 task", "3 handler"),
        ("invoke_agent 3", "3 task"),
        ("3 task of an agent", "invoke_agent 3"),
        ("chat 3", "3 task of an agent"),
        ("4 handler", ""),
        ("4 blocking", "4 handler"),
        ("chat 4", "4 blocking"),
        ("4 within", "chat 4"),
        ("5 handler", ""),
        ("chat 5", "5 handler"),
        ("5 client", "chat 5"),
    ]
    .into_iter()
    .map(|(child, parent)| (child.to_owned(), parent.to_owned()))
    .collect();
    let (edges, traces, names) = tree(&receiver);
    assert_eq!(edges, expected);
    // One trace a mix.
    assert_eq!(traces.len(), 5, "{traces:?}");

    let told = events(&receiver);
    let of = |body: &str| told.iter().find(|(said, ..)| said == body).map(|(_, span, _)| &*names[span]);
    assert_eq!(of("by the handler"), Some("5 handler"));
    assert_eq!(of("during the call"), Some("chat 5"));
    assert_eq!(of("by the client"), Some("5 client"));
    assert!(told.iter().all(|(said, ..)| said != "too quiet"), "{told:?}");

    // An event is a log record; only an error marks its span as well.
    let received = receiver.received.lock().unwrap();
    let scopes = received.traces.iter().flat_map(|r| &r.resource_spans).flat_map(|r| &r.scope_spans);
    let events: BTreeMap<_, _> = scopes
        .flat_map(|scope| &scope.spans)
        .filter(|span| !span.events.is_empty())
        .map(|span| (span.name.as_str(), span.status.as_ref().unwrap().code))
        .collect();
    assert_eq!(events, BTreeMap::from([("5 client", 2)]));
}

async fn tracing_around_genai(genai: &GenAi) {
    let call = genai.chat("openai", "1").scope(async |_| {
        tokio::task::yield_now().instrument(info_span!("1 client")).await;
        Ok::<_, Error>(())
    });
    call.await.unwrap();
}

async fn genai_around_tracing(genai: &GenAi) {
    let call = genai.invoke_agent("2").scope(async |_| {
        let step = async {
            tokio::task::yield_now().await;
            genai.chat("openai", "2").scope(async |_| Ok::<_, Error>(())).await
        };
        step.instrument(info_span!("2 step")).await
    });
    call.await.unwrap();
}

async fn across_spawn(genai: &GenAi) {
    let spawned = genai.clone();
    let task = async move {
        let call = spawned.clone().invoke_agent("3").scope(async |_| {
            let task = async move { spawned.chat("openai", "3").scope(async |_| Ok::<_, Error>(())).await };
            // The span is made here, within the run of the agent, and goes with the task.
            tokio::spawn(task.instrument(info_span!("3 task of an agent"))).await.unwrap()
        });
        call.await.unwrap();
    };
    tokio::spawn(task.instrument(info_span!("3 task"))).await.unwrap();
}

async fn across_spawn_blocking(genai: &GenAi) {
    let (genai, span) = (genai.clone(), info_span!("4 blocking"));
    let work = move || {
        let _entered = span.enter();
        let call = genai.chat("openai", "4").in_scope(|_| {
            info_span!("4 within").in_scope(|| ());
            Ok::<_, Error>(())
        });
        call.unwrap();
    };
    tokio::task::spawn_blocking(work).await.unwrap();
}

async fn with_events(genai: &GenAi) {
    info!("by the handler");
    let call = genai.chat("openai", "5").scope(async |_| {
        info!("during the call");
        tracing::debug!("too quiet");
        info_span!("5 client").in_scope(|| error!("by the client"));
        Ok::<_, Error>(())
    });
    call.await.unwrap();
    assert!(!Span::current().is_none());
}

/// The receiver of spans is away, and every level is let through. What the exporters say of that is for the terminal:
/// were it exported, every export would be the cause of another.
#[test]
fn what_exporters_say_is_not_exported() {
    const ROLE: &str = "OTEL_GENAI_SDK_TEST_RECURSION";
    if std::env::var_os(ROLE).is_some() {
        let telemetry = otel_genai_sdk::init_with_tracing().unwrap();
        for _ in 0..3 {
            info_span!(target: "program", "work").in_scope(|| info!(target: "program", "told"));
            let _ = telemetry.flush(LONG);
        }
        // A second subscriber is no reason to fail.
        let second = otel_genai_sdk::init_with_tracing().unwrap();
        drop((second, telemetry));
        return;
    }
    let receiver = Receiver::start(Manner::Accept);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "what_exporters_say_is_not_exported", "--nocapture"])
        .env(ROLE, "1")
        .env("RUST_LOG", "trace")
        .env("OTEL_LOG_LEVEL", "loud")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url())
        .env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", format!("http://{nobody}/v1/traces"))
        .env("OTEL_TRACES_SAMPLER", "sometimes")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{said}");
    let told: Vec<_> = events(&receiver).into_iter().map(|(said, _, target)| (said, target)).collect();
    assert_eq!(told, vec![("told".to_owned(), "program".to_owned()); 3], "{said}");
    for line in [
        "traces cannot be exported to",
        "OTEL_TRACES_SAMPLER: \"sometimes\" is not one of",
        "OTEL_LOG_LEVEL: \"loud\" is not one of",
        "has a tracing subscriber already",
        "program: told",
    ] {
        assert!(said.contains(line), "{line} is missing: {said}");
    }
}

fn to(receiver: &Receiver) -> Builder {
    otel_genai_sdk::builder().vars(|_| None).set("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url(), "test")
}

fn genai(telemetry: &Telemetry) -> GenAi {
    GenAi::builder()
        .tracer_provider(&telemetry.tracer_provider())
        .logger_provider(&telemetry.logger_provider())
        .meter_provider(&telemetry.meter_provider())
        .build()
}

type Edges = BTreeSet<(String, String)>;

/// Each span with the name of its parent, the traces, and the names by identifier.
fn tree(receiver: &Receiver) -> (Edges, BTreeSet<Vec<u8>>, HashMap<Vec<u8>, String>) {
    let received = receiver.received.lock().unwrap();
    let scopes = received.traces.iter().flat_map(|r| &r.resource_spans).flat_map(|r| &r.scope_spans);
    let spans: Vec<_> = scopes.flat_map(|scope| &scope.spans).collect();
    let names: HashMap<_, _> = spans.iter().map(|span| (span.span_id.clone(), span.name.clone())).collect();
    let parent = |id: &Vec<u8>| match id.is_empty() {
        true => String::new(),
        false => names.get(id).cloned().unwrap_or_else(|| "unknown".to_owned()),
    };
    let edges = spans.iter().map(|span| (span.name.clone(), parent(&span.parent_span_id))).collect();
    (edges, spans.iter().map(|span| span.trace_id.clone()).collect(), names)
}

/// Text, span and target of the log records.
fn events(receiver: &Receiver) -> Vec<(String, Vec<u8>, String)> {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    let received = receiver.received.lock().unwrap();
    let scopes = received.logs.iter().flat_map(|r| &r.resource_logs).flat_map(|r| &r.scope_logs);
    let records = scopes.flat_map(|scope| {
        let target = scope.scope.as_ref().unwrap().name.clone();
        scope.log_records.iter().map(move |record| (record, target.clone()))
    });
    let text = |record: &opentelemetry_proto::tonic::logs::v1::LogRecord| match record
        .body
        .as_ref()
        .and_then(|body| body.value.clone())
    {
        Some(Value::StringValue(text)) => text,
        other => format!("{other:?}"),
    };
    records.map(|(record, target)| (text(record), record.span_id.clone(), target)).collect()
}
