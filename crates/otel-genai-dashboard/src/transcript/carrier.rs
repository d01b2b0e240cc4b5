//! The ways in which content arrives. Each file reads one; all are read, always.

mod coding_agent;
mod details;
mod legacy;
mod logfire;
mod oldest;
mod openinference;
mod openllmetry;
mod reference;
mod vercel;

use std::sync::Arc;

use otel_genai_dialect::{is_in_tree, tree};
use otel_genai_store::{Attributes, Held, LogRecord, Span};
use serde_json::Value as Json;

pub(crate) use coding_agent::failure;
pub(super) use coding_agent::{Event, Step, body, event, said};
pub(super) use legacy::{Position as LegacyPosition, position as legacy_position};

use super::book::Book;
use super::telling::{From, Told};
use super::{Carrier, Matched, References};

/// Everything that a span says itself.
pub(super) fn read_span(book: &mut Book, span: &Span, references: &dyn References, told: &mut Told) {
    details::read_span(book, span, told);
    reference::read(book, &span.attributes, &of_span(span, Carrier::Reference), references, told);
    legacy::read_events(book, span, told);
    oldest::read(book, span, told);
    openllmetry::read(book, span, told);
    vercel::read(book, span, told);
    coding_agent::read_span(book, span, told);
    logfire::read(book, span, told);
    // What is known of input and output as a whole is told only where nothing else is.
    openinference::read(book, span, told);
    logfire::read_whole(book, span, told);
}

/// What log records say of one call.
pub(super) fn read_logs(
    book: &mut Book,
    logs: &[(&LogRecord, Matched)],
    references: &dyn References,
    told: &mut Told,
) {
    for (log, matched) in logs {
        details::read_log(book, log, *matched, told);
        let from = of_log(log, Carrier::Reference, *matched);
        reference::read(book, &log.attributes, &from, references, told);
    }
    legacy::read_logs(book, logs, told);
}

/// Whether a log record says what was said, in words that need no session around them.
pub(super) fn tells_content(log: &LogRecord) -> bool {
    log.event.as_deref().is_some_and(legacy::is_legacy)
        || details::is_details(log)
        || reference::is_here(&log.attributes)
}

/// Whether a span says anything that may be part of a conversation, without reading it.
pub(super) fn may_tell(span: &Span) -> bool {
    span.attributes.0.iter().any(|attribute| otel_genai_dialect::is_content(&attribute.key))
        || reference::is_here(&span.attributes)
        || coding_agent::is_here(span)
        || span.events.iter().any(|event| event.name.starts_with("gen_ai."))
}

fn of_span(span: &Span, carrier: Carrier) -> From {
    From { carrier, span: Some(span.key), matched: Matched::Span, is_log: false, part: "".into(), log: None }
}

fn of_log(log: &LogRecord, carrier: Carrier, matched: Matched) -> From {
    let span =
        log.trace.zip(log.span).map(|(trace, span)| otel_genai_store::SpanKey { trace, span, variant: 0 });
    From { carrier, span, matched, is_log: true, part: "".into(), log: Some(log.id) }
}

/// A value as it came: text stays text.
fn plain(held: &Held) -> Option<Json> {
    match held.text() {
        Some(text) => Some(Json::String(text.into_owned())),
        None => held.json(),
    }
}

/// What was flattened into `{prefix}{index}.{path}`, as a list.
fn in_tree(attributes: &Attributes, prefix: &str) -> Option<Json> {
    let mut leaves = attributes.0.iter().filter(|attribute| is_in_tree(&attribute.key, prefix)).peekable();
    leaves.peek()?;
    // Of several with one name the last counts; the tree takes the first.
    let leaves: Vec<_> = leaves.collect();
    let leaves = leaves.into_iter().rev();
    tree::unflatten(prefix, leaves.filter_map(|leaf| Some((leaf.key.as_ref(), plain(&leaf.value)?)))).0
}

fn name(text: &str) -> Arc<str> {
    text.into()
}
