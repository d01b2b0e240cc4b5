//! What one convention requires of its signals, as Rust source: the tables that a checker of telemetry works from.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use super::data::{self, Core};
use super::registry::Convention;
use super::render::{HEADER, constant_name};
use super::resolved::{Attribute, Resolved};
use crate::Result;

/// Reads a resolved registry in `source` and the types of borrowed attributes in `written`.
pub(crate) fn table(convention: Convention, source: &Path, written: &Path) -> Result<String> {
    let resolved = Resolved::load(&source.join(format!("resolved-{convention}.json")))?;
    let core: Core = data::load(&written.join("core.toml"))?;
    render(convention, &resolved, &core)
}

fn render(convention: Convention, resolved: &Resolved, core: &Core) -> Result<String> {
    let mut out = format!(
        "{HEADER}//! The convention `{convention}`.\n\n\
         use super::{{Attribute, Convention, Event, Kind, Metric, Span, Type}};\n\
         use crate::metric::definition;\n\n\
         /// What the convention requires.\n\
         pub const CONVENTION: Convention = Convention {{\n\
         name: {convention:?}, attributes: ATTRIBUTES, spans: SPANS, events: EVENTS, metrics: METRICS }};\n\n"
    );

    out += "const ATTRIBUTES: &[Attribute] = &[\n";
    for (name, (r#type, deprecated)) in known(resolved, core)? {
        let r#type = type_variant(name, r#type)?;
        let _ =
            writeln!(out, "Attribute {{ name: {name:?}, r#type: Type::{type}, deprecated: {deprecated} }},");
    }
    out += "];\n\nconst SPANS: &[Span] = &[\n";
    for (name, span) in &resolved.spans {
        let kind = match span.kind.as_deref() {
            Some("client") => "Client",
            Some("internal") => "Internal",
            Some("server") => "Server",
            other => return Err(format!("the span {name} of {convention} is of kind {other:?}")),
        };
        let recommended = names(&span.attributes, "recommended");
        let _ = writeln!(
            out,
            "Span {{ name: {name:?}, kind: Kind::{kind}, required: &{:?}, recommended: &{recommended:?} }},",
            names(&span.attributes, "required"),
        );
    }
    out += "];\n\nconst EVENTS: &[Event] = &[\n";
    for (name, event) in &resolved.events {
        let required = names(&event.attributes, "required");
        let _ = writeln!(out, "Event {{ name: {name:?}, required: &{required:?} }},");
    }
    out += "];\n\nconst METRICS: &[Metric] = &[\n";
    for (name, metric) in &resolved.metrics {
        let required = names(&metric.attributes, "required");
        let _ = writeln!(
            out,
            "Metric {{ definition: definition::{}, required: &{required:?} }},",
            constant_name(name)
        );
    }
    out += "];\n";
    Ok(out)
}

/// Type, and whether it is deprecated, of each attribute that the convention defines or one of its signals borrows.
///
/// What only a provider's refinement of a signal borrows is left out, as the convention's own judge leaves it out.
fn known<'a>(resolved: &'a Resolved, core: &'a Core) -> Result<BTreeMap<&'a String, (&'a str, bool)>> {
    let mut known: BTreeMap<_, _> = resolved
        .registry_attributes
        .iter()
        .map(|(name, attribute)| (name, (attribute.r#type.as_str(), is_set(&attribute.deprecated))))
        .collect();
    let of_signals = [&resolved.spans, &resolved.events].into_iter().flat_map(BTreeMap::values);
    let used = of_signals
        .map(|signal| &signal.attributes)
        .chain(resolved.metrics.values().map(|metric| &metric.attributes));
    for name in used.flat_map(BTreeMap::keys) {
        if !known.contains_key(name) {
            let (r#type, _) = core
                .attributes
                .get(name)
                .ok_or_else(|| format!("core.toml lacks {name}, which is borrowed"))?;
            known.insert(name, (r#type, false));
        }
    }
    Ok(known)
}

fn is_set(deprecated: &serde_json::Value) -> bool {
    !matches!(deprecated, serde_json::Value::Null | serde_json::Value::Bool(false))
}

/// The attributes that have the level whatever the call was.
fn names<'a>(attributes: &'a BTreeMap<String, Attribute>, level: &str) -> Vec<&'a String> {
    attributes
        .iter()
        .filter(|(_, attribute)| {
            attribute.requirement_level.as_deref() == Some(level) && attribute.condition.is_none()
        })
        .map(|(name, _)| name)
        .collect()
}

fn type_variant(name: &str, r#type: &str) -> Result<&'static str> {
    Ok(match r#type {
        "any" => "Any",
        "boolean" => "Boolean",
        "double" => "Double",
        "enum" => "Enum",
        "int" => "Int",
        "string" => "String",
        "string[]" => "Strings",
        "template[string]" => "StringTemplate",
        other => return Err(format!("{name} is a {other}, which `requirement::Type` does not have yet")),
    })
}
