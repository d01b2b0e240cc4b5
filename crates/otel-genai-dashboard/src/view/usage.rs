//! Tokens and money.

use otel_genai_store as store;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Tokens of one call or of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Of the input, those of the cache included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<u64>,
    /// Of the output, reasoning included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<u64>,
    /// Of the input, read from a cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_read: Option<u64>,
    /// Of the input, written to a cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<u64>,
    /// Of the output, for reasoning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<u64>,
    /// Of the input, sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_input: Option<u64>,
    /// Of the output, sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_output: Option<u64>,
}

impl Usage {
    /// `None` where nothing was told.
    #[must_use]
    pub fn told(usage: &store::Usage) -> Option<Self> {
        Some(Self::from(usage)).filter(|usage| *usage != Self::default())
    }
}

impl From<&store::Usage> for Usage {
    fn from(usage: &store::Usage) -> Self {
        Self {
            input: usage.input,
            output: usage.output,
            cache_read: usage.cache_read,
            cache_write: usage.cache_write,
            reasoning: usage.reasoning,
            audio_input: usage.audio_input,
            audio_output: usage.audio_output,
        }
    }
}

/// What calls cost. Calls without a price are in no sum.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cost {
    /// In units of the currency, to 10⁻⁹.
    pub amount: f64,
    /// What caching took off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saved: Option<f64>,
    /// Who says so.
    pub source: CostSource,
}

/// Who says what calls cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CostSource {
    /// The spans themselves.
    Reported,
    /// The table of prices.
    Table,
    /// Some calls' spans, for others the table.
    Mixed,
}

impl Cost {
    /// Of a sum in 10⁻⁹ of the unit.
    #[must_use]
    pub fn of(nanos: i64, saved: i64, source: CostSource) -> Self {
        let saved = (saved != 0).then(|| saved as f64 / 1e9);
        Self { amount: nanos as f64 / 1e9, saved, source }
    }
}

impl From<&store::Cost> for Cost {
    fn from(cost: &store::Cost) -> Self {
        Self::of(cost.nanos, cost.saved, cost.source.into())
    }
}

impl From<store::CostSource> for CostSource {
    fn from(source: store::CostSource) -> Self {
        match source {
            store::CostSource::Reported => Self::Reported,
            store::CostSource::Table => Self::Table,
        }
    }
}
