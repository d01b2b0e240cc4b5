//! Attributes, whoever keeps them.

use std::borrow::Cow;

/// A list of attributes that is asked by name. Of several with one name the last counts: SDKs keep all that were set.
pub trait Words {
    /// The names of all, in the order they came.
    fn names(&self) -> impl Iterator<Item = &str>;

    /// Whether there is one of this name.
    fn has(&self, name: &str) -> bool;

    /// A string, and nothing else.
    fn text(&self, name: &str) -> Option<Cow<'_, str>>;

    /// A number without a fraction, also as text: some exporters make text of numbers.
    fn int(&self, name: &str) -> Option<i64>;

    /// A finite number, also as text.
    fn float(&self, name: &str) -> Option<f64>;

    /// Yes or no, also as text.
    fn bool(&self, name: &str) -> Option<bool>;
}
