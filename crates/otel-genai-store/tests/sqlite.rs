//! The store in SQLite: what every store must do, and what a folder of files brings with it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod suite;
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use otel_genai_store::{
    Attributes, Day, Delete, Durability, Facts, Nanos, Op, SqliteOptions, SqliteStore, StatsQuery, Store,
    StoreError, TraceQuery, Usage, Which,
};
use prost::Message as _;
use suite::{batch, noon, search, span, suite, trace_id};
use tempfile::TempDir;

fn open() -> (SqliteStore, TempDir) {
    let folder = TempDir::new().unwrap();
    (at(&folder), folder)
}

fn at(folder: &TempDir) -> SqliteStore {
    SqliteOptions::new(folder.path().join("data")).durability(Durability::Normal).open().unwrap()
}

macro_rules! run {
    ($topic:ident: $($case:ident)*) => {
        $(#[test]
        fn $case() {
            let (store, _folder) = open();
            block_on(async {
                suite::$topic::$case(&store).await;
                store.close().await;
            });
        })*
    };
}

suite!(run: every);

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap()
        .block_on(future)
}

/// The file of the day in which `noon` lies.
fn file(folder: &TempDir) -> PathBuf {
    let (year, month, day) = Day::of(Nanos(noon())).date();
    folder.path().join("data").join(format!("{year:04}-{month:02}-{day:02}.sqlite"))
}

#[test]
fn a_second_instance_is_told_who_has_the_folder() {
    let (store, folder) = open();
    store.announce("http://localhost:18888");
    let error = SqliteOptions::new(folder.path().join("data")).open().unwrap_err();
    let told = error.to_string();
    let pid = std::process::id();
    assert!(
        told.ends_with(&format!("is in use by another otel-genai (http://localhost:18888, process {pid})")),
        "{told}"
    );
    assert!(matches!(error, StoreError::Locked { .. }));
    let owner = SqliteStore::owner(&folder.path().join("data")).unwrap();
    assert_eq!((owner.pid, owner.url.as_deref()), (pid, Some("http://localhost:18888")));
    drop(store);
    assert!(SqliteStore::owner(&folder.path().join("data")).is_none());
    drop(at(&folder));
}

#[test]
fn what_was_stored_is_there_after_a_restart() {
    let (store, folder) = open();
    block_on(async {
        store.ingest(batch(vec![span(1, 1, None, noon())], vec![])).await.unwrap();
        store.close().await;
        assert!(store.ingest(batch(vec![span(1, 2, None, noon())], vec![])).await.is_err());
        assert!(store.status().await.is_err());
        let store = at(&folder);
        let again = store
            .ingest(batch(vec![span(1, 1, None, noon()), span(1, 2, None, noon())], vec![]))
            .await
            .unwrap();
        assert_eq!((again.spans, again.known), (1, 1));
        assert_eq!(store.spans(trace_id(1), Which::All).await.unwrap().len(), 2);
        let line =
            store.traces(&TraceQuery { limit: 5, ..TraceQuery::default() }).await.unwrap().items.remove(0);
        assert_eq!(line.spans, 2);
    });
    assert!(file(&folder).exists());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(folder.path().join("data")).unwrap().permissions().mode() & 0o777, 0o700);
    }
}

#[test]
fn what_waits_is_stored_before_the_store_goes() {
    let (store, folder) = open();
    block_on(async {
        let pending = store.ingest(batch(vec![span(1, 1, None, noon())], vec![]));
        // Handed over, and not waited for.
        let _ = tokio::time::timeout(Duration::ZERO, pending).await;
    });
    drop(store);
    block_on(async { assert_eq!(at(&folder).spans(trace_id(1), Which::All).await.unwrap().len(), 1) });
}

#[test]
fn a_temporary_store_leaves_nothing() {
    block_on(async {
        let store = SqliteOptions::temporary().open().unwrap();
        store.ingest(batch(vec![span(1, 1, None, noon())], vec![])).await.unwrap();
        let place = PathBuf::from(store.status().await.unwrap().location);
        assert!(place.is_dir());
        store.close().await;
        assert!(!place.exists());
    });
}

#[test]
fn a_damaged_file_is_kept_aside_and_said() {
    let (store, folder) = open();
    drop(store);
    for number in 1..=2u64 {
        fs::write(file(&folder), "this is no database, but was one once".repeat(1000)).unwrap();
        block_on(async {
            let store = at(&folder);
            assert_eq!(store.ingest(batch(vec![span(1, 1, None, noon())], vec![])).await.unwrap().spans, 1);
            assert_eq!(store.spans(trace_id(1), Which::All).await.unwrap().len(), 1);
            let damaged = store.status().await.unwrap().damaged;
            assert_eq!(damaged.len() as u64, number);
            assert!(fs::read_to_string(&damaged[0]).unwrap().starts_with("this is no database"));
        });
    }
}

#[test]
fn a_file_of_a_newer_version_is_left_alone() {
    let (store, folder) = open();
    drop(store);
    let newer = rusqlite::Connection::open(file(&folder)).unwrap();
    newer.execute_batch("CREATE TABLE later(x); PRAGMA user_version=99;").unwrap();
    drop(newer);
    let before = fs::read(file(&folder)).unwrap();
    block_on(async {
        let store = at(&folder);
        let error = store.ingest(batch(vec![span(1, 1, None, noon())], vec![])).await.unwrap_err();
        assert!(matches!(error, StoreError::Newer { found: 99, known: 1, .. }), "{error}");
        assert!(store.traces(&TraceQuery::default()).await.unwrap().items.is_empty());
    });
    assert_eq!(fs::read(file(&folder)).unwrap(), before);
}

/// What the first files lacked is made when the folder is opened to write; who may only look is told so.
#[test]
fn a_file_of_an_older_build_is_brought_up_to_date() {
    let (store, folder) = open();
    block_on(async {
        store.ingest(batch(vec![span(1, 1, None, noon())], vec![])).await.unwrap();
        store.close().await;
        let older = rusqlite::Connection::open(file(&folder)).unwrap();
        older.execute_batch("DROP TABLE told; DROP INDEX span_order;").unwrap();
        drop(older);
        let look = || SqliteOptions::new(folder.path().join("data")).read_only().open();
        let refused = look().unwrap_err();
        assert!(matches!(&refused, StoreError::Older { file: of } if *of == file(&folder)), "{refused}");

        let store = at(&folder);
        let looking = look().unwrap();
        for store in [&store, &looking] {
            assert!(store.stats(&StatsQuery::default()).await.unwrap().is_empty());
            assert_eq!(
                store.spans(trace_id(1), Which::First { spans: 5, genai: false }).await.unwrap().len(),
                1
            );
        }
        assert_eq!(store.ingest(batch(vec![span(1, 2, None, noon())], vec![])).await.unwrap().spans, 1);
        looking.close().await;
        store.close().await;
    });
}

/// What cannot be brought up to date keeps nobody from the other days.
#[test]
fn a_file_of_an_older_build_that_is_damaged_or_cannot_be_completed_harms_no_other() {
    const DAY: u64 = 86_400_000_000_000;
    let (store, folder) = open();
    block_on(async {
        let of_today = (0..400).map(|id| span(1, id, None, noon() + id)).collect();
        store.ingest(batch(of_today, vec![])).await.unwrap();
        store.ingest(batch(vec![span(2, 1, None, noon() - DAY)], vec![])).await.unwrap();
        store.ingest(batch(vec![span(3, 1, None, noon() - 2 * DAY)], vec![])).await.unwrap();
        store.close().await;
    });
    let of_day = |ago: u64| {
        let (year, month, day) = Day::of(Nanos(noon() - ago * DAY)).date();
        folder.path().join("data").join(format!("{year:04}-{month:02}-{day:02}.sqlite"))
    };
    let older = |ago: u64, more: &str| {
        let older = rusqlite::Connection::open(of_day(ago)).unwrap();
        older.execute_batch(&format!("DROP TABLE told; DROP INDEX span_order; {more}")).unwrap();
        older
    };
    // One page of the spans of today is lost.
    let page: u32 = older(0, "PRAGMA wal_checkpoint(TRUNCATE);")
        .query_row("SELECT max(pageno) FROM dbstat WHERE name = 'span' AND pagetype = 'leaf'", [], |row| {
            row.get(0)
        })
        .unwrap();
    let mut bytes = fs::read(file(&folder)).unwrap();
    let page = usize::try_from(page - 1).unwrap() * 8_192;
    bytes[page..page + 8_192].fill(0x5a);
    fs::write(file(&folder), &bytes).unwrap();
    // Something else is in the way of the day before.
    drop(older(1, "CREATE TABLE told_start(x);"));

    block_on(async {
        let store = at(&folder);
        let status = store.status().await.unwrap();
        assert_eq!(fs::read(&status.damaged[0]).unwrap(), bytes, "nothing of it is thrown away");
        let listed = async || {
            let page = store.traces(&TraceQuery { limit: 10, ..TraceQuery::default() }).await.unwrap();
            page.items.iter().map(|trace| trace.id).collect::<Vec<_>>()
        };
        assert_eq!(listed().await, [trace_id(3)]);
        assert!(store.stats(&StatsQuery::default()).await.unwrap().is_empty());
        store.ingest(batch(vec![span(4, 1, None, noon())], vec![])).await.unwrap();
        assert_eq!(listed().await, [trace_id(4), trace_id(3)]);
        store.close().await;
        rusqlite::Connection::open(of_day(1)).unwrap().execute_batch("DROP TABLE told_start;").unwrap();
        let store = at(&folder);
        assert_eq!(store.spans(trace_id(2), Which::All).await.unwrap().len(), 1, "it is there again");
    });
}

/// Whoever sends more than can be written is told to come again, and nothing that was taken is lost.
#[test]
fn a_full_queue_sends_away() {
    let (store, folder) = open();
    block_on(async {
        store.ingest(batch(vec![span(1, 0, None, noon())], vec![])).await.unwrap();
        // Somebody else holds up the writer.
        let other = rusqlite::Connection::open(file(&folder)).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let large = |id| {
            let mut large = batch(vec![span(1, id, None, noon())], vec![]);
            large.bytes = 40 << 20;
            large
        };
        let mut first = std::pin::pin!(store.ingest(large(1)));
        assert!(tokio::time::timeout(Duration::ZERO, &mut first).await.is_err());
        assert!(matches!(store.ingest(large(2)).await, Err(StoreError::Busy { .. })));
        assert!(store.status().await.unwrap().queued_bytes >= 40 << 20);
        other.execute_batch("ROLLBACK").unwrap();
        assert_eq!(first.await.unwrap().spans, 1);
        assert_eq!(store.ingest(large(2)).await.unwrap().spans, 1);
        // Larger than the queue: alone, but not refused.
        let mut huge = large(3);
        huge.bytes = 1 << 30;
        assert_eq!(store.ingest(huge).await.unwrap().spans, 1);
    });
}

/// A call that a framework tells around the client's own, which ends on another day: it counts once, whichever comes first,
/// and however many days are between.
#[test]
fn a_call_around_another_one_over_midnight_counts_once() {
    const DAY: u64 = 86_400_000_000_000;
    let midnight = Day(Day::of(Nanos(noon())).0 + 1).start().0;
    let chat = |id: u64, parent: Option<u64>, start: u64, end: u64| {
        let mut chat = span(1, id, parent, start);
        chat.end = Nanos(end);
        let usage = Usage { input: Some(50), output: Some(7), ..Usage::default() };
        chat.facts = Facts { op: Some(Op::Chat), usage, count: Some(1), ..Facts::default() };
        chat
    };
    for days in [0, 2] {
        let begin = midnight + days * DAY;
        let around = chat(1, None, midnight - 5, begin + 50);
        let inside = chat(2, Some(1), begin + 5, begin + 45);
        for pair in [[around.clone(), inside.clone()], [inside, around]] {
            let (store, folder) = open();
            block_on(async {
                let others =
                    (0..=days).map(|day| span(10 + day, 0, None, midnight - 9 + day * DAY)).collect();
                store.ingest(batch(others, vec![])).await.unwrap();
                let patience = Instant::now() + Duration::from_secs(60);
                for one in pair {
                    store.ingest(batch(vec![one], vec![])).await.unwrap();
                    // What is alone is settled as it is.
                    while is_unsettled(&folder) {
                        assert!(Instant::now() < patience, "it is never settled");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                }
                loop {
                    let trace = store.summaries(&[trace_id(1)]).await.unwrap().remove(0);
                    let calls = store.stats(&StatsQuery::default()).await.unwrap();
                    let told = (
                        trace.spans,
                        trace.llm_calls,
                        trace.usage.input,
                        calls[0].calls,
                        calls[0].usage.input,
                    );
                    if told == (2, 1, Some(50), 1, Some(50)) {
                        break;
                    }
                    assert!(Instant::now() < patience, "{days}: {told:?}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                store.close().await;
            });
        }
    }
}

/// Whether a day has traces that are to be settled.
fn is_unsettled(folder: &TempDir) -> bool {
    let files = fs::read_dir(folder.path().join("data")).unwrap().map(|file| file.unwrap().path());
    let mut days = files.filter(|file| {
        file.extension().is_some_and(|what| what == "sqlite")
            && file.file_name().unwrap().to_string_lossy().starts_with("20")
    });
    days.any(|day| {
        let connection = rusqlite::Connection::open(day).unwrap();
        connection.busy_timeout(Duration::from_secs(5)).unwrap();
        let sql = "SELECT EXISTS(SELECT 1 FROM trace WHERE unsettled)";
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    })
}

/// What is left of a trace when its first day is deleted is listed as long as it is there.
#[test]
fn a_trace_outlives_its_first_day() {
    block_on(async {
        let store = SqliteOptions::temporary().open().unwrap();
        let midnight = Day(Day::of(Nanos(noon())).0 + 1).start();
        let parts = vec![span(1, 1, None, midnight.0 - 5), span(1, 2, Some(1), midnight.0 + 5)];
        store.ingest(batch(parts, vec![])).await.unwrap();
        store.delete(Delete::Before(midnight)).await.unwrap();
        let page = store.traces(&TraceQuery { limit: 5, ..TraceQuery::default() }).await.unwrap();
        assert_eq!(
            page.items.iter().map(|trace| (trace.id, trace.spans)).collect::<Vec<_>>(),
            [(trace_id(1), 1)]
        );
        assert_eq!(store.status().await.unwrap().traces, 1);
    });
}

/// When there was much to write, the log's room is given back once it is quiet.
#[test]
fn a_log_that_grew_is_emptied() {
    let (store, folder) = open();
    block_on(async {
        let mut state = 1u64;
        let mut noise = || {
            let letters = (0..(1 << 20) / 16).map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                format!("{state:016x}")
            });
            letters.collect::<String>()
        };
        // Not of generative AI: nothing is settled, and nothing indexed.
        for number in 0..20 {
            let mut span = span(number, 1, None, noon());
            span.attributes = Attributes::from_otlp(vec![support::string("body", &noise())]);
            store.ingest(batch(vec![span], vec![])).await.unwrap();
        }
        let log = file(&folder).with_extension("sqlite-wal");
        let patience = Instant::now() + Duration::from_secs(60);
        // It is gone altogether once nobody has the file open.
        let room = || fs::metadata(&log).map_or(0, |log| log.len());
        while room() > 0 {
            assert!(Instant::now() < patience, "the log keeps {} bytes", room());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
}

/// What is not in the index yet is said to be missing, and is found after a restart.
#[test]
fn what_was_not_indexed_is_indexed_later() {
    let (store, folder) = open();
    block_on(async {
        let spans = (0..2_000).map(|trace| search::said(trace, &format!("number {trace} of many"))).collect();
        store.ingest(batch(spans, vec![])).await.unwrap();
        drop(store);
        let store = at(&folder);
        search::indexed(&store).await;
        assert_eq!(store.search(&search::query("\"number 1234 of\"")).await.unwrap().items.len(), 1);
    });
}

/// Room on the disk, of files and of what SQLite writes beside them.
fn room(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let days = files.filter(|file| file.file_name().to_string_lossy().starts_with("20"));
    days.map(|file| file.metadata().unwrap().len()).sum()
}

#[test]
fn a_growing_history_is_kept_once() {
    let folder = TempDir::new().unwrap();
    let spans = suite::content::growing(120);
    let raw: usize = spans.iter().map(|span| span.to_otlp().encoded_len()).sum();
    block_on(async {
        let store = SqliteOptions::new(folder.path()).durability(Durability::Normal).open().unwrap();
        for span in spans {
            store.ingest(batch(vec![span], vec![])).await.unwrap();
        }
        store.close().await;
    });
    let kept = room(folder.path());
    // Of which the empty tables are a quarter of a MiB.
    assert!(kept * 8 <= raw as u64, "{kept} bytes for {raw}");
}
