//! The conventions' JSON schemas, where they are present.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use jsonschema::{Draft, Validator};
use serde_json::Value as Json;

use crate::checker::Convention;
use crate::content::SCHEMAS;

/// A validator for each attribute whose schema was found.
#[derive(Clone, Debug)]
pub(crate) struct Schemas(Arc<Vec<(&'static str, Validator)>>);

impl Schemas {
    /// The schemas of a convention, read at the first use in the process.
    pub(crate) fn of(convention: Convention) -> Self {
        static V2026_08: OnceLock<Schemas> = OnceLock::new();
        static V2026_10: OnceLock<Schemas> = OnceLock::new();
        let once = match convention {
            Convention::V2026_08 => &V2026_08,
            Convention::V2026_10 => &V2026_10,
        };
        once.get_or_init(|| Self::load(&folder(convention))).clone()
    }

    fn load(folder: &Path) -> Self {
        let found = SCHEMAS.iter().filter_map(|(attribute, file)| {
            let path = folder.join(file);
            // Absence is fine, a broken schema is not: then nobody would notice that nothing is checked.
            let text = fs::read_to_string(&path).ok()?;
            match validator(&text) {
                Ok(validator) => Some((*attribute, validator)),
                Err(problem) => {
                    eprintln!("otel-genai-conformance: {} is not used: {problem}", path.display());
                    None
                }
            }
        });
        Self(Arc::new(found.collect()))
    }

    /// Holds content against the schema of its attribute; the error is the first problem, with its path.
    pub(crate) fn check(&self, attribute: &str, content: &Json) -> Result<(), String> {
        let Some((_, validator)) = self.0.iter().find(|(name, _)| *name == attribute) else { return Ok(()) };
        validator.validate(content).map_err(|error| {
            let path = error.instance_path().to_string();
            // The message itself would repeat the content, which may be long and private.
            let path = if path.is_empty() { "the whole" } else { &path };
            format!("{path} breaks `{}` of the convention's JSON schema", error.schema_path())
        })
    }
}

fn folder(convention: Convention) -> PathBuf {
    let workspace = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/semconv");
    let conventions = std::env::var_os("OTEL_GENAI_SEMCONV_DIR").map_or_else(workspace, PathBuf::from);
    conventions.join(format!("model-{}/gen-ai", convention.as_str()))
}

fn validator(text: &str) -> Result<Validator, String> {
    let mut schema = serde_json::from_str(text).map_err(|error| error.to_string())?;
    make_self_contained(&mut schema);
    jsonschema::options().with_draft(Draft::Draft202012).build(&schema).map_err(|error| error.to_string())
}

/// References to schemas on the web become "an object", as in the conventions' own judge.
fn make_self_contained(schema: &mut Json) {
    match schema {
        Json::Object(object) => {
            if object.get("$ref").and_then(Json::as_str).is_some_and(|target| target.starts_with("http")) {
                *schema = serde_json::json!({"type": "object"});
            } else {
                object.values_mut().for_each(make_self_contained);
            }
        }
        Json::Array(members) => members.iter_mut().for_each(make_self_contained),
        _ => {}
    }
}
