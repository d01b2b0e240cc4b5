//! Files of others, stored as if they had been sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use http::StatusCode;
use otel_genai_store::otlp::Refused;

use super::transcript::work;
use crate::http::{Answer, Ask, Failure, json};
use crate::import::{Format, read};
use crate::receive::{Room, collect};
use crate::shared::Shared;
use crate::view::{ErrorCode, Imported, Rejected};

/// A file may be so large.
const MOST: usize = 128 << 20;
/// So many traces of it are named.
const NAMED: usize = 1_000;

pub(crate) async fn take(State(shared): State<Arc<Shared>>, mut ask: Ask, body: Body) -> Answer {
    let format: Format = ask.read("format")?.unwrap_or_default();
    ask.done()?;
    let too_large = || {
        let message = format!("the file is larger than {} MiB", MOST >> 20);
        Failure::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::TooLarge, message)
            .hint("Cut it into several, or send them to the OTLP port: a line of JSON each.")
    };
    // What is read from a file takes more than the file. Room is taken as the file comes, so that one that stalls leaves it
    // to others.
    let mut room = Room::new(&shared.room);
    let bytes = collect(body, &ask.headers, (MOST, 4), &mut room).await.map_err(|refused| {
        if refused.status == StatusCode::PAYLOAD_TOO_LARGE {
            return too_large();
        }
        let code = if refused.retry_after.is_some() { ErrorCode::Busy } else { ErrorCode::BadQuery };
        let mut failure = Failure::new(refused.status, code, refused.message);
        failure.retry_after = refused.retry_after;
        failure
    })?;
    let accepted = work(move || read(&bytes, format)).await?;
    let accepted = accepted
        .map_err(|why| Failure::new(StatusCode::BAD_REQUEST, ErrorCode::BadQuery, why.to_string()))?;

    let mut imported = Imported::default();
    let mut rejected: BTreeMap<Refused, u64> = BTreeMap::new();
    let mut traces = std::collections::BTreeSet::new();
    for accepted in accepted {
        for (why, count) in accepted.why {
            *rejected.entry(why).or_default() += count;
        }
        traces.extend(accepted.batch.spans.iter().map(|span| span.key.trace));
        let stored = shared.store.ingest(accepted.batch).await?;
        imported.spans += stored.spans;
        imported.logs += stored.logs;
        imported.points += stored.points;
        imported.known += stored.known;
        if stored.refused > 0 {
            *rejected.entry(Refused::TooManyVariants).or_default() += stored.refused;
        }
    }
    drop(room);
    imported.rejected =
        rejected.into_iter().map(|(why, count)| Rejected { why: why.to_string(), count }).collect();
    imported.traces = traces.iter().take(NAMED).map(ToString::to_string).collect();
    Ok(json(&imported))
}
