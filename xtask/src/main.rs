//! What developers of otel-genai type: `cargo xtask <task>`.
fn main() {}
