//! However much there is, however late it comes, and whoever asks: what is read of it, and what is said where that is too much.

use std::time::{Duration, Instant};

use otel_genai_store::copy::{EVER, compare, copy};
use otel_genai_store::{
    Filter, Hit, LogQuery, Nanos, Range, SearchQuery, SqliteOptions, StatsQuery, Store, TraceQuery,
};

use crate::corpus::{self, SECOND};
use crate::exporter::{self, Flavour};
use crate::runtime::block_on;
use crate::{Database, past, trace};

const DAY: u64 = 86_400 * SECOND;

/// Calls of one trace each, or all of one; each says much.
fn calls(name: &str, count: u64, from: u64, step: u64) -> String {
    let id = if step == 0 { "'one'" } else { "toString(number)" };
    format!(
        "INSERT INTO otel_traces (Timestamp, TraceId, SpanId, SpanName, ServiceName, SpanAttributes, Duration)
         SELECT fromUnixTimestamp64Nano(toInt64({from} + number * {step})), lower(hex(MD5('{name}' || {id}))),
           leftPad(lower(hex(number + 1)), 16, '0'), 'chat', '{name}',
           map('gen_ai.operation.name', 'chat', 'gen_ai.input.messages', '{name}' || repeat('x', 6000)), 5 FROM numbers({count})"
    )
}

/// All that tells of generative AI is copied, metrics and what has no time, too, whatever there is of it, and goes on where it
/// was, in another process.
#[test]
fn a_copy_is_whole() {
    block_on(async {
        let at = past() - 3 * DAY;
        let Some(database) = Database::filled(Flavour::New, at).await else { return };
        database.run(&calls("spread", 700, at - DAY, 60 * SECOND)).await;
        // Of one second, in one trace and in many.
        database.run(&calls("dense", 600, at + DAY, 0)).await;
        database.run(&calls("dense too", 600, at + DAY, 1_000)).await;
        let timeless = "INSERT INTO otel_logs (Timestamp, TraceId, SpanId, ServiceName, Body)
            SELECT fromUnixTimestamp64Nano(toInt64(0)), TraceId, SpanId, 'shop', 'no time' FROM otel_traces
            WHERE SpanName = 'chat gpt-5'";
        database.run(timeless).await;
        let there = database.options.clone().open().await.unwrap();
        let here = SqliteOptions::temporary().open().unwrap();
        let (first, next) = there.dump(EVER, None).await.unwrap();
        assert!(next.is_some() && !first.spans.is_empty());
        let mut count = first.spans.len();
        here.ingest(first).await.unwrap();
        there.close().await;
        let there = database.options.clone().open().await.unwrap();
        let rest = copy(there.as_ref(), &here, EVER, next, |_, _| ()).await.unwrap();
        count += usize::try_from(rest.spans).unwrap();
        // One of the spans of the corpus has nothing to do with generative AI, and one of its log records.
        assert_eq!((count, rest.logs, rest.points), (1_900 + 5, 4 + 1, 2));
        let status = here.status().await.unwrap();
        assert_eq!((status.spans, status.logs, status.points), (1_905, 5, 2));
        let compared = compare(there.as_ref(), &here, EVER, |_| ()).await.unwrap();
        assert_eq!((compared.missing.records(), compared.others.records()), (0, 0), "{compared:?}");
        assert_eq!(compared.same.records(), 1_912);
        let range = Range { from: Nanos(at - DAY), to: Nanos(at - DAY + 600 * SECOND) };
        assert_eq!(there.dump(range, None).await.unwrap().0.spans.len(), 10);
    });
}

/// There is room for so much at a time; what is asked for beyond it is read anew, and what is too much for one question is said.
#[test]
fn what_is_held_has_a_bound() {
    block_on(async {
        let Some(database) = Database::new().await else { return };
        database.schema(Flavour::New).await;
        let at = past();
        database.run(&calls("first", 300, at - 10_000 * SECOND, SECOND)).await;
        database.run(&calls("second", 300, at, SECOND)).await;
        let store = database.options.holds(3 << 20).open().await.unwrap();
        let ask = async |from: u64, to: u64| {
            let range = Some(Range { from: Nanos(from), to: Nanos(to) });
            store
                .stats(&StatsQuery { filter: Filter { range, ..Filter::default() }, ..StatsQuery::default() })
                .await
        };
        for _ in 0..2 {
            assert_eq!(ask(at - 10_000 * SECOND, at - 9_000 * SECOND).await.unwrap()[0].calls, 300);
            assert_eq!(ask(at, at + 1_000 * SECOND).await.unwrap()[0].calls, 300);
        }
        let error = ask(at - 10_000 * SECOND, at + 1_000 * SECOND).await.unwrap_err().to_string();
        assert!(error.contains("narrow the time range"), "{error}");
        assert_eq!(ask(at, at + 1_000 * SECOND).await.unwrap()[0].calls, 300);
        store.close().await;
    });
}

/// What stood in a link is found by whoever is asked for it.
#[test]
fn ids_outlive_a_restart() {
    block_on(async {
        let Some(database) = Database::filled(Flavour::New, past() - 5 * DAY).await else { return };
        let before = database.options.clone().open().await.unwrap();
        let logs = before.logs(&LogQuery { limit: 50, ..LogQuery::default() }).await.unwrap().items;
        assert_eq!(logs.len(), 4);
        let traces = before.traces(&TraceQuery { limit: 50, ..TraceQuery::default() }).await.unwrap().items;
        let session = traces.iter().find(|trace| trace.spans == 0).unwrap().id;
        let query = SearchQuery { text: "just words".into(), limit: 10, ..SearchQuery::default() };
        let until = Instant::now() + Duration::from_secs(20);
        let found = loop {
            match before.search(&query).await.unwrap().items.first() {
                Some(Hit::Log { id, .. }) => break *id,
                _ => assert!(Instant::now() < until, "nothing was found"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        before.close().await;
        for log in &logs {
            let after = database.options.clone().open().await.unwrap();
            // Its numbers are those of what it has read.
            assert_eq!(after.summaries(&[session]).await.unwrap().len(), 1);
            let query = LogQuery { id: Some(log.id), limit: 1, ..LogQuery::default() };
            let same = after.logs(&query).await.unwrap().items;
            assert_eq!((same[0].id, same[0].to_otlp()), (log.id, log.to_otlp()));
            let query = LogQuery { id: Some(found), limit: 1, ..LogQuery::default() };
            assert_eq!(after.logs(&query).await.unwrap().items[0].trace, Some(trace(1)));
            after.close().await;
        }
    });
}

/// Whoever holds a trace back until it is done writes spans long after they ended.
#[test]
fn spans_that_come_late_are_listed() {
    block_on(async {
        let Some(database) = Database::new().await else { return };
        database.schema(Flavour::New).await;
        let store = database.options.clone().open().await.unwrap();
        let all = TraceQuery { limit: 10, ..TraceQuery::default() };
        assert!(store.traces(&all).await.unwrap().items.is_empty());
        let now = Nanos::now().0;
        let early = corpus::span(1, 2, 1, "chat gpt-5", now - 1_200 * SECOND, corpus::chat("Where?"));
        let mut root = corpus::span(1, 1, 0, "invoke_agent", now - 1_201 * SECOND, corpus::chat("Where?"));
        root.end_time_unix_nano = now;
        database.run(&exporter::traces(Flavour::New, &corpus::spans("shop", vec![early, root]))).await;
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            match store.traces(&all).await.unwrap().items.first() {
                Some(trace) if trace.spans == 2 => break,
                found => assert!(Instant::now() < until, "{found:?}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        store.close().await;
    });
}
