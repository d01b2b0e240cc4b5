//! A call of a model: `chat`, `generate_content`, `text_completion`.

use std::time::Duration;

use opentelemetry::KeyValue;
use otel_genai_semconv::value::{OpenAiApiType, OperationName, OutputType, ProviderName};

use crate::convention::{Convention, Describe};
use crate::message::{Message, Part, ToolDefinition};
use crate::operation::{Operation, Server};
use crate::usage::Usage;

/// A call of a model (conventions, *Inference*).
///
/// `operation`, `provider`, `server` and `request.model` are given to samplers when the call starts; everything else
/// may be filled in until it ends.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Inference {
    /// `chat`, `generate_content` or `text_completion`.
    pub operation: OperationName,
    /// Who answers.
    pub provider: ProviderName,
    /// Where the provider listens.
    pub server: Option<Server>,
    /// The provider's or application's real id of the conversation; never one made up for telemetry.
    pub conversation_id: Option<String>,
    /// What is asked.
    pub request: InferenceRequest,
    /// What is answered.
    pub response: InferenceResponse,
    /// Tokens used.
    pub usage: Usage,
    /// OpenAI's own settings and metadata.
    pub openai: OpenAi,
    /// Further attributes of the span and the event. They win over the conventions' own, `error.type` apart.
    pub attributes: Vec<KeyValue>,
    /// Further attributes of the metrics. Keep their cardinality low.
    pub metric_attributes: Vec<KeyValue>,
}

impl Inference {
    /// A call about which nothing is known yet but who is asked for what.
    pub fn new(operation: impl Into<OperationName>, provider: impl Into<ProviderName>) -> Self {
        Inference {
            operation: operation.into(),
            provider: provider.into(),
            server: None,
            conversation_id: None,
            request: InferenceRequest::default(),
            response: InferenceResponse::default(),
            usage: Usage::default(),
            openai: OpenAi::default(),
            attributes: Vec::new(),
            metric_attributes: Vec::new(),
        }
    }
}

impl Operation for Inference {
    fn describe(convention: &dyn Convention) -> &dyn Describe<Self> {
        convention
    }

    fn first_chunk(&mut self, after: Duration) {
        self.response.time_to_first_chunk = Some(after);
    }
}

/// What is asked of the model.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct InferenceRequest {
    /// The model, exactly as requested.
    pub model: Option<String>,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// Sampling temperature.
    pub temperature: Option<f64>,
    /// Nucleus sampling.
    pub top_p: Option<f64>,
    /// Top-k sampling; never OpenAI's `top_logprobs`.
    pub top_k: Option<i64>,
    /// Upper bound of generated tokens.
    pub max_tokens: Option<i64>,
    /// Texts at which the model stops.
    pub stop_sequences: Vec<String>,
    /// Frequency penalty.
    pub frequency_penalty: Option<f64>,
    /// Presence penalty.
    pub presence_penalty: Option<f64>,
    /// Seed for repeatable answers.
    pub seed: Option<i64>,
    /// How many candidates are asked for.
    pub choice_count: Option<i64>,
    /// The modality or shape asked for.
    pub output_type: Option<OutputType>,
    /// The reasoning effort, exactly as sent.
    pub reasoning_level: Option<String>,
    /// The stored response that this call continues.
    pub previous_response_id: Option<String>,
    /// The prompt template in use.
    pub prompt: Option<Prompt>,
    /// Content: the chat history, in the order sent.
    pub input_messages: Vec<Message>,
    /// Content: instructions, where the API takes them apart from the history.
    pub system_instructions: Vec<Part>,
    /// Content: the tools offered.
    pub tool_definitions: Vec<ToolDefinition>,
}

/// A named prompt template.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Prompt {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
    /// Content: the values of its variables.
    pub variables: Vec<(String, String)>,
}

impl Prompt {
    /// A prompt template of this name.
    pub fn new(name: impl Into<String>) -> Self {
        Prompt { name: name.into(), version: None, variables: Vec::new() }
    }
}

/// What the model answered.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct InferenceResponse {
    /// The provider's id of the answer.
    pub id: Option<String>,
    /// The model that answered, exactly as the provider names it.
    pub model: Option<String>,
    /// Why the model stopped, one entry a choice, in the provider's words and order.
    pub finish_reasons: Vec<String>,
    /// From the request's start to the first chunk; streams only. Set by [`Active::chunk`](crate::Active::chunk).
    pub time_to_first_chunk: Option<Duration>,
    /// Whether the provider worked on a compacted view of the conversation.
    pub conversation_compacted: bool,
    /// Content: one message a choice.
    pub output_messages: Vec<Message>,
}

/// OpenAI's own settings and metadata (conventions, *OpenAI*).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct OpenAi {
    /// Which of OpenAI's APIs was called.
    pub api_type: Option<OpenAiApiType>,
    /// The service tier asked for.
    pub request_service_tier: Option<String>,
    /// The service tier that served.
    pub response_service_tier: Option<String>,
    /// The backend's fingerprint.
    pub system_fingerprint: Option<String>,
}
