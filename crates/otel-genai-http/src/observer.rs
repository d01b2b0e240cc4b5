//! The observer: decides what is a call, and owns the thread that reads beside the traffic.

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender, TryRecvError};
use std::sync::{Arc, OnceLock, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use http::header::CONTENT_ENCODING;
use otel_genai::{Counted, Drain, GenAi, Moment};
use otel_genai_wire::detect;

use crate::bell::Bell;
use crate::exchange::{Call, Exchange, headers, is_observed};
use crate::head;
use crate::open::Open;
use crate::record::{Batch, Begun, Record};
use crate::runs::{CHECK, Recovery, Runs};
use crate::secret::Secrets;
use crate::totals::{Counters, Totals};

/// Bounds of an [`Observer`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// How many bytes of all bodies together may wait to be read. What exceeds it is dropped and counted.
    pub backlog: usize,
    /// While so many batches of notes wait to be read, no further call is observed; it is counted. A call hands over
    /// one batch, or one for each 64 chunks of a stream.
    pub waiting: usize,
    /// How many bytes of one body are kept for its content, in each direction.
    pub content_limit: usize,
    /// Whose calls may be told as the run of one agent. A call that asks for tools is then told when the next one brings
    /// their answers; or after five minutes, or at [`drain`](Observer::drain). To find out, tool calls and their answers
    /// are read even where no content is recorded.
    pub runs: Runs,
}

impl Default for Options {
    /// 64 MiB and 1,024 batches of backlog, 4 MiB of content, no runs.
    fn default() -> Self {
        Options {
            backlog: 64 << 20,
            waiting: 1024,
            content_limit: otel_genai_wire::Options::DEFAULT_LIMIT,
            runs: Runs::default(),
        }
    }
}

/// What could not be observed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Losses {
    /// Frames that found the backlog full.
    pub frames: u64,
    /// Calls that were not observed, because calls came faster than they could be read.
    pub calls: u64,
    /// Calls that could not be read because of a bug of ours.
    pub failures: u64,
}

/// Requests that passed without being read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unread {
    /// How many.
    pub requests: u64,
    /// The first one: method and path, such as `POST /v1/responses`.
    pub first: String,
}

/// Observes model calls. Cheap to clone; all clones share one thread and one bound. The thread ends after the last
/// clone and the last exchange are gone.
#[derive(Clone)]
pub struct Observer {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) genai: GenAi,
    pub(crate) options: Options,
    /// `None` at the very end only.
    work: Option<Sender<Work>>,
    bell: Arc<Bell>,
    reader: Thread,
    /// Calls under way that may be steps of runs.
    pub(crate) going: Arc<AtomicUsize>,
    pub(crate) open: Open,
    held: AtomicUsize,
    waiting: AtomicUsize,
    lost_frames: AtomicU64,
    lost_calls: AtomicU64,
    failures: AtomicU64,
    pub(crate) counters: Counters,
    said_full: AtomicBool,
    unread: AtomicU64,
    first_unread: OnceLock<String>,
}

enum Work {
    Batch(Arc<Record>, Batch),
    /// Everything sent before has been read.
    Drained(SyncSender<()>),
}

static GLOBAL: OnceLock<Observer> = OnceLock::new();

impl Observer {
    /// The observer of all client layers that were given none: the one that [`set_global`](Observer::set_global)
    /// installed; without one, an observer of [`GenAi::global`] with default options. That is made when it is first asked
    /// for, which layers do at their first call: set telemetry up before.
    pub fn global() -> &'static Observer {
        GLOBAL.get_or_init(|| {
            Observer::new(GenAi::global(), Options::default()).unwrap_or_else(|error| {
                tracing::warn!(target: "otel_genai", "model calls are not observed: no thread to read them: {error}");
                Observer::idle()
            })
        })
    }

    /// Makes this the observer that [`global`](Observer::global) returns. The first one stays: `Err` gives back the
    /// one that came too late.
    pub fn set_global(self) -> Result<(), Observer> {
        GLOBAL.set(self)
    }

    /// An observer that writes its telemetry through `genai`. Fails only if the system refuses a thread.
    pub fn new(genai: GenAi, options: Options) -> io::Result<Self> {
        let (work, queue) = mpsc::channel();
        let bell = Arc::new(Bell::default());
        let heard = Arc::clone(&bell);
        let going = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&going);
        let reading = thread::Builder::new()
            .name("otel-genai-observe".to_owned())
            .spawn(move || read(&queue, &heard, &seen))?;
        let observer = Observer::of(genai, options, Some(work), bell, going, reading.thread().clone());
        let drain: Arc<dyn Drain> = Arc::clone(&observer.shared) as Arc<dyn Drain>;
        observer.shared.genai.drain_with(Arc::downgrade(&drain));
        Ok(observer)
    }

    /// One that observes nothing.
    fn idle() -> Self {
        // As many calls wait as may: there is nobody to read them.
        let options = Options { waiting: 0, ..Options::default() };
        Observer::of(GenAi::global(), options, None, Arc::default(), Arc::default(), thread::current())
    }

    fn of(
        genai: GenAi,
        options: Options,
        work: Option<Sender<Work>>,
        bell: Arc<Bell>,
        going: Arc<AtomicUsize>,
        reader: Thread,
    ) -> Self {
        Observer {
            shared: Arc::new(Shared {
                genai,
                options,
                work,
                bell,
                reader,
                going,
                open: Open::default(),
                held: AtomicUsize::new(0),
                waiting: AtomicUsize::new(0),
                lost_frames: AtomicU64::new(0),
                lost_calls: AtomicU64::new(0),
                failures: AtomicU64::new(0),
                counters: Counters::default(),
                said_full: AtomicBool::new(false),
                unread: AtomicU64::new(0),
                first_unread: OnceLock::new(),
            }),
        }
    }

    /// Begins to observe a call, from this moment on. `None`: it is not a model call, or telemetry is suppressed
    /// where it is made, or an outer layer observes it already.
    pub fn begin(&self, call: &Call<'_>) -> Option<Exchange> {
        if call.parent.is_telemetry_suppressed() || is_observed(&call.parent) {
            return None;
        }
        let shared = &self.shared;
        let Some(route) = detect(call.method, call.upstream, call.headers) else {
            shared.leave(call);
            return None;
        };
        if route.protocol.is_session() || shared.is_full() {
            return None;
        }
        let scope = shared.options.runs.scope(call);
        // What may be a step of a run is told, and counted, with it.
        let counts = scope.is_none() && route.protocol.may_ask_a_model();
        let begun = Begun {
            counted: counts.then(|| Counted::inference(&call.parent)).flatten(),
            route,
            headers: headers(call.headers, head::REQUEST.iter().chain([&CONTENT_ENCODING])),
            secrets: Secrets::of(call.headers, call.upstream),
            scope,
            parent: call.parent.clone(),
            attributes: call.attributes.clone(),
            at: Moment::now(),
        };
        Some(Exchange::new(Record::new(Arc::clone(shared), begun)))
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Waits until all that ended before this call has been read and told, but no longer than `timeout`. A run that waits
    /// for its next step is over by this. Blocks: call it off an async thread. Returns whether it was done in time.
    ///
    /// [`GenAi::drain`] does so for all observers of a handler, and the guard of `otel_genai::init()` calls that.
    pub fn drain(&self, timeout: Duration) -> bool {
        self.shared.drain(timeout)
    }

    /// Requests that may have been model calls, in a protocol that is not read yet.
    pub fn unread(&self) -> Option<Unread> {
        let requests = self.shared.unread.load(Ordering::Relaxed);
        let first = self.shared.first_unread.get()?;
        Some(Unread { requests, first: first.clone() })
    }

    /// What was observed so far: calls of which everything was read. [`drain`](Observer::drain) first to have all.
    pub fn totals(&self) -> Totals {
        self.shared.counters.totals()
    }

    /// What could not be observed so far.
    pub fn losses(&self) -> Losses {
        Losses {
            frames: self.shared.lost_frames.load(Ordering::Relaxed),
            calls: self.shared.lost_calls.load(Ordering::Relaxed),
            failures: self.shared.failures.load(Ordering::Relaxed),
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer").field("losses", &self.losses()).finish_non_exhaustive()
    }
}

impl Drain for Shared {
    fn drain(&self, timeout: Duration) -> bool {
        let (done, wait) = mpsc::sync_channel(1);
        self.hand_over(Work::Drained(done));
        self.bell.wake(&self.reader);
        wait.recv_timeout(timeout).is_ok()
    }

    fn close(&self) {
        self.open.end_all();
    }
}

impl Shared {
    pub(crate) fn send(&self, record: Arc<Record>, batch: Batch) {
        let waiting = self.waiting.fetch_add(1, Ordering::Relaxed) + 1;
        self.hand_over(Work::Batch(record, batch));
        self.bell.ring(&self.reader, waiting);
    }

    fn hand_over(&self, work: Work) {
        if let Some(queue) = &self.work {
            // The reading thread lives as long as there is anyone to send.
            let _ = queue.send(work);
        }
    }

    /// Takes room for `bytes` of backlog, or counts them as lost.
    pub(crate) fn reserve(&self, bytes: usize) -> bool {
        let before = self.held.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) <= self.options.backlog {
            return true;
        }
        self.held.fetch_sub(bytes, Ordering::Relaxed);
        self.lost_frames.fetch_add(1, Ordering::Relaxed);
        self.say_full();
        false
    }

    /// Whether no further call can be observed for now; it is counted then.
    pub(crate) fn is_full(&self) -> bool {
        let is_full = self.waiting.load(Ordering::Relaxed) >= self.options.waiting;
        if is_full {
            self.lost_calls.fetch_add(1, Ordering::Relaxed);
            self.say_full();
        }
        is_full
    }

    /// Whoever asks for something sends it: only such requests are counted as possible calls.
    fn leave(&self, call: &Call<'_>) {
        if *call.method == http::Method::POST {
            self.unread.fetch_add(1, Ordering::Relaxed);
            self.first_unread.get_or_init(|| format!("{} {}", call.method, call.upstream.path()));
        }
    }

    fn say_full(&self) {
        if !self.said_full.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                target: "otel_genai",
                "traffic comes faster than it can be read: some telemetry is incomplete"
            );
        }
    }

    pub(crate) fn release(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// The reading thread learns that nobody is left.
impl Drop for Shared {
    fn drop(&mut self) {
        self.work = None;
        self.bell.wake(&self.reader);
    }
}

fn read(queue: &Receiver<Work>, bell: &Bell, going: &AtomicUsize) {
    let mut recovery = Recovery::default();
    loop {
        let work = match next(queue, bell, !recovery.is_empty()) {
            Next::Work(work) => work,
            Next::Nothing => {
                tend(|| recovery.expire(Instant::now(), going.load(Ordering::Relaxed) > 0));
                continue;
            }
            Next::Over => break,
        };
        match work {
            Work::Batch(record, mut batch) => {
                let shared = Arc::clone(&record.observer);
                let mut reading = record.reading.lock().unwrap_or_else(PoisonError::into_inner);
                // A bug in reading must not end the telemetry of all other calls.
                let read = || reading.read(&shared, &mut batch, &mut recovery);
                if catch_unwind(AssertUnwindSafe(read)).is_err() {
                    shared.failures.fetch_add(1, Ordering::Relaxed);
                    let _ = catch_unwind(AssertUnwindSafe(|| reading.abandon(&mut recovery)));
                }
                shared.release(batch.held);
                shared.waiting.fetch_sub(1, Ordering::Relaxed);
            }
            Work::Drained(done) => {
                tend(|| recovery.end_all());
                let _ = done.send(());
            }
        }
        if !recovery.is_empty() {
            tend(|| recovery.expire(Instant::now(), going.load(Ordering::Relaxed) > 0));
        }
    }
    tend(|| recovery.end_all());
}

/// What the user's own hooks and processors do must not end the telemetry of all other calls.
fn tend(task: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(task));
}

enum Next {
    Work(Work),
    /// It was quiet for a while.
    Nothing,
    /// There will be no more.
    Over,
}

/// The next piece of work, as soon as there is one and some company for it. `looks` now and then, even if there is none.
fn next(queue: &Receiver<Work>, bell: &Bell, looks: bool) -> Next {
    loop {
        match queue.try_recv() {
            Ok(work) => return Next::Work(work),
            Err(TryRecvError::Disconnected) => return Next::Over,
            Err(TryRecvError::Empty) => bell.lie_down(),
        }
        match queue.try_recv() {
            Ok(work) => {
                bell.get_up();
                return Next::Work(work);
            }
            Err(TryRecvError::Disconnected) => return Next::Over,
            Err(TryRecvError::Empty) if looks => {
                if bell.sleep_for(CHECK) {
                    return Next::Nothing;
                }
            }
            Err(TryRecvError::Empty) => bell.sleep(),
        }
        bell.gather();
    }
}
