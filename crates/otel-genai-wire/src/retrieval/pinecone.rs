//! Pinecone: `query` by a vector, and `records/namespaces/{namespace}/search` by a text.

use serde_json::Value;

use super::document::Document;
use super::{Sought, Store, count, items, named, no_words, text};
use crate::detect::Route;
use crate::scan::Want;

pub(crate) static PINECONE: Store = Store {
    provider: named("pinecone"),
    request_want: &Want::Fields(&[
        ("topK", Want::Keep(64)),
        ("query", Want::Fields(&[("top_k", Want::Keep(64))])),
    ]),
    answer_want: &Want::Fields(&[
        ("matches", Want::Fields(&[])),
        ("result", Want::Fields(&[("hits", Want::Fields(&[]))])),
        ("error", Want::Keep(16 << 10)),
    ]),
    key: "matches",
    ask,
    found,
    failed: no_words,
};

fn ask(body: &Value, route: &Route) -> Option<Sought> {
    let query = body.get("query");
    let top_k = count(body, "topK").or_else(|| count(query?, "top_k"))?;
    let query = query.and_then(|query| text(query.get("inputs")?, "text"));
    Some(Sought { source: index(&route.server.address), top_k: Some(top_k), query, model: None })
}

/// The index that a host is of: `{index}-{project}.svc.{region}.pinecone.io`.
fn index(host: &str) -> Option<String> {
    let (label, rest) = host.split_once('.')?;
    let (index, _) = label.rsplit_once('-')?;
    rest.starts_with("svc.").then(|| index.to_owned())
}

fn found(body: &Value) -> Option<Vec<Value>> {
    let hit = |hit: &Value| {
        Document::new(hit.get("_id")).score(hit.get("_score")).fields(hit.get("fields")).value()
    };
    let matched = |found: &Value| {
        Document::new(found.get("id")).score(found.get("score")).fields(found.get("metadata")).value()
    };
    match (body.get("matches"), body.get("result").and_then(|result| result.get("hits"))) {
        (Some(matches), _) => Some(items(Some(matches)).iter().map(matched).collect()),
        (None, hits) => hits.map(|hits| items(Some(hits)).iter().map(hit).collect()),
    }
}
