//! Rules for metrics.

use otel_genai_semconv::metric;

use super::{Report, attributes, required};
use crate::finding::Id;
use crate::telemetry::{Instrument, Metric};

pub(super) fn judge(report: &mut Report<'_>, metric: &Metric) {
    for point in &metric.points {
        attributes::judge(report, &point.attributes, &[]);
        for exemplar in &point.exemplars {
            attributes::judge(report, exemplar, &[]);
        }
        // What is no number is no duration either.
        if metric.unit == "s" && point.lowest.is_some_and(|lowest| lowest < 0.0 || lowest.is_nan()) {
            report.find(Id::NegativeDuration, None, "a point is below zero");
        }
    }
    if report.checker.allows(&metric.name) {
        return;
    }
    let Some(declared) = report.checker.registry.metric(&metric.name) else {
        let elsewhere = report.checker.registry.elsewhere(&metric.name);
        let message = format!("the convention {} does not know the metric{elsewhere}", report.convention());
        report.find(Id::MissingMetric, None, message);
        return;
    };
    let definition = declared.definition;
    if metric.unit != definition.unit {
        let message = format!("is in {:?}, must be in {:?}", metric.unit, definition.unit);
        report.find(Id::UnitMismatch, None, message);
    }
    if !is_instrument(metric.instrument, definition.instrument) {
        let message = format!("is {:?}, must be {:?}", metric.instrument, definition.instrument);
        report.find(Id::UnexpectedInstrument, None, message);
    }
    for point in &metric.points {
        required(report, declared.required, &point.attributes);
    }
}

fn is_instrument(found: Instrument, declared: metric::Instrument) -> bool {
    match declared {
        metric::Instrument::Counter => found == Instrument::Counter,
        metric::Instrument::Histogram => found == Instrument::Histogram,
        _ => false,
    }
}
