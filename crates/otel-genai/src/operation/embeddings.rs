//! Embeddings: text in, vectors out.

use opentelemetry::KeyValue;
use otel_genai_semconv::value::ProviderName;

use crate::convention::{Convention, Describe};
use crate::operation::{Operation, Server};

/// A call that turns text into vectors (conventions, *Embeddings*). Neither the texts nor the vectors are recorded.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Embeddings {
    /// Who answers.
    pub provider: ProviderName,
    /// Where the provider listens.
    pub server: Option<Server>,
    /// The model, exactly as requested.
    pub model: Option<String>,
    /// The encoding formats asked for (`float`, `base64`).
    pub encoding_formats: Vec<String>,
    /// How many dimensions the vectors have: of the answer where known, else as requested.
    pub dimension_count: Option<i64>,
    /// The model that answered.
    pub response_model: Option<String>,
    /// Input tokens used.
    pub input_tokens: Option<u64>,
    /// Further attributes of the span. They win over the conventions' own, `error.type` apart.
    pub attributes: Vec<KeyValue>,
    /// Further attributes of the metrics. Keep their cardinality low.
    pub metric_attributes: Vec<KeyValue>,
}

impl Embeddings {
    /// A call about which nothing is known yet but who is asked.
    pub fn new(provider: impl Into<ProviderName>) -> Self {
        Embeddings {
            provider: provider.into(),
            server: None,
            model: None,
            encoding_formats: Vec::new(),
            dimension_count: None,
            response_model: None,
            input_tokens: None,
            attributes: Vec::new(),
            metric_attributes: Vec::new(),
        }
    }
}

impl Operation for Embeddings {
    fn describe(convention: &dyn Convention) -> &dyn Describe<Self> {
        convention
    }
}
