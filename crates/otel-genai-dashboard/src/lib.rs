//! The dashboard: OpenTelemetry in, a page out on which a person reads what an agent did.
//!
//! * [`transcript`] puts together what was said, from whatever an instrumentation wrote.
//! * [`tree`] puts the spans of a trace in the order in which they are drawn.
//! * [`view`] has the shapes of the answers.

pub mod transcript;
pub mod tree;
pub mod view;
