//! What agents have under way, so that a model's request and a tool's body find the span that they belong below.
//!
//! A hook is told that something is about to be done, and then it is out of the way: it cannot make its span the current
//! one where that is done. But rig gives each thing that an agent does a number, and tells it to both sides: here what is
//! under way is kept by number, while it is under way.
//!
//! Numbers are those of one agent's table of handlers, and each table counts from 1: two agents may well do number 3 at the
//! same moment, and one of them may have no hook. So a number alone finds nothing. It counts where it was given, in the same
//! task below the same span; where agents share even that (joined in one task), what is asked tells them apart. From
//! elsewhere (a model that sends from a task of its own) a request finds only what asks the same texts and was not sent yet.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use opentelemetry::Context;
use opentelemetry::trace::{SpanId, TraceContextExt as _};
use rig_core::completion::CompletionRequest;
use rig_core::effect::EffectId;
use rig_core::message::{AssistantContent, Message, UserContent};

/// Something that an agent does; over when this is dropped.
#[derive(Debug)]
#[must_use = "what is under way is over when this is dropped"]
pub(crate) struct UnderWay {
    id: EffectId,
    ticket: u64,
}

/// What is done.
pub(crate) enum Doing {
    /// A model is asked this.
    Model(Arc<CompletionRequest>),
    /// The tool of this name runs.
    Tool(String),
}

/// Who asks where it belongs.
#[derive(Clone, Copy)]
pub(crate) enum Sought<'a> {
    /// A model's request with this body.
    Model(&'a [u8]),
    /// The tool of this name.
    Tool(&'a str),
}

struct Entry {
    ticket: u64,
    doing: Doing,
    place: Place,
    context: Context,
    /// Whether somebody found it before.
    is_found: AtomicBool,
}

/// Where in the program.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    strand: Strand,
    span: SpanId,
}

/// What runs there: a task, or a thread that waits for a future itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strand {
    Task(tokio::task::Id),
    Thread(ThreadId),
}

impl Place {
    fn here() -> Self {
        let strand =
            tokio::task::try_id().map_or_else(|| Strand::Thread(thread::current().id()), Strand::Task);
        let span = Context::map_current(|context| context.span().span_context().span_id());
        Place { strand, span }
    }
}

static UNDER_WAY: Mutex<BTreeMap<u64, Vec<Arc<Entry>>>> = Mutex::new(BTreeMap::new());

fn under_way() -> MutexGuard<'static, BTreeMap<u64, Vec<Arc<Entry>>>> {
    UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whoever does this, under this number, is to do it in `context`.
pub(crate) fn begin(id: EffectId, doing: Doing, context: Context) -> UnderWay {
    static TICKETS: AtomicU64 = AtomicU64::new(0);
    let ticket = TICKETS.fetch_add(1, Ordering::Relaxed);
    let entry = Entry { ticket, doing, place: Place::here(), context, is_found: AtomicBool::new(false) };
    under_way().entry(id.as_u64()).or_default().push(Arc::new(entry));
    UnderWay { id, ticket }
}

/// The context in which this is to be done, if it belongs to a run that is told.
pub(crate) fn context_of(id: EffectId, sought: Sought<'_>) -> Option<Context> {
    let here = Place::here();
    // What is asked may be long, so it is compared once the lock is free.
    let fitting: Vec<_> = under_way().get(&id.as_u64())?.iter().filter(|e| e.fits(sought)).cloned().collect();
    let (near, far): (Vec<_>, Vec<_>) = fitting.into_iter().partition(|entry| entry.place == here);
    let entry = if near.is_empty() { sent_from_elsewhere(far, sought) } else { in_turn(near, sought) }?;
    Some(entry.context.clone())
}

/// Of those begun here, the one who asks this; of several the one who waits longest.
fn in_turn(mut near: Vec<Arc<Entry>>, sought: Sought<'_>) -> Option<Arc<Entry>> {
    if near.len() > 1 {
        near.sort_by_cached_key(|entry| {
            let likeness = match (&entry.doing, sought) {
                (Doing::Model(request), Sought::Model(body)) => likeness(request, body, Match::Within),
                _ => 0,
            };
            (Reverse(likeness), entry.is_found.load(Ordering::Relaxed), entry.ticket)
        });
    }
    let entry = near.into_iter().next()?;
    entry.is_found.store(true, Ordering::Relaxed);
    Some(entry)
}

/// Of those begun elsewhere, one that asks just this and that nobody sent yet. Who guesses here puts what one user asks into
/// the trace of another.
fn sent_from_elsewhere(far: Vec<Arc<Entry>>, sought: Sought<'_>) -> Option<Arc<Entry>> {
    let Sought::Model(body) = sought else { return None };
    far.into_iter().find(|entry| match &entry.doing {
        Doing::Model(request) => {
            !entry.is_found.load(Ordering::Relaxed)
                && likeness(request, body, Match::Whole) > 0
                && !entry.is_found.swap(true, Ordering::Relaxed)
        }
        Doing::Tool(_) => false,
    })
}

impl Entry {
    fn fits(&self, sought: Sought<'_>) -> bool {
        match (&self.doing, sought) {
            (Doing::Model(_), Sought::Model(_)) => true,
            (Doing::Tool(name), Sought::Tool(sought)) => name == sought,
            _ => false,
        }
    }
}

/// How a text of a request is to be found in a body.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Match {
    /// As a string of its own.
    Whole,
    /// Within a string: some providers' clients join texts.
    Within,
}

/// How many bytes of text of a request are in the body, if all of its texts are.
fn likeness(request: &CompletionRequest, body: &[u8], by: Match) -> usize {
    let Ok(body) = std::str::from_utf8(body) else { return 0 };
    let mut found = 0;
    for text in request.chat_history.iter().flat_map(|message| texts(message)) {
        let Ok(quoted) = serde_json::to_string(text) else { return 0 };
        let unquoted = quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(&quoted);
        if !body.contains(if by == Match::Whole { &quoted } else { unquoted }) {
            return 0;
        }
        found += unquoted.len();
    }
    found
}

fn texts(message: &Message) -> Vec<&str> {
    match message {
        Message::System { content } => vec![content],
        Message::User { content } => {
            let texts = content.iter().filter_map(|content| match content {
                UserContent::Text(text) => Some(&*text.text),
                _ => None,
            });
            texts.collect()
        }
        Message::Assistant(turn) => {
            let texts = turn.content.iter().filter_map(|content| match content {
                AssistantContent::Text(text) => Some(&*text.text),
                _ => None,
            });
            texts.collect()
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut all = under_way();
        let Some(entries) = all.get_mut(&self.id.as_u64()) else { return };
        let position = entries.iter().position(|entry| entry.ticket == self.ticket);
        // A context may be the last to hold a span: what its end does is not done under the lock.
        let over = position.map(|position| entries.swap_remove(position));
        if entries.is_empty() {
            all.remove(&self.id.as_u64());
        }
        drop(all);
        drop(over);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    const BODY: &str = r#"{"messages":[{"role":"user","content":"How is \"Paris\"?"}]}"#;

    #[derive(Debug, PartialEq)]
    struct Run(u8);

    fn run(context: &Context) -> u8 {
        context.get::<Run>().unwrap().0
    }

    fn of(number: u8) -> Context {
        Context::new().with_value(Run(number))
    }

    fn asked(text: &str) -> Doing {
        Doing::Model(Arc::new(CompletionRequest::new(text)))
    }

    fn found(id: EffectId) -> u8 {
        run(&context_of(id, Sought::Model(BODY.as_bytes())).unwrap())
    }

    #[test]
    fn what_is_under_way_is_found_by_number_and_kind_until_it_is_over() {
        let id = EffectId::from_raw(u64::MAX);
        let model = begin(id, asked("Hi"), of(1));
        let tool = begin(id, Doing::Tool("weather".to_owned()), of(2));
        assert_eq!(run(&context_of(id, Sought::Tool("weather")).unwrap()), 2);
        assert!(context_of(id, Sought::Tool("time")).is_none());
        assert_eq!(found(id), 1);
        drop(model);
        assert!(context_of(id, Sought::Model(b"")).is_none());
        drop(tool);
        assert!(!under_way().contains_key(&u64::MAX));
    }

    #[test]
    fn of_two_agents_with_one_number_in_one_place_the_one_who_asks_this_is_meant() {
        let id = EffectId::from_raw(u64::MAX - 1);
        let _short = begin(id, asked("How is"), of(1));
        let _other = begin(id, asked("How is Oslo?"), of(2));
        let _this = begin(id, asked("How is \"Paris\"?"), of(3));
        assert_eq!((found(id), found(id)), (3, 3));
        let _same = begin(id, asked("How is \"Paris\"?"), of(4));
        // They take turns.
        assert_eq!((found(id), found(id)), (4, 3));
    }

    #[tokio::test]
    async fn two_agents_with_one_number_in_two_tasks_find_their_own() {
        let id = EffectId::from_raw(u64::MAX - 2);
        let theirs = tokio::spawn(async move { begin(id, asked("How is \"Paris\"?"), of(1)) }).await.unwrap();
        let ours = tokio::spawn(async move {
            let ours = begin(id, asked("How is \"Paris\"?"), of(2));
            let found = [found(id), found(id), found(id)];
            drop(ours);
            found
        });
        assert_eq!(ours.await.unwrap(), [2, 2, 2]);
        drop(theirs);
    }

    #[tokio::test]
    async fn who_is_not_told_of_finds_nothing_of_another_task() {
        async fn elsewhere(id: EffectId) -> Option<Context> {
            tokio::spawn(async move { context_of(id, Sought::Model(BODY.as_bytes())) }).await.unwrap()
        }

        let id = EffectId::from_raw(u64::MAX - 3);
        let tool = begin(id, Doing::Tool("weather".to_owned()), of(1));
        let theirs = tokio::spawn(async move { context_of(id, Sought::Tool("weather")).is_none() });
        assert!(theirs.await.unwrap());
        drop(tool);

        for text in ["How is Oslo?", "How is", ""] {
            let _held = begin(id, asked(text), of(2));
            assert!(elsewhere(id).await.is_none(), "{text:?}");
        }
        // Who asks the same is another, too, once its own request was sent.
        let sent = begin(id, asked("How is \"Paris\"?"), of(3));
        assert_eq!(found(id), 3);
        assert!(elsewhere(id).await.is_none());
        drop(sent);
        let _sends_from_a_task_of_its_own = begin(id, asked("How is \"Paris\"?"), of(4));
        assert_eq!(run(&elsewhere(id).await.unwrap()), 4);
        assert!(elsewhere(id).await.is_none());
    }
}
