//! Single measurements of a span, gathered from points.

use std::sync::Arc;

use crate::id::{SpanId, TraceId};
use crate::metric::{Exemplar, Point};

/// So many are told of a span.
const MOST: usize = 100;

/// The measurements that were taken in a span.
#[derive(Debug)]
pub(crate) struct Measured {
    trace: TraceId,
    span: SpanId,
    found: Vec<(Arc<str>, Exemplar)>,
}

impl Measured {
    pub(crate) fn new(trace: TraceId, span: SpanId) -> Self {
        Self { trace, span, found: Vec::new() }
    }

    /// Those of a point, of a metric with this name.
    pub(crate) fn add(&mut self, name: &Arc<str>, point: Point) {
        let of_span = point.exemplars.into_iter().filter(|one| {
            one.span == Some(self.span)
                && one.trace.is_none_or(|other| other == self.trace)
                && !one.value.is_nan()
        });
        self.found.extend(of_span.map(|one| (Arc::clone(name), one)));
    }

    /// In order of time, with the names of their metrics. A total tells the same ones again and again: each is told once.
    pub(crate) fn told(self) -> Vec<(Arc<str>, Exemplar)> {
        let mut found = self.found;
        let key = |(name, one): &(Arc<str>, Exemplar)| (one.time, Arc::clone(name), one.value.to_bits());
        found.sort_by_cached_key(key);
        found.dedup_by(|one, other| key(one) == key(other));
        found.truncate(MOST);
        found
    }
}
