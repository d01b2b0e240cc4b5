//! Two traces side by side, or two spans of them: what ran in both, what was said in both, and where they part. Pure.

mod align;
mod figures;
mod said;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use crate::view::transcript::{Message, Transcript};
use crate::view::{AlignedMessage, AlignedRow, Comparison, Differing, How, Row, Side, Trace};

use self::align::{Pair, align, symbols};
use self::said::{Spoken, identity, speaker, text, told};

/// So many rows of a side are held against the other's, and answered.
const ROWS: usize = 10_000;
/// So much text of changed messages is looked through word by word, in bytes.
const TEXT: usize = 1 << 20;

/// One of the two.
pub(crate) struct Compared {
    pub(crate) trace: Trace,
    /// Nothing of it cut.
    pub(crate) transcript: Transcript,
    /// Its messages as they are shown.
    pub(crate) shown: BTreeMap<String, Message>,
    /// The span that is compared, with all below it; else the whole trace is.
    pub(crate) span: Option<String>,
    /// Attributes and settings, by name.
    pub(crate) attributes: BTreeMap<String, String>,
}

/// Holds the one against the other.
pub(crate) fn compare(a: Compared, b: Compared) -> Comparison {
    let messages = messages(&told(&a), &told(&b));
    let used = |hash: fn(&AlignedMessage) -> Option<&String>| -> BTreeSet<String> {
        messages.iter().filter_map(hash).cloned().collect()
    };
    let (used_a, used_b) = (used(|one| one.a.as_ref()), used(|one| one.b.as_ref()));
    Comparison {
        metrics: figures::of_both(&a, &b),
        rows: rows(first(a.rows()), first(b.rows())),
        attributes: differing(&a.attributes, &b.attributes),
        messages,
        a: a.side(&used_a),
        b: b.side(&used_b),
    }
}

impl Compared {
    /// The rows that count.
    fn rows(&self) -> &[Row] {
        let all = &self.trace.rows;
        let Some(span) = &self.span else { return all };
        let Some(first) = all.iter().position(|row| row.span == *span) else { return &[] };
        let below = all.get(first).map_or(0, |row| row.children as usize);
        all.get(first..).map_or(&[], |rest| rest.get(..=below).unwrap_or(rest))
    }

    fn side(self, used: &BTreeSet<String>) -> Side {
        let rows = first(self.rows()).to_vec();
        let messages = self.shown.into_iter().filter(|(hash, _)| used.contains(hash)).collect();
        Side { trace: self.trace.summary, span: self.span, rows, messages }
    }
}

fn first(rows: &[Row]) -> &[Row] {
    rows.get(..ROWS).unwrap_or(rows)
}

/// Steps stand together that did the same at the same depth, then at any, then the same kind of thing.
fn rows(a: &[Row], b: &[Row]) -> Vec<AlignedRow> {
    let what = |row: &'_ Row| (row.op, row.name.clone(), row.tool.clone(), row.agent.clone());
    let placed = |row: &'_ Row| (row.depth, what(row));
    let kind = |row: &'_ Row| row.op.map_or_else(|| Err(row.name.clone()), Ok);
    let views = [
        symbols(a.iter().map(placed), b.iter().map(placed)),
        symbols(a.iter().map(what), b.iter().map(what)),
        symbols(a.iter().map(kind), b.iter().map(kind)),
    ];
    let end = |row: &'_ Row| (row.model.clone(), row.error, row.error_type.clone(), row.finish.clone());
    let row = |pair| match pair {
        Pair::Both(x, y) => {
            let same = a.get(x).zip(b.get(y)).is_some_and(|(a, b)| what(a) == what(b) && end(a) == end(b));
            AlignedRow { a: Some(x), b: Some(y), same }
        }
        Pair::OnlyA(x) => AlignedRow { a: Some(x), b: None, same: false },
        Pair::OnlyB(y) => AlignedRow { a: None, b: Some(y), same: false },
    };
    align(&views).into_iter().map(row).collect()
}

/// Messages stand together that say the same, then those by which the same one speaks about the same.
fn messages(a: &[Spoken<'_>], b: &[Spoken<'_>]) -> Vec<AlignedMessage> {
    let identities = symbols(a.iter().map(|one| identity(one.1)), b.iter().map(|one| identity(one.1)));
    let speakers = symbols(a.iter().map(|one| speaker(one.1)), b.iter().map(|one| speaker(one.1)));
    let roles = symbols(a.iter().map(|one| &one.1.role), b.iter().map(|one| &one.1.role));
    let views = [identities, speakers, roles];
    let mut left = TEXT;
    let mut message = |pair| {
        let (x, y) = match pair {
            Pair::Both(x, y) => (a.get(x), b.get(y)),
            Pair::OnlyA(x) => (a.get(x), None),
            Pair::OnlyB(y) => (None, b.get(y)),
        };
        let (how, diff) = match (x, y) {
            (Some(x), Some(y)) if identity(x.1) == identity(y.1) => (How::Same, None),
            (Some(x), Some(y)) => {
                let (x, y) = (text(x.1), text(y.1));
                let fits = left.checked_sub(x.len() + y.len());
                left = fits.unwrap_or(left);
                (How::Changed, fits.and_then(|_| words::diff(&x, &y)))
            }
            (Some(_), None) => (How::OnlyA, None),
            (None, _) => (How::OnlyB, None),
        };
        let hash = |one: Option<&Spoken<'_>>| one.map(|(hash, _)| (*hash).to_owned());
        AlignedMessage { a: hash(x), b: hash(y), how, diff }
    };
    align(&views).into_iter().map(&mut message).collect()
}

fn differing(a: &BTreeMap<String, String>, b: &BTreeMap<String, String>) -> Vec<Differing> {
    let keys: BTreeSet<_> = a.keys().chain(b.keys()).collect();
    let both = keys.into_iter().map(|key| Differing {
        key: key.clone(),
        a: a.get(key).cloned(),
        b: b.get(key).cloned(),
    });
    both.filter(|one| one.a != one.b).collect()
}
