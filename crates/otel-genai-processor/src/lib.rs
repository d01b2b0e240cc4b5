//! Full GenAI telemetry for programs that make GenAI spans already, whoever makes them: one line where the tracer
//! provider is built.
//!
//! ```
//! use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SimpleSpanProcessor};
//! use otel_genai_processor::GenAiSpanProcessor;
//!
//! # let exporter = InMemorySpanExporter::default();
//! let processor = SimpleSpanProcessor::new(exporter); // or a BatchSpanProcessor, as before
//! let provider = SdkTracerProvider::builder()
//!     .with_span_processor(GenAiSpanProcessor::new(processor)) // this is the line
//!     .build();
//! # let _ = provider;
//! ```
//!
//! A program that sets nothing up by hand calls `otel_genai_processor::init_with_tracing()` instead (features `sdk` and
//! `tracing`), which does all of it as the `OTEL_*` variables say.
//!
//! Spans of the `genai` crate's feature `otel`, of rig, of anything that writes `gen_ai.*` in the names of any year, of
//! OpenLLMetry, OpenInference and Vercel's AI SDK then reach the exporter
//!
//! - with the name, kind, attributes and status of the OpenTelemetry GenAI convention in force
//!   (`OTEL_GENAI_CONVENTION`),
//! - with the metrics that they lack: duration, tokens, time to first chunk, and those of agents and tools,
//! - with their events, where a logger provider is [given](GenAiSpanProcessor::handler) and the settings ask for them.
//!
//! All other spans pass as they are, and so do those of `otel-genai` itself. Attributes that are not understood stay. A
//! call that two layers tell of (a framework's span around a client's) is measured once, by the inner one.
//!
//! # Content
//!
//! What the program chose to record on its spans stays there, redacted and limited as the handler's settings say
//! (`OTEL_GENAI_REDACT` and the others), and goes into events only if
//! `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` says so. [`strict`](GenAiSpanProcessor::strict) takes it off
//! unless that variable wants it.
//!
//! # Limits
//!
//! - A span processor sees spans that are sampled: metrics count those only.
//! - A span's sampler has seen it before, under its old name and attributes.
//! - Where a parent ends before its children, its calls are not counted for it.
//! - Wrap one processor. Where several get the same spans, all but one want
//!   [`rewrite_only`](GenAiSpanProcessor::rewrite_only).

mod attributes;
mod build;
mod emit;
mod nesting;
mod processor;
mod recognise;
mod scribe;
#[cfg(feature = "sdk")]
mod setup;

pub use processor::GenAiSpanProcessor;
pub use recognise::{Call, Recognised, recognise};
#[cfg(feature = "tracing")]
pub use setup::init_with_tracing;
#[cfg(feature = "sdk")]
pub use setup::{init, setup, setup_with};
