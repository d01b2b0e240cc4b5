//! Which key of JSON is which field: one table for both directions.

use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList, any_value,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs, SeverityNumber};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram,
    HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary,
    SummaryDataPoint, exemplar, metric, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use serde::de::MapAccess;

use super::codec::{
    Base64, Double, Enum, Hex, List, Long, Maybe, Names, Short, Text, Truth, Whole, put_field, take_field,
};

/// A message by its fields.
pub trait Message: Default {
    /// Whether it is a level of values, which are counted.
    const LEVEL: bool = false;

    /// Reads the value of a key. `false`: the key is unknown, and its value is still to be read.
    ///
    /// # Errors
    /// What the reader complains of.
    fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A, levels: u32)
    -> Result<bool, A::Error>;

    /// Writes an object.
    fn put(&self, out: &mut Vec<u8>);
}

macro_rules! messages {
    ($($name:ident $([$level:ident])? {
        $($key:literal $field:ident: $codec:ty,)*
        $(one of $one:ident { $($one_key:literal $variant:path: $one_codec:ty,)* })?
    })*) => {
        $(impl Message for $name {
            $(const $level: bool = true;)?

            fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A, levels: u32) -> Result<bool, A::Error> {
                match key {
                    $($key => {
                        if let Some(value) = take_field::<$codec, _, A>(map, levels)? {
                            self.$field = value;
                        }
                    })*
                    $($($one_key => {
                        if let Some(value) = take_field::<$one_codec, _, A>(map, levels)? {
                            self.$one = Some($variant(value));
                        }
                    })*)?
                    _ => return Ok(false),
                }
                Ok(true)
            }

            fn put(&self, out: &mut Vec<u8>) {
                let mut first = true;
                out.push(b'{');
                $(put_field::<$codec, _>($key, &self.$field, &mut first, out);)*
                $(match &self.$one {
                    // What is one of several is told also where it has its default.
                    $(Some($variant(value)) => put_told::<$one_codec, _>($one_key, value, &mut first, out),)*
                    None => {}
                })?
                let _ = first;
                out.push(b'}');
            }
        })*
    };
}

fn put_told<C: super::Codec<T>, T>(key: &str, value: &T, first: &mut bool, out: &mut Vec<u8>) {
    put_field::<Told<C>, T>(key, value, first, out);
}

/// A field that is never left out.
struct Told<C>(std::marker::PhantomData<C>);

impl<C: super::Codec<T>, T> super::Codec<T> for Told<C> {
    fn absent(_: &T) -> bool {
        false
    }

    fn put(value: &T, out: &mut Vec<u8>) {
        C::put(value, out);
    }

    fn take<'de, D: serde::Deserializer<'de>>(reader: D, levels: u32) -> Result<T, D::Error> {
        C::take(reader, levels)
    }
}

macro_rules! names {
    ($($enumeration:ident)*) => {
        $(impl Names for $enumeration {
            fn number(name: &str) -> Option<i32> {
                Self::from_str_name(name).map(|value| value as i32)
            }
        })*
    };
}

names!(SpanKind StatusCode SeverityNumber AggregationTemporality);

messages! {
    ExportTraceServiceRequest {
        "resourceSpans" resource_spans: List<Whole>,
    }
    ExportTraceServiceResponse {
        "partialSuccess" partial_success: Maybe<Whole>,
    }
    ExportTracePartialSuccess {
        "rejectedSpans" rejected_spans: Long,
        "errorMessage" error_message: Text,
    }
    ExportLogsServiceRequest {
        "resourceLogs" resource_logs: List<Whole>,
    }
    ExportLogsServiceResponse {
        "partialSuccess" partial_success: Maybe<Whole>,
    }
    ExportLogsPartialSuccess {
        "rejectedLogRecords" rejected_log_records: Long,
        "errorMessage" error_message: Text,
    }
    ExportMetricsServiceRequest {
        "resourceMetrics" resource_metrics: List<Whole>,
    }
    ExportMetricsServiceResponse {
        "partialSuccess" partial_success: Maybe<Whole>,
    }
    ExportMetricsPartialSuccess {
        "rejectedDataPoints" rejected_data_points: Long,
        "errorMessage" error_message: Text,
    }

    AnyValue [LEVEL] {
        one of value {
            "stringValue" any_value::Value::StringValue: Text,
            "boolValue" any_value::Value::BoolValue: Truth,
            "intValue" any_value::Value::IntValue: Long,
            "doubleValue" any_value::Value::DoubleValue: Double,
            "arrayValue" any_value::Value::ArrayValue: Whole,
            "kvlistValue" any_value::Value::KvlistValue: Whole,
            "bytesValue" any_value::Value::BytesValue: Base64,
            "stringValueStrindex" any_value::Value::StringValueStrindex: Short,
        }
    }
    ArrayValue {
        "values" values: List<Whole>,
    }
    KeyValueList {
        "values" values: List<Whole>,
    }
    KeyValue {
        "key" key: Text,
        "value" value: Maybe<Whole>,
        "keyStrindex" key_strindex: Short,
    }
    InstrumentationScope {
        "name" name: Text,
        "version" version: Text,
        "attributes" attributes: List<Whole>,
        "droppedAttributesCount" dropped_attributes_count: Short,
    }
    Resource {
        "attributes" attributes: List<Whole>,
        "droppedAttributesCount" dropped_attributes_count: Short,
        "entityRefs" entity_refs: List<Whole>,
    }
    EntityRef {
        "schemaUrl" schema_url: Text,
        "type" r#type: Text,
        "idKeys" id_keys: List<Text>,
        "descriptionKeys" description_keys: List<Text>,
    }

    ResourceSpans {
        "resource" resource: Maybe<Whole>,
        "scopeSpans" scope_spans: List<Whole>,
        "schemaUrl" schema_url: Text,
    }
    ScopeSpans {
        "scope" scope: Maybe<Whole>,
        "spans" spans: List<Whole>,
        "schemaUrl" schema_url: Text,
    }
    Span {
        "traceId" trace_id: Hex,
        "spanId" span_id: Hex,
        "traceState" trace_state: Text,
        "parentSpanId" parent_span_id: Hex,
        "flags" flags: Short,
        "name" name: Text,
        "kind" kind: Enum<SpanKind>,
        "startTimeUnixNano" start_time_unix_nano: Long,
        "endTimeUnixNano" end_time_unix_nano: Long,
        "attributes" attributes: List<Whole>,
        "droppedAttributesCount" dropped_attributes_count: Short,
        "events" events: List<Whole>,
        "droppedEventsCount" dropped_events_count: Short,
        "links" links: List<Whole>,
        "droppedLinksCount" dropped_links_count: Short,
        "status" status: Maybe<Whole>,
    }
    Event {
        "timeUnixNano" time_unix_nano: Long,
        "name" name: Text,
        "attributes" attributes: List<Whole>,
        "droppedAttributesCount" dropped_attributes_count: Short,
    }
    Link {
        "traceId" trace_id: Hex,
        "spanId" span_id: Hex,
        "traceState" trace_state: Text,
        "attributes" attributes: List<Whole>,
        "droppedAttributesCount" dropped_attributes_count: Short,
        "flags" flags: Short,
    }
    Status {
        "message" message: Text,
        "code" code: Enum<StatusCode>,
    }

    ResourceLogs {
        "resource" resource: Maybe<Whole>,
        "scopeLogs" scope_logs: List<Whole>,
        "schemaUrl" schema_url: Text,
    }
    ScopeLogs {
        "scope" scope: Maybe<Whole>,
        "logRecords" log_records: List<Whole>,
        "schemaUrl" schema_url: Text,
    }
    LogRecord {
        "timeUnixNano" time_unix_nano: Long,
        "observedTimeUnixNano" observed_time_unix_nano: Long,
        "severityNumber" severity_number: Enum<SeverityNumber>,
        "severityText" severity_text: Text,
        "body" body: Maybe<Whole>,
        "attributes" attributes: List<Whole>,
        "droppedAttributesCount" dropped_attributes_count: Short,
        "flags" flags: Short,
        "traceId" trace_id: Hex,
        "spanId" span_id: Hex,
        "eventName" event_name: Text,
    }

    ResourceMetrics {
        "resource" resource: Maybe<Whole>,
        "scopeMetrics" scope_metrics: List<Whole>,
        "schemaUrl" schema_url: Text,
    }
    ScopeMetrics {
        "scope" scope: Maybe<Whole>,
        "metrics" metrics: List<Whole>,
        "schemaUrl" schema_url: Text,
    }
    Metric {
        "name" name: Text,
        "description" description: Text,
        "unit" unit: Text,
        "metadata" metadata: List<Whole>,
        one of data {
            "gauge" metric::Data::Gauge: Whole,
            "sum" metric::Data::Sum: Whole,
            "histogram" metric::Data::Histogram: Whole,
            "exponentialHistogram" metric::Data::ExponentialHistogram: Whole,
            "summary" metric::Data::Summary: Whole,
        }
    }
    Gauge {
        "dataPoints" data_points: List<Whole>,
    }
    Sum {
        "dataPoints" data_points: List<Whole>,
        "aggregationTemporality" aggregation_temporality: Enum<AggregationTemporality>,
        "isMonotonic" is_monotonic: Truth,
    }
    Histogram {
        "dataPoints" data_points: List<Whole>,
        "aggregationTemporality" aggregation_temporality: Enum<AggregationTemporality>,
    }
    ExponentialHistogram {
        "dataPoints" data_points: List<Whole>,
        "aggregationTemporality" aggregation_temporality: Enum<AggregationTemporality>,
    }
    Summary {
        "dataPoints" data_points: List<Whole>,
    }
    NumberDataPoint {
        "attributes" attributes: List<Whole>,
        "startTimeUnixNano" start_time_unix_nano: Long,
        "timeUnixNano" time_unix_nano: Long,
        "exemplars" exemplars: List<Whole>,
        "flags" flags: Short,
        one of value {
            "asDouble" number_data_point::Value::AsDouble: Double,
            "asInt" number_data_point::Value::AsInt: Long,
        }
    }
    HistogramDataPoint {
        "attributes" attributes: List<Whole>,
        "startTimeUnixNano" start_time_unix_nano: Long,
        "timeUnixNano" time_unix_nano: Long,
        "count" count: Long,
        "sum" sum: Maybe<Double>,
        "bucketCounts" bucket_counts: List<Long>,
        "explicitBounds" explicit_bounds: List<Double>,
        "exemplars" exemplars: List<Whole>,
        "flags" flags: Short,
        "min" min: Maybe<Double>,
        "max" max: Maybe<Double>,
    }
    ExponentialHistogramDataPoint {
        "attributes" attributes: List<Whole>,
        "startTimeUnixNano" start_time_unix_nano: Long,
        "timeUnixNano" time_unix_nano: Long,
        "count" count: Long,
        "sum" sum: Maybe<Double>,
        "scale" scale: Short,
        "zeroCount" zero_count: Long,
        "positive" positive: Maybe<Whole>,
        "negative" negative: Maybe<Whole>,
        "flags" flags: Short,
        "exemplars" exemplars: List<Whole>,
        "min" min: Maybe<Double>,
        "max" max: Maybe<Double>,
        "zeroThreshold" zero_threshold: Double,
    }
    Buckets {
        "offset" offset: Short,
        "bucketCounts" bucket_counts: List<Long>,
    }
    SummaryDataPoint {
        "attributes" attributes: List<Whole>,
        "startTimeUnixNano" start_time_unix_nano: Long,
        "timeUnixNano" time_unix_nano: Long,
        "count" count: Long,
        "sum" sum: Double,
        "quantileValues" quantile_values: List<Whole>,
        "flags" flags: Short,
    }
    ValueAtQuantile {
        "quantile" quantile: Double,
        "value" value: Double,
    }
    Exemplar {
        "filteredAttributes" filtered_attributes: List<Whole>,
        "timeUnixNano" time_unix_nano: Long,
        "spanId" span_id: Hex,
        "traceId" trace_id: Hex,
        one of value {
            "asDouble" exemplar::Value::AsDouble: Double,
            "asInt" exemplar::Value::AsInt: Long,
        }
    }
}
