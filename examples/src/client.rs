//! The model's client with telemetry around it: written once, so that the agent need not think of it.

use std::mem;

use futures_util::Stream;
use otel_genai::{Active, GenAi, Inference, Message, Part, ToolDefinition, Usage};

use crate::model::{Answer, Chunk, Model, ModelError};

/// The provider, as the conventions call it.
const PROVIDER: &str = "openai";
const HOST: (&str, u16) = ("api.openai.com", 443);
/// The model that is asked.
pub const MODEL: &str = "gpt-4o-mini";

/// Asks the model, and tells of it.
#[derive(Clone, Debug)]
pub struct Client {
    genai: GenAi,
    model: Model,
}

impl Client {
    /// A client whose telemetry goes there.
    #[must_use]
    pub fn new(genai: GenAi, model: Model) -> Self {
        Self { genai, model }
    }

    /// One answer.
    ///
    /// # Errors
    /// The model's.
    pub async fn chat(&self, history: &[Message], tools: &[ToolDefinition]) -> Result<Answer, ModelError> {
        self.genai
            .chat(PROVIDER, MODEL)
            .server(HOST.0, HOST.1)
            .request(|request| request.temperature = Some(0.2))
            .scope(async |call| {
                call.input(history.iter().cloned());
                call.tools(tools.iter().cloned());
                let answer = self.model.ask(history, tools).await?;
                let response = call.response_mut();
                response.id = Some(answer.id.clone());
                response.model = Some(answer.model.clone());
                response
                    .finish_reasons
                    .extend(answer.message.finish_reason.as_ref().map(ToString::to_string));
                call.output([answer.message.clone()]);
                call.usage(answer.tokens.0, answer.tokens.1);
                Ok(answer)
            })
            .await
    }

    /// One answer, in pieces. Whoever stops reading half-way has cancelled the call; what came until then is recorded.
    pub fn stream(&self, history: &[Message]) -> impl Stream<Item = Result<Chunk, ModelError>> + use<> {
        let mut call = self
            .genai
            .chat(PROVIDER, MODEL)
            .server(HOST.0, HOST.1)
            .request(|request| request.stream = true)
            .start();
        call.input(history.iter().cloned());
        let mut text = String::new();
        call.stream(self.model.stream(history), move |call: &mut Active<Inference>, chunk| match chunk {
            Chunk::Text(more) if call.captures_content() => {
                text.push_str(more);
                call.response.output_messages = vec![Message::assistant(&text)];
            }
            Chunk::Text(_) => {}
            Chunk::End { finish_reason, tokens } => {
                call.response.id = Some("chatcmpl-2".to_owned());
                call.response.model = Some("gpt-4o-mini-2024-07-18".to_owned());
                call.response.finish_reasons = vec![(*finish_reason).to_owned()];
                call.response.output_messages = mem::take(&mut call.response.output_messages)
                    .into_iter()
                    .map(|message| message.finish(*finish_reason))
                    .collect();
                call.usage = Usage::new(tokens.0, tokens.1);
            }
        })
    }

    /// Texts as vectors. Neither is recorded.
    ///
    /// # Errors
    /// The model's.
    pub async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, ModelError> {
        self.genai
            .embeddings(PROVIDER, "text-embedding-3-small")
            .server(HOST.0, HOST.1)
            .with(|call| call.encoding_formats = vec!["float".to_owned()])
            .scope(async |call| {
                let vectors = self.model.embed(texts).await?;
                call.dimension_count = vectors.first().and_then(|vector| i64::try_from(vector.len()).ok());
                call.response_model = Some("text-embedding-3-small".to_owned());
                call.usage(texts.iter().map(|text| text.split_whitespace().count() as u64).sum());
                Ok(vectors)
            })
            .await
    }
}

/// The tools that a message asks for, as (id, name, arguments).
pub fn tool_calls(message: &Message) -> impl Iterator<Item = (String, String, serde_json::Value)> {
    message.parts.iter().filter_map(|part| match part {
        Part::ToolCall(call) => Some((
            call.id.clone().unwrap_or_default(),
            call.name.clone(),
            call.arguments.clone().unwrap_or_default(),
        )),
        _ => None,
    })
}
