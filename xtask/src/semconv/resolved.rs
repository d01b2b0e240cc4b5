//! What is read of the conventions' repository: resolved registries (JSON) and models (YAML, for the briefs).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use yaml_rust2::{Yaml, YamlLoader};

use super::read;
use crate::Result;

/// A `resolved-*.json`.
#[derive(Deserialize)]
pub(crate) struct Resolved {
    pub(crate) registry_attributes: BTreeMap<String, Attribute>,
    pub(crate) enums: BTreeMap<String, Vec<String>>,
    pub(crate) spans: BTreeMap<String, Signal>,
    span_refinements: BTreeMap<String, Signal>,
    pub(crate) events: BTreeMap<String, Signal>,
    pub(crate) metrics: BTreeMap<String, Metric>,
    metric_refinements: BTreeMap<String, Signal>,
}

#[derive(Deserialize)]
pub(crate) struct Attribute {
    pub(crate) r#type: String,
    #[serde(default)]
    pub(crate) deprecated: Value,
    /// Absent in the list of all attributes, present where a signal uses one.
    pub(crate) requirement_level: Option<String>,
    /// When the level applies; absent for always.
    pub(crate) condition: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Signal {
    /// The span kind; spans alone have it.
    pub(crate) kind: Option<String>,
    pub(crate) attributes: BTreeMap<String, Attribute>,
}

#[derive(Deserialize)]
pub(crate) struct Metric {
    pub(crate) instrument: String,
    pub(crate) unit: String,
    pub(crate) value_type: Option<String>,
    pub(crate) attributes: BTreeMap<String, Attribute>,
}

impl Resolved {
    pub(crate) fn load(path: &Path) -> Result<Self> {
        serde_json::from_str(&read(path)?).map_err(|error| format!("cannot read {}: {error}", path.display()))
    }

    /// The names of the attributes that signals use and the registry does not define: those of the core conventions.
    pub(crate) fn borrowed_attributes(&self) -> impl Iterator<Item = &String> {
        let signals = [&self.spans, &self.span_refinements, &self.events, &self.metric_refinements];
        let of_signals =
            signals.into_iter().flat_map(BTreeMap::values).flat_map(|signal| signal.attributes.keys());
        let of_metrics = self.metrics.values().flat_map(|metric| metric.attributes.keys());
        of_signals.chain(of_metrics).filter(|name| !self.registry_attributes.contains_key(*name))
    }
}

/// One sentence or more on each name of a model.
#[derive(Default)]
pub(crate) struct Briefs {
    /// By the name of the attribute, metric or event.
    pub(crate) names: BTreeMap<String, String>,
    /// By the name of the attribute and the value.
    pub(crate) values: BTreeMap<(String, String), String>,
}

impl Briefs {
    /// Reads every YAML file of a model: `folder/*/*.yaml`.
    pub(crate) fn load(folder: &Path) -> Result<Self> {
        let mut briefs = Self::default();
        for area in entries(folder)?.iter().filter(|path| path.is_dir()) {
            for path in entries(area)? {
                if path.extension().is_some_and(|extension| extension == "yaml") {
                    let documents = YamlLoader::load_from_str(&read(&path)?)
                        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
                    documents.iter().for_each(|document| briefs.add(document));
                }
            }
        }
        Ok(briefs)
    }

    fn add(&mut self, document: &Yaml) {
        for (list, key) in [("attributes", "key"), ("metrics", "name"), ("events", "name")] {
            for item in document[list].as_vec().into_iter().flatten() {
                let Some(name) = item[key].as_str() else { continue };
                if let Some(brief) = item["brief"].as_str() {
                    self.names.insert(name.to_owned(), one_line(brief));
                }
                for member in item["type"]["members"].as_vec().into_iter().flatten() {
                    if let (Some(value), Some(brief)) = (member["value"].as_str(), member["brief"].as_str()) {
                        self.values.insert((name.to_owned(), value.to_owned()), one_line(brief));
                    }
                }
            }
        }
    }
}

/// The well-known values of roles, modalities and finish reasons, which the model keeps in the JSON schema of messages.
pub(crate) fn message_enum(model: &Path, definition: &str) -> Result<Vec<String>> {
    let path = model.join("gen-ai/gen-ai-output-messages.json");
    let schema: Value = serde_json::from_str(&read(&path)?)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let values = schema.pointer(&format!("/$defs/{definition}/enum")).and_then(Value::as_array);
    let values = values.ok_or_else(|| format!("{} has no enum {definition}", path.display()))?;
    Ok(values.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a folder holds, by name.
fn entries(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let failed = |error| format!("cannot read {}: {error}", folder.display());
    let mut paths = fs::read_dir(folder)
        .map_err(failed)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<Vec<_>>>()
        .map_err(failed)?;
    paths.sort();
    Ok(paths)
}
