//! The one thread that writes: everything that waits goes into one transaction a day, and is acknowledged after it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::Durability;
use super::content::Pressed;
use super::fault;
use super::folder::{self, Folder};
use super::indexer::Backlog;
use super::point::write_point;
use super::record::{self, Fate};
use super::retention::{Sweep, read_only};
use super::segment::{Known, NoFile, Segment};
use super::settle::{self, Over, Part};
use super::tell::{Ear, News};
use super::trace::{BEGAN, GOES_ON};
use crate::error::StoreError;
use crate::id::{Day, TraceId};
use crate::query::{Delete, Deleted, Retention, Stored};
use crate::rate::Rate;
use crate::store::Batch;
use crate::title::Titles;

/// What the writer is asked to do.
pub(super) enum Order {
    Store(Box<Job>),
    Delete(Delete, oneshot::Sender<Result<Deleted, StoreError>>),
    Keep(Retention, oneshot::Sender<()>),
    Close(oneshot::Sender<()>),
}

/// A batch that waits for its acknowledgement.
pub(super) struct Job {
    pub(super) batch: Batch,
    /// What users asked in it.
    pub(super) titles: Titles,
    pub(super) pressed: Pressed,
    pub(super) answer: oneshot::Sender<Result<Stored, StoreError>>,
    /// Its share of the queue.
    pub(super) room: OwnedSemaphorePermit,
}

/// A transaction takes what waits until it has so many records
const MOST_RECORDS: usize = 2_000;
/// or so many bytes.
const MOST_BYTES: usize = 16 << 20;
/// After so long without work the logs are moved into their files.
const IDLE: Duration = Duration::from_secs(2);
/// So often traces are looked for that have been quiet.
const SETTLE: Duration = Duration::from_secs(1);
/// A trace that goes on after some days is looked for in so many files before.
const SILENT_DAYS: usize = 7;
/// So many files stay open.
const MOST_FILES: usize = 4;

pub(super) struct Writer {
    pub(super) folder: Arc<Folder>,
    durability: Durability,
    pub(super) limits: Retention,
    /// Whether they are kept to now.
    pub(super) deletes: bool,
    pub(super) sweep: Sweep,
    pub(super) ear: Ear,
    rate: Arc<Rate>,
    backlog: Arc<Backlog>,
    /// The one used last stands last.
    pub(super) open: Vec<Segment>,
    /// Since when nothing was asked.
    idle: Instant,
    /// When to look for traces to settle, if there may be some.
    settle: Option<Instant>,
    /// Days that an earlier process left with traces to settle.
    left: Vec<Day>,
}

#[derive(Clone, Copy)]
enum Item {
    Span(usize),
    Log(usize),
    /// Which series, and which of its points.
    Point(usize, usize),
}

impl Item {
    /// That it was stored.
    fn tell(self, batch: &Batch, news: &mut News) {
        match self {
            Self::Span(at) => {
                let trace = batch.spans.get(at).map(|span| span.key.trace);
                // Spans of one trace mostly come together.
                news.traces.extend(trace.filter(|trace| news.traces.last() != Some(trace)));
            }
            Self::Log(at) => {
                news.logs += 1;
                news.traces.extend(batch.logs.get(at).and_then(|log| log.trace));
            }
            Self::Point(..) => news.points += 1,
        }
    }
}

/// Records of one day, by the number of their job.
type Items = Vec<(usize, Item)>;

impl Writer {
    pub(super) fn new(
        folder: Arc<Folder>,
        (durability, limits, deletes): (Durability, Retention, bool),
        ear: Ear,
        rate: Arc<Rate>,
        backlog: Arc<Backlog>,
    ) -> Self {
        Self {
            folder,
            durability,
            limits,
            deletes,
            sweep: Sweep::new(),
            ear,
            rate,
            backlog,
            open: Vec::new(),
            idle: Instant::now(),
            settle: None,
            left: Vec::new(),
        }
    }

    /// Works until it is told to close, or nobody can tell it anything any more.
    pub(super) fn run(mut self, orders: &Receiver<Order>) {
        self.left = settle::left(self.folder.path());
        self.settle = (!self.left.is_empty()).then(Instant::now);
        let mut closing = None;
        while closing.is_none() {
            if self.sweep.is_due() {
                self.sweep();
            }
            let first = match orders.recv_timeout(self.patience()) {
                Ok(Order::Store(job)) => job,
                Ok(order @ (Order::Delete(..) | Order::Keep(..))) => {
                    self.prune(order);
                    continue;
                }
                Ok(Order::Close(done)) => {
                    closing = Some(done);
                    break;
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.tidy();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let (mut records, mut bytes) = (size(&first.batch), first.batch.bytes);
            let mut jobs = vec![*first];
            let mut prune = None;
            while records < MOST_RECORDS && bytes < MOST_BYTES {
                match orders.try_recv() {
                    Ok(Order::Store(job)) => {
                        records += size(&job.batch);
                        bytes = bytes.saturating_add(job.batch.bytes);
                        jobs.push(*job);
                    }
                    Ok(order @ (Order::Delete(..) | Order::Keep(..))) => {
                        prune = Some(order);
                        break;
                    }
                    Ok(Order::Close(done)) => {
                        closing = Some(done);
                        break;
                    }
                    Err(_) => break,
                }
            }
            self.backlog.busy(true);
            self.store(jobs);
            self.idle = Instant::now();
            self.settle.get_or_insert(self.idle + SETTLE);
            if self.settle.is_some_and(|due| due <= self.idle) {
                self.settle();
            }
            self.backlog.busy(false);
            if let Some(order) = prune {
                self.prune(order);
            }
        }
        self.backlog.close();
        // What waits behind the order to close gets no answer, which its sender takes for a failure.
        for segment in std::mem::take(&mut self.open) {
            self.put_away(segment);
        }
        drop(self);
        if let Some(done) = closing {
            let _ = done.send(());
        }
    }

    /// Deletes, or keeps less than before.
    fn prune(&mut self, order: Order) {
        match order {
            Order::Delete(what, answer) => {
                let _ = answer.send(self.delete(what));
            }
            Order::Keep(retention, done) => {
                self.limits = retention;
                self.sweep();
                let _ = done.send(());
            }
            Order::Store(_) | Order::Close(_) => {}
        }
    }

    /// How long to wait for something to do.
    fn patience(&self) -> Duration {
        let dirty = self.open.iter().any(|segment| segment.dirty);
        let due = self.settle.into_iter().chain(dirty.then_some(self.idle + IDLE)).min();
        let work = due.map(|due| due.saturating_duration_since(Instant::now()));
        work.into_iter().chain([self.sweep.patience()]).min().unwrap_or_default()
    }

    /// What is done while nobody waits.
    fn tidy(&mut self) {
        if self.settle.is_some_and(|due| due <= Instant::now()) {
            self.settle();
        }
        if self.idle.elapsed() >= IDLE {
            self.open.iter_mut().filter(|segment| segment.dirty).for_each(|segment| segment.checkpoint(true));
            // What is remembered of a file takes room, and is soon known again.
            if self.settle.is_none() && self.open.iter().all(|segment| !segment.dirty) {
                self.open.clear();
            }
            self.idle = Instant::now();
        }
    }

    /// Takes calls that are told twice out of the sums, and joins traces that had been silent for days.
    fn settle(&mut self) {
        self.settle = None;
        // One that cannot be opened is left as it is. Of one that is put away before its time the rest is settled then.
        if let Some(day) = self.left.pop() {
            let _ = self.segment(day);
            self.settle = (!self.left.is_empty()).then(|| Instant::now() + SETTLE);
        }
        let mut news = News::default();
        let mut over = Vec::new();
        for segment in &mut self.open {
            match settle::settle(segment) {
                Ok(settled) => {
                    news.traces.extend(settled.changed);
                    if !settled.over.is_empty() {
                        over.push((segment.day, settled.over));
                    }
                    if settled.more {
                        let soon = Instant::now() + if settled.full { SETTLE / 10 } else { SETTLE };
                        self.settle = Some(self.settle.map_or(soon, |due| due.min(soon)));
                    }
                }
                // The next time something is stored it is tried again.
                Err(error) => tracing::debug!(target: "otel_genai_store", "cannot settle sums: {error}"),
            }
        }
        for (day, traces) in over {
            // What cannot be read of other days is left as it is told here.
            match self.settle_over(day, &traces) {
                Ok(changed) => news.traces.extend(changed),
                Err(_) => tracing::debug!(target: "otel_genai_store", "cannot settle over midnight"),
            }
        }
        if self.ear.listens() && !news.traces.is_empty() {
            self.ear.tell(news);
        }
    }

    /// The same for traces that other days have too, or may have.
    fn settle_over(&mut self, day: Day, traces: &[Over]) -> Result<Vec<TraceId>, Failure> {
        let mut changed = Vec::new();
        let days = folder::days(self.folder.path()).map_err(|error| Failure::Io(error.kind()))?;
        let lost: Vec<TraceId> =
            traces.iter().filter(|over| over.may_have_begun).map(|over| over.trace).collect();
        for (trace, earlier) in self.earlier(day, &days, lost) {
            for (day, also) in [(earlier, GOES_ON), (day, BEGAN)] {
                let segment = self.segment(day)?;
                segment.dirty |= mark(&segment.connection, trace, also)?;
            }
            changed.push(trace);
        }
        let joined: HashSet<TraceId> = changed.iter().copied().collect();
        for Over { trace, .. } in
            traces.iter().filter(|over| over.may_tell_twice || joined.contains(&over.trace))
        {
            let lies_in = self.days_of(day, &days, *trace)?;
            let (mut parts, mut in_days) = (Vec::new(), Vec::new());
            for day in lies_in {
                if let Some(part) = Part::find(&self.segment(day)?.connection, *trace)? {
                    parts.push(part);
                    in_days.push(day);
                }
            }
            let wrappers = settle::wrappers(&parts);
            for ((day, part), wrappers) in in_days.into_iter().zip(&parts).zip(&wrappers) {
                if settle::settle_part(self.segment(day)?, part, wrappers)? {
                    changed.push(*trace);
                }
            }
        }
        Ok(changed)
    }

    /// Of traces without a root the day on which each has begun, where one of the days before has it. The day right before
    /// was asked when the trace came.
    fn earlier(&self, day: Day, days: &[Day], mut traces: Vec<TraceId>) -> Vec<(TraceId, Day)> {
        let mut found = Vec::new();
        for earlier in days.iter().rev().filter(|earlier| earlier.0 < day.0 - 1).take(SILENT_DAYS) {
            if traces.is_empty() {
                break;
            }
            let file = folder::file(self.folder.path(), *earlier);
            let Ok(connection) = read_only(&file) else { continue };
            traces.retain(|trace| {
                let has = marks(&connection, *trace).is_ok_and(|marks| marks.is_some());
                found.extend(has.then_some((*trace, *earlier)));
                !has
            });
        }
        found
    }

    /// The days that have a trace, of which one has it, oldest first.
    fn days_of(&mut self, day: Day, days: &[Day], trace: TraceId) -> Result<Vec<Day>, Failure> {
        let mut all = vec![day];
        let earlier: Vec<Day> = days.iter().rev().copied().filter(|other| *other < day).collect();
        let later: Vec<Day> = days.iter().copied().filter(|other| *other > day).collect();
        for (others, way) in [(earlier, BEGAN), (later, GOES_ON)] {
            let mut told = marks(&self.segment(day)?.connection, trace)?;
            for other in others {
                if told.is_none_or(|told| told & way == 0) {
                    break;
                }
                if let Some(marks) = marks(&self.segment(other)?.connection, trace)? {
                    told = Some(marks);
                    all.push(other);
                }
            }
        }
        all.sort_unstable();
        Ok(all)
    }

    fn store(&mut self, jobs: Vec<Job>) {
        let mut days: BTreeMap<Day, Items> = BTreeMap::new();
        for (number, Job { batch, .. }) in jobs.iter().enumerate() {
            for (at, span) in batch.spans.iter().enumerate() {
                days.entry(self.limits.day(span.start, span.received))
                    .or_default()
                    .push((number, Item::Span(at)));
            }
            for (at, log) in batch.logs.iter().enumerate() {
                days.entry(self.limits.day(log.moment(), log.received))
                    .or_default()
                    .push((number, Item::Log(at)));
            }
            for (at, (_, points)) in batch.points.iter().enumerate() {
                for (place, point) in points.iter().enumerate() {
                    let item = Item::Point(at, place);
                    days.entry(self.limits.day(point.time, batch.received)).or_default().push((number, item));
                }
            }
        }
        let mut answers: Vec<Result<Stored, StoreError>> =
            jobs.iter().map(|_| Ok(Stored::default())).collect();
        let mut news = News::default();
        for (day, items) in days {
            match self.write(day, &jobs, &items) {
                Ok(fates) => {
                    for ((job, item), fate) in items.iter().zip(fates) {
                        if fate == Fate::Stored
                            && let Some(Job { batch, .. }) = jobs.get(*job)
                        {
                            item.tell(batch, &mut news);
                        }
                        if let Some(Ok(stored)) = answers.get_mut(*job) {
                            count(stored, *item, fate);
                        }
                    }
                }
                Err(error) => {
                    let mut last = None;
                    for (job, _) in &items {
                        if last != Some(*job)
                            && let Some(answer) = answers.get_mut(*job)
                        {
                            *answer = Err(error.for_one(self.folder.path()));
                        }
                        last = Some(*job);
                    }
                }
            }
        }
        let of_one = |stored: &Stored| stored.spans + stored.logs + stored.points;
        self.rate.add(answers.iter().flatten().map(of_one).sum());
        if self.ear.listens() {
            self.ear.tell(news);
        }
        for (Job { answer, room, .. }, result) in jobs.into_iter().zip(answers) {
            drop(room);
            // One that no longer waits has what it asked for all the same.
            let _ = answer.send(result);
        }
    }

    /// Writes the records of a day, all or none.
    fn write(&mut self, day: Day, jobs: &[Job], items: &Items) -> Result<Vec<Fate>, Failure> {
        match self.try_write(day, jobs, items) {
            Err(Failure::Sqlite(error)) if fault::is_damage(&error) => {
                self.set_aside(day, &error).map_err(|error| Failure::Io(error.kind()))?;
                self.try_write(day, jobs, items)
            }
            result => result,
        }
    }

    /// Moves a damaged file aside, and says it.
    pub(super) fn set_aside(&mut self, day: Day, error: &rusqlite::Error) -> std::io::Result<()> {
        self.open.retain(|segment| segment.day != day);
        self.folder.set_aside(day, error)
    }

    fn try_write(&mut self, day: Day, jobs: &[Job], items: &Items) -> Result<Vec<Fate>, Failure> {
        let also = self.neighbours(day, jobs, items)?;
        let segment = self.segment(day)?;
        segment.known.also = also;
        let result = transact(segment, jobs, items);
        match &result {
            Ok(_) => {
                segment.dirty = true;
                segment.tidy();
                self.backlog.add(day);
            }
            // What was remembered may have been taken back with the transaction.
            Err(error) => {
                segment.known = Known::new();
                if fault::is_full(error) {
                    self.sweep = Sweep::new();
                }
            }
        }
        Ok(result?)
    }

    /// Traces of these records that the day before (1) or the day after (2) has too; there it is marked as well. Only those
    /// are looked for that this day has not had lately.
    fn neighbours(&mut self, day: Day, jobs: &[Job], items: &Items) -> Result<HashMap<TraceId, u8>, Failure> {
        let days = [(Day(day.0 - 1), GOES_ON, BEGAN), (Day(day.0 + 1), BEGAN, GOES_ON)];
        let there = |(day, ..): &(Day, u8, u8)| folder::file(self.folder.path(), *day).exists();
        let days: Vec<_> = days.into_iter().filter(there).collect();
        let mut also = HashMap::new();
        for (trace, later) in self.ends_of(day, jobs, items) {
            // A later day that cannot be written is no reason to refuse a record.
            let Ok(segment) = self.segment(later) else { continue };
            if mark(&segment.connection, trace, BEGAN).unwrap_or(false) {
                segment.dirty = true;
                also.insert(trace, GOES_ON);
            }
        }
        if days.is_empty() {
            return Ok(also);
        }
        let known = &self.segment(day)?.known;
        let of = |(job, item): &(usize, Item)| {
            let batch = &jobs.get(*job)?.batch;
            match item {
                Item::Span(at) => batch.spans.get(*at).map(|span| span.key.trace),
                Item::Log(at) => batch.logs.get(*at)?.trace,
                Item::Point(..) => None,
            }
        };
        let traces: HashSet<TraceId> =
            items.iter().filter_map(of).filter(|trace| !known.has_trace(*trace)).collect();
        for (neighbour, theirs, ours) in days {
            // A neighbour that cannot be read is no reason to refuse a record.
            let Ok(segment) = self.segment(neighbour) else { continue };
            for trace in &traces {
                if mark(&segment.connection, *trace, theirs).unwrap_or(false) {
                    segment.dirty = true;
                    *also.entry(*trace).or_default() |= ours;
                }
            }
        }
        Ok(also)
    }

    /// Traces of these records whose spans end days later, with the first such day that has them, if that is not the day
    /// after: what is around others comes last, and they may have come alone.
    fn ends_of(&self, day: Day, jobs: &[Job], items: &Items) -> HashMap<TraceId, Day> {
        let mut last: HashMap<TraceId, Day> = HashMap::new();
        for (job, item) in items {
            let Item::Span(at) = item else { continue };
            let Some(span) = jobs.get(*job).and_then(|job| job.batch.spans.get(*at)) else { continue };
            let end = Day::of(span.end);
            if end.0 > day.0 + 1 {
                let known = last.entry(span.key.trace).or_insert(end);
                *known = end.max(*known);
            }
        }
        let mut found = HashMap::new();
        if last.is_empty() {
            return found;
        }
        let days = folder::days(self.folder.path()).unwrap_or_default();
        for later in days.into_iter().filter(|later| later.0 > day.0 + 1).take(SILENT_DAYS) {
            let Ok(connection) = read_only(&folder::file(self.folder.path(), later)) else { continue };
            last.retain(|trace, end| {
                let has = later <= *end && marks(&connection, *trace).is_ok_and(|marks| marks.is_some());
                if has {
                    found.insert(*trace, later);
                }
                !has
            });
            if last.is_empty() {
                break;
            }
        }
        found
    }

    /// Closes a file. Its traces are settled as they are now: the file may not be opened again.
    fn put_away(&mut self, mut segment: Segment) {
        match settle::settle_all(&mut segment) {
            Ok(traces) if self.ear.listens() && !traces.is_empty() => {
                self.ear.tell(News { traces, ..News::default() });
            }
            Ok(_) => {}
            Err(error) => tracing::debug!(target: "otel_genai_store", "cannot settle sums: {error}"),
        }
        // What other days have too is settled with them, when the file is opened again.
        if settle::is_left(&segment.connection).unwrap_or(false) && !self.left.contains(&segment.day) {
            self.left.push(segment.day);
            self.settle.get_or_insert_with(|| Instant::now() + SETTLE);
        }
        segment.checkpoint(true);
    }

    /// The file of a day, opened if it is not.
    pub(super) fn segment(&mut self, day: Day) -> Result<&mut Segment, Failure> {
        let segment = match self.open.iter().position(|segment| segment.day == day) {
            Some(at) => self.open.remove(at),
            None => {
                if self.open.len() >= MOST_FILES {
                    let segment = self.open.remove(0);
                    self.put_away(segment);
                }
                Segment::open(self.folder.path(), day, self.durability)?
            }
        };
        self.open.push(segment);
        self.open.last_mut().ok_or(Failure::Io(std::io::ErrorKind::Other))
    }
}

/// Marks a trace, if the file has it.
fn mark(connection: &Connection, trace: TraceId, also: u8) -> rusqlite::Result<bool> {
    let Some(marks) = marks(connection, trace)? else { return Ok(false) };
    if marks & also == 0 {
        connection
            .prepare_cached("UPDATE trace SET also = also | ?, rev = rev + 1 WHERE trace_id = ?")?
            .execute(params![also, trace.bytes()])?;
    }
    Ok(true)
}

/// The marks of a trace, if the file has it.
fn marks(connection: &Connection, trace: TraceId) -> rusqlite::Result<Option<u8>> {
    let mut find = connection.prepare_cached("SELECT also FROM trace WHERE trace_id = ?")?;
    find.query_row([trace.bytes()], |row| row.get(0)).optional()
}

fn transact(segment: &mut Segment, jobs: &[Job], items: &Items) -> rusqlite::Result<Vec<Fate>> {
    let Segment { connection, known, .. } = segment;
    known.begin();
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut fates = Vec::with_capacity(items.len());
    for (job, item) in items {
        let Some(Job { batch, titles, pressed, .. }) = jobs.get(*job) else { continue };
        let bodies = &pressed.bodies;
        let fate =
            match item {
                Item::Span(at) => batch.spans.get(*at).zip(pressed.spans.get(*at)).map(|(span, record)| {
                    record::write_span(&tx, known, span, record, bodies, titles.spans.get(at))
                }),
                Item::Log(at) => batch.logs.get(*at).zip(pressed.logs.get(*at)).map(|(log, record)| {
                    record::write_log(&tx, known, log, record, bodies, titles.logs.get(at))
                }),
                Item::Point(at, place) => batch.points.get(*at).and_then(|(series, points)| {
                    let point = points.get(*place)?;
                    Some(write_point(&tx, known, series, point, batch.received))
                }),
            };
        fates.extend(fate.transpose()?);
    }
    for (trace, change) in std::mem::take(&mut known.changes) {
        change.write(&tx, trace)?;
    }
    known.tally.write(&tx)?;
    tx.commit()?;
    Ok(fates)
}

/// Why the records of a day were not written. Every job that has some of them is told.
pub(super) enum Failure {
    Sqlite(rusqlite::Error),
    Told(StoreError),
    Io(std::io::ErrorKind),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<NoFile> for Failure {
    fn from(none: NoFile) -> Self {
        match none {
            NoFile::Sqlite(error) => Self::Sqlite(error),
            NoFile::Told(error) => Self::Told(error),
        }
    }
}

impl Failure {
    fn for_one(&self, folder: &std::path::Path) -> StoreError {
        match self {
            Self::Sqlite(rusqlite::Error::SqliteFailure(code, words)) => {
                fault::sqlite("cannot write", folder, rusqlite::Error::SqliteFailure(*code, words.clone()))
            }
            Self::Sqlite(error) => {
                StoreError::Backend { what: "cannot write", source: error.to_string().into() }
            }
            Self::Told(StoreError::Newer { file, found, known }) => {
                StoreError::Newer { file: file.clone(), found: *found, known: *known }
            }
            Self::Told(error) => {
                StoreError::Backend { what: "cannot write", source: error.to_string().into() }
            }
            Self::Io(kind) => fault::io("cannot move a damaged file aside", (*kind).into()),
        }
    }
}

fn count(stored: &mut Stored, item: Item, fate: Fate) {
    *match (fate, item) {
        (Fate::Known, _) => &mut stored.known,
        (Fate::Refused, _) => &mut stored.refused,
        (Fate::Stored, Item::Span(_)) => &mut stored.spans,
        (Fate::Stored, Item::Log(_)) => &mut stored.logs,
        (Fate::Stored, Item::Point(..)) => &mut stored.points,
    } += 1;
}

fn size(batch: &Batch) -> usize {
    let points: usize = batch.points.iter().map(|(_, points)| points.len()).sum();
    batch.spans.len() + batch.logs.len() + points
}
