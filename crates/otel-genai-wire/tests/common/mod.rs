//! What the tests of all protocols share: recorded exchanges, and playing them in pieces.
//!
//! The recordings lie outside of the repository: in `../shared/golden/pairs` beside it, or where
//! `OTEL_GENAI_PAIRS_DIR` says. Without them there is nothing to play.
#![allow(dead_code, unreachable_pub, reason = "not every test needs all of it")]

use std::fs;
use std::path::{Path, PathBuf};

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use otel_genai::Failure;
use otel_genai_wire::{Call, Options, RequestReader, ResponseReader, Route, detect};
use serde_json::Value;

/// One recorded exchange.
pub struct Exchange {
    /// The file, and which of its exchanges it is.
    pub name: String,
    pub method: Method,
    pub url: String,
    pub headers: HeaderMap,
    pub request: Value,
    pub status: u16,
    pub response_headers: HeaderMap,
    pub body: Vec<u8>,
}

/// What was read of an exchange.
#[derive(Debug, PartialEq)]
pub struct Played {
    pub call: Call,
    pub failure: Option<Failure>,
    pub chunks: u32,
    pub ended: bool,
    pub skipped: u32,
    pub note: Option<String>,
}

/// All recorded exchanges below a folder of pairs; none where there are no recordings.
pub fn exchanges(folder: &str) -> Vec<Exchange> {
    below("pairs", "OTEL_GENAI_PAIRS_DIR", folder)
}

/// All recorded exchanges with OpenAI and compatible servers that come with golden telemetry, in
/// `../shared/golden/wire` or where `OTEL_GENAI_GOLDEN_DIR` says.
pub fn golden() -> Vec<Exchange> {
    below("wire", "OTEL_GENAI_GOLDEN_DIR", "")
}

fn below(name: &str, variable: &str, folder: &str) -> Vec<Exchange> {
    let root = match std::env::var_os(variable) {
        Some(root) => PathBuf::from(root),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden").join(name),
    };
    let mut files = Vec::new();
    collect(&root.join(folder), &mut files);
    files.sort();
    if files.is_empty() {
        println!("skipped: there are no recorded exchanges; {variable} may name a folder of them");
    }
    let mut all = Vec::new();
    for file in files {
        let case: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let file = file.file_stem().unwrap().to_string_lossy();
        for (at, exchange) in case["exchanges"].as_array().unwrap_or(&Vec::new()).iter().enumerate() {
            all.extend(read(exchange, format!("{file} #{at}")));
        }
    }
    all
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
}

fn read(exchange: &Value, name: String) -> Option<Exchange> {
    let (request, response) = (&exchange["request"], &exchange["response"]);
    // What is no text was recorded in base64.
    let is_data = response["headers"]["content-type"].as_str().is_some_and(|it| it.contains("eventstream"));
    let body = match (&response["sse_chunks"], &response["body"], &response["body_b64"]) {
        (Value::Array(chunks), ..) => {
            chunks.iter().map(|chunk| chunk.as_str().unwrap()).collect::<String>().into()
        }
        (_, Value::String(body), _) if is_data => base64(body),
        (_, Value::String(body), _) => body.clone().into_bytes(),
        (.., Value::String(body)) => base64(body),
        _ => return None,
    };
    Some(Exchange {
        name,
        method: request["method"].as_str().unwrap_or("POST").parse().unwrap(),
        url: request["url"].as_str().unwrap_or_default().to_owned(),
        headers: headers(&request["headers"]),
        request: if request["json"].is_null() { request["body"].clone() } else { request["json"].clone() },
        status: response["status"].as_u64()? as u16,
        response_headers: headers(&response["headers"]),
        body,
    })
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

pub fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for digit in text.bytes().filter_map(|byte| DIGITS.iter().position(|digit| *digit == byte)) {
        bits = bits << 6 | digit as u32;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    bytes
}

impl Exchange {
    /// Where it goes; addresses without a host go to `host`.
    pub fn route(&self, host: &str) -> Option<Route> {
        let url =
            if self.url.starts_with('/') { format!("https://{host}{}", self.url) } else { self.url.clone() };
        detect(&self.method, &url.parse::<Uri>().ok()?, &self.headers)
    }

    /// What is read of it where both bodies come in pieces of so many bytes.
    pub fn play(&self, route: &Route, options: Options, piece: usize) -> Option<Played> {
        self.play_pieces(route, options, piece, self.body.chunks(piece))
    }

    fn play_pieces<'a>(
        &'a self,
        route: &Route,
        options: Options,
        piece: usize,
        pieces: impl Iterator<Item = &'a [u8]>,
    ) -> Option<Played> {
        let mut reader = RequestReader::new(route, options);
        let body = if self.request.is_null() { String::new() } else { self.request.to_string() };
        body.as_bytes().chunks(piece).for_each(|piece| reader.push(piece));
        let mut call = reader.finish()?;
        let mut reader = ResponseReader::new(route, self.status, &self.response_headers, &call, options);
        let (mut chunks, mut ended) = (0, false);
        for piece in pieces {
            let progress = reader.push(piece);
            chunks += progress.chunks;
            ended |= progress.ended;
        }
        let failure = reader.finish(&mut call);
        let (skipped, note) = (reader.skipped(), reader.note());
        Some(Played { call, failure, chunks, ended, skipped, note })
    }

    /// What is read of it where the answer is cut at these places.
    pub fn play_cut(&self, route: &Route, options: Options, places: &[usize]) -> Option<Played> {
        let ends = places.iter().copied().chain([self.body.len()]);
        let mut start = 0;
        let pieces = ends.map(|end| {
            let piece = &self.body[start..end];
            start = end;
            piece
        });
        self.play_pieces(route, options, usize::MAX, pieces)
    }

    /// The same, and that it does not matter how the bodies come in pieces.
    pub fn play_all_ways(&self, route: &Route, options: Options) -> Option<Played> {
        let whole = self.play(route, options, usize::MAX);
        for piece in [1, 7, 100, 1000] {
            assert_eq!(self.play(route, options, piece), whole, "{}: in pieces of {piece}", self.name);
        }
        whole
    }

    /// The documents of the answer: itself, or the data of its events.
    pub fn documents(&self) -> Vec<Value> {
        if let Ok(document) = serde_json::from_slice(&self.body) {
            return vec![document];
        }
        let text = String::from_utf8_lossy(&self.body);
        text.lines().filter_map(|line| serde_json::from_str(line.strip_prefix("data:")?).ok()).collect()
    }
}
