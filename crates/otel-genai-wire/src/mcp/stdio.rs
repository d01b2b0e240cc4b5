//! The Model Context Protocol over standard input and output: a message a line, both ways at once.

mod line;
mod message;

use std::collections::VecDeque;

use otel_genai::{Failure, McpCall, McpMethodName, McpSide};
use serde_json::{Map, Value};

use self::line::Line;
use self::message::{Heard, Id, Sent};
use super::answer::Reply;
use crate::options::Options;

/// Requests that wait for an answer at once. Beyond it the oldest is given up.
const MAX_OPEN: usize = 4096;

/// The conversation of one client with one server over standard input and output.
///
/// Bytes of both directions go in as they pass, in pieces of any size; what goes out is which calls begin and end. Pure:
/// no clock and no I/O, and memory is bounded by [`Options::limit`] for each direction.
///
/// ```
/// use otel_genai::McpSide;
/// use otel_genai_wire::{McpPipe, McpTold, Options};
///
/// let mut pipe = McpPipe::new(McpSide::Server, Options::new(true));
/// let mut told = pipe.push(McpSide::Client, b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",");
/// told.extend(pipe.push(McpSide::Client, b"\"params\":{\"name\":\"track\",\"arguments\":{\"order\":17}}}\n"));
/// let Some(McpTold::Begun { call, mut op, .. }) = told.pop() else { unreachable!() };
/// assert_eq!(op.tool_name.as_deref(), Some("track"));
///
/// let mut told = pipe.push(McpSide::Server, b"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[]}}\n");
/// let Some(McpTold::Ended { call: ended, answer }) = told.pop() else { unreachable!() };
/// assert_eq!(ended, call);
/// assert_eq!(answer.finish(&mut op), None);
/// assert!(op.result.is_some());
/// ```
#[derive(Debug)]
pub struct McpPipe {
    side: McpSide,
    options: Options,
    client: Direction,
    server: Direction,
    open: VecDeque<Open>,
    next: u64,
    protocol_version: Option<String>,
}

/// What one of the two sends.
#[derive(Debug)]
struct Direction {
    line: Line,
    /// Whether it will send no more.
    closed: bool,
    /// Whether bytes of it are missing.
    lost: bool,
    strange: u64,
}

/// A request that waits for its answer.
#[derive(Debug)]
struct Open {
    call: u64,
    from: McpSide,
    id: Id,
    method: McpMethodName,
    progress_token: Option<Id>,
}

/// What of a conversation is to be told.
#[derive(Debug)]
#[non_exhaustive]
pub enum McpTold {
    /// A request or notification was sent.
    Begun {
        /// Names the call until it ends; never given twice.
        call: u64,
        /// What is known of it. Its side is the client's where whoever tells has sent it.
        op: Box<McpCall>,
        /// The trace that the sender has put into `params._meta`, in an object of the shape of `params`, as
        /// [`otel_genai::mcp::extract`] takes it. Empty if there is none.
        trace: Map<String, Value>,
        /// The call that this one belongs to, as far as the protocol says so: the request that progresses or is cancelled;
        /// or, of what a server asks for and logs, the client's request that it works on, if there is only one.
        within: Option<u64>,
    },
    /// The call is over. Of notifications this comes right after they begin.
    Ended {
        /// Which.
        call: u64,
        /// How it ended.
        answer: McpAnswer,
    },
}

/// How a call ended.
#[derive(Debug)]
pub struct McpAnswer(Ending);

#[derive(Debug)]
enum Ending {
    Reply(Box<Reply>),
    Failed(Failure),
    Unknown,
}

impl McpAnswer {
    /// Fills in what was learned, and returns the failure that ended the call, if one did.
    #[must_use = "this is the call's failure"]
    pub fn finish(self, op: &mut McpCall) -> Option<Failure> {
        match self.0 {
            Ending::Reply(reply) => reply.fill(op),
            Ending::Failed(failure) => Some(failure),
            Ending::Unknown => None,
        }
    }
}

impl McpPipe {
    /// A conversation of which nothing has passed yet, as this side tells of it.
    #[must_use]
    pub fn new(side: McpSide, options: Options) -> Self {
        let direction = || Direction { line: Line::new(options), closed: false, lost: false, strange: 0 };
        McpPipe {
            side,
            options,
            client: direction(),
            server: direction(),
            open: VecDeque::new(),
            next: 0,
            protocol_version: None,
        }
    }

    /// The next bytes that `from` has sent.
    #[must_use = "this is what is to be told"]
    pub fn push(&mut self, from: McpSide, bytes: &[u8]) -> Vec<McpTold> {
        let mut told = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let (line, after) = self.direction(from).line.push(rest);
            rest = after;
            if let Some(line) = line {
                self.line(from, line, &mut told);
            }
        }
        told
    }

    /// Bytes of this direction are missing here: reading goes on with the next line.
    pub fn lose(&mut self, from: McpSide) {
        let direction = self.direction(from);
        direction.line.tear();
        direction.lost = true;
    }

    /// `from` sends no more. Once the server has closed, nothing is open any more.
    #[must_use = "this is what is to be told"]
    pub fn close(&mut self, from: McpSide) -> Vec<McpTold> {
        let mut told = Vec::new();
        if let Some(line) = self.direction(from).line.finish() {
            self.line(from, line, &mut told);
        }
        self.direction(from).closed = true;
        let lost = self.direction(from).lost;
        let other_closed = self.direction(other(from)).closed;
        let open = std::mem::take(&mut self.open);
        for open in open {
            // A client that has sent everything may still read answers.
            if open.from == from && from == McpSide::Client {
                self.open.push_back(open);
                continue;
            }
            let ending = if open.from == from || other_closed {
                let message = "whoever asked ended before the answer came";
                Ending::Failed(Failure::new(Failure::CANCELLED).message(message))
            } else if lost {
                // The answer may be in what is missing: a guess must not turn a good call into an error.
                Ending::Unknown
            } else {
                let gone = if from == McpSide::Server { "server" } else { "client" };
                let message = format!("the {gone} ended before it answered");
                Ending::Failed(Failure::new("connection_closed").message(message))
            };
            told.push(McpTold::Ended { call: open.call, answer: McpAnswer(ending) });
        }
        told
    }

    /// The version of the protocol: what was agreed on, or what requests said last.
    #[must_use]
    pub fn protocol_version(&self) -> Option<&str> {
        self.protocol_version.as_deref()
    }

    /// How many lines of this direction were no message: standard output that holds something else breaks clients.
    #[must_use]
    pub fn strange_lines(&self, from: McpSide) -> u64 {
        match from {
            McpSide::Client => self.client.strange,
            McpSide::Server => self.server.strange,
        }
    }

    fn direction(&mut self, from: McpSide) -> &mut Direction {
        match from {
            McpSide::Client => &mut self.client,
            McpSide::Server => &mut self.server,
        }
    }

    fn line(&mut self, from: McpSide, line: crate::body::Body, told: &mut Vec<McpTold>) {
        let heard = message::read(line);
        if heard.is_empty() {
            self.direction(from).strange += 1;
        }
        for heard in heard {
            match heard {
                Heard::Sent(sent) => self.sent(from, *sent, told),
                Heard::Answer(answer) => self.answered(from, &answer, told),
            }
        }
    }

    fn sent(&mut self, from: McpSide, sent: Sent, told: &mut Vec<McpTold>) {
        let Sent { mut op, id, trace, progress_token, about } = sent;
        op.side = if from == self.side { McpSide::Client } else { McpSide::Server };
        if op.method != McpMethodName::Initialize {
            match &op.protocol_version {
                Some(said) => self.protocol_version = Some(said.clone()),
                None => op.protocol_version.clone_from(&self.protocol_version),
            }
        }
        let within = self.within(from, &op.method, about.as_ref());
        let (call, method) = (self.next, op.method.clone());
        self.next += 1;
        told.push(McpTold::Begun { call, op: Box::new(op), trace, within });
        match id {
            Some(id) => self.open.push_back(Open { call, from, id, method, progress_token }),
            None => {
                told.push(McpTold::Ended { call, answer: McpAnswer(Ending::Unknown) });
                if method == McpMethodName::NotificationsCancelled
                    && let Some(at) = self.open.iter().position(|open| Some(open.call) == within)
                {
                    let failure =
                        Failure::new(Failure::CANCELLED).message("whoever asked has cancelled the request");
                    self.end(at, Ending::Failed(failure), told);
                }
            }
        }
        if self.open.len() > MAX_OPEN {
            let message = format!("more than {MAX_OPEN} requests wait for an answer: this one was given up");
            self.end(0, Ending::Failed(Failure::new(Failure::OTHER).message(message)), told);
        }
    }

    /// The call that a message belongs to.
    fn within(&self, from: McpSide, method: &McpMethodName, about: Option<&Id>) -> Option<u64> {
        let of = |side: McpSide| self.open.iter().filter(move |open| open.from == side);
        match method {
            // Whoever has asked cancels.
            McpMethodName::NotificationsCancelled => {
                about.and_then(|id| find(&of(from), |open| Some(&open.id), id)).map(|open| open.call)
            }
            McpMethodName::NotificationsProgress => about
                .and_then(|token| find(&of(other(from)), |open| open.progress_token.as_ref(), token))
                .map(|open| open.call),
            McpMethodName::SamplingCreateMessage
            | McpMethodName::ElicitationCreate
            | McpMethodName::RootsList
            | McpMethodName::NotificationsMessage
                if from == McpSide::Server =>
            {
                let mut asked = of(McpSide::Client);
                asked.next().filter(|_| asked.next().is_none()).map(|open| open.call)
            }
            _ => None,
        }
    }

    fn answered(&mut self, from: McpSide, answer: &message::Answer, told: &mut Vec<McpTold>) {
        let Some(id) = &answer.id else { return };
        let asked = self.open.iter().filter(|open| open.from != from);
        let Some(call) = find(&asked, |open| Some(&open.id), id).map(|open| open.call) else { return };
        let Some(at) = self.open.iter().position(|open| open.call == call) else { return };
        let Some(open) = self.open.get(at) else { return };
        let reply = answer.reply(open.method.clone(), self.options);
        if let Some(version) = reply.agreed_version() {
            self.protocol_version = Some(version.to_owned());
        }
        self.end(at, Ending::Reply(Box::new(reply)), told);
    }

    fn end(&mut self, at: usize, ending: Ending, told: &mut Vec<McpTold>) {
        if let Some(open) = self.open.remove(at) {
            told.push(McpTold::Ended { call: open.call, answer: McpAnswer(ending) });
        }
    }
}

/// The oldest with this id. Some answer `"1"` to `1`, so that kind counts only where it has to.
fn find<'a>(
    open: &(impl Iterator<Item = &'a Open> + Clone),
    id_of: impl Fn(&'a Open) -> Option<&'a Id>,
    id: &Id,
) -> Option<&'a Open> {
    let exactly = open.clone().find(|open| id_of(open) == Some(id));
    let nearly = |known: &Id| known.text() == id.text();
    exactly.or_else(|| open.clone().find(|open| id_of(open).is_some_and(nearly)))
}

fn other(side: McpSide) -> McpSide {
    match side {
        McpSide::Client => McpSide::Server,
        McpSide::Server => McpSide::Client,
    }
}
