//! What a stored record adds to its trace, to the sums of its quarter of an hour, and to its service.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{OptionalExtension as _, Transaction, params};

use super::filter::nanos;
use super::segment::{Known, number};
use super::sums::{Call, Names, Sums};
use super::told;
use super::trace::Added;
use crate::facts::{ContentState, Facts, Op};
use crate::id::Nanos;
use crate::log::LogRecord;
use crate::span::{Span, SpanState};

/// Calls are added up by quarters of an hour.
pub(super) const STEP: u64 = 900_000_000_000;

/// What a transaction adds to sums and services.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// By the first moment of the quarter of an hour.
    sums: HashMap<(i64, Names), Sums>,
    /// Calls that counted, and do no more.
    taken: Vec<Call>,
    /// By origin and dialect.
    heard: HashMap<(i64, u8), Heard>,
}

/// How much was heard of an origin in one dialect.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Heard {
    pub(super) spans: i64,
    pub(super) logs: i64,
    pub(super) points: i64,
    /// Calls of models, and those of them with content.
    pub(super) calls: i64,
    pub(super) content: i64,
    pub(super) first: u64,
    pub(super) last: u64,
}

impl Heard {
    fn at(&mut self, moment: Nanos) {
        self.first = if self.last == 0 { moment.0 } else { self.first.min(moment.0) };
        self.last = self.last.max(moment.0);
    }
}

/// A span that was stored under this trace and origin; `replaces` a running one, or is new.
pub(super) fn span(
    tx: &Transaction<'_>,
    known: &mut Known,
    span: &Span,
    place: (i64, i64),
    replaces: bool,
    title: Option<&String>,
) -> rusqlite::Result<()> {
    let (trace, origin) = place;
    let facts = &span.facts;
    let start = span.start.or(span.received);
    let name = known.word(tx, &span.name)?;
    let names = names_of(tx, known, facts, &span.origin.resource.service)?;
    let conversation = known.maybe(tx, facts.conversation.as_ref())?.unwrap_or(0);
    let finish = known.maybe(tx, facts.finish.as_ref())?.unwrap_or(0);
    let added = Added { replaces, name, names, conversation, title };
    known.changes.entry(trace).or_default().span(span, &added);

    let ended = span.state == SpanState::Ended;
    let heard =
        known.tally.heard.entry((origin, facts.dialect.map_or(0, |dialect| dialect as u8))).or_default();
    heard.at(start);
    heard.spans += i64::from(!replaces);
    if !ended {
        return Ok(());
    }
    if facts.op.is_some_and(Op::is_inference) {
        heard.calls += 1;
        heard.content += i64::from(matches!(facts.content, ContentState::Here | ContentState::ByReference));
    }
    if facts.op.is_some_and(Op::is_genai) {
        let call = Call {
            start: start.0,
            end: span.end.0,
            names,
            error: span.status.is_error() || facts.error.is_some(),
            usage: facts.usage,
            cost: facts.cost,
            first_chunk: facts.first_chunk.map(nanos),
            finish,
            row: 0,
            flags: 0,
            conversation,
            dialect: facts.dialect.map_or(0, |dialect| dialect as u8),
        };
        known.tally.sums.entry((quarter(call.start), names)).or_default().add(&call);
        for (trace, call) in told::tell_again(tx, known, span)? {
            known.changes.entry(trace).or_default().untell(&call);
            known.tally.taken.push(call);
        }
    }
    Ok(())
}

/// A log record that was stored, of this trace and origin, in this row.
pub(super) fn log(
    tx: &Transaction<'_>,
    known: &mut Known,
    log: &LogRecord,
    place: (Option<i64>, i64, i64),
    title: Option<&String>,
) -> rusqlite::Result<()> {
    let (trace, origin, row) = place;
    let (moment, facts) = (log.moment(), &log.facts);
    let heard =
        known.tally.heard.entry((origin, facts.dialect.map_or(0, |dialect| dialect as u8))).or_default();
    heard.at(moment);
    heard.logs += 1;
    let Some(trace) = trace else { return Ok(()) };
    let mut told = None;
    if log.is_of_session() {
        let names = names_of(tx, known, facts, &log.origin.resource.service)?;
        let conversation = known.maybe(tx, facts.conversation.as_ref())?.unwrap_or(0);
        let finish = known.maybe(tx, facts.finish.as_ref())?.unwrap_or(0);
        let call = Call {
            start: began(log),
            end: moment.0,
            names,
            error: facts.error.is_some(),
            usage: facts.usage,
            cost: facts.cost,
            first_chunk: facts.first_chunk.map(nanos),
            finish,
            row: 0,
            flags: 0,
            conversation,
            dialect: facts.dialect.map_or(0, |dialect| dialect as u8),
        };
        let counts = told::write(tx, known, log, (trace, origin, row), &call)?;
        if counts {
            known.tally.sums.entry((quarter(call.start), names)).or_default().add(&call);
        }
        told = Some((call, counts));
    }
    let change = known.changes.entry(trace).or_default();
    change.seen(moment, moment, log.received);
    change.logs += 1;
    change.title(moment.0, title);
    change.says(facts.content);
    if let Some((call, counts)) = told {
        change.told(log, &call, row, counts);
    }
    Ok(())
}

/// When what a record tells of began: it comes at the end. Both coding agents tell how long it took.
fn began(log: &LogRecord) -> u64 {
    let end = log.moment().0;
    let lasted = log.attributes.float("duration_ms").filter(|lasted| (0.0..1e12).contains(lasted));
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 10^18, from 0")]
    end.saturating_sub(lasted.map_or(0, |lasted| (lasted * 1e6) as u64))
}

/// The words by which calls are told apart.
fn names_of(
    tx: &Transaction<'_>,
    known: &mut Known,
    facts: &Facts,
    service: &Arc<str>,
) -> rusqlite::Result<Names> {
    let mut word =
        |text: Option<&Arc<str>>| -> rusqlite::Result<i64> { Ok(known.maybe(tx, text)?.unwrap_or(0)) };
    Ok(Names {
        op: facts.op.map_or(0, |op| op as u8),
        service: word(Some(service))?,
        provider: word(facts.provider.as_ref())?,
        model: word(facts.response_model.as_ref().or(facts.request_model.as_ref()))?,
        agent: word(facts.agent.as_ref())?,
        tool: word(facts.tool.as_ref())?,
    })
}

/// A point of a metric that was stored.
pub(super) fn point(known: &mut Known, origin: i64, moment: Nanos) {
    let heard = known.tally.heard.entry((origin, 0)).or_default();
    heard.at(moment);
    heard.points += 1;
}

/// The first moment of the quarter of an hour in which a moment lies.
pub(super) fn quarter(moment: u64) -> i64 {
    number(moment - moment % STEP)
}

impl Tally {
    pub(super) fn clear(&mut self) {
        self.sums.clear();
        self.taken.clear();
        self.heard.clear();
    }

    /// Adds it to the file.
    pub(super) fn write(&mut self, tx: &Transaction<'_>) -> rusqlite::Result<()> {
        for ((at, names), more) in self.sums.drain() {
            change_sums(tx, at, &names, |sums| sums.merge(&more))?;
        }
        for call in self.taken.drain(..) {
            change_sums(tx, quarter(call.start), &call.names, |sums| sums.take(&call))?;
        }
        for ((origin, dialect), heard) in self.heard.drain() {
            tx.prepare_cached(
                "INSERT INTO heard(origin, dialect, spans, logs, points, calls, content, first_ns, last_ns)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                 ON CONFLICT(origin, dialect) DO UPDATE SET spans = spans + excluded.spans, logs = logs + excluded.logs,
                   points = points + excluded.points, calls = calls + excluded.calls,
                   content = content + excluded.content, first_ns = min(first_ns, excluded.first_ns),
                   last_ns = max(last_ns, excluded.last_ns)",
            )?
            .execute(params![
                origin,
                dialect,
                heard.spans,
                heard.logs,
                heard.points,
                heard.calls,
                heard.content,
                number(heard.first),
                number(heard.last),
            ])?;
        }
        Ok(())
    }
}

/// Changes the sums of a quarter of an hour. Where nothing is left, no row is left.
pub(super) fn change_sums(
    tx: &Transaction<'_>,
    at: i64,
    names: &Names,
    change: impl FnOnce(&mut Sums),
) -> rusqlite::Result<()> {
    let Names { op, service, provider, model, agent, tool } = *names;
    let key = params![at, op, service, provider, model, agent, tool];
    let body: Option<Vec<u8>> = tx
        .prepare_cached(
            "SELECT body FROM sums WHERE at = ? AND op = ? AND service = ? AND provider = ? AND model = ? AND agent = ?
               AND tool = ?",
        )?
        .query_row(key, |row| row.get(0))
        .optional()?;
    let mut sums = body.and_then(|body| Sums::decode(&body)).unwrap_or_default();
    change(&mut sums);
    if sums.calls == 0 {
        tx.prepare_cached(
            "DELETE FROM sums WHERE at = ? AND op = ? AND service = ? AND provider = ? AND model = ? AND agent = ?
               AND tool = ?",
        )?
        .execute(key)?;
        return Ok(());
    }
    tx.prepare_cached(
        "INSERT OR REPLACE INTO sums(at, op, service, provider, model, agent, tool, body)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![at, op, service, provider, model, agent, tool, sums.encode()])?;
    Ok(())
}
