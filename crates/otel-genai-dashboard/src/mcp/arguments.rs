//! Whether a tool is asked as its schema says. A model guesses names; what nobody reads would be answered by something else.

use serde_json::{Map, Value};

use crate::http::{short, stretch};

/// Refuses unknown, missing and wrong arguments, in words from which the right ones can be told.
pub(super) fn check(tool: &str, schema: &Value, arguments: &Value) -> Result<(), String> {
    let empty = Map::new();
    let known = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    let given = match arguments {
        Value::Null => &empty,
        Value::Object(given) => given,
        _ => return Err(format!("the arguments of {tool} are an object; it takes {}", names(known))),
    };
    for (name, value) in given {
        let Some(property) = known.get(name) else {
            return Err(format!("there is no argument {} in {tool}; it takes {}", short(name), names(known)));
        };
        fits(name, property, value)?;
    }
    let is_missing = |name: &&str| match given.get(*name) {
        None | Some(Value::Null) => true,
        Some(value) => value.as_str() == Some(""),
    };
    let mut needed =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    match needed.find(is_missing) {
        None => Ok(()),
        Some(name) => {
            let property = known.get(name);
            let means =
                property.and_then(|property| property.get("description")?.as_str()).unwrap_or_default();
            let means = if means.is_empty() { String::new() } else { format!(": {means}") };
            Err(format!("{name} is needed{means}"))
        }
    }
}

/// `null` and an empty text are as good as nothing: clients fill in so what is left out.
fn fits(name: &str, property: &Value, value: &Value) -> Result<(), String> {
    let told = |key: &str| property.get(key).and_then(Value::as_str).unwrap_or_default();
    let is_blank = value.is_null() || value.as_str() == Some("");
    let fits = match told("type") {
        "string" => value.is_string(),
        "integer" => value.is_u64(),
        "boolean" => value.is_boolean(),
        _ => true,
    };
    if !fits && !is_blank {
        let meant = match told("type") {
            "string" => "a text",
            "integer" => "a whole number",
            _ => "true or false",
        };
        return Err(format!("{name}={}: {meant} is meant", short(&value.to_string())));
    }
    let Some(text) = value.as_str().filter(|text| !text.is_empty()) else { return Ok(()) };
    let choices: Vec<_> = property
        .get("enum")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if !choices.is_empty() && !choices.contains(&text) {
        return Err(format!("{name}={}: one of {} is meant", short(text), choices.join(", ")));
    }
    let ago = text.trim_start_matches('-');
    if name == "since" && !(ago.starts_with(|first: char| first.is_ascii_digit()) && stretch(ago).is_some()) {
        return Err(format!("since={}: a time before now like 15m, 24h or 7d is meant", short(text)));
    }
    Ok(())
}

fn names(known: &Map<String, Value>) -> String {
    known.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
}
