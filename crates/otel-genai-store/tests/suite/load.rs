//! Many at a time.

use otel_genai_store::{Nanos, Store};

use super::{batch, noon, span, trace_id};

/// Many senders at a time: each is told the truth about its batch.
pub(crate) async fn many_send_at_a_time(store: &impl Store) {
    let send = async |sender: u64| {
        for number in 0..20 {
            let spans = (0..5).map(|id| span(sender, number * 5 + id, Some(999), noon() + number)).collect();
            assert_eq!(store.ingest(batch(spans, vec![])).await.unwrap().spans, 5);
            // What is acknowledged is seen.
            let page = store.rows(trace_id(sender), 1, None).await.unwrap();
            assert_eq!(page.total, Some((number + 1) * 5));
        }
    };
    futures_util::future::join_all((0..16).map(send)).await;
    let status = store.status().await.unwrap();
    assert_eq!((status.spans, status.traces), (1_600, 16));
    assert!(status.bytes > 0 && status.oldest == Some(Nanos(noon())));
}
