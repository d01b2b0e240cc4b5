//! Chat, version 1, which streams a document a line or server-sent events, as it is asked.

mod answer;
mod request;

use otel_genai::{Inference, OperationName, ProviderName};

use crate::call::Call;
use crate::detect::Route;
use crate::framing::{Framing, Media};
use crate::protocol::{Answer, Asked, Dialect};
use crate::scan::Want;

/// Cohere's chat, version 1.
#[derive(Debug)]
pub(crate) struct ChatV1;

impl Dialect for ChatV1 {
    fn provider(&self) -> ProviderName {
        ProviderName::Cohere
    }

    fn request_want(&self) -> &'static Want {
        &request::WANT
    }

    fn request(&self, document: &[u8], route: &Route) -> Result<Option<Call>, serde_json::Error> {
        let mut op = Inference::new(OperationName::Chat, route.provider.clone());
        op.server = Some(route.server.clone());
        let is_call = request::read(document, &mut op)?;
        op.request.stream |= route.is_stream;
        Ok(is_call.then(|| op.into()))
    }

    fn answer(&self, asked: &Asked<'_>) -> Box<dyn Answer> {
        Box::new(answer::Reply::new(asked.options))
    }

    fn framing(&self, media: Media, asked: &Asked<'_>) -> Framing {
        match media {
            Media::Json | Media::Other if asked.request.is_stream() => Framing::Lines,
            media => Framing::usual(media, asked.request.is_stream()),
        }
    }
}
