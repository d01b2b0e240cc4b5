//! Content that is longer than is to be kept: its beginning stays, and a word that says what is missing.

use std::sync::Arc;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message as _;
use serde_json::Value as Json;

use crate::value::{AnyValue, Form, Piece, Pieces};

/// Of a text within a message so much stays at least.
const LEAST: usize = 64;

/// Pieces of about so many bytes at most.
pub(super) fn shorten(Pieces { glue, list }: Pieces, most: usize) -> Pieces {
    let each = |piece: Arc<Piece>| match piece.bytes.len() > most {
        true => Arc::new(shortened(&piece, most)),
        false => piece,
    };
    Pieces { glue, list: list.into_iter().map(each).collect() }
}

fn shortened(piece: &Piece, most: usize) -> Piece {
    match piece.form {
        Form::Text => {
            Piece::new(Form::Text, text(&String::from_utf8_lossy(&piece.bytes), most).into_bytes().into())
        }
        // It has no beginning that could be read.
        Form::Value => {
            let value = AnyValue { value: Some(Value::StringValue(missing(piece.bytes.len()))) };
            Piece::new(Form::Value, value.encode_to_vec().into())
        }
    }
}

/// JSON stays JSON: the long texts in it lose their ends. Other text loses its own.
fn text(text: &str, most: usize) -> String {
    if text.trim_start().starts_with(['{', '[', '"'])
        && let Ok(json) = serde_json::from_str::<Json>(text)
    {
        for longest in [most / 4, LEAST] {
            let mut json = json.clone();
            cut_texts(&mut json, longest.max(LEAST));
            let json = json.to_string();
            if json.len() <= most {
                return json;
            }
        }
    }
    beginning(text, most)
}

fn cut_texts(json: &mut Json, longest: usize) {
    match json {
        // What is cut tells that in some more bytes than it saves, if it saves few.
        Json::String(text) if text.len() > 2 * longest => *text = beginning(text, longest),
        Json::Array(list) => list.iter_mut().for_each(|one| cut_texts(one, longest)),
        Json::Object(fields) => fields.values_mut().for_each(|one| cut_texts(one, longest)),
        _ => {}
    }
}

fn beginning(text: &str, most: usize) -> String {
    let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}{}", text.get(..end).unwrap_or_default(), missing(text.len() - end))
}

fn missing(bytes: usize) -> String {
    format!("… [cut by --max-content: {bytes} more bytes]")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::split::split;

    fn kept(text: &str, most: usize) -> Vec<String> {
        let value = AnyValue { value: Some(Value::StringValue(text.to_owned())) };
        let pieces = shorten(split(value), most);
        pieces.list.iter().map(|piece| String::from_utf8(piece.bytes.to_vec()).unwrap()).collect()
    }

    #[test]
    fn what_is_too_long_keeps_its_beginning_and_says_so() {
        let long = "wörter ".repeat(1_000);
        assert_eq!(kept("short", 1_024), ["short"]);
        let cut = kept(&long, 1_024).remove(0);
        assert!(
            cut.starts_with("wörter ") && cut.ends_with("… [cut by --max-content: 6976 more bytes]"),
            "{cut}"
        );
        let list = serde_json::json!([
            {"role": "user", "parts": [{"type": "text", "content": "short"}]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": long}]},
        ]);
        let messages = kept(&list.to_string(), 1_024);
        assert_eq!(messages[0], list[0].to_string());
        let answer: Json = serde_json::from_str(&messages[1]).unwrap();
        let response = answer["parts"][0]["response"].as_str().unwrap();
        assert_eq!((answer["role"].as_str(), answer["parts"][0]["id"].as_str()), (Some("tool"), Some("c1")));
        assert!(response.starts_with("wörter wörter") && response.contains("by --max-content"), "{response}");
        // Of many short texts none is too long: what is left is no JSON any more.
        let many = format!("[{}]", vec!["\"word\""; 5_000].join(","));
        assert!(kept(&many, 1_024)[0].len() < 1_200);
    }
}
