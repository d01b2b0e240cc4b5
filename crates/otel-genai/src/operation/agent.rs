//! Agents: created at a service, invoked here or there.

use std::time::Duration;

use otel_genai_semconv::value::{OperationName, ProviderName};

use super::fact::of;
use super::inference::system;
use super::{
    ContentMut, Custom, Fact, Facts, Field, InferenceRequest, InferenceResponse, Kind, Operation, Server,
    operation,
};
use crate::message::Part;
use crate::usage::Usage;

/// An agent is created at a service that hosts agents (conventions, *Create agent*).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct CreateAgent {
    /// The service.
    pub provider: Option<ProviderName>,
    /// Where it listens.
    pub server: Option<Server>,
    /// The agent's name, as the application calls it.
    pub name: Option<String>,
    /// The service's stable id of the agent.
    pub id: Option<String>,
    /// What the agent is for.
    pub description: Option<String>,
    /// The agent's version.
    pub version: Option<String>,
    /// The model it is to use.
    pub model: Option<String>,
    /// Content: its instructions.
    pub system_instructions: Vec<Part>,
    /// Further attributes.
    pub custom: Custom,
}

operation!(CreateAgent);

impl Facts for CreateAgent {
    fn kind(&self) -> Kind {
        Kind::CreateAgent
    }

    fn fact(&self, field: Field) -> Option<Fact<'_>> {
        match field {
            Field::OperationName => Some(Fact::Word(OperationName::CreateAgent.into())),
            Field::ProviderName => of::word(&self.provider),
            Field::System => self.provider.as_ref().map(|provider| Fact::Word(system(provider))),
            Field::ServerAddress => self.server.as_ref().map(|server| Fact::Text(&server.address)),
            Field::ServerPort => of::int(self.server.as_ref().and_then(|server| server.port).map(i64::from)),
            Field::AgentName => of::text(&self.name),
            Field::AgentId => of::text(&self.id),
            Field::AgentDescription => of::text(&self.description),
            Field::AgentVersion => of::text(&self.version),
            Field::RequestModel => of::text(&self.model),
            Field::SystemInstructions => {
                (!self.system_instructions.is_empty()).then_some(Fact::Parts(&self.system_instructions))
            }
            _ => None,
        }
    }

    fn custom(&self) -> &Custom {
        &self.custom
    }
}

impl Operation for CreateAgent {
    fn custom_mut(&mut self) -> &mut Custom {
        &mut self.custom
    }

    fn content_mut(&mut self, change: &mut dyn FnMut(ContentMut<'_>)) {
        change(ContentMut::Parts(Field::SystemInstructions, &mut self.system_instructions));
    }
}

/// An agent is given a task (conventions, *Invoke agent*): one of this process, or one that a service hosts.
///
/// Operations within it belong to it: they inherit its name and its conversation, and their number is measured.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct InvokeAgent {
    /// Whether a service hosts the agent. Decided before it starts: it is the span's kind.
    pub remote: bool,
    /// The service, or who answers the agent's model calls.
    pub provider: Option<ProviderName>,
    /// Where the service listens.
    pub server: Option<Server>,
    /// The agent's name, as the application calls it.
    pub name: Option<String>,
    /// The service's stable id of the agent; never the id of an object in memory.
    pub id: Option<String>,
    /// What the agent is for.
    pub description: Option<String>,
    /// The agent's version.
    pub version: Option<String>,
    /// The real id of the conversation; never one made up for telemetry.
    pub conversation_id: Option<String>,
    /// Where the agent looks things up.
    pub data_source_id: Option<String>,
    /// What is asked: settings, and the messages given to the agent.
    pub request: InferenceRequest,
    /// What the agent answered.
    pub response: InferenceResponse,
    /// Tokens used by the whole invocation.
    pub usage: Usage,
    /// Further attributes.
    pub custom: Custom,
}

operation!(InvokeAgent);

impl Facts for InvokeAgent {
    fn kind(&self) -> Kind {
        if self.remote { Kind::InvokeAgentClient } else { Kind::InvokeAgentInternal }
    }

    fn fact(&self, field: Field) -> Option<Fact<'_>> {
        match field {
            Field::OperationName => Some(Fact::Word(OperationName::InvokeAgent.into())),
            Field::ProviderName => of::word(&self.provider),
            Field::System => self.provider.as_ref().map(|provider| Fact::Word(system(provider))),
            Field::ServerAddress => self.server.as_ref().map(|server| Fact::Text(&server.address)),
            Field::ServerPort => of::int(self.server.as_ref().and_then(|server| server.port).map(i64::from)),
            Field::AgentName => of::text(&self.name),
            Field::AgentId => of::text(&self.id),
            Field::AgentDescription => of::text(&self.description),
            Field::AgentVersion => of::text(&self.version),
            Field::ConversationId => of::text(&self.conversation_id),
            Field::DataSourceId => of::text(&self.data_source_id),
            _ if field.is_usage() => self.usage.fact(field),
            _ if field.is_response() => self.response.fact(field),
            _ => self.request.fact(field),
        }
    }

    fn custom(&self) -> &Custom {
        &self.custom
    }
}

impl Operation for InvokeAgent {
    const CONVERSATION: bool = true;
    fn custom_mut(&mut self) -> &mut Custom {
        &mut self.custom
    }

    fn first_chunk(&mut self, after: Duration) {
        self.response.time_to_first_chunk = Some(after);
    }

    fn content_mut(&mut self, change: &mut dyn FnMut(ContentMut<'_>)) {
        self.request.content_mut(change);
        self.response.content_mut(change);
    }

    fn is_complete(&self) -> bool {
        !self.response.finish_reasons.is_empty()
    }
}
