//! Whether what was said is there.

use otel_genai_store::{ContentState, Dialect, Op, Span};

use super::Trace;
use super::found::Found;
use super::rule::{CONTENT_OFF, EVENTS_EXPECTED_NO_LOGS, REFERENCE_NOT_RESOLVED, content_setting};

pub(super) fn check(trace: &Trace<'_>, span: &Span, found: &mut Found) {
    let facts = &span.facts;
    if !facts.op.is_some_and(Op::is_inference) {
        return;
    }
    let told = trace.told_spans.contains(&span.key.span)
        || facts.response_id.as_deref().is_some_and(|id| trace.told_answers.contains(id));
    match facts.content {
        _ if told => {}
        ContentState::ByReference => found.say(&REFERENCE_NOT_RESOLVED, span),
        ContentState::Absent if facts.dialect.is_some_and(by_events) && trace.logs.is_empty() => {
            found.say(&EVENTS_EXPECTED_NO_LOGS, span);
        }
        ContentState::Absent => {
            let setting =
                content_setting(facts.dialect.unwrap_or(Dialect::V2026_08), Some(&span.origin.scope.name));
            found.say_as(&CONTENT_OFF, span, CONTENT_OFF.title.to_owned(), Some(setting));
        }
        _ => {}
    }
}

/// Whether calls in this vocabulary are told by log records too, always.
pub(super) fn by_events(dialect: Dialect) -> bool {
    matches!(dialect, Dialect::V1_30 | Dialect::V2026_10)
}
