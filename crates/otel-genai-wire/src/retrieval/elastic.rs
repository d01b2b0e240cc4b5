//! Elasticsearch and OpenSearch: `_search` with a query for vectors. Other searches are not told.

use otel_genai::Failure;
use serde_json::Value;

use super::document::Document;
use super::{Sought, Store, count, items, named, text};
use crate::detect::Route;
use crate::scan::Want;

pub(crate) static ELASTICSEARCH: Store = Store {
    provider: named("elasticsearch"),
    request_want: &Want::Fields(&[
        ("size", Want::Keep(64)),
        ("knn", Want::Keep(128 << 10)),
        ("query", Want::Keep(128 << 10)),
        ("retriever", Want::Keep(128 << 10)),
    ]),
    answer_want: &Want::Fields(&[("hits", Want::Fields(&[])), ("error", Want::Keep(16 << 10))]),
    key: "hits",
    ask,
    found,
    failed,
};

/// The queries that look for vectors.
const QUERIES: &[&str] =
    &["knn", "neural", "neural_sparse", "semantic", "sparse_vector", "text_expansion", "neural_knn"];

/// Queries lie within queries no deeper than this.
const MAX_DEPTH: u8 = 12;

fn ask(body: &Value, route: &Route) -> Option<Sought> {
    let places = ["knn", "query", "retriever"];
    let mut sought = places.iter().find_map(|key| match (*key, body.get(key)?) {
        ("knn", query) => Some(clause(query)),
        (_, query) => find(query, MAX_DEPTH),
    })?;
    sought.top_k = sought.top_k.or_else(|| count(body, "size"));
    sought.source = route.parameter("index").filter(|index| !index.starts_with('_')).map(str::to_owned);
    Some(sought)
}

/// The first query for vectors, however deep it lies.
fn find(value: &Value, depth: u8) -> Option<Sought> {
    match value {
        Value::Object(fields) => fields.iter().find_map(|(key, value)| {
            let is_query = QUERIES.contains(&key.as_str()) && (value.is_object() || value.is_array());
            match is_query {
                true => Some(clause(value)),
                false => find(value, depth.checked_sub(1)?),
            }
        }),
        Value::Array(items) => {
            let depth = depth.checked_sub(1)?;
            // A vector holds no query.
            items.iter().take_while(|item| !item.is_number()).find_map(|item| find(item, depth))
        }
        _ => None,
    }
}

/// What a query says: here, below the field's name, or below a builder of vectors.
fn clause(value: &Value) -> Sought {
    fn fill(sought: &mut Sought, value: &Value, depth: u8) {
        let Value::Object(fields) = value else { return };
        sought.top_k = sought.top_k.or_else(|| count(value, "k"));
        for key in ["query_text", "model_text", "query"] {
            sought.query = sought.query.take().or_else(|| text(value, key));
        }
        for key in ["model_id", "inference_id"] {
            sought.model = sought.model.take().or_else(|| text(value, key));
        }
        let Some(depth) = depth.checked_sub(1) else { return };
        for (key, value) in fields {
            if key != "filter" {
                fill(sought, value, depth);
            }
        }
    }
    let mut sought = Sought::default();
    fill(&mut sought, items(Some(value)).first().unwrap_or(value), 3);
    sought
}

fn found(body: &Value) -> Option<Vec<Value>> {
    let read = |hit: &Value| {
        let fields = hit.get("_source").or_else(|| hit.get("fields"));
        Document::new(hit.get("_id")).score(hit.get("_score")).fields(fields).value()
    };
    let hits = body.get("hits")?;
    Some(items(hits.get("hits")).iter().map(read).collect())
}

/// `{"error": {"type": "...", "reason": "..."}}`
fn failed(body: &Value) -> Option<Failure> {
    let error = body.get("error")?;
    let kind = text(error, "type").filter(|kind| kind.len() <= 100)?;
    let failure = Failure::new(kind);
    Some(match text(error, "reason") {
        Some(reason) => failure.message(crate::json::prefix(&reason, 1024)),
        None => failure,
    })
}
