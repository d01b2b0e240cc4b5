//! The folder of a store: a file for each day, and the lock.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::{fs, io};

use rusqlite::{Connection, ErrorCode};
use serde::{Deserialize, Serialize};

use super::fault;
use crate::error::StoreError;
use crate::id::Day;

/// A folder that nobody else writes to, for as long as this lives.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    // Never used again, only held; in a mutex because threads share the folder. Fields are dropped in this order: the
    // lock is free before a temporary folder goes.
    _lock: Mutex<Connection>,
    _temporary: Option<tempfile::TempDir>,
}

/// The process that has the lock of a folder, as it tells of itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Owner {
    /// Its id.
    pub pid: u32,
    /// Where it answers, once it does.
    pub url: Option<String>,
}

impl Folder {
    /// Makes the folder if it is not there, and takes its lock, which the operating system frees whatever ends the
    /// process.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        Self::at(path, None)
    }

    fn at(path: &Path, temporary: Option<tempfile::TempDir>) -> Result<Self, StoreError> {
        make(path).map_err(|source| fault::io("cannot make the data folder", source))?;
        let folder = Self { path: path.to_owned(), _lock: Mutex::new(lock(path)?), _temporary: temporary };
        folder.tell(&Owner { pid: std::process::id(), url: None });
        Ok(folder)
    }

    /// A folder in memory where the system has one, which goes with the store.
    pub(super) fn temporary() -> Result<Self, StoreError> {
        let shared = Path::new("/dev/shm");
        let place = if shared.is_dir() { shared.to_owned() } else { std::env::temp_dir() };
        let temporary = tempfile::Builder::new().prefix("otel-genai-").tempdir_in(place);
        let temporary = temporary.map_err(|source| fault::io("cannot make a temporary folder", source))?;
        let path = temporary.path().to_owned();
        Self::at(&path, Some(temporary))
    }

    /// Says in `owner.json` where this process answers.
    pub(super) fn announce(&self, url: &str) {
        self.tell(&Owner { pid: std::process::id(), url: Some(url.to_owned()) });
    }

    fn tell(&self, owner: &Owner) {
        // A courtesy to the next one who comes: the lock is what counts.
        let _ = serde_json::to_vec(owner).map(|text| fs::write(self.path.join("owner.json"), text));
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// The file of a day.
pub(super) fn file(folder: &Path, day: Day) -> PathBuf {
    let (year, month, day) = day.date();
    folder.join(format!("{year:04}-{month:02}-{day:02}.sqlite"))
}

/// The days that have files, oldest first.
pub(super) fn days(folder: &Path) -> io::Result<Vec<Day>> {
    let mut days = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let Some(date) = name.to_str().and_then(|name| name.strip_suffix(".sqlite")) else { continue };
        let mut parts = date.split('-').map(str::parse::<u32>);
        if let (Some(Ok(year)), Some(Ok(month)), Some(Ok(day)), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        {
            days.extend(i32::try_from(year).ok().and_then(|year| Day::from_date(year, month, day)));
        }
    }
    days.sort_unstable();
    Ok(days)
}

/// Moves a damaged file aside, with what belongs to it. Nothing is ever deleted.
pub(super) fn set_aside(folder: &Path, day: Day) -> io::Result<PathBuf> {
    let aside = folder.join("damaged");
    make(&aside)?;
    let file = file(folder, day);
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let free = |number: &u32| !aside.join(format!("{name}.{number}")).exists();
    let number = (1..).find(free).unwrap_or(u32::MAX);
    let kept = aside.join(format!("{name}.{number}"));
    fs::rename(&file, &kept)?;
    for suffix in ["-wal", "-shm"] {
        let beside = folder.join(format!("{name}{suffix}"));
        if beside.exists() {
            fs::rename(&beside, aside.join(format!("{name}.{number}{suffix}")))?;
        }
    }
    Ok(kept)
}

/// Files that were moved aside.
pub(super) fn damaged(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder.join("damaged")).into_iter().flatten().flatten().map(|entry| entry.path());
    let beside =
        |path: &PathBuf| path.to_string_lossy().ends_with("-wal") || path.to_string_lossy().ends_with("-shm");
    entries.filter(|path| !beside(path)).collect()
}

/// The process that writes to a folder at the moment. `None`: there is none, or it has not said who it is yet.
pub(super) fn owner(path: &Path) -> Option<Owner> {
    if !path.join("lock.sqlite").is_file() {
        return None;
    }
    match lock(path) {
        Err(StoreError::Locked { url, pid: Some(pid), .. }) => Some(Owner { pid, url }),
        _ => None,
    }
}

/// Prompts are nobody else's business: the folder is its owner's.
fn make(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}

fn lock(path: &Path) -> Result<Connection, StoreError> {
    let taken = || -> rusqlite::Result<Connection> {
        let connection = Connection::open(path.join("lock.sqlite"))?;
        // Who only looks for the owner has it for a moment.
        connection.busy_timeout(std::time::Duration::from_millis(100))?;
        connection.execute_batch("BEGIN EXCLUSIVE")?;
        Ok(connection)
    };
    taken().map_err(|error| match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            let owner = fs::read(path.join("owner.json")).ok();
            let owner = owner.and_then(|text| serde_json::from_slice::<Owner>(&text).ok());
            let (pid, url) = owner.map_or((None, None), |owner| (Some(owner.pid), owner.url));
            StoreError::Locked { dir: path.to_owned(), url, pid }
        }
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen) => StoreError::ReadOnly(path.to_owned()),
        _ => fault::sqlite("cannot lock the data folder", path, error),
    })
}
