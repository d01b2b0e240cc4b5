//! Where the examples' telemetry goes: to the terminal, unless `OTEL_*` says otherwise.

use otel_genai::GenAi;
use otel_genai::sdk::{Exporter, InitError, Telemetry};

use crate::model::ModelError;

/// Sets OpenTelemetry up, and a handler that tells of generative AI. Everything is delivered when the guard goes.
///
/// # Errors
/// Where an exporter cannot be built.
pub fn init(service_name: &str) -> Result<(GenAi, Telemetry), InitError> {
    let telemetry = otel_genai::setup()
        .sdk(|sdk| sdk.service_name_default(service_name).default_exporter(Exporter::Console))
        // What the provider calls the error says more than the name of a Rust type.
        .handler(|genai| genai.error_type(|error: &ModelError| Some(error.code.into())))
        .init()?;
    Ok((GenAi::global(), telemetry))
}
