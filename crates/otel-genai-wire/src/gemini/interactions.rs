//! Google's interactions: models and agents whose conversations the provider keeps. They are created (streamed or not)
//! and fetched later on.

mod answer;
mod request;
mod steps;

use http::HeaderMap;
use otel_genai::{Failure, FetchResponse, ProviderName};

use super::error;
use crate::call::Call;
use crate::detect::Route;
use crate::protocol::{Answer, Asked, Dialect};
use crate::scan::Want;

/// `interactions`, created and fetched.
#[derive(Debug)]
pub(crate) struct Interactions;

impl Dialect for Interactions {
    fn provider(&self) -> ProviderName {
        ProviderName::GcpGenAi
    }

    fn request_want(&self) -> &'static Want {
        &request::WANT
    }

    fn request(&self, document: &[u8], route: &Route) -> Result<Option<Call>, serde_json::Error> {
        let Some(id) = route.parameter("interaction") else {
            return request::read(document, route).map(Some);
        };
        let mut op = FetchResponse::new(route.provider.clone(), id);
        op.server = Some(route.server.clone());
        op.stream = route.parameter("stream") == Some("true");
        op.stream_cursor = route.parameter("last_event_id").map(str::to_owned);
        Ok(Some(op.into()))
    }

    fn answer(&self, asked: &Asked<'_>) -> Box<dyn Answer> {
        Box::new(answer::Interaction::new(asked.options))
    }

    fn error(&self, status: u16, _headers: &HeaderMap, body: &[u8]) -> Failure {
        error::of_body(status, body)
    }
}
