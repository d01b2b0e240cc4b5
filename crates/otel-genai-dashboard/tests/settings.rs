//! What is set, and what the page may change.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use otel_genai_dashboard::DashboardBuilder;
use otel_genai_dashboard::changes::{Changeable, Kept};
use otel_genai_dashboard::view::{Variable, Whence};
use otel_genai_store::{SqliteOptions, Store};
use serde_json::{Value, json};
use support::{Answer, JSON, Served, ask, request, span};

const CHANGE: (&str, &str) = ("x-otel-genai", "1");
const AGE: &str = "OTEL_GENAI_DASHBOARD_MAX_AGE";

fn changeable(file: &Path) -> Changeable {
    Changeable { file: Some(file.to_owned()), max_age: Some(AGE.to_owned()), max_bytes: None }
}

/// The age may be changed, the size is set by a flag.
fn describe(file: &Path) -> impl FnOnce(DashboardBuilder) -> DashboardBuilder {
    let age = Variable { name: AGE.to_owned(), value: "30d".to_owned(), from: Whence::Default };
    move |builder| builder.changeable(changeable(file)).variables(vec![age])
}

async fn patch(served: &Served, body: &str) -> Answer {
    ask(served.page, "PATCH", "/api/v1/settings", &[JSON, CHANGE], body.as_bytes()).await
}

#[tokio::test]
async fn what_the_page_changes_holds_at_once_and_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.json");
    let served = Served::with(describe(&file)).await;
    let before = served.json("/api/v1/settings").await;
    assert_eq!((&before["changeable"], &before["maxAgeMs"]), (&json!(["maxAgeMs"]), &Value::Null));
    // Its day is long over.
    served.send(&request(vec![span(1, 0, "old", (0, 1), Vec::new())])).await;

    let after = patch(&served, r#"{"maxAgeMs": 604800000}"#).await;
    assert_eq!(after.status, 200, "{}", after.text());
    let after = after.json();
    assert_eq!(
        (&after["maxAgeMs"], &after["status"]["maxAgeMs"]),
        (&json!(604_800_000.0), &json!(604_800_000.0))
    );
    assert_eq!(after["variables"], json!([{ "name": AGE, "value": "7d", "from": "page" }]));
    assert_eq!(served.json("/api/v1/status").await["traces"], 0, "what is older has gone");
    assert_eq!(Kept::read(&file).unwrap().max_age, Some(Some(Duration::from_secs(604_800))));

    let none = patch(&served, r#"{"maxAgeMs": null}"#).await.json();
    assert_eq!((&none["maxAgeMs"], &none["variables"][0]["value"]), (&Value::Null, &json!("none")));
    assert_eq!(Kept::read(&file).unwrap().max_age, Some(None));
}

#[tokio::test]
async fn what_makes_no_sense_changes_nothing_and_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.json");
    let served = Served::with(describe(&file)).await;
    for (body, parameter, words) in [
        (r#"{"maxAgeMs": 1000}"#, json!("maxAgeMs"), "an hour"),
        (r#"{"maxBytes": 1000000000}"#, json!("maxBytes"), "--max-bytes"),
        (r#"{"maxAgeMs": 604800000, "maxBytes": 1}"#, json!("maxBytes"), "--max-bytes"),
        (r#"{"maxAgeMs": -1}"#, Value::Null, "-1"),
        (r#"{"maxAgeMs": "7d"}"#, Value::Null, "7d"),
        (r#"{"maxAge": 604800000}"#, Value::Null, "unknown field `maxAge`"),
        ("", Value::Null, "null is no limit"),
    ] {
        let answer = patch(&served, body).await;
        assert_eq!(
            (answer.status, &answer.json()["error"]["parameter"]),
            (400, &parameter),
            "{body}: {}",
            answer.text()
        );
        assert!(answer.text().contains(words), "{body}: {}", answer.text());
    }
    assert!(!file.exists());
    assert_eq!(served.json("/api/v1/settings").await["maxAgeMs"], Value::Null);
    // No form of another page gets in.
    let foreign = ask(served.page, "PATCH", "/api/v1/settings", &[JSON], b"{}").await;
    assert_eq!((foreign.status, foreign.code()), (403, "wrong_origin".to_owned()));
    let nowhere = Served::with(|builder| {
        builder.changeable(changeable(&folder.path().join("not there/settings.json")))
    });
    let failed = patch(&nowhere.await, r#"{"maxAgeMs": 604800000}"#).await;
    assert!(failed.status == 500 && failed.text().contains("Nothing was changed"), "{}", failed.text());
}

#[tokio::test]
async fn a_dashboard_that_only_reads_takes_and_changes_nothing_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let writing = SqliteOptions::new(folder.path()).open().unwrap();
    let path = folder.path().to_owned();
    let writing = Served::over(Arc::new(writing), folder, |builder| builder).await;
    writing.send(&request(vec![span(1, 0, "first", (0, 1), Vec::new())])).await;

    // Beside the one that writes.
    let store: Arc<dyn Store> = Arc::new(SqliteOptions::new(&path).read_only().open().unwrap());
    let file = path.join("settings.json");
    let reading = Served::over(store, tempfile::tempdir().unwrap(), describe(&file)).await;
    assert_eq!(reading.json("/api/v1/traces").await["items"].as_array().unwrap().len(), 1);
    writing.send(&request(vec![span(2, 1, "second", (0, 1), Vec::new())])).await;
    assert_eq!(
        reading.json("/api/v1/traces").await["items"][0]["spans"],
        2,
        "what the other one stores is seen"
    );

    let settings = reading.json("/api/v1/settings").await;
    assert_eq!((&settings["readOnly"], &settings["changeable"]), (&json!(true), &Value::Null));
    assert_eq!(reading.json("/api/v1/about").await["readOnly"], true);
    let otlp = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7","name":"x"}]}]}]}"#;
    let sent = ask(reading.http, "POST", "/v1/traces", &[JSON], otlp).await;
    assert_eq!(sent.status, 403);
    assert!(sent.text().contains("can only be read: this dashboard only shows"), "{}", sent.text());
    let lost = ask(reading.page, "POST", "/v1/traces", &[JSON, CHANGE], otlp).await;
    assert_eq!((lost.status, lost.code()), (403, "read_only".to_owned()), "nor where nobody receives");
    for (method, path, body) in [
        ("PATCH", "/api/v1/settings", br#"{"maxAgeMs": 604800000}"#.as_slice()),
        ("DELETE", "/api/v1/data?all=1", b""),
        ("POST", "/api/v1/import", otlp),
    ] {
        let refused = ask(reading.page, method, path, &[JSON, CHANGE], body).await;
        assert_eq!((refused.status, refused.code()), (403, "read_only".to_owned()), "{method} {path}");
        assert!(refused.text().contains("can only be read"), "{}", refused.text());
    }
    assert!(!file.exists());
    assert_eq!(writing.json("/api/v1/status").await["spans"], 2);
}
