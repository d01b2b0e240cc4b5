//! Recorded telemetry: `../shared/golden`, or where `OTEL_GENAI_GOLDEN_DIR` says.

use std::path::{Path, PathBuf};
use std::{env, fs};

use serde_json::Value as Json;

use crate::evidence::{LogOf, SpanOf, Told, origin};

/// A recorded case: its file, and its document.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) document: Json,
}

/// The cases of some folders under the recordings; empty where there are none.
pub(crate) fn cases(folders: &[&str]) -> Vec<Case> {
    let root = match env::var_os("OTEL_GENAI_GOLDEN_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden"),
    };
    let mut files: Vec<PathBuf> = Vec::new();
    for folder in folders {
        files
            .extend(fs::read_dir(root.join(folder)).into_iter().flatten().map(|entry| entry.unwrap().path()));
    }
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    if files.is_empty() {
        println!("skipped: there is no recorded telemetry; OTEL_GENAI_GOLDEN_DIR may name a folder of it");
    }
    let read = |file: PathBuf| Case {
        name: file.file_stem().unwrap().to_string_lossy().into_owned(),
        document: serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap(),
    };
    files.into_iter().map(read).collect()
}

impl Case {
    /// The names of what was recorded.
    pub(crate) fn modes(&self) -> Vec<&str> {
        self.document["expected"].as_object().unwrap().keys().map(String::as_str).collect()
    }

    /// Whether the recording shows a defect of the instrumentation.
    pub(crate) fn has_bug(&self, mode: &str) -> bool {
        let caveats = self.document["caveats"][mode].as_array();
        caveats.into_iter().flatten().any(|caveat| caveat["kind"] == "bug")
    }

    /// What was recorded under one name.
    pub(crate) fn told(&self, mode: &str) -> Told {
        let mut expected = &self.document["expected"][mode];
        if let Some(same) = expected["same_as"].as_str() {
            expected = &self.document["expected"][same];
        }
        let mut told = Told::default();
        let number = |id: &Json| -> u64 {
            match id.as_str() {
                Some(id) if id.starts_with('S') => id[1..].parse().unwrap(),
                Some("UNRECORDED") => 999,
                _ => 0,
            }
        };
        for (at, span) in (1u64..).zip(expected["spans"].as_array().into_iter().flatten()) {
            let scope = &span["scope"];
            let events = span["events"].as_array().into_iter().flatten();
            let of = SpanOf {
                id: number(&span["id"]),
                parent: number(&span["parent"]),
                name: span["name"].as_str().unwrap(),
                start: at * 1_000_000,
                end: at * 1_000_000 + 900_000,
                attributes: plain(&span["attributes"]),
                events: events
                    .map(|event| {
                        (event["name"].as_str().unwrap(), at * 1_000_000 + 1, plain(&event["attributes"]))
                    })
                    .collect(),
            };
            told.add_span(
                of,
                &origin(scope["name"].as_str().unwrap_or(""), scope["schema_url"].as_str().unwrap_or("")),
                1,
            );
        }
        for (at, log) in (1u64..).zip(expected["logs"].as_array().into_iter().flatten()) {
            let scope = &log["scope"];
            let of = LogOf {
                event: log["event_name"].as_str().unwrap_or(""),
                span: number(&log["span"]),
                time: 1_000_000_000 + at,
                body: plain(&log["body"]),
                attributes: plain(&log["attributes"]),
            };
            told.add_log(
                of,
                &origin(scope["name"].as_str().unwrap_or(""), scope["schema_url"].as_str().unwrap_or("")),
                1,
            );
        }
        told
    }
}

/// Values as recorded, with their marks taken away.
fn plain(json: &Json) -> Json {
    match json {
        Json::Object(object) => match object.get("$bytes_b64") {
            Some(bytes) => bytes.clone(),
            None => object.iter().map(|(key, value)| (key.clone(), plain(value))).collect(),
        },
        Json::Array(list) => list.iter().map(plain).collect(),
        other => other.clone(),
    }
}
