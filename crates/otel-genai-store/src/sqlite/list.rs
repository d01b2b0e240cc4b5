//! Traces in lists. One that went on over midnight has a row in the file of each of its days, and is told with the first.

use rusqlite::types::Value;
use rusqlite::{OptionalExtension as _, Row, params_from_iter};

use super::filter::{self, Said, nanos};
use super::reader::{File, Reader};
use super::segment::number;
use super::trace::{self, BEGAN, Found, GOES_ON};
use crate::cursor::{Cursor, Position};
use crate::error::StoreError;
use crate::id::{Day, Nanos, TraceId};
use crate::query::{Filter, Page, Range, TraceQuery, TraceSort};
use crate::summary::TraceSummary;

/// A page has at most so many items.
pub(super) const MOST_ON_PAGE: u32 = 500;

/// A trace that may be on the page.
struct Candidate {
    value: i64,
    day: Day,
    found: Found,
}

/// A page of traces.
pub(super) fn traces(reader: &mut Reader, query: &TraceQuery) -> Result<Page<TraceSummary>, StoreError> {
    let TraceQuery { filter, sort, ascending, .. } = query;
    let asked = Cursor::of_query(&(filter, sort, ascending));
    let from = query.cursor.as_ref().map(|cursor| cursor.position(asked)).transpose()?;
    if query.limit == 0 {
        return Ok(Page { items: Vec::new(), next: None, total: Some(count(reader, filter)?) });
    }
    let limit = query.limit.clamp(1, MOST_ON_PAGE) as usize;
    let by_start = *sort == TraceSort::Start;
    let mut days = reader.days()?;
    if let Some(range) = filter.range {
        days.retain(|day| may_have(*day, range));
    }
    if !ascending {
        days.reverse();
    }
    let mut all: Vec<Candidate> = Vec::new();
    let mut said = Said::new(filter)?;
    for day in days {
        if by_start && from.is_some_and(|from| if *ascending { day < from.day } else { day > from.day }) {
            continue;
        }
        of_file(reader, &mut said, day, query, (from, limit + 1), &mut all)?;
        if by_start && all.len() > limit {
            break;
        }
    }
    // By start whole days come one after the other, so that not all have to be read.
    let key = |one: &Candidate| {
        let Candidate { value, day, found } = one;
        if by_start { (i64::from(day.0), *value, 0, found.row) } else { (*value, 0, day.0, found.row) }
    };
    all.sort_by(|one, other| if *ascending { key(one).cmp(&key(other)) } else { key(other).cmp(&key(one)) });
    let more = all.len() > limit;
    all.truncate(limit);
    let last = all.last().map(|last| Position { value: last.value, day: last.day, row: last.found.row });
    let now = Nanos::now();
    Ok(Page {
        items: all.into_iter().map(|candidate| candidate.found.done(now)).collect(),
        next: last.filter(|_| more).map(|position| Cursor::new(position, asked)),
        total: None,
    })
}

/// Whether records of this time may be in the file of this day.
pub(super) fn may_have(day: Day, range: Range) -> bool {
    // A trace that began earlier is told there.
    (Day::of(range.from)..=Day::of(range.to)).contains(&day)
}

/// The first so many of a day, behind a position.
fn of_file(
    reader: &mut Reader,
    said: &mut Said,
    day: Day,
    query: &TraceQuery,
    (from, limit): (Option<Position>, usize),
    all: &mut Vec<Candidate>,
) -> Result<(), StoreError> {
    let Some(file) = reader.file(day)? else { return Ok(()) };
    let told = |error| file.fault(error);
    let said = said.rows(reader, day)?;
    let by = value_sql(query);
    let (sign, order) = if query.ascending { (">", "ASC") } else { ("<", "DESC") };
    if let Some(mut conditions) = filter::of_traces(&file, &query.filter, said.as_deref()).map_err(told)? {
        conditions.and("also = 0", []);
        if let Some(from) = from {
            let values: [Value; 2] = [from.value.into(), from.row.into()];
            match (day.cmp(&from.day), query.sort) {
                (std::cmp::Ordering::Equal, _) => conditions.and(format!("({by}, id) {sign} (?, ?)"), values),
                (_, TraceSort::Start) => {}
                // Of equal values those of a later day come later.
                (order, _) => {
                    let behind = (order == std::cmp::Ordering::Greater) == query.ascending;
                    let equal = if behind { "=" } else { "" };
                    conditions.and(format!("{by} {sign}{equal} ?"), [from.value.into()]);
                }
            }
        }
        let sql = format!(
            "SELECT {} FROM trace WHERE {} ORDER BY {by} {order}, id {order} LIMIT {limit}",
            trace::COLUMNS,
            conditions.sql()
        );
        let mut find = file.connection.prepare_cached(&sql).map_err(told)?;
        let mut rows = find.query(params_from_iter(&conditions.values)).map_err(told)?;
        while let Some(row) = rows.next().map_err(told)? {
            if let Some(found) = read(&file, row)? {
                all.push(Candidate { value: value(&found, query), day, found });
            }
        }
    }
    over_midnight(reader, &file, &query.filter, said.as_deref(), |found| {
        let value = value(&found, query);
        let behind = from.is_none_or(|from| {
            let by_start = query.sort == TraceSort::Start;
            let key = |value, day: Day, row| {
                if by_start { (i64::from(day.0), value, 0, row) } else { (value, 0, day.0, row) }
            };
            let (here, there) = (key(value, day, found.row), key(from.value, from.day, from.row));
            if query.ascending { here > there } else { here < there }
        });
        if behind {
            all.push(Candidate { value, day, found });
        }
    })
}

/// The traces over midnight that a filter means, each with its first day: one file alone does not tell whether they are
/// looked for.
fn over_midnight(
    reader: &mut Reader,
    file: &File,
    filter: &Filter,
    said: Option<&[i64]>,
    mut put: impl FnMut(Found),
) -> Result<(), StoreError> {
    let (day, told) = (file.day, |error| file.fault(error));
    let begun = {
        let sql = format!("SELECT {} FROM trace WHERE also > 0", trace::COLUMNS);
        let mut find = file.connection.prepare_cached(&sql).map_err(told)?;
        let mut rows = find.query([]).map_err(told)?;
        let mut begun = Vec::new();
        while let Some(row) = rows.next().map_err(told)? {
            begun.extend(read(file, row)?);
        }
        begun
    };
    let all_days = if begun.is_empty() { Vec::new() } else { reader.days()? };
    for mut found in begun {
        // Where the days before are gone, or this trace in them, this is the first that is left.
        if part_before(reader, day, &all_days, &found)?.is_some() {
            continue;
        }
        let days = join_later(reader, day, &all_days, &mut found)?;
        let said = said.is_none_or(|rows| rows.contains(&found.row));
        if said && fits(reader, &days, &found, filter)? {
            put(found);
        }
    }
    Ok(())
}

/// How many traces a filter means.
fn count(reader: &mut Reader, filter: &Filter) -> Result<u64, StoreError> {
    let mut all = 0;
    let mut said = Said::new(filter)?;
    for day in reader.days()? {
        if filter.range.is_some_and(|range| !may_have(day, range)) {
            continue;
        }
        let Some(file) = reader.file(day)? else { continue };
        let said = said.rows(reader, day)?;
        let counted = || -> rusqlite::Result<u64> {
            let Some(mut conditions) = filter::of_traces(&file, filter, said.as_deref())? else {
                return Ok(0);
            };
            conditions.and("also = 0", []);
            let sql = format!("SELECT count(*) FROM trace WHERE {}", conditions.sql());
            let mut count = file.connection.prepare_cached(&sql)?;
            let count = count.query_row(params_from_iter(&conditions.values), |row| row.get::<_, i64>(0))?;
            Ok(u64::try_from(count).unwrap_or(0))
        };
        all += counted().map_err(|error| file.fault(error))?;
        over_midnight(reader, &file, filter, said.as_deref(), |_| all += 1)?;
    }
    Ok(all)
}

/// What traces are put in order by.
fn value_sql(query: &TraceQuery) -> &'static str {
    match (query.sort, query.ascending) {
        (TraceSort::Start, _) => "start_ns",
        (TraceSort::Duration, _) => "end_ns - start_ns",
        // What is not known comes last, either way.
        (TraceSort::FirstChunk, false) => "ifnull(ttfc_ns, -1)",
        (TraceSort::FirstChunk, true) => "ifnull(ttfc_ns, 9223372036854775807)",
        (TraceSort::Tokens, _) => "ifnull(in_tok, 0) + ifnull(out_tok, 0)",
        (TraceSort::Cost, false) => "ifnull(cost, -1)",
        (TraceSort::Cost, true) => "ifnull(cost, 9223372036854775807)",
        (TraceSort::Errors, _) => "errors",
        (TraceSort::LlmCalls, _) => "llm",
        (TraceSort::Spans, _) => "spans",
    }
}

/// The same of a trace that was read.
fn value(found: &Found, query: &TraceQuery) -> i64 {
    let trace = &found.summary;
    let unknown = if query.ascending { i64::MAX } else { -1 };
    match query.sort {
        TraceSort::Start => number(trace.start.0),
        TraceSort::Duration => number(trace.end.0) - number(trace.start.0),
        TraceSort::FirstChunk => trace.first_chunk.map_or(unknown, |first| number(nanos(first))),
        TraceSort::Tokens => {
            number(trace.usage.input.unwrap_or(0).saturating_add(trace.usage.output.unwrap_or(0)))
        }
        TraceSort::Cost => trace.cost.map_or(unknown, |cost| cost.nanos),
        TraceSort::Errors => number(trace.errors),
        TraceSort::LlmCalls => number(trace.llm_calls),
        TraceSort::Spans => number(trace.spans),
    }
}

/// Whether a trace in several files is looked for.
fn fits(reader: &mut Reader, days: &[Day], found: &Found, filter: &Filter) -> Result<bool, StoreError> {
    let trace = &found.summary;
    let duration = trace.end.0.saturating_sub(trace.start.0);
    let contains = |text: &str, part: &str| text.to_ascii_lowercase().contains(&part.to_ascii_lowercase());
    let name = trace.root.as_ref().map(|root| root.name.as_ref()).unwrap_or_default();
    let plain = filter.range.is_none_or(|range| (range.from..range.to).contains(&trace.start))
        && filter.error.is_none_or(|error| error == (trace.errors > 0))
        && filter.genai.is_none_or(|genai| genai == found.genai)
        && filter.min_duration.is_none_or(|least| duration >= nanos(least))
        && filter.max_duration.is_none_or(|most| duration <= nanos(most))
        && filter.name.as_ref().is_none_or(|part| contains(name, part));
    if !plain {
        return Ok(false);
    }
    // Each list by itself: what is looked for may stand in different files.
    let lists = |filter: &Filter| {
        let none = Filter::default;
        [
            Filter { service: filter.service.clone(), ..none() },
            Filter { provider: filter.provider.clone(), ..none() },
            Filter { model: filter.model.clone(), ..none() },
            Filter { agent: filter.agent.clone(), ..none() },
            Filter { tool: filter.tool.clone(), ..none() },
            Filter { conversation: filter.conversation.clone(), ..none() },
            Filter { op: filter.op.clone(), ..none() },
            Filter { dialect: filter.dialect.clone(), ..none() },
        ]
    };
    for list in lists(filter) {
        let mut any = false;
        for day in days {
            let Some(file) = reader.file(*day)? else { continue };
            let has = || -> rusqlite::Result<bool> {
                let Some(words) = filter::of_traces(&file, &list, None)? else { return Ok(false) };
                let sql = format!("SELECT 1 FROM trace WHERE {} AND trace_id = ?", words.sql());
                let trace = Value::Blob(trace.id.bytes().to_vec());
                let values = words.values.into_iter().chain([trace]);
                let mut find = file.connection.prepare_cached(&sql)?;
                Ok(find.query_row(params_from_iter(values), |_| Ok(())).optional()?.is_some())
            };
            any |= has().map_err(|error| file.fault(error))?;
        }
        if !any {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What the last day before has of a trace that began earlier.
fn part_before(
    reader: &mut Reader,
    day: Day,
    days: &[Day],
    found: &Found,
) -> Result<Option<(Found, Day)>, StoreError> {
    if found.also & BEGAN == 0 {
        return Ok(None);
    }
    for earlier in days.iter().rev().filter(|earlier| **earlier < day) {
        if let Some(found) = of_day(reader, *earlier, found.summary.id)? {
            return Ok(Some((found, *earlier)));
        }
    }
    Ok(None)
}

/// Adds what the days after have of a trace, and says which days have it.
fn join_later(
    reader: &mut Reader,
    day: Day,
    days: &[Day],
    found: &mut Found,
) -> Result<Vec<Day>, StoreError> {
    let mut with = vec![day];
    let mut goes_on = found.also & GOES_ON != 0;
    for next in days.iter().filter(|next| **next > day) {
        if !goes_on {
            break;
        }
        if let Some(more) = of_day(reader, *next, found.summary.id)? {
            goes_on = more.also & GOES_ON != 0;
            found.join(more);
            with.push(*next);
        }
    }
    Ok(with)
}

fn of_day(reader: &mut Reader, day: Day, trace: TraceId) -> Result<Option<Found>, StoreError> {
    let Some(file) = reader.file(day)? else { return Ok(None) };
    let sql = format!("SELECT {} FROM trace WHERE trace_id = ?", trace::COLUMNS);
    let mut find = file.connection.prepare_cached(&sql).map_err(|error| file.fault(error))?;
    let mut rows = find.query([trace.bytes()]).map_err(|error| file.fault(error))?;
    match rows.next().map_err(|error| file.fault(error))? {
        Some(row) => read(&file, row),
        None => Ok(None),
    }
}

fn read(file: &File, row: &Row<'_>) -> Result<Option<Found>, StoreError> {
    trace::summary(row, &mut |id| file.word(id)).map_err(|error| file.fault(error))
}

/// A trace whole, of which a day has a row; and its first day.
pub(super) fn whole(
    reader: &mut Reader,
    day: Day,
    trace: TraceId,
) -> Result<Option<(Found, Day)>, StoreError> {
    let Some(mut found) = of_day(reader, day, trace)? else { return Ok(None) };
    let mut first = day;
    if found.also != 0 {
        let days = reader.days()?;
        while let Some((earlier, before)) = part_before(reader, first, &days, &found)? {
            (found, first) = (earlier, before);
        }
        join_later(reader, first, &days, &mut found)?;
    }
    Ok(Some((found, first)))
}

/// The summaries of traces by their ids; those that there are.
pub(super) fn summaries(reader: &mut Reader, ids: &[TraceId]) -> Result<Vec<TraceSummary>, StoreError> {
    let now = Nanos::now();
    let mut days = reader.days()?;
    days.reverse();
    let mut found: Vec<Option<Found>> = ids.iter().map(|_| None).collect();
    // Day by day: that opens each file once, and most are asked for that were written lately.
    for day in days {
        for (id, place) in ids.iter().zip(&mut found).filter(|(_, place)| place.is_none()) {
            *place = whole(reader, day, *id)?.map(|(found, _)| found);
        }
        if found.iter().all(Option::is_some) {
            break;
        }
    }
    Ok(found.into_iter().flatten().map(|found| found.done(now)).collect())
}
