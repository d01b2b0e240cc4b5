//! The two ends of a request of the Model Context Protocol: the client's span and the server's.

use std::collections::HashMap;

use otel_genai_store::{Nanos, Span, SpanId, SpanRow, StoreError, Which};

use crate::shared::Shared;
use crate::view::{SpanKind, request_id};

/// In traces with more spans the other end is not looked for among the rest.
const ROWS: u32 = 10_000;
/// So many spans are looked at whole.
const WHOLE: usize = 50;
/// Nobody nests deeper.
const DEPTH: usize = 64;

/// The span of the other end, if the trace has it: the one that the context was handed to, or one that names the same
/// request.
pub(crate) async fn of(shared: &Shared, span: &Span) -> Result<Option<SpanId>, StoreError> {
    let Some(other) = other_end(span.kind) else { return Ok(None) };
    if span.facts.mcp_method.is_none() {
        return Ok(None);
    }
    let own = span.row();
    let rows = shared.store.rows(span.key.trace, ROWS, None).await?.items;
    let mut all: Vec<&SpanRow> = rows
        .iter()
        .filter(|row| SpanKind::of(row.kind) == other && row.facts.mcp_method == own.facts.mcp_method)
        .collect();
    all.sort_by_key(|row| (row.start.0.abs_diff(own.start.0), row.key));
    let by_id: HashMap<SpanId, &SpanRow> = rows.iter().map(|row| (row.key.span, row)).collect();
    let is_server = other == SpanKind::Client;
    let by_context = |row: &&&SpanRow| {
        let (inner, outer) = if is_server { (&own, **row) } else { (**row, &own) };
        caller(&by_id, inner) == Some(outer.key.span)
    };
    if let Some(row) = all.iter().find(by_context) {
        return Ok(Some(row.key.span));
    }
    let Some(id) = request_id(&span.attributes) else { return Ok(None) };
    let session = &own.facts.mcp_session;
    all.retain(|row| match (session, &row.facts.mcp_session) {
        (Some(one), Some(other)) => one == other,
        // Ids of requests count from 0 in each session: without its name only the time tells.
        _ => row.start <= until(&own) && own.start <= until(row),
    });
    all.truncate(WHOLE);
    let order: Vec<SpanId> = all.iter().map(|row| row.key.span).collect();
    if order.is_empty() {
        return Ok(None);
    }
    let whole = shared.store.spans(span.key.trace, Which::Only(order.clone())).await?;
    let same: Vec<SpanId> = whole
        .iter()
        .filter(|other| request_id(&other.attributes).as_ref() == Some(&id))
        .map(|other| other.key.span)
        .collect();
    Ok(order.into_iter().find(|span| same.contains(span)))
}

fn other_end(kind: i32) -> Option<SpanKind> {
    match SpanKind::of(kind) {
        SpanKind::Client => Some(SpanKind::Server),
        SpanKind::Server => Some(SpanKind::Client),
        _ => None,
    }
}

/// The nearest client's span of the protocol around a server's.
fn caller(by_id: &HashMap<SpanId, &SpanRow>, server: &SpanRow) -> Option<SpanId> {
    let mut next = server.parent;
    for _ in 0..DEPTH {
        let row = by_id.get(&next?)?;
        if row.facts.mcp_method.is_some() {
            return (SpanKind::of(row.kind) == SpanKind::Client).then_some(row.key.span);
        }
        next = row.parent;
    }
    None
}

/// When a span ended; one that runs has no end.
fn until(row: &SpanRow) -> Nanos {
    if row.end.0 == 0 { Nanos(u64::MAX) } else { row.end }
}
