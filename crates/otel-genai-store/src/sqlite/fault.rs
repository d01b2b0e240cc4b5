//! What SQLite's errors mean to the one who asked.

use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::ErrorCode;

use crate::error::StoreError;

/// How long a query may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// `SQLITE_IOERR_WRITE`: what some file systems say instead of "full".
const WRITE: i32 = 778;

pub(super) fn io(what: &'static str, source: io::Error) -> StoreError {
    StoreError::Backend { what, source: source.into() }
}

pub(super) fn sqlite(what: &'static str, folder: &Path, error: rusqlite::Error) -> StoreError {
    match error.sqlite_error().map(|error| (error.code, error.extended_code)) {
        Some((ErrorCode::DiskFull, _) | (_, WRITE)) => {
            StoreError::Full { dir: folder.to_owned(), retry_after: Duration::from_secs(30) }
        }
        Some((ErrorCode::ReadOnly, _)) => StoreError::ReadOnly(folder.to_owned()),
        Some((ErrorCode::OperationInterrupted, _)) => StoreError::Timeout(PATIENCE),
        Some((ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _)) => {
            StoreError::Busy { retry_after: Duration::from_secs(1) }
        }
        _ => StoreError::Backend { what, source: error.into() },
    }
}

/// Whether the disk has no room.
pub(super) fn is_full(error: &rusqlite::Error) -> bool {
    let error = error.sqlite_error().map(|error| (error.code, error.extended_code));
    matches!(error, Some((ErrorCode::DiskFull, _) | (_, WRITE)))
}

/// Whether the file itself is broken.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// Bytes of a row that do not read: the file is damaged where SQLite cannot see it.
pub(super) fn unreadable(what: &'static str) -> StoreError {
    StoreError::Backend { what, source: "the stored bytes are damaged".into() }
}
