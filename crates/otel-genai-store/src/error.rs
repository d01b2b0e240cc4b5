//! What can go wrong.

use std::path::PathBuf;
use std::time::Duration;

/// Why a store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// More was sent than can be written.
    #[error("the store is busy; try again in {retry_after:?}")]
    Busy {
        /// When to try again.
        retry_after: Duration,
    },
    /// The server that keeps the records does not answer.
    #[error("cannot reach the store at {place}: {source}")]
    Away {
        /// Where it should be.
        place: String,
        /// When to try again.
        retry_after: Duration,
        /// What came of it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The disk has no room.
    #[error("no room left on the disk of {}", dir.display())]
    Full {
        /// The store's folder.
        dir: PathBuf,
        /// When to try again.
        retry_after: Duration,
    },
    /// Nothing can be written here.
    #[error("{} can only be read", .0.display())]
    ReadOnly(PathBuf),
    /// Nothing can be written here, whoever asks: it is another's, or there is no right to.
    #[error("{place} can only be read: {why}")]
    Unwritable {
        /// Where it is.
        place: String,
        /// Why, and what to do about it.
        why: String,
    },
    /// There is no right to do that.
    #[error("{place} does not let this be done: {why}")]
    Denied {
        /// Where it is.
        place: String,
        /// Why, and what to do about it.
        why: String,
    },
    /// Another process writes here.
    #[error("{} is in use by another otel-genai{}", dir.display(), owner(*pid, url.as_deref()))]
    Locked {
        /// The store's folder.
        dir: PathBuf,
        /// Where that one answers.
        url: Option<String>,
        /// Its process.
        pid: Option<u32>,
    },
    /// A file is damaged.
    #[error("{} is damaged; it was kept as {}", file.display(), kept.display())]
    Corrupt {
        /// The file.
        file: PathBuf,
        /// Where it is now.
        kept: PathBuf,
    },
    /// A file of a later version.
    #[error("{} was written by a newer otel-genai (schema {found}, this one knows {known}): update this one", file.display())]
    Newer {
        /// The file.
        file: PathBuf,
        /// Its version.
        found: u32,
        /// The latest version that is known here.
        known: u32,
    },
    /// A file of an earlier version, which can only be looked at.
    #[error("{} was written by an older otel-genai; it is brought up to date when its folder is opened to write", file.display())]
    Older {
        /// The file.
        file: PathBuf,
    },
    /// An answer took too long.
    #[error("the query took longer than {0:?}; narrow the time range")]
    Timeout(Duration),
    /// A cursor that the query did not give.
    #[error("the cursor belongs to another query")]
    BadCursor,
    /// A query that makes no sense.
    #[error("{0}")]
    BadQuery(String),
    /// It was closed meanwhile.
    #[error("the store is closed")]
    Closed,
    /// This kind of store has no way to do it.
    #[error("this store cannot {0}")]
    Unsupported(&'static str),
    /// Anything else.
    #[error("{what}: {source}")]
    Backend {
        /// What was tried.
        what: &'static str,
        /// What came of it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

fn owner(pid: Option<u32>, url: Option<&str>) -> String {
    match (url, pid) {
        (Some(url), Some(pid)) => format!(" ({url}, process {pid})"),
        (Some(url), None) => format!(" ({url})"),
        (None, Some(pid)) => format!(" (process {pid})"),
        (None, None) => String::new(),
    }
}
