//! A difference and what is known of the call that shows it, and the questions that deviations ask.

use otel_genai::ConventionName;
use serde_json::{Value, json};

use crate::case::{Case, Exchange, Fate};
use crate::compare::Place;
use crate::reference::Reference;

/// A difference and what is known of the call that shows it.
pub(crate) struct Context<'a> {
    pub(crate) case: &'a Case,
    pub(crate) reference: &'a Reference,
    pub(crate) place: &'a Place,
    pub(crate) key: &'a str,
    pub(crate) expected: Option<&'a Value>,
    pub(crate) actual: Option<&'a Value>,
}

/// Whether the second list of messages is the first one and more: parts and properties that the reference drops.
pub(crate) fn holds_more(expected: &Value, actual: &Value) -> bool {
    let (Some(expected), Some(actual)) = (expected.as_array(), actual.as_array()) else { return false };
    expected.len() == actual.len()
        && expected.iter().zip(actual).all(|(expected, actual)| {
            let (said, all) = (expected["parts"].as_array().unwrap(), actual["parts"].as_array().unwrap());
            let has_audio = all.iter().any(|part| part["type"] == "blob");
            let mut left = said.iter().peekable();
            let explained = all.iter().all(|part| {
                if left.peek().is_some_and(|said| is_said_by(said, part)) {
                    left.next();
                    return true;
                }
                match part["type"].as_str().unwrap() {
                    // The transcript of the audio.
                    "text" => has_audio,
                    kind => ["reasoning", "blob", "tool_call"].contains(&kind),
                }
            });
            let same_role = expected["role"] == actual["role"] || expected["role"] == "";
            explained
                && left.next().is_none()
                && same_role
                && expected["finish_reason"] == actual["finish_reason"]
        })
}

/// Whether the second part says all that the first one says.
fn is_said_by(said: &Value, part: &Value) -> bool {
    said.as_object().unwrap().iter().all(|(property, value)| {
        let is_beginning = |value: &Value| {
            let name = part["name"].as_str().unwrap_or_default();
            property == "name" && name.starts_with(value.as_str().unwrap_or_default())
        };
        part[property] == *value || is_beginning(value)
    })
}

/// Whether the first list of messages is the second one without those that are reasoning alone.
pub(crate) fn is_without_reasoning(without: &Value, with: &Value) -> bool {
    let (Some(without), Some(with)) = (without.as_array(), with.as_array()) else { return false };
    let is_reasoning = |message: &&Value| {
        message["parts"].as_array().unwrap().iter().all(|part| part["type"] == "reasoning")
    };
    without.len() < with.len() && with.iter().filter(|message| !is_reasoning(message)).eq(without)
}

/// Whether the messages are the same but for the reasons why they ended, which the second list knows better.
pub(crate) fn differs_in_reason(vague: &Value, exact: &Value) -> bool {
    let (Some(vague), Some(exact)) = (vague.as_array(), exact.as_array()) else { return false };
    let is_better = |vague: &Value, exact: &Value| {
        vague["parts"] == exact["parts"]
            && ["length", "content_filter"].iter().any(|reason| exact["finish_reason"] == *reason)
    };
    vague.len() == exact.len()
        && vague.iter().zip(exact).all(|(vague, exact)| vague == exact || is_better(vague, exact))
}

/// Whether all that the first one says stands in the second one too, which says more.
pub(crate) fn has_lost(less: &Value, more: &Value) -> bool {
    match (less, more) {
        (Value::Object(less), Value::Object(more)) => less
            .iter()
            .all(|(key, value)| value == "" || more.get(key).is_some_and(|more| has_lost(value, more))),
        (Value::Array(less), Value::Array(more)) => {
            less.len() == more.len() && less.iter().zip(more).all(|(less, more)| has_lost(less, more))
        }
        _ => less.is_null() || less == more,
    }
}

/// Whether there is content in the body of a message.
pub(crate) fn tells_content(body: &Value) -> bool {
    match body {
        Value::Object(fields) => {
            fields.iter().any(|(key, value)| key == "content" || key == "arguments" || tells_content(value))
        }
        Value::Array(items) => items.iter().any(tells_content),
        _ => false,
    }
}

/// Whether both are the same list of parts, the second one without what is not kept.
pub(crate) fn is_media_of(sent: &Value, kept: &Value) -> bool {
    let (Some(sent), Some(kept)) = (sent.as_array(), kept.as_array()) else { return false };
    let is_of = |sent: &Value, kept: &Value| match (sent, kept) {
        (Value::String(text), kept) => kept["text"] == *text,
        (Value::Object(fields), kept) => fields.iter().all(|(key, value)| match value {
            Value::Object(details) => details.iter().all(|(name, value)| {
                let is_data = |value: &Value| value.as_str().is_some_and(|url| url.starts_with("data:"));
                ["filename", "detail"].contains(&name.as_str())
                    || kept[key][name] == *value
                    || is_data(value) && is_data(&kept[key][name])
            }),
            value => kept[key] == *value,
        }),
        _ => false,
    };
    sent.len() == kept.len() && sent.iter().zip(kept).all(|(sent, kept)| is_of(sent, kept))
}

/// Whether an `error.type` is the class of a Python exception: `openai.NotFoundError`, of old `NotFoundError`.
pub(crate) fn is_class(error_type: &str) -> bool {
    let name = error_type.strip_prefix("openai.").unwrap_or(error_type);
    name.starts_with(|first: char| first.is_ascii_uppercase()) && name.chars().all(char::is_alphanumeric)
}

impl Context<'_> {
    /// Whether both sides are there, and this holds for them.
    pub(crate) fn both(&self, holds: fn(&Value, &Value) -> bool) -> bool {
        self.expected.zip(self.actual).is_some_and(|(expected, actual)| holds(expected, actual))
    }

    /// Whether all calls of the case are of this API.
    pub(crate) fn is_of(&self, api: &str) -> bool {
        let calls = self.case.document["calls"].as_array().unwrap();
        calls.iter().all(|call| call["api"].as_str().is_some_and(|name| name.starts_with(api)))
    }

    /// Whether the difference is this value, which the reference does not have.
    pub(crate) fn adds(&self, value: impl Into<Value>) -> bool {
        let value = value.into();
        self.expected.is_none() && !value.is_null() && self.actual == Some(&value)
    }

    /// Whether it holds for an exchange at the difference's place.
    pub(crate) fn any_exchange(&self, holds: impl Fn(&Exchange) -> bool) -> bool {
        match self.place {
            // Of old a call had many events.
            Place::Event(_) if self.reference.convention == ConventionName::V1_30 => {
                self.case.compared().iter().any(holds)
            }
            Place::Span(at) | Place::Event(at) => self.case.compared().get(*at).is_some_and(holds),
            Place::Metric(_) | Place::Count(_) => self.case.compared().iter().any(holds),
        }
    }
}

/// What the failure of an exchange is to be called: the provider's code, or its type, or the status; else what became
/// of the connection.
pub(crate) fn failure(exchange: &Exchange) -> Value {
    match exchange.fate {
        Fate::Refused => return json!("connection_refused"),
        Fate::CutAfter(_) => return json!("connection_closed"),
        Fate::GivenUp | Fate::LeftAfter(_) => return json!("cancelled"),
        Fate::Read => {}
    }
    let document = exchange.documents().pop().unwrap_or_default();
    let error = if document["error"].is_object() { &document["error"] } else { &document };
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_word = |text: &&str| !text.is_empty() && !is_number(text) && !text.contains(' ');
    let word = |value: &Value| value.as_str().filter(is_word).map(|text| json!(text));
    word(&error["code"])
        .or_else(|| word(&error["type"]))
        .or_else(|| error["code"].as_u64().map(|code| json!(code.to_string())))
        .unwrap_or_else(|| json!(exchange.status.to_string()))
}
