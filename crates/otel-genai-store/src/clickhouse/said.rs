//! What is said in content and log records, as the table of words has it.

use clickhouse::Row;
use serde::Serialize;

use super::writer::ORIGIN;
use crate::value::Form;
use crate::words;

/// A row of `said`.
#[derive(Debug, Row, Serialize)]
pub(super) struct SaidLine {
    day: u16,
    hash: [u8; 16],
    row: i64,
    words: String,
}

impl SaidLine {
    /// What a piece of content says, if it says anything.
    pub(super) fn of_piece(day: u16, hash: [u8; 16], form: u8, body: &[u8]) -> Option<Self> {
        let form = match form {
            ORIGIN => return None,
            form if form == Form::Text as u8 => Form::Text,
            _ => Form::Value,
        };
        Self::of(day, hash, 0, &words::texts(form, body))
    }

    /// What a log record says besides its pieces.
    pub(super) fn of_log(day: u16, row: i64, rest: &[u8]) -> Option<Self> {
        Self::of(day, [0; 16], row, &words::log_texts(rest))
    }

    fn of(day: u16, hash: [u8; 16], row: i64, texts: &[String]) -> Option<Self> {
        let words = words::in_order(texts);
        // A space before each word and behind it: so a query sees where one begins and ends.
        (!words.is_empty()).then(|| Self { day, hash, row, words: format!(" {words}") })
    }
}
