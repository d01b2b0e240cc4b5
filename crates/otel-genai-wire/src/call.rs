//! A model call as it was read from the wire.

use otel_genai::{Embeddings, Inference};

/// A model call, as plain data: one of the operations that providers offer over HTTP.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Call {
    /// A call of a model.
    Inference(Box<Inference>),
    /// Texts turned into vectors.
    Embeddings(Box<Embeddings>),
}

impl Call {
    /// The model asked for.
    #[must_use]
    pub fn request_model(&self) -> Option<&str> {
        match self {
            Call::Inference(op) => op.request.model.as_deref(),
            Call::Embeddings(op) => op.model.as_deref(),
        }
    }

    /// Whether the request asks for a streamed answer.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        match self {
            Call::Inference(op) => op.request.stream,
            Call::Embeddings(_) => false,
        }
    }
}
