//! What the exporter makes of values and ids, and back.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use serde_bytes::Bytes;
use serde_json::Value as Json;

use super::discover::Flavour;

/// Text as it was written, whatever bytes it has.
pub(super) type Text<'a> = &'a Bytes;
pub(super) type Texts<'a> = Vec<&'a Bytes>;

pub(super) fn text(told: Text<'_>) -> String {
    String::from_utf8_lossy(told).into_owned()
}

/// The bytes of an id in hexadecimal digits; none of anything else.
pub(super) fn id(told: &[u8]) -> Vec<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    told.chunks(2).map(pair).collect::<Option<_>>().unwrap_or_default()
}

/// A moment or a length of time; one before 1970, or that is below nothing, is none.
pub(super) fn moment(told: i64) -> u64 {
    u64::try_from(told).unwrap_or(0)
}

/// Attributes by their names and values, as [`Table::attributes`](super::discover::Table::attributes) asks for them.
pub(super) fn attributes(flavour: Flavour, names: &[Text<'_>], values: &[Text<'_>]) -> Vec<KeyValue> {
    let pair = |name: Text<'_>, value| KeyValue {
        key: text(name),
        value: Some(AnyValue { value }),
        ..KeyValue::default()
    };
    match (flavour, values) {
        (Flavour::Json, [json, ..]) => {
            let Ok(json) = serde_json::from_slice::<Json>(json) else { return Vec::new() };
            let found = names.iter().filter_map(|name| {
                let value = at(&json, &String::from_utf8_lossy(name))?;
                Some(pair(name, any(value).value))
            });
            let mut found: Vec<KeyValue> = found.collect();
            // JSON has no order; what is equal is to be told alike.
            found.sort_unstable_by(|one, other| one.key.cmp(&other.key));
            found
        }
        _ => names.iter().zip(values).map(|(name, value)| pair(name, Some(read(text(value))))).collect(),
    }
}

/// A text that is the only trace of what it tells. Some writers keep lists as OTLP's JSON has them.
fn read(text: String) -> Value {
    let list = || {
        let rest = text.strip_prefix(r#"{"values":["#)?;
        let Ok(Json::Object(list)) = serde_json::from_str(&text) else { return None };
        let values = list.get("values")?.as_array()?;
        if rest.starts_with(r#"{"key":"#) {
            let values = values.iter().map(of_pair).collect::<Option<_>>()?;
            return Some(Value::KvlistValue(KeyValueList { values }));
        }
        let values = values.iter().map(of_value).collect::<Option<_>>()?;
        Some(Value::ArrayValue(ArrayValue { values }))
    };
    list().unwrap_or(Value::StringValue(text))
}

fn of_pair(pair: &Json) -> Option<KeyValue> {
    let key = pair.get("key")?.as_str()?.to_owned();
    Some(KeyValue { key, value: pair.get("value").and_then(of_value), ..KeyValue::default() })
}

/// A value of OTLP's JSON.
fn of_value(value: &Json) -> Option<AnyValue> {
    let (kind, told) = value.as_object()?.iter().next()?;
    let inner = || told.get("values")?.as_array();
    let value = match kind.as_str() {
        "arrayValue" => {
            Value::ArrayValue(ArrayValue { values: inner()?.iter().map(of_value).collect::<Option<_>>()? })
        }
        "kvlistValue" => {
            Value::KvlistValue(KeyValueList { values: inner()?.iter().map(of_pair).collect::<Option<_>>()? })
        }
        // Numbers of 64 bits are text there.
        "intValue" => Value::IntValue(told.as_i64().or_else(|| told.as_str()?.parse().ok())?),
        "stringValue" | "boolValue" | "doubleValue" => any(told).value?,
        _ => return None,
    };
    Some(AnyValue { value: Some(value) })
}

/// What stands at a path, whose names may have points in them.
fn at<'a>(json: &'a Json, path: &str) -> Option<&'a Json> {
    let object = json.as_object()?;
    let deeper = || {
        path.match_indices('.').find_map(|(point, _)| {
            let (first, rest) = path.split_at_checked(point)?;
            at(object.get(first)?, rest.strip_prefix('.')?)
        })
    };
    object.get(path).or_else(deeper)
}

fn any(json: &Json) -> AnyValue {
    let value = match json {
        Json::Null => None,
        Json::Bool(yes) => Some(Value::BoolValue(*yes)),
        Json::Number(number) => match number.as_i64() {
            Some(int) => Some(Value::IntValue(int)),
            None => number.as_f64().map(Value::DoubleValue),
        },
        Json::String(text) => Some(read(text.clone())),
        Json::Array(items) => Some(Value::ArrayValue(ArrayValue { values: items.iter().map(any).collect() })),
        Json::Object(object) => {
            let pair = |(key, value): (&String, &Json)| KeyValue {
                key: key.clone(),
                value: Some(any(value)),
                ..KeyValue::default()
            };
            Some(Value::KvlistValue(KeyValueList { values: object.iter().map(pair).collect() }))
        }
    };
    AnyValue { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read() {
        assert_eq!(id(b"00f067aa0ba902b7"), [0, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7]);
        assert!([&b"00f067aa0ba902b"[..], b"zz", b""].iter().all(|told| id(told).is_empty()));
    }

    #[test]
    fn lists_as_text_are_read() {
        let texts = |text: &str| read(text.to_owned());
        let one = AnyValue { value: Some(Value::StringValue("stop".to_owned())) };
        let two = AnyValue { value: Some(Value::IntValue(7)) };
        let told = r#"{"values":[{"stringValue":"stop"},{"intValue":"7"}]}"#;
        assert_eq!(texts(told), Value::ArrayValue(ArrayValue { values: vec![one.clone(), two] }));
        let told = r#"{"values":[{"key":"a","value":{"arrayValue":{"values":[{"stringValue":"stop"}]}}}]}"#;
        let list = AnyValue { value: Some(Value::ArrayValue(ArrayValue { values: vec![one] })) };
        let pair = KeyValue { key: "a".to_owned(), value: Some(list), ..KeyValue::default() };
        assert_eq!(texts(told), Value::KvlistValue(KeyValueList { values: vec![pair] }));
        for other in [r#"{"values":[1]}"#, r#"{"values":[{"a":1}]}"#, "{\"values\":[", "stop"] {
            assert_eq!(texts(other), Value::StringValue(other.to_owned()));
        }
    }

    #[test]
    fn names_are_found_in_json_as_paths() {
        let json =
            br#"{"gen_ai":{"operation":{"name":"chat"},"usage":{"input_tokens":7}},"a.b":{"c":[1.5,null]}}"#;
        let names = ["gen_ai.operation.name", "gen_ai.usage.input_tokens", "a.b.c", "gen_ai.usage", "none"];
        let names: Vec<&Bytes> = names.iter().map(|name| Bytes::new(name.as_bytes())).collect();
        let found = attributes(Flavour::Json, &names, &[Bytes::new(json)]);
        let told: Vec<String> = found.iter().map(|pair| pair.key.clone()).collect();
        assert_eq!(told, ["a.b.c", "gen_ai.operation.name", "gen_ai.usage", "gen_ai.usage.input_tokens"]);
        assert_eq!(found[1].value, Some(AnyValue { value: Some(Value::StringValue("chat".to_owned())) }));
        assert_eq!(found[3].value, Some(AnyValue { value: Some(Value::IntValue(7)) }));
        assert!(
            matches!(&found[0].value, Some(AnyValue { value: Some(Value::ArrayValue(two)) }) if two.values.len() == 2)
        );
        assert!(attributes(Flavour::Json, &names, &[Bytes::new(b"{")]).is_empty());
    }
}
