//! What writes: everything that waits goes into one insert of each table, and is acknowledged after it.
//!
//! ClickHouse wants few large inserts; so there is a moment between two inserts, and what comes meanwhile waits.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use clickhouse::insert::Insert;
use clickhouse::{Row, RowWrite};
use futures_util::future::{try_join, try_join3};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};
use prost::Message as _;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::{Instant, timeout_at};

use super::fault::{STORE, WRITE};
use super::known::{Known, LeftOut};
use super::line::{self, LogLine, PieceLine, Record, SpanLine, day};
use super::point::{Heard, PointLine, SeriesLine};
use super::read::Db;
use super::said::SaidLine;
use super::tell::{Ear, News};
use crate::error::StoreError;
use crate::facts::Op;
use crate::id::{ContentHash, TraceId};
use crate::origin::Origin;
use crate::pack;
use crate::query::Stored;
use crate::rate::Rate;
use crate::span::SpanState;
use crate::store::Batch;
use crate::title::Titles;
use crate::value::Pieces;

/// An insert takes what waits until it has so many records
const MOST_RECORDS: usize = 20_000;
/// or so many bytes.
const MOST_BYTES: usize = 32 << 20;
/// Between the beginnings of two inserts at least.
const PAUSE: Duration = Duration::from_millis(100);
/// From the end of one to the next at most, however long that took.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// So many spans may come with the same ids and other contents, the first included.
const MOST_VARIANTS: u8 = 8;
/// After so many bytes of text others get their turn.
const TURN: usize = 64 << 10;
/// The form of a piece that tells resource and scope.
pub(super) const ORIGIN: u8 = 2;

/// A batch that waits for its acknowledgement.
pub(super) struct Job {
    pub(super) batch: Batch,
    pub(super) pressed: Pressed,
    pub(super) answer: oneshot::Sender<Result<Stored, StoreError>>,
    /// Its share of the queue.
    pub(super) room: OwnedSemaphorePermit,
}

/// The records of a batch as they are written.
#[derive(Default)]
pub(super) struct Pressed {
    pub(super) spans: Vec<Record>,
    pub(super) logs: Vec<Record>,
    pub(super) points: Vec<Heard>,
    origins: HashMap<ContentHash, Vec<u8>>,
}

impl Pressed {
    /// Takes the content out of the records of a batch, which have it in pieces afterwards.
    pub(super) fn new(batch: &mut Batch) -> Self {
        let mut titles = Titles::of(batch);
        let mut pressed = Self::default();
        let mut at_hand = HashMap::new();
        for (at, span) in batch.spans.iter_mut().enumerate() {
            let origin = pressed.origin(&mut at_hand, &span.origin);
            let packed = pack::span(span);
            let parent = span.parent.map(|parent| *parent.bytes()).unwrap_or_default();
            let ids: [&[u8]; 3] = [span.key.trace.bytes(), span.key.span.bytes(), &parent];
            let print = line::print(&packed, origin, &ids);
            let title = titles.spans.remove(&at).unwrap_or_default();
            pressed.spans.push(Record { packed, print, origin, title });
        }
        for (at, log) in batch.logs.iter_mut().enumerate() {
            let origin = pressed.origin(&mut at_hand, &log.origin);
            let packed = pack::log(log);
            let print = line::print(&packed, origin, &[]);
            let title = titles.logs.remove(&at).unwrap_or_default();
            pressed.logs.push(Record { packed, print, origin, title });
        }
        for (series, points) in &batch.points {
            let origin = pressed.origin(&mut at_hand, &series.origin);
            pressed.points.push(Heard::new(series, points, origin));
        }
        pressed
    }

    fn origin(
        &mut self,
        at_hand: &mut HashMap<*const Origin, ContentHash>,
        origin: &Arc<Origin>,
    ) -> ContentHash {
        *at_hand.entry(Arc::as_ptr(origin)).or_insert_with(|| {
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
            let hash = ContentHash::of(ORIGIN, &body);
            self.origins.insert(hash, body);
            hash
        })
    }
}

pub(super) struct Writer {
    db: Db,
    ear: Ear,
    /// Where it tells in which traces it stored calls.
    called: UnboundedSender<Traces>,
    rate: Arc<Rate>,
    known: Known,
}

impl Writer {
    pub(super) fn new(db: Db, ear: Ear, called: UnboundedSender<Traces>, rate: Arc<Rate>) -> Self {
        Self { db, ear, called, rate, known: Known::new() }
    }

    /// Works until nobody can tell it anything any more.
    pub(super) async fn run(mut self, mut given: UnboundedReceiver<Job>) {
        // Those who were answered come again: until as much came as the last insert had, the next one waits as long as that took.
        let (mut earliest, mut latest, mut enough) = (Instant::now(), Instant::now(), 0);
        while let Some(job) = given.recv().await {
            let (mut records, mut bytes) = (size(&job.batch), job.batch.bytes);
            let mut jobs = vec![job];
            while records < MOST_RECORDS && bytes < MOST_BYTES {
                let until = if records < enough { latest } else { earliest };
                let Ok(Some(job)) = timeout_at(until, given.recv()).await else { break };
                records += size(&job.batch);
                bytes = bytes.saturating_add(job.batch.bytes);
                jobs.push(job);
            }
            let (begun, several) = (Instant::now(), jobs.len() > 1);
            self.store(jobs).await;
            earliest = begun + PAUSE;
            latest = Instant::now() + begun.elapsed().clamp(PAUSE, LONGEST_PAUSE);
            // One by itself waits for nobody.
            enough = if several { records } else { 0 };
        }
    }

    async fn store(&mut self, jobs: Vec<Job>) {
        let mut written = self.write(&jobs).await;
        if written.as_ref().is_ok_and(|written| !written.holds) {
            // Somebody deleted what was taken for stored: all goes there, with its content.
            self.known = Known::new();
            written = self.write(&jobs).await;
        }
        let (answers, error) = match written {
            Ok(Written { answers, news, called, .. }) => {
                self.rate.add(news.records);
                if !called.is_empty() {
                    let _ = self.called.send(called);
                }
                if self.ear.listens() {
                    self.ear.tell(news);
                }
                (answers, None)
            }
            Err(error) => {
                // What was to be remembered is not stored.
                self.known = Known::new();
                (vec![Stored::default(); jobs.len()], Some(error))
            }
        };
        for (Job { answer, room, .. }, stored) in jobs.into_iter().zip(answers) {
            drop(room);
            // One that no longer waits has what it asked for all the same.
            let _ = answer.send(match &error {
                None => Ok(stored),
                Some(error) => Err(for_one(error)),
            });
        }
    }

    async fn write(&mut self, jobs: &[Job]) -> Result<Written, StoreError> {
        let words_first = self.known.look_for(&self.db, jobs).await?;
        let (lines, answers, news) = Lines::of(jobs, &mut self.known);
        lines.insert(&self.db, words_first).await?;
        let holds = self.known.holds(&self.db, &lines.left_out).await?;
        Ok(Written { answers, news, called: lines.called, holds })
    }
}

/// What became of some batches.
struct Written {
    answers: Vec<Stored>,
    news: News,
    called: Traces,
    /// Whether what was left out is there.
    holds: bool,
}

/// Form and bytes of a piece.
type Body<'a> = (u8, &'a [u8]);

/// What is to be inserted.
#[derive(Default)]
struct Lines<'a> {
    spans: Vec<SpanLine<'a>>,
    logs: Vec<LogLine<'a>>,
    points: Vec<PointLine<'a>>,
    /// Traces in which there are calls.
    called: Traces,
    /// By day and hash; in order, as the table has them.
    pieces: BTreeMap<(u16, [u8; 16]), Body<'a>>,
    series: BTreeMap<(u16, [u8; 16]), SeriesLine<'a>>,
    /// What log records say besides content: their day, their row, and what they are.
    told: Vec<(u16, i64, &'a [u8])>,
    left_out: LeftOut,
}

impl<'a> Lines<'a> {
    fn of(jobs: &'a [Job], known: &mut Known) -> (Self, Vec<Stored>, News) {
        let (mut lines, mut answers, mut news) = (Self::default(), Vec::new(), News::default());
        let mut seq = 0;
        for Job { batch, pressed, .. } in jobs {
            let mut stored = Stored::default();
            for (span, record) in batch.spans.iter().zip(&pressed.spans) {
                let ids = (span.key.trace, span.key.span);
                let ended = known.ended.get(&ids).unwrap_or(0);
                let running = span.state == SpanState::Running;
                if let Some(hour) = known.prints.get(&record.print) {
                    lines.left_out.span(hour, span.key.trace, record.print);
                    // Its content may be gone, or was not stored when the record was.
                    lines.pieces(known, day(hour), record, pressed);
                    stored.known += 1;
                    continue;
                }
                if running && ended > 0 {
                    stored.known += 1;
                    continue;
                }
                if ended >= MOST_VARIANTS {
                    stored.refused += 1;
                    continue;
                }
                known.ended.insert(ids, ended + u8::from(!running));
                stored.spans += 1;
                news.traces.insert(span.key.trace);
                if span.facts.op.is_some_and(|op| op.counts_tokens() || op == Op::ExecuteTool) {
                    lines.called.insert(span.key.trace);
                }
                seq += 1;
                let line = SpanLine::new(span, record, seq);
                known.prints.insert(record.print, line.hour);
                lines.pieces(known, day(line.hour), record, pressed);
                lines.spans.push(line);
            }
            for (log, record) in batch.logs.iter().zip(&pressed.logs) {
                if let Some(hour) = known.prints.get(&record.print) {
                    lines.left_out.log(hour, record.row());
                    lines.pieces(known, day(hour), record, pressed);
                    stored.known += 1;
                    continue;
                }
                stored.logs += 1;
                news.logs += 1;
                news.traces.extend(log.trace);
                let line = LogLine::new(log, record);
                known.prints.insert(record.print, line.hour);
                lines.pieces(known, day(line.hour), record, pressed);
                lines.told.push((day(line.hour), line.row, &record.packed.bytes));
                lines.logs.push(line);
                if log.is_of_session() {
                    seq += 1;
                    lines.called.extend(log.trace);
                    lines.spans.push(SpanLine::of_session(log, record, seq));
                }
            }
            for ((series, points), heard) in batch.points.iter().zip(&pressed.points) {
                for (point, body) in points.iter().zip(&heard.points) {
                    let line = PointLine::new(series, heard, point, batch.received, body);
                    let print = line.print();
                    let stored_in = known.prints.get(&print);
                    let day = day(stored_in.unwrap_or(line.hour));
                    lines.origin(known, day, heard.origin, pressed);
                    if known.is_new(day, heard.hash, &mut lines.left_out) {
                        lines.series.insert((day, heard.hash), SeriesLine::new(day, series, heard));
                    }
                    if let Some(hour) = stored_in {
                        lines.left_out.point(hour, line.series, line.time_ns, line.start_ns);
                        stored.known += 1;
                        continue;
                    }
                    known.prints.insert(print, line.hour);
                    stored.points += 1;
                    lines.points.push(line);
                }
            }
            news.points += stored.points;
            news.records += stored.spans + stored.logs + stored.points;
            answers.push(stored);
        }
        (lines, answers, news)
    }

    fn pieces(&mut self, known: &mut Known, day: u16, record: &'a Record, pressed: &'a Pressed) {
        self.origin(known, day, record.origin, pressed);
        for piece in record.packed.holes.iter().flat_map(|Pieces { list, .. }| list) {
            self.piece(known, day, *piece.hash.bytes(), (piece.form as u8, &piece.bytes));
        }
    }

    /// Where records come from.
    fn origin(&mut self, known: &mut Known, day: u16, hash: ContentHash, pressed: &'a Pressed) {
        let body = pressed.origins.get(&hash).map(Vec::as_slice).unwrap_or_default();
        self.piece(known, day, *hash.bytes(), (ORIGIN, body));
    }

    fn piece(&mut self, known: &mut Known, day: u16, hash: [u8; 16], body: Body<'a>) {
        if known.is_new_piece(day, hash, &mut self.left_out) {
            self.pieces.insert((day, hash), body);
        }
    }

    /// Content first, so that no record refers to what is not there. Words take the longest, and nothing refers to them: they
    /// are stored meanwhile, but before records that are looked for when they come again, and are not written again then.
    async fn insert(&self, db: &Db, words_first: bool) -> Result<(), StoreError> {
        let pieces: Vec<PieceLine<'_>> = self
            .pieces
            .iter()
            .map(|((day, hash), (form, body))| PieceLine { day: *day, hash: *hash, form: *form, body })
            .collect();
        let series: Vec<SeriesLine<'_>> = self.series.values().copied().collect();
        let referred = async {
            try_join(
                insert::<PieceLine<'_>>(db, "piece", &pieces),
                insert::<SeriesLine<'_>>(db, "series", &series),
            )
            .await?;
            try_join3(
                insert::<SpanLine<'_>>(db, "span", &self.spans),
                insert::<LogLine<'_>>(db, "log", &self.logs),
                insert::<PointLine<'_>>(db, "point", &self.points),
            )
            .await
        };
        if words_first {
            self.insert_words(db).await?;
            referred.await?;
        } else {
            try_join(self.insert_words(db), referred).await?;
        }
        Ok(())
    }

    /// What is said. The words are found out on the way, which takes a while, so that others get their turn in between.
    async fn insert_words(&self, db: &Db) -> Result<(), StoreError> {
        let (mut begun, mut bytes) = (None, 0);
        let of_pieces = self
            .pieces
            .iter()
            .map(|((day, hash), (form, body))| (body.len(), SaidLine::of_piece(*day, *hash, *form, body)));
        let of_logs =
            self.told.iter().map(|(day, row, rest)| (rest.len(), SaidLine::of_log(*day, *row, rest)));
        for (length, line) in of_pieces.chain(of_logs) {
            if let Some(line) = line {
                let insert = match &mut begun {
                    Some(insert) => insert,
                    none => none.insert(begin::<SaidLine>(db, "said").await?),
                };
                insert.write(&line).await.map_err(|error| db.place.fault(WRITE, error))?;
            }
            bytes += length;
            if bytes > TURN {
                bytes = 0;
                tokio::task::yield_now().await;
            }
        }
        match begun {
            Some(insert) => insert.end().await.map_err(|error| db.place.fault(WRITE, error)),
            None => Ok(()),
        }
    }
}

pub(super) async fn insert<T: Row + RowWrite>(
    db: &Db,
    table: &str,
    lines: &[T::Value<'_>],
) -> Result<(), StoreError> {
    if lines.is_empty() {
        return Ok(());
    }
    let told = |error| db.place.fault(WRITE, error);
    let mut insert = begin::<T>(db, table).await?;
    for line in lines {
        insert.write(line).await.map_err(told)?;
    }
    insert.end().await.map_err(told)
}

/// Begins to write rows.
async fn begin<T: Row>(db: &Db, table: &str) -> Result<Insert<T>, StoreError> {
    let told = |error| db.place.fault(WRITE, error);
    // It asks for the table's columns, the first time.
    let insert = db.place.in_time(db.client.insert::<T>(table)).await.map_err(told)?;
    // Rows are told apart by what they say. A whole insert that comes again may have been deleted meanwhile.
    let insert = insert.with_setting("insert_deduplicate", "0").with_setting("deduplicate_insert", "disable");
    // What is acknowledged is stored, whatever the user's profile says; what waits has been put together here.
    let insert = insert.with_setting("async_insert", "0");
    // A store that is copied has a few records of each of many days.
    let insert = insert.with_setting("max_partitions_per_insert_block", "0");
    // On several servers: what is acknowledged is where it belongs.
    let insert = insert.with_setting("distributed_foreground_insert", "1");
    // Storing may take longer than answering.
    let to_store = db.place.to_store();
    let insert = insert.with_setting("max_execution_time", to_store.as_secs_f64().to_string());
    Ok(insert.with_timeouts(Some(db.place.patience), Some(to_store)))
}

/// The traces that a batch has.
pub(super) type Traces = HashSet<TraceId>;

fn for_one(error: &StoreError) -> StoreError {
    match error {
        StoreError::Busy { retry_after } => StoreError::Busy { retry_after: *retry_after },
        StoreError::Away { place, retry_after, source } => StoreError::Away {
            place: place.clone(),
            retry_after: *retry_after,
            source: source.to_string().into(),
        },
        StoreError::Full { dir, retry_after } => {
            StoreError::Full { dir: dir.clone(), retry_after: *retry_after }
        }
        StoreError::ReadOnly(place) => StoreError::ReadOnly(place.clone()),
        StoreError::Timeout(patience) => StoreError::Busy { retry_after: STORE * *patience },
        StoreError::Backend { what, source } => {
            StoreError::Backend { what, source: source.to_string().into() }
        }
        error => StoreError::Backend { what: WRITE, source: error.to_string().into() },
    }
}

fn size(batch: &Batch) -> usize {
    let points: usize = batch.points.iter().map(|(_, points)| points.len()).sum();
    batch.spans.len() + batch.logs.len() + points
}
