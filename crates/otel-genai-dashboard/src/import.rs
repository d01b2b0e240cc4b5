//! Files of others, read into what is stored: OTLP in its forms, and Jaeger's JSON.

mod jaeger;
mod otlp;

use std::str::FromStr;

use bytes::Bytes;
use otel_genai_store::otlp::Accepted;

use crate::receive::{Form, Records, weigh_json, weigh_protobuf};

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

impl Format {
    /// All of them, with the names by which the API and the command line call them, and what they are in a few words.
    pub const ALL: [(Self, &'static str, &'static str); 5] = [
        (Self::Auto, "auto", "Whatever it looks like"),
        (Self::OtlpJson, "otlp-json", "OTLP in JSON, or what the dashboard exports"),
        (Self::OtlpJsonl, "otlp-jsonl", "OTLP in JSON, a request a line"),
        (Self::OtlpProto, "otlp-proto", "OTLP in protobuf, a request a file"),
        (Self::Jaeger, "jaeger", "Jaeger's JSON"),
    ];

    /// By which name it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        let found = Self::ALL.into_iter().find(|(format, ..)| *format == self);
        found.map_or("auto", |(_, name, _)| name)
    }

    /// What a file of this format is, so far as its first byte tells.
    fn of(self, bytes: &[u8]) -> Option<Form> {
        Some(match self {
            Self::OtlpJson | Self::OtlpJsonl | Self::Jaeger => Form::Json,
            Self::OtlpProto => Form::Protobuf,
            Self::Auto => match bytes.iter().find(|byte| !byte.is_ascii_whitespace())? {
                b'{' | b'[' => Form::Json,
                _ => Form::Protobuf,
            },
        })
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|(_, name, _)| *name == text);
        found.map(|(format, ..)| format).ok_or_else(|| {
            let [names @ .., last] = Self::ALL.map(|(_, name, _)| name);
            format!("{} or {last} is meant", names.join(", "))
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
    match (format, format.of(bytes)) {
        (_, None) => Err(Unreadable("the file is empty".to_owned())),
        (Format::OtlpJson, _) => otlp::json(bytes),
        (Format::OtlpJsonl, _) => otlp::lines(bytes),
        (Format::OtlpProto, _) => otlp::protobuf(bytes),
        (Format::Jaeger, _) => jaeger::read(bytes),
        (Format::Auto, Some(Form::Json)) if jaeger::looks_like_it(bytes) => jaeger::read(bytes),
        (Format::Auto, Some(Form::Json)) => otlp::json(bytes).or_else(|whole| match otlp::lines(bytes) {
            Ok(read) => Ok(read),
            // Of one line, the first error says more.
            Err(_) if !bytes.trim_ascii_end().contains(&b'\n') => Err(whole),
            Err(line) => Err(line),
        }),
        (Format::Auto, Some(Form::Protobuf)) => otlp::protobuf(bytes).map_err(|_| {
            let formats = Format::ALL.into_iter().filter(|(format, ..)| *format != Format::Auto);
            let names = formats.map(|(_, name, _)| name).collect::<Vec<_>>().join(", ");
            Unreadable(format!("it is neither JSON nor OTLP in protobuf; what can be read: {names}"))
        }),
    }
}

/// About how much memory it takes to read a file, besides what the file itself takes.
pub(crate) fn weigh(bytes: &[u8], format: Format) -> usize {
    match format.of(bytes) {
        None => 0,
        Some(Form::Json) => weigh_json(bytes),
        // It is read as each of the signals, which are compared then.
        Some(Form::Protobuf) => [Records::Spans, Records::Logs, Records::Metrics]
            .into_iter()
            .fold(0, |sum: usize, records| sum.saturating_add(weigh_protobuf(bytes, records))),
    }
}
