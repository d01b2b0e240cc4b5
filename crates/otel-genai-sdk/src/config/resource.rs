//! Who is speaking: `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`.

use opentelemetry::KeyValue;
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};

use crate::setting::{Bad, Source};

pub(crate) const SERVICE_NAME: &str = "service.name";
const ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";
const SERVICE_INSTANCE_ID: &str = "service.instance.id";

/// The attributes of the resource, `telemetry.sdk.*` left out.
pub(crate) fn read(source: &mut Source<'_>, default: Option<&str>) -> Vec<KeyValue> {
    let default = default.map_or_else(unknown_service, str::to_owned);
    let named = source.read_or("OTEL_SERVICE_NAME", &default, |text| Ok(text.to_owned()));
    let mut attributes = source.read(ATTRIBUTES, pairs).unwrap_or_default();
    let in_attributes = attributes.iter().any(|(key, _)| key == SERVICE_NAME);
    match named {
        Some(name) => set(&mut attributes, SERVICE_NAME, name),
        None if in_attributes => {
            source.note("OTEL_SERVICE_NAME", "service.name of OTEL_RESOURCE_ATTRIBUTES is in force");
        }
        None => set(&mut attributes, SERVICE_NAME, default),
    }
    if !attributes.iter().any(|(key, _)| key == SERVICE_INSTANCE_ID) {
        set(&mut attributes, SERVICE_INSTANCE_ID, random_uuid());
    }
    let attributes = attributes.into_iter().map(|(key, value)| {
        let value = source.typed(ATTRIBUTES, &key).unwrap_or_else(|| value.into());
        KeyValue::new(key, value)
    });
    attributes.collect()
}

/// `key=value,key=value`, percent-encoded; as the specification wants it, one bad entry discards the whole text.
pub(crate) fn pairs(text: &str) -> Result<Vec<(String, String)>, Bad> {
    let mut pairs = Vec::new();
    for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let (key, value) =
            entry.split_once('=').filter(|(key, _)| !key.trim().is_empty()).ok_or_else(|| {
                Bad::because(format!("holds {entry:?}, which is not key=value")).instead("ignored")
            })?;
        let value = percent_decoded(value.trim()).ok_or_else(|| {
            Bad::because(format!("holds a value of {key:?} that is not percent-encoded UTF-8"))
                .instead("ignored")
        })?;
        set(&mut pairs, key.trim(), value);
    }
    Ok(pairs)
}

fn set(pairs: &mut Vec<(String, String)>, key: &str, value: String) {
    match pairs.iter_mut().find(|(present, _)| present == key) {
        Some(pair) => pair.1 = value,
        None => pairs.push((key.to_owned(), value)),
    }
}

/// `None` where a `%` is not followed by two hexadecimal digits, or the bytes are no UTF-8.
pub(crate) fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

fn unknown_service() -> String {
    let program = std::env::current_exe().ok();
    match program.as_deref().and_then(std::path::Path::file_name) {
        Some(name) => format!("unknown_service:{}", name.to_string_lossy()),
        None => "unknown_service".to_owned(),
    }
}

/// A version 4 UUID: 16 random bytes with the version and variant bits set.
fn random_uuid() -> String {
    let mut bits = u128::from_be_bytes(RandomIdGenerator::default().new_trace_id().to_bytes());
    bits = bits & !(0xf << 76) | (0x4 << 76);
    bits = bits & !(0x3 << 62) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default().to_owned();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}
