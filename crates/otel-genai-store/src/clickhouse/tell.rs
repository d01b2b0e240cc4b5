//! Those who watch are told what has changed: by a task of its own, which reads the traces that were written to.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::sync::{broadcast, mpsc};
use tokio::time::Instant;

use super::around::Around;
use super::read::Db;
use super::writer::Traces;
use crate::change::Change;
use crate::id::{Nanos, TraceId};
use crate::query::Range;
use crate::summary::TraceState;

/// So many changes wait for one who watches; then it is told that it has missed some.
pub(super) const MOST: usize = 32;
/// Between two tellings,
const PAUSE: Duration = Duration::from_millis(200);
/// and so many times as long as the last took, for a huge trace that goes on is read whole each time, but no longer than
const REST: u32 = 4;
const LONGEST: Duration = Duration::from_secs(10);
/// Between two looks at what others wrote.
const AROUND: Duration = Duration::from_secs(1);
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
    pub(super) traces: Traces,
    /// So many log records.
    pub(super) logs: u64,
    /// So many points of metrics.
    pub(super) points: u64,
    /// So many records of all kinds.
    pub(super) records: u64,
    /// What it deleted.
    pub(super) deleted: Option<Range>,
}

/// Where it is told what was written and deleted.
#[derive(Clone)]
pub(super) struct Ear {
    pub(super) news: mpsc::UnboundedSender<News>,
    pub(super) voice: broadcast::Sender<Change>,
}

impl Ear {
    /// Whether anybody watches.
    pub(super) fn listens(&self) -> bool {
        self.voice.receiver_count() > 0
    }

    pub(super) fn tell(&self, news: News) {
        let _ = self.news.send(news);
    }
}

/// The task that tells.
pub(super) struct Teller {
    db: Db,
    voice: broadcast::Sender<Change>,
    news: News,
    /// Traces that ran when they were told last, and when to look whether they are done.
    quiet: VecDeque<(Instant, TraceId)>,
    /// Of those the last time to look.
    latest: HashMap<TraceId, Instant>,
    around: Around,
}

impl Teller {
    pub(super) fn new(db: Db, voice: broadcast::Sender<Change>) -> Self {
        Self {
            db,
            voice,
            news: News::default(),
            quiet: VecDeque::new(),
            latest: HashMap::new(),
            around: Around::default(),
        }
    }

    /// Tells until the writer is gone.
    pub(super) async fn run(mut self, mut heard: mpsc::UnboundedReceiver<News>) {
        let mut free = Instant::now();
        let mut look = free;
        loop {
            let due = match (self.has_news(), self.quiet.front()) {
                (true, _) => Some(free),
                (false, Some((due, _))) => Some((*due).max(free)),
                (false, None) => None,
            };
            let due = due.map_or(look, |due| due.min(look));
            match tokio::time::timeout_at(due, heard.recv()).await {
                Ok(Some(news)) => self.hear(news),
                Ok(None) => return,
                Err(_) => {}
            }
            if Instant::now() >= look {
                self.look_around().await;
                look = Instant::now() + AROUND;
            }
            if Instant::now() >= free {
                self.look_again();
                if self.has_news() {
                    let began = Instant::now();
                    self.tell().await;
                    free = Instant::now() + (REST * began.elapsed()).clamp(PAUSE, LONGEST);
                }
            }
        }
    }

    fn has_news(&self) -> bool {
        let News { traces, logs, points, deleted, .. } = &self.news;
        !traces.is_empty() || *logs > 0 || *points > 0 || deleted.is_some()
    }

    fn hear(&mut self, news: News) {
        self.news.traces.extend(news.traces);
        self.news.logs += news.logs;
        self.news.points += news.points;
        let joined =
            |one: Range, other: Range| Range { from: one.from.min(other.from), to: one.to.max(other.to) };
        self.news.deleted = match (self.news.deleted, news.deleted) {
            (Some(one), Some(other)) => Some(joined(one, other)),
            (one, other) => one.or(other),
        };
    }

    /// Traces that have been quiet may be done now.
    fn look_again(&mut self) {
        while let Some((due, trace)) = self.quiet.front().copied().filter(|(due, _)| *due <= Instant::now()) {
            self.quiet.pop_front();
            if self.latest.get(&trace) == Some(&due) {
                self.latest.remove(&trace);
                self.news.traces.insert(trace);
            }
        }
    }

    /// Others may have written to the same database.
    async fn look_around(&mut self) {
        if self.voice.receiver_count() == 0 {
            return self.around.rest();
        }
        // A server that does not answer now is asked again.
        let (found, more) = self.around.look(&self.db, MOST_TRACES).await.unwrap_or_default();
        self.news.traces.extend(found);
        // Who may not see that is told what it writes itself.
        if let Ok(Some(range)) = self.around.deleted(&self.db).await {
            self.hear(News { deleted: Some(range), ..News::default() });
        }
        if more {
            // Nobody who listens is no error.
            let _ = self.voice.send(Change::Lost);
        }
    }

    async fn tell(&mut self) {
        let News { traces, logs, points, deleted, .. } = std::mem::take(&mut self.news);
        // Nobody who listens is no error.
        let say = |change| {
            let _ = self.voice.send(change);
        };
        if let Some(range) = deleted {
            self.around.told_of_deletes();
            say(Change::Deleted { range });
        }
        if logs > 0 {
            say(Change::Logs { count: logs });
        }
        if points > 0 {
            say(Change::Metrics { count: points });
        }
        if traces.is_empty() || self.voice.receiver_count() == 0 {
            return;
        }
        if traces.len() > MOST_TRACES {
            return say(Change::Lost);
        }
        let traces: Vec<TraceId> = traces.into_iter().collect();
        let Ok(summaries) = self.db.summaries(&traces).await else { return say(Change::Lost) };
        let due = Instant::now() + AGAIN;
        for summary in &summaries {
            self.around.tell(summary.id, Nanos(summary.updated));
        }
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
