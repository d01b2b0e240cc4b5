//! Sums of calls: over time, by model, agent and tool.

use otel_genai_store::{Histogram, StatsRow};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cost, List, TraceRow, Usage, Way, is_false};

/// Sums of some calls.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Stat {
    /// How many.
    pub calls: u64,
    /// Of them with an error.
    pub errors: u64,
    /// Tokens.
    pub usage: Usage,
    /// What they cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// Of them with tokens and without a price.
    pub unpriced: u64,
    /// Half of them took no longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50_ms: Option<f64>,
    /// 95 of 100 took no longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p95_ms: Option<f64>,
    /// 99 of 100 took no longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99_ms: Option<f64>,
    /// Half of them gave the first chunk by then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttft_p50_ms: Option<f64>,
    /// 95 of 100 gave the first chunk by then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttft_p95_ms: Option<f64>,
    /// Output tokens a second, of the one in the middle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_second: Option<f64>,
}

impl From<&StatsRow> for Stat {
    fn from(row: &StatsRow) -> Self {
        Self {
            calls: row.calls,
            errors: row.errors,
            usage: Usage::from(&row.usage),
            cost: row.cost.as_ref().map(Cost::from),
            unpriced: row.unpriced,
            p50_ms: millis(&row.duration, 0.5),
            p95_ms: millis(&row.duration, 0.95),
            p99_ms: millis(&row.duration, 0.99),
            ttft_p50_ms: millis(&row.first_chunk, 0.5),
            ttft_p95_ms: millis(&row.first_chunk, 0.95),
            tokens_per_second: row.output_rate.quantile(0.5).map(|rate| rate as f64 / 1000.0),
        }
    }
}

/// A quantile of durations in nanoseconds, in milliseconds. The store's quantiles are exact to 4.5 %, so that what follows
/// the microseconds says nothing.
pub(crate) fn millis(histogram: &Histogram, quantile: f64) -> Option<f64> {
    histogram.quantile(quantile).map(|nanos| (nanos / 1000) as f64 / 1000.0)
}

/// How it goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Overview {
    /// Of when.
    pub range: Steps,
    /// All calls of models.
    pub stat: Stat,
    /// Those of the time before, of the same length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Stat>,
    /// How many traces began.
    pub traces: u64,
    /// Over time; a step without calls is left out.
    pub steps: Vec<Step>,
    /// By model, those with the most calls first.
    pub models: Vec<ModelRow>,
    /// By agent.
    pub agents: Vec<AgentRow>,
    /// Tools that fail, those that fail most first.
    pub failing_tools: Vec<ToolRow>,
    /// The newest traces.
    pub newest: Vec<TraceRow>,
    /// Nothing was ever received: what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub empty: Option<Empty>,
}

/// A stretch of time in steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Steps {
    /// From this moment on,
    pub from_ms: f64,
    /// to before this one.
    pub to_ms: f64,
    /// How long a step is.
    pub step_ms: f64,
}

/// The calls of a step of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Its first moment.
    pub at_ms: f64,
    /// How many.
    pub calls: u64,
    /// Of them with an error.
    pub errors: u64,
    /// Tokens of the input.
    pub input: u64,
    /// Tokens of the output.
    pub output: u64,
    /// Tokens of the input that came from a cache.
    pub cache_read: u64,
    /// What they cost, in units of the currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
    /// Half of them took no longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50_ms: Option<f64>,
    /// 95 of 100 took no longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p95_ms: Option<f64>,
    /// 95 of 100 gave the first chunk by then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttft_p95_ms: Option<f64>,
}

/// What to do where nothing was ever received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Empty {
    /// How programs are made to send.
    pub connect: Vec<Way>,
}

/// The calls of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelRow {
    /// Who runs it; empty where nobody said.
    pub provider: String,
    /// Its name; empty where nobody said.
    pub model: String,
    /// Its calls.
    pub stat: Stat,
    /// Why it stopped, and how often.
    pub finish: Vec<Finish>,
    /// Whether all calls with tokens have a price.
    pub priced: bool,
}

/// Why a model stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finish {
    /// Why.
    pub reason: String,
    /// How often.
    pub count: u64,
}

/// Models.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Models {
    /// Those with the most calls first.
    pub items: Vec<ModelRow>,
    /// Those without a price.
    pub unpriced: Vec<Unpriced>,
    /// The currency of costs.
    pub currency: String,
    /// As of when the prices are.
    pub prices_date: String,
}

/// A model without a price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unpriced {
    /// Who runs it.
    pub provider: String,
    /// Its name.
    pub model: String,
    /// How many calls with tokens have no price.
    pub calls: u64,
}

/// What an agent did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentRow {
    /// Its name; empty where nobody said.
    pub agent: String,
    /// It is a workflow: no agent is called so.
    #[serde(default, skip_serializing_if = "is_false")]
    pub workflow: bool,
    /// The service it runs in.
    pub service: String,
    /// How often it ran.
    pub runs: u64,
    /// How often it failed.
    pub errors: u64,
    /// How long it ran without the agents below it.
    pub own_ms: f64,
    /// How long it ran.
    pub total_ms: f64,
    /// Its own calls of models.
    pub own: Stat,
    /// And those of the agents below it.
    pub total: Stat,
    /// Its versions.
    pub versions: Vec<String>,
}

/// Agents, their tools, and who calls whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Agents {
    /// Those that ran most first.
    pub items: Vec<AgentRow>,
    /// Which agent ran which tool.
    pub matrix: Vec<AgentTool>,
    /// Which agent called which.
    pub edges: Vec<Edge>,
    /// Only so many of the newest traces were looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampled: Option<u64>,
}

/// How often an agent ran a tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AgentTool {
    /// The agent.
    pub agent: String,
    /// The tool.
    pub tool: String,
    /// How often.
    pub calls: u64,
    /// How often it failed.
    pub errors: u64,
}

/// How often an agent called another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Edge {
    /// The one that called.
    pub from: String,
    /// The one that ran.
    pub to: String,
    /// How often.
    pub calls: u64,
    /// In which way.
    pub kind: EdgeKind,
}

/// In which way an agent called another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EdgeKind {
    /// As a tool.
    Tool,
    /// Within its own run.
    Nested,
    /// By naming its span: one that handed over to the other.
    Link,
}

/// The runs of a tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ToolRow {
    /// Its name.
    pub tool: String,
    /// What kind of tool it is, as it is told: `function`, `extension`, `datastore`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Its runs.
    pub stat: Stat,
    /// Half of its arguments are at most so large, in bytes; of the newest runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments_p50: Option<u64>,
    /// And half of its results.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_p50: Option<u64>,
    /// How often it was run again after it failed, in the newest traces.
    pub retries: u64,
    /// How it failed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

/// Tools, those with the most runs first.
pub type Tools = List<ToolRow>;
