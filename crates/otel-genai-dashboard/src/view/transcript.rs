//! What was said, as the page reads it: messages and lists of tools once, named by their hashes.

use std::collections::{BTreeMap, HashMap};

use otel_genai as said;
use otel_genai_store::{SpanKey, TraceId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::{ContentState, Cost, Evaluation, Op, SpanState, Usage, is_false, millis};
use crate::transcript::{self as core, MessageHash};

/// What was said.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Transcript {
    /// Another number whenever the trace is another.
    pub rev: u64,
    /// All conversations.
    pub chains: Vec<Chain>,
    /// The calls, in the order in which they began.
    pub calls: Vec<Call>,
    /// The messages of these calls, by their hashes.
    pub messages: BTreeMap<String, Message>,
    /// The lists of tools of these calls, by their hashes.
    pub tools: BTreeMap<String, Vec<ToolDefinition>>,
    /// Tools that ran, and no message asks for them.
    pub orphan_tools: Vec<OrphanTool>,
    /// There are more calls: from this number on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<u32>,
    /// What a single call had beyond what fits into an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
    /// The trace has more spans than this, of which it is told: the first, or the first of generative AI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub looked_at: Option<u64>,
}

/// What did not fit into an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cut {
    /// Messages.
    pub messages: u64,
    /// Bytes of them.
    pub bytes: u64,
}

/// A tool that ran, and no message asks for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrphanTool {
    /// Its span.
    pub span: String,
    /// When it began, in milliseconds since 1970.
    pub at: f64,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// Who speaks.
    pub role: String,
    /// The participant's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What is said, in order.
    pub parts: Vec<Part>,
    /// Why the model stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish: Option<String>,
    /// How many tokens it is, where that was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
}

/// A text, as far as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Text {
    /// The text, or its beginning.
    pub content: String,
    /// How long the whole is in bytes, where it is cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<usize>,
    /// Where the whole is, where it is cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more: Option<String>,
}

/// A part of a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Part {
    /// Text.
    Text(Text),
    /// The model's reasoning.
    Reasoning(Text),
    /// A summary of what was said before.
    Compaction(Text),
    /// The model asks for a tool.
    ToolCall {
        /// The call's id.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// The tool's name.
        name: String,
        /// What it is called with.
        #[serde(skip_serializing_if = "Option::is_none")]
        arguments: Option<Json>,
        /// The same as it was told, where it is no JSON.
        #[serde(skip_serializing_if = "Option::is_none")]
        raw: Option<String>,
        /// What it led to.
        #[serde(skip_serializing_if = "Option::is_none")]
        join: Option<Join>,
    },
    /// What a tool answered.
    ToolCallResponse {
        /// The call's id.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// The answer.
        response: Json,
        /// How long the whole is in bytes, where it is cut.
        #[serde(skip_serializing_if = "Option::is_none")]
        cut: Option<usize>,
        /// Where the whole is, where it is cut.
        #[serde(skip_serializing_if = "Option::is_none")]
        more: Option<String>,
        /// What it answers.
        #[serde(skip_serializing_if = "Option::is_none")]
        join: Option<Join>,
    },
    /// The provider ran a tool of its own.
    ServerToolCall {
        /// The call's id.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// The tool's name.
        name: String,
        /// What it was called with.
        call: Json,
    },
    /// What the provider's own tool answered.
    ServerToolCallResponse {
        /// The call's id.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// The answer.
        response: Json,
    },
    /// A picture, sound, film or file.
    #[serde(rename_all = "camelCase")]
    Media {
        /// What kind it is.
        modality: String,
        /// Its media type.
        #[serde(skip_serializing_if = "Option::is_none")]
        mime: Option<String>,
        /// How large it is.
        #[serde(skip_serializing_if = "Option::is_none")]
        bytes: Option<usize>,
        /// The data, as a `data:` URL.
        #[serde(skip_serializing_if = "Option::is_none")]
        src: Option<String>,
        /// Where it is.
        #[serde(skip_serializing_if = "Option::is_none")]
        uri: Option<String>,
        /// What the provider calls it.
        #[serde(skip_serializing_if = "Option::is_none")]
        file_id: Option<String>,
    },
    /// Anything else, also what else was told of the part before.
    Generic {
        /// What it calls itself.
        kind: String,
        /// As it came.
        value: Json,
    },
}

/// What a tool call led to, or what an answer belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Join {
    /// The span of the tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<String>,
    /// The trace of that span, in the transcript of a conversation: a tool may run in a later trace than the call that asks
    /// for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// How they were found to belong together.
    pub by: JoinedBy,
    /// How long the tool ran, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<f64>,
    /// How it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What it was.
    pub kind: ToolKind,
    /// The chain of the agent that ran as this tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<u32>,
    /// The message that carries the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
    /// The message that asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
    /// The how manieth call with these arguments in its chain, from 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeats: Option<u32>,
}

/// How a tool call and its span or answer were found to belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JoinedBy {
    /// By the id of the call.
    CallId,
    /// By name, arguments and order.
    NameArguments,
}

/// What ran as a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ToolKind {
    /// A function of the program.
    Tool,
    /// A tool of an MCP server.
    Mcp,
    /// Another agent.
    Agent,
    /// A search for documents.
    Retrieval,
}

/// Where a message was told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// In which way.
    pub carrier: Carrier,
    /// The attribute or event.
    pub name: String,
    /// The place in its list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
    /// On which span.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<String>,
    /// In which log record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// How the record was found to belong to the call.
    pub matched: Matched,
    /// The value was cut off, or is not quite JSON.
    #[serde(default, skip_serializing_if = "is_false")]
    pub partial: bool,
    /// It was told there with other white space.
    #[serde(default, skip_serializing_if = "is_false")]
    pub loose: bool,
}

/// The ways in which content arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Carrier {
    /// A log record with an operation's details.
    LogDetails,
    /// The span's attributes, as the conventions have them.
    SpanAttribute,
    /// A span event with an operation's details.
    SpanEvent,
    /// Content that was uploaded.
    Reference,
    /// One log record a message.
    LogLegacy,
    /// One span event a message.
    SpanEventLegacy,
    /// Prompt and completion, each as a whole.
    Oldest,
    /// OpenLLMetry's attributes.
    Openllmetry,
    /// OpenInference's attributes.
    Openinference,
    /// The Vercel AI SDK's attributes.
    Vercel,
    /// Logfire's and pydantic-ai's attributes.
    Logfire,
    /// MLflow's attributes.
    Mlflow,
    /// Traceloop's inputs and outputs.
    Traceloop,
    /// The log events of a coding agent.
    CodingAgent,
    /// The span of the tool itself.
    ToolSpan,
}

/// How a record was found to belong to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Matched {
    /// It names the span, or is part of it.
    Span,
    /// It names the answer's id.
    ResponseId,
    /// It is of the same conversation and service, and of that time.
    ConversationTime,
    /// It belongs to no span.
    None,
}

/// A message of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// Which.
    pub message: String,
    /// Where it was told, the best first.
    pub sources: Vec<Source>,
    /// What others say that it was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<Version>,
    /// Logs and spans tell of the call, and only one of them of this message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only_in: Option<OnlyIn>,
}

/// What another source says that a message was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Version {
    /// Which.
    pub message: String,
    /// Who says so.
    pub source: Source,
}

/// Which of two signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnlyIn {
    /// Log records.
    Log,
    /// Spans.
    Span,
}

/// A call to a model, or to an agent whose calls nobody tells of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// Its number in the trace, from 0.
    pub ordinal: u32,
    /// How many calls its chain has.
    pub of: u32,
    /// Its chain's id.
    pub chain: u32,
    /// Its span; none where only logs tell of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<String>,
    /// Its trace.
    pub trace: String,
    /// What was done.
    pub op: Op,
    /// When it began, in milliseconds since 1970.
    pub at: f64,
    /// How long it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<f64>,
    /// How long until the first chunk of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttft_ms: Option<f64>,
    /// Whether it has ended.
    pub state: SpanState,
    /// Who ran the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The model that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The model that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_model: Option<String>,
    /// Tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// What it cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// Why the model stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish: Option<String>,
    /// How it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<CallError>,
    /// The instructions.
    pub system: Vec<Seen>,
    /// How many messages of the input are those of `previous` and its answer.
    pub carried: u32,
    /// The call whose conversation this one goes on with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<u32>,
    /// What is new in the input.
    pub input: Vec<Seen>,
    /// What the model said; behind it what tools answered, where only their spans tell it.
    pub output: Vec<Seen>,
    /// The tools that were offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<String>,
    /// They are others than in the call before.
    #[serde(default, skip_serializing_if = "is_false")]
    pub tools_changed: bool,
    /// The history is not what it was in the call before.
    #[serde(rename = "break", skip_serializing_if = "Option::is_none")]
    pub rewritten: Option<Break>,
    /// Whether what was said is there.
    pub content: ContentState,
    /// Which setting brings it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// How it was judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evaluations: Vec<Evaluation>,
}

/// How a call failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CallError {
    /// `error.type`, or the like.
    #[serde(rename = "type")]
    pub kind: String,
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Where a history is not what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Break {
    /// The first message that differs.
    pub at: u32,
    /// In what.
    pub why: Why,
    /// Tokens from the cache in the call before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached_before: Option<u64>,
    /// And in this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached_now: Option<u64>,
}

/// Why a history is not what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The instructions are others.
    SystemChanged,
    /// The tools are others.
    ToolsChanged,
    /// A message says something else.
    MessageChanged,
    /// A message is gone.
    MessageRemoved,
    /// Older messages were summarised.
    Compaction,
}

/// One conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Chain {
    /// Its number.
    pub id: u32,
    /// Whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The agent's span.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<String>,
    /// The chain of the agent around.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<u32>,
    /// What asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
    /// How many calls it has.
    pub calls: u32,
    /// Its last answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Tokens as the agent's own span tells them; in no sum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reported: Option<Usage>,
    /// How its context grew, in bytes.
    pub growth: Vec<Growth>,
}

/// What asked for an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// The call.
    pub call: u32,
    /// The tool call's id; its name where it has none.
    pub tool_call: String,
}

/// What the context of a call is made of, in bytes of content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Growth {
    /// The call.
    pub call: u32,
    /// Instructions.
    pub system: u64,
    /// Definitions of tools.
    pub tools: u64,
    /// What was asked.
    pub user: u64,
    /// What the model had said.
    pub assistant: u64,
    /// What tools had answered.
    pub tool_results: u64,
}

/// A tool that the model may call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ToolDefinition {
    /// `function`, or the provider's name of a kind.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The schema of its arguments, and what else was told of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Json>,
}

/// How much of a transcript is shown, and where the rest is.
pub struct Shown<'a> {
    /// Texts are cut behind so many bytes; 0: never.
    pub cut: usize,
    /// Where a part of a message is in full: by the message's hash and the part's place.
    pub more: &'a dyn Fn(&str, usize) -> String,
    /// The trace of which all is told, where it is one.
    pub trace: Option<TraceId>,
}

impl Transcript {
    /// As the page reads it. `rev` is that of the trace.
    #[must_use]
    pub fn of(transcript: &core::Transcript, rev: u64, shown: &Shown<'_>) -> Self {
        let message = |(hash, said): &(MessageHash, core::Said)| {
            let hash = hash.to_string();
            let message = Message::of(said, &hash, shown);
            (hash, message)
        };
        let tools = |(hash, list): &(MessageHash, Vec<said::ToolDefinition>)| {
            (hash.to_string(), list.iter().map(ToolDefinition::from).collect())
        };
        // Calls without a trace stand with the others.
        let trace = transcript.calls.iter().find_map(|call| call.trace);
        let trace = trace.map_or_else(|| "0".repeat(32), |trace| trace.to_string());
        Self {
            rev,
            chains: transcript.chains.iter().map(Chain::from).collect(),
            calls: transcript.calls.iter().map(|call| Call::of(call, &trace)).collect(),
            messages: transcript.messages.iter().map(message).collect(),
            tools: transcript.tools.iter().map(tools).collect(),
            orphan_tools: transcript
                .orphan_tools
                .iter()
                .map(|tool| OrphanTool { span: span(tool.span), at: millis(tool.at) })
                .collect(),
            next: transcript.next,
            cut: transcript.cut.map(|cut| Cut { messages: cut.messages, bytes: cut.bytes }),
            looked_at: None,
        }
    }

    /// Puts the calls behind it that come next.
    pub(crate) fn append(&mut self, next: Self) {
        self.calls.extend(next.calls);
        self.messages.extend(next.messages);
        self.tools.extend(next.tools);
        self.next = next.next;
    }
}

fn span(key: SpanKey) -> String {
    key.span.to_string()
}

fn owned(text: &std::sync::Arc<str>) -> String {
    text.as_ref().to_owned()
}

fn took(duration: std::time::Duration) -> f64 {
    super::number::duration(duration)
}

/// The whole text of a part, for those who want more than is shown.
#[must_use]
pub fn whole(part: &said::Part) -> String {
    match part {
        said::Part::Text(text) => text.content.clone(),
        said::Part::Reasoning(text) => text.content.clone(),
        said::Part::Compaction(text) => text.content.clone().unwrap_or_default(),
        said::Part::ToolCallResponse(answer) => match &answer.response {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        },
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}

impl Message {
    fn of(said: &core::Said, hash: &str, shown: &Shown<'_>) -> Self {
        let joins: HashMap<usize, Join> =
            said.joins.iter().map(|(part, join)| (*part, Join::of(join, shown))).collect();
        let message = &said.message;
        let mut parts = Vec::with_capacity(message.parts.len());
        for (at, part) in message.parts.iter().enumerate() {
            let (told, extra) = part_of(part, joins.get(&at).cloned(), shown, || (shown.more)(hash, at));
            parts.push(told);
            if !extra.is_empty() {
                parts.push(Part::Generic { kind: kind(part).to_owned(), value: Json::Object(extra) });
            }
        }
        let tokens = ["token_count", "tokens"].into_iter().find_map(|key| message.extra.get(key)?.as_u64());
        let extra: Map<String, Json> = message
            .extra
            .iter()
            .filter(|(key, value)| !(value.is_u64() && ["token_count", "tokens"].contains(&key.as_str())))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        if !extra.is_empty() {
            parts.push(Part::Generic { kind: "message".to_owned(), value: Json::Object(extra) });
        }
        Self {
            role: message.role.to_string(),
            name: message.name.clone(),
            parts,
            finish: message.finish_reason.as_ref().map(ToString::to_string),
            tokens,
        }
    }
}

fn kind(part: &said::Part) -> &str {
    match part {
        said::Part::Text(_) => "text",
        said::Part::Reasoning(_) => "reasoning",
        said::Part::ToolCall(_) => "tool_call",
        said::Part::ToolCallResponse(_) => "tool_call_response",
        _ => "part",
    }
}

/// The beginning of a text where it is long, with its whole length.
fn cut(text: &str, most: usize) -> Option<(String, usize)> {
    (most > 0 && text.len() > most).then(|| {
        let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        (text.get(..end).unwrap_or_default().to_owned(), text.len())
    })
}

fn text(content: &str, shown: &Shown<'_>, more: impl Fn() -> String) -> Text {
    match cut(content, shown.cut) {
        Some((beginning, whole)) => Text { content: beginning, cut: Some(whole), more: Some(more()) },
        None => Text { content: content.to_owned(), cut: None, more: None },
    }
}

/// A part, and what else was told of it.
fn part_of(
    part: &said::Part,
    join: Option<Join>,
    shown: &Shown<'_>,
    more: impl Fn() -> String,
) -> (Part, Map<String, Json>) {
    match part {
        said::Part::Text(told) => (Part::Text(text(&told.content, shown, more)), told.extra.clone()),
        said::Part::Reasoning(told) => {
            (Part::Reasoning(text(&told.content, shown, more)), told.extra.clone())
        }
        said::Part::Compaction(told) => {
            let content = told.content.as_deref().unwrap_or_default();
            (Part::Compaction(text(content, shown, more)), told.extra.clone())
        }
        said::Part::ToolCall(told) => {
            let (arguments, raw) = match &told.arguments {
                Some(Json::String(text)) => (None, Some(text.clone())),
                other => (other.clone(), None),
            };
            (
                Part::ToolCall { id: told.id.clone(), name: told.name.clone(), arguments, raw, join },
                told.extra.clone(),
            )
        }
        said::Part::ToolCallResponse(told) => {
            let whole = match &told.response {
                Json::String(text) => cut(text, shown.cut),
                other if shown.cut > 0 => cut(&other.to_string(), shown.cut),
                _ => None,
            };
            let response = match &whole {
                Some((beginning, _)) => Json::from(beginning.as_str()),
                None => told.response.clone(),
            };
            let more = whole.is_some().then(more);
            let cut = whole.map(|(_, whole)| whole);
            (Part::ToolCallResponse { id: told.id.clone(), response, cut, more, join }, told.extra.clone())
        }
        said::Part::ServerToolCall(told) => {
            let call = told.server_tool_call.clone();
            (Part::ServerToolCall { id: told.id.clone(), name: told.name.clone(), call }, told.extra.clone())
        }
        said::Part::ServerToolCallResponse(told) => {
            let response = told.server_tool_call_response.clone();
            (Part::ServerToolCallResponse { id: told.id.clone(), response }, told.extra.clone())
        }
        said::Part::Blob(told) => {
            let mime = told.mime_type.clone();
            let src = format!(
                "data:{};base64,{}",
                mime.as_deref().unwrap_or("application/octet-stream"),
                told.content
            );
            let padded = told.content.trim_end_matches('=').len();
            let other = not_base64(&told.content);
            let media = Part::Media {
                modality: told.modality.to_string(),
                mime,
                bytes: other.is_none().then_some(padded * 3 / 4),
                src: Some(src).filter(|_| other.is_none()),
                uri: None,
                file_id: None,
            };
            let mut extra = told.extra.clone();
            // What became of the data: that they were cut, say.
            extra.extend(other.map(|other| ("content".to_owned(), other.into())));
            (media, extra)
        }
        said::Part::File(told) => {
            let media = Part::Media {
                modality: told.modality.to_string(),
                mime: told.mime_type.clone(),
                bytes: None,
                src: None,
                uri: None,
                file_id: Some(told.file_id.clone()),
            };
            (media, told.extra.clone())
        }
        said::Part::Uri(told) => {
            let media = Part::Media {
                modality: told.modality.to_string(),
                mime: told.mime_type.clone(),
                bytes: None,
                src: None,
                uri: Some(told.uri.clone()),
                file_id: None,
            };
            (media, told.extra.clone())
        }
        said::Part::Generic(told) => {
            let value = Json::Object(told.properties.clone());
            (Part::Generic { kind: told.kind.clone(), value }, Map::new())
        }
        other => {
            let value = serde_json::to_value(other).unwrap_or_default();
            (Part::Generic { kind: kind(other).to_owned(), value }, Map::new())
        }
    }
}

/// Where a text is no base64, in any of its lines, so much of it as people may want to see.
fn not_base64(text: &str) -> Option<String> {
    let is_digit = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '/');
    let digits = text.trim_end_matches('=');
    let at = digits.find(|letter: char| !is_digit(letter) && !letter.is_ascii_whitespace())?;
    Some(text.get(at..)?.chars().take(200).collect())
}

impl Join {
    fn of(join: &core::Join, shown: &Shown<'_>) -> Self {
        let elsewhere = join.span.map(|span| span.trace).filter(|trace| shown.trace != Some(*trace));
        Self {
            span: join.span.map(span),
            trace: elsewhere.map(|trace| trace.to_string()),
            by: match join.by {
                core::JoinedBy::CallId => JoinedBy::CallId,
                core::JoinedBy::NameArguments => JoinedBy::NameArguments,
            },
            duration_ms: join.duration.map(took),
            error: join.error.as_ref().map(owned),
            kind: match join.kind {
                core::ToolKind::Tool => ToolKind::Tool,
                core::ToolKind::Mcp => ToolKind::Mcp,
                core::ToolKind::Agent => ToolKind::Agent,
                core::ToolKind::Retrieval => ToolKind::Retrieval,
            },
            chain: join.chain,
            response: join.response.map(|hash| hash.to_string()),
            asked: join.asked.map(|hash| hash.to_string()),
            repeats: (join.repeats > 0).then(|| join.repeats + 1),
        }
    }
}

impl From<&core::Source> for Source {
    fn from(source: &core::Source) -> Self {
        Self {
            carrier: source.carrier.into(),
            name: owned(&source.name),
            index: source.index,
            span: source.span.map(span),
            log: source.log.map(|log| log.to_string()),
            matched: match source.matched {
                core::Matched::Span => Matched::Span,
                core::Matched::ResponseId => Matched::ResponseId,
                core::Matched::ConversationTime => Matched::ConversationTime,
                core::Matched::None => Matched::None,
            },
            partial: source.partial,
            loose: source.loose,
        }
    }
}

impl From<core::Carrier> for Carrier {
    fn from(carrier: core::Carrier) -> Self {
        match carrier {
            core::Carrier::LogDetails => Self::LogDetails,
            core::Carrier::SpanAttribute => Self::SpanAttribute,
            core::Carrier::SpanEvent => Self::SpanEvent,
            core::Carrier::Reference => Self::Reference,
            core::Carrier::LogLegacy => Self::LogLegacy,
            core::Carrier::SpanEventLegacy => Self::SpanEventLegacy,
            core::Carrier::Oldest => Self::Oldest,
            core::Carrier::OpenLlmetry => Self::Openllmetry,
            core::Carrier::OpenInference => Self::Openinference,
            core::Carrier::Vercel => Self::Vercel,
            core::Carrier::Logfire => Self::Logfire,
            core::Carrier::Mlflow => Self::Mlflow,
            core::Carrier::Traceloop => Self::Traceloop,
            core::Carrier::CodingAgent => Self::CodingAgent,
            core::Carrier::ToolSpan => Self::ToolSpan,
        }
    }
}

impl From<&core::Seen> for Seen {
    fn from(seen: &core::Seen) -> Self {
        let version = |(message, source): &(MessageHash, core::Source)| Version {
            message: message.to_string(),
            source: source.into(),
        };
        Self {
            message: seen.message.to_string(),
            sources: seen.sources.iter().map(Source::from).collect(),
            versions: seen.versions.iter().map(version).collect(),
            only_in: seen.only_in.map(|only| match only {
                core::OnlyIn::Log => OnlyIn::Log,
                core::OnlyIn::Span => OnlyIn::Span,
            }),
        }
    }
}

impl Call {
    fn of(call: &core::Call, trace: &str) -> Self {
        let seen = |list: &[core::Seen]| list.iter().map(Seen::from).collect();
        Self {
            ordinal: call.ordinal,
            of: call.of,
            chain: call.chain,
            span: call.span.map(span),
            trace: call.trace.map_or_else(|| trace.to_owned(), |trace| trace.to_string()),
            op: Op::of(call.op).unwrap_or(Op::Chat),
            at: millis(call.at),
            duration_ms: call.duration.map(took),
            ttft_ms: call.first_chunk.map(took),
            state: SpanState::of(call.state).unwrap_or(SpanState::Ended),
            provider: call.provider.as_ref().map(owned),
            model: call.model.as_ref().map(owned),
            request_model: call.request_model.as_ref().map(owned),
            usage: Usage::told(&call.usage),
            cost: call.cost.as_ref().map(Cost::from),
            finish: call.finish.as_ref().map(owned),
            error: call
                .error
                .as_ref()
                .map(|error| CallError { kind: owned(&error.kind), message: error.message.clone() }),
            system: seen(&call.system),
            carried: call.carried,
            previous: call.previous,
            input: seen(&call.input),
            output: seen(&call.output),
            tools: call.tools.map(|hash| hash.to_string()),
            tools_changed: call.tools_changed,
            rewritten: call.rewritten.map(Break::from),
            content: ContentState::of(call.content).unwrap_or(ContentState::Unknown),
            hint: call.hint.map(str::to_owned),
            evaluations: call.evaluations.iter().map(evaluation).collect(),
        }
    }
}

impl From<core::Break> for Break {
    fn from(told: core::Break) -> Self {
        Self {
            at: told.at,
            why: match told.why {
                core::Why::SystemChanged => Why::SystemChanged,
                core::Why::ToolsChanged => Why::ToolsChanged,
                core::Why::MessageChanged => Why::MessageChanged,
                core::Why::MessageRemoved => Why::MessageRemoved,
                core::Why::Compaction => Why::Compaction,
            },
            cached_before: told.cached_before,
            cached_now: told.cached_now,
        }
    }
}

fn evaluation(told: &core::Evaluation) -> Evaluation {
    Evaluation {
        name: owned(&told.name),
        score: told.score,
        label: told.label.clone(),
        explanation: told.explanation.clone(),
        at: millis(told.at),
        span: told.span.map(span),
        by: told.by.as_ref().map(owned),
    }
}

impl From<&core::Chain> for Chain {
    fn from(chain: &core::Chain) -> Self {
        let growth = |growth: &core::Growth| Growth {
            call: growth.call,
            system: growth.system,
            tools: growth.tools,
            user: growth.user,
            assistant: growth.assistant,
            tool_results: growth.tool_results,
        };
        Self {
            id: chain.id,
            agent: chain.agent.as_ref().map(owned),
            span: chain.span.map(span),
            parent: chain.parent,
            asked: chain.asked.as_ref().map(|(call, tool)| Asked { call: *call, tool_call: owned(tool) }),
            calls: chain.calls,
            answer: chain.answer.map(|hash| hash.to_string()),
            reported: Usage::told(&chain.reported),
            growth: chain.growth.iter().map(growth).collect(),
        }
    }
}

impl From<&said::ToolDefinition> for ToolDefinition {
    fn from(tool: &said::ToolDefinition) -> Self {
        let mut parameters = tool.parameters.clone();
        if !tool.extra.is_empty() {
            let mut all = Map::new();
            all.extend(parameters.take().map(|schema| ("parameters".to_owned(), schema)));
            all.extend(tool.extra.clone());
            parameters = Some(Json::Object(all));
        }
        Self {
            kind: tool.kind.clone(),
            name: tool.name.clone(),
            description: tool.description.clone(),
            parameters,
        }
    }
}
