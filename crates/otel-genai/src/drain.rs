//! Calls that are told later than they end: whoever reads them beside the traffic is asked for the rest before telemetry
//! is flushed.

use std::sync::{Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

/// Something that tells operations of a [`GenAi`](crate::GenAi) later than they end, as an observer of HTTP traffic does.
pub trait Drain: Send + Sync {
    /// Waits until all that ended before is told, but no longer than `timeout`. Returns whether it was done in time.
    fn drain(&self, timeout: Duration) -> bool;
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

    pub(crate) fn drain(&self, timeout: Duration) -> bool {
        let start = Instant::now();
        // Not within the lock: what is told may come back here.
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        all.iter().filter_map(Weak::upgrade).fold(true, |done, drain| {
            let left = timeout.saturating_sub(start.elapsed());
            drain.drain(left) && done
        })
    }
}
