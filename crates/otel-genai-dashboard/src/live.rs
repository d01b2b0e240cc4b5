//! What changes, for those who watch: one subscription to the store, remembered for a while, so that whoever comes back
//! misses nothing or is told that it has.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use otel_genai_store::{Change, Range, Store, TraceSummary};
use tokio::sync::watch;

/// So many changes are remembered,
const MOST: usize = 1024;
/// with so many traces in all.
const MOST_TRACES: usize = 5_000;
/// For so long after the last one went the store is listened to.
const PATIENCE: Duration = Duration::from_secs(60);

/// What changes.
pub(crate) struct Live {
    past: Mutex<Past>,
    /// The number of the last change.
    now: watch::Sender<u64>,
}

#[derive(Default)]
struct Past {
    last: u64,
    /// What came after this number is remembered.
    base: u64,
    changes: VecDeque<(u64, News)>,
    traces: usize,
    listening: bool,
}

/// One change.
#[derive(Clone)]
pub(crate) enum News {
    Traces(Arc<[TraceSummary]>),
    Deleted(Range),
}

/// What came after a number.
pub(crate) enum Since {
    /// These changes, up to this number.
    Changes(Vec<News>, u64),
    /// Nobody remembers: ask again.
    Reset(u64),
}

impl Live {
    pub(crate) fn new() -> Self {
        Self { past: Mutex::default(), now: watch::Sender::new(0) }
    }

    /// Whoever watches, from here on. Returns the number of the last change.
    pub(crate) fn follow(self: &Arc<Self>, store: &Arc<dyn Store>) -> (watch::Receiver<u64>, u64) {
        let follower = self.now.subscribe();
        let mut past = self.past();
        if !past.listening {
            past.listening = true;
            // What happened while nobody listened is not remembered.
            past.forget();
            tokio::spawn(listen(Arc::clone(self), store.changes()));
        }
        (follower, past.last)
    }

    /// What came after a change.
    pub(crate) fn since(&self, number: u64) -> Since {
        let past = self.past();
        if number < past.base || number > past.last {
            return Since::Reset(past.last);
        }
        let news = past.changes.iter().filter(|(at, _)| *at > number).map(|(_, news)| news.clone());
        Since::Changes(news.collect(), past.last)
    }

    fn hear(&self, change: Change) {
        let mut past = self.past();
        match change {
            Change::Traces(traces) => past.push(News::Traces(traces.into())),
            Change::Deleted { range } => past.push(News::Deleted(range)),
            Change::Lost => past.forget(),
            _ => return,
        }
        self.now.send_replace(past.last);
    }

    fn past(&self) -> std::sync::MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Past {
    fn push(&mut self, news: News) {
        self.last += 1;
        self.traces += news.traces();
        self.changes.push_back((self.last, news));
        while self.changes.len() > MOST || (self.traces > MOST_TRACES && self.changes.len() > 1) {
            let Some((number, news)) = self.changes.pop_front() else { break };
            self.traces -= news.traces();
            self.base = number;
        }
    }

    /// Whatever was before is unknown from here on.
    fn forget(&mut self) {
        self.last += 1;
        self.base = self.last;
        self.changes.clear();
        self.traces = 0;
    }
}

impl News {
    fn traces(&self) -> usize {
        match self {
            Self::Traces(traces) => traces.len(),
            Self::Deleted(_) => 0,
        }
    }
}

async fn listen(live: Arc<Live>, mut changes: futures_util::stream::BoxStream<'static, Change>) {
    let mut alone = Duration::ZERO;
    let mut look = tokio::time::interval(PATIENCE / 6);
    loop {
        tokio::select! {
            change = changes.next() => match change {
                Some(change) => live.hear(change),
                // The store is closed.
                None => return,
            },
            _ = look.tick() => {
                alone = if live.now.receiver_count() == 0 { alone + look.period() } else { Duration::ZERO };
                if alone >= PATIENCE {
                    let mut past = live.past();
                    // Nobody comes while the past is held.
                    if live.now.receiver_count() == 0 {
                        past.listening = false;
                        return;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use otel_genai_store::Nanos;

    fn deleted(at: u64) -> Change {
        Change::Deleted { range: Range { from: Nanos(at), to: Nanos(at + 1) } }
    }

    #[test]
    fn who_comes_back_gets_what_it_missed_or_is_told_to_ask_again() {
        let live = Live::new();
        for at in 1..=3 {
            live.hear(deleted(at));
        }
        let missed = |number| match live.since(number) {
            Since::Changes(news, last) => (Some(news.len()), last),
            Since::Reset(last) => (None, last),
        };
        assert_eq!(missed(3), (Some(0), 3));
        assert_eq!(missed(1), (Some(2), 3));
        assert_eq!(missed(9), (None, 3));
        for at in 0..MOST as u64 {
            live.hear(deleted(at));
        }
        assert_eq!(missed(2).0, None, "too long ago");
        assert_eq!(missed(3).0, Some(MOST));
        live.hear(Change::Lost);
        let last = MOST as u64 + 4;
        assert_eq!((missed(last - 1), missed(last)), ((None, last), (Some(0), last)));
    }
}
