//! The exchanges that are there: when telemetry ends, what of them is still open ends, too.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::record::{Ending, Record};

#[derive(Default)]
pub(crate) struct Open(Mutex<Records>);

#[derive(Default)]
struct Records {
    next: u64,
    all: HashMap<u64, Weak<Record>>,
}

impl Open {
    pub(crate) fn add(&self, make: impl FnOnce(u64) -> Record) -> Arc<Record> {
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = records.next;
        records.next += 1;
        let record = Arc::new(make(key));
        records.all.insert(key, Arc::downgrade(&record));
        record
    }

    pub(crate) fn remove(&self, key: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).all.remove(&key);
    }

    /// Ends what is open as if everybody had lost interest.
    pub(crate) fn end_all(&self) {
        let all: Vec<_> = {
            let records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // Held until the lock is free: the last one to go takes itself off the list.
            records.all.values().filter_map(Weak::upgrade).collect()
        };
        for record in all {
            record.end(Ending::Dropped);
        }
    }
}
