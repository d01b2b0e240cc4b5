//! `2026-08`: semantic-conventions-genai as the official conformance suite pins it (August 2026).
//!
//! What it lacks (rerank, entry, react step) is told under LoongSuite's names.

use opentelemetry::trace::SpanKind;
use otel_genai_semconv::attribute::*;
use otel_genai_semconv::metric::definition::*;
use otel_genai_semconv::{event, schema_url};

use super::describe::{
    Amount, Chunks, Convention, Description, Event, Measures, Name, Point, Row, Unless, any_failure, content,
    count, duration, end, start,
};
use crate::capture::Capture;
use crate::operation::{Field, Kind};

pub(super) static CONVENTION: Convention = Convention {
    schema_url: schema_url::V2026_08,
    capture_by_convention: Capture::SpanAndEvent,
    needs_opt_in: false,
    always_events: false,
    exception: Some(event::GEN_AI_CLIENT_OPERATION_EXCEPTION),
    evaluation: Some(event::GEN_AI_EVALUATION_RESULT),
    is_error: any_failure,
    operations: &[
        (Kind::Inference, INFERENCE),
        (Kind::Embeddings, EMBEDDINGS),
        (Kind::Retrieval, RETRIEVAL),
        (Kind::FetchResponse, FETCH_RESPONSE),
        (Kind::Memory, MEMORY),
        (Kind::CreateAgent, CREATE_AGENT),
        (Kind::InvokeAgentClient, INVOKE_AGENT_CLIENT),
        (Kind::InvokeAgentInternal, INVOKE_AGENT_INTERNAL),
        (Kind::ExecuteTool, EXECUTE_TOOL),
        (Kind::InvokeWorkflow, INVOKE_WORKFLOW),
        (Kind::Plan, PLAN),
        (Kind::McpClient, MCP_CLIENT),
        (Kind::McpServer, MCP_SERVER),
        (Kind::McpClientSession, MCP_CLIENT_SESSION),
        (Kind::McpServerSession, MCP_SERVER_SESSION),
    ],
};

/// Where the provider listens.
pub(super) const SERVER: &[Row] = &[
    start(SERVER_ADDRESS, Field::ServerAddress),
    start(SERVER_PORT, Field::ServerPort).unless(Unless::NoAddress),
];

/// Who is asked for what: the attributes that samplers and metrics see.
pub(super) const IDENTITY: &[Row] = &[
    start(GEN_AI_OPERATION_NAME, Field::OperationName),
    start(GEN_AI_PROVIDER_NAME, Field::ProviderName),
    start(GEN_AI_REQUEST_MODEL, Field::RequestModel),
];

/// The settings of a model's generation.
pub(super) const GENERATION: &[Row] = &[
    end(GEN_AI_OUTPUT_TYPE, Field::OutputType),
    // "If available, in the request, and !=1."
    end(GEN_AI_REQUEST_CHOICE_COUNT, Field::ChoiceCount).unless(Unless::One),
    end(GEN_AI_REQUEST_SEED, Field::Seed),
    end(GEN_AI_REQUEST_FREQUENCY_PENALTY, Field::FrequencyPenalty),
    end(GEN_AI_REQUEST_MAX_TOKENS, Field::MaxTokens),
    end(GEN_AI_REQUEST_PRESENCE_PENALTY, Field::PresencePenalty),
    end(GEN_AI_REQUEST_STOP_SEQUENCES, Field::StopSequences),
    end(GEN_AI_REQUEST_TEMPERATURE, Field::Temperature),
    end(GEN_AI_REQUEST_TOP_P, Field::TopP),
];

const USAGE: &[Row] = &[
    end(GEN_AI_USAGE_INPUT_TOKENS, Field::InputTokens),
    end(GEN_AI_USAGE_OUTPUT_TOKENS, Field::OutputTokens),
    // "When applicable": a provider that reports zero here says that nothing was cached.
    end(GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, Field::CacheReadInputTokens).unless(Unless::Zero),
    end(GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS, Field::CacheWriteInputTokens).unless(Unless::Zero),
];

/// What models and agents are asked, and answer.
const MESSAGES: &[Row] = &[
    content(GEN_AI_SYSTEM_INSTRUCTIONS, Field::SystemInstructions),
    content(GEN_AI_INPUT_MESSAGES, Field::InputMessages),
    content(GEN_AI_OUTPUT_MESSAGES, Field::FinishedOutputMessages),
    content(GEN_AI_TOOL_DEFINITIONS, Field::ToolDefinitions),
];

/// What all metrics of a provider's client share.
pub(super) const CLIENT_METRIC: &[&[Row]] =
    &[IDENTITY, SERVER, &[end(GEN_AI_RESPONSE_MODEL, Field::ResponseModel)], OPENAI_RESPONSE];

pub(super) const OPENAI_RESPONSE: &[Row] = &[
    end(OPENAI_RESPONSE_SERVICE_TIER, Field::OpenAiResponseServiceTier),
    end(OPENAI_RESPONSE_SYSTEM_FINGERPRINT, Field::OpenAiSystemFingerprint),
];

pub(super) const DURATION: Point = duration(&GEN_AI_CLIENT_OPERATION_DURATION);
const INPUT: Point =
    count(&GEN_AI_CLIENT_TOKEN_USAGE, Field::InputTokens, Some((GEN_AI_TOKEN_TYPE, "input")));
const OUTPUT: Point =
    count(&GEN_AI_CLIENT_TOKEN_USAGE, Field::OutputTokens, Some((GEN_AI_TOKEN_TYPE, "output")));

/// Span *Inference* (`gen_ai.inference.client`), with the refinements of OpenAI, Azure AI Inference and AWS Bedrock.
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
            end(GEN_AI_RESPONSE_FINISH_REASONS, Field::KnownFinishReasons),
            end(GEN_AI_RESPONSE_ID, Field::ResponseId),
            end(GEN_AI_RESPONSE_MODEL, Field::ResponseModel),
            end(GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK, Field::TimeToFirstChunk),
        ],
        USAGE,
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
        severity: None,
        rows: None,
        custom: true,
    },
    measures: &[Measures { attributes: CLIENT_METRIC, points: &[INPUT, OUTPUT, DURATION] }],
    chunks: Some(Chunks {
        first: &GEN_AI_CLIENT_OPERATION_TIME_TO_FIRST_CHUNK,
        following: &GEN_AI_CLIENT_OPERATION_TIME_PER_OUTPUT_CHUNK,
        attributes: &[IDENTITY, SERVER, &[end(GEN_AI_RESPONSE_MODEL, Field::ResponseModel)]],
    }),
};

/// Span *Embeddings* (`gen_ai.embeddings.client`).
pub(super) const EMBEDDINGS: Description = Description {
    operation: None,
    name: Name::Keyed(Field::OperationName, &[Field::RequestModel]),
    kind: SpanKind::Client,
    span: &[
        IDENTITY,
        SERVER,
        &[
            end(GEN_AI_EMBEDDINGS_DIMENSION_COUNT, Field::DimensionCount),
            end(GEN_AI_REQUEST_ENCODING_FORMATS, Field::EncodingFormats),
            end(GEN_AI_RESPONSE_ID, Field::ResponseId),
            end(GEN_AI_RESPONSE_MODEL, Field::ResponseModel),
            end(GEN_AI_USAGE_INPUT_TOKENS, Field::InputTokens),
        ],
    ],
    event: Event::None,
    measures: &[Measures { attributes: CLIENT_METRIC, points: &[INPUT, DURATION] }],
    chunks: None,
};

/// Span *Retrieval* (`gen_ai.retrieval.client`).
pub(super) const RETRIEVAL: Description = Description {
    operation: None,
    name: Name::Keyed(Field::OperationName, &[Field::DataSourceId]),
    kind: SpanKind::Client,
    span: &[
        IDENTITY,
        &[start(GEN_AI_DATA_SOURCE_ID, Field::DataSourceId)],
        SERVER,
        &[
            end(GEN_AI_RETRIEVAL_TOP_K, Field::TopK),
            content(GEN_AI_RETRIEVAL_QUERY_TEXT, Field::QueryText),
            content(GEN_AI_RETRIEVAL_DOCUMENTS, Field::Documents),
        ],
    ],
    event: Event::None,
    measures: &[Measures { attributes: CLIENT_METRIC, points: &[DURATION] }],
    chunks: None,
};

/// Span *Fetch response* (`gen_ai.fetch_response.client`). It uses no tokens, so there is no usage.
pub(super) const FETCH_RESPONSE: Description = Description {
    operation: None,
    name: Name::Keyed(Field::OperationName, &[]),
    kind: SpanKind::Client,
    span: &[
        IDENTITY,
        SERVER,
        FETCHED,
        OPENAI_RESPONSE,
        &[
            content(GEN_AI_SYSTEM_INSTRUCTIONS, Field::SystemInstructions),
            content(GEN_AI_OUTPUT_MESSAGES, Field::FinishedOutputMessages),
            content(GEN_AI_TOOL_DEFINITIONS, Field::ToolDefinitions),
        ],
    ],
    event: Event::None,
    measures: &[Measures { attributes: CLIENT_METRIC, points: &[DURATION] }],
    chunks: None,
};

/// What an answer says that was kept.
pub(super) const FETCHED: &[Row] = &[
    start(GEN_AI_RESPONSE_ID, Field::ResponseId),
    // Not in the registry's list for this span, but the only way to tell a streamed fetch.
    end(GEN_AI_REQUEST_STREAM, Field::Stream),
    end(GEN_AI_REQUEST_STREAM_CURSOR, Field::StreamCursor),
    end(GEN_AI_RESPONSE_STATUS, Field::ResponseStatus),
    end(GEN_AI_RESPONSE_MODEL, Field::ResponseModel),
    end(GEN_AI_RESPONSE_FINISH_REASONS, Field::FinishReasons),
    end(OPENAI_API_TYPE, Field::OpenAiApiType),
];

/// Span *Memory* (`gen_ai.memory.client`).
pub(super) const MEMORY: Description = Description {
    operation: None,
    name: Name::Keyed(Field::OperationName, &[]),
    kind: SpanKind::Client,
    span: &[
        IDENTITY,
        SERVER,
        &[
            end(GEN_AI_MEMORY_STORE_ID, Field::MemoryStoreId),
            end(GEN_AI_MEMORY_RECORD_ID, Field::MemoryRecordId),
            end(GEN_AI_MEMORY_RECORD_COUNT, Field::MemoryRecordCount),
            content(GEN_AI_MEMORY_QUERY_TEXT, Field::QueryText),
            content(GEN_AI_MEMORY_RECORDS, Field::MemoryRecords),
        ],
    ],
    event: Event::None,
    measures: &[Measures { attributes: CLIENT_METRIC, points: &[DURATION] }],
    chunks: None,
};

/// Span *Create agent* (`gen_ai.create_agent.client`).
pub(super) const CREATE_AGENT: Description = Description {
    operation: None,
    name: Name::Keyed(Field::OperationName, &[Field::AgentName]),
    kind: SpanKind::Client,
    span: &[
        IDENTITY,
        SERVER,
        &[
            start(GEN_AI_AGENT_NAME, Field::AgentName),
            end(GEN_AI_AGENT_ID, Field::AgentId),
            end(GEN_AI_AGENT_DESCRIPTION, Field::AgentDescription),
            end(GEN_AI_AGENT_VERSION, Field::AgentVersion),
            content(GEN_AI_SYSTEM_INSTRUCTIONS, Field::SystemInstructions),
        ],
    ],
    event: Event::None,
    measures: &[Measures { attributes: CLIENT_METRIC, points: &[DURATION] }],
    chunks: None,
};

/// What both spans of an agent's invocation have.
const AGENT: &[Row] = &[
    start(GEN_AI_AGENT_NAME, Field::AgentName),
    end(GEN_AI_AGENT_DESCRIPTION, Field::AgentDescription),
    end(GEN_AI_CONVERSATION_ID, Field::ConversationId),
    end(GEN_AI_DATA_SOURCE_ID, Field::DataSourceId),
    end(GEN_AI_RESPONSE_FINISH_REASONS, Field::FinishReasons),
];

/// Span *Invoke agent* of a service (`gen_ai.invoke_agent.client`).
pub(super) const INVOKE_AGENT_CLIENT: Description = Description {
    operation: None,
    name: Name::Keyed(Field::OperationName, &[Field::AgentName]),
    kind: SpanKind::Client,
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
        USAGE,
        MESSAGES,
    ],
    event: Event::None,
    measures: &[Measures { attributes: CLIENT_METRIC, points: &[INPUT, OUTPUT, DURATION] }],
    chunks: None,
};

/// Span *Invoke agent* in this process (`gen_ai.invoke_agent.internal`). It has neither provider nor server.
pub(super) const INVOKE_AGENT_INTERNAL: Description = Description {
    operation: None,
    name: Name::Keyed(Field::OperationName, &[Field::AgentName]),
    kind: SpanKind::Internal,
    span: &[
        &[
            start(GEN_AI_OPERATION_NAME, Field::OperationName),
            start(GEN_AI_REQUEST_MODEL, Field::RequestModel),
        ],
        AGENT,
        GENERATION,
        USAGE,
        MESSAGES,
    ],
    event: Event::None,
    measures: &[
        Measures {
            attributes: &[&[
                start(GEN_AI_AGENT_NAME, Field::AgentName),
                start(GEN_AI_REQUEST_MODEL, Field::RequestModel),
            ]],
            points: &[duration(&GEN_AI_INVOKE_AGENT_DURATION)],
        },
        Measures { attributes: &[&[start(GEN_AI_AGENT_NAME, Field::AgentName)]], points: AGENT_CALLS },
    ],
    chunks: None,
};

pub(super) const AGENT_CALLS: &[Point] = &[
    Point {
        metric: &GEN_AI_INVOKE_AGENT_INFERENCE_CALLS,
        amount: Amount::InferenceCalls,
        own: None,
        error: false,
    },
    Point { metric: &GEN_AI_INVOKE_AGENT_TOOL_CALLS, amount: Amount::ToolCalls, own: None, error: false },
];

/// Span *Execute tool* (`gen_ai.execute_tool.internal`).
pub(super) const EXECUTE_TOOL: Description = Description {
    operation: None,
    name: Name::Keyed(Field::OperationName, &[Field::ToolName]),
    kind: SpanKind::Internal,
    span: &[
        &[start(GEN_AI_OPERATION_NAME, Field::OperationName)],
        TOOL_METRIC,
        &[end(GEN_AI_TOOL_CALL_ID, Field::ToolCallId), end(GEN_AI_TOOL_DESCRIPTION, Field::ToolDescription)],
        TOOL_CONTENT,
    ],
    event: Event::None,
    measures: &[Measures { attributes: &[TOOL_METRIC], points: &[duration(&GEN_AI_EXECUTE_TOOL_DURATION)] }],
    chunks: None,
};

pub(super) const TOOL_METRIC: &[Row] = &[
    start(GEN_AI_TOOL_NAME, Field::ToolName),
    start(GEN_AI_TOOL_TYPE, Field::ToolType),
    start(GEN_AI_AGENT_NAME, Field::AgentName),
];

pub(super) const TOOL_CONTENT: &[Row] = &[
    content(GEN_AI_TOOL_CALL_ARGUMENTS, Field::ToolArguments),
    content(GEN_AI_TOOL_CALL_RESULT, Field::ToolResult),
];

/// Span *Invoke workflow* (`gen_ai.invoke_workflow.internal`). The registry's list has no conversation id here; the
/// attribute is the registry's own and upstream's utilities set it.
pub(super) const INVOKE_WORKFLOW: Description = Description {
    operation: None,
    name: Name::Keyed(Field::OperationName, &[Field::WorkflowName]),
    kind: SpanKind::Internal,
    span: &[&[
        start(GEN_AI_OPERATION_NAME, Field::OperationName),
        start(GEN_AI_WORKFLOW_NAME, Field::WorkflowName),
        end(GEN_AI_CONVERSATION_ID, Field::ConversationId),
        content(GEN_AI_INPUT_MESSAGES, Field::InputMessages),
        content(GEN_AI_OUTPUT_MESSAGES, Field::FinishedOutputMessages),
    ]],
    event: Event::None,
    measures: &[Measures {
        attributes: &[&[start(GEN_AI_WORKFLOW_NAME, Field::WorkflowName)]],
        points: &[duration(&GEN_AI_WORKFLOW_DURATION)],
    }],
    chunks: None,
};

/// Span *Plan* (`gen_ai.plan.internal`). The convention has no metric of it.
pub(super) const PLAN: Description = Description {
    operation: None,
    name: Name::Keyed(Field::OperationName, &[Field::AgentName]),
    kind: SpanKind::Internal,
    span: &[&[
        start(GEN_AI_OPERATION_NAME, Field::OperationName),
        start(GEN_AI_AGENT_NAME, Field::AgentName),
    ]],
    event: Event::None,
    measures: &[Measures {
        attributes: &[&[start(GEN_AI_OPERATION_NAME, Field::OperationName)]],
        points: &[DURATION],
    }],
    chunks: None,
};

/// What MCP spans and metrics of both sides share.
const MCP: &[Row] = &[
    start(MCP_METHOD_NAME, Field::McpMethodName),
    start(GEN_AI_OPERATION_NAME, Field::OperationName),
    start(GEN_AI_TOOL_NAME, Field::ToolName),
    start(GEN_AI_PROMPT_NAME, Field::PromptName),
    end(RPC_RESPONSE_STATUS_CODE, Field::RpcResponseStatusCode),
    end(JSONRPC_PROTOCOL_VERSION, Field::JsonRpcProtocolVersion),
    end(MCP_PROTOCOL_VERSION, Field::McpProtocolVersion),
    end(NETWORK_TRANSPORT, Field::NetworkTransport),
    end(NETWORK_PROTOCOL_NAME, Field::NetworkProtocolName),
    end(NETWORK_PROTOCOL_VERSION, Field::NetworkProtocolVersion),
];

/// What MCP spans have beside.
const MCP_SPAN: &[Row] = &[
    end(JSONRPC_REQUEST_ID, Field::JsonRpcRequestId),
    end(MCP_RESOURCE_URI, Field::McpResourceUri),
    end(MCP_SESSION_ID, Field::McpSessionId),
    content(GEN_AI_PROMPT_VARIABLE, Field::PromptVariables),
];

/// Span *MCP client* (`mcp.client`).
pub(super) const MCP_CLIENT: Description = Description {
    operation: None,
    name: Name::Keyed(Field::McpMethodName, &[Field::ToolName, Field::PromptName]),
    kind: SpanKind::Client,
    span: &[MCP, MCP_SPAN, SERVER, TOOL_CONTENT],
    event: Event::None,
    measures: &[Measures { attributes: &[MCP, SERVER], points: &[duration(&MCP_CLIENT_OPERATION_DURATION)] }],
    chunks: None,
};

/// Span *MCP server* (`mcp.server`).
pub(super) const MCP_SERVER: Description = Description {
    operation: None,
    name: Name::Keyed(Field::McpMethodName, &[Field::ToolName, Field::PromptName]),
    kind: SpanKind::Server,
    span: &[
        MCP,
        MCP_SPAN,
        &[end(CLIENT_ADDRESS, Field::ClientAddress), end(CLIENT_PORT, Field::ClientPort)],
        TOOL_CONTENT,
    ],
    event: Event::None,
    measures: &[Measures { attributes: &[MCP], points: &[duration(&MCP_SERVER_OPERATION_DURATION)] }],
    chunks: None,
};

/// What the metrics of MCP sessions of both sides share.
const MCP_SESSION: &[Row] = &[
    end(JSONRPC_PROTOCOL_VERSION, Field::JsonRpcProtocolVersion),
    end(MCP_PROTOCOL_VERSION, Field::McpProtocolVersion),
    end(NETWORK_TRANSPORT, Field::NetworkTransport),
    end(NETWORK_PROTOCOL_NAME, Field::NetworkProtocolName),
    end(NETWORK_PROTOCOL_VERSION, Field::NetworkProtocolVersion),
];

/// A session with an MCP server has a metric and no span.
pub(super) const MCP_CLIENT_SESSION: Description = Description {
    operation: None,
    name: Name::None,
    kind: SpanKind::Client,
    span: &[],
    event: Event::None,
    measures: &[Measures {
        attributes: &[MCP_SESSION, SERVER],
        points: &[duration(&MCP_CLIENT_SESSION_DURATION)],
    }],
    chunks: None,
};

/// A session with an MCP client, likewise.
pub(super) const MCP_SERVER_SESSION: Description = Description {
    operation: None,
    name: Name::None,
    kind: SpanKind::Server,
    span: &[],
    event: Event::None,
    measures: &[Measures { attributes: &[MCP_SESSION], points: &[duration(&MCP_SERVER_SESSION_DURATION)] }],
    chunks: None,
};
