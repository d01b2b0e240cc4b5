//! Calls that log records of a session tell of, and spans of any trace tell, too: the span counts, and the record is in no sum.

use std::collections::BTreeSet;

use clickhouse::Row;
use serde::Deserialize;

use super::calls::{HOUR_SECONDS, any_hour, nanos, ops};
use super::line::SESSION;
use super::read::{Db, fixed};
use crate::error::StoreError;
use crate::facts::Op;
use crate::one_call::{BESIDE, LONGEST, Marks};

/// So many records are looked at at a time, and
const MOST_RECORDS: usize = 10_000;
/// so many spans that are like them.
const MOST_SPANS: usize = 50_000;

/// What [`Call`] is read from, behind what says which it is.
const MARKS: &str = "start_ns, end_ns, op, request_model, response_model, response_id, tool_call, ifNull(input, 0) AS told_input, \
     ifNull(output, 0) AS told_output";

#[derive(Row, Deserialize)]
struct Call {
    hour: u32,
    trace_id: [u8; 16],
    print: [u8; 16],
    start_ns: i64,
    end_ns: i64,
    op: u8,
    request_model: String,
    response_model: String,
    response_id: String,
    tool_call: String,
    told_input: u64,
    told_output: u64,
}

/// Where a call stands in the order of their start.
type Place = (i64, [u8; 16]);

/// A record whose call a span tells: its hour, its trace, and its print.
pub(super) type Again = (u32, [u8; 16], [u8; 16]);

impl Db {
    /// The records of sessions in these hours, and those beside them, whose calls spans tell, and that are not marked yet.
    pub(super) async fn told_by_spans(&self, hours: &BTreeSet<u32>) -> Result<Vec<Again>, StoreError> {
        let Some(near) = near(hours) else { return Ok(Vec::new()) };
        let kinds = ops(|op| op.is_inference() || op == Op::ExecuteTool);
        let of = format!(
            "state = {SESSION} AND {near} AND {kinds}
             AND print NOT IN (SELECT print FROM wrapper FINAL WHERE told AND {near})"
        );
        let (mut again, mut behind) = (Vec::new(), None);
        loop {
            let records = self.calls(&of, behind, MOST_RECORDS).await?;
            again.extend(self.told_again_by_spans(&records, &kinds).await?);
            behind = records.last().map(Call::place);
            if records.len() < MOST_RECORDS {
                return Ok(again);
            }
        }
    }

    /// Those of some records, in order of their start, whose calls spans tell.
    async fn told_again_by_spans(&self, records: &[Call], kinds: &str) -> Result<Vec<Again>, StoreError> {
        let (Some(first), Some(last)) = (records.first(), records.last()) else { return Ok(Vec::new()) };
        let Some(near) = near(&records.iter().map(|record| record.hour).collect()) else {
            return Ok(Vec::new());
        };
        let told = |columns: &str, which: &str| {
            format!(
                "(SELECT {columns} FROM span WHERE state = {SESSION} AND {near} AND {kinds}
                    AND start_ns >= {} AND start_ns <= {} AND {which})",
                first.start_ns, last.start_ns
            )
        };
        let tokens = "ifNull(input, 0), ifNull(output, 0)";
        let ended = records.iter().map(|record| record.end_ns).max().unwrap_or(last.end_ns);
        let of = format!(
            "state = 0 AND {near} AND {kinds} AND start_ns >= {} AND start_ns <= {}
             AND (response_id IN {} OR tool_call IN {} OR ({tokens}) IN {})",
            first.start_ns.saturating_sub(nanos(LONGEST)),
            ended.saturating_add(nanos(BESIDE)),
            told("response_id", "response_id != ''"),
            told("tool_call", "tool_call != ''"),
            told(tokens, "input > 0 AND output > 0"),
        );
        let mut waiting: Vec<&Call> = records.iter().collect();
        let (mut again, mut behind) = (Vec::new(), None);
        loop {
            let spans = self.calls(&of, behind, MOST_SPANS).await?;
            let found = waiting.extract_if(.., |record| record.is_told_by(&spans));
            again.extend(found.map(|record| (record.hour, record.trace_id, record.print)));
            behind = spans.last().map(Call::place);
            if spans.len() < MOST_SPANS {
                return Ok(again);
            }
        }
    }

    /// So many calls in order of their start, behind one.
    async fn calls(&self, of: &str, behind: Option<Place>, most: usize) -> Result<Vec<Call>, StoreError> {
        let behind = behind.map_or_else(
            || "1".to_owned(),
            |(start, print)| format!("(start_ns, print) > ({start}, {})", fixed(&print)),
        );
        let sql = format!(
            "SELECT hour, trace_id, print, {MARKS} FROM span WHERE {of} AND {behind} ORDER BY start_ns, print LIMIT {most}"
        );
        let mut calls = Vec::new();
        self.each::<Call>(self.client.query_raw(&sql), |call| {
            calls.push(call);
            Ok(())
        })
        .await?;
        Ok(calls)
    }
}

/// These hours, and those before and after each.
fn near(hours: &BTreeSet<u32>) -> Option<String> {
    let around = |hour: &u32| [hour.saturating_sub(HOUR_SECONDS), *hour, hour.saturating_add(HOUR_SECONDS)];
    let near: BTreeSet<u32> = hours.iter().flat_map(around).collect();
    (!near.is_empty()).then(|| any_hour(&near))
}

impl Call {
    fn place(&self) -> Place {
        (self.start_ns, self.print)
    }

    /// Whether one of these spans, which are in order of their start, is of the same call.
    fn is_told_by(&self, spans: &[Call]) -> bool {
        let earliest = self.start_ns.saturating_sub(nanos(LONGEST));
        let latest = self.end_ns.saturating_add(nanos(BESIDE));
        let first = spans.partition_point(|span| span.start_ns < earliest);
        let beside = self.start_ns.saturating_sub(nanos(BESIDE));
        let Some(marks) = self.marks() else { return false };
        let mut near = spans.iter().skip(first).take_while(|span| span.start_ns <= latest);
        near.any(|span| span.end_ns >= beside && span.marks().is_some_and(|span| marks.are_one(&span)))
    }

    /// What tells by which call it is; nothing of an operation that is not known here.
    fn marks(&self) -> Option<Marks<'_, &str>> {
        Some(Marks {
            op: Op::from_number(self.op)?,
            response: some(&self.response_id),
            tool_call: some(&self.tool_call),
            tokens: [Some(self.told_input), Some(self.told_output)],
            models: [some(&self.request_model), some(&self.response_model)],
        })
    }
}

fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}
