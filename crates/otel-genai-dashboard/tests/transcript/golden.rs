//! One exchange, told in every mode of several instrumentations, is one transcript; and nothing that was told is lost.

use std::collections::BTreeSet;

use otel_genai_dashboard::transcript::Transcript;
use otel_genai_store::{Attributes, ContentState};
use serde_json::Value as Json;

use crate::evidence::{Told, reading};
use crate::recorded::cases;

const EXCHANGES: &[&str] = &["wire/contrib", "wire/rig", "wire/variant", "wire/synth", "wire/request"];
const HANDLERS: &[&str] = &["handler/upstream", "handler/loongsuite", "handler/seed003", "handler/shared"];

/// Told with a call before the text by some, and behind it by others.
const ORDER: &[&str] = &["synth.chat_shape.text_and_tool"];

#[test]
fn all_modes_of_recorded_exchanges_give_one_transcript() {
    let (mut compared, mut told_less) = (0, 0);
    let mut wrong = Vec::new();
    let cases = cases(EXCHANGES);
    for case in &cases {
        let modes =
            case.modes().into_iter().filter(|mode| !mode.contains("no_content") && !case.has_bug(mode));
        let told: Vec<(&str, Told)> = modes.map(|mode| (mode, case.told(mode))).collect();
        let Some((first_mode, first)) = told.first() else { continue };
        let (first_leaves, first_reading) = (leaves(first), reading(&first.transcript()));
        for (mode, other) in &told[1..] {
            // Some leave out what others tell, or do not know an API at all.
            if leaves(other) != first_leaves || ORDER.contains(&case.name.as_str()) {
                told_less += 1;
                continue;
            }
            compared += 1;
            let reading = reading(&other.transcript());
            if reading != first_reading {
                let (first, other) = (Json::from(first_reading.clone()), Json::from(reading));
                wrong.push(format!("{}\n {first_mode}\n  {first}\n {mode}\n  {other}", case.name));
            }
        }
    }
    println!("{compared} compared, {told_less} told something else");
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cases.is_empty() || compared > 300, "only {compared} can be compared");
}

#[test]
fn all_modes_of_a_handler_give_one_transcript() {
    let mut by_case: std::collections::BTreeMap<(String, String), Vec<(String, Told)>> = Default::default();
    for case in cases(HANDLERS) {
        let modes = [".span_only", ".event_only", ".span_and_event"];
        let Some(mode) = modes.into_iter().find(|mode| case.name.ends_with(mode)) else { continue };
        let stem = case.name.trim_end_matches(mode).to_owned();
        for reference in case.modes() {
            let told = (mode.to_owned(), case.told(reference));
            by_case.entry((stem.clone(), reference.to_owned())).or_default().push(told);
        }
    }
    let mut compared = 0;
    for ((stem, reference), modes) in by_case {
        let with: Vec<_> = modes.iter().filter(|(_, told)| !leaves(told).is_empty()).collect();
        let Some((first_mode, first)) = with.first() else { continue };
        for (mode, other) in &with[1..] {
            if leaves(first) == leaves(other) {
                compared += 1;
                assert_eq!(
                    reading(&first.transcript()),
                    reading(&other.transcript()),
                    "{stem} of {reference}: {first_mode} and {mode}"
                );
            }
        }
    }
    println!("{compared} compared");
}

#[test]
fn nothing_that_was_told_is_lost() {
    let all: Vec<&str> = EXCHANGES.iter().chain(HANDLERS).copied().collect();
    let (mut seen, mut lost) = (0, Vec::new());
    for case in cases(&all) {
        for mode in case.modes() {
            let told = case.told(mode);
            // What tools, searches and memories are told stands with their spans.
            if told.spans.iter().chain(&[]).any(|span| span.facts.op.is_none()) {
                continue;
            }
            let transcript = told.transcript();
            let shown = shown(&transcript);
            for leaf in leaves(&told) {
                seen += 1;
                if !shown.contains(&leaf) {
                    lost.push(format!("{} {mode}: {leaf:?}", case.name));
                }
            }
        }
    }
    println!("{seen} texts");
    assert!(lost.is_empty(), "{} of {seen} are lost:\n{}", lost.len(), lost.join("\n"));
}

#[test]
fn calls_without_content_say_what_brings_it() {
    let mut seen = 0;
    for case in cases(&["wire/contrib"]) {
        for mode in case.modes().into_iter().filter(|mode| mode.contains("no_content")) {
            for call in case.told(mode).transcript().calls {
                seen += 1;
                if call.content != ContentState::Here {
                    assert_eq!(call.content, ContentState::Absent, "{} {mode}", case.name);
                    assert!(call.hint.unwrap().contains("CAPTURE_MESSAGE_CONTENT"), "{} {mode}", case.name);
                }
            }
        }
    }
    println!("{seen} calls");
}

/// The texts of messages, instructions and legacy events that records hold, without words of the format.
fn leaves(told: &Told) -> BTreeSet<String> {
    let mut leaves = BTreeSet::new();
    let mut of_attributes = |attributes: &Attributes| {
        for key in ["gen_ai.system_instructions", "gen_ai.input.messages", "gen_ai.output.messages"] {
            if let Some(json) = attributes.json(key) {
                collect(&json, &mut leaves);
            }
        }
    };
    for span in &told.spans {
        of_attributes(&span.attributes);
        span.events.iter().for_each(|event| of_attributes(&event.attributes));
    }
    for log in &told.logs {
        of_attributes(&log.attributes);
    }
    for log in &told.logs {
        let is_message = log
            .event
            .as_deref()
            .is_some_and(|event| event.starts_with("gen_ai.") && !event.contains("operation.details"));
        if let Some(json) = log.body.as_ref().and_then(otel_genai_store::Held::json).filter(|_| is_message) {
            collect(&json, &mut leaves);
        }
    }
    leaves
}

fn collect(json: &Json, leaves: &mut BTreeSet<String>) {
    const FORMAT: &[&str] =
        &["type", "role", "finish_reason", "modality", "mime_type", "format", "detail", "id"];
    match json {
        Json::String(text) => match serde_json::from_str::<Json>(text) {
            Ok(inner @ (Json::Object(_) | Json::Array(_))) => collect(&inner, leaves),
            _ if text.is_empty() || text.starts_with("data:") && !text.contains(";base64,") => {}
            _ => {
                let data = text.strip_prefix("data:").and_then(|data| data.split_once(";base64,"));
                leaves.insert(data.map_or(text.as_str(), |(_, data)| data).to_owned());
            }
        },
        Json::Array(list) => list.iter().for_each(|item| collect(item, leaves)),
        Json::Object(object) => {
            let told = object.iter().filter(|(key, _)| !FORMAT.contains(&key.as_str()));
            told.for_each(|(_, value)| collect(value, leaves));
        }
        _ => {}
    }
}

/// The texts of a transcript.
fn shown(transcript: &Transcript) -> BTreeSet<String> {
    let mut shown = BTreeSet::new();
    for (_, said) in &transcript.messages {
        collect(&serde_json::to_value(&said.message).unwrap(), &mut shown);
    }
    shown
}
