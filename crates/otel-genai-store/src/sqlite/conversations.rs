//! Conversations: the traces that have the same id of one, over all days.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rusqlite::params_from_iter;

use super::filter::{self, Said};
use super::list::{self, MOST_ON_PAGE, may_have};
use super::more::Kind;
use super::reader::{File, Reader};
use super::trace::Found;
use crate::cursor::{Cursor, Position};
use crate::error::StoreError;
use crate::id::{Nanos, TraceId};
use crate::query::{ConversationQuery, Filter, Page};
use crate::summary::{ConversationSummary, TraceSummary};

/// More traces of one conversation are not added up.
const MOST_TRACES: u32 = 10_000;

/// A page of conversations, the one that ended last first. Each stands with the last day on which a trace of it is looked
/// for.
pub(super) fn conversations(
    reader: &mut Reader,
    query: &ConversationQuery,
) -> Result<Page<ConversationSummary>, StoreError> {
    let asked = Cursor::of_query(&("conversations", &query.filter));
    let from = query.cursor.as_ref().map(|cursor| cursor.position(asked)).transpose()?;
    let limit = query.limit.clamp(1, MOST_ON_PAGE) as usize;
    let mut days = reader.days()?;
    days.reverse();
    let mut seen: HashSet<Arc<str>> = HashSet::new();
    let mut page: Vec<(Arc<str>, Position)> = Vec::new();
    let mut said = Said::new(&query.filter)?;
    'days: for day in days {
        if query.filter.range.is_some_and(|range| !may_have(day, range)) {
            continue;
        }
        let Some(file) = reader.file(day)? else { continue };
        let said = said.rows(reader, day)?;
        for (text, end, word) in
            of_day(&file, &query.filter, said.as_deref()).map_err(|error| file.fault(error))?
        {
            if !seen.insert(Arc::clone(&text)) {
                continue;
            }
            let position = Position { value: end, day, row: word };
            let key = |at: Position| (at.day, at.value, at.row);
            if from.is_some_and(|from| key(position) >= key(from)) {
                continue;
            }
            page.push((text, position));
            if page.len() > limit {
                break 'days;
            }
        }
    }
    let more = page.len() > limit;
    page.truncate(limit);
    let next = page.last().filter(|_| more).map(|(_, position)| Cursor::new(*position, asked));
    let ids: Vec<Arc<str>> = page.into_iter().map(|(text, _)| text).collect();
    let mut items = Vec::new();
    for (id, traces) in ids.iter().zip(traces_of(reader, &ids)?) {
        items.extend(ConversationSummary::of(id, &traces));
    }
    Ok(Page { items, next, total: None })
}

/// The conversations of a day that are looked for: text, end and word, the one that ended last first.
fn of_day(file: &File, filter: &Filter, said: Option<&[i64]>) -> rusqlite::Result<Vec<(Arc<str>, i64, i64)>> {
    let Some(conditions) = filter::of_traces(file, filter, said)? else { return Ok(Vec::new()) };
    let sql = format!(
        "SELECT c.word, c.end_ns FROM conversation c WHERE EXISTS(
           SELECT 1 FROM trace_word w JOIN trace ON trace.id = w.trace
           WHERE w.kind = {} AND w.word = c.word AND {})
         ORDER BY c.end_ns DESC, c.word DESC",
        Kind::Conversation as u8,
        conditions.sql()
    );
    let mut find = file.connection.prepare_cached(&sql)?;
    let mut rows = find.query(params_from_iter(&conditions.values))?;
    let mut list = Vec::new();
    let wanted = filter.conversation.as_deref();
    while let Some(row) = rows.next()? {
        let word = row.get(0)?;
        let text = file.word(word)?;
        // A trace may belong to several; only this one is asked for.
        if wanted.is_none_or(|wanted| wanted == text.as_ref()) {
            list.push((text, row.get(1)?, word));
        }
    }
    Ok(list)
}

/// The traces of conversations, oldest first; each once.
fn traces_of(reader: &mut Reader, ids: &[Arc<str>]) -> Result<Vec<Vec<TraceSummary>>, StoreError> {
    let now = Nanos::now();
    let mut found: Vec<HashMap<TraceId, Found>> = ids.iter().map(|_| HashMap::new()).collect();
    for day in reader.days()? {
        let mut of_this: Vec<(usize, TraceId)> = Vec::new();
        {
            let Some(file) = reader.file(day)? else { continue };
            let mut list = || -> rusqlite::Result<()> {
                for (place, id) in ids.iter().enumerate() {
                    let Some(word) = file.id_of(id)? else { continue };
                    let mut find = file.connection.prepare_cached(
                        "SELECT trace_id FROM trace_word JOIN trace ON trace.id = trace_word.trace
                         WHERE kind = ? AND word = ? ORDER BY start_ns LIMIT ?",
                    )?;
                    let mut rows = find.query((Kind::Conversation as u8, word, MOST_TRACES))?;
                    while let Some(row) = rows.next()? {
                        of_this.extend(TraceId::new(row.get_ref(0)?.as_blob()?).map(|trace| (place, trace)));
                    }
                }
                Ok(())
            };
            list().map_err(|error| file.fault(error))?;
        }
        for (place, trace) in of_this {
            let Some(traces) = found.get_mut(place) else { continue };
            if traces.len() < MOST_TRACES as usize && !traces.contains_key(&trace) {
                traces.extend(list::whole(reader, day, trace)?.map(|(found, _)| (trace, found)));
            }
        }
    }
    let in_order = |traces: HashMap<TraceId, Found>| {
        let mut traces: Vec<TraceSummary> = traces.into_values().map(|found| found.done(now)).collect();
        traces.sort_by_key(|trace| (trace.start, trace.id));
        traces
    };
    Ok(found.into_iter().map(in_order).collect())
}

/// The traces of one conversation, oldest first.
pub(super) fn conversation(
    reader: &mut Reader,
    id: &str,
    limit: u32,
) -> Result<Vec<TraceSummary>, StoreError> {
    let mut traces = traces_of(reader, &[id.into()])?.pop().unwrap_or_default();
    traces.truncate(limit as usize);
    Ok(traces)
}
