//! The services that were heard.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use clickhouse::Row;
use serde::Deserialize;

use super::calls::{self, ops};
use super::list::moment;
use super::read::Db;
use crate::error::StoreError;
use crate::facts::{ContentState, Dialect, Op};
use crate::heard::{Counts, Service};
use crate::query::{Range, ServiceInfo};

/// What was heard of an origin in one dialect.
#[derive(Row, Deserialize)]
struct Heard {
    origin: [u8; 16],
    dialect: u8,
    spans: u64,
    logs: u64,
    calls: u64,
    content: u64,
    since: i64,
    until: i64,
}

impl Db {
    /// The services that were heard in this time, by whole hours.
    pub(super) async fn services(&self, range: Option<Range>) -> Result<Vec<ServiceInfo>, StoreError> {
        let hours = calls::hours(range);
        // Of spans that run those whose end is not there; which is looked for among the few that run.
        let runs = format!(
            "(state = 1 AND (trace_id, span_id) NOT IN (SELECT trace_id, span_id FROM span WHERE state = 0 AND trace_id IN
               (SELECT trace_id FROM span WHERE state = 1 AND {hours})))"
        );
        let sql = format!(
            "WITH state = 0 AND {inference} AS is_call
             SELECT origin, dialect, countIf(state = 0) + uniqExactIf((trace_id, span_id), {runs}) AS spans,
               toUInt64(0) AS logs, countIf(is_call) AS calls,
               countIf(is_call AND content IN ({here}, {elsewhere})) AS content,
               min(start_ns) AS since, max(start_ns) AS until
             FROM span FINAL WHERE {hours} AND state < 2 GROUP BY origin, dialect
             UNION ALL
             SELECT origin, toUInt8(0) AS dialect, toUInt64(0) AS spans, count() AS logs, toUInt64(0) AS calls,
               toUInt64(0) AS content, min(time_ns) AS since, max(time_ns) AS until
             FROM log FINAL WHERE {hours} GROUP BY origin
             UNION ALL
             SELECT origin, dialect, toUInt64(0) AS spans, toUInt64(0) AS logs, count() AS calls,
               countIf(trace_id IN (SELECT trace_id FROM log WHERE {hours} AND content IN ({here}, {elsewhere})
                 AND trace_id IN (SELECT trace_id FROM span WHERE {hours} AND state = 2))) AS content,
               min(end_ns) AS since, max(end_ns) AS until
             FROM span FINAL WHERE {hours} AND state = 2 AND {inference} AND {once} GROUP BY origin, dialect",
            once = calls::once(&hours),
            inference = ops(Op::is_inference),
            here = ContentState::Here as u8,
            elsewhere = ContentState::ByReference as u8,
        );
        let mut heard: Vec<Heard> = Vec::new();
        self.each::<Heard>(self.client.query_raw(&sql), |line| {
            heard.push(line);
            Ok(())
        })
        .await?;
        let origins: BTreeSet<[u8; 16]> = heard.iter().map(|heard| heard.origin).collect();
        let shelf = self.origins(&origins).await?;
        let mut all: BTreeMap<Arc<str>, Service> = BTreeMap::new();
        for line in &heard {
            let origin = shelf.origin(&line.origin)?;
            let counts = Counts {
                spans: line.spans,
                logs: line.logs,
                points: 0,
                calls: line.calls,
                with_content: line.content,
            };
            let service = all.entry(Arc::clone(&origin.resource.service)).or_default();
            let times = (moment(line.since).0, moment(line.until).0);
            service.add(&origin, Dialect::from_number(line.dialect), counts, times);
        }
        Ok(all.into_iter().map(|(name, service)| service.info(name)).collect())
    }
}
