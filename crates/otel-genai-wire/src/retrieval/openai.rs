//! OpenAI's vector stores: `vector_stores/{id}/search`.

use otel_genai::ProviderName;
use serde_json::Value;

use super::document::Document;
use super::{Sought, Store, count, items, no_words};
use crate::detect::Route;
use crate::scan::Want;

pub(crate) static OPENAI: Store = Store {
    provider: ProviderName::OpenAi,
    request_want: &Want::Fields(&[("max_num_results", Want::Keep(64)), ("query", Want::Fields(&[]))]),
    answer_want: &Want::Fields(&[("data", Want::Fields(&[])), ("error", Want::Keep(16 << 10))]),
    key: "data",
    ask,
    found,
    failed: no_words,
};

fn ask(body: &Value, route: &Route) -> Option<Sought> {
    let query = match body.get("query") {
        Some(Value::Array(queries)) => {
            Some(queries.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n"))
        }
        query => query.and_then(Value::as_str).map(str::to_owned),
    };
    let source = route.parameter("store").map(str::to_owned);
    Some(Sought { source, top_k: count(body, "max_num_results"), query, model: None })
}

fn found(body: &Value) -> Option<Vec<Value>> {
    let read = |item: &Value| {
        let texts = items(item.get("content")).iter().filter_map(|part| part.get("text")?.as_str());
        let text = Value::from(texts.collect::<Vec<_>>().join("\n"));
        let mut fields = item
            .get("attributes")
            .cloned()
            .filter(Value::is_object)
            .unwrap_or_else(|| Value::Object(serde_json::Map::new()));
        if let (Some(name), Value::Object(fields)) = (item.get("filename"), &mut fields) {
            fields.insert("filename".to_owned(), name.clone());
        }
        let document = Document::new(item.get("file_id")).score(item.get("score"));
        document.content(Some(&text)).fields(Some(&fields)).value()
    };
    let data = body.get("data")?;
    Some(items(Some(data)).iter().map(read).collect())
}
