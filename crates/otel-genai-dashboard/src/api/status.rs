//! How the store is, and deleting.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use otel_genai_store::{Delete, Nanos, Range, ServiceInfo, StoreError};
use tokio::time::Instant;

use crate::findings;
use crate::http::{Answer, Ask, Failure, json};
use crate::shared::Shared;
use crate::view::{Deleted, Dialect, DialectServices, StoreStatus, duration, millis};

/// All who watch share one look at the store, which is so old at most,
const FRESH: Duration = Duration::from_millis(1_500);
/// or so many times as old as it took: most of the time nobody looks.
const REST: u32 = 10;
/// Of a store with more records those services are looked at that were heard on the last day,
const MANY: u64 = 5_000_000;
const DAY: u64 = 86_400_000_000_000;
/// and no longer than this.
const PATIENCE: Duration = Duration::from_secs(5);
/// What takes longer of so many
const SLOW: Duration = Duration::from_millis(500);
/// is looked up again only so long after.
const LONG: Duration = Duration::from_secs(60);

/// What was seen lately.
#[derive(Default)]
pub(crate) struct Lately {
    status: Option<(Instant, Arc<StoreStatus>)>,
    services: Option<(Instant, Heard)>,
}

/// What services tell of themselves.
#[derive(Clone, Default)]
struct Heard {
    dialects: Vec<DialectServices>,
    findings: u64,
}

/// Until when something holds that was looked up from then until now.
fn until(began: Instant) -> Instant {
    Instant::now() + FRESH.max(REST * began.elapsed())
}

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
    *shared.status.lock().await = Lately::default();
    Ok(json(&Deleted { traces: deleted.traces, bytes: deleted.bytes }))
}

/// How the store is, as it was a moment ago at most.
pub(crate) async fn status(shared: &Shared) -> Result<Arc<StoreStatus>, StoreError> {
    let mut last = shared.status.lock().await;
    if let Some((until, status)) = &last.status
        && Instant::now() < *until
    {
        return Ok(Arc::clone(status));
    }
    let began = Instant::now();
    let found = shared.store.status().await?;
    let holds = until(began);
    let records = found.spans.saturating_add(found.logs);
    let Heard { dialects, findings } = heard(shared, &mut last, records).await?;
    let status = Arc::new(StoreStatus {
        spans: found.spans,
        logs: found.logs,
        points: found.points,
        traces: found.traces,
        bytes: found.bytes,
        limit_bytes: found.limit_bytes,
        max_age_ms: found.max_age.map(duration),
        oldest_ms: found.oldest.map(millis),
        // Tenths are enough, and change less often.
        per_second: (found.per_second * 10.0).round() / 10.0,
        queued_bytes: found.queued_bytes,
        index_behind: found.index_behind,
        damaged: found.damaged.iter().map(|file| file.display().to_string()).collect(),
        location: found.location,
        read_only: found.read_only,
        dialects,
        findings,
    });
    last.status = Some((holds, Arc::clone(&status)));
    Ok(status)
}

/// What services tell. Of a store that cannot say it in time what it said before.
async fn heard(shared: &Shared, last: &mut Lately, records: u64) -> Result<Heard, StoreError> {
    if let Some((until, heard)) = &last.services
        && Instant::now() < *until
    {
        return Ok(heard.clone());
    }
    let began = Instant::now();
    let now = Nanos::now();
    let day = Range { from: Nanos(now.0.saturating_sub(DAY)), to: Nanos(now.0.saturating_add(1)) };
    let asked = shared.store.services((records > MANY).then_some(day));
    let heard = match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(services)) => Heard::of(&services),
        Ok(Err(StoreError::Unsupported(_))) => Heard::default(),
        Err(_) | Ok(Err(StoreError::Timeout(_) | StoreError::BadQuery(_))) => {
            last.services.take().map(|(_, heard)| heard).unwrap_or_default()
        }
        Ok(Err(error)) => return Err(error),
    };
    let slow = records > MANY && began.elapsed() > SLOW;
    let holds = if slow { Instant::now() + LONG } else { until(began) };
    last.services = Some((holds, heard.clone()));
    Ok(heard)
}

impl Heard {
    fn of(services: &[ServiceInfo]) -> Self {
        let mut dialects = BTreeMap::new();
        for (dialect, _) in services.iter().flat_map(|service| &service.dialects) {
            *dialects.entry(*dialect).or_insert(0u64) += 1;
        }
        let dialects = dialects.into_iter().filter_map(|(dialect, services)| {
            Some(DialectServices { dialect: Dialect::of(dialect)?, services })
        });
        Self { dialects: dialects.collect(), findings: findings::of_services(services).len() as u64 }
    }
}
