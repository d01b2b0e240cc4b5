//! Retrieval: a query in, documents out.

use std::borrow::Cow;

use otel_genai_semconv::value::{OperationName, ProviderName};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::fact::of;
use super::inference::system;
use super::{
    ContentMut, Custom, Fact, Facts, Field, Kind, Operation, Server, fill, fill_custom, fill_list, operation,
};

/// Documents are looked up (conventions, *Retrieval*).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Retrieval {
    /// Where documents are looked up: the id of the store or index.
    pub data_source_id: Option<String>,
    /// Who answers, where that is a provider.
    pub provider: Option<ProviderName>,
    /// Where it listens.
    pub server: Option<Server>,
    /// The model in use, for embedding the query say.
    pub model: Option<String>,
    /// How many documents are asked for at most.
    pub top_k: Option<i64>,
    /// Content: the query.
    pub query: Option<String>,
    /// Content: the documents found, best first, each an object (see [`Document`]).
    pub documents: Vec<Value>,
    /// Further attributes.
    pub custom: Custom,
}

/// A document that was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Document {
    /// The document's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// How well it fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Anything else that is known of it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
}

impl Document {
    /// A document of this id and score.
    pub fn new(id: impl Into<String>, score: impl Into<Option<f64>>) -> Self {
        Document { id: Some(id.into()), score: score.into(), ..Document::default() }
    }

    /// The same document with its text.
    #[must_use]
    pub fn content(mut self, content: impl Into<String>) -> Self {
        self.content = Some(content.into());
        self
    }
}

impl From<Document> for Value {
    fn from(document: Document) -> Self {
        // A score that is no number is none.
        let score = document.score.filter(|score| score.is_finite());
        serde_json::to_value(Document { score, ..document }).unwrap_or_default()
    }
}

operation!(Retrieval);

impl Facts for Retrieval {
    fn kind(&self) -> Kind {
        Kind::Retrieval
    }

    fn fact(&self, field: Field) -> Option<Fact<'_>> {
        match field {
            Field::OperationName => Some(Fact::Word(OperationName::Retrieval.into())),
            Field::ProviderName => of::word(&self.provider),
            Field::System => self.provider.as_ref().map(|provider| Fact::Word(system(provider))),
            Field::ServerAddress => self.server.as_ref().map(|server| Fact::Text(&server.address)),
            Field::ServerPort => of::int(self.server.as_ref().and_then(|server| server.port).map(i64::from)),
            Field::DataSourceId => of::text(&self.data_source_id),
            Field::RequestModel => of::text(&self.model),
            Field::TopK => of::int(self.top_k),
            Field::TopKFloat => of::float(self.top_k.map(|top_k| top_k as f64)),
            Field::QueryText => of::text(&self.query),
            Field::Documents => of::list(&self.documents),
            Field::DocumentsBrief => (!self.documents.is_empty())
                .then(|| Fact::List(Cow::Owned(self.documents.iter().map(brief).collect()))),
            _ => None,
        }
    }

    fn custom(&self) -> &Custom {
        &self.custom
    }
}

/// A document's id and score alone.
fn brief(document: &Value) -> Value {
    let known = |key: &str| document.get(key).filter(|value| !value.is_null()).cloned();
    let entries = ["id", "score"].into_iter().filter_map(|key| Some((key.to_owned(), known(key)?)));
    Value::Object(entries.collect())
}

impl Operation for Retrieval {
    const LAYERED: bool = true;

    fn custom_mut(&mut self) -> &mut Custom {
        &mut self.custom
    }

    fn content_mut(&mut self, change: &mut dyn FnMut(ContentMut<'_>)) {
        if let Some(query) = &mut self.query {
            change(ContentMut::Text(Field::QueryText, query));
        }
        for document in &mut self.documents {
            change(ContentMut::Json(Field::Documents, document));
        }
    }

    fn fill(&mut self, inner: &Self) {
        fill_custom(&mut self.custom, &inner.custom);
        fill(&mut self.data_source_id, &inner.data_source_id);
        fill(&mut self.provider, &inner.provider);
        fill(&mut self.server, &inner.server);
        fill(&mut self.model, &inner.model);
        fill(&mut self.top_k, &inner.top_k);
        fill(&mut self.query, &inner.query);
        fill_list(&mut self.documents, &inner.documents);
    }
}
