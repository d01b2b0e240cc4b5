//! The blocks of a streamed answer, put together from deltas.

use std::borrow::Cow;

use otel_genai::Part;
use serde_json::Value;

use super::block;
use crate::gather::{Room, compaction, parse_arguments, tool_call};
use crate::json::{Raw, object};

/// More blocks, and more quoted sources of one, are not kept.
const MAX_BLOCKS: usize = 1024;
const MAX_CITATIONS: usize = 256;

object! {
    /// What a block begins with.
    struct Start<'a> {
        "type" => kind: Option<Cow<'a, str>>,
        "id" => id: Option<Cow<'a, str>>,
        "name" => name: Option<Cow<'a, str>>,
        "server_name" => server_name: Option<Cow<'a, str>>,
        "input" => input: Raw<'a>,
        "text" => text: Option<Cow<'a, str>>,
        "thinking" => thinking: Option<Cow<'a, str>>,
        "citations" => citations: Vec<Raw<'a>>,
        "content" => content: Raw<'a>,
    }

    /// A piece of a block, or what a message ends with.
    struct Delta<'a> {
        "text" => text: Option<Cow<'a, str>>,
        "thinking" => thinking: Option<Cow<'a, str>>,
        "partial_json" => json: Option<Cow<'a, str>>,
        "citation" => citation: Raw<'a>,
        // Of a summary.
        "content" => content: Option<Cow<'a, str>>,
        "stop_reason" => stop_reason: Option<Cow<'a, str>>,
    }

    /// The same where content is not wanted.
    struct Brief<'a> {
        "stop_reason" => stop_reason: Option<Cow<'a, str>>,
    }
}

impl<'a> From<Brief<'a>> for Delta<'a> {
    fn from(brief: Brief<'a>) -> Self {
        Delta { stop_reason: brief.stop_reason, ..Delta::default() }
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
    /// Whether its end has come.
    is_over: bool,
    said: Said,
}

#[derive(Debug)]
enum Said {
    Text {
        text: String,
        citations: Vec<Value>,
    },
    Reasoning(String),
    Call {
        /// `tool_use`, or one that the provider runs.
        kind: String,
        id: String,
        name: String,
        server: Option<String>,
        /// The input that the block began with, which is empty in general.
        input: Option<Value>,
        json: String,
    },
    Compaction {
        summary: String,
        has_summary: bool,
    },
    /// A block that comes as a whole.
    Whole(Vec<Part>),
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
    pub(super) fn start(&mut self, index: Option<u64>, raw: Raw<'_>) {
        let index = index.unwrap_or(self.list.len() as u64);
        // An event that comes twice.
        if self.list.iter().any(|block| block.index == index && !block.is_over) {
            return;
        }
        let Some(start) = raw.to::<Option<Start<'_>>>() else { return };
        let said = Said::new(start, raw, &mut self.room);
        self.add(index, said);
    }

    /// A block goes on. Of one whose beginning was lost, texts are kept nevertheless.
    pub(super) fn delta(&mut self, index: Option<u64>, delta: &Delta<'_>) {
        let at = match index {
            Some(index) => self.list.iter().rposition(|block| block.index == index),
            None => self.list.len().checked_sub(1),
        };
        let at = at.or_else(|| {
            let index = index.unwrap_or(self.list.len() as u64);
            let said = match delta {
                Delta { text: Some(_), .. } => Said::text(),
                Delta { thinking: Some(_), .. } => Said::Reasoning(String::new()),
                _ => return None,
            };
            self.add(index, said)
        });
        if let Some(block) = at.and_then(|at| self.list.get_mut(at)) {
            block.said.take(delta, &mut self.room);
        }
    }

    /// A block is over.
    pub(super) fn stop(&mut self, index: Option<u64>) {
        let is_it = |block: &&mut Block| index.is_none_or(|index| block.index == index);
        if let Some(block) = self.list.iter_mut().rev().find(is_it) {
            block.is_over = true;
        }
    }

    fn add(&mut self, index: u64, said: Said) -> Option<usize> {
        if self.list.len() >= MAX_BLOCKS {
            return None;
        }
        self.list.push(Block { index, is_over: false, said });
        Some(self.list.len() - 1)
    }

    pub(super) fn parts(self) -> Vec<Part> {
        self.list.into_iter().flat_map(|block| block.said.parts()).collect()
    }
}

impl Said {
    fn text() -> Said {
        Said::Text { text: String::new(), citations: Vec::new() }
    }

    fn new(start: Start<'_>, raw: Raw<'_>, room: &mut Room) -> Said {
        match start.kind.as_deref() {
            Some("text") => {
                let mut said = Said::text();
                let citations = start.citations;
                said.take(&Delta { text: start.text, ..Delta::default() }, room);
                for citation in citations {
                    said.take(&Delta { citation, ..Delta::default() }, room);
                }
                said
            }
            Some("thinking") => {
                let mut text = String::new();
                room.append(&mut text, start.thinking.as_deref().unwrap_or_default());
                Said::Reasoning(text)
            }
            Some("compaction") => {
                let mut said = Said::Compaction { summary: String::new(), has_summary: false };
                let content = start.content.to::<Option<Cow<'_, str>>>();
                said.take(&Delta { content, ..Delta::default() }, room);
                said
            }
            Some(kind @ ("tool_use" | "server_tool_use" | "mcp_tool_use")) => {
                let mut kept = |text: Option<Cow<'_, str>>| {
                    let mut kept = String::new();
                    room.append(&mut kept, text.as_deref().unwrap_or_default());
                    kept
                };
                let (id, name) = (kept(start.id), kept(start.name));
                let server = start.server_name.map(|server| kept(Some(server)));
                let input = if room.spend(start.input) { start.input.value() } else { None };
                Said::Call { kind: kind.to_owned(), id, name, server, input, json: String::new() }
            }
            _ => {
                let mut parts = Vec::new();
                if room.spend(raw) {
                    block::parts(raw, &mut parts);
                }
                Said::Whole(parts)
            }
        }
    }

    fn take(&mut self, delta: &Delta<'_>, room: &mut Room) {
        match self {
            Said::Text { text, citations } => {
                room.append(text, delta.text.as_deref().unwrap_or_default());
                if delta.citation.get().is_some()
                    && citations.len() < MAX_CITATIONS
                    && room.spend(delta.citation)
                {
                    citations.extend(delta.citation.value());
                }
            }
            Said::Reasoning(text) => room.append(text, delta.thinking.as_deref().unwrap_or_default()),
            Said::Call { json, .. } => room.append(json, delta.json.as_deref().unwrap_or_default()),
            Said::Compaction { summary, has_summary } => {
                *has_summary |= delta.content.is_some();
                room.append(summary, delta.content.as_deref().unwrap_or_default());
            }
            Said::Whole(_) => {}
        }
    }

    fn parts(self) -> Vec<Part> {
        vec![match self {
            Said::Text { text, citations } => block::text(text, Some(citations.into())),
            Said::Reasoning(text) => Part::reasoning(text),
            Said::Call { kind, id, name, server, input, json } => {
                let input = parse_arguments(json).or(input);
                match kind.as_str() {
                    "tool_use" => tool_call(Some(id), name, input),
                    kind => block::server_tool_call(kind, Some(id), &name, server, input),
                }
            }
            Said::Compaction { summary, has_summary } => compaction(None, has_summary.then_some(summary)),
            Said::Whole(parts) => return parts,
        }]
    }
}
