//! Everything that was emitted, written down as the cases write it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use opentelemetry::baggage::BaggageExt as _;
use opentelemetry::logs::AnyValue;
use opentelemetry::trace::{SpanContext, SpanId, Status, TraceContextExt as _, TraceId};
use opentelemetry::{Array, Context, InstrumentationScope, KeyValue, Value as Attribute};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::in_memory_exporter::LogDataWithResource;
use opentelemetry_sdk::logs::{InMemoryLogExporter, SdkLoggerProvider};
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, Histogram, Metric, MetricData, ResourceMetrics};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, Span, SpanData, SpanProcessor};
use serde_json::{Map, Value, json};

use crate::case::Case;

/// Providers that keep what they are given.
pub(crate) struct Recorder {
    pub(crate) tracers: SdkTracerProvider,
    pub(crate) loggers: SdkLoggerProvider,
    pub(crate) meters: SdkMeterProvider,
    spans: Spans,
    logs: InMemoryLogExporter,
    metrics: InMemoryMetricExporter,
}

impl Recorder {
    pub(crate) fn new(case: &Case) -> Recorder {
        let spans = Spans::default();
        let (logs, metrics) = (InMemoryLogExporter::default(), InMemoryMetricExporter::default());
        let sampler = if case.is_sampled() { Sampler::AlwaysOn } else { Sampler::AlwaysOff };
        let meters = SdkMeterProvider::builder();
        let meters = if case.has_meter() { meters.with_periodic_exporter(metrics.clone()) } else { meters };
        Recorder {
            tracers: SdkTracerProvider::builder()
                .with_sampler(sampler)
                .with_span_processor(spans.clone())
                .build(),
            loggers: SdkLoggerProvider::builder().with_simple_exporter(logs.clone()).build(),
            meters: meters.build(),
            spans,
            logs,
            metrics,
        }
    }

    /// What is current in this context.
    pub(crate) fn probe(&self, context: &Context) -> Value {
        let span = context.span().span_context().clone();
        let baggage = context.baggage().iter();
        let baggage = baggage.map(|(key, (value, _))| (key.to_string(), json!(value.as_str())));
        json!({
            "current_span": self.spans.name(&span),
            "baggage": baggage.collect::<Map<_, _>>(),
        })
    }

    /// All that was emitted.
    pub(crate) fn telemetry(&self) -> Value {
        self.meters.force_flush().unwrap();
        let logs = self.logs.get_emitted_logs().unwrap();
        let metrics = self.metrics.get_finished_metrics().unwrap();
        let scopes = metrics.iter().flat_map(ResourceMetrics::scope_metrics);
        let metrics =
            scopes.flat_map(|scope| scope.metrics().map(|metric| json_metric(metric, scope.scope())));
        json!({
            "spans": self.spans.all(),
            "logs": logs.iter().map(|log| self.log(log)).collect::<Vec<_>>(),
            "metrics": metrics.collect::<Vec<_>>(),
        })
    }

    fn log(&self, log: &LogDataWithResource) -> Value {
        let record = &log.record;
        let attributes = record.attributes_iter().map(|(key, value)| (key.to_string(), json_any(value)));
        let span = record.trace_context().map(|context| {
            let flags = context.trace_flags.unwrap_or_default();
            SpanContext::new(context.trace_id, context.span_id, flags, false, Default::default())
        });
        json!({
            "event_name": record.event_name(),
            "severity_number": record.severity_number().map(|severity| severity as i32),
            "severity_text": record.severity_text(),
            "body": record.body().map(json_any),
            "attributes": unique(attributes),
            "span": span.and_then(|span| self.spans.name(&span)),
            "scope": json_scope(&log.instrumentation),
        })
    }
}

/// Every span in the order of their starts, and how it ended, if it did.
#[derive(Clone, Debug, Default)]
struct Spans(Arc<Mutex<Vec<Seen>>>);

/// A span that has started, and once it has ended all of it.
type Seen = (SpanContext, Option<SpanData>);

impl SpanProcessor for Spans {
    fn on_start(&self, span: &mut Span, _: &Context) {
        use opentelemetry::trace::Span as _;
        self.0.lock().unwrap().push((span.span_context().clone(), None));
    }

    fn on_end(&self, data: SpanData) {
        let mut spans = self.0.lock().unwrap();
        let span = spans.iter_mut().find(|(context, _)| *context == data.span_context).unwrap();
        span.1 = Some(data);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

impl Spans {
    /// What the cases call the span: `S1` is the one that started first.
    fn name(&self, span: &SpanContext) -> Option<String> {
        let spans = self.0.lock().unwrap();
        let at = spans.iter().position(|(context, _)| context.span_id() == span.span_id());
        match at {
            Some(at) => Some(format!("S{}", at + 1)),
            None => span.is_valid().then(|| "UNRECORDED".to_owned()),
        }
    }

    fn all(&self) -> Vec<Value> {
        let spans = self.0.lock().unwrap().clone();
        let mut traces: HashMap<TraceId, usize> = HashMap::new();
        let mut all = Vec::new();
        for (context, data) in spans {
            let next = traces.len() + 1;
            let trace = *traces.entry(context.trace_id()).or_insert(next);
            let known = json!({"trace": format!("T{trace}"), "ended": data.is_some()});
            let Value::Object(mut span) = known else { unreachable!() };
            if let Some(Value::Object(rest)) = data.map(|data| self.json_span(&data)) {
                span.extend(rest);
            }
            all.push(span.into());
        }
        all
    }

    fn json_span(&self, data: &SpanData) -> Value {
        let parent = match data.parent_span_id {
            SpanId::INVALID => None,
            _ if data.parent_span_is_remote => Some("REMOTE".to_owned()),
            id => {
                let context = &data.span_context;
                let parent = SpanContext::new(
                    context.trace_id(),
                    id,
                    context.trace_flags(),
                    false,
                    Default::default(),
                );
                self.name(&parent)
            }
        };
        let (code, description) = match &data.status {
            Status::Unset => ("UNSET", None),
            Status::Ok => ("OK", None),
            Status::Error { description } => ("ERROR", Some(description.to_string())),
        };
        let events = data.events.iter().map(|event| json!({"name": event.name}));
        json!({
            "parent": parent,
            "name": data.name,
            "kind": format!("{:?}", data.span_kind).to_uppercase(),
            "status": {"code": code, "description": description},
            "attributes": json_attributes(&data.attributes),
            "events": events.collect::<Vec<_>>(),
            "links": data.links.len(),
            "scope": json_scope(&data.instrumentation_scope),
        })
    }
}

fn json_scope(scope: &InstrumentationScope) -> Value {
    json!({"name": scope.name(), "version": scope.version(), "schema_url": scope.schema_url()})
}

fn json_metric(metric: &Metric, scope: &InstrumentationScope) -> Value {
    let (points, temporality) = match metric.data() {
        AggregatedMetrics::F64(MetricData::Histogram(histogram)) => {
            (json_points(histogram, |_| Value::Null), histogram.temporality())
        }
        AggregatedMetrics::U64(MetricData::Histogram(histogram)) => {
            (json_points(histogram, |count| json!(count)), histogram.temporality())
        }
        other => panic!("{}: {other:?}", metric.name()),
    };
    json!({
        "name": metric.name(),
        "unit": metric.unit(),
        "description": metric.description(),
        "type": "histogram",
        "temporality": format!("{temporality:?}").to_uppercase(),
        "scope": json_scope(scope),
        "points": points,
    })
}

/// `value`: as JSON, or nothing for what cannot be repeated, durations.
fn json_points<T: Copy>(histogram: &Histogram<T>, value: fn(T) -> Value) -> Vec<Value> {
    let points = histogram.data_points().map(|point| {
        let mut json = json!({
            "attributes": json_attributes(point.attributes()),
            "count": point.count(),
            "bounds": point.bounds().collect::<Vec<_>>(),
        });
        let sum = value(point.sum());
        if !sum.is_null() {
            json["sum"] = sum;
            json["min"] = point.min().map(value).unwrap_or_default();
            json["max"] = point.max().map(value).unwrap_or_default();
            json["bucket_counts"] = point.bucket_counts().collect();
        }
        json
    });
    points.collect()
}

fn json_attributes<'a>(attributes: impl IntoIterator<Item = &'a KeyValue>) -> Value {
    let attributes = attributes.into_iter();
    unique(attributes.map(|attribute| (attribute.key.to_string(), json_attribute(&attribute.value))))
}

/// Attributes by their names. One that is there twice is an error on the wire, and shows as `name (before)`.
fn unique(attributes: impl Iterator<Item = (String, Value)>) -> Value {
    let mut all = Map::new();
    for (key, value) in attributes {
        if let Some(before) = all.insert(key.clone(), value) {
            all.insert(format!("{key} (before)"), before);
        }
    }
    all.into()
}

fn json_attribute(value: &Attribute) -> Value {
    match value {
        Attribute::Bool(value) => json!(value),
        Attribute::I64(value) => json!(value),
        Attribute::F64(value) => json!(value),
        Attribute::String(value) => json!(value.as_str()),
        Attribute::Array(Array::Bool(values)) => json!(values),
        Attribute::Array(Array::I64(values)) => json!(values),
        Attribute::Array(Array::F64(values)) => json!(values),
        Attribute::Array(Array::String(values)) => values.iter().map(|value| json!(value.as_str())).collect(),
        other => panic!("{other:?}"),
    }
}

fn json_any(value: &AnyValue) -> Value {
    match value {
        AnyValue::Boolean(value) => json!(value),
        AnyValue::Int(value) => json!(value),
        AnyValue::Double(value) => json!(value),
        AnyValue::String(value) => json!(value.as_str()),
        AnyValue::Bytes(bytes) => json!({"$bytes_b64": STANDARD.encode(&**bytes)}),
        AnyValue::ListAny(items) => items.iter().map(json_any).collect(),
        AnyValue::Map(fields) => {
            fields.iter().map(|(key, value)| (key.to_string(), json_any(value))).collect::<Map<_, _>>().into()
        }
        other => panic!("{other:?}"),
    }
}
