//! One way in which one slot of a call was told: the messages that one carrier has for it.

use std::sync::Arc;

use otel_genai::ToolDefinition;
use otel_genai_store::{Held, LogId, SpanKey};
use serde_json::Value as Json;

use super::book::{As, Book, MessageId};
use super::read::ReadMessage;
use super::{Carrier, Matched, Source};

/// What a list of messages is of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    System,
    Input,
    Output,
}

/// The messages that one carrier tells for one slot.
pub(super) struct Telling {
    pub(super) slot: Slot,
    pub(super) from: From,
    pub(super) lines: Vec<Line>,
}

/// The record that tells.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct From {
    pub(super) carrier: Carrier,
    pub(super) span: Option<SpanKey>,
    pub(super) matched: Matched,
    /// A log record of its own, or something on the span.
    pub(super) is_log: bool,
    /// Tells apart records that have the rest in common: events of one span, scopes of legacy events.
    pub(super) part: Arc<str>,
    /// Where all of its lines come from one log record.
    pub(super) log: Option<LogId>,
}

/// A message, and where exactly it was told.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) message: MessageId,
    pub(super) name: Arc<str>,
    pub(super) index: Option<u32>,
    pub(super) log: Option<LogId>,
    pub(super) partial: bool,
}

impl Line {
    pub(super) fn source(&self, from: &From, loose: bool) -> Source {
        Source {
            carrier: from.carrier,
            name: Arc::clone(&self.name),
            index: self.index,
            span: from.span,
            log: self.log.or(from.log),
            matched: from.matched,
            partial: self.partial,
            loose,
        }
    }
}

/// What was told of a call, in all ways.
#[derive(Default)]
pub(super) struct Told {
    pub(super) tellings: Vec<Telling>,
    /// Lists of tools with the carriers that told them.
    pub(super) tools: Vec<(From, Vec<ToolDefinition>)>,
    /// Content stands elsewhere, and could not be fetched.
    pub(super) elsewhere: bool,
}

impl Told {
    /// Adds a slot as one record tells it. System messages that begin an input belong to the system.
    pub(super) fn add(&mut self, book: &Book, slot: Slot, from: &From, mut lines: Vec<Line>) {
        if slot == Slot::Input {
            let is_system = |line: &Line| matches!(book.role(line.message), "system" | "developer");
            let leading = lines.iter().take_while(|line| is_system(line)).count();
            let rest = lines.split_off(leading);
            self.push(Slot::System, from, lines);
            lines = rest;
        }
        self.push(slot, from, lines);
    }

    fn push(&mut self, slot: Slot, from: &From, lines: Vec<Line>) {
        if !lines.is_empty() {
            self.tellings.push(Telling { slot, from: from.clone(), lines });
        }
    }

    pub(super) fn add_tools(&mut self, from: &From, tools: Vec<ToolDefinition>) {
        if !tools.is_empty() {
            self.tools.push((from.clone(), tools));
        }
    }

    /// Adds a value that holds the whole of a slot.
    pub(super) fn add_value(
        &mut self,
        book: &mut Book,
        slot: Slot,
        from: &From,
        name: &Arc<str>,
        value: &Held,
    ) {
        let read = book.read(value, slot.how());
        self.add_read(book, slot, from, name, read);
    }

    /// The same of JSON at hand.
    pub(super) fn add_json(
        &mut self,
        book: &mut Book,
        slot: Slot,
        from: &From,
        name: &Arc<str>,
        json: &Json,
    ) {
        let read = book.read_json(json, slot.how());
        self.add_read(book, slot, from, name, read);
    }

    pub(super) fn add_read(
        &mut self,
        book: &mut Book,
        slot: Slot,
        from: &From,
        name: &Arc<str>,
        read: Vec<ReadMessage>,
    ) {
        let lines = read.into_iter().flat_map(|one| {
            let told = book.apart(one.message, slot == Slot::Input);
            told.into_iter().map(move |message| (message, one))
        });
        let lines: Vec<Line> = lines
            .map(|(message, one)| Line {
                message,
                name: Arc::clone(name),
                index: Some(one.index),
                log: None,
                partial: one.partial,
            })
            .collect();
        self.add(book, slot, from, lines);
    }

    /// Whether anything was told.
    pub(super) fn is_empty(&self) -> bool {
        self.tellings.is_empty() && self.tools.is_empty()
    }
}

impl Slot {
    pub(super) fn how(self) -> As {
        match self {
            Self::System => As::System,
            Self::Input => As::Input,
            Self::Output => As::Output,
        }
    }
}

impl Book {
    /// A system's message of several parts in an input as one message a part, which is how instructions are told too.
    fn apart(&mut self, message: MessageId, is_input: bool) -> Vec<MessageId> {
        let splits =
            is_input && self.parts(message).len() > 1 && matches!(self.role(message), "system" | "developer");
        let Some(entry) = self.get(message).filter(|_| splits) else { return vec![message] };
        let each = super::read::each_part(entry.message.clone());
        each.into_iter().filter_map(|one| self.enter(one)).collect()
    }
}
