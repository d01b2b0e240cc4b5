//! Every message once, by its canonical form; and what was read before is not read again.

use std::collections::HashMap;
use std::rc::Rc;

use otel_genai::{FinishReason, Message, Part, ToolDefinition};
use otel_genai_store::ContentHash;
use serde_json::Value as Json;

use super::canonical::{self, MessageHash};

/// A message of the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct MessageId(u32);

/// A list of tools of the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct ToolsId(u32);

/// What a message says besides its parts, ready to compare.
pub(super) struct Entry {
    pub(super) hash: MessageHash,
    pub(super) loose: [u8; 16],
    pub(super) echo: [u8; 16],
    pub(super) message: Message,
    finish: Finish,
    /// About how large it is in an answer.
    pub(super) bytes: usize,
}

enum Finish {
    Untold,
    Told(FinishReason),
    /// Equal messages ended for different reasons: the calls tell which.
    Differs,
}

/// How the pieces of a value are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum As {
    /// Messages of the input; those that do not say are the user's.
    Input,
    /// Messages of the output; those that do not say are the model's.
    Output,
    /// Instructions: parts, each a message of the system's.
    System,
}

/// What a piece of content says: its messages, and whether it was cut off.
pub(super) type ReadPiece = (Rc<[MessageId]>, bool);

/// Every message of an answer.
#[derive(Default)]
pub(super) struct Book {
    entries: Vec<Entry>,
    by_hash: HashMap<MessageHash, MessageId>,
    tools: Vec<(MessageHash, Vec<ToolDefinition>)>,
    tools_by_hash: HashMap<MessageHash, ToolsId>,
    /// What pieces said when they were read first.
    pub(super) read: HashMap<(ContentHash, As), ReadPiece>,
    pub(super) read_tools: HashMap<ContentHash, Rc<[ToolDefinition]>>,
}

impl Book {
    /// Enters a message. `None` if it says nothing.
    pub(super) fn enter(&mut self, mut message: Message) -> Option<MessageId> {
        canonical::tidy(&mut message);
        if message.parts.is_empty() && message.extra.is_empty() {
            return None;
        }
        let finish = message.finish_reason.take().map(|reason| otel_genai_dialect::finish_reason(&reason));
        let names = canonical::names(&message);
        let id = match self.by_hash.get(&names.exact) {
            Some(id) => *id,
            None => {
                let id = MessageId(u32::try_from(self.entries.len()).ok()?);
                let bytes = message.parts.iter().map(size).sum();
                self.by_hash.insert(names.exact, id);
                self.entries.push(Entry {
                    hash: names.exact,
                    loose: names.loose,
                    echo: names.echo,
                    message,
                    finish: Finish::Untold,
                    bytes,
                });
                id
            }
        };
        if let (Some(finish), Some(entry)) = (finish, self.entries.get_mut(id.0 as usize)) {
            match &entry.finish {
                Finish::Untold => entry.finish = Finish::Told(finish),
                Finish::Told(before) if *before != finish => entry.finish = Finish::Differs,
                Finish::Told(_) | Finish::Differs => {}
            }
        }
        Some(id)
    }

    pub(super) fn get(&self, id: MessageId) -> Option<&Entry> {
        self.entries.get(id.0 as usize)
    }

    /// The message as it is shown.
    pub(super) fn message(&self, id: MessageId) -> Option<(MessageHash, Message)> {
        let entry = self.get(id)?;
        let mut message = entry.message.clone();
        if let Finish::Told(reason) = &entry.finish {
            message.finish_reason = Some(reason.clone());
        }
        Some((entry.hash, message))
    }

    pub(super) fn hash(&self, id: MessageId) -> Option<MessageHash> {
        Some(self.get(id)?.hash)
    }

    pub(super) fn loose(&self, id: MessageId) -> [u8; 16] {
        self.get(id).map(|entry| entry.loose).unwrap_or_default()
    }

    /// Whether a message may be another one that comes back to the model: what it tells of reasoning, the other told too.
    pub(super) fn is_echo(&self, back: MessageId, told: MessageId) -> bool {
        let same = self.get(back).zip(self.get(told)).is_some_and(|(back, told)| back.echo == told.echo);
        same && self.reasoning(back).all(|part| self.reasoning(told).any(|known| known == part))
    }

    /// The reasoning of a message that is told in words, ready to compare.
    fn reasoning(&self, id: MessageId) -> impl Iterator<Item = [u8; 16]> {
        self.parts(id).iter().filter_map(|part| match part {
            Part::Reasoning(reasoning) if !reasoning.content.trim().is_empty() => {
                Some(canonical::loose_name_of(&Json::String(reasoning.content.clone())))
            }
            _ => None,
        })
    }

    pub(super) fn role(&self, id: MessageId) -> &str {
        self.get(id).map_or("", |entry| entry.message.role.as_str())
    }

    pub(super) fn parts(&self, id: MessageId) -> &[Part] {
        self.get(id).map_or(&[], |entry| &entry.message.parts)
    }

    /// The ids of the tool calls that a message asks for or answers.
    pub(super) fn call_ids(&self, id: MessageId) -> impl Iterator<Item = &str> {
        self.parts(id).iter().filter_map(|part| match part {
            Part::ToolCall(call) => call.id.as_deref(),
            Part::ToolCallResponse(response) => response.id.as_deref(),
            _ => None,
        })
    }

    /// Enters a list of tools. `None` for an empty one.
    pub(super) fn enter_tools(&mut self, list: Vec<ToolDefinition>) -> Option<ToolsId> {
        if list.is_empty() {
            return None;
        }
        let hash = canonical::name_of(&Json::Array(list.iter().map(canonical::json_of).collect()));
        if let Some(id) = self.tools_by_hash.get(&hash) {
            return Some(*id);
        }
        let id = ToolsId(u32::try_from(self.tools.len()).ok()?);
        self.tools.push((hash, list));
        self.tools_by_hash.insert(hash, id);
        Some(id)
    }

    pub(super) fn tools(&self, id: ToolsId) -> Option<&(MessageHash, Vec<ToolDefinition>)> {
        self.tools.get(id.0 as usize)
    }
}

/// About how many bytes a part has in an answer.
fn size(part: &Part) -> usize {
    fn json(value: &Json) -> usize {
        match value {
            Json::String(text) => text.len() + 2,
            Json::Array(list) => 2 + list.iter().map(|item| json(item) + 1).sum::<usize>(),
            Json::Object(object) => {
                2 + object.iter().map(|(key, value)| key.len() + 4 + json(value)).sum::<usize>()
            }
            _ => 5,
        }
    }
    match part {
        Part::Text(text) => text.content.len(),
        Part::Reasoning(reasoning) => reasoning.content.len(),
        Part::Blob(blob) => blob.content.len(),
        Part::ToolCall(call) => call.name.len() + call.arguments.as_ref().map_or(0, json),
        Part::ToolCallResponse(response) => json(&response.response),
        other => json(&canonical::json_of(other)),
    }
}

/// About how many bytes a tool's definition has.
pub(super) fn tool_size(tool: &ToolDefinition) -> usize {
    tool.name.len()
        + tool.description.as_ref().map_or(0, String::len)
        + tool.parameters.as_ref().map_or(0, |parameters| parameters.to_string().len())
}
