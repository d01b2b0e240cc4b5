//! Log records: from OTLP and back without a difference.

use std::sync::Arc;

use opentelemetry_proto::tonic::logs::v1 as otlp;

use crate::facts::Facts;
use crate::id::{Day, LogId, Nanos, SpanId, TraceId};
use crate::origin::Origin;
use crate::otlp::Refused;
use crate::span::ToldIds;
use crate::value::{AnyValue, Attributes, Held};

/// Events that some SDKs name by their body alone.
const NAMED_BY_BODY: [&str; 3] = ["gen_ai.", "claude_code.", "codex."];

/// A log record with everything that came with it.
#[derive(Clone, Debug)]
pub struct LogRecord {
    /// Where it stands in the store; row 0 before it is stored.
    pub id: LogId,
    /// When it happened, as told; 0 if it was not.
    pub time: Nanos,
    /// When a collector saw it, as told.
    pub observed: Nanos,
    /// OTLP's `SeverityNumber`, whatever number came: 1–24, 9 is "info", 17 "error".
    pub severity: i32,
    /// The source's own word for it.
    pub severity_text: Arc<str>,
    /// The event that it tells: `eventName`, else the attribute `event.name`, else a body that is the name of one.
    pub event: Option<Arc<str>>,
    /// The trace that it belongs to.
    pub trace: Option<TraceId>,
    /// The span that it belongs to.
    pub span: Option<SpanId>,
    /// OTLP's `LogRecordFlags`.
    pub flags: u32,
    /// What it says.
    pub body: Option<Held>,
    /// Its attributes.
    pub attributes: Attributes,
    /// How many attributes its SDK dropped.
    pub dropped: u32,
    /// What made and told it.
    pub origin: Arc<Origin>,
    /// When it was received.
    pub received: Nanos,
    /// What it says in terms of generative AI.
    pub facts: Facts,
    /// The ids as they came, where `trace` and `span` say something else.
    pub told: Option<Box<ToldIds>>,
    /// Whether `event` came in OTLP's `eventName`.
    pub event_told: bool,
}

impl LogRecord {
    /// From OTLP. Ids of no use (wrong length, all zero) are lost to `trace` and `span`, never the record: they are kept
    /// in `told`.
    ///
    /// # Errors
    /// None yet; too deep or too large values are refused by [`otlp::logs`](crate::otlp::logs).
    pub fn from_otlp(log: otlp::LogRecord, origin: &Arc<Origin>, received: Nanos) -> Result<Self, Refused> {
        Self::from_otlp_with(log, origin, received, &mut Held::Whole)
    }

    /// The same; `hold` says what becomes of each value.
    pub(crate) fn from_otlp_with(
        log: otlp::LogRecord,
        origin: &Arc<Origin>,
        received: Nanos,
        hold: &mut dyn FnMut(Option<AnyValue>) -> Held,
    ) -> Result<Self, Refused> {
        let trace = TraceId::new(&log.trace_id);
        let span = SpanId::new(&log.span_id);
        let same = trace.is_some() != log.trace_id.is_empty() && span.is_some() != log.span_id.is_empty();
        let told =
            (!same).then(|| Box::new(ToldIds { trace: log.trace_id, span: log.span_id, parent: Vec::new() }));
        let attributes = Attributes::from_otlp_with(log.attributes, hold);
        let body = log.body.map(|body| hold(Some(body)));
        let event_told = !log.event_name.is_empty();
        let event = if event_told {
            Some(log.event_name.into())
        } else {
            attributes.text("event.name").filter(|name| !name.is_empty()).map(Arc::from).or_else(|| {
                let text = body.as_ref()?.text()?;
                let is_name = !text.contains(char::is_whitespace)
                    && NAMED_BY_BODY.iter().any(|prefix| text.starts_with(prefix));
                is_name.then(|| Arc::from(text))
            })
        };
        let moment = Nanos(log.time_unix_nano).or(Nanos(log.observed_time_unix_nano)).or(received);
        Ok(Self {
            id: LogId { day: Day::of(moment), row: 0 },
            time: Nanos(log.time_unix_nano),
            observed: Nanos(log.observed_time_unix_nano),
            severity: log.severity_number,
            severity_text: log.severity_text.into(),
            event,
            trace,
            span,
            flags: log.flags,
            body,
            attributes,
            dropped: log.dropped_attributes_count,
            origin: Arc::clone(origin),
            received,
            facts: Facts::default(),
            told,
            event_told,
        })
    }

    /// The very record that came.
    #[must_use]
    pub fn to_otlp(&self) -> otlp::LogRecord {
        self.to_otlp_with(&mut Held::told)
    }

    /// The same; `tell` says what becomes of each value.
    pub(crate) fn to_otlp_with(&self, tell: &mut dyn FnMut(&Held) -> Option<AnyValue>) -> otlp::LogRecord {
        let ids = self.told.as_deref().cloned().unwrap_or_else(|| ToldIds {
            trace: self.trace.map(|trace| trace.bytes().to_vec()).unwrap_or_default(),
            span: self.span.map(|span| span.bytes().to_vec()).unwrap_or_default(),
            parent: Vec::new(),
        });
        otlp::LogRecord {
            time_unix_nano: self.time.0,
            observed_time_unix_nano: self.observed.0,
            severity_number: self.severity,
            severity_text: self.severity_text.as_ref().to_owned(),
            body: self.body.as_ref().and_then(&mut *tell),
            attributes: self.attributes.to_otlp_with(tell),
            dropped_attributes_count: self.dropped,
            flags: self.flags,
            trace_id: ids.trace,
            span_id: ids.span,
            event_name: self.event.as_deref().filter(|_| self.event_told).unwrap_or_default().to_owned(),
        }
    }

    /// Whether it came without a trace and is shown in that of its session, which only log records tell of.
    #[must_use]
    pub fn is_of_session(&self) -> bool {
        self.trace.is_some() && self.told.as_ref().is_some_and(|told| told.trace.is_empty())
    }

    /// Shows it in the trace of its session. The ids that came are kept in `told`.
    pub(crate) fn show_in(&mut self, session: TraceId) {
        if self.trace.is_none() {
            self.told.get_or_insert_with(|| {
                let span = self.span.map(|span| span.bytes().to_vec()).unwrap_or_default();
                Box::new(ToldIds { span, ..ToldIds::default() })
            });
            self.trace = Some(session);
        }
    }

    /// When it happened: as told, else when it was observed, else when it was received.
    #[must_use]
    pub fn moment(&self) -> Nanos {
        self.time.or(self.observed).or(self.received)
    }
}
