//! The store in ClickHouse, for what is too much for one machine: any number of dashboards may write to and read from one
//! database.
//!
//! Nothing is kept here but what waits to be written. A batch is acknowledged when the server has stored it; what a sender
//! sends again is told apart from what is new by what it says, so that it is in every answer once, whoever received it.

mod around;
mod beside;
mod calls;
mod cluster;
mod conversations;
mod delete;
mod dump;
mod fault;
mod fold;
mod foreign;
mod kept;
mod known;
mod line;
mod list;
mod metrics;
mod newest;
mod once;
mod point;
mod read;
mod retention;
mod rights;
mod rollup;
mod said;
mod schema;
mod search;
mod services;
mod settle;
mod stats;
mod status;
mod tell;
mod writer;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clickhouse::{Client, Compression};
use futures_util::stream::{self, BoxStream, StreamExt as _};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{Semaphore, broadcast, oneshot};
use tokio::task::JoinHandle;
use url::{Host, Url};

use self::fault::Place;
use self::foreign::Foreign;
use self::read::Db;
use self::retention::Keeping;
use self::rights::ReadOnly;
use self::settle::Settler;
use self::tell::{Ear, Teller};
use self::writer::{Job, Pressed, Writer};
use crate::change::Change;
use crate::cursor::Cursor;
use crate::error::StoreError;
use crate::facts::{self, NoPrices, Pricing};
use crate::id::{ContentHash, SpanId, TraceId};
use crate::log::LogRecord;
use crate::metric::Exemplar;
use crate::query::{
    ConversationQuery, Delete, Deleted, Dimension, Filter, Hit, LogQuery, MetricInfo, Page, Range,
    SearchQuery, SeriesData, SeriesQuery, ServiceInfo, StatsQuery, StatsRow, StoreStatus, Stored, TraceQuery,
    Which,
};
use crate::rate::Rate;
use crate::span::{Span, SpanRow};
use crate::store::{Batch, Store};
use crate::summary::{ConversationSummary, TraceSummary};
use crate::value::Piece;

/// What waits to be written has so many KiB at most; then senders are told to come again.
const QUEUE: u32 = 64 << 10;
/// Of what others wrote so many bytes are held.
const HOLDS: u64 = 1 << 30;
/// The database of an address that names none.
const DATABASE: &str = "otel_genai";

/// Where a ClickHouse is, and as whom it is asked. The password is in no error and in no debug output.
#[derive(Clone)]
pub struct ClickHouseOptions {
    url: Url,
    database: String,
    user: Option<String>,
    password: Option<String>,
    pricing: Arc<dyn Pricing>,
    keeping: Keeping,
    read_only: bool,
    patience: Duration,
    quiet: Duration,
    holds: u64,
}

impl fmt::Debug for ClickHouseOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClickHouseOptions").field("location", &self.location()).finish_non_exhaustive()
    }
}

impl ClickHouseOptions {
    /// From an address such as `clickhouse://user:password@host:8123/database`: ClickHouse's HTTP port, 8123 unless another is
    /// told. With `clickhouses://` it is asked by TLS, at port 8443. Also understood: `http://` and `https://`. The database is
    /// `otel_genai` unless another is named, and is made if it is not there.
    ///
    /// # Errors
    /// [`StoreError::BadQuery`] if it is no such address. The address is not repeated: it may have a password.
    pub fn new(address: &str) -> Result<Self, StoreError> {
        let wrong = |what: &str| {
            StoreError::BadQuery(format!(
                "{what}: a store in ClickHouse is told as clickhouse://host:8123/database{}",
                unencoded(address)
            ))
        };
        let (scheme, rest) = address.split_once("://").ok_or_else(|| wrong("the address has no scheme"))?;
        let (scheme, port) = match scheme {
            "clickhouse" | "http" => ("http", 8123),
            "clickhouses" | "https" => ("https", 8443),
            _ => return Err(wrong("the address has another scheme")),
        };
        let told =
            Url::parse(&format!("{scheme}://{rest}")).map_err(|_| wrong("the address cannot be read"))?;
        let host = told.host_str().ok_or_else(|| wrong("the address has no host"))?;
        if told.query().is_some() || told.fragment().is_some() {
            return Err(wrong("the address has a part behind ? or #"));
        }
        let database = match told.path().trim_matches('/') {
            "" => DATABASE,
            name => name,
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if !database.bytes().all(plain) || database.starts_with(|first: char| first.is_ascii_digit()) {
            return Err(wrong("the database's name has other characters than letters, digits and _"));
        }
        // Of the scheme, 80 and 443 are as good as not told, to a parser; ClickHouse has them nowhere by itself.
        let port = told.port().unwrap_or(port);
        let url = Url::parse(&format!("{scheme}://{host}:{port}"))
            .map_err(|_| wrong("the address cannot be read"))?;
        let user = decoded(told.username()).filter(|user| !user.is_empty());
        let password = told.password().and_then(decoded);
        Ok(Self {
            database: database.to_owned(),
            url,
            user,
            password,
            pricing: Arc::new(NoPrices),
            keeping: Keeping::default(),
            read_only: false,
            patience: fault::PATIENCE,
            quiet: fault::QUIET,
            holds: HOLDS,
        })
    }

    /// As whom.
    #[must_use]
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// With which password.
    #[must_use]
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// Whether it was told a password.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.password.is_some()
    }

    /// By which prices calls cost something that did not tell their cost. By default by none.
    #[must_use]
    pub fn pricing(mut self, pricing: Arc<dyn Pricing>) -> Self {
        self.pricing = pricing;
        self
    }

    /// How long the server keeps records, for all who use the database: days that ended earlier are deleted, by the server
    /// itself and some hours later. `None`: for ever. By default what is set there stays as it is.
    #[must_use]
    pub fn max_age(mut self, age: Option<Duration>) -> Self {
        self.keeping = age.map_or(Keeping::Forever, Keeping::For);
        self
    }

    /// Only to look at what is there: nothing is made, written, or deleted.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// How long the server may take to connect and to answer a question, 10 seconds by default; six times as long to store what
    /// it was sent, and sixty times as long to delete. Then it is an error to have waited.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// How long nothing must have come for an hour before the sums of its calls are written down, 2 minutes by default. No
    /// insert may take longer.
    #[must_use]
    pub fn quiet(mut self, quiet: Duration) -> Self {
        self.quiet = quiet;
        self
    }

    /// How many bytes of what a Collector's exporter wrote are held in a temporary folder, to answer from; 1 GiB by default.
    /// What is more is read anew when it is asked for again, and no question may be about more.
    #[must_use]
    pub fn holds(mut self, bytes: u64) -> Self {
        self.holds = bytes;
        self
    }

    /// The statements that make the tables, and the rights that those need who read and write: for an administrator, so that
    /// otel-genai itself needs no right to make anything.
    #[must_use]
    pub fn schema(&self) -> String {
        schema::text(&self.database, self.keeping)
    }

    /// The same for several servers that know each other as a cluster: what each of them is given. It is not made by
    /// otel-genai itself.
    ///
    /// # Errors
    /// [`StoreError::BadQuery`] if the cluster's name has other characters than letters, digits and `_`.
    pub fn cluster_schema(&self, cluster: &str) -> Result<String, StoreError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if cluster.is_empty() || !cluster.bytes().all(plain) {
            let wrong = "a cluster's name has letters, digits and _ alone";
            return Err(StoreError::BadQuery(wrong.to_owned()));
        }
        Ok(cluster::text(&self.database, cluster))
    }

    /// Where it is, without name and password.
    #[must_use]
    pub fn location(&self) -> String {
        let scheme = if self.url.scheme() == "https" { "clickhouses" } else { "clickhouse" };
        let host = self.url.host_str().unwrap_or_default();
        format!("{scheme}://{host}:{}/{}", self.url.port_or_known_default().unwrap_or(0), self.database)
    }

    /// Connects to what is there: to otel-genai's own tables, or else to those of an OpenTelemetry Collector's exporter
    /// (`otel_traces`, `otel_logs`, `otel_metrics_…`), which are only read. Where there are neither, its own are made. To be
    /// called in Tokio's runtime, where the store works as long as it is open.
    ///
    /// # Errors
    /// Those of [`connect`](Self::connect), and [`StoreError::Backend`] if the exporter's tables are of a kind that is not
    /// known: it names the column.
    pub async fn open(self) -> Result<Arc<dyn Store>, StoreError> {
        let (keeping, read_only, holds) = (self.keeping, self.read_only, self.holds);
        let db = self.reach().await?;
        if let Some(foreign) = Foreign::find(&db, holds).await? {
            return Ok(Arc::new(foreign));
        }
        Ok(Arc::new(ClickHouseStore::new(db, keeping, read_only).await?))
    }

    /// Whether the database has tables of an OpenTelemetry Collector's exporter, and none of otel-genai's own: nothing can be
    /// stored there, and of what is counted there only a part tells of generative AI.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub async fn is_a_collectors(&self) -> Result<bool, StoreError> {
        Foreign::is_there(&self.clone().reach().await?).await
    }

    /// Connects, and makes the tables if there are none. To be called in Tokio's runtime, where the store writes as long as it
    /// is open.
    ///
    /// # Errors
    /// [`StoreError::Away`] if nobody answers, [`StoreError::Newer`] if the tables are of a later version, and what else the
    /// server has to say.
    pub async fn connect(self) -> Result<ClickHouseStore, StoreError> {
        let (keeping, read_only) = (self.keeping, self.read_only);
        ClickHouseStore::new(self.reach().await?, keeping, read_only).await
    }

    /// Whether the server is on the same machine.
    fn is_here(&self) -> bool {
        match self.url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        }
    }

    async fn reach(self) -> Result<Db, StoreError> {
        let (location, patience) = (self.location(), self.patience);
        let place = Place { location, database: self.database.clone(), patience, quiet: self.quiet };
        let mut client = Client::default()
            .with_url(self.url.as_str())
            .with_database(&self.database)
            // An answer is whole or an error, never the beginning of one.
            .with_setting("wait_end_of_query", "1");
        if self.is_here() {
            // What crosses no network would be compressed for nothing.
            client = client.with_compression(Compression::None);
        }
        if let Some(user) = &self.user {
            client = client.with_user(user);
        }
        if let Some(password) = &self.password {
            client = client.with_password(password);
        }
        let limited = client
            .clone()
            .with_setting("max_execution_time", patience.as_secs_f64().to_string())
            .with_setting("cancel_http_readonly_queries_on_client_close", "1")
            // On several servers: what a condition looks for is looked for on all, by each. `global` would look once, and
            // refuses conditions within conditions.
            .with_setting("distributed_product_mode", "allow");
        // Some who may only read may not set limits either.
        let ask = limited.clone().with_database("default").query_raw("SELECT 1").fetch_one::<u8>();
        let reading = match place.in_time(ask).await {
            Ok(_) => limited,
            Err(error) if fault::code(&error) == Some(fault::READONLY) => client,
            Err(error) => return Err(place.unmet(self.user.as_deref(), self.has_password(), error)),
        };
        Ok(Db {
            client: reading,
            place,
            pricing: self.pricing,
            dictionary: None,
            kept: Arc::default(),
            slow: Arc::default(),
        })
    }
}

/// What to write instead of a character that ends the host, where a user and a password have it.
fn unencoded(address: &str) -> &'static str {
    let before_host = address.split_once("://").and_then(|(_, rest)| rest.rsplit_once('@'));
    match before_host.and_then(|(user, _)| user.chars().find(|letter| "/?#".contains(*letter))) {
        Some('/') => "; write / as %2F in a password",
        Some('?') => "; write ? as %3F in a password",
        Some('#') => "; write # as %23 in a password",
        _ => "",
    }
}

/// What stands for other characters in an address: `%40`.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                u8::try_from(digit()? << 4 | digit()?).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

/// A store in ClickHouse.
pub struct ClickHouseStore {
    db: Db,
    read_only: ReadOnly,
    /// Of the queue, in KiB.
    room: Arc<Semaphore>,
    rate: Arc<Rate>,
    open: Mutex<Option<Open>>,
    /// Those that write and delete, and those that end after them: the one that marks calls told twice, and the one that tells.
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

/// What a store has as long as it is open.
#[derive(Clone)]
struct Open {
    jobs: UnboundedSender<Job>,
    deletes: UnboundedSender<delete::Order>,
    voice: broadcast::Sender<Change>,
}

impl fmt::Debug for ClickHouseStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClickHouseStore").field("location", &self.db.place.location).finish_non_exhaustive()
    }
}

const CLOSED: StoreError = StoreError::Closed;

impl ClickHouseStore {
    async fn new(mut db: Db, keeping: Keeping, read_only: bool) -> Result<Self, StoreError> {
        schema::prepare(&db.client, &db.place, read_only).await?;
        let read_only = ReadOnly::new(&db, read_only).await?;
        if read_only.why(&db).await.is_none() {
            db.keep(keeping).await?;
        }
        db.dictionary = search::dictionary(&db.client).await;
        let (jobs, given) = unbounded_channel();
        let (deletes, to_go) = unbounded_channel();
        let (news, heard) = unbounded_channel();
        let (voice, _) = broadcast::channel(tell::MOST);
        let teller = tokio::spawn(Teller::new(db.clone(), voice.clone()).run(heard));
        let rate = Arc::new(Rate::default());
        let ear = Ear { news, voice: voice.clone() };
        let deleter = tokio::spawn(delete::run(db.clone(), ear.clone(), to_go));
        let (called, stored) = unbounded_channel();
        let settler = tokio::spawn(Settler::new(db.clone()).run(stored));
        let writer = tokio::spawn(Writer::new(db.clone(), ear, called, Arc::clone(&rate)).run(given));
        Ok(Self {
            db,
            read_only,
            room: Arc::new(Semaphore::new(QUEUE as usize)),
            rate,
            open: Mutex::new(Some(Open { jobs, deletes, voice })),
            tasks: Mutex::new(vec![writer, deleter, settler, teller]),
        })
    }

    fn opened(&self) -> Result<Open, StoreError> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or(CLOSED)
    }

    fn db(&self) -> Result<&Db, StoreError> {
        self.opened().map(|_| &self.db)
    }

    async fn writable(&self) -> Result<Open, StoreError> {
        self.read_only.why(&self.db).await.map_or_else(|| self.opened(), Err)
    }
}

#[async_trait::async_trait]
impl Store for ClickHouseStore {
    async fn ingest(&self, mut batch: Batch) -> Result<Stored, StoreError> {
        let Open { jobs, .. } = self.writable().await?;
        let wanted = u32::try_from(batch.bytes / 1024).unwrap_or(QUEUE).saturating_add(1).min(QUEUE);
        let room = Arc::clone(&self.room);
        let room = if wanted == QUEUE {
            // Larger than the whole queue: it goes alone.
            room.acquire_many_owned(wanted).await.map_err(|_| CLOSED)?
        } else {
            let busy = |_| StoreError::Busy { retry_after: Duration::from_secs(1) };
            room.try_acquire_many_owned(wanted).map_err(busy)?
        };
        facts::know(&mut batch, self.db.pricing.as_ref());
        let pressed = Pressed::new(&mut batch);
        let (answer, stored) = oneshot::channel();
        jobs.send(Job { batch, pressed, answer, room }).map_err(|_| CLOSED)?;
        drop(jobs);
        // The writer answers every batch it takes.
        stored.await.unwrap_or(Err(CLOSED))
    }

    async fn traces(&self, query: &TraceQuery) -> Result<Page<TraceSummary>, StoreError> {
        self.db()?.traces(query).await
    }

    async fn summaries(&self, ids: &[TraceId]) -> Result<Vec<TraceSummary>, StoreError> {
        self.db()?.summaries(ids).await
    }

    async fn rows(
        &self,
        trace: TraceId,
        limit: u32,
        cursor: Option<Cursor>,
    ) -> Result<Page<SpanRow>, StoreError> {
        self.db()?.rows(trace, limit, cursor.as_ref()).await
    }

    async fn rows_of_each(&self, traces: &[TraceId], limit: u32) -> Result<Vec<Page<SpanRow>>, StoreError> {
        self.db()?.rows_of_each(traces, limit).await
    }

    async fn spans(&self, trace: TraceId, which: Which) -> Result<Vec<Span>, StoreError> {
        self.db()?.spans(trace, &which).await
    }

    async fn spans_of_each(&self, named: &[(TraceId, Vec<SpanId>)]) -> Result<Vec<Span>, StoreError> {
        self.db()?.spans_of_each(named).await
    }

    async fn logs(&self, query: &LogQuery) -> Result<Page<LogRecord>, StoreError> {
        self.db()?.logs(query).await
    }

    async fn content(&self, hash: ContentHash, near: Option<TraceId>) -> Result<Option<Piece>, StoreError> {
        self.db()?.content(hash, near).await
    }

    async fn conversations(
        &self,
        query: &ConversationQuery,
    ) -> Result<Page<ConversationSummary>, StoreError> {
        self.db()?.conversations(query).await
    }

    async fn conversation(&self, id: &str, limit: u32) -> Result<Vec<TraceSummary>, StoreError> {
        self.db()?.conversation(id, limit).await
    }

    async fn stats(&self, query: &StatsQuery) -> Result<Vec<StatsRow>, StoreError> {
        self.db()?.stats(query).await
    }

    async fn facets(
        &self,
        filter: &Filter,
        dimension: Dimension,
        limit: u32,
    ) -> Result<Vec<(Arc<str>, u64)>, StoreError> {
        self.db()?.facets(filter, dimension, limit).await
    }

    async fn search(&self, query: &SearchQuery) -> Result<Page<Hit>, StoreError> {
        self.db()?.search(query).await
    }

    async fn index_behind(&self) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn services(&self, range: Option<Range>) -> Result<Vec<ServiceInfo>, StoreError> {
        self.db()?.services(range).await
    }

    async fn metrics(&self, range: Option<Range>) -> Result<Vec<MetricInfo>, StoreError> {
        self.db()?.metrics(range).await
    }

    async fn series(&self, query: &SeriesQuery) -> Result<Vec<SeriesData>, StoreError> {
        self.db()?.series(query).await
    }

    async fn exemplars(
        &self,
        trace: TraceId,
        span: SpanId,
        range: Range,
    ) -> Result<Vec<(Arc<str>, Exemplar)>, StoreError> {
        self.db()?.exemplars(trace, span, range).await
    }

    async fn dump(
        &self,
        range: Range,
        cursor: Option<Cursor>,
    ) -> Result<(Batch, Option<Cursor>), StoreError> {
        self.db()?.dump(range, cursor.as_ref()).await
    }

    /// Of what this process stores at once; of what others store in the same database a second later.
    fn changes(&self) -> BoxStream<'static, Change> {
        let Ok(Open { voice, .. }) = self.opened() else { return stream::empty().boxed() };
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
        let queued = u64::from(QUEUE).saturating_sub(self.room.available_permits() as u64) * 1024;
        let db = self.db()?;
        let (status, max_age) = (db.status().await?, db.max_age().await?);
        Ok(StoreStatus {
            queued_bytes: queued,
            per_second: self.rate.per_second(),
            max_age,
            read_only: self.read_only.why(db).await.is_some(),
            ..status
        })
    }

    async fn delete(&self, what: Delete) -> Result<Deleted, StoreError> {
        let (answer, deleted) = oneshot::channel();
        self.writable().await?.deletes.send((what, answer)).map_err(|_| CLOSED)?;
        deleted.await.unwrap_or(Err(CLOSED))
    }

    async fn close(&self) {
        // The writer stores what waits, and ends when nobody can tell it anything any more.
        drop(self.open.lock().unwrap_or_else(PoisonError::into_inner).take());
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            let _ = task.await;
        }
    }
}
