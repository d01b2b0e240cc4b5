//! Embeddings: neither texts nor vectors are kept, so both bodies are scanned, never held.

use std::borrow::Cow;

use otel_genai::{Failure, ProviderName};

use super::provider;
use super::usage::Report;
use crate::call::{Call, CallMut};
use crate::detect::Route;
use crate::error;
use crate::framing::{Framing, Media};
use crate::gather::owned;
use crate::json::{self, Given, object};
use crate::protocol::{self, Asked, Dialect, Step};
use crate::scan::Want;

/// What is picked out of a request.
static REQUEST: Want = Want::Fields(&[
    ("model", Want::Keep(1024)),
    ("parameters", Want::Fields(&[("dimension", Want::Keep(32))])),
]);

/// What is picked out of an answer.
static ANSWER: Want = Want::Fields(&[
    ("request_id", Want::Keep(1024)),
    ("output", Want::Fields(&[("embeddings", Want::First(&Want::Fields(&[("embedding", Want::Length)])))])),
    ("usage", Want::Keep(16 << 10)),
    ("code", Want::Keep(256)),
    ("message", Want::Keep(16 << 10)),
]);

object! {
    struct Request<'a> {
        "model" => model: Option<Cow<'a, str>>,
        "parameters" => parameters: Option<Parameters<'a>>,
    }

    struct Parameters<'a> {
        "dimension" => dimensions: Option<i64>,
    }

    struct Document<'a> {
        "request_id" => id: Option<Cow<'a, str>>,
        "output" => output: Option<Output<'a>>,
        "usage" => usage: Option<Report<'a>>,
        "code" => code: Option<Cow<'a, str>>,
    }

    struct Output<'a> {
        "embeddings" => embeddings: Given<Vec<Option<Vector<'a>>>>,
    }

    struct Vector<'a> {
        "embedding" => values: Option<Length<'a>>,
    }

    /// See [`Want::Length`].
    struct Length<'a> {
        "items" => items: Option<i64>,
    }
}

/// Embeddings of texts and other media.
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
        op.dimension_count = request.parameters.and_then(|parameters| parameters.dimensions);
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
        if answer.output.is_none() && answer.code.is_some_and(|code| !code.is_empty()) {
            self.failure = Some(error::of_event(document));
        }
        self.id = owned(answer.id);
        // Nothing is put out, so the total is the input.
        self.input_tokens = answer.usage.and_then(|usage| usage.input.or(usage.total));
        let embeddings = answer.output.map(|output| output.embeddings).unwrap_or_default();
        self.has_data = embeddings.is_given;
        let values = embeddings.value.into_iter().next().flatten().and_then(|vector| vector.values);
        self.dimensions = values.and_then(|values| values.items).filter(|dimensions| *dimensions > 0);
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
            op.response_id = self.id.or(op.response_id.take());
            op.input_tokens = self.input_tokens.or(op.input_tokens);
            op.dimension_count = self.dimensions.or(op.dimension_count);
        }
        self.failure
    }
}
