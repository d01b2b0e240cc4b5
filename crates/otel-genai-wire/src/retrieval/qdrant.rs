//! Qdrant: `collections/{name}/points/query`, and the older `search` and `recommend`, alone, in groups and in batches,
//! of which the first counts.

use otel_genai::Failure;
use serde_json::Value;

use super::document::Document;
use super::{Sought, Store, count, items, named, text};
use crate::detect::Route;
use crate::scan::Want;

pub(crate) static QDRANT: Store = Store {
    provider: named("qdrant"),
    request_want: &Want::Fields(&[
        ("limit", Want::Keep(64)),
        ("searches", Want::First(&Want::Fields(&[("limit", Want::Keep(64))]))),
    ]),
    answer_want: &Want::Fields(&[("result", Want::Fields(&[])), ("status", Want::Keep(16 << 10))]),
    key: "result",
    ask,
    found,
    failed,
};

fn ask(body: &Value, route: &Route) -> Option<Sought> {
    let body = items(body.get("searches")).first().unwrap_or(body);
    // A text that the store itself turns into a vector: `{"text": ..., "model": ...}`, here or within `nearest`.
    let query = body.get("query").map(|query| query.get("nearest").unwrap_or(query));
    Some(Sought {
        source: route.parameter("collection").map(str::to_owned),
        top_k: count(body, "limit"),
        query: query.and_then(|query| text(query, "text")),
        model: query.and_then(|query| text(query, "model")),
    })
}

fn found(body: &Value) -> Option<Vec<Value>> {
    let result = body.get("result")?;
    let points = result.get("points").or_else(|| {
        // Of a batch the first.
        let first = items(Some(result)).first()?;
        first.get("points").or_else(|| first.is_array().then_some(first))
    });
    let groups = items(result.get("groups")).iter().flat_map(|group| items(group.get("hits")));
    let points = items(points.or(Some(result))).iter();
    let read = |point: &Value| {
        Document::new(point.get("id")).score(point.get("score")).fields(point.get("payload")).value()
    };
    Some(points.chain(groups).filter(|point| point.is_object()).map(read).collect())
}

/// `{"status": {"error": "..."}}`
fn failed(body: &Value) -> Option<Failure> {
    let message = body.get("status")?.get("error")?.as_str()?;
    Some(Failure::new(Failure::OTHER).message(crate::json::prefix(message, 1024)))
}
