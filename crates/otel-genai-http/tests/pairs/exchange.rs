//! A recorded exchange: what was asked, and what came back.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;

pub(crate) struct Exchange {
    /// The recording, and which of its exchanges it is.
    pub(crate) name: String,
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
    pub(crate) request: Vec<u8>,
    pub(crate) status: u16,
    pub(crate) response_headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Where the addresses go that name no host.
const HOSTS: &[(&str, &str)] = &[
    ("anthropic", "https://api.anthropic.com"),
    ("bedrock", "https://bedrock-runtime.us-east-1.amazonaws.com"),
    ("chatgpt", "https://chatgpt.com"),
    ("cohere", "https://api.cohere.com"),
    ("copilot", "https://api.githubcopilot.com"),
    ("deepseek", "https://api.deepseek.com"),
    ("gemini", "https://generativelanguage.googleapis.com"),
    ("groq", "https://api.groq.com"),
    ("llamacpp", "http://localhost:8080"),
    ("mistral", "https://api.mistral.ai"),
    ("mistralrs", "http://localhost:1234"),
    ("ollama", "http://localhost:11434"),
    ("openrouter", "https://openrouter.ai"),
    ("perplexity", "https://api.perplexity.ai"),
    ("venice", "https://api.venice.ai"),
    ("xai", "https://api.x.ai"),
];

/// The exchanges of each provider, in order.
pub(crate) fn providers(folder: &Path) -> BTreeMap<String, Vec<Exchange>> {
    let mut providers = BTreeMap::new();
    for path in entries(folder).into_iter().filter(|path| path.is_dir()) {
        let provider = path.file_name().unwrap().to_str().unwrap().to_owned();
        let host = HOSTS.iter().find(|(known, _)| *known == provider);
        let host = host.map_or("https://model.example", |(_, host)| host);
        let mut exchanges = Vec::new();
        for file in entries(&path) {
            let case: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
            for (at, exchange) in case["exchanges"].as_array().into_iter().flatten().enumerate() {
                exchanges.push(Exchange::read(exchange, format!("{} #{at}", text(&case["id"])), host));
            }
        }
        providers.insert(provider, exchanges);
    }
    providers
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

impl Exchange {
    fn read(exchange: &Value, name: String, host: &str) -> Exchange {
        let (request, response) = (&exchange["request"], &exchange["response"]);
        let sent = if request["json"].is_null() { &request["body"] } else { &request["json"] };
        let url = text(&request["url"]);
        let media_type = text(&response["headers"]["content-type"]);
        // What is no text was recorded in base64.
        let is_data = media_type.starts_with("audio/") || media_type.contains("amazon.eventstream");
        let body = match (&response["sse_chunks"], &response["body"], &response["body_b64"]) {
            (Value::Array(chunks), ..) => chunks.iter().map(text).collect::<String>().into_bytes(),
            (_, Value::String(body), _) if is_data => STANDARD.decode(body).unwrap(),
            (_, Value::String(body), _) => body.clone().into_bytes(),
            (.., Value::String(body)) => STANDARD.decode(body).unwrap(),
            _ => Vec::new(),
        };
        Exchange {
            name,
            method: request["method"].as_str().unwrap_or("POST").parse().unwrap(),
            url: if url.starts_with('/') { format!("{host}{url}") } else { url.to_owned() },
            headers: headers(&request["headers"]),
            request: if sent.is_null() { Vec::new() } else { sent.to_string().into_bytes() },
            status: response["status"].as_u64().unwrap() as u16,
            response_headers: headers(&response["headers"]),
            body,
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn headers(json: &Value) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (key, value) in json.as_object().into_iter().flatten() {
        let value = value.as_str().or_else(|| value[0].as_str()).unwrap_or_default();
        headers
            .insert(HeaderName::from_bytes(key.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    headers
}
