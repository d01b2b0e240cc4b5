//! Calls that are told twice are taken out of all sums, once their trace has been quiet for a while.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::count::{change_sums, quarter};
use super::folder;
use super::retention::read_only;
use super::segment::{Segment, number};
use super::sums::{self, Call, Sums};
use super::trace::{amount, tokens};
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
    /// Whether there are traces that were not quiet yet.
    pub(super) more: bool,
    /// Whether there may be others that were.
    pub(super) full: bool,
}

/// Settles the traces of a file that have been quiet.
pub(super) fn settle(segment: &mut Segment) -> rusqlite::Result<Settled> {
    let until = Nanos::now().0.saturating_sub(u64::try_from(QUIET.as_nanos()).unwrap_or(0));
    let mut settled = settle_until(segment, until)?;
    settled.more = is_left(&segment.connection)?;
    Ok(settled)
}

/// Settles all traces of a file, and tells those whose sums are others now.
pub(super) fn settle_all(segment: &mut Segment) -> rusqlite::Result<Vec<TraceId>> {
    let mut changed = Vec::new();
    loop {
        let settled = settle_until(segment, u64::MAX)?;
        changed.extend(settled.changed);
        if !settled.full {
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

fn is_left(connection: &Connection) -> rusqlite::Result<bool> {
    let mut find = connection.prepare_cached("SELECT EXISTS(SELECT 1 FROM trace WHERE unsettled)")?;
    find.query_row([], |row| row.get(0))
}

fn settle_until(segment: &mut Segment, until: u64) -> rusqlite::Result<Settled> {
    let mut settled = Settled::default();
    let quiet = quiet(&segment.connection, until)?;
    settled.full = i64::try_from(quiet.len()).unwrap_or(MOST) >= MOST;
    if !quiet.is_empty() {
        let tx = segment.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (trace, id, spans) in &quiet {
            if *spans <= MOST_SPANS && settle_one(&tx, *trace)? {
                settled.changed.extend(id);
            }
            tx.prepare_cached("UPDATE trace SET unsettled = 0 WHERE id = ?")?.execute([trace])?;
        }
        tx.commit()?;
        segment.dirty = true;
    }
    Ok(settled)
}

fn quiet(connection: &Connection, until: u64) -> rusqlite::Result<Vec<(i64, Option<TraceId>, i64)>> {
    let mut find = connection.prepare_cached(
        "SELECT id, trace_id, spans FROM trace WHERE unsettled AND last_ns <= ? ORDER BY last_ns LIMIT ?",
    )?;
    let read =
        |row: &rusqlite::Row<'_>| Ok((row.get(0)?, TraceId::new(row.get_ref(1)?.as_blob()?), row.get(2)?));
    find.query_map([number(until), MOST], read)?.collect()
}

/// Whether the sums of the trace are others now.
fn settle_one(tx: &Transaction<'_>, trace: i64) -> rusqlite::Result<bool> {
    let (mut told, mut calls) = (Vec::new(), Vec::new());
    {
        let sql = format!(
            "SELECT {}, s.span_id, s.parent, s.response_id, s.state FROM {} WHERE s.trace = ? ORDER BY s.id",
            sums::COLUMNS,
            sums::TABLES
        );
        let mut find = tx.prepare_cached(&sql)?;
        let mut rows = find.query([trace])?;
        while let Some(row) = rows.next()? {
            let call = Call::read(row)?;
            let Some(span) = SpanId::new(row.get_ref("span_id")?.as_blob()?) else { continue };
            told.push(Told {
                span,
                parent: row.get_ref("parent")?.as_blob_or_null()?.and_then(SpanId::new),
                op: Op::from_number(call.names.op),
                usage: call.usage,
                response_id: row.get("response_id")?,
                ended: row.get::<_, u8>("state")? == SpanState::Ended as u8,
                time: (Nanos(call.start), Nanos(call.end)),
            });
            calls.push(call);
        }
    }
    let wrappers = usage::of(&told);
    let mut changed = false;
    for (at, call) in calls.iter().enumerate() {
        let is = wrappers.binary_search(&at).is_ok();
        if is == call.is_wrapper() {
            continue;
        }
        changed = true;
        let flags = if is { call.flags | WRAPPER } else { call.flags & !WRAPPER };
        tx.prepare_cached("UPDATE span SET flags = ? WHERE id = ?")?.execute(params![flags, call.row])?;
        change_sums(
            tx,
            quarter(call.start),
            &call.names,
            |sums| if is { sums.take(call) } else { sums.add(call) },
        )?;
    }
    if changed {
        let counted = told.iter().zip(&calls).enumerate().filter(|(at, (told, _))| {
            told.ended && told.op.is_some_and(Op::counts_tokens) && wrappers.binary_search(at).is_err()
        });
        write(tx, trace, counted.map(|(_, (_, call))| call))?;
    }
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
        if Op::from_number(call.names.op).is_some_and(Op::is_inference) {
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
