//! Chat, version 2.

mod answer;
mod request;

use otel_genai::{Inference, OperationName, ProviderName};

use crate::call::Call;
use crate::detect::Route;
use crate::protocol::{Answer, Asked, Dialect};
use crate::scan::Want;

/// Cohere's chat, version 2.
#[derive(Debug)]
pub(crate) struct Chat;

impl Dialect for Chat {
    fn provider(&self) -> ProviderName {
        ProviderName::Cohere
    }

    fn request_want(&self) -> &'static Want {
        &request::WANT
    }

    fn request(&self, document: &[u8], route: &Route) -> Result<Option<Call>, serde_json::Error> {
        let mut op = Inference::new(OperationName::Chat, route.provider.clone());
        op.server = Some(route.server.clone());
        request::read(document, &mut op)?;
        Ok(Some(op.into()))
    }

    fn answer(&self, asked: &Asked<'_>) -> Box<dyn Answer> {
        Box::new(answer::Message::new(asked.options))
    }
}
