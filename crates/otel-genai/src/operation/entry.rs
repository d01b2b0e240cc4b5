//! The entry of an application: what a user asked, and got.

use std::time::Duration;

use otel_genai_semconv::value::OperationName;

use super::fact::of;
use super::{ContentMut, Custom, Fact, Facts, Field, Kind, Operation, operation};
use crate::message::Message;

/// A user's request enters the application (LoongSuite, *entry*). Operations within it belong to its session and user.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Entry {
    /// The session.
    pub session_id: Option<String>,
    /// The user.
    pub user_id: Option<String>,
    /// From the request to the first chunk of the answer.
    pub time_to_first_chunk: Option<Duration>,
    /// Content: what the user asked.
    pub input_messages: Vec<Message>,
    /// Content: what the application answered.
    pub output_messages: Vec<Message>,
    /// Further attributes.
    pub custom: Custom,
}

operation!(Entry);

impl Facts for Entry {
    fn kind(&self) -> Kind {
        Kind::Entry
    }

    fn fact(&self, field: Field) -> Option<Fact<'_>> {
        match field {
            Field::OperationName => Some(Fact::Word(OperationName::Enter.into())),
            Field::SessionId => of::text(&self.session_id),
            Field::UserId => of::text(&self.user_id),
            Field::TimeToFirstChunk => of::float(self.time_to_first_chunk.map(|time| time.as_secs_f64())),
            Field::TimeToFirstChunkNanos => of::int(
                self.time_to_first_chunk.map(|time| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)),
            ),
            Field::InputMessages => of::messages(&self.input_messages),
            Field::OutputMessages => of::messages(&self.output_messages),
            _ => None,
        }
    }

    fn custom(&self) -> &Custom {
        &self.custom
    }
}

impl Operation for Entry {
    fn custom_mut(&mut self) -> &mut Custom {
        &mut self.custom
    }

    fn first_chunk(&mut self, after: Duration) {
        self.time_to_first_chunk = Some(after);
    }

    fn content_mut(&mut self, change: &mut dyn FnMut(ContentMut<'_>)) {
        change(ContentMut::Messages(Field::InputMessages, &mut self.input_messages));
        change(ContentMut::Messages(Field::OutputMessages, &mut self.output_messages));
    }
}
