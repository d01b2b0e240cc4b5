//! The parts of contents, which are the same in requests and in answers.

use std::borrow::Cow;

use otel_genai::{Modality, Part, Role};
use serde::de::{MapAccess, SeqAccess};
use serde_json::{Map, Value};

use super::partial::Partial;
use crate::gather::{self, Room, tool_call};
use crate::json::{Lenient, Raw, object};
use crate::media;

object! {
    struct Content<'a> {
        "role" => role: Option<Cow<'a, str>>,
        "parts" => parts: Many<Piece<'a>>,
    }

    /// A part: one of its keys says what it is.
    struct Piece<'a> {
        "text" => text: Option<Cow<'a, str>>,
        "thought" => is_thought: Option<bool>,
        "inlineData" | "inline_data" => data: Option<Box<Data<'a>>>,
        "fileData" | "file_data" => file: Option<Box<File<'a>>>,
        "functionCall" | "function_call" => call: Option<Box<FunctionCall<'a>>>,
        "functionResponse" | "function_response" => response: Option<Box<FunctionResponse<'a>>>,
        "executableCode" | "executable_code" => code: Raw<'a>,
        "codeExecutionResult" | "code_execution_result" => code_result: Raw<'a>,
        // Other tools that Google runs.
        "toolCall" | "tool_call" => tool_call: Raw<'a>,
        "toolResponse" | "tool_response" => tool_response: Raw<'a>,
    }

    struct Data<'a> {
        "mimeType" | "mime_type" => media_type: Option<Cow<'a, str>>,
        "data" => data: Option<Cow<'a, str>>,
    }

    struct File<'a> {
        "mimeType" | "mime_type" => media_type: Option<Cow<'a, str>>,
        "fileUri" | "file_uri" => uri: Option<Cow<'a, str>>,
    }

    struct FunctionCall<'a> {
        "id" => id: Option<Cow<'a, str>>,
        "name" => name: Option<Cow<'a, str>>,
        "args" => args: Raw<'a>,
        "partialArgs" | "partial_args" => partial: Vec<Option<Partial<'a>>>,
        "willContinue" | "will_continue" => will_continue: Option<bool>,
    }

    struct FunctionResponse<'a> {
        "id" => id: Option<Cow<'a, str>>,
        "name" => name: Option<Cow<'a, str>>,
        "response" => response: Raw<'a>,
        "parts" => parts: Many<Piece<'a>>,
    }

    /// What Google's other tools are called with and answer.
    struct ServerTool<'a> {
        "id" => id: Option<Cow<'a, str>>,
        "toolType" | "tool_type" => kind: Option<Cow<'a, str>>,
    }
}

/// A list, or the one thing that would be in it: Google's servers take both.
#[derive(Debug)]
pub(super) struct Many<T>(pub(super) Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Many(Vec::new())
    }
}

impl<'de, T: Lenient<'de>> Lenient<'de> for Many<T> {
    fn text(text: Cow<'de, str>) -> Self {
        Many(vec![T::text(text)])
    }
    fn list<A: SeqAccess<'de>>(items: A) -> Result<Self, A::Error> {
        Vec::list(items).map(Many)
    }
    fn object<A: MapAccess<'de>>(fields: A) -> Result<Self, A::Error> {
        Ok(Many(vec![T::object(fields)?]))
    }
}

impl Content<'_> {
    pub(super) fn role(&self) -> Role {
        match self.role.as_deref() {
            None | Some("" | "user") => Role::User,
            Some("model") => Role::Assistant,
            Some("function") => Role::Tool,
            Some(other) => other.into(),
        }
    }

    pub(super) fn into_parts(self) -> Vec<Part> {
        // What was asked has been held as a whole already.
        let mut room = Room::new(usize::MAX);
        self.parts.0.into_iter().filter_map(|piece| piece.part(&mut room)).collect()
    }
}

impl Piece<'_> {
    /// The part that the piece is, if there is room for it; `None` if it says nothing. What is signed or encrypted for
    /// Google alone is left out.
    pub(super) fn part(self, room: &mut Room) -> Option<Part> {
        if let Some(text) = self.text {
            let mut kept = String::new();
            room.append(&mut kept, &text);
            let part = if self.is_thought == Some(true) { Part::reasoning(kept) } else { Part::text(kept) };
            return (!text.is_empty()).then_some(part);
        }
        if let Some(data) = self.data {
            return data.part(room);
        }
        if let Some(file) = self.file {
            return file.part(room);
        }
        if let Some(call) = self.call {
            return call.part(room);
        }
        if let Some(response) = self.response {
            return response.part(room);
        }
        let server_tool = [
            (self.code, "code_execution", true),
            (self.code_result, "code_execution", false),
            (self.tool_call, "tool", true),
            (self.tool_response, "tool", false),
        ];
        let (said, name, is_call) = server_tool.into_iter().find(|(said, ..)| said.get().is_some())?;
        if !room.spend(said) {
            return None;
        }
        let tool: ServerTool<'_> = said.to::<Option<ServerTool<'_>>>().unwrap_or_default();
        let name = tool.kind.map_or_else(|| name.to_owned(), |kind| kind.to_ascii_lowercase());
        let said = said.value();
        let id = tool.id.map(Cow::into_owned);
        Some(if is_call { server_tool_call(id, &name, said) } else { server_tool_response(id, &name, said) })
    }
}

impl Data<'_> {
    fn part(&self, room: &mut Room) -> Option<Part> {
        let data = self.data.as_deref()?;
        if !room.take(data.len()) {
            return None;
        }
        // Base64 of both alphabets is taken.
        let data: Cow<'_, str> = if data.contains(['-', '_']) {
            data.replace('-', "+").replace('_', "/").into()
        } else {
            data.into()
        };
        let media_type = self.media_type.as_deref();
        media::blob(modality(media_type), media_type, &data)
    }
}

impl File<'_> {
    fn part(&self, room: &mut Room) -> Option<Part> {
        let uri = self.uri.as_deref().filter(|uri| room.take(uri.len()))?;
        let media_type = self.media_type.as_deref();
        let mut part = media::at(modality(media_type), uri)?;
        if let Part::Uri(uri) = &mut part {
            uri.mime_type = media_type.map(str::to_owned);
        }
        Some(part)
    }
}

impl FunctionCall<'_> {
    fn part(self, room: &mut Room) -> Option<Part> {
        let (id, name) = (self.id.unwrap_or_default(), self.name.unwrap_or_default());
        if !room.take(id.len() + name.len()) {
            return None;
        }
        let mut arguments = if room.spend(self.args) { self.args.value() } else { None };
        for partial in self.partial.iter().flatten() {
            partial.put(arguments.get_or_insert_default(), room);
        }
        Some(tool_call(Some(id.into_owned()), name.into_owned(), arguments))
    }
}

impl FunctionResponse<'_> {
    fn part(self, room: &mut Room) -> Option<Part> {
        let (id, name) = (self.id.unwrap_or_default(), self.name.unwrap_or_default());
        if !room.take(id.len() + name.len()) || !room.spend(self.response) {
            return None;
        }
        let mut part = Part::tool_call_response("", self.response.value().unwrap_or_default());
        if let Part::ToolCallResponse(answered) = &mut part {
            answered.id = (!id.is_empty()).then(|| id.into_owned());
            // Calls seldom have an id here; what tells them apart is the name.
            if !name.is_empty() {
                answered.extra.insert("name".to_owned(), name.into_owned().into());
            }
            // Nothing but data is meant to be in there, and nothing that has parts again.
            let parts = self.parts.0.into_iter().filter(|piece| piece.response.is_none());
            let parts: Vec<Value> = parts
                .filter_map(|piece| piece.part(room))
                .filter_map(|part| serde_json::to_value(part).ok())
                .collect();
            if !parts.is_empty() {
                answered.extra.insert("parts".to_owned(), parts.into());
            }
        }
        Some(part)
    }
}

/// A call of a tool that Google runs.
pub(super) fn server_tool_call(id: Option<String>, name: &str, said: Option<Value>) -> Part {
    gather::server_tool_call(id, name, details(name, said))
}

/// What a tool that Google runs answered.
pub(super) fn server_tool_response(id: Option<String>, name: &str, said: Option<Value>) -> Part {
    gather::server_tool_response(id, details(name, said))
}

fn details(kind: &str, said: Option<Value>) -> Map<String, Value> {
    let mut details = Map::new();
    details.insert("type".to_owned(), kind.into());
    if let Some(Value::Object(said)) = said.map(media::value_without_secrets) {
        let is_kept = |key: &str| !matches!(key, "id" | "type" | "toolType" | "tool_type");
        details.extend(said.into_iter().filter(|(key, _)| is_kept(key)));
    }
    details
}

/// What kind of data a media type is.
pub(super) fn modality(media_type: Option<&str>) -> Modality {
    match media_type.and_then(|media_type| media_type.split('/').next()) {
        Some("image") => Modality::Image,
        Some("audio") => Modality::Audio,
        Some("video") => Modality::Video,
        _ => Modality::Document,
    }
}
