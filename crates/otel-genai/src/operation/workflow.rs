//! Workflows: several agents or calls, put together by the application.

use otel_genai_semconv::value::OperationName;

use super::fact::of;
use super::{ContentMut, Custom, Fact, Facts, Field, Kind, Operation, operation};
use crate::message::Message;

/// A workflow runs (conventions, *Invoke workflow*): a graph or an orchestrator of several agents or calls.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct InvokeWorkflow {
    /// The application's name of it; one of few.
    pub name: Option<String>,
    /// The real id of the conversation.
    pub conversation_id: Option<String>,
    /// Content: what it is given.
    pub input_messages: Vec<Message>,
    /// Content: what it answers.
    pub output_messages: Vec<Message>,
    /// Further attributes.
    pub custom: Custom,
}

operation!(InvokeWorkflow);

impl Facts for InvokeWorkflow {
    fn kind(&self) -> Kind {
        Kind::InvokeWorkflow
    }

    fn fact(&self, field: Field) -> Option<Fact<'_>> {
        match field {
            Field::OperationName => Some(Fact::Word(OperationName::InvokeWorkflow.into())),
            Field::WorkflowName => of::text(&self.name),
            Field::ConversationId => of::text(&self.conversation_id),
            Field::InputMessages => of::messages(&self.input_messages),
            Field::OutputMessages => of::messages(&self.output_messages),
            _ => None,
        }
    }

    fn custom(&self) -> &Custom {
        &self.custom
    }
}

impl Operation for InvokeWorkflow {
    fn custom_mut(&mut self) -> &mut Custom {
        &mut self.custom
    }

    fn content_mut(&mut self, change: &mut dyn FnMut(ContentMut<'_>)) {
        change(ContentMut::Messages(Field::InputMessages, &mut self.input_messages));
        change(ContentMut::Messages(Field::OutputMessages, &mut self.output_messages));
    }
}
