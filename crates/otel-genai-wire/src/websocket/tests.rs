use std::io::Write as _;

use proptest::prelude::*;

use super::*;

/// A frame, as a client (masked) or a server writes it.
fn frame(first: u8, payload: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
    let is_masked = if mask.is_some() { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match payload.len() {
        length @ 0..126 => bytes.push(is_masked | length as u8),
        length @ 126..65_536 => {
            bytes.push(is_masked | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        length => {
            bytes.push(is_masked | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    let mask_bytes = mask.unwrap_or_default();
    bytes.extend(mask.iter().flatten());
    bytes.extend(payload.iter().zip(mask_bytes.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// Messages in one stream of `deflate`, as a sender that takes over packs them.
struct Packer(flate2::Compress);

impl Packer {
    fn pack(&mut self, message: &[u8]) -> Vec<u8> {
        let mut packed = Vec::with_capacity(message.len() * 2 + 1024);
        self.0.compress_vec(message, &mut packed, flate2::FlushCompress::Sync).unwrap();
        assert!(packed.ends_with(TAIL_OF_BLOCK));
        packed.truncate(packed.len() - 4);
        packed
    }
}

const TAIL_OF_BLOCK: &[u8] = &[0, 0, 0xFF, 0xFF];

#[derive(Debug, Default, PartialEq)]
struct Read {
    messages: Vec<Vec<u8>>,
    is_closed: bool,
    broken: Option<&'static str>,
}

fn read<'a>(packing: Packing, pieces: impl IntoIterator<Item = &'a [u8]>) -> Read {
    let mut socket = WebSocket::new(packing);
    let mut read = Read::default();
    let mut message = Vec::new();
    for piece in pieces {
        socket.push(piece, |piece| match piece {
            Piece::Text(text) => message.extend_from_slice(text),
            Piece::End => read.messages.push(std::mem::take(&mut message)),
            Piece::Close => read.is_closed = true,
        });
    }
    read.broken = socket.broken();
    read
}

fn messages(bytes: &[u8]) -> Vec<String> {
    let read = read(Packing::None, [bytes]);
    assert_eq!(read.broken, None);
    read.messages.into_iter().map(|message| String::from_utf8(message).unwrap()).collect()
}

#[test]
fn lengths_of_every_size() {
    for length in [0, 1, 125, 126, 127, 65_535, 65_536, 70_000] {
        let text = "x".repeat(length);
        for mask in [None, Some([1, 2, 3, 254])] {
            assert_eq!(messages(&frame(0x81, text.as_bytes(), mask)), [text.as_str()], "{length}");
        }
    }
}

#[test]
fn fragments_with_pings_between_and_bytes_that_nobody_reads() {
    let bytes = [
        frame(0x82, b"\xff\xfe", None),
        frame(0x01, b"he", Some([9, 8, 7, 6])),
        frame(0x89, b"ping", None),
        frame(0x00, b"", None),
        frame(0x8A, b"", Some([1; 4])),
        frame(0x80, b"llo", Some([5, 5, 5, 5])),
        frame(0x81, b"you", None),
        frame(0x88, b"\x03\xe8bye", None),
        b"whatever".to_vec(),
    ]
    .concat();
    assert_eq!(messages(&bytes), ["hello", "you"]);
    assert!(read(Packing::None, [bytes.as_slice()]).is_closed);
}

#[test]
fn what_is_no_websocket_is_read_no_further() {
    for bytes in [
        b"HTTP/1.1 200 OK\r\n\r\n".to_vec(),
        // A message goes on that has not begun; one begins within another.
        frame(0x80, b"x", None),
        [frame(0x01, b"x", None), frame(0x81, b"y", None)].concat(),
        // Packed, although nobody agreed on it.
        frame(0xC1, b"x", None),
        // A ping in fragments, or a long one.
        frame(0x09, b"x", None),
        frame(0x89, &[0; 126], None),
        // Words that nobody knows.
        frame(0x83, b"x", None),
        frame(0xA1, b"x", None),
        // A length that cannot be.
        vec![0x81, 127, 0xFF, 0, 0, 0, 0, 0, 0, 0],
    ] {
        let bytes = [bytes, frame(0x81, b"late", None)].concat();
        let read = read(Packing::None, [bytes.as_slice()]);
        assert!(read.broken.is_some() && read.messages.is_empty(), "{bytes:?}");
    }
}

#[test]
fn packed_messages_refer_to_those_before_them_if_that_was_agreed() {
    let text = r#"{"type":"response.output_text.delta","delta":"again and again"}"#;
    for takes_over in [true, false] {
        let mut packer = Packer(flate2::Compress::new(flate2::Compression::best(), false));
        let mut bytes = Vec::new();
        for nth in 0..5 {
            let packed = packer.pack(text.as_bytes());
            assert!(nth == 0 || !takes_over || packed.len() < text.len() / 2);
            let (start, end) = packed.split_at(packed.len() / 2);
            bytes.extend(frame(0x41, start, None));
            bytes.extend(frame(0x80, end, None));
            // Plain ones may stand between them.
            bytes.extend(frame(0x81, b"plain", None));
            if !takes_over {
                packer.0.reset();
            }
        }
        let read = read(Packing::Deflate { takes_over }, [bytes.as_slice()]);
        let expected: Vec<Vec<u8>> =
            (0..5).flat_map(|_| [text.as_bytes().to_vec(), b"plain".to_vec()]).collect();
        assert_eq!(read, Read { messages: expected, ..Read::default() });
    }
}

#[test]
fn packed_messages_of_any_length_are_unpacked_whole() {
    let mut packer = Packer(flate2::Compress::new(flate2::Compression::default(), false));
    let lengths = [5_700, 32_190, 8_192, 3, 70_000, 32_768, 100_001];
    let texts: Vec<Vec<u8>> =
        lengths.iter().map(|length| b"UklGRg==".repeat(20_000)[..*length].to_vec()).collect();
    let bytes: Vec<u8> = texts.iter().flat_map(|text| frame(0xC1, &packer.pack(text), None)).collect();
    let read = read(Packing::Deflate { takes_over: true }, [bytes.as_slice()]);
    assert!(read == Read { messages: texts, ..Read::default() });
}

#[test]
fn a_message_may_end_with_the_last_block() {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(b"final").unwrap();
    let last = encoder.finish().unwrap();
    let bytes = [frame(0xC1, &last, None), frame(0xC1, &last, None)].concat();
    let read = read(Packing::Deflate { takes_over: true }, [bytes.as_slice()]);
    assert_eq!(read.messages, [b"final", b"final"]);
}

#[test]
fn a_bomb_or_a_message_that_is_not_packed_is_read_no_further() {
    let mut packer = Packer(flate2::Compress::new(flate2::Compression::best(), false));
    for packed in [packer.pack(&vec![0; 2 << 20]), b"not packed at all".to_vec()] {
        let bytes = [frame(0xC1, &packed, None), frame(0x81, b"late", None)].concat();
        let read = read(Packing::Deflate { takes_over: true }, [bytes.as_slice()]);
        assert!(read.broken.is_some() && read.messages.is_empty(), "{:?}", read.broken);
    }
}

fn frames() -> impl Strategy<Value = Vec<u8>> {
    let first = prop::sample::select(vec![0x81_u8, 0x01, 0x00, 0x80, 0x82, 0x89, 0x8A, 0xC1, 0x41, 0x88]);
    let payload = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..20),
        prop::collection::vec(any::<u8>(), 120..300),
        Just(vec![7; 66_000]),
    ];
    prop::collection::vec((first, payload, any::<Option<[u8; 4]>>()), 0..8)
        .prop_map(|all| all.iter().flat_map(|(first, payload, mask)| frame(*first, payload, *mask)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cuts_do_not_matter(
        bytes in prop_oneof![frames(), prop::collection::vec(any::<u8>(), 0..200)],
        size in 1_usize..400,
        takes_over in any::<Option<bool>>(),
    ) {
        let packing = takes_over.map_or(Packing::None, |takes_over| Packing::Deflate { takes_over });
        prop_assert_eq!(read(packing, bytes.chunks(size)), read(packing, [bytes.as_slice()]));
    }
}
