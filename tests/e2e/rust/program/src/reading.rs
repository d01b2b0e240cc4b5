//! Streams of server-sent events, for the clients that leave reading them to the program.

use serde_json::Value;

/// The text of an answer in pieces.
pub struct Pieces {
    /// What one event adds.
    piece: fn(&Value) -> Option<&str>,
    line: Vec<u8>,
    pub text: String,
}

impl Pieces {
    pub fn new(piece: fn(&Value) -> Option<&str>) -> Self {
        Pieces { piece, line: Vec::new(), text: String::new() }
    }

    /// Reads what has come.
    pub fn read(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte != b'\n' {
                self.line.push(byte);
                continue;
            }
            let line = std::mem::take(&mut self.line);
            let event = line.strip_prefix(b"data: ").and_then(|data| serde_json::from_slice(data).ok());
            if let Some(event) = event {
                self.text.push_str((self.piece)(&event).unwrap_or_default());
            }
        }
    }

    /// Whether so much was said that a stream can be left half-way.
    pub fn is_half(&self) -> bool {
        self.text == "You said:"
    }
}
