//! Reading variables: each is looked up once, and what was found, what is in force and what was wrong is kept.

use std::fmt;

use crate::file::{CONFIG_FILE, FORMER_NAME, Layer, Said};
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
    /// The file that `OTEL_CONFIG_FILE` names, and where in it: `otel.yaml: tracer_provider.sampler`.
    File(String),
    /// [`crate::Builder::set`], with the name given there, as `--traces-exporter`.
    Set(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Environment => f.write_str("environment"),
            Self::File(by) | Self::Set(by) => f.write_str(by),
        }
    }
}

/// A value that could not be used, and what is done instead. There is at most one for a variable, and for a place of the
/// file that `OTEL_CONFIG_FILE` names: that is the variable of what is no variable's.
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
    /// Stands for the environment, where there is one.
    layer: Option<Layer>,
    settings: Vec<Setting>,
    warnings: Vec<Warning>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(vars: &'a dyn Fn(&str) -> Option<String>, fixed: &'a [Fixed]) -> Self {
        Self { vars, fixed, layer: None, settings: Vec::new(), warnings: Vec::new() }
    }

    /// Puts what a file says in the place of the environment.
    pub(crate) fn lay(&mut self, layer: Layer, warnings: Vec<Warning>) {
        self.layer = Some(layer);
        self.warnings.extend(warnings);
    }

    /// The name of that file, without its folders.
    pub(crate) fn file(&self) -> Option<&str> {
        self.layer.as_ref().map(|layer| layer.file.as_str())
    }

    /// What the file says of a resource attribute that is no text.
    pub(crate) fn typed(&self, variable: &str, attribute: &str) -> Option<opentelemetry::Value> {
        self.said(variable)?;
        let typed = &self.layer.as_ref()?.typed;
        typed.iter().find(|(name, _)| name == attribute).map(|(_, value)| value.clone())
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
                    let instead =
                        instead.unwrap_or_else(|| format!("using the default: {}", self.by_default(default)));
                    setting.note = Some(format!("{} {why}", quote(&show(variable.shown, &text))));
                    self.warn(name, format!("{} {why}; {instead}", quote(&show(variable.shown, &text))));
                }
            }
        }
        if let Some(note) = self.passed_over(name) {
            setting.note.get_or_insert(note);
        }
        self.settings.push(setting);
        read
    }

    /// Says that something is wrong with a variable, unless something was already said about it.
    pub(crate) fn warn(&mut self, name: &'static str, what: impl fmt::Display) {
        if self.warnings.iter().any(|warning| warning.variable == name) {
            return;
        }
        let message = match self.said(name) {
            Some(said) => format!("{CONFIG_FILE}: {}: {what}", said.place),
            None => format!("{name}: {what}"),
        };
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
        let (text, origin) = match (self.fixed(name), &self.layer) {
            (Some(fixed), _) => (fixed.value.clone(), Origin::Set(fixed.by.clone())),
            (None, Some(layer)) => {
                let said = layer.get(name)?;
                (said.value.clone(), Origin::File(format!("{}: {}", layer.file, said.path)))
            }
            (None, None) => (self.environment(name)?, Origin::Environment),
        };
        let text = text.trim();
        (!text.is_empty()).then(|| (text.to_owned(), origin))
    }

    /// Whether a variable's value is that of its former name.
    pub(crate) fn is_former(&self, name: &str) -> bool {
        self.fixed(name).is_none() && (self.vars)(name).is_none_or(|text| text.trim().is_empty())
    }

    fn fixed(&self, name: &str) -> Option<&Fixed> {
        self.fixed.iter().rev().find(|fixed| fixed.name == name)
    }

    /// What the file says, where that counts.
    fn said(&self, name: &str) -> Option<&Said> {
        self.layer.as_ref().filter(|_| self.fixed(name).is_none())?.get(name)
    }

    fn environment(&self, name: &str) -> Option<String> {
        let text = |name: &str| (self.vars)(name).filter(|text| !text.trim().is_empty());
        text(name).or_else(|| text(FORMER_NAME).filter(|_| name == CONFIG_FILE))
    }

    /// Why a value of the environment that says something else is not in force.
    fn passed_over(&self, name: &str) -> Option<String> {
        self.layer.as_ref().filter(|_| self.fixed(name).is_none())?;
        let text = self.environment(name)?;
        let is_same = self.said(name).is_some_and(|said| said.value.trim() == text.trim());
        (!is_same).then(|| format!("the environment's does not count beside {CONFIG_FILE}"))
    }

    /// Of one signal's own, the file can only say the default of all.
    fn by_default<'d>(&self, default: &'d str) -> &'d str {
        let general = default.strip_prefix("as ").filter(|_| self.layer.is_some()).and_then(Variable::named);
        general.map_or(default, |variable| variable.default)
    }
}

/// A value as it may be printed.
fn show(shown: Shown, text: &str) -> String {
    match shown {
        Shown::Plain => crate::console::plain(text),
        Shown::Url => shown_url(text),
        Shown::Names => text
            .split(',')
            .filter(|entry| !entry.trim().is_empty())
            .map(|entry| match entry.split_once('=') {
                // Written another way, what stands before a `=` can be the secret and the `=` the end of its base64.
                Some((name, value))
                    if is_header(name.trim()) && !value.trim_matches('=').trim().is_empty() =>
                {
                    format!("{}=***", name.trim())
                }
                _ => "***".to_owned(),
            })
            .collect::<Vec<_>>()
            .join(", "),
    }
}

fn is_header(name: &str) -> bool {
    name.parse::<http::HeaderName>().is_ok()
}

/// A URL, or whatever was written in its place, fit to be shown: without user name, password, query and fragment, on one
/// line that cannot speak to a terminal, and not endless.
///
/// ```
/// assert_eq!(otel_genai_sdk::shown_url("https://me:secret@host:8443/v1?key=secret"), "https://host:8443/v1");
/// ```
#[must_use]
pub fn shown_url(text: &str) -> String {
    const LONGEST: usize = 200;
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), text),
    };
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    // A password may hold a slash that should have been escaped: all before the last @ may be one.
    let shown = path.rsplit_once('@').map_or(path, |(_, host)| host);
    // ... or a question mark: what stands before it is then no host with a port.
    let authority = shown.split('/').next().unwrap_or_default();
    let is_port = |port: &str| port.ends_with(']') || port.bytes().all(|byte| byte.is_ascii_digit());
    let is_cut = rest.contains('@') && !path.contains('@');
    if is_cut && authority.rsplit_once(':').is_some_and(|(_, port)| !is_port(port)) {
        return crate::console::plain(&format!("{scheme}***"));
    }
    let mut shown = crate::console::plain(&format!("{scheme}{shown}"));
    if let Some((end, _)) = shown.char_indices().nth(LONGEST) {
        shown.truncate(end);
        shown.push('…');
    }
    shown
}

fn quote(text: &str) -> String {
    const LONGEST: usize = 120;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("\"{}…\"", text.get(..end).unwrap_or_default()),
        None => format!("\"{text}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::{show, shown_url};
    use crate::variable::Shown;

    #[test]
    fn secrets_are_not_shown() {
        for (text, shown) in [
            ("https://h:8443/v1", "https://h:8443/v1"),
            ("https://user:SECRET@h/v1?key=SECRET#SECRET", "https://h/v1"),
            ("https://user:SECRET@h:x/v1", "https://h:x/v1"),
            ("https://user:SECRET/SECRET@h/v1", "https://h/v1"),
            ("https://user:SECRET?SECRET@h/v1", "https://***"),
            ("https://h?key=me@SECRET", "https://h"),
            ("http://[::1]:80/v1?a@b", "http://[::1]:80/v1"),
            ("user:SECRET@h?SECRET", "h"),
            ("\u{1b}[31m", "␛[31m"),
        ] {
            assert_eq!(shown_url(text), shown, "{text}");
        }
        assert_eq!(shown_url(&"x".repeat(1000)).chars().count(), 201);
        for (text, shown) in [
            ("authorization=Bearer SECRET, tenant=SECRET", "authorization=***, tenant=***"),
            // Slips: a colon, a value alone, and base64 that ends as a pair begins.
            ("Authorization: Basic U0VDUkVUMQ==", "***"),
            ("Authorization: Bearer SECRET=x", "***"),
            ("SECRET", "***"),
            ("U0VDUkVU=,U0VDUkVU==", "***, ***"),
            ("=SECRET", "***"),
        ] {
            assert_eq!(show(Shown::Names, text), shown, "{text}");
        }
    }
}
