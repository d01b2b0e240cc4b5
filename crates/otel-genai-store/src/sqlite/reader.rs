//! The threads that read. Each has connections of its own; a question is a closure, which ends early when nobody waits for
//! its answer any more, or when it has taken too long.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use prost::Message as _;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use tokio::sync::oneshot;

use super::fault;
use super::folder::{self, Folder};
use super::rest::unpack;
use super::schema;
use crate::error::StoreError;
use crate::id::Day;
use crate::origin::{Origin, Resource, Scope};

/// So many files stay open in each thread: as many as days are kept by default, because many questions go through all of
/// them, and one file too few would be none at all.
const MOST_FILES: usize = 32;
/// So many names and origins are remembered of each file.
const MOST: usize = 20_000;
/// Between two looks at the clock SQLite takes so many steps.
const STEPS: i32 = 10_000;

type Question = Box<dyn FnOnce(&mut Reader) + Send>;

/// The threads that read.
#[derive(Debug)]
pub(super) struct Pool {
    questions: Mutex<Option<Sender<Question>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Pool {
    pub(super) fn start(folder: &Arc<Folder>, threads: usize) -> io::Result<Self> {
        let (questions, asked) = channel::<Question>();
        let asked = Arc::new(Mutex::new(asked));
        let start = |number| {
            let (asked, folder) = (Arc::clone(&asked), Arc::clone(folder));
            std::thread::Builder::new()
                .name(format!("store-read-{number}"))
                .spawn(move || answer(&asked, folder))
        };
        let threads = (0..threads).map(start).collect::<io::Result<_>>()?;
        Ok(Self { questions: Mutex::new(Some(questions)), threads: Mutex::new(threads) })
    }

    /// Asks, and waits for the answer. Dropped before, it interrupts the question.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (told, answer) = oneshot::channel();
        let call =
            Arc::new(Call { dropped: AtomicBool::new(false), until: Instant::now() + fault::PATIENCE });
        let guard = Waiting(Arc::clone(&call));
        let question: Question = Box::new(move |reader: &mut Reader| {
            if call.is_over() {
                return;
            }
            *reader.call.lock().unwrap_or_else(PoisonError::into_inner) = Some(call);
            let answer = question(reader);
            *reader.call.lock().unwrap_or_else(PoisonError::into_inner) = None;
            let _ = told.send(answer);
        });
        let sent = match self.questions.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            Some(questions) => questions.send(question).is_ok(),
            None => false,
        };
        if !sent {
            return Err(StoreError::Closed);
        }
        let answer = answer.await.unwrap_or(Err(StoreError::Timeout(fault::PATIENCE)));
        drop(guard);
        answer
    }

    /// Lets the threads end, and waits for them.
    pub(super) fn close(&self) {
        *self.questions.lock().unwrap_or_else(PoisonError::into_inner) = None;
        for thread in std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner)) {
            let _ = thread.join();
        }
    }
}

/// A question that is being answered.
struct Call {
    dropped: AtomicBool,
    until: Instant,
}

impl Call {
    fn is_over(&self) -> bool {
        self.dropped.load(Ordering::Relaxed) || Instant::now() > self.until
    }
}

/// Somebody waits for the answer.
struct Waiting(Arc<Call>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.dropped.store(true, Ordering::Relaxed);
    }
}

fn answer(asked: &Mutex<Receiver<Question>>, folder: Arc<Folder>) {
    let mut reader = Reader::new(folder);
    loop {
        let question = asked.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(question) = question else { return };
        question(&mut reader);
    }
}

/// What a thread reads with.
pub(super) struct Reader {
    folder: Arc<Folder>,
    /// The one used last stands last.
    open: Vec<(Day, Rc<File>)>,
    /// What the folder said when they were opened.
    turns: u64,
    call: Arc<Mutex<Option<Arc<Call>>>>,
}

/// A day file, open for reading.
pub(super) struct File {
    pub(super) day: Day,
    pub(super) connection: Connection,
    words: RefCell<HashMap<i64, Arc<str>>>,
    origins: RefCell<HashMap<i64, Arc<Origin>>>,
    folder: Arc<Folder>,
}

impl Reader {
    pub(super) fn new(folder: Arc<Folder>) -> Self {
        let turns = folder.turns();
        Self { folder, open: Vec::new(), turns, call: Arc::default() }
    }

    /// The days that have files, oldest first.
    pub(super) fn days(&self) -> Result<Vec<Day>, StoreError> {
        folder::days(self.folder.path()).map_err(|source| fault::io("cannot list the data folder", source))
    }

    /// The file of a day; none if there is no such, or nothing in it yet.
    pub(super) fn file(&mut self, day: Day) -> Result<Option<Rc<File>>, StoreError> {
        if self.turns != self.folder.turns() {
            self.turns = self.folder.turns();
            self.open.clear();
        }
        if let Some(at) = self.open.iter().position(|(open, _)| *open == day) {
            let found = self.open.remove(at);
            let file = Rc::clone(&found.1);
            self.open.push(found);
            return Ok(Some(file));
        }
        let path = folder::file(self.folder.path(), day);
        if !path.exists() {
            return Ok(None);
        }
        let connection = match self.connect(&path, false) {
            // Where nothing can be written, SQLite reads a file only if it is promised that nobody changes it.
            Err(error) if is_unwritable(&error) && self.folder.is_read_only() => self.connect(&path, true),
            opened => opened,
        };
        let connection =
            match connection {
                // A day may be deleted while it is opened: its log goes a moment before its file.
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) => {
                    if path.exists() { self.connect(&path, false) } else { Ok(None) }
                }
                opened => opened,
            };
        let connection = match connection {
            Ok(Some(connection)) => connection,
            Ok(None) => return Ok(None),
            // The other days can be read all the same.
            Err(error) if fault::is_damage(&error) => {
                self.folder.suspect(day);
                return Ok(None);
            }
            Err(error) => return Err(fault::sqlite("cannot open a day", self.folder.path(), error)),
        };
        let file = Rc::new(File {
            day,
            connection,
            words: RefCell::default(),
            origins: RefCell::default(),
            folder: Arc::clone(&self.folder),
        });
        if self.open.len() >= MOST_FILES {
            self.open.remove(0);
        }
        self.open.push((day, Rc::clone(&file)));
        Ok(Some(file))
    }

    /// None if there is nothing in the file yet, or it is of another version or could not be completed.
    fn connect(&self, path: &Path, immutable: bool) -> rusqlite::Result<Option<Connection>> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = if immutable {
            let path = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
            let name = format!("file:{path}?immutable=1");
            Connection::open_with_flags(name, flags | OpenFlags::SQLITE_OPEN_URI)?
        } else {
            Connection::open_with_flags(path, flags)?
        };
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        let call = Arc::clone(&self.call);
        let over = move || {
            call.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(|call| call.is_over())
        };
        connection.progress_handler(STEPS, Some(over))?;
        connection.execute_batch("PRAGMA query_only=ON; PRAGMA cache_size=-1024;")?;
        let (_, version) = schema::of(&connection)?;
        let is_ours = version == schema::VERSION && !schema::lacks_tables(&connection)?;
        Ok(is_ours.then_some(connection))
    }

    /// An error when nobody waits for the answer any more, or it has taken too long.
    pub(super) fn goes_on(&self) -> Result<(), StoreError> {
        let call = self.call.lock().unwrap_or_else(PoisonError::into_inner);
        let over = call.as_ref().is_some_and(|call| call.is_over());
        if over { Err(StoreError::Timeout(fault::PATIENCE)) } else { Ok(()) }
    }

    /// How much room the files take.
    pub(super) fn bytes(&self) -> u64 {
        let entries = std::fs::read_dir(self.folder.path()).into_iter().flatten().flatten();
        let room = |file: std::fs::Metadata| if file.is_file() { file.len() } else { 0 };
        entries.filter_map(|entry| entry.metadata().ok()).map(room).sum()
    }
}

impl File {
    /// A name by its id.
    pub(super) fn word(&self, id: i64) -> rusqlite::Result<Arc<str>> {
        if let Some(word) = self.words.borrow().get(&id) {
            return Ok(Arc::clone(word));
        }
        let mut find = self.connection.prepare_cached("SELECT text FROM word WHERE id = ?")?;
        let word: Arc<str> = find.query_row([id], |row| row.get(0))?;
        let mut words = self.words.borrow_mut();
        if words.len() >= MOST {
            words.clear();
        }
        words.insert(id, Arc::clone(&word));
        Ok(word)
    }

    /// The id of a name, if the day has it.
    pub(super) fn id_of(&self, word: &str) -> rusqlite::Result<Option<i64>> {
        use rusqlite::OptionalExtension as _;
        let mut find = self.connection.prepare_cached("SELECT id FROM word WHERE text = ?")?;
        find.query_row([word], |row| row.get(0)).optional()
    }

    /// An origin by its id: one `Arc` for all records of the day.
    pub(super) fn origin(&self, id: i64) -> Result<Arc<Origin>, StoreError> {
        if let Some(origin) = self.origins.borrow().get(&id) {
            return Ok(Arc::clone(origin));
        }
        let body = (|| {
            let mut find = self.connection.prepare_cached("SELECT body FROM origin WHERE id = ?")?;
            find.query_row([id], |row| row.get::<_, Vec<u8>>(0))
        })();
        let body = body.map_err(|error| self.fault(error))?;
        let told = unpack(&body).and_then(|body| ResourceSpans::decode(body.as_ref()).ok());
        let mut told = told.ok_or_else(|| fault::unreadable("cannot read where records come from"))?;
        let scope = told.scope_spans.pop().unwrap_or_default();
        let origin = Arc::new(Origin {
            resource: Resource::from_otlp(told.resource, told.schema_url),
            scope: Scope::from_otlp(scope.scope, scope.schema_url),
        });
        let mut origins = self.origins.borrow_mut();
        if origins.len() >= MOST {
            origins.clear();
        }
        origins.insert(id, Arc::clone(&origin));
        Ok(origin)
    }

    /// What an error of SQLite's means to the one who asked.
    pub(super) fn fault(&self, error: rusqlite::Error) -> StoreError {
        if fault::is_damage(&error) {
            self.folder.suspect(self.day);
            let file = folder::file(self.folder.path(), self.day);
            let source = format!("{}: {error}", file.display()).into();
            return StoreError::Backend { what: "cannot read", source };
        }
        fault::sqlite("cannot read", self.folder.path(), error)
    }
}

fn is_unwritable(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly))
}
