//! From what a span says to an operation's data.

use std::time::Duration;

use opentelemetry::Value;
use opentelemetry::trace::SpanKind;
use opentelemetry_sdk::trace::SpanData;
use otel_genai::{
    CreateAgent, Embeddings, Entry, ExecuteTool, FetchResponse, Inference, InferenceRequest,
    InferenceResponse, InvokeAgent, InvokeWorkflow, Memory, Message, OpenAi, Part, Plan, Prompt,
    ProviderName, ReactStep, Rerank, Retrieval, Server, ToolDefinition, Usage,
};
use otel_genai_dialect::{Shape, Slot, finish_reason, message, provider_name};
use serde_json::Value as Json;

use crate::attributes::{Attributes, json, parsed};
use crate::recognise::Call;

/// The operation.
pub(crate) fn call(shape: Shape, span: &SpanData, a: &mut Attributes<'_>) -> Call {
    match shape {
        Shape::Inference(operation) => {
            let mut op = Inference::new(operation, provider(a).unwrap_or_else(nobody));
            op.server = server(a);
            op.conversation_id = conversation(a);
            op.request = request(span, a);
            op.response = response(span, a);
            op.usage = usage(a);
            op.openai = openai(a);
            Call::Inference(op)
        }
        Shape::Embeddings => {
            let mut op = Embeddings::new(provider(a).unwrap_or_else(nobody));
            op.server = server(a);
            op.model = a.take_text(Slot::RequestModel);
            op.response_model = a.take_text(Slot::ResponseModel);
            op.response_id = a.take_text(Slot::ResponseId);
            op.encoding_formats = a.take_texts(Slot::EncodingFormats);
            op.dimension_count = a.take_int(Slot::DimensionCount);
            op.input_tokens = a.take_count(Slot::InputTokens).or_else(|| a.take_count(Slot::EmbeddingTokens));
            Call::Embeddings(op)
        }
        Shape::CreateAgent => {
            let mut op = CreateAgent::default();
            op.provider = provider(a);
            op.server = server(a);
            op.name = a.take_text(Slot::AgentName);
            op.id = a.take_text(Slot::AgentId);
            op.description = a.take_text(Slot::AgentDescription);
            op.version = a.take_text(Slot::AgentVersion);
            op.model = a.take_text(Slot::RequestModel);
            op.system_instructions = instructions(a);
            Call::CreateAgent(op)
        }
        Shape::InvokeAgent => {
            let mut op = InvokeAgent::default();
            op.remote = span.span_kind == SpanKind::Client;
            op.provider = provider(a);
            op.server = server(a);
            op.name = a.take_text(Slot::AgentName);
            op.id = a.take_text(Slot::AgentId);
            op.description = a.take_text(Slot::AgentDescription);
            op.version = a.take_text(Slot::AgentVersion);
            op.conversation_id = conversation(a);
            op.data_source_id = a.take_text(Slot::DataSourceId);
            op.request = request(span, a);
            op.response = response(span, a);
            op.usage = usage(a);
            Call::InvokeAgent(op)
        }
        Shape::ExecuteTool => {
            // Without a name of its own the span's is the best there is.
            let name = a.take_text(Slot::ToolName).unwrap_or_else(|| span.name.to_string());
            let mut op = ExecuteTool::new(name);
            op.kind = a.take_text(Slot::ToolType);
            op.call_id = a.take_text(Slot::ToolCallId);
            op.description = a.take_text(Slot::ToolDescription);
            op.agent_name = a.text("gen_ai.agent.name").map(str::to_owned);
            op.conversation_id = conversation(a);
            op.arguments = a.take_first(Slot::ToolArguments, |_, value| parsed(value));
            op.result = a.take_first(Slot::ToolResult, |_, value| parsed(value));
            Call::ExecuteTool(op)
        }
        Shape::Retrieval => {
            let mut op = Retrieval::default();
            op.data_source_id = a.take_text(Slot::DataSourceId);
            op.provider = provider(a);
            op.server = server(a);
            op.model = a.take_text(Slot::RequestModel);
            op.top_k = a.take_int(Slot::TopDocuments);
            op.query = query(a);
            op.documents = documents(a, Slot::Documents);
            Call::Retrieval(op)
        }
        Shape::Rerank => {
            let mut op = Rerank::default();
            op.provider = provider(a);
            op.server = server(a);
            op.model = a.take_text(Slot::RequestModel);
            op.top_k = a.take_int(Slot::TopDocuments);
            op.query = query(a);
            op.input_documents = documents(a, Slot::InputDocuments);
            op.output_documents = documents(a, Slot::OutputDocuments);
            op.documents_count = i64::try_from(op.input_documents.len()).ok().filter(|count| *count > 0);
            Call::Rerank(op)
        }
        Shape::InvokeWorkflow => {
            let mut op = InvokeWorkflow::default();
            op.name = a.take_text(Slot::WorkflowName);
            op.conversation_id = conversation(a);
            op.input_messages = input_messages(span, a);
            op.output_messages = output_messages(span, a);
            Call::InvokeWorkflow(op)
        }
        Shape::Plan => {
            let mut op = Plan::default();
            op.agent_name = a.take_text(Slot::AgentName);
            Call::Plan(op)
        }
        Shape::FetchResponse => {
            let id = a.take_text(Slot::ResponseId).unwrap_or_default();
            let mut op = FetchResponse::new(provider(a).unwrap_or_else(nobody), id);
            op.server = server(a);
            op.response_model = a.take_text(Slot::ResponseModel);
            op.finish_reasons = a.take_texts(Slot::FinishReasons);
            op.output_messages = output_messages(span, a);
            op.system_instructions = instructions(a);
            op.tool_definitions = tools(a);
            Call::FetchResponse(op)
        }
        Shape::Memory(operation) => {
            let mut op = Memory::new(operation);
            op.provider = provider(a);
            op.server = server(a);
            op.store_id = a.take_text(Slot::MemoryStoreId);
            op.record_id = a.take_text(Slot::MemoryRecordId);
            op.record_count = a.take_int(Slot::MemoryRecordCount);
            op.query = query(a);
            op.records = documents(a, Slot::MemoryRecords);
            Call::Memory(op)
        }
        Shape::Entry => {
            let mut op = Entry::default();
            op.session_id = a.take_text(Slot::ConversationId);
            op.user_id = a.take_text(Slot::UserId);
            op.input_messages = input_messages(span, a);
            op.output_messages = output_messages(span, a);
            Call::Entry(op)
        }
        Shape::ReactStep => {
            let mut op = ReactStep::default();
            op.round = a.take_int(Slot::ReactRound);
            op.finish_reason = a.take_text(Slot::ReactFinishReason);
            Call::ReactStep(op)
        }
    }
}

/// From the start to the first chunk of a streamed answer, in whichever unit it is said.
pub(crate) fn first_chunk(a: &mut Attributes<'_>) -> Option<Duration> {
    let seconds = a.take_float(Slot::FirstChunkSeconds);
    let seconds = seconds.or_else(|| Some(a.take_float(Slot::FirstChunkMillis)? / 1e3));
    let seconds = seconds.or_else(|| Some(a.take_float(Slot::FirstChunkNanos)? / 1e9));
    Duration::try_from_secs_f64(seconds?).ok()
}

fn nobody() -> ProviderName {
    ProviderName::from_static("")
}

fn provider(a: &mut Attributes<'_>) -> Option<ProviderName> {
    a.take_text(Slot::Provider).map(|text| provider_name(&text).into())
}

fn server(a: &mut Attributes<'_>) -> Option<Server> {
    let address = a.take_text(Slot::ServerAddress)?;
    let port = a.take_count(Slot::ServerPort).and_then(|port| u16::try_from(port).ok());
    Some(Server::new(address, port))
}

fn conversation(a: &mut Attributes<'_>) -> Option<String> {
    let told = a.take_text(Slot::ConversationId);
    // A name that is not of generative AI alone: read, and left where it is.
    told.or_else(|| {
        let session = a.has("openinference.span.kind").then(|| a.text("session.id")).flatten();
        session.filter(|session| !session.is_empty()).map(str::to_owned)
    })
}

fn request(span: &SpanData, a: &mut Attributes<'_>) -> InferenceRequest {
    let mut request = InferenceRequest::default();
    request.model = a.take_text(Slot::RequestModel);
    request.stream = a.take_bool(Slot::Stream).unwrap_or_default()
        || a.text("ai.operationId").is_some_and(|id| id.starts_with("ai.stream"));
    request.temperature = a.take_float(Slot::Temperature);
    request.top_p = a.take_float(Slot::TopP);
    request.top_k = a.take_int(Slot::TopK);
    request.max_tokens = a.take_int(Slot::MaxTokens);
    request.stop_sequences = a.take_texts(Slot::StopSequences);
    request.frequency_penalty = a.take_float(Slot::FrequencyPenalty);
    request.presence_penalty = a.take_float(Slot::PresencePenalty);
    request.seed = a.take_int(Slot::Seed);
    request.choice_count = a.take_int(Slot::ChoiceCount);
    request.output_type = a.take_text(Slot::OutputType).map(Into::into);
    request.reasoning_level = a.take_text(Slot::ReasoningLevel);
    request.previous_response_id = a.take_text(Slot::PreviousResponseId);
    request.prompt = a.take_text(Slot::PromptName).map(|name| {
        let mut prompt = Prompt::new(name);
        prompt.version = a.take_text(Slot::PromptVersion);
        prompt
    });
    invocation_parameters(a, &mut request);
    request.input_messages = input_messages(span, a);
    request.system_instructions = instructions(a);
    request.tool_definitions = tools(a);
    request
}

/// OpenInference keeps the settings in one JSON text, among others of the provider's. So it stays as it is.
fn invocation_parameters(a: &Attributes<'_>, request: &mut InferenceRequest) {
    let Some(Ok(all)) = a.text("llm.invocation_parameters").map(serde_json::from_str::<Json>) else { return };
    let float = |name: &str| all.get(name).and_then(Json::as_f64).filter(|number| number.is_finite());
    let int = |names: &[&str]| names.iter().find_map(|name| all.get(*name)?.as_i64());
    request.temperature = request.temperature.or(float("temperature"));
    request.top_p = request.top_p.or(float("top_p"));
    request.top_k = request.top_k.or(int(&["top_k"]));
    request.max_tokens =
        request.max_tokens.or(int(&["max_completion_tokens", "max_tokens", "max_output_tokens"]));
    request.frequency_penalty = request.frequency_penalty.or(float("frequency_penalty"));
    request.presence_penalty = request.presence_penalty.or(float("presence_penalty"));
    request.seed = request.seed.or(int(&["seed"]));
    request.choice_count = request.choice_count.or(int(&["n"]));
    request.stream |= all.get("stream").and_then(Json::as_bool).unwrap_or_default();
    if request.reasoning_level.is_none() {
        request.reasoning_level = all.get("reasoning_effort").and_then(Json::as_str).map(str::to_owned);
    }
}

fn response(span: &SpanData, a: &mut Attributes<'_>) -> InferenceResponse {
    let mut response = InferenceResponse::default();
    response.id = a.take_text(Slot::ResponseId);
    response.model = a.take_text(Slot::ResponseModel);
    response.finish_reasons = a.take_texts(Slot::FinishReasons);
    response.conversation_compacted = a.take_bool(Slot::Compacted).unwrap_or_default();
    response.output_messages = output_messages(span, a);
    // One answer stopped for the one reason that is said.
    if let ([message], [reason]) =
        (response.output_messages.as_mut_slice(), response.finish_reasons.as_slice())
    {
        message.finish_reason.get_or_insert_with(|| reason.as_str().into());
    }
    let untold = response.finish_reasons.is_empty();
    for reason in response.output_messages.iter_mut().filter_map(|message| message.finish_reason.as_mut()) {
        // The span has the provider's word, a message the conventions' for it.
        if untold {
            response.finish_reasons.push(reason.as_str().to_owned());
        }
        *reason = finish_reason(reason);
    }
    response
}

fn usage(a: &mut Attributes<'_>) -> Usage {
    let mut usage = Usage::default();
    usage.input_tokens = a.take_count(Slot::InputTokens);
    usage.output_tokens = a.take_count(Slot::OutputTokens);
    usage.cache_read_input_tokens = a.take_count(Slot::CacheReadTokens);
    usage.cache_write_input_tokens = a.take_count(Slot::CacheWriteTokens);
    usage.reasoning_output_tokens = a.take_count(Slot::ReasoningTokens);
    usage.audio.input_tokens = a.take_count(Slot::AudioInputTokens);
    usage.audio.output_tokens = a.take_count(Slot::AudioOutputTokens);
    usage
}

fn openai(a: &mut Attributes<'_>) -> OpenAi {
    let mut openai = OpenAi::default();
    openai.api_type = a.take_text(Slot::OpenAiApiType).map(Into::into);
    openai.request_service_tier = a.take_text(Slot::OpenAiRequestTier);
    openai.response_service_tier = a.take_text(Slot::OpenAiResponseTier);
    openai.system_fingerprint = a.take_text(Slot::OpenAiFingerprint);
    openai.response_format = a.take_text(Slot::OpenAiResponseFormat);
    openai
}

fn query(a: &mut Attributes<'_>) -> Option<String> {
    a.take_first(Slot::Query, |_, value| match value {
        Value::String(text) if !text.as_str().is_empty() => Some(text.to_string()),
        _ => None,
    })
}

/// Documents as JSON text in one attribute, or spread over many.
fn documents(a: &mut Attributes<'_>, slot: Slot) -> Vec<Json> {
    let list = |json: Json| match json {
        Json::Array(list) if !list.is_empty() => Some(list),
        _ => None,
    };
    let told = a.take_first(slot, |_, value| list(parsed(value)?));
    let told = told
        .or_else(|| a.take_tree(slot, |tree| Some(tree.as_array()?.iter().map(message::document).collect())));
    told.unwrap_or_default()
}

fn input_messages(span: &SpanData, a: &mut Attributes<'_>) -> Vec<Message> {
    messages(span, a, Slot::InputMessages, "user")
}

fn output_messages(span: &SpanData, a: &mut Attributes<'_>) -> Vec<Message> {
    let told = vercel_answer(a);
    if told.is_empty() { messages(span, a, Slot::OutputMessages, "assistant") } else { told }
}

fn messages(span: &SpanData, a: &mut Attributes<'_>, slot: Slot, role: &str) -> Vec<Message> {
    // Messages first; a copy of the whole input or output is the last resort.
    let is_copy = |name: &str| name.ends_with(".value") || name.starts_with("traceloop.");
    let read = |value: &Value| message::messages(&json(value)?, role);
    let told = a.take_first(slot, |name, value| (!is_copy(name)).then(|| read(value)).flatten());
    let told = told.or_else(|| a.take_tree(slot, |tree| message::messages(tree, role)));
    let told = told.or_else(|| of_events(span, slot));
    let told =
        told.or_else(|| a.take_first(slot, |name, value| is_copy(name).then(|| read(value)).flatten()));
    told.unwrap_or_default()
}

/// The oldest conventions tell messages as events of the span.
fn of_events(span: &SpanData, slot: Slot) -> Option<Vec<Message>> {
    let mut all = Vec::new();
    for event in &span.events.events {
        let (of, role, keys): (Slot, &str, &[&str]) = match event.name.as_ref() {
            "gen_ai.content.prompt" => (Slot::InputMessages, "user", &["gen_ai.prompt"]),
            "gen_ai.content.completion" => (Slot::OutputMessages, "assistant", &["gen_ai.completion"]),
            "gen_ai.system.message" => (Slot::InputMessages, "system", MESSAGE),
            "gen_ai.user.message" => (Slot::InputMessages, "user", MESSAGE),
            "gen_ai.assistant.message" => (Slot::InputMessages, "assistant", MESSAGE),
            "gen_ai.tool.message" => (Slot::InputMessages, "tool", MESSAGE),
            "gen_ai.choice" => (Slot::OutputMessages, "assistant", MESSAGE),
            _ => continue,
        };
        if of != slot {
            continue;
        }
        let attributes = Attributes::new(&event.attributes);
        let value = keys.iter().find_map(|key| attributes.get(key));
        all.extend(value.and_then(|value| message::messages(&json(value)?, role)).unwrap_or_default());
    }
    (!all.is_empty()).then_some(all)
}

/// Where events keep a message.
const MESSAGE: &[&str] = &["gen_ai.event.content", "message", "content"];

/// Vercel's AI SDK tells an answer's parts apart.
fn vercel_answer(a: &mut Attributes<'_>) -> Vec<Message> {
    let mut parts = Vec::new();
    let mut understood = Vec::new();
    for name in ["ai.response.reasoning", "ai.response.text", "ai.response.object", "ai.response.toolCalls"] {
        let Some(text) = a.text(name).filter(|text| !text.is_empty()) else { continue };
        let read = match name {
            "ai.response.reasoning" => Some(vec![Part::reasoning(text)]),
            "ai.response.toolCalls" => {
                serde_json::from_str(text).ok().and_then(|calls| message::tool_calls(&calls))
            }
            _ => Some(vec![Part::text(text)]),
        };
        if let Some(read) = read {
            parts.extend(read);
            understood.push(name);
        }
    }
    if parts.is_empty() {
        return Vec::new();
    }
    for name in understood {
        a.mark(name, Slot::OutputMessages);
    }
    vec![Message::assistant_parts(parts)]
}

fn instructions(a: &mut Attributes<'_>) -> Vec<Part> {
    let read = |value: &Value| message::parts(&parsed(value)?);
    a.take_first(Slot::SystemInstructions, |_, value| read(value)).unwrap_or_default()
}

fn tools(a: &mut Attributes<'_>) -> Vec<ToolDefinition> {
    let told = a.take_first(Slot::ToolDefinitions, |_, value| message::tools(&parsed(value)?));
    told.or_else(|| a.take_tree(Slot::ToolDefinitions, message::tools)).unwrap_or_default()
}
