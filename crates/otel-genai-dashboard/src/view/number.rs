//! Moments and durations as JavaScript has them, and money as the page shows it.

use std::time::Duration;

use otel_genai_store::Nanos;

/// A moment in milliseconds since 1970, exact to the microsecond until 2255.
#[must_use]
pub fn millis(moment: Nanos) -> f64 {
    from_nanos(moment.0)
}

/// How far a moment lies after another, in milliseconds; negative if it lies before.
pub(crate) fn after(moment: Nanos, start: Nanos) -> f64 {
    match moment.0.checked_sub(start.0) {
        Some(nanos) => from_nanos(nanos),
        None => -from_nanos(start.0.saturating_sub(moment.0)),
    }
}

/// A duration in milliseconds.
pub(crate) fn duration(duration: Duration) -> f64 {
    from_nanos(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
}

fn from_nanos(nanos: u64) -> f64 {
    (nanos / 1_000_000) as f64 + (nanos % 1_000_000) as f64 / 1e6
}

/// Money as the page shows it. Small sums keep the digits that tell them apart: $0.0412, $0.00031, $12.40, $12,400.
#[must_use]
pub fn money(amount: f64, currency: &str) -> String {
    let sign = match currency {
        "USD" => "$".to_owned(),
        "EUR" => "€".to_owned(),
        "GBP" => "£".to_owned(),
        "CNY" | "JPY" => "¥".to_owned(),
        other => format!("{other} "),
    };
    let minus = if amount < 0.0 { "-" } else { "" };
    match amount.abs() {
        0.0 => format!("{sign}0"),
        small if small < 0.000_01 => format!("<{sign}0.00001"),
        small if small < 0.001 => format!("{minus}{sign}{}", rounded(small, 5)),
        small if small < 1.0 => format!("{minus}{sign}{}", rounded(small, 4)),
        sum if sum < 1_000.0 => format!("{minus}{sign}{}", rounded(sum, 2)),
        sum => format!("{minus}{sign}{}", grouped(&rounded(sum, 0))),
    }
}

/// Digits in groups of three: 1,317.
pub(crate) fn grouped(digits: &str) -> String {
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Half goes up, of the number as it is written: 0.00565 is a little less than that in binary, and is 0.0057 all the same.
fn rounded(amount: f64, digits: usize) -> String {
    let written = format!("{amount}");
    let (whole, fraction) = written.split_once('.').unwrap_or((&written, ""));
    let kept = fraction.chars().chain(std::iter::repeat('0')).take(digits);
    let mut out: Vec<char> = whole.chars().chain(kept).collect();
    if fraction.chars().nth(digits).is_some_and(|next| next >= '5') {
        let nines = out.iter().rev().take_while(|digit| **digit == '9').count();
        let first = out.len() - nines;
        out.iter_mut().skip(first).for_each(|digit| *digit = '0');
        match out.iter_mut().take(first).next_back() {
            Some(digit) => *digit = char::from_digit(digit.to_digit(10).unwrap_or(0) + 1, 10).unwrap_or('9'),
            None => out.insert(0, '1'),
        }
    }
    if digits > 0 {
        out.insert(out.len() - digits, '.');
    }
    out.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_looks_as_on_the_page() {
        for (amount, told) in [
            (0.0, "$0"),
            (0.000_001, "<$0.00001"),
            (0.000_03, "$0.00003"),
            (0.000_31, "$0.00031"),
            (0.001_05, "$0.0011"),
            (0.003_25, "$0.0033"),
            (0.005_65, "$0.0057"),
            (0.0412, "$0.0412"),
            (0.999_96, "$1.0000"),
            (1.005, "$1.01"),
            (12.4, "$12.40"),
            (99.995, "$100.00"),
            (1_234.5, "$1,235"),
            (999_999.5, "$1,000,000"),
            (-1.5, "-$1.50"),
        ] {
            assert_eq!(money(amount, "USD"), told, "{amount}");
        }
        assert_eq!((money(3.0, "CHF"), money(3.0, "JPY")), ("CHF 3.00".to_owned(), "¥3.00".to_owned()));
    }
}
