//! Alibaba's DashScope (Model Studio), its own protocol: generation of text and from other media, embeddings, rerank.
//! Its OpenAI-compatible mode is read as OpenAI's.

mod answer;
mod choices;
mod embeddings;
mod growing;
mod request;
mod rerank;
mod usage;

pub(crate) use embeddings::Embeddings;
pub(crate) use rerank::Rerank;

use otel_genai::{Inference, OperationName, ProviderName};

use crate::call::Call;
use crate::detect::Route;
use crate::protocol::{Answer, Asked, Dialect};
use crate::scan::Want;

/// The conventions have no name for it.
fn provider() -> ProviderName {
    ProviderName::from("dashscope")
}

/// `text-generation` and `multimodal-generation`.
#[derive(Debug)]
pub(crate) struct Generation;

impl Dialect for Generation {
    fn provider(&self) -> ProviderName {
        provider()
    }

    fn request_want(&self) -> &'static Want {
        &request::WANT
    }

    fn request(&self, document: &[u8], route: &Route) -> Result<Option<Call>, serde_json::Error> {
        let mut op = Inference::new(OperationName::Chat, route.provider.clone());
        op.server = Some(route.server.clone());
        request::read(document, &mut op)?;
        let asks = |name, word| route.parameter(name).is_some_and(|value| value.contains(word));
        op.request.stream |= asks("x-dashscope-sse", "enable") || asks("accept", "text/event-stream");
        Ok(Some(op.into()))
    }

    fn answer(&self, asked: &Asked<'_>) -> Box<dyn Answer> {
        Box::new(answer::Output::new(asked))
    }
}
