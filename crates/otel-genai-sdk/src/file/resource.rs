//! `resource`: who is speaking.

use std::fmt::Write as _;

use opentelemetry::{Array, StringValue, Value as Typed};

use super::translate::{At, Translation};
use super::yaml::Value;
use crate::config::resource::{SERVICE_NAME, pairs};

const ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";
const SERVICE_VARIABLE: &str = "OTEL_SERVICE_NAME";

impl Translation<'_> {
    pub(super) fn resource(&mut self, at: &At) {
        let (mut attributes, mut list, mut service) = (None, None, None);
        for (key, at) in self.map(at) {
            match key.as_str() {
                "attributes" => attributes = Some(at),
                "attributes_list" => list = Some(at),
                "detection" => service = self.detection(&at),
                // OTLP has a place for it; the attributes mean the same without.
                "schema_url" => {}
                _ => self.unsupported(&at),
            }
        }
        let mut texts = Vec::new();
        if let Some(at) = &list
            && let Some(text) = self.text(at)
        {
            match pairs(&text) {
                Ok(pairs) => texts.extend(pairs),
                Err(_) => self.warn(at, "is not key=value,key=value with percent-encoded values; ignored"),
            }
        }
        for item in attributes.as_ref().map(|at| self.list(at)).unwrap_or_default() {
            texts.extend(self.attribute(&item));
        }
        if let Some(at) = service
            && !texts.iter().any(|(name, _)| name == SERVICE_NAME)
            && let Some(name) = (self.vars)(SERVICE_VARIABLE).filter(|name| !name.trim().is_empty())
        {
            self.set(SERVICE_VARIABLE, name, &at);
        }
        if let (false, Some(at)) = (texts.is_empty(), attributes.or(list)) {
            let texts = texts.iter().map(|(name, value)| format!("{name}={}", escaped(value)));
            self.set(ATTRIBUTES, texts.collect::<Vec<_>>().join(","), &at);
        }
    }

    /// Where the `service` detector is asked for. Its other attribute, the instance's identifier, is always there.
    fn detection(&mut self, at: &At) -> Option<At> {
        let mut service = None;
        for (key, at) in self.map(at) {
            if key != "detectors" {
                self.unsupported(&at);
                continue;
            }
            for item in self.list(&at) {
                for (name, at) in self.map(&item) {
                    match name.as_str() {
                        "service" => service = Some(at),
                        _ => self.unsupported(&at),
                    }
                }
            }
        }
        service
    }

    /// Name and text of one attribute; what is no text is kept as what it is, too.
    fn attribute(&mut self, item: &At) -> Option<(String, String)> {
        let entries = self.map(item);
        let part = |key: &str| entries.iter().find(|(present, _)| present == key).map(|(_, at)| at);
        let (Some(name), Some(value)) = (part("name"), part("value")) else {
            self.warn(item, "needs name and value; ignored");
            return None;
        };
        let name = self.text(name)?.trim().to_owned();
        if name.is_empty() || name.contains(['=', ',']) {
            self.warn(item, "has a name that no resource attribute can have; ignored");
            return None;
        }
        let kind = part("type").and_then(|at| self.text(at));
        let texts = match &value.node.value {
            Value::Null => return None,
            Value::Text(text) => vec![text.clone()],
            Value::List(_) => {
                let items = self.list(value);
                items.iter().filter_map(|item| self.text(item)).collect()
            }
            Value::Map(_) => {
                self.warn(value, "should be a single value or a list; ignored");
                return None;
            }
        };
        let is_list = matches!(value.node.value, Value::List(_));
        let kind = kind.as_deref().unwrap_or(if is_list { "string_array" } else { "string" });
        match typed(kind, is_list, &texts) {
            Some(Typed::String(text)) => {
                self.set_typed(&name, None);
                return Some((name, text.as_str().to_owned()));
            }
            Some(typed) => self.set_typed(&name, Some(typed)),
            None => {
                let kind = crate::console::plain(kind);
                self.warn(value, &format!("is not of the type {kind:.20}; ignored"));
                return None;
            }
        }
        Some((name, texts.join(",")))
    }
}

/// `None` where a text is not of that type.
fn typed(kind: &str, is_list: bool, texts: &[String]) -> Option<Typed> {
    let all = |text: &String| text.trim().to_owned();
    let array = kind.strip_suffix("_array");
    if array.is_some() != is_list {
        return None;
    }
    let values: Vec<String> = texts.iter().map(all).collect();
    let first = || values.first();
    Some(match (array.unwrap_or(kind), is_list) {
        ("string", false) => Typed::String(texts.first()?.clone().into()),
        ("bool", false) => Typed::Bool(boolean(first()?)?),
        ("int", false) => Typed::I64(integer(first()?)?),
        ("double", false) => Typed::F64(first()?.parse().ok()?),
        ("string", true) => {
            Typed::Array(Array::String(texts.iter().cloned().map(StringValue::from).collect()))
        }
        ("bool", true) => {
            Typed::Array(Array::Bool(values.iter().map(|v| boolean(v)).collect::<Option<_>>()?))
        }
        ("int", true) => Typed::Array(Array::I64(values.iter().map(|v| integer(v)).collect::<Option<_>>()?)),
        ("double", true) => {
            Typed::Array(Array::F64(values.iter().map(|v| v.parse().ok()).collect::<Option<_>>()?))
        }
        _ => return None,
    })
}

/// As YAML writes them.
fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

fn integer(text: &str) -> Option<i64> {
    match (text.strip_prefix("0x"), text.strip_prefix("0o")) {
        (Some(digits), _) => i64::from_str_radix(digits, 16).ok(),
        (_, Some(digits)) => i64::from_str_radix(digits, 8).ok(),
        _ => text.parse().ok(),
    }
}

/// A text as one value of `name=value,name=value`: what would end it, or be trimmed from it, percent-encoded.
pub(super) fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut all, char| {
        match char {
            '%' | ',' | ';' | ' ' | '"' | '\\' => {
                let _ = write!(all, "%{:02X}", u32::from(char));
            }
            _ if char.is_whitespace() || char.is_control() => {
                for byte in char.encode_utf8(&mut [0; 4]).bytes() {
                    let _ = write!(all, "%{byte:02X}");
                }
            }
            _ => all.push(char),
        }
        all
    })
}
