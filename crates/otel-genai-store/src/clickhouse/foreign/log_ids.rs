//! The ids of log records, which the tables do not have: made of when the record was and what it says, so that one that was in
//! a link is found whenever it is asked for, by any process.

use prost::Message as _;

use super::load::Loader;
use crate::error::StoreError;
use crate::id::{LogId, Nanos};
use crate::log::LogRecord;
use crate::query::{Hit, LogQuery, Page, Range};
use crate::store::Store as _;

/// So many bits of an id tell what the record says; those before them, when on its day it was, in nanoseconds.
const SAYS: u32 = 16;

/// The id by which others know a record.
pub(super) fn of(log: &LogRecord) -> LogId {
    let hash = blake3::hash(&log.to_otlp().encode_to_vec());
    let says = hash.as_bytes().first_chunk().map_or(0, |bytes| u16::from_le_bytes(*bytes));
    let moment = log.moment();
    let of_day = moment.0.saturating_sub(log.id.day.start().0);
    let row = i64::try_from(of_day << SAYS).unwrap_or(i64::MAX) | i64::from(says);
    LogId { row: row.max(1), ..log.id }
}

impl Loader {
    /// Reads the record with an id.
    pub(super) async fn log(&self, id: LogId) -> Result<Page<LogRecord>, StoreError> {
        let of_day = u64::try_from(id.row >> SAYS).unwrap_or_default();
        let moment = id.day.start().0.saturating_add(of_day);
        let range = Range { from: Nanos(moment), to: Nanos(moment.saturating_add(1)) };
        for whole in [false, true] {
            let _read = if whole { self.traces_at(moment).await? } else { self.range(Some(range)).await? };
            let mut query = LogQuery { range: Some(range), limit: 500, ..LogQuery::default() };
            loop {
                let page = self.scratch.logs(&query).await?;
                if let Some(mut log) = page.items.into_iter().find(|log| of(log) == id) {
                    log.id = id;
                    return Ok(Page { items: vec![log], next: None, total: None });
                }
                query.cursor = page.next;
                if query.cursor.is_none() {
                    break;
                }
            }
        }
        Ok(Page { items: Vec::new(), next: None, total: None })
    }

    /// Gives what was found the ids by which others know it.
    pub(super) async fn with_ids(&self, mut page: Page<Hit>) -> Result<Page<Hit>, StoreError> {
        for hit in &mut page.items {
            if let Hit::Log { id, .. } = hit {
                let query = LogQuery { id: Some(*id), limit: 1, ..LogQuery::default() };
                if let Some(log) = self.scratch.logs(&query).await?.items.first() {
                    *id = of(log);
                }
            }
        }
        Ok(page)
    }
}

/// The same of a page of records.
pub(super) fn known(mut page: Page<LogRecord>) -> Page<LogRecord> {
    page.items.iter_mut().for_each(|log| log.id = of(log));
    page
}
