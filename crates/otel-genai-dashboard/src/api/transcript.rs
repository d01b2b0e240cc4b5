//! What was said in a trace.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::State;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use otel_genai_store::{LogQuery, LogRecord, Span, TraceId, TraceSummary, Which};
use tokio::sync::Semaphore;

use super::traces::summary;
use crate::http::{Answer, Ask, ETag, Failure, json};
use crate::references::Folders;
use crate::shared::Shared;
use crate::transcript::{Evidence, NotResolved, Options, References, assemble_while};
use crate::view::escape;
use crate::view::transcript::{Shown, Transcript, whole};

/// Texts are shown up to here, in bytes.
pub(super) const CUT: usize = 64 << 10;
/// So many calls at a time.
const CALLS: u32 = 200;
/// So many spans are looked at, the first. Where there are more, those that are not of generative AI are left out: they only
/// help to find who asked whom.
const MANY: u32 = 20_000;
/// A conversation is told from so many of its traces.
pub(crate) const TRACES: u32 = 500;
/// So many log records of a trace are looked at.
const LOGS: usize = 50_000;

pub(crate) async fn one(State(shared): State<Arc<Shared>>, mut ask: Ask) -> Answer {
    let id: TraceId = ask.path("trace")?;
    let options = Options { chain: ask.read("agent")?, ..calls(&mut ask)? };
    let full = ask.flag("full")?.unwrap_or_default();
    ask.done()?;
    let summary = summary(&shared, id).await?;
    // The change number alone begins anew when a trace is deleted and comes again.
    let tag = ETag::of(&[&shared.epoch, &format_args!("{summary:?}"), &ask.uri]);
    if let Some(known) = tag.known(&ask.headers) {
        return Ok(known);
    }
    let (spans, logs) = records(&shared, &summary).await?;
    let rev = summary.updated;
    let looked_at = spans.len() as u64;
    let references = Arc::clone(&shared.references);
    let (answer, is_whole) = work_while_awaited(move |is_awaited| {
        let references = Noted { folders: &references, is_missing: Cell::new(false) };
        let evidence = Evidence { spans: &spans, logs: &logs, references: &references };
        let transcript = assemble_while(&evidence, &options, is_awaited);
        let more = |message: &str, part: usize| {
            format!("/api/v1/traces/{id}/transcript/part?message={message}&part={part}")
        };
        let shown = Shown { cut: if full { 0 } else { CUT }, more: &more, trace: Some(id) };
        let transcript = Transcript::of(&transcript, rev, &shown);
        let looked_at = (looked_at < summary.spans).then_some(looked_at);
        (json(&Transcript { looked_at, ..transcript }), !references.is_missing.get())
    })
    .await?;
    Ok(if is_whole { tag.put(answer) } else { answer })
}

/// Notes whether anything is not there yet: what is uploaded may come after what says so.
struct Noted<'a> {
    folders: &'a Folders,
    is_missing: Cell<bool>,
}

impl References for Noted<'_> {
    fn resolve(&self, uri: &str) -> Result<Bytes, NotResolved> {
        self.folders.resolve(uri).inspect_err(|_| {
            if self.folders.may_have(uri) {
                self.is_missing.set(true);
            }
        })
    }
}

/// Which calls of a transcript are asked for.
pub(super) fn calls(ask: &mut Ask) -> Result<Options, Failure> {
    let after = ask.read("after")?.unwrap_or_default();
    Ok(Options { chain: None, after, limit: ask.limit(CALLS, 5_000)? })
}

/// What was said in the traces of a conversation. `id` names it.
pub(crate) async fn together(
    shared: &Shared,
    id: &str,
    traces: &[TraceSummary],
    options: Options,
) -> Result<Transcript, Failure> {
    let (spans, logs) = all_records(shared, traces).await?;
    let looked_at = spans.len() as u64;
    let all: u64 = traces.iter().map(|trace| trace.spans).sum();
    // Changes with each of them.
    let rev = traces.iter().fold(0, |sum: u64, trace| sum.wrapping_add(trace.updated));
    let id = escape(id);
    let references = Arc::clone(&shared.references);
    work_while_awaited(move |is_awaited| {
        let evidence = Evidence { spans: &spans, logs: &logs, references: &*references };
        let transcript = assemble_while(&evidence, &options, is_awaited);
        let more = |message: &str, part: usize| {
            format!("/api/v1/conversations/{id}/part?message={message}&part={part}")
        };
        let transcript = Transcript::of(&transcript, rev, &Shown { cut: CUT, more: &more, trace: None });
        Transcript { looked_at: (looked_at < all).then_some(looked_at), ..transcript }
    })
    .await
}

/// A part of a message of a conversation in full, as text.
pub(crate) async fn part_of_conversation(State(shared): State<Arc<Shared>>, mut ask: Ask) -> Answer {
    let id: String = ask.path("conversation")?;
    let message = ask.needed("message")?;
    let part = ask.read("part")?.unwrap_or_default();
    ask.done()?;
    let traces = shared.store.conversation(&id, TRACES).await?;
    let (spans, logs) = all_records(&shared, &traces).await?;
    in_full(&shared, (spans, logs), (message, part), format!("conversation {id:?}")).await
}

/// A part of a message in full, as text.
pub(crate) async fn part(State(shared): State<Arc<Shared>>, mut ask: Ask) -> Answer {
    let id: TraceId = ask.path("trace")?;
    let message = ask.needed("message")?;
    let part: usize = ask.read("part")?.unwrap_or_default();
    ask.done()?;
    let (spans, logs) = records(&shared, &summary(&shared, id).await?).await?;
    in_full(&shared, (spans, logs), (message, part), format!("trace {id}")).await
}

async fn in_full(
    shared: &Shared,
    (spans, logs): (Vec<Span>, Vec<LogRecord>),
    (message, part): (String, usize),
    place: String,
) -> Answer {
    let references = Arc::clone(&shared.references);
    let text = work_while_awaited(move |is_awaited| {
        let mut options = Options::default();
        loop {
            let evidence = Evidence { spans: &spans, logs: &logs, references: &*references };
            let transcript = assemble_while(&evidence, &options, is_awaited);
            let found = transcript.messages.iter().find(|(hash, _)| hash.to_string() == message);
            if let Some((_, said)) = found {
                return said.message.parts.get(part).map(whole);
            }
            options.after = transcript.next?;
        }
    });
    let text = text.await?.ok_or_else(|| Failure::not_found(format!("{place} has no such message")))?;
    let mut answer = axum::response::Response::new(text.into());
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    Ok(answer)
}

/// What is known of several traces, as far as it fits.
async fn all_records(
    shared: &Shared,
    traces: &[TraceSummary],
) -> Result<(Vec<Span>, Vec<LogRecord>), Failure> {
    let (mut spans, mut logs) = (Vec::new(), Vec::new());
    for trace in traces {
        let (more_spans, more_logs) = records(shared, trace).await?;
        spans.extend(more_spans);
        logs.extend(more_logs);
        if spans.len() > MANY as usize || logs.len() > LOGS {
            break;
        }
    }
    Ok((spans, logs))
}

/// What is known of a trace.
pub(super) async fn records(
    shared: &Shared,
    summary: &TraceSummary,
) -> Result<(Vec<Span>, Vec<LogRecord>), Failure> {
    let which = Which::First { spans: MANY, genai: summary.spans > u64::from(MANY) };
    let spans = shared.store.spans(summary.id, which).await?;
    let mut logs = Vec::new();
    let mut query = LogQuery { trace: Some(summary.id), limit: 10_000, ..LogQuery::default() };
    loop {
        let page = shared.store.logs(&query).await?;
        logs.extend(page.items);
        query.cursor = page.next.filter(|_| logs.len() < LOGS);
        if query.cursor.is_none() {
            break;
        }
    }
    Ok((spans, logs))
}

/// How a transcript is put together.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) references: &'a Folders,
    /// Whether somebody waits for it still.
    pub(super) is_awaited: &'a dyn Fn() -> bool,
}

/// So much of such work is done at a time.
static WORKERS: Semaphore = Semaphore::const_new(2);

/// Reading megabytes of messages is no work for the threads that answer.
pub(super) async fn work<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    work_while_awaited(move |_| work()).await
}

/// The same of work that asks now and then whether somebody waits for it still, and ends early if nobody does.
pub(super) async fn work_while_awaited<T: Send + 'static>(
    work: impl FnOnce(&dyn Fn() -> bool) -> T + Send + 'static,
) -> Result<T, Failure> {
    let worker = WORKERS.acquire().await;
    let gone = Arc::new(AtomicBool::new(false));
    let waiting = Waiting(Arc::clone(&gone));
    let done = tokio::task::spawn_blocking(move || {
        let _worker = worker;
        let is_awaited = || !gone.load(Ordering::Relaxed);
        is_awaited().then(|| work(&is_awaited))
    });
    let done = done.await;
    drop(waiting);
    done.ok().flatten().ok_or_else(|| {
        Failure::new(
            http::StatusCode::INTERNAL_SERVER_ERROR,
            crate::view::ErrorCode::Internal,
            "the answer could not be put together",
        )
    })
}

/// Somebody waits for work that is done elsewhere.
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn work_ends_when_nobody_waits_for_it() {
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let (ended, has_ended) = tokio::sync::oneshot::channel();
        let asked = tokio::spawn(work_while_awaited(move |is_awaited| {
            let _ = begun.send(());
            while is_awaited() {
                std::thread::yield_now();
            }
            let _ = ended.send(());
        }));
        has_begun.await.unwrap();
        // The client has gone away.
        asked.abort();
        tokio::time::timeout(Duration::from_secs(60), has_ended).await.unwrap().unwrap();
        assert_eq!(work(|| 7).await.unwrap(), 7);
    }

    #[test]
    fn a_transcript_that_nobody_waits_for_is_not_read() {
        let told = opentelemetry_proto::tonic::trace::v1::Span {
            trace_id: vec![1; 16],
            span_id: vec![1; 8],
            start_time_unix_nano: 1,
            end_time_unix_nano: 2,
            ..Default::default()
        };
        let origin = Arc::new(otel_genai_store::Origin::default());
        let mut span = Span::from_otlp(told, &origin, otel_genai_store::Nanos(3)).unwrap();
        span.facts.op = Some(otel_genai_store::Op::Chat);
        let spans = [span];
        let evidence = Evidence { spans: &spans, logs: &[], references: &Folders::default() };
        let told = |is_awaited| assemble_while(&evidence, &Options::default(), &|| is_awaited).calls.len();
        assert_eq!([told(true), told(false)], [1, 0]);
    }
}
