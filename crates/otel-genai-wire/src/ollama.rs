//! Ollama's own protocols: chat, completions and embeddings. Its answers are streamed unless the request says no.

mod answer;
mod embeddings;
mod request;

pub(crate) use embeddings::Embeddings;

use otel_genai::{Inference, OperationName, ProviderName};

use crate::call::Call;
use crate::detect::Route;
use crate::framing::{Framing, Media};
use crate::protocol::{Answer, Asked, Dialect};
use crate::scan::Want;

/// The conventions have no name for it.
fn provider() -> ProviderName {
    ProviderName::from("ollama")
}

/// `/api/chat`
#[derive(Debug)]
pub(crate) struct Chat;

/// `/api/generate`
#[derive(Debug)]
pub(crate) struct Generate;

fn call(operation: OperationName, document: &[u8], route: &Route) -> Result<Call, serde_json::Error> {
    let mut op = Inference::new(operation, route.provider.clone());
    op.server = Some(route.server.clone());
    request::read(document, &mut op)?;
    Ok(op.into())
}

fn framing(media: Media, asked: &Asked<'_>) -> Framing {
    match media {
        Media::Other if asked.request.is_stream() => Framing::Lines,
        media => Framing::usual(media, asked.request.is_stream()),
    }
}

impl Dialect for Chat {
    fn provider(&self) -> ProviderName {
        provider()
    }

    fn request_want(&self) -> &'static Want {
        &request::WANT
    }

    fn request(&self, document: &[u8], route: &Route) -> Result<Option<Call>, serde_json::Error> {
        call(OperationName::Chat, document, route).map(Some)
    }

    fn answer(&self, asked: &Asked<'_>) -> Box<dyn Answer> {
        Box::new(answer::Said::new(asked.options, "message"))
    }

    fn framing(&self, media: Media, asked: &Asked<'_>) -> Framing {
        framing(media, asked)
    }
}

impl Dialect for Generate {
    fn provider(&self) -> ProviderName {
        provider()
    }

    fn request_want(&self) -> &'static Want {
        &request::WANT
    }

    fn request(&self, document: &[u8], route: &Route) -> Result<Option<Call>, serde_json::Error> {
        call(OperationName::TextCompletion, document, route).map(Some)
    }

    fn answer(&self, asked: &Asked<'_>) -> Box<dyn Answer> {
        Box::new(answer::Said::new(asked.options, "response"))
    }

    fn framing(&self, media: Media, asked: &Asked<'_>) -> Framing {
        framing(media, asked)
    }
}
