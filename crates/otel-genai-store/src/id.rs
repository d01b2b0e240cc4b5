//! The names of things: traces, spans, pieces of content, log records, and moments.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A text that is no id: not of hexadecimal digits, not of the right length, or all zero where that says "none".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id has {digits} hexadecimal digits (0 to 9, a to f), not all of them 0")]
pub struct NoId {
    digits: usize,
}

/// The id of a trace: 16 bytes, not all zero. Shown as 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TraceId([u8; 16]);

/// The id of a span within its trace: 8 bytes, not all zero. Shown as 16 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpanId([u8; 8]);

/// What a piece of content is called by: the first 16 bytes of the BLAKE3 hash of its form and its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentHash([u8; 16]);

macro_rules! id {
    ($name:ident, $length:literal) => {
        impl $name {
            /// `None` if the bytes are not the right number, or all zero.
            #[must_use]
            pub fn new(bytes: &[u8]) -> Option<Self> {
                let bytes: [u8; $length] = bytes.try_into().ok()?;
                (bytes != [0; $length]).then_some(Self(bytes))
            }

            /// The bytes, as OTLP has them.
            #[must_use]
            pub fn bytes(&self) -> &[u8; $length] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(f, &self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(f, &self.0)
            }
        }

        impl FromStr for $name {
            type Err = NoId;

            fn from_str(text: &str) -> Result<Self, NoId> {
                let mut bytes = [0; $length];
                read_hex(text, &mut bytes)
                    .and_then(|()| Self::new(&bytes))
                    .ok_or(NoId { digits: 2 * $length })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    };
}

id!(TraceId, 16);
id!(SpanId, 8);
id!(ContentHash, 16);

impl TraceId {
    /// The first and the last id that begin with these hexadecimal digits.
    pub(crate) fn beginning(digits: &str) -> Option<([u8; 16], [u8; 16])> {
        let (mut from, mut to) = ([0; 16], [0xff; 16]);
        if digits.len() > 32 {
            return None;
        }
        for (at, digit) in digits.chars().enumerate() {
            let digit = u8::try_from(digit.to_digit(16)?).ok()?;
            let (from, to) = (from.get_mut(at / 2)?, to.get_mut(at / 2)?);
            let shift = if at % 2 == 0 { 4 } else { 0 };
            *from |= digit << shift;
            *to &= !(0xf << shift) | (digit << shift);
        }
        Some((from, to))
    }
}

impl ContentHash {
    /// The name of a piece: `form` tells what its bytes are, so that equal bytes of two forms are two pieces.
    #[must_use]
    pub fn of(form: u8, bytes: &[u8]) -> Self {
        let hash = blake3::Hasher::new().update(&[form]).update(bytes).finalize();
        Self(hash.as_bytes().first_chunk().copied().unwrap_or_default())
    }
}

/// Which span of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpanKey {
    /// Its trace.
    pub trace: TraceId,
    /// Its id there.
    pub span: SpanId,
    /// Above 0, if a span came with the ids of another and other contents. At most 7 such are kept.
    pub variant: u8,
}

/// A moment, in nanoseconds since 1970 (UTC). 0 says that it was not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Nanos(pub u64);

impl Nanos {
    /// The moment that the system's clock shows.
    #[must_use]
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }

    /// This one if it was told, else the other.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if self.0 == 0 { other } else { self }
    }

    /// The time from `earlier` to this; none if that is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Option<Duration> {
        self.0.checked_sub(earlier.0).map(Duration::from_nanos)
    }
}

const DAY: u64 = 86_400_000_000_000;

/// A day of the calendar (UTC), counted from 1970-01-01 = 0. Shown as `20261122`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day(pub i32);

impl Day {
    /// The day in which a moment lies.
    #[must_use]
    pub fn of(moment: Nanos) -> Self {
        Self(i32::try_from(moment.0 / DAY).unwrap_or(i32::MAX))
    }

    /// The first moment of the day.
    #[must_use]
    pub fn start(self) -> Nanos {
        Nanos(u64::try_from(self.0).unwrap_or(0).saturating_mul(DAY))
    }

    /// Year, month (1–12) and day of the month (1–31), by the Gregorian calendar.
    #[must_use]
    pub fn date(self) -> (i32, u32, u32) {
        // Eras of 400 years that begin in March, so that the leap day is the last of its year.
        let days = i64::from(self.0) + 719_468;
        let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = year + era * 400 + i64::from(month <= 2);
        (
            i32::try_from(year).unwrap_or(i32::MAX),
            u32::try_from(month).unwrap_or(1),
            u32::try_from(day).unwrap_or(1),
        )
    }

    /// The day of a date; none if the calendar has no such date.
    #[must_use]
    pub fn from_date(year: i32, month: u32, day: u32) -> Option<Self> {
        let shifted = i64::from(year) - i64::from(month <= 2);
        let (era, of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
        let from_march = (i64::from(month) + 9).rem_euclid(12);
        let of_year = (153 * from_march + 2) / 5 + i64::from(day) - 1;
        let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
        let found = Self(i32::try_from(days).ok()?);
        (found.date() == (year, month, day)).then_some(found)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date();
        write!(f, "{year:04}{month:02}{day:02}")
    }
}

/// Where a log record stands: log records have no ids of their own. Shown as `20261122-1234`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogId {
    /// The day it is kept under.
    pub day: Day,
    /// Its row there. 0 for a record that is not stored yet.
    pub row: i64,
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.day, self.row)
    }
}

/// A text that names no log record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a log record: those read like 20261122-1234")]
pub struct NoLogId;

impl FromStr for LogId {
    type Err = NoLogId;

    fn from_str(text: &str) -> Result<Self, NoLogId> {
        let (date, row) = text.split_once('-').ok_or(NoLogId)?;
        let number = |range: std::ops::Range<usize>| {
            date.get(range).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
        };
        let (Some(year), Some(month), Some(day), 8) = (number(0..4), number(4..6), number(6..8), date.len())
        else {
            return Err(NoLogId);
        };
        let parsed = |digits: &str| digits.parse::<u32>().map_err(|_| NoLogId);
        let day = Day::from_date(year.parse().map_err(|_| NoLogId)?, parsed(month)?, parsed(day)?)
            .ok_or(NoLogId)?;
        let row = row.parse().ok().filter(|row| *row > 0).ok_or(NoLogId)?;
        Ok(Self { day, row })
    }
}

fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

fn read_hex(text: &str, bytes: &mut [u8]) -> Option<()> {
    let digits = text.as_bytes();
    if digits.len() != 2 * bytes.len() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair.iter().try_fold(0u8, |sum, digit| {
            let digit = char::from(*digit).to_digit(16)?;
            Some((sum << 4) | u8::try_from(digit).ok()?)
        })?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_and_shown_as_hexadecimal_digits() {
        let id: TraceId = "4BF92F3577b34da6a3ce929d0e0e4736".parse().unwrap();
        assert_eq!(id.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        for text in [
            "",
            "00f067aa0ba902b",
            "00f067aa0ba902bz",
            "0000000000000000",
            "00f067aa0ba902b7a",
            "é0f067aa0ba902b",
        ] {
            assert!(text.parse::<SpanId>().is_err(), "{text}");
        }
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        for (days, date) in
            [(0, (1970, 1, 1)), (59, (1970, 3, 1)), (11_016, (2000, 2, 29)), (20_779, (2026, 11, 22))]
        {
            assert_eq!(Day(days).date(), date);
            assert_eq!(Day::from_date(date.0, date.1, date.2), Some(Day(days)));
        }
        assert_eq!(Day::from_date(2026, 2, 29), None);
        assert_eq!(Day::from_date(2026, 13, 1), None);
        assert_eq!(Day::of(Nanos(DAY - 1)), Day(0));
        assert_eq!(Day::of(Day(20_779).start()), Day(20_779));
        let id = LogId { day: Day(20_779), row: 12 };
        assert_eq!(id.to_string(), "20261122-12");
        assert_eq!("20261122-12".parse(), Ok(id));
        for text in ["20261122", "20261122-0", "2026112-1", "20261322-1", "+0261122-1", "20261122-x"] {
            assert!(text.parse::<LogId>().is_err(), "{text}");
        }
    }
}
