//! OpenAI's protocols, as OpenAI speaks them and as the compatible servers do.

mod chat;
mod embeddings;
mod responses;
mod usage;

pub(crate) use chat::ChatCompletions;
pub(crate) use embeddings::Embeddings;
pub(crate) use responses::{Fetch, Responses};
