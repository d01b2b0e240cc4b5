//! The handler: holds tracer, instruments and event sink, and starts operations.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use opentelemetry::global::{self, BoxedTracer, ObjectSafeTracerProvider};
use opentelemetry::logs::{Logger, LoggerProvider};
use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry::{Context, InstrumentationScope};
use otel_genai_semconv::value::{McpMethodName, OperationName, ProviderName};

use crate::capture::Capture;
use crate::config::Config;
use crate::content::Pipeline;
use crate::convention::{Convention, Conventions};
use crate::drain::{Drain, Drains};
use crate::failure::ErrorTypes;
use crate::hook::CompletionHook;
use crate::limit::ContentLimits;
use crate::operation::{
    CreateAgent, Embeddings, Entry, ExecuteTool, FetchResponse, Inference, InvokeAgent, InvokeWorkflow,
    McpCall, McpSession, McpSide, Memory, Operation, Plan as Planning, ReactStep, Rerank, Retrieval,
};
use crate::pending::Pending;
use crate::redact::Redact;
use crate::signal::{EventSink, Instruments, erase};
use crate::unheard;

/// The name of the instrumentation scope of all telemetry.
const SCOPE: &str = "otel-genai";

/// Starts operations and writes their telemetry. Cheap to clone; all clones are one.
///
/// ```
/// use otel_genai::{GenAi, Message};
///
/// let genai = GenAi::global();
/// let mut call = genai.chat("openai", "gpt-4o-mini").start();
/// call.input([Message::user("Where is my order?")]);
/// // ... ask the model ...
/// call.response_mut().id = Some("chatcmpl-1".into());
/// call.output([Message::assistant("On its way.").finish("stop")]);
/// call.usage(15, 20);
/// call.finish();
/// ```
#[derive(Clone)]
pub struct GenAi(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) conventions: Conventions,
    pub(crate) tracer: BoxedTracer,
    pub(crate) instruments: Instruments,
    pub(crate) events: Option<Box<dyn EventSink>>,
    /// Whether what operations hand down also travels as baggage.
    pub(crate) baggage: bool,
    pub(crate) error_types: ErrorTypes,
    /// What is done to content before it is written.
    pub(crate) pipeline: Pipeline,
    /// Whether exceptions are told as events.
    pub(crate) emit_exceptions: bool,
    capture: Capture,
    emit_event: Option<bool>,
    opted_in: bool,
    drains: Drains,
    /// Whether spans go to whichever provider is OpenTelemetry's global one.
    pub(crate) of_globals: bool,
}

impl Inner {
    /// Whether nothing is left of an operation whose span is not recorded.
    pub(crate) fn tells_spans_alone(&self) -> bool {
        self.events.is_none() && self.instruments.is_empty() && self.pipeline.hook.is_none()
    }

    /// What of an operation is told where.
    pub(crate) fn plan(&self, capture: Option<Capture>) -> Plan {
        let asked = capture.is_some_and(|capture| capture != Capture::NoContent);
        let opted_in = self.opted_in || asked;
        let capture = match capture.unwrap_or(self.capture) {
            Capture::ByConvention => self.conventions.first().convention().capture_by_convention,
            capture => capture,
        };
        let capture = if opted_in { capture } else { Capture::NoContent };
        let emit_event = self.emit_event.unwrap_or(capture.on_event()) && opted_in;
        Plan {
            span_content: capture.on_span(),
            event_content: capture.on_event() && self.emit_event != Some(false) && self.events.is_some(),
            event_messages: self.conventions.tells_messages()
                && self.emit_event != Some(false)
                && self.events.is_some(),
            emit_event,
            never_event: self.emit_event == Some(false),
            hooked: self.pipeline.hook.is_some(),
            opted_in,
        }
    }
}

/// What of an operation is told where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Whether content stands on the span.
    pub(crate) span_content: bool,
    /// Whether content stands in the events.
    pub(crate) event_content: bool,
    /// Whether events tell which messages there were, with or without their content.
    event_messages: bool,
    /// Whether anything that has to do with content may be told at all.
    pub(crate) opted_in: bool,
    emit_event: bool,
    never_event: bool,
    /// Whether a completion hook wants to see it, although it may be recorded nowhere.
    hooked: bool,
}

impl Plan {
    /// The same for an operation whose span is recorded or not, or of which nothing is told.
    pub(crate) fn of_span(self, recording: bool, unseen: bool, conversation: bool) -> Plan {
        Plan {
            span_content: self.span_content && recording && !unseen,
            event_content: self.event_content && !unseen,
            event_messages: self.event_messages && !unseen,
            hooked: self.hooked && conversation && !unseen,
            ..self
        }
    }

    /// The same without content.
    pub(crate) fn without_content(self) -> Plan {
        Plan { span_content: false, event_content: false, opted_in: false, ..self }
    }

    /// Whether messages are wanted anywhere: their content, or that they were there.
    pub(crate) fn content(self) -> bool {
        self.span_content || self.event_content || self.event_messages || self.hooked
    }

    /// Whether the events of this convention are emitted.
    pub(crate) fn emits(self, convention: &Convention) -> bool {
        self.emit_event || (convention.always_events && !self.never_event)
    }
}

static GLOBAL: OnceLock<GenAi> = OnceLock::new();

/// The environment's settings, read once, so that a mistake in them is said once.
static ENVIRONMENT: OnceLock<Config> = OnceLock::new();

impl GenAi {
    /// A handler of your own providers and settings.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The handler that [`set_global`](GenAi::set_global) installed; without one, a handler of OpenTelemetry's
    /// global tracer and meter providers and the environment's settings. OpenTelemetry has no global provider of
    /// loggers, so that one emits no events. It is made anew each time, because those providers may change: keep
    /// what you get, or install a handler.
    pub fn global() -> GenAi {
        match GLOBAL.get() {
            Some(genai) => genai.clone(),
            // Not kept: the global providers may be installed later.
            None => {
                unheard::asked();
                GenAi::builder().build()
            }
        }
    }

    /// Makes this the handler that [`global`](GenAi::global) returns. The first one stays: `Err` gives back the one
    /// that came too late.
    pub fn set_global(self) -> Result<(), GenAi> {
        GLOBAL.set(self)
    }

    /// Asks `drain` for the rest before this handler's telemetry is flushed, as long as it lives.
    pub fn drain_with(&self, drain: Weak<dyn Drain>) {
        self.0.drains.add(drain);
    }

    /// Waits until all calls are told that ended before and are still being read by layers around clients, but no longer
    /// than `timeout`. Returns whether that was done in time. The guard of `otel_genai::init()` does so by itself; without it,
    /// call this before the providers are flushed. Blocks: call it off an async thread.
    pub fn drain(&self, timeout: Duration) -> bool {
        self.0.drains.drain(timeout)
    }

    /// Telemetry ends: calls that layers around clients still have open end as if they had been dropped. Then
    /// [`drain`](GenAi::drain). The guard of `otel_genai::init()` does so by itself.
    pub fn close(&self) {
        self.0.drains.close();
    }

    /// A `chat` call.
    pub fn chat(&self, provider: impl Into<ProviderName>, model: impl Into<String>) -> Pending<Inference> {
        self.call(OperationName::Chat, provider, model)
    }

    /// A `generate_content` call, as multimodal APIs name it.
    pub fn generate_content(
        &self,
        provider: impl Into<ProviderName>,
        model: impl Into<String>,
    ) -> Pending<Inference> {
        self.call(OperationName::GenerateContent, provider, model)
    }

    /// A `text_completion` call, of APIs without messages.
    pub fn text_completion(
        &self,
        provider: impl Into<ProviderName>,
        model: impl Into<String>,
    ) -> Pending<Inference> {
        self.call(OperationName::TextCompletion, provider, model)
    }

    /// An `embeddings` call.
    pub fn embeddings(
        &self,
        provider: impl Into<ProviderName>,
        model: impl Into<String>,
    ) -> Pending<Embeddings> {
        let mut op = Embeddings::new(provider);
        op.model = Some(model.into());
        self.operation(op)
    }

    /// An agent is created at a service that hosts agents.
    pub fn create_agent(&self, name: impl Into<String>) -> Pending<CreateAgent> {
        self.operation(CreateAgent { name: Some(name.into()), ..CreateAgent::default() })
    }

    /// An agent of this process is given a task. For an agent that a service hosts see
    /// [`remote`](Pending::<InvokeAgent>::remote).
    pub fn invoke_agent(&self, name: impl Into<String>) -> Pending<InvokeAgent> {
        self.operation(InvokeAgent { name: Some(name.into()), ..InvokeAgent::default() })
    }

    /// The application runs a tool.
    pub fn execute_tool(&self, name: impl Into<String>) -> Pending<ExecuteTool> {
        self.operation(ExecuteTool::new(name))
    }

    /// Documents are looked up in this store or index.
    pub fn retrieval(&self, data_source_id: impl Into<String>) -> Pending<Retrieval> {
        self.operation(Retrieval { data_source_id: Some(data_source_id.into()), ..Retrieval::default() })
    }

    /// Documents are put in the order of their relevance.
    pub fn rerank(&self, provider: impl Into<ProviderName>, model: impl Into<String>) -> Pending<Rerank> {
        let (provider, model) = (Some(provider.into()), Some(model.into()));
        self.operation(Rerank { provider, model, ..Rerank::default() })
    }

    /// A workflow runs.
    pub fn invoke_workflow(&self, name: impl Into<String>) -> Pending<InvokeWorkflow> {
        self.operation(InvokeWorkflow { name: Some(name.into()), ..InvokeWorkflow::default() })
    }

    /// An agent makes a plan.
    pub fn plan(&self) -> Pending<Planning> {
        self.operation(Planning::default())
    }

    /// An answer that the provider keeps is fetched by its id.
    pub fn fetch_response(
        &self,
        provider: impl Into<ProviderName>,
        response_id: impl Into<String>,
    ) -> Pending<FetchResponse> {
        self.operation(FetchResponse::new(provider, response_id))
    }

    /// Memories are looked for.
    pub fn search_memory(&self) -> Pending<Memory> {
        self.memory(OperationName::SearchMemory)
    }

    /// A memory is written that was not there.
    pub fn create_memory(&self) -> Pending<Memory> {
        self.memory(OperationName::CreateMemory)
    }

    /// A memory is changed.
    pub fn update_memory(&self) -> Pending<Memory> {
        self.memory(OperationName::UpdateMemory)
    }

    /// A memory is written, whether it was there or not.
    pub fn upsert_memory(&self) -> Pending<Memory> {
        self.memory(OperationName::UpsertMemory)
    }

    /// A memory, or all of them, are forgotten.
    pub fn delete_memory(&self) -> Pending<Memory> {
        self.memory(OperationName::DeleteMemory)
    }

    /// A store of memories is made.
    pub fn create_memory_store(&self) -> Pending<Memory> {
        self.memory(OperationName::CreateMemoryStore)
    }

    /// A store of memories is removed.
    pub fn delete_memory_store(&self) -> Pending<Memory> {
        self.memory(OperationName::DeleteMemoryStore)
    }

    /// Any memory operation, by its name.
    pub fn memory(&self, operation: impl Into<OperationName>) -> Pending<Memory> {
        self.operation(Memory::new(operation))
    }

    /// A request to an MCP server, as the client sees it.
    pub fn mcp_client(&self, method: impl Into<McpMethodName>) -> Pending<McpCall> {
        self.operation(McpCall::new(McpSide::Client, method))
    }

    /// A request as the MCP server sees it.
    pub fn mcp_server(&self, method: impl Into<McpMethodName>) -> Pending<McpCall> {
        self.operation(McpCall::new(McpSide::Server, method))
    }

    /// A session with an MCP server begins: measured until it ends, without a span.
    pub fn mcp_client_session(&self) -> Pending<McpSession> {
        self.operation(McpSession::new(McpSide::Client))
    }

    /// A session with an MCP client begins, likewise.
    pub fn mcp_server_session(&self) -> Pending<McpSession> {
        self.operation(McpSession::new(McpSide::Server))
    }

    /// A user's request enters the application.
    pub fn entry(&self) -> Pending<Entry> {
        self.operation(Entry::default())
    }

    /// A round of a ReAct loop, counted from 1.
    pub fn react_step(&self, round: impl Into<Option<i64>>) -> Pending<ReactStep> {
        self.operation(ReactStep { round: round.into(), ..ReactStep::default() })
    }

    /// Any operation, described by its data.
    pub fn operation<O: Operation>(&self, op: O) -> Pending<O> {
        Pending::new(self.clone(), op)
    }

    /// Whether content can be recorded at all: when not, whoever assembles messages can save the work. A running
    /// operation knows more precisely ([`Active::captures_content`](crate::Active::captures_content)).
    pub fn captures_content(&self) -> bool {
        let plan = self.0.plan(None);
        plan.content()
    }

    /// The capture mode of this handler, and spans besides: for spans that somebody else has put content on.
    #[doc(hidden)]
    pub fn capture_with_span(&self) -> Capture {
        if self.0.plan(None).event_content { Capture::SpanAndEvent } else { Capture::SpanOnly }
    }

    /// A text as content may be shown: redacted and within the limits.
    #[doc(hidden)]
    pub fn shown_text(&self, text: String) -> String {
        self.0.pipeline.text(text)
    }

    fn call(
        &self,
        operation: OperationName,
        provider: impl Into<ProviderName>,
        model: impl Into<String>,
    ) -> Pending<Inference> {
        let mut op = Inference::new(operation, provider);
        op.request.model = Some(model.into());
        self.operation(op)
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    /// Telemetry that is caused by exporting telemetry would never end.
    pub(crate) fn is_suppressed(parent: &Context) -> bool {
        parent.is_telemetry_suppressed()
    }
}

impl std::fmt::Debug for GenAi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GenAi").field("captures_content", &self.captures_content()).finish_non_exhaustive()
    }
}

/// What a provider makes for our instrumentation scope, once that is known.
type ForScope<T> = Box<dyn FnOnce(InstrumentationScope) -> T>;

/// Builds a [`GenAi`]. What is not given comes from OpenTelemetry's globals and the environment.
#[derive(Default)]
#[must_use]
pub struct Builder {
    tracers: Option<ForScope<BoxedTracer>>,
    loggers: Option<ForScope<Box<dyn EventSink>>>,
    meters: Option<ForScope<Meter>>,
    /// Whether nothing is measured.
    unmeasured: bool,
    config: Option<Config>,
    capture: Option<Capture>,
    conventions: Option<Conventions>,
    baggage: bool,
    error_types: ErrorTypes,
    redact: Option<Arc<dyn Redact>>,
    hook: Option<Arc<dyn CompletionHook>>,
    limits: Option<ContentLimits>,
}

impl Builder {
    /// Where spans go.
    pub fn tracer_provider<P>(mut self, provider: &P) -> Self
    where
        P: ObjectSafeTracerProvider + Clone + 'static,
    {
        let provider = provider.clone();
        self.tracers = Some(Box::new(move |scope| BoxedTracer::new(provider.boxed_tracer(scope))));
        self
    }

    /// Where events go. Without it there are none.
    pub fn logger_provider<P>(mut self, provider: &P) -> Self
    where
        P: LoggerProvider + Clone + 'static,
        P::Logger: Logger + Send + Sync + 'static,
    {
        let provider = provider.clone();
        self.loggers = Some(Box::new(move |scope| erase(provider.logger_with_scope(scope))));
        self
    }

    /// Where metrics go.
    pub fn meter_provider<P>(mut self, provider: &P) -> Self
    where
        P: MeterProvider + Clone + 'static,
    {
        let provider = provider.clone();
        self.meters = Some(Box::new(move |scope| provider.meter_with_scope(scope)));
        self.unmeasured = false;
        self
    }

    /// Measures nothing, whatever meter provider OpenTelemetry has globally. Without metrics and events an operation
    /// that is not sampled costs next to nothing.
    pub fn without_metrics(mut self) -> Self {
        self.unmeasured = true;
        self
    }

    /// Settings of your own instead of the environment's.
    pub fn config(mut self, config: Config) -> Self {
        self.config = Some(config);
        self
    }

    /// Where content is recorded, whatever the environment says.
    pub fn capture(mut self, capture: Capture) -> Self {
        self.capture = Some(capture);
        self
    }

    /// The vocabulary, whatever the environment says.
    pub fn convention(mut self, conventions: impl Into<Conventions>) -> Self {
        self.conventions = Some(conventions.into());
        self
    }

    /// Takes sensitive data out of all content before anything is serialised, whatever the environment says: see
    /// [`redact`](crate::redact).
    pub fn redact(mut self, redact: impl Redact + 'static) -> Self {
        self.redact = Some(Arc::new(redact));
        self
    }

    /// How large content may be, whatever the environment says: see [`limit`](crate::limit).
    pub fn limits(mut self, limits: ContentLimits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// Sees the content of every operation that has a conversation before it is recorded, also where it is recorded
    /// nowhere; redacted already. `otel-genai-upload` has one that stores content elsewhere.
    pub fn completion_hook(mut self, hook: impl CompletionHook + 'static) -> Self {
        self.hook = Some(Arc::new(hook));
        self
    }

    /// Hands agent name, conversation, session and user down as baggage too, and takes them from there. Baggage leaves
    /// the process: every service that is called with it sees it. Off by default.
    pub fn baggage(mut self, baggage: bool) -> Self {
        self.baggage = baggage;
        self
    }

    /// What `error.type` errors of this type have, where that is more than the type's name: a provider's code, an
    /// HTTP status. Errors within errors (`source`) are looked at too where the outer one is a `Box<dyn Error>`. `None`
    /// leaves it to the next, and at last to the name.
    ///
    /// ```
    /// # use otel_genai::GenAi;
    /// # #[derive(Debug)] struct ApiError { status: u16 }
    /// # impl std::fmt::Display for ApiError {
    /// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { write!(f, "refused") }
    /// # }
    /// # impl std::error::Error for ApiError {}
    /// let genai = GenAi::builder()
    ///     .error_type(|error: &ApiError| Some(error.status.to_string().into()))
    ///     .build();
    /// # let _ = genai;
    /// ```
    pub fn error_type<E, F>(mut self, resolve: F) -> Self
    where
        E: std::error::Error + 'static,
        F: Fn(&E) -> Option<Cow<'static, str>> + Send + Sync + 'static,
    {
        self.error_types.add(resolve);
        self
    }

    /// The handler.
    pub fn build(self) -> GenAi {
        let config = self.config.unwrap_or_else(|| ENVIRONMENT.get_or_init(Config::from_env).clone());
        let conventions = self.conventions.unwrap_or(config.convention);
        let first = conventions.first().convention();
        let scope = InstrumentationScope::builder(SCOPE)
            .with_version(env!("CARGO_PKG_VERSION"))
            .with_schema_url(first.schema_url)
            .build();
        let of_globals = self.tracers.is_none();
        let tracer = match self.tracers {
            Some(tracers) => tracers(scope.clone()),
            None => global::tracer_with_scope(scope.clone()),
        };
        let instruments = if self.unmeasured {
            Instruments::default()
        } else {
            let meter = match self.meters {
                Some(meters) => meters(scope.clone()),
                None => global::meter_with_scope(scope.clone()),
            };
            Instruments::new(&meter, &conventions.metrics())
        };
        let events = self.loggers.map(|loggers| loggers(scope));
        let emit_exceptions = events.is_some() && config.emit_event != Some(false);
        GenAi(Arc::new(Inner {
            conventions,
            tracer,
            instruments,
            events,
            baggage: self.baggage || config.baggage,
            error_types: self.error_types,
            pipeline: Pipeline {
                redact: self.redact.or_else(|| config.redactor().map(|redactor| Arc::new(redactor) as _)),
                hook: self.hook,
                limits: self.limits.unwrap_or(config.limits),
            },
            emit_exceptions,
            capture: self.capture.unwrap_or(config.capture),
            emit_event: config.emit_event,
            opted_in: !first.needs_opt_in
                || config.opt_in
                || self.capture.is_some_and(|capture| capture != Capture::NoContent),
            drains: Drains::default(),
            of_globals,
        }))
    }
}
