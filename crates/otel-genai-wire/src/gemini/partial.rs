//! Arguments of a function that come piece by piece: `{"jsonPath": "$.to.city", "stringValue": "Ul"}`.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::gather::Room;
use crate::json::{Raw, object};

/// Deeper paths, and longer lists, are not followed.
const MAX_DEPTH: usize = 16;
const MAX_ITEMS: usize = 256;

object! {
    struct Partial<'a> {
        "jsonPath" | "json_path" => path: Option<Cow<'a, str>>,
        "stringValue" | "string_value" => string: Option<Cow<'a, str>>,
        "numberValue" | "number_value" => number: Raw<'a>,
        "boolValue" | "bool_value" => boolean: Option<bool>,
    }
}

impl Partial<'_> {
    /// Puts the value where it belongs. A text goes on where there is one.
    pub(super) fn put(&self, into: &mut Value, room: &mut Room) {
        let Some(path) = self.path.as_deref().and_then(steps) else { return };
        // What lies before an item of a list is made, too.
        let needed = |step: &&str| step.len() + 32 * step.parse::<usize>().map_or(0, |at| at.min(MAX_ITEMS));
        if !room.take(path.iter().map(needed).sum()) {
            return;
        }
        let Some(place) = path.iter().try_fold(into, |value, step| enter(value, step)) else { return };
        *place = match (&self.string, self.boolean) {
            (Some(more), _) => {
                let mut text = match place.take() {
                    Value::String(text) => text,
                    _ => String::new(),
                };
                room.append(&mut text, more);
                Value::String(text)
            }
            (None, Some(boolean)) => boolean.into(),
            (None, None) => self.number.value().unwrap_or_default(),
        };
    }
}

/// The steps of a path: `$.a[0]['b']` is `a`, `0`, `b`.
fn steps(path: &str) -> Option<Vec<&str>> {
    let steps = path.strip_prefix('$')?.split(['.', '[', ']']).map(|step| step.trim_matches(['\'', '"']));
    let steps: Vec<&str> = steps.filter(|step| !step.is_empty()).collect();
    (1..=MAX_DEPTH).contains(&steps.len()).then_some(steps)
}

/// The place below a value; made where there is none yet.
fn enter<'a>(value: &'a mut Value, step: &str) -> Option<&'a mut Value> {
    let index = step.parse::<usize>().ok();
    if value.is_null() {
        *value = if index.is_some() { Value::Array(Vec::new()) } else { Value::Object(Map::new()) };
    }
    match (value, index) {
        (Value::Object(fields), _) => Some(fields.entry(step).or_insert(Value::Null)),
        (Value::Array(items), Some(index)) if index < MAX_ITEMS => {
            if items.len() <= index {
                items.resize(index + 1, Value::Null);
            }
            items.get_mut(index)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::json;

    #[test]
    fn pieces_are_put_in_their_place() {
        let mut value = Value::Null;
        let mut room = Room::new(100_000);
        for piece in [
            r#"{"jsonPath":"$.to.city","stringValue":"Ul"}"#,
            r#"{"jsonPath":"$.to.city","stringValue":"m"}"#,
            r#"{"jsonPath":"$.days[1]","numberValue":2.5}"#,
            r#"{"jsonPath":"$.days[0]","numberValue":1}"#,
            r#"{"jsonPath":"$['fast lane']","boolValue":true}"#,
            r#"{"jsonPath":"$.none","nullValue":"NULL_VALUE"}"#,
            r#"{"jsonPath":"$.days.x","stringValue":"lost"}"#,
            r#"{"jsonPath":"$.many[9999999]","stringValue":"lost"}"#,
            r#"{"jsonPath":"nowhere","stringValue":"lost"}"#,
        ] {
            json::read::<Partial<'_>>(piece.as_bytes()).unwrap().put(&mut value, &mut room);
        }
        assert_eq!(
            value,
            json!({"to": {"city": "Ulm"}, "days": [1, 2.5], "fast lane": true, "none": null, "many": []})
        );
    }
}
