//! The store in SQLite: a folder with one file for each day.
//!
//! One thread writes; what waits for it goes into one transaction, so that a commit costs the less the more there is to do,
//! and a batch is acknowledged when the commit is on the disk. Others read beside it, each record as it was committed.

mod beside;
mod content;
mod conversations;
mod count;
mod dictionary;
mod dump;
mod erase;
mod exemplars;
mod fault;
mod filter;
mod folder;
mod indexer;
mod list;
mod metrics;
pub(crate) mod more;
mod point;
mod read;
mod reader;
mod record;
mod rest;
mod retention;
mod schema;
mod search;
mod segment;
mod services;
mod settle;
mod shorten;
mod stats;
mod sums;
mod tell;
mod told;
mod trace;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt as _};
use tokio::sync::{Semaphore, broadcast, oneshot};

pub use self::folder::Owner;

use self::content::Presses;
use self::folder::Folder;
use self::indexer::Backlog;
use self::reader::Pool;
use self::tell::{Ear, Teller};
use self::writer::{Job, Order, Writer};
use crate::change::Change;
use crate::cursor::Cursor;
use crate::error::StoreError;
use crate::facts::{self, NoPrices, Pricing};
use crate::id::{ContentHash, Nanos, SpanId, TraceId};
use crate::log::LogRecord;
use crate::metric::Exemplar;
use crate::query::{
    ConversationQuery, Delete, Deleted, Dimension, Filter, Hit, LogQuery, MetricInfo, Page, Range, Retention,
    SearchQuery, SeriesData, SeriesQuery, ServiceInfo, StatsQuery, StatsRow, StoreStatus, Stored, TraceQuery,
    Which,
};
use crate::rate::Rate;
use crate::span::{Span, SpanRow};
use crate::store::{Batch, Store};
use crate::summary::{ConversationSummary, TraceSummary};
use crate::title::Titles;
use crate::value::Piece;

/// What waits to be written has so many KiB at most; then senders are told to come again.
const QUEUE: u32 = 64 << 10;

/// Longer batches are hashed and compressed where they hold up nobody.
const LONG: usize = 256 << 10;

/// How safe a batch is when it is acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// It outlives the process, the system and the power: a commit waits for the disk.
    #[default]
    Full,
    /// It outlives the process; when the power fails, the last moments may be lost. For slow disks.
    Normal,
    /// It is gone when the system fails. For what is not to be kept.
    None,
}

/// How a store in SQLite is opened.
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    folder: Place,
    durability: Durability,
    readers: usize,
    limits: Retention,
    deletes: bool,
    max_content: Option<usize>,
    read_only: bool,
    pricing: Prices,
}

/// Where a store is.
#[derive(Clone, Debug)]
enum Place {
    Folder(PathBuf),
    /// In a temporary folder: in memory, if it may be.
    Temporary {
        in_memory: bool,
    },
}

/// What calls cost.
#[derive(Clone)]
struct Prices(Arc<dyn Pricing>);

impl std::fmt::Debug for Prices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Prices({})", self.0.version())
    }
}

impl SqliteOptions {
    /// In a folder, which is made if it is not there.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self::with(Place::Folder(folder.into()), Durability::default())
    }

    /// For the time being: in memory where the system has a folder there, and gone when the store is closed.
    #[must_use]
    pub fn temporary() -> Self {
        Self::with(Place::Temporary { in_memory: true }, Durability::None)
    }

    /// The same, where the system has room for much.
    #[cfg(feature = "clickhouse")]
    pub(crate) fn scratch() -> Self {
        Self::with(Place::Temporary { in_memory: false }, Durability::None)
    }

    fn with(folder: Place, durability: Durability) -> Self {
        let pricing = Prices(Arc::new(NoPrices));
        let limits = Retention::default();
        let max_content = None;
        Self { folder, durability, readers: 3, limits, deletes: true, max_content, read_only: false, pricing }
    }

    /// How long records are kept: days that ended earlier are deleted. By default for ever.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.limits.max_age = Some(age);
        self
    }

    /// How much room files may take: beyond it the oldest days are deleted, and of today the oldest traces. By default any.
    #[must_use]
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.limits.max_bytes = Some(bytes);
        self
    }

    /// Up to which length a piece of content is kept, in bytes: of a longer one, a message say, its beginning stays and says
    /// so. By default any; less than a KiB counts as that.
    #[must_use]
    pub fn max_content(mut self, bytes: u64) -> Self {
        self.max_content = Some(usize::try_from(bytes).unwrap_or(usize::MAX).max(1 << 10));
        self
    }

    /// Only to add: what is too old or too much is left to whoever opens the folder next, who may know better what is to be
    /// kept.
    #[must_use]
    pub fn deletes_nothing(mut self) -> Self {
        self.deletes = false;
        self
    }

    /// Only to look at what is there, beside whoever writes to it, or where nobody can.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// What calls cost that do not tell it themselves; by default nobody knows. A call has the price that is known when it
    /// is stored.
    #[must_use]
    pub fn pricing(mut self, pricing: Arc<dyn Pricing>) -> Self {
        self.pricing = Prices(pricing);
        self
    }

    /// How safe a batch is when it is acknowledged. By default entirely.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// How many questions are answered at a time, each by a thread with memory of its own; by default 3.
    #[must_use]
    pub fn readers(mut self, readers: usize) -> Self {
        self.readers = readers.max(1);
        self
    }

    /// Opens it.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if another process has it, [`StoreError::ReadOnly`] if it cannot be written to,
    /// [`StoreError::Older`] if it is only looked at and must be written to first, and what else goes wrong with files and
    /// threads.
    pub fn open(self) -> Result<SqliteStore, StoreError> {
        let folder = match &self.folder {
            Place::Folder(path) if self.read_only => Folder::read_only(path)?,
            Place::Folder(path) => Folder::open(path)?,
            Place::Temporary { in_memory } => Folder::temporary(*in_memory)?,
        };
        // Nobody waits for days that are deleted at once.
        let kept = if self.deletes { self.limits.oldest(Nanos::now()) } else { None };
        folder.complete(kept)?;
        let folder = Arc::new(folder);
        let readers = Pool::start(&folder, self.readers)
            .map_err(|source| fault::io("cannot start a thread", source))?;
        let (orders, given) = channel();
        let (voice, _) = broadcast::channel(tell::MOST);
        let (ear, news) = Ear::new(voice.clone());
        let rate = Arc::new(Rate::default());
        let mut threads = Vec::new();
        if !folder.is_read_only() {
            let (place, said) = (Arc::clone(&folder), voice.clone());
            threads.push(start("store-tell", move || Teller::new(place, said).run(&news))?);
            let backlog = Arc::new(Backlog::default());
            let (place, behind) = (Arc::clone(&folder), Arc::clone(&backlog));
            threads.push(start("store-index", move || indexer::run(&place, &behind))?);
            let keeping = (self.durability, self.limits, self.deletes);
            let writer = Writer::new(Arc::clone(&folder), keeping, ear, Arc::clone(&rate), backlog);
            threads.push(start("store-write", move || writer.run(&given))?);
        }
        Ok(SqliteStore {
            room: Arc::new(Semaphore::new(QUEUE as usize)),
            readers,
            open: Mutex::new(Some(Open {
                orders,
                folder,
                voice,
                presses: Arc::new(Presses::new(self.max_content)),
            })),
            rate,
            pricing: self.pricing,
            limits: Mutex::new(self.limits),
            threads: Mutex::new(threads),
        })
    }
}

fn start(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.map_err(|source| fault::io("cannot start a thread", source))
}

/// A store in SQLite.
///
/// ```
/// use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
/// use otel_genai_store::{Nanos, SqliteOptions, Store, TraceQuery, otlp};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// let store = SqliteOptions::temporary().open()?;
/// let request: ExportTraceServiceRequest = otlp::from_json(br#"{"resourceSpans":[{"scopeSpans":[{"spans":[
///     {"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7","name":"chat gpt-5"}]}]}]}"#).unwrap();
/// let accepted = otlp::traces(request, Nanos::now());
/// assert_eq!(store.ingest(accepted.batch).await?.spans, 1);
///
/// let page = store.traces(&TraceQuery { limit: 50, ..TraceQuery::default() }).await?;
/// assert_eq!(page.items[0].root.as_ref().unwrap().name.as_ref(), "chat gpt-5");
/// # Ok::<(), otel_genai_store::StoreError>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct SqliteStore {
    /// Of the queue, in KiB.
    room: Arc<Semaphore>,
    readers: Pool,
    open: Mutex<Option<Open>>,
    rate: Arc<Rate>,
    limits: Mutex<Retention>,
    pricing: Prices,
    /// The one that writes, and those that tell and index, which end after it.
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What a store has as long as it is open.
#[derive(Clone, Debug)]
struct Open {
    orders: Sender<Order>,
    folder: Arc<Folder>,
    voice: broadcast::Sender<Change>,
    presses: Arc<Presses>,
}

const CLOSED: StoreError = StoreError::Closed;

impl SqliteStore {
    /// The process that writes to a folder at the moment, if there is one that has said who it is.
    #[must_use]
    pub fn owner(folder: &Path) -> Option<Owner> {
        folder::owner(folder)
    }

    /// Tells other processes that find the folder in use where this one answers.
    pub fn announce(&self, url: &str) {
        if let Ok(open) = self.orders() {
            open.folder.announce(url);
        }
    }

    fn opened(&self) -> Result<Open, StoreError> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or(CLOSED)
    }

    /// Where orders go, if anything may be written.
    fn orders(&self) -> Result<Open, StoreError> {
        let open = self.opened()?;
        if open.folder.is_read_only() {
            return Err(StoreError::ReadOnly(open.folder.path().to_owned()));
        }
        Ok(open)
    }

    /// Waits for the threads, which end when nobody can tell them anything any more.
    fn join(&self) {
        for thread in std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner)) {
            let _ = thread.join();
        }
    }
}

#[async_trait::async_trait]
impl Store for SqliteStore {
    async fn ingest(&self, mut batch: Batch) -> Result<Stored, StoreError> {
        let Open { orders, presses, .. } = self.orders()?;
        let wanted = u32::try_from(batch.bytes / 1024).unwrap_or(QUEUE).saturating_add(1).min(QUEUE);
        let room = Arc::clone(&self.room);
        let room = if wanted == QUEUE {
            // Larger than the whole queue: it goes alone.
            room.acquire_many_owned(wanted).await.map_err(|_| CLOSED)?
        } else {
            let busy = |_| StoreError::Busy { retry_after: Duration::from_secs(1) };
            room.try_acquire_many_owned(wanted).map_err(busy)?
        };
        let pricing = self.pricing.clone();
        let is_long = batch.bytes > LONG;
        let prepare = move || {
            facts::know(&mut batch, pricing.0.as_ref());
            let titles = Titles::of(&batch);
            let pressed = presses.press(&mut batch);
            (batch, titles, pressed)
        };
        let (batch, titles, pressed) = if is_long {
            let prepared = tokio::task::spawn_blocking(prepare).await;
            prepared.map_err(|source| StoreError::Backend {
                what: "cannot read a batch",
                source: source.into(),
            })?
        } else {
            prepare()
        };
        let (answer, stored) = oneshot::channel();
        orders
            .send(Order::Store(Box::new(Job { batch, titles, pressed, answer, room })))
            .map_err(|_| CLOSED)?;
        // The writer answers every batch it takes; it did not take this one before it closed.
        stored.await.unwrap_or(Err(CLOSED))
    }

    async fn traces(&self, query: &TraceQuery) -> Result<Page<TraceSummary>, StoreError> {
        let query = query.clone();
        self.readers.ask(move |reader| list::traces(reader, &query)).await
    }

    async fn summaries(&self, ids: &[TraceId]) -> Result<Vec<TraceSummary>, StoreError> {
        let ids = ids.to_vec();
        self.readers.ask(move |reader| list::summaries(reader, &ids)).await
    }

    async fn rows(
        &self,
        trace: TraceId,
        limit: u32,
        cursor: Option<Cursor>,
    ) -> Result<Page<SpanRow>, StoreError> {
        self.readers.ask(move |reader| read::rows(reader, trace, limit, cursor.as_ref())).await
    }

    async fn spans(&self, trace: TraceId, which: Which) -> Result<Vec<Span>, StoreError> {
        self.readers.ask(move |reader| read::spans(reader, trace, &which)).await
    }

    async fn logs(&self, query: &LogQuery) -> Result<Page<LogRecord>, StoreError> {
        let query = query.clone();
        let mut page = self.readers.ask(move |reader| read::logs(reader, &query)).await?;
        for log in &mut page.items {
            log.facts = facts::of_log(log, self.pricing.0.as_ref());
        }
        Ok(page)
    }

    async fn content(&self, hash: ContentHash, near: Option<TraceId>) -> Result<Option<Piece>, StoreError> {
        self.readers.ask(move |reader| content::content(reader, hash, near)).await
    }

    async fn conversations(
        &self,
        query: &ConversationQuery,
    ) -> Result<Page<ConversationSummary>, StoreError> {
        let query = query.clone();
        self.readers.ask(move |reader| conversations::conversations(reader, &query)).await
    }

    async fn conversation(&self, id: &str, limit: u32) -> Result<Vec<TraceSummary>, StoreError> {
        let id = id.to_owned();
        self.readers.ask(move |reader| conversations::conversation(reader, &id, limit)).await
    }

    async fn stats(&self, query: &StatsQuery) -> Result<Vec<StatsRow>, StoreError> {
        let query = query.clone();
        self.readers.ask(move |reader| stats::stats(reader, &query)).await
    }

    async fn facets(
        &self,
        filter: &Filter,
        dimension: Dimension,
        limit: u32,
    ) -> Result<Vec<(Arc<str>, u64)>, StoreError> {
        let filter = filter.clone();
        self.readers.ask(move |reader| stats::facets(reader, &filter, dimension, limit)).await
    }

    async fn search(&self, query: &SearchQuery) -> Result<Page<Hit>, StoreError> {
        let query = query.clone();
        self.readers.ask(move |reader| search::search(reader, &query)).await
    }

    async fn services(&self, range: Option<Range>) -> Result<Vec<ServiceInfo>, StoreError> {
        self.readers.ask(move |reader| services::services(reader, range)).await
    }

    async fn metrics(&self, range: Option<Range>) -> Result<Vec<MetricInfo>, StoreError> {
        self.readers.ask(move |reader| metrics::metrics(reader, range)).await
    }

    async fn series(&self, query: &SeriesQuery) -> Result<Vec<SeriesData>, StoreError> {
        let query = query.clone();
        self.readers.ask(move |reader| metrics::series(reader, &query)).await
    }

    async fn exemplars(
        &self,
        trace: TraceId,
        span: SpanId,
        range: Range,
    ) -> Result<Vec<(Arc<str>, Exemplar)>, StoreError> {
        self.readers.ask(move |reader| exemplars::exemplars(reader, (trace, span), range)).await
    }

    async fn dump(
        &self,
        range: Range,
        cursor: Option<Cursor>,
    ) -> Result<(Batch, Option<Cursor>), StoreError> {
        let (mut batch, next) =
            self.readers.ask(move |reader| dump::dump(reader, range, cursor.as_ref())).await?;
        facts::know(&mut batch, self.pricing.0.as_ref());
        Ok((batch, next))
    }

    fn changes(&self) -> BoxStream<'static, Change> {
        let Ok(Open { voice, folder, .. }) = self.opened() else { return stream::empty().boxed() };
        if folder.is_read_only() {
            return beside::watch(&folder, voice.subscribe());
        }
        let next = |mut heard: broadcast::Receiver<Change>| async move {
            match heard.recv().await {
                Ok(change) => Some((change, heard)),
                Err(broadcast::error::RecvError::Lagged(_)) => Some((Change::Lost, heard)),
                Err(broadcast::error::RecvError::Closed) => None,
            }
        };
        stream::unfold(voice.subscribe(), next).boxed()
    }

    async fn status(&self) -> Result<StoreStatus, StoreError> {
        let open = self.opened()?;
        let path = open.folder.path().to_owned();
        let queued = u64::from(QUEUE).saturating_sub(self.room.available_permits() as u64) * 1024;
        let status = self.readers.ask(read::status).await?;
        let damaged = folder::damaged(&path);
        let location = path.display().to_string();
        let per_second = self.rate.per_second();
        let limits = *self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(StoreStatus {
            location,
            damaged,
            queued_bytes: queued,
            per_second,
            limit_bytes: limits.max_bytes,
            max_age: limits.max_age,
            read_only: open.folder.is_read_only(),
            ..status
        })
    }

    async fn delete(&self, what: Delete) -> Result<Deleted, StoreError> {
        let (answer, deleted) = oneshot::channel();
        self.orders()?.orders.send(Order::Delete(what, answer)).map_err(|_| CLOSED)?;
        deleted.await.unwrap_or(Err(CLOSED))
    }

    async fn keep(&self, retention: Retention) -> Result<(), StoreError> {
        let (done, swept) = oneshot::channel();
        self.orders()?.orders.send(Order::Keep(retention, done)).map_err(|_| CLOSED)?;
        *self.limits.lock().unwrap_or_else(PoisonError::into_inner) = retention;
        swept.await.map_err(|_| CLOSED)
    }

    async fn close(&self) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.readers.close();
        let Some(Open { orders, folder, voice, .. }) = open else { return };
        drop(voice);
        let (done, closed) = oneshot::channel();
        if orders.send(Order::Close(done)).is_ok() {
            let _ = closed.await;
        }
        drop(orders);
        self.join();
        folder.tidy();
        // Whoever has the folder last frees its lock.
        drop(folder);
    }
}

impl Drop for SqliteStore {
    /// Stores what was received. [`close`](Store::close) does the same without holding up the thread.
    fn drop(&mut self) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
        let folder = open.map(|open| open.folder);
        self.readers.close();
        self.join();
        if let Some(folder) = folder {
            folder.tidy();
        }
    }
}
