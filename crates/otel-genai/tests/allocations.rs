//! Content that is not captured costs nothing: shown by counting allocations.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use allocation_counter::measure;
use opentelemetry_sdk::trace::{InMemorySpanExporter, Sampler, SdkTracerProvider};
use otel_genai::{Capture, GenAi, Message};

fn handler(capture: Capture, sampler: Sampler) -> GenAi {
    let tracers = SdkTracerProvider::builder()
        .with_sampler(sampler)
        .with_simple_exporter(InMemorySpanExporter::default())
        .build();
    GenAi::builder().tracer_provider(&tracers).capture(capture).build()
}

/// Bytes allocated from start to finish of a call with a history of `messages` long messages.
fn bytes(genai: &GenAi, messages: usize) -> u64 {
    let history: Vec<Message> = (0..messages).map(|_| Message::user("x".repeat(10_000))).collect();
    measure(|| {
        let mut call = genai.chat("openai", "gpt-4o-mini").start();
        call.input(history.iter().cloned());
        call.output(history.iter().take(1).cloned());
        call.finish();
    })
    .bytes_total
}

#[test]
fn without_capture_no_message_is_cloned_or_serialised() {
    for (capture, sampler) in
        [(Capture::NoContent, Sampler::AlwaysOn), (Capture::SpanOnly, Sampler::AlwaysOff)]
    {
        let genai = handler(capture, sampler.clone());
        bytes(&genai, 1);
        let (none, many) = (bytes(&genai, 0), bytes(&genai, 100));
        assert_eq!(none, many, "{capture:?} {sampler:?}: the history's length must not matter");
    }
}

#[test]
fn with_capture_they_are() {
    let genai = handler(Capture::SpanOnly, Sampler::AlwaysOn);
    assert!(bytes(&genai, 100) > bytes(&genai, 0) + 1_000_000);
}
