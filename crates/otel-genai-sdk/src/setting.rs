//! Reading variables: each is looked up once, and what was found, what is in force and what was wrong is kept.

use std::fmt;

use crate::variable::{Shown, VARIABLES, Variable};

/// What is in force for one variable, and who said so. `otel-genai config` prints these.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Setting {
    /// The variable.
    pub name: &'static str,
    /// The value in force, safe to print: header values, URL credentials and queries are left out.
    pub value: String,
    /// Who said so.
    pub origin: Origin,
    /// What else there is to know: why the given value is not in force.
    pub note: Option<String>,
    /// What the variable does.
    pub about: &'static str,
}

/// Where a setting comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Origin {
    /// Nobody said anything, or nothing usable.
    Default,
    /// The variable of that name.
    Environment,
    /// [`crate::Builder::set`], with the name given there, as `--traces-exporter`.
    Set(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Environment => f.write_str("environment"),
            Self::Set(by) => f.write_str(by),
        }
    }
}

/// A value that could not be used, and what is done instead. There is at most one for a variable.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Warning {
    /// The variable.
    pub variable: &'static str,
    /// The whole sentence, the variable included; holds no secret.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// A value that was set in code, and stands before the environment.
#[derive(Clone, Debug)]
pub(crate) struct Fixed {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) by: String,
}

/// Why a value cannot be used, and what happens instead.
pub(crate) struct Bad {
    pub(crate) why: String,
    pub(crate) instead: Option<String>,
}

impl Bad {
    pub(crate) fn because(why: impl Into<String>) -> Self {
        Self { why: why.into(), instead: None }
    }

    pub(crate) fn instead(mut self, instead: impl Into<String>) -> Self {
        self.instead = Some(instead.into());
        self
    }
}

/// The variables, with a memory of what was read from them.
pub(crate) struct Source<'a> {
    vars: &'a dyn Fn(&str) -> Option<String>,
    fixed: &'a [Fixed],
    settings: Vec<Setting>,
    warnings: Vec<Warning>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(vars: &'a dyn Fn(&str) -> Option<String>, fixed: &'a [Fixed]) -> Self {
        Self { vars, fixed, settings: Vec::new(), warnings: Vec::new() }
    }

    /// The value of a variable of the table, read by `parse`. `None` when it is unset, empty or unusable; the last is
    /// warned of.
    pub(crate) fn read<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Bad>,
    ) -> Option<T> {
        let variable = Variable::named(name)?;
        self.read_or(name, variable.default, parse)
    }

    /// The same, where the default is not the one of the table.
    pub(crate) fn read_or<T>(
        &mut self,
        name: &'static str,
        default: &str,
        parse: impl FnOnce(&str) -> Result<T, Bad>,
    ) -> Option<T> {
        let variable = Variable::named(name)?;
        let mut setting = Setting {
            name: variable.name,
            value: default.to_owned(),
            origin: Origin::Default,
            note: None,
            about: variable.about,
        };
        let mut read = None;
        if let Some((text, origin)) = self.text(name) {
            match parse(&text) {
                Ok(value) => {
                    read = Some(value);
                    setting.value = show(variable.shown, &text);
                    setting.origin = origin;
                }
                Err(Bad { why, instead }) => {
                    let instead = instead.unwrap_or_else(|| format!("using the default: {default}"));
                    setting.note = Some(format!("{} {why}", quote(&show(variable.shown, &text))));
                    self.warn(name, format!("{} {why}; {instead}", quote(&show(variable.shown, &text))));
                }
            }
        }
        self.settings.push(setting);
        read
    }

    /// Says that something is wrong with a variable, unless something was already said about it.
    pub(crate) fn warn(&mut self, name: &'static str, what: impl fmt::Display) {
        if self.warnings.iter().any(|warning| warning.variable == name) {
            return;
        }
        let message = format!("{name}: {what}");
        if let Some(setting) = self.settings.iter_mut().find(|setting| setting.name == name) {
            setting.note.get_or_insert_with(|| what.to_string());
        }
        self.warnings.push(Warning { variable: name, message });
    }

    /// Adds to what is known of a setting, where nothing is wrong.
    pub(crate) fn note(&mut self, name: &str, note: impl Into<String>) {
        if let Some(setting) = self.settings.iter_mut().find(|setting| setting.name == name) {
            setting.note.get_or_insert_with(|| note.into());
        }
    }

    /// Whether a variable says anything at all, usable or not.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.text(name).is_some()
    }

    /// In the order of the table, not in the one of reading.
    pub(crate) fn finish(mut self) -> (Vec<Setting>, Vec<Warning>) {
        let place = |name: &str| VARIABLES.iter().position(|variable| variable.name == name);
        self.settings.sort_by_key(|setting| place(setting.name));
        self.warnings.sort_by_key(|warning| place(warning.variable));
        (self.settings, self.warnings)
    }

    fn text(&self, name: &str) -> Option<(String, Origin)> {
        let fixed = self.fixed.iter().rev().find(|fixed| fixed.name == name);
        let (text, origin) = match fixed {
            Some(fixed) => (fixed.value.clone(), Origin::Set(fixed.by.clone())),
            None => ((self.vars)(name)?, Origin::Environment),
        };
        let text = text.trim();
        (!text.is_empty()).then(|| (text.to_owned(), origin))
    }
}

/// A value as it may be printed.
fn show(shown: Shown, text: &str) -> String {
    match shown {
        Shown::Plain => crate::console::plain(text),
        Shown::Url => without_secrets(text),
        Shown::Names => text
            .split(',')
            .filter(|entry| !entry.trim().is_empty())
            .map(|entry| match entry.split_once('=') {
                Some((name, _)) => format!("{}=***", crate::console::plain(name.trim())),
                None => "***".to_owned(),
            })
            .collect::<Vec<_>>()
            .join(", "),
    }
}

/// A URL without user name, password, query and fragment.
pub(crate) fn without_secrets(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), url),
    };
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let host = authority.rsplit('@').next().unwrap_or_default();
    crate::console::plain(&format!("{scheme}{host}{path}"))
}

fn quote(text: &str) -> String {
    const LONGEST: usize = 120;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("\"{}…\"", text.get(..end).unwrap_or_default()),
        None => format!("\"{text}\""),
    }
}
