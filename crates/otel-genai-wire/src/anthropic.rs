//! Anthropic's Messages, as Anthropic speaks it, as compatible servers do, and as the clouds that host its models do.

mod agents;
mod answer;
mod block;
mod blocks;
mod request;
mod usage;

pub(crate) use agents::Agents;

use otel_genai::{Inference, OperationName, ProviderName};

use crate::call::Call;
use crate::detect::Route;
use crate::protocol::{Answer, Asked, Dialect};
use crate::scan::Want;

/// Anthropic's Messages.
#[derive(Debug)]
pub(crate) struct Messages;

impl Dialect for Messages {
    fn provider(&self) -> ProviderName {
        ProviderName::Anthropic
    }

    fn request_want(&self) -> &'static Want {
        &request::WANT
    }

    fn request(&self, document: &[u8], route: &Route) -> Result<Option<Call>, serde_json::Error> {
        let mut op = Inference::new(OperationName::Chat, route.provider.clone());
        op.server = Some(route.server.clone());
        request::read(document, &mut op)?;
        // The clouds take both out of the body.
        op.request.model = op.request.model.or_else(|| route.parameter("model").map(str::to_owned));
        op.request.stream |= route.is_stream;
        Ok(Some(op.into()))
    }

    fn answer(&self, asked: &Asked<'_>) -> Box<dyn Answer> {
        Box::new(answer::Message::new(asked.options))
    }
}
