//! The shape of content: messages, their parts, tool definitions, and the JSON the conventions prescribe for them.
//!
//! Source: the JSON schemas of `gen_ai.input.messages`, `gen_ai.output.messages`, `gen_ai.system_instructions` and
//! `gen_ai.tool.definitions` (semantic-conventions-genai). Every object there may carry further properties; they are
//! kept in `extra`, so that reading and writing a message loses nothing.

use base64::Engine as _;
use serde::ser::{SerializeMap as _, SerializeStruct as _};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

pub use otel_genai_semconv::value::{FinishReason, Modality, Role};

/// Whether a property is left out of JSON.
trait Property: Serialize {
    fn is_absent(&self) -> bool {
        false
    }
}

impl Property for String {}
impl Property for Value {}
impl Property for Role {}
impl Property for Modality {}
impl Property for Vec<Part> {}
impl<T: Serialize> Property for Option<T> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

/// Serialises a struct with its `extra` properties beside the named ones. Serde's `flatten` would do, but turns every
/// struct into a map with keys that must be copied; extra properties are rare and content is much.
macro_rules! serialize {
    ($name:ident { $($field:ident : $key:literal),* }) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if self.extra.is_empty() {
                    let present = [$(!self.$field.is_absent()),*].into_iter().filter(|present| *present).count();
                    let mut out = serializer.serialize_struct(stringify!($name), present)?;
                    $(if self.$field.is_absent() {
                        out.skip_field($key)?;
                    } else {
                        out.serialize_field($key, &self.$field)?;
                    })*
                    out.end()
                } else {
                    let mut out = serializer.serialize_map(None)?;
                    $(if !self.$field.is_absent() {
                        out.serialize_entry($key, &self.$field)?;
                    })*
                    // A key that has a field of its own is said once.
                    for (key, value) in self.extra.iter().filter(|(key, _)| ![$($key),*].contains(&key.as_str())) {
                        out.serialize_entry(key, value)?;
                    }
                    out.end()
                }
            }
        }
    };
}

/// One message of a conversation, sent to or received from a model.
///
/// ```
/// use otel_genai::{Message, Part};
///
/// let asked = Message::user("Where is my order?");
/// let answered = Message::assistant("On its way.").finish("stop");
/// let called = Message::assistant_parts([Part::tool_call("call_1", "track", serde_json::json!({"order": 7}))]);
/// assert_eq!(
///     serde_json::to_string(&asked).unwrap(),
///     r#"{"role":"user","parts":[{"type":"text","content":"Where is my order?"}]}"#
/// );
/// # let _ = (answered, called);
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said, in order.
    #[serde(default)]
    pub parts: Vec<Part>,
    /// The participant's name, where the provider's API has one.
    #[serde(default)]
    pub name: Option<String>,
    /// Why the model stopped; on output messages only.
    #[serde(default)]
    pub finish_reason: Option<FinishReason>,
    /// Properties that the conventions do not name.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

serialize!(Message { role: "role", parts: "parts", name: "name", finish_reason: "finish_reason" });

impl Message {
    /// A message of this role with these parts.
    pub fn new(role: impl Into<Role>, parts: impl IntoIterator<Item = Part>) -> Self {
        Message {
            role: role.into(),
            parts: parts.into_iter().collect(),
            name: None,
            finish_reason: None,
            extra: Map::new(),
        }
    }

    /// A text message of the user.
    pub fn user(text: impl Into<String>) -> Self {
        Message::new(Role::User, [Part::text(text)])
    }

    /// A text message of the model.
    pub fn assistant(text: impl Into<String>) -> Self {
        Message::new(Role::Assistant, [Part::text(text)])
    }

    /// A message of the model that is more than one text.
    pub fn assistant_parts(parts: impl IntoIterator<Item = Part>) -> Self {
        Message::new(Role::Assistant, parts)
    }

    /// A system message inside the chat history. Instructions that an API takes apart from the history belong into
    /// `system_instructions` of the request.
    pub fn system(text: impl Into<String>) -> Self {
        Message::new(Role::System, [Part::text(text)])
    }

    /// The result of a tool call, on its way back to the model.
    pub fn tool(id: impl Into<String>, response: impl Into<Value>) -> Self {
        Message::new(Role::Tool, [Part::tool_call_response(id, response)])
    }

    /// The same message with the reason why the model stopped.
    #[must_use]
    pub fn finish(mut self, reason: impl Into<FinishReason>) -> Self {
        self.finish_reason = Some(reason.into());
        self
    }

    /// The same message with the participant's name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

/// One part of a message. A `type` that the conventions do not know is a [`Part::Generic`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Part {
    /// Text.
    Text(TextPart),
    /// The model asks the application to run a tool.
    ToolCall(ToolCallPart),
    /// What the application's tool answered.
    ToolCallResponse(ToolCallResponsePart),
    /// The provider ran a tool of its own (web search, code interpreter, ...).
    ServerToolCall(ServerToolCallPart),
    /// What the provider's own tool answered.
    ServerToolCallResponse(ServerToolCallResponsePart),
    /// Binary data within the message.
    Blob(BlobPart),
    /// A file that was uploaded to the provider before.
    File(FilePart),
    /// Data at an address.
    Uri(UriPart),
    /// The model's reasoning, where it is shown.
    Reasoning(ReasoningPart),
    /// A provider's summary of an older part of the conversation.
    Compaction(CompactionPart),
    /// Any other type, with all its properties.
    #[serde(untagged)]
    Generic(GenericPart),
}

impl Part {
    /// A text.
    pub fn text(content: impl Into<String>) -> Self {
        Part::Text(TextPart { content: content.into(), extra: Map::new() })
    }

    /// The model's reasoning.
    pub fn reasoning(content: impl Into<String>) -> Self {
        Part::Reasoning(ReasoningPart { content: content.into(), extra: Map::new() })
    }

    /// A tool call that the model asks for. `arguments` is the parsed JSON; text that is no JSON goes in as a string.
    pub fn tool_call(id: impl Into<String>, name: impl Into<String>, arguments: impl Into<Value>) -> Self {
        Part::ToolCall(ToolCallPart {
            id: Some(id.into()),
            name: name.into(),
            arguments: Some(arguments.into()),
            extra: Map::new(),
        })
    }

    /// What a tool answered to the call with this id.
    pub fn tool_call_response(id: impl Into<String>, response: impl Into<Value>) -> Self {
        Part::ToolCallResponse(ToolCallResponsePart {
            id: Some(id.into()),
            response: response.into(),
            extra: Map::new(),
        })
    }

    /// Binary data, kept as base64.
    pub fn blob(modality: impl Into<Modality>, mime_type: Option<&str>, data: &[u8]) -> Self {
        let content = base64::engine::general_purpose::STANDARD.encode(data);
        Part::blob_base64(modality, mime_type, content)
    }

    /// Binary data that is base64 already.
    pub fn blob_base64(
        modality: impl Into<Modality>,
        mime_type: Option<&str>,
        content: impl Into<String>,
    ) -> Self {
        Part::Blob(BlobPart {
            modality: modality.into(),
            content: content.into(),
            mime_type: mime_type.map(str::to_owned),
            extra: Map::new(),
        })
    }

    /// Data at an address (never a `data:` URL: that is a blob).
    pub fn uri(modality: impl Into<Modality>, uri: impl Into<String>) -> Self {
        Part::Uri(UriPart { modality: modality.into(), uri: uri.into(), mime_type: None, extra: Map::new() })
    }

    /// A file that the provider knows by id.
    pub fn file(modality: impl Into<Modality>, file_id: impl Into<String>) -> Self {
        Part::File(FilePart {
            modality: modality.into(),
            file_id: file_id.into(),
            mime_type: None,
            extra: Map::new(),
        })
    }

    /// A part of a type that the conventions do not name.
    pub fn generic(kind: impl Into<String>, properties: Map<String, Value>) -> Self {
        Part::Generic(GenericPart { kind: kind.into(), properties })
    }
}

macro_rules! part {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_meta:meta])* $key:literal $field:ident : $ty:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Deserialize)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $ty,)*
            /// Properties that the conventions do not name.
            #[serde(flatten)]
            pub extra: Map<String, Value>,
        }

        serialize!($name { $($field: $key),* });
    };
}

part! {
    /// See [`Part::Text`].
    TextPart {
        /// The text.
        "content" content: String,
    }
}
part! {
    /// See [`Part::ToolCall`].
    ToolCallPart {
        /// The provider's id of the call.
        #[serde(default)]
        "id" id: Option<String>,
        /// The tool's name.
        "name" name: String,
        /// Parsed arguments; a string where the model's text was no JSON.
        #[serde(default)]
        "arguments" arguments: Option<Value>,
    }
}
part! {
    /// See [`Part::ToolCallResponse`].
    ToolCallResponsePart {
        /// The id of the call that this answers.
        #[serde(default)]
        "id" id: Option<String>,
        /// What the tool answered.
        "response" response: Value,
    }
}
part! {
    /// See [`Part::ServerToolCall`].
    ServerToolCallPart {
        /// The provider's id of the call.
        #[serde(default)]
        "id" id: Option<String>,
        /// The tool's name.
        "name" name: String,
        /// The call itself: an object with a `type`.
        "server_tool_call" server_tool_call: Value,
    }
}
part! {
    /// See [`Part::ServerToolCallResponse`].
    ServerToolCallResponsePart {
        /// The id of the call that this answers.
        #[serde(default)]
        "id" id: Option<String>,
        /// The answer itself: an object with a `type`.
        "server_tool_call_response" server_tool_call_response: Value,
    }
}
part! {
    /// See [`Part::Blob`].
    BlobPart {
        /// What kind of data it is.
        "modality" modality: Modality,
        /// The data as standard base64 with padding.
        "content" content: String,
        /// The IANA media type.
        #[serde(default)]
        "mime_type" mime_type: Option<String>,
    }
}
part! {
    /// See [`Part::File`].
    FilePart {
        /// What kind of data it is.
        "modality" modality: Modality,
        /// The provider's id of the file.
        "file_id" file_id: String,
        /// The IANA media type.
        #[serde(default)]
        "mime_type" mime_type: Option<String>,
    }
}
part! {
    /// See [`Part::Uri`].
    UriPart {
        /// What kind of data it is.
        "modality" modality: Modality,
        /// Where the data is.
        "uri" uri: String,
        /// The IANA media type.
        #[serde(default)]
        "mime_type" mime_type: Option<String>,
    }
}
part! {
    /// See [`Part::Reasoning`].
    ReasoningPart {
        /// The reasoning as text.
        "content" content: String,
    }
}
part! {
    /// See [`Part::Compaction`].
    CompactionPart {
        /// The provider's id of the summary.
        #[serde(default)]
        "id" id: Option<String>,
        /// The summary, where it is not encrypted.
        #[serde(default)]
        "content" content: Option<String>,
    }
}

/// See [`Part::Generic`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GenericPart {
    /// The part's `type`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Everything else.
    #[serde(flatten)]
    pub properties: Map<String, Value>,
}

/// A tool that the model may call.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct ToolDefinition {
    /// `function`, or the provider's name of a built-in kind of tool.
    #[serde(rename = "type")]
    pub kind: String,
    /// The tool's name.
    pub name: String,
    /// What it does. Large; the conventions advise to leave it out by default.
    #[serde(default)]
    pub description: Option<String>,
    /// The JSON schema of its arguments. Large; the conventions advise to leave it out by default.
    #[serde(default)]
    pub parameters: Option<Value>,
    /// Properties that the conventions do not name.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

serialize!(ToolDefinition {
    kind: "type",
    name: "name",
    description: "description",
    parameters: "parameters"
});

impl ToolDefinition {
    /// A function that the application offers.
    pub fn function(name: impl Into<String>) -> Self {
        ToolDefinition::new("function", name)
    }

    /// A tool of any kind.
    pub fn new(kind: impl Into<String>, name: impl Into<String>) -> Self {
        ToolDefinition {
            kind: kind.into(),
            name: name.into(),
            description: None,
            parameters: None,
            extra: Map::new(),
        }
    }
}
