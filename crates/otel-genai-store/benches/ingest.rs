//! How fast the store in SQLite takes spans: 30 attributes each, one in nine with 13.5 KB of messages, each batch
//! acknowledged after its commit. `cargo bench -p otel-genai-store --bench ingest [-- SPANS]`
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a bench fails by panicking"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use otel_genai_store::{Nanos, SqliteOptions, Store, TraceQuery, Which, otlp};

const BATCH: u64 = 512;
const SENDERS: u64 = 4;

fn attribute(key: String, value: Value) -> KeyValue {
    KeyValue { key, value: Some(AnyValue { value: Some(value) }), key_strindex: 0 }
}

/// Words that compress about as text does.
fn text(seed: u64, bytes: usize) -> String {
    let words = [
        "the", "model", "answers", "order", "where", "is", "my", "parcel", "tool", "weather", "Berlin",
        "please",
    ];
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut text = String::with_capacity(bytes + 16);
    while text.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text.push_str(words.get((state % 12) as usize).copied().unwrap_or_default());
        text.push_str(&format!("{:x} ", state >> 56));
    }
    text
}

fn span(number: u64, start: u64) -> Span {
    let trace = number / 10 + 1;
    let mut attributes: Vec<KeyValue> = (0..24)
        .map(|at| {
            attribute(
                format!("app.attribute.{at}"),
                Value::StringValue(format!("value {at} {}", number % 100)),
            )
        })
        .collect();
    attributes.push(attribute("gen_ai.operation.name".to_owned(), Value::StringValue("chat".to_owned())));
    attributes.push(attribute("gen_ai.request.model".to_owned(), Value::StringValue("gpt-5".to_owned())));
    attributes.push(attribute(
        "gen_ai.usage.input_tokens".to_owned(),
        Value::IntValue((number % 5000).cast_signed()),
    ));
    attributes.push(attribute(
        "gen_ai.usage.output_tokens".to_owned(),
        Value::IntValue((number % 700).cast_signed()),
    ));
    attributes
        .push(attribute("gen_ai.response.id".to_owned(), Value::StringValue(format!("resp_{number:x}"))));
    if number.is_multiple_of(9) {
        attributes
            .push(attribute("gen_ai.input.messages".to_owned(), Value::StringValue(text(number, 13_500))));
    } else {
        attributes.push(attribute("app.stream".to_owned(), Value::BoolValue(true)));
    }
    Span {
        trace_id: [trace.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes(), trace.to_be_bytes()].concat(),
        span_id: (number + 1).to_be_bytes().to_vec(),
        name: "chat gpt-5".to_owned(),
        kind: 3,
        start_time_unix_nano: start + number * 1_000,
        end_time_unix_nano: start + number * 1_000 + 900_000_000,
        attributes,
        ..Span::default()
    }
}

fn request(batch: u64, start: u64) -> ExportTraceServiceRequest {
    let spans = (batch * BATCH..(batch + 1) * BATCH).map(|number| span(number, start)).collect();
    let resource = Resource {
        attributes: vec![attribute("service.name".to_owned(), Value::StringValue("shop".to_owned()))],
        ..Resource::default()
    };
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource),
            scope_spans,
            ..ResourceSpans::default()
        }],
    }
}

/// Seconds of processor time that this process has had; 0 where `/proc` does not tell.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn main() {
    let wanted = std::env::args().skip(1).find_map(|argument| argument.parse::<u64>().ok()).unwrap_or(51_200);
    let batches = wanted.div_ceil(BATCH);
    let folder = tempfile::TempDir::new().unwrap();
    let store = Arc::new(SqliteOptions::new(folder.path()).open().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let start = Nanos::now().0 - 3_600_000_000_000;
    let (stored, busy, spent) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let (clock, before) = (Instant::now(), processor());
    runtime.block_on(async {
        let send = async |sender: u64| {
            for batch in (sender..batches).step_by(SENDERS as usize) {
                // What the sender does is not the store's time.
                let made = Instant::now();
                let accepted = otlp::traces(request(batch, start), Nanos::now()).batch;
                busy.fetch_add(u64::try_from(made.elapsed().as_nanos()).unwrap_or(0), Ordering::Relaxed);
                let sent = Instant::now();
                stored.fetch_add(store.ingest(accepted).await.unwrap().spans, Ordering::Relaxed);
                spent.fetch_add(u64::try_from(sent.elapsed().as_micros()).unwrap_or(0), Ordering::Relaxed);
            }
        };
        futures_util::future::join_all((0..SENDERS).map(send)).await;
    });
    let (wall, cpu) = (clock.elapsed().as_secs_f64(), processor() - before);
    let spans = stored.load(Ordering::Relaxed);
    let made = Duration::from_nanos(busy.load(Ordering::Relaxed)).as_secs_f64();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("{spans} spans in {wall:.2} s: {:.0}/s; load {}", spans as f64 / wall, load.trim());
    println!(
        "processor: {:.1} µs a span, of them at most {:.1} for making and accepting them; a batch waits {:.1} ms",
        cpu * 1e6 / spans as f64,
        made * 1e6 / spans as f64,
        spent.load(Ordering::Relaxed) as f64 / 1e3 / batches as f64
    );
    runtime.block_on(async {
        let bytes = store.status().await.unwrap().bytes;
        println!("on disk: {:.0} bytes a span", bytes as f64 / spans as f64);
        let query = TraceQuery { limit: 50, ..TraceQuery::default() };
        let (mut list, mut trace) = (Vec::new(), Vec::new());
        for _ in 0..50 {
            let clock = Instant::now();
            let page = store.traces(&query).await.unwrap();
            list.push(clock.elapsed());
            let clock = Instant::now();
            store.spans(page.items.last().unwrap().id, Which::All).await.unwrap();
            trace.push(clock.elapsed());
        }
        for (what, times) in [("newest 50 traces", &mut list), ("a trace of 10 spans", &mut trace)] {
            times.sort_unstable();
            println!("{what}: median {:?}, slowest {:?}", times.get(25).unwrap(), times.last().unwrap());
        }
    });
}
