//! Telemetry by one line, for programs whose spans are made by others.

use otel_genai::Setup;
use otel_genai::sdk::{InitError, Telemetry};

use crate::GenAiSpanProcessor;

/// As [`otel_genai::init`], with a [`GenAiSpanProcessor`] before the exporters. Needs the feature `sdk`.
///
/// # Errors
/// As [`otel_genai::init`].
pub fn init() -> Result<Telemetry, InitError> {
    setup().init()
}

/// As [`init`], with the spans and events of the `tracing` crate in the same telemetry: the one line for a program with
/// the `genai` crate's feature `otel`, with rig, or whatever else tells of itself by `tracing`. Needs the feature
/// `tracing`.
///
/// ```no_run
/// fn main() -> Result<(), otel_genai::sdk::InitError> {
///     let _telemetry = otel_genai_processor::init_with_tracing()?;
///     // ... the program ...
///     Ok(())
/// }
/// ```
///
/// # Errors
/// As [`otel_genai::init`].
#[cfg(feature = "tracing")]
pub fn init_with_tracing() -> Result<Telemetry, InitError> {
    setup().init_with_tracing()
}

/// [`init`] with changes: [`Setup::sdk`] and [`Setup::handler`] as always, and what [`GenAiSpanProcessor`] can be told
/// where it is built by hand.
pub fn setup() -> Setup {
    otel_genai::setup().sdk(|sdk| {
        sdk.wrap_spans(|sink, logs, metrics| {
            GenAiSpanProcessor::new(sink)
                .handler(|handler| handler.logger_provider(logs).meter_provider(metrics))
        })
    })
}
