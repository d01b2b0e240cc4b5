//! `cargo xtask docs`: writes the parts of `docs/` that are made of the code.
//!
//! The test that fails where they have drifted also writes them, so that the two cannot disagree, and so that xtask
//! builds without the library that it may have to generate code for.

use std::process::ExitCode;

use crate::Result;
use crate::program::{self, cargo};

pub(crate) fn write() -> Result<ExitCode> {
    for (package, test, name) in [
        ("otel-genai", "documentation", "generated_parts"),
        ("otel-genai-http", "pairs", "the_table_of_providers"),
    ] {
        let test = ["test", "-p", package, "--test", test, "--", name, "--nocapture"];
        program::run(cargo(&test).env("OTEL_GENAI_WRITE_DOCS", "1"))?;
    }
    Ok(ExitCode::SUCCESS)
}
