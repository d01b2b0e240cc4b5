//! What is kept, how long, and what becomes of it when the disk is full, a file is damaged or nothing may be written.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

// Of the suite only its records are needed here.
#[allow(dead_code, unused_imports, unused_macros, reason = "shared with the other tests")]
mod suite;
#[allow(dead_code, reason = "shared with the other tests")]
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use otel_genai_store::{
    Attributes, Batch, Change, ContentHash, Day, Delete, Durability, Form, Instrument, LogQuery, Nanos,
    Point, PointValue, Retention, SearchQuery, Series, Span, SpanState, SqliteOptions, SqliteStore, Store,
    StoreError, TraceQuery, Which,
};
use suite::{batch, noon, span, trace_id};
use support::string;
use tempfile::TempDir;

const SECOND: u64 = 1_000_000_000;
const DAY: Duration = Duration::from_secs(86_400);

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
    runtime.block_on(future)
}

fn options(folder: &Path) -> SqliteOptions {
    SqliteOptions::new(folder).durability(Durability::Normal)
}

/// Letters that do not compress to less than half.
fn noise(seed: u64, bytes: usize) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut text = String::with_capacity(bytes + 16);
    while text.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text.push_str(&format!("{state:x} "));
    }
    text
}

fn said(trace: u64, start: u64, words: &str) -> Span {
    let mut span = span(trace, 0, None, start);
    span.attributes = Attributes::from_otlp(vec![string("gen_ai.input.messages", words)]);
    span
}

/// Waits until it is so.
async fn until(mut so: impl AsyncFnMut() -> bool) {
    let patience = Instant::now() + Duration::from_secs(60);
    while !so().await {
        assert!(Instant::now() < patience, "it never came to be");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn traces(store: &SqliteStore) -> Vec<u8> {
    let page = store.traces(&TraceQuery { limit: 500, ..TraceQuery::default() }).await.unwrap();
    page.items.iter().map(|trace| trace.id.bytes()[15] - 1).collect()
}

fn days(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let is_day = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("20");
    let mut days: Vec<PathBuf> = files.filter(is_day).collect();
    days.sort();
    days
}

#[test]
fn days_that_are_too_old_are_deleted() {
    let folder = TempDir::new().unwrap();
    let ago = |days: u64| noon() - days * 86_400 * SECOND;
    block_on(async {
        let store = options(folder.path()).open().unwrap();
        let spans = [(1, 0), (2, 5), (3, 40), (4, 300)].map(|(trace, days)| span(trace, 0, None, ago(days)));
        let mut spans = spans.to_vec();
        // A clock of 1970 says nothing of its age, its reception does.
        let mut wrong = span(6, 0, None, ago(40));
        (wrong.start, wrong.end, wrong.received) = (Nanos(5), Nanos(6), Nanos(ago(40)));
        spans.push(wrong);
        store.ingest(batch(spans, vec![])).await.unwrap();
        assert_eq!(traces(&store).await.len(), 5);
        store.close().await;
        assert_eq!(days(folder.path()).len(), 4);

        let store = options(folder.path()).max_age(30 * DAY).open().unwrap();
        until(async || traces(&store).await == [1, 2]).await;
        assert_eq!(store.status().await.unwrap().max_age, Some(30 * DAY));
        // What comes late is kept with what comes today, and not deleted at once.
        store.ingest(batch(vec![span(5, 0, None, ago(100))], vec![])).await.unwrap();
        assert_eq!(traces(&store).await, [5, 1, 2]);
        store.close().await;
        assert_eq!(days(folder.path()).len(), 3);
    });
}

#[test]
fn how_long_is_told_while_it_is_open() {
    let folder = TempDir::new().unwrap();
    let ago = |days: u64| noon() - days * 86_400 * SECOND;
    block_on(async {
        let store = options(folder.path()).open().unwrap();
        let spans = [(1, 0), (2, 5), (3, 40)].map(|(trace, days)| span(trace, 0, None, ago(days)));
        store.ingest(batch(spans.to_vec(), vec![])).await.unwrap();
        let month = Retention { max_age: Some(30 * DAY), max_bytes: Some(1 << 30) };
        store.keep(month).await.unwrap();
        assert_eq!(traces(&store).await, [1, 2], "it holds at once");
        let status = store.status().await.unwrap();
        assert_eq!((status.max_age, status.limit_bytes), (month.max_age, month.max_bytes));
        store.keep(Retention::default()).await.unwrap();
        store.ingest(batch(vec![span(4, 0, None, ago(40))], vec![])).await.unwrap();
        assert_eq!(traces(&store).await, [1, 2, 4], "it has a day of its own again");
        store.close().await;

        let store = options(folder.path()).read_only().open().unwrap();
        assert!(matches!(store.keep(month).await, Err(StoreError::ReadOnly(_))));
        assert_eq!(traces(&store).await, [1, 2, 4]);
    });
}

#[test]
fn who_only_looks_hears_that_the_other_one_has_stored_something() {
    let folder = TempDir::new().unwrap();
    block_on(async {
        let writing = options(folder.path()).open().unwrap();
        writing.ingest(batch(vec![span(1, 0, None, noon())], vec![])).await.unwrap();
        let looking = options(folder.path()).read_only().open().unwrap();
        let mut heard = looking.changes();
        assert_eq!(traces(&looking).await, [1]);
        writing.ingest(batch(vec![span(2, 0, None, noon() + 1)], vec![])).await.unwrap();
        let patience = Duration::from_secs(60);
        let change = tokio::time::timeout(patience, heard.next()).await.unwrap();
        assert!(matches!(change, Some(Change::Lost)), "{change:?}");
        assert_eq!(traces(&looking).await, [2, 1]);
        looking.close().await;
        while tokio::time::timeout(patience, heard.next()).await.unwrap().is_some() {}
    });
}

#[test]
fn the_oldest_days_go_when_there_is_too_much() {
    let folder = TempDir::new().unwrap();
    let limit = 3_000_000;
    block_on(async {
        let store = options(folder.path()).open().unwrap();
        for day in 0..4u64 {
            let said = |at: u64| {
                said(day * 10 + at, noon() - day * 86_400 * SECOND + at, &noise(day * 10 + at, 60_000))
            };
            store.ingest(batch((0..10).map(said).collect(), vec![])).await.unwrap();
        }
        until(async || store.status().await.unwrap().index_behind == 0).await;
        store.close().await;
        let before = days(folder.path());
        assert_eq!(before.len(), 4);

        let store = options(folder.path()).max_bytes(limit).open().unwrap();
        until(async || traces(&store).await.len() < 40).await;
        store.close().await;
        let after = days(folder.path());
        let room: u64 = after.iter().map(|file| fs::metadata(file).unwrap().len()).sum();
        assert!(room <= limit && !after.is_empty(), "{room} bytes in {after:?}");
        assert_eq!(after, before[before.len() - after.len()..]);
    });
}

#[test]
fn today_loses_its_oldest_traces_when_it_alone_is_too_much() {
    let folder = TempDir::new().unwrap();
    let limit = 3_000_000;
    let now = Nanos::now().0;
    block_on(async {
        let store = options(folder.path()).open().unwrap();
        let shared = "these words were said in each and every trace of the day";
        for trace in 0..120u64 {
            let mut spans =
                vec![said(trace, now - 200 + trace, &noise(trace, 60_000)), span(trace, 1, Some(0), now)];
            spans[1].attributes = Attributes::from_otlp(vec![string("gen_ai.output.messages", shared)]);
            store.ingest(batch(spans, vec![])).await.unwrap();
        }
        store.close().await;
        let before: u64 = days(folder.path()).iter().map(|file| fs::metadata(file).unwrap().len()).sum();
        assert!(before > limit + limit / 4);

        let store = options(folder.path()).max_bytes(limit).open().unwrap();
        let room = async || store.status().await.unwrap().bytes;
        until(async || room().await <= limit + 200_000).await;
        let left = traces(&store).await;
        assert!(left.len() > 10 && left.len() < 100, "{left:?}");
        // The last ones are whole, with what they shared with those that went.
        assert_eq!(left, (120 - u8::try_from(left.len()).unwrap()..120).rev().collect::<Vec<_>>());
        for trace in [119, u64::from(*left.last().unwrap())] {
            let spans = store.spans(trace_id(trace), Which::All).await.unwrap();
            assert_eq!(spans[0].attributes.text("gen_ai.input.messages").unwrap(), noise(trace, 60_000));
            assert_eq!(spans[1].attributes.text("gen_ai.output.messages").unwrap(), shared);
        }
        let status = store.status().await.unwrap();
        assert_eq!((status.traces, status.spans), (left.len() as u64, 2 * left.len() as u64));
        // It goes on.
        store.ingest(batch(vec![said(1, now, "said again, after it was gone")], vec![])).await.unwrap();
        assert_eq!(store.spans(trace_id(1), Which::All).await.unwrap().len(), 1);
    });
}

#[test]
fn one_trace_is_deleted_with_what_only_it_said() {
    let folder = TempDir::new().unwrap();
    block_on(async {
        let store = options(folder.path()).open().unwrap();
        let midnight = Day(Day::of(Nanos(noon())).0 + 1).start().0;
        let (own, shared) =
            ("only the first one said this, nobody else", "both of the traces have said this one");
        let mut spans = vec![said(1, midnight - 5, own), said(2, midnight - 4, shared)];
        let mut late = said(1, midnight + 5, shared);
        late.key.span = suite::span_id(1);
        spans.push(late);
        let logs =
            vec![suite::log(Some(1), "gen_ai.choice", midnight - 1), suite::log(None, "x", midnight - 2)];
        let all = batch(spans, logs);
        store.ingest(all.clone()).await.unwrap();
        let found = async |text: &str| {
            let query = SearchQuery { text: text.to_owned(), limit: 9, ..SearchQuery::default() };
            store.search(&query).await.unwrap().items.len()
        };
        until(async || store.status().await.unwrap().index_behind == 0).await;
        assert_eq!((found("nobody else").await, found("\"said this one\"").await), (1, 2));

        assert_eq!(store.delete(Delete::Trace(trace_id(1))).await.unwrap().traces, 1);
        assert_eq!(store.delete(Delete::Trace(trace_id(1))).await.unwrap().traces, 0);
        assert_eq!(traces(&store).await, [2]);
        assert!(store.spans(trace_id(1), Which::All).await.unwrap().is_empty());
        assert_eq!(store.logs(&LogQuery { limit: 9, ..LogQuery::default() }).await.unwrap().items.len(), 1);
        let hash = |text: &str| ContentHash::of(Form::Text as u8, text.as_bytes());
        assert!(store.content(hash(own), None).await.unwrap().is_none());
        assert!(store.content(hash(shared), None).await.unwrap().is_some());
        assert_eq!((found("nobody else").await, found("\"said this one\"").await), (0, 1));
        let status = store.status().await.unwrap();
        assert_eq!((status.spans, status.logs, status.index_behind), (1, 1, 0));
        for file in days(folder.path()) {
            let bytes = fs::read(&file).unwrap();
            let words = b"only the first one said";
            assert!(
                !bytes.windows(words.len()).any(|window| window == words),
                "{} tells it still",
                file.display()
            );
        }
        // It may come again.
        let again = store.ingest(all).await.unwrap();
        assert_eq!((again.spans, again.logs, again.known), (2, 1, 2));
        until(async || found("nobody else").await == 1).await;
    });
}

#[test]
fn everything_and_everything_before_is_deleted() {
    let folder = TempDir::new().unwrap();
    let yesterday = noon() - 86_400 * SECOND;
    block_on(async {
        let store = options(folder.path()).open().unwrap();
        let spans =
            || vec![span(1, 0, None, yesterday), span(2, 0, None, noon()), span(3, 0, None, Nanos::now().0)];
        store.ingest(batch(spans(), vec![])).await.unwrap();
        assert_eq!(traces(&store).await, [3, 2, 1]);
        let deleted = store.delete(Delete::Before(Nanos(noon()))).await.unwrap();
        assert!(deleted.traces == 1 && deleted.bytes > 0);
        assert_eq!(traces(&store).await, [3, 2]);
        assert_eq!(store.delete(Delete::All).await.unwrap().traces, 2);
        let left = days(folder.path());
        assert!(
            traces(&store).await.is_empty() && left.iter().all(|file| file.extension().unwrap() != "sqlite")
        );
        assert_eq!(store.ingest(batch(spans(), vec![])).await.unwrap().spans, 3);
        assert_eq!(traces(&store).await, [3, 2, 1]);
    });
}

#[test]
fn others_may_look_at_a_folder_and_write_nothing() {
    let folder = TempDir::new().unwrap();
    block_on(async {
        let store = options(folder.path()).open().unwrap();
        store.ingest(batch(vec![said(1, noon(), "said before anybody looked")], vec![])).await.unwrap();
        let look = SqliteOptions::new(folder.path()).read_only().open().unwrap();
        assert_eq!(traces(&look).await, [1]);
        store.ingest(batch(vec![said(2, noon() + 1, "said while somebody looks")], vec![])).await.unwrap();
        assert_eq!(traces(&look).await, [2, 1]);
        assert!(look.status().await.unwrap().read_only);
        let refused = look.ingest(batch(vec![span(3, 0, None, noon())], vec![])).await;
        assert!(matches!(refused, Err(StoreError::ReadOnly(_))));
        assert!(matches!(look.delete(Delete::All).await, Err(StoreError::ReadOnly(_))));
        look.close().await;
        store.close().await;
    });
    assert!(SqliteOptions::new(folder.path().join("nowhere")).read_only().open().is_err());
}

/// A medium that cannot be written to at all.
#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = TempDir::new().unwrap();
    block_on(async {
        let store = options(folder.path()).open().unwrap();
        store.ingest(batch(vec![said(1, noon(), "written while it could be")], vec![])).await.unwrap();
        store.close().await;
        let mode = |mode| fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
        mode(0o500);
        // Nothing is forbidden to root: then only reading is tried.
        if fs::write(folder.path().join("probe"), "").is_err() {
            assert!(matches!(SqliteOptions::new(folder.path()).open(), Err(StoreError::ReadOnly(_))));
        }
        let look = SqliteOptions::new(folder.path()).read_only().open().unwrap();
        let read = traces(&look).await;
        mode(0o700);
        assert_eq!(read, [1]);
    });
}

const FULL: &str = "OTEL_GENAI_STORE_FULL_FOLDER";

/// Not a test of its own: stores until the disk is full, which for this process it soon is.
#[cfg(unix)]
#[test]
fn the_one_whose_disk_is_full() {
    let Some(folder) = std::env::var_os(FULL) else { return };
    block_on(async {
        let store = options(Path::new(&folder)).open().unwrap();
        let mut acked = Vec::new();
        let error = loop {
            let number = acked.len() as u64;
            assert!(number < 200, "the disk was never full");
            match store
                .ingest(batch(vec![said(number, noon() + number, &noise(number, 100_000))], vec![]))
                .await
            {
                Ok(stored) => acked.push((number, stored.spans)),
                Err(error) => break error,
            }
        };
        assert!(matches!(error, StoreError::Full { .. }), "{error}");
        assert!(acked.len() > 5);
        // Everything that was acknowledged is there, and can be read.
        assert_eq!(traces(&store).await.len(), acked.len());
        for (number, _) in &acked {
            let spans = store.spans(trace_id(*number), Which::All).await.unwrap();
            assert_eq!(spans[0].attributes.text("gen_ai.input.messages").unwrap(), noise(*number, 100_000));
        }
        store.delete(Delete::All).await.unwrap();
        let stored = store.ingest(batch(vec![said(1, noon(), &noise(1, 100_000))], vec![])).await.unwrap();
        assert_eq!(stored.spans, 1);
        println!("there was room again");
    });
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_said_and_nothing_acknowledged_is_lost() {
    let folder = TempDir::new().unwrap();
    // No file of the child may have more than about 2 MiB.
    let script = "trap '' XFSZ; ulimit -f 4096; exec \"$0\" \"$@\"";
    let output = std::process::Command::new("sh")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "the_one_whose_disk_is_full", "--nocapture"])
        .env(FULL, folder.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("there was room again"), "{told}");
}

/// Whichever page of a file is damaged: nothing panics, what is new is stored, and no file is thrown away.
#[test]
fn damage_anywhere_is_survived() {
    let folder = TempDir::new().unwrap();
    let sound = block_on(async {
        let store = options(folder.path()).open().unwrap();
        let spans = (0..40).map(|trace| said(trace, noon() + trace, &noise(trace, 2_000))).collect();
        let logs = (0..40).map(|at| suite::log(Some(at), "gen_ai.choice", noon() + at)).collect();
        store.ingest(batch(spans, logs)).await.unwrap();
        until(async || store.status().await.unwrap().index_behind == 0).await;
        store.close().await;
        fs::read(&days(folder.path())[0]).unwrap()
    });
    let file = days(folder.path()).remove(0);
    let mut aside = 0;
    for (number, page) in (0..sound.len()).step_by(8_192).enumerate() {
        // The head of a page, or its cells.
        let at = if number % 2 == 0 { 0 } else { 6_000 };
        let mut damaged = sound.clone();
        damaged[page + at..page + at + 200].iter_mut().for_each(|byte| *byte ^= 0x5a);
        let place = TempDir::new().unwrap();
        let copy = place.path().join(file.file_name().unwrap());
        fs::write(&copy, &damaged).unwrap();
        block_on(async {
            let store = options(place.path()).open().unwrap();
            let _ = store.traces(&TraceQuery { limit: 100, ..TraceQuery::default() }).await;
            let _ = store.logs(&LogQuery { limit: 100, ..LogQuery::default() }).await;
            let _ = store.status().await;
            for trace in (0..40).step_by(7) {
                let _ = store.spans(trace_id(trace), Which::All).await;
            }
            let new = || batch(vec![said(90, noon(), "said after the damage was done")], vec![]);
            let mut stored = store.ingest(new()).await;
            if stored.is_err() {
                stored = store.ingest(new()).await;
            }
            assert_eq!(stored.unwrap().spans, 1, "page {number}");
            let status = store.status().await;
            if let Ok(status) = status
                && let Some(kept) = status.damaged.first()
            {
                aside += 1;
                assert_eq!(fs::metadata(kept).unwrap().len(), damaged.len() as u64);
                assert_eq!(store.spans(trace_id(90), Which::All).await.unwrap().len(), 1);
            }
        });
    }
    assert!(aside > 0);
}

/// A clock of 1970 or 2200 makes no files of its own, which no limit would ever reach.
#[test]
fn wrong_clocks_make_no_files() {
    let folder = TempDir::new().unwrap();
    block_on(async {
        let store = options(folder.path()).max_age(30 * DAY).open().unwrap();
        let starts = [1, 7_258_118_400 * SECOND, u64::MAX];
        let spans = (0u64..).zip(starts).map(|(trace, start)| {
            let mut span = span(trace, 0, None, noon());
            span.start = Nanos(start);
            span
        });
        store.ingest(batch(spans.collect(), vec![suite::log(None, "x", 3)])).await.unwrap();
        assert_eq!(traces(&store).await.len(), 3);
        store.close().await;
    });
    assert_eq!(days(folder.path()).len(), 1);
}

/// What only the word of a beginning said is gone with it; and so is what was never stored.
#[test]
fn what_a_beginning_said_goes_with_it() {
    let folder = TempDir::new().unwrap();
    block_on(async {
        let store = options(folder.path()).open().unwrap();
        let hash = |text: &str| ContentHash::of(Form::Text as u8, text.as_bytes());
        let is_there = async |text: &str| store.content(hash(text), None).await.unwrap().is_some();
        let begun = |text: &str| {
            let mut begun = said(1, noon(), text);
            (begun.state, begun.end) = (SpanState::Running, Nanos(0));
            begun
        };
        let both = "the beginning and another span have said this";
        store.ingest(batch(vec![begun("only the beginning has said this")], vec![])).await.unwrap();
        assert!(is_there("only the beginning has said this").await);
        let mut other = said(1, noon(), both);
        other.key.span = suite::span_id(1);
        store.ingest(batch(vec![begun(both), other], vec![])).await.unwrap();
        store
            .ingest(batch(vec![said(1, noon(), "the end has said this, which stays")], vec![]))
            .await
            .unwrap();
        store.ingest(batch(vec![begun("a beginning that came late has said this")], vec![])).await.unwrap();
        assert!(!is_there("only the beginning has said this").await);
        assert!(!is_there("a beginning that came late has said this").await);
        assert!(is_there(both).await && is_there("the end has said this, which stays").await);
        assert_eq!(store.spans(trace_id(1), Which::All).await.unwrap().len(), 2);
        for number in 0..12 {
            let variant = format!("variant {number} of one span has said this, and no other");
            store.ingest(batch(vec![said(2, noon(), &variant)], vec![])).await.unwrap();
        }
        assert!(!is_there("variant 9 of one span has said this, and no other").await);
        store.delete(Delete::All).await.unwrap();
    });
}

/// Where only metrics come, the oldest points go when there is too much.
#[test]
fn who_only_adds_deletes_nothing() {
    let folder = TempDir::new().unwrap();
    block_on(async {
        let old = span(1, 1, None, Nanos::now().0 - 10 * 86_400 * SECOND);
        let store = options(folder.path()).open().unwrap();
        store.ingest(batch(vec![old], vec![])).await.unwrap();
        store.close().await;
        let age = Duration::from_secs(86_400);
        let store = options(folder.path()).max_age(age).deletes_nothing().open().unwrap();
        store.ingest(batch(vec![span(2, 1, None, Nanos::now().0)], vec![])).await.unwrap();
        assert_eq!(traces(&store).await.len(), 2);
        store.close().await;
        let store = options(folder.path()).max_age(age).open().unwrap();
        until(async || traces(&store).await.len() == 1).await;
    });
}

/// Of what is longer than is to be kept the beginning stays, and says so; it is the same record when it comes again.
#[test]
fn very_long_content_is_kept_in_part() {
    let folder = TempDir::new().unwrap();
    block_on(async {
        let store = options(folder.path()).max_content(2_000).open().unwrap();
        let long = noise(1, 100_000);
        for stored in [1, 0] {
            let spans = vec![said(1, noon(), &long), said(2, noon(), "short and whole")];
            let told = store.ingest(batch(spans, vec![])).await.unwrap();
            assert_eq!((told.spans, told.known), (2 * stored, 2 - 2 * stored));
        }
        let words = async |trace: u64| {
            let spans = store.spans(trace_id(trace), Which::All).await.unwrap();
            spans[0].attributes.text("gen_ai.input.messages").unwrap().into_owned()
        };
        let kept = words(1).await;
        assert!(kept.starts_with(&long[..2_000]) && kept.len() < 2_100, "{kept}");
        assert!(kept.contains("cut by --max-content: 98"), "{kept}");
        assert_eq!(words(2).await, "short and whole");
        store.close().await;
    });
}

#[test]
fn points_go_where_there_is_nothing_else() {
    let folder = TempDir::new().unwrap();
    block_on(async {
        let limit = 1 << 20;
        let store = options(folder.path()).max_bytes(limit).open().unwrap();
        let now = Nanos::now().0;
        for number in 0..40u64 {
            let lists = (0..50u64).map(|line| {
                let series = Series {
                    name: "calls".into(),
                    unit: "1".into(),
                    description: "".into(),
                    kind: Instrument::Gauge,
                    temporality: 0,
                    monotonic: false,
                    metadata: Attributes::default(),
                    attributes: Attributes::from_otlp(vec![string("line", &format!("{number} {line}"))]),
                    origin: suite::origin("shop"),
                };
                let points = (0..20u64).map(|point| Point {
                    start: Nanos(0),
                    time: Nanos(now - (40 - number) * SECOND + point),
                    flags: 0,
                    value: PointValue::Int(i64::try_from(point).unwrap()),
                    exemplars: Vec::new(),
                });
                (Arc::new(series), points.collect())
            });
            let points =
                Batch { points: lists.collect(), bytes: 1_000, received: Nanos(now), ..Batch::default() };
            store.ingest(points).await.unwrap();
        }
        let room = || -> u64 {
            let files = days(folder.path()).into_iter().filter(|file| file.extension().unwrap() == "sqlite");
            files.map(|file| fs::metadata(file).map_or(0, |file| file.len())).sum()
        };
        store.close().await;
        let before: u64 = room();
        assert!(before > limit, "{before}");
        // It is looked at once when the store is opened, and then now and then.
        let store = options(folder.path()).max_bytes(limit).open().unwrap();
        until(async || room() <= limit).await;
        let left = store.status().await.unwrap().points;
        assert!((1..40_000).contains(&left), "{left}");
    });
}
