//! How the store is, and deleting.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use otel_genai_store::{Delete, StoreError};
use tokio::time::Instant;

use crate::findings;
use crate::http::{Answer, Ask, Failure, json};
use crate::shared::Shared;
use crate::view::{Deleted, Dialect, DialectServices, StoreStatus, duration, millis};

/// All who watch share one look at the store.
const FRESH: Duration = Duration::from_millis(1_500);

pub(crate) async fn one(State(shared): State<Arc<Shared>>, ask: Ask) -> Answer {
    ask.done()?;
    Ok(json(&*status(&shared).await?))
}

pub(crate) async fn delete(State(shared): State<Arc<Shared>>, mut ask: Ask) -> Answer {
    let trace = ask.read("trace")?.map(Delete::Trace);
    let before = ask.moment("before")?.map(Delete::Before);
    let all = ask.flag("all")?.unwrap_or(false).then_some(Delete::All);
    ask.done()?;
    let mut each = [trace, before, all].into_iter().flatten();
    let (Some(what), None) = (each.next(), each.next()) else {
        return Err(Failure::parameter("all", "one of trace=ID, before=TIME and all=1 is needed"));
    };
    let deleted = shared.store.delete(what).await?;
    *shared.status.lock().await = None;
    Ok(json(&Deleted { traces: deleted.traces, bytes: deleted.bytes }))
}

/// How the store is, as it was a moment ago at most.
pub(crate) async fn status(shared: &Shared) -> Result<Arc<StoreStatus>, StoreError> {
    let mut last = shared.status.lock().await;
    if let Some((at, status)) = &*last
        && at.elapsed() < FRESH
    {
        return Ok(Arc::clone(status));
    }
    let status = Arc::new(look(shared).await?);
    *last = Some((Instant::now(), Arc::clone(&status)));
    Ok(status)
}

async fn look(shared: &Shared) -> Result<StoreStatus, StoreError> {
    let status = shared.store.status().await?;
    let services = match shared.store.services(None).await {
        Ok(services) => services,
        Err(StoreError::Unsupported(_)) => Vec::new(),
        Err(error) => return Err(error),
    };
    let mut dialects = BTreeMap::new();
    for (dialect, _) in services.iter().flat_map(|service| &service.dialects) {
        *dialects.entry(*dialect).or_insert(0u64) += 1;
    }
    let dialects = dialects
        .into_iter()
        .filter_map(|(dialect, services)| Some(DialectServices { dialect: Dialect::of(dialect)?, services }));
    Ok(StoreStatus {
        spans: status.spans,
        logs: status.logs,
        points: status.points,
        traces: status.traces,
        bytes: status.bytes,
        limit_bytes: status.limit_bytes,
        max_age_ms: status.max_age.map(duration),
        oldest_ms: status.oldest.map(millis),
        // Tenths are enough, and change less often.
        per_second: (status.per_second * 10.0).round() / 10.0,
        queued_bytes: status.queued_bytes,
        index_behind: status.index_behind,
        damaged: status.damaged.iter().map(|file| file.display().to_string()).collect(),
        location: status.location,
        read_only: status.read_only,
        dialects: dialects.collect(),
        findings: findings::of_services(&services).len() as u64,
    })
}
