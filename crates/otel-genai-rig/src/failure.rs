//! rig's errors as telemetry has them.
//!
//! Only what rig, an agent or a tool says itself is passed on as text. What a provider or a transport says may quote URLs
//! and keys; it stands, without them, on the span of the model's call.

use otel_genai::Failure;
use rig_core::error::{ErrorKind, ErrorReport};
use rig_core::tool::{ToolErrorKind, ToolExecutionError, ToolResult};

/// Why something that an agent did has failed.
pub(crate) fn reported(report: &ErrorReport) -> Failure {
    let kind = match (&report.code, report.http_status, &report.kind) {
        (Some(code), _, _) => code.clone(),
        (None, Some(status), _) => status.to_string(),
        (None, None, ErrorKind::Cancelled) => Failure::CANCELLED.to_owned(),
        (None, None, ErrorKind::Tool(kind)) => {
            return Failure::new(tool_kind(*kind)).message(&report.message);
        }
        (None, None, ErrorKind::Other) => Failure::OTHER.to_owned(),
        (None, None, kind) => kind.code().to_owned(),
    };
    let is_ours = matches!(
        report.kind,
        ErrorKind::Cancelled | ErrorKind::Denied | ErrorKind::HandlerUnavailable | ErrorKind::Tool(_)
    );
    let failure = Failure::new(kind);
    if is_ours { failure.message(&report.message) } else { failure }
}

/// Why a tool's result is none.
pub(crate) fn of_tool(result: &ToolResult) -> Option<Failure> {
    if result.is_skipped() {
        return Some(Failure::new("skipped").message("a hook had the tool not run"));
    }
    result.error().or(result.refusal()).map(of_error)
}

fn of_error(error: &ToolExecutionError) -> Failure {
    let kind = match error.code() {
        Some(code) => code.to_owned(),
        None => tool_kind(error.kind()).to_owned(),
    };
    Failure::new(kind).message(error.message())
}

fn tool_kind(kind: ToolErrorKind) -> &'static str {
    match kind {
        ToolErrorKind::Other => Failure::OTHER,
        kind => kind.as_str(),
    }
}

/// Why a run ended, of which rig tells nothing but the text.
pub(crate) fn of_run(text: &str) -> Failure {
    // rig's `PromptError` has these texts, and its hooks nothing better.
    let kind = match text {
        text if text.starts_with("reached the max turns limit") => "max_turns",
        text if text.starts_with("the run was cancelled") => Failure::CANCELLED,
        text if text.starts_with("the conversation memory failed") => "memory",
        text if text.starts_with("model attempted to call unknown or disallowed tool") => "unknown_tool",
        _ => return Failure::new(Failure::OTHER),
    };
    match kind {
        // What a store says is a stranger's; which tools there are is content.
        "memory" | "unknown_tool" => Failure::new(kind),
        _ => Failure::new(kind).message(text),
    }
}
