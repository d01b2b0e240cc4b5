//! Buckets of several histograms as those of one.

use std::sync::Arc;

use crate::metric::PointValue;

/// Exponential buckets are made coarser until there are no more than so many.
const MOST: i64 = 40;
/// Of more bounds only every second, third and so on is kept.
const MOST_BOUNDS: usize = 512;
/// No scale is coarser: one bucket for all doubles above 1, one for all below.
const COARSEST: i32 = -11;

/// Bounds that fit all of several histograms.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Grid {
    /// There are no buckets.
    None,
    /// The bounds of all.
    Bounds(Arc<[f64]>),
    /// Powers of `2^(2^-scale)`: below and about 0, up to the power of the first, and so on to the last.
    Powers { scale: i32, first: i64, last: i64 },
}

impl Grid {
    /// Of all these values. Bounds win where both kinds come together.
    pub(crate) fn of<'a>(values: impl Iterator<Item = &'a PointValue>) -> Self {
        let mut bounds: Vec<f64> = Vec::new();
        let mut known: Option<Arc<[f64]>> = None;
        let mut powers: Option<(i32, i64, i64)> = None;
        for value in values {
            match value {
                // Nearly always they are those of the point before.
                PointValue::Histogram { bounds: more, counts, .. }
                    if !counts.is_empty() && known.as_deref() != Some(more) =>
                {
                    bounds.extend(more.iter().filter(|bound| !bound.is_nan()));
                    known = Some(Arc::clone(more));
                }
                PointValue::Exponential { scale, positive, .. } => {
                    let (scale, range) = ((*scale).clamp(COARSEST, 20), positive.as_ref());
                    let range = range.and_then(|powers| used(powers, scale));
                    let (known, first, last) = powers.unwrap_or((scale, i64::MAX, i64::MIN));
                    let common = known.min(scale);
                    let (mut first, mut last) = if first > last {
                        (first, last)
                    } else {
                        (coarser(first, known - common), coarser(last, known - common))
                    };
                    if let Some((from, to)) = range {
                        first = first.min(coarser(from, scale - common));
                        last = last.max(coarser(to, scale - common));
                    }
                    powers = Some((common, first, last));
                }
                _ => {}
            }
        }
        if known.is_some() {
            bounds.sort_by(f64::total_cmp);
            bounds.dedup();
            if bounds.len() > MOST_BOUNDS {
                let every = bounds.len().div_ceil(MOST_BOUNDS);
                bounds = bounds.into_iter().step_by(every).collect();
            }
            return Self::Bounds(bounds.into());
        }
        let Some((mut scale, mut first, mut last)) = powers else { return Self::None };
        if first > last {
            (first, last) = (0, 0);
        }
        while last - first >= MOST && scale > COARSEST {
            (scale, first, last) = (scale - 1, coarser(first, 1), coarser(last, 1));
        }
        Self::Powers { scale, first, last }
    }

    /// The bounds between buckets.
    pub(crate) fn bounds(&self) -> Option<Arc<[f64]>> {
        match self {
            Self::None => None,
            Self::Bounds(bounds) => Some(Arc::clone(bounds)),
            Self::Powers { scale, first, last } => {
                let power = |index: i64| {
                    #[allow(clippy::cast_precision_loss, reason = "indices are small: exponents of doubles")]
                    let index = index as f64;
                    (index * f64::from(-scale).exp2()).exp2()
                };
                Some([0.0].into_iter().chain((*first..=last + 1).map(power)).collect())
            }
        }
    }

    /// Empty buckets.
    pub(crate) fn zeros(&self) -> Vec<u64> {
        let buckets = match self {
            Self::None => 0,
            Self::Bounds(bounds) => bounds.len() + 1,
            // About 0, up to the first power, those between the powers, and above the last.
            Self::Powers { first, last, .. } => usize::try_from(last - first + 1).unwrap_or(0) + 3,
        };
        vec![0; buckets]
    }
}

/// The buckets of a histogram in those of a grid. What lies between two bounds of its own is counted below the upper.
pub(crate) fn counts(value: &PointValue, grid: &Grid) -> Vec<u64> {
    let mut counts = grid.zeros();
    let mut add = |at: usize, count: u64| {
        if let Some(into) = counts.get_mut(at) {
            *into = into.saturating_add(count);
        }
    };
    match (value, grid) {
        (PointValue::Histogram { bounds, counts, .. }, Grid::Bounds(all)) => {
            for (at, count) in counts.iter().enumerate() {
                let upper = bounds.get(at);
                add(upper.map_or(all.len(), |upper| all.partition_point(|bound| bound < upper)), *count);
            }
        }
        (PointValue::Exponential { scale, zero, positive, negative, .. }, grid) => {
            let below = negative
                .iter()
                .flat_map(|(_, counts)| counts)
                .fold(*zero, |sum, count| sum.saturating_add(*count));
            let own = (*scale).clamp(COARSEST, 20);
            match grid {
                Grid::Powers { scale, first, .. } => {
                    add(0, below);
                    each(positive.as_ref(), own, |index, count| {
                        let at = coarser(index, own - scale) - first + 2;
                        add(usize::try_from(at).unwrap_or(0), count);
                    });
                }
                Grid::Bounds(all) => {
                    let place = |upper: f64| all.partition_point(|bound| *bound < upper);
                    add(place(0.0), below);
                    each(positive.as_ref(), own, |index, count| {
                        #[allow(
                            clippy::cast_precision_loss,
                            reason = "indices are small: exponents of doubles"
                        )]
                        let upper = ((index + 1) as f64 * f64::from(-own).exp2()).exp2();
                        add(place(upper), count);
                    });
                }
                Grid::None => {}
            }
        }
        _ => {}
    }
    counts
}

type Powers = (i32, Vec<u64>);

/// Each bucket that is not empty.
fn each(powers: Option<&Powers>, scale: i32, mut what: impl FnMut(i64, u64)) {
    let Some((offset, counts)) = powers else { return };
    // No double lies beyond these; a sender may say otherwise.
    let most = if scale >= 0 { 1_100 << scale } else { 1_100 >> -scale };
    for (index, count) in (i64::from(*offset)..).zip(counts).filter(|(_, count)| **count > 0) {
        what(index.clamp(-most - 1, most), *count);
    }
}

/// The first and the last index that has counts.
fn used(powers: &Powers, scale: i32) -> Option<(i64, i64)> {
    let (mut first, mut last) = (None, None);
    each(Some(powers), scale, |index, _| {
        first = first.or(Some(index));
        last = Some(index);
    });
    first.zip(last)
}

/// The bucket of a scale that is so much coarser.
fn coarser(index: i64, by: i32) -> i64 {
    index >> by.clamp(0, 62)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exponential(scale: i32, offset: i32, counts: &[u64]) -> PointValue {
        PointValue::Exponential {
            count: counts.iter().sum(),
            sum: None,
            min: None,
            max: None,
            scale,
            zero: 1,
            zero_threshold: 0.0,
            positive: Some((offset, counts.to_vec())),
            negative: Some((0, vec![2])),
        }
    }

    #[test]
    fn powers_of_several_scales_become_buckets_with_bounds() {
        // (1, 2], (2, 4] and (4, 8]; in halves of them.
        let one = exponential(0, 0, &[3, 0, 5]);
        let other = exponential(1, 2, &[1, 1, 7]);
        let grid = Grid::of([&one, &other].into_iter());
        assert_eq!(grid.bounds().unwrap().as_ref(), [0.0, 1.0, 2.0, 4.0, 8.0]);
        assert_eq!(counts(&one, &grid), [3, 0, 3, 0, 5, 0]);
        assert_eq!(counts(&other, &grid), [3, 0, 0, 2, 7, 0]);

        let wide = exponential(5, -2_000, &vec![1; 4_000]);
        let grid = Grid::of([&wide].into_iter());
        let bounds = grid.bounds().unwrap();
        assert!(bounds.is_sorted() && bounds.len() < 45, "{bounds:?}");
        assert_eq!(counts(&wide, &grid).iter().sum::<u64>(), 4_003);
        let odd = exponential(i32::MAX, i32::MIN, &[1, 2]);
        let grid = Grid::of([&odd, &exponential(i32::MIN, i32::MAX, &[1])].into_iter());
        assert_eq!(counts(&odd, &grid).iter().sum::<u64>(), 6);
    }

    #[test]
    fn bounds_of_several_histograms_are_kept_all() {
        let histogram = |bounds: &[f64], counts: &[u64]| PointValue::Histogram {
            count: counts.iter().sum(),
            sum: None,
            min: None,
            max: None,
            bounds: bounds.into(),
            counts: counts.to_vec(),
        };
        let (one, other) = (histogram(&[1.0, 5.0], &[1, 2, 3]), histogram(&[2.0], &[4, 5]));
        let grid = Grid::of([&one, &other].into_iter());
        assert_eq!(grid.bounds().unwrap().as_ref(), [1.0, 2.0, 5.0]);
        assert_eq!(counts(&one, &grid), [1, 0, 2, 3]);
        assert_eq!(counts(&other, &grid), [0, 4, 0, 5]);
        assert_eq!(counts(&exponential(0, 0, &[1, 1]), &grid), [3, 1, 1, 0]);
        assert_eq!(Grid::of([&PointValue::Int(3)].into_iter()), Grid::None);
    }
}
