//! Values of attributes and bodies: as OTLP has them, or in pieces that are kept once.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
pub use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::common::v1::{ArrayValue, any_value::Value};
use prost::Message;

use crate::id::ContentHash;

/// A value, whole or as pieces that it shares with others.
#[derive(Clone, Debug)]
pub enum Held {
    /// As OTLP has it. `None`: the attribute came without a value.
    Whole(Option<AnyValue>),
    /// Large or repeated content, as pieces.
    Pieces(Pieces),
}

/// A value in pieces: joined by the glue they give the very bytes that came.
#[derive(Clone, Debug)]
pub struct Pieces {
    /// How they are joined.
    pub glue: Glue,
    /// In order.
    pub list: Vec<Arc<Piece>>,
}

/// How pieces make the value again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Glue {
    /// The value is the one piece.
    One = 0,
    /// A text of JSON: `[a,b]`.
    JsonTight = 1,
    /// A text of JSON: `[a, b]`.
    JsonSpaced = 2,
    /// An array of values.
    Array = 3,
}

/// What the bytes of a piece are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Form {
    /// Text, or a stretch of it.
    Text = 0,
    /// An OTLP `AnyValue` in protobuf.
    Value = 1,
}

/// A stretch of content, kept once however often it is told: a message of a growing history, a tool's schema.
#[derive(Clone, Debug)]
pub struct Piece {
    /// Its name.
    pub hash: ContentHash,
    /// What the bytes are.
    pub form: Form,
    /// The bytes.
    pub bytes: Bytes,
}

impl Piece {
    /// A piece with the hash that belongs to it.
    #[must_use]
    pub fn new(form: Form, bytes: Bytes) -> Self {
        Self { hash: ContentHash::of(form as u8, &bytes), form, bytes }
    }

    /// The value that a piece is when it stands alone. A damaged one gives no value.
    fn value(&self) -> Option<AnyValue> {
        match self.form {
            Form::Text => {
                Some(AnyValue { value: Some(Value::StringValue(lossless(&self.bytes)?.to_owned())) })
            }
            Form::Value => AnyValue::decode(self.bytes.clone()).ok(),
        }
    }
}

impl Held {
    /// The value as OTLP has it. Pieces are joined, which copies them.
    #[must_use]
    pub fn value(&self) -> Option<Cow<'_, AnyValue>> {
        match self {
            Self::Whole(value) => value.as_ref().map(Cow::Borrowed),
            Self::Pieces(pieces) => pieces.value().map(Cow::Owned),
        }
    }

    /// The same, without a copy where it is whole.
    #[must_use]
    pub fn into_value(self) -> Option<AnyValue> {
        match self {
            Self::Whole(value) => value,
            Self::Pieces(pieces) => pieces.value(),
        }
    }

    pub(crate) fn told(&self) -> Option<AnyValue> {
        self.value().map(Cow::into_owned)
    }

    /// The text of a string value.
    #[must_use]
    pub fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Whole(Some(AnyValue { value: Some(Value::StringValue(text)) })) => {
                Some(Cow::Borrowed(text))
            }
            Self::Whole(_) => None,
            Self::Pieces(pieces) => pieces.text(),
        }
    }

    /// The value as JSON: structured ones as they are; a text that is JSON is read as it; other text is a string.
    #[must_use]
    pub fn json(&self) -> Option<serde_json::Value> {
        if let Some(text) = self.text() {
            let looks_like = text.trim_start().starts_with(['{', '[']);
            let read = looks_like.then(|| serde_json::from_str(&text).ok()).flatten();
            return Some(read.unwrap_or_else(|| text.into_owned().into()));
        }
        self.value().map(|value| any_to_json(&value))
    }
}

impl Pieces {
    fn value(&self) -> Option<AnyValue> {
        match self.glue {
            Glue::One => self.list.first()?.value(),
            Glue::JsonTight | Glue::JsonSpaced => {
                Some(AnyValue { value: Some(Value::StringValue(self.text()?.into_owned())) })
            }
            Glue::Array => {
                let values = self.list.iter().map(|piece| piece.value()).collect::<Option<_>>()?;
                Some(AnyValue { value: Some(Value::ArrayValue(ArrayValue { values })) })
            }
        }
    }

    fn text(&self) -> Option<Cow<'_, str>> {
        let joint = match self.glue {
            Glue::One => {
                let piece = self.list.first().filter(|piece| piece.form == Form::Text)?;
                return lossless(&piece.bytes).map(Cow::Borrowed);
            }
            Glue::JsonTight => ",",
            Glue::JsonSpaced => ", ",
            Glue::Array => return None,
        };
        let mut joined =
            BytesMut::with_capacity(2 + self.list.iter().map(|piece| piece.bytes.len() + 2).sum::<usize>());
        joined.put_u8(b'[');
        for (at, piece) in self.list.iter().enumerate() {
            if at > 0 {
                joined.put_slice(joint.as_bytes());
            }
            joined.put_slice(&piece.bytes);
        }
        joined.put_u8(b']');
        String::from_utf8(joined.into()).ok().map(Cow::Owned)
    }
}

/// One attribute.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// Its name.
    pub key: Arc<str>,
    /// Its name as an index into a table of strings, as OTLP's profiles have it; 0 everywhere else.
    pub strindex: i32,
    /// What it says.
    pub value: Held,
}

/// The attributes of one thing, in the order they came, doubles included.
#[derive(Clone, Debug, Default)]
pub struct Attributes(pub Vec<Attribute>);

impl Attributes {
    /// From OTLP.
    #[must_use]
    pub fn from_otlp(attributes: Vec<KeyValue>) -> Self {
        Self::from_otlp_with(attributes, &mut Held::Whole)
    }

    pub(crate) fn from_otlp_with(
        attributes: Vec<KeyValue>,
        hold: &mut dyn FnMut(Option<AnyValue>) -> Held,
    ) -> Self {
        let each = |KeyValue { key, value, key_strindex }: KeyValue| Attribute {
            key: key.into(),
            strindex: key_strindex,
            value: hold(value),
        };
        Self(attributes.into_iter().map(each).collect())
    }

    /// The very list that came.
    #[must_use]
    pub fn to_otlp(&self) -> Vec<KeyValue> {
        self.to_otlp_with(&mut Held::told)
    }

    pub(crate) fn to_otlp_with(&self, tell: &mut dyn FnMut(&Held) -> Option<AnyValue>) -> Vec<KeyValue> {
        let each = |attribute: &Attribute| KeyValue {
            key: attribute.key.as_ref().to_owned(),
            value: tell(&attribute.value),
            key_strindex: attribute.strindex,
        };
        self.0.iter().map(each).collect()
    }

    /// The value of a key; of several the last.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Held> {
        self.0.iter().rev().find(|attribute| attribute.key.as_ref() == key).map(|attribute| &attribute.value)
    }

    /// A string; nothing else.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<Cow<'_, str>> {
        self.get(key)?.text()
    }

    /// A whole number: an int, a double without a fraction, or decimal digits, which some exporters make of numbers.
    #[must_use]
    pub fn int(&self, key: &str) -> Option<i64> {
        match self.plain(key)? {
            Value::IntValue(int) => Some(*int),
            Value::DoubleValue(double) => whole(*double),
            Value::StringValue(text) => {
                let text = text.trim();
                text.parse().ok().or_else(|| whole(text.parse().ok()?))
            }
            _ => None,
        }
    }

    /// A number, or the text of one. Neither infinite nor "not a number".
    #[must_use]
    pub fn float(&self, key: &str) -> Option<f64> {
        let number = match self.plain(key)? {
            #[allow(clippy::cast_precision_loss, reason = "a float was asked for")]
            Value::IntValue(int) => *int as f64,
            Value::DoubleValue(double) => *double,
            Value::StringValue(text) => text.trim().parse().ok()?,
            _ => return None,
        };
        number.is_finite().then_some(number)
    }

    /// Yes or no, or the text of it.
    #[must_use]
    pub fn bool(&self, key: &str) -> Option<bool> {
        match self.plain(key)? {
            Value::BoolValue(yes) => Some(*yes),
            Value::StringValue(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Value::StringValue(text) if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    /// Several strings: an array of them, or the JSON text of one. What is no string in it is left out.
    #[must_use]
    pub fn texts(&self, key: &str) -> Option<Vec<String>> {
        let serde_json::Value::Array(items) = self.json(key)? else { return None };
        let text = |item| match item {
            serde_json::Value::String(text) => Some(text),
            _ => None,
        };
        Some(items.into_iter().filter_map(text).collect())
    }

    /// The value as JSON, as [`Held::json`] makes it.
    #[must_use]
    pub fn json(&self, key: &str) -> Option<serde_json::Value> {
        self.get(key)?.json()
    }

    /// A scalar that nobody took apart; scalars are never in pieces.
    fn plain(&self, key: &str) -> Option<&Value> {
        match self.get(key)? {
            Held::Whole(value) => value.as_ref()?.value.as_ref(),
            Held::Pieces(_) => None,
        }
    }
}

impl otel_genai_dialect::Words for Attributes {
    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|attribute| attribute.key.as_ref())
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.text(name)
    }

    fn int(&self, name: &str) -> Option<i64> {
        self.int(name)
    }

    fn float(&self, name: &str) -> Option<f64> {
        self.float(name)
    }

    fn bool(&self, name: &str) -> Option<bool> {
        self.bool(name)
    }
}

fn whole(double: f64) -> Option<i64> {
    // Above 2^53 a double does not say which whole number it was.
    let exact = double.fract() == 0.0 && double.abs() <= 9_007_199_254_740_992.0;
    #[allow(clippy::cast_possible_truncation, reason = "whole, and in range")]
    exact.then_some(double as i64)
}

/// Structured values as JSON. Bytes become base64, as OTLP's JSON has them; what JSON has no number for becomes text.
pub(crate) fn any_to_json(value: &AnyValue) -> serde_json::Value {
    use base64::Engine as _;
    match &value.value {
        None => serde_json::Value::Null,
        Some(Value::StringValue(text)) => text.as_str().into(),
        Some(Value::BoolValue(yes)) => (*yes).into(),
        Some(Value::IntValue(int)) => (*int).into(),
        Some(Value::StringValueStrindex(index)) => (*index).into(),
        Some(Value::DoubleValue(double)) => serde_json::Number::from_f64(*double)
            .map_or_else(|| double.to_string().into(), serde_json::Value::Number),
        Some(Value::ArrayValue(array)) => array.values.iter().map(any_to_json).collect(),
        Some(Value::KvlistValue(list)) => list
            .values
            .iter()
            .map(|pair| (pair.key.clone(), pair.value.as_ref().map_or(serde_json::Value::Null, any_to_json)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Some(Value::BytesValue(bytes)) => base64::engine::general_purpose::STANDARD.encode(bytes).into(),
    }
}

fn lossless(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}
