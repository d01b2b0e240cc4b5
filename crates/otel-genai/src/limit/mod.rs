//! Limits: content that is too large is cut inside its structure, so that what leaves is valid JSON and says what is
//! missing.
//!
//! All sizes are bytes of the JSON that a span attribute would hold, counted without building it. A limit holds for
//! what comes out, marks included:
//!
//! | what | is cut how |
//! |---|---|
//! | a text | its end, with `…[cut: 12345 of 20000 bytes left out]` |
//! | JSON (tool arguments, results, documents) | long texts first; then the end of lists and objects, with a mark in place; what is nested deeper than [`ContentLimits::depth`](field@ContentLimits::depth) |
//! | a tool definition | the description as a text; a schema that is too large becomes a schema that says so |
//! | binary data | never within: it becomes a part `blob_reference`, as under [`BlobPolicy`] |
//! | a message | its parts share the room: small ones stay whole, large ones are cut alike |
//! | a conversation | the first system message and the newest message stay, then as many of the newest as fit; in place of the others stands a message with one part `{"type":"truncated","omitted_messages":9,"omitted_bytes":123456}` |
//!
//! Content within the limits comes back borrowed. The time is that of reading what is kept, not what is left out.
//!
//! ```
//! use otel_genai::Message;
//! use otel_genai::limit::ContentLimits;
//!
//! let messages = vec![Message::user("long ".repeat(1_000))];
//! let mut limits = ContentLimits::default();
//! limits.attribute_bytes = Some(500);
//! let kept = serde_json::to_string(&*limits.fit_messages(&messages)).unwrap();
//! assert!(kept.len() <= 500 && kept.contains("of 5000 bytes left out]"), "{kept}");
//! ```

mod blob;
mod conversation;
mod count;
mod json;
mod part;
mod room;
mod text;

use std::borrow::Cow;
use std::str::FromStr;

use serde::Serialize;
use serde_json::Value;

use crate::message::{Message, Part, ToolDefinition};
use count::json_bytes;
pub(crate) use text::up_to;

/// How large content may be, and what becomes of binary data. Sizes are bytes of JSON; `None` is no limit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContentLimits {
    /// One attribute: all messages of one direction, all instructions, all tools, the arguments of a call.
    pub attribute_bytes: Option<usize>,
    /// One message.
    pub message_bytes: Option<usize>,
    /// One part of a message.
    pub part_bytes: Option<usize>,
    /// Levels of JSON within a part. The default leaves structured events below the hundred levels that readers of
    /// protobuf allow (each level of JSON takes three), and attributes below the 128 of JSON readers.
    pub depth: usize,
    /// What becomes of binary data.
    pub blobs: BlobPolicy,
}

impl Default for ContentLimits {
    /// No limit but that of `depth`, 24 levels.
    fn default() -> Self {
        ContentLimits {
            attribute_bytes: None,
            message_bytes: None,
            part_bytes: None,
            depth: ContentLimits::DEPTH,
            blobs: BlobPolicy::Inline,
        }
    }
}

impl ContentLimits {
    /// The default of `depth`.
    pub const DEPTH: usize = 24;

    /// The least limit: a mark needs its room. Lower limits are taken for this one.
    pub const LEAST: usize = 256;

    /// More levels than this are never let through, as readers of JSON refuse them.
    const DEEPEST: usize = 96;

    /// Messages within these limits.
    pub fn fit_messages<'a>(&self, messages: &'a [Message]) -> Cow<'a, [Message]> {
        if self.leaves(messages) {
            return Cow::Borrowed(messages);
        }
        Cow::Owned(conversation::fit(messages, self))
    }

    /// Parts within these limits: system instructions.
    pub fn fit_parts<'a>(&self, parts: &'a [Part]) -> Cow<'a, [Part]> {
        let within = |part: &Part| part::within(part, self);
        if parts.iter().all(within) && self.counts(parts, self.attribute(), 2) {
            return Cow::Borrowed(parts);
        }
        Cow::Owned(part::fit_all(parts, self.attribute(), self))
    }

    /// Tool definitions within these limits.
    pub fn fit_tools<'a>(&self, tools: &'a [ToolDefinition]) -> Cow<'a, [ToolDefinition]> {
        if self.counts(tools, self.attribute(), 2) {
            return Cow::Borrowed(tools);
        }
        Cow::Owned(part::fit_tools(tools, self.attribute(), self))
    }

    /// Any JSON within these limits: arguments or result of a tool call.
    pub fn fit_value<'a>(&self, value: &'a Value) -> Cow<'a, Value> {
        if self.counts(value, self.attribute(), 0) {
            return Cow::Borrowed(value);
        }
        Cow::Owned(json::shrink(value, self.attribute(), self.depth()))
    }

    /// A list of JSON within these limits: documents.
    pub fn fit_values<'a>(&self, values: &'a [Value]) -> Cow<'a, [Value]> {
        if self.counts(values, self.attribute(), 1) {
            return Cow::Borrowed(values);
        }
        Cow::Owned(json::shrink_items(values, self.attribute(), self.depth() + 1))
    }

    /// A plain text within these limits: a query, a prompt. Bytes of the text itself, as it is the attribute.
    pub fn fit_text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if text.len() <= self.attribute() {
            return Cow::Borrowed(text);
        }
        Cow::Owned(text::cut_plain(text, self.attribute()))
    }

    /// Whether nothing would be cut.
    fn leaves(&self, messages: &[Message]) -> bool {
        if self.attribute_bytes.is_none() && self.message_bytes.is_none() {
            // Nothing to count but what the parts' own limits ask for.
            return messages.iter().all(|message| {
                message.parts.iter().all(|part| part::within(part, self))
                    && (message.extra.is_empty() || self.counts(message, self.message(), 3))
            });
        }
        let message_limited = self.message_bytes.is_some();
        messages.iter().all(|message| {
            message.parts.iter().all(|part| part::within(part, self))
                && (!message_limited || self.counts(message, self.message(), 3))
        }) && self.counts(messages, self.attribute(), 4)
    }

    /// Whether the JSON is no larger than this, and no deeper than allowed within `around` levels of structure.
    fn counts(&self, value: &(impl Serialize + ?Sized), limit: usize, around: usize) -> bool {
        json_bytes(value, limit, self.depth() + around).is_some()
    }

    fn attribute(&self) -> usize {
        at_least(self.attribute_bytes)
    }

    fn message(&self) -> usize {
        at_least(self.message_bytes)
    }

    fn part(&self) -> usize {
        at_least(self.part_bytes)
    }

    fn depth(&self) -> usize {
        self.depth.clamp(1, ContentLimits::DEEPEST)
    }
}

/// No limit is one that no content reaches, with room to calculate.
fn at_least(limit: Option<usize>) -> usize {
    limit.map_or(usize::MAX / 4, |limit| limit.clamp(ContentLimits::LEAST, usize::MAX / 4))
}

/// What becomes of binary data in messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BlobPolicy {
    /// Recorded as base64, unless it is larger than a limit: then as under [`Reference`](BlobPolicy::Reference).
    #[default]
    Inline,
    /// Left out; a part `{"type":"blob_reference","modality":"image","mime_type":"image/png","bytes":1234,"sha256":"…"}`
    /// says what was there, with the digest of the bytes in hexadecimal.
    Reference,
    /// As [`Reference`](BlobPolicy::Reference), without the digest.
    Omit,
}

impl BlobPolicy {
    /// The values a person may write.
    pub const ALLOWED: &'static str = "inline, reference, omit";

    /// The name as it is written in the variable.
    pub fn as_str(self) -> &'static str {
        match self {
            BlobPolicy::Inline => "inline",
            BlobPolicy::Reference => "reference",
            BlobPolicy::Omit => "omit",
        }
    }
}

/// The text is none of [`BlobPolicy::ALLOWED`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no way to record binary data; allowed are {allowed}", allowed = BlobPolicy::ALLOWED)]
pub struct UnknownBlobPolicy(pub String);

impl FromStr for BlobPolicy {
    type Err = UnknownBlobPolicy;

    /// Any case; surrounding blanks are ignored.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [BlobPolicy::Inline, BlobPolicy::Reference, BlobPolicy::Omit]
            .into_iter()
            .find(|policy| policy.as_str().eq_ignore_ascii_case(text.trim()))
            .ok_or_else(|| UnknownBlobPolicy(text.to_owned()))
    }
}

/// The text is no limit of bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no limit of bytes; allowed are {allowed}", allowed = ALLOWED_BYTES)]
pub struct UnknownByteLimit(pub String);

/// What a person may write for a limit.
pub const ALLOWED_BYTES: &str = "a number of bytes from 256 on, as 65536, 64KiB or 1MB, or none";

/// Reads a limit of bytes: `65536`, `64KiB`, `64k` (1024), `1MB` (1000²), `none`. Any case; blanks are ignored.
///
/// # Errors
///
/// When it is neither, or less than [`ContentLimits::LEAST`].
pub fn byte_limit(text: &str) -> Result<Option<usize>, UnknownByteLimit> {
    let unknown = || UnknownByteLimit(text.to_owned());
    let plain = text.trim().to_ascii_lowercase();
    if plain == "none" || plain == "unlimited" {
        return Ok(None);
    }
    let (number, unit) =
        plain.split_at(plain.find(|char: char| !char.is_ascii_digit()).unwrap_or(plain.len()));
    let unit: usize = match unit.trim() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        _ => return Err(unknown()),
    };
    let bytes =
        number.parse::<usize>().ok().and_then(|number| number.checked_mul(unit)).ok_or_else(unknown)?;
    if bytes < ContentLimits::LEAST { Err(unknown()) } else { Ok(Some(bytes)) }
}

#[cfg(test)]
mod tests;
