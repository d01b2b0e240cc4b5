//! What was observed so far, in numbers: whatever the convention is called by which its telemetry goes out, whatever
//! samplers decide, and whether or not anything arrives anywhere.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Calls that have ended, and the tokens that their providers counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// Calls that have ended, well or not.
    pub calls: u64,
    /// Those of them that failed, or whose caller did not wait for the end.
    pub errors: u64,
    /// Tokens that models were given.
    pub input_tokens: u64,
    /// Tokens that models made.
    pub output_tokens: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    calls: AtomicU64,
    errors: AtomicU64,
    input: AtomicU64,
    output: AtomicU64,
}

impl Counters {
    pub(crate) fn call(&self, (input, output): (Option<u64>, Option<u64>), failed: bool) {
        self.calls.fetch_add(1, Relaxed);
        self.errors.fetch_add(u64::from(failed), Relaxed);
        self.input.fetch_add(input.unwrap_or(0), Relaxed);
        self.output.fetch_add(output.unwrap_or(0), Relaxed);
    }

    pub(crate) fn totals(&self) -> Totals {
        Totals {
            calls: self.calls.load(Relaxed),
            errors: self.errors.load(Relaxed),
            input_tokens: self.input.load(Relaxed),
            output_tokens: self.output.load(Relaxed),
        }
    }
}
