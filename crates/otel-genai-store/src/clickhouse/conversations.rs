//! Conversations: the traces that have the same id of one.

use std::collections::HashMap;
use std::sync::Arc;

use clickhouse::Row;
use serde::Deserialize;

use super::list;
use super::read::{Db, MOST_ON_PAGE, Where};
use crate::cursor::{Cursor, Position};
use crate::error::StoreError;
use crate::id::{Day, TraceId};
use crate::query::{ConversationQuery, Page};
use crate::summary::{ConversationSummary, TraceSummary};

/// More traces of one conversation are not added up.
const MOST_TRACES: u32 = 10_000;
/// Which traces have which conversation.
const MEMBERS: &str = "SELECT DISTINCT conversation, trace_id FROM span WHERE conversation != ''";
/// The number by which conversations that ended at the same moment are put in order.
const TIE: &str = "reinterpretAsInt64(sipHash64(conversation))";

#[derive(Row, Deserialize)]
struct Found {
    conversation: String,
    ended: i64,
    tie: i64,
}

#[derive(Row, Deserialize)]
struct Member {
    conversation: String,
    trace_id: [u8; 16],
}

impl Db {
    /// A page of conversations, the one that ended last first, as far as its traces are asked for.
    pub(super) async fn conversations(
        &self,
        query: &ConversationQuery,
    ) -> Result<Page<ConversationSummary>, StoreError> {
        let asked = Cursor::of_query(&("conversations", &query.filter));
        let from = query.cursor.as_ref().map(|cursor| cursor.position(asked)).transpose()?;
        let limit = query.limit.clamp(1, MOST_ON_PAGE) as usize;
        let (fit, mut all) = list::fitting(&query.filter)?;
        // A trace may belong to several; only this one is asked for.
        let wanted: Vec<String> = query.filter.conversation.iter().cloned().collect();
        all.any("conversation", &wanted);
        let behind =
            from.map_or("1".to_owned(), |from| format!("(ended, tie) < ({}, {})", from.value, from.row));
        let sql = format!(
            "SELECT conversation, max(t.end) AS ended, {TIE} AS tie
             FROM ({MEMBERS}) AS m JOIN ({fit}) AS t ON t.trace_id = m.trace_id WHERE {}
             GROUP BY conversation HAVING {behind} ORDER BY ended DESC, tie DESC LIMIT {}",
            all.sql(),
            limit + 1
        );
        let (mut page, mut last, mut more) = (Vec::new(), None, false);
        self.each::<Found>(all.query(self, &sql), |found| {
            if page.len() == limit {
                more = true;
                return Ok(());
            }
            last = Some(Position { value: found.ended, day: Day(0), row: found.tie });
            page.push(Arc::from(found.conversation));
            Ok(())
        })
        .await?;
        let next = last.filter(|_| more).map(|position| Cursor::new(position, asked));
        let traces = self.traces_with(&page).await?;
        let items = page.iter().zip(&traces).filter_map(|(id, traces)| ConversationSummary::of(id, traces));
        Ok(Page { items: items.collect(), next, total: None })
    }

    /// The traces of one conversation, oldest first.
    pub(super) async fn conversation(&self, id: &str, limit: u32) -> Result<Vec<TraceSummary>, StoreError> {
        let mut traces = self.traces_with(&[id.into()]).await?.pop().unwrap_or_default();
        traces.truncate(limit as usize);
        Ok(traces)
    }

    /// The traces of conversations, oldest first.
    async fn traces_with(&self, ids: &[Arc<str>]) -> Result<Vec<Vec<TraceSummary>>, StoreError> {
        let mut all = Where::default();
        let names: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let Some(wanted) = all.any_of("conversation", &names) else { return Ok(Vec::new()) };
        let members = MEMBERS.replace("conversation != ''", &wanted);
        let sql = format!("SELECT * FROM ({members}) LIMIT {MOST_TRACES} BY conversation");
        let mut members: HashMap<String, Vec<TraceId>> = HashMap::new();
        self.each::<Member>(all.query(self, &sql), |member| {
            members.entry(member.conversation).or_default().extend(TraceId::new(&member.trace_id));
            Ok(())
        })
        .await?;
        let mut told = Vec::with_capacity(ids.len());
        for id in ids {
            let mut traces = match members.get(id.as_ref()) {
                Some(members) => self.summaries(members).await?,
                None => Vec::new(),
            };
            traces.sort_by_key(|trace| (trace.start, trace.id));
            told.push(traces);
        }
        Ok(told)
    }
}
