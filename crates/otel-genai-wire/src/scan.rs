//! Picks the small things that are wanted out of a JSON document of any size, in whatever order its keys come.
//!
//! The document is never held: bytes go in, a reduced document comes out, of which the size is bounded by what is
//! wanted. A document that stops half-way gives what was complete until then.

mod leaf;
#[cfg(test)]
mod tests;

use leaf::{Leaf, Length};

use crate::json::{self, Checked, Lenient};

/// What is wanted of a value.
#[derive(Debug)]
pub(crate) enum Want {
    /// All of it, if it is at most so many bytes long.
    Keep(usize),
    /// These keys of an object.
    Fields(&'static [(&'static str, Want)]),
    /// This of every item of a list, as far as [`MAX_ITEMS`].
    Items(&'static Want),
    /// This of the first item of a list.
    First(&'static Want),
    /// The first of a list, the second of anything else.
    Either(&'static Want, &'static Want),
    /// How long it is: `{"items": 3}` in place of a list, `{"chars": 8, "padding": 1}` in place of a text, where
    /// `padding` counts the equals signs at its end. Made for base64: a character is a byte or an escape.
    Length,
}

/// How a document ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It is complete.
    Whole,
    /// It stopped half-way.
    Cut,
    /// It is no JSON, at least not from some point on; or neither an object nor a list.
    Broken,
}

/// More items of a list are not looked at.
const MAX_ITEMS: usize = 128;
/// The reduced document grows no further than this, whatever is wanted.
const MAX_OUT: usize = 256 << 10;
/// Longer keys are never wanted. Enough for every wanted key written in escapes.
const MAX_NAME: usize = 256;

/// The scanner of one document.
#[derive(Debug)]
pub(crate) struct Scan {
    root: &'static Want,
    out: Vec<u8>,
    frames: Vec<Frame>,
    state: State,
}

/// An object or list of which something is wanted and that is not over yet.
#[derive(Debug)]
struct Frame {
    want: &'static Want,
    list: bool,
    /// How many members have been written.
    written: usize,
    /// How many items have been seen.
    seen: usize,
}

#[derive(Debug)]
enum State {
    /// A value comes.
    Value(Slot),
    /// A key comes, or the end of the object.
    Member,
    /// Within a key.
    Name {
        name: Vec<u8>,
        escaped: bool,
    },
    /// A colon comes.
    Colon(Slot),
    /// Within a value that is not entered.
    Leaf(Leaf, Task),
    /// A comma comes, or the end of the object or list.
    After,
    Over(End),
}

/// Where a value goes.
#[derive(Clone, Copy, Debug)]
struct Slot {
    name: &'static str,
    want: Option<&'static Want>,
}

#[derive(Debug)]
enum Task {
    Skip,
    /// Written from `value` on; taken back to `mark` if it does not fit.
    Keep {
        mark: usize,
        value: usize,
        limit: usize,
    },
    Measure {
        slot: Slot,
        length: Length,
    },
}

impl Scan {
    pub(crate) fn new(root: &'static Want) -> Self {
        let state = State::Value(Slot { name: "", want: Some(root) });
        Scan { root, out: Vec::new(), frames: Vec::new(), state }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            if matches!(self.state, State::Over(_)) {
                return;
            }
            rest = self.step(rest);
        }
    }

    /// The reduced document, which is valid JSON in any case, and how the document ended.
    pub(crate) fn finish(mut self) -> (Vec<u8>, End) {
        let end = match self.state {
            State::Over(end) => end,
            State::Leaf(_, Task::Keep { mark, .. }) => {
                self.out.truncate(mark);
                End::Cut
            }
            _ => End::Cut,
        };
        for frame in self.frames.iter().rev() {
            self.out.push(if frame.list { b']' } else { b'}' });
        }
        if self.out.is_empty() {
            self.out.extend_from_slice(b"{}");
        }
        (self.out, end)
    }

    /// Takes at least one byte or changes the state; returns what is left.
    fn step<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let Some((&byte, rest)) = bytes.split_first() else { return bytes };
        match &mut self.state {
            State::Name { name, escaped } => {
                let plain = if *escaped { 0 } else { leaf::skip_text(bytes) };
                if plain > 0 {
                    let (piece, rest) = bytes.split_at(plain);
                    if let (true, Some((b'"', rest))) = (name.is_empty(), rest.split_first()) {
                        self.state = State::Colon(self.slot(piece));
                        return rest;
                    }
                    let room = MAX_NAME.saturating_sub(name.len());
                    name.extend_from_slice(piece.get(..room).unwrap_or(piece));
                    return rest;
                }
                if *escaped {
                    *escaped = false;
                } else if byte == b'\\' {
                    *escaped = true;
                } else if byte == b'"' {
                    let name = std::mem::take(name);
                    self.state = State::Colon(self.slot(&name));
                    return rest;
                }
                if name.len() < MAX_NAME {
                    name.push(byte);
                }
                rest
            }
            State::Leaf(leaf, task) => {
                let measured = if let Task::Measure { length, .. } = task { Some(length) } else { None };
                let (taken, over) = leaf.advance(bytes, measured);
                let (taken, rest) = bytes.split_at(taken);
                if let Task::Keep { mark, value, limit } = task {
                    if self.out.len() - *value + taken.len() > *limit || self.out.len() > MAX_OUT {
                        self.out.truncate(*mark);
                        *task = Task::Skip;
                    } else {
                        self.out.extend_from_slice(taken);
                    }
                }
                if over {
                    self.leaf_over();
                }
                rest
            }
            _ if byte.is_ascii_whitespace() => rest,
            State::Value(slot) => {
                let slot = *slot;
                self.value(slot, byte, bytes)
            }
            State::Member => {
                match byte {
                    b'"' => self.state = State::Name { name: Vec::new(), escaped: false },
                    b'}' => self.close(),
                    b',' => {}
                    _ => self.state = State::Over(End::Broken),
                }
                rest
            }
            State::Colon(slot) => {
                let slot = *slot;
                self.state = if byte == b':' { State::Value(slot) } else { State::Over(End::Broken) };
                rest
            }
            State::After => {
                match (byte, self.frames.last().map(|frame| !frame.list)) {
                    (b',', Some(true)) => self.state = State::Member,
                    (b',', Some(false)) => self.next_item(),
                    (b'}', Some(true)) | (b']', Some(false)) => self.close(),
                    _ => self.state = State::Over(End::Broken),
                }
                rest
            }
            State::Over(_) => &[],
        }
    }

    /// A value begins with this byte.
    fn value<'a>(&mut self, slot: Slot, byte: u8, bytes: &'a [u8]) -> &'a [u8] {
        let rest = bytes.get(1..).unwrap_or_default();
        let is_root = self.frames.is_empty();
        let want = match slot.want {
            // One object may come in a list.
            Some(Want::Fields(_)) if is_root && byte == b'[' => Some(self.root),
            Some(Want::Either(list, other)) => Some(if byte == b'[' { *list } else { *other }),
            want => want,
        };
        match (want, byte) {
            (Some(want @ Want::Fields(_)), b'{') if self.out.len() <= MAX_OUT => {
                self.begin_member(slot);
                self.out.push(b'{');
                self.frames.push(Frame { want, list: false, written: 0, seen: 0 });
                self.state = State::Member;
                return rest;
            }
            (Some(want @ (Want::Items(_) | Want::First(_) | Want::Fields(_))), b'[')
                if is_root || (!want.is_fields() && self.out.len() <= MAX_OUT) =>
            {
                self.begin_member(slot);
                self.out.push(b'[');
                self.frames.push(Frame { want, list: true, written: 0, seen: 0 });
                self.next_item();
                return rest;
            }
            // The end of an empty list, which is where a first item would be.
            (_, b']') if self.frames.last().is_some_and(|frame| frame.list) => {
                self.close();
                return rest;
            }
            (_, b',' | b':' | b'}' | b']') => {
                self.state = State::Over(End::Broken);
                return rest;
            }
            _ if is_root => {
                // Not even a byte order mark's first byte may precede a document, but servers put it there.
                if json::BOM.contains(&byte) && self.out.is_empty() {
                    return rest;
                }
                self.state = State::Over(End::Broken);
                return rest;
            }
            _ => {}
        }
        let task = match (want, byte) {
            (Some(Want::Keep(limit)), _) if self.out.len() <= MAX_OUT => {
                let mark = self.out.len();
                self.begin_member(slot);
                Task::Keep { mark, value: self.out.len(), limit: *limit }
            }
            (Some(Want::Length), b'[' | b'"') => {
                Task::Measure { slot, length: Length { list: byte == b'[', ..Length::default() } }
            }
            // Something else than what was wanted of a key. That the key was there may matter.
            (
                Some(Want::Fields(_) | Want::Items(_) | Want::First(_) | Want::Either(..) | Want::Length),
                _,
            ) if self.out.len() <= MAX_OUT && self.frames.last().is_some_and(|frame| !frame.list) => {
                self.begin_member(slot);
                self.out.extend_from_slice(b"null");
                self.written();
                Task::Skip
            }
            _ => Task::Skip,
        };
        let leaf = match byte {
            b'"' => Leaf::Text { escaped: false },
            b'{' | b'[' => Leaf::Nested { depth: 1, text: false, escaped: false },
            _ => Leaf::Scalar,
        };
        if matches!(leaf, Leaf::Scalar) {
            self.state = State::Leaf(leaf, task);
            return bytes;
        }
        if matches!(task, Task::Keep { .. }) {
            self.out.push(byte);
        }
        self.state = State::Leaf(leaf, task);
        rest
    }

    fn leaf_over(&mut self) {
        let State::Leaf(_, task) = std::mem::replace(&mut self.state, State::After) else { return };
        match task {
            Task::Skip => {}
            Task::Keep { mark, value, .. } => {
                // A value that a reader refuses would spoil all the others.
                if !self.out.get(value..).is_some_and(reads) {
                    let repaired = json::repair(&self.out.split_off(value)).filter(|value| reads(value));
                    let Some(repaired) = repaired else { return self.out.truncate(mark) };
                    self.out.extend_from_slice(&repaired);
                }
                self.written();
            }
            Task::Measure { slot, length: Length { list, count, padding, any, .. } } => {
                self.begin_member(slot);
                let measured = match list {
                    true => format!(r#"{{"items":{}}}"#, count + usize::from(any)),
                    false => format!(r#"{{"chars":{count},"padding":{padding}}}"#),
                };
                self.out.extend_from_slice(measured.as_bytes());
                self.written();
            }
        }
    }

    /// Writes what stands before a value: the comma and the key.
    fn begin_member(&mut self, slot: Slot) {
        let Some(frame) = self.frames.last() else { return };
        if frame.written > 0 {
            self.out.push(b',');
        }
        if !frame.list {
            self.out.push(b'"');
            self.out.extend_from_slice(slot.name.as_bytes());
            self.out.extend_from_slice(b"\":");
        }
    }

    fn written(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.written += 1;
        }
    }

    fn close(&mut self) {
        let Some(frame) = self.frames.pop() else { return };
        self.out.push(if frame.list { b']' } else { b'}' });
        self.written();
        self.state = if self.frames.is_empty() { State::Over(End::Whole) } else { State::After };
    }

    fn next_item(&mut self) {
        let out = self.out.len();
        let Some(frame) = self.frames.last_mut() else { return };
        let want = match frame.want {
            Want::Items(want) if frame.seen < MAX_ITEMS && out <= MAX_OUT => Some(*want),
            Want::First(want) if frame.seen == 0 => Some(*want),
            // The document's own list.
            fields @ Want::Fields(_) if frame.seen == 0 => Some(fields),
            _ => None,
        };
        frame.seen += 1;
        self.state = State::Value(Slot { name: "", want });
    }

    /// Where the value of this key goes.
    fn slot(&self, name: &[u8]) -> Slot {
        let nothing = Slot { name: "", want: None };
        let Some(Want::Fields(fields)) = self.frames.last().map(|frame| frame.want) else { return nothing };
        let unescaped;
        let name = match memchr::memchr(b'\\', name) {
            None => name,
            Some(_) => {
                let quoted = [b"\"", name, b"\""].concat();
                unescaped = serde_json::from_slice::<String>(&quoted).unwrap_or_default();
                unescaped.as_bytes()
            }
        };
        let wanted = fields.iter().find(|(field, _)| field.as_bytes() == name);
        wanted.map_or(nothing, |(name, want)| Slot { name, want: Some(want) })
    }
}

impl Want {
    fn is_fields(&self) -> bool {
        matches!(self, Want::Fields(_))
    }
}

/// Whether a reader will take the value.
fn reads(value: &[u8]) -> bool {
    let mut reader = serde_json::Deserializer::from_slice(value);
    Checked::read(&mut reader).is_ok() && reader.end().is_ok()
}
