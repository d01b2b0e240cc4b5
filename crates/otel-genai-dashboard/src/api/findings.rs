//! What is wrong with what came, and how to fix it.

use std::sync::Arc;

use axum::extract::State;
use otel_genai_store::{Filter, ServiceInfo, StoreError, TraceId, TraceQuery, TraceState, TraceSummary};

use super::traces::summary;
use super::transcript::{records, work};
use crate::findings::{health, of_services, of_trace, together};
use crate::http::{Answer, Ask, Failure, json};
use crate::shared::Shared;
use crate::view::{Finding, Findings};

/// So many traces are looked into, the newest,
const TRACES: u32 = 20;
/// of those with at most so many spans: what is wrong shows in small ones too.
const SPANS: u64 = 500;

pub(crate) async fn of_one(State(shared): State<Arc<Shared>>, ask: Ask) -> Answer {
    let id: TraceId = ask.path("trace")?;
    ask.done()?;
    let summary = summary(&shared, id).await?;
    Ok(json(&look_into(&shared, &summary).await?))
}

pub(crate) async fn of_all(State(shared): State<Arc<Shared>>, mut ask: Ask) -> Answer {
    let range = ask.range()?;
    ask.done()?;
    let services = match shared.store.services(range).await {
        // What a store cannot list it cannot be asked about.
        Err(StoreError::Unsupported(_)) => Vec::new(),
        services => services?,
    };
    let newest =
        TraceQuery { filter: Filter { range, ..Filter::default() }, limit: TRACES, ..TraceQuery::default() };
    let mut all = of_services(&services);
    for trace in shared.store.traces(&newest).await?.items {
        if trace.spans <= SPANS {
            all.extend(
                look_into(&shared, &trace).await?.into_iter().filter(|found| is_news(found, &services)),
            );
        }
    }
    let items = together(all);
    let services = health(&services, &items);
    Ok(json(&Findings { items, services }))
}

/// What is wrong in one trace.
async fn look_into(shared: &Shared, trace: &TraceSummary) -> Result<Vec<Finding>, Failure> {
    let (spans, logs) = records(shared, trace).await?;
    // What is missing may be among those that were not looked at.
    let settled = trace.state == TraceState::Done && spans.len() as u64 >= trace.spans;
    work(move || of_trace(&spans, &logs, settled)).await
}

/// What is said of a service as a whole is not said of its traces again.
fn is_news(found: &Finding, services: &[ServiceInfo]) -> bool {
    let of_whole = ["no_service_name", "content_off", "events_expected_no_logs"];
    let is_known = services.iter().any(|service| found.service.as_deref() == Some(&service.name));
    !is_known || !of_whole.contains(&found.code.as_str())
}
