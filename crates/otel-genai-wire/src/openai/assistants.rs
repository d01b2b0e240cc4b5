//! Assistants: agents that OpenAI hosts. One is created; it runs on a thread of messages.
//!
//! A run that is not streamed is only begun by its request: what it leads to is asked for later, in requests that are
//! no calls themselves.

mod create;
mod run;
mod runs;

pub(crate) use create::Assistants;
pub(crate) use run::Runs;
