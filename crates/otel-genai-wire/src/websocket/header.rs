//! The head of a frame (RFC 6455, 5.2).

/// The bytes of a head that have come so far.
#[derive(Debug, Default)]
pub(super) struct Header {
    bytes: [u8; Header::LONGEST],
    length: usize,
}

/// What a head says.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) kind: Kind,
    pub(super) is_final: bool,
    pub(super) is_packed: bool,
    pub(super) mask: Option<[u8; 4]>,
    /// Of the payload, in bytes.
    pub(super) length: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A message of text begins.
    Text,
    /// A message of bytes begins.
    Binary,
    /// A message goes on.
    More,
    Close,
    /// A ping or a pong.
    Control,
}

impl Kind {
    pub(super) fn is_data(self) -> bool {
        matches!(self, Kind::Text | Kind::Binary | Kind::More)
    }
}

const NO_FRAME: &str = "it is not framed as a WebSocket is";

impl Header {
    const LONGEST: usize = 14;

    /// Takes what belongs to the head; what follows it, once it is complete.
    pub(super) fn take<'a>(&mut self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let mut rest = bytes;
        while self.length < self.wanted() {
            let (byte, after) = rest.split_first()?;
            *self.bytes.get_mut(self.length)? = *byte;
            self.length += 1;
            rest = after;
        }
        Some(rest)
    }

    /// How long the head is, as far as its first bytes tell.
    fn wanted(&self) -> usize {
        if self.length < 2 {
            return 2;
        }
        let [_, second, ..] = self.bytes;
        let length = match second & 0x7F {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        2 + length + if second & 0x80 == 0 { 0 } else { 4 }
    }

    /// What a complete head says.
    pub(super) fn read(&self) -> Result<Begun, &'static str> {
        let [first, second, a, b, c, d, e, f, g, h, ..] = self.bytes;
        let (length, after) = match second & 0x7F {
            126 => (u64::from(u16::from_be_bytes([a, b])), 4),
            127 => (u64::from_be_bytes([a, b, c, d, e, f, g, h]), 10),
            short => (u64::from(short), 2),
        };
        let mask = match second & 0x80 {
            0 => None,
            _ => self.bytes.get(after..).and_then(|rest| rest.first_chunk::<4>()).copied(),
        };
        let (is_final, is_packed) = (first & 0x80 != 0, first & 0x40 != 0);
        let kind = match first & 0x0F {
            0 => Kind::More,
            1 => Kind::Text,
            2 => Kind::Binary,
            8 => Kind::Close,
            9 | 10 => Kind::Control,
            _ => return Err(NO_FRAME),
        };
        let is_possible = kind.is_data() || (is_final && length < 126);
        if first & 0x30 != 0 || !is_possible || length > i64::MAX as u64 {
            return Err(NO_FRAME);
        }
        Ok(Begun { kind, is_final, is_packed, mask, length })
    }
}
