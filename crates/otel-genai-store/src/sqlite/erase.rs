//! Traces are taken out of a file row by row, with the content that nobody else has.

use std::collections::BTreeSet;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::content::ids;
use super::count::{change_sums, quarter};
use super::more::Kind;
use super::search::list;
use super::segment::{Known, Segment};
use super::sums::{self, Call};
use super::told;
use crate::facts::Op;
use crate::id::{Nanos, TraceId};
use crate::query::Range;
use crate::span::SpanState;

/// At a time so many traces go,
const MOST_TRACES: usize = 500;
/// with so many spans, or one trace that has more,
const MOST_SPANS: i64 = 5_000;
/// and so many log records without a trace.
const MOST_LOGS: i64 = 5_000;
/// Of points alone so many of 10,000, by the time they are of: at least,
const LEAST_SHARE: u64 = 200;
/// and at most.
const MOST_SHARE: u64 = 1_000;
/// So many pages are given back at a time,
const MOST_PAGES: i64 = 4_096;
/// if at least one in so many is free.
const FREE: i64 = 4;

/// Takes a trace out of a file. None if the file has not got it.
pub(super) fn trace(segment: &mut Segment, trace: TraceId) -> rusqlite::Result<Option<Range>> {
    let Segment { connection, known, dirty, .. } = segment;
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let row = tx
        .prepare_cached("SELECT id, start_ns, end_ns FROM trace WHERE trace_id = ?")?
        .query_row([trace.bytes()], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((row, start, end)) = row else { return Ok(None) };
    erase(&tx, &[row], &[])?;
    tx.commit()?;
    (*known, *dirty) = (Known::new(), true);
    give_back(&segment.connection)?;
    Ok(Some(range(start, end)))
}

/// Takes the oldest traces out of a file, at most so many of 10,000, and log records that are as old. None if it is empty.
pub(super) fn oldest(segment: &mut Segment, share: u64) -> rusqlite::Result<Option<Range>> {
    let Segment { connection, known, dirty, .. } = segment;
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let all = tx.query_row("SELECT count(*) FROM trace", [], |row| row.get::<_, i64>(0))?;
    let most = u64::try_from(all).unwrap_or(0).saturating_mul(share) / 10_000;
    let most = usize::try_from(most).unwrap_or(MOST_TRACES).clamp(1, MOST_TRACES);
    let (mut traces, mut spans, mut first, mut last) = (Vec::new(), 0, None, 0);
    {
        let mut find = tx.prepare_cached("SELECT id, start_ns, spans FROM trace ORDER BY start_ns, id")?;
        let mut rows = find.query([])?;
        while traces.len() < most && spans < MOST_SPANS {
            let Some(row) = rows.next()? else { break };
            traces.push(row.get(0)?);
            last = row.get(1)?;
            first.get_or_insert(last);
            spans += row.get::<_, i64>(2)?;
        }
    }
    // Without traces it is the log records that take the room.
    let until = if traces.is_empty() { i64::MAX } else { last };
    let logs: Vec<(i64, i64)> = tx
        .prepare_cached(
            "SELECT id, time_ns FROM log WHERE trace_id IS NULL AND time_ns <= ? ORDER BY time_ns, id LIMIT ?",
        )?
        .query_map(params![until, MOST_LOGS], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    if traces.is_empty() && logs.is_empty() {
        let range = oldest_points(&tx, share)?;
        tx.commit()?;
        (*known, *dirty) = (Known::new(), true);
        give_back(&segment.connection)?;
        return Ok(range);
    }
    let times = logs.iter().map(|(_, time)| *time);
    let Some(first) = times.clone().chain(first).min() else { return Ok(None) };
    let last = if traces.is_empty() { times.max().unwrap_or(first) } else { last };
    erase(&tx, &traces, &logs.iter().map(|(id, _)| *id).collect::<Vec<_>>())?;
    points(&tx, last)?;
    tx.commit()?;
    (*known, *dirty) = (Known::new(), true);
    give_back(&segment.connection)?;
    Ok(Some(range(first, last)))
}

fn range(from: i64, to: i64) -> Range {
    let moment = |nanos: i64| Nanos(u64::try_from(nanos).unwrap_or(0));
    Range { from: moment(from), to: moment(to.saturating_add(1)) }
}

fn erase(tx: &Transaction<'_>, traces: &[i64], logs: &[i64]) -> rusqlite::Result<()> {
    let (rows, loose) = (list(traces), list(logs));
    let of_list = "IN (SELECT value FROM json_each(?1))";
    let of_logs = format!(
        "trace_id IN (SELECT trace_id FROM trace WHERE id {of_list}) OR id IN (SELECT value FROM json_each(?2))"
    );
    let mut pieces = BTreeSet::new();
    let mut gather = |sql: &str, values: &[&dyn rusqlite::ToSql]| -> rusqlite::Result<()> {
        let mut find = tx.prepare(sql)?;
        let mut found = find.query(values)?;
        while let Some(row) = found.next()? {
            pieces.extend(ids(row.get_ref(0)?.as_blob()?).unwrap_or_default());
        }
        Ok(())
    };
    gather(&format!("SELECT refs FROM span WHERE trace {of_list} AND refs IS NOT NULL"), &[&rows])?;
    gather(&format!("SELECT refs FROM log WHERE ({of_logs}) AND refs IS NOT NULL"), &[&rows, &loose])?;
    let pieces = list(&pieces.into_iter().collect::<Vec<_>>());
    let gone = "IN (SELECT value FROM json_each(?2)) OR -trace IN (SELECT value FROM json_each(?3))";
    tx.execute(
        &format!(
            "DELETE FROM content_use WHERE content IN (SELECT value FROM json_each(?1)) AND (trace {gone})"
        ),
        params![pieces, rows, loose],
    )?;
    let lonely: Vec<i64> = tx
        .prepare(
            "SELECT id FROM content WHERE id IN (SELECT value FROM json_each(?1))
               AND NOT EXISTS (SELECT 1 FROM content_use WHERE content = content.id)",
        )?
        .query_map([pieces], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let lonely = list(&lonely);
    for table in ["DELETE FROM fts WHERE rowid", "DELETE FROM content WHERE id"] {
        tx.execute(&format!("{table} {of_list}"), params![lonely])?;
    }
    tx.execute(
        &format!("DELETE FROM fts_log WHERE rowid IN (SELECT id FROM log WHERE {of_logs})"),
        params![rows, loose],
    )?;
    uncount(tx, &rows, &loose, &of_logs)?;
    tx.execute(&format!("DELETE FROM log WHERE {of_logs}"), params![rows, loose])?;
    tx.execute(&format!("DELETE FROM span WHERE trace {of_list}"), params![rows])?;
    tx.execute(&format!("DELETE FROM trace WHERE id {of_list}"), params![rows])?;
    tx.execute(&format!("DELETE FROM trace_word WHERE trace {of_list}"), params![rows])?;
    tx.execute(
        "DELETE FROM conversation WHERE NOT EXISTS (SELECT 1 FROM trace_word WHERE kind = ? AND word = conversation.word)",
        [Kind::Conversation as u8],
    )?;
    Ok(())
}

/// Takes pieces out of a file that a span of this trace had or was to have, if nothing else has them.
pub(super) fn unused(
    tx: &Transaction<'_>,
    known: &mut Known,
    trace: i64,
    mut pieces: Vec<i64>,
) -> rusqlite::Result<()> {
    if pieces.is_empty() {
        return Ok(());
    }
    let mut find = tx.prepare_cached("SELECT refs FROM span WHERE trace = ? AND refs IS NOT NULL LIMIT ?")?;
    let mut spans = find.query(params![trace, MOST_SPANS])?;
    let mut seen = 0;
    while let Some(span) = spans.next()? {
        let used = ids(span.get_ref(0)?.as_blob()?).unwrap_or_default();
        pieces.retain(|piece| !used.contains(piece));
        seen += 1;
        // In a trace so large they stay until it goes: looking through it for each span would take too long.
        if pieces.is_empty() || seen == MOST_SPANS {
            return Ok(());
        }
    }
    for piece in pieces {
        tx.prepare_cached("DELETE FROM content_use WHERE content = ? AND trace = ? AND kind = 0")?
            .execute([piece, trace])?;
        let is_used = tx.prepare_cached("SELECT 1 FROM content_use WHERE content = ?")?.exists([piece])?;
        if !is_used {
            tx.prepare_cached("DELETE FROM fts WHERE rowid = ?")?.execute([piece])?;
            tx.prepare_cached("DELETE FROM content WHERE id = ?")?.execute([piece])?;
        }
    }
    known.forget_pieces();
    Ok(())
}

/// Takes spans and log records out of all sums.
fn uncount(tx: &Transaction<'_>, traces: &Value, logs: &Value, of_logs: &str) -> rusqlite::Result<()> {
    let of_list = "IN (SELECT value FROM json_each(?1))";
    let ended = SpanState::Ended as u8;
    let calls: Vec<Call> = tx
        .prepare(&format!(
            "SELECT {} FROM {} WHERE s.trace {of_list} AND s.state = {ended}",
            sums::COLUMNS,
            sums::TABLES
        ))?
        .query_map([traces], Call::read)?
        .collect::<rusqlite::Result<_>>()?;
    let counted =
        |call: &&Call| !call.is_wrapper() && Op::from_number(call.names.op).is_some_and(Op::is_genai);
    let told: Vec<Call> = tx
        .prepare(&format!("SELECT {} FROM {} WHERE s.trace {of_list}", sums::COLUMNS, told::TABLES))?
        .query_map([traces], Call::read)?
        .collect::<rusqlite::Result<_>>()?;
    tx.execute(&format!("DELETE FROM told WHERE trace {of_list}"), [traces])?;
    for call in calls.iter().chain(&told).filter(counted) {
        change_sums(tx, quarter(call.start), &call.names, |sums| sums.take(call))?;
    }
    tx.execute(
        &format!(
            "UPDATE heard SET spans = heard.spans - gone.spans, calls = heard.calls - gone.calls,
               content = heard.content - gone.content
             FROM (SELECT origin, ifnull(dialect, 0) AS dialect, count(*) AS spans,
                 total(state = {ended} AND op IN (1, 2, 3)) AS calls,
                 total(state = {ended} AND op IN (1, 2, 3) AND flags & 3 IN (2, 3)) AS content
               FROM span WHERE trace {of_list} GROUP BY 1, 2) AS gone
             WHERE heard.origin = gone.origin AND heard.dialect = gone.dialect"
        ),
        [traces],
    )?;
    // Of log records nobody knows the dialect any more: the one that tells most has told them.
    tx.execute(
        &format!(
            "UPDATE heard SET logs = max(heard.logs - gone.logs, 0)
             FROM (SELECT origin, count(*) AS logs FROM log WHERE {of_logs} GROUP BY 1) AS gone
             WHERE heard.origin = gone.origin AND heard.dialect =
               (SELECT dialect FROM heard most WHERE most.origin = gone.origin ORDER BY logs DESC LIMIT 1)"
        ),
        params![traces, logs],
    )?;
    Ok(())
}

/// Takes points of metrics that are as old out of a file.
fn points(tx: &Transaction<'_>, until: i64) -> rusqlite::Result<()> {
    tx.execute(
        "UPDATE heard SET points = max(heard.points - gone.points, 0)
         FROM (SELECT series.origin AS origin, count(*) AS points FROM point JOIN series ON series.id = point.series
           WHERE time_ns <= ? GROUP BY 1) AS gone
         WHERE heard.origin = gone.origin AND heard.dialect = 0",
        [until],
    )?;
    tx.execute("DELETE FROM point WHERE time_ns <= ?", [until])?;
    Ok(())
}

/// Takes the oldest points out of a file that has nothing else, and series that have none left. None if it has none either.
fn oldest_points(tx: &Transaction<'_>, share: u64) -> rusqlite::Result<Option<Range>> {
    let bounds = tx.query_row("SELECT min(time_ns), max(time_ns) FROM point", [], |row| {
        Ok(row.get::<_, Option<i64>>(0)?.zip(row.get::<_, Option<i64>>(1)?))
    })?;
    let Some((first, last)) = bounds else { return Ok(None) };
    let share = i64::try_from(share.clamp(LEAST_SHARE, MOST_SHARE)).unwrap_or(1);
    let until = first.saturating_add(last.saturating_sub(first) / 10_000 * share);
    points(tx, until)?;
    tx.execute("DELETE FROM series WHERE NOT EXISTS (SELECT 1 FROM point WHERE series = series.id)", [])?;
    Ok(Some(range(first, until)))
}

/// Room that is used in a file.
pub(super) fn used(connection: &Connection) -> rusqlite::Result<u64> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let pages = number("page_count")? - number("freelist_count")?;
    Ok(u64::try_from(pages * number("page_size")?).unwrap_or(0))
}

/// Puts the indexes of words together, of which what was deleted leaves parts without use. `false`: they are.
pub(super) fn compact(connection: &Connection) -> rusqlite::Result<bool> {
    let mut more = false;
    for index in ["fts", "fts_log"] {
        let before = connection.total_changes();
        connection
            .execute(&format!("INSERT INTO {index}({index}, rank) VALUES ('merge', -{MOST_PAGES})"), [])?;
        // SQLite says so: fewer than two changes are none.
        more |= connection.total_changes() - before >= 2;
    }
    Ok(more)
}

/// Gives room back to the disk, where there is much of it; less is soon used again.
pub(super) fn give_back(connection: &Connection) -> rusqlite::Result<()> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    if number("freelist_count")? * FREE < number("page_count")? {
        return Ok(());
    }
    let mut shrink = connection.prepare(&format!("PRAGMA incremental_vacuum({MOST_PAGES})"))?;
    let mut rows = shrink.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}
