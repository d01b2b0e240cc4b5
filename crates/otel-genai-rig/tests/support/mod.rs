//! rig's real clients and agents against a model server that answers by a script, and what they leave in telemetry.
#![allow(dead_code, unused_imports, reason = "each test file uses its part")]

use std::time::Duration;

use opentelemetry::trace::{SpanId, TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::logs::{InMemoryLogExporter, SdkLoggerProvider};
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ScopeMetrics};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use otel_genai::{Capture, GenAi};
use otel_genai_conformance::{Convention, Finding, Telemetry};
use otel_genai_http::{Observer, Options};
use otel_genai_rig::{GenAiHook, GenAiHttp};
use rig_agent::AgentBuilder;
use rig_agent::tool::{Tool, ToolContext, ToolExecutionError};
use rig_core::providers::openai::{OpenAI, OpenAIConfig};
use rig_reqwest::ReqwestClient;
use serde_json::{Value, json as value};

#[path = "../../../otel-genai-http/tests/support/mod.rs"]
mod scripted;

pub(crate) use scripted::{ANSWER, Answer, EVENTS, NO_KEY, REFUSAL, Server, Told, json, silence, stream};

/// Two tools at once, then an answer.
pub(crate) const TWO_CALLS: &str = concat!(
    r#"{"id":"chatcmpl-0","object":"chat.completion","created":1,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"#,
    r#""message":{"role":"assistant","content":null,"tool_calls":["#,
    r#"{"id":"call_1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Paris\"}"}},"#,
    r#"{"id":"call_2","type":"function","function":{"name":"time","arguments":"{\"city\":\"Oslo\"}"}}"#,
    r#"]},"finish_reason":"tool_calls","logprobs":null}],"#,
    r#""usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}}"#
);

/// One tool.
pub(crate) const ONE_CALL: &str = concat!(
    r#"{"id":"chatcmpl-0","object":"chat.completion","created":1,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"#,
    r#""message":{"role":"assistant","content":null,"tool_calls":["#,
    r#"{"id":"call_1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Paris\"}"}}"#,
    r#"]},"finish_reason":"tool_calls","logprobs":null}],"#,
    r#""usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}}"#
);

/// Telemetry in memory.
pub(crate) struct World {
    pub(crate) genai: GenAi,
    pub(crate) observer: Observer,
    pub(crate) tracers: SdkTracerProvider,
    meters: SdkMeterProvider,
    spans: InMemorySpanExporter,
    metrics: InMemoryMetricExporter,
    logs: InMemoryLogExporter,
}

impl World {
    pub(crate) fn new() -> Self {
        World::capturing(Capture::SpanAndEvent)
    }

    pub(crate) fn capturing(capture: Capture) -> Self {
        let (spans, metrics, logs) = (
            InMemorySpanExporter::default(),
            InMemoryMetricExporter::default(),
            InMemoryLogExporter::default(),
        );
        let tracers = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
        let meters = SdkMeterProvider::builder()
            .with_reader(
                PeriodicReader::builder(metrics.clone()).with_interval(Duration::from_secs(3600)).build(),
            )
            .build();
        let loggers = SdkLoggerProvider::builder().with_simple_exporter(logs.clone()).build();
        let genai = GenAi::builder()
            .tracer_provider(&tracers)
            .meter_provider(&meters)
            .logger_provider(&loggers)
            .capture(capture)
            .build();
        let observer = Observer::new(genai.clone(), Options::default()).unwrap();
        World { genai, observer, tracers, meters, spans, metrics, logs }
    }

    pub(crate) fn hook(&self) -> GenAiHook {
        GenAiHook::with(self.genai.clone())
    }

    /// The transport under test, around a client.
    pub(crate) fn http(&self, client: reqwest::Client) -> GenAiHttp<ReqwestClient> {
        GenAiHttp::new(ReqwestClient::from(client)).with(self.observer.clone())
    }

    pub(crate) fn openai(&self, server: &Server) -> OpenAI {
        self.openai_at(&server.url("/v1"), reqwest::Client::new())
    }

    pub(crate) fn openai_at(&self, url: &str, client: reqwest::Client) -> OpenAI {
        OpenAIConfig::new("sk-secret").with_base_url(url).connect(self.http(client))
    }

    /// An agent under test, without tools.
    pub(crate) fn agent(&self, server: &Server) -> AgentBuilder {
        AgentBuilder::new(self.openai(server).chat("gpt-4o-mini")).name("planner").add_hook(self.hook())
    }

    /// A span of the application.
    pub(crate) fn parent(&self) -> opentelemetry::Context {
        opentelemetry::Context::current_with_span(self.tracers.tracer("app").start("request"))
    }

    pub(crate) fn tree(&self) -> Tree {
        assert!(self.observer.drain(Duration::from_secs(10)));
        Tree(self.spans.get_finished_spans().unwrap())
    }

    /// What the convention has against all of it.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let mut telemetry = Telemetry::default();
        telemetry.add_spans(&self.tree().0);
        telemetry.add_logs(&self.logs.get_emitted_logs().unwrap());
        self.meters.force_flush().unwrap();
        telemetry.add_metrics(self.metrics.get_finished_metrics().unwrap().last());
        otel_genai_conformance::check(&telemetry, Convention::V2026_08)
    }

    /// The names of events, in order.
    pub(crate) fn events(&self) -> Vec<(String, Option<SpanId>)> {
        let logs = self.logs.get_emitted_logs().unwrap();
        let events = logs.iter().map(|log| {
            let span = log.record.trace_context().map(|context| context.span_id);
            (log.record.event_name().unwrap_or_default().to_owned(), span)
        });
        events.collect()
    }

    /// Of a histogram: how many points were recorded for whom, and their sum.
    pub(crate) fn metric(&self, name: &str, key: &str) -> Vec<(String, u64, f64)> {
        self.meters.force_flush().unwrap();
        let all = self.metrics.get_finished_metrics().unwrap();
        let Some(last) = all.last() else { return Vec::new() };
        let mut found = Vec::new();
        for metric in last.scope_metrics().flat_map(ScopeMetrics::metrics).filter(|m| m.name() == name) {
            let AggregatedMetrics::F64(MetricData::Histogram(points)) = metric.data() else {
                if let AggregatedMetrics::U64(MetricData::Histogram(points)) = metric.data() {
                    found.extend(points.data_points().map(|p| {
                        let of = p.attributes().find(|a| a.key.as_str() == key);
                        (of.map(|a| a.value.to_string()).unwrap_or_default(), p.count(), p.sum() as f64)
                    }));
                }
                continue;
            };
            found.extend(points.data_points().map(|p| {
                let of = p.attributes().find(|a| a.key.as_str() == key);
                (of.map(|a| a.value.to_string()).unwrap_or_default(), p.count(), p.sum())
            }));
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        found
    }
}

/// All finished spans.
#[derive(Debug)]
pub(crate) struct Tree(pub(crate) Vec<SpanData>);

impl Tree {
    /// The one span of this name.
    #[track_caller]
    pub(crate) fn one(&self, name: &str) -> Told {
        let mut all = self.all(name);
        assert_eq!(all.len(), 1, "spans {name:?} among {self}");
        all.remove(0)
    }

    pub(crate) fn all(&self, name: &str) -> Vec<Told> {
        self.0.iter().filter(|span| span.name == name).cloned().map(Told).collect()
    }
}

/// One line a span: its name, and those of the spans around it.
impl std::fmt::Display for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut lines: Vec<_> = self.0.iter().map(|span| self.line(span)).collect();
        lines.sort();
        f.write_str(&lines.join("\n"))
    }
}

impl Tree {
    fn line(&self, span: &SpanData) -> String {
        let parent = self.0.iter().find(|other| {
            other.span_context.span_id() == span.parent_span_id
                && other.span_context.trace_id() == span.span_context.trace_id()
        });
        match parent {
            Some(parent) => format!("{} > {}", self.line(parent), span.name),
            None if span.parent_span_id != SpanId::INVALID => format!("? > {}", span.name),
            None => span.name.to_string(),
        }
    }
}

#[derive(serde::Deserialize)]
pub(crate) struct City {
    pub(crate) city: String,
}

/// A tool that answers at once.
pub(crate) struct Weather;

impl Tool for Weather {
    const NAME: &'static str = "weather";
    type Args = City;
    type Output = Value;
    type Error = ToolExecutionError;

    fn description(&self) -> String {
        "The weather in a city.".to_owned()
    }

    fn parameters(&self) -> Value {
        value!({"type": "object", "properties": {"city": {"type": "string"}}})
    }

    async fn call(&self, _: &mut ToolContext, City { city }: City) -> Result<Value, ToolExecutionError> {
        Ok(value!({"city": city, "sky": "clear"}))
    }
}

/// A tool that fails.
pub(crate) struct Time;

impl Tool for Time {
    const NAME: &'static str = "time";
    type Args = City;
    type Output = String;
    type Error = ToolExecutionError;

    fn description(&self) -> String {
        "The time in a city.".to_owned()
    }

    fn parameters(&self) -> Value {
        value!({"type": "object", "properties": {"city": {"type": "string"}}})
    }

    async fn call(&self, _: &mut ToolContext, City { city }: City) -> Result<String, ToolExecutionError> {
        Err(ToolExecutionError::timeout(format!("no clock in {city}")))
    }
}
