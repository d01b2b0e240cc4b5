//! Weaviate: GraphQL, of which `Get` with a search is read, as far as its first class goes.

use otel_genai::Failure;
use serde_json::Value;

use super::document::Document;
use super::{Sought, Store, items, named, text};
use crate::detect::Route;
use crate::scan::Want;

pub(crate) static WEAVIATE: Store = Store {
    provider: named("weaviate"),
    // Class and limit are within.
    request_want: &Want::Fields(&[("query", Want::Keep(128 << 10))]),
    answer_want: &Want::Fields(&[("data", Want::Fields(&[])), ("errors", Want::Keep(16 << 10))]),
    key: "data",
    ask,
    found,
    failed,
};

/// The arguments that make `Get` a search.
const SEARCHES: &[&str] = &["nearText", "nearVector", "nearObject", "nearImage", "hybrid", "bm25", "ask"];

fn ask(body: &Value, _route: &Route) -> Option<Sought> {
    let query = body.get("query")?.as_str()?;
    let (_, rest) = query.split_once("Get")?;
    let rest = rest.trim_start().strip_prefix('{')?.trim_start();
    let class =
        rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().filter(|class| !class.is_empty())?;
    let arguments = rest.get(class.len()..)?.trim_start().strip_prefix('(')?;
    if !SEARCHES.iter().any(|search| after(arguments, search).is_some()) {
        return None;
    }
    let limit = after(arguments, "limit").map(|rest| rest.chars().take_while(char::is_ascii_digit));
    let said = ["concepts", "query", "question"].iter().find_map(|key| strings(after(arguments, key)?));
    Some(Sought {
        source: Some(class.to_owned()),
        top_k: limit.and_then(|digits| digits.collect::<String>().parse().ok()),
        query: said,
        model: None,
    })
}

/// What stands behind a name and its colon.
fn after<'a>(arguments: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = arguments;
    while let Some((before, after)) = rest.split_once(name) {
        let is_word = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        if let Some(value) = after.trim_start().strip_prefix(':').filter(|_| is_word) {
            return Some(value.trim_start());
        }
        rest = after;
    }
    None
}

/// The text that stands here, or the texts of a list.
fn strings(value: &str) -> Option<String> {
    let json = match value.strip_prefix('[') {
        Some(_) => value.get(..=value.find(']')?)?,
        None => value,
    };
    let mut texts = serde_json::Deserializer::from_str(json).into_iter::<Value>();
    match texts.next()?.ok()? {
        Value::String(text) => Some(text),
        Value::Array(texts) => Some(texts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")),
        _ => None,
    }
}

fn found(body: &Value) -> Option<Vec<Value>> {
    let data = body.get("data")?;
    let classes = data.get("Get").and_then(Value::as_object);
    let objects = classes.and_then(|classes| classes.values().next());
    let read = |object: &Value| {
        let more = object.get("_additional");
        let more = |key: &str| more.and_then(|more| more.get(key));
        let mut fields = object.clone();
        if let Value::Object(fields) = &mut fields {
            fields.remove("_additional");
        }
        // Its score is a text.
        let score =
            more("score").map(|score| match score.as_str().and_then(|score| score.parse::<f64>().ok()) {
                Some(score) => score.into(),
                None => score.clone(),
            });
        let score = score.as_ref().or_else(|| more("certainty"));
        let document = Document::new(more("id")).score(score).distance(more("distance"));
        document.fields(Some(&fields)).value()
    };
    Some(items(objects).iter().map(read).collect())
}

/// `{"errors": [{"message": "..."}]}`, whatever the status says.
fn failed(body: &Value) -> Option<Failure> {
    let first = items(body.get("errors").or_else(|| body.get("error"))).first()?;
    let message = text(first, "message")?;
    Some(Failure::new(Failure::OTHER).message(crate::json::prefix(&message, 1024)))
}
