//! Recorded exchanges with OpenAI and compatible servers, and the telemetry that the official Python instrumentations
//! (see `reference.rs`) wrote for them, against what an observed exchange leaves here.
//!
//! Every difference that is meant stands in `deviation.rs`, with its reason; any other fails. The cases lie outside of
//! the repository: in `../shared/golden/wire` beside it, or where `OTEL_GENAI_GOLDEN_DIR` says. Without them there is
//! nothing to test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod case;
mod compare;
mod context;
mod deviation;
mod drive;
mod reference;
mod telemetry;

use std::collections::BTreeMap;

use otel_genai::{Capture, ConventionName};

use reference::REFERENCES;
use telemetry::Telemetry;

#[test]
fn recorded_exchanges_give_the_expected_telemetry() {
    let Some(cases) = case::all() else {
        println!("skipped: there are no recorded exchanges; OTEL_GENAI_GOLDEN_DIR may name a folder of them");
        return;
    };
    let mut compared: BTreeMap<String, usize> = BTreeMap::new();
    let mut deviations: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut failures = Vec::new();
    for case in &cases {
        for reference in &REFERENCES {
            let Some(expected) = case.expected(reference) else { continue };
            *compared.entry(format!("{} {}", reference.name, reference.mode)).or_default() += 1;
            let actual = drive::run(case, reference.convention, reference.capture);
            for difference in compare::differences(&expected, &actual) {
                match deviation::find(case, reference, &difference) {
                    Some(deviation) => {
                        let cases = deviations.entry(deviation).or_default();
                        if !cases.contains(&case.id) {
                            cases.push(case.id.clone());
                        }
                    }
                    None => failures
                        .push(format!("{} {} {}: {difference}", case.id, reference.name, reference.mode)),
                }
            }
        }
    }
    for (reference, count) in &compared {
        println!("{count} cases compared with {reference}");
    }
    for (name, cases) in deviations {
        println!("{:4} cases deviate: {name}: {}", cases.len(), deviation::why(name));
    }
    assert!(failures.is_empty(), "{} differences:\n{}", failures.len(), failures.join("\n"));
    assert!(!compared.is_empty(), "a folder of recorded exchanges without one that could be compared");
}

#[test]
fn a_retry_is_a_call_of_its_own() {
    let Some(cases) = case::all() else { return };
    for case in &cases {
        for attempt in case.retried() {
            let actual: Telemetry =
                drive::exchange(case, attempt, ConventionName::default(), Capture::NoContent);
            let [span] = actual.spans.as_slice() else { panic!("{}: {:?}", case.id, actual.spans) };
            assert_eq!(span.status, "ERROR", "{}: an attempt that was repeated had failed", case.id);
            assert!(span.attributes.contains_key("error.type"), "{}", case.id);
        }
    }
}
