//! Telemetry from the first call to the last line: set up, observed, drained, flushed, and what was lost.

use std::time::{Duration, Instant};

use otel_genai::{Capture, Config, GenAi, config};
use otel_genai_http::{Observer, Options};
use otel_genai_sdk::{ConsoleOptions, Exporter, Report, Signal, Telemetry};

use crate::background::in_background;
use crate::diagnostics::{say, was_said};
use crate::exit::Failure;
use crate::inherit::{self, Inherited};
use crate::options::TelemetryOptions;
use crate::tally::Tally;

/// What a command wants of its telemetry.
pub(crate) struct Wanted<'a> {
    pub(crate) options: &'a TelemetryOptions,
    /// `service.name` where the user gives none.
    pub(crate) service: String,
    pub(crate) console: ConsoleOptions,
    /// Where content goes when the user says nothing.
    pub(crate) content: Capture,
    /// Whether it is shown to people even if it is exported.
    pub(crate) always_console: bool,
}

/// Running telemetry.
pub(crate) struct Session {
    telemetry: Telemetry,
    observer: Option<Observer>,
    pub(crate) tally: Tally,
    pub(crate) config: Config,
}

impl Session {
    pub(crate) fn begin(wanted: Wanted<'_>) -> Result<Self, Failure> {
        let options = wanted.options;
        let mut builder = otel_genai_sdk::builder()
            .default_exporter(Exporter::Console)
            .service_name_default(wanted.service)
            .console(wanted.console);
        for said in options.said() {
            builder = builder.set(said.name, said.value, said.flag);
        }
        if wanted.always_console {
            for signal in Signal::ALL {
                let name = signal.exporter_variable();
                if options.variable(name).is_none() && has_endpoint(options, signal) {
                    builder = builder.set(name, "otlp,console", "default of this command");
                }
            }
        }
        let telemetry = in_background(|| builder.init())
            .map_err(|error| Failure::ours(format!("telemetry cannot start: {error}")))?;

        let config = read_config(options, wanted.content);
        let tally = Tally::default();
        let observer = if telemetry.destinations().is_empty() {
            None
        } else {
            let genai = GenAi::builder()
                .tracer_provider(&Inherited {
                    provider: telemetry.tracer_provider(),
                    parent: inherit::context(),
                })
                .meter_provider(&tally.around(telemetry.meter_provider()))
                .logger_provider(&telemetry.logger_provider())
                .config(config.clone())
                .build();
            let observer = in_background(|| Observer::new(genai, Options::default()))
                .map_err(|error| Failure::ours(format!("the system gives no thread: {error}")))?;
            Some(observer)
        };
        Ok(Self { telemetry, observer, tally, config })
    }

    /// For the gateway. `None`: nobody wants to know.
    pub(crate) fn observer(&self) -> Option<Observer> {
        self.observer.clone()
    }

    /// Whether spans go to a terminal, for people.
    pub(crate) fn is_for_people(&self) -> bool {
        let spans = |(signal, to): &&(Signal, String)| {
            *signal == Signal::Traces && matches!(to.as_str(), "stderr" | "stdout")
        };
        self.telemetry.destinations().iter().any(|destination| spans(&destination))
    }

    /// Where telemetry goes, for people: `traces, metrics, logs to stderr`.
    pub(crate) fn destinations(&self) -> String {
        describe(self.telemetry.destinations())
    }

    /// Shows the spans and events there are so far; metrics are for the end. Blocks.
    pub(crate) fn show(&self, limit: Duration) {
        if let Some(observer) = &self.observer {
            observer.drain(limit);
        }
        // What fails is said by the exporters, and again at the end.
        let _ = self.telemetry.tracer_provider().force_flush();
        let _ = self.telemetry.logger_provider().force_flush();
    }

    /// Reads what was observed and exports everything, until `deadline`; then says what was lost. Blocks.
    pub(crate) fn end(self, deadline: Instant) {
        let left = || deadline.saturating_duration_since(Instant::now());
        // The exporters need some of the time too.
        let read = self.observer.as_ref().is_none_or(|observer| observer.drain(left() * 2 / 3));
        let report = self.telemetry.shutdown(left());
        if !read {
            say("not all calls were read in time; --flush-timeout gives more");
        }
        if let Some(losses) = self.observer.as_ref().map(Observer::losses) {
            if let Some(told) = unread(losses.frames, losses.calls) {
                say(told);
            }
            if losses.failures > 0 {
                say(format_args!(
                    "{} calls could not be read; that is a bug, please report it",
                    losses.failures
                ));
            }
        }
        tell_losses(&report);
    }
}

/// What the observer passed over, in one line: that it happens was said when it began.
fn unread(frames: u64, calls: u64) -> Option<String> {
    let pieces = match frames {
        0 => None,
        1 => Some("1 piece of traffic (content or tokens of its call may be missing)".to_owned()),
        n => Some(format!("{n} pieces of traffic (content or tokens of their calls may be missing)")),
    };
    let calls = match calls {
        0 => None,
        1 => Some("1 whole call".to_owned()),
        n => Some(format!("{n} whole calls")),
    };
    let told: Vec<String> = pieces.into_iter().chain(calls).collect();
    (!told.is_empty()).then(|| format!("too much at once, forwarded but not recorded: {}", told.join(", ")))
}

fn tell_losses(report: &Report) {
    for trouble in report.troubles().filter(|trouble| !was_said(trouble)) {
        say(trouble);
    }
    let lost: Vec<String> = Signal::ALL
        .into_iter()
        .filter_map(|signal| {
            let exports = report.exports.iter().filter(|export| export.signal == signal);
            let lost = exports.map(|export| export.failed + export.dropped).sum::<u64>();
            (lost > 0).then(|| format!("{lost} {}", signal.records(lost)))
        })
        .collect();
    if !lost.is_empty() {
        say(format_args!("not exported: {}", lost.join(", ")));
    }
}

/// The library's settings; each mistake is said once.
fn read_config(options: &TelemetryOptions, content: Capture) -> Config {
    let (mut config, warnings) = Config::from_vars(|name| options.variable(name));
    for warning in warnings {
        tracing::warn!(target: "otel_genai", "{warning}");
    }
    if options.variable(config::CAPTURE_MESSAGE_CONTENT).is_none() {
        config.capture = content;
    }
    config
}

fn has_endpoint(options: &TelemetryOptions, signal: Signal) -> bool {
    let own = match signal {
        Signal::Traces => "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        Signal::Metrics => "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
        Signal::Logs => "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
    };
    options.variable(own).or_else(|| options.variable("OTEL_EXPORTER_OTLP_ENDPOINT")).is_some()
}

/// Signals that go to the same place are told together.
fn describe(destinations: &[(Signal, String)]) -> String {
    let mut places: Vec<(&str, Vec<&str>)> = Vec::new();
    for (signal, to) in destinations {
        match places.iter_mut().find(|(place, _)| place == to) {
            Some((_, signals)) => signals.push(signal.as_str()),
            None => places.push((to, vec![signal.as_str()])),
        }
    }
    if places.is_empty() {
        return "nowhere".to_owned();
    }
    let told: Vec<_> =
        places.iter().map(|(place, signals)| format!("{} to {place}", signals.join(", "))).collect();
    told.join("; ")
}

#[cfg(test)]
mod tests {
    use super::unread;

    #[test]
    fn what_was_passed_over_is_one_line() {
        assert_eq!(unread(0, 0), None);
        assert_eq!(
            unread(12, 1).unwrap(),
            "too much at once, forwarded but not recorded: 12 pieces of traffic (content or tokens of their calls \
             may be missing), 1 whole call"
        );
        assert_eq!(unread(0, 3).unwrap(), "too much at once, forwarded but not recorded: 3 whole calls");
    }
}
