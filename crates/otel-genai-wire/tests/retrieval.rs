//! Searches in vector stores: what was read is what the bodies say.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use http::{HeaderMap, HeaderValue, Method, Uri};
use otel_genai::{Failure, Retrieval};
use otel_genai_wire::{Call, Options, RequestReader, ResponseReader, Route, detect};
use serde_json::{Value, json};

const QDRANT: &str = "http://127.0.0.1:6333/collections/orders/points/query";
const CHROMA: &str =
    "http://127.0.0.1:8000/api/v2/tenants/default_tenant/databases/default_database/collections/c-1/query";
const ELASTIC: &str = "https://search.example:9200/orders/_search?size=3";
const PINECONE: &str = "https://orders-a1b2c3d.svc.us-east-1.pinecone.io/query";
const WEAVIATE: &str = "http://127.0.0.1:8080/v1/graphql";
const OPENAI: &str = "https://api.openai.com/v1/vector_stores/vs_1/search";

fn route(url: &str) -> Route {
    detect(&Method::POST, &url.parse::<Uri>().unwrap(), &HeaderMap::new()).unwrap_or_else(|| panic!("{url}"))
}

fn call(url: &str, body: &Value, content: bool) -> Option<Retrieval> {
    let mut reader = RequestReader::new(&route(url), Options::new(content));
    reader.push(body.to_string().as_bytes());
    match reader.finish()? {
        Call::Retrieval(op) => Some(*op),
        other => panic!("{other:?}"),
    }
}

fn answer(url: &str, status: u16, body: &Value, content: bool) -> (Value, Option<Failure>) {
    let mut op = Retrieval::default();
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    let call = op.clone().into();
    let mut reader = ResponseReader::new(&route(url), status, &headers, &call, Options::new(content));
    reader.push(body.to_string().as_bytes());
    let failure = reader.finish(&mut op);
    (op.documents.into(), failure)
}

fn vector() -> Value {
    (0..64).map(|at| f64::from(at) / 64.0).collect()
}

#[test]
fn requests() {
    let vector = vector();
    for (url, body, provider, source, top_k, query, model) in [
        (
            OPENAI,
            json!({"query": "late", "max_num_results": 5}),
            "openai",
            Some("vs_1"),
            Some(5),
            Some("late"),
            None,
        ),
        (
            OPENAI,
            json!({"query": ["late", "orders"]}),
            "openai",
            Some("vs_1"),
            None,
            Some("late\norders"),
            None,
        ),
        (
            QDRANT,
            json!({"query": vector, "limit": 4, "filter": {}}),
            "qdrant",
            Some("orders"),
            Some(4),
            None,
            None,
        ),
        (
            QDRANT,
            json!({"query": {"nearest": {"text": "late", "model": "bge"}}, "limit": 4}),
            "qdrant",
            Some("orders"),
            Some(4),
            Some("late"),
            Some("bge"),
        ),
        (
            "http://h/collections/a%20b/points/search/batch",
            json!({"searches": [{"vector": vector, "limit": 2}, {"limit": 9}]}),
            "qdrant",
            Some("a b"),
            Some(2),
            None,
            None,
        ),
        (
            CHROMA,
            json!({"query_embeddings": [vector], "n_results": 3}),
            "chroma",
            Some("c-1"),
            Some(3),
            None,
            None,
        ),
        (PINECONE, json!({"topK": 7, "vector": vector}), "pinecone", Some("orders"), Some(7), None, None),
        (
            "https://orders-a1b2c3d.svc.us-east-1.pinecone.io/records/namespaces/ns/search",
            json!({"query": {"inputs": {"text": "late"}, "top_k": 3}}),
            "pinecone",
            Some("orders"),
            Some(3),
            Some("late"),
            None,
        ),
        (
            ELASTIC,
            json!({"knn": {"field": "v", "query_vector": vector, "k": 6, "num_candidates": 50}}),
            "elasticsearch",
            Some("orders"),
            Some(6),
            None,
            None,
        ),
        (
            ELASTIC,
            json!({"size": 2, "retriever": {"rrf": {"retrievers": [{"standard": {"query": {"match_all": {}}}}, {"knn": {"field": "v",
                "query_vector_builder": {"text_embedding": {"model_id": "e5", "model_text": "late"}}}}]}}}),
            "elasticsearch",
            Some("orders"),
            Some(2),
            Some("late"),
            Some("e5"),
        ),
        (
            ELASTIC,
            json!({"query": {"bool": {"must": [{"neural": {"v": {"query_text": "late", "model_id": "m", "k": 8}}}]}}}),
            "elasticsearch",
            Some("orders"),
            Some(8),
            Some("late"),
            Some("m"),
        ),
        (
            "https://h/_search",
            json!({"size": 1, "query": {"semantic": {"field": "body", "query": "late"}}}),
            "elasticsearch",
            None,
            Some(1),
            Some("late"),
            None,
        ),
    ] {
        let op = call(url, &body, true).unwrap_or_else(|| panic!("{url}"));
        assert_eq!(op.provider.as_ref().map(otel_genai::ProviderName::as_str), Some(provider), "{url}");
        assert_eq!((op.data_source_id.as_deref(), op.top_k), (source, top_k), "{url}");
        assert_eq!((op.query.as_deref(), op.model.as_deref()), (query, model), "{url}");
        assert!(op.server.is_some_and(|server| server.port.is_some()));
        let brief = call(url, &body, false).unwrap();
        assert_eq!((brief.data_source_id.as_deref(), brief.top_k), (source, top_k), "{url}");
    }
}

#[test]
fn graphql() {
    let query = |text: &str| json!({ "query": text });
    let asked = query(
        r#"{ Get { Order_1 (nearText: {concepts: ["late", "orders"] distance: 0.6} limit: 3) { title _additional { id } } } }"#,
    );
    let op = call(WEAVIATE, &asked, true).unwrap();
    assert_eq!((op.data_source_id.as_deref(), op.top_k), (Some("Order_1"), Some(3)));
    assert_eq!(op.query.as_deref(), Some("late orders"));
    let hybrid = query(r#"{Get{Order(limit:5,hybrid:{query:"a \"late\" one",alpha:0.5}){title}}}"#);
    let op = call(WEAVIATE, &hybrid, true).unwrap();
    assert_eq!((op.query.as_deref(), op.top_k), (Some("a \"late\" one"), Some(5)));
    for other in [
        r#"{ Get { Order (limit: 3) { title } } }"#,
        r#"{ Get { Order { title nearText: name } } }"#,
        r#"{ Aggregate { Order { meta { count } } } }"#,
        "query { user { name } }",
        "",
    ] {
        assert!(call(WEAVIATE, &query(other), true).is_none(), "{other}");
    }
}

#[test]
fn what_is_no_search_for_vectors() {
    for (url, body) in [
        (ELASTIC, json!({"query": {"match": {"title": "late"}}})),
        (ELASTIC, json!({"query": {"term": {"knn": "a word"}}, "size": 3})),
        (ELASTIC, json!({})),
        (PINECONE, json!({"query": "SELECT 1"})),
    ] {
        assert!(call(url, &body, true).is_none() && call(url, &body, false).is_none(), "{url} {body}");
    }
}

#[test]
fn documents() {
    let vector = vector();
    for (url, body, documents) in [
        (
            OPENAI,
            json!({"object": "vector_store.search_results.page", "data": [{"file_id": "f1", "filename": "a.md", "score": 0.9,
                "attributes": {"lang": "en"}, "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]}]}),
            json!([{"id": "f1", "score": 0.9, "content": "one\ntwo", "metadata": {"lang": "en", "filename": "a.md"}}]),
        ),
        (
            QDRANT,
            json!({"result": {"points": [{"id": 17, "version": 1, "score": 0.5, "payload": {"text": "late", "at": "https://h.example/?key=1", "v": vector}}]}, "status": "ok"}),
            json!([{"id": "17", "score": 0.5, "content": "late", "metadata": {"at": "https://h.example/"}}]),
        ),
        (
            QDRANT,
            json!({"result": [{"id": "u-1", "score": 1, "vector": vector, "payload": null}], "status": "ok"}),
            json!([{"id": "u-1", "score": 1}]),
        ),
        (
            QDRANT,
            json!({"result": [{"points": [{"id": 1, "score": 0.5}]}, {"points": []}], "status": "ok"}),
            json!([{"id": "1", "score": 0.5}]),
        ),
        (
            QDRANT,
            json!({"result": {"groups": [{"id": "g", "hits": [{"id": 1, "score": 0.5}]}]}, "status": "ok"}),
            json!([{"id": "1", "score": 0.5}]),
        ),
        (
            CHROMA,
            json!({"ids": [["a", "b"], ["z"]], "distances": [[0.25, 0.5], [0.0]], "documents": [["one", null], ["no"]], "metadatas": [[{"k": 1}, null], [null]], "embeddings": null}),
            json!([{"id": "a", "distance": 0.25, "content": "one", "metadata": {"k": 1}}, {"id": "b", "distance": 0.5}]),
        ),
        (
            PINECONE,
            json!({"matches": [{"id": "p1", "score": 0.75, "values": vector, "metadata": {"text": "late", "year": 2026}}], "usage": {"readUnits": 1}}),
            json!([{"id": "p1", "score": 0.75, "content": "late", "metadata": {"year": 2026}}]),
        ),
        (
            PINECONE,
            json!({"result": {"hits": [{"_id": "p1", "_score": 0.75, "fields": {"chunk_text": "late"}}]}}),
            json!([{"id": "p1", "score": 0.75, "content": "late"}]),
        ),
        (
            ELASTIC,
            json!({"took": 3, "hits": {"max_score": 0.5, "hits": [{"_index": "orders", "_id": "e1", "_score": 0.5, "_source": {"title": "Order", "content": "late", "v": vector}}]}}),
            json!([{"id": "e1", "score": 0.5, "content": "late", "metadata": {"title": "Order"}}]),
        ),
        (
            WEAVIATE,
            json!({"data": {"Get": {"Order": [{"title": "Order", "text": "late", "_additional": {"id": "w1", "score": "0.5", "distance": 0.25}}]}}}),
            json!([{"id": "w1", "score": 0.5, "distance": 0.25, "content": "late", "metadata": {"title": "Order"}}]),
        ),
    ] {
        assert_eq!(answer(url, 200, &body, true), (documents, None), "{url}");
        assert_eq!(answer(url, 200, &body, false), (json!([]), None), "{url}");
    }
}

#[test]
fn failures() {
    for (url, status, body, kind, message) in [
        (
            QDRANT,
            404,
            json!({"status": {"error": "Not found: Collection `x`"}, "time": 0.1}),
            "_OTHER",
            "Not found: Collection `x`",
        ),
        (
            CHROMA,
            404,
            json!({"error": "NotFoundError", "message": "no collection"}),
            "NotFoundError",
            "no collection",
        ),
        (
            ELASTIC,
            404,
            json!({"error": {"type": "index_not_found_exception", "reason": "no such index [x]", "root_cause": []}, "status": 404}),
            "index_not_found_exception",
            "no such index [x]",
        ),
        (
            WEAVIATE,
            200,
            json!({"data": {"Get": null}, "errors": [{"message": "no class"}]}),
            "_OTHER",
            "no class",
        ),
        (PINECONE, 400, json!({"code": 3, "message": "bad vector", "details": []}), "3", "bad vector"),
        (
            OPENAI,
            404,
            json!({"error": {"message": "no store", "code": "not_found"}}),
            "not_found",
            "no store",
        ),
    ] {
        let (_, failure) = answer(url, status, &body, true);
        assert_eq!(failure, Some(Failure::new(kind).message(message)), "{url}");
    }
    for url in [QDRANT, CHROMA, ELASTIC, WEAVIATE, PINECONE, OPENAI] {
        for content in [true, false] {
            let (_, failure) = answer(url, 200, &json!({"odd": null}), content);
            assert_eq!(failure.unwrap().error_type, "malformed_response", "{url}");
        }
    }
}
