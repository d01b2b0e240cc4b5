//! Passes bytes between the client and the server: each piece at once, as it came.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use otel_genai::McpSide;
use rustix::event::{PollFd, PollFlags, poll};
use tokio::sync::oneshot;

use super::watch::Teller;

const PIECE: usize = 64 << 10;
/// What a server leaves running may keep its output open for ever. Silence for so long after its end is the end.
const SILENCE: Duration = Duration::from_millis(250);

/// Our own input and output, which belong to the client and the server alone.
pub(crate) struct Streams {
    input: File,
    output: File,
}

impl Streams {
    /// Takes them away from everyone else in this process: what is written to standard output by mistake goes to standard
    /// error. And the other ends see it when these are closed.
    pub(crate) fn take() -> io::Result<Self> {
        let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        let output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
        rustix::stdio::dup2_stdout(io::stderr())?;
        Ok(Self { input, output })
    }
}

/// The server's output on its way.
pub(crate) struct Passing {
    over: oneshot::Receiver<()>,
    progress: Arc<Progress>,
}

#[derive(Default)]
struct Progress {
    pieces: AtomicU64,
    /// Whether the client is waited for.
    writing: AtomicBool,
}

/// Begins to pass on both ways. `input` and `output` are the server's.
pub(crate) fn pass_on(
    streams: Streams,
    input: OwnedFd,
    output: OwnedFd,
    teller: Option<Teller>,
) -> io::Result<Passing> {
    let Streams { input: from_client, output: mut to_client } = streams;
    let (sender, over) = oneshot::channel();
    let progress = Arc::new(Progress::default());
    let told = teller.clone();
    thread::Builder::new().name("client".to_owned()).spawn(move || {
        // A server that reads no more is no client that sends no more.
        let mut input = File::from(input);
        // The server sees the end when this is dropped: it is told before.
        if pass(McpSide::Client, from_client, &mut input, told.as_ref(), &Progress::default()).is_ok()
            && let Some(teller) = told
        {
            teller.closed(McpSide::Client);
        }
    })?;
    let seen = Arc::clone(&progress);
    thread::Builder::new().name("server".to_owned()).spawn(move || {
        let passed = pass(McpSide::Server, File::from(output), &mut to_client, teller.as_ref(), &seen);
        if let Some(teller) = teller {
            if passed.is_err() {
                teller.gone();
            }
            teller.closed(McpSide::Server);
        }
        drop(to_client);
        drop(sender);
    })?;
    Ok(Passing { over, progress })
}

impl Passing {
    /// Waits until the client has all that the server, which has ended, wrote.
    pub(crate) async fn rest(mut self) {
        loop {
            let before = self.progress.pieces.load(Relaxed);
            if tokio::time::timeout(SILENCE, &mut self.over).await.is_ok() {
                return;
            }
            let writing = self.progress.writing.load(Relaxed);
            if !writing && before == self.progress.pieces.load(Relaxed) {
                return;
            }
        }
    }
}

/// Passes on until there is no more; then `source` is closed. An error is the sink's.
fn pass(
    from: McpSide,
    mut source: File,
    sink: &mut File,
    teller: Option<&Teller>,
    progress: &Progress,
) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        let length = match source.read(&mut piece) {
            Ok(length) => length,
            Err(error) if is_passing(&error) => {
                wait(&source, PollFlags::IN, &error);
                continue;
            }
            // As if there were no more, which is what it comes to.
            Err(_) => 0,
        };
        let Some(bytes) = piece.get(..length).filter(|bytes| !bytes.is_empty()) else { return Ok(()) };
        // A copy first: an answer must not be read before what it answers.
        if let Some(teller) = teller {
            teller.passed(from, bytes);
        }
        progress.pieces.fetch_add(1, Relaxed);
        progress.writing.store(true, Relaxed);
        let written = write(sink, bytes);
        progress.writing.store(false, Relaxed);
        written?;
    }
}

fn write(sink: &mut File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match sink.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if is_passing(&error) => wait(sink, PollFlags::OUT, &error),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Streams that others share with us may be set not to wait.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

fn wait(stream: &File, flags: PollFlags, error: &io::Error) {
    if error.kind() == io::ErrorKind::WouldBlock {
        // An error shows when it is tried again.
        let _ = poll(&mut [PollFd::new(stream, flags)], None);
    }
}
