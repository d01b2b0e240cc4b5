//! The items of an answer, put together from deltas or taken whole.

use std::borrow::Cow;

use otel_genai::{FinishReason, Message, Part, Role};
use serde_json::{Map, Value};

use super::item::{Kind, Said};
use crate::gather::{Room, parse_arguments, server_tool_call, tool_call};
use crate::json::{self, Raw, object};

/// More items, and more pieces of one, are not kept.
const MAX_ITEMS: usize = 1024;
const MAX_PIECES: usize = 1024;

object! {
    /// What is known of an item before it is complete.
    struct Head<'a> {
        "type" => kind: Option<Cow<'a, str>>,
        "id" => id: Option<Cow<'a, str>>,
        "call_id" => call_id: Option<Cow<'a, str>>,
        "status" => status: Option<Cow<'a, str>>,
        "role" => role: Option<Cow<'a, str>>,
        "name" => name: Option<Cow<'a, str>>,
    }
}

/// All items of an answer, in the order in which they began.
#[derive(Debug)]
pub(crate) struct Items {
    content: bool,
    list: Vec<Item>,
    room: Room,
    limit: usize,
}

#[derive(Debug)]
struct Item {
    /// Its place in the answer.
    index: u64,
    kind: Kind,
    /// Whether all of it has come.
    is_over: bool,
    is_incomplete: bool,
    state: State,
}

#[derive(Debug)]
enum State {
    Growing(Growing),
    Whole(Option<Said>),
}

#[derive(Debug, Default)]
struct Growing {
    kind: String,
    id: Option<String>,
    name: Option<String>,
    role: Option<String>,
    pieces: Vec<Piece>,
}

/// One text of an item.
#[derive(Debug)]
struct Piece {
    /// The summary of reasoning rather than the reasoning itself.
    is_summary: bool,
    index: u64,
    text: String,
}

/// A piece of an item's text.
#[derive(Debug)]
pub(crate) struct Delta<'a> {
    /// The item's type, if this is the first that is heard of it.
    pub(crate) kind: &'static str,
    pub(crate) output_index: Option<u64>,
    pub(crate) is_summary: bool,
    pub(crate) index: u64,
    pub(crate) text: &'a str,
}

/// How an answer ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ending<'a> {
    /// Whether the provider said that it did.
    pub(crate) is_over: bool,
    /// Why it is incomplete, in the provider's words.
    pub(crate) incomplete: Option<&'a str>,
}

impl Items {
    /// Holds at most so many bytes of content, if any is wanted.
    pub(crate) fn new(content: bool, limit: usize) -> Items {
        Items { content, list: Vec::new(), room: Room::new(limit), limit }
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.room.is_full()
    }

    /// All items at once, in place of what has been put together so far.
    pub(crate) fn replace(&mut self, items: &[Raw<'_>]) {
        self.list.clear();
        self.room = Room::new(self.limit);
        for (index, raw) in items.iter().enumerate().take(MAX_ITEMS) {
            self.done(Some(index as u64), *raw);
        }
    }

    /// An item begins.
    pub(crate) fn start(&mut self, index: Option<u64>, raw: Raw<'_>) {
        let Some(head) = raw.to::<Option<Head<'_>>>() else { return };
        let index = index.unwrap_or(self.list.len() as u64);
        // An event that comes twice.
        if self.list.iter().all(|item| item.index != index) {
            self.add(index, head);
        }
    }

    /// An item goes on. Of one whose beginning was lost, texts are kept nevertheless.
    pub(crate) fn delta(&mut self, delta: &Delta<'_>) {
        let at = match delta.output_index {
            Some(index) => self.list.iter().rposition(|item| item.index == index),
            None => self.list.iter().rposition(|item| !item.is_over),
        };
        let at = at.or_else(|| {
            let index = delta.output_index.unwrap_or(self.list.len() as u64);
            self.add(index, Head { kind: Some(Cow::Borrowed(delta.kind)), ..Head::default() })
        });
        let item = at.and_then(|at| self.list.get_mut(at)).filter(|_| self.content);
        if let Some(State::Growing(growing)) = item.map(|item| &mut item.state) {
            growing.take(delta, &mut self.room);
        }
    }

    /// An item is complete, and comes once more as a whole.
    pub(crate) fn done(&mut self, index: Option<u64>, raw: Raw<'_>) {
        let Some(head) = raw.to::<Option<Head<'_>>>() else { return };
        let index = index.unwrap_or(self.list.len() as u64);
        let is_incomplete = head.status.as_deref() == Some("incomplete");
        // Answers that are not finished hold items that are not, too.
        let is_over = head.status.as_deref() != Some("in_progress");
        let at = self.list.iter().position(|item| item.index == index);
        let Some(item) = at.or_else(|| self.add(index, head)).and_then(|at| self.list.get_mut(at)) else {
            return;
        };
        item.is_over = is_over;
        item.is_incomplete = is_incomplete;
        if !self.content {
            return;
        }
        if let State::Growing(growing) = &item.state {
            self.room.give_back(growing.pieces.iter().map(|piece| piece.text.len()).sum());
        }
        if self.room.spend(raw) {
            item.state = State::Whole(Said::read(raw));
        }
    }

    fn add(&mut self, index: u64, head: Head<'_>) -> Option<usize> {
        if self.list.len() >= MAX_ITEMS {
            return None;
        }
        let kind = head.kind.as_deref().unwrap_or("message");
        let text = |text: Option<Cow<'_, str>>| text.map(|text| json::prefix(&text, 1024).to_owned());
        let growing = Growing {
            kind: json::prefix(kind, 256).to_owned(),
            id: text(head.call_id.or(head.id)),
            name: text(head.name),
            role: text(head.role),
            pieces: Vec::new(),
        };
        let kind = Kind::of(kind);
        let state = State::Growing(growing);
        self.list.push(Item { index, kind, is_over: false, is_incomplete: false, state });
        Some(self.list.len() - 1)
    }

    /// Whether the model has begun to answer.
    pub(crate) fn are_begun(&self) -> bool {
        !self.list.is_empty()
    }

    /// Why the model stopped, by what it put out: it spoke, or it called tools.
    pub(crate) fn finish_reasons(&self) -> Vec<&'static str> {
        let mut reasons = Vec::new();
        for item in &self.list {
            let reason = match item.kind {
                Kind::Message => "stop",
                Kind::Call => "tool_calls",
                Kind::Other => continue,
            };
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        if reasons.is_empty() {
            reasons.push("stop");
        }
        reasons
    }

    /// The items as messages of the model.
    pub(crate) fn messages(mut self, ending: Ending<'_>) -> Vec<Message> {
        self.list.sort_by_key(|item| item.index);
        let mut messages = Vec::new();
        for item in self.list {
            let reason = match item.kind {
                _ if !item.is_over && !ending.is_over => FinishReason::Error,
                _ if item.is_incomplete => ending.incomplete.map_or("incomplete".into(), meant),
                Kind::Call => FinishReason::ToolCall,
                _ => FinishReason::Stop,
            };
            let said = match item.state {
                State::Whole(said) => said,
                State::Growing(growing) => growing.said(),
            };
            if let Some(said) = said {
                said.add_to(&mut messages, Some(reason));
            }
        }
        messages
    }
}

impl Growing {
    fn take(&mut self, delta: &Delta<'_>, room: &mut Room) {
        let is_it = |piece: &Piece| piece.index == delta.index && piece.is_summary == delta.is_summary;
        let at = match self.pieces.iter().rposition(is_it) {
            Some(at) => at,
            None if self.pieces.len() < MAX_PIECES => {
                let (is_summary, index) = (delta.is_summary, delta.index);
                self.pieces.push(Piece { is_summary, index, text: String::new() });
                self.pieces.len() - 1
            }
            None => return,
        };
        if let Some(piece) = self.pieces.get_mut(at) {
            room.append(&mut piece.text, delta.text);
        }
    }

    /// What has come of an item that was never completed.
    fn said(self) -> Option<Said> {
        let kind = Kind::of(&self.kind);
        let role = self.role.map_or(Role::Assistant, Role::from);
        let text = || self.pieces.iter().map(|piece| piece.text.as_str()).collect::<String>();
        let parts = match self.kind.as_str() {
            "message" => self.pieces.into_iter().map(|piece| Part::text(piece.text)).collect(),
            "reasoning" => {
                let is_told = self.pieces.iter().any(|piece| !piece.is_summary);
                let told = self.pieces.into_iter().filter(|piece| piece.is_summary != is_told);
                told.map(|piece| Part::reasoning(piece.text)).collect()
            }
            "custom_tool_call" => vec![tool_call(self.id, self.name?, Some(Value::String(text())))],
            "function_call" => vec![tool_call(self.id, self.name?, parse_arguments(text()))],
            kind => {
                // All that others put out piece by piece is what they were told.
                let kind = kind.strip_suffix("_call")?;
                let input = if kind == "code_interpreter" { "code" } else { "arguments" };
                let mut call = Map::new();
                call.insert("type".to_owned(), kind.into());
                let text = text();
                if !text.is_empty() {
                    call.insert(input.to_owned(), text.into());
                }
                vec![server_tool_call(self.id, self.name.as_deref().unwrap_or(kind), call)]
            }
        };
        Some(Said::new(kind, role, parts))
    }
}

/// Why an answer is incomplete, in the conventions' words where they have one.
pub(crate) fn meant(reason: &str) -> FinishReason {
    match reason {
        "max_output_tokens" | "max_tokens" => FinishReason::Length,
        other => other.into(),
    }
}
