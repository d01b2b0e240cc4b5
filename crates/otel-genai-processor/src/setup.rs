//! Telemetry by one line, for programs whose spans are made by others.

use otel_genai::Setup;
use otel_genai::sdk::{InitError, SpanSink, Telemetry};

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

/// [`init`] with changes: [`Setup::sdk`], and [`Setup::handler`], which counts for the spans of others too.
///
/// ```
/// use otel_genai::{ConventionName, Redactor};
///
/// # fn main() -> Result<(), otel_genai::sdk::InitError> {
/// # let vars = |_: &str| None;
/// let telemetry = otel_genai_processor::setup_with(|processor| processor.strict())
///     # .sdk(|sdk| sdk.vars(vars).default_exporter(otel_genai::sdk::Exporter::None))
///     .handler(|genai| genai.convention(ConventionName::V2026_10).redact(Redactor::all()))
///     .init()?;
/// # Ok(())
/// # }
/// ```
pub fn setup() -> Setup {
    setup_with(|processor| processor)
}

/// The same with changes to the processor: [`GenAiSpanProcessor::strict`] and the others.
pub fn setup_with<F>(change: F) -> Setup
where
    F: FnOnce(GenAiSpanProcessor<SpanSink>) -> GenAiSpanProcessor<SpanSink> + Send + 'static,
{
    otel_genai::setup().wrap_spans(|sink, handler| change(GenAiSpanProcessor::new(sink).handler(|_| handler)))
}
