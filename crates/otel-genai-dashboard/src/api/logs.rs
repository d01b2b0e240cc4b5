//! Log records.

use std::str::FromStr;
use std::sync::Arc;

use axum::extract::State;
use otel_genai_store::{LogId, LogQuery, LogRecord, TraceId};

use super::span::whole;
use crate::http::{Answer, Ask, Failure, json};
use crate::shared::Shared;
use crate::view::{List, LogDetail, LogRow, escape};

pub(crate) async fn list(State(shared): State<Arc<Shared>>, mut ask: Ask) -> Answer {
    let query = LogQuery {
        range: ask.range()?,
        trace: ask.read("trace")?,
        span: ask.read("span")?,
        event: ask.all("event"),
        min_severity: ask.read::<Severity>("severity")?.map(|severity| severity.0),
        service: ask.all("service"),
        text: ask.text("q")?,
        limit: ask.limit(50, 500)?,
        cursor: ask.cursor()?,
        ..LogQuery::default()
    };
    ask.done()?;
    answer(&shared, &query).await
}

pub(crate) async fn of_trace(State(shared): State<Arc<Shared>>, mut ask: Ask) -> Answer {
    let trace: TraceId = ask.path("trace")?;
    let query = LogQuery {
        trace: Some(trace),
        limit: ask.limit(50, 500)?,
        cursor: ask.cursor()?,
        ..LogQuery::default()
    };
    ask.done()?;
    answer(&shared, &query).await
}

async fn answer(shared: &Shared, query: &LogQuery) -> Answer {
    let page = shared.store.logs(query).await?;
    Ok(json(&List::<LogRow>::page(&page)))
}

pub(crate) async fn one(State(shared): State<Arc<Shared>>, ask: Ask) -> Answer {
    let id: LogId = ask.path("log")?;
    ask.done()?;
    let log = find(&shared, id).await?;
    let more = |key: Option<&str>| {
        let key = key.map(|key| format!("?key={}", escape(key))).unwrap_or_default();
        format!("/api/v1/logs/{id}/value{key}")
    };
    Ok(json(&LogDetail::of(&log, more)))
}

/// A value in full; without a key the body.
pub(crate) async fn value(State(shared): State<Arc<Shared>>, mut ask: Ask) -> Answer {
    let id: LogId = ask.path("log")?;
    let key = ask.text("key")?;
    ask.done()?;
    let log = find(&shared, id).await?;
    let held = match &key {
        Some(key) => log.attributes.get(key),
        None => log.body.as_ref(),
    };
    let what = key.as_deref().unwrap_or("body");
    held.map(whole).ok_or_else(|| Failure::not_found(format!("the log record {id} has no {what:?}")))
}

async fn find(shared: &Shared, id: LogId) -> Result<LogRecord, Failure> {
    let query = LogQuery { id: Some(id), limit: 1, ..LogQuery::default() };
    let found = shared.store.logs(&query).await?.items.into_iter().next();
    found.ok_or_else(|| Failure::not_found(format!("there is no log record {id}")))
}

/// The least severity, by OTLP's number or by its word.
struct Severity(i32);

impl FromStr for Severity {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(match text.to_ascii_lowercase().as_str() {
            "trace" => 1,
            "debug" => 5,
            "info" => 9,
            "warn" | "warning" => 13,
            "error" => 17,
            "fatal" => 21,
            number => number
                .parse()
                .ok()
                .filter(|number| (0..=24).contains(number))
                .ok_or("trace, debug, info, warn, error, fatal or a number up to 24 is meant")?,
        }))
    }
}
