//! What a tap noted of one exchange and the observer's thread has not read yet.
//!
//! Notes are gathered here and handed over in batches: waking the other thread for every token would cost more than
//! all the rest.

use std::mem;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use http::HeaderMap;
use opentelemetry::{Context, KeyValue};
use otel_genai::{Counted, Failure, Moment};
use otel_genai_wire::Route;

use crate::observer::Shared;
use crate::reader::Reader;
use crate::runs::{Recovery, Scope};
use crate::secret::Secrets;
use crate::session;

/// A batch is handed over when it has this many notes ...
const BATCH_NOTES: usize = 64;
/// ... or this many bytes.
const BATCH_BYTES: usize = 64 * 1024;
/// Smaller frames are copied: a clone would keep the connection's whole read buffer alive.
const COPY_BELOW: usize = 16 * 1024;
/// Room for the copies of an ordinary small call.
const COPIED: usize = 2048;

/// One thing that happened.
#[derive(Debug)]
pub(crate) enum Note {
    /// A piece of the request's body.
    Request(Data),
    /// The response's head.
    Response { status: u16, headers: Box<HeaderMap> },
    /// A piece of the response's body.
    Frame { at: Instant, data: Data },
    /// A piece of what the client of a session sends; what it is sent is a frame.
    Sent { at: Instant, data: Data },
    /// The client of a session sends nothing more.
    Left,
    /// The exchange is over.
    End { at: Instant, ending: Ending },
}

/// How an exchange ended.
#[derive(Debug)]
pub(crate) enum Ending {
    /// The body was read to its end.
    Complete,
    /// Whoever asked lost interest before.
    Dropped,
    /// The connection failed.
    Failed(Failure),
}

/// Bytes of a frame.
#[derive(Debug)]
pub(crate) enum Data {
    /// In the batch's own buffer.
    Copied(Range<usize>),
    /// Of the connection, counted.
    Shared(Bytes),
    /// There was no room for them.
    Lost,
}

/// Notes on their way to the observer's thread.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) notes: Vec<Note>,
    copied: Vec<u8>,
    /// What the batch counts against the observer's bound.
    pub(crate) held: usize,
}

impl Batch {
    /// The bytes of a frame; `None` if they are lost.
    pub(crate) fn bytes<'a>(&'a self, data: &'a Data) -> Option<&'a [u8]> {
        match data {
            Data::Copied(range) => self.copied.get(range.clone()),
            Data::Shared(bytes) => Some(bytes),
            Data::Lost => None,
        }
    }
}

/// One exchange, as its taps and the observer's thread share it.
pub(crate) struct Record {
    /// Its place among those that are open.
    key: u64,
    pub(crate) observer: Arc<Shared>,
    pending: Mutex<Batch>,
    over: AtomicBool,
    /// Counts among those that may be steps of runs.
    has_scope: bool,
    /// Touched by the observer's thread only.
    pub(crate) reading: Mutex<Reading>,
}

/// What is known of an exchange from the start.
pub(crate) struct Begun {
    pub(crate) route: Route,
    pub(crate) headers: HeaderMap,
    pub(crate) secrets: Secrets,
    /// Whose other calls it may belong to.
    pub(crate) scope: Option<Scope>,
    /// A call of a model counts for the agent around it from the start: that may be over before this is read.
    pub(crate) counted: Option<Counted>,
    pub(crate) parent: Context,
    pub(crate) attributes: Vec<KeyValue>,
    pub(crate) at: Moment,
}

/// The reader of an exchange, made on the thread that reads: the one that forwards has better things to do.
pub(crate) struct Reading {
    begun: Option<Begun>,
    reader: Option<Reads>,
}

enum Reads {
    Exchange(Box<Reader>),
    Session(Box<session::Reader>),
}

impl Reading {
    pub(crate) fn read(&mut self, observer: &Shared, batch: &mut Batch, recovery: &mut Recovery) {
        if let Some(begun) = self.begun.take() {
            let (genai, limit) = (observer.genai.clone(), observer.options.content_limit);
            self.reader = Some(match begun.route.protocol.is_session() {
                true => Reads::Session(Box::new(session::Reader::new(genai, begun, limit))),
                false => Reads::Exchange(Box::new(Reader::new(genai, limit, begun))),
            });
        }
        match &mut self.reader {
            Some(Reads::Exchange(reader)) => reader.read(batch, &observer.counters, recovery),
            Some(Reads::Session(reader)) => reader.read(batch, &observer.counters),
            None => {}
        }
    }

    /// Nothing more is read; a running call ends as it stands.
    pub(crate) fn abandon(&mut self, recovery: &mut Recovery) {
        match &mut self.reader {
            Some(Reads::Exchange(reader)) => reader.abandon(recovery),
            Some(Reads::Session(reader)) => reader.abandon(),
            None => {}
        }
    }
}

impl Record {
    pub(crate) fn new(observer: Arc<Shared>, begun: Begun) -> Arc<Self> {
        let has_scope = begun.scope.is_some();
        observer.going.fetch_add(usize::from(has_scope), Ordering::Relaxed);
        let open = Arc::clone(&observer);
        open.open.add(|key| Record {
            key,
            observer,
            pending: Mutex::default(),
            over: AtomicBool::new(false),
            has_scope,
            reading: Mutex::new(Reading { begun: Some(begun), reader: None }),
        })
    }

    pub(crate) fn request(self: &Arc<Self>, bytes: &Bytes) {
        self.note(|batch, observer| Note::Request(hold(bytes, batch, observer)));
    }

    pub(crate) fn request_bytes(self: &Arc<Self>, bytes: &[u8]) {
        self.note(|batch, observer| Note::Request(copy(bytes, batch, observer)));
    }

    pub(crate) fn response(self: &Arc<Self>, status: u16, headers: HeaderMap) {
        self.note(|_, _| Note::Response { status, headers: Box::new(headers) });
    }

    pub(crate) fn frame(self: &Arc<Self>, at: Instant, bytes: &Bytes) {
        self.note(|batch, observer| Note::Frame { at, data: hold(bytes, batch, observer) });
    }

    /// What the client of a session sends.
    pub(crate) fn sent(self: &Arc<Self>, at: Instant, bytes: &[u8]) {
        self.note(|batch, observer| Note::Sent { at, data: copy(bytes, batch, observer) });
    }

    /// What the client of a session is sent.
    pub(crate) fn received(self: &Arc<Self>, at: Instant, bytes: &[u8]) {
        self.note(|batch, observer| Note::Frame { at, data: copy(bytes, batch, observer) });
    }

    /// The client of a session sends nothing more.
    pub(crate) fn left(self: &Arc<Self>) {
        self.note(|_, _| Note::Left);
    }

    /// Hands over what there is. Sessions do not end soon.
    pub(crate) fn flush(self: &Arc<Self>) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if !pending.notes.is_empty() {
            let batch = mem::take(&mut *pending);
            self.observer.send(Arc::clone(self), batch);
        }
    }

    /// The exchange is over; only the first time counts, and nothing counts after it.
    pub(crate) fn end(self: &Arc<Self>, ending: Ending) {
        self.note(|_, _| Note::End { at: Instant::now(), ending });
    }

    fn note(self: &Arc<Self>, note: impl FnOnce(&mut Batch, &Shared) -> Note) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if self.over.load(Ordering::Relaxed) {
            return;
        }
        let note = note(&mut pending, &self.observer);
        let over = matches!(note, Note::End { .. });
        self.over.store(over, Ordering::Relaxed);
        if note.is_lost() && pending.notes.last().is_some_and(Note::is_lost) {
            // One gap is as good as many.
            return;
        }
        pending.notes.push(note);
        if over || pending.notes.len() >= BATCH_NOTES || pending.held >= BATCH_BYTES {
            let batch = mem::take(&mut *pending);
            // Sent under the lock, so that batches of one exchange keep their order.
            self.observer.send(Arc::clone(self), batch);
        }
    }
}

impl Drop for Record {
    /// What was never handed over no longer counts against the observer's bound.
    fn drop(&mut self) {
        let pending = self.pending.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.observer.release(pending.held);
        self.observer.going.fetch_sub(usize::from(self.has_scope), Ordering::Relaxed);
        self.observer.open.remove(self.key);
    }
}

impl Note {
    /// Whether it tells of bytes that are missing.
    fn is_lost(&self) -> bool {
        matches!(
            self,
            Note::Request(Data::Lost)
                | Note::Frame { data: Data::Lost, .. }
                | Note::Sent { data: Data::Lost, .. }
        )
    }
}

fn hold(bytes: &Bytes, batch: &mut Batch, observer: &Shared) -> Data {
    if bytes.len() < COPY_BELOW {
        return copy(bytes, batch, observer);
    }
    if !reserve(bytes, batch, observer) {
        return Data::Lost;
    }
    Data::Shared(bytes.clone())
}

/// Takes room for a note of these bytes.
fn reserve(bytes: &[u8], batch: &mut Batch, observer: &Shared) -> bool {
    // The note counts too: a token is hardly larger than what is noted of it.
    let size = bytes.len() + size_of::<Note>();
    let is_room = observer.reserve(size);
    if is_room {
        batch.held += size;
    }
    is_room
}

fn copy(bytes: &[u8], batch: &mut Batch, observer: &Shared) -> Data {
    if !reserve(bytes, batch, observer) {
        return Data::Lost;
    }
    if batch.copied.capacity() == 0 {
        batch.copied.reserve(COPIED.max(bytes.len()));
    }
    let start = batch.copied.len();
    batch.copied.extend_from_slice(bytes);
    Data::Copied(start..batch.copied.len())
}
