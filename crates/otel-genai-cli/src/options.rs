//! Options that every command with telemetry has. Each is a variable that users know, said on the command line.

use otel_genai::{Capture, Config, ConventionName, Conventions, config};

use crate::diagnostics::LOG_LEVEL;

/// Where telemetry goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Exporter {
    /// An OTLP receiver.
    Otlp,
    /// Standard error, for people.
    Console,
    /// Nowhere.
    None,
}

/// How OTLP is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Protocol {
    #[value(name = "http/protobuf")]
    HttpProtobuf,
    #[value(name = "http/json")]
    HttpJson,
    #[value(name = "grpc")]
    Grpc,
}

#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Telemetry")]
pub(crate) struct TelemetryOptions {
    /// Where telemetry goes: otlp, console, none, or a list
    ///
    /// Default: otlp where an endpoint is given, else console: readable lines on standard error.
    /// Sets OTEL_TRACES_EXPORTER, OTEL_METRICS_EXPORTER and OTEL_LOGS_EXPORTER.
    #[arg(long, value_name = "WHERE", value_enum, value_delimiter = ',', hide_possible_values = true)]
    exporter: Vec<Exporter>,

    /// The OTLP receiver, such as http://localhost:4318
    ///
    /// Sets OTEL_EXPORTER_OTLP_ENDPOINT, for all signals.
    #[arg(long, value_name = "URL", value_parser = endpoint)]
    endpoint: Option<String>,

    /// How OTLP is spoken: http/protobuf (default), http/json, grpc
    ///
    /// Sets OTEL_EXPORTER_OTLP_PROTOCOL, for all signals.
    #[arg(long, value_name = "PROTOCOL", value_enum, hide_possible_values = true)]
    protocol: Option<Protocol>,

    /// The name telemetry is filed under
    ///
    /// Default: the name of the program that is run, else otel-genai-gateway or otel-genai-demo. Sets OTEL_SERVICE_NAME.
    #[arg(long, value_name = "NAME")]
    service_name: Option<String>,

    /// Where prompts and answers are recorded: span_only, event_only, span_and_event, true, no_content
    ///
    /// They are sensitive, so the default is nowhere. `true` means: where the convention puts them.
    /// Sets OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT.
    #[arg(long, value_name = "MODE", value_parser = capture)]
    content: Option<Capture>,

    /// What is taken out of content before it is recorded: email, phone, card, key, all, or a list
    ///
    /// Sets OTEL_GENAI_REDACT.
    #[arg(long, value_name = "WHAT", value_parser = redact)]
    redact: Option<String>,

    /// Store prompts and answers as files in this folder or bucket, and record where
    ///
    /// Whatever --content says. A folder, or a file://, s3://, gs:// or az:// URL.
    /// Sets OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK=upload and OTEL_INSTRUMENTATION_GENAI_UPLOAD_BASE_PATH.
    #[arg(long, value_name = "FOLDER|URL", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    upload: Option<String>,

    /// The vocabulary: 2026-08 (default), 2026-10, loongsuite, v1.30, or two with a comma between
    ///
    /// Sets OTEL_GENAI_CONVENTION.
    #[arg(long, value_name = "NAME", value_parser = convention)]
    convention: Option<Conventions>,

    /// Tell each call alone: recover no agent runs and no tool executions from what calls bring each other
    ///
    /// Same as OTEL_GENAI_INFER=false.
    #[arg(long)]
    pub(crate) no_infer: bool,

    /// Say nothing but errors: no warnings, no last line
    ///
    /// Telemetry on the console is not ours to hide: --exporter none does that. Same as OTEL_LOG_LEVEL=error.
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// A dashboard that gets it.
    #[arg(skip)]
    pub(crate) dashboard: Option<Receiver>,
}

/// A receiver that a command has chosen itself.
#[derive(Clone, Default)]
pub(crate) struct Receiver {
    /// Where it takes OTLP over HTTP.
    pub(crate) endpoint: String,
    /// What it asks for.
    pub(crate) token: Option<String>,
    /// Whether telemetry goes there alone, unless flags say otherwise.
    pub(crate) only: bool,
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.endpoint)
    }
}

impl Receiver {
    /// The variables by which an SDK finds it.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let headers = self.token.as_ref().map(|token| format!("authorization=Bearer%20{token}"));
        vec![
            ("OTEL_EXPORTER_OTLP_ENDPOINT", self.endpoint.clone()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf".to_owned()),
            ("OTEL_EXPORTER_OTLP_HEADERS", headers.unwrap_or_default()),
        ]
    }
}

/// One variable that a flag sets.
#[derive(Clone, Debug)]
pub(crate) struct FlagVariable {
    pub(crate) name: &'static str,
    /// Empty unsets.
    pub(crate) value: String,
    pub(crate) flag: &'static str,
}

const SIGNALS: [[&str; 3]; 3] = [
    [
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
    ],
    [
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
        "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL",
        "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
    ],
    [
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
        "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL",
        "OTEL_EXPORTER_OTLP_LOGS_HEADERS",
    ],
];
const EXPORTERS: [&str; 3] = ["OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER"];

impl TelemetryOptions {
    /// The flags that were given, as variables.
    pub(crate) fn flags(&self) -> Vec<FlagVariable> {
        let mut all = Vec::new();
        let mut set =
            |name, value: &str, flag| all.push(FlagVariable { name, value: value.to_owned(), flag });
        if !self.exporter.is_empty() {
            let list: Vec<_> = self.exporter.iter().map(name_of).collect();
            EXPORTERS.iter().for_each(|name| set(name, &list.join(","), "--exporter"));
        }
        if let Some(receiver) = &self.dashboard {
            let flag = "--dashboard";
            if receiver.only && self.exporter.is_empty() {
                EXPORTERS.iter().for_each(|name| set(name, "otlp", flag));
            }
            receiver.variables().iter().for_each(|(name, value)| set(name, value, flag));
            // Another receiver's keys are none of this one's business.
            SIGNALS.iter().flatten().for_each(|name| set(name, "", flag));
        }
        if let Some(endpoint) = &self.endpoint {
            set("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint, "--endpoint");
            // A signal's own variable goes before the general one, but not before a flag.
            SIGNALS.iter().for_each(|[name, ..]| set(name, "", "--endpoint"));
        }
        if let Some(protocol) = &self.protocol {
            set("OTEL_EXPORTER_OTLP_PROTOCOL", &name_of(protocol), "--protocol");
            SIGNALS.iter().for_each(|[_, name, _]| set(name, "", "--protocol"));
        }
        if let Some(name) = &self.service_name {
            set("OTEL_SERVICE_NAME", name, "--service-name");
        }
        if let Some(capture) = self.content {
            set(config::CAPTURE_MESSAGE_CONTENT, capture.as_str(), "--content");
        }
        if let Some(redact) = &self.redact {
            set(config::REDACT, redact, "--redact");
        }
        if let Some(place) = &self.upload {
            set(otel_genai_upload::COMPLETION_HOOK, "upload", "--upload");
            set(otel_genai_upload::UPLOAD_BASE_PATH, place, "--upload");
        }
        if let Some(convention) = self.convention {
            set(config::CONVENTION, &convention.to_string(), "--convention");
        }
        if self.quiet {
            set(LOG_LEVEL, "error", "--quiet");
        }
        all
    }

    /// Whether somebody has said where telemetry goes.
    #[cfg(feature = "dashboard")]
    pub(crate) fn has_destination(&self) -> bool {
        let receivers = SIGNALS.iter().map(|[endpoint, ..]| *endpoint).chain(EXPORTERS);
        let mut named = receivers.chain(["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_CONFIG_FILE"]);
        named.any(|name| self.variable(name).is_some())
    }

    /// A variable as the flags and the environment say it; empty counts as unset.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        let flag = self.flags().into_iter().find(|flag| flag.name == name).map(|flag| flag.value);
        flag.or_else(|| std::env::var(name).ok()).filter(|value| !value.trim().is_empty())
    }
}

fn name_of(value: &impl clap::ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

fn capture(text: &str) -> Result<Capture, String> {
    text.replace('-', "_").parse().map_err(|_| format!("allowed are {}, in any case", Capture::ALLOWED))
}

fn redact(text: &str) -> Result<String, String> {
    let (_, warnings) = Config::from_vars(|name| (name == config::REDACT).then(|| text.to_owned()));
    match warnings.first() {
        None => Ok(text.to_owned()),
        Some(warning) => Err(format!("allowed are {}, or a list", warning.allowed)),
    }
}

fn convention(text: &str) -> Result<Conventions, String> {
    let allowed = ConventionName::allowed();
    text.parse().map_err(|_| format!("allowed are {allowed}, or two of them with a comma between"))
}

fn endpoint(text: &str) -> Result<String, String> {
    match crate::url::BaseUrl::parse(text) {
        Some(_) => Ok(text.to_owned()),
        None => Err("it must be an http:// or https:// URL".to_owned()),
    }
}
