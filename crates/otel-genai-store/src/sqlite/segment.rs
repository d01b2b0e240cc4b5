//! A day file as the writer has it: what is in it already is remembered, and forgotten when a transaction fails.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};
use prost::Message as _;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::Durability;
use super::count::Tally;
use super::folder;
use super::rest::Packer;
use super::schema;
use super::trace::Change;
use crate::error::StoreError;
use crate::id::{ContentHash, Day, TraceId};
use crate::metric::Series;
use crate::origin::Origin;
use crate::recent::Recent;

/// So many names, origins and traces are remembered; then all are asked for again.
const MOST: usize = 100_000;
/// So many pieces of content, and of their uses.
const MOST_PIECES: usize = 32 << 10;
/// A log that has grown by so many pages (16 MiB) is moved also while there is work.
const MOST_PAGES: i64 = 2_048;
/// So many bytes a page has.
const PAGE: u64 = 8_192;

/// A day file, open for writing.
pub(super) struct Segment {
    pub(super) day: Day,
    pub(super) connection: Connection,
    pub(super) known: Known,
    /// Whether the write-ahead log is to be emptied.
    pub(super) dirty: bool,
    /// So many pages the log had when it was last moved into the file.
    moved: i64,
}

/// What the file has, by its ids there.
pub(super) struct Known {
    words: HashMap<Arc<str>, i64>,
    origins: HashMap<[u8; 16], i64>,
    /// Origins of the batch at hand, by their address: they are not dropped within a transaction.
    at_hand: HashMap<usize, (i64, [u8; 16])>,
    traces: HashMap<TraceId, i64>,
    /// Traces of the batch at hand that go over midnight.
    pub(super) also: HashMap<TraceId, u8>,
    pub(super) contents: Recent<ContentHash, i64>,
    /// Piece, trace and kind of record.
    pub(super) uses: Recent<(i64, i64, u8), ()>,
    pub(super) changes: HashMap<i64, Change>,
    pub(super) tally: Tally,
    /// Whether log records tell of calls in it, where that was looked up.
    pub(super) tells_calls: Option<bool>,
    series: HashMap<[u8; 16], i64>,
    pub(super) packer: Packer,
}

/// Why a file could not be opened.
pub(super) enum NoFile {
    Sqlite(rusqlite::Error),
    /// Of a later version: left alone.
    Told(StoreError),
}

impl From<rusqlite::Error> for NoFile {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Segment {
    /// Opens the file of a day, or makes it.
    pub(super) fn open(path: &Path, day: Day, durability: Durability) -> Result<Self, NoFile> {
        let connection = Connection::open(folder::file(path, day))?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.set_limit(rusqlite::limits::Limit::SQLITE_LIMIT_LENGTH, 512 << 20)?;
        connection.set_prepared_statement_cache_capacity(32);
        let (application, version) = schema::of(&connection)?;
        if version > schema::VERSION {
            let file = folder::file(path, day);
            return Err(NoFile::Told(StoreError::Newer { file, found: version, known: schema::VERSION }));
        }
        if version > 0 && application != schema::APPLICATION {
            let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_NOTADB);
            return Err(NoFile::Sqlite(rusqlite::Error::SqliteFailure(code, None)));
        }
        if version == 0 {
            // So that room can be given back in small steps.
            connection.execute_batch("PRAGMA page_size=8192; PRAGMA auto_vacuum=INCREMENTAL;")?;
        }
        // The writer moves the log into the file itself, when nobody waits for it. A log that is begun anew is cut, so that
        // its file is as long as what is in it.
        let sync = match durability {
            Durability::Full => "FULL",
            Durability::Normal => "NORMAL",
            Durability::None => "OFF",
        };
        connection.execute_batch(&format!(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous={sync}; PRAGMA wal_autocheckpoint=0;
             PRAGMA journal_size_limit=0; PRAGMA temp_store=MEMORY;
             PRAGMA cache_size=-8192; PRAGMA mmap_size=0; PRAGMA trusted_schema=OFF; PRAGMA secure_delete=ON;"
        ))?;
        if version == 0 {
            schema::create(&connection)?;
        } else if schema::lacks_tables(&connection)? {
            schema::complete(&connection)?;
        }
        Ok(Self { day, connection, known: Known::new(), dirty: false, moved: 0 })
    }

    /// Moves the log into the file. `whole`: waits for nobody, and empties the log where no reader needs it.
    pub(super) fn checkpoint(&mut self, whole: bool) {
        let how = if whole { "PRAGMA wal_checkpoint(TRUNCATE)" } else { "PRAGMA wal_checkpoint(PASSIVE)" };
        // What cannot be moved now, because somebody reads it, is moved later; it is safe where it is.
        let told =
            self.connection.query_row(how, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)));
        let Ok((busy, pages)) = told else { return };
        self.moved = pages;
        if whole && busy == 0 {
            self.dirty = false;
        }
    }

    /// Moves a log that has grown into the file.
    pub(super) fn tidy(&mut self) {
        let pages = std::fs::metadata(self.log()).map_or(0, |log| log.len() / PAGE);
        let pages = i64::try_from(pages).unwrap_or(i64::MAX);
        if pages < self.moved {
            // It was begun anew.
            self.moved = 0;
        }
        // Where a reader keeps it from being begun anew, it is not moved after each transaction all the same.
        if pages - self.moved > MOST_PAGES {
            self.checkpoint(false);
        }
    }

    fn log(&self) -> PathBuf {
        let mut name = self.connection.path().unwrap_or_default().to_owned();
        name.push_str("-wal");
        name.into()
    }
}

impl Known {
    pub(super) fn new() -> Self {
        Self {
            words: HashMap::new(),
            origins: HashMap::new(),
            at_hand: HashMap::new(),
            traces: HashMap::new(),
            also: HashMap::new(),
            contents: Recent::new(MOST_PIECES),
            uses: Recent::new(MOST_PIECES),
            changes: HashMap::new(),
            tally: Tally::default(),
            tells_calls: None,
            series: HashMap::new(),
            packer: Packer::new(),
        }
    }

    /// Pieces of content were taken out of the file.
    pub(super) fn forget_pieces(&mut self) {
        (self.contents, self.uses) = (Recent::new(MOST_PIECES), Recent::new(MOST_PIECES));
    }

    /// To be called before each transaction.
    pub(super) fn begin(&mut self) {
        self.at_hand.clear();
        self.changes.clear();
        self.tally.clear();
        if self.words.len() > MOST {
            self.words.clear();
        }
        if self.origins.len() > MOST {
            self.origins.clear();
        }
        if self.traces.len() > MOST {
            self.traces.clear();
        }
        if self.series.len() > MOST {
            self.series.clear();
        }
    }

    /// The id of a name.
    pub(super) fn word(&mut self, tx: &Transaction<'_>, text: &Arc<str>) -> rusqlite::Result<i64> {
        if let Some(id) = self.words.get(text) {
            return Ok(*id);
        }
        let found =
            tx.prepare_cached("SELECT id FROM word WHERE text = ?")?.query_row([text], |row| row.get(0));
        let id = match found.optional()? {
            Some(id) => id,
            None => {
                tx.prepare_cached("INSERT INTO word(text) VALUES (?)")?.execute([text])?;
                tx.last_insert_rowid()
            }
        };
        self.words.insert(Arc::clone(text), id);
        Ok(id)
    }

    /// The id of a name that may be missing.
    pub(super) fn maybe(
        &mut self,
        tx: &Transaction<'_>,
        text: Option<&Arc<str>>,
    ) -> rusqlite::Result<Option<i64>> {
        text.map(|text| self.word(tx, text)).transpose()
    }

    /// The id of an origin, and its hash.
    pub(super) fn origin(
        &mut self,
        tx: &Transaction<'_>,
        origin: &Arc<Origin>,
    ) -> rusqlite::Result<(i64, [u8; 16])> {
        let address = Arc::as_ptr(origin) as usize;
        if let Some(known) = self.at_hand.get(&address) {
            return Ok(*known);
        }
        let body = ResourceSpans {
            resource: origin.resource.to_otlp(),
            scope_spans: vec![ScopeSpans {
                scope: origin.scope.to_otlp(),
                spans: Vec::new(),
                schema_url: origin.scope.schema_url.as_ref().to_owned(),
            }],
            schema_url: origin.resource.schema_url.as_ref().to_owned(),
        };
        let body = body.encode_to_vec();
        let hash = hash(&[&body]);
        let id = match self.origins.get(&hash) {
            Some(id) => *id,
            None => {
                let id = self.find_origin(tx, origin, &body, hash)?;
                self.origins.insert(hash, id);
                id
            }
        };
        self.at_hand.insert(address, (id, hash));
        Ok((id, hash))
    }

    fn find_origin(
        &mut self,
        tx: &Transaction<'_>,
        origin: &Origin,
        body: &[u8],
        hash: [u8; 16],
    ) -> rusqlite::Result<i64> {
        let found =
            tx.prepare_cached("SELECT id FROM origin WHERE hash = ?")?.query_row([hash], |row| row.get(0));
        if let Some(id) = found.optional()? {
            return Ok(id);
        }
        let service = self.word(tx, &origin.resource.service)?;
        let scope = self.word(tx, &origin.scope.name)?;
        let body = self.packer.pack(body);
        tx.prepare_cached("INSERT INTO origin(hash, service, scope, body) VALUES (?, ?, ?, ?)")?
            .execute(params![hash, service, scope, body])?;
        Ok(tx.last_insert_rowid())
    }

    /// The row of a series, and that of its origin.
    pub(super) fn series(&mut self, tx: &Transaction<'_>, series: &Series) -> rusqlite::Result<(i64, i64)> {
        let (origin, origin_hash) = self.origin(tx, &series.origin)?;
        let (marks, identity) = series.marks();
        let hash = hash(&[&origin_hash, series.name.as_bytes(), series.unit.as_bytes(), &marks, &identity]);
        if let Some(id) = self.series.get(&hash) {
            return Ok((*id, origin));
        }
        let found =
            tx.prepare_cached("SELECT id FROM series WHERE hash = ?")?.query_row([hash], |row| row.get(0));
        let id = match found.optional()? {
            Some(id) => id,
            None => {
                let name = self.word(tx, &series.name)?;
                let mut body = series.to_otlp_alone();
                // The name is a word already.
                body.name.clear();
                let body = self.packer.pack(&body.encode_to_vec());
                tx.prepare_cached("INSERT INTO series(hash, name, origin, body) VALUES (?, ?, ?, ?)")?
                    .execute(params![hash, name, origin, body])?;
                tx.last_insert_rowid()
            }
        };
        self.series.insert(hash, id);
        Ok((id, origin))
    }

    /// The row of a trace, made if this is the first that is heard of it.
    pub(super) fn trace(
        &mut self,
        tx: &Transaction<'_>,
        trace: TraceId,
        start: i64,
    ) -> rusqlite::Result<i64> {
        if let Some(id) = self.traces.get(&trace) {
            return Ok(*id);
        }
        let found = tx
            .prepare_cached("SELECT id FROM trace WHERE trace_id = ?")?
            .query_row([trace.bytes()], |row| row.get(0));
        let id = match found.optional()? {
            Some(id) => id,
            None => {
                tx.prepare_cached(
                    "INSERT INTO trace(trace_id, start_ns, end_ns, last_ns) VALUES (?1, ?2, ?2, 0)",
                )?
                .execute(params![trace.bytes(), start])?;
                tx.last_insert_rowid()
            }
        };
        self.traces.insert(trace, id);
        if let Some(also) = self.also.get(&trace) {
            self.changes.entry(id).or_default().also |= also;
        }
        Ok(id)
    }

    /// Whether the row of a trace is remembered.
    pub(super) fn has_trace(&self, trace: TraceId) -> bool {
        self.traces.contains_key(&trace)
    }
}

/// The first 16 bytes of the BLAKE3 hash.
pub(super) fn hash(parts: &[&[u8]]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    hasher.finalize().as_bytes().first_chunk().copied().unwrap_or_default()
}

/// A moment or count as SQLite has it; beyond its numbers the greatest of them.
pub(super) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
