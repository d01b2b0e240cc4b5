//! Calls that log records of a session tell of, and spans of any trace tell, too: the span counts, and the record is in no sum.

use std::collections::BTreeSet;

use clickhouse::Row;
use serde::Deserialize;

use super::calls::{nanos, ops, time};
use super::line::SESSION;
use super::read::Db;
use crate::error::StoreError;
use crate::facts::Op;
use crate::one_call::{BESIDE, LONGEST, Marks};

/// So many records are looked at, and
const MOST_RECORDS: usize = 10_000;
/// so many spans that are like them.
const MOST_SPANS: usize = 50_000;
const HOUR: u32 = 3_600;

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

/// A record whose call a span tells: its hour, its trace, and its print.
pub(super) type Again = (u32, [u8; 16], [u8; 16]);

impl Db {
    /// The records of sessions in these hours, and those beside them, whose calls spans tell, and that are not marked yet.
    pub(super) async fn told_by_spans(&self, hours: &BTreeSet<u32>) -> Result<Vec<Again>, StoreError> {
        let Some(near) = near(hours) else { return Ok(Vec::new()) };
        let kinds = ops(|op| op.is_inference() || op == Op::ExecuteTool);
        let sql = format!(
            "SELECT hour, trace_id, print, {MARKS} FROM span
             WHERE state = {SESSION} AND {near} AND {kinds}
               AND print NOT IN (SELECT print FROM wrapper FINAL WHERE told AND {near}) LIMIT {MOST_RECORDS}"
        );
        let records = self.calls(&sql).await?;
        let Some(near) = self::near(&records.iter().map(|record| record.hour).collect()) else {
            return Ok(Vec::new());
        };
        let told = |columns: &str, which: &str| {
            format!("(SELECT {columns} FROM span WHERE state = {SESSION} AND {near} AND {kinds} AND {which})")
        };
        let tokens = "ifNull(input, 0), ifNull(output, 0)";
        let sql = format!(
            "SELECT hour, trace_id, print, {MARKS} FROM span WHERE state = 0 AND {near} AND {kinds} AND (
               response_id IN {} OR tool_call IN {} OR ({tokens}) IN {}) ORDER BY start_ns LIMIT {MOST_SPANS}",
            told("response_id", "response_id != ''"),
            told("tool_call", "tool_call != ''"),
            told(tokens, "input > 0 AND output > 0"),
        );
        let spans = self.calls(&sql).await?;
        let again = records.iter().filter(|record| record.is_told_by(&spans));
        Ok(again.map(|record| (record.hour, record.trace_id, record.print)).collect())
    }

    async fn calls(&self, sql: &str) -> Result<Vec<Call>, StoreError> {
        let mut calls = Vec::new();
        self.each::<Call>(self.client.query_raw(sql), |call| {
            calls.push(call);
            Ok(())
        })
        .await?;
        Ok(calls)
    }
}

/// These hours, and those before and after each.
fn near(hours: &BTreeSet<u32>) -> Option<String> {
    let near: BTreeSet<u32> =
        hours.iter().flat_map(|hour| [hour.saturating_sub(HOUR), *hour, hour.saturating_add(HOUR)]).collect();
    let list: Vec<String> = near.iter().map(|hour| time(*hour)).collect();
    (!list.is_empty()).then(|| format!("hour IN ({})", list.join(",")))
}

impl Call {
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
