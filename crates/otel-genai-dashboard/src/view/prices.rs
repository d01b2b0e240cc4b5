//! Prices of models.

use otel_genai_store::{Day, Price, PriceTable};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Unpriced, is_false};

/// By which prices costs are counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Prices {
    /// As of when they are.
    pub date: String,
    /// Their currency, as ISO 4217 has it.
    pub currency: String,
    /// Where they come from.
    pub source: String,
    /// The prices.
    pub rows: Vec<PriceRow>,
    /// Models that were called and have none.
    pub unpriced: Vec<Unpriced>,
}

/// What tokens of a model cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PriceRow {
    /// Who runs it.
    pub provider: String,
    /// Its name.
    pub model: String,
    /// The first day on which it holds.
    pub from: String,
    /// The first day on which it holds no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// For calls with more input tokens than so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over: Option<u64>,
    /// Of input.
    pub input: f64,
    /// Of output, where it makes some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<f64>,
    /// Of input from a cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_read: Option<f64>,
    /// Of input into a cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<f64>,
    /// For so many tokens.
    pub per: u32,
    /// It is one's own.
    #[serde(default, rename = "override", skip_serializing_if = "is_false")]
    pub is_override: bool,
}

impl Prices {
    /// A table, and the calls that it has no price for.
    #[must_use]
    pub fn of(table: &PriceTable, unpriced: Vec<Unpriced>) -> Self {
        let own = table.rows().iter().any(|row| row.is_override);
        let source = if own { "list prices, and a file of prices" } else { "list prices" };
        Self {
            date: table.date().to_owned(),
            currency: table.currency().to_owned(),
            source: source.to_owned(),
            rows: table.rows().iter().map(PriceRow::from).collect(),
            unpriced,
        }
    }
}

impl From<&Price> for PriceRow {
    fn from(price: &Price) -> Self {
        Self {
            provider: price.provider.clone(),
            model: price.model.clone(),
            from: date(price.from),
            until: price.until.map(date),
            over: Some(price.over).filter(|over| *over > 0),
            input: price.input,
            output: price.output,
            cache_read: price.cache_read,
            cache_write: price.cache_write,
            per: 1_000_000,
            is_override: price.is_override,
        }
    }
}

fn date(day: Day) -> String {
    let (year, month, day) = day.date();
    format!("{year:04}-{month:02}-{day:02}")
}
