//! Conversations: the traces that have the same id of one.

use std::collections::{BTreeSet, HashMap};
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
/// So many traces are told at a time.
const AT_A_TIME: usize = 500;
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
        let (fit, mut all) = list::fitting(&query.filter, &self.dictionary)?;
        // A trace may belong to several; only this one is asked for.
        let wanted: Vec<String> = query.filter.conversation.iter().cloned().collect();
        all.any("conversation", &wanted);
        let behind =
            from.map_or("1".to_owned(), |from| format!("(ended, tie) < ({}, {})", from.value, from.row));
        let sql = format!(
            "SELECT conversation, max(t.end) AS ended, {TIE} AS tie
             FROM ({MEMBERS} AND {since}) AS m JOIN ({fit}) AS t ON t.trace_id = m.trace_id WHERE {}
             GROUP BY conversation HAVING {behind} ORDER BY ended DESC, tie DESC LIMIT {}",
            all.sql(),
            limit + 1,
            since = list::since(&query.filter),
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
        let mut members = self.members(&page, MOST_TRACES).await?;
        let (mut items, mut some, mut traces) = (Vec::new(), Vec::new(), BTreeSet::new());
        for (at, id) in page.iter().enumerate() {
            let of = members.remove(id.as_ref()).unwrap_or_default();
            traces.extend(of.iter().copied());
            some.push((id, of));
            if traces.len() >= AT_A_TIME || at + 1 == page.len() {
                let told = self.told_by_id(std::mem::take(&mut traces)).await?;
                for (id, of) in some.drain(..) {
                    let of: Vec<TraceSummary> =
                        of.iter().filter_map(|trace| told.get(trace).cloned()).collect();
                    items.extend(ConversationSummary::of(id, &of));
                }
            }
        }
        Ok(Page { items, next, total: None })
    }

    /// The traces of one conversation, oldest first.
    pub(super) async fn conversation(&self, id: &str, limit: u32) -> Result<Vec<TraceSummary>, StoreError> {
        let members =
            self.members(&[id.into()], limit.min(MOST_TRACES)).await?.remove(id).unwrap_or_default();
        let mut told = self.told_by_id(members.iter().copied().collect()).await?;
        Ok(members.iter().filter_map(|trace| told.remove(trace)).collect())
    }

    /// The first traces of conversations, oldest first.
    async fn members(
        &self,
        ids: &[Arc<str>],
        most: u32,
    ) -> Result<HashMap<String, Vec<TraceId>>, StoreError> {
        let mut all = Where::default();
        let names: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let mut members: HashMap<String, Vec<TraceId>> = HashMap::new();
        let Some(wanted) = all.any_of("conversation", &names) else { return Ok(members) };
        let sql = format!(
            "SELECT conversation, trace_id FROM ({}) AS m JOIN (
               SELECT trace_id, min(start_ns) AS start FROM trace
               WHERE trace_id IN (SELECT trace_id FROM span WHERE {wanted}) GROUP BY trace_id) AS t USING trace_id
             ORDER BY conversation, start, trace_id LIMIT {most} BY conversation",
            MEMBERS.replace("conversation != ''", &wanted)
        );
        self.each::<Member>(all.query(self, &sql), |member| {
            members.entry(member.conversation).or_default().extend(TraceId::new(&member.trace_id));
            Ok(())
        })
        .await?;
        Ok(members)
    }

    /// Traces by their ids.
    async fn told_by_id(&self, ids: BTreeSet<TraceId>) -> Result<HashMap<TraceId, TraceSummary>, StoreError> {
        let ids: Vec<TraceId> = ids.into_iter().collect();
        let told = self.summaries(&ids).await?;
        Ok(told.into_iter().map(|summary| (summary.id, summary)).collect())
    }
}
