//! Prices from TOML.

use std::collections::HashMap;

use serde::Deserialize;
use toml::Spanned;

use super::Price;
use crate::id::Day;

/// What is wrong with a text of prices.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}{what}", line.map(|line| format!("line {line}: ")).unwrap_or_default())]
pub struct PriceError {
    line: Option<usize>,
    what: String,
}

impl PriceError {
    /// The line, from 1, where it is one.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    pub(super) fn currency(told: &str, used: &str) -> Self {
        let what = format!(
            "`currency` is {told:?}, but the other prices are in {used}: costs of two currencies cannot be added; write the \
             prices in {used}, and leave `currency` out"
        );
        Self { line: None, what }
    }
}

/// What stood in the text.
pub(super) struct Read {
    pub(super) currency: Option<String>,
    pub(super) known: HashMap<String, String>,
    pub(super) rows: Vec<Price>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    currency: Option<String>,
    #[serde(default)]
    known: HashMap<String, String>,
    #[serde(default)]
    price: Vec<Block>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Block {
    provider: String,
    rows: Vec<Spanned<Row>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    model: String,
    from: Option<String>,
    until: Option<String>,
    over: Option<u64>,
    input: f64,
    output: Option<f64>,
    cache_read: Option<f64>,
    cache_write: Option<f64>,
    audio_input: Option<f64>,
    audio_output: Option<f64>,
}

pub(super) fn read(text: &str, is_override: bool) -> Result<Read, PriceError> {
    let line = |at: usize| text.get(..at).map(|before| before.matches('\n').count() + 1);
    let file: File = toml::from_str(text).map_err(|error| PriceError {
        line: error.span().and_then(|span| line(span.start)),
        what: format!(
            "{}; a price is written as `rows = [{{ model = \"gpt-5\", input = 1.25, output = 10.00 }}]` under `[[price]]` \
             with a `provider`",
            error.message()
        ),
    })?;
    let mut rows = Vec::new();
    for Block { provider, rows: told } in file.price {
        for row in told {
            let at = line(row.span().start);
            let price = row.into_inner().price(&provider, is_override);
            rows.push(price.map_err(|what| PriceError { line: at, what })?);
        }
    }
    Ok(Read { currency: file.currency, known: file.known, rows })
}

impl Row {
    fn price(self, provider: &str, is_override: bool) -> Result<Price, String> {
        let prices = [
            ("input", Some(self.input)),
            ("output", self.output),
            ("cache_read", self.cache_read),
            ("cache_write", self.cache_write),
            ("audio_input", self.audio_input),
            ("audio_output", self.audio_output),
        ];
        // No list price is near a million a million tokens: it is the price of something else.
        let is_price = |price: &f64| (0.0..=1e6).contains(price);
        if let Some((field, Some(price))) =
            prices.into_iter().find(|(_, price)| price.is_some_and(|price| !is_price(&price)))
        {
            return Err(format!(
                "`{field}` of {} is {price}: write what a million tokens cost, from 0 to 1000000",
                self.model
            ));
        }
        let model = self.model.trim().to_ascii_lowercase();
        if model.is_empty() || provider.trim().is_empty() {
            return Err("`model` or `provider` is empty: write both as the spans have them".to_owned());
        }
        let day = |field: &str, told: Option<&str>| {
            told.map(|told| {
                date(told)
                    .ok_or_else(|| format!("`{field}` of {model} is {told:?}: write a day as \"2026-01-31\""))
            })
            .transpose()
        };
        Ok(Price {
            from: day("from", self.from.as_deref())?.unwrap_or(Day(0)),
            until: day("until", self.until.as_deref())?,
            provider: otel_genai_dialect::provider_name(provider),
            model,
            over: self.over.unwrap_or(0),
            input: self.input,
            output: self.output,
            cache_read: self.cache_read,
            cache_write: self.cache_write,
            audio_input: self.audio_input,
            audio_output: self.audio_output,
            is_override,
        })
    }
}

fn date(text: &str) -> Option<Day> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let is_whole = parts.next().is_none() && year.len() == 4 && month.len() == 2 && day.len() == 2;
    Day::from_date(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).filter(|_| is_whole)
}
