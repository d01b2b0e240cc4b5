//! Undoes a body's `content-encoding` piece by piece, beside the traffic, which keeps its encoding.

use std::io::Write;

use http::HeaderMap;
use http::header::CONTENT_ENCODING;

/// However small it came, no body is unpacked further than this: an archive can be made to never end.
const LIMIT: usize = 256 * 1024 * 1024;

/// Reads a body in pieces. What cannot be decoded any more is skipped, once and for all.
pub(crate) struct Decompressor {
    decoder: Decoder,
    unpacked: usize,
}

enum Decoder {
    Identity,
    Gzip(flate2::write::MultiGzDecoder<Vec<u8>>),
    Deflate(flate2::write::ZlibDecoder<Vec<u8>>),
    Brotli(Box<brotli_decompressor::DecompressorWriter<Vec<u8>>>),
    Zstd(Box<zstd::stream::write::Decoder<'static, Vec<u8>>>),
    /// An encoding that we do not know, or a body that is broken.
    Unreadable,
}

impl Decompressor {
    pub(crate) fn new(headers: &HeaderMap) -> Self {
        let decoder = match headers.get(CONTENT_ENCODING).map(|value| value.as_bytes().trim_ascii()) {
            None | Some(b"" | b"identity") => Decoder::Identity,
            Some(name) if name.eq_ignore_ascii_case(b"gzip") || name.eq_ignore_ascii_case(b"x-gzip") => {
                Decoder::Gzip(flate2::write::MultiGzDecoder::new(Vec::new()))
            }
            Some(name) if name.eq_ignore_ascii_case(b"deflate") => {
                Decoder::Deflate(flate2::write::ZlibDecoder::new(Vec::new()))
            }
            Some(name) if name.eq_ignore_ascii_case(b"br") => {
                Decoder::Brotli(Box::new(brotli_decompressor::DecompressorWriter::new(Vec::new(), 4096)))
            }
            Some(name) if name.eq_ignore_ascii_case(b"zstd") => zstd::stream::write::Decoder::new(Vec::new())
                .map_or(Decoder::Unreadable, |decoder| Decoder::Zstd(Box::new(decoder))),
            Some(_) => Decoder::Unreadable,
        };
        Decompressor { decoder, unpacked: 0 }
    }

    /// Hands the plain form of `bytes`, as far as it is known by now, to `read`.
    pub(crate) fn push(&mut self, bytes: &[u8], read: impl FnOnce(&[u8])) {
        let plain = match &mut self.decoder {
            Decoder::Identity => return read(bytes),
            Decoder::Unreadable => return,
            Decoder::Gzip(decoder) => unpack(decoder, bytes, |d| std::mem::take(d.get_mut())),
            Decoder::Deflate(decoder) => unpack(decoder, bytes, |d| std::mem::take(d.get_mut())),
            Decoder::Brotli(decoder) => unpack(&mut **decoder, bytes, |d| std::mem::take(d.get_mut())),
            Decoder::Zstd(decoder) => unpack(&mut **decoder, bytes, |d| std::mem::take(d.get_mut())),
        };
        let Some(plain) = plain else {
            self.decoder = Decoder::Unreadable;
            return;
        };
        self.unpacked = self.unpacked.saturating_add(plain.len());
        if self.unpacked > LIMIT {
            self.decoder = Decoder::Unreadable;
        }
        read(&plain);
    }
}

/// Flushes after each piece, so that a stream is read event by event and not block by block.
fn unpack<D: Write>(decoder: &mut D, bytes: &[u8], take: impl FnOnce(&mut D) -> Vec<u8>) -> Option<Vec<u8>> {
    decoder.write_all(bytes).ok()?;
    decoder.flush().ok()?;
    Some(take(decoder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(encoding: &str, plain: &[u8]) -> Vec<u8> {
        match encoding {
            "gzip" => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(plain).unwrap();
                encoder.finish().unwrap()
            }
            "deflate" => {
                let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(plain).unwrap();
                encoder.finish().unwrap()
            }
            "br" => {
                let mut out = Vec::new();
                brotli::BrotliCompress(
                    &mut &plain[..],
                    &mut out,
                    &brotli::enc::BrotliEncoderParams::default(),
                )
                .unwrap();
                out
            }
            "zstd" => zstd::encode_all(plain, 1).unwrap(),
            _ => plain.to_vec(),
        }
    }

    fn headers(encoding: &str) -> HeaderMap {
        [(CONTENT_ENCODING, encoding.parse().unwrap())].into_iter().collect()
    }

    #[test]
    fn every_encoding_read_in_any_pieces() {
        let plain: Vec<u8> = (0..5_000u32).flat_map(|i| format!("event {i}\n").into_bytes()).collect();
        for encoding in ["identity", "gzip", "GZIP", "deflate", "br", "zstd"] {
            let bytes = packed(&encoding.to_lowercase(), &plain);
            for size in [1, 7, 1_000, bytes.len()] {
                let mut decompressor = Decompressor::new(&headers(encoding));
                let mut read = Vec::new();
                for piece in bytes.chunks(size) {
                    decompressor.push(piece, |plain| read.extend_from_slice(plain));
                }
                assert!(read == plain, "{encoding} in pieces of {size}: {} bytes", read.len());
            }
        }
    }

    #[test]
    fn broken_and_unknown_encodings_are_skipped() {
        for encoding in ["gzip", "deflate", "br", "zstd", "compress", "gzip, br"] {
            let mut decompressor = Decompressor::new(&headers(encoding));
            for _ in 0..3 {
                decompressor.push(b"\xffthis is plain text\x00", |_| {});
            }
        }
    }
}
