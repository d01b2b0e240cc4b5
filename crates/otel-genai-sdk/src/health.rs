//! How one exporter of one signal is doing: what was taken, what arrived, what went wrong. Failures are said once.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};

use crate::signal::Signal;

#[derive(Debug)]
pub(crate) struct Health {
    pub(crate) signal: Signal,
    /// Where to, as it may be printed.
    pub(crate) destination: String,
    /// What a person can do when nothing arrives.
    advice: String,
    /// Records that went into the queue or were refused by it; metrics have no queue.
    pub(crate) taken: AtomicU64,
    pub(crate) sent: AtomicU64,
    pub(crate) failed: AtomicU64,
    rejected: AtomicU64,
    closing: AtomicBool,
    attempts: AtomicU64,
    busy: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Why the latest attempt failed, until one succeeds.
    reason: Option<String>,
    said: bool,
    said_rejected: bool,
}

impl Health {
    pub(crate) fn new(signal: Signal, destination: String, advice: String) -> Self {
        Self {
            signal,
            destination,
            advice,
            taken: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            closing: AtomicBool::new(false),
            attempts: AtomicU64::new(0),
            busy: AtomicBool::new(false),
            state: Mutex::default(),
        }
    }

    /// From now on nothing is tried twice: the process wants to end.
    pub(crate) fn close(&self) {
        self.closing.store(true, Relaxed);
    }

    /// Asked before each attempt of an export: is this a second one, and too late for it?
    pub(crate) fn gives_up(&self) -> bool {
        let late = self.attempts.fetch_add(1, Relaxed) > 0 && self.closing.load(Relaxed);
        if late {
            self.state().reason.get_or_insert_with(|| "the receiver is not ready".to_owned());
        }
        late
    }

    /// A new export: earlier reasons say nothing about it.
    pub(crate) fn begin(&self) {
        self.busy.store(true, Relaxed);
        self.attempts.store(0, Relaxed);
        self.state().reason = None;
    }

    /// Keeps why an attempt failed: the exporter itself only says "network error".
    pub(crate) fn note(&self, reason: String) {
        self.state().reason = Some(reason);
    }

    /// Whether an export has begun and not ended.
    pub(crate) fn is_busy(&self) -> bool {
        self.busy.load(Relaxed)
    }

    /// The receiver took an export without these records.
    pub(crate) fn rejected(&self, records: u64, why: &str) {
        self.rejected.fetch_add(records, Relaxed);
        if !std::mem::replace(&mut self.state().said_rejected, true) {
            let (signal, destination, why) = (self.signal, &self.destination, crate::console::plain(why));
            tracing::warn!(
                target: "otel_genai_sdk",
                "{destination} does not take {records} {}: {why} (said once)", signal.records(records)
            );
        }
    }

    /// The outcome of one export of so many records, all retries included.
    pub(crate) fn end(&self, records: u64, outcome: &OTelSdkResult) {
        self.busy.store(false, Relaxed);
        let mut state = self.state();
        match outcome {
            Ok(()) => {
                let rejected = self.rejected.swap(0, Relaxed).min(records);
                self.sent.fetch_add(records - rejected, Relaxed);
                self.failed.fetch_add(rejected, Relaxed);
                *state = State { said_rejected: state.said_rejected, ..State::default() };
            }
            Err(error) => {
                self.failed.fetch_add(records, Relaxed);
                let reason = state.reason.get_or_insert_with(|| told(error)).clone();
                if !std::mem::replace(&mut state.said, true) {
                    drop(state);
                    let (signal, destination, advice) = (self.signal, &self.destination, &self.advice);
                    tracing::warn!(
                        target: "otel_genai_sdk",
                        "{signal} cannot be exported to {destination}: {reason}; {advice} (said once)"
                    );
                }
            }
        }
    }

    /// The whole sentence, where the latest export failed.
    pub(crate) fn trouble(&self) -> Option<String> {
        let reason = self.state().reason.clone()?;
        Some(format!("{} cannot be exported to {}: {reason}; {}", self.signal, self.destination, self.advice))
    }

    /// The whole sentence, where a flush or shutdown could not be waited for any longer.
    pub(crate) fn out_of_time(&self, allowed: std::time::Duration) -> String {
        let reason = self.state().reason.clone().unwrap_or_else(|| "no answer".to_owned());
        let (signal, destination, advice) = (self.signal, &self.destination, &self.advice);
        format!(
            "{signal} cannot be exported to {destination}: {reason}, given up after {allowed:?}; {advice}"
        )
    }

    /// Records that a full queue refused. Only right once everything was flushed.
    pub(crate) fn dropped(&self) -> u64 {
        let arrived = self.sent.load(Relaxed).saturating_add(self.failed.load(Relaxed));
        self.taken.load(Relaxed).saturating_sub(arrived)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The exporter's own words, without the ceremony.
fn told(error: &OTelSdkError) -> String {
    match error {
        OTelSdkError::InternalFailure(why) => {
            // gRPC: "TonicTracesClient export failed with gRPC code: Unavailable: tcp connect error: ...".
            match why.split_once("export failed with gRPC code: ") {
                Some((_, code)) => format!("gRPC {code}"),
                None => why.clone(),
            }
        }
        other => other.to_string(),
    }
}
