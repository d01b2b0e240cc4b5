//! The handler: holds tracer, instruments and event sink, and starts operations.

use std::sync::{Arc, OnceLock};

use opentelemetry::global::{self, BoxedTracer, ObjectSafeTracerProvider};
use opentelemetry::logs::{Logger, LoggerProvider};
use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry::{Context, InstrumentationScope};
use otel_genai_semconv::value::{OperationName, ProviderName};

use crate::capture::Capture;
use crate::config::Config;
use crate::convention::Convention;
use crate::operation::{Embeddings, Inference, Operation};
use crate::signal::{EventSink, Instruments, erase};
use crate::span::Pending;

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
    pub(crate) convention: &'static dyn Convention,
    pub(crate) tracer: BoxedTracer,
    pub(crate) instruments: Instruments,
    pub(crate) events: Option<Box<dyn EventSink>>,
    pub(crate) span_content: bool,
    pub(crate) event_content: bool,
    /// Whether operations emit their event of details.
    pub(crate) emit_details: bool,
    /// Whether exceptions are told as events.
    pub(crate) emit_exceptions: bool,
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
            None => GenAi::builder().build(),
        }
    }

    /// Makes this the handler that [`global`](GenAi::global) returns. The first one stays: `Err` gives back the one
    /// that came too late.
    pub fn set_global(self) -> Result<(), GenAi> {
        GLOBAL.set(self)
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

    /// Any operation, described by its data.
    pub fn operation<O: Operation>(&self, op: O) -> Pending<O> {
        Pending::new(self.clone(), op)
    }

    /// Whether content can be recorded at all: when not, whoever assembles messages can save the work. A running
    /// operation knows more precisely ([`Active::captures_content`](crate::Active::captures_content)).
    pub fn captures_content(&self) -> bool {
        self.0.span_content || self.0.event_content
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
    config: Option<Config>,
    capture: Option<Capture>,
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

    /// The handler.
    pub fn build(self) -> GenAi {
        let config = self.config.unwrap_or_else(|| ENVIRONMENT.get_or_init(Config::from_env).clone());
        let convention = config.convention.convention();
        let scope = InstrumentationScope::builder(SCOPE)
            .with_version(env!("CARGO_PKG_VERSION"))
            .with_schema_url(convention.schema_url())
            .build();
        let tracer = match self.tracers {
            Some(tracers) => tracers(scope.clone()),
            None => global::tracer_with_scope(scope.clone()),
        };
        let meter = match self.meters {
            Some(meters) => meters(scope.clone()),
            None => global::meter_with_scope(scope.clone()),
        };
        let capture = match self.capture.unwrap_or(config.capture) {
            Capture::ByConvention => convention.capture_by_convention(),
            capture => capture,
        };
        let events = self.loggers.map(|loggers| loggers(scope));
        let has_events = events.is_some();
        let emit_details = has_events && config.emit_event.unwrap_or(capture.on_event());
        GenAi(Arc::new(Inner {
            convention,
            tracer,
            instruments: Instruments::new(&meter, convention.metrics()),
            events,
            span_content: capture.on_span(),
            event_content: emit_details && capture.on_event(),
            emit_details,
            emit_exceptions: has_events && config.emit_event != Some(false),
        }))
    }
}
