//! Attributes by what they say: each name is looked up once.

use std::borrow::Cow;
use std::sync::Arc;

use opentelemetry_proto::tonic::common::v1::{AnyValue, any_value::Value};
use otel_genai_dialect::{Slot, Words, known};

use super::marks::Marks;
use crate::value::{Attributes, Held};

/// Names that are longer are cut: they are told in lists and counted by, and nobody calls a model so.
const LONGEST: usize = 512;
/// Nothing that is counted comes to more: a greater number is a mistake, and would make every sum one.
const MOST: u64 = 1_000_000_000_000;

/// What the attributes of a span or log record say, still unread.
pub(super) struct Fields<'a> {
    attributes: &'a Attributes,
    names: Names,
    known: Vec<Known<'a>>,
    /// Whose words they are.
    pub(super) marks: Marks,
}

struct Known<'a> {
    slot: Slot,
    rank: u16,
    key: &'a str,
    value: &'a Value,
}

/// Which names may be among the attributes. Most names that are asked for are not there, and need no look at the list.
#[derive(Default)]
struct Names([u64; 4]);

impl Names {
    fn place(name: &str) -> (usize, u64) {
        let bytes = name.as_bytes();
        let letter = |at: usize| bytes.get(at).copied().map_or(0, usize::from);
        let length = bytes.len();
        let place = length * 37 + letter(length / 2) * 5 + letter(length.wrapping_sub(1)) * 11;
        (place >> 6 & 3, 1 << (place & 63))
    }

    fn add(&mut self, name: &str) {
        let (at, bit) = Self::place(name);
        if let Some(bits) = self.0.get_mut(at) {
            *bits |= bit;
        }
    }

    /// `false`: certainly not.
    fn may_have(&self, name: &str) -> bool {
        let (at, bit) = Self::place(name);
        self.0.get(at).is_some_and(|bits| bits & bit != 0)
    }
}

impl<'a> Fields<'a> {
    pub(super) fn new(attributes: &'a Attributes) -> Self {
        let mut marks = Marks::default();
        let (mut all, mut names) = (Vec::with_capacity(24), Names::default());
        for attribute in &attributes.0 {
            let key = attribute.key.as_ref();
            names.add(key);
            let (meanings, is_content) = known(key);
            marks.see(key, is_content, &attribute.value);
            let Some(value) = plain(&attribute.value) else { continue };
            all.extend(meanings.iter().map(|meaning| Known {
                slot: meaning.slot,
                rank: meaning.rank,
                key,
                value,
            }));
        }
        Self { attributes, names, known: all, marks }
    }

    /// The best of what says this, as `read` understands it; of two with one name the later.
    fn best<T>(&self, slot: Slot, read: impl Fn(&str, &Value) -> Option<T>) -> Option<T> {
        let mut best: Option<(u16, T)> = None;
        for known in self.known.iter().filter(|known| known.slot == slot) {
            if best.as_ref().is_none_or(|(rank, _)| known.rank <= *rank)
                && let Some(value) = read(known.key, known.value)
            {
                best = Some((known.rank, value));
            }
        }
        best.map(|(_, value)| value)
    }

    pub(super) fn name(&self, slot: Slot) -> Option<Arc<str>> {
        self.best(slot, |_, value| name(value))
    }

    /// The same, where some names say it of this operation alone.
    pub(super) fn name_unless(&self, slot: Slot, shared: &[&str]) -> Option<Arc<str>> {
        self.best(slot, |key, value| (!shared.contains(&key)).then(|| name(value)).flatten())
    }

    pub(super) fn raw_name(&self, slot: Slot) -> Option<&str> {
        let known = self.known.iter().filter(|known| known.slot == slot);
        known.min_by_key(|known| known.rank).and_then(|known| text(known.value))
    }

    pub(super) fn count(&self, slot: Slot) -> Option<u64> {
        self.best(slot, |_, value| count(value))
    }

    pub(super) fn float(&self, slot: Slot) -> Option<f64> {
        self.best(slot, |_, value| float(value))
    }

    pub(super) fn bool(&self, slot: Slot) -> Option<bool> {
        self.best(slot, |_, value| match value {
            Value::BoolValue(yes) => Some(*yes),
            Value::StringValue(text) => text.trim().to_ascii_lowercase().parse().ok(),
            _ => None,
        })
    }

    /// Several texts, with commas between them.
    pub(super) fn list(&self, slot: Slot) -> Option<Arc<str>> {
        self.best(slot, |_, value| {
            let all = match value {
                Value::ArrayValue(array) => {
                    array.values.iter().filter_map(|value| text(value.value.as_ref()?)).collect::<Vec<_>>()
                }
                Value::StringValue(told) if told.starts_with('[') => {
                    let told = serde_json::from_str::<Vec<String>>(told).ok()?.join(",");
                    return bounded(&told);
                }
                Value::StringValue(told) => vec![told.as_str()],
                _ => return None,
            };
            bounded(&all.join(","))
        })
    }

    /// By its very name.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        plain(self.held(key)?)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.held(key).is_some()
    }

    pub(super) fn text_of(&self, key: &str) -> Option<&'a str> {
        text(self.get(key)?).filter(|text| !text.is_empty())
    }

    pub(super) fn name_of(&self, key: &str) -> Option<Arc<str>> {
        name(self.get(key)?)
    }

    pub(super) fn count_of(&self, key: &str) -> Option<u64> {
        count(self.get(key)?)
    }

    pub(super) fn float_of(&self, key: &str) -> Option<f64> {
        float(self.get(key)?)
    }

    pub(super) fn bool_of(&self, key: &str) -> Option<bool> {
        self.names.may_have(key).then(|| self.attributes.bool(key)).flatten()
    }

    pub(super) fn held(&self, key: &str) -> Option<&'a Held> {
        self.names.may_have(key).then(|| self.attributes.get(key)).flatten()
    }
}

impl Words for Fields<'_> {
    fn names(&self) -> impl Iterator<Item = &str> {
        self.attributes.names()
    }

    fn has(&self, name: &str) -> bool {
        self.held(name).is_some()
    }

    fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.held(name)?.text()
    }

    fn int(&self, name: &str) -> Option<i64> {
        self.attributes.int(name)
    }

    fn float(&self, name: &str) -> Option<f64> {
        self.attributes.float(name)
    }

    fn bool(&self, name: &str) -> Option<bool> {
        self.bool_of(name)
    }
}

/// A value that nobody took apart. Content in pieces says nothing that facts are made of.
fn plain(held: &Held) -> Option<&Value> {
    match held {
        Held::Whole(Some(AnyValue { value })) => value.as_ref(),
        Held::Whole(None) | Held::Pieces(_) => None,
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

/// A name; a number is one too, as some tell ids.
fn name(value: &Value) -> Option<Arc<str>> {
    match value {
        Value::StringValue(text) => bounded(text),
        Value::IntValue(number) => Some(number.to_string().into()),
        _ => None,
    }
}

/// A text that may be told in lists: not empty, and not long.
pub(super) fn bounded(text: &str) -> Option<Arc<str>> {
    let text = text.trim();
    let end = if text.len() <= LONGEST {
        text.len()
    } else {
        (0..=LONGEST).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0)
    };
    text.get(..end).filter(|text| !text.is_empty()).map(Arc::from)
}

/// A number without a fraction, also as text.
fn int(value: &Value) -> Option<i64> {
    match value {
        Value::IntValue(number) => Some(*number),
        Value::DoubleValue(number) => whole(*number),
        Value::StringValue(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| whole(text.parse().ok()?))
        }
        _ => None,
    }
}

fn count(value: &Value) -> Option<u64> {
    u64::try_from(int(value)?).ok().filter(is_sane)
}

/// Whether something may be counted so high.
pub(super) fn is_sane(count: &u64) -> bool {
    *count <= MOST
}

fn whole(number: f64) -> Option<i64> {
    let exact = number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0;
    #[allow(clippy::cast_possible_truncation, reason = "whole, and in range")]
    exact.then_some(number as i64)
}

fn float(value: &Value) -> Option<f64> {
    let number = match value {
        #[allow(clippy::cast_precision_loss, reason = "a float was asked for")]
        Value::IntValue(number) => *number as f64,
        Value::DoubleValue(number) => *number,
        Value::StringValue(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}
