//! OTLP in JSON: read as senders write it, written as the specification wants it.
//!
//! One table says which key of JSON is which field, and both directions follow it. Read are: ids in hexadecimal digits
//! of either case, whole numbers as numbers or as text, enumerations by number or name, `NaN` and `Infinity` as text,
//! bytes in any kind of base64, `null` for "not told", also in lists of messages, keys in any order; unknown keys are
//! passed over, and whatever is missing has its default. Values nest at most 64 levels deep, so that no input can exhaust
//! the stack.

use std::marker::PhantomData;

use serde::Deserializer;
use serde::de::DeserializeSeed;

mod codec;
mod messages;

/// A message of OTLP that has a form in JSON: the requests and answers of the three export services, and their parts.
pub trait Json: messages::Message {}

impl<M: messages::Message> Json for M {}

/// JSON that is not the OTLP it should be. It tells the place, and nothing of what is there.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotOtlp(#[from] serde_json::Error);

/// Reads a message.
///
/// # Errors
/// Text that is no JSON, a field of the wrong type, values nested more than 64 levels deep, or anything after the
/// message.
///
/// ```
/// use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
/// use otel_genai_store::otlp;
///
/// let text = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"chat gpt-5","endTimeUnixNano":"5"}]}]}]}"#;
/// let request: ExportTraceServiceRequest = otlp::from_json(text)?;
/// assert_eq!(otlp::to_json(&request), text);
/// # Ok::<(), otlp::NotOtlp>(())
/// ```
pub fn from_json<M: Json>(text: &[u8]) -> Result<M, NotOtlp> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    // The tables below have an end, values count their own levels, and what is passed over needs no stack.
    reader.disable_recursion_limit();
    let message = Seed::<codec::Whole, M>::new(MOST_LEVELS).deserialize(&mut reader)?;
    reader.end()?;
    Ok(message)
}

/// Writes a message: fields that have their default are left out, as protobuf leaves them out.
#[must_use]
pub fn to_json<M: Json>(message: &M) -> Vec<u8> {
    let mut out = Vec::new();
    message.put(&mut out);
    out
}

/// Values may hold values so often. Protobuf's own limit allows fewer.
const MOST_LEVELS: u32 = 64;

/// How a field of type `T` is read and written.
trait Codec<T>: Sized {
    /// Whether `null` in a list is no item of it.
    const PASSES_NULL: bool = false;
    /// Whether the field is left out.
    fn absent(value: &T) -> bool;
    /// Writes the value, with its punctuation.
    fn put(value: &T, out: &mut Vec<u8>);
    /// Reads a value; `levels` says how many levels of values may follow.
    fn take<'de, D: Deserializer<'de>>(reader: D, levels: u32) -> Result<T, D::Error>;
}

/// Reads a field of type `T` by the codec `C`.
struct Seed<C, T> {
    levels: u32,
    of: PhantomData<(C, T)>,
}

impl<C, T> Seed<C, T> {
    fn new(levels: u32) -> Self {
        Self { levels, of: PhantomData }
    }
}

impl<'de, C: Codec<T>, T> DeserializeSeed<'de> for Seed<C, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<T, D::Error> {
        C::take(reader, self.levels)
    }
}
