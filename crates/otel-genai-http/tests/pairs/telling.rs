//! Telemetry as a person reviews it: a few lines an exchange, without a word of what was said.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use http::Uri;
use opentelemetry::trace::Status;
use opentelemetry::{Array, KeyValue, Value as Attribute};
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ResourceMetrics, ScopeMetrics};
use opentelemetry_sdk::trace::SpanData;
use serde_json::{Value, json};

use crate::drive::Telemetry;
use crate::exchange::Exchange;

type Attributes = BTreeMap<String, Value>;

pub(crate) fn tell(exchange: &Exchange, telemetry: Option<&Telemetry>) -> String {
    let url: Uri = exchange.url.parse().unwrap();
    let mut told = format!("## {}\n{} {} {}", exchange.name, exchange.method, url.path(), exchange.status);
    let Some(telemetry) = telemetry else { return told + ": no call\n\n" };
    for span in &telemetry.spans {
        told.push('\n');
        tell_span(&mut told, span);
    }
    let span = telemetry.spans.first().map(|span| attributes(&span.attributes)).unwrap_or_default();
    let metrics = points(&telemetry.metrics).into_iter().flat_map(|(name, points)| {
        let span = &span;
        points.into_iter().map(move |(attributes, sum)| point(&name, &attributes, sum, span))
    });
    let _ = write!(told, "\n  metrics: {}", metrics.collect::<Vec<_>>().join(", "));
    told + "\n\n"
}

fn tell_span(told: &mut String, span: &SpanData) {
    let status = match span.status {
        Status::Unset => "UNSET",
        Status::Ok => "OK",
        Status::Error { .. } => "ERROR",
    };
    let kind = format!("{:?}", span.span_kind).to_uppercase();
    let _ = write!(told, "{} | {kind} {status}", span.name);
    // One line for all attributes whose names begin alike.
    let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let attributes = attributes(&span.attributes);
    for (name, value) in &attributes {
        let group = GROUPS.iter().find(|group| name.starts_with(**group)).copied().unwrap_or_default();
        groups.entry(group).or_default().push(format!("{}={}", &name[group.len()..], shown(name, value)));
    }
    for (group, attributes) in groups {
        let _ = match group {
            "" => write!(told, "\n  {}", attributes.join(" ")),
            _ => write!(told, "\n  {group} {}", attributes.join(" ")),
        };
    }
    for event in span.events.iter() {
        let _ = write!(told, "\n  event {}", event.name);
    }
    for link in span.links.iter() {
        let _ = write!(told, "\n  link {}", link.attributes.len());
    }
}

const GROUPS: [&str; 4] = ["gen_ai.request.", "gen_ai.response.", "gen_ai.usage.", "openai."];

/// What every metric has.
const USUAL: [&str; 6] = [
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "server.address",
    "server.port",
];

/// A point of a metric: its sum, and of its attributes what is not usual: other than the span's, more or missing.
fn point(name: &str, attributes: &Attributes, sum: Option<u64>, span: &Attributes) -> String {
    let mut told = name.trim_start_matches("gen_ai.client.").to_owned();
    for (name, value) in attributes {
        let short = name.trim_start_matches("gen_ai.");
        match (span.get(name) == Some(value), USUAL.contains(&name.as_str())) {
            (true, true) => {}
            (true, false) => told += &format!(" +{short}"),
            (false, _) => told += &format!(" {short}={value}"),
        }
    }
    for name in USUAL.into_iter().filter(|name| span.contains_key(*name) && !attributes.contains_key(*name)) {
        told += &format!(" -{name}");
    }
    sum.into_iter().for_each(|sum| told += &format!(" of {sum}"));
    told
}

/// The value, or of content what it is made of.
fn shown(name: &str, value: &Value) -> String {
    let parsed =
        || value.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok()).unwrap_or_default();
    match name {
        "gen_ai.input.messages" | "gen_ai.output.messages" => {
            let messages: Vec<String> = parsed().as_array().into_iter().flatten().map(message).collect();
            messages.join(" | ")
        }
        "gen_ai.system_instructions" => parts(&parsed()),
        "gen_ai.tool.definitions" => counted(parsed().as_array().into_iter().flatten().map(|tool| {
            format!(
                "{}{}",
                tool["type"].as_str().unwrap_or("?"),
                if tool["name"].is_string() { "" } else { " without a name" }
            )
        })),
        "gen_ai.response.time_to_first_chunk" => "?".to_owned(),
        "gen_ai.request.stop_sequences" => format!("{} of them", value.as_array().map_or(0, Vec::len)),
        _ => match value.as_str() {
            Some(text) if text.contains(['{', '[']) => {
                format!("JSON of {}", parsed().as_array().map_or(1, Vec::len))
            }
            Some(text) if text.len() > 200 => format!("{} characters", text.chars().count()),
            _ => value.to_string(),
        },
    }
}

fn message(message: &Value) -> String {
    let role = message["role"].as_str().unwrap_or("?");
    let name = message["name"].as_str().map(|_| " named").unwrap_or_default();
    let reason = message["finish_reason"].as_str().map(|reason| format!(" ({reason})")).unwrap_or_default();
    format!("{role}{name}{reason}: {}", parts(&message["parts"]))
}

fn parts(parts: &Value) -> String {
    counted(parts.as_array().into_iter().flatten().map(part))
}

/// A part's kind, with what tells that it is whole: how long a text is, whether arguments are structure.
fn part(part: &Value) -> String {
    let kind = part["type"].as_str().unwrap_or("?");
    let length = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
    let form = |value: &Value| match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => format!("text of {}", text.chars().count()),
        Value::Array(items) => format!("list of {}", items.len()),
        Value::Object(fields) => format!("object of {}", fields.len()),
        _ => "other".to_owned(),
    };
    let id = if part["id"].is_string() { "id, " } else { "" };
    match kind {
        "text" | "reasoning" => format!("{kind} of {}", length(&part["content"])),
        "tool_call" => format!("{kind} ({id}{})", form(&part["arguments"])),
        "tool_call_response" => format!("{kind} ({id}{})", form(&part["response"])),
        "blob" => {
            format!("{kind} {} {} of {}", part["modality"], part["mime_type"], length(&part["content"]))
        }
        "uri" | "file" => format!("{kind} {}", part["modality"]),
        "server_tool_call" | "server_tool_call_response" => {
            format!("{kind} ({id}{})", part[kind]["type"].as_str().unwrap_or("?"))
        }
        other => format!("{other} of {} properties", part.as_object().map_or(0, |fields| fields.len() - 1)),
    }
}

/// The same in a row is said once.
fn counted(items: impl Iterator<Item = String>) -> String {
    let mut runs: Vec<(String, usize)> = Vec::new();
    for item in items {
        match runs.last_mut() {
            Some((last, count)) if *last == item => *count += 1,
            _ => runs.push((item, 1)),
        }
    }
    let told = |(item, count)| if count > 1 { format!("{count} × {item}") } else { item };
    runs.into_iter().map(told).collect::<Vec<_>>().join(", ")
}

/// The points of each metric: attributes, and the sum where it can be repeated.
fn points(metrics: &[ResourceMetrics]) -> BTreeMap<String, Vec<(Attributes, Option<u64>)>> {
    let mut all: BTreeMap<String, Vec<(Attributes, Option<u64>)>> = BTreeMap::new();
    let metrics = metrics.iter().flat_map(ResourceMetrics::scope_metrics).flat_map(ScopeMetrics::metrics);
    for metric in metrics {
        let entry = all.entry(metric.name().to_owned()).or_default();
        match metric.data() {
            AggregatedMetrics::F64(MetricData::Histogram(histogram)) => {
                entry.extend(histogram.data_points().map(|point| (attributes(point.attributes()), None)));
            }
            AggregatedMetrics::U64(MetricData::Histogram(histogram)) => {
                let points = histogram.data_points();
                entry.extend(points.map(|point| (attributes(point.attributes()), Some(point.sum()))));
            }
            other => panic!("{}: {other:?}", metric.name()),
        }
        entry.sort_by_key(|(attributes, _)| format!("{attributes:?}"));
    }
    all
}

fn attributes<'a>(attributes: impl IntoIterator<Item = &'a KeyValue>) -> Attributes {
    let mut all = Attributes::new();
    for attribute in attributes {
        let before = all.insert(attribute.key.to_string(), value(&attribute.value));
        assert!(before.is_none(), "{} is there twice", attribute.key);
    }
    all
}

fn value(value: &Attribute) -> Value {
    match value {
        Attribute::Bool(value) => json!(value),
        Attribute::I64(value) => json!(value),
        Attribute::F64(value) => json!(value),
        Attribute::String(value) => json!(value.as_str()),
        Attribute::Array(Array::String(values)) => values.iter().map(|value| json!(value.as_str())).collect(),
        Attribute::Array(Array::I64(values)) => json!(values),
        Attribute::Array(Array::F64(values)) => json!(values),
        other => panic!("{other:?}"),
    }
}
