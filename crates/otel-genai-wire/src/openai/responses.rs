//! Responses: what the model is asked, and what is kept of it and fetched.

mod answer;
mod content;
mod item;
mod items;
mod request;

pub(super) use item::Said;
pub(super) use items::{Delta, Ending, Items, meant};
pub(super) use request::{Template, tools};

use otel_genai::{FetchResponse, Inference, OpenAiApiType, OperationName, ProviderName};

use super::keep_own;
use crate::call::Call;
use crate::detect::Route;
use crate::protocol::{Answer, Asked, Dialect};
use crate::scan::Want;

/// OpenAI's Responses.
#[derive(Debug)]
pub(crate) struct Responses;

/// A stored answer that is fetched by its id.
#[derive(Debug)]
pub(crate) struct Fetch;

impl Dialect for Responses {
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
        Ok(Some(op.into()))
    }

    fn answer(&self, asked: &Asked<'_>) -> Box<dyn Answer> {
        Box::new(answer::Response::new(asked, false))
    }
}

impl Dialect for Fetch {
    fn provider(&self) -> ProviderName {
        ProviderName::OpenAi
    }

    fn request_want(&self) -> &'static Want {
        &Want::Fields(&[])
    }

    fn has_content(&self) -> bool {
        false
    }

    fn request(&self, _document: &[u8], route: &Route) -> Result<Option<Call>, serde_json::Error> {
        // Where nobody looked at the path, the answer tells.
        let id = route.parameter("response").unwrap_or_default();
        let mut op = FetchResponse::new(route.provider.clone(), id);
        op.server = Some(route.server.clone());
        op.stream = route.parameter("stream").is_some_and(|stream| stream.eq_ignore_ascii_case("true"));
        op.stream_cursor = route.parameter("starting_after").map(str::to_owned);
        op.openai.api_type = Some(OpenAiApiType::Responses);
        keep_own(&op.provider, &mut op.openai);
        Ok(Some(op.into()))
    }

    fn answer(&self, asked: &Asked<'_>) -> Box<dyn Answer> {
        Box::new(answer::Response::new(asked, true))
    }
}
