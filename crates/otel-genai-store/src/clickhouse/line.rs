//! Records as rows of the tables, and rows as records.

use std::sync::Arc;
use std::time::Duration;

use clickhouse::Row;
use opentelemetry_proto::tonic::{logs::v1 as otlp_logs, trace::v1 as otlp_trace};
use prost::Message as _;
use serde::{Deserialize, Serialize};

use super::calls::{HOUR, HOUR_SECONDS};
use super::fault::Place;
use crate::error::StoreError;
use crate::facts::{self, ContentState, Cost, CostSource, Dialect, Facts, Op, Pricing, Usage};
use crate::id::{ContentHash, Day, LogId, Nanos, SpanId, SpanKey, TraceId};
use crate::log::LogRecord;
use crate::origin::Origin;
use crate::pack::{self, Packed};
use crate::span::{Span, SpanRow, SpanState};
use crate::value::{Glue, Piece, Pieces};

/// Records of the last so many days are kept under their own day, others under that of their reception.
const OLDEST_DAYS: i32 = 400;

/// A record as it is written.
pub(super) struct Record {
    pub(super) packed: Packed,
    /// The hash of all that it says.
    pub(super) print: [u8; 16],
    pub(super) origin: ContentHash,
    /// What a user asked.
    pub(super) title: String,
}

impl Record {
    /// The number of a log record, which its hash makes: above 0.
    pub(super) fn row(&self) -> i64 {
        row(&self.print)
    }
}

/// The number of a log record that says this.
pub(super) fn row(print: &[u8; 16]) -> i64 {
    let bytes = print.first_chunk().copied().unwrap_or_default();
    (i64::from_be_bytes(bytes) & i64::MAX).max(1)
}

/// Of `state`: what a log record tells of a session that sends no spans. It counts as a call does, and is no span.
pub(super) const SESSION: u8 = 2;

/// A row of `span`.
#[derive(Debug, Default, Row, Serialize, Deserialize)]
pub(super) struct SpanLine<'a> {
    pub(super) hour: u32,
    pub(super) trace_id: [u8; 16],
    pub(super) span_id: [u8; 8],
    pub(super) print: [u8; 16],
    parent: [u8; 8],
    pub(super) start_ns: i64,
    end_ns: i64,
    pub(super) received_ns: i64,
    /// Read, it is the span's variant.
    pub(super) seq: u32,
    pub(super) origin: [u8; 16],
    service: &'a str,
    scope: &'a str,
    name: &'a str,
    kind: i32,
    status: i32,
    pub(super) state: u8,
    events: u32,
    links: u32,
    op: u8,
    dialect: u8,
    provider: &'a str,
    request_model: &'a str,
    response_model: &'a str,
    response_id: &'a str,
    agent: &'a str,
    agent_id: &'a str,
    workflow: &'a str,
    tool: &'a str,
    tool_call: &'a str,
    mcp_method: &'a str,
    mcp_session: &'a str,
    data_source: &'a str,
    conversation: &'a str,
    user: &'a str,
    error: &'a str,
    finish: &'a str,
    input: Option<u64>,
    output: Option<u64>,
    cache_read: Option<u64>,
    cache_write: Option<u64>,
    reasoning: Option<u64>,
    audio_input: Option<u64>,
    audio_output: Option<u64>,
    first_chunk_ns: Option<u64>,
    n: Option<u32>,
    cost: Option<i64>,
    saved: i64,
    cost_source: u8,
    content: u8,
    stream: u8,
    inferred: u8,
    title: &'a str,
    #[serde(with = "serde_bytes")]
    rest: &'a [u8],
    glue: Vec<u8>,
    lens: Vec<u32>,
    pub(super) pieces: Vec<[u8; 16]>,
}

/// The columns of a span's bytes, and what stands for them where nobody asks for them.
pub(super) const WHOLE: [(&str, &str); 4] = [
    ("rest", "''"),
    ("glue", "emptyArrayUInt8()"),
    ("lens", "emptyArrayUInt32()"),
    ("pieces", "CAST([], 'Array(FixedString(16))')"),
];

/// A row of `log`.
#[derive(Debug, Row, Serialize, Deserialize)]
pub(super) struct LogLine<'a> {
    pub(super) hour: u32,
    pub(super) time_ns: i64,
    pub(super) row: i64,
    received_ns: i64,
    trace_id: [u8; 16],
    span_id: [u8; 8],
    pub(super) origin: [u8; 16],
    service: &'a str,
    event: &'a str,
    severity: i32,
    op: u8,
    content: u8,
    conversation: &'a str,
    response_id: &'a str,
    title: &'a str,
    #[serde(with = "serde_bytes")]
    rest: &'a [u8],
    glue: Vec<u8>,
    lens: Vec<u32>,
    pub(super) pieces: Vec<[u8; 16]>,
}

/// A row of `piece`.
#[derive(Debug, Row, Serialize, Deserialize)]
pub(super) struct PieceLine<'a> {
    pub(super) day: u16,
    pub(super) hash: [u8; 16],
    pub(super) form: u8,
    #[serde(with = "serde_bytes")]
    pub(super) body: &'a [u8],
}

/// The hour that a record is kept under, in seconds since 1970.
pub(super) fn hour(moment: Nanos, received: Nanos) -> u32 {
    let kept = if is_near(moment, received) { moment } else { received };
    u32::try_from(kept.0 / HOUR * u64::from(HOUR_SECONDS)).unwrap_or(u32::MAX)
}

fn is_near(moment: Nanos, received: Nanos) -> bool {
    let (today, own) = (Day::of(received), Day::of(moment));
    (today.0 - OLDEST_DAYS..=today.0 + 1).contains(&own.0)
}

/// Whether a record that tells this moment, or 0, is kept under the hour of its reception.
pub(super) fn has_no_hour(told: Nanos, received: Nanos) -> bool {
    told.0 == 0 || !is_near(told, received)
}

/// The day of an hour, as ClickHouse counts days.
pub(super) fn day(hour: u32) -> u16 {
    u16::try_from(hour / 86_400).unwrap_or(u16::MAX)
}

/// The hash of several parts, none of which can be taken for another.
pub(super) fn hash(parts: &[&[u8]]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    hasher.finalize().as_bytes().first_chunk().copied().unwrap_or_default()
}

/// What a record says, whole, as a hash.
pub(super) fn print(packed: &Packed, origin: ContentHash, ids: &[&[u8]]) -> [u8; 16] {
    let mut content = Vec::new();
    for pieces in &packed.holes {
        content.push(pieces.glue as u8);
        content.extend(pieces.list.iter().flat_map(|piece| piece.hash.bytes()));
    }
    hash(&[origin.bytes(), &packed.bytes, &content, &ids.concat()])
}

/// A moment or count as the tables have it; beyond their numbers the greatest of them.
pub(super) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn length(list: usize) -> u32 {
    u32::try_from(list).unwrap_or(u32::MAX)
}

fn told(name: Option<&Arc<str>>) -> &str {
    name.map_or("", AsRef::as_ref)
}

fn name(told: &str) -> Option<Arc<str>> {
    (!told.is_empty()).then(|| Arc::from(told))
}

/// Gives a piece by its hash.
type Pick<'a> = &'a dyn Fn(&[u8; 16]) -> Result<Arc<Piece>, StoreError>;

type Refs = (Vec<u8>, Vec<u32>, Vec<[u8; 16]>);

fn refs(holes: &[Pieces]) -> Refs {
    let glue = holes.iter().map(|pieces| pieces.glue as u8).collect();
    let lens = holes.iter().map(|pieces| length(pieces.list.len())).collect();
    let pieces = holes.iter().flat_map(|pieces| &pieces.list).map(|piece| *piece.hash.bytes()).collect();
    (glue, lens, pieces)
}

impl<'a> SpanLine<'a> {
    pub(super) fn new(span: &'a Span, record: &'a Record, seq: usize) -> Self {
        let Record { packed, print, origin, .. } = record;
        let start = span.start.or(span.received);
        let (glue, lens, pieces) = refs(&packed.holes);
        Self {
            hour: hour(start, span.received),
            trace_id: *span.key.trace.bytes(),
            span_id: *span.key.span.bytes(),
            print: *print,
            parent: span.parent.map(|parent| *parent.bytes()).unwrap_or_default(),
            start_ns: number(start.0),
            end_ns: number(span.end.0),
            received_ns: number(span.received.0),
            seq: length(seq),
            origin: *origin.bytes(),
            service: &span.origin.resource.service,
            scope: &span.origin.scope.name,
            name: &span.name,
            kind: span.kind,
            status: span.status.code,
            state: span.state as u8,
            events: length(span.events.len()),
            links: length(span.links.len()),
            title: &record.title,
            rest: &packed.bytes,
            glue,
            lens,
            pieces,
            ..Self::of_facts(&span.facts)
        }
    }

    /// What a log record tells of its session. It came at the end of that; both coding agents tell how long it took.
    pub(super) fn of_session(log: &'a LogRecord, record: &Record, seq: usize) -> Self {
        let end = log.moment();
        let lasted = log.attributes.float("duration_ms").filter(|lasted| (0.0..1e12).contains(lasted));
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 10^18, from 0")]
        let start = end.0.saturating_sub(lasted.map_or(0, |lasted| (lasted * 1e6) as u64));
        let id = record.row().to_be_bytes();
        // Under its own time, if the call cannot have lasted so long: the hour must be the same whenever the record comes.
        let kept = if is_near(Nanos(start), log.received) { Nanos(start) } else { end };
        Self {
            hour: hour(kept, log.received),
            trace_id: log.trace.map(|trace| *trace.bytes()).unwrap_or_default(),
            span_id: id,
            print: record.print,
            // No root.
            parent: id,
            start_ns: number(start),
            end_ns: number(end.0),
            received_ns: number(log.received.0),
            seq: length(seq),
            origin: *record.origin.bytes(),
            service: &log.origin.resource.service,
            scope: &log.origin.scope.name,
            name: told(log.event.as_ref()),
            state: SESSION,
            ..Self::of_facts(&log.facts)
        }
    }

    fn of_facts(facts: &'a Facts) -> Self {
        let usage = &facts.usage;
        Self {
            op: facts.op.map_or(0, |op| op as u8),
            dialect: facts.dialect.map_or(0, |dialect| dialect as u8),
            provider: told(facts.provider.as_ref()),
            request_model: told(facts.request_model.as_ref()),
            response_model: told(facts.response_model.as_ref()),
            response_id: told(facts.response_id.as_ref()),
            agent: told(facts.agent.as_ref()),
            agent_id: told(facts.agent_id.as_ref()),
            workflow: told(facts.workflow.as_ref()),
            tool: told(facts.tool.as_ref()),
            tool_call: told(facts.tool_call.as_ref()),
            mcp_method: told(facts.mcp_method.as_ref()),
            mcp_session: told(facts.mcp_session.as_ref()),
            data_source: told(facts.data_source.as_ref()),
            conversation: told(facts.conversation.as_ref()),
            user: told(facts.user.as_ref()),
            error: told(facts.error.as_ref()),
            finish: told(facts.finish.as_ref()),
            input: usage.input,
            output: usage.output,
            cache_read: usage.cache_read,
            cache_write: usage.cache_write,
            reasoning: usage.reasoning,
            audio_input: usage.audio_input,
            audio_output: usage.audio_output,
            first_chunk_ns: facts
                .first_chunk
                .map(|first| u64::try_from(first.as_nanos()).unwrap_or(u64::MAX)),
            n: facts.count,
            cost: facts.cost.map(|cost| cost.nanos),
            saved: facts.cost.map_or(0, |cost| cost.saved),
            cost_source: facts.cost.map_or(0, |cost| cost.source as u8),
            content: facts.content as u8,
            stream: facts.stream.map_or(0, |stream| 1 + u8::from(stream)),
            inferred: facts.inferred.into(),
            ..Self::default()
        }
    }

    fn key(&self) -> Result<SpanKey, StoreError> {
        let damaged = || Place::unreadable("cannot read a span");
        let trace = TraceId::new(&self.trace_id).ok_or_else(damaged)?;
        let span = SpanId::new(&self.span_id).ok_or_else(damaged)?;
        Ok(SpanKey { trace, span, variant: u8::try_from(self.seq).unwrap_or(u8::MAX) })
    }

    fn facts(&self) -> Facts {
        let source = if self.cost_source == CostSource::Reported as u8 {
            CostSource::Reported
        } else {
            CostSource::Table
        };
        Facts {
            op: Op::from_number(self.op),
            dialect: Dialect::from_number(self.dialect),
            provider: name(self.provider),
            request_model: name(self.request_model),
            response_model: name(self.response_model),
            response_id: name(self.response_id),
            agent: name(self.agent),
            agent_id: name(self.agent_id),
            workflow: name(self.workflow),
            tool: name(self.tool),
            tool_call: name(self.tool_call),
            mcp_method: name(self.mcp_method),
            mcp_session: name(self.mcp_session),
            data_source: name(self.data_source),
            conversation: name(self.conversation),
            user: name(self.user),
            error: name(self.error),
            finish: name(self.finish),
            usage: Usage {
                input: self.input,
                output: self.output,
                cache_read: self.cache_read,
                cache_write: self.cache_write,
                reasoning: self.reasoning,
                audio_input: self.audio_input,
                audio_output: self.audio_output,
            },
            first_chunk: self.first_chunk_ns.map(Duration::from_nanos),
            stream: match self.stream {
                1 => Some(false),
                2 => Some(true),
                _ => None,
            },
            count: self.n,
            cost: self.cost.map(|nanos| Cost { nanos, saved: self.saved, source }),
            content: ContentState::from_number(self.content),
            inferred: self.inferred != 0,
        }
    }

    /// The columns of the span.
    pub(super) fn row(&self) -> Result<SpanRow, StoreError> {
        Ok(SpanRow {
            key: self.key()?,
            parent: SpanId::new(&self.parent),
            name: self.name.into(),
            service: self.service.into(),
            scope: self.scope.into(),
            kind: self.kind,
            start: Nanos(unsigned(self.start_ns)),
            end: Nanos(unsigned(self.end_ns)),
            state: if self.state == SpanState::Running as u8 { SpanState::Running } else { SpanState::Ended },
            error: self.status == otlp_trace::status::StatusCode::Error as i32,
            n_events: self.events,
            n_links: self.links,
            facts: self.facts(),
        })
    }

    /// The whole span, but for its content.
    pub(super) fn half(&self) -> Result<Half<otlp_trace::Span>, StoreError> {
        let damaged = || Place::unreadable("cannot read a span");
        let mut bytes = otlp_trace::Span::decode(self.rest).map_err(|_| damaged())?;
        if bytes.trace_id.is_empty() {
            bytes.trace_id = self.trace_id.to_vec();
            bytes.span_id = self.span_id.to_vec();
            bytes.parent_span_id =
                SpanId::new(&self.parent).map(|id| id.bytes().to_vec()).unwrap_or_default();
        }
        Ok(Half {
            bytes,
            facts: self.facts(),
            received: Nanos(unsigned(self.received_ns)),
            hour: self.hour,
            variant: self.key()?.variant,
            row: 0,
            trace: None,
            origin: self.origin,
            holes: Holes { glue: self.glue.clone(), lens: self.lens.clone(), pieces: self.pieces.clone() },
        })
    }
}

impl<'a> LogLine<'a> {
    pub(super) fn new(log: &'a LogRecord, record: &'a Record) -> Self {
        let Record { packed, origin, .. } = record;
        let moment = log.moment();
        let (glue, lens, pieces) = refs(&packed.holes);
        Self {
            hour: hour(moment, log.received),
            time_ns: number(moment.0),
            row: record.row(),
            received_ns: number(log.received.0),
            trace_id: log.trace.map(|trace| *trace.bytes()).unwrap_or_default(),
            span_id: log.span.map(|span| *span.bytes()).unwrap_or_default(),
            origin: *origin.bytes(),
            service: &log.origin.resource.service,
            event: told(log.event.as_ref()),
            severity: log.severity,
            op: log.facts.op.map_or(0, |op| op as u8),
            content: log.facts.content as u8,
            conversation: told(log.facts.conversation.as_ref()),
            response_id: told(log.facts.response_id.as_ref()),
            title: &record.title,
            rest: &packed.bytes,
            glue,
            lens,
            pieces,
        }
    }

    /// The whole record, but for its content.
    pub(super) fn half(&self) -> Result<Half<otlp_logs::LogRecord>, StoreError> {
        let damaged = |_| Place::unreadable("cannot read a log record");
        Ok(Half {
            bytes: otlp_logs::LogRecord::decode(self.rest).map_err(damaged)?,
            // They are read of the whole record.
            facts: Facts::default(),
            received: Nanos(unsigned(self.received_ns)),
            hour: self.hour,
            variant: 0,
            row: self.row,
            trace: TraceId::new(&self.trace_id),
            origin: self.origin,
            holes: Holes { glue: self.glue.clone(), lens: self.lens.clone(), pieces: self.pieces.clone() },
        })
    }
}

/// A record that was read, whose content and origin are still to be fetched.
pub(super) struct Half<T> {
    bytes: T,
    facts: Facts,
    received: Nanos,
    pub(super) hour: u32,
    pub(super) variant: u8,
    row: i64,
    /// That of a log record, or of its session.
    trace: Option<TraceId>,
    pub(super) origin: [u8; 16],
    pub(super) holes: Holes,
}

/// What fills the holes of a record, by its hashes.
pub(super) struct Holes {
    glue: Vec<u8>,
    lens: Vec<u32>,
    pub(super) pieces: Vec<[u8; 16]>,
}

impl Holes {
    fn filled(&self, piece: Pick<'_>) -> Result<Vec<Pieces>, StoreError> {
        let mut rest = self.pieces.iter();
        let mut all = Vec::with_capacity(self.glue.len());
        for (glue, length) in self.glue.iter().zip(&self.lens) {
            let glue = match glue {
                0 => Glue::One,
                1 => Glue::JsonTight,
                2 => Glue::JsonSpaced,
                3 => Glue::Array,
                _ => return Err(Place::unreadable("cannot read what refers to content")),
            };
            let list = rest.by_ref().take(*length as usize).map(piece).collect::<Result<_, _>>()?;
            all.push(Pieces { glue, list });
        }
        Ok(all)
    }
}

impl Half<otlp_trace::Span> {
    /// The same, as this one of those with its ids.
    pub(super) fn variant(self, variant: u8) -> Self {
        Self { variant, ..self }
    }

    pub(super) fn whole(self, origin: &Arc<Origin>, piece: Pick<'_>) -> Result<Span, StoreError> {
        let holes = self.holes.filled(piece)?;
        let mut fill = |value| pack::filled(value, &holes);
        let mut span = Span::from_otlp_with(self.bytes, origin, self.received, &mut fill)
            .map_err(|_| Place::unreadable("cannot read a span"))?;
        span.key.variant = self.variant;
        span.facts = self.facts;
        Ok(span)
    }
}

impl Half<otlp_logs::LogRecord> {
    pub(super) fn whole(
        self,
        origin: &Arc<Origin>,
        piece: Pick<'_>,
        pricing: &dyn Pricing,
    ) -> Result<LogRecord, StoreError> {
        let holes = self.holes.filled(piece)?;
        let mut fill = |value| pack::filled(value, &holes);
        let mut log = LogRecord::from_otlp_with(self.bytes, origin, self.received, &mut fill)
            .map_err(|_| Place::unreadable("cannot read a log record"))?;
        log.id = LogId { day: Day(day(self.hour).into()), row: self.row };
        if let Some(session) = self.trace {
            log.show_in(session);
        }
        log.facts = facts::of_log(&log, pricing);
        Ok(log)
    }
}
