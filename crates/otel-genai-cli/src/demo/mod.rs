//! What `otel-genai demo` is made of: a scripted model, and a client that asks it.

pub(crate) mod client;
pub(crate) mod model;
mod ollama;
pub(crate) mod server;
