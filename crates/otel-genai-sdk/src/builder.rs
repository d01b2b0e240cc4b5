use std::fmt;

use opentelemetry::global;
use opentelemetry::propagation::{TextMapCompositePropagator, TextMapPropagator};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use opentelemetry_sdk::resource::TelemetryResourceDetector;
use opentelemetry_sdk::trace::SpanProcessor;

use crate::config::{Config, Propagators};
use crate::console::{Console, ConsoleOptions};
use crate::file;
use crate::pipeline::{Pipelines, destination};
use crate::setting::{Fixed, Source};
use crate::signal::Signal;
use crate::sink::SpanSink;
#[cfg(feature = "tracing")]
use crate::tracing_layer::Filters;
use crate::{InitError, Telemetry};

/// Where a signal goes when its `OTEL_*_EXPORTER` variable is unset and no OTLP endpoint is given.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Exporter {
    /// To an OTLP receiver, on this machine unless said otherwise: what the specification says.
    #[default]
    Otlp,
    /// To the terminal, for people.
    Console,
    /// To the terminal, and to an OTLP receiver too where an endpoint is given.
    ConsoleAlways,
    /// Nowhere.
    None,
}

type Vars = dyn Fn(&str) -> Option<String> + Send + Sync;
pub(crate) type Wrap =
    dyn FnOnce(SpanSink, &SdkLoggerProvider, &SdkMeterProvider) -> Box<dyn SpanProcessor> + Send;

/// Set-up step by step. Begin with [`crate::builder`], end with [`Builder::init`].
///
/// ```
/// use otel_genai_sdk::{ConsoleOptions, Exporter};
///
/// # fn main() -> Result<(), otel_genai_sdk::InitError> {
/// # let vars = |_: &str| None;
/// let telemetry = otel_genai_sdk::builder()
///     .vars(vars)
///     .service_name_default("checkout")
///     .default_exporter(Exporter::Console)
///     .console(ConsoleOptions::new().width(100))
///     .set_globals(false)
///     .init()?;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is set up before `init`"]
pub struct Builder {
    vars: Box<Vars>,
    fixed: Vec<Fixed>,
    service_name: Option<String>,
    default_exporter: Exporter,
    console: ConsoleOptions,
    globals: bool,
    wrap: Option<Box<Wrap>>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            vars: Box::new(|name| std::env::var(name).ok()),
            fixed: Vec::new(),
            service_name: None,
            default_exporter: Exporter::default(),
            console: ConsoleOptions::default(),
            globals: true,
            wrap: None,
        }
    }
}

impl Builder {
    /// Where variables are read from instead of the process environment: for tests, and for files of settings. Also
    /// asked for `NO_COLOR`, `TERM` and the like.
    ///
    /// One thing still follows the process environment: `OTEL_EXPORTER_OTLP_COMPRESSION=gzip` there, where nothing here
    /// asks for gzip: metrics, and what goes by `grpc` or `http/json`, are compressed then.
    pub fn vars(mut self, vars: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        self.vars = Box::new(vars);
        self
    }

    /// Sets a variable of [`crate::VARIABLES`] before all else, for command line options. `said_by` is shown as the
    /// origin in [`Telemetry::settings`], as `--traces-exporter`. The last value for a name counts; an empty one unsets.
    pub fn set(
        mut self,
        name: impl Into<String>,
        value: impl Into<String>,
        said_by: impl Into<String>,
    ) -> Self {
        self.fixed.push(Fixed { name: name.into(), value: value.into(), by: said_by.into() });
        self
    }

    /// `service.name` where neither `OTEL_SERVICE_NAME` nor `OTEL_RESOURCE_ATTRIBUTES` gives one.
    pub fn service_name_default(mut self, name: impl Into<String>) -> Self {
        self.service_name = Some(name.into());
        self
    }

    /// Where a signal goes that has neither an exporter nor an OTLP endpoint (its own or the general one) set.
    pub fn default_exporter(mut self, exporter: Exporter) -> Self {
        self.default_exporter = exporter;
        self
    }

    /// How the console exporter writes, where it is chosen.
    pub fn console(mut self, options: ConsoleOptions) -> Self {
        self.console = options;
        self
    }

    /// Whether the providers and the propagator become OpenTelemetry's globals: they do unless told otherwise.
    pub fn set_globals(mut self, set: bool) -> Self {
        self.globals = set;
        self
    }

    /// Puts a span processor between the program and the exporters, in their place: it hands on to the [`SpanSink`] what
    /// is to be exported. The providers are those of the same telemetry, for a processor that logs or measures. It is
    /// used where spans go nowhere, too. Of two such calls the last one counts.
    ///
    /// ```
    /// # #[derive(Debug)] struct Mine(otel_genai_sdk::SpanSink);
    /// # impl opentelemetry_sdk::trace::SpanProcessor for Mine {
    /// #     fn on_start(&self, _: &mut opentelemetry_sdk::trace::Span, _: &opentelemetry::Context) {}
    /// #     fn on_end(&self, span: opentelemetry_sdk::trace::SpanData) { self.0.on_end(span) }
    /// #     fn force_flush(&self) -> opentelemetry_sdk::error::OTelSdkResult { self.0.force_flush() }
    /// #     fn shutdown_with_timeout(&self, timeout: std::time::Duration) -> opentelemetry_sdk::error::OTelSdkResult {
    /// #         self.0.shutdown_with_timeout(timeout)
    /// #     }
    /// # }
    /// # fn main() -> Result<(), otel_genai_sdk::InitError> {
    /// # let vars = |_: &str| None;
    /// let telemetry = otel_genai_sdk::builder().vars(vars).wrap_spans(|sink, _, _| Mine(sink)).set_globals(false).init()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn wrap_spans<P, F>(mut self, wrap: F) -> Self
    where
        P: SpanProcessor + 'static,
        F: FnOnce(SpanSink, &SdkLoggerProvider, &SdkMeterProvider) -> P + Send + 'static,
    {
        self.wrap = Some(Box::new(|sink, logs, metrics| Box::new(wrap(sink, logs, metrics))));
        self
    }

    /// Reads the variables, builds the providers and starts exporting. Nothing is connected to before the first export.
    ///
    /// # Errors
    /// Where the system gives no thread for the exporters, or an exporter cannot be built. Values that cannot be used
    /// are no error: see [`Telemetry::warnings`].
    pub fn init(self) -> Result<Telemetry, InitError> {
        let telemetry = self.build()?;
        telemetry.say_warnings();
        Ok(telemetry)
    }

    /// Leaves the warnings to be said.
    pub(crate) fn build(self) -> Result<Telemetry, InitError> {
        let mut source = Source::new(&*self.vars, &self.fixed);
        file::read(&mut source, &*self.vars);
        let config = Config::read(&mut source, self.service_name.as_deref(), self.default_exporter);
        let (settings, warnings) = source.finish();
        #[cfg(feature = "tracing")]
        let filters = {
            let fixed = |name: &str| self.fixed.iter().rev().find(|fixed| fixed.name == name);
            Filters::read(|name| fixed(name).map(|f| f.value.clone()).or_else(|| (self.vars)(name)))
        };
        let console = Console::new(self.console, &*self.vars);
        let resource = Resource::builder_empty()
            .with_detector(Box::new(TelemetryResourceDetector))
            .with_attributes(config.resource.iter().cloned())
            .build();
        let pipelines = Pipelines::build(&config, &console, &resource, self.wrap)?;
        if self.globals {
            global::set_text_map_propagator(propagator(config.propagators));
            if !config.disabled {
                global::set_tracer_provider(pipelines.traces.clone());
                global::set_meter_provider(pipelines.metrics.clone());
            }
        }
        let destinations = destinations(&config, &console);
        Ok(Telemetry::new(
            pipelines,
            config.disabled,
            resource,
            destinations,
            (settings, warnings),
            #[cfg(feature = "tracing")]
            filters,
        ))
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("service_name", &self.service_name)
            .field("default_exporter", &self.default_exporter)
            .field("globals", &self.globals)
            .finish_non_exhaustive()
    }
}

fn propagator(chosen: Propagators) -> TextMapCompositePropagator {
    let mut all: Vec<Box<dyn TextMapPropagator + Send + Sync>> = Vec::new();
    if chosen.trace_context {
        all.push(Box::new(TraceContextPropagator::new()));
    }
    if chosen.baggage {
        all.push(Box::new(BaggagePropagator::new()));
    }
    TextMapCompositePropagator::new(all)
}

fn destinations(config: &Config, console: &Console) -> Vec<(Signal, String)> {
    let mut all = Vec::new();
    for signal in Signal::ALL {
        let route = config.route(signal);
        if let Some(to) = &route.otlp {
            all.push((signal, destination(to)));
        }
        if route.console {
            all.push((signal, console.name().to_owned()));
        }
    }
    all
}
