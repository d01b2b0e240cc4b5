//! Binary data by reference.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::BlobPolicy;
use crate::message::{BlobPart, GenericPart};

/// The `type` of the part that stands in place of binary data.
pub(super) const KIND: &str = "blob_reference";

/// About the size of a reference as JSON.
pub(super) const ROOM: usize = 256;

/// Base64 with or without padding: providers write both.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What says which data was here: modality, media type, size, and, unless the policy is to omit it, the digest of the
/// bytes. Of what is no base64 only the size of the text is told.
pub(super) fn reference(blob: &BlobPart, policy: BlobPolicy) -> GenericPart {
    let mut properties = Map::new();
    properties.insert("modality".to_owned(), blob.modality.as_str().into());
    if let Some(mime_type) = &blob.mime_type {
        properties.insert("mime_type".to_owned(), mime_type.as_str().into());
    }
    match policy {
        BlobPolicy::Omit => {
            properties.insert("bytes".to_owned(), decoded_length(&blob.content).into());
        }
        _ => match digest(&blob.content) {
            Some((bytes, sha256)) => {
                properties.insert("bytes".to_owned(), bytes.into());
                properties.insert("sha256".to_owned(), Value::String(sha256));
            }
            None => {
                properties.insert("bytes".to_owned(), decoded_length(&blob.content).into());
            }
        },
    }
    GenericPart { kind: KIND.to_owned(), properties }
}

fn decoded_length(base64: &str) -> usize {
    base64.trim_end_matches('=').len() * 3 / 4
}

/// The size and the SHA-256 of the decoded bytes, a piece at a time.
fn digest(base64: &str) -> Option<(usize, String)> {
    const PIECE: usize = 16 << 10; // a multiple of four, the unit of base64
    let mut sha256 = Sha256::new();
    let mut buffer = vec![0; PIECE];
    let mut size = 0;
    for piece in base64.as_bytes().chunks(PIECE) {
        let length = BASE64.decode_slice(piece, &mut buffer).ok()?;
        sha256.update(buffer.get(..length)?);
        size += length;
    }
    let hex = sha256.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Some((size, hex))
}
