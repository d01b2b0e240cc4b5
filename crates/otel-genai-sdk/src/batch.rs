//! Records on their way to an OTLP receiver over `http/protobuf`, kept in the form in which they leave.
//!
//! The SDK's own queues hold records as trees of small pieces, bounded by number alone, and turn a whole batch into
//! other trees before it leaves. Here a record is encoded once, where it ends, into the batch that is filling: what
//! waits takes as many bytes as it will on the wire, and the bytes are bounded too.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{io, mem, thread};

use opentelemetry::{Context, InstrumentationScope};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};

use crate::batch::deliver::Delivery;

pub(crate) mod deliver;
mod proto;
pub(crate) mod record;

/// A batch that has come so far leaves, however few its records are: what waits is memory.
const BATCH_BYTES: usize = 128 * 1024;
/// More may not wait, however few the records are. Only where the receiver is slow or away does it come to that.
const QUEUE_BYTES: usize = 32 * 1024 * 1024;
/// As the SDK waits for a flush.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

thread_local! {
    /// Records are encoded here, so that no other thread has to wait meanwhile.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}
/// What a thread keeps of it.
const SCRATCH_BYTES: usize = 64 * 1024;

/// The queue of one signal, and the thread that empties it.
#[derive(Debug)]
pub(crate) struct Queue {
    shared: Arc<Shared>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// How long the first record of a batch waits for company.
    pub(crate) delay: Duration,
    /// Records that may wait; more are dropped.
    pub(crate) queue: usize,
    /// Records in one export.
    pub(crate) batch: usize,
}

#[derive(Debug)]
struct Shared {
    bounds: Bounds,
    state: Mutex<State>,
    /// For the thread: there may be something to do.
    work: Condvar,
    /// For whoever flushes: a batch is done.
    done: Condvar,
    said_full: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    /// `ResourceSpans.resource` and `.schema_url`, or those of the other signal.
    resource: Vec<u8>,
    filling: Batch,
    /// When the first record came into it.
    since: Option<Instant>,
    full: VecDeque<Batch>,
    /// Emptied, so that its memory can be used again.
    spare: Option<Batch>,
    /// What waits in all batches.
    records: usize,
    bytes: usize,
    /// Batches that were closed, and those of them that were exported, well or badly.
    closed: u64,
    exported: u64,
    latest: Option<OTelSdkError>,
    ending: bool,
    ended: bool,
}

#[derive(Debug, Default)]
struct Batch {
    scopes: Vec<Scoped>,
    records: usize,
    bytes: usize,
}

/// The records of one scope.
#[derive(Debug)]
struct Scoped {
    scope: InstrumentationScope,
    /// Instead of the scope's own.
    name: Option<String>,
    /// `ScopeSpans.scope` and `.schema_url`, or those of the other signal.
    head: Vec<u8>,
    /// `ScopeSpans.spans`, or `ScopeLogs.log_records`.
    records: Vec<u8>,
}

impl Queue {
    pub(crate) fn start(thread: &str, bounds: Bounds, delivery: Delivery) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            bounds,
            state: Mutex::default(),
            work: Condvar::new(),
            done: Condvar::new(),
            said_full: AtomicBool::new(false),
        });
        let worker = Arc::clone(&shared);
        thread::Builder::new().name(thread.to_owned()).spawn(move || worker.run(&delivery))?;
        Ok(Self { shared })
    }

    /// Takes a record, which `encode` writes as a message, or drops it where there is no room.
    pub(crate) fn push(
        &self,
        scope: &InstrumentationScope,
        name: Option<&str>,
        encode: impl FnOnce(&mut Vec<u8>),
    ) {
        let kept = with_scratch(|record| {
            encode(record);
            self.shared.push(scope, name, record)
        });
        if !kept && !self.shared.said_full.swap(true, Relaxed) {
            let _quiet = Context::enter_telemetry_suppressed_scope();
            tracing::warn!(
                target: "otel_genai_sdk",
                "telemetry comes faster than its receiver takes it: some is dropped (said once)"
            );
        }
    }

    /// Who speaks, before the first record.
    pub(crate) fn set_resource(&self, resource: &Resource) {
        let mut head = Vec::new();
        proto::message(&mut head, 1, |out| record::resource(out, resource));
        record::text(&mut head, 3, resource.schema_url().unwrap_or_default());
        self.shared.state().resource = head;
    }

    /// Exports what waits, and waits for it.
    pub(crate) fn flush(&self) -> OTelSdkResult {
        let mut state = self.shared.state();
        state.close();
        let all = state.closed;
        self.shared.work.notify_one();
        self.shared.wait(state, FLUSH_TIMEOUT, |state| state.exported >= all || state.ended)
    }

    /// Exports what waits, waits for it, and takes nothing more.
    pub(crate) fn end(&self, timeout: Duration) -> OTelSdkResult {
        let mut state = self.shared.state();
        if mem::replace(&mut state.ending, true) {
            return Err(OTelSdkError::AlreadyShutdown);
        }
        self.shared.work.notify_one();
        self.shared.wait(state, timeout, |state| state.ended)
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.shared.state().ending = true;
        self.shared.work.notify_one();
    }
}

impl Shared {
    fn push(&self, scope: &InstrumentationScope, name: Option<&str>, record: &[u8]) -> bool {
        let mut locked = self.state();
        let state = &mut *locked;
        if state.ending || state.records >= self.bounds.queue || state.bytes >= QUEUE_BYTES {
            return false;
        }
        let added = state.filling.add(scope, name, record);
        state.records += 1;
        state.bytes += added;
        let filling = &state.filling;
        if filling.records >= self.bounds.batch || filling.bytes >= BATCH_BYTES {
            state.close();
        } else if state.since.is_none() {
            state.since = Some(Instant::now());
        } else {
            return true;
        }
        drop(locked);
        self.work.notify_one();
        true
    }

    /// On the queue's own thread.
    fn run(&self, delivery: &Delivery) {
        // Where `tracing` leads back to OpenTelemetry, an export must not be the cause of the next.
        let _quiet = Context::enter_telemetry_suppressed_scope();
        while let Some((resource, mut batch)) = self.next() {
            let records = batch.records;
            let body = batch.request(&resource);
            batch.clear();
            let outcome = delivery.export(body, records);
            let mut state = self.state();
            state.spare = Some(batch);
            state.exported += 1;
            state.latest = outcome.err();
            self.done.notify_all();
        }
        self.state().ended = true;
        self.done.notify_all();
    }

    /// The next batch, once it is due. `None`: there will be no more.
    fn next(&self) -> Option<(Vec<u8>, Batch)> {
        let mut state = self.state();
        loop {
            if let Some(batch) = state.full.pop_front() {
                state.records -= batch.records;
                state.bytes -= batch.bytes;
                return Some((state.resource.clone(), batch));
            }
            let wait = match state.since {
                Some(since) => self.bounds.delay.saturating_sub(since.elapsed()),
                None if state.ending => return None,
                None => {
                    state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                    continue;
                }
            };
            if wait.is_zero() || state.ending {
                state.close();
            } else {
                state = self.work.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }

    fn wait(
        &self,
        state: MutexGuard<'_, State>,
        timeout: Duration,
        is_over: impl Fn(&State) -> bool,
    ) -> OTelSdkResult {
        let waited = self.done.wait_timeout_while(state, timeout, |state| !is_over(state));
        let (state, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            return Err(OTelSdkError::Timeout(timeout));
        }
        match &state.latest {
            None => Ok(()),
            Some(error) => Err(OTelSdkError::InternalFailure(error.to_string())),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The batch that was filling is full; another begins.
    fn close(&mut self) {
        self.since = None;
        if self.filling.records > 0 {
            let next = self.spare.take().unwrap_or_default();
            self.full.push_back(mem::replace(&mut self.filling, next));
            self.closed += 1;
        }
    }
}

impl Batch {
    /// Returns how many bytes the record takes.
    fn add(&mut self, scope: &InstrumentationScope, name: Option<&str>, record: &[u8]) -> usize {
        let same = |other: &Scoped| other.name.as_deref() == name && other.scope == *scope;
        let at = match self.scopes.iter().position(same) {
            Some(at) => at,
            None => {
                self.scopes.push(Scoped::new(scope, name));
                self.scopes.len() - 1
            }
        };
        let Some(scoped) = self.scopes.get_mut(at) else { return 0 };
        let before = scoped.records.len();
        proto::bytes_even_if_empty(&mut scoped.records, 2, record);
        let added = scoped.records.len() - before;
        self.records += 1;
        self.bytes += added;
        added
    }

    /// The body of a request.
    fn request(&self, resource: &[u8]) -> Vec<u8> {
        let filled = || self.scopes.iter().filter(|scoped| !scoped.records.is_empty());
        let length = |scoped: &Scoped| scoped.head.len() + scoped.records.len();
        let all =
            resource.len() + filled().map(|scoped| proto::field_length(2, length(scoped))).sum::<usize>();
        let mut body = Vec::with_capacity(proto::field_length(1, all));
        proto::head(&mut body, 1, all);
        body.extend_from_slice(resource);
        for scoped in filled() {
            proto::head(&mut body, 2, length(scoped));
            body.extend_from_slice(&scoped.head);
            body.extend_from_slice(&scoped.records);
        }
        body
    }

    /// Scopes and memory stay for the next records, unless they are too much.
    fn clear(&mut self) {
        self.records = 0;
        self.bytes = 0;
        self.scopes.retain(|scoped| !scoped.records.is_empty());
        for scoped in &mut self.scopes {
            scoped.records.clear();
            scoped.records.shrink_to(2 * BATCH_BYTES);
        }
    }
}

impl Scoped {
    fn new(scope: &InstrumentationScope, name: Option<&str>) -> Self {
        let mut head = Vec::new();
        proto::message(&mut head, 1, |out| record::scope(out, scope, name));
        record::text(&mut head, 3, scope.schema_url().unwrap_or_default());
        Self { scope: scope.clone(), name: name.map(str::to_owned), head, records: Vec::new() }
    }
}

/// Gives a buffer of the thread, or a new one where the thread is about to end.
fn with_scratch<T>(work: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    let mut buffer = SCRATCH.try_with(RefCell::take).unwrap_or_default();
    let done = work(&mut buffer);
    buffer.clear();
    buffer.shrink_to(SCRATCH_BYTES);
    let _ = SCRATCH.try_with(|scratch| scratch.replace(buffer));
    done
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use prost::Message as _;

    use super::*;

    fn shared(queue: usize, batch: usize) -> Shared {
        let bounds = Bounds { delay: Duration::from_secs(3600), queue, batch };
        Shared {
            bounds,
            state: Mutex::default(),
            work: Condvar::new(),
            done: Condvar::new(),
            said_full: AtomicBool::new(false),
        }
    }

    fn scope(name: &'static str) -> InstrumentationScope {
        InstrumentationScope::builder(name).build()
    }

    #[test]
    fn what_waits_is_bounded_by_number_and_by_bytes() {
        let small = shared(3, 2);
        let kept: Vec<bool> = (0..5).map(|_| small.push(&scope("a"), None, b"")).collect();
        assert_eq!(kept, [true, true, true, false, false]);

        let large = shared(2048, 512);
        let record = vec![0; 1 << 20];
        let kept = (0..40).filter(|_| large.push(&scope("a"), None, &record)).count();
        assert_eq!(kept, QUEUE_BYTES >> 20);

        // What has left makes room.
        assert!(large.next().is_some());
        assert!(large.push(&scope("a"), None, &record));
    }

    #[test]
    fn a_batch_is_closed_by_number_and_by_bytes() {
        let queue = shared(2048, 3);
        for _ in 0..7 {
            queue.push(&scope("a"), None, b"");
        }
        queue.push(&scope("a"), None, &vec![0; BATCH_BYTES]);
        let sizes: Vec<usize> = queue.state().full.iter().map(|batch| batch.records).collect();
        assert_eq!(sizes, [3, 3, 2]);
    }

    #[test]
    fn records_stand_under_their_scopes_and_scopes_under_the_resource() {
        let queue = Queue { shared: Arc::new(shared(2048, 512)) };
        let resource = Resource::builder_empty().with_service_name("shop").build();
        queue.set_resource(&resource);
        let named = |name: &'static str| move |out: &mut Vec<u8>| record::text(out, 5, name);
        for _ in 0..2 {
            queue.push(&scope("a"), None, named("first"));
            queue.push(&scope("b"), None, named("second"));
            queue.push(&scope("a"), Some("target"), named("third"));
            queue.push(&scope("a"), None, named("fourth"));
            queue.shared.state().close();
            // The second time in memory that was used before.
            let (resource, mut batch) = queue.shared.next().unwrap();
            let body = batch.request(&resource);
            batch.clear();
            queue.shared.state().spare = Some(batch);

            let request = ExportTraceServiceRequest::decode(&*body).unwrap();
            let [told] = &request.resource_spans[..] else { panic!("{request:?}") };
            assert_eq!(told.resource.as_ref().unwrap().attributes[0].key, "service.name");
            let scopes: Vec<(String, Vec<&str>)> = told
                .scope_spans
                .iter()
                .map(|scope| {
                    let spans = scope.spans.iter().map(|span| span.name.as_str()).collect();
                    (scope.scope.as_ref().unwrap().name.clone(), spans)
                })
                .collect();
            assert_eq!(
                scopes,
                [
                    ("a".to_owned(), vec!["first", "fourth"]),
                    ("b".to_owned(), vec!["second"]),
                    ("target".to_owned(), vec!["third"])
                ]
            );
        }
    }
}
