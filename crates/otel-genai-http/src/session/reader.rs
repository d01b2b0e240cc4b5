//! Reads the notes of one session and writes the telemetry of its calls. Runs on the observer's thread.

use std::collections::HashMap;
use std::mem;
use std::time::Instant;

use opentelemetry::trace::TraceContextExt as _;
use opentelemetry::{Context, KeyValue};
use otel_genai::{Active, Failure, GenAi, Inference, Moment};
use otel_genai_wire::{Options, SessionAnswer, SessionEnd, SessionEvent, SessionReader};

use crate::reader::{LOST, OBSERVATION};
use crate::record::{Batch, Begun, Data, Ending, Note};
use crate::secret::Secrets;
use crate::totals::Counters;

/// How far a session has come.
pub(crate) struct Reader {
    genai: GenAi,
    parent: Context,
    secrets: Secrets,
    /// What the span of each call says besides what the conventions want.
    attributes: Vec<KeyValue>,
    /// `None`: nothing more is read.
    session: Option<SessionReader>,
    running: HashMap<u64, Box<Active<Inference>>>,
}

impl Reader {
    pub(crate) fn new(genai: GenAi, begun: Begun, limit: usize) -> Self {
        let options = Options::new(genai.captures_content()).limit(limit);
        let session = SessionReader::new(&begun.route, &begun.headers, options);
        if session.is_none() {
            tracing::warn!(
                target: "otel_genai",
                "a session is not read: both sides agreed on a WebSocket extension that is not known here"
            );
        }
        let Begun { parent, secrets, attributes, .. } = begun;
        Reader { genai, parent, secrets, attributes, session, running: HashMap::new() }
    }

    pub(crate) fn read(&mut self, batch: &mut Batch, counters: &Counters) {
        for note in mem::take(&mut batch.notes) {
            match note {
                Note::Sent { at, data } => self.data(true, at, batch, &data, counters),
                Note::Frame { at, data } => self.data(false, at, batch, &data, counters),
                Note::Left => {
                    if let Some(session) = &mut self.session {
                        session.client_closed();
                    }
                }
                Note::End { at, ending } => {
                    let end = match ending {
                        Ending::Complete => SessionEnd::ServerClosed,
                        Ending::Dropped => SessionEnd::ClientLeft,
                        Ending::Failed(failure) => SessionEnd::Failed(failure),
                    };
                    self.end(end, at, counters);
                }
                Note::Request(_) | Note::Response { .. } => {}
            }
        }
    }

    /// Nothing more is read; running calls end as they stand.
    pub(crate) fn abandon(&mut self) {
        self.session = None;
        self.running.clear();
    }

    fn data(&mut self, is_client: bool, at: Instant, batch: &Batch, data: &Data, counters: &Counters) {
        let Some(session) = &mut self.session else { return };
        let Some(bytes) = batch.bytes(data) else {
            // Nobody knows where the next frame begins.
            return self.end(SessionEnd::Lost, at, counters);
        };
        let mut events = Vec::new();
        let tell = |event| events.push(event);
        match is_client {
            true => session.client(bytes, at, tell),
            false => session.server(bytes, at, tell),
        }
        let is_reading = session.is_reading();
        events.into_iter().for_each(|event| self.event(event, at, None, counters));
        if !is_reading {
            tracing::debug!(target: "otel_genai", "a session is read no further: it is not framed as a WebSocket is");
            self.end(SessionEnd::Lost, at, counters);
        }
    }

    fn end(&mut self, end: SessionEnd, at: Instant, counters: &Counters) {
        let Some(session) = self.session.take() else { return };
        let missing = (end == SessionEnd::Lost && session.is_reading()).then_some(LOST);
        let mut events = Vec::new();
        session.finish(end, at, |event| events.push(event));
        events.into_iter().for_each(|event| self.event(event, at, missing, counters));
    }

    fn event(&mut self, event: SessionEvent, at: Instant, missing: Option<&str>, counters: &Counters) {
        match event {
            SessionEvent::Began { call, at, operation } => {
                let operation = self.genai.operation(*operation).parent(self.parent.clone());
                let running = operation.at(Moment::now().at(at)).start();
                if !self.attributes.is_empty() {
                    running.context().span().set_attributes(self.attributes.iter().cloned());
                }
                self.running.insert(call, Box::new(running));
            }
            SessionEvent::Chunk { call } => {
                if let Some(running) = self.running.get_mut(&call) {
                    running.chunk_at(at);
                }
            }
            SessionEvent::Ended { call, answer } => {
                if let Some(running) = self.running.remove(&call) {
                    self.ended(running, answer, at, missing, counters);
                }
            }
            _ => {}
        }
    }

    fn ended(
        &self,
        mut running: Box<Active<Inference>>,
        answer: SessionAnswer,
        at: Instant,
        missing: Option<&str>,
        counters: &Counters,
    ) {
        let notes: Vec<&str> = answer.note().into_iter().chain(missing).collect();
        if !notes.is_empty() {
            running.context().span().set_attribute(KeyValue::new(OBSERVATION, notes.join("; ")));
        }
        let failure: Option<Failure> = answer.finish(&mut running);
        counters.call((running.usage.input_tokens, running.usage.output_tokens), failure.is_some());
        match failure {
            None => running.finish_at(at),
            Some(failure) => running.fail_at(at, self.secrets.redact(failure)),
        }
    }
}
