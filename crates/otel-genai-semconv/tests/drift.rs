//! The checked-in lists against the conventions' own resolved registries, in both directions.
//!
//! The registries are not part of the repository. They are looked for in `OTEL_GENAI_SEMCONV_DIR`, else in
//! `../shared/semconv` beside the workspace; without them the tests say so and pass.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use otel_genai_semconv::metric::{Instrument, Number};
use otel_genai_semconv::requirement::{self, Kind, Type};
use otel_genai_semconv::table;
use serde_json::{Map, Value};

const CONVENTIONS: [&str; 2] = ["2026-08", "2026-10"];

/// The registries of the conventions, or nothing where they are absent.
fn registries() -> Vec<(&'static str, Value)> {
    let folder = std::env::var_os("OTEL_GENAI_SEMCONV_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/semconv"), PathBuf::from);
    if !folder.is_dir() {
        eprintln!("skipped: the conventions are not at {}", folder.display());
        return Vec::new();
    }
    let read = |convention| {
        let text = std::fs::read_to_string(folder.join(format!("resolved-{convention}.json"))).unwrap();
        (convention, serde_json::from_str(&text).unwrap())
    };
    CONVENTIONS.map(read).into()
}

fn object<'a>(registry: &'a Value, key: &str) -> &'a Map<String, Value> {
    registry[key].as_object().unwrap_or_else(|| panic!("the registry has no {key}"))
}

fn names(registry: &Value, key: &str) -> BTreeSet<String> {
    object(registry, key).keys().cloned().collect()
}

/// The names of a table that claim to be in the convention.
fn claimed(table: &[(&str, &[&str])], convention: &str) -> BTreeSet<String> {
    let members = table.iter().filter(|(_, conventions)| conventions.contains(&convention));
    members.map(|(name, _)| (*name).to_owned()).collect()
}

#[test]
fn attributes_are_those_of_the_registry_and_those_that_signals_borrow() {
    for (convention, registry) in registries() {
        let mut expected = names(&registry, "registry_attributes");
        for kind in ["spans", "span_refinements", "events", "metrics", "metric_refinements"] {
            for signal in object(&registry, kind).values() {
                expected.extend(names(signal, "attributes"));
            }
        }
        assert_eq!(claimed(table::ATTRIBUTES, convention), expected, "attributes of {convention}");
    }
}

#[test]
fn events_are_those_of_the_registry() {
    for (convention, registry) in registries() {
        assert_eq!(claimed(table::EVENTS, convention), names(&registry, "events"), "events of {convention}");
    }
}

#[test]
fn metrics_are_those_of_the_registry_with_unit_instrument_and_number() {
    for (convention, registry) in registries() {
        let described = object(&registry, "metrics").iter().map(|(name, metric)| {
            let number = metric["value_type"].as_str().unwrap_or("double");
            let text = |key: &str| metric[key].as_str().unwrap().to_owned();
            (name.clone(), text("unit"), text("instrument"), number.to_owned())
        });
        let known = table::METRICS.iter().filter(|(_, conventions)| conventions.contains(&convention));
        let known = known.map(|(metric, _)| {
            let instrument = match metric.instrument {
                Instrument::Counter => "counter",
                Instrument::Histogram => "histogram",
                other => panic!("the test does not know {other:?}"),
            };
            let number = match metric.number {
                Number::Int => "int",
                Number::Double => "double",
                other => panic!("the test does not know {other:?}"),
            };
            (metric.name.to_owned(), metric.unit.to_owned(), instrument.to_owned(), number.to_owned())
        });
        assert_eq!(known.collect::<BTreeSet<_>>(), described.collect(), "metrics of {convention}");
    }
}

#[test]
fn enum_values_are_those_of_the_registry() {
    // These live in the JSON schema of messages and are compared by the generator's own check.
    let of_schemas = ["finish_reason", "role", "modality"];
    for (convention, registry) in registries() {
        let expected = object(&registry, "enums").iter().flat_map(|(name, values)| {
            values.as_array().unwrap().iter().map(|value| (name.clone(), value.as_str().unwrap().to_owned()))
        });
        let known = table::VALUES
            .iter()
            .filter(|(name, _, conventions)| conventions.contains(&convention) && !of_schemas.contains(name))
            .map(|(name, value, _)| ((*name).to_owned(), (*value).to_owned()));
        assert_eq!(known.collect::<BTreeSet<_>>(), expected.collect(), "enum values of {convention}");
    }
}

#[test]
fn requirements_are_those_of_the_registry() {
    for (convention, registry) in registries() {
        let ours = match convention {
            "2026-08" => requirement::V2026_08,
            _ => requirement::V2026_10,
        };
        assert_eq!(ours.name, convention);

        let mut expected = names(&registry, "registry_attributes");
        for kind in ["spans", "events", "metrics"] {
            expected.extend(object(&registry, kind).values().flat_map(|signal| names(signal, "attributes")));
        }
        assert_eq!(owned(ours.attributes.iter().map(|attribute| attribute.name)), expected, "{convention}");
        for attribute in ours.attributes {
            // The types of what is borrowed are ours, in `core.toml`.
            if let Some(defined) = registry["registry_attributes"].get(attribute.name) {
                assert_eq!(
                    type_name(attribute.r#type),
                    defined["type"],
                    "{} of {convention}",
                    attribute.name
                );
                assert_eq!(attribute.deprecated, defined.get("deprecated").is_some(), "{}", attribute.name);
            }
        }

        assert_eq!(owned(ours.spans.iter().map(|span| span.name)), names(&registry, "spans"));
        for span in ours.spans {
            let declared = &registry["spans"][span.name];
            let kind = match span.kind {
                Kind::Client => "client",
                Kind::Internal => "internal",
                Kind::Server => "server",
            };
            assert_eq!(kind, declared["kind"], "{} of {convention}", span.name);
            assert_eq!(owned(span.required.iter().copied()), of_level(declared, "required"), "{}", span.name);
            let recommended = owned(span.recommended.iter().copied());
            assert_eq!(recommended, of_level(declared, "recommended"), "{}", span.name);
        }
        let events = ours.events.iter().map(|event| ("events", event.name, event.required));
        let metrics = ours.metrics.iter().map(|metric| ("metrics", metric.definition.name, metric.required));
        for (kind, name, required) in events.chain(metrics) {
            let declared = of_level(&registry[kind][name], "required");
            assert_eq!(owned(required.iter().copied()), declared, "{name} of {convention}");
        }
        assert_eq!(owned(ours.events.iter().map(|event| event.name)), names(&registry, "events"));
        let metrics = owned(ours.metrics.iter().map(|metric| metric.definition.name));
        assert_eq!(metrics, names(&registry, "metrics"));
    }
}

fn owned<'a>(names: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    names.map(str::to_owned).collect()
}

/// The attributes that a signal has at the level without a condition.
fn of_level(signal: &Value, level: &str) -> BTreeSet<String> {
    let attributes = object(signal, "attributes").iter();
    let of_level =
        attributes.filter(|(_, one)| one["requirement_level"] == level && one.get("condition").is_none());
    of_level.map(|(name, _)| name.clone()).collect()
}

fn type_name(r#type: Type) -> &'static str {
    match r#type {
        Type::Any => "any",
        Type::Boolean => "boolean",
        Type::Double => "double",
        Type::Enum => "enum",
        Type::Int => "int",
        Type::String => "string",
        Type::Strings => "string[]",
        Type::StringTemplate => "template[string]",
    }
}

#[test]
fn histograms_have_ascending_boundaries_and_counters_none() {
    for (metric, conventions) in table::METRICS {
        assert!(!conventions.is_empty(), "{}", metric.name);
        assert!(metric.boundaries.is_sorted_by(|low, high| low < high), "{}", metric.name);
        assert_eq!(metric.boundaries.is_empty(), metric.instrument == Instrument::Counter, "{}", metric.name);
    }
}
