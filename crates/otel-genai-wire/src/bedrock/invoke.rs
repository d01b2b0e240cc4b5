//! InvokeModel: the bodies are those of the model's vendor, and nothing says whose. What is in them tells.

mod answer;
mod completion;
mod plain;

use otel_genai::{Failure, Inference, OperationName, ProviderName};

use super::{failure, model, request, started};
use crate::call::Call;
use crate::cohere;
use crate::detect::Route;
use crate::json::{self, Given, Raw, object};
use crate::openai::ChatCompletions;
use crate::protocol::{Answer, Asked, Dialect};
use crate::scan::Want;
use crate::{anthropic, bedrock};

/// InvokeModel and InvokeModelWithResponseStream.
#[derive(Debug)]
pub(crate) struct Invoke;

object! {
    /// Whose a request is.
    struct Shape<'a> {
        "anthropic_version" => anthropic_version: Given<Raw<'a>>,
        "messages" => messages: Given<Raw<'a>>,
        "inferenceConfig" => inference_config: Given<Raw<'a>>,
        "schemaVersion" => schema_version: Given<Raw<'a>>,
        "toolConfig" => tool_config: Given<Raw<'a>>,
        "message" => message: Given<Raw<'a>>,
        "prompt" => prompt: Given<Raw<'a>>,
        "inputText" => input_text: Given<Raw<'a>>,
        "inputImage" => input_image: Given<Raw<'a>>,
        "textGenerationConfig" => text_config: Given<Raw<'a>>,
        "singleEmbeddingParams" => single_embedding: Given<Raw<'a>>,
        "texts" | "inputs" => texts: Given<Raw<'a>>,
        "images" => images: Given<Raw<'a>>,
        "query" => query: Given<Raw<'a>>,
        "documents" => documents: Given<Raw<'a>>,
        "dimensions" | "output_dimension" => dimensions: Option<i64>,
        "embeddingTypes" | "embedding_types" => types: Vec<Option<std::borrow::Cow<'a, str>>>,
        "taskType" => task: Given<Raw<'a>>,
    }
}

/// Of everything that may be content it is wanted that it is there.
const THERE: Want = Want::Fields(&[]);

/// What is picked out of a request whose content is not wanted, or that is too long: what is wanted of all the
/// protocols.
static REQUEST: Want = Want::Fields(&[
    ("anthropic_version", Want::Keep(256)),
    ("messages", THERE),
    ("message", THERE),
    ("prompt", THERE),
    ("inputText", THERE),
    ("inputImage", THERE),
    ("texts", THERE),
    ("inputs", THERE),
    ("images", THERE),
    ("query", THERE),
    ("documents", Want::Length),
    ("singleEmbeddingParams", THERE),
    ("taskType", Want::Keep(256)),
    ("schemaVersion", Want::Keep(256)),
    ("toolConfig", THERE),
    // Nova
    ("inferenceConfig", request::CONFIG),
    ("additionalModelRequestFields", request::MORE),
    // Titan
    ("textGenerationConfig", Want::Keep(16 << 10)),
    // Embeddings
    ("dimensions", Want::Keep(64)),
    ("output_dimension", Want::Keep(64)),
    ("embeddingTypes", Want::Keep(1024)),
    ("embedding_types", Want::Keep(1024)),
    // Rerank
    ("top_n", Want::Keep(64)),
    ("return_documents", Want::Keep(16)),
    ("max_tokens_per_doc", Want::Keep(64)),
    // All others
    ("model", Want::Keep(1024)),
    ("stream", Want::Keep(16)),
    ("temperature", Want::Keep(64)),
    ("top_p", Want::Keep(64)),
    ("p", Want::Keep(64)),
    ("topP", Want::Keep(64)),
    ("top_k", Want::Keep(64)),
    ("k", Want::Keep(64)),
    ("max_tokens", Want::Keep(64)),
    ("max_tokens_to_sample", Want::Keep(64)),
    ("max_completion_tokens", Want::Keep(64)),
    ("max_gen_len", Want::Keep(64)),
    ("maxTokens", Want::Keep(64)),
    ("stop", Want::Keep(16 << 10)),
    ("stop_sequences", Want::Keep(16 << 10)),
    ("stopSequences", Want::Keep(16 << 10)),
    ("frequency_penalty", Want::Keep(64)),
    ("presence_penalty", Want::Keep(64)),
    ("seed", Want::Keep(64)),
    ("n", Want::Keep(64)),
    ("num_generations", Want::Keep(64)),
    ("numResults", Want::Keep(64)),
    ("conversation_id", Want::Keep(1024)),
    ("response_format", Want::Fields(&[("type", Want::Keep(256))])),
    ("reasoning_effort", Want::Keep(256)),
    (
        "output_config",
        Want::Fields(&[("effort", Want::Keep(256)), ("format", Want::Fields(&[("type", Want::Keep(256))]))]),
    ),
    ("output_format", Want::Fields(&[("type", Want::Keep(256))])),
]);

impl Dialect for Invoke {
    fn provider(&self) -> ProviderName {
        ProviderName::AwsBedrock
    }

    fn request_want(&self) -> &'static Want {
        &REQUEST
    }

    fn request(&self, document: &[u8], route: &Route) -> Result<Option<Call>, serde_json::Error> {
        let Some(id) = model(route) else { return Ok(None) };
        let name = id.as_deref().unwrap_or_default();
        let shape: Shape<'_> = json::read(document)?;
        let call = if shape.is_embeddings(name) {
            Some(shape.embeddings(route).into())
        } else if shape.query.is_given && shape.documents.is_given {
            cohere::Rerank.request(document, route)?
        } else if shape.messages.is_given {
            if shape.anthropic_version.is_given || name.contains("anthropic") || name.contains("claude") {
                anthropic::Messages.request(document, route)?
            } else if shape.is_nova(name) {
                let Some(mut op) = started(OperationName::Chat, route) else { return Ok(None) };
                request::read(document, &mut op)?;
                Some(op.into())
            } else {
                ChatCompletions.request(document, route)?
            }
        } else if shape.message.is_given {
            cohere::ChatV1.request(document, route)?
        } else if shape.prompt.is_given || shape.input_text.is_given {
            let Some(mut op) = started(OperationName::TextCompletion, route) else { return Ok(None) };
            plain::read(document, &mut op)?;
            Some(op.into())
        } else {
            // Images, say, which have no operation; but only texts are streamed.
            started(OperationName::Chat, route).filter(|_| route.is_stream).map(Call::from)
        };
        Ok(call.map(|call| named(call, id, route)))
    }

    fn answer(&self, asked: &Asked<'_>) -> Box<dyn Answer> {
        match asked.request {
            Call::Embeddings(_) => Box::<cohere::embed::Told>::default(),
            Call::Rerank(_) => cohere::Rerank.answer(asked),
            _ => Box::new(answer::Invoked::new(asked)),
        }
    }

    fn error(&self, status: u16, headers: &http::HeaderMap, body: &[u8]) -> Failure {
        failure(status, headers, body)
    }
}

/// The same call with what the path and the headers say.
fn named(mut call: Call, model: Option<String>, route: &Route) -> Call {
    match &mut call {
        Call::Inference(op) => {
            let Inference { request, aws, .. } = &mut **op;
            request.model = model.or(request.model.take());
            request.stream |= route.is_stream;
            let guardrail = route.parameter(bedrock::GUARDRAIL).map(str::to_owned);
            aws.guardrail_id = aws.guardrail_id.take().or(guardrail);
        }
        Call::Embeddings(op) => op.model = model.or(op.model.take()),
        Call::Rerank(op) => op.model = model.or(op.model.take()),
        _ => {}
    }
    call
}

impl Shape<'_> {
    fn is_nova(&self, model: &str) -> bool {
        model.contains("nova")
            || self.inference_config.is_given
            || self.schema_version.is_given
            || self.tool_config.is_given
    }

    fn is_embeddings(&self, model: &str) -> bool {
        if self.messages.is_given || self.text_config.is_given || self.prompt.is_given {
            return false;
        }
        let is_titan = self.input_image.is_given
            || self.input_text.is_given
                && (model.contains("embed") || self.dimensions.is_some() || !self.types.is_empty());
        let is_cohere = self.texts.is_given || self.images.is_given && model.contains("embed");
        is_titan || is_cohere || self.single_embedding.is_given
    }

    fn embeddings(self, route: &Route) -> otel_genai::Embeddings {
        let mut op = otel_genai::Embeddings::new(route.provider.clone());
        op.server = Some(route.server.clone());
        op.dimension_count = self.dimensions;
        op.encoding_formats = self.types.into_iter().flatten().map(std::borrow::Cow::into_owned).collect();
        op
    }
}
