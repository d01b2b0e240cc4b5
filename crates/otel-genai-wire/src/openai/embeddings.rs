//! Embeddings: neither texts nor vectors are kept, so both bodies are scanned, never held.

use std::borrow::Cow;

use otel_genai::{Failure, ProviderName};

use super::usage::Report;
use crate::call::{Call, CallMut};
use crate::detect::Route;
use crate::error::Refusal;
use crate::framing::{Framing, Media};
use crate::gather::owned;
use crate::json::{self, Given, Raw, object};
use crate::protocol::{self, Asked, Dialect, Step};
use crate::scan::Want;

/// What is picked out of a request.
static REQUEST: Want = Want::Fields(&[
    ("model", Want::Keep(1024)),
    ("encoding_format", Want::Keep(256)),
    ("dimensions", Want::Keep(32)),
    ("output_dimension", Want::Keep(32)),
]);

/// What is picked out of an answer.
static ANSWER: Want = Want::Fields(&[
    ("id", Want::Keep(1024)),
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
        // OpenAI has none; DashScope, Mistral and others have.
        "id" => id: Option<Cow<'a, str>>,
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

/// OpenAI's embeddings.
#[derive(Debug)]
pub(crate) struct Embeddings;

impl Dialect for Embeddings {
    fn provider(&self) -> ProviderName {
        ProviderName::OpenAi
    }

    fn request_want(&self) -> &'static Want {
        &REQUEST
    }

    fn has_content(&self) -> bool {
        false
    }

    fn request(&self, document: &[u8], route: &Route) -> Result<Option<Call>, serde_json::Error> {
        let request: Request<'_> = json::read(document)?;
        let mut op = otel_genai::Embeddings::new(route.provider.clone());
        op.server = Some(route.server.clone());
        op.model = owned(request.model).or_else(|| route.parameter("model").map(str::to_owned));
        op.encoding_formats = request.encoding_format.into_iter().map(Cow::into_owned).collect();
        op.dimension_count = request.dimensions;
        Ok(Some(op.into()))
    }

    fn answer(&self, _asked: &Asked<'_>) -> Box<dyn protocol::Answer> {
        Box::new(Told::default())
    }

    fn framing(&self, _media: Media, _asked: &Asked<'_>) -> Framing {
        Framing::Whole
    }
}

/// What an answer has told.
#[derive(Debug, Default)]
struct Told {
    id: Option<String>,
    model: Option<String>,
    input_tokens: Option<u64>,
    dimensions: Option<i64>,
    /// Whether there was data, be it none: without it a document is no answer.
    has_data: bool,
    failure: Option<Failure>,
}

impl protocol::Answer for Told {
    fn want(&self) -> &'static Want {
        &ANSWER
    }

    fn has_content(&self) -> bool {
        false
    }

    fn whole(&mut self, document: &[u8]) -> Result<(), serde_json::Error> {
        let answer: Answer<'_> = json::read(document)?;
        if answer.error.get().is_some() || answer.object.as_deref() == Some("error") {
            self.failure = json::read::<Refusal<'_>>(document)?.failure();
        }
        self.has_data = answer.data.is_given;
        self.id = owned(answer.id);
        self.model = owned(answer.model);
        // Nothing is put out, so the total is the input.
        self.input_tokens = answer.usage.and_then(|usage| usage.input.or(usage.total));
        self.dimensions = answer.data.value.first().and_then(|item| item.embedding.dimensions());
        Ok(())
    }

    fn event(&mut self, _name: Option<&[u8]>, data: &[u8]) -> Result<Step, serde_json::Error> {
        self.whole(data).map(|()| Step::Last)
    }

    fn missing(&self) -> Option<&'static str> {
        (!self.has_data).then_some("data")
    }

    fn finish(self: Box<Self>, call: CallMut<'_>) -> Option<Failure> {
        if let CallMut::Embeddings(op) = call {
            op.response_id = self.id.or(op.response_id.take());
            op.response_model = self.model.or(op.response_model.take());
            op.input_tokens = self.input_tokens.or(op.input_tokens);
            op.dimension_count = self.dimensions.or(op.dimension_count);
        }
        self.failure
    }
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
