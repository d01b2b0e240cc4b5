//! What only some providers have.

use otel_genai_semconv::value::OpenAiApiType;

use super::fact::of;
use super::{Fact, Field};

/// OpenAI's own settings and metadata (conventions, *OpenAI*).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct OpenAi {
    /// Which of OpenAI's APIs was called.
    pub api_type: Option<OpenAiApiType>,
    /// The service tier asked for.
    pub request_service_tier: Option<String>,
    /// The service tier that served.
    pub response_service_tier: Option<String>,
    /// The backend's fingerprint.
    pub system_fingerprint: Option<String>,
    /// The type of `response_format`, as sent. Told in `v1.30` only; later conventions have `output_type`.
    pub response_format: Option<String>,
}

impl OpenAi {
    pub(super) fn fact(&self, field: Field) -> Option<Fact<'_>> {
        match field {
            Field::OpenAiApiType => of::word(&self.api_type),
            Field::OpenAiRequestServiceTier => of::text(&self.request_service_tier),
            Field::OpenAiResponseServiceTier => of::text(&self.response_service_tier),
            Field::OpenAiSystemFingerprint => of::text(&self.system_fingerprint),
            Field::OpenAiResponseFormat => of::text(&self.response_format),
            _ => None,
        }
    }
}

/// Azure's own metadata (conventions, *Azure AI Inference*).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Azure {
    /// The resource provider; `Microsoft.CognitiveServices` for Azure AI.
    pub resource_provider_namespace: Option<String>,
}

/// AWS Bedrock's own settings (conventions, *AWS Bedrock*).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Aws {
    /// The guardrail in force.
    pub guardrail_id: Option<String>,
    /// The knowledge base asked.
    pub knowledge_base_id: Option<String>,
}
