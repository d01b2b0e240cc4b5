//! One list that comes piece by piece: its items are the documents.

use super::Event;
use crate::json::BOM;

#[derive(Debug)]
pub(crate) struct Reader {
    limit: usize,
    /// The beginning of an item of which the end has not come.
    item: Vec<u8>,
    too_long: bool,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the list.
    Before,
    /// Between two items.
    Between,
    /// Within an item: how deep, and whether in a text of it.
    Within { depth: usize, text: bool, escaped: bool },
    /// After the list, or where it makes no sense any more.
    Over,
}

impl Reader {
    pub(crate) fn new(limit: usize) -> Self {
        Reader { limit, item: Vec::new(), too_long: false, state: State::Before }
    }

    pub(crate) fn push(&mut self, bytes: &[u8], mut tell: impl FnMut(Event<'_>)) {
        let mut rest = bytes;
        while let Some(&byte) = rest.first() {
            match self.state {
                State::Over => return,
                State::Within { depth, text, escaped } => {
                    rest = self.within(rest, depth, text, escaped, &mut tell);
                    continue;
                }
                _ if byte.is_ascii_whitespace() => {}
                State::Before if byte == b'[' => self.state = State::Between,
                State::Before if BOM.contains(&byte) => {}
                State::Between if byte == b']' => self.state = State::Over,
                State::Between if byte == b',' => {}
                State::Between if !matches!(byte, b'}' | b':') => {
                    self.state = State::Within { depth: 0, text: false, escaped: false };
                    continue;
                }
                State::Before | State::Between => {
                    self.state = State::Over;
                    tell(Event::Broken("the answer is no list of documents"));
                }
            }
            rest = rest.get(1..).unwrap_or_default();
        }
    }

    /// Takes what belongs to the item; returns what is left.
    fn within<'a>(
        &mut self,
        bytes: &'a [u8],
        mut depth: usize,
        mut text: bool,
        mut escaped: bool,
        tell: &mut impl FnMut(Event<'_>),
    ) -> &'a [u8] {
        let mut taken = 0;
        let mut is_over = false;
        while let Some(&byte) = bytes.get(taken) {
            if escaped {
                escaped = false;
            } else if text {
                let rest = bytes.get(taken..).unwrap_or_default();
                match memchr::memchr2(b'"', b'\\', rest) {
                    Some(at) => {
                        taken += at;
                        text = rest.get(at) != Some(&b'"');
                        escaped = text;
                    }
                    None => taken = bytes.len() - 1,
                }
            } else {
                match byte {
                    b'"' => text = true,
                    b'{' | b'[' => depth += 1,
                    // The end of an item that is neither object nor list, which does not take it.
                    b']' | b'}' | b',' if depth == 0 => {
                        is_over = true;
                        break;
                    }
                    b'}' | b']' => {
                        depth -= 1;
                        if depth == 0 {
                            taken += 1;
                            is_over = true;
                            break;
                        }
                    }
                    _ => {}
                }
            }
            taken += 1;
        }
        let (piece, rest) = bytes.split_at(taken.min(bytes.len()));
        if is_over {
            self.state = State::Between;
            self.dispatch(piece, tell);
        } else {
            self.state = State::Within { depth, text, escaped };
            self.hold(piece);
        }
        rest
    }

    fn hold(&mut self, piece: &[u8]) {
        if self.too_long || self.item.len() + piece.len() > self.limit {
            self.too_long = true;
            self.item = Vec::new();
        } else {
            self.item.extend_from_slice(piece);
        }
    }

    fn dispatch(&mut self, end: &[u8], tell: &mut impl FnMut(Event<'_>)) {
        if self.item.is_empty() && !self.too_long && end.len() <= self.limit {
            return tell(Event::Data { name: None, data: end.trim_ascii() });
        }
        self.hold(end);
        match std::mem::take(&mut self.too_long) {
            true => tell(Event::TooLong),
            false => tell(Event::Data { name: None, data: self.item.trim_ascii() }),
        }
        self.item.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::super::Framing;
    use super::super::test::events;

    #[test]
    fn items_of_a_list() {
        let events = |stream: &str| events(Framing::Items, 1000, stream.as_bytes());
        let pretty = "\u{feff}[{\n  \"a\": [1, {\"b\": \"}]\\\"\\\\\"}]\n}\n,\r\n{\"c\":\"\"}\n]\n";
        assert_eq!(events(pretty), ["{\n  \"a\": [1, {\"b\": \"}]\\\"\\\\\"}]\n}", r#"{"c":""}"#]);
        assert_eq!(events(r#"[ 1 ,"a,]",null]{"b":1}"#), ["1", r#""a,]""#, "null"]);
        assert_eq!(events("[]"), Vec::<String>::new());
        assert_eq!(events(r#"[{"a":1},{"b"#), [r#"{"a":1}"#]);
    }

    #[test]
    fn what_is_no_list_is_said() {
        assert_eq!(events(Framing::Items, 100, b"OK"), ["BROKEN the answer is no list of documents"]);
        assert_eq!(
            events(Framing::Items, 100, b"[{\"a\":1}}, {\"b\":1}]"),
            [r#"{"a":1}"#, "BROKEN the answer is no list of documents"]
        );
    }

    #[test]
    fn what_is_too_long_is_dropped_and_said() {
        let stream = format!(r#"[{{"a":"{}"}},{{"b":1}}]"#, "x".repeat(50));
        assert_eq!(events(Framing::Items, 20, stream.as_bytes()), ["TOO LONG", r#"{"b":1}"#]);
    }
}
