//! One direction's bytes, cut into lines.

use super::message;
use crate::body::Body;
use crate::options::Options;

/// The line that is being sent.
#[derive(Debug)]
pub(super) struct Line {
    options: Options,
    /// What of it has come, once that is more than blanks.
    body: Option<Body>,
    /// Bytes are missing: what is left of the line would be misread.
    torn: bool,
}

impl Line {
    pub(super) fn new(options: Options) -> Self {
        Line { options, body: None, torn: false }
    }

    /// Takes the bytes as far as the line's end: the line if that is there, and the bytes after it.
    pub(super) fn push<'a>(&mut self, bytes: &'a [u8]) -> (Option<Body>, &'a [u8]) {
        let end = memchr::memchr(b'\n', bytes);
        let (line, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
        if !self.torn && (self.body.is_some() || !line.iter().all(u8::is_ascii_whitespace)) {
            let options = self.options;
            self.body.get_or_insert_with(|| message::body(options)).push(line);
        }
        match end {
            None => (None, rest),
            Some(_) => (self.finish(), rest.get(1..).unwrap_or_default()),
        }
    }

    /// Leaves out what is left of the line.
    pub(super) fn tear(&mut self) {
        self.body = None;
        self.torn = true;
    }

    /// The line ends here.
    pub(super) fn finish(&mut self) -> Option<Body> {
        self.torn = false;
        self.body.take()
    }
}
