//! Writes OTLP as the Collector's exporter does, in each of its flavours.

use base64::Engine as _;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{Exemplar, exemplar, number_data_point};
use opentelemetry_proto::tonic::resource::v1::Resource;
use serde_json::{Map, Value as Json, json};

/// How attributes are written, and in which spelling kinds and codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavour {
    Old,
    New,
    Json,
}

impl Flavour {
    pub(crate) fn schema(self) -> &'static str {
        match self {
            Self::Old => include_str!("old.sql"),
            Self::New => include_str!("new.sql"),
            Self::Json => include_str!("json.sql"),
        }
    }

    fn attributes(self, list: &[KeyValue]) -> Json {
        let each = |pair: &KeyValue| {
            let value = pair.value.clone().unwrap_or_default();
            (pair.key.clone(), if self == Self::Json { typed(&value) } else { plain(&value).into() })
        };
        Json::Object(list.iter().map(each).collect())
    }
}

/// A value as text: what is not plain becomes JSON.
pub(crate) fn plain(value: &AnyValue) -> String {
    match &value.value {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::BytesValue(bytes)) => base64::engine::general_purpose::STANDARD.encode(bytes),
        Some(_) => typed(value).to_string(),
        None => String::new(),
    }
}

fn typed(value: &AnyValue) -> Json {
    match &value.value {
        Some(Value::StringValue(text)) => text.clone().into(),
        Some(Value::BoolValue(yes)) => (*yes).into(),
        Some(Value::IntValue(int)) => (*int).into(),
        Some(Value::DoubleValue(double)) => (*double).into(),
        Some(Value::ArrayValue(array)) => array.values.iter().map(typed).collect(),
        Some(Value::KvlistValue(list)) => list
            .values
            .iter()
            .map(|pair| (pair.key.clone(), typed(&pair.value.clone().unwrap_or_default())))
            .collect::<Map<_, _>>()
            .into(),
        _ => Json::Null,
    }
}

fn names(list: &[KeyValue]) -> Json {
    list.iter().map(|pair| pair.key.clone()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Seconds, with nanoseconds behind the point.
fn moment(nanos: u64) -> String {
    format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)
}

fn service(resource: &[KeyValue]) -> String {
    let name = resource.iter().find(|pair| pair.key == "service.name");
    name.and_then(|pair| pair.value.as_ref()).map(plain).unwrap_or_default()
}

/// An insert of these rows. What a table has no column for is left out by the server.
fn insert(table: &str, rows: &[Json]) -> String {
    let rows: Vec<String> = rows.iter().map(ToString::to_string).collect();
    format!(
        "INSERT INTO {table} SETTINGS input_format_skip_unknown_fields = 1 FORMAT JSONEachRow {}",
        rows.join("\n")
    )
}

pub(crate) fn traces(flavour: Flavour, request: &ExportTraceServiceRequest) -> String {
    let kinds = ["Unspecified", "Internal", "Server", "Client", "Producer", "Consumer"];
    let codes = ["Unset", "Ok", "Error"];
    let spelled = |prefix: &str, word: &str| {
        if flavour == Flavour::Old { format!("{prefix}{}", word.to_uppercase()) } else { word.to_owned() }
    };
    let mut rows = Vec::new();
    for group in &request.resource_spans {
        let resource = group.resource.clone().unwrap_or_default().attributes;
        for group in &group.scope_spans {
            let scope = group.scope.clone().unwrap_or_default();
            for span in &group.spans {
                let status = span.status.clone().unwrap_or_default();
                rows.push(json!({
                    "Timestamp": moment(span.start_time_unix_nano),
                    "TraceId": hex(&span.trace_id), "SpanId": hex(&span.span_id),
                    "ParentSpanId": hex(&span.parent_span_id), "TraceState": span.trace_state,
                    "SpanName": span.name, "SpanKind": spelled("SPAN_KIND_", kinds[span.kind as usize]),
                    "ServiceName": service(&resource), "ResourceAttributes": flavour.attributes(&resource),
                    "ResourceAttributesKeys": names(&resource), "SpanAttributesKeys": names(&span.attributes),
                    "ScopeName": scope.name, "ScopeVersion": scope.version,
                    "SpanAttributes": flavour.attributes(&span.attributes),
                    "Duration": span.end_time_unix_nano - span.start_time_unix_nano,
                    "StatusCode": spelled("STATUS_CODE_", codes[status.code as usize]),
                    "StatusMessage": status.message,
                    "Events.Timestamp": span.events.iter().map(|event| moment(event.time_unix_nano)).collect::<Json>(),
                    "Events.Name": span.events.iter().map(|event| event.name.clone()).collect::<Json>(),
                    "Events.Attributes": span.events.iter().map(|event| flavour.attributes(&event.attributes)).collect::<Json>(),
                    "Links.TraceId": span.links.iter().map(|link| hex(&link.trace_id)).collect::<Json>(),
                    "Links.SpanId": span.links.iter().map(|link| hex(&link.span_id)).collect::<Json>(),
                    "Links.TraceState": span.links.iter().map(|link| link.trace_state.clone()).collect::<Json>(),
                    "Links.Attributes": span.links.iter().map(|link| flavour.attributes(&link.attributes)).collect::<Json>(),
                }));
            }
        }
    }
    insert("otel_traces", &rows)
}

pub(crate) fn logs(flavour: Flavour, request: &ExportLogsServiceRequest) -> String {
    let mut rows = Vec::new();
    for group in &request.resource_logs {
        let resource = group.resource.clone().unwrap_or_default().attributes;
        for scope in &group.scope_logs {
            let InstrumentationScope { name, version, attributes, .. } =
                scope.scope.clone().unwrap_or_default();
            for log in &scope.log_records {
                rows.push(json!({
                    "Timestamp": moment(log.time_unix_nano), "TraceId": hex(&log.trace_id),
                    "SpanId": hex(&log.span_id), "TraceFlags": log.flags, "SeverityText": log.severity_text,
                    "SeverityNumber": log.severity_number, "ServiceName": service(&resource),
                    "Body": log.body.as_ref().map(plain).unwrap_or_default(),
                    "ResourceSchemaUrl": group.schema_url, "ResourceAttributes": flavour.attributes(&resource),
                    "ResourceAttributesKeys": names(&resource), "ScopeAttributesKeys": names(&attributes),
                    "LogAttributesKeys": names(&log.attributes), "ScopeSchemaUrl": scope.schema_url,
                    "ScopeName": name, "ScopeVersion": version, "ScopeAttributes": flavour.attributes(&attributes),
                    "LogAttributes": flavour.attributes(&log.attributes), "EventName": log.event_name,
                }));
            }
        }
    }
    insert("otel_logs", &rows)
}

/// One insert for each table.
pub(crate) fn metrics(flavour: Flavour, request: &ExportMetricsServiceRequest) -> Vec<String> {
    let mut inserts = Vec::new();
    for group in &request.resource_metrics {
        let Resource { attributes: resource, .. } = group.resource.clone().unwrap_or_default();
        for group in &group.scope_metrics {
            let scope = group.scope.clone().unwrap_or_default();
            for metric in &group.metrics {
                let head = |attributes: &[KeyValue],
                            start: u64,
                            time: u64,
                            flags: u32,
                            exemplars: &[Exemplar]| {
                    json!({
                        "ResourceAttributes": flavour.attributes(&resource), "ServiceName": service(&resource),
                        "ScopeName": scope.name, "ScopeVersion": scope.version, "ScopeAttributes": flavour.attributes(&[]),
                        "MetricName": metric.name, "MetricDescription": metric.description, "MetricUnit": metric.unit,
                        "Attributes": flavour.attributes(attributes), "Flags": flags,
                        // Later versions keep seconds alone.
                        "StartTimeUnix": if flavour == Flavour::Old { json!(moment(start)) } else { json!(start / 1_000_000_000) },
                        "TimeUnix": if flavour == Flavour::Old { json!(moment(time)) } else { json!(time / 1_000_000_000) },
                        "Exemplars.FilteredAttributes": exemplars.iter().map(|each| flavour.attributes(&each.filtered_attributes)).collect::<Json>(),
                        "Exemplars.TimeUnix": exemplars.iter().map(|each| moment(each.time_unix_nano)).collect::<Json>(),
                        "Exemplars.Value": exemplars.iter().map(|each| match each.value { Some(exemplar::Value::AsDouble(double)) => double, _ => 0.0 }).collect::<Json>(),
                        "Exemplars.SpanId": exemplars.iter().map(|each| hex(&each.span_id)).collect::<Json>(),
                        "Exemplars.TraceId": exemplars.iter().map(|each| hex(&each.trace_id)).collect::<Json>(),
                    })
                };
                let with = |mut row: Json, more: Json| {
                    row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
                    row
                };
                let (table, rows): (&str, Vec<Json>) = match metric.data.as_ref().unwrap() {
                    Data::Sum(sum) => ("otel_metrics_sum", sum.data_points.iter().map(|point| with(
                        head(&point.attributes, point.start_time_unix_nano, point.time_unix_nano, point.flags, &point.exemplars),
                        json!({
                            "Value": match point.value { Some(number_data_point::Value::AsInt(int)) => int as f64, Some(number_data_point::Value::AsDouble(double)) => double, None => 0.0 },
                            "AggregationTemporality": sum.aggregation_temporality, "IsMonotonic": sum.is_monotonic,
                        }),
                    )).collect()),
                    Data::Histogram(histogram) => ("otel_metrics_histogram", histogram.data_points.iter().map(|point| with(
                        head(&point.attributes, point.start_time_unix_nano, point.time_unix_nano, point.flags, &point.exemplars),
                        json!({
                            "Count": point.count, "Sum": point.sum.unwrap_or(0.0), "BucketCounts": point.bucket_counts,
                            "ExplicitBounds": point.explicit_bounds, "Min": point.min.unwrap_or(0.0), "Max": point.max.unwrap_or(0.0),
                            "AggregationTemporality": histogram.aggregation_temporality,
                        }),
                    )).collect()),
                    other => panic!("no such metric is sent here: {other:?}"),
                };
                inserts.push(insert(table, &rows));
            }
        }
    }
    inserts
}
