//! OpenTelemetry for generative AI: spans, events and metrics of model calls, by the OpenTelemetry GenAI conventions.
//!
//! A [`GenAi`] starts operations; a running operation ([`Active`]) is filled in while it goes on, and leaves a span,
//! metrics and an event when it ends:
//!
//! ```
//! use otel_genai::{GenAi, Message};
//!
//! # async fn ask_model() -> Result<String, std::io::Error> { Ok("On its way.".into()) }
//! # async fn example() -> Result<(), std::io::Error> {
//! let genai = GenAi::global(); // or GenAi::builder().tracer_provider(&provider).build()
//!
//! // A scope: ends by itself, `Err` becomes `error.type` and the span's status.
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
//!
//! // By hand, for frameworks with callbacks.
//! let call = genai.chat("openai", "gpt-4o-mini").start();
//! match call.run(ask_model()).await {
//!     Ok(_) => call.finish(),
//!     Err(error) => call.fail(&error),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Dropped without either, as happens to a cancelled future, a call still ends: with `error.type` = `cancelled`.
//!
//! Prompts and answers are recorded only where [`Capture`] says so; the default is nowhere. The library knows the
//! OpenTelemetry *API* alone: set up exporters with `otel-genai-sdk` or by hand.

mod builders;
mod capture;
pub mod config;
mod content;
mod context;
mod convention;
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
mod signal;
mod span;
mod stream;
mod usage;

pub use capture::{Capture, UnknownCapture};
pub use config::Config;
#[doc(hidden)]
pub use convention::table;
pub use convention::{ConventionName, Conventions, UnknownConvention};
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
pub use span::{Active, Moment};
pub use stream::Streaming;
pub use usage::{ModalityUsage, Usage};

/// The OpenTelemetry API that this crate speaks. Two versions of it in one program do not see each other's globals:
/// use this one where in doubt.
pub use opentelemetry;
