//! Two traces, or two spans of them, side by side.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::transcript::Message;
use super::{Row, TraceRow};

/// Two traces, or two spans of them, side by side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// The one.
    pub a: Side,
    /// The other.
    pub b: Side,
    /// Figures of both.
    pub metrics: Vec<Figure>,
    /// The rows of both in one order.
    pub rows: Vec<AlignedRow>,
    /// The messages of both in one order.
    pub messages: Vec<AlignedMessage>,
    /// Attributes and settings that differ, by their names.
    pub attributes: Vec<Differing>,
}

/// One of the two.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Side {
    /// Its trace.
    pub trace: TraceRow,
    /// Its span, where only that and what is below it are compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<String>,
    /// Its rows, at most 10,000.
    pub rows: Vec<Row>,
    /// Its messages, by their hashes.
    pub messages: BTreeMap<String, Message>,
}

/// A figure of both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Figure {
    /// What it is: `duration` and `TTFT` are milliseconds, `cost` and `saved by cache` money, others counts.
    pub name: String,
    /// Of the one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub a: Option<f64>,
    /// Of the other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub b: Option<f64>,
}

/// A row of one, or of both, by its place in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlignedRow {
    /// In the one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub a: Option<usize>,
    /// In the other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub b: Option<usize>,
    /// Both did the same, by the same model and with the same end.
    pub same: bool,
}

/// A message of one, or of both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlignedMessage {
    /// In the one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub a: Option<String>,
    /// In the other. What is the same but for ids has another hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub b: Option<String>,
    /// How they relate.
    pub how: How,
    /// What of the text is other. Left out of long ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<Vec<Said>>,
}

/// How two messages relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// They say the same.
    Same,
    /// The same one speaks, in other words.
    Changed,
    /// The other has none.
    OnlyA,
    /// The one has none.
    OnlyB,
}

/// A stretch of two texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Said(
    /// What becomes of it,
    pub Changed,
    /// its words.
    pub String,
);

/// What becomes of a stretch of text on the way from the one to the other: a number, as it is told often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It is in both: 0.
    Stays,
    /// Only the other has it: 1.
    Comes,
    /// Only the one has it: -1.
    Goes,
}

impl Serialize for Changed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i8(match self {
            Self::Stays => 0,
            Self::Comes => 1,
            Self::Goes => -1,
        })
    }
}

impl<'de> Deserialize<'de> for Changed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match i8::deserialize(deserializer)? {
            0 => Ok(Self::Stays),
            1 => Ok(Self::Comes),
            -1 => Ok(Self::Goes),
            other => Err(serde::de::Error::custom(format!("{other} is none of 0, 1 and -1"))),
        }
    }
}

impl JsonSchema for Changed {
    fn schema_name() -> Cow<'static, str> {
        "Changed".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": [0, 1, -1], "description": "In both, only in the other, only in the one." })
    }
}

/// An attribute or a setting that differs. Of several calls their values stand in order, each once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Differing {
    /// Its name.
    pub key: String,
    /// In the one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub a: Option<String>,
    /// In the other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub b: Option<String>,
}
