//! Fetching a stored answer.

use std::borrow::Cow;

use otel_genai_semconv::value::{OperationName, ProviderName, ResponseStatus};

use super::fact::of;
use super::inference::system;
use super::{
    ContentMut, Custom, Fact, Facts, Field, Kind, OpenAi, Operation, Server, fill, fill_custom, fill_list,
    operation,
};
use crate::message::{Message, Part, ToolDefinition};

/// An answer that the provider keeps is fetched by its id (conventions, *Fetch response*). No model runs, so no tokens
/// are used, and the fetch is good even where the answer it brings is a failure.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FetchResponse {
    /// Who answers.
    pub provider: ProviderName,
    /// Where the provider listens.
    pub server: Option<Server>,
    /// The id of the answer.
    pub response_id: String,
    /// Whether it is fetched as a stream.
    pub stream: bool,
    /// After which event a stream goes on.
    pub stream_cursor: Option<String>,
    /// How far the answer is.
    pub status: Option<ResponseStatus>,
    /// The model that answered.
    pub response_model: Option<String>,
    /// Why the model stopped.
    pub finish_reasons: Vec<String>,
    /// OpenAI's own metadata.
    pub openai: OpenAi,
    /// Content: the answer.
    pub output_messages: Vec<Message>,
    /// Content: the instructions it was made by.
    pub system_instructions: Vec<Part>,
    /// Content: the tools that were offered.
    pub tool_definitions: Vec<ToolDefinition>,
    /// Further attributes.
    pub custom: Custom,
}

impl FetchResponse {
    /// A fetch about which nothing is known yet but who is asked for what.
    pub fn new(provider: impl Into<ProviderName>, response_id: impl Into<String>) -> Self {
        FetchResponse {
            provider: provider.into(),
            server: None,
            response_id: response_id.into(),
            stream: false,
            stream_cursor: None,
            status: None,
            response_model: None,
            finish_reasons: Vec::new(),
            openai: OpenAi::default(),
            output_messages: Vec::new(),
            system_instructions: Vec::new(),
            tool_definitions: Vec::new(),
            custom: Custom::default(),
        }
    }
}

operation!(FetchResponse);

impl Facts for FetchResponse {
    fn kind(&self) -> Kind {
        Kind::FetchResponse
    }

    fn fact(&self, field: Field) -> Option<Fact<'_>> {
        match field {
            Field::OperationName => Some(Fact::Word(OperationName::FetchResponse.into())),
            Field::ProviderName => Some(Fact::Word(self.provider.clone().into())),
            Field::System => Some(Fact::Word(system(&self.provider))),
            Field::ServerAddress => self.server.as_ref().map(|server| Fact::Text(&server.address)),
            Field::ServerPort => of::int(self.server.as_ref().and_then(|server| server.port).map(i64::from)),
            Field::ResponseId => Some(Fact::Text(&self.response_id)),
            Field::Stream => of::flag(self.stream),
            Field::StreamCursor => of::text(&self.stream_cursor),
            Field::ResponseStatus => of::word(&self.status),
            Field::ResponseModel => of::text(&self.response_model),
            Field::FinishReasons => of::texts(&self.finish_reasons),
            Field::OutputMessages => of::messages(&self.output_messages),
            Field::SystemInstructions => {
                (!self.system_instructions.is_empty()).then_some(Fact::Parts(&self.system_instructions))
            }
            Field::ToolDefinitions => (!self.tool_definitions.is_empty())
                .then_some(Fact::Tools(Cow::Borrowed(&self.tool_definitions))),
            _ => self.openai.fact(field),
        }
    }

    fn custom(&self) -> &Custom {
        &self.custom
    }
}

impl Operation for FetchResponse {
    const CONVERSATION: bool = true;
    const LAYERED: bool = true;

    fn custom_mut(&mut self) -> &mut Custom {
        &mut self.custom
    }

    fn content_mut(&mut self, change: &mut dyn FnMut(ContentMut<'_>)) {
        change(ContentMut::Messages(Field::OutputMessages, &mut self.output_messages));
        change(ContentMut::Parts(Field::SystemInstructions, &mut self.system_instructions));
        change(ContentMut::Tools(Field::ToolDefinitions, &mut self.tool_definitions));
    }

    fn fill(&mut self, inner: &Self) {
        fill_custom(&mut self.custom, &inner.custom);
        fill(&mut self.server, &inner.server);
        self.stream |= inner.stream;
        fill(&mut self.stream_cursor, &inner.stream_cursor);
        fill(&mut self.status, &inner.status);
        fill(&mut self.response_model, &inner.response_model);
        fill_list(&mut self.finish_reasons, &inner.finish_reasons);
        fill_list(&mut self.output_messages, &inner.output_messages);
        fill_list(&mut self.system_instructions, &inner.system_instructions);
        fill_list(&mut self.tool_definitions, &inner.tool_definitions);
    }

    fn is_complete(&self) -> bool {
        !self.finish_reasons.is_empty()
    }
}
