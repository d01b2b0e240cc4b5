//! Content that is longer than is to be kept: its beginning stays, and a word that says what is missing.

use std::sync::Arc;

use bytes::Bytes;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message as _;
use serde_json::Value as Json;

use crate::value::{AnyValue, Form, Piece, Pieces, any_to_json};

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
        Form::Value => Piece::new(Form::Value, value(&piece.bytes, most).encode_to_vec().into()),
    }
}

/// A structured value keeps its structure: the long texts in it lose their ends. Where that is not enough it is told as the
/// beginning of its JSON.
fn value(bytes: &Bytes, most: usize) -> AnyValue {
    let text = |text| AnyValue { value: Some(Value::StringValue(text)) };
    let Ok(value) = AnyValue::decode(bytes.clone()) else { return text(missing(bytes.len())) };
    for longest in longest(most) {
        let mut value = value.clone();
        cut_value(&mut value, longest);
        if value.encoded_len() <= most {
            return value;
        }
    }
    text(beginning(&any_to_json(&value).to_string(), most))
}

fn cut_value(value: &mut AnyValue, longest: usize) {
    match &mut value.value {
        Some(Value::StringValue(text)) => cut_text(text, longest),
        Some(Value::BytesValue(bytes)) if bytes.len() > 2 * longest => {
            // They have no beginning that could be read.
            value.value = Some(Value::StringValue(missing(bytes.len())));
        }
        Some(Value::ArrayValue(list)) => list.values.iter_mut().for_each(|one| cut_value(one, longest)),
        Some(Value::KvlistValue(fields)) => {
            fields
                .values
                .iter_mut()
                .filter_map(|field| field.value.as_mut())
                .for_each(|one| cut_value(one, longest));
        }
        _ => {}
    }
}

/// JSON stays JSON: the long texts in it lose their ends. Other text loses its own.
fn text(text: &str, most: usize) -> String {
    if text.trim_start().starts_with(['{', '[', '"'])
        && let Ok(json) = serde_json::from_str::<Json>(text)
    {
        for longest in longest(most) {
            let mut json = json.clone();
            cut_texts(&mut json, longest);
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
        Json::String(text) => cut_text(text, longest),
        Json::Array(list) => list.iter_mut().for_each(|one| cut_texts(one, longest)),
        Json::Object(fields) => fields.values_mut().for_each(|one| cut_texts(one, longest)),
        _ => {}
    }
}

/// How long texts within something may be: first so long, then so.
fn longest(most: usize) -> [usize; 2] {
    [(most / 4).max(LEAST), LEAST]
}

fn cut_text(text: &mut String, longest: usize) {
    // What is cut tells that in some more bytes than it saves, if it saves few.
    if text.len() > 2 * longest {
        *text = beginning(text, longest);
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
    use opentelemetry_proto::tonic::common::v1::{ArrayValue, KeyValue, KeyValueList};

    use super::*;
    use crate::split::split;
    use crate::value::Held;

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

    #[test]
    fn structured_values_keep_their_structure() {
        let text = |text: &str| AnyValue { value: Some(Value::StringValue(text.to_owned())) };
        let list = |values| AnyValue { value: Some(Value::ArrayValue(ArrayValue { values })) };
        let object = |fields: Vec<(&str, AnyValue)>| {
            let pair = |(key, value): (&str, AnyValue)| KeyValue {
                key: key.to_owned(),
                value: Some(value),
                ..KeyValue::default()
            };
            let values = fields.into_iter().map(pair).collect();
            AnyValue { value: Some(Value::KvlistValue(KeyValueList { values })) }
        };
        let kept = |value: AnyValue| Held::Pieces(shorten(split(value), 1_024)).json().unwrap();

        let long = "wörter ".repeat(1_000);
        let picture = AnyValue { value: Some(Value::BytesValue(vec![7; 9_000])) };
        let part = |content: AnyValue| object(vec![("type", text("text")), ("content", content)]);
        let message = |parts| object(vec![("role", text("user")), ("parts", list(parts))]);
        let messages = list(vec![
            message(vec![part(text("short"))]),
            message(vec![part(text(&long)), part(picture.clone())]),
        ]);
        let json = kept(messages);
        assert_eq!(json[0]["parts"][0]["content"], "short");
        assert_eq!((&json[1]["role"], &json[1]["parts"][0]["type"]), (&"user".into(), &"text".into()));
        let content = json[1]["parts"][0]["content"].as_str().unwrap();
        assert!(content.starts_with("wörter wörter") && content.contains("by --max-content"), "{content}");
        assert_eq!(json[1]["parts"][1]["content"], "… [cut by --max-content: 9000 more bytes]");

        // A body that is no list.
        let json = kept(object(vec![("content", text(&long)), ("role", text("tool")), ("id", text("c1"))]));
        assert_eq!((&json["role"], &json["id"]), (&"tool".into(), &"c1".into()));
        assert!(json["content"].as_str().unwrap().starts_with("wörter wörter"), "{json}");

        // Of many short texts none is too long.
        let json = kept(object(vec![("words", list(vec![text("word"); 5_000]))]));
        let told = json.as_str().unwrap();
        assert!(told.starts_with(r#"{"words":["word","word""#) && told.len() < 1_200, "{told}");
        assert_eq!(kept(picture), "… [cut by --max-content: 9000 more bytes]");
    }
}
