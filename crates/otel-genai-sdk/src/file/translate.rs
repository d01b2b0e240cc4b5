//! From the file's tree to variables, place by place; what is not known is said with its path.

use std::rc::Rc;

use opentelemetry::Value as Typed;

use super::yaml::{Node, Value};
use super::{CONFIG_FILE, Fault, Layer, Said};
use crate::console::plain;
use crate::setting::Warning;
use crate::signal::Signal;
use crate::variable::Variable;

/// Who needs to be told more has taken the wrong file.
const MOST_WARNINGS: usize = 30;
/// Where the file says that something may take for ever, in milliseconds: a day.
const FOR_EVER: &str = "86400000";

const LIMITS: [(&str, &str); 2] = [
    ("attribute_value_length_limit", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"),
    ("attribute_count_limit", "OTEL_ATTRIBUTE_COUNT_LIMIT"),
];

/// Every language has a part of its own below `instrumentation`; these are not for us.
const OTHER_LANGUAGES: [&str; 10] =
    ["cpp", "dotnet", "erlang", "go", "java", "js", "php", "python", "ruby", "swift"];

/// A value of the file and the path to it.
#[derive(Clone, Debug)]
pub(super) struct At {
    pub(super) node: Rc<Node>,
    pub(super) path: String,
}

pub(super) struct Translation<'a> {
    shown: &'a str,
    pub(super) vars: &'a dyn Fn(&str) -> Option<String>,
    layer: Layer,
    warnings: Vec<Warning>,
    unsaid: usize,
}

/// `shown` is the file's whole path, `file` its name.
pub(super) fn translate(
    root: &Rc<Node>,
    shown: &str,
    file: String,
    vars: &dyn Fn(&str) -> Option<String>,
) -> Result<(Layer, Vec<Warning>), Fault> {
    if !matches!(root.value, Value::Map(_)) {
        return Err(Fault::at(root.at, "should be a map that begins with file_format"));
    }
    let layer = Layer { file, ..Layer::default() };
    let mut translation = Translation { shown, vars, layer, warnings: Vec::new(), unsaid: 0 };
    translation.root(root)?;
    let Translation { layer, mut warnings, unsaid, .. } = translation;
    if unsaid > 0 {
        let message = format!("{CONFIG_FILE}: {shown}: {unsaid} more places of it are not used");
        warnings.push(Warning { variable: CONFIG_FILE, message });
    }
    Ok((layer, warnings))
}

impl Translation<'_> {
    fn root(&mut self, root: &Rc<Node>) -> Result<(), Fault> {
        let whole = At { node: Rc::clone(root), path: String::new() };
        let entries = self.map(&whole);
        let format = entries.iter().find(|(key, _)| key == "file_format").map(|(_, at)| at.clone());
        self.format(&format.unwrap_or_else(|| At { path: "file_format".to_owned(), ..whole.clone() }))?;
        for (key, at) in &entries {
            match key.as_str() {
                // The last two say nothing of what is set up here.
                "file_format" | "stability" | "distribution" => {}
                "disabled" => self.set_text("OTEL_SDK_DISABLED", at),
                "log_level" => self.warn(at, "is not read from the file; OTEL_LOG_LEVEL says it"),
                "attribute_limits" => self.table(at, &LIMITS),
                "resource" => self.resource(at),
                "propagator" => self.propagator(at),
                "tracer_provider" => self.provider(at, Signal::Traces),
                "meter_provider" => self.provider(at, Signal::Metrics),
                "logger_provider" => self.provider(at, Signal::Logs),
                "instrumentation" => self.instrumentation(at),
                _ => self.unsupported(at),
            }
        }
        let lacks = |key: &str| !entries.iter().any(|(present, _)| present == key);
        // What the file does not have is not there.
        for (key, name) in [
            ("propagator", "OTEL_PROPAGATORS"),
            ("tracer_provider", Signal::Traces.exporter_variable()),
            ("meter_provider", Signal::Metrics.exporter_variable()),
            ("logger_provider", Signal::Logs.exporter_variable()),
        ] {
            if lacks(key) {
                self.set(name, "none".to_owned(), &At { path: format!("no {key}"), ..whole.clone() });
            }
        }
        Ok(())
    }

    /// Of 1.x, and of what came shortly before it, all that this crate knows is the same.
    fn format(&mut self, at: &At) -> Result<(), Fault> {
        let Some(text) = (match &at.node.value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        }) else {
            self.warn(at, "is missing; the file is read as format 1.0");
            return Ok(());
        };
        let shown = plain(&text);
        match text.split('.').next().and_then(|major| major.parse::<u32>().ok()) {
            Some(1) => {}
            Some(0) if text.starts_with("0.4") => {}
            Some(major) if major > 1 => {
                return Err(Fault::at(at.node.at, format!("is of file_format {shown:.20}; 1.x can be read")));
            }
            _ => self.warn(at, &format!("is {shown:.20}; the file is read as format 1.0")),
        }
        Ok(())
    }

    fn propagator(&mut self, at: &At) {
        let mut chosen = Vec::new();
        for (key, at) in self.map(at) {
            match key.as_str() {
                "composite" => {
                    for item in self.list(&at) {
                        self.one_propagator(&item, &mut chosen);
                    }
                }
                "composite_list" => {
                    if let Some(text) = self.text(&at) {
                        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
                            self.choose_propagator(name, &at, &mut chosen);
                        }
                    }
                }
                _ => self.unsupported(&at),
            }
        }
        let value = if chosen.is_empty() { "none".to_owned() } else { chosen.join(",") };
        self.set("OTEL_PROPAGATORS", value, at);
    }

    /// `- baggage:`, and `- baggage` as it was written once.
    fn one_propagator(&mut self, item: &At, chosen: &mut Vec<String>) {
        if let Value::Text(name) = &item.node.value {
            let at = At { path: format!("{}.{:.80}", item.path, plain(name)), ..item.clone() };
            return self.choose_propagator(name, &at, chosen);
        }
        for (name, at) in self.map(item) {
            self.choose_propagator(&name, &at, chosen);
        }
    }

    fn choose_propagator(&mut self, name: &str, at: &At, chosen: &mut Vec<String>) {
        match name {
            "tracecontext" | "baggage" if chosen.iter().any(|present| present == name) => {}
            "tracecontext" | "baggage" => chosen.push(name.to_owned()),
            "none" => {}
            _ => {
                let name = plain(name);
                self.warn(at, &format!("{name:.40} is not supported; tracecontext and baggage are"));
            }
        }
    }

    /// Content of model calls has no place in the schema; variables say it.
    fn instrumentation(&mut self, at: &At) {
        for (key, at) in self.map(at) {
            if !OTHER_LANGUAGES.contains(&key.as_str()) {
                self.unsupported(&at);
            }
        }
    }

    /// A map of which each entry is a variable.
    pub(super) fn table(&mut self, at: &At, known: &[(&str, &str)]) {
        for (key, at) in self.map(at) {
            match known.iter().find(|(name, _)| *name == key) {
                Some((_, variable)) => self.set_text(variable, &at),
                None => self.unsupported(&at),
            }
        }
    }

    /// The entries of a map. What is still in development has the same name without saying so.
    pub(super) fn map(&mut self, at: &At) -> Vec<(String, At)> {
        match &at.node.value {
            Value::Map(entries) => entries
                .iter()
                .map(|entry| {
                    let key = plain(&entry.key);
                    let dot = if at.path.is_empty() { "" } else { "." };
                    let path = format!("{}{dot}{key:.80}", at.path);
                    let key = key.strip_suffix("/development").unwrap_or(&key).to_owned();
                    (key, At { node: Rc::clone(&entry.node), path })
                })
                .collect(),
            Value::Null => Vec::new(),
            Value::Text(_) | Value::List(_) => {
                self.warn(at, "should be a map; ignored");
                Vec::new()
            }
        }
    }

    pub(super) fn list(&mut self, at: &At) -> Vec<At> {
        match &at.node.value {
            Value::List(nodes) => nodes
                .iter()
                .enumerate()
                .map(|(number, node)| At { node: Rc::clone(node), path: format!("{}[{number}]", at.path) })
                .collect(),
            Value::Null => Vec::new(),
            Value::Text(_) | Value::Map(_) => {
                self.warn(at, "should be a list; ignored");
                Vec::new()
            }
        }
    }

    /// `None` where nothing is said, or something with parts, which is warned of.
    pub(super) fn text(&mut self, at: &At) -> Option<String> {
        match &at.node.value {
            Value::Text(text) => Some(text.clone()),
            Value::Null => None,
            Value::List(_) | Value::Map(_) => {
                self.warn(at, "should be a single value; ignored");
                None
            }
        }
    }

    /// What the file says is what the variable says.
    pub(super) fn set_text(&mut self, name: &str, at: &At) {
        if let Some(text) = self.text(at) {
            self.set(name, text, at);
        }
    }

    /// The same for milliseconds of which 0 means no end.
    pub(super) fn set_timeout(&mut self, name: &str, at: &At) {
        if let Some(text) = self.text(at) {
            self.set(name, if text.trim() == "0" { FOR_EVER.to_owned() } else { text }, at);
        }
    }

    /// There is one variable for what a file may say of each of several processors: the first counts.
    pub(super) fn set(&mut self, name: &str, value: String, at: &At) {
        let Some(name) = Variable::named(name).map(|variable| variable.name) else {
            debug_assert!(false, "{name} is not in the table");
            return;
        };
        match self.layer.get(name) {
            None => {
                let place = self.place(at);
                self.layer.said.push(Said { name, value, path: at.path.clone(), place });
            }
            Some(first) if first.value != value => {
                let first = first.path.clone();
                self.warn(at, &format!("cannot differ from {first}, which is used; ignored"));
            }
            Some(_) => {}
        }
    }

    /// A resource attribute that is no text, or is one after all: the last of a name counts.
    pub(super) fn set_typed(&mut self, name: &str, value: Option<Typed>) {
        self.layer.typed.retain(|(present, _)| present != name);
        self.layer.typed.extend(value.map(|value| (name.to_owned(), value)));
    }

    pub(super) fn unsupported(&mut self, at: &At) {
        self.warn(at, "is not supported; ignored");
    }

    /// Once for each place. `what` holds nothing of the file's values but what is fit to be shown.
    pub(super) fn warn(&mut self, at: &At, what: &str) {
        let begin = format!("{CONFIG_FILE}: {}: ", self.place(at));
        if self.warnings.iter().any(|warning| warning.message.starts_with(&begin)) {
            return;
        }
        if self.warnings.len() >= MOST_WARNINGS {
            self.unsaid += 1;
            return;
        }
        self.warnings.push(Warning { variable: CONFIG_FILE, message: begin + what });
    }

    fn place(&self, at: &At) -> String {
        format!("{}:{}: {}", self.shown, at.node.at, at.path)
    }
}
