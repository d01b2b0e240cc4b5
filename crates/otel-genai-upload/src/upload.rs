//! The hook: names contents, refers to them, and hands them on.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use otel_genai::opentelemetry::KeyValue;
use otel_genai::{Completion, CompletionHook};
use serde::Serialize;

use crate::content::{File, Kind};
use crate::error::Error;
use crate::place::{Place, Setup};
use crate::queue::{Admission, Books, Counts};
use crate::settings::{DEFAULT_MAX_QUEUE_SIZE, Format, Settings};
use crate::worker::{self, Worker};

/// How long the last clone, when it is dropped, waits for uploads.
const DRAIN: Duration = Duration::from_secs(5);

/// How long one upload may take, unless said otherwise.
const EACH: Duration = Duration::from_secs(30);

/// Uploads what was asked and answered, and leaves references to it in the telemetry. Cheap to clone; all clones are
/// one.
///
/// Keep a clone beside the [`GenAi`](otel_genai::GenAi) that calls it, and [`shutdown`](UploadHook::shutdown) it before
/// the program ends. When the last clone is dropped, uploads get five more seconds.
#[derive(Clone)]
pub struct UploadHook(Arc<Inner>);

struct Inner {
    place: Place,
    format: Format,
    books: Arc<Books>,
    worker: Mutex<Option<Worker>>,
}

impl UploadHook {
    /// Uploads to this folder or URL.
    pub fn builder(base_path: impl Into<String>) -> Builder {
        Builder {
            base_path: base_path.into(),
            format: Format::default(),
            max_queue_size: DEFAULT_MAX_QUEUE_SIZE,
            timeout: EACH,
            options: Vec::new(),
        }
    }

    /// As the process environment says; `None` where it asks for no upload.
    ///
    /// # Errors
    /// As [`Builder::build`], and [`Error::NoBasePath`] where it asks for upload and does not say where to.
    pub fn from_env() -> Result<Option<Self>, Error> {
        UploadHook::from_vars(|name| std::env::var(name).ok())
    }

    /// As these variables say ([`VARIABLES`](crate::VARIABLES)); `None` where they ask for no upload. A value that
    /// cannot be used becomes one warning of the target `otel_genai_upload`.
    ///
    /// # Errors
    /// As [`Builder::build`], and [`Error::NoBasePath`] where they ask for upload and do not say where to.
    pub fn from_vars(var: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, Error> {
        let (settings, warnings) = Settings::from_vars(var);
        for warning in warnings {
            tracing::warn!(target: "otel_genai_upload", "{warning}");
        }
        let Some(settings) = settings else { return Ok(None) };
        UploadHook::builder(settings.base_path.ok_or(Error::NoBasePath)?)
            .format(settings.format)
            .max_queue_size(settings.max_queue_size)
            .build()
            .map(Some)
    }

    /// The URL that all references begin with.
    pub fn base(&self) -> &str {
        &self.0.place.base
    }

    /// What became of the uploads so far.
    pub fn counts(&self) -> Counts {
        self.0.books.counts()
    }

    /// Waits until everything that was handed over before is uploaded or given up, or the time is up. `pending` says
    /// what is left.
    pub fn flush(&self, timeout: Duration) -> Counts {
        self.0.books.wait(timeout)
    }

    /// Takes no more, waits as [`flush`](UploadHook::flush) does, and then gives up what is left, which counts as
    /// failed.
    pub fn shutdown(&self, timeout: Duration) -> Counts {
        self.0.shutdown(timeout)
    }

    pub(crate) fn start(place: Place, format: Format, queue: usize, each: Duration) -> Result<Self, Error> {
        let books = Books::new(queue);
        let worker = worker::start(place.clone(), Arc::clone(&books), each)?;
        Ok(UploadHook(Arc::new(Inner { place, format, books, worker: Mutex::new(Some(worker)) })))
    }
}

impl CompletionHook for UploadHook {
    fn on_completion(&self, completion: &mut Completion<'_>) {
        let inner = &*self.0;
        let references = [
            inner.refer(Kind::Inputs, completion.input_messages),
            inner.refer(Kind::Outputs, completion.output_messages),
            inner.refer(Kind::SystemInstructions, completion.system_instructions),
            inner.refer(Kind::ToolDefinitions, completion.tool_definitions),
        ];
        completion.attributes.extend(references.into_iter().flatten());
    }
}

impl fmt::Debug for UploadHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadHook")
            .field("base", &self.base())
            .field("format", &self.0.format)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

impl Inner {
    /// Hands a content over; the reference to it, unless there is none or it has to be dropped.
    fn refer<T: Serialize>(&self, kind: Kind, items: &[T]) -> Option<KeyValue> {
        if items.is_empty() {
            return None;
        }
        let file = match File::new(kind, self.format, items) {
            Ok(file) => file,
            Err(error) => {
                self.books.lost();
                if self.books.first_failure() {
                    tracing::warn!(
                        target: "otel_genai_upload",
                        "content cannot be written as JSON: {error}; further failures are only counted"
                    );
                }
                return None;
            }
        };
        let reference = self.place.reference(&file.name);
        match self.books.admit(file.key, file.bytes.len()) {
            Admission::Known => {}
            Admission::Upload(ticket) => {
                let worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
                // Without its thread, the file is dropped here, and counts as failed.
                worker.as_ref()?.jobs.send((file, ticket)).ok()?;
            }
            Admission::Dropped => {
                if self.books.first_drop() {
                    tracing::warn!(
                        target: "otel_genai_upload",
                        "too many uploads are waiting, so that {reference} is dropped; further ones are only counted \
                         ({} says how many may wait)",
                        crate::UPLOAD_MAX_QUEUE_SIZE
                    );
                }
                return None;
            }
        }
        Some(KeyValue::new(kind.attribute(), reference))
    }

    fn shutdown(&self, timeout: Duration) -> Counts {
        self.books.close();
        let worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Worker { jobs, patience }) = worker else { return self.books.counts() };
        drop(jobs);
        let mut counts = self.books.wait(timeout);
        drop(patience);
        if counts.pending > 0 {
            // The thread is told to give up; this waits for its books only.
            counts = self.books.wait(Duration::from_secs(1));
        }
        counts
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let counts = self.shutdown(DRAIN);
        if counts.failed > 0 || counts.dropped > 0 {
            tracing::warn!(
                target: "otel_genai_upload",
                "of the uploads to {}, {} failed and {} were dropped; {} were stored",
                self.place.base, counts.failed, counts.dropped, counts.stored
            );
        }
    }
}

/// Builds an [`UploadHook`].
#[must_use = "nothing is uploaded until build() is called and the hook is given to a handler"]
pub struct Builder {
    base_path: String,
    format: Format,
    max_queue_size: usize,
    timeout: Duration,
    options: Vec<(String, String)>,
}

impl Builder {
    /// The format of the files; JSON otherwise.
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// How many uploads may be under way or waiting; 20 otherwise, and 1 at least. More are dropped and counted.
    /// Independently of it, 64 MiB of content may be waiting.
    pub fn max_queue_size(mut self, uploads: usize) -> Self {
        self.max_queue_size = uploads.max(1);
        self
    }

    /// How long one upload may take with all its retries, and how long [`build`](Builder::build) waits for the store;
    /// 30 seconds otherwise.
    pub fn timeout(mut self, each: Duration) -> Self {
        self.timeout = each;
        self
    }

    /// A setting of a cloud's store, by the name that the crate `object_store` gives it (`aws_region`,
    /// `google_service_account`, `azure_storage_account_name`, ...). It goes before the environment. Names that the
    /// cloud does not know are an error; local folders have none.
    pub fn option(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.push((name.into(), value.into()));
        self
    }

    /// Makes the folder where it is missing, tries to write to it, and starts the thread of uploads. It waits for the
    /// store: build it when the program starts.
    ///
    /// # Errors
    /// Where the base path is not understood, its cloud is not built in, or nothing can be written there.
    pub fn build(self) -> Result<UploadHook, Error> {
        let setup = Setup { options: &self.options, format: self.format, timeout: self.timeout };
        let place = Place::open(&self.base_path, &setup)?;
        UploadHook::start(place, self.format, self.max_queue_size, self.timeout)
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Base path and options may hold credentials.
        f.debug_struct("Builder")
            .field("format", &self.format)
            .field("max_queue_size", &self.max_queue_size)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
