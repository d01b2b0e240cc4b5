//! What differs between two telemetries.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Value, json};

use crate::telemetry::{Attributes, Point, Telemetry};

/// One difference.
#[derive(Debug)]
pub(crate) struct Difference {
    pub(crate) place: Place,
    /// The attribute; for the rest what it is: `name`, `status`, `count`, ...
    pub(crate) key: String,
    pub(crate) expected: Option<Value>,
    pub(crate) actual: Option<Value>,
}

/// Where things differ. The number is that of the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Span(usize),
    Event(usize),
    Metric(String),
    /// How many there are.
    Count(&'static str),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |value: &Option<Value>| value.as_ref().map_or("nothing".to_owned(), Value::to_string);
        let Difference { place, key, expected, actual } = self;
        write!(f, "{place:?} {key}: expected {}, got {}", told(expected), told(actual))
    }
}

pub(crate) fn differences(expected: &Telemetry, actual: &Telemetry) -> Vec<Difference> {
    let mut found = Found(Vec::new());
    let count = |what| Place::Count(what);
    found.value(count("spans"), "count", json!(expected.spans.len()), json!(actual.spans.len()));
    for (at, (expected, actual)) in expected.spans.iter().zip(&actual.spans).enumerate() {
        let place = Place::Span(at);
        found.value(place.clone(), "name", json!(expected.name), json!(actual.name));
        found.value(place.clone(), "kind", json!(expected.kind), json!(actual.kind));
        found.value(place.clone(), "status", json!(expected.status), json!(actual.status));
        found.attributes(&place, &expected.attributes, &actual.attributes);
    }
    found.value(count("events"), "count", json!(expected.events.len()), json!(actual.events.len()));
    for (at, (expected, actual)) in expected.events.iter().zip(&actual.events).enumerate() {
        let place = Place::Event(at);
        found.value(place.clone(), "name", json!(expected.name), json!(actual.name));
        found.value(place.clone(), "severity", json!(expected.severity), json!(actual.severity));
        found.value(place.clone(), "linked", json!(expected.linked), json!(actual.linked));
        found.value(place.clone(), "body", expected.body.clone(), actual.body.clone());
        found.attributes(&place, &expected.attributes, &actual.attributes);
    }
    let names: BTreeSet<&String> = expected.metrics.keys().chain(actual.metrics.keys()).collect();
    for name in names {
        let place = Place::Metric(name.clone());
        match (expected.metrics.get(name), actual.metrics.get(name)) {
            (Some(expected), Some(actual)) => {
                found.value(place.clone(), "unit", json!(expected.unit), json!(actual.unit));
                let (said, says) = (&expected.description, &actual.description);
                found.value(place.clone(), "description", json!(said), json!(says));
                found.points(&place, &expected.points, &actual.points);
            }
            (Some(_), None) => found.push(place, "metric", Some(json!("recorded")), None),
            (None, _) => found.push(place, "metric", None, Some(json!("recorded"))),
        }
    }
    found.0
}

struct Found(Vec<Difference>);

impl Found {
    fn push(&mut self, place: Place, key: &str, expected: Option<Value>, actual: Option<Value>) {
        self.0.push(Difference { place, key: key.to_owned(), expected, actual });
    }

    fn value(&mut self, place: Place, key: &str, expected: Value, actual: Value) {
        if !same(&expected, &actual) {
            self.push(place, key, Some(expected), Some(actual));
        }
    }

    fn attributes(&mut self, place: &Place, expected: &Attributes, actual: &Attributes) {
        for key in differing(expected, actual) {
            self.push(place.clone(), key, expected.get(key).cloned(), actual.get(key).cloned());
        }
    }

    /// Pairs each point with the one that is most like it.
    fn points(&mut self, place: &Place, expected: &[Point], actual: &[Point]) {
        self.value(place.clone(), "points", json!(expected.len()), json!(actual.len()));
        let mut left: Vec<&Point> = actual.iter().collect();
        for expected in expected {
            let unlike = |point: &&Point| {
                let counts = expected.count != point.count || expected.sum != point.sum;
                (differing(&expected.attributes, &point.attributes).len(), counts)
            };
            let Some(at) = (0..left.len()).min_by_key(|at| unlike(&left[*at])) else { return };
            let actual = left.swap_remove(at);
            self.attributes(place, &expected.attributes, &actual.attributes);
            self.value(place.clone(), "count", json!(expected.count), json!(actual.count));
            self.value(place.clone(), "bounds", json!(expected.bounds), json!(actual.bounds));
            if let (Some(expected), Some(actual)) = (expected.sum, actual.sum) {
                self.value(place.clone(), "sum", json!(expected), json!(actual));
            }
        }
    }
}

fn differing<'a>(expected: &'a Attributes, actual: &'a Attributes) -> Vec<&'a String> {
    let keys: BTreeSet<&String> = expected.keys().chain(actual.keys()).collect();
    let differs = |key: &&String| match (expected.get(*key), actual.get(*key)) {
        (Some(expected), Some(actual)) => !same(expected, actual),
        _ => true,
    };
    keys.into_iter().filter(differs).collect()
}

/// Whether the values are the same. A number is one, however it is written; a duration is any.
fn same(expected: &Value, actual: &Value) -> bool {
    match (expected, actual) {
        (Value::Number(expected), Value::Number(actual)) => expected.as_f64() == actual.as_f64(),
        (Value::Array(expected), Value::Array(actual)) => {
            expected.len() == actual.len() && expected.iter().zip(actual).all(|(a, b)| same(a, b))
        }
        (Value::Object(expected), _) if expected.contains_key("$duration_s") => {
            actual.as_f64().is_some_and(|seconds| seconds >= 0.0)
        }
        (Value::Object(expected), Value::Object(actual)) => {
            expected.len() == actual.len()
                && expected.iter().all(|(key, value)| actual.get(key).is_some_and(|other| same(value, other)))
        }
        _ => expected == actual,
    }
}
