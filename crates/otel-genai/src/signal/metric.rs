//! The instruments of a convention, created once with the boundaries it advises.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, Meter};
use otel_genai_semconv::metric::{Instrument, Metric, Number};

use super::{add_missing, listed, replace};
use crate::context::Calls;
use crate::convention::{Amount, Measures, Metrics, Point, Telling, Told};

/// A convention's instruments. There are few, so a list is the fastest map.
#[derive(Debug, Default)]
pub(crate) struct Instruments(Vec<(&'static str, Recorder)>);

#[derive(Debug)]
enum Recorder {
    Seconds(Histogram<f64>),
    Counts(Histogram<u64>),
    Sum(Counter<u64>),
}

impl Instruments {
    pub(crate) fn new(meter: &Meter, metrics: &[&'static Metric]) -> Self {
        Instruments(metrics.iter().map(|metric| (metric.name, Recorder::new(meter, metric))).collect())
    }

    /// Whether nothing is measured.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn record(&self, metric: &Metric, value: f64, attributes: &[KeyValue]) {
        if let Some((_, recorder)) = self.0.iter().find(|(name, _)| *name == metric.name) {
            recorder.record(value, attributes);
        }
    }
}

impl Recorder {
    fn new(meter: &Meter, metric: &Metric) -> Self {
        let boundaries = metric.boundaries.to_vec();
        match (metric.instrument, metric.number) {
            (Instrument::Counter, _) => Recorder::Sum(
                meter
                    .u64_counter(metric.name)
                    .with_unit(metric.unit)
                    .with_description(metric.description)
                    .build(),
            ),
            (_, Number::Int) => Recorder::Counts(
                meter
                    .u64_histogram(metric.name)
                    .with_unit(metric.unit)
                    .with_description(metric.description)
                    .with_boundaries(boundaries)
                    .build(),
            ),
            _ => Recorder::Seconds(
                meter
                    .f64_histogram(metric.name)
                    .with_unit(metric.unit)
                    .with_description(metric.description)
                    .with_boundaries(boundaries)
                    .build(),
            ),
        }
    }

    fn record(&self, value: f64, attributes: &[KeyValue]) {
        match self {
            Recorder::Seconds(histogram) => histogram.record(value, attributes),
            // A float-to-int cast saturates, and counts are never negative.
            Recorder::Counts(histogram) => histogram.record(value as u64, attributes),
            Recorder::Sum(counter) => counter.add(value as u64, attributes),
        }
    }
}

/// What a convention sees of an ended operation.
pub(crate) struct View<'a> {
    pub(crate) telling: Telling,
    pub(crate) told: Told<'a>,
    pub(crate) identity: &'a [KeyValue],
}

/// What is measured of one ended operation, apart from what is known of it.
pub(crate) struct Measured<'a> {
    pub(crate) duration: Duration,
    pub(crate) calls: Option<&'a Calls>,
    pub(crate) error_type: Option<KeyValue>,
    /// The user's own attributes of metrics.
    pub(crate) custom: &'a [KeyValue],
}

impl Instruments {
    /// Records all metrics of an ended operation. A metric that two conventions share is recorded once, with the
    /// attributes of both.
    pub(crate) fn record_all(&self, views: &[Option<View<'_>>; 2], measured: &Measured<'_>) {
        for (position, view) in views.iter().enumerate() {
            let Some(View { telling, told, identity }) = view else { continue };
            let (before, after) = views.split_at(position);
            for Metrics { attributes, measures } in &telling.measures {
                let mut attributes = listed(attributes, told, identity);
                for other in after.iter().skip(1).flatten() {
                    for shared in
                        other.telling.measures.iter().filter(|other| shares(other.measures, measures))
                    {
                        add_missing(&mut attributes, listed(&shared.attributes, &other.told, other.identity));
                    }
                }
                for custom in measured.custom {
                    replace(&mut attributes, custom.clone());
                }
                for point in measures.points {
                    let is_told =
                        before.iter().flatten().any(|view| tells(view.telling.description.measures, point));
                    let Some(amount) = amount(point, told, measured).filter(|_| !is_told) else { continue };
                    let own = point.own.map(|(key, value)| KeyValue::new(key, value));
                    let error_type = measured.error_type.clone().filter(|_| point.error);
                    with(&mut attributes, own.into_iter().chain(error_type), |attributes| {
                        self.record(point.metric, amount, attributes);
                    });
                }
            }
        }
    }
}

/// Adds attributes for a moment. They win over those of their keys.
fn with(
    attributes: &mut Vec<KeyValue>,
    more: impl Iterator<Item = KeyValue>,
    record: impl FnOnce(&[KeyValue]),
) {
    let known = attributes.len();
    let mut hidden = Vec::new();
    for new in more {
        match attributes.iter_mut().find(|old| old.key == new.key) {
            Some(old) => hidden.push(std::mem::replace(old, new)),
            None => attributes.push(new),
        }
    }
    record(attributes);
    attributes.truncate(known);
    for old in hidden {
        replace(attributes, old);
    }
}

fn shares(one: &Measures, other: &Measures) -> bool {
    one.points.iter().any(|point| tells(std::slice::from_ref(other), point))
}

fn tells(measures: &[Measures], point: &Point) -> bool {
    measures.iter().flat_map(|measures| measures.points).any(|known| known.metric.name == point.metric.name)
}

fn amount(point: &Point, told: &Told<'_>, measured: &Measured<'_>) -> Option<f64> {
    // Counts are far below 2^53.
    Some(match point.amount {
        Amount::Duration => measured.duration.as_secs_f64(),
        Amount::Count(field) => told.count(field)? as f64,
        Amount::Custom(count) => count(told)? as f64,
        Amount::InferenceCalls => measured.calls?.inference() as f64,
        Amount::ToolCalls => measured.calls?.tool() as f64,
    })
}
