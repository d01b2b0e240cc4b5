//! Wakes the reading thread, no oftener than it pays: to wake a thread for every call would cost more than to read it.

use std::sync::atomic::{AtomicU8, Ordering, fence};
use std::thread::{self, Thread};
use std::time::Duration;

/// How long the thread waits for more once there is something to read.
const GATHER: Duration = Duration::from_millis(2);
/// So much at once is not kept waiting.
const MANY: usize = 64;

const AWAKE: u8 = 0;
/// Nothing is there to be read.
const ASLEEP: u8 = 1;
/// Something is, and more may come.
const GATHERING: u8 = 2;

/// Between those who hand over and the thread that reads.
#[derive(Debug, Default)]
pub(crate) struct Bell(AtomicU8);

impl Bell {
    /// After something was handed over: `waiting` things wait now.
    pub(crate) fn ring(&self, reader: &Thread, waiting: usize) {
        // Either the reader sees what was handed over before it sleeps, or it is seen here that it sleeps.
        fence(Ordering::SeqCst);
        let state = self.0.load(Ordering::Relaxed);
        if state == ASLEEP || (state == GATHERING && waiting >= MANY) {
            self.wake(reader);
        }
    }

    /// Whatever the reader does, it looks again at once.
    pub(crate) fn wake(&self, reader: &Thread) {
        fence(Ordering::SeqCst);
        // Who comes second has nothing to do.
        if self.0.swap(AWAKE, Ordering::SeqCst) != AWAKE {
            reader.unpark();
        }
    }

    /// For the reader: it has found nothing, and will look once more before it sleeps.
    pub(crate) fn lie_down(&self) {
        self.0.store(ASLEEP, Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }

    /// For the reader, once it lies: sleeps until somebody rings. To wake without reason is allowed.
    pub(crate) fn sleep(&self) {
        thread::park();
    }

    /// The same, but no longer than that. Returns whether nobody has rung.
    pub(crate) fn sleep_for(&self, limit: Duration) -> bool {
        thread::park_timeout(limit);
        let quiet = self.0.load(Ordering::SeqCst) == ASLEEP;
        if quiet {
            self.get_up();
        }
        quiet
    }

    /// For the reader, when something has come: waits a little for more, unless there is much already.
    pub(crate) fn gather(&self) {
        self.0.store(GATHERING, Ordering::SeqCst);
        thread::park_timeout(GATHER);
        self.get_up();
    }

    pub(crate) fn get_up(&self) {
        self.0.store(AWAKE, Ordering::SeqCst);
    }
}
