//! What is stored and added up while others delete.

use std::sync::Arc;
use std::time::{Duration, Instant};

use otel_genai_store::{
    ClickHouseOptions, Day, Delete, Facts, Nanos, Op, Span, StatsQuery, Store, Usage, Which,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::runtime::block_on;
use crate::suite::{batch, log, noon, span, trace_id};
use crate::{all, engine, raw};

/// Stands before the server, and holds what says some words until it may go on.
pub(crate) struct Gate {
    pub(crate) address: String,
    reached: Arc<Notify>,
    opened: Arc<Notify>,
}

impl Gate {
    pub(crate) async fn before(server: &str, words: &'static str) -> Self {
        let (name, server) = server.split_once("://").unwrap();
        let server = server.to_owned();
        let place = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("{name}://{}", place.local_addr().unwrap());
        let (reached, opened) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let gate = Self { address, reached: Arc::clone(&reached), opened: Arc::clone(&opened) };
        tokio::spawn(async move {
            while let Ok((client, _)) = place.accept().await {
                let Ok(server) = TcpStream::connect(&server).await else { continue };
                let ((mut asks, mut hears), (mut answers, mut listens)) =
                    (client.into_split(), server.into_split());
                let (reached, opened) = (Arc::clone(&reached), Arc::clone(&opened));
                tokio::spawn(async move {
                    let mut bytes = vec![0; 64 << 10];
                    while let Ok(length @ 1..) = asks.read(&mut bytes).await {
                        let told = &bytes[..length];
                        if told.windows(words.len()).any(|some| some == words.as_bytes()) {
                            reached.notify_one();
                            opened.notified().await;
                        }
                        if listens.write_all(told).await.is_err() {
                            return;
                        }
                    }
                });
                tokio::spawn(async move { tokio::io::copy(&mut answers, &mut hears).await });
            }
        });
        gate
    }

    /// Does something when the words have been said and were not heard yet.
    pub(crate) async fn meanwhile(&self, done: impl Future<Output = ()>) {
        self.reached.notified().await;
        done.await;
        self.opened.notify_one();
    }
}

pub(crate) fn at(options: &ClickHouseOptions, server: &str) -> ClickHouseOptions {
    let location = options.location();
    let database = location.rsplit('/').next().unwrap();
    ClickHouseOptions::new(&format!("{server}/{database}")).unwrap()
}

/// What comes while all is deleted, or a day, or the trace that it belongs to, is there and is listed.
#[test]
fn what_is_stored_while_others_delete_is_listed() {
    block_on(async {
        let Some(server) = engine::address() else { return };
        let tomorrow = Day(Day::of(Nanos(noon())).0 + 1).start();
        for (what, words) in [
            (Delete::All, "TRUNCATE TABLE trace"),
            (Delete::Before(tomorrow), "ALTER TABLE trace DROP"),
            (Delete::Trace(trace_id(1)), "DELETE FROM trace"),
        ] {
            let options = engine::database().unwrap();
            let gate = Gate::before(server, words).await;
            let receives = options.clone().connect().await.unwrap();
            let deletes = at(&options, &gate.address).connect().await.unwrap();
            receives.ingest(batch(vec![span(1, 1, None, noon())], vec![])).await.unwrap();
            let late = batch(vec![span(1, 2, None, noon() + 1)], vec![log(Some(2), "x", noon())]);
            let store = async {
                receives.ingest(late).await.unwrap();
            };
            let (deleted, ()) = tokio::join!(deletes.delete(what), gate.meanwhile(store));
            assert_eq!(deleted.unwrap().traces, 1);
            let mut listed = receives.traces(&all()).await.unwrap().items;
            listed.sort_by_key(|trace| trace.id);
            let listed: Vec<_> = listed.iter().map(|trace| (trace.id, trace.spans, trace.logs)).collect();
            assert_eq!(listed, [(trace_id(1), 1, 0), (trace_id(2), 0, 1)], "{what:?}");
            assert_eq!(receives.spans(trace_id(1), Which::All).await.unwrap().len(), 1);
            deletes.close().await;
            receives.close().await;
        }
    });
}

/// Sums that were written down while the server deleted calls are no longer asked.
#[test]
fn what_was_added_up_while_it_was_deleted_is_in_no_sum() {
    const QUIET: Duration = Duration::from_secs(1);
    let call = |trace: u64, id: u64| {
        let facts = Facts {
            op: Some(Op::Chat),
            usage: Usage { input: Some(1), ..Usage::default() },
            ..Facts::default()
        };
        Span { facts, ..span(trace, id, None, noon() + id) }
    };
    block_on(async {
        let Some(options) = engine::database() else { return };
        let gate = Gate::before(engine::address().unwrap(), "DELETE FROM span").await;
        let receives = options.clone().quiet(QUIET).connect().await.unwrap();
        let deletes = at(&options, &gate.address).quiet(QUIET).connect().await.unwrap();
        let calls = (0..60).map(|id| call(1 + id % 2, id)).collect();
        receives.ingest(batch(calls, vec![])).await.unwrap();
        let raw = raw(&options);
        let summed = async {
            let sql = "SELECT count() FROM (SELECT hour, max(made) AS last FROM hourly GROUP BY hour) AS r
                 JOIN (SELECT hour, max(at) AS latest FROM touched GROUP BY hour) AS t USING hour
                 WHERE last >= latest + 1000";
            let until = Instant::now() + Duration::from_secs(60);
            while raw.query_raw(sql).fetch_one::<u64>().await.unwrap() < 1 {
                assert!(Instant::now() < until, "the hour has no sums");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let (deleted, ()) = tokio::join!(deletes.delete(Delete::Trace(trace_id(2))), gate.meanwhile(summed));
        deleted.unwrap();
        let stats = receives.stats(&StatsQuery::default()).await.unwrap();
        assert_eq!((stats[0].calls, stats[0].usage.input), (30, Some(30)));
        deletes.close().await;
        receives.close().await;
    });
}
