//! Who is asked, and in which protocol.
//!
//! The path's shape decides the protocol, the host decides the provider: an OpenAI-shaped call to Groq is Groq's. A
//! host that is not listed counts as the protocol's own provider (`openai` for everything that is OpenAI-compatible,
//! as the conventions say); `server.address` tells it from the provider itself. The tables are in `detect/table.rs`.

mod rule;
mod table;

use http::{HeaderMap, Method, Uri};
use otel_genai::{ProviderName, Server};

use crate::protocol::Protocol;
use rule::Path;
pub use rule::is_host;
use table::{COMPATIBLE, HOSTS, RULES};

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
    /// Whether the path asks for a streamed answer, whatever the body says.
    pub is_stream: bool,
    /// Whether the path belongs to no other API. Where it may, only a body that names a model is a call.
    pub(crate) is_certain: bool,
    parameters: Vec<(&'static str, String)>,
}

impl Route {
    /// A route that somebody knows without looking at a request.
    #[must_use]
    pub fn new(protocol: Protocol, provider: ProviderName, server: Server) -> Self {
        Route { protocol, provider, server, is_stream: false, is_certain: true, parameters: Vec::new() }
    }

    /// What the path (or a header or query that the tables name) says: the `model` of Azure's deployments, for example.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }
}

/// Tells who is asked and in which protocol. `None`: not a model call, or none of a protocol known here.
///
/// `upstream` is absolute: the provider's own scheme, host and path, not a gateway's. Userinfo and query are ignored.
#[must_use]
pub fn detect(method: &Method, upstream: &Uri, headers: &HeaderMap) -> Option<Route> {
    let host = upstream.host().filter(|host| !host.is_empty())?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let host = host.to_ascii_lowercase();
    let path = Path::new(upstream.path());
    let (rule, parameters) = RULES
        .iter()
        .find_map(|rule| rule.fits(method, &host, upstream, &path, headers).map(|kept| (rule, kept)))?;
    let protocol = rule.protocol?;
    let provider = rule.provider.clone().unwrap_or_else(|| provider(&host, &path, protocol, headers));
    let port = upstream.port_u16().or(match upstream.scheme_str() {
        Some("https" | "wss") => Some(443),
        Some("http" | "ws") => Some(80),
        _ => None,
    });
    Some(Route {
        protocol,
        provider,
        server: Server::new(host, port),
        is_stream: rule.is_stream,
        is_certain: rule.is_certain,
        parameters,
    })
}

/// The hosts at which model calls are known to be made, as patterns, for whoever decides by the host alone.
///
/// A pattern is a name, which its subdomains fit too (`openai.com`: `openai.com`, `api.openai.com`); or one in which
/// each `*` stands for any text, and which must fit from start to end. All are in lower case. [`detect`] reads calls at
/// any other host as well.
pub fn known_hosts() -> impl Iterator<Item = &'static str> {
    let mut seen = std::collections::HashSet::new();
    all_hosts().filter(move |pattern| seen.insert(*pattern))
}

/// The same; one that is a provider's in several ways comes several times.
fn all_hosts() -> impl Iterator<Item = &'static str> {
    HOSTS.iter().map(|(pattern, _, _)| *pattern).chain(COMPATIBLE.iter().copied())
}

/// Whether a host fits one of the [`known_hosts`]. A host is a name without a port, in any case.
#[must_use]
pub fn is_known_host(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    all_hosts().any(|pattern| is_host(&host, pattern))
}

fn provider(host: &str, path: &Path<'_>, protocol: Protocol, headers: &HeaderMap) -> ProviderName {
    let known = HOSTS.iter().find(|(pattern, segment, _)| {
        is_host(host, pattern) && (segment.is_empty() || path.starts_with(segment))
    });
    match known {
        Some((_, _, provider)) => provider.clone(),
        // Azure OpenAI behind a domain of its own: nobody else takes the key in this header at this path.
        None if path.starts_with("openai") && headers.contains_key("api-key") => ProviderName::AzureAiOpenAi,
        None => protocol.dialect().provider(),
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
            ("https://api.anthropic.com/v1/messages", "anthropic", "api.anthropic.com", 443),
            ("https://api.anthropic.com/messages?beta=true", "anthropic", "api.anthropic.com", 443),
            ("https://api.deepseek.com/anthropic/v1/messages", "deepseek", "api.deepseek.com", 443),
            (
                "https://r.services.ai.azure.com/anthropic/v1/messages",
                "azure.ai.inference",
                "r.services.ai.azure.com",
                443,
            ),
            (
                "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/publishers/anthropic/models/claude-opus-4@20250514:streamRawPredict",
                "gcp.vertex_ai",
                "us-east5-aiplatform.googleapis.com",
                443,
            ),
            ("http://localhost:4000/v1/messages", "anthropic", "localhost", 4000),
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
    fn known_hosts_are_told_from_others() {
        for host in [
            "api.openai.com",
            "API.MISTRAL.AI",
            "r.openai.azure.com",
            "bedrock-runtime.eu-west-1.amazonaws.com",
            "europe-west4-aiplatform.googleapis.com",
            "openrouter.ai",
            "api.together.xyz",
        ] {
            assert!(is_known_host(host), "{host}");
        }
        for host in ["notopenai.com", "openai.com.evil.example", "s3.amazonaws.com", "127.0.0.1", ""] {
            assert!(!is_known_host(host), "{host}");
        }
        let mut all: Vec<_> = known_hosts().collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count, "none is there twice");
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
        let deployment = |url| route(url).unwrap().parameter("model").map(str::to_owned);
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
            "https://api.openai.com/v1/moderations",
            "https://api.openai.com/v1/batches",
            "https://api.openai.com/v1/files",
            "https://api.openai.com/v1/uploads",
            "https://api.openai.com/v1/fine_tuning/jobs",
            "https://api.openai.com/v1/responses/input_tokens",
            "https://api.openai.com/v1/responses/resp_1/cancel",
            "https://r.openai.azure.com/openai/v1/batches",
            "https://api.anthropic.com/v1/files",
            "https://api.anthropic.com/v1/sessions",
            "https://api.anthropic.com/v1/sessions/sesn_1/events",
            "https://api.mistral.ai/v1/batch/jobs",
            "https://api.mistral.ai/v1/chat/moderations",
            "https://api.cohere.com/v1/tokenize",
            "https://api.cohere.com/v1/embed-jobs",
            "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:countTokens",
            "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:batchGenerateContent",
            "https://generativelanguage.googleapis.com/upload/v1beta/files",
            "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-pro:countTokens",
            "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/batchPredictionJobs",
            "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-lite-v1:0/count-tokens",
            "https://bedrock.us-east-1.amazonaws.com/model-invocation-job",
            "https://langgraph.example/threads/t/runs",
            "https://api.anthropic.com/v1/messages/count_tokens",
            "https://api.anthropic.com/v1/messages/batches",
            "https://api.openai.com/v1/threads/thread_1/messages",
            "https://aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/anthropic/models/count-tokens:rawPredict",
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
        assert_eq!(protocol("https://api.mistral.ai/v1/agents/completions"), Protocol::OpenAiChat);
        assert_eq!(protocol("http://h/openai/deployments/d/embeddings"), Protocol::OpenAiEmbeddings);
        assert_eq!(protocol("http://h/x/v1/messages"), Protocol::AnthropicMessages);
    }

    #[test]
    fn the_path_may_name_the_model_and_ask_for_a_stream() {
        let path =
            "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/anthropic/models";
        let whole = route(&format!("{path}/claude-opus-4@20250514:rawPredict")).unwrap();
        assert_eq!((whole.parameter("model"), whole.is_stream), (Some("claude-opus-4@20250514"), false));
        let stream = route(&format!("{path}/claude-opus-4@20250514:streamRawPredict")).unwrap();
        assert_eq!((stream.parameter("model"), stream.is_stream), (Some("claude-opus-4@20250514"), true));
    }
}
