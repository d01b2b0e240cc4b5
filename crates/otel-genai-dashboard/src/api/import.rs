//! Files of others, stored as if they had been sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use http::StatusCode;
use otel_genai_store::otlp;

use super::transcript::work;
use crate::http::{Answer, Ask, Failure, json};
use crate::import::{Format, read, weigh};
use crate::receive::{self, Room, collect};
use crate::shared::Shared;
use crate::view::{ErrorCode, Imported, Rejected};

/// A file may be so large.
const MOST: usize = 128 << 20;
/// So many traces of it are named.
const NAMED: usize = 1_000;

pub(crate) async fn take(State(shared): State<Arc<Shared>>, mut ask: Ask, body: Body) -> Answer {
    let format: Format = ask.read("format")?.unwrap_or_default();
    ask.done()?;
    // What is read from a file takes more than the file. Room is taken as the file comes, so that one that stalls leaves it
    // to others.
    let mut room = Room::new(&shared.room);
    let bytes = collect(body, &ask.headers, (MOST, 4), &mut room).await.map_err(not_taken)?;
    let (accepted, room) = work(move || -> Result<_, receive::Refused> {
        room.grow(weigh(&bytes, format).saturating_add(bytes.len()))?;
        Ok((read(&bytes, format), room))
    })
    .await?
    .map_err(not_taken)?;
    let accepted = accepted
        .map_err(|why| format!("{why}; nothing of it is stored"))
        .map_err(|why| Failure::new(StatusCode::BAD_REQUEST, ErrorCode::BadQuery, why))?;

    let mut imported = Imported::default();
    let mut rejected: BTreeMap<otlp::Refused, u64> = BTreeMap::new();
    let mut traces = std::collections::BTreeSet::new();
    for accepted in accepted {
        for (why, count) in accepted.why {
            *rejected.entry(why).or_default() += count;
        }
        traces.extend(accepted.batch.spans.iter().map(|span| span.key.trace));
        let stored = shared.store.ingest(accepted.batch).await.map_err(|error| {
            let so_far = imported.spans + imported.logs + imported.points;
            let mut failure = Failure::from(error);
            if so_far > 0 {
                failure.told.message.push_str(&format!("; {so_far} records are stored so far"));
                failure = failure.hint("Import it again later: what is there already is not stored twice.");
            }
            failure
        })?;
        imported.spans += stored.spans;
        imported.logs += stored.logs;
        imported.points += stored.points;
        imported.known += stored.known;
        if stored.refused > 0 {
            *rejected.entry(otlp::Refused::TooManyVariants).or_default() += stored.refused;
        }
    }
    drop(room);
    imported.rejected =
        rejected.into_iter().map(|(why, count)| Rejected { why: why.to_string(), count }).collect();
    imported.traces = traces.iter().take(NAMED).map(ToString::to_string).collect();
    Ok(json(&imported))
}

/// A file that was not taken, and what to do then.
fn not_taken(refused: receive::Refused) -> Failure {
    let code = match (refused.status, refused.retry_after) {
        (StatusCode::PAYLOAD_TOO_LARGE, _) => ErrorCode::TooLarge,
        (_, Some(_)) => ErrorCode::Busy,
        _ => ErrorCode::BadQuery,
    };
    let mut failure = Failure::new(refused.status, code, refused.message);
    failure.retry_after = refused.retry_after;
    match code {
        ErrorCode::TooLarge => {
            failure.hint("Cut the file into several, or send it to the OTLP port: a line of JSON each.")
        }
        _ => failure,
    }
}
