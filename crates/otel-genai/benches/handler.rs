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
use opentelemetry::trace::{Span as _, SpanKind, TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Array, Context, InstrumentationScope, Key, KeyValue, StringValue, Value};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogProcessor, SdkLogRecord, SdkLoggerProvider};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{SdkTracerProvider, Span, SpanData, SpanProcessor};
use otel_genai::{Capture, GenAi, Message, Usage};

const CALLS: u32 = 2_000;
const ROUNDS: usize = 31;

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

fn by_handler(genai: &GenAi) {
    let mut call = genai
        .chat("openai", "gpt-4o-mini")
        .server("api.openai.com", 443)
        .request(|r| {
            r.temperature = Some(0.2);
            r.max_tokens = Some(500);
        })
        .start();
    call.input([Message::system(SYSTEM), Message::user(QUESTION)]);
    let response = call.response_mut();
    response.id = Some("chatcmpl-1".into());
    response.model = Some("gpt-4o-mini-2024-07-18".into());
    response.finish_reasons = vec!["stop".into()];
    call.output([Message::assistant(ANSWER).finish("stop")]);
    call.usage = Usage::new(15, 20);
    call.finish();
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

    fn call(&self) {
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
        let input = format!(
            r#"[{{"role":"system","parts":[{{"type":"text","content":{}}}]}},{{"role":"user","parts":[{{"type":"text","content":{}}}]}}]"#,
            serde_json::to_string(SYSTEM).expect("text"),
            serde_json::to_string(QUESTION).expect("text")
        );
        let output = format!(
            r#"[{{"role":"assistant","parts":[{{"type":"text","content":{}}}],"finish_reason":"stop"}}]"#,
            serde_json::to_string(ANSWER).expect("text")
        );
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
        let mut record = self.logger.create_log_record();
        record.set_event_name("gen_ai.client.inference.operation.details");
        record.set_timestamp(SystemTime::now());
        let span = cx.span();
        let sc = span.span_context();
        record.set_trace_context(sc.trace_id(), sc.span_id(), Some(sc.trace_flags()));
        for attribute in identity() {
            record.add_attribute(attribute.key, plain(attribute.value));
        }
        for attribute in &attributes {
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
        span.set_attributes(attributes);
        span.set_attribute(KeyValue::new("gen_ai.input.messages", input));
        span.set_attribute(KeyValue::new("gen_ai.output.messages", output));
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
    let by_hand = ByHand::new(&providers);
    let bare = providers.tracers.tracer("bare");
    let mut times: [Vec<f64>; 4] = Default::default();
    for _ in 0..ROUNDS {
        times[0].push(time(|| bare.start("chat").end()));
        times[1].push(time(|| by_hand.call()));
        times[2].push(time(|| by_handler(&full)));
        times[3].push(time(|| by_handler(&without)));
    }
    let medians = times.map(|mut list| {
        list.sort_by(f64::total_cmp);
        list[list.len() / 2]
    });
    println!("| one chat call | median µs | by hand = 1 |\n|---|---|---|");
    for (name, median) in [
        "an empty span",
        "by hand, content on span and event",
        "handler, content on span and event",
        "handler, no content",
    ]
    .iter()
    .zip(medians)
    {
        println!("| {name} | {median:.2} | {:.2} |", median / medians[1]);
    }
}
