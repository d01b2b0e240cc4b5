//! Where the examples' telemetry goes: to the terminal, unless `OTEL_*` says otherwise.

use otel_genai::GenAi;
use otel_genai_sdk::{Exporter, InitError, Telemetry};

use crate::model::ModelError;

/// Sets OpenTelemetry up, and a handler that tells of generative AI. Everything is delivered when the guard goes.
///
/// # Errors
/// Where an exporter cannot be built.
pub fn init(service_name: &str) -> Result<(GenAi, Telemetry), InitError> {
    let telemetry = otel_genai_sdk::builder()
        .service_name_default(service_name)
        .default_exporter(Exporter::Console)
        .init()?;
    let genai = GenAi::builder()
        .tracer_provider(&telemetry.tracer_provider())
        .logger_provider(&telemetry.logger_provider())
        .meter_provider(&telemetry.meter_provider())
        // What the provider calls the error says more than the name of a Rust type.
        .error_type(|error: &ModelError| Some(error.code.into()))
        .build();
    Ok((genai, telemetry))
}
