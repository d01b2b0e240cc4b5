//! OpenAI's protocols, as OpenAI speaks them and as the compatible servers do.

mod answer;
mod choices;
mod embeddings;
mod error;
mod media;
mod message;
mod request;
mod usage;

pub(crate) use answer::{CHAT_ANSWER, Chat, Form as AnswerForm, Taken};
pub(crate) use embeddings::{EMBEDDINGS_ANSWER, EMBEDDINGS_REQUEST};
pub(crate) use error::of_body as error_of_body;
pub(crate) use request::CHAT_REQUEST;

pub(crate) use embeddings::{read_answer as read_embeddings_answer, read_request as read_embeddings_request};
pub(crate) use request::read as read_chat_request;
