//! How the model is asked: by the session, by the client for one answer, or as the provider says.

use std::borrow::Cow;

use otel_genai::{Inference, OutputType, Part, Prompt, ToolDefinition};

use super::super::chat::Texts;
use super::super::responses::{self, Template};
use crate::gather::owned;
use crate::json::{self, Raw, object};

object! {
    /// Settings as they are written, in a session and in an answer.
    struct Given<'a> {
        "model" => model: Option<Cow<'a, str>>,
        "conversation" => conversation: Option<Cow<'a, str>>,
        "temperature" => temperature: Option<f64>,
        // A number, or `inf`.
        "max_output_tokens" | "max_response_output_tokens" => max_tokens: json::Given<Option<i64>>,
        "output_modalities" | "modalities" => modalities: Texts,
        "reasoning" => reasoning: Option<Reasoning<'a>>,
        "prompt" => prompt: Option<Template<'a>>,
        "input_audio_format" => format: Option<Cow<'a, str>>,
        "audio" => audio: Option<Audio<'a>>,
        // The content.
        "instructions" => instructions: Option<Cow<'a, str>>,
        "tools" => tools: json::Given<Raw<'a>>,
        "input" => input: json::Given<Vec<Raw<'a>>>,
    }

    struct Reasoning<'a> {
        "effort" => effort: Option<Cow<'a, str>>,
    }

    struct Audio<'a> {
        "input" => input: Option<Heard<'a>>,
    }

    struct Heard<'a> {
        "format" => format: Option<Format<'a>>,
    }

    struct Format<'a> {
        "type" => kind: Option<Cow<'a, str>>,
    }
}

/// Settings, as far as they were given.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    model: Option<String>,
    /// The model that answers.
    answers: Option<String>,
    temperature: Option<f64>,
    max_tokens: Option<Option<i64>>,
    output_type: Option<OutputType>,
    reasoning: Option<String>,
    prompt: Option<Prompt>,
    instructions: Option<String>,
    tools: Option<Vec<ToolDefinition>>,
    /// The media type of the sound that the client sends.
    sound: Option<String>,
}

impl Settings {
    /// Takes over all that is given.
    pub(super) fn take(&mut self, given: Given<'_>, content: bool) {
        let has = |modality: &str| given.modalities.0.iter().any(|given| given == modality);
        let format = given.audio.and_then(|audio| audio.input).and_then(|input| input.format);
        let sound = format.and_then(|format| format.kind).or(given.format);
        self.merge(Settings {
            model: owned(given.model),
            answers: None,
            temperature: given.temperature,
            max_tokens: given.max_tokens.is_given.then_some(given.max_tokens.value),
            output_type: match () {
                () if has("audio") => Some(OutputType::Speech),
                () if has("text") => Some(OutputType::Text),
                () => None,
            },
            reasoning: owned(given.reasoning.and_then(|reasoning| reasoning.effort)),
            prompt: given.prompt.and_then(Template::prompt),
            instructions: given.instructions.filter(|_| content).map(Cow::into_owned),
            tools: (content && given.tools.is_given).then(|| responses::tools(given.tools.value)),
            sound: sound.map(|sound| media_type(&sound)),
        });
    }

    /// The model that the provider names is the one that answers.
    pub(super) fn answers(&mut self, given: &Given<'_>) {
        self.answers = owned(given.model.clone()).or(self.answers.take());
    }

    /// What was given later counts.
    pub(super) fn merge(&mut self, later: Settings) {
        fn take<T>(into: &mut Option<T>, from: Option<T>) {
            if from.is_some() {
                *into = from;
            }
        }
        take(&mut self.model, later.model);
        take(&mut self.answers, later.answers);
        take(&mut self.temperature, later.temperature);
        take(&mut self.max_tokens, later.max_tokens);
        take(&mut self.output_type, later.output_type);
        take(&mut self.reasoning, later.reasoning);
        take(&mut self.prompt, later.prompt);
        take(&mut self.instructions, later.instructions);
        take(&mut self.tools, later.tools);
        take(&mut self.sound, later.sound);
    }

    /// Writes down who is asked for what, without content.
    pub(super) fn fill(&self, operation: &mut Inference) {
        let request = &mut operation.request;
        // The address knows better: the session may name the model by another name.
        request.model = request.model.take().or_else(|| self.model.clone());
        request.temperature = self.temperature;
        request.max_tokens = self.max_tokens.flatten();
        request.output_type = self.output_type.clone();
        request.reasoning_level.clone_from(&self.reasoning);
        request.prompt.clone_from(&self.prompt);
        operation.response.model.clone_from(&self.answers);
    }

    /// Writes down the content.
    pub(super) fn fill_content(self, operation: &mut Inference) {
        let instructions = self.instructions.filter(|text| !text.is_empty());
        operation.request.system_instructions = instructions.map(Part::text).into_iter().collect();
        operation.request.tool_definitions = self.tools.unwrap_or_default();
    }

    /// The media type of the sound that the client sends.
    pub(super) fn sound(&self) -> &str {
        self.sound.as_deref().unwrap_or("audio/pcm")
    }
}

/// The older words are names of codecs.
fn media_type(format: &str) -> String {
    match format {
        "pcm16" => "audio/pcm".to_owned(),
        "g711_ulaw" => "audio/pcmu".to_owned(),
        "g711_alaw" => "audio/pcma".to_owned(),
        other => json::prefix(other, 100).to_owned(),
    }
}
