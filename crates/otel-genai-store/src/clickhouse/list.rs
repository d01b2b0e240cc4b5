//! Lists of traces: chosen by the table of traces, told by their spans.

use std::collections::HashMap;
use std::time::Duration;

use clickhouse::Row;
use serde::Deserialize;

use super::fold::{self, Frame};
use super::line::number;
use super::read::{Db, MOST_ON_PAGE, Where, hours, one_of};
use super::search;
use crate::cursor::{Cursor, Position};
use crate::error::StoreError;
use crate::id::{Day, Nanos, TraceId};
use crate::query::{Filter, Page, TraceQuery, TraceSort};
use crate::span::SpanRow;
use crate::summary::TraceSummary;

/// A trace as the table of traces has it.
#[derive(Row, Deserialize)]
struct TraceLine {
    trace_id: [u8; 16],
    start: i64,
    end: i64,
    last: i64,
    asked: String,
}

/// How many log records a trace has.
#[derive(Row, Deserialize)]
struct LogCount {
    trace_id: [u8; 16],
    logs: u64,
}

const COLUMNS: &str = "trace_id, min(start_ns) AS start, max(end_ns) AS end, max(last_ns) AS last, \
     tupleElement(min(title), 2) AS asked";
/// The number by which traces of equal start are put in order.
const TIE: &str = "reinterpretAsInt64(substring(trace_id, 9, 8))";

fn tie(id: [u8; 16]) -> i64 {
    i64::from_le_bytes(id.last_chunk().copied().unwrap_or_default())
}

fn moment(moment: i64) -> Nanos {
    Nanos(u64::try_from(moment).unwrap_or(0))
}

fn nanos(time: Duration) -> i64 {
    number(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
}

impl Db {
    /// Traces by their start. One that went on over midnight is told with its first day.
    pub(super) async fn traces(&self, query: &TraceQuery) -> Result<Page<TraceSummary>, StoreError> {
        if query.sort != TraceSort::Start {
            return Err(StoreError::Unsupported("put traces in another order than that of their start yet"));
        }
        let conditions = conditions(&query.filter)?;
        let asked = Cursor::of_query(&(&query.filter, query.sort, query.ascending));
        let from = query.cursor.as_ref().map(|cursor| cursor.position(asked)).transpose()?;
        let limit = query.limit.clamp(1, MOST_ON_PAGE) as usize;
        let (sign, order) = if query.ascending { (">", "ASC") } else { ("<", "DESC") };
        let (mut found, mut last, mut more) = (Vec::new(), None, false);
        for day in self.days(query.ascending).await? {
            let passed = |from: Position| if query.ascending { day < from.day } else { day > from.day };
            if from.is_some_and(passed) {
                continue;
            }
            let mut all = conditions.clone();
            if let Some(from) = from.filter(|from| from.day == day) {
                all.and(format!("(start, {TIE}) {sign} ({}, {})", from.value, from.row));
            }
            // The day before tells whether it began there; the day after, how it went on.
            let sql = format!(
                "SELECT {COLUMNS} FROM trace WHERE day >= toDate({}) AND day <= toDate({})
                 GROUP BY trace_id HAVING min(day) = toDate({}) AND {}
                 ORDER BY start {order}, {TIE} {order} LIMIT {}",
                day.0.saturating_sub(1).max(0),
                day.0 + 1,
                day.0,
                all.sql(),
                limit + 1 - found.len()
            );
            self.each::<TraceLine>(all.query(self, &sql), |line| {
                if found.len() == limit {
                    more = true;
                    return Ok(());
                }
                last = Some(Position { value: line.start, day, row: tie(line.trace_id) });
                found.push(line);
                Ok(())
            })
            .await?;
            if more {
                break;
            }
        }
        let next = last.filter(|_| more).map(|position| Cursor::new(position, asked));
        Ok(Page { items: self.told(found).await?, next, total: None })
    }

    /// The summaries of traces by their ids; those that there are.
    pub(super) async fn summaries(&self, ids: &[TraceId]) -> Result<Vec<TraceSummary>, StoreError> {
        let mut by_id = HashMap::new();
        for some in ids.chunks(MOST_ON_PAGE as usize) {
            let of = one_of("trace_id", some.iter().map(|id| id.bytes().as_slice()));
            let sql = format!("SELECT {COLUMNS} FROM trace WHERE {of} GROUP BY trace_id");
            let mut found = Vec::new();
            self.each::<TraceLine>(self.client.query_raw(&sql), |line| {
                found.push(line);
                Ok(())
            })
            .await?;
            by_id.extend(self.told(found).await?.into_iter().map(|summary| (summary.id, summary)));
        }
        Ok(ids.iter().filter_map(|id| by_id.remove(id)).collect())
    }

    /// The days that have traces.
    async fn days(&self, ascending: bool) -> Result<Vec<Day>, StoreError> {
        let order = if ascending { "ASC" } else { "DESC" };
        let sql = format!("SELECT day FROM trace GROUP BY day ORDER BY day {order}");
        let mut days = Vec::new();
        self.each::<u16>(self.client.query_raw(&sql), |day| {
            days.push(Day(day.into()));
            Ok(())
        })
        .await?;
        Ok(days)
    }

    /// Traces in one line each, in the order given.
    async fn told(&self, lines: Vec<TraceLine>) -> Result<Vec<TraceSummary>, StoreError> {
        if lines.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<TraceId> = lines.iter().filter_map(|line| TraceId::new(&line.trace_id)).collect();
        let of = one_of("trace_id", ids.iter().map(|id| id.bytes().as_slice()));
        let sql = format!(
            "SELECT trace_id, uniqExact(row) AS logs FROM log WHERE {of} AND {} GROUP BY trace_id",
            hours(&of)
        );
        let mut logs: HashMap<[u8; 16], u64> = HashMap::new();
        self.each::<LogCount>(self.client.query_raw(&sql), |line| {
            logs.insert(line.trace_id, line.logs);
            Ok(())
        })
        .await?;
        let mut rows: HashMap<TraceId, Vec<SpanRow>> = HashMap::new();
        for row in self.rows_of(&ids).await? {
            rows.entry(row.key.trace).or_default().push(row);
        }
        let now = Nanos::now();
        let told = lines.iter().zip(&ids).map(|(line, id)| {
            let frame = Frame {
                id: *id,
                start: moment(line.start),
                end: moment(line.end),
                last: moment(line.last),
                title: Some(line.asked.clone()).filter(|title| !title.is_empty()),
                logs: logs.get(&line.trace_id).copied().unwrap_or(0),
            };
            fold::summary(&frame, rows.get(id).map(Vec::as_slice).unwrap_or_default(), now)
        });
        Ok(told.collect())
    }
}

/// The conditions of a filter on groups of the table of traces: of several entries any will do, each anywhere in the trace.
fn conditions(filter: &Filter) -> Result<Where, StoreError> {
    let mut all = Where::default();
    all.range("start", filter.range);
    let conversation: Vec<String> = filter.conversation.iter().cloned().collect();
    let names = [
        ("service", &filter.service),
        ("provider", &filter.provider),
        ("if(response_model != '', response_model, request_model)", &filter.model),
        ("agent", &filter.agent),
        ("tool", &filter.tool),
        ("conversation", &conversation),
    ];
    let mut within: Vec<String> =
        names.into_iter().filter_map(|(column, names)| all.any_of(column, names)).collect();
    let numbers = |column: &str, numbers: Vec<u8>| {
        let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        (!numbers.is_empty()).then(|| format!("{column} IN ({})", numbers.join(",")))
    };
    within.extend(numbers("op", filter.op.iter().map(|op| *op as u8).collect()));
    within.extend(numbers("dialect", filter.dialect.iter().map(|dialect| *dialect as u8).collect()));
    for condition in within {
        all.and(format!("trace_id IN (SELECT trace_id FROM span WHERE {condition})"));
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
        let said = search::traces_that_say(&mut all, text)?;
        all.and(said);
    }
    if let Some(name) = &filter.name {
        let part = all.text(name.to_lowercase());
        all.and(format!("position(lowerUTF8(tupleElement(min(root), 2)), {part}) > 0"));
    }
    Ok(all)
}
