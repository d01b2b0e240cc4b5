//! Content is taken apart where it repeats: the messages of a history, each a piece of its own. Nothing is read and
//! nothing is lost: the pieces joined are the bytes that came, whatever those were.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message as _;

use crate::value::{AnyValue, Form, Glue, Piece, Pieces};

/// A list of more elements stays in one piece,
const MOST: usize = 4_096;
/// and so does one whose elements are shorter on average: numbers of an embedding, say.
const LEAST: usize = 32;

/// The pieces of a value.
pub(crate) fn split(value: AnyValue) -> Pieces {
    match value.value {
        Some(Value::StringValue(text)) => split_text(text),
        Some(Value::ArrayValue(array)) if worth(array.encoded_len(), array.values.len()) => Pieces {
            glue: Glue::Array,
            list: array.values.iter().map(|value| piece(Form::Value, value.encode_to_vec().into())).collect(),
        },
        value => one(Form::Value, AnyValue { value }.encode_to_vec().into()),
    }
}

fn split_text(text: String) -> Pieces {
    let found = elements(text.as_bytes()).filter(|(_, elements)| worth(text.len(), elements.len()));
    let bytes = Bytes::from(text);
    match found {
        Some((glue, elements)) => Pieces {
            glue,
            list: elements.into_iter().map(|range| piece(Form::Text, bytes.slice(range))).collect(),
        },
        None => one(Form::Text, bytes),
    }
}

fn one(form: Form, bytes: Bytes) -> Pieces {
    Pieces { glue: Glue::One, list: vec![piece(form, bytes)] }
}

fn piece(form: Form, bytes: Bytes) -> Arc<Piece> {
    Arc::new(Piece::new(form, bytes))
}

fn worth(bytes: usize, elements: usize) -> bool {
    (1..=MOST).contains(&elements) && bytes / elements >= LEAST
}

/// The elements of a text that is an array in JSON, as far as its brackets and its strings tell: what stands in them is not
/// looked at. `None` for any other text.
fn elements(text: &[u8]) -> Option<(Glue, Vec<Range<usize>>)> {
    if text.first() != Some(&b'[') || text.last() != Some(&b']') || text.len() < 2 {
        return None;
    }
    let (mut depth, mut at) = (0usize, 0);
    let mut commas = Vec::new();
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => at = end_of_string(text, at + 1)?,
            b'[' | b'{' => depth += 1,
            b']' | b'}' => {
                depth = depth.checked_sub(1)?;
                // Nothing stands behind the end.
                if depth == 0 && at + 1 != text.len() {
                    return None;
                }
            }
            b',' if depth == 1 => {
                if commas.len() >= MOST {
                    return None;
                }
                commas.push(at);
            }
            _ => {}
        }
        at += 1;
    }
    if depth != 0 {
        return None;
    }
    // As Python writes it, or as everybody else does. Other white space is left with the elements.
    let spaced = !commas.is_empty() && commas.iter().all(|comma| text.get(comma + 1) == Some(&b' '));
    let skip = if spaced { 2 } else { 1 };
    let mut elements = Vec::with_capacity(commas.len() + 1);
    let mut from = 1;
    for comma in commas {
        elements.push(from..comma);
        from = comma + skip;
    }
    elements.push(from..text.len() - 1);
    Some((if spaced { Glue::JsonSpaced } else { Glue::JsonTight }, elements))
}

/// Where the quote is that ends the string that begins here; most of a text is in strings.
fn end_of_string(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text.get(at) == Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::value::Held;

    fn text(text: &str) -> AnyValue {
        AnyValue { value: Some(Value::StringValue(text.to_owned())) }
    }

    fn parts(value: &str) -> (Glue, Vec<String>) {
        let Pieces { glue, list } = split(text(value));
        let part = |piece: &Arc<Piece>| String::from_utf8(piece.bytes.to_vec()).unwrap();
        (glue, list.iter().map(part).collect())
    }

    #[test]
    fn messages_are_pieces() {
        let (hello, answer) = (
            r#"{"role":"user","content":"hello, \"you\"] }"}"#,
            r#"{"role":"assistant","parts":[{"content":"a"},{"content":"b"}]}"#,
        );
        let both = vec![hello.to_owned(), answer.to_owned()];
        assert_eq!(parts(&format!("[{hello},{answer}]")), (Glue::JsonTight, both.clone()));
        assert_eq!(parts(&format!("[{hello}, {answer}]")), (Glue::JsonSpaced, both));
        assert_eq!(parts(&format!("[{hello}]")), (Glue::JsonTight, vec![hello.to_owned()]));
    }

    #[test]
    fn what_is_no_list_is_one_piece() {
        let long = "x".repeat(100);
        for value in [
            format!("{{\"a\":\"{long}\"}}"),
            format!("[\"{long}\"] and more"),
            format!("[\"{long}"),
            format!("[\"{long}\"]]"),
            format!("[\"{long}\"}},]"),
            format!("[{}]", vec!["0.25"; 1_536].join(",")),
            format!("[{}]", vec![format!("\"{long}\""); 5_000].join(",")),
            "]".to_owned(),
            "[".to_owned(),
            String::new(),
        ] {
            assert_eq!(parts(&value), (Glue::One, vec![value]));
        }
    }

    proptest! {
        #[test]
        fn pieces_joined_are_what_came(value in prop_oneof![
            "[\\[\\]{}\", \\\\a\n]{0,80}",
            "\\[(\"[a-z\\\\\"]{30,60}\"(,|, |,  ))*\\{\\}?\\]",
            "\\[(\\{\"[a-z]{40}\":[0-9]\\}, ){0,5}1\\]",
            any::<String>(),
        ]) {
            let whole = Held::Pieces(split(text(&value)));
            prop_assert_eq!(whole.text().map(std::borrow::Cow::into_owned), Some(value.clone()));
            prop_assert_eq!(whole.into_value(), Some(text(&value)));
        }
    }
}
