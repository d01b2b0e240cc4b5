//! OpenTelemetry for programs built on [rig](https://docs.rs/rig) 0.46: its model calls, agents and tools, by the
//! OpenTelemetry GenAI conventions.
//!
//! ```
//! use otel_genai_rig::{GenAiHook, GenAiHttp};
//! use rig_agent::AgentBuilder;
//! use rig_core::providers::openai::OpenAIConfig;
//!
//! # fn example() -> rig_agent::Agent {
//! let openai = OpenAIConfig::new("sk-...").connect(GenAiHttp::new(rig_reqwest::shared()));
//! AgentBuilder::new(openai.completion("gpt-5"))
//!     .name("planner")
//!     .add_hook(GenAiHook::new())
//!     .build()
//! # }
//! ```
//!
//! | what | tells of | the line |
//! |---|---|---|
//! | [`GenAiHttp`] | the model calls of every provider: chat, embeddings, images, audio | `.connect(GenAiHttp::new(http))` |
//! | [`GenAiHook`] | agents' runs, and the tools that they run | `.add_hook(GenAiHook::new())` |
//! | [`GenAiTool`] | what a tool does, below the tool: models that it asks, agents that it runs | `.tool(GenAiTool(tool))` |
//!
//! Each does without the others; together they tell one tree:
//!
//! ```text
//! invoke_agent planner
//! ├─ chat gpt-5
//! ├─ execute_tool research
//! │  └─ invoke_agent specialist      where the tool is a GenAiTool
//! │     └─ chat gpt-5-mini
//! └─ chat gpt-5
//! ```
//!
//! They write through [`GenAi::global`](otel_genai::GenAi::global), or through what `with` gives them: set telemetry up
//! before the first call, as `otel_genai::init()` does (feature `sdk` of `otel-genai`).
//!
//! # rig's own spans
//!
//! rig makes `tracing` spans of the same things (`chat`, `invoke_agent`, `execute_tool`). A program whose `tracing` spans go
//! to OpenTelemetry would tell all twice: keep rig's out of that layer with [`WITHOUT_RIG`].
//!
//! ```
//! # use tracing_subscriber::prelude::*;
//! # fn example<S>(layer: impl tracing_subscriber::Layer<S>) where S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a> {
//! let layer = layer.with_filter(tracing_subscriber::EnvFilter::new(otel_genai_rig::WITHOUT_RIG));
//! # }
//! ```
//!
//! # Which rig
//!
//! rig 0.46 alone: rig changes with each minor version, and this crate follows with a version of its own.

mod dispatch;
mod failure;
mod hook;
mod http;
mod message;
mod run;
mod tool;

pub use hook::GenAiHook;
pub use http::GenAiHttp;
pub use tool::GenAiTool;

/// Directives for a `tracing` filter (`EnvFilter`, `Targets`) that keep rig's own spans and events out, and let the
/// program's from `info` on pass. For the filter of the layer that exports to OpenTelemetry; with directives of your own
/// those with `off` count.
///
/// A filter knows targets by their beginning: `rig=off` would keep out a program called `rigging`, too. So an event whose
/// target is just `rig` passes: which documents rig's vector store in memory has found.
pub const WITHOUT_RIG: &str = "info,rig::=off,rig_agent=off,rig_core=off";
