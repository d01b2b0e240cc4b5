//! Logfire and pydantic-ai: a list of events in one attribute. MLflow and Traceloop: input and output as a whole.

use std::sync::Arc;

use otel_genai_store::Span;
use serde_json::Value as Json;

use super::legacy;
use super::{name, of_span};
use crate::transcript::Carrier;
use crate::transcript::book::{As, Book};
use crate::transcript::read;
use crate::transcript::telling::{Line, Slot, Told};

pub(super) fn read(book: &mut Book, span: &Span, told: &mut Told) {
    let from = of_span(span, Carrier::Logfire);
    for key in ["events", "all_messages_events"] {
        let Some(Json::Array(list)) = span.attributes.json(key) else { continue };
        let name = name(key);
        let mut said = Vec::new();
        for (at, item) in (0u32..).zip(&list) {
            let Some(event) = item.get("event.name").and_then(Json::as_str) else { continue };
            let Some((slot, index, messages)) = legacy::message(event, item) else { continue };
            let line = |message| Line {
                message,
                name: Arc::clone(&name),
                index: Some(at),
                log: None,
                partial: false,
            };
            said.extend(
                messages.into_iter().filter_map(|message| Some((slot, index, line(book.enter(message)?)))),
            );
        }
        legacy::add(book, told, &from, said);
    }
    // What pydantic-ai may ask a model to call, among its other settings of the request.
    if let Some(request) = span.attributes.json("model_request_parameters") {
        for key in ["function_tools", "output_tools"] {
            told.add_tools(&from, request.get(key).map(read::tools).unwrap_or_default());
        }
    }
    if let Some(value) = span.attributes.get("pydantic_ai.all_messages") {
        let mut read = book.read(value, As::Input);
        // The history of a run ends with its answer.
        let ends = read.pop_if(|last| book.role(last.message) == "assistant");
        let name = name("pydantic_ai.all_messages");
        told.add_read(book, Slot::Input, &from, &name, read);
        told.add_read(book, Slot::Output, &from, &name, ends.into_iter().collect());
    }
}

/// Input and output as a whole, where nothing better was told.
pub(super) fn read_whole(book: &mut Book, span: &Span, told: &mut Told) {
    let keys = [
        ("mlflow.spanInputs", Slot::Input, Carrier::Mlflow),
        ("mlflow.spanOutputs", Slot::Output, Carrier::Mlflow),
        ("traceloop.entity.input", Slot::Input, Carrier::Traceloop),
        ("traceloop.entity.output", Slot::Output, Carrier::Traceloop),
    ];
    for (key, slot, carrier) in keys {
        let told_better = told.tellings.iter().any(|telling| telling.slot == slot);
        let Some(value) = span.attributes.get(key) else { continue };
        let from = of_span(span, carrier);
        if slot == Slot::Input && told.tools.is_empty() {
            told.add_tools(&from, read::tools_of_request(value));
        }
        if !told_better {
            told.add_value(book, slot, &from, &name(key), value);
        }
    }
    if let Some(tools) = span.attributes.json("mlflow.chat.tools").filter(|_| told.tools.is_empty()) {
        told.add_tools(&of_span(span, Carrier::Mlflow), read::tools(&tools));
    }
}
