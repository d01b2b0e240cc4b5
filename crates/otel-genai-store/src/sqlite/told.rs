//! Calls that log records tell of: those of coding agents that send no spans. Where a span tells of the same call too, the
//! span counts, and the record is in no sum.

use rusqlite::{Row, Transaction, params};

use super::filter::nanos;
use super::record::flags;
use super::segment::{Known, number};
use super::settle::WRAPPER;
use super::sums::{self, Call, Names};
use crate::facts::{Facts, Op};
use crate::log::LogRecord;
use crate::one_call::{BESIDE, LONGEST, Marks};
use crate::span::Span;

/// Where [`sums::COLUMNS`] are read from for these calls.
pub(super) const TABLES: &str = "told s JOIN origin o ON o.id = s.origin";

/// So many near ones are compared.
const NEAR: i64 = 1_000;

/// The marks of a call that facts tell, with the numbers of its models.
fn marks(op: Op, facts: &Facts, models: [i64; 2]) -> Marks<'_, i64> {
    Marks {
        op,
        response: facts.response_id.as_deref(),
        tool_call: facts.tool_call.as_deref(),
        tokens: [facts.usage.input, facts.usage.output],
        models: models.map(none_is_null),
    }
}

/// Those of a row.
fn marks_of<'r>(op: Op, row: &'r Row<'_>) -> rusqlite::Result<Marks<'r, i64>> {
    let text = |column: &str| row.get_ref(column).map(|told| told.as_str().ok());
    let tokens = |column: &str| {
        let tokens: Option<i64> = row.get(column)?;
        Ok::<_, rusqlite::Error>(tokens.and_then(|tokens| u64::try_from(tokens).ok()))
    };
    Ok(Marks {
        op,
        response: text("response_id")?,
        tool_call: text("tool_call")?,
        tokens: [tokens("in_tok")?, tokens("out_tok")?],
        models: [row.get("req_model")?, row.get("resp_model")?],
    })
}

fn none_is_null(id: i64) -> Option<i64> {
    Some(id).filter(|id| *id != 0)
}

/// Writes a call of which a record tells that stands in this row, and says whether it counts.
pub(super) fn write(
    tx: &Transaction<'_>,
    known: &mut Known,
    log: &LogRecord,
    (trace, origin, row): (i64, i64, i64),
    call: &Call,
) -> rusqlite::Result<bool> {
    let facts = &log.facts;
    let Some(op) = facts.op.filter(|op| op.is_genai()) else { return Ok(false) };
    let models = models(tx, known, facts)?;
    let again = is_told_by_span(tx, &marks(op, facts, models), call)?;
    let name = known.maybe(tx, log.event.as_ref())?.unwrap_or(0);
    let error = known.maybe(tx, facts.error.as_ref())?;
    let Names { provider, agent, tool, .. } = call.names;
    let usage = &call.usage;
    let count = |count: Option<u64>| count.map(number);
    tx.prepare_cached(
        "INSERT INTO told(id, trace, origin, name, start_ns, end_ns, status, state, flags, op, dialect, provider, req_model,
           resp_model, response_id, agent, tool, tool_call, conv, error, finish, in_tok, out_tok, cache_r, cache_w,
           reason_tok, audio_in, audio_out, ttfc_ns, cost, saved)
         VALUES (?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        row,
        trace,
        origin,
        name,
        number(call.start),
        number(call.end),
        flags(facts) | if again { WRAPPER } else { 0 },
        op as u8,
        call.dialect,
        none_is_null(provider),
        none_is_null(models[0]),
        none_is_null(models[1]),
        facts.response_id,
        none_is_null(agent),
        none_is_null(tool),
        facts.tool_call,
        none_is_null(call.conversation),
        error,
        none_is_null(call.finish),
        count(usage.input),
        count(usage.output),
        count(usage.cache_read),
        count(usage.cache_write),
        count(usage.reasoning),
        count(usage.audio_input),
        count(usage.audio_output),
        call.first_chunk.map(number),
        call.cost.map(|cost| cost.nanos),
        call.cost.map(|cost| cost.saved),
    ])?;
    known.tells_calls = Some(true);
    Ok(!again)
}

fn models(tx: &Transaction<'_>, known: &mut Known, facts: &Facts) -> rusqlite::Result<[i64; 2]> {
    let mut word = |model| Ok::<_, rusqlite::Error>(known.maybe(tx, model)?.unwrap_or(0));
    Ok([word(facts.request_model.as_ref())?, word(facts.response_model.as_ref())?])
}

fn is_told_by_span(tx: &Transaction<'_>, marks: &Marks<'_, i64>, call: &Call) -> rusqlite::Result<bool> {
    let mut find = tx.prepare_cached(
        "SELECT op, response_id, tool_call, req_model, resp_model, in_tok, out_tok FROM span
         WHERE op < 30 AND start_ns BETWEEN ?1 AND ?2 AND end_ns >= ?3 AND state = 0 LIMIT ?4",
    )?;
    let earliest = call.start.saturating_sub(nanos(BESIDE));
    let longest = call.start.saturating_sub(nanos(LONGEST));
    let latest = call.end.saturating_add(nanos(BESIDE));
    let mut rows = find.query(params![number(longest), number(latest), number(earliest), NEAR])?;
    while let Some(row) = rows.next()? {
        let op = row.get::<_, Option<u8>>("op")?.and_then(Op::from_number);
        if let Some(op) = op
            && marks.are_one(&marks_of(op, row)?)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A span came: calls of which records have told, and now it tells, count no more. Each is given with its trace.
pub(super) fn tell_again(
    tx: &Transaction<'_>,
    known: &mut Known,
    span: &Span,
) -> rusqlite::Result<Vec<(i64, Call)>> {
    let facts = &span.facts;
    let Some(op) = facts.op.filter(|op| op.is_inference() || *op == Op::ExecuteTool) else {
        return Ok(Vec::new());
    };
    let any = match known.tells_calls {
        Some(any) => any,
        None => tx.prepare_cached("SELECT EXISTS(SELECT 1 FROM told)")?.query_row([], |row| row.get(0))?,
    };
    known.tells_calls = Some(any);
    if !any {
        return Ok(Vec::new());
    }
    let marks = marks(op, facts, models(tx, known, facts)?);
    let sql = format!(
        "SELECT {}, s.trace, s.response_id, s.tool_call, s.req_model, s.resp_model FROM {TABLES}
         WHERE s.end_ns BETWEEN ?1 AND ?2 AND s.start_ns <= ?3 AND NOT s.flags & {WRAPPER} LIMIT ?4",
        sums::COLUMNS
    );
    let earliest = span.start.or(span.received).0.saturating_sub(nanos(BESIDE));
    let latest = span.end.0.saturating_add(nanos(BESIDE));
    let until = latest.saturating_add(nanos(LONGEST));
    let mut found = Vec::new();
    {
        let mut find = tx.prepare_cached(&sql)?;
        let mut rows = find.query(params![number(earliest), number(until), number(latest), NEAR])?;
        while let Some(row) = rows.next()? {
            let call = Call::read(row)?;
            if let Some(op) = Op::from_number(call.names.op)
                && marks.are_one(&marks_of(op, row)?)
            {
                found.push((row.get("trace")?, call));
                // One span is one call.
                break;
            }
        }
    }
    for (_, call) in &found {
        tx.prepare_cached("UPDATE told SET flags = flags | ? WHERE id = ?")?
            .execute(params![WRAPPER, call.row])?;
    }
    Ok(found)
}
