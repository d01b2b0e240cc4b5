//! Who is asked, and in which protocol: the one table of hosts and paths.
//!
//! The path's shape decides the protocol, the host decides the provider: an OpenAI-shaped call to Groq is Groq's. A
//! host that is not listed counts as `openai`, which the conventions name for everything that is OpenAI-compatible;
//! `server.address` tells it from OpenAI itself.

use http::{HeaderMap, Method, Uri};
use otel_genai::{ProviderName, Server};

use crate::percent;

/// The protocol of a call: what its bodies look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// OpenAI's Chat Completions, of OpenAI and of whoever is compatible.
    OpenAiChat,
    /// OpenAI's embeddings, likewise.
    OpenAiEmbeddings,
}

/// Who is asked, where, and in which protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route {
    /// What the bodies look like.
    pub protocol: Protocol,
    /// Who answers. May be changed where the caller knows better, for private hosts.
    pub provider: ProviderName,
    /// Where the provider listens; the port is the scheme's own where the address has none.
    pub server: Server,
    /// The deployment that the path names (Azure OpenAI): the model asked for, where the body names none.
    pub deployment: Option<String>,
}

/// Tells who is asked and in which protocol. `None`: not a model call, or none of a protocol known here.
///
/// `upstream` is absolute: the provider's own scheme, host and path, not a gateway's. Userinfo and query are ignored.
#[must_use]
pub fn detect(method: &Method, upstream: &Uri, headers: &HeaderMap) -> Option<Route> {
    if method != Method::POST {
        return None;
    }
    let host = upstream.host().filter(|host| !host.is_empty())?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let host = host.to_ascii_lowercase();
    let path = Path::new(upstream.path());
    let protocol = path.protocol()?;
    let deployment = path.deployment();
    let provider = provider(&host, &path, deployment.is_some(), headers);
    let port = upstream.port_u16().or(match upstream.scheme_str() {
        Some("https" | "wss") => Some(443),
        Some("http" | "ws") => Some(80),
        _ => None,
    });
    let deployment = deployment.map(|name| String::from_utf8_lossy(&percent::decode(name)).into_owned());
    Some(Route { protocol, provider, server: Server::new(host, port), deployment })
}

/// Hosts by their ending: `api.openai.com` is matched by `openai.com`, `notopenai.com` is not.
const PROVIDERS: &[(&str, ProviderName)] = &[
    ("openai.com", ProviderName::OpenAi),
    ("openai.azure.com", ProviderName::AzureAiOpenAi),
    ("openai.azure.us", ProviderName::AzureAiOpenAi),
    ("openai.azure.cn", ProviderName::AzureAiOpenAi),
    ("cognitiveservices.azure.com", ProviderName::AzureAiOpenAi),
    ("services.ai.azure.com", ProviderName::AzureAiOpenAi),
    ("models.ai.azure.com", ProviderName::AzureAiInference),
    ("inference.ai.azure.com", ProviderName::AzureAiInference),
    ("groq.com", ProviderName::Groq),
    ("deepseek.com", ProviderName::DeepSeek),
    ("x.ai", ProviderName::XAi),
    ("mistral.ai", ProviderName::MistralAi),
    ("perplexity.ai", ProviderName::Perplexity),
    ("moonshot.ai", ProviderName::MoonshotAi),
    ("moonshot.cn", ProviderName::MoonshotAi),
    ("cohere.com", ProviderName::Cohere),
    ("cohere.ai", ProviderName::Cohere),
    ("anthropic.com", ProviderName::Anthropic),
    ("generativelanguage.googleapis.com", ProviderName::GcpGemini),
    ("aiplatform.googleapis.com", ProviderName::GcpVertexAi),
    ("ml.cloud.ibm.com", ProviderName::IbmWatsonxAi),
];

fn provider(host: &str, path: &Path<'_>, has_deployment: bool, headers: &HeaderMap) -> ProviderName {
    if has_deployment {
        return ProviderName::AzureAiOpenAi;
    }
    let known =
        PROVIDERS.iter().find(|(ending, _)| ends_with_domain(host, ending)).map(|(_, provider)| provider);
    match known {
        // Azure's other API of many vendors' models on the same hosts.
        Some(ProviderName::AzureAiOpenAi) if path.starts_with("models") => ProviderName::AzureAiInference,
        Some(provider) => provider.clone(),
        None if host.ends_with("-aiplatform.googleapis.com") => ProviderName::GcpVertexAi,
        None if host.starts_with("bedrock-runtime.") && host.contains(".amazonaws.com") => {
            ProviderName::AwsBedrock
        }
        // Azure OpenAI behind a domain of its own: nobody else takes the key in this header at this path.
        None if path.starts_with("openai") && headers.contains_key("api-key") => ProviderName::AzureAiOpenAi,
        None => ProviderName::OpenAi,
    }
}

fn ends_with_domain(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// A path's segments, without empty ones.
struct Path<'a>(Vec<&'a str>);

impl<'a> Path<'a> {
    fn new(path: &'a str) -> Self {
        Path(path.split('/').filter(|segment| !segment.is_empty()).collect())
    }

    fn starts_with(&self, segment: &str) -> bool {
        self.0.first() == Some(&segment)
    }

    fn protocol(&self) -> Option<Protocol> {
        match self.0.as_slice() {
            // Ollama's own API, which is not OpenAI's.
            ["api", "embeddings"] => None,
            [.., "chat", "completions"] => Some(Protocol::OpenAiChat),
            [.., "embeddings"] => Some(Protocol::OpenAiEmbeddings),
            _ => None,
        }
    }

    /// `/openai/deployments/{deployment}/...`, with any prefix.
    fn deployment(&self) -> Option<&'a str> {
        self.0.windows(3).find_map(|segments| match segments {
            ["openai", "deployments", deployment] => Some(*deployment),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(url: &str) -> Option<Route> {
        detect(&Method::POST, &url.parse().unwrap(), &HeaderMap::new())
    }

    #[test]
    fn the_host_decides_the_provider() {
        for (url, provider, address, port) in [
            ("https://api.openai.com/v1/chat/completions", "openai", "api.openai.com", 443),
            ("https://API.OpenAI.com/v1/chat/completions", "openai", "api.openai.com", 443),
            ("https://eu.api.openai.com/v1/embeddings", "openai", "eu.api.openai.com", 443),
            ("https://notopenai.com/v1/embeddings", "openai", "notopenai.com", 443),
            (
                "https://r.openai.azure.com/openai/v1/chat/completions",
                "azure.ai.openai",
                "r.openai.azure.com",
                443,
            ),
            (
                "https://r.cognitiveservices.azure.com/openai/deployments/d/embeddings?api-version=1",
                "azure.ai.openai",
                "r.cognitiveservices.azure.com",
                443,
            ),
            (
                "https://r.services.ai.azure.com/openai/v1/chat/completions",
                "azure.ai.openai",
                "r.services.ai.azure.com",
                443,
            ),
            (
                "https://r.services.ai.azure.com/models/chat/completions?api-version=1",
                "azure.ai.inference",
                "r.services.ai.azure.com",
                443,
            ),
            ("http://corp:8080/x/openai/deployments/d/chat/completions", "azure.ai.openai", "corp", 8080),
            ("https://api.groq.com/openai/v1/chat/completions", "groq", "api.groq.com", 443),
            ("https://api.deepseek.com/chat/completions", "deepseek", "api.deepseek.com", 443),
            ("https://api.x.ai/v1/chat/completions", "x_ai", "api.x.ai", 443),
            ("https://api.mistral.ai/v1/chat/completions", "mistral_ai", "api.mistral.ai", 443),
            ("https://api.perplexity.ai/chat/completions", "perplexity", "api.perplexity.ai", 443),
            ("https://api.moonshot.cn/v1/chat/completions", "moonshot_ai", "api.moonshot.cn", 443),
            ("https://api.cohere.ai/compatibility/v1/chat/completions", "cohere", "api.cohere.ai", 443),
            ("https://api.anthropic.com/v1/chat/completions", "anthropic", "api.anthropic.com", 443),
            (
                "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
                "gcp.gemini",
                "generativelanguage.googleapis.com",
                443,
            ),
            (
                "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/l/endpoints/openapi/chat/completions",
                "gcp.vertex_ai",
                "us-central1-aiplatform.googleapis.com",
                443,
            ),
            (
                "https://bedrock-runtime.us-west-2.amazonaws.com/openai/v1/chat/completions",
                "aws.bedrock",
                "bedrock-runtime.us-west-2.amazonaws.com",
                443,
            ),
            ("https://openrouter.ai/api/v1/chat/completions", "openai", "openrouter.ai", 443),
            ("https://api.together.xyz/v1/chat/completions", "openai", "api.together.xyz", 443),
            ("http://localhost:11434/v1/chat/completions", "openai", "localhost", 11434),
            ("http://127.0.0.1/v1/chat/completions/", "openai", "127.0.0.1", 80),
            ("http://[::1]:1234/v1/chat/completions", "openai", "::1", 1234),
            ("https://xn--bcher-kva.example/v1/embeddings", "openai", "xn--bcher-kva.example", 443),
            ("https://user:secret@host.example/v1/embeddings", "openai", "host.example", 443),
        ] {
            let route = route(url).unwrap();
            assert_eq!(route.provider, provider, "{url}");
            assert_eq!(route.server, Server::new(address, port), "{url}");
        }
    }

    #[test]
    fn azure_behind_a_domain_of_its_own_is_known_by_its_key_header() {
        let url: Uri = "https://ai.corp.example/openai/v1/chat/completions".parse().unwrap();
        let mut headers = HeaderMap::new();
        assert_eq!(detect(&Method::POST, &url, &headers).unwrap().provider, ProviderName::OpenAi);
        headers.insert("api-key", http::HeaderValue::from_static("k"));
        assert_eq!(detect(&Method::POST, &url, &headers).unwrap().provider, ProviderName::AzureAiOpenAi);
    }

    #[test]
    fn a_deployment_is_a_model_name() {
        let deployment = |url| route(url).unwrap().deployment;
        assert_eq!(
            deployment("https://r.openai.azure.com/openai/deployments/my%20gpt/chat/completions").as_deref(),
            Some("my gpt")
        );
        assert_eq!(deployment("https://r.openai.azure.com/openai/v1/chat/completions"), None);
    }

    #[test]
    fn what_is_no_model_call() {
        for url in [
            "https://api.openai.com/v1/models",
            "https://api.openai.com/v1/chat",
            "https://api.openai.com/v1/chat/completions/chatcmpl-1",
            "https://api.openai.com/v1/completions",
            "http://localhost:11434/api/embeddings",
            "/v1/chat/completions",
        ] {
            assert_eq!(route(url), None, "{url}");
        }
        let url = "https://api.openai.com/v1/chat/completions".parse().unwrap();
        assert_eq!(detect(&Method::GET, &url, &HeaderMap::new()), None);
    }

    #[test]
    fn the_path_decides_the_protocol() {
        let protocol = |url| route(url).unwrap().protocol;
        assert_eq!(protocol("http://h/v1/chat/completions"), Protocol::OpenAiChat);
        assert_eq!(protocol("http://h/openai/deployments/d/embeddings"), Protocol::OpenAiEmbeddings);
    }
}
