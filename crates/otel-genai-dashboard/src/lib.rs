//! The dashboard: OpenTelemetry in, a page out on which a person reads what an agent did.
//!
//! * [`transcript`] puts together what was said, from whatever an instrumentation wrote.

pub mod transcript;
