//! The Model Context Protocol over streamable HTTP, as its client sees it: one POST for each request or notification.
//! Over standard input and output it is read in [`stdio`].
//!
//! Servers live anywhere, so a POST whose headers look like it is a call only if its body is a message of the protocol.

mod answer;
mod request;
pub(crate) mod stdio;

use std::borrow::Cow;

use otel_genai::{McpCall, McpMethodName, McpSide, ProviderName};

use crate::call::Call;
use crate::detect::Route;
use crate::json;
use crate::protocol::{Answer, Asked, Dialect};
use crate::scan::Want;

/// The headers of the protocol that say something of the call.
pub(crate) const HEADERS: &[&str] = &[SESSION, VERSION];

const SESSION: &str = "mcp-session-id";
const VERSION: &str = "mcp-protocol-version";

/// The Model Context Protocol.
#[derive(Debug)]
pub(crate) struct Mcp;

impl Dialect for Mcp {
    /// Nobody: an MCP server is no provider of models.
    fn provider(&self) -> ProviderName {
        ProviderName::Custom(Cow::Borrowed("mcp"))
    }

    fn request_want(&self) -> &'static Want {
        &request::WANT
    }

    fn request(&self, document: &[u8], route: &Route) -> Result<Option<Call>, serde_json::Error> {
        // Of a batch the first.
        let message: request::Message<'_> = json::read(document)?;
        let Some(method) = message.method.as_deref().map(McpMethodName::from) else { return Ok(None) };
        let session = route.parameter(SESSION);
        let is_known = !method.is_custom() || session.is_some() || route.parameter(VERSION).is_some();
        if message.jsonrpc.is_none() || !is_known {
            return Ok(None);
        }
        let mut op = McpCall::new(McpSide::Client, method);
        op.server = Some(route.server.clone());
        op.network.transport = Some("tcp".into());
        op.network.protocol_name = Some("http".into());
        op.session_id = session.map(str::to_owned);
        op.protocol_version = route.parameter(VERSION).map(str::to_owned);
        message.fill(&mut op);
        Ok(Some(op.into()))
    }

    fn answer(&self, asked: &Asked<'_>) -> Box<dyn Answer> {
        Box::new(answer::Reply::new(asked))
    }
}

/// A JSON-RPC id as text.
fn id(raw: json::Raw<'_>) -> Option<String> {
    match raw.to::<Option<Cow<'_, str>>>() {
        Some(text) => Some(text.into_owned()),
        None => raw.get().filter(|id| id.len() <= 64).map(str::to_owned),
    }
}
