//! The oldest conventions: all of the prompt in one text, all of the answer in another.

use std::sync::Arc;

use otel_genai_store::{Held, Span};

use super::{name, of_span};
use crate::transcript::Carrier;
use crate::transcript::book::Book;
use crate::transcript::telling::{From, Slot, Told};

const SLOTS: [(&str, &str, Slot); 2] = [
    ("gen_ai.content.prompt", "gen_ai.prompt", Slot::Input),
    ("gen_ai.content.completion", "gen_ai.completion", Slot::Output),
];

pub(super) fn read(book: &mut Book, span: &Span, told: &mut Told) {
    let from = of_span(span, Carrier::Oldest);
    for (_, key, slot) in SLOTS {
        if let Some(value) = span.attributes.get(key).filter(|value| is_content(value)) {
            told.add_value(book, slot, &from, &name(key), value);
        }
    }
    for (at, event) in span.events.iter().enumerate() {
        let Some((_, key, slot)) = SLOTS.iter().find(|(event_name, ..)| *event_name == event.name.as_ref())
        else {
            continue;
        };
        if let Some(value) = event.attributes.get(key) {
            let part = Arc::from(format!("{} {at}", event.time.0));
            let from = From { part, ..from.clone() };
            told.add_value(book, *slot, &from, &event.name, value);
        }
    }
}

/// A name of a prompt is no prompt; an empty text is none either.
fn is_content(value: &Held) -> bool {
    value.text().is_none_or(|text| !text.is_empty())
}
