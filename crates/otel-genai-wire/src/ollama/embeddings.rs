//! Embeddings, several at once (`/api/embed`) or one (`/api/embeddings`): neither texts nor vectors are kept, so both
//! bodies are scanned, never held.

use std::borrow::Cow;

use otel_genai::{Failure, ProviderName};

use super::provider;
use crate::call::{Call, CallMut};
use crate::detect::Route;
use crate::error::Refusal;
use crate::framing::{Framing, Media};
use crate::gather::owned;
use crate::json::{self, Given, Raw, object};
use crate::protocol::{self, Asked, Dialect, Step};
use crate::scan::Want;

/// What is picked out of a request.
static REQUEST: Want = Want::Fields(&[("model", Want::Keep(1024)), ("dimensions", Want::Keep(32))]);

/// What is picked out of an answer.
static ANSWER: Want = Want::Fields(&[
    ("model", Want::Keep(1024)),
    ("embeddings", Want::First(&Want::Length)),
    ("embedding", Want::Length),
    ("prompt_eval_count", Want::Keep(32)),
    ("error", Want::Keep(64 << 10)),
]);

object! {
    struct Request<'a> {
        "model" => model: Option<Cow<'a, str>>,
        "dimensions" => dimensions: Option<i64>,
    }

    struct Document<'a> {
        "model" => model: Option<Cow<'a, str>>,
        "embeddings" => embeddings: Given<Vec<Option<Length<'a>>>>,
        "embedding" => embedding: Option<Length<'a>>,
        "prompt_eval_count" => input: Option<u64>,
        "error" => error: Raw<'a>,
    }

    /// See [`Want::Length`].
    struct Length<'a> {
        "items" => items: Option<i64>,
    }
}

/// `/api/embed` and `/api/embeddings`
#[derive(Debug)]
pub(crate) struct Embeddings;

impl Dialect for Embeddings {
    fn provider(&self) -> ProviderName {
        provider()
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
        op.model = owned(request.model);
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
    model: Option<String>,
    input_tokens: Option<u64>,
    dimensions: Option<i64>,
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
        let answer: Document<'_> = json::read(document)?;
        if answer.error.get().is_some() {
            self.failure = json::read::<Refusal<'_>>(document)?.failure();
        }
        self.has_data = answer.embeddings.is_given || answer.embedding.is_some();
        self.model = owned(answer.model);
        self.input_tokens = answer.input;
        let vector = answer.embeddings.value.into_iter().next().flatten().or(answer.embedding);
        self.dimensions = vector.and_then(|vector| vector.items).filter(|dimensions| *dimensions > 0);
        Ok(())
    }

    fn event(&mut self, _name: Option<&[u8]>, data: &[u8]) -> Result<Step, serde_json::Error> {
        self.whole(data).map(|()| Step::Last)
    }

    fn missing(&self) -> Option<&'static str> {
        (!self.has_data).then_some("embeddings")
    }

    fn finish(self: Box<Self>, call: CallMut<'_>) -> Option<Failure> {
        if let CallMut::Embeddings(op) = call {
            op.response_model = self.model.or(op.response_model.take());
            op.input_tokens = self.input_tokens.or(op.input_tokens);
            op.dimension_count = self.dimensions.or(op.dimension_count);
        }
        self.failure
    }
}
