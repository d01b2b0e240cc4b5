//! How long records are kept: days go as whole files, which costs nothing; of the day that is being written the oldest traces
//! go one by one, if it alone is too large.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use super::erase;
use super::fault;
use super::folder;
use super::tell::News;
use super::writer::Writer;
use crate::error::StoreError;
use crate::id::{Day, Nanos};
use crate::query::{Delete, Deleted, Range, Retention};

/// So often it is looked whether something is to go.
const SWEEP: Duration = Duration::from_secs(60);
/// While there is more to go than was done at a time, between so long and so long, and mostly
const SOON: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(1)];
/// so many times as long as it took: others are to be stored meanwhile.
const REST: u32 = 4;
/// Without a limit of age, records of the last so many days are kept under their own day.
const OLDEST_DAYS: i32 = 400;
/// When a file is thinned, it is thinned to so many hundredths of its limit.
const THINNED: u64 = 80;

impl Retention {
    /// The first day that is not too old.
    pub(super) fn oldest(&self, now: Nanos) -> Option<Day> {
        let age = u64::try_from(self.max_age?.as_nanos()).unwrap_or(u64::MAX);
        Some(Day::of(Nanos(now.0.saturating_sub(age))))
    }

    /// The day a record is kept under: its own, unless a clock is wrong or the day has gone; then that of its reception.
    pub(super) fn day(&self, moment: Nanos, received: Nanos) -> Day {
        let today = Day::of(received);
        let own = Day::of(moment.or(received));
        let oldest = Day(today.0.saturating_sub(OLDEST_DAYS));
        let oldest = self.oldest(received).map_or(oldest, |limit| limit.max(oldest));
        if (oldest.0..=today.0.saturating_add(1)).contains(&own.0) { own } else { today }
    }
}

/// When to look again.
#[derive(Debug)]
pub(super) struct Sweep {
    due: Instant,
    /// Traces were taken out of a file whose indexes have not been put together yet.
    thinned: bool,
}

impl Sweep {
    /// At once.
    pub(super) fn new() -> Self {
        Self { due: Instant::now(), thinned: false }
    }

    pub(super) fn patience(&self) -> Duration {
        self.due.saturating_duration_since(Instant::now())
    }

    pub(super) fn is_due(&self) -> bool {
        self.patience().is_zero()
    }
}

impl Writer {
    /// Lets go what is too old and what is too much, and sets aside what others found damaged.
    pub(super) fn sweep(&mut self) {
        let begun = Instant::now();
        self.set_suspects_aside();
        let more = self.enforce(Nanos::now()).unwrap_or_else(|error| {
            tracing::warn!(target: "otel_genai_store", "cannot delete what is too old or too much: {error}");
            false
        });
        let [least, most] = SOON;
        let soon = (REST * begun.elapsed()).clamp(least, most);
        self.sweep.due = Instant::now() + if more { soon } else { SWEEP };
    }

    /// Whether there is more to do.
    fn enforce(&mut self, now: Nanos) -> Result<bool, StoreError> {
        if !self.deletes {
            return Ok(false);
        }
        let listed = |source| fault::io("cannot list the data folder", source);
        let mut days = folder::days(self.folder.path()).map_err(listed)?;
        if let Some(oldest) = self.limits.oldest(now) {
            for day in days.extract_if(.., |day| *day < oldest) {
                self.forget(day)?;
            }
        }
        let Some(most) = self.limits.max_bytes else { return Ok(false) };
        let today = Day::of(now);
        let mut room = room(self.folder.path());
        while room > most {
            match days.first() {
                Some(day) if *day < today => {
                    room = room.saturating_sub(self.forget(*day)?.bytes);
                    days.remove(0);
                }
                Some(day) => return self.thin(*day, room, most),
                None => return Ok(false),
            }
        }
        Ok(false)
    }

    /// Deletes the oldest traces of a day that is still written to. Room in a file is used again, and given back when there
    /// is much of it.
    fn thin(&mut self, day: Day, room: u64, most: u64) -> Result<bool, StoreError> {
        let path = self.folder.path().to_owned();
        let told = |error| fault::sqlite("cannot delete the oldest traces", &path, error);
        let file = fs::metadata(folder::file(&path, day)).map_or(0, |file| file.len());
        let thinned = self.sweep.thinned;
        let Ok(segment) = self.segment(day) else { return Ok(false) };
        if thinned {
            let more = erase::compact(&segment.connection).map_err(told)?;
            erase::give_back(&segment.connection).map_err(told)?;
            segment.checkpoint(true);
            self.sweep.thinned = more;
            return Ok(true);
        }
        let used = room.saturating_sub(file) + erase::used(&segment.connection).map_err(told)?;
        let surplus = used.saturating_sub(most / 100 * THINNED);
        // As many traces as will do, if they are of one size.
        let share = surplus.saturating_mul(10_000) / used.max(1);
        let range = erase::oldest(segment, share).map_err(told)?;
        segment.checkpoint(true);
        let Some(range) = range else { return Ok(false) };
        self.tell_deleted(range);
        self.sweep.thinned = true;
        Ok(true)
    }

    /// Deletes what somebody asked to be deleted.
    pub(super) fn delete(&mut self, what: Delete) -> Result<Deleted, StoreError> {
        let listed = |source| fault::io("cannot list the data folder", source);
        let days = folder::days(self.folder.path()).map_err(listed)?;
        let mut deleted = Deleted::default();
        for day in days {
            let more = match what {
                Delete::All => self.forget(day)?,
                Delete::Before(moment) if Day(day.0.saturating_add(1)).start() <= moment => {
                    self.forget(day)?
                }
                Delete::Before(_) => Deleted::default(),
                Delete::Trace(trace) => {
                    let path = self.folder.path().to_owned();
                    let told = |error| fault::sqlite("cannot delete a trace", &path, error);
                    let before = room(&path);
                    let Ok(segment) = self.segment(day) else { continue };
                    let Some(range) = erase::trace(segment, trace).map_err(told)? else { continue };
                    erase::compact(&segment.connection).map_err(told)?;
                    segment.checkpoint(true);
                    self.tell_deleted(range);
                    Deleted { traces: 1, bytes: before.saturating_sub(room(&path)) }
                }
            };
            deleted.traces += more.traces;
            deleted.bytes += more.bytes;
        }
        if matches!(what, Delete::Trace(_)) {
            // Over midnight it is still one.
            deleted.traces = deleted.traces.min(1);
        }
        Ok(deleted)
    }

    /// Deletes the file of a day.
    fn forget(&mut self, day: Day) -> Result<Deleted, StoreError> {
        let file = folder::file(self.folder.path(), day);
        let traces = traces(&file).unwrap_or(0);
        self.open.retain(|segment| segment.day != day);
        let bytes =
            parts(&file).iter().filter_map(|part| fs::metadata(part).ok()).map(|part| part.len()).sum();
        // Readers close it before their next answer.
        self.folder.turn();
        // The log before its file: a file without its log is whole, a log without its file would go into the next one. And
        // once more after it: somebody may have opened it meanwhile, whom the file is gone for now.
        for part in parts(&file).into_iter().chain(parts(&file)) {
            match fs::remove_file(&part) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(fault::io("cannot delete a day", error));
                }
                _ => {}
            }
        }
        // Who asked meanwhile may have opened what is gone now.
        self.folder.turn();
        tracing::info!(target: "otel_genai_store", "{} was deleted: {traces} traces", file.display());
        self.tell_deleted(Range { from: day.start(), to: Day(day.0.saturating_add(1)).start() });
        Ok(Deleted { traces, bytes })
    }

    fn tell_deleted(&self, range: Range) {
        if self.ear.listens() {
            self.ear.tell(News { deleted: Some(range), ..News::default() });
        }
    }

    /// Readers that met damage do not move files: they name them.
    fn set_suspects_aside(&mut self) {
        for day in self.folder.suspects() {
            let file = folder::file(self.folder.path(), day);
            if file.exists()
                && let Err(error) = sound(&file)
                && fault::is_damage(&error)
            {
                // What cannot be moved now is met again.
                let _ = self.set_aside(day, &error);
            }
        }
    }
}

/// A file and what SQLite keeps beside it, in the order in which they go.
fn parts(file: &Path) -> [std::path::PathBuf; 3] {
    ["-wal", "-shm", ""].map(|suffix| {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        name.into()
    })
}

/// How much room the files of the days take. What SQLite keeps beside them comes and goes.
fn room(path: &Path) -> u64 {
    let days = folder::days(path).unwrap_or_default();
    days.iter().filter_map(|day| fs::metadata(folder::file(path, *day)).ok()).map(|file| file.len()).sum()
}

pub(super) fn read_only(file: &Path) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
}

fn traces(file: &Path) -> rusqlite::Result<u64> {
    let count = read_only(file)?.query_row("SELECT count(*) FROM trace", [], |row| row.get::<_, i64>(0))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Looks through a file. An error if it is not sound.
fn sound(file: &Path) -> rusqlite::Result<()> {
    let told: String = read_only(file)?.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if told == "ok" {
        return Ok(());
    }
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    Err(rusqlite::Error::SqliteFailure(code, Some(told)))
}
