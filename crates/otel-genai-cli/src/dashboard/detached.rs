//! A dashboard that outlives the command that starts it.

use std::fs::{OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::found::Found;
use super::place;
use crate::exit::{PORT_TAKEN, RUNS_ALREADY};

/// How long a dashboard that was started may take to answer.
const READY: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(20);

/// The dashboard of this folder: the one that runs, else a new one, which ends when nobody has been connected for half an
/// hour. The error is for people.
pub(crate) async fn find_or_start(folder: &Path) -> Result<Found, String> {
    if let Some(found) = Found::at(folder).await {
        return Ok(found);
    }
    place::make(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    let mut child = start(folder, &[])?;
    match wait(folder, &mut child).await {
        // Whatever has the usual ports, a program under `run` is told others: also where it is a dashboard with other data,
        // another user's say.
        Err(Some(code))
            if code == i32::from(PORT_TAKEN)
                || (code == i32::from(RUNS_ALREADY) && place::owner(folder).is_none()) =>
        {
            let any = "127.0.0.1:0";
            let mut child = start(folder, &["--page", any, "--http", any, "--grpc", "off"])?;
            wait(folder, &mut child).await
        }
        ended => ended,
    }
    .map_err(|code| {
        let log = folder.join(LOG);
        let why = last_line(&log).unwrap_or_else(|| match code {
            Some(code) => format!("it ended with status {code}; see {}", log.display()),
            None => format!("it does not answer; see {}", log.display()),
        });
        why.strip_prefix("otel-genai: ").unwrap_or(&why).to_owned()
    })
}

const LOG: &str = "dashboard.log";

fn start(folder: &Path, more: &[&str]) -> Result<Child, String> {
    let failed = |error: io::Error| format!("it cannot be started: {error}");
    // It may tell the token.
    let log = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(folder.join(LOG))
        .map_err(failed)?;
    log.set_permissions(Permissions::from_mode(0o600)).map_err(failed)?;
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    command.args(["dashboard", "--detached", "--exit-when-idle", "30m", "--data-dir"]).arg(folder).args(more);
    let errors = log.try_clone().map_err(failed)?;
    command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn().map_err(failed)
}

/// Until it answers. An error is the status it ended with instead, if it did.
async fn wait(folder: &Path, child: &mut Child) -> Result<Found, Option<i32>> {
    let deadline = Instant::now() + READY;
    loop {
        if let Some(found) = Found::at(folder).await {
            return Ok(found);
        }
        if let Ok(Some(status)) = child.try_wait() {
            // Another one may have been faster.
            return Found::at(folder).await.ok_or(status.code());
        }
        if Instant::now() > deadline {
            return Err(None);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn last_line(log: &Path) -> Option<String> {
    let text = std::fs::read_to_string(log).ok()?;
    text.lines().rfind(|line| line.starts_with("otel-genai: ")).map(str::to_owned)
}
