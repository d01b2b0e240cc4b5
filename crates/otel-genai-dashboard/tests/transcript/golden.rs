//! One exchange, told in every mode of several instrumentations, is one transcript.

use serde_json::Value as Json;

use crate::evidence::reading;
use crate::recorded::cases;

#[test]
fn all_modes_of_recorded_exchanges_give_one_transcript() {
    let mut compared = 0;
    let mut wrong = Vec::new();
    for case in cases(&["wire/contrib", "wire/rig", "wire/variant", "wire/synth", "wire/request"]) {
        let modes: Vec<&str> = case.modes().into_iter().filter(|mode| !mode.contains("no_content") && !case.has_bug(mode)).collect();
        let readings: Vec<(&str, Vec<Json>)> =
            modes.iter().map(|mode| (*mode, reading(&case.told(mode).transcript()))).collect();
        let Some((first_mode, first)) = readings.first() else { continue };
        for (mode, other) in &readings[1..] {
            // Some do not know an API at all.
            if other.is_empty() {
                continue;
            }
            compared += 1;
            if other != first {
                wrong.push(format!("{}\n {first_mode}\n  {}\n {mode}\n  {}", case.name, Json::from(first.clone()), Json::from(other.clone())));
            }
        }
    }
    println!("{compared} compared");
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
