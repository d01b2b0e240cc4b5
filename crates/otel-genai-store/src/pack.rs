//! Records without their content: where a value was large, or is what was said, there is a hole, and beside the record stand
//! the pieces that fill it. Filled again, the record is the one that came.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message as _;

use crate::log::LogRecord;
use crate::span::Span;
use crate::split::split;
use crate::value::{AnyValue, Attributes, Held, Pieces};

/// A hole is a value of bytes: this, and its number. A foreign value that begins so is taken out itself, so that nobody
/// can make one.
const HOLE: [u8; 8] = *b"\xf5OGhole\x01";
/// Any value of so many bytes is taken out,
const LARGE: usize = 512;
/// and of so many, if it is content.
const SMALL: usize = 24;

/// A record in protobuf with holes, and what fills them, in order.
#[derive(Clone, Debug)]
pub(crate) struct Packed {
    pub(crate) bytes: Vec<u8>,
    pub(crate) holes: Vec<Pieces>,
}

/// Takes the content out of a span, which afterwards has it in pieces. Ids that the span's fields tell are left out of the
/// bytes: random bytes do not compress.
pub(crate) fn span(span: &mut Span) -> Packed {
    take_apart(&mut span.attributes);
    span.events.iter_mut().for_each(|event| take_apart(&mut event.attributes));
    span.links.iter_mut().for_each(|link| take_apart(&mut link.attributes));
    let mut holes = Vec::new();
    let mut told = span.to_otlp_with(&mut |held| with_holes(held, &mut holes));
    if span.told.is_none() {
        told.trace_id.clear();
        told.span_id.clear();
        told.parent_span_id.clear();
    }
    Packed { bytes: told.encode_to_vec(), holes }
}

/// Takes the content out of a log record, which afterwards has it in pieces.
pub(crate) fn log(log: &mut LogRecord) -> Packed {
    take_apart(&mut log.attributes);
    // Who names the event says something; other records are lines of a program.
    let least = if log.event.is_some() { SMALL } else { LARGE };
    if let Some(body) = &mut log.body
        && size(body) >= least
    {
        take(body);
    }
    let mut holes = Vec::new();
    let told = log.to_otlp_with(&mut |held| with_holes(held, &mut holes));
    Packed { bytes: told.encode_to_vec(), holes }
}

/// Fills holes: to be given the values of a record in the order in which they were taken out.
pub(crate) fn filled(value: Option<AnyValue>, holes: &[Pieces]) -> Held {
    let pieces = value.as_ref().and_then(number).and_then(|number| holes.get(number));
    pieces.map_or(Held::Whole(value), |pieces| Held::Pieces(pieces.clone()))
}

fn take_apart(attributes: &mut Attributes) {
    for attribute in &mut attributes.0 {
        let size = size(&attribute.value);
        if size >= LARGE || (size >= SMALL && otel_genai_dialect::is_content(&attribute.key)) {
            take(&mut attribute.value);
        }
    }
}

fn take(held: &mut Held) {
    if let Held::Whole(value) = held
        && let Some(value) = value.take()
    {
        *held = Held::Pieces(split(value));
    }
}

/// How large a value is; numbers are nothing, and what is in pieces already needs no more of them.
fn size(held: &Held) -> usize {
    let Held::Whole(Some(value)) = held else { return 0 };
    match &value.value {
        Some(Value::StringValue(text)) => text.len(),
        Some(Value::BytesValue(bytes)) if bytes.starts_with(&HOLE) => usize::MAX,
        Some(Value::BytesValue(bytes)) => bytes.len(),
        Some(Value::ArrayValue(_) | Value::KvlistValue(_)) => value.encoded_len(),
        _ => 0,
    }
}

fn with_holes(held: &Held, holes: &mut Vec<Pieces>) -> Option<AnyValue> {
    match held {
        Held::Whole(value) => value.clone(),
        Held::Pieces(pieces) => {
            let mut bytes = HOLE.to_vec();
            bytes.extend(u32::try_from(holes.len()).unwrap_or(u32::MAX).to_be_bytes());
            holes.push(pieces.clone());
            Some(AnyValue { value: Some(Value::BytesValue(bytes)) })
        }
    }
}

fn number(value: &AnyValue) -> Option<usize> {
    let Some(Value::BytesValue(bytes)) = &value.value else { return None };
    let number = bytes.strip_prefix(&HOLE)?.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(number)).ok()
}
