//! Calls added up: whole quarters of an hour from sums, the rest call by call.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range as Span;
use std::sync::Arc;

use rusqlite::params_from_iter;
use rusqlite::types::Value;

use super::count::STEP;
use super::filter::{self, Said, Where, Words, containing, int, nanos};
use super::list::may_have;
use super::more::Kind;
use super::reader::{File, Reader};
use super::search;
use super::settle::WRAPPER;
use super::sums::{self, Call, Names, Sums};
use super::told;
use crate::error::StoreError;
use crate::facts::{Dialect, Op};
use crate::id::{Nanos, TraceId};
use crate::query::{Dimension, Filter, StatsQuery, StatsRow};

/// What a row is of: a step of time, and a word for each dimension.
type Key<T> = (Option<u64>, Vec<T>);

/// Sums, and why models stopped in words.
#[derive(Default)]
struct Total {
    sums: Sums,
    finish: BTreeMap<Arc<str>, u64>,
}

/// Sums of the calls that a query asks for.
pub(super) fn stats(reader: &mut Reader, query: &StatsQuery) -> Result<Vec<StatsRow>, StoreError> {
    let step = query.step.map(nanos);
    if step == Some(0) {
        return Err(StoreError::BadQuery("a step of time must be longer than 0".to_owned()));
    }
    if query.filter.genai == Some(false) {
        return Ok(Vec::new());
    }
    let range = query.filter.range.map_or(0..u64::MAX, |range| range.from.0..range.to.0);
    let by_sums = sums_tell(query);
    let (closed, open) =
        if by_sums { (whole(&range), whole(&opened(&range))) } else { (none(&range), none(&range)) };
    let mut totals: HashMap<Key<Option<Arc<str>>>, Total> = HashMap::new();
    let mut said = Said::new(&query.filter)?;
    for day in reader.days()? {
        if query.filter.range.is_some_and(|range| !may_have(day, range)) {
            continue;
        }
        let Some(file) = reader.file(day)? else { continue };
        let said = said.rows(reader, day)?;
        let mut groups: HashMap<Key<i64>, Sums> = HashMap::new();
        let mut add = || -> rusqlite::Result<()> {
            let Some(words) = filter::words(&file, &query.filter)? else { return Ok(()) };
            // A day up to now ends within a quarter, but nothing comes behind it: that may be where most of it came.
            let is_open = open.end > closed.end && nothing_begins(&file, range.end..open.end)?;
            let whole = if is_open { &open } else { &closed };
            if whole.start < whole.end {
                of_sums(&file, whole, &words, query, &mut groups)?;
            }
            for rest in [range.start..whole.start.max(range.start), whole.end.max(range.start)..range.end] {
                for tables in [sums::TABLES, told::TABLES] {
                    if rest.start < rest.end {
                        of_calls((&file, tables), &rest, &words, said.as_deref(), query, &mut groups)?;
                    }
                }
            }
            for ((at, ids), sums) in groups.drain() {
                let words = query.by.iter().zip(ids).map(|(by, id)| text(&file, *by, id));
                let total = totals.entry((at, words.collect::<rusqlite::Result<_>>()?)).or_default();
                total.sums.merge_numbers(&sums);
                for (word, count) in sums.finish {
                    *total.finish.entry(file.word(word)?).or_default() += count;
                }
            }
            Ok(())
        };
        add().map_err(|error| file.fault(error))?;
    }
    let mut rows: Vec<StatsRow> = totals.into_iter().map(|(key, total)| row(query, key, total)).collect();
    StatsRow::put_in_order(&mut rows);
    Ok(rows)
}

/// Whether quarters of an hour tell what a query asks for.
fn sums_tell(query: &StatsQuery) -> bool {
    let Filter { conversation, dialect, error, min_duration, max_duration, text, name, .. } = &query.filter;
    let plain =
        conversation.is_none() && dialect.is_empty() && error.is_none() && text.is_none() && name.is_none();
    plain
        && min_duration.is_none()
        && max_duration.is_none()
        && query.step.is_none_or(|step| nanos(step).is_multiple_of(STEP))
        && query.by.iter().all(|by| !matches!(by, Dimension::Conversation | Dimension::Dialect))
}

/// The whole quarters of an hour in a stretch of time.
fn whole(range: &Span<u64>) -> Span<u64> {
    let start = range.start.checked_next_multiple_of(STEP).unwrap_or(u64::MAX);
    // Without an end the last quarter is whole.
    let end = if range.end > i64::MAX.cast_unsigned() { u64::MAX } else { range.end - range.end % STEP };
    if start < end { start..end } else { none(range) }
}

fn none(range: &Span<u64>) -> Span<u64> {
    range.start..range.start
}

/// The same stretch up to the end of the quarter in which it ends.
fn opened(range: &Span<u64>) -> Span<u64> {
    range.start..range.end.checked_next_multiple_of(STEP).unwrap_or(u64::MAX)
}

/// Whether no call begins in this time.
fn nothing_begins(file: &File, range: Span<u64>) -> rusqlite::Result<bool> {
    let begins = |table: &str| {
        let sql =
            format!("SELECT EXISTS(SELECT 1 FROM {table} WHERE op < 30 AND start_ns >= ? AND start_ns < ?)");
        let mut find = file.connection.prepare_cached(&sql)?;
        find.query_row([int(range.start), int(range.end)], |row| row.get::<_, bool>(0))
    };
    Ok(!begins("span")? && !begins("told")?)
}

fn key(query: &StatsQuery, at: u64, names: &Names, conversation: i64, dialect: u8) -> Key<i64> {
    let step = query.step.map(|step| at - at % nanos(step).max(1));
    let id = |by: &Dimension| match by {
        Dimension::Op => i64::from(names.op),
        Dimension::Service => names.service,
        Dimension::Provider => names.provider,
        Dimension::Model => names.model,
        Dimension::Agent => names.agent,
        Dimension::Tool => names.tool,
        Dimension::Conversation => conversation,
        Dimension::Dialect => i64::from(dialect),
    };
    (step, query.by.iter().map(id).collect())
}

fn text(file: &File, by: Dimension, id: i64) -> rusqlite::Result<Option<Arc<str>>> {
    let number = || u8::try_from(id).ok();
    Ok(match by {
        _ if id == 0 => None,
        Dimension::Op => number().and_then(Op::from_number).map(|op| op.as_str().into()),
        Dimension::Dialect => number().and_then(Dialect::from_number).map(|dialect| dialect.as_str().into()),
        _ => Some(file.word(id)?),
    })
}

fn of_sums(
    file: &File,
    range: &Span<u64>,
    words: &Words,
    query: &StatsQuery,
    groups: &mut HashMap<Key<i64>, Sums>,
) -> rusqlite::Result<()> {
    let mut all = Where::default();
    all.and("at >= ? AND at < ?", [int(range.start), int(range.end)]);
    for (kind, ids) in words {
        let column = match kind {
            Kind::Op => "op",
            Kind::Service => "service",
            Kind::Provider => "provider",
            Kind::Model => "model",
            Kind::Agent => "agent",
            Kind::Tool => "tool",
            Kind::Conversation | Kind::Dialect => continue,
        };
        all.and_in(column, ids.clone());
    }
    let sql =
        format!("SELECT at, op, service, provider, model, agent, tool, body FROM sums WHERE {}", all.sql());
    let mut find = file.connection.prepare_cached(&sql)?;
    let mut rows = find.query(params_from_iter(&all.values))?;
    while let Some(row) = rows.next()? {
        let at = u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0);
        let names = Names {
            op: row.get(1)?,
            service: row.get(2)?,
            provider: row.get(3)?,
            model: row.get(4)?,
            agent: row.get(5)?,
            tool: row.get(6)?,
        };
        if let Some(sums) = Sums::decode(row.get_ref(7)?.as_blob()?) {
            groups.entry(key(query, at, &names, 0, 0)).or_default().merge(&sums);
        }
    }
    Ok(())
}

/// Calls one by one: those of spans, or those that only log records tell of.
fn of_calls(
    (file, tables): (&File, &str),
    range: &Span<u64>,
    words: &Words,
    said: Option<&[i64]>,
    query: &StatsQuery,
    groups: &mut HashMap<Key<i64>, Sums>,
) -> rusqlite::Result<()> {
    let mut all = Where::default();
    all.and("s.op < 30 AND s.start_ns >= ? AND s.start_ns < ?", [int(range.start), int(range.end)]);
    all.and(format!("s.state = 0 AND NOT s.flags & {WRAPPER}"), []);
    for (kind, ids) in words {
        let column = match kind {
            Kind::Op => "s.op",
            Kind::Service => "o.service",
            Kind::Provider => "s.provider",
            Kind::Model => "ifnull(s.resp_model, s.req_model)",
            Kind::Agent => "s.agent",
            Kind::Tool => "s.tool",
            Kind::Conversation => "s.conv",
            Kind::Dialect => "s.dialect",
        };
        all.and_in(column, ids.clone());
    }
    let Filter { error, min_duration, max_duration, name, .. } = &query.filter;
    if let Some(error) = error {
        all.and("(s.status = 2 OR s.error IS NOT NULL) = ?", [Value::Integer(i64::from(*error))]);
    }
    if let Some(least) = min_duration {
        all.and("max(s.end_ns - s.start_ns, 0) >= ?", [int(nanos(*least))]);
    }
    if let Some(most) = max_duration {
        all.and("max(s.end_ns - s.start_ns, 0) <= ?", [int(nanos(*most))]);
    }
    if let Some(name) = name {
        all.and("s.name IN (SELECT id FROM word WHERE text LIKE ? ESCAPE '\\')", [containing(name)]);
    }
    if let Some(rows) = said {
        // Words are those of the trace.
        let condition = format!("s.trace IN (SELECT id FROM trace WHERE {})", search::IN_LIST);
        all.and(condition, [search::list(rows)]);
    }
    let sql = format!("SELECT {} FROM {} WHERE {}", sums::COLUMNS, tables, all.sql());
    let mut find = file.connection.prepare_cached(&sql)?;
    let mut rows = find.query(params_from_iter(&all.values))?;
    while let Some(row) = rows.next()? {
        let call = Call::read(row)?;
        let key = key(query, call.start, &call.names, call.conversation, call.dialect);
        groups.entry(key).or_default().add(&call);
    }
    Ok(())
}

fn row(query: &StatsQuery, (at, words): Key<Option<Arc<str>>>, Total { sums, finish }: Total) -> StatsRow {
    let mut finish: Vec<(Arc<str>, u64)> = finish.into_iter().collect();
    finish.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    StatsRow {
        at: at.map(Nanos),
        key: query.by.iter().copied().zip(words).collect(),
        calls: sums.calls,
        errors: sums.errors,
        usage: sums.usage,
        cost: sums.told_cost(),
        unpriced: sums.unpriced,
        duration: sums.duration,
        first_chunk: sums.first_chunk,
        output_rate: sums.rate,
        finish,
    }
}

/// The values of a dimension among traces, and how many traces have each.
pub(super) fn facets(
    reader: &mut Reader,
    filter: &Filter,
    dimension: Dimension,
    limit: u32,
) -> Result<Vec<(Arc<str>, u64)>, StoreError> {
    let kind = match dimension {
        Dimension::Op => Kind::Op,
        Dimension::Service => Kind::Service,
        Dimension::Provider => Kind::Provider,
        Dimension::Model => Kind::Model,
        Dimension::Agent => Kind::Agent,
        Dimension::Tool => Kind::Tool,
        Dimension::Conversation => Kind::Conversation,
        Dimension::Dialect => Kind::Dialect,
    } as u8;
    let mut counts: HashMap<Arc<str>, u64> = HashMap::new();
    // Those over midnight are told by two files.
    let mut over: HashSet<(Arc<str>, TraceId)> = HashSet::new();
    let mut said = Said::new(filter)?;
    for day in reader.days()? {
        if filter.range.is_some_and(|range| !may_have(day, range)) {
            continue;
        }
        let Some(file) = reader.file(day)? else { continue };
        let said = said.rows(reader, day)?;
        let mut add = || -> rusqlite::Result<()> {
            let Some(conditions) = filter::of_traces(&file, filter, said.as_deref())? else { return Ok(()) };
            let of = |also: &str, what: &str| {
                format!(
                    "SELECT {what} FROM trace_word JOIN trace ON trace.id = trace_word.trace
                     WHERE kind = {kind} AND {also} AND {}",
                    conditions.sql()
                )
            };
            let sql = format!("{} GROUP BY word", of("also = 0", "word, count(*)"));
            let mut find = file.connection.prepare_cached(&sql)?;
            let mut rows = find.query(params_from_iter(&conditions.values))?;
            while let Some(row) = rows.next()? {
                if let Some(text) = text(&file, dimension, row.get(0)?)? {
                    *counts.entry(text).or_default() += u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0);
                }
            }
            let mut find = file.connection.prepare_cached(&of("also > 0", "word, trace_id"))?;
            let mut rows = find.query(params_from_iter(&conditions.values))?;
            while let Some(row) = rows.next()? {
                let text = text(&file, dimension, row.get(0)?)?;
                over.extend(text.zip(TraceId::new(row.get_ref(1)?.as_blob()?)));
            }
            Ok(())
        };
        add().map_err(|error| file.fault(error))?;
    }
    for (text, _) in over {
        *counts.entry(text).or_default() += 1;
    }
    let mut facets: Vec<(Arc<str>, u64)> = counts.into_iter().collect();
    facets.sort_by(|(text, count), (other, others)| others.cmp(count).then_with(|| text.cmp(other)));
    facets.truncate(limit as usize);
    Ok(facets)
}
