//! Writes protobuf, as much of it as OTLP needs. Like every encoder it leaves out what equals the default.

const VARINT: u8 = 0;
const FIXED64: u8 = 1;
const BYTES: u8 = 2;
const FIXED32: u8 = 5;

pub(crate) fn uint(out: &mut Vec<u8>, field: u8, value: u64) {
    if value != 0 {
        uint_even_if_zero(out, field, value);
    }
}

pub(crate) fn uint_even_if_zero(out: &mut Vec<u8>, field: u8, value: u64) {
    key(out, field, VARINT);
    varint(out, value);
}

pub(crate) fn fixed32(out: &mut Vec<u8>, field: u8, value: u32) {
    if value != 0 {
        key(out, field, FIXED32);
        out.extend_from_slice(&value.to_le_bytes());
    }
}

pub(crate) fn fixed64(out: &mut Vec<u8>, field: u8, value: u64) {
    if value != 0 {
        fixed64_even_if_zero(out, field, value);
    }
}

pub(crate) fn fixed64_even_if_zero(out: &mut Vec<u8>, field: u8, value: u64) {
    key(out, field, FIXED64);
    out.extend_from_slice(&value.to_le_bytes());
}

pub(crate) fn bytes(out: &mut Vec<u8>, field: u8, value: &[u8]) {
    if !value.is_empty() {
        bytes_even_if_empty(out, field, value);
    }
}

pub(crate) fn bytes_even_if_empty(out: &mut Vec<u8>, field: u8, value: &[u8]) {
    head(out, field, value.len());
    out.extend_from_slice(value);
}

/// Key and length of a field whose bytes follow.
pub(crate) fn head(out: &mut Vec<u8>, field: u8, length: usize) {
    key(out, field, BYTES);
    varint(out, length as u64);
}

/// How many bytes [`head`] and what follows it are.
pub(crate) fn field_length(field: u8, length: usize) -> usize {
    (if field < 16 { 1 } else { 2 }) + varint_length(length as u64) + length
}

/// A message of which only `fill` knows how long it gets. One byte is kept free for its length, and where that does not
/// do, what was filled in moves on.
pub(crate) fn message(out: &mut Vec<u8>, field: u8, fill: impl FnOnce(&mut Vec<u8>)) {
    key(out, field, BYTES);
    let start = out.len();
    out.push(0);
    fill(out);
    let length = out.len() - start - 1;
    let more = varint_length(length as u64) - 1;
    if more > 0 {
        let end = out.len();
        out.resize(end + more, 0);
        out.copy_within(start + 1..end, start + 1 + more);
    }
    let mut rest = length as u64;
    for slot in out.iter_mut().skip(start).take(more + 1) {
        let low = low_bits(rest);
        rest >>= 7;
        *slot = if rest == 0 { low } else { low | 0x80 };
    }
}

fn key(out: &mut Vec<u8>, field: u8, kind: u8) {
    varint(out, u64::from(field) << 3 | u64::from(kind));
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(low_bits(value) | 0x80);
        value >>= 7;
    }
    out.push(low_bits(value));
}

fn low_bits(value: u64) -> u8 {
    value.to_le_bytes()[0] & 0x7f
}

fn varint_length(value: u64) -> usize {
    // Seven bits a byte; zero takes one too.
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}
