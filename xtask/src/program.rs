//! Other programs, run without a shell.

use std::io::{ErrorKind, Write};
use std::process::{Command, Stdio};

use crate::{Result, workspace};

/// A command at the workspace root.
pub(crate) fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(workspace::root());
    command
}

/// The cargo that runs this program.
///
/// What `cargo run` tells xtask about xtask is taken out: build scripts that watch those variables would run again
/// at every change between `cargo` and `cargo xtask`.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = command(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()), arguments);
    for (name, _) in std::env::vars_os() {
        let of_package = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_")
                || name.starts_with("CARGO_MANIFEST_")
                || name == "CARGO_PRIMARY_PACKAGE"
        });
        if of_package {
            command.env_remove(name);
        }
    }
    command
}

/// Runs with this terminal's input and output; an exit code other than zero is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| cannot_start(command, &error))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` ended with {status}", words(command))) }
}

/// Runs with `input` on the standard input and returns the standard output.
pub(crate) fn filter(command: &mut Command, input: &str) -> Result<String> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| cannot_start(command, &error))?;
    // Dropping the pipe at the end of the statement tells the program that its input is complete.
    // The programs used here read all of it before they answer, so nothing blocks.
    if let Some(mut pipe) = child.stdin.take() {
        pipe.write_all(input.as_bytes())
            .map_err(|error| format!("cannot write to `{}`: {error}", words(command)))?;
    }
    let output = child
        .wait_with_output()
        .map_err(|error| format!("cannot read from `{}`: {error}", words(command)))?;
    if !output.status.success() {
        return Err(format!("`{}` ended with {}", words(command), output.status));
    }
    String::from_utf8(output.stdout).map_err(|error| format!("`{}` wrote no UTF-8: {error}", words(command)))
}

/// Whether cargo has the subcommand, such as `nextest`.
pub(crate) fn cargo_has(subcommand: &str) -> bool {
    cargo(&[subcommand, "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The command as a person would type it.
pub(crate) fn words(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let program = program.file_stem().unwrap_or(command.get_program());
    std::iter::once(program)
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

fn cannot_start(command: &Command, error: &std::io::Error) -> String {
    let program = command.get_program().to_string_lossy();
    if error.kind() == ErrorKind::NotFound {
        format!("`{program}` is not installed or not on PATH; it is needed for `{}`", words(command))
    } else {
        format!("cannot start `{}`: {error}", words(command))
    }
}
