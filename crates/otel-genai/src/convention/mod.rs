//! A convention is a published vocabulary: it decides how an operation is named, and which attribute, event and
//! metric each of its fields becomes. Nothing outside this folder chooses an attribute.

mod v2026_08;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::SpanKind;
use opentelemetry::{Key, KeyValue, StringValue, Value};
use otel_genai_semconv::metric::Metric;

use crate::capture::Capture;
use crate::failure::Failure;
use crate::message::{Message, Part, ToolDefinition};
use crate::operation::{Embeddings, Inference};

/// The conventions that this library speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConventionName {
    /// `2026-08`: semantic-conventions-genai as the official conformance suite pins it.
    #[default]
    V2026_08,
}

impl ConventionName {
    const ALL: &[ConventionName] = &[ConventionName::V2026_08];

    /// The name as it is written in `OTEL_GENAI_CONVENTION`.
    pub fn as_str(self) -> &'static str {
        match self {
            ConventionName::V2026_08 => "2026-08",
        }
    }

    /// All names, for messages to people.
    pub fn allowed() -> String {
        ConventionName::ALL.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn convention(self) -> &'static dyn Convention {
        match self {
            ConventionName::V2026_08 => &v2026_08::V2026_08,
        }
    }
}

impl fmt::Display for ConventionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is none of [`ConventionName::allowed`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a convention; allowed are {allowed}", allowed = ConventionName::allowed())]
pub struct UnknownConvention(pub String);

impl FromStr for ConventionName {
    type Err = UnknownConvention;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = text.trim();
        ConventionName::ALL
            .iter()
            .copied()
            .find(|name| name.as_str().eq_ignore_ascii_case(wanted))
            .ok_or_else(|| UnknownConvention(text.to_owned()))
    }
}

/// A vocabulary for all operations.
pub trait Convention: Describe<Inference> + Describe<Embeddings> + Send + Sync {
    /// The URL of the schema that the telemetry follows.
    fn schema_url(&self) -> &'static str;
    /// What the capture mode `true` means here.
    fn capture_by_convention(&self) -> Capture;
    /// Every metric that this convention may record.
    fn metrics(&self) -> &'static [&'static Metric];
    /// The name of the event that records an exception, if there is one.
    fn exception_event(&self) -> Option<&'static str>;
}

/// How one kind of operation is told in a vocabulary.
pub trait Describe<O> {
    /// The span's name.
    fn span_name(&self, op: &O) -> Cow<'static, str>;
    /// The span's kind.
    fn span_kind(&self, op: &O) -> SpanKind;
    /// Attributes known when the operation starts; samplers see these. Borrowed, because they are looked at again
    /// when it ends and have hardly ever changed.
    fn identity<'a>(&self, op: &'a O) -> Vec<(&'static str, Scalar<'a>)>;
    /// All other attributes without content, known when it ends. `error.type` is added by the caller.
    fn end(&self, op: &O, failure: Option<&Failure>, out: &mut Attributes);
    /// Content, borrowed.
    fn content<'a>(&self, op: &'a O, failure: Option<&Failure>, out: &mut Vec<(Key, Content<'a>)>);
    /// The event that tells the operation's details, if there is one.
    fn event(&self, op: &O) -> Option<&'static str>;
    /// What is measured when the operation ended after `duration`. `identity` are the attributes of that name.
    fn measure(
        &self,
        op: &O,
        identity: &[KeyValue],
        duration: Duration,
        failure: Option<&Failure>,
    ) -> Measurements;
    /// What is measured at each chunk of a streamed answer, if anything.
    fn chunks(&self, op: &O, identity: &[KeyValue]) -> Option<Chunks>;
    /// The user's further attributes of span and event.
    fn custom<'a>(&self, op: &'a O) -> &'a [KeyValue];
}

/// A value that is not copied until it has to be.
#[derive(Clone, Debug)]
pub enum Scalar<'a> {
    /// A text.
    Text(&'a str),
    /// A value of an open enum.
    Word(Cow<'static, str>),
    /// A number.
    Int(i64),
}

impl PartialEq<Value> for Scalar<'_> {
    fn eq(&self, value: &Value) -> bool {
        match (self, value) {
            (Scalar::Text(text), Value::String(value)) => *text == value.as_str(),
            (Scalar::Word(word), Value::String(value)) => word.as_ref() == value.as_str(),
            (Scalar::Int(number), Value::I64(value)) => number == value,
            _ => false,
        }
    }
}

impl From<Scalar<'_>> for Value {
    fn from(scalar: Scalar<'_>) -> Self {
        match scalar {
            Scalar::Text(text) => Value::String(shared(text)),
            Scalar::Word(word) => Value::String(word.into()),
            Scalar::Int(number) => Value::I64(number),
        }
    }
}

/// Counted text: the span, the event and the metrics all say the same words.
fn shared(text: &str) -> StringValue {
    StringValue::from(Arc::<str>::from(text))
}

/// Attributes in the making; options that are `None` are left out.
#[derive(Debug, Default)]
pub struct Attributes(pub(crate) Vec<KeyValue>);

impl Attributes {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Attributes(Vec::with_capacity(capacity))
    }

    pub(crate) fn set(&mut self, key: &'static str, value: impl Into<Value>) {
        self.0.push(KeyValue::new(key, value));
    }

    pub(crate) fn some(&mut self, key: &'static str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.set(key, value);
        }
    }

    pub(crate) fn text(&mut self, key: &'static str, value: Option<&String>) {
        if let Some(value) = value {
            self.set(key, shared(value));
        }
    }

    /// A value of an open enum; a well-known one is not copied.
    pub(crate) fn word<E>(&mut self, key: &'static str, value: Option<&E>)
    where
        E: Clone + Into<Cow<'static, str>>,
    {
        if let Some(value) = value {
            self.set(key, value.clone().into());
        }
    }

    /// Counts are unsigned where they are read and signed on the wire.
    pub(crate) fn count(&mut self, key: &'static str, value: Option<u64>) {
        self.some(key, value.map(|count| i64::try_from(count).unwrap_or(i64::MAX)));
    }

    pub(crate) fn texts(&mut self, key: &'static str, values: &[String]) {
        if !values.is_empty() {
            let values: Vec<StringValue> = values.iter().map(|text| text.clone().into()).collect();
            self.set(key, Value::Array(values.into()));
        }
    }
}

/// Content, not yet serialised.
#[derive(Debug)]
pub enum Content<'a> {
    /// Messages.
    Messages(Cow<'a, [Message]>),
    /// Parts, as in system instructions.
    Parts(&'a [Part]),
    /// Tools offered.
    Tools(&'a [ToolDefinition]),
    /// A plain text, which stays a string everywhere.
    Text(&'a str),
}

/// What is measured of one ended operation: values that share their attributes, but for one of their own.
#[derive(Debug, Default)]
pub struct Measurements {
    pub(crate) attributes: Vec<KeyValue>,
    pub(crate) points: Vec<(&'static Metric, f64, Option<KeyValue>)>,
}

/// The metrics of a streamed answer's chunks, in seconds.
#[derive(Debug)]
pub struct Chunks {
    pub(crate) first: &'static Metric,
    pub(crate) following: &'static Metric,
    pub(crate) attributes: Vec<KeyValue>,
    /// Whether nothing more is to be learned for the attributes.
    pub(crate) complete: bool,
}
