//! The response of a call, read from its status, headers and body.

use http::HeaderMap;
use otel_genai::Failure;

use crate::body::Body;
use crate::call::{Call, CallMut};
use crate::detect::Route;
use crate::error;
use crate::framing::{Event, Frames, Framing, Media};
use crate::json;
use crate::options::Options;
use crate::protocol::{Answer, Asked, Dialect, Step};
use crate::scan::End;

/// What some bytes of a response brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// How many chunks of the provider's answer these bytes completed. Neither the terminal marker nor an error event
    /// is one, nor is a sign of life.
    pub chunks: u32,
    /// Whether the terminal event of the stream has been seen, now or before: the call is over, although the
    /// connection may stay open.
    pub ended: bool,
}

/// Reads the body of a response as it comes.
#[derive(Debug)]
pub struct ResponseReader {
    dialect: &'static dyn Dialect,
    reading: Reading,
    told: Told,
    options: Options,
}

#[derive(Debug)]
enum Reading {
    /// An error status: the beginning of the body.
    Error {
        status: u16,
        headers: Box<HeaderMap>,
        body: Vec<u8>,
    },
    /// An answer of which nothing has come yet that would tell its form.
    Unknown {
        answer: Box<dyn Answer>,
        framing: Framing,
    },
    Whole {
        answer: Box<dyn Answer>,
        body: Body,
    },
    Stream {
        answer: Box<dyn Answer>,
        frames: Frames,
    },
    /// The answer is data.
    Data {
        answer: Box<dyn Answer>,
    },
    /// Neither an answer nor an error: a redirection. Or all has been read.
    Nothing,
}

/// What was seen of the answer apart from what it says.
#[derive(Debug, Default)]
struct Told {
    ended: bool,
    skipped: u32,
    /// Whether an event was too long to be read, of which nobody knows what it was.
    lost: bool,
    /// The framing was broken.
    broken: Option<&'static str>,
    /// The framing itself told an error.
    failure: Option<Failure>,
    /// Whether content was left out.
    cut: bool,
}

/// So much of an error body is held, in bytes.
const MAX_ERROR: usize = 64 << 10;
/// An event may be so long whatever the limit is: usage and errors come in events, too.
const MIN_EVENT: usize = 64 << 10;

impl ResponseReader {
    /// A reader of the response to `request`. The status and the content type decide how the body is read.
    #[must_use]
    pub fn new(route: &Route, status: u16, headers: &HeaderMap, request: &Call, options: Options) -> Self {
        let dialect = route.protocol.dialect();
        let asked = Asked { route, request, headers, options };
        let reading = match status {
            400.. => Reading::Error { status, headers: Box::new(headers.clone()), body: Vec::new() },
            200..300 => Reading::Unknown {
                answer: dialect.answer(&asked),
                framing: dialect.framing(Media::of(headers), &asked),
            },
            _ => Reading::Nothing,
        };
        ResponseReader { dialect, reading, told: Told::default(), options }
    }

    /// The next bytes of the body (decompressed), in pieces of any size.
    pub fn push(&mut self, bytes: &[u8]) -> Progress {
        let bytes = match self.reading {
            Reading::Unknown { .. } => self.recognise(bytes),
            _ => bytes,
        };
        let mut chunks = 0;
        match &mut self.reading {
            Reading::Error { body, .. } => {
                let room = MAX_ERROR.saturating_sub(body.len());
                body.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
            }
            Reading::Whole { body, .. } => body.push(bytes),
            Reading::Data { answer } => answer.data(bytes),
            Reading::Stream { answer, frames } => {
                let told = &mut self.told;
                frames.push(bytes, |event| chunks += told.take(event, &mut **answer));
            }
            Reading::Unknown { .. } | Reading::Nothing => {}
        }
        Progress { chunks, ended: self.told.ended }
    }

    /// The model that answers, as soon as a stream has named it.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        match &self.reading {
            Reading::Stream { answer, .. } => answer.model(),
            _ => None,
        }
    }

    /// How many events of the stream could not be read: no JSON, or too long. They are missing in what is told.
    #[must_use]
    pub fn skipped(&self) -> u32 {
        self.told.skipped
    }

    /// What of the answer is not told, for people; `None` if all that was wanted is. Complete only after the end.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        let Told { skipped, broken, cut, .. } = &self.told;
        let skipped = match skipped {
            0 => None,
            1 => Some("one event of the stream could not be read and was left out".to_owned()),
            many => Some(format!("{many} events of the stream could not be read and were left out")),
        };
        let broken = broken.map(|why| format!("the stream was read no further: {why}"));
        let cut = cut.then(|| "the answer is too long: content was left out".to_owned());
        let notes: Vec<String> = [skipped, broken, cut].into_iter().flatten().collect();
        (!notes.is_empty()).then(|| notes.join("; "))
    }

    /// Whether a stream has said all that was asked of it, although its terminal event has not come: every choice has
    /// ended, and there are as many as the request wants. Whoever stops reading now has the whole answer.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        match &self.reading {
            Reading::Stream { answer, .. } => self.told.ended || answer.is_complete(),
            _ => false,
        }
    }

    /// The body has come to its end: writes all that was learned into the call.
    ///
    /// `Some`: the provider failed. It said so by an error status, an error object in place of an answer or an error
    /// event within a stream; or its answer is none (`malformed_response`) or stops half-way (`truncated_response`).
    #[must_use]
    pub fn finish<'a>(&mut self, call: impl Into<CallMut<'a>>) -> Option<Failure> {
        self.read(call.into(), true)
    }

    /// The same for a body that broke off, or that is known in part only. That it stops half-way is not a failure of the
    /// provider then: whoever owns the connection knows why it stopped.
    #[must_use]
    pub fn abandon<'a>(&mut self, call: impl Into<CallMut<'a>>) -> Option<Failure> {
        self.read(call.into(), false)
    }

    fn read(&mut self, call: CallMut<'_>, is_over: bool) -> Option<Failure> {
        match std::mem::replace(&mut self.reading, Reading::Nothing) {
            Reading::Error { status, headers, body } => Some(self.dialect.error(status, &headers, &body)),
            Reading::Unknown { answer, .. } if answer.may_be_empty() => answer.finish(call),
            Reading::Unknown { framing, .. } if is_over => Some(match framing {
                Framing::Whole => malformed("the provider's answer is empty"),
                _ => truncated("the provider's stream ended before its first chunk"),
            }),
            Reading::Whole { mut answer, body } => {
                self.told.cut = body.is_cut();
                let ((), end) = body.read(|document| answer.whole(document));
                let missing = answer.missing();
                answer.finish(call).or_else(|| unfit(end, missing, is_over))
            }
            Reading::Data { answer } => {
                self.told.cut = answer.is_cut();
                answer.finish(call)
            }
            Reading::Stream { mut answer, frames } => {
                let told = &mut self.told;
                frames.finish(|event| {
                    told.take(event, &mut *answer);
                });
                told.cut = answer.is_cut();
                let unfinished = if is_over { told.unfinished(&*answer) } else { None };
                answer.finish(call).or(told.failure.take()).or(unfinished)
            }
            Reading::Unknown { .. } | Reading::Nothing => None,
        }
    }

    /// The first byte tells a document from a stream, where the content type says otherwise or nothing. Returns the
    /// bytes from there on.
    fn recognise<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let Reading::Unknown { framing, .. } = &self.reading else { return bytes };
        let says_nothing = |byte: &u8| byte.is_ascii_whitespace() || json::BOM.contains(byte);
        let start = match framing {
            // Every byte of binary messages and of data matters.
            Framing::EventStream | Framing::Data => 0,
            _ => bytes.iter().take_while(|byte| says_nothing(byte)).count(),
        };
        let bytes = bytes.get(start..).unwrap_or_default();
        let Some(first) = bytes.first() else { return bytes };
        let reading = std::mem::replace(&mut self.reading, Reading::Nothing);
        let Reading::Unknown { answer, framing } = reading else { return bytes };
        if framing == Framing::Data {
            self.reading = Reading::Data { answer };
            return bytes;
        }
        let limit = self.options.limit.max(MIN_EVENT);
        self.reading = match Frames::new(framing.seen(*first), limit) {
            Some(frames) => Reading::Stream { answer, frames },
            None => {
                let body = match answer.has_content() {
                    true => Body::held(answer.want(), self.options.limit),
                    false => Body::scanned(answer.want()),
                };
                Reading::Whole { answer, body }
            }
        };
        bytes
    }
}

impl Told {
    /// What is wrong with a stream that ended so. Some servers forget the terminal event, so it need not be there if
    /// all has been said; and what was lost may have said it.
    fn unfinished(&self, answer: &dyn Answer) -> Option<Failure> {
        if self.ended || self.lost || answer.may_end() {
            return None;
        }
        Some(match self.broken {
            Some(why) => malformed(why),
            None => truncated("the provider's stream ended before its answer did"),
        })
    }

    /// How many chunks the event is.
    fn take(&mut self, event: Event<'_>, answer: &mut dyn Answer) -> u32 {
        if self.ended {
            return 0;
        }
        let (name, data) = match event {
            Event::Data { name, data } => (name, data),
            Event::Error { kind, data } => {
                let mut failure = error::of_event(data);
                failure.error_type = String::from_utf8_lossy(kind).into_owned().into();
                self.failure = Some(failure);
                self.ended = true;
                return 0;
            }
            Event::TooLong => {
                self.lost = true;
                self.skipped += 1;
                return 0;
            }
            Event::Broken(why) => {
                self.broken = Some(why);
                return 0;
            }
        };
        let step = answer.event(name, data).ok().or_else(|| answer.event(name, &json::repair(data)?).ok());
        match step {
            Some(Step::Chunk) => return 1,
            Some(Step::Last) => {
                self.ended = true;
                return 1;
            }
            Some(Step::End) => self.ended = true,
            Some(Step::Aside) => {}
            None => self.skipped += 1,
        }
        0
    }
}

/// What is wrong with a document that has no word of an error. `missing`: the key without which it is no answer.
fn unfit(end: End, missing: Option<&str>, is_over: bool) -> Option<Failure> {
    match end {
        End::Broken => Some(malformed("the provider's answer is not JSON")),
        End::Cut => is_over.then(|| truncated("the provider's answer stops half-way")),
        End::Whole => {
            missing.map(|key| malformed(&format!("the provider's answer has neither `{key}` nor `error`")))
        }
    }
}

/// The answer is none.
fn malformed(message: &str) -> Failure {
    Failure::new("malformed_response").message(message)
}

/// The answer is a part of one.
fn truncated(message: &str) -> Failure {
    Failure::new("truncated_response").message(message)
}
