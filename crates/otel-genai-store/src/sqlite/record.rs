//! Spans and log records as rows: how they are written, and what becomes of one that is there already.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Row, Transaction, params};

use super::content::{self, Record};
use super::count;
use super::erase;
use super::rest::unpack;
use super::segment::{Known, hash, number};
use crate::facts::{ContentState, Cost, CostSource, Dialect, Facts, Op, Usage};
use crate::id::ContentHash;
use crate::log::LogRecord;
use crate::span::{Span, SpanState};

/// So many spans may come with the same ids and other contents, the first included.
const MOST_VARIANTS: u8 = 8;

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is new, or replaced a running span.
    Stored,
    /// It had been stored before.
    Known,
    /// Too many others have its ids.
    Refused,
}

/// Pieces of content that seem new, compressed.
type Bodies = HashMap<ContentHash, Vec<u8>>;

/// Writes a span, and what it adds to its trace.
pub(super) fn write_span(
    tx: &Transaction<'_>,
    known: &mut Known,
    span: &Span,
    record: &Record,
    bodies: &Bodies,
    title: Option<&String>,
) -> rusqlite::Result<Fate> {
    let start = span.start.or(span.received);
    let trace = known.trace(tx, span.key.trace, number(start.0))?;
    let (origin, _) = known.origin(tx, &span.origin)?;
    let (refs, pieces) = known.refs(tx, &record.holes, bodies)?;
    let (rest, refs) = (record.rest.as_slice(), refs.as_deref());
    let mut place = Place { id: None, trace, origin, variant: 0, rest, refs };
    let mut replaces = false;
    let mut gone = Vec::new();
    if !insert(tx, known, span, &place)? {
        match of_same_ids(tx, span, &place)? {
            Same::Known => return Ok(Fate::Known),
            Same::Late => {
                erase::unused(tx, known, trace, pieces)?;
                return Ok(Fate::Known);
            }
            Same::Running { id, variant, refs } => {
                tx.prepare_cached("DELETE FROM span WHERE id = ?")?.execute([id])?;
                (place.id, place.variant, replaces) = (Some(id), variant, true);
                gone = refs.and_then(|refs| content::ids(&refs)).unwrap_or_default();
                gone.retain(|piece| !pieces.contains(piece));
            }
            Same::Others(variants) if variants >= MOST_VARIANTS => {
                erase::unused(tx, known, trace, pieces)?;
                return Ok(Fate::Refused);
            }
            Same::Others(variants) => place.variant = variants,
        }
        insert(tx, known, span, &place)?;
    }
    let row = tx.last_insert_rowid();
    // What only the word of its beginning said.
    erase::unused(tx, known, trace, gone)?;
    known.used(tx, &pieces, trace, 0, row)?;
    count::span(tx, known, span, (trace, origin), replaces, title)?;
    Ok(Fate::Stored)
}

/// What has the ids of a span already.
enum Same {
    /// The same span.
    Known,
    /// This one's end: word of a beginning comes late.
    Late,
    /// A running one, which this replaces.
    Running { id: i64, variant: u8, refs: Option<Vec<u8>> },
    /// So many others.
    Others(u8),
}

fn of_same_ids(tx: &Transaction<'_>, span: &Span, new: &Place<'_>) -> rusqlite::Result<Same> {
    let mut others = tx.prepare_cached(
        "SELECT id, variant, state, origin, rest, refs FROM span WHERE trace = ? AND span_id = ? ORDER BY variant",
    )?;
    let mut rows = others.query(params![new.trace, span.key.span.bytes()])?;
    let mut variants = 0;
    let mut running = None;
    while let Some(row) = rows.next()? {
        let was_running = row.get::<_, u8>(2)? == SpanState::Running as u8;
        let same = row.get::<_, i64>(3)? == new.origin
            && equal(row.get_ref(4)?.as_blob_or_null()?, Some(new.rest))
            && equal(row.get_ref(5)?.as_blob_or_null()?, new.refs);
        if same {
            return Ok(Same::Known);
        }
        if span.state == SpanState::Running && !was_running {
            return Ok(Same::Late);
        }
        if was_running {
            running = Some(Same::Running { id: row.get(0)?, variant: row.get(1)?, refs: row.get(5)? });
        }
        variants = row.get::<_, u8>(1)?.saturating_add(1);
    }
    Ok(running.unwrap_or(Same::Others(variants)))
}

/// Whether two columns say the same, however they were compressed.
fn equal(one: Option<&[u8]>, other: Option<&[u8]>) -> bool {
    one == other
        || one.zip(other).is_some_and(|(one, other)| unpack(one).is_some() && unpack(one) == unpack(other))
}

/// Where a span goes.
struct Place<'a> {
    /// The row of the one that it replaces.
    id: Option<i64>,
    trace: i64,
    origin: i64,
    variant: u8,
    rest: &'a [u8],
    refs: Option<&'a [u8]>,
}

/// `false`: the place is taken.
fn insert(tx: &Transaction<'_>, known: &mut Known, span: &Span, place: &Place<'_>) -> rusqlite::Result<bool> {
    let facts = &span.facts;
    let usage = &facts.usage;
    let tokens = |count: Option<u64>| count.map(number);
    let length = |list: usize| i64::try_from(list).unwrap_or(i64::MAX);
    let inserted = tx
        .prepare_cached(
            "INSERT INTO span(id, trace, span_id, variant, parent, start_ns, end_ns, received_ns, origin, name, kind, status,
               state, events, links, flags, op, dialect, provider, req_model, resp_model, response_id, agent, agent_id,
               workflow, tool, tool_call, mcp, mcp_session, data_source, conv, user, error, finish, in_tok, out_tok,
               cache_r, cache_w, reason_tok, audio_in, audio_out, ttfc_ns, n, cost, saved, rest, refs)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
               ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT(trace, span_id, variant) DO NOTHING",
        )?
        .execute(params![
            place.id,
            place.trace,
            span.key.span.bytes(),
            place.variant,
            span.parent.as_ref().map(crate::id::SpanId::bytes),
            number(span.start.or(span.received).0),
            number(span.end.0),
            number(span.received.0),
            place.origin,
            known.word(tx, &span.name)?,
            span.kind,
            span.status.code,
            span.state as u8,
            length(span.events.len()),
            length(span.links.len()),
            flags(facts),
            facts.op.map(|op| op as u8),
            facts.dialect.map(|dialect| dialect as u8),
            known.maybe(tx, facts.provider.as_ref())?,
            known.maybe(tx, facts.request_model.as_ref())?,
            known.maybe(tx, facts.response_model.as_ref())?,
            facts.response_id,
            known.maybe(tx, facts.agent.as_ref())?,
            known.maybe(tx, facts.agent_id.as_ref())?,
            known.maybe(tx, facts.workflow.as_ref())?,
            known.maybe(tx, facts.tool.as_ref())?,
            facts.tool_call,
            known.maybe(tx, facts.mcp_method.as_ref())?,
            known.maybe(tx, facts.mcp_session.as_ref())?,
            known.maybe(tx, facts.data_source.as_ref())?,
            known.maybe(tx, facts.conversation.as_ref())?,
            known.maybe(tx, facts.user.as_ref())?,
            known.maybe(tx, facts.error.as_ref())?,
            known.maybe(tx, facts.finish.as_ref())?,
            tokens(usage.input),
            tokens(usage.output),
            tokens(usage.cache_read),
            tokens(usage.cache_write),
            tokens(usage.reasoning),
            tokens(usage.audio_input),
            tokens(usage.audio_output),
            facts.first_chunk.map(|first| i64::try_from(first.as_nanos()).unwrap_or(i64::MAX)),
            facts.count,
            facts.cost.map(|cost| cost.nanos),
            facts.cost.map(|cost| cost.saved),
            place.rest,
            place.refs,
        ])?;
    Ok(inserted > 0)
}

/// The columns of a span's facts, which [`facts`] reads: the first of a query.
pub(super) const FACTS: &str = "flags, op, dialect, provider, req_model, resp_model, response_id, agent, agent_id, workflow, \
     tool, tool_call, mcp, mcp_session, data_source, conv, user, error, finish, in_tok, out_tok, cache_r, cache_w, \
     reason_tok, audio_in, audio_out, ttfc_ns, n, cost, saved";
/// So many they are.
pub(super) const WIDTH: usize = 30;

/// Content state (2 bits), streamed (2: told, and which), inferred (1), who says the cost (2). The last bit says later that
/// the call is told again inside.
pub(super) fn flags(facts: &Facts) -> u8 {
    let stream = match facts.stream {
        None => 0,
        Some(false) => 1,
        Some(true) => 2,
    };
    let source = facts.cost.map_or(0, |cost| cost.source as u8);
    facts.content as u8 | stream << 2 | u8::from(facts.inferred) << 4 | source << 5
}

/// Who says the cost, by a span's flags.
pub(super) fn cost_source(flags: u8) -> CostSource {
    if flags >> 5 & 3 == CostSource::Reported as u8 { CostSource::Reported } else { CostSource::Table }
}

/// Reads the columns of [`FACTS`]. By their places: a large trace is read in one go, and names are looked for one by one.
pub(super) fn facts(
    row: &Row<'_>,
    word: &mut dyn FnMut(i64) -> rusqlite::Result<Arc<str>>,
) -> rusqlite::Result<Facts> {
    let mut name = |at: usize| row.get::<_, Option<i64>>(at)?.map(&mut *word).transpose();
    let count = |at: usize| -> rusqlite::Result<Option<u64>> {
        Ok(row.get::<_, Option<i64>>(at)?.map(|count| u64::try_from(count).unwrap_or(0)))
    };
    let flags: u8 = row.get(0)?;
    let source = cost_source(flags);
    let saved = row.get::<_, Option<i64>>(29)?.unwrap_or(0);
    Ok(Facts {
        op: row.get::<_, Option<u8>>(1)?.and_then(Op::from_number),
        dialect: row.get::<_, Option<u8>>(2)?.and_then(Dialect::from_number),
        provider: name(3)?,
        request_model: name(4)?,
        response_model: name(5)?,
        response_id: row.get(6)?,
        agent: name(7)?,
        agent_id: name(8)?,
        workflow: name(9)?,
        tool: name(10)?,
        tool_call: row.get(11)?,
        mcp_method: name(12)?,
        mcp_session: name(13)?,
        data_source: name(14)?,
        conversation: name(15)?,
        user: name(16)?,
        error: name(17)?,
        finish: name(18)?,
        usage: Usage {
            input: count(19)?,
            output: count(20)?,
            cache_read: count(21)?,
            cache_write: count(22)?,
            reasoning: count(23)?,
            audio_input: count(24)?,
            audio_output: count(25)?,
        },
        first_chunk: count(26)?.map(std::time::Duration::from_nanos),
        stream: match flags >> 2 & 3 {
            1 => Some(false),
            2 => Some(true),
            _ => None,
        },
        count: row.get(27)?,
        cost: row.get::<_, Option<i64>>(28)?.map(|nanos| Cost { nanos, saved, source }),
        content: ContentState::from_number(flags & 3),
        inferred: flags >> 4 & 1 == 1,
    })
}

/// Writes a log record, and what it adds to its trace.
pub(super) fn write_log(
    tx: &Transaction<'_>,
    known: &mut Known,
    log: &LogRecord,
    record: &Record,
    bodies: &Bodies,
    title: Option<&String>,
) -> rusqlite::Result<Fate> {
    let (origin, origin_hash) = known.origin(tx, &log.origin)?;
    let (refs, pieces) = known.refs(tx, &record.holes, bodies)?;
    let moment = log.moment();
    let inserted = tx
        .prepare_cached(
            "INSERT INTO log(hash, time_ns, received_ns, trace_id, span_id, origin, event, severity, conv, response_id, op, rest, refs)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(hash) DO NOTHING",
        )?
        .execute(params![
            hash(&[&origin_hash, &record.print]),
            number(moment.0),
            number(log.received.0),
            log.trace.as_ref().map(crate::id::TraceId::bytes),
            log.span.as_ref().map(crate::id::SpanId::bytes),
            origin,
            known.maybe(tx, log.event.as_ref())?,
            log.severity,
            known.maybe(tx, log.facts.conversation.as_ref())?,
            log.facts.response_id,
            log.facts.op.map(|op| op as u8),
            record.rest,
            refs,
        ])?;
    if inserted == 0 {
        return Ok(Fate::Known);
    }
    let row = tx.last_insert_rowid();
    let Some(trace) = log.trace else {
        known.used(tx, &pieces, -row, 1, row)?;
        count::log(tx, known, log, (None, origin, row), title)?;
        return Ok(Fate::Stored);
    };
    let trace = known.trace(tx, trace, number(moment.0))?;
    known.used(tx, &pieces, trace, 1, row)?;
    count::log(tx, known, log, (Some(trace), origin, row), title)?;
    Ok(Fate::Stored)
}
