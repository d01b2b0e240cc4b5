//! The tables of the Collector's exporter, read as if their records had been received here.
#![cfg(feature = "clickhouse")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "tests fail by panicking; numbers are small"
)]

#[path = "foreign/corpus.rs"]
mod corpus;
#[allow(dead_code, reason = "not every test needs all of it")]
mod engine;
#[path = "foreign/exporter.rs"]
mod exporter;
#[path = "foreign/limits.rs"]
mod limits;
#[path = "foreign/rotel.rs"]
mod rotel;
#[path = "support/runtime.rs"]
mod runtime;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use corpus::SECOND;
use exporter::Flavour;
use futures_util::StreamExt as _;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use otel_genai_store::{
    Batch, Change, ClickHouseOptions, ConversationQuery, Delete, Dimension, Filter, Hit, LogQuery, LogRecord,
    Nanos, Range, SearchQuery, SeriesQuery, SpanId, SqliteOptions, StatsQuery, Store, StoreError, TraceId,
    TraceQuery, TraceSort, Which, otlp,
};
use runtime::block_on;
use tempfile::TempDir;

/// A database that nobody has made tables in yet, and how to talk to it.
struct Database {
    options: ClickHouseOptions,
    raw: clickhouse::Client,
}

impl Database {
    async fn new() -> Option<Self> {
        let options = engine::database()?;
        let name = name(&options);
        let address = engine::address().unwrap().replace("clickhouse://", "http://");
        let raw = clickhouse::Client::default().with_url(address);
        raw.query_raw(&format!("CREATE DATABASE {name}")).execute().await.unwrap();
        Some(Self { options, raw: raw.with_database(name) })
    }

    fn name(&self) -> String {
        name(&self.options)
    }

    async fn filled(flavour: Flavour, at: u64) -> Option<Self> {
        let database = Self::new().await?;
        database.schema(flavour).await;
        for request in corpus::traces(at) {
            database.run(&exporter::traces(flavour, &request)).await;
        }
        database.run(&exporter::logs(flavour, &corpus::logs(at))).await;
        for insert in exporter::metrics(flavour, &corpus::metrics(at)) {
            database.run(&insert).await;
        }
        Some(database)
    }

    async fn schema(&self, flavour: Flavour) {
        self.make(flavour.schema()).await;
    }

    async fn make(&self, schema: &str) {
        for statement in schema.split(";\n").filter(|statement| statement.contains("CREATE")) {
            self.run(statement).await;
        }
    }

    async fn run(&self, sql: &str) {
        self.raw.query_raw(sql).execute().await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
}

fn name(options: &ClickHouseOptions) -> String {
    let location = format!("{options:?}");
    location.rsplit('/').next().unwrap().split('"').next().unwrap().to_owned()
}

/// Some hours ago, at a full second.
fn past() -> u64 {
    (Nanos::now().0 / SECOND - 7_200) * SECOND
}

/// As if it had been received when it happened.
fn at_once(mut batch: Batch) -> Batch {
    for span in &mut batch.spans {
        span.received = span.end;
    }
    for log in &mut batch.logs {
        log.received = log.time;
    }
    batch
}

/// A store that received what of the corpus tells of generative AI.
async fn received(at: u64) -> Arc<dyn Store> {
    let store = SqliteOptions::temporary().open().unwrap();
    let mut requests = corpus::traces(at);
    requests.pop();
    for request in requests {
        store.ingest(at_once(otlp::traces(request, Nanos::now()).batch)).await.unwrap();
    }
    let mut logs = corpus::logs(at);
    logs.resource_logs[0].scope_logs[0].log_records.pop();
    store.ingest(at_once(otlp::logs(logs, Nanos::now()).batch)).await.unwrap();
    store.ingest(otlp::metrics(corpus::metrics(at), Nanos::now()).batch).await.unwrap();
    Arc::new(store)
}

fn trace(number: u8) -> TraceId {
    TraceId::new(&[number; 16]).unwrap()
}

/// What a store answers, but for the numbers that are its own.
async fn answers(store: &dyn Store, at: u64) -> String {
    let within = Range { from: Nanos(at - 60 * SECOND), to: Nanos(at + 600 * SECOND) };
    let range = Some(within);
    let filter = Filter { range, ..Filter::default() };
    let mut told = String::new();
    let mut ids = vec![];
    for sort in [TraceSort::Start, TraceSort::Tokens] {
        let query = TraceQuery { filter: filter.clone(), sort, limit: 50, ..TraceQuery::default() };
        for mut summary in store.traces(&query).await.unwrap().items {
            ids.push(summary.id);
            summary.updated = 0;
            writeln!(told, "{summary:#?}").unwrap();
        }
    }
    for id in ids {
        writeln!(told, "{:#?}", store.rows(id, 100, None).await.unwrap().items).unwrap();
    }
    let by = vec![Dimension::Model, Dimension::Service];
    let stats = StatsQuery { filter: filter.clone(), by, step: None };
    writeln!(told, "{:#?}", store.stats(&stats).await.unwrap()).unwrap();
    for dimension in [Dimension::Model, Dimension::Agent, Dimension::Tool, Dimension::Conversation] {
        writeln!(told, "{:?}", store.facets(&filter, dimension, 10).await.unwrap()).unwrap();
    }
    let conversations = ConversationQuery { filter: filter.clone(), limit: 10, cursor: None };
    writeln!(told, "{:#?}", store.conversations(&conversations).await.unwrap().items).unwrap();
    for mut summary in store.conversation("c-7", 10).await.unwrap() {
        summary.updated = 0;
        writeln!(told, "{:?}", summary.id).unwrap();
    }
    writeln!(told, "{:#?}", store.services(range).await.unwrap()).unwrap();
    writeln!(told, "{:#?}", store.metrics(range).await.unwrap()).unwrap();
    for name in ["gen_ai.client.operation.duration", "gen_ai.client.token.total"] {
        let query = SeriesQuery {
            name: name.to_owned(),
            range: within,
            step: Duration::from_secs(60),
            by: vec!["gen_ai.request.model".to_owned()],
            matches: vec![],
            limit: 10,
        };
        writeln!(told, "{:#?}", store.series(&query).await.unwrap()).unwrap();
    }
    let measured = store.exemplars(trace(1), SpanId::new(&[2; 8]).unwrap(), within).await.unwrap();
    assert_eq!(measured.len(), 1);
    writeln!(told, "{measured:?}").unwrap();
    told
}

/// Attributes as their kind of table keeps them, in the order that JSON gives them.
fn kept(flavour: Flavour, attributes: &mut [KeyValue]) {
    attributes.sort_by(|one, other| one.key.cmp(&other.key));
    if flavour != Flavour::Json {
        for pair in attributes {
            let text = exporter::plain(pair.value.as_ref().unwrap());
            pair.value = Some(AnyValue { value: Some(Value::StringValue(text)) });
        }
    }
}

/// Everything that a database of this kind can tell is told as if it had been received: each question has the same answer.
fn same_answers(flavour: Flavour) {
    block_on(async {
        let at = past();
        let Some(database) = Database::filled(flavour, at).await else { return };
        let foreign = database.options.clone().open().await.unwrap();
        let own = received(at).await;
        assert_eq!(answers(own.as_ref(), at).await, answers(foreign.as_ref(), at).await);

        // Spans are those that were sent, but for the types of values that maps do not keep.
        let mut sent = corpus::traces(at);
        for number in [1, 2, 3] {
            let mut sent = sent.remove(0).resource_spans.remove(0).scope_spans.remove(0).spans;
            sent.sort_by_key(|span| span.start_time_unix_nano);
            for span in &mut sent {
                kept(flavour, &mut span.attributes);
                span.events.iter_mut().for_each(|event| kept(flavour, &mut event.attributes));
                span.links.iter_mut().for_each(|link| kept(flavour, &mut link.attributes));
            }
            let spans = foreign.spans(trace(number), Which::All).await.unwrap();
            let spans: Vec<_> = spans.iter().map(|span| (span.to_otlp(), span.origin.clone())).collect();
            assert_eq!(spans.iter().map(|(span, _)| span.clone()).collect::<Vec<_>>(), sent);
            assert_eq!(spans[0].1.scope.version.as_ref(), "1.2");
            assert_eq!(spans[0].1.resource.attributes.int("process.pid"), Some(7));
        }
        let mut sent = corpus::logs(at).resource_logs.remove(0).scope_logs.remove(0).log_records;
        sent.iter_mut().for_each(|log| kept(flavour, &mut log.attributes));
        let of_trace = LogQuery { trace: Some(trace(1)), limit: 10, ..LogQuery::default() };
        let logs = foreign.logs(&of_trace).await.unwrap().items;
        assert_eq!(logs.iter().map(LogRecord::to_otlp).collect::<Vec<_>>(), sent[..2]);

        // Found by its words, as soon as they are indexed.
        let query = SearchQuery { text: "naively".into(), limit: 10, ..SearchQuery::default() };
        let until = std::time::Instant::now() + Duration::from_secs(20);
        let found = loop {
            let found = foreign.search(&query).await.unwrap().items;
            if !found.is_empty() {
                break found;
            }
            assert!(std::time::Instant::now() < until, "nothing was found");
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        assert!(matches!(&found[0], Hit::Content { trace: of, .. } if *of == trace(1)), "{found:?}");

        let status = foreign.status().await.unwrap();
        assert_eq!((status.spans, status.logs, status.points, status.read_only), (6, 5, 2, true));
        assert_eq!(status.oldest, Some(Nanos(at)));
        assert!(status.bytes > 0 && status.location.starts_with("clickhouse://"), "{status:?}");
        let refused = foreign.ingest(Batch::default()).await.unwrap_err();
        assert!(
            refused.to_string().contains("can only be read: these tables are a Collector's"),
            "{refused}"
        );
        assert!(matches!(foreign.delete(Delete::All).await, Err(StoreError::Unwritable { .. })));
        foreign.close().await;
    });
}

#[test]
fn tables_of_early_versions_are_read() {
    same_answers(Flavour::Old);
}

#[test]
fn tables_of_later_versions_are_read() {
    same_answers(Flavour::New);
}

#[test]
fn tables_with_json_are_read() {
    same_answers(Flavour::Json);
}

/// What another collector writes, with text in maps and in JSON, is told as if it had been received.
fn rotel_writes(flavour: Flavour, options: &[&str]) {
    block_on(async {
        let at = past();
        let Some(database) = Database::new().await else { return };
        // It writes nanoseconds of metrics, too.
        let (cut, whole) = (
            "StartTimeUnix DateTime, TimeUnix DateTime,",
            "StartTimeUnix DateTime64(9), TimeUnix DateTime64(9),",
        );
        database.make(&flavour.schema().replace(cut, whole)).await;
        let address = engine::address().unwrap().replace("clickhouse://", "http://");
        let Some(rotel) = rotel::Rotel::start(&address, &database.name(), options) else { return };
        corpus::traces(at).iter().for_each(|request| rotel.send("traces", request));
        rotel.send("logs", &corpus::logs(at));
        rotel.send("metrics", &corpus::metrics(at));
        let foreign = database.options.clone().open().await.unwrap();
        let until = std::time::Instant::now() + Duration::from_secs(60);
        loop {
            let status = foreign.status().await.unwrap();
            let written = (status.spans, status.logs, status.points);
            if written == (6, 5, 2) {
                break;
            }
            assert!(std::time::Instant::now() < until, "not written: {written:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let own = received(at).await;
        assert_eq!(answers(own.as_ref(), at).await, answers(foreign.as_ref(), at).await);
        let said = foreign.spans(trace(1), Which::All).await.unwrap();
        let asked = said[1].attributes.json("gen_ai.input.messages").unwrap();
        assert_eq!(asked[0]["parts"][0]["content"], "Where is my order?");
        assert_eq!(said[1].attributes.texts("gen_ai.response.finish_reasons").unwrap(), ["stop"]);
    });
}

#[test]
fn tables_written_by_rotel_are_read() {
    rotel_writes(Flavour::New, &[]);
}

#[test]
fn tables_written_by_rotel_with_json_are_read() {
    rotel_writes(Flavour::Json, &["--clickhouse-exporter-enable-json"]);
}

/// Whatever letters there are in the id of a conversation, it is found by it.
#[test]
fn conversations_are_found_by_any_id() {
    block_on(async {
        for flavour in [Flavour::New, Flavour::Json] {
            let Some(database) = Database::new().await else { return };
            database.schema(flavour).await;
            let id = r#"häuser/a"b\c"#;
            let mut said = corpus::chat("Where is my order?");
            said.retain(|pair| pair.key != "gen_ai.conversation.id");
            said.push(corpus::text("gen_ai.conversation.id", id));
            let call = corpus::span(1, 1, 0, "chat gpt-5", past(), said);
            database.run(&exporter::traces(flavour, &corpus::spans("shop", vec![call]))).await;
            let store = database.options.open().await.unwrap();
            assert_eq!(store.conversation(id, 10).await.unwrap().len(), 1, "{flavour:?}");
            store.close().await;
        }
    });
}

/// A trace is of the time when it began, though it comes to generative AI later.
#[test]
fn lists_have_what_began_in_their_time() {
    block_on(async {
        let Some(database) = Database::new().await else { return };
        database.schema(Flavour::New).await;
        let at = past();
        let http = corpus::span(1, 1, 0, "POST /", at, vec![corpus::text("http.request.method", "POST")]);
        let call = corpus::span(1, 2, 1, "chat gpt-5", at + 900 * SECOND, corpus::chat("Where?"));
        database.run(&exporter::traces(Flavour::New, &corpus::spans("shop", vec![http, call]))).await;
        let range = Some(Range { from: Nanos(at - 600 * SECOND), to: Nanos(at + 100 * SECOND) });
        let filter = Filter { range, ..Filter::default() };
        for sort in [TraceSort::Start, TraceSort::Tokens] {
            let store = database.options.clone().open().await.unwrap();
            let query = TraceQuery { filter: filter.clone(), sort, limit: 10, ..TraceQuery::default() };
            assert_eq!(store.traces(&query).await.unwrap().items.len(), 1, "{sort:?}");
            store.close().await;
        }
        let store = database.options.open().await.unwrap();
        let query = ConversationQuery { filter, limit: 10, cursor: None };
        assert_eq!(store.conversations(&query).await.unwrap().items.len(), 1);
    });
}

/// However often somebody asks, points that came meanwhile are there.
#[test]
fn points_that_come_while_somebody_looks_are_told() {
    block_on(async {
        let Some(database) = Database::new().await else { return };
        database.schema(Flavour::New).await;
        let store = database.options.clone().open().await.unwrap();
        let now = Nanos::now().0;
        let range = Some(Range { from: Nanos(now - 60 * SECOND), to: Nanos(now + 600 * SECOND) });
        assert!(store.metrics(range).await.unwrap().is_empty());
        for insert in exporter::metrics(Flavour::New, &corpus::metrics(now - 11 * SECOND)) {
            database.run(&insert).await;
        }
        let until = std::time::Instant::now() + Duration::from_secs(30);
        while store.metrics(range).await.unwrap().is_empty() {
            assert!(std::time::Instant::now() < until, "they are not read");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
}

/// A page of the newest is answered without all that is older.
#[test]
fn the_newest_are_read_first() {
    block_on(async {
        let Some(database) = Database::new().await else { return };
        database.schema(Flavour::New).await;
        let now = Nanos::now().0;
        // More than is read for one question, and an hour later a few.
        let many = |count: u64, from: u64, service: &str| {
            format!(
                "INSERT INTO otel_traces (Timestamp, TraceId, SpanId, SpanName, ServiceName, SpanAttributes, Duration)
                 SELECT fromUnixTimestamp64Nano(toInt64({from} + number)), lower(hex(MD5('{service}' || toString(number)))),
                   '00000000000000aa', 'chat', '{service}', map('gen_ai.operation.name', 'chat'), 5 FROM numbers({count})"
            )
        };
        database.run(&many(200_001, now - 10_000 * SECOND, "much")).await;
        database.run(&many(120, now - 5_000 * SECOND, "few")).await;
        let store = database.options.open().await.unwrap();
        let mut query = TraceQuery { limit: 100, ..TraceQuery::default() };
        let page = store.traces(&query).await.unwrap();
        assert!(
            page.items.len() == 100
                && page.items.iter().all(|trace| trace.services.list[0].as_ref() == "few")
        );
        // Beyond them there is too much, which is said; a narrower question is answered.
        query.cursor = page.next;
        let error = store.traces(&query).await.unwrap_err();
        assert!(error.to_string().ends_with("narrow the time range"), "{error}");
        let range = Some(Range { from: Nanos(now - 6_000 * SECOND), to: Nanos(now) });
        let stats = StatsQuery { filter: Filter { range, ..Filter::default() }, ..StatsQuery::default() };
        assert_eq!(store.stats(&stats).await.unwrap()[0].calls, 120);
    });
}

/// Python's events tell only when they were seen, which some writers do not keep.
#[test]
fn log_records_without_a_time_are_those_of_their_span() {
    block_on(async {
        let Some(database) = Database::new().await else { return };
        database.schema(Flavour::New).await;
        let at = past();
        database.run(&exporter::traces(Flavour::New, &corpus::traces(at)[0])).await;
        let insert = "INSERT INTO otel_logs (Timestamp, TraceId, SpanId, ServiceName, Body, LogAttributes)
            SELECT fromUnixTimestamp64Nano(toInt64(0)), TraceId, if(ParentSpanId = '', 'ffffffffffffffff', SpanId), 'shop', SpanName,
              map('gen_ai.operation.name', 'chat') FROM otel_traces";
        database.run(insert).await;
        let all = TraceQuery { limit: 10, ..TraceQuery::default() };
        let of_trace = LogQuery { trace: Some(trace(1)), limit: 10, ..LogQuery::default() };
        // Whether the list is asked for first, or the trace.
        for listed in [true, false] {
            let store = database.options.clone().open().await.unwrap();
            if listed {
                assert_eq!(store.traces(&all).await.unwrap().items.len(), 1);
            }
            let spans = store.spans(trace(1), Which::All).await.unwrap();
            let logs = store.logs(&of_trace).await.unwrap().items;
            // The span of one of them is not there.
            assert_eq!(logs.len(), spans.len() - 1);
            for log in logs {
                let span = spans.iter().find(|span| Some(span.key.span) == log.span).unwrap();
                assert_eq!(log.moment(), span.end);
            }
            store.close().await;
        }
    });
}

#[test]
fn what_is_written_is_told() {
    block_on(async {
        let Some(database) = Database::new().await else { return };
        database.schema(Flavour::New).await;
        let store = database.options.clone().open().await.unwrap();
        let mut changes = store.changes();
        let now = Nanos::now().0 - SECOND;
        let mut call = corpus::span(1, 1, 0, "chat gpt-5", now, corpus::chat("Where is my order?"));
        database.run(&exporter::traces(Flavour::New, &corpus::spans("shop", vec![call.clone()]))).await;
        let told = async |changes: &mut futures_util::stream::BoxStream<'static, Change>, spans: u64| {
            let told = async {
                loop {
                    match changes.next().await.unwrap() {
                        Change::Traces(traces) if traces[0].spans == spans => return traces[0].clone(),
                        _ => {}
                    }
                }
            };
            tokio::time::timeout(Duration::from_secs(30), told).await.expect("it is told")
        };
        assert_eq!(told(&mut changes, 1).await.title.as_deref(), Some("Where is my order?"));
        call.span_id = vec![2; 8];
        database.run(&exporter::traces(Flavour::New, &corpus::spans("shop", vec![call]))).await;
        assert_eq!(told(&mut changes, 2).await.id, trace(1));
    });
}

#[test]
fn what_cannot_be_read_is_named() {
    block_on(async {
        let Some(database) = Database::new().await else { return };
        database.schema(Flavour::New).await;
        database.run("ALTER TABLE otel_traces DROP COLUMN StatusMessage").await;
        let error = database.options.clone().open().await.err().unwrap().to_string();
        assert!(error.contains("otel_traces has no column StatusMessage"), "{error}");
        database.run("ALTER TABLE otel_traces ADD COLUMN StatusMessage String").await;
        database.run("ALTER TABLE otel_logs MODIFY COLUMN ScopeAttributes String DEFAULT ''").await;
        let error = database.options.clone().open().await.err().unwrap().to_string();
        assert!(error.contains("ScopeAttributes of otel_logs has the type String"), "{error}");
        // What is not there is not missed, unless nothing can be made of the rest.
        database.run("DROP TABLE otel_logs").await;
        database.run("ALTER TABLE otel_traces DROP COLUMN TraceState, DROP COLUMN ScopeVersion").await;
        database.run("DROP TABLE otel_traces_trace_id_ts_mv").await;
        database.run("DROP TABLE otel_traces_trace_id_ts").await;
        let at = past();
        database.run(&exporter::traces(Flavour::New, &corpus::traces(at)[0])).await;
        let store = database.options.clone().open().await.unwrap();
        assert_eq!(store.spans(trace(1), Which::All).await.unwrap().len(), 4);
        assert!(store.logs(&LogQuery { limit: 9, ..LogQuery::default() }).await.unwrap().items.is_empty());

        // Others have a table of that name, too.
        database
            .run("CREATE TABLE schema_version (version String) ENGINE = MergeTree ORDER BY version")
            .await;
        assert!(database.options.is_a_collectors().await.unwrap());
        let store = database.options.clone().open().await.unwrap();
        assert_eq!(store.spans(trace(1), Which::All).await.unwrap().len(), 4);
        database.run("DROP TABLE schema_version").await;

        // Own tables beside them are what is written to.
        database.options.clone().connect().await.unwrap().close().await;
        assert!(!database.options.is_a_collectors().await.unwrap());
        let own = database.options.open().await.unwrap();
        assert!(!own.status().await.unwrap().read_only);
        assert!(own.spans(trace(1), Which::All).await.unwrap().is_empty());
    });
}

const USERS: &str = "<clickhouse><users>
  <reader><password>secret</password><profile>readonly</profile><networks><ip>::/0</ip></networks>
    <grants><query>GRANT SELECT ON otel.*</query></grants></reader>
  <default><password></password><profile>default</profile><networks><ip>::/0</ip></networks></default>
</users><profiles><default/><readonly><readonly>1</readonly></readonly></profiles><quotas><default/></quotas></clickhouse>";

/// One who may change nothing, no setting either, reads everything.
#[test]
fn rights_to_read_are_enough() {
    let Some(library) = engine::library() else { return };
    let folder = TempDir::new().unwrap();
    let server = engine::Engine::start_with_users(&library, folder.path(), USERS);
    let host = server.address().replace("clickhouse://", "");
    block_on(async {
        let raw = clickhouse::Client::default().with_url(format!("http://{host}"));
        raw.query_raw("CREATE DATABASE otel").execute().await.unwrap();
        let options = ClickHouseOptions::new(&format!("clickhouse://reader:secret@{host}/otel")).unwrap();
        let database = Database { options, raw: raw.with_database("otel") };
        database.schema(Flavour::New).await;
        let at = past();
        database.run(&exporter::traces(Flavour::New, &corpus::traces(at)[0])).await;
        database.run(&exporter::logs(Flavour::New, &corpus::logs(at))).await;
        let store = database.options.open().await.unwrap();
        let page = store.traces(&TraceQuery { limit: 10, ..TraceQuery::default() }).await.unwrap();
        // The call, and the session of log records.
        assert_eq!(page.items.len(), 2);
        assert_eq!(store.spans(trace(1), Which::All).await.unwrap().len(), 4);
        assert_eq!(store.status().await.unwrap().spans, 4);
        store.close().await;
    });
    server.kill();
}
