//! OpenLLMetry: messages flattened into names, `gen_ai.prompt.0.content`.

use otel_genai_store::Span;
use serde_json::Value as Json;

use super::{in_tree, name, of_span};
use crate::transcript::Carrier;
use crate::transcript::book::Book;
use crate::transcript::read;
use crate::transcript::telling::{Slot, Told};

const TREES: [(&str, Slot); 4] = [
    ("gen_ai.prompt.", Slot::Input),
    ("llm.prompts.", Slot::Input),
    ("gen_ai.completion.", Slot::Output),
    ("llm.completions.", Slot::Output),
];

pub(super) fn read(book: &mut Book, span: &Span, told: &mut Told) {
    let from = of_span(span, Carrier::OpenLlmetry);
    for (prefix, slot) in TREES {
        let Some(Json::Array(mut list)) = in_tree(&span.attributes, prefix) else { continue };
        // OpenInference has an envelope in names that are else the same.
        list.retain(|item| item.get("prompt").is_none() && item.get("completion").is_none());
        told.add_json(book, slot, &from, &name(prefix.trim_end_matches('.')), &Json::Array(list));
    }
    if let Some(list) = in_tree(&span.attributes, "llm.request.functions.") {
        told.add_tools(&from, read::tools(&list));
    }
}
