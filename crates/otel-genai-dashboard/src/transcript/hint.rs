//! Which setting brings the content that was not captured.

use otel_genai_store::Dialect;

/// For those who use an instrumentation of this dialect.
pub(super) fn hint(dialect: Option<Dialect>) -> &'static str {
    match dialect {
        Some(Dialect::V1_30) => "Set OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true.",
        Some(Dialect::OpenInference) => "Unset OPENINFERENCE_HIDE_INPUTS and OPENINFERENCE_HIDE_OUTPUTS.",
        Some(Dialect::OpenLlmetry) => "Set TRACELOOP_TRACE_CONTENT=true.",
        Some(Dialect::Vercel) => "Set recordInputs and recordOutputs to true in experimental_telemetry.",
        Some(Dialect::Logfire) => "Instrument with include_content=True.",
        Some(Dialect::ClaudeCode) => "Set OTEL_LOG_USER_PROMPTS=1 and OTEL_LOG_TOOL_DETAILS=1.",
        Some(Dialect::Codex) => "Set log_user_prompt = true under [otel] in Codex's config.toml.",
        Some(Dialect::MlFlow) => {
            "MLflow captures content unless tracing of inputs and outputs was switched off."
        }
        _ => {
            "Set OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=SPAN_AND_EVENT and OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental."
        }
    }
}
