//! An agent's loop with async-openai.

fn main() {}
