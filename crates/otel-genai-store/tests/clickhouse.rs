//! The store in ClickHouse: what every store must do, and what a server brings with it.
#![cfg(feature = "clickhouse")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod engine;
#[allow(dead_code, reason = "not everything that a store must do is done by this one yet")]
mod suite;
#[allow(dead_code, reason = "metrics are not kept by this store yet")]
mod support;

use std::time::Duration;

use otel_genai_store::{
    ClickHouseOptions, ClickHouseStore, Delete, Deleted, LogQuery, Nanos, Store, StoreError, TraceQuery,
    Which,
};
use suite::{batch, log, noon, span, suite, trace_id};
use tempfile::TempDir;

macro_rules! run {
    ($topic:ident: $($case:ident)*) => {
        $(#[test]
        fn $case() {
            block_on(async {
                let Some(store) = open().await else { return };
                suite::$topic::$case(&store).await;
                store.close().await;
            });
        })*
    };
}

suite!(run: exact traces logs changes load);

async fn open() -> Option<ClickHouseStore> {
    Some(engine::database()?.connect().await.unwrap())
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn all() -> TraceQuery {
    TraceQuery { limit: 100, ..TraceQuery::default() }
}

/// Two dashboards on one database: each sees what the other received, and what both received is there once.
#[test]
fn several_write_to_one_database() {
    block_on(async {
        let Some(options) = engine::database() else { return };
        let (one, other) = tokio::join!(options.clone().connect(), options.connect());
        let (one, other) = (one.unwrap(), other.unwrap());
        let both = batch(
            vec![span(1, 1, None, noon()), span(1, 2, Some(1), noon() + 5)],
            vec![log(Some(1), "gen_ai.choice", noon() + 3)],
        );
        let (first, second) = tokio::join!(one.ingest(both.clone()), other.ingest(both));
        assert_eq!((first.unwrap().spans, second.unwrap().logs), (2, 1));
        for store in [&one, &other] {
            let page = store.traces(&all()).await.unwrap();
            assert_eq!((page.items.len(), page.items[0].spans, page.items[0].logs), (1, 2, 1));
            assert_eq!(store.spans(trace_id(1), Which::All).await.unwrap().len(), 2);
            let rows = store.rows(trace_id(1), 1, None).await.unwrap();
            assert_eq!((rows.items.len(), rows.total, rows.next.is_some()), (1, Some(2), true));
            let logs = LogQuery { limit: 10, ..LogQuery::default() };
            assert_eq!(store.logs(&logs).await.unwrap().items.len(), 1);
        }
        // The end of a span reaches one of them, word of its beginning the other, later.
        let ended = span(2, 1, None, noon());
        let mut running = ended.clone();
        (running.state, running.end) = (otel_genai_store::SpanState::Running, Nanos(0));
        one.ingest(batch(vec![ended.clone()], vec![])).await.unwrap();
        other.ingest(batch(vec![running], vec![])).await.unwrap();
        let spans = other.spans(trace_id(2), Which::All).await.unwrap();
        assert_eq!((spans.len(), spans[0].end), (1, ended.end));
    });
}

#[test]
fn what_is_deleted_is_gone_and_may_come_again() {
    block_on(async {
        let Some(store) = open().await else { return };
        let day = 86_400_000_000_000;
        let some = batch(
            vec![span(1, 1, None, noon() - 2 * day), span(2, 1, None, noon()), span(3, 1, None, noon())],
            vec![log(Some(2), "x", noon())],
        );
        store.ingest(some.clone()).await.unwrap();
        let ids = async || {
            let page = store.traces(&all()).await.unwrap();
            let mut ids: Vec<u8> = page.items.iter().map(|trace| trace.id.bytes()[15] - 1).collect();
            ids.sort_unstable();
            ids
        };
        assert_eq!(ids().await, [1, 2, 3]);
        assert_eq!(store.delete(Delete::Before(Nanos(noon() - day))).await.unwrap().traces, 1);
        assert_eq!(ids().await, [2, 3]);
        assert_eq!(store.delete(Delete::Trace(trace_id(2))).await.unwrap().traces, 1);
        assert_eq!(store.delete(Delete::Trace(trace_id(2))).await.unwrap(), Deleted::default());
        assert_eq!(ids().await, [3]);
        assert!(store.spans(trace_id(2), Which::All).await.unwrap().is_empty());
        let again = store.ingest(some).await.unwrap();
        assert_eq!((again.spans, again.logs), (3, 1));
        assert_eq!(ids().await, [1, 2, 3]);
        assert_eq!(store.delete(Delete::All).await.unwrap().traces, 3);
        assert!(ids().await.is_empty());
    });
}

#[test]
fn what_was_acknowledged_outlives_a_crash_of_the_server() {
    let Some(library) = engine::library() else { return };
    let folder = TempDir::new().unwrap();
    block_on(async {
        for number in 0..3 {
            let server = engine::Engine::start(&library, folder.path(), &[]);
            let options = ClickHouseOptions::new(&format!("{}/kept", server.address())).unwrap();
            let store = options.connect().await.unwrap();
            let known = store.traces(&all()).await.unwrap().items.len();
            assert_eq!(known, number);
            let number = number as u64;
            store.ingest(batch(vec![span(number, 1, None, noon() + number)], vec![])).await.unwrap();
            server.kill();
            let gone = store.ingest(batch(vec![span(9, 1, None, noon())], vec![])).await.unwrap_err();
            assert!(matches!(gone, StoreError::Away { .. }), "{gone:?}");
            assert!(
                gone.to_string().starts_with("cannot reach the store at clickhouse://127.0.0.1:"),
                "{gone}"
            );
            assert!(matches!(store.traces(&all()).await, Err(StoreError::Away { .. })));
        }
    });
}

#[test]
fn tables_of_a_newer_version_are_left_alone() {
    block_on(async {
        let Some(options) = engine::database() else { return };
        options.clone().connect().await.unwrap().close().await;
        let location = format!("{options:?}");
        let database = location.rsplit('/').next().unwrap().split('"').next().unwrap().to_owned();
        let address = engine::address().unwrap().replace("clickhouse://", "http://");
        let raw = clickhouse::Client::default().with_url(address).with_database(&database);
        raw.query("INSERT INTO schema_version VALUES (99)").execute().await.unwrap();
        let error = options.connect().await.unwrap_err();
        assert!(matches!(error, StoreError::Newer { found: 99, known: 1, .. }), "{error}");
    });
}

const USERS: &str = "<clickhouse><users>
  <writer><password>secret</password><profile>default</profile><networks><ip>::/0</ip></networks>
    <grants><query>GRANT SELECT, INSERT ON shared.*</query></grants></writer>
  <reader><password>secret</password><profile>readonly</profile><networks><ip>::/0</ip></networks>
    <grants><query>GRANT SELECT ON shared.*</query></grants></reader>
  <default><password></password><profile>default</profile><networks><ip>::/0</ip></networks></default>
</users><profiles><default/><readonly><readonly>1</readonly></readonly></profiles><quotas><default/></quotas></clickhouse>";

/// Those whom an administrator gave rights to, and no more, can do their work; nobody's password is told.
#[test]
fn few_rights_are_enough() {
    let Some(library) = engine::library() else { return };
    let folder = TempDir::new().unwrap();
    let (config, users) = (folder.path().join("config.xml"), folder.path().join("users.xml"));
    std::fs::write(&users, USERS).unwrap();
    let refers = format!("<clickhouse><users_config>{}</users_config></clickhouse>", users.display());
    std::fs::write(&config, refers).unwrap();
    let server = engine::Engine::start(&library, folder.path(), &["--config-file", config.to_str().unwrap()]);
    let host = server.address().replace("clickhouse://", "");
    block_on(async {
        let as_whom =
            |user: &str| ClickHouseOptions::new(&format!("clickhouse://{user}@{host}/shared")).unwrap();
        // What the administrator was given.
        let raw = clickhouse::Client::default().with_url(format!("http://{host}"));
        let text = as_whom("writer").schema();
        for statement in text.split(";\n").filter(|statement| !statement.trim().is_empty()) {
            let lines: Vec<&str> = statement.lines().filter(|line| !line.starts_with("--")).collect();
            let statement = lines.join("\n");
            if !statement.trim().is_empty() && !statement.trim().starts_with("USE ") {
                let at = if statement.contains("CREATE DATABASE") { "default" } else { "shared" };
                raw.clone().with_database(at).query_raw(&statement).execute().await.unwrap();
            }
        }
        let writer = as_whom("writer:secret").connect().await.unwrap();
        writer.ingest(batch(vec![span(1, 1, None, noon())], vec![])).await.unwrap();
        assert_eq!(writer.traces(&all()).await.unwrap().items.len(), 1);
        let reader = as_whom("reader").password("secret").connect().await.unwrap();
        assert_eq!(reader.traces(&all()).await.unwrap().items.len(), 1);
        assert_eq!(reader.spans(trace_id(1), Which::All).await.unwrap().len(), 1);
        let refused = reader.ingest(batch(vec![span(2, 1, None, noon())], vec![])).await.unwrap_err();
        assert!(matches!(refused, StoreError::ReadOnly(_)), "{refused:?}");

        for options in [as_whom("writer:swordfish"), as_whom("nobody:swordfish")] {
            assert!(!format!("{options:?}").contains("swordfish"));
            let error = options.connect().await.unwrap_err();
            let told = format!("{error} {error:?}");
            assert!(told.contains("Authentication failed") && !told.contains("swordfish"), "{told}");
        }
    });
    server.kill();
}

#[test]
fn who_is_not_there_is_said() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let options = ClickHouseOptions::new(&format!("clickhouse://ann:swordfish@{nobody}/traces")).unwrap();
    let error = block_on(options.connect()).unwrap_err();
    let told = error.to_string();
    assert!(told.starts_with(&format!("cannot reach the store at clickhouse://{nobody}/traces: ")), "{told}");
    assert!(told.contains("refused") && !format!("{error:?}").contains("swordfish"), "{error:?}");
}

#[test]
fn addresses_are_read() {
    let told = |address: &str| format!("{:?}", ClickHouseOptions::new(address).unwrap());
    for (address, location) in [
        ("clickhouse://db", "clickhouse://db:8123/otel_genai"),
        ("http://db/", "clickhouse://db:8123/otel_genai"),
        ("clickhouses://db/traces", "clickhouses://db:8443/traces"),
        ("https://a:p%40ss@db:9/t_1", "clickhouses://db:9/t_1"),
    ] {
        assert_eq!(told(address), format!("ClickHouseOptions {{ location: {location:?}, .. }}"));
    }
    for address in [
        "db:8123",
        "mysql://db",
        "clickhouse://",
        "clickhouse://a:swordfish@db/x;y",
        "http://a:swordfish@db/x?y=z",
    ] {
        let error = ClickHouseOptions::new(address).unwrap_err().to_string();
        assert!(error.contains("clickhouse://host:8123/database") && !error.contains("swordfish"), "{error}");
    }
}

/// Whoever sends more than can be written is told to come again.
#[test]
fn a_full_queue_sends_away() {
    block_on(async {
        let Some(store) = open().await else { return };
        let large = |id| {
            let mut large = batch(vec![span(1, id, None, noon())], vec![]);
            large.bytes = 40 << 20;
            large
        };
        let mut first = std::pin::pin!(store.ingest(large(1)));
        assert!(tokio::time::timeout(Duration::ZERO, &mut first).await.is_err());
        assert!(matches!(store.ingest(large(2)).await, Err(StoreError::Busy { .. })));
        assert_eq!(first.await.unwrap().spans, 1);
        assert_eq!(store.ingest(large(2)).await.unwrap().spans, 1);
        let mut huge = large(3);
        huge.bytes = 1 << 30;
        assert_eq!(store.ingest(huge).await.unwrap().spans, 1);
    });
}
