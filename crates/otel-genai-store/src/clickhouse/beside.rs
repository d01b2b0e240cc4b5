//! Calls that log records of a session tell of, and spans of any trace tell, too: the span counts, and the record is in no sum.

use std::collections::BTreeSet;
use std::time::Duration;

use clickhouse::Row;
use serde::Deserialize;

use super::calls::{nanos, ops};
use super::line::SESSION;
use super::read::Db;
use crate::error::StoreError;
use crate::facts::Op;

/// A record comes at the end of a call, and clocks differ: by so much it may lie beside the span of the same call.
const BESIDE: Duration = Duration::from_secs(5);
/// Of calls that last longer spans are not looked for.
const LONGEST: Duration = Duration::from_secs(900);
/// So many records are looked at, and
const MOST_RECORDS: usize = 10_000;
/// so many spans that are like them.
const MOST_SPANS: usize = 50_000;
const HOUR: u32 = 3_600;

/// What tells by which call it is.
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
    let list: Vec<String> = near.iter().map(|hour| format!("toDateTime({hour}, 'UTC')")).collect();
    (!list.is_empty()).then(|| format!("hour IN ({})", list.join(",")))
}

impl Call {
    /// Whether one of these spans, which are in order of their start, is of the same call.
    fn is_told_by(&self, spans: &[Call]) -> bool {
        let earliest = self.start_ns.saturating_sub(nanos(LONGEST));
        let latest = self.end_ns.saturating_add(nanos(BESIDE));
        let first = spans.partition_point(|span| span.start_ns < earliest);
        let beside = self.start_ns.saturating_sub(nanos(BESIDE));
        let mut near = spans.iter().skip(first).take_while(|span| span.start_ns <= latest);
        near.any(|span| span.end_ns >= beside && self.is(span))
    }

    /// Whether two tellings are of one call: what providers and models made up for it alone, else the very number of tokens of
    /// one model at that time.
    fn is(&self, span: &Call) -> bool {
        let inference = |op: u8| Op::from_number(op).is_some_and(Op::is_inference);
        if self.op != span.op && !(inference(self.op) && inference(span.op)) {
            return false;
        }
        if !inference(self.op) {
            return !self.tool_call.is_empty() && self.tool_call == span.tool_call;
        }
        if !self.response_id.is_empty() && !span.response_id.is_empty() {
            // A client knows a call by the request's id, a gateway by the answer's: only ids of one kind tell calls apart.
            let kind = |id: &str| id.split(['_', '-']).next().map(str::to_owned);
            if self.response_id == span.response_id || kind(&self.response_id) == kind(&span.response_id) {
                return self.response_id == span.response_id;
            }
        }
        let models = [&self.request_model, &self.response_model];
        let same_model = [&span.request_model, &span.response_model]
            .iter()
            .any(|model| !model.is_empty() && models.contains(model));
        let some = self.told_input > 0 && self.told_output > 0;
        same_model && some && (self.told_input, self.told_output) == (span.told_input, span.told_output)
    }
}
