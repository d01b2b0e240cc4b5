//! Well-known values of attributes, as open enums.
//!
//! A convention lists values and allows any other, so every enum here has a variant `Custom` for the rest and reads
//! from any string. Well-known text always becomes its own variant, and every value writes back as it was read:
//!
//! ```
//! use otel_genai_semconv::value::OperationName;
//!
//! assert_eq!(OperationName::from("chat"), OperationName::Chat);
//! assert_eq!(OperationName::from("summon").to_string(), "summon");
//! assert!(OperationName::from("summon").is_custom());
//! ```

#[macro_use]
mod open_enum;
mod generated;

pub use generated::*;

/// The `error.type` of an error that has no better name.
pub const ERROR_TYPE_OTHER: &str = "_OTHER";
/// The `error.type` of an MCP tool call that the tool itself reports as failed.
pub const ERROR_TYPE_TOOL_ERROR: &str = "tool_error";
