//! A document as telemetry tells it: its id, how well it fits, its text, and what else is known of it. Never a vector.

use serde_json::{Map, Value};

use crate::media;

/// A longer list of numbers is a vector.
const MAX_NUMBERS: usize = 16;

/// Keys under which stores and frameworks keep a document's text.
const TEXTS: &[&str] = &[
    "text",
    "content",
    "page_content",
    "document",
    "chunk",
    "chunk_text",
    "passage",
    "body",
    "_node_content",
];

/// Builds a document.
#[derive(Debug, Default)]
pub(super) struct Document(Map<String, Value>);

impl Document {
    /// A document of this id, which may be a number.
    pub(super) fn new(id: Option<&Value>) -> Self {
        let id = match id {
            Some(Value::String(id)) => Some(id.clone()),
            Some(Value::Number(id)) => Some(id.to_string()),
            _ => None,
        };
        Document::default().with("id", id.map(Value::from))
    }

    /// With how well it fits; more is better.
    pub(super) fn score(self, score: Option<&Value>) -> Self {
        self.with("score", score.filter(|score| score.is_number()).cloned())
    }

    /// With how far it is from what was looked for; less is better.
    pub(super) fn distance(self, distance: Option<&Value>) -> Self {
        self.with("distance", distance.filter(|distance| distance.is_number()).cloned())
    }

    /// With its text.
    pub(super) fn content(self, content: Option<&Value>) -> Self {
        let content = content.filter(|content| content.as_str().is_some_and(|text| !text.is_empty()));
        self.with("content", content.cloned())
    }

    /// With what else is known of it; where its text is among that, it becomes its text.
    pub(super) fn fields(mut self, fields: Option<&Value>) -> Self {
        let Some(Value::Object(fields)) = fields else { return self };
        let mut fields = fields.clone();
        if !self.0.contains_key("content") {
            let key = TEXTS.iter().find(|key| fields.get(**key).is_some_and(Value::is_string));
            let content = key.and_then(|key| fields.remove(*key));
            self = self.content(content.as_ref());
        }
        let mut metadata = Value::Object(fields);
        strip(&mut metadata);
        let metadata = media::value_without_secrets(metadata);
        let is_empty = metadata.as_object().is_none_or(Map::is_empty);
        self.with("metadata", (!is_empty).then_some(metadata))
    }

    fn with(mut self, key: &str, value: Option<Value>) -> Self {
        self.0.extend(value.map(|value| (key.to_owned(), value)));
        self
    }

    pub(super) fn value(self) -> Value {
        Value::Object(self.0)
    }
}

/// Takes the vectors out.
fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !is_vector(value));
            fields.values_mut().for_each(strip);
        }
        Value::Array(items) => {
            items.retain(|item| !is_vector(item));
            items.iter_mut().for_each(strip);
        }
        _ => {}
    }
}

fn is_vector(value: &Value) -> bool {
    value.as_array().is_some_and(|items| items.len() > MAX_NUMBERS && items.iter().all(Value::is_number))
}
