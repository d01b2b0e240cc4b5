//! Vector stores: a query goes in, documents come out.
//!
//! Their bodies have little in common but that they are small next to the vectors within. Each store is a row: how its
//! request and its answer are read.

mod answer;
mod chroma;
mod document;
mod elastic;
mod openai;
mod pinecone;
mod qdrant;
mod weaviate;

pub(crate) use chroma::CHROMA;
pub(crate) use elastic::ELASTICSEARCH;
pub(crate) use openai::OPENAI;
pub(crate) use pinecone::PINECONE;
pub(crate) use qdrant::QDRANT;
pub(crate) use weaviate::WEAVIATE;

use std::borrow::Cow;

use http::HeaderMap;
use otel_genai::{Failure, ProviderName, Retrieval};
use serde_json::Value;

use crate::call::Call;
use crate::detect::Route;
use crate::error;
use crate::framing::{Framing, Media};
use crate::json;
use crate::protocol::{Answer, Asked, Dialect};
use crate::scan::Want;

/// One kind of store.
#[derive(Debug)]
pub(crate) struct Store {
    provider: ProviderName,
    /// What is picked out of a request whose content is not wanted, or that is too long.
    request_want: &'static Want,
    /// The same of an answer.
    answer_want: &'static Want,
    /// The key without which an answer is none.
    key: &'static str,
    /// Reads a request. `None`: it looks for nothing.
    ask: fn(&Value, &Route) -> Option<Sought>,
    /// The documents of an answer, best first. `None`: it is no answer.
    found: fn(&Value) -> Option<Vec<Value>>,
    /// What went wrong, where the store has words of its own for it.
    failed: fn(&Value) -> Option<Failure>,
}

/// What is looked for.
#[derive(Debug, Default)]
struct Sought {
    /// The collection, the index.
    source: Option<String>,
    top_k: Option<i64>,
    query: Option<String>,
    /// The model that turns the query into a vector, where the store does that.
    model: Option<String>,
}

impl Dialect for Store {
    fn provider(&self) -> ProviderName {
        self.provider.clone()
    }

    fn request_want(&self) -> &'static Want {
        self.request_want
    }

    fn request(&self, document: &[u8], route: &Route) -> Result<Option<Call>, serde_json::Error> {
        let body = read(document)?;
        let Some(sought) = (self.ask)(&body, route) else { return Ok(None) };
        let mut op = Retrieval::default();
        op.provider = Some(route.provider.clone());
        op.server = Some(route.server.clone());
        op.data_source_id = sought.source;
        op.top_k = sought.top_k;
        op.query = sought.query.filter(|query| !query.is_empty());
        op.model = sought.model;
        Ok(Some(op.into()))
    }

    fn answer(&self, asked: &Asked<'_>) -> Box<dyn Answer> {
        Box::new(answer::Found::new(self, asked.options))
    }

    fn framing(&self, _media: Media, _asked: &Asked<'_>) -> Framing {
        Framing::Whole
    }

    fn error(&self, status: u16, _headers: &HeaderMap, body: &[u8]) -> Failure {
        let own = read(body).ok().and_then(|body| (self.failed)(&body));
        own.unwrap_or_else(|| error::of_body(status, body))
    }
}

/// Reads a document of which nothing is known.
fn read(document: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice(document.strip_prefix(json::BOM).unwrap_or(document))
}

/// The provider of a name that the conventions do not list.
const fn named(name: &'static str) -> ProviderName {
    ProviderName::Custom(Cow::Borrowed(name))
}

/// Stores without words of their own.
fn no_words(_: &Value) -> Option<Failure> {
    None
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().map(str::to_owned)
}

fn count(value: &Value, key: &str) -> Option<i64> {
    let value = value.get(key)?;
    value.as_i64().or_else(|| value.as_f64().filter(|float| float.fract() == 0.0).map(|float| float as i64))
}

/// The items of a list; none of anything else.
fn items(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
