//! Files of others, read into what is stored: OTLP in its forms, and Jaeger's JSON.

mod jaeger;
mod otlp;

use std::str::FromStr;

use bytes::Bytes;
use otel_genai_store::otlp::Accepted;

/// What a file is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Whatever it looks like.
    #[default]
    Auto,
    /// OTLP in JSON: a request of one of the signals, or what this dashboard exports.
    OtlpJson,
    /// OTLP in JSON, a request a line, as the Collector's file exporter writes it.
    OtlpJsonl,
    /// OTLP in protobuf: a request of one of the signals.
    OtlpProto,
    /// Jaeger's JSON, as its page and its API give it.
    Jaeger,
}

impl FromStr for Format {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "auto" => Self::Auto,
            "otlp-json" => Self::OtlpJson,
            "otlp-jsonl" => Self::OtlpJsonl,
            "otlp-proto" => Self::OtlpProto,
            "jaeger" => Self::Jaeger,
            _ => return Err("auto, otlp-json, otlp-jsonl, otlp-proto or jaeger is meant"),
        })
    }
}

/// A file that cannot be read. Nothing of it is stored.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(String);

/// Reads a file.
///
/// # Errors
/// [`Unreadable`] with the place where it is not what it should be.
pub fn read(bytes: &Bytes, format: Format) -> Result<Vec<Accepted>, Unreadable> {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    match format {
        Format::OtlpJson => otlp::json(bytes),
        Format::OtlpJsonl => otlp::lines(bytes),
        Format::OtlpProto => otlp::protobuf(bytes),
        Format::Jaeger => jaeger::read(bytes),
        Format::Auto => match first {
            None => Err(Unreadable("the file is empty".to_owned())),
            Some(b'{') if jaeger::looks_like_it(bytes) => jaeger::read(bytes),
            Some(b'{') => otlp::json(bytes).or_else(|whole| match otlp::lines(bytes) {
                Ok(read) => Ok(read),
                // Of one line, the first error says more.
                Err(_) if !bytes.trim_ascii_end().contains(&b'\n') => Err(whole),
                Err(line) => Err(line),
            }),
            Some(b'[') => jaeger::read(bytes),
            Some(_) => otlp::protobuf(bytes),
        },
    }
}
