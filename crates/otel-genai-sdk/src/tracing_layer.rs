//! `tracing` to OpenTelemetry: spans to the tracer provider, events to the logger provider, lines to the terminal.

use std::io::IsTerminal;

use opentelemetry::trace::TracerProvider;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::setting::Warning;
use crate::signal::Signal;
use crate::{Builder, InitError, Telemetry};

const RUST_LOG: &str = "RUST_LOG";
const OTEL_LOG_LEVEL: &str = "OTEL_LOG_LEVEL";
const LEVELS: [&str; 6] = ["none", "error", "warn", "info", "debug", "trace"];

/// Whose events are about telemetry itself. Were they exported, each export could be the cause of the next.
const OURS: [&str; 11] = [
    "opentelemetry",
    "opentelemetry_sdk",
    "opentelemetry_otlp",
    "opentelemetry_http",
    "opentelemetry_appender_tracing",
    "otel_genai",
    "otel_genai_gateway",
    "otel_genai_processor",
    "otel_genai_rig",
    "otel_genai_sdk",
    "otel_genai_upload",
];

/// Which spans and events count, as `RUST_LOG` and `OTEL_LOG_LEVEL` say.
#[derive(Clone, Debug)]
pub(crate) struct Filters {
    /// Directives of `RUST_LOG`.
    program: String,
    /// What is said of telemetry itself.
    ours: LevelFilter,
    /// Values that could not be used. They are nobody's business where `tracing` is not: the feature may be on for the sake
    /// of another crate of the program.
    warnings: Vec<Warning>,
}

impl Filters {
    pub(crate) fn read(vars: impl Fn(&str) -> Option<String>) -> Self {
        let mut warnings = Vec::new();
        let text = |name: &str| vars(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let mut warn = |variable, what: &str, text: &str, default: &str| {
            let text = crate::console::plain(text);
            let message = format!("{variable}: \"{text}\" {what}; using the default: {default}");
            warnings.push(Warning { variable, message });
        };
        let program = match text(RUST_LOG) {
            Some(text) if EnvFilter::builder().parse(&text).is_ok() => text,
            Some(text) => {
                warn(RUST_LOG, "is not a list of target=level", &text, "info");
                "info".to_owned()
            }
            None => "info".to_owned(),
        };
        let level = text(OTEL_LOG_LEVEL).and_then(|text| {
            let known = LEVELS.into_iter().find(|level| level.eq_ignore_ascii_case(&text));
            if known.is_none() {
                warn(OTEL_LOG_LEVEL, &format!("is not one of {}", LEVELS.join(", ")), &text, "warn");
            }
            known
        });
        let ours = match level {
            Some("none") => LevelFilter::OFF,
            Some(level) => level.parse().unwrap_or(LevelFilter::WARN),
            None => LevelFilter::WARN,
        };
        Self { program, ours, warnings }
    }

    fn program(&self) -> EnvFilter {
        // It was parsed before.
        EnvFilter::builder().parse_lossy(&self.program)
    }
}

impl Telemetry {
    /// A layer for a `tracing` subscriber of your own: spans become OpenTelemetry's, in one tree with those that were made
    /// otherwise; events become log records that know their span. `RUST_LOG` says which (`info` and above, where it is
    /// unset); what OpenTelemetry and this project say of themselves is left out.
    ///
    /// Where logs go nowhere, events become events of their span.
    ///
    /// ```
    /// use tracing_subscriber::layer::SubscriberExt;
    ///
    /// # fn main() -> Result<(), otel_genai_sdk::InitError> {
    /// # let telemetry = otel_genai_sdk::builder().vars(|_| None).set_globals(false).init()?;
    /// let subscriber = tracing_subscriber::registry().with(telemetry.tracing_layer());
    /// tracing::subscriber::with_default(subscriber, || tracing::info!("told"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "a layer does nothing before it is added to a subscriber"]
    pub fn tracing_layer<S>(&self) -> impl Layer<S> + Send + Sync + 'static + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        for warning in &self.filters().warnings {
            tracing::warn!(target: "otel_genai_sdk", variable = warning.variable, "{warning}");
        }
        self.layer()
    }

    fn layer<S>(&self) -> impl Layer<S> + Send + Sync + 'static + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        let has_logs = self.destinations().iter().any(|(signal, _)| *signal == Signal::Logs);
        let tracer = self.tracer_provider().tracer("tracing");
        // An error marks its span as failed, so that the spans need to see it, too.
        let is_of_spans = move |metadata: &Metadata<'_>| {
            is_of_program(metadata) && (metadata.is_span() || !has_logs || *metadata.level() == Level::ERROR)
        };
        let spans = tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_context_activation(true)
            // Nothing of the machine that compiled, nor of threads, which change at each await, nor times that are no span's.
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(self.filters().program().and(filter_fn(is_of_spans)));
        let logs = has_logs.then(|| {
            OpenTelemetryTracingBridge::new(&self.logger_provider())
                .with_filter(self.filters().program().and(filter_fn(is_of_program)))
        });
        spans.and_then(logs)
    }
}

impl Builder {
    /// As [`Builder::init`], and makes [`Telemetry::tracing_layer`] the process's subscriber of `tracing`, with lines on
    /// standard error beside it. There is a warning, and no more, where the process has one already.
    ///
    /// # Errors
    /// As [`Builder::init`].
    pub fn init_with_tracing(self) -> Result<Telemetry, InitError> {
        let telemetry = self.build()?;
        let on_terminal = |(signal, to): &(Signal, String)| *signal == Signal::Logs && !to.contains("://");
        // What the console exporter writes is not written twice.
        let is_written = telemetry.destinations().iter().any(on_terminal);
        let ours = telemetry.filters().ours;
        let said = filter_fn(
            move |metadata| {
                if is_ours(metadata) { *metadata.level() <= ours } else { !is_written }
            },
        );
        // `RUST_LOG` has no say in what is ours, so it is not asked.
        let program = telemetry.filters().program().or(filter_fn(is_ours));
        let colors = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(colors)
            .with_filter(program.and(said));
        let warnings = telemetry.filters().warnings.clone();
        // Said by whoever hears it, as the other warnings are.
        let telemetry = telemetry.with_warnings(warnings);
        let subscriber = tracing_subscriber::registry().with(telemetry.layer()).with(lines);
        if subscriber.try_init().is_err() {
            tracing::warn!(
                target: "otel_genai_sdk",
                "the process has a tracing subscriber already: add telemetry.tracing_layer() to that one"
            );
        }
        telemetry.say_warnings();
        Ok(telemetry)
    }
}

fn is_of_program(metadata: &Metadata<'_>) -> bool {
    !is_ours(metadata)
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    let owner = target.split("::").next().unwrap_or(target);
    // OpenTelemetry's targets are names of packages.
    OURS.iter().any(|ours| owner.len() == ours.len() && owner.replace('-', "_") == *ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(rust_log: &str, level: &str) -> (Filters, Vec<Warning>) {
        let filters = Filters::read(|name| Some(if name == RUST_LOG { rust_log } else { level }.to_owned()));
        let warnings = filters.warnings.clone();
        (filters, warnings)
    }

    #[test]
    fn unusable_filters_are_warned_of_and_the_default_is_taken() {
        let (filters, warnings) = read("my_app=loud", "everything");
        assert_eq!((filters.program.as_str(), filters.ours), ("info", LevelFilter::WARN));
        let said: Vec<_> = warnings.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "RUST_LOG: \"my_app=loud\" is not a list of target=level; using the default: info",
                "OTEL_LOG_LEVEL: \"everything\" is not one of none, error, warn, info, debug, trace; using the default: warn",
            ]
        );
        let (filters, warnings) = read("my_app=debug,hyper=off", "None");
        assert_eq!((filters.program.as_str(), filters.ours), ("my_app=debug,hyper=off", LevelFilter::OFF));
        assert!(warnings.is_empty());
        let (filters, warnings) = read("", " ");
        assert_eq!((filters.program.as_str(), filters.ours), ("info", LevelFilter::WARN));
        assert!(warnings.is_empty());
    }
}
