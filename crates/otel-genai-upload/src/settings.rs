//! The settings: the official variables, each mistake told once.

use std::fmt;
use std::str::FromStr;

/// The variable that chooses the completion hook.
pub const COMPLETION_HOOK: &str = "OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK";
/// The variable that says where content goes.
pub const UPLOAD_BASE_PATH: &str = "OTEL_INSTRUMENTATION_GENAI_UPLOAD_BASE_PATH";
/// The variable that chooses the format of the files.
pub const UPLOAD_FORMAT: &str = "OTEL_INSTRUMENTATION_GENAI_UPLOAD_FORMAT";
/// The variable that bounds the queue.
pub const UPLOAD_MAX_QUEUE_SIZE: &str = "OTEL_INSTRUMENTATION_GENAI_UPLOAD_MAX_QUEUE_SIZE";

/// Every variable that [`Settings::from_vars`] reads, with what it does.
pub const VARIABLES: &[(&str, &str)] = &[
    (COMPLETION_HOOK, "who gets each completed conversation: upload"),
    (UPLOAD_BASE_PATH, "where uploads go: a folder, or a file://, s3://, gs:// or az:// URL"),
    (UPLOAD_FORMAT, "the format of the files: json, jsonl"),
    (UPLOAD_MAX_QUEUE_SIZE, "how many uploads may be under way or waiting; more are dropped (default 20)"),
];

/// How many uploads may be under way or waiting, unless said otherwise.
pub(crate) const DEFAULT_MAX_QUEUE_SIZE: usize = 20;

/// The format of the files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// One line: the JSON array.
    #[default]
    Json,
    /// One line an element, each with its position as `index`.
    Jsonl,
}

impl Format {
    /// The values a person may write.
    pub const ALLOWED: &'static str = "json, jsonl";

    /// The name, which is the files' extension too.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Jsonl => "jsonl",
        }
    }
}

/// The text is none of [`Format::ALLOWED`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a format of uploads; allowed are {allowed}", allowed = Format::ALLOWED)]
pub struct UnknownFormat(pub String);

impl FromStr for Format {
    type Err = UnknownFormat;

    /// Any case; surrounding blanks are ignored.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim().to_ascii_lowercase().as_str() {
            "json" => Ok(Format::Json),
            "jsonl" => Ok(Format::Jsonl),
            _ => Err(UnknownFormat(text.to_owned())),
        }
    }
}

/// What the variables say.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// Where content goes. Without it there is no upload, and asking for one is an error.
    pub base_path: Option<String>,
    /// The format of the files.
    pub format: Format,
    /// How many uploads may be under way or waiting.
    pub max_queue_size: usize,
}

/// A setting that could not be used, and what is done instead.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// The variable.
    pub variable: &'static str,
    /// What it held.
    pub value: String,
    /// What it may hold.
    pub allowed: &'static str,
    /// What is done instead.
    pub instead: &'static str,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Warning { variable, value, allowed, instead } = self;
        write!(f, "{variable}={value:?} is not known; allowed are {allowed}; {instead}")
    }
}

impl Settings {
    /// Reads the settings from any source of variables; `None` where no upload is asked for. An empty value counts
    /// as unset.
    pub fn from_vars(var: impl Fn(&str) -> Option<String>) -> (Option<Self>, Vec<Warning>) {
        let set = |name: &str| var(name).filter(|value| !value.trim().is_empty());
        let mut warnings = Vec::new();
        let Some(hook) = set(COMPLETION_HOOK) else { return (None, warnings) };
        if !hook.trim().eq_ignore_ascii_case("upload") {
            warnings.push(Warning {
                variable: COMPLETION_HOOK,
                value: hook,
                allowed: "upload",
                instead: "nothing is uploaded",
            });
            return (None, warnings);
        }
        let mut settings = Settings {
            base_path: set(UPLOAD_BASE_PATH).map(|path| path.trim().to_owned()),
            format: Format::default(),
            max_queue_size: DEFAULT_MAX_QUEUE_SIZE,
        };
        if let Some(value) = set(UPLOAD_FORMAT) {
            match value.parse() {
                Ok(format) => settings.format = format,
                Err(_) => warnings.push(Warning {
                    variable: UPLOAD_FORMAT,
                    value,
                    allowed: Format::ALLOWED,
                    instead: "using json",
                }),
            }
        }
        if let Some(value) = set(UPLOAD_MAX_QUEUE_SIZE) {
            match value.trim().parse() {
                Ok(size) if size > 0 => settings.max_queue_size = size,
                _ => warnings.push(Warning {
                    variable: UPLOAD_MAX_QUEUE_SIZE,
                    value,
                    allowed: "whole numbers from 1",
                    instead: "using 20",
                }),
            }
        }
        (Some(settings), warnings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(vars: &[(&str, &str)]) -> (Option<Settings>, Vec<Warning>) {
        Settings::from_vars(|name| {
            vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_is_uploaded_unless_asked_for() {
        assert_eq!(read(&[(UPLOAD_BASE_PATH, "/prompts"), (COMPLETION_HOOK, " ")]), (None, vec![]));
    }

    #[test]
    fn good_values_are_taken() {
        let (settings, warnings) = read(&[
            (COMPLETION_HOOK, "Upload"),
            (UPLOAD_BASE_PATH, " /prompts "),
            (UPLOAD_FORMAT, "JSONL"),
            (UPLOAD_MAX_QUEUE_SIZE, " 7 "),
        ]);
        let settings = settings.unwrap();
        assert_eq!(settings.base_path.as_deref(), Some("/prompts"));
        assert_eq!((settings.format, settings.max_queue_size), (Format::Jsonl, 7));
        assert_eq!(warnings, vec![]);
    }

    #[test]
    fn each_mistake_is_told_with_what_is_allowed() {
        let (settings, warnings) =
            read(&[(COMPLETION_HOOK, "upload"), (UPLOAD_FORMAT, "parquet"), (UPLOAD_MAX_QUEUE_SIZE, "0")]);
        let settings = settings.unwrap();
        assert_eq!((settings.format, settings.max_queue_size), (Format::Json, 20));
        let said: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].contains(UPLOAD_FORMAT) && said[0].contains("\"parquet\""), "{said:?}");
        assert!(said[0].contains("json, jsonl"), "{said:?}");
        assert!(said[1].contains(UPLOAD_MAX_QUEUE_SIZE) && said[1].contains("from 1"), "{said:?}");
    }

    #[test]
    fn an_unknown_hook_uploads_nothing_and_is_told() {
        let (settings, warnings) = read(&[(COMPLETION_HOOK, "uplaod"), (UPLOAD_FORMAT, "parquet")]);
        assert_eq!(settings, None);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].to_string().contains("\"uplaod\""), "{warnings:?}");
    }
}
