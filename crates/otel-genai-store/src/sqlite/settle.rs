//! Calls that are told twice are taken out of all sums, once their trace has been quiet for a while.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::count::{change_sums, quarter};
use super::folder;
use super::retention::read_only;
use super::segment::{Segment, number};
use super::sums::{self, Call, Sums};
use super::trace::{BEGAN, amount, tokens};
use crate::facts::{CostSource, Op};
use crate::id::{Day, Nanos, SpanId, TraceId};
use crate::span::SpanState;
use crate::usage::{self, Told};

/// So long a trace has been quiet.
const QUIET: Duration = Duration::from_secs(2);
/// So many traces are settled at a time.
const MOST: i64 = 500;
/// In larger traces nothing is looked for.
const MOST_SPANS: i64 = 20_000;
/// Of the flags of a span: its call is told again inside it.
pub(super) const WRAPPER: u8 = 1 << 7;

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// Traces whose sums are others now.
    pub(super) changed: Vec<TraceId>,
    /// Traces that other days have too, or may have: what is in all of them is settled together.
    pub(super) over: Vec<Over>,
    /// Whether there are traces that were not quiet yet.
    pub(super) more: bool,
    /// Whether there may be others that were.
    pub(super) full: bool,
}

/// A trace that other days have too, or may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Over {
    pub(super) trace: TraceId,
    /// Whether nothing says yet that it began earlier, but for its root, which is not here.
    pub(super) may_have_begun: bool,
    /// Whether calls may be told twice in what is known of it here.
    pub(super) may_tell_twice: bool,
}

/// Settles the traces of a file that have been quiet, but for those that other days may have too.
pub(super) fn settle(segment: &mut Segment) -> rusqlite::Result<Settled> {
    let until = Nanos::now().0.saturating_sub(u64::try_from(QUIET.as_nanos()).unwrap_or(0));
    let mut settled = settle_until(segment, until, true)?;
    settled.more = is_left(&segment.connection)?;
    Ok(settled)
}

/// Settles all traces of a file that lie in it alone, and tells those whose sums are others now.
pub(super) fn settle_all(segment: &mut Segment) -> rusqlite::Result<Vec<TraceId>> {
    let mut changed = Vec::new();
    loop {
        let settled = settle_until(segment, u64::MAX, false)?;
        changed.extend(settled.changed);
        // Those that stay are the same the next time.
        if !settled.full || !settled.over.is_empty() {
            return Ok(changed);
        }
    }
}

/// Days with traces that were not settled when their file was used last: the process was killed, or its time was too short.
pub(super) fn left(folder: &Path) -> Vec<Day> {
    let is_left = |day: &Day| read_only(&folder::file(folder, *day)).and_then(|file| is_left(&file));
    // A file that cannot be read is somebody else's matter.
    folder::days(folder).unwrap_or_default().into_iter().filter(|day| is_left(day).unwrap_or(false)).collect()
}

/// Whether a file has traces to settle.
pub(super) fn is_left(connection: &Connection) -> rusqlite::Result<bool> {
    let mut find = connection.prepare_cached("SELECT EXISTS(SELECT 1 FROM trace WHERE unsettled)")?;
    find.query_row([], |row| row.get(0))
}

/// `over`: those that other days may have too are told once, to be settled together; else they stay.
fn settle_until(segment: &mut Segment, until: u64, over: bool) -> rusqlite::Result<Settled> {
    let mut settled = Settled::default();
    let quiet = quiet(&segment.connection, until)?;
    settled.full = i64::try_from(quiet.len()).unwrap_or(MOST) >= MOST;
    if !quiet.is_empty() {
        let tx = segment.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for Quiet { row, id, spans, counted, also, rootless } in quiet {
            let may_have_begun = rootless && also & BEGAN == 0;
            match id {
                Some(trace) if may_have_begun || also != 0 => {
                    let may_tell_twice = also != 0 || counted > 1;
                    settled.over.push(Over { trace, may_have_begun, may_tell_twice });
                    if !over {
                        continue;
                    }
                }
                _ if counted > 1 && spans <= MOST_SPANS => {
                    let part = Part::read(&tx, row)?;
                    let wrappers = usage::of(&part.told);
                    let is = |at: usize| wrappers.binary_search(&at).is_ok();
                    if part.apply(&tx, &is)? {
                        settled.changed.extend(id);
                    }
                }
                _ => {}
            }
            tx.prepare_cached("UPDATE trace SET unsettled = 0 WHERE id = ?")?.execute([row])?;
        }
        tx.commit()?;
        segment.dirty = true;
    }
    Ok(settled)
}

struct Quiet {
    row: i64,
    id: Option<TraceId>,
    spans: i64,
    counted: i64,
    also: u8,
    rootless: bool,
}

fn quiet(connection: &Connection, until: u64) -> rusqlite::Result<Vec<Quiet>> {
    let mut find = connection.prepare_cached(
        "SELECT id, trace_id, spans, counted, also, root_span IS NULL FROM trace WHERE unsettled AND last_ns <= ?
         ORDER BY last_ns LIMIT ?",
    )?;
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Quiet {
            row: row.get(0)?,
            id: TraceId::new(row.get_ref(1)?.as_blob()?),
            spans: row.get(2)?,
            counted: row.get(3)?,
            also: row.get(4)?,
            rootless: row.get(5)?,
        })
    };
    find.query_map(params![number(until), MOST], read)?.collect()
}

/// What a file has of a trace.
pub(super) struct Part {
    row: i64,
    told: Vec<Told>,
    calls: Vec<Call>,
}

impl Part {
    /// The part of a trace in a file; none if the file has it not, or too much of it.
    pub(super) fn find(connection: &Connection, trace: TraceId) -> rusqlite::Result<Option<Self>> {
        let row = connection
            .prepare_cached("SELECT id FROM trace WHERE trace_id = ? AND spans <= ?")?
            .query_row(params![trace.bytes(), MOST_SPANS], |row| row.get(0))
            .optional()?;
        row.map(|row| Self::read(connection, row)).transpose()
    }

    fn read(connection: &Connection, row: i64) -> rusqlite::Result<Self> {
        let mut part = Self { row, told: Vec::new(), calls: Vec::new() };
        let sql = format!(
            "SELECT {}, s.span_id, s.parent, s.response_id, s.state FROM {} WHERE s.trace = ? ORDER BY s.id",
            sums::COLUMNS,
            sums::TABLES
        );
        let mut find = connection.prepare_cached(&sql)?;
        let mut rows = find.query([row])?;
        while let Some(row) = rows.next()? {
            let call = Call::read(row)?;
            let Some(span) = SpanId::new(row.get_ref("span_id")?.as_blob()?) else { continue };
            part.told.push(Told {
                span,
                parent: row.get_ref("parent")?.as_blob_or_null()?.and_then(SpanId::new),
                op: Op::from_number(call.names.op),
                usage: call.usage,
                response_id: row.get("response_id")?,
                ended: row.get::<_, u8>("state")? == SpanState::Ended as u8,
            });
            part.calls.push(call);
        }
        Ok(part)
    }

    /// Takes the calls that are told again, by their places in the part, out of the sums. Whether those are others now.
    fn apply(&self, tx: &Transaction<'_>, is_wrapper: &dyn Fn(usize) -> bool) -> rusqlite::Result<bool> {
        let mut changed = false;
        for (at, call) in self.calls.iter().enumerate() {
            let is = is_wrapper(at);
            if is == call.is_wrapper() {
                continue;
            }
            changed = true;
            let flags = if is { call.flags | WRAPPER } else { call.flags & !WRAPPER };
            tx.prepare_cached("UPDATE span SET flags = ? WHERE id = ?")?.execute(params![flags, call.row])?;
            change_sums(tx, quarter(call.start), &call.names, |sums| {
                if is { sums.take(call) } else { sums.add(call) }
            })?;
        }
        if changed {
            let counted = self.told.iter().zip(&self.calls).enumerate().filter(|(at, (told, _))| {
                told.ended && told.op.is_some_and(Op::counts_tokens) && !is_wrapper(*at)
            });
            write(tx, self.row, counted.map(|(_, (_, call))| call))?;
        }
        Ok(changed)
    }
}

/// Which calls of a trace that lies in several files are told again: for each part their places.
pub(super) fn wrappers(parts: &[Part]) -> Vec<HashSet<usize>> {
    let all: Vec<Told> = parts.iter().flat_map(|part| part.told.iter().cloned()).collect();
    let mut found = usage::of(&all).into_iter().peekable();
    let mut first = 0;
    let each = parts.iter().map(|part| {
        let end = first + part.told.len();
        let own = std::iter::from_fn(|| found.next_if(|at| *at < end).map(|at| at - first)).collect();
        first = end;
        own
    });
    each.collect()
}

/// Settles what a file has of such a trace.
pub(super) fn settle_part(
    segment: &mut Segment,
    part: &Part,
    wrappers: &HashSet<usize>,
) -> rusqlite::Result<bool> {
    let tx = segment.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let changed = part.apply(&tx, &|at| wrappers.contains(&at))?;
    tx.commit()?;
    segment.dirty |= changed;
    Ok(changed)
}

/// The sums of a trace, made anew of the calls that count.
fn write<'a>(
    tx: &Transaction<'_>,
    trace: i64,
    calls: impl Iterator<Item = &'a Call>,
) -> rusqlite::Result<()> {
    let (mut sums, mut llm, mut errors) = (Sums::default(), 0, 0);
    for call in calls {
        sums.add(call);
        if Op::from_number(call.names.op).is_some_and(Op::counts_tokens) {
            llm += 1;
            errors += i64::from(call.error);
        }
    }
    let usage = sums.usage;
    tx.prepare_cached(
        "UPDATE trace SET llm = ?2, llm_err = ?3, in_tok = ?4, out_tok = ?5, cache_r = ?6, cache_w = ?7, reason_tok = ?8,
           audio_in = ?9, audio_out = ?10, cost = ?11, saved = ?12, reported = ?13, unpriced = ?14, rev = rev + 1
         WHERE id = ?1",
    )?
    .execute(params![
        trace,
        llm,
        errors,
        tokens(usage.input),
        tokens(usage.output),
        tokens(usage.cache_read),
        tokens(usage.cache_write),
        tokens(usage.reasoning),
        tokens(usage.audio_input),
        tokens(usage.audio_output),
        sums.cost.map(|(nanos, _)| amount(nanos)),
        sums.cost.map(|(_, saved)| amount(saved)),
        sums.told_cost().is_some_and(|cost| cost.source == CostSource::Reported),
        number(sums.unpriced),
    ])?;
    Ok(())
}
