//! What a convention is made of: tables that say what each thing known of an operation is called, and when it is told.

use std::borrow::Cow;

use opentelemetry::logs::Severity;
use opentelemetry::trace::SpanKind;
use otel_genai_semconv::metric::Metric;

use super::Told;
use crate::capture::Capture;
use crate::content::Pipeline;
use crate::failure::Failure;
use crate::operation::{Fact, Field, Kind};
use crate::signal::Record;

/// A published vocabulary.
#[derive(Debug)]
pub(crate) struct Convention {
    /// The URL of the schema that the telemetry follows.
    pub(crate) schema_url: &'static str,
    /// What the capture mode `true` means here.
    pub(crate) capture_by_convention: Capture,
    /// Whether content and events wait for `OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental`.
    pub(crate) needs_opt_in: bool,
    /// Whether events are emitted although no content goes into them.
    pub(crate) always_events: bool,
    /// The event that tells of an error which ended an operation of a client.
    pub(crate) exception: Option<&'static str>,
    /// The event that tells the result of an evaluation.
    pub(crate) evaluation: Option<&'static str>,
    /// Whether a failure is an error of the operation: told as status, `error.type` and exception.
    pub(crate) is_error: fn(&Told<'_>, &Failure) -> bool,
    /// The operations that it knows.
    pub(crate) operations: &'static [(Kind, Description)],
}

/// Every failure is an error.
pub(crate) fn any_failure(_: &Told<'_>, _: &Failure) -> bool {
    true
}

impl Convention {
    pub(crate) fn describe(&self, kind: Kind) -> Option<&'static Description> {
        self.operations.iter().find(|(known, _)| *known == kind).map(|(_, description)| description)
    }
}

/// How one kind of operation is told.
#[derive(Debug)]
pub(crate) struct Description {
    /// The operation's name, where it is not its own.
    pub(crate) operation: Option<&'static str>,
    /// The span's name.
    pub(crate) name: Name,
    /// The span's kind.
    pub(crate) kind: SpanKind,
    /// The span's attributes, in groups that operations share.
    pub(crate) span: &'static [&'static [Row]],
    /// What is told as events.
    pub(crate) event: Event,
    /// What is measured when it ends.
    pub(crate) measures: &'static [Measures],
    /// What is measured at each chunk of a streamed answer.
    pub(crate) chunks: Option<Chunks>,
}

/// How a span's name is made.
#[derive(Debug)]
pub(crate) enum Name {
    /// There is no span.
    None,
    /// Always this.
    Fixed(&'static str),
    /// `{base} {key}` with the first key that is known, or the base alone.
    Keyed(Field, &'static [Field]),
    /// Otherwise.
    Custom(fn(&Told<'_>) -> Cow<'static, str>),
}

/// One attribute.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) source: Source,
    pub(crate) at: At,
    pub(crate) unless: Unless,
}

/// Where an attribute's value comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    /// What is known of the operation.
    Field(Field),
    /// The same as JSON text, in events too.
    Json(Field),
    /// It is always the same.
    Always(&'static str),
}

/// When an attribute is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// When the operation starts, so that samplers see it, and again when it has changed.
    Start,
    /// When it ends.
    End,
    /// When it ends, where content is captured.
    Content,
    /// When it ends, where content is *not* captured: what may be said instead.
    NoContent,
}

/// What is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unless {
    /// An empty text or list, which says nothing.
    Empty,
    /// A text of blanks alone.
    Blank,
    /// Nothing: even an empty text is told.
    Never,
    /// Zero, where it means "not applicable", or an empty text.
    Zero,
    /// One, the default.
    One,
    /// 443, the default port.
    DefaultPort,
    /// `auto`, the default.
    Auto,
    /// A port without an address.
    NoAddress,
}

/// An attribute that samplers see.
pub(crate) const fn start(name: &'static str, field: Field) -> Row {
    Row { name, source: Source::Field(field), at: At::Start, unless: Unless::Empty }
}

/// An attribute that is told at the end.
pub(crate) const fn end(name: &'static str, field: Field) -> Row {
    Row { name, source: Source::Field(field), at: At::End, unless: Unless::Empty }
}

/// Content.
pub(crate) const fn content(name: &'static str, field: Field) -> Row {
    Row { name, source: Source::Field(field), at: At::Content, unless: Unless::Empty }
}

/// What may be told where content may not.
pub(crate) const fn instead(name: &'static str, field: Field) -> Row {
    Row { name, source: Source::Field(field), at: At::NoContent, unless: Unless::Empty }
}

/// An attribute that is always the same.
pub(crate) const fn always(name: &'static str, value: &'static str) -> Row {
    Row { name, source: Source::Always(value), at: At::Start, unless: Unless::Empty }
}

/// The same as JSON text.
pub(crate) const fn json(row: Row) -> Row {
    match row.source {
        Source::Field(field) => Row { source: Source::Json(field), ..row },
        Source::Json(_) | Source::Always(_) => row,
    }
}

impl Row {
    /// The field that it tells, where nothing but the operation's own data decides what is known of it.
    pub(crate) fn own_field(&self) -> Option<Field> {
        match self.source {
            Source::Field(field) if field.is_own() => Some(field),
            _ => None,
        }
    }

    /// Whether a fact is told, which may be empty or the default.
    pub(crate) fn tells(&self, fact: &Fact<'_>) -> bool {
        match (self.unless, fact) {
            (Unless::Never, _) => true,
            (Unless::Zero, Fact::Int(0))
            | (Unless::One, Fact::Int(1))
            | (Unless::DefaultPort, Fact::Int(443))
            | (Unless::Auto, Fact::Text("auto")) => false,
            (Unless::Blank, Fact::Text(text)) => !text.trim().is_empty(),
            _ => !fact.is_empty(),
        }
    }

    /// The same, but not told in this case.
    pub(crate) const fn unless(self, unless: Unless) -> Row {
        Row { unless, ..self }
    }
}

/// What is told as events.
#[derive(Debug)]
pub(crate) enum Event {
    /// Nothing.
    None,
    /// One event with the operation's details as attributes.
    Details {
        name: &'static str,
        severity: Option<Severity>,
        /// The attributes, where they are not the span's.
        rows: Option<&'static [&'static [Row]]>,
        /// Whether the user's own attributes are among them.
        custom: bool,
    },
    /// Events of the convention's own making; `bool`: with content.
    Custom(fn(&Told<'_>, bool, &Pipeline) -> Vec<Record>),
}

/// Metrics that share their attributes.
#[derive(Debug)]
pub(crate) struct Measures {
    pub(crate) attributes: &'static [&'static [Row]],
    pub(crate) points: &'static [Point],
}

/// One measured value.
#[derive(Debug)]
pub(crate) struct Point {
    pub(crate) metric: &'static Metric,
    pub(crate) amount: Amount,
    /// An attribute of its own.
    pub(crate) own: Option<(&'static str, &'static str)>,
    /// Whether it tells of an error.
    pub(crate) error: bool,
}

/// What a metric measures.
#[derive(Debug)]
pub(crate) enum Amount {
    /// How long the operation took, in seconds.
    Duration,
    /// A count that is known of the operation.
    Count(Field),
    /// Otherwise: a count.
    Custom(fn(&Told<'_>) -> Option<u64>),
    /// How often an agent asked a model.
    InferenceCalls,
    /// How often an agent ran a tool.
    ToolCalls,
}

/// How long the operation took, with its error.
pub(crate) const fn duration(metric: &'static Metric) -> Point {
    Point { metric, amount: Amount::Duration, own: None, error: true }
}

/// A count, with an attribute of its own.
pub(crate) const fn count(
    metric: &'static Metric,
    field: Field,
    own: Option<(&'static str, &'static str)>,
) -> Point {
    Point { metric, amount: Amount::Count(field), own, error: false }
}

/// The metrics of a streamed answer's chunks, in seconds.
#[derive(Debug)]
pub(crate) struct Chunks {
    pub(crate) first: &'static Metric,
    pub(crate) following: &'static Metric,
    pub(crate) attributes: &'static [&'static [Row]],
}
