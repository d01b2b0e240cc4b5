//! The vocabulary by name and by slot, made once.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::content::{CONTENT, content_name};
use crate::slot::Slot;
use crate::vocabulary::WORDS;

/// What an attribute may say. Of several attributes that say one thing the one with the lowest rank counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Meaning {
    /// What it says.
    pub slot: Slot,
    /// How good its word is; lower is better.
    pub rank: u16,
}

/// What the attribute of this name may say: nothing, one thing or several. One look-up.
#[must_use]
pub fn meanings(name: &str) -> &'static [Meaning] {
    index().by_name.get(name).map(|known| known.meanings.as_slice()).unwrap_or_default()
}

/// The names of attributes that say this, the best first.
pub fn names_of(slot: Slot) -> impl Iterator<Item = &'static str> {
    index().by_slot.get(&slot).into_iter().flatten().copied()
}

/// Whether it is by its whole name an attribute that holds content.
pub(crate) fn is_content_name(name: &str) -> bool {
    index().by_name.get(name).is_some_and(|known| known.is_content)
}

#[derive(Default)]
struct Known {
    meanings: Vec<Meaning>,
    is_content: bool,
}

struct Index {
    by_name: HashMap<&'static str, Known>,
    by_slot: HashMap<Slot, Vec<&'static str>>,
}

fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| {
        let mut by_name: HashMap<&'static str, Known> = HashMap::new();
        let mut by_slot: HashMap<Slot, Vec<&'static str>> = HashMap::new();
        for (rank, (name, slot)) in (0..).zip(WORDS) {
            let known = by_name.entry(name).or_default();
            known.meanings.push(Meaning { slot: *slot, rank });
            known.is_content |= content_name(*slot).is_some();
            by_slot.entry(*slot).or_default().push(name);
        }
        for name in CONTENT.iter().filter(|name| !name.ends_with('.')) {
            by_name.entry(name).or_default().is_content = true;
        }
        Index { by_name, by_slot }
    })
}
