//! What is wrong with what came, and how to fix it.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::extract::State;
use otel_genai_store::{Filter, Range, ServiceInfo, StoreError, TraceId, TraceQuery, TraceSummary};
use tokio::time::Instant;

use super::traces::summary;
use super::transcript::{records, work};
use crate::findings::{Sum, health, is_settled, of_services, of_trace, together};
use crate::http::{Answer, Ask, Failure, json};
use crate::shared::Shared;
use crate::view::{Finding, Findings, Looked};

/// So long traces are looked into for one answer. What was found is remembered: the next answer goes on from there.
const TIME: Duration = Duration::from_secs(1);
/// So many traces are asked for, the newest,
const TRACES: u64 = 10_000;
/// so many at a time.
const PAGE: u32 = 200;
/// Larger ones are not looked into together with others: what is wrong shows in small ones too.
const SPANS: u64 = 5_000;

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
    let (found, looked) = in_traces(&shared, range).await?;
    let news = found.into_iter().filter(|found| is_news(found, &services));
    let items = together(of_services(&services).into_iter().chain(news));
    let services = health(&services, &items);
    Ok(json(&Findings { items, services, looked }))
}

/// What is wrong in the newest traces of this time, as far as there is time to look.
async fn in_traces(shared: &Shared, range: Option<Range>) -> Result<(Vec<Finding>, Looked), Failure> {
    let until = Instant::now() + TIME;
    let filter = Filter { range, ..Filter::default() };
    let mut query = TraceQuery { filter, limit: PAGE, ..TraceQuery::default() };
    let (mut sum, mut looked) = (Sum::default(), Looked { traces: 0, more: false });
    let seen = || shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
    'pages: loop {
        let page = shared.store.traces(&query).await?;
        for trace in &page.items {
            if trace.spans > SPANS {
                looked.more = true;
                continue;
            }
            if !seen().add(trace, &mut sum) {
                if Instant::now() >= until {
                    looked.more = true;
                    break 'pages;
                }
                let found = look_into(shared, trace).await?;
                let mut seen = seen();
                seen.note(trace, found);
                seen.add(trace, &mut sum);
            }
            looked.traces += 1;
        }
        query.cursor = page.next;
        if query.cursor.is_none() {
            break;
        }
        if looked.traces >= TRACES {
            looked.more = true;
            break;
        }
    }
    Ok((sum.done(), looked))
}

/// What is wrong in one trace.
async fn look_into(shared: &Shared, trace: &TraceSummary) -> Result<Vec<Finding>, Failure> {
    let (spans, logs) = records(shared, trace).await?;
    // What is missing may be among those that were not looked at.
    let settled = is_settled(trace) && spans.len() as u64 >= trace.spans;
    work(move || of_trace(&spans, &logs, settled)).await
}

/// What is said of a service as a whole is not said of its traces again.
fn is_news(found: &Finding, services: &[ServiceInfo]) -> bool {
    let of_whole = ["no_service_name", "content_off", "events_expected_no_logs"];
    let is_known = services.iter().any(|service| found.service.as_deref() == Some(&service.name));
    !is_known || !of_whole.contains(&found.code.as_str())
}
