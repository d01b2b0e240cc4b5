//! A document a line. The last line needs no line feed; empty lines say nothing; what is too long is dropped.

use super::Event;
use crate::json::BOM;

#[derive(Debug)]
pub(crate) struct Reader {
    limit: usize,
    /// The beginning of a line of which the end has not come.
    line: Vec<u8>,
    too_long: bool,
}

impl Reader {
    pub(crate) fn new(limit: usize) -> Self {
        Reader { limit, line: Vec::new(), too_long: false }
    }

    pub(crate) fn push(&mut self, bytes: &[u8], mut tell: impl FnMut(Event<'_>)) {
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at(end);
            rest = after.get(1..).unwrap_or_default();
            if self.line.is_empty() && !self.too_long && line.len() <= self.limit {
                self::tell(line, &mut tell);
            } else {
                self.hold(line);
                self.dispatch(&mut tell);
            }
        }
        self.hold(rest);
    }

    pub(crate) fn finish(mut self, mut tell: impl FnMut(Event<'_>)) {
        self.dispatch(&mut tell);
    }

    fn hold(&mut self, piece: &[u8]) {
        if self.too_long || self.line.len() + piece.len() > self.limit {
            self.too_long = true;
            self.line = Vec::new();
        } else {
            self.line.extend_from_slice(piece);
        }
    }

    fn dispatch(&mut self, tell: &mut impl FnMut(Event<'_>)) {
        if std::mem::take(&mut self.too_long) {
            tell(Event::TooLong);
        } else {
            self::tell(&self.line, tell);
        }
        self.line.clear();
    }
}

fn tell(line: &[u8], tell: &mut impl FnMut(Event<'_>)) {
    let data = line.strip_prefix(BOM).unwrap_or(line).trim_ascii();
    if !data.is_empty() {
        tell(Event::Data { name: None, data });
    }
}

#[cfg(test)]
mod tests {
    use super::super::Framing;
    use super::super::test::events;

    #[test]
    fn every_line_is_a_document() {
        let events = |stream: &[u8]| events(Framing::Lines, 1000, stream);
        assert_eq!(
            events(b"\xef\xbb\xbf{\"a\":1}\n\n {\"b\":2} \r\n{\"c\":3}"),
            [r#"{"a":1}"#, r#"{"b":2}"#, r#"{"c":3}"#]
        );
        assert_eq!(events(b"\n \n"), Vec::<String>::new());
    }

    #[test]
    fn what_is_too_long_is_dropped_and_said() {
        let long = "x".repeat(50);
        let stream = format!("{{\"a\":1}}\n{long}\n{{\"b\":2}}\n{long}");
        assert_eq!(
            events(Framing::Lines, 20, stream.as_bytes()),
            [r#"{"a":1}"#, "TOO LONG", r#"{"b":2}"#, "TOO LONG"]
        );
    }
}
