//! The dashboard that runs: where it is, and whether it is well.

use std::path::Path;

use otel_genai_sdk::shown_url;
use serde_json::Value;

use super::api::Api;
use super::place;

/// A dashboard that answers.
#[derive(Clone)]
pub(crate) struct Found {
    /// Where its page is, such as `http://127.0.0.1:18888`.
    pub(crate) url: String,
    /// Where it takes OTLP over HTTP, such as `http://127.0.0.1:4318`, if it does.
    pub(crate) otlp: Option<String>,
    /// What it asks for.
    pub(crate) token: Option<String>,
    pub(crate) api: Api,
}

impl Found {
    /// The one that has this folder; `None` if none does, or it does not answer.
    pub(crate) async fn at(folder: &Path) -> Option<Self> {
        let url = place::owner(folder)?.url?;
        let token = place::token(folder);
        let api = Api::new(&url, token.as_deref());
        let about = api.about().await.ok()?;
        let otlp = about.pointer("/otlp/http").and_then(Value::as_str);
        Some(Self { otlp: otlp.map(str::to_owned), url, token, api })
    }

    /// A page of it, for the same person who runs this: with the token that opens it.
    pub(crate) fn link(&self, path: &str) -> String {
        match &self.token {
            Some(token) => {
                format!("{}{path}{}token={token}", self.url, if path.contains('?') { '&' } else { '?' })
            }
            None => format!("{}{path}", self.url),
        }
    }

    /// For people.
    pub(crate) fn shown(&self) -> String {
        shown_url(&self.url)
    }
}

/// The traces that a service began after a moment (milliseconds since 1970), as a link: the trace itself if it is the only
/// one. `None`: there is none.
pub(crate) async fn traces_of(found: &Found, service: &str, from: u128) -> Option<String> {
    let list = found.api.get(&format!("/traces?from={from}&limit=500")).await.ok()?;
    let text = |row: &Value, name: &str| Some(row.get(name)?.as_str()?.to_owned());
    let rows = list.get("items")?.as_array()?.iter();
    let mut ids =
        rows.filter(|row| text(row, "service").as_deref() == Some(service)).filter_map(|row| text(row, "id"));
    match (ids.next(), ids.next()) {
        (None, _) => None,
        (Some(id), None) => Some(found.link(&format!("/trace/{id}"))),
        _ => Some(found.link(&format!("/traces?service={}&from={from}", form(service)))),
    }
}

/// A value in a query, percent-encoded.
pub(crate) fn form(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}
