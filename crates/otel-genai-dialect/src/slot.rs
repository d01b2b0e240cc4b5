//! What may be said of an operation, in whichever words.

/// A thing that a span may say of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Slot {
    /// Who runs the model.
    Provider,
    /// The model that was asked for.
    RequestModel,
    /// The model that answered.
    ResponseModel,
    /// The provider's id of the answer.
    ResponseId,
    /// The host that was called.
    ServerAddress,
    /// Its port.
    ServerPort,
    /// The conversation, session or thread.
    ConversationId,
    /// The user on whose behalf.
    UserId,
    /// A setting of the request.
    Temperature,
    /// A setting of the request.
    TopP,
    /// A setting of the request.
    TopK,
    /// The most tokens that the answer may have.
    MaxTokens,
    /// Texts at which the answer ends.
    StopSequences,
    /// A setting of the request.
    FrequencyPenalty,
    /// A setting of the request.
    PresencePenalty,
    /// A setting of the request.
    Seed,
    /// How many answers were asked for.
    ChoiceCount,
    /// Text, JSON, an image, speech.
    OutputType,
    /// How much the model is to reason.
    ReasoningLevel,
    /// The answer that the request goes on from.
    PreviousResponseId,
    /// A template's name.
    PromptName,
    /// A template's version.
    PromptVersion,
    /// Whether the answer was streamed.
    Stream,
    /// Why the model stopped, one reason an answer.
    FinishReasons,
    /// Whether the conversation was shortened.
    Compacted,
    /// From the start to the first chunk, in seconds.
    FirstChunkSeconds,
    /// The same in milliseconds.
    FirstChunkMillis,
    /// The same in nanoseconds.
    FirstChunkNanos,
    /// Tokens of the input.
    InputTokens,
    /// Tokens of the output.
    OutputTokens,
    /// Of the input, read from a cache.
    CacheReadTokens,
    /// Of the input, written to a cache.
    CacheWriteTokens,
    /// Of the output, for reasoning.
    ReasoningTokens,
    /// Of the input, sound.
    AudioInputTokens,
    /// Of the output, sound.
    AudioOutputTokens,
    /// Tokens of what was embedded, where no other word is used for them.
    EmbeddingTokens,
    /// Formats of embeddings.
    EncodingFormats,
    /// An embedding's dimensions.
    DimensionCount,
    /// The agent's name.
    AgentName,
    /// The agent's id.
    AgentId,
    /// What the agent is for.
    AgentDescription,
    /// The agent's version.
    AgentVersion,
    /// Where documents are looked for.
    DataSourceId,
    /// The workflow's name.
    WorkflowName,
    /// The tool's name.
    ToolName,
    /// Function, extension or datastore.
    ToolType,
    /// The id by which a model asked for the tool.
    ToolCallId,
    /// What the tool is for.
    ToolDescription,
    /// What the tool was given. Content.
    ToolArguments,
    /// What the tool gave. Content.
    ToolResult,
    /// The most documents that are wanted.
    TopDocuments,
    /// What was looked for. Content.
    Query,
    /// Documents that were found. Content.
    Documents,
    /// Documents to be put in order. Content.
    InputDocuments,
    /// Documents in order. Content.
    OutputDocuments,
    /// A memory.
    MemoryStoreId,
    /// A record of it.
    MemoryRecordId,
    /// How many records.
    MemoryRecordCount,
    /// The records. Content.
    MemoryRecords,
    /// The round of an agent's loop.
    ReactRound,
    /// Why the loop ended.
    ReactFinishReason,
    /// What the model was told. Content.
    InputMessages,
    /// What the model answered. Content.
    OutputMessages,
    /// Instructions apart from the messages. Content.
    SystemInstructions,
    /// Tools that the model may ask for. Content.
    ToolDefinitions,
    /// Which API of OpenAI.
    OpenAiApiType,
    /// The service tier that was asked for.
    OpenAiRequestTier,
    /// The service tier that was given.
    OpenAiResponseTier,
    /// OpenAI's fingerprint of the system.
    OpenAiFingerprint,
    /// OpenAI's format of the answer.
    OpenAiResponseFormat,
}
