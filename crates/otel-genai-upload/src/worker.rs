//! The thread that writes: a small runtime of its own, so that no caller waits and no caller's runtime is needed.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use object_store::{ObjectStoreExt as _, PutPayload};
use otel_genai::opentelemetry::Context;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::content::File;
use crate::error::{Error, told};
use crate::place::Place;
use crate::queue::{Books, Outcome, Ticket};

/// Uploads under way at once.
const AT_ONCE: usize = 8;

/// An admitted file.
pub(crate) type Job = (File, Ticket);

/// The hook's end of the thread.
#[derive(Debug)]
pub(crate) struct Worker {
    /// Admission bounds what is in here. Gone, the thread ends when its work is done.
    pub(crate) jobs: UnboundedSender<Job>,
    /// Gone, the thread gives up what is left.
    pub(crate) patience: oneshot::Sender<()>,
}

/// Starts the thread and has it write, and delete, a first file, so that a place which cannot be written to is told
/// at once and not by each upload.
pub(crate) fn start(place: Place, books: Arc<Books>, each: Duration) -> Result<Worker, Error> {
    let (jobs, work) = unbounded_channel();
    let (patience, impatience) = oneshot::channel();
    let (ready, is_ready) = mpsc::sync_channel(1);
    let shown = place.base.clone();
    std::thread::Builder::new()
        .name("genai-upload".to_owned())
        .spawn(move || {
            let runtime = match runtime() {
                Ok(runtime) => runtime,
                Err(error) => return drop(ready.send(Err(Error::Thread(error)))),
            };
            // What the libraries below say through `tracing` must not lead to telemetry about telemetry.
            let _silent = Context::enter_telemetry_suppressed_scope();
            runtime.block_on(async {
                let tried = try_place(&place, each).await;
                let usable = tried.is_ok();
                if ready.send(tried).is_ok() && usable {
                    run(&place, &books, each, work, impatience).await;
                }
            });
            // Not waited for: a file system that hangs would hang this thread, too.
            runtime.shutdown_background();
        })
        .map_err(Error::Thread)?;
    match is_ready.recv() {
        Ok(tried) => tried.map(|()| Worker { jobs, patience }),
        Err(_) => {
            Err(Error::NotWritable { base_path: shown, why: "the thread of uploads has died".to_owned() })
        }
    }
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        // Files are written and names resolved on these; two, so that one that hangs does not hold up the other.
        .max_blocking_threads(2)
        .thread_keep_alive(Duration::from_secs(2))
        .thread_name("genai-upload-io")
        .on_thread_start(|| std::mem::forget(Context::enter_telemetry_suppressed_scope()))
        .enable_all()
        .build()
}

async fn try_place(place: &Place, each: Duration) -> Result<(), Error> {
    let location = place.location(".otel-genai-upload-test");
    let tried = async {
        place.store.put(&location, PutPayload::from_static(b"\n")).await?;
        // Who may write may not always delete.
        let _ = place.store.delete(&location).await;
        Ok(())
    };
    let base_path = || place.base.clone();
    match timeout(each, tried).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Error::NotWritable { base_path: base_path(), why: told(&error) }),
        Err(_) => Err(Error::NoAnswer { base_path: base_path(), after: each }),
    }
}

async fn run(
    place: &Place,
    books: &Arc<Books>,
    each: Duration,
    mut work: UnboundedReceiver<Job>,
    mut impatience: oneshot::Receiver<()>,
) {
    let mut running = JoinSet::new();
    let mut open = true;
    while open || !running.is_empty() {
        tokio::select! {
            _ = &mut impatience => return,
            job = work.recv(), if open && running.len() < AT_ONCE => match job {
                Some(job) => drop(running.spawn(upload(place.clone(), Arc::clone(books), each, job))),
                None => open = false,
            },
            Some(_) = running.join_next() => {}
        }
    }
}

async fn upload(place: Place, books: Arc<Books>, each: Duration, (file, ticket): Job) {
    let (outcome, why) = match timeout(each, write(&place, &file)).await {
        Ok(Ok(outcome)) => (outcome, String::new()),
        Ok(Err(error)) => (Outcome::Failed, told(&error)),
        Err(_) => (Outcome::Failed, format!("no answer within {each:?}")),
    };
    if outcome == Outcome::Failed && books.first_failure() {
        let reference = place.reference(&file.name);
        tracing::warn!(
            target: "otel_genai_upload",
            "{reference} could not be uploaded: {why}; further failures are only counted"
        );
    }
    ticket.settle(outcome);
}

/// Writes the file unless it is there. Stores show a file under its name only when it is complete.
async fn write(place: &Place, file: &File) -> object_store::Result<Outcome> {
    let location = place.location(&file.name);
    // A store that may only be written to refuses to tell; then it is written again, which changes nothing.
    if let Ok(there) = place.store.head(&location).await
        && there.size == file.bytes.len() as u64
    {
        return Ok(Outcome::WasThere);
    }
    place.store.put(&location, file.bytes.clone().into()).await?;
    Ok(Outcome::Stored)
}
