//! The thread that makes content searchable. It goes its own pace: what is stored is found a moment later, and as long as
//! records wait to be stored it lets them go first.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags, TransactionBehavior, params};

use super::folder::{self, Folder};
use super::rest::unpack;
use super::schema;
use crate::id::Day;
use crate::value::Form;
use crate::words::{self, log_texts};

/// At a time so many pieces or records are indexed,
const MOST: usize = 500;
/// or so many bytes of them: a writer that comes meanwhile waits for them.
const MOST_BYTES: usize = 512 << 10;
/// As long as records wait to be stored, a step is made only so often.
const UNDER_LOAD: Duration = Duration::from_secs(2);
/// Between two looks whether they still wait.
const PAUSE: Duration = Duration::from_millis(20);
/// A day that could not be indexed is tried again after so long.
const AGAIN: Duration = Duration::from_secs(5);

/// What is to be indexed, as the writer and the indexer know it.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    days: BTreeSet<Day>,
    /// Records wait to be stored.
    busy: bool,
    closed: bool,
}

impl Backlog {
    /// The file of a day has something new.
    pub(super) fn add(&self, day: Day) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).days.insert(day);
        self.changed.notify_all();
    }

    /// Records wait to be stored, or none do.
    pub(super) fn busy(&self, busy: bool) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).busy = busy;
    }

    /// Lets the thread end.
    pub(super) fn close(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.changed.notify_all();
    }

    /// The last day that has something to be indexed; none when the thread is to end.
    fn next(&self) -> Option<Day> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = |state: &mut State| !state.closed && state.days.is_empty();
        let mut state = self.changed.wait_while(state, waits).unwrap_or_else(PoisonError::into_inner);
        if state.closed { None } else { state.days.pop_last() }
    }

    /// Waits as long as records do, up to a limit. `false`: the thread is to end.
    fn yields(&self, since: Instant) -> bool {
        loop {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.closed || !state.busy || since.elapsed() > UNDER_LOAD {
                return !state.closed;
            }
            let _ = self.changed.wait_timeout(state, PAUSE);
        }
    }

    /// Waits a while. `false`: the thread is to end.
    fn rests(&self, time: Duration) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(state, time, |state| !state.closed);
        !waited.unwrap_or_else(PoisonError::into_inner).0.closed
    }
}

/// Works until the backlog is closed.
pub(super) fn run(folder: &Folder, backlog: &Backlog) {
    // What an earlier process left.
    for day in folder::days(folder.path()).unwrap_or_default() {
        backlog.add(day);
    }
    let mut last = Instant::now();
    while let Some(day) = backlog.next() {
        match index_day(folder, day, backlog, &mut last) {
            Ok(true) => {}
            Ok(false) => return,
            // Full, busy, damaged: the writer meets it too, and says it. What is there is found as far as it is indexed.
            Err(_) => {
                backlog.add(day);
                if !backlog.rests(AGAIN) {
                    return;
                }
            }
        }
    }
}

/// Indexes what the file of a day has and the index has not. `false`: the thread is to end.
fn index_day(folder: &Folder, day: Day, backlog: &Backlog, last: &mut Instant) -> rusqlite::Result<bool> {
    let path = folder::file(folder.path(), day);
    if !path.exists() {
        return Ok(true);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    if schema::of(&connection)? != (schema::APPLICATION, schema::VERSION) {
        return Ok(true);
    }
    // Not lost with the power is only what it is made of.
    connection.execute_batch(
        "PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=0; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8192;
         PRAGMA trusted_schema=OFF;",
    )?;
    for table in [Table::Content, Table::Log] {
        loop {
            if !backlog.yields(*last) {
                return Ok(false);
            }
            *last = Instant::now();
            if !step(&mut connection, table)? {
                break;
            }
        }
    }
    Ok(true)
}

#[derive(Clone, Copy)]
enum Table {
    Content,
    Log,
}

impl Table {
    /// What comes next, the index, and where it has got to.
    fn sql(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Content => (
                "SELECT id, form, body FROM content WHERE id > ? ORDER BY id",
                "INSERT INTO fts(rowid, text) VALUES (?, ?)",
                schema::INDEXED_CONTENT,
            ),
            Self::Log => (
                "SELECT id, 0, rest FROM log WHERE id > ? ORDER BY id",
                "INSERT INTO fts_log(rowid, text) VALUES (?, ?)",
                schema::INDEXED_LOG,
            ),
        }
    }
}

/// Indexes some rows. `false`: there are no more.
fn step(connection: &mut Connection, table: Table) -> rusqlite::Result<bool> {
    let (find, insert, mark) = table.sql();
    let from = schema::meta(connection, mark)?;
    let mut rows = Vec::new();
    let (mut to, mut bytes) = (from, 0);
    {
        let mut find = connection.prepare_cached(find)?;
        let mut found = find.query([from])?;
        while rows.len() < MOST && bytes < MOST_BYTES {
            let Some(row) = found.next()? else { break };
            to = row.get(0)?;
            // What cannot be read cannot be found.
            let body = unpack(row.get_ref(2)?.as_blob()?).unwrap_or_default();
            bytes += body.len();
            let texts = match table {
                Table::Content if row.get::<_, u8>(1)? == Form::Text as u8 => words::texts(Form::Text, &body),
                Table::Content => words::texts(Form::Value, &body),
                Table::Log => log_texts(&body),
            };
            rows.push((to, words::indexed(&texts)));
        }
    }
    if to == from {
        return Ok(false);
    }
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    {
        let mut insert = tx.prepare_cached(insert)?;
        for (id, text) in rows.iter().filter(|(_, text)| !text.is_empty()) {
            insert.execute(params![id, text])?;
        }
        tx.prepare_cached(
            "INSERT INTO meta(key, value) VALUES (?1, ?2) ON CONFLICT(key) DO UPDATE SET value = ?2",
        )?
        .execute(params![mark, to])?;
    }
    tx.commit()?;
    Ok(true)
}
