//! Sessions: calls that share one connection, which is a WebSocket.

use std::fmt;
use std::time::Instant;

use http::HeaderMap;
use otel_genai::{Failure, Inference};

use crate::body::Body;
use crate::detect::Route;
use crate::options::Options;
use crate::scan::{End, Want};
use crate::websocket::{Packing, Piece, WebSocket, packing};

/// Reads a session from the bytes that pass on its connection once it is a WebSocket, in each direction in pieces of any
/// size, and tells its calls as they come and go. Several may be under way at once.
#[derive(Debug)]
pub struct SessionReader {
    dialogue: Box<dyn Dialogue>,
    client: Line,
    server: Line,
    options: Options,
    /// Whether the client was the first to close the connection.
    client_left: bool,
    notes: Notes,
}

/// What happens in a session.
#[derive(Debug)]
#[non_exhaustive]
pub enum SessionEvent {
    /// A call is under way.
    Began {
        /// Which one: no other call of the session has this number.
        call: u64,
        /// When it was asked for.
        at: Instant,
        /// Who is asked for what; without content.
        operation: Box<Inference>,
    },
    /// A chunk of an answer has come.
    Chunk {
        /// Of which call.
        call: u64,
    },
    /// A call is over.
    Ended {
        /// Which one.
        call: u64,
        /// All that was learned of it.
        answer: SessionAnswer,
    },
}

/// All that was learned of a call in a session.
pub struct SessionAnswer {
    answer: Box<dyn Answered>,
    note: Option<String>,
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SessionEnd {
    /// The provider closed the connection.
    ServerClosed,
    /// The client left.
    ClientLeft,
    /// The connection failed.
    Failed(Failure),
    /// Bytes were lost, so that nobody knows how it went on.
    Lost,
}

/// Who says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

/// What a session tells of, in some protocol. Its memory is bounded, whatever comes.
pub(crate) trait Dialogue: fmt::Debug + Send {
    /// What is picked out of a message whose content is not wanted, or that is too long.
    fn want(&self, side: Side) -> &'static Want;

    /// Takes a message. Only one that is no JSON is an error; of such a one nothing is taken, and it will be asked again
    /// with a readable one.
    fn message(
        &mut self,
        side: Side,
        document: &[u8],
        at: Instant,
        tell: &mut dyn FnMut(Told),
    ) -> Result<(), serde_json::Error>;

    /// The session is over. `failure`: why the calls that are under way do not end well.
    fn end(&mut self, at: Instant, failure: Option<Failure>, tell: &mut dyn FnMut(Told));
}

/// A [`SessionEvent`] as a dialogue tells it.
pub(crate) enum Told {
    Began { call: u64, at: Instant, operation: Box<Inference> },
    Chunk { call: u64 },
    Ended { call: u64, answer: Box<dyn Answered> },
}

/// A call that is over.
pub(crate) trait Answered: fmt::Debug + Send {
    /// Whether content was left out because there was no more room.
    fn is_cut(&self) -> bool;

    /// Writes all that was told into the operation, and tells the failure.
    fn fill(self: Box<Self>, operation: &mut Inference) -> Option<Failure>;
}

/// One direction.
#[derive(Debug)]
struct Line {
    socket: WebSocket,
    message: Option<Body>,
}

/// What could not be read.
#[derive(Debug, Default)]
struct Notes {
    skipped: u32,
    cut: u32,
    broken: Option<&'static str>,
}

impl SessionReader {
    /// A reader of the session that goes this way. `answer`: the head of the answer that made the connection a WebSocket.
    ///
    /// `None`: what goes this way is no session, or both sides agreed on something that cannot be read.
    #[must_use]
    pub fn new(route: &Route, answer: &HeaderMap, options: Options) -> Option<Self> {
        let dialogue = route.protocol.dialect().session(route, options)?;
        let (client, server) = packing(answer)?;
        let (client, server) = (Line::new(client), Line::new(server));
        Some(SessionReader { dialogue, client, server, options, client_left: false, notes: Notes::default() })
    }

    /// The next bytes that the client sends, and when they passed.
    pub fn client(&mut self, bytes: &[u8], at: Instant, tell: impl FnMut(SessionEvent)) {
        self.push(Side::Client, bytes, at, tell);
    }

    /// The next bytes that the provider sends, and when they passed.
    pub fn server(&mut self, bytes: &[u8], at: Instant, tell: impl FnMut(SessionEvent)) {
        self.push(Side::Server, bytes, at, tell);
    }

    /// The client sends nothing more.
    pub fn client_closed(&mut self) {
        self.client_left = true;
    }

    /// The connection is over: so are the calls that were under way.
    ///
    /// Of a failed connection the first word counts: where the client had said that it closes, it left.
    pub fn finish(mut self, end: SessionEnd, at: Instant, mut tell: impl FnMut(SessionEvent)) {
        let failure = match end {
            SessionEnd::Lost => None,
            _ if self.client_left => Some(Failure::cancelled()),
            SessionEnd::ClientLeft => Some(Failure::cancelled()),
            SessionEnd::Failed(failure) => Some(failure),
            SessionEnd::ServerClosed => Some(
                Failure::new("connection_closed")
                    .message("the connection was closed before the answer was complete"),
            ),
        };
        // Of what was not read nobody knows how it ended.
        let failure = failure.filter(|_| self.notes.broken.is_none());
        let notes = &self.notes;
        self.dialogue.end(at, failure, &mut |told| tell(notes.event(told)));
    }

    /// Whether the reader still reads.
    #[must_use]
    pub fn is_reading(&self) -> bool {
        self.notes.broken.is_none()
    }

    fn push(&mut self, side: Side, bytes: &[u8], at: Instant, mut tell: impl FnMut(SessionEvent)) {
        if !self.is_reading() {
            return;
        }
        let SessionReader { dialogue, options, notes, client_left, .. } = self;
        let Line { socket, message } = match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        };
        socket.push(bytes, |piece| match piece {
            Piece::Text(text) => {
                let begin = || match options.content {
                    true => Body::held(dialogue.want(side), options.limit),
                    false => Body::scanned(dialogue.want(side)),
                };
                message.get_or_insert_with(begin).push(text);
            }
            Piece::End => {
                let Some(message) = message.take() else { return };
                notes.cut += u32::from(message.is_cut());
                let mut told = Vec::new();
                let ((), end) = message.read(|document| {
                    told.clear();
                    dialogue.message(side, document, at, &mut |event| told.push(event))
                });
                notes.skipped += u32::from(end != End::Whole);
                told.into_iter().for_each(|event| tell(notes.event(event)));
            }
            Piece::Close => *client_left |= side == Side::Client,
        });
        notes.broken = socket.broken();
    }
}

impl Line {
    fn new(packing: Packing) -> Self {
        Line { socket: WebSocket::new(packing), message: None }
    }
}

impl Notes {
    fn event(&self, told: Told) -> SessionEvent {
        match told {
            Told::Began { call, at, operation } => SessionEvent::Began { call, at, operation },
            Told::Chunk { call } => SessionEvent::Chunk { call },
            Told::Ended { call, answer } => {
                let note = self.say(answer.is_cut());
                SessionEvent::Ended { call, answer: SessionAnswer { answer, note } }
            }
        }
    }

    /// For people: what of the session so far is not told.
    fn say(&self, is_cut: bool) -> Option<String> {
        let skipped = match self.skipped {
            0 => None,
            1 => Some("one message of the session could not be read and was left out".to_owned()),
            many => Some(format!("{many} messages of the session could not be read and were left out")),
        };
        let broken = self.broken.map(|why| format!("the session was read no further: {why}"));
        let cut =
            (is_cut || self.cut > 0).then(|| "what was said is too long: content was left out".to_owned());
        let notes: Vec<String> = [skipped, broken, cut].into_iter().flatten().collect();
        (!notes.is_empty()).then(|| notes.join("; "))
    }
}

impl SessionAnswer {
    /// What of the call is not told, for people; `None` if all that was wanted is.
    #[must_use]
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// Writes all that was learned into the operation. `Some`: the provider failed, or the connection did before the
    /// answer was complete.
    #[must_use]
    pub fn finish(self, operation: &mut Inference) -> Option<Failure> {
        self.answer.fill(operation)
    }
}

impl fmt::Debug for SessionAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionAnswer").field("note", &self.note).finish_non_exhaustive()
    }
}
