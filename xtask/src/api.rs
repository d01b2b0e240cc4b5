//! `cargo xtask api`: the public API of the libraries, one line an item, in `public-api.txt` beside each `Cargo.toml`.
//!
//! Reviewers see there what users will: a change of the file is a change of the API. Made by `cargo public-api` from
//! rustdoc's JSON, which is unstable, so both must be of one age.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use crate::program::{self, cargo};
use crate::suite::FEATURES;
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

/// Tells this program that cargo calls it in rustdoc's place.
const AS_RUSTDOC: &str = "XTASK_AS_RUSTDOC";

/// Writes the files.
pub(crate) fn write() -> Result<()> {
    describe()?;
    for library in LIBRARIES {
        let path = file(library);
        fs::write(&path, api(library)?)
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(())
}

/// Fails if a file is not what would be written.
pub(crate) fn check() -> Result<()> {
    describe()?;
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

/// Has rustdoc write its JSON, of all at once: alone, each library would have its dependencies compiled anew.
fn describe() -> Result<()> {
    let this =
        std::env::current_exe().map_err(|error| format!("this program cannot find itself: {error}"))?;
    let mut doc =
        cargo(&["doc", "--quiet", "--workspace", "--no-deps", "--lib", "--examples", "--features", FEATURES]);
    doc.env("RUSTDOC", this)
        .env(AS_RUSTDOC, "")
        .env("RUSTDOCFLAGS", "-Zunstable-options --output-format=json --cap-lints=allow");
    program::run(&mut doc)
}

/// What is left to do where cargo calls this program as rustdoc: the same with unstable options. Were they allowed to all
/// that cargo starts, build scripts that watch for it would run again, and all that depends on them.
pub(crate) fn as_rustdoc() -> Option<Result<ExitCode>> {
    std::env::var_os(AS_RUSTDOC)?;
    let mut rustdoc = Command::new("rustdoc");
    rustdoc.args(std::env::args_os().skip(1)).env("RUSTC_BOOTSTRAP", "1");
    Some(program::run(&mut rustdoc).map(|()| ExitCode::SUCCESS))
}

fn api(library: &str) -> Result<String> {
    let json = workspace::target().join("doc").join(library.replace('-', "_")).with_extension("json");
    let json = json.to_string_lossy();
    program::filter(&mut cargo(&["public-api", "-sss", "--color=never", "--rustdoc-json", &*json]), "")
}

fn file(library: &str) -> PathBuf {
    workspace::root().join("crates").join(library).join("public-api.txt")
}
