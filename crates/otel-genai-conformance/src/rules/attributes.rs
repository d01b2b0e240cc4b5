//! Rules that hold for attributes wherever they are.

use std::collections::HashSet;

use otel_genai_semconv::attribute::GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK;
use otel_genai_semconv::requirement::Type;
use serde_json::Value as Json;

use super::Report;
use crate::content;
use crate::finding::Id;
use crate::telemetry::{Attributes, Value};

/// Judges names, types and content; names in `let_pass` are no finding here.
pub(super) fn judge(report: &mut Report<'_>, attributes: &Attributes, let_pass: &[&str]) {
    let mut seen = HashSet::new();
    for (name, value) in attributes {
        if !seen.insert(name) {
            report.find(Id::AttributeGivenTwice, Some(name), "the key is there twice");
        } else if let Some(key) = value.doubled_key() {
            let message = format!("its value has the key {key:?} twice");
            report.find(Id::AttributeGivenTwice, Some(name), message);
        }
        if let_pass.contains(&name.as_str()) || report.checker.allows(name) {
            continue;
        }
        let Some(declared) = report.checker.registry.attribute(name) else {
            let elsewhere = report.checker.registry.elsewhere(name);
            let message = format!("the convention {} does not know it{elsewhere}", report.convention());
            report.find(Id::MissingAttribute, Some(name), message);
            continue;
        };
        if declared.deprecated {
            report.find(Id::Deprecated, Some(name), "the convention advises against it");
        }
        if !fits(value, declared.r#type) {
            let message = format!("is {}, must be {}", value.type_name(), words(declared.r#type));
            report.find(Id::TypeMismatch, Some(name), message);
        }
        if name == GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK && is_negative(value) {
            report.find(Id::NegativeDuration, Some(name), "is below zero");
        }
        if content::is_content(name) {
            judge_content(report, name, value);
        }
    }
}

/// Judges that content is structured, which events demand. Spans may have JSON text instead.
pub(super) fn judge_structure(report: &mut Report<'_>, attributes: &Attributes) {
    for (name, value) in attributes {
        if content::is_content(name) && value.as_str().is_some() {
            let message = "is JSON text; events carry structured content";
            report.find(Id::EventContentNotStructured, Some(name), message);
        }
    }
}

fn judge_content(report: &mut Report<'_>, name: &str, value: &Value) {
    let content = match value.as_str() {
        Some(text) => serde_json::from_str::<Json>(text).map_err(|error| format!("is no JSON: {error}")),
        None => Ok(value.to_json()),
    };
    let judged = content.and_then(|content| {
        content::check(name, &content, report.checker.convention)?;
        report.checker.schemas.check(name, &content)
    });
    if let Err(problem) = judged {
        report.find(Id::ContentSchema, Some(name), problem);
    }
}

fn fits(value: &Value, declared: Type) -> bool {
    match declared {
        Type::Any => true,
        Type::Boolean => matches!(value, Value::Bool(_)),
        Type::Double => matches!(value, Value::Double(_) | Value::Int(_)),
        Type::Enum => matches!(value, Value::String(_) | Value::Int(_)),
        Type::Int => matches!(value, Value::Int(_)),
        Type::String | Type::StringTemplate => matches!(value, Value::String(_)),
        Type::Strings => {
            matches!(value, Value::Array(values) if values.iter().all(|value| value.as_str().is_some()))
        }
    }
}

fn words(r#type: Type) -> &'static str {
    match r#type {
        Type::Any => "structured content",
        Type::Boolean => "a boolean",
        Type::Double => "a double",
        Type::Enum => "a string of an open list",
        Type::Int => "an int",
        Type::String | Type::StringTemplate => "a string",
        Type::Strings => "a list of strings",
    }
}

fn is_negative(value: &Value) -> bool {
    match value {
        Value::Int(number) => *number < 0,
        Value::Double(number) => *number < 0.0,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use otel_genai_semconv::requirement::{self, Attribute};

    use crate::registry::Registry;
    use crate::{Checker, Convention, Event, Telemetry, Value};

    /// No attribute of the conventions is deprecated yet, so one is made up.
    #[test]
    fn deprecated_attributes_are_found() {
        const OLD: &[Attribute] =
            &[Attribute { name: "old", r#type: requirement::Type::String, deprecated: true }];
        let convention = requirement::Convention { attributes: OLD, ..requirement::V2026_08 };
        let mut checker = Checker::new(Convention::V2026_08);
        checker.registry = Registry::made_of(convention);
        let event =
            Event { name: String::new(), attributes: vec![("old".into(), Value::String("x".into()))] };
        let telemetry = Telemetry { events: vec![event], ..Telemetry::default() };
        let ids: Vec<_> = checker.check(&telemetry).iter().map(|finding| finding.id.as_str()).collect();
        assert_eq!(ids, ["deprecated"]);
    }
}
