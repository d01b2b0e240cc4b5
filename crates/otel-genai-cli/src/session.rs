//! Telemetry from the first call to the last line: set up, observed, drained, flushed, and what was lost.

use std::thread;
use std::time::{Duration, Instant};

use otel_genai::{Capture, Config, ConventionName, GenAi, config};
use otel_genai_http::{Observer, Options, Runs};
use otel_genai_sdk::{ConsoleOptions, Exporter, Report, Signal, Telemetry, shown_url};
use otel_genai_upload::UploadHook;

use crate::background::in_background;
use crate::diagnostics::{say, was_said};
use crate::exit::Failure;
use crate::inherit::{self, Inherited};
use crate::options::TelemetryOptions;
use crate::settings::INFER;
use crate::tally::Tally;

/// What a command wants of its telemetry.
pub(crate) struct Wanted<'a> {
    pub(crate) options: &'a TelemetryOptions,
    /// `service.name` where the user gives none.
    pub(crate) service: String,
    /// Where telemetry goes when the user says nothing.
    pub(crate) exporter: Exporter,
    pub(crate) console: ConsoleOptions,
    /// Whose calls may be the run of one agent.
    pub(crate) runs: Runs,
    /// Where content goes when the user says nothing.
    pub(crate) content: Capture,
    /// Whether there will be calls: else nothing is made ready outside of this process.
    pub(crate) calls: bool,
}

/// Running telemetry.
pub(crate) struct Session {
    telemetry: Telemetry,
    genai: Option<GenAi>,
    observer: Option<Observer>,
    upload: Option<UploadHook>,
    pub(crate) config: Config,
}

impl Session {
    pub(crate) fn begin(wanted: Wanted<'_>) -> Result<Self, Failure> {
        let options = wanted.options;
        let mut builder = otel_genai_sdk::builder()
            .default_exporter(wanted.exporter)
            .service_name_default(wanted.service)
            .console(wanted.console);
        for flag in options.flags() {
            builder = builder.set(flag.name, flag.value, flag.flag);
        }
        let telemetry = in_background(|| builder.init())
            .map_err(|error| Failure::ours(format!("telemetry cannot start: {error}")))?;

        let config = read_config(options, wanted.content);
        let upload = if wanted.calls { in_background(|| open_upload(options)) } else { None };
        let (genai, observer) = if telemetry.destinations().is_empty() && upload.is_none() {
            (None, None)
        } else {
            let mut genai = GenAi::builder()
                .tracer_provider(&Inherited {
                    provider: telemetry.tracer_provider(),
                    parent: inherit::context(),
                })
                .meter_provider(&telemetry.meter_provider())
                .logger_provider(&telemetry.logger_provider())
                .config(config.clone());
            if let Some(upload) = &upload {
                genai = genai.completion_hook(upload.clone());
            }
            let genai = genai.build();
            let mut observing = Options::default();
            observing.runs = if INFER.is_on(options.no_infer) { wanted.runs } else { Runs::Ignored };
            let observer = in_background(|| Observer::new(genai.clone(), observing))
                .map_err(|error| Failure::ours(format!("the system gives no thread: {error}")))?;
            (Some(genai), Some(observer))
        };
        Ok(Self { telemetry, genai, observer, upload, config })
    }

    /// For the gateway. `None`: nobody wants to know.
    pub(crate) fn observer(&self) -> Option<Observer> {
        self.observer.clone()
    }

    /// For what is no HTTP. `None`: nobody wants to know.
    pub(crate) fn genai(&self) -> Option<GenAi> {
        self.genai.clone()
    }

    /// For the last line.
    pub(crate) fn tally(&self) -> Tally {
        Tally { observer: self.observer(), receivers: receivers(self.telemetry.destinations()) }
    }

    /// Whether spans go to a terminal, for people.
    pub(crate) fn is_for_people(&self) -> bool {
        let spans = |(signal, to): &(Signal, String)| *signal == Signal::Traces && is_terminal(to);
        self.telemetry.destinations().iter().any(spans)
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

    /// Reads what was observed, exports and uploads everything, until `deadline`; then says what was lost. Returns
    /// whether all of it has arrived. Blocks.
    pub(crate) fn end(self, deadline: Instant) -> bool {
        let left = || deadline.saturating_duration_since(Instant::now());
        // The exporters need some of the time too.
        let read = self.observer.as_ref().is_none_or(|observer| observer.drain(left() * 2 / 3));
        let (report, uploaded) = thread::scope(|scope| {
            let upload = self.upload.as_ref().map(|upload| scope.spawn(move || upload.shutdown(left())));
            let report = self.telemetry.shutdown(left());
            (report, upload.and_then(|upload| upload.join().ok()))
        });
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
        let lost = uploaded.map_or(0, |counts| counts.failed + counts.dropped + counts.pending);
        if lost > 0 {
            let files = if lost == 1 { "file" } else { "files" };
            let base = self.upload.as_ref().map(UploadHook::base).unwrap_or_default();
            say(format_args!("not uploaded: {lost} {files} of prompts and answers to {base}"));
        }
        // Going, the last of the hook's clones would tell the same once more.
        std::mem::forget(self.upload);
        read && report.is_complete() && lost == 0
    }
}

/// The upload that the variables ask for. What stands in its way is told, and in nobody else's: the program runs.
fn open_upload(options: &TelemetryOptions) -> Option<UploadHook> {
    match UploadHook::from_vars(|name| options.variable(name)) {
        Ok(upload) => upload,
        Err(error) => {
            tracing::warn!(target: "otel_genai", "{error}; nothing is uploaded");
            None
        }
    }
}

/// Where uploads would go, for people.
pub(crate) fn upload_place(options: &TelemetryOptions) -> Option<String> {
    let (settings, _) = otel_genai_upload::Settings::from_vars(|name| options.variable(name));
    settings?.base_path.map(|place| shown_url(&place))
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
        config.opt_in |= content != Capture::NoContent;
    }
    let waits = config.convention.first() == ConventionName::LoongSuite && !config.opt_in;
    if waits && config.capture != Capture::NoContent {
        tracing::warn!(
            target: "otel_genai",
            "no content is recorded: loongsuite waits for {}=gen_ai_latest_experimental",
            config::STABILITY_OPT_IN
        );
    }
    config
}

fn is_terminal(destination: &str) -> bool {
    matches!(destination, "stderr" | "stdout")
}

/// Where telemetry is sent, other than to people: each place once, without what differs from signal to signal.
fn receivers(destinations: &[(Signal, String)]) -> String {
    let mut places: Vec<&str> = Vec::new();
    for (signal, to) in destinations.iter().filter(|(_, to)| !is_terminal(to)) {
        let place = to.split_whitespace().next().unwrap_or_default();
        let place = place.strip_suffix(&format!("/v1/{signal}")).unwrap_or(place);
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places.join(", ")
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
