//! The blocks of a streamed answer, put together from deltas.

use std::borrow::Cow;

use otel_genai::Part;
use serde_json::Value;

use super::block;
use crate::gather::{Room, parse_arguments};
use crate::json::{Raw, object};

/// More blocks, and more quoted sources and results of one, are not kept.
const MAX_BLOCKS: usize = 4096;
const MAX_ITEMS: usize = 256;

object! {
    /// What a block begins with, if it is not a text.
    struct Start<'a> {
        "toolUse" => tool_use: Option<Head<'a>>,
        "toolResult" => tool_result: Option<Head<'a>>,
    }

    struct Head<'a> {
        "toolUseId" => id: Option<Cow<'a, str>>,
        "name" => name: Option<Cow<'a, str>>,
        "type" => kind: Option<Cow<'a, str>>,
        "status" => status: Option<Cow<'a, str>>,
    }

    /// A piece of a block.
    struct Delta<'a> {
        "text" => text: Option<Cow<'a, str>>,
        "toolUse" => tool_use: Option<Input<'a>>,
        "toolResult" => tool_result: Vec<Raw<'a>>,
        "reasoningContent" => reasoning: Option<Thought<'a>>,
        "citation" => citation: Raw<'a>,
    }

    struct Input<'a> {
        "input" => input: Raw<'a>,
    }

    struct Thought<'a> {
        "text" => text: Option<Cow<'a, str>>,
        "redactedContent" => redacted: Raw<'a>,
    }
}

/// All blocks of an answer, in the order in which they began.
#[derive(Debug)]
pub(super) struct Blocks {
    list: Vec<Block>,
    room: Room,
}

#[derive(Debug)]
struct Block {
    index: u64,
    said: Said,
}

#[derive(Debug)]
enum Said {
    Text { text: String, citations: Vec<Value> },
    Reasoning(String),
    Redacted,
    Call { id: String, name: String, kind: Option<String>, json: String },
    Result { id: String, kind: Option<String>, status: Option<String>, items: Vec<Value> },
}

impl Blocks {
    /// Holds at most so many bytes of content.
    pub(super) fn new(room: usize) -> Self {
        Blocks { list: Vec::new(), room: Room::new(room) }
    }

    pub(super) fn is_cut(&self) -> bool {
        self.room.is_full()
    }

    /// A block begins.
    pub(super) fn start(&mut self, index: Option<u64>, start: Start<'_>) {
        let index = index.unwrap_or(self.list.len() as u64);
        // An event that comes twice.
        if self.list.iter().any(|block| block.index == index) {
            return;
        }
        let room = &mut self.room;
        let mut kept = |text: Option<Cow<'_, str>>| {
            let mut kept = String::new();
            room.append(&mut kept, text.as_deref().unwrap_or_default());
            kept
        };
        let said = match (start.tool_use, start.tool_result) {
            (Some(head), _) => {
                let (id, name) = (kept(head.id), kept(head.name));
                let kind = head.kind.map(|kind| kept(Some(kind)));
                Said::Call { id, name, kind, json: String::new() }
            }
            (None, Some(head)) => {
                let id = kept(head.id);
                let kind = head.kind.map(|kind| kept(Some(kind)));
                let status = head.status.map(|status| kept(Some(status)));
                Said::Result { id, kind, status, items: Vec::new() }
            }
            // What it is will be seen.
            (None, None) => return,
        };
        self.add(index, said);
    }

    /// A block goes on, or begins without saying so, as texts do.
    pub(super) fn delta(&mut self, index: Option<u64>, delta: Delta<'_>) {
        let at = match index {
            Some(index) => self.list.iter().rposition(|block| block.index == index),
            None => self.list.len().checked_sub(1),
        };
        let at = at.or_else(|| {
            let index = index.unwrap_or(self.list.len() as u64);
            let said = match &delta {
                Delta { reasoning: Some(thought), .. } if thought.redacted.get().is_some() => Said::Redacted,
                Delta { reasoning: Some(thought), .. } if thought.text.is_some() => {
                    Said::Reasoning(String::new())
                }
                Delta { text, citation, .. } if text.is_some() || citation.get().is_some() => {
                    Said::Text { text: String::new(), citations: Vec::new() }
                }
                _ => return None,
            };
            self.add(index, said)
        });
        if let Some(block) = at.and_then(|at| self.list.get_mut(at)) {
            block.said.take(delta, &mut self.room);
        }
    }

    fn add(&mut self, index: u64, said: Said) -> Option<usize> {
        if self.list.len() >= MAX_BLOCKS {
            return None;
        }
        self.list.push(Block { index, said });
        Some(self.list.len() - 1)
    }

    /// The parts. Texts that follow each other are one: some models begin a new block with every piece.
    pub(super) fn parts(self) -> Vec<Part> {
        let mut parts = Vec::new();
        for block in self.list {
            let part = block.said.part();
            match (parts.last_mut(), &part) {
                (Some(Part::Text(last)), Part::Text(text))
                    if last.extra.is_empty() && text.extra.is_empty() =>
                {
                    last.content.push_str(&text.content);
                }
                _ => parts.push(part),
            }
        }
        parts
    }
}

impl Said {
    fn take(&mut self, delta: Delta<'_>, room: &mut Room) {
        match self {
            Said::Text { text, citations } => {
                room.append(text, delta.text.as_deref().unwrap_or_default());
                if delta.citation.get().is_some() && citations.len() < MAX_ITEMS && room.spend(delta.citation)
                {
                    citations.extend(delta.citation.value());
                }
            }
            Said::Reasoning(text) => {
                let thought = delta.reasoning.and_then(|thought| thought.text);
                room.append(text, thought.as_deref().unwrap_or_default());
            }
            Said::Redacted => {}
            Said::Call { json, .. } => {
                let Some(input) = delta.tool_use.map(|tool| tool.input) else { return };
                match input.to::<Option<Cow<'_, str>>>() {
                    Some(piece) => room.append(json, &piece),
                    // The whole input at once, which is a document then.
                    None => room.append(json, input.get().unwrap_or_default()),
                }
            }
            Said::Result { items, .. } => {
                for item in delta.tool_result {
                    if items.len() < MAX_ITEMS && room.spend(item) {
                        items.extend(item.value());
                    }
                }
            }
        }
    }

    fn part(self) -> Part {
        match self {
            Said::Text { text, citations } => block::quoting(text, Some(citations.into())),
            Said::Reasoning(text) => Part::reasoning(text),
            Said::Redacted => block::redacted(),
            Said::Call { id, name, kind, json } => {
                block::called(Some(id), name, kind.as_deref(), parse_arguments(json))
            }
            Said::Result { id, kind, status, items } => {
                block::answered(Some(id), items, status.as_deref(), kind.as_deref())
            }
        }
    }
}
