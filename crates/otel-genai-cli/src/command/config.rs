//! `otel-genai config`: every setting, the value in force, and who said so.

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::time::Duration;

use otel_genai::config::{self, VARIABLES};
use otel_genai_sdk::{Exporter, Origin, shown_url};
use otel_genai_upload::{COMPLETION_HOOK, UPLOAD_BASE_PATH, UPLOAD_FORMAT, UPLOAD_MAX_QUEUE_SIZE};
use serde_json::json;

use crate::diagnostics::{self, LEVELS, LOG_LEVEL};
use crate::exit::Failure;
use crate::options::TelemetryOptions;
use crate::settings::{self, OWN, UPSTREAM};
use crate::variables::{self, Plan};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  otel-genai config                                  what is in force here
  otel-genai config --set                            only what somebody has set
  otel-genai config --endpoint http://localhost:4318 what these flags would do
  OTEL_CONFIG_FILE=otel.yaml otel-genai config --set what a file would do
  otel-genai config --json | jq '.settings[] | select(.origin != \"default\")'

Values that may be secret (headers, URL credentials) are never shown.")]
pub(super) struct Config {
    /// Only what is not the default
    #[arg(long, conflicts_with = "all", help_heading = "Output")]
    set: bool,

    /// Also limits, uploads, the dashboard, what exists for one signal only, and every base-URL variable
    #[arg(long, help_heading = "Output")]
    all: bool,

    /// JSON for programs: `settings`, a list of group, name, value, origin, note, about; always everything
    #[arg(long, help_heading = "Output")]
    json: bool,

    #[command(flatten)]
    telemetry: TelemetryOptions,
}

/// One setting.
struct Row {
    group: &'static str,
    name: &'static str,
    value: String,
    origin: String,
    /// Why a value that was given is not in force, and the like.
    note: Option<String>,
    about: String,
    /// Shown only when everything is asked for, or when somebody has set it.
    rare: bool,
}

const DEFAULT: &str = "default";
const ENVIRONMENT: &str = "environment";
const GENAI: &str = "GenAI";
const UPLOAD: &str = "Prompts and answers as files";
const OTEL: &str = "OpenTelemetry";
const OURS: &str = "otel-genai";
#[cfg(feature = "dashboard")]
const DASHBOARD: &str = "Dashboard";
const PROGRAMS: &str = "Base URLs of programs under `otel-genai run`";

impl Row {
    fn is_default(&self) -> bool {
        self.origin == DEFAULT && self.note.is_none()
    }
}

impl Config {
    pub(super) fn execute(self) -> Result<u8, Failure> {
        diagnostics::begin(self.telemetry.quiet);
        let mut rows = genai(&self.telemetry);
        rows.extend(upload(&self.telemetry));
        rows.extend(opentelemetry(&self.telemetry)?);
        rows.extend(ours(&self.telemetry));
        rows.extend(programs());
        if self.json {
            let settings: Vec<_> = rows.iter().map(as_json).collect();
            let text =
                serde_json::to_string_pretty(&json!({ "settings": settings })).map_err(Failure::ours)?;
            super::print(&(text + "\n"));
            return Ok(0);
        }
        rows.retain(
            |row| if self.set { !row.is_default() } else { self.all || !row.rare || !row.is_default() },
        );
        let hidden = if self.set || self.all {
            None
        } else {
            Some("--all shows limits, uploads, the dashboard and the variables of single signals too")
        };
        super::print(&table(&rows, hidden, is_colourful()));
        Ok(0)
    }
}

fn genai(options: &TelemetryOptions) -> Vec<Row> {
    let (config, warnings) = otel_genai::Config::from_vars(|name| options.variable(name));
    for warning in &warnings {
        tracing::warn!(target: "otel_genai", "{warning}");
    }
    let row = |(name, about): &(&'static str, &str)| {
        let wrong = warnings.iter().find(|warning| warning.variable == *name);
        let given = options.variable(name).filter(|_| wrong.is_none());
        let value = match (*name, given) {
            (config::CONVENTION, _) => config.convention.to_string(),
            (config::CAPTURE_MESSAGE_CONTENT, _) => config.capture.as_str().to_owned(),
            (config::EMIT_EVENT, _) => config
                .emit_event
                .map_or_else(|| "when content goes into events".to_owned(), |on| on.to_string()),
            (config::BAGGAGE, _) => config.baggage.to_string(),
            (_, Some(given)) => shown_url(given.trim()),
            // Who mistypes these gets less told, not more.
            (config::REDACT, None) if wrong.is_some() => "all".to_owned(),
            (config::BLOBS, None) if wrong.is_some() => "omit".to_owned(),
            (config::BLOBS, None) => "inline".to_owned(),
            (_, None) => "none".to_owned(),
        };
        let note =
            wrong.map(|warning| format!("{:?} is not known; allowed are {}", warning.value, warning.allowed));
        let origin = if wrong.is_some() { DEFAULT.to_owned() } else { origin(options, name) };
        let rare = *name == config::STABILITY_OPT_IN || name.starts_with("OTEL_GENAI_MAX_");
        Row { group: GENAI, name, value, origin, note, about: (*about).to_owned(), rare }
    };
    VARIABLES.iter().map(row).collect()
}

fn upload(options: &TelemetryOptions) -> Vec<Row> {
    let (settings, warnings) = otel_genai_upload::Settings::from_vars(|name| options.variable(name));
    for warning in &warnings {
        tracing::warn!(target: "otel_genai", "{warning}");
    }
    let row = |(name, about): &(&'static str, &str)| {
        let wrong = warnings.iter().find(|warning| warning.variable == *name);
        let given = options.variable(name).filter(|_| wrong.is_none());
        let value = match (*name, &settings) {
            (UPLOAD_FORMAT, Some(settings)) => settings.format.as_str().to_owned(),
            (UPLOAD_MAX_QUEUE_SIZE, Some(settings)) => settings.max_queue_size.to_string(),
            (_, _) if given.is_some() => given.as_deref().map(shown_url).unwrap_or_default(),
            (UPLOAD_FORMAT, None) => "json".to_owned(),
            (UPLOAD_MAX_QUEUE_SIZE, None) => "20".to_owned(),
            _ => "none".to_owned(),
        };
        let note = match wrong {
            Some(warning) => {
                Some(format!("{:?} is not known; allowed are {}", warning.value, warning.allowed))
            }
            None if settings.is_none() && given.is_some() => {
                Some(format!("has no effect without {COMPLETION_HOOK}=upload"))
            }
            None if *name == UPLOAD_BASE_PATH && settings.is_some() && given.is_none() => {
                Some(format!("{COMPLETION_HOOK}=upload needs it; nothing is uploaded"))
            }
            None => None,
        };
        let origin = if wrong.is_some() { DEFAULT.to_owned() } else { origin(options, name) };
        let rare = *name != COMPLETION_HOOK && settings.is_none();
        Row { group: UPLOAD, name, value, origin, note, about: (*about).to_owned(), rare }
    };
    otel_genai_upload::VARIABLES.iter().map(row).collect()
}

fn opentelemetry(options: &TelemetryOptions) -> Result<Vec<Row>, Failure> {
    let mut builder = otel_genai_sdk::builder()
        .default_exporter(Exporter::Console)
        .set_globals(false)
        .service_name_default("the command's name");
    for flag in options.flags() {
        builder = builder.set(flag.name, flag.value, flag.flag);
    }
    let telemetry =
        builder.init().map_err(|error| Failure::ours(format!("telemetry cannot start: {error}")))?;
    let row = |setting: &otel_genai_sdk::Setting| Row {
        group: OTEL,
        name: setting.name,
        value: setting.value.clone(),
        origin: match &setting.origin {
            Origin::Default => DEFAULT.to_owned(),
            origin => origin.to_string(),
        },
        note: setting.note.clone(),
        about: setting.about.to_owned(),
        rare: is_of_one_signal(setting.name),
    };
    let mut rows: Vec<_> = telemetry.settings().iter().map(row).collect();
    rows.sort_by_key(|row| otel_genai_sdk::VARIABLES.iter().position(|variable| variable.name == row.name));
    // Nothing was recorded, so there is nothing to wait for.
    let _ = telemetry.shutdown(Duration::ZERO);
    Ok(rows)
}

fn is_of_one_signal(name: &str) -> bool {
    name.strip_prefix("OTEL_EXPORTER_OTLP_")
        .is_some_and(|rest| ["TRACES_", "METRICS_", "LOGS_"].iter().any(|signal| rest.starts_with(signal)))
}

fn ours(options: &TelemetryOptions) -> Vec<Row> {
    let row = |group: &'static str, own: &settings::Own| {
        let given = own.variable();
        Row {
            group,
            name: own.name,
            origin: if given.is_some() { ENVIRONMENT.to_owned() } else { DEFAULT.to_owned() },
            value: given.map_or_else(|| own.default.to_owned(), |value| own.shown(&value)),
            note: None,
            about: format!("{} ({}); {}", own.about, own.flag, own.values),
            rare: group != OURS,
        }
    };
    let own = OWN.iter().map(|own| row(OURS, own));
    #[cfg(feature = "dashboard")]
    let dashboard = {
        let changed = crate::dashboard::keep::Changed::here();
        crate::dashboard::settings::ALL.iter().map(move |own| {
            let row = row(DASHBOARD, own);
            match changed.value(own).filter(|_| row.origin == DEFAULT) {
                Some((value, by)) => Row { value, origin: by.to_owned(), ..row },
                None => row,
            }
        })
    };
    #[cfg(not(feature = "dashboard"))]
    let dashboard = std::iter::empty();
    let told = options.variable(LOG_LEVEL);
    let wrong = told.as_deref().is_some_and(|level| diagnostics::level(level).is_none());
    let level = Row {
        group: OURS,
        name: LOG_LEVEL,
        origin: if wrong { DEFAULT.to_owned() } else { origin(options, LOG_LEVEL) },
        value: told.clone().filter(|_| !wrong).unwrap_or_else(|| "warn".to_owned()),
        note: told.filter(|_| wrong).map(|level| format!("{level:?} is not one of {LEVELS}")),
        about: format!("How much otel-genai says of itself on standard error: {LEVELS}"),
        rare: false,
    };
    own.chain([level]).chain(dashboard).collect()
}

/// What `run` would make of each base-URL variable.
fn programs() -> Vec<Row> {
    let upstreams = settings::upstreams(&[]);
    let plan = Plan::new(&|name| std::env::var_os(name), &upstreams, &settings::no_env(&[]), false);
    let row = |variable: &variables::Variable| {
        let given = std::env::var_os(variable.name).filter(|value| !value.is_empty());
        let planned = plan.variables.iter().find(|planned| planned.name == variable.name);
        let asked = upstreams.iter().any(|upstream| upstream.name == variable.route);
        let (value, origin) = match (&given, planned) {
            (Some(value), _) => (shown_url(&value.to_string_lossy()), ENVIRONMENT),
            (None, Some(planned)) => (planned.shown_upstream(), if asked { UPSTREAM.name } else { DEFAULT }),
            (None, None) => ("not set, and left so".to_owned(), DEFAULT),
        };
        let untouched = plan.untouched.iter().find(|(name, _)| *name == variable.name);
        Row {
            group: PROGRAMS,
            name: variable.name,
            value,
            origin: origin.to_owned(),
            note: untouched.map(|(_, why)| format!("left alone: {why}")),
            about: format!("Where calls go; --upstream {}=URL stands in for it", variable.route),
            rare: variable.default.is_none(),
        }
    };
    variables::VARIABLES.iter().map(row).collect()
}

/// Who says the value that is in force, flags first.
fn origin(options: &TelemetryOptions, name: &str) -> String {
    match options.flags().into_iter().find(|flag| flag.name == name) {
        Some(flag) => flag.flag.to_owned(),
        None if options.variable(name).is_some() => ENVIRONMENT.to_owned(),
        None => DEFAULT.to_owned(),
    }
}

fn as_json(row: &Row) -> serde_json::Value {
    json!({
        "group": row.group, "name": row.name, "value": row.value,
        "origin": row.origin, "note": row.note, "about": row.about,
    })
}

fn is_colourful() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn table(rows: &[Row], hidden: Option<&str>, colour: bool) -> String {
    /// Longer values push their own line, not everybody's.
    const WIDEST: usize = 40;
    let name = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    let value = rows.iter().map(|row| row.value.chars().count()).filter(|w| *w <= WIDEST).max().unwrap_or(0);
    let mut text = String::new();
    let mut group = "";
    for row in rows {
        if row.group != group {
            let gap = if group.is_empty() { "" } else { "\n" };
            let _ = writeln!(text, "{gap}{}", row.group);
            group = row.group;
        }
        let (strong, plain) = if colour && !row.is_default() { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        let _ = writeln!(text, "  {strong}{:name$}  {:value$}  {}{plain}", row.name, row.value, row.origin);
        if let Some(note) = &row.note {
            let _ = writeln!(text, "  {:name$}  ! {note}", "");
        }
    }
    if rows.is_empty() {
        text.push_str("Nothing is set; everything is the default.\n");
    }
    if let Some(hidden) = hidden {
        let _ = writeln!(text, "\n{hidden}.");
    }
    text
}
