//! Telemetry by one line: OpenTelemetry set up from the standard variables, the global handler on it, and a guard that
//! delivers everything.

use std::sync::Arc;

use opentelemetry::trace::noop::NoopTracerProvider;
use otel_genai_sdk::{InitError, SpanProcessor, SpanSink, Telemetry};

use crate::handler::{Builder, GenAi};
use crate::unheard;

/// Sets telemetry up as the `OTEL_*` variables say, makes it OpenTelemetry's global one, and gives [`GenAi::global`] its
/// spans, metrics and events. Needs the feature `sdk`.
///
/// ```no_run
/// fn main() -> Result<(), otel_genai::sdk::InitError> {
///     let _telemetry = otel_genai::init()?;
///     // ... the program ...
///     Ok(())
/// } // everything is delivered here, calls that are still being read among it, in three seconds at most
/// ```
///
/// # Errors
/// As [`otel_genai_sdk::Builder::init`]: values that cannot be used are warned of, and are no error.
pub fn init() -> Result<Telemetry, InitError> {
    setup().init()
}

/// As [`init`], with the spans and events of the `tracing` crate in the same telemetry. Needs the feature `tracing`.
///
/// # Errors
/// As [`init`].
#[cfg(feature = "tracing")]
pub fn init_with_tracing() -> Result<Telemetry, InitError> {
    setup().init_with_tracing()
}

/// [`init`] with changes.
///
/// ```
/// use otel_genai::{Capture, sdk::Exporter};
///
/// # fn main() -> Result<(), otel_genai::sdk::InitError> {
/// # let vars = |_: &str| None;
/// let telemetry = otel_genai::setup()
///     .sdk(|sdk| sdk.vars(vars).service_name_default("support").default_exporter(Exporter::Console))
///     .handler(|genai| genai.capture(Capture::SpanOnly))
///     .init()?;
/// # Ok(())
/// # }
/// ```
pub fn setup() -> Setup {
    Setup { sdk: otel_genai_sdk::builder(), change: Arc::new(|handler| handler), wrap: None }
}

/// What [`init`] does, step by step: begin with [`setup`].
#[must_use = "nothing is set up before `init`"]
pub struct Setup {
    sdk: otel_genai_sdk::Builder,
    change: Arc<Change>,
    wrap: Option<Box<Wrap>>,
}

type Change = dyn Fn(Builder) -> Builder + Send + Sync;
type Wrap = dyn FnOnce(otel_genai_sdk::Builder, Arc<Change>) -> otel_genai_sdk::Builder + Send;

impl Setup {
    /// Changes where telemetry goes.
    pub fn sdk(mut self, change: impl FnOnce(otel_genai_sdk::Builder) -> otel_genai_sdk::Builder) -> Self {
        self.sdk = change(self.sdk);
        self
    }

    /// Changes the handler: its convention, capture, redaction, limits, hook, error types. It is asked for each handler that
    /// is made: the global one, and one for whoever [wraps spans](Setup::wrap_spans).
    pub fn handler(mut self, change: impl Fn(Builder) -> Builder + Send + Sync + 'static) -> Self {
        let before = self.change;
        self.change = Arc::new(move |handler| change(before(handler)));
        self
    }

    /// Puts a span processor before the exporters: [`otel_genai_sdk::Builder::wrap_spans`], with a handler builder that has
    /// the events and metrics of the same telemetry, and what [`handler`](Setup::handler) says.
    pub fn wrap_spans<P, F>(mut self, wrap: F) -> Self
    where
        P: SpanProcessor + 'static,
        F: FnOnce(SpanSink, Builder) -> P + Send + 'static,
    {
        self.wrap = Some(Box::new(|sdk, change| {
            sdk.wrap_spans(move |sink, logs, metrics| {
                wrap(sink, change(GenAi::builder().logger_provider(logs).meter_provider(metrics)))
            })
        }));
        self
    }

    /// As [`init`].
    ///
    /// # Errors
    /// As [`init`].
    pub fn init(self) -> Result<Telemetry, InitError> {
        let (sdk, change) = self.wrapped();
        let telemetry = sdk.init()?;
        install(&telemetry, &*change);
        Ok(telemetry)
    }

    /// As [`init_with_tracing`].
    ///
    /// # Errors
    /// As [`init`].
    #[cfg(feature = "tracing")]
    pub fn init_with_tracing(self) -> Result<Telemetry, InitError> {
        let (sdk, change) = self.wrapped();
        let telemetry = sdk.init_with_tracing()?;
        install(&telemetry, &*change);
        Ok(telemetry)
    }

    fn wrapped(self) -> (otel_genai_sdk::Builder, Arc<Change>) {
        let Setup { sdk, change, wrap } = self;
        let sdk = match wrap {
            Some(wrap) => wrap(sdk, Arc::clone(&change)),
            None => sdk,
        };
        (sdk, change)
    }
}

impl std::fmt::Debug for Setup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setup").field("sdk", &self.sdk).finish_non_exhaustive()
    }
}

fn install(telemetry: &Telemetry, change: &Change) {
    let handler = GenAi::builder();
    // What is disabled costs nothing.
    let handler = if telemetry.is_disabled() {
        handler.tracer_provider(&NoopTracerProvider::new()).without_metrics()
    } else {
        handler
            .tracer_provider(&telemetry.tracer_provider())
            .logger_provider(&telemetry.logger_provider())
            .meter_provider(&telemetry.meter_provider())
    };
    let genai = change(handler).build();
    let (open, read) = (genai.clone(), genai.clone());
    telemetry.before_shutdown(move || {
        open.close();
        unheard::ended();
    });
    telemetry.before_flush(move |timeout| {
        read.drain(timeout);
    });
    if unheard::was_asked_before() {
        tracing::warn!(
            target: "otel_genai",
            "a GenAI call was made before telemetry was set up: it is not told, and a client that made it may tell nothing \
             later either. Set up at the start of main, before the first call"
        );
    }
    if genai.set_global().is_err() {
        tracing::warn!(
            target: "otel_genai",
            "there is a global GenAI handler already, and it stays: its calls go where it was told, not to the telemetry \
             that was set up now. Set up once, at the start"
        );
    }
}
