//! What a user's build may be: the oldest Rust that is promised, the oldest dependencies that are asked for, one feature
//! alone. One check is for all three: each of them alone would compile the dependencies again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::program::{self, cargo};
use crate::{Result, workspace};

/// What is not published: there is nothing to promise.
const UNPUBLISHED: &[&str] = &["otel-genai-conformance", "otel-genai-examples", "xtask"];

/// What users can ask for, besides the program: checked together where features cannot be checked one by one.
const FEATURES: &str =
    features!("otel-genai-http/tower,otel-genai-http/reqwest-middleware,otel-genai-http/async-openai");

/// The check, in a copy of the workspace whose dependencies are as old as its manifests allow.
///
/// With the Rust at hand where there is no `rust`, and with many features at once where there is no `cargo hack`. Tests and
/// their dependencies are left out: nobody else compiles them.
pub(crate) fn check(rust: Option<&str>, each_feature: bool) -> Result<Command> {
    let copy = workspace::target().join("oldest");
    let source = copy_of_workspace(&copy)?;
    // Unstable options of the cargo at hand; what they resolve to is compiled as always.
    let mut resolve = cargo(&["update", "--quiet", "-Z", "direct-minimal-versions"]);
    program::run(resolve.current_dir(&source).env("RUSTC_BOOTSTRAP", "1"))?;

    let mut command = match rust {
        Some(version) => with_rust(version),
        None => cargo(&[]),
    };
    if each_feature {
        command.args(["hack", "check", "--workspace", "--each-feature"]);
        // Parts of others that are no choice of anybody, and the sum of all.
        command.args(["--exclude-features", "_clients,_cloud", "--exclude-all-features"]);
    } else {
        command.args(["check", "--workspace", "--features", FEATURES]);
    }
    for package in UNPUBLISHED {
        command.args(["--exclude", package]);
    }
    command.arg("--locked").current_dir(&source).arg("--target-dir").arg(copy.join("target"));
    // Whether Rust compiles is asked here, and not what the dashboard's page is made of.
    command.env("OTEL_GENAI_UI", "skip");
    Ok(command)
}

/// The Rust version that the workspace promises, such as `1.88`.
pub(crate) fn oldest_rust() -> Result<String> {
    let path = workspace::root().join("Cargo.toml");
    let text =
        fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let manifest: toml::Table = text.parse().map_err(|error| format!("{}: {error}", path.display()))?;
    let version =
        manifest.get("workspace").and_then(|table| table.get("package")?.get("rust-version")?.as_str());
    version
        .map(str::to_owned)
        .ok_or_else(|| format!("{} has no workspace.package.rust-version", path.display()))
}

/// Whether rustup has that version of Rust, or can get it.
pub(crate) fn has_rust(version: &str) -> bool {
    let quiet = |arguments: &[&str]| {
        let mut rustup = program::command("rustup", arguments);
        rustup.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    quiet(&["run", version, "cargo", "--version"])
        || quiet(&["toolchain", "install", version, "--profile", "minimal", "--no-self-update"])
}

/// The cargo of that version of Rust.
fn with_rust(version: &str) -> Command {
    let mut command = program::command("rustup", &["run", version, "cargo"]);
    // `cargo xtask` has told its children which Rust they are of.
    for name in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN"] {
        command.env_remove(name);
    }
    command
}

/// Copies what is compiled to the folder `source` in `copy`, and returns that.
fn copy_of_workspace(copy: &Path) -> Result<PathBuf> {
    let source = copy.join("source");
    let _ = fs::remove_dir_all(&source);
    let files =
        program::filter(&mut program::command("git", &["ls-files", "-co", "--exclude-standard"]), "")?;
    for file in files.lines().filter(|file| is_needed(file)) {
        let from = workspace::root().join(file);
        // Deleted, and not yet in the index.
        if !from.is_file() {
            continue;
        }
        let to = source.join(file);
        copy_file(&from, &to).map_err(|error| format!("cannot copy {file} to {}: {error}", to.display()))?;
    }
    Ok(source)
}

/// What is compiled, and what is included in that.
fn is_needed(file: &str) -> bool {
    let excluded = ["examples/clients/", "tests/", "ui/"];
    let is_test = file.split('/').any(|part| part == "tests" || part == "fuzz");
    !excluded.iter().any(|folder| file.starts_with(folder)) && (!is_test || file.ends_with("src/tests.rs"))
}

fn copy_file(from: &Path, to: &PathBuf) -> std::io::Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    if to.file_name().is_some_and(|name| name == "Cargo.toml") {
        return fs::write(to, without_tests(&fs::read_to_string(from)?));
    }
    fs::copy(from, to).map(drop)
}

/// A manifest without what tests, benches and examples need.
fn without_tests(manifest: &str) -> String {
    let mut kept = String::new();
    let mut leaves = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            leaves = ["[dev-dependencies", "[[test]]", "[[bench]]", "[[example]]"]
                .iter()
                .any(|section| line.starts_with(section));
        }
        if !leaves {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_loses_what_tests_need_and_nothing_else() {
        let manifest = "[dependencies]\na = \"1\"\n\n[dev-dependencies]\nb = \"1\"\n\n[[test]]\nname = \"x\"\n\n[lints]\nworkspace = true\n";
        assert_eq!(without_tests(manifest), "[dependencies]\na = \"1\"\n\n[lints]\nworkspace = true\n");
    }

    #[test]
    fn the_promised_rust_is_a_version() {
        let version = oldest_rust().unwrap();
        assert!(version.split('.').all(|part| part.parse::<u32>().is_ok()), "{version}");
    }
}
