//! The bytes of records and of pieces, compressed where that saves room.

use std::borrow::Cow;
use std::cell::RefCell;

use super::dictionary;

const PLAIN: u8 = 0;
const ZSTD: u8 = 1;
/// With the dictionary whose version is the next byte.
const WORDS: u8 = 2;
/// No record is larger: what a request may have inflated to.
const MOST: usize = 256 << 20;
/// Smaller bytes are kept as they are.
const LEAST: usize = 48;
/// Larger ones bring enough words of their own.
const SELF_CONTAINED: usize = 8 << 10;

/// Compresses; kept for its buffers.
pub(super) struct Packer {
    zstd: Option<zstd::bulk::Compressor<'static>>,
    words: Option<zstd::bulk::Compressor<'static>>,
}

impl Packer {
    pub(super) fn new() -> Self {
        // Without zstd's memory bytes are kept plain.
        Self {
            zstd: zstd::bulk::Compressor::new(dictionary::LEVEL).ok(),
            words: zstd::bulk::Compressor::with_prepared_dictionary(dictionary::encoder()).ok(),
        }
    }

    pub(super) fn pack(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut packed = Vec::with_capacity(16 + bytes.len() / 2);
        let zstd = match bytes.len() {
            ..LEAST => None,
            LEAST..SELF_CONTAINED => {
                packed.extend_from_slice(&[WORDS, dictionary::VERSION]);
                self.words.as_mut()
            }
            _ => {
                packed.push(ZSTD);
                self.zstd.as_mut()
            }
        };
        put_varint(&mut packed, bytes.len() as u64);
        if let Some(small) = zstd.and_then(|zstd| zstd.compress(bytes).ok())
            && packed.len() + small.len() < 1 + bytes.len()
        {
            packed.extend_from_slice(&small);
            return packed;
        }
        packed.clear();
        packed.push(PLAIN);
        packed.extend_from_slice(bytes);
        packed
    }
}

thread_local! {
    static UNPACKER: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
    static WITH_WORDS: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
}

/// The bytes again; none if they are damaged.
pub(super) fn unpack(packed: &[u8]) -> Option<Cow<'_, [u8]>> {
    let inflate = |unpacker: &RefCell<Option<zstd::bulk::Decompressor<'static>>>,
                   new: &dyn Fn() -> Option<zstd::bulk::Decompressor<'static>>,
                   rest| {
        let (length, bytes) = take_varint(rest)?;
        let length = usize::try_from(length).ok().filter(|length| *length <= MOST)?;
        let mut unpacker = unpacker.borrow_mut();
        if unpacker.is_none() {
            *unpacker = new();
        }
        let bytes = unpacker.as_mut()?.decompress(bytes, length).ok()?;
        (bytes.len() == length).then_some(Cow::Owned(bytes))
    };
    match packed.split_first()? {
        (&PLAIN, bytes) => Some(Cow::Borrowed(bytes)),
        (&ZSTD, rest) => {
            UNPACKER.with(|unpacker| inflate(unpacker, &|| zstd::bulk::Decompressor::new().ok(), rest))
        }
        (&WORDS, rest) => {
            let (version, rest) = rest.split_first()?;
            let words = dictionary::decoder(*version)?;
            let new = || zstd::bulk::Decompressor::with_prepared_dictionary(words).ok();
            WITH_WORDS.with(|unpacker| inflate(unpacker, &new, rest))
        }
        _ => None,
    }
}

/// A number in as few bytes as it needs: 7 bits in each, the lowest first.
pub(super) fn put_varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

/// A number that [`put_varint`] wrote, and what stands behind it.
pub(super) fn take_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0;
    for (at, byte) in bytes.iter().take(10).enumerate() {
        number |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((number, bytes.get(at + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_and_damage_is_seen() {
        let mut packer = Packer::new();
        let message =
            br#"{"role":"user","parts":[{"type":"text","content":"Where is my parcel?"}]}"#.to_vec();
        for bytes in [Vec::new(), b"short".to_vec(), message.clone(), vec![7; 1_000], vec![7; 100_000]] {
            let packed = packer.pack(&bytes);
            assert!(packed.len() <= bytes.len() + 1);
            assert_eq!(unpack(&packed).unwrap(), bytes);
        }
        // The words around are known.
        assert!(packer.pack(&message).len() < 45, "{}", packer.pack(&message).len());
        for length in [1_000, 100_000] {
            let packed = packer.pack(&vec![7; length]);
            assert!(packed.len() < 100);
            assert!(unpack(&packed[..packed.len() - 3]).is_none());
        }
        assert!(unpack(&[]).is_none());
        assert!(unpack(&[9, 1, 2]).is_none());
        assert!(unpack(&[WORDS, 200, 1, 2]).is_none());
        assert!(unpack(&[ZSTD, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]).is_none());
    }
}
