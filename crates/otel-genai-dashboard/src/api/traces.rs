//! Traces: listed, and one of them drawn.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::State;
use otel_genai_store::{Cursor, Nanos, StoreError, TraceId, TraceQuery, TraceSort, TraceState, TraceSummary};

use super::transcript::work;
use crate::http::{Answer, Ask, ETag, Failure, json};
use crate::shared::Shared;
use crate::tree;
use crate::view::{List, SpanState, Trace, TraceRow, rows, skew};

/// So many rows of a trace are told at a time,
const ROWS: u32 = 10_000;
/// or so many where they are asked for. So many spans are drawn together: where a span stands, and what is in an agent, only
/// the whole drawing tells, not a part of it.
const MOST_ROWS: u32 = 50_000;

pub(crate) async fn list(State(shared): State<Arc<Shared>>, mut ask: Ask) -> Answer {
    let mut filter = ask.filter()?;
    filter.range = ask.range()?;
    let Sort(sort) = ask.read("sort")?.unwrap_or_default();
    let ascending = ask.read::<Order>("order")?.is_some_and(|order| order.0);
    let query = TraceQuery { filter, sort, ascending, limit: ask.limit(50, 500)?, cursor: ask.cursor()? };
    ask.done()?;
    let page = shared.store.traces(&query).await?;
    Ok(json(&List::<TraceRow>::page(&page)))
}

pub(crate) async fn one(State(shared): State<Arc<Shared>>, mut ask: Ask) -> Answer {
    let id: TraceId = ask.path("trace")?;
    let limit = ask.limit(ROWS, MOST_ROWS)?;
    let place = ask.text("cursor")?.map(|text| Place::of(&text).ok_or(StoreError::BadCursor));
    let Place { skip, after } = place.transpose()?.unwrap_or_default();
    let fold_http = ask.read::<FoldHttp>("fold")?.is_some();
    ask.done()?;
    let summary = summary(&shared, id).await?;
    let running = summary.state == TraceState::Running;
    // Whatever changes a trace changes its summary: at least the counts, an end, or the change number.
    let tag = ETag::of(&[&shared.epoch, &format_args!("{summary:?}"), &ask.uri]);
    if let Some(known) = tag.known(&ask.headers) {
        return Ok(known);
    }
    let page = shared.store.rows(id, MOST_ROWS, after.clone()).await?;
    let until = if running { Nanos::now() } else { summary.end };
    let start = summary.start;
    let (spans, total) = (page.items, page.total);
    let answer = work(move || {
        let mut drawn = rows(&spans, start, &tree::Options { until, running, fold_http });
        let end = skip.saturating_add(limit as usize);
        let next = match page.next {
            _ if end < drawn.len() => Some(Place { skip: end, after }),
            next => next.map(|next| Place { skip: 0, after: Some(next) }),
        };
        drawn.truncate(end);
        Trace {
            rows: drawn.split_off(skip.min(drawn.len())),
            start_ns: start.0.to_string(),
            next: next.map(|next| next.to_string()),
            total_rows: total.unwrap_or(summary.spans),
            skew_ms: skew(&spans),
            summary: TraceRow::from(&summary),
        }
    });
    let answer = answer.await?;
    // Running spans grow by the clock: such an answer is another one each time.
    let grows = answer.rows.iter().any(|row| row.state == SpanState::Running);
    let answer = json(&answer);
    Ok(if grows { answer } else { tag.put(answer) })
}

/// Where a page of rows begins: after so many that are drawn, of the spans after those of another drawing.
#[derive(Default)]
struct Place {
    skip: usize,
    after: Option<Cursor>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let after = self.after.as_ref().map_or("", Cursor::as_str);
        write!(f, "{}.{after}", self.skip)
    }
}

impl Place {
    fn of(text: &str) -> Option<Self> {
        let (skip, after) = text.split_once('.')?;
        let after = Some(after).filter(|after| !after.is_empty());
        Some(Self { skip: skip.parse().ok()?, after: after.and_then(|after| after.parse().ok()) })
    }
}

/// A trace in one line, if there is one.
pub(crate) async fn summary(shared: &Shared, id: TraceId) -> Result<TraceSummary, Failure> {
    let found = shared.store.summaries(&[id]).await?;
    found.into_iter().next().ok_or_else(|| {
        Failure::not_found(format!("there is no trace {id}"))
            .hint("It may have been deleted, or was never received here: see the Doctor page.")
    })
}

#[derive(Default)]
struct Sort(TraceSort);

impl FromStr for Sort {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(match text {
            "start" => TraceSort::Start,
            "duration" => TraceSort::Duration,
            "ttft" => TraceSort::FirstChunk,
            "tokens" => TraceSort::Tokens,
            "cost" => TraceSort::Cost,
            "errors" => TraceSort::Errors,
            "llm" => TraceSort::LlmCalls,
            "spans" => TraceSort::Spans,
            _ => return Err("start, duration, ttft, tokens, cost, errors, llm or spans is meant"),
        }))
    }
}

/// Whether the least comes first.
struct Order(bool);

impl FromStr for Order {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "asc" => Ok(Self(true)),
            "desc" => Ok(Self(false)),
            _ => Err("asc or desc is meant"),
        }
    }
}

struct FoldHttp;

impl FromStr for FoldHttp {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "http" { Ok(Self) } else { Err("http is meant") }
    }
}
