//! Calls that are told twice are marked once their trace has been quiet for a while: what adds up calls leaves them out.
//! They are told again by spans inside them, or, of sessions, by log records and by spans.
//!
//! The span that tells a call again and the one inside it may reach different dashboards. Whoever stored a call of a trace
//! looks at all of it a moment after, so that the last one sees both.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::time::Duration;

use clickhouse::Row;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

use super::calls::{HOUR_SECONDS, any_hour, time};
use super::line::{SESSION, number};
use super::read::{Db, around, one_of};
use super::writer::{Traces, insert};
use crate::error::StoreError;
use crate::facts::{Op, Usage};
use crate::id::{Nanos, SpanId, TraceId};
use crate::span::SpanState;
use crate::usage::{self, Told};

/// So long a trace has been quiet.
const QUIET: Duration = Duration::from_secs(2);
/// When the server did not answer.
const AGAIN: Duration = Duration::from_secs(5);
/// Between two looks at least: many traces are looked at for little more than one.
const GATHER: Duration = Duration::from_secs(1);
/// So many traces are looked at at a time,
const MOST: usize = 1_000;
/// and so many of their spans.
const MOST_LINES: usize = 100_000;
/// In larger traces nothing is looked for.
const MOST_SPANS: usize = 20_000;
/// So many traces wait to be looked at.
const MOST_WAITING: usize = 1 << 20;
/// More hours than these are asked for from the first to the last.
const MOST_HOURS: usize = 100;
/// Of what was stored last by one that was killed, so many traces are looked at.
const MOST_LEFT: usize = 5_000;

/// A span as far as it decides whether its call is told twice.
#[derive(Row, Deserialize)]
struct Line<'a> {
    hour: u32,
    trace_id: [u8; 16],
    span_id: [u8; 8],
    print: [u8; 16],
    parent: [u8; 8],
    state: u8,
    op: u8,
    input: Option<u64>,
    output: Option<u64>,
    response_id: &'a str,
}

#[derive(Row, Deserialize)]
struct Left {
    trace_id: [u8; 16],
}

/// A row of `wrapper`: `told` is 0 for one that was taken for a wrapper, and is none.
#[derive(Row, Serialize, Deserialize)]
pub(super) struct Mark {
    hour: u32,
    trace_id: [u8; 16],
    print: [u8; 16],
    told: u8,
    at: i64,
}

/// The task that marks them.
pub(super) struct Settler {
    db: Db,
    /// Traces, and when they will have been quiet.
    waiting: VecDeque<(Instant, TraceId)>,
    /// Of those the last time.
    latest: HashMap<TraceId, Instant>,
    /// Hours with calls that a session's record or a span may tell again.
    called: Called,
    /// Hours that were added up, by when they had been touched.
    rolled: HashSet<(u32, i64)>,
}

/// Hours that were looked at and have calls, and the moment from which on holds what is said of them.
#[derive(Default)]
struct Called {
    hours: BTreeSet<u32>,
    at: i64,
}

impl Settler {
    pub(super) fn new(db: Db) -> Self {
        Self {
            db,
            waiting: VecDeque::new(),
            latest: HashMap::new(),
            called: Called::default(),
            rolled: HashSet::new(),
        }
    }

    /// Works until the writer is gone, then marks what is left.
    pub(super) async fn run(mut self, mut stored: UnboundedReceiver<Traces>) {
        let mut first = true;
        let pause = self.db.place.quiet / 2;
        let mut roll = Instant::now() + pause;
        let mut next = Instant::now();
        loop {
            let due = self.waiting.front().map_or(roll, |(due, _)| roll.min(next.max(*due)));
            match tokio::time::timeout_at(due, stored.recv()).await {
                Ok(Some(traces)) => {
                    // Only one that writes may mark what another one left.
                    if std::mem::take(&mut first) {
                        self.wait(self.db.left().await.unwrap_or_default());
                    }
                    self.wait(traces);
                }
                Ok(None) => break,
                Err(_) => {}
            }
            let now = Instant::now();
            if next <= now && self.waiting.front().is_some_and(|(due, _)| *due <= now) {
                if !self.settle(now, false).await {
                    tokio::time::sleep(AGAIN).await;
                }
                // Those that are due already are looked at next.
                let more = self.waiting.front().is_some_and(|(due, _)| *due <= now);
                next = if more { now } else { now + GATHER };
            }
            // Who only looks writes nothing down.
            if !first && roll <= Instant::now() {
                // A server that does not answer now is asked again.
                let _ = self.settle_sessions(false).await;
                let _ = self.db.roll(&mut self.rolled).await;
                roll = Instant::now() + pause;
            } else if first {
                roll = roll.max(Instant::now() + pause);
            }
        }
        while self.settle(Instant::now() + QUIET, true).await && !self.waiting.is_empty() {}
    }

    fn wait(&mut self, traces: impl IntoIterator<Item = TraceId>) {
        let due = Instant::now() + QUIET;
        for trace in traces {
            if self.waiting.len() >= MOST_WAITING {
                return;
            }
            self.latest.insert(trace, due);
            self.waiting.push_back((due, trace));
        }
    }

    /// Looks at some that are due; whether that could be done. At the end nobody waits for a server that is slow: whoever starts
    /// next looks at what is left.
    async fn settle(&mut self, now: Instant, ends: bool) -> bool {
        let mut due = Vec::new();
        while due.len() < MOST
            && let Some((at, trace)) = self.waiting.front().copied().filter(|(at, _)| *at <= now)
        {
            self.waiting.pop_front();
            if self.latest.get(&trace) == Some(&at) {
                self.latest.remove(&trace);
                due.push(trace);
            }
        }
        let (mut parts, mut settled) = (vec![due], false);
        while let Some(mut part) = parts.pop() {
            match self.db.settle(&part).await {
                Ok(Called { hours, at }) => {
                    settled = true;
                    self.called.hours.extend(hours);
                    self.called.at = self.called.at.max(at);
                }
                Err(StoreError::ReadOnly(_)) => {
                    self.waiting.clear();
                    return false;
                }
                Err(StoreError::Timeout(_)) if ends => return false,
                // Together they are too much for the server, or one of them is.
                Err(StoreError::Timeout(_) | StoreError::BadQuery(_)) if part.len() > 1 => {
                    let rest = part.split_off(part.len() / 2);
                    parts.extend([rest, part]);
                }
                // One that is too much by itself, where others are not, is left as it is. Where no other one was looked at, the
                // server may be short of time or memory for all of them.
                Err(StoreError::Timeout(_) | StoreError::BadQuery(_)) if settled => {}
                Err(_) => {
                    // It comes last: the others are not held up by it.
                    self.wait(parts.into_iter().rev().flatten());
                    self.wait(part);
                    return false;
                }
            }
        }
        self.settle_sessions(ends).await
    }

    /// Marks the records of sessions whose calls spans tell; whether that could be done. What could not is tried again with what
    /// is looked at next, or a while later.
    async fn settle_sessions(&mut self, ends: bool) -> bool {
        let Called { hours, at } = std::mem::take(&mut self.called);
        let (mut parts, mut settled) = (vec![hours], false);
        // The latest hours first: those come again.
        while let Some(mut part) = parts.pop() {
            let middle = part.iter().nth(part.len() / 2).copied().filter(|_| part.len() > 1 && !ends);
            match (self.db.settle_sessions(&part, at).await, middle) {
                (Ok(()), _) => settled = true,
                (Err(StoreError::ReadOnly(_)), _) => return false,
                (Err(StoreError::Timeout(_) | StoreError::BadQuery(_)), Some(middle)) => {
                    let rest = part.split_off(&middle);
                    parts.extend([part, rest]);
                }
                (Err(StoreError::Timeout(_) | StoreError::BadQuery(_)), None) if settled => {}
                (Err(_), _) => {
                    parts.push(part);
                    self.called = Called { hours: parts.into_iter().flatten().collect(), at };
                    return false;
                }
            }
        }
        true
    }
}

impl Db {
    /// Traces that one who was killed may not have looked at: those of its last minute.
    async fn left(&self) -> Result<Vec<TraceId>, StoreError> {
        let sql = format!(
            "SELECT DISTINCT trace_id FROM trace WHERE day >= (SELECT max(day) - 1 FROM trace)
               AND last_ns > (SELECT max(last_ns) - 60000000000 FROM trace WHERE day >= (SELECT max(day) - 1 FROM trace))
             LIMIT {MOST_LEFT}"
        );
        let mut left = Vec::new();
        self.each::<Left>(self.client.query_raw(&sql), |line| {
            left.extend(TraceId::new(&line.trace_id));
            Ok(())
        })
        .await?;
        Ok(left)
    }

    /// In which hours records of these traces are kept: few of a day, so that little of it is read.
    pub(super) async fn hours_of(&self, of: &str) -> Result<BTreeSet<u32>, StoreError> {
        let (first, last) = around();
        let sql = format!(
            "SELECT DISTINCT toUInt32({first}) AS from, toUInt32({last}) AS to FROM trace WHERE {of}"
        );
        let mut hours = BTreeSet::new();
        self.each::<(u32, u32)>(self.client.query_raw(&sql), |(from, to)| {
            hours.extend((from..=to).step_by(HOUR_SECONDS as usize));
            Ok(())
        })
        .await?;
        Ok(hours)
    }

    /// Marks those of these traces' spans that tell a call again.
    async fn settle(&self, traces: &[TraceId]) -> Result<Called, StoreError> {
        if traces.is_empty() {
            return Ok(Called::default());
        }
        let of = one_of("trace_id", traces.iter().map(|id| id.bytes().as_slice()));
        let hours = these(&self.hours_of(&of).await?);
        let sql = format!(
            "SELECT hour, trace_id, span_id, print, parent, state, op, input, output, response_id
             FROM (SELECT * FROM span WHERE {of} AND {hours} LIMIT 1 BY trace_id, span_id, print)
             ORDER BY trace_id, start_ns LIMIT {} BY trace_id",
            MOST_SPANS + 1
        );
        let mut lines: HashMap<[u8; 16], Vec<Placed>> = HashMap::new();
        let mut room = MOST_LINES;
        let (mut called, mut of_sessions) = (BTreeSet::new(), HashSet::new());
        self.each::<Line<'_>>(self.client.query_raw(&sql), |line| {
            let more = room.checked_sub(1);
            room = more.ok_or_else(|| StoreError::BadQuery("these traces have too many spans".to_owned()))?;
            if line.state == SESSION {
                of_sessions.insert(line.print);
            }
            if Op::from_number(line.op).is_some_and(|op| op.is_inference() || op == Op::ExecuteTool) {
                called.insert(line.hour);
            }
            if let Some(told) = line.told() {
                lines.entry(line.trace_id).or_default().push((line.hour, line.print, told));
            }
            Ok(())
        })
        .await?;
        let mut marked: HashMap<[u8; 16], Mark> = HashMap::new();
        let sql = format!("SELECT hour, trace_id, print, told, at FROM wrapper FINAL WHERE {of} AND {hours}");
        let mut latest = number(Nanos::now().0);
        self.each::<Mark>(self.client.query_raw(&sql), |mark| {
            latest = latest.max(mark.at);
            if mark.told > 0 {
                marked.insert(mark.print, mark);
            }
            Ok(())
        })
        .await?;
        // What is said now holds, though another one's clock may run ahead.
        let at = latest.saturating_add(1);
        let mut marks = Vec::new();
        for (trace_id, lines) in lines {
            for (hour, print) in wrappers(lines) {
                if marked.remove(&print).is_none() {
                    marks.push(Mark { hour, trace_id, print, told: 1, at });
                }
            }
        }
        // What came since says that they are none.
        marked.retain(|print, _| !of_sessions.contains(print));
        marks.extend(marked.into_values().map(|mark| Mark { told: 0, at, ..mark }));
        insert::<Mark>(self, "wrapper", &marks).await?;
        Ok(Called { hours: called, at })
    }

    /// Marks the records of sessions near these hours whose calls spans tell.
    async fn settle_sessions(&self, hours: &BTreeSet<u32>, at: i64) -> Result<(), StoreError> {
        let again = self.told_by_spans(hours).await?;
        let mark = |(hour, trace_id, print)| Mark { hour, trace_id, print, told: 1, at };
        let marks: Vec<Mark> = again.into_iter().map(mark).collect();
        insert::<Mark>(self, "wrapper", &marks).await
    }
}

/// The condition that a record is of these hours.
pub(super) fn these(hours: &BTreeSet<u32>) -> String {
    match (hours.first(), hours.last()) {
        (Some(first), Some(last)) if hours.len() > MOST_HOURS => {
            format!("hour >= {} AND hour <= {}", time(*first), time(*last))
        }
        (Some(_), _) => any_hour(hours),
        _ => "0".to_owned(),
    }
}

/// Its hour, its print, and what it tells.
type Placed = (u32, [u8; 16], Told);

/// Those of a trace's spans that tell a call again.
fn wrappers(lines: Vec<Placed>) -> Vec<(u32, [u8; 16])> {
    if lines.len() > MOST_SPANS {
        return Vec::new();
    }
    let ended: HashSet<SpanId> =
        lines.iter().filter(|(_, _, told)| told.ended).map(|(_, _, told)| told.span).collect();
    let (mut places, mut all) = (Vec::new(), Vec::new());
    for (hour, print, told) in lines {
        // Word of a beginning whose end is there says nothing.
        if told.ended || !ended.contains(&told.span) {
            places.push((hour, print));
            all.push(told);
        }
    }
    usage::of(&all).into_iter().filter_map(|at| places.get(at).copied()).collect()
}

impl Line<'_> {
    fn told(&self) -> Option<Told> {
        Some(Told {
            span: SpanId::new(&self.span_id)?,
            parent: SpanId::new(&self.parent),
            op: Op::from_number(self.op),
            usage: Usage { input: self.input, output: self.output, ..Usage::default() },
            response_id: (!self.response_id.is_empty()).then(|| self.response_id.into()),
            ended: self.state == SpanState::Ended as u8,
        })
    }
}
