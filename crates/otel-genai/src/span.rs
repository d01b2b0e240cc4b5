//! The running operation: its span is open until it is finished, failed or dropped, and each of these happens once.

use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::time::{Instant, SystemTime};

use opentelemetry::trace::{FutureExt as _, SpanContext, Status, TraceContextExt as _};
use opentelemetry::{Context, ContextGuard, Key, KeyValue};
use otel_genai_semconv::attribute::ERROR_TYPE;

use crate::content::Panicked;
use crate::context::{Inside, Layer, Surroundings};
use crate::convention::{Content, Event, Name, Telling, Told};
use crate::failure::{Cause, Failure};
use crate::handler::{GenAi, Inner, Plan};
use crate::operation::{Fact, Field, Operation};
use crate::pending;
use crate::signal::{self, Measured, Record, View};

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

    /// Another moment, before or after this one, by the same wall clock: immune to its being set meanwhile.
    #[must_use]
    pub fn at(self, instant: Instant) -> Self {
        let system = match instant.checked_duration_since(self.instant) {
            Some(later) => self.system.checked_add(later),
            None => self.system.checked_sub(self.instant.saturating_duration_since(instant)),
        };
        Moment { system: system.unwrap_or(self.system), instant }
    }

    /// The wall clock's time at `later`; what is earlier is no time at all.
    fn system_at(&self, later: Instant) -> SystemTime {
        self.at(later.max(self.instant)).system
    }
}

/// A running operation. It dereferences to its data, which may be filled in until it ends.
///
/// It ends exactly once: [`finish`](Active::finish) and [`fail`](Active::fail) consume it, and dropping it otherwise
/// records that it was cancelled (or that a panic ended it), so that nothing is lost and nothing lies.
#[must_use = "dropping a running operation ends it as cancelled: call finish() or fail()"]
pub struct Active<O: Operation> {
    op: Box<O>,
    genai: GenAi,
    /// Where its span is current, and nothing else of it.
    context: Context,
    at: Moment,
    running: [Option<Running>; 2],
    /// The keys of the user's own attributes that the span got when it started.
    given: Vec<Key>,
    /// For a span that is started late.
    in_process: bool,
    links: Vec<SpanContext>,
    surroundings: Surroundings,
    /// Made when somebody asks for it: most calls of models have nothing inside.
    inside: OnceLock<Inside>,
    role: Role,
    plan: Plan,
    chunks: Option<Chunks>,
    last_chunk: Option<Instant>,
    /// Whether neither metrics nor events tell of it, because something else does.
    spans_alone: bool,
    open: bool,
}

/// A convention's view of the running operation.
pub(crate) struct Running {
    pub(crate) telling: Telling,
    /// What the span got when it started: who is asked for what.
    pub(crate) identity: Vec<KeyValue>,
}

/// What the operation is to the ones around it.
pub(crate) enum Role {
    /// One of its own.
    Own,
    /// Not to be told at all: it is caused by exporting telemetry.
    Unseen,
    /// One of its own that leaves nothing: its span is not sampled, and nobody takes metrics or events.
    Silent,
    /// The same call as the outer one, which tells of it.
    Same(Arc<Layer>),
    /// How the outer one is done: measured, but without a span of its own.
    Part(Arc<Layer>),
}

/// What the metrics of chunks say of the call.
struct Chunks {
    attributes: [Vec<KeyValue>; 2],
    /// Whether nothing more is to be learned for the attributes.
    complete: bool,
}

impl<O: Operation> Active<O> {
    #[expect(
        clippy::too_many_arguments,
        reason = "only `Pending::start` makes one, and it knows all of this"
    )]
    pub(crate) fn new(
        op: Box<O>,
        genai: GenAi,
        context: Context,
        at: Moment,
        running: [Option<Running>; 2],
        given: Vec<Key>,
        in_process: bool,
        links: Vec<SpanContext>,
        surroundings: Surroundings,
        role: Role,
        plan: Plan,
    ) -> Self {
        let open = !matches!(role, Role::Unseen);
        Active {
            op,
            genai,
            context,
            at,
            running,
            given,
            in_process,
            links,
            surroundings,
            inside: OnceLock::new(),
            role,
            plan,
            chunks: None,
            last_chunk: None,
            spans_alone: false,
            open,
        }
    }

    /// The context in which this operation is current: for parents, propagation and spawned tasks.
    pub fn context(&self) -> &Context {
        match self.role {
            Role::Own | Role::Silent => &self.inside().context,
            Role::Unseen | Role::Same(_) | Role::Part(_) => &self.context,
        }
    }

    /// What this operation hands down.
    pub(crate) fn inside(&self) -> &Inside {
        self.inside.get_or_init(|| {
            let silent = matches!(self.role, Role::Silent);
            self.surroundings.inside(&self.context, &*self.op, silent, self.genai.inner().baggage)
        })
    }

    /// Makes this operation the current one of this thread until the guard is dropped, for code that does not wait.
    /// The guard must not be held across an `.await`: use [`run`](Active::run) or
    /// [`scope`](crate::Pending::scope) there.
    pub fn attach(&self) -> ContextGuard {
        self.context().clone().attach()
    }

    /// Runs `future` within this operation, for callers that end it by hand.
    pub fn run<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F, O> {
        future.with_context(self.context().clone())
    }

    /// When the operation began.
    pub fn started_at(&self) -> Moment {
        self.at
    }

    /// Whether content given to this operation is wanted anywhere: to be recorded, by a completion hook, or in `v1.30`
    /// to tell which messages there were. When not, spare the work of making it.
    pub fn captures_content(&self) -> bool {
        self.plan.content()
    }

    /// Whether something is said in place of content that is not captured.
    pub(crate) fn tells_instead(&self) -> bool {
        self.plan.opted_in
            && self.running.iter().flatten().any(|running| !running.telling.content.instead.is_empty())
    }

    /// A further attribute of the span and, where the convention allows it, the event. It wins over the convention's
    /// own attribute of that name; `error.type` apart, and apart from what the span was given when it started, which
    /// OpenTelemetry's API for Rust cannot replace (set those at [`Pending::attribute`](crate::Pending::attribute)).
    pub fn attribute(&mut self, key: impl Into<Key>, value: impl Into<opentelemetry::Value>) -> &mut Self {
        self.op.custom_mut().attributes.push(KeyValue::new(key, value));
        self
    }

    /// A further attribute of the metrics, which wins there likewise. Keep its cardinality low.
    pub fn metric_attribute(
        &mut self,
        key: impl Into<Key>,
        value: impl Into<opentelemetry::Value>,
    ) -> &mut Self {
        self.op.custom_mut().metric_attributes.push(KeyValue::new(key, value));
        self
    }

    /// A chunk of a streamed answer has arrived, now.
    pub fn chunk(&mut self) {
        self.chunk_at(Instant::now());
    }

    /// A chunk of a streamed answer arrived at that moment. The first one makes the time to first chunk, each
    /// following one a time per output chunk. What these metrics say of the call (further metric attributes, say) is
    /// what is known by the chunk at which the answering model is.
    pub fn chunk_at(&mut self, arrived: Instant) {
        if !self.open || matches!(self.role, Role::Silent) {
            return;
        }
        // A chunk from before the start is somebody's mistake, and no time at all says so best.
        if arrived < self.at.instant {
            return;
        }
        let previous = self.last_chunk.replace(arrived);
        let since = previous.unwrap_or(self.at.instant);
        let elapsed = arrived.saturating_duration_since(since);
        if previous.is_none() {
            self.op.first_chunk(elapsed);
        }
        if self.spans_alone || matches!(self.role, Role::Same(_)) {
            return;
        }
        // What is said of the call is put together once it is complete, and that is with the model that answers.
        if self.chunks.as_ref().is_none_or(|chunks| !chunks.complete) {
            self.chunks = Some(self.chunks());
        }
        let Some(chunks) = &self.chunks else { return };
        let instruments = &self.genai.inner().instruments;
        for (running, attributes) in self.running.iter().zip(&chunks.attributes) {
            let metrics = running.as_ref().and_then(|running| running.telling.description.chunks.as_ref());
            if let Some(metrics) = metrics {
                let metric = if previous.is_none() { metrics.first } else { metrics.following };
                instruments.record(metric, elapsed.as_secs_f64(), attributes);
            }
        }
    }

    fn chunks(&self) -> Chunks {
        let mut attributes = [Vec::new(), Vec::new()];
        for (running, attributes) in self.running.iter().zip(&mut attributes) {
            let Some(running) = running else { continue };
            if running.telling.description.chunks.is_none() {
                continue;
            }
            *attributes = signal::listed(
                &running.telling.chunks,
                &self.told(running.telling, false),
                &running.identity,
            );
            for custom in &self.op.custom().metric_attributes {
                signal::replace(attributes, custom.clone());
            }
        }
        Chunks { attributes, complete: self.op.fact(Field::ResponseModel).is_some() }
    }

    /// Nothing but its span tells of this operation: something else has told the rest.
    #[doc(hidden)]
    pub fn spans_alone(&mut self) {
        self.spans_alone = true;
    }

    /// Counts calls of models and of tools within this agent, beside those that count themselves; for other operations it
    /// does nothing.
    ///
    /// For frameworks that tell of calls by hooks: count here what a hook hears, and give the calls themselves
    /// [`context_uncounted`](Active::context_uncounted), so that none counts twice.
    pub fn count_calls(&self, inference: u64, tool: u64) {
        if let Some(calls) = self.inside.get().and_then(|inside| inside.handles.calls.as_deref()) {
            calls.add(inference, tool);
        }
    }

    /// The [`context`](Active::context) in which calls do not count themselves to this agent: those that
    /// [`count_calls`](Active::count_calls) counts, because they may be told after the agent has ended.
    ///
    /// ```
    /// # use otel_genai::GenAi;
    /// # let genai = GenAi::builder().build();
    /// let agent = genai.invoke_agent("planner").start();
    /// agent.count_calls(1, 0); // a hook hears that a model is asked
    /// let call = genai.chat("openai", "gpt-5").parent(agent.context_uncounted()).start();
    /// agent.finish();
    /// call.finish();
    /// ```
    #[must_use]
    pub fn context_uncounted(&self) -> Context {
        Surroundings::uncounted(self.context())
    }

    fn told(&self, telling: Telling, failed: bool) -> Told<'_> {
        Told {
            op: &*self.op,
            surroundings: &self.surroundings,
            operation: telling.description.operation,
            failed,
        }
    }

    /// The operation ended well, now.
    pub fn finish(mut self) {
        let now = self.now();
        self.end(now, None);
    }

    /// The operation ended well at that moment.
    pub fn finish_at(mut self, ended: Instant) {
        self.end(ended, None);
    }

    /// The operation failed, now. Takes any error by reference, or a [`Failure`] where more is known.
    pub fn fail(self, cause: impl Cause) {
        let now = self.now();
        self.fail_at(now, cause);
    }

    /// The operation failed at that moment.
    pub fn fail_at(mut self, ended: Instant, cause: impl Cause) {
        let types = &self.genai.inner().error_types;
        // An error that cannot even say what it is must not break whoever tells of it.
        let failure = catch_unwind(AssertUnwindSafe(|| cause.failure(types))).unwrap_or_else(|_| {
            Failure::new(Failure::OTHER).message("the error could not be told: its text panicked")
        });
        self.end(ended, Some(&failure));
    }

    /// The operation ended as this says: `Ok` is good, an `Err` is its error. Gives back what it took.
    pub fn end_with<T, E>(self, result: Result<T, E>) -> Result<T, E>
    where
        for<'a> &'a E: Cause,
    {
        match &result {
            Ok(_) => self.finish(),
            Err(error) => self.fail(error),
        }
        result
    }

    /// This moment, where it matters.
    fn now(&self) -> Instant {
        if matches!(self.role, Role::Silent) { self.at.instant } else { Instant::now() }
    }

    fn end(&mut self, ended: Instant, failure: Option<&Failure>) {
        if !std::mem::take(&mut self.open) {
            return;
        }
        let failure = self.op.judge(failure);
        let failure = failure.filter(|failure| self.is_error(failure));
        let failure = failure.map(|failure| self.genai.inner().pipeline.shown(failure));
        let failure = failure.as_deref();
        match std::mem::replace(&mut self.role, Role::Unseen) {
            Role::Unseen | Role::Silent => {}
            Role::Own => self.tell(ended, failure),
            Role::Same(layer) => {
                if !layer.absorb(&*self.op) {
                    self.tell_late(ended, failure);
                }
            }
            Role::Part(layer) => {
                let genai = self.genai.clone();
                let mut attributes = Vec::new();
                for Running { telling, identity } in self.running.iter().flatten() {
                    let told = self.told(telling, failure.is_some());
                    signal::add_missing(&mut attributes, identity.clone());
                    signal::add_missing(&mut attributes, signal::ended(telling, &told, identity).0);
                }
                if layer.add(&attributes) {
                    self.measure(genai.inner(), ended, failure);
                } else {
                    self.tell_late(ended, failure);
                }
            }
        }
    }

    /// Whether the convention takes this failure for an error of the operation.
    fn is_error(&self, failure: &Failure) -> bool {
        self.first()
            .is_none_or(|first| (first.telling.convention.is_error)(&self.told(first.telling, true), failure))
    }

    /// The call that this one seemed to be a part of has ended before: it is one of its own after all.
    fn tell_late(&mut self, ended: Instant, failure: Option<&Failure>) {
        let genai = self.genai.clone();
        let begun = pending::begin(
            genai.inner(),
            &*self.op,
            &self.surroundings,
            &self.running,
            &self.context,
            self.at,
            self.in_process,
            std::mem::take(&mut self.links),
        );
        if let Some(begun) = begun {
            (self.context, self.given) = (begun.context, begun.given);
        }
        self.surroundings.count(self.op.kind());
        self.tell(ended, failure);
    }

    /// Writes all that is to be told of the operation.
    fn tell(&mut self, ended: Instant, failure: Option<&Failure>) {
        let mut absorbed = Vec::new();
        if let Some(layer) = self.inside.get_mut().and_then(|inside| inside.handles.layer.take()) {
            absorbed = layer.fill(&mut *self.op);
        }
        let genai = self.genai.clone();
        let inner = genai.inner();
        let at = self.at.system_at(ended);
        let context = self.context.clone();
        let span = context.span();
        let has_span = self.has_span();
        let recording = has_span && span.is_recording();
        let error_type = failure.map(|failure| KeyValue::new(ERROR_TYPE, failure.error_type.clone()));

        let content = self.plan.content();
        if (content || self.tells_instead()) && inner.pipeline.redact(&mut *self.op).is_err() {
            self.plan = self.plan.without_content();
        } else if content {
            let name = self.op.fact(Field::OperationName).and_then(|fact| match fact {
                Fact::Word(word) => Some(word),
                _ => None,
            });
            match inner.pipeline.call_hook(
                &mut *self.op,
                name.as_deref().unwrap_or_default(),
                if has_span { span.span_context() } else { &SpanContext::NONE },
            ) {
                Ok(attributes) => self.op.custom_mut().attributes.extend(attributes),
                Err(Panicked) => self.plan = self.plan.without_content(),
            }
        }

        let events = inner.events.as_ref().filter(|_| !self.spans_alone);
        let custom = &self.op.custom().attributes;
        let mut attributes: Vec<KeyValue> = Vec::new();
        let mut renamed = None;
        let mut records: Vec<Record> = Vec::new();
        for (position, running) in self.running.iter().flatten().enumerate() {
            let Running { telling, identity } = running;
            let description = telling.description;
            let told = self.told(telling, failure.is_some());
            let emits = events.is_some() && self.plan.emits(telling.convention);
            let own_list = !matches!(description.event, Event::Details { rows: None, .. });
            let content_of_event = if own_list { &telling.event_content } else { &telling.content };
            let mut ended = Vec::new();
            let mut late = false;
            if recording || (emits && !own_list) {
                (ended, late) = signal::ended(telling, &told, identity);
            }
            // Content is prepared once where span and event say the same.
            let mut shared = None;
            if emits {
                match description.event {
                    Event::None => {}
                    Event::Details { name, severity, rows, custom: with_custom } => {
                        let content = self.content(content_of_event, &told, self.plan.event_content);
                        let custom = if with_custom { custom.as_slice() } else { &[] };
                        let record = match rows {
                            Some(_) => {
                                let listed = signal::listed(&telling.event, &told, identity);
                                signal::details(
                                    name,
                                    severity,
                                    &[],
                                    &listed,
                                    &content,
                                    custom,
                                    error_type.as_ref(),
                                )
                            }
                            None => signal::details(
                                name,
                                severity,
                                identity,
                                &ended,
                                &content,
                                custom,
                                error_type.as_ref(),
                            ),
                        };
                        if !own_list && self.plan.event_content == self.plan.span_content {
                            shared = Some(content);
                        }
                        // One event where two conventions have one of this name, with the attributes of both.
                        match records.iter_mut().find(|known| known.name == name) {
                            Some(known) => known.add_missing(record),
                            None => records.push(record),
                        }
                    }
                    Event::Custom(make) => {
                        records.extend(make(&told, self.plan.event_content, &inner.pipeline));
                    }
                }
            }
            if recording {
                let content = shared
                    .unwrap_or_else(|| self.content(&telling.content, &told, self.plan.span_content))
                    .into_iter()
                    .filter_map(|(key, fact)| Some(KeyValue::new(key, signal::value(&fact)?)));
                if position == 0 {
                    attributes = ended;
                    attributes.extend(content);
                    // A name becomes more precise with what is known late.
                    if late {
                        renamed = Some(told.span_name(&description.name));
                    }
                } else {
                    ended.extend(content);
                    ended.retain(|new| !self.is_given(&new.key));
                    signal::add_missing(&mut attributes, ended);
                }
            }
        }
        // Before the span ends, so that whoever follows the span's processors finds its event already there.
        if let Some(events) = events {
            for record in records {
                events.emit(record, at, span.span_context());
            }
        }
        let first = self.first();
        let is_client = first
            .is_some_and(|first| first.telling.description.kind == opentelemetry::trace::SpanKind::Client);
        if let (Some(failure), Some(events)) = (failure, events)
            && let Some(name) =
                self.running.iter().flatten().find_map(|running| running.telling.convention.exception)
            && is_client
            && has_span
            && inner.emit_exceptions
        {
            events.emit(signal::exception(name, failure), at, span.span_context());
        }
        if recording {
            if let Some(name) = renamed {
                span.update_name(name);
            }
            absorbed.retain(|new| !self.is_given(&new.key));
            signal::add_missing(&mut attributes, absorbed);
            for custom in custom.iter().chain(&error_type) {
                signal::replace(&mut attributes, custom.clone());
            }
            // The SDK would export a key twice that is set twice: what samplers saw stays.
            // Without attributes of the user's own, and in one convention, none can be.
            if !custom.is_empty() || self.running.iter().all(Option::is_some) {
                attributes.retain(|new| !self.is_given(&new.key));
            }
            span.set_attributes(attributes);
            if let Some(failure) = failure {
                // The description is the error's message, never a copy of its type.
                span.set_status(Status::error(failure.message.clone().unwrap_or_default()));
            }
        }
        if has_span {
            span.end_with_timestamp(at);
        }
        self.measure(inner, ended, failure);
    }

    /// Content as it is written, or what is said in its place.
    fn content<'a>(
        &'a self,
        content: &'static Content,
        told: &Told<'a>,
        captured: bool,
    ) -> Vec<(Key, Fact<'a>)> {
        let pipeline = &self.genai.inner().pipeline;
        match (captured, self.plan.opted_in) {
            (true, _) => signal::content(&content.captured, told, pipeline),
            (false, true) => signal::content(&content.instead, told, pipeline),
            (false, false) => Vec::new(),
        }
    }

    /// Without a convention that knows the operation there is no span, and the context's is the parent's.
    fn has_span(&self) -> bool {
        self.first().is_some_and(|first| !matches!(first.telling.description.name, Name::None))
    }

    /// Whether the span got an attribute of this key when it started.
    fn is_given(&self, key: &Key) -> bool {
        let identities = self.running.iter().flatten().flat_map(|running| &running.identity);
        self.given.contains(key) || identities.into_iter().any(|known| known.key == *key)
    }

    /// The view of the convention that decides.
    fn first(&self) -> Option<&Running> {
        self.running.iter().flatten().next()
    }

    fn measure(&self, inner: &Inner, ended: Instant, failure: Option<&Failure>) {
        if inner.instruments.is_empty() || self.spans_alone {
            return;
        }
        let views = self.running.each_ref().map(|running| {
            let Running { telling, identity } = running.as_ref()?;
            Some(View { telling, told: self.told(telling, failure.is_some()), identity })
        });
        let measured = Measured {
            duration: ended.saturating_duration_since(self.at.instant),
            calls: self.inside.get().and_then(|inside| inside.handles.calls.as_deref()),
            error_type: failure.map(|failure| KeyValue::new(ERROR_TYPE, failure.error_type.clone())),
            custom: &self.op.custom().metric_attributes,
        };
        inner.instruments.record_all(&views, &measured);
    }
}

impl<O: Operation> Drop for Active<O> {
    fn drop(&mut self) {
        if !self.open {
            return;
        }
        if matches!(self.role, Role::Silent) {
            self.end(self.at.instant, None);
        } else {
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

impl<O: Operation + std::fmt::Debug> std::fmt::Debug for Active<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Active").field("operation", &self.op).finish_non_exhaustive()
    }
}

#[allow(dead_code, reason = "a compile-time proof that running operations move across threads")]
fn active_is_send(active: Active<crate::Inference>) -> impl Send {
    active
}
