//! Telemetry in a shape that can be compared: what was expected and what came.

use std::collections::BTreeMap;

use opentelemetry::logs::AnyValue;
use opentelemetry::trace::Status;
use opentelemetry::{Array, KeyValue, Value as Attribute};
use opentelemetry_sdk::logs::in_memory_exporter::LogDataWithResource;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ResourceMetrics, ScopeMetrics};
use opentelemetry_sdk::trace::SpanData;
use serde_json::{Value, json};

use crate::case::{ADDRESS, PORT};

pub(crate) type Attributes = BTreeMap<String, Value>;

#[derive(Debug, Default)]
pub(crate) struct Telemetry {
    pub(crate) spans: Vec<Span>,
    pub(crate) events: Vec<Event>,
    pub(crate) metrics: BTreeMap<String, Metric>,
}

#[derive(Debug)]
pub(crate) struct Span {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) status: String,
    pub(crate) attributes: Attributes,
}

#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) severity: Option<i64>,
    /// Whether it belongs to a span.
    pub(crate) linked: bool,
    pub(crate) attributes: Attributes,
    pub(crate) body: Value,
}

#[derive(Debug, Default)]
pub(crate) struct Metric {
    pub(crate) unit: String,
    pub(crate) description: String,
    pub(crate) points: Vec<Point>,
}

#[derive(Debug)]
pub(crate) struct Point {
    pub(crate) attributes: Attributes,
    pub(crate) count: u64,
    pub(crate) bounds: Vec<f64>,
    /// Of counts only; durations are not repeatable.
    pub(crate) sum: Option<f64>,
}

impl Telemetry {
    pub(crate) fn expected(json: &Value) -> Telemetry {
        fn list(value: &Value) -> &[Value] {
            value.as_array().map_or(&[], Vec::as_slice)
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let spans = list(&json["spans"]).iter().map(|span| Span {
            name: text(&span["name"]),
            kind: text(&span["kind"]),
            status: text(&span["status"]["code"]),
            attributes: attributes(&span["attributes"]),
        });
        let events = list(&json["logs"])
            .iter()
            .map(|log| {
                let mut attributes = attributes(&log["attributes"]);
                // The older API had the name there.
                let name = attributes.remove("event.name").unwrap_or_else(|| log["event_name"].clone());
                Event {
                    name: text(&name),
                    severity: log["severity_number"].as_i64(),
                    linked: !log["span"].is_null(),
                    attributes,
                    body: plain_body(log["body"].clone()),
                }
            })
            .collect();
        let metrics = list(&json["metrics"])
            .iter()
            .map(|metric| {
                let points = list(&metric["points"]).iter().map(|point| Point {
                    attributes: attributes(&point["attributes"]),
                    count: point["count"].as_u64().unwrap(),
                    bounds: list(&point["bounds"]).iter().filter_map(Value::as_f64).collect(),
                    sum: point["sum"].as_f64(),
                });
                let (unit, description) = (text(&metric["unit"]), text(&metric["description"]));
                (text(&metric["name"]), Metric { unit, description, points: points.collect() })
            })
            .collect();
        Telemetry { spans: spans.collect(), events, metrics }
    }

    pub(crate) fn actual(
        spans: &[SpanData],
        logs: &[LogDataWithResource],
        metrics: &[ResourceMetrics],
    ) -> Telemetry {
        let spans = spans.iter().map(|span| Span {
            name: span.name.to_string(),
            kind: format!("{:?}", span.span_kind).to_uppercase(),
            status: match span.status {
                Status::Unset => "UNSET",
                Status::Ok => "OK",
                Status::Error { .. } => "ERROR",
            }
            .to_owned(),
            attributes: of_key_values(&span.attributes),
        });
        // The reference knows no event for exceptions.
        let details =
            logs.iter().filter(|log| log.record.event_name() != Some("gen_ai.client.operation.exception"));
        let events = details.map(|log| Event {
            name: log.record.event_name().unwrap_or_default().to_owned(),
            severity: log.record.severity_number().map(|severity| severity as i64),
            linked: log.record.trace_context().is_some(),
            attributes: log
                .record
                .attributes_iter()
                .map(|(key, value)| (key.to_string(), plain(key.as_str(), of_any(value))))
                .collect(),
            body: log.record.body().map_or(Value::Null, |body| plain_body(of_any(body))),
        });
        let mut all: BTreeMap<String, Metric> = BTreeMap::new();
        let metrics = metrics.iter().flat_map(ResourceMetrics::scope_metrics).flat_map(ScopeMetrics::metrics);
        for metric in metrics {
            let entry = all.entry(metric.name().to_owned()).or_default();
            entry.unit = metric.unit().to_owned();
            entry.description = metric.description().to_owned();
            match metric.data() {
                AggregatedMetrics::F64(MetricData::Histogram(histogram)) => {
                    entry.points.extend(histogram.data_points().map(|point| Point {
                        attributes: of_key_values(point.attributes()),
                        count: point.count(),
                        bounds: point.bounds().collect(),
                        sum: None,
                    }));
                }
                AggregatedMetrics::U64(MetricData::Histogram(histogram)) => {
                    entry.points.extend(histogram.data_points().map(|point| Point {
                        attributes: of_key_values(point.attributes()),
                        count: point.count(),
                        bounds: point.bounds().collect(),
                        sum: Some(point.sum() as f64),
                    }));
                }
                other => panic!("{}: {other:?}", metric.name()),
            }
        }
        Telemetry { spans: spans.collect(), events: events.collect(), metrics: all }
    }
}

fn of_key_values<'a>(attributes: impl IntoIterator<Item = &'a KeyValue>) -> Attributes {
    let mut all = Attributes::new();
    for attribute in attributes {
        let key = attribute.key.as_str();
        let before = all.insert(key.to_owned(), plain(key, of_attribute(&attribute.value)));
        assert!(before.is_none(), "{key} is there twice");
    }
    all
}

fn of_attribute(value: &Attribute) -> Value {
    match value {
        Attribute::Bool(value) => json!(value),
        Attribute::I64(value) => json!(value),
        Attribute::F64(value) => json!(value),
        Attribute::String(value) => json!(value.as_str()),
        Attribute::Array(Array::String(values)) => values.iter().map(|value| json!(value.as_str())).collect(),
        other => panic!("{other:?}"),
    }
}

fn of_any(value: &AnyValue) -> Value {
    match value {
        AnyValue::Boolean(value) => json!(value),
        AnyValue::Int(value) => json!(value),
        AnyValue::Double(value) => json!(value),
        AnyValue::String(value) => json!(value.as_str()),
        AnyValue::ListAny(items) => items.iter().map(of_any).collect(),
        AnyValue::Map(fields) => fields
            .iter()
            .map(|(key, value)| (key.to_string(), of_any(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => panic!("{other:?}"),
    }
}

fn attributes(json: &Value) -> Attributes {
    let fields = json.as_object().into_iter().flatten();
    fields.map(|(key, value)| (key.clone(), plain(key, value.clone()))).collect()
}

/// The value without what is a matter of representation: content as structure, nulls left out, parts in one order,
/// bytes as base64, placeholders filled in.
fn plain(key: &str, value: Value) -> Value {
    let is_content = matches!(
        key,
        "gen_ai.input.messages"
            | "gen_ai.output.messages"
            | "gen_ai.system_instructions"
            | "gen_ai.tool.definitions"
    );
    match value {
        Value::String(text) if is_content => {
            plain(key, serde_json::from_str(&text).expect("content is JSON"))
        }
        Value::String(text) if text == "$SERVER_ADDRESS" => json!(ADDRESS),
        Value::String(text) if text == "$SERVER_PORT" => json!(PORT),
        mut value if is_content => {
            for message in value.as_array_mut().into_iter().flatten() {
                *message = without_nulls(message.take());
                if let Some(parts) = message["parts"].as_array_mut() {
                    // The reference lists text and tool calls in one order for streams and in another for the rest.
                    parts.sort_by_key(|part| part["type"] == "tool_call");
                }
            }
            value
        }
        value => value,
    }
}

/// A message's body likewise: arguments of tools as structure, and a list of one text as the text.
fn plain_body(mut body: Value) -> Value {
    let Some(fields) = body.as_object_mut() else { return Value::Null };
    if let Some(message) = fields.get_mut("message") {
        *message = plain_body(message.take());
    }
    let calls = fields.get_mut("tool_calls").and_then(Value::as_array_mut);
    for arguments in calls.into_iter().flatten().filter_map(|call| call.pointer_mut("/function/arguments")) {
        if let Some(parsed) = arguments.as_str().and_then(|text| serde_json::from_str(text).ok()) {
            *arguments = parsed;
        }
    }
    if let Some(content) = fields.get_mut("content")
        && let Some([item]) = content.as_array().map(Vec::as_slice)
        && item["type"] == "text"
    {
        *content = item["text"].clone();
    }
    without_nulls(body)
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) if fields.contains_key("$bytes_b64") => fields["$bytes_b64"].clone(),
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key, without_nulls(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        value => value,
    }
}
