//! The folder of a store: a file for each day, and the lock.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::{fs, io};

use rusqlite::{Connection, ErrorCode};
use serde::{Deserialize, Serialize};

use super::fault;
use super::retention::read_only;
use super::schema;
use crate::error::StoreError;
use crate::id::Day;

/// How the names of temporary folders begin.
const TEMPORARY: &str = "otel-genai-";

/// A folder that nobody else writes to, for as long as this lives.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// How often files were taken away: who has some open looks again.
    turns: AtomicU64,
    /// Days whose files were found damaged.
    suspects: Mutex<BTreeSet<Day>>,
    // Never used, only held; in a mutex because threads share the folder. Fields are dropped in this order: the
    // lock is free before a temporary folder goes.
    lock_held: Option<Mutex<Connection>>,
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
        make(path).map_err(|error| {
            let source = io::Error::new(error.kind(), format!("{}: {error}", path.display()));
            fault::io("cannot make the data folder", source)
        })?;
        let folder = Self::new(path, Some(Mutex::new(lock(path)?)), temporary);
        folder.tell(&Owner { pid: std::process::id(), url: None });
        Ok(folder)
    }

    /// A folder to read from, whoever writes to it.
    pub(super) fn read_only(path: &Path) -> Result<Self, StoreError> {
        fs::read_dir(path).map_err(|source| fault::io("cannot read the data folder", source))?;
        Ok(Self::new(path, None, None))
    }

    fn new(path: &Path, lock: Option<Mutex<Connection>>, temporary: Option<tempfile::TempDir>) -> Self {
        Self {
            path: path.to_owned(),
            turns: AtomicU64::new(0),
            suspects: Mutex::default(),
            lock_held: lock,
            _temporary: temporary,
        }
    }

    /// A folder that goes with the store: in memory where the system has a folder there, or else among the temporary files,
    /// or the other way round.
    pub(super) fn temporary(in_memory: bool) -> Result<Self, StoreError> {
        let (shared, files) = (PathBuf::from("/dev/shm"), std::env::temp_dir());
        let mut places = vec![files];
        if shared.is_dir() {
            places.insert(usize::from(!in_memory), shared);
        }
        let mut made = Err(io::Error::other("there is no place for one"));
        for place in &places {
            made = tempfile::Builder::new().prefix(TEMPORARY).tempdir_in(place);
            if made.is_ok() {
                break;
            }
        }
        let temporary = made.map_err(|source| fault::io("cannot make a temporary folder", source))?;
        let path = temporary.path().to_owned();
        let folder = Self::at(&path, Some(temporary))?;
        places.iter().for_each(|place| sweep(place, &path));
        Ok(folder)
    }

    /// Completes files that an older version has left, from a day on. One that cannot be completed is said, and passed over
    /// by whoever reads; a damaged one is set aside.
    ///
    /// # Errors
    /// [`StoreError::Older`], if there is one and nothing may be written.
    pub(super) fn complete(&self, first: Option<Day>) -> Result<(), StoreError> {
        let days = days(&self.path).map_err(|source| fault::io("cannot list the data folder", source))?;
        for day in days.into_iter().filter(|day| first.is_none_or(|first| *day >= first)) {
            let file = file(&self.path, day);
            let lacks_tables = read_only(&file).and_then(|file| schema::lacks_tables(&file));
            if lacks_tables.as_ref().is_err_and(fault::is_damage) {
                self.suspect(day);
            }
            // What else cannot be read is met, and told, by who wants to read it.
            if !lacks_tables.unwrap_or(false) {
                continue;
            }
            if self.is_read_only() {
                return Err(StoreError::Older { file });
            }
            match Connection::open(&file).and_then(|connection| schema::complete(&connection)) {
                Ok(()) => {
                    tracing::info!(target: "otel_genai_store", "{} was brought up to date", file.display());
                }
                Err(error) if fault::is_damage(&error) => {
                    // What cannot be moved now is met again.
                    let _ = self.set_aside(day, &error);
                }
                Err(error) => tracing::warn!(
                    target: "otel_genai_store",
                    "{} is of an older version and cannot be brought up to date ({error}): it is left out until it can, \
                     which is tried again at the next start",
                    file.display()
                ),
            }
        }
        Ok(())
    }

    /// Moves a damaged file aside, and says it.
    pub(super) fn set_aside(&self, day: Day, error: &rusqlite::Error) -> io::Result<()> {
        self.turn();
        let kept = set_aside(&self.path, day)?;
        // Who asked meanwhile may have opened what is gone now.
        self.turn();
        tracing::warn!(
            target: "otel_genai_store",
            "{} is damaged ({error}); it is kept as {}, and a new file is begun",
            file(&self.path, day).display(),
            kept.display()
        );
        Ok(())
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

    /// Whether nothing may be written.
    pub(super) fn is_read_only(&self) -> bool {
        self.lock_held.is_none()
    }

    /// Leaves nothing but the files of the days: those who only read cannot take away what SQLite keeps beside them, and who
    /// had a file open when it was deleted may have left something.
    pub(super) fn tidy(&self) {
        if self.is_read_only() {
            return;
        }
        for entry in fs::read_dir(&self.path).into_iter().flatten().flatten() {
            let path = entry.path();
            let beside = path.extension().is_some_and(|what| what == "sqlite-wal" || what == "sqlite-shm");
            if beside && !path.with_extension("sqlite").exists() {
                let _ = fs::remove_file(path);
            }
        }
        for day in days(&self.path).unwrap_or_default() {
            let file = file(&self.path, day);
            if file.with_extension("sqlite-wal").exists() {
                // What cannot be done now is done by the next one who writes.
                let _ = Connection::open(file)
                    .and_then(|connection| connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE);"));
            }
        }
    }

    /// A file is taken away.
    pub(super) fn turn(&self) {
        self.turns.fetch_add(1, Ordering::AcqRel);
    }

    /// Another number, whenever files were taken away.
    pub(super) fn turns(&self) -> u64 {
        self.turns.load(Ordering::Acquire)
    }

    /// The file of a day seems to be damaged.
    pub(super) fn suspect(&self, day: Day) {
        if self.suspects.lock().unwrap_or_else(PoisonError::into_inner).insert(day) {
            let (file, aside) = (file(&self.path, day), self.path.join("damaged"));
            let (file, aside) = (file.display(), aside.display());
            if self.is_read_only() {
                tracing::warn!(
                    target: "otel_genai_store",
                    "{file} is damaged; the next dashboard that writes to its folder keeps it aside in {aside}"
                );
            } else {
                // Looked at again before it is moved.
                tracing::warn!(target: "otel_genai_store", "{file} seems to be damaged; if it is, it is kept aside in {aside}");
            }
        }
    }

    /// Days whose files seem to be damaged, told once.
    pub(super) fn suspects(&self) -> BTreeSet<Day> {
        std::mem::take(&mut *self.suspects.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Takes away the temporary folders of processes that were killed: what is in memory is missed elsewhere.
fn sweep(place: &Path, ours: &Path) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let (path, is_folder) = (entry.path(), entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let is_named_so = entry.file_name().to_str().is_some_and(|name| name.starts_with(TEMPORARY));
        // Who has said who it is had the lock before.
        if path == ours || !is_folder || !is_named_so || !path.join("owner.json").is_file() {
            continue;
        }
        #[cfg(unix)]
        if !same_user(&path, ours) {
            continue;
        }
        if let Ok(free) = lock(&path) {
            let _ = fs::remove_dir_all(&path);
            drop(free);
        }
    }
}

/// Whether two folders are of one user.
#[cfg(unix)]
fn same_user(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let user = |path: &Path| fs::symlink_metadata(path).ok().map(|what| what.uid());
    user(one).is_some_and(|one| Some(one) == user(other))
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
fn set_aside(folder: &Path, day: Day) -> io::Result<PathBuf> {
    let aside = folder.join("damaged");
    make(&aside)?;
    let file = file(folder, day);
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let names =
        |number: u32| ["-wal", "-shm", ""].map(|suffix| aside.join(format!("{name}.{number}{suffix}")));
    let free = |number: &u32| names(*number).iter().all(|name| !name.exists());
    let number = (1..).find(free).unwrap_or(u32::MAX);
    // The log before its file: left alone, it would go into the next file of the day.
    for (suffix, kept) in ["-wal", "-shm", ""].iter().zip(names(number)) {
        let part = folder.join(format!("{name}{suffix}"));
        if part.exists() {
            fs::rename(part, kept)?;
        }
    }
    let kept = aside.join(format!("{name}.{number}"));
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
