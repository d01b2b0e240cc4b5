//! The row of a trace: what a transaction adds to it, and its summary.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::types::ValueRef;
use rusqlite::{Row, Transaction, params};

use super::more::{Kind, More, Stretch};
use super::segment::number;
use super::sums::{Call, Names};
use crate::facts::{ContentState, Cost, CostSource, Dialect, Facts, Op, Usage};
use crate::id::{Nanos, SpanId, TraceId};
use crate::log::LogRecord;
use crate::span::{Span, SpanState};
use crate::summary::{Few, Root, TraceState, TraceSummary};

/// Of a trace: it began on an earlier day,
pub(super) const BEGAN: u8 = 1;
/// or goes on on a later one. Mostly that is the next, but one may have been silent in between.
pub(super) const GOES_ON: u8 = 2;

/// What a transaction adds to the row of a trace.
#[derive(Debug, Default)]
pub(super) struct Change {
    start: Option<u64>,
    end: u64,
    last: u64,
    running: i64,
    root: Option<NewRoot>,
    spans: i64,
    errors: i64,
    pub(super) logs: i64,
    llm: i64,
    llm_errors: i64,
    tools: i64,
    tool_errors: i64,
    usage: Usage,
    /// Tokens that count no more.
    gone: Usage,
    cost: Option<(i64, i64)>,
    reported: bool,
    unpriced: i64,
    /// When the first call began, and how long its first chunk took.
    first_chunk: Option<(u64, u64)>,
    content: u8,
    genai: bool,
    counted: i64,
    title: Option<(u64, String)>,
    /// Kind and word, and when the first span that has them began.
    names: HashMap<(u8, i64), u64>,
    stretches: More,
    /// Whether it began on an earlier day, or goes on on a later one.
    pub(super) also: u8,
}

#[derive(Debug)]
struct NewRoot {
    span: SpanId,
    start: u64,
    name: i64,
    service: i64,
    op: Option<Op>,
    ended: bool,
}

/// Of a span: whether the one before it was running, its words, and what a user asked in it.
pub(super) struct Added<'a> {
    pub(super) replaces: bool,
    pub(super) name: i64,
    pub(super) names: Names,
    pub(super) conversation: i64,
    pub(super) title: Option<&'a String>,
}

impl Change {
    /// Something was received.
    pub(super) fn seen(&mut self, from: Nanos, to: Nanos, received: Nanos) {
        self.start = Some(self.start.map_or(from.0, |start| start.min(from.0)));
        self.end = self.end.max(to.0).max(from.0);
        self.last = self.last.max(received.0);
    }

    /// What a user asked at this moment.
    pub(super) fn title(&mut self, at: u64, title: Option<&String>) {
        if let Some(title) = title
            && self.title.as_ref().is_none_or(|(known, text)| (at, title) < (*known, text))
        {
            self.title = Some((at, title.clone()));
        }
    }

    fn name(&mut self, kind: Kind, word: i64, first: u64) {
        if word != 0 {
            let known = self.names.entry((kind as u8, word)).or_insert(first);
            *known = first.min(*known);
        }
    }

    /// A span that was not there before, or was there as running. A running one counts in no sum.
    pub(super) fn span(&mut self, span: &Span, added: &Added<'_>) {
        let start = span.start.or(span.received);
        let ended = span.state == SpanState::Ended;
        self.seen(start, if ended { span.end } else { start }, span.received);
        self.spans += i64::from(!added.replaces);
        self.running += i64::from(!ended) - i64::from(added.replaces);
        let facts = &span.facts;
        let op = facts.op.filter(|op| op.is_genai());
        self.genai |= op.is_some();
        let earlier = |root: &NewRoot| start.0 < root.start || root.span == span.key.span;
        if span.parent.is_none() && self.root.as_ref().is_none_or(earlier) {
            let Added { name, names: Names { service, .. }, .. } = *added;
            self.root =
                Some(NewRoot { span: span.key.span, start: start.0, name, service, op: facts.op, ended });
        }
        let names = added.names;
        self.name(Kind::Service, names.service, start.0);
        self.name(Kind::Agent, names.agent, start.0);
        self.name(Kind::Conversation, added.conversation, start.0);
        self.name(Kind::Op, i64::from(names.op), start.0);
        if !ended {
            return;
        }
        self.name(Kind::Provider, names.provider, start.0);
        self.name(Kind::Model, names.model, start.0);
        self.name(Kind::Tool, names.tool, start.0);
        self.name(Kind::Dialect, facts.dialect.map_or(0, |dialect| dialect as i64), start.0);
        self.title(start.0, added.title);
        let error = i64::from(span.status.is_error() || facts.error.is_some());
        self.errors += error;
        self.content = self.content.max(content_rank(facts.content));
        let Some(op) = op else { return };
        self.stretches.stretch(Stretch {
            op: op as u8,
            error: error > 0,
            start: start.0,
            end: span.end.0.max(start.0),
            span: span.key.span,
        });
        self.counted += i64::from(op.counts_tokens());
        self.call(op, facts, start.0, error);
    }

    /// A log record may hold the content of a span that has none.
    pub(super) fn says(&mut self, content: ContentState) {
        self.content = self.content.max(content_rank(content));
    }

    /// A log record that tells of a session without spans, and what it tells of; whether that counts as a call.
    pub(super) fn told(&mut self, log: &LogRecord, call: &Call, row: i64, counts: bool) {
        let facts = &log.facts;
        let Call { start, end, names, .. } = *call;
        self.start = self.start.map(|known| known.min(start));
        self.genai = true;
        for (kind, word) in [
            (Kind::Service, names.service),
            (Kind::Agent, names.agent),
            (Kind::Conversation, call.conversation),
            (Kind::Op, i64::from(names.op)),
            (Kind::Provider, names.provider),
            (Kind::Model, names.model),
            (Kind::Tool, names.tool),
            (Kind::Dialect, i64::from(call.dialect)),
        ] {
            self.name(kind, word, start);
        }
        let error = i64::from(call.error);
        self.errors += error;
        let Some(op) = facts.op.filter(|op| op.is_genai()) else { return };
        if let Some(span) = SpanId::new(&row.to_be_bytes()) {
            self.stretches.stretch(Stretch { op: op as u8, error: error > 0, start, end, span });
        }
        if counts {
            self.call(op, facts, start, error);
        }
    }

    /// A call of the trace that a log record had told of, and that a span tells of now.
    pub(super) fn untell(&mut self, call: &Call) {
        let Some(op) = Op::from_number(call.names.op) else { return };
        let error = i64::from(call.error);
        if op == Op::ExecuteTool {
            self.tools -= 1;
            self.tool_errors -= error;
        }
        if op.counts_tokens() {
            self.llm -= 1;
            self.llm_errors -= error;
            self.gone.add(&call.usage);
            self.unpriced -= i64::from(call.is_unpriced());
            if let Some(cost) = call.cost {
                let (nanos, saved) = self.cost.unwrap_or_default();
                self.cost = Some((nanos.saturating_sub(cost.nanos), saved.saturating_sub(cost.saved)));
            }
        }
    }

    /// A call that was told whole.
    fn call(&mut self, op: Op, facts: &Facts, start: u64, error: i64) {
        if op.is_inference()
            && let Some(first) = facts.first_chunk
            && self.first_chunk.is_none_or(|(at, _)| start < at)
        {
            self.first_chunk = Some((start, u64::try_from(first.as_nanos()).unwrap_or(u64::MAX)));
        }
        if op == Op::ExecuteTool {
            self.tools += 1;
            self.tool_errors += error;
        }
        if op.counts_tokens() {
            self.llm += 1;
            self.llm_errors += error;
            self.usage.add(&facts.usage);
            match facts.cost {
                Some(cost) => {
                    let (nanos, saved) = self.cost.unwrap_or_default();
                    self.cost = Some((nanos.saturating_add(cost.nanos), saved.saturating_add(cost.saved)));
                    self.reported |= cost.source == CostSource::Reported;
                }
                None => {
                    self.unpriced += i64::from(facts.usage.input.is_some() || facts.usage.output.is_some());
                }
            }
        }
    }

    /// Tokens of each kind, cost and what was saved, added to those of a row, from its second column on. No number is too
    /// large: what a sender tells must not make the trace unreadable.
    fn added(&self, row: &Row<'_>) -> rusqlite::Result<[Option<i64>; 9]> {
        let (usage, gone) = (&self.usage, &self.gone);
        let change = |more: Option<u64>, less: Option<u64>| {
            more.or(less).map(|_| number(more.unwrap_or(0)).saturating_sub(number(less.unwrap_or(0))))
        };
        let mut sums = [
            change(usage.input, gone.input),
            change(usage.output, gone.output),
            change(usage.cache_read, gone.cache_read),
            change(usage.cache_write, gone.cache_write),
            change(usage.reasoning, gone.reasoning),
            change(usage.audio_input, gone.audio_input),
            change(usage.audio_output, gone.audio_output),
            self.cost.map(|(nanos, _)| nanos),
            self.cost.map(|(_, saved)| saved),
        ];
        for (at, more) in sums.iter_mut().enumerate() {
            *more = match (sum(row.get_ref(at + 1)?), *more) {
                (Some(known), Some(more)) => Some(amount(known.saturating_add(more))),
                (known, more) => known.or(more.map(amount)),
            };
        }
        Ok(sums)
    }

    /// Adds it to the row.
    pub(super) fn write(&self, tx: &Transaction<'_>, trace: i64) -> rusqlite::Result<()> {
        let (more, sums) = tx
            .prepare_cached(
                "SELECT more, in_tok, out_tok, cache_r, cache_w, reason_tok, audio_in, audio_out, cost, saved
                 FROM trace WHERE id = ?",
            )?
            .query_row([trace], |row| Ok((row.get::<_, Option<Vec<u8>>>(0)?, self.added(row)?)))?;
        let mut more = more.and_then(|more| More::decode(&more)).unwrap_or_default();
        let mut names: Vec<_> =
            self.names.iter().map(|((kind, word), first)| (*first, *kind, *word)).collect();
        names.sort_unstable();
        for (first, kind, word) in names {
            if more.name(kind, word, first) {
                tx.prepare_cached("INSERT OR IGNORE INTO trace_word(kind, word, trace) VALUES (?, ?, ?)")?
                    .execute(params![kind, word, trace])?;
            }
        }
        self.stretches.stretches.iter().for_each(|stretch| more.stretch(*stretch));
        let mut update = tx.prepare_cached(
            "UPDATE trace SET start_ns = min(start_ns, ?2), end_ns = max(end_ns, ?3), last_ns = max(last_ns, ?4),
               running = running + ?5, spans = spans + ?6, errors = errors + ?7, logs = logs + ?8, llm = llm + ?9,
               llm_err = llm_err + ?10, tools = tools + ?11, tool_err = tool_err + ?12,
               in_tok = ?13, out_tok = ?14, cache_r = ?15, cache_w = ?16, reason_tok = ?17, audio_in = ?18,
               audio_out = ?19, cost = ?20, saved = ?21,
               reported = max(reported, ?22), unpriced = unpriced + ?23, content = max(content, ?24),
               genai = max(genai, ?25), counted = counted + ?26,
               unsettled = max(unsettled, (?26 > 0 AND (counted + ?26 > 1 OR also | ?27))
                 OR (?29 AND root_span IS NULL AND spans = 0 AND logs = 0)), also = also | ?27, more = ?28, rev = rev + 1
             WHERE id = ?1 RETURNING start_ns, end_ns",
        )?;
        let [input, output, cache_read, cache_write, reasoning, audio_input, audio_output, cost, saved] =
            sums;
        let values = params![
            trace,
            self.start.map_or(i64::MAX, number),
            number(self.end),
            number(self.last),
            self.running,
            self.spans,
            self.errors,
            self.logs,
            self.llm,
            self.llm_errors,
            self.tools,
            self.tool_errors,
            input,
            output,
            cache_read,
            cache_write,
            reasoning,
            audio_input,
            audio_output,
            cost,
            saved,
            self.reported,
            self.unpriced,
            self.content,
            self.genai,
            self.counted,
            self.also,
            more.encode(),
            // Without its root it may have begun on an earlier day.
            self.root.is_none(),
        ];
        let (start, end): (i64, i64) = update.query_row(values, |row| Ok((row.get(0)?, row.get(1)?)))?;
        for name in more.names.iter().filter(|name| name.kind == Kind::Conversation as u8) {
            tx.prepare_cached(
                "INSERT INTO conversation(word, start_ns, end_ns) VALUES (?, ?, ?) ON CONFLICT(word) DO UPDATE SET
                   start_ns = min(start_ns, excluded.start_ns), end_ns = max(end_ns, excluded.end_ns)",
            )?
            .execute(params![name.word, start, end])?;
        }
        if let Some((at, title)) = &self.title {
            tx.prepare_cached(
                "UPDATE trace SET title_ns = ?2, title = ?3
                 WHERE id = ?1 AND (title_ns IS NULL OR (?2, ?3) < (title_ns, title))",
            )?
            .execute(params![trace, number(*at), title])?;
        }
        if let Some(root) = &self.root {
            // A root that ended is not undone by word of its beginning that comes late.
            tx.prepare_cached(
                "UPDATE trace SET root_span = ?2, root_ns = ?3, root_name = ?4, root_service = ?5, root_op = ?6,
                   root_ended = ?7
                 WHERE id = ?1 AND (root_ns IS NULL OR ?3 < root_ns OR root_span = ?2)",
            )?
            .execute(params![
                trace,
                root.span.bytes(),
                number(root.start),
                root.name,
                root.service,
                root.op.map(|op| op as u8),
                root.ended,
            ])?;
        }
        if let Some((at, first)) = self.first_chunk {
            tx.prepare_cached("UPDATE trace SET ttfc_at = ?2, ttfc_ns = ?3 WHERE id = ?1 AND (ttfc_at IS NULL OR ?2 < ttfc_at)")?
                .execute(params![trace, number(at), number(first)])?;
        }
        Ok(())
    }
}

/// Tokens and costs of a trace are at most this, so that two of them can be added up too.
const MOST_SUM: i64 = i64::MAX / 2;

/// Tokens of a trace as SQLite has them.
pub(super) fn tokens(count: Option<u64>) -> Option<i64> {
    count.map(|count| number(count).min(MOST_SUM))
}

/// A cost of a trace, or what was saved of it.
pub(super) fn amount(nanos: i64) -> i64 {
    nanos.clamp(-MOST_SUM, MOST_SUM)
}

/// A sum. SQLite makes a float of one that is too large for it.
fn sum(told: ValueRef<'_>) -> Option<i64> {
    match told {
        ValueRef::Integer(sum) => Some(sum),
        #[allow(clippy::cast_possible_truncation, reason = "a float too large becomes the largest number")]
        ValueRef::Real(sum) => Some(amount(sum as i64)),
        _ => None,
    }
}

/// Content that is there outweighs content that is elsewhere, and that outweighs none.
fn content_rank(content: ContentState) -> u8 {
    match content {
        ContentState::Unknown => 0,
        ContentState::Absent => 1,
        ContentState::ByReference => 2,
        ContentState::Here => 3,
    }
}

/// The columns of [`summary`].
pub(super) const COLUMNS: &str = "id, trace_id, start_ns, end_ns, last_ns, running, root_span, root_name, root_service, \
     root_op, root_ended, spans, errors, logs, llm, llm_err, tools, tool_err, in_tok, out_tok, cache_r, cache_w, \
     reason_tok, audio_in, audio_out, cost, saved, reported, unpriced, ttfc_ns, ttfc_at, content, also, rev, title, \
     title_ns, more, genai";

/// A summary, and what is needed to join it with that of another day.
pub(super) struct Found {
    pub(super) row: i64,
    /// Whether generative AI is in it.
    pub(super) genai: bool,
    pub(super) summary: TraceSummary,
    /// 1: it began on an earlier day; 2: it goes on on a later one.
    pub(super) also: u8,
    more: Told,
    first_chunk_at: i64,
    title_at: i64,
    ended: bool,
    running: i64,
    last: u64,
}

/// Reads a row of [`COLUMNS`], by their places: lists are long.
pub(super) fn summary(
    row: &Row<'_>,
    word: &mut dyn FnMut(i64) -> rusqlite::Result<Arc<str>>,
) -> rusqlite::Result<Option<Found>> {
    let count = |at: usize| row.get::<_, i64>(at).map(unsigned);
    let maybe = |at: usize| row.get_ref(at).map(|count| sum(count).map(unsigned));
    let Some(id) = TraceId::new(row.get_ref(1)?.as_blob()?) else { return Ok(None) };
    let root = match row.get_ref(6)?.as_blob_or_null()?.and_then(SpanId::new) {
        None => None,
        Some(span) => Some(Root {
            span,
            name: word(row.get(7)?)?,
            service: word(row.get(8)?)?,
            op: row.get::<_, Option<u8>>(9)?.and_then(Op::from_number),
        }),
    };
    let source = if row.get(27)? { CostSource::Reported } else { CostSource::Table };
    let saved = sum(row.get_ref(26)?).unwrap_or(0);
    let more = row.get_ref(36)?.as_blob_or_null()?.and_then(More::decode).unwrap_or_default();
    let more = Told::of(&more, word)?;
    let summary = TraceSummary {
        id,
        start: Nanos(count(2)?),
        end: Nanos(count(3)?),
        state: TraceState::Running,
        root,
        title: row.get(34)?,
        services: Few::default(),
        agents: Few::default(),
        models: Few::default(),
        tools: Few::default(),
        conversations: Few::default(),
        dialects: Vec::new(),
        spans: count(11)?,
        errors: count(12)?,
        logs: count(13)?,
        llm_calls: count(14)?,
        llm_errors: count(15)?,
        tool_calls: count(16)?,
        tool_errors: count(17)?,
        usage: Usage {
            input: maybe(18)?,
            output: maybe(19)?,
            cache_read: maybe(20)?,
            cache_write: maybe(21)?,
            reasoning: maybe(22)?,
            audio_input: maybe(23)?,
            audio_output: maybe(24)?,
        },
        cost: sum(row.get_ref(25)?).map(|nanos| Cost { nanos, saved, source }),
        unpriced: count(28)?,
        first_chunk: maybe(29)?.map(std::time::Duration::from_nanos),
        content: match row.get::<_, u8>(31)? {
            0 => ContentState::Unknown,
            1 => ContentState::Absent,
            2 => ContentState::ByReference,
            _ => ContentState::Here,
        },
        bars: Vec::new(),
        updated: count(33)?,
    };
    Ok(Some(Found {
        row: row.get(0)?,
        genai: row.get(37)?,
        summary,
        also: row.get(32)?,
        more,
        first_chunk_at: row.get::<_, Option<i64>>(30)?.unwrap_or(i64::MAX),
        title_at: row.get::<_, Option<i64>>(35)?.unwrap_or(i64::MAX),
        ended: row.get(10)?,
        running: row.get(5)?,
        last: count(4)?,
    }))
}

/// The names of a trace in words, and its picture.
#[derive(Debug, Default)]
struct Told {
    /// Kind and text, and when the first span that has it began.
    names: Vec<(u8, Arc<str>, u64)>,
    dialects: Vec<Dialect>,
    stretches: More,
}

impl Told {
    fn of(more: &More, word: &mut dyn FnMut(i64) -> rusqlite::Result<Arc<str>>) -> rusqlite::Result<Self> {
        let mut told = Self::default();
        for name in &more.names {
            const DIALECT: u8 = Kind::Dialect as u8;
            const OP: u8 = Kind::Op as u8;
            const PROVIDER: u8 = Kind::Provider as u8;
            match name.kind {
                DIALECT => told.dialects.extend(u8::try_from(name.word).ok().and_then(Dialect::from_number)),
                OP | PROVIDER => {}
                kind => told.names.push((kind, word(name.word)?, name.first)),
            }
        }
        told.stretches.stretches.clone_from(&more.stretches);
        told.dialects.sort_unstable();
        Ok(told)
    }

    fn join(&mut self, later: Self) {
        for (kind, text, first) in later.names {
            match self.names.iter_mut().find(|(known, word, _)| *known == kind && *word == text) {
                Some((_, _, known)) => *known = first.min(*known),
                None => self.names.push((kind, text, first)),
            }
        }
        self.dialects.extend(later.dialects);
        self.dialects.sort_unstable();
        self.dialects.dedup();
        later.stretches.stretches.into_iter().for_each(|stretch| self.stretches.stretch(stretch));
    }

    fn few(&self, kind: Kind) -> Few {
        let mut names: Vec<(u64, &Arc<str>)> = self
            .names
            .iter()
            .filter(|(known, _, _)| *known == kind as u8)
            .map(|(_, text, first)| (*first, text))
            .collect();
        names.sort_unstable();
        let more = u32::try_from(names.len().saturating_sub(Few::MOST)).unwrap_or(u32::MAX);
        Few { list: names.into_iter().take(Few::MOST).map(|(_, text)| Arc::clone(text)).collect(), more }
    }
}

/// A trace is done when its root has ended and no span is known that runs, or when nothing came for so long: a root may be
/// elsewhere.
const SILENT: u64 = 600_000_000_000;

impl Found {
    /// Adds what a later day has of the trace.
    pub(super) fn join(&mut self, later: Self) {
        let (ours, theirs) = (&mut self.summary, later.summary);
        ours.start = ours.start.min(theirs.start);
        ours.end = ours.end.max(theirs.end);
        if ours.root.is_none() {
            ours.root = theirs.root;
            self.ended = later.ended;
        }
        ours.spans += theirs.spans;
        ours.errors += theirs.errors;
        ours.logs += theirs.logs;
        ours.llm_calls += theirs.llm_calls;
        ours.llm_errors += theirs.llm_errors;
        ours.tool_calls += theirs.tool_calls;
        ours.tool_errors += theirs.tool_errors;
        ours.usage.add(&theirs.usage);
        ours.cost = match (ours.cost, theirs.cost) {
            (Some(one), Some(other)) => Some(Cost {
                nanos: one.nanos.saturating_add(other.nanos),
                saved: one.saved.saturating_add(other.saved),
                source: if one.source == other.source { one.source } else { CostSource::Reported },
            }),
            (one, other) => one.or(other),
        };
        ours.unpriced += theirs.unpriced;
        if later.first_chunk_at < self.first_chunk_at {
            ours.first_chunk = theirs.first_chunk;
            self.first_chunk_at = later.first_chunk_at;
        }
        if later.title_at < self.title_at {
            ours.title = theirs.title;
            self.title_at = later.title_at;
        }
        ours.updated += theirs.updated;
        self.genai |= later.genai;
        self.more.join(later.more);
        if content_rank(theirs.content) > content_rank(ours.content) {
            ours.content = theirs.content;
        }
        self.running += later.running;
        self.last = self.last.max(later.last);
    }

    /// The summary as it is now.
    pub(super) fn done(mut self, now: Nanos) -> TraceSummary {
        let silence = now.0.saturating_sub(self.last);
        let done = (self.ended && self.running == 0) || silence > SILENT;
        let summary = &mut self.summary;
        summary.state = if done { TraceState::Done } else { TraceState::Running };
        let more = &self.more;
        summary.services = more.few(Kind::Service);
        summary.agents = more.few(Kind::Agent);
        summary.models = more.few(Kind::Model);
        summary.tools = more.few(Kind::Tool);
        summary.conversations = more.few(Kind::Conversation);
        summary.dialects.clone_from(&more.dialects);
        summary.bars = more.stretches.bars();
        self.summary
    }
}

/// A count of SQLite's; none is below 0.
fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
