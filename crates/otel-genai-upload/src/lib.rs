//! Uploads prompts and answers beside the telemetry, and leaves references in it.
//!
//! Prompts are large and sensitive. The GenAI conventions advise for production to keep them out of telemetry, to
//! store them elsewhere, under rules of their own, and to record where (*Uploading content to external storage*). An
//! [`UploadHook`] does that: it writes each conversation as files and adds their addresses to the span and the event.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use otel_genai_upload::UploadHook;
//!
//! # fn main() -> Result<(), otel_genai_upload::Error> {
//! // By OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK=upload and OTEL_INSTRUMENTATION_GENAI_UPLOAD_BASE_PATH=...
//! let upload = UploadHook::from_env()?;
//!
//! // ... or in code.
//! let upload = UploadHook::builder("/var/lib/my-app/prompts").build()?;
//!
//! // Give a clone to the handler as its completion hook, and before the program ends:
//! let counts = upload.shutdown(Duration::from_secs(5));
//! assert_eq!((counts.failed, counts.dropped), (0, 0));
//! # Ok(())
//! # }
//! ```
//!
//! * **Names are digests.** A file is `<SHA-256 of its bytes>_inputs.json` (`_outputs`, `_system_instruction`,
//!   `_tool.definitions`; `.jsonl` by choice). Equal content is stored once, whoever sends it: a system prompt or a set
//!   of tools that comes with each call costs one upload.
//! * **References are there at once**, before the file is: [`INPUT_MESSAGES_REF`], [`OUTPUT_MESSAGES_REF`],
//!   [`SYSTEM_INSTRUCTIONS_REF`], [`TOOL_DEFINITIONS_REF`].
//! * **The caller never waits.** Writing is the work of a thread of its own; its queue is bounded. What does not fit is
//!   dropped, counted and said once, and gets no reference.
//! * **No half files.** A file stands under its name only when it is complete.
//! * **Independent of capture.** Content is uploaded whatever the capture mode is, and also for calls that are not
//!   sampled.
//!
//! Local folders are built in; `s3://`, `gs://` and `az://` need the feature `aws`, `gcp` or `azure`. Their credentials
//! come from the environment, as the clouds' own tools read them, and never from the base path.

#[cfg(feature = "_cloud")]
mod cloud;
mod content;
mod error;
mod place;
mod queue;
mod settings;
mod upload;
mod worker;

#[cfg(test)]
mod tests;

pub use content::{INPUT_MESSAGES_REF, OUTPUT_MESSAGES_REF, SYSTEM_INSTRUCTIONS_REF, TOOL_DEFINITIONS_REF};
pub use error::Error;
pub use queue::Counts;
pub use settings::{
    COMPLETION_HOOK, Format, Settings, UPLOAD_BASE_PATH, UPLOAD_FORMAT, UPLOAD_MAX_QUEUE_SIZE, UnknownFormat,
    VARIABLES, Warning,
};
pub use upload::{Builder, UploadHook};

/// The guide's example compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/upload.md")]
struct Guide;
