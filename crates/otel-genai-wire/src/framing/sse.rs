//! Server-sent events, read by the rules of the WHATWG (*HTML*, section 9.2), split anywhere.
//!
//! Two liberties. An event that is not closed by an empty line when the stream ends is told nevertheless: providers
//! forget the line, and a reader that stops at the terminal event never sees it. And what is too long is dropped: an
//! endless line must not fill memory.

use super::Event;
use crate::json::BOM;

/// Reads one stream. Holds no more than one event and not more than `limit` bytes of it.
#[derive(Debug)]
pub(crate) struct Reader {
    limit: usize,
    /// The beginning of a line of which the end has not come.
    line: Vec<u8>,
    in_line: bool,
    data: Vec<u8>,
    name: Option<Vec<u8>>,
    /// Whether a data line has come: data of one empty line is an event too, but an empty one.
    has_data: bool,
    too_long: bool,
    /// A carriage return was the last byte: a line feed after it belongs to it.
    after_return: bool,
    is_first_line: bool,
}

impl Reader {
    pub(crate) fn new(limit: usize) -> Self {
        Reader {
            limit,
            line: Vec::new(),
            in_line: false,
            data: Vec::new(),
            name: None,
            has_data: false,
            too_long: false,
            after_return: false,
            is_first_line: true,
        }
    }

    /// The next bytes; every event that they complete is told.
    pub(crate) fn push(&mut self, bytes: &[u8], mut tell: impl FnMut(Event<'_>)) {
        let mut rest = bytes;
        if std::mem::take(&mut self.after_return) {
            if rest.is_empty() {
                self.after_return = true;
            }
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while let Some(end) = memchr::memchr2(b'\n', b'\r', rest) {
            let (line, after) = rest.split_at(end);
            let is_return = after.first() == Some(&b'\r');
            rest = after.get(1..).unwrap_or_default();
            if is_return {
                match rest.strip_prefix(b"\n") {
                    Some(after) => rest = after,
                    None => self.after_return = rest.is_empty(),
                }
            }
            if !std::mem::take(&mut self.in_line) {
                self.line(line, &mut tell);
            } else {
                self.hold(line);
                let mut held = std::mem::take(&mut self.line);
                // Nothing was held of a line that was too long from the start, and it is no empty line.
                if !held.is_empty() {
                    self.line(&held, &mut tell);
                }
                held.clear();
                self.line = held;
            }
        }
        if !rest.is_empty() {
            self.in_line = true;
            self.hold(rest);
        }
    }

    /// The stream is over.
    pub(crate) fn finish(mut self, mut tell: impl FnMut(Event<'_>)) {
        let line = std::mem::take(&mut self.line);
        if self.in_line && !line.is_empty() {
            self.line(&line, &mut tell);
        }
        self.dispatch(&mut tell);
    }

    fn hold(&mut self, piece: &[u8]) {
        if self.line.len() + self.data.len() + piece.len() > self.limit {
            self.too_long = true;
            return;
        }
        self.line.extend_from_slice(piece);
    }

    fn line(&mut self, line: &[u8], tell: &mut impl FnMut(Event<'_>)) {
        let line = match std::mem::take(&mut self.is_first_line) {
            true => line.strip_prefix(BOM).unwrap_or(line),
            false => line,
        };
        if line.is_empty() {
            return self.dispatch(tell);
        }
        if self.data.len() + line.len() > self.limit {
            self.too_long = true;
        }
        let (field, value) = match memchr::memchr(b':', line) {
            Some(colon) => {
                let (field, value) = line.split_at(colon);
                let value = value.get(1..).unwrap_or_default();
                (field, value.strip_prefix(b" ").unwrap_or(value))
            }
            None => (line, &[][..]),
        };
        match field {
            b"data" => {
                if self.too_long {
                    return;
                }
                if std::mem::replace(&mut self.has_data, true) {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(value);
            }
            b"event" if value.len() <= 256 => self.name = Some(value.to_vec()),
            // Comments (an empty field), `id`, `retry`, and what nobody knows.
            _ => {}
        }
    }

    fn dispatch(&mut self, tell: &mut impl FnMut(Event<'_>)) {
        if std::mem::take(&mut self.too_long) {
            tell(Event::TooLong);
            // The line may have been very long; memory is given back.
            self.line = Vec::new();
            self.data = Vec::new();
        } else if !self.data.is_empty() {
            tell(Event::Data { name: self.name.as_deref(), data: &self.data });
        }
        self.data.clear();
        self.has_data = false;
        self.name = None;
    }
}

#[cfg(test)]
mod tests {
    use super::super::Framing;
    use super::super::test::tell;
    use super::*;

    fn events(stream: &[u8]) -> Vec<String> {
        super::super::test::events(Framing::Events, 1000, stream)
    }

    fn read(pieces: &[&[u8]], limit: usize) -> Vec<String> {
        let mut told = Vec::new();
        let mut reader = Reader::new(limit);
        for piece in pieces {
            reader.push(piece, |event| told.push(tell(event)));
        }
        reader.finish(|event| told.push(tell(event)));
        told
    }

    #[test]
    fn lines_end_in_three_ways() {
        assert_eq!(
            events(b"data: a\n\ndata: b\r\rdata: c\r\n\r\ndata: d\r\n\ndata:e\n\r\n"),
            ["a", "b", "c", "d", "e"]
        );
    }

    #[test]
    fn fields() {
        assert_eq!(
            events(b"\xef\xbb\xbfdata:  a\ndata\ndata:b:c\nid: 7\nretry: 1\nwhat: x\n\n"),
            [" a\n\nb:c"]
        );
        assert_eq!(events(b": comment\n\nevent: ping\n\ndata: x\n\n"), ["x"]);
        assert_eq!(events(b"event: error\ndata: {}\n\ndata: y\n\n"), ["error|{}", "y"]);
        assert_eq!(events(b"data\n\ndata:\n\ndatum: 1\n\n"), Vec::<String>::new());
    }

    #[test]
    fn the_last_event_needs_no_empty_line() {
        assert_eq!(events(b"data: a\n\ndata: [DONE]"), ["a", "[DONE]"]);
        assert_eq!(events(b"data: a\n\ndata: [DONE]\n"), ["a", "[DONE]"]);
        assert_eq!(events(b""), Vec::<String>::new());
    }

    #[test]
    fn what_is_too_long_is_dropped_and_said() {
        let long = [b"data: ", "x".repeat(200).as_bytes(), b"\n\ndata: b\n\n"].concat();
        assert_eq!(read(&[&long], 100), ["TOO LONG", "b"]);
        let pieces: Vec<&[u8]> = long.chunks(7).collect();
        assert_eq!(read(&pieces, 100), ["TOO LONG", "b"]);
        let lines = "data: 123456789\n".repeat(20);
        assert_eq!(read(&[lines.as_bytes(), b"\ndata: b\n\n"], 100), ["TOO LONG", "b"]);
        let first = "x".repeat(200);
        assert_eq!(read(&[first.as_bytes(), b"\ndata: a\n\ndata: b\n\n"], 100), ["TOO LONG", "b"]);
    }

    #[test]
    fn an_endless_line_takes_no_memory() {
        let mut reader = Reader::new(1000);
        for _ in 0..10_000 {
            reader.push(&[b'x'; 1000], |_| {});
        }
        assert!(reader.line.capacity() + reader.data.capacity() <= 4096);
    }
}
