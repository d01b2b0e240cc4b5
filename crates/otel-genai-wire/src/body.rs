//! A JSON body: held as far as the bound allows, scanned beyond it.

use crate::json;
use crate::scan::{End, Scan, Want};

/// The body of a request or of a whole response.
#[derive(Debug)]
pub(crate) struct Body {
    want: &'static Want,
    limit: usize,
    is_to_be_held: bool,
    held: Held,
}

#[derive(Debug)]
enum Held {
    Bytes(Vec<u8>),
    Scan(Box<Scan>),
}

impl Body {
    /// A body that is held up to `limit`. Of a longer one only what is wanted is kept.
    pub(crate) fn held(want: &'static Want, limit: usize) -> Self {
        Body { want, limit, is_to_be_held: true, held: Held::Bytes(Vec::new()) }
    }

    /// A body of which only what is wanted is kept.
    pub(crate) fn scanned(want: &'static Want) -> Self {
        Body { want, limit: 0, is_to_be_held: false, held: Held::Scan(Box::new(Scan::new(want))) }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        match &mut self.held {
            Held::Bytes(held) if held.len() + bytes.len() <= self.limit => held.extend_from_slice(bytes),
            Held::Bytes(_) => {
                self.reduce();
                self.push(bytes);
            }
            Held::Scan(scan) => scan.push(bytes),
        }
    }

    /// Keeps only what is wanted of what has come and of what comes.
    pub(crate) fn reduce(&mut self) {
        if let Held::Bytes(held) = &self.held {
            let mut scan = Box::new(Scan::new(self.want));
            scan.push(held);
            self.held = Held::Scan(scan);
        }
    }

    /// Whether any of these occurs in what is held.
    pub(crate) fn has_any(&self, needles: &[&[u8]]) -> bool {
        match &self.held {
            Held::Bytes(held) => needles.iter().any(|needle| memchr::memmem::find(held, needle).is_some()),
            Held::Scan(_) => false,
        }
    }

    /// Whether the body was to be held and turned out too long.
    pub(crate) fn is_cut(&self) -> bool {
        self.is_to_be_held && matches!(self.held, Held::Scan(_))
    }

    /// Reads the body: as it is, else repaired, else what can be picked out of it. The default where nothing can.
    pub(crate) fn read<R: Default>(
        self,
        mut read: impl FnMut(&[u8]) -> Result<R, serde_json::Error>,
    ) -> (R, End) {
        let (reduced, end) = match self.held {
            Held::Scan(scan) => scan.finish(),
            Held::Bytes(held) => {
                if let Ok(result) = read(&held) {
                    let is_document = matches!(json::first(&held), Some(b'{' | b'[' | 0xEF));
                    return (result, if is_document { End::Whole } else { End::Broken });
                }
                let repaired = json::repair(&held);
                if let Some(Ok(result)) = repaired.as_deref().map(&mut read) {
                    return (result, End::Whole);
                }
                let mut scan = Scan::new(self.want);
                scan.push(repaired.as_deref().unwrap_or(&held));
                scan.finish()
            }
        };
        (read(&reduced).unwrap_or_default(), end)
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::json::object;

    const WANT: Want = Want::Fields(&[("model", Want::Keep(32))]);

    object! {
        struct Sample<'a> {
            "model" => model: Option<Cow<'a, str>>,
            "messages" => messages: Vec<Option<Cow<'a, str>>>,
        }
    }

    fn read(mut body: Body, pieces: &[&[u8]]) -> (Option<String>, usize, End) {
        for piece in pieces {
            body.push(piece);
        }
        let ((model, messages), end) = body.read(|bytes| {
            let sample = json::read::<Sample<'_>>(bytes)?;
            Ok((sample.model.map(Cow::into_owned), sample.messages.len()))
        });
        (model, messages, end)
    }

    #[test]
    fn a_body_beyond_the_bound_keeps_what_is_wanted() {
        let pieces: [&[u8]; 2] = [br#"{"messages":["a","b"],"#, br#""model":"m"}"#];
        assert_eq!(read(Body::held(&WANT, 100), &pieces), (Some("m".into()), 2, End::Whole));
        assert_eq!(read(Body::held(&WANT, 25), &pieces), (Some("m".into()), 0, End::Whole));
        assert_eq!(read(Body::scanned(&WANT), &pieces), (Some("m".into()), 0, End::Whole));
    }

    #[test]
    fn a_body_that_cannot_be_read_gives_what_can() {
        let held = || Body::held(&WANT, 1000);
        assert_eq!(read(held(), &[br#"{"model":"m","messages":["a"#]), (Some("m".into()), 0, End::Cut));
        assert_eq!(
            read(held(), &[b"{\"model\":\"m\",\"messages\":[\"\xff\"]}"]),
            (Some("m".into()), 1, End::Whole)
        );
        let deep = format!(r#"{{"model":"m","messages":{}"#, "[".repeat(100_000));
        assert_eq!(read(held(), &[deep.as_bytes()]), (Some("m".into()), 0, End::Cut));
        assert_eq!(read(held(), &[b"OK"]), (None, 0, End::Broken));
        assert_eq!(read(held(), &[b"7"]), (None, 0, End::Broken));
        assert_eq!(read(held(), &[]), (None, 0, End::Cut));
    }
}
