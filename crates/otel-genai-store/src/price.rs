//! What models cost: a table of list prices with dates, and one's own prices over it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::facts::{Cost, CostSource, Pricing, Usage};
use crate::id::{Day, Nanos};

mod name;
mod read;

pub use read::PriceError;

/// The prices that come with this library.
const TABLE: &str = include_str!("price/table.toml");

/// Prices of models. Calls of models that are not in it have no price; they never cost 0.
///
/// ```
/// use otel_genai_store::{Nanos, PriceTable, Pricing, Usage};
///
/// let own = r#"
/// [[price]]
/// provider = "openai"
/// rows = [{ model = "my-model", input = 1.00, output = 4.00 }]
/// "#;
/// let table = PriceTable::builtin().with_overrides(own)?;
/// let usage = Usage { input: Some(1_000_000), output: Some(500_000), ..Usage::default() };
/// let cost = table.cost("openai", "my-model", Nanos::now(), &usage).unwrap();
/// assert_eq!(cost.nanos, 3_000_000_000); // 3 dollars
/// assert_eq!(table.cost("openai", "nobody's", Nanos::now(), &usage), None);
/// # Ok::<(), otel_genai_store::PriceError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct PriceTable {
    currency: String,
    known: HashMap<String, String>,
    rows: Vec<Price>,
    /// Places in `rows`, by provider and model.
    index: HashMap<(String, String), Vec<usize>>,
    /// Who sells a model of this name.
    sellers: HashMap<String, Vec<String>>,
    version: u64,
}

/// A row of the table: what a million tokens cost, in units of the currency.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Price {
    /// The provider, as `gen_ai.provider.name` has it.
    pub provider: String,
    /// The model, without a date at its end unless that one is dearer or cheaper than others.
    pub model: String,
    /// The first day on which it holds.
    pub from: Day,
    /// The first day on which it holds no more, where that is known.
    pub until: Option<Day>,
    /// It holds for calls with more input tokens than so many.
    pub over: u64,
    /// Of input that no cache held.
    pub input: f64,
    /// Of output, reasoning included. `None`: the model makes none.
    pub output: Option<f64>,
    /// Of input that was read from a cache; as other input if `None`.
    pub cache_read: Option<f64>,
    /// Of input that was written to a cache; as other input if `None`.
    pub cache_write: Option<f64>,
    /// Of sound in the input. `None`: calls with sound have no price.
    pub audio_input: Option<f64>,
    /// Of sound in the output. `None`: calls with sound have no price.
    pub audio_output: Option<f64>,
    /// Whether it is one's own.
    pub is_override: bool,
}

impl PriceTable {
    /// The list prices that come with this library.
    #[must_use]
    pub fn builtin() -> Self {
        match read::read(TABLE, false) {
            Ok(file) => {
                let mut table = Self {
                    currency: file.currency.unwrap_or_default(),
                    known: file.known,
                    ..Self::default()
                };
                table.add(file.rows, TABLE);
                table
            }
            // A test reads it, so nobody will see this.
            Err(error) => {
                tracing::warn!(target: "otel_genai_store", %error, "the built-in prices cannot be read: no call has a price");
                Self::default()
            }
        }
    }

    /// One's own prices over these, from a text of the same shape. They replace all that is known of a model.
    ///
    /// # Errors
    /// The line that is wrong, what is wrong with it and what to do.
    pub fn with_overrides(mut self, text: &str) -> Result<Self, PriceError> {
        let file = read::read(text, true)?;
        if let Some(currency) = file.currency.filter(|currency| *currency != self.currency) {
            return Err(PriceError::currency(&currency, &self.currency));
        }
        let replaced = |old: &Price| {
            file.rows.iter().any(|new| (&new.provider, &new.model) == (&old.provider, &old.model))
        };
        self.rows.retain(|old| !replaced(old));
        self.add(file.rows, text);
        Ok(self)
    }

    /// All rows, one's own last.
    #[must_use]
    pub fn rows(&self) -> &[Price] {
        &self.rows
    }

    /// The currency, as ISO 4217 has it.
    #[must_use]
    pub fn currency(&self) -> &str {
        &self.currency
    }

    /// The last day on which any of the built-in prices was held against what its provider publishes, `2026-10-31`;
    /// [`known`](Self::known) says it for each provider.
    #[must_use]
    pub fn date(&self) -> &str {
        self.known.values().max().map(String::as_str).unwrap_or_default()
    }

    /// The last day on which the built-in prices of this provider were held against what it publishes.
    #[must_use]
    pub fn known(&self, provider: &str) -> Option<&str> {
        self.known.get(provider).map(String::as_str)
    }

    /// The row for a call: of the model by its very name, else by its name without a date, else as the provider sells it
    /// whose models it resells.
    #[must_use]
    pub fn find(&self, provider: &str, model: &str, at: Nanos, input: u64) -> Option<&Price> {
        let day = Day::of(at);
        if provider.is_empty() {
            // Nobody told who ran it: a name that one provider alone has says so.
            let names = name::shortened(model, "");
            let seller = names.iter().find_map(|name| match self.sellers.get(name)?.as_slice() {
                [seller] => Some(seller.as_str()),
                _ => None,
            })?;
            return self.find(seller, model, at, input);
        }
        let providers = [Some(provider), name::sold_by(provider)];
        providers.into_iter().flatten().find_map(|provider| {
            name::shortened(model, provider).into_iter().find_map(|name| {
                let places = self.index.get(&(provider.to_owned(), name))?;
                let rows = places.iter().filter_map(|place| self.rows.get(*place));
                let begun = rows.filter(|row| row.from <= day && (row.over == 0 || input > row.over));
                // The newest counts, also where it has ended and nothing is known of what came then.
                let newest = begun.max_by_key(|row| (row.over, row.from));
                newest.filter(|row| row.until.is_none_or(|until| day < until))
            })
        })
    }

    fn add(&mut self, rows: Vec<Price>, text: &str) {
        self.rows.extend(rows);
        self.index.clear();
        self.sellers.clear();
        for (place, row) in self.rows.iter().enumerate() {
            match self.index.entry((row.provider.clone(), row.model.clone())) {
                Entry::Occupied(mut known) => known.get_mut().push(place),
                Entry::Vacant(unknown) => {
                    unknown.insert(vec![place]);
                    self.sellers.entry(row.model.clone()).or_default().push(row.provider.clone());
                }
            }
        }
        let hash =
            blake3::Hasher::new().update(&self.version.to_le_bytes()).update(text.as_bytes()).finalize();
        self.version = hash.as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    }
}

impl Pricing for PriceTable {
    fn cost(&self, provider: &str, model: &str, at: Nanos, usage: &Usage) -> Option<Cost> {
        self.find(provider, model, at, usage.input.unwrap_or(0))?.cost(usage)
    }

    fn version(&self) -> u64 {
        self.version
    }
}

impl Price {
    /// What so many tokens cost. `None` where a part of them has no price.
    #[must_use]
    pub fn cost(&self, usage: &Usage) -> Option<Cost> {
        let count = |tokens: Option<u64>| tokens.unwrap_or(0);
        let (input, output) = (count(usage.input), count(usage.output));
        let (sound_in, sound_out) = (count(usage.audio_input), count(usage.audio_output));
        let (read, written) = (count(usage.cache_read), count(usage.cache_write));
        let part = |tokens: u64, price: Option<f64>| -> Option<f64> {
            // A million tokens at one unit: a token costs 1000 times 10⁻⁹ of it. Counts are exact up to 2^53.
            #[allow(clippy::cast_precision_loss, reason = "no call has so many tokens")]
            if tokens == 0 { Some(0.0) } else { Some(tokens as f64 * price? * 1e3) }
        };
        let plain = input.saturating_sub(read).saturating_sub(written).saturating_sub(sound_in);
        let cached = part(read, self.cache_read.or(Some(self.input)))?
            + part(written, self.cache_write.or(Some(self.input)))?;
        let uncached = part(read.saturating_add(written), Some(self.input))?;
        let all = part(plain, Some(self.input))?
            + part(sound_in, self.audio_input)?
            + cached
            + part(output.saturating_sub(sound_out), self.output)?
            + part(sound_out, self.audio_output)?;
        #[allow(clippy::cast_possible_truncation, reason = "a float too large becomes the largest number")]
        let whole = |nanos: f64| nanos.round() as i64;
        Some(Cost { nanos: whole(all), saved: whole(uncached - cached), source: CostSource::Table })
    }
}
