//! The tables: which path is which protocol, and which host is whose.

use std::borrow::Cow;

use otel_genai::ProviderName;

use super::rule::{Rule, no_call, post};
use crate::protocol::Protocol;
use crate::{bedrock, mcp};

/// The header in which a guardrail is named.
const GUARDRAIL: &[&str] = &[bedrock::GUARDRAIL];

/// Which path is which protocol. The first rule that fits counts.
pub(super) static RULES: &[Rule] = &[
    // Anthropic, and the hosts of its models
    post("**/messages", Protocol::AnthropicMessages).at("anthropic.com"),
    post("**/v1/messages", Protocol::AnthropicMessages).with("anthropic-version"),
    post("**/v1/messages", Protocol::AnthropicMessages).guess(),
    post("**/v1/agents", Protocol::AnthropicAgents).at("anthropic.com"),
    no_call("**/publishers/anthropic/models/count-tokens:rawPredict"),
    post("**/publishers/anthropic/models/{model}:rawPredict", Protocol::AnthropicMessages),
    post("**/publishers/anthropic/models/{model}:streamRawPredict", Protocol::AnthropicMessages).stream(),
    // DashScope; what is made in the background is no answer
    post("**/services/aigc/text-generation/generation", Protocol::DashScopeGeneration)
        .keep_headers(&["x-dashscope-sse", "accept"]),
    post("**/services/aigc/multimodal-generation/generation", Protocol::DashScopeGeneration)
        .keep_headers(&["x-dashscope-sse", "accept"]),
    no_call("**/services/embeddings/text-embedding/text-embedding").with("x-dashscope-async"),
    post("**/services/embeddings/text-embedding/text-embedding", Protocol::DashScopeEmbeddings),
    post("**/services/embeddings/multimodal-embedding/multimodal-embedding", Protocol::DashScopeEmbeddings),
    post("**/services/rerank/text-rerank/text-rerank", Protocol::DashScopeRerank),
    // Google: Vertex AI, the Gemini API, and what its command line speaks
    post("**/publishers/*/models/{model}:generateContent", Protocol::GeminiContent)
        .of(ProviderName::GcpVertexAi),
    post("**/publishers/*/models/{model}:streamGenerateContent", Protocol::GeminiContent)
        .of(ProviderName::GcpVertexAi)
        .stream(),
    post(
        "**/projects/{project}/locations/{location}/endpoints/{endpoint}:generateContent",
        Protocol::GeminiContent,
    )
    .of(ProviderName::GcpVertexAi),
    post(
        "**/projects/{project}/locations/{location}/endpoints/{endpoint}:streamGenerateContent",
        Protocol::GeminiContent,
    )
    .of(ProviderName::GcpVertexAi)
    .stream(),
    post("**/models/{model}:generateContent", Protocol::GeminiContent),
    post("**/models/{model}:streamGenerateContent", Protocol::GeminiContent).stream(),
    post("**/tunedModels/{tuned_model}:generateContent", Protocol::GeminiContent),
    post("**/tunedModels/{tuned_model}:streamGenerateContent", Protocol::GeminiContent).stream(),
    post("**/v1internal:generateContent", Protocol::GeminiContent).at("cloudcode-pa.googleapis.com"),
    post("**/v1internal:streamGenerateContent", Protocol::GeminiContent)
        .at("cloudcode-pa.googleapis.com")
        .stream(),
    post("**/publishers/*/models/{model}:embedContent", Protocol::GeminiEmbeddings)
        .of(ProviderName::GcpVertexAi),
    post("**/publishers/google/models/{predictor}:predict", Protocol::GeminiEmbeddings)
        .of(ProviderName::GcpVertexAi),
    post("**/models/{model}:embedContent", Protocol::GeminiEmbeddings),
    post("**/models/{model}:batchEmbedContents", Protocol::GeminiEmbeddings),
    post("**/projects/*/locations/*/interactions", Protocol::GeminiInteractions)
        .of(ProviderName::GcpVertexAi),
    Rule::get("**/projects/*/locations/*/interactions/{interaction}", Protocol::GeminiInteractions)
        .of(ProviderName::GcpVertexAi)
        .keep_queries(&["stream", "last_event_id"]),
    post("**/interactions", Protocol::GeminiInteractions).at("googleapis.com"),
    Rule::get("**/interactions/{interaction}", Protocol::GeminiInteractions)
        .at("googleapis.com")
        .keep_queries(&["stream", "last_event_id"]),
    post("**/v1beta/interactions", Protocol::GeminiInteractions).guess(),
    // AWS Bedrock, of which the models' names may be resource names with a slash
    post("**/model/{model}/converse", Protocol::BedrockConverse),
    post("**/model/{arn}/{model}/converse", Protocol::BedrockConverse),
    post("**/model/{model}/converse-stream", Protocol::BedrockConverse).stream(),
    post("**/model/{arn}/{model}/converse-stream", Protocol::BedrockConverse).stream(),
    post("**/model/{model}/invoke", Protocol::BedrockInvoke).keep_headers(GUARDRAIL),
    post("**/model/{arn}/{model}/invoke", Protocol::BedrockInvoke).keep_headers(GUARDRAIL),
    post("**/model/{model}/invoke-with-response-stream", Protocol::BedrockInvoke)
        .keep_headers(GUARDRAIL)
        .stream(),
    post("**/model/{arn}/{model}/invoke-with-response-stream", Protocol::BedrockInvoke)
        .keep_headers(GUARDRAIL)
        .stream(),
    // Cohere, and others' rerank
    post("**/v2/chat", Protocol::CohereChat).at("cohere.com"),
    post("**/v2/chat", Protocol::CohereChat).at("cohere.ai"),
    post("**/v2/chat", Protocol::CohereChat).guess(),
    post("**/v1/chat", Protocol::CohereChatV1).at("cohere.com"),
    post("**/v1/chat", Protocol::CohereChatV1).at("cohere.ai"),
    no_call("**/v1/chat").at("openai.com"),
    post("**/v1/chat", Protocol::CohereChatV1).guess(),
    post("**/v2/embed", Protocol::CohereEmbed).at("cohere.com"),
    post("**/v2/embed", Protocol::CohereEmbed).guess(),
    post("**/v1/embed", Protocol::CohereEmbed).at("cohere.com"),
    post("**/v1/embed", Protocol::CohereEmbed).at("cohere.ai"),
    post("**/v1/embed", Protocol::CohereEmbed).guess(),
    post("**/rerank", Protocol::Rerank),
    // Ollama: paths that others use, too; its embeddings are not OpenAI's
    post("**/api/chat", Protocol::OllamaChat).guess(),
    post("**/api/generate", Protocol::OllamaGenerate).guess(),
    post("**/api/embed", Protocol::OllamaEmbeddings).guess(),
    post("/api/embeddings", Protocol::OllamaEmbeddings).guess(),
    // OpenAI, and everyone who is compatible
    post("**/openai/deployments/{model}/chat/completions", Protocol::OpenAiChat)
        .of(ProviderName::AzureAiOpenAi),
    // Sessions: where there is no WebSocket, there is none of them
    Rule::get("**/realtime", Protocol::OpenAiRealtime)
        .with("sec-websocket-key")
        .keep_queries(&["model", "deployment"]),
    post("**/chat/completions", Protocol::OpenAiChat),
    // Mistral's agents, which choose the model themselves
    post("**/v1/agents/completions", Protocol::OpenAiChat),
    post("**/openai/deployments/{model}/embeddings", Protocol::OpenAiEmbeddings)
        .of(ProviderName::AzureAiOpenAi),
    post("**/embeddings", Protocol::OpenAiEmbeddings),
    post("**/openai/deployments/{model}/completions", Protocol::OpenAiCompletions)
        .of(ProviderName::AzureAiOpenAi),
    post("**/completions", Protocol::OpenAiCompletions).guess(),
    post("**/openai/deployments/{model}/images/generations", Protocol::OpenAiImages)
        .of(ProviderName::AzureAiOpenAi),
    post("**/openai/deployments/{model}/images/edits", Protocol::OpenAiImages)
        .of(ProviderName::AzureAiOpenAi),
    post("**/images/generations", Protocol::OpenAiImages),
    post("**/images/edits", Protocol::OpenAiImages),
    post("**/openai/deployments/{model}/audio/speech", Protocol::OpenAiSpeech)
        .of(ProviderName::AzureAiOpenAi),
    post("**/audio/speech", Protocol::OpenAiSpeech),
    post("**/openai/deployments/{model}/audio/transcriptions", Protocol::OpenAiTranscriptions)
        .of(ProviderName::AzureAiOpenAi),
    post("**/openai/deployments/{model}/audio/translations", Protocol::OpenAiTranscriptions)
        .of(ProviderName::AzureAiOpenAi),
    post("**/audio/transcriptions", Protocol::OpenAiTranscriptions),
    post("**/audio/translations", Protocol::OpenAiTranscriptions),
    post("**/responses", Protocol::OpenAiResponses).at("openai.com"),
    post("**/openai/responses", Protocol::OpenAiResponses),
    post("**/openai/v1/responses", Protocol::OpenAiResponses),
    post("**/responses", Protocol::OpenAiResponses).guess(),
    // A history is made shorter, in the same words.
    post("**/responses/compact", Protocol::OpenAiResponses),
    // Assistants: others have threads and runs too.
    post("**/v1/assistants", Protocol::OpenAiAssistants).at("openai.com"),
    post("**/openai/assistants", Protocol::OpenAiAssistants),
    post("**/assistants", Protocol::OpenAiAssistants).with("openai-beta"),
    post("**/v1/threads/runs", Protocol::OpenAiRuns).at("openai.com"),
    post("**/openai/threads/runs", Protocol::OpenAiRuns),
    post("**/threads/runs", Protocol::OpenAiRuns).with("openai-beta"),
    post("**/v1/threads/{thread}/runs", Protocol::OpenAiRuns).at("openai.com"),
    post("**/openai/threads/{thread}/runs", Protocol::OpenAiRuns),
    post("**/threads/{thread}/runs", Protocol::OpenAiRuns).with("openai-beta"),
    post("**/v1/threads/{thread}/runs/*/submit_tool_outputs", Protocol::OpenAiRuns).at("openai.com"),
    post("**/openai/threads/{thread}/runs/*/submit_tool_outputs", Protocol::OpenAiRuns),
    post("**/threads/{thread}/runs/*/submit_tool_outputs", Protocol::OpenAiRuns).with("openai-beta"),
    Rule::get("**/openai/responses/{response}", Protocol::OpenAiFetchResponse)
        .keep_queries(&["stream", "starting_after"]),
    Rule::get("**/v1/responses/{response}", Protocol::OpenAiFetchResponse)
        .keep_queries(&["stream", "starting_after"]),
    // Vector stores
    post("**/vector_stores/{store}/search", Protocol::OpenAiVectorSearch),
    post("**/collections/{collection}/points/query", Protocol::Qdrant),
    post("**/collections/{collection}/points/query/batch", Protocol::Qdrant),
    post("**/collections/{collection}/points/query/groups", Protocol::Qdrant),
    post("**/collections/{collection}/points/search", Protocol::Qdrant),
    post("**/collections/{collection}/points/search/batch", Protocol::Qdrant),
    post("**/collections/{collection}/points/search/groups", Protocol::Qdrant),
    post("**/collections/{collection}/points/recommend", Protocol::Qdrant),
    post("**/api/v2/tenants/*/databases/*/collections/{collection}/query", Protocol::Chroma),
    post("**/api/v1/collections/{collection}/query", Protocol::Chroma),
    post("**/v1/graphql", Protocol::Weaviate),
    post("/query", Protocol::Pinecone).at("pinecone.io"),
    post("/query", Protocol::Pinecone).with("x-pinecone-api-version"),
    post("/records/namespaces/*/search", Protocol::Pinecone),
    post("**/{index}/_search", Protocol::Elasticsearch),
    post("/_search", Protocol::Elasticsearch),
    Rule::get("**/{index}/_search", Protocol::Elasticsearch),
    Rule::get("/_search", Protocol::Elasticsearch),
    // MCP servers, which may be anywhere: the last rules, because any other knows better
    post("**", Protocol::Mcp).with("mcp-session-id").keep_headers(mcp::HEADERS),
    post("**", Protocol::Mcp).with("mcp-protocol-version").keep_headers(mcp::HEADERS),
    post("**", Protocol::Mcp)
        .accepting(&["application/json", "text/event-stream"])
        .keep_headers(mcp::HEADERS),
];

/// The conventions have no name for it.
const DASHSCOPE: ProviderName = ProviderName::Custom(Cow::Borrowed("dashscope"));

/// Which host is whose, by [`is_host`](super::rule::is_host), and where it matters by the path's first segment. The
/// first one that fits counts. A host that is not listed is the protocol's own provider.
pub(super) static HOSTS: &[(&str, &str, ProviderName)] = &[
    ("anthropic.com", "", ProviderName::Anthropic),
    ("openai.com", "", ProviderName::OpenAi),
    // Azure's other API of many vendors' models, on the same hosts as its OpenAI.
    ("openai.azure.com", "models", ProviderName::AzureAiInference),
    ("cognitiveservices.azure.com", "models", ProviderName::AzureAiInference),
    ("services.ai.azure.com", "models", ProviderName::AzureAiInference),
    ("services.ai.azure.com", "anthropic", ProviderName::AzureAiInference),
    ("openai.azure.com", "", ProviderName::AzureAiOpenAi),
    ("openai.azure.us", "", ProviderName::AzureAiOpenAi),
    ("openai.azure.cn", "", ProviderName::AzureAiOpenAi),
    ("cognitiveservices.azure.com", "", ProviderName::AzureAiOpenAi),
    ("services.ai.azure.com", "", ProviderName::AzureAiOpenAi),
    ("models.ai.azure.com", "", ProviderName::AzureAiInference),
    ("inference.ai.azure.com", "", ProviderName::AzureAiInference),
    ("bedrock-*.amazonaws.com*", "", ProviderName::AwsBedrock),
    ("*.bedrock-*.amazonaws.com*", "", ProviderName::AwsBedrock),
    ("cohere.ai", "", ProviderName::Cohere),
    ("cohere.com", "", ProviderName::Cohere),
    ("dashscope.aliyuncs.com", "", DASHSCOPE),
    ("dashscope-*.aliyuncs.com", "", DASHSCOPE),
    ("maas.aliyuncs.com", "", DASHSCOPE),
    ("deepseek.com", "", ProviderName::DeepSeek),
    ("generativelanguage.googleapis.com", "", ProviderName::GcpGemini),
    ("aiplatform.googleapis.com", "", ProviderName::GcpVertexAi),
    ("*-aiplatform.googleapis.com", "", ProviderName::GcpVertexAi),
    ("groq.com", "", ProviderName::Groq),
    ("ml.cloud.ibm.com", "", ProviderName::IbmWatsonxAi),
    ("jina.ai", "", ProviderName::Custom(Cow::Borrowed("jina"))),
    ("mistral.ai", "", ProviderName::MistralAi),
    ("moonshot.ai", "", ProviderName::MoonshotAi),
    ("moonshot.cn", "", ProviderName::MoonshotAi),
    ("pinecone.io", "", ProviderName::Custom(Cow::Borrowed("pinecone"))),
    ("perplexity.ai", "", ProviderName::Perplexity),
    ("voyageai.com", "", ProviderName::Custom(Cow::Borrowed("voyageai"))),
    ("x.ai", "", ProviderName::XAi),
];

/// Hosts of others whose calls are read: who answers is told by the protocol, so that they need no row above. By
/// [`is_host`](super::rule::is_host).
pub(super) static COMPATIBLE: &[&str] = &[
    "ai-gateway.vercel.sh",
    "api.deepinfra.com",
    "api.hyperbolic.xyz",
    "api.novita.ai",
    "api.sambanova.ai",
    "api.siliconflow.cn",
    "api.siliconflow.com",
    "api.studio.nebius.com",
    "api.z.ai",
    "ark.*.volces.com",
    "cerebras.ai",
    "fireworks.ai",
    "inference.baseten.co",
    "integrate.api.nvidia.com",
    "models.github.ai",
    "ollama.com",
    "open.bigmodel.cn",
    "openrouter.ai",
    "router.huggingface.co",
    "together.ai",
    "together.xyz",
];
