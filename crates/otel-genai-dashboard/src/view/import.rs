//! What became of a file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What became of a file that was imported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Imported {
    /// Spans that are new.
    pub spans: u64,
    /// Log records that are new.
    pub logs: u64,
    /// Points of metrics that are new.
    pub points: u64,
    /// Records that had been stored before.
    pub known: u64,
    /// What cannot be stored.
    pub rejected: Vec<Rejected>,
    /// The traces in it, the first 1,000.
    pub traces: Vec<String>,
}

/// Records that cannot be stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rejected {
    /// Why.
    pub why: String,
    /// How many.
    pub count: u64,
}
