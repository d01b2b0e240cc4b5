//! Durations by the logarithm: a histogram whose sum with another is exact, and whose quantiles are right to 4.5 %.

/// Counts by powers of `2^(1/8)`. Any two can be added, in any order, with the same result.
///
/// ```
/// use otel_genai_store::Histogram;
///
/// let mut durations = Histogram::default();
/// for milliseconds in [120, 130, 900] {
///     durations.add(milliseconds * 1_000_000);
/// }
/// let median = durations.quantile(0.5).unwrap();
/// assert!((median as f64 / 130e6 - 1.0).abs() < 0.045);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// How many values.
    pub count: u64,
    /// Their sum, at most `u64::MAX`.
    pub sum: u64,
    /// Bucket and how many values it has, ascending, none of them 0.
    pub buckets: Vec<(u16, u64)>,
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "constants between 2^63 and 2^64")]
const fn mantissa(power: f64) -> u64 {
    (power * 9_223_372_036_854_775_808.0) as u64
}

/// `2^(k/8)` for k = 1..8, scaled so that the highest bit is set.
const STEPS: [u64; 7] = [
    mantissa(1.090_507_732_665_257_7),
    mantissa(1.189_207_115_002_721),
    mantissa(1.296_839_554_651_009_6),
    mantissa(std::f64::consts::SQRT_2),
    mantissa(1.542_210_825_407_940_7),
    mantissa(1.681_792_830_507_429),
    mantissa(1.834_008_086_409_342_4),
];

/// 0 has a bucket of its own; then eight for each power of two.
fn bucket(value: u64) -> u16 {
    if value == 0 {
        return 0;
    }
    let zeros = value.leading_zeros();
    let scaled = value << zeros;
    let step = STEPS.iter().filter(|step| scaled >= **step).count();
    u16::try_from((63 - zeros) as usize * 8 + step + 1).unwrap_or(u16::MAX)
}

/// The least value of each bucket, ascending: what rounds down to one of them is in its bucket.
#[cfg(feature = "clickhouse")]
pub(crate) fn edges() -> impl Iterator<Item = u64> {
    let of_power = |power: u32| {
        // Where a power of two has fewer numbers than buckets, some are empty.
        let steps = STEPS.iter().map(move |step| step.div_ceil(1 << (63 - power)));
        let fits = move |edge: &u64| edge.checked_shr(power).is_some_and(|whole| whole == 1);
        std::iter::once(1 << power).chain(steps.filter(fits))
    };
    let mut last = None;
    let all = std::iter::once(0).chain((0..64).flat_map(of_power));
    all.filter(move |edge| last.replace(bucket(*edge)) != Some(bucket(*edge)))
}

/// The middle of a bucket, by the logarithm.
fn middle(bucket: u16) -> u64 {
    if bucket == 0 {
        return 0;
    }
    let power = (f64::from(bucket - 1) + 0.5) / 8.0;
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` saturates, and powers are positive"
    )]
    let middle = power.exp2().round() as u64;
    middle
}

impl Histogram {
    /// Of values that were rounded down to [`edges`], and their sum before.
    #[cfg(feature = "clickhouse")]
    pub(crate) fn of_edges(values: impl IntoIterator<Item = (u64, u64)>, sum: u64) -> Self {
        let mut histogram = Self { sum, ..Self::default() };
        for (edge, count) in values {
            histogram.count = histogram.count.saturating_add(count);
            histogram.put(bucket(edge), count);
        }
        histogram
    }

    /// Adds a value.
    pub fn add(&mut self, value: u64) {
        self.count = self.count.saturating_add(1);
        self.sum = self.sum.saturating_add(value);
        self.put(bucket(value), 1);
    }

    /// Takes a value away that was added before.
    pub fn take(&mut self, value: u64) {
        let bucket = bucket(value);
        let Ok(at) = self.buckets.binary_search_by_key(&bucket, |(bucket, _)| *bucket) else { return };
        let Some((_, count)) = self.buckets.get_mut(at) else { return };
        *count -= 1;
        if *count == 0 {
            self.buckets.remove(at);
        }
        self.count = self.count.saturating_sub(1);
        self.sum = self.sum.saturating_sub(value);
    }

    /// Adds all values of another.
    pub fn merge(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.sum = self.sum.saturating_add(other.sum);
        for (bucket, count) in &other.buckets {
            self.put(*bucket, *count);
        }
    }

    /// The value that a share of `q` (0–1) of all values does not exceed, right to 4.5 %; `None` without values.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<u64> {
        let total: u64 = self.buckets.iter().map(|(_, count)| *count).sum();
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a rank is as exact as a quantile needs"
        )]
        let rank = ((q.clamp(0.0, 1.0) * total as f64).ceil() as u64).clamp(1, total.max(1));
        let mut seen = 0;
        self.buckets.iter().find_map(|(bucket, count)| {
            seen += count;
            (seen >= rank).then(|| middle(*bucket))
        })
    }

    fn put(&mut self, bucket: u16, more: u64) {
        match self.buckets.binary_search_by_key(&bucket, |(bucket, _)| *bucket) {
            Ok(at) => {
                if let Some((_, count)) = self.buckets.get_mut(at) {
                    *count = count.saturating_add(more);
                }
            }
            Err(at) => self.buckets.insert(at, (bucket, more)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(values: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        values.iter().for_each(|value| histogram.add(*value));
        histogram
    }

    proptest! {
        #[test]
        fn sums_are_exact_in_any_order(
            a in prop::collection::vec(0u64..1 << 50, 0..50),
            b in prop::collection::vec(0u64..1 << 50, 0..50),
        ) {
            let (mut one, mut other) = (of(&a), of(&b));
            one.merge(&of(&b));
            other.merge(&of(&a));
            prop_assert_eq!(&one, &other);
            prop_assert_eq!(&one, &of(&[a.clone(), b.clone()].concat()));
            b.iter().for_each(|value| one.take(*value));
            prop_assert_eq!(one, of(&a));
        }

        #[test]
        fn quantiles_are_right_to_a_step(mut values in prop::collection::vec(1000u64..u64::MAX / 64, 1..60), q in 0.0f64..=1.0) {
            let found = of(&values).quantile(q).unwrap();
            values.sort_unstable();
            let rank = ((q * values.len() as f64).ceil() as usize).clamp(1, values.len());
            let right = values[rank - 1];
            prop_assert!((found as f64 / right as f64 - 1.0).abs() < 0.046, "{found} for {right}");
        }
    }

    #[cfg(feature = "clickhouse")]
    #[test]
    fn what_rounds_down_to_an_edge_is_in_its_bucket() {
        let edges: Vec<u64> = edges().collect();
        assert!(edges.is_sorted_by(|one, other| one < other) && edges.len() > 480);
        for (at, edge) in edges.iter().enumerate() {
            let next = edges.get(at + 1).copied();
            assert_eq!(bucket(next.map_or(u64::MAX, |next| next - 1)), bucket(*edge));
            assert!(next.is_none_or(|next| bucket(next) > bucket(*edge)));
        }
    }

    #[test]
    fn ends_of_the_range_have_buckets() {
        assert_eq!(of(&[]).quantile(0.5), None);
        assert_eq!(of(&[0]).quantile(0.5), Some(0));
        assert!(of(&[u64::MAX]).quantile(0.5).unwrap() > u64::MAX / 10 * 9);
    }
}
