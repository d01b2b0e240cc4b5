//! All conventions in one: each name with what it means and where it is known.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::data::{self, Buckets, Core};
use super::resolved::{self, Briefs, Resolved};
use crate::Result;

/// A convention, in the order in which they are listed; of two briefs the earlier convention's is kept.
pub(crate) type Convention = &'static str;

const RESOLVED: [Convention; 2] = ["2026-08", "2026-10"];
const WRITTEN: [Convention; 2] = ["loongsuite", "v1.30"];

/// Enums that the models keep in JSON schemas: definition there and name here.
const MESSAGE_ENUMS: [(&str, &str); 3] =
    [("FinishReason", "finish_reason"), ("Role", "role"), ("Modality", "modality")];

#[derive(Default)]
pub(crate) struct Registry {
    pub(crate) attributes: BTreeMap<String, Attribute>,
    pub(crate) metrics: BTreeMap<String, Metric>,
    pub(crate) events: BTreeMap<String, Event>,
    /// Values in the order of the conventions, by the name of the attribute they belong to.
    pub(crate) enums: BTreeMap<String, Vec<Value>>,
}

pub(crate) struct Attribute {
    pub(crate) r#type: String,
    pub(crate) brief: String,
    pub(crate) conventions: BTreeSet<Convention>,
}

pub(crate) struct Event {
    pub(crate) brief: String,
    pub(crate) conventions: BTreeSet<Convention>,
}

pub(crate) struct Metric {
    pub(crate) instrument: Instrument,
    pub(crate) unit: String,
    pub(crate) double: bool,
    pub(crate) boundaries: Vec<f64>,
    /// Each convention with its description.
    pub(crate) descriptions: BTreeMap<Convention, String>,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Instrument {
    Counter,
    Histogram,
}

pub(crate) struct Value {
    pub(crate) text: String,
    pub(crate) brief: String,
    pub(crate) conventions: BTreeSet<Convention>,
}

impl Registry {
    /// Reads the conventions' repository in `source` and our own data files in `written`.
    pub(crate) fn load(source: &Path, written: &Path) -> Result<Self> {
        let mut registry = Self::default();
        let core: Core = data::load(&written.join("core.toml"))?;
        let buckets: Buckets = data::load(&written.join("buckets.toml"))?;
        for convention in RESOLVED {
            registry.add_resolved(convention, source, &core, &buckets)?;
        }
        for convention in WRITTEN {
            let data: data::Convention = data::load(&written.join(format!("{convention}.toml")))?;
            registry
                .add_written(convention, data, &buckets)
                .map_err(|message| format!("{convention}.toml: {message}"))?;
        }
        Ok(registry)
    }

    fn add_resolved(
        &mut self,
        convention: Convention,
        source: &Path,
        core: &Core,
        buckets: &Buckets,
    ) -> Result<()> {
        let resolved = Resolved::load(&source.join(format!("resolved-{convention}.json")))?;
        let model = source.join(format!("model-{convention}"));
        let briefs = Briefs::load(&model)?;
        let brief_of = |name: &String| {
            briefs
                .names
                .get(name)
                .cloned()
                .ok_or_else(|| format!("{} has no brief for {name}", model.display()))
        };

        for (name, attribute) in &resolved.registry_attributes {
            self.add_attribute(convention, name, &attribute.r#type, &brief_of(name)?);
        }
        for name in resolved.borrowed_attributes() {
            let (r#type, brief) = core.attributes.get(name).ok_or_else(|| {
                format!(
                    "core.toml lacks {name}, which signals of {convention} borrow from the core conventions"
                )
            })?;
            self.add_attribute(convention, name, r#type, brief);
        }
        for (name, metric) in &resolved.metrics {
            // The model leaves out the type of a few durations.
            let value_type = metric.value_type.as_deref().unwrap_or("double");
            let brief = brief_of(name)?;
            self.add_metric(convention, name, &metric.instrument, &metric.unit, value_type, brief, buckets)?;
        }
        for name in resolved.events.keys() {
            self.add_event(convention, name, &brief_of(name)?);
        }
        for (name, values) in &resolved.enums {
            for value in values {
                let brief = briefs.values.get(&(name.clone(), value.clone()));
                self.add_value(convention, name, value, brief.map_or("", String::as_str));
            }
        }
        for (definition, name) in MESSAGE_ENUMS {
            for value in resolved::message_enum(&model, definition)? {
                self.add_value(convention, name, &value, "");
            }
        }
        Ok(())
    }

    fn add_written(
        &mut self,
        convention: Convention,
        data: data::Convention,
        buckets: &Buckets,
    ) -> Result<()> {
        for name in &data.shared_attributes {
            let attribute =
                self.attributes.get_mut(name).ok_or_else(|| format!("no other convention has {name}"))?;
            attribute.conventions.insert(convention);
        }
        for (name, (r#type, brief)) in &data.attributes {
            if self.attributes.contains_key(name) {
                return Err(format!("{name} belongs to `shared_attributes`"));
            }
            self.add_attribute(convention, name, r#type, brief);
        }
        for (name, metric) in data.metrics {
            self.add_metric(
                convention,
                &name,
                &metric.instrument,
                &metric.unit,
                &metric.value_type,
                metric.description,
                buckets,
            )?;
        }
        for (name, brief) in &data.events {
            self.add_event(convention, name, brief);
        }
        for (name, values) in &data.enums {
            for (value, brief) in values {
                self.add_value(convention, name, value, brief);
            }
        }
        Ok(())
    }

    fn add_attribute(&mut self, convention: Convention, name: &str, r#type: &str, brief: &str) {
        let attribute = self.attributes.entry(name.to_owned()).or_insert_with(|| Attribute {
            r#type: r#type.to_owned(),
            brief: brief.to_owned(),
            conventions: BTreeSet::new(),
        });
        attribute.conventions.insert(convention);
    }

    fn add_event(&mut self, convention: Convention, name: &str, brief: &str) {
        let event = self
            .events
            .entry(name.to_owned())
            .or_insert_with(|| Event { brief: brief.to_owned(), conventions: BTreeSet::new() });
        event.conventions.insert(convention);
    }

    fn add_value(&mut self, convention: Convention, name: &str, text: &str, brief: &str) {
        let values = self.enums.entry(name.to_owned()).or_default();
        if let Some(value) = values.iter_mut().find(|value| value.text == text) {
            value.conventions.insert(convention);
        } else {
            let conventions = BTreeSet::from([convention]);
            values.push(Value { text: text.to_owned(), brief: brief.to_owned(), conventions });
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the columns of one table")]
    fn add_metric(
        &mut self,
        convention: Convention,
        name: &str,
        instrument: &str,
        unit: &str,
        value_type: &str,
        description: String,
        buckets: &Buckets,
    ) -> Result<()> {
        let instrument = match instrument {
            "counter" => Instrument::Counter,
            "histogram" => Instrument::Histogram,
            other => {
                return Err(format!("{name} is a {other}, which `metric::Instrument` does not have yet"));
            }
        };
        let boundaries = match instrument {
            Instrument::Counter => Vec::new(),
            Instrument::Histogram => buckets.of(name)?.to_vec(),
        };
        let double = value_type == "double";
        let metric = self.metrics.entry(name.to_owned()).or_insert_with(|| Metric {
            instrument,
            unit: unit.to_owned(),
            double,
            boundaries,
            descriptions: BTreeMap::new(),
        });
        if metric.instrument != instrument || metric.unit != unit || metric.double != double {
            return Err(format!(
                "{name} of {convention} is another instrument than in the conventions before it"
            ));
        }
        metric.descriptions.insert(convention, description);
        Ok(())
    }
}
