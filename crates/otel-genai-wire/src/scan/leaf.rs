//! Values that are passed over: where they end, and how long they are.

/// How far a scanner is within a value that it does not enter.
#[derive(Debug)]
pub(super) enum Leaf {
    Scalar,
    Text { escaped: bool },
    Nested { depth: usize, text: bool, escaped: bool },
}

/// How long a value is.
#[derive(Debug, Default)]
pub(super) struct Length {
    pub(super) list: bool,
    pub(super) count: usize,
    pub(super) padding: usize,
    /// Hexadecimal digits that still belong to an escape.
    pub(super) digits: u8,
    /// Whether the list has anything in it.
    pub(super) any: bool,
}

impl Leaf {
    /// How many of the bytes belong to the value, and whether it ends with them.
    pub(super) fn advance(&mut self, bytes: &[u8], mut measured: Option<&mut Length>) -> (usize, bool) {
        match self {
            Leaf::Scalar => {
                let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace();
                bytes.iter().position(ends).map_or((bytes.len(), false), |end| (end, true))
            }
            Leaf::Text { escaped } if measured.is_none() => {
                let mut at = 0;
                while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
                    let skipped = if *escaped { 0 } else { skip_text(rest) };
                    let Some(&byte) = rest.get(skipped) else { break };
                    at += skipped + 1;
                    if !*escaped && byte == b'"' {
                        return (at, true);
                    }
                    *escaped = !*escaped && byte == b'\\';
                }
                (bytes.len(), false)
            }
            Leaf::Text { escaped } => {
                for (at, &byte) in bytes.iter().enumerate() {
                    if !*escaped && byte == b'"' {
                        return (at + 1, true);
                    }
                    if let Some(length) = &mut measured {
                        length.char(byte, *escaped);
                    }
                    *escaped = !*escaped && byte == b'\\';
                }
                (bytes.len(), false)
            }
            Leaf::Nested { depth, text, escaped } => {
                let mut at = 0;
                while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
                    if *text {
                        let skipped = if *escaped { 0 } else { skip_text(rest) };
                        let Some(&byte) = rest.get(skipped) else { return (bytes.len(), false) };
                        *text = *escaped || byte != b'"';
                        *escaped = !*escaped && byte == b'\\';
                        at += skipped + 1;
                        continue;
                    }
                    let Some(&byte) = rest.first() else { break };
                    at += 1;
                    if let Some(length) = &mut measured {
                        length.item(byte, *depth);
                    }
                    match byte {
                        b'"' => *text = true,
                        b'{' | b'[' => *depth += 1,
                        b'}' | b']' => {
                            *depth -= 1;
                            if *depth == 0 {
                                return (at, true);
                            }
                        }
                        _ => {}
                    }
                }
                (bytes.len(), false)
            }
        }
    }
}

/// How many bytes of a text mean nothing to a scanner.
pub(super) fn skip_text(bytes: &[u8]) -> usize {
    memchr::memchr2(b'"', b'\\', bytes).unwrap_or(bytes.len())
}

impl Length {
    /// A byte between the quotes of a text.
    fn char(&mut self, byte: u8, escaped: bool) {
        if self.digits > 0 {
            self.digits -= 1;
        } else if escaped {
            // Counted at the backslash.
            self.digits = if byte == b'u' { 4 } else { 0 };
        } else {
            self.count += 1;
            self.padding = if byte == b'=' { self.padding + 1 } else { 0 };
        }
    }

    /// A byte of a list, outside of texts.
    fn item(&mut self, byte: u8, depth: usize) {
        if depth == 1 && byte == b',' {
            self.count += 1;
        }
        let end = depth == 1 && byte == b']';
        self.any |= !end && !byte.is_ascii_whitespace();
    }
}
