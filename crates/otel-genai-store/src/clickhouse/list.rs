//! Lists of traces: chosen by the table of traces, told by their spans.

use std::collections::{HashMap, HashSet};

use clickhouse::Row;
use futures_util::future::try_join;
use serde::Deserialize;

use super::calls::{self, FAILED, nanos, ops};
use super::fold::{self, Frame, Rows};
use super::newest::Newest;
use super::read::{self, Db, MOST_ON_PAGE, Where, one_of};
use super::search::{self, Dictionary};
use crate::cursor::{Cursor, Position};
use crate::error::StoreError;
use crate::facts::Op;
use crate::id::{Day, Nanos, TraceId};
use crate::query::{Filter, Page, Range, TraceQuery, TraceSort};
use crate::summary::TraceSummary;

/// A trace that may be on a page.
#[derive(Row, Deserialize)]
struct Begun {
    trace_id: [u8; 16],
    start: i64,
    /// What conditions refer to.
    #[allow(dead_code, reason = "a row has what the query selects")]
    end: i64,
    first_day: u16,
    /// Of [`Newest`].
    least: i64,
}

/// What it is put in order by.
#[derive(Row, Deserialize)]
struct Placed {
    trace_id: [u8; 16],
    first_day: u16,
    value: i64,
}

/// A trace as the table of traces has it.
#[derive(Clone, Row, Deserialize)]
struct Whole {
    trace_id: [u8; 16],
    start: i64,
    end: i64,
    last: i64,
    asked: String,
    first_day: u16,
    first_hour: i64,
    last_hour: i64,
}

#[derive(Row, Deserialize)]
struct Print {
    print: [u8; 16],
}

/// Traces by their ids.
#[derive(Default)]
struct Wholes(HashMap<[u8; 16], Whole>);

impl Wholes {
    /// One that began on this day, and not on one before: then it stands in the list of that.
    fn began(&self, id: [u8; 16], day: Day) -> Option<Whole> {
        self.0.get(&id).filter(|whole| Day(whole.first_day.into()) == day).cloned()
    }
}

/// How many log records a trace has, and whether what was said is in them.
#[derive(Row, Deserialize)]
struct LogCount {
    trace_id: [u8; 16],
    logs: u64,
    content: Vec<u8>,
}

#[derive(Row, Deserialize)]
struct Size {
    trace_id: [u8; 16],
    spans: u64,
}

/// So many rows of spans are read for a page, or those of one trace that has more.
const MOST_SPANS: usize = 50_000;
/// Of a filter for which other records are looked at so many days are looked at together.
const MOST_DAYS: usize = 32;
const COLUMNS: &str = "trace_id, min(start_ns) AS start, max(end_ns) AS end, max(last_ns) AS last, \
     tupleElement(min(title), 2) AS asked";
const DAY: u64 = 86_400_000_000_000;
/// The number by which traces of equal start are put in order.
const TIE: &str = "reinterpretAsInt64(substring(trace_id, 9, 8))";

fn tie(id: [u8; 16]) -> i64 {
    i64::from_le_bytes(id.last_chunk().copied().unwrap_or_default())
}

pub(super) fn moment(moment: i64) -> Nanos {
    Nanos(u64::try_from(moment).unwrap_or(0))
}

/// The days that have traces which begin in this time, and the one before and after: one that began the day before is told
/// apart by that, and one that began earlier still, and was silent since, when it is told.
fn days(range: Option<Range>) -> String {
    let Some(Range { from, to }) = range else { return "1".to_owned() };
    // Larger numbers are seconds, to ClickHouse.
    let day = |moment: Nanos, more: i32| Day::of(moment).0.saturating_add(more).clamp(0, i32::from(u16::MAX));
    format!("day >= toDate({}) AND day <= toDate({})", day(from, -1), day(to, 1))
}

impl Db {
    pub(super) async fn traces(&self, query: &TraceQuery) -> Result<Page<TraceSummary>, StoreError> {
        if query.limit == 0 {
            let total = Some(self.count_traces(&query.filter).await?);
            return Ok(Page { items: Vec::new(), next: None, total });
        }
        match query.sort {
            TraceSort::Start => self.traces_by_start(query).await,
            _ => self.traces_by_value(query).await,
        }
    }

    async fn count_traces(&self, filter: &Filter) -> Result<u64, StoreError> {
        let all = conditions(filter, &self.dictionary)?;
        let sql = format!(
            "SELECT count() FROM (SELECT {COLUMNS} FROM trace WHERE {} GROUP BY trace_id HAVING {})",
            days(filter.range),
            all.sql()
        );
        let mut total = 0;
        self.each::<u64>(all.query(self, &sql), |count| {
            total = count;
            Ok(())
        })
        .await?;
        Ok(total)
    }

    /// Traces by what they come to, which all that fit are looked at for.
    async fn traces_by_value(&self, query: &TraceQuery) -> Result<Page<TraceSummary>, StoreError> {
        let filter = &query.filter;
        let asked = Cursor::of_query(&(filter, query.sort, query.ascending));
        let from = query.cursor.as_ref().map(|cursor| cursor.position(asked)).transpose()?;
        let limit = query.limit.clamp(1, MOST_ON_PAGE) as usize;
        let all = conditions(filter, &self.dictionary)?;
        let (sign, order) = if query.ascending { (">", "ASC") } else { ("<", "DESC") };
        // One goes on the day after at most.
        let hours =
            calls::hours(filter.range.map(|Range { from, to }| Range {
                from,
                to: Nanos(to.0.saturating_add(2 * DAY) / DAY * DAY),
            }));
        let sums = match sums(query.sort, &hours) {
            None => String::new(),
            Some(sums) => format!(
                "LEFT JOIN (SELECT trace_id, {sums} AS sum FROM span FINAL WHERE {hours} GROUP BY trace_id) AS s
                   ON s.trace_id = t.trace_id"
            ),
        };
        let value = match (query.sort, query.ascending) {
            (TraceSort::Duration, _) => "t.end - t.start",
            // What is not known comes last, either way.
            (TraceSort::FirstChunk | TraceSort::Cost, false) => "ifNull(s.sum, -1)",
            (TraceSort::FirstChunk | TraceSort::Cost, true) => "ifNull(s.sum, 9223372036854775807)",
            _ => "ifNull(s.sum, 0)",
        };
        let tie_of = TIE.replace("trace_id", "t.trace_id");
        let days = days(filter.range);
        let (mut found, mut last, mut behind, mut more) = (Vec::new(), None, from, false);
        loop {
            let rest = behind.map_or("1".to_owned(), |behind| {
                format!(
                    "(value, first_day, {tie_of}) {sign} ({}, toDate({}), {})",
                    behind.value, behind.day.0, behind.row
                )
            });
            let wanted = limit + 1 - found.len();
            let sql = format!(
                "SELECT t.trace_id AS trace_id, t.first_day AS first_day, toInt64({value}) AS value
                 FROM (SELECT {COLUMNS}, min(day) AS first_day FROM trace WHERE {days} GROUP BY trace_id HAVING {fit}) AS t
                 {sums} WHERE {rest} ORDER BY value {order}, first_day {order}, {tie_of} {order} LIMIT {wanted}",
                fit = all.sql(),
            );
            let mut placed = Vec::new();
            self.each::<Placed>(all.query(self, &sql), |line| {
                placed.push(line);
                Ok(())
            })
            .await?;
            let whole = self.whole(placed.iter().map(|line| line.trace_id)).await?;
            let full = placed.len() == wanted;
            for Placed { trace_id, first_day, value } in placed {
                let day = Day(first_day.into());
                let position = Position { value, day, row: tie(trace_id) };
                behind = Some(position);
                let Some(line) = whole.began(trace_id, day) else { continue };
                if found.len() == limit {
                    more = true;
                    break;
                }
                last = Some(position);
                found.push(line);
            }
            if more || !full {
                break;
            }
        }
        let next = last.filter(|_| more).map(|position| Cursor::new(position, asked));
        Ok(Page { items: self.told(found).await?, next, total: None })
    }

    /// Traces by their start. One that went on over midnight is told with its first day.
    async fn traces_by_start(&self, query: &TraceQuery) -> Result<Page<TraceSummary>, StoreError> {
        let asked = Cursor::of_query(&(&query.filter, query.sort, query.ascending));
        let from = query.cursor.as_ref().map(|cursor| cursor.position(asked)).transpose()?;
        let limit = query.limit.clamp(1, MOST_ON_PAGE) as usize;
        let (sign, order) = if query.ascending { (">", "ASC") } else { ("<", "DESC") };
        let (mut found, mut last, mut more) = (Vec::new(), None, false);
        let mut days = self.days(query.filter.range, query.ascending).await?;
        let passed = |day: Day, from: Position| if query.ascending { day < from.day } else { day > from.day };
        days.retain(|day| !from.is_some_and(|from| passed(*day, from)));
        // A filter that looks at other records looks at all since the day. So that it does not for each day anew, it is asked about
        // twice as many days each time.
        let far =
            !calls::names(&query.filter, &mut Where::default()).is_empty() || query.filter.text.is_some();
        let mut quick = !far && !query.ascending;
        let (mut rest, mut together, mut behind) = (days.as_slice(), 1, from);
        'days: while !rest.is_empty() {
            let (some, others) = rest.split_at(together.min(rest.len()));
            rest = others;
            if far {
                together = (2 * together).min(MOST_DAYS);
            }
            let (Some(first), Some(end)) = (some.iter().min(), some.iter().max()) else { break };
            let conditions = conditions_since(&query.filter, &from_day(*first), &self.dictionary)?;
            loop {
                let mut all = conditions.clone();
                if let Some(behind) = behind {
                    all.and(format!(
                        "(first_day, start, {TIE}) {sign} (toDate({}), {}, {})",
                        behind.day.0, behind.value, behind.row
                    ));
                }
                let wanted = limit + 1 - found.len();
                // The day before tells whether it began there; the day after, how it went on.
                let sql = |among: &str, least: &str| {
                    format!(
                        "SELECT trace_id, min(start_ns) AS start, max(end_ns) AS end, min(day) AS first_day, {least} AS least
                         FROM trace WHERE day >= toDate({}) AND day <= toDate({}) AND {among} GROUP BY trace_id
                         HAVING first_day >= toDate({first}) AND first_day <= toDate({end}) AND {}
                         ORDER BY first_day {order}, start {order}, {TIE} {order} LIMIT {wanted}",
                        first.0.saturating_sub(1).max(0),
                        end.0 + 1,
                        all.sql(),
                        first = first.0,
                        end = end.0,
                    )
                };
                let mut lines = Vec::new();
                if quick && first == end {
                    let after =
                        behind.filter(|behind| behind.day == *first).map(|behind| moment(behind.value));
                    let until = after.into_iter().chain(query.filter.range.map(|range| range.to)).min();
                    let newest = Newest::of(*first, until, wanted);
                    match self.begun(&all, &sql(&newest.condition(), &newest.least())).await {
                        Ok(found) => lines = found,
                        Err(StoreError::Timeout(_) | StoreError::BadQuery(_)) => {}
                        Err(error) => return Err(error),
                    }
                    // Where few fit it is not tried day by day.
                    quick =
                        Newest::are(lines.len(), wanted, lines.last().map(|line| (line.start, line.least)));
                }
                if !quick || first != end {
                    lines = self.begun(&all, &sql("1", "toInt64(0)")).await?;
                }
                let whole = self.whole(lines.iter().map(|line| line.trace_id)).await?;
                let full = lines.len() == wanted;
                for Begun { trace_id, start, first_day, .. } in lines {
                    let day = Day(first_day.into());
                    let position = Position { value: start, day, row: tie(trace_id) };
                    behind = Some(position);
                    let Some(line) = whole.began(trace_id, day) else { continue };
                    if found.len() == limit {
                        more = true;
                        break 'days;
                    }
                    last = Some(position);
                    found.push(line);
                }
                if !full {
                    break;
                }
            }
        }
        let next = last.filter(|_| more).map(|position| Cursor::new(position, asked));
        Ok(Page { items: self.told(found).await?, next, total: None })
    }

    async fn begun(&self, all: &Where, sql: &str) -> Result<Vec<Begun>, StoreError> {
        let mut lines = Vec::new();
        self.each::<Begun>(all.query(self, sql), |line| {
            lines.push(line);
            Ok(())
        })
        .await?;
        Ok(lines)
    }

    /// The summaries of traces by their ids; those that there are.
    pub(super) async fn summaries(&self, ids: &[TraceId]) -> Result<Vec<TraceSummary>, StoreError> {
        let mut by_id = HashMap::new();
        for some in ids.chunks(MOST_ON_PAGE as usize) {
            let Wholes(whole) = self.whole(some.iter().map(|id| *id.bytes())).await?;
            let found = whole.into_values().collect();
            by_id.extend(self.told(found).await?.into_iter().map(|summary| (summary.id, summary)));
        }
        Ok(ids.iter().filter_map(|id| by_id.remove(id)).collect())
    }

    /// All that the table of traces has of some, whenever it was.
    async fn whole(&self, ids: impl IntoIterator<Item = [u8; 16]>) -> Result<Wholes, StoreError> {
        let ids: Vec<[u8; 16]> = ids.into_iter().collect();
        let mut found = Wholes::default();
        if ids.is_empty() {
            return Ok(found);
        }
        let of = one_of("trace_id", ids.iter().map(<[u8; 16]>::as_slice));
        let (first_hour, last_hour) = read::around();
        let sql = format!(
            "SELECT {COLUMNS}, min(day) AS first_day, min({first_hour}) AS first_hour, max({last_hour}) AS last_hour
             FROM trace WHERE {of} GROUP BY trace_id"
        );
        self.each::<Whole>(self.client.query_raw(&sql), |whole| {
            found.0.insert(whole.trace_id, whole);
            Ok(())
        })
        .await?;
        Ok(found)
    }

    /// The days that may have traces which begin in this time.
    async fn days(&self, range: Option<Range>, ascending: bool) -> Result<Vec<Day>, StoreError> {
        let order = if ascending { "ASC" } else { "DESC" };
        let sql = format!("SELECT day FROM trace WHERE {} GROUP BY day ORDER BY day {order}", days(range));
        let mut days = Vec::new();
        self.each::<u16>(self.client.query_raw(&sql), |day| {
            days.push(Day(day.into()));
            Ok(())
        })
        .await?;
        Ok(days)
    }

    /// What is told again elsewhere, of some traces.
    async fn told_again(&self, of: &str) -> Result<HashSet<[u8; 16]>, StoreError> {
        let sql = format!("SELECT print FROM wrapper FINAL WHERE told AND {of}");
        let mut again = HashSet::new();
        self.each::<Print>(self.client.query_raw(&sql), |line| {
            again.insert(line.print);
            Ok(())
        })
        .await?;
        Ok(again)
    }

    /// How many log records traces have.
    async fn logs_of(&self, of: &str) -> Result<HashMap<[u8; 16], LogCount>, StoreError> {
        let sql = format!(
            "SELECT trace_id, uniqExact(row) AS logs, groupUniqArray(log.content) AS content FROM log
             WHERE {of} GROUP BY trace_id"
        );
        let mut logs = HashMap::new();
        self.each::<LogCount>(self.client.query_raw(&sql), |line| {
            logs.insert(line.trace_id, line);
            Ok(())
        })
        .await?;
        Ok(logs)
    }

    /// Traces in one line each, in the order given: so few at a time that their spans have room.
    async fn told(&self, lines: Vec<Whole>) -> Result<Vec<TraceSummary>, StoreError> {
        if let Some(told) = self.told_together(&lines, MOST_SPANS).await? {
            return Ok(told);
        }
        let sql =
            format!("SELECT trace_id, count() AS spans FROM span WHERE {} GROUP BY trace_id", of(&lines));
        let mut sizes: HashMap<[u8; 16], u64> = HashMap::new();
        self.each::<Size>(self.client.query_raw(&sql), |Size { trace_id, spans }| {
            sizes.insert(trace_id, spans);
            Ok(())
        })
        .await?;
        let (mut told, mut rest) = (Vec::with_capacity(lines.len()), lines.as_slice());
        while !rest.is_empty() {
            let mut spans = 0;
            let fits = rest.iter().take_while(|line| {
                spans += sizes.get(&line.trace_id).copied().unwrap_or_default();
                spans <= MOST_SPANS as u64
            });
            let (these, others) = rest.split_at(fits.count().max(1));
            told.extend(self.told_together(these, usize::MAX).await?.unwrap_or_default());
            rest = others;
        }
        Ok(told)
    }

    /// The same, if they have no more spans together.
    async fn told_together(
        &self,
        lines: &[Whole],
        most: usize,
    ) -> Result<Option<Vec<TraceSummary>>, StoreError> {
        if lines.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let of = of(lines);
        let (logs, told) = try_join(self.logs_of(&of), self.rows_of(&of, most)).await?;
        let Some(told) = told else { return Ok(None) };
        let mut rows: HashMap<TraceId, Rows> = HashMap::new();
        let again = if told.iter().any(|(_, session)| session.is_some()) {
            self.told_again(&of).await?
        } else {
            HashSet::new()
        };
        for (row, session) in told {
            let rows = rows.entry(row.key.trace).or_default();
            rows.of_sessions += u64::from(session.is_some());
            if session.is_some_and(|print| again.contains(&print)) {
                rows.again.insert(row.key);
            }
            rows.all.push(row);
        }
        let (now, none) = (Nanos::now(), Rows::default());
        let told = lines.iter().filter_map(|line| {
            let id = TraceId::new(&line.trace_id)?;
            let frame = Frame {
                id,
                start: moment(line.start),
                end: moment(line.end),
                last: moment(line.last),
                title: Some(line.asked.clone()).filter(|title| !title.is_empty()),
                logs: logs.get(&line.trace_id).map_or(0, |logs| logs.logs),
                content: logs.get(&line.trace_id).map(|logs| logs.content.as_slice()).unwrap_or_default(),
            };
            Some(fold::summary(&frame, rows.get(&id).unwrap_or(&none), now))
        });
        Ok(Some(told.collect()))
    }
}

/// The condition on records of these traces, with their hours.
fn of(lines: &[Whole]) -> String {
    let hour = |hour: Option<i64>| calls::time(u32::try_from(hour.unwrap_or_default()).unwrap_or(0));
    format!(
        "{} AND hour >= {} AND hour <= {}",
        one_of("trace_id", lines.iter().map(|line| line.trace_id.as_slice())),
        hour(lines.iter().map(|line| line.first_hour).min()),
        hour(lines.iter().map(|line| line.last_hour).max())
    )
}

/// The conditions of a filter on groups of the table of traces: of several entries any will do, each anywhere in the trace.
fn conditions(filter: &Filter, dictionary: &Dictionary) -> Result<Where, StoreError> {
    conditions_since(filter, &since(filter), dictionary)
}

/// The same of traces whose records are of these hours.
fn conditions_since(filter: &Filter, hours: &str, dictionary: &Dictionary) -> Result<Where, StoreError> {
    let mut all = Where::default();
    all.range("start", filter.range);
    for condition in calls::names(filter, &mut all) {
        all.and(format!("trace_id IN (SELECT trace_id FROM span WHERE {hours} AND {condition})"));
    }
    if let Some(error) = filter.error {
        all.and(if error { "max(failed) = 1" } else { "max(failed) = 0" });
    }
    if let Some(genai) = filter.genai {
        all.and(if genai { "max(genai) = 1" } else { "max(genai) = 0" });
    }
    if let Some(least) = filter.min_duration {
        all.and(format!("end - start >= {}", nanos(least)));
    }
    if let Some(most) = filter.max_duration {
        all.and(format!("end - start <= {}", nanos(most)));
    }
    if let Some(text) = &filter.text {
        let said = search::traces_that_say(&mut all, text, hours, dictionary)?;
        all.and(said);
    }
    if let Some(name) = &filter.name {
        let part = all.text(name.to_lowercase());
        all.and(format!("position(lowerUTF8(tupleElement(min(root), 2)), {part}) > 0"));
    }
    Ok(all)
}

/// The hours of the records of traces that began in the time of a filter.
pub(super) fn since(filter: &Filter) -> String {
    calls::hours(filter.range.map(|Range { from, .. }| Range { from, to: Nanos(u64::MAX) }))
}

/// The hours of the records of traces of which something is of this time.
pub(super) fn of_traces_in(range: Option<Range>) -> String {
    match range {
        Some(_) => read::hours(&format!("trace_id IN (SELECT trace_id FROM trace WHERE {})", days(range))),
        None => "1".to_owned(),
    }
}

/// The hours of the records of traces that began on a day or later.
fn from_day(day: Day) -> String {
    calls::hours(Some(Range { from: day.start(), to: Nanos(u64::MAX) }))
}

/// The conditions on records that those have whose traces fit a filter.
pub(super) fn traces_that_fit(filter: &Filter, dictionary: &Dictionary) -> Result<Where, StoreError> {
    let mut all = conditions(filter, dictionary)?;
    let fit = all.take();
    if fit != "1" {
        all.and(since(filter));
        all.and(format!("trace_id IN (SELECT trace_id FROM ({}))", lines_that_fit(filter, &fit)));
    }
    Ok(all)
}

/// A query for the traces that fit a filter, whose texts go with it.
pub(super) fn fitting(filter: &Filter, dictionary: &Dictionary) -> Result<(String, Where), StoreError> {
    let mut all = conditions(filter, dictionary)?;
    let fit = all.take();
    Ok((lines_that_fit(filter, &fit), all))
}

fn lines_that_fit(filter: &Filter, fit: &str) -> String {
    format!("SELECT {COLUMNS} FROM trace WHERE {} GROUP BY trace_id HAVING {fit}", days(filter.range))
}

/// What the spans of a trace, which are of these hours, come to: as a summary tells it.
fn sums(sort: TraceSort, hours: &str) -> Option<String> {
    let once = calls::once(hours);
    let counts = || format!("state != 1 AND {} AND {once}", ops(Op::counts_tokens));
    let inference = ops(Op::is_inference);
    Some(match sort {
        TraceSort::Start | TraceSort::Duration => return None,
        TraceSort::FirstChunk => format!(
            "argMinIf(toNullable(toInt64(first_chunk_ns)), start_ns, state != 1 AND {inference} AND first_chunk_ns IS NOT NULL)"
        ),
        TraceSort::Tokens => format!("sumIf(ifNull(input, 0) + ifNull(output, 0), {})", counts()),
        TraceSort::Cost => format!("sumIf(cost, {})", counts()),
        TraceSort::Errors => format!("countIf(state != 1 AND {FAILED})"),
        TraceSort::LlmCalls => format!("countIf({})", counts()),
        // Of those with the same id all that ended, else one.
        TraceSort::Spans => {
            "countIf(state = 0) + uniqExactIf(span_id, state < 2) - uniqExactIf(span_id, state = 0)"
                .to_owned()
        }
    })
}
