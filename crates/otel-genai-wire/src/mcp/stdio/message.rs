//! What a line says: a message, or a batch of them as older revisions had it.

use otel_genai::{McpCall, McpMethodName, McpSide, Network};
use serde_json::{Map, Value};

use crate::body::Body;
use crate::json::{self, Raw};
use crate::mcp::answer::{self, Reply};
use crate::mcp::{id as text_of, request};
use crate::options::Options;
use crate::scan::Want;

/// What is picked out of a line whose content is not wanted, or that is too long.
static WANT: Want = Want::Either(&Want::Items(&MESSAGE), &MESSAGE);

static MESSAGE: Want = Want::Fields(&[
    ("jsonrpc", Want::Keep(64)),
    ("id", Want::Keep(1024)),
    ("method", Want::Keep(256)),
    ("params", request::PARAMS),
    ("result", Want::Fields(&[("isError", Want::Keep(16)), ("protocolVersion", Want::Keep(64))])),
    ("error", Want::Keep(16 << 10)),
]);

/// A line that is to come.
pub(super) fn body(options: Options) -> Body {
    match options.content {
        true => Body::held(&WANT, options.limit),
        false => Body::scanned(&WANT),
    }
}

/// The id of a request: `1` and `"1"` are two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Id {
    text: String,
    is_text: bool,
}

impl Id {
    fn new(raw: Raw<'_>) -> Option<Self> {
        let is_text = raw.get()?.starts_with('"');
        text_of(raw).map(|text| Id { text, is_text })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

#[derive(Debug)]
pub(super) enum Heard {
    /// A request, or without an id a notification.
    Sent(Box<Sent>),
    Answer(Box<Answer>),
}

#[derive(Debug)]
pub(super) struct Sent {
    pub(super) op: McpCall,
    pub(super) id: Option<Id>,
    /// `{"_meta": {"traceparent": ...}}`
    pub(super) trace: Map<String, Value>,
    /// What progress of this request will be told by.
    pub(super) progress_token: Option<Id>,
    /// The request that this notification cancels, or the token of the one that progresses.
    pub(super) about: Option<Id>,
}

/// An answer that waits to be given to who asked.
#[derive(Debug)]
pub(super) struct Answer {
    /// An error that no request caused, or whose request could not be read, has none.
    pub(super) id: Option<Id>,
    /// As it came, or what was picked out of it.
    document: String,
}

impl Answer {
    /// The answer to a request of this method.
    pub(super) fn reply(&self, method: McpMethodName, options: Options) -> Reply {
        let mut reply = Reply::to(Some(method), None, options);
        if let Ok(message) = json::read::<answer::Message<'_>>(self.document.as_bytes()) {
            reply.take(message);
        }
        reply
    }
}

/// The messages of a line; none if it is something else.
pub(super) fn read(line: Body) -> Vec<Heard> {
    let read = |document: &[u8]| {
        if json::first(document.strip_prefix(json::BOM).unwrap_or(document)) == Some(b'[') {
            let items = json::read_items::<Raw<'_>>(document)?;
            return Ok(items.into_iter().filter_map(|item| message(item.get()?.as_bytes())).collect());
        }
        // A line that cannot be read is tried again in what can be picked out of it.
        json::read::<answer::Message<'_>>(document).map(|_| message(document).into_iter().collect())
    };
    line.read(read).0
}

fn message(document: &[u8]) -> Option<Heard> {
    let told: answer::Message<'_> = json::read(document).ok()?;
    if told.method.is_some() {
        return sent(document).map(|sent| Heard::Sent(Box::new(sent)));
    }
    if !told.result.is_given && told.error.is_none() {
        return None;
    }
    let id = Id::new(told.id);
    let document = String::from_utf8_lossy(document).into_owned();
    Some(Heard::Answer(Box::new(Answer { id, document })))
}

fn sent(document: &[u8]) -> Option<Sent> {
    let mut message: request::Message<'_> = json::read(document).ok()?;
    let method = McpMethodName::from(message.method.as_deref()?);
    let mut op = McpCall::new(McpSide::Client, method);
    op.network = Network::stdio();
    let id = Id::new(message.id);
    let (mut trace, mut progress_token, mut about) = (Map::new(), None, None);
    if let Some(params) = &mut message.params {
        about = Id::new(params.request_id).or_else(|| Id::new(params.progress_token));
        if let Some(meta) = &params.meta {
            progress_token = Id::new(meta.progress_token);
            trace = meta.trace();
        }
    }
    message.fill(&mut op);
    Some(Sent { op, id, trace, progress_token, about })
}

impl request::Meta<'_> {
    fn trace(&self) -> Map<String, Value> {
        let keys = [
            ("traceparent", &self.traceparent),
            ("tracestate", &self.tracestate),
            ("baggage", &self.baggage),
        ];
        let given = keys
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), Value::from(value.as_deref()?))));
        let meta: Map<String, Value> = given.collect();
        match meta.is_empty() {
            true => Map::new(),
            false => Map::from_iter([("_meta".to_owned(), Value::Object(meta))]),
        }
    }
}
