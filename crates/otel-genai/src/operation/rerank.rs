//! Rerank: documents are put in the order of their relevance.

use otel_genai_semconv::value::{OperationName, ProviderName};
use serde_json::Value;

use super::fact::of;
use super::inference::system;
use super::{
    ContentMut, Custom, Fact, Facts, Field, Kind, Operation, Server, fill, fill_custom, fill_list, operation,
};

/// Documents are put in the order of their relevance (LoongSuite, *rerank*), by a model made for it or by an LLM.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Rerank {
    /// Who answers.
    pub provider: Option<ProviderName>,
    /// Where the provider listens.
    pub server: Option<Server>,
    /// The model, exactly as requested.
    pub model: Option<String>,
    /// How many documents are asked for at most.
    pub top_k: Option<i64>,
    /// How many documents are given.
    pub documents_count: Option<i64>,
    /// LLM: sampling temperature.
    pub temperature: Option<f64>,
    /// LLM: upper bound of generated tokens.
    pub max_tokens: Option<i64>,
    /// LLM, content: how it is told to score.
    pub scoring_prompt: Option<String>,
    /// Whether the answer is to hold the documents' text.
    pub return_documents: Option<bool>,
    /// Into how many chunks a document is cut at most.
    pub max_chunks_per_doc: Option<i64>,
    /// What the model runs on (`cpu`, `cuda`, ...).
    pub device: Option<String>,
    /// How many pairs are scored at once.
    pub batch_size: Option<i64>,
    /// How long a pair may be, in tokens.
    pub max_length: Option<i64>,
    /// Whether scores are brought to 0..1.
    pub normalize: Option<bool>,
    /// Content: the query.
    pub query: Option<String>,
    /// Content: the documents given.
    pub input_documents: Vec<Value>,
    /// Content: the documents in their new order, with their scores.
    pub output_documents: Vec<Value>,
    /// Further attributes.
    pub custom: Custom,
}

operation!(Rerank);

impl Facts for Rerank {
    fn kind(&self) -> Kind {
        Kind::Rerank
    }

    fn fact(&self, field: Field) -> Option<Fact<'_>> {
        match field {
            Field::OperationName => Some(Fact::Word(OperationName::RerankDocuments.into())),
            Field::ProviderName => of::word(&self.provider),
            Field::System => self.provider.as_ref().map(|provider| Fact::Word(system(provider))),
            Field::ServerAddress => self.server.as_ref().map(|server| Fact::Text(&server.address)),
            Field::ServerPort => of::int(self.server.as_ref().and_then(|server| server.port).map(i64::from)),
            Field::RequestModel => of::text(&self.model),
            Field::TopK => of::int(self.top_k),
            Field::TopKFloat => of::float(self.top_k.map(|top_k| top_k as f64)),
            Field::DocumentsCount => of::int(self.documents_count),
            Field::Temperature => of::float(self.temperature),
            Field::MaxTokens => of::int(self.max_tokens),
            Field::ScoringPrompt => of::text(&self.scoring_prompt),
            Field::ReturnDocuments => of::bool(self.return_documents),
            Field::MaxChunksPerDoc => of::int(self.max_chunks_per_doc),
            Field::Device => of::text(&self.device),
            Field::BatchSize => of::int(self.batch_size),
            Field::MaxLength => of::int(self.max_length),
            Field::Normalize => of::bool(self.normalize),
            Field::QueryText => of::text(&self.query),
            Field::InputDocuments => of::list(&self.input_documents),
            Field::OutputDocuments => of::list(&self.output_documents),
            _ => None,
        }
    }

    fn custom(&self) -> &Custom {
        &self.custom
    }
}

impl Operation for Rerank {
    const LAYERED: bool = true;

    fn custom_mut(&mut self) -> &mut Custom {
        &mut self.custom
    }

    fn content_mut(&mut self, change: &mut dyn FnMut(ContentMut<'_>)) {
        if let Some(prompt) = &mut self.scoring_prompt {
            change(ContentMut::Text(Field::ScoringPrompt, prompt));
        }
        if let Some(query) = &mut self.query {
            change(ContentMut::Text(Field::QueryText, query));
        }
        for document in &mut self.input_documents {
            change(ContentMut::Json(Field::InputDocuments, document));
        }
        for document in &mut self.output_documents {
            change(ContentMut::Json(Field::OutputDocuments, document));
        }
    }

    fn fill(&mut self, inner: &Self) {
        fill_custom(&mut self.custom, &inner.custom);
        fill(&mut self.provider, &inner.provider);
        fill(&mut self.server, &inner.server);
        fill(&mut self.model, &inner.model);
        fill(&mut self.top_k, &inner.top_k);
        fill(&mut self.documents_count, &inner.documents_count);
        fill(&mut self.temperature, &inner.temperature);
        fill(&mut self.max_tokens, &inner.max_tokens);
        fill(&mut self.scoring_prompt, &inner.scoring_prompt);
        fill(&mut self.return_documents, &inner.return_documents);
        fill(&mut self.max_chunks_per_doc, &inner.max_chunks_per_doc);
        fill(&mut self.device, &inner.device);
        fill(&mut self.batch_size, &inner.batch_size);
        fill(&mut self.max_length, &inner.max_length);
        fill(&mut self.normalize, &inner.normalize);
        fill(&mut self.query, &inner.query);
        fill_list(&mut self.input_documents, &inner.input_documents);
        fill_list(&mut self.output_documents, &inner.output_documents);
    }
}
