//! What was found in traces, remembered: one that has not changed is not looked into again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use otel_genai_store::{Nanos, TraceId, TraceState, TraceSummary};

use super::found::{Same, same};
use crate::view::Finding;

/// So many traces are remembered for sure; up to twice as many in all.
const MOST: usize = 10_000;
/// So many different findings.
const MOST_KINDS: usize = 2_000;

/// What was found in traces.
#[derive(Default)]
pub(crate) struct Seen {
    lately: HashMap<TraceId, Entry>,
    before: HashMap<TraceId, Entry>,
    /// Each different finding once, without the trace in which it was.
    kinds: HashMap<Same, Arc<Finding>>,
}

#[derive(Clone)]
struct Entry {
    version: Version,
    found: Arc<[Noted]>,
}

/// A trace of several programs comes piece by piece: so long after its end, a parent that is not there was lost.
const LATE: Duration = Duration::from_secs(10);

/// Whether nothing more of a trace will come, as far as one can tell.
pub(crate) fn is_settled(trace: &TraceSummary) -> bool {
    trace.state == TraceState::Done && Nanos::now().since(trace.end).is_some_and(|late| late > LATE)
}

/// What changes with a trace.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Version {
    updated: u64,
    spans: u64,
    logs: u64,
    settled: bool,
}

impl Version {
    fn of(trace: &TraceSummary) -> Self {
        Self { updated: trace.updated, spans: trace.spans, logs: trace.logs, settled: is_settled(trace) }
    }
}

/// A finding in a trace: which, where, how often.
struct Noted {
    kind: Arc<Finding>,
    span: Option<String>,
    count: u64,
}

/// The findings of several traces.
#[derive(Default)]
pub(crate) struct Sum(HashMap<usize, Summed>);

/// A finding, the first trace and span that have it, and how often it is there in all.
struct Summed {
    kind: Arc<Finding>,
    trace: TraceId,
    span: Option<String>,
    count: u64,
}

impl Sum {
    /// The findings, of which some may be alike: those that were noted long after one another.
    pub(crate) fn done(self) -> Vec<Finding> {
        let finding = |Summed { kind, trace, span, count }| Finding {
            trace: Some(trace.to_string()),
            span,
            count,
            ..Finding::clone(&kind)
        };
        self.0.into_values().map(finding).collect()
    }
}

impl Seen {
    /// Adds what was found in a trace; `false` if it was not looked into since it changed.
    pub(crate) fn add(&mut self, trace: &TraceSummary, sum: &mut Sum) -> bool {
        let version = Version::of(trace);
        if let Some(entry) = self.before.remove(&trace.id) {
            self.lately.entry(trace.id).or_insert(entry);
        }
        let Some(entry) = self.lately.get(&trace.id).filter(|entry| entry.version == version) else {
            return false;
        };
        for Noted { kind, span, count } in entry.found.iter() {
            let new = || Summed { kind: Arc::clone(kind), trace: trace.id, span: span.clone(), count: 0 };
            let known = sum.0.entry(Arc::as_ptr(kind).addr()).or_insert_with(new);
            known.count = known.count.saturating_add(*count);
        }
        true
    }

    /// Notes what was found in a trace as it was then.
    pub(crate) fn note(&mut self, trace: &TraceSummary, found: Vec<Finding>) {
        if self.lately.len() >= MOST {
            self.before = std::mem::take(&mut self.lately);
        }
        if self.kinds.len() >= MOST_KINDS {
            self.kinds.clear();
        }
        let mut noted = |mut finding: Finding| {
            let (span, count) = (finding.span.take(), finding.count);
            let kind = self.kinds.entry(same(&finding)).or_insert_with(|| {
                (finding.trace, finding.count) = (None, 0);
                Arc::new(finding)
            });
            Noted { kind: Arc::clone(kind), span, count }
        };
        let found = found.into_iter().map(&mut noted).collect();
        self.lately.insert(trace.id, Entry { version: Version::of(trace), found });
    }
}
