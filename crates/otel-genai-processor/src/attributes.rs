//! A span's attributes, asked by what they say.

use std::borrow::Cow;
use std::collections::HashMap;

use opentelemetry::{Array, KeyValue, Value};
use otel_genai_dialect::{Slot, TREES, Words, is_in_tree, names_of, tree};
use serde_json::Value as Json;

/// A span's attributes. What is taken is marked, so that the rest is known to be somebody else's.
#[derive(Debug)]
pub(crate) struct Attributes<'a> {
    all: &'a [KeyValue],
    /// What each attribute was taken for.
    pub(crate) taken: HashMap<&'a str, Slot>,
}

impl<'a> Attributes<'a> {
    pub(crate) fn new(all: &'a [KeyValue]) -> Self {
        Attributes { all, taken: HashMap::new() }
    }

    /// The value of this name. The SDK keeps all values that were set; the last one counts.
    pub(crate) fn get(&self, name: &str) -> Option<&'a Value> {
        self.all
            .iter()
            .rev()
            .find(|attribute| attribute.key.as_str() == name)
            .map(|attribute| &attribute.value)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        text(self.get(name)?)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Marks this attribute as taken.
    pub(crate) fn mark(&mut self, name: &str, slot: Slot) {
        if let Some(attribute) = self.all.iter().find(|attribute| attribute.key.as_str() == name) {
            self.taken.insert(attribute.key.as_str(), slot);
        }
    }

    /// The best of what says this, as `read` understands it. All that it understands are taken.
    fn take<T>(&mut self, slot: Slot, read: impl Fn(&'a Value) -> Option<T>) -> Option<T> {
        let mut best = None;
        for name in names_of(slot) {
            let Some(value) = self.get(name).and_then(&read) else { continue };
            self.mark(name, slot);
            best.get_or_insert(value);
        }
        best
    }

    /// The first that `read` understands, and no other: of content each carrier is a copy of its own.
    pub(crate) fn take_first<T>(
        &mut self,
        slot: Slot,
        read: impl Fn(&str, &'a Value) -> Option<T>,
    ) -> Option<T> {
        for name in names_of(slot) {
            if let Some(value) = self.get(name).and_then(|value| read(name, value)) {
                self.mark(name, slot);
                return Some(value);
            }
        }
        None
    }

    /// Content that is spread over many attributes.
    pub(crate) fn take_tree<T>(&mut self, slot: Slot, read: impl Fn(&Json) -> Option<T>) -> Option<T> {
        for (prefix, _) in TREES.iter().filter(|(_, of)| *of == slot) {
            let leaves = self.all.iter().filter(|attribute| is_in_tree(attribute.key.as_str(), prefix));
            let leaves = leaves.filter_map(|leaf| Some((leaf.key.as_str(), json(&leaf.value)?)));
            let (tree, keys) = tree::unflatten(prefix, leaves);
            if let Some(value) = tree.as_ref().and_then(&read) {
                self.taken.extend(keys.into_iter().map(|key| (key, slot)));
                return Some(value);
            }
        }
        None
    }

    pub(crate) fn take_text(&mut self, slot: Slot) -> Option<String> {
        self.take(slot, |value| text(value).filter(|text| !text.is_empty()).map(str::to_owned))
    }

    pub(crate) fn take_int(&mut self, slot: Slot) -> Option<i64> {
        self.take(slot, int)
    }

    pub(crate) fn take_count(&mut self, slot: Slot) -> Option<u64> {
        self.take(slot, |value| u64::try_from(int(value)?).ok())
    }

    pub(crate) fn take_float(&mut self, slot: Slot) -> Option<f64> {
        self.take(slot, float)
    }

    pub(crate) fn take_bool(&mut self, slot: Slot) -> Option<bool> {
        self.take(slot, bool)
    }

    pub(crate) fn take_texts(&mut self, slot: Slot) -> Vec<String> {
        self.take(slot, texts).unwrap_or_default()
    }
}

impl Words for Attributes<'_> {
    fn names(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|attribute| attribute.key.as_str())
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        text(self.get(name)?).map(Cow::Borrowed)
    }

    fn int(&self, name: &str) -> Option<i64> {
        int(self.get(name)?)
    }

    fn float(&self, name: &str) -> Option<f64> {
        float(self.get(name)?)
    }

    fn bool(&self, name: &str) -> Option<bool> {
        bool(self.get(name)?)
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text.as_str()),
        _ => None,
    }
}

/// A number without a fraction, also as text: `tracing` turns some numbers into it.
fn int(value: &Value) -> Option<i64> {
    match value {
        Value::I64(number) => Some(*number),
        // Whole numbers up to 2^53 are exact.
        Value::F64(number) if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 => {
            Some(*number as i64)
        }
        Value::String(text) => text.as_str().trim().parse().ok(),
        _ => None,
    }
}

fn float(value: &Value) -> Option<f64> {
    let number = match value {
        Value::I64(number) => *number as f64,
        Value::F64(number) => *number,
        Value::String(text) => text.as_str().trim().parse().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

fn bool(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::String(text) => text.as_str().trim().to_ascii_lowercase().parse().ok(),
        _ => None,
    }
}

/// A list of texts, also as JSON text: spans of `tracing` carry no lists. A text that is no list is one.
fn texts(value: &Value) -> Option<Vec<String>> {
    let texts: Vec<String> = match value {
        Value::Array(Array::String(texts)) => texts.iter().map(ToString::to_string).collect(),
        Value::String(text) => match serde_json::from_str::<Vec<String>>(text.as_str()) {
            Ok(texts) => texts,
            Err(_) if text.as_str().trim().is_empty() => return None,
            Err(_) => vec![text.to_string()],
        },
        _ => return None,
    };
    (!texts.is_empty()).then_some(texts)
}

/// An attribute's value as JSON. A text stays a text.
pub(crate) fn json(value: &Value) -> Option<Json> {
    Some(match value {
        Value::Bool(value) => Json::from(*value),
        Value::I64(number) => Json::from(*number),
        Value::F64(number) => Json::from(*number),
        Value::String(text) => Json::from(text.as_str()),
        Value::Array(Array::Bool(values)) => Json::from(values.as_slice()),
        Value::Array(Array::I64(values)) => Json::from(values.as_slice()),
        Value::Array(Array::F64(values)) => Json::from(values.as_slice()),
        Value::Array(Array::String(values)) => values.iter().map(|text| Json::from(text.as_str())).collect(),
        _ => return None,
    })
}

/// The same, where a text that is JSON is what it says.
pub(crate) fn parsed(value: &Value) -> Option<Json> {
    match value {
        Value::String(text) => {
            Some(serde_json::from_str(text.as_str()).unwrap_or_else(|_| Json::from(text.as_str())))
        }
        other => json(other),
    }
}
