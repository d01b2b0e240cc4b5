//! Providers' names.

/// Providers as others spell them, in lower case, and as the conventions do.
const PROVIDERS: &[(&str, &str)] = &[
    ("azure", "azure.ai.openai"),
    ("azure.openai", "azure.ai.openai"),
    ("azure_openai", "azure.ai.openai"),
    ("azure-openai", "azure.ai.openai"),
    ("azureopenai", "azure.ai.openai"),
    ("az.ai.openai", "azure.ai.openai"),
    ("az.ai.inference", "azure.ai.inference"),
    ("azure_ai_inference", "azure.ai.inference"),
    ("azure_ai", "azure.ai.inference"),
    ("google", "gcp.gen_ai"),
    ("google.generative-ai", "gcp.gemini"),
    ("google_genai", "gcp.gen_ai"),
    ("gemini", "gcp.gemini"),
    ("google_ai_studio", "gcp.gemini"),
    ("vertex_ai", "gcp.vertex_ai"),
    ("vertexai", "gcp.vertex_ai"),
    ("google.vertex", "gcp.vertex_ai"),
    ("google_vertexai", "gcp.vertex_ai"),
    ("aws", "aws.bedrock"),
    ("bedrock", "aws.bedrock"),
    ("aws_bedrock", "aws.bedrock"),
    ("amazon-bedrock", "aws.bedrock"),
    ("amazon_bedrock", "aws.bedrock"),
    ("mistral", "mistral_ai"),
    ("mistralai", "mistral_ai"),
    ("xai", "x_ai"),
    ("grok", "x_ai"),
    ("moonshot", "moonshot_ai"),
    ("moonshotai", "moonshot_ai"),
    ("watsonx", "ibm.watsonx.ai"),
    ("ibm", "ibm.watsonx.ai"),
];

/// The provider as the conventions spell it. Vercel's AI SDK says which of a provider's APIs it is too
/// (`openai.chat`): that is no provider of its own.
#[must_use]
pub fn provider_name(text: &str) -> String {
    let text = text.trim().to_ascii_lowercase();
    let known = |text: &str| {
        let alias = PROVIDERS.iter().find(|(alias, _)| *alias == text).map(|(_, name)| (*name).to_owned());
        alias.or_else(|| {
            let name = otel_genai::ProviderName::from(text);
            (!name.is_custom()).then(|| name.to_string())
        })
    };
    let shorter = || text.rsplit_once('.').and_then(|(start, _)| known(start));
    known(&text).or_else(shorter).unwrap_or(text)
}
