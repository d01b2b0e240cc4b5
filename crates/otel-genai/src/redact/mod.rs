//! Redaction: what must not leave the program is taken out of content before anything is serialised.
//!
//! [`Redactor`] knows e-mail addresses, phone numbers, payment cards, and keys and tokens; patterns of one's own and any
//! other [`Redact`] join it. What was there is told by a mark: `[email]`, `[phone]`, `[card]`, `[key]`.
//!
//! ```
//! use otel_genai::redact::{Redact as _, Redactor};
//!
//! let redactor = Redactor::new().email().phone();
//! assert_eq!(
//!     redactor.text("Mail jo@example.com or call +49 30 1234567."),
//!     "Mail [email] or call [phone]."
//! );
//! ```
//!
//! Names are left alone: of tools, roles, ids, models and JSON properties. So is binary data (base64).

mod card;
mod email;
mod key;
mod phone;
mod redactor;
mod scan;
mod walk;

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::message::{Message, Part, ToolDefinition};

pub use redactor::{BadPattern, Redactor, Sensitive, UnknownSensitive};

/// Takes sensitive data out of content. [`text`](Redact::text) is all that must be written; the rest follows from it
/// and may be overridden where a structure says more than its texts do.
///
/// What comes back borrowed is taken to be what went in, so text with nothing to redact costs no copy.
///
/// An implementation runs in the user's own call, before limits cut anything: it should take time linear in the text.
pub trait Redact: Send + Sync {
    /// Any text: of messages, reasoning, queries, documents, values in JSON.
    fn text<'a>(&self, text: &'a str) -> Cow<'a, str>;

    /// Any JSON: tool arguments and results, documents, properties beyond the conventions. By default every string
    /// goes through [`text`](Redact::text), and so does every number that is long enough to be one of a card or an
    /// account. Below [`DEPTH`] levels nothing is looked at and nothing is let through.
    fn value<'a>(&self, value: &'a Value) -> Cow<'a, Value> {
        self.value_at(value, DEPTH)
    }

    /// As [`value`](Redact::value), with the levels that are left. Override this one to act on structure.
    fn value_at<'a>(&self, value: &'a Value, depth: usize) -> Cow<'a, Value> {
        walk::value(self, value, depth)
    }

    /// One property of a JSON object. By default the name says nothing, and the value is treated as any other.
    fn property<'a>(&self, name: &str, value: &'a Value, depth: usize) -> Cow<'a, Value> {
        let _ = name;
        self.value_at(value, depth)
    }

    /// A JSON object.
    fn object<'a>(&self, object: &'a Map<String, Value>) -> Cow<'a, Map<String, Value>> {
        walk::object(self, object, DEPTH)
    }

    /// One part of a message. By default its texts and its JSON, but neither ids, names nor base64.
    fn part<'a>(&self, part: &'a Part) -> Cow<'a, Part> {
        walk::part(self, part)
    }

    /// A message: by default the participant's name and each part.
    fn message<'a>(&self, message: &'a Message) -> Cow<'a, Message> {
        walk::message(self, message)
    }

    /// A tool that the model may call: by default its description and its schema, not its name.
    fn tool<'a>(&self, tool: &'a ToolDefinition) -> Cow<'a, ToolDefinition> {
        walk::tool(self, tool)
    }

    /// A variable of a prompt template.
    fn variable<'a>(&self, name: &str, value: &'a str) -> Cow<'a, str> {
        let _ = name;
        self.text(value)
    }

    /// All of these messages.
    fn messages<'a>(&self, messages: &'a [Message]) -> Cow<'a, [Message]> {
        walk::each(messages, |message| self.message(message))
    }

    /// All of these parts: system instructions.
    fn parts<'a>(&self, parts: &'a [Part]) -> Cow<'a, [Part]> {
        walk::each(parts, |part| self.part(part))
    }

    /// All of these tools.
    fn tools<'a>(&self, tools: &'a [ToolDefinition]) -> Cow<'a, [ToolDefinition]> {
        walk::each(tools, |tool| self.tool(tool))
    }

    /// All of these values: documents.
    fn values<'a>(&self, values: &'a [Value]) -> Cow<'a, [Value]> {
        walk::each(values, |value| self.value(value))
    }

    /// All of these variables of a prompt template.
    fn variables<'a>(&self, variables: &'a [(String, String)]) -> Cow<'a, [(String, String)]> {
        walk::each(variables, |variable| {
            match walk::changed(&variable.1, self.variable(&variable.0, &variable.1)) {
                Some(value) => Cow::Owned((variable.0.clone(), value)),
                None => Cow::Borrowed(variable),
            }
        })
    }
}

/// How many levels of JSON are looked at. What lies deeper, where no tool's arguments ever are, is replaced by a mark:
/// a redactor that cannot look must not let through.
pub const DEPTH: usize = 128;

/// What stands in place of JSON deeper than [`DEPTH`].
pub const TOO_DEEP: &str = "[nested too deep to redact]";

/// What stands in place of content on which a user's own redaction panicked.
pub const FAILED: &str = "[redaction failed]";

/// A function as a redaction:
///
/// ```
/// use std::borrow::Cow;
///
/// use otel_genai::redact::{Redact as _, Redactor, by};
///
/// let redactor = Redactor::all().and(by(|text| match text.contains("Project X") {
///     true => Cow::Owned(text.replace("Project X", "[project]")),
///     false => Cow::Borrowed(text),
/// }));
/// assert_eq!(redactor.text("Project X: jo@example.com"), "[project]: [email]");
/// ```
pub fn by<F>(redact: F) -> impl Redact
where
    F: for<'a> Fn(&'a str) -> Cow<'a, str> + Send + Sync,
{
    struct By<F>(F);

    impl<F: for<'a> Fn(&'a str) -> Cow<'a, str> + Send + Sync> Redact for By<F> {
        fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
            (self.0)(text)
        }
    }

    By(redact)
}

#[cfg(test)]
mod tests;
