//! A call of a model: `chat`, `generate_content`, `text_completion`.

use std::borrow::Cow;
use std::time::Duration;

use otel_genai_semconv::value::{GenAiSystem, OperationName, OutputType, ProviderName};

use super::fact::of;
use super::{
    Aws, Azure, ContentMut, Custom, Fact, Facts, Field, Kind, OpenAi, Operation, Server, fill, fill_custom,
    fill_list, operation,
};
use crate::message::{Message, Part, ToolDefinition};
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
    /// Azure's own metadata.
    pub azure: Azure,
    /// AWS Bedrock's own settings.
    pub aws: Aws,
    /// Further attributes.
    pub custom: Custom,
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
            azure: Azure::default(),
            aws: Aws::default(),
            custom: Custom::default(),
        }
    }
}

impl Inference {
    /// The conventions require a name; `chat` is what it is where nothing is said.
    fn operation_name(&self) -> Cow<'static, str> {
        let name = Cow::from(self.operation.clone());
        if name.is_empty() { OperationName::Chat.into() } else { name }
    }
}

operation!(Inference);

impl Facts for Inference {
    fn kind(&self) -> Kind {
        Kind::Inference
    }

    fn fact(&self, field: Field) -> Option<Fact<'_>> {
        match field {
            Field::OperationName => Some(Fact::Word(self.operation_name())),
            Field::ProviderName => Some(Fact::Word(self.provider.clone().into())),
            Field::System => Some(Fact::Word(system(&self.provider))),
            Field::ServerAddress => self.server.as_ref().map(|server| Fact::Text(&server.address)),
            Field::ServerPort => of::int(self.server.as_ref().and_then(|server| server.port).map(i64::from)),
            Field::ConversationId => of::text(&self.conversation_id),
            Field::AzureResourceProviderNamespace => of::text(&self.azure.resource_provider_namespace),
            Field::BedrockGuardrailId => of::text(&self.aws.guardrail_id),
            Field::BedrockKnowledgeBaseId => of::text(&self.aws.knowledge_base_id),
            _ if field.is_usage() => self.usage.fact(field),
            _ if field.is_response() => self.response.fact(field),
            _ => self.request.fact(field).or_else(|| self.openai.fact(field)),
        }
    }

    fn custom(&self) -> &Custom {
        &self.custom
    }
}

impl Operation for Inference {
    const CONVERSATION: bool = true;
    const LAYERED: bool = true;

    fn custom_mut(&mut self) -> &mut Custom {
        &mut self.custom
    }

    fn first_chunk(&mut self, after: Duration) {
        self.request.stream = true;
        self.response.time_to_first_chunk = Some(after);
    }

    fn content_mut(&mut self, change: &mut dyn FnMut(ContentMut<'_>)) {
        self.request.content_mut(change);
        self.response.content_mut(change);
    }

    fn fill(&mut self, inner: &Self) {
        fill_custom(&mut self.custom, &inner.custom);
        fill(&mut self.server, &inner.server);
        fill(&mut self.conversation_id, &inner.conversation_id);
        self.request.fill(&inner.request);
        self.response.fill(&inner.response);
        let known = std::mem::replace(&mut self.usage, inner.usage);
        self.usage.merge(known);
        let (openai, known) = (&mut self.openai, &inner.openai);
        fill(&mut openai.api_type, &known.api_type);
        fill(&mut openai.request_service_tier, &known.request_service_tier);
        fill(&mut openai.response_service_tier, &known.response_service_tier);
        fill(&mut openai.system_fingerprint, &known.system_fingerprint);
        fill(&mut openai.response_format, &known.response_format);
        fill(&mut self.azure.resource_provider_namespace, &inner.azure.resource_provider_namespace);
        fill(&mut self.aws.guardrail_id, &inner.aws.guardrail_id);
        fill(&mut self.aws.knowledge_base_id, &inner.aws.knowledge_base_id);
    }

    fn is_complete(&self) -> bool {
        let choices = self.request.choice_count.and_then(|count| usize::try_from(count).ok()).unwrap_or(1);
        self.response.finish_reasons.len() >= choices.max(1)
    }
}

/// The provider in the words of v1.30, which named some of them otherwise.
pub(super) fn system(provider: &ProviderName) -> Cow<'static, str> {
    match provider {
        ProviderName::XAi => GenAiSystem::XAi.into(),
        ProviderName::GcpGemini | ProviderName::GcpGenAi => GenAiSystem::Gemini.into(),
        ProviderName::GcpVertexAi => GenAiSystem::VertexAi.into(),
        ProviderName::AzureAiInference => GenAiSystem::AzAiInference.into(),
        ProviderName::AzureAiOpenAi => GenAiSystem::AzAiOpenAi.into(),
        other => other.clone().into(),
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

impl InferenceRequest {
    pub(super) fn fact(&self, field: Field) -> Option<Fact<'_>> {
        match field {
            Field::RequestModel => of::text(&self.model),
            Field::Stream => of::flag(self.stream),
            Field::Temperature => of::float(self.temperature),
            Field::TopP => of::float(self.top_p),
            Field::TopK => of::int(self.top_k),
            Field::TopKFloat => of::float(self.top_k.map(|top_k| top_k as f64)),
            Field::MaxTokens => of::int(self.max_tokens),
            Field::StopSequences => of::texts(&self.stop_sequences),
            Field::FrequencyPenalty => of::float(self.frequency_penalty),
            Field::PresencePenalty => of::float(self.presence_penalty),
            Field::Seed => of::int(self.seed),
            Field::ChoiceCount => of::int(self.choice_count),
            Field::OutputType => of::word(&self.output_type),
            Field::ReasoningLevel => of::text(&self.reasoning_level),
            Field::PreviousResponseId => of::text(&self.previous_response_id),
            Field::PromptName => self.prompt.as_ref().map(|prompt| Fact::Text(&prompt.name)),
            Field::PromptVersion => self.prompt.as_ref().and_then(|prompt| of::text(&prompt.version)),
            Field::PromptVariables => self.prompt.as_ref().map(|prompt| Fact::Variables(&prompt.variables)),
            Field::InputMessages => of::messages(&self.input_messages),
            Field::SystemInstructions => {
                (!self.system_instructions.is_empty()).then_some(Fact::Parts(&self.system_instructions))
            }
            Field::ToolDefinitions => (!self.tool_definitions.is_empty())
                .then_some(Fact::Tools(Cow::Borrowed(&self.tool_definitions))),
            Field::ToolDefinitionsBrief => (!self.tool_definitions.is_empty())
                .then(|| Fact::Tools(self.tool_definitions.iter().map(brief).collect())),
            _ => None,
        }
    }

    pub(super) fn content_mut(&mut self, change: &mut dyn FnMut(ContentMut<'_>)) {
        change(ContentMut::Messages(Field::InputMessages, &mut self.input_messages));
        change(ContentMut::Parts(Field::SystemInstructions, &mut self.system_instructions));
        change(ContentMut::Tools(Field::ToolDefinitions, &mut self.tool_definitions));
        for (name, value) in self.prompt.iter_mut().flat_map(|prompt| &mut prompt.variables) {
            change(ContentMut::Variable(name, value));
        }
    }

    pub(super) fn fill(&mut self, inner: &Self) {
        fill(&mut self.model, &inner.model);
        self.stream |= inner.stream;
        fill(&mut self.temperature, &inner.temperature);
        fill(&mut self.top_p, &inner.top_p);
        fill(&mut self.top_k, &inner.top_k);
        fill(&mut self.max_tokens, &inner.max_tokens);
        fill_list(&mut self.stop_sequences, &inner.stop_sequences);
        fill(&mut self.frequency_penalty, &inner.frequency_penalty);
        fill(&mut self.presence_penalty, &inner.presence_penalty);
        fill(&mut self.seed, &inner.seed);
        fill(&mut self.choice_count, &inner.choice_count);
        fill(&mut self.output_type, &inner.output_type);
        fill(&mut self.reasoning_level, &inner.reasoning_level);
        fill(&mut self.previous_response_id, &inner.previous_response_id);
        fill(&mut self.prompt, &inner.prompt);
        fill_list(&mut self.input_messages, &inner.input_messages);
        fill_list(&mut self.system_instructions, &inner.system_instructions);
        fill_list(&mut self.tool_definitions, &inner.tool_definitions);
    }
}

/// A function by type and name alone: its description and schema are large and may tell secrets.
fn brief(tool: &ToolDefinition) -> ToolDefinition {
    match tool.kind.as_str() {
        "function" => ToolDefinition::function(&tool.name),
        _ => tool.clone(),
    }
}

impl InferenceResponse {
    pub(super) fn fact(&self, field: Field) -> Option<Fact<'_>> {
        match field {
            Field::ResponseId => of::text(&self.id),
            Field::ResponseModel => of::text(&self.model),
            Field::FinishReasons => of::texts(&self.finish_reasons),
            Field::KnownFinishReasons => self.known_finish_reasons(),
            Field::DistinctFinishReasons => self.distinct_finish_reasons(),
            Field::TimeToFirstChunk => of::float(self.time_to_first_chunk.map(|time| time.as_secs_f64())),
            Field::TimeToFirstChunkNanos => of::int(
                self.time_to_first_chunk.map(|time| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)),
            ),
            Field::ConversationCompacted => of::flag(self.conversation_compacted),
            Field::OutputMessages => of::messages(&self.output_messages),
            _ => None,
        }
    }

    /// The reasons, or where none are given those of the messages.
    fn known_finish_reasons(&self) -> Option<Fact<'_>> {
        of::texts(&self.finish_reasons).or_else(|| {
            let of_messages = self.finish_reasons_of_messages();
            (!of_messages.is_empty()).then_some(Fact::Texts(Cow::Owned(of_messages)))
        })
    }

    fn finish_reasons_of_messages(&self) -> Vec<String> {
        let reasons = self.output_messages.iter().filter_map(|message| message.finish_reason.as_ref());
        reasons.map(ToString::to_string).filter(|reason| !reason.is_empty()).collect()
    }

    fn distinct_finish_reasons(&self) -> Option<Fact<'_>> {
        let mut reasons = self.finish_reasons.clone();
        if reasons.is_empty() {
            reasons = self.finish_reasons_of_messages();
        }
        reasons.sort();
        reasons.dedup();
        (!reasons.is_empty()).then_some(Fact::Texts(Cow::Owned(reasons)))
    }

    pub(super) fn content_mut(&mut self, change: &mut dyn FnMut(ContentMut<'_>)) {
        change(ContentMut::Messages(Field::OutputMessages, &mut self.output_messages));
    }

    pub(super) fn fill(&mut self, inner: &Self) {
        fill(&mut self.id, &inner.id);
        fill(&mut self.model, &inner.model);
        fill_list(&mut self.finish_reasons, &inner.finish_reasons);
        fill(&mut self.time_to_first_chunk, &inner.time_to_first_chunk);
        self.conversation_compacted |= inner.conversation_compacted;
        fill_list(&mut self.output_messages, &inner.output_messages);
    }
}
