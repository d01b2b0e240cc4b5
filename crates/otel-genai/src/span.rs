//! The running operation: its span is open until it is finished, failed or dropped, and each of these happens once.

use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::time::{Instant, SystemTime};

use opentelemetry::trace::{FutureExt as _, Status, TraceContextExt as _};
use opentelemetry::{Context, KeyValue};

use crate::convention::Chunks;
use crate::failure::Failure;
use crate::handler::GenAi;
use crate::message::Message;
use crate::operation::{Embeddings, Inference, InferenceRequest, InferenceResponse, Operation, Server};
use crate::signal;
use crate::usage::Usage;

/// One moment on both clocks: the wall's for telemetry, the steady one for durations.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Moment {
    /// The wall clock.
    pub system: SystemTime,
    /// The steady clock.
    pub instant: Instant,
}

impl Moment {
    /// This moment.
    pub fn now() -> Self {
        Moment { system: SystemTime::now(), instant: Instant::now() }
    }

    /// The wall clock's time at `later`, immune to the wall clock being set meanwhile.
    fn system_at(&self, later: Instant) -> SystemTime {
        self.system + later.saturating_duration_since(self.instant)
    }
}

/// An operation that has been described and not yet started. Everything set here is seen by samplers, as far as the
/// convention gives it to them.
#[derive(Clone, Debug)]
#[must_use = "an operation that is not started records nothing: call start() or scope()"]
pub struct Pending<O: Operation> {
    genai: GenAi,
    op: O,
    parent: Option<Context>,
    at: Option<Moment>,
}

impl<O: Operation> Pending<O> {
    pub(crate) fn new(genai: GenAi, op: O) -> Self {
        Pending { genai, op, parent: None, at: None }
    }

    /// The parent, where it is not the current context.
    pub fn parent(mut self, parent: Context) -> Self {
        self.parent = Some(parent);
        self
    }

    /// When the operation began, where it is told afterwards.
    pub fn at(mut self, moment: Moment) -> Self {
        self.at = Some(moment);
        self
    }

    /// Changes the operation's data: `pending.with(|op| op.request.temperature = Some(0.2))`.
    pub fn with(mut self, change: impl FnOnce(&mut O)) -> Self {
        change(&mut self.op);
        self
    }

    /// Starts the operation. It runs until it is finished, failed or dropped.
    pub fn start(self) -> Active<O> {
        let at = self.at.unwrap_or_else(Moment::now);
        let parent = self.parent.unwrap_or_else(Context::current);
        let suppressed = GenAi::is_suppressed(&parent);
        let inner = self.genai.inner();
        let (context, identity) = if suppressed {
            (parent, Vec::new())
        } else {
            signal::start(&inner.tracer, O::describe(inner.convention), &self.op, at.system, &parent)
        };
        let span_content = inner.span_content && context.span().is_recording();
        let event_content = inner.event_content;
        Active {
            op: self.op,
            content: !suppressed && (span_content || event_content),
            span_content,
            genai: self.genai,
            context,
            at,
            identity,
            chunks: None,
            last_chunk: None,
            open: !suppressed,
        }
    }

    /// Runs `body` as this operation: it is the parent of all that happens within, ends when `body` ends, and an
    /// `Err` becomes its error. A future that is dropped half-way ends it as cancelled.
    pub async fn scope<T, E, F>(self, body: F) -> Result<T, E>
    where
        F: AsyncFnOnce(&mut Active<O>) -> Result<T, E>,
        for<'a> Failure: From<&'a E>,
    {
        let mut active = self.start();
        let context = active.context.clone();
        let result = body(&mut active).with_context(context).await;
        active.end_with(result)
    }

    /// The same for code that does not wait.
    pub fn in_scope<T, E, F>(self, body: F) -> Result<T, E>
    where
        F: FnOnce(&mut Active<O>) -> Result<T, E>,
        for<'a> Failure: From<&'a E>,
    {
        let mut active = self.start();
        let guard = active.context.clone().attach();
        let result = body(&mut active);
        drop(guard);
        active.end_with(result)
    }
}

impl Pending<Inference> {
    /// Where the provider listens.
    pub fn server(self, address: impl Into<String>, port: impl Into<Option<u16>>) -> Self {
        self.with(|op| op.server = Some(Server::new(address, port)))
    }

    /// The provider's or application's id of the conversation.
    pub fn conversation(self, id: impl Into<String>) -> Self {
        self.with(|op| op.conversation_id = Some(id.into()))
    }

    /// Changes the request: `pending.request(|r| r.temperature = Some(0.2))`.
    pub fn request(self, change: impl FnOnce(&mut InferenceRequest)) -> Self {
        self.with(|op| change(&mut op.request))
    }
}

impl Pending<Embeddings> {
    /// Where the provider listens.
    pub fn server(self, address: impl Into<String>, port: impl Into<Option<u16>>) -> Self {
        self.with(|op| op.server = Some(Server::new(address, port)))
    }
}

/// A running operation. It dereferences to its data, which may be filled in until it ends.
///
/// It ends exactly once: [`finish`](Active::finish) and [`fail`](Active::fail) consume it, and dropping it otherwise
/// records that it was cancelled (or that a panic ended it), so that nothing is lost and nothing lies.
#[derive(Debug)]
#[must_use = "dropping a running operation ends it as cancelled: call finish() or fail()"]
pub struct Active<O: Operation> {
    op: O,
    genai: GenAi,
    context: Context,
    at: Moment,
    /// What the span got when it started: who is asked for what.
    identity: Vec<KeyValue>,
    content: bool,
    span_content: bool,
    chunks: Option<Chunks>,
    last_chunk: Option<Instant>,
    open: bool,
}

impl<O: Operation> Active<O> {
    /// The context in which this operation is current: for parents, propagation and spawned tasks.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// When the operation began.
    pub fn started_at(&self) -> Moment {
        self.at
    }

    /// Whether content given to this operation will be recorded anywhere. When not, spare the work of making it.
    pub fn captures_content(&self) -> bool {
        self.content
    }

    /// Runs `future` within this operation, for callers that end it by hand.
    pub fn run<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F, O> {
        future.with_context(self.context.clone())
    }

    /// A chunk of a streamed answer has arrived, now.
    pub fn chunk(&mut self) {
        self.chunk_at(Instant::now());
    }

    /// A chunk of a streamed answer arrived at that moment. The first one makes the time to first chunk, each
    /// following one a time per output chunk. What these metrics say of the call (further metric attributes, say) is
    /// what is known by the chunk at which the answering model is.
    pub fn chunk_at(&mut self, arrived: Instant) {
        if !self.open {
            return;
        }
        let inner = self.genai.inner();
        let convention = O::describe(inner.convention);
        let previous = self.last_chunk.replace(arrived);
        let since = previous.unwrap_or(self.at.instant);
        let elapsed = arrived.saturating_duration_since(since);
        if previous.is_none() {
            self.op.first_chunk(elapsed);
        }
        // What is said of the call is put together once it is complete, and that is with the model that answers.
        if self.chunks.as_ref().is_none_or(|chunks| !chunks.complete) {
            self.chunks = convention.chunks(&self.op, &self.identity);
        }
        let Some(chunks) = &self.chunks else { return };
        let metric = if previous.is_none() { chunks.first } else { chunks.following };
        inner.instruments.record(metric, elapsed.as_secs_f64(), &chunks.attributes);
    }

    /// The operation ended well, now.
    pub fn finish(self) {
        self.finish_at(Instant::now());
    }

    /// The operation ended well at that moment.
    pub fn finish_at(mut self, ended: Instant) {
        self.end(ended, None);
    }

    /// The operation failed, now. Takes any error by reference, or a [`Failure`] where more is known.
    pub fn fail(self, failure: impl Into<Failure>) {
        self.fail_at(Instant::now(), failure);
    }

    /// The operation failed at that moment.
    pub fn fail_at(mut self, ended: Instant, failure: impl Into<Failure>) {
        self.end(ended, Some(&failure.into()));
    }

    fn end_with<T, E>(self, result: Result<T, E>) -> Result<T, E>
    where
        for<'a> Failure: From<&'a E>,
    {
        match &result {
            Ok(_) => self.finish(),
            Err(error) => self.fail(error),
        }
        result
    }

    fn end(&mut self, ended: Instant, failure: Option<&Failure>) {
        if !std::mem::take(&mut self.open) {
            return;
        }
        let at = self.at.system_at(ended);
        let inner = self.genai.inner();
        let convention = O::describe(inner.convention);
        let span = self.context.span();
        let recording = span.is_recording();

        let changed = signal::changed_identity(convention, &self.op, &self.identity);
        let identity = changed.as_ref().unwrap_or(&self.identity);
        let mut attributes = Vec::new();
        if recording || inner.emit_details {
            attributes = signal::finish_attributes(convention, &self.op, identity, failure);
        }
        let mut content = Vec::new();
        if self.content {
            convention.content(&self.op, failure, &mut content);
        }
        if let Some(events) = &inner.events {
            // Before the span ends, so that whoever follows the span's processors finds its event already there.
            if let Some(name) = convention.event(&self.op).filter(|_| inner.emit_details) {
                let content = if inner.event_content { content.as_slice() } else { &[] };
                events.emit(signal::details(name, at, &attributes, content), span.span_context());
            }
            if let (Some(failure), Some(name), true) =
                (failure, inner.convention.exception_event(), inner.emit_exceptions)
            {
                events.emit(signal::exception(name, at, failure), span.span_context());
            }
        }
        if recording {
            if changed.is_some() {
                span.update_name(convention.span_name(&self.op));
            }
            // The SDK would export a key twice that is set twice, so what the span has from the start is left out.
            span.set_attributes(attributes.into_iter().filter(|new| !self.identity.contains(new)));
            if self.span_content {
                span.set_attributes(
                    content
                        .iter()
                        .filter_map(|(key, value)| Some(KeyValue::new(key.clone(), value.to_json()?))),
                );
            }
            if let Some(failure) = failure {
                // The description is the error's message, never a copy of its type.
                span.set_status(Status::error(failure.message.clone().unwrap_or_default()));
            }
        }
        span.end_with_timestamp(at);

        let duration = ended.saturating_duration_since(self.at.instant);
        inner.instruments.record_all(convention.measure(&self.op, identity, duration, failure));
    }
}

impl<O: Operation> Drop for Active<O> {
    fn drop(&mut self) {
        if self.open {
            let failure = if std::thread::panicking() { Failure::panicked() } else { Failure::cancelled() };
            self.end(Instant::now(), Some(&failure));
        }
    }
}

impl<O: Operation> Deref for Active<O> {
    type Target = O;

    fn deref(&self) -> &O {
        &self.op
    }
}

impl<O: Operation> DerefMut for Active<O> {
    fn deref_mut(&mut self) -> &mut O {
        &mut self.op
    }
}

impl Active<Inference> {
    /// What is asked.
    pub fn request_mut(&mut self) -> &mut InferenceRequest {
        &mut self.op.request
    }

    /// What is answered.
    pub fn response_mut(&mut self) -> &mut InferenceResponse {
        &mut self.op.response
    }

    /// Adds messages to what is asked. Nothing is kept, nor even taken from the iterator, where content is not
    /// captured.
    pub fn input(&mut self, messages: impl IntoIterator<Item = Message>) {
        if self.content {
            self.op.request.input_messages.extend(messages);
        }
    }

    /// Adds messages to what is answered, one a choice, likewise.
    pub fn output(&mut self, messages: impl IntoIterator<Item = Message>) {
        if self.content {
            self.op.response.output_messages.extend(messages);
        }
    }

    /// Tokens used: input and output.
    pub fn usage(&mut self, input_tokens: u64, output_tokens: u64) {
        self.op.usage.merge(Usage::new(input_tokens, output_tokens));
    }
}

#[allow(dead_code, reason = "a compile-time proof that running operations move across threads")]
fn active_is_send(active: Active<Inference>) -> impl Send {
    active
}
