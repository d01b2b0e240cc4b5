//! Embeddings: neither texts nor vectors are kept, so both bodies are scanned, never held. One text (`embedContent`),
//! several (`batchEmbedContents`), or Vertex AI's older way (`predict`).

use std::borrow::Cow;

use http::HeaderMap;
use otel_genai::{Embeddings, Failure, ProviderName};

use super::error;
use super::usage::Report;
use super::{model, without_folder};
use crate::call::{Call, CallMut};
use crate::detect::Route;
use crate::framing::{Framing, Media};
use crate::json::{self, Given, Raw, object};
use crate::protocol::{self, Asked, Dialect, Step};
use crate::scan::Want;

/// Of longer lists of predictions the rest is not looked at.
const MAX_PREDICTIONS: usize = 128;

const SIZES: &[(&str, Want)] = &[
    ("outputDimensionality", Want::Keep(32)),
    ("output_dimensionality", Want::Keep(32)),
    ("dimension", Want::Keep(32)),
];

/// What is picked out of a request.
static REQUEST: Want = Want::Fields(&[
    ("model", Want::Keep(1024)),
    ("outputDimensionality", Want::Keep(32)),
    ("output_dimensionality", Want::Keep(32)),
    ("embedContentConfig", Want::Fields(SIZES)),
    ("requests", Want::First(&Want::Fields(SIZES))),
    ("parameters", Want::Fields(SIZES)),
]);

/// What is picked out of an answer.
static ANSWER: Want = Want::Fields(&[
    ("embedding", Want::Fields(&[("values", Want::Length)])),
    ("embeddings", Want::First(&Want::Fields(&[("values", Want::Length)]))),
    (
        "predictions",
        Want::Items(&Want::Fields(&[
            (
                "embeddings",
                Want::Fields(&[
                    ("values", Want::Length),
                    ("statistics", Want::Fields(&[("token_count", Want::Keep(32))])),
                ]),
            ),
            ("textEmbedding", Want::Length),
            ("imageEmbedding", Want::Length),
        ])),
    ),
    ("usageMetadata", Want::Keep(16 << 10)),
    ("error", Want::Keep(64 << 10)),
]);

object! {
    struct Request<'a> {
        "model" => model: Option<Cow<'a, str>>,
        "outputDimensionality" | "output_dimensionality" => dimensions: Option<i64>,
        "embedContentConfig" => config: Option<Size<'a>>,
        "requests" => requests: Vec<Option<Size<'a>>>,
        "parameters" => parameters: Option<Size<'a>>,
    }

    struct Size<'a> {
        "outputDimensionality" | "output_dimensionality" | "dimension" => dimensions: Option<i64>,
    }

    struct Document<'a> {
        "embedding" => embedding: Option<Vector<'a>>,
        "embeddings" => embeddings: Given<Vec<Option<Vector<'a>>>>,
        "predictions" => predictions: Given<Vec<Option<Prediction<'a>>>>,
        "usageMetadata" => usage: Option<Report<'a>>,
        "error" => error: Raw<'a>,
    }

    struct Prediction<'a> {
        "embeddings" => embeddings: Option<Vector<'a>>,
        // Of models for texts and images.
        "textEmbedding" => text: Option<Length<'a>>,
        "imageEmbedding" => image: Option<Length<'a>>,
    }

    struct Vector<'a> {
        "values" => values: Option<Length<'a>>,
        "statistics" => statistics: Option<Statistics<'a>>,
    }

    struct Statistics<'a> {
        "token_count" => tokens: Option<u64>,
    }

    /// See [`Want::Length`].
    struct Length<'a> {
        "items" => items: Option<i64>,
    }
}

/// Google's embeddings.
#[derive(Debug)]
pub(crate) struct EmbedContent;

impl Dialect for EmbedContent {
    fn provider(&self) -> ProviderName {
        ProviderName::GcpGenAi
    }

    fn request_want(&self) -> &'static Want {
        &REQUEST
    }

    fn has_content(&self) -> bool {
        false
    }

    fn request(&self, document: &[u8], route: &Route) -> Result<Option<Call>, serde_json::Error> {
        let request: Request<'_> = json::read(document)?;
        let predictor = route.parameter("predictor");
        // Models of all kinds predict; these are the families that embed.
        if predictor.is_some_and(|model| !["embed", "gecko"].iter().any(|word| model.contains(word))) {
            return Ok(None);
        }
        let model = predictor.map(str::to_owned).or_else(|| model(route));
        let model = model.or_else(|| request.model.as_deref().map(without_folder));
        let mut op = Embeddings::new(route.provider.clone());
        op.server = Some(route.server.clone());
        op.model = model;
        let size = |size: Option<Size<'_>>| size.and_then(|size| size.dimensions);
        op.dimension_count = request
            .dimensions
            .or_else(|| size(request.config))
            .or_else(|| size(request.requests.into_iter().next().flatten()))
            .or_else(|| size(request.parameters));
        Ok(Some(op.into()))
    }

    fn answer(&self, _asked: &Asked<'_>) -> Box<dyn protocol::Answer> {
        Box::new(Told::default())
    }

    fn framing(&self, _media: Media, _asked: &Asked<'_>) -> Framing {
        Framing::Whole
    }

    fn error(&self, status: u16, _headers: &HeaderMap, body: &[u8]) -> Failure {
        error::of_body(status, body)
    }
}

/// What an answer has told.
#[derive(Debug, Default)]
struct Told {
    input_tokens: Option<u64>,
    dimensions: Option<i64>,
    /// Whether there was a vector, or a list of them.
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
            self.failure = Some(error::of_document(document));
        }
        self.has_data =
            answer.embedding.is_some() || answer.embeddings.is_given || answer.predictions.is_given;
        let predictions = answer.predictions.value;
        let tokens_of = |prediction: &Option<Prediction<'_>>| {
            prediction.as_ref()?.embeddings.as_ref()?.statistics.as_ref()?.tokens
        };
        // A sum of some is none.
        let predicted = match predictions.len() {
            0 | MAX_PREDICTIONS.. => None,
            _ => predictions.iter().map(tokens_of).sum(),
        };
        self.input_tokens = answer.usage.and_then(|usage| usage.prompt.or(usage.total)).or(predicted);
        let prediction = predictions.into_iter().next().flatten();
        let length =
            match (answer.embedding, answer.embeddings.value.into_iter().next().flatten(), prediction) {
                (Some(vector), ..) | (None, Some(vector), _) => vector.values,
                (None, None, Some(prediction)) => prediction
                    .embeddings
                    .and_then(|vector| vector.values)
                    .or(prediction.text)
                    .or(prediction.image),
                (None, None, None) => None,
            };
        self.dimensions = length.and_then(|length| length.items).filter(|dimensions| *dimensions > 0);
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
            op.input_tokens = self.input_tokens.or(op.input_tokens);
            op.dimension_count = self.dimensions.or(op.dimension_count);
        }
        self.failure
    }
}
