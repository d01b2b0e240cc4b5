//! The ready redaction: which kinds of data it takes out, a user's own patterns, and a user's own code.

use std::borrow::{Borrow, Cow};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::str::FromStr;
use std::sync::{Arc, Once};
use std::{fmt, ptr};

use serde_json::{Map, Value};

use super::scan::{Found, merge};
use super::walk::each;
use super::{FAILED, Redact, card, email, key, phone};
use crate::message::{Message, Part, ToolDefinition};

/// A kind of sensitive data that [`Redactor`] knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Sensitive {
    /// E-mail addresses: `[email]`.
    Email,
    /// Phone numbers, international and national: `[phone]`.
    Phone,
    /// Payment card numbers: `[card]`.
    Card,
    /// Keys, tokens, passwords, private keys: `[key]`.
    Key,
}

impl Sensitive {
    /// Every kind.
    pub const ALL: [Sensitive; 4] = [Sensitive::Email, Sensitive::Phone, Sensitive::Card, Sensitive::Key];

    /// The name as it is written in the variable.
    pub fn as_str(self) -> &'static str {
        match self {
            Sensitive::Email => "email",
            Sensitive::Phone => "phone",
            Sensitive::Card => "card",
            Sensitive::Key => "key",
        }
    }

    /// What stands in its place.
    pub fn mark(self) -> &'static str {
        match self {
            Sensitive::Email => "[email]",
            Sensitive::Phone => "[phone]",
            Sensitive::Card => "[card]",
            Sensitive::Key => "[key]",
        }
    }

    fn find(self, text: &str, found: &mut Vec<Found>) {
        match self {
            Sensitive::Email => email::find(text, found),
            Sensitive::Phone => phone::find(text, found),
            Sensitive::Card => card::find(text, found),
            Sensitive::Key => key::find(text, found),
        }
    }
}

/// The text names no [`Sensitive`] data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} cannot be redacted; allowed are {allowed}", allowed = Redactor::ALLOWED)]
pub struct UnknownSensitive(pub String);

impl FromStr for Sensitive {
    type Err = UnknownSensitive;

    /// Any case; surrounding blanks are ignored.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.trim();
        Sensitive::ALL
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(name))
            .ok_or_else(|| UnknownSensitive(text.to_owned()))
    }
}

/// A pattern that is no regular expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the redaction pattern {pattern:?} is no regular expression: {reason}")]
#[non_exhaustive]
pub struct BadPattern {
    /// The pattern as it was given.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Redacts what it was told to. Cheap to clone.
///
/// First the [kinds it knows](Sensitive), in one pass over the text each; then its patterns and other redactions, in the
/// order in which they were added. Where a kind finds data, what is next to it is kept.
///
/// In JSON, the value of a property with a name such as `password` or `api_key` is redacted with [`Sensitive::Key`]
/// whatever it looks like.
#[derive(Clone, Default)]
pub struct Redactor {
    known: Known,
    then: Vec<Arc<dyn Redact>>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").field("kinds", &self.known.kinds).field("then", &self.then.len()).finish()
    }
}

impl Redactor {
    /// What a person may write in the variable: these, separated by commas.
    pub const ALLOWED: &'static str = "email, phone, card, key, all, none";

    /// Redacts nothing yet.
    pub fn new() -> Self {
        Redactor::default()
    }

    /// Redacts everything it knows.
    pub fn all() -> Self {
        Sensitive::ALL.into_iter().fold(Redactor::new(), Redactor::kind)
    }

    /// Redacts this kind as well.
    #[must_use]
    pub fn kind(mut self, kind: Sensitive) -> Self {
        if !self.known.redacts(kind) {
            self.known.kinds.push(kind);
        }
        self
    }

    /// Redacts e-mail addresses as well.
    #[must_use]
    pub fn email(self) -> Self {
        self.kind(Sensitive::Email)
    }

    /// Redacts phone numbers as well.
    #[must_use]
    pub fn phone(self) -> Self {
        self.kind(Sensitive::Phone)
    }

    /// Redacts payment card numbers as well.
    #[must_use]
    pub fn card(self) -> Self {
        self.kind(Sensitive::Card)
    }

    /// Redacts keys, tokens and passwords as well.
    #[must_use]
    pub fn key(self) -> Self {
        self.kind(Sensitive::Key)
    }

    /// Replaces whatever the regular expression matches by `mark`, taken literally. Syntax: the crate `regex`.
    ///
    /// ```
    /// use otel_genai::redact::{Redact as _, Redactor};
    ///
    /// let redactor = Redactor::new().pattern(r"\bDE\d{2}(?: ?\d{4}){4} ?\d{2}\b", "[iban]")?;
    /// assert_eq!(redactor.text("to DE89 3704 0044 0532 0130 00"), "to [iban]");
    /// # Ok::<(), otel_genai::redact::BadPattern>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the pattern is no regular expression, or one of more than 10 MiB compiled.
    #[cfg(feature = "regex")]
    pub fn pattern(self, pattern: &str, mark: impl Into<String>) -> Result<Self, BadPattern> {
        struct Pattern(regex::Regex, String);

        impl Redact for Pattern {
            fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
                self.0.replace_all(text, regex::NoExpand(&self.1))
            }
        }

        match regex::Regex::new(pattern) {
            Ok(regex) => Ok(self.and(Pattern(regex, mark.into()))),
            Err(error) => Err(BadPattern { pattern: pattern.to_owned(), reason: error.to_string() }),
        }
    }

    /// Lets another redaction look at what this one leaves. Should it panic, the text, part or value it was looking at
    /// is replaced by [`FAILED`](super::FAILED), and the user's call goes on.
    #[must_use]
    pub fn and(mut self, other: impl Redact + 'static) -> Self {
        self.then.push(Arc::new(other));
        self
    }

    /// Whether there is nothing to redact.
    pub fn is_empty(&self) -> bool {
        self.known.kinds.is_empty() && self.then.is_empty()
    }

    /// Runs one redaction after the other.
    fn chain<'a, T: ToOwned + ?Sized>(
        &self,
        item: &'a T,
        run: impl for<'b> Fn(&dyn Redact, &'b T) -> Cow<'b, T>,
        failed: impl Fn() -> T::Owned,
    ) -> Cow<'a, T> {
        let mut out: Option<T::Owned> = None;
        let known = (!self.known.kinds.is_empty()).then_some(&self.known as &dyn Redact);
        for redact in known.into_iter().chain(self.then.iter().map(AsRef::as_ref)) {
            let current: &T = out.as_ref().map_or(item, Borrow::borrow);
            let next = match catch_unwind(AssertUnwindSafe(|| run(redact, current))) {
                Ok(Cow::Borrowed(same)) if ptr::eq(same, current) => continue,
                Ok(next) => next.into_owned(),
                Err(_) => {
                    warn_once();
                    failed()
                }
            };
            out = Some(next);
        }
        out.map_or(Cow::Borrowed(item), Cow::Owned)
    }
}

fn warn_once() {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        tracing::warn!(
            target: "otel_genai",
            "a redaction panicked; the content it was looking at is replaced by {FAILED:?}"
        );
    });
}

impl Redact for Redactor {
    fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.chain(text, |redact, text| redact.text(text), || FAILED.to_owned())
    }

    fn value_at<'a>(&self, value: &'a Value, depth: usize) -> Cow<'a, Value> {
        self.chain(value, |redact, value| redact.value_at(value, depth), || FAILED.into())
    }

    fn property<'a>(&self, name: &str, value: &'a Value, depth: usize) -> Cow<'a, Value> {
        self.chain(value, |redact, value| redact.property(name, value, depth), || FAILED.into())
    }

    fn object<'a>(&self, object: &'a Map<String, Value>) -> Cow<'a, Map<String, Value>> {
        self.chain(
            object,
            |redact, object| redact.object(object),
            || Map::from_iter([(FAILED.to_owned(), Value::Null)]),
        )
    }

    fn part<'a>(&self, part: &'a Part) -> Cow<'a, Part> {
        self.chain(part, |redact, part| redact.part(part), || Part::text(FAILED))
    }

    fn message<'a>(&self, message: &'a Message) -> Cow<'a, Message> {
        self.chain(
            message,
            |redact, message| redact.message(message),
            || Message::new(message.role.clone(), [Part::text(FAILED)]),
        )
    }

    fn tool<'a>(&self, tool: &'a ToolDefinition) -> Cow<'a, ToolDefinition> {
        self.chain(
            tool,
            |redact, tool| redact.tool(tool),
            || ToolDefinition::new(tool.kind.clone(), tool.name.clone()),
        )
    }

    fn variable<'a>(&self, name: &str, value: &'a str) -> Cow<'a, str> {
        self.chain(value, |redact, value| redact.variable(name, value), || FAILED.to_owned())
    }
}

impl FromStr for Redactor {
    type Err = UnknownSensitive;

    /// Kinds separated by commas, or `all`, or `none`. Any case; blanks and empty entries are ignored.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut redactor = Redactor::new();
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            redactor = match name.to_ascii_lowercase().as_str() {
                "none" => redactor,
                "all" => Sensitive::ALL.into_iter().fold(redactor, Redactor::kind),
                _ => redactor.kind(name.parse()?),
            };
        }
        Ok(redactor)
    }
}

/// The kinds as one redaction.
#[derive(Clone, Debug, Default)]
struct Known {
    kinds: Vec<Sensitive>,
}

impl Known {
    fn redacts(&self, kind: Sensitive) -> bool {
        self.kinds.contains(&kind)
    }
}

impl Redact for Known {
    fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        // A mark in place of what was found may free something beside it. The second round finds that; the bound is
        // for safety.
        const ROUNDS: usize = 4;
        let mut out: Option<String> = None;
        for _ in 0..ROUNDS {
            let current = out.as_deref().unwrap_or(text);
            let mut found = Vec::new();
            for kind in &self.kinds {
                kind.find(current, &mut found);
            }
            if found.is_empty() {
                break;
            }
            let new = replaced(current, found);
            if new == current {
                break;
            }
            out = Some(new);
        }
        out.map_or(Cow::Borrowed(text), Cow::Owned)
    }

    /// A name may say what the value alone does not.
    fn property<'a>(&self, name: &str, value: &'a Value, depth: usize) -> Cow<'a, Value> {
        match value {
            Value::String(text) if self.redacts(Sensitive::Key) && key::is_secret(name, text) => {
                Cow::Owned(Sensitive::Key.mark().into())
            }
            // The name of a list is that of its items.
            Value::Array(items) if depth > 0 => {
                match each(items, |item| self.property(name, item, depth - 1)) {
                    Cow::Borrowed(_) => Cow::Borrowed(value),
                    Cow::Owned(items) => Cow::Owned(Value::Array(items)),
                }
            }
            _ => self.value_at(value, depth),
        }
    }

    fn variable<'a>(&self, name: &str, value: &'a str) -> Cow<'a, str> {
        if self.redacts(Sensitive::Key) && key::is_secret(name, value) {
            return Cow::Borrowed(Sensitive::Key.mark());
        }
        self.text(value)
    }
}

fn replaced(text: &str, found: Vec<Found>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for Found { range, what } in merge(found) {
        out.push_str(text.get(from..range.start).unwrap_or_default());
        out.push_str(what.mark());
        from = range.end;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}
