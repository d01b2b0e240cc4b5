//! `cargo xtask api`: the public API of the libraries, one line an item, in `public-api.txt` beside each `Cargo.toml`.
//!
//! Reviewers see there what users will: a change of the file is a change of the API. Made by `cargo public-api` from
//! rustdoc's JSON, which is unstable, so both must be of one age.

use std::fs;
use std::path::PathBuf;

use crate::program::{self, cargo};
use crate::{Result, workspace};

/// The libraries whose API is promised.
const LIBRARIES: &[&str] = &[
    "otel-genai",
    "otel-genai-wire",
    "otel-genai-http",
    "otel-genai-processor",
    "otel-genai-sdk",
    "otel-genai-gateway",
    "otel-genai-upload",
];

/// Writes the files.
pub(crate) fn write() -> Result<()> {
    for library in LIBRARIES {
        let path = file(library);
        fs::write(&path, api(library)?)
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(())
}

/// Fails if a file is not what would be written.
pub(crate) fn check() -> Result<()> {
    let mut changed = Vec::new();
    for library in LIBRARIES {
        let known = fs::read_to_string(file(library)).unwrap_or_default();
        if known != api(library)? {
            changed.push(*library);
        }
    }
    match changed.as_slice() {
        [] => Ok(()),
        changed => Err(format!(
            "the public API of {} has changed: look at the difference after `cargo xtask api`, and commit it if it is meant",
            changed.join(", ")
        )),
    }
}

fn api(library: &str) -> Result<String> {
    let mut doc = cargo(&["rustdoc", "--quiet", "-p", library, "--lib", "--all-features", "--"]);
    doc.args(["-Zunstable-options", "--output-format=json", "--cap-lints=allow"]).env("RUSTC_BOOTSTRAP", "1");
    program::run(&mut doc)?;
    let json = workspace::target().join("doc").join(library.replace('-', "_")).with_extension("json");
    let json = json.to_string_lossy();
    program::filter(&mut cargo(&["public-api", "-sss", "--color=never", "--rustdoc-json", &*json]), "")
}

fn file(library: &str) -> PathBuf {
    workspace::root().join("crates").join(library).join("public-api.txt")
}
