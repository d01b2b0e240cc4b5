//! Reads the notes of one exchange and writes its telemetry. Runs on the observer's thread.

use std::mem;
use std::time::Instant;

use http::HeaderMap;
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry::{Context, KeyValue};
use otel_genai::{
    Active, Counted, CreateAgent, Embeddings, Failure, FetchResponse, GenAi, Inference, InvokeAgent, McpCall,
    Moment, Operation, Rerank, Retrieval,
};
use otel_genai_wire::{Call, CallMut, Options, Progress, RequestReader, ResponseReader, Route};

use crate::decompress::{self, Decompressor};
use crate::head;
use crate::record::{Batch, Begun, Data, Ending, Note};
use crate::runs::{Ended, Recovery, Scope, Waiting};
use crate::secret::Secrets;
use crate::totals::Counters;

/// What of a call could not be read, for people: an attribute of its span.
pub(crate) const OBSERVATION: &str = "otel_genai.observation";
/// The note of a call of which bytes were lost.
pub(crate) const LOST: &str = "part of the traffic was not read: it came faster than it could be";

/// How far an exchange has come.
pub(crate) struct Reader {
    genai: GenAi,
    limit: usize,
    route: Route,
    scope: Option<Scope>,
    counted: Option<Counted>,
    parent: Context,
    attributes: Vec<KeyValue>,
    began: Moment,
    secrets: Secrets,
    phase: Phase,
}

enum Phase {
    Request(Box<Request>),
    Response(Box<Response>),
    Over,
}

struct Request {
    body: Decompressor<RequestReader>,
    /// Bytes are missing: what follows would be misread.
    torn: bool,
    bytes: usize,
}

struct Response {
    call: Going,
    /// What of the request could not be read.
    note: Option<String>,
    body: Decompressor<Answer>,
    torn: bool,
    /// Whether bytes of the body have come, readable or not.
    any_bytes: bool,
    /// How many have passed, there and back.
    bytes: usize,
}

/// The answer's reader, and what it made of the bytes since it was last asked.
struct Answer {
    reader: ResponseReader,
    progress: Progress,
    /// Whether any of the bytes could be unpacked.
    any_plain: bool,
}

impl decompress::Reader for RequestReader {
    fn push(&mut self, plain: &[u8]) {
        RequestReader::push(self, plain);
    }
}

impl decompress::Reader for Answer {
    fn push(&mut self, plain: &[u8]) {
        self.any_plain |= !plain.is_empty();
        let progress = self.reader.push(plain);
        self.progress.chunks += progress.chunks;
        self.progress.ended |= progress.ended;
    }
}

impl Reader {
    pub(crate) fn new(genai: GenAi, limit: usize, begun: Begun) -> Self {
        let Begun { route, headers, secrets, scope, counted, parent, mut attributes, at } = begun;
        attributes.extend(head::resends(&headers));
        let options = Options::new(genai.captures_content()).tools(scope.is_some()).limit(limit);
        let body = Decompressor::new(&headers, RequestReader::new(&route, options));
        let request = Request { body, torn: false, bytes: 0 };
        let phase = Phase::Request(Box::new(request));
        Reader { genai, limit, route, scope, counted, parent, attributes, began: at, secrets, phase }
    }

    pub(crate) fn read(&mut self, batch: &mut Batch, counters: &Counters, recovery: &mut Recovery) {
        let notes = mem::take(&mut batch.notes);
        for note in notes {
            match note {
                Note::Request(data) => self.request(batch, &data),
                Note::Response { status, headers } => self.response(status, &headers, recovery),
                Note::Frame { at, data } => self.frame(at, batch, &data, counters, recovery),
                Note::End { at, ending } => self.end(at, ending, counters, recovery),
                // Of sessions.
                Note::Sent { .. } | Note::Left => {}
            }
        }
    }

    /// Nothing more is read; a running call ends as it stands.
    pub(crate) fn abandon(&mut self, recovery: &mut Recovery) {
        let Phase::Response(response) = mem::replace(&mut self.phase, Phase::Over) else { return };
        if matches!(response.call, Going::Waiting(_)) {
            let failure = Some(Failure::cancelled());
            self.close(response.call, Instant::now(), failure, response.note, response.bytes, recovery);
        }
    }

    fn request(&mut self, batch: &Batch, data: &Data) {
        let Phase::Request(request) = &mut self.phase else { return };
        match batch.bytes(data).filter(|_| !request.torn) {
            Some(bytes) => {
                request.bytes += bytes.len();
                request.body.push(bytes);
            }
            None => request.torn = true,
        }
    }

    /// The response's head: whatever of the request has come by now is what there is to know of it.
    fn response(&mut self, status: u16, headers: &HeaderMap, recovery: &mut Recovery) {
        let Phase::Request(request) = mem::replace(&mut self.phase, Phase::Over) else { return };
        let (torn, request_bytes) = (request.torn, request.bytes);
        let Some(request) = request.body.finish() else { return };
        let note = if torn { Some(LOST) } else { request.note() };
        let Some(call) = request.finish() else { return };
        let has_tools = match &call {
            Call::Inference(op) => self.scope.is_some() && !op.request.tool_definitions.is_empty(),
            _ => false,
        };
        // The answer's reader may look at the call; the running operation owns it afterwards.
        let options = Options::new(self.genai.captures_content() || has_tools).limit(self.limit);
        let reader = ResponseReader::new(&self.route, status, headers, &call, options);
        if status >= 400 {
            self.attributes.extend(head::failure(headers));
        }
        let Some(call) = self.start(call, recovery) else { return };
        self.phase = Phase::Response(Box::new(Response {
            call,
            note: note.map(str::to_owned),
            body: Decompressor::new(
                headers,
                Answer { reader, progress: Progress::default(), any_plain: false },
            ),
            torn: false,
            any_bytes: false,
            bytes: request_bytes,
        }));
    }

    fn start(&self, call: Call, recovery: &mut Recovery) -> Option<Going> {
        match (call, self.scope) {
            (Call::Inference(op), Some(scope)) => {
                let Some(run) = recovery.join(&self.genai, scope, &op, self.began) else {
                    return self.run_now(Call::Inference(op));
                };
                Some(Going::Waiting(Waiting::new(op, run)))
            }
            (call, _) => self.run_now(call),
        }
    }

    fn run_now(&self, call: Call) -> Option<Going> {
        let running = Running::start(call, self)?;
        if !self.attributes.is_empty() {
            running.context().span().set_attributes(self.attributes.iter().cloned());
        }
        Some(Going::Running(running))
    }

    /// The call is over.
    fn close(
        &self,
        call: Going,
        at: Instant,
        failure: Option<Failure>,
        note: Option<String>,
        bytes: usize,
        recovery: &mut Recovery,
    ) {
        let failure = failure.map(|failure| self.secrets.redact(failure));
        match (call, self.scope) {
            (Going::Running(call), _) => {
                if let Some(note) = note {
                    // Of the span alone: what is told of the call elsewhere is the conventions' business.
                    call.context().span().set_attribute(KeyValue::new(OBSERVATION, note));
                }
                call.end(at, failure);
            }
            (Going::Waiting(call), Some(scope)) => {
                let (op, run, chunks) = call.into_parts();
                let parent = self.parent.clone();
                let genai = self.genai.clone();
                let mut attributes = self.attributes.clone();
                attributes.extend(note.map(|note| KeyValue::new(OBSERVATION, note)));
                let ended =
                    Ended { genai, op, parent, began: self.began, at, chunks, failure, attributes, bytes };
                recovery.ended(run, scope, ended);
            }
            // Only a call with a scope waits.
            (Going::Waiting(_), None) => {}
        }
    }

    fn run<O: Operation>(&self, op: O) -> Box<Active<O>> {
        let call = self.genai.operation(op).parent(self.parent.clone()).at(self.began);
        Box::new(call.counted(self.counted.clone()).start())
    }

    fn frame(
        &mut self,
        at: Instant,
        batch: &Batch,
        data: &Data,
        counters: &Counters,
        recovery: &mut Recovery,
    ) {
        let Phase::Response(response) = &mut self.phase else { return };
        let Some(bytes) = batch.bytes(data).filter(|_| !response.torn) else {
            response.torn = true;
            return;
        };
        response.any_bytes |= !bytes.is_empty();
        response.bytes += bytes.len();
        response.body.push(bytes);
        let Some(answer) = response.body.reader_mut() else { return };
        let progress = mem::take(&mut answer.progress);
        response.call.chunks(progress.chunks, at, &answer.reader);
        if progress.ended {
            self.end(at, Ending::Complete, counters, recovery);
        }
    }

    fn end(&mut self, at: Instant, ending: Ending, counters: &Counters, recovery: &mut Recovery) {
        match mem::replace(&mut self.phase, Phase::Over) {
            Phase::Request(request) => {
                // There was no response.
                let torn = request.torn;
                let call = request.body.finish().and_then(RequestReader::finish);
                if let Some(call) = call.and_then(|call| self.start(call, recovery)) {
                    let failure = failure(ending, torn);
                    counters.call(call.tokens(), failure.is_some());
                    self.close(call, at, failure, None, 0, recovery);
                }
            }
            Phase::Response(mut response) => {
                // What the provider says of its failure is better than what the connection says.
                let broken = response.body.is_broken().then(|| {
                    Failure::new("malformed_response").message("the answer is not encoded as it says")
                });
                let mut answer = response.body.finish();
                let has_all = answer.as_ref().is_some_and(|answer| answer.reader.is_complete());
                let ending = match ending {
                    // Nobody waits for the terminal event of an answer that is complete.
                    Ending::Dropped if has_all => Ending::Complete,
                    ending => ending,
                };
                let told = answer.as_mut().and_then(|answer| {
                    // Only a body of which every byte was read can be said to be none, or half of one.
                    let was_read = !response.torn && (answer.any_plain || !response.any_bytes);
                    let is_over = was_read && matches!(ending, Ending::Complete);
                    response.call.complete(&mut answer.reader, is_over)
                });
                let missing = match response.torn {
                    true => Some(LOST.to_owned()),
                    false => answer.and_then(|answer| answer.reader.note()),
                };
                let notes: Vec<String> = response.note.into_iter().chain(missing).collect();
                let note = (!notes.is_empty()).then(|| notes.join("; "));
                let failure = broken.or(told).or_else(|| failure(ending, response.torn));
                counters.call(response.call.tokens(), failure.is_some());
                self.close(response.call, at, failure, note, response.bytes, recovery);
            }
            Phase::Over => {}
        }
    }
}

fn failure(ending: Ending, torn: bool) -> Option<Failure> {
    match ending {
        Ending::Complete => None,
        // The terminal event may be in what was lost: a guess must not turn a good call into an error.
        Ending::Dropped if torn => None,
        Ending::Dropped => Some(Failure::cancelled()),
        Ending::Failed(failure) => Some(failure),
    }
}

/// Lists the operations that a call may turn out to be: a name each, and where the metrics of a stream's chunks name the
/// model that answers, the field for it.
macro_rules! running {
    ($($name:ident $(($op:ident => $model:expr))?,)*) => {
        /// The running operation that a call turned out to be.
        enum Running {
            $($name(Box<Active<$name>>),)*
        }

        impl Running {
            /// `None`: a kind of call that this crate does not know yet.
            fn start(call: Call, reader: &Reader) -> Option<Running> {
                match call {
                    $(Call::$name(op) => Some(Running::$name(reader.run(*op))),)*
                    _ => None,
                }
            }

            fn chunks(&mut self, count: u32, at: Instant, reader: &ResponseReader) {
                match self {
                    $(Running::$name(call) => {
                        $(if count > 0 {
                            let $op: &mut $name = &mut ***call;
                            if $model.is_none() {
                                $model = reader.model().map(str::to_owned);
                            }
                        })?
                        for _ in 0..count {
                            call.chunk_at(at);
                        }
                    })*
                }
            }

            /// Fills in all that was learned from the response.
            fn complete(&mut self, reader: &mut ResponseReader, is_over: bool) -> Option<Failure> {
                let call: CallMut<'_> = match self {
                    $(Running::$name(call) => CallMut::from(&mut ***call),)*
                };
                if is_over { reader.finish(call) } else { reader.abandon(call) }
            }

            /// The span, and where it belongs.
            fn context(&self) -> &Context {
                match self {
                    $(Running::$name(call) => call.context(),)*
                }
            }

            fn end(self, at: Instant, failure: Option<Failure>) {
                match (self, failure) {
                    $(
                        (Running::$name(call), None) => call.finish_at(at),
                        (Running::$name(call), Some(failure)) => call.fail_at(at, failure),
                    )*
                }
            }
        }
    };
}

running! {
    Inference(op => op.response.model),
    Embeddings,
    FetchResponse(op => op.response_model),
    Rerank,
    Retrieval,
    CreateAgent,
    InvokeAgent(op => op.response.model),
    McpCall,
}

/// A call between its request and its end.
enum Going {
    /// Its span is open.
    Running(Running),
    /// It may be a step of a run, and is told when it is over.
    Waiting(Waiting),
}

impl Going {
    fn chunks(&mut self, count: u32, at: Instant, reader: &ResponseReader) {
        match self {
            Going::Running(call) => call.chunks(count, at, reader),
            Going::Waiting(call) => call.chunks(count, at),
        }
    }

    /// Fills in all that was learned from the response.
    fn complete(&mut self, reader: &mut ResponseReader, is_over: bool) -> Option<Failure> {
        match self {
            Going::Running(call) => call.complete(reader, is_over),
            Going::Waiting(call) if is_over => reader.finish(&mut *call.op),
            Going::Waiting(call) => reader.abandon(&mut *call.op),
        }
    }

    /// How many tokens the provider counted, in and out.
    fn tokens(&self) -> (Option<u64>, Option<u64>) {
        match self {
            Going::Running(call) => call.tokens(),
            Going::Waiting(call) => (call.op.usage.input_tokens, call.op.usage.output_tokens),
        }
    }
}

impl Running {
    /// How many tokens the provider counted, in and out.
    fn tokens(&self) -> (Option<u64>, Option<u64>) {
        match self {
            Running::Inference(call) => (call.usage.input_tokens, call.usage.output_tokens),
            Running::Embeddings(call) => (call.input_tokens, None),
            Running::InvokeAgent(call) => (call.usage.input_tokens, call.usage.output_tokens),
            _ => (None, None),
        }
    }
}
