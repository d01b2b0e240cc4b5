//! A store that is killed in the middle of its work has everything that it acknowledged.
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

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use otel_genai_store::{SqliteOptions, Store, TraceQuery, Which};
use suite::{batch, noon, span, trace_id};

const FOLDER: &str = "OTEL_GENAI_STORE_KILL_FOLDER";
const FIRST: &str = "OTEL_GENAI_STORE_KILL_FIRST";
const TEMPORARY: &str = "OTEL_GENAI_STORE_KILL_TEMPORARY";

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap()
}

/// Not a test of its own: stores and tells until it is killed.
#[test]
fn the_one_that_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let first: u64 = std::env::var(FIRST).unwrap().parse().unwrap();
    let store = SqliteOptions::new(folder).open().unwrap();
    let store = &store;
    runtime().block_on(futures_util::future::join_all((0..4).map(async |sender| {
        for number in (first + sender..).step_by(4) {
            // Each batch goes over midnight, and is one trace of its own.
            let spans =
                (0..8).map(|id| span(number, id, None, noon() + id * 6 * 3_600_000_000_000)).collect();
            store.ingest(batch(spans, vec![])).await.unwrap();
            let mut out = std::io::stdout().lock();
            writeln!(out, "acked {number}").unwrap();
            out.flush().unwrap();
        }
    })));
}

#[test]
fn what_was_acknowledged_is_there_after_a_kill() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut acked = Vec::new();
    for round in 0..10 {
        acked.extend(kill_after(folder.path(), round * 1_000_000, 5 + round * 7));
        runtime().block_on(async {
            let store = SqliteOptions::new(folder.path()).open().unwrap();
            for trace in &acked {
                let spans = store.spans(trace_id(*trace), Which::All).await.unwrap();
                assert_eq!(spans.len(), 8, "trace {trace}, round {round}");
            }
            // What was not acknowledged is there by whole days: two or four spans each.
            let page = store.traces(&TraceQuery { limit: 500, ..TraceQuery::default() }).await.unwrap();
            assert!(page.items.len() >= acked.len().min(500));
            assert!(page.items.iter().all(|trace| trace.spans % 2 == 0), "half a batch of a day");
            assert!(store.status().await.unwrap().damaged.is_empty());
        });
    }
}

/// Starts one that stores, kills it after so many acknowledgements, and says which they were.
fn kill_after(folder: &Path, first: u64, count: u64) -> Vec<u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_one_that_is_killed", "--nocapture"])
        .env(FOLDER, folder)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    // The harness writes "test ..." before the first.
    let number = |line: String| line.rsplit_once("acked ")?.1.parse().ok();
    let mut acked: Vec<u64> =
        lines.by_ref().filter_map(number).take(usize::try_from(count).unwrap()).collect();
    child.kill().unwrap();
    // What it told before it was killed counts too.
    acked.extend(lines.filter_map(number));
    child.wait().unwrap();
    assert!(acked.len() as u64 >= count);
    acked
}

/// Not a test of its own: has a temporary store until it is killed.
#[test]
fn the_temporary_one_that_is_killed() {
    if std::env::var_os(TEMPORARY).is_none() {
        return;
    }
    let store = SqliteOptions::temporary().open().unwrap();
    let status = runtime().block_on(store.status()).unwrap();
    println!("stored in {}", status.location);
    loop {
        std::thread::park();
    }
}

#[test]
fn the_folder_of_a_temporary_store_that_was_killed_is_taken_away_by_the_next() {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_temporary_one_that_is_killed", "--nocapture"])
        .env(TEMPORARY, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let folder = |line: String| Some(line.split_once("stored in ")?.1.to_owned());
    let folder = std::path::PathBuf::from(lines.filter_map(folder).next().unwrap());

    drop(SqliteOptions::temporary().open().unwrap());
    assert!(folder.is_dir(), "taken away from one that lives");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(folder.is_dir());
    drop(SqliteOptions::temporary().open().unwrap());
    assert!(!folder.exists());
}
