//! What makes a sender tell what was said, by the vocabulary that it speaks.

use otel_genai_store::Dialect;

/// How content is switched on.
pub(crate) struct Capture {
    /// The setting as it is written.
    pub(crate) setting: &'static str,
    /// The same in a sentence.
    pub(crate) advice: &'static str,
}

/// The scope of what `otel-genai run` and this project's library tell.
const OURS: &str = "otel-genai";

/// For senders in this vocabulary, of this instrumentation; where the vocabulary is not known, for those that follow the
/// newest conventions.
pub(crate) fn capture(dialect: Option<Dialect>, scope: Option<&str>) -> Capture {
    if scope == Some(OURS) {
        return Capture {
            setting: "otel-genai run --content true -- COMMAND",
            advice: "Run it with otel-genai run --content true. A Rust program that has the library: set \
                     OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true.",
        };
    }
    let (setting, advice) = match dialect {
        Some(Dialect::V1_30 | Dialect::GenAiOther) => (
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true",
            "Set OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true.",
        ),
        Some(Dialect::OpenInference) => (
            "OPENINFERENCE_HIDE_INPUTS=false, OPENINFERENCE_HIDE_OUTPUTS=false",
            "Unset OPENINFERENCE_HIDE_INPUTS and OPENINFERENCE_HIDE_OUTPUTS.",
        ),
        Some(Dialect::OpenLlmetry) => ("TRACELOOP_TRACE_CONTENT=true", "Set TRACELOOP_TRACE_CONTENT=true."),
        Some(Dialect::Vercel) => (
            "experimental_telemetry: { recordInputs: true, recordOutputs: true }",
            "Set recordInputs and recordOutputs to true in experimental_telemetry.",
        ),
        Some(Dialect::Logfire) => {
            ("InstrumentationSettings(include_content=True)", "Instrument with include_content=True.")
        }
        Some(Dialect::ClaudeCode) => {
            ("OTEL_LOG_USER_PROMPTS=1", "Set OTEL_LOG_USER_PROMPTS=1 and OTEL_LOG_TOOL_DETAILS=1.")
        }
        Some(Dialect::Codex) => (
            "[otel] log_user_prompt = true",
            "Set log_user_prompt = true under [otel] in Codex's config.toml.",
        ),
        Some(Dialect::MlFlow) => (
            "mlflow.<library>.autolog(log_traces=True)",
            "MLflow captures content unless tracing of inputs and outputs was switched off.",
        ),
        _ => (
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_and_event",
            "Set OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_and_event and \
             OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental.",
        ),
    };
    Capture { setting, advice }
}
