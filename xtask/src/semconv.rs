//! `cargo xtask semconv`: writes the constants of `otel-genai-semconv` from the conventions.
//!
//! Two conventions are read from the resolved registries and models of the conventions' repository, the others and
//! what is borrowed from the core conventions from `crates/otel-genai-semconv/registry/*.toml`. The result is checked in,
//! so nobody needs the sources to build.

mod data;
mod registry;
mod render;
mod requirement;
mod resolved;

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Result, program, workspace};

const CRATE: &str = "crates/otel-genai-semconv";

/// Where the conventions lie unless the command line says otherwise.
pub(crate) fn default_source() -> PathBuf {
    std::env::var_os("OTEL_GENAI_SEMCONV_DIR")
        .map_or_else(|| workspace::root().join("../shared/semconv"), PathBuf::from)
}

/// Writes the generated files that differ.
pub(crate) fn write(source: &Path) -> Result<()> {
    for (path, text) in generate(source)? {
        if fs::read_to_string(&path).is_ok_and(|old| old == text) {
            continue;
        }
        fs::write(&path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        println!("wrote {}", path.display());
    }
    Ok(())
}

/// Fails on the first checked-in file that is not what [`write()`] would write.
pub(crate) fn check(source: &Path) -> Result<()> {
    for (path, text) in generate(source)? {
        let old = read(&path)?;
        if old != text {
            let line = old.lines().zip(text.lines()).take_while(|(old, new)| old == new).count() + 1;
            return Err(format!(
                "{} differs from the conventions at line {line}; run `cargo xtask semconv` and commit the result",
                path.display()
            ));
        }
    }
    Ok(())
}

/// Each generated file with its text.
fn generate(source: &Path) -> Result<Vec<(PathBuf, String)>> {
    if !source.is_dir() {
        return Err(format!(
            "the conventions are not at {}; name their folder with --from",
            source.display()
        ));
    }
    let folder = workspace::root().join(CRATE);
    let written = folder.join("registry");
    let registry = registry::Registry::load(source, &written)?;
    let files = [
        ("src/attribute.rs", render::attributes(&registry)),
        ("src/event.rs", render::events(&registry)),
        ("src/metric/name.rs", render::metric_names(&registry)),
        ("src/metric/definition.rs", render::metric_definitions(&registry)),
        ("src/requirement/v2026_08.rs", requirement::table("2026-08", source, &written)?),
        ("src/requirement/v2026_10.rs", requirement::table("2026-10", source, &written)?),
        ("src/table.rs", render::table(&registry)),
        ("src/value/generated.rs", render::values(&registry)),
    ];
    files.into_iter().map(|(path, text)| Ok((folder.join(path), rustfmt(&text)?))).collect()
}

fn rustfmt(text: &str) -> Result<String> {
    let configuration = workspace::root().join("rustfmt.toml");
    let configuration = configuration.to_string_lossy();
    let arguments = ["--edition", "2024", "--config-path", &configuration, "--emit", "stdout"];
    program::filter(&mut program::command("rustfmt", &arguments), text)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn checked_in_files_are_what_the_generator_writes() {
        let source = super::default_source();
        if !source.is_dir() {
            eprintln!("skipped: the conventions are not at {}", source.display());
            return;
        }
        super::check(&source).unwrap();
    }
}
