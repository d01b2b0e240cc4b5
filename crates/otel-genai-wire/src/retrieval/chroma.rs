//! Chroma: `collections/{id}/query`. The answers to several queries come together, of which the first counts.

use otel_genai::Failure;
use serde_json::Value;

use super::document::Document;
use super::{Sought, Store, count, items, named, text};
use crate::detect::Route;
use crate::scan::Want;

pub(crate) static CHROMA: Store = Store {
    provider: named("chroma"),
    request_want: &Want::Fields(&[("n_results", Want::Keep(64))]),
    answer_want: &Want::Fields(&[
        ("ids", Want::Fields(&[])),
        ("error", Want::Keep(1024)),
        ("message", Want::Keep(16 << 10)),
    ]),
    key: "ids",
    ask,
    found,
    failed,
};

fn ask(body: &Value, route: &Route) -> Option<Sought> {
    let texts = items(body.get("query_texts"));
    Some(Sought {
        source: route.parameter("collection").map(str::to_owned),
        top_k: count(body, "n_results"),
        query: texts.first().and_then(Value::as_str).map(str::to_owned),
        model: None,
    })
}

fn found(body: &Value) -> Option<Vec<Value>> {
    let ids = body.get("ids")?;
    // Lists of lists: one for each query.
    let column = |key: &str| items(items(body.get(key)).first());
    let (distances, texts, metadata) = (column("distances"), column("documents"), column("metadatas"));
    let read = |(at, id): (usize, &Value)| {
        let document = Document::new(Some(id)).distance(distances.get(at)).content(texts.get(at));
        document.fields(metadata.get(at)).value()
    };
    Some(items(items(Some(ids)).first()).iter().enumerate().map(read).collect())
}

/// `{"error": "NotFoundError", "message": "..."}`
fn failed(body: &Value) -> Option<Failure> {
    let kind = text(body, "error")?;
    let message = text(body, "message");
    let is_word =
        !kind.is_empty() && kind.len() <= 100 && kind.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let failure = Failure::new(if is_word { kind.clone() } else { Failure::OTHER.to_owned() });
    Some(failure.message(crate::json::prefix(&message.unwrap_or(kind), 1024)))
}
