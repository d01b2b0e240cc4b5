//! What a store tells makes another one.

use otel_genai_store::{Batch, Nanos, Range, Series, Span, SqliteOptions, Store, StoreStatus, Which};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use super::{SECOND, log, noon, origin, span, trace_id};
use crate::support;

/// Records of all kinds, some of them large, with this many spans over a day and a half: it takes several pieces.
pub(crate) fn everything(spans: u64) -> Batch {
    let mut runner = TestRunner::deterministic();
    let mut whole = Batch::default();
    for number in 0..spans {
        let start = noon() + number * 108_000 / spans * SECOND;
        let mut span = span(number / 4, number, None, start);
        span.trace_state = format!("{number}").repeat(50_000);
        whole.spans.push(span);
        whole.logs.push(log(Some(number / 4), "gen_ai.choice", start));
        let metric = support::metrics::metric().new_tree(&mut runner).unwrap().current();
        let mut points = Series::from_otlp(metric, &origin("shop"));
        for (_, points) in &mut points {
            // Each at its own time: of two with the same the first is kept.
            points
                .iter_mut()
                .zip(0..)
                .for_each(|(point, at)| (point.time, point.start) = (Nanos(start + at), Nanos(0)));
        }
        whole.points.extend(points);
    }
    (whole.bytes, whole.received) = (1_000, Nanos::now());
    whole
}

/// A store that is given what another has told is the same.
pub(crate) async fn a_dump_makes_the_same_store(store: &impl Store) {
    let whole = everything(60);
    let stored = store.ingest(whole.clone()).await.unwrap();
    assert_eq!((stored.spans, stored.logs), (60, 60));

    let all = Range { from: Nanos(0), to: Nanos(u64::MAX) };
    let copy = SqliteOptions::temporary().open().unwrap();
    let (mut cursor, mut pieces) = (None, 0);
    loop {
        let (batch, next) = store.dump(all, cursor).await.unwrap();
        assert!(batch.bytes < 5 << 20);
        let copied = copy.ingest(batch).await.unwrap();
        assert_eq!(copied.known, 0);
        pieces += 1;
        cursor = next;
        if cursor.is_none() {
            break;
        }
    }
    assert!(pieces > 1, "{pieces}");
    let told = |status: StoreStatus| (status.spans, status.logs, status.points, status.traces);
    assert_eq!(told(copy.status().await.unwrap()), told(store.status().await.unwrap()));
    // What is told again is known, to the last bit.
    let again = copy.ingest(whole).await.unwrap();
    assert_eq!((again.spans, again.logs, again.points), (0, 0, 0));
    for number in 0..15 {
        let (one, other) =
            (store.spans(trace_id(number), Which::All), copy.spans(trace_id(number), Which::All));
        let exact = |spans: Vec<Span>| {
            spans.iter().map(|span| (span.to_otlp(), span.facts.clone())).collect::<Vec<_>>()
        };
        assert_eq!(exact(one.await.unwrap()), exact(other.await.unwrap()));
    }
    let some = Range { from: Nanos(noon()), to: Nanos(noon() + 3_600 * SECOND) };
    let (batch, next) = store.dump(some, None).await.unwrap();
    assert_eq!((batch.spans.len(), batch.logs.len(), next.is_none()), (2, 2, true));
    copy.close().await;
}
