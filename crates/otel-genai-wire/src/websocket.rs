//! What one side of a WebSocket says (RFC 6455), read from its bytes as they pass.
//!
//! Nothing is answered and nothing is held: a message is told piece by piece, unmasked and unpacked. What is no
//! WebSocket is read no further.

mod extension;
mod header;
mod inflate;

pub(crate) use extension::{Packing, packing};

use header::{Header, Kind};
use inflate::Inflate;

/// What the bytes brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// A piece of a message of text.
    Text(&'a [u8]),
    /// A message of text is complete.
    End,
    /// This side closes the connection, and says nothing more.
    Close,
}

/// Reads one direction.
#[derive(Debug)]
pub(crate) struct WebSocket {
    state: State,
    /// The message that has begun and is not complete: its frames may have control frames between them.
    message: Option<Message>,
    inflate: Option<Inflate>,
    broken: Option<&'static str>,
}

#[derive(Debug)]
enum State {
    /// The first bytes of a frame.
    Header(Header),
    Payload {
        frame: Frame,
        left: u64,
        /// How many bytes of the payload have passed, which is where the mask stands.
        seen: usize,
    },
    /// Nothing more is read.
    Over,
}

/// A frame whose payload passes.
#[derive(Clone, Copy, Debug)]
struct Frame {
    kind: Kind,
    is_final: bool,
    mask: Option<[u8; 4]>,
}

#[derive(Clone, Copy, Debug)]
struct Message {
    is_text: bool,
    is_packed: bool,
}

/// Payloads are unmasked in pieces of this size.
const PIECE: usize = 4096;

impl WebSocket {
    /// A reader of the side that packs its messages so.
    pub(crate) fn new(packing: Packing) -> Self {
        let inflate = match packing {
            Packing::None => None,
            Packing::Deflate { takes_over } => Some(Inflate::new(takes_over)),
        };
        WebSocket { state: State::Header(Header::default()), message: None, inflate, broken: None }
    }

    /// Why nothing more is read, if the bytes are no WebSocket's.
    pub(crate) fn broken(&self) -> Option<&'static str> {
        self.broken
    }

    /// The next bytes, in pieces of any size.
    pub(crate) fn push(&mut self, bytes: &[u8], mut tell: impl FnMut(Piece<'_>)) {
        if let Err(why) = self.read(bytes, &mut tell) {
            self.broken = Some(why);
            self.state = State::Over;
        }
    }

    fn read(&mut self, mut bytes: &[u8], tell: &mut impl FnMut(Piece<'_>)) -> Result<(), &'static str> {
        loop {
            match &mut self.state {
                State::Over => return Ok(()),
                State::Header(header) => {
                    let Some(rest) = header.take(bytes) else { return Ok(()) };
                    bytes = rest;
                    let begun = header.read()?;
                    let frame = Frame { kind: begun.kind, is_final: begun.is_final, mask: begun.mask };
                    self.state = State::Payload { frame, left: begun.length, seen: 0 };
                    self.begin(begun.kind, begun.is_packed)?;
                }
                State::Payload { frame, left, seen } => {
                    let here = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    let (payload, rest) = bytes.split_at(here);
                    bytes = rest;
                    let (frame, at) = (*frame, *seen);
                    *left -= here as u64;
                    // Only where the mask stands matters.
                    *seen = (*seen + here) % 4;
                    let is_over = *left == 0;
                    self.payload(frame, payload, at, tell)?;
                    if !is_over {
                        return Ok(());
                    }
                    self.state = State::Header(Header::default());
                    self.end(frame, tell)?;
                }
            }
        }
    }

    /// A frame begins.
    fn begin(&mut self, kind: Kind, is_packed: bool) -> Result<(), &'static str> {
        let fits = match (kind, self.message) {
            (Kind::Control | Kind::Close, _) | (Kind::More, Some(_)) => !is_packed,
            (Kind::Text | Kind::Binary, None) => !is_packed || self.inflate.is_some(),
            (Kind::More, None) | (Kind::Text | Kind::Binary, Some(_)) => false,
        };
        if !fits {
            return Err("it is not framed as a WebSocket is");
        }
        if matches!(kind, Kind::Text | Kind::Binary) {
            self.message = Some(Message { is_text: kind == Kind::Text, is_packed });
        }
        Ok(())
    }

    fn payload(
        &mut self,
        frame: Frame,
        payload: &[u8],
        at: usize,
        tell: &mut impl FnMut(Piece<'_>),
    ) -> Result<(), &'static str> {
        let Some(message) = self.message.filter(|_| frame.kind.is_data()) else { return Ok(()) };
        // What is packed must be unpacked even if nobody reads it: later messages may refer to it.
        if !message.is_text && !message.is_packed {
            return Ok(());
        }
        let Some(mask) = frame.mask else { return self.plain(message, payload, tell) };
        let mut plain = [0; PIECE];
        for (nth, piece) in payload.chunks(PIECE).enumerate() {
            let start = at + nth * PIECE;
            let unmasked =
                piece.iter().zip(mask.iter().cycle().skip(start % 4)).map(|(byte, mask)| byte ^ mask);
            for (into, byte) in plain.iter_mut().zip(unmasked) {
                *into = byte;
            }
            self.plain(message, plain.get(..piece.len()).unwrap_or_default(), tell)?;
        }
        Ok(())
    }

    fn plain(
        &mut self,
        message: Message,
        bytes: &[u8],
        tell: &mut impl FnMut(Piece<'_>),
    ) -> Result<(), &'static str> {
        match &mut self.inflate {
            Some(inflate) if message.is_packed => inflate.push(bytes, |plain| {
                if message.is_text {
                    tell(Piece::Text(plain));
                }
            }),
            _ => {
                if !bytes.is_empty() {
                    tell(Piece::Text(bytes));
                }
                Ok(())
            }
        }
    }

    /// A frame is complete.
    fn end(&mut self, frame: Frame, tell: &mut impl FnMut(Piece<'_>)) -> Result<(), &'static str> {
        match frame.kind {
            Kind::Control => {}
            Kind::Close => {
                self.state = State::Over;
                tell(Piece::Close);
            }
            Kind::Text | Kind::Binary | Kind::More if frame.is_final => {
                let Some(message) = self.message.take() else { return Ok(()) };
                if let Some(inflate) = self.inflate.as_mut().filter(|_| message.is_packed) {
                    inflate.end(|plain| {
                        if message.is_text {
                            tell(Piece::Text(plain));
                        }
                    })?;
                }
                if message.is_text {
                    tell(Piece::End);
                }
            }
            Kind::Text | Kind::Binary | Kind::More => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
