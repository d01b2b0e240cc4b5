//! Errors as providers tell them: in a body, in place of an answer, within a stream.

use std::borrow::Cow;

use otel_genai::Failure;

use crate::json::{self, Raw, object};
use crate::scan::{Scan, Want};

/// Longer messages are cut, in bytes.
const MAX_MESSAGE: usize = 1024;
/// Longer codes are no codes, in bytes.
const MAX_CODE: usize = 100;

object! {
    /// What may stand for an error at the top of a document.
    struct Refusal<'a> {
        "error" => error: Raw<'a>,
        // vLLM and Mistral: `{"object": "error", "message": ..., "type": ..., "code": ...}`.
        "object" => object: Option<Cow<'a, str>>,
        "message" => message: Raw<'a>,
        "type" => kind: Option<Cow<'a, str>>,
        "code" => code: Raw<'a>,
        // FastAPI, and with it many servers of open models.
        "detail" => detail: Raw<'a>,
    }

    struct Details<'a> {
        "message" | "msg" => message: Raw<'a>,
        "type" => kind: Option<Cow<'a, str>>,
        "code" => code: Raw<'a>,
        "error" => error: Raw<'a>,
        "detail" => detail: Raw<'a>,
    }
}

/// What is picked out of an error body of any size.
static ERROR: Want = Want::Fields(&[
    ("error", Want::Keep(64 << 10)),
    ("object", Want::Keep(64)),
    ("message", Want::Keep(16 << 10)),
    ("type", Want::Keep(1024)),
    ("code", Want::Keep(1024)),
    ("detail", Want::Keep(64 << 10)),
]);

impl Refusal<'_> {
    /// The error that stands in place of an answer, where one does.
    pub(crate) fn failure(&self) -> Option<Failure> {
        if self.error.get().is_none_or(|error| matches!(error, "false" | "\"\"" | "{}" | "[]")) {
            return (self.object.as_deref() == Some("error")).then(|| self.told().failure(None));
        }
        Some(self.told().failure(None))
    }

    /// All that is said of the error.
    fn told(&self) -> Told {
        let mut told = Told::of(self.error, 4);
        told.message = told.message.or_else(|| text_of(self.message, 3)).or_else(|| text_of(self.detail, 3));
        told.code = told.code.or_else(|| code_of(self.code));
        told.kind = told.kind.or_else(|| self.kind.as_deref().and_then(low_cardinality));
        told
    }
}

/// What an error says of itself.
#[derive(Debug, Default)]
struct Told {
    message: Option<String>,
    code: Option<String>,
    kind: Option<String>,
}

impl Told {
    /// Reads an error: an object, or a mere text. `depth` bounds how far errors within errors are followed.
    fn of(error: Raw<'_>, depth: u8) -> Told {
        match error.get().and_then(|json| json.bytes().next()) {
            Some(b'{') => {
                let details: Details<'_> = error.to();
                let inner = if depth == 0 { Told::default() } else { Told::of(details.error, depth - 1) };
                Told {
                    message: text_of(details.message, depth)
                        .or(inner.message)
                        .or_else(|| text_of(details.detail, depth)),
                    code: code_of(details.code).or(inner.code),
                    kind: details.kind.as_deref().and_then(low_cardinality).or(inner.kind),
                }
            }
            _ => Told { message: text_of(error, depth), ..Told::default() },
        }
    }

    /// A word tells more than a number, which often only repeats the status.
    fn failure(self, status: Option<u16>) -> Failure {
        let Told { message, code, kind } = self;
        let (word, number) = match code {
            Some(code) if code.bytes().all(|byte| byte.is_ascii_digit()) => (None, Some(code)),
            code => (code, None),
        };
        let status_text = status.map(|status| status.to_string());
        let error_type =
            word.or(kind).or(number).or(status_text).unwrap_or_else(|| Failure::OTHER.to_owned());
        let failure = Failure::new(error_type);
        match message.or_else(|| status.map(reason)) {
            Some(message) => failure.message(message),
            None => failure,
        }
    }
}

/// The failure that an answer with an error status tells.
pub(crate) fn of_body(status: u16, body: &[u8]) -> Failure {
    // Where a stream was asked for, some servers wrap even the error of the whole request into an event.
    let body = match body.trim_ascii_start().strip_prefix(b"data:") {
        Some(data) => data.split(|byte| *byte == b'\n').next().unwrap_or(data),
        None => body,
    };
    let body = match json::repair(body) {
        Some(repaired) => Cow::Owned(repaired),
        None => Cow::Borrowed(body),
    };
    let told = match json::read::<Refusal<'_>>(&body) {
        Ok(refusal) => refusal.told(),
        Err(_) if json::first(&body) == Some(b'{') => {
            let mut scan = Scan::new(&ERROR);
            scan.push(&body);
            json::read::<Refusal<'_>>(&scan.finish().0).map(|refusal| refusal.told()).unwrap_or_default()
        }
        Err(_) => Told { message: plain_text(&body), ..Told::default() },
    };
    told.failure(Some(status))
}

/// The failure that an event of the name `error` tells.
pub(crate) fn of_event(data: &[u8]) -> Failure {
    let told = match json::read::<Refusal<'_>>(data) {
        Ok(refusal) => refusal.told(),
        Err(_) => Told { message: plain_text(data), ..Told::default() },
    };
    told.failure(None)
}

/// A body for people; pages for browsers say nothing.
fn plain_text(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?.trim();
    (!text.is_empty() && !text.starts_with('<')).then(|| bounded(text))
}

/// `502 Bad Gateway`
fn reason(status: u16) -> String {
    let reason = http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    format!("{status} {}", reason.unwrap_or_default()).trim_end().to_owned()
}

/// The text that a value holds: itself, or the first message in a list or object of them.
fn text_of(value: Raw<'_>, depth: u8) -> Option<String> {
    match value.get()?.bytes().next()? {
        b'"' => {
            let text = value.to::<Option<Cow<'_, str>>>()?;
            let text = text.trim();
            (!text.is_empty()).then(|| bounded(text))
        }
        b'[' if depth > 0 => text_of(*value.to::<Vec<Raw<'_>>>().first()?, depth - 1),
        b'{' if depth > 0 => {
            let details: Details<'_> = value.to();
            text_of(details.message, depth - 1).or_else(|| text_of(details.detail, depth - 1))
        }
        _ => None,
    }
}

fn code_of(value: Raw<'_>) -> Option<String> {
    let json = value.get()?;
    match json.bytes().next()? {
        b'"' => low_cardinality(&value.to::<Option<Cow<'_, str>>>()?),
        b'-' | b'0'..=b'9' => low_cardinality(json),
        _ => None,
    }
}

/// The text, if it may name a kind of error: a word, not a sentence.
fn low_cardinality(text: &str) -> Option<String> {
    let is_word =
        !text.is_empty() && text.len() <= MAX_CODE && text.bytes().all(|byte| byte.is_ascii_graphic());
    is_word.then(|| text.to_owned())
}

fn bounded(text: &str) -> String {
    match text.len() > MAX_MESSAGE {
        true => format!("{}…", json::prefix(text, MAX_MESSAGE)),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> (String, String) {
        let failure = of_body(status, body.as_bytes());
        (failure.error_type.into_owned(), failure.message.unwrap_or_default())
    }

    fn is(kind: &str, message: &str) -> (String, String) {
        (kind.to_owned(), message.to_owned())
    }

    #[test]
    fn the_providers_code_is_the_type() {
        let openai = r#"{"error":{"message":"No such model","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#;
        assert_eq!(of(404, openai), is("model_not_found", "No such model"));
        let no_code = r#"{"error":{"message":"conflict","type":"invalid_request_error","code":null}}"#;
        assert_eq!(of(409, no_code), is("invalid_request_error", "conflict"));
        assert_eq!(of(429, r#"{"error":{"message":"slow down"}}"#), is("429", "slow down"));
    }

    #[test]
    fn a_number_is_a_code_where_there_is_no_word() {
        let llama =
            r#"{"error":{"code":400,"message":"too long","type":"exceed_context_size_error","n_ctx":1}}"#;
        assert_eq!(of(400, llama), is("exceed_context_size_error", "too long"));
        let mistral = r#"{"object":"error","message":"Invalid model: x","type":"invalid_model","param":null,"code":"1500"}"#;
        assert_eq!(of(400, mistral), is("invalid_model", "Invalid model: x"));
        assert_eq!(of(402, r#"{"error":{"message":"no credit","code":402}}"#), is("402", "no credit"));
    }

    #[test]
    fn other_shapes() {
        assert_eq!(of(404, r#"{"error":"model 'x' not found"}"#), is("404", "model 'x' not found"));
        assert_eq!(of(418, r#"{"detail":"teapot"}"#), is("418", "teapot"));
        let fastapi =
            r#"{"detail":[{"loc":["body","messages"],"msg":"field required","type":"value_error.missing"}]}"#;
        assert_eq!(of(422, fastapi), is("422", "field required"));
        let mistral = r#"{"object":"error","message":{"detail":[{"type":"extra_forbidden","msg":"Extra inputs"}]},"type":"invalid_request_error"}"#;
        assert_eq!(of(422, mistral), is("invalid_request_error", "Extra inputs"));
        let gemini = r#"[{"error":{"code":400,"message":"API key not valid","status":"INVALID_ARGUMENT"}}]"#;
        assert_eq!(of(400, gemini), is("400", "API key not valid"));
        assert_eq!(of(401, "data: {\"error\":{\"code\":\"x\"}}\n\n"), is("x", "401 Unauthorized"));
        assert_eq!(of(400, r#"{"message":"bad"}"#), is("400", "bad"));
    }

    #[test]
    fn bodies_that_are_no_json() {
        assert_eq!(of(502, "<html><h1>502 Bad Gateway</h1></html>"), is("502", "502 Bad Gateway"));
        assert_eq!(of(503, ""), is("503", "503 Service Unavailable"));
        assert_eq!(of(500, "Internal error\n"), is("500", "Internal error"));
        assert_eq!(of(599, "\0\u{1}"), is("599", "\0\u{1}"));
        assert_eq!(of(999, ""), is("999", "999"));
        assert_eq!(
            of(500, r#"{"error":{"code":"cut","message":"he"#),
            is("500", "500 Internal Server Error")
        );
        assert_eq!(of(500, r#"{"code":"kept","message":"he"#), is("kept", "500 Internal Server Error"));
    }

    #[test]
    fn a_sentence_is_no_type_and_a_long_message_is_cut() {
        let sentence = r#"{"error":{"message":"m","type":"what a sad thing","code":"it did not work"}}"#;
        assert_eq!(of(400, sentence), is("400", "m"));
        let long = format!(r#"{{"error":{{"message":"{}"}}}}"#, "ä".repeat(10_000));
        assert!(of(400, &long).1.len() <= MAX_MESSAGE + 3);
    }

    #[test]
    fn an_error_in_place_of_an_answer() {
        let failure = |body: &str| json::read::<Refusal<'_>>(body.as_bytes()).unwrap().failure();
        assert_eq!(failure(r#"{"error":{"code":"c","message":"m"}}"#), Some(Failure::new("c").message("m")));
        assert_eq!(failure(r#"{"error":"m"}"#), Some(Failure::new(Failure::OTHER).message("m")));
        assert_eq!(
            failure(r#"{"object":"error","code":40001,"message":"m"}"#),
            Some(Failure::new("40001").message("m"))
        );
        for fine in
            [r#"{"error":null}"#, r#"{"object":"chat.completion"}"#, r#"{"error":{}}"#, r#"{"error":""}"#]
        {
            assert_eq!(failure(fine), None, "{fine}");
        }
    }
}
