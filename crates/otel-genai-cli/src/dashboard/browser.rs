//! Opens a page where there is somebody to look at it.

use std::process::{Command, Stdio};

use super::place;

/// Opens the page in the user's browser, if there is a screen. Returns whether somebody was asked to.
pub(crate) fn open(url: &str) -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let program = if cfg!(target_os = "macos") {
        "open"
    } else if is_set("DISPLAY") || is_set("WAYLAND_DISPLAY") {
        "xdg-open"
    } else {
        return false;
    };
    // A browser that is started by this goes on with what it inherits: its files are none of ours to keep from others.
    let mut command = match place::umask_before() {
        Some(umask) => {
            let mut shell = Command::new("sh");
            shell.args(["-c", "umask \"$0\" && exec \"$@\"", umask.as_str(), program]);
            shell
        }
        None => Command::new(program),
    };
    command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.spawn() {
        Ok(mut opener) => {
            // It ends when it has told the browser; nobody needs to know, but somebody has to wait for it.
            let _ = std::thread::Builder::new().name("browser".to_owned()).spawn(move || opener.wait());
            true
        }
        Err(_) => false,
    }
}
