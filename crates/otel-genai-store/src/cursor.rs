//! Where a page ends and the next begins.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::StoreError;
use crate::id::Day;

/// Where the next page begins: opaque text, safe in a URL, of use for the query that gave it and no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(String);

/// The last item of a page: the next page begins after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// What the order is by.
    pub(crate) value: i64,
    /// The file it is in.
    pub(crate) day: Day,
    /// Its row there.
    pub(crate) row: i64,
}

const VERSION: u8 = 1;
/// Begins a cursor that is a place.
#[cfg(feature = "clickhouse")]
const PLACE: u8 = 2;

impl Cursor {
    pub(crate) fn new(position: Position, query: u64) -> Self {
        let mut bytes = vec![VERSION];
        bytes.extend(position.value.to_be_bytes());
        bytes.extend(position.day.0.to_be_bytes());
        bytes.extend(position.row.to_be_bytes());
        bytes.extend(query.to_be_bytes());
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Behind something that no [`Position`] can tell.
    #[cfg(feature = "clickhouse")]
    pub(crate) fn at_place(place: &[u8], query: u64) -> Self {
        Self(URL_SAFE_NO_PAD.encode([&[PLACE], &query.to_be_bytes()[..], place].concat()))
    }

    /// What [`Self::at_place`] was given, if it is of this query.
    #[cfg(feature = "clickhouse")]
    pub(crate) fn place(&self, query: u64) -> Result<Vec<u8>, StoreError> {
        let bytes = URL_SAFE_NO_PAD.decode(&self.0).map_err(|_| StoreError::BadCursor)?;
        let place = bytes.strip_prefix(&[PLACE]).and_then(|rest| rest.strip_prefix(&query.to_be_bytes()));
        place.map(<[u8]>::to_vec).ok_or(StoreError::BadCursor)
    }

    /// What it says, if it is of this query.
    pub(crate) fn position(&self, query: u64) -> Result<Position, StoreError> {
        fn read(text: &str, query: u64) -> Option<Position> {
            let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
            let (version, rest) = bytes.split_first()?;
            let (value, rest) = rest.split_first_chunk()?;
            let (day, rest) = rest.split_first_chunk()?;
            let (row, rest) = rest.split_first_chunk()?;
            let same = *version == VERSION && rest == query.to_be_bytes();
            same.then(|| Position {
                value: i64::from_be_bytes(*value),
                day: Day(i32::from_be_bytes(*day)),
                row: i64::from_be_bytes(*row),
            })
        }
        read(&self.0, query).ok_or(StoreError::BadCursor)
    }

    /// What a query is called in its cursors: everything but the page.
    pub(crate) fn of_query(query: &impl fmt::Debug) -> u64 {
        // Of one version of the program only, which is all a cursor needs to outlive.
        #[allow(deprecated, reason = "the same in every process, which the default hasher does not promise")]
        let mut hasher = std::hash::SipHasher::new();
        format!("{query:?}").hash(&mut hasher);
        hasher.finish()
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Cursor {
    type Err = std::convert::Infallible;

    /// Takes any text; whether it is a cursor shows when it is used.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}
