//! Reads OTLP in JSON: export requests as the OTLP specification writes them, and as protobuf's own JSON mapping does.
//!
//! The two differ in ids (hexadecimal or base64), which no rule looks at, and in enums (numbers or names). Both may write
//! 64-bit numbers as strings, and leave out what is zero.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{IgnoredAny, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use thiserror::Error;

use crate::telemetry::{
    Attributes, Event, Instrument, Metric, Point, Scope, Span, SpanEvent, SpanKind, Status, Telemetry, Value,
};

/// Why text is no OTLP.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The text is no JSON, or something in it has another shape than in OTLP.
    #[error("cannot read document {number} as OTLP JSON: {source}")]
    Json {
        /// Which of several documents, from 1.
        number: usize,
        /// What is wrong, and where.
        source: serde_json::Error,
    },
    /// An object without any of the keys that an export request has.
    #[error(
        "document {number} is no OTLP export request: it needs resourceSpans, resourceLogs or resourceMetrics"
    )]
    NoRequest {
        /// Which of several documents, from 1.
        number: usize,
    },
}

impl Telemetry {
    /// Reads export requests of traces, logs and metrics: one object, or several one after the other (such as JSON
    /// lines). Empty text is no telemetry, and `{}` is an empty export request.
    ///
    /// # Errors
    ///
    /// If the text is no JSON, or a document in it is no export request.
    pub fn from_otlp_json(text: &str) -> Result<Self, ReadError> {
        let mut telemetry = Self::default();
        let documents = serde_json::Deserializer::from_str(text).into_iter::<Request>();
        for (index, request) in documents.enumerate() {
            let number = index + 1;
            let request = request.map_err(|source| ReadError::Json { number, source })?;
            request.add_to(&mut telemetry).map_err(|NoRequest| ReadError::NoRequest { number })?;
        }
        Ok(telemetry)
    }
}

struct NoRequest;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    resource_spans: Option<Vec<ResourceSpans>>,
    resource_logs: Option<Vec<ResourceLogs>>,
    resource_metrics: Option<Vec<ResourceMetrics>>,
    /// What else is there; only an empty object is a request without any of the three.
    #[serde(flatten)]
    rest: std::collections::BTreeMap<String, IgnoredAny>,
}

impl Request {
    fn add_to(self, telemetry: &mut Telemetry) -> Result<(), NoRequest> {
        let is_request =
            self.resource_spans.is_some() || self.resource_logs.is_some() || self.resource_metrics.is_some();
        if !is_request && !self.rest.is_empty() {
            return Err(NoRequest);
        }
        for group in self.resource_spans.into_iter().flatten() {
            telemetry.resources.push(attributes(group.resource.attributes));
            for block in group.scope_spans {
                telemetry.scopes.push(block.scope.into());
                telemetry.spans.extend(block.spans.into_iter().map(Span::from));
            }
        }
        for group in self.resource_logs.into_iter().flatten() {
            telemetry.resources.push(attributes(group.resource.attributes));
            for block in group.scope_logs {
                telemetry.scopes.push(block.scope.into());
                let events = block.log_records.into_iter();
                telemetry.events.extend(events.map(|record| Event {
                    name: record.event_name,
                    attributes: attributes(record.attributes),
                }));
            }
        }
        for group in self.resource_metrics.into_iter().flatten() {
            telemetry.resources.push(attributes(group.resource.attributes));
            for block in group.scope_metrics {
                telemetry.scopes.push(block.scope.into());
                telemetry.metrics.extend(block.metrics.into_iter().map(Metric::from));
            }
        }
        Ok(())
    }
}

/// The messages of OTLP: what is absent has its default.
macro_rules! messages {
    ($($name:ident { $($field:ident: $type:ty $(= $with:literal)?,)* })+) => {$(
        #[derive(Default, Deserialize)]
        #[serde(default, rename_all = "camelCase")]
        struct $name {
            $($(#[serde(deserialize_with = $with)])? $field: $type,)*
        }
    )+};
}

messages! {
    ResourceSpans { resource: WireResource, scope_spans: Vec<ScopeSpans>, }
    ScopeSpans { scope: WireScope, spans: Vec<WireSpan>, }
    ResourceLogs { resource: WireResource, scope_logs: Vec<ScopeLogs>, }
    ScopeLogs { scope: WireScope, log_records: Vec<LogRecord>, }
    ResourceMetrics { resource: WireResource, scope_metrics: Vec<ScopeMetrics>, }
    ScopeMetrics { scope: WireScope, metrics: Vec<WireMetric>, }
    WireResource { attributes: Entries, }
    WireScope { name: String, attributes: Entries, }
    WireSpan {
        name: String,
        kind: u8 = "span_kind",
        start_time_unix_nano: u64 = "unsigned",
        end_time_unix_nano: u64 = "unsigned",
        attributes: Entries,
        events: Vec<WireEvent>,
        links: Vec<Attributed>,
        status: WireStatus,
    }
    WireEvent { name: String, attributes: Entries, }
    WireStatus { code: u8 = "status_code", }
    LogRecord { event_name: String, attributes: Entries, }
    Attributed { attributes: Entries, }
    WireMetric {
        name: String,
        unit: String,
        sum: Option<Sum>,
        gauge: Option<Gauge>,
        histogram: Option<Gauge>,
        exponential_histogram: Option<Gauge>,
        summary: Option<Gauge>,
    }
    Sum { data_points: Vec<WirePoint>, is_monotonic: bool, }
    Gauge { data_points: Vec<WirePoint>, }
    WirePoint {
        attributes: Entries,
        as_int: Option<f64> = "number",
        as_double: Option<f64> = "number",
        sum: Option<f64> = "number",
        min: Option<f64> = "number",
        exemplars: Vec<Exemplar>,
    }
    Exemplar { filtered_attributes: Entries, }
    KeyValue { key: String, value: AnyValue, }
    Values { values: Vec<AnyValue>, }
    Pairs { values: Entries, }
    AnyValue {
        string_value: Option<String>,
        bool_value: Option<bool>,
        int_value: Option<i64> = "signed",
        double_value: Option<f64> = "number",
        bytes_value: Option<String>,
        array_value: Option<Values>,
        kvlist_value: Option<Pairs>,
    }
}

type Entries = Vec<KeyValue>;

impl From<WireScope> for Scope {
    fn from(scope: WireScope) -> Self {
        Self { name: scope.name, attributes: attributes(scope.attributes) }
    }
}

impl From<WireSpan> for Span {
    fn from(span: WireSpan) -> Self {
        let event =
            |event: WireEvent| SpanEvent { name: event.name, attributes: attributes(event.attributes) };
        Self {
            name: span.name,
            kind: match span.kind {
                1 => SpanKind::Internal,
                2 => SpanKind::Server,
                3 => SpanKind::Client,
                4 => SpanKind::Producer,
                5 => SpanKind::Consumer,
                _ => SpanKind::Unspecified,
            },
            status: match span.status.code {
                1 => Status::Ok,
                2 => Status::Error,
                _ => Status::Unset,
            },
            start: span.start_time_unix_nano,
            end: span.end_time_unix_nano,
            attributes: attributes(span.attributes),
            events: span.events.into_iter().map(event).collect(),
            links: span.links.into_iter().map(|link| attributes(link.attributes)).collect(),
        }
    }
}

impl From<WireMetric> for Metric {
    fn from(metric: WireMetric) -> Self {
        let (instrument, points) = match metric {
            WireMetric { sum: Some(sum), .. } if sum.is_monotonic => (Instrument::Counter, sum.data_points),
            WireMetric { sum: Some(sum), .. } => (Instrument::UpDownCounter, sum.data_points),
            WireMetric { gauge: Some(gauge), .. } => (Instrument::Gauge, gauge.data_points),
            WireMetric { histogram: Some(histogram), .. }
            | WireMetric { exponential_histogram: Some(histogram), .. } => {
                (Instrument::Histogram, histogram.data_points)
            }
            WireMetric { summary: Some(summary), .. } => (Instrument::Summary, summary.data_points),
            _ => (Instrument::Unknown, Vec::new()),
        };
        Self {
            name: metric.name,
            unit: metric.unit,
            instrument,
            points: points.into_iter().map(Point::from).collect(),
        }
    }
}

impl From<WirePoint> for Point {
    fn from(point: WirePoint) -> Self {
        let numbers = [point.as_int, point.as_double, point.sum, point.min];
        let exemplars = point.exemplars.into_iter().map(|one| attributes(one.filtered_attributes));
        Self {
            lowest: numbers.into_iter().flatten().reduce(f64::min),
            attributes: attributes(point.attributes),
            exemplars: exemplars.collect(),
        }
    }
}

fn attributes(entries: Entries) -> Attributes {
    entries.into_iter().map(|entry| (entry.key, entry.value.into())).collect()
}

impl From<AnyValue> for Value {
    fn from(value: AnyValue) -> Self {
        match value {
            AnyValue { string_value: Some(text), .. } => Self::String(text),
            AnyValue { bool_value: Some(value), .. } => Self::Bool(value),
            AnyValue { int_value: Some(number), .. } => Self::Int(number),
            AnyValue { double_value: Some(number), .. } => Self::Double(number),
            // What is no base64 is kept as it is; no rule looks into bytes.
            AnyValue { bytes_value: Some(text), .. } => {
                Self::Bytes(STANDARD.decode(&text).unwrap_or_else(|_| text.into_bytes()))
            }
            AnyValue { array_value: Some(list), .. } => {
                Self::Array(list.values.into_iter().map(Self::from).collect())
            }
            AnyValue { kvlist_value: Some(list), .. } => Self::Map(attributes(list.values)),
            _ => Self::Empty,
        }
    }
}

fn unsigned<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    match Option::<Number>::deserialize(from)? {
        None => Ok(0),
        Some(number) => number.parse().ok_or_else(|| number.invalid("a whole number, not negative")),
    }
}

fn signed<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    let number = Option::<Number>::deserialize(from)?;
    number.map(|number| number.parse().ok_or_else(|| number.invalid("a whole number of 64 bits"))).transpose()
}

fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    // Text may be `NaN`, `Infinity` and `-Infinity`, which Rust reads as well.
    let number = Option::<Number>::deserialize(from)?;
    number.map(|number| number.parse().ok_or_else(|| number.invalid("a number"))).transpose()
}

fn span_kind<'de, D: Deserializer<'de>>(from: D) -> Result<u8, D::Error> {
    enumerator(from, "SPAN_KIND_", &["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"])
}

fn status_code<'de, D: Deserializer<'de>>(from: D) -> Result<u8, D::Error> {
    enumerator(from, "STATUS_CODE_", &["UNSET", "OK", "ERROR"])
}

/// The number of an enumerator that is written as a number or by name.
fn enumerator<'de, D: Deserializer<'de>>(from: D, prefix: &str, names: &[&str]) -> Result<u8, D::Error> {
    let Some(written) = Option::<Number>::deserialize(from)? else { return Ok(0) };
    let named = written.0.strip_prefix(prefix).and_then(|name| names.iter().position(|known| *known == name));
    let number = named.and_then(|at| u8::try_from(at).ok()).or_else(|| written.parse::<u8>());
    number.filter(|number| usize::from(*number) < names.len()).ok_or_else(|| {
        written.invalid(&format!("{prefix}{} or its number", names.join(&format!(", {prefix}"))))
    })
}

/// A number as it is written, bare or in quotes.
struct Number(String);

impl Number {
    fn parse<T: std::str::FromStr>(&self) -> Option<T> {
        self.0.parse().ok()
    }

    fn invalid<E: serde::de::Error>(&self, expected: &str) -> E {
        E::invalid_value(Unexpected::Str(&self.0), &expected)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Written;

        impl Visitor<'_> for Written {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or a string")
            }

            fn visit_u64<E>(self, number: u64) -> Result<Number, E> {
                Ok(Number(number.to_string()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Number, E> {
                Ok(Number(number.to_string()))
            }

            fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Number, E> {
                if number.is_finite() { Ok(Number(number.to_string())) } else { Err(E::custom("not finite")) }
            }

            fn visit_str<E>(self, text: &str) -> Result<Number, E> {
                Ok(Number(text.to_owned()))
            }
        }

        from.deserialize_any(Written)
    }
}
