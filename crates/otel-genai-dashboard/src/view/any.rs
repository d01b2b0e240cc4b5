//! Attributes and their values, cut where they are long.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use otel_genai_store::{AnyValue, Attributes, Held};
use prost::Message as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::is_false;

/// A value is shown up to here, in bytes.
pub(crate) const MOST: usize = 64 << 10;
/// Whole numbers up to here are exact in JavaScript.
const SAFE: u64 = (1 << 53) - 1;

/// The value of an attribute. What JavaScript's numbers cannot hold exactly is text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Any {
    /// Text; also of a number that is none (`NaN`, `inf`).
    Text(String),
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Double(f64),
    /// A whole number that is too large for JavaScript.
    Long {
        /// Its digits.
        int: String,
    },
    /// Bytes.
    Bytes {
        /// In base64.
        bytes: String,
        /// How many.
        length: usize,
    },
    /// Several values.
    List {
        /// In order.
        list: Vec<Any>,
    },
    /// Values by their names.
    Map {
        /// In order, doubles included.
        map: Vec<(String, Any)>,
    },
    /// Nothing was told.
    Empty {
        /// Always true.
        empty: bool,
    },
}

/// One attribute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attribute {
    /// Its name.
    pub key: String,
    /// What it says, as far as it is shown here.
    pub value: Any,
    /// How long the whole value is, in bytes, where it is cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<usize>,
    /// Where the whole value is, where it is cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more: Option<String>,
    /// It is the text of some JSON.
    #[serde(default, skip_serializing_if = "is_false")]
    pub json: bool,
}

/// A value as far as it is shown.
pub(crate) struct Shown {
    pub(crate) value: Any,
    pub(crate) cut: Option<usize>,
    pub(crate) json: bool,
}

/// Attributes in the order they came; `more` tells where the whole value of a key is.
pub(crate) fn attributes(attributes: &Attributes, more: impl Fn(&str) -> Option<String>) -> Vec<Attribute> {
    let one = |attribute: &otel_genai_store::Attribute| {
        let shown = Shown::of(&attribute.value);
        let more = shown.cut.and_then(|_| more(&attribute.key));
        let key = attribute.key.as_ref().to_owned();
        Attribute { key, value: shown.value, cut: shown.cut, more, json: shown.json }
    };
    attributes.0.iter().map(one).collect()
}

impl Shown {
    pub(crate) fn of(held: &Held) -> Self {
        if let Some(text) = held.text() {
            let shown = head(&text, MOST);
            let cut = (shown.len() < text.len()).then_some(text.len());
            let json = cut.is_none() && is_json(&text);
            return Self { value: Any::Text(shown.to_owned()), cut, json };
        }
        let Some(value) = held.value() else {
            return Self { value: Any::Empty { empty: true }, cut: None, json: false };
        };
        let mut room = MOST;
        let mut short = false;
        let shown = any(&value, &mut room, &mut short);
        Self { value: shown, cut: short.then(|| value.encoded_len()), json: false }
    }
}

/// Whether a text is JSON that is worth to be shown as such.
fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[']) && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// The beginning of a text, of whole characters.
pub(crate) fn head(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

fn any(value: &AnyValue, room: &mut usize, short: &mut bool) -> Any {
    let mut text = |text: &str| {
        let shown = head(text, *room);
        *short |= shown.len() < text.len();
        *room -= shown.len();
        shown.to_owned()
    };
    match &value.value {
        None => Any::Empty { empty: true },
        Some(Value::StringValue(told)) => Any::Text(text(told)),
        Some(Value::BoolValue(yes)) => Any::Bool(*yes),
        Some(Value::IntValue(int)) if int.unsigned_abs() <= SAFE => Any::Int(*int),
        Some(Value::IntValue(int)) => Any::Long { int: int.to_string() },
        Some(Value::StringValueStrindex(index)) => Any::Int((*index).into()),
        Some(Value::DoubleValue(double)) if double.is_finite() => Any::Double(*double),
        Some(Value::DoubleValue(double)) => Any::Text(double.to_string()),
        Some(Value::BytesValue(bytes)) => {
            let shown = bytes.get(..bytes.len().min(*room)).unwrap_or_default();
            *short |= shown.len() < bytes.len();
            *room -= shown.len();
            Any::Bytes { bytes: STANDARD.encode(shown), length: bytes.len() }
        }
        Some(Value::ArrayValue(array)) => {
            let mut list = Vec::new();
            for value in &array.values {
                if !take(room, short) {
                    break;
                }
                list.push(any(value, room, short));
            }
            Any::List { list }
        }
        Some(Value::KvlistValue(pairs)) => {
            let mut map = Vec::new();
            for pair in &pairs.values {
                if !take(room, short) {
                    break;
                }
                let key = head(&pair.key, *room).to_owned();
                *room -= key.len();
                let value = pair.value.as_ref();
                map.push((key, value.map_or(Any::Empty { empty: true }, |value| any(value, room, short))));
            }
            Any::Map { map }
        }
    }
}

/// Room for one more value of a list.
fn take(room: &mut usize, short: &mut bool) -> bool {
    match room.checked_sub(8) {
        Some(left) => {
            *room = left;
            true
        }
        None => {
            *short = true;
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::{ArrayValue, KeyValue, KeyValueList};

    use super::*;

    fn shown(value: Value) -> (serde_json::Value, Option<usize>) {
        let shown = Shown::of(&Held::Whole(Some(AnyValue { value: Some(value) })));
        (serde_json::to_value(shown.value).unwrap(), shown.cut)
    }

    #[test]
    fn values_are_exact_in_javascript() {
        use serde_json::json;
        assert_eq!(shown(Value::IntValue(-5)).0, json!(-5));
        assert_eq!(shown(Value::IntValue(i64::MAX)).0, json!({ "int": "9223372036854775807" }));
        assert_eq!(shown(Value::DoubleValue(0.5)).0, json!(0.5));
        assert_eq!(shown(Value::DoubleValue(f64::NAN)).0, json!("NaN"));
        assert_eq!(shown(Value::BytesValue(vec![1, 2])).0, json!({ "bytes": "AQI=", "length": 2 }));
        let pair = KeyValue { key: "a".to_owned(), value: None, ..KeyValue::default() };
        let map = Value::KvlistValue(KeyValueList { values: vec![pair.clone(), pair] });
        assert_eq!(shown(map).0, json!({ "map": [["a", { "empty": true }], ["a", { "empty": true }]] }));
        assert_eq!(
            serde_json::to_value(Shown::of(&Held::Whole(None)).value).unwrap(),
            json!({ "empty": true })
        );
    }

    #[test]
    fn long_values_are_cut_between_characters_and_say_so() {
        let (value, cut) = shown(Value::StringValue("ü".repeat(MOST)));
        assert_eq!((value.as_str().unwrap().len(), cut), (MOST, Some(2 * MOST)));
        let texts = vec![AnyValue { value: Some(Value::StringValue("x".repeat(MOST / 2))) }; 4];
        let (value, cut) = shown(Value::ArrayValue(ArrayValue { values: texts }));
        assert!(value.to_string().len() < MOST + 100 && cut > Some(2 * MOST), "{cut:?}");
        let many = vec![AnyValue { value: Some(Value::BoolValue(true)) }; MOST];
        assert!(shown(Value::ArrayValue(ArrayValue { values: many })).1.is_some());
    }
}
