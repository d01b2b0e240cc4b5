//! OpenInference: messages flattened into names, `llm.input_messages.0.message.content`; as a last resort input and output
//! as a whole.

use otel_genai_store::Span;
use serde_json::Value as Json;

use super::{in_tree, name, of_span};
use crate::transcript::Carrier;
use crate::transcript::book::Book;
use crate::transcript::read;
use crate::transcript::telling::{Slot, Told};

const TREES: [(&str, Slot); 4] = [
    ("llm.input_messages.", Slot::Input),
    ("llm.prompts.", Slot::Input),
    ("llm.output_messages.", Slot::Output),
    ("llm.choices.", Slot::Output),
];

pub(super) fn read(book: &mut Book, span: &Span, told: &mut Told) {
    let from = of_span(span, Carrier::OpenInference);
    for (prefix, slot) in TREES {
        let Some(Json::Array(list)) = in_tree(&span.attributes, prefix) else { continue };
        // Prompts and choices of text completions: OpenLLMetry has no such envelope, and read its own already.
        let is_text = matches!(prefix, "llm.prompts." | "llm.choices.");
        let list: Vec<Json> = list
            .into_iter()
            .filter_map(|item| match is_text {
                true => item.pointer("/prompt/text").or_else(|| item.pointer("/completion/text")).cloned(),
                false => Some(item),
            })
            .collect();
        told.add_json(book, slot, &from, &name(prefix.trim_end_matches('.')), &Json::Array(list));
    }
    if let Some(list) = in_tree(&span.attributes, "llm.tools.") {
        told.add_tools(&from, read::tools(&list));
    }
    // The whole of a request or answer, as the program's own functions have it.
    for (key, slot) in [("input.value", Slot::Input), ("output.value", Slot::Output)] {
        let told_better = told.tellings.iter().any(|telling| telling.slot == slot);
        let Some(value) = span.attributes.get(key) else { continue };
        if slot == Slot::Input && told.tools.is_empty() {
            told.add_tools(&from, read::tools_of_request(value));
        }
        if !told_better {
            told.add_value(book, slot, &from, &name(key), value);
        }
    }
}
