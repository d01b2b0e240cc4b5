//! The response of a call, read from its status, headers and body.

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use otel_genai::Failure;

use crate::body::Body;
use crate::call::Call;
use crate::detect::{Protocol, Route};
use crate::json;
use crate::openai::{self, AnswerForm, Chat, Taken};
use crate::options::Options;
use crate::scan::End;
use crate::sse::{self, Event};

/// What some bytes of a response brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// How many chunks of the provider's answer these bytes completed. Neither the terminal marker nor an error event
    /// is one.
    pub chunks: u32,
    /// Whether the terminal event of the stream has been seen, now or before: the call is over, although the
    /// connection may stay open.
    pub ended: bool,
}

/// Reads the body of a response as it comes.
#[derive(Debug)]
pub struct ResponseReader {
    reading: Reading,
}

#[derive(Debug)]
enum Reading {
    /// An error status: the beginning of the body.
    Error {
        status: u16,
        body: Vec<u8>,
    },
    /// A chat answer of which nothing has come yet that would tell its form.
    Unknown {
        chat: Chat,
        body: Body,
        is_stream: bool,
        limit: usize,
        /// How many choices were asked for.
        wanted: usize,
    },
    Whole {
        chat: Chat,
        body: Body,
    },
    Stream(Box<Stream>),
    Embeddings {
        body: Body,
    },
    /// Neither an answer nor an error: a redirection.
    Nothing,
}

#[derive(Debug)]
struct Stream {
    chat: Chat,
    events: sse::Reader,
    told: Told,
    wanted: usize,
}

/// What a stream has told apart from the answer.
#[derive(Debug, Default)]
struct Told {
    ended: bool,
    skipped: u32,
    /// Whether an event was too long to be read, of which nobody knows what it was.
    lost: bool,
}

/// So much of an error body is held, in bytes.
const MAX_ERROR: usize = 64 << 10;
/// An event may be so long whatever the limit is: usage and errors come in events, too.
const MIN_EVENT: usize = 64 << 10;

impl ResponseReader {
    /// A reader of the response to `request`. The status and the content type decide how the body is read.
    #[must_use]
    pub fn new(route: &Route, status: u16, headers: &HeaderMap, request: &Call, options: Options) -> Self {
        let reading = match (status, route.protocol) {
            (400.., _) => Reading::Error { status, body: Vec::new() },
            (200..300, Protocol::OpenAiChat) => Reading::Unknown {
                chat: Chat::new(options),
                body: match options.content {
                    true => Body::held(&openai::CHAT_ANSWER, options.limit),
                    false => Body::scanned(&openai::CHAT_ANSWER),
                },
                is_stream: match Form::of(headers) {
                    Form::Events => true,
                    Form::Json => false,
                    Form::Other => request.is_stream(),
                },
                limit: options.limit.max(MIN_EVENT),
                wanted: match request {
                    Call::Inference(op) => op.request.choice_count.map_or(1, choice_count),
                    Call::Embeddings(_) => 1,
                },
            },
            (200..300, Protocol::OpenAiEmbeddings) => {
                Reading::Embeddings { body: Body::scanned(&openai::EMBEDDINGS_ANSWER) }
            }
            _ => Reading::Nothing,
        };
        ResponseReader { reading }
    }

    /// The next bytes of the body (decompressed), in pieces of any size.
    pub fn push(&mut self, bytes: &[u8]) -> Progress {
        let bytes = match self.reading {
            Reading::Unknown { .. } => self.recognise(bytes),
            _ => bytes,
        };
        match &mut self.reading {
            Reading::Error { body, .. } => {
                let room = MAX_ERROR.saturating_sub(body.len());
                body.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
            }
            Reading::Whole { body, .. } | Reading::Embeddings { body } => body.push(bytes),
            Reading::Stream(stream) => return stream.push(bytes),
            Reading::Unknown { .. } | Reading::Nothing => {}
        }
        Progress::default()
    }

    /// The model that answers, as soon as a stream has named it.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        match &self.reading {
            Reading::Stream(stream) => stream.chat.model.as_deref(),
            _ => None,
        }
    }

    /// How many events of the stream could not be read: no JSON, or too long. They are missing in what is told.
    #[must_use]
    pub fn skipped(&self) -> u32 {
        match &self.reading {
            Reading::Stream(stream) => stream.told.skipped,
            _ => 0,
        }
    }

    /// Whether a stream has said all that was asked of it, although its terminal event has not come: every choice has
    /// ended, and there are as many as the request wants. Whoever stops reading now has the whole answer.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        match &self.reading {
            Reading::Stream(stream) => stream.told.ended || stream.chat.choices.are_finished(stream.wanted),
            _ => false,
        }
    }

    /// The body has come to its end: writes all that was learned into the call.
    ///
    /// `Some`: the provider failed. It said so by an error status, an error object in place of an answer or an error
    /// event within a stream; or its answer is none (`malformed_response`) or stops half-way (`truncated_response`).
    #[must_use]
    pub fn finish(self, call: &mut Call) -> Option<Failure> {
        self.read(call, true)
    }

    /// The same for a body that broke off, or that is known in part only. That it stops half-way is not a failure of the
    /// provider then: whoever owns the connection knows why it stopped.
    #[must_use]
    pub fn abandon(self, call: &mut Call) -> Option<Failure> {
        self.read(call, false)
    }

    fn read(self, call: &mut Call, is_over: bool) -> Option<Failure> {
        match (self.reading, call) {
            (Reading::Error { status, body }, _) => Some(openai::error_of_body(status, &body)),
            (Reading::Unknown { is_stream, .. }, _) if is_over => Some(match is_stream {
                true => truncated("the provider's stream ended before its first chunk"),
                false => malformed("the provider's answer is empty"),
            }),
            (Reading::Whole { mut chat, body }, Call::Inference(op)) => {
                let (_, end) = body.read(|body| chat.take(body, AnswerForm::Whole));
                let has_choices = chat.has_choices;
                chat.finish(op).or_else(|| unfit(end, has_choices, "choices", is_over))
            }
            (Reading::Stream(stream), Call::Inference(op)) => {
                let (chat, told) = stream.finish();
                let cut = if is_over { told.cut(&chat) } else { None };
                chat.finish(op).or(cut)
            }
            (Reading::Embeddings { body }, Call::Embeddings(op)) => {
                let is_empty = body.is_empty();
                let (answered, end) = body.read(|body| openai::read_embeddings_answer(body, op));
                answered.failure.or_else(|| match is_empty {
                    true => is_over.then(|| malformed("the provider's answer is empty")),
                    false => unfit(end, answered.has_data, "data", is_over),
                })
            }
            _ => None,
        }
    }

    /// The first byte tells a document from a stream, where the content type says otherwise or nothing. Returns the
    /// bytes from there on.
    fn recognise<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let says_nothing = |byte: &u8| byte.is_ascii_whitespace() || json::BOM.contains(byte);
        let start = bytes.iter().take_while(|byte| says_nothing(byte)).count();
        let bytes = bytes.get(start..).unwrap_or_default();
        let Some(first) = bytes.first() else { return bytes };
        self.reading = match std::mem::replace(&mut self.reading, Reading::Nothing) {
            Reading::Unknown { chat, is_stream: true, limit, wanted, .. }
                // A page for browsers is no stream either.
                if !matches!(first, b'{' | b'[' | b'<') =>
            {
                let events = sse::Reader::new(limit);
                Reading::Stream(Box::new(Stream { chat, events, told: Told::default(), wanted }))
            }
            Reading::Unknown { chat, body, .. } => Reading::Whole { chat, body },
            other => other,
        };
        bytes
    }
}

/// What the content type says of a body.
enum Form {
    Events,
    Json,
    Other,
}

impl Form {
    fn of(headers: &HeaderMap) -> Form {
        let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "text/event-stream" => Form::Events,
            essence if essence.ends_with("/json") || essence.ends_with("+json") => Form::Json,
            _ => Form::Other,
        }
    }
}

impl Stream {
    fn push(&mut self, bytes: &[u8]) -> Progress {
        let Stream { chat, events, told, .. } = self;
        let mut chunks = 0;
        events.push(bytes, |event| chunks += told.take(event, chat));
        Progress { chunks, ended: self.told.ended }
    }

    fn finish(self) -> (Chat, Told) {
        let Stream { mut chat, events, mut told, .. } = self;
        events.finish(|event| {
            told.take(event, &mut chat);
        });
        (chat, told)
    }
}

impl Told {
    /// What is wrong with a stream that ended so. Some servers forget the terminal event, so it need not be there if
    /// all has been said; and what was lost may have said it.
    fn cut(&self, chat: &Chat) -> Option<Failure> {
        let said_all = self.ended || self.lost || chat.choices.are_finished(1);
        (!said_all).then(|| truncated("the provider's stream ended before its answer did"))
    }

    /// How many chunks the event is.
    fn take(&mut self, event: Event<'_>, chat: &mut Chat) -> u32 {
        if self.ended {
            return 0;
        }
        let (name, data) = match event {
            Event::Data { name, data } => (name, data),
            Event::TooLong => {
                self.lost = true;
                self.skipped += 1;
                return 0;
            }
        };
        if data.trim_ascii() == b"[DONE]" {
            self.ended = true;
            return 0;
        }
        if name == Some(b"error") {
            chat.take_error(data);
            self.ended = true;
            return 0;
        }
        let taken = chat
            .take(data, AnswerForm::Chunk)
            .ok()
            .or_else(|| chat.take(&json::repair(data)?, AnswerForm::Chunk).ok());
        match taken {
            Some(Taken::Answer) => 1,
            Some(Taken::Error) => {
                self.ended = true;
                0
            }
            None => {
                self.skipped += 1;
                0
            }
        }
    }
}

/// What is wrong with a document that has no word of an error. `is_answer`: it has the key that makes it an answer.
fn unfit(end: End, is_answer: bool, key: &str, is_over: bool) -> Option<Failure> {
    match end {
        End::Broken => Some(malformed("the provider's answer is not JSON")),
        End::Cut => is_over.then(|| truncated("the provider's answer stops half-way")),
        End::Whole if is_answer => None,
        End::Whole => Some(malformed(&format!("the provider's answer has neither `{key}` nor `error`"))),
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

/// How many choices a request wants that says this.
fn choice_count(n: i64) -> usize {
    usize::try_from(n).unwrap_or(1)
}
