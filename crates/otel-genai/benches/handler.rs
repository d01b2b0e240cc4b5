//! What the handler costs: one captured chat call from start to finish, against the same span, attributes, event and
//! histograms written by hand against the OpenTelemetry API. Both in one run, in turns; medians are compared.
//!
//! `cargo bench -p otel-genai --bench handler`
#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a bench may stop by panicking"
)]

use std::collections::HashMap;
use std::hint::black_box;
use std::time::{Duration, Instant, SystemTime};

use opentelemetry::logs::{AnyValue, LogRecord as _, Logger as _, LoggerProvider as _};
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry::trace::{
    Span as _, SpanKind, SpanRef, TraceContextExt as _, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Array, Context, InstrumentationScope, Key, KeyValue, StringValue, Value};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogProcessor, SdkLogRecord, SdkLoggerProvider};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, Span, SpanData, SpanProcessor};
use otel_genai::{Capture, GenAi, Message, Part, Role, Usage};

/// Rounds are far shorter than a scheduler's time slice, and many: on a busy machine most of them are not interrupted,
/// and the median is one of those.
const CALLS: u32 = 20;
const ROUNDS: usize = 2_001;

/// Takes what is exported and does nothing with it.
#[derive(Debug)]
struct Nowhere;

impl SpanProcessor for Nowhere {
    fn on_start(&self, _: &mut Span, _: &Context) {}
    fn on_end(&self, span: SpanData) {
        black_box(span);
    }
    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }
    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

impl LogProcessor for Nowhere {
    fn emit(&self, record: &mut SdkLogRecord, _: &InstrumentationScope) {
        black_box(record);
    }
    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }
}

struct Providers {
    tracers: SdkTracerProvider,
    loggers: SdkLoggerProvider,
    meters: SdkMeterProvider,
}

fn providers() -> Providers {
    Providers {
        tracers: SdkTracerProvider::builder().with_span_processor(Nowhere).build(),
        loggers: SdkLoggerProvider::builder().with_log_processor(Nowhere).build(),
        meters: SdkMeterProvider::builder()
            .with_reader(PeriodicReader::builder(InMemoryMetricExporter::default()).build())
            .build(),
    }
}

/// As an integration does it: content comes from an iterator, from which nothing is taken where it is not wanted.
fn by_handler(genai: &GenAi) {
    let mut call = genai
        .chat("openai", "gpt-4o-mini")
        .server("api.openai.com", 443)
        .request(|r| {
            r.temperature = Some(0.2);
            r.max_tokens = Some(500);
        })
        .start();
    call.input([(Role::System, SYSTEM), (Role::User, QUESTION)].into_iter().map(spoken));
    let response = call.response_mut();
    response.id = Some("chatcmpl-1".into());
    response.model = Some("gpt-4o-mini-2024-07-18".into());
    response.finish_reasons = vec!["stop".into()];
    call.output([(Role::Assistant, ANSWER)].into_iter().map(|said| spoken(said).finish("stop")));
    call.usage = Usage::new(15, 20);
    call.finish();
}

fn spoken((role, text): (Role, &str)) -> Message {
    Message::new(role, [Part::text(text)])
}

const SYSTEM: &str = "You are a support agent. Answer in one sentence.";
const QUESTION: &str = "Where is my order? I bought a bicycle on Monday, and nobody has called me since.";
const ANSWER: &str = "Your bicycle left our warehouse this morning and will be with you on Thursday.";

struct ByHand {
    tracer: opentelemetry_sdk::trace::SdkTracer,
    logger: opentelemetry_sdk::logs::SdkLogger,
    duration: opentelemetry::metrics::Histogram<f64>,
    tokens: opentelemetry::metrics::Histogram<u64>,
}

impl ByHand {
    fn new(providers: &Providers) -> Self {
        let meter = providers.meters.meter("by hand");
        ByHand {
            tracer: providers.tracers.tracer("by hand"),
            logger: providers.loggers.logger("by hand"),
            duration: meter
                .f64_histogram("gen_ai.client.operation.duration")
                .with_boundaries((0..14).map(|i| 0.01 * f64::from(1 << i)).collect())
                .build(),
            tokens: meter
                .u64_histogram("gen_ai.client.token.usage")
                .with_boundaries((0..14).map(|i| 4f64.powi(i)).collect())
                .build(),
        }
    }

    fn call(&self, content: bool) {
        let began = Instant::now();
        let identity = || {
            vec![
                KeyValue::new("gen_ai.operation.name", "chat"),
                KeyValue::new("gen_ai.provider.name", "openai"),
                KeyValue::new("gen_ai.request.model", "gpt-4o-mini".to_owned()),
                KeyValue::new("server.address", "api.openai.com".to_owned()),
                KeyValue::new("server.port", 443_i64),
            ]
        };
        let span = self
            .tracer
            .span_builder(format!("chat {}", "gpt-4o-mini"))
            .with_kind(SpanKind::Client)
            .with_attributes(identity())
            .start_with_context(&self.tracer, &Context::current());
        let cx = Context::current_with_span(span);
        let attributes = vec![
            KeyValue::new("gen_ai.request.max_tokens", 500_i64),
            KeyValue::new("gen_ai.request.temperature", 0.2),
            KeyValue::new(
                "gen_ai.response.finish_reasons",
                Value::Array(Array::String(vec![StringValue::from("stop".to_owned())])),
            ),
            KeyValue::new("gen_ai.response.id", "chatcmpl-1".to_owned()),
            KeyValue::new("gen_ai.response.model", "gpt-4o-mini-2024-07-18".to_owned()),
            KeyValue::new("gen_ai.usage.input_tokens", 15_i64),
            KeyValue::new("gen_ai.usage.output_tokens", 20_i64),
        ];
        let span = cx.span();
        if content {
            self.event(&span, &identity(), &attributes);
        }
        span.set_attributes(attributes);
        if content {
            let input = format!(
                r#"[{{"role":"system","parts":[{{"type":"text","content":{}}}]}},{{"role":"user","parts":[{{"type":"text","content":{}}}]}}]"#,
                serde_json::to_string(SYSTEM).expect("text"),
                serde_json::to_string(QUESTION).expect("text")
            );
            let output = format!(
                r#"[{{"role":"assistant","parts":[{{"type":"text","content":{}}}],"finish_reason":"stop"}}]"#,
                serde_json::to_string(ANSWER).expect("text")
            );
            span.set_attribute(KeyValue::new("gen_ai.input.messages", input));
            span.set_attribute(KeyValue::new("gen_ai.output.messages", output));
        }
        span.end();
        let mut attributes = identity();
        attributes.push(KeyValue::new("gen_ai.response.model", "gpt-4o-mini-2024-07-18".to_owned()));
        self.duration.record(began.elapsed().as_secs_f64(), &attributes);
        attributes.push(KeyValue::new("gen_ai.token.type", "input"));
        self.tokens.record(15, &attributes);
        attributes.pop();
        attributes.push(KeyValue::new("gen_ai.token.type", "output"));
        self.tokens.record(20, &attributes);
    }

    fn event(&self, span: &SpanRef<'_>, identity: &[KeyValue], attributes: &[KeyValue]) {
        let mut record = self.logger.create_log_record();
        record.set_event_name("gen_ai.client.inference.operation.details");
        record.set_timestamp(SystemTime::now());
        let sc = span.span_context();
        record.set_trace_context(sc.trace_id(), sc.span_id(), Some(sc.trace_flags()));
        for attribute in identity.iter().chain(attributes) {
            record.add_attribute(attribute.key.clone(), plain(attribute.value.clone()));
        }
        record.add_attribute(
            "gen_ai.input.messages",
            AnyValue::ListAny(Box::new(vec![message("system", SYSTEM), message("user", QUESTION)])),
        );
        record.add_attribute(
            "gen_ai.output.messages",
            AnyValue::ListAny(Box::new(vec![message("assistant", ANSWER)])),
        );
        self.logger.emit(record);
    }
}

fn plain(value: Value) -> AnyValue {
    match value {
        Value::I64(v) => v.into(),
        Value::F64(v) => v.into(),
        Value::String(v) => v.into(),
        Value::Array(Array::String(items)) => items.into_iter().collect(),
        _ => "".into(),
    }
}

fn message(role: &'static str, text: &str) -> AnyValue {
    let part: HashMap<Key, AnyValue> =
        [("type".into(), "text".into()), ("content".into(), text.to_owned().into())].into();
    let parts = AnyValue::ListAny(Box::new(vec![AnyValue::Map(Box::new(part))]));
    AnyValue::Map(Box::new([("role".into(), role.into()), ("parts".into(), parts)].into()))
}

fn time(mut call: impl FnMut()) -> f64 {
    let began = Instant::now();
    for _ in 0..CALLS {
        call();
    }
    began.elapsed().as_secs_f64() / f64::from(CALLS) * 1e6
}

/// One row of the table: what is measured, and the row that is 1 to it.
struct Row<'a> {
    name: &'static str,
    baseline: usize,
    call: Box<dyn Fn() + 'a>,
    times: Vec<f64>,
}

impl<'a> Row<'a> {
    fn new(name: &'static str, baseline: usize, call: impl Fn() + 'a) -> Self {
        Row { name, baseline, call: Box::new(call), times: Vec::new() }
    }

    fn median(&self) -> f64 {
        let mut times = self.times.clone();
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    }
}

fn main() {
    let providers = providers();
    let handler = |capture| {
        GenAi::builder()
            .tracer_provider(&providers.tracers)
            .logger_provider(&providers.loggers)
            .meter_provider(&providers.meters)
            .capture(capture)
            .build()
    };
    let (full, without) = (handler(Capture::SpanAndEvent), handler(Capture::NoContent));
    let off =
        SdkTracerProvider::builder().with_sampler(Sampler::AlwaysOff).with_span_processor(Nowhere).build();
    let unsampled = GenAi::builder().tracer_provider(&off).without_metrics().build();
    let no_sdk = GenAi::builder().build();
    let by_hand = ByHand::new(&providers);
    let (bare, bare_off) = (providers.tracers.tracer("bare"), off.tracer("bare"));
    let mut rows = [
        Row::new("an empty span", 0, || bare.start("chat").end()),
        Row::new("by hand, content on span and event", 1, || by_hand.call(true)),
        Row::new("handler, content on span and event", 1, || by_handler(&full)),
        Row::new("by hand, no content", 3, || by_hand.call(false)),
        Row::new("handler, no content", 3, || by_handler(&without)),
        Row::new("an empty span, not sampled", 5, || bare_off.start("chat").end()),
        Row::new("handler, not sampled, no metrics", 5, || by_handler(&unsampled)),
        Row::new("handler, no SDK installed", 5, || by_handler(&no_sdk)),
    ];
    // For a profiler: `cargo bench ... -- "handler, no content"` runs that row alone.
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    if let Some(row) = rows.iter_mut().find(|row| only.as_deref() == Some(row.name)) {
        row.times = (0..10 * ROUNDS).map(|_| time(&row.call)).collect();
        return println!("{}: {:.2} µs", row.name, row.median());
    }
    for _ in 0..ROUNDS {
        for row in &mut rows {
            let elapsed = time(&row.call);
            row.times.push(elapsed);
        }
    }
    println!("| one chat call | median µs | × baseline |\n|---|---|---|");
    for row in &rows {
        let median = row.median();
        let times = median / rows[row.baseline].median();
        println!("| {} | {median:.2} | {times:.2} |", row.name);
    }
}
