//! How fast records come.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many records were stored lately.
#[derive(Debug, Default)]
pub(crate) struct Rate(Mutex<VecDeque<(Instant, u64)>>);

/// "Lately".
const LATELY: Duration = Duration::from_secs(10);

impl Rate {
    pub(crate) fn add(&self, records: u64) {
        let mut lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lately.push_back((Instant::now(), records));
        while lately.front().is_some_and(|(at, _)| at.elapsed() > LATELY) {
            lately.pop_front();
        }
    }

    pub(crate) fn per_second(&self) -> f64 {
        let lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let records: u64 =
            lately.iter().filter(|(at, _)| at.elapsed() <= LATELY).map(|(_, records)| *records).sum();
        #[allow(clippy::cast_precision_loss, reason = "a rate")]
        let records = records as f64;
        records / LATELY.as_secs_f64()
    }
}
