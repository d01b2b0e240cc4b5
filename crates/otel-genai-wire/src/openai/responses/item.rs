//! Items: what the history of a conversation and an answer are made of.

use std::borrow::Cow;

use otel_genai::{FinishReason, Message, Part, Role};
use serde_json::{Map, Value};

use super::content;
use crate::gather::{self, parse_arguments, tool_call};
use crate::json::{Content, Raw, object};
use crate::media;

object! {
    struct Item<'a> {
        "type" => kind: Option<Cow<'a, str>>,
        "id" => id: Option<Cow<'a, str>>,
        "call_id" => call_id: Option<Cow<'a, str>>,
        "role" => role: Option<Cow<'a, str>>,
        "status" => status: Option<Cow<'a, str>>,
        "name" => name: Option<Cow<'a, str>>,
        "content" => content: Content<'a>,
        "summary" => summary: Content<'a>,
        "arguments" => arguments: Raw<'a>,
        "input" => input: Option<Cow<'a, str>>,
        "output" => output: Content<'a>,
        "environment" => environment: Option<Environment<'a>>,
    }

    /// Where a shell runs: at the application's or in a container of the provider.
    struct Environment<'a> {
        "type" => kind: Option<Cow<'a, str>>,
    }
}

/// What an item is, as far as it matters for the end of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Somebody speaks.
    Message,
    /// The model calls a tool of the application.
    Call,
    /// Reasoning, tools of the provider, and whatever else.
    Other,
}

/// What an item says.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) kind: Kind,
    role: Role,
    parts: Vec<Part>,
}

impl Kind {
    pub(crate) fn of(kind: &str) -> Kind {
        match kind {
            "message" => Kind::Message,
            "function_call" | "custom_tool_call" | "computer_call" | "local_shell_call" | "shell_call"
            | "apply_patch_call" => Kind::Call,
            _ => Kind::Other,
        }
    }
}

impl Said {
    pub(crate) fn new(kind: Kind, role: Role, parts: Vec<Part>) -> Said {
        Said { kind, role, parts }
    }

    /// Reads an item. `None` where it is none.
    pub(crate) fn read(raw: Raw<'_>) -> Option<Said> {
        let item: Item<'_> = raw.to::<Option<Item<'_>>>()?;
        let kind = match (item.kind.as_deref(), item.role.is_some()) {
            (Some(kind), _) => kind.to_owned(),
            (None, true) => "message".to_owned(),
            (None, false) => "item_reference".to_owned(),
        };
        Some(item.said(&kind, raw))
    }

    /// Adds it to a conversation: a call belongs to what the model said before, and to its other calls. What says
    /// nothing is left out.
    pub(crate) fn add_to(self, messages: &mut Vec<Message>, reason: Option<FinishReason>) {
        if self.parts.is_empty() {
            return;
        }
        if let (Kind::Call, Some(last)) = (self.kind, messages.last_mut())
            && last.role == Role::Assistant
            && matches!(last.parts.last(), Some(Part::Text(_) | Part::ToolCall(_)))
        {
            last.parts.extend(self.parts);
            last.finish_reason = reason;
            return;
        }
        let mut message = Message::new(self.role, self.parts);
        message.finish_reason = reason;
        messages.push(message);
    }

    /// Its parts alone.
    pub(crate) fn into_parts(self) -> Vec<Part> {
        self.parts
    }
}

impl Item<'_> {
    fn said(self, kind: &str, raw: Raw<'_>) -> Said {
        let runs_at_provider = self.environment.as_ref().and_then(|environment| environment.kind.as_deref());
        match kind {
            "message" => {
                let role = self.role.as_deref().unwrap_or("user").into();
                Said::new(Kind::Message, role, content::parts(self.content))
            }
            "reasoning" => {
                Said::new(Kind::Other, Role::Assistant, content::reasoning(self.content, self.summary))
            }
            "function_call" => {
                let arguments = match self.arguments.value() {
                    Some(Value::String(text)) => parse_arguments(text),
                    arguments => arguments,
                };
                self.call(arguments)
            }
            "custom_tool_call" => {
                let input = self.input.as_deref().map(Value::from);
                self.call(input)
            }
            "shell_call" if runs_at_provider.is_some_and(|kind| kind.starts_with("container")) => {
                self.server_call(kind, raw)
            }
            "computer_call" | "local_shell_call" | "shell_call" | "apply_patch_call" => {
                let wanted = ["action", "actions", "operation"];
                let mut arguments = properties(raw);
                arguments.retain(|name, _| wanted.contains(&name.as_str()));
                let id = self.call_id.or(self.id).map(Cow::into_owned);
                let name = kind.trim_end_matches("_call").to_owned();
                let part = tool_call(id, name, Some(arguments.into()));
                Said::new(Kind::Call, Role::Assistant, vec![part])
            }
            "compaction" | "compaction_summary" => {
                let part = gather::compaction(self.id.map(Cow::into_owned), None);
                Said::new(Kind::Other, Role::Assistant, vec![part])
            }
            kind if kind.ends_with("_output") => self.answer(kind, raw),
            kind if kind.ends_with("_call") || kind == "mcp_list_tools" => self.server_call(kind, raw),
            kind => {
                let role = if kind.ends_with("_response") { Role::User } else { Role::Assistant };
                Said::new(Kind::Other, role, vec![Part::generic(kind, properties(raw))])
            }
        }
    }

    /// A call of a tool that the application runs. One without a name was too long to be told.
    fn call(self, arguments: Option<Value>) -> Said {
        let id = self.call_id.or(self.id).map(Cow::into_owned);
        let part = self.name.map(|name| tool_call(id, name.into_owned(), arguments));
        Said::new(Kind::Call, Role::Assistant, part.into_iter().collect())
    }

    /// A call of a tool that the provider runs, with its result, which is where OpenAI writes it.
    fn server_call(self, kind: &str, raw: Raw<'_>) -> Said {
        let kind = kind.strip_suffix("_call").unwrap_or(kind);
        let mut call = Map::new();
        call.insert("type".to_owned(), kind.into());
        let mut rest = properties(raw);
        rest.retain(|name, value| !value.is_null() && !matches!(name.as_str(), "id" | "name"));
        call.extend(rest);
        let id = self.id.or(self.call_id).map(Cow::into_owned);
        let part = gather::server_tool_call(id, self.name.as_deref().unwrap_or(kind), call);
        Said::new(Kind::Other, Role::Assistant, vec![part])
    }

    /// What a tool answered: one of the application, or (found by search) of the provider.
    fn answer(self, kind: &str, raw: Raw<'_>) -> Said {
        let output = match self.output {
            Content::Text(text) => Some(Value::String(text.into_owned())),
            Content::List(items) => Some(
                items.into_iter().filter_map(Raw::value).map(super::super::chat::response_item).collect(),
            ),
            // Something else, or nothing.
            Content::None => {
                let output = raw.value().and_then(|mut item| Some(item.get_mut("output")?.take()));
                output.filter(|output| !output.is_null()).map(media::value_without_secrets)
            }
        };
        let Some(id) = self.call_id else {
            let mut answer = Map::new();
            answer.insert("type".to_owned(), kind.into());
            let mut rest = properties(raw);
            rest.remove("id");
            answer.extend(rest);
            let part = gather::server_tool_response(self.id.map(Cow::into_owned), answer);
            return Said::new(Kind::Other, Role::Assistant, vec![part]);
        };
        let output = output.unwrap_or_else(|| {
            let mut rest = properties(raw);
            rest.retain(|name, _| !matches!(name.as_str(), "id" | "call_id"));
            rest.into()
        });
        Said::new(Kind::Other, Role::Tool, vec![Part::tool_call_response(id, output)])
    }
}

/// What an item says, word by word: without its type, what is encrypted, and the secrets of addresses.
fn properties(raw: Raw<'_>) -> Map<String, Value> {
    let Some(Value::Object(mut properties)) = raw.value().map(media::value_without_secrets) else {
        return Map::new();
    };
    properties.retain(|name, _| name != "type" && !name.starts_with("encrypted_"));
    properties
}
