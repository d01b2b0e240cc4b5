//! Calls that are told later than they end: whoever reads them beside the traffic is asked for the rest before telemetry
//! is flushed.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

/// Something that tells operations of a [`GenAi`](crate::GenAi) later than they end, as an observer of HTTP traffic does.
pub trait Drain: Send + Sync {
    /// Waits until all that ended before is told, but no longer than `timeout`. Returns whether it was done in time.
    fn drain(&self, timeout: Duration) -> bool;

    /// Nothing is told after this: what is still open ends now, as if it had been dropped.
    fn close(&self) {}
}

/// Those of a handler that are still there.
#[derive(Default)]
pub(crate) struct Drains(Mutex<Vec<Weak<dyn Drain>>>);

impl Drains {
    pub(crate) fn add(&self, drain: Weak<dyn Drain>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|other| other.strong_count() > 0);
        all.push(drain);
    }

    pub(crate) fn close(&self) {
        for drain in self.all() {
            drain.close();
        }
    }

    pub(crate) fn drain(&self, timeout: Duration) -> bool {
        let start = Instant::now();
        self.all().into_iter().fold(true, |done, drain| {
            let left = timeout.saturating_sub(start.elapsed());
            drain.drain(left) && done
        })
    }

    /// Not to be used within the lock: what is told may come back here.
    fn all(&self) -> Vec<Arc<dyn Drain>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter_map(Weak::upgrade).collect()
    }
}
