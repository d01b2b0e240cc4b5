//! The bytes of a record, compressed where that saves room.

use std::borrow::Cow;

use bytes::BufMut;

const PLAIN: u8 = 0;
const ZSTD: u8 = 1;
/// No record is larger: what a request may have inflated to.
const MOST: usize = 256 << 20;

/// Compresses; kept for its buffers.
pub(super) struct Packer {
    zstd: Option<zstd::bulk::Compressor<'static>>,
}

impl Packer {
    pub(super) fn new() -> Self {
        // Without zstd's memory bytes are kept plain.
        Self { zstd: zstd::bulk::Compressor::new(1).ok() }
    }

    pub(super) fn pack(&mut self, bytes: &[u8]) -> Vec<u8> {
        let small = self.zstd.as_mut().and_then(|zstd| zstd.compress(bytes).ok());
        let (codec, body) = match &small {
            Some(small) if small.len() + 8 < bytes.len() => (ZSTD, small.as_slice()),
            _ => (PLAIN, bytes),
        };
        let mut packed = Vec::with_capacity(9 + body.len());
        packed.put_u8(codec);
        if codec == ZSTD {
            packed.put_u64_le(bytes.len() as u64);
        }
        packed.extend_from_slice(body);
        packed
    }
}

/// The bytes again; none if they are damaged.
pub(super) fn unpack(packed: &[u8]) -> Option<Cow<'_, [u8]>> {
    match packed.split_first()? {
        (&PLAIN, bytes) => Some(Cow::Borrowed(bytes)),
        (&ZSTD, rest) => {
            let (length, bytes) = rest.split_first_chunk()?;
            let length =
                usize::try_from(u64::from_le_bytes(*length)).ok().filter(|length| *length <= MOST)?;
            let bytes = zstd::bulk::decompress(bytes, length).ok()?;
            (bytes.len() == length).then_some(Cow::Owned(bytes))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_and_damage_is_seen() {
        let mut packer = Packer::new();
        for bytes in [Vec::new(), b"short".to_vec(), vec![7; 100_000]] {
            let packed = packer.pack(&bytes);
            assert!(packed.len() <= bytes.len() + 1);
            assert_eq!(unpack(&packed).unwrap(), bytes);
        }
        let packed = packer.pack(&[7; 100_000]);
        assert!(packed.len() < 100);
        assert!(unpack(&packed[..packed.len() - 3]).is_none());
        assert!(unpack(&[]).is_none());
        assert!(unpack(&[9, 1, 2]).is_none());
        assert!(unpack(&[ZSTD, 255, 255, 255, 255, 255, 255, 255, 255, 1]).is_none());
    }
}
