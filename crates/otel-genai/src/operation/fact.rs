//! What can be known of an operation, whatever a convention calls it.

use std::borrow::Cow;

use serde_json::Value;

use crate::message::{Message, Part, ToolDefinition};

/// A thing that can be known of an operation. Conventions map these to attributes.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Field {
    // Who is asked for what, and where.
    OperationName,
    ProviderName,
    /// The provider in the words of v1.30's `gen_ai.system`.
    System,
    RequestModel,
    ServerAddress,
    ServerPort,
    // In which surroundings.
    ConversationId,
    SessionId,
    UserId,
    AgentName,
    AgentId,
    AgentDescription,
    AgentVersion,
    DataSourceId,
    WorkflowName,
    // What is asked of a model.
    OutputType,
    PromptName,
    PromptVersion,
    PromptVariables,
    ChoiceCount,
    Seed,
    Stream,
    TopK,
    /// The same as a floating-point number.
    TopKFloat,
    FrequencyPenalty,
    MaxTokens,
    PresencePenalty,
    PreviousResponseId,
    ReasoningLevel,
    StopSequences,
    Temperature,
    TopP,
    EncodingFormats,
    // What is answered (see `is_response`).
    FinishReasons,
    /// As the answer gave them; from the messages where it gave none.
    KnownFinishReasons,
    /// Each reason once, sorted; from the messages where the answer gave none.
    DistinctFinishReasons,
    /// One reason for each choice that was expected: `error` where it broke off.
    ExpectedFinishReasons,
    ResponseId,
    ResponseModel,
    ResponseStatus,
    StreamCursor,
    /// In seconds.
    TimeToFirstChunk,
    /// The same in whole nanoseconds.
    TimeToFirstChunkNanos,
    ConversationCompacted,
    DimensionCount,
    // Tokens (see `is_usage`).
    InputTokens,
    OutputTokens,
    /// Input and output, as far as known, if not zero.
    TotalTokens,
    CacheReadInputTokens,
    CacheWriteInputTokens,
    ReasoningOutputTokens,
    TextInputTokens,
    TextOutputTokens,
    TextCacheReadInputTokens,
    ImageInputTokens,
    ImageOutputTokens,
    ImageCacheReadInputTokens,
    AudioInputTokens,
    AudioOutputTokens,
    AudioCacheReadInputTokens,
    // Content of models and agents.
    InputMessages,
    OutputMessages,
    /// The same, each with a finish reason.
    FinishedOutputMessages,
    SystemInstructions,
    ToolDefinitions,
    /// Functions by type and name alone, other tools in full.
    ToolDefinitionsBrief,
    // Tools.
    ToolName,
    ToolType,
    ToolCallId,
    ToolDescription,
    ToolArguments,
    ToolResult,
    SkillName,
    SkillId,
    SkillDescription,
    SkillVersion,
    SkillSourceUri,
    SkillResourceName,
    ProcessExecutableName,
    ProcessExecutablePath,
    ProcessExitCode,
    // Retrieval.
    QueryText,
    Documents,
    /// Id and score of each document.
    DocumentsBrief,
    // Rerank.
    DocumentsCount,
    ScoringPrompt,
    ReturnDocuments,
    MaxChunksPerDoc,
    Device,
    BatchSize,
    MaxLength,
    Normalize,
    InputDocuments,
    OutputDocuments,
    // Memory.
    MemoryStoreId,
    MemoryRecordId,
    MemoryRecordCount,
    MemoryRecords,
    /// The operation in LoongSuite's word (`add`, `search`, `get_all`, ...).
    MemoryOperation,
    MemoryUserId,
    MemoryAgentId,
    MemoryRunId,
    MemoryAppId,
    MemoryLimit,
    MemoryPage,
    MemoryPageSize,
    MemoryType,
    MemoryThreshold,
    MemoryRerank,
    MemoryInput,
    MemoryOutput,
    // MCP.
    McpMethodName,
    McpProtocolVersion,
    McpSessionId,
    McpResourceUri,
    JsonRpcRequestId,
    JsonRpcProtocolVersion,
    RpcResponseStatusCode,
    NetworkProtocolName,
    NetworkProtocolVersion,
    NetworkTransport,
    ClientAddress,
    ClientPort,
    // Steps of a ReAct loop.
    ReactRound,
    ReactFinishReason,
    // Providers' own.
    OpenAiApiType,
    OpenAiRequestServiceTier,
    OpenAiResponseServiceTier,
    OpenAiSystemFingerprint,
    OpenAiResponseFormat,
    AzureResourceProviderNamespace,
    BedrockGuardrailId,
    BedrockKnowledgeBaseId,
}

impl Field {
    /// Whether nothing but the operation's own data decides what is known of it.
    pub(crate) fn is_own(self) -> bool {
        !matches!(
            self,
            Field::OperationName
                | Field::ConversationId
                | Field::SessionId
                | Field::UserId
                | Field::AgentName
                | Field::FinishedOutputMessages
                | Field::ExpectedFinishReasons
        )
    }

    /// Whether [`Usage`](crate::Usage) knows it.
    pub(crate) fn is_usage(self) -> bool {
        (Field::InputTokens as u8..=Field::AudioCacheReadInputTokens as u8).contains(&(self as u8))
    }

    /// Whether [`InferenceResponse`](crate::InferenceResponse) knows it.
    pub(crate) fn is_response(self) -> bool {
        (Field::FinishReasons as u8..=Field::ConversationCompacted as u8).contains(&(self as u8))
            || self == Field::OutputMessages
    }
}

/// What is known of one [`Field`], borrowed until it is written.
#[doc(hidden)]
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Fact<'a> {
    /// A text.
    Text(&'a str),
    /// A value of an open enum, or a text in the making.
    Word(Cow<'static, str>),
    /// A number.
    Int(i64),
    /// A number.
    Float(f64),
    /// Yes or no.
    Bool(bool),
    /// Texts.
    Texts(Cow<'a, [String]>),
    /// Content: messages.
    Messages(Cow<'a, [Message]>),
    /// Content: parts, as in system instructions.
    Parts(&'a [Part]),
    /// The same, changed.
    OwnedParts(Vec<Part>),
    /// Content: tools offered.
    Tools(Cow<'a, [ToolDefinition]>),
    /// Content: any JSON. A string stays a string.
    Json(Cow<'a, Value>),
    /// Content: a list of JSON.
    List(Cow<'a, [Value]>),
    /// Content: names and values, each an attribute of its own.
    Variables(&'a [(String, String)]),
}

impl Fact<'_> {
    /// Whether nothing is said by it.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Fact::Text(text) => text.is_empty(),
            Fact::Word(word) => word.is_empty(),
            Fact::Texts(texts) => texts.is_empty(),
            Fact::Messages(messages) => messages.is_empty(),
            Fact::Parts(parts) => parts.is_empty(),
            Fact::OwnedParts(parts) => parts.is_empty(),
            Fact::Tools(tools) => tools.is_empty(),
            Fact::List(list) => list.is_empty(),
            Fact::Variables(variables) => variables.is_empty(),
            Fact::Json(value) => value.is_null(),
            Fact::Int(_) | Fact::Float(_) | Fact::Bool(_) => false,
        }
    }
}

/// Shorthands for what operations hold.
pub(crate) mod of {
    use super::*;

    pub(crate) fn text(value: &Option<String>) -> Option<Fact<'_>> {
        value.as_deref().map(Fact::Text)
    }

    pub(crate) fn word<E: Clone + Into<Cow<'static, str>>>(value: &Option<E>) -> Option<Fact<'static>> {
        value.clone().map(|value| Fact::Word(value.into()))
    }

    pub(crate) fn int(value: impl Into<Option<i64>>) -> Option<Fact<'static>> {
        value.into().map(Fact::Int)
    }

    /// Counts are unsigned where they are read and signed on the wire.
    pub(crate) fn count(value: Option<u64>) -> Option<Fact<'static>> {
        value.map(|count| Fact::Int(i64::try_from(count).unwrap_or(i64::MAX)))
    }

    /// A number that is none says nothing, and no backend takes it.
    pub(crate) fn float(value: Option<f64>) -> Option<Fact<'static>> {
        value.filter(|value| value.is_finite()).map(Fact::Float)
    }

    pub(crate) fn bool(value: Option<bool>) -> Option<Fact<'static>> {
        value.map(Fact::Bool)
    }

    /// Said only where it is so.
    pub(crate) fn flag(value: bool) -> Option<Fact<'static>> {
        value.then_some(Fact::Bool(true))
    }

    pub(crate) fn texts(values: &[String]) -> Option<Fact<'_>> {
        (!values.is_empty()).then_some(Fact::Texts(Cow::Borrowed(values)))
    }

    pub(crate) fn json(value: &Option<Value>) -> Option<Fact<'_>> {
        value.as_ref().map(|value| Fact::Json(Cow::Borrowed(value)))
    }

    pub(crate) fn list(values: &[Value]) -> Option<Fact<'_>> {
        (!values.is_empty()).then_some(Fact::List(Cow::Borrowed(values)))
    }

    pub(crate) fn messages(values: &[Message]) -> Option<Fact<'_>> {
        (!values.is_empty()).then_some(Fact::Messages(Cow::Borrowed(values)))
    }
}
