//! A form with files (`multipart/form-data`), as far as it is plain: its small fields are kept, its files are skipped.

use serde_json::{Map, Value};

/// Longer fields are left out, in bytes.
const MAX_FIELD: usize = 16 << 10;
/// More fields are not looked at.
const MAX_FIELDS: usize = 64;
/// After so many parts the form is no call of a model.
const MAX_PARTS: usize = 1024;
/// A part's headers are no longer than this, in bytes; nor is the line that begins the form.
const MAX_HEAD: usize = 8 << 10;

/// Reads a form as it comes. What it holds is bounded by what came last and by the fields that are kept.
#[derive(Debug, Default)]
pub(crate) struct Form {
    /// What stands between two parts, the line's end before it included.
    delimiter: Vec<u8>,
    held: Vec<u8>,
    /// How much of that has been read. It is given up once a piece, not once a part.
    at: usize,
    parts: usize,
    state: State,
    fields: Map<String, Value>,
}

#[derive(Debug, Default)]
enum State {
    /// Before the first line, which tells the delimiter.
    #[default]
    Start,
    /// After a delimiter.
    Head,
    /// In a part, of which the value is kept if it has a name here.
    Part { name: Option<String>, value: Vec<u8> },
    /// After the last part, or where nothing can be understood any more.
    Over,
}

impl Form {
    /// Whether a body that begins so is a form: no JSON does.
    pub(crate) fn begins(first: u8) -> bool {
        first == b'-'
    }

    /// The next bytes, in pieces of any size.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if matches!(self.state, State::Over) {
            return;
        }
        self.held.extend_from_slice(bytes);
        while self.step() {}
        self.held.drain(..self.at);
        self.at = 0;
        if matches!(self.state, State::Over) {
            self.held = Vec::new();
        }
    }

    /// The fields that were kept, as a document. What is not over is not there.
    pub(crate) fn finish(self) -> Vec<u8> {
        Value::Object(self.fields).to_string().into_bytes()
    }

    /// Whether there may be more to understand in what is held.
    fn step(&mut self) -> bool {
        match &mut self.state {
            State::Start => {
                let Some(end) = self.head_end(b"\r\n") else { return self.wait() };
                self.delimiter = [b"\r\n", self.rest().get(..end).unwrap_or_default()].concat();
                // What follows the line looks as it does after every delimiter.
                self.at += end;
                self.state = State::Head;
            }
            State::Head => {
                let after = self.rest().get(..2).unwrap_or_default();
                if self.parts >= MAX_PARTS || (after.len() == 2 && after != b"\r\n") {
                    // Two dashes follow the last delimiter.
                    self.state = State::Over;
                    return false;
                }
                let Some(end) = self.head_end(b"\r\n\r\n") else { return self.wait() };
                let name = name(self.rest().get(..end).unwrap_or_default());
                let is_wanted = self.fields.len() < MAX_FIELDS;
                self.at += end + 4;
                self.parts += 1;
                self.state = State::Part { name: name.filter(|_| is_wanted), value: Vec::new() };
            }
            State::Part { name, value } => {
                let rest = self.held.get(self.at..).unwrap_or_default();
                let found = memchr::memmem::find(rest, &self.delimiter);
                // The end of what is held may be the beginning of a delimiter.
                let safe = found.unwrap_or_else(|| (rest.len() + 1).saturating_sub(self.delimiter.len()));
                let is_long = value.len() + safe > MAX_FIELD;
                if is_long {
                    *name = None;
                    *value = Vec::new();
                } else if name.is_some() {
                    value.extend_from_slice(rest.get(..safe).unwrap_or_default());
                }
                if found.is_none() {
                    self.at += safe;
                    return false;
                }
                if let Some(name) = name.take() {
                    let text = String::from_utf8_lossy(value).into_owned();
                    let value = plain(&name, text);
                    self.fields.entry(name).or_insert(value);
                }
                self.at += safe + self.delimiter.len();
                self.state = State::Head;
            }
            State::Over => return false,
        }
        true
    }

    /// What is held and not read.
    fn rest(&self) -> &[u8] {
        self.held.get(self.at..).unwrap_or_default()
    }

    /// Where a head ends: not too far away, however the bytes came.
    fn head_end(&self, end: &[u8]) -> Option<usize> {
        memchr::memmem::find(self.rest().get(..MAX_HEAD).unwrap_or(self.rest()), end)
    }

    /// Waits for more, but not for ever.
    fn wait(&mut self) -> bool {
        if self.rest().len() >= MAX_HEAD {
            self.state = State::Over;
        }
        false
    }
}

/// The name of a plain field, from its part's headers; `None` for a file.
fn name(head: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(head);
    let disposition = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    let parameter = |wanted: &str| {
        disposition.split(';').find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim().trim_matches('"'))
        })
    };
    if parameter("filename").or_else(|| parameter("filename*")).is_some() {
        return None;
    }
    parameter("name").filter(|name| !name.is_empty()).map(str::to_owned)
}

/// A form knows texts only: those that stand for something else are read as such.
fn plain(name: &str, text: String) -> Value {
    match (name, text.as_str()) {
        ("stream", "true" | "True" | "1") => Value::Bool(true),
        ("stream", _) => Value::Bool(false),
        ("n", number) => number.parse::<i64>().map_or(Value::Null, Value::from),
        _ => Value::String(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &[u8] = b"--x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n\
        --x\r\ncontent-disposition: form-data; name=file; filename=\"a.mp3\"\r\nContent-Type: audio/mpeg\r\n\r\n\
        \r\n--\x00\xff--x\r\n\r\n--x\r\nContent-Disposition: form-data; name=\"stream\"\r\n\r\ntrue\r\n--x\r\n\
        Content-Disposition: form-data; name=\"prompt\"\r\n\r\ntwo\r\nlines\r\n--x--\r\nwhat follows";

    fn read(pieces: &[&[u8]]) -> String {
        let mut form = Form::default();
        pieces.iter().for_each(|piece| form.push(piece));
        String::from_utf8(form.finish()).unwrap()
    }

    #[test]
    fn fields_are_kept_wherever_the_form_is_cut() {
        let whole = r#"{"model":"whisper-1","prompt":"two\r\nlines","stream":true}"#;
        for at in 0..=FORM.len() {
            let (one, two) = FORM.split_at(at);
            assert_eq!(read(&[one, two]), whole, "cut at {at}");
        }
        assert_eq!(read(&FORM.chunks(1).collect::<Vec<_>>()), whole);
    }

    #[test]
    fn what_is_long_or_broken_is_left_out() {
        let long = "a".repeat(MAX_FIELD + 1);
        let form = format!(
            "--x\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\n{long}\r\n\
             --x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--x--"
        );
        assert_eq!(read(&[form.as_bytes()]), r#"{"model":"m"}"#);
        let mut endless = Form::default();
        (0..100).for_each(|_| endless.push(&[b'-'; 1024]));
        assert!(endless.held.is_empty());
        assert_eq!(endless.finish(), b"{}");
        let part = |name: &str| format!("--x\r\nContent-Disposition: form-data; name={name}\r\n\r\nm\r\n");
        let parts = |count: usize| "--x\r\n\r\n\r\n".repeat(count);
        let many = part("model") + &parts(MAX_PARTS - 2) + &part("n") + &parts(100_000) + &part("prompt");
        let mut form = Form::default();
        form.push(many.as_bytes());
        assert!(form.held.is_empty(), "{} bytes", form.held.len());
        assert_eq!(form.finish(), br#"{"model":"m","n":null}"#);
        assert_eq!(read(&[&FORM[..70]]), r#"{"model":"whisper-1"}"#);
        assert_eq!(read(&[b"--x\r\n\r\n\r\nno name\r\n--x--"]), "{}");
    }
}
