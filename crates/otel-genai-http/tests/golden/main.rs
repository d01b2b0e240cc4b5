//! Recorded exchanges with OpenAI and compatible servers, and the telemetry that the official Python instrumentation
//! (`opentelemetry-instrumentation-genai-openai` 1.3b0) wrote for them, against what an observed exchange leaves here.
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
mod deviation;
mod drive;
mod telemetry;

use std::collections::BTreeMap;

use otel_genai::Capture;

use telemetry::Telemetry;

const MODES: [(&str, Capture); 2] =
    [("span_and_event", Capture::SpanAndEvent), ("no_content", Capture::NoContent)];

#[test]
fn recorded_exchanges_give_the_expected_telemetry() {
    let Some(cases) = case::all() else {
        println!("skipped: there are no recorded exchanges; OTEL_GENAI_GOLDEN_DIR may name a folder of them");
        return;
    };
    let mut compared = 0;
    let mut skipped: BTreeMap<&str, usize> = BTreeMap::new();
    let mut deviations: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut failures = Vec::new();
    for case in &cases {
        if let Some(reason) = case.skip() {
            *skipped.entry(reason).or_default() += 1;
            continue;
        }
        compared += 1;
        for (mode, capture) in MODES {
            let Some(expected) = case.expected(mode) else { continue };
            let actual = drive::run(case, capture);
            for difference in compare::differences(&expected, &actual) {
                match deviation::find(case, mode, &difference) {
                    Some(deviation) => {
                        let cases = deviations.entry(deviation).or_default();
                        if !cases.contains(&case.id) {
                            cases.push(case.id.clone());
                        }
                    }
                    None => failures.push(format!("{} {mode}: {difference}", case.id)),
                }
            }
        }
    }
    println!("{compared} cases compared in {} modes each", MODES.len());
    for (reason, count) in skipped {
        println!("{count} cases skipped: {reason}");
    }
    for (name, cases) in deviations {
        println!("{:4} cases deviate: {name}: {}", cases.len(), deviation::why(name));
    }
    assert!(failures.is_empty(), "{} differences:\n{}", failures.len(), failures.join("\n"));
    assert!(compared > 0, "a folder of recorded exchanges without one that could be compared");
}

#[test]
fn a_retry_is_a_call_of_its_own() {
    let Some(cases) = case::all() else { return };
    for case in cases.iter().filter(|case| case.skip().is_none()) {
        for attempt in case.retried() {
            let actual: Telemetry = drive::exchange(case, attempt, Capture::NoContent);
            let [span] = actual.spans.as_slice() else { panic!("{}: {:?}", case.id, actual.spans) };
            assert_eq!(span.status, "ERROR", "{}: an attempt that was repeated had failed", case.id);
            assert!(span.attributes.contains_key("error.type"), "{}", case.id);
        }
    }
}
