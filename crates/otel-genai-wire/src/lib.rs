//! Provider protocols of generative AI, read incrementally from bytes.
//!
//! [`detect`] tells whether an HTTP request is a model call, to whom and in which protocol. A [`RequestReader`] and a
//! [`ResponseReader`] then take the bodies in pieces of any size and fill in a [`Call`], the operation as plain data:
//!
//! ```
//! use http::{HeaderMap, Method, Uri};
//! use otel_genai_wire::{Call, Options, RequestReader, ResponseReader, detect};
//!
//! let upstream: Uri = "https://api.openai.com/v1/chat/completions".parse().unwrap();
//! let route = detect(&Method::POST, &upstream, &HeaderMap::new()).unwrap();
//!
//! let mut request = RequestReader::new(&route, Options::new(true));
//! request.push(br#"{"model":"gpt-4o-mini","messages":[{"role":"user","co"#);
//! request.push(br#"ntent":"Where is my order?"}]}"#);
//! let mut call = request.finish().unwrap();
//!
//! let mut response = ResponseReader::new(&route, 200, &HeaderMap::new(), &call, Options::new(true));
//! response.push(br#"{"id":"chatcmpl-1","model":"gpt-4o-mini-2024-07-18","usage":{"prompt_tokens":5,"#);
//! response.push(br#""completion_tokens":4},"choices":[{"finish_reason":"stop","message":{"content":"On its way."}}]}"#);
//! assert_eq!(response.finish(&mut call), None);
//!
//! let Call::Inference(chat) = call else { unreachable!() };
//! assert_eq!(chat.request.model.as_deref(), Some("gpt-4o-mini"));
//! assert_eq!(chat.usage.output_tokens, Some(4));
//! assert_eq!(chat.response.finish_reasons, ["stop"]);
//! ```
//!
//! # Protocols
//!
//! [`Protocol`] lists what is read:
//!
//! | protocol | of | framing of streams |
//! |---|---|---|
//! | Anthropic Messages | Anthropic, compatible servers, Vertex AI (`rawPredict`, `streamRawPredict`) | server-sent events |
//! | Anthropic managed agents (`create_agent`) | Anthropic | |
//! | Bedrock Converse, ConverseStream | AWS Bedrock | Amazon's event stream |
//! | Bedrock InvokeModel, with the bodies of Anthropic, Nova, Titan, Cohere, Llama, Mistral and OpenAI | AWS Bedrock | Amazon's event stream |
//! | Cohere chat, version 1 and 2 | Cohere | server-sent events, a document a line |
//! | Cohere embeddings, version 1 and 2 | Cohere | |
//! | Rerank | Cohere, Jina, Voyage, everyone compatible | |
//! | DashScope generation | Alibaba Cloud | server-sent events |
//! | DashScope embeddings, rerank | Alibaba Cloud | |
//! | Gemini `generateContent`, `streamGenerateContent` | Gemini API, Vertex AI | server-sent events, one list |
//! | Gemini embeddings (`embedContent`, `batchEmbedContents`, `predict`) | the same | |
//! | Gemini interactions | the same | server-sent events |
//! | Ollama chat and completions | Ollama | a document a line |
//! | Ollama embeddings | Ollama | |
//! | OpenAI Chat Completions | OpenAI, Azure OpenAI, everyone compatible | server-sent events |
//! | OpenAI Embeddings | the same | |
//! | OpenAI Responses, made and fetched | the same | server-sent events |
//! | OpenAI Completions, also fill-in-the-middle | the same | server-sent events |
//! | OpenAI images and speech | the same | server-sent events; sound as it is |
//! | OpenAI transcriptions and translations | the same | server-sent events; text as it is |
//! | OpenAI assistants (`create_agent`) and their runs (`invoke_agent`) | OpenAI, Azure OpenAI | server-sent events |
//! | OpenAI Realtime | OpenAI, Azure OpenAI, everyone compatible | messages of a WebSocket |
//! | vector searches | OpenAI, Qdrant, Chroma, Weaviate, Pinecone, Elasticsearch, OpenSearch | |
//! | Model Context Protocol | any MCP server over streamable HTTP | server-sent events |
//!
//! Of the providers' other paths none is a call: what they do (moderations, files, batches, lists, counting tokens) has
//! no operation in the conventions, and what is made in the background is no answer.
//!
//! How a body is cut into documents does not depend on the protocol: server-sent events, a document a line (NDJSON), the
//! items of one list, or Amazon's binary event stream with its checksums, by the content type and the first byte.
//!
//! What cannot be read is left out and said: [`ResponseReader::skipped`] counts events that were no JSON or too long,
//! [`ResponseReader::note`] and [`RequestReader::note`] tell people what is missing, and after a wrong checksum nothing
//! more is read.
//!
//! A session over a WebSocket holds many calls: a [`SessionReader`] takes what passes on the connection, in both
//! directions, and tells when each begins and ends.
//!
//! Over standard input and output, MCP is read by [`McpPipe`]: both directions of one conversation, a message a line.
//!
//! # Bounds
//!
//! Everything here is pure: no sockets, no clock, no globals. Nothing fails and nothing panics, whatever the bytes are:
//! what could be known is told, the rest is left out. Memory is bounded by [`Options::limit`] in each direction.

mod anthropic;
mod bedrock;
mod body;
mod call;
mod cohere;
mod created;
mod dashscope;
mod detect;
mod error;
mod form;
mod framing;
mod gather;
mod gemini;
mod json;
mod mcp;
mod media;
mod ollama;
mod openai;
mod options;
mod percent;
mod protocol;
mod request;
mod response;
mod retrieval;
mod scan;
mod session;
mod websocket;

pub use call::{Call, CallMut};
pub use detect::{Route, detect, is_host, is_known_host, known_hosts};
pub use mcp::stdio::{McpAnswer, McpPipe, McpTold};
pub use options::Options;
pub use protocol::Protocol;
pub use request::RequestReader;
pub use response::{Progress, ResponseReader};
pub use session::{SessionAnswer, SessionEnd, SessionEvent, SessionReader};
