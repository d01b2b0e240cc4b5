//! Reads a copy of what passes, on a thread of its own, and writes the telemetry.

use std::collections::HashMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender};
use std::thread;
use std::time::Duration;

use otel_genai::opentelemetry::Context;
use otel_genai::opentelemetry::trace::TraceContextExt as _;
use otel_genai::{Active, Failure, GenAi, McpCall, McpSession, McpSide, Moment, Network, mcp};
use otel_genai_wire::{McpPipe, McpTold, Options};

use crate::background::in_background;

/// How many bytes may wait to be read. What exceeds it is passed on, and counted.
const BACKLOG: usize = 64 << 20;

/// The thread that reads.
pub(crate) struct Watch {
    teller: Teller,
}

/// Tells it what passes. Never waits.
#[derive(Clone)]
pub(crate) struct Teller {
    notes: Sender<Note>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    held: AtomicUsize,
    lost: AtomicU64,
}

enum Note {
    Passed { from: McpSide, at: Moment, bytes: Vec<u8> },
    Lost { from: McpSide },
    Closed { from: McpSide, at: Moment },
    Gone { at: Moment },
    End { at: Moment, crash: Option<Failure>, told: SyncSender<Told> },
}

/// What was told, in numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Told {
    /// Requests of either side, and how many of them failed.
    pub(crate) requests: u64,
    pub(crate) errors: u64,
    /// Lines of the server that were no messages.
    pub(crate) strange: u64,
    /// Pieces that could not be read in time.
    pub(crate) lost: u64,
}

impl Watch {
    /// Begins to tell of a conversation, as this side sees it.
    pub(crate) fn begin(genai: GenAi, side: McpSide) -> io::Result<Self> {
        let (notes, queue) = mpsc::channel();
        let shared = Arc::new(Shared::default());
        let counted = Arc::clone(&shared);
        in_background(|| {
            thread::Builder::new()
                .name("otel-genai-observe".to_owned())
                .spawn(move || Reader::new(genai, side).read(&queue, &counted))
        })?;
        Ok(Self { teller: Teller { notes, shared } })
    }

    pub(crate) fn teller(&self) -> Teller {
        self.teller.clone()
    }

    /// The server has ended: all that is open ends too. `crash` is why, where it was no good end. `None`: not all could be
    /// read in time. Blocks.
    pub(crate) fn end(self, crash: Option<Failure>, limit: Duration) -> Result<Told, RecvTimeoutError> {
        let (told, wait) = mpsc::sync_channel(1);
        self.teller.note(Note::End { at: Moment::now(), crash, told });
        drop(self.teller);
        wait.recv_timeout(limit)
    }
}

impl Teller {
    pub(crate) fn passed(&self, from: McpSide, bytes: &[u8]) {
        let at = Moment::now();
        let held = self.shared.held.fetch_add(bytes.len(), Relaxed);
        if held.saturating_add(bytes.len()) > BACKLOG {
            self.shared.held.fetch_sub(bytes.len(), Relaxed);
            if self.shared.lost.fetch_add(1, Relaxed) == 0 {
                tracing::warn!(
                    target: "otel_genai",
                    "traffic comes faster than it can be read: some telemetry is incomplete"
                );
            }
            return self.note(Note::Lost { from });
        }
        self.note(Note::Passed { from, at, bytes: bytes.to_vec() });
    }

    pub(crate) fn closed(&self, from: McpSide) {
        self.note(Note::Closed { from, at: Moment::now() });
    }

    /// The client reads no more, as one that has been ended.
    pub(crate) fn gone(&self) {
        self.note(Note::Gone { at: Moment::now() });
    }

    fn note(&self, note: Note) {
        // Without a reader there is nobody to tell, and the bytes pass all the same.
        let _ = self.notes.send(note);
    }
}

struct Reader {
    genai: GenAi,
    side: McpSide,
    pipe: McpPipe,
    calls: HashMap<u64, Active<McpCall>>,
    /// From the first message on.
    session: Option<Active<McpSession>>,
    client_closed: bool,
    server_closed: bool,
    /// Whether the server was through: nobody wanted anything of it any more when its output ended.
    was_through: bool,
    told: Told,
}

impl Reader {
    fn new(genai: GenAi, side: McpSide) -> Self {
        let pipe = McpPipe::new(side, Options::new(genai.captures_content()));
        Reader {
            genai,
            side,
            pipe,
            calls: HashMap::new(),
            session: None,
            client_closed: false,
            server_closed: false,
            was_through: false,
            told: Told::default(),
        }
    }

    fn read(mut self, queue: &Receiver<Note>, shared: &Shared) {
        while let Ok(note) = queue.recv() {
            let held = if let Note::Passed { bytes, .. } = &note { bytes.len() } else { 0 };
            // A bug in reading ends the telemetry, and nothing else.
            let is_over = catch_unwind(AssertUnwindSafe(|| self.note(note, shared)));
            shared.held.fetch_sub(held, Relaxed);
            match is_over {
                Ok(false) => {}
                Ok(true) => return,
                Err(_) => {
                    // What is open would be told as cancelled, which it is not.
                    std::mem::forget(self.calls);
                    std::mem::forget(self.session);
                    return;
                }
            }
        }
    }

    /// Whether this was the last one.
    fn note(&mut self, note: Note, shared: &Shared) -> bool {
        match note {
            Note::Passed { from, at, bytes } => {
                let told = self.pipe.push(from, &bytes);
                self.tell(told, at);
            }
            Note::Lost { from } => self.pipe.lose(from),
            Note::Closed { from, at } => self.close(from, at),
            Note::Gone { at } => {
                self.close(McpSide::Client, at);
                self.was_through = true;
            }
            Note::End { at, crash, told } => {
                // What it left running may hold the output.
                self.close(McpSide::Server, at);
                let crash = crash.filter(|_| !self.was_through);
                if let Some(mut session) = self.session.take() {
                    session.protocol_version = self.pipe.protocol_version().map(str::to_owned);
                    match crash {
                        None => session.finish_at(at.instant),
                        Some(crash) => session.fail_at(at.instant, crash),
                    }
                }
                self.told.strange = self.pipe.strange_lines(McpSide::Server);
                self.told.lost = shared.lost.load(Relaxed);
                let _ = told.send(self.told);
                return true;
            }
        }
        false
    }

    fn close(&mut self, from: McpSide, at: Moment) {
        let closed = match from {
            McpSide::Client => &mut self.client_closed,
            McpSide::Server => &mut self.server_closed,
        };
        if !std::mem::replace(closed, true) {
            if from == McpSide::Server {
                self.was_through |= self.client_closed && self.calls.is_empty();
            }
            let told = self.pipe.close(from);
            self.tell(told, at);
        }
    }

    fn tell(&mut self, told: Vec<McpTold>, at: Moment) {
        for told in told {
            match told {
                McpTold::Begun { call, op, trace, within } => {
                    let (genai, side) = (&self.genai, self.side);
                    self.session.get_or_insert_with(|| {
                        let mut session = McpSession::new(side);
                        session.network = Network::stdio();
                        genai.operation(session).parent(Context::new()).at(at).start()
                    });
                    let around = match within.and_then(|within| self.calls.get(&within)) {
                        Some(call) => {
                            let span = call.context().span().span_context().clone();
                            Context::new().with_remote_span_context(span)
                        }
                        None => Context::new(),
                    };
                    let parent = mcp::extract(&around, &trace);
                    self.calls.insert(call, self.genai.operation(*op).parent(parent).at(at).start());
                }
                McpTold::Ended { call, answer } => {
                    let Some(mut call) = self.calls.remove(&call) else { continue };
                    let failure = answer.finish(&mut call);
                    if call.request_id.is_some() {
                        self.told.requests += 1;
                        self.told.errors += u64::from(failure.is_some());
                    }
                    match failure {
                        None => call.finish_at(at.instant),
                        Some(failure) => call.fail_at(at.instant, failure),
                    }
                }
                _ => {}
            }
        }
    }
}
