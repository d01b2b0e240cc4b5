//! Anything serialisable as a structured log attribute.
//!
//! The conventions demand structured content in events. `AnyValue` has no null: a null property is left out, a null
//! in a list (where leaving it out would shift its neighbours) becomes the text `null`.

use std::collections::HashMap;

use opentelemetry::logs::AnyValue;
use opentelemetry::{Key, StringValue};
use serde::ser::{self, Serialize};

/// The value, structured. `None` for null and for what cannot be told in JSON.
pub(crate) fn any_value(value: &(impl Serialize + ?Sized)) -> Option<AnyValue> {
    value.serialize(ToAnyValue).ok().flatten()
}

struct ToAnyValue;

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unserialisable(String);

impl ser::Error for Unserialisable {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Unserialisable(message.to_string())
    }
}

type Built = Result<Option<AnyValue>, Unserialisable>;

fn text(value: impl Into<String>) -> AnyValue {
    AnyValue::String(value.into().into())
}

/// The words that stand in nearly every message need no copy.
fn common(text: &str) -> Option<&'static str> {
    const WORDS: [&str; 8] =
        ["text", "user", "assistant", "system", "tool", "stop", "tool_call", "tool_call_response"];
    WORDS.into_iter().find(|word| *word == text)
}

fn list(items: Vec<AnyValue>) -> Built {
    Ok(Some(AnyValue::ListAny(Box::new(items))))
}

fn map(entries: HashMap<Key, AnyValue>) -> Built {
    Ok(Some(AnyValue::Map(Box::new(entries))))
}

/// `{variant: value}`, serde's usual shape of an enum variant that carries data.
fn variant(name: &'static str, value: Option<AnyValue>) -> Built {
    map(value.map(|value| (Key::from_static_str(name), value)).into_iter().collect())
}

impl ser::Serializer for ToAnyValue {
    type Ok = Option<AnyValue>;
    type Error = Unserialisable;
    type SerializeSeq = List;
    type SerializeTuple = List;
    type SerializeTupleStruct = List;
    type SerializeTupleVariant = List;
    type SerializeMap = Object;
    type SerializeStruct = Object;
    type SerializeStructVariant = Object;

    fn serialize_bool(self, v: bool) -> Built {
        Ok(Some(AnyValue::Boolean(v)))
    }
    fn serialize_i8(self, v: i8) -> Built {
        Ok(Some(AnyValue::Int(v.into())))
    }
    fn serialize_i16(self, v: i16) -> Built {
        Ok(Some(AnyValue::Int(v.into())))
    }
    fn serialize_i32(self, v: i32) -> Built {
        Ok(Some(AnyValue::Int(v.into())))
    }
    fn serialize_i64(self, v: i64) -> Built {
        Ok(Some(AnyValue::Int(v)))
    }
    fn serialize_u8(self, v: u8) -> Built {
        Ok(Some(AnyValue::Int(v.into())))
    }
    fn serialize_u16(self, v: u16) -> Built {
        Ok(Some(AnyValue::Int(v.into())))
    }
    fn serialize_u32(self, v: u32) -> Built {
        Ok(Some(AnyValue::Int(v.into())))
    }
    fn serialize_u64(self, v: u64) -> Built {
        Ok(Some(i64::try_from(v).map_or(AnyValue::Double(v as f64), AnyValue::Int)))
    }
    fn serialize_f32(self, v: f32) -> Built {
        Ok(Some(AnyValue::Double(v.into())))
    }
    fn serialize_f64(self, v: f64) -> Built {
        Ok(Some(AnyValue::Double(v)))
    }
    fn serialize_char(self, v: char) -> Built {
        Ok(Some(text(v)))
    }
    fn serialize_str(self, v: &str) -> Built {
        Ok(Some(common(v).map_or_else(|| text(v), AnyValue::from)))
    }
    fn serialize_bytes(self, v: &[u8]) -> Built {
        Ok(Some(AnyValue::Bytes(Box::new(v.to_vec()))))
    }
    fn serialize_none(self) -> Built {
        Ok(None)
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Built {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Built {
        Ok(None)
    }
    fn serialize_unit_struct(self, _: &'static str) -> Built {
        Ok(None)
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Built {
        Ok(Some(text(name)))
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Built {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> Built {
        variant(name, value.serialize(ToAnyValue)?)
    }
    fn serialize_seq(self, len: Option<usize>) -> Result<List, Unserialisable> {
        Ok(List { variant: None, items: Vec::with_capacity(len.unwrap_or_default()) })
    }
    fn serialize_tuple(self, len: usize) -> Result<List, Unserialisable> {
        self.serialize_seq(Some(len))
    }
    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<List, Unserialisable> {
        self.serialize_seq(Some(len))
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        len: usize,
    ) -> Result<List, Unserialisable> {
        Ok(List { variant: Some(name), items: Vec::with_capacity(len) })
    }
    fn serialize_map(self, len: Option<usize>) -> Result<Object, Unserialisable> {
        Ok(Object { variant: None, key: None, entries: HashMap::with_capacity(len.unwrap_or_default()) })
    }
    fn serialize_struct(self, _: &'static str, len: usize) -> Result<Object, Unserialisable> {
        self.serialize_map(Some(len))
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        len: usize,
    ) -> Result<Object, Unserialisable> {
        Ok(Object { variant: Some(name), key: None, entries: HashMap::with_capacity(len) })
    }
}

struct List {
    variant: Option<&'static str>,
    items: Vec<AnyValue>,
}

impl List {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unserialisable> {
        self.items.push(value.serialize(ToAnyValue)?.unwrap_or_else(|| text("null")));
        Ok(())
    }

    fn build(self) -> Built {
        match self.variant {
            Some(name) => variant(name, list(self.items)?),
            None => list(self.items),
        }
    }
}

macro_rules! list_serializer {
    ($($name:ident :: $method:ident),*) => {$(
        impl ser::$name for List {
            type Ok = Option<AnyValue>;
            type Error = Unserialisable;
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unserialisable> {
                self.push(value)
            }
            fn end(self) -> Built {
                self.build()
            }
        }
    )*};
}

list_serializer!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

struct Object {
    variant: Option<&'static str>,
    key: Option<StringValue>,
    entries: HashMap<Key, AnyValue>,
}

impl Object {
    fn insert<T: Serialize + ?Sized>(&mut self, key: Key, value: &T) -> Result<(), Unserialisable> {
        if let Some(value) = value.serialize(ToAnyValue)? {
            self.entries.insert(key, value);
        }
        Ok(())
    }

    fn build(self) -> Built {
        match self.variant {
            Some(name) => variant(name, map(self.entries)?),
            None => map(self.entries),
        }
    }
}

impl ser::SerializeMap for Object {
    type Ok = Option<AnyValue>;
    type Error = Unserialisable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unserialisable> {
        self.key = match key.serialize(ToAnyValue)? {
            Some(AnyValue::String(key)) => Some(key),
            Some(AnyValue::Int(key)) => Some(key.to_string().into()),
            Some(AnyValue::Boolean(key)) => Some(key.to_string().into()),
            _ => return Err(ser::Error::custom("a key that is no text")),
        };
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unserialisable> {
        let key = self.key.take().map(String::from).unwrap_or_default();
        self.insert(key.into(), value)
    }

    fn end(self) -> Built {
        self.build()
    }
}

macro_rules! struct_serializer {
    ($($name:ident),*) => {$(
        impl ser::$name for Object {
            type Ok = Option<AnyValue>;
            type Error = Unserialisable;
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), Unserialisable> {
                self.insert(Key::from_static_str(key), value)
            }
            fn end(self) -> Built {
                self.build()
            }
        }
    )*};
}

struct_serializer!(SerializeStruct, SerializeStructVariant);

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn back(value: &AnyValue) -> serde_json::Value {
        match value {
            AnyValue::Int(v) => json!(v),
            AnyValue::Double(v) => json!(v),
            AnyValue::String(v) => json!(v.as_str()),
            AnyValue::Boolean(v) => json!(v),
            AnyValue::ListAny(items) => items.iter().map(back).collect(),
            AnyValue::Map(entries) => serde_json::Value::Object(
                entries.iter().map(|(key, value)| (key.to_string(), back(value))).collect(),
            ),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn json_comes_back_as_it_went_in() {
        let value = json!({"a": [1, -2, 2.5, true, "x", {"b": {}}], "e": [], "big": u64::MAX});
        assert_eq!(
            back(&any_value(&value).unwrap()),
            json!({"a": [1, -2, 2.5, true, "x", {"b": {}}], "e": [], "big": u64::MAX as f64})
        );
    }

    #[test]
    fn null_properties_vanish_and_null_items_keep_their_place() {
        let value = json!({"a": null, "b": [null, 1]});
        assert_eq!(back(&any_value(&value).unwrap()), json!({"b": ["null", 1]}));
    }
}
