//! OpenAI's protocols, as OpenAI speaks them and as the compatible servers do.

mod assistants;
mod chat;
mod completions;
mod embeddings;
mod images;
mod realtime;
mod responses;
mod speech;
mod usage;

pub(crate) use assistants::{Assistants, Runs};
pub(crate) use chat::ChatCompletions;
pub(crate) use completions::Completions;
pub(crate) use embeddings::Embeddings;
pub(crate) use images::Images;
pub(crate) use realtime::Realtime;
pub(crate) use responses::{Fetch, Responses};
pub(crate) use speech::Speech;
