//! What the judge reports.

use std::fmt;

/// Something about a signal that the convention does not permit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Finding {
    /// Which rule is broken.
    pub id: Id,
    /// Where.
    pub signal: Signal,
    /// The attribute that is wrong or missing, if the finding is about one.
    pub attribute: Option<String>,
    /// What is wrong, for a person to read.
    pub message: String,
}

impl fmt::Display for Finding {
    /// One line: id, signal, attribute, message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: ", self.id, self.signal)?;
        if let Some(attribute) = &self.attribute {
            write!(f, "{}: ", attribute.escape_debug())?;
        }
        f.write_str(&self.message)
    }
}

/// The signal that a finding is about, by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Signal {
    /// The attributes of the resource that the telemetry comes from.
    Resource,
    /// The attributes of an instrumentation scope.
    Scope(String),
    /// A span.
    Span(String),
    /// An event of a span: the span's name and the event's.
    SpanEvent(String, String),
    /// A link of a span.
    SpanLink(String),
    /// An event: a log record.
    Event(String),
    /// A metric, with its points and their exemplars.
    Metric(String),
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resource => f.write_str("resource"),
            Self::Scope(name) => write!(f, "scope {name:?}"),
            Self::Span(name) => write!(f, "span {name:?}"),
            Self::SpanEvent(span, name) => write!(f, "span {span:?} event {name:?}"),
            Self::SpanLink(span) => write!(f, "span {span:?} link"),
            Self::Event(name) => write!(f, "event {name:?}"),
            Self::Metric(name) => write!(f, "metric {name:?}"),
        }
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])+ $variant:ident = $id:literal,)+) => {
        /// The rules, by the ids under which they are reported.
        ///
        /// The conventions' own judge uses the same ids, but for the last five, which are rules of ours. It also reports
        /// `entity_*` where a metric or event needs an entity, which none of these conventions has.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Id {
            $($(#[$doc])+ $variant,)+
        }

        impl Id {
            /// Every rule.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The id as text, such as `missing_attribute`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $id,)+
                }
            }
        }
    };
}

ids! {
    /// An attribute that the convention does not know: on spans, their events and links, points, exemplars, log records,
    /// scopes and resources.
    ///
    /// A few names are let pass: `service.name`, `service.instance.id`, `telemetry.sdk.*` and `telemetry.auto.version` of
    /// a resource, `cloud.region` and `rpc.method` of a span.
    MissingAttribute = "missing_attribute",
    /// A metric that the convention does not know.
    MissingMetric = "missing_metric",
    /// An event that the convention does not know. A log record without an event name is let pass.
    MissingEvent = "missing_event",
    /// An attribute that the convention advises against.
    Deprecated = "deprecated",
    /// A value that is not of the attribute's type. A whole number is a fine double, a double is no whole number.
    TypeMismatch = "type_mismatch",
    /// A metric in another unit than the convention's.
    UnitMismatch = "unit_mismatch",
    /// A metric of another instrument than the convention's.
    UnexpectedInstrument = "unexpected_instrument",
    /// A required attribute is missing: from a metric's point or an event; from a span for which
    /// [`Id::ExpectedAttributeMissing`] has no list; or it is the operation's name, on a span with other attributes
    /// `gen_ai.*`.
    RequiredAttributeNotPresent = "required_attribute_not_present",
    /// The span's name is not the operation, followed by the attribute that names what it works on if that is present.
    SpanNameFormat = "genai_span_name_format",
    /// An attribute is missing that the convention requires of every such span, or recommends without a condition.
    /// Failed spans are not exempt, unless [`Checker::excuse_unanswered`](crate::Checker::excuse_unanswered) is set.
    ExpectedAttributeMissing = "genai_expected_attribute_missing",
    /// The span's kind is not the operation's. Model calls and memory operations may be internal if they name no server,
    /// that is, happen inside the process.
    SpanKindUnexpected = "genai_span_kind_unexpected",
    /// `gen_ai.operation.name` is not on the convention's list.
    OperationNameUnknown = "genai_operation_name_unknown",
    /// Structured content has not its shape, or is text that is no JSON.
    ContentSchema = "genai_content_schema",
    /// A span's status is OK, which is for applications to say and not for instrumentation.
    StatusOk = "span_status_ok_set_by_instrumentation",
    /// A span's status is error, and there is no `error.type`.
    ErrorTypeMissing = "error_type_missing_on_error",
    /// A span has an `error.type`, and its status is not error.
    ErrorTypeWithoutError = "error_type_without_error_status",
    /// An attribute or a key inside its value is given twice.
    AttributeGivenTwice = "attribute_given_twice",
    /// A span without a name.
    SpanNameEmpty = "span_name_empty",
    /// A span ends before it starts.
    SpanEndBeforeStart = "span_end_before_start",
    /// A duration is below zero: a point of a metric in seconds, or an attribute.
    NegativeDuration = "negative_duration",
    /// Content of an event is JSON text, where it must be structured.
    EventContentNotStructured = "event_content_not_structured",
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
