//! A trace as a file: for a person, for a model, for fine-tuning, or exactly as it was received.

mod html;
mod jsonl;
mod markdown;

pub use html::html;
pub use jsonl::jsonl;
pub use markdown::{Options as MarkdownOptions, markdown};
