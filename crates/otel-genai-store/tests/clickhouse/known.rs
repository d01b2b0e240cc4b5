//! What is told apart as stored already, though others delete, hours pass, and there is much of it.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use otel_genai_store::{Change, ClickHouseStore, Delete, LogQuery, Nanos, Span, Store, StoreError, Which};

use crate::deletes::{Gate, at};
use crate::runtime::block_on;
use crate::suite::search::said;
use crate::suite::{batch, log, noon, of_trace, span, trace_id};
use crate::{engine, raw};

const HOUR: u64 = 3_600_000_000_000;

async fn is_whole(store: &ClickHouseStore, trace: u64, spans: usize, logs: usize) {
    let told = store.spans(trace_id(trace), Which::All).await.unwrap();
    assert_eq!((told.len(), of_trace(store, trace_id(trace)).await.len()), (spans, logs));
}

/// What another dashboard or an administrator deleted is no longer taken for stored.
#[test]
fn what_others_delete_may_come_again() {
    block_on(async {
        let Some(options) = engine::database() else { return };
        let (one, other) = tokio::join!(options.clone().connect(), options.clone().connect());
        let (one, other) = (one.unwrap(), other.unwrap());
        let words = "a story that is told again and again";
        let told = batch(vec![said(1, words)], vec![log(Some(1), "x", noon())]);
        one.ingest(told.clone()).await.unwrap();
        is_whole(&one, 1, 1, 1).await;
        let again = one.ingest(told.clone()).await.unwrap();
        assert_eq!((again.known, again.spans), (2, 0));

        other.delete(Delete::All).await.unwrap();
        // The content is that of before, which is gone.
        one.ingest(batch(vec![said(2, words)], vec![])).await.unwrap();
        is_whole(&one, 2, 1, 0).await;
        let again = one.ingest(told.clone()).await.unwrap();
        assert_eq!((again.spans, again.logs, again.known), (1, 1, 0));
        is_whole(&one, 1, 1, 1).await;

        other.delete(Delete::Trace(trace_id(1))).await.unwrap();
        let again = one.ingest(told.clone()).await.unwrap();
        assert_eq!((again.spans, again.logs, again.known), (1, 1, 0));
        is_whole(&one, 1, 1, 1).await;

        let day =
            raw(&options).query("SELECT toString(max(day)) FROM piece").fetch_one::<String>().await.unwrap();
        for table in ["piece", "said"] {
            let drop = format!("ALTER TABLE {table} DROP PARTITION '{day}'");
            raw(&options).query(&drop).execute().await.unwrap();
        }
        one.ingest(batch(vec![said(3, words)], vec![])).await.unwrap();
        is_whole(&one, 3, 1, 0).await;
        one.close().await;
        other.close().await;
    });
}

/// A record that tells no time, or none that can be, is kept under the hour in which it came; sent again hours later, it is
/// told apart all the same, by whom ever it is received.
#[test]
fn what_tells_no_time_is_one_whenever_it_comes() {
    block_on(async {
        let Some(options) = engine::database() else { return };
        let first = options.clone().connect().await.unwrap();
        let came = |hours: u64| {
            let received = Nanos(noon() + hours * HOUR);
            let of = |mut span: Span, start: u64| {
                (span.start, span.end, span.received) = (Nanos(start), Nanos(start), received);
                span
            };
            // No time, and one of decades ago.
            let spans = vec![of(span(1, 1, None, noon()), 0), of(span(2, 1, None, noon()), 9_000_000_000)];
            let mut logs = vec![log(Some(1), "x", 0), log(None, "x", 0), log(None, "y", 9_000_000_000)];
            logs.iter_mut().for_each(|log| log.received = received);
            let mut told = batch(spans, logs);
            told.received = received;
            told
        };
        assert_eq!(first.ingest(came(0)).await.unwrap().known, 0);
        for hours in [1, 30] {
            assert_eq!(first.ingest(came(hours)).await.unwrap().known, 5);
            // One who remembers nothing.
            let second = options.clone().connect().await.unwrap();
            assert_eq!(second.ingest(came(hours)).await.unwrap().known, 5);
            second.close().await;
        }
        let status = first.status().await.unwrap();
        assert_eq!((status.spans, status.logs), (2, 3));
        first.close().await;
    });
}

/// What tells no time is looked for when it comes again, and is not written again: its words are there before it is.
#[test]
fn what_tells_no_time_is_never_without_its_words() {
    block_on(async {
        let Some(options) = engine::database() else { return };
        let gate = Gate::before(engine::address().unwrap(), "INTO+%60said%60").await;
        let store = at(&options, &gate.address).connect().await.unwrap();
        let mut timeless = said(1, "the same old story");
        (timeless.start, timeless.end) = (Nanos(0), Nanos(0));
        let count =
            async || raw(&options).query("SELECT count() FROM span").fetch_one::<u64>().await.unwrap();
        let held = gate.meanwhile(async { assert_eq!(count().await, 0) });
        let (stored, ()) = tokio::join!(store.ingest(batch(vec![timeless], Vec::new())), held);
        assert_eq!((stored.unwrap().spans, count().await), (1, 1));
        store.close().await;
    });
}

/// Nor without its content, where that was taken for stored and had been deleted.
#[test]
fn what_tells_no_time_is_never_without_its_content() {
    block_on(async {
        let Some(options) = engine::database() else { return };
        let store = options.clone().connect().await.unwrap();
        let timeless = |trace: u64| {
            let mut span = said(trace, "the same old story");
            (span.start, span.end) = (Nanos(0), Nanos(0));
            batch(vec![span], Vec::new())
        };
        store.ingest(timeless(1)).await.unwrap();
        let other = options.connect().await.unwrap();
        other.delete(Delete::All).await.unwrap();
        store.ingest(timeless(2)).await.unwrap();
        is_whole(&store, 2, 1, 0).await;
        store.close().await;
        other.close().await;
    });
}

/// Who watches hears of what another dashboard deletes.
#[test]
fn what_others_delete_is_told() {
    block_on(async {
        let Some(options) = engine::database() else { return };
        let (one, other) = tokio::join!(options.clone().connect(), options.connect());
        let (one, other) = (one.unwrap(), other.unwrap());
        let mut changes = one.changes();
        for what in [Delete::Trace(trace_id(1)), Delete::All] {
            let until = Instant::now() + Duration::from_secs(60);
            let mut told = false;
            // It looks now and then: what came and went between two looks is not told.
            while !told {
                assert!(Instant::now() < until, "it is not told");
                other
                    .ingest(batch(vec![span(1, 1, None, noon()), span(2, 1, None, noon())], vec![]))
                    .await
                    .unwrap();
                other.delete(what).await.unwrap();
                let heard = async { while !matches!(changes.next().await, Some(Change::Deleted { .. })) {} };
                told = tokio::time::timeout(Duration::from_secs(2), heard).await.is_ok();
            }
        }
        one.close().await;
        other.close().await;
    });
}

/// While something is deleted, which may take its time, what comes is stored.
#[test]
fn deleting_holds_up_nobody() {
    block_on(async {
        let Some(options) = engine::database() else { return };
        let store = options.clone().connect().await.unwrap();
        store.ingest(batch(vec![span(1, 1, None, noon()), span(2, 1, None, noon())], vec![])).await.unwrap();
        raw(&options).query("SYSTEM STOP MERGES span").execute().await.unwrap();
        let mut deleted = std::pin::pin!(store.delete(Delete::Trace(trace_id(1))));
        let going_on = async {
            let sql =
                "SELECT count() FROM system.mutations WHERE database = currentDatabase() AND NOT is_done";
            let until = Instant::now() + Duration::from_secs(60);
            while raw(&options).query(sql).fetch_one::<u64>().await.unwrap() == 0 {
                assert!(Instant::now() < until, "nothing is deleted");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            store.ingest(batch(vec![span(3, 1, None, noon())], vec![])).await
        };
        tokio::select! {
            deleted = &mut deleted => panic!("it does not wait: {deleted:?}"),
            stored = going_on => assert_eq!(stored.unwrap().spans, 1),
        }
        raw(&options).query("SYSTEM START MERGES span").execute().await.unwrap();
        assert_eq!(deleted.await.unwrap().traces, 1);
        is_whole(&store, 1, 0, 0).await;
        is_whole(&store, 3, 1, 0).await;
        store.close().await;
        let closed = store.delete(Delete::All).await;
        assert!(matches!(closed, Err(StoreError::Closed)), "{closed:?}");
    });
}

/// Records of a session whose calls spans tell, too, are found among any number of others.
#[test]
fn calls_that_are_told_twice_are_found_among_many() {
    block_on(async {
        let Some(options) = engine::database() else { return };
        let store = options.clone().connect().await.unwrap();
        let raw = raw(&options);
        let calls = |state: u8, from: u64, to: u64| {
            format!(
                "INSERT INTO span (hour, trace_id, span_id, print, parent, start_ns, end_ns, received_ns, state, op, request_model,
                   input, output)
                 SELECT toStartOfHour(fromUnixTimestamp64Nano(toInt64({noon}), 'UTC')), unhex(leftPad(hex(number), 32, '{state}')),
                   unhex(leftPad(hex(number), 16, '{state}')), unhex(leftPad(hex(number), 32, '{state}')), unhex(repeat('01', 8)),
                   {noon} + number, {noon} + number, {noon}, {state}, 1, 'model', number + 1, number + 1
                 FROM numbers({from}, {to} - {from})",
                noon = noon()
            )
        };
        raw.query(&calls(2, 0, 10_100)).execute().await.unwrap();
        raw.query(&calls(0, 10_000, 10_100)).execute().await.unwrap();
        // Whoever stores a call of that hour looks at all of it.
        let mut call = span(7, 1, None, noon() + 1_000_000_000);
        call.facts.op = Some(otel_genai_store::Op::Chat);
        store.ingest(batch(vec![call], vec![])).await.unwrap();
        let until = Instant::now() + Duration::from_secs(60);
        while raw.query("SELECT count() FROM wrapper FINAL WHERE told").fetch_one::<u64>().await.unwrap()
            < 100
        {
            assert!(Instant::now() < until, "they are not marked");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let logs = LogQuery { limit: 1, ..LogQuery::default() };
        assert!(store.logs(&logs).await.unwrap().items.is_empty());
        store.close().await;
    });
}
