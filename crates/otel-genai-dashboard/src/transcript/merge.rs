//! One slot of a call from all that was told of it: each message once, with its sources; what differs beside it.

use std::collections::HashMap;

use otel_genai::ToolDefinition;
use serde_json::Value as Json;

use super::book::{Book, MessageId};
use super::canonical;
use super::telling::{From, Line, Slot, Telling};
use super::{OnlyIn, Source};

/// Above this many pairs the middle of two lists is not compared each with each.
const MANY: usize = 250_000;

/// So many tellings of one slot are put together, the best: each is compared with all before, and nobody honest tells one
/// call in so many ways.
const MOST_TELLINGS: usize = 64;

/// A message of a slot.
#[derive(Clone, Debug)]
pub(super) struct Merged {
    pub(super) message: MessageId,
    pub(super) sources: Vec<Source>,
    pub(super) versions: Vec<(MessageId, Source)>,
    pub(super) only_in: Option<OnlyIn>,
    /// Which tellings say it or another version of it.
    told_by: Vec<u16>,
}

/// Puts the tellings of one slot together.
pub(super) fn merge(book: &Book, slot: Slot, tellings: &[Telling]) -> Vec<Merged> {
    let mut told: Vec<&Telling> = tellings.iter().filter(|telling| telling.slot == slot).collect();
    // The best first: whole before cut off, by rank, the longer, the span before the log; then anything that is the same
    // whatever came first.
    told.sort_by_cached_key(|telling| {
        let cut = telling.lines.iter().any(|line| line.partial);
        let names: Vec<_> = telling.lines.iter().map(|line| book.hash(line.message)).collect();
        (
            cut,
            telling.from.carrier.rank(),
            usize::MAX - telling.lines.len(),
            telling.from.is_log,
            telling.from.clone(),
            names,
        )
    });
    told.truncate(MOST_TELLINGS);
    let mut merged: Vec<Merged> = Vec::new();
    for (at, telling) in (0u16..).zip(&told) {
        if at == 0 {
            merged = telling.lines.iter().map(|line| Merged::new(line, &telling.from, at)).collect();
        } else {
            weave(book, &told, &mut merged, telling, at);
        }
    }
    if slot == Slot::System {
        fold_equal(book, &mut merged);
    }
    mark_only(&told, &mut merged);
    merged
}

impl Merged {
    fn new(line: &Line, from: &From, told_by: u16) -> Self {
        Self {
            message: line.message,
            sources: vec![line.source(from, false)],
            versions: Vec::new(),
            only_in: None,
            told_by: vec![told_by],
        }
    }

    /// A message that one source tells.
    pub(super) fn alone(message: MessageId, source: Source) -> Self {
        Self { message, sources: vec![source], versions: Vec::new(), only_in: None, told_by: Vec::new() }
    }
}

/// What becomes of a line of a further telling.
#[derive(Clone, Copy)]
enum Place {
    /// It says what this one says.
    Equal(usize),
    /// It stands where this one stands, and says something else.
    Version(usize),
    /// Nobody else says it.
    New,
}

fn weave(book: &Book, told: &[&Telling], merged: &mut Vec<Merged>, telling: &Telling, at: u16) {
    let places = align(book, told, merged, telling);
    let mut inserts: Vec<(usize, Merged)> = Vec::new();
    // What is new stands behind what it follows here.
    let mut behind = 0;
    for (line, place) in telling.lines.iter().zip(places) {
        let known = match place {
            Place::Equal(index) | Place::Version(index) => merged.get_mut(index).map(|one| (index, one)),
            Place::New => None,
        };
        let Some((index, one)) = known else {
            inserts.push((behind, Merged::new(line, &telling.from, at)));
            continue;
        };
        behind = index + 1;
        one.told_by.push(at);
        if one.message == line.message {
            one.sources.push(line.source(&telling.from, false));
        } else if matches!(place, Place::Equal(_)) {
            one.sources.push(line.source(&telling.from, true));
        } else if let Some((_, source)) = one.versions.iter().find(|(message, _)| *message == line.message) {
            // A version that was told twice is one version.
            if source.partial && !line.partial {
                one.versions.retain(|(message, _)| *message != line.message);
                one.versions.push((line.message, line.source(&telling.from, false)));
            }
        } else {
            one.versions.push((line.message, line.source(&telling.from, false)));
        }
    }
    if inserts.is_empty() {
        return;
    }
    let mut whole = Vec::with_capacity(merged.len() + inserts.len());
    let mut inserts = inserts.into_iter().peekable();
    for (index, one) in std::mem::take(merged).into_iter().enumerate() {
        while let Some((_, new)) = inserts.next_if(|(before, _)| *before <= index) {
            whole.push(new);
        }
        whole.push(one);
    }
    whole.extend(inserts.map(|(_, new)| new));
    *merged = whole;
}

fn align(book: &Book, told: &[&Telling], merged: &[Merged], telling: &Telling) -> Vec<Place> {
    let base: Vec<[u8; 16]> = merged.iter().map(|one| book.loose(one.message)).collect();
    let other: Vec<[u8; 16]> = telling.lines.iter().map(|line| book.loose(line.message)).collect();
    let pairs = common(&base, &other);
    let mut places = vec![Place::New; other.len()];
    for (b, o) in &pairs {
        if let Some(place) = places.get_mut(*o) {
            *place = Place::Equal(*b);
        }
    }
    // Between what is equal: by the id of a tool call, then by who speaks.
    let ends = pairs.iter().copied().chain([(base.len(), other.len())]);
    let (mut from_base, mut from_other) = (0, 0);
    for (to_base, to_other) in ends {
        let gap = Gap { base: from_base..to_base, other: from_other..to_other };
        gap.pair(book, told, merged, telling, &mut places);
        (from_base, from_other) = (to_base + 1, to_other + 1);
    }
    places
}

struct Gap {
    base: std::ops::Range<usize>,
    other: std::ops::Range<usize>,
}

impl Gap {
    fn pair(
        &self,
        book: &Book,
        told: &[&Telling],
        merged: &[Merged],
        telling: &Telling,
        places: &mut [Place],
    ) {
        if self.base.is_empty() || self.other.is_empty() {
            return;
        }
        let mut by_call: HashMap<(&str, &str), usize> = HashMap::new();
        for (index, one) in merged.iter().enumerate().take(self.base.end).skip(self.base.start) {
            for id in book.call_ids(one.message) {
                by_call.entry((book.role(one.message), id)).or_insert(index);
            }
        }
        // Pairs never cross: what is shown keeps the order of both.
        let mut free = self.base.start;
        for (o, line) in telling.lines.iter().enumerate().take(self.other.end).skip(self.other.start) {
            let role = book.role(line.message);
            let may = |index: usize| {
                let one = merged.get(index)?;
                // One record does not contradict itself: what it says twice are two things.
                let other_record = one
                    .told_by
                    .iter()
                    .all(|by| told.get(usize::from(*by)).is_none_or(|by| by.from != telling.from));
                (index >= free && other_record).then_some(one)
            };
            let by_id = book
                .call_ids(line.message)
                .find_map(|id| by_call.get(&(role, id)).copied())
                .filter(|index| may(*index).is_some());
            let paired = by_id.or_else(|| {
                if free >= self.base.end {
                    return None;
                }
                let fits = |one: &Merged| {
                    let cut = line.partial || one.sources.iter().all(|source| source.partial);
                    let ids_agree = book.call_ids(line.message).next().is_none()
                        || book.call_ids(one.message).next().is_none();
                    (book.role(one.message) == role && ids_agree) || cut
                };
                (free..self.base.end).find(|index| may(*index).is_some_and(fits))
            });
            if let Some(index) = paired {
                free = index + 1;
                if let Some(place) = places.get_mut(o) {
                    *place = Place::Version(index);
                }
            }
        }
    }
}

/// Which of one list are which of the other, in the order of both: a longest common subsequence.
pub(super) fn common<T: PartialEq + Eq + std::hash::Hash + Copy>(a: &[T], b: &[T]) -> Vec<(usize, usize)> {
    let start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (rest_a, rest_b) = (a.get(start..).unwrap_or_default(), b.get(start..).unwrap_or_default());
    let end = rest_a.iter().rev().zip(rest_b.iter().rev()).take_while(|(a, b)| a == b).count();
    let middle_a = rest_a.get(..rest_a.len() - end).unwrap_or_default();
    let middle_b = rest_b.get(..rest_b.len() - end).unwrap_or_default();
    let mut pairs: Vec<_> = (0..start).map(|at| (at, at)).collect();
    let middle = if middle_a.len().saturating_mul(middle_b.len()) <= MANY {
        longest(middle_a, middle_b)
    } else {
        greedy(middle_a, middle_b)
    };
    pairs.extend(middle.into_iter().map(|(a, b)| (a + start, b + start)));
    pairs.extend((0..end).map(|at| (a.len() - end + at, b.len() - end + at)));
    pairs
}

fn longest<T: PartialEq>(a: &[T], b: &[T]) -> Vec<(usize, usize)> {
    let width = b.len() + 1;
    // The length of the longest common subsequence of what follows each pair of places.
    let mut lengths = vec![0u32; (a.len() + 1) * width];
    let at = |lengths: &[u32], i: usize, j: usize| lengths.get(i * width + j).copied().unwrap_or(0);
    for (i, x) in a.iter().enumerate().rev() {
        for (j, y) in b.iter().enumerate().rev() {
            let length = if x == y {
                at(&lengths, i + 1, j + 1) + 1
            } else {
                at(&lengths, i + 1, j).max(at(&lengths, i, j + 1))
            };
            if let Some(place) = lengths.get_mut(i * width + j) {
                *place = length;
            }
        }
    }
    let (mut i, mut j, mut pairs) = (0, 0, Vec::new());
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        if x == y {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if at(&lengths, i + 1, j) >= at(&lengths, i, j + 1) {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

/// Each with the next equal one: not the longest, but linear.
fn greedy<T: Eq + std::hash::Hash + Copy>(a: &[T], b: &[T]) -> Vec<(usize, usize)> {
    let mut places: HashMap<T, std::collections::VecDeque<usize>> = HashMap::new();
    for (at, item) in a.iter().enumerate() {
        places.entry(*item).or_default().push_back(at);
    }
    let (mut free, mut pairs) = (0, Vec::new());
    for (j, item) in b.iter().enumerate() {
        let Some(list) = places.get_mut(item) else { continue };
        while list.front().is_some_and(|at| *at < free) {
            list.pop_front();
        }
        // A long jump would leave the rest without partners.
        if let Some(i) = list.front().copied().filter(|at| *at - free <= 1 + j.abs_diff(free) + 64) {
            pairs.push((i, j));
            free = i + 1;
        }
    }
    pairs
}

/// Equal instructions stand once: the same text is told apart from the history and in it.
fn fold_equal(book: &Book, merged: &mut Vec<Merged>) {
    let mut first: HashMap<[u8; 16], usize> = HashMap::new();
    let mut kept: Vec<Merged> = Vec::with_capacity(merged.len());
    for one in std::mem::take(merged) {
        let loose = book.loose(one.message);
        match first.get(&loose).and_then(|index| kept.get_mut(*index)) {
            Some(before) => {
                let differs = before.message != one.message;
                before.sources.extend(
                    one.sources.into_iter().map(|source| Source { loose: source.loose || differs, ..source }),
                );
                before.versions.extend(one.versions);
                before.told_by.extend(one.told_by);
            }
            None => {
                first.insert(loose, kept.len());
                kept.push(one);
            }
        }
    }
    *merged = kept;
}

/// Where both logs and spans tell a slot, what only one of them says is marked.
fn mark_only(told: &[&Telling], merged: &mut [Merged]) {
    let is_log = |by: &u16| told.get(usize::from(*by)).is_some_and(|telling| telling.from.is_log);
    if told.iter().all(|telling| telling.from.is_log) || told.iter().all(|telling| !telling.from.is_log) {
        return;
    }
    for one in merged {
        one.only_in = if one.told_by.iter().all(is_log) {
            Some(OnlyIn::Log)
        } else if !one.told_by.iter().any(is_log) {
            Some(OnlyIn::Span)
        } else {
            None
        };
    }
}

/// The tools of a call from all lists that were told: the best list, completed by the others. What differs stands beside.
pub(super) fn merge_tools(mut lists: Vec<(From, Vec<ToolDefinition>)>) -> Vec<ToolDefinition> {
    lists.sort_by_cached_key(|(from, list)| {
        let detail: usize = list.iter().map(|tool| canonical::json_of(tool).to_string().len()).sum();
        (from.carrier.rank(), usize::MAX - detail, from.clone())
    });
    let mut lists = lists.into_iter().map(|(_, list)| list);
    let mut merged = lists.next().unwrap_or_default();
    for list in lists {
        for tool in list {
            if merged.contains(&tool) {
                continue;
            }
            match merged.iter_mut().find(|known| agree(known, &tool)) {
                Some(known) => {
                    known.description = known.description.take().or(tool.description);
                    known.parameters = known.parameters.take().or(tool.parameters);
                    for (key, value) in tool.extra {
                        known.extra.entry(key).or_insert(value);
                    }
                }
                None => merged.push(tool),
            }
        }
    }
    merged
}

/// Whether two definitions are of one tool, and neither says what the other denies.
fn agree(a: &ToolDefinition, b: &ToolDefinition) -> bool {
    fn both<T: PartialEq>(a: Option<&T>, b: Option<&T>) -> bool {
        a.zip(b).is_none_or(|(a, b)| a == b)
    }
    let parameters = |tool: &ToolDefinition| tool.parameters.as_ref().map(canonical::loose_name_of);
    let extra = |(key, value): (&String, &Json)| b.extra.get(key).is_none_or(|other| other == value);
    a.name == b.name
        && both(a.description.as_ref(), b.description.as_ref())
        && both(parameters(a).as_ref(), parameters(b).as_ref())
        && a.extra.iter().all(extra)
}
