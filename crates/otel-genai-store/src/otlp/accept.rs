//! Requests become batches; what cannot be kept is refused one by one, never the request.

use std::collections::BTreeMap;
use std::sync::Arc;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::{Exemplar, Metric, metric::Data};
use prost::Message as _;

use super::Refused;
use crate::id::Nanos;
use crate::log::LogRecord;
use crate::metric::Series;
use crate::origin::{Origin, Resource, Scope};
use crate::span::Span;
use crate::store::Batch;

/// Values may hold values so often.
const MOST_LEVELS: u32 = 32;
/// A value may have so many bytes of text, counted with those that it holds.
const MOST_BYTES: usize = 64 << 20;

/// What became of a request.
#[derive(Clone, Debug, Default)]
pub struct Accepted {
    /// What can be stored.
    pub batch: Batch,
    /// How many records cannot: for OTLP's partial success.
    pub rejected: u64,
    /// Why, and how many for each reason.
    pub why: Vec<(Refused, u64)>,
}

impl Accepted {
    /// Words for the sender: each reason and how many it met. Empty if everything was accepted.
    #[must_use]
    pub fn reasons(&self) -> String {
        let each = |(reason, count): &(Refused, u64)| format!("{count} refused: {reason}");
        self.why.iter().map(each).collect::<Vec<_>>().join("; ")
    }
}

/// Accepts spans. `received` is now.
#[must_use]
pub fn traces(request: ExportTraceServiceRequest, received: Nanos) -> Accepted {
    let mut door = Door::new(request.encoded_len(), received);
    for group in request.resource_spans {
        let checked =
            sound_attributes(group.resource.as_ref().map(|resource| resource.attributes.as_slice()));
        let resource = checked.map(|()| Resource::from_otlp(group.resource, group.schema_url));
        for group in group.scope_spans {
            let origin = origin(&resource, group.scope, group.schema_url);
            for span in group.spans {
                let accepted = origin.as_ref().map_err(|refused| *refused).and_then(|origin| {
                    sound_span(&span)?;
                    Span::from_otlp(span, origin, received)
                });
                match accepted {
                    Ok(span) => door.batch.spans.push(span),
                    Err(refused) => door.refuse(refused),
                }
            }
        }
    }
    door.close()
}

/// Accepts log records. `received` is now.
#[must_use]
pub fn logs(request: ExportLogsServiceRequest, received: Nanos) -> Accepted {
    let mut door = Door::new(request.encoded_len(), received);
    for group in request.resource_logs {
        let checked =
            sound_attributes(group.resource.as_ref().map(|resource| resource.attributes.as_slice()));
        let resource = checked.map(|()| Resource::from_otlp(group.resource, group.schema_url));
        for group in group.scope_logs {
            let origin = origin(&resource, group.scope, group.schema_url);
            for log in group.log_records {
                let accepted = origin.as_ref().map_err(|refused| *refused).and_then(|origin| {
                    sound_attributes([log.attributes.as_slice()])?;
                    log.body.as_ref().map_or(Ok(()), sound)?;
                    LogRecord::from_otlp(log, origin, received)
                });
                match accepted {
                    Ok(log) => door.batch.logs.push(log),
                    Err(refused) => door.refuse(refused),
                }
            }
        }
    }
    door.close()
}

/// Accepts the points of metrics; what is refused is counted in points. `received` is now.
#[must_use]
pub fn metrics(request: ExportMetricsServiceRequest, received: Nanos) -> Accepted {
    let mut door = Door::new(request.encoded_len(), received);
    for group in request.resource_metrics {
        let checked =
            sound_attributes(group.resource.as_ref().map(|resource| resource.attributes.as_slice()));
        let resource = checked.map(|()| Resource::from_otlp(group.resource, group.schema_url));
        for group in group.scope_metrics {
            let origin = origin(&resource, group.scope, group.schema_url);
            for mut metric in group.metrics {
                let whole = origin.as_ref().map_err(|refused| *refused).and_then(|origin| {
                    sound_attributes([metric.metadata.as_slice()])?;
                    Ok(origin)
                });
                let sound = |attributes: &[KeyValue], exemplars: &[Exemplar]| {
                    let refused = whole.err().or_else(|| {
                        let attached = exemplars.iter().map(|each| each.filtered_attributes.as_slice());
                        sound_attributes([attributes].into_iter().chain(attached)).err()
                    });
                    if let Some(refused) = refused {
                        door.refuse(refused);
                    }
                    refused.is_none()
                };
                keep(&mut metric, sound);
                if let Ok(origin) = whole {
                    door.batch.points.extend(Series::from_otlp(metric, origin));
                }
            }
        }
    }
    door.close()
}

/// Keeps the points of a metric whose attributes and exemplars are sound.
fn keep(metric: &mut Metric, mut sound: impl FnMut(&[KeyValue], &[Exemplar]) -> bool) {
    match &mut metric.data {
        None => {}
        Some(Data::Gauge(gauge)) => {
            gauge.data_points.retain(|point| sound(&point.attributes, &point.exemplars));
        }
        Some(Data::Sum(sum)) => sum.data_points.retain(|point| sound(&point.attributes, &point.exemplars)),
        Some(Data::Histogram(histogram)) => {
            histogram.data_points.retain(|point| sound(&point.attributes, &point.exemplars));
        }
        Some(Data::ExponentialHistogram(histogram)) => {
            histogram.data_points.retain(|point| sound(&point.attributes, &point.exemplars));
        }
        Some(Data::Summary(summary)) => {
            summary.data_points.retain(|point| sound(&point.attributes, &[]));
        }
    }
}

type OtlpScope = opentelemetry_proto::tonic::common::v1::InstrumentationScope;

/// One origin for all records of a scope; none if its resource or its scope is not sound.
fn origin(
    resource: &Result<Resource, Refused>,
    scope: Option<OtlpScope>,
    schema_url: String,
) -> Result<Arc<Origin>, Refused> {
    let resource = resource.clone()?;
    sound_attributes(scope.as_ref().map(|scope| scope.attributes.as_slice()))?;
    Ok(Arc::new(Origin { resource, scope: Scope::from_otlp(scope, schema_url) }))
}

struct Door {
    batch: Batch,
    why: BTreeMap<Refused, u64>,
}

impl Door {
    fn new(bytes: usize, received: Nanos) -> Self {
        Self { batch: Batch { bytes, received, ..Batch::default() }, why: BTreeMap::new() }
    }

    fn refuse(&mut self, refused: Refused) {
        *self.why.entry(refused).or_default() += 1;
    }

    fn close(self) -> Accepted {
        Accepted { batch: self.batch, rejected: self.why.values().sum(), why: self.why.into_iter().collect() }
    }
}

fn sound_span(span: &opentelemetry_proto::tonic::trace::v1::Span) -> Result<(), Refused> {
    sound_attributes([span.attributes.as_slice()])?;
    sound_attributes(span.events.iter().map(|event| event.attributes.as_slice()))?;
    sound_attributes(span.links.iter().map(|link| link.attributes.as_slice()))
}

fn sound_attributes<'a>(lists: impl IntoIterator<Item = &'a [KeyValue]>) -> Result<(), Refused> {
    lists.into_iter().flatten().filter_map(|attribute| attribute.value.as_ref()).try_for_each(sound)
}

fn sound(value: &AnyValue) -> Result<(), Refused> {
    if size(value, MOST_LEVELS)? > MOST_BYTES { Err(Refused::TooLarge) } else { Ok(()) }
}

/// The bytes of text in a value. The readers of OTLP have bounded how deep this goes.
fn size(value: &AnyValue, levels: u32) -> Result<usize, Refused> {
    let levels = levels.checked_sub(1).ok_or(Refused::TooDeep)?;
    match &value.value {
        Some(Value::StringValue(text)) => Ok(text.len()),
        Some(Value::BytesValue(bytes)) => Ok(bytes.len()),
        Some(Value::ArrayValue(array)) => {
            array.values.iter().try_fold(0, |sum, value| Ok(sum + size(value, levels)?))
        }
        Some(Value::KvlistValue(list)) => list.values.iter().try_fold(0, |sum, pair| {
            Ok(sum + pair.key.len() + pair.value.as_ref().map_or(Ok(0), |value| size(value, levels))?)
        }),
        _ => Ok(0),
    }
}
