//! One span, whole; its values in full; and what was received, as it was.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use otel_genai_store::{
    Exemplar, Held, LogQuery, LogRecord, Nanos, Range, Span, SpanId, StoreError, TraceId, TraceSummary,
    Which, otlp,
};

use super::peer;
use super::stats::nanos;
use super::traces::summary;
use super::transcript::work;
use crate::http::{Answer, Ask, Failure, json};
use crate::shared::Shared;
use crate::view::{Beside, ErrorCode, SpanDetail};

/// With more spans a trace is not told whole: it would not fit into memory.
const MOST: u64 = 50_000;
/// So many log records are read at a time, and a span has so many at most, as far as they are counted.
const LOGS: u32 = 10_000;
/// With more log records a trace is not told whole, either.
const MOST_LOGS: usize = 100_000;
/// What was measured in a span is told by points that are taken this long after it: SDKs take them every minute.
const PERIOD: Duration = Duration::from_secs(300);

pub(crate) async fn one(State(shared): State<Arc<Shared>>, mut ask: Ask) -> Answer {
    let trace: TraceId = ask.path("trace")?;
    let id: SpanId = ask.path("span")?;
    let variant = ask.read("variant")?;
    ask.done()?;
    let start = summary(&shared, trace).await?.start;
    let span = find(&shared, trace, id, variant).await?;
    let others: Vec<_> = span.links.iter().filter_map(|link| TraceId::new(&link.trace_id)).collect();
    let known: HashSet<_> = match others.as_slice() {
        [] => HashSet::new(),
        // Links are many where somebody gathers: the first ones are looked up.
        others => {
            let first = others.get(..others.len().min(100)).unwrap_or_default();
            shared.store.summaries(first).await?.into_iter().map(|summary| summary.id).collect()
        }
    };
    let query = LogQuery { trace: Some(trace), span: Some(id), limit: LOGS, ..LogQuery::default() };
    let logs = shared.store.logs(&query).await?.items;
    let exemplars = exemplars_of(&shared, &span).await?;
    let peer = peer::of(&shared, &span).await?;
    let beside = Beside { known: &|other| known.contains(&other), logs: &logs, exemplars: &exemplars, peer };
    Ok(json(&SpanDetail::of(&span, start, &beside)))
}

/// What was measured in a span, where the store can tell.
async fn exemplars_of(shared: &Shared, span: &Span) -> Result<Vec<(Arc<str>, Exemplar)>, StoreError> {
    let from = span.start.or(span.received);
    let end = if span.end.0 == 0 { Nanos::now() } else { span.end };
    let range = Range { from, to: Nanos(end.max(from).0.saturating_add(nanos(PERIOD))) };
    match shared.store.exemplars(span.key.trace, span.key.span, range).await {
        Err(StoreError::Unsupported(_)) => Ok(Vec::new()),
        found => found,
    }
}

/// A value in full: text as it is, what is structured as JSON.
pub(crate) async fn value(State(shared): State<Arc<Shared>>, mut ask: Ask) -> Answer {
    let trace: TraceId = ask.path("trace")?;
    let id: SpanId = ask.path("span")?;
    let variant = ask.read("variant")?;
    let key = ask.needed("key")?;
    let place = ask.text("in")?.unwrap_or_else(|| "span".to_owned());
    ask.done()?;
    let span = find(&shared, trace, id, variant).await?;
    let attributes = match place.as_str() {
        "span" => Some(&span.attributes),
        "resource" => Some(&span.origin.resource.attributes),
        other => other
            .strip_prefix("event:")
            .and_then(|number| number.parse::<usize>().ok())
            .and_then(|number| span.events.get(number))
            .map(|event| &event.attributes),
    };
    let held = attributes.and_then(|attributes| attributes.get(&key));
    held.map(whole).ok_or_else(|| Failure::not_found(format!("the span {id} has no {key:?} there")))
}

/// What was received, in OTLP's JSON.
pub(crate) async fn raw(State(shared): State<Arc<Shared>>, mut ask: Ask) -> Answer {
    let trace: TraceId = ask.path("trace")?;
    let span: Option<SpanId> = ask.read("span")?;
    let with_logs = ask.flag("logs")?.unwrap_or(false);
    ask.done()?;
    let summary = summary(&shared, trace).await?;
    if span.is_none() {
        fits(&summary)?;
    }
    let which = span.map_or(Which::All, |span| Which::Only(vec![span]));
    let spans = shared.store.spans(trace, which).await?;
    let logs = if with_logs { Some(all_logs_of(&shared, trace, span).await?) } else { None };
    let bytes = work(move || {
        let traces = otlp::to_json(&crate::otlp::traces(&spans));
        let Some(logs) = logs else { return traces };
        let logs = otlp::to_json(&crate::otlp::logs(&logs));
        [b"{\"traces\":".as_slice(), &traces, b",\"logs\":", &logs, b"}"].concat()
    });
    let bytes = bytes.await?;
    Ok(typed("application/json", bytes))
}

/// Whether a trace may be told whole, in one answer.
pub(super) fn fits(trace: &TraceSummary) -> Result<(), Failure> {
    if trace.spans <= MOST {
        return Ok(());
    }
    Err(too_large(format!("the trace has {} spans, and at most {MOST} are told whole", trace.spans)))
}

fn too_large(message: String) -> Failure {
    let failure = Failure::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::TooLarge, message);
    failure.hint("Ask for one span at a time, or copy the data folder.")
}

/// All log records of a trace, or of one of its spans.
///
/// # Errors
/// When there are too many of them to be told whole.
pub(crate) async fn all_logs_of(
    shared: &Shared,
    trace: TraceId,
    span: Option<SpanId>,
) -> Result<Vec<LogRecord>, Failure> {
    let mut query = LogQuery { trace: Some(trace), span, limit: LOGS, ..LogQuery::default() };
    let mut logs = Vec::new();
    loop {
        let page = shared.store.logs(&query).await?;
        logs.extend(page.items);
        query.cursor = page.next;
        if query.cursor.is_none() {
            return Ok(logs);
        }
        if logs.len() >= MOST_LOGS {
            return Err(too_large(format!(
                "the trace has more than {MOST_LOGS} log records, which are not told whole"
            )));
        }
    }
}

async fn find(shared: &Shared, trace: TraceId, id: SpanId, variant: Option<u8>) -> Result<Span, Failure> {
    let spans = shared.store.spans(trace, Which::Only(vec![id])).await?;
    let variant = variant.unwrap_or(0);
    spans.into_iter().find(|span| span.key.variant == variant).ok_or_else(|| {
        Failure::not_found(format!("the trace {trace} has no span {id}"))
            .hint("It may not have ended yet: most SDKs send a span when it ends.")
    })
}

/// A value in full: text as it is, what is structured as JSON.
pub(crate) fn whole(held: &Held) -> Response {
    match held.text() {
        Some(text) => typed("text/plain; charset=utf-8", text.into_owned().into_bytes()),
        None => json(&held.json()),
    }
}

pub(crate) fn typed(media: &'static str, bytes: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(bytes));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media));
    response
}
