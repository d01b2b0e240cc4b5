//! Rerank: documents put into order by how well they fit a query.

use std::borrow::Cow;

use otel_genai::{Failure, ProviderName};
use serde_json::{Map, Value};

use super::provider;
use crate::call::{Call, CallMut};
use crate::detect::Route;
use crate::error;
use crate::framing::{Framing, Media};
use crate::gather::{Room, owned};
use crate::json::{self, Given, Raw, object};
use crate::media;
use crate::protocol::{Answer, Asked, Dialect, Step};
use crate::scan::Want;

object! {
    struct Request<'a> {
        "model" => model: Option<Cow<'a, str>>,
        "input" => input: Option<Input<'a>>,
        "parameters" => parameters: Option<Parameters<'a>>,
    }

    struct Input<'a> {
        "query" => query: Raw<'a>,
        "documents" => documents: Raw<'a>,
    }

    struct Parameters<'a> {
        "top_n" => top_n: Option<i64>,
        "return_documents" => return_documents: Option<bool>,
    }

    struct Document<'a> {
        "output" => output: Option<Output<'a>>,
        "code" => code: Option<Cow<'a, str>>,
    }

    struct Output<'a> {
        "results" => results: Given<Vec<Raw<'a>>>,
    }

    struct Found<'a> {
        "index" => index: Option<u64>,
        "relevance_score" => score: Option<f64>,
        "document" => document: Raw<'a>,
    }

    /// See [`Want::Length`].
    struct Length<'a> {
        "items" => items: Option<i64>,
    }
}

/// What is picked out of a request whose content is not wanted, or that is too long.
static REQUEST: Want = Want::Fields(&[
    ("model", Want::Keep(1024)),
    ("input", Want::Fields(&[("documents", Want::Length)])),
    ("parameters", Want::Fields(&[("top_n", Want::Keep(64)), ("return_documents", Want::Keep(16))])),
]);

/// What is picked out of an answer, likewise.
static ANSWER: Want = Want::Fields(&[
    ("output", Want::Fields(&[("results", Want::Length)])),
    ("code", Want::Keep(256)),
    ("message", Want::Keep(16 << 10)),
]);

/// Rerank.
#[derive(Debug)]
pub(crate) struct Rerank;

impl Dialect for Rerank {
    fn provider(&self) -> ProviderName {
        provider()
    }

    fn request_want(&self) -> &'static Want {
        &REQUEST
    }

    fn request(&self, document: &[u8], route: &Route) -> Result<Option<Call>, serde_json::Error> {
        let request: Request<'_> = json::read(document)?;
        let mut op = otel_genai::Rerank::default();
        op.provider = Some(route.provider.clone());
        op.server = Some(route.server.clone());
        op.model = owned(request.model);
        if let Some(parameters) = request.parameters {
            op.top_k = parameters.top_n;
            op.return_documents = parameters.return_documents;
        }
        let input = request.input.unwrap_or_default();
        op.query = match input.query.value() {
            Some(Value::String(query)) => Some(query),
            // It may be an image.
            query => query.map(|query| media::value_without_secrets(query).to_string()),
        };
        match input.documents.value() {
            Some(Value::Array(documents)) => {
                op.documents_count = i64::try_from(documents.len()).ok();
                op.input_documents = documents.into_iter().map(media::value_without_secrets).collect();
            }
            _ => op.documents_count = input.documents.to::<Length<'_>>().items,
        }
        Ok(Some(op.into()))
    }

    fn answer(&self, asked: &Asked<'_>) -> Box<dyn Answer> {
        Box::new(Told {
            content: asked.options.content,
            room: Room::new(asked.options.limit),
            has_results: false,
            documents: Vec::new(),
            failure: None,
        })
    }

    fn framing(&self, _media: Media, _asked: &Asked<'_>) -> Framing {
        Framing::Whole
    }
}

/// What an answer has told.
#[derive(Debug)]
struct Told {
    content: bool,
    room: Room,
    /// Whether there were results, be they none: without them a document is no answer.
    has_results: bool,
    documents: Vec<Value>,
    failure: Option<Failure>,
}

impl Answer for Told {
    fn want(&self) -> &'static Want {
        &ANSWER
    }

    fn has_content(&self) -> bool {
        self.content
    }

    fn whole(&mut self, document: &[u8]) -> Result<(), serde_json::Error> {
        let answer: Document<'_> = json::read(document)?;
        let Some(output) = answer.output else {
            if answer.code.is_some_and(|code| !code.is_empty()) {
                self.failure = Some(error::of_event(document));
            }
            return Ok(());
        };
        self.has_results = output.results.is_given;
        let results = if self.content { output.results.value } else { Vec::new() };
        for result in results {
            let Some(found) = result.to::<Option<Found<'_>>>() else { continue };
            if !self.room.spend(result) {
                break;
            }
            let mut document = Map::new();
            document.extend(found.index.map(|index| ("index".to_owned(), index.into())));
            document.extend(found.score.map(|score| ("relevance_score".to_owned(), score.into())));
            let content = found.document.value().map(media::value_without_secrets);
            document.extend(content.map(|content| ("document".to_owned(), content)));
            self.documents.push(document.into());
        }
        Ok(())
    }

    fn event(&mut self, _name: Option<&[u8]>, data: &[u8]) -> Result<Step, serde_json::Error> {
        self.whole(data).map(|()| Step::Last)
    }

    fn missing(&self) -> Option<&'static str> {
        (!self.has_results).then_some("results")
    }

    fn is_cut(&self) -> bool {
        self.room.is_full()
    }

    fn finish(self: Box<Self>, call: CallMut<'_>) -> Option<Failure> {
        if let CallMut::Rerank(op) = call
            && !self.documents.is_empty()
        {
            op.output_documents = self.documents;
        }
        self.failure
    }
}
