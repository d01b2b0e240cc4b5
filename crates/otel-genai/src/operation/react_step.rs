//! One round of a ReAct loop.

use otel_genai_semconv::value::OperationName;

use super::fact::of;
use super::{Custom, Fact, Facts, Field, Kind, Operation, operation};

/// One round of a ReAct loop: reason, act, observe (LoongSuite, *react step*).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ReactStep {
    /// Which round it is, from 1.
    pub round: Option<i64>,
    /// Why the round ended.
    pub finish_reason: Option<String>,
    /// Further attributes.
    pub custom: Custom,
}

operation!(ReactStep);

impl Facts for ReactStep {
    fn kind(&self) -> Kind {
        Kind::ReactStep
    }

    fn fact(&self, field: Field) -> Option<Fact<'_>> {
        match field {
            Field::OperationName => Some(Fact::Word(OperationName::React.into())),
            Field::ReactRound => of::int(self.round),
            Field::ReactFinishReason => of::text(&self.finish_reason),
            _ => None,
        }
    }

    fn custom(&self) -> &Custom {
        &self.custom
    }
}

impl Operation for ReactStep {
    fn custom_mut(&mut self) -> &mut Custom {
        &mut self.custom
    }
}
