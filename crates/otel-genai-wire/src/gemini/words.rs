//! Words that may be written as numbers: clients made by Google's generators ask for that (`enum-encoding=int`).

use std::borrow::Cow;

use crate::json::Lenient;

/// One of a list of words.
#[derive(Debug, Default)]
pub(super) enum Word<'a> {
    #[default]
    None,
    Text(Cow<'a, str>),
    Number(u64),
}

impl<'de> Lenient<'de> for Word<'de> {
    fn text(text: Cow<'de, str>) -> Self {
        Word::Text(text)
    }
    fn natural(value: u64) -> Self {
        Word::Number(value)
    }
}

/// The words in the order of their numbers, from one on; the first is `*_UNSPECIFIED`.
type Words = &'static [&'static str];

pub(super) const MODALITIES: Words = &["TEXT", "IMAGE", "VIDEO", "AUDIO", "DOCUMENT"];
pub(super) const BLOCK_REASONS: Words = &["SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT"];
/// Those that the Gemini API and Vertex AI agree upon.
const FINISH_REASONS: Words = &["STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER"];
const FINISH_REASONS_OF_GEMINI: Words =
    &["LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MALFORMED_FUNCTION_CALL", "IMAGE_SAFETY"];
const FINISH_REASONS_OF_VERTEX: Words =
    &["BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MALFORMED_FUNCTION_CALL", "MODEL_ARMOR"];

impl<'a> Word<'a> {
    /// The word, where one is told; a number that stands for none known is told as it is.
    pub(super) fn of(self, words: Words) -> Option<Cow<'a, str>> {
        match self {
            Word::None | Word::Number(0) => None,
            Word::Text(text) => {
                let says_something = !text.is_empty() && !text.ends_with("_UNSPECIFIED");
                says_something.then_some(text)
            }
            Word::Number(number) => Some(match at(words, number) {
                Some(word) => word.into(),
                None => number.to_string().into(),
            }),
        }
    }

    /// The reason why a model stopped; both APIs have numbers of their own for the rarer ones.
    pub(super) fn finish_reason(self, is_vertex: bool) -> Option<Cow<'a, str>> {
        let more = if is_vertex { FINISH_REASONS_OF_VERTEX } else { FINISH_REASONS_OF_GEMINI };
        match self {
            Word::Number(number) if number > FINISH_REASONS.len() as u64 => {
                match at(more, number - FINISH_REASONS.len() as u64) {
                    Some(word) => Some(word.into()),
                    None => Some(number.to_string().into()),
                }
            }
            word => word.of(FINISH_REASONS),
        }
    }
}

fn at(words: Words, number: u64) -> Option<&'static str> {
    let at = usize::try_from(number).ok()?.checked_sub(1)?;
    words.get(at).copied()
}
