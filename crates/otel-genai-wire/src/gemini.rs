//! Google's protocols, as the Gemini API and Vertex AI speak them. They differ in their paths; Vertex AI has an older
//! way to embed texts beside.

mod answer;
mod candidates;
mod embeddings;
mod error;
mod interactions;
mod partial;
mod parts;
mod request;
mod usage;
mod words;

pub(crate) use embeddings::EmbedContent;
pub(crate) use interactions::Interactions;

use http::HeaderMap;
use otel_genai::{Failure, Inference, OperationName, ProviderName};

use crate::call::Call;
use crate::detect::Route;
use crate::framing::{Framing, Media};
use crate::protocol::{Answer, Asked, Dialect};
use crate::scan::Want;

/// `generateContent` and `streamGenerateContent`.
#[derive(Debug)]
pub(crate) struct GenerateContent;

impl Dialect for GenerateContent {
    fn provider(&self) -> ProviderName {
        ProviderName::GcpGenAi
    }

    fn request_want(&self) -> &'static Want {
        &request::WANT
    }

    fn request(&self, document: &[u8], route: &Route) -> Result<Option<Call>, serde_json::Error> {
        let mut op = Inference::new(OperationName::GenerateContent, route.provider.clone());
        op.server = Some(route.server.clone());
        request::read(document, &mut op)?;
        op.request.model = model(route).or_else(|| op.request.model.as_deref().map(without_folder));
        op.request.stream |= route.is_stream;
        Ok(Some(op.into()))
    }

    fn answer(&self, asked: &Asked<'_>) -> Box<dyn Answer> {
        Box::new(answer::Content::new(asked))
    }

    fn framing(&self, media: Media, asked: &Asked<'_>) -> Framing {
        match media {
            // Without `alt=sse`, a stream is one list that comes piece by piece.
            Media::Json if asked.request.is_stream() => Framing::Items,
            media => Framing::usual(media, asked.request.is_stream()),
        }
    }

    fn error(&self, status: u16, _headers: &HeaderMap, body: &[u8]) -> Failure {
        error::of_body(status, body)
    }
}

/// The model that a path names. One of the Gemini API's or of a publisher goes by its name alone, as people write it.
fn model(route: &Route) -> Option<String> {
    if let Some(model) = route.parameter("model") {
        return Some(without_folder(model));
    }
    if let Some(model) = route.parameter("tuned_model") {
        return Some(format!("tunedModels/{model}"));
    }
    let endpoint = route.parameter("endpoint")?;
    match (route.parameter("project"), route.parameter("location")) {
        (Some(project), Some(location)) => {
            Some(format!("projects/{project}/locations/{location}/endpoints/{endpoint}"))
        }
        _ => Some(format!("endpoints/{endpoint}")),
    }
}

/// `models/gemini-2.5-pro` is the same as `gemini-2.5-pro`.
fn without_folder(model: &str) -> String {
    let name = model.strip_prefix("publishers/google/").unwrap_or(model);
    name.strip_prefix("models/").unwrap_or(name).to_owned()
}
