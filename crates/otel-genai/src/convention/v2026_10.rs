//! `2026-10`: semantic-conventions-genai two months after `2026-08` (October 2026).
//!
//! Only what has changed stands here; the rest is [`v2026_08`]'s. What it lacks (rerank, entry, react step) is told
//! under LoongSuite's names. Its entity `gen_ai.main_agent` describes the process and not an operation: whoever knows
//! a stable id of the agent sets `gen_ai.main_agent.id`, `.name` and `.description` on the SDK's resource.

use std::borrow::Cow;

use opentelemetry::logs::Severity;
use opentelemetry::trace::SpanKind;
use otel_genai_semconv::attribute::*;
use otel_genai_semconv::metric::Metric;
use otel_genai_semconv::metric::definition::*;
use otel_genai_semconv::{event, schema_url};

use super::Told;
use super::describe::{
    Amount, Chunks, Convention, Description, Event, Measures, Name, Point, Row, Unless, content, count,
    duration, end, start,
};
use super::v2026_08::{
    self, CLIENT_METRIC, DURATION, FETCHED, GENERATION, IDENTITY, OPENAI_RESPONSE, SERVER, TOOL_CONTENT,
    TOOL_METRIC,
};
use crate::capture::Capture;
use crate::failure::Failure;
use crate::operation::{Field, Kind};

pub(super) static CONVENTION: Convention = Convention {
    schema_url: schema_url::V2026_10,
    capture_by_convention: Capture::SpanAndEvent,
    needs_opt_in: false,
    // The details event is "Recommended" and of severity DEBUG where it was "Opt-In" before: it is there by default,
    // with or without content, unless `OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT` is `false`.
    always_events: true,
    exception: Some(event::GEN_AI_CLIENT_OPERATION_EXCEPTION),
    evaluation: Some(event::GEN_AI_EVALUATION_RESULT),
    is_error,
    operations: &[
        (Kind::Inference, INFERENCE),
        (Kind::Embeddings, EMBEDDINGS),
        (Kind::Retrieval, v2026_08::RETRIEVAL),
        (Kind::FetchResponse, FETCH_RESPONSE),
        (Kind::Memory, v2026_08::MEMORY),
        (Kind::CreateAgent, v2026_08::CREATE_AGENT),
        (Kind::InvokeAgentClient, INVOKE_AGENT_CLIENT),
        (Kind::InvokeAgentInternal, INVOKE_AGENT_INTERNAL),
        (Kind::ExecuteTool, EXECUTE_TOOL),
        (Kind::InvokeWorkflow, INVOKE_WORKFLOW),
        (Kind::Plan, v2026_08::PLAN),
        (Kind::McpClient, v2026_08::MCP_CLIENT),
        (Kind::McpServer, v2026_08::MCP_SERVER),
        (Kind::McpClientSession, v2026_08::MCP_CLIENT_SESSION),
        (Kind::McpServerSession, v2026_08::MCP_SERVER_SESSION),
    ],
};

/// The codes by which an MCP server says that the caller made a mistake: parse error, invalid request, method not
/// found, invalid params, resource not found. To the client they are errors; the server has done what it should.
const CALLERS_FAULTS: [&str; 5] = ["-32700", "-32600", "-32601", "-32602", "-32002"];

fn is_error(told: &Told<'_>, failure: &Failure) -> bool {
    let is_callers_fault = |code: &str| CALLERS_FAULTS.contains(&code);
    let broke_off = matches!(&*failure.error_type, Failure::PANIC | Failure::CANCELLED);
    let code = told.word(Field::RpcResponseStatusCode).filter(|_| !broke_off);
    told.op.kind() != Kind::McpServer
        || !(is_callers_fault(&failure.error_type) || code.is_some_and(|code| is_callers_fault(&code)))
}

const TOKENS: &[Row] = &[
    end(GEN_AI_USAGE_INPUT_TOKENS, Field::InputTokens),
    end(GEN_AI_USAGE_OUTPUT_TOKENS, Field::OutputTokens),
];

/// How the tokens are made up, "when applicable": a provider that reports zero says that nothing was of that kind.
const BREAKDOWN: &[Row] = &[
    end(GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, Field::CacheReadInputTokens).unless(Unless::Zero),
    end(GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS, Field::CacheWriteInputTokens).unless(Unless::Zero),
    end(GEN_AI_USAGE_TEXT_INPUT_TOKENS, Field::TextInputTokens).unless(Unless::Zero),
    end(GEN_AI_USAGE_TEXT_OUTPUT_TOKENS, Field::TextOutputTokens).unless(Unless::Zero),
    end(GEN_AI_USAGE_TEXT_CACHE_READ_INPUT_TOKENS, Field::TextCacheReadInputTokens).unless(Unless::Zero),
    end(GEN_AI_USAGE_IMAGE_INPUT_TOKENS, Field::ImageInputTokens).unless(Unless::Zero),
    end(GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS, Field::ImageOutputTokens).unless(Unless::Zero),
    end(GEN_AI_USAGE_IMAGE_CACHE_READ_INPUT_TOKENS, Field::ImageCacheReadInputTokens).unless(Unless::Zero),
    end(GEN_AI_USAGE_AUDIO_INPUT_TOKENS, Field::AudioInputTokens).unless(Unless::Zero),
    end(GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS, Field::AudioOutputTokens).unless(Unless::Zero),
    end(GEN_AI_USAGE_AUDIO_CACHE_READ_INPUT_TOKENS, Field::AudioCacheReadInputTokens).unless(Unless::Zero),
];

/// What models and agents are asked, and answer. The messages' finish reasons are optional here, and deprecated.
const MESSAGES: &[Row] = &[
    content(GEN_AI_SYSTEM_INSTRUCTIONS, Field::SystemInstructions),
    content(GEN_AI_INPUT_MESSAGES, Field::InputMessages),
    content(GEN_AI_OUTPUT_MESSAGES, Field::OutputMessages),
    content(GEN_AI_TOOL_DEFINITIONS, Field::ToolDefinitions),
];

/// Span *Inference* (`gen_ai.client.inference`), with the refinements of OpenAI, Azure AI Inference and AWS Bedrock.
const INFERENCE: Description = Description {
    operation: None,
    name: Name::Keyed(Field::OperationName, &[Field::RequestModel]),
    kind: SpanKind::Client,
    span: &[
        IDENTITY,
        SERVER,
        &[
            end(GEN_AI_CONVERSATION_ID, Field::ConversationId),
            end(GEN_AI_PROMPT_NAME, Field::PromptName),
            end(GEN_AI_PROMPT_VERSION, Field::PromptVersion),
            // Unset means non-streaming; never false.
            end(GEN_AI_REQUEST_STREAM, Field::Stream),
            end(GEN_AI_REQUEST_TOP_K, Field::TopK),
            end(GEN_AI_REQUEST_PREVIOUS_RESPONSE_ID, Field::PreviousResponseId),
            end(GEN_AI_REQUEST_REASONING_LEVEL, Field::ReasoningLevel),
        ],
        GENERATION,
        &[
            // Set true only, never false.
            end(GEN_AI_CONVERSATION_COMPACTED, Field::ConversationCompacted),
            end(GEN_AI_RESPONSE_FINISH_REASONS, Field::ExpectedFinishReasons),
            end(GEN_AI_RESPONSE_ID, Field::ResponseId),
            end(GEN_AI_RESPONSE_MODEL, Field::ResponseModel),
            end(GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK, Field::TimeToFirstChunk),
        ],
        TOKENS,
        BREAKDOWN,
        &[
            end(GEN_AI_USAGE_REASONING_OUTPUT_TOKENS, Field::ReasoningOutputTokens).unless(Unless::Zero),
            end(OPENAI_API_TYPE, Field::OpenAiApiType),
            // "If the request includes a service_tier and the value is not 'auto'."
            end(OPENAI_REQUEST_SERVICE_TIER, Field::OpenAiRequestServiceTier).unless(Unless::Auto),
            end(AZURE_RESOURCE_PROVIDER_NAMESPACE, Field::AzureResourceProviderNamespace),
            end(AWS_BEDROCK_GUARDRAIL_ID, Field::BedrockGuardrailId),
            end(AWS_BEDROCK_KNOWLEDGE_BASE_ID, Field::BedrockKnowledgeBaseId),
        ],
        OPENAI_RESPONSE,
        MESSAGES,
        &[content(GEN_AI_PROMPT_VARIABLE, Field::PromptVariables)],
    ],
    event: Event::Details {
        name: event::GEN_AI_CLIENT_INFERENCE_OPERATION_DETAILS,
        severity: Some(Severity::Debug),
        rows: None,
        custom: true,
    },
    measures: &[Measures { attributes: CLIENT_METRIC, points: INFERENCE_POINTS }],
    chunks: Some(Chunks {
        first: &GEN_AI_CLIENT_INFERENCE_TIME_TO_FIRST_CHUNK,
        following: &GEN_AI_CLIENT_INFERENCE_TIME_PER_OUTPUT_CHUNK,
        attributes: &[IDENTITY, SERVER, &[end(GEN_AI_RESPONSE_MODEL, Field::ResponseModel)]],
    }),
};

/// Counters for totals, by modality; histograms for percentiles, without.
const INFERENCE_POINTS: &[Point] = &[
    tokens(&GEN_AI_CLIENT_INFERENCE_USAGE_INPUT_TOKENS, "text", |told| INPUT.text(told)),
    tokens(&GEN_AI_CLIENT_INFERENCE_USAGE_INPUT_TOKENS, "image", |told| INPUT.image(told)),
    tokens(&GEN_AI_CLIENT_INFERENCE_USAGE_INPUT_TOKENS, "audio", |told| INPUT.audio(told)),
    tokens(&GEN_AI_CLIENT_INFERENCE_USAGE_INPUT_TOKENS, UNKNOWN, |told| INPUT.rest(told)),
    tokens(&GEN_AI_CLIENT_INFERENCE_USAGE_OUTPUT_TOKENS, "text", |told| OUTPUT.text(told)),
    tokens(&GEN_AI_CLIENT_INFERENCE_USAGE_OUTPUT_TOKENS, "image", |told| OUTPUT.image(told)),
    tokens(&GEN_AI_CLIENT_INFERENCE_USAGE_OUTPUT_TOKENS, "audio", |told| OUTPUT.audio(told)),
    tokens(&GEN_AI_CLIENT_INFERENCE_USAGE_OUTPUT_TOKENS, UNKNOWN, |told| OUTPUT.rest(told)),
    tokens(&GEN_AI_CLIENT_INFERENCE_USAGE_CACHE_READ_INPUT_TOKENS, "text", |told| CACHE_READ.text(told)),
    tokens(&GEN_AI_CLIENT_INFERENCE_USAGE_CACHE_READ_INPUT_TOKENS, "image", |told| CACHE_READ.image(told)),
    tokens(&GEN_AI_CLIENT_INFERENCE_USAGE_CACHE_READ_INPUT_TOKENS, "audio", |told| CACHE_READ.audio(told)),
    tokens(&GEN_AI_CLIENT_INFERENCE_USAGE_CACHE_READ_INPUT_TOKENS, UNKNOWN, |told| CACHE_READ.rest(told)),
    tokens(&GEN_AI_CLIENT_INFERENCE_USAGE_CACHE_WRITE_INPUT_TOKENS, UNKNOWN, |told| {
        used(told, Field::CacheWriteInputTokens)
    }),
    tokens(&GEN_AI_CLIENT_INFERENCE_USAGE_REASONING_OUTPUT_TOKENS, UNKNOWN, |told| {
        used(told, Field::ReasoningOutputTokens)
    }),
    count(&GEN_AI_CLIENT_INFERENCE_OPERATION_INPUT_TOKENS, Field::InputTokens, None),
    count(&GEN_AI_CLIENT_INFERENCE_OPERATION_OUTPUT_TOKENS, Field::OutputTokens, None),
    duration(&GEN_AI_CLIENT_INFERENCE_DURATION),
];

/// The modality of tokens that no one has split.
const UNKNOWN: &str = "unknown";

/// A counter of tokens of one modality.
const fn tokens(
    metric: &'static Metric,
    modality: &'static str,
    count: fn(&Told<'_>) -> Option<u64>,
) -> Point {
    Point {
        metric,
        amount: Amount::Custom(count),
        own: Some((GEN_AI_TOKEN_MODALITY, modality)),
        error: false,
    }
}

/// A count to add; a counter need not hear of zero.
fn used(told: &Told<'_>, field: Field) -> Option<u64> {
    told.count(field).filter(|count| *count > 0)
}

/// Tokens and how they split into modalities. Every token is counted once: those that no modality claims are unknown,
/// and modalities that claim more tokens than there are do not count.
struct Split {
    all: Field,
    text: Field,
    image: Field,
    audio: Field,
}

const INPUT: Split = Split {
    all: Field::InputTokens,
    text: Field::TextInputTokens,
    image: Field::ImageInputTokens,
    audio: Field::AudioInputTokens,
};

const OUTPUT: Split = Split {
    all: Field::OutputTokens,
    text: Field::TextOutputTokens,
    image: Field::ImageOutputTokens,
    audio: Field::AudioOutputTokens,
};

const CACHE_READ: Split = Split {
    all: Field::CacheReadInputTokens,
    text: Field::TextCacheReadInputTokens,
    image: Field::ImageCacheReadInputTokens,
    audio: Field::AudioCacheReadInputTokens,
};

impl Split {
    fn text(&self, told: &Told<'_>) -> Option<u64> {
        self.part(told, self.text)
    }

    fn image(&self, told: &Told<'_>) -> Option<u64> {
        self.part(told, self.image)
    }

    fn audio(&self, told: &Told<'_>) -> Option<u64> {
        self.part(told, self.audio)
    }

    fn rest(&self, told: &Told<'_>) -> Option<u64> {
        let all = told.count(self.all)?;
        Some(all.checked_sub(self.claimed(told)).unwrap_or(all)).filter(|rest| *rest > 0)
    }

    fn part(&self, told: &Told<'_>, field: Field) -> Option<u64> {
        used(told, field).filter(|_| told.count(self.all).is_none_or(|all| self.claimed(told) <= all))
    }

    fn claimed(&self, told: &Told<'_>) -> u64 {
        let parts = [self.text, self.image, self.audio];
        parts.into_iter().filter_map(|part| told.count(part)).fold(0, u64::saturating_add)
    }
}

/// Span *Embeddings* (`gen_ai.embeddings.client`). No metric tells their tokens yet.
const EMBEDDINGS: Description = Description {
    measures: &[Measures { attributes: CLIENT_METRIC, points: &[DURATION] }],
    ..v2026_08::EMBEDDINGS
};

/// Span *Fetch response* (`gen_ai.fetch_response.client`). It uses no tokens, so there is no usage.
const FETCH_RESPONSE: Description = Description {
    span: &[
        IDENTITY,
        SERVER,
        FETCHED,
        OPENAI_RESPONSE,
        &[
            content(GEN_AI_SYSTEM_INSTRUCTIONS, Field::SystemInstructions),
            content(GEN_AI_OUTPUT_MESSAGES, Field::OutputMessages),
            content(GEN_AI_TOOL_DEFINITIONS, Field::ToolDefinitions),
        ],
    ],
    ..v2026_08::FETCH_RESPONSE
};

/// What both spans of an agent's invocation have.
const AGENT: &[Row] = &[
    start(GEN_AI_AGENT_NAME, Field::AgentName),
    end(GEN_AI_AGENT_DESCRIPTION, Field::AgentDescription),
    end(GEN_AI_CONVERSATION_ID, Field::ConversationId),
    end(GEN_AI_DATA_SOURCE_ID, Field::DataSourceId),
    end(GEN_AI_RESPONSE_FINISH_REASONS, Field::ExpectedFinishReasons),
];

/// Span *Invoke agent* of a service (`gen_ai.invoke_agent.client`). The token metrics are those of inference, and
/// where the service asks its models is not known here, so there are none.
const INVOKE_AGENT_CLIENT: Description = Description {
    span: &[
        IDENTITY,
        SERVER,
        AGENT,
        &[
            end(GEN_AI_AGENT_ID, Field::AgentId),
            end(GEN_AI_AGENT_VERSION, Field::AgentVersion),
            end(GEN_AI_REQUEST_PREVIOUS_RESPONSE_ID, Field::PreviousResponseId),
        ],
        GENERATION,
        TOKENS,
        BREAKDOWN,
        MESSAGES,
    ],
    measures: &[Measures { attributes: CLIENT_METRIC, points: &[DURATION] }],
    ..v2026_08::INVOKE_AGENT_CLIENT
};

/// Span *Invoke agent* in this process (`gen_ai.invoke_agent.internal`). What its tokens are made up of is told by
/// the model calls within.
const INVOKE_AGENT_INTERNAL: Description = Description {
    span: &[
        &[
            start(GEN_AI_OPERATION_NAME, Field::OperationName),
            start(GEN_AI_REQUEST_MODEL, Field::RequestModel),
        ],
        AGENT,
        GENERATION,
        TOKENS,
        MESSAGES,
    ],
    ..v2026_08::INVOKE_AGENT_INTERNAL
};

/// Span *Execute tool* (`gen_ai.execute_tool.internal`), with the refinements for Agent Skills and commands.
const EXECUTE_TOOL: Description = Description {
    name: Name::Custom(tool_span_name),
    span: &[
        &[start(GEN_AI_OPERATION_NAME, Field::OperationName)],
        TOOL_METRIC,
        &[
            // The span's name is made of these.
            start(GEN_AI_SKILL_NAME, Field::SkillName),
            start(GEN_AI_SKILL_RESOURCE_NAME, Field::SkillResourceName),
            start(PROCESS_EXECUTABLE_NAME, Field::ProcessExecutableName),
            end(GEN_AI_SKILL_DESCRIPTION, Field::SkillDescription),
            end(GEN_AI_SKILL_SOURCE_URI, Field::SkillSourceUri),
            end(PROCESS_EXECUTABLE_PATH, Field::ProcessExecutablePath),
            end(PROCESS_EXIT_CODE, Field::ProcessExitCode),
            end(GEN_AI_CONVERSATION_ID, Field::ConversationId),
            end(GEN_AI_TOOL_CALL_ID, Field::ToolCallId),
            end(GEN_AI_TOOL_DESCRIPTION, Field::ToolDescription),
        ],
        TOOL_CONTENT,
    ],
    ..v2026_08::EXECUTE_TOOL
};

/// Span *Invoke workflow* (`gen_ai.invoke_workflow.internal`).
const INVOKE_WORKFLOW: Description = Description {
    span: &[&[
        start(GEN_AI_OPERATION_NAME, Field::OperationName),
        start(GEN_AI_WORKFLOW_NAME, Field::WorkflowName),
        end(GEN_AI_CONVERSATION_ID, Field::ConversationId),
        content(GEN_AI_INPUT_MESSAGES, Field::InputMessages),
        content(GEN_AI_OUTPUT_MESSAGES, Field::OutputMessages),
    ]],
    measures: &[Measures {
        attributes: &[&[start(GEN_AI_WORKFLOW_NAME, Field::WorkflowName)]],
        points: &[duration(&GEN_AI_INVOKE_WORKFLOW_DURATION)],
    }],
    ..v2026_08::INVOKE_WORKFLOW
};

/// A skill's resource says more than the skill, and than the program that runs it.
fn tool_span_name(told: &Told<'_>) -> Cow<'static, str> {
    let fields = [Field::ProcessExecutableName, Field::ProcessExecutablePath, Field::ProcessExitCode];
    let is_command = fields.into_iter().any(|field| told.fact(field).is_some());
    let (skill, resource) = (told.word(Field::SkillName), told.word(Field::SkillResourceName));
    let further = match (skill, resource) {
        (skill, Some(resource)) => [skill, Some(resource)],
        _ if is_command => [told.word(Field::ProcessExecutableName), None],
        (skill, None) => [skill, None],
    };
    let mut name = told.word(Field::OperationName).unwrap_or_default().into_owned();
    for word in told.word(Field::ToolName).into_iter().chain(further.into_iter().flatten()) {
        name.push(' ');
        name.push_str(&word);
    }
    name.into()
}
