//! What was said in a trace.

use std::sync::Arc;

use axum::extract::State;
use http::header::{CONTENT_TYPE, HeaderValue};
use otel_genai_store::{LogQuery, LogRecord, Span, TraceId, TraceSummary, Which};

use super::traces::summary;
use crate::http::{Answer, Ask, ETag, Failure, json};
use crate::shared::Shared;
use crate::transcript::{Evidence, NoReferences, Options, assemble};
use crate::view::transcript::{Shown, Transcript, whole};

/// Texts are shown up to here, in bytes.
const CUT: usize = 64 << 10;
/// So many calls at a time.
const CALLS: u32 = 200;
/// Above so many spans those that are not of generative AI are left out: they only help to find who asked whom.
const MANY: u64 = 20_000;
/// So many log records of a trace are looked at.
const LOGS: usize = 50_000;

pub(crate) async fn one(State(shared): State<Arc<Shared>>, mut ask: Ask) -> Answer {
    let id: TraceId = ask.path("trace")?;
    let options = Options {
        chain: ask.read("agent")?,
        after: ask.read("after")?.unwrap_or_default(),
        limit: ask.limit(CALLS, 5_000)?,
    };
    let full = ask.flag("full")?.unwrap_or_default();
    ask.done()?;
    let summary = summary(&shared, id).await?;
    let tag = ETag::of(&[&shared.epoch, &summary.updated, &ask.uri]);
    if let Some(known) = tag.known(&ask.headers) {
        return Ok(known);
    }
    let (spans, logs) = records(&shared, &summary).await?;
    let rev = summary.updated;
    let answer = work(move || {
        let transcript =
            assemble(&Evidence { spans: &spans, logs: &logs, references: &NoReferences }, &options);
        let more = |message: &str, part: usize| {
            format!("/api/v1/traces/{id}/transcript/part?message={message}&part={part}")
        };
        json(&Transcript::of(&transcript, rev, &Shown { cut: if full { 0 } else { CUT }, more: &more }))
    });
    Ok(tag.put(answer.await?))
}

/// A part of a message in full, as text.
pub(crate) async fn part(State(shared): State<Arc<Shared>>, mut ask: Ask) -> Answer {
    let id: TraceId = ask.path("trace")?;
    let message = ask.needed("message")?;
    let part: usize = ask.read("part")?.unwrap_or_default();
    ask.done()?;
    let (spans, logs) = records(&shared, &summary(&shared, id).await?).await?;
    let text = work(move || {
        let mut options = Options::default();
        loop {
            let evidence = Evidence { spans: &spans, logs: &logs, references: &NoReferences };
            let transcript = assemble(&evidence, &options);
            let found = transcript.messages.iter().find(|(hash, _)| hash.to_string() == message);
            if let Some((_, said)) = found {
                return said.message.parts.get(part).map(whole);
            }
            options.after = transcript.next?;
        }
    });
    let text = text.await?.ok_or_else(|| Failure::not_found(format!("trace {id} has no such message")))?;
    let mut answer = axum::response::Response::new(text.into());
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    Ok(answer)
}

/// What is known of a trace.
async fn records(shared: &Shared, summary: &TraceSummary) -> Result<(Vec<Span>, Vec<LogRecord>), Failure> {
    let which = if summary.spans > MANY { Which::GenAi } else { Which::All };
    let spans = shared.store.spans(summary.id, which).await?;
    let mut logs = Vec::new();
    let mut query = LogQuery { trace: Some(summary.id), limit: 500, ..LogQuery::default() };
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

/// Reading megabytes of messages is no work for the threads that answer.
async fn work<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|_| {
        Failure::new(
            http::StatusCode::INTERNAL_SERVER_ERROR,
            crate::view::ErrorCode::Internal,
            "the transcript could not be put together",
        )
    })
}
