//! What differs between two telemetries.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value, json};

/// One difference.
#[derive(Debug)]
pub(crate) struct Difference {
    pub(crate) place: Place,
    /// Attributes have their name; all else is `.what`: `.name`, `.status`, `.count`, ...
    pub(crate) key: String,
    pub(crate) expected: Option<Value>,
    pub(crate) actual: Option<Value>,
    /// The span, event or point of a metric in which it is, as the reference wrote it; null where it wrote none.
    pub(crate) whole: Value,
}

/// Where things differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The n-th span.
    Span(usize),
    /// An event of this name.
    Event(String),
    /// A metric of this name.
    Metric(String),
    /// What was current at that moment of the program.
    Probe(String),
    /// What the completion hook saw.
    Hook,
    /// The case as a whole.
    Case,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |value: &Option<Value>| value.as_ref().map_or("nothing".to_owned(), Value::to_string);
        let Difference { place, key, expected, actual, .. } = self;
        write!(f, "{place:?} {key}: expected {}, got {}", told(expected), told(actual))
    }
}

/// What the cases say of telemetry and is not a matter of the Python SDK or of chance.
const OF_SPANS: [&str; 8] = ["trace", "parent", "name", "kind", "status", "events", "links", "ended"];
const OF_EVENTS: [&str; 3] = ["severity_number", "severity_text", "body"];
const OF_METRICS: [&str; 4] = ["unit", "description", "type", "temporality"];
const OF_POINTS: [&str; 6] = ["count", "bounds", "sum", "min", "max", "bucket_counts"];
const OF_HOOKS: [&str; 5] = ["inputs", "outputs", "system_instruction", "tool_definitions", "span_recording"];

pub(crate) fn differences(expected: &Value, actual: &Value) -> Vec<Difference> {
    let mut found = Found(Vec::new());
    let spans = (list(&expected["spans"]), list(&actual["spans"]));
    for at in 0..spans.0.len().max(spans.1.len()) {
        let (expected, actual) = (spans.0.get(at), spans.1.get(at));
        found.both(&Place::Span(at), expected, actual, |found, place, expected, actual| {
            found.members(place, expected, actual, &OF_SPANS);
            found.attributes(place, expected, &expected["attributes"], &actual["attributes"]);
            found.attributes(place, expected, &scope(expected), &scope(actual));
        });
    }
    for (name, span) in events(expected).union(&events(actual)) {
        let of = |telemetry: &Value| -> Vec<Value> {
            list(&telemetry["logs"])
                .iter()
                .filter(|log| event(log) == (name.clone(), span.clone()))
                .cloned()
                .collect()
        };
        let (expected, actual) = (of(expected), of(actual));
        for at in 0..expected.len().max(actual.len()) {
            let place = Place::Event(name.clone());
            found.both(&place, expected.get(at), actual.get(at), |found, place, expected, actual| {
                found.members(place, expected, actual, &OF_EVENTS);
                found.attributes(place, expected, &expected["attributes"], &actual["attributes"]);
                found.attributes(place, expected, &scope(expected), &scope(actual));
            });
        }
    }
    for name in metrics(expected).union(&metrics(actual)) {
        let named = |metrics: &Value| list(metrics).iter().find(|metric| metric["name"] == *name).cloned();
        let (expected, actual) = (named(&expected["metrics"]), named(&actual["metrics"]));
        let place = Place::Metric(name.clone());
        found.both(&place, expected.as_ref(), actual.as_ref(), |found, place, expected, actual| {
            found.members(place, expected, actual, &OF_METRICS);
            found.attributes(place, expected, &scope(expected), &scope(actual));
            found.points(place, list(&expected["points"]), list(&actual["points"]));
        });
    }
    let nothing = json!({});
    for (label, expected) in expected["probes"].as_object().into_iter().flatten() {
        let actual = actual["probes"].get(label).unwrap_or(&nothing);
        let place = Place::Probe(label.clone());
        found.members(&place, expected, actual, &["current_span", "baggage"]);
    }
    found.members(&Place::Case, expected, actual, &["context_restored"]);
    let [expected, actual] = [expected, actual].map(|telemetry| list(&telemetry["completion_hook_calls"]));
    for at in 0..expected.len().max(actual.len()) {
        found.both(&Place::Hook, expected.get(at), actual.get(at), |found, place, expected, actual| {
            found.members(place, expected, actual, &OF_HOOKS);
        });
    }
    found.0
}

struct Found(Vec<Difference>);

impl Found {
    fn push(
        &mut self,
        place: &Place,
        whole: &Value,
        key: impl Into<String>,
        expected: Option<Value>,
        actual: Option<Value>,
    ) {
        let (place, whole) = (place.clone(), whole.clone());
        self.0.push(Difference { place, key: key.into(), expected, actual, whole });
    }

    /// Compares two things that should both be there.
    fn both(
        &mut self,
        place: &Place,
        expected: Option<&Value>,
        actual: Option<&Value>,
        compare: impl FnOnce(&mut Self, &Place, &Value, &Value),
    ) {
        let told =
            |thing: Option<&Value>| thing.map(|thing| json!({"name": thing["name"], "span": thing["span"]}));
        match (expected, actual) {
            (Some(expected), Some(actual)) => compare(self, place, expected, actual),
            (expected, actual) => {
                let whole = expected.or(actual).cloned().unwrap_or_default();
                self.push(place, &whole, ".is", told(expected), told(actual));
            }
        }
    }

    fn members(&mut self, place: &Place, expected: &Value, actual: &Value, keys: &[&str]) {
        for key in keys {
            let (one, other) = (&expected[key], &actual[key]);
            let is_same = if *key == "bounds" { numbers(one) == numbers(other) } else { same(one, other) };
            if !is_same {
                self.push(place, expected, format!(".{key}"), Some(one.clone()), Some(other.clone()));
            }
        }
    }

    fn attributes(&mut self, place: &Place, whole: &Value, expected: &Value, actual: &Value) {
        for key in differing(expected, actual) {
            self.push(place, whole, &key, expected.get(&key).cloned(), actual.get(&key).cloned());
        }
    }

    /// Pairs each point with the one that is most like it.
    fn points(&mut self, place: &Place, expected: &[Value], actual: &[Value]) {
        let mut left: Vec<&Value> = actual.iter().collect();
        for expected in expected {
            let unlike = |point: &Value| {
                let counts = expected["count"] != point["count"] || expected["sum"] != point["sum"];
                (differing(&expected["attributes"], &point["attributes"]).len(), counts)
            };
            let Some(at) = (0..left.len()).min_by_key(|at| unlike(left[*at])) else {
                self.push(place, expected, ".is", Some(expected["attributes"].clone()), None);
                continue;
            };
            let actual = left.swap_remove(at);
            self.attributes(place, expected, &expected["attributes"], &actual["attributes"]);
            self.members(place, expected, actual, &OF_POINTS);
        }
        for actual in left {
            self.push(place, actual, ".is", None, Some(actual["attributes"].clone()));
        }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Its name and the span to which it belongs.
fn event(log: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&log["event_name"]), text(&log["span"]))
}

fn events(telemetry: &Value) -> BTreeSet<(String, String)> {
    list(&telemetry["logs"]).iter().map(event).collect()
}

fn metrics(telemetry: &Value) -> BTreeSet<String> {
    list(&telemetry["metrics"])
        .iter()
        .filter_map(|metric| metric["name"].as_str().map(str::to_owned))
        .collect()
}

fn numbers(value: &Value) -> Vec<Option<f64>> {
    list(value).iter().map(Value::as_f64).collect()
}

/// The instrumentation scope as if it were attributes.
fn scope(thing: &Value) -> Value {
    let scope = thing["scope"].as_object().into_iter().flatten();
    let told = scope.filter(|(_, value)| !value.is_null());
    told.map(|(key, value)| (format!(".scope.{key}"), value.clone())).collect::<Map<_, _>>().into()
}

fn differing(expected: &Value, actual: &Value) -> Vec<String> {
    let keys = |value: &Value| value.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect();
    let (one, other): (BTreeSet<String>, BTreeSet<String>) = (keys(expected), keys(actual));
    let differs = |key: &&String| match (expected.get(*key), actual.get(*key)) {
        (Some(expected), Some(actual)) => !same(expected, actual),
        _ => true,
    };
    one.union(&other).filter(differs).cloned().collect()
}

/// Whether the values are the same. A null member of an object is none, JSON in a text is what it says, a duration is
/// any. Whole numbers and floating ones are not the same.
pub(crate) fn same(expected: &Value, actual: &Value) -> bool {
    match (expected, actual) {
        (Value::Array(expected), Value::Array(actual)) => {
            expected.len() == actual.len() && expected.iter().zip(actual).all(|(a, b)| same(a, b))
        }
        (Value::Object(expected), _) if expected.contains_key("$duration_s") => {
            actual.as_f64().is_some_and(|seconds| seconds >= 0.0)
        }
        (Value::Object(expected), _) if expected.contains_key("$approx") => {
            let number = |key: &str| expected[key].as_f64().unwrap();
            actual.as_f64().is_some_and(|actual| (actual - number("$approx")).abs() <= number("tolerance"))
        }
        (Value::Object(expected), Value::Object(actual)) => {
            let is_in = |one: &Map<String, Value>, other: &Map<String, Value>| {
                let null = Value::Null;
                one.iter().all(|(key, value)| same(value, other.get(key).unwrap_or(&null)))
            };
            is_in(expected, actual)
                && actual.iter().all(|(key, value)| value.is_null() || expected.contains_key(key))
        }
        (Value::String(one), Value::String(other)) => {
            one == other
                || match (structure(one), structure(other)) {
                    (Some(one), Some(other)) => same(&one, &other),
                    _ => false,
                }
        }
        _ => expected == actual,
    }
}

/// The list or object that a text says as JSON.
pub(crate) fn structure(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().filter(|value: &Value| value.is_array() || value.is_object())
}
