//! Embeddings: neither texts nor vectors are kept, so both bodies are scanned, never held.

use std::borrow::Cow;

use otel_genai::{Embeddings, Failure, ProviderName};
use serde::de::{MapAccess, SeqAccess};

use crate::call::{Call, CallMut};
use crate::detect::Route;
use crate::error::{self, Refusal};
use crate::framing::{Framing, Media};
use crate::gather::owned;
use crate::json::{self, Given, Lenient, Raw, object};
use crate::protocol::{Answer, Asked, Dialect, Step};
use crate::scan::Want;

/// What is picked out of a request.
static REQUEST: Want = Want::Fields(&[
    ("model", Want::Keep(1024)),
    ("embedding_types", Want::Keep(1024)),
    ("output_dimension", Want::Keep(32)),
    ("texts", Want::Length),
    ("inputs", Want::Length),
    ("images", Want::Length),
]);

/// What is picked out of the answers of all who answer in this way: a list of vectors, or one for each type.
static ANSWER: Want = Want::Fields(&[
    ("id", Want::Keep(1024)),
    ("embeddings", Want::Either(&VECTORS, &Want::Fields(&TYPES))),
    // Titan's.
    ("embedding", Want::Length),
    ("embeddingsByType", Want::Fields(&[("float", Want::Length), ("binary", Want::Length)])),
    ("inputTextTokenCount", Want::Keep(64)),
    ("inputTokenCount", Want::Keep(64)),
    ("meta", Want::Keep(16 << 10)),
    ("message", Want::Keep(16 << 10)),
    ("error", Want::Keep(16 << 10)),
]);

static VECTORS: Want = Want::First(&Want::Either(
    &Want::Length,
    // Nova's.
    &Want::Fields(&[("embedding", Want::Length)]),
));

static TYPES: [(&str, Want); 6] = [
    ("float", Want::First(&Want::Length)),
    ("int8", Want::First(&Want::Length)),
    ("uint8", Want::First(&Want::Length)),
    ("binary", Want::First(&Want::Length)),
    ("ubinary", Want::First(&Want::Length)),
    ("base64", Want::First(&Want::Length)),
];

object! {
    struct Request<'a> {
        "model" => model: Option<Cow<'a, str>>,
        "embedding_types" => types: Vec<Option<Cow<'a, str>>>,
        "output_dimension" => dimensions: Option<i64>,
        "texts" | "inputs" | "images" => input: Given<Raw<'a>>,
    }

    struct Document<'a> {
        "id" => id: Option<Cow<'a, str>>,
        "embeddings" => embeddings: Given<Vectors>,
        "embedding" => embedding: Given<Option<Length<'a>>>,
        "embeddingsByType" => by_type: Given<Option<ByType<'a>>>,
        "inputTextTokenCount" | "inputTokenCount" => tokens: Option<u64>,
        "meta" => meta: Option<super::usage::Meta<'a>>,
        "error" => error: Raw<'a>,
    }

    struct ByType<'a> {
        "float" => float: Option<Length<'a>>,
        "binary" => binary: Option<Length<'a>>,
    }

    /// See [`Want::Length`].
    struct Length<'a> {
        "items" => items: Option<i64>,
        "chars" => chars: Option<i64>,
        "padding" => padding: Option<i64>,
        "embedding" => embedding: Option<Box<Length<'a>>>,
    }
}

/// How many dimensions the first vector has.
#[derive(Debug, Default)]
pub(crate) struct Vectors(Option<i64>);

impl<'de> Lenient<'de> for Vectors {
    fn list<A: SeqAccess<'de>>(items: A) -> Result<Self, A::Error> {
        let lengths = Vec::<Option<Length<'de>>>::list(items)?;
        Ok(Vectors(lengths.first().and_then(|length| length.as_ref()?.count())))
    }

    fn object<A: MapAccess<'de>>(mut fields: A) -> Result<Self, A::Error> {
        let mut dimensions = None;
        while let Some(kind) = fields.next_key::<json::Name<'de>>()? {
            let lengths = fields.next_value_seed(json::seed::<Vec<Option<Length<'de>>>>())?;
            let length = lengths.into_iter().next().flatten();
            let counted = length.and_then(|length| match &*kind.0 {
                // A bit each.
                "binary" | "ubinary" => length.count()?.checked_mul(8),
                _ => length.count(),
            });
            dimensions = dimensions.or(counted);
        }
        Ok(Vectors(dimensions))
    }
}

impl Length<'_> {
    /// Of a list its items; of base64 the 32-bit floats within.
    fn count(&self) -> Option<i64> {
        let within = || self.embedding.as_ref().and_then(|inner| inner.count());
        let from_text = || Some(self.chars?.checked_sub(self.padding.unwrap_or(0))?.checked_mul(3)? / 4 / 4);
        self.items.or_else(from_text).or_else(within).filter(|count| *count > 0)
    }
}

/// Cohere's embeddings.
#[derive(Debug)]
pub(crate) struct Embed;

impl Dialect for Embed {
    fn provider(&self) -> ProviderName {
        ProviderName::Cohere
    }

    fn request_want(&self) -> &'static Want {
        &REQUEST
    }

    fn has_content(&self) -> bool {
        false
    }

    fn request(&self, document: &[u8], route: &Route) -> Result<Option<Call>, serde_json::Error> {
        let request: Request<'_> = json::read(document)?;
        let mut op = Embeddings::new(route.provider.clone());
        op.server = Some(route.server.clone());
        op.model = owned(request.model);
        op.encoding_formats = request.types.into_iter().flatten().map(Cow::into_owned).collect();
        op.dimension_count = request.dimensions;
        Ok(Some(op.into()))
    }

    fn answer(&self, _asked: &Asked<'_>) -> Box<dyn Answer> {
        Box::new(Told::default())
    }

    fn framing(&self, _media: Media, _asked: &Asked<'_>) -> Framing {
        Framing::Whole
    }
}

/// What an answer has told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    id: Option<String>,
    tokens: Option<u64>,
    dimensions: Option<i64>,
    /// Whether there were vectors, be they none: without them a document is no answer.
    has_vectors: bool,
    failure: Option<Failure>,
}

impl Answer for Told {
    fn want(&self) -> &'static Want {
        &ANSWER
    }

    fn has_content(&self) -> bool {
        false
    }

    fn whole(&mut self, document: &[u8]) -> Result<(), serde_json::Error> {
        let answer: Document<'_> = json::read(document)?;
        self.has_vectors = answer.embeddings.is_given || answer.embedding.is_given || answer.by_type.is_given;
        if !self.has_vectors && answer.error.get().is_some() {
            let refusal = json::read::<Refusal<'_>>(document)?;
            self.failure = Some(refusal.failure().unwrap_or_else(|| error::of_event(document)));
        }
        self.id = owned(answer.id);
        self.tokens = answer.tokens.or_else(|| answer.meta.and_then(|meta| meta.usage().input_tokens));
        let by_type = || {
            let by_type = answer.by_type.value.as_ref()?;
            let binary = || by_type.binary.as_ref()?.count();
            by_type.float.as_ref().and_then(Length::count).or_else(binary)
        };
        let alone = || answer.embedding.value.as_ref().and_then(Length::count);
        self.dimensions = answer.embeddings.value.0.or_else(alone).or_else(by_type);
        Ok(())
    }

    fn event(&mut self, _name: Option<&[u8]>, data: &[u8]) -> Result<Step, serde_json::Error> {
        self.whole(data).map(|()| Step::Last)
    }

    fn missing(&self) -> Option<&'static str> {
        (!self.has_vectors).then_some("embeddings")
    }

    fn finish(self: Box<Self>, call: CallMut<'_>) -> Option<Failure> {
        if let CallMut::Embeddings(op) = call {
            op.response_id = self.id.or(op.response_id.take());
            op.input_tokens = self.tokens.or(op.input_tokens);
            op.dimension_count = self.dimensions.or(op.dimension_count);
        }
        self.failure
    }
}
