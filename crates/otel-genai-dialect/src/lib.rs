//! What others' words for generative AI mean: the vocabularies of instrumentations, read into OpenTelemetry's.
//!
//! * [`WORDS`] and [`TREES`] say which attribute of which vocabulary says what: a [`Slot`]. [`meanings`] and [`names_of`]
//!   are the same by name and by slot.
//! * [`shape`] says which operation a list of attributes ([`Words`]) tells of.
//! * [`is_content`] says whether an attribute holds what people, models and tools said.
//! * [`message`] reads messages, parts and tools as others write them; [`tree`] undoes what flattened them into names.
//!
//! ```
//! use otel_genai_dialect::{Slot, is_content, meanings, provider_name};
//!
//! assert_eq!(meanings("llm.token_count.prompt")[0].slot, Slot::InputTokens);
//! assert!(is_content("gen_ai.prompt.0.content"));
//! assert_eq!(provider_name("vertexai"), "gcp.vertex_ai");
//! ```

pub mod message;
pub mod tree;

mod content;
mod index;
mod provider;
mod shape;
mod slot;
mod vocabulary;
mod words;

pub use content::{MESSAGE_EVENTS, content_name, is_content, is_in_tree};
pub use index::{Meaning, known, meanings, names_of};
pub use message::finish_reason;
pub use provider::provider_name;
pub use shape::{Shape, shape};
pub use slot::Slot;
pub use vocabulary::{TREES, WORDS};
pub use words::Words;
