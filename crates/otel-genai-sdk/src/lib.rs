//! Ready-made OpenTelemetry set-up from the standard `OTEL_*` variables, with a guard that flushes.
//!
//! ```no_run
//! fn main() -> Result<(), otel_genai_sdk::InitError> {
//!     let _telemetry = otel_genai_sdk::init()?;
//!     // ... the program; spans, metrics and events go where OTEL_* says ...
//!     Ok(())
//! } // everything is delivered here, or three seconds later it is given up
//! ```
//!
//! * The variables mean what the OpenTelemetry specification says, the ones that the Rust SDK leaves out among them:
//!   `OTEL_SDK_DISABLED`, `OTEL_{TRACES,METRICS,LOGS}_EXPORTER` (`otlp`, `console`, `none`, lists), `OTEL_PROPAGATORS`,
//!   certificates. [`VARIABLES`] is the whole list, [`Telemetry::settings`] says what is in force and why.
//! * `OTEL_CONFIG_FILE` names a file that says the same, in OpenTelemetry's declarative configuration format, in place of
//!   the other variables. Needs the feature `config-file`, which is on by default.
//! * A value that cannot be used never stops a program: there is one warning that names the variable, the value and the
//!   allowed ones, and the default is taken.
//! * OTLP over `http/protobuf`, `http/json` and `grpc` works from every caller: no runtime, a current-thread runtime, a
//!   multi-thread runtime, and from inside a task; the sockets live on a thread of the guard.
//! * [`Telemetry::flush`] and [`Telemetry::shutdown`] return in time whatever the receiver does, and say what was lost.
//! * The console exporter is written for people, generative AI calls first.
//!
//! * With the feature `tracing`, `init_with_tracing` puts a program's `tracing` spans and events into the same trees.
//!
//! OpenTelemetry has no global logger provider; events need [`Telemetry::logger_provider`] handed on.

mod batch;
mod builder;
mod config;
mod console;
mod error;
mod file;
mod health;
mod limits;
mod pipeline;
mod report;
mod setting;
mod signal;
mod sink;
mod telemetry;
#[cfg(feature = "tracing")]
mod tracing_layer;
mod transport;
mod variable;
mod watch;

pub use builder::{Builder, Exporter};
pub use console::{Color, ConsoleOptions, ConsoleTarget};
pub use error::InitError;
/// What [`Builder::wrap_spans`] takes: OpenTelemetry's.
pub use opentelemetry_sdk::trace::SpanProcessor;
pub use report::{Export, Report};
pub use setting::{Origin, Setting, Warning, shown_url};
pub use signal::Signal;
pub use sink::SpanSink;
pub use telemetry::Telemetry;
pub use variable::{VARIABLES, Variable};

/// Sets telemetry up from the environment, and makes it OpenTelemetry's global one.
///
/// # Errors
/// As [`Builder::init`].
pub fn init() -> Result<Telemetry, InitError> {
    builder().init()
}

/// As [`init`], with the spans and events of the `tracing` crate in the same telemetry: see
/// [`Builder::init_with_tracing`]. Needs the feature `tracing`.
///
/// # Errors
/// As [`Builder::init`].
#[cfg(feature = "tracing")]
pub fn init_with_tracing() -> Result<Telemetry, InitError> {
    builder().init_with_tracing()
}

/// Set-up step by step.
pub fn builder() -> Builder {
    Builder::default()
}

/// The guide's examples compile.
#[cfg(all(doctest, feature = "tracing"))]
#[doc = include_str!("../../../docs/tracing.md")]
struct TracingGuide;
