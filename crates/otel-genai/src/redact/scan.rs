//! What the finders share: where a word begins, how digits stand in groups, how the found is put together.
//!
//! The finders are written by hand, not as regular expressions: each reads the text once from front to back, whatever
//! the text, and knows enough of its subject to leave dates, versions, hashes and prices alone.

use std::ops::Range;

use super::Sensitive;

/// Something found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Where, in bytes; on char boundaries.
    pub(super) range: Range<usize>,
    /// What.
    pub(super) what: Sensitive,
}

/// The byte at this place, 0 beyond the end.
pub(super) fn at(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}

/// The byte before this place, 0 at the start.
pub(super) fn before(bytes: &[u8], place: usize) -> u8 {
    place.checked_sub(1).map_or(0, |place| at(bytes, place))
}

/// The end of the run of bytes that satisfy `belongs`, from `from` on.
pub(super) fn run(bytes: &[u8], from: usize, belongs: impl Fn(u8) -> bool) -> usize {
    bytes.iter().skip(from).position(|byte| !belongs(*byte)).map_or(bytes.len(), |length| from + length)
}

/// Whether a word may begin here: no letter and no digit stands directly before. The letter of an escape in quoted
/// JSON (`\nsk-...`) is not part of a word. Signs beyond ASCII end words: many scripts write no blanks.
pub(super) fn word_begins(bytes: &[u8], place: usize) -> bool {
    is_escape(bytes, place) || !before(bytes, place).is_ascii_alphanumeric()
}

/// Whether an escape of quoted JSON ends here: `\n`, `\t`.
pub(super) fn is_escape(bytes: &[u8], end: usize) -> bool {
    end >= 2
        && before(bytes, end - 1) == b'\\'
        && matches!(before(bytes, end), b'n' | b'r' | b't' | b'b' | b'f')
}

/// Whether a word may end here: neither letter nor digit follows.
pub(super) fn word_ends(bytes: &[u8], place: usize) -> bool {
    !at(bytes, place).is_ascii_alphanumeric()
}

/// A run of digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Group {
    pub(super) fn len(self) -> usize {
        self.end - self.start
    }
}

/// More groups in one line are no number that a person would call or pay with; what is beyond is a line of its own.
const MOST_GROUPS: usize = 32;

/// The length in bytes of the separator at this place: one blank (of any width), `-`, `.` or `/`.
pub(super) fn separator(bytes: &[u8], place: usize) -> usize {
    match (at(bytes, place), at(bytes, place + 1), at(bytes, place + 2)) {
        (b' ' | b'-' | b'.' | b'/', ..) => 1,
        (0xC2, 0xA0, _) => 2,           // no-break space
        (0xE2, 0x80, 0xAF | 0x91) => 3, // narrow no-break space, no-break hyphen
        _ => 0,
    }
}

/// The groups of digits from the digit at `start` on, one gap between each two, and where the last one ends. `gap`
/// gives the length of the gap at a place, 0 for none.
pub(super) fn read_groups(
    bytes: &[u8],
    start: usize,
    gap: impl Fn(&[u8], usize) -> usize,
    groups: &mut Vec<Group>,
) -> usize {
    groups.clear();
    let mut place = start;
    loop {
        let end = run(bytes, place, |byte| byte.is_ascii_digit());
        groups.push(Group { start: place, end });
        let gap = gap(bytes, end);
        if gap == 0 || groups.len() >= MOST_GROUPS || !at(bytes, end + gap).is_ascii_digit() {
            return end;
        }
        place = end + gap;
    }
}

/// Everything found, in order and without overlap: what overlaps becomes one, named after the longest.
pub(super) fn merge(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by_key(|found| (found.range.start, std::cmp::Reverse(found.range.end)));
    let mut merged: Vec<Found> = Vec::with_capacity(found.len());
    for next in found {
        match merged.last_mut() {
            Some(last) if next.range.start < last.range.end => {
                if next.range.len() > last.range.len() {
                    last.what = next.what;
                }
                last.range.end = last.range.end.max(next.range.end);
            }
            _ => merged.push(next),
        }
    }
    merged
}
