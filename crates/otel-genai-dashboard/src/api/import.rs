//! Files of others, stored as if they had been sent.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use http::StatusCode;
use http::header::CONTENT_LENGTH;
use otel_genai_store::otlp::Refused;

use super::transcript::work;
use crate::http::{Answer, Ask, Failure, json};
use crate::import::{Format, read};
use crate::receive::ROOM;
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
    let told = ask.headers.get(CONTENT_LENGTH).and_then(|told| told.to_str().ok()?.parse::<usize>().ok());
    let length = told.unwrap_or(MOST);
    if length > MOST {
        return Err(too_large());
    }
    // What is read from a file takes more than the file.
    let wanted = (4 * length / 1024 + 1).min(ROOM / 2);
    let room = Arc::clone(&shared.room).try_acquire_many_owned(u32::try_from(wanted).unwrap_or(u32::MAX));
    let room = room.map_err(|_| {
        let mut busy =
            Failure::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Busy, "too much is received at a time");
        busy.retry_after = Some(Duration::from_secs(1));
        busy
    })?;
    let bytes = axum::body::to_bytes(body, length).await.map_err(|_| too_large())?;
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
