//! Spans: from OTLP and back without a difference.

use std::sync::Arc;

use opentelemetry_proto::tonic::trace::v1 as otlp;

use crate::facts::Facts;
use crate::id::{Nanos, SpanId, SpanKey, TraceId};
use crate::origin::Origin;
use crate::otlp::Refused;
use crate::value::{AnyValue, Attributes, Held};

/// A span with everything that came with it.
#[derive(Clone, Debug)]
pub struct Span {
    /// Which one it is.
    pub key: SpanKey,
    /// The span around it, if one was named; it may be unknown here.
    pub parent: Option<SpanId>,
    /// What made and told it.
    pub origin: Arc<Origin>,
    /// Its name.
    pub name: Arc<str>,
    /// OTLP's `SpanKind`, whatever number came.
    pub kind: i32,
    /// When it began, as told; 0 if it was not.
    pub start: Nanos,
    /// When it ended, as told, even before its start; 0 while it runs.
    pub end: Nanos,
    /// Whether it has ended.
    pub state: SpanState,
    /// How it went.
    pub status: Status,
    /// W3C `tracestate`.
    pub trace_state: String,
    /// OTLP's `SpanFlags`.
    pub flags: u32,
    /// Its attributes.
    pub attributes: Attributes,
    /// What happened in it, in the order it came.
    pub events: Vec<SpanEvent>,
    /// Other spans that it names.
    pub links: Vec<SpanLink>,
    /// What its SDK dropped.
    pub dropped: Dropped,
    /// When it was received.
    pub received: Nanos,
    /// What it says in terms of generative AI.
    pub facts: Facts,
    /// The ids as they came, where `key` and `parent` say something else: a parent of no use, a pending span.
    pub told: Option<Box<ToldIds>>,
}

/// Ids as the bytes that came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToldIds {
    /// The trace's.
    pub trace: Vec<u8>,
    /// The span's.
    pub span: Vec<u8>,
    /// The parent's; empty for a log record.
    pub parent: Vec<u8>,
}

/// Whether a span has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SpanState {
    /// It has.
    Ended = 0,
    /// It was told before its end, and will be replaced.
    Running = 1,
}

/// How a span went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// OTLP's `StatusCode`, whatever number came; 2 is an error.
    pub code: i32,
    /// Words to it.
    pub message: String,
    /// Whether OTLP had the field: absent and "unset" are told apart.
    pub present: bool,
}

/// Something that happened in a span.
#[derive(Clone, Debug)]
pub struct SpanEvent {
    /// When.
    pub time: Nanos,
    /// What.
    pub name: Arc<str>,
    /// How.
    pub attributes: Attributes,
    /// How many attributes its SDK dropped.
    pub dropped: u32,
}

/// Another span that a span names. Its ids are kept as they came, also those of no use.
#[derive(Clone, Debug)]
pub struct SpanLink {
    /// Of the other span.
    pub trace_id: Vec<u8>,
    /// Of the other span.
    pub span_id: Vec<u8>,
    /// Of the other span.
    pub trace_state: String,
    /// About the link.
    pub attributes: Attributes,
    /// How many attributes its SDK dropped.
    pub dropped: u32,
    /// Of the other span.
    pub flags: u32,
}

/// How much the SDK of a span dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Attributes.
    pub attributes: u32,
    /// Events.
    pub events: u32,
    /// Links.
    pub links: u32,
}

/// The columns of a span without its content: what a waterfall of 10,000 needs.
#[derive(Clone, Debug)]
pub struct SpanRow {
    /// Which one it is.
    pub key: SpanKey,
    /// The span around it.
    pub parent: Option<SpanId>,
    /// Its name.
    pub name: Arc<str>,
    /// The service that made it.
    pub service: Arc<str>,
    /// The name of its instrumentation scope.
    pub scope: Arc<str>,
    /// OTLP's `SpanKind`.
    pub kind: i32,
    /// When it began; where that was not told, when it was received.
    pub start: Nanos,
    /// When it ended, as told; 0 while it runs.
    pub end: Nanos,
    /// Whether it has ended.
    pub state: SpanState,
    /// Whether its status is an error.
    pub error: bool,
    /// How many events it has.
    pub n_events: u32,
    /// How many links it has.
    pub n_links: u32,
    /// What it says in terms of generative AI.
    pub facts: Facts,
}

impl Span {
    /// From OTLP. A parent id of no use (wrong length, all zero) makes it a root; it is kept in `told`.
    ///
    /// # Errors
    /// [`Refused::TraceId`], [`Refused::SpanId`]: without its ids a span has no place. Too deep or too large values are
    /// refused by [`otlp::traces`](crate::otlp::traces).
    pub fn from_otlp(span: otlp::Span, origin: &Arc<Origin>, received: Nanos) -> Result<Self, Refused> {
        Self::from_otlp_with(span, origin, received, &mut Held::Whole)
    }

    /// The same; `hold` says what becomes of each value.
    pub(crate) fn from_otlp_with(
        span: otlp::Span,
        origin: &Arc<Origin>,
        received: Nanos,
        hold: &mut dyn FnMut(Option<AnyValue>) -> Held,
    ) -> Result<Self, Refused> {
        let trace = TraceId::new(&span.trace_id).ok_or(Refused::TraceId)?;
        let mut id = SpanId::new(&span.span_id).ok_or(Refused::SpanId)?;
        let mut parent = SpanId::new(&span.parent_span_id);
        let attributes = Attributes::from_otlp_with(span.attributes, hold);
        let mut state = if span.end_time_unix_nano == 0 { SpanState::Running } else { SpanState::Ended };
        if let Some((real, its_parent)) = pending(&attributes, parent) {
            (id, parent, state) = (real, its_parent, SpanState::Running);
        }
        let same = span.span_id == id.bytes()
            && parent.map_or(span.parent_span_id.is_empty(), |parent| span.parent_span_id == parent.bytes());
        let told = (!same).then(|| {
            Box::new(ToldIds { trace: span.trace_id, span: span.span_id, parent: span.parent_span_id })
        });
        let present = span.status.is_some();
        let status = span.status.unwrap_or_default();
        Ok(Self {
            key: SpanKey { trace, span: id, variant: 0 },
            parent,
            origin: Arc::clone(origin),
            name: span.name.into(),
            kind: span.kind,
            start: Nanos(span.start_time_unix_nano),
            end: Nanos(span.end_time_unix_nano),
            state,
            status: Status { code: status.code, message: status.message, present },
            trace_state: span.trace_state,
            flags: span.flags,
            attributes,
            events: span.events.into_iter().map(|event| SpanEvent::from_otlp(event, hold)).collect(),
            links: span.links.into_iter().map(|link| SpanLink::from_otlp(link, hold)).collect(),
            dropped: Dropped {
                attributes: span.dropped_attributes_count,
                events: span.dropped_events_count,
                links: span.dropped_links_count,
            },
            received,
            facts: Facts::default(),
            told,
        })
    }

    /// The very span that came.
    #[must_use]
    pub fn to_otlp(&self) -> otlp::Span {
        self.to_otlp_with(&mut Held::told)
    }

    /// The same; `tell` says what becomes of each value.
    pub(crate) fn to_otlp_with(&self, tell: &mut dyn FnMut(&Held) -> Option<AnyValue>) -> otlp::Span {
        let ids = self.told.as_deref().cloned().unwrap_or_else(|| ToldIds {
            trace: self.key.trace.bytes().to_vec(),
            span: self.key.span.bytes().to_vec(),
            parent: self.parent.map(|parent| parent.bytes().to_vec()).unwrap_or_default(),
        });
        otlp::Span {
            trace_id: ids.trace,
            span_id: ids.span,
            trace_state: self.trace_state.clone(),
            parent_span_id: ids.parent,
            flags: self.flags,
            name: self.name.as_ref().to_owned(),
            kind: self.kind,
            start_time_unix_nano: self.start.0,
            end_time_unix_nano: self.end.0,
            attributes: self.attributes.to_otlp_with(tell),
            dropped_attributes_count: self.dropped.attributes,
            events: self.events.iter().map(|event| event.to_otlp(tell)).collect(),
            dropped_events_count: self.dropped.events,
            links: self.links.iter().map(|link| link.to_otlp(tell)).collect(),
            dropped_links_count: self.dropped.links,
            status: self
                .status
                .present
                .then(|| otlp::Status { message: self.status.message.clone(), code: self.status.code }),
        }
    }

    /// Its columns.
    #[must_use]
    pub fn row(&self) -> SpanRow {
        SpanRow {
            key: self.key,
            parent: self.parent,
            name: Arc::clone(&self.name),
            service: Arc::clone(&self.origin.resource.service),
            scope: Arc::clone(&self.origin.scope.name),
            kind: self.kind,
            start: self.start.or(self.received),
            end: self.end,
            state: self.state,
            error: self.status.is_error(),
            n_events: u32::try_from(self.events.len()).unwrap_or(u32::MAX),
            n_links: u32::try_from(self.links.len()).unwrap_or(u32::MAX),
            facts: self.facts.clone(),
        }
    }
}

impl Status {
    /// Whether it tells of an error.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.code == otlp::status::StatusCode::Error as i32
    }
}

impl SpanEvent {
    fn from_otlp(event: otlp::span::Event, hold: &mut dyn FnMut(Option<AnyValue>) -> Held) -> Self {
        Self {
            time: Nanos(event.time_unix_nano),
            name: event.name.into(),
            attributes: Attributes::from_otlp_with(event.attributes, hold),
            dropped: event.dropped_attributes_count,
        }
    }

    fn to_otlp(&self, tell: &mut dyn FnMut(&Held) -> Option<AnyValue>) -> otlp::span::Event {
        otlp::span::Event {
            time_unix_nano: self.time.0,
            name: self.name.as_ref().to_owned(),
            attributes: self.attributes.to_otlp_with(tell),
            dropped_attributes_count: self.dropped,
        }
    }
}

impl SpanLink {
    fn from_otlp(link: otlp::span::Link, hold: &mut dyn FnMut(Option<AnyValue>) -> Held) -> Self {
        Self {
            trace_id: link.trace_id,
            span_id: link.span_id,
            trace_state: link.trace_state,
            attributes: Attributes::from_otlp_with(link.attributes, hold),
            dropped: link.dropped_attributes_count,
            flags: link.flags,
        }
    }

    fn to_otlp(&self, tell: &mut dyn FnMut(&Held) -> Option<AnyValue>) -> otlp::span::Link {
        otlp::span::Link {
            trace_id: self.trace_id.clone(),
            span_id: self.span_id.clone(),
            trace_state: self.trace_state.clone(),
            attributes: self.attributes.to_otlp_with(tell),
            dropped_attributes_count: self.dropped,
            flags: self.flags,
        }
    }
}

/// Logfire tells of a span that has begun by a child that ends at once: the span's own id is the child's parent, and the
/// span's parent stands in an attribute. Returns both.
fn pending(attributes: &Attributes, parent: Option<SpanId>) -> Option<(SpanId, Option<SpanId>)> {
    if attributes.text("logfire.span_type")? != "pending_span" {
        return None;
    }
    let its_parent = attributes.text("logfire.pending_parent_id").and_then(|id| id.parse().ok());
    Some((parent?, its_parent))
}
