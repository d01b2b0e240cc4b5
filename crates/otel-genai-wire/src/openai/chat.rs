//! Chat Completions.

mod answer;
mod choices;
mod message;
mod request;

pub(super) use answer::Chat;
pub(super) use message::{Sent, ToolCall, part, response_item};
pub(super) use request::{Texts, Tool};

use otel_genai::{Inference, OperationName, ProviderName};

use crate::call::Call;
use crate::detect::Route;
use crate::protocol::{Answer, Asked, Dialect};
use crate::scan::Want;

/// OpenAI's Chat Completions.
#[derive(Debug)]
pub(crate) struct ChatCompletions;

impl Dialect for ChatCompletions {
    fn provider(&self) -> ProviderName {
        ProviderName::OpenAi
    }

    fn request_want(&self) -> &'static Want {
        &request::WANT
    }

    fn request(&self, document: &[u8], route: &Route) -> Result<Option<Call>, serde_json::Error> {
        let mut op = Inference::new(OperationName::Chat, route.provider.clone());
        op.server = Some(route.server.clone());
        request::read(document, &mut op)?;
        op.request.model = op.request.model.or_else(|| route.parameter("model").map(str::to_owned));
        Ok(Some(op.into()))
    }

    fn answer(&self, asked: &Asked<'_>) -> Box<dyn Answer> {
        let wanted = match asked.request {
            Call::Inference(op) => op.request.choice_count.map_or(1, |n| usize::try_from(n).unwrap_or(1)),
            _ => 1,
        };
        Box::new(Chat::new(wanted, asked.options))
    }
}
