//! How spans stand to each other, to time, and to what the sender kept of them.

use otel_genai_store::{Nanos, Span};

use super::Trace;
use super::found::Found;
use super::rule::{ATTRIBUTE_COUNT_LIMIT, CLOCK_SKEW, DUPLICATE_SPAN_ID, LOST_PARENT, SKEWED_DAY};

/// Programs on one machine read their clocks this far apart.
const TOLERANCE: u64 = 5_000_000;

const DAY: u64 = 86_400_000_000_000;

/// What comes later than this has waited in no queue.
const OLDEST: u64 = 400 * DAY;

pub(super) fn check(trace: &Trace<'_>, span: &Span, settled: bool, found: &mut Found) {
    match span.parent.map(|parent| trace.by_id.get(&parent)) {
        Some(None) if settled => found.say(&LOST_PARENT, span),
        Some(Some(parent)) => {
            let elsewhere = parent.origin.resource.service != span.origin.resource.service;
            let early = parent.start.0.saturating_sub(span.start.0);
            if elsewhere && span.start.0 > 0 && early > TOLERANCE {
                found.say(&CLOCK_SKEW, span);
            }
        }
        _ => {}
    }
    if span.key.variant > 0 {
        found.say(&DUPLICATE_SPAN_ID, span);
    }
    if is_skewed(span.start, span.received) {
        found.say(&SKEWED_DAY, span);
    }
    let dropped = span.dropped;
    if dropped.attributes > 0 || dropped.events > 0 || dropped.links > 0 {
        found.say(&ATTRIBUTE_COUNT_LIMIT, span);
    }
}

fn is_skewed(start: Nanos, received: Nanos) -> bool {
    let (start, received) = (start.0, received.0);
    start > 0
        && received > 0
        && (start > received.saturating_add(DAY) || start < received.saturating_sub(OLDEST))
}
