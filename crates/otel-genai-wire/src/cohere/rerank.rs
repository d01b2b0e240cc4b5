//! Rerank: documents put into order by how well they fit a query, as Cohere, Jina, Voyage and servers of open models
//! do it.

use std::borrow::Cow;

use otel_genai::{Failure, ProviderName};
use serde_json::{Map, Value};

use crate::call::{Call, CallMut};
use crate::detect::Route;
use crate::error::{self, Refusal};
use crate::framing::{Framing, Media};
use crate::gather::{Room, owned};
use crate::json::{self, Given, Raw, object};
use crate::media;
use crate::protocol::{Answer, Asked, Dialect, Step};
use crate::scan::Want;

object! {
    struct Request<'a> {
        "model" => model: Option<Cow<'a, str>>,
        "query" => query: Given<Raw<'a>>,
        // The second is that of Hugging Face's server.
        "documents" | "texts" => documents: Given<Raw<'a>>,
        "top_n" | "top_k" => top_n: Option<i64>,
        "return_documents" | "return_text" => return_documents: Option<bool>,
        "max_chunks_per_doc" => max_chunks: Option<i64>,
        "max_tokens_per_doc" => max_length: Option<i64>,
    }

    /// See [`Want::Length`].
    struct Length<'a> {
        "items" => items: Option<i64>,
    }

    struct Document<'a> {
        // The second is Voyage's.
        "results" | "data" => results: Given<Vec<Raw<'a>>>,
        "error" => error: Raw<'a>,
        "detail" => detail: Raw<'a>,
    }

    struct Found<'a> {
        "index" => index: Option<u64>,
        "relevance_score" | "score" => score: Option<f64>,
        "document" | "text" => document: Raw<'a>,
    }
}

/// What is picked out of a request whose content is not wanted, or that is too long.
static REQUEST: Want = Want::Fields(&[
    ("model", Want::Keep(1024)),
    ("query", Want::Fields(&[])),
    ("documents", Want::Length),
    ("texts", Want::Length),
    ("top_n", Want::Keep(64)),
    ("top_k", Want::Keep(64)),
    ("return_documents", Want::Keep(16)),
    ("return_text", Want::Keep(16)),
    ("max_chunks_per_doc", Want::Keep(64)),
    ("max_tokens_per_doc", Want::Keep(64)),
]);

/// What is picked out of an answer, likewise.
static ANSWER: Want = Want::Fields(&[
    ("results", Want::Fields(&[])),
    ("data", Want::Fields(&[])),
    // The answer may be a mere list.
    ("relevance_score", Want::Keep(64)),
    ("score", Want::Keep(64)),
    ("error", Want::Keep(64 << 10)),
    ("detail", Want::Keep(16 << 10)),
]);

/// Rerank.
#[derive(Debug)]
pub(crate) struct Rerank;

impl Dialect for Rerank {
    fn provider(&self) -> ProviderName {
        ProviderName::Cohere
    }

    fn request_want(&self) -> &'static Want {
        &REQUEST
    }

    fn request(&self, document: &[u8], route: &Route) -> Result<Option<Call>, serde_json::Error> {
        let request: Request<'_> = json::read(document)?;
        if !request.query.is_given || !request.documents.is_given {
            return Ok(None);
        }
        let mut op = otel_genai::Rerank::default();
        op.provider = Some(route.provider.clone());
        op.server = Some(route.server.clone());
        op.model = owned(request.model);
        op.top_k = request.top_n;
        op.return_documents = request.return_documents;
        op.max_chunks_per_doc = request.max_chunks;
        op.max_length = request.max_length;
        op.query = match request.query.value.value() {
            Some(Value::String(query)) => Some(query),
            // Jina's may be an image.
            query => query.map(|query| media::value_without_secrets(query).to_string()),
        };
        match request.documents.value.value() {
            Some(Value::Array(documents)) => {
                op.documents_count = i64::try_from(documents.len()).ok();
                op.input_documents = documents.into_iter().map(media::value_without_secrets).collect();
            }
            _ => op.documents_count = request.documents.value.to::<Length<'_>>().items,
        }
        Ok(Some(op.into()))
    }

    fn answer(&self, asked: &Asked<'_>) -> Box<dyn Answer> {
        Box::new(Told::new(asked.options.content, asked.options.limit))
    }

    fn framing(&self, _media: Media, _asked: &Asked<'_>) -> Framing {
        Framing::Whole
    }
}

/// What an answer has told.
#[derive(Debug)]
pub(crate) struct Told {
    content: bool,
    room: Room,
    /// Whether there were results, be they none: without them a document is no answer.
    has_results: bool,
    documents: Vec<Value>,
    failure: Option<Failure>,
}

impl Told {
    pub(crate) fn new(content: bool, limit: usize) -> Self {
        Told { content, room: Room::new(limit), has_results: false, documents: Vec::new(), failure: None }
    }

    fn take(&mut self, results: Vec<Raw<'_>>) {
        self.has_results = true;
        if !self.content {
            return;
        }
        for result in results {
            let Some(found) = result.to::<Option<Found<'_>>>() else { continue };
            if !self.room.spend(result) {
                return;
            }
            let mut document = Map::new();
            document.extend(found.index.map(|index| ("index".to_owned(), index.into())));
            document.extend(found.score.map(|score| ("relevance_score".to_owned(), score.into())));
            let content = found.document.value().map(media::value_without_secrets);
            document.extend(content.map(|content| ("document".to_owned(), content)));
            self.documents.push(document.into());
        }
    }
}

impl Answer for Told {
    fn want(&self) -> &'static Want {
        &ANSWER
    }

    fn has_content(&self) -> bool {
        self.content
    }

    fn whole(&mut self, document: &[u8]) -> Result<(), serde_json::Error> {
        if json::first(document.strip_prefix(json::BOM).unwrap_or(document)) == Some(b'[') {
            let results: Vec<Raw<'_>> = json::read_items(document)?;
            if results.iter().all(|result| result.to::<Found<'_>>().score.is_some()) {
                self.take(results);
                return Ok(());
            }
        }
        let answer: Document<'_> = json::read(document)?;
        if answer.results.is_given {
            self.take(answer.results.value);
        } else if answer.error.get().is_some() || answer.detail.get().is_some() {
            let refusal = json::read::<Refusal<'_>>(document)?;
            self.failure = Some(refusal.failure().unwrap_or_else(|| error::of_event(document)));
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
