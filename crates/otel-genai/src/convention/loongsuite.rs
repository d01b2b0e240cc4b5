//! `loongsuite`: what LoongSuite's handler emits, as `loongsuite-otel-util-genai` 0.9.1 does.
//!
//! It is also how operations are told that another convention lacks. What differs from LoongSuite's handler:
//!
//! - What is known of a call when it starts stands on the span from the start, so that samplers see it.
//! - Rerank's scoring prompt is content.
//! - Session and user of an entry stand on the spans within it. LoongSuite puts them into baggage and leaves it to a
//!   baggage span processor to copy them.
//! - All operations are measured. LoongSuite's handler measures model calls alone.
//! - An empty list, provider or server says nothing.

use opentelemetry::trace::SpanKind;
use otel_genai_semconv::attribute::*;
use otel_genai_semconv::metric::definition::loongsuite::{
    GEN_AI_CLIENT_OPERATION_DURATION, GEN_AI_CLIENT_TOKEN_USAGE,
};
use otel_genai_semconv::metric::definition::{
    GEN_AI_EXECUTE_TOOL_DURATION, GEN_AI_INVOKE_AGENT_DURATION, GEN_AI_INVOKE_AGENT_INFERENCE_CALLS,
    GEN_AI_INVOKE_AGENT_TOOL_CALLS,
};
use otel_genai_semconv::{event, schema_url};

use super::describe::{
    Amount, Convention, Description, Event, Measures, Name, Point, Row, Unless, always, any_failure, content,
    count, duration, end, instead, json, start,
};
use crate::capture::Capture;
use crate::operation::{Field, Kind};

pub(super) static CONVENTION: Convention = Convention {
    schema_url: schema_url::LOONGSUITE,
    capture_by_convention: Capture::SpanAndEvent,
    needs_opt_in: true,
    always_events: false,
    exception: None,
    evaluation: None,
    is_error: any_failure,
    operations: &[
        (Kind::Inference, LLM),
        (Kind::Embeddings, EMBEDDING),
        (Kind::CreateAgent, CREATE_AGENT),
        (Kind::InvokeAgentInternal, INVOKE_AGENT),
        (Kind::InvokeAgentClient, INVOKE_REMOTE_AGENT),
        (Kind::ExecuteTool, EXECUTE_TOOL),
        (Kind::Retrieval, RETRIEVAL),
        (Kind::Rerank, RERANK),
        (Kind::Memory, MEMORY),
        (Kind::Entry, ENTRY),
        (Kind::ReactStep, REACT_STEP),
    ],
};

/// An attribute that is told whenever it is set, even to an empty text.
const fn set(name: &'static str, field: Field) -> Row {
    end(name, field).unless(Unless::Never)
}

const OPERATION: Row = start(GEN_AI_OPERATION_NAME, Field::OperationName);
const PROVIDER: Row = start(GEN_AI_PROVIDER_NAME, Field::ProviderName);
/// The model, told even where it is an empty text.
const MODEL: Row = start(GEN_AI_REQUEST_MODEL, Field::RequestModel).unless(Unless::Never);
/// The agent that the operation belongs to.
const OF_AGENT: &[Row] = &[start(GEN_AI_AGENT_NAME, Field::AgentName)];
/// The user's request that the operation belongs to.
const OF_REQUEST: &[Row] =
    &[start(GEN_AI_SESSION_ID, Field::SessionId), start(GEN_AI_USER_ID, Field::UserId)];
const SERVER: &[Row] = &[start(SERVER_ADDRESS, Field::ServerAddress), start(SERVER_PORT, Field::ServerPort)];

/// The settings of a model's generation.
const GENERATION: &[Row] = &[
    end(GEN_AI_REQUEST_TEMPERATURE, Field::Temperature),
    end(GEN_AI_REQUEST_TOP_P, Field::TopP),
    end(GEN_AI_REQUEST_FREQUENCY_PENALTY, Field::FrequencyPenalty),
    end(GEN_AI_REQUEST_PRESENCE_PENALTY, Field::PresencePenalty),
    end(GEN_AI_REQUEST_MAX_TOKENS, Field::MaxTokens),
    end(GEN_AI_REQUEST_STOP_SEQUENCES, Field::StopSequences),
    end(GEN_AI_REQUEST_SEED, Field::Seed),
];

/// What is to come out. The agent's event has it not.
const OUTPUT: &[Row] = &[
    set(GEN_AI_OUTPUT_TYPE, Field::OutputType),
    end(GEN_AI_REQUEST_CHOICE_COUNT, Field::ChoiceCount).unless(Unless::One),
];

/// What models and agents answer beside messages.
const ANSWER: &[Row] = &[
    set(GEN_AI_RESPONSE_ID, Field::ResponseId),
    set(GEN_AI_RESPONSE_MODEL, Field::ResponseModel),
    end(GEN_AI_RESPONSE_TIME_TO_FIRST_TOKEN, Field::TimeToFirstChunkNanos),
    end(GEN_AI_USAGE_INPUT_TOKENS, Field::InputTokens),
    end(GEN_AI_USAGE_OUTPUT_TOKENS, Field::OutputTokens),
    end(GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS, Field::CacheWriteInputTokens),
    end(GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, Field::CacheReadInputTokens),
    end(GEN_AI_USAGE_TOTAL_TOKENS, Field::TotalTokens),
];

/// What is asked of the whole application, and answered by it.
const MESSAGES: &[Row] = &[
    content(GEN_AI_INPUT_MESSAGES, Field::InputMessages),
    content(GEN_AI_OUTPUT_MESSAGES, Field::OutputMessages),
];
const INSTRUCTIONS: &[Row] = &[content(GEN_AI_SYSTEM_INSTRUCTIONS, Field::SystemInstructions)];
const TOOLS: &[Row] = &[content(GEN_AI_TOOL_DEFINITIONS, Field::ToolDefinitions)];
/// Which tools are offered is told on spans without content too, what they do is not.
const TOOLS_IN_BRIEF: &[Row] = &[instead(GEN_AI_TOOL_DEFINITIONS, Field::ToolDefinitionsBrief)];

/// What the metrics of a provider's client share.
const CLIENT_METRIC: &[&[Row]] =
    &[&[OPERATION, PROVIDER, start(GEN_AI_REQUEST_MODEL, Field::RequestModel)], SERVER];
const RESPONSE_MODEL: &[Row] = &[end(GEN_AI_RESPONSE_MODEL, Field::ResponseModel)];
const DURATION: Point = duration(&GEN_AI_CLIENT_OPERATION_DURATION);
const INPUT_TOKENS: Point = tokens(Field::InputTokens, "input");
const OUTPUT_TOKENS: Point = tokens(Field::OutputTokens, "output");

/// Tokens used, told with the error of the call that used them.
const fn tokens(field: Field, kind: &'static str) -> Point {
    Point { error: true, ..count(&GEN_AI_CLIENT_TOKEN_USAGE, field, Some((GEN_AI_TOKEN_TYPE, kind))) }
}

/// The metrics of operations that LoongSuite's handler does not measure.
const MEASURED: &[Measures] = &[Measures { attributes: CLIENT_METRIC, points: &[DURATION] }];

/// What the span of a model call and its event share.
const LLM_CALL: &[Row] = &[
    OPERATION,
    always(GEN_AI_SPAN_KIND, "LLM"),
    PROVIDER,
    MODEL,
    set(GEN_AI_CONVERSATION_ID, Field::ConversationId),
    end(GEN_AI_REQUEST_TOP_K, Field::TopKFloat),
    end(GEN_AI_RESPONSE_FINISH_REASONS, Field::DistinctFinishReasons),
];

/// `llm`.
const LLM: Description = Description {
    operation: None,
    name: Name::Keyed(Field::OperationName, &[Field::RequestModel]),
    kind: SpanKind::Client,
    span: &[
        LLM_CALL,
        SERVER,
        GENERATION,
        OUTPUT,
        ANSWER,
        OF_AGENT,
        OF_REQUEST,
        MESSAGES,
        INSTRUCTIONS,
        TOOLS,
        TOOLS_IN_BRIEF,
    ],
    event: Event::Details {
        name: event::GEN_AI_CLIENT_INFERENCE_OPERATION_DETAILS,
        severity: None,
        rows: Some(&[LLM_CALL, SERVER, GENERATION, OUTPUT, ANSWER, MESSAGES, INSTRUCTIONS, TOOLS]),
        custom: false,
    },
    measures: &[Measures {
        attributes: &[
            &[OPERATION, PROVIDER, start(GEN_AI_REQUEST_MODEL, Field::RequestModel)],
            SERVER,
            RESPONSE_MODEL,
        ],
        points: &[DURATION, INPUT_TOKENS, OUTPUT_TOKENS],
    }],
    chunks: None,
};

/// `embedding`. Neither the answering model nor the answer's id is told.
const EMBEDDING: Description = Description {
    operation: None,
    name: Name::Keyed(Field::OperationName, &[Field::RequestModel]),
    kind: SpanKind::Client,
    span: &[
        &[
            OPERATION,
            always(GEN_AI_SPAN_KIND, "EMBEDDING"),
            PROVIDER,
            start(GEN_AI_REQUEST_MODEL, Field::RequestModel),
            end(GEN_AI_EMBEDDINGS_DIMENSION_COUNT, Field::DimensionCount),
            end(GEN_AI_REQUEST_ENCODING_FORMATS, Field::EncodingFormats),
            end(GEN_AI_USAGE_INPUT_TOKENS, Field::InputTokens),
            end(GEN_AI_USAGE_TOTAL_TOKENS, Field::TotalTokens),
        ],
        SERVER,
        OF_AGENT,
        OF_REQUEST,
    ],
    event: Event::None,
    measures: &[Measures { attributes: CLIENT_METRIC, points: &[DURATION, INPUT_TOKENS] }],
    chunks: None,
};

/// Who an agent is.
const AGENT: &[Row] = &[
    OPERATION,
    always(GEN_AI_SPAN_KIND, "AGENT"),
    PROVIDER,
    MODEL,
    start(GEN_AI_AGENT_NAME, Field::AgentName).unless(Unless::Never),
    set(GEN_AI_AGENT_ID, Field::AgentId),
    set(GEN_AI_AGENT_DESCRIPTION, Field::AgentDescription),
];

/// `create_agent`.
const CREATE_AGENT: Description = Description {
    operation: None,
    name: Name::Keyed(Field::OperationName, &[Field::AgentName]),
    kind: SpanKind::Client,
    span: &[AGENT, SERVER, OF_REQUEST],
    event: Event::None,
    measures: MEASURED,
    chunks: None,
};

/// What the span of an agent's invocation and its event share, beside the agent.
const INVOCATION: &[Row] = &[
    set(GEN_AI_CONVERSATION_ID, Field::ConversationId),
    set(GEN_AI_DATA_SOURCE_ID, Field::DataSourceId),
    // As given, unlike a model call's.
    end(GEN_AI_RESPONSE_FINISH_REASONS, Field::FinishReasons),
];

/// `invoke_agent` of an agent of this process.
const INVOKE_AGENT: Description = Description {
    operation: None,
    name: Name::Keyed(Field::OperationName, &[Field::AgentName]),
    kind: SpanKind::Internal,
    span: &[
        AGENT,
        INVOCATION,
        GENERATION,
        OUTPUT,
        ANSWER,
        SERVER,
        OF_REQUEST,
        MESSAGES,
        INSTRUCTIONS,
        TOOLS,
        TOOLS_IN_BRIEF,
    ],
    event: Event::Details {
        name: event::GEN_AI_CLIENT_AGENT_INVOKE_OPERATION_DETAILS,
        severity: None,
        rows: Some(&[AGENT, INVOCATION, GENERATION, ANSWER, MESSAGES, INSTRUCTIONS]),
        custom: false,
    },
    // The tokens are counted where they are used: by the model calls within.
    measures: &[
        Measures {
            attributes: &[&[
                start(GEN_AI_AGENT_NAME, Field::AgentName),
                start(GEN_AI_REQUEST_MODEL, Field::RequestModel),
            ]],
            points: &[duration(&GEN_AI_INVOKE_AGENT_DURATION)],
        },
        Measures {
            attributes: &[&[start(GEN_AI_AGENT_NAME, Field::AgentName)]],
            points: &[
                Point {
                    metric: &GEN_AI_INVOKE_AGENT_INFERENCE_CALLS,
                    amount: Amount::InferenceCalls,
                    own: None,
                    error: false,
                },
                Point {
                    metric: &GEN_AI_INVOKE_AGENT_TOOL_CALLS,
                    amount: Amount::ToolCalls,
                    own: None,
                    error: false,
                },
            ],
        },
    ],
    chunks: None,
};

/// `invoke_agent` of an agent that a service hosts. LoongSuite's handler tells both alike; measured it is like any
/// other call of a service.
const INVOKE_REMOTE_AGENT: Description = Description {
    measures: &[Measures { attributes: CLIENT_METRIC, points: &[DURATION, INPUT_TOKENS, OUTPUT_TOKENS] }],
    ..INVOKE_AGENT
};

/// `execute_tool`. The provider is not told.
const EXECUTE_TOOL: Description = Description {
    operation: None,
    name: Name::Keyed(Field::OperationName, &[Field::ToolName]),
    kind: SpanKind::Internal,
    span: &[
        &[
            OPERATION,
            always(GEN_AI_SPAN_KIND, "TOOL"),
            start(GEN_AI_TOOL_NAME, Field::ToolName),
            start(GEN_AI_TOOL_TYPE, Field::ToolType).unless(Unless::Never),
            set(GEN_AI_TOOL_CALL_ID, Field::ToolCallId),
            set(GEN_AI_TOOL_DESCRIPTION, Field::ToolDescription),
            end(GEN_AI_SKILL_NAME, Field::SkillName).unless(Unless::Blank),
            end(GEN_AI_SKILL_ID, Field::SkillId).unless(Unless::Blank),
            end(GEN_AI_SKILL_DESCRIPTION, Field::SkillDescription).unless(Unless::Blank),
            end(GEN_AI_SKILL_VERSION, Field::SkillVersion).unless(Unless::Blank),
            content(GEN_AI_TOOL_CALL_ARGUMENTS, Field::ToolArguments),
            content(GEN_AI_TOOL_CALL_RESULT, Field::ToolResult),
        ],
        OF_AGENT,
        OF_REQUEST,
    ],
    event: Event::None,
    measures: &[Measures {
        attributes: &[
            &[start(GEN_AI_TOOL_NAME, Field::ToolName), start(GEN_AI_TOOL_TYPE, Field::ToolType)],
            OF_AGENT,
        ],
        points: &[duration(&GEN_AI_EXECUTE_TOOL_DURATION)],
    }],
    chunks: None,
};

/// `retrieval`.
const RETRIEVAL: Description = Description {
    operation: None,
    name: Name::Keyed(Field::OperationName, &[Field::DataSourceId]),
    kind: SpanKind::Internal,
    span: &[
        &[
            OPERATION,
            always(GEN_AI_SPAN_KIND, "RETRIEVER"),
            start(GEN_AI_DATA_SOURCE_ID, Field::DataSourceId).unless(Unless::Never),
            PROVIDER.unless(Unless::Never),
            MODEL,
            end(GEN_AI_REQUEST_TOP_K, Field::TopKFloat),
            content(GEN_AI_RETRIEVAL_QUERY_TEXT, Field::QueryText).unless(Unless::Never),
            content(GEN_AI_RETRIEVAL_DOCUMENTS, Field::Documents),
            instead(GEN_AI_RETRIEVAL_DOCUMENTS, Field::DocumentsBrief),
        ],
        SERVER,
        OF_AGENT,
        OF_REQUEST,
    ],
    event: Event::None,
    measures: MEASURED,
    chunks: None,
};

/// `rerank`.
const RERANK: Description = Description {
    operation: None,
    name: Name::Keyed(Field::OperationName, &[Field::RequestModel]),
    kind: SpanKind::Internal,
    span: &[
        &[
            OPERATION,
            always(GEN_AI_SPAN_KIND, "RERANKER"),
            PROVIDER,
            MODEL,
            end(GEN_AI_REQUEST_TOP_K, Field::TopK),
            end(GEN_AI_RERANK_DOCUMENTS_COUNT, Field::DocumentsCount),
            end(GEN_AI_REQUEST_TEMPERATURE, Field::Temperature),
            end(GEN_AI_REQUEST_MAX_TOKENS, Field::MaxTokens),
            end(GEN_AI_RERANK_RETURN_DOCUMENTS, Field::ReturnDocuments),
            end(GEN_AI_RERANK_MAX_CHUNKS_PER_DOC, Field::MaxChunksPerDoc),
            set(GEN_AI_RERANK_DEVICE, Field::Device),
            end(GEN_AI_RERANK_BATCH_SIZE, Field::BatchSize),
            end(GEN_AI_RERANK_MAX_LENGTH, Field::MaxLength),
            end(GEN_AI_RERANK_NORMALIZE, Field::Normalize),
            // LoongSuite's handler tells it always, although it is a prompt.
            content(GEN_AI_RERANK_SCORING_PROMPT, Field::ScoringPrompt).unless(Unless::Never),
            content(GEN_AI_RERANK_INPUT_DOCUMENTS, Field::InputDocuments),
            content(GEN_AI_RERANK_OUTPUT_DOCUMENTS, Field::OutputDocuments),
        ],
        OF_AGENT,
        OF_REQUEST,
    ],
    event: Event::None,
    measures: MEASURED,
    chunks: None,
};

/// What the span of a memory operation and its event share.
const MEMORY_CALL: &[Row] = &[
    OPERATION,
    start(GEN_AI_MEMORY_OPERATION, Field::MemoryOperation).unless(Unless::Never),
    set(GEN_AI_MEMORY_USER_ID, Field::MemoryUserId),
    set(GEN_AI_MEMORY_AGENT_ID, Field::MemoryAgentId),
    set(GEN_AI_MEMORY_RUN_ID, Field::MemoryRunId),
    set(GEN_AI_MEMORY_APP_ID, Field::MemoryAppId),
    set(GEN_AI_MEMORY_ID, Field::MemoryRecordId),
    end(GEN_AI_MEMORY_LIMIT, Field::MemoryLimit),
    end(GEN_AI_MEMORY_PAGE, Field::MemoryPage),
    end(GEN_AI_MEMORY_PAGE_SIZE, Field::MemoryPageSize),
    end(GEN_AI_MEMORY_TOP_K, Field::TopK),
    set(GEN_AI_MEMORY_MEMORY_TYPE, Field::MemoryType),
    end(GEN_AI_MEMORY_THRESHOLD, Field::MemoryThreshold),
    end(GEN_AI_MEMORY_RERANK, Field::MemoryRerank),
    // The one content that is JSON text in the event, too.
    json(content(GEN_AI_MEMORY_INPUT_MESSAGES, Field::MemoryInput)).unless(Unless::Never),
    json(content(GEN_AI_MEMORY_OUTPUT_MESSAGES, Field::MemoryOutput)).unless(Unless::Never),
];

/// `memory`.
const MEMORY: Description = Description {
    operation: Some("memory_operation"),
    name: Name::Keyed(Field::OperationName, &[Field::MemoryOperation]),
    kind: SpanKind::Client,
    span: &[MEMORY_CALL, &[always(GEN_AI_SPAN_KIND, "MEMORY")], SERVER, OF_AGENT, OF_REQUEST],
    event: Event::Details {
        name: event::GEN_AI_MEMORY_OPERATION_DETAILS,
        severity: None,
        rows: Some(&[MEMORY_CALL]),
        custom: false,
    },
    measures: MEASURED,
    chunks: None,
};

/// `entry`.
const ENTRY: Description = Description {
    operation: None,
    name: Name::Fixed("enter_ai_application_system"),
    kind: SpanKind::Internal,
    span: &[
        &[
            OPERATION,
            always(GEN_AI_SPAN_KIND, "ENTRY"),
            start(GEN_AI_SESSION_ID, Field::SessionId).unless(Unless::Never),
            start(GEN_AI_USER_ID, Field::UserId).unless(Unless::Never),
            end(GEN_AI_RESPONSE_TIME_TO_FIRST_TOKEN, Field::TimeToFirstChunkNanos),
        ],
        OF_AGENT,
        MESSAGES,
    ],
    event: Event::None,
    measures: MEASURED,
    chunks: None,
};

/// `react_step`.
const REACT_STEP: Description = Description {
    operation: None,
    name: Name::Fixed("react step"),
    kind: SpanKind::Internal,
    span: &[
        &[
            OPERATION,
            always(GEN_AI_SPAN_KIND, "STEP"),
            end(GEN_AI_REACT_ROUND, Field::ReactRound),
            set(GEN_AI_REACT_FINISH_REASON, Field::ReactFinishReason),
        ],
        OF_AGENT,
        OF_REQUEST,
    ],
    event: Event::None,
    measures: MEASURED,
    chunks: None,
};
