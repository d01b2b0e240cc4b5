//! What is wrong with telemetry, why that matters, and how to fix it: the doctor.
//!
//! Everything here is a function of what was received. What is fixed is found no more.

mod content;
mod found;
mod messages;
mod rule;
mod seen;
mod service;
mod tokens;
mod tree;
mod words;

use std::collections::{HashMap, HashSet};

use otel_genai_store::{LogRecord, Op, Span, SpanId, SpanState};

use self::found::Found;
pub use self::rule::content_setting;
pub(crate) use self::seen::{Seen, Sum, is_settled};
pub use self::service::{health, of_services};
use crate::view::Finding;

/// What is wrong in one trace. `settled`: nothing more of it will come, so that a parent that is not there was lost.
#[must_use]
pub fn of_trace(spans: &[Span], logs: &[LogRecord], settled: bool) -> Vec<Finding> {
    let trace = Trace::new(spans, logs);
    let mut found = Found::default();
    for span in spans {
        words::check(span, &mut found);
        tree::check(&trace, span, settled, &mut found);
        if span.state == SpanState::Ended && span.facts.op.is_some_and(Op::is_genai) {
            tokens::check(&trace, span, &mut found);
            content::check(&trace, span, &mut found);
        }
    }
    messages::check(&trace, &mut found);
    found.done()
}

/// Findings of several traces as one list.
#[must_use]
pub fn together(findings: impl IntoIterator<Item = Finding>) -> Vec<Finding> {
    let mut found = Found::default();
    for finding in findings {
        found.add(finding);
    }
    found.done()
}

/// A trace, and what its spans are to each other.
struct Trace<'a> {
    spans: &'a [Span],
    logs: &'a [LogRecord],
    by_id: HashMap<SpanId, &'a Span>,
    /// Spans with one below them that tells tokens which count.
    above_tokens: HashSet<SpanId>,
    /// Spans, and ids of answers, whose content log records tell.
    told_spans: HashSet<SpanId>,
    told_answers: HashSet<&'a str>,
}

impl<'a> Trace<'a> {
    fn new(spans: &'a [Span], logs: &'a [LogRecord]) -> Self {
        let by_id: HashMap<_, _> = spans.iter().map(|span| (span.key.span, span)).collect();
        let mut above_tokens = HashSet::new();
        for span in spans.iter().filter(|span| tokens::counts(span)) {
            let mut parent = span.parent;
            // Who is known to be above others has known parents; so circles end too.
            while let Some(id) = parent.filter(|id| above_tokens.insert(*id)) {
                parent = by_id.get(&id).and_then(|span| span.parent);
            }
        }
        let telling = || logs.iter().filter(|log| log.facts.content == otel_genai_store::ContentState::Here);
        Self {
            spans,
            logs,
            by_id,
            above_tokens,
            told_spans: telling().filter_map(|log| log.span).collect(),
            told_answers: telling().filter_map(|log| log.facts.response_id.as_deref()).collect(),
        }
    }
}
