//! The library's settings: read once from the environment, each mistake said once.

use std::fmt;

use crate::capture::Capture;
use crate::convention::{ConventionName, Conventions};

/// Settings of a [`GenAi`](crate::GenAi).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// Which vocabulary is spoken, or which two (`OTEL_GENAI_CONVENTION`).
    pub convention: Conventions,
    /// Where content is recorded (`OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`).
    pub capture: Capture,
    /// Whether operations emit their event (`OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT`). `None`: when content goes
    /// into events.
    pub emit_event: Option<bool>,
    /// Whether `OTEL_SEMCONV_STABILITY_OPT_IN` has `gen_ai_latest_experimental`. Only `loongsuite` waits for it, with
    /// all that has to do with content.
    pub opt_in: bool,
    /// Whether agent name, conversation, session and user travel as baggage too (`OTEL_GENAI_BAGGAGE`).
    pub baggage: bool,
}

/// The variable that chooses the convention.
pub const CONVENTION: &str = "OTEL_GENAI_CONVENTION";
/// The variable that says where content is recorded.
pub const CAPTURE_MESSAGE_CONTENT: &str = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";
/// The variable that turns operation events on or off.
pub const EMIT_EVENT: &str = "OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT";

/// The variable that opts in to what is new: a list of names with commas between.
pub const STABILITY_OPT_IN: &str = "OTEL_SEMCONV_STABILITY_OPT_IN";
/// The variable that hands context down as baggage.
pub const BAGGAGE: &str = "OTEL_GENAI_BAGGAGE";

/// Every variable that [`Config::from_vars`] reads, with what it does: `otel-genai config` and the docs are made of it.
pub const VARIABLES: &[(&str, &str)] = &[
    (CONVENTION, "the vocabulary: 2026-08, 2026-10, loongsuite, v1.30, or two of them with a comma between"),
    (
        CAPTURE_MESSAGE_CONTENT,
        "where prompts and answers are recorded: NO_CONTENT, SPAN_ONLY, EVENT_ONLY, SPAN_AND_EVENT, true, false",
    ),
    (EMIT_EVENT, "whether operations emit their event: true, false (default: when content goes into events)"),
    (
        STABILITY_OPT_IN,
        "gen_ai_latest_experimental: lets `loongsuite` record content (the others need no opt-in)",
    ),
    (BAGGAGE, "whether agent, conversation, session and user travel as baggage too: true, false (default)"),
];

/// A setting that could not be used, and what is done instead.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// The variable.
    pub variable: &'static str,
    /// What it held.
    pub value: String,
    /// What it may hold.
    pub allowed: String,
    /// What is done instead.
    pub instead: &'static str,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Warning { variable, value, allowed, instead } = self;
        write!(f, "{variable}={value:?} is not known; allowed are {allowed}; {instead}")
    }
}

impl Config {
    /// Reads the process environment; every mistake becomes one warning of the target `otel_genai`.
    pub fn from_env() -> Self {
        let (config, warnings) = Config::from_vars(|name| std::env::var(name).ok());
        for warning in warnings {
            tracing::warn!(target: "otel_genai", "{warning}");
        }
        config
    }

    /// Reads the settings from any source of variables. An empty value counts as unset, as the OpenTelemetry
    /// specification says of all its variables.
    pub fn from_vars(var: impl Fn(&str) -> Option<String>) -> (Self, Vec<Warning>) {
        let mut warnings = Vec::new();
        let set = |name: &str| var(name).filter(|value| !value.trim().is_empty());
        let mut config = Config::default();
        if let Some(value) = set(CONVENTION) {
            match value.parse() {
                Ok(convention) => config.convention = convention,
                Err(_) => warnings.push(Warning {
                    variable: CONVENTION,
                    value,
                    allowed: format!("{}, or two of them with a comma between", ConventionName::allowed()),
                    instead: "using 2026-08",
                }),
            }
        }
        if let Some(value) = set(CAPTURE_MESSAGE_CONTENT) {
            match value.parse() {
                Ok(capture) => config.capture = capture,
                Err(_) => warnings.push(Warning {
                    variable: CAPTURE_MESSAGE_CONTENT,
                    value,
                    allowed: Capture::ALLOWED.to_owned(),
                    instead: "no content is recorded",
                }),
            }
        }
        if let Some(value) = set(EMIT_EVENT) {
            match value.trim().to_ascii_lowercase().as_str() {
                "true" => config.emit_event = Some(true),
                "false" => config.emit_event = Some(false),
                _ => warnings.push(Warning {
                    variable: EMIT_EVENT,
                    value,
                    allowed: "true, false".to_owned(),
                    instead: "events follow the capture mode",
                }),
            }
        }
        config.opt_in = set(STABILITY_OPT_IN)
            .is_some_and(|list| list.split(',').any(|name| name.trim() == "gen_ai_latest_experimental"));
        if let Some(value) = set(BAGGAGE) {
            match value.trim().to_ascii_lowercase().as_str() {
                "true" => config.baggage = true,
                "false" => {}
                _ => warnings.push(Warning {
                    variable: BAGGAGE,
                    value,
                    allowed: "true, false".to_owned(),
                    instead: "nothing travels as baggage",
                }),
            }
        }
        (config, warnings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(vars: &[(&str, &str)]) -> (Config, Vec<Warning>) {
        Config::from_vars(|name| {
            vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_mistake_is_said_once_and_records_no_content() {
        let (config, warnings) = read(&[(CAPTURE_MESSAGE_CONTENT, "everything"), (EMIT_EVENT, "maybe")]);
        assert_eq!(config, Config::default());
        let said: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].contains(CAPTURE_MESSAGE_CONTENT) && said[0].contains("\"everything\""), "{said:?}");
        assert!(said[0].contains("SPAN_AND_EVENT"), "{said:?}");
        assert!(said[1].contains("true, false"), "{said:?}");
    }

    #[test]
    fn empty_means_unset() {
        assert_eq!(
            read(&[(CAPTURE_MESSAGE_CONTENT, ""), (CONVENTION, " "), (EMIT_EVENT, "")]),
            (Config::default(), vec![])
        );
    }

    #[test]
    fn good_values_are_taken() {
        let (config, warnings) =
            read(&[(CAPTURE_MESSAGE_CONTENT, "event_only"), (EMIT_EVENT, "FALSE"), (CONVENTION, "2026-08")]);
        assert_eq!((config.capture, config.emit_event), (Capture::EventOnly, Some(false)));
        assert_eq!(warnings, vec![]);
    }
}
