//! Signals as plain data: what the rules look at, and no more.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Attributes in the order in which they were set; a key may be there twice, which is a finding.
pub type Attributes = Vec<(String, Value)>;

/// Everything that is to be judged together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Telemetry {
    /// The attributes of each resource.
    pub resources: Vec<Attributes>,
    /// Each instrumentation scope.
    pub scopes: Vec<Scope>,
    /// Each span.
    pub spans: Vec<Span>,
    /// Each log record.
    pub events: Vec<Event>,
    /// Each metric, with the points that were exported at once.
    pub metrics: Vec<Metric>,
}

impl Telemetry {
    /// Adds what `other` holds.
    pub fn extend(&mut self, other: Self) {
        self.resources.extend(other.resources);
        self.scopes.extend(other.scopes);
        self.spans.extend(other.spans);
        self.events.extend(other.events);
        self.metrics.extend(other.metrics);
    }

    /// Whether there is nothing to judge.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { resources, scopes, spans, events, metrics } = self;
        resources.is_empty()
            && scopes.is_empty()
            && spans.is_empty()
            && events.is_empty()
            && metrics.is_empty()
    }
}

/// An instrumentation scope.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scope {
    /// The scope's name.
    pub name: String,
    /// Its attributes.
    pub attributes: Attributes,
}

/// A span.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Span {
    /// The span's name.
    pub name: String,
    /// Its kind.
    pub kind: SpanKind,
    /// Its status, without the description.
    pub status: Status,
    /// When it started, in nanoseconds since 1970.
    pub start: u64,
    /// When it ended, in nanoseconds since 1970.
    pub end: u64,
    /// Its attributes.
    pub attributes: Attributes,
    /// Its events.
    pub events: Vec<SpanEvent>,
    /// The attributes of each link.
    pub links: Vec<Attributes>,
}

/// An event inside a span.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpanEvent {
    /// The event's name.
    pub name: String,
    /// Its attributes.
    pub attributes: Attributes,
}

/// The role of a span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SpanKind {
    /// Not said.
    #[default]
    Unspecified,
    /// Work inside the process.
    Internal,
    /// A call from another service.
    Server,
    /// A call to another service.
    Client,
    /// A message is sent.
    Producer,
    /// A message is received.
    Consumer,
}

/// How a span ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Status {
    /// Nothing was said, as on every success.
    #[default]
    Unset,
    /// Success, in the application's own view.
    Ok,
    /// Failure.
    Error,
}

/// A log record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    /// The event's name; empty for a log record that is no event.
    pub name: String,
    /// Its attributes.
    pub attributes: Attributes,
}

/// A metric.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metric {
    /// The metric's name.
    pub name: String,
    /// Its unit, such as `s`.
    pub unit: String,
    /// What kind of data it is.
    pub instrument: Instrument,
    /// Its points.
    pub points: Vec<Point>,
}

/// The kinds of metric, as data tells them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Instrument {
    /// A metric without data.
    #[default]
    Unknown,
    /// A sum that only grows.
    Counter,
    /// A sum that grows and shrinks.
    UpDownCounter,
    /// A last value.
    Gauge,
    /// A distribution in buckets, explicit or exponential.
    Histogram,
    /// Quantiles computed by the emitter.
    Summary,
}

/// A point of a metric.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Point {
    /// Its attributes.
    pub attributes: Attributes,
    /// The smallest number known of it: of a distribution the smaller of minimum and sum, else the value.
    pub lowest: Option<f64>,
    /// The attributes of each exemplar.
    pub exemplars: Vec<Attributes>,
}

/// The value of an attribute.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// Nothing.
    #[default]
    Empty,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A floating-point number.
    Double(f64),
    /// Text.
    String(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A list, of mixed types in log records.
    Array(Vec<Value>),
    /// Keys and values.
    Map(Attributes),
}

impl Value {
    /// The text, if it is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// What it is, in a word for people.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "an int",
            Self::Double(_) => "a double",
            Self::String(_) => "a string",
            Self::Bytes(_) => "bytes",
            Self::Array(_) => "a list",
            Self::Map(_) => "a map",
        }
    }

    /// As JSON; bytes become text in base64, numbers that JSON does not have become null.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Empty => serde_json::Value::Null,
            Self::Bool(value) => (*value).into(),
            Self::Int(value) => (*value).into(),
            Self::Double(value) => (*value).into(),
            Self::String(text) => text.as_str().into(),
            Self::Bytes(bytes) => STANDARD.encode(bytes).into(),
            Self::Array(values) => values.iter().map(Self::to_json).collect(),
            Self::Map(entries) => entries.iter().map(|(key, value)| (key.clone(), value.to_json())).collect(),
        }
    }

    /// The first key that a map in it has twice.
    pub(crate) fn doubled_key(&self) -> Option<&str> {
        match self {
            Self::Array(values) => values.iter().find_map(Self::doubled_key),
            Self::Map(entries) => {
                let mut seen = HashSet::new();
                entries.iter().find_map(|(key, value)| {
                    if seen.insert(key) { value.doubled_key() } else { Some(key.as_str()) }
                })
            }
            _ => None,
        }
    }
}

/// The value of an attribute, where keys may repeat: the first counts.
pub(crate) fn get<'a>(attributes: &'a Attributes, name: &str) -> Option<&'a Value> {
    attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value)
}
