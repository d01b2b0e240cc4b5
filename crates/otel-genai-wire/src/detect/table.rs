//! The tables: which path is which protocol, and which host is whose.

use otel_genai::ProviderName;

use super::rule::{Rule, no_call, post};
use crate::protocol::Protocol;

/// Which path is which protocol. The first rule that fits counts.
pub(super) static RULES: &[Rule] = &[
    // Anthropic, and the hosts of its models
    post("**/messages", Protocol::AnthropicMessages).at("anthropic.com"),
    post("**/v1/messages", Protocol::AnthropicMessages).with("anthropic-version"),
    post("**/v1/messages", Protocol::AnthropicMessages).guess(),
    no_call("**/publishers/anthropic/models/count-tokens:rawPredict"),
    post("**/publishers/anthropic/models/{model}:rawPredict", Protocol::AnthropicMessages),
    post("**/publishers/anthropic/models/{model}:streamRawPredict", Protocol::AnthropicMessages).stream(),
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
    // Ollama: its own embeddings are not OpenAI's
    no_call("/api/embeddings"),
    // OpenAI, and everyone who is compatible
    post("**/openai/deployments/{model}/chat/completions", Protocol::OpenAiChat)
        .of(ProviderName::AzureAiOpenAi),
    post("**/chat/completions", Protocol::OpenAiChat),
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
    post("**/responses", Protocol::OpenAiResponses).at("openai.com"),
    post("**/openai/responses", Protocol::OpenAiResponses),
    post("**/openai/v1/responses", Protocol::OpenAiResponses),
    post("**/responses", Protocol::OpenAiResponses).guess(),
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
];

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
    ("cohere.ai", "", ProviderName::Cohere),
    ("cohere.com", "", ProviderName::Cohere),
    ("deepseek.com", "", ProviderName::DeepSeek),
    ("generativelanguage.googleapis.com", "", ProviderName::GcpGemini),
    ("aiplatform.googleapis.com", "", ProviderName::GcpVertexAi),
    ("*-aiplatform.googleapis.com", "", ProviderName::GcpVertexAi),
    ("groq.com", "", ProviderName::Groq),
    ("ml.cloud.ibm.com", "", ProviderName::IbmWatsonxAi),
    ("mistral.ai", "", ProviderName::MistralAi),
    ("moonshot.ai", "", ProviderName::MoonshotAi),
    ("moonshot.cn", "", ProviderName::MoonshotAi),
    ("perplexity.ai", "", ProviderName::Perplexity),
    ("x.ai", "", ProviderName::XAi),
];
