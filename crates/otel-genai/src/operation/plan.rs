//! Planning: an agent decides what to do.

use otel_genai_semconv::value::OperationName;

use super::fact::of;
use super::{Custom, Fact, Facts, Field, Kind, Operation, operation};

/// An agent makes a plan (conventions, *Plan*). The model call that makes it is a child; what is then done stands
/// beside it.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Plan {
    /// The agent that plans, where it is not the one around it.
    pub agent_name: Option<String>,
    /// Further attributes.
    pub custom: Custom,
}

operation!(Plan);

impl Facts for Plan {
    fn kind(&self) -> Kind {
        Kind::Plan
    }

    fn fact(&self, field: Field) -> Option<Fact<'_>> {
        match field {
            Field::OperationName => Some(Fact::Word(OperationName::Plan.into())),
            Field::AgentName => of::text(&self.agent_name),
            _ => None,
        }
    }

    fn custom(&self) -> &Custom {
        &self.custom
    }
}

impl Operation for Plan {
    fn custom_mut(&mut self) -> &mut Custom {
        &mut self.custom
    }
}
