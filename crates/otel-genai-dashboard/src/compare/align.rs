//! Two lists in one order: what is in both stands together.

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Range;

/// Up to so many differences in a row the answer is the best there is. Behind that many the search begins anew where it
/// got furthest, so that the work grows with the length of the lists and not with its square.
const MOST: usize = 1_000;

/// Places in the one list, in the other, or in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pair {
    /// What stands there corresponds.
    Both(usize, usize),
    /// Nothing of the other corresponds.
    OnlyA(usize),
    /// Nothing of the one corresponds.
    OnlyB(usize),
}

/// Two lists as small numbers, equal ones for what is equal.
pub(super) type Symbols = (Vec<u32>, Vec<u32>);

/// Makes numbers of what is to be held against each other.
pub(super) fn symbols<K: Eq + Hash>(
    a: impl IntoIterator<Item = K>,
    b: impl IntoIterator<Item = K>,
) -> Symbols {
    let mut known: HashMap<K, u32> = HashMap::new();
    let mut number = |key: K| {
        let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
        *known.entry(key).or_insert(next)
    };
    (a.into_iter().map(&mut number).collect(), b.into_iter().map(&mut number).collect())
}

/// Aligns by the first of several views of the same lists; what that leaves over between two pairs by the next, and so on.
/// In between, what is only in the one stands before what is only in the other.
pub(super) fn align(views: &[Symbols]) -> Vec<Pair> {
    let mut pairs = Vec::new();
    if let Some((a, b)) = views.first() {
        within(views, 0..a.len(), 0..b.len(), &mut pairs);
    }
    pairs
}

fn within(views: &[Symbols], a: Range<usize>, b: Range<usize>, pairs: &mut Vec<Pair>) {
    let Some(((all_a, all_b), rest)) = views.split_first().filter(|_| !a.is_empty() && !b.is_empty()) else {
        pairs.extend(a.map(Pair::OnlyA).chain(b.map(Pair::OnlyB)));
        return;
    };
    let part = |all: &'_ [u32], range: &Range<usize>| all.get(range.clone()).unwrap_or_default().to_vec();
    let (mut from_a, mut from_b) = (a.start, b.start);
    for (x, y) in common(&part(all_a, &a), &part(all_b, &b)) {
        let (x, y) = (a.start + x, b.start + y);
        within(rest, from_a..x, from_b..y, pairs);
        pairs.push(Pair::Both(x, y));
        (from_a, from_b) = (x + 1, y + 1);
    }
    within(rest, from_a..a.end, from_b..b.end, pairs);
}

/// The places of a longest common subsequence, as Myers finds it: the more alike the lists, the faster.
pub(super) fn common<T: PartialEq>(a: &[T], b: &[T]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let (mut x, mut y) = (0, 0);
    while let (Some(rest_a), Some(rest_b)) = (a.get(x..), b.get(y..)) {
        let (more_x, more_y) = stretch(rest_a, rest_b, (x, y), &mut found);
        if more_x + more_y == 0 {
            break;
        }
        (x, y) = (x + more_x, y + more_y);
    }
    found
}

/// How far in the one list, and how far in the other.
type Place = (usize, usize);
/// For each diagonal, from the one where all differences are in the second list to the one where all are in the first: how
/// far in the first one gets with so many differences as there were rounds before.
type Round = Vec<Option<usize>>;

/// Goes on from a place, and says how far it got from there.
fn stretch<T: PartialEq>(a: &[T], b: &[T], from: Place, found: &mut Vec<Place>) -> Place {
    let end = (a.len(), b.len());
    let mut rounds: Vec<Round> = Vec::new();
    let mut furthest = (0, (0, 0));
    for differences in 0..=MOST.min(end.0 + end.1) {
        let mut round = Round::with_capacity(differences + 1);
        furthest = (0, (0, 0));
        for diagonal in 0..=differences {
            let begun = begin(rounds.last(), diagonal, end).map(|(place, _)| place);
            let place = begun.map(|(x, y)| {
                let rest = a.iter().skip(x).zip(b.iter().skip(y));
                let alike = rest.take_while(|(a, b)| a == b).count();
                (x + alike, y + alike)
            });
            round.push(place.map(|(x, _)| x));
            if let Some((x, y)) = place
                && x + y >= furthest.1.0 + furthest.1.1
            {
                furthest = (diagonal, (x, y));
            }
        }
        rounds.push(round);
        if furthest.1 == end {
            break;
        }
    }
    walk_back(rounds, furthest, end, from, found);
    furthest.1
}

/// Where a diagonal begins with one difference more than the round before had, and whether that one is in the first list.
fn begin(before: Option<&Round>, diagonal: usize, end: Place) -> Option<(Place, bool)> {
    let Some(before) = before else { return Some(((0, 0), false)) };
    let differences = before.len();
    let at = |diagonal: usize| before.get(diagonal).copied().flatten();
    let place = |x: usize| Some((x, (x + differences).checked_sub(2 * diagonal)?));
    let in_a = diagonal.checked_sub(1).and_then(at).map(|x| x + 1).filter(|x| *x <= end.0);
    let in_b = at(diagonal).filter(|x| place(*x).is_some_and(|(_, y)| y <= end.1));
    match (in_a, in_b) {
        (Some(a), Some(b)) if a < b => Some((place(b)?, false)),
        (Some(a), _) => Some((place(a)?, true)),
        (None, b) => Some((place(b?)?, false)),
    }
}

/// What was alike on the way to a place.
fn walk_back(
    mut rounds: Vec<Round>,
    (mut diagonal, mut place): (usize, Place),
    end: Place,
    from: Place,
    found: &mut Vec<Place>,
) {
    let first = found.len();
    while rounds.pop().is_some() {
        let Some((begun, in_a)) = begin(rounds.last(), diagonal, end) else { break };
        let alike = (begun.0..place.0).zip(begun.1..place.1).rev();
        found.extend(alike.map(|(x, y)| (from.0 + x, from.1 + y)));
        if in_a {
            diagonal = diagonal.saturating_sub(1);
            place = (begun.0.saturating_sub(1), begun.1);
        } else {
            place = (begun.0, begun.1.saturating_sub(1));
        }
    }
    if let Some(found) = found.get_mut(first..) {
        found.reverse();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// By the book: slow, and right.
    fn longest(a: &[u8], b: &[u8]) -> usize {
        let mut best = vec![vec![0; b.len() + 1]; a.len() + 1];
        for x in (0..a.len()).rev() {
            for y in (0..b.len()).rev() {
                best[x][y] =
                    if a[x] == b[y] { best[x + 1][y + 1] + 1 } else { best[x + 1][y].max(best[x][y + 1]) };
            }
        }
        best[0][0]
    }

    fn words(text: &str) -> Vec<&str> {
        text.split(' ').collect()
    }

    proptest! {
        #[test]
        fn it_is_the_longest_that_both_have(
            a in prop::collection::vec(0_u8..4, 0..40), b in prop::collection::vec(0_u8..4, 0..40),
        ) {
            let found = common(&a, &b);
            prop_assert!(found.iter().all(|(x, y)| a[*x] == b[*y]));
            prop_assert!(found.windows(2).all(|two| two[0].0 < two[1].0 && two[0].1 < two[1].1));
            prop_assert_eq!(found.len(), longest(&a, &b));
        }

        #[test]
        fn everything_stands_once_and_in_order(
            a in prop::collection::vec((0_u8..3, 0_u8..3), 0..60), b in prop::collection::vec((0_u8..3, 0_u8..3), 0..60),
        ) {
            let coarse = symbols(a.iter().map(|one| one.0), b.iter().map(|one| one.0));
            let pairs = align(&[symbols(&a, &b), coarse]);
            let (mut in_a, mut in_b) = (Vec::new(), Vec::new());
            for pair in &pairs {
                match *pair {
                    Pair::Both(x, y) => {
                        prop_assert_eq!(a[x].0, b[y].0);
                        in_a.push(x);
                        in_b.push(y);
                    }
                    Pair::OnlyA(x) => in_a.push(x),
                    Pair::OnlyB(y) => in_b.push(y),
                }
            }
            prop_assert_eq!(in_a, (0..a.len()).collect::<Vec<_>>());
            prop_assert_eq!(in_b, (0..b.len()).collect::<Vec<_>>());
            // The other way round as much corresponds.
            let exact = symbols(&a, &b);
            prop_assert_eq!(common(&exact.0, &exact.1).len(), common(&exact.1, &exact.0).len());
        }
    }

    #[test]
    fn what_is_left_over_is_held_against_each_other_more_loosely() {
        let (a, b) = (words("go read:1 write stop"), words("go read:2 look write stop"));
        let kind = |word: &&str| word.split(':').next().unwrap().to_owned();
        let pairs = align(&[symbols(&a, &b), symbols(a.iter().map(kind), b.iter().map(kind))]);
        let both = Pair::Both;
        assert_eq!(pairs, [both(0, 0), both(1, 1), Pair::OnlyB(2), both(2, 3), both(3, 4)]);
        assert_eq!(align(&[symbols(&["x"], &["y", "z"])]), [Pair::OnlyA(0), Pair::OnlyB(0), Pair::OnlyB(1)]);
        assert_eq!(align(&[]), []);
    }

    #[test]
    fn lists_without_anything_alike_and_long_ones_are_done_with() {
        let (a, b): (Vec<_>, Vec<_>) = ((0..6_000).collect(), (10_000..16_000).collect());
        assert_eq!(common(&a, &b), []);
        // Three thousand are left out in the middle, more than are looked over at a time.
        let shorter: Vec<_> = (0..2_000).chain(5_000..6_000).collect();
        assert_eq!(common(&a, &shorter).len(), 3_000);
        assert_eq!(common(&a, &a).len(), 6_000);
    }
}
