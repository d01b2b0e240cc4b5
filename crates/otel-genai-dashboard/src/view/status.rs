//! How the store is, what is set, and what changes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Dialect, TraceRow};

/// How the store is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// How many it holds.
    pub spans: u64,
    /// How many it holds.
    pub logs: u64,
    /// How many it holds.
    pub points: u64,
    /// How many it holds.
    pub traces: u64,
    /// Room on the disk.
    pub bytes: u64,
    /// How much room it may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_bytes: Option<u64>,
    /// How long it keeps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age_ms: Option<f64>,
    /// The oldest record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_ms: Option<f64>,
    /// Records a second, lately.
    pub per_second: f64,
    /// Received and not stored yet.
    pub queued_bytes: u64,
    /// Pieces of content that cannot be searched yet.
    pub index_behind: u64,
    /// Files that were damaged and are kept aside.
    pub damaged: Vec<String>,
    /// Where it is.
    pub location: String,
    /// Whether nothing can be stored.
    pub read_only: bool,
    /// In whose words services tell.
    pub dialects: Vec<DialectServices>,
    /// How many things are wrong with services; traces are looked into when they are asked for.
    pub findings: u64,
}

/// How many services tell in some words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DialectServices {
    /// Whose words.
    pub dialect: Dialect,
    /// How many services.
    pub services: u64,
}

/// What is set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// Where the store is.
    pub data_dir: String,
    /// How long it keeps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age_ms: Option<f64>,
    /// How much room it may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
    /// Longer content is cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_content: Option<u64>,
    /// When what was received is on the disk.
    pub sync: Durability,
    /// Whether nothing can be stored.
    pub read_only: bool,
    /// How the store is.
    pub status: Status,
    /// How programs are made to send.
    pub connect: Vec<Way>,
    /// How a coding agent asks.
    pub mcp: McpWays,
    /// Flags and variables, and where their values come from.
    pub variables: Vec<Variable>,
    /// What `PATCH` may change here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changeable: Vec<Setting>,
}

/// A setting that can be changed while the dashboard runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Setting {
    /// How long records are kept.
    MaxAgeMs,
    /// How much room they may take.
    MaxBytes,
}

/// What is to be changed. What is left out stays; `null` takes a limit away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SettingsChange {
    /// How long records are kept: an hour at least.
    #[serde(default, deserialize_with = "told", skip_serializing_if = "Option::is_none")]
    pub max_age_ms: Option<Option<u64>>,
    /// How much room they may take: 16 MiB at least.
    #[serde(default, deserialize_with = "told", skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<Option<u64>>,
}

/// What is there, even if it is `null`.
fn told<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<u64>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// When what was received is on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// Before the sender is answered.
    #[default]
    Full,
    /// Soon after.
    Normal,
}

/// How programs of a kind are made to send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Way {
    /// Of which kind.
    pub language: String,
    /// What to type.
    pub text: String,
}

/// A setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value; never a secret.
    pub value: String,
    /// Where that comes from.
    pub from: Whence,
}

/// Where the value of a setting comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Whence {
    /// From the command line.
    Flag,
    /// From the environment.
    Environment,
    /// It was changed on the page.
    Page,
    /// From nowhere: it is as it is by itself.
    Default,
}

/// What was deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deleted {
    /// So many traces.
    pub traces: u64,
    /// So much room on the disk.
    pub bytes: u64,
}

/// The first event of a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hello {
    /// Another one for each process.
    pub epoch: String,
    /// The number of the last change.
    pub n: u64,
}

/// The event of traces that are new or others than before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Traces {
    /// Each whole; the newest at most 200.
    pub items: Vec<TraceRow>,
    /// How many others: ask again.
    pub more: u64,
}

/// The event of a trace that is watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Revised {
    /// Which one.
    pub id: String,
    /// Another number whenever it has changed.
    pub rev: u64,
}

/// The event of records that were deleted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Stretch {
    /// From this moment on,
    pub from_ms: f64,
    /// to before this one.
    pub to_ms: f64,
}

/// How a coding agent asks over the Model Context Protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct McpWays {
    /// For a client that starts a program.
    pub stdio: String,
    /// For a client that asks over HTTP.
    pub http: String,
}
