//! Rows of spans and log records as what OTLP had said, as far as the exporter kept it.
//!
//! It keeps no flags of spans, no counts of what was dropped, no attributes of a span's scope and no schemas of spans; of
//! maps all values are text, which is read as the numbers and lists that it tells of.

use std::collections::HashMap;
use std::sync::Arc;

use clickhouse::Row;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1 as otlp_logs;
use opentelemetry_proto::tonic::resource::v1::Resource as OtlpResource;
use opentelemetry_proto::tonic::trace::v1 as otlp;
use serde::Deserialize;

use super::super::line;
use super::discover::{Flavour, Table};
use super::told::{Text, Texts, attributes, id, moment, text};
use crate::id::{Nanos, SpanId, TraceId};
use crate::log::LogRecord;
use crate::origin::{Origin, Resource, Scope};
use crate::span::Span;
use crate::store::Batch;

/// A moment in a query, from nanoseconds.
pub(super) fn at(moment: u64) -> String {
    format!("fromUnixTimestamp64Nano({})", line::number(moment))
}

/// Nanoseconds of a column of moments, which some versions cut to seconds.
pub(super) fn nanos(column: &str) -> String {
    format!("toUnixTimestamp64Nano(toDateTime64({column}, 9))")
}

/// A row of spans.
#[derive(Row, Deserialize)]
pub(super) struct SpanTold<'a> {
    start: i64,
    length: i64,
    #[serde(borrow)]
    trace: Text<'a>,
    #[serde(borrow)]
    span: Text<'a>,
    #[serde(borrow)]
    parent: Text<'a>,
    #[serde(borrow)]
    state: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    kind: Text<'a>,
    #[serde(borrow)]
    code: Text<'a>,
    #[serde(borrow)]
    message: Text<'a>,
    #[serde(borrow)]
    source: Source<'a>,
    #[serde(borrow)]
    names: Texts<'a>,
    #[serde(borrow)]
    values: Texts<'a>,
    event_times: Vec<i64>,
    #[serde(borrow)]
    event_names: Texts<'a>,
    #[serde(borrow)]
    event_keys: Vec<Texts<'a>>,
    #[serde(borrow)]
    event_values: Vec<Texts<'a>>,
    #[serde(borrow)]
    link_traces: Texts<'a>,
    #[serde(borrow)]
    link_spans: Texts<'a>,
    #[serde(borrow)]
    link_states: Texts<'a>,
    #[serde(borrow)]
    link_keys: Vec<Texts<'a>>,
    #[serde(borrow)]
    link_values: Vec<Texts<'a>>,
}

/// Where a record comes from: service, names and values of the resource's attributes, schemas of resource and scope, name and
/// version of the scope, names and values of its attributes.
pub(super) type Source<'a> =
    (Text<'a>, Texts<'a>, Texts<'a>, Text<'a>, Text<'a>, Text<'a>, Text<'a>, Texts<'a>, Texts<'a>);

/// The columns of [`Source`].
pub(super) fn source(table: &Table) -> String {
    let [keys, values] = table.attributes("ResourceAttributes");
    let [scope_keys, scope_values] = table.attributes("ScopeAttributes");
    let plain = |column| format!("toString({})", table.column(column, "''"));
    format!(
        "(toString(ServiceName), {keys}, {values}, {}, {}, {}, {}, {scope_keys}, {scope_values}) AS source",
        plain("ResourceSchemaUrl"),
        plain("ScopeSchemaUrl"),
        plain("ScopeName"),
        plain("ScopeVersion"),
    )
}

/// The columns of [`SpanTold`].
pub(super) fn span_columns(table: &Table) -> String {
    let [keys, values] = table.attributes("SpanAttributes");
    let [event_keys, event_values] = table.lists_of_attributes("Events.Attributes");
    let [link_keys, link_values] = table.lists_of_attributes("Links.Attributes");
    let texts = |column| format!("CAST({}, 'Array(String)')", table.column(column, "emptyArrayString()"));
    let times = match table.column("Events.Timestamp", "") {
        "" => "emptyArrayInt64()".to_owned(),
        times => format!("arrayMap(t -> {}, {times})", nanos("t")),
    };
    format!(
        "{} AS start, toInt64(Duration) AS length, toString(TraceId) AS trace, toString(SpanId) AS span,
         toString(ParentSpanId) AS parent, toString({}) AS state, toString(SpanName) AS name, toString(SpanKind) AS kind,
         toString(StatusCode) AS code, toString(StatusMessage) AS message, {}, {keys} AS names, {values} AS values,
         {times} AS event_times, {} AS event_names, {event_keys} AS event_keys, {event_values} AS event_values,
         {} AS link_traces, {} AS link_spans, {} AS link_states, {link_keys} AS link_keys, {link_values} AS link_values",
        nanos("Timestamp"),
        table.column("TraceState", "''"),
        source(table),
        texts("Events.Name"),
        texts("Links.TraceId"),
        texts("Links.SpanId"),
        texts("Links.TraceState"),
    )
}

/// A row of log records.
#[derive(Row, Deserialize)]
pub(super) struct LogTold<'a> {
    time: i64,
    #[serde(borrow)]
    trace: Text<'a>,
    #[serde(borrow)]
    span: Text<'a>,
    flags: u32,
    severity: i32,
    #[serde(borrow)]
    severity_text: Text<'a>,
    #[serde(borrow)]
    event: Text<'a>,
    #[serde(borrow)]
    body: Text<'a>,
    #[serde(borrow)]
    source: Source<'a>,
    #[serde(borrow)]
    names: Texts<'a>,
    #[serde(borrow)]
    values: Texts<'a>,
}

/// The columns of [`LogTold`].
pub(super) fn log_columns(table: &Table) -> String {
    let [keys, values] = table.attributes("LogAttributes");
    format!(
        "{} AS time, toString(TraceId) AS trace, toString(SpanId) AS span, toUInt32({}) AS flags,
         toInt32(SeverityNumber) AS severity, toString(SeverityText) AS severity_text, toString({}) AS event,
         toString(Body) AS body, {}, {keys} AS names, {values} AS values",
        nanos("Timestamp"),
        table.column("TraceFlags", "0"),
        table.column("EventName", "''"),
        source(table),
    )
}

/// When spans ended.
pub(super) type Ends = HashMap<(TraceId, SpanId), Nanos>;

/// Makes records of rows. Those of one origin share it.
#[derive(Default)]
pub(super) struct Maker {
    origins: HashMap<[u8; 16], Arc<Origin>>,
}

impl Maker {
    /// Adds a span to others, and when it ended.
    pub(super) fn add_span(
        &mut self,
        table: &Table,
        told: &SpanTold<'_>,
        ends: &mut Ends,
        batch: &mut Batch,
    ) {
        if let Some((span, bytes)) = self.span(table, told) {
            ends.insert((span.key.trace, span.key.span), span.end.max(span.start));
            batch.spans.push(span);
            batch.bytes += bytes;
        }
    }

    /// Adds a log record to others.
    pub(super) fn add_log(&mut self, table: &Table, told: &LogTold<'_>, ends: &Ends, batch: &mut Batch) {
        if let Some((log, bytes)) = self.log(table, told, ends) {
            batch.logs.push(log);
            batch.bytes += bytes;
        }
    }

    /// A span, and about how large it is. One without its ids has no place.
    fn span(&mut self, table: &Table, told: &SpanTold<'_>) -> Option<(Span, usize)> {
        let origin = self.origin(table, &told.source);
        let start = moment(told.start);
        // Of a span without an end the exporter makes one of a length below nothing.
        let end = if told.length < 0 { 0 } else { start.saturating_add(moment(told.length)) };
        let (of_events, of_links) = (table.flavour("Events.Attributes"), table.flavour("Links.Attributes"));
        let events = told.event_times.iter().enumerate().map(|(nth, time)| otlp::span::Event {
            time_unix_nano: moment(*time),
            name: nth_text(&told.event_names, nth),
            attributes: nth_attributes(of_events, &told.event_keys, &told.event_values, nth),
            ..otlp::span::Event::default()
        });
        let links = told.link_traces.iter().enumerate().map(|(nth, trace)| otlp::span::Link {
            trace_id: id(trace),
            span_id: told.link_spans.get(nth).map(|span| id(span)).unwrap_or_default(),
            trace_state: nth_text(&told.link_states, nth),
            attributes: nth_attributes(of_links, &told.link_keys, &told.link_values, nth),
            ..otlp::span::Link::default()
        });
        let span = otlp::Span {
            trace_id: id(told.trace),
            span_id: id(told.span),
            parent_span_id: id(told.parent),
            trace_state: text(told.state),
            name: text(told.name),
            kind: kind(told.kind),
            start_time_unix_nano: start,
            end_time_unix_nano: end,
            attributes: attributes(table.flavour("SpanAttributes"), &told.names, &told.values),
            events: events.collect(),
            links: links.collect(),
            status: Some(otlp::Status { code: status(told.code), message: text(told.message) }),
            ..otlp::Span::default()
        };
        let bytes = prost::Message::encoded_len(&span);
        // When it was received nobody wrote: about when it ended.
        Span::from_otlp(span, &origin, Nanos(end.max(start))).ok().map(|span| (span, bytes))
    }

    /// A log record, and about how large it is. Some writers keep no time of those that tell only when they were seen, as
    /// Python's events are: then it is the end of their span; none without one of these.
    fn log(&mut self, table: &Table, told: &LogTold<'_>, ends: &Ends) -> Option<(LogRecord, usize)> {
        let origin = self.origin(table, &told.source);
        let (trace, span) = (id(told.trace), id(told.span));
        let mut time = moment(told.time);
        if let (0, Some(trace)) = (time, TraceId::new(&trace)) {
            time = ends.get(&(trace, SpanId::new(&span)?))?.0;
        }
        let body =
            (!told.body.is_empty()).then(|| AnyValue { value: Some(Value::StringValue(text(told.body))) });
        let log = otlp_logs::LogRecord {
            time_unix_nano: time,
            severity_number: told.severity,
            severity_text: text(told.severity_text),
            body,
            attributes: attributes(table.flavour("LogAttributes"), &told.names, &told.values),
            flags: told.flags,
            trace_id: trace,
            span_id: span,
            event_name: text(told.event),
            ..otlp_logs::LogRecord::default()
        };
        let bytes = prost::Message::encoded_len(&log);
        LogRecord::from_otlp(log, &origin, Nanos(time)).ok().map(|log| (log, bytes))
    }

    pub(super) fn origin(&mut self, table: &Table, told: &Source<'_>) -> Arc<Origin> {
        let (service, keys, values, schema, scope_schema, name, version, scope_keys, scope_values) = told;
        let mut parts: Vec<&[u8]> = vec![service, schema, scope_schema, name, version];
        for list in [keys, values, scope_keys, scope_values] {
            // Where a list ends is part of what it says.
            parts.push(b"list");
            parts.extend(list.iter().map(|part| -> &[u8] { part }));
        }
        let made = || {
            let mut attributes_of = attributes(table.flavour("ResourceAttributes"), keys, values);
            if !service.is_empty() && !attributes_of.iter().any(|pair| pair.key == "service.name") {
                attributes_of.push(named(service));
            }
            let resource = OtlpResource { attributes: attributes_of, ..OtlpResource::default() };
            let scope = InstrumentationScope {
                name: text(name),
                version: text(version),
                attributes: attributes(table.flavour("ScopeAttributes"), scope_keys, scope_values),
                ..InstrumentationScope::default()
            };
            Arc::new(Origin {
                resource: Resource::from_otlp(Some(resource), text(schema)),
                scope: Scope::from_otlp(Some(scope), text(scope_schema)),
            })
        };
        Arc::clone(self.origins.entry(line::hash(&parts)).or_insert_with(made))
    }
}

fn named(service: Text<'_>) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(text(service))) });
    KeyValue { key: "service.name".to_owned(), value, ..KeyValue::default() }
}

fn nth_text(texts: &[Text<'_>], nth: usize) -> String {
    texts.get(nth).map(|told| text(told)).unwrap_or_default()
}

pub(super) fn nth_attributes(
    flavour: Flavour,
    keys: &[Texts<'_>],
    values: &[Texts<'_>],
    nth: usize,
) -> Vec<KeyValue> {
    match (keys.get(nth), values.get(nth)) {
        (Some(keys), Some(values)) => attributes(flavour, keys, values),
        _ => Vec::new(),
    }
}

/// The exporter has had two spellings: `Client` and `SPAN_KIND_CLIENT`.
fn kind(told: Text<'_>) -> i32 {
    let told = text(told).to_ascii_uppercase();
    match told.strip_prefix("SPAN_KIND_").unwrap_or(&told) {
        "INTERNAL" => 1,
        "SERVER" => 2,
        "CLIENT" => 3,
        "PRODUCER" => 4,
        "CONSUMER" => 5,
        _ => 0,
    }
}

fn status(told: Text<'_>) -> i32 {
    let told = text(told).to_ascii_uppercase();
    match told.strip_prefix("STATUS_CODE_").unwrap_or(&told) {
        "OK" => 1,
        "ERROR" => 2,
        _ => 0,
    }
}
