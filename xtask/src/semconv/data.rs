//! The hand-written data files in `crates/otel-genai-semconv/registry`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::read;
use crate::Result;

/// `core.toml`: attributes of the core conventions, each with type and brief.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Core {
    pub(crate) attributes: BTreeMap<String, (String, String)>,
}

/// `buckets.toml`: the advised boundaries of each histogram.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Buckets {
    sets: BTreeMap<String, Vec<f64>>,
    metrics: BTreeMap<String, String>,
}

impl Buckets {
    pub(crate) fn of(&self, metric: &str) -> Result<&[f64]> {
        let set =
            self.metrics.get(metric).ok_or_else(|| format!("buckets.toml lacks the histogram {metric}"))?;
        let boundaries = self.sets.get(set).ok_or_else(|| format!("buckets.toml lacks the set {set}"))?;
        Ok(boundaries)
    }
}

/// A convention that has no machine-readable registry. An empty brief stands for the one of another convention.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Convention {
    pub(crate) shared_attributes: Vec<String>,
    pub(crate) attributes: BTreeMap<String, (String, String)>,
    pub(crate) metrics: BTreeMap<String, Metric>,
    pub(crate) events: BTreeMap<String, String>,
    pub(crate) enums: BTreeMap<String, Vec<(String, String)>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Metric {
    pub(crate) instrument: String,
    pub(crate) unit: String,
    pub(crate) value_type: String,
    pub(crate) description: String,
}

pub(crate) fn load<T: DeserializeOwned>(path: &Path) -> Result<T> {
    toml::from_str(&read(path)?).map_err(|error| format!("cannot read {}: {error}", path.display()))
}
