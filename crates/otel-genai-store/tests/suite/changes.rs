//! Those who watch are told what has changed.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt as _;
use otel_genai_store::{Change, Store};

use super::{batch, log, noon, span, trace_id};

/// Whoever watches is told which traces are others now, and of log records and points that came.
pub(crate) async fn changes_are_told(store: &impl Store) {
    let mut watched = store.changes();
    store.ingest(batch(vec![span(1, 0, None, noon())], vec![log(None, "x", noon())])).await.unwrap();
    store.ingest(batch(vec![span(1, 1, Some(0), noon())], vec![log(Some(2), "x", noon())])).await.unwrap();
    let (mut logs, mut spans, mut traces) = (0, BTreeMap::new(), 0);
    while logs < 2 || spans.get(&trace_id(1)) != Some(&2) || !spans.contains_key(&trace_id(2)) {
        let next = tokio::time::timeout(Duration::from_secs(30), watched.next()).await;
        match next.expect("told in time").expect("the store is open") {
            Change::Logs { count } => logs += count,
            Change::Traces(list) => {
                traces += list.len();
                spans.extend(list.iter().map(|trace| (trace.id, trace.spans)));
            }
            change => panic!("{change:?}"),
        }
    }
    assert!(logs == 2 && traces <= 4);
    // Nothing has changed by being told again.
    store.ingest(batch(vec![span(1, 0, None, noon())], vec![])).await.unwrap();
    store.ingest(batch(vec![span(3, 0, None, noon())], vec![])).await.unwrap();
    match watched.next().await.unwrap() {
        Change::Traces(list) => {
            assert_eq!(list.iter().map(|trace| trace.id).collect::<Vec<_>>(), [trace_id(3)]);
        }
        change => panic!("{change:?}"),
    }
    store.close().await;
    assert!(watched.next().await.is_none());
    assert!(store.changes().next().await.is_none());
}

/// Whoever does not listen is told that it has missed something, and hears what comes after.
pub(crate) async fn who_does_not_listen_is_told(store: &impl Store) {
    let mut slow = store.changes();
    let mut quick = store.changes();
    let mut number = 0;
    let mut told = 0;
    while told < 40 {
        store.ingest(batch(vec![span(number, 0, None, noon())], vec![])).await.unwrap();
        number += 1;
        let next = tokio::time::timeout(Duration::from_secs(30), quick.next()).await;
        told += usize::from(next.unwrap().is_some());
    }
    assert!(matches!(slow.next().await, Some(Change::Lost)));
    assert!(matches!(slow.next().await, Some(Change::Traces(_))));
}
