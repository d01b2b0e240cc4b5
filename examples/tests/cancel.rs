//! The example agent may be dropped wherever it waits: every operation that was running then ends, as cancelled.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context as Task, Poll, Waker};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::{Span as _, SpanId, Status, TraceContextExt as _};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{InMemoryLogExporter, SdkLoggerProvider};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use opentelemetry_sdk::trace::{SdkTracerProvider, Span, SpanData, SpanProcessor};
use otel_genai::{Capture, Config, GenAi};
use otel_genai_conformance::{Checker, Convention};
use otel_genai_examples::agent::Agent;
use otel_genai_examples::model::{Model, ModelError};

/// What an undisturbed run tells: each span with its parent. The two tools run at the same time.
const TREE: &[(&str, &str)] = &[
    ("chat gpt-4o-mini", "invoke_agent Support"),
    ("chat gpt-4o-mini", "invoke_agent Support"),
    ("chat gpt-4o-mini", "plan Support"),
    ("create_agent Support", "enter_ai_application_system"),
    ("embeddings text-embedding-3-small", "retrieval handbook"),
    ("enter_ai_application_system", ""),
    ("execute_tool search_handbook", "invoke_agent Support"),
    ("execute_tool track_order", "invoke_agent Support"),
    ("invoke_agent Support", "enter_ai_application_system"),
    ("plan Support", "invoke_agent Support"),
    ("rerank_documents rerank-v3.5", "execute_tool search_handbook"),
    ("retrieval handbook", "execute_tool search_handbook"),
    ("search_memory", "invoke_agent Support"),
    ("upsert_memory", "invoke_agent Support"),
];

#[test]
fn dropped_at_any_await_point_the_agent_leaves_no_span_open() {
    let whole = (1..).find(|polls| !is_dropped_cleanly_after(*polls)).unwrap();
    assert!(whole > 12, "the agent waits only {whole} times: there is nothing to cancel");
}

/// Polls the agent this often and drops it. `false`: it was done before.
fn is_dropped_cleanly_after(polls: usize) -> bool {
    let telemetry = Telemetry::new();
    let book = &telemetry.book;
    let mut task = Task::from_waker(Waker::noop());
    let running = {
        let mut run = pin!(answer(&telemetry.genai));
        for _ in 0..polls {
            if let Poll::Ready(answer) = run.as_mut().poll(&mut task) {
                answer.unwrap();
                return false;
            }
        }
        book.open()
    };
    assert!(!running.is_empty(), "after {polls} polls nothing was running");
    assert_eq!(book.open(), HashSet::new(), "left open after {polls} polls");
    for span in book.ended() {
        let was_running = running.contains(&span.span_context.span_id());
        let error = was_running.then_some("cancelled");
        assert_eq!(attribute(&span, "error.type").as_deref(), error, "{} after {polls} polls", span.name);
        assert_eq!(span.status != Status::Unset, was_running, "{} after {polls} polls", span.name);
    }
    assert!(!Context::current().has_active_span(), "something is still current after {polls} polls");
    true
}

#[test]
fn undisturbed_the_agent_tells_one_tree_that_the_convention_allows() {
    let telemetry = Telemetry::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let genai = telemetry.genai.clone();
    // Spawned, so that the agent's future is one that moves across threads.
    let answer = runtime.block_on(runtime.spawn(async move { answer(&genai).await })).unwrap().unwrap();
    assert_eq!(answer, "Your order is in Hamburg. It will be two days late, and shipping is free.");

    let spans = telemetry.book.ended();
    let names: HashMap<SpanId, String> =
        spans.iter().map(|span| (span.span_context.span_id(), span.name.to_string())).collect();
    let mut tree: Vec<(String, String)> = spans
        .iter()
        .map(|span| {
            let parent = names.get(&span.parent_span_id).cloned().unwrap_or_default();
            (span.name.to_string(), parent)
        })
        .collect();
    tree.sort();
    let expected: Vec<(String, String)> =
        TREE.iter().map(|(name, parent)| ((*name).to_owned(), (*parent).to_owned())).collect();
    assert_eq!(tree, expected);
    assert_eq!(spans.iter().map(|span| span.span_context.trace_id()).collect::<HashSet<_>>().len(), 1);
    assert!(spans.iter().all(|span| span.status == Status::Unset));
    for span in spans.iter().filter(|span| span.name.starts_with("chat ")) {
        let conversation = attribute(span, "gen_ai.conversation.id");
        assert_eq!(conversation.as_deref(), Some("conversation-7"), "said once, on the agent");
    }
    for span in spans.iter().filter(|span| span.name.starts_with("execute_tool ")) {
        assert_eq!(attribute(span, "gen_ai.agent.name").as_deref(), Some("Support"), "likewise");
    }

    let findings = telemetry.findings();
    assert!(findings.is_empty(), "{findings:#?}");
}

async fn answer(genai: &GenAi) -> Result<String, ModelError> {
    let agent = Agent::new(genai.clone(), Model::new(Duration::ZERO));
    let mut shown = String::new();
    let answer = agent.answer("user-1", "Where is my order?", |text| shown.push_str(text)).await?;
    assert_eq!(shown, answer);
    Ok(answer)
}

fn attribute(span: &SpanData, key: &str) -> Option<String> {
    let found = span.attributes.iter().find(|attribute| attribute.key.as_str() == key);
    found.map(|attribute| attribute.value.to_string())
}

/// All that begins and ends.
#[derive(Clone, Debug, Default)]
struct Book(Arc<Mutex<Entries>>);

#[derive(Debug, Default)]
struct Entries {
    started: HashSet<SpanId>,
    ended: Vec<SpanData>,
}

impl Book {
    fn ended(&self) -> Vec<SpanData> {
        self.0.lock().unwrap().ended.clone()
    }

    fn open(&self) -> HashSet<SpanId> {
        let entries = self.0.lock().unwrap();
        let ended: HashSet<SpanId> = entries.ended.iter().map(|span| span.span_context.span_id()).collect();
        assert_eq!(ended.len(), entries.ended.len(), "a span ended twice");
        entries.started.difference(&ended).copied().collect()
    }
}

impl SpanProcessor for Book {
    fn on_start(&self, span: &mut Span, _: &Context) {
        self.0.lock().unwrap().started.insert(span.span_context().span_id());
    }

    fn on_end(&self, span: SpanData) {
        self.0.lock().unwrap().ended.push(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

struct Telemetry {
    genai: GenAi,
    book: Book,
    meters: SdkMeterProvider,
    logs: InMemoryLogExporter,
    metrics: InMemoryMetricExporter,
}

impl Telemetry {
    fn new() -> Self {
        let (book, logs, metrics) =
            (Book::default(), InMemoryLogExporter::default(), InMemoryMetricExporter::default());
        let tracers = SdkTracerProvider::builder().with_span_processor(book.clone()).build();
        let loggers = SdkLoggerProvider::builder().with_simple_exporter(logs.clone()).build();
        let meters = SdkMeterProvider::builder().with_periodic_exporter(metrics.clone()).build();
        let genai = GenAi::builder()
            .config(Config::default())
            .capture(Capture::SpanAndEvent)
            .tracer_provider(&tracers)
            .logger_provider(&loggers)
            .meter_provider(&meters)
            .build();
        Self { genai, book, meters, logs, metrics }
    }

    /// What the convention has against it, LoongSuite's additions apart.
    fn findings(&self) -> Vec<otel_genai_conformance::Finding> {
        self.meters.force_flush().unwrap();
        let mut told = otel_genai_conformance::Telemetry::default();
        told.add_spans(&self.book.ended());
        told.add_logs(&self.logs.get_emitted_logs().unwrap());
        told.add_metrics(&self.metrics.get_finished_metrics().unwrap());
        [
            "gen_ai.rerank.*",
            "gen_ai.span.kind",
            "gen_ai.session.id",
            "gen_ai.user.id",
            "rerank_documents",
            "enter",
        ]
        .into_iter()
        .fold(Checker::new(Convention::V2026_08), Checker::allow)
        .check(&told)
    }
}
