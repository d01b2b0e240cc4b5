//! OpenTelemetry for generative AI: tells what a program does with models, agents, tools, documents and memories, as
//! spans, metrics and events of the OpenTelemetry GenAI conventions.
//!
//! A [`GenAi`] starts operations. A running operation ([`Active`]) is filled in while it goes on, and tells of itself
//! when it ends:
//!
//! ```
//! use otel_genai::{GenAi, Message};
//!
//! # async fn ask_model() -> Result<String, std::io::Error> { Ok("On its way.".into()) }
//! # async fn example() -> Result<(), std::io::Error> {
//! let genai = GenAi::global(); // or GenAi::builder().tracer_provider(&provider).build()
//!
//! let answer = genai
//!     .chat("openai", "gpt-4o-mini")
//!     .request(|request| request.temperature = Some(0.2))
//!     .scope(async |call| {
//!         call.input([Message::user("Where is my order?")]);
//!         let answer = ask_model().await?;
//!         call.output([Message::assistant(&answer).finish("stop")]);
//!         call.usage(15, 20);
//!         Ok::<_, std::io::Error>(answer)
//!     })
//!     .await?;
//! # Ok(())
//! # }
//! ```
//!
//! The scope is the parent of all that happens within it. It ends by itself: an `Err` becomes `error.type` and the
//! span's status, and comes back as it was.
//!
//! # By hand
//!
//! For frameworks with callbacks: start, and later finish or fail. Both consume the operation, so it ends once.
//!
//! ```
//! # use otel_genai::GenAi;
//! # async fn run_tool() -> Result<&'static str, std::io::Error> { Ok("in Hamburg") }
//! # async fn example(genai: GenAi) {
//! let mut tool = genai.execute_tool("track_order").call_id("call_1").start();
//! tool.arguments(serde_json::json!({"order": 7}));
//! match tool.run(run_tool()).await {
//!     Ok(place) => {
//!         tool.result(place);
//!         tool.finish();
//!     }
//!     Err(error) => tool.fail(&error),
//! }
//! # }
//! ```
//!
//! Dropped without either, as happens to a cancelled future, an operation still ends: with `error.type` = `cancelled`;
//! in a panic, with `panic`.
//!
//! # Streams
//!
//! [`Active::stream`] wraps a stream of chunks: times each, shows it, and ends with the stream. Without a stream, call
//! [`Active::chunk`] as each comes.
//!
//! # Operations
//!
//! All read alike, from [`chat`](GenAi::chat) and [`embeddings`](GenAi::embeddings) to
//! [`invoke_agent`](GenAi::invoke_agent), [`execute_tool`](GenAi::execute_tool), [`retrieval`](GenAi::retrieval),
//! [`rerank`](GenAi::rerank), [`memory`](GenAi::memory) and the Model Context Protocol
//! ([`mcp_client`](GenAi::mcp_client), [`mcp`]): see the methods of [`GenAi`]. What is said once on an outer operation (an
//! agent's name, a conversation, session and user) reaches those within, across tasks. A call that two layers see is told
//! once. Answers are judged by [`evaluation`](GenAi::evaluation).
//!
//! # Content
//!
//! Prompts and answers are recorded only where [`Capture`] says so; the default is nowhere. Before they are written they
//! are redacted ([`redact`]), shown to a [`CompletionHook`], and kept within [`limit`]s.
//!
//! # Conventions
//!
//! [`ConventionName`] lists the vocabularies: the OpenTelemetry conventions of two dates, LoongSuite's, and the first
//! one of 2025. The environment ([`config`]) or [`Builder::convention`] chooses; two at once ease a migration.
//!
//! # Where telemetry goes
//!
//! A program calls `otel_genai::init()` at its start (feature `sdk`): exporters are set up as the standard `OTEL_*` variables
//! say, [`GenAi::global`] writes to them, and the guard delivers everything in the end. Who has set OpenTelemetry up already
//! hands its providers to [`GenAi::builder`].
//!
//! Without that feature the library knows the OpenTelemetry *API* alone. Nothing is recorded then, at next to no cost, so
//! that libraries can use it and leave the decision to programs.
//!
//! # Features
//!
//! - `sdk`: `init()`, telemetry set up by one line. It brings exporters along: for programs, not for libraries.
//! - `tracing`: `init_with_tracing()`, the spans and events of the `tracing` crate in one tree with the others.
//! - `regex`: redaction by regular expressions of your own.

mod ahead;
mod builders;
mod capture;
pub mod config;
mod content;
mod context;
mod convention;
mod drain;
mod evaluation;
mod failure;
mod handler;
mod hook;
pub mod limit;
pub mod mcp;
mod message;
mod operation;
mod pending;
pub mod redact;
#[cfg(feature = "sdk")]
mod setup;
mod signal;
mod span;
mod stream;
mod unheard;
mod usage;

#[doc(hidden)]
pub use ahead::Counted;
pub use capture::{Capture, UnknownCapture};
pub use config::Config;
#[doc(hidden)]
pub use convention::table;
pub use convention::{ConventionName, Conventions, UnknownConvention};
pub use drain::Drain;
pub use evaluation::Evaluation;
pub use failure::{Cause, Failure};
pub use handler::{Builder, GenAi};
pub use hook::{Completion, CompletionHook};
pub use limit::{BlobPolicy, ContentLimits};
pub use message::{
    BlobPart, CompactionPart, FilePart, FinishReason, GenericPart, Message, Modality, Part, ReasoningPart,
    Role, ServerToolCallPart, ServerToolCallResponsePart, TextPart, ToolCallPart, ToolCallResponsePart,
    ToolDefinition, UriPart,
};
pub use operation::{
    Aws, Azure, Command, CreateAgent, Custom, Document, Embeddings, Entry, ExecuteTool, FetchResponse,
    Inference, InferenceRequest, InferenceResponse, InvokeAgent, InvokeWorkflow, Kind, LoongSuiteMemory,
    McpCall, McpSession, McpSide, Memory, MemoryRecord, Network, OpenAi, Operation, Plan, Prompt, ReactStep,
    Rerank, Retrieval, Server, Skill,
};
#[doc(hidden)]
pub use operation::{ContentMut, Fact, Facts, Field};
pub use otel_genai_semconv::value::{
    McpMethodName, OpenAiApiType, OperationName, OutputType, ProviderName, ResponseStatus,
};
pub use pending::Pending;
pub use redact::{Redact, Redactor};
#[cfg(feature = "tracing")]
pub use setup::init_with_tracing;
#[cfg(feature = "sdk")]
pub use setup::{Setup, init, setup};
pub use span::{Active, Moment};
pub use stream::Streaming;
pub use usage::{ModalityUsage, Usage};

/// Where telemetry goes: what [`init`] returns, and what [`Setup::sdk`] changes.
#[cfg(feature = "sdk")]
pub use otel_genai_sdk as sdk;

/// The OpenTelemetry API that this crate speaks. Two versions of it in one program do not see each other's globals:
/// use this one where in doubt.
pub use opentelemetry;

/// The guide's examples compile.
#[cfg(all(doctest, feature = "sdk"))]
#[doc = include_str!("../../../docs/library.md")]
struct Guide;
