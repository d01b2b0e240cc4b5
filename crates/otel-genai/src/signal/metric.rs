//! The instruments of a convention, created once with the boundaries it advises.

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, Meter};
use otel_genai_semconv::metric::{Instrument, Metric, Number};

use crate::convention::Measurements;

/// A convention's instruments. There are few, so a list is the fastest map.
#[derive(Debug)]
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

    pub(crate) fn record(&self, metric: &Metric, value: f64, attributes: &[KeyValue]) {
        if let Some((_, recorder)) = self.0.iter().find(|(name, _)| *name == metric.name) {
            recorder.record(value, attributes);
        }
    }

    pub(crate) fn record_all(&self, measurements: Measurements) {
        let Measurements { mut attributes, points } = measurements;
        let shared = attributes.len();
        for (metric, value, own) in points {
            attributes.extend(own);
            self.record(metric, value, &attributes);
            attributes.truncate(shared);
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
