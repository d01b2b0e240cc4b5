//! What is waiting, what is known, what was lost: the books of uploads.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::content::Key;

/// Bytes that may be under way or waiting, whatever the number of uploads: images in prompts are large.
const MAX_BYTES: usize = 64 << 20;

/// How many contents are remembered as stored.
const MEMORY: usize = 1024;

/// What became of the uploads so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Files that were written.
    pub stored: u64,
    /// Contents that needed no upload, because the same had been uploaded before.
    pub known: u64,
    /// Contents that were dropped because the queue was full or closed. Telemetry has no reference to them.
    pub dropped: u64,
    /// Uploads that failed. Telemetry refers to files that are not there.
    pub failed: u64,
    /// Uploads that are under way or waiting.
    pub pending: u64,
}

/// What is to be done with a content.
#[derive(Debug)]
pub(crate) enum Admission {
    /// It is to be uploaded.
    Upload(Ticket),
    /// It is uploaded already, or is about to be.
    Known,
    /// There is no room for it.
    Dropped,
}

/// The books, shared by the hook and its thread.
#[derive(Debug)]
pub(crate) struct Books {
    max_queue_size: usize,
    state: Mutex<State>,
    changed: Condvar,
    told_drop: AtomicBool,
    told_failure: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    closed: bool,
    /// The number of the next upload.
    next: u64,
    /// Uploads under way or waiting, by number, with their sizes.
    pending: BTreeMap<u64, usize>,
    pending_bytes: usize,
    /// Contents stored or about to be, with the time of their last use.
    known: HashMap<Key, u64>,
    clock: u64,
    counts: Counts,
}

impl Books {
    pub(crate) fn new(max_queue_size: usize) -> Arc<Self> {
        Arc::new(Books {
            max_queue_size,
            state: Mutex::default(),
            changed: Condvar::new(),
            told_drop: AtomicBool::new(false),
            told_failure: AtomicBool::new(false),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for room for a content of this size.
    pub(crate) fn admit(self: &Arc<Self>, key: Key, bytes: usize) -> Admission {
        let mut state = self.state();
        if state.is_known(&key) {
            state.counts.known += 1;
            return Admission::Known;
        }
        let full = state.pending.len() >= self.max_queue_size || state.pending_bytes + bytes > MAX_BYTES;
        if full || state.closed {
            state.counts.dropped += 1;
            return Admission::Dropped;
        }
        let number = state.next;
        state.next += 1;
        state.pending.insert(number, bytes);
        state.pending_bytes += bytes;
        state.remember(key);
        Admission::Upload(Ticket { books: Arc::clone(self), number, key, settled: false })
    }

    /// A content was lost before it came to an upload.
    pub(crate) fn lost(&self) {
        self.state().counts.failed += 1;
    }

    /// No more is admitted.
    pub(crate) fn close(&self) {
        self.state().closed = true;
    }

    pub(crate) fn counts(&self) -> Counts {
        self.state().counts()
    }

    /// Waits until everything that was admitted before this call is settled, or the time is up.
    pub(crate) fn wait(&self, timeout: Duration) -> Counts {
        let before = self.state().next;
        self.wait_for(before, timeout)
    }

    /// Waits for the uploads with numbers below this one.
    fn wait_for(&self, before: u64, timeout: Duration) -> Counts {
        let until = Instant::now().checked_add(timeout);
        let mut state = self.state();
        while state.pending.first_key_value().is_some_and(|(number, _)| *number < before) {
            let Some(until) = until else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.counts()
    }

    /// Whether this is the first content dropped.
    pub(crate) fn first_drop(&self) -> bool {
        !self.told_drop.swap(true, Ordering::Relaxed)
    }

    /// Whether this is the first upload failed.
    pub(crate) fn first_failure(&self) -> bool {
        !self.told_failure.swap(true, Ordering::Relaxed)
    }
}

impl State {
    fn is_known(&mut self, key: &Key) -> bool {
        self.clock += 1;
        let clock = self.clock;
        self.known.get_mut(key).map(|used| *used = clock).is_some()
    }

    /// Remembers a content. When the memory is full, the half that was not used for longest is forgotten: those cost a
    /// look into the store when they come again.
    fn remember(&mut self, key: Key) {
        if self.known.len() >= MEMORY {
            let mut uses: Vec<u64> = self.known.values().copied().collect();
            let (_, median, _) = uses.select_nth_unstable(MEMORY / 2);
            let median = *median;
            self.known.retain(|_, used| *used >= median);
        }
        self.known.insert(key, self.clock);
    }

    fn counts(&self) -> Counts {
        Counts { pending: self.pending.len() as u64, ..self.counts }
    }
}

/// What became of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The file was written.
    Stored,
    /// The file was there, from an earlier run perhaps.
    WasThere,
    /// Neither.
    Failed,
}

/// A place in the queue. Dropped without an outcome, as happens when the time to shut down is up, it counts as failed.
#[derive(Debug)]
pub(crate) struct Ticket {
    books: Arc<Books>,
    number: u64,
    key: Key,
    settled: bool,
}

impl Ticket {
    pub(crate) fn settle(mut self, outcome: Outcome) {
        self.end(outcome);
    }

    fn end(&mut self, outcome: Outcome) {
        if std::mem::replace(&mut self.settled, true) {
            return;
        }
        let mut state = self.books.state();
        match outcome {
            Outcome::Stored => state.counts.stored += 1,
            Outcome::WasThere => state.counts.known += 1,
            Outcome::Failed => {
                state.counts.failed += 1;
                // The same content may have better luck later.
                state.known.remove(&self.key);
            }
        }
        if let Some(bytes) = state.pending.remove(&self.number) {
            state.pending_bytes = state.pending_bytes.saturating_sub(bytes);
        }
        drop(state);
        self.books.changed.notify_all();
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.end(Outcome::Failed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Kind;

    fn key(n: usize) -> Key {
        let mut sum = [0; 32];
        for (to, from) in sum.iter_mut().zip(n.to_le_bytes()) {
            *to = from;
        }
        (Kind::Inputs, sum)
    }

    fn store(books: &Arc<Books>, n: usize) -> bool {
        match books.admit(key(n), 1) {
            Admission::Upload(ticket) => {
                ticket.settle(Outcome::Stored);
                true
            }
            _ => false,
        }
    }

    #[test]
    fn what_is_used_is_not_forgotten() {
        let books = Books::new(20);
        assert!(store(&books, 0));
        for n in 1..10 * MEMORY {
            assert!(store(&books, n));
            assert!(!store(&books, 0), "forgotten after {n} others");
        }
        assert!(books.state().known.len() <= MEMORY);
        assert!(store(&books, 1), "the memory is bounded");
    }

    #[test]
    fn bytes_are_bounded_too() {
        let books = Books::new(20);
        let Admission::Upload(_held) = books.admit(key(1), MAX_BYTES - 10) else { panic!("there is room") };
        assert!(matches!(books.admit(key(2), 11), Admission::Dropped));
        assert!(matches!(books.admit(key(3), 10), Admission::Upload(_)));
    }

    #[test]
    fn what_comes_later_is_not_waited_for() {
        let books = Books::new(20);
        let Admission::Upload(first) = books.admit(key(1), 1) else { panic!("there is room") };
        let before = books.state().next;
        let Admission::Upload(_second) = books.admit(key(2), 1) else { panic!("there is room") };
        let waiting = std::thread::spawn({
            let books = Arc::clone(&books);
            move || books.wait_for(before, Duration::MAX)
        });
        first.settle(Outcome::Stored);
        let counts = waiting.join().unwrap();
        assert_eq!((counts.stored, counts.pending), (1, 1), "{counts:?}");
    }

    #[test]
    fn what_failed_may_be_tried_again() {
        let books = Books::new(20);
        let Admission::Upload(ticket) = books.admit(key(1), 1) else { panic!("there is room") };
        assert!(matches!(books.admit(key(1), 1), Admission::Known));
        drop(ticket);
        assert!(matches!(books.admit(key(1), 1), Admission::Upload(_)));
        assert_eq!(books.counts().failed, 2);
    }
}
