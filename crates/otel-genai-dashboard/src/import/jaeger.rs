//! Jaeger's JSON: `{"data": [{"traceID", "spans": […], "processes": {…}}]}`.

use std::collections::HashMap;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use otel_genai_store::Nanos;
use otel_genai_store::otlp::{self, Accepted};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Unreadable;

/// An answer of Jaeger's API, or a trace alone.
#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    data: Option<Vec<Trace<'a>>>,
    #[serde(borrow)]
    spans: Option<Vec<Told<'a>>>,
    #[serde(borrow, default)]
    processes: HashMap<String, Process<'a>>,
}

#[derive(Deserialize)]
struct Trace<'a> {
    #[serde(borrow)]
    spans: Vec<Told<'a>>,
    #[serde(borrow, default)]
    processes: HashMap<String, Process<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Process<'a> {
    #[serde(default)]
    service_name: String,
    #[serde(borrow, default)]
    tags: Vec<Tag<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    #[serde(rename = "traceID")]
    trace: String,
    #[serde(rename = "spanID")]
    span: String,
    #[serde(rename = "parentSpanID", default)]
    parent: String,
    #[serde(default)]
    operation_name: String,
    #[serde(default)]
    references: Vec<Reference>,
    /// Microseconds since 1970.
    #[serde(default)]
    start_time: u64,
    /// Microseconds.
    #[serde(default)]
    duration: u64,
    #[serde(borrow, default)]
    tags: Vec<Tag<'a>>,
    #[serde(borrow, default)]
    logs: Vec<Log<'a>>,
    #[serde(rename = "processID", default)]
    process_id: String,
    #[serde(borrow)]
    process: Option<Process<'a>>,
}

#[derive(Deserialize)]
struct Reference {
    #[serde(rename = "refType", default)]
    kind: String,
    #[serde(rename = "traceID", default)]
    trace: String,
    #[serde(rename = "spanID", default)]
    span: String,
}

#[derive(Deserialize)]
struct Tag<'a> {
    key: String,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
}

impl Tag<'_> {
    /// Its value, if that is a single one; lists and objects are told as the text that they are.
    fn value(&self) -> Value {
        let Some(text) = self.value.map(RawValue::get) else { return Value::Null };
        let single = if text.starts_with(['{', '[']) { None } else { serde_json::from_str(text).ok() };
        single.unwrap_or_else(|| text.into())
    }
}

#[derive(Deserialize)]
struct Log<'a> {
    #[serde(default)]
    timestamp: u64,
    #[serde(borrow, default)]
    fields: Vec<Tag<'a>>,
}

/// Whether a document of JSON is Jaeger's: decided by its beginning, which has the words that OTLP has not. OTLP is no list.
pub(super) fn looks_like_it(bytes: &[u8]) -> bool {
    if bytes.trim_ascii_start().starts_with(b"[") {
        return true;
    }
    let start = bytes.get(..bytes.len().min(4_096)).unwrap_or_default();
    let has = |word: &[u8]| start.windows(word.len()).any(|window| window == word);
    has(b"\"traceID\"") && has(b"\"spans\"") && !has(b"\"resourceSpans\"")
}

pub(super) fn read(bytes: &[u8]) -> Result<Vec<Accepted>, Unreadable> {
    let wrong = |error: serde_json::Error| Unreadable(format!("not the JSON of Jaeger: {error}"));
    // Each is read as what it is: to try one after the other, a whole tree of the document would be kept.
    let traces = if bytes.trim_ascii_start().starts_with(b"[") {
        serde_json::from_slice(bytes).map_err(wrong)?
    } else {
        match serde_json::from_slice(bytes).map_err(wrong)? {
            Document { data: Some(traces), .. } => traces,
            Document { spans: Some(spans), processes, .. } => vec![Trace { spans, processes }],
            _ => return Err(Unreadable("not the JSON of Jaeger: it has neither data nor spans".to_owned())),
        }
    };
    let resource_spans = traces.into_iter().flat_map(resources).collect();
    Ok(vec![otlp::traces(ExportTraceServiceRequest { resource_spans }, Nanos::now())])
}

/// A group for each process.
fn resources(trace: Trace<'_>) -> Vec<ResourceSpans> {
    let mut groups: HashMap<String, ResourceSpans> = HashMap::new();
    let mut order = Vec::new();
    let Trace { spans, mut processes } = trace;
    for mut told in spans {
        let id = std::mem::take(&mut told.process_id);
        let own = told.process.take();
        let group = groups.entry(id.clone()).or_insert_with(|| {
            order.push(id.clone());
            let process = processes.remove(&id).or(own);
            ResourceSpans { resource: process.map(resource), ..ResourceSpans::default() }
        });
        let scope = scope(&mut told.tags);
        let place = group.scope_spans.iter().position(|spans| spans.scope == scope);
        let place = place.unwrap_or_else(|| {
            group.scope_spans.push(ScopeSpans { scope, ..ScopeSpans::default() });
            group.scope_spans.len() - 1
        });
        if let Some(spans) = group.scope_spans.get_mut(place) {
            spans.spans.push(span(told));
        }
    }
    order.into_iter().filter_map(|id| groups.remove(&id)).collect()
}

fn resource(process: Process<'_>) -> Resource {
    let mut attributes = attributes(process.tags);
    if !attributes.iter().any(|attribute| attribute.key == "service.name") && !process.service_name.is_empty()
    {
        let value = Some(AnyValue { value: Some(Any::StringValue(process.service_name)) });
        attributes.insert(0, KeyValue { key: "service.name".to_owned(), value, ..KeyValue::default() });
    }
    Resource { attributes, ..Resource::default() }
}

/// What OpenTelemetry's exporter for Jaeger made tags of.
fn scope(tags: &mut Vec<Tag<'_>>) -> Option<InstrumentationScope> {
    let name = take(tags, &["otel.scope.name", "otel.library.name"]);
    let version = take(tags, &["otel.scope.version", "otel.library.version"]);
    (name.is_some() || version.is_some()).then(|| InstrumentationScope {
        name: name.unwrap_or_default(),
        version: version.unwrap_or_default(),
        ..InstrumentationScope::default()
    })
}

fn take(tags: &mut Vec<Tag<'_>>, names: &[&str]) -> Option<String> {
    let mut found = None;
    tags.retain(|tag| {
        let ours = names.contains(&tag.key.as_str());
        if ours {
            found = tag.value().as_str().map(str::to_owned);
        }
        !ours
    });
    found
}

fn span(mut told: Told<'_>) -> Span {
    let parent = told
        .references
        .iter()
        .position(|reference| reference.kind == "CHILD_OF" && reference.trace == told.trace);
    let parent = parent.map(|place| told.references.remove(place).span).unwrap_or(told.parent);
    let kind = match take(&mut told.tags, &["span.kind"]).as_deref() {
        Some("internal") => 1,
        Some("server") => 2,
        Some("client") => 3,
        Some("producer") => 4,
        Some("consumer") => 5,
        _ => 0,
    };
    let message = take(&mut told.tags, &["otel.status_description"]).unwrap_or_default();
    let failed = told
        .tags
        .iter()
        .any(|tag| tag.key == "error" && matches!(tag.value(), value if value == true || value == "true"));
    let status = match take(&mut told.tags, &["otel.status_code"]).as_deref() {
        Some("ERROR") => Some(StatusCode::Error),
        Some("OK") => Some(StatusCode::Ok),
        _ => failed.then_some(StatusCode::Error),
    };
    let trace_state = take(&mut told.tags, &["w3c.tracestate"]).unwrap_or_default();
    let links = told.references.iter().map(|reference| Link {
        trace_id: id(&reference.trace, 16),
        span_id: id(&reference.span, 8),
        ..Link::default()
    });
    let start = told.start_time.saturating_mul(1_000);
    Span {
        trace_id: id(&told.trace, 16),
        span_id: id(&told.span, 8),
        parent_span_id: if parent.is_empty() { Vec::new() } else { id(&parent, 8) },
        trace_state,
        name: told.operation_name,
        kind,
        start_time_unix_nano: start,
        // A span of Jaeger's has ended.
        end_time_unix_nano: start.saturating_add(told.duration.saturating_mul(1_000)).max(1),
        links: links.collect(),
        attributes: attributes(told.tags),
        events: told.logs.into_iter().map(event).collect(),
        status: status.map(|code| Status { message, code: code.into() }),
        ..Span::default()
    }
}

fn event(mut log: Log<'_>) -> Event {
    let name = take(&mut log.fields, &["event", "name"]).or_else(|| take(&mut log.fields, &["message"]));
    Event {
        time_unix_nano: log.timestamp.saturating_mul(1_000),
        name: name.unwrap_or_default(),
        attributes: attributes(log.fields),
        ..Event::default()
    }
}

fn attributes(tags: Vec<Tag<'_>>) -> Vec<KeyValue> {
    let attribute = |tag: Tag<'_>| {
        let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let value = match (tag.kind.as_str(), tag.value()) {
            (_, Value::Bool(is)) => Any::BoolValue(is),
            ("int64", Value::String(digits)) => {
                digits.parse().map_or(Any::StringValue(digits), Any::IntValue)
            }
            ("float64", Value::Number(number)) => Any::DoubleValue(number.as_f64().unwrap_or_default()),
            (_, Value::Number(number)) => match number.as_i64() {
                Some(whole) => Any::IntValue(whole),
                None => Any::DoubleValue(number.as_f64().unwrap_or_default()),
            },
            (_, value) => Any::StringValue(text(value)),
        };
        KeyValue { key: tag.key, value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
    };
    tags.into_iter().map(attribute).collect()
}

/// An id of hexadecimal digits, whose leading zeros Jaeger leaves out.
fn id(digits: &str, bytes: usize) -> Vec<u8> {
    let digits = format!("{digits:0>width$}", width = 2 * bytes);
    let pair = |place: usize| digits.get(place..place + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    // What is no id is refused at the door, like any other.
    let read: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(pair).collect();
    read.unwrap_or_default()
}
