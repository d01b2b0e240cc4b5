//! Amazon's event stream (`application/vnd.amazon.eventstream`): binary messages of headers and a payload.
//!
//! A message is its length, the length of its headers, a checksum of both, the headers, the payload and a checksum of
//! all. Numbers are big-endian. After a wrong checksum nothing can be found any more.

use super::Event;

/// The two lengths and their checksum.
const PRELUDE: usize = 12;
/// The checksum at the end.
const CHECKSUM: usize = 4;

#[derive(Debug)]
pub(crate) struct Reader {
    limit: usize,
    /// The beginning of a message of which the end has not come.
    message: Vec<u8>,
    /// How many bytes of a message that is too long are still to come.
    skip: usize,
    is_broken: bool,
}

impl Reader {
    pub(crate) fn new(limit: usize) -> Self {
        Reader { limit, message: Vec::new(), skip: 0, is_broken: false }
    }

    pub(crate) fn push(&mut self, bytes: &[u8], mut tell: impl FnMut(Event<'_>)) {
        let mut rest = bytes;
        while !rest.is_empty() && !self.is_broken {
            if self.skip > 0 {
                let skipped = self.skip.min(rest.len());
                self.skip -= skipped;
                rest = rest.get(skipped..).unwrap_or_default();
                continue;
            }
            rest = match self.message.is_empty() {
                true => self.direct(rest, &mut tell),
                false => self.joined(rest, &mut tell),
            };
        }
    }

    /// Reads a message where it lies, if it is there as a whole.
    fn direct<'a>(&mut self, bytes: &'a [u8], tell: &mut impl FnMut(Event<'_>)) -> &'a [u8] {
        let Some(prelude) = bytes.first_chunk() else {
            self.message.extend_from_slice(bytes);
            return &[];
        };
        let Some(length) = self.length(prelude, tell) else { return bytes };
        match bytes.split_at_checked(length) {
            Some((message, rest)) => {
                self.message(message, tell);
                rest
            }
            None if self.skip > 0 => bytes,
            None => {
                self.message.extend_from_slice(bytes);
                &[]
            }
        }
    }

    /// Adds to the message that has begun.
    fn joined<'a>(&mut self, bytes: &'a [u8], tell: &mut impl FnMut(Event<'_>)) -> &'a [u8] {
        let rest = self.take(PRELUDE, bytes);
        let Some(prelude) = self.message.first_chunk().copied() else { return rest };
        let Some(length) = self.length(&prelude, tell) else { return rest };
        if self.skip > 0 {
            self.skip -= self.message.len();
            self.message.clear();
            return rest;
        }
        let rest = self.take(length, rest);
        if self.message.len() == length {
            let mut message = std::mem::take(&mut self.message);
            self.message(&message, tell);
            message.clear();
            self.message = message;
        }
        rest
    }

    /// Adds what is missing to so many bytes; returns what is left.
    fn take<'a>(&mut self, length: usize, bytes: &'a [u8]) -> &'a [u8] {
        let missing = length.saturating_sub(self.message.len()).min(bytes.len());
        let (piece, rest) = bytes.split_at(missing);
        self.message.extend_from_slice(piece);
        rest
    }

    /// How long the message is that begins so; `None` if it is none. One that is too long is to be skipped.
    fn length(&mut self, prelude: &[u8; PRELUDE], tell: &mut impl FnMut(Event<'_>)) -> Option<usize> {
        let [l0, l1, l2, l3, h0, h1, h2, h3, sum @ ..] = prelude;
        let length = u32::from_be_bytes([*l0, *l1, *l2, *l3]) as usize;
        let headers = u32::from_be_bytes([*h0, *h1, *h2, *h3]) as usize;
        if crc32(&[*l0, *l1, *l2, *l3, *h0, *h1, *h2, *h3]) != u32::from_be_bytes(*sum) {
            self.stop("the checksum of a message's length is wrong", tell);
            return None;
        }
        if length < headers.saturating_add(PRELUDE + CHECKSUM) {
            self.stop("a message is shorter than its headers", tell);
            return None;
        }
        if length > self.limit {
            self.skip = length;
            tell(Event::TooLong);
        }
        Some(length)
    }

    fn message(&mut self, message: &[u8], tell: &mut impl FnMut(Event<'_>)) {
        if self.skip > 0 {
            // It was too long, and is here as a whole nevertheless.
            self.skip = 0;
            return;
        }
        let Some((signed, sum)) = message.split_last_chunk::<CHECKSUM>() else { return };
        if crc32(signed) != u32::from_be_bytes(*sum) {
            return self.stop("the checksum of a message is wrong", tell);
        }
        let headers = signed.get(4..8).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes);
        let Some((headers, payload)) = signed
            .get(PRELUDE..)
            .zip(headers)
            .and_then(|(content, headers)| content.split_at_checked(headers as usize))
        else {
            return;
        };
        match Headers::read(headers) {
            Some(headers) => tell(headers.event(payload)),
            None => self.stop("the headers of a message cannot be read", tell),
        }
    }

    fn stop(&mut self, why: &'static str, tell: &mut impl FnMut(Event<'_>)) {
        self.is_broken = true;
        self.message = Vec::new();
        tell(Event::Broken(why));
    }
}

/// The checksum of gzip and Ethernet, too: CRC-32 with the reflected polynomial `0xEDB88320`.
fn crc32(bytes: &[u8]) -> u32 {
    let mut sum = flate2::Crc::new();
    sum.update(bytes);
    sum.sum()
}

/// The headers that matter.
#[derive(Debug, Default)]
struct Headers<'a> {
    message_type: &'a [u8],
    event_type: Option<&'a [u8]>,
    exception_type: Option<&'a [u8]>,
    error_code: Option<&'a [u8]>,
    error_message: Option<&'a [u8]>,
}

impl<'a> Headers<'a> {
    /// Each header is a name, a type and a value, of which some types tell the length.
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut headers = Headers::default();
        let mut rest = bytes;
        while let Some((&length, after)) = rest.split_first() {
            let (name, after) = after.split_at_checked(usize::from(length))?;
            let (&kind, after) = after.split_first()?;
            let (length, after) = match kind {
                // True and false.
                0 | 1 => (0, after),
                2 => (1, after),
                3 => (2, after),
                4 => (4, after),
                // A long number, and a time.
                5 | 8 => (8, after),
                // Bytes and text.
                6 | 7 => {
                    let (length, after) = after.split_first_chunk()?;
                    (usize::from(u16::from_be_bytes(*length)), after)
                }
                // A UUID.
                9 => (16, after),
                _ => return None,
            };
            let (value, after) = after.split_at_checked(length)?;
            rest = after;
            if kind != 7 {
                continue;
            }
            match name {
                b":message-type" => headers.message_type = value,
                b":event-type" => headers.event_type = Some(value),
                b":exception-type" => headers.exception_type = Some(value),
                b":error-code" => headers.error_code = Some(value),
                b":error-message" => headers.error_message = Some(value),
                _ => {}
            }
        }
        Some(headers)
    }

    fn event(&self, payload: &'a [u8]) -> Event<'a> {
        match (self.message_type, self.exception_type, self.error_code) {
            (b"exception", Some(kind), _) => Event::Error { kind, data: payload },
            (b"error", _, Some(kind)) => Event::Error { kind, data: self.error_message.unwrap_or_default() },
            _ => Event::Data { name: self.event_type, data: payload },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Framing;
    use super::super::test::events;
    use super::*;

    fn message(headers: &[(&str, &str)], payload: &str) -> Vec<u8> {
        // A boolean header stands before the others, as a kind that does not matter.
        let mut head = b"\x05:true\x00".to_vec();
        for (name, value) in headers {
            head.push(name.len() as u8);
            head.extend_from_slice(name.as_bytes());
            head.push(7);
            head.extend_from_slice(&(value.len() as u16).to_be_bytes());
            head.extend_from_slice(value.as_bytes());
        }
        let length = PRELUDE + head.len() + payload.len() + CHECKSUM;
        let mut message = (length as u32).to_be_bytes().to_vec();
        message.extend_from_slice(&(head.len() as u32).to_be_bytes());
        message.extend_from_slice(&crc32(&message).to_be_bytes());
        message.extend_from_slice(&head);
        message.extend_from_slice(payload.as_bytes());
        message.extend_from_slice(&crc32(&message).to_be_bytes());
        message
    }

    fn event(kind: &str, payload: &str) -> Vec<u8> {
        message(&[(":event-type", kind), (":message-type", "event")], payload)
    }

    #[test]
    fn the_check_value() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn messages() {
        let stream = [
            event("messageStart", r#"{"role":"assistant"}"#),
            event("chunk", ""),
            message(&[(":message-type", "exception"), (":exception-type", "throttlingException")], "{}"),
            message(
                &[(":message-type", "error"), (":error-code", "Internal"), (":error-message", "sorry")],
                "",
            ),
        ]
        .concat();
        assert_eq!(
            events(Framing::EventStream, 1000, &stream),
            [
                r#"messageStart|{"role":"assistant"}"#,
                "chunk|",
                "ERROR throttlingException|{}",
                "ERROR Internal|sorry"
            ]
        );
        assert_eq!(events(Framing::EventStream, 1000, &stream[..stream.len() - 1]).len(), 3);
    }

    #[test]
    fn nothing_is_read_after_a_wrong_checksum() {
        let stream = [event("a", "1"), event("b", "2"), event("c", "3")].concat();
        let second = stream.len() / 3;
        for (at, why) in [(second, "length"), (second + 9, "length"), (second + 20, "a message is")] {
            let mut stream = stream.clone();
            stream[at] ^= 1;
            let told = events(Framing::EventStream, 1000, &stream);
            assert_eq!(told[0], "a|1");
            assert!(
                told.len() == 2 && told[1].starts_with("BROKEN") && told[1].contains(why),
                "{at}: {told:?}"
            );
        }
    }

    #[test]
    fn lengths_and_headers_that_make_no_sense() {
        let mut short = 15_u32.to_be_bytes().to_vec();
        short.extend_from_slice(&[0; 4]);
        short.extend_from_slice(&crc32(&short).to_be_bytes());
        assert_eq!(
            events(Framing::EventStream, 1000, &[short, vec![0; 9]].concat()),
            ["BROKEN a message is shorter than its headers"]
        );
        assert_eq!(
            events(Framing::EventStream, 1000, b"GET / HTTP/1"),
            ["BROKEN the checksum of a message's length is wrong"]
        );
        let odd = message(&[], "{}");
        let mut odd = odd[..odd.len() - CHECKSUM].to_vec();
        odd[PRELUDE + 6] = 77;
        odd.extend_from_slice(&crc32(&odd).to_be_bytes());
        assert_eq!(
            events(Framing::EventStream, 1000, &odd),
            ["BROKEN the headers of a message cannot be read"]
        );
    }

    #[test]
    fn what_is_too_long_is_skipped_and_said() {
        let stream = [event("a", &"x".repeat(500)), event("b", "2")].concat();
        assert_eq!(events(Framing::EventStream, 200, &stream), ["TOO LONG", "b|2"]);
    }
}
