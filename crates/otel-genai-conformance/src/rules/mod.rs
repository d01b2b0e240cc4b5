//! The rules, signal by signal.

mod attributes;
mod metric;
mod span;

use crate::checker::Checker;
use crate::finding::{Finding, Id, Signal};
use crate::telemetry::{Attributes, Event, Telemetry, get};

/// Names that are no finding on a resource although no convention here has them.
const ON_RESOURCES: &[&str] = &[
    "service.name",
    "service.instance.id",
    "telemetry.sdk.language",
    "telemetry.sdk.name",
    "telemetry.sdk.version",
    "telemetry.auto.version",
];

/// Everything that is found, in no order.
pub(crate) fn judge(checker: &Checker, telemetry: &Telemetry) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut judging = |signal, judge: &dyn Fn(&mut Report<'_>)| {
        judge(&mut Report { checker, signal, findings: &mut findings });
    };
    for attributes in &telemetry.resources {
        judging(Signal::Resource, &|report| resource(report, attributes));
    }
    for scope in &telemetry.scopes {
        let signal = Signal::Scope(scope.name.clone());
        judging(signal, &|report| attributes::judge(report, &scope.attributes, &[]));
    }
    for span in &telemetry.spans {
        judging(Signal::Span(span.name.clone()), &|report| span::judge(report, span));
        for event in &span.events {
            let signal = Signal::SpanEvent(span.name.clone(), event.name.clone());
            judging(signal, &|report| attributes::judge(report, &event.attributes, &[]));
        }
        for link in &span.links {
            let signal = Signal::SpanLink(span.name.clone());
            judging(signal, &|report| attributes::judge(report, link, &[]));
        }
    }
    for one in &telemetry.events {
        judging(Signal::Event(one.name.clone()), &|report| event(report, one));
    }
    for metric in &telemetry.metrics {
        judging(Signal::Metric(metric.name.clone()), &|report| metric::judge(report, metric));
    }
    findings
}

/// Takes findings about one signal.
struct Report<'a> {
    checker: &'a Checker,
    signal: Signal,
    findings: &'a mut Vec<Finding>,
}

impl Report<'_> {
    fn find(&mut self, id: Id, attribute: Option<&str>, message: impl Into<String>) {
        self.findings.push(Finding {
            id,
            signal: self.signal.clone(),
            attribute: attribute.map(str::to_owned),
            message: message.into(),
        });
    }

    fn convention(&self) -> &'static str {
        self.checker.convention.as_str()
    }
}

fn resource(report: &mut Report<'_>, attributes: &Attributes) {
    attributes::judge(report, attributes, ON_RESOURCES);
    // The one entity of these conventions has an id, or is not there.
    const ENTITY: &str = "gen_ai.main_agent.";
    const ENTITY_ID: &str = "gen_ai.main_agent.id";
    let has_entity = attributes.iter().any(|(name, _)| name.starts_with(ENTITY));
    if has_entity
        && report.checker.registry.attribute(ENTITY_ID).is_some()
        && get(attributes, ENTITY_ID).is_none()
    {
        report.find(
            Id::RequiredAttributeNotPresent,
            Some(ENTITY_ID),
            "the entity gen_ai.main_agent needs its id",
        );
    }
}

fn event(report: &mut Report<'_>, event: &Event) {
    attributes::judge(report, &event.attributes, &[]);
    attributes::judge_structure(report, &event.attributes);
    if event.name.is_empty() || report.checker.allows(&event.name) {
        return;
    }
    match report.checker.registry.event(&event.name) {
        Some(declared) => required(report, declared.required, &event.attributes),
        None => {
            let elsewhere = report.checker.registry.elsewhere(&event.name);
            let message =
                format!("the convention {} does not know the event{elsewhere}", report.convention());
            report.find(Id::MissingEvent, None, message);
        }
    }
}

/// Reports the attributes out of `required` that are missing.
fn required(report: &mut Report<'_>, required: &[&str], attributes: &Attributes) {
    for name in required.iter().filter(|name| get(attributes, name).is_none()) {
        let message = format!("the convention {} requires it", report.convention());
        report.find(Id::RequiredAttributeNotPresent, Some(name), message);
    }
}
