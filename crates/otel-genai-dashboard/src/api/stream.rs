//! What changes, as it happens: server-sent events.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use futures_util::stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, StatusCode};
use otel_genai_store::TraceId;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, sleep_until};

use super::status;
use crate::http::{Answer, Ask, Failure};
use crate::live::{News, Since};
use crate::serve::Phase;
use crate::shared::Shared;
use crate::view::{ErrorCode, Hello, Revised, Stretch, TraceRow, Traces, millis};

/// So many traces are told at once; the page asks again for the others.
const MOST_TRACES: usize = 200;
/// Something is said at least so often, so that both ends know that the other is there.
const PING: Duration = Duration::from_secs(15);
/// How often the status is looked at.
const STATUS: Duration = Duration::from_secs(2);

pub(crate) async fn stream(State(shared): State<Arc<Shared>>, mut ask: Ask) -> Answer {
    let since = ask.text("since")?;
    let topics = topics(&ask.text("topics")?.unwrap_or_else(|| "traces,status".to_owned()))?;
    ask.done()?;
    let busy = |_| {
        let message = "as many pages watch as can";
        Failure::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Busy, message)
            .hint("Ask again now and then instead.")
    };
    let place = Arc::clone(&shared.watchers).try_acquire_owned().map_err(busy)?;
    let (news, last) = shared.live.follow(&shared.store);
    let again = ask.headers.get("last-event-id").and_then(|told| told.to_str().ok()).map(str::to_owned);
    let mut watcher = Watcher {
        seen: last,
        first: String::new(),
        news,
        phase: shared.phase.subscribe(),
        topics,
        status: String::new(),
        look: Instant::now(),
        ping: Instant::now() + PING,
        shared,
        _place: place,
    };
    watcher.first = "retry: 2000\n\n".to_owned();
    let hello = Hello { epoch: watcher.shared.epoch.clone(), n: last };
    let hello = watcher.event("hello", last, &hello);
    watcher.first += &hello;
    if let Some(told) = again.or(since) {
        let number = told.split_once('-').filter(|(epoch, _)| *epoch == watcher.shared.epoch);
        // Of another process, or no number: nothing of what was seen holds.
        watcher.seen = number.and_then(|(_, number)| number.parse().ok()).unwrap_or(u64::MAX);
        let missed = watcher.missed();
        watcher.first += &missed;
    }
    let body = stream::unfold(watcher, |mut watcher| async move {
        let text = watcher.next().await?;
        Some((Ok::<_, Infallible>(text), watcher))
    });
    let mut response = Response::new(Body::from_stream(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies in between pass it on as it comes.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

struct Topics {
    traces: bool,
    status: bool,
    one: Vec<TraceId>,
}

fn topics(text: &str) -> Result<Topics, Failure> {
    let mut topics = Topics { traces: false, status: false, one: Vec::new() };
    for topic in text.split(',') {
        match topic {
            "traces" => topics.traces = true,
            "status" => topics.status = true,
            other => {
                let id = other.strip_prefix("trace:").and_then(|id| id.parse().ok());
                let meant = "topics are traces, status and trace:ID";
                topics.one.push(id.ok_or_else(|| Failure::parameter("topics", meant))?);
            }
        }
    }
    Ok(topics)
}

/// One who watches. It holds no changes of its own: one that is slow keeps nothing in memory.
struct Watcher {
    shared: Arc<Shared>,
    /// The last change that it was told.
    seen: u64,
    first: String,
    news: watch::Receiver<u64>,
    phase: watch::Receiver<Phase>,
    topics: Topics,
    /// The status as it was told last.
    status: String,
    look: Instant,
    ping: Instant,
    _place: OwnedSemaphorePermit,
}

impl Watcher {
    /// What to say next; the end when the dashboard ends.
    async fn next(&mut self) -> Option<String> {
        if !self.first.is_empty() {
            return Some(std::mem::take(&mut self.first));
        }
        loop {
            let look = if self.topics.status { self.look } else { self.ping };
            let due = tokio::select! {
                biased;
                _ = async { self.phase.wait_for(|phase| *phase != Phase::Serving).await.is_ok() } => return None,
                changed = self.news.changed() => {
                    changed.ok()?;
                    false
                }
                () = sleep_until(look.min(self.ping)) => true,
            };
            let said = if !due {
                self.missed()
            } else if self.topics.status && Instant::now() >= self.look {
                self.look = Instant::now() + STATUS;
                self.look_at_status().await
            } else {
                ": ping\n\n".to_owned()
            };
            if !said.is_empty() {
                self.ping = Instant::now() + PING;
                return Some(said);
            }
        }
    }

    /// Everything since the last change that it was told.
    fn missed(&mut self) -> String {
        let (news, last) = match self.shared.live.since(self.seen) {
            Since::Changes(news, last) => (news, last),
            Since::Reset(last) => {
                self.seen = last;
                return self.event("reset", last, &serde_json::Map::new());
            }
        };
        self.seen = last;
        // Of a trace that changed several times the last row counts.
        let mut rows = HashMap::new();
        let mut said = String::new();
        for news in &news {
            match news {
                News::Traces(traces) => rows.extend(traces.iter().map(|summary| (summary.id, summary))),
                News::Deleted(range) => {
                    let span = Stretch { from_ms: millis(range.from), to_ms: millis(range.to) };
                    said += &self.event("deleted", last, &span);
                }
            }
        }
        for id in &self.topics.one {
            if let Some(summary) = rows.get(id) {
                said += &self.event("trace", last, &Revised { id: id.to_string(), rev: summary.updated });
            }
        }
        if self.topics.traces && !rows.is_empty() {
            let mut rows: Vec<_> = rows.into_values().collect();
            rows.sort_by_key(|summary| std::cmp::Reverse(summary.start));
            let more = rows.len().saturating_sub(MOST_TRACES) as u64;
            rows.truncate(MOST_TRACES);
            let items = rows.into_iter().map(TraceRow::from).collect();
            said += &self.event("traces", last, &Traces { items, more });
        }
        said
    }

    async fn look_at_status(&mut self) -> String {
        // A store that cannot tell now will tell later.
        let Ok(status) = status::status(&self.shared).await else { return String::new() };
        let Ok(text) = serde_json::to_string(&*status) else { return String::new() };
        if text == self.status {
            return String::new();
        }
        self.status = text;
        self.event("status", self.seen, &*status)
    }

    fn event(&self, name: &str, number: u64, data: &impl Serialize) -> String {
        let data = serde_json::to_string(data).unwrap_or_default();
        format!("event: {name}\nid: {}-{number}\ndata: {data}\n\n", self.shared.epoch)
    }
}
