//! The vocabulary by name and by slot, made once.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::OnceLock;

use crate::content::{CONTENT, content_name, is_content_tree};
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

/// The same, and whether the attribute holds content, as [`is_content`](crate::is_content) says it. One look-up.
#[must_use]
pub fn known(name: &str) -> (&'static [Meaning], bool) {
    match index().by_name.get(name) {
        Some(known) => (&known.meanings, known.is_content || is_content_tree(name)),
        None => (&[], is_content_tree(name)),
    }
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
    by_name: HashMap<&'static str, Known, BuildHasherDefault<Quick>>,
    by_slot: HashMap<Slot, Vec<&'static str>>,
}

/// Every attribute of every span is looked up. The names in the table are ours, so nobody can choose them to collide.
#[derive(Default)]
struct Quick(u64);

impl Hasher for Quick {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        let rest = rest.iter().fold(0, |rest, byte| rest << 8 | u64::from(*byte));
        for word in words.iter().map(|word| u64::from_le_bytes(*word)).chain([rest]) {
            self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }

    // What ends a text tells nothing here.
    fn write_u8(&mut self, _: u8) {}

    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }
}

fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| {
        let mut by_name: HashMap<&'static str, Known, _> = HashMap::default();
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
