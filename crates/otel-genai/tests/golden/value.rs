//! Python's values in Rust's types.

use opentelemetry::{Array, KeyValue, StringValue, Value as Attribute};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub(crate) fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

pub(crate) fn string(value: &Value) -> String {
    text(value).unwrap_or_default()
}

/// Python's numbers may be floating where ours are whole.
pub(crate) fn int(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_f64().map(|number| number as i64))
}

pub(crate) fn parsed<T: DeserializeOwned + Default>(value: &Value) -> T {
    let value = plain(value);
    if value.is_null() {
        return T::default();
    }
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{value}: {error}"))
}

pub(crate) fn json(value: &Value) -> Option<Value> {
    Some(plain(value)).filter(|value| !value.is_null())
}

/// Documents. The references take anything for them; a text is one document here.
pub(crate) fn list(value: &Value) -> Vec<Value> {
    match plain(value) {
        Value::Null => Vec::new(),
        Value::Array(items) => items,
        one => vec![one],
    }
}

/// The references write values that are no text as JSON; whoever fills in a prompt here has texts.
pub(crate) fn variables(value: &Value) -> Vec<(String, String)> {
    let variables = value.as_object().into_iter().flatten();
    let written = variables.filter_map(|(name, value)| match plain(value) {
        Value::Null => None,
        Value::String(text) => Some((name.clone(), text)),
        value => Some((name.clone(), value.to_string())),
    });
    written.collect()
}

/// Python's objects as the JSON that a program in Rust has: bytes are base64, a dataclass is an object, a set a list,
/// a document what it holds. What has no JSON is nothing.
pub(crate) fn plain(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(fields) => match fields.iter().next() {
            Some((tag, held)) if tag.starts_with('$') && fields.len() == 1 => match tag.as_str() {
                "$object" | "$float" => Value::Null,
                _ => plain(held),
            },
            _ => fields.iter().map(|(key, value)| (key.clone(), plain(value))).collect::<Map<_, _>>().into(),
        },
        other => other.clone(),
    }
}

/// Attributes, as far as OpenTelemetry's API in Rust can express them.
pub(crate) fn attributes(value: &Value) -> Vec<KeyValue> {
    let attributes = value.as_object().into_iter().flatten();
    attributes.filter_map(|(key, value)| Some(KeyValue::new(key.clone(), attribute(value)?))).collect()
}

/// `None`: it cannot.
pub(crate) fn attribute(value: &Value) -> Option<Attribute> {
    fn all<T>(items: &[Value], each: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
        items.iter().map(each).collect::<Option<Vec<T>>>().filter(|items| !items.is_empty())
    }
    Some(match value {
        Value::Bool(value) => Attribute::Bool(*value),
        Value::Number(number) => match number.as_i64() {
            Some(number) => Attribute::I64(number),
            None => Attribute::F64(number.as_f64()?),
        },
        Value::String(text) => Attribute::String(text.clone().into()),
        Value::Array(items) => Attribute::Array(
            all(items, |item| Some(StringValue::from(item.as_str()?.to_owned())))
                .map(Array::String)
                .or_else(|| all(items, Value::as_i64).map(Array::I64))
                .or_else(|| all(items, Value::as_f64).map(Array::F64))
                .or_else(|| all(items, Value::as_bool).map(Array::Bool))?,
        ),
        Value::Null | Value::Object(_) => return None,
    })
}
