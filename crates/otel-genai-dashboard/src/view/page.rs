//! Lists, a page at a time.

use otel_genai_store::Page;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A page of a list, or the whole of a short one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "{T}List")]
pub struct List<T> {
    /// What is on it, in order.
    pub items: Vec<T>,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// How many there are on all pages, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
}

impl<T> List<T> {
    /// A page as the store has it.
    pub(crate) fn page<S>(page: &Page<S>) -> Self
    where
        for<'s> T: From<&'s S>,
    {
        Self {
            items: page.items.iter().map(T::from).collect(),
            next: page.next.as_ref().map(ToString::to_string),
            total: page.total,
        }
    }
}

impl<T> FromIterator<T> for List<T> {
    /// All there is.
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self { items: items.into_iter().collect(), next: None, total: None }
    }
}
