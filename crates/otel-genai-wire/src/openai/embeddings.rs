//! Embeddings: neither texts nor vectors are kept, so both bodies are scanned, never held.

use std::borrow::Cow;

use otel_genai::{Embeddings, Failure};

use super::error::Refusal;
use super::usage::Report;
use crate::json::{self, Given, Raw, object};
use crate::scan::Want;

/// What is picked out of a request.
pub(crate) static EMBEDDINGS_REQUEST: Want = Want::Fields(&[
    ("model", Want::Keep(1024)),
    ("encoding_format", Want::Keep(256)),
    ("dimensions", Want::Keep(32)),
    ("output_dimension", Want::Keep(32)),
]);

/// What is picked out of an answer.
pub(crate) static EMBEDDINGS_ANSWER: Want = Want::Fields(&[
    ("model", Want::Keep(1024)),
    ("usage", Want::Keep(16 << 10)),
    ("data", Want::First(&Want::Fields(&[("embedding", Want::Length)]))),
    ("object", Want::Keep(64)),
    ("error", Want::Keep(64 << 10)),
    ("message", Want::Keep(16 << 10)),
    ("type", Want::Keep(1024)),
    ("code", Want::Keep(1024)),
]);

object! {
    struct Request<'a> {
        "model" => model: Option<Cow<'a, str>>,
        "encoding_format" => encoding_format: Option<Cow<'a, str>>,
        // Mistral's word is the second.
        "dimensions" | "output_dimension" => dimensions: Option<i64>,
    }

    struct Answer<'a> {
        "model" => model: Option<Cow<'a, str>>,
        "usage" => usage: Option<Report<'a>>,
        "data" => data: Given<Vec<Item<'a>>>,
        "object" => object: Option<Cow<'a, str>>,
        "error" => error: Raw<'a>,
    }

    struct Item<'a> {
        "embedding" => embedding: Length<'a>,
    }

    /// See [`Want::Length`].
    struct Length<'a> {
        "items" => items: Option<i64>,
        "chars" => chars: Option<i64>,
        "padding" => padding: Option<i64>,
    }
}

/// Reads what a request says.
pub(crate) fn read_request(body: &[u8], op: &mut Embeddings) -> Result<(), serde_json::Error> {
    let request: Request<'_> = json::read(body)?;
    op.model = request.model.filter(|model| !model.is_empty()).map(Cow::into_owned);
    op.encoding_formats = request.encoding_format.into_iter().map(Cow::into_owned).collect();
    op.dimension_count = request.dimensions;
    Ok(())
}

/// What an answer was.
#[derive(Debug, Default)]
pub(crate) struct Answered {
    /// The error in its place.
    pub(crate) failure: Option<Failure>,
    /// Whether there was data, be it none: without it a document is no answer.
    pub(crate) has_data: bool,
}

/// Reads what an answer says.
pub(crate) fn read_answer(body: &[u8], op: &mut Embeddings) -> Result<Answered, serde_json::Error> {
    let answer: Answer<'_> = json::read(body)?;
    let mut answered = Answered { failure: None, has_data: answer.data.is_given };
    if let Some(model) = answer.model.filter(|model| !model.is_empty()) {
        op.response_model = Some(model.into_owned());
    }
    if let Some(usage) = answer.usage {
        // Nothing is put out, so the total is the input.
        op.input_tokens = usage.input.or(usage.total);
    }
    if let Some(dimensions) = answer.data.value.first().and_then(|item| item.embedding.dimensions()) {
        op.dimension_count = Some(dimensions);
    }
    if answer.error.get().is_some() || answer.object.as_deref() == Some("error") {
        answered.failure = json::read::<Refusal<'_>>(body)?.failure();
    }
    Ok(answered)
}

impl Length<'_> {
    /// Of a list its items; of base64 the 32-bit floats within.
    fn dimensions(&self) -> Option<i64> {
        let from_text = || {
            let bytes = self.chars?.checked_sub(self.padding.unwrap_or(0))?.checked_mul(3)? / 4;
            Some(bytes / 4)
        };
        self.items.or_else(from_text).filter(|dimensions| *dimensions > 0)
    }
}
