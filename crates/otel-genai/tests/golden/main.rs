//! Small programs that use a GenAI handler, and the telemetry that the reference implementations wrote for them,
//! against what this library writes for the same program:
//!
//! | convention   | reference                           |
//! | ------------ | ----------------------------------- |
//! | `loongsuite` | `loongsuite-otel-util-genai` 0.9.1  |
//! | `2026-08`    | `opentelemetry-util-genai` 1.3b0    |
//!
//! A case says what the application did (`case`), [`play`] does the same here, [`telemetry`] brings both results into
//! one form and [`compare`] tells where they differ. Every difference that is meant stands in [`deviation`], with its
//! reason; any other fails.
//!
//! The cases lie outside of the repository: in `../shared/golden/handler` beside it, or in `handler` below the folder
//! that `OTEL_GENAI_GOLDEN_DIR` names. Without them there is nothing to test. `GOLDEN_ONLY=2026-08/up.tool` plays those
//! cases of that convention alone whose id begins so.
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
mod fields;
mod hook;
mod play;
mod seen;
mod telemetry;
mod value;

use std::collections::BTreeMap;
use std::panic;

use case::REFERENCES;
use deviation::{DEVIATIONS, Deviation};
use seen::Seen;

#[test]
fn programs_give_the_telemetry_of_the_references() {
    let Some(cases) = case::all() else {
        println!("skipped: there are no cases; OTEL_GENAI_GOLDEN_DIR may name a folder of them");
        return;
    };
    let mut failures = Vec::new();
    let mut excepted: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut played = 0;
    for reference in &REFERENCES {
        let mut equal = 0;
        let cases: Vec<_> = cases.iter().filter(|case| case.is_wanted(reference)).collect();
        for case in &cases {
            let expected = case.expected(reference).unwrap();
            let name = format!("{}/{}", reference.convention, case.id);
            let Ok(actual) = panic::catch_unwind(|| play::play(case, reference)) else {
                failures.push(format!("{name}: cannot be played, see above"));
                continue;
            };
            let mut is_equal = true;
            for difference in compare::differences(expected, &actual) {
                let deviation = deviation::find(&Seen { case, reference, difference: &difference });
                is_equal &= deviation.is_some_and(Deviation::is_label);
                match deviation {
                    Some(deviation) => excepted.entry(deviation.name).or_default().push(name.clone()),
                    None => failures.push(format!("{name}: {difference}")),
                }
            }
            equal += usize::from(is_equal);
        }
        played += cases.len();
        println!(
            "{}: {} cases played, {equal} of them equal but for labels",
            reference.convention,
            cases.len()
        );
    }
    for deviation in DEVIATIONS {
        let cases = excepted.get(deviation.name).map_or(&[][..], Vec::as_slice);
        let mut distinct = cases.to_vec();
        distinct.dedup();
        let (differences, distinct) = (cases.len(), distinct.len());
        println!("{differences:5} differences in {distinct:3} cases: {}: {}", deviation.name, deviation.why);
    }
    assert!(failures.is_empty(), "{} differences:\n{}", failures.len(), failures.join("\n"));
    assert!(played > 0, "a folder without a case that could be played");
    if case::are_all() {
        let unused = DEVIATIONS.iter().map(|deviation| deviation.name);
        // Operations of one kind within each other are in other folders of this shape.
        let unused = unused.filter(|name| *name != "the same call");
        let unused: Vec<_> = unused.filter(|name| !excepted.contains_key(name)).collect();
        assert!(unused.is_empty(), "nothing deviates so any more, take it off the list: {unused:?}");
    }
}
