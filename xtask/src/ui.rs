//! `cargo xtask ui`: the dashboard's page, its types and its tests.

use std::process::{Command, Stdio};

use crate::program::{self, run};
use crate::{Result, workspace};

/// Where a published crate carries the page.
const PACKAGED: &str = "crates/otel-genai-dashboard/page";

/// What has to hold of the page, one step after the other: a name, and what to run.
pub(crate) fn steps() -> [(&'static str, Command); 3] {
    [
        ("packages of the page", node(&["install.mjs"])),
        ("types of the page", node(&["node_modules/typescript/bin/tsc", "--noEmit"])),
        ("tests of the page", node(&["test/run.mjs"])),
    ]
}

/// Whether there is a Node.js to run them.
pub(crate) fn has_node() -> bool {
    node(&["--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Makes the page where `cargo publish` takes it from.
pub(crate) fn package() -> Result<()> {
    run(&mut node(&["install.mjs"]))?;
    let to = workspace::root().join(PACKAGED);
    run(node(&["build.mjs", "--budget", "--out"]).arg(to))
}

fn node(arguments: &[&str]) -> Command {
    let mut command = program::command("node", arguments);
    command.current_dir(workspace::root().join("ui"));
    command
}
