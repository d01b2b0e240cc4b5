//! Phone numbers.

use super::Sensitive;
use super::scan::{Found, Group, at, before, read_groups, run, separator, word_begins, word_ends};

/// Finds phone numbers: international ones (`+49 30 1234567`), national ones that are written in groups (`(212) 555-0123`,
/// `030 / 1234567`, `06 12 34 56 78`, `138 0013 8000`), and plain digits that are announced (`tel: 5550123`).
///
/// Plain digits alone are left alone, and so is what has the shape of a date, a time, a version or a sum of money.
pub(super) fn find(text: &str, found: &mut Vec<Found>) {
    let bytes = text.as_bytes();
    let mut line = Vec::new();
    let mut place = 0;
    loop {
        place = run(bytes, place, |byte| !byte.is_ascii_digit() && byte != b'+');
        let range = match at(bytes, place) {
            0 if place >= bytes.len() => return,
            b'+' if !matches!(at(bytes, place + 1), b'1'..=b'9') => {
                place += 1;
                continue;
            }
            b'+' => {
                let end = read_groups(bytes, place + 1, gap, &mut line);
                let number = international(bytes, &line).map(|end| place..end);
                place = number.as_ref().map_or(end, |number| number.end);
                number
            }
            _ => {
                let start = place;
                place = read_groups(bytes, place, gap, &mut line);
                national(bytes, start, place, &line)
            }
        };
        found.extend(range.map(|range| Found { range, what: Sensitive::Phone }));
    }
}

/// What may stand between two groups: a separator, a parenthesis, or both.
fn gap(bytes: &[u8], place: usize) -> usize {
    let mut end = place + separator(bytes, place);
    if matches!(at(bytes, end), b'(' | b')') {
        end += 1;
        end += separator(bytes, end);
    }
    end - place
}

/// Where the international number ends whose digits these are: of 15 digits at most, as E.164 has it.
fn international(bytes: &[u8], groups: &[Group]) -> Option<usize> {
    let first = groups.first()?;
    if !word_begins(bytes, first.start - 1) {
        return None;
    }
    (1..=groups.len()).rev().find_map(|count| {
        let groups = groups.get(..count)?;
        let digits: usize = groups.iter().map(|group| group.len()).sum();
        let end = groups.last()?.end;
        let fewest = if count == 1 { 9 } else { 8 };
        ((fewest..=15).contains(&digits) && ends_well(bytes, end)).then_some(end)
    })
}

/// Neither a word nor a number goes on: `10:30`, `1,5`.
fn ends_well(bytes: &[u8], end: usize) -> bool {
    let goes_on = matches!(at(bytes, end), b':' | b',' | b'.') && at(bytes, end + 1).is_ascii_digit();
    word_ends(bytes, end) && !goes_on && !matches!(at(bytes, end), b'%' | b'_')
}

fn national(bytes: &[u8], start: usize, end: usize, groups: &[Group]) -> Option<std::ops::Range<usize>> {
    let first = groups.first()?;
    let begins_well = word_begins(bytes, start)
        && !matches!(before(bytes, start), b'.' | b',' | b'-' | b'/' | b'_' | b'+' | b'$' | b'#');
    if !begins_well || !ends_well(bytes, end) {
        return None;
    }
    let digits: usize = groups.iter().map(|group| group.len()).sum();
    if groups.len() == 1 {
        return ((7..=15).contains(&digits) && is_announced(bytes, start)).then_some(start..end);
    }
    if digits > 17 || groups.len() > 6 {
        return None;
    }
    let number = Number {
        digits: groups
            .iter()
            .flat_map(|group| bytes.get(group.start..group.end).unwrap_or_default())
            .copied()
            .collect(),
        lengths: groups.iter().map(|group| group.len()).collect(),
        separators: groups.iter().take(groups.len() - 1).map(|group| at(bytes, group.end)).collect(),
        area: before(bytes, start) == b'(' && at(bytes, first.end) == b')',
    };
    let start = if number.area { start - 1 } else { start };
    number.is_phone().then_some(start..end)
}

/// A line of groups of digits.
struct Number {
    digits: Vec<u8>,
    lengths: Vec<usize>,
    /// The first byte of each gap.
    separators: Vec<u8>,
    /// Whether the first group stands in parentheses.
    area: bool,
}

impl Number {
    fn is_phone(&self) -> bool {
        self.is_north_american() || self.is_chinese() || self.is_brazilian() || self.has_trunk_prefix()
    }

    fn digit(&self, place: usize) -> u8 {
        at(&self.digits, place)
    }

    fn separated_by(&self, allowed: &[u8]) -> bool {
        self.separators.iter().all(|separator| allowed.contains(separator))
    }

    /// `212-555-0123`, `1-800-555-0199`, `(212) 555-0123`; neither area nor exchange begins with 0 or 1.
    fn is_north_american(&self) -> bool {
        let area = match (self.lengths.as_slice(), self.digit(0)) {
            ([3, 3, 4], _) => 0,
            ([1, 3, 3, 4], b'1') => 1,
            ([3, 7], _) if self.area => 0,
            _ => return false,
        };
        !self.separators.contains(&b'/')
            && matches!(self.digit(area), b'2'..=b'9')
            && matches!(self.digit(area + 3), b'2'..=b'9')
    }

    /// Mobile numbers: `138 0013 8000`.
    fn is_chinese(&self) -> bool {
        self.lengths == [3, 4, 4] && self.digit(0) == b'1' && matches!(self.digit(1), b'3'..=b'9')
    }

    /// `(11) 91234-5678`.
    fn is_brazilian(&self) -> bool {
        self.area && matches!(self.lengths.as_slice(), [2, 4 | 5, 4]) && self.digit(0) != b'0'
    }

    /// Most of the world: `0` and an area (`030 1234567`), or `00` and a country.
    fn has_trunk_prefix(&self) -> bool {
        let abroad = match (self.digit(0), self.digit(1), self.digit(2)) {
            (b'0', b'1'..=b'9', _) => false,
            (b'0', b'0', b'1'..=b'9') => true,
            _ => return false,
        };
        let lengths = self.lengths.as_slice();
        let pairs = lengths == [2; 5];
        let enough = if abroad { 10..=17 } else { 9..=12 }.contains(&self.digits.len());
        let grouped = matches!(lengths, [2..=5, rest @ ..] if rest.iter().all(|length| *length >= 2));
        // A day, a month and a year, or a list of numbers of two digits.
        let date = matches!(lengths, [2, 2, ..]) && !pairs;
        let uniform = self.separators.windows(2).all(|pair| matches!(pair, [left, right] if left == right));
        let separated = match self.separators.split_first() {
            _ if pairs => uniform,
            Some((b'/', rest)) => !rest.contains(&b'/') && !rest.contains(&b'.'),
            _ => self.separated_by(&[b' ', b'-', b')', 0xC2, 0xE2]),
        };
        enough && grouped && !date && separated
    }
}

/// Whether a word before says that this is a phone number.
fn is_announced(bytes: &[u8], start: usize) -> bool {
    const WORDS: &[&str] = &[
        "tel",
        "phone",
        "phone number",
        "phone no",
        "telephone",
        "telefon",
        "mobile",
        "cell",
        "fax",
        "whatsapp",
        "电话",
        "手机",
        "手机号",
        "電話",
        "전화",
    ];
    let lead = bytes.get(start.saturating_sub(24)..start).unwrap_or_default();
    let lead = lead.strip_suffix("：".as_bytes()).unwrap_or(lead);
    let blank = |byte: &u8| matches!(byte, b' ' | b':' | b'=' | b'"' | b'\'' | b'.' | b'\\');
    let length = lead.iter().rposition(|byte| !blank(byte)).map_or(0, |last| last + 1);
    let lead = lead.get(..length).unwrap_or_default();
    WORDS.iter().any(|word| {
        let tail = lead.len().checked_sub(word.len()).and_then(|from| lead.get(from..)).unwrap_or_default();
        tail.eq_ignore_ascii_case(word.as_bytes())
            && !before(lead, lead.len() - word.len()).is_ascii_alphabetic()
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Redact as _, Redactor};

    fn redacted(text: &str) -> String {
        Redactor::new().phone().text(text).into_owned()
    }

    #[test]
    fn numbers_as_people_write_them() {
        for (text, expected) in [
            ("+49 30 1234567", "[phone]"),
            ("+4930123456789", "[phone]"),
            ("+1 (212) 555-0123.", "[phone]."),
            ("+44 (0)20 7946 0958,", "[phone],"),
            ("+86 138-0013-8000", "[phone]"),
            ("Call +49.30.1234567 at 10:30", "Call [phone] at 10:30"),
            ("Call +49 30 1234567 10:30", "Call [phone] 10:30"),
            ("(212) 555-0123", "[phone]"),
            ("(212)555-0123", "[phone]"),
            ("1-800-555-0199", "[phone]"),
            ("212.555.0123 or 212 555 0199", "[phone] or [phone]"),
            ("(call 030 1234567)", "(call [phone])"),
            ("030/1234567", "[phone]"),
            ("0171-1234567", "[phone]"),
            ("020 7946 0958", "[phone]"),
            ("06 12 34 56 78", "[phone]"),
            ("01.23.45.67.89", "[phone]"),
            ("(030) 123 456", "[phone]"),
            ("0049 30 123456", "[phone]"),
            ("(11) 91234-5678", "[phone]"),
            ("090-1234-5678", "[phone]"),
            ("138 0013 8000", "[phone]"),
            ("tel:5550123", "tel:[phone]"),
            ("\"phone\": \"13800138000\"", "\"phone\": \"[phone]\""),
            ("手机号：13800138000，谢谢", "手机号：[phone]，谢谢"),
            (r"a\n+49 30 1234567\nb", r"a\n[phone]\nb"),
        ] {
            assert_eq!(redacted(text), expected, "{text}");
        }
    }

    #[test]
    fn numbers_that_nobody_calls() {
        for text in [
            "2024-01-15",
            "2024-01-15T10:30:00+02:00",
            "2024-01-15 10:30:00.123",
            "01.02.2024",
            "01.02.2024 10:30",
            "01-02-2024 1030",
            "01/02/2024, 03/04/2024",
            "1700000000",
            "1700000000123",
            "13800138000",
            "550e8400-e29b-41d4-a716-446655440000",
            "1.2.3",
            "1.20.300-beta.4",
            "v0.33.1 and 0.30.12",
            "192.168.100.200",
            "010.020.030.040",
            "1 234 567 890",
            "1,234,567,890.00",
            "$ 1200.00, 35.90 EUR",
            "DE89 3704 0044 0532 0130 00",
            "978-0-306-40615-7 and 0-306-40615-2",
            "0.123 0.456 0.789",
            "0.1234567890",
            "x + 4915112345678",
            "@@ -10,7 +10,8 @@",
            "+100",
            "+1234567",
            "a+123456789012",
            "4111 1111 1111 1111",
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "1e+100000000",
            "Room 030, floor 12",
            "order 4711-0815",
            "01 02 03 04 05 06 07",
            "hotel 5550123",
            "ISO 8601, RFC 3339, 1080 1920",
        ] {
            assert_eq!(redacted(text), text);
        }
    }
}
