//! The program under `run` and `mcp`: started with our own streams, signalled as it would be without us, waited for.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::WithOrigin;
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::mpsc;

use crate::exit::{Failure, NOT_EXECUTABLE, NOT_FOUND};

/// What people and process managers send to a program.
const FORWARDED: [i32; 6] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2];

/// The system's "this is no program": a script without its first line, which shells run all the same.
const ENOEXEC: i32 = 8;

/// A signal that came to us.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Received {
    number: i32,
    /// Who sent it; `None` is the terminal, which sends to every process in the foreground.
    sender: Option<i32>,
    pub(crate) at: Instant,
}

/// Signals that no longer end us. What the program would have ignored without us stays ignored.
pub(crate) struct Signals(mpsc::UnboundedReceiver<Received>);

impl Signals {
    pub(crate) fn catch() -> io::Result<Self> {
        let caught = FORWARDED.iter().filter(|number| !is_ignored(**number));
        let mut signals = SignalsInfo::<WithOrigin>::new(caught)?;
        let (sender, receiver) = mpsc::unbounded_channel();
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for origin in &mut signals {
                let sent_by = origin.process.map(|process| process.pid);
                let received = Received { number: origin.signal, sender: sent_by, at: Instant::now() };
                if sender.send(received).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self(receiver))
    }

    /// The next one; never if there are no more.
    pub(crate) async fn next(&mut self) -> Received {
        match self.0.recv().await {
            Some(received) => received,
            None => std::future::pending().await,
        }
    }
}

/// Whether a signal is ignored (by `nohup`, by a shell's `&`), as far as the system tells.
pub(crate) fn is_ignored(number: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // Bit 0 is signal 1.
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (number - 1) & 1 == 1
}

/// A running program.
pub(crate) struct Child(tokio::process::Child);

impl Child {
    /// Starts `command` in our process group, with our streams and our environment changed by `environment`. Must be
    /// called inside the runtime.
    pub(crate) fn spawn(
        command: &[OsString],
        environment: &[(&'static str, OsString)],
    ) -> Result<Self, Failure> {
        Self::start(command, |command| {
            command.envs(environment.iter().map(|(name, value)| (name, value)));
        })
    }

    /// Starts `command` likewise, but for its input and output: we write the one, and read the other. Both block.
    pub(crate) fn spawn_piped(command: &[OsString]) -> Result<(Self, OwnedFd, OwnedFd), Failure> {
        let mut child = Self::start(command, |command| {
            command.stdin(Stdio::piped()).stdout(Stdio::piped());
        })?;
        let input = child.0.stdin.take().map(ChildStdin::into_owned_fd);
        let output = child.0.stdout.take().map(ChildStdout::into_owned_fd);
        match (input, output) {
            (Some(Ok(input)), Some(Ok(output))) => Ok((child, input, output)),
            _ => Err(Failure::ours("the system gives no pipes to the program")),
        }
    }

    fn start(command: &[OsString], prepare: impl Fn(&mut tokio::process::Command)) -> Result<Self, Failure> {
        let (program, arguments) =
            command.split_first().ok_or_else(|| Failure::ours("there is no command to run"))?;
        let start = |program: &OsStr, first: Option<&Path>| {
            let mut command = tokio::process::Command::new(program);
            command.args(first).args(arguments);
            prepare(&mut command);
            command.spawn()
        };
        match start(program, None) {
            Ok(child) => Ok(Self(child)),
            Err(error) if error.raw_os_error() == Some(ENOEXEC) => {
                let script = find(program).filter(|path| is_text(path));
                let started = script.and_then(|script| start(OsStr::new("/bin/sh"), Some(&script)).ok());
                started.map(Self).ok_or_else(|| not_started(program, &error))
            }
            Err(error) => Err(not_started(program, &error)),
        }
    }

    /// Waits for the program's end, and passes on what is sent to us alone.
    pub(crate) async fn wait(&mut self, signals: &mut Signals) -> io::Result<ExitStatus> {
        loop {
            tokio::select! {
                status = self.0.wait() => return status,
                received = signals.next() => self.forward(received),
            }
        }
    }

    fn forward(&self, received: Received) {
        // A program that is waited for has no id any more, so that nobody else can be hit.
        let child = self.0.id().and_then(|id| i32::try_from(id).ok());
        let (Some(sender), Some(child)) = (received.sender, child) else { return };
        if sender == child {
            return;
        }
        if let (Some(pid), Some(signal)) = (Pid::from_raw(child), Signal::from_named_raw(received.number)) {
            // It may have ended meanwhile.
            let _ = kill_process(pid, signal);
        }
    }
}

fn not_started(program: &OsStr, error: &io::Error) -> Failure {
    let name = program.to_string_lossy();
    let found = find(program);
    match error.kind() {
        io::ErrorKind::NotFound if found.as_deref().is_some_and(Path::is_file) => Failure::new(
            NOT_EXECUTABLE,
            format!("{name}: the interpreter that its first line names does not exist"),
        ),
        io::ErrorKind::NotFound if program.as_encoded_bytes().contains(&b'/') => {
            Failure::new(NOT_FOUND, format!("{name}: no such file or directory"))
        }
        io::ErrorKind::NotFound => {
            Failure::new(NOT_FOUND, format!("{name}: command not found (looked for in PATH)"))
        }
        _ if found.as_deref().is_some_and(Path::is_dir) => {
            Failure::new(NOT_EXECUTABLE, format!("{name}: is a directory"))
        }
        io::ErrorKind::PermissionDenied => {
            Failure::new(NOT_EXECUTABLE, format!("{name}: permission denied; is it executable (chmod +x)?"))
        }
        _ => Failure::new(NOT_EXECUTABLE, format!("{name}: cannot be executed: {error}")),
    }
}

/// Where the system looks for a command.
fn find(program: &OsStr) -> Option<PathBuf> {
    let path = Path::new(program);
    if program.as_encoded_bytes().contains(&b'/') {
        return path.exists().then(|| path.to_owned());
    }
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(path)).find(|candidate| candidate.is_file())
}

/// As shells tell a script from a program for another machine.
fn is_text(path: &Path) -> bool {
    use std::io::Read as _;

    let mut start = [0; 256];
    let read = std::fs::File::open(path).and_then(|mut file| file.read(&mut start));
    read.is_ok_and(|length| start.get(..length).is_some_and(|start| !start.contains(&0)))
}
