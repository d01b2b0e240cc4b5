//! Many dashboards, one database: each is told what others received, and a database may be on several servers.
#![cfg(feature = "clickhouse")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

#[path = "foreign/corpus.rs"]
#[allow(dead_code, reason = "not every test needs all of it")]
mod corpus;
#[allow(dead_code, reason = "not every test needs all of it")]
mod engine;
#[path = "support/runtime.rs"]
mod runtime;

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use corpus::SECOND;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use otel_genai_store::{
    Batch, Change, ClickHouseOptions, ConversationQuery, Dimension, Filter, LogQuery, Nanos, Range,
    SearchQuery, SeriesQuery, SpanId, StatsQuery, Store, TraceId, TraceQuery, TraceSort, TraceSummary, Which,
    otlp,
};
use runtime::block_on;
use tempfile::TempDir;

fn call(trace: u8, id: u8, at: u64) -> Batch {
    let span = corpus::span(trace, id, 0, "chat gpt-5", at, corpus::chat("Where is my order?"));
    otlp::traces(corpus::spans("shop", vec![span]), Nanos::now()).batch
}

async fn told(changes: &mut BoxStream<'static, Change>, spans: u64) -> TraceSummary {
    let told = async {
        loop {
            if let Change::Traces(traces) = changes.next().await.unwrap()
                && traces[0].spans == spans
            {
                return traces[0].clone();
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), told).await.expect("it is told")
}

#[test]
fn what_another_received_is_told() {
    block_on(async {
        let Some(options) = engine::database() else { return };
        let one = options.clone().connect().await.unwrap();
        let other = options.connect().await.unwrap();
        let (mut here, mut there) = (one.changes(), other.changes());
        let now = Nanos::now().0;
        one.ingest(call(1, 1, now)).await.unwrap();
        assert_eq!(told(&mut here, 1).await.id, told(&mut there, 1).await.id);
        // Back and forth: what one told is told again when the other adds to it.
        other.ingest(call(1, 2, now + 5)).await.unwrap();
        assert_eq!(told(&mut here, 2).await.id, told(&mut there, 2).await.id);
    });
}

const USERS: &str = "<clickhouse><users>
  <default><password></password><profile>default</profile><networks><ip>::/0</ip></networks></default>
</users><profiles><default/></profiles><quotas><default/></quotas></clickhouse>";

/// Two servers that know each other as the cluster `two`.
fn cluster(library: &Path, folder: &Path) -> Vec<engine::Engine> {
    let ports = [0; 2].map(|_| [engine::free_port(), engine::free_port()]);
    let shards = ports.map(|[_, tcp]| {
        format!("<shard><replica><host>127.0.0.1</host><port>{tcp}</port></replica></shard>")
    });
    let start = |nth: usize| {
        let folder = folder.join(nth.to_string());
        std::fs::create_dir(&folder).unwrap();
        let (config, users) = (folder.join("config.xml"), folder.join("users.xml"));
        std::fs::write(&users, USERS).unwrap();
        let text = format!(
            "<clickhouse><users_config>{}</users_config><remote_servers><two>{}</two></remote_servers></clickhouse>",
            users.display(),
            shards.concat()
        );
        std::fs::write(&config, text).unwrap();
        engine::Engine::start_at_both(
            library,
            &folder,
            ports[nth],
            &["--config-file", config.to_str().unwrap()],
        )
    };
    vec![start(0), start(1)]
}

/// What is asked most, in words.
async fn answers(store: &dyn Store) -> String {
    let mut told = String::new();
    let filters = [
        Filter::default(),
        Filter { model: vec!["gpt-5-2026".into()], ..Filter::default() },
        Filter { text: Some("order".into()), genai: Some(true), ..Filter::default() },
    ];
    for filter in filters {
        let query = TraceQuery { filter, limit: 30, ..TraceQuery::default() };
        let page = store.traces(&query).await.unwrap();
        for mut summary in page.items {
            (summary.updated, summary.state) = (0, otel_genai_store::TraceState::Done);
            writeln!(told, "{summary:?}").unwrap();
            if told.len() > 50_000 {
                // Lists are cheap, traces one by one are not.
                continue;
            }
            for row in store.rows(summary.id, 100, None).await.unwrap().items {
                writeln!(told, "{row:?}").unwrap();
            }
            for span in store.spans(summary.id, Which::All).await.unwrap() {
                writeln!(told, "{:?} {:?}", span.to_otlp(), span.origin.resource.service).unwrap();
            }
        }
        writeln!(told, "{:?}", page.next.is_some()).unwrap();
    }
    for text in [None, Some("order".to_owned())] {
        let logs = LogQuery { text, limit: 100, ..LogQuery::default() };
        for log in store.logs(&logs).await.unwrap().items {
            writeln!(told, "{:?}", log.to_otlp()).unwrap();
        }
    }
    told
}

/// What is added up, found and measured, in words.
async fn sums(store: &dyn Store, at: u64) -> String {
    let mut told = String::new();
    for sort in [TraceSort::Tokens, TraceSort::Spans] {
        let mut query = TraceQuery { sort, limit: 20, ..TraceQuery::default() };
        loop {
            let page = store.traces(&query).await.unwrap();
            let ids: Vec<TraceId> = page.items.iter().map(|summary| summary.id).collect();
            writeln!(told, "{sort:?} {ids:?}").unwrap();
            query.cursor = page.next;
            if query.cursor.is_none() {
                break;
            }
        }
    }
    let hour = Some(Duration::from_secs(3_600));
    for (by, step) in [
        (vec![], None),
        (vec![Dimension::Model, Dimension::Service], hour),
        (vec![Dimension::Tool], None),
        (vec![Dimension::Agent, Dimension::Op], None),
    ] {
        let stats = StatsQuery { by, step, ..StatsQuery::default() };
        writeln!(told, "{:?}", store.stats(&stats).await.unwrap()).unwrap();
    }
    for dimension in [Dimension::Model, Dimension::Service, Dimension::Op, Dimension::Conversation] {
        writeln!(told, "{:?}", store.facets(&Filter::default(), dimension, 10).await.unwrap()).unwrap();
    }
    let conversations = ConversationQuery { limit: 10, ..ConversationQuery::default() };
    for talk in store.conversations(&conversations).await.unwrap().items {
        let usage = &talk.usage;
        writeln!(told, "{} {} {} {usage:?} {:?}", talk.id, talk.traces, talk.llm_calls, talk.end).unwrap();
    }
    for text in ["order", "\"where is my\"", "nowhere"] {
        let mut query =
            SearchQuery { text: text.to_owned(), range: None, service: vec![], limit: 7, cursor: None };
        loop {
            let page = store.search(&query).await.unwrap();
            writeln!(told, "{text} {:?}", page.items).unwrap();
            query.cursor = page.next;
            if query.cursor.is_none() {
                break;
            }
        }
    }
    let range = Range { from: Nanos(at - 60 * SECOND), to: Nanos(at + 600 * SECOND) };
    writeln!(told, "{:?}", store.services(None).await.unwrap()).unwrap();
    writeln!(told, "{:?}", store.metrics(Some(range)).await.unwrap()).unwrap();
    for name in ["gen_ai.client.operation.duration", "gen_ai.client.token.total"] {
        let query = SeriesQuery {
            name: name.to_owned(),
            range,
            step: Duration::from_secs(60),
            by: vec!["gen_ai.request.model".to_owned()],
            matches: vec![],
            limit: 10,
        };
        writeln!(told, "{:?}", store.series(&query).await.unwrap()).unwrap();
    }
    let (trace, span) = (TraceId::new(&[1; 16]).unwrap(), SpanId::new(&[2; 8]).unwrap());
    let measured = store.exemplars(trace, span, range).await.unwrap();
    assert_eq!(measured.len(), 1);
    writeln!(told, "{measured:?}").unwrap();
    told
}

#[test]
fn two_shards_answer_as_one() {
    let Some(library) = engine::library() else { return };
    let folder = TempDir::new().unwrap();
    let servers = cluster(&library, folder.path());
    block_on(async {
        let Some(alone) = engine::database() else { return };
        let options =
            |nth: usize| ClickHouseOptions::new(&format!("{}/traces", servers[nth].address())).unwrap();
        // What an administrator does, on each server.
        for server in &servers {
            let raw =
                clickhouse::Client::default().with_url(server.address().replace("clickhouse://", "http://"));
            let mut database = "default".to_owned();
            for statement in options(0).cluster_schema("two").unwrap().split(";\n") {
                let lines: Vec<&str> = statement.lines().filter(|line| !line.starts_with("--")).collect();
                let statement = lines.join("\n").trim().to_owned();
                if let Some(used) = statement.strip_prefix("USE ") {
                    database = used.to_owned();
                } else if !statement.is_empty() {
                    let raw = raw.clone().with_database(&database);
                    raw.query_raw(&statement)
                        .execute()
                        .await
                        .unwrap_or_else(|error| panic!("{statement}: {error}"));
                }
            }
        }
        let alone = alone.connect().await.unwrap();
        let old = options(0)
            .max_age(Some(Duration::from_secs(86_400 * 30)))
            .connect()
            .await
            .unwrap_err()
            .to_string();
        assert!(old.contains("--database traces_shard --max-age 30d"), "{old}");
        let (one, other) = (options(0).connect().await.unwrap(), options(1).connect().await.unwrap());
        let at = (Nanos::now().0 / SECOND - 7_200) * SECOND;
        let mut all: Vec<Batch> =
            corpus::traces(at).into_iter().map(|request| otlp::traces(request, Nanos(at)).batch).collect();
        all.push(otlp::logs(corpus::logs(at), Nanos(at)).batch);
        all.push(otlp::metrics(corpus::metrics(at), Nanos(at)).batch);
        let calls = (10..40).map(|trace| {
            let (at, said) = (at + u64::from(trace) * SECOND, corpus::chat("Where is my order?"));
            corpus::span(trace, 1, 0, "chat gpt-5", at, said)
        });
        all.push(otlp::traces(corpus::spans("shop", calls.collect()), Nanos(at)).batch);
        for (nth, batch) in all.iter().enumerate() {
            alone.ingest(batch.clone()).await.unwrap();
            let through = if nth % 2 == 0 { &one } else { &other };
            through.ingest(batch.clone()).await.unwrap();
            // A retry through another door changes nothing.
            other.ingest(batch.clone()).await.unwrap();
        }
        let expected = answers(&alone).await;
        assert_eq!(expected, answers(&one).await);
        assert_eq!(expected, answers(&other).await);
        // Calls that are told twice are left out of sums a moment after they came.
        let until = std::time::Instant::now() + Duration::from_secs(30);
        loop {
            let told = [sums(&alone, at).await, sums(&one, at).await, sums(&other, at).await];
            if told.iter().all(|one| *one == told[0]) || std::time::Instant::now() > until {
                assert_eq!(told[0], told[1]);
                assert_eq!(told[0], told[2]);
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        // Both have a share.
        for server in &servers {
            let raw =
                clickhouse::Client::default().with_url(server.address().replace("clickhouse://", "http://"));
            let count = raw.query_raw("SELECT uniqExact(trace_id) FROM traces_shard.span").fetch_one::<u64>();
            let count = count.await.unwrap();
            assert!((1..33).contains(&count), "{count}");
        }
    });
    servers.into_iter().for_each(engine::Engine::kill);
}
