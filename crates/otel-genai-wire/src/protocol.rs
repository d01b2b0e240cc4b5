//! The protocols, and what each of them has to tell: the contract between the readers and the folders beside this
//! file.
//!
//! To add a protocol: a folder with a unit struct that implements [`Dialect`] and a type that implements [`Answer`], one
//! line in the table below, and one line for each of its paths in `detect/table.rs`.

use std::fmt;

use http::HeaderMap;
use otel_genai::{Failure, ProviderName};

use crate::call::{Call, CallMut};
use crate::detect::Route;
use crate::error;
use crate::framing::{Framing, Media};
use crate::options::Options;
use crate::scan::Want;
use crate::session::Dialogue;
use crate::{anthropic, bedrock, cohere, dashscope, gemini, mcp, ollama, openai, retrieval};

/// Names the protocols and says who speaks them.
macro_rules! protocols {
    ($($(#[$doc:meta])* $name:ident => $dialect:path,)*) => {
        /// The protocol of a call: what its bodies look like.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Protocol {
            $($(#[$doc])* $name,)*
        }

        impl Protocol {
            /// All protocols that are read.
            pub const ALL: &'static [Protocol] = &[$(Protocol::$name),*];

            /// Whether what goes this way is a session over a WebSocket, which a [`SessionReader`](crate::SessionReader)
            /// reads, rather than one call.
            #[must_use]
            pub fn is_session(self) -> bool {
                matches!(self, Protocol::OpenAiRealtime)
            }

            /// Whether its calls may ask a model for content: chats, completions, and whatever else is of that kind.
            #[must_use]
            pub fn may_ask_a_model(self) -> bool {
                use Protocol::*;
                matches!(
                    self,
                    AnthropicMessages
                        | BedrockConverse
                        | BedrockInvoke
                        | CohereChat
                        | CohereChatV1
                        | DashScopeGeneration
                        | GeminiContent
                        | GeminiInteractions
                        | OllamaChat
                        | OllamaGenerate
                        | OpenAiChat
                        | OpenAiResponses
                        | OpenAiCompletions
                        | OpenAiImages
                        | OpenAiSpeech
                        | OpenAiTranscriptions
                )
            }

            pub(crate) fn dialect(self) -> &'static dyn Dialect {
                match self {
                    $(Protocol::$name => &$dialect,)*
                }
            }
        }
    };
}

protocols! {
    // Anthropic
    /// Anthropic's Messages, of Anthropic and of whoever is compatible or hosts its models.
    AnthropicMessages => anthropic::Messages,
    /// A managed agent of Anthropic's is created.
    AnthropicAgents => anthropic::Agents,

    // AWS
    /// Converse and ConverseStream of AWS Bedrock.
    BedrockConverse => bedrock::Converse,
    /// InvokeModel and InvokeModelWithResponseStream of AWS Bedrock, in the bodies of each vendor.
    BedrockInvoke => bedrock::Invoke,

    // Cohere
    /// Cohere's chat, version 2.
    CohereChat => cohere::Chat,
    /// Cohere's chat, version 1.
    CohereChatV1 => cohere::ChatV1,
    /// Cohere's embeddings.
    CohereEmbed => cohere::Embed,
    /// Rerank, of Cohere and of whoever is compatible.
    Rerank => cohere::Rerank,

    // DashScope
    /// DashScope's generation of text, from texts and other media.
    DashScopeGeneration => dashscope::Generation,
    /// DashScope's embeddings.
    DashScopeEmbeddings => dashscope::Embeddings,
    /// DashScope's rerank.
    DashScopeRerank => dashscope::Rerank,

    // Google
    /// Gemini's `generateContent`, of the Gemini API and of Vertex AI.
    GeminiContent => gemini::GenerateContent,
    /// Gemini's embeddings, likewise.
    GeminiEmbeddings => gemini::EmbedContent,
    /// Gemini's interactions, likewise.
    GeminiInteractions => gemini::Interactions,

    // Ollama
    /// Ollama's chat.
    OllamaChat => ollama::Chat,
    /// Ollama's completions.
    OllamaGenerate => ollama::Generate,
    /// Ollama's embeddings.
    OllamaEmbeddings => ollama::Embeddings,

    // OpenAI
    /// OpenAI's Chat Completions, of OpenAI and of whoever is compatible.
    OpenAiChat => openai::ChatCompletions,
    /// OpenAI's embeddings, likewise.
    OpenAiEmbeddings => openai::Embeddings,
    /// OpenAI's Responses, likewise.
    OpenAiResponses => openai::Responses,
    /// An answer that OpenAI keeps is fetched.
    OpenAiFetchResponse => openai::Fetch,
    /// OpenAI's older completions of texts, and the fill-in-the-middle of others.
    OpenAiCompletions => openai::Completions,
    /// OpenAI's images, made and edited.
    OpenAiImages => openai::Images,
    /// OpenAI's speech.
    OpenAiSpeech => openai::Speech,
    /// OpenAI's transcriptions and translations of sound.
    OpenAiTranscriptions => openai::Transcriptions,
    /// OpenAI's sessions over a WebSocket, of which each answer is a call.
    OpenAiRealtime => openai::Realtime,
    /// An assistant of OpenAI's is created.
    OpenAiAssistants => openai::Assistants,
    /// An assistant of OpenAI's runs on a thread.
    OpenAiRuns => openai::Runs,

    // Vector stores
    /// A search in OpenAI's vector stores.
    OpenAiVectorSearch => retrieval::OPENAI,
    /// A search in Qdrant.
    Qdrant => retrieval::QDRANT,
    /// A search in Chroma.
    Chroma => retrieval::CHROMA,
    /// A search in Weaviate.
    Weaviate => retrieval::WEAVIATE,
    /// A search in Pinecone.
    Pinecone => retrieval::PINECONE,
    /// A search for vectors in Elasticsearch or OpenSearch.
    Elasticsearch => retrieval::ELASTICSEARCH,

    // Tools
    /// The Model Context Protocol over streamable HTTP.
    Mcp => mcp::Mcp,
}

/// One protocol. It has no state; what an answer has told so far is an [`Answer`].
pub(crate) trait Dialect: fmt::Debug + Sync {
    /// Who is asked where the host is not known.
    fn provider(&self) -> ProviderName;

    /// What is picked out of a request whose content is not wanted, or that is too long to be held.
    fn request_want(&self) -> &'static Want;

    /// Whether requests have content at all. Those without are never held.
    fn has_content(&self) -> bool {
        true
    }

    /// Whether requests may be forms. Such a one is read as a document of its plain fields.
    fn takes_forms(&self) -> bool {
        false
    }

    /// Reads a request: the whole document, or what was picked out of it. A field of an unexpected type is left out;
    /// only a document that is no JSON is an error, and it will be asked again with a readable one.
    ///
    /// `None`: the document is no call of a model.
    fn request(&self, document: &[u8], route: &Route) -> Result<Option<Call>, serde_json::Error>;

    /// A reader of the answer to a request.
    fn answer(&self, asked: &Asked<'_>) -> Box<dyn Answer>;

    /// How the body of an answer is cut into documents.
    fn framing(&self, media: Media, asked: &Asked<'_>) -> Framing {
        Framing::usual(media, asked.request.is_stream())
    }

    /// A reader of the session that such a request opens, if it does: then there are no calls but those in it.
    fn session(&self, _route: &Route, _options: Options) -> Option<Box<dyn Dialogue>> {
        None
    }

    /// The failure that an answer with an error status tells.
    fn error(&self, status: u16, _headers: &HeaderMap, body: &[u8]) -> Failure {
        error::of_body(status, body)
    }
}

/// What was asked, and the head of the answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    #[allow(dead_code, reason = "what is read may depend on what the path said")]
    pub(crate) route: &'a Route,
    pub(crate) request: &'a Call,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) options: Options,
}

/// What an answer has told so far. Its memory is bounded by [`Options::limit`], whatever comes.
pub(crate) trait Answer: fmt::Debug + Send {
    /// What is picked out of a whole answer whose content is not wanted, or that is too long to be held.
    fn want(&self) -> &'static Want;

    /// Whether a whole answer is held for its content.
    fn has_content(&self) -> bool;

    /// Takes a whole answer, which may as well be an error. As with requests, only what is no JSON is an `Err`; of
    /// such a document nothing may have been taken.
    fn whole(&mut self, document: &[u8]) -> Result<(), serde_json::Error>;

    /// Takes bytes of an answer that is data rather than documents; see [`Framing::Data`].
    fn data(&mut self, _bytes: &[u8]) {}

    /// Takes an event of a stream.
    fn event(&mut self, name: Option<&[u8]>, data: &[u8]) -> Result<Step, serde_json::Error>;

    /// The model that answers, as soon as it is known.
    fn model(&self) -> Option<&str> {
        None
    }

    /// The key without which a whole document is no answer, if what came had none.
    fn missing(&self) -> Option<&'static str>;

    /// Whether a stream has said all that was asked of it, although its terminal event has not come.
    fn is_complete(&self) -> bool {
        false
    }

    /// Whether a stream may have ended well so: servers forget the terminal event.
    fn may_end(&self) -> bool {
        self.is_complete()
    }

    /// Whether there may be no answer at all, as to a notification.
    fn may_be_empty(&self) -> bool {
        false
    }

    /// Whether content was left out because there was no more room.
    fn is_cut(&self) -> bool {
        false
    }

    /// Writes all that was told into the call, and tells the failure that the provider told.
    fn finish(self: Box<Self>, call: CallMut<'_>) -> Option<Failure>;
}

/// What an event of a stream was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A chunk of the answer.
    Chunk,
    /// The last chunk of the answer: the call is over.
    Last,
    /// The terminal event, or an error: the call is over, and this was no chunk of it.
    End,
    /// Nothing of the answer: a sign of life.
    Aside,
}
