//! Tools, run by the application.

use std::borrow::Cow;

use otel_genai_semconv::value::OperationName;
use serde_json::Value;

use super::fact::of;
use super::{ContentMut, Custom, Fact, Facts, Field, Kind, Operation, operation};

/// A tool is run by the application (conventions, *Execute tool*).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ExecuteTool {
    /// The tool's name.
    pub name: String,
    /// `function`, `extension` or `datastore`.
    pub kind: Option<String>,
    /// The model's id of the call.
    pub call_id: Option<String>,
    /// What the tool does.
    pub description: Option<String>,
    /// The agent that runs it, where it is not the one around it.
    pub agent_name: Option<String>,
    /// The real id of the conversation, where it is not that of the operation around it.
    pub conversation_id: Option<String>,
    /// Content: the arguments. Text that is no JSON is a string.
    pub arguments: Option<Value>,
    /// Content: what the tool answered.
    pub result: Option<Value>,
    /// The Agent Skill that the tool loads, reads or runs.
    pub skill: Option<Skill>,
    /// The program that the tool runs.
    pub command: Option<Command>,
    /// Further attributes.
    pub custom: Custom,
}

/// An Agent Skill (<https://agentskills.io/specification>).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Skill {
    /// Its name.
    pub name: Option<String>,
    /// Its id (LoongSuite).
    pub id: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Its version (LoongSuite).
    pub version: Option<String>,
    /// Where it is loaded from.
    pub source_uri: Option<String>,
    /// The script, reference or asset in use, as the skill names it.
    pub resource_name: Option<String>,
}

impl Skill {
    /// The skill of this name.
    pub fn new(name: impl Into<String>) -> Self {
        Skill { name: Some(name.into()), ..Skill::default() }
    }
}

/// A program that a tool runs.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Command {
    /// The executable's name.
    pub executable_name: Option<String>,
    /// Its path.
    pub executable_path: Option<String>,
    /// How it ended.
    pub exit_code: Option<i64>,
}

impl Command {
    /// The program of this name.
    pub fn new(executable_name: impl Into<String>) -> Self {
        Command { executable_name: Some(executable_name.into()), ..Command::default() }
    }
}

impl ExecuteTool {
    /// A tool about which nothing is known yet but its name.
    pub fn new(name: impl Into<String>) -> Self {
        ExecuteTool {
            name: name.into(),
            kind: None,
            call_id: None,
            description: None,
            agent_name: None,
            conversation_id: None,
            arguments: None,
            result: None,
            skill: None,
            command: None,
            custom: Custom::default(),
        }
    }

    /// Parses a model's arguments; text that is no JSON is kept as a string.
    pub fn parse_arguments(text: &str) -> Value {
        serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
    }
}

operation!(ExecuteTool);

impl Facts for ExecuteTool {
    fn kind(&self) -> Kind {
        Kind::ExecuteTool
    }

    fn fact(&self, field: Field) -> Option<Fact<'_>> {
        let skill = self.skill.as_ref();
        let command = self.command.as_ref();
        match field {
            Field::OperationName => Some(Fact::Word(OperationName::ExecuteTool.into())),
            Field::ToolName => Some(Fact::Text(&self.name)),
            Field::ToolType => of::text(&self.kind),
            Field::ToolCallId => of::text(&self.call_id),
            Field::ToolDescription => of::text(&self.description),
            Field::AgentName => of::text(&self.agent_name),
            Field::ConversationId => of::text(&self.conversation_id),
            Field::ToolArguments => self.arguments.as_ref().map(|value| Fact::Json(Cow::Borrowed(value))),
            Field::ToolResult => self.result.as_ref().map(|value| Fact::Json(Cow::Borrowed(value))),
            Field::SkillName => skill.and_then(|skill| of::text(&skill.name)),
            Field::SkillId => skill.and_then(|skill| of::text(&skill.id)),
            Field::SkillDescription => skill.and_then(|skill| of::text(&skill.description)),
            Field::SkillVersion => skill.and_then(|skill| of::text(&skill.version)),
            Field::SkillSourceUri => skill.and_then(|skill| of::text(&skill.source_uri)),
            Field::SkillResourceName => skill.and_then(|skill| of::text(&skill.resource_name)),
            Field::ProcessExecutableName => command.and_then(|command| of::text(&command.executable_name)),
            Field::ProcessExecutablePath => command.and_then(|command| of::text(&command.executable_path)),
            Field::ProcessExitCode => of::int(command.and_then(|command| command.exit_code)),
            _ => None,
        }
    }

    fn custom(&self) -> &Custom {
        &self.custom
    }
}

impl Operation for ExecuteTool {
    fn custom_mut(&mut self) -> &mut Custom {
        &mut self.custom
    }

    fn content_mut(&mut self, change: &mut dyn FnMut(ContentMut<'_>)) {
        if let Some(arguments) = &mut self.arguments {
            change(ContentMut::Json(Field::ToolArguments, arguments));
        }
        if let Some(result) = &mut self.result {
            change(ContentMut::Json(Field::ToolResult, result));
        }
    }
}
