//! Those who watch are told what has changed: by a thread of its own, which reads the traces that were written to.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use tokio::sync::broadcast;

use super::folder::Folder;
use super::list;
use super::reader::Reader;
use crate::change::Change;
use crate::id::TraceId;
use crate::query::Range;
use crate::summary::TraceState;

/// So many changes wait for one who watches; then it is told that it has missed some.
pub(super) const MOST: usize = 32;
/// Between two tellings.
const PAUSE: Duration = Duration::from_millis(200);
/// More traces are not told one by one.
const MOST_TRACES: usize = 2_000;
/// So long a trace that runs is quiet before it is looked at again: it may be done.
const AGAIN: Duration = Duration::from_secs(10);
/// So many traces are looked at again when they have been quiet.
const MOST_QUIET: usize = 10_000;

/// What the writer has done.
#[derive(Debug, Default)]
pub(super) struct News {
    /// Traces that it wrote to.
    pub(super) traces: Vec<TraceId>,
    /// So many log records.
    pub(super) logs: u64,
    /// So many points of metrics.
    pub(super) points: u64,
    /// What it deleted.
    pub(super) deleted: Option<Range>,
}

/// Where the writer tells what it has done.
#[derive(Clone, Debug)]
pub(super) struct Ear {
    news: Sender<News>,
    voice: broadcast::Sender<Change>,
}

impl Ear {
    /// And where the thread that tells hears it.
    pub(super) fn new(voice: broadcast::Sender<Change>) -> (Self, Receiver<News>) {
        let (news, heard) = channel();
        (Self { news, voice }, heard)
    }

    /// Whether anybody watches.
    pub(super) fn listens(&self) -> bool {
        self.voice.receiver_count() > 0
    }

    pub(super) fn tell(&self, news: News) {
        // The thread that hears it outlives the writer.
        let _ = self.news.send(news);
    }
}

/// The thread that tells.
pub(super) struct Teller {
    reader: Reader,
    voice: broadcast::Sender<Change>,
    traces: HashSet<TraceId>,
    logs: u64,
    points: u64,
    deleted: Option<Range>,
    /// Traces that ran when they were told last, and when to look whether they are done.
    quiet: VecDeque<(Instant, TraceId)>,
    /// Of those the last time to look.
    latest: HashMap<TraceId, Instant>,
}

impl Teller {
    pub(super) fn new(folder: Arc<Folder>, voice: broadcast::Sender<Change>) -> Self {
        Self {
            reader: Reader::new(folder),
            voice,
            traces: HashSet::new(),
            logs: 0,
            points: 0,
            deleted: None,
            quiet: VecDeque::new(),
            latest: HashMap::new(),
        }
    }

    /// Tells until the writer is gone.
    pub(super) fn run(mut self, heard: &Receiver<News>) {
        let mut free = Instant::now();
        loop {
            let due = match (self.has_news(), self.quiet.front()) {
                (true, _) => Some(free),
                (false, Some((due, _))) => Some((*due).max(free)),
                (false, None) => None,
            };
            let patience =
                due.map_or(Duration::from_secs(3_600), |due| due.saturating_duration_since(Instant::now()));
            match heard.recv_timeout(patience) {
                Ok(news) => self.hear(news),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if Instant::now() >= free {
                self.look_again();
                if self.has_news() {
                    self.tell();
                    free = Instant::now() + PAUSE;
                }
            }
        }
    }

    fn has_news(&self) -> bool {
        !self.traces.is_empty() || self.logs > 0 || self.points > 0 || self.deleted.is_some()
    }

    fn hear(&mut self, news: News) {
        self.traces.extend(news.traces);
        self.logs += news.logs;
        self.points += news.points;
        let joined =
            |one: Range, other: Range| Range { from: one.from.min(other.from), to: one.to.max(other.to) };
        self.deleted = match (self.deleted, news.deleted) {
            (Some(one), Some(other)) => Some(joined(one, other)),
            (one, other) => one.or(other),
        };
    }

    /// Traces that have been quiet since they were told: they may be done now.
    fn look_again(&mut self) {
        let now = Instant::now();
        while let Some((due, trace)) = self.quiet.front().copied().filter(|(due, _)| *due <= now) {
            self.quiet.pop_front();
            if self.latest.get(&trace) == Some(&due) {
                self.latest.remove(&trace);
                self.traces.insert(trace);
            }
        }
    }

    fn tell(&mut self) {
        // Nobody there is no error.
        let say = |change| _ = self.voice.send(change);
        if let Some(range) = self.deleted.take() {
            say(Change::Deleted { range });
        }
        let (logs, points) = (std::mem::take(&mut self.logs), std::mem::take(&mut self.points));
        if logs > 0 {
            say(Change::Logs { count: logs });
        }
        if points > 0 {
            say(Change::Metrics { count: points });
        }
        let traces: Vec<TraceId> = self.traces.drain().collect();
        if traces.is_empty() || self.voice.receiver_count() == 0 {
            return;
        }
        let summaries = if traces.len() > MOST_TRACES {
            return say(Change::Lost);
        } else {
            list::summaries(&mut self.reader, &traces)
        };
        let Ok(summaries) = summaries else { return say(Change::Lost) };
        let due = Instant::now() + AGAIN;
        for summary in summaries.iter().filter(|summary| summary.state == TraceState::Running) {
            if self.quiet.len() < MOST_QUIET {
                self.quiet.push_back((due, summary.id));
                self.latest.insert(summary.id, due);
            }
        }
        if !summaries.is_empty() {
            say(Change::Traces(summaries));
        }
    }
}
