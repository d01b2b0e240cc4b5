//! The store in ClickHouse: what every store must do, and what a server brings with it.
#![cfg(feature = "clickhouse")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

#[path = "clickhouse/deletes.rs"]
mod deletes;
mod engine;
#[path = "clickhouse/known.rs"]
mod known;
#[path = "clickhouse/reads.rs"]
mod reads;
#[path = "support/runtime.rs"]
mod runtime;
mod suite;
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use otel_genai_store::copy::{EVER, compare, copy};
use otel_genai_store::{
    Batch, Change, ClickHouseOptions, ClickHouseStore, Cost, CostSource, Delete, Dimension, Facts, Filter,
    LogQuery, Nanos, Op, Range, SqliteOptions, StatsQuery, Store, StoreError, TraceQuery, Usage, Which,
};
use runtime::block_on;
use suite::{batch, log, noon, span, suite, trace_id};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

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

suite!(run: every);

async fn open() -> Option<ClickHouseStore> {
    Some(engine::database()?.connect().await.unwrap())
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
            let status = store.status().await.unwrap();
            assert_eq!((status.spans, status.logs, status.traces), (2, 1, 1));
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

/// The engine is killed ten times while four senders store: each sends again what was not acknowledged, as it does, and
/// in the end everything is there once.
#[test]
fn ten_kills_lose_and_double_nothing() {
    const SENDERS: u64 = 4;
    const BATCHES: u64 = 60;
    let Some(library) = engine::library() else { return };
    let folder = TempDir::new().unwrap();
    block_on(async {
        let server = engine::Engine::start(&library, folder.path(), &[]);
        let port = server.port();
        let address = format!("{}/kept", server.address());
        let store = ClickHouseOptions::new(&address).unwrap().connect().await.unwrap();
        let acknowledged = AtomicU64::new(0);
        let send = async |sender: u64| {
            for number in 0..BATCHES {
                let trace = sender * BATCHES + number;
                let spans =
                    (0..8).map(|id| span(trace, id, None, noon() + id * 6 * 3_600_000_000_000)).collect();
                let whole = batch(spans, vec![log(Some(trace), "gen_ai.choice", noon() + trace)]);
                loop {
                    match store.ingest(whole.clone()).await {
                        Ok(_) => break,
                        Err(
                            StoreError::Away { .. } | StoreError::Busy { .. } | StoreError::Backend { .. },
                        ) => {
                            tokio::time::sleep(Duration::from_millis(20)).await;
                        }
                        Err(error) => panic!("{error:?}"),
                    }
                }
                acknowledged.fetch_add(1, Ordering::Relaxed);
            }
        };
        let kill = async {
            let mut server = server;
            for round in 1..=10 {
                // Spread over the whole of it.
                while acknowledged.load(Ordering::Relaxed) < round * SENDERS * BATCHES / 12 {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                server.kill();
                let (library, folder) = (library.clone(), folder.path().to_owned());
                let start = move || engine::Engine::start_at(&library, &folder, port, &[]);
                server = tokio::task::spawn_blocking(start).await.unwrap();
            }
            server
        };
        let senders = futures_util::future::join_all((0..SENDERS).map(send));
        let (_, server) = tokio::join!(senders, kill);
        // Asked of one who remembers nothing of what was sent.
        let fresh = ClickHouseOptions::new(&address).unwrap().connect().await.unwrap();
        let mut query = TraceQuery { limit: 500, ..TraceQuery::default() };
        let mut traces = 0;
        loop {
            let page = fresh.traces(&query).await.unwrap();
            traces += page.items.len() as u64;
            assert!(page.items.iter().all(|trace| (trace.spans, trace.logs) == (8, 1)), "{:?}", page.items);
            query.cursor = page.next;
            if query.cursor.is_none() {
                break;
            }
        }
        assert_eq!(traces, SENDERS * BATCHES);
        let calls = fresh.services(None).await.unwrap();
        assert_eq!((calls[0].spans, calls[0].logs), (8 * traces, traces));
        fresh.close().await;
        store.close().await;
        server.kill();
    });
}

#[test]
fn tables_of_a_newer_version_are_left_alone() {
    block_on(async {
        let Some(options) = engine::database() else { return };
        options.clone().connect().await.unwrap().close().await;
        raw(&options).query("INSERT INTO schema_version VALUES (99)").execute().await.unwrap();
        let error = options.connect().await.unwrap_err();
        assert!(matches!(error, StoreError::Newer { found: 99, known: 1, .. }), "{error}");
        assert!(error.to_string().ends_with(": update this one"), "{error}");
    });
}

fn raw(options: &ClickHouseOptions) -> clickhouse::Client {
    let location = options.location();
    let database = location.rsplit('/').next().unwrap();
    let address = engine::address().unwrap().replace("clickhouse://", "http://");
    clickhouse::Client::default().with_url(address).with_database(database)
}

/// Whoever was stopped while it made the tables is no hindrance.
#[test]
fn tables_that_are_half_made_are_completed() {
    block_on(async {
        let Some(options) = engine::database() else { return };
        options.clone().connect().await.unwrap().close().await;
        let (looks, looks_at) = (options.clone().read_only(), options.clone());
        for table in ["schema_version", "point", "trace_of_log"] {
            raw(&options).query(&format!("DROP TABLE {table}")).execute().await.unwrap();
        }
        let told = looks.connect().await.unwrap_err().to_string();
        let location = looks_at.location();
        let database = location.rsplit('/').next().unwrap();
        assert_eq!(
            told,
            format!(
                "there is nothing to read: {location} has no tables of otel-genai: is the name right? Else an \
                 administrator runs what `otel-genai store schema clickhouse --database {database}` prints"
            )
        );
        let store = options.connect().await.unwrap();
        assert_eq!(store.ingest(batch(vec![], vec![log(Some(1), "x", noon())])).await.unwrap().logs, 1);
        assert_eq!(store.traces(&all()).await.unwrap().items.len(), 1);
    });
}

/// Sums of hours that are over are written down, and hold until something of them comes or goes.
#[test]
fn sums_of_hours_are_those_of_their_calls() {
    const MINUTE: u64 = 60_000_000_000;
    let call = |number: u64| {
        let mut span = span(number / 4, number % 4, None, noon() + number * MINUTE);
        let name = |what: &str, number: u64| -> Option<Arc<str>> {
            (number > 0).then(|| format!("{what} {number}").into())
        };
        let kind = |what: &str, of: u64| name(what, number % 4 % of);
        let told = (!number.is_multiple_of(5)).then_some(number);
        span.end = Nanos(span.start.0 + number * 7_654_321);
        span.status.code = if number.is_multiple_of(11) { 2 } else { 0 };
        span.facts = Facts {
            op: Some(if number % 4 == 3 { Op::ExecuteTool } else { Op::Chat }),
            // Of a kind there are many in half an hour: else it is no use to add them up.
            provider: kind("provider", 2),
            request_model: kind("model", 3),
            response_model: kind("model", 4),
            tool: kind("tool", 3),
            agent: kind("agent", 4),
            finish: name("finish", number % 3),
            conversation: name("conversation", number % 6),
            usage: Usage { input: told, output: told.map(|told| 2 * told), ..Usage::default() },
            cost: told.map(|nanos| Cost { nanos: nanos as i64, saved: 1, source: CostSource::Table }),
            first_chunk: told.map(Duration::from_millis),
            count: Some(1),
            ..Facts::default()
        };
        span
    };
    block_on(async {
        let Some(options) = engine::database() else { return };
        let raw = raw(&options);
        let store = options.quiet(Duration::from_secs(1)).connect().await.unwrap();
        let minutes = |from: u64, to: u64| {
            let moment = |minutes: u64| Nanos(noon() + minutes * MINUTE + 17);
            Filter { range: Some(Range { from: moment(from), to: moment(to) }), ..Filter::default() }
        };
        let ask = async || {
            let mut told = String::new();
            let tools = Filter { tool: vec!["tool 1".into(), "tool 2".into()], ..minutes(10, 280) };
            let hour = Some(Duration::from_secs(3_600));
            let half = Some(Duration::from_secs(1_800));
            let odd = Some(Duration::from_secs(1_000));
            for (filter, by, step) in [
                (Filter::default(), vec![], None),
                (Filter::default(), vec![Dimension::Model, Dimension::Op], hour),
                (minutes(7, 230), vec![Dimension::Agent], half),
                (minutes(65, 70), vec![Dimension::Provider], None),
                (tools, vec![Dimension::Tool, Dimension::Service, Dimension::Dialect], None),
                (minutes(0, 300), vec![Dimension::Model], odd),
                (minutes(0, 300), vec![Dimension::Conversation], None),
                (Filter { error: Some(true), ..minutes(0, 300) }, vec![Dimension::Model], hour),
            ] {
                for row in store.stats(&StatsQuery { filter, by, step }).await.unwrap() {
                    told.push_str(&format!("{row:?}\n"));
                }
            }
            told
        };
        let calls = async || store.stats(&StatsQuery::default()).await.unwrap()[0].calls;
        let summed = async || {
            let sql = "SELECT count() FROM (SELECT hour, max(made) AS last FROM hourly GROUP BY hour) AS r
                 JOIN (SELECT hour, max(at) AS latest FROM touched GROUP BY hour) AS t USING hour
                 WHERE last >= latest + 1000";
            let patience = std::time::Instant::now() + Duration::from_secs(60);
            while raw.query_raw(sql).fetch_one::<u64>().await.unwrap() < 5 {
                assert!(std::time::Instant::now() < patience, "five hours have no sums");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        store.ingest(batch((0..290).map(call).collect(), vec![])).await.unwrap();
        let expected = ask().await;
        summed().await;
        assert_eq!(ask().await, expected);
        assert_eq!(calls().await, 290);

        // Late, in an hour that was added up; and told twice.
        let late = call(290);
        let late = otel_genai_store::Span { start: Nanos(noon() + 5), end: Nanos(noon() + 6), ..late };
        store.ingest(batch(vec![late.clone()], vec![])).await.unwrap();
        assert_eq!(calls().await, 291);
        summed().await;
        assert_eq!(calls().await, 291);
        store.delete(Delete::Trace(late.key.trace)).await.unwrap();
        assert_eq!(calls().await, 288);
        store.ingest(batch((288..290).map(call).collect(), vec![])).await.unwrap();
        assert_eq!(ask().await, expected);
        // Then all are answered without a call.
        summed().await;
        raw.query_raw("TRUNCATE TABLE span").execute().await.unwrap();
        assert_eq!(calls().await, 290);
        store.delete(Delete::All).await.unwrap();
        assert!(store.stats(&StatsQuery::default()).await.unwrap().is_empty());
        store.close().await;
    });
}

/// What was found to be told twice, and is not, counts again, though the clock of the one who found it runs ahead.
#[test]
fn a_clock_that_runs_ahead_does_not_have_the_last_word() {
    let call = |id: u64| {
        let mut span = span(1, id, None, noon() + id);
        span.facts = Facts { op: Some(Op::Chat), ..Facts::default() };
        batch(vec![span], vec![])
    };
    block_on(async {
        let Some(options) = engine::database() else { return };
        let raw = raw(&options);
        let store = options.connect().await.unwrap();
        store.ingest(call(1)).await.unwrap();
        let ahead = "INSERT INTO wrapper SELECT hour, trace_id, print, 1, 4102444800000000000 FROM span";
        raw.query_raw(ahead).execute().await.unwrap();
        store.ingest(call(2)).await.unwrap();
        let until = std::time::Instant::now() + Duration::from_secs(60);
        let told = "SELECT toUInt64(sum(told)) FROM wrapper FINAL";
        while raw.query_raw(told).fetch_one::<u64>().await.unwrap() > 0 {
            assert!(std::time::Instant::now() < until, "it is not taken back");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(store.stats(&StatsQuery::default()).await.unwrap()[0].calls, 2);
        store.close().await;
    });
}

/// Days that are too old go by themselves, whoever set it, and whoever only looks changes nothing.
#[test]
fn old_days_are_dropped_by_the_server() {
    let days = |days: u64| Duration::from_secs(days * 86_400);
    block_on(async {
        let Some(options) = engine::database() else { return };
        let store = options.clone().connect().await.unwrap();
        assert_eq!(store.status().await.unwrap().max_age, None);
        store.ingest(batch(vec![span(1, 1, None, noon())], vec![log(None, "x", noon())])).await.unwrap();
        store.ingest(batch(vec![span(2, 1, None, Nanos::now().0)], vec![])).await.unwrap();
        let short =
            options.clone().max_age(Some(days(2) - Duration::from_secs(3_600))).connect().await.unwrap();
        assert_eq!(store.status().await.unwrap().max_age, Some(days(2)));
        for table in ["span", "log", "trace", "piece", "said"] {
            raw(&options).query(&format!("OPTIMIZE TABLE {table} FINAL")).execute().await.unwrap();
        }
        // Whatever a record refers to is there as long as the record is, though each table goes at a time of its own.
        let told = "SELECT name, extract(engine_full, 'toIntervalDay[(]([0-9]+)') FROM system.tables
             WHERE database = currentDatabase() AND engine_full LIKE '%toIntervalDay%' ORDER BY name";
        let told = raw(&options).query_raw(told).fetch_all::<(String, String)>().await.unwrap();
        assert_eq!(told.len(), 10, "{told:?}");
        for (table, days) in told {
            let content = ["piece", "said", "series"].contains(&table.as_str());
            assert_eq!(days, if content { "4" } else { "3" }, "{table}");
        }
        let ids: Vec<_> = short.traces(&all()).await.unwrap().items.iter().map(|trace| trace.id).collect();
        assert_eq!((ids, short.status().await.unwrap().logs), (vec![trace_id(2)], 0));
        let looks = options.clone().read_only().connect().await.unwrap();
        assert!(looks.status().await.unwrap().read_only);
        assert!(matches!(looks.ingest(batch(vec![], vec![])).await, Err(StoreError::ReadOnly(_))));
        assert!(matches!(looks.delete(Delete::All).await, Err(StoreError::ReadOnly(_))));
        // One who was killed half way has changed nothing that says it is done.
        raw(&options).query("ALTER TABLE point REMOVE TTL").execute().await.unwrap();
        raw(&options)
            .query("ALTER TABLE span MODIFY TTL toDate(hour) + toIntervalDay(9)")
            .execute()
            .await
            .unwrap();
        options.clone().max_age(Some(days(2))).connect().await.unwrap();
        let of_points = "SELECT engine_full LIKE '%toIntervalDay(3)%' FROM system.tables
             WHERE database = currentDatabase() AND name = 'point'";
        assert!(raw(&options).query_raw(of_points).fetch_one::<bool>().await.unwrap());
        options.max_age(None).connect().await.unwrap();
        assert_eq!(looks.status().await.unwrap().max_age, None);
    });
}

fn told(batch: &Batch) -> (Vec<String>, usize) {
    let spans = batch.spans.iter().map(|span| format!("{:?} {:?}", span.to_otlp(), span.facts)).collect();
    (spans, batch.points.iter().map(|(_, points)| points.len()).sum())
}

/// All that a store tells, in an order of its own.
async fn whole(store: &dyn Store) -> (Vec<String>, usize, usize) {
    let (mut spans, mut logs, mut points, mut cursor) = (Vec::new(), 0, 0, None);
    loop {
        let (batch, next) = store.dump(EVER, cursor).await.unwrap();
        let (more, count) = told(&batch);
        spans.extend(more);
        logs += batch.logs.len();
        points += count;
        cursor = next;
        if cursor.is_none() {
            spans.sort_unstable();
            return (spans, logs, points);
        }
    }
}

/// From files into the database and back again, with an interruption: nothing is missing, nothing is there twice.
#[test]
fn a_copy_there_and_back_again_is_equal() {
    block_on(async {
        let Some(options) = engine::database() else { return };
        let there = options.connect().await.unwrap();
        let [files, back] = [(); 2].map(|()| SqliteOptions::temporary().open().unwrap());
        let mut everything = suite::dump::everything(120);
        // Clocks that are wrong, and content that many share.
        everything
            .spans
            .extend([0, 5, u64::MAX - 1_000_000_000].map(|start| span(900, start % 100, None, start)));
        everything.spans.extend((1_000..1_050).map(|trace| suite::search::said(trace, "the same old story")));
        files.ingest(everything).await.unwrap();

        let (reached, pieces) = (std::sync::Mutex::new(None), std::sync::atomic::AtomicU32::new(0));
        let stop = tokio::sync::Notify::new();
        let first = copy(&files, &there, EVER, None, |_, next| {
            *reached.lock().unwrap() = next.cloned();
            if pieces.fetch_add(1, Ordering::Relaxed) == 0 {
                stop.notify_one();
            }
        });
        tokio::select! {
            ended = first => panic!("it ends before it is interrupted: {ended:?}"),
            () = stop.notified() => {}
        }
        let reached = reached.lock().unwrap().take();
        assert!(reached.is_some());
        let half = compare(&files, &there, EVER, |_| ()).await.unwrap();
        assert!(half.same.records() > 0 && half.others.records() == 0, "{half:?}");
        let rest = copy(&files, &there, EVER, reached, |_, _| ()).await.unwrap();
        let all = whole(&files).await;
        assert!(rest.spans < all.0.len() as u64, "what was copied is not copied again: {rest:?}");
        let compared = compare(&files, &there, EVER, |_| ()).await.unwrap();
        assert_eq!((compared.missing.records(), compared.others.records()), (0, 0), "{compared:?}");
        assert_eq!(whole(&there).await, all);

        copy(&there, &back, EVER, None, |_, _| ()).await.unwrap();
        assert_eq!(whole(&back).await, all);
        // Once more changes nothing.
        copy(&files, &there, EVER, None, |_, _| ()).await.unwrap();
        assert_eq!(whole(&there).await, all);
        back.ingest(batch(vec![span(7_000, 1, None, noon())], vec![])).await.unwrap();
        let compared = compare(&back, &there, EVER, |_| ()).await.unwrap();
        assert_eq!((compared.missing.spans, compared.others.records()), (1, 0), "{compared:?}");
    });
}

/// A history of which there is little of each day is copied like any other.
#[test]
fn a_copy_of_many_days_ends() {
    const DAY: u64 = 86_400_000_000_000;
    block_on(async {
        let Some(options) = engine::database() else { return };
        let there = options.connect().await.unwrap();
        let here = SqliteOptions::temporary().open().unwrap();
        let spans = (0..105).map(|day| span(day, 1, None, noon() - day * DAY)).collect();
        here.ingest(batch(spans, vec![])).await.unwrap();
        copy(&here, &there, EVER, None, |_, _| ()).await.unwrap();
        let compared = compare(&here, &there, EVER, |_| ()).await.unwrap();
        assert_eq!((compared.same.spans, compared.missing.spans), (105, 0), "{compared:?}");
    });
}

const USERS: &str = "<clickhouse><users>
  <writer><password>secret</password><profile>default</profile><networks><ip>::/0</ip></networks>
    <grants><query>GRANT SELECT, INSERT ON shared.*</query></grants></writer>
  <keeper><password>secret</password><profile>default</profile><networks><ip>::/0</ip></networks>
    <grants><query>GRANT SELECT, INSERT, ALTER DELETE, TRUNCATE ON shared.*</query></grants></keeper>
  <reader><password>secret</password><profile>readonly</profile><networks><ip>::/0</ip></networks>
    <grants><query>GRANT SELECT ON shared.*</query></grants></reader>
  <viewer><password>secret</password><profile>default</profile><networks><ip>::/0</ip></networks>
    <grants><query>GRANT SELECT ON shared.*</query></grants></viewer>
  <partly><password>secret</password><profile>default</profile><networks><ip>::/0</ip></networks>
    <grants><query>GRANT SELECT, ALTER DELETE, TRUNCATE ON shared.*</query><query>GRANT INSERT ON shared.span</query></grants></partly>
  <default><password></password><profile>default</profile><networks><ip>::/0</ip></networks></default>
</users><profiles><default/><readonly><readonly>1</readonly></readonly></profiles><quotas><default/></quotas></clickhouse>";

/// Those whom an administrator gave rights to, and no more, can do their work; nobody's password is told.
#[test]
fn few_rights_are_enough() {
    let Some(library) = engine::library() else { return };
    let folder = TempDir::new().unwrap();
    let (config, users) = (folder.path().join("config.xml"), folder.path().join("users.xml"));
    std::fs::write(&users, USERS).unwrap();
    let of_users = users.clone();
    // As it is where a server was installed: most of the system's tables are the administrator's.
    let strict = "<access_control_improvements><select_from_system_db_requires_grant>true\
        </select_from_system_db_requires_grant></access_control_improvements>";
    let users = users.display();
    let text = format!("<clickhouse><users_config>{users}</users_config>{strict}</clickhouse>");
    std::fs::write(&config, text).unwrap();
    let server = engine::Engine::start(&library, folder.path(), &["--config-file", config.to_str().unwrap()]);
    let (port, host) = (server.port(), server.address().replace("clickhouse://", ""));
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
        assert!(matches!(refused, StoreError::Unwritable { .. }), "{refused:?}");
        // Known before anybody has sent something.
        let viewer = as_whom("viewer:secret").open().await.unwrap();
        assert!(viewer.status().await.unwrap().read_only);
        assert_eq!(viewer.traces(&all()).await.unwrap().items.len(), 1);
        let refused = viewer.ingest(batch(vec![span(2, 1, None, noon())], vec![])).await.unwrap_err();
        assert!(matches!(refused, StoreError::Unwritable { .. }), "{refused:?}");
        assert!(refused.to_string().ends_with("GRANT SELECT, INSERT ON shared.*"), "{refused}");
        // A right that is missing later may come back: what is sent again is not lost.
        let partly = as_whom("partly:secret").connect().await.unwrap();
        let refused = partly.ingest(batch(vec![span(2, 1, None, noon())], vec![])).await.unwrap_err();
        assert!(matches!(refused, StoreError::Backend { .. }), "{refused:?}");
        assert!(refused.to_string().ends_with("GRANT SELECT, INSERT ON shared.*"), "{refused}");
        let asked = as_whom("writer:secret").read_only().connect().await.unwrap();
        assert!(matches!(asked.delete(Delete::All).await, Err(StoreError::ReadOnly(_))));
        for store in [&writer, &reader] {
            let status = store.status().await.unwrap();
            assert_eq!((status.spans, status.traces, status.oldest), (1, 1, Some(Nanos(noon()))));
            assert!(status.bytes > 0);
        }
        let refused = writer.delete(Delete::All).await.unwrap_err();
        assert!(matches!(refused, StoreError::Denied { .. }), "{refused:?}");
        let told = format!(
            "clickhouse://{host}/shared does not let this be done: this user may not delete: an administrator runs \
             GRANT ALTER DELETE, TRUNCATE ON shared.*"
        );
        assert_eq!(refused.to_string(), told);
        let month = as_whom("writer:secret").max_age(Some(Duration::from_nanos(30 * DAY)));
        let refused = month.connect().await.unwrap_err().to_string();
        let told = format!(
            "cannot set how long records are kept: clickhouse://{host}/shared: this user has no right to; an \
             administrator runs what `otel-genai store schema clickhouse --database shared --max-age 30d` prints, or \
             GRANT ALTER TTL, ALTER MATERIALIZE TTL ON shared.*"
        );
        assert_eq!(refused, told);
        // Nothing is there yet, and they may not make it.
        for (database, flag) in [("absent", " --database absent"), ("otel_genai", "")] {
            let address = format!("clickhouse://writer:secret@{host}/{database}");
            let options = ClickHouseOptions::new(&address).unwrap();
            let refused = options.clone().open().await.err().unwrap().to_string();
            let told = format!(
                "cannot make the tables: clickhouse://{host}/{database}: this user may not make database {database}; \
                 an administrator runs what `otel-genai store schema clickhouse{flag}` prints"
            );
            assert_eq!(refused, told);
            let refused = options.read_only().open().await.err().unwrap().to_string();
            let told = format!(
                "{host}/{database} has no tables of otel-genai: is the name right? Else an administrator runs what \
                 `otel-genai store schema clickhouse{flag}` prints"
            );
            assert!(refused.ends_with(&told), "{refused}");
        }
        let keeper = as_whom("keeper:secret").connect().await.unwrap();
        writer.ingest(batch(vec![span(2, 1, None, noon() + DAY)], vec![])).await.unwrap();
        for (what, traces) in
            [(Delete::Before(Nanos(noon() + DAY / 2)), 1), (Delete::Trace(trace_id(2)), 1), (Delete::All, 0)]
        {
            assert_eq!(keeper.delete(what).await.unwrap().traces, traces, "{what:?}");
        }
        assert!(writer.traces(&all()).await.unwrap().items.is_empty());
        // What is gone is told, though not all that belongs to it could be done.
        let mut changes = partly.changes();
        partly.delete(Delete::All).await.unwrap_err();
        let told = async { while !matches!(changes.next().await.unwrap(), Change::Deleted { .. }) {} };
        tokio::time::timeout(Duration::from_secs(60), told).await.unwrap();

        for options in [as_whom("writer:swordfish"), as_whom("nobody:swordfish")] {
            assert!(!format!("{options:?}").contains("swordfish"));
            let error = options.connect().await.unwrap_err();
            let told = format!("{error} {error:?}");
            assert!(told.contains("Authentication failed") && !told.contains("swordfish"), "{told}");
            let refuses = format!("cannot connect: clickhouse://{host}/shared refuses the user ");
            assert!(told.starts_with(&refuses), "{told}");
            assert!(
                told.contains(
                    "; check the user, and the password in the address, in OTEL_GENAI_STORE_PASSWORD"
                )
            );
        }
        let nobody = ClickHouseOptions::new(&format!("clickhouse://{host}/shared")).unwrap();
        let told = nobody.password("swordfish").connect().await.unwrap_err().to_string();
        assert!(told.contains("refuses the user default: ") && !told.contains("swordfish"), "{told}");
        assert!(told.ends_with("; there is a password and no user: write clickhouse://USER@HOST"), "{told}");
        // Who is given the right to insert need not start again.
        let late = as_whom("viewer:secret").quiet(Duration::from_secs(1)).connect().await.unwrap();
        assert!(late.status().await.unwrap().read_only);
        server.kill();
        let (only, both) = (
            "GRANT SELECT ON shared.*</query></grants></viewer>",
            "GRANT SELECT, INSERT ON shared.*</query></grants></viewer>",
        );
        std::fs::write(&of_users, USERS.replace(only, both)).unwrap();
        let server = engine::Engine::start_at(
            &library,
            folder.path(),
            port,
            &["--config-file", config.to_str().unwrap()],
        );
        let until = std::time::Instant::now() + Duration::from_secs(60);
        while let Err(refused) = late.ingest(batch(vec![span(7, 1, None, noon())], vec![])).await {
            assert!(std::time::Instant::now() < until, "{refused}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(!late.status().await.unwrap().read_only);
        assert_eq!(late.traces(&all()).await.unwrap().items.len(), 1);
        server.kill();
    });
}

const DAY: u64 = 86_400_000_000_000;
const LIMITED: &str = "<clickhouse><users>
  <few><password></password><profile>few</profile><networks><ip>::/0</ip></networks></few>
  <default><password></password><profile>default</profile><networks><ip>::/0</ip></networks></default>
</users><profiles><default/><few><max_rows_to_read>20</max_rows_to_read></few></profiles><quotas><default/></quotas></clickhouse>";

/// What the server allows nobody is told so that it can be narrowed or tried again; nothing that was refused is acknowledged.
#[test]
fn limits_of_the_server_are_said() {
    let Some(library) = engine::library() else { return };
    let folder = TempDir::new().unwrap();
    let config = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.display().to_string()
    };
    let users = config("users.xml", LIMITED);
    let users = format!("<users_config>{users}</users_config>");
    let plain = config("config.xml", &format!("<clickhouse>{users}</clickhouse>"));
    // So much is to be left free that no disk has it.
    let disk = "<storage_configuration><disks><default><keep_free_space_bytes>1000000000000000000</keep_free_space_bytes>\
        </default></disks></storage_configuration>";
    let full = config("full.xml", &format!("<clickhouse>{users}{disk}</clickhouse>"));
    block_on(async {
        let server = engine::Engine::start(&library, folder.path(), &["--config-file", &plain]);
        let (port, host) = (server.port(), server.address().replace("clickhouse://", ""));
        let as_whom =
            |user: &str| ClickHouseOptions::new(&format!("clickhouse://{user}@{host}/limited")).unwrap();
        let store = as_whom("default").connect().await.unwrap();
        let spans = |from: u64| (from..from + 50).map(|id| span(1, id, None, noon() + id)).collect();
        store.ingest(batch(spans(0), vec![])).await.unwrap();

        let few = as_whom("few").connect().await.unwrap();
        let error = few.stats(&StatsQuery::default()).await.unwrap_err();
        assert!(matches!(error, StoreError::BadQuery(_)), "{error:?}");
        assert!(error.to_string().contains("narrow the time range"), "{error}");
        assert_eq!(few.status().await.unwrap().spans, 50);
        // What was said is found though there are too many names to look at.
        let mut told = suite::search::said(2, "the raven");
        (told.start, told.end) = (Nanos(told.start.0 + DAY), Nanos(told.end.0 + DAY));
        store.ingest(batch(vec![told], vec![])).await.unwrap();
        // A trace with more spans than can be looked at holds up no other one.
        let call = |id: u64, parent: Option<u64>| {
            let mut span = span(3, id, parent, noon() + 2 * DAY);
            span.facts.op = Some(Op::Chat);
            span.facts.usage = Usage { input: Some(7), output: Some(8), ..Usage::default() };
            span
        };
        let several = vec![span(1, 100, None, noon()), call(1, None), call(2, Some(1))];
        few.ingest(batch(several, vec![])).await.unwrap();
        let raw = clickhouse::Client::default().with_url(format!("http://{host}")).with_database("limited");
        let until = std::time::Instant::now() + Duration::from_secs(60);
        while raw.query_raw("SELECT count() FROM wrapper").fetch_one::<u64>().await.unwrap() < 1 {
            assert!(std::time::Instant::now() < until, "what is told twice is not found");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(few.search(&suite::search::query("raven")).await.unwrap().items.len(), 1);

        server.kill();
        let server = engine::Engine::start_at(&library, folder.path(), port, &["--config-file", &full]);
        let more = batch(spans(50), vec![]);
        let error = store.ingest(more.clone()).await.unwrap_err();
        assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
        assert_eq!(store.spans(trace_id(1), Which::All).await.unwrap().len(), 51);
        server.kill();
        let server = engine::Engine::start_at(&library, folder.path(), port, &["--config-file", &plain]);
        assert_eq!(store.ingest(more).await.unwrap().spans, 50);
        assert_eq!(store.spans(trace_id(1), Which::All).await.unwrap().len(), 101);
        server.kill();
    });
}

/// A server that is short of something for a while: calls that are told twice are found when it is not any more.
#[test]
fn a_trace_that_could_not_be_looked_at_is_looked_at_again() {
    let Some(library) = engine::library() else { return };
    let folder = TempDir::new().unwrap();
    let server = engine::Engine::start_with_users(&library, folder.path(), LIMITED);
    let (port, host) = (server.port(), server.address().replace("clickhouse://", ""));
    let call = |id: u64, parent: Option<u64>| {
        let mut span = span(1, id, parent, noon());
        span.facts.op = Some(Op::Chat);
        span.facts.usage = Usage { input: Some(7), output: Some(8), ..Usage::default() };
        span
    };
    block_on(async {
        let raw = clickhouse::Client::default().with_url(format!("http://{host}"));
        let count = async |sql: &str| raw.query_raw(sql).fetch_one::<u64>().await.unwrap();
        let until = std::time::Instant::now() + Duration::from_secs(120);
        let again = async || {
            assert!(std::time::Instant::now() < until, "what is told twice is not found");
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        let as_whom =
            |user: &str| ClickHouseOptions::new(&format!("clickhouse://{user}@{host}/short")).unwrap();
        let others = as_whom("default").connect().await.unwrap();
        others.ingest(batch((3..50).map(|id| span(1, id, None, noon())).collect(), vec![])).await.unwrap();
        others.close().await;
        let few = as_whom("few").connect().await.unwrap();
        let refused = "SELECT toUInt64(sum(value)) FROM system.errors WHERE name = 'TOO_MANY_ROWS'";
        let before = count(refused).await;
        few.ingest(batch(vec![call(1, None), call(2, Some(1))], vec![])).await.unwrap();
        while count(refused).await == before {
            again().await;
        }
        server.kill();
        let users = LIMITED.replace(">20<", ">1000000<");
        std::fs::write(folder.path().join("users.xml"), users).unwrap();
        let config = folder.path().join("config.xml");
        let server = engine::Engine::start_at(
            &library,
            folder.path(),
            port,
            &["--config-file", config.to_str().unwrap()],
        );
        while count("SELECT count() FROM short.wrapper").await < 1 {
            again().await;
        }
        server.kill();
    });
}

/// A server that is reached and says nothing: who asks waits no longer than it was said, and what was sent is not acknowledged.
#[test]
fn a_server_that_does_not_answer_is_not_waited_for() {
    let Some(options) = engine::database() else { return };
    let shown = format!("{options:?}");
    let server = engine::address().unwrap().rsplit('/').next().unwrap().rsplit('@').next().unwrap();
    let database = shown.rsplit('/').next().unwrap().split('"').next().unwrap();
    block_on(async {
        // Who waits as long as is usual finds everything in order.
        let usual = options.connect().await.unwrap();
        let mute = Arc::new(AtomicBool::new(false));
        let between = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let other = between.local_addr().unwrap().to_string();
        let address = format!("{}/{database}", engine::address().unwrap().replace(server, &other));
        let patience = Duration::from_millis(500);
        let connect = || ClickHouseOptions::new(&address).unwrap().patience(patience).connect();
        tokio::spawn(pass_on(between, server, Arc::clone(&mute)));
        let store = connect().await.unwrap();
        let call = |id| batch(vec![span(1, id, None, noon())], vec![]);
        store.ingest(call(1)).await.unwrap();

        mute.store(true, Ordering::Relaxed);
        let every = all();
        let (connected, listed, stored) =
            tokio::join!(connect(), store.traces(&every), store.ingest(call(2)));
        let error = connected.unwrap_err();
        assert!(error.to_string().ends_with("no answer in 500ms"), "{error}");
        assert!(matches!(listed, Err(StoreError::Timeout(_))), "{listed:?}");
        assert!(matches!(stored, Err(StoreError::Busy { .. })), "{stored:?}");

        mute.store(false, Ordering::Relaxed);
        store.ingest(call(2)).await.unwrap();
        assert_eq!(usual.traces(&all()).await.unwrap().items[0].spans, 2);
        store.close().await;
        usual.close().await;
    });
}

/// A question about more than can be read in time is given up, by the server, too, and it is said what to narrow.
#[test]
fn what_takes_too_long_is_given_up() {
    block_on(async {
        let Some(options) = engine::database() else { return };
        options.clone().connect().await.unwrap().close().await;
        let raw = raw(&options);
        // As if there were so many traces that nobody has the time to read them.
        let columns = "toDate(20000 + number % 3) AS day, CAST(unhex(leftPad(hex(number), 32, '0')), 'FixedString(16)') AS trace_id,
            toInt64(number) AS start_ns, toInt64(number) AS end_ns, toInt64(number) AS last_ns, toUInt8(1) AS genai,
            toUInt8(0) AS failed, (toInt64(number), '') AS title, (toInt64(number), '') AS root";
        for statement in [
            "DROP VIEW trace_of_span".to_owned(),
            "DROP VIEW trace_of_log".to_owned(),
            "DROP TABLE trace".to_owned(),
            format!("CREATE VIEW trace AS SELECT {columns} FROM numbers(1000000000000)"),
        ] {
            raw.query_raw(&statement).execute().await.unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
        let patience = Duration::from_secs(1);
        let store = options.patience(patience).connect().await.unwrap();
        let error = store.traces(&all()).await.unwrap_err();
        assert!(matches!(error, StoreError::Timeout(waited) if waited == patience), "{error:?}");
        assert_eq!(error.to_string(), "the query took longer than 1s; narrow the time range");
        // How much there is can be told as far as it is known.
        store.status().await.unwrap();
        let running = "SELECT count() FROM system.processes WHERE current_database = currentDatabase()
             AND query LIKE '%FROM trace%' AND query NOT LIKE '%processes%'";
        let until = std::time::Instant::now() + Duration::from_secs(30);
        while raw.query_raw(running).fetch_one::<u64>().await.unwrap() > 0 {
            assert!(std::time::Instant::now() < until, "the server goes on");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
}

/// How much there is is told at once, though it is too much to be looked at: about as many as there are rows.
#[test]
fn how_much_there_is_is_told_however_much_it_is() {
    block_on(async {
        let Some(options) = engine::database() else { return };
        let store = options.clone().connect().await.unwrap();
        let raw = raw(&options);
        let ended = "INSERT INTO span (hour, trace_id, span_id, print, start_ns, state)
             SELECT toDateTime(3600000 + intDiv(number, 150000) * 3600), unhex(leftPad(hex(number), 32, '0')), '1', '2',
               3600000000000000 + intDiv(number, 150000) * 3600000000000 + number, number >= 300000
             FROM numbers(300100)";
        raw.query_raw(ended).execute().await.unwrap();
        let status = store.status().await.unwrap();
        assert_eq!((status.spans, status.logs), (300_000, 0));
        assert_eq!(status.oldest, Some(Nanos(3_600_000_000_000_000)));
        assert!((295_000..305_000).contains(&status.traces), "{status:?}");
        store.close().await;
    });
}

/// Tables of this version in which something is missing are named at the start.
#[test]
fn tables_that_somebody_changed_are_named() {
    block_on(async {
        let Some(options) = engine::database() else { return };
        options.clone().connect().await.unwrap().close().await;
        for (change, back, told) in [
            (
                "ALTER TABLE span DROP COLUMN workflow",
                "ALTER TABLE span ADD COLUMN workflow LowCardinality(String)",
                "the table span has no column workflow",
            ),
            ("RENAME TABLE said TO unsaid", "RENAME TABLE unsaid TO said", "there is no table said"),
        ] {
            raw(&options).query_raw(change).execute().await.unwrap();
            let error = options.clone().connect().await.unwrap_err().to_string();
            assert!(error.contains(told) && error.contains("store schema clickhouse"), "{error}");
            let error = options.clone().read_only().open().await.err().unwrap().to_string();
            assert!(error.contains(told), "{error}");
            raw(&options).query_raw(back).execute().await.unwrap();
            options.clone().connect().await.unwrap().close().await;
        }
    });
}

/// Passes on what is said between a client and the server, as long as it is not mute.
async fn pass_on(between: TcpListener, server: &'static str, mute: Arc<AtomicBool>) {
    async fn one_way(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mute: Arc<AtomicBool>) {
        let mut bytes = vec![0; 64 << 10];
        while let Ok(length) = from.read(&mut bytes).await {
            if mute.load(Ordering::Relaxed) {
                // Of this connection nothing more is heard, not even its end.
                std::future::pending::<()>().await;
            }
            if length == 0 {
                return;
            }
            if to.write_all(&bytes[..length]).await.is_err() {
                return;
            }
        }
    }
    while let Ok((client, _)) = between.accept().await {
        let Ok(server) = TcpStream::connect(server).await else { continue };
        let ((asks, hears), (answers, listens)) = (client.into_split(), server.into_split());
        tokio::spawn(one_way(asks, listens, Arc::clone(&mute)));
        tokio::spawn(one_way(answers, hears, Arc::clone(&mute)));
    }
}

/// What crosses a network is compressed; to an address of which it is not known that it is this machine, that is done, too.
#[test]
fn a_server_elsewhere_is_understood() {
    let Some(here) = engine::address() else { return };
    let Some(port) = here.strip_prefix("clickhouse://127.0.0.1:") else { return };
    let elsewhere = format!("clickhouse://[::ffff:127.0.0.1]:{port}/elsewhere_{}", std::process::id());
    block_on(async {
        let store = ClickHouseOptions::new(&elsewhere).unwrap().connect().await.unwrap();
        let told = suite::search::said(1, &"the same old story ".repeat(1_000));
        store.ingest(batch(vec![told.clone()], Vec::new())).await.unwrap();
        let found = store.spans(told.key.trace, Which::All).await.unwrap();
        assert_eq!(found[0].to_otlp(), told.to_otlp());
        store.close().await;
    });
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
    for (address, hint) in [
        ("clickhouse://a:sword/fish@db/x", "; write / as %2F in a password"),
        ("clickhouse://a:9/fish@db/x", "; write / as %2F in a password"),
        ("clickhouse://a:sword?fish@db/x", "; write ? as %3F in a password"),
        ("clickhouse://a:9#fish@db/x", "; write # as %23 in a password"),
        ("clickhouse://a:swordfish@db/x;y", "clickhouse://host:8123/database"),
    ] {
        let error = ClickHouseOptions::new(address).unwrap_err().to_string();
        assert!(error.ends_with(hint) && !error.contains("fish"), "{error}");
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
