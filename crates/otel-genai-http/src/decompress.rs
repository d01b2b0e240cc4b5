//! Undoes a body's `content-encoding` piece by piece, beside the traffic, which keeps its encoding.

use std::io::{self, Write};

use http::HeaderMap;
use http::header::CONTENT_ENCODING;

/// However small it came, no body is unpacked further than this: an archive can be made to never end.
const LIMIT: usize = if cfg!(test) { 4 << 20 } else { 256 << 20 };

/// Whoever reads the plain body, in pieces of any size.
pub(crate) trait Reader {
    fn push(&mut self, plain: &[u8]);
}

/// Hands a reader the plain form of what comes. What cannot be decoded any more is skipped, once and for all.
pub(crate) struct Decompressor<R: Reader> {
    decoder: Decoder<R>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Readable,
    /// An encoding that we do not know, or more than we unpack.
    Skipped,
    /// The body is not encoded as it says.
    Broken,
}

enum Decoder<R: Reader> {
    /// Plain already, or in an encoding that we do not know (which is broken from the start).
    Identity(Sink<R>),
    Gzip(Box<flate2::write::MultiGzDecoder<Sink<R>>>),
    Deflate(Box<flate2::write::ZlibDecoder<Sink<R>>>),
    Brotli(Box<brotli_decompressor::DecompressorWriter<Sink<R>>>),
    Zstd(Box<zstd::stream::write::Decoder<'static, Sink<R>>>),
}

/// Where a decoder writes. It passes on each piece at once: what a few bytes unpack to may not fit into memory.
struct Sink<R> {
    /// `None` once it was taken back.
    reader: Option<R>,
    unpacked: usize,
}

impl<R: Reader> Write for Sink<R> {
    fn write(&mut self, plain: &[u8]) -> io::Result<usize> {
        self.unpacked = self.unpacked.saturating_add(plain.len());
        if self.unpacked > LIMIT {
            return Err(io::Error::other("the body unpacks to too much"));
        }
        if let Some(reader) = &mut self.reader {
            reader.push(plain);
        }
        Ok(plain.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<R: Reader> Decompressor<R> {
    pub(crate) fn new(headers: &HeaderMap, reader: R) -> Self {
        let encoding = headers.get(CONTENT_ENCODING).map(|value| value.as_bytes().trim_ascii());
        let encoding = encoding.unwrap_or_default().to_ascii_lowercase();
        let sink = Sink { reader: Some(reader), unpacked: 0 };
        let mut state = State::Readable;
        let decoder = match encoding.as_slice() {
            b"" | b"identity" => Decoder::Identity(sink),
            b"gzip" | b"x-gzip" => Decoder::Gzip(Box::new(flate2::write::MultiGzDecoder::new(sink))),
            b"deflate" => Decoder::Deflate(Box::new(flate2::write::ZlibDecoder::new(sink))),
            b"br" => Decoder::Brotli(Box::new(brotli_decompressor::DecompressorWriter::new(sink, 4096))),
            b"zstd" => match zstd::stream::write::Decoder::new(sink) {
                Ok(decoder) => Decoder::Zstd(Box::new(decoder)),
                // There is no memory for its tables.
                Err(_) => Decoder::Identity(Sink { reader: None, unpacked: 0 }),
            },
            _ => {
                state = State::Skipped;
                Decoder::Identity(sink)
            }
        };
        Decompressor { decoder, state }
    }

    /// The next piece of the body. Flushed each time, so that a stream is read event by event and not block by block.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        fn write(decoder: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
            decoder.write_all(bytes)?;
            decoder.flush()
        }
        if self.state != State::Readable {
            return;
        }
        let written = match &mut self.decoder {
            // Plain bytes are bounded by whoever sends them.
            Decoder::Identity(sink) => {
                if let Some(reader) = &mut sink.reader {
                    reader.push(bytes);
                }
                Ok(())
            }
            Decoder::Gzip(decoder) => write(decoder, bytes),
            Decoder::Deflate(decoder) => write(decoder, bytes),
            Decoder::Brotli(decoder) => write(decoder, bytes),
            Decoder::Zstd(decoder) => write(decoder, bytes),
        };
        if written.is_err() {
            let too_much = self.sink().unpacked > LIMIT;
            self.state = if too_much { State::Skipped } else { State::Broken };
        }
    }

    /// Whether the body is not encoded as it says.
    pub(crate) fn is_broken(&self) -> bool {
        self.state == State::Broken
    }

    pub(crate) fn reader_mut(&mut self) -> Option<&mut R> {
        self.sink().reader.as_mut()
    }

    /// The body is over: gives the reader back.
    pub(crate) fn finish(mut self) -> Option<R> {
        self.sink().reader.take()
    }

    fn sink(&mut self) -> &mut Sink<R> {
        match &mut self.decoder {
            Decoder::Identity(sink) => sink,
            Decoder::Gzip(decoder) => decoder.get_mut(),
            Decoder::Deflate(decoder) => decoder.get_mut(),
            Decoder::Brotli(decoder) => decoder.get_mut(),
            Decoder::Zstd(decoder) => decoder.get_mut(),
        }
    }
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

    impl Reader for Vec<u8> {
        fn push(&mut self, plain: &[u8]) {
            self.extend_from_slice(plain);
        }
    }

    /// Counts what it reads, and remembers the largest piece.
    #[derive(Default)]
    struct Counter {
        total: usize,
        largest: usize,
    }

    impl Reader for Counter {
        fn push(&mut self, plain: &[u8]) {
            self.total += plain.len();
            self.largest = self.largest.max(plain.len());
        }
    }

    #[test]
    fn a_bomb_is_unpacked_in_small_pieces_and_not_for_ever() {
        for encoding in ["gzip", "br", "zstd"] {
            let bytes = packed(encoding, &vec![0; LIMIT + LIMIT / 4]);
            let mut decompressor = Decompressor::new(&headers(encoding), Counter::default());
            decompressor.push(&bytes);
            assert_eq!(decompressor.state, State::Skipped, "{encoding}");
            let read = decompressor.finish().unwrap();
            assert!(read.total <= LIMIT, "{encoding}: {}", read.total);
            assert!(read.largest <= 1 << 20, "{encoding}: {}", read.largest);
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
                let mut decompressor = Decompressor::new(&headers(encoding), Vec::new());
                for piece in bytes.chunks(size) {
                    decompressor.push(piece);
                }
                let read = decompressor.finish().unwrap();
                assert!(read == plain, "{encoding} in pieces of {size}: {} bytes", read.len());
            }
        }
    }

    #[test]
    fn broken_and_unknown_encodings_are_skipped() {
        for encoding in ["gzip", "deflate", "br", "zstd", "compress", "gzip, br"] {
            let mut decompressor = Decompressor::new(&headers(encoding), Vec::new());
            for _ in 0..3 {
                decompressor.push(b"\xffthis is plain text\x00");
            }
            let known = !encoding.contains("compress") && !encoding.contains(',');
            assert_eq!(decompressor.is_broken(), known, "{encoding}");
        }
    }
}
