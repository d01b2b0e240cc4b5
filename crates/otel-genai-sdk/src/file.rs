//! `OTEL_CONFIG_FILE`: settings from a file in OpenTelemetry's declarative configuration format.
//!
//! The file is translated into the variables of the table, as one more place where their values come from. As the
//! specification wants it, the environment's own values do not count then, save where the file names them (`${NAME}`).
//!
//! Of what the file says and this crate does not do, each place is warned of once. A file that cannot be used as a whole
//! switches telemetry off: what it would have forbidden is not known, and its destination is not either.

use std::fmt;

use opentelemetry::Value;

use crate::console::plain;
use crate::setting::{Source, Warning};

#[cfg(feature = "config-file")]
mod exporter;
#[cfg(feature = "config-file")]
mod open;
#[cfg(feature = "config-file")]
mod provider;
#[cfg(feature = "config-file")]
mod resource;
#[cfg(feature = "config-file")]
mod sampler;
#[cfg(feature = "config-file")]
mod substitute;
#[cfg(feature = "config-file")]
mod translate;
#[cfg(feature = "config-file")]
mod yaml;

pub(crate) const CONFIG_FILE: &str = "OTEL_CONFIG_FILE";
/// The name before the specification was stable.
pub(crate) const FORMER_NAME: &str = "OTEL_EXPERIMENTAL_CONFIG_FILE";

/// What a file says, in the words of the variables.
#[derive(Debug, Default)]
pub(crate) struct Layer {
    /// The file's name without its folders, fit to be shown.
    pub(crate) file: String,
    pub(crate) said: Vec<Said>,
    /// Resource attributes that are no texts, which a variable cannot say.
    pub(crate) typed: Vec<(String, Value)>,
}

/// The value of one variable.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    /// Where in the file's structure, as `tracer_provider.sampler`.
    pub(crate) path: String,
    /// File, line and column, the path after them: what a warning begins with.
    pub(crate) place: String,
}

impl Layer {
    pub(crate) fn get(&self, name: &str) -> Option<&Said> {
        self.said.iter().find(|said| said.name == name)
    }

    /// Stands in for a file that cannot be used.
    fn off(file: String, place: &str) -> Self {
        let said = |name, value: &str| Said {
            name,
            value: value.to_owned(),
            path: "cannot be used".to_owned(),
            place: place.to_owned(),
        };
        let said = vec![said("OTEL_SDK_DISABLED", "true"), said("OTEL_PROPAGATORS", "none")];
        Self { file, said, typed: Vec::new() }
    }
}

/// Lines and columns count from 1, columns in characters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Mark {
    line: usize,
    column: usize,
}

/// Why a whole file cannot be used. Holds nothing of its content.
#[derive(Debug)]
struct Fault {
    at: Option<Mark>,
    why: String,
}

impl Fault {
    fn of_file(why: impl Into<String>) -> Self {
        Self { at: None, why: why.into() }
    }

    #[cfg(feature = "config-file")]
    fn at(at: Mark, why: impl Into<String>) -> Self {
        Self { at: Some(at), why: why.into() }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Lays the file, where one is named, between what was set in code and the environment.
pub(crate) fn read(source: &mut Source<'_>, vars: &dyn Fn(&str) -> Option<String>) {
    let Some(path) = source.read(CONFIG_FILE, |text| Ok(text.to_owned())) else {
        return;
    };
    if source.is_former(CONFIG_FILE) {
        source.note(CONFIG_FILE, format!("given as {FORMER_NAME}, its former name"));
    }
    let shown = plain(&path);
    let name = std::path::Path::new(&path).file_name();
    let name = name.map_or_else(|| shown.clone(), |name| plain(&name.to_string_lossy()));
    match layer(&path, &shown, name.clone(), vars) {
        Ok((layer, warnings)) => source.lay(layer, warnings),
        Err(Fault { at, why }) => {
            let place = at.map_or_else(|| shown.clone(), |at| format!("{shown}:{at}"));
            let message = format!(
                "{CONFIG_FILE}: {place}: {why}; telemetry is off. Correct the file, or unset {CONFIG_FILE}"
            );
            let warning = Warning { variable: CONFIG_FILE, message };
            source.lay(Layer::off(name, &place), vec![warning]);
            source.note(CONFIG_FILE, format!("{place}: {why}; telemetry is off"));
        }
    }
}

#[cfg(feature = "config-file")]
fn layer(
    path: &str,
    shown: &str,
    name: String,
    vars: &dyn Fn(&str) -> Option<String>,
) -> Result<(Layer, Vec<Warning>), Fault> {
    let text = open::read(path)?;
    let root = yaml::parse(&text, &|text| substitute::substituted(text, vars))?;
    translate::translate(&root, shown, name, vars)
}

#[cfg(not(feature = "config-file"))]
fn layer(
    _: &str,
    _: &str,
    _: String,
    _: &dyn Fn(&str) -> Option<String>,
) -> Result<(Layer, Vec<Warning>), Fault> {
    Err(Fault::of_file("this program is built without otel-genai-sdk's feature `config-file`"))
}
