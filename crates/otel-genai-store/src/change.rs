//! What has changed, for those who watch.

use crate::query::Range;
use crate::summary::TraceSummary;

/// Something that has changed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Change {
    /// These traces are new or others than before; each stands here whole.
    Traces(Vec<TraceSummary>),
    /// Log records came.
    Logs {
        /// So many.
        count: u64,
    },
    /// Points of metrics came.
    Metrics {
        /// So many.
        count: u64,
    },
    /// Records were deleted.
    Deleted {
        /// Of this time.
        range: Range,
    },
    /// Changes were missed, because nobody took them: ask again.
    Lost,
}
