use std::fmt;
use std::sync::atomic::Ordering::Relaxed;

use crate::health::Health;
use crate::signal::Signal;

/// What became of the telemetry: one entry for each signal and destination.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
#[must_use = "says whether anything was lost"]
pub struct Report {
    /// In the order traces, metrics, logs.
    pub exports: Vec<Export>,
}

/// What became of one signal at one destination, since the start.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Export {
    /// Which signal.
    pub signal: Signal,
    /// `http://localhost:4318/v1/traces`, `http://localhost:4317 (grpc)`, `stderr`: without credentials.
    pub destination: String,
    /// Records that arrived. Metrics count points, again at each export.
    pub sent: u64,
    /// Records that could not be delivered.
    pub failed: u64,
    /// Records that a full queue refused, or that were still waiting when time ran out.
    pub dropped: u64,
    /// What is wrong, why, and what to do: `None` as long as the latest export went well.
    pub trouble: Option<String>,
}

impl Export {
    pub(crate) fn of(health: &Health) -> Self {
        Self {
            signal: health.signal,
            destination: health.destination.clone(),
            sent: health.sent.load(Relaxed),
            failed: health.failed.load(Relaxed),
            dropped: health.dropped(),
            trouble: health.trouble(),
        }
    }
}

impl Report {
    /// Whether everything that was recorded has arrived.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.exports
            .iter()
            .all(|export| export.trouble.is_none() && export.failed == 0 && export.dropped == 0)
    }

    /// What is wrong, one sentence a signal and destination.
    pub fn troubles(&self) -> impl Iterator<Item = &str> {
        self.exports.iter().filter_map(|export| export.trouble.as_deref())
    }
}

/// `12 spans to http://localhost:4318/v1/traces (3 dropped); 4 events to ...`: for a program's last line.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.exports.is_empty() {
            return f.write_str("nothing is exported");
        }
        for (at, export) in self.exports.iter().enumerate() {
            if at > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{} {} to {}", export.sent, export.signal.records(export.sent), export.destination)?;
            match (export.failed, export.dropped) {
                (0, 0) => {}
                (failed, 0) => write!(f, " ({failed} failed)")?,
                (0, dropped) => write!(f, " ({dropped} dropped)")?,
                (failed, dropped) => write!(f, " ({failed} failed, {dropped} dropped)")?,
            }
        }
        Ok(())
    }
}
