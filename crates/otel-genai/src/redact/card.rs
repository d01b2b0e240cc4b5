//! Payment card numbers.

use super::Sensitive;
use super::scan::{Found, Group, at, before, read_groups, run, separator, word_begins, word_ends};

/// Finds card numbers: of a known issuer, of a length that this issuer uses, in one piece or in the groups that are
/// printed on cards, and with the right check digit. Together that leaves about one in a hundred random numbers of this
/// length, and dates, timestamps and sums of money fail already by their shape.
pub(super) fn find(text: &str, found: &mut Vec<Found>) {
    let bytes = text.as_bytes();
    let mut line = Vec::new();
    let mut place = 0;
    loop {
        place = run(bytes, place, |byte| !byte.is_ascii_digit());
        if place >= bytes.len() {
            return;
        }
        place = read_groups(bytes, place, separator, &mut line);
        let mut groups = line.as_slice();
        while let Some(first) = groups.first() {
            let card = SHAPES.iter().find_map(|shape| {
                let card = groups.get(..shape.len())?;
                (fits(card, shape) && stands_alone(bytes, card) && is_card(bytes, card)).then_some(card)
            });
            let used = card.map_or(1, <[Group]>::len);
            if let Some(last) = card.and_then(<[Group]>::last) {
                found.push(Found { range: first.start..last.end, what: Sensitive::Card });
            }
            groups = groups.get(used..).unwrap_or_default();
        }
    }
}

/// The groups that digits stand in on cards, longest first. A number in one piece is of any length.
const SHAPES: &[&[std::ops::RangeInclusive<usize>]] = &[
    &[4..=4, 4..=4, 4..=4, 4..=4, 1..=3],
    &[4..=4, 4..=4, 4..=4, 4..=4],
    &[4..=4, 3..=3, 3..=3, 3..=3],
    &[4..=4, 6..=6, 4..=5],
    &[8..=8, 8..=8],
    &[13..=19],
];

fn fits(groups: &[Group], shape: &[std::ops::RangeInclusive<usize>]) -> bool {
    groups.iter().zip(shape).all(|(group, lengths)| lengths.contains(&group.len()))
}

/// Whether it is no piece of something longer: a word, a hash, a fraction.
fn stands_alone(bytes: &[u8], card: &[Group]) -> bool {
    let (Some(first), Some(last)) = (card.first(), card.last()) else { return false };
    let one_separator = card.windows(2).all(|pair| {
        let [left, right] = pair else { return false };
        at(bytes, left.end) == at(bytes, first.end) && separator(bytes, left.end) == right.start - left.end
    });
    let fraction = before(bytes, first.start) == b'.'
        || (at(bytes, last.end) == b'.' && at(bytes, last.end + 1).is_ascii_digit());
    one_separator && !fraction && word_begins(bytes, first.start) && word_ends(bytes, last.end)
}

fn is_card(bytes: &[u8], groups: &[Group]) -> bool {
    let digits: Vec<u8> = groups
        .iter()
        .flat_map(|group| bytes.get(group.start..group.end).unwrap_or_default())
        .map(|byte| byte.wrapping_sub(b'0'))
        .collect();
    is_issued(&digits) && passes_luhn(&digits)
}

/// Whether an issuer's numbers begin so and have this length.
fn is_issued(digits: &[u8]) -> bool {
    let start = digits.iter().take(4).fold(0_u32, |start, digit| start * 10 + u32::from(*digit));
    match (start, digits.len()) {
        (4000..=4999, 13 | 16 | 19) => true,                               // Visa
        (5100..=5599 | 2221..=2720, 16) => true,                           // Mastercard
        (3400..=3499 | 3700..=3799, 15) => true,                           // American Express
        (6011 | 6440..=6599, 16..=19) => true,                             // Discover
        (3528..=3589, 16..=19) => true,                                    // JCB
        (3000..=3059 | 3095 | 3600..=3699 | 3800..=3999, 14..=19) => true, // Diners Club
        (6200..=6299 | 8100..=8171, 16..=19) => true,                      // UnionPay
        (2200..=2204, 16..=19) => true,                                    // Mir
        (5018 | 5020 | 5038 | 5893 | 6304 | 6759..=6763, 13..=19) => true, // Maestro
        (5080..=5089 | 6060..=6099, 16) => true,                           // RuPay
        _ => false,
    }
}

fn passes_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(*digit)) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => digit * 2 - 9,
            (_, digit) => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::super::{Redact as _, Redactor};

    fn redacted(text: &str) -> String {
        Redactor::new().card().text(text).into_owned()
    }

    /// The numbers are the issuers' and payment providers' published test numbers.
    #[test]
    fn cards_as_people_write_them() {
        for (text, expected) in [
            ("4111111111111111", "[card]"),
            ("Visa 4111 1111 1111 1111, 12/29", "Visa [card], 12/29"),
            ("5555-5555-5555-4444", "[card]"),
            ("3782 822463 10005.", "[card]."),
            ("6011.1111.1111.1117", "[card]"),
            ("3530111333300000", "[card]"),
            ("30569309025904", "[card]"),
            ("4242\u{a0}4242\u{a0}4242\u{a0}4242", "[card]"),
            ("2 4111 1111 1111 1111 737", "2 [card] 737"),
            ("4111111111111111,5105105105105100", "[card],[card]"),
            (r"card:\n4111111111111111\n", r"card:\n[card]\n"),
            ("卡号4111111111111111", "卡号[card]"),
            ("卡号：4111111111111111。", "卡号：[card]。"),
        ] {
            assert_eq!(redacted(text), expected, "{text}");
        }
    }

    #[test]
    fn numbers_that_are_no_cards() {
        for text in [
            "4111111111111112",
            "1700000000000",
            "1700000000123456789",
            "2024-01-15 10:30:00",
            "0.4111111111111111",
            "[0.4111111111111111, -4.111111111111111]",
            "550e8400-e29b-41d4-a716-446655440000",
            "a4111111111111111",
            "4111111111111111f",
            "DE89 3704 0044 0532 0130 00",
            "978-3-16-148410-0",
            "1 234 567 890 123 456",
            "41111111111111111111111111",
            "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
            "4111 1111-1111 1111",
        ] {
            assert_eq!(redacted(text), text);
        }
    }
}
