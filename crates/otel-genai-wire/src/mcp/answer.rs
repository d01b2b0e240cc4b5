//! What the server answers: a document, or a stream in which its own requests and notifications come before the answer.

use std::borrow::Cow;

use otel_genai::{Failure, McpCall, McpMethodName};
use serde_json::Value;

use super::{SESSION, id};
use crate::call::{Call, CallMut};
use crate::json::{self, Given, Raw, object};
use crate::media;
use crate::options::Options;
use crate::protocol::{Answer, Asked, Step};
use crate::scan::Want;

object! {
    struct Message<'a> {
        "id" => id: Raw<'a>,
        "method" => method: Option<Cow<'a, str>>,
        "result" => result: Given<Raw<'a>>,
        "error" => error: Option<Error<'a>>,
    }

    struct Error<'a> {
        "code" => code: Raw<'a>,
        "message" => message: Option<Cow<'a, str>>,
    }

    struct Outcome<'a> {
        "isError" => is_error: Option<bool>,
        "protocolVersion" => protocol_version: Option<Cow<'a, str>>,
    }

    /// What a tool says that failed.
    struct Said<'a> {
        "content" => content: Vec<Option<Text<'a>>>,
    }

    struct Text<'a> {
        "text" => text: Option<Cow<'a, str>>,
    }
}

/// What is picked out of an answer whose content is not wanted, or that is too long.
static WANT: Want = Want::Fields(&[
    ("id", Want::Keep(1024)),
    ("method", Want::Keep(256)),
    ("result", Want::Fields(&[("isError", Want::Keep(16)), ("protocolVersion", Want::Keep(64))])),
    ("error", Want::Keep(16 << 10)),
]);

/// What an answer has told so far.
#[derive(Debug)]
pub(super) struct Reply {
    content: bool,
    limit: usize,
    method: Option<McpMethodName>,
    /// The request's; a notification has none, and no answer.
    asked: Option<String>,
    session: Option<String>,
    is_answered: bool,
    protocol_version: Option<String>,
    result: Option<Value>,
    code: Option<String>,
    failure: Option<Failure>,
}

impl Reply {
    pub(super) fn new(asked: &Asked<'_>) -> Self {
        let (method, id) = match asked.request {
            Call::McpCall(op) => (Some(op.method.clone()), op.request_id.clone()),
            _ => (None, None),
        };
        let session = asked.headers.get(SESSION).and_then(|session| session.to_str().ok());
        Reply { session: session.map(str::to_owned), ..Reply::to(method, id, asked.options) }
    }

    /// Of a request with this method and id.
    pub(super) fn to(method: Option<McpMethodName>, id: Option<String>, options: Options) -> Self {
        Reply {
            content: options.content,
            limit: options.limit,
            method,
            asked: id,
            session: None,
            is_answered: false,
            protocol_version: None,
            result: None,
            code: None,
            failure: None,
        }
    }

    /// Whether this was the answer.
    pub(super) fn take(&mut self, message: Message<'_>) -> bool {
        if message.method.is_some() || (!message.result.is_given && message.error.is_none()) {
            return false;
        }
        let known = id(message.id);
        // An error that no request caused, or that could not be read, has no id.
        if known.is_some() && self.asked.is_some() && known != self.asked {
            return false;
        }
        self.is_answered = true;
        if let Some(error) = message.error {
            let code = id(error.code).unwrap_or_else(|| Failure::OTHER.to_owned());
            let failure = Failure::new(code.clone());
            self.failure = Some(match error.message {
                Some(message) => failure.message(json::prefix(&message, 1024)),
                None => failure,
            });
            self.code = Some(code);
            return true;
        }
        let result = message.result.value;
        let told: Outcome<'_> = result.to();
        self.protocol_version = told.protocol_version.map(Cow::into_owned);
        if self.method == Some(McpMethodName::ToolsCall) {
            if told.is_error == Some(true) {
                let text = result.to::<Said<'_>>().content.into_iter().flatten().find_map(|part| part.text);
                let failure = Failure::new("tool_error");
                self.failure = Some(match text.filter(|_| self.content) {
                    Some(text) => failure.message(json::prefix(&text, 1024)),
                    None => failure,
                });
            }
            if self.content && result.get().is_some_and(|result| result.len() <= self.limit) {
                self.result = result.value().filter(has_content).map(cleaned);
            }
        }
        true
    }
}

impl Reply {
    /// The version that was agreed on, of a session's first answer.
    pub(super) fn agreed_version(&self) -> Option<&str> {
        self.protocol_version.as_deref().filter(|_| self.method == Some(McpMethodName::Initialize))
    }

    /// Fills in what was learned, and returns the failure that was told.
    pub(super) fn fill(self, op: &mut McpCall) -> Option<Failure> {
        op.session_id = op.session_id.take().or(self.session);
        op.protocol_version = self.protocol_version.or(op.protocol_version.take());
        op.response_status_code = self.code.or(op.response_status_code.take());
        op.result = self.result.or(op.result.take());
        self.failure
    }
}

/// Whether there is more than what is picked out of an answer that is too long.
fn has_content(result: &Value) -> bool {
    let picked = |key: &String| key == "isError" || key == "protocolVersion";
    result.as_object().is_none_or(|fields| fields.is_empty() || !fields.keys().all(picked))
}

/// A tool's result without the secrets of addresses, except in its texts, which are told as they are.
fn cleaned(mut result: Value) -> Value {
    let Value::Object(fields) = &mut result else { return media::value_without_secrets(result) };
    fields.remove("_meta");
    for (key, value) in fields {
        match value {
            Value::Array(items) if key == "content" => {
                let others =
                    items.iter_mut().filter(|item| item.get("type").is_none_or(|kind| kind != "text"));
                others.for_each(media::clean);
            }
            value => media::clean(value),
        }
    }
    result
}

impl Answer for Reply {
    fn want(&self) -> &'static Want {
        &WANT
    }

    fn has_content(&self) -> bool {
        self.content
    }

    fn whole(&mut self, document: &[u8]) -> Result<(), serde_json::Error> {
        self.event(None, document).map(drop)
    }

    fn event(&mut self, _name: Option<&[u8]>, data: &[u8]) -> Result<Step, serde_json::Error> {
        let is_answer = match json::first(data.strip_prefix(json::BOM).unwrap_or(data)) {
            Some(b'[') => {
                let messages = json::read_items::<Option<Message<'_>>>(data)?;
                messages.into_iter().flatten().any(|message| self.take(message))
            }
            // Some servers begin with an empty event.
            None => false,
            Some(_) => {
                let message = json::read(data)?;
                self.take(message)
            }
        };
        Ok(if is_answer { Step::Last } else { Step::Aside })
    }

    fn missing(&self) -> Option<&'static str> {
        (!self.is_answered && self.asked.is_some()).then_some("result")
    }

    fn may_end(&self) -> bool {
        self.missing().is_none()
    }

    fn may_be_empty(&self) -> bool {
        self.asked.is_none()
    }

    fn finish(self: Box<Self>, call: CallMut<'_>) -> Option<Failure> {
        match call {
            CallMut::McpCall(op) => self.fill(op),
            _ => self.failure,
        }
    }
}
