//! OpenAI's protocols, as OpenAI speaks them and as the compatible servers do.

mod assistants;
mod chat;
mod completions;
mod embeddings;
mod images;
mod realtime;
mod responses;
mod speech;
mod transcriptions;
mod usage;

pub(crate) use assistants::{Assistants, Runs};
pub(crate) use chat::ChatCompletions;
pub(crate) use completions::Completions;
pub(crate) use embeddings::Embeddings;
pub(crate) use images::Images;
pub(crate) use realtime::Realtime;
pub(crate) use responses::{Fetch, Responses};
pub(crate) use speech::Speech;
pub(crate) use transcriptions::Transcriptions;

use otel_genai::{Inference, OpenAi, OperationName, ProviderName};

use crate::detect::Route;

/// Leaves out what others say in OpenAI's fields: the conventions expect OpenAI's attributes of OpenAI alone, whether its
/// own or Azure's.
fn keep_own(provider: &ProviderName, openai: &mut OpenAi) {
    if !is_openai(provider) {
        *openai = OpenAi::default();
    }
}

/// Something other than a chat is asked for: of the model that the body names, else the path.
fn generation(route: &Route, model: Option<String>) -> Inference {
    let mut op = Inference::new(OperationName::GenerateContent, route.provider.clone());
    op.server = Some(route.server.clone());
    op.request.model = model.or_else(|| route.parameter("model").map(str::to_owned));
    op
}

fn is_openai(provider: &ProviderName) -> bool {
    matches!(provider, ProviderName::OpenAi | ProviderName::AzureAiOpenAi)
}
