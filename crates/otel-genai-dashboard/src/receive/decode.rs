//! From the bytes of a request to what can be stored.

use std::io::Read;

use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::StatusCode;
use otel_genai_store::otlp::{self, Accepted};
use prost::Message as _;
use prost::bytes::Bytes;

use super::refused::{Code, Refused};
use super::room::Room;
use super::signal::Signal;
use super::weigh;

/// A request may be so large when it is inflated.
pub(crate) const MOST_INFLATED: usize = 256 << 20;

/// The form of a request, and of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Protobuf,
    Json,
}

/// How a request is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
    Deflate,
    Zstd,
}

impl Form {
    /// By `Content-Type`.
    pub(crate) fn of(told: &str) -> Option<Self> {
        match told.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "application/x-protobuf" => Some(Self::Protobuf),
            "application/json" => Some(Self::Json),
            _ => None,
        }
    }

    pub(crate) fn media(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }
}

impl Encoding {
    /// By `Content-Encoding`.
    pub(crate) fn of(told: &str) -> Result<Self, Refused> {
        match told.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Self::Identity),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "deflate" => Ok(Self::Deflate),
            "zstd" => Ok(Self::Zstd),
            _ => Err(Refused::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                Code::InvalidArgument,
                "the content encoding is none of gzip, deflate, zstd and identity",
            )),
        }
    }
}

/// Inflates and reads a request. Nothing is stored of one that cannot be read to its end.
pub(crate) fn decode<S: Signal>(
    form: Form,
    encoding: Encoding,
    bytes: Bytes,
    room: &mut Room,
) -> Result<Accepted, Refused> {
    // What came plain is there once.
    let packed = if encoding == Encoding::Identity { 0 } else { bytes.len() };
    let bytes = inflate(encoding, bytes, MOST_INFLATED, room)?;
    let read = match form {
        Form::Protobuf => weigh::protobuf(&bytes, S::RECORDS),
        Form::Json => weigh::json(&bytes),
    };
    room.grow(packed + bytes.len() + read.max(bytes.len()))?;
    let request = match form {
        Form::Protobuf => S::Request::decode(bytes)
            .map_err(|error| Refused::malformed(format!("not the protobuf of an OTLP request: {error}")))?,
        Form::Json => otlp::from_json(&bytes)
            .map_err(|error| Refused::malformed(format!("not the JSON of an OTLP request: {error}")))?,
    };
    Ok(S::accept(request))
}

/// Inflates what may have so many bytes then.
pub(super) fn inflate(
    encoding: Encoding,
    bytes: Bytes,
    most: usize,
    room: &mut Room,
) -> Result<Bytes, Refused> {
    let told = &bytes[..];
    let limits = (bytes.len(), most);
    match encoding {
        Encoding::Identity => Ok(bytes),
        Encoding::Gzip => read("gzip", MultiGzDecoder::new(told), limits, room),
        // The standard means zlib; some senders leave its header out.
        Encoding::Deflate if is_zlib(told) => read("deflate", ZlibDecoder::new(told), limits, room),
        Encoding::Deflate => read("deflate", DeflateDecoder::new(told), limits, room),
        Encoding::Zstd => {
            let reader =
                zstd::stream::read::Decoder::with_buffer(told).map_err(|error| broken("zstd", &error))?;
            read("zstd", reader, limits, room)
        }
    }
}

fn is_zlib(bytes: &[u8]) -> bool {
    matches!(bytes, [method, flags, ..]
        if method & 0x0f == 8 && (u16::from(*method) << 8 | u16::from(*flags)) % 31 == 0)
}

/// `limits`: how much room the packed bytes take, and how many bytes there may be.
fn read(
    name: &str,
    mut reader: impl Read,
    (packed, most): (usize, usize),
    room: &mut Room,
) -> Result<Bytes, Refused> {
    let mut inflated = Vec::new();
    let mut piece = vec![0; 64 << 10];
    loop {
        let count = match reader.read(&mut piece) {
            Ok(0) => return Ok(inflated.into()),
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(broken(name, &error)),
        };
        if inflated.len() + count > most {
            let most = most >> 20;
            return Err(Refused::too_large(format!(
                "the request is larger than {most} MiB when it is inflated"
            )));
        }
        room.grow(packed + inflated.len() + count)?;
        inflated.extend_from_slice(piece.get(..count).unwrap_or_default());
    }
}

fn broken(name: &str, error: &std::io::Error) -> Refused {
    Refused::malformed(format!("not {name}, or cut: {error}"))
}
