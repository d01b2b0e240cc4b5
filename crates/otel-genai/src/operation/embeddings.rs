//! Embeddings: text in, vectors out.

use otel_genai_semconv::value::{OperationName, ProviderName};

use super::fact::of;
use super::inference::system;
use super::{Custom, Fact, Facts, Field, Kind, Operation, Server, fill, fill_custom, fill_list, operation};

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
    /// The provider's id of the answer.
    pub response_id: Option<String>,
    /// The model that answered.
    pub response_model: Option<String>,
    /// Input tokens used.
    pub input_tokens: Option<u64>,
    /// Further attributes.
    pub custom: Custom,
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
            response_id: None,
            response_model: None,
            input_tokens: None,
            custom: Custom::default(),
        }
    }
}

operation!(Embeddings);

impl Facts for Embeddings {
    fn kind(&self) -> Kind {
        Kind::Embeddings
    }

    fn fact(&self, field: Field) -> Option<Fact<'_>> {
        match field {
            Field::OperationName => Some(Fact::Word(OperationName::Embeddings.into())),
            Field::ProviderName => Some(Fact::Word(self.provider.clone().into())),
            Field::System => Some(Fact::Word(system(&self.provider))),
            Field::RequestModel => of::text(&self.model),
            Field::ServerAddress => self.server.as_ref().map(|server| Fact::Text(&server.address)),
            Field::ServerPort => of::int(self.server.as_ref().and_then(|server| server.port).map(i64::from)),
            Field::EncodingFormats => of::texts(&self.encoding_formats),
            Field::DimensionCount => of::int(self.dimension_count),
            Field::ResponseId => of::text(&self.response_id),
            Field::ResponseModel => of::text(&self.response_model),
            Field::InputTokens => of::count(self.input_tokens),
            Field::TotalTokens => of::count(self.input_tokens.filter(|count| *count > 0)),
            _ => None,
        }
    }

    fn custom(&self) -> &Custom {
        &self.custom
    }
}

impl Operation for Embeddings {
    const LAYERED: bool = true;

    fn custom_mut(&mut self) -> &mut Custom {
        &mut self.custom
    }

    fn fill(&mut self, inner: &Self) {
        fill_custom(&mut self.custom, &inner.custom);
        fill(&mut self.server, &inner.server);
        fill(&mut self.model, &inner.model);
        fill_list(&mut self.encoding_formats, &inner.encoding_formats);
        fill(&mut self.dimension_count, &inner.dimension_count);
        fill(&mut self.response_id, &inner.response_id);
        fill(&mut self.response_model, &inner.response_model);
        fill(&mut self.input_tokens, &inner.input_tokens);
    }
}
