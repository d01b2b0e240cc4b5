//! Content that was uploaded: an attribute says where it is.

use bytes::Bytes;
use otel_genai_store::{Attributes, Form, Glue, Held, Piece, Pieces};
use std::sync::Arc;

use super::name;
use crate::transcript::References;
use crate::transcript::book::Book;
use crate::transcript::telling::{From, Slot, Told};

const SLOTS: [(&str, Option<Slot>); 4] = [
    ("gen_ai.system_instructions_ref", Some(Slot::System)),
    ("gen_ai.input.messages_ref", Some(Slot::Input)),
    ("gen_ai.output.messages_ref", Some(Slot::Output)),
    ("gen_ai.tool.definitions_ref", None),
];

pub(super) fn is_here(attributes: &Attributes) -> bool {
    SLOTS.iter().any(|(key, _)| attributes.get(key).is_some())
}

pub(super) fn read(
    book: &mut Book,
    attributes: &Attributes,
    from: &From,
    references: &dyn References,
    told: &mut Told,
) {
    for (key, slot) in SLOTS {
        let Some(uri) = attributes.text(key) else { continue };
        let Ok(content) = references.resolve(&uri) else {
            told.elsewhere = true;
            continue;
        };
        let value = text(content);
        match slot {
            Some(slot) => told.add_value(book, slot, from, &name(key), &value),
            None => {
                let tools = book.read_tools(&value);
                told.add_tools(from, tools);
            }
        }
    }
}

fn text(content: Bytes) -> Held {
    let content = match std::str::from_utf8(&content) {
        Ok(text) => listed(text).map_or(content, Bytes::from),
        Err(_) => String::from_utf8_lossy(&content).into_owned().into(),
    };
    Held::Pieces(Pieces { glue: Glue::One, list: vec![Arc::new(Piece::new(Form::Text, content))] })
}

/// A file with an object a line as the list that it is. Their places are told by the lines already.
fn listed(text: &str) -> Option<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let item = |line: &str| {
        let mut item: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).ok()?;
        item.remove("index");
        Some(serde_json::Value::Object(item))
    };
    let list: Vec<_> = lines.map(item).collect::<Option<_>>()?;
    (!list.is_empty()).then(|| serde_json::Value::Array(list).to_string())
}
